"""Takes back what an import made, so that nothing tells of it.

What has become more than the import made stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import pgtrigger
from django.db import models
from django.db.models.expressions import RawSQL

from assets import duedates, import_papers, notices, radar
from assets.choices import FindableKind, Source
from assets.importers.words import ImportState, MadeKind
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    CareMark,
    CareTask,
    CostEntry,
    Coverage,
    CustomField,
    Document,
    Findable,
    Import,
    Imported,
    Loan,
    Meter,
    MeterReading,
    Notice,
    Part,
    RecallMatch,
    ServiceRecord,
    Tag,
    Tagging,
)
from owners import bulk

# Whose every version is kept, which an import that is taken back takes along.
HISTORIES = (Asset, AssetIdentifier, Tagging, Acquisition, Coverage, CostEntry, Loan)
# What comes and goes with an asset and says nothing of its own.
MADE_WITH = (Asset, Asset.pgh_event_model, AssetIdentifier, Tag, Tagging, Notice, RecallMatch)  # type: ignore[attr-defined]  # django-pghistory adds it
MODELS: dict[MadeKind, Any] = {
    MadeKind.PAPER: Document,
    MadeKind.MARK: CareMark,
    MadeKind.READING: MeterReading,
    MadeKind.SERVICE: ServiceRecord,
    MadeKind.COST: CostEntry,
    MadeKind.COVERAGE: Coverage,
    MadeKind.TASK: CareTask,
    MadeKind.PART: Part,
    MadeKind.METER: Meter,
    MadeKind.ASSET: Asset,
    MadeKind.TAG: Tag,
    MadeKind.FIELD: CustomField,
}


def take(run: Import, now: datetime, size: int) -> int:
    """Take back at most `size` of what was made, of the sort that goes next; return how many."""
    mine = Imported.objects.filter(of=run)
    for kind in MODELS:
        lot = list(mine.filter(kind=kind).order_by("-pk")[:size])
        if lot:
            keys = [row.object for row in lot]
            # Its history goes with it: no trigger needs to write down that it went.
            with pgtrigger.ignore():
                _take_rows(run, kind, keys, now)
            bulk.write(
                "DELETE FROM assets_imported WHERE id = ANY(%s::bigint[])",
                [bulk.array(row.pk for row in lot)],
            )
            return len(lot)
    return 0


def _take_rows(run: Import, kind: MadeKind, keys: list[int], now: datetime) -> None:
    """Erase rows of one sort, so that nothing tells of them."""
    if kind == MadeKind.ASSET:
        _take_assets(run, keys, now)
    elif kind == MadeKind.TASK:
        tasks = list(CareTask.objects.filter(pk__in=keys).select_related("asset", "household"))
        for task in tasks:
            task.removed_at = now
        duedates.tell_of(tasks, now=now)
        CareTask.objects.filter(pk__in=keys).delete()
    elif kind == MadeKind.PAPER:
        import_papers.take_papers(keys)
    elif kind == MadeKind.TAG:
        Tag.objects.filter(pk__in=keys, taggings=None).delete()
    elif kind == MadeKind.FIELD:
        for own in CustomField.objects.filter(pk__in=keys):
            held = Asset.objects.filter(household=run.household_id, custom__has_key=str(own.uuid))
            if not held.exists():
                own.delete()
    else:
        _take_records(kind, keys, now)


def _take_records(kind: MadeKind, keys: list[int], now: datetime) -> None:
    model = MODELS[kind]
    rows = model.objects.filter(pk__in=keys)
    if kind == MadeKind.READING:
        about = rows.values_list("meter__asset", flat=True)
    elif kind == MadeKind.MARK:
        about = rows.values_list("task__asset", flat=True)
    elif kind == MadeKind.SERVICE:
        MeterReading.objects.filter(record__in=keys).delete()
        about = rows.values_list("asset", flat=True)
    else:
        about = []
    assets = set(about)
    covered = set(rows.values_list("asset", flat=True)) if kind == MadeKind.COVERAGE else set()
    if kind == MadeKind.METER:
        rows = rows.filter(readings=None)  # the owner has read it since
    bulk.erase(model, list(rows.values_list("pk", flat=True)))
    _forget_history(model, keys)
    if assets:
        duedates.refresh(assets=assets, now=now)
    radar.look(covered, now=now)


def _take_assets(run: Import, keys: list[int], now: datetime) -> None:
    if run.state == ImportState.UNDOING:
        kept = _grown(keys)
        run.kept += len(kept)
        keys = [key for key in keys if key not in kept]
    rows = Asset.objects.filter(pk__in=_among(keys))
    uuids = list(rows.values_list("uuid", flat=True))
    if run.asset_id in keys:
        run.asset = None
    kept_tasks = CareTask.objects.filter(asset__in=_among(keys))
    tasks = list(kept_tasks.select_related("asset", "household"))
    if tasks:
        duedates.tell_of(tasks, now=now)
    notices.withdraw_all(keys, now=now)
    Findable.objects.forget(households=[run.household_id], kind=FindableKind.ASSET, uuids=uuids)
    bulk.erase(Asset, keys)
    for model in HISTORIES:
        _forget_history(model, keys, by_asset=model is not Asset)


def _among(keys: Iterable[int]) -> RawSQL:
    """Return keys as one parameter of a query; as many would cost more than what is looked up."""
    return RawSQL("SELECT unnest(%s::bigint[])", [bulk.array(keys)])


def _grown(keys: Collection[int]) -> set[int]:
    """Return the assets that have become more than what was brought in.

    The owner changed them, gave them papers or a supplier, lent them, or did something with
    them since: an undo of the import would take away what it did not bring.
    """
    found = set(
        Asset.objects.filter(pk__in=_among(keys))
        .exclude(source=Source.IMPORTED)
        .values_list("pk", flat=True)
    )
    for relation in Asset._meta.related_objects:  # noqa: SLF001 - Django's own name
        model: Any = relation.related_model
        # What notifications shows follows from the rest.
        if model in MADE_WITH or model._meta.app_label not in ("assets", "suppliers"):  # noqa: SLF001 - as above
            continue
        name = relation.field.name
        rows = model._base_manager.filter(**{f"{name}__in": _among(keys)})  # noqa: SLF001 - as above
        if any(each.name == "source" for each in model._meta.concrete_fields):  # noqa: SLF001 - as above
            rows = rows.exclude(source=Source.IMPORTED)
        found.update(rows.values_list(name, flat=True))
    return found & set(keys)


def _forget_history(
    model: type[models.Model], keys: Sequence[int], *, by_asset: bool = False
) -> None:
    """Forget the versions of rows that are taken back; the triggers have just noted their end."""
    history = getattr(model, "pgh_event_model", None)
    if history is not None:
        column = "asset_id" if by_asset else "pgh_obj_id"
        bulk.write(
            f'DELETE FROM "{history._meta.db_table}" WHERE "{column}" = ANY(%s::bigint[])',  # noqa: S608, SLF001 - names of models
            [bulk.array(keys)],
        )


def forget_gone(run: Import, source: str) -> None:
    """Let what was brought in before and erased since be brought in again."""
    mine = Imported.objects.filter(household=run.household_id, source=source)
    mine = mine.exclude(key=None)
    for kind, model in MODELS.items():
        here = model.objects.filter(pk=models.OuterRef("object"))
        mine.filter(kind=kind).exclude(models.Exists(here)).delete()


def forget_rows(keys: Iterable[int]) -> None:
    """Delete rows of a file, which nothing refers to."""
    bulk.write("DELETE FROM assets_importrow WHERE id = ANY(%s::bigint[])", [bulk.array(keys)])
