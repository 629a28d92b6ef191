"""What suppliers tell of recalls and claims moves the household's own, and nobody else's."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from assets import claims, recalls
from assets.choices import CostCategory, CoverageKind, Source
from assets.cover_words import ClaimState, Confidence, RecallState
from assets.models import Claim, CostEntry, RecallMatch, RecallNotice
from assets.recall_matching import Criterion, Published
from assets.undos import UNDOS
from notifications import pipeline
from notifications.choices import NotificationState
from notifications.models import Journey, Notification
from owners import undoing
from owners.choices import Level
from suppliers import inbox
from tests import factories
from tests.factories import Cast
from tests.wire.sending import NOW
from tests.wire.test_processing import received

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
RECALL: dict[str, Any] = {
    "recallNumber": "26-114",
    "authority": "CPSC",
    "product": "HR44 recorder, made before March 2026",
    "hazard": "The power supply may overheat.",
    "consumerAction": "Unplug it.",
    "remedies": [{"kind": "repair", "text": "A new power supply, free of charge"}],
    "confidence": "serial",
}


def say(cast: Cast, number: int, kind: str, *, after: timedelta = DAY * 0, **more: Any) -> None:
    data = {"owner": cast.mandate.owner_ref, "asset": {"serial": "R15-204477"}, **more}
    at = NOW + after
    event = received(cast, number, type=kind, data=data, time=at.isoformat())
    inbox.record(received=[event], now=at)
    pipeline.drain(now_fn=lambda: at + MINUTE)


def published(number: str = "26-114") -> Published:
    return Published(
        source="cpsc",
        number=number,
        title="Skyline recalls recorders",
        criteria=(Criterion(brand="Skyline", model="HR44"),),
    )


# -- recalls -------------------------------------------------------------------------------


def test_what_a_supplier_tells_is_this_households_and_has_one_card(cast: Cast) -> None:
    say(cast, 1, "recall.issued", **RECALL)
    row = RecallMatch.objects.select_related("notice").get()
    assert (row.confidence, row.state, row.notice.household) == (
        Confidence.EXACT, RecallState.NEW, cast.dvr.household,
    )  # fmt: skip
    assert row.notice.remedy == "Unplug it. A new power supply, free of charge"
    assert Journey.objects.count() == 1
    told = Notification.objects.get(state=NotificationState.TOLD)
    assert told.level == Level.INTERRUPT


def test_the_same_number_on_an_authoritys_list_is_one_recall_and_one_matter(cast: Cast) -> None:
    recalls.store_all([published()], now=NOW)
    pipeline.drain(now_fn=lambda: NOW)
    say(cast, 1, "recall.issued", after=DAY, **RECALL)
    assert RecallNotice.objects.get().source == "cpsc"
    assert RecallMatch.objects.get().confidence == Confidence.EXACT
    assert Journey.objects.count() == 1


def test_two_things_of_one_number_stay_two_matters(cast: Cast) -> None:
    factories.AssetFactory(
        household=cast.dvr.household, name="Second", maker="Skyline", model="HR44"
    )
    recalls.store_all([published()], now=NOW)
    pipeline.drain(now_fn=lambda: NOW)
    assert Journey.objects.count() == 2
    say(cast, 1, "recall.issued", after=DAY, **RECALL)
    assert Journey.objects.count() == 2
    assert RecallMatch.objects.get(asset=cast.dvr).said_in is not None


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("recall.remedy_done", {"recallNumber": "26-114"}),
        (
            "service.performed",
            {
                "serviceId": "s1",
                "performedAt": "2026-11-12T10:00:00Z",
                "workDone": ["Recall 26-114: power supply replaced"],
            },
        ),
        (
            "service.performed",
            {
                "serviceId": "s1",
                "performedAt": "2026-11-12T10:00:00Z",
                "workDone": ["Power supply replaced"],
                "refs": [{"scheme": "ticket", "value": "26-114"}],
            },
        ),
    ],
)
def test_the_suppliers_word_that_it_is_done_is_the_proof(
    cast: Cast, kind: str, more: dict[str, Any]
) -> None:
    recalls.store_all([published()], now=NOW)
    pipeline.drain(now_fn=lambda: NOW)
    say(cast, 1, kind, after=DAY * 4, **more)
    row = RecallMatch.objects.get()
    assert (row.state, row.source, row.provider) == (
        RecallState.REMEDIED, Source.SUPPLIER, "Skyline TV",
    )  # fmt: skip
    assert (row.record is not None) == (kind == "service.performed")
    assert row.said_in is not None


def test_other_work_proves_nothing(cast: Cast) -> None:
    recalls.store_all([published()], now=NOW)
    work: dict[str, Any] = {
        "serviceId": "s",
        "performedAt": "2026-11-12T10:00:00Z",
        "workDone": ["26-1145, 6-114"],
    }
    say(cast, 1, "service.performed", **work)
    assert RecallMatch.objects.get().state == RecallState.NEW


def test_what_a_supplier_takes_back_is_over_and_an_authoritys_own_is_not(cast: Cast) -> None:
    say(cast, 1, "recall.issued", **RECALL)
    say(cast, 2, "recall.withdrawn", after=DAY, recallNumber="26-114")
    assert RecallMatch.objects.get().state == RecallState.EXPIRED
    recalls.store_all([published("26-200")], now=NOW)
    say(cast, 3, "recall.withdrawn", after=DAY, recallNumber="26-200")
    assert RecallMatch.objects.get(notice__number="26-200").state == RecallState.NEW


# -- claims --------------------------------------------------------------------------------


def claim(cast: Cast, **values: Any) -> Claim:
    said = {"kind": CoverageKind.INSURANCE, "obligor": "Skyline TV", "number": "CL-7781"}
    row, _change = claims.make(asset=cast.dvr, values=said | values, owner=cast.ana, now=NOW)
    return row


def news(cast: Cast, number: int, status: str, **more: Any) -> Claim:
    after = DAY * number
    say(cast, number, "claim.updated", after=after, claimId="cl 7781", status=status, **more)
    return Claim.objects.get()


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def test_an_insurer_moves_the_claim_to_its_end_and_what_it_paid_counts(cast: Cast) -> None:
    claim(cast)
    assert news(cast, 1, "in_review").state == ClaimState.SUBMITTED
    row = news(cast, 2, "Approved", amount=money("120.00"), nextStep="Payment follows")
    assert (row.state, row.amount, row.source) == (
        ClaimState.ANSWERED, Decimal(120), Source.SUPPLIER,
    )  # fmt: skip
    assert row.told["next_step"] == "Payment follows"
    row = news(cast, 3, "paid", amount=money("110.00"))
    assert (row.state, row.amount, row.resolved_on) == (
        ClaimState.PAID, Decimal(110), (NOW + 3 * DAY).date(),
    )  # fmt: skip
    cost = CostEntry.objects.get()
    assert (cost.amount, cost.category) == (Decimal(-110), CostCategory.REFUND)


def test_late_and_repeated_news_moves_nothing_back(cast: Cast) -> None:
    claim(cast)
    news(cast, 3, "approved", amount=money("120.00"))
    news(cast, 2, "received")
    row = news(cast, 4, "in review")
    assert (row.state, row.amount) == (ClaimState.ANSWERED, Decimal(120))
    assert news(cast, 5, "Wartet auf Unterlagen").state == ClaimState.ANSWERED
    assert Claim.objects.get().told["status"] == "Wartet auf Unterlagen"


def test_what_contradicts_the_owner_is_shown_and_decided_by_the_owner(cast: Cast) -> None:
    row = claim(cast)
    for state, values in (
        (ClaimState.SUBMITTED, {}),
        (ClaimState.PAID, {"amount": Decimal(120), "currency": "USD"}),
    ):
        claims.move(claim=row, state=state, values=values, owner=cast.ana, now=NOW)
    row = news(cast, 1, "rejected", amount=money("80.00"))
    assert (row.state, row.amount) == (ClaimState.PAID, Decimal(120))
    assert row.told["differs"] == {"state": "refused", "amount": "80", "currency": "USD"}
    change = claims.settle(claim=row, theirs=True, owner=cast.ana, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.amount, row.told["differs"]) == (ClaimState.REFUSED, Decimal(80), {})
    assert not CostEntry.objects.exists()
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.amount) == (ClaimState.PAID, Decimal(120))
    assert CostEntry.objects.count() == 1
    claims.settle(claim=row, theirs=False, owner=cast.ana, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.told["differs"]) == (ClaimState.PAID, {})


@pytest.mark.parametrize(
    "values",
    [{"number": "CL-7782"}, {"obligor": "Somebody else"}, {"obligor": "", "number": ""}],
)
def test_only_the_claim_that_is_spoken_of_moves(cast: Cast, values: dict[str, Any]) -> None:
    claim(cast, **values)
    row = news(cast, 1, "paid")
    assert (row.state, row.told) == (ClaimState.DRAFT, {})


def test_the_only_open_claim_with_that_insurer_takes_its_number(cast: Cast) -> None:
    claim(cast, number="")
    row = news(cast, 1, "received")
    assert (row.number, row.state) == ("cl 7781", ClaimState.SUBMITTED)


def test_two_open_claims_are_not_guessed_between(cast: Cast) -> None:
    claim(cast, number="")
    claim(cast, number="")
    say(cast, 1, "claim.updated", claimId="CL-1", status="paid")
    assert {row.state for row in Claim.objects.all()} == {ClaimState.DRAFT}


@pytest.mark.parametrize(
    "amount",
    [{"amount": "NaN", "currency": "USD"}, {"amount": "1e40", "currency": "USD"},
     {"amount": "-3", "currency": "USD"}],
)  # fmt: skip
def test_an_amount_that_is_none_is_left_out(cast: Cast, amount: Any) -> None:
    claim(cast)
    say(cast, 1, "claim.updated", claimId="CL-7781", status="paid", amount=amount)
    assert Claim.objects.get().amount is None
