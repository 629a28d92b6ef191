"""What a supplier publishes of itself is taken in, as far as it is proved."""

import json
from typing import Any

import pytest

from suppliers import inbox
from suppliers.choices import EventState, Way
from suppliers.models import InboundEvent, OutboundEvent, SupplierDomain, SupplierNumber
from tests.factories import Cast, SupplierFactory, SupplierNumberFactory
from tests.wire.sending import NOW, event

pytestmark = pytest.mark.django_db


def publish(cast: Cast, **data: Any) -> InboundEvent:
    found = event(cast, type="supplier.contact_updated", data=data)
    received = inbox.Received(
        supplier_id=cast.skyline.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source=found["source"],
        event_id=found["id"],
        type=found["type"],
        payload=json.dumps(found).encode(),
    )
    inbox.record(received=[received], now=NOW)
    inbox.process_due(now=NOW)
    return InboundEvent.objects.get()


def test_numbers_domains_and_senders_are_known_from_then_on(cast: Cast) -> None:
    done = publish(
        cast,
        numbers=["+1 212 555 0147"],
        domains=["visits.skyline.example"],
        senders=["desk@visits.skyline.example"],
    )
    assert done.state == EventState.PROCESSED
    number = SupplierNumber.objects.get(number="+12125550147")
    assert (number.supplier, number.household) == (cast.skyline, None)
    domain = SupplierDomain.objects.get(domain="visits.skyline.example")
    assert (domain.supplier, domain.household) == (cast.skyline, None)
    cast.skyline.refresh_from_db()
    assert cast.skyline.technical_contact == "desk@visits.skyline.example"


def test_what_an_unverified_entry_publishes_holds_only_where_it_was_let_in(cast: Cast) -> None:
    cast.skyline.verified_at = None
    cast.skyline.save()
    publish(cast, numbers=["+12125550147"])
    assert SupplierNumber.objects.get(number="+12125550147").household == cast.household


@pytest.mark.parametrize(
    ("data", "code", "pointer"),
    [
        ({"domains": ["bank.example"]}, "unproved_domain", "/data/domains/0"),
        ({"senders": ["a@bank.example"]}, "unproved_domain", "/data/senders/0"),
        ({"senders": ["nobody"]}, "invalid_field", "/data/senders/0"),
        ({"numbers": ["12"]}, "invalid_field", "/data/numbers/0"),
        ({"numbers": "12"}, "invalid_field", "/data/numbers"),
        ({"numbers": ["+12125550148"]}, "number_taken", "/data/numbers/0"),
    ],
)
def test_what_is_not_its_own_is_rejected_and_changes_nothing(
    cast: Cast, data: dict[str, Any], code: str, pointer: str
) -> None:
    SupplierNumberFactory.create(supplier=SupplierFactory.create(), number="+12125550148")
    before = SupplierNumber.objects.count(), SupplierDomain.objects.count()
    done = publish(cast, **{"numbers": ["+12125550147"], **data})
    assert (done.state, done.code, done.pointer) == (EventState.REJECTED, code, pointer)
    assert (SupplierNumber.objects.count(), SupplierDomain.objects.count()) == before
    assert OutboundEvent.objects.get().type == "steward.event.rejected"
