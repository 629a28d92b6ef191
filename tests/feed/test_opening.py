"""What an owner opens is one matter of its own, and the supplier's answer falls into it."""

import json
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outgoing
from pytest_django import Settings

from assets.choices import AssetKind
from assets.models import Asset
from notifications import feed, opening, portal
from notifications.choices import Turn
from notifications.models import Card, Journey
from suppliers import disclosure, inbox, mail, mandates, outbox
from suppliers.choices import FactName, MandateState, Way
from suppliers.models import Contact, OutboundEvent
from tests.factories import Cast

pytestmark = pytest.mark.django_db
WORDS = "It stopped recording. Could you come on Friday?"


def start(cast: Cast, now: datetime, **more: Any) -> opening.Opened:
    about = {"asset": cast.dvr, "mandate": cast.mandate, "text": WORDS, "key": "first", **more}
    return opening.start(owner=cast.ana, household=cast.household, now=now, **about)


def taken_in(now: datetime) -> None:
    inbox.process_due(now=now)
    feed.consolidate_due(now=now)


def say(cast: Cast, now: datetime, type_: str, **data: Any) -> None:
    event: dict[str, Any] = {
        "specversion": "1.0", "id": f"{type_}-{now:%H%M%S}", "source": "/suppliers/skyline",
        "type": type_, "time": now.isoformat(),
        "data": {"owner": cast.mandate.owner_ref, **data},
    }  # fmt: skip
    received = inbox.Received(
        supplier_id=cast.skyline.pk, household_id=None, way=Way.WEBHOOK, source=event["source"],
        event_id=event["id"], type=type_, payload=json.dumps(event).encode(), routing={},
    )  # fmt: skip
    inbox.record(received=[received], now=now)
    taken_in(now)


def take_back(cast: Cast, contact: Contact, now: datetime) -> None:
    feed.act_on_contact(owner=cast.ana, contact=contact, name="take_back", data={}, now=now)


def by_mail(cast: Cast) -> None:
    cast.skyline.technical_contact = "help@skyline.example"
    cast.skyline.save()


def test_a_matter_is_one_journey_with_one_card_in_the_owners_words(
    cast: Cast, now: datetime
) -> None:
    opened = start(cast, now)
    again = start(cast, now)
    taken_in(now)
    journey = Journey.objects.get()
    assert opened == again
    assert (journey.uuid, journey.asset, journey.turn) == (opened.journey, cast.dvr, Turn.SUPPLIER)
    assert Card.objects.get().title.startswith("It stopped recording")
    assert not journey.appointments.exists()  # a wish is no visit
    assert Contact.objects.get().uuid == opened.contact
    assert OutboundEvent.objects.get().type == "owner.ticket.opened"


def test_a_second_matter_about_the_same_thing_stays_apart(cast: Cast, now: datetime) -> None:
    start(cast, now)
    taken_in(now)
    start(cast, now + timedelta(minutes=1), key="second", text="The remote is lost.")
    taken_in(now + timedelta(minutes=1))
    assert Journey.objects.count() == 2


def test_the_supplier_hears_no_more_than_it_was_granted(cast: Cast, now: datetime) -> None:
    disclosure.write_home(cast.household, {"address": "12 Elm Street", "name": "Ana Hart"})
    start(cast, now)
    bare = OutboundEvent.objects.get().data
    assert set(bare) == {"owner", "journey", "refs", "body", "asset"}
    assert set(bare["asset"]) == {"ref", "name", "kind"}
    mandates.disclose(
        mandate=cast.mandate, fact=FactName.ADDRESS, is_on=True, owner=cast.ana, now=now
    )
    cast.mandate.refresh_from_db()
    start(cast, now, key="second")
    told = OutboundEvent.objects.get(type=opening.TICKET, data__has_key="facts").data
    assert told["facts"] == {"address": "12 Elm Street"}
    assert str(cast.dvr.uuid) not in json.dumps(told)
    assert told["journey"].startswith("jrn_")


def test_an_answer_by_webhook_that_quotes_the_matter_falls_into_it(
    cast: Cast, now: datetime
) -> None:
    opened = start(cast, now)
    start(cast, now, key="second", text="The remote is lost.")
    taken_in(now)
    ref = OutboundEvent.objects.get(journey=opened.journey).data["refs"]
    later = now + timedelta(hours=1)
    say(cast, later, "ticket.opened", ticketId="T-20418", status="open", refs=ref)
    say(cast, later + timedelta(hours=1), "ticket.updated", ticketId="T-20418", status="repair")
    found = Journey.objects.get(uuid=opened.journey)
    assert Journey.objects.count() == 2
    assert found.links.filter(revoked_at=None).count() == 3


def test_an_answer_by_mail_falls_into_the_matter(
    cast: Cast, now: datetime, settings: Settings
) -> None:
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"
    by_mail(cast)
    opened = start(cast, now)
    start(cast, now, key="second", text="The remote is lost.")
    taken_in(now)
    outbox.send_due(now=now + opening.HELD)
    letters = [one.message() for one in outgoing.outbox]
    letter = next(one for one in letters if "stopped recording" in one.as_string())
    reply = EmailMessage()
    reply["From"] = "Skyline <help@skyline.example>"
    reply["Message-ID"] = "<r1@skyline.example>"
    reply["In-Reply-To"] = str(letter["Message-ID"])
    reply["Authentication-Results"] = "mx.steward.example; dmarc=pass header.from=skyline.example"
    reply.set_content("Please hold the power button for ten seconds.")
    later = now + timedelta(hours=1)
    mail.receive(raw=reply.as_bytes(), recipient=cast.alias, now=later)
    taken_in(later)
    answer = Contact.objects.get(medium="email")
    assert answer.links.get().journey.uuid == opened.journey


def test_it_is_a_request_in_the_portal_and_the_answer_comes_back(cast: Cast, now: datetime) -> None:
    wish = {"start": "2026-11-13T13:00:00+00:00", "end": "2026-11-13T17:00:00+00:00"}
    opened = start(cast, now, windows=[wish])
    taken_in(now)
    assert portal.open_requests(supplier=cast.skyline, now=now) == 1
    request = portal.requests(supplier=cast.skyline, now=now)[0]
    later = now + timedelta(minutes=5)
    portal.answer(supplier=cast.skyline, event=request.event.uuid, now=later, window=0)
    taken_in(later)
    assert Journey.objects.get().uuid == opened.journey
    assert Journey.objects.get().appointments.get().start == datetime.fromisoformat(wish["start"])


def test_it_is_withdrawn_until_it_has_gone_out(cast: Cast, now: datetime) -> None:
    by_mail(cast)
    start(cast, now)
    taken_in(now)
    contact = Contact.objects.get()
    outbox.send_due(now=now)
    assert outgoing.outbox == []
    take_back(cast, contact, now)
    assert not Journey.objects.filter(is_emptied=False).exists()
    start(cast, now)
    assert not OutboundEvent.objects.exists()  # the same form again does not bring it back
    start(cast, now, key="second")
    taken_in(now)
    outbox.send_due(now=now + opening.HELD)
    with pytest.raises(feed.ActionError) as error:
        take_back(cast, Contact.objects.latest("pk"), now)
    assert error.value.code == "gone"
    assert len(outgoing.outbox) == 1


def test_without_a_supplier_it_is_only_noted(cast: Cast, now: datetime) -> None:
    opened = start(cast, now, mandate=None)
    taken_in(now)
    assert Journey.objects.get().uuid == opened.journey
    assert not OutboundEvent.objects.exists()


@pytest.mark.parametrize("why", ["paused", "not_covered"])
def test_only_who_may_know_of_the_thing_is_told(cast: Cast, now: datetime, why: str) -> None:
    if why == "paused":
        cast.mandate.state = MandateState.PAUSED
        cast.mandate.save()
    else:
        other = Asset.objects.create(
            household=cast.household, name="Boiler", kind=AssetKind.APPLIANCE
        )
        cast.mandate.assets.set([other])
    with pytest.raises(opening.OpeningError) as error:
        start(cast, now)
    assert error.value.code == "not_covered"
    assert not OutboundEvent.objects.exists()


def test_a_request_for_data_waits_for_the_supplier_and_ends_where_it_began(
    cast: Cast, now: datetime
) -> None:
    opened = opening.ask_for_data(
        owner=cast.ana, mandate=cast.mandate, kind="access", key="data", now=now
    )
    taken_in(now)
    event = OutboundEvent.objects.get()
    assert (event.type, event.data["article"]) == ("owner.data_request.created", "Art. 15 GDPR")
    assert event.data["dueAt"] == "2026-12-09"
    assert "Art. 15 GDPR" in event.data["body"]
    assert Journey.objects.get().turn == Turn.SUPPLIER
    later = now + timedelta(days=3)
    say(cast, later, "data_request.fulfilled", requestId=event.data["requestId"])
    assert Journey.objects.get().uuid == opened.journey


@pytest.mark.parametrize(
    ("day", "due"),
    [("2026-01-31", "2026-02-28"), ("2026-12-15", "2027-01-15"), ("2028-01-30", "2028-02-29")],
)
def test_a_month_later_is_the_same_day_or_the_last(day: str, due: str) -> None:
    assert opening.month_after(date.fromisoformat(day)) == date.fromisoformat(due)
