"""The memory of the web and task workers after they have worked."""

import time
from pathlib import Path

from suppliers.models import Contact, InboundEvent
from tests.bench import load
from tests.bench.bench import Bench, Row
from tests.bench.rows import batches

WORK = "memory after batches of 1,000 went through all processes"
TARGET = "web worker < 200 MiB, task worker < 250 MiB"
LONGEST = 60  # seconds to work off what came in


def resident(pid: int) -> float:
    """Return the MiB a process holds in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it has ended


def children(pid: int) -> list[int]:
    """Return the processes started by a process, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children(int(child))]
    return found


def measure(bench: Bench) -> Row:
    """Send batches for a few seconds, let them be worked off, and look at each process."""
    with bench.serve("config.wsgi:application") as port, bench.worker() as worker:
        web = bench.served
        requests = batches.requests(bench, 4 if bench.is_quick else 20)
        load.send(port, requests)
        until = time.monotonic() + LONGEST
        while time.monotonic() < until and (
            InboundEvent.objects.filter(state="stored").exists()
            or Contact.objects.filter(decided_at=None).exists()
        ):
            time.sleep(0.2)
        pages = max(resident(pid) for pid in children(web))
        tasks = max(resident(pid) for pid in children(worker))
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"web worker {pages:.0f} MiB, task worker {tasks:.0f} MiB",
        floor="",
        is_met=0 < pages < 200 and 0 < tasks < 250,
    )
