"""What stands beside care tasks to be asked for by, worked out anew from their history.

Every operation that changes a history calls `refresh` in its transaction, and the sweep
does for what time alone changes. Any number of tasks takes the same few queries.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from assets import care
from assets.care_specs import kept_trigger
from assets.care_words import CareState, Combinator, MarkKind, MeterKind
from assets.choices import Lifecycle, OperationalStatus
from assets.models import (
    CareEvent,
    CareMark,
    CareTask,
    Meter,
    MeterReading,
    MeterReplacement,
    ServiceRecord,
)
from owners import bulk, hearing

MONTH, THOUSANDTH = Decimal("30.4375"), Decimal("0.001")  # days of a month, on average
AT_ONCE = 500  # tasks worked out together
KEPT = ("is_estimate", "status", "due_on", "due_at", "missed", "occurrence", "quiet_until")
# One JSON parameter: a case for each row and column takes ten times as long.
KEEP = """
    UPDATE assets_caretask t SET is_estimate = d.is_estimate, status = d.status,
        due_on = d.due_on, due_at = d.due_at, missed = d.missed, occurrence = d.occurrence,
        quiet_until = d.quiet_until, turns_at = d.turns_at, use = d.use, use_unit = d.use_unit
    FROM json_to_recordset(%s::json) AS d(id bigint, is_estimate boolean, status text,
        due_on date, due_at numeric, missed smallint, occurrence text, quiet_until date,
        turns_at timestamptz, use numeric, use_unit text)
    WHERE t.id = d.id
"""
# Whose care rests with them.
GONE = (Lifecycle.PLANNED, Lifecycle.ORDERED, Lifecycle.ENDED)


def today_in(zone: str, now: datetime) -> date:
    """Return the day it is there."""
    return now.astimezone(ZoneInfo(zone)).date()


def refresh(*, assets: Iterable[int], now: datetime) -> list[CareTask]:
    """Work out how all tasks of these assets stand; return those that stand otherwise now."""
    tasks = CareTask.objects.filter(asset__in=set(assets), removed_at=None)
    return work_out(list(tasks.select_related("asset", "household").order_by("pk")), now=now)


def sweep(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Work out the tasks that time alone has changed; return how many were looked at."""
    with transaction.atomic():
        due = CareTask.objects.turning(now).select_for_update(of=("self",), skip_locked=True)
        tasks = list(due.select_related("asset", "household")[:limit])
        work_out(tasks, now=now)
        return len(tasks)


def work_out(tasks: list[CareTask], *, now: datetime) -> list[CareTask]:
    """Work out how these tasks stand, keep it, and tell whoever listens of those that changed."""
    known = _Known.of(tasks)
    changed, turned = [], []
    for task in tasks:
        zone = ZoneInfo(task.household.zone)
        today = now.astimezone(zone).date()
        standing = care.stand(plan_of(task), known.history(task), today)
        before = tuple(getattr(task, name) for name in KEPT)
        for name in KEPT:
            setattr(task, name, getattr(standing, name))
        beside = (task.turns_at, task.use, task.use_unit)
        task.use = None if standing.use is None else (standing.use * MONTH).quantize(THOUSANDTH)
        task.use_unit = known.units.get(standing.meter, "")
        task.turns_at = standing.turns_on and datetime.combine(standing.turns_on, time(), zone)
        if before != tuple(getattr(task, name) for name in KEPT):
            changed.append(task)
        elif beside != (task.turns_at, task.use, task.use_unit):
            turned.append(task)
    rows = [{"id": task.pk} | _kept(task) for task in (*changed, *turned)]
    if rows:
        bulk.write(KEEP, [bulk.dumps(rows)])
    if changed:
        hearing.tell(hearing.CARE, tasks=changed, now=now)
    return changed


def plan_of(task: CareTask) -> care.Plan:
    """Return what a task says, as the rules take it."""
    asset = task.asset
    is_stored = asset.operational_status == OperationalStatus.STORED
    return care.Plan(
        triggers=tuple(map(kept_trigger, task.triggers)),
        added_on=today_in(task.household.zone, task.created_at),
        combinator=Combinator(task.combinator),
        season=frozenset(task.season),
        lead_days=task.lead_days,
        lead_units=task.lead_units,
        last_done_on=task.last_done_on,
        last_done_at=task.last_done_at,
        is_resting=task.state == CareState.PAUSED
        or (is_stored and task.pause_when_stored)
        or asset.lifecycle in GONE
        or asset.removed_at is not None,
    )


def meter_of(meter: Meter) -> care.Meter:
    """Return a meter with all that it showed, as the rules take it."""
    return _meters([meter])[meter.asset_id][str(meter.uuid)]


def _kept(task: CareTask) -> dict[str, Any]:
    """Return what is kept of a task's standing, as JSON takes it."""
    kept = {name: getattr(task, name) for name in (*KEPT, "turns_at", "use", "use_unit")}
    return {
        name: str(value) if isinstance(value, Decimal | date) else value
        for name, value in kept.items()
    }


@dataclass(slots=True)
class _Known:
    """What happened to the assets of some tasks."""

    records: dict[UUID, list[tuple[date, int]]] = field(default_factory=dict)
    values: dict[int, dict[str, Any]] = field(default_factory=dict)  # by record
    marks: dict[int, list[CareMark]] = field(default_factory=dict)
    events: dict[int, list[tuple[str, date]]] = field(default_factory=dict)
    meters: dict[int, dict[str, care.Meter]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)  # by meter

    @classmethod
    def of(cls, tasks: Collection[CareTask]) -> "_Known":
        known = cls()
        if not tasks:
            return known
        assets = {task.asset_id for task in tasks}
        names = [task.uuid for task in tasks]
        records = ServiceRecord.objects.filter(
            asset__in=assets, removed_at=None, tasks__overlap=names
        )
        found: dict[UUID, list[tuple[date, int]]] = defaultdict(list)
        for pk, day, done in records.order_by("done_on", "pk").values_list(
            "pk", "done_on", "tasks"
        ):
            for name in done:
                found[name].append((day, pk))
        known.records = found
        meters = Meter.objects.filter(asset__in=assets, removed_at=None)
        rows = list(meters.order_by("pk"))
        known.units = {str(meter.uuid): meter.unit for meter in rows}
        known.meters = _meters(rows, values=known.values)
        marks: dict[int, list[CareMark]] = defaultdict(list)
        kept = CareMark.objects.filter(task__in=[task.pk for task in tasks], revoked_at=None)
        for mark in kept.order_by("made_at", "pk"):
            marks[mark.task_id].append(mark)
        known.marks = marks
        events: dict[int, list[tuple[str, date]]] = defaultdict(list)
        happened = CareEvent.objects.filter(asset__in=assets, revoked_at=None)
        for asset, event, day in happened.values_list("asset_id", "name", "happened_on"):
            events[asset].append((event, day))
        known.events = events
        return known

    def history(self, task: CareTask) -> care.History:
        """Return what the rules need to know of a task."""
        marks = self.marks.get(task.pk, [])
        acts = [
            care.Act(on=day, values=self.values.get(record, {}))
            for day, record in self.records.get(task.uuid, [])
        ]
        acts += [
            care.Act(on=mark.made_on, is_skip=True) for mark in marks if mark.kind == MarkKind.SKIP
        ]
        return care.History(
            acts=tuple(acts),
            marks=tuple(
                care.Mark(kind=MarkKind(mark.kind), occurrence=mark.occurrence, until=mark.until)
                for mark in marks
                if mark.until is not None
            ),
            meters=self.meters.get(task.asset_id, {}),
            events=tuple(self.events.get(task.asset_id, [])),
            in_service_on=task.asset.in_service_on,
        )


def _meters(
    meters: Iterable[Meter], *, values: dict[int, dict[str, Any]] | None = None
) -> dict[int, dict[str, care.Meter]]:
    """Return meters with their readings, by asset; `values` takes counts by record."""
    rows = {meter.pk: meter for meter in meters}
    swaps: dict[int, list[care.Swap]] = defaultdict(list)
    readings: dict[int, list[care.Reading]] = defaultdict(list)
    at_work: list[tuple[int, int, care.Reading]] = []
    if rows:
        began = MeterReplacement.objects.filter(meter__in=rows, removed_at=None)
        for meter, day, last, first in began.order_by("replaced_on", "pk").values_list(
            "meter_id", "replaced_on", "last_old", "first_new"
        ):
            swaps[meter].append(care.Swap(on=day, last_old=last, first_new=first))
        shown = MeterReading.objects.counting().filter(meter__in=rows)
        for meter, day, value, record in shown.order_by("read_on", "pk").values_list(
            "meter_id", "read_on", "value", "record_id"
        ):
            reading = care.Reading(on=day, value=value)
            readings[meter].append(reading)
            if record is not None:
                at_work.append((record, meter, reading))
    found: dict[int, dict[str, care.Meter]] = defaultdict(dict)
    for pk, meter_row in rows.items():
        found[meter_row.asset_id][str(meter_row.uuid)] = care.Meter(
            kind=MeterKind(meter_row.kind),
            readings=tuple(readings[pk]),
            swaps=tuple(swaps[pk]),
        )
    for record, meter, reading in at_work if values is not None else ():
        row = rows[meter]
        count = care.effective(reading, swaps[meter], kind=MeterKind(row.kind))
        values.setdefault(record, {})[str(row.uuid)] = count  # type: ignore[union-attr]  # not None here
    return found


def tell_of(tasks: list[CareTask], *, now: datetime) -> None:
    """Tell whoever listens of tasks that left the plan, or are somebody else's to do."""
    hearing.tell(hearing.CARE, tasks=tasks, now=now)
