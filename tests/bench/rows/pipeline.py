"""From the inbox to cards and planned notifications, with more and more stored before."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.db import connection

from notifications import feed
from notifications.models import Card, Notification
from owners import clock, doorbell
from suppliers import inbox
from suppliers.models import Contact, InboundEvent
from tests.bench import world
from tests.bench.bench import ROOT, Bench, Row, median
from tests.statements import counted

WORK = "inbox to card to planned notifications, 2 worker processes, 500 households"
TARGET = ">= 1,500 contacts/s, <= 40 queries a batch of 500, linear from 1k to 1M contacts"
WORKERS = 2
BATCH = 500
LINEAR = 0.8  # the rate with the most contacts stored, as a share of that with the fewest

FLOOR = """
    CREATE TABLE bench_in (id bigserial PRIMARY KEY, household int, matter text, body jsonb,
        state text DEFAULT 'stored');
    CREATE INDEX ON bench_in (id) WHERE state = 'stored';
    CREATE TABLE bench_said (id bigint PRIMARY KEY, household int, body jsonb);
    CREATE TABLE bench_card (household int, matter text, body jsonb, version int DEFAULT 1,
        PRIMARY KEY (household, matter));
    CREATE TABLE bench_count (household int PRIMARY KEY, count int);
    INSERT INTO bench_count SELECT n, 0 FROM generate_series(0, 499) n;
"""
FLOOR_EVENTS = """
    INSERT INTO bench_in (household, matter, body)
    SELECT n % 500, 'm' || n % 6000, jsonb_build_object('body', repeat('words ', 60))
    FROM generate_series(1, 20000) n
"""
FLOOR_BATCH = """
    WITH picked AS (
        SELECT id FROM bench_in WHERE state = 'stored' ORDER BY id LIMIT 500
        FOR UPDATE SKIP LOCKED
    ), done AS (
        UPDATE bench_in b SET state = 'done' FROM picked p WHERE p.id = b.id
        RETURNING b.id, household, matter, body
    ), said AS (
        INSERT INTO bench_said SELECT id, household, body FROM done
    ), cards AS (
        INSERT INTO bench_card (household, matter, body)
        SELECT DISTINCT ON (household, matter) household, matter, body FROM done
        ORDER BY household, matter
        ON CONFLICT (household, matter) DO UPDATE
        SET body = EXCLUDED.body, version = bench_card.version + 1
    ), counted AS (
        UPDATE bench_count c SET count = c.count + d.n
        FROM (SELECT household, count(*) AS n FROM (SELECT household FROM done
              ORDER BY household) x GROUP BY 1) d
        WHERE c.household = d.household
    )
    SELECT count(*) FROM done
"""


def floor(bench: Bench) -> float:
    """Return the events a second of the same claims and upserts in bare SQL."""
    with bench.connect() as bare:
        bare.execute(FLOOR_EVENTS)

    def work(_: int) -> int:
        done = 0
        with bench.connect() as bare:
            while True:
                try:
                    found = bare.execute(FLOOR_BATCH).fetchone()
                except psycopg.errors.DeadlockDetected:
                    continue  # two counters in another order; nothing was written
                if found is None or not found[0]:
                    return done
                done += found[0]

    began = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        done = sum(pool.map(work, range(WORKERS)))
    return done / (time.perf_counter() - began)


def fill(here: world.World, count: int) -> None:
    """Put events into the inbox, as the entrance does."""
    events = world.received(here, count)
    with doorbell.hushed():
        for at in range(0, count, 1000):
            inbox.record(received=events[at : at + 1000], now=clock.now())


def work_off(bench: Bench, count: int) -> float:
    """Return the contacts a second of two worker processes."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.worker"],
            cwd=ROOT,
            env=bench.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("a worker did not start")
        began = time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            if process.wait(300):
                raise RuntimeError("a worker failed")
        took = time.perf_counter() - began
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    assert not Contact.objects.filter(decided_at=None).exists()
    assert not InboundEvent.objects.filter(state="stored").exists()
    return count / took


def queries(here: world.World) -> int:
    """Return the statements of one batch of 500, from the claim to the planned rows."""
    fill(here, BATCH)
    with doorbell.hushed(), counted() as seen:
        assert inbox.process_due(now=clock.now(), limit=BATCH) == BATCH
        decided = feed.consolidate_due(now=clock.now(), limit=BATCH)
    count = len(seen)
    while decided:  # a batch may be more households than one claim takes
        decided = feed.consolidate_due(now=clock.now(), limit=BATCH)
    return count


def measure(bench: Bench) -> Row:
    """Measure with 1k, 100k and 1M contacts stored; the floor beside it."""
    with bench.connect() as bare:
        bare.execute(FLOOR)
    scales = sorted({min(scale, bench.scale) for scale in (1_000, 100_000, 1_000_000)})
    count = 4_000 if bench.is_quick else 10_000
    rates: dict[int, float] = {}
    floors: list[float] = []
    for scale in scales:
        found = []
        here = world.build(f"bench-{scale}", households=500)
        world.remember(here, contacts=scale - min(scale, Contact.objects.count()))
        for _ in range(1 if bench.is_quick else bench.rounds):
            floors.append(floor(bench))
            fill(here, count)
            found.append(work_off(bench, count))
        rates[scale] = median(found)
    asked = queries(here)
    assert Card.objects.exists()
    assert Notification.objects.exists()
    connection.close()
    least, most = rates[scales[0]], rates[scales[-1]]
    shown = ", ".join(f"{rate:,.0f}/s at {scale:,}" for scale, rate in rates.items())
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{shown} contacts stored; {asked} queries a batch",
        floor=f"{median(floors):,.0f}/s in bare SQL",
        is_met=min(rates.values()) >= 1500 and asked <= 40 and most >= LINEAR * least,
    )
