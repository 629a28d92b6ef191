"""What belongs to an asset besides its words: how it came here, what covers it, what it costs."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_noop

from assets import laws, snapshots
from assets.choices import (
    BoughtAs,
    Condition,
    CostCategory,
    CoverageKind,
    CoverageState,
    PriceKind,
    Source,
)
from assets.coverage import later
from assets.models import Acquisition, Asset, CostEntry, Coverage, PriceLine
from owners import hearing, undo
from owners.models import Change, Owner

ACQUIRED = "asset.acquire"
COVERED, COVER_CHANGED, COVER_REMOVED = "coverage.add", "coverage.change", "coverage.remove"
SPENT, SPENDING_CHANGED, SPENDING_REMOVED = "cost.add", "cost.change", "cost.remove"
ACQUISITION_FIELDS = frozenset(
    {
        "seller",
        "order_no",
        "ordered_on",
        "expected_on",
        "delivered_on",
        "return_by",
        "condition",
        "bought_as",
        "payment",
        "jurisdiction",
        "currency",
    }
)
COVERAGE_FIELDS = frozenset(
    {
        "kind",
        "obligor",
        "reference",
        "starts_on",
        "ends_on",
        "months",
        "is_lifetime",
        "scope",
        "terms",
        "excess",
        "meter_limit",
        "meter_unit",
        "currency",
        "notice_days",
        "register_by",
        "registered_on",
        "is_transferable",
        "state",
    }
)
COST_FIELDS = frozenset(["on", "amount", "currency", "category", "note"])
LINES_MOST = 30
Lines = Sequence[tuple[PriceKind, Decimal, str]]  # what it is, how much, in whose words


class HoldingError(Exception):
    """What was said cannot be so; `field` names it and the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        """Note which field, and the reader's words."""
        super().__init__(detail)
        self.field, self.detail = field, detail


def acquire(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    now: datetime,
    lines: Lines | None = None,
    owner: Owner | None = None,
    source: Source = Source.SELF,
) -> Acquisition:
    """Say how an asset came into the household; `lines`, when given, are its whole price.

    A discount counts as less, however it was signed. Raises HoldingError.
    """
    found = Acquisition.objects.filter(asset=asset).first()
    before = [] if found is None else [snapshots.of(found), *map(snapshots.of, found.lines.all())]
    row = found or Acquisition(asset=asset, household_id=asset.household_id)
    for name in ACQUISITION_FIELDS & values.keys():
        setattr(row, name, values[name])
    row.currency = currency_of(row.currency or "", is_needed=bool(lines))
    row.source = source
    with transaction.atomic():
        row.save()
        made: list[models.Model] = [row] if found is None else []
        if lines is not None:
            row.lines.all().delete()
            made += PriceLine.objects.bulk_create(
                price_line(row, kind, amount, label) for kind, amount, label in lines[:LINES_MOST]
            )
        if owner is not None:
            remember(ACQUIRED, asset, owner=owner, now=now, before=before, made=made)
        else:
            hearing.tell(hearing.HOLDINGS, asset=asset, now=now)
    return row


def price_line(bought: Acquisition, kind: PriceKind, amount: Decimal, label: str) -> PriceLine:
    """Return one line of a price, unsaved."""
    return PriceLine(
        household_id=bought.household_id,
        acquisition=bought,
        kind=kind,
        amount=-abs(amount) if kind == PriceKind.DISCOUNT else amount,
        label=label[:120],
    )


def cover(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    now: datetime,
    owner: Owner | None = None,
    source: Source = Source.SELF,
) -> Coverage:
    """Add a cover to an asset; a length in months gives the end that is not said.

    Raises HoldingError.
    """
    row = Coverage(asset=asset, household_id=asset.household_id, created_at=now)
    _say_cover(row, values, source)
    with transaction.atomic():
        row.save()
        if owner is not None:
            remember(COVERED, asset, owner=owner, now=now, made=[row])
        else:
            hearing.tell(hearing.HOLDINGS, asset=asset, now=now)
    return row


def change_cover(
    *, coverage: Coverage, values: Mapping[str, Any], owner: Owner, now: datetime
) -> Change:
    """Change a cover; raises HoldingError."""
    before = [snapshots.of(coverage)]
    _say_cover(coverage, values, Source.SELF)
    with transaction.atomic():
        coverage.save()
        return remember(COVER_CHANGED, coverage.asset, owner=owner, now=now, before=before)


def spend(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    now: datetime,
    owner: Owner | None = None,
    source: Source = Source.SELF,
) -> CostEntry:
    """Write down money that was spent on an asset, or came back. Raises HoldingError."""
    row = CostEntry(asset=asset, household_id=asset.household_id, created_at=now, added_by=owner)
    _say_cost(row, values, source)
    with transaction.atomic():
        row.save()
        if owner is not None:
            remember(SPENT, asset, owner=owner, now=now, made=[row])
    return row


def change_cost(
    *, cost: CostEntry, values: Mapping[str, Any], owner: Owner, now: datetime
) -> Change:
    """Change a cost; raises HoldingError."""
    before = [snapshots.of(cost)]
    _say_cost(cost, values, Source.SELF)
    with transaction.atomic():
        cost.save()
        return remember(SPENDING_CHANGED, cost.asset, owner=owner, now=now, before=before)


def remove(*, row: Coverage | CostEntry, owner: Owner, now: datetime) -> Change:
    """Take a cover or a cost away; it can be put back for 30 days."""
    kind = COVER_REMOVED if isinstance(row, Coverage) else SPENDING_REMOVED
    with transaction.atomic():
        before = [snapshots.of(row)]
        asset = row.asset
        row.delete()
        return remember(kind, asset, owner=owner, now=now, before=before)


def latest(asset: Asset) -> Change | None:
    """Return the last change of what belongs to an asset, where it is not undone."""
    kinds = [ACQUIRED, COVERED, COVER_CHANGED, COVER_REMOVED]
    kinds += [SPENT, SPENDING_CHANGED, SPENDING_REMOVED]
    found = Change.objects.filter(subject=asset.uuid, kind__in=kinds, undone_at=None)
    return found.order_by("-pk").first()


def totals(asset: Asset) -> list[tuple[str, Decimal]]:
    """Return what an asset cost since it is here, each currency by itself."""
    rows = asset.costs.order_by().values("currency").annotate(all=models.Sum("amount"))
    return sorted((row["currency"], row["all"]) for row in rows)


def last_day(start: date, months: int) -> date:
    """Return the last day on which something holds that holds for so many months."""
    return later(start, months) - timedelta(days=1)


def guarantee_months(
    *, country: str, condition: str, bought_as: str, on: date | None = None
) -> int | None:
    """Return how long the seller answers by law; None where our table does not know.

    The law is that of the day of the contract; without one, that of the day of the check.
    """
    law = laws.guarantee(country=country, on=on or laws.as_of())
    if law is None or bought_as == BoughtAs.BUSINESS:
        return None
    return law.new if condition == Condition.NEW else law.used


def return_days(country: str, *, on: date | None = None) -> int | None:
    """Return within how many days what was bought at a distance may go back by law."""
    return laws.return_days(country=country, on=on or laws.as_of())


def begin_guarantee(*, acquisition: Acquisition, now: datetime) -> Coverage | None:
    """Let the seller's legal guarantee begin with the delivery, where our table knows it."""
    start = acquisition.delivered_on
    months = guarantee_months(
        country=acquisition.jurisdiction,
        condition=acquisition.condition,
        bought_as=acquisition.bought_as,
        on=acquisition.ordered_on or start,
    )
    kind = CoverageKind.LEGAL_GUARANTEE
    if not months or start is None or acquisition.asset.coverages.filter(kind=kind).exists():
        return None
    values = {"kind": kind, "obligor": acquisition.seller, "starts_on": start, "months": months}
    return cover(asset=acquisition.asset, values=values, now=now)


def end_covers(*, asset: Asset, on: date) -> list[dict[str, Any]]:
    """Let what covers an asset end; return how it was before."""
    live = [
        row
        for row in asset.coverages.exclude(state=CoverageState.VOIDED)
        if row.state_on(on) in {CoverageState.ACTIVE, CoverageState.PENDING}
    ]
    before = [snapshots.of(row) for row in live]
    for row in live:
        row.state = CoverageState.EXPIRED
        row.save(update_fields=["state"])
    return before


def _say_cover(row: Coverage, values: Mapping[str, Any], source: Source) -> None:
    for name in COVERAGE_FIELDS & values.keys():
        setattr(row, name, values[name])
    row.source = source
    settle_cover(row)


def settle_cover(row: Coverage) -> None:
    """Work out what a cover leaves unsaid, however it came here. Raises HoldingError."""
    if row.kind not in CoverageKind.values:
        raise HoldingError("kind", gettext_noop("Choose one of the list."))
    if row.is_lifetime:
        row.ends_on = None
    elif row.ends_on is None and row.starts_on is not None and row.months:
        row.ends_on = last_day(row.starts_on, row.months)
    if row.starts_on is not None and row.ends_on is not None and row.ends_on < row.starts_on:
        raise HoldingError("ends_on", gettext_noop("It cannot end before it begins."))
    row.currency = currency_of(row.currency or "", is_needed=row.excess is not None)


def _say_cost(row: CostEntry, values: Mapping[str, Any], source: Source) -> None:
    for name in COST_FIELDS & values.keys():
        setattr(row, name, values[name])
    row.source = source
    settle_cost(row)


def settle_cost(row: CostEntry) -> None:
    """Give a cost its sign and its currency, however it came here. Raises HoldingError."""
    row.currency = currency_of(row.currency or "", is_needed=True)
    if row.category in {CostCategory.REFUND, CostCategory.SALE}:
        row.amount = -abs(row.amount)  # what came back makes the whole less


def currency_of(code: str, *, is_needed: bool) -> str:
    """Return a currency as three capitals; raises HoldingError for what is none."""
    code = code.strip().upper()
    if (is_needed or code) and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise HoldingError(
            "currency", gettext_noop("Write a currency as three letters, such as EUR.")
        )
    return code


def remember(
    kind: str,
    asset: Asset,
    *,
    owner: Owner,
    now: datetime,
    before: Sequence[dict[str, Any]] = (),
    made: Sequence[models.Model] = (),
) -> Change:
    """Keep what it takes to put rows of an asset back: as they were, and which are new."""
    hearing.tell(hearing.HOLDINGS, asset=asset, now=now)
    return undo.remember(
        kind=kind,
        label=asset.name,
        now=now,
        owner=owner,
        household=asset.household,
        subject=asset.uuid,
        before={"rows": list(before)},
        after={"rows": [snapshots.name(row) for row in made]},
    )
