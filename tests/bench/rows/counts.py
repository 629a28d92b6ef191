"""The two numbers of the feed: exact, and as fast with a million cards as with one."""

import time

from notifications import feed_page
from notifications.models import Card
from tests.bench import cards, world
from tests.bench.bench import Bench, Row, median

WORK = '"needs you" and "new" counts, one household with a million cards'
TARGET = "exact, < 1 ms"
TIMES = 300


def measure(bench: Bench) -> Row:
    """Read the counts many times, and count the rows once beside them."""
    here = world.build("counts", households=10)
    size = min(bench.scale, 1_000_000)
    big = cards.grow(rows=size, others=here.households, big=size)
    took, counts = [], feed_page.counts(owner=big.owner)
    for _ in range(TIMES):
        began = time.perf_counter()
        counts = feed_page.counts(owner=big.owner)
        took.append(1000 * (time.perf_counter() - began))
    mine = Card.objects.filter(household=big.household)
    began = time.perf_counter()
    waiting, new = mine.needs_you().count(), mine.count()
    plain = 1000 * (time.perf_counter() - began)
    is_exact = (counts.needs_you, counts.new) == (waiting, new)
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{median(took):.2f} ms, {'exact' if is_exact else 'not exact'}"
        f" ({counts.needs_you:,} and {counts.new:,})",
        floor=f"{plain:,.0f} ms by COUNT",
        is_met=is_exact and median(took) < 1,
    )
