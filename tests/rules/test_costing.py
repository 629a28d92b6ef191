"""What a thing is worth and costs: tables worked by hand with the formulae, and properties."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import costing
from assets.choices import CostCategory
from assets.costing import Choice, FeeSpan, Spending, Worth, value_on
from assets.cover_words import ContractKind, Method

START = date(2023, 1, 1)
CAR = Worth(cost=Decimal(10_000), currency="EUR", start=START, salvage=Decimal(1_000))


def spent(on: str, amount: str, category: CostCategory, currency: str = "EUR") -> Spending:
    day = date.fromisoformat(on)
    return Spending(on=day, amount=Decimal(amount), currency=currency, category=category)


# Straight: 10000 - 9000 * t / L, L = 1000 days. Declining by a fifth: 10000 * 0.8 ^ (t / 365.25),
# so 8000 after 365.25 days and 6400 after 730.5; never below 1000. Units: 9000 over 90000 km.
VALUES = [
    (Method.STRAIGHT, 0, "10000"),
    (Method.STRAIGHT, 500, "5500"),
    (Method.STRAIGHT, 1000, "1000"),
    (Method.STRAIGHT, 5000, "1000"),
    (Method.DECLINING, 1461, "4096.00"),  # four years of 365.25 days: 10000 * 0.8 ^ 4
    (Method.DECLINING, 14610, "1000"),
    (Method.UNITS, 100, "8000"),  # 20000 km
    (Method.UNITS, 400, "1000"),  # more than its life
    (Method.MARKET, 100, "9000"),  # half way to 8000 on day 200
    (Method.MARKET, 250, "8250"),  # from 8000 up to 8500 on day 300
    (Method.MARKET, 900, "8500"),
]


@pytest.mark.parametrize(("method", "days", "value"), VALUES)
def test_value_follows_its_method(method: Method, days: int, value: str) -> None:
    worth = replace(
        CAR,
        method=method,
        life_days=1000,
        rate=Decimal("0.2"),
        life_units=Decimal(90_000),
        readings=(
            (START, Decimal(5_000)),
            (START + timedelta(days=100), Decimal(25_000)),
            (START + timedelta(days=400), Decimal(99_000)),
        ),
        valuations=(
            (START + timedelta(days=300), Decimal(8_500)),
            (START + timedelta(days=200), Decimal(8_000)),
        ),
    )
    assert costing.rounded(value_on(worth, START + timedelta(days=days)), "EUR") == Decimal(value)


def test_an_insurer_pays_new_less_what_was_lost() -> None:
    worth = replace(CAR, life_days=1000)
    day = START + timedelta(days=500)  # 5500 are left: 4500 were lost
    assert costing.actual_cash_value(worth, replacement=Decimal(12_000), day=day) == 7_500
    assert costing.actual_cash_value(worth, replacement=Decimal(3_000), day=day) == 0


SPENDINGS = [
    spent("2023-01-01", "10000", CostCategory.PURCHASE),  # the price is no running cost
    spent("2023-03-01", "400", CostCategory.SERVICE),
    spent("2023-06-01", "120.50", CostCategory.ENERGY),
    spent("2024-02-01", "300", CostCategory.REPAIR),
    spent("2024-02-15", "-250", CostCategory.REFUND),
    spent("2024-03-01", "90", CostCategory.INTEREST),
    spent("2024-05-01", "50", CostCategory.ENERGY, "CHF"),
]


def test_years_add_up_and_currencies_stay_apart() -> None:
    worth = replace(CAR, life_days=1000)
    years = costing.by_year(worth, SPENDINGS, today=date(2024, 12, 31))
    assert list(years) == [2023, 2024]
    # 2023: day 0 to day 364 are lost, 9 a day; 2024: up to day 730.
    assert years[2023]["EUR"].depreciation == 9 * 364
    assert years[2023]["EUR"].total == 9 * 364 + Decimal("520.50")
    assert years[2024]["EUR"].depreciation == 9 * 366
    assert years[2024]["EUR"].recovered == 250
    assert years[2024]["EUR"].total == 9 * 366 + 300 + 90 - 250
    assert years[2024]["CHF"].total == 50
    whole = costing.cost_between(worth, SPENDINGS, first=START, last=date(2024, 12, 31))
    assert whole["EUR"].total == years[2023]["EUR"].total + years[2024]["EUR"].total


def test_a_sale_stands_for_the_value_and_a_gain_is_a_negative_cost() -> None:
    sold = [*SPENDINGS, spent("2024-07-01", "-11000", CostCategory.SALE)]
    sums = costing.cost_between(
        CAR, sold, first=START, last=date(2024, 12, 31), ended_on=date(2024, 7, 1)
    )
    assert sums["EUR"].depreciation == -1_000
    assert sums["EUR"].total == -1_000 + Decimal("520.50") + 300 + 90 - 250


def test_proceeds_in_another_currency_are_said_by_themselves() -> None:
    sold = [spent("2024-07-01", "-900", CostCategory.SALE, "USD")]
    sums = costing.cost_between(
        CAR, sold, first=START, last=date(2024, 12, 31), ended_on=date(2024, 7, 1)
    )
    assert [sums["EUR"].total, sums["USD"].total] == [Decimal(10_000), Decimal(-900)]


@pytest.mark.parametrize(
    ("months", "until", "days"),
    [
        (1, None, ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
        (3, None, ["2024-01-31", "2024-04-30"]),
        (1, "2024-03-30", ["2024-01-31", "2024-02-29"]),
        (0, None, ["2024-01-31"]),
    ],
)
def test_fees_are_due_from_their_start(months: int, until: str | None, days: list[str]) -> None:
    fee = FeeSpan(
        since=date(2024, 1, 31),
        months=months,
        amount=Decimal(10),
        currency="EUR",
        kind=ContractKind.INSURANCE,
        until=date.fromisoformat(until) if until else None,
    )
    due = costing.payments(fee, first=date(2024, 1, 1), last=date(2024, 4, 30))
    assert [day.isoformat() for day in due] == days


def test_of_a_loan_only_the_interest_costs_and_variable_fees_wait_for_the_bill() -> None:
    loan = FeeSpan(
        since=date(2024, 1, 1), months=1, amount=Decimal(300), interest=Decimal(40),
        currency="EUR", kind=ContractKind.LOAN,
    )  # fmt: skip
    power = replace(loan, kind=ContractKind.UTILITY, interest=None, is_variable=True)
    found = costing.fees_as_spending([loan, power], first=date(2024, 1, 1), last=date(2024, 3, 31))
    assert [(one.amount, one.category) for one in found] == [
        (Decimal(40), CostCategory.INTEREST)
    ] * 3


def test_repair_or_replace_is_shown_by_the_year() -> None:
    choice = Choice(
        years=4, repair=Decimal(900), upkeep=Decimal(1_200), paid_by_cover=Decimal(0),
        price=Decimal(2_400), salvage=Decimal(400), upkeep_new=Decimal(80),
    )  # fmt: skip
    compared = costing.compare(choice)
    assert (compared.repaired, compared.replaced) == (Decimal(525), Decimal(520))
    assert compared.is_new_cheaper
    covered = costing.compare(replace(choice, paid_by_cover=Decimal(900)))
    assert (covered.repaired, covered.is_new_cheaper) == (Decimal(300), False)
    over = costing.compare(replace(choice, paid_by_cover=Decimal(5_000)))
    assert over.repaired == 300


def test_by_day_and_by_use() -> None:
    assert costing.per_day(Decimal(100), start=date(2024, 1, 1), end=date(2024, 1, 10)) == 10
    readings = [(date(2024, 1, 9), Decimal(1_500)), (date(2024, 1, 1), Decimal(1_000))]
    assert costing.per_unit(Decimal(100), readings) == Decimal("0.2")
    assert costing.per_unit(Decimal(100), readings[:1]) is None


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [("1.005", "EUR", "1.00"), ("1.5", "JPY", "2"), ("1.2345", "KWD", "1.234")],
)
def test_amounts_have_the_digits_of_their_currency(amount: str, currency: str, shown: str) -> None:
    assert str(costing.rounded(Decimal(amount), currency)) == shown


WORTHS = st.builds(
    Worth,
    cost=st.decimals(1_000, 50_000, places=2),
    currency=st.just("EUR"),
    start=st.just(START),
    method=st.sampled_from([Method.STRAIGHT, Method.DECLINING]),
    salvage=st.decimals(0, 1_000, places=2),
    life_days=st.integers(1, 9_000),
    rate=st.decimals("0", "0.9", places=2),
)
DAYS = st.integers(0, 9_000).map(lambda days: START + timedelta(days=days))
SPENT = st.builds(
    Spending,
    on=st.integers(0, 3_000).map(lambda days: START + timedelta(days=days)),
    amount=st.decimals(-500, 500, places=2),
    currency=st.sampled_from(["EUR", "CHF"]),
    category=st.sampled_from(CostCategory),
)


@given(WORTHS, DAYS, DAYS)
def test_value_only_falls_and_never_below_the_salvage(worth: Worth, one: date, two: date) -> None:
    first, second = sorted((one, two))
    assert worth.cost >= value_on(worth, first) >= value_on(worth, second) >= worth.salvage


@given(WORTHS, st.lists(SPENT, max_size=12), st.integers(1, 3_000))
def test_the_years_add_up_to_the_whole(worth: Worth, spendings: list[Spending], days: int) -> None:
    today = START + timedelta(days=days)
    years = costing.by_year(worth, spendings, today=today)
    whole = costing.cost_between(worth, spendings, first=START, last=today)
    for currency, sums in whole.items():
        parts = [year[currency].total for year in years.values() if currency in year]
        assert abs(sum(parts, Decimal(0)) - sums.total) < Decimal("0.000001")
