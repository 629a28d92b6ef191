"""By which way a supplier is told something: its endpoint, mail, SMS, or none that is known."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import Q

from suppliers import letters, texting
from suppliers.models import Mandate, OutboundEvent, OutboundState, Supplier, SupplierNumber

WEBHOOK, MAIL, SMS, ONE_CLICK, NONE = "webhook", "mail", "sms", "oneclick", "none"
NO_ADDRESS = "no address is known"
# What an owner says in so many words. The rest is for systems, and nobody wants it as an SMS.
TEXTED = (
    "owner.message.",
    "owner.appointment.",
    "owner.ticket.",
    "owner.quote.",
    "owner.invoice.",
)


def columns(via: str) -> dict[str, str]:
    """Return the columns of a way; what cannot go out is shown as failed at once."""
    if via == NONE:
        return {"via": NONE, "state": OutboundState.FAILED, "detail": NO_ADDRESS}
    return {"via": via, "state": OutboundState.PENDING, "detail": ""}


def of_type(via: str, type_: str) -> str:
    """Return the way for events of a type: not everything is said by SMS."""
    return NONE if via == SMS and not type_.startswith(TEXTED) else via


def of_mandates(mandates: Iterable[Mandate]) -> dict[int, str]:
    """Return by which way the supplier of each mandate is told."""
    return {pk: (vias or [NONE])[0] for pk, vias in all_of_mandates(mandates).items()}


def reachable(mandates: Iterable[Mandate], type_: str) -> list[Mandate]:
    """Return the mandates whose suppliers a type reaches by any way, in the order given.

    It is for news that no owner waits to see arrive: where there is no way, nothing is lost.
    """
    known = list(mandates)
    vias = of_mandates(known)
    return [one for one in known if of_type(vias[one.pk], type_) != NONE]


def all_of_mandates(mandates: Iterable[Mandate], *, is_every: bool = False) -> dict[int, list[str]]:
    """Return the ways to the supplier of each mandate, the best first.

    Unless `is_every`, only the best is looked for.
    """
    known = {mandate.pk: mandate for mandate in mandates}
    found: dict[int, list[str]] = {
        pk: [WEBHOOK] if has_endpoint(one.supplier) else [] for pk, one in known.items()
    }

    def open_() -> set[int]:
        return {pk for pk, vias in found.items() if is_every or not vias}

    mails = letters.last_mails(open_()) if open_() else {}
    for pk in open_():
        if letters.address_of(known[pk].supplier, mails.get(pk)):
            found[pk].append(MAIL)
    if texting.is_possible() and open_():
        numbers = numbers_of([known[pk] for pk in open_()])
        for pk in open_() & numbers.keys():
            found[pk].append(SMS)
    return found


def numbers_of(mandates: Collection[Mandate]) -> dict[int, str]:
    """Return the number at which each mandate's supplier is texted, where one is known.

    What the household noted itself comes before what the supplier proved.
    """
    suppliers = {mandate.supplier_id for mandate in mandates}
    homes = {mandate.household_id for mandate in mandates}
    rows = SupplierNumber.objects.filter(
        Q(household=None) | Q(household__in=homes), supplier__in=suppliers
    ).order_by("pk")
    found: dict[int, str] = {}
    for mandate in mandates:
        own = [row for row in rows if row.supplier_id == mandate.supplier_id]
        noted = [row.number for row in own if row.household_id == mandate.household_id]
        proved = [row.number for row in own if row.household_id is None]
        if noted or proved:
            found[mandate.pk] = (noted or proved)[0]
    return found


def of_event(event: OutboundEvent) -> str:
    """Return by which way an event goes out now."""
    if event.via == ONE_CLICK:
        return ONE_CLICK
    if event.mandate is None:
        return technical(event.supplier)
    return of_type(of_mandates([event.mandate])[event.mandate.pk], event.type)


def others_of(
    event: OutboundEvent, *, ways: Mapping[int, Sequence[str]] | None = None
) -> list[str]:
    """Return the other ways by which an event could go out; `ways` if they are known."""
    if event.via == ONE_CLICK or event.mandate is None:
        return []
    if ways is None:
        ways = all_of_mandates([event.mandate], is_every=True)
    every = ways[event.mandate.pk]
    return [via for via in every if via != event.via and of_type(via, event.type) != NONE]


def technical(supplier: Supplier) -> str:
    """Return by which way the supplier's technicians are told."""
    if has_endpoint(supplier):
        return WEBHOOK
    return MAIL if supplier.technical_contact else NONE


def has_endpoint(supplier: Supplier) -> bool:
    """Whether the supplier has an endpoint that is not switched off."""
    return bool(supplier.webhook_url) and supplier.webhook_disabled_at is None
