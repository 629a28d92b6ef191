"""What the suppliers app knows of an owner: given out whole, erased, and forgotten in time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from owners.models import Household, Owner
from owners.privacy import Piece, Section, Whose, columns_of, of_households, table
from suppliers import checks
from suppliers.announcements import Addressee, Announcement
from suppliers.choices import EventState, Way
from suppliers.models import (
    BlockedSender,
    ConsentReceipt,
    Contact,
    HomeFact,
    InboundEvent,
    Mandate,
    OutboundAttempt,
    OutboundEvent,
    Proposal,
    Role,
    Supplier,
    SupplierDomain,
    SupplierInvitation,
    SupplierName,
    SupplierNumber,
    TermsRecord,
    WayCheck,
)

History = Mandate.pgh_event_model  # type: ignore[attr-defined]  # django-pghistory adds it
ROWS = 20  # each may be a mail with all that is attached
HOMES = 200  # looked through in one go
EVERY = timedelta(days=1)  # how often a household's old messages are looked for
REJECTED_KEPT = timedelta(days=90)  # what belongs to nobody we could find
ENDINGS = {Way.MAIL: "eml"} | dict.fromkeys(
    (Way.WEBHOOK, Way.TELEPHONY, Way.OWNER, Way.PASS), "json"
)


def raw_messages(of: Whose) -> Iterator[Piece]:
    """Yield every message as it was received, byte for byte."""
    events = InboundEvent.objects.filter(household__in=of.households, payload__isnull=False)
    events = events.exclude(type__in=checks.TYPES)  # of those nothing is kept
    for event in events.order_by("pk").iterator(chunk_size=ROWS):
        name = f"raw/{event.way}/{event.uuid}.{ENDINGS[Way(event.way)]}"
        yield Piece(name=name, content=event.body)


def _suppliers(of: Whose) -> Q:
    """Return which suppliers are named by anything of a household."""
    return (
        Q(pk__in=Mandate.objects.filter(household__in=of.households).values("supplier"))
        | Q(pk__in=Role.objects.filter(household__in=of.households).values("supplier"))
        | Q(pk__in=Contact.objects.filter(household__in=of.households).values("supplier"))
        | Q(pk__in=OutboundEvent.objects.filter(household__in=of.households).values("supplier"))
        | Q(pk__in=Proposal.objects.filter(household__in=of.households).values("supplier"))
    )


SECTIONS: dict[str, Section] = {
    "suppliers": table(
        "suppliers",
        lambda of: Supplier.objects.filter(_suppliers(of)).only(
            "uuid", "code", "name", "verified_at", "created_at"
        ),
        # What an operator or the supplier itself says of it is not the owner's to bring along;
        # its code may be another one there.
        passing=tuple(
            column.name
            for column in columns_of(Supplier)
            if column.name not in ("uuid", "name", "created_at")
        ),
    ),
    "supplier-domains": table("supplier-domains", of_households(SupplierDomain)),
    "supplier-numbers": table("supplier-numbers", of_households(SupplierNumber)),
    "supplier-names": table("supplier-names", of_households(SupplierName)),
    "roles": table("roles", of_households(Role)),
    "mandates": table("mandates", of_households(Mandate)),
    "mandate-history": table("mandate-history", of_households(History)),
    "mandate-assets": table(
        "mandate-assets",
        lambda of: Mandate.assets.through.objects.filter(mandate__household__in=of.households),
    ),
    "home-facts": table(
        "home-facts", of_households(HomeFact), opened={"value": lambda fact: fact.value}
    ),
    "announcements": table(
        "announcements", of_households(Announcement), opened={"value": lambda told: told.value}
    ),
    "announced-to": table("announced-to", of_households(Addressee)),
    "terms": table("terms", of_households(TermsRecord)),
    "blocked-senders": table("blocked-senders", of_households(BlockedSender)),
    "consent-receipts": table("consent-receipts", of_households(ConsentReceipt)),
    "supplier-invitations": table("supplier-invitations", of_households(SupplierInvitation)),
    "supplier-invitation-assets": table(
        "supplier-invitation-assets",
        lambda of: SupplierInvitation.assets.through.objects.filter(
            supplierinvitation__household__in=of.households
        ),
    ),
    "proposals": table("proposals", of_households(Proposal)),
    "messages": table(
        "messages", of_households(InboundEvent), passing=("state", "lease_until", "claims")
    ),
    "contacts": table("contacts", of_households(Contact)),
    "sent": table(
        "sent",
        of_households(OutboundEvent),
        passing=("state", "detail", "next_at", "lease_until", "attempts"),
    ),
    "sent-attempts": table(
        "sent-attempts",
        lambda of: OutboundAttempt.objects.filter(event__household__in=of.households),
    ),
    "way-checks": table("way-checks", lambda of: WayCheck.objects.for_owner(of.owner)),
    "raw": raw_messages,
}


def not_exported() -> dict[str, str]:
    """Return the tables that no export holds, each with the reason."""
    return {
        "suppliers_signingsecret": "secrets of suppliers",
        "suppliers_reachchange": "who is told within the hour that wishes changed",
        "suppliers_supplierkey": "keys of suppliers",
        "suppliers_supplierrequestkey": "what suppliers' programs were answered, for a day",
        "suppliers_supplierperson": "people of suppliers",
        "suppliers_stafflink": "people of suppliers",
        "suppliers_supplierproof": "what suppliers prove of themselves",
        "suppliers_answeredrequest": "how suppliers share their work out",
        "suppliers_practicehousehold": "households in which nobody lives",
    }


def erase_household(*, household: Household, now: datetime) -> None:
    """Erase all that came for a household and left it, with the bytes, and whom it let in."""
    mine = Q(mandates__household=household) | Q(roles__household=household)
    own = list(Supplier.objects.filter(mine).values_list("pk", flat=True).distinct())
    own += SupplierDomain.objects.filter(household=household).values_list("supplier_id", flat=True)
    own += SupplierNumber.objects.filter(household=household).values_list("supplier_id", flat=True)
    Proposal.objects.filter(household=household).delete()
    OutboundEvent.objects.filter(household=household).delete()
    WayCheck.objects.filter(household=household).delete()
    Contact.objects.filter(household=household).delete()
    InboundEvent.objects.filter(household=household).delete()
    SupplierInvitation.objects.filter(household=household).delete()
    BlockedSender.objects.filter(household=household).delete()
    Mandate.objects.filter(household=household).delete()  # with its terms and receipts
    HomeFact.objects.filter(household=household).delete()
    History.objects.filter(household=household).delete()
    Role.objects.filter(household=household).delete()
    SupplierDomain.objects.filter(household=household).delete()
    SupplierNumber.objects.filter(household=household).delete()
    SupplierName.objects.filter(household=household).delete()
    _erase_private(own)


def erase_owner(*, owner: Owner, now: datetime) -> None:
    """Erase what they checked; what they logged belongs to the household, and names nobody."""
    WayCheck.objects.for_owner(owner).delete()


def _erase_private(suppliers: list[int]) -> None:
    """Erase suppliers that only this household knew: nobody has proved that they exist."""
    for supplier in Supplier.objects.filter(pk__in=set(suppliers), verified_at=None):
        is_known = (
            supplier.mandates.exists()
            or supplier.roles.exists()
            or supplier.domains.exists()
            or supplier.numbers.exists()
            or supplier.outbound.exists()
            or supplier.people.exists()
            or Contact.objects.filter(supplier=supplier).exists()
            or InboundEvent.objects.filter(supplier=supplier).exists()
        )
        if not is_known:
            supplier.delete()


def purge_due(*, now: datetime, limit: int = 500) -> int:
    """Forget the bytes of messages whose household keeps them no longer; return how many.

    What a message said stays in its contact; only the message as received goes.
    """
    purged = 0
    for _ in range(HOMES):
        found = _purge_next(now=now, limit=limit - purged)
        if found is None:
            break
        purged += found
        if purged >= limit:
            break
    return purged + _purge_rejected(now=now, limit=limit)


def _purge_next(*, now: datetime, limit: int) -> int | None:
    """Forget the old messages of the household that waits longest; None when none waits."""
    with transaction.atomic():
        due = Household.objects.filter(raw_days__gt=0)
        due = due.filter(Q(purged_at=None) | Q(purged_at__lte=now - EVERY))
        claimed = due.order_by("purged_at", "pk").select_for_update(skip_locked=True)
        household = claimed.first()
        if household is None:
            return None
        until = now - timedelta(days=household.raw_days)
        old = (
            Contact.objects.filter(household=household, said_at__lt=until)
            .filter(inbound__payload__isnull=False, inbound__received_at__lt=until)
            .exclude(inbound__state=EventState.STORED)
        )
        ids = list(old.order_by("said_at").values_list("inbound_id", flat=True)[:limit])
        purged = InboundEvent.objects.filter(pk__in=ids).update(payload=None)
        if len(ids) < limit:
            household.purged_at = now
            household.save(update_fields=["purged_at"])
    return purged


def _purge_rejected(*, now: datetime, limit: int) -> int:
    old = InboundEvent.objects.filter(
        state=EventState.REJECTED, payload__isnull=False, received_at__lt=now - REJECTED_KEPT
    )
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:limit])
    return InboundEvent.objects.filter(pk__in=ids).update(payload=None) if ids else 0
