"""What somebody's words seem to say: a suggestion, never a fact until it is saved."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from assets.models import Asset
from owners.models import Household, Owner
from suppliers.adapters import text as text_reader
from suppliers.adapters.context import Context
from suppliers.contacts import Money, Window
from suppliers.models import Mandate, Supplier, SupplierDomain, SupplierName, SupplierNumber

LETTERS = 20_000  # of a text in which names are looked for
SHORTEST = 3  # letters of a name that is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What was read from a text; `supplier` and `asset` where exactly one is meant."""

    window: Window | None = None
    fee: Money | None = None
    reference: str = ""
    supplier: Supplier | None = None
    asset: Asset | None = None


def suggest(*, text: str, owner: Owner, household: Household, now: datetime) -> Suggestion:
    """Read a window, a price, a reference, who and what from `text`; stores and tells nothing."""
    context = Context(
        received_at=now,
        zone=household.zone,
        country=household.country,
        currency=household.currency,
        language=owner.language,
        day_first=household.country != "US",
    )
    reading = text_reader.read(text, said_at=now, context=context)
    fee = next((fact.money for fact in reading.facts if fact.money is not None), None)
    supplier = _supplier(text, phones=reading.phones, household=household)
    return Suggestion(
        window=reading.visit.window if reading.visit else None,
        fee=fee,
        reference=reading.quoted[0] if reading.quoted else "",
        supplier=supplier,
        asset=_asset(text, household=household, supplier=supplier),
    )


def _supplier(text: str, *, phones: Iterable[str], household: Household) -> Supplier | None:
    """Return the supplier of the household that a text names by name, domain or number."""
    live = Mandate.objects.live().filter(household=household).select_related("supplier")
    known = {mandate.supplier_id: mandate.supplier for mandate in live}
    ours = Q(household=None) | Q(household=household)
    domains = SupplierDomain.objects.filter(ours, supplier__in=known)
    numbers = SupplierNumber.objects.filter(ours, supplier__in=known, number__in=list(phones))
    names = SupplierName.objects.filter(household=household, supplier__in=known)
    by_name = [
        *((pk, one.name) for pk, one in known.items()),
        *domains.values_list("supplier_id", "domain"),
        *names.values_list("supplier_id", "name"),
    ]
    found = {pk for pk, name in by_name if _is_named(name, text)}
    found |= set(numbers.values_list("supplier_id", flat=True))
    return known[found.pop()] if len(found) == 1 else None


def _asset(text: str, *, household: Household, supplier: Supplier | None) -> Asset | None:
    """Return the thing that a text names, else the only one its supplier may write about."""
    mine = Asset.objects.filter(household=household).looked_after()
    rows = list(mine.prefetch_related("identifiers"))
    found = [
        one
        for one in rows
        if _is_named(one.name, text)
        or any(_is_named(known.value, text) for known in one.identifiers.all())
    ]
    if not found and supplier is not None:
        found = list(mine.filter(mandates__supplier=supplier, mandates__household=household)[:2])
    return found[0] if len(found) == 1 else None


def _is_named(name: str, text: str) -> bool:
    """Say whether a name stands in a text as words of its own."""
    if len(name.strip()) < SHORTEST:
        return False
    wanted = re.escape(name.strip().casefold())
    return re.search(rf"(?<!\w){wanted}(?!\w)", text[:LETTERS].casefold()) is not None
