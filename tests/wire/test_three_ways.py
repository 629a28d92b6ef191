"""One fact told by signed webhook, by mail and by SMS is one card, with all three behind it."""

import json
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest

from notifications import feed
from notifications.choices import FactState
from notifications.models import Appointment, Card, Fact, Notification
from owners import clock
from suppliers import catalogue, inbox
from suppliers.choices import Outcome, Way
from suppliers.models import Contact
from tests.factories import Cast
from tests.wire.test_every_type import NOW

NUMBER = "+12125550111"
WINDOW, MONEY = "window", "money"
# What the mail and the SMS say of each type's example, and which fact all three state.
SAID = {
    "appointment.requested": (
        "Your technician visit is on Friday, November 13, 2026, 8:00 AM - 12:00 PM.",
        WINDOW,
    ),
    "delivery.scheduled": (
        "Parcel 1Z999AA10123456784 comes on Thursday, November 12, 2026, 10:00 AM - 2:00 PM.",
        WINDOW,
    ),
    "order.created": ("Your order 4471-88213: HR54 upgrade, 49.00 USD.", MONEY),
    "quote.offered": ("Our quote Q-310 comes to 49.00 USD.", MONEY),
    "invoice.issued": ("Invoice INV-5520: 49.00 USD, due on November 30, 2026.", MONEY),
    "payment.requested": ("Order 4471-88213: please pay 49.00 USD.", MONEY),
    "claim.updated": ("Your claim CL-7781: we pay 310.00 USD.", MONEY),
}


def webhook(cast: Cast, name: str) -> inbox.Received:
    data = {**catalogue.INBOUND[name].example, "owner": cast.mandate.owner_ref}
    event = {**catalogue.cloudevent(name, data=data), "time": NOW.isoformat()}
    return inbox.Received(
        supplier_id=cast.skyline.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source=event["source"],
        event_id=event["id"],
        type=name,
        payload=json.dumps(event).encode(),
    )


def mail(cast: Cast, text: str) -> inbox.Received:
    message = EmailMessage()
    message["From"] = "Skyline <visits@skyline.example>"
    message["To"] = cast.alias
    message["Subject"] = "From Skyline TV"
    message["Message-ID"] = "<m1@skyline.example>"
    message["Date"] = NOW + timedelta(minutes=5)
    message.set_content(text)
    return inbox.Received(
        supplier_id=None,
        household_id=None,
        way=Way.MAIL,
        source=f"mail:{cast.alias}",
        event_id="m1",
        type="",
        payload=message.as_bytes(),
        routing={"recipient": cast.alias, "authentication": "pass"},
    )


def sms(cast: Cast, text: str) -> inbox.Received:
    form = {"MessageSid": "SM1", "From": "+18005550199", "To": NUMBER, "Body": text}
    return inbox.Received(
        supplier_id=None,
        household_id=cast.household.pk,
        way=Way.TELEPHONY,
        source=f"/telephony/twilio/{cast.membership.pk}",
        event_id="SM1",
        type="telephony.sms",
        payload=urlencode(form).encode(),
        routing={"owner": cast.ana.pk, "recipient": NUMBER},
    )


def told(parts: list[inbox.Received]) -> None:
    for number, part in enumerate(parts):
        now = NOW + timedelta(minutes=10 * number)
        with clock.fixed(now):
            inbox.record(received=[part], now=now)
            while inbox.process_due(now=now) or feed.consolidate_due(now=now):
                pass
            feed.tell_due(now=now + timedelta(minutes=9))


@pytest.mark.django_db
@pytest.mark.parametrize("name", SAID)
def test_a_fact_by_three_ways_is_one_card_with_three_sources(cast: Cast, name: str) -> None:
    cast.membership.intake_number = NUMBER
    cast.membership.save()
    text, fact = SAID[name]
    told([webhook(cast, name), mail(cast, text), sms(cast, text)])
    first, *rest = Contact.objects.order_by("received_at")
    assert first.outcome == Outcome.SHOWN
    assert [contact.outcome for contact in rest] == [Outcome.ABSORBED] * 2
    assert Card.objects.count() == 1
    assert not Fact.objects.filter(state=FactState.CONFLICT).exists()
    uuids = {str(contact.uuid) for contact in (first, *rest)}
    sources: list[Any] = []
    if fact == WINDOW:
        sources = Appointment.objects.get().sources["start"]
    elif fact == MONEY:
        amounts = Fact.objects.filter(value__endswith=" USD")
        sources = [source for found in amounts for source in found.sources]
        assert len({found.value for found in amounts}) == 1
    if fact:
        assert {str(source) for source in sources} == uuids
    assert Notification.objects.count() <= 1
