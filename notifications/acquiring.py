"""What suppliers' orders and bills propose, on the owner's pages: added, declined, taken back.

Adding also says, on a matter that is not clear about which asset it is, that it is about
this one. One undo takes all of it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from assets.models import Asset
from notifications import feed
from notifications.models import Decision, Journey, Link
from owners.models import Change, Owner
from owners.prepared import fetch
from owners.undoing import Way
from suppliers import proposing
from suppliers.models import Proposal, ProposalQuerySet

SHOWN = 5  # on Today; the rest is on the page of proposals


def mine(owner: Owner) -> ProposalQuerySet:
    """Return what is proposed to an owner, with all that is shown of it."""
    rows = Proposal.objects.for_owner(owner)
    return rows.select_related("household", "supplier", "asset", "contact")


# Nearly always nothing is proposed, and Today is opened often: this says so cheaply. What it
# finds is read by `mine`, which knows what an owner may see.
IS_ANY = """
    SELECT EXISTS (
        SELECT FROM owners_membership m
        JOIN suppliers_proposal p ON p.household_id = m.household_id
        WHERE m.owner_id = %s AND p.state = 'open'
    )
"""


def glance(owner: Owner) -> list[Proposal]:
    """Return the newest open proposals: one more than Today shows, where there are more."""
    [(is_any,)] = fetch(IS_ANY, (owner.pk,))
    return list(mine(owner).open()[: SHOWN + 1]) if is_any else []


def shown(rows: Sequence[Proposal]) -> list[Proposal]:
    """Return proposals with what each would be, for a page to show."""
    like = proposing.alike(rows)
    for row in rows:
        row.known = proposing.prefilled(row, like=like.get(row.pk, ()))  # type: ignore[attr-defined]  # for the template
    return list(rows)


def on_journey(owner: Owner, journey: Journey) -> list[Proposal]:
    """Return the open proposals of what was said on one matter."""
    links = Link.objects.filter(journey=journey, revoked_at=None)
    said = list(links.values_list("contact__uuid", flat=True))
    rows = mine(owner).open().filter(household=journey.household_id, said_in__overlap=said)
    return shown(list(rows[:SHOWN]))


def journeys_of(rows: Sequence[Proposal]) -> dict[int, Journey]:
    """Return the matter on which each proposal was said, by the proposal's key."""
    links = Link.objects.filter(
        contact__in=[row.contact_id for row in rows], revoked_at=None
    ).select_related("journey")
    by_contact = {link.contact_id: link.journey for link in links}
    return {row.pk: by_contact[row.contact_id] for row in rows if row.contact_id in by_contact}


def accept(
    *,
    proposal: Proposal,
    owner: Owner,
    now: datetime,
    values: Mapping[str, Any] | None = None,
    asset: Asset | None = None,
    has_care: bool = True,
) -> tuple[Asset, Change]:
    """Add what is proposed, or say that it is one of the owner's things already.

    Raises ProposalError when it was answered before.
    """
    with transaction.atomic():
        added, change = proposing.accept(
            proposal=proposal,
            owner=owner,
            now=now,
            values=values,
            asset=asset,
            has_care=has_care,
        )
        decided = []
        for journey in _unclear(proposal):
            data = {"asset": str(added.uuid)}
            feed.act(owner=owner, journey=journey, name="choose_asset", data=data, now=now)
            newest = Decision.objects.filter(journey=journey, name="choose_asset", revoked_at=None)
            decided.append(str(newest.latest("pk").uuid))
        if decided:
            change.after |= {"decisions": decided}
            change.save(update_fields=["after"])
    return added, change


def _unclear(proposal: Proposal) -> list[Journey]:
    """Return the matters of a proposal about which nobody has said what they are about.

    That a supplier serves one asset only is a guess; what it sells is another.
    """
    said = Link.objects.filter(contact__uuid__in=proposal.said_in, revoked_at=None)
    named = Link.objects.filter(revoked_at=None, contact__asset__isnull=False)
    chosen = Decision.objects.filter(name="choose_asset", revoked_at=None)
    rows = Journey.objects.filter(pk__in=said.values("journey"))
    rows = rows.exclude(pk__in=named.filter(journey__in=rows).values("journey"))
    rows = rows.exclude(pk__in=chosen.filter(journey__in=rows).values("journey"))
    return list(rows.select_related("household").order_by("pk"))


def take_back(change: Change, owner: Owner, now: datetime) -> None:
    """Ask again; a matter that was told what it is about, is as unclear as before."""
    proposing.take_back(change, owner, now)
    decisions = Decision.objects.filter(
        household=change.household_id,
        uuid__in=change.after.get("decisions", []),
        revoked_at=None,
    )
    for decision in decisions.select_related("journey__household"):
        if decision.journey is not None:
            data = {"decision": str(decision.uuid)}
            feed.act(owner=owner, journey=decision.journey, name="undo", data=data, now=now)


UNDOS: dict[str, Way] = {
    proposing.ACCEPTED: Way(undo=take_back),
    proposing.DECLINED: Way(undo=proposing.take_back),
}
