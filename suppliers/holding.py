"""What was kept back while its sender was blocked or its mandate paused, and is let go again."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from owners import doorbell
from suppliers.admission import BLOCKED, PAUSED, Granted, refusal_of
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, Mandate

AT_ONCE = 1_000  # the newest; what is older says nothing to anybody any more


def kept(*, mandate: Mandate, refusal: str) -> QuerySet[Contact]:
    """Return what of a mandate was kept back for this reason."""
    rows = Contact.objects.filter(household=mandate.household, refusal__in=[BLOCKED, PAUSED])
    return rows.filter(mandate=mandate, refusal=refusal)


def release(contacts: QuerySet[Contact]) -> int:
    """Let the rules look at these contacts as if they came now; return how many.

    What the mandate does not cover stays held for that reason.
    """
    found = list(contacts.select_related("mandate").order_by("-said_at", "-pk")[:AT_ONCE])
    known = granted(contact.mandate for contact in found if contact.mandate is not None)
    for contact in found:
        contact.refusal = refusal_of(
            Said.from_json(contact.said),
            mandate=known.get(contact.mandate_id or 0),
            asset_id=contact.asset_id,
        )
        contact.decided_at = None
    Contact.objects.bulk_update(found, ["refusal", "decided_at"])
    if found:
        transaction.on_commit(lambda: doorbell.ring("feed"))
    return len(found)


def granted(mandates: Iterable[Mandate]) -> dict[int, Granted]:
    """Return mandates as the rules of admission read them."""
    known = {mandate.pk: mandate for mandate in mandates}
    covered: dict[int, set[int]] = {pk: set() for pk in known}
    for pk, asset in Mandate.assets.through.objects.filter(mandate__in=known).values_list(
        "mandate_id", "asset_id"
    ):
        covered[pk].add(asset)
    return {
        pk: Granted(
            id=pk,
            household_id=one.household_id,
            supplier_id=one.supplier_id,
            owner_ref=one.owner_ref,
            alias=one.alias,
            purposes=tuple(one.purposes),
            state=one.state,
            asset_ids=frozenset(covered[pk]),
        )
        for pk, one in known.items()
    }
