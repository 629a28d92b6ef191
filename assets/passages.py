"""The steps in an asset's life, taken: `lifecycle` says what may be, this writes it down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from assets import caring, duedates, holdings, lifecycle, notices, snapshots
from assets.care_words import IssueStatus, WorkKind
from assets.choices import (
    CostCategory,
    CoverageKind,
    Custody,
    Lifecycle,
    NoticeKind,
    OperationalStatus,
    PriceKind,
    Source,
)
from assets.lifecycle import Effect, Facts, State, Step, StepError
from assets.models import Acquisition, Asset, Issue, Loan, Loss
from owners import hearing, undo
from owners.models import Change, Owner

TAKEN = "asset.step"
STATE_FIELDS = (
    "lifecycle",
    "operational_status",
    "custody",
    "leaving_as",
    "in_service_on",
    "ended_on",
    "end_reason",
)
# What may be said with a step besides what `Facts` judges, by the step that asks for it.
ASKED: dict[Step, tuple[str, ...]] = {
    Step.ORDER: ("seller", "order_no", "amount", "currency", "expected_on"),
    Step.CANCEL: ("amount", "currency"),
    Step.RECEIVE: ("return_by",),
    Step.SEND_BACK: ("is_agreed", "amount", "currency"),
    Step.PUT_IN_USE: (),
    Step.STORE: (),
    Step.TAKE_OUT: (),
    Step.REPORT_FAULT: ("fault",),
    Step.START_REPAIR: ("provider", "is_taken_away"),
    Step.FINISH_REPAIR: ("work", "provider", "amount", "currency", "months"),
    Step.LEND: ("borrower", "reach", "due_on", "note"),
    Step.LEND_LONGER: ("due_on",),
    Step.TAKE_BACK: (),
    Step.LOSE: ("where", "reported_to", "report_no", "note"),
    Step.STEAL: ("where", "reported_to", "report_no", "note"),
    Step.FIND: (),
    Step.OFFER: ("leaving_as",),
    Step.KEEP: (),
    Step.END: ("reason", "amount", "currency", "note"),
    Step.BUY_BACK: (),
}


def state_of(asset: Asset) -> State:
    """Return an asset as the steps see it."""
    return State(
        lifecycle=Lifecycle(asset.lifecycle),
        status=OperationalStatus(asset.operational_status),
        custody=Custody(asset.custody),
        leaving_as=asset.leaving_as,
        in_service_on=asset.in_service_on,
        ended_on=asset.ended_on,
        end_reason=asset.end_reason,
    )


def open_steps(asset: Asset) -> list[Step]:
    """Return the steps that lead on from where an asset is."""
    return lifecycle.open_steps(state_of(asset))


@dataclass(slots=True, kw_only=True)
class _Way:
    """One step on its way: what was said, and what undoing it takes."""

    asset: Asset
    on: date
    said: Mapping[str, Any]
    owner: Owner
    now: datetime
    source: Source
    before: list[dict[str, Any]] = field(default_factory=list)
    made: list[models.Model] = field(default_factory=list)
    raises: list[NoticeKind] = field(default_factory=list)

    def text(self, name: str, most: int = 200) -> str:
        return str(self.said.get(name) or "").strip()[:most]


def take(
    *,
    asset: Asset,
    step: Step,
    said: Mapping[str, Any],
    owner: Owner,
    now: datetime,
    source: Source = Source.SELF,
) -> Change:
    """Take a step with what was said; return what undoes it. Raises StepError, HoldingError."""
    with transaction.atomic():
        asset = (
            Asset.objects.select_for_update(no_key=True, of=("self",))
            .select_related("household")
            .get(pk=asset.pk)
        )
        today = duedates.today_in(asset.household.zone, now)
        on = said.get("on") or today
        way = _Way(asset=asset, on=on, said=said, owner=owner, now=now, source=source)
        way.before.append(snapshots.of(asset, fields=STATE_FIELDS))
        if step == Step.ORDER:
            _note_order(way)
        was = state_of(asset)
        taken = lifecycle.take(was, step, _facts(way, today))
        asset.lifecycle, asset.operational_status = taken.state.lifecycle, taken.state.status
        asset.custody, asset.leaving_as = taken.state.custody, taken.state.leaving_as
        asset.in_service_on = taken.state.in_service_on
        asset.ended_on, asset.end_reason = taken.state.ended_on, taken.state.end_reason
        asset.source, asset.written_by = source, owner
        asset.save(update_fields=[*STATE_FIELDS, "source", "written_by"])
        for effect in taken.effects:
            if effect in _EFFECTS:
                _EFFECTS[effect](way)
        if taken.state.lifecycle != was.lifecycle:
            hearing.tell(hearing.LIFECYCLE, asset=asset, before=was.lifecycle, now=now)
        duedates.refresh(assets=[asset.pk], now=now)
        notices.review_asset(asset, now=now, raises=way.raises)
        after: dict[str, Any] = {"step": step, "rows": [snapshots.name(row) for row in way.made]}
        return undo.remember(
            kind=TAKEN,
            label=asset.name,
            now=now,
            owner=owner,
            household=asset.household,
            subject=asset.uuid,
            before={"rows": way.before},
            after=after,
        )


def take_back(*, asset: Asset, change: Change, owner: Owner, now: datetime) -> None:
    """Undo a step with all that followed from it."""
    was = asset.lifecycle
    snapshots.put_back(asset.household_id, before=change.before, after=change.after)
    asset.refresh_from_db()
    asset.source, asset.written_by = Source.SELF, owner
    asset.save(update_fields=["source", "written_by"])
    if asset.lifecycle != was:
        hearing.tell(hearing.LIFECYCLE, asset=asset, before=was, now=now)
    duedates.refresh(assets=[asset.pk], now=now)
    notices.review_asset(asset, now=now)


def _facts(way: _Way, today: date) -> Facts:
    bought = Acquisition.objects.filter(asset=way.asset).prefetch_related("lines").first()
    return Facts(
        on=way.on,
        today=today,
        seller=bought.seller if bought else "",
        has_price=bought is not None and bought.total is not None,
        is_paid=bool(way.said.get("amount")),
        return_by=bought.return_by if bought else None,
        is_agreed=bool(way.said.get("is_agreed")),
        fault=way.text("fault"),
        provider=way.text("provider", 120),
        is_taken_away=bool(way.said.get("is_taken_away")),
        work=way.text("work"),
        borrower=way.text("borrower", 120),
        due_on=way.said.get("due_on"),
        leaving_as=way.text("leaving_as"),
        reason=way.text("reason"),
    )


def _acquisition(way: _Way) -> Acquisition:
    found = Acquisition.objects.filter(asset=way.asset).first()
    if found is None:
        found = Acquisition.objects.create(
            asset=way.asset, household_id=way.asset.household_id, source=way.source
        )
        way.made.append(found)
    else:
        way.before.append(snapshots.of(found))
    return found


def _note_order(way: _Way) -> None:
    values: dict[str, Any] = {"ordered_on": way.on}
    for name in ("seller", "order_no", "expected_on"):
        if way.said.get(name):
            values[name] = way.said[name]
    bought = _acquisition(way)
    amount = way.said.get("amount")
    lines: holdings.Lines | None = None
    if amount is not None:
        way.before += [snapshots.of(line) for line in bought.lines.all()]
        lines = [(PriceKind.GROSS, Decimal(amount), "")]
        values["currency"] = _currency(way, bought)
    row = holdings.acquire(
        asset=way.asset, values=values, lines=lines, now=way.now, source=way.source
    )
    if lines is not None:
        way.made += list(row.lines.all())


def _currency(way: _Way, bought: Acquisition | None = None) -> str:
    known = bought.currency if bought else ""
    return way.text("currency", 3) or known or way.asset.household.currency


def _receive(way: _Way) -> None:
    bought = _acquisition(way)
    bought.delivered_on = way.on
    bought.jurisdiction = bought.jurisdiction or way.asset.household.country
    days = holdings.return_days(bought.jurisdiction)
    if way.said.get("return_by"):
        bought.return_by = way.said["return_by"]
    elif bought.return_by is None and days is not None:
        bought.return_by = way.on + timedelta(days=days)
    bought.save()


def _begin_guarantee(way: _Way) -> None:
    bought = Acquisition.objects.select_related("asset__household").get(asset=way.asset)
    cover = holdings.begin_guarantee(acquisition=bought, now=way.now)
    if cover is not None:
        way.made.append(cover)


def _money_back(category: CostCategory) -> Callable[[_Way], None]:
    def note(way: _Way) -> None:
        amount = way.said.get("amount")
        if not amount:
            return
        bought = Acquisition.objects.filter(asset=way.asset).first()
        values = {
            "on": way.on,
            "amount": Decimal(amount),
            "currency": _currency(way, bought),
            "category": category,
            "note": way.text("note"),
        }
        way.made.append(
            holdings.spend(asset=way.asset, values=values, now=way.now, source=way.source)
        )

    return note


def _end_covers(way: _Way) -> None:
    way.before += holdings.end_covers(asset=way.asset, on=way.on)


def _open_issue(way: _Way) -> None:
    way.made.append(
        Issue.objects.create(
            household_id=way.asset.household_id,
            asset=way.asset,
            title=way.text("fault"),
            noticed_on=way.on,
            source=way.source,
            created_at=way.now,
        )
    )


def _start_work(way: _Way) -> None:
    begun = way.asset.issues.open().filter(
        removed_at=None, status__in=(IssueStatus.OPEN, IssueStatus.DIAGNOSED)
    )
    for issue in begun:
        way.before.append(snapshots.of(issue))
        issue.status, issue.provider = IssueStatus.IN_PROGRESS, way.text("provider", 120)
        issue.save(update_fields=["status", "provider"])


def repairer_of(asset: Asset) -> str:
    """Return who repairs an asset now, as its fault says; nothing where nobody was named."""
    begun = asset.issues.open().filter(status=IssueStatus.IN_PROGRESS).exclude(provider="")
    return begun.values_list("provider", flat=True).first() or ""


def _provider(way: _Way) -> str:
    return way.text("provider", 120) or repairer_of(way.asset)


def _log_repair(way: _Way) -> None:
    """Write the repair down as any other work, and close the faults it dealt with."""
    said = caring.Work(
        kind=WorkKind.REPAIR,
        provider=_provider(way),
        amount=Decimal(way.said["amount"]) if way.said.get("amount") else None,
        currency=_currency(way),
    )
    record = caring.write_down(
        asset=way.asset,
        title=way.text("work"),
        done_on=min(way.on, duedates.today_in(way.asset.household.zone, way.now)),
        now=way.now,
        owner=way.owner,
        said=said,
        source=way.source,
    )
    way.made += [record, *([record.cost] if record.cost else [])]


def _close_issues(way: _Way) -> None:
    for issue in way.asset.issues.open().filter(status=IssueStatus.IN_PROGRESS):
        way.before.append(snapshots.of(issue))
        issue.status, issue.resolved_on = IssueStatus.RESOLVED, way.on
        issue.save(update_fields=["status", "resolved_on"])


def _raises(kind: NoticeKind) -> Callable[[_Way], None]:
    def note(way: _Way) -> None:
        way.raises.append(kind)

    return note


def _repair_guarantee(way: _Way) -> None:
    months = way.said.get("months")
    if months:
        values = {
            "kind": CoverageKind.REPAIR_WARRANTY,
            "obligor": _provider(way),
            "starts_on": way.on,
            "months": months,
            "scope": way.text("work", 120),
        }
        way.made.append(
            holdings.cover(asset=way.asset, values=values, now=way.now, source=way.source)
        )


def _open_loan(way: _Way) -> None:
    way.made.append(
        Loan.objects.create(
            household_id=way.asset.household_id,
            asset=way.asset,
            borrower=way.text("borrower", 120),
            reach=way.text("reach"),
            out_on=way.on,
            due_on=way.said.get("due_on"),
            note=way.text("note"),
            source=way.source,
            created_at=way.now,
        )
    )


def _extend_loan(way: _Way) -> None:
    for loan in way.asset.loans.filter(back_on=None):
        way.before.append(snapshots.of(loan))
        loan.due_on = way.said["due_on"]
        loan.save(update_fields=["due_on"])


def _close_loan(way: _Way) -> None:
    for loan in way.asset.loans.filter(back_on=None):
        way.before.append(snapshots.of(loan))
        loan.back_on = way.on
        loan.save(update_fields=["back_on"])


def _note_loss(way: _Way) -> None:
    way.made.append(
        Loss.objects.create(
            household_id=way.asset.household_id,
            asset=way.asset,
            kind=way.asset.custody,
            on=way.on,
            where=way.text("where"),
            reported_to=way.text("reported_to", 120),
            report_no=way.text("report_no", 80),
            note=way.text("note", 4000),
            created_at=way.now,
        )
    )


def _note_found(way: _Way) -> None:
    for loss in way.asset.losses.filter(found_on=None):
        way.before.append(snapshots.of(loss))
        loss.found_on = way.on
        loss.save(update_fields=["found_on"])


# What has no row here follows from the state itself: schedules read it each time they are
# worked out, so does the notice of a parcel or a loan (`notices.review_asset`), and the apps
# above hear of the lifecycle.
_EFFECTS: dict[Effect, Callable[[_Way], None]] = {
    Effect.START_RETURN_WINDOW: _receive,
    Effect.START_GUARANTEE: _begin_guarantee,
    Effect.REFUND_NOTED: _money_back(CostCategory.REFUND),
    Effect.NOTE_PROCEEDS: _money_back(CostCategory.SALE),
    Effect.STOP_COVERAGES: _end_covers,
    Effect.OPEN_ISSUE: _open_issue,
    Effect.START_WORK: _start_work,
    Effect.LOG_REPAIR: _log_repair,
    Effect.CLOSE_ISSUES: _close_issues,
    Effect.REPAIR_GUARANTEE: _repair_guarantee,
    Effect.OPEN_LOAN: _open_loan,
    Effect.EXTEND_LOAN: _extend_loan,
    Effect.CLOSE_LOAN: _close_loan,
    Effect.NOTE_LOSS: _note_loss,
    Effect.NOTE_FOUND: _note_found,
    Effect.ASK_TO_REGISTER: _raises(NoticeKind.REGISTER),
    Effect.HAND_OVER: _raises(NoticeKind.HAND_OVER),
    Effect.CLOSE_CONTRACTS: _raises(NoticeKind.PARTING),
}
__all__ = ["ASKED", "TAKEN", "Step", "StepError", "open_steps", "state_of", "take", "take_back"]
