"""Whatever stands in a calendar, a page, an invoice or a text, its reader says or refuses.

2,000 inputs here; 20,000 with HYPOTHESIS_PROFILE=nightly. Below them, the bad inputs that
are known to break readers.
"""

import json
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppliers.adapters import adverts, einvoice, headers, ical, markup, mime, schema_org, text
from suppliers.adapters.errors import ContentError
from suppliers.contacts import Contact
from tests.adapters.conftest import NOW, ana
from tests.adapters.test_einvoice import CII, UBL

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

NIGHTLY = (
    os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
    or hypothesis.settings.get_current_profile_name() == "nightly"
)
SLOWEST_S = 2.0


def inputs(number: int) -> settings:
    return settings(
        max_examples=number * (10 if NIGHTLY else 1),
        deadline=None,
        derandomize=not NIGHTLY,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@contextmanager
def in_time() -> Iterator[None]:
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    assert time.process_time() - began < SLOWEST_S


def is_sound(contact: Contact) -> None:
    """Whatever was read can be kept, and makes sense."""
    kept = json.loads(json.dumps(contact.to_json()))
    assert Contact.from_json(kept) == contact
    visit = contact.visit
    for window in (visit.window, visit.proposed) if visit is not None else ():
        assert window is None or window.start <= window.end
    assert all(fact.name for fact in contact.facts)


# -- calendars -------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:VALARM",
        "END:VALARM", "BEGIN:STANDARD", "END:STANDARD", "UID:job-1", "UID:", "SEQUENCE:1",
        "SEQUENCE:-5", "SEQUENCE:x", "SEQUENCE:99999999999", "DTSTAMP:20261110T080000Z",
        "DTSTAMP:99991231T235959Z", "DTSTART:20261116T080000Z", "DTSTART;VALUE=DATE:20261116",
        "DTSTART:00010101T000000",
        "DTSTART:99991231T235959", "DTSTART;TZID=Mars/Base:20261116T080000",
        "DTSTART;TZID=:20261116T080000", "DTSTART;TZID=W. Europe Standard Time:20261116T080000",
        "DTSTART;TZID=X:20260329T023000", "DTSTART:x", "DTEND:20261116T120000Z", "DURATION:PT4H",
        "DURATION:-PT4H", "DURATION:P99999999W", "DTEND:20251116T120000Z", "TZID:X", "TZID:",
        "TZOFFSETFROM:+0100", "TZOFFSETTO:+9999", "RRULE:FREQ=DAILY", "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=WEEKLY;INTERVAL=0",
        "RRULE:FREQ=WEEKLY;COUNT=999999999", "RRULE:FREQ=DAILY;UNTIL=x", "RRULE:", "RRULE:FREQ",
        "RRULE:FREQ=MONTHLY;BYDAY=+9MO", "EXDATE:20261117T080000Z", "EXDATE:x,y,,",
        "RECURRENCE-ID:20261116T080000Z", "RECURRENCE-ID;VALUE=DATE:20261116", "METHOD:REQUEST",
        "METHOD:CANCEL", "METHOD:COUNTER", "METHOD:REPLY", "METHOD:ADD", "METHOD:REFRESH",
        "METHOD:DECLINECOUNTER", "METHOD:X-ODD", "STATUS:CANCELLED", "ORGANIZER:mailto:a@b.example",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example", "ORGANIZER", "SUMMARY:\u202eVisit\x00",
        "X-WR-TIMEZONE:Nowhere/At/All", " folded", "\tfolded", "", ":", ";", "END:VCALENDAR",
        "BEGIN:VCALENDAR",
    ]
)  # fmt: skip
CALENDARS = st.lists(LINES | st.text(max_size=30), max_size=25).map(
    lambda lines: "\r\n".join(
        ["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    ).encode("utf-8", "surrogatepass")
)


@inputs(600)
@given(CALENDARS, st.sampled_from(["", "REQUEST", "CANCEL", "\x00"]))
def test_any_calendar_is_read_or_refused(payload: bytes, method: str) -> None:
    with in_time():
        try:
            found = ical.read(payload, context=ana(), method=method)
        except ContentError:
            return
        assert 0 < len(found) <= ical.MAX_EVENTS
        for contact in found:
            is_sound(contact)


# -- pages -----------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["Order", "ParcelDelivery", "Invoice", "FlightReservation", "EventReservation", "Event",
     "LodgingReservation", "EmailMessage", "", "http://schema.org/Order", "4471", "49,00 \u20ac",
     "2026-11-16T08:00:00-05:00", "2026-11-16T08:00:00+0:00", "9999-12-31T23:59:59-23:59",
     "x" * 400,
     "2026-11-16", "OrderCancelled", "1e999", "NaN", "\u0000", "\ud800"]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["@type", "@graph", "@context", "orderNumber", "orderStatus", "price", "priceCurrency",
     "acceptedOffer", "merchant", "trackingNumber", "expectedArrivalFrom", "expectedArrivalUntil",
     "partOfOrder", "provider", "reservationNumber", "reservationFor", "underName", "startDate",
     "endDate", "location", "address", "name", "totalPaymentDue", "paymentDueDate", "checkinDate",
     "departureTime", "arrivalTime", "departureAirport", "airline", "potentialAction", "target",
     "deliveryStatus", "handler", "reservationStatus"]
)  # fmt: skip
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=8,
)
THINGS = st.dictionaries(FIELDS, VALUES, max_size=9).map(lambda thing: {"@type": "Order", **thing})
SCRIPTS = THINGS.map(json.dumps) | st.lists(
    st.sampled_from(['{"@type":"Order",', '"orderNumber":"1"', "}", "]", "[", ",", "/*", "*/", "//",
                     "<!--", '"', "\\", "]]>", "&quot;", "null"]),
    max_size=20,
).map("".join)  # fmt: skip
TAGS = st.lists(
    st.sampled_from(
        ["<div itemscope itemtype='http://schema.org/Order'>", "</div>",
         "<meta itemprop=orderNumber content=1>", "<span itemprop='offers price' itemscope>",
         "</span>", "<p hidden>", "<br>",
         "<a href='https://a.example/'>x</a>", "<style>", "</style>", "<!--", "-->", "<", "&#0;",
         "<![CDATA[", "Your visit is on Monday 16 November, 8:00-12:00.", "\x00",
         "<time datetime=x>"]
    ) | st.text(max_size=12),
    max_size=20,
).map("".join)  # fmt: skip


@inputs(500)
@given(SCRIPTS, TAGS)
def test_any_page_is_read(script: str, tags: str) -> None:
    page = f'{tags}<script type="application/ld+json">{script}</script>'
    context = ana()
    with in_time():
        words, links = markup.visible(page)
        found = schema_org.understood(
            mime.plain(headers.Head(()), context), markup.items(page), context
        )
        assert isinstance(words, str)
        assert all(url.lower().startswith("http") for url, _ in links)
        is_sound(found)


# -- invoices --------------------------------------------------------------------------


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Return an invoice with pieces cut out, doubled or written over."""
    payload = bytearray(draw(st.sampled_from([UBL, CII])).encode())
    for _ in range(draw(st.integers(min_value=0, max_value=4))):
        start = draw(st.integers(min_value=0, max_value=len(payload)))
        end = min(len(payload), start + draw(st.integers(min_value=0, max_value=60)))
        payload[start:end] = draw(
            st.sampled_from(
                [b"", b"<", b">", b"&x;", b"\x00", b"9" * 40, b"-", b"<cbc:ID>2</cbc:ID>"]
            )
            | st.binary(max_size=20)
        )
    return bytes(payload)


@inputs(200)
@given(spoiled() | st.binary(max_size=200).map(lambda data: b"%PDF-1.7\n" + data))
def test_any_invoice_is_read_or_refused(payload: bytes) -> None:
    with in_time():
        try:
            found = einvoice.read(payload)
        except ContentError:
            return
        if found is not None:
            is_sound(einvoice.understood(mime.plain(headers.Head(()), ana()), [found]))


# -- texts and heads -------------------------------------------------------------------

PIECES = st.sampled_from(
    ["Ihr Termin", "Votre rendez-vous", "L'appuntamento", "Su cita", "Your visit", "am", "le", "il",
     "el", "17.11.", "31/02", "17 novembre", "martedì", "Dienstag", "next", "prochain", "demain",
     "in einer Woche", "8 h 30", "9 Uhr 30", "zwischen", "entre", "dalle", "de", "8", "12 Uhr", "-",
     "11h30", "99:99", "24:00", "\u20ac", "1.234,56 \u20ac", "CHF 120.-", "abgesagt", "annulé",
     "fällig am",
     "Unsubscribe", "Angebote", "On 1 x wrote:", "> ", "\n", "--", "\u202e", "\u200d",
     "\ud800", "e\u0301" * 30]
)  # fmt: skip


@inputs(500)
@given(st.lists(PIECES | st.text(max_size=10), max_size=30), st.booleans())
def test_any_text_is_read(pieces: list[str], is_spoken: bool) -> None:  # noqa: FBT001
    said, context = " ".join(pieces), ana(day_first=True, country="DE")
    with in_time():
        read = text.read(
            said, subject=said[:80], said_at=NOW, context=context, is_spoken=is_spoken,
            bulk_signs=(adverts.LIST_ID,),
        )  # fmt: skip
        assert isinstance(text.visible_reply(said), str)
    contact = text.understood(mime.plain(headers.Head(()), context), read, message_id="m")
    assert (
        contact.visit is None
        or contact.visit.window is None
        or (contact.visit.window.start <= contact.visit.window.end)
    )


@inputs(200)
@given(st.lists(st.sampled_from(
    ["<https://a.example/u>", "<mailto:a@b.example>", ",", "<", ">", "https://", "<http://[>",
     "<https://a.example:99999/>", "<mailto:>", "\x00", " ", "List-Unsubscribe=One-Click"]
) | st.text(max_size=12), max_size=12))  # fmt: skip
def test_any_way_to_stop_is_safe_or_none(pieces: list[str]) -> None:
    value = "".join(pieces)
    head = headers.Head((("list-unsubscribe", value), ("list-unsubscribe-post", value)))
    found = adverts.unsubscribe_of(head)
    assert found is None or not found.url or found.url.startswith("https://")
    assert found is None or not found.is_one_click or found.url


# -- what is known to break readers ------------------------------------------------------


def event(*lines: str) -> bytes:
    whole = ["BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:1",
             "DTSTAMP:20261110T080000Z", *lines, "END:VEVENT", "END:VCALENDAR", ""]  # fmt: skip
    return "\r\n".join(whole).encode()


START = "DTSTART;TZID=America/New_York:20200101T080000"
BAD_CALENDARS = {
    "many_parts": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 5000,
    "deep": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 500,
    "long_line": event(START, "SUMMARY:" + "x" * 200_000),
    "large": event(START, *["COMMENT:x"] * 150_000),
    "many_guests": event(START, *["ATTENDEE:mailto:a@b.example"] * 10_000),
    "secondly": event(START, "RRULE:FREQ=SECONDLY"),
    "minutely": event(START, "RRULE:FREQ=MINUTELY;COUNT=1000000000"),
    "hourly": event(START, "RRULE:FREQ=HOURLY"),
    "endless": event(START, "RRULE:FREQ=DAILY;COUNT=2147483647"),
    "never": event(START, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    "never_yearly": event(START, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    "never_monthly": event(START, "RRULE:FREQ=MONTHLY;BYMONTHDAY=31;BYSETPOS=5"),
    "no_step": event(START, "RRULE:FREQ=DAILY;INTERVAL=0"),
    "long_step": event(START, "RRULE:FREQ=YEARLY;INTERVAL=9999"),
    "year_one": event("DTSTART:00010101T000000", "RRULE:FREQ=YEARLY"),
    "year_last": event("DTSTART:99991231T235959Z", "DURATION:P1W"),
    "spring_gap": event("DTSTART;TZID=America/New_York:20260308T023000"),
    "autumn_twice": event("DTSTART;TZID=America/New_York:20261101T013000"),
    "combining": event(START, "SUMMARY:" + "e\u0301" * 10_000),
    "bidi": event(START, "SUMMARY:\u202e\u2066\u200d\ufeff", "LOCATION:\u2028\u2029"),
    "many_exceptions": event(START, "RRULE:FREQ=DAILY", *["EXDATE:20200102T080000"] * 5000),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CALENDARS)
def test_a_calendar_that_is_a_trap_costs_little(name: str) -> None:
    with in_time():
        try:
            found = ical.read(BAD_CALENDARS[name], context=ana())
        except ContentError:
            return
        for contact in found:
            is_sound(contact)


DEEP = 50_000
BAD_PAGES = {
    "deep": "<div>" * DEEP,
    "deep_items": "<div itemscope itemprop=a>" * 20_000,
    "attributes": "<p " + "a=b " * DEEP + ">",
    "one_attribute": f"<p a={'x' * 90_000}>",
    "links": "<a href=https://a.example/>x</a>" * 5_000,
    "scripts": "<script type=application/ld+json>{}</script>" * 3_000,
    "open_scripts": "<script type=application/ld+json>" * 3_000,
    "deep_json": f"<script type=application/ld+json>{'[' * DEEP}</script>",
    "deep_objects": "<script type=application/ld+json>" + '{"@graph":' * 9_000 + "</script>",
    "large_number": f'<script type=application/ld+json>{{"price":{"9" * 90_000}}}</script>',
    "combining": "e\u0301" * 45_000,
    "entities": "&amp;" * 20_000,
    "comments": "<!--" * 25_000,
    "styles": "<p style='" + "display " * 12_000 + "'>x",
}


@pytest.mark.parametrize("name", BAD_PAGES)
def test_a_page_that_is_a_trap_costs_little(name: str) -> None:
    with in_time():
        markup.visible(BAD_PAGES[name])
        things = markup.items(BAD_PAGES[name])
        is_sound(schema_org.understood(mime.plain(headers.Head(()), ana()), things, ana()))


BAD_TEXTS = {
    "combining": "e\u0301" * 10_000, "bidi": "\u202e8:00-12:00 Monday\u202c " * 500,
    "spaces": " \u00a0\u202f" * 5_000, "amounts": "1.234,56 \u20ac " * 2_000,
    "weeks": "Tuesday in a week " * 1_000, "hours": "8 h 30 " * 3_000, "offers": "offers " * 3_000,
    "your": "your order " * 2_000, "wrote": "On 1 x <a@b>\n" * 3_000, "quoted": ">" * 200_000,
    "wir": "wir müssen " * 2_000, "commas": "x, " * 6_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_a_text_that_is_a_trap_costs_little(name: str) -> None:
    with in_time():
        text.read(BAD_TEXTS[name], said_at=NOW, context=ana(), subject="visit survey",
                  bulk_signs=(adverts.LIST_ID,))  # fmt: skip
        text.visible_reply(BAD_TEXTS[name])
