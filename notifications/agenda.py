"""Visits laid out in time: days, months, clashes, hours held. Pure: values and zones only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One visit, delivery or call; the end is exclusive."""

    id: str
    journey: str
    household: int
    kind: str
    state: str
    start: datetime
    end: datetime
    zone: str = ""  # where it takes place; empty: where the reader is
    who: str = ""
    asset: str = ""
    asset_kind: str = ""
    place: str = ""
    is_live: bool = True  # somebody is still expected, or came
    is_contested: bool = False  # two different times were given
    clashes_with: tuple[str, ...] = ()  # who else is expected at the same time
    version: int = 1
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What falls due on a day: care, or a deadline.

    `is_estimate` where the day follows from use; `path` is where one acts.
    """

    id: str
    name: str
    asset: str
    day: date
    path: str
    kind: str = "care"
    is_estimate: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The part of a window that lies on one day, in minutes of that day."""

    entry: Entry
    start: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day and what is expected on it, the earliest first."""

    day: date
    bars: tuple[Bar, ...] = ()
    is_today: bool = False
    is_outside: bool = False  # of the month that is shown


def with_clashes(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries, each with those of its household that overlap it.

    Windows that only touch do not clash; what was cancelled clashes with nothing.
    """
    ordered = sorted(entries, key=lambda entry: (entry.start, entry.end, entry.id))
    clashes: dict[str, list[str]] = defaultdict(list)
    for place, entry in enumerate(ordered):
        if not entry.is_live:
            continue
        for other in ordered[place + 1 :]:
            if other.start >= entry.end:
                break
            if other.is_live and other.household == entry.household and other.end > other.start:
                clashes[entry.id].append(other.who or other.asset)
                clashes[other.id].append(entry.who or entry.asset)
    return [replace(entry, clashes_with=tuple(clashes[entry.id])) for entry in ordered]


def days(
    entries: Iterable[Entry], *, first: date, count: int, zone: ZoneInfo, today: date
) -> list[Day]:
    """Return `count` days from `first` on with their bars; a window over midnight has two."""
    by_day: dict[date, list[Bar]] = defaultdict(list)
    last = first + timedelta(days=count)
    for entry in entries:
        at = max(entry.start.astimezone(zone).date(), first)
        while at < last:
            bar = bar_on(entry, at, zone)
            if bar is None:
                break
            by_day[at].append(bar)
            at += timedelta(days=1)
    found = (first + timedelta(days=number) for number in range(count))
    return [
        Day(
            day=day,
            bars=tuple(sorted(by_day[day], key=lambda bar: (bar.start, bar.entry.id))),
            is_today=day == today,
        )
        for day in found
    ]


def bar_on(entry: Entry, day: date, zone: ZoneInfo) -> Bar | None:
    """Return the part of a window that lies on `day`, as the clock on the wall shows it."""
    opens = datetime.combine(day, time(), zone)
    closes = datetime.combine(day + timedelta(days=1), time(), zone)
    if entry.start >= closes or (entry.end <= opens and entry.start < opens):
        return None
    start = 0 if entry.start <= opens else minute_of(entry.start.astimezone(zone))
    end = MINUTES if entry.end >= closes else minute_of(entry.end.astimezone(zone))
    return Bar(entry=entry, start=start, width=max(1, end - start))


def minute_of(local: datetime) -> int:
    """Return the minute of the day on the wall clock."""
    return local.hour * 60 + local.minute


def month_of(day: date) -> tuple[date, int]:
    """Return the Monday on which the month's grid starts, and how many days it has."""
    first = day.replace(day=1)
    monday = first - timedelta(days=first.weekday())
    last = next_month(first) - timedelta(days=1)
    sunday = last + timedelta(days=6 - last.weekday())
    return monday, (sunday - monday).days + 1


def next_month(day: date) -> date:
    """Return the first day of the following month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(day: date) -> date:
    """Return the first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def held(entries: Iterable[Entry]) -> timedelta:
    """Return how long the household waits for all of them; overlapping hours count once."""
    total, until = timedelta(), None
    live = sorted((entry.start, entry.end) for entry in entries if entry.is_live)
    for start, end in live:
        begins = start if until is None else max(start, until)
        if end > begins:
            total += end - begins
            until = end
    return total


def is_elsewhere(entry: Entry, zone: ZoneInfo) -> bool:
    """Whether the clocks where the visit takes place differ from the reader's."""
    if not entry.zone:
        return False
    there = entry.start.astimezone(ZoneInfo(entry.zone))
    return there.utcoffset() != entry.start.astimezone(zone).utcoffset()
