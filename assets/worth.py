"""What an asset is worth and costs, from its rows; its value plan, valuations and contracts."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_noop

from assets import care, costing, duedates, faults, holdings, snapshots
from assets.choices import CostCategory, Lifecycle
from assets.costing import FeeSpan, Spending, Sums, Worth
from assets.cover_words import Basis, ContractKind, Method, Standing
from assets.coverage import later
from assets.holdings import HoldingError
from assets.models import (
    Acquisition,
    Asset,
    Contract,
    CostEntry,
    Fee,
    Meter,
    Valuation,
    ValuePlan,
    WorkOrder,
)
from owners.models import Change, Owner

PLANNED = "worth.plan"
VALUED, VALUE_REMOVED = "worth.value", "worth.value.remove"
AGREED, AGREEMENT_CHANGED, AGREEMENT_REMOVED = "contract.add", "contract.change", "contract.remove"
PLAN_FIELDS = frozenset(["method", "salvage", "life_months", "rate", "life_units", "meter"])
VALUE_FIELDS = frozenset(["on", "amount", "currency", "basis", "note"])
CONTRACT_FIELDS = frozenset(
    [
        "kind",
        "party",
        "number",
        "starts_on",
        "ends_on",
        "notice_days",
        "renews_months",
        "cancelled_on",
        "note",
    ]
)
CHOICE_YEARS = 5  # over which repair and replacement are compared, unless another is said
FEE_FIELDS = frozenset(["since", "months", "amount", "interest", "currency", "is_variable"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an asset costs and is worth until a day; each currency by itself."""

    until: date
    since: date | None
    worth: Worth | None
    value: Decimal | None  # in the currency of `worth`
    whole: dict[str, Sums]
    years: dict[int, dict[str, Sums]]
    readings: tuple[tuple[date, Decimal], ...]
    unit: str

    def per_day(self, currency: str) -> Decimal | None:
        """Return the cost of a day in a currency."""
        if self.since is None:
            return None
        return costing.per_day(self.whole[currency].total, start=self.since, end=self.until)

    def per_unit(self, currency: str) -> Decimal | None:
        """Return the cost of a unit of use in a currency."""
        return costing.per_unit(self.whole[currency].total, self.readings)


def account(asset: Asset, *, today: date) -> Account:
    """Return what owning an asset came to until today, or until its life here ended."""
    ended = asset.ended_on if asset.lifecycle == Lifecycle.ENDED else None
    until = min(today, ended) if ended else today
    unit, readings = _use(asset, plan_of(asset))
    spendings = spendings_of(asset, until=until)
    worth = worth_of(asset, readings=readings)
    days = [one.on for one in spendings] + ([worth.start] if worth else [])
    since = worth.start if worth else min(days, default=None)
    return Account(
        until=until,
        since=since,
        worth=worth,
        value=costing.value_on(worth, today) if worth and not ended else None,
        whole=costing.cost_between(
            worth, spendings, first=min(days, default=until), last=until, ended_on=ended
        ),
        years=costing.by_year(worth, spendings, today=until, ended_on=ended),
        readings=readings,
        unit=unit,
    )


def with_values(rows: models.QuerySet[Asset]) -> models.QuerySet[Asset]:
    """Read what `worth_of` needs of many assets at once."""
    bought = CostEntry.objects.filter(category=CostCategory.PURCHASE).order_by("on", "pk")
    return rows.select_related("household", "acquisition", "value_plan__meter").prefetch_related(
        "acquisition__lines",
        "valuations",
        models.Prefetch("costs", queryset=bought, to_attr="purchases"),
    )


def worth_of(
    asset: Asset, *, readings: tuple[tuple[date, Decimal], ...] | None = None
) -> Worth | None:
    """Return how an asset loses value; None where its price or its day is not written down."""
    bought, plan = bought_of(asset), plan_of(asset) or ValuePlan(asset=asset)
    cost, currency = _price(asset, bought)
    start = (bought and (bought.delivered_on or bought.ordered_on)) or asset.bought_on
    start = start or asset.in_service_on
    if cost is None or start is None:
        return None
    if readings is None:
        readings = _use(asset, plan)[1] if plan.method == Method.UNITS else ()
    said = [
        row
        for row in asset.valuations.all()
        if row.basis == Basis.MARKET and row.currency == currency
    ]
    return Worth(
        cost=cost,
        currency=currency,
        start=start,
        method=Method(plan.method),
        salvage=min(Decimal(plan.salvage), cost),
        life_days=max((later(start, plan.life_months) - start).days, 1),
        rate=plan.rate or Decimal(0),
        life_units=plan.life_units,
        readings=readings,
        valuations=tuple({row.on: row.amount for row in sorted(said, key=_by_day)}.items()),
    )


def bought_of(asset: Asset) -> Acquisition | None:
    """Return how an asset came here, if that is written down."""
    return getattr(asset, "acquisition", None)


def plan_of(asset: Asset) -> ValuePlan | None:
    """Return how an asset loses value, if that is said."""
    return getattr(asset, "value_plan", None)


def _by_day(row: Valuation) -> tuple[date, int]:
    return row.on, row.pk


def spendings_of(asset: Asset, *, until: date) -> list[Spending]:
    """Return everything that was spent until a day, with the fixed fees of its contracts."""
    rows = asset.costs.filter(on__lte=until).order_by("on", "pk")
    found = [
        Spending(on=on, amount=amount, currency=currency, category=CostCategory(category))
        for on, amount, currency, category in rows.values_list(
            "on", "amount", "currency", "category"
        )
    ]
    first = date.min
    return found + costing.fees_as_spending(fees_of(asset), first=first, last=until)


def fees_of(asset: Asset) -> list[FeeSpan]:
    """Return the fees of an asset's contracts; a later one ends an earlier one."""
    found = []
    for contract in asset.contracts.prefetch_related("fees").order_by("pk"):
        fees = sorted(contract.fees.all(), key=lambda fee: fee.since)
        for number, fee in enumerate(fees):
            following = fees[number + 1].since if number + 1 < len(fees) else None
            ends = [day for day in (contract.ends_on, following and _day_before(following)) if day]
            found.append(
                FeeSpan(
                    since=fee.since,
                    months=fee.months,
                    amount=fee.amount,
                    currency=fee.currency,
                    kind=ContractKind(contract.kind),
                    until=min(ends, default=None),
                    interest=fee.interest,
                    is_variable=fee.is_variable,
                )
            )
    return found


def replacement_of(asset: Asset) -> Valuation | None:
    """Return what the asset costs new today, as it was written down last."""
    rows = asset.valuations.filter(basis=Basis.REPLACEMENT).order_by("-on", "-pk")
    return rows.first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """Numbers for repair or replace as the record has them; what it does not have is None."""

    currency: str
    years: int
    repair: Decimal | None = None
    paid_by_cover: Decimal | None = None
    payer: str = ""  # who pays that much of the repair, as far as is known
    upkeep: Decimal | None = None
    price: Decimal | None = None
    salvage: Decimal | None = None
    value: Decimal | None = None  # of the thing as it is, today


def proposed(asset: Asset, *, today: date, years: int = CHOICE_YEARS) -> Proposed:
    """Return what the record says for "repair it, or buy a new one?", all in one currency.

    The repair that is planned; what a cover that holds pays of it; upkeep as it was lately;
    the price of a new one, else what was paid for this; what the new one is worth then.
    """
    worth = worth_of(asset)
    new = replacement_of(asset)
    currency = (new and new.currency) or (worth and worth.currency) or asset.household.currency
    price = new.amount if new is not None else None
    if price is None and worth is not None:
        price = worth.cost
    salvage = None
    if price is not None and worth is not None:
        method = worth.method if worth.method == Method.DECLINING else Method.STRAIGHT
        fresh = replace(worth, cost=price, start=today, method=method, readings=(), valuations=())
        salvage = costing.value_on(fresh, later(today, 12 * years))
    orders = [row for row in faults.open_orders(asset) if row.amount and row.currency == currency]
    order = orders[0] if orders else None
    paid, payer = _paid_of(asset, order, today=today) if order is not None else (None, "")
    spent = spendings_of(asset, until=today)
    return Proposed(
        currency=currency,
        years=years,
        repair=order.amount if order is not None else None,
        paid_by_cover=paid,
        payer=payer,
        upkeep=costing.upkeep_over(
            spent, currency=currency, start=worth.start if worth else None, today=today, years=years
        ),
        price=price,
        salvage=salvage,
        value=costing.value_on(worth, today) if worth is not None else None,
    )


def _paid_of(asset: Asset, order: WorkOrder, *, today: date) -> tuple[Decimal | None, str]:
    """Return how much of a repair somebody should pay, less the excess, and who."""
    issue = order.issue
    payers = faults.payers_for(issue) if issue is not None else faults.payers(asset=asset, on=today)
    sure = next((one for one in payers if one.standing == Standing.PAYS), None)
    if sure is None or order.amount is None:
        return None, ""
    if sure.excess and sure.currency != order.currency:
        return None, ""
    return max(Decimal(0), order.amount - (sure.excess or 0)), sure.obligor


def as_csv(asset: Asset, *, today: date) -> str:
    """Return an asset's costs by year as CSV: words of ours, days and amounts only."""
    out = io.StringIO()
    writer = csv.writer(out)
    running = list(CostCategory.values)
    writer.writerow(
        ["year", "currency", "depreciation", *running, "loan_interest", "recovered", "total"]
    )
    for year, sums in account(asset, today=today).years.items():
        for currency, one in sorted(sums.items()):
            amounts = [one.depreciation, *(one.running.get(CostCategory(c), 0) for c in running)]
            amounts += [one.interest, one.recovered, one.total]
            shown = [str(costing.rounded(Decimal(amount), currency)) for amount in amounts]
            writer.writerow([year, currency, *shown])
    return out.getvalue()


# --- writing -----------------------------------------------------------------------------


def plan(*, asset: Asset, values: Mapping[str, Any], owner: Owner, now: datetime) -> Change:
    """Say how an asset loses value; raises HoldingError."""
    found = ValuePlan.objects.filter(asset=asset).first()
    before = [snapshots.of(found)] if found else []
    row = found or ValuePlan(asset=asset, household_id=asset.household_id)
    for name in PLAN_FIELDS & values.keys():
        setattr(row, name, values[name])
    if row.meter is not None and row.meter.asset_id != asset.pk:
        raise HoldingError("meter", gettext_noop("There is no such object."))
    if row.method == Method.DECLINING and row.rate is None:
        raise HoldingError("rate", gettext_noop("Say what share of its value it loses in a year."))
    if row.method == Method.UNITS and (row.life_units is None or row.meter is None):
        raise HoldingError("life_units", gettext_noop("Say how much it can be used in its life."))
    if row.rate is not None and not 0 <= row.rate < 1:
        raise HoldingError("rate", gettext_noop("A share lies between 0 and 1."))
    if row.salvage < 0 or not row.life_months:
        raise HoldingError("salvage", gettext_noop("An amount is not below nothing."))
    with transaction.atomic():
        row.save()
        made: list[models.Model] = [] if found else [row]
        return holdings.remember(PLANNED, asset, owner=owner, now=now, before=before, made=made)


def value(
    *, asset: Asset, values: Mapping[str, Any], owner: Owner, now: datetime
) -> tuple[Valuation, Change]:
    """Write down what an asset is worth; raises HoldingError."""
    row = Valuation(asset=asset, household_id=asset.household_id, created_at=now)
    for name in VALUE_FIELDS & values.keys():
        setattr(row, name, values[name])
    row.currency = holdings.currency_of(row.currency or "", is_needed=True)
    if row.amount < 0:
        raise HoldingError("amount", gettext_noop("An amount is not below nothing."))
    if row.on > duedates.today_in(asset.household.zone, now):
        raise HoldingError("on", gettext_noop("This day is still to come."))
    with transaction.atomic():
        row.save()
        return row, holdings.remember(VALUED, asset, owner=owner, now=now, made=[row])


def unvalue(*, valuation: Valuation, owner: Owner, now: datetime) -> Change:
    """Take a valuation away; it can be put back for 30 days."""
    with transaction.atomic():
        before, asset = [snapshots.of(valuation)], valuation.asset
        valuation.delete()
        return holdings.remember(VALUE_REMOVED, asset, owner=owner, now=now, before=before)


def agree(
    *, asset: Asset, values: Mapping[str, Any], owner: Owner, now: datetime
) -> tuple[Contract, Change]:
    """Write a contract down, with its first fee where one is said; raises HoldingError."""
    row = Contract(asset=asset, household_id=asset.household_id, created_at=now)
    _say(row, values)
    with transaction.atomic():
        row.save()
        made: list[models.Model] = [row]
        if (fee := values.get("fee")) is not None:
            made.append(_charge(row, fee))
        return row, holdings.remember(AGREED, asset, owner=owner, now=now, made=made)


def change(*, contract: Contract, values: Mapping[str, Any], owner: Owner, now: datetime) -> Change:
    """Change a contract; a fee that is said holds from its day on. Raises HoldingError."""
    before = [snapshots.of(contract)]
    _say(contract, values)
    with transaction.atomic():
        contract.save()
        made: list[models.Model] = []
        if (fee := values.get("fee")) is not None:
            found = contract.fees.filter(since=fee["since"]).first()
            if found is not None:
                before.append(snapshots.of(found))
                _charge(contract, fee, row=found)
            else:
                made.append(_charge(contract, fee))
        return holdings.remember(
            AGREEMENT_CHANGED, contract.asset, owner=owner, now=now, before=before, made=made
        )


def remove(*, contract: Contract, owner: Owner, now: datetime) -> Change:
    """Take a contract away with its fees; it can be put back for 30 days."""
    with transaction.atomic():
        asset = contract.asset
        before = [snapshots.of(contract), *map(snapshots.of, contract.fees.all())]
        contract.delete()
        return holdings.remember(AGREEMENT_REMOVED, asset, owner=owner, now=now, before=before)


def cancel_by(contract: Contract, *, today: date) -> date | None:
    """Return the last day to give notice; of one that renews itself, for its present term."""
    end = contract.ends_on
    if end is None or contract.notice_days is None or contract.cancelled_on is not None:
        return None
    last = _days_before(end, contract.notice_days)
    if not contract.renews_months:
        return last
    number = 0
    while last < today and number < costing.PAYMENTS_MOST:
        number += 1
        last = _days_before(later(end, contract.renews_months * number), contract.notice_days)
    return last


def _say(row: Contract, values: Mapping[str, Any]) -> None:
    for name in CONTRACT_FIELDS & values.keys():
        setattr(row, name, values[name])
    if row.kind not in ContractKind.values:
        raise HoldingError("kind", gettext_noop("Choose one of the list."))
    if not row.party.strip():
        raise HoldingError("party", gettext_noop("Say with whom."))
    if row.ends_on is not None and row.ends_on < row.starts_on:
        raise HoldingError("ends_on", gettext_noop("It cannot end before it begins."))


def _charge(contract: Contract, values: Mapping[str, Any], row: Fee | None = None) -> Fee:
    fee = row or Fee(contract=contract, household_id=contract.household_id)
    for name in FEE_FIELDS & values.keys():
        setattr(fee, name, values[name])
    fee.currency = holdings.currency_of(fee.currency or "", is_needed=True)
    if fee.interest is not None and not 0 <= fee.interest <= fee.amount:
        raise HoldingError("interest", gettext_noop("The interest is a part of the instalment."))
    fee.save()
    return fee


def _price(asset: Asset, bought: Acquisition | None) -> tuple[Decimal | None, str]:
    """Return what was paid for an asset: the lines of its price, else what was noted as bought."""
    if bought is not None and bought.total is not None:
        return bought.total, bought.currency or asset.household.currency
    rows = getattr(asset, "purchases", None)  # of `with_values`
    if rows is None:
        rows = asset.costs.filter(category=CostCategory.PURCHASE).order_by("on", "pk")
    amounts = [(row.amount, row.currency) for row in rows]
    if not amounts:
        return None, ""
    currency = amounts[0][1]
    return sum((amount for amount, of in amounts if of == currency), Decimal(0)), currency


def _use(asset: Asset, plan: ValuePlan | None) -> tuple[str, tuple[tuple[date, Decimal], ...]]:
    """Return what use is counted in, with all counts: by the plan's meter, else the first."""
    rows = Meter.objects.filter(asset=asset, removed_at=None).exclude(kind="gauge").order_by("pk")
    row = plan.meter if plan and plan.meter else rows.first()
    if row is None:
        return "", ()
    meter = duedates.meter_of(row)
    counted = [
        (one.on, care.effective(one, meter.swaps, kind=meter.kind)) for one in meter.readings
    ]
    return row.unit or row.name, tuple(counted)


def _day_before(day: date) -> date:
    return _days_before(day, 1)


def _days_before(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() - days)
