"""What the things say beside their care: low stock, loans, parcels; each is one matter."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from assets import caring, notices, passages, stocking
from assets.choices import Custody, Lifecycle
from assets.lifecycle import Step
from assets.models import Asset, Notice, Part
from assets.undos import UNDOS
from notifications import feed, pipeline
from notifications.choices import NotificationState, Section
from notifications.models import Card, Journey, Notification
from owners import undoing
from owners.choices import Level, Rank, Topic
from owners.models import Change, Membership, Owner
from suppliers.models import Mandate
from tests import factories

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = datetime(2026, 11, 9, 13, tzinfo=UTC)


@pytest.fixture
def asset() -> Asset:
    """Ana's bike."""
    membership: Any = factories.MembershipFactory(rank=Rank.ADMIN)
    made: Any = factories.AssetFactory(household=membership.household, name="Bike")
    kept: Asset = made
    return kept


def ana(asset: Asset) -> Owner:
    return Membership.objects.get(household=asset.household, rank=Rank.ADMIN).owner


def run(at: datetime) -> None:
    pipeline.drain(now_fn=lambda: at)


def card() -> Card:
    return Card.objects.select_related("journey").get()


def told() -> list[tuple[str, str]]:
    rows = Notification.objects.filter(state=NotificationState.TOLD).order_by("pk")
    return [(row.topic, row.level) for row in rows]


def step(asset: Asset, which: Step, at: datetime = MONDAY, **said: Any) -> Change:
    asset.refresh_from_db()
    return passages.take(asset=asset, step=which, said=said, owner=ana(asset), now=at)


def put_back(asset: Asset, change: Change, at: datetime) -> None:
    undoing.put_back(change=change, owner=ana(asset), ways=UNDOS, now=at)


def act(asset: Asset, name: str, at: datetime = MONDAY, **data: Any) -> None:
    feed.act(owner=ana(asset), journey=card().journey, name=name, data=data, now=at)


def stock(asset: Asset, quantity: int = 5) -> Part:
    values = {
        "name": "Inner tube",
        "quantity": Decimal(quantity),
        "reorder_at": Decimal(1),
        "fits": [asset.uuid],
    }
    return stocking.add(household=asset.household, values=values, owner=ana(asset), now=MONDAY)


# -- stock -------------------------------------------------------------------------------


def use(asset: Asset, part: Part, quantity: int, at: datetime = MONDAY) -> Any:
    said = caring.Work(parts={part: Decimal(quantity)})
    return caring.log(
        asset=asset, title="Flat", done_on=at.date(), now=at, owner=ana(asset), said=said
    )


def test_enough_says_nothing(asset: Asset) -> None:
    stock(asset)
    run(MONDAY)
    assert not Card.objects.exists()


def test_stock_that_work_takes_low_is_one_matter_told_once_as_care(asset: Asset) -> None:
    part = stock(asset)
    use(asset, part, 4)
    for days in range(4):
        run(MONDAY + days * DAY)
    found = card()
    assert (found.section, found.title) == (Section.NEEDS_YOU, "Running low: Inner tube")
    assert found.journey.asset == asset
    assert told() == [(Topic.CARE, Level.FEED)]
    assert [action["name"] for action in found.body["actions"]] == ["done", "snooze", "skip"]
    assert found.body["links"] == [{"label": "See the stock", "href": "/parts/"}]


def test_bought_again_closes_it_and_undo_opens_the_same(asset: Asset) -> None:
    part = stock(asset)
    use(asset, part, 5)
    run(MONDAY)
    run(MONDAY + HOUR)
    part.refresh_from_db()
    change = stocking.change(
        part=part, values={"quantity": Decimal(9)}, owner=ana(asset), now=MONDAY
    )
    assert card().section == Section.DONE
    assert change is not None
    put_back(asset, change, MONDAY)
    run(MONDAY + 2 * HOUR)
    assert card().section == Section.NEEDS_YOU
    assert told() == [(Topic.CARE, Level.FEED)]


def test_work_taken_back_returns_the_parts_and_closes_it(asset: Asset) -> None:
    part = stock(asset)
    record = use(asset, part, 5)
    run(MONDAY)
    caring.unlog(record=record, owner=ana(asset), now=MONDAY)
    part.refresh_from_db()
    assert part.quantity == 5
    assert card().section == Section.DONE


def test_bought_on_the_card_notes_how_much_there_is(asset: Asset) -> None:
    part = stock(asset, 0)
    run(MONDAY)
    act(asset, "done", quantity="6")
    part.refresh_from_db()
    assert part.quantity == 6
    assert card().section == Section.DONE
    act(asset, "undo")
    part.refresh_from_db()
    assert part.quantity == 0
    assert card().section == Section.NEEDS_YOU


def test_no_number_is_refused_with_its_field(asset: Asset) -> None:
    stock(asset, 0)
    run(MONDAY)
    with pytest.raises(feed.ActionError) as refused:
        act(asset, "done", quantity="many")
    assert refused.value.field == "quantity"


def test_left_as_it_is_stays_quiet_until_it_was_bought_and_is_low_again(asset: Asset) -> None:
    part = stock(asset, 0)
    run(MONDAY)
    act(asset, "skip")
    assert card().section == Section.DONE
    kept = Part.objects.get()
    stocking.change(part=kept, values={"note": "soon"}, owner=ana(asset), now=MONDAY + DAY)
    run(MONDAY + DAY)
    assert card().section == Section.DONE
    for at, quantity in ((MONDAY + 2 * DAY, 4), (MONDAY + 9 * DAY, 0)):
        stocking.change(part=part, values={"quantity": Decimal(quantity)}, owner=ana(asset), now=at)
    run(MONDAY + 9 * DAY)
    assert Journey.objects.filter(is_emptied=False).count() == 2
    assert Card.objects.filter(section=Section.NEEDS_YOU).count() == 1


# -- loans -------------------------------------------------------------------------------

FRIDAY = date(2026, 11, 13)


def lend(asset: Asset) -> Change:
    return step(asset, Step.LEND, borrower="Tom", due_on=FRIDAY)


def test_a_simulated_clock_stops_where_something_speaks(asset: Asset) -> None:
    lend(asset)
    run(MONDAY)
    speaks_at = Notice.objects.get().speaks_at
    assert speaks_at is not None
    assert speaks_at > MONDAY
    assert pipeline.next_at(after=speaks_at - timedelta(seconds=1)) == speaks_at


def test_a_loan_speaks_the_day_before_and_once_more_when_it_is_late(asset: Asset) -> None:
    lend(asset)
    run(MONDAY + 2 * DAY)
    assert not Card.objects.exists()
    run(MONDAY + 3 * DAY)
    assert card().title == "Bike: due back from Tom on Fri 13 Nov"
    run(MONDAY + 4 * DAY)
    assert len(told()) == 1
    for days in (5, 6, 30):
        run(MONDAY + days * DAY)
    assert card().title == "Bike: was due back from Tom on Fri 13 Nov"
    assert told() == [(Topic.CARE, Level.FEED)] * 2


def test_back_on_the_card_takes_the_step_and_undo_lends_it_again(asset: Asset) -> None:
    lend(asset)
    run(MONDAY + 4 * DAY)
    act(asset, "done", MONDAY + 4 * DAY)
    asset.refresh_from_db()
    assert (asset.custody, card().section) == (Custody.WITH_OWNER, Section.DONE)
    act(asset, "undo", MONDAY + 4 * DAY)
    asset.refresh_from_db()
    assert (asset.custody, card().section) == (Custody.LENT, Section.NEEDS_YOU)


def test_lent_for_longer_it_rests_until_its_new_day(asset: Asset) -> None:
    lend(asset)
    run(MONDAY + 4 * DAY)
    assert card().section == Section.NEEDS_YOU
    at = MONDAY + 4 * DAY + timedelta(hours=1)  # what is said at one instant has no order
    later = step(asset, Step.LEND_LONGER, at=at, due_on=FRIDAY + timedelta(days=14))
    run(at + DAY)
    assert card().section != Section.NEEDS_YOU
    assert card().title == "Bike: due back from Tom on Fri 27 Nov"
    run(at + 14 * DAY)
    assert card().section == Section.NEEDS_YOU
    put_back(asset, later, at + 14 * DAY)
    run(at + 15 * DAY)
    assert card().title == "Bike: was due back from Tom on Fri 13 Nov"
    assert asset.loans.get().due_on == FRIDAY


def test_a_loan_that_was_never_made_says_nothing(asset: Asset) -> None:
    change = lend(asset)
    run(MONDAY + 4 * DAY)
    put_back(asset, change, MONDAY + 4 * DAY)
    assert card().section == Section.DONE
    assert not Notice.objects.open().exists()


# -- an order, a registration, a farewell --------------------------------------------------


def ordered(asset: Asset) -> None:
    Asset.objects.filter(pk=asset.pk).update(lifecycle=Lifecycle.PLANNED, maker="Volt")
    step(
        asset,
        Step.ORDER,
        seller="Volt Store",
        amount=Decimal(900),
        expected_on=FRIDAY,
    )


def test_a_parcel_is_asked_about_on_its_day_and_when_it_is_late(asset: Asset) -> None:
    ordered(asset)
    run(MONDAY)
    assert not Card.objects.exists()
    run(MONDAY + 4 * DAY)
    assert card().title == "Bike: to arrive by Fri 13 Nov. Is it here?"
    run(MONDAY + 5 * DAY)
    assert card().title == "Bike: was to arrive by Fri 13 Nov. Is it here?"
    act(asset, "done", MONDAY + 5 * DAY)
    asset.refresh_from_db()
    assert asset.lifecycle == Lifecycle.RECEIVED
    assert asset.acquisition.delivered_on == date(2026, 11, 14)


def test_what_has_arrived_asks_to_be_registered_until_that_is_taken_back(asset: Asset) -> None:
    ordered(asset)
    change = step(asset, Step.RECEIVE)
    run(MONDAY)
    assert card().title == "Register the Bike with Volt"
    put_back(asset, change, MONDAY)
    assert card().section == Section.DONE


def test_registered_is_the_owners_word_and_can_be_taken_back(asset: Asset) -> None:
    ordered(asset)
    step(asset, Step.RECEIVE)
    run(MONDAY)
    act(asset, "done")
    run(MONDAY + DAY)
    assert card().section == Section.DONE
    act(asset, "undo", MONDAY + DAY)
    assert card().section == Section.NEEDS_YOU


def test_what_is_to_leave_asks_what_goes_along_until_it_stays(asset: Asset) -> None:
    step(asset, Step.OFFER, leaving_as="for_sale")
    run(MONDAY)
    assert card().title == "Bike: what goes along with it?"
    step(asset, Step.KEEP)
    assert card().section == Section.DONE


def test_what_is_gone_asks_about_suppliers_only_where_there_are_some(asset: Asset) -> None:
    step(asset, Step.END, reason="scrapped")
    run(MONDAY)
    assert not Card.objects.exists()


def test_what_is_gone_asks_who_may_still_write(asset: Asset) -> None:
    mandate: Any = factories.MandateFactory(household=asset.household)
    mandate.assets.set([asset])
    change = step(asset, Step.END, reason="scrapped")
    run(MONDAY)
    assert card().title == "Bike is gone: who may still write to you?"
    assert card().body["links"][0]["href"] == f"/assets/{asset.uuid}/parting/"
    put_back(asset, change, MONDAY)
    assert card().section == Section.DONE
    assert Mandate.objects.get().pk == mandate.pk


def test_a_thing_in_the_bin_says_nothing(asset: Asset) -> None:
    lend(asset)
    asset.refresh_from_db()
    asset.removed_at = MONDAY
    asset.save()
    notices.review_asset(asset, now=MONDAY)
    run(MONDAY + 5 * DAY)
    assert not Card.objects.exists()


def test_rebuild_gives_the_same_card(asset: Asset) -> None:
    lend(asset)
    run(MONDAY + 5 * DAY)
    before = card().body
    feed.rebuild(household=asset.household, now=MONDAY + 5 * DAY)
    assert card().body == before
