"""Workers are killed, Redis forgets, PostgreSQL crashes: nothing accepted is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from owners import clock
from tests.faults.rig import Intake, Rig, events, every, running

pytestmark = [pytest.mark.faults, pytest.mark.servers]

EVENTS = int(os.environ.get("FAULT_EVENTS", "5000"))
HOUSEHOLDS = 50
SEED = int(os.environ.get("FAULT_SEED", "20261122"))
INTAKE_S = 100.0  # the longest the intake may take
QUIET_S = 60.0  # how long the workers get afterwards to come to an end by themselves
WARM_S = 60.0
WAITING = "SELECT count(*) FROM suppliers_inboundevent WHERE state = 'stored'"
UNDECIDED = "SELECT count(*) FROM suppliers_contact WHERE decided_at IS NULL"
ANSWERS_EACH = 40  # of each supplier's owners
ANSWERS_S = 25.0  # over which they are given
UNTOLD = f"""
    SELECT {10 * ANSWERS_EACH} - count(*)
    FROM suppliers_outboundevent e JOIN suppliers_supplier s ON s.id = e.supplier_id
    WHERE e.type = 'owner.message.sent' AND NOT (
        e.state = 'pending'
        AND GREATEST(e.next_at, s.webhook_rest_until) < now() + interval '20 seconds'
    )
"""  # noqa: S608 - a number of ours
UNSENT = """
    SELECT count(*) FROM notifications_delivery
    WHERE state IN ('pending', 'unknown') AND next_at < now()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a short-named folder: sockets must fit into 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sf", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "h"


def hold_order(rig: Rig, found: dict[str, Any]) -> None:
    """Assert that every answer reached its endpoint, each in its order there.

    One that needed three tries or more holds back only what is of its own mandate.
    """
    assert set(found["answers"]) == {"sent"}, found["answers"]
    strict = 0
    for supplier, wanted in found["answers_of"].items():
        # What Steward tells of events that were late is written by many at once.
        given = {name for name, _mandate, _tried in wanted}
        arrived = [name for name in dict.fromkeys(rig.endpoints.arrived[supplier]) if name in given]
        assert sorted(arrived) == sorted(name for name, _mandate, _tried in wanted), supplier
        for mandate in {mandate for _name, mandate, _tried in wanted}:
            own = [name for name, of, _tried in wanted if of == mandate]
            assert [name for name in arrived if name in own] == own, supplier
        if all(tried < 3 for _name, _mandate, tried in wanted):
            strict += 1
            assert arrived == [name for name, _mandate, _tried in wanted], supplier
    assert strict > 0
    assert rig.endpoints.fails > 0


def copies(rig: Rig) -> Counter[str]:
    """Return how often each delivery reached the phone network."""
    return Counter(parse_qs(urlsplit(one.callback).query)["delivery"][0] for one in rig.phone.taken)


def report(rig: Rig, intake: Intake, found: dict[str, Any], kills: int) -> str:
    shown = {
        name: value
        for name, value in found.items()
        if name not in ("journeys_of", "sms", "answers_of")
    }
    repeated = sum(number - 1 for number in copies(rig).values())
    return (
        f"seed {SEED}; accepted {len(intake.accepted)}, posted again {intake.again}, "
        f"kills {kills}, starts {rig.starts}, SMS {len(rig.phone.taken)}, "
        f"repeated {repeated}, "
        f"answers {sum(map(len, rig.endpoints.arrived.values()))} at endpoints that failed "
        f"{rig.endpoints.fails}, {shown}"
    )


def hold(rig: Rig, intake: Intake, found: dict[str, Any]) -> None:
    """Assert what must hold after any faults."""
    assert not intake.refused
    assert len(intake.accepted) == EVENTS
    # Every event answered 202 is in exactly one journey.
    assert set(found["events"]) == {"processed"}, found["events"]
    assert found["undecided"] == 0
    astray = {
        event: journeys
        for event in intake.accepted
        if len(journeys := found["journeys_of"].get(event, [])) != 1
    }
    assert not astray, dict(list(astray.items())[:5])
    assert found["contacts"] == EVENTS
    # Five events are one matter: one journey, one card.
    matters: dict[str, set[int]] = {}
    for event, journeys in found["journeys_of"].items():
        matters.setdefault(event.rsplit("-", 1)[0], set()).update(journeys)
    assert {len(journeys) for journeys in matters.values()} == {1}
    assert found["journeys"] == found["cards"] == found["cards_of_one_journey"] == EVENTS // 5
    # No delivery lost.
    assert found["interrupts"] > 0
    assert found["interrupts_without_delivery"] == 0
    assert "planned" not in found["notifications"]
    lost = {
        state: number
        for state, number in found["deliveries"].items()
        if state.split()[1] in ("pending", "unknown", "failed", "parked")
    }
    assert not lost
    reached = copies(rig)
    assert set(found["sms"]) == set(reached)
    # A message may rarely arrive twice.
    assert sum(number - 1 for number in reached.values()) < 0.01 * len(reached)


def warm_up(rig: Rig, intake: Intake) -> None:
    """Start with ten events, and return when somebody has seen to them: all is running."""
    rest, intake.waiting = intake.waiting[10:], intake.waiting[:10]
    for thread in intake.run(threads=2):
        thread.join()
    rig.wait_until(WAITING, is_=0, seconds=WARM_S)
    intake.waiting = rest


def come_to_an_end(rig: Rig) -> None:
    """Let the workers finish by themselves, then stop them.

    What a killed process held comes back when its lease has run out.
    """
    for question in (WAITING, UNDECIDED, UNSENT, UNTOLD):
        rig.wait_until(question, is_=0, seconds=QUIET_S)
    rig.stop()
    rig.endpoints.bad = 0.0  # what still waits for its next try arrives with it


def wait(threads: list[threading.Thread], rig: Rig) -> None:
    end = time.monotonic() + INTAKE_S
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < end, "the intake takes too long"
        rig.revive()
        time.sleep(0.2)


def test_killed_workers_a_forgetful_redis_and_a_crashing_database_lose_nothing(
    home: Path,
) -> None:
    chance = random.Random(SEED)
    with running(home) as rig:
        writers = json.loads(rig.run("-m", "tests.faults.world", str(HOUSEHOLDS)))
        rig.start_web()
        rig.keep(
            "workers", "-m", "celery", "-A", "config.celery", "worker", "--concurrency", "3",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
            "--loglevel", "WARNING",
        )  # fmt: skip
        rig.keep(
            "beat", "-m", "celery", "-A", "config.celery", "beat",
            "--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING",
        )  # fmt: skip
        kills = flushes = 0

        def kill_worker() -> None:
            nonlocal kills
            if children := rig.children("workers"):
                os.kill(chance.choice(children), signal.SIGKILL)
                kills += 1

        def forget() -> None:
            nonlocal flushes
            if flushes < 10:
                flushes += 1
                rig.orders.put(rig.restart_redis if flushes % 3 == 0 else rig.flush_redis)

        now = clock.now()
        intake = Intake(rig=rig, waiting=events(writers, total=EVENTS, now=now))
        chance.shuffle(intake.waiting)
        warm_up(rig, intake)
        rig.keep(
            "answers", "-m", "tests.faults.answers",
            rig.endpoints.address, str(ANSWERS_EACH), str(ANSWERS_S),
        )  # fmt: skip
        over = threading.Event()
        every(1.0, kill_worker, over=over, seed=SEED)
        every(2.0, forget, over=over, seed=SEED + 1)
        threads = intake.run(threads=8)
        for share in (0.3, 0.6):
            while len(intake.accepted) < share * EVENTS:
                rig.revive()
                time.sleep(0.1)
            rig.restart_postgres()
        wait(threads, rig)
        while flushes < 10:
            rig.revive()
            time.sleep(0.1)
        over.set()
        come_to_an_end(rig)
        found = json.loads(rig.run("-m", "tests.faults.check"))
        print(report(rig, intake, found, kills))  # noqa: T201 - shown with -s and on failure
        assert kills >= 10
        hold(rig, intake, found)
        hold_order(rig, found)


def test_with_redis_dead_from_start_to_end_drain_loses_nothing(home: Path) -> None:
    chance = random.Random(SEED)
    with running(home, has_redis=False) as rig:
        writers = json.loads(rig.run("-m", "tests.faults.world", str(HOUSEHOLDS)))
        rig.start_web()
        for number in range(3):
            rig.keep(f"drain{number}", "manage.py", "drain", "--forever")
        kills = 0

        def kill_drain() -> None:
            nonlocal kills
            process = rig.kept[f"drain{chance.randrange(3)}"][1]
            if process.poll() is None:
                process.kill()
                kills += 1

        now = clock.now()
        intake = Intake(rig=rig, waiting=events(writers, total=EVENTS, now=now))
        chance.shuffle(intake.waiting)
        warm_up(rig, intake)
        rig.keep(
            "answers", "-m", "tests.faults.answers",
            rig.endpoints.address, str(ANSWERS_EACH), str(ANSWERS_S),
        )  # fmt: skip
        over = threading.Event()
        every(4.0, kill_drain, over=over, seed=SEED)
        threads = intake.run(threads=8)
        while len(intake.accepted) < 0.5 * EVENTS:
            rig.revive()
            time.sleep(0.1)
        rig.restart_postgres()
        wait(threads, rig)
        while kills < 3:
            rig.revive()
            time.sleep(0.1)
        over.set()
        come_to_an_end(rig)
        found = json.loads(rig.run("-m", "tests.faults.check"))
        print(report(rig, intake, found, kills))  # noqa: T201 - shown with -s and on failure
        hold(rig, intake, found)
        hold_order(rig, found)
