"""Reads how a series of appointments repeats (RFC 5545, RRULE), within bounds.

Of a series its next ones matter, and no more than a hundred. Rules finer than hourly, and those
whose next time could only be found by a long search, are noted and not followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dateutil.rrule import rrulestr
from icalendar.error import BrokenCalendarProperty

MAX_TIMES = 500
MAX_STARTS = 101
HORIZON = timedelta(days=400)
MAX_RULE = 300
FOLLOWED = frozenset({"HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
# With these, and only these, the next time is never further than a leap year's day.
PARTS = {
    "HOURLY": frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}),
    "DAILY": frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"}),
    "WEEKLY": frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"}),
    "MONTHLY": frozenset(
        {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYSETPOS"}
    ),
    "YEARLY": frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYDAY"}),
}
INTERVALS = {"HOURLY": 24 * 31, "DAILY": 400, "WEEKLY": 60, "MONTHLY": 24, "YEARLY": 10}
# A fifth Monday comes now and then, a ninth never.
DAYS = re.compile(
    r"(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)){0,6}"
)
PLACES = re.compile(r"[+-]?[1-4]")
UNTIL = re.compile(r";?UNTIL=([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One RRULE; `is_too_fine` when it is not followed."""

    text: str
    frequency: str
    until: datetime | None = None  # an instant
    is_too_fine: bool = False


def rule_of(prop: Any) -> Rule | None:
    """Return the rule in an RRULE property; None where there is none to be read."""
    first = prop[0] if isinstance(prop, list) and prop else prop
    try:
        text = first.to_ical().decode()[:MAX_RULE].strip().upper()
    except (AttributeError, ValueError, TypeError):
        return None
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    frequency = parts.get("FREQ", "")
    if not frequency:
        return None
    interval = parts.get("INTERVAL", "1")
    is_plain = (
        frequency in FOLLOWED
        and parts.keys() <= PARTS[frequency]
        and interval.isascii()
        and interval.isdigit()
        and 1 <= int(interval) <= INTERVALS[frequency]
        and DAYS.fullmatch(parts.get("BYDAY", "MO")) is not None
        and PLACES.fullmatch(parts.get("BYSETPOS", "1")) is not None
        and ("BYSETPOS" not in parts or "BYDAY" in parts)
    )
    return Rule(
        text=text,
        frequency=frequency,
        until=_until(first),
        is_too_fine=not is_plain,
    )


def _until(rule: Any) -> datetime | None:
    try:
        until = rule.get("UNTIL")
    except (AttributeError, BrokenCalendarProperty):
        return None  # a rule that the library could not read
    found = until[0] if isinstance(until, list) and until else until
    if isinstance(found, datetime):
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    if found is None:
        return None
    # A day: the series may still take place on it, wherever it is.
    return datetime(found.year, found.month, found.day, tzinfo=UTC) + timedelta(days=1, hours=12)


def next_starts(
    rule: Rule, first: datetime, *, after: datetime, without: frozenset[datetime]
) -> tuple[datetime, ...]:
    """Return the next starts of the series at or after an instant, in UTC.

    `first` is local to the series: daylight saving moves its instants, never its clock.
    `without` are local times that are left out.
    """
    found: list[datetime] = []
    if rule.is_too_fine:
        return ()
    for local in _times(rule, first):
        try:
            at = local.replace(tzinfo=first.tzinfo).astimezone(UTC)
        except (OverflowError, ValueError):
            break
        is_beyond = at > after + HORIZON or (rule.until is not None and at > rule.until)
        if is_beyond or len(found) == MAX_STARTS:
            break
        if at >= after and local not in without:
            found.append(at)
    return tuple(found)


def _times(rule: Rule, first: datetime) -> Iterator[datetime]:
    try:
        series = rrulestr(UNTIL.sub("", rule.text), dtstart=first.replace(tzinfo=None))
        for number, local in enumerate(series):
            if number >= MAX_TIMES:
                return
            yield local
    except (ValueError, TypeError, LookupError, OverflowError):
        return  # a rule that is none: the first one is all that is known
