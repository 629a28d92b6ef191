"""Rhythms that an interval cannot say, to and from a recurrence rule (RFC 5545)."""

from collections.abc import Iterable
from dataclasses import dataclass

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NTHS = (1, 2, 3, 4, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Every so many weeks on these days, or every so many months on the nth of one weekday."""

    every: int = 1
    days: tuple[str, ...] = ()  # of WEEKDAYS
    nth: int = 0  # of NTHS; 0: each week


def write(rhythm: Rhythm) -> str:
    """Return the rule; the weekdays stand in their order."""
    days = [day for day in WEEKDAYS if day in rhythm.days]
    interval = f";INTERVAL={rhythm.every}" if rhythm.every != 1 else ""
    if rhythm.nth:
        return f"FREQ=MONTHLY{interval};BYDAY={','.join(f'{rhythm.nth}{day}' for day in days)}"
    return f"FREQ=WEEKLY{interval};BYDAY={','.join(days)}"


def read(rule: str) -> Rhythm | None:
    """Return the rhythm that a rule says; None for one that says more than a rhythm can."""
    parts = dict(piece.partition("=")[::2] for piece in rule.split(";"))
    freq, days = parts.pop("FREQ", ""), parts.pop("BYDAY", "").split(",")
    every = parts.pop("INTERVAL", "1")
    if parts or freq not in ("WEEKLY", "MONTHLY") or not every.isdigit():
        return None
    nths = {_nth(day) for day in days}
    named = tuple(day[-2:] for day in days)
    if len(nths) != 1 or not set(named) <= set(WEEKDAYS):
        return None
    nth = nths.pop()
    is_said = nth in NTHS if freq == "MONTHLY" else nth == 0
    return Rhythm(every=int(every), days=named, nth=nth or 0) if is_said else None


def weekly(days: Iterable[str], *, every: int = 1) -> str:
    """Return the rule of every so many weeks on days named in English (`monday`)."""
    named = tuple(day[:2].upper() for day in days)
    return write(Rhythm(every=every, days=named))


def _nth(day: str) -> int | None:
    try:
        return int(day[:-2] or 0)
    except ValueError:
        return None
