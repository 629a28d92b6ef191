"""Writes the things that rows of a file become, with how they are called and came here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from assets import holdings, identifiers, places, starters, templating, typed
from assets.choices import AssetKind, FieldType, Lifecycle, OperationalStatus, PriceKind, Source
from assets.import_lots import Item, Lot
from assets.importers.drafts import AssetDraft
from assets.importers.formats import generic
from assets.importers.words import MadeKind
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    CustomField,
    Findable,
    Imported,
    PriceLine,
    Tag,
    Tagging,
)
from assets.starters import Starter
from owners import bulk

FIELDS_MOST = 200  # of a household's own; what is beyond goes into the notes
CENT = Decimal("0.0001")


def write_assets(lot: Lot, items: Sequence[Item]) -> None:
    wanted = [(item, d) for item in items for d in item.drafts if isinstance(d, AssetDraft)]
    if not wanted:
        return
    for (item, draft), asset in zip(wanted, make_assets(lot, [d for _i, d in wanted]), strict=True):
        lot.assets[draft.key] = asset
        lot.note(MadeKind.ASSET, asset, key=item.take_key(), parent=draft.parent_key[:190])


def make_assets(lot: Lot, drafts: Sequence[AssetDraft]) -> list[Asset]:
    """Make assets with their identifiers, tags, fields and how they were acquired."""
    fields = _fields(lot, drafts)
    tags = _tags(lot, drafts)
    known = templating.known_to([lot.run.household])
    assets = [_asset(lot, draft, fields, known) for draft in drafts]
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
    lot: Lot,
    draft: AssetDraft,
    fields: Mapping[tuple[str, FieldType], CustomField],
    known: Mapping[str, Starter],
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
    kind, template = _kind(draft, known)
    return Asset(
        household_id=lot.run.household_id,
        name=draft.name[:120],
        kind=kind,
        template=template,
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


def _kind(draft: AssetDraft, known: Mapping[str, Starter]) -> tuple[str, str]:
    """Return the kind of a thing and what it begins from: as said, else by tags and name."""
    starter = known[starters.read_line(draft.name, known).starter]
    kind = draft.kind
    if kind == AssetKind.OTHER:
        kind = generic.kind_of(" ".join(draft.tags))
    if kind == AssetKind.OTHER:
        kind = starter.kind
    if kind == AssetKind.OTHER:
        kind = generic.kind_of(draft.name)
    return kind, starter.slug if starter.kind == kind and starter.slug != starters.USUAL else ""


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
            holdings.price_line(row, PriceKind.GROSS, draft.price.amount.quantize(CENT), "")
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


def make_target(lot: Lot, name: str) -> Asset:
    """Make the asset that rows which name none are about."""
    (asset,) = make_assets(lot, [AssetDraft(key="", name=name, kind=generic.kind_of(name))])
    lot.note(MadeKind.ASSET, asset)
    bulk.insert(Imported, lot.notes)
    lot.notes = []
    return asset
