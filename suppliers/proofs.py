"""How a supplier proves that a domain or a phone number is its own.

A domain: a TXT record at `_steward.DOMAIN` that holds the token we gave. A number: a
code that was sent to it. Only what is proved becomes evidence for every household.
"""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import dns.exception
import dns.resolver
import phonenumbers
import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from owners import doorbell
from suppliers import texting
from suppliers.choices import ProofKind
from suppliers.models import Mandate, Supplier, SupplierDomain, SupplierNumber
from suppliers.staff import SupplierProof

log = structlog.get_logger(__name__)

LABEL = "_steward"
PREFIX = "steward-proof="
MOST = 20  # claims of one supplier that are not proved
CODE_LIFE = timedelta(minutes=15)
CODE_EVERY = timedelta(minutes=1)
TRIES = 5
CHECK_EVERY = timedelta(seconds=5)
TIMEOUT_S = 4.0
AT_ONCE = 50
Lookup = Callable[[str], Sequence[str]]


class ProofError(Exception):
    """That is not proved, or cannot be; `code` says why."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


def record_name(proof: SupplierProof) -> str:
    """Return the name of the TXT record that proves a domain."""
    return f"{LABEL}.{proof.value}"


def record_text(proof: SupplierProof) -> str:
    """Return what that record has to say."""
    return f"{PREFIX}{proof.token}"


def claim_domain(*, supplier: Supplier, domain: str, now: datetime) -> SupplierProof:
    """Note a domain to be proved and the token for its record; again returns the same."""
    if not domain:
        raise ProofError(
            "domain", gettext_noop("This is not a domain, as in skyline.example."), field="domain"
        )
    return _claim(supplier, ProofKind.DOMAIN, domain, now=now)


def claim_number(*, supplier: Supplier, text: str, now: datetime) -> SupplierProof:
    """Note a number to be proved and let a code go to it; again sends another code."""
    try:
        read = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        read = None
    if read is None or not phonenumbers.is_valid_number(read):
        raise ProofError(
            "number", gettext_noop("Write the number as +12125550147."), field="number"
        )
    number = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
    if not texting.is_possible():
        raise ProofError(
            "no_sms", gettext_noop("This Steward sends no SMS. Ask its operator to prove a number.")
        )
    with transaction.atomic():
        proof = _claim(supplier, ProofKind.NUMBER, number, now=now)
        proof = SupplierProof.objects.select_for_update().get(pk=proof.pk)
        if proof.proved_at is not None:
            return proof
        if proof.code_sent_at is not None and now - proof.code_sent_at < CODE_EVERY:
            raise ProofError("too_soon", gettext_noop("A code was just sent. Wait a minute."))
        code = f"{secrets.randbelow(10**6):06}"
        proof.set_code(code)
        proof.code_hash = _digest(proof, code)
        proof.medium, proof.code_sent_at, proof.tries, proof.fault = "sms", now, 0, ""
        proof.save()
    doorbell.ring("outbox")
    return proof


def is_waiting() -> bool:
    """Whether a code waits to be sent."""
    return SupplierProof.objects.filter(sealed_code__isnull=False).exists()


def send_due(*, now: datetime) -> int:
    """Send the codes that wait, each once; return how many were taken.

    A code that did not go is not sent again: whoever waits for it asks for another.
    """
    with transaction.atomic():
        taken = [
            (proof, proof.code)
            for proof in SupplierProof.objects.filter(sealed_code__isnull=False)
            .select_for_update(skip_locked=True)
            .order_by("pk")[:AT_ONCE]
        ]
        SupplierProof.objects.filter(pk__in=[proof.pk for proof, _code in taken]).update(
            sealed_code=None
        )
    for proof, code in taken:
        text = f"Steward: {code} proves that this number is yours. Nobody will ask you for it."
        try:
            texting.send(to=proof.value, text=text, name=uuid.uuid5(proof.uuid, code), now=now)
        except texting.TextError as error:
            log.warning("proof_not_sent", error=str(error))
            fault = gettext_noop("The code could not be sent. Check the number.")
            SupplierProof.objects.filter(pk=proof.pk).update(fault=fault, code_sent_at=None)
    return len(taken)


def check_domain(*, proof: SupplierProof, now: datetime, lookup: Lookup | None = None) -> bool:
    """Look for a domain's record; return whether it proves the domain.

    Raises ProofError where another supplier has proved it already.
    """
    if proof.proved_at is not None:
        return True
    if proof.checked_at is not None and now - proof.checked_at < CHECK_EVERY:
        raise ProofError("too_soon", gettext_noop("Looked just now. Wait a few seconds."))
    fault = ""
    try:
        texts = (lookup or texts_at)(record_name(proof))
    except dns.exception.DNSException:
        texts, fault = (), gettext_noop("The name server of this domain did not answer.")
    wanted = record_text(proof).encode()
    is_there = any(hmac.compare_digest(text.strip().encode(), wanted) for text in texts)
    if not is_there:
        proof.checked_at = now
        proof.fault = fault or (
            gettext_noop("The record is there, with another text.")
            if texts
            else gettext_noop("There is no such record yet. It may take some minutes.")
        )
        proof.save(update_fields=["checked_at", "fault"])
        return False
    _prove(proof, now=now)
    return True


def check_code(*, proof: SupplierProof, code: str, now: datetime) -> bool:
    """Try the code that was sent to a number; return whether it proves the number.

    Raises ProofError when no code is live, or too many were tried.
    """
    with transaction.atomic():
        proof = SupplierProof.objects.select_for_update().get(pk=proof.pk)
        if proof.proved_at is not None:
            return True
        sent = proof.code_sent_at
        if proof.code_hash is None or sent is None or now - sent > CODE_LIFE:
            raise ProofError("no_code", gettext_noop("No code is waiting. Ask for a new one."))
        if proof.tries >= TRIES:
            raise ProofError("too_many", gettext_noop("Too many wrong codes. Ask for a new one."))
        if hmac.compare_digest(bytes(proof.code_hash), _digest(proof, code.strip())):
            _prove(proof, now=now)
            return True
        proof.tries += 1
        proof.fault = gettext_noop("That was another code.")
        proof.save(update_fields=["tries", "fault"])
    return False


def give_up(*, proof: SupplierProof) -> None:
    """Forget a claim, and with a proved one the evidence that it was."""
    with transaction.atomic():
        if proof.proved_at is not None:
            if proof.kind == ProofKind.DOMAIN:
                SupplierDomain.objects.filter(
                    supplier=proof.supplier, household=None, domain=proof.value
                ).delete()
            else:
                SupplierNumber.objects.filter(
                    supplier=proof.supplier, household=None, number=proof.value
                ).delete()
        proof.delete()


def texts_at(name: str) -> list[str]:
    """Return the TXT records at a name; none where there are none."""
    resolver = dns.resolver.Resolver()
    resolver.lifetime = TIMEOUT_S
    try:
        answer = resolver.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]


def _claim(supplier: Supplier, kind: ProofKind, value: str, *, now: datetime) -> SupplierProof:
    with transaction.atomic():
        Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
        found = SupplierProof.objects.filter(supplier=supplier, kind=kind, value=value).first()
        if found is not None:
            return found
        if supplier.proofs.filter(proved_at=None).count() >= MOST:
            raise ProofError("too_many", gettext_noop("Prove or remove some of these first."))
        return SupplierProof.objects.create(
            supplier=supplier,
            kind=kind,
            value=value,
            token=secrets.token_hex(16) if kind == ProofKind.DOMAIN else "",
            created_at=now,
        )


def _prove(proof: SupplierProof, *, now: datetime) -> None:
    taken = ProofError("taken", gettext_noop("Another supplier has proved this already."))
    try:
        with transaction.atomic():
            if proof.kind == ProofKind.DOMAIN:
                SupplierDomain.objects.get_or_create(
                    supplier=proof.supplier, household=None, domain=proof.value
                )
            else:
                others = SupplierNumber.objects.filter(household=None, number=proof.value)
                if others.exclude(supplier=proof.supplier).exists():
                    raise taken
                SupplierNumber.objects.get_or_create(
                    supplier=proof.supplier, household=None, number=proof.value
                )
            proof.proved_at, proof.checked_at, proof.fault = now, now, ""
            proof.code_hash = proof.sealed_code = None
            proof.save()
    except IntegrityError as error:
        raise taken from error
    for mandate in Mandate.objects.live().filter(supplier=proof.supplier).iterator():
        mandate.note_words()


def _digest(proof: SupplierProof, code: str) -> bytes:
    return hashlib.sha256(f"{proof.uuid}:{code}".encode()).digest()
