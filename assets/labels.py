"""Labels: the code on a thing, the page it opens, and what names the thing on paper."""

import secrets
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from assets.models import Acquisition, Asset, FinderNote, Label, Loss
from owners import hearing
from owners.models import Owner

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that is read as something else
LENGTH = 16
NOTES_MOST = 50  # that strangers may leave for one thing and nobody has read


def label_of(asset: Asset, *, now: datetime) -> Label:
    """Return an asset's label; made the first time it is asked for."""
    found = Label.objects.filter(asset=asset).first()
    if found is not None:
        return found
    code = "".join(secrets.choice(ALPHABET) for _letter in range(LENGTH))
    made, _is_new = Label.objects.get_or_create(
        asset=asset, defaults={"household_id": asset.household_id, "code": code, "made_at": now}
    )
    return made


def renew(asset: Asset, *, now: datetime) -> Label:
    """Give an asset another code; a label with the old one opens nothing any more."""
    with transaction.atomic():
        Label.objects.filter(asset=asset).delete()
        return label_of(asset, now=now)


class FullError(Exception):
    """Strangers have left as many notes as are kept; the owner has to read some first."""


def leave_note(*, label: Label, text: str, reach: str, now: datetime) -> FinderNote:
    """Keep what a finder says for the thing's household. Raises FullError."""
    unread = FinderNote.objects.filter(asset=label.asset_id, seen_at=None)
    if unread.count() >= NOTES_MOST:
        raise FullError
    with transaction.atomic():
        note = FinderNote.objects.create(
            household=label.household,
            asset=label.asset,
            text=text[:1000],
            reach=reach[:200],
            left_at=now,
        )
        hearing.tell(hearing.FOUND, note=note, now=now)
    return note


def note_seen(*, asset: Asset, owner: Owner, now: datetime) -> None:
    """Note that the household has read what finders left."""
    unread = FinderNote.objects.filter(asset=asset, seen_at=None)
    unread.update(seen_at=now, seen_by=owner)


def facts_of(
    asset: Asset, loss: Loss | None = None, *, has_covers: bool = True
) -> list[tuple[object, object]]:
    """Return what names an asset, what became of it, and how it came here, label by label."""
    bought = Acquisition.objects.filter(asset=asset).prefetch_related("lines").first()
    facts: list[tuple[object, object]] = [
        (_("What"), asset.name),
        (_("Maker and model"), f"{asset.maker} {asset.model}".strip()),
    ]
    if loss is not None:
        facts += [
            (_("What happened"), loss.get_kind_display()),
            (_("On"), loss.on.isoformat()),
            (_("Where it was last"), loss.where),
            (_("Reported to"), loss.reported_to),
            (_("Report number"), loss.report_no),
            (_("Note"), loss.note),
        ]
    facts += [
        (row.get_scheme_display(), row.value) for row in asset.identifiers.order_by("scheme", "pk")
    ]
    if bought is not None:
        facts += [
            (_("Bought from"), bought.seller),
            (_("Order number"), bought.order_no),
            (_("Bought on"), bought.ordered_on or asset.bought_on),
        ]
        if bought.total is not None:
            facts.append((_("Price"), f"{bought.total:.2f} {bought.currency}"))
    facts += [
        (cover.get_kind_display(), f"{cover.obligor} {cover.reference}".strip())
        for cover in asset.coverages.order_by("kind", "pk")
        if has_covers
    ]
    return facts
