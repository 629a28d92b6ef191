"""The register of what a household owns."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from assets.choices import IdentifierScheme
from assets.models import Asset, AssetIdentifier
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
        "bought_on",
    }
)
ADDED, CHANGED, REMOVED = "asset.add", "asset.change", "asset.remove"
Identifiers = Sequence[tuple[IdentifierScheme, str]]


class KeeperError(Exception):
    """The keeper is not a member of the asset's household."""


def add(
    *,
    household: Household,
    values: Mapping[str, Any],
    now: datetime,
    identifiers: Identifiers = (),
    owner: Owner | None = None,
) -> Asset:
    """Add an asset to a household; what `owner` adds can be taken back.

    Raises KeeperError for a keeper from elsewhere.
    """
    _check_keeper(household=household, keeper=values.get("keeper"))
    with transaction.atomic():
        asset = Asset.objects.create(
            household=household,
            created_at=now,
            **{field: values[field] for field in FIELDS & values.keys()},
        )
        name_by(asset=asset, identifiers=identifiers)
        if owner is not None:
            undo.remember(
                kind=ADDED,
                label=asset.name,
                now=now,
                owner=owner,
                household=household,
                subject=asset.uuid,
            )
    return asset


def change(
    *, asset: Asset, values: Mapping[str, Any], identifiers: Identifiers | None = None
) -> Asset:
    """Change an asset; `identifiers`, when given, are all that it has from now on."""
    _check_keeper(household=asset.household, keeper=values.get("keeper"))
    with transaction.atomic():
        changed = FIELDS & values.keys()
        for field in changed:
            setattr(asset, field, values[field])
        if changed:
            asset.save(update_fields=sorted(changed))
        if identifiers is not None:
            name_by(asset=asset, identifiers=identifiers)
    return asset


def edit(
    *,
    asset: Asset,
    values: Mapping[str, Any],
    owner: Owner,
    now: datetime,
    identifiers: Identifiers | None = None,
) -> Change | None:
    """Change an asset as `change` does, and keep what undoes it; None when nothing changed."""
    before = {}
    for field in FIELDS & values.keys():
        old, new = getattr(asset, field), values[field]
        if old != new:
            before[field] = old.pk if isinstance(old, Owner) else old
    with transaction.atomic():
        change(asset=asset, values=values, identifiers=identifiers)
        if not before:
            return None
        if "lifecycle" in before:
            hearing.tell(hearing.LIFECYCLE, asset=asset, before=before["lifecycle"], now=now)
        shown = {k: v.isoformat() if isinstance(v, date) else v for k, v in before.items()}
        return undo.remember(
            kind=CHANGED,
            label=asset.name,
            now=now,
            owner=owner,
            household=asset.household,
            subject=asset.uuid,
            before=shown,
        )


def remove(*, asset: Asset, owner: Owner, now: datetime) -> Change:
    """Put an asset into the bin; it can be put back for 30 days, with all that belongs to it."""
    with transaction.atomic():
        asset.removed_at = now
        asset.save(update_fields=["removed_at"])
        return undo.remember(
            kind=REMOVED,
            label=asset.name,
            now=now,
            owner=owner,
            household=asset.household,
            subject=asset.uuid,
            is_removal=True,
        )


def name_by(*, asset: Asset, identifiers: Identifiers) -> None:
    """Let the asset be named by exactly these identifiers."""
    wanted = {(scheme, AssetIdentifier.fold(value)): value for scheme, value in identifiers}
    for old in asset.identifiers.all():
        if wanted.pop((IdentifierScheme(old.scheme), old.folded), None) is None:
            old.delete()
    AssetIdentifier.objects.bulk_create(
        AssetIdentifier(
            household_id=asset.household_id, asset=asset, scheme=scheme, value=value, folded=folded
        )
        for (scheme, folded), value in wanted.items()
    )
    asset.note_words()


def _check_keeper(*, household: Household, keeper: Owner | None) -> None:
    if keeper is not None and not household.memberships.filter(owner=keeper).exists():
        raise KeeperError
