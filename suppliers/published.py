"""What a supplier publishes of itself in `supplier.contact_updated`: numbers, domains, senders.

Its signature proves who says it, not that a domain or an address is its own: those must
lie in a domain that is proved already. An entry that nobody verified speaks only to the
households that let it in, and is never evidence for another.
"""

from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from suppliers.admission import belongs, sender_domain
from suppliers.models import Mandate, Supplier, SupplierDomain, SupplierNumber

MOST = 50  # of each kind in one event


class PublishedError(Exception):
    """An entry cannot be taken; `pointer` says which."""

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        """Note the fault as the delivery log shows it."""
        super().__init__(detail)
        self.code, self.pointer, self.detail = code, pointer, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one event states, each entry in its canonical form."""

    numbers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()


def read(data: Any, *, supplier_id: int) -> Published:
    """Return what `data` states, or raise PublishedError for its first faulty entry."""
    lists = {name: _strings(data, name) for name in ("numbers", "domains", "senders")}
    numbers = tuple(_number(item, index) for index, item in enumerate(lists["numbers"]))
    taken = SupplierNumber.objects.filter(household=None, number__in=numbers)
    others = taken.exclude(supplier=supplier_id).values_list("number", flat=True)
    for index, number in enumerate(numbers):
        if number in others:
            raise PublishedError(
                "number_taken", f"/data/numbers/{index}", "Another supplier has this number."
            )
    own = tuple(
        domain.lower()
        for domain in SupplierDomain.objects.filter(supplier=supplier_id).values_list(
            "domain", flat=True
        )
    )
    domains = tuple(item.strip().lower().rstrip(".") for item in lists["domains"])
    for index, domain in enumerate(domains):
        if not belongs(domain, own):
            raise PublishedError(
                "unproved_domain", f"/data/domains/{index}", "Prove this domain first."
            )
    for index, sender in enumerate(lists["senders"]):
        _check_sender(sender, own, index)
    return Published(numbers=numbers, domains=domains, senders=tuple(lists["senders"]))


def _strings(data: Any, name: str) -> list[str]:
    found = data.get(name, []) if isinstance(data, dict) else None
    if not isinstance(found, list) or len(found) > MOST:
        raise PublishedError(
            "invalid_field", f"/data/{name}", f"Must be a list of at most {MOST} texts."
        )
    for index, item in enumerate(found):
        if not isinstance(item, str) or not item.strip() or len(item) > 253:
            raise PublishedError("invalid_field", f"/data/{name}/{index}", "Must be a text.")
    return found


def _number(written: str, index: int) -> str:
    try:
        number = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise PublishedError(
            "invalid_field", f"/data/numbers/{index}", "Write a phone number as +12125550147."
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _check_sender(sender: str, own: tuple[str, ...], index: int) -> None:
    try:
        validate_email(sender)
    except ValidationError as error:
        raise PublishedError(
            "invalid_field", f"/data/senders/{index}", "Must be a mail address."
        ) from error
    if not belongs(sender_domain(sender), own):
        raise PublishedError(
            "unproved_domain", f"/data/senders/{index}", "Prove the domain of this address first."
        )


def apply(published: Published, *, supplier_id: int) -> None:
    """Take in what was published, inside the caller's transaction; again changes nothing."""
    supplier = Supplier.objects.select_for_update(no_key=True).get(pk=supplier_id)
    homes: list[int | None] = [None]
    if supplier.verified_at is None:
        homes = list(
            Mandate.objects.live().filter(supplier=supplier).values_list("household", flat=True)
        )
    SupplierNumber.objects.bulk_create(
        [
            SupplierNumber(supplier=supplier, household_id=home, number=number)
            for home in homes
            for number in published.numbers
        ],
        ignore_conflicts=True,
    )
    SupplierDomain.objects.bulk_create(
        [
            SupplierDomain(supplier=supplier, household_id=home, domain=domain)
            for home in homes
            for domain in published.domains
        ],
        ignore_conflicts=True,
    )
    if published.senders and not supplier.technical_contact:
        # Where its answers are read, until its profile names another address.
        supplier.technical_contact = published.senders[0]
        supplier.save(update_fields=["technical_contact"])
