"""What one needs beside the phone: the number, and the reference they will ask for."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from notifications.models import Journey, JourneyKey
from suppliers.models import SupplierNumber

# What a person can read out; a thread's id or an appointment's UID is not among them.
SPOKEN = ("order", "ticket", "contract", "invoice", "tracking")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCard:
    """Whom to call, and what to have at hand."""

    who: str
    number: str
    reference: str


def card_of(*, journey: Journey) -> CallCard | None:
    """Return the call card of a journey; None where no number of its suppliers is known.

    Only proved numbers and those of the household itself count: one that merely called is
    never offered to call back.
    """
    known = Q(household=None) | Q(household=journey.household_id)
    numbers = {
        row.supplier_id: row
        for row in SupplierNumber.objects.filter(known, supplier__in=journey.suppliers)
        .select_related("supplier")
        .order_by("-pk")
    }
    found = next((numbers[pk] for pk in journey.suppliers if pk in numbers), None)
    if found is None:
        return None
    keys = JourneyKey.objects.filter(journey=journey, scheme__in=SPOKEN)
    own = keys.filter(issuer__in=[found.supplier_id, 0]).order_by("said_at", "pk").first()
    return CallCard(
        who=found.supplier.name, number=found.number, reference=own.value if own else ""
    )
