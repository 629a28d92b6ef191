"""Reads iCalendar (RFC 5545, 5546, 6047): visits as a scheduling system states them.

The method is read from the body, a time zone in the file wins over its name, and a zone
that nothing explains is asked for, never assumed. What a message then does to an
appointment is `itip`'s to say.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Calendar, Component
from icalendar.cal.timezone import Timezone
from icalendar.error import BrokenCalendarProperty
from icalendar.timezone import tzp

from suppliers import itip
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.adapters.headers import decode_bytes
from suppliers.adapters.repeats import next_starts, rule_of
from suppliers.choices import ContactKind, Medium, Stage
from suppliers.contacts import AskClaim, Contact, FactClaim, Key, Visit, Window

MAX_BYTES = 2**20
MAX_COMPONENTS = 1000
MAX_DEPTH = 10
MAX_LINES = 6_000
MAX_LINE = 64 * 1024
MAX_EVENTS = 20  # contacts of one calendar; a feed of holidays is no series of visits
# Clocks of senders are wrong now and then; a version from the future would end all others.
AHEAD = timedelta(days=1)
ANSWERS = {"ACCEPTED": Stage.CONFIRMED, "DECLINED": Stage.CANCELLED}
# Legal in a VTIMEZONE by their form, but they break the reading of the whole calendar.
KNOWN_IN_ZONE = re.compile(
    r"(?:BEGIN|END|TZID|LAST-MODIFIED|TZURL|DTSTART|TZOFFSETTO|TZOFFSETFROM|RRULE|RDATE|COMMENT|"
    r"TZNAME)[;:]",
    re.IGNORECASE,
)

# A zone without a name is one that nothing explains.
NAMELESS = "nameless"
BLANK_ZONE = re.compile(r"(;TZID=|^TZID:)(?=[;:\r\n]|\Z)", re.IGNORECASE | re.MULTILINE)


def read(payload: bytes, *, context: Context, method: str = "") -> list[Contact]:
    """Return one contact for each event (at most MAX_EVENTS), the first of them counted.

    `method` is what the mail's Content-Type says; the body wins, and a contradiction is
    kept as a remark. Raises ContentError when it is no calendar, passes a limit or holds
    no event.
    """
    text = decode_bytes(payload, "utf-8").lstrip("\ufeff \r\n\t")
    _check(payload, text)
    text = BLANK_ZONE.sub(rf"\g<1>{NAMELESS}", text)
    contacts: list[Contact] = []
    events = 0
    for calendar in _calendars(text):
        named = str(calendar.get("METHOD", "")).strip().upper()[:20]
        remarks = _about_method(named, method.strip().upper()[:20])
        zones = _zones(calendar)
        for event in calendar.walk("VEVENT"):
            events += 1
            if len(contacts) < MAX_EVENTS:
                contact = _event(event, named or method.strip().upper(), zones, calendar, context)
                if contact is not None:
                    contacts.append(
                        contact.with_(is_counted=not contacts, remarks=(*remarks, *contact.remarks))
                    )
    if not contacts:
        raise ContentError("no_event", "", "The calendar holds no event that can be read.")
    if events > MAX_EVENTS:
        left = f"events_left_out:{events - MAX_EVENTS}"
        contacts[0] = contacts[0].with_(remarks=(*contacts[0].remarks, left))
    return contacts


def _about_method(body: str, parameter: str) -> tuple[str, ...]:
    """Return what is wrong with a method that stands in two places (RFC 6047, 2.4)."""
    if body and parameter and body != parameter:
        return (f"method_contradicts:{parameter}",)
    return ("method_missing",) if parameter and not body else ()


def _check(payload: bytes, text: str) -> None:
    if len(payload) > MAX_BYTES:
        raise ContentError("too_large", "", "A calendar may have 1 MiB.")
    depth = components = 0
    is_calendar = False
    for number, line in enumerate(text.splitlines()):
        if number >= MAX_LINES:
            raise ContentError("too_large", "", "The calendar has too many lines.")
        if len(line) > MAX_LINE:
            raise ContentError("too_large", "", "A line of the calendar is too long.")
        head = line[:16].upper()
        if head.startswith("BEGIN:"):
            is_calendar = is_calendar or head.startswith("BEGIN:VCALENDAR")
            components += 1
            depth += 1
        elif head.startswith("END:"):
            depth -= 1
        if components > MAX_COMPONENTS or depth > MAX_DEPTH:
            raise ContentError("too_large", "", "The calendar has too many components.")
    if not is_calendar:
        raise ContentError("invalid_calendar", "", "It does not begin with BEGIN:VCALENDAR.")


def _calendars(text: str) -> list[Component]:
    """Return the calendars in a text, with a second try without what breaks zones."""
    for attempt in (text, _plain_zones(text)):
        try:
            return [
                item
                for item in Calendar.from_ical(attempt, multiple=True)
                if item.name == "VCALENDAR"
            ]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
            continue
    raise ContentError("invalid_calendar", "", "The calendar cannot be parsed.")


def _plain_zones(text: str) -> str:
    """Return the text with only RFC 5545's properties in its zones."""
    kept, is_zone, is_dropped = [], False, False
    for line in text.splitlines():
        if line[:1] in {" ", "\t"}:
            if not is_dropped:
                kept.append(line)
            continue
        upper = line[:20].upper()
        is_zone = (is_zone or upper.startswith("BEGIN:VTIMEZONE")) and not upper.startswith(
            "END:VTIMEZONE"
        )
        is_dropped = is_zone and not KNOWN_IN_ZONE.match(line)
        if not is_dropped:
            kept.append(line)
    return "\r\n".join(kept) + "\r\n"


def _zones(calendar: Component) -> dict[str, tzinfo]:
    """Return the zones that the file defines itself."""
    zones: dict[str, tzinfo] = {}
    for component in calendar.walk("VTIMEZONE"):
        name = str(component.get("TZID", "")).strip()
        if name in ("", NAMELESS) or not isinstance(component, Timezone):
            continue
        try:
            plain = Timezone.from_ical(_plain_zones(component.to_ical().decode()))
            if isinstance(plain, Timezone):
                zones[name] = plain.to_tz(tzp, lookup_tzid=False)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
            continue  # a broken definition explains nothing; its name may still
    return zones


def _event(
    event: Component,
    method: str,
    zones: dict[str, tzinfo],
    calendar: Component,
    context: Context,
) -> Contact | None:
    uid = _text(event, "UID")[:255]
    dtstamp = _dtstamp(event, zones, context)
    base = Contact(
        kind=ContactKind.VISIT_CHANGE,
        medium=Medium.EMAIL,
        said_at=_sane(dtstamp, context),
        authentication=context.authentication,
        title=_text(event, "SUMMARY")[:200],
        body=_text(event, "DESCRIPTION")[:5000],
        keys=(Key(scheme="uid", value=uid),) if uid else (),
    )
    if method and method not in itip.METHODS:
        remark = f"method_unknown:{method}"
        return base.with_(kind=ContactKind.MESSAGE, status=method.lower()[:60], remarks=(remark,))
    found = _window(event, zones, calendar, context)
    visit = Visit(
        window=found.window,
        stage=_stage(event, method),
        uid=uid,
        recurrence_id=_recurrence(event, zones, context),
        is_range=_is_range(event),
        sequence=_sequence(event),
        dtstamp=dtstamp,
        zone=found.zone,
        place=_text(event, "LOCATION")[:300],
        method=method,
        organizer=_address(event.get("ORGANIZER")),
        invited=_invited(event, context) if method in (itip.REQUEST, itip.ADD) else "",
    )
    if method in itip.TALK:
        visit = replace(visit, window=None, stage=Stage.ASKED, place="")
        if method == itip.COUNTER:
            visit = replace(visit, proposed=found.window)
        elif method == itip.REPLY:
            visit = replace(visit, stage=_answer(event, visit, context))
        return base.with_(visit=visit, status=method.lower())
    if found.window is None and visit.stage != Stage.CANCELLED and not found.is_unclear:
        return None
    if found.is_unclear:
        return base.with_(
            visit=replace(visit, zone=""),
            asks=(AskClaim(fact=itip.ZONE, prompt="" if found.zone == NAMELESS else found.zone),),
            remarks=(f"zone_unknown:{found.zone[:64]}",),
        )
    if visit.stage == Stage.CANCELLED:
        return base.with_(visit=visit)
    if method == itip.ADD and not visit.recurrence_id and found.window is not None:
        # One more of a series is named by its own time (RFC 5546, 3.2.4).
        visit = replace(visit, recurrence_id=found.window.start.isoformat())
    return _repeating(base.with_(visit=visit), event, zones, context)


def _repeating(
    contact: Contact, event: Component, zones: dict[str, tzinfo], context: Context
) -> Contact:
    """Return the contact with how it repeats, and when; one that has begun by its next one."""
    visit = contact.visit
    rule = rule_of(event.get("RRULE"))
    if rule is None or visit is None or visit.window is None:
        return contact
    contact = contact.with_(facts=(FactClaim(name="repeats", value=rule.text),))
    if rule.is_too_fine:
        return contact.with_(remarks=("rule_too_fine",))
    first = visit.window
    if visit.recurrence_id:
        return contact
    has_begun = visit.dtstamp is not None and first.end < visit.dtstamp
    length = first.end - first.start
    local = first.start.astimezone(_zone_of(event, zones, visit.zone, context))
    after = visit.dtstamp - length if has_begun and visit.dtstamp is not None else first.start
    starts = next_starts(rule, local, after=after, without=_left_out(event))
    if not has_begun:
        later = tuple(start for start in starts if start > first.start)
        return contact.with_(visit=replace(visit, later=later))
    if not starts:
        return contact
    start, *later_ones = starts
    window = Window(start=start, end=start + length)
    named = replace(visit, window=window, recurrence_id=start.isoformat(), later=tuple(later_ones))
    return contact.with_(visit=named)


def _zone_of(event: Component, zones: dict[str, tzinfo], name: str, context: Context) -> tzinfo:
    found = _value(event, "DTSTART")
    if found is not None and found[1] in zones:
        return zones[found[1]]
    return ZoneInfo(_iana(name)) if _iana(name) else context.tzinfo


def _left_out(event: Component) -> frozenset[datetime]:
    """Return the local times that the series leaves out."""
    listed = event.get("EXDATE")
    found = set()
    for item in listed if isinstance(listed, list) else [listed] if listed is not None else []:
        try:
            for date_or_time in item.dts[:500]:
                if isinstance(date_or_time.dt, datetime):
                    found.add(date_or_time.dt.replace(tzinfo=None))
        except (AttributeError, BrokenCalendarProperty):
            continue  # what cannot be read leaves nothing out
    return frozenset(found)


def _stage(event: Component, method: str) -> Stage:
    is_cancelled = method == itip.CANCEL or _text(event, "STATUS").upper() == "CANCELLED"
    return Stage.CANCELLED if is_cancelled else Stage.BOOKED


def _answer(event: Component, visit: Visit, context: Context) -> Stage:
    """Return what somebody answered to an invitation of ours; ASKED for any other reply."""
    listed = event.get("ATTENDEE")
    attendees = listed if isinstance(listed, list) else [listed] if listed is not None else []
    if visit.organizer != context.recipient.lower() or len(attendees) != 1:
        return Stage.ASKED
    answer = str(getattr(attendees[0], "params", {}).get("PARTSTAT", "")).upper()
    return ANSWERS.get(answer, Stage.ASKED)


def _invited(event: Component, context: Context) -> str:
    """Return whom an invitation asks: the address it came to, else the only one invited."""
    listed = event.get("ATTENDEE")
    attendees = listed if isinstance(listed, list) else [listed] if listed is not None else []
    addresses = {_address(one) for one in attendees} - {"", _address(event.get("ORGANIZER"))}
    if context.recipient.lower() in addresses:
        return context.recipient.lower()
    return addresses.pop() if len(addresses) == 1 else ""


def _address(prop: Any) -> str:
    """Return the mail address that a property names, in lower case."""
    value = str(prop[0] if isinstance(prop, list) and prop else prop or "").strip()
    return value[7:].strip().lower()[:254] if value[:7].lower() == "mailto:" else ""


def _dtstamp(event: Component, zones: dict[str, tzinfo], context: Context) -> datetime | None:
    found = _instant(event, "DTSTAMP", zones, context)
    if found is None or found <= context.received_at + AHEAD:
        return found
    return context.received_at


def _sane(dtstamp: datetime | None, context: Context) -> datetime:
    if dtstamp is None or abs(dtstamp - context.received_at) > timedelta(days=7):
        return context.received_at
    return min(dtstamp, context.received_at)


def _text(event: Component, name: str) -> str:
    value = event.get(name)
    if isinstance(value, list):
        value = value[-1] if value else None
    return "" if value is None else str(value).replace("\x00", "").strip()


def _sequence(event: Component) -> int:
    value = event.get("SEQUENCE", 0)
    if isinstance(value, list):
        value = value[-1] if value else 0
    try:
        return max(0, min(int(value), 2**31 - 1))
    except (ValueError, TypeError):
        return 0


def _value(event: Component, name: str) -> tuple[Any, str] | None:
    """Return the date or time of a property with its TZID; None when it is not readable."""
    prop = event.get(name)
    if isinstance(prop, list):
        prop = prop[0] if prop else None
    try:
        moment = getattr(prop, "dt", None)
        if prop is None or not isinstance(moment, date):
            return None
        return moment, str(prop.params.get("TZID", "")).strip()
    except BrokenCalendarProperty:
        return None


def _resolve(
    moment: datetime, tzid: str, zones: dict[str, tzinfo], context: Context, default: str = ""
) -> tuple[datetime | None, str]:
    """Return the instant and the zone's name; None when nothing explains the zone."""
    naive = moment.replace(tzinfo=None)
    if tzid == NAMELESS:
        return None, tzid
    if tzid in zones:
        return _utc(naive.replace(tzinfo=zones[tzid])), _iana(tzid)
    if moment.tzinfo is not None:
        return _utc(moment), _iana(tzid)
    if tzid and tzid.upper() not in {"UTC", "GMT", "Z"}:
        name = _iana(tzid.lstrip("/"))
        return (_utc(naive.replace(tzinfo=ZoneInfo(name))), name) if name else (None, tzid[:64])
    name = _iana(default) or context.zone  # a floating time means the reader's own
    return _utc(naive.replace(tzinfo=ZoneInfo("UTC" if tzid else name))), name


def _utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _iana(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def _instant(
    event: Component, name: str, zones: dict[str, tzinfo], context: Context
) -> datetime | None:
    found = _value(event, name)
    if found is None or not isinstance(found[0], datetime):
        return None
    return _resolve(found[0], found[1], zones, context)[0]


def _recurrence(event: Component, zones: dict[str, tzinfo], context: Context) -> str:
    found = _value(event, "RECURRENCE-ID")
    if found is None:
        return ""
    if not isinstance(found[0], datetime):
        return str(found[0].isoformat())
    instant, _ = _resolve(found[0], found[1], zones, context)
    return (instant or found[0]).isoformat()


def _is_range(event: Component) -> bool:
    prop = event.get("RECURRENCE-ID")
    first = prop[0] if isinstance(prop, list) and prop else prop
    return str(getattr(first, "params", {}).get("RANGE", "")).strip().upper() == "THISANDFUTURE"


@dataclass(frozen=True, slots=True)
class When:
    """The time of an event; `is_unclear` when only its zone keeps it from being known."""

    window: Window | None = None
    zone: str = ""
    is_unclear: bool = False


def _window(
    event: Component, zones: dict[str, tzinfo], calendar: Component, context: Context
) -> When:
    found = _value(event, "DTSTART")
    if found is None:
        return When()
    default = str(calendar.get("X-WR-TIMEZONE", "")).strip()
    start, zone, length = _start(found, zones, context, default)
    if start is None:
        return When(zone=zone, is_unclear=bool(zone))
    duration = _duration(event)
    ending = _value(event, "DTEND")
    try:
        if ending is not None:
            end = _start(ending, zones, context, default)[0]
        else:
            end = start + (length if duration is None else duration)
    except OverflowError:
        end = None
    if end is None or end < start:
        end = start
    return When(Window(start=start, end=end), zone)


def _duration(event: Component) -> timedelta | None:
    try:
        found = getattr(event.get("DURATION"), "dt", None)
    except BrokenCalendarProperty:
        return None
    return found if isinstance(found, timedelta) else None


def _start(
    found: tuple[Any, str], zones: dict[str, tzinfo], context: Context, default: str
) -> tuple[datetime | None, str, timedelta]:
    moment, tzid = found
    if isinstance(moment, datetime):
        return *_resolve(moment, tzid, zones, context, default), timedelta()
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=context.tzinfo)
    return _utc(midnight), context.zone, timedelta(days=1)
