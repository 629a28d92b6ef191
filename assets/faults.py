"""Faults, who pays for them, and the repairs that put them right."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from assets import care, coverage, duedates, holdings, laws, passages, snapshots
from assets.care_words import IssueStatus, Severity
from assets.choices import CoverageKind, CoverageState, Source
from assets.cover_words import Cause, ClaimState, Confidence, OrderState, RecallState, Remedy
from assets.holdings import HoldingError
from assets.lifecycle import Step
from assets.models import (
    Acquisition,
    Asset,
    Claim,
    Coverage,
    Issue,
    Meter,
    RecallMatch,
    ServiceRecord,
    WorkOrder,
)
from owners import hearing
from owners.models import Change, Owner

REPORTED, CHANGED = "fault.add", "fault.change"
ORDERED, ORDER_CHANGED, ORDER_REMOVED = "order.add", "order.change", "order.remove"
FAULT_FIELDS = frozenset(["title", "note", "cause", "part", "severity", "noticed_on"])
ORDER_FIELDS = frozenset(
    ["title", "note", "provider", "planned_on", "state", "amount", "currency", "issue", "record"]
)
OVER = (OrderState.DONE, OrderState.CANCELLED)


def report(
    *, asset: Asset, values: Mapping[str, Any], owner: Owner, now: datetime
) -> tuple[Issue, Change]:
    """Write a fault down; `is_out_of_order` says that the thing does not work any more.

    Raises HoldingError.
    """
    row = Issue(asset=asset, household_id=asset.household_id, created_at=now)
    _say(row, values, today=duedates.today_in(asset.household.zone, now))
    is_out = bool(values.get("is_out_of_order"))
    with transaction.atomic():
        if is_out and Step.REPORT_FAULT in passages.open_steps(asset):
            change = passages.take(
                asset=asset,
                step=Step.REPORT_FAULT,
                said={"on": row.noticed_on, "fault": row.title},
                owner=owner,
                now=now,
            )
            made = change.after["rows"]
            kept = Issue.objects.get(pk=next(one["pk"] for one in made if one["model"] == "issue"))
            for name in FAULT_FIELDS:
                setattr(kept, name, getattr(row, name))
            kept.save()
            return kept, change
        row.save()
        return row, holdings.remember(REPORTED, asset, owner=owner, now=now, made=[row])


def change(*, issue: Issue, values: Mapping[str, Any], owner: Owner, now: datetime) -> Change:
    """Say more of a fault; raises HoldingError."""
    before = [snapshots.of(issue)]
    _say(issue, values, today=duedates.today_in(issue.asset.household.zone, now))
    with transaction.atomic():
        issue.save()
        return holdings.remember(CHANGED, issue.asset, owner=owner, now=now, before=before)


def payers(
    *, asset: Asset, on: date, cause: Cause = Cause.UNKNOWN, part: str = ""
) -> list[coverage.Payer]:
    """Return who might pay for a fault of an asset that was noticed on a day, whom first first."""
    known = _Known.of([asset.pk])
    return known.judge(asset, coverage.Fault(on=on, cause=cause, part=part))


def payers_for(issue: Issue) -> list[coverage.Payer]:
    """Return who might pay for a fault that was written down."""
    return payers_for_all([issue])[issue.pk]


def payers_for_all(issues: Sequence[Issue]) -> dict[int, list[coverage.Payer]]:
    """Return who might pay for each of these faults; a bounded number of queries for them all.

    Only meters that a cover is limited by are read one by one.
    """
    known = _Known.of([issue.asset_id for issue in issues])
    return {
        issue.pk: known.judge(
            issue.asset,
            coverage.Fault(on=issue.noticed_on, cause=Cause(issue.cause), part=issue.part),
        )
        for issue in issues
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is written down of some assets that says who pays, by asset."""

    bought: Mapping[int, Acquisition]
    repaired: Mapping[int, Sequence[date]]  # under the seller's guarantee
    covers: Mapping[int, Sequence[coverage.Cover]]
    recalls: Mapping[int, Sequence[coverage.Recall]]

    @classmethod
    def of(cls, assets: Iterable[int]) -> "_Known":
        """Read it."""
        pks = set(assets)
        bought = Acquisition.objects.filter(asset__in=pks).prefetch_related("lines")
        repairs = Claim.objects.filter(
            asset__in=pks,
            kind=CoverageKind.LEGAL_GUARANTEE,
            state=ClaimState.PAID,
            remedy=Remedy.REPAIRED,
            resolved_on__isnull=False,
        )
        repaired: dict[int, list[date]] = defaultdict(list)
        for pk, day in repairs.values_list("asset_id", "resolved_on"):
            repaired[pk].append(day)  # type: ignore[arg-type]  # those without a day are left out
        covers: dict[int, list[coverage.Cover]] = defaultdict(list)
        written = Coverage.objects.filter(asset__in=pks)
        for row in written.exclude(kind=CoverageKind.RECALL_REMEDY).order_by("pk"):
            covers[row.asset_id].append(_cover(row))
        recalls: dict[int, list[coverage.Recall]] = defaultdict(list)
        matches = RecallMatch.objects.filter(asset__in=pks).select_related("notice")
        for match in matches.order_by("pk"):
            recalls[match.asset_id].append(_recall(match))
        return cls(
            bought={row.asset_id: row for row in bought},
            repaired=repaired,
            covers=covers,
            recalls=recalls,
        )

    def judge(self, asset: Asset, fault: coverage.Fault) -> list[coverage.Payer]:
        """Return who might pay for a fault of an asset."""
        covers = self.covers.get(asset.pk, ())
        if any(cover.meter_limit is not None for cover in covers):
            fault = replace(fault, readings=readings_of(asset, fault.on))
        return coverage.who_pays(
            fault,
            purchase=self._purchase(asset, fault.on),
            covers=covers,
            recalls=self.recalls.get(asset.pk, ()),
        )

    def _purchase(self, asset: Asset, on: date) -> coverage.Purchase:
        """Return how an asset was bought, with the law that held then; earlier repairs count."""
        bought = self.bought.get(asset.pk)
        if bought is None:
            return coverage.Purchase()
        country = bought.jurisdiction
        day = bought.ordered_on or bought.delivered_on or asset.bought_on or on
        return coverage.Purchase(
            seller=bought.seller,
            contract_on=bought.ordered_on,
            delivered_on=bought.delivered_on,
            return_by=bought.return_by,
            condition=bought.condition,
            bought_as=bought.bought_as,
            payment=bought.payment,
            price=bought.total,
            currency=bought.currency,
            repairs=sum(1 for done in self.repaired.get(asset.pk, ()) if done <= on),
            law=laws.guarantee(country=country, on=day),
            extension=laws.extension(country=country, on=day),
            credit=laws.credit(country=country, on=day),
        )


def readings_of(asset: Asset, on: date) -> dict[str, Decimal]:
    """Return what an asset's meters showed in all by a day, by unit; the most of one unit."""
    found: dict[str, Decimal] = {}
    for row in Meter.objects.filter(asset=asset, removed_at=None).order_by("pk"):
        meter = duedates.meter_of(row)
        past = [one for one in meter.readings if one.on <= on]
        if past:
            value = care.effective(past[-1], meter.swaps, kind=meter.kind)
            found[row.unit] = max(value, found.get(row.unit, value))
    return found


def _cover(row: Coverage) -> coverage.Cover:
    """Return a cover as the rules take it."""
    return coverage.Cover(
        key=str(row.uuid),
        kind=coverage.Kind(row.kind),
        obligor=row.obligor,
        reference=row.reference,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        is_lifetime=row.is_lifetime,
        state=CoverageState(row.state),
        scope=row.scope,
        notice_days=row.notice_days,
        meter_limit=row.meter_limit,
        meter_unit=row.meter_unit,
        excess=row.excess,
        currency=row.currency,
    )


def _recall(row: RecallMatch) -> coverage.Recall:
    """Return a recall that may mean an asset as the rules take it."""
    return coverage.Recall(
        key=str(row.uuid),
        authority=row.notice.declared_by or row.notice.source,
        number=row.notice.number,
        confidence=Confidence(row.confidence),
        state=RecallState(row.state),
        published_on=row.notice.published_on,
    )


# --- repairs -----------------------------------------------------------------------------


def order(
    *, asset: Asset, values: Mapping[str, Any], owner: Owner, now: datetime
) -> tuple[WorkOrder, Change]:
    """Plan or ask for a repair; raises HoldingError."""
    row = WorkOrder(asset=asset, household_id=asset.household_id, created_at=now)
    _say_order(row, values)
    with transaction.atomic():
        before = _follow(row)
        row.save()
        return row, holdings.remember(
            ORDERED, asset, owner=owner, now=now, before=before, made=[row]
        )


def change_order(
    *, order: WorkOrder, values: Mapping[str, Any], owner: Owner, now: datetime
) -> Change:
    """Change a repair, or say how far it is; raises HoldingError."""
    before = [snapshots.of(order)]
    if "state" in values and values["state"] != order.state:
        order.source, order.stated_at = Source.SELF, now  # until the supplier says something new
    _say_order(order, values)
    with transaction.atomic():
        before += _follow(order)
        order.save()
        return holdings.remember(ORDER_CHANGED, order.asset, owner=owner, now=now, before=before)


def arrange(
    *, order: WorkOrder, matter: UUID, provider: str, owner: Owner, now: datetime
) -> Change:
    """Note the matter in which a repair is arranged, and who was asked for it."""
    before = [snapshots.of(order)]
    order.matter = matter
    order.provider = order.provider or provider[:120]
    if provider and order.state == OrderState.PLANNED:
        order.state, order.stated_at = OrderState.REQUESTED, now
    with transaction.atomic():
        order.save()
        return holdings.remember(ORDER_CHANGED, order.asset, owner=owner, now=now, before=before)


def follow_order(
    *, order: WorkOrder, values: Mapping[str, Any], at: datetime, now: datetime
) -> None:
    """Let a repair be as far as its matter says by `at`; its fault follows it."""
    for name, value in values.items():
        setattr(order, name, value)
    if values.get("state"):
        order.source = Source.SUPPLIER
    order.stated_at = at
    with transaction.atomic():
        _follow(order)
        order.save()
        if order.state in OVER:
            hearing.tell(hearing.HOLDINGS, asset=order.asset, now=now)


def remove_order(*, order: WorkOrder, owner: Owner, now: datetime) -> Change:
    """Take a repair away; it can be put back for 30 days."""
    with transaction.atomic():
        before, asset = [snapshots.of(order)], order.asset
        order.delete()
        return holdings.remember(ORDER_REMOVED, asset, owner=owner, now=now, before=before)


def _follow(order: WorkOrder) -> list[dict[str, Any]]:
    """Let the fault be under repair while its repair is; return how it was before."""
    issue = order.issue
    if issue is None or order.state != OrderState.IN_PROGRESS:
        return []
    if issue.status not in (IssueStatus.OPEN, IssueStatus.DIAGNOSED):
        return []
    before = [snapshots.of(issue)]
    issue.status = IssueStatus.IN_PROGRESS
    issue.save(update_fields=["status"])
    return before


def _say(row: Issue, values: Mapping[str, Any], *, today: date) -> None:
    for name in FAULT_FIELDS & values.keys():
        setattr(row, name, values[name])
    row.title = row.title.strip()
    if not row.title:
        raise HoldingError("title", gettext_noop("Say what is wrong."))
    if row.cause not in Cause.values:
        raise HoldingError("cause", gettext_noop("Choose one of the list."))
    if row.severity not in Severity.values:
        raise HoldingError("severity", gettext_noop("Choose one of the list."))
    if row.noticed_on is None:
        row.noticed_on = today
    if row.noticed_on > today:
        raise HoldingError("noticed_on", gettext_noop("This day is still to come."))


def _say_order(row: WorkOrder, values: Mapping[str, Any]) -> None:
    for name in ORDER_FIELDS & values.keys():
        setattr(row, name, values[name])
    row.title = row.title.strip()
    if not row.title:
        raise HoldingError("title", gettext_noop("Say what is to be done."))
    if row.state not in OrderState.values:
        raise HoldingError("state", gettext_noop("Choose one of the list."))
    of_asset = (row.issue, row.record)
    if any(one is not None and one.asset_id != row.asset_id for one in of_asset):
        raise HoldingError("issue", gettext_noop("There is no such object."))
    row.currency = holdings.currency_of(row.currency or "", is_needed=row.amount is not None)


def open_orders(asset: Asset) -> list[WorkOrder]:
    """Return the repairs of an asset that are not over, the newest first."""
    rows = WorkOrder.objects.filter(asset=asset).exclude(state__in=OVER)
    return list(rows.select_related("issue").order_by("-created_at", "-pk"))


def records_of(asset: Asset) -> list[ServiceRecord]:
    """Return the work on an asset, the newest first."""
    return list(asset.service_records.filter(removed_at=None).order_by("-done_on", "-pk")[:100])
