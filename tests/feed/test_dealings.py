"""What the owner says to an offer, a bill or a recall goes out with what was shown."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from notifications import feed
from notifications.feed import ActionError
from notifications.models import Card, Journey
from suppliers import inbox, outbox
from suppliers.models import OutboundEvent
from tests.factories import Cast
from tests.wire import sending

pytestmark = pytest.mark.django_db
QUOTE = {
    "quoteId": "Q-310",
    "lines": [{"name": "New drive"}],
    "total": {"amount": "49.00", "currency": "USD"},
    "validUntil": "2026-12-01",
}
INVOICE = {
    "invoiceNumber": "INV-5520",
    "total": {"amount": "79.00", "currency": "USD"},
    "dueDate": "2026-12-01",
}
RECALL = {
    "recallNumber": "26-114", "product": "DVR", "hazard": "Fire", "consumerAction": "Unplug it",
    "remedies": ["repair"], "confidence": "serial",
}  # fmt: skip


@pytest.fixture
def say(cast: Cast, now: datetime) -> Callable[..., None]:
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    count = iter(range(100))

    def send(type_: str, **data: Any) -> None:
        number = next(count)
        at = now + timedelta(minutes=number)
        said = {"owner": cast.mandate.owner_ref, **data}
        body = sending.event(cast, number, type=type_, time=at.isoformat(), data=said)
        assert sending.post(body, at=at, now=at).status_code == 202
        inbox.process_due(now=at)
        feed.consolidate_due(now=at)

    return send


@pytest.fixture
def act(cast: Cast, now: datetime) -> Callable[..., OutboundEvent]:
    """Let Ana act; returns what went to the supplier."""
    later = now + timedelta(hours=1)

    def do(name: str, **data: Any) -> OutboundEvent:
        journey = Journey.objects.get()
        feed.act(owner=cast.ana, journey=journey, name=name, data=data, now=later)
        outbox.send_due(now=later)
        return OutboundEvent.objects.latest("pk")

    return do


def offered() -> set[str]:
    return {action["name"] for action in Card.objects.get().body["actions"]}


@pytest.mark.parametrize(("name", "told"), [("accept", "accepted"), ("decline", "declined")])
def test_an_offer_is_answered_with_the_price_that_was_shown_and_its_hash(
    say: Callable[..., None], act: Callable[..., OutboundEvent], name: str, told: str
) -> None:
    say("quote.offered", **QUOTE)
    assert {"accept", "decline"} <= offered()
    sent = act(name)
    assert (sent.type, sent.data["quoteId"]) == (f"owner.quote.{told}", "Q-310")
    shown = sent.data["shown"]
    assert "49.00 USD" in shown["text"]
    assert shown["sha256"] == hashlib.sha256(shown["text"].encode()).hexdigest()
    letter = mail.outbox[-1].body
    assert "> " in letter
    assert shown["sha256"] in letter
    assert {"accept", "decline"}.isdisjoint(offered())


def test_a_bill_is_disputed_in_words_and_only_while_it_is_open(
    say: Callable[..., None], act: Callable[..., OutboundEvent]
) -> None:
    say("invoice.issued", **INVOICE)
    with pytest.raises(ActionError):
        act("dispute", text=" ")
    sent = act("dispute", text="We were told 49.00.")
    assert (sent.type, sent.data["invoiceNumber"]) == ("owner.invoice.disputed", "INV-5520")
    assert sent.data["body"] == "We were told 49.00."
    assert "79.00 USD" in sent.data["shown"]["text"]
    assert "dispute" not in offered()
    with pytest.raises(ActionError):
        act("dispute", text="Again.")


def test_a_recall_is_known_of_and_then_its_remedy_chosen(
    say: Callable[..., None], act: Callable[..., OutboundEvent]
) -> None:
    say("recall.issued", **RECALL)
    assert {"acknowledge", "choose_remedy", "not_mine"} <= offered()
    sent = act("acknowledge")
    assert (sent.type, sent.data["recallNumber"]) == ("owner.recall.acknowledged", "26-114")
    assert "acknowledge" not in offered()
    sent = act("choose_remedy", text="repair")
    assert (sent.type, sent.data["remedy"]) == ("owner.recall.remedy_chosen", "repair")


def test_a_recall_of_what_is_not_ours_any_more_is_answered_so(
    say: Callable[..., None], act: Callable[..., OutboundEvent]
) -> None:
    say("recall.issued", **RECALL)
    assert act("not_mine").type == "owner.recall.not_owner"
    assert {"choose_remedy", "not_mine"}.isdisjoint(offered())
