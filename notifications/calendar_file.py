"""Visits as an iCalendar file (RFC 5545, RFC 7986) that calendar apps subscribe to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import icalendar

from notifications.agenda import Due, Entry
from notifications.choices import AppointmentState

REFRESH = timedelta(hours=1)
STATUS = {
    AppointmentState.OFFERED: "TENTATIVE",
    AppointmentState.REQUESTED: "TENTATIVE",
    AppointmentState.CANCELLED: "CANCELLED",
    AppointmentState.DECLINED: "CANCELLED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the file says around the visits; `summary` takes what, who, opens and closes."""

    name: str
    kinds: dict[str, str]
    summary: str  # "%(what)s: %(who)s (%(opens)s to %(closes)s)"
    alone: str  # "%(what)s: %(who)s", for what has no window
    domain: str
    address: str  # of a journey's page; takes %(journey)s
    site: str = ""  # before the path of what is due


def write(entries: Sequence[Entry], due: Sequence[Due] = (), *, zone: str, words: Words) -> bytes:
    """Return the file: one event for each visit, in the zone of its place, else in `zone`.

    The same visits give the same bytes, so that an unchanged file is recognised.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Steward//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", words.name)
    calendar.add("x-wr-calname", words.name)
    calendar.add("x-wr-timezone", zone)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    events = [_event(entry, zone=zone, words=words) for entry in entries]
    used = sorted({entry.zone or zone for entry in entries} | {zone})
    if entries:
        first = min(entry.start for entry in entries).year
        last = max(entry.end for entry in entries).year
        for name in used:
            if name != "UTC":
                calendar.add_component(_timezone(name, first, last))
    for event in [*events, *(_due(one, words=words) for one in due)]:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(entry: Entry, *, zone: str, words: Words) -> icalendar.Event:
    local = ZoneInfo(entry.zone or zone)
    start, end = entry.start.astimezone(local), entry.end.astimezone(local)
    changed = (entry.changed_at or entry.start).astimezone(UTC).replace(microsecond=0)
    said = {
        "what": words.kinds.get(entry.kind, words.kinds["visit"]),
        "who": entry.who or entry.asset,
        "opens": f"{start:%H:%M}",
        "closes": f"{end:%H:%M}",
    }
    pattern = words.summary if end > start else words.alone
    event = icalendar.Event()
    event.add("uid", f"{entry.id}@{words.domain}")
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", entry.version - 1)
    event.add("summary", pattern % said)
    event.add("dtstart", _instant(start))
    if end > start:
        event.add("dtend", _instant(end))
    status = "TENTATIVE" if entry.is_contested else STATUS.get(AppointmentState(entry.state))
    event.add("status", status or "CONFIRMED")
    event.add("transp", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    if entry.place:
        event.add("location", entry.place)
    link = words.address % {"journey": entry.journey}
    event.add("description", f"{entry.asset}\n{link}" if entry.asset else link)
    event.add("url", link)
    event.add("class", "PRIVATE")
    return event


def _due(due: Due, *, words: Words) -> icalendar.Event:
    """Return care or a deadline as a whole day that leaves its owner free."""
    event = icalendar.Event()
    event.add("uid", f"{_named(due)}@{words.domain}")
    stamp = due.changed_at or datetime(due.day.year, due.day.month, due.day.day, tzinfo=UTC)
    event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    event.add("summary", f"{due.asset}: {due.name}")
    event.add("dtstart", due.day)
    event.add("transp", "TRANSPARENT")
    event.add("status", "TENTATIVE" if due.is_estimate else "CONFIRMED")
    event.add("url", f"{words.site}{due.path}")
    event.add("class", "PRIVATE")
    return event


def _named(due: Due) -> str:
    return f"care-{due.id}" if due.kind == "care" else f"due-{due.id}"


def _instant(local: datetime) -> datetime:
    """Return a time in a zone that is written as UTC when the zone is UTC."""
    return local.astimezone(UTC) if str(local.tzinfo) == "UTC" else local


@lru_cache(maxsize=256)
def _timezone(name: str, first: int, last: int) -> icalendar.Timezone:
    return icalendar.Timezone.from_tzid(
        name, first_date=date(first - 1, 1, 1), last_date=date(last + 2, 1, 1)
    )
