"""Spare parts and consumables: what there is, and what was used."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from assets import notices
from assets.choices import Source
from assets.models import Asset, Part
from owners import undo
from owners.models import Change, Household, Owner

ADDED, CHANGED, REMOVED = "part.add", "part.change", "part.remove"
TEXTS = ("name", "number", "unit", "place", "note")
NUMBERS = ("quantity", "reorder_at")
FIELDS = frozenset({*TEXTS, *NUMBERS, "fits"})


class PartError(Exception):
    """A part that cannot be; `field` says which input, the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


def add(
    *,
    household: Household,
    values: Mapping[str, Any],
    now: datetime,
    owner: Owner | None = None,
    source: Source = Source.SELF,
    source_key: str = "",
) -> Part:
    """Add a part to a household's stock; the same `source_key` again is the same part."""
    kept = _checked(household, values)
    with transaction.atomic():
        if source_key:
            same = Part.objects.filter(household=household, source_key=source_key).first()
            if same is not None:
                return same
        part = Part.objects.create(
            household=household, created_at=now, source=source, source_key=source_key, **kept
        )
        notices.review_parts([part], now=now)
        if owner is not None:
            _remember(ADDED, part, owner=owner, now=now)
    return part


def change(*, part: Part, values: Mapping[str, Any], owner: Owner, now: datetime) -> Change | None:
    """Change a part, or how much there is of it; None when nothing changed."""
    kept = _checked(part.household, values)
    with transaction.atomic():
        part = (
            Part.objects.select_for_update(of=("self",)).select_related("household").get(pk=part.pk)
        )
        changed = sorted(name for name in kept if getattr(part, name) != kept[name])
        if not changed:
            return None
        before = {name: _plain(getattr(part, name)) for name in changed}
        for name in changed:
            setattr(part, name, kept[name])
        part.save(update_fields=changed)
        notices.review_parts([part], now=now)
        return _remember(
            CHANGED,
            part,
            owner=owner,
            now=now,
            before=before,
            after={name: _plain(kept[name]) for name in changed},
        )


def remove(*, part: Part, owner: Owner, now: datetime) -> Change:
    """Put a part into the bin; it can be put back for 30 days."""
    with transaction.atomic():
        part.removed_at = now
        part.save(update_fields=["removed_at"])
        notices.review_parts([part], now=now)
        return _remember(REMOVED, part, owner=owner, now=now)


def restore(
    part: Part, *, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> None:
    """Give a part what it had before; what was used meanwhile stays used."""
    part = Part.objects.select_for_update().get(pk=part.pk)
    for name, value in before.items():
        if name == "quantity":
            used = Decimal(after["quantity"]) - part.quantity
            part.quantity = max(Decimal(value) - used, Decimal(0))
        elif name == "fits":
            part.fits = [UUID(key) for key in value]
        else:
            is_number = name in NUMBERS and value is not None
            setattr(part, name, Decimal(value) if is_number else value)
    part.save(update_fields=list(before))
    notices.review_parts([part], now=now)


def _checked(household: Household, values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: values[name] for name in FIELDS & values.keys()}
    for name in NUMBERS:
        if kept.get(name) is not None and kept[name] < 0:
            raise PartError(name, gettext_noop("There cannot be less than nothing."))
    if "fits" in kept:
        kept["fits"] = _assets(household, kept["fits"])
    return kept


def _assets(household: Household, keys: Sequence[UUID]) -> list[UUID]:
    mine = Asset.objects.filter(household=household, uuid__in=list(keys), removed_at=None)
    found = set(mine.values_list("uuid", flat=True))
    if found != set(keys):
        raise PartError("fits", gettext_noop("There is no such object."))
    return list(dict.fromkeys(keys))


def _remember(
    kind: str,
    part: Part,
    *,
    owner: Owner,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Change:
    return undo.remember(
        kind=kind,
        label=part.name,
        now=now,
        owner=owner,
        household=part.household,
        subject=part.uuid,
        before=before,
        after=after,
        is_removal=kind == REMOVED,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return [str(key) for key in value] if isinstance(value, list) else value
