"""The wall clocks of the world, walked minute by minute: slow, simple, and nobody else's code."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tests.year.truth import Person

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@cache
def first(zone: str, on: date, wall: time) -> datetime:
    """Return the first minute at which a clock in `zone` shows `wall` on that day, or passes it."""
    there = ZoneInfo(zone)
    naive = datetime.combine(on, wall)
    # Offsets differ by at most an hour or two around a change: begin well before.
    offset = max(
        (naive + step * DAY).replace(tzinfo=there).utcoffset() or timedelta() for step in (-1, 0, 1)
    )
    at = naive.replace(tzinfo=UTC) - offset - timedelta(hours=1)
    while at.astimezone(there).replace(tzinfo=None) < naive:
        at += MINUTE
    return at


def quiet(person: Person, at: datetime) -> tuple[datetime, datetime] | None:
    """Return the beginning and the end of the quiet hours that `at` lies in."""
    if person.quiet is None or person.quiet[0] == person.quiet[1]:
        return None
    begins, ends = person.quiet
    today = at.astimezone(ZoneInfo(person.zone)).date()
    for on in (today - DAY, today):
        span = (
            first(person.zone, on, begins),
            first(person.zone, on + DAY if ends < begins else on, ends),
        )
        if span[0] <= at < span[1]:
            return span
    return None


def awake(person: Person, at: datetime) -> datetime:
    """Return `at`, or the end of the quiet hours it lies in."""
    span = quiet(person, at)
    return span[1] if span else at


def local_day(person: Person, at: datetime) -> date:
    """Return the day that it is for a person."""
    return at.astimezone(ZoneInfo(person.zone)).date()
