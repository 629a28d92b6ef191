"""Who speaks to thousands at once holds up nobody else: in the inbox, at the cards, on the way."""

from collections.abc import Sequence

import pytest

from notifications import feed, pipeline
from notifications.choices import DeliveryState
from notifications.models import Delivery
from owners import clock, doorbell
from suppliers import inbox
from suppliers.inbox import Received
from suppliers.models import Contact, InboundEvent
from tests.bench import world
from tests.bench.rows import recall

pytestmark = pytest.mark.django_db


def arrive(received: Sequence[Received]) -> None:
    inbox.record(received=received, now=clock.now())


def tickets(here: world.World) -> list[Received]:
    data = {"status": "open", "title": "A question"}
    return [
        recall.event(here, number, "ticket.opened", {**data, "ticketId": f"t-{number}"})
        for number in range(len(here.refs))
    ]


def test_what_is_told_at_once_rings_for_its_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    here = recall.people("alone", 1)
    arrive(recall.recalls(here))
    monkeypatch.setattr(doorbell, "ring", rung.append)
    pipeline.pump(now_fn=clock.now)
    assert Delivery.objects.filter(state=DeliveryState.PENDING).count() == 1
    assert "delivery" in rung


def test_what_waits_for_its_hold_rings_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    here = recall.people("alone", 1)
    monkeypatch.setattr(doorbell, "ring", rung.append)
    recall.booked(here)
    assert "delivery" not in rung


def test_a_flood_in_the_inbox_holds_up_nobody_else() -> None:
    crowd, other = world.build("flood", households=8), world.build("other", households=1)
    arrive([*tickets(crowd), *tickets(other)])
    inbox.process_due(now=clock.now(), limit=4)
    assert Contact.objects.filter(household__in=other.households).exists()
    assert Contact.objects.filter(household__in=crowd.households).count() == 4


def test_without_a_flood_the_oldest_come_first() -> None:
    firms = [world.build(f"firm{number}", households=1) for number in range(6)]
    for firm in firms:
        arrive(tickets(firm))
    inbox.process_due(now=clock.now(), limit=5)
    left = InboundEvent.objects.get(state="stored")
    assert left.supplier == firms[-1].supplier


def test_whoever_hears_from_a_firm_of_few_is_decided_first(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, other = world.build("flood", households=6), world.build("other", households=1)
    arrive([*tickets(crowd), *tickets(other)])
    inbox.process_due(now=clock.now())
    monkeypatch.setattr(feed, "HOUSEHOLDS_AT_ONCE", 1)
    feed.consolidate_due(now=clock.now())
    decided = Contact.objects.exclude(decided_at=None)
    assert [contact.household_id for contact in decided] == other.households
