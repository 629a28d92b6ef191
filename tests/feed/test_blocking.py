"""Blocking a sender or a supplier: kept, counted, shown to nobody, told to nobody, reversible."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from notifications import blocking, feed, verdict
from notifications.models import Link
from owners import households
from suppliers import inbox, mandates, processing
from suppliers.api import v1
from suppliers.choices import MandateState, Outcome, Way
from suppliers.models import Contact, InboundEvent, OutboundEvent
from tests.factories import Cast
from tests.feed.test_feed import say  # noqa: F401 - a fixture

STRANGER = "Cheap Roofs <hi@roofs.example>"


@pytest.fixture
def write(cast: Cast, now: datetime) -> Any:
    """Return what sends a mail to the household and decides about it."""

    def send(sender: str, *, to: str = "", proof: str = "pass") -> Contact:
        number = InboundEvent.objects.count()
        recipient = to or households.intake_address(cast.household)
        raw = (
            f"From: {sender}\r\nTo: {recipient}\r\nSubject: Offer {number}\r\n"
            f"Message-ID: <m{number}@roofs.example>\r\n"
            "Date: Mon, 09 Nov 2026 13:00:00 +0000\r\n\r\nA new roof.\r\n"
        )
        mail = inbox.Received(
            supplier_id=None,
            household_id=None,
            way=Way.MAIL,
            source=f"mail:{recipient}",
            event_id=f"m{number}",
            type="",
            payload=raw.encode(),
            routing={"recipient": recipient, "authentication": proof},
        )
        inbox.record(received=[mail], now=now)
        processing.process_due(now=now)
        feed.consolidate_due(now=now)
        return Contact.objects.latest("pk")

    return send


def outcomes() -> list[str]:
    return list(Contact.objects.order_by("pk").values_list("outcome", flat=True))


def test_a_blocked_sender_is_kept_counted_and_never_shown_until_unblocked(
    cast: Cast, now: datetime, write
) -> None:
    first, second = write(STRANGER), write("hi@ROOFS.example")
    assert outcomes() == [Outcome.DOOR, Outcome.DOOR]
    block = blocking.block_sender(contact=first, owner=cast.ana, now=now)
    assert outcomes() == [Outcome.HELD, Outcome.HELD]
    write(STRANGER, proof="fail")
    write("other@roofs.example")
    assert outcomes() == [Outcome.HELD] * 3 + [Outcome.DOOR]
    (listed,) = blocking.listed(owner=cast.ana)
    assert (listed.name, listed.count) == ("hi@roofs.example", 3)
    assert not OutboundEvent.objects.exists()
    assert blocking.listed(owner=cast.mallory) == []
    blocking.unblock(block=block, owner=cast.ana, now=now)
    assert outcomes() == [Outcome.DOOR] * 4
    second.refresh_from_db()
    assert (second.refusal, second.reason) == ("", "unknown_sender")


def test_whoever_imitates_a_supplier_is_blocked_without_silencing_the_supplier(
    cast: Cast, now: datetime, write
) -> None:
    fake = write("visits@skyline.example", to=cast.alias, proof="fail")
    assert fake.outcome == Outcome.DOOR
    blocking.block_sender(contact=fake, owner=cast.ana, now=now)
    assert write("visits@skyline.example", to=cast.alias, proof="fail").outcome == Outcome.HELD
    assert write("visits@skyline.example", to=cast.alias).outcome == Outcome.SHOWN


def test_a_blocked_supplier_learns_nothing_of_it(cast: Cast, now: datetime, say) -> None:  # noqa: F811
    say("message.created", body="The first.")
    block = blocking.block_supplier(mandate=cast.mandate, owner=cast.ana, now=now)
    again = blocking.block_supplier(mandate=cast.mandate, owner=cast.ana, now=now)
    assert again.pk == block.pk
    event = {
        "id": "v-1",
        "source": "/suppliers/skyline",
        "type": "message.created",
        "time": now.isoformat(),
        "data": {"owner": cast.mandate.owner_ref, "body": "The second."},
    }
    assert verdict.judge(supplier=cast.skyline, event=event, now=now).outcome == Outcome.SHOWN
    contact = say("message.created", body="The second.")
    assert (contact.outcome, contact.reason) == (Outcome.HELD, "sender_blocked")
    assert contact.inbound is not None
    assert "outcome" not in v1.status_of(contact.inbound)
    assert not OutboundEvent.objects.exists()
    (listed,) = blocking.listed(owner=cast.ana)
    assert (listed.name, listed.count) == (cast.skyline.name, 1)
    blocking.unblock(block=block, owner=cast.ana, now=now)
    contact.refresh_from_db()
    assert contact.outcome == Outcome.SHOWN
    assert Link.objects.filter(contact=contact, revoked_at=None).exists()


def test_only_who_waits_at_the_door_and_has_a_name_is_blocked_there(
    cast: Cast,
    now: datetime,
    say,  # noqa: F811
    write,
) -> None:
    shown, nameless = say("message.created", body="Hello."), write("<>")
    with pytest.raises(blocking.BlockError, match="Door"):
        blocking.block_sender(contact=shown, owner=cast.ana, now=now)
    with pytest.raises(blocking.BlockError, match="who"):
        blocking.block_sender(contact=nameless, owner=cast.ana, now=now)


def test_what_a_paused_supplier_sends_is_kept_and_joins_when_it_is_resumed(
    cast: Cast,
    now: datetime,
    say,  # noqa: F811
) -> None:
    mandates.change(mandate=cast.mandate, state=MandateState.PAUSED, owner=cast.ana, now=now)
    kept = say("message.created", body="We moved.")
    assert (kept.outcome, kept.reason) == (Outcome.HELD, "mandate_paused")
    later = now + timedelta(days=1)
    mandates.change(mandate=cast.mandate, state=MandateState.ACTIVE, owner=cast.ana, now=later)
    feed.consolidate_due(now=later)
    kept.refresh_from_db()
    assert (kept.outcome, kept.refusal) == (Outcome.SHOWN, "")
