"""What a thing is worth and what it costs, by year, by day and by use. Pure.

Signs are kept: what was gained is a negative cost. Every figure has one currency; amounts of
two are never added, and nothing here converts one into another.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from assets.choices import CostCategory
from assets.cover_words import ContractKind, Method
from assets.coverage import later

NOTHING = Decimal(0)
YEAR = Decimal("365.25")  # days
# Minor digits of ISO 4217 where they are not two.
NONE_MINOR = frozenset(
    [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
        "VND", "VUV", "XAF", "XOF", "XPF",
    ]
)  # fmt: skip
THREE_MINOR = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
FOUR_MINOR = frozenset(["CLF", "UYW"])
PAYMENTS_MOST = 2_400  # of one fee: two hundred years of months


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """How a thing loses value: cost and salvage in one currency, life in days or units."""

    cost: Decimal
    currency: str
    start: date
    method: Method = Method.STRAIGHT
    salvage: Decimal = NOTHING
    life_days: int = 3652
    rate: Decimal = NOTHING  # lost in a year, as a share
    life_units: Decimal | None = None
    readings: tuple[tuple[date, Decimal], ...] = ()  # counted in all, by day
    valuations: tuple[tuple[date, Decimal], ...] = ()  # in the currency, by day


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Money spent on a day; what came back is negative."""

    on: date
    amount: Decimal
    currency: str
    category: CostCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSpan:
    """A fee from a day on, due every so many months (0: once); `until` is its last day."""

    since: date
    months: int
    amount: Decimal
    currency: str
    kind: ContractKind
    until: date | None = None
    interest: Decimal | None = None  # of a loan's instalment
    is_variable: bool = False


@dataclass(slots=True, kw_only=True)
class Sums:
    """What a span of time cost, in one currency."""

    depreciation: Decimal = NOTHING
    running: dict[CostCategory, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    interest: Decimal = NOTHING
    recovered: Decimal = NOTHING  # of claims and refunds, as a positive amount

    @property
    def total(self) -> Decimal:
        """The cost of owning: (C - V) + running + interest - recoveries."""
        return (
            self.depreciation + sum(self.running.values(), NOTHING) + self.interest - self.recovered
        )


# --- value -------------------------------------------------------------------------------


def value_on(worth: Worth, day: date) -> Decimal:
    """Return what a thing is worth on a day; before its start, what it cost."""
    if day <= worth.start:
        return worth.cost
    days = Decimal((day - worth.start).days)
    lost = worth.cost - worth.salvage
    if worth.method == Method.DECLINING:
        return max(worth.salvage, worth.cost * (1 - worth.rate) ** (days / YEAR))
    if worth.method == Method.UNITS and worth.life_units:
        return worth.cost - lost * min(used_by(worth, day) / worth.life_units, Decimal(1))
    if worth.method == Method.MARKET and worth.valuations:
        return _between(worth, day)
    share = min(days / Decimal(worth.life_days), Decimal(1))
    return max(worth.salvage, worth.cost - lost * share)


def used_by(worth: Worth, day: date) -> Decimal:
    """Return how much a thing was used from its first reading to the last by a day."""
    past = [value for on, value in sorted(worth.readings) if on <= day]
    return past[-1] - past[0] if past else NOTHING


def _between(worth: Worth, day: date) -> Decimal:
    """Return the value between two valuations, evenly; after the last, that one."""
    points = [(worth.start, worth.cost)]
    points += sorted(one for one in worth.valuations if one[0] > worth.start)
    before = max((point for point in points if point[0] <= day), key=lambda point: point[0])
    after = next((point for point in points if point[0] > day), None)
    if after is None:
        return before[1]
    share = Decimal((day - before[0]).days) / Decimal((after[0] - before[0]).days)
    return before[1] + (after[1] - before[1]) * share


def actual_cash_value(worth: Worth, *, replacement: Decimal, day: date) -> Decimal:
    """Return what an insurer pays that takes off depreciation: replacement - (C - V)."""
    return max(NOTHING, replacement - (worth.cost - value_on(worth, day)))


# --- cost --------------------------------------------------------------------------------


def payments(fee: FeeSpan, *, first: date, last: date) -> list[date]:
    """Return the days from `first` up to and with `last` on which a fee is due."""
    end = last if fee.until is None else min(last, fee.until)
    if fee.months == 0:
        return [fee.since] if first <= fee.since <= end else []
    found = []
    for number in range(PAYMENTS_MOST):
        day = later(fee.since, fee.months * number)  # from its start: month ends do not drift
        if day > end:
            break
        if day >= first:
            found.append(day)
    return found


def fees_as_spending(fees: Iterable[FeeSpan], *, first: date, last: date) -> list[Spending]:
    """Return what fixed fees came to; of a loan's instalment, only the interest is a cost.

    Variable fees are left out: what is really paid is written down.
    """
    found = []
    for fee in fees:
        if fee.is_variable:
            continue
        amount = fee.amount
        if fee.kind == ContractKind.LOAN:
            amount = fee.interest or NOTHING
        days = payments(fee, first=first, last=last) if amount else []
        category, currency = CATEGORIES[fee.kind], fee.currency
        found += [
            Spending(on=day, amount=amount, currency=currency, category=category) for day in days
        ]
    return found


CATEGORIES = {
    ContractKind.UTILITY: CostCategory.ENERGY,
    ContractKind.SUBSCRIPTION: CostCategory.SUBSCRIPTION,
    ContractKind.SERVICE: CostCategory.SERVICE,
    ContractKind.LEASE: CostCategory.INTEREST,
    ContractKind.LOAN: CostCategory.INTEREST,
    ContractKind.INSURANCE: CostCategory.INSURANCE,
}


def cost_between(
    worth: Worth | None,
    spendings: Sequence[Spending],
    *,
    first: date,
    last: date,
    ended_on: date | None = None,
) -> dict[str, Sums]:
    """Return what owning cost from `first` up to and with `last`, each currency by itself.

    The price itself is no running cost: what was lost of it is. After a sale the proceeds
    stand for the value.
    """
    found: dict[str, Sums] = {}
    if worth is not None and last >= worth.start:
        lost = _worth_before(worth, spendings, first, ended_on)
        lost -= _worth_after(worth, spendings, last, ended_on)
        found.setdefault(worth.currency, Sums()).depreciation = lost
    for one in spendings:
        if not first <= one.on <= last or one.category in (
            CostCategory.PURCHASE,
            CostCategory.SALE,
        ):
            continue
        sums = found.setdefault(one.currency, Sums())
        if one.category == CostCategory.INTEREST:
            sums.interest += one.amount
        elif one.category == CostCategory.REFUND:
            sums.recovered -= one.amount
        else:
            sums.running[one.category] += one.amount
    sold = [one for one in spendings if one.category == CostCategory.SALE]
    for one in sold:  # in another currency than the price: said by itself, never mixed
        is_elsewhere = worth is None or one.currency != worth.currency
        if is_elsewhere and first <= one.on <= last:
            found.setdefault(one.currency, Sums()).recovered -= one.amount
    return found


def _worth_before(
    worth: Worth, spendings: Sequence[Spending], first: date, ended_on: date | None
) -> Decimal:
    """Return the value at the beginning of a span: what it was at the end of the day before."""
    if first <= worth.start:
        return worth.cost
    return _worth_after(worth, spendings, first - timedelta(days=1), ended_on)


def _worth_after(
    worth: Worth, spendings: Sequence[Spending], day: date, ended_on: date | None
) -> Decimal:
    if ended_on is None or day < ended_on:
        return value_on(worth, day)
    return -sum(
        (
            one.amount
            for one in spendings
            if one.category == CostCategory.SALE and one.currency == worth.currency
        ),
        NOTHING,
    )


def by_year(
    worth: Worth | None,
    spendings: Sequence[Spending],
    *,
    today: date,
    ended_on: date | None = None,
) -> dict[int, dict[str, Sums]]:
    """Return what owning cost in each calendar year until today, each currency by itself."""
    days = [one.on for one in spendings] + ([worth.start] if worth else [])
    days = [day for day in days if day <= today]
    if not days:
        return {}
    found = {}
    for year in range(min(days).year, today.year + 1):
        last = min(date(year, 12, 31), today)
        sums = cost_between(worth, spendings, first=date(year, 1, 1), last=last, ended_on=ended_on)
        if any(one.total or one.running for one in sums.values()):
            found[year] = sums
    return found


def per_day(total: Decimal, *, start: date, end: date) -> Decimal | None:
    """Return a cost by the days owned, the first and the last counted."""
    days = (end - start).days + 1
    return total / days if days > 0 else None


def per_unit(total: Decimal, readings: Sequence[tuple[date, Decimal]]) -> Decimal | None:
    """Return a cost by the use between the first and the last reading."""
    ordered = sorted(readings)
    used = ordered[-1][1] - ordered[0][1] if len(ordered) > 1 else NOTHING
    return total / used if used > 0 else None


def by_category(sums: Iterable[Sums]) -> Mapping[CostCategory, Decimal]:
    """Return the running costs of several spans together, the largest first."""
    found: dict[CostCategory, Decimal] = defaultdict(Decimal)
    for one in sums:
        for category, amount in one.running.items():
            found[category] += amount
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


# --- repair or replace -------------------------------------------------------------------


UPKEEP = (CostCategory.SERVICE, CostCategory.REPAIR, CostCategory.PARTS)
UPKEEP_BACK = timedelta(days=3 * 365)  # older years say little of what is to come
UPKEEP_LEAST = timedelta(days=180)  # from less, a year cannot be told


def upkeep_over(
    spent: Iterable[Spending], *, currency: str, start: date | None, today: date, years: int
) -> Decimal | None:
    """Return what upkeep comes to in so many years, if it goes on as in the last three.

    None where it is too short a time, or nothing was written down.
    """
    past = [one for one in spent if one.category in UPKEEP and one.currency == currency]
    if not past:
        return None
    first = max(start or min(one.on for one in past), today - UPKEEP_BACK)
    if today - first < UPKEEP_LEAST:
        return None
    total = sum((one.amount for one in past if first <= one.on <= today), NOTHING)
    return total * years * YEAR / Decimal((today - first).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Two ways on for so many years, in one currency; what a cover pays comes off the repair."""

    years: int
    repair: Decimal
    upkeep: Decimal  # expected over the years, repaired
    paid_by_cover: Decimal
    price: Decimal  # of a new one
    salvage: Decimal  # of the new one after the years
    upkeep_new: Decimal  # expected over the years, replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a year costs either way. The numbers are shown; the owner decides."""

    repaired: Decimal
    replaced: Decimal

    @property
    def is_new_cheaper(self) -> bool:
        """Whether a year with a new one costs less."""
        return self.repaired > self.replaced


def compare(choice: Choice) -> Compared:
    """Return (repair + upkeep) / n against (new C - S_n + upkeep_n) / n, cover taken off."""
    own = max(NOTHING, choice.repair - choice.paid_by_cover)
    return Compared(
        repaired=(own + choice.upkeep) / choice.years,
        replaced=(choice.price - choice.salvage + choice.upkeep_new) / choice.years,
    )


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return an amount with the minor digits of its currency."""
    digits = 2
    if currency in NONE_MINOR:
        digits = 0
    elif currency in THREE_MINOR:
        digits = 3
    elif currency in FOUR_MINOR:
        digits = 4
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
