"""Two suppliers of one household never get a name that they could compare."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from assets.models import Asset
from notifications import feed
from notifications.models import Journey
from suppliers import inbox, letters, mandates, pairwise
from suppliers.choices import FactName, MandateState, Purpose, Way
from suppliers.models import Contact, InboundEvent, Mandate, OutboundEvent, Supplier
from tests import factories

pytestmark = pytest.mark.django_db
# Words that everybody is told alike: names of things, kinds, states, times.
COMMON = re.compile(r"\d{4}-\d\d-\d\dT.*|[a-z_.]+|Living-room DVR|Thank you, see you on Friday")


@pytest.fixture
def other(cast: factories.Cast, now: datetime) -> Mandate:
    """A second supplier of the same thing, which answers by mail."""
    supplier = factories.SupplierFactory.create(
        code="volt", name="Volt", technical_contact="it@volt.example"
    )
    return mandates.grant(
        household=cast.household, supplier=supplier, assets=[cast.dvr], owner=cast.ana, now=now
    )


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a payload, the names of fields left out."""
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def say(mandate: Mandate, supplier: Supplier, type_: str, *, now: datetime, **data: Any) -> None:
    name = f"{supplier.code}-{type_}"
    event = {
        "specversion": "1.0",
        "id": name,
        "source": f"/{supplier.code}",
        "type": type_,
        "time": now.isoformat(),
        "data": {"owner": mandate.owner_ref, **data},
    }
    inbox.record(
        received=[
            inbox.Received(
                supplier_id=supplier.pk,
                household_id=None,
                way=Way.WEBHOOK,
                source=f"/{supplier.code}",
                event_id=name,
                type=type_,
                payload=json.dumps(event).encode(),
            )
        ],
        now=now,
    )
    inbox.process_due(now=now)
    feed.consolidate_due(now=now)


def test_nothing_that_two_suppliers_are_told_can_be_compared(
    cast: factories.Cast, other: Mandate, now: datetime
) -> None:
    cast.skyline.technical_contact = "it@skyline.example"
    cast.skyline.save()
    ref = {"ref": pairwise.asset(cast.mandate.owner_ref, cast.dvr.uuid)}
    asset = {"asset": ref, "refs": [{"scheme": "ticket", "value": "T-20418"}]}
    say(cast.mandate, cast.skyline, "ticket.opened", now=now, ticketId="T-20418", status="open",
        **asset)  # fmt: skip
    # Volt quotes the ticket, so both are on one journey, and brings a number of its own.
    quoted = [
        {"scheme": "ticket", "value": "T-20418"},
        {"scheme": "order", "value": "VOLT-77120"},
    ]
    mine = {"asset": {"ref": pairwise.asset(other.owner_ref, cast.dvr.uuid)}, "refs": quoted}
    say(other, other.supplier, "message.created", now=now, body="We come along.", **mine)
    journey = Journey.objects.get()
    assert set(journey.suppliers) == {cast.skyline.pk, other.supplier_id}
    body = "Thank you, see you on Friday"
    feed.act(owner=cast.ana, journey=journey, name="reply", data={"text": body}, now=now)
    for mandate in (cast.mandate, other):
        mandates.change(
            mandate=mandate,
            facts=[FactName.PLACE],
            purposes=[Purpose.SERVICE, Purpose.FEEDBACK],
            owner=cast.ana,
            now=now,
        )
        mandates.change(mandate=mandate, state=MandateState.PAUSED, owner=cast.ana, now=now)
        mandates.end(mandate=mandate, owner=cast.ana, now=now)

    told = {}
    for mandate in (cast.mandate, other):
        events = list(OutboundEvent.objects.filter(mandate=mandate))
        assert {event.type for event in events} >= {"owner.message.sent", "owner.mandate.revoked"}
        found = {text for event in events for text in strings(event.data)}
        written = letters.write_all(events)
        for letter in written.values():
            found |= {letter.sender, letter.message_id, *letter.headers.values()}
        told[mandate.pk] = found
        whole = json.dumps([event.data for event in events])
        whole += "".join(letter.text for letter in written.values())
        for secret in (
            cast.household.uuid, cast.ana.uuid, cast.dvr.uuid, journey.uuid, mandate.uuid,
            cast.ana.email, "+12125550100", "Hart", cast.household.intake_alias or "hart",
        ):  # fmt: skip
            assert str(secret) not in whole, secret
    shared = told[cast.mandate.pk] & told[other.pk]
    # The ticket is what Volt itself had quoted.
    assert {text for text in shared if not COMMON.fullmatch(text)} <= {"T-20418", "auto-generated"}
    assert "VOLT-77120" in told[other.pk] - told[cast.mandate.pk]


def test_a_thing_is_found_by_the_name_its_supplier_has_for_it_and_no_other(
    cast: factories.Cast, other: Mandate, now: datetime
) -> None:
    for mandate, expected in ((other, cast.dvr), (cast.mandate, None)):
        ref = pairwise.asset(mandate.owner_ref, cast.dvr.uuid)
        say(other, other.supplier, "message.created", now=now, body="Hello", asset={"ref": ref},
            entity={"id": mandate.owner_ref})  # fmt: skip
        contact = Contact.objects.latest("pk")
        assert contact.asset == expected
        contact.inbound = None
        contact.save()
        Contact.objects.all().delete()
        InboundEvent.objects.all().delete()


def test_a_name_is_the_same_for_ever_and_tells_nothing(cast: factories.Cast) -> None:
    first = pairwise.asset("own_one", cast.dvr.uuid)
    assert first == pairwise.asset("own_one", cast.dvr.uuid)
    others = {
        pairwise.asset("own_two", cast.dvr.uuid),
        pairwise.asset("own_one", Asset().uuid),
        pairwise.journey("own_one", cast.dvr.uuid),
    }
    assert first not in others
    assert len(others) == 3
    assert re.fullmatch(r"ast_[a-z2-9]{26}", first)
