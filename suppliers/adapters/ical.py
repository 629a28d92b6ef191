"""Reads iCalendar (RFC 5545, 5546): visits as a scheduling system states them.

The method is read from the body, a time zone in the file wins over its name, and a zone
that nothing explains is asked for, never assumed.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Calendar, Component
from icalendar.cal.timezone import Timezone
from icalendar.error import BrokenCalendarProperty
from icalendar.timezone import tzp

from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.adapters.headers import decode_bytes
from suppliers.choices import ContactKind, Medium, Stage
from suppliers.contacts import AskClaim, Contact, Key, Visit, Window

MAX_BYTES = 2**20
MAX_COMPONENTS = 1000
MAX_DEPTH = 10
MAX_LINE = 64 * 1024
MAX_EVENTS = 20  # contacts of one calendar; a feed of holidays is no series of visits
STAGES = {"": Stage.BOOKED, "REQUEST": Stage.BOOKED, "PUBLISH": Stage.BOOKED, "ADD": Stage.BOOKED}
# Legal in a VTIMEZONE by their form, but they break the reading of the whole calendar.
KNOWN_IN_ZONE = re.compile(
    r"(?:BEGIN|END|TZID|LAST-MODIFIED|TZURL|DTSTART|TZOFFSETTO|TZOFFSETFROM|RRULE|RDATE|COMMENT|"
    r"TZNAME)[;:]",
    re.IGNORECASE,
)

BLANK_ZONE = re.compile(r";TZID=(?=[;:\r\n])", re.IGNORECASE)


def read(payload: bytes, *, context: Context) -> list[Contact]:
    """Return one contact for each event (at most MAX_EVENTS), the first of them counted.

    Raises ContentError when it is no calendar, passes a limit or holds no event.
    """
    text = decode_bytes(payload, "utf-8").lstrip("\ufeff \r\n\t")
    _check(payload, text)
    contacts: list[Contact] = []
    for calendar in _calendars(text):
        method = str(calendar.get("METHOD", "")).strip().upper()
        zones = _zones(calendar)
        for event in calendar.walk("VEVENT"):
            if len(contacts) < MAX_EVENTS:
                contact = _event(event, method, zones, calendar, context)
                if contact is not None:
                    contacts.append(contact.with_(is_counted=not contacts))
    if not contacts:
        raise ContentError("no_event", "", "The calendar holds no event that can be read.")
    return contacts


def _check(payload: bytes, text: str) -> None:
    if len(payload) > MAX_BYTES:
        raise ContentError("too_large", "", "A calendar may have 1 MiB.")
    depth = components = 0
    is_calendar = False
    for line in text.splitlines():
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
    """Return the text with only RFC 5545's properties in its zones, and no blank TZID."""
    kept, is_zone, is_dropped = [], False, False
    for line in BLANK_ZONE.sub("", text).splitlines():
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
        if not name or not isinstance(component, Timezone):
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
    dtstamp = _instant(event, "DTSTAMP", zones, context)
    status = _text(event, "STATUS").upper()
    title = _text(event, "SUMMARY")[:200]
    base = Contact(
        kind=ContactKind.VISIT_CHANGE,
        medium=Medium.EMAIL,
        said_at=_sane(dtstamp, context),
        authentication=context.authentication,
        title=title,
        body=_text(event, "DESCRIPTION")[:5000],
        keys=(Key(scheme="uid", value=uid),) if uid else (),
    )
    is_cancelled = method == "CANCEL" or status == "CANCELLED"
    if method not in STAGES and not is_cancelled:
        # REPLY, COUNTER, DECLINECOUNTER, REFRESH: talk about a visit, not a visit.
        return base.with_(kind=ContactKind.MESSAGE, status=method.lower()[:60])
    window, zone, is_unclear = _window(event, zones, calendar, context)
    if window is None and not (is_cancelled or is_unclear):
        return None
    visit = Visit(
        window=window,
        stage=Stage.CANCELLED if is_cancelled else STAGES[method],
        uid=uid,
        recurrence_id=_recurrence(event, zones, context),
        sequence=_sequence(event),
        dtstamp=dtstamp,
        zone=zone,
        place=_text(event, "LOCATION")[:300],
    )
    asks: tuple[AskClaim, ...] = ()
    if is_unclear:
        asks = (AskClaim(fact="zone", prompt=f"In which time zone is {zone or 'this time'}?"),)
        visit = replace(visit, zone="")
    return base.with_(visit=visit, asks=asks)


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


def _window(
    event: Component, zones: dict[str, tzinfo], calendar: Component, context: Context
) -> tuple[Window | None, str, bool]:
    """Return the window, its zone, and whether only the zone keeps it from being known."""
    found = _value(event, "DTSTART")
    if found is None:
        return None, "", False
    default = str(calendar.get("X-WR-TIMEZONE", "")).strip()
    start, zone, length = _start(found, zones, context, default)
    if start is None:
        return None, zone, bool(zone)
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
    return Window(start=start, end=end), zone, False


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
