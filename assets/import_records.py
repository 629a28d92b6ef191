"""Writes what rows of a file say of things: care, covers, costs, work, readings, parts."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext, override

from assets import care, caring, duedates, holdings
from assets.care_words import MarkKind, MeterKind
from assets.choices import CostCategory, Source
from assets.import_lots import Item, Lot, asset_of, each
from assets.importers.drafts import (
    NAMES,
    CostDraft,
    CoverageDraft,
    PartDraft,
    ReadingDraft,
    ServiceDraft,
    Sum,
    TaskDraft,
)
from assets.importers.words import MadeKind
from assets.models import (
    Asset,
    CareMark,
    CareTask,
    CostEntry,
    Coverage,
    Meter,
    MeterReading,
    Part,
    ServiceRecord,
)
from owners import bulk

DISTANCES = frozenset({"km", "mi"})
CENT = Decimal("0.0001")
THOUSANDTH = Decimal("0.001")


def write_tasks(lot: Lot, items: Sequence[Item]) -> None:
    for item, draft, asset in each(lot, items, TaskDraft):
        task = caring.add(
            asset=asset,
            spec=_spec(draft, lot.today),
            now=lot.now,
            source=Source.IMPORTED,
        )
        if not draft.is_active:
            CareTask.objects.filter(pk=task.pk).update(state="paused")
        own = draft.key if draft.key != item.key else None
        lot.note(MadeKind.TASK, task, key=own or item.take_key())
        lot.made[NAMES[TaskDraft]] += 1
        lot.touched.add(asset.pk)


def _spec(draft: TaskDraft, today: date) -> dict[str, Any]:
    """Return a task as care writes one down."""
    trigger: dict[str, Any] = {"kind": "calendar", "mode": "once"}
    anchor = draft.starts_on
    if draft.rule:
        trigger |= {"mode": "fixed", "rule": draft.rule}
        trigger |= {"anchor": anchor.isoformat()} if anchor is not None else {}
    elif draft.every:
        mode = "floating" if draft.is_floating or anchor is None else "fixed"
        trigger |= {"mode": mode, "every": min(draft.every, 1000), "unit": draft.unit}
        if mode == "fixed" and anchor is not None:
            trigger["anchor"] = anchor.isoformat()
    elif anchor is not None:
        trigger["anchor"] = anchor.isoformat()
    else:
        trigger = {"kind": "event", "event": "wanted"}  # it waits for somebody to want it
    spec = {"name": draft.title[:120], "note": draft.notes[:4000], "triggers": [trigger]}
    if trigger.get("mode") == "floating" and anchor is not None and anchor <= today:
        spec["last_done_on"] = anchor.isoformat()
    return spec


def write_covers(lot: Lot, items: Sequence[Item]) -> None:
    found = list(each(lot, items, CoverageDraft))
    rows = []
    for _item, draft, asset in found:
        row = Coverage(
            household_id=asset.household_id,
            asset=asset,
            kind=draft.kind,
            obligor=draft.obligor[:120],
            reference=draft.reference[:80],
            starts_on=draft.starts_on,
            ends_on=draft.ends_on,
            months=draft.months,
            is_lifetime=draft.is_lifetime,
            terms=draft.terms[:8000],
            excess=draft.excess.amount.quantize(CENT) if draft.excess else None,
            currency=draft.excess.currency if draft.excess else "",
            source=Source.IMPORTED,
            created_at=lot.now,
        )
        holdings.settle_cover(row)
        rows.append(row)
        lot.covered.add(asset.pk)
    bulk.insert(Coverage, rows)
    for (item, _draft, asset), row in zip(found, rows, strict=True):
        lot.note_under(MadeKind.COVERAGE, row, asset, item.take_key())
    lot.made[NAMES[CoverageDraft]] += len(rows)


def write_money(lot: Lot, items: Sequence[Item]) -> None:
    """Write costs, and work with its cost and its reading."""
    spent = list(each(lot, items, CostDraft))
    costs = [_cost(lot, asset, d.on, d.sum, d.category, d.note) for _i, d, asset in spent]
    bulk.insert(CostEntry, costs)
    for (item, _draft, asset), row in zip(spent, costs, strict=True):
        lot.note_under(MadeKind.COST, row, asset, item.take_key())
    lot.made[NAMES[CostDraft]] += len(costs)
    _write_work(lot, items)


def _cost(
    lot: Lot, asset: Asset, on: date, money: Sum, category: CostCategory, note: str
) -> CostEntry:
    row = CostEntry(
        household_id=asset.household_id,
        asset=asset,
        on=on,
        amount=money.amount.quantize(CENT),
        currency=money.currency,
        category=category,
        note=note[:200],
        source=Source.IMPORTED,
        added_by=lot.run.owner,
        created_at=lot.now,
    )
    holdings.settle_cost(row)
    return row


def _write_work(lot: Lot, items: Sequence[Item]) -> None:
    done: list[tuple[Item, ServiceDraft, Asset, CareTask | None]] = []
    for item in items:
        for draft in item.drafts:
            if not isinstance(draft, ServiceDraft):
                continue
            task = lot.tasks.get(draft.task_key)
            if task is not None and draft.is_skipped:
                _skip(lot, item, task, draft.on)
                continue
            asset = task.asset if task is not None else asset_of(lot, draft.whose)
            if asset is not None:
                done.append((item, draft, asset, task))
    paid = {
        at: _cost(lot, asset, d.on, d.cost, caring.MONEY_FOR[d.kind], d.title)
        for at, (_item, d, asset, _task) in enumerate(done)
        if d.cost
    }
    bulk.insert(CostEntry, list(paid.values()))
    records = [
        ServiceRecord(
            household_id=asset.household_id,
            asset=asset,
            kind=draft.kind,
            title=(draft.title or (task.name if task else ""))[:200],
            note=draft.notes[:8000],
            done_on=draft.on,
            tasks=[task.uuid] if task else [],
            provider=draft.provider[:120],
            cost=paid.get(at),
            logged_by=lot.run.owner,
            source=Source.IMPORTED,
            created_at=lot.now,
        )
        for at, (_item, draft, asset, task) in enumerate(done)
    ]
    bulk.insert(ServiceRecord, records)
    readings = []
    for at, (item, draft, asset, _task) in enumerate(done):
        lot.note_under(MadeKind.SERVICE, records[at], asset, item.take_key())
        if at in paid:
            lot.note_under(MadeKind.COST, paid[at], asset, None)
        if draft.reading is not None:
            readings.append((None, draft.reading, draft.unit, draft.on, asset, records[at]))
        lot.touched.add(asset.pk)
    lot.made[NAMES[ServiceDraft]] += len(records)
    _read(lot, readings)


def _skip(lot: Lot, item: Item, task: CareTask, on: date) -> None:
    mark = CareMark.objects.create(
        household_id=task.household_id,
        task=task,
        kind=MarkKind.SKIP,
        occurrence="",
        made_on=on,
        owner=lot.run.owner,
        made_at=lot.now,
    )
    lot.note(MadeKind.MARK, mark, key=item.take_key())
    lot.touched.add(task.asset_id)


def write_readings(lot: Lot, items: Sequence[Item]) -> None:
    _read(
        lot,
        [
            (item, draft.value, draft.unit, draft.on, asset, None)
            for item, draft, asset in each(lot, items, ReadingDraft)
        ],
    )


Shown = tuple[Item | None, Decimal, str, date, Asset, ServiceRecord | None]


def _read(lot: Lot, shown: Sequence[Shown]) -> None:
    """Write what meters showed; a value that its neighbours make impossible counts for nothing."""
    if not shown:
        return
    by_meter: dict[int, list[Shown]] = defaultdict(list)
    meters = _meters(lot, shown)
    for one in shown:
        by_meter[meters[one[4].pk, _class(one[2])].pk].append(one)
    rows: list[tuple[Shown, MeterReading]] = []
    for meter in {meter.pk: meter for meter in meters.values()}.values():
        mine = by_meter.get(meter.pk, [])
        if mine:
            rows += _judged(lot, meter, mine)
    bulk.insert(MeterReading, [row for _one, row in rows])
    for (item, _value, _unit, _on, asset, _record), row in rows:
        lot.note_under(MadeKind.READING, row, asset, item.take_key() if item else None)
        lot.touched.add(asset.pk)
    lot.made[NAMES[ReadingDraft]] += len(rows)


def _judged(lot: Lot, meter: Meter, shown: Sequence[Shown]) -> list[tuple[Shown, MeterReading]]:
    known = _around(meter, min(one[3] for one in shown), max(one[3] for one in shown))
    readings = sorted(known.readings, key=lambda reading: reading.on)
    found = []
    for one in shown:
        _item, value, unit, on, _asset, record = one
        value = care.convert(value, given=unit, into=meter.unit).quantize(THOUSANDTH)
        new = care.Reading(on=on, value=value)
        near = _near(readings, on)
        is_doubtful = care.contradicts(replace(known, readings=near), new) is not None
        if not is_doubtful:
            bisect.insort(readings, new, key=lambda reading: reading.on)
        row = MeterReading(
            household_id=meter.household_id,
            meter=meter,
            read_on=on,
            value=value,
            record=record,
            is_doubtful=is_doubtful,
            source=Source.IMPORTED,
            created_at=lot.now,
        )
        found.append((one, row))
    return found


def _near(readings: Sequence[care.Reading], on: date) -> tuple[care.Reading, ...]:
    """Return the readings of that day and the one before and after: counts only go up."""
    begin = bisect.bisect_left(readings, on, key=lambda reading: reading.on)
    end = bisect.bisect_right(readings, on, key=lambda reading: reading.on)
    return tuple(readings[max(begin - 1, 0) : end + 1])


def _around(meter: Meter, first: date, last: date) -> care.Meter:
    """Return a meter with what it showed between two days, and just before and after."""
    if meter.replacements.filter(removed_at=None).exists():
        return duedates.meter_of(meter)  # counts go on over a replacement: all of it is needed
    counting = meter.readings.counting().only("read_on", "value")
    rows = list(counting.filter(read_on__range=(first, last)))
    for edge in (
        counting.filter(read_on__lt=first).order_by("-read_on", "-value").first(),
        counting.filter(read_on__gt=last).order_by("read_on", "value").first(),
    ):
        rows += [edge] if edge else []
    return care.Meter(
        kind=MeterKind(meter.kind),
        readings=tuple(care.Reading(on=row.read_on, value=row.value) for row in rows),
    )


def _class(unit: str) -> str:
    return "distance" if unit in DISTANCES else "hours"


def _meters(lot: Lot, shown: Sequence[Shown]) -> dict[tuple[int, str], Meter]:
    """Return the meter of each asset for distances and for hours; made where there is none."""
    assets = {one[4].pk: one[4] for one in shown}
    units = {(one[4].pk, _class(one[2])): one[2] for one in reversed(shown)}
    kept = Meter.objects.filter(asset__in=assets, removed_at=None).exclude(kind=MeterKind.GAUGE)
    found = {}
    for meter in kept.filter(Q(unit__in=DISTANCES) | Q(unit="h")).order_by("-pk"):
        found[meter.asset_id, _class(meter.unit)] = meter
    language = lot.run.owner.language if lot.run.owner else "en"
    for (asset, sort), unit in units.items():
        if (asset, sort) not in found:
            with override(language):
                name = gettext("Odometer") if sort == "distance" else gettext("Hours")
            meter, is_new = Meter.objects.get_or_create(
                asset=assets[asset],
                name=name,
                removed_at=None,
                defaults={
                    "household_id": lot.run.household_id,
                    "unit": unit,
                    "source": Source.IMPORTED,
                    "created_at": lot.now,
                },
            )
            found[asset, sort] = meter
            if is_new:
                lot.note_under(MadeKind.METER, meter, assets[asset], None)
    return found


def write_parts(lot: Lot, items: Sequence[Item]) -> None:
    found = list(each(lot, items, PartDraft))
    rows = [
        Part(
            household_id=lot.run.household_id,
            name=draft.name[:120],
            number=draft.number[:80],
            quantity=draft.quantity.quantize(THOUSANDTH),
            note=draft.notes[:500],
            fits=[asset.uuid],
            source=Source.IMPORTED,
            created_at=lot.now,
        )
        for _item, draft, asset in found
    ]
    bulk.insert(Part, rows)
    for (item, _draft, _asset), row in zip(found, rows, strict=True):
        lot.note(MadeKind.PART, row, key=item.take_key())
    lot.made[NAMES[PartDraft]] += len(rows)
