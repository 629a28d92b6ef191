"""Writes what rows of a file become, a lot at a time, by the rules of the register and of care.

One by one, 50,000 things would take an hour; so rows are made in lots here, and every rule
that the one-by-one operations keep is kept: identifiers are checked and folded, places are
normal, fields have their types, impossible readings count for nothing, nothing is done in
the future or after an asset's end, and what depends on it all is worked out at the end.
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext, override

from assets import care, caring, duedates, holdings, identifiers, places, recalls, typed
from assets.care_words import MarkKind, MeterKind
from assets.choices import (
    AssetKind,
    CostCategory,
    FieldType,
    IdentifierScheme,
    Lifecycle,
    OperationalStatus,
    PriceKind,
    Source,
)
from assets.importers import files
from assets.importers.drafts import (
    NAMES,
    AssetDraft,
    CostDraft,
    CoverageDraft,
    Draft,
    PartDraft,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
    Sum,
    TaskDraft,
    Whose,
)
from assets.importers.faults import RowError
from assets.importers.formats import generic
from assets.importers.rows import Answers, Format, Row
from assets.importers.words import MadeKind, RowState
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    CareMark,
    CareTask,
    CostEntry,
    Coverage,
    CustomField,
    Findable,
    Import,
    Imported,
    ImportRow,
    Meter,
    MeterReading,
    Part,
    PriceLine,
    ServiceRecord,
    Tag,
    Tagging,
)
from owners import bulk

FIELDS_MOST = 200  # of a household's own; what is beyond goes into the notes
DISTANCES = frozenset({"km", "mi"})
CENT = Decimal("0.0001")
THOUSANDTH = Decimal("0.001")


class Keyed(Protocol):
    """A stored row."""

    pk: Any


@dataclass(slots=True, kw_only=True)
class Lot:
    """Some rows of a file on their way, and what was found and made for them."""

    run: Import
    form: Format
    answers: Answers
    now: datetime
    today: date
    target: Asset | None
    assets: dict[str, Asset] = field(default_factory=dict)  # by key, "tag:", "name:"
    tasks: dict[str, CareTask] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    notes: list[Imported] = field(default_factory=list)
    new_assets: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)

    def note(self, kind: MadeKind, row: Keyed, *, key: str | None = None, parent: str = "") -> None:
        """Note that something was made, for the next time and to take it back."""
        self.notes.append(
            Imported(
                household_id=self.run.household_id,
                of=self.run,
                source=self.form.source,
                key=key,
                parent_key=parent,
                kind=kind,
                object=row.pk,
            )
        )

    def note_under(self, kind: MadeKind, row: Keyed, asset: Asset, key: str | None) -> None:
        """Note what lies under an asset; what was made with it needs no note to go with it."""
        if key is not None or asset.pk not in self.new_assets:
            self.note(kind, row, key=key)


@dataclass(slots=True)
class Item:
    """One row and what it becomes."""

    row: ImportRow
    key: str
    drafts: Sequence[Draft]
    is_noted: bool = False  # its key stands beside something that was made

    def take_key(self) -> str | None:
        """Return the row's key for the first thing that is made of it."""
        if self.is_noted:
            return None
        self.is_noted = True
        return self.key


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
            _mark(rows[0], RowError("refused", "", _short(error)))
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


def _mark(row: ImportRow, error: RowError) -> None:
    row.state, row.fault = RowState.BAD, error.code
    row.column, row.said = error.column[:120], error.value[:200]


def _write(lot: Lot, rows: Sequence[ImportRow]) -> None:
    items = _items(lot, rows)
    _drop_known(lot, items)
    _resolve(lot, items)
    _write_assets(lot, items)
    items = [item for item in items if item.row.state == RowState.WAITING]
    _settle_whose(lot, items)
    _write_tasks(lot, items)
    _write_covers(lot, items)
    _write_money(lot, items)
    _write_readings(lot, items)
    _write_parts(lot, items)
    for item in items:
        if item.row.state == RowState.WAITING:
            item.row.state = RowState.MADE
    bulk.insert(Imported, lot.notes)
    lot.notes = []
    duedates.refresh(assets=lot.touched, now=lot.now)
    recalls.look(lot.touched, now=lot.now)


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
            _mark(row, error)
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


def _asset_of(lot: Lot, whose: Whose) -> Asset | None:
    if not whose:
        return lot.target
    for key in (
        whose.key,
        f"tag:{AssetIdentifier.fold(whose.tag)}" if whose.tag else "",
        f"name:{whose.name}" if whose.name else "",
    ):
        if key and key in lot.assets:
            return lot.assets[key]
    return None


def _settle_whose(lot: Lot, items: Sequence[Item]) -> None:
    """Make what is only named, and leave out the rows whose asset is nowhere."""
    missing: dict[str, AssetDraft] = {}
    for item in items:
        for draft in item.drafts:
            if isinstance(draft, AssetDraft) or _asset_of(lot, draft.whose):
                continue
            if isinstance(draft, ServiceDraft) and draft.task_key:
                continue
            name = draft.whose.name
            if name:
                key = draft.whose.key or f"name:{name}"
                missing[key] = AssetDraft(key=key, name=name, kind=generic.kind_of("car"))
    if missing:
        made = _make_assets(lot, list(missing.values()))
        for (key, draft), asset in zip(missing.items(), made, strict=True):
            lot.note(MadeKind.ASSET, asset, key=key)
            lot.assets[key] = lot.assets[f"name:{draft.name}"] = asset
    for item in items:
        try:
            for draft in item.drafts:
                _check_asset(lot, draft)
        except RowError as error:
            _mark(item.row, error)
            item.drafts = ()


def _check_asset(lot: Lot, draft: Draft) -> None:
    if isinstance(draft, AssetDraft):
        return
    if isinstance(draft, ServiceDraft) and draft.task_key:
        if draft.task_key not in lot.tasks:
            raise RowError("no_task", "", draft.task_key.partition(":")[2])
        return
    asset = _asset_of(lot, draft.whose)
    if asset is None:
        whose = draft.whose
        raise RowError("no_asset", "", whose.name or whose.tag or whose.key)
    on = draft.on if isinstance(draft, ServiceDraft | ReadingDraft) else None
    if on is not None and asset.ended_on is not None and on > asset.ended_on:
        raise RowError("ended", "", on.isoformat())


def _is_backwards(draft: CoverageDraft) -> bool:
    begins, ends = draft.starts_on, draft.ends_on
    return begins is not None and ends is not None and ends < begins and not draft.is_lifetime


# -- things ----------------------------------------------------------------------------


def _write_assets(lot: Lot, items: Sequence[Item]) -> None:
    wanted = [(item, d) for item in items for d in item.drafts if isinstance(d, AssetDraft)]
    if not wanted:
        return
    for (item, draft), asset in zip(
        wanted, _make_assets(lot, [d for _i, d in wanted]), strict=True
    ):
        lot.assets[draft.key] = asset
        lot.note(MadeKind.ASSET, asset, key=item.take_key(), parent=draft.parent_key[:190])


def _make_assets(lot: Lot, drafts: Sequence[AssetDraft]) -> list[Asset]:
    """Make assets with their identifiers, tags, fields and how they were acquired."""
    fields = _fields(lot, drafts)
    tags = _tags(lot, drafts)
    assets = [_asset(lot, draft, fields) for draft in drafts]
    bulk.insert(Asset, assets)
    lot.new_assets.update(asset.pk for asset in assets)
    lot.made["assets"] += len(assets)
    pairs = list(zip(assets, drafts, strict=True))
    names = [name for asset, draft in pairs for name in _names(lot, asset, draft)]
    bulk.insert(AssetIdentifier, names)
    bulk.insert(
        Tagging,
        [
            Tagging(household_id=asset.household_id, asset=asset, tag=tag)
            for asset, draft in pairs
            for tag in {
                tags[Tag.fold(word)].pk: tags[Tag.fold(word)] for word in draft.tags
            }.values()
        ],
    )
    _acquire(lot, pairs)
    values: dict[int, list[str]] = defaultdict(list)
    for name in names:
        values[name.asset_id].append(name.value)
    Findable.objects.note(
        asset.wording(values=values[asset.pk], tags=draft.tags) for asset, draft in pairs
    )
    return assets


def _asset(
    lot: Lot, draft: AssetDraft, fields: Mapping[tuple[str, FieldType], CustomField]
) -> Asset:
    custom: dict[str, Any] = {}
    left = []
    for extra in draft.extras:
        own = fields.get((extra.name, extra.type))
        try:
            if own is None:
                raise typed.NotOfTypeError
            value = typed.read(FieldType(own.type), extra.value, choices=own.choices)
        except typed.NotOfTypeError:
            left.append(f"{extra.name}: {extra.value}")  # it fits no field, and is not lost
            continue
        if value is not None:
            custom[str(own.uuid)] = value
    is_over = draft.end_reason is not None
    return Asset(
        household_id=lot.run.household_id,
        name=draft.name[:120],
        kind=_kind(draft),
        maker=draft.maker[:120],
        model=draft.model[:120],
        lifecycle=Lifecycle.ENDED if is_over else Lifecycle.ACTIVE,
        operational_status=OperationalStatus.STORED
        if draft.is_stored and not is_over
        else OperationalStatus.IN_SERVICE,
        place=places.normal(draft.place),
        parent=lot.target if draft.is_of_target else None,
        quantity=draft.quantity,
        notes="\n".join(filter(None, (draft.notes, *left))),
        custom=custom,
        is_insured=draft.is_insured,
        bought_on=draft.bought_on,
        ended_on=draft.ended_on if is_over else None,
        end_reason=draft.end_reason or "",
        source=Source.IMPORTED,
        written_by=lot.run.owner,
        created_at=lot.now,
    )


def _kind(draft: AssetDraft) -> str:
    """Return the kind that is said, else the one that its tags or its name tell."""
    if draft.kind != AssetKind.OTHER:
        return draft.kind
    by_tags = generic.kind_of(" ".join(draft.tags))
    return by_tags if by_tags != AssetKind.OTHER else generic.kind_of(draft.name)


def _names(lot: Lot, asset: Asset, draft: AssetDraft) -> list[AssetIdentifier]:
    found: dict[tuple[str, str], AssetIdentifier] = {}
    for scheme, value in draft.identifiers:
        folded = AssetIdentifier.fold(value)
        if folded:
            found[scheme, folded] = AssetIdentifier(
                household_id=asset.household_id,
                asset=asset,
                scheme=scheme,
                value=value[:200],
                folded=folded[:200],
                is_valid=identifiers.check(scheme, value).is_valid,
                source=Source.IMPORTED,
            )
    return list(found.values())


def _acquire(lot: Lot, pairs: Sequence[tuple[Asset, AssetDraft]]) -> None:
    said = [(a, d) for a, d in pairs if d.seller or d.order_no or d.price]
    rows = [
        Acquisition(
            household_id=asset.household_id,
            asset=asset,
            seller=draft.seller[:120],
            order_no=draft.order_no[:80],
            ordered_on=draft.bought_on,
            currency=draft.price.currency if draft.price else "",
            source=Source.IMPORTED,
        )
        for asset, draft in said
    ]
    bulk.insert(Acquisition, rows)
    bulk.insert(
        PriceLine,
        [
            PriceLine(
                household_id=row.household_id,
                acquisition=row,
                kind=PriceKind.GROSS,
                amount=draft.price.amount.quantize(CENT),
            )
            for row, (_asset, draft) in zip(rows, said, strict=True)
            if draft.price
        ],
    )


def _tags(lot: Lot, drafts: Iterable[AssetDraft]) -> dict[str, Tag]:
    words = {Tag.fold(word): word[:60] for draft in drafts for word in draft.tags}
    words.pop("", None)
    here = Tag.objects.filter(household=lot.run.household_id)
    found = {tag.folded: tag for tag in here.filter(folded__in=words)}
    for folded in sorted(words.keys() - found.keys()):
        tag, is_new = Tag.objects.get_or_create(
            household_id=lot.run.household_id, folded=folded, defaults={"name": words[folded]}
        )
        found[folded] = tag
        if is_new:
            lot.note(MadeKind.TAG, tag)
    return found


def _fields(lot: Lot, drafts: Iterable[AssetDraft]) -> dict[tuple[str, FieldType], CustomField]:
    wanted = {(extra.name, extra.type) for draft in drafts for extra in draft.extras}
    if not wanted:
        return {}
    here = {
        row.name: row for row in CustomField.objects.filter(household=lot.run.household_id, kind="")
    }
    found = {}
    for name, kind in sorted(wanted):
        if name not in here and len(here) < FIELDS_MOST:
            row, is_new = CustomField.objects.get_or_create(
                household_id=lot.run.household_id, name=name, kind="", defaults={"type": kind}
            )
            here[name] = row
            if is_new:
                lot.note(MadeKind.FIELD, row)
        if name in here:
            found[name, kind] = here[name]
    return found


# -- records ---------------------------------------------------------------------------


def _each(lot: Lot, items: Sequence[Item], kind: type[Any]) -> Iterable[tuple[Item, Any, Asset]]:
    for item in items:
        for draft in item.drafts:
            if isinstance(draft, kind):
                asset = _asset_of(lot, draft.whose)
                if asset is not None:
                    yield item, draft, asset


def _money(said: Sum | None) -> dict[str, Any]:
    if said is None:
        return {"amount": None, "currency": ""}
    return {"amount": said.amount.quantize(CENT), "currency": said.currency}


def _write_tasks(lot: Lot, items: Sequence[Item]) -> None:
    for item, draft, asset in _each(lot, items, TaskDraft):
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


def _write_covers(lot: Lot, items: Sequence[Item]) -> None:
    found = list(_each(lot, items, CoverageDraft))
    rows = []
    for _item, draft, asset in found:
        ends = None if draft.is_lifetime else draft.ends_on
        if ends is None and not draft.is_lifetime and draft.starts_on and draft.months:
            ends = holdings.last_day(draft.starts_on, draft.months)
        excess = _money(draft.excess)
        rows.append(
            Coverage(
                household_id=asset.household_id,
                asset=asset,
                kind=draft.kind,
                obligor=draft.obligor[:120],
                reference=draft.reference[:80],
                starts_on=draft.starts_on,
                ends_on=ends,
                months=draft.months,
                is_lifetime=draft.is_lifetime,
                terms=draft.terms[:8000],
                excess=excess["amount"],
                currency=excess["currency"],
                source=Source.IMPORTED,
                created_at=lot.now,
            )
        )
    bulk.insert(Coverage, rows)
    for (item, _draft, asset), row in zip(found, rows, strict=True):
        lot.note_under(MadeKind.COVERAGE, row, asset, item.take_key())
    lot.made[NAMES[CoverageDraft]] += len(rows)


def _write_money(lot: Lot, items: Sequence[Item]) -> None:
    """Write costs, and work with its cost and its reading."""
    spent = list(_each(lot, items, CostDraft))
    costs = [_cost(lot, asset, d.on, d.sum, d.category, d.note) for _i, d, asset in spent]
    bulk.insert(CostEntry, costs)
    for (item, _draft, asset), row in zip(spent, costs, strict=True):
        lot.note_under(MadeKind.COST, row, asset, item.take_key())
    lot.made[NAMES[CostDraft]] += len(costs)
    _write_work(lot, items)


def _cost(
    lot: Lot, asset: Asset, on: date, money: Sum, category: CostCategory, note: str
) -> CostEntry:
    amount = money.amount.quantize(CENT)
    if category in (CostCategory.REFUND, CostCategory.SALE):
        amount = -abs(amount)  # what came back makes the whole less
    return CostEntry(
        household_id=asset.household_id,
        asset=asset,
        on=on,
        amount=amount,
        currency=money.currency,
        category=category,
        note=note[:200],
        source=Source.IMPORTED,
        added_by=lot.run.owner,
        created_at=lot.now,
    )


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
            asset = task.asset if task is not None else _asset_of(lot, draft.whose)
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


def _write_readings(lot: Lot, items: Sequence[Item]) -> None:
    _read(
        lot,
        [
            (item, draft.value, draft.unit, draft.on, asset, None)
            for item, draft, asset in _each(lot, items, ReadingDraft)
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


def _write_parts(lot: Lot, items: Sequence[Item]) -> None:
    found = list(_each(lot, items, PartDraft))
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


def make_target(lot: Lot, name: str) -> Asset:
    """Make the asset that rows which name none are about."""
    (asset,) = _make_assets(lot, [AssetDraft(key="", name=name, kind=generic.kind_of(name))])
    lot.note(MadeKind.ASSET, asset)
    bulk.insert(Imported, lot.notes)
    lot.notes = []
    return asset
