"""Care: what an asset needs, and what was done for it.

`log` is the one way to write down work: with its cost, readings, parts and papers, in one
transaction, and taken back as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from assets import duedates, metering, notices
from assets.care_specs import SpecError, check_plan, check_spec, read_trigger, write_trigger
from assets.care_words import (
    CareState,
    CareStatus,
    Finding,
    IssueStatus,
    MarkKind,
    Severity,
    WorkKind,
)
from assets.choices import CostCategory, Source
from assets.models import (
    Asset,
    CareEvent,
    CareMark,
    CareTask,
    CostEntry,
    Document,
    Issue,
    Meter,
    MeterReading,
    Part,
    PartUse,
    ServiceRecord,
)
from owners import undo
from owners.models import Change, Household, Owner

ONE_DAY = timedelta(days=1)
ADDED, CHANGED, REMOVED = "care.add", "care.change", "care.remove"
DONE, UNDONE, MARKED = "care.done", "care.undone", "care.mark"
PAUSED, HAPPENED = "care.pause", "care.happened"
ISSUE = "issue.change"
FAILED_CHECK = "inspection_failed"  # the event that a failed inspection brings
# What a task keeps of its spec as it is said; its triggers name meters by id.
SAID = (
    "name",
    "note",
    "combinator",
    "season",
    "lead_days",
    "pause_when_stored",
    "checklist",
    "provider",
    "currency",
)
NUMBERS = ("lead_units", "last_done_at", "amount")
MONEY_FOR = {
    WorkKind.SERVICE: CostCategory.SERVICE,
    WorkKind.REPAIR: CostCategory.REPAIR,
    WorkKind.UPGRADE: CostCategory.UPGRADE,
    WorkKind.INSPECTION: CostCategory.SERVICE,
    WorkKind.CLEANING: CostCategory.SERVICE,
    WorkKind.FUEL: CostCategory.ENERGY,
    WorkKind.OTHER: CostCategory.OTHER,
}
SEVERITY_OF = {Finding.ADVISE: Severity.LOW, Finding.FAIL: Severity.CRITICAL}


class CareError(Exception):
    """What was asked cannot be; `field` says which input, the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to say about work that was done, beside what and when."""

    kind: WorkKind = WorkKind.SERVICE
    note: str = ""
    amount: Decimal | None = None
    currency: str = ""
    readings: Mapping[Meter, Decimal] = field(default_factory=dict)
    why_less: metering.Why | None = None
    parts: Mapping[Part, Decimal] = field(default_factory=dict)
    papers: Sequence[UUID] = ()
    findings: Sequence[Mapping[str, str]] = ()  # {item, result, note} of each point
    work: Sequence[str] = ()  # what was done, line by line
    done_by: Owner | None = None
    provider: str = ""


# --- tasks -------------------------------------------------------------------------------


def add(
    *,
    asset: Asset,
    spec: Mapping[str, Any],
    now: datetime,
    owner: Owner | None = None,
    assignee: Owner | None = None,
    source: Source = Source.SELF,
    source_key: str = "",
) -> CareTask:
    """Add a task as `care_specs.SPEC` describes one; what `owner` adds can be taken back.

    Meters are named by name or id. Raises SpecError, and CareError for an assignee from
    elsewhere. The same `source_key` again is the same task.
    """
    check_spec(spec)
    _check_member(asset.household, assignee)
    with transaction.atomic():
        if source_key:
            same = asset.care_tasks.filter(source_key=source_key).first()
            if same is not None:
                return same
        task = CareTask.objects.create(
            household_id=asset.household_id,
            asset=asset,
            assignee=assignee,
            source=source,
            source_key=source_key,
            created_at=now,
            **_columns(asset, spec),
        )
        duedates.work_out([task], now=now)
        if owner is not None:
            _remember(ADDED, task, owner=owner, now=now)
    return task


def adopt(
    *, asset: Asset, plan: Mapping[str, Any], now: datetime, owner: Owner | None = None
) -> list[CareTask]:
    """Give an asset the meters and tasks of a template's care plan; raises SpecError."""
    check_plan(plan)
    with transaction.atomic():
        known = set(_meters(asset))
        for meter in plan.get("meters", []):
            if meter["name"] not in known:
                values = {name: meter[name] for name in metering.FIELDS & meter.keys()}
                if "rolls_over_at" in values:
                    values["rolls_over_at"] = Decimal(values["rolls_over_at"])
                metering.add(asset=asset, values=values, now=now, owner=owner)
        return [add(asset=asset, spec=spec, now=now, owner=owner) for spec in plan.get("tasks", [])]


def spec_of(task: CareTask) -> dict[str, Any]:
    """Return the task as `add` takes it."""
    spec: dict[str, Any] = {
        "triggers": [write_trigger(read_trigger(trigger)) for trigger in task.triggers]
    }
    spec |= {name: getattr(task, name) for name in SAID if getattr(task, name) != ""}
    for name in NUMBERS:
        if (number := getattr(task, name)) is not None:
            spec[name] = f"{number.normalize():f}"
    if task.last_done_on is not None:
        spec["last_done_on"] = task.last_done_on.isoformat()
    return spec


def change(
    *,
    task: CareTask,
    spec: Mapping[str, Any],
    owner: Owner,
    now: datetime,
    assignee: Owner | None = None,
) -> Change | None:
    """Let a task say this from now on; None when it said so before. Raises as `add` does."""
    check_spec(spec)
    _check_member(task.household, assignee)
    before = spec_of(task)
    was = task.assignee_id
    with transaction.atomic():
        say(task, spec=spec, assignee=assignee, now=now)
        if spec_of(task) == before and task.assignee_id == was:
            return None
        return _remember(
            CHANGED, task, owner=owner, now=now, before={"spec": before, "assignee": was}
        )


def say(task: CareTask, *, spec: Mapping[str, Any], assignee: Owner | None, now: datetime) -> None:
    """Let a task say this, and work out how it stands."""
    columns = _columns(task.asset, spec)
    for name, value in columns.items():
        setattr(task, name, value)
    was, task.assignee = task.assignee_id, assignee
    task.save(update_fields=[*columns, "assignee"])
    if not duedates.work_out([task], now=now) and task.assignee_id != was:
        duedates.tell_of([task], now=now)


def remove(*, task: CareTask, owner: Owner, now: datetime) -> Change:
    """Put a task into the bin; it can be put back for 30 days."""
    with transaction.atomic():
        put_away(task, now=now)
        return _remember(REMOVED, task, owner=owner, now=now, is_removal=True)


def put_away(task: CareTask, *, now: datetime) -> None:
    """Take a task out of the plan."""
    task.removed_at, task.status, task.turns_at = now, CareStatus.PAUSED, None
    task.save(update_fields=["removed_at", "status", "turns_at"])
    duedates.tell_of([task], now=now)


def pause(*, task: CareTask, owner: Owner, now: datetime, is_paused: bool = True) -> Change | None:
    """Let a task rest, or wake it; None when it does already."""
    state = CareState.PAUSED if is_paused else CareState.ACTIVE
    if task.state == state:
        return None
    with transaction.atomic():
        was, task.state = task.state, state
        task.save(update_fields=["state"])
        duedates.work_out([task], now=now)
        return _remember(PAUSED, task, owner=owner, now=now, before={"state": was})


def mark(
    *,
    task: CareTask,
    kind: MarkKind,
    owner: Owner,
    now: datetime,
    until: date | None = None,
    note: str = "",
) -> CareMark:
    """Skip, put off or move the occurrence that comes next.

    Raises CareError for a day that is not to come.
    """
    today = duedates.today_in(task.household.zone, now)
    first = today if kind == MarkKind.RESCHEDULE else today + ONE_DAY
    if kind != MarkKind.SKIP and (until is None or until < first):
        raise CareError("until", gettext_noop("Choose a day to come."))
    with transaction.atomic():
        made = CareMark.objects.create(
            household_id=task.household_id,
            task=task,
            kind=kind,
            occurrence=task.occurrence,
            made_on=today,
            until=None if kind == MarkKind.SKIP else until,
            note=note[:500],
            owner=owner,
            made_at=now,
        )
        duedates.work_out([task], now=now)
        undo.remember(
            kind=MARKED,
            label=task.name,
            now=now,
            owner=owner,
            household=task.household,
            subject=made.uuid,
            after={"kind": kind.value},
        )
    return made


def happened(
    *,
    asset: Asset,
    event: str,
    on: date,
    now: datetime,
    source: Source = Source.SELF,
    source_key: str = "",
    owner: Owner | None = None,
) -> CareEvent:
    """Note that something happened that may call for care; the same key again is the same.

    What an `owner` notes can be taken back.
    """
    with transaction.atomic():
        if source_key:
            same = asset.care_events.filter(name=event, source_key=source_key).first()
            if same is not None:
                return same
        made = CareEvent.objects.create(
            household_id=asset.household_id,
            asset=asset,
            name=event,
            happened_on=on,
            source=source,
            source_key=source_key,
            created_at=now,
        )
        duedates.refresh(assets=[asset.pk], now=now)
        if owner is not None:
            undo.remember(
                kind=HAPPENED,
                label=asset.name,
                now=now,
                owner=owner,
                household=asset.household,
                subject=made.uuid,
            )
    return made


# --- what was done -----------------------------------------------------------------------


def log(  # noqa: PLR0913 - work has that many sides
    *,
    asset: Asset,
    title: str,
    done_on: date,
    now: datetime,
    tasks: Sequence[CareTask] = (),
    owner: Owner | None = None,
    said: Work | None = None,
    source: Source = Source.SELF,
    source_key: str = "",
) -> ServiceRecord:
    """Write down work as `write_down` does; what an `owner` writes can be taken back."""
    with transaction.atomic():
        is_known = bool(source_key) and _is_known(asset, source_key)
        record = write_down(
            asset=asset,
            title=title,
            done_on=done_on,
            now=now,
            tasks=tasks,
            owner=owner,
            said=said,
            source=source,
            source_key=source_key,
        )
        if owner is not None and not is_known:
            undo.remember(
                kind=DONE,
                label=record.title,
                now=now,
                owner=owner,
                household=asset.household,
                subject=record.uuid,
            )
    return record


def write_down(  # noqa: PLR0913 - the one way to write down work
    *,
    asset: Asset,
    title: str,
    done_on: date,
    now: datetime,
    tasks: Sequence[CareTask] = (),
    owner: Owner | None = None,
    said: Work | None = None,
    source: Source = Source.SELF,
    source_key: str = "",
) -> ServiceRecord:
    """Write down work that was done on an asset, and complete these tasks of it.

    Its cost, readings, parts, findings and papers are written with it and taken back with
    it. Each task goes on from the reading of this work, not from the latest. Raises
    CareError, and MeterError as `metering.read` does. The same `source_key` again is the
    same record.
    """
    said = said or Work()
    household = asset.household
    if done_on > duedates.today_in(household.zone, now):
        raise CareError("done_on", gettext_noop("This day is still to come."))
    if asset.ended_on is not None and done_on > asset.ended_on:
        raise CareError("done_on", gettext_noop("The asset was not yours any more."))
    if any(task.asset_id != asset.pk for task in tasks):
        raise CareError("tasks", gettext_noop("This is a task of another asset."))
    _check_member(household, said.done_by)
    with transaction.atomic():
        if source_key:
            same = asset.service_records.filter(source_key=source_key).first()
            if same is not None:
                return same
        # Two taps at once: the second sees what the first did.
        list(CareTask.objects.filter(pk__in=[task.pk for task in tasks]).select_for_update())
        finding = _worst(said.findings)
        record = ServiceRecord.objects.create(
            household=household,
            asset=asset,
            kind=said.kind,
            title=title[:200],
            note=said.note,
            done_on=done_on,
            tasks=[task.uuid for task in tasks],
            done_by=said.done_by,
            provider=said.provider[:120],
            work=[line[:200] for line in said.work],
            findings=[dict(point) for point in said.findings],
            finding=finding or "",
            papers=_papers(household, said.papers),
            cost=_cost(asset, title, done_on, said, owner=owner, source=source, now=now),
            logged_by=owner,
            source=source,
            source_key=source_key,
            created_at=now,
        )
        for meter, value in said.readings.items():
            if meter.asset_id != asset.pk:
                raise CareError("readings", gettext_noop("This is a meter of another asset."))
            metering.read(
                meter=meter,
                value=value,
                read_on=done_on,
                now=now,
                owner=owner,
                record=record,
                why_less=said.why_less,
                source=source,
            )
        _take_parts(record, said.parts, now=now)
        _raise_issues(record, now=now)
        duedates.refresh(assets=[asset.pk], now=now)
    return record


def done(
    *,
    task: CareTask,
    owner: Owner,
    now: datetime,
    occurrence: str | None = None,
    done_on: date | None = None,
    said: Work | None = None,
) -> ServiceRecord | None:
    """Complete a task, today unless another day is said.

    `occurrence` is the one the owner saw: when somebody completed it meanwhile, nothing is
    written and None returned.
    """
    with transaction.atomic():
        task = (
            CareTask.objects.select_for_update(of=("self",))
            .select_related("asset__household", "household")
            .get(pk=task.pk)
        )
        if occurrence is not None and occurrence != task.occurrence:
            return None
        kind = WorkKind.INSPECTION if task.checklist else WorkKind.SERVICE
        return log(
            asset=task.asset,
            title=task.name,
            done_on=done_on or duedates.today_in(task.household.zone, now),
            now=now,
            tasks=[task],
            owner=owner,
            said=said or Work(kind=kind, done_by=owner),
        )


def unlog(*, record: ServiceRecord, owner: Owner, now: datetime) -> Change:
    """Take back work that was written down, with all that was written with it."""
    with transaction.atomic():
        paid = record.cost and {
            "amount": str(record.cost.amount),
            "currency": record.cost.currency,
        }
        withdraw(record, now=now)
        return undo.remember(
            kind=UNDONE,
            before={"paid": paid},
            label=record.title,
            now=now,
            owner=owner,
            household=record.household,
            subject=record.uuid,
            is_removal=True,
        )


def withdraw(record: ServiceRecord, *, now: datetime) -> None:
    """Let a record, and all that came with it, count no more."""
    if record.removed_at is not None:
        return
    record.removed_at = now
    record.save(update_fields=["removed_at"])
    MeterReading.objects.filter(record=record, removed_at=None).update(removed_at=now)
    Issue.objects.filter(record=record, removed_at=None).update(removed_at=now)
    CareEvent.objects.filter(asset=record.asset, source_key=str(record.uuid)).update(revoked_at=now)
    _return_parts(record, now=now)
    if record.cost is not None:
        record.cost.delete()
        record.cost = None
    duedates.refresh(assets=[record.asset_id], now=now)


def reinstate(
    record: ServiceRecord, *, now: datetime, paid: Mapping[str, str] | None = None
) -> None:
    """Let a record that was taken back count again, with what was paid for it."""
    was, record.removed_at = record.removed_at, None
    if paid:
        said = Work(
            kind=WorkKind(record.kind),
            amount=Decimal(paid["amount"]),
            currency=paid["currency"],
        )
        record.cost = _cost(
            record.asset,
            record.title,
            record.done_on,
            said,
            owner=record.logged_by,
            source=Source(record.source),
            now=now,
        )
    record.save(update_fields=["removed_at", "cost"])
    MeterReading.objects.filter(record=record, removed_at=was).update(removed_at=None)
    Issue.objects.filter(record=record, removed_at=was).update(removed_at=None)
    CareEvent.objects.filter(asset=record.asset, source_key=str(record.uuid)).update(
        revoked_at=None
    )
    used = {one.part: one.quantity for one in record.parts_used.select_related("part")}
    _take_parts(record, used, now=now)
    duedates.refresh(assets=[record.asset_id], now=now)


def _is_known(asset: Asset, source_key: str) -> bool:
    return asset.service_records.filter(source_key=source_key).exists()


def _cost(
    asset: Asset,
    title: str,
    on: date,
    said: Work,
    *,
    owner: Owner | None,
    source: Source,
    now: datetime,
) -> CostEntry | None:
    if said.amount is None:
        return None
    return CostEntry.objects.create(
        household_id=asset.household_id,
        asset=asset,
        on=on,
        amount=said.amount,
        currency=said.currency or asset.household.currency,
        category=MONEY_FOR[said.kind],
        note=title[:200],
        source=source,
        added_by=owner,
        created_at=now,
    )


def _papers(household: Household, papers: Sequence[UUID]) -> list[UUID]:
    known = Document.objects.filter(household=household, uuid__in=list(papers), removed_at=None)
    found = set(known.values_list("uuid", flat=True))
    if found != set(papers):
        raise CareError("papers", gettext_noop("There is no such object."))
    return list(dict.fromkeys(papers))


def _take_parts(record: ServiceRecord, parts: Mapping[Part, Decimal], *, now: datetime) -> None:
    """Take parts from the stock; what is used beyond it was bought on the way."""
    if any(part.household_id != record.household_id for part in parts):
        raise CareError("parts", gettext_noop("There is no such object."))
    if any(quantity <= 0 for quantity in parts.values()):
        raise CareError("parts", gettext_noop("Must be more than nothing."))
    wanted = {part.pk: quantity for part, quantity in parts.items()}
    kept = list(Part.objects.filter(pk__in=wanted).order_by("pk").select_for_update())
    uses = []
    for part in kept:
        taken = min(part.quantity, wanted[part.pk])
        part.quantity -= taken
        uses.append(
            PartUse(
                household_id=record.household_id,
                record=record,
                part=part,
                quantity=wanted[part.pk],
                taken=taken,
            )
        )
    Part.objects.bulk_update(kept, ["quantity"])
    PartUse.objects.bulk_create(
        uses,
        update_conflicts=True,
        unique_fields=["record", "part"],
        update_fields=["quantity", "taken"],
    )
    notices.review_parts(kept, now=now)


def _return_parts(record: ServiceRecord, *, now: datetime) -> None:
    """Put back into the stock what a piece of work took from it."""
    taken = dict(record.parts_used.values_list("part_id", "taken"))
    kept = list(Part.objects.filter(pk__in=taken).order_by("pk").select_for_update())
    for part in kept:
        part.quantity += taken[part.pk]
    Part.objects.bulk_update(kept, ["quantity"])
    notices.review_parts(kept, now=now)


def _worst(findings: Sequence[Mapping[str, str]]) -> Finding | None:
    order = list(Finding)
    try:
        results = [Finding(point["result"]) for point in findings]
    except (KeyError, ValueError) as error:
        raise CareError("findings", gettext_noop("Say pass, advise or fail.")) from error
    return max(results, key=order.index, default=None)


def _raise_issues(record: ServiceRecord, *, now: datetime) -> None:
    """Raise a fault for every point that is not good, and tell the plan of one that fails."""
    for point in record.findings:
        result = Finding(point["result"])
        if result in SEVERITY_OF:
            Issue.objects.create(
                household_id=record.household_id,
                asset=record.asset,
                record=record,
                title=str(point.get("item") or record.title)[:200],
                note=str(point.get("note", "")),
                severity=SEVERITY_OF[result],
                noticed_on=record.done_on,
                source=record.source,
                created_at=now,
            )
    if record.finding == Finding.FAIL:
        CareEvent.objects.create(
            household_id=record.household_id,
            asset=record.asset,
            name=FAILED_CHECK,
            happened_on=record.done_on,
            source=record.source,
            source_key=str(record.uuid),
            created_at=now,
        )


# --- faults ------------------------------------------------------------------------------


def settle_issue(
    *, issue: Issue, status: IssueStatus, owner: Owner, now: datetime
) -> Change | None:
    """Say how far a fault is dealt with; None when it was so before."""
    if issue.status == status:
        return None
    was = {
        "status": issue.status,
        "resolved_on": issue.resolved_on and issue.resolved_on.isoformat(),
    }
    with transaction.atomic():
        issue.status = status
        is_over = status in (IssueStatus.RESOLVED, IssueStatus.ACCEPTED)
        issue.resolved_on = duedates.today_in(issue.household.zone, now) if is_over else None
        issue.save(update_fields=["status", "resolved_on"])
        return undo.remember(
            kind=ISSUE,
            label=issue.title,
            now=now,
            owner=owner,
            household=issue.household,
            subject=issue.uuid,
            before=was,
        )


# --- inside ------------------------------------------------------------------------------


def _columns(asset: Asset, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a task that a spec gives; what it does not say is at its default."""
    unsaid = CareTask()
    columns: dict[str, Any] = {name: spec.get(name, getattr(unsaid, name)) for name in SAID}
    for name in NUMBERS:
        columns[name] = Decimal(spec[name]) if name in spec else None
    done_on = spec.get("last_done_on")
    columns["last_done_on"] = date.fromisoformat(done_on) if done_on else None
    columns["triggers"] = _with_meters(asset, spec["triggers"])
    columns["season"] = sorted(columns["season"])
    return columns


def _with_meters(asset: Asset, triggers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the triggers with meters by id."""
    found, meters = [], _meters(asset)
    for index, trigger in enumerate(triggers):
        said = dict(trigger)
        if "meter" in said:
            key = meters.get(said["meter"])
            if key is None:
                raise SpecError(f"/triggers/{index}/meter", "The asset has no such meter.")
            said["meter"] = key
        found.append(said)
    return found


def _meters(asset: Asset) -> dict[str, str]:
    """Return the ids of an asset's meters, by name and by id."""
    found = {}
    for name, key in Meter.objects.filter(asset=asset, removed_at=None).values_list("name", "uuid"):
        found[name] = found[str(key)] = str(key)
    return found


def _check_member(household: Household, owner: Owner | None) -> None:
    if owner is not None and not household.memberships.filter(owner=owner).exists():
        raise CareError("assignee", gettext_noop("This is nobody of your household."))


def _remember(
    kind: str,
    task: CareTask,
    *,
    owner: Owner,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    is_removal: bool = False,
) -> Change:
    return undo.remember(
        kind=kind,
        label=task.name,
        now=now,
        owner=owner,
        household=task.household,
        subject=task.uuid,
        before=before,
        is_removal=is_removal,
    )
