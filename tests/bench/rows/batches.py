"""CloudEvents batches of 1,000 over 4 connections."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

from owners import clock
from tests.bench import load
from tests.bench.bench import Bench, Row
from tests.bench.rows import single
from tests.factories import signed_headers

WORK = "CloudEvents batch of 1,000, 4 connections"
TARGET = ">= 0.5 of the floor"
CONNECTIONS = 4
SIZE = 1000
MOST_PER_SECOND = 100  # batches; none is ever sent twice

TABLE = """
    CREATE TABLE bench_copy (
        id bigserial PRIMARY KEY, source text, event_id text, body bytea,
        UNIQUE (source, event_id)
    )
"""
_numbers = itertools.count(10_000_000)


def requests(bench: Bench, count: int) -> list[bytes]:
    """Return so many signed batches."""
    assert bench.cast is not None
    now, found = clock.now(), []
    for _ in range(count):
        items = [single.body(bench.cast, next(_numbers)) for _ in range(SIZE)]
        raw = b"[" + b",".join(items) + b"]"
        headers = signed_headers(raw, at=now, content_type="application/cloudevents-batch+json")
        found.append(load.raw_request("/webhooks/skyline/", headers, raw))
    return found


def floor(bench: Bench) -> float:
    """Return the rows a second of the bare statements over as many connections.

    It runs as long as ours does: within less than a second no checkpoint comes, and the disk
    has not begun to wait for itself.
    """
    body = b"x" * single.BODY_SIZE
    began = time.perf_counter()

    def work(_: int) -> int:
        done = 0
        with bench.connect() as connection:
            connection.execute(
                "CREATE TEMPORARY TABLE given (source text, event_id text, body bytea)"
                " ON COMMIT DELETE ROWS"
            )
            while time.perf_counter() - began < bench.seconds:
                rows = [("floor", f"e{next(_numbers)}", body) for _ in range(SIZE)]
                with connection.transaction(), connection.cursor() as cursor:
                    with cursor.copy("COPY given FROM STDIN (FORMAT BINARY)") as copy:
                        copy.set_types(("text", "text", "bytea"))
                        for row in rows:
                            copy.write_row(row)
                    cursor.execute(
                        "INSERT INTO bench_copy (source, event_id, body)"
                        " SELECT * FROM given ON CONFLICT DO NOTHING"
                    )
                done += SIZE
        return done

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        rows = sum(pool.map(work, range(CONNECTIONS)))
    return rows / (time.perf_counter() - began)


def measure(bench: Bench) -> Row:
    """Measure the bare statements and ours, one after the other, in each round."""
    with bench.connect() as connection:
        connection.execute(TABLE)
    pairs = []
    with bench.serve("config.wsgi:application") as port:
        for _ in range(bench.rounds):
            under = floor(bench)
            mine = load.wrk(
                port,
                requests(bench, MOST_PER_SECOND * bench.seconds),
                connections=CONNECTIONS,
                seconds=bench.seconds,
                folder=bench.folder,
            )
            pairs.append((under, mine))
    pairs.sort(key=lambda pair: pair[1].rate * SIZE / pair[0])
    under, mine = pairs[len(pairs) // 2]
    share = mine.rate * SIZE / under
    faults = mine.refused + mine.broken
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{mine.rate * SIZE:,.0f} events/s ({share:.2f}), p99 {mine.p99:.0f} ms"
        + (f", {faults} faults" if faults else ""),
        floor=f"{under:,.0f} rows/s",
        is_met=share >= 0.5 and not faults,
    )
