"""An appointment that came as a calendar is answered as one: REPLY and COUNTER (RFC 5546)."""

import email
import email.policy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outgoing
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar
from pytest_django import Settings

from notifications import feed
from notifications.models import Journey
from suppliers import inbox, itip, letters, mail, outbox
from suppliers.adapters import ical as reader
from suppliers.adapters.context import Context
from suppliers.models import OutboundEvent
from tests.factories import Cast

pytestmark = pytest.mark.django_db
ORGANIZER = "visits@skyline.example"
Invite = Callable[..., Journey]


@pytest.fixture
def invite(cast: Cast, now: datetime, settings: Settings) -> Invite:
    """Let a calendar come by mail, as scheduling systems send it; returns its journey."""
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"

    def send(start: datetime, *, attendee: str = cast.alias, more: str = "") -> Journey:
        said = "\r\n".join([
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Skyline//EN", "METHOD:REQUEST",
            "BEGIN:VEVENT", "UID:job-1@skyline.example", "SEQUENCE:3",
            f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{start + timedelta(hours=4):%Y%m%dT%H%M%SZ}", *([more] if more else []),
            f"ORGANIZER:mailto:{ORGANIZER}",
            f"ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{attendee}",
            "SUMMARY:Visit", "END:VEVENT", "END:VCALENDAR", "",
        ])  # fmt: skip
        message = EmailMessage()
        message["From"] = f"Skyline <{ORGANIZER}>"
        message["Message-ID"] = "<m1@skyline.example>"
        message["Authentication-Results"] = (
            "mx.steward.example; dmarc=pass header.from=skyline.example"
        )
        message.set_content("See the calendar.")
        message.add_alternative(said, subtype="calendar", params={"method": "REQUEST"})
        mail.receive(raw=message.as_bytes(), recipient=cast.alias, now=now)
        inbox.process_due(now=now)
        feed.consolidate_due(now=now)
        return Journey.objects.get()

    return send


@pytest.fixture
def start(now: datetime) -> datetime:
    return now.replace(minute=0) + timedelta(days=4)


def answer(cast: Cast, journey: Journey, name: str, now: datetime, **data: Any) -> EmailMessage:
    """Let Ana answer; returns the mail as it is on the wire."""
    feed.act(owner=cast.ana, journey=journey, name=name, data=data, now=now)
    outbox.send_due(now=now)
    raw = outgoing.outbox[-1].message().as_bytes()
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def calendar_of(message: EmailMessage) -> tuple[Any, str]:
    """Return the one event, and the calendar's text, after both parsers have taken it."""
    assert message.get_content_type() == "multipart/alternative"
    words, part = message.iter_parts()
    assert (words.get_content_type(), part.get_content_type()) == ("text/plain", "text/calendar")
    text = part.get_content()
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    other = IcsCalendarStream.calendar_from_ics(text)
    (same,) = other.events
    assert part.get_param("method") == other.method
    assert (same.uid, same.sequence) == (str(event["UID"]), event["SEQUENCE"])
    assert [one.status for one in same.attendees] == [event["ATTENDEE"].params["PARTSTAT"]]
    return event, text


@pytest.mark.parametrize(
    ("name", "partstat"),
    [("accept", "ACCEPTED"), ("decline", "DECLINED"), ("tentative", "TENTATIVE")],
)
def test_an_answer_is_a_reply_that_two_parsers_and_our_own_reader_take(
    invite: Invite, cast: Cast, now: datetime, start: datetime, name: str, partstat: str
) -> None:
    later = now + timedelta(hours=1, microseconds=5)
    message = answer(cast, invite(start), name, later)
    assert (message["From"], message["To"]) == (cast.alias, ORGANIZER)
    assert message["In-Reply-To"] == "<m1@skyline.example>"
    event, text = calendar_of(message)
    assert "METHOD:REPLY" in text.split()
    assert (str(event["UID"]), event["SEQUENCE"]) == ("job-1@skyline.example", 3)
    assert event["DTSTAMP"].dt == later.replace(microsecond=0)  # a new one for each answer
    assert event["ORGANIZER"] == f"mailto:{ORGANIZER}"
    assert event["ATTENDEE"] == f"mailto:{cast.alias}"
    assert event["ATTENDEE"].params["PARTSTAT"] == partstat
    (read,) = reader.read(text.encode(), context=Context(received_at=later, recipient=ORGANIZER))
    assert read.visit is not None
    assert (read.visit.method, read.visit.uid) == (itip.REPLY, "job-1@skyline.example")
    assert read.visit.stage.name == {"ACCEPTED": "CONFIRMED", "DECLINED": "CANCELLED"}.get(
        partstat, "ASKED"
    )


def test_an_attendee_who_calls_off_declines_what_was_accepted_with_a_newer_stamp(
    invite: Invite, cast: Cast, now: datetime, start: datetime
) -> None:
    journey = invite(start)
    first, _text = calendar_of(answer(cast, journey, "accept", now + timedelta(hours=1)))
    second, _text = calendar_of(answer(cast, journey, "cancel", now + timedelta(hours=2)))
    assert second["ATTENDEE"].params["PARTSTAT"] == "DECLINED"
    assert second["DTSTAMP"].dt > first["DTSTAMP"].dt


def test_a_counter_proposes_the_first_window_and_names_all_three(
    invite: Invite, cast: Cast, now: datetime, start: datetime
) -> None:
    others = [start + timedelta(days=day) for day in (1, 2, 3)]
    windows = [
        {"start": one.isoformat(), "end": (one + timedelta(hours=2)).isoformat()} for one in others
    ]
    message = answer(cast, invite(start), "counter", now + timedelta(hours=1), windows=windows)
    event, text = calendar_of(message)
    assert "METHOD:COUNTER" in text.split()
    assert (event["DTSTART"].dt, event["SEQUENCE"]) == (others[0], 3)
    assert str(event["COMMENT"]).count("; ") == 2
    words = next(message.iter_parts()).get_content()
    assert words.count("Possible:") == 3
    (read,) = reader.read(text.encode(), context=Context(received_at=now + timedelta(hours=1)))
    assert read.visit is not None
    assert read.visit.proposed is not None
    assert read.visit.proposed.start == others[0]


def test_one_of_a_series_is_answered_by_its_own_time(
    invite: Invite, cast: Cast, now: datetime, start: datetime
) -> None:
    journey = invite(start, more=f"RECURRENCE-ID:{start:%Y%m%dT%H%M%SZ}")
    event, _text = calendar_of(answer(cast, journey, "accept", now + timedelta(hours=1)))
    assert event["RECURRENCE-ID"].dt == start.astimezone(UTC)


def test_the_address_that_was_invited_is_answered_for_by_the_alias(
    invite: Invite, cast: Cast, now: datetime, start: datetime
) -> None:
    journey = invite(start, attendee="ana@hart.example")
    event, _text = calendar_of(answer(cast, journey, "accept", now + timedelta(hours=1)))
    assert event["ATTENDEE"] == "mailto:ana@hart.example"
    assert event["ATTENDEE"].params["SENT-BY"] == f"mailto:{cast.alias}"


def test_what_did_not_come_as_a_calendar_is_answered_in_words(cast: Cast, now: datetime) -> None:
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    cast.mandate.refresh_from_db()
    data = {"uid": "job-9", "start": now.isoformat(), "end": now.isoformat()}
    outbox.send(mandate=cast.mandate, type="owner.appointment.accepted", data=data, now=now)
    outbox.send_due(now=now)
    (message,) = outgoing.outbox
    assert message.message().get_content_type() == "text/plain"
    assert "BEGIN:VCALENDAR" not in message.body


def test_nobodys_postal_address_goes_to_a_webhook(
    invite: Invite, cast: Cast, now: datetime, start: datetime
) -> None:
    journey = invite(start, attendee="ana@hart.example")
    answer(cast, journey, "accept", now + timedelta(hours=1))
    event = OutboundEvent.objects.get()
    assert "ana@hart.example" in str(event.data)
    assert "ana@hart.example" not in str(letters.told(event))
