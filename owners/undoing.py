"""Putting changes back: who may, once, and while they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from owners import households
from owners.choices import Rank
from owners.models import Change, Owner
from owners.undo import Undo, UndoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How changes of one kind are put back, and the rank that such a change itself needs."""

    undo: Undo
    least: Rank = Rank.MEMBER


def put_back(*, change: Change, owner: Owner, ways: Mapping[str, Way], now: datetime) -> Change:
    """Undo a change once; again is nothing.

    Raises UndoError when it is too late, and NotAllowedError for somebody who could not
    have made the change: an undo is never a way round a rank.
    """
    way = ways[change.kind]
    with transaction.atomic():
        change = Change.objects.select_for_update().get(pk=change.pk)
        if change.household_id is not None:
            households.require(owner=owner, household_id=change.household_id, least=way.least)
        elif change.owner_id != owner.pk:
            raise Owner.DoesNotExist
        if change.undone_at is not None:
            return change
        if change.expires_at <= now:
            raise UndoError(gettext_noop("This is too long ago to be undone."))
        way.undo(change, owner, now)
        change.undone_at = now
        change.save(update_fields=["undone_at"])
    return change
