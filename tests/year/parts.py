"""A year in parts: what one process plays, and all of them as one year again."""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from tests.year.truth import Year

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one process plays; its clock stops at `until` (on the wall)."""

    homes: tuple[int, ...]
    seed: int
    start: datetime
    days: int
    share: float
    until: float


def lived(part: Part) -> Year:
    """Play one part in a database of its own."""
    _set_up()
    from notifications.replay import scratch  # noqa: PLC0415 - needs the settings
    from tests.year import play  # noqa: PLC0415

    told = time.time()

    def goes_on(now: datetime) -> bool:
        nonlocal told
        if time.time() - told > 60:
            told = time.time()
            sys.stderr.write(f"{len(part.homes)} households, {now:%d %B %H:%M}\n")
        return time.time() < part.until

    with scratch.database():
        return play.play(
            part.homes,
            seed=part.seed,
            start=part.start,
            days=part.days,
            share=part.share,
            goes_on=goes_on,
            is_measured=True,
        )


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    os.chdir(ROOT)
    import django  # noqa: PLC0415 - after the settings are named

    django.setup()


def whole(years: Sequence[Year]) -> Year:
    """Return what several processes played as one year, until the first of them stopped."""
    return Year(
        homes=tuple(chain.from_iterable(year.homes for year in years)),
        said=tuple(chain.from_iterable(year.said for year in years)),
        outcomes=tuple(chain.from_iterable(year.outcomes for year in years)),
        told=tuple(chain.from_iterable(year.told for year in years)),
        messages=tuple(chain.from_iterable(year.messages for year in years)),
        digests=tuple(chain.from_iterable(year.digests for year in years)),
        offers=tuple(chain.from_iterable(year.offers for year in years)),
        put_away=dict(chain.from_iterable(year.put_away.items() for year in years)),
        ends=min(year.ends for year in years if year.ends is not None),
        measured=dict(sum((Counter(year.measured) for year in years), Counter())),
    )
