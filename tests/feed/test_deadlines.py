"""Deadlines of papers reach Today: said once in time, closed when they pass from the papers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from assets import claims, faults, holdings, passages, worth
from assets.choices import CoverageKind, CoverageState, Lifecycle
from assets.cover_words import ClaimState
from assets.lifecycle import Step
from assets.models import Asset, Coverage
from assets.undos import UNDOS
from notifications import calendar, feed, pipeline
from notifications.choices import NotificationState, Section
from notifications.models import Card, Notification
from owners import clock, undoing
from owners.choices import Level, Rank, Topic
from owners.models import Membership, Owner
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
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


def run(days: int) -> None:
    pipeline.drain(now_fn=lambda: MONDAY + days * DAY)


def titles() -> list[str]:
    return list(Card.objects.order_by("pk").values_list("title", flat=True))


def told() -> list[tuple[str, str]]:
    rows = Notification.objects.filter(state=NotificationState.TOLD).order_by("pk")
    return [(row.topic, row.level) for row in rows]


def covered(asset: Asset, **values: Any) -> Coverage:
    said: dict[str, Any] = {"kind": CoverageKind.COMMERCIAL_GUARANTEE, "obligor": "Velo"}
    said |= {"ends_on": date(2027, 1, 8)}  # sixty days from Monday
    return holdings.cover(asset=asset, values=said | values, owner=ana(asset), now=MONDAY)


def test_a_guarantee_is_to_be_used_before_it_ends_and_told_once(asset: Asset) -> None:
    covered(asset)
    run(29)
    assert titles() == []
    run(30)
    (title,) = titles()
    assert title.startswith("Bike: the guarantee of Velo ends Fri 8 Jan")
    assert "Use it before" in title
    run(40)
    assert told() == [(Topic.CARE, Level.FEED)]


def test_a_longer_guarantee_takes_its_word_back_and_undo_gives_it_again(asset: Asset) -> None:
    cover = covered(asset)
    run(30)
    change = holdings.change_cover(
        coverage=cover,
        values={"ends_on": date(2030, 1, 8)},
        owner=ana(asset),
        now=MONDAY + 31 * DAY,
    )
    run(31)
    assert Card.objects.get().section == Section.DONE
    undoing.put_back(change=change, owner=ana(asset), ways=UNDOS, now=MONDAY + 31 * DAY)
    run(31)
    assert Card.objects.get().section == Section.NEEDS_YOU


@pytest.mark.parametrize(
    "values",
    [
        {"state": CoverageState.VOIDED},
        {"is_lifetime": True},
        {"ends_on": date(2028, 1, 8)},
    ],
)
def test_what_does_not_end_soon_says_nothing(asset: Asset, values: dict[str, Any]) -> None:
    covered(asset, **values)
    run(60)
    assert titles() == []


def test_all_is_well_closes_it(asset: Asset) -> None:
    covered(asset)
    run(30)
    journey = Card.objects.select_related("journey").get().journey
    feed.act(owner=ana(asset), journey=journey, name="done", data={}, now=MONDAY + 30 * DAY)
    run(59)
    assert Card.objects.get().section == Section.DONE
    assert len(told()) == 1


def test_notice_is_asked_for_before_a_contract_goes_on(asset: Asset) -> None:
    terms = {"kind": "subscription", "party": "Lock", "starts_on": date(2026, 1, 1)}
    end = {"ends_on": date(2026, 12, 31), "notice_days": 31}
    contract, _made = worth.agree(asset=asset, values=terms | end, owner=ana(asset), now=MONDAY)
    run(7)
    assert titles() == ["Bike: goes on with Lock unless you cancel by Mon 30 Nov"]
    said = {"cancelled_on": date(2026, 11, 17)}
    worth.change(contract=contract, values=said, owner=ana(asset), now=MONDAY + 8 * DAY)
    run(8)
    assert Card.objects.get().section == Section.DONE


def test_an_answer_that_was_promised_is_missed_on_its_day(asset: Asset) -> None:
    said = {"kind": "insurance", "obligor": "Safe", "answer_by": date(2026, 11, 20)}
    claim, _made = claims.make(asset=asset, values=said, owner=ana(asset), now=MONDAY)
    run(12)
    assert titles() == []  # it was not sent
    at = MONDAY + DAY
    claims.move(claim=claim, state=ClaimState.SUBMITTED, values={}, owner=ana(asset), now=at)
    run(11)
    assert titles() == ["Bike: Safe was to answer your claim by Fri 20 Nov"]
    at = MONDAY + 11 * DAY
    claims.move(claim=claim, state=ClaimState.ANSWERED, values={}, owner=ana(asset), now=at)
    claims.move(claim=claim, state=ClaimState.REFUSED, values={}, owner=ana(asset), now=at)
    run(11)
    assert Card.objects.get().section == Section.DONE


def test_what_is_received_says_until_when_it_can_go_back_until_it_is_gone(asset: Asset) -> None:
    Asset.objects.filter(pk=asset.pk).update(lifecycle=Lifecycle.ORDERED)
    holdings.acquire(asset=asset, values={"seller": "Velo"}, now=MONDAY)
    said = {"return_by": date(2026, 11, 23)}
    passages.take(asset=asset, step=Step.RECEIVE, said=said, owner=ana(asset), now=MONDAY)
    run(11)
    assert any("can go back to Velo until Mon 23 Nov" in title for title in titles())
    asset.refresh_from_db()
    passages.take(
        asset=asset, step=Step.SEND_BACK, said={}, owner=ana(asset), now=MONDAY + 12 * DAY
    )
    run(12)
    assert set(Card.objects.values_list("section", flat=True)) == {Section.DONE}


# -- a fault that is still to be told, and all of it in the calendar ---------------------------


def bought(asset: Asset) -> None:
    said = {
        "seller": "Velo", "ordered_on": date(2026, 10, 1), "delivered_on": date(2026, 10, 5),
        "jurisdiction": "NL", "currency": "EUR",
    }  # fmt: skip
    holdings.acquire(asset=asset, values=said, now=MONDAY, owner=ana(asset))


def test_a_fault_is_to_be_told_in_time_and_a_claim_has_told_it(asset: Asset) -> None:
    bought(asset)
    # In the Netherlands two months after noticing are always in time: until 9 January.
    noticed = {"title": "Brake", "noticed_on": date(2026, 11, 9)}
    issue, _change = faults.report(asset=asset, values=noticed, owner=ana(asset), now=MONDAY)
    run(53)
    assert titles() == []
    run(54)
    assert titles() == ["Bike: tell Velo of the fault by Sat 9 Jan"]
    said = {"kind": "legal_guarantee", "obligor": "Velo", "issue": issue}
    claims.make(asset=asset, values=said, owner=ana(asset), now=MONDAY + 55 * DAY)
    run(55)
    assert Card.objects.get().section == Section.DONE


def test_deadlines_are_drawn_in_the_calendar_and_in_its_file(asset: Asset) -> None:
    cover = covered(asset, ends_on=date(2026, 11, 20))
    with clock.fixed(MONDAY):
        client = Client()
        client.force_login(ana(asset))
        for view in ("agenda", "month"):
            page = client.get(f"/calendar/?view={view}&from=2026-11-09").content.decode()
            assert f"/covers/{cover.uuid}/" in page
            assert "look for faults and use it before" in page
        elsewhere = client.get(f"/calendar/?from=2026-11-09&asset={uuid4()}").content.decode()
        assert str(cover.uuid) not in elsewhere
        feed_of = calendar.subscribe(
            owner=ana(asset), household=asset.household, asset=None, now=MONDAY
        )
        file = calendar.read(feed=feed_of, now=MONDAY).decode().replace("\r\n ", "")
    assert f"UID:due-guarantee-{cover.uuid}@" in file
    assert "DTSTART;VALUE=DATE:20261120" in file
