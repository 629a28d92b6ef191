"""Which matters are about which fault: what suppliers say of it stands beside it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from assets.models import Claim, Issue, RecallMatch
from notifications import repairs
from notifications.models import Journey, JourneyTie, Link, NoticeCall
from owners.models import Owner
from suppliers.models import Contact

SHOWN = 20


class TieError(Exception):
    """The matter is not one of the household's."""


def tie(*, issue: Issue, journey: UUID, owner: Owner | None, now: datetime) -> JourneyTie:
    """Note that a journey is about a fault; the same again is the same one."""
    made, _is_new = JourneyTie.objects.get_or_create(
        issue=issue,
        journey=journey,
        defaults={"household_id": issue.household_id, "tied_by": owner, "tied_at": now},
    )
    repairs.note_matter(issue_id=issue.pk, journey=journey)
    return made


def tie_known(*, issue: Issue, journey: UUID, owner: Owner, now: datetime) -> JourneyTie:
    """Note that one of the household's journeys is about a fault; raises TieError for another."""
    mine = Journey.objects.for_owner(owner).filter(household=issue.household_id, uuid=journey)
    if not mine.exists():
        raise TieError
    return tie(issue=issue, journey=journey, owner=owner, now=now)


def untie(*, issue: Issue, journey: UUID) -> None:
    """Forget that a journey is about a fault."""
    JourneyTie.objects.filter(issue=issue, journey=journey).delete()


def of_fault(issue: Issue, owner: Owner) -> QuerySet[Journey]:
    """Return the owner's journeys about a fault, the latest first."""
    tied = JourneyTie.objects.filter(issue=issue).values("journey")
    mine = Journey.objects.for_owner(owner).filter(uuid__in=tied, is_emptied=False)
    return mine.select_related("card").order_by("-last_said_at")


def to_tie(issue: Issue, owner: Owner) -> QuerySet[Journey]:
    """Return the owner's other journeys about the same asset, the latest first."""
    tied = JourneyTie.objects.filter(issue=issue).values("journey")
    mine = Journey.objects.for_owner(owner).filter(asset=issue.asset_id, is_emptied=False)
    return mine.exclude(uuid__in=tied).select_related("card").order_by("-last_said_at")


def of_recall(row: RecallMatch) -> Any:
    """Return the matters about a recall: what Steward said of it, and who else speaks of it."""
    calls = NoticeCall.objects.filter(notice__subject=row.uuid).values("contact")
    said = Contact.objects.filter(
        household=row.household_id, uuid__in=[row.said_in or UUID(int=0)]
    ).values("pk")
    linked = Q(links__contact__in=calls) | Q(links__contact__in=said)
    found = Journey.objects.filter(linked, links__revoked_at=None, household=row.household_id)
    return found.select_related("card").distinct().order_by("-last_said_at")


def of_claim(claim: Claim, owner: Owner) -> list[Any]:
    """Return the owner's journeys about a claim: what spoke of it, then those of its fault."""
    found: list[Journey] = []
    mine = Journey.objects.for_owner(owner).filter(is_emptied=False).select_related("card")
    if claim.said_in is not None:
        live = Link.objects.filter(contact__uuid=claim.said_in, revoked_at=None)
        found += mine.filter(pk__in=live.values("journey"))
    if claim.issue is not None:
        known = {journey.pk for journey in found}
        found += [one for one in of_fault(claim.issue, owner)[:SHOWN] if one.pk not in known]
    return found
