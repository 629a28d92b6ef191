"""Tell once: whoever is chosen hears it once, may be kept from it in time, and is awaited."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from assets import register
from assets.choices import Lifecycle, NoticeKind
from assets.models import Notice
from notifications import pipeline, portal
from notifications.models import Card
from suppliers import announcing, disclosure, inbox, letters, outbox, pairwise
from suppliers.announcements import Addressee
from suppliers.announcing import News, NewsError
from suppliers.choices import AnswerState, FactName, NewsKind, RoleKind
from suppliers.models import ConsentReceipt, Mandate, OutboundEvent, Supplier
from tests import factories
from tests.factories import Cast
from tests.wire.sending import NOW
from tests.wire.test_processing import received

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MOVED = News(kind=NewsKind.MOVED, value="7 Oak Lane\nShelbyville", on=date(2026, 12, 1))


@pytest.fixture
def garage(cast: Cast) -> Mandate:
    """A second supplier, which reads mail and repairs the DVR."""
    supplier: Any = factories.SupplierFactory(name="Garage", technical_contact="in@garage.example")
    factories.RoleFactory(asset=cast.dvr, supplier=supplier, kind=RoleKind.REPAIRER)
    made: Any = factories.MandateFactory(household=cast.household, supplier=supplier)
    return Mandate.objects.get(pk=made.pk)


@pytest.fixture(autouse=True)
def reached(cast: Cast) -> None:
    Supplier.objects.filter(pk=cast.skyline.pk).update(technical_contact="ops@skyline.example")
    disclosure.write_home(cast.household, {"address": "12 Elm Street"})
    Mandate.objects.filter(pk=cast.mandate.pk).update(facts=["address"])


def announced(cast: Cast, news: News = MOVED, *chosen: Mandate, **more: Any) -> Any:
    mandates = chosen or (Mandate.objects.get(pk=cast.mandate.pk),)
    return announcing.announce(
        household=cast.household, news=news, chosen=mandates, owner=cast.ana, now=NOW, **more
    )


def sent() -> list[OutboundEvent]:
    return list(OutboundEvent.objects.filter(type__startswith="owner.").order_by("pk"))


def answers(cast: Cast, told: Any, kind: str, **data: Any) -> Addressee:
    """Let Skyline answer by a signed event that quotes the request."""
    ref = pairwise.journey(cast.mandate.owner_ref, told.uuid)
    said = {"owner": cast.mandate.owner_ref, "refs": [{"scheme": "thread", "value": ref}], **data}
    number = OutboundEvent.objects.count() + Addressee.objects.exclude(answer=None).count() + 10
    inbox.record(received=[received(cast, number, type=kind, data=said)], now=NOW)
    pipeline.drain(now_fn=lambda: NOW)
    return Addressee.objects.get(announcement=told, mandate=cast.mandate)


def test_each_hears_the_new_address_once_and_learns_no_more_than_it(
    cast: Cast, garage: Mandate
) -> None:
    told = announced(cast, MOVED, Mandate.objects.get(pk=cast.mandate.pk), garage)
    assert disclosure.written(cast.household)["address"] == MOVED.value
    events = {event.mandate_id: event for event in sent()}
    assert set(events) == {cast.mandate.pk, garage.pk}
    for event in events.values():
        assert event.type == "owner.mandate.changed"
        assert event.data["facts"] == {"address": MOVED.value}
        assert (event.data["changed"], event.data["from"]) == (["address"], "2026-12-01")
        assert event.next_at == NOW + announcing.HELD
    assert events[garage.pk].data["requestId"] != events[cast.mandate.pk].data["requestId"]
    # Whoever did not know it is let know, and a receipt says so.
    garage.refresh_from_db()
    assert garage.facts == [FactName.ADDRESS]
    assert ConsentReceipt.objects.filter(mandate=garage).count() == 1
    letter = letters.write_all([events[garage.pk]])[events[garage.pk].pk]
    assert letter.subject == "We have a new address"
    assert "From 1 December 2026 our address is: 7 Oak Lane Shelbyville." in letter.text
    assert Addressee.objects.filter(announcement=told).count() == 2


def test_the_same_form_sent_twice_tells_once(cast: Cast) -> None:
    name = uuid4()
    assert announced(cast, name=name) == announced(cast, name=name)
    assert len(sent()) == 1


def test_taken_back_in_time_nobody_hears_it_and_nobody_knows_more(
    cast: Cast, garage: Mandate
) -> None:
    told = announced(cast, MOVED, garage)
    assert announcing.withdraw(told=told, owner=cast.ana, now=NOW + MINUTE) == (1, 0)
    assert sent() == []
    assert disclosure.written(cast.household)["address"] == "12 Elm Street"
    garage.refresh_from_db()
    assert garage.facts == []
    assert not Notice.objects.open().exists()
    assert announcing.withdraw(told=told, owner=cast.ana, now=NOW + MINUTE) == (0, 0)


def test_what_has_gone_out_stays_and_is_said_to(cast: Cast, garage: Mandate) -> None:
    told = announced(cast, MOVED, Mandate.objects.get(pk=cast.mandate.pk), garage)
    OutboundEvent.objects.filter(mandate=cast.mandate).update(tried=1, state="sent")
    assert announcing.withdraw(told=told, owner=cast.ana, now=NOW + MINUTE) == (1, 1)
    assert disclosure.written(cast.household)["address"] == MOVED.value
    assert told.addressees.count() == 1


@pytest.mark.parametrize(
    ("news", "field"),
    [
        (News(kind=NewsKind.MOVED), "value"),
        (News(kind=NewsKind.NUMBER, value="call me"), "value"),
        (News(kind=NewsKind.EMAIL, value="not an address"), "value"),
        (News(kind=NewsKind.SOLD), "asset"),
    ],
)
def test_what_cannot_be_told_says_why_and_tells_nobody(cast: Cast, news: News, field: str) -> None:
    with pytest.raises(NewsError) as caught:
        announced(cast, news)
    assert caught.value.field == field
    assert sent() == []
    assert disclosure.written(cast.household)["address"] == "12 Elm Street"


def test_a_thing_that_is_still_ours_is_not_told_as_gone(cast: Cast) -> None:
    with pytest.raises(NewsError, match="still yours"):
        announced(cast, News(kind=NewsKind.SOLD, asset=cast.dvr))


def test_a_new_mail_address_without_one_is_each_supplier_s_own(cast: Cast) -> None:
    announced(cast, News(kind=NewsKind.EMAIL))
    (event,) = sent()
    assert event.data["email"].startswith(cast.mandate.alias)


def test_who_heard_that_a_thing_went_is_not_told_again(cast: Cast, garage: Mandate) -> None:
    register.edit(asset=cast.dvr, values={"lifecycle": Lifecycle.LEAVING}, owner=cast.ana, now=NOW)
    cast.dvr.refresh_from_db()
    told = announced(cast, News(kind=NewsKind.SOLD, asset=cast.dvr), garage)
    (event,) = sent()
    assert event.type == "owner.asset.transferred"
    assert set(event.data["asset"]) == {"ref", "name", "kind"}
    register.edit(asset=cast.dvr, values={"lifecycle": Lifecycle.ENDED}, owner=cast.ana, now=NOW)
    told_of = [(one.mandate_id, one.type) for one in sent()]
    assert told_of == [
        (garage.pk, "owner.asset.transferred"),
        (cast.mandate.pk, "owner.asset.disposed"),
    ]
    # And the other way round: who heard it when it went cannot be chosen again.
    cast.dvr.refresh_from_db()
    able = announcing.candidates(household=cast.household, kind=NewsKind.SOLD, asset=cast.dvr)
    assert all(not one.is_choosable for one in able)
    assert told.addressees.count() == 1


@pytest.mark.parametrize(
    ("kind", "data", "state"),
    [
        ("ticket.updated", {"ticketId": "T-1", "status": "open"}, AnswerState.RECEIVED),
        ("message.created", {"body": "Thank you, noted."}, AnswerState.ANSWERED),
        ("ticket.resolved", {"ticketId": "T-1", "status": "done"}, AnswerState.CONFIRMED),
        (
            "ticket.information_required",
            {"ticketId": "T-1", "status": "open", "asks": [{"fact": "form", "prompt": "Form?"}]},
            AnswerState.NEEDS,
        ),
    ],
)
def test_an_answer_that_quotes_the_request_is_noted(
    cast: Cast, kind: str, data: dict[str, Any], state: AnswerState
) -> None:
    told = announced(cast)
    row = answers(cast, told, kind, **data)
    assert row.state == state
    assert row.answer is not None


def test_a_receipt_does_not_undo_a_confirmation_and_the_owner_s_word_beats_all(cast: Cast) -> None:
    told = announced(cast)
    answers(cast, told, "ticket.resolved", ticketId="T-1", status="done")
    row = answers(cast, told, "ticket.updated", ticketId="T-1", status="open")
    assert row.state == AnswerState.CONFIRMED
    announcing.settle(row=row, state=AnswerState.SETTLED, now=NOW)
    row = answers(cast, told, "message.created", body="One more thing.")
    assert row.state == AnswerState.SETTLED


def test_what_quotes_nothing_is_not_guessed_to_be_an_answer(cast: Cast) -> None:
    announced(cast)
    said = {"owner": cast.mandate.owner_ref, "body": "Thank you, noted."}
    inbox.record(received=[received(cast, 90, type="message.created", data=said)], now=NOW)
    pipeline.drain(now_fn=lambda: NOW)
    assert Addressee.objects.get().state == AnswerState.WAITING


def test_who_does_not_answer_is_one_line_and_the_last_answer_ends_it(
    cast: Cast, garage: Mandate
) -> None:
    told = announced(cast, MOVED, Mandate.objects.get(pk=cast.mandate.pk), garage)
    assert Notice.objects.get().kind == NoticeKind.TOLD
    pipeline.drain(now_fn=lambda: NOW + 13 * DAY)
    assert not Card.objects.exists()
    late = NOW + announcing.PATIENCE + DAY
    pipeline.drain(now_fn=lambda: late)
    (card,) = Card.objects.all()
    assert card.title == "No answer yet to what you told: Garage, Skyline TV"
    for row in told.addressees.all():
        announcing.settle(row=row, state=AnswerState.CONFIRMED, now=late)
    pipeline.drain(now_fn=lambda: late)
    card.refresh_from_db()
    assert card.section in ("done", "quiet")


def test_what_is_told_is_withdrawn_from_the_outbox_by_name_only(cast: Cast) -> None:
    announced(cast)
    other = outbox.send(
        mandate=cast.mandate, type="owner.message.sent", data={"body": "x"}, now=NOW
    )
    told = announcing.mine(cast.ana).get()
    announcing.withdraw(told=told, owner=cast.ana, now=NOW)
    assert [event.uuid for event in sent()] == [other.uuid]


@pytest.mark.parametrize(
    ("more", "cards"),
    [({}, 0), ({"summary": "We have charged 12.00 for it."}, 1)],
    ids=["noted", "with words"],
)
def test_an_answer_that_says_no_more_has_no_card_of_its_own(
    cast: Cast, more: dict[str, Any], cards: int
) -> None:
    told = announced(cast)
    row = answers(cast, told, "ticket.resolved", ticketId="T-1", status="done", **more)
    assert row.state == AnswerState.CONFIRMED
    assert Card.objects.count() == cards
    assert row.answer is not None
    assert (row.answer.reason == "answers_news") == (cards == 0)


def test_the_supplier_s_people_read_it_once_it_has_gone_and_tick_it_off(cast: Cast) -> None:
    told = announced(cast)
    (event,) = sent()
    assert portal.requests(supplier=cast.skyline, now=NOW) == []
    later = NOW + announcing.HELD
    (request,) = portal.requests(supplier=cast.skyline, now=later)
    assert request.event == event
    portal.answer(supplier=cast.skyline, event=event.uuid, now=later)
    assert Addressee.objects.get(announcement=told).state == AnswerState.CONFIRMED
    assert portal.open_requests(supplier=cast.skyline, now=later) == 0
    assert not Notice.objects.open().exists()
