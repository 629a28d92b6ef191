"""Writes what rows of a file become, a lot at a time, by the rules of the register and of care.

One by one, 50,000 things would take an hour; so rows are made in lots here, and every rule
that the one-by-one operations keep is kept: identifiers are checked and folded, places are
normal, fields have their types, impossible readings count for nothing, nothing is done in
the future or after an asset's end, and what depends on it all is worked out at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction

from assets import duedates, import_papers, import_records, import_things, radar, recalls
from assets.choices import IdentifierScheme
from assets.import_lots import Item, Lot, asset_of, mark
from assets.importers import files
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    CoverageDraft,
    Draft,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
    TaskDraft,
)
from assets.importers.faults import RowError
from assets.importers.formats import generic
from assets.importers.rows import Answers, Format, Row
from assets.importers.words import MadeKind, RowState
from assets.models import Asset, AssetIdentifier, CareTask, Imported, ImportRow
from owners import bulk


def drafts_of(row: ImportRow, form: Format, answers: Answers) -> RowDrafts | None:
    """Return what a row becomes. Raises RowError."""
    record = files.Record(row.number, row.section, row.values)
    return form.read(Row(record, answers))


def full_key(key: str, turn: int) -> str:
    """Return the key of the second, third... row that says the same."""
    return f"{key[:170]}~{turn}" if turn > 1 else key[:180]


def check(drafts: Iterable[Draft], today: date) -> None:
    """Raise RowError for what cannot be: something done in the future, a cover that ends first."""
    for draft in drafts:
        if isinstance(draft, CoverageDraft) and _is_backwards(draft):
            raise RowError("backwards", "", str(draft.ends_on))
        if isinstance(draft, ServiceDraft | CostDraft | ReadingDraft) and draft.on > today:
            raise RowError("future", "", draft.on.isoformat())


def write(lot: Lot, rows: Sequence[ImportRow]) -> None:
    """Write a lot of rows, each with what became of it. What fails alone is left out alone."""
    tried = _anew(lot)
    try:
        with transaction.atomic():
            _write(tried, rows)
    except (IntegrityError, DataError, ValidationError, ValueError, ArithmeticError) as error:
        if len(rows) == 1:
            mark(rows[0], RowError("refused", "", _short(error)))
            return
        for row in rows:
            row.state, row.fault = RowState.WAITING, ""
            write(lot, [row])
        return
    lot.made.update(tried.made)


def _anew(lot: Lot) -> Lot:
    """Return the same lot before anything was found or made for it."""
    return Lot(
        run=lot.run,
        form=lot.form,
        answers=lot.answers,
        now=lot.now,
        today=lot.today,
        target=lot.target,
    )


def _short(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:150]


def _write(lot: Lot, rows: Sequence[ImportRow]) -> None:
    items = _items(lot, rows)
    _drop_known(lot, items)
    _resolve(lot, items)
    import_things.write_assets(lot, items)
    items = [item for item in items if item.row.state == RowState.WAITING]
    _settle_whose(lot, items)
    import_records.write_tasks(lot, items)
    import_records.write_covers(lot, items)
    import_records.write_money(lot, items)
    import_records.write_readings(lot, items)
    import_records.write_parts(lot, items)
    import_papers.write_papers(lot, items)
    for item in items:
        if item.row.state == RowState.WAITING:
            item.row.state = RowState.MADE
    bulk.insert(Imported, lot.notes)
    lot.notes = []
    duedates.refresh(assets=lot.touched, now=lot.now)
    recalls.look(lot.touched | lot.new_assets, now=lot.now)
    radar.look(lot.covered, now=lot.now)


def _items(lot: Lot, rows: Sequence[ImportRow]) -> list[Item]:
    found = []
    for row in rows:
        try:
            read = drafts_of(row, lot.form, lot.answers)
            if read is None:
                row.state = RowState.EMPTY
                continue
            check(read.drafts, lot.today)
        except RowError as error:
            mark(row, error)
            continue
        key = full_key(read.key, row.turn)
        drafts = [_renamed(draft, read.key, key) for draft in read.drafts]
        found.append(Item(row, key, drafts))
    return found


def _renamed(draft: Draft, old: str, new: str) -> Draft:
    """Return a draft whose row has this key."""
    if old == new:
        return draft
    if isinstance(draft, AssetDraft | TaskDraft):
        return replace(draft, key=new) if draft.key == old else draft
    return replace(draft, whose=replace(draft.whose, key=new)) if draft.whose.key == old else draft


def _drop_known(lot: Lot, items: list[Item]) -> None:
    """Let rows be that were brought in before, by this run or another."""
    mine = Imported.objects.filter(household=lot.run.household_id, source=lot.form.source)
    known = set(mine.filter(key__in=[item.key for item in items]).values_list("key", flat=True))
    for item in items:
        if item.key in known:
            item.row.state = RowState.KNOWN
        known.add(item.key)
    items[:] = [item for item in items if item.row.state == RowState.WAITING]


# -- which asset -----------------------------------------------------------------------


def _resolve(lot: Lot, items: Sequence[Item]) -> None:
    """Look up every asset and task that the rows are about."""
    said = [d.whose for item in items for d in item.drafts if not isinstance(d, AssetDraft)]
    tasks = {d.task_key for i in items for d in i.drafts if isinstance(d, ServiceDraft)} - {""}
    keys = {whose.key for whose in said} - {""}
    mine = Imported.objects.filter(household=lot.run.household_id, source=lot.form.source)
    here = Asset.objects.filter(household=lot.run.household_id, removed_at=None)
    if keys:
        found = mine.filter(key__in=keys, kind=MadeKind.ASSET).values_list("key", "object")
        by_key = {str(key): pk for key, pk in found}
        rows = here.in_bulk(by_key.values())
        lot.assets |= {key: rows[pk] for key, pk in by_key.items() if pk in rows}
    if tags := {AssetIdentifier.fold(whose.tag): whose.tag for whose in said if whose.tag}:
        named = AssetIdentifier.objects.filter(
            household=lot.run.household_id,
            scheme=IdentifierScheme.ASSET_TAG,
            folded__in=tags,
            asset__removed_at=None,
        )
        for row in named.select_related("asset"):
            lot.assets.setdefault(f"tag:{row.folded}", row.asset)
    if names := {whose.name for whose in said if whose.name}:
        for asset in here.filter(name__in=names).order_by("-pk"):
            lot.assets[f"name:{asset.name}"] = asset
    if tasks:
        done = mine.filter(key__in=tasks, kind=MadeKind.TASK).values_list("key", "object")
        by_task = {str(key): pk for key, pk in done}
        kept = CareTask.objects.filter(removed_at=None).select_related("asset", "household")
        found_tasks = kept.in_bulk(list(by_task.values()))
        lot.tasks = {key: found_tasks[pk] for key, pk in by_task.items() if pk in found_tasks}


def _settle_whose(lot: Lot, items: Sequence[Item]) -> None:
    """Make what is only named, and leave out the rows whose asset is nowhere."""
    missing: dict[str, AssetDraft] = {}
    for item in items:
        for draft in item.drafts:
            if isinstance(draft, AssetDraft) or asset_of(lot, draft.whose):
                continue
            if isinstance(draft, ServiceDraft) and draft.task_key:
                continue
            name = draft.whose.name
            if name:
                key = draft.whose.key or f"name:{name}"
                missing[key] = AssetDraft(key=key, name=name, kind=generic.kind_of("car"))
    if missing:
        made = import_things.make_assets(lot, list(missing.values()))
        for (key, draft), asset in zip(missing.items(), made, strict=True):
            lot.note(MadeKind.ASSET, asset, key=key)
            lot.assets[key] = lot.assets[f"name:{draft.name}"] = asset
    for item in items:
        try:
            for draft in item.drafts:
                _check_asset(lot, draft)
        except RowError as error:
            mark(item.row, error)
            item.drafts = ()


def _check_asset(lot: Lot, draft: Draft) -> None:
    if isinstance(draft, AssetDraft):
        return
    if isinstance(draft, ServiceDraft) and draft.task_key:
        if draft.task_key not in lot.tasks:
            raise RowError("no_task", "", draft.task_key.partition(":")[2])
        return
    asset = asset_of(lot, draft.whose)
    if asset is None:
        whose = draft.whose
        raise RowError("no_asset", "", whose.name or whose.tag or whose.key)
    on = draft.on if isinstance(draft, ServiceDraft | ReadingDraft) else None
    if on is not None and asset.ended_on is not None and on > asset.ended_on:
        raise RowError("ended", "", on.isoformat())


def _is_backwards(draft: CoverageDraft) -> bool:
    begins, ends = draft.starts_on, draft.ends_on
    return begins is not None and ends is not None and ends < begins and not draft.is_lifetime
