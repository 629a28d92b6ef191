"""A fault in one household's data, or in a rule that meets it, holds up nobody else."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from notifications import apart, feed, settling
from notifications.models import Card, Journey, Notification
from owners.models import Household
from suppliers import inbox
from suppliers.choices import Way
from suppliers.models import Contact, Mandate
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(cast: factories.Cast) -> Mandate:
    """Return another household's mandate for the same supplier."""
    home = factories.HouseholdFactory.create()
    factories.MembershipFactory.create(household=home)
    return factories.MandateFactory.create(household=home, supplier=cast.skyline)


def say(cast: factories.Cast, mandate: Mandate, name: str, *, now: datetime, **data: Any) -> None:
    event = {
        "specversion": "1.0",
        "id": name,
        "source": "/skyline",
        "type": "ticket.opened",
        "time": now.isoformat(),
        "data": {
            "owner": mandate.owner_ref, "ticketId": name, "status": "open", "title": "Hello", **data
        },
    }  # fmt: skip
    received = inbox.Received(
        supplier_id=cast.skyline.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source="/skyline",
        event_id=name,
        type="ticket.opened",
        payload=json.dumps(event).encode(),
    )
    inbox.record(received=[received], now=now)
    inbox.process_due(now=now)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch, cast: factories.Cast) -> list[int]:
    """Let the rules fail on the households in this list."""
    bad: list[int] = []
    fold = settling.settle

    def settle(ledger: Any, uuids: set[str], **more: Any) -> Any:
        if any(ledger.journeys[uuid].household_id in bad for uuid in uuids):
            raise ZeroDivisionError("a private word")
        return fold(ledger, uuids, **more)

    monkeypatch.setattr(settling, "settle", settle)
    return bad


def decided() -> set[int]:
    return set(Contact.objects.exclude(decided_at=None).values_list("household", flat=True))


def test_the_others_are_decided_and_it_is_tried_again(
    cast: factories.Cast,
    other: Mandate,
    fault: list[int],
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault.append(cast.household.pk)
    say(cast, cast.mandate, "a", now=now)
    say(cast, other, "b", now=now)
    assert feed.consolidate_due(now=now) == 1
    assert decided() == {other.household_id}
    assert feed.consolidate_due(now=now) == 0
    assert "household_put_off" in caplog.text
    assert "a private word" not in caplog.text
    fault.clear()
    assert feed.consolidate_due(now=now + apart.PUT_OFF - timedelta(seconds=1)) == 0
    assert feed.consolidate_due(now=now + apart.PUT_OFF) == 1
    assert decided() == {cast.household.pk, other.household_id}


def test_the_others_are_told_and_swept(
    cast: factories.Cast, other: Mandate, fault: list[int], now: datetime
) -> None:
    say(cast, cast.mandate, "a", now=now)
    say(cast, other, "b", now=now)
    feed.consolidate_due(now=now)
    Journey.objects.update(next_at=now)
    fault.append(cast.household.pk)
    assert feed.sweep(now=now) == 1
    assert list(Journey.objects.due(now).values_list("household", flat=True)) == []
    late = Journey.objects.get(household=cast.household)
    assert late.next_at == now + apart.PUT_OFF
    for journey in Journey.objects.all():
        member = journey.household.memberships.get()
        factories.NotificationFactory.create(
            journey=journey, owner=member.owner, state="planned", not_before=now
        )
    assert Notification.objects.due(now).count() == 2
    assert feed.tell_due(now=now) == 1
    late_one = Notification.objects.get(household=cast.household, not_before=now + apart.PUT_OFF)
    assert late_one.state == "planned"
    assert not Notification.objects.due(now).exists()
    assert Card.objects.count() == 2


def test_a_database_that_is_away_puts_nobody_off(
    cast: factories.Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(cast, cast.mandate, "a", now=now)

    def away(*_: object, **__: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(settling, "consolidate", away)
    with pytest.raises(OperationalError):
        feed.consolidate_due(now=now)
    assert Contact.objects.get().not_before is None
    assert Household.objects.filter(pk=cast.household.pk).exists()
