"""The owner's answer to an appointment as a calendar says it (RFC 5546): REPLY and COUNTER.

Pure. Only what came as a calendar is answered as one: the organizer's system knows it by
its UID. A reply names one attendee, the address that was invited; where that is not the
alias, the alias speaks for it (SENT-BY), because the mail comes from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar, Event, vCalAddress

from suppliers import itip

PRODUCT = "-//Steward//Answers//EN"
PARTSTATS = {
    "owner.appointment.accepted": "ACCEPTED",
    "owner.appointment.declined": "DECLINED",
    "owner.appointment.tentative": "TENTATIVE",
    # For one who was invited, calling off is declining (RFC 5546, 3.2.3).
    "owner.appointment.cancelled": "DECLINED",
    # A proposal is no answer yet; without a proposal the organizer would wait for one.
    "owner.appointment.countered": "NEEDS-ACTION",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A calendar with its method."""

    text: str
    method: str


def write(
    *,
    type_: str,
    data: Mapping[str, Any],
    alias: str,
    at: datetime,
    summary: str = "",
    spoken: Sequence[str] = (),
) -> Answer | None:
    """Return the calendar for an event, or None for what did not come as one.

    `at` is its DTSTAMP: a new one for each answer. A counter proposes its first window,
    the one thing that the standard has room for; all of them, `spoken`, are its COMMENT.
    """
    uid, organizer = str(data.get("uid") or ""), str(data.get("organizer") or "")
    if type_ not in PARTSTATS or not uid or not organizer:
        return None
    windows: Sequence[Mapping[str, Any]] = data.get("windows") or ()
    is_counter = type_ == "owner.appointment.countered" and bool(windows)
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", at.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", int(data.get("sequence") or 0))
    window: Mapping[str, Any] = windows[0] if is_counter else data
    for name, key in (("dtstart", "start"), ("dtend", "end")):
        if window.get(key):
            event.add(name, datetime.fromisoformat(window[key]).astimezone(UTC))
    if data.get("recurrenceId"):
        event.add("recurrence-id", _recurrence(str(data["recurrenceId"])))
    event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    event.add("attendee", _attendee(str(data.get("invited") or ""), alias, PARTSTATS[type_]))
    if summary:
        event.add("summary", summary)
    comment = "; ".join(spoken) if is_counter else str(data.get("note") or "")
    if comment:
        event.add("comment", comment)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    method = itip.COUNTER if is_counter else itip.REPLY
    calendar.add("method", method)
    calendar.add_component(event)
    return Answer(text=calendar.to_ical().decode(), method=method)


def _attendee(invited: str, alias: str, partstat: str) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{invited or alias}")
    attendee.params["PARTSTAT"] = partstat
    if invited and invited.lower() != alias.lower():
        attendee.params["SENT-BY"] = f"mailto:{alias}"
    return attendee


def _recurrence(text: str) -> datetime | date:
    """Return the RECURRENCE-ID as it was held; a day stays a day."""
    if len(text) == len("2026-11-13"):
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo is not None else at
