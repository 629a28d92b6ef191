"""An import of 50,000 things by a task worker, one of whose processes is killed in the middle."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from assets import importing
from assets.importers.words import ImportState
from assets.models import Asset, Coverage, Findable, Import, Imported, ImportRow
from owners import clock, doorbell
from tests import factories
from tests.bench.bench import Bench, Row
from tests.bench.rows.memory import children, resident
from tests.imports.samples import many

WORK = "import of {rows:,} things with guarantees, kill -9 of a worker in the middle; a cancel"
TARGET = "each process < 256 MiB, no pause > 5 s but the killed one's lease, nothing left or twice"
LOOK_S = 0.2
PAUSE_S = 5.0
LONGEST = 3_600


@dataclass(slots=True)
class Watch:
    """What was seen of an import while it ran."""

    peak: float = 0.0
    pauses: list[float] = field(default_factory=list)
    moved_at: float = field(default_factory=time.monotonic)
    at: int = -1

    def look(self, run: Import, worker: int) -> None:
        """Look once at how far it is, and at the memory of each process."""
        run.refresh_from_db()
        self.peak = max([self.peak, *(resident(pid) for pid in children(worker))])
        now = time.monotonic()
        if run.rows_done != self.at:
            self.pauses.append(now - self.moved_at)
            self.moved_at, self.at = now, run.rows_done


def until(run: Import, worker: int, watch: Watch, is_there: Callable[[Import], bool]) -> None:
    """Wait until an import is somewhere; ring as the sweeper does."""
    end, rung = time.monotonic() + LONGEST, 0.0
    while not is_there(run):
        if time.monotonic() > end:
            raise TimeoutError(f"the import stays {run.state} at {run.rows_done}")
        if time.monotonic() - rung > 1 and importing.is_waiting(now=clock.now()):
            rung = time.monotonic()
            doorbell.ring("imports")
        time.sleep(LOOK_S)
        watch.look(run, worker)


def left() -> int:
    """Return how many rows there are of what an import makes."""
    models = (Asset, Coverage, Findable, Imported, ImportRow)
    return sum(model.objects.count() for model in models)


def measure(bench: Bench) -> Row:
    """Bring a file in with a kill in the middle; bring in another and cancel it."""
    count = min(bench.scale, 50_000)
    cast = bench.cast
    assert cast is not None
    before = left()
    watch, steady = Watch(), Watch()
    with bench.worker() as worker:
        run = ready(cast, many(count), worker, watch)
        importing.start(run=run, now=clock.now())
        began = time.monotonic()
        steady.moved_at = began
        until(run, worker, steady, lambda run: run.rows_done > count // 3)
        killed = children(worker)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        again = Watch(at=run.rows_done)
        until(run, worker, again, lambda run: run.rows_done > count // 2)
        paused = again.pauses[0] if again.pauses else 0.0
        again.pauses = again.pauses[1:]
        until(run, worker, again, lambda run: run.state == ImportState.DONE)
        took = time.monotonic() - began
        made = Asset.objects.filter(source="imported").count(), Coverage.objects.count()
        between = left()
        second = many(count).replace("\nm", "\nn")  # other things
        other = ready(cast, second, worker, watch)
        importing.start(run=other, now=clock.now())
        until(other, worker, watch, lambda run: run.rows_done > count // 5)
        importing.cancel(run=other, now=clock.now())
        until(other, worker, watch, lambda run: run.state == ImportState.CANCELLED)
        stayed = left() - between
    peak = max(watch.peak, steady.peak, again.peak)
    longest = max([*steady.pauses, *again.pauses], default=0.0)
    is_met = (
        0 < peak < 256
        and made == (count, count)
        and stayed == 0
        and longest < PAUSE_S
        and paused < importing.LEASE / timedelta(seconds=1) + 2 * PAUSE_S
    )
    return Row(
        work=WORK.format(rows=count),
        target=TARGET,
        ours=f"{peak:.0f} MiB, {took:.0f} s ({count / took:.0f} rows/s), longest pause"
        f" {longest:.1f} s, after the kill {paused:.0f} s; made {made[0]:,} + {made[1]:,};"
        f" a cancel left {stayed}",
        floor=f"{before} rows before",
        is_met=is_met,
    )


def ready(cast: factories.Cast, text: str, worker: int, watch: Watch) -> Import:
    """Return a file that was read and checked by the worker."""
    run = importing.begin(
        household=cast.household,
        owner=cast.ana,
        name="bench.csv",
        content=text.encode(),
        now=clock.now(),
    )
    until(run, worker, watch, lambda run: run.state == ImportState.ASKING)
    importing.answer(run=run, said={"currency": "EUR"}, now=clock.now())
    until(run, worker, watch, lambda run: run.state == ImportState.READY)
    return run
