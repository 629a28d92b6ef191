"""The register of what a household owns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from assets import duedates, notices, places, recalls, typed
from assets import identifiers as numbers
from assets.choices import FieldType, IdentifierScheme, Lifecycle, Source
from assets.models import Asset, AssetIdentifier, CustomField, Tag, Tagging
from owners import hearing, undo
from owners.models import Change, Household, Owner

FIELDS = frozenset(
    {
        "name",
        "kind",
        "maker",
        "model",
        "lifecycle",
        "operational_status",
        "custody",
        "keeper",
        "template",
        "place",
        "parent",
        "quantity",
        "notes",
        "custom",
        "is_insured",
        "bought_on",
        "in_service_on",
        "leaving_as",
        "ended_on",
        "end_reason",
    }
)
ADDED, CHANGED, REMOVED = "asset.add", "asset.change", "asset.remove"
TAGS_MOST = 30  # on one asset
DEEPEST = 20  # parts in parts
Identifiers = Sequence[tuple[IdentifierScheme, str]]


# Care begins, rests and ends with these.
CARED_BY = frozenset({"lifecycle", "operational_status", "in_service_on"})
# By these a recall may mean it.
NAMED_BY = frozenset({"name", "kind", "template", "maker", "model", "identifiers", "lifecycle"})


class KeeperError(Exception):
    """The keeper is not a member of the asset's household."""


class ParentError(Exception):
    """The thing cannot be part of that one: it lies elsewhere, or inside this one."""


class CustomError(Exception):
    """A value does not fit a field of the household's own; `field` is its uuid."""

    def __init__(self, field: str, detail: str) -> None:
        """Note which field, and the reader's words."""
        super().__init__(detail)
        self.field, self.detail = field, detail


def add(
    *,
    household: Household,
    values: Mapping[str, Any],
    now: datetime,
    identifiers: Identifiers = (),
    tags: Iterable[str] = (),
    owner: Owner | None = None,
    source: Source = Source.SELF,
) -> Asset:
    """Add an asset to a household; what `owner` adds can be taken back.

    Raises KeeperError and ParentError for a keeper or a whole from elsewhere, and
    CustomError for a value that is not of its field's type.
    """
    _check_keeper(household=household, keeper=values.get("keeper"))
    wanted = _as_kept(household=household, values=values)
    _check_parent(household=household, asset=None, parent=wanted.get("parent"))
    with transaction.atomic():
        asset = Asset.objects.create(
            household=household, created_at=now, source=source, written_by=owner, **wanted
        )
        if identifiers or tags:
            _tag(asset=asset, names=tags)
            name_by(asset=asset, identifiers=identifiers, source=source)
        if owner is not None:
            undo.remember(
                kind=ADDED,
                label=asset.name,
                now=now,
                owner=owner,
                household=household,
                subject=asset.uuid,
            )
        recalls.look([asset.pk], now=now, is_new=True)
    return asset


def change(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    identifiers: Identifiers | None = None,
    tags: Iterable[str] | None = None,
    owner: Owner | None = None,
    source: Source = Source.SELF,
) -> Asset:
    """Change an asset; `identifiers` and `tags`, when given, are all it has from now on.

    `custom` holds only the fields that change. Raises what `add` raises.
    """
    _check_keeper(household=asset.household, keeper=values.get("keeper"))
    wanted = _as_kept(household=asset.household, values=values, before=asset)
    _check_parent(household=asset.household, asset=asset, parent=wanted.get("parent"))
    with transaction.atomic():
        if tags is not None:
            _tag(asset=asset, names=tags)
        if wanted:
            for field, value in wanted.items():
                setattr(asset, field, value)
            asset.source, asset.written_by = source, owner
            asset.save(update_fields=sorted({*wanted, "source", "written_by"}))
        elif tags is not None:
            asset.note_words()
        if identifiers is not None:
            name_by(asset=asset, identifiers=identifiers, source=source)
    return asset


def edit(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    owner: Owner,
    now: datetime,
    identifiers: Identifiers | None = None,
    tags: Iterable[str] | None = None,
) -> Change | None:
    """Change an asset as `change` does, and keep what undoes it; None when nothing changed."""
    wanted = _as_kept(household=asset.household, values=values, before=asset)
    before: dict[str, Any] = {
        field: _for_undo(getattr(asset, field))
        for field, new in wanted.items()
        if getattr(asset, field) != new
    }
    if tags is not None:
        had = tags_of(asset)
        tags = list(tags)
        if {Tag.fold(name) for name in tags} != {Tag.fold(name) for name in had}:
            before["tags"] = had
    if identifiers is not None:
        named = [(str(row.scheme), row.value) for row in asset.identifiers.order_by("pk")]
        folded = {(scheme, AssetIdentifier.fold(value)) for scheme, value in named}
        if {(str(s), AssetIdentifier.fold(v)) for s, v in identifiers} != folded:
            before["identifiers"] = named
    with transaction.atomic():
        change(asset=asset, values=values, identifiers=identifiers, tags=tags, owner=owner)
        if not before:
            return None
        if "lifecycle" in before:
            hearing.tell(hearing.LIFECYCLE, asset=asset, before=before["lifecycle"], now=now)
        if CARED_BY & before.keys():
            duedates.refresh(assets=[asset.pk], now=now)
            notices.review_asset(asset, now=now)
        if NAMED_BY & before.keys():
            recalls.look([asset.pk], now=now)
        return undo.remember(
            kind=CHANGED,
            label=asset.name,
            now=now,
            owner=owner,
            household=asset.household,
            subject=asset.uuid,
            before=before,
        )


def put_back(*, asset: Asset, before: Mapping[str, Any], owner: Owner | None) -> None:
    """Give an asset the values that `edit` noted; what cannot be any more stays as it is."""
    values = dict(before)
    if "tags" in values:
        _tag(asset=asset, names=values.pop("tags"))
    if "identifiers" in values:
        named = [(IdentifierScheme(scheme), value) for scheme, value in values.pop("identifiers")]
        name_by(asset=asset, identifiers=named)
    if "keeper" in values:
        members = asset.household.memberships.filter(owner=values["keeper"]).select_related("owner")
        found = members.first()
        values["keeper"] = found.owner if found else None
    if "parent" in values:
        wholes = Asset.objects.filter(household=asset.household_id, pk=values["parent"])
        values["parent"] = wholes.first()
        if _is_inside(values["parent"], asset):
            values["parent"] = None
    for field in ("bought_on", "in_service_on", "ended_on"):
        if values.get(field):
            values[field] = date.fromisoformat(values[field])
    for field, value in values.items():
        setattr(asset, field, value)
    asset.source, asset.written_by = Source.SELF, owner
    asset.save(update_fields=[*values, "source", "written_by"])


def remove(*, asset: Asset, owner: Owner, now: datetime) -> Change:
    """Put an asset into the bin; it can be put back for 30 days, with all that belongs to it."""
    with transaction.atomic():
        asset.removed_at = now
        asset.source, asset.written_by = Source.SELF, owner
        asset.save(update_fields=["removed_at", "source", "written_by"])
        duedates.refresh(assets=[asset.pk], now=now)
        notices.review_asset(asset, now=now)
        recalls.review_asset(asset, now=now)
        return undo.remember(
            kind=REMOVED,
            label=asset.name,
            now=now,
            owner=owner,
            household=asset.household,
            subject=asset.uuid,
            is_removal=True,
        )


def name_by(*, asset: Asset, identifiers: Identifiers, source: Source = Source.SELF) -> None:
    """Let the asset be named by exactly these identifiers; a mistyped one is only marked."""
    wanted = {(scheme, AssetIdentifier.fold(value)): value for scheme, value in identifiers}
    for old in asset.identifiers.all():
        if wanted.pop((IdentifierScheme(old.scheme), old.folded), None) is None:
            old.delete()
    AssetIdentifier.objects.bulk_create(
        AssetIdentifier(
            household_id=asset.household_id,
            asset=asset,
            scheme=scheme,
            value=value,
            folded=folded,
            is_valid=numbers.check(scheme, value).is_valid,
            source=source,
        )
        for (scheme, folded), value in wanted.items()
    )
    asset.note_words()


def tags_of(asset: Asset) -> list[str]:
    """Return the names of an asset's tags in order."""
    return list(asset.taggings.order_by("tag__name").values_list("tag__name", flat=True))


def fields_for(*, household: Household, kind: str) -> list[CustomField]:
    """Return the household's own fields that assets of a kind have."""
    mine = CustomField.objects.filter(household=household, kind__in=["", kind], is_retired=False)
    return list(mine.order_by("kind", "name"))


def _tag(*, asset: Asset, names: Iterable[str]) -> None:
    """Let the asset have exactly these tags; new ones are made."""
    wanted = {Tag.fold(name): " ".join(name.split())[:60] for name in names}
    wanted.pop("", None)
    wanted = dict(list(wanted.items())[:TAGS_MOST])
    Tag.objects.bulk_create(
        (
            Tag(household_id=asset.household_id, name=name, folded=folded)
            for folded, name in wanted.items()
        ),
        ignore_conflicts=True,
    )
    tags = Tag.objects.filter(household=asset.household_id, folded__in=wanted)
    keys = list(tags.values_list("pk", flat=True))
    Tagging.objects.filter(asset=asset).exclude(tag__in=keys).delete()
    Tagging.objects.bulk_create(
        (Tagging(household_id=asset.household_id, asset=asset, tag_id=key) for key in keys),
        ignore_conflicts=True,
    )


def _as_kept(
    *, household: Household, values: Mapping[str, Any], before: Asset | None = None
) -> dict[str, Any]:
    """Return the register's own among `values`, in the form in which they are kept."""
    wanted = {field: values[field] for field in FIELDS & values.keys()}
    if "place" in wanted:
        wanted["place"] = places.normal(wanted["place"])
    if "custom" in wanted:
        given = wanted["custom"]
        kept = dict(before.custom) if before else {}
        wanted["custom"] = _typed(household=household, given=given, kept=kept) if given else kept
    is_ended = before is not None and before.lifecycle == Lifecycle.ENDED
    if is_ended and wanted.get("lifecycle", Lifecycle.ENDED) != Lifecycle.ENDED:
        # An end that was corrected away leaves no day and no reason behind.
        wanted = {"ended_on": None, "end_reason": "", **wanted}
    return wanted


def _typed(
    *, household: Household, given: Mapping[str, Any], kept: dict[str, Any]
) -> dict[str, Any]:
    own = {
        str(field.uuid): field
        for field in CustomField.objects.filter(household=household, uuid__in=list(given))
    }
    for key, value in given.items():
        field = own.get(str(key))
        if field is None:
            raise CustomError(str(key), "There is no such object.")
        try:
            read = typed.read(FieldType(field.type), value, choices=field.choices)
        except typed.NotOfTypeError as error:
            raise CustomError(str(key), str(error)) from error
        if read is None:
            kept.pop(str(key), None)
        else:
            kept[str(key)] = read
    return kept


def _for_undo(value: Any) -> Any:
    if isinstance(value, Owner | Asset):
        return value.pk
    return value.isoformat() if isinstance(value, date) else value


def _check_keeper(*, household: Household, keeper: Owner | None) -> None:
    if keeper is not None and not household.memberships.filter(owner=keeper).exists():
        raise KeeperError


def _check_parent(*, household: Household, asset: Asset | None, parent: Asset | None) -> None:
    if parent is None:
        return
    if parent.household_id != household.pk or parent.removed_at is not None:
        raise ParentError
    if asset is not None and _is_inside(parent, asset):
        raise ParentError


def _is_inside(part: Asset | None, whole: Asset) -> bool:
    """Whether `part` is `whole` or one of its parts' parts; deeper than any thing is made: yes."""
    for _step in range(DEEPEST):
        if part is None:
            return False
        if part.pk == whole.pk:
            return True
        part = part.parent
    return True
