"""Who pays for a fault: tables worked by hand from the laws they name, and properties."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import coverage, laws
from assets.choices import BoughtAs, Condition, CoverageState
from assets.cover_words import REASONS, Cause, Confidence, RecallState, Standing
from assets.coverage import Cover, Fault, Kind, Purchase, Recall, who_pays

PAYS, MAYBE, NO = Standing.PAYS, Standing.MAYBE, Standing.NO


def day(text: str) -> date:
    return date.fromisoformat(text)


def bought(country: str, delivered: str, **more: object) -> Purchase:
    """A purchase under the law of a country on the day of its delivery."""
    on = day(delivered)
    made = Purchase(
        seller="Volt",
        delivered_on=on,
        law=laws.guarantee(country=country, on=on),
        extension=laws.extension(country=country, on=on),
        credit=laws.credit(country=country, on=on),
    )
    return replace(made, **more)  # type: ignore[arg-type]  # of the dataclass's own fields


def only(payers: list[coverage.Payer], kind: Kind) -> coverage.Payer:
    return next(payer for payer in payers if payer.kind == kind)


# Each line: where and when it was bought, the day of the fault, and what the law makes of it.
# BGB § 477: presumed for one year; § 438: two years; § 475e (3): not before four months after
# it shows. Codice del consumo art. 133: action within 26 months of delivery. RDL 7/2021: three
# years, presumed for two. L217-7: presumed for the whole two years. CRA 2015 s. 19 (14): six
# months, and six years (Limitation Act s. 5). Köbeloven § 81, Konsumentköplag: two months after
# noticing is in time. VGG § 28: three months after the end. 1999/44/EC: presumed for six months.
LAWS = [
    ("DE", "2024-03-10", "2024-09-01", PAYS, "presumed", "2026-03-09"),
    ("DE", "2024-03-10", "2025-03-09", PAYS, "presumed", "2026-03-09"),
    ("DE", "2024-03-10", "2025-03-10", MAYBE, "to_prove", "2026-03-09"),
    ("DE", "2024-03-10", "2026-02-20", MAYBE, "to_prove", "2026-06-20"),
    ("DE", "2024-03-10", "2026-03-10", NO, "over", None),
    ("DE", "2021-06-01", "2021-11-30", PAYS, "presumed", "2023-05-31"),
    ("DE", "2021-06-01", "2021-12-01", MAYBE, "to_prove", "2023-05-31"),
    ("AT", "2024-03-10", "2025-06-01", MAYBE, "to_prove", "2026-06-09"),
    ("ES", "2023-01-15", "2025-01-14", PAYS, "presumed", "2026-01-14"),
    ("ES", "2023-01-15", "2025-01-15", MAYBE, "to_prove", "2026-01-14"),
    ("ES", "2023-01-15", "2026-01-15", NO, "over", None),
    ("PT", "2021-05-01", "2023-04-30", PAYS, "presumed", "2023-04-30"),
    ("PT", "2022-05-01", "2025-04-30", MAYBE, "to_prove", "2025-04-30"),
    ("FR", "2024-02-29", "2026-02-27", PAYS, "presumed", "2026-02-27"),
    ("FR", "2024-02-29", "2026-03-01", NO, "over", None),
    ("IT", "2024-03-10", "2025-12-24", MAYBE, "to_prove", "2026-05-09"),
    ("SE", "2024-03-10", "2025-06-01", PAYS, "presumed", "2025-08-01"),
    ("SE", "2024-03-10", "2027-02-01", MAYBE, "to_prove", "2027-03-09"),
    ("DK", "2024-03-10", "2024-06-30", PAYS, "presumed", "2024-08-30"),
    ("NL", "2024-03-10", "2024-12-31", PAYS, "presumed", "2025-02-28"),
    ("NL", "2020-03-10", "2024-12-31", NO, "over", None),
    ("NL", "2022-05-10", "2026-12-31", MAYBE, "to_prove", "2027-02-28"),
    ("GB", "2024-03-10", "2024-09-09", PAYS, "presumed", "2030-03-09"),
    ("GB", "2024-03-10", "2024-09-10", MAYBE, "to_prove", "2030-03-09"),
    ("PL", "2024-03-10", "2025-03-09", PAYS, "presumed", "2026-03-09"),
    ("PL", "2018-03-10", "2018-12-09", MAYBE, "to_prove", "2020-03-09"),
]


@pytest.mark.parametrize(("country", "delivered", "on", "standing", "code", "deadline"), LAWS)
def test_the_seller_answers_as_the_law_says(
    country: str, delivered: str, on: str, standing: Standing, code: str, deadline: str | None
) -> None:
    payer = only(who_pays(Fault(on=day(on)), purchase=bought(country, delivered)), Kind.LEGAL)
    assert (payer.standing, payer.reasons[0].code) == (standing, code)
    assert payer.deadline == (day(deadline) if deadline else None)
    assert payer.obligor == "Volt"
    assert payer.source


def test_where_no_law_is_in_the_table_none_is_made_up() -> None:
    assert who_pays(Fault(on=day("2025-01-01")), purchase=bought("US", "2024-12-01")) == []


def test_used_things_and_businesses_have_their_own_terms() -> None:
    used = bought("DE", "2024-03-10", condition=Condition.USED)
    assert coverage.legal_end(used) == day("2025-03-09")
    trade = bought("DE", "2024-03-10", bought_as=BoughtAs.BUSINESS)
    payer = only(who_pays(Fault(on=day("2024-04-01")), purchase=trade), Kind.LEGAL)
    assert (payer.standing, payer.reasons[0].code) == (NO, "business")


def test_within_thirty_days_it_may_be_handed_back_in_britain() -> None:
    """Thirty days "beginning with the first day after" delivery: 11 March to 9 April (s. 22)."""
    made = bought("GB", "2024-03-10")
    (payer,) = who_pays(Fault(on=day("2024-04-09")), purchase=made)
    assert [reason.code for reason in payer.reasons] == ["presumed", "reject"]
    assert payer.reasons[1].values == {"day": "2024-04-09"}
    (payer,) = who_pays(Fault(on=day("2024-04-10")), purchase=made)
    assert [reason.code for reason in payer.reasons] == ["presumed"]


@pytest.mark.parametrize(
    ("country", "delivered", "repairs", "end"),
    [
        ("DE", "2026-08-01", 0, "2028-07-31"),  # Directive 2024/1799: a year, once
        ("DE", "2026-08-01", 1, "2029-07-31"),
        ("DE", "2026-08-01", 3, "2029-07-31"),
        ("DE", "2026-07-30", 1, "2028-07-29"),  # not for what was bought before
        ("FR", "2024-03-10", 1, "2026-09-09"),  # L217-13: six months
        ("PT", "2023-03-10", 2, "2027-03-09"),  # DL 84/2021 art. 18: six months, up to four times
        ("PT", "2023-03-10", 9, "2028-03-09"),
    ],
)
def test_a_repair_lengthens_the_guarantee_where_the_law_says(
    country: str, delivered: str, repairs: int, end: str
) -> None:
    assert coverage.legal_end(bought(country, delivered, repairs=repairs)) == day(end)


@pytest.mark.parametrize(
    ("price", "payment", "is_there"),
    [
        ("100.00", "credit card", False),  # s. 75 (3): more than £100
        ("100.01", "credit card", True),
        ("30000.00", "Credit card, Visa", True),
        ("30000.01", "credit card", False),
        ("500.00", "debit card", False),
    ],
)
def test_a_british_lender_answers_beside_the_seller(
    price: str,
    payment: str,
    is_there: bool,  # noqa: FBT001 - a column of the table
) -> None:
    made = bought("GB", "2024-03-10", price=Decimal(price), currency="GBP", payment=payment)
    payers = who_pays(Fault(on=day("2025-01-01")), purchase=made)
    assert any(payer.kind == Kind.CARD for payer in payers) is is_there


NOW = day("2026-05-01")
GUARANTEE = Cover(key="g", kind=Kind.COMMERCIAL, ends_on=day("2027-01-01"))
REPAIR = Cover(key="r", kind=Kind.REPAIR, ends_on=day("2026-09-01"), scope="door seal")
POLICY = Cover(key="p", kind=Kind.INSURANCE, ends_on=day("2026-12-31"), excess=Decimal(150))
COVERS = [
    (GUARANTEE, Fault(on=NOW), PAYS, "until"),
    (GUARANTEE, Fault(on=NOW, cause=Cause.ACCIDENT), NO, "not_a_fault"),
    (GUARANTEE, Fault(on=NOW, cause=Cause.WEAR), MAYBE, "wear_terms"),
    (GUARANTEE, Fault(on=day("2027-01-02")), NO, "over"),
    (replace(GUARANTEE, starts_on=day("2026-05-02")), Fault(on=NOW), NO, "before"),
    (replace(GUARANTEE, state=CoverageState.VOIDED), Fault(on=NOW), NO, "voided"),
    (replace(GUARANTEE, ends_on=None), Fault(on=NOW), MAYBE, "days_unknown"),
    (replace(GUARANTEE, ends_on=None, is_lifetime=True), Fault(on=NOW), PAYS, "lifetime"),
    (replace(GUARANTEE, scope="Drum"), Fault(on=NOW, part="the drum"), PAYS, "until"),
    (replace(GUARANTEE, scope="Drum"), Fault(on=NOW, part="pump"), MAYBE, "scope"),
    (REPAIR, Fault(on=NOW, part="seal of the door"), PAYS, "until"),
    (REPAIR, Fault(on=NOW), MAYBE, "same_part"),
    (POLICY, Fault(on=NOW), MAYBE, "only_sudden"),
    (POLICY, Fault(on=NOW, cause=Cause.WEATHER), PAYS, "until"),
    (POLICY, Fault(on=NOW, cause=Cause.DEFECT), NO, "not_sudden"),
    (POLICY, Fault(on=NOW, cause=Cause.WEAR), NO, "wear"),
]


@pytest.mark.parametrize(("cover", "fault", "standing", "code"), COVERS)
def test_a_cover_pays_for_what_it_is_for(
    cover: Cover, fault: Fault, standing: Standing, code: str
) -> None:
    (payer,) = who_pays(fault, purchase=Purchase(), covers=[cover])
    assert (payer.standing, payer.reasons[0].code) == (standing, code)


@pytest.mark.parametrize(
    ("shown", "standing"), [("99999", PAYS), ("100000", PAYS), ("100001", NO), (None, MAYBE)]
)
def test_a_cover_ends_with_use_as_well(shown: str | None, standing: Standing) -> None:
    cover = replace(GUARANTEE, meter_limit=Decimal(100_000), meter_unit="km")
    readings = {"km": Decimal(shown)} if shown else {}
    fault = Fault(on=NOW, readings=readings)
    (payer,) = who_pays(fault, purchase=Purchase(), covers=[cover])
    assert payer.standing == standing


def test_an_insurer_is_told_in_its_time_even_after_the_policy() -> None:
    policy = replace(POLICY, ends_on=day("2026-05-03"), notice_days=7)
    fault = Fault(on=NOW, cause=Cause.ACCIDENT)
    (payer,) = who_pays(fault, purchase=Purchase(), covers=[policy])
    assert payer.deadline == day("2026-05-08")
    assert [reason.code for reason in payer.reasons] == ["until", "tell_by", "excess"]


def test_whom_to_ask_first() -> None:
    recall = Recall(
        key="x", authority="cpsc", number="24-1", confidence=Confidence.EXACT, state=RecallState.NEW
    )
    purchase = replace(bought("DE", "2026-04-20"), return_by=day("2026-05-04"))
    covers = [POLICY, REPAIR, GUARANTEE]
    fault = Fault(on=NOW, part="door")
    payers = who_pays(fault, purchase=purchase, covers=covers, recalls=[recall])
    assert [payer.kind for payer in payers] == [
        Kind.RECALL,
        Kind.SENDING_BACK,
        Kind.REPAIR,
        Kind.LEGAL,
        Kind.COMMERCIAL,
        Kind.INSURANCE,
    ]


def test_a_recall_that_was_put_right_pays_no_more() -> None:
    def standing(state: RecallState, confidence: Confidence) -> Standing:
        recall = Recall(key="x", authority="a", number="1", confidence=confidence, state=state)
        (payer,) = who_pays(Fault(on=NOW), purchase=Purchase(), recalls=[recall])
        return payer.standing

    assert standing(RecallState.REMEDIED, Confidence.EXACT) == NO
    assert standing(RecallState.NEW, Confidence.POSSIBLE) == MAYBE
    assert standing(RecallState.OWNER_CONFIRMED, Confidence.POSSIBLE) == PAYS


DAYS = st.dates(min_value=day("2015-01-01"), max_value=day("2032-12-31"))
FAULTS = st.builds(
    Fault,
    on=DAYS,
    cause=st.sampled_from(Cause),
    part=st.sampled_from(["", "door", "pump"]),
    readings=st.sampled_from([{}, {"km": Decimal(5)}, {"km": Decimal(500)}]),
)
ANY_COVER = st.builds(
    Cover,
    key=st.uuids().map(str),
    kind=st.sampled_from([kind for kind in Kind if kind not in (Kind.RECALL, Kind.SENDING_BACK)]),
    obligor=st.sampled_from(["", "A", "B"]),
    starts_on=st.none() | DAYS,
    ends_on=st.none() | DAYS,
    is_lifetime=st.booleans(),
    state=st.sampled_from(CoverageState),
    scope=st.sampled_from(["", "door"]),
    notice_days=st.none() | st.integers(0, 60),
    meter_limit=st.none() | st.just(Decimal(100)),
    meter_unit=st.just("km"),
    excess=st.none() | st.just(Decimal(50)),
)
PURCHASES = st.builds(
    bought, st.sampled_from(["DE", "ES", "GB", "NL", "SE", "US"]), DAYS.map(date.isoformat)
)


@given(FAULTS, PURCHASES, st.lists(ANY_COVER, max_size=5), st.randoms())
def test_the_order_in_which_covers_were_written_changes_nothing(
    fault: Fault, purchase: Purchase, covers: list[Cover], shuffler: object
) -> None:
    mixed = list(covers)
    shuffler.shuffle(mixed)  # type: ignore[attr-defined]  # a Random
    assert who_pays(fault, purchase=purchase, covers=mixed) == who_pays(
        fault, purchase=purchase, covers=covers
    )


@given(FAULTS, PURCHASES, st.lists(ANY_COVER, max_size=5))
def test_every_answer_has_a_reason_that_can_be_said(
    fault: Fault, purchase: Purchase, covers: list[Cover]
) -> None:
    payers = who_pays(fault, purchase=purchase, covers=covers)
    places = [coverage.STANDINGS.index(payer.standing) for payer in payers]
    assert places == sorted(places)
    for payer in payers:
        assert payer.reasons
        for reason in payer.reasons:
            assert str(REASONS[reason.code] % dict(reason.values))
        if payer.standing == NO:
            assert payer.deadline is None


@given(PURCHASES, DAYS)
def test_a_later_fault_never_stands_better_with_the_seller(purchase: Purchase, on: date) -> None:
    start = purchase.delivered_on
    assert start is not None
    first = max(on, start)

    def rank(when: date) -> int:
        payers = who_pays(Fault(on=when), purchase=purchase)
        return max((coverage.STANDINGS.index(payer.standing) for payer in payers), default=0)

    assert rank(first) <= rank(first + timedelta(days=1)) <= rank(first + timedelta(days=400))


@given(st.lists(ANY_COVER, min_size=1, max_size=4), FAULTS)
def test_what_is_void_never_pays(covers: list[Cover], fault: Fault) -> None:
    void = [replace(cover, state=CoverageState.VOIDED) for cover in covers]
    assert {one.standing for one in who_pays(fault, purchase=Purchase(), covers=void)} == {NO}


def test_every_row_of_the_table_has_its_source_and_its_turn() -> None:
    table = laws._table()
    for name in ("guarantee", "extends", "credit", "return_days"):
        for row in table[name]:
            assert row["source"], row
            assert row["from"] <= row.get("until", "9999-12-31"), row
    assert laws.as_of() <= date(2027, 11, 23)


def test_every_row_of_the_table_names_its_source_and_says_what_was_compared() -> None:
    table = json.loads((Path(laws.__file__).with_name("data") / "guarantees.json").read_text())
    for name in ("guarantee", "extends", "credit", "return_days"):
        for row in table[name]:
            assert row["source"]
            assert ("checked" in row) == ("compared_with" in row)
            assert set(row.get("not_compared", ())) <= row.keys()
            if "checked" in row:
                assert day(row["checked"]) <= laws.as_of()
    sweden = laws.guarantee(country="SE", on=day("2024-01-01"))
    britain = laws.guarantee(country="GB", on=day("2024-01-01"))
    assert sweden is not None
    assert britain is not None
    assert sweden.checked == day("2026-11-23")
    assert britain.checked is None  # only some of its numbers were
