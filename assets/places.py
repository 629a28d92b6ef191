"""Where things are: paths such as "House / Cellar / Shelf 2", renamed and moved as wholes."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext_noop

from assets.choices import Source
from assets.models import Asset
from owners import undo
from owners.models import Change, Household, Owner

SEPARATOR = " / "
LONGEST = 200
MOVED = "place.move"


class PlaceError(Exception):
    """The place cannot be so; the text says why."""


def normal(path: str) -> str:
    """Return a path as it is kept: "House /cellar/ Shelf" becomes "House / cellar / Shelf"."""
    steps = (" ".join(step.split()) for step in path.split("/"))
    return SEPARATOR.join(step for step in steps if step)[:LONGEST].strip(" /")


def above(path: str) -> list[str]:
    """Return every place that a path lies in, the widest first, itself included."""
    steps = path.split(SEPARATOR) if path else []
    return [SEPARATOR.join(steps[: n + 1]) for n in range(len(steps))]


def inside(path: str) -> Q:
    """Return what finds the assets at a place and in all that lies inside it."""
    return Q(place=path) | Q(place__startswith=path + SEPARATOR)


def tree(paths: list[str]) -> list[str]:
    """Return these places with all they lie in, each once, in order."""
    return sorted({step for path in paths for step in above(path)}, key=str.casefold)


def used(assets: QuerySet[Asset], *, most: int = 300) -> list[str]:
    """Return the places of these assets with all they lie in."""
    found = assets.exclude(place="").order_by("place").values_list("place", flat=True)
    return tree(list(found.distinct()[:most]))


def move(
    *, household: Household, old: str, new: str, owner: Owner | None, now: datetime
) -> Change | None:
    """Rename a place, or move it into another; all that lies inside goes along.

    Returns what undoes it; None when nothing is there. Raises PlaceError for a path that
    would be too long, or a place that would lie inside itself.
    """
    old, new = normal(old), normal(new)
    if not old or not new:
        raise PlaceError(gettext_noop("A place needs a name."))
    if old == new:
        return None
    if new.startswith(old + SEPARATOR):
        raise PlaceError(gettext_noop("A place cannot lie inside itself."))
    with transaction.atomic():
        there = Asset.objects.filter(inside(old), household=household)
        rows = list(there.select_for_update(no_key=True).values_list("uuid", "place"))
        if not rows:
            return None
        if max(len(place) for _uuid, place in rows) - len(old) + len(new) > LONGEST:
            raise PlaceError(gettext_noop("This path would be too long."))
        _rename(there, old=old, new=new, owner=owner)
        uuids = [uuid for uuid, _place in rows]
        note_words(uuids)
        return undo.remember(
            kind=MOVED,
            label=new,
            now=now,
            owner=owner,
            household=household,
            before={"old": old, "places": [str(uuid) for uuid in uuids]},
            after={"new": new},
        )


def back(*, household: Household, uuids: list[str], old: str, new: str, owner: Owner) -> None:
    """Take a move back for the assets that went along and are still there."""
    with transaction.atomic():
        there = Asset.objects.filter(inside(new), household=household, uuid__in=uuids)
        _rename(there, old=new, new=old, owner=owner)
        note_words([UUID(uuid) for uuid in uuids])


def _rename(assets: QuerySet[Asset], *, old: str, new: str, owner: Owner | None) -> None:
    renamed = Concat(Value(new), Substr(F("place"), len(old) + 1))
    assets.update(place=renamed, source=Source.SELF, written_by=owner)


def note_words(uuids: list[UUID]) -> None:
    """Let these assets be found by where they are now."""
    for asset in Asset.objects.filter(uuid__in=uuids).order_by("pk").iterator(chunk_size=500):
        asset.note_words()
