"""A supplier's own people, the links by which they sign in, and what they prove is theirs."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from owners import sealing
from owners.models import Household
from suppliers.choices import LinkKind, PersonState, ProofKind, StaffRole


class SupplierPersonQuerySet(models.QuerySet["SupplierPerson"]):
    """Reads of suppliers' people."""

    def active(self) -> SupplierPersonQuerySet:
        """Return those who may enter, of suppliers that are in use."""
        return self.filter(state=PersonState.ACTIVE, supplier__is_active=True)

    def of(self, person: SupplierPerson) -> SupplierPersonQuerySet:
        """Return the people of the same supplier: the one door to them."""
        return self.filter(supplier=person.supplier_id)


class SupplierPerson(models.Model):
    """Somebody who works for a supplier; never an owner, whatever the address.

    `session_stamp` is in every session of theirs: another stamp ends all of them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supplier = models.ForeignKey("suppliers.Supplier", models.CASCADE, related_name="people")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=9, choices=StaffRole, default=StaffRole.AGENT)
    state = models.CharField(max_length=7, choices=PersonState, default=PersonState.INVITED)
    language = models.CharField(max_length=12, default="en")
    session_stamp = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    joined_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = SupplierPersonQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "email"], name="supplierperson_once"),
        ]
        indexes = [models.Index(fields=["email"], name="supplierperson_by_email")]

    def __str__(self) -> str:
        return f"{self.email} of {self.supplier}"

    @property
    def called(self) -> str:
        """The name shown to people."""
        return self.name or self.email


class StaffLinkQuerySet(models.QuerySet["StaffLink"]):
    """Reads of links."""

    def open(self, now: datetime) -> StaffLinkQuerySet:
        """Return the links that still open something."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=now)

    def waiting(self, now: datetime) -> StaffLinkQuerySet:
        """Return the links whose letter nobody has sent yet, the oldest first."""
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        letters = self.open(now).filter(free, sent_at=None, next_at__lte=now)
        return letters.exclude(email="").order_by("pk")


class StaffLink(models.Model):
    """A one-time link into the portal: to sign up, to sign in, or to join.

    Only the token's hash is looked up; the sealed copy goes with the letter. Without an
    `email` it is handed on by hand, and who opens it says who they are.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=7, choices=LinkKind)
    supplier = models.ForeignKey(
        "suppliers.Supplier", models.CASCADE, null=True, related_name="staff_links"
    )
    person = models.ForeignKey(SupplierPerson, models.CASCADE, null=True, related_name="links")
    organisation = models.CharField(max_length=120, blank=True)  # which a sign-up makes
    email = models.EmailField(max_length=254, blank=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=9, choices=StaffRole, default=StaffRole.ADMIN)
    invited_by = models.CharField(max_length=120, blank=True)  # as the letter says it
    target = models.CharField(max_length=200, blank=True)  # the page after it, of ours
    language = models.CharField(max_length=12, default="en")
    token_hash = models.BinaryField(max_length=32, unique=True)
    sealed_token = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    next_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = StaffLinkQuerySet.as_manager()

    class Meta:
        indexes = [
            # The queue of letters: sent rows leave it.
            models.Index(
                fields=["id"],
                condition=Q(sent_at=None, used_at=None, revoked_at=None),
                name="stafflink_waiting",
            ),
            models.Index(fields=["email", "-created_at"], name="stafflink_of_email"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} link of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def token(self) -> str:
        """The token in the clear; for the letter only."""
        if self.sealed_token is None:
            raise sealing.UnsealError("the letter was sent")
        return sealing.unseal(
            self.sealed_token, table="suppliers_stafflink", key=str(self.uuid), field="token"
        ).decode()

    def set_token(self, token: str) -> None:
        """Seal `token` for this row."""
        self.sealed_token = sealing.seal(
            token.encode(), table="suppliers_stafflink", key=str(self.uuid), field="token"
        )


class SupplierProof(models.Model):
    """A domain or number a supplier says is its own, until it is proved or given up.

    A domain is proved by a TXT record that holds `token`; a number by the code that was
    sent to it, of which only the hash is looked at.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supplier = models.ForeignKey("suppliers.Supplier", models.CASCADE, related_name="proofs")
    kind = models.CharField(max_length=6, choices=ProofKind)
    value = models.CharField(max_length=253)
    token = models.CharField(max_length=40, blank=True)
    code_hash = models.BinaryField(max_length=32, null=True)
    sealed_code = models.BinaryField(null=True)
    medium = models.CharField(max_length=5, blank=True)  # sms or voice
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=200, blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "kind", "value"], name="supplierproof_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.value}, says {self.supplier}"

    @property
    def code(self) -> str:
        """The code in the clear; for sending only."""
        if self.sealed_code is None:
            raise sealing.UnsealError("no code waits")
        return sealing.unseal(
            self.sealed_code, table="suppliers_supplierproof", key=str(self.uuid), field="code"
        ).decode()

    def set_code(self, code: str) -> None:
        """Seal `code` for this row."""
        self.sealed_code = sealing.seal(
            code.encode(), table="suppliers_supplierproof", key=str(self.uuid), field="code"
        )


class PracticeHousehold(models.Model):
    """The test owner of one supplier: a household in which nobody lives."""

    supplier = models.OneToOneField("suppliers.Supplier", models.CASCADE, related_name="practice")
    household = models.OneToOneField(Household, models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"test owner of {self.supplier}"


class AnsweredRequest(models.Model):
    """That somebody of a supplier's took what an owner asked in hand, and with what."""

    event = models.OneToOneField("suppliers.OutboundEvent", models.CASCADE, related_name="answer")
    person = models.ForeignKey(SupplierPerson, models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(default=timezone.now)
    sent_id = models.CharField(max_length=255, blank=True)  # of the event that answers it

    def __str__(self) -> str:
        return f"answer to {self.event_id}"


class SupplierRequestKey(models.Model):
    """An `Idempotency-Key` a supplier's program has used; the answer it got for a day.

    An answer may hold what is shown once, as a secret.
    """

    supplier = models.ForeignKey("suppliers.Supplier", models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    media_type = models.CharField(max_length=80)
    sealed_answer = models.BinaryField(null=True, editable=False)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "key"], name="supplierrequestkey_once"),
        ]
        indexes = [
            models.Index(
                fields=["used_at"],
                condition=Q(sealed_answer__isnull=False),
                name="supplierrequestkey_answered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.supplier_id}"
