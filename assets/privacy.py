"""What the assets app knows of an owner: given out whole, and erased without trace."""

from datetime import datetime

from assets.models import Asset, AssetIdentifier
from owners.models import Household, Owner
from owners.privacy import Section, of_households, table

History = Asset.pgh_event_model  # type: ignore[attr-defined]  # django-pghistory adds it

SECTIONS: dict[str, Section] = {
    "assets": table("assets", of_households(Asset)),
    "asset-identifiers": table("asset-identifiers", of_households(AssetIdentifier)),
    "asset-history": table("asset-history", of_households(History)),
}


def not_exported() -> dict[str, str]:
    """Return the tables that no export holds, each with the reason."""
    return {"assets_findable": "an index to search, made from the other tables"}


def erase_household(*, household: Household, now: datetime) -> None:
    """Erase every asset of a household, and its history."""
    Asset.objects.filter(household=household).delete()
    # Last: the triggers note what is deleted.
    History.objects.filter(household=household).delete()


def erase_owner(*, owner: Owner, now: datetime) -> None:
    """Let go of an owner: what they kept stays with the household."""
    Asset.objects.filter(keeper=owner).update(keeper=None)
    History.objects.filter(keeper=owner).update(keeper=None)
