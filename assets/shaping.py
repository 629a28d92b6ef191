"""What a household shapes by itself: its own fields; and how everything came to be so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from assets import typed
from assets.choices import FieldType, Source
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    CostEntry,
    Coverage,
    CustomField,
    Loan,
    Tag,
    Tagging,
)
from owners.models import Household, Owner

FIELDS_MOST = 100
HISTORY_MOST = 300  # versions of one table that are read
# What is our own bookkeeping in a version, and says nothing of the thing.
_OURS = frozenset(
    {
        "id",
        "uuid",
        "household_id",
        "asset_id",
        "created_at",
        "source",
        "written_by_id",
        "added_by_id",
        "folded",
        "is_valid",
        "acquisition_id",
    }
)


class ShapeError(Exception):
    """A field cannot be so; `field` names what, and the text says why."""

    def __init__(self, field: str, detail: str) -> None:
        """Note which, and the reader's words."""
        super().__init__(detail)
        self.field, self.detail = field, detail


def history_of(model: Any) -> Any:
    """Return the table in which django-pghistory keeps every version of a model's rows."""
    return model.pgh_event_model


def add_field(*, household: Household, values: Mapping[str, Any]) -> CustomField:
    """Add a field of the household's own; raises ShapeError."""
    if values["type"] == FieldType.CHOICE and not values.get("choices"):
        raise ShapeError("choices", gettext_noop("Write the list to choose from."))
    if household.custom_fields.count() >= FIELDS_MOST:
        raise ShapeError("name", gettext_noop("There is no room for it now. Try again later."))
    try:
        with transaction.atomic():
            return CustomField.objects.create(household=household, **values)
    except IntegrityError as error:
        raise ShapeError("name", gettext_noop("There is already a field of this name.")) from error


def retire(*, field: CustomField, is_retired: bool) -> CustomField:
    """Ask for a field no more, or again; what it holds stays."""
    field.is_retired = is_retired
    field.save(update_fields=["is_retired"])
    return field


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One field that became another: when, by whose word, written by whom."""

    at: datetime
    about: str | Lazy
    name: str
    label: str | Lazy
    before: str
    after: str
    source: Source
    by: str


def history(asset: Asset) -> list[Version]:
    """Return every change of every field of an asset and of what belongs to it, newest first."""
    tables: list[tuple[Any, str, str | Lazy]] = [
        (Asset, "pgh_obj", ""),
        (AssetIdentifier, "asset", _("Number")),
        (Acquisition, "asset", _("How it came here")),
        (Coverage, "asset", _("Guarantee or insurance")),
        (CostEntry, "asset", _("Cost")),
        (Loan, "asset", _("Loan")),
    ]
    own = {
        str(uuid): name
        for uuid, name in CustomField.objects.filter(household=asset.household_id).values_list(
            "uuid", "name"
        )
    }
    found: list[Version] = []
    people: dict[int, str] = {}
    for model, key, about in tables:
        rows = model.pgh_event_model.objects.filter(**{key: asset.pk})
        newest = list(rows.order_by("-pgh_id")[:HISTORY_MOST])
        found += _versions(model, newest[::-1], about, own, people)
    found += _tagged(asset, people)
    named = Owner.objects.filter(pk__in=people).in_bulk()
    return [
        version if not version.by else _by(version, named)
        for version in sorted(found, key=lambda version: version.at, reverse=True)
    ]


def _tagged(asset: Asset, people: dict[int, str]) -> list[Version]:
    """Return the tags that came and went; by whose word is as with what else was written then."""
    rows = list(
        history_of(Tagging).objects.filter(asset=asset.pk).order_by("-pgh_id")[:HISTORY_MOST]
    )
    names = dict(Tag.objects.filter(pk__in={row.tag_id for row in rows}).values_list("pk", "name"))
    # What is written in one transaction has one time.
    beside = history_of(Asset).objects.filter(
        pgh_obj=asset.pk, pgh_created_at__in={row.pgh_created_at for row in rows}
    )
    wrote = {row.pgh_created_at: (row.source, row.written_by_id) for row in beside}
    found = []
    for row in rows:
        source, writer = wrote.get(row.pgh_created_at, (Source.SELF, None))
        if writer:
            people[writer] = ""
        name, is_gone = names.get(row.tag_id, ""), row.pgh_label == "delete"
        found.append(
            Version(
                at=row.pgh_created_at,
                about="",
                name="tag",
                label=_("Tag"),
                before=name if is_gone else "",
                after="" if is_gone else name,
                source=Source(source),
                by=str(writer or ""),
            )
        )
    return found


def _by(version: Version, named: Mapping[int, Owner]) -> Version:
    person = named.get(int(version.by))
    name = person.get_full_name() if person else ""
    values = {slot: getattr(version, slot) for slot in Version.__slots__}
    return Version(**values | {"by": name})


def _versions(
    model: Any, rows: list[Any], about: str | Lazy, own: dict[str, str], people: dict[int, str]
) -> list[Version]:
    fields = [field for field in model._meta.concrete_fields if field.attname not in _OURS]  # noqa: SLF001 - Django's own name
    last: dict[int, Any] = {}
    found = []
    for row in rows:
        before = last.get(row.pgh_obj_id)
        last[row.pgh_obj_id] = row
        if before is None and model is Asset and row.pgh_label != "insert":
            continue  # the first of those that are read; what it changed lies further back
        writer = getattr(row, "written_by_id", None) or getattr(row, "added_by_id", None)
        if writer:
            people[writer] = ""
        is_gone = row.pgh_label == "delete"
        for field in fields:
            old = None if before is None else getattr(before, field.attname)
            new = None if is_gone else getattr(row, field.attname)
            if is_gone:
                old = getattr(row, field.attname)
            for label, was, became in _told(field, old, new, own):
                found.append(
                    Version(
                        at=row.pgh_created_at,
                        about=about,
                        name=field.name,
                        label=label,
                        before=was,
                        after=became,
                        source=Source(row.source),
                        by=str(writer or ""),
                    )
                )
    return found


def _told(field: Any, old: Any, new: Any, own: dict[str, str]) -> list[tuple[str | Lazy, str, str]]:
    if field.name == "custom":
        was, became = old or {}, new or {}
        return [
            (own.get(key, ""), typed.shown(was.get(key)), typed.shown(became.get(key)))
            for key in dict.fromkeys([*was, *became])
            if was.get(key) != became.get(key)
        ]
    shown = _shown(field, old), _shown(field, new)
    return [] if shown[0] == shown[1] else [(_LABELS.get(field.name, field.name), *shown)]


def _shown(field: Any, value: Any) -> str:
    if value is None or value == "":
        return ""
    if value is True or value is False:
        return str(_("yes") if value else _("no"))
    chosen = dict(field.flatchoices).get(value)
    if chosen is not None:
        return str(chosen)
    return value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)


_LABELS: dict[str, Lazy] = {
    "name": _("Name"),
    "kind": _("Kind"),
    "maker": _("Maker"),
    "model": _("Model"),
    "lifecycle": _("Life"),
    "operational_status": _("State"),
    "custody": _("In whose hands"),
    "keeper": _("Keeper"),
    "template": _("Template"),
    "place": _("Place"),
    "parent": _("Part of"),
    "quantity": _("How many"),
    "notes": _("Notes"),
    "is_insured": _("Insured"),
    "bought_on": _("Bought"),
    "in_service_on": _("In use since"),
    "leaving_as": _("Leaving"),
    "ended_on": _("Gone since"),
    "end_reason": _("Why it is gone"),
    "removed_at": _("In the bin"),
    "scheme": _("What"),
    "value": _("Value"),
    "issuer": _("Issuer"),
    "verified_at": _("Confirmed"),
    "seller": _("From whom"),
    "order_no": _("Order number"),
    "ordered_on": _("Ordered on"),
    "expected_on": _("Expected on"),
    "delivered_on": _("Delivered on"),
    "return_by": _("Can be returned until"),
    "condition": _("It was"),
    "bought_as": _("Bought"),
    "payment": _("Paid with"),
    "jurisdiction": _("Law of"),
    "currency": _("Currency"),
    "obligor": _("Who pays"),
    "reference": _("Number"),
    "starts_on": _("From"),
    "ends_on": _("Until"),
    "months": _("Months"),
    "is_lifetime": _("For its whole life"),
    "scope": _("Covers"),
    "terms": _("Terms"),
    "excess": _("You pay first"),
    "meter_limit": _("Up to"),
    "meter_unit": _("Unit"),
    "state": _("State"),
    "on": _("Day"),
    "amount": _("Amount"),
    "category": _("What for"),
    "note": _("Note"),
    "borrower": _("Who has it"),
    "reach": _("How to reach them"),
    "out_on": _("Lent on"),
    "due_on": _("Back by"),
    "back_on": _("Came back on"),
}
