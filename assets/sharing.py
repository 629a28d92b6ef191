"""One asset shown to one person: what it is, what care is due, and what its owner ticked.

A helper of the household ticks the care of the things that are shared with them; whoever is
outside it (a neighbour, the owner of another household) takes a share by a link. Nobody of
these sees a price, a paper that is not a manual, a place, a note, a matter or a member.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from assets import caring
from assets.care_words import CareState, WorkKind
from assets.choices import DocumentKind
from assets.models import Asset, CareTask, Document, ServiceRecord, Share
from assets.passing_words import SharePart
from owners import access, doorbell, undo
from owners.choices import Rank
from owners.households import RANKS, NotAllowedError, require
from owners.models import Change, Household, Membership, Owner

REVOKED = "share.revoked"
LIFE = timedelta(days=14)  # in which a link can be taken
LENGTHS = (7, 30, 90, 365)  # days for which somebody outside is shown it
A_DAY = 20  # of one household, and of one owner over all: each may be a mail to a stranger
USUAL = (SharePart.HISTORY, SharePart.PAPERS, SharePart.PHOTO)
UNTICK_IN = timedelta(hours=24)
WITH = ("asset__household", "household", "made_by", "owner")
SHOWN = 50
# What a share never shows is not asked for: only these columns leave.
PHOTOS, PAPERS = (DocumentKind.PHOTO,), (DocumentKind.MANUAL,)


class ShareError(Exception):
    """That cannot be shared so; `code` says why, `field` names what was wrong."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


# --- who gives ---------------------------------------------------------------------------


def share(
    *,
    asset: Asset,
    by: Owner,
    address: str,
    parts: Sequence[SharePart],
    may_tick: bool,
    days: int,
    now: datetime,
) -> Share:
    """Make a link by which one person may see an asset; for admins. Raises ShareError.

    With an address it is mailed; an open link to the same address is replaced.
    """
    require(owner=by, household_id=asset.household_id, least=Rank.ADMIN)
    address = address.strip().lower()
    if address:
        _check_address(address)
    if days not in LENGTHS:
        raise ShareError("days", gettext_noop("Choose one of the list."), field="days")
    if asset.ended_on is not None:
        raise ShareError("ended", gettext_noop("It is not here any more."))
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=by.pk)
        theirs = Q(household=asset.household_id) | Q(made_by=by)
        recent = Share.objects.filter(theirs, created_at__gt=now - timedelta(days=1))
        if recent.filter(token_hash__isnull=False).count() >= A_DAY:
            raise ShareError(
                "too_many", gettext_noop("No more invitations today; try again tomorrow.")
            )
        row = Share(
            household_id=asset.household_id,
            asset=asset,
            made_by=by,
            language=by.language,
            parts=[part.value for part in SharePart if part in parts],
            may_tick=may_tick,
            created_at=now,
            expires_at=now + timedelta(days=days),
            invited_until=now + min(LIFE, timedelta(days=days)),
        )
        row.set_token(secrets.token_urlsafe(24))
        row.set_address(address)
        if address:
            same = Share.objects.filter(asset=asset, owner=None, revoked_at=None)
            same.filter(address_index=row.address_index).update(revoked_at=now)
        row.save()
        _note(row, "share_made", actor=by, now=now)
        if address:
            transaction.on_commit(lambda: doorbell.ring("delivery"))
    return row


def change(
    *,
    share: Share,
    parts: Sequence[SharePart],
    may_tick: bool,
    by: Owner,
    now: datetime,
) -> Share:
    """Change what a share shows; for admins. Holds with the next look."""
    require(owner=by, household_id=share.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        row = Share.objects.select_for_update(of=("self",)).select_related(*WITH).get(pk=share.pk)
        row.parts = [part.value for part in SharePart if part in parts]
        row.may_tick = may_tick
        row.save(update_fields=["parts", "may_tick"])
        _note(row, "share_changed", actor=by, now=now)
    return row


def revoke(*, share: Share, by: Owner, now: datetime) -> Change | None:
    """End a share at once; for admins. None where it had ended. It can be undone."""
    require(owner=by, household_id=share.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        row = Share.objects.select_for_update(of=("self",)).select_related(*WITH).get(pk=share.pk)
        if row.revoked_at is not None:
            return None
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        _note(row, "share_ended", actor=by, now=now)
        return undo.remember(
            kind=REVOKED,
            label=row.asset.name,
            owner=by,
            household=row.household,
            subject=row.uuid,
            is_removal=True,
            now=now,
        )


def take_revocation_back(change_made: Change, owner: Owner, now: datetime) -> None:
    """Let a share hold again that was ended; what ended for good stays so."""
    rows = Share.objects.filter(
        household=change_made.household_id, uuid=undo.subject_of(change_made)
    )
    row = rows.select_related(*WITH).first()
    if row is None or row.asset.ended_on is not None:
        raise undo.UndoError(gettext_noop("It is gone for good."))
    row.revoked_at = None
    try:
        with transaction.atomic():
            row.save(update_fields=["revoked_at"])
    except IntegrityError as error:
        raise undo.UndoError(gettext_noop("It is shared with them again already.")) from error
    _note(row, "share_made", actor=owner, now=now)


def let_help(
    *, membership: Membership, assets: Collection[Asset], by: Owner, now: datetime
) -> None:
    """Let a helper tick the care of exactly these assets of the household; for admins."""
    require(owner=by, household_id=membership.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        Household.objects.select_for_update(no_key=True).get(pk=membership.household_id)
        held = Share.objects.filter(
            household=membership.household_id, owner=membership.owner, revoked_at=None
        )
        known = {row.asset_id: row for row in held.select_related(*WITH)}
        wanted = {asset.pk: asset for asset in assets}
        if any(asset.household_id != membership.household_id for asset in wanted.values()):
            raise ShareError("unknown", gettext_noop("There is no such object."), field="assets")
        for pk, row in known.items():
            if pk not in wanted:
                row.revoked_at = now
                row.save(update_fields=["revoked_at"])
                _note(row, "share_ended", actor=by, now=now)
        for pk, asset in wanted.items():
            if pk in known:
                Share.objects.filter(pk=known[pk].pk).update(may_tick=True)
                continue
            row = Share.objects.create(
                household_id=membership.household_id,
                asset=asset,
                made_by=by,
                owner=membership.owner,
                may_tick=True,
                taken_at=now,
                created_at=now,
            )
            _note(row, "share_made", actor=by, now=now)


def helped_by(membership: Membership) -> set[UUID]:
    """Return the assets whose care a helper ticks."""
    rows = Share.objects.filter(
        household=membership.household_id, owner=membership.owner, revoked_at=None, may_tick=True
    )
    return set(rows.values_list("asset__uuid", flat=True))


def end_all(*, asset: Asset, now: datetime) -> int:
    """End every share of an asset: it passes to somebody else."""
    return Share.objects.filter(asset=asset, revoked_at=None).update(revoked_at=now)


def require_help(*, owner: Owner, asset: Asset, task: CareTask | None = None) -> Membership:
    """Let pass who may tick an asset's care: who acts on everything, or helps with this one.

    So does a helper whom the task itself is given to. Raises Membership.DoesNotExist outside
    the household, and NotAllowedError.
    """
    membership = require(owner=owner, household_id=asset.household_id, least=Rank.HELPER)
    if RANKS[Rank(membership.rank)] >= RANKS[Rank.MEMBER]:
        return membership
    if task is not None and task.assignee_id == owner.pk:
        return membership
    if asset.uuid not in helped_by(membership):
        raise NotAllowedError(Rank.MEMBER)
    return membership


# --- who is shown it ---------------------------------------------------------------------


def find(*, token: str, now: datetime) -> Share | None:
    """Return the share that a link offers and nobody has taken yet."""
    rows = Share.objects.by_token(token) & Share.objects.invited(now)
    return rows.select_related(*WITH).first()


def take(*, token: str, owner: Owner, now: datetime) -> Share:
    """Take a share; its link works once. Raises ShareError.

    Whoever sees the whole asset already, or holds a share of it, needs none.
    """
    with transaction.atomic():
        rows = Share.objects.by_token(token) & Share.objects.invited(now)
        row = rows.select_for_update(of=("self",)).select_related(*WITH).first()
        if row is None:
            raise ShareError(
                "gone", gettext_noop("This invitation was used, taken back, or has expired.")
            )
        if row.household.memberships.filter(owner=owner).exists():
            raise ShareError("member", gettext_noop("It is yours: you see it already."))
        Share.objects.filter(asset=row.asset, owner=owner, revoked_at=None).update(revoked_at=now)
        row.owner, row.taken_at = owner, now
        row.set_token("")
        row.save()
        _note(row, "share_taken", actor=owner, now=now)
    return row


def leave(*, share: Share, owner: Owner, now: datetime) -> None:
    """Give back what one was shown; twice is once."""
    with transaction.atomic():
        held = Share.objects.held_by(owner, now).select_for_update(of=("self",))
        row = held.select_related(*WITH).filter(pk=share.pk).first()
        if row is None:
            return
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        _note(row, "share_ended", actor=owner, now=now)


def shown(share: Share, *, now: datetime) -> dict[str, Any]:
    """Return what a share shows: plain values, nothing of the household."""
    asset, parts = share.asset, set(share.parts)
    found: dict[str, Any] = {
        "name": asset.name,
        "kind": asset.kind,
        "maker": asset.maker,
        "model": asset.model,
        "tasks": [
            {
                "id": str(task.uuid),
                "name": task.name,
                "note": task.note,
                "due_on": task.due_on,
                "status": task.status,
                "checklist": list(task.checklist),
            }
            for task in tasks_of(share)
        ],
        "done": [],
        "papers": [],
        "photos": [],
        "numbers": [],
    }
    if SharePart.HISTORY in parts:
        rows = asset.service_records.filter(removed_at=None).exclude(kind=WorkKind.FUEL)
        found["done"] = [
            {
                "id": str(row.uuid),
                "title": row.title,
                "kind": row.kind,
                "on": row.done_on,
                "provider": row.provider,
                "is_mine": row.logged_by_id == share.owner_id,
                "can_untick": can_untick(row, share, now=now),
            }
            for row in rows.order_by("-done_on", "-pk")[:SHOWN]
        ]
    for part, name, kinds in (
        (SharePart.PAPERS, "papers", PAPERS),
        (SharePart.PHOTO, "photos", PHOTOS),
    ):
        if part in parts:
            found[name] = [
                {"id": str(row.uuid), "name": row.name}
                for row in documents_of(share).filter(kind__in=kinds)[:SHOWN]
            ]
    if SharePart.NUMBERS in parts:
        found["numbers"] = [
            {"scheme": row.scheme, "label": row.get_scheme_display(), "value": row.value}
            for row in asset.identifiers.order_by("scheme", "pk")
        ]
    return found


def tasks_of(share: Share) -> Any:
    """Return the care that a share shows: what is planned, due first first."""
    rows = CareTask.objects.filter(asset=share.asset_id, removed_at=None, state=CareState.ACTIVE)
    return rows.by_need()


def documents_of(share: Share) -> Any:
    """Return the manuals and photos that a share shows, as far as each is ticked."""
    kinds = [*(PAPERS if SharePart.PAPERS in share.parts else ())]
    kinds += PHOTOS if SharePart.PHOTO in share.parts else ()
    rows = Document.objects.filter(
        household=share.household_id, asset=share.asset_id, removed_at=None, url=""
    )
    return rows.filter(kind__in=kinds).order_by("kind", "-added_at", "-pk")


def tick(
    *, share: Share, task: UUID, owner: Owner, now: datetime, occurrence: str | None = None
) -> ServiceRecord | None:
    """Say that a task is done; None where somebody said so before.

    Raises ShareError where the share does not let one, CareTask.DoesNotExist for another's.
    """
    if not share.may_tick:
        raise ShareError("look_only", gettext_noop("You may look at it, not tick its care."))
    row = tasks_of(share).select_related("asset__household", "household").get(uuid=task)
    with transaction.atomic():
        kind = WorkKind.INSPECTION if row.checklist else WorkKind.SERVICE
        record = caring.done(
            task=row,
            owner=owner,
            now=now,
            occurrence=occurrence,
            said=caring.Work(kind=kind),  # who did it stands in who wrote it down
        )
        if record is not None:
            _note(share, "share_ticked", actor=owner, now=now, task=row.name)
    return record


def can_untick(record: ServiceRecord, share: Share, *, now: datetime) -> bool:
    """Whether who ticked something may take it back: it is theirs, and young."""
    is_mine = share.owner_id is not None and record.logged_by_id == share.owner_id
    return is_mine and record.removed_at is None and now - record.created_at <= UNTICK_IN


def untick(*, share: Share, record: UUID, owner: Owner, now: datetime) -> None:
    """Take back what one ticked by mistake. Raises ServiceRecord.DoesNotExist and ShareError."""
    rows = ServiceRecord.objects.filter(asset=share.asset_id, logged_by=owner, removed_at=None)
    row = rows.select_related("asset", "household", "cost").get(uuid=record)
    if not can_untick(row, share, now=now):
        raise ShareError("too_late", gettext_noop("This is too long ago to be undone."))
    caring.unlog(record=row, owner=owner, now=now)


def seen(share: Share, *, now: datetime) -> None:
    """Note that a share was looked at."""
    if share.seen_at is None or now - share.seen_at > timedelta(hours=1):
        Share.objects.filter(pk=share.pk).update(seen_at=now)


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise ShareError(
            "address", gettext_noop("This is not an e-mail address."), field="email"
        ) from error


def _note(row: Share, kind: str, *, actor: Owner, now: datetime, **what: str) -> None:
    about: Mapping[str, Any] = {
        "asset": row.asset.name,
        "to": row.hint or (row.owner.get_full_name() if row.owner else ""),
        **what,
    }
    access.note(kind=kind, actor=actor, household=row.household, what=about, now=now)
