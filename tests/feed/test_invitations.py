"""Calendars by mail, through the intake to the card and back to the supplier (RFC 6047)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial

import pytest
from django.test import Client
from pytest_django import Settings

from notifications import feed
from notifications.feed import ActionError
from notifications.models import Appointment, Card, Journey
from owners import clock
from suppliers import inbox, mail
from suppliers.models import Contact, OutboundEvent
from tests.factories import Cast

pytestmark = pytest.mark.django_db
Tell = Callable[..., Contact]


def calendar(method: str, start: datetime, stamped: datetime, *, sequence: int, body: str) -> str:
    end = start + timedelta(hours=4)
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{body or method}", "BEGIN:VEVENT",
        "UID:job-1@skyline.example", f"SEQUENCE:{sequence}", f"DTSTAMP:{stamped:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}",
        "ORGANIZER:mailto:visits@skyline.example", "SUMMARY:Visit", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


@pytest.fixture
def tell(cast: Cast, now: datetime, settings: Settings) -> Tell:
    """Let a mail with a calendar come in and the rules decide; returns its contact."""
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"
    count = iter(range(100))

    def send(
        method: str,
        start: datetime,
        *,
        sequence: int = 0,
        sender: str = "visits@skyline.example",
        proof: str = "pass",
        body: str = "",
        hours: int = 0,
    ) -> Contact:
        number = next(count)
        at = now + timedelta(hours=hours, minutes=number)
        message = EmailMessage()
        message["From"] = f"Skyline <{sender}>"
        message["Subject"] = "Your appointment"
        message["Date"] = at
        message["Message-ID"] = f"<m{number}@skyline.example>"
        domain = sender.partition("@")[2]
        message["Authentication-Results"] = (
            f"mx.steward.example; dmarc={proof} header.from={domain}"
        )
        message.set_content("See the calendar.")
        said = calendar(method, start, at, sequence=sequence, body=body)
        message.add_alternative(said, subtype="calendar", params={"method": method})
        # The same again, as Google sends it for those who cannot read the first.
        message.add_attachment(
            said.encode(), maintype="application", subtype="ics", filename="invite.ics"
        )
        mail.receive(raw=message.as_bytes(), recipient=cast.alias, now=at)
        inbox.process_due(now=at)
        feed.consolidate_due(now=at)
        return Contact.objects.latest("pk")

    return send


@pytest.fixture
def start(now: datetime) -> datetime:
    return now.replace(minute=0) + timedelta(days=4)


def test_an_invitation_in_two_parts_is_one_visit(tell: Tell, start: datetime) -> None:
    tell("REQUEST", start)
    assert Contact.objects.count() == 1
    assert Appointment.objects.get().start == start


def test_another_time_waits_for_the_owner_and_her_yes_is_told(
    tell: Tell, cast: Cast, start: datetime, now: datetime, client: Client
) -> None:
    tell("REQUEST", start)
    later = start + timedelta(days=1)
    contact = tell("COUNTER", later)
    assert contact.reason == "proposal"
    assert Appointment.objects.get().start == start
    journey, card = Journey.objects.get(), Card.objects.get()
    offered = {action["name"]: action for action in card.body["actions"]}
    ((key,),) = [[f["value"] for f in offered["accept"]["fields"]]]
    assert "asks for another time" in card.title
    client.force_login(cast.ana)
    with clock.fixed(now + timedelta(hours=1)):
        assert offered["accept"]["label"] in client.get("/").content.decode()
    act = partial(feed.act, owner=cast.ana, journey=journey, now=now + timedelta(hours=1))
    act(name="accept", data={"proposal": key})
    assert Appointment.objects.get().start == later
    sent = OutboundEvent.objects.get(type="owner.appointment.accepted")
    assert datetime.fromisoformat(sent.data["start"]) == later
    with pytest.raises(ActionError):  # it is settled
        act(name="decline", data={"proposal": key})
    agreed = tell("REQUEST", later, sequence=1, hours=2)
    assert agreed.outcome == "absorbed"


def test_a_no_to_another_time_keeps_the_booked_one(
    tell: Tell, cast: Cast, start: datetime, now: datetime
) -> None:
    tell("REQUEST", start)
    tell("COUNTER", start + timedelta(days=1))
    (key,) = [
        action["fields"][0]["value"]
        for action in Card.objects.get().body["actions"]
        if action["name"] == "decline" and action["fields"]
    ]
    feed.act(
        owner=cast.ana,
        journey=Journey.objects.get(),
        name="decline",
        data={"proposal": key},
        now=now + timedelta(hours=1),
    )
    found = Appointment.objects.get()
    assert (found.start, found.state) == (start, "booked")
    sent = OutboundEvent.objects.get(type="owner.appointment.countered")
    assert datetime.fromisoformat(sent.data["windows"][0]["start"]) == start


@pytest.mark.parametrize(
    ("sender", "proof"),
    [
        ("visits@skyline.example", "fail"),
        ("visits@skyline.example", "none"),
        ("visits@mallory.example", "pass"),
    ],
)
@pytest.mark.parametrize("method", ["CANCEL", "REQUEST", "COUNTER"])
def test_the_wrong_sender_changes_nothing(
    tell: Tell, start: datetime, method: str, sender: str, proof: str
) -> None:
    tell("REQUEST", start)
    contact = tell(method, start + timedelta(days=1), sequence=5, sender=sender, proof=proof)
    found = Appointment.objects.get()
    assert (found.start, found.state) == (start, "booked")
    assert contact.outcome in ("door", "shown")  # waits, or shows that it contradicts


def test_the_body_names_the_method_and_the_contradiction_is_kept(
    tell: Tell, start: datetime
) -> None:
    tell("REQUEST", start)
    contact = tell("REQUEST", start, sequence=1, body="CANCEL")
    assert Appointment.objects.get().state == "cancelled"
    assert contact.evidence["remarks"] == ["method_contradicts:REQUEST"]


def test_a_cancelled_visit_is_revived_only_by_a_newer_request(tell: Tell, start: datetime) -> None:
    tell("REQUEST", start)
    tell("CANCEL", start, sequence=1)
    assert tell("REQUEST", start).outcome == "absorbed"
    assert Appointment.objects.get().state == "cancelled"
    tell("REQUEST", start + timedelta(days=2), sequence=2)
    found = Appointment.objects.get()
    assert (found.start, found.state) == (start + timedelta(days=2), "booked")


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (";TZID=Base Camp", "names a time in Base Camp. Which time zone is that?"),
        (";TZID=", "names a time without its time zone. Which is it?"),
    ],
)
def test_a_time_in_no_known_zone_is_asked_for_on_the_card(
    cast: Cast, now: datetime, settings: Settings, named: str, sentence: str
) -> None:
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"
    said = calendar("REQUEST", now + timedelta(days=4), now, sequence=0, body="")
    said = re.sub(r"(DTSTART|DTEND):(\d+T\d+)Z", rf"\1{named}:\2", said)
    message = EmailMessage()
    message["From"] = "Skyline <visits@skyline.example>"
    message["Authentication-Results"] = "mx.steward.example; dmarc=pass header.from=skyline.example"
    message.set_content("See the calendar.")
    message.add_alternative(said, subtype="calendar", params={"method": "REQUEST"})
    mail.receive(raw=message.as_bytes(), recipient=cast.alias, now=now)
    inbox.process_due(now=now)
    feed.consolidate_due(now=now)
    assert sentence in Card.objects.get().title
