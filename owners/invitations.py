"""Invitations and the people of a household: who joins, with which rank, and who leaves.

Letters go out by the delivery path; this module only writes the rows it claims.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from owners import access, households, undo
from owners.choices import Rank
from owners.households import require, reword
from owners.models import Change, Household, Invitation, Membership, Owner

RANKED = "member.rank"
REMOVED = "member.removed"
LIFE = timedelta(days=7)
A_DAY = 20  # of one household, and of one owner over all: every one is a mail to a stranger
# What is kept of a membership that was removed, and how it is read back.
KEPT: dict[str, Callable[[Any], Any]] = {
    "rank": str,
    "prefers": str,
    "quiet_from": time.fromisoformat,
    "quiet_until": time.fromisoformat,
    "has_quiet_exceptions": bool,
    "digest_at": time.fromisoformat,
    "digest_weekday": int,
    "has_digest_mail": bool,
    "is_digest_weekly": bool,
    "has_digest_changes": bool,
    "wakers": list,
    "unmailed": list,
    "holiday_from": date.fromisoformat,
    "holiday_until": date.fromisoformat,
}


class PeopleError(Exception):
    """That cannot be done with these people; `code` says why."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


def invite(
    *, household: Household, by: Owner, address: str, rank: Rank, now: datetime
) -> Invitation:
    """Invite somebody by mail; for admins. An open invitation to the address is replaced."""
    require(owner=by, household_id=household.pk, least=Rank.ADMIN)
    address = address.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise PeopleError(
            "address", gettext_noop("This is not an e-mail address."), field="email"
        ) from error
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=by.pk)
        Household.objects.select_for_update().get(pk=household.pk)
        if household.memberships.filter(owner__email=address).exists():
            raise PeopleError(
                "member", gettext_noop("This person is in the household already."), field="email"
            )
        theirs = Q(household=household) | Q(invited_by=by)  # households cost nothing to make
        if (
            Invitation.objects.filter(theirs, created_at__gt=now - timedelta(days=1)).count()
            >= A_DAY
        ):
            raise PeopleError(
                "too_many", gettext_noop("No more invitations today; try again tomorrow.")
            )
        invitation = Invitation(
            household=household,
            invited_by=by,
            rank=rank,
            language=by.language,
            created_at=now,
            expires_at=now + LIFE,
        )
        token = secrets.token_urlsafe(24)
        invitation.token_hash = token_hash(token)
        invitation.set_token(token)
        invitation.set_address(address)
        same = household.invitations.filter(address_index=invitation.address_index)
        same.filter(accepted_at=None, revoked_at=None).update(revoked_at=now)
        invitation.save()
        what = {"to": invitation.hint, "rank": rank.value}
        access.note(kind="member_invited", actor=by, household=household, what=what, now=now)
    return invitation


def revoke(*, invitation: Invitation, by: Owner, now: datetime) -> Invitation:
    """Take an invitation back; for admins. Twice is once."""
    require(owner=by, household_id=invitation.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if invitation.accepted_at is None and invitation.revoked_at is None:
            invitation.revoked_at = now
            invitation.save(update_fields=["revoked_at"])
            access.note(
                kind="invitation_revoked",
                actor=by,
                household=invitation.household,
                what={"to": invitation.hint},
                now=now,
            )
    return invitation


def find(*, token: str, now: datetime) -> Invitation | None:
    """Return the open invitation that a token is for."""
    if not token or len(token) > 100:
        return None
    found = Invitation.objects.open(now).filter(token_hash=token_hash(token))
    return found.select_related("household", "invited_by").first()


def accept(*, token: str, owner: Owner, now: datetime) -> Membership:
    """Join the household that a token invites into; it works once.

    Raises PeopleError for a token that is used, revoked, expired or none.
    """
    with transaction.atomic():
        invitation = (
            Invitation.objects.open(now)
            .select_for_update(of=("self",))
            .select_related("household")
            .filter(token_hash=token_hash(token))
            .first()
        )
        if invitation is None:
            raise PeopleError(
                "gone", gettext_noop("This invitation was used, taken back, or has expired.")
            )
        membership, is_new = Membership.objects.get_or_create(
            household=invitation.household, owner=owner, defaults={"rank": invitation.rank}
        )
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])
        if is_new:
            reword(owner)
            access.note(
                kind="member_joined",
                actor=owner,
                household=invitation.household,
                what={"rank": membership.rank},
                now=now,
            )
    return membership


def change_rank(*, membership: Membership, rank: Rank, by: Owner, now: datetime) -> Change | None:
    """Give a member another rank; for admins. The last admin stays one."""
    require(owner=by, household_id=membership.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        membership = _locked(membership)
        before = membership.rank
        if before == rank:
            return None
        if before == Rank.ADMIN:
            _keep_an_admin(membership)
        membership.rank = rank
        membership.save(update_fields=["rank"])
        change = undo.remember(
            kind=RANKED,
            label=membership.owner.get_full_name(),
            owner=by,
            household=membership.household,
            subject=membership.owner.uuid,
            before={"rank": before},
            after={"rank": rank.value},
            now=now,
        )
        access.note(
            kind="member_rank",
            actor=by,
            subject=membership.owner,
            household=membership.household,
            what={"from": before, "to": rank.value},
            now=now,
        )
    return change


def remove(*, membership: Membership, by: Owner, now: datetime) -> Change:
    """Take a member out of a household: an admin does, or the member leaves.

    Raises PeopleError for the last admin: somebody must be able to manage the rest.
    """
    is_leaving = membership.owner_id == by.pk
    if not is_leaving:
        require(owner=by, household_id=membership.household_id, least=Rank.ADMIN)
    with transaction.atomic():
        membership = _locked(membership)
        if membership.rank == Rank.ADMIN:
            _keep_an_admin(membership)
        household, owner = membership.household, membership.owner
        before = _kept(membership)
        # The keeper of a thing is told of it; nobody is told who is not there any more.
        owner.keeps.filter(household=household).update(keeper=None)
        Membership.objects.filter(household=household, cover=owner).update(cover=None)
        change = undo.remember(
            kind=REMOVED,
            label=owner.get_full_name(),
            owner=by,
            household=household,
            subject=owner.uuid,
            before=before,
            is_removal=True,
            now=now,
        )
        membership.delete()
        access.note(
            kind="member_left" if is_leaving else "member_removed",
            actor=by,
            subject=owner,
            household=household,
            what={"rank": before["rank"]},
            now=now,
        )
    return change


def undo_rank(change: Change, owner: Owner, now: datetime) -> None:
    """Give the rank back that was changed."""
    membership = Membership.objects.filter(
        household=change.household, owner__uuid=str(change.subject)
    ).first()
    if membership is None:
        raise undo.UndoError(gettext_noop("This member is not in the household any more."))
    try:
        change_rank(membership=membership, rank=Rank(change.before["rank"]), by=owner, now=now)
    except PeopleError as error:
        raise undo.UndoError(error.detail) from error


def undo_removed(change: Change, owner: Owner, now: datetime) -> None:
    """Put a member back with the rank, the wishes and the things they kept."""
    household = change.household
    if household is None:
        raise undo.UndoError(gettext_noop("The household is gone."))
    require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
    back = Owner.objects.filter(uuid=str(change.subject), is_active=True).first()
    if back is None:
        raise undo.UndoError(gettext_noop("This account was deleted."))
    if household.memberships.filter(owner=back).exists():
        return
    before = change.before
    membership = Membership(household=household, owner=back)
    for name, read in KEPT.items():
        if name in before:  # a removal of before there was such a wish keeps none
            setattr(membership, name, None if before[name] is None else read(before[name]))
    cover = (
        household.memberships.filter(owner__uuid=before["cover"]).first()
        if before["cover"]
        else None
    )
    membership.cover_id = cover.owner_id if cover else None
    membership.save()
    reword(back)
    households.restore_rules(membership, before)
    things = household.assets.filter(uuid__in=before["keeps"], keeper=None)
    things.update(keeper=back)
    covered = household.memberships.filter(owner__uuid__in=before["covers"], cover=None)
    covered.update(cover=back)
    access.note(kind="member_restored", actor=owner, subject=back, household=household, now=now)


def token_hash(token: str) -> bytes:
    """Return what is looked up of a token."""
    return hashlib.sha256(token.encode()).digest()


def _locked(membership: Membership) -> Membership:
    # The household's row: two admins who remove each other at once must take turns.
    Household.objects.select_for_update().get(pk=membership.household_id)
    return Membership.objects.select_related("household", "owner", "cover").get(pk=membership.pk)


def _keep_an_admin(membership: Membership) -> None:
    admins = membership.household.memberships.filter(rank=Rank.ADMIN).exclude(pk=membership.pk)
    if not admins.exists():
        raise PeopleError(
            "last_admin", gettext_noop("A household needs an admin. Make somebody else one first.")
        )


def _kept(membership: Membership) -> dict[str, Any]:
    """Return what it takes to put a member back exactly."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return texts(value)
        return value.isoformat() if hasattr(value, "isoformat") else value

    def texts(uuids: Any) -> list[str]:
        return [str(one) for one in uuids]

    household, owner = membership.household, membership.owner
    return {
        **{name: plain(getattr(membership, name)) for name in KEPT},
        "cover": str(membership.cover.uuid) if membership.cover else "",
        **households.rules_kept(membership),
        "keeps": texts(owner.keeps.filter(household=household).values_list("uuid", flat=True)),
        "covers": texts(
            Membership.objects.filter(household=household, cover=owner).values_list(
                "owner__uuid", flat=True
            )
        ),
    }
