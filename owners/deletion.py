"""Deleting an account or a household: asked for, waited for, carried out once for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from owners import access
from owners.choices import Rank
from owners.households import require
from owners.models import Deletion, Household, Membership, Owner

ACCOUNT_GRACE = timedelta(days=30)
HOUSEHOLD_GRACE = timedelta(days=7)


class DeletionError(Exception):
    """The deletion cannot be asked for so; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one household when an account goes.

    `heir` becomes admin when nobody else is one; `is_erased` when nobody else is in it.
    """

    household: Household
    is_erased: bool
    heir: Owner | None = None


def fates(owner: Owner) -> list[Fate]:
    """Return what happens to each household of an owner whose account is deleted."""
    found = []
    for mine in Membership.objects.filter(owner=owner).select_related("household").order_by("pk"):
        others = list(
            mine.household.memberships.exclude(owner=owner).select_related("owner").order_by("pk")
        )
        heir = None
        if others and mine.rank == Rank.ADMIN and all(o.rank != Rank.ADMIN for o in others):
            # The one with the most to say; of equals, who has been here longest.
            ranked = (Rank.MEMBER, Rank.HELPER, Rank.VIEWER)
            heir = min(others, key=lambda other: ranked.index(Rank(other.rank))).owner
        found.append(Fate(household=mine.household, is_erased=not others, heir=heir))
    return found


def ask_account(*, owner: Owner, typed: str, now: datetime) -> Deletion:
    """Ask that an account be deleted in 30 days; `typed` is its e-mail address, again."""
    if typed.strip().lower() != owner.email.lower():
        raise DeletionError("Type your e-mail address to confirm.")
    with transaction.atomic():
        deletion, is_new = Deletion.objects.get_or_create(
            owner=owner,
            household=None,
            defaults={"asked_at": now, "due_at": now + ACCOUNT_GRACE},
        )
        if is_new:
            access.note(kind="deletion_asked", actor=owner, what={"of": "account"}, now=now)
    return deletion


def ask_household(*, household: Household, owner: Owner, typed: str, now: datetime) -> Deletion:
    """Ask that a household be deleted in 7 days; for admins; `typed` is its name, again."""
    require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
    if typed.strip() != household.name.strip():
        raise DeletionError("Type the name of the household to confirm.")
    with transaction.atomic():
        deletion, is_new = Deletion.objects.get_or_create(
            household=household,
            defaults={"owner": owner, "asked_at": now, "due_at": now + HOUSEHOLD_GRACE},
        )
        if is_new:
            what = {"of": "household"}
            access.note(kind="deletion_asked", actor=owner, household=household, what=what, now=now)
    return deletion


def cancel(*, deletion: Deletion, owner: Owner, now: datetime) -> None:
    """Take a deletion back: the owner their own, any admin the household's. Twice is once."""
    household = deletion.household
    if household is not None:
        require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
    elif deletion.owner_id != owner.pk:
        raise Deletion.DoesNotExist
    with transaction.atomic():
        deleted, _ = Deletion.objects.filter(pk=deletion.pk).delete()
        if deleted:
            access.note(kind="deletion_cancelled", actor=owner, household=household, now=now)


def hand_on(*, owner: Owner) -> list[Household]:
    """Give the owner's shared households an admin who stays; return those left to nobody."""
    alone = []
    for fate in fates(owner):
        if fate.is_erased:
            alone.append(fate.household)
        elif fate.heir is not None:
            fate.household.memberships.filter(owner=fate.heir).update(rank=Rank.ADMIN)
    return alone
