"""What suppliers are owed without the owner writing a word: things, wishes, what came too late."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from assets import register
from assets.choices import Lifecycle
from assets.undos import undo_change
from notifications import feed, pipeline
from notifications.models import Link
from owners import households
from owners.choices import Moment, Topic
from suppliers import (
    agreements,
    disclosure,
    letters,
    mandates,
    outbox,
    particulars,
    reaching,
    terms,
)
from suppliers.choices import FactName, MandateState, RoleKind, TermsEvent
from suppliers.models import Mandate, OutboundEvent, TermsRecord
from tests.factories import Cast
from tests.feed.test_feed import say, visit  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(cast: Cast) -> Any:
    """Return what Skyline, which has an endpoint, was told since: types and data."""
    cast.skyline.webhook_url = "https://skyline.example/hooks"
    cast.skyline.save()
    cast.mandate.assets.set([cast.dvr])

    def read() -> list[tuple[str, dict[str, Any]]]:
        rows = OutboundEvent.objects.order_by("pk")
        return [(row.type, row.data) for row in rows]

    return read


def test_a_supplier_hears_of_the_things_it_serves_no_more_than_was_granted(
    cast: Cast, now: datetime, heard
) -> None:
    role = particulars.give_role(
        asset=cast.dvr, supplier=cast.skyline, kind=RoleKind.INSURER, now=now
    )
    particulars.give_role(asset=cast.dvr, supplier=cast.skyline, kind=RoleKind.INSURER, now=now)
    particulars.take_role(role=role, owner=cast.ana, now=now)
    change = register.edit(
        asset=cast.dvr, values={"lifecycle": Lifecycle.ENDED}, owner=cast.ana, now=now
    )
    assert change is not None
    undo_change(change, cast.ana, now)
    found = heard()
    assert [type_ for type_, _ in found] == [
        "owner.asset.linked",
        "owner.asset.unlinked",
        "owner.asset.disposed",
        "owner.asset.linked",
    ]
    assert found[0][1]["role"] == "insurer"
    for _type, data in found:
        assert set(data["asset"]) == {"ref", "name", "kind"}
    cast.dvr.refresh_from_db()
    mandates.disclose(
        mandate=cast.mandate, fact=FactName.SERIAL, is_on=True, owner=cast.ana, now=now
    )
    register.edit(asset=cast.dvr, values={"lifecycle": Lifecycle.ENDED}, owner=cast.ana, now=now)
    assert "identifiers" in heard()[-1][1]["asset"]


@pytest.mark.parametrize("state", [MandateState.PAUSED, MandateState.ENDED])
def test_who_may_not_act_hears_of_no_thing(cast: Cast, now: datetime, heard, state) -> None:
    Mandate.objects.update(state=state)
    register.edit(asset=cast.dvr, values={"lifecycle": Lifecycle.ENDED}, owner=cast.ana, now=now)
    particulars.give_role(asset=cast.dvr, supplier=cast.skyline, kind=RoleKind.INSURER, now=now)
    assert heard() == []


def test_wishes_are_told_once_an_hour_and_never_what_they_are(
    cast: Cast, now: datetime, heard
) -> None:
    wish = households.TopicWish(topic=Topic.MONEY, moment=Moment.NEVER)
    for at in (now, now + timedelta(minutes=3)):
        households.set_wishes(membership=cast.membership, values={}, topics=[wish], now=at)
    assert pipeline.next_at(after=now) == now + reaching.SETTLES
    for at in (now + reaching.SETTLES - timedelta(seconds=1), now + reaching.SETTLES):
        assert heard() == []
        pipeline.tick(now=at)
    pipeline.tick(now=now + timedelta(hours=3))
    assert heard() == [("owner.reach.changed", {"owner": cast.mandate.owner_ref})]


def test_what_changes_after_the_word_was_sent_is_worth_another(
    cast: Cast, now: datetime, heard
) -> None:
    wish = households.TopicWish(topic=Topic.MONEY, moment=Moment.NEVER)
    for hours in (0, 2):
        at = now + timedelta(hours=hours)
        households.set_wishes(membership=cast.membership, values={}, topics=[wish], now=at)
        pipeline.tick(now=at + reaching.SETTLES)
    assert len(heard()) == 2


def test_the_word_that_is_owed_holds_back_no_answer(cast: Cast, now: datetime, heard) -> None:
    wish = households.TopicWish(topic=Topic.MONEY, moment=Moment.NEVER)
    households.set_wishes(membership=cast.membership, values={}, topics=[wish], now=now)
    outbox.send(mandate=cast.mandate, type="owner.message.sent", data={"body": "x"}, now=now)
    assert outbox.send_due(now=now) == 1


def test_who_may_not_act_any_more_when_the_word_is_due_gets_none(
    cast: Cast, now: datetime, heard
) -> None:
    wish = households.TopicWish(topic=Topic.MONEY, moment=Moment.NEVER)
    households.set_wishes(membership=cast.membership, values={}, topics=[wish], now=now)
    Mandate.objects.update(state=MandateState.PAUSED)
    pipeline.tick(now=now + reaching.SETTLES)
    assert heard() == []


def test_news_of_things_and_wishes_is_not_kept_for_who_cannot_be_reached(
    cast: Cast, now: datetime
) -> None:
    wish = households.TopicWish(topic=Topic.MONEY, moment=Moment.NEVER)
    households.set_wishes(membership=cast.membership, values={}, topics=[wish], now=now)
    pipeline.tick(now=now + reaching.SETTLES)
    register.edit(asset=cast.dvr, values={"lifecycle": Lifecycle.ENDED}, owner=cast.ana, now=now)
    assert not OutboundEvent.objects.exists()


def test_a_supplier_hears_which_event_came_too_late(
    cast: Cast,
    now: datetime,
    heard,
    say,  # noqa: F811
) -> None:
    start = now + timedelta(days=2)
    say("appointment.requested", **visit(start, sequence=2))
    later = now + timedelta(minutes=1)
    say("appointment.updated", later, **visit(start + timedelta(hours=1), sequence=1))
    say("appointment.updated", later, **visit(start + timedelta(hours=2), sequence=3))
    feed.rebuild(household=cast.household, now=now)
    superseded = [data for type_, data in heard() if type_ == "steward.event.superseded"]
    assert superseded == [{"id": "e1", "source": "/skyline", "type": "appointment.updated"}]


def test_a_reply_to_a_ticket_that_waits_is_the_information_it_waits_for(
    cast: Cast,
    now: datetime,
    heard,
    say,  # noqa: F811
) -> None:
    asks = [{"fact": "serial", "prompt": "Which serial number?"}]
    contact = say("ticket.information_required", ticketId="T-1", status="waiting", asks=asks)
    journey = Link.objects.get(contact=contact).journey
    for minute, text in enumerate(("R15-204477", "Thank you.")):
        at = now + timedelta(minutes=1 + minute)
        feed.act(owner=cast.ana, journey=journey, name="reply", data={"text": text}, now=at)
    first, second = heard()
    assert first[0] == "owner.ticket.information_provided"
    assert (first[1]["ticketId"], first[1]["answer"]) == ("T-1", "R15-204477")
    assert second[0] == "owner.message.sent"


def test_ending_a_mandate_withdraws_the_terms_that_came_with_it(cast: Cast, now, heard) -> None:
    agreement = agreements.ROSTER["service-only"]
    terms.proffer(mandate=cast.mandate, agreement=agreement, owner=cast.ana, now=now)
    mandates.end(mandate=cast.mandate, owner=cast.ana, now=now)
    steps = TermsRecord.objects.order_by("pk").values_list("event", flat=True)
    assert list(steps) == [TermsEvent.PROFFERED, TermsEvent.WITHDRAWN]
    assert not terms.standing(cast.mandate)["service-only"].is_open
    type_, data = heard()[-1]
    assert type_ == "owner.mandate.revoked"
    assert [one["agreementUri"] for one in data["terms"]] == [agreement.uri]
    assert str(agreement.title) in letters.words_of(OutboundEvent.objects.latest("pk"))


def test_an_sms_names_the_household_only_as_the_supplier_may_know_it(
    cast: Cast, now: datetime
) -> None:
    sent = outbox.send(
        mandate=cast.mandate, type="owner.message.sent", data={"body": "Ring twice."}, now=now
    )
    text = letters.sms_of(sent)
    assert cast.household.name not in text
    assert mandates.alias_address(cast.mandate) in text
    disclosure.write_home(cast.household, {"name": "Ana Hart"})
    mandates.disclose(mandate=cast.mandate, fact=FactName.NAME, is_on=True, owner=cast.ana, now=now)
    sent.refresh_from_db()
    assert "Ana Hart" in letters.sms_of(sent)
