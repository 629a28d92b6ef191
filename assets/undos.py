"""How what was changed about assets is put back."""

from datetime import datetime

from django.utils.translation import gettext_noop

from assets import (
    care_undos,
    claims,
    documents,
    duedates,
    faults,
    holdings,
    importing,
    notices,
    passages,
    places,
    recalls,
    register,
    sharing,
    snapshots,
    templating,
    transfers,
    unpacking,
    worth,
)
from assets.models import Asset
from owners import hearing
from owners.choices import Rank
from owners.models import Change, Owner
from owners.undo import UndoError, subject_of
from owners.undoing import Way


def put_back_asset(change: Change, owner: Owner, now: datetime) -> None:
    """Take an asset out of the bin."""
    asset = _asset(change)
    asset.removed_at = None
    asset.save(update_fields=["removed_at"])
    duedates.refresh(assets=[asset.pk], now=now)
    notices.review_asset(asset, now=now)
    recalls.look([asset.pk], now=now)
    recalls.review_asset(asset, now=now)


def take_back_asset(change: Change, owner: Owner, now: datetime) -> None:
    """Put an asset that was added into the bin."""
    asset = _asset(change)
    if asset.removed_at is None:
        register.remove(asset=asset, owner=owner, now=now)


def undo_change(change: Change, owner: Owner, now: datetime) -> None:
    """Give an asset the values it had before."""
    asset = _asset(change)
    if "lifecycle" in change.before:
        transfers.keep_ended(asset)
    lifecycle = asset.lifecycle
    register.put_back(asset=asset, before=change.before, owner=owner)
    if asset.lifecycle != lifecycle:
        hearing.tell(hearing.LIFECYCLE, asset=asset, before=lifecycle, now=now)
    if register.CARED_BY & change.before.keys():
        duedates.refresh(assets=[asset.pk], now=now)
        notices.review_asset(asset, now=now)
    if register.NAMED_BY & change.before.keys():
        recalls.look([asset.pk], now=now)


def undo_step(change: Change, owner: Owner, now: datetime) -> None:
    """Take back a step in an asset's life, with all that followed from it."""
    asset = _asset(change)
    transfers.keep_ended(asset)
    passages.take_back(asset=asset, change=change, owner=owner, now=now)


def undo_holding(change: Change, owner: Owner, now: datetime) -> None:
    """Give what belongs to an asset the values it had before."""
    asset = _asset(change)
    snapshots.put_back(asset.household_id, before=change.before, after=change.after)
    hearing.tell(hearing.HOLDINGS, asset=asset, now=now)


def undo_recall(change: Change, owner: Owner, now: datetime) -> None:
    """Let a recall stand as it did before."""
    asset = _asset(change)
    snapshots.put_back(asset.household_id, before=change.before, after=change.after)
    recalls.review_asset(asset, now=now)


def undo_move(change: Change, owner: Owner, now: datetime) -> None:
    """Put everything back where it was before a place was renamed; what moved since stays."""
    old, new = change.before["old"], change.after["new"]
    if change.household is not None:
        uuids = change.before["places"]
        places.back(household=change.household, uuids=uuids, old=old, new=new, owner=owner)


def _asset(change: Change) -> Asset:
    found = Asset.objects.filter(household=change.household_id, uuid=subject_of(change)).first()
    if found is None:
        raise UndoError(gettext_noop("It is gone for good."))
    return found


UNDOS: dict[str, Way] = {
    register.ADDED: Way(undo=take_back_asset),
    documents.ADDED: Way(undo=documents.take_back),
    documents.ADDED_TOGETHER: Way(undo=documents.take_all_back),
    importing.BROUGHT_IN: Way(undo=importing.take_back),
    register.CHANGED: Way(undo=undo_change),
    passages.TAKEN: Way(undo=undo_step),
    recalls.MOVED: Way(undo=undo_recall),
    places.MOVED: Way(undo=undo_move),
    **{
        kind: Way(undo=undo_holding)
        for kind in (
            holdings.ACQUIRED,
            holdings.COVERED,
            holdings.COVER_CHANGED,
            holdings.COVER_REMOVED,
            holdings.SPENT,
            holdings.SPENDING_CHANGED,
            holdings.SPENDING_REMOVED,
            faults.REPORTED,
            faults.CHANGED,
            faults.ORDERED,
            faults.ORDER_CHANGED,
            faults.ORDER_REMOVED,
            worth.PLANNED,
            worth.VALUED,
            worth.VALUE_REMOVED,
            worth.AGREED,
            worth.AGREEMENT_CHANGED,
            worth.AGREEMENT_REMOVED,
            claims.MADE,
            claims.CHANGED,
            claims.REMOVED,
        )
    },
    templating.ADDED: Way(undo=templating.put_back),
    templating.CHANGED: Way(undo=templating.put_back),
    templating.REMOVED: Way(undo=templating.put_back),
    register.REMOVED: Way(undo=put_back_asset),
    sharing.REVOKED: Way(undo=sharing.take_revocation_back, least=Rank.ADMIN),
    unpacking.TAKEN: Way(undo=unpacking.take_back),
    documents.REMOVED: Way(undo=documents.put_back),
    **care_undos.UNDOS,
}
