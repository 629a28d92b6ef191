"""What a supplier may know of a home and its things: what was granted, and no more.

Everything here is named for this one mandate; no public id of ours leaves.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from assets.models import Asset
from owners.models import Household
from suppliers import pairwise
from suppliers.choices import HOME_FACTS, FactName, MandateState
from suppliers.models import HomeFact, Mandate

LONGEST = 500


def told(
    mandate: Mandate,
    *,
    state: str | None = None,
    purposes: Sequence[str] | None = None,
    facts: Sequence[str] | None = None,
    assets: Iterable[Asset] | None = None,
) -> dict[str, Any]:
    """Return what the supplier is told of its mandate, as it is or as it would be.

    Only who may act learns facts: a paused or ended mandate names none.
    """
    state = state or mandate.state
    said: dict[str, Any] = {
        "state": state,
        "purposes": []
        if state == MandateState.ENDED
        else list(mandate.purposes if purposes is None else purposes),
    }
    if state != MandateState.ACTIVE:
        return said
    granted = mandate.facts if facts is None else facts
    covered = mandate.assets.order_by("name", "pk") if assets is None else assets
    return said | {
        "facts": home_facts(mandate.household, granted),
        "assets": [
            asset_facts(asset, granted, owner_ref=mandate.owner_ref) for asset in _with_ids(covered)
        ],
    }


def home_facts(household: Household, granted: Iterable[str]) -> dict[str, str]:
    """Return the granted facts of the home that have been written down."""
    wanted = [fact.value for fact in HOME_FACTS if fact.value in granted]
    if not wanted:
        return {}
    found = {row.name: row.value for row in HomeFact.objects.filter(household=household)}
    return {name: found[name] for name in wanted if found.get(name)}


def asset_facts(asset: Asset, granted: Iterable[str], *, owner_ref: str) -> dict[str, Any]:
    """Return what may be known of one asset; its name and kind are what it is called by."""
    said: dict[str, Any] = {
        "ref": pairwise.asset(owner_ref, asset.uuid),
        "name": asset.name,
        "kind": asset.kind,
    }
    if FactName.MODEL in granted:
        said |= {key: getattr(asset, key) for key in ("maker", "model") if getattr(asset, key)}
    if FactName.SERIAL in granted:
        named = sorted(asset.identifiers.all(), key=lambda one: one.pk)
        said["identifiers"] = [{"scheme": one.scheme, "value": one.value} for one in named]
    if FactName.PLACE in granted and asset.place:
        said["place"] = asset.place
    if FactName.BOUGHT in granted and asset.bought_on:
        said["boughtOn"] = asset.bought_on.isoformat()
    return said


def write_home(household: Household, values: Mapping[str, str]) -> set[str]:
    """Write facts of the home down, an empty one is forgotten; return which changed."""
    before, changed = written(household), set()
    for name, value in values.items():
        text = value.strip()[:LONGEST]
        if text == before.get(name, ""):
            continue
        changed.add(name)
        rows = HomeFact.objects.filter(household=household, name=name)
        if not text:
            rows.delete()
            continue
        row = rows.first() or HomeFact(household=household, name=name)
        row.set_value(text)
        row.save()
    return changed


def written(household: Household) -> dict[str, str]:
    """Return every fact of the home that is written down."""
    return {row.name: row.value for row in HomeFact.objects.filter(household=household)}


def _with_ids(assets: Iterable[Asset]) -> list[Asset]:
    found = list(assets)
    prefetch_related_objects(found, "identifiers")
    return found
