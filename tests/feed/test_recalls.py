"""A recall that may mean a thing reaches Today, whatever is muted, and says how sure it is."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from assets import recalls, register
from assets.choices import IdentifierScheme, Lifecycle, NoticeKind
from assets.cover_words import Confidence, RecallState
from assets.holdings import HoldingError
from assets.models import Asset, Notice, RecallMatch, RecallNotice
from assets.recall_matching import Criterion, Published
from assets.undos import UNDOS
from notifications import feed, pipeline
from notifications.choices import NotificationState, Section
from notifications.models import Card, Journey, Notification
from owners import households, undoing
from owners.choices import Level, Moment, Rank, Topic
from owners.models import Membership, Owner
from tests import factories

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 9, 18, tzinfo=UTC)  # 13:00 in New York
NIGHT = datetime(2026, 11, 10, 5, tzinfo=UTC)  # midnight there
MODEL = Criterion(brand="Samsung", model="RF28R7351SR", product="Refrigerators")
NUMBER = replace(MODEL, serial_from="0B1K4BAN400100Z", serial_to="0B1K4BAN400200Z")
SORT = Criterion(brand="Samsung", product="Refrigerators")


def published(*criteria: Criterion, **values: Any) -> Published:
    said: dict[str, Any] = {
        "source": "cpsc",
        "number": "26-114",
        "title": "Samsung recalls refrigerators: ice makers may overheat",
        "hazard": "The ice maker can overheat, posing a fire hazard.",
        "remedy": "Contact Samsung for a free repair.",
        "url": "https://www.cpsc.gov/Recalls/2026/26-114",
        "published_on": date(2026, 11, 5),
    }
    return Published(criteria=criteria, **said | values)


@pytest.fixture
def asset() -> Asset:
    """Ana's fridge, by its maker, model and serial number."""
    membership: Any = factories.MembershipFactory(
        rank=Rank.ADMIN, quiet_from=time(22), quiet_until=time(8)
    )
    return fridge(membership)


def fridge(membership: Membership, **values: Any) -> Asset:
    said = {"name": "Fridge", "template": "fridge", "maker": "Samsung", "model": "RF28R7351SR"}
    return register.add(
        household=membership.household,
        values=said | values,
        identifiers=[(IdentifierScheme.SERIAL, "0B1K4BAN400123Z")],
        now=MONDAY,
    )


def ana(asset: Asset) -> Owner:
    return Membership.objects.get(household=asset.household, rank=Rank.ADMIN).owner


def run(at: datetime = MONDAY) -> None:
    pipeline.drain(now_fn=lambda: at)


def card() -> Card:
    return Card.objects.select_related("journey").get()


def told() -> list[tuple[str, str]]:
    rows = Notification.objects.filter(state=NotificationState.TOLD).order_by("pk")
    return [(row.topic, row.level) for row in rows]


def mute_everything(asset: Asset) -> None:
    membership = Membership.objects.get(household=asset.household, rank=Rank.ADMIN)
    never = [households.TopicWish(topic=topic, moment=Moment.NEVER) for topic in Topic]
    households.change_reach(membership=membership, values={}, topics=never)


def say(asset: Asset, state: RecallState, **values: Any) -> Any:
    row = recalls.of_asset(asset)[0]
    return recalls.move(row=row, state=state, values=values, owner=ana(asset), now=MONDAY)


# -- how sure it is ------------------------------------------------------------------------


def test_this_very_one_interrupts_at_night_though_everything_is_muted(asset: Asset) -> None:
    mute_everything(asset)
    recalls.store_all([published(NUMBER)], now=NIGHT)
    run(NIGHT)
    assert told() == [(Topic.FAILED, Level.INTERRUPT)]
    assert card().title.startswith("Fridge is recalled: Samsung recalls refrigerators")
    assert card().section == Section.NEEDS_YOU
    note = Notification.objects.get()
    assert "Recall by CPSC (US): your Fridge is meant." in note.text


def test_a_model_interrupts_after_the_night_and_is_a_question(asset: Asset) -> None:
    mute_everything(asset)
    recalls.store_all([published(MODEL)], now=NIGHT)
    run(NIGHT)
    assert told() == []
    run(NIGHT + timedelta(hours=8, minutes=1))
    assert told() == [(Topic.FAILED, Level.INTERRUPT)]
    assert card().title == "Fridge: this model is recalled. Is yours?"
    assert "look whether your Fridge is meant" in Notification.objects.get().text


def test_a_possibility_is_a_silent_question_and_never_an_alarm(asset: Asset) -> None:
    mute_everything(asset)
    recalls.store_all([published(SORT)], now=MONDAY)
    run()
    run(MONDAY + timedelta(minutes=16))
    assert told() == [(Topic.FAILED, Level.FEED)]
    assert card().title == "Fridge: does this recall mean it?"
    assert card().section == Section.NEEDS_YOU


def test_a_possibility_that_becomes_certain_speaks_again_on_the_same_matter(asset: Asset) -> None:
    recalls.store_all([published(SORT)], now=MONDAY)
    run()
    recalls.store_all([published(SORT, NUMBER)], now=MONDAY + timedelta(days=1))
    run(MONDAY + timedelta(days=1))
    assert Journey.objects.count() == 1
    assert told()[-1] == (Topic.FAILED, Level.INTERRUPT)
    assert card().title.startswith("Fridge is recalled")


def test_what_is_read_off_the_label_later_is_compared_again(asset: Asset) -> None:
    recalls.store_all([published(NUMBER)], now=MONDAY)
    run()
    other = [(IdentifierScheme.SERIAL, "0B1K4BAN400999Z")]
    register.edit(asset=asset, values={}, identifiers=other, owner=ana(asset), now=MONDAY)
    run()
    assert not RecallMatch.objects.exists()
    assert card().section == Section.DONE
    right = [(IdentifierScheme.SERIAL, "0B1K4BAN400150Z")]
    register.edit(asset=asset, values={}, identifiers=right, owner=ana(asset), now=MONDAY)
    assert RecallMatch.objects.get().confidence == Confidence.EXACT


def test_a_thing_added_after_the_recall_is_compared_when_it_is_added(asset: Asset) -> None:
    recalls.store_all([published(NUMBER)], now=MONDAY)
    membership = Membership.objects.get(household=asset.household)
    second = fridge(membership, name="Fridge of the tenants")
    assert RecallMatch.objects.get(asset=second).confidence == Confidence.EXACT


def test_other_makers_other_models_and_things_that_are_gone_hear_nothing(asset: Asset) -> None:
    membership = Membership.objects.get(household=asset.household)
    fridge(membership, name="Other maker", maker="Whirlpool")
    fridge(membership, name="Gone", lifecycle=Lifecycle.ENDED)
    recalls.store_all([published(MODEL)], now=MONDAY)
    assert list(RecallMatch.objects.values_list("asset__name", flat=True)) == ["Fridge"]


def test_in_another_market_a_model_is_only_a_possibility(asset: Asset) -> None:
    asset.household.country = "DE"
    asset.household.save()
    recalls.store_all([published(MODEL)], now=MONDAY)
    assert RecallMatch.objects.get().confidence == Confidence.POSSIBLE


def test_two_things_are_two_matters_and_a_list_read_twice_says_nothing_new(asset: Asset) -> None:
    fridge(Membership.objects.get(household=asset.household), name="Second")
    for _time in range(2):
        recalls.store_all([published(MODEL)], now=MONDAY)
        run()
    assert Journey.objects.count() == 2
    assert RecallNotice.objects.count() == 1
    assert len(told()) == 2


# -- dealt with ----------------------------------------------------------------------------


def test_not_mine_closes_it_and_undo_brings_it_back(asset: Asset) -> None:
    recalls.store_all([published(MODEL)], now=MONDAY)
    run()
    feed.act(owner=ana(asset), journey=card().journey, name="skip", data={}, now=MONDAY)
    assert RecallMatch.objects.get().state == RecallState.NOT_AFFECTED
    assert card().section == Section.DONE
    recalls.store_all([published(MODEL, SORT)], now=MONDAY)  # published again: still not mine
    run()
    assert card().section == Section.DONE
    feed.act(owner=ana(asset), journey=card().journey, name="undo", data={}, now=MONDAY)
    assert RecallMatch.objects.get().state == RecallState.NEW
    assert card().section == Section.NEEDS_YOU


def test_not_mine_is_asked_again_when_the_very_number_is_named(asset: Asset) -> None:
    recalls.store_all([published(MODEL)], now=MONDAY)
    say(asset, RecallState.NOT_AFFECTED)
    recalls.store_all([published(MODEL, NUMBER)], now=MONDAY)
    row = RecallMatch.objects.get()
    assert (row.state, row.confidence) == (RecallState.NEW, Confidence.EXACT)


def test_put_right_is_kept_with_its_day_and_its_proof(asset: Asset) -> None:
    recalls.store_all([published(NUMBER)], now=MONDAY)
    run()
    change = say(asset, RecallState.REMEDIED, remedied_on=date(2026, 11, 8), provider="Cool Co")
    row = RecallMatch.objects.get()
    assert (row.state, row.remedied_on, row.provider) == (
        RecallState.REMEDIED, date(2026, 11, 8), "Cool Co",
    )  # fmt: skip
    assert card().section == Section.DONE
    undoing.put_back(change=change, owner=ana(asset), ways=UNDOS, now=MONDAY)
    assert card().section == Section.NEEDS_YOU
    assert RecallMatch.objects.get().remedied_on is None


def test_done_tomorrow_cannot_be(asset: Asset) -> None:
    recalls.store_all([published(NUMBER)], now=MONDAY)
    with pytest.raises(HoldingError) as raised:
        say(asset, RecallState.REMEDIED, remedied_on=date(2026, 11, 12))
    assert raised.value.field == "remedied_on"


def test_a_thing_that_leaves_says_nothing_more_and_says_it_again_when_it_comes_back(
    asset: Asset,
) -> None:
    recalls.store_all([published(NUMBER)], now=MONDAY)
    run()
    change = register.remove(asset=asset, owner=ana(asset), now=MONDAY)
    assert not Notice.objects.filter(kind=NoticeKind.RECALL, settled_at=None).exists()
    undoing.put_back(change=change, owner=ana(asset), ways=UNDOS, now=MONDAY)
    assert card().section == Section.NEEDS_YOU


# -- passed on -----------------------------------------------------------------------------


def test_the_next_owner_gets_what_is_open_and_what_was_put_right_and_no_more(
    asset: Asset,
) -> None:
    recalls.store_all(
        [
            published(NUMBER),
            published(MODEL, number="26-200", title="Shelves may fall"),
            published(SORT, number="26-300", title="Another"),
        ],
        now=MONDAY,
    )
    rows = {row.notice.number: row for row in recalls.of_asset(asset)}
    done: dict[str, Any] = {"provider": "Cool Co", "note": "our private note"}
    for number, state, values in (
        ("26-200", RecallState.REMEDIED, done),
        ("26-300", RecallState.NOT_AFFECTED, {}),
    ):
        recalls.move(row=rows[number], state=state, values=values, owner=ana(asset), now=MONDAY)
    facts = recalls.as_facts(asset)
    assert [(fact["number"], fact["state"]) for fact in facts] == [
        ("26-114", "new"), ("26-200", "remedied"),
    ]  # fmt: skip
    assert "our private note" not in str(facts)
    other: Any = factories.MembershipFactory(rank=Rank.ADMIN)
    mine = fridge(other, name="Bought used", maker="", model="")
    assert recalls.bring_in(asset=mine, facts=facts, now=MONDAY) == 2
    assert recalls.bring_in(asset=mine, facts=facts, now=MONDAY) == 0
    assert recalls.as_facts(mine) == [
        facts[0], facts[1] | {"stated_by": "imported"},
    ]  # fmt: skip


def test_what_a_stranger_brings_along_is_never_another_households(asset: Asset) -> None:
    fact = {
        "source": "cpsc", "number": "99-999", "title": "Forged", "confidence": "exact",
        "state": "new",
    }  # fmt: skip
    recalls.bring_in(asset=asset, facts=[fact], now=MONDAY)
    notice = RecallNotice.objects.get()
    assert (notice.household, notice.source) == (asset.household, "passed")
    with pytest.raises(HoldingError):
        recalls.bring_in(asset=asset, facts=[{"number": 3}], now=MONDAY)
