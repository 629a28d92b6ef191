"""Who serves what is owned, what the household allows them, and all that arrives and leaves."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime
from typing import Any

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Count, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from assets.choices import FindableKind
from assets.models import Asset, Findable, Wording
from owners import sealing
from owners.choices import Trust
from owners.models import Channel, Household, Owner
from suppliers.admission import BLOCKED, LEAKED, PAUSED
from suppliers.announcements import (  # noqa: F401 - Django finds tables by this module
    Addressee,
    Announcement,
)
from suppliers.choices import (
    CheckKind,
    ContactKind,
    Direction,
    EventState,
    FactName,
    MandateState,
    Medium,
    Outcome,
    ProposalState,
    Purpose,
    RoleKind,
    TermsEvent,
    Way,
)
from suppliers.staff import (  # noqa: F401 - Django finds tables by this module
    AnsweredRequest,
    PracticeHousehold,
    StaffLink,
    SupplierPerson,
    SupplierProof,
)

# No 0/O, 1/l/i: people read these aloud.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def token(size: int) -> str:
    """Return a random token of `size` letters (about 5 bits each)."""
    return "".join(secrets.choice(LETTERS) for _ in range(size))


def new_owner_ref() -> str:
    """Return a pairwise name for an owner: two suppliers can never compare theirs."""
    return f"own_{token(26)}"


def new_alias() -> str:
    """Return the local part of a mail alias."""
    return token(14)


class SupplierQuerySet(models.QuerySet["Supplier"]):
    """Reads of suppliers."""

    def for_owner(self, owner: Owner) -> SupplierQuerySet:
        """Return the suppliers that have a mandate or a role in `owner`'s households."""
        mine = Q(mandates__household__memberships__owner=owner)
        return self.filter(mine | Q(roles__household__memberships__owner=owner)).distinct()


class Supplier(models.Model):
    """An organisation that serves assets: one global entry."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    webhook_url = models.URLField(max_length=500, blank=True)
    # What the endpoint verifies `v1` with; never one that signs what comes in, or our own
    # events could be sent back to us.
    sealed_endpoint_secret = models.BinaryField(null=True, editable=False)
    webhook_failing_since = models.DateTimeField(null=True, blank=True)
    webhook_disabled_at = models.DateTimeField(null=True, blank=True)
    # All its events wait until then: it asked to be left alone (`Retry-After`), or the first
    # in its line is tried again then.
    webhook_rest_until = models.DateTimeField(null=True, blank=True)
    technical_contact = models.EmailField(blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SupplierQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def endpoint_secret(self) -> str:
        """The `whsec_…` of the supplier's endpoint in the clear, or nothing."""
        if self.sealed_endpoint_secret is None:
            return ""
        return sealing.unseal(
            self.sealed_endpoint_secret,
            table="suppliers_supplier",
            key=str(self.uuid),
            field="endpoint_secret",
        ).decode()

    def set_endpoint_secret(self, value: str) -> None:
        """Seal `value` for this row."""
        self.sealed_endpoint_secret = sealing.seal(
            value.encode(),
            table="suppliers_supplier",
            key=str(self.uuid),
            field="endpoint_secret",
        )


class SupplierDomain(models.Model):
    """A domain that is the supplier's: proved (no household), or noted by one household."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="domains")
    household = models.ForeignKey(Household, models.CASCADE, null=True, blank=True)
    domain = models.CharField(max_length=253)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "household", "domain"],
                name="supplierdomain_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["domain"],
                condition=Q(household=None),
                name="supplierdomain_proved_for_one",
            ),
        ]

    def __str__(self) -> str:
        return self.domain


class SupplierNumber(models.Model):
    """A phone number (E.164) that is the supplier's: proved, or noted by one household."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="numbers")
    household = models.ForeignKey(Household, models.CASCADE, null=True, blank=True)
    number = models.CharField(max_length=20, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "household", "number"],
                name="suppliernumber_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.number


class SupplierName(models.Model):
    """What one household calls a supplier besides its own name."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="names")
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "household", "name"], name="suppliername_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SigningSecretQuerySet(models.QuerySet["SigningSecret"]):
    """Reads of signing secrets."""

    def live(self, now: datetime) -> SigningSecretQuerySet:
        """Return the secrets that verify at `now`; several may, while they rotate."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("-created_at")


class SigningSecret(models.Model):
    """What a supplier signs with: a shared secret (`v1`) or a public key (`v1a`)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="secrets")
    version = models.CharField(max_length=3, choices=[("v1", "v1"), ("v1a", "v1a")], default="v1")
    sealed_value = models.BinaryField()  # whsec_… or whpk_…
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = SigningSecretQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.version} of {self.supplier}"

    @property
    def value(self) -> str:
        """The secret or key in the clear."""
        return sealing.unseal(
            self.sealed_value, table="suppliers_signingsecret", key=str(self.uuid), field="value"
        ).decode()

    def set_value(self, value: str) -> None:
        """Seal `value` for this row."""
        self.sealed_value = sealing.seal(
            value.encode(), table="suppliers_signingsecret", key=str(self.uuid), field="value"
        )


class SupplierKeyQuerySet(models.QuerySet["SupplierKey"]):
    """Reads of the suppliers' API keys."""

    def live(self) -> SupplierKeyQuerySet:
        """Return the keys that open the supplier API."""
        return self.filter(revoked_at=None, supplier__is_active=True)


class SupplierKey(models.Model):
    """A bearer key of the supplier API; only its hash is kept."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=80, blank=True)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)  # to the hour: not a write a request
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SupplierKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name or 'key'} of {self.supplier}"


class Role(models.Model):
    """What a supplier is for one asset."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="roles")
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="roles")
    kind = models.CharField(max_length=12, choices=RoleKind)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "supplier", "kind"], name="role_once"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier}: {self.kind} of {self.asset}"


class MandateQuerySet(models.QuerySet["Mandate"]):
    """Reads of mandates."""

    def for_owner(self, owner: Owner) -> MandateQuerySet:
        """Return the mandates of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def live(self) -> MandateQuerySet:
        """Return the mandates that have not ended."""
        return self.exclude(state=MandateState.ENDED)

    def with_leaks(self) -> MandateQuerySet:
        """Add how often, and when last, somebody else wrote to the alias."""
        strange = Contact.objects.filter(mandate=OuterRef("pk"), suspicion=LEAKED).order_by()
        found = strange.values("mandate")
        return self.annotate(
            leaks=Coalesce(Subquery(found.annotate(n=Count("pk")).values("n")), 0),
            leaked_at=Subquery(found.annotate(last=Max("said_at")).values("last")),
        )


@pghistory.track()
class Mandate(models.Model):
    """The household's revocable permission for one supplier."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="mandates")
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="mandates")
    owner_ref = models.CharField(max_length=40, unique=True, default=new_owner_ref)
    alias = models.CharField(max_length=40, unique=True, default=new_alias)
    purposes = ArrayField(models.CharField(max_length=10, choices=Purpose), default=list)
    # What the supplier may know of the home and of the assets: nothing by default.
    facts = ArrayField(
        models.CharField(max_length=14, choices=FactName), default=list, db_default=[], blank=True
    )
    assets = models.ManyToManyField(Asset, related_name="mandates", blank=True)
    state = models.CharField(max_length=6, choices=MandateState, default=MandateState.ACTIVE)
    granted_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "supplier"],
                condition=~Q(state="ended"),
                name="mandate_one_live",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} for {self.household}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store, and let the supplier be found by this household."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.note_words()

    def note_words(self) -> None:
        """Let the supplier be found by its names, domains and numbers.

        Only by those that are proved or this household's own.
        """
        known = Q(household=None) | Q(household=self.household_id)
        domains = SupplierDomain.objects.filter(known, supplier=self.supplier_id)
        numbers = SupplierNumber.objects.filter(known, supplier=self.supplier_id)
        names = SupplierName.objects.filter(supplier=self.supplier_id, household=self.household_id)
        own = list(names.values_list("name", flat=True))
        Findable.objects.note(
            [
                Wording(
                    household_id=self.household_id,
                    kind=FindableKind.SUPPLIER,
                    uuid=self.supplier.uuid,
                    title=self.supplier.name,
                    detail=", ".join(own),
                    texts=(
                        *own,
                        *domains.values_list("domain", flat=True),
                        *numbers.values_list("number", flat=True),
                    ),
                    at=self.granted_at,
                )
            ]
        )


class BlockedSenderQuerySet(models.QuerySet["BlockedSender"]):
    """Reads of who is blocked."""

    def for_owner(self, owner: Owner) -> BlockedSenderQuerySet:
        """Return whom `owner`'s households have blocked."""
        return self.filter(household__memberships__owner=owner)


class BlockedSender(models.Model):
    """Whom one household never wants to see: an address or number, or a supplier it let in.

    What comes from there is kept and counted; nobody is told, least of all the sender.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="blocked")
    mandate = models.OneToOneField(
        Mandate, models.CASCADE, null=True, blank=True, related_name="block"
    )
    address = models.CharField(max_length=254, blank=True)  # as `admission.plain_address`
    blocked_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    blocked_at = models.DateTimeField(default=timezone.now)

    objects = BlockedSenderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "address"],
                condition=Q(mandate=None),
                name="blockedsender_once",
            ),
            models.CheckConstraint(
                condition=Q(mandate=None) ^ Q(address=""), name="blockedsender_is_one"
            ),
        ]

    def __str__(self) -> str:
        return self.address or str(self.mandate)


class InboundEvent(models.Model):
    """What arrived, byte for byte, and who sent it; never changed.

    `source` and `event_id` identify it for ever. `routing` holds what the entrance
    learned (recipient, authentication, numbers), never content. The row is the queue:
    stored rows are claimed by `lease_until`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    # No constraint in the database: it would lock the one row of a busy supplier for
    # every event that arrives. Suppliers are never deleted (PROTECT).
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    household = models.ForeignKey(
        Household, models.CASCADE, null=True, related_name="+", db_index=False
    )
    way = models.CharField(max_length=9, choices=Way)
    source = models.CharField(max_length=500)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=80, blank=True)
    body_hash = models.BinaryField(max_length=32)
    payload = models.BinaryField(null=True)  # sealed; None once the retention has passed
    routing = models.JSONField(default=dict)
    webhook_id = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=9, choices=EventState, default=EventState.STORED)
    code = models.CharField(max_length=40, blank=True)  # why it was rejected or id_reused
    pointer = models.CharField(max_length=200, blank=True)  # JSON pointer to the fault
    detail = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            # supplier is null for mail, telephony and the owner's log; their source names
            # the recipient, so the same rule holds for them.
            models.UniqueConstraint(
                fields=["supplier", "source", "event_id"],
                name="inboundevent_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            # The inbox queue: only rows that wait are in it, so it stays small for ever.
            models.Index(
                fields=["id"],
                condition=Q(state="stored"),
                name="inboundevent_waiting",
            ),
            # Read backwards; kept forwards, so that it grows at its end.
            models.Index(fields=["supplier", "id"], name="inboundevent_log"),
            # What was rejected and still has its bytes: rare rows, for the purge.
            models.Index(
                fields=["id"],
                condition=Q(state="rejected", payload__isnull=False),
                name="inboundevent_raw_rejected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.way} {self.type or self.source} {self.event_id}"

    @property
    def body(self) -> bytes:
        """The bytes as they arrived; raises UnsealError once the retention has passed."""
        if self.payload is None:
            raise sealing.UnsealError("the payload is not kept any more")
        return sealing.unseal(
            self.payload, table="suppliers_inboundevent", key=str(self.uuid), field="payload"
        )


class ContactQuerySet(models.QuerySet["Contact"]):
    """Reads of contacts."""

    def for_owner(self, owner: Owner) -> ContactQuerySet:
        """Return the contacts of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def at_the_door(self) -> ContactQuerySet:
        """Return the contacts that wait for a yes, the newest first."""
        return self.filter(outcome=Outcome.DOOR).order_by("-said_at", "-pk")


class Contact(models.Model):
    """One thing said or reported. `said` is the value the rules read; it never changes.

    `outcome`, `reason`, `rule` and `evidence` are written by the rules of the feed.
    `decided_at` is empty until they have run: the consolidation queue.
    """

    uuid = models.UUIDField(unique=True, editable=False)
    household = models.ForeignKey(
        Household, models.CASCADE, related_name="contacts", db_index=False
    )
    # No constraint in the database: it would lock the one row of a busy supplier for
    # every event that arrives. Suppliers are never deleted (PROTECT).
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    mandate = models.ForeignKey(
        Mandate, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    inbound = models.ForeignKey(InboundEvent, models.PROTECT, null=True, related_name="contacts")
    asset = models.ForeignKey(
        Asset, models.SET_NULL, null=True, related_name="contacts", db_index=False
    )
    owner = models.ForeignKey(  # who logged it
        Owner, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=14, choices=ContactKind)
    medium = models.CharField(max_length=9, choices=Medium)
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.IN)
    trust = models.PositiveSmallIntegerField(choices=Trust, default=Trust.UNKNOWN)
    said_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(null=True)  # a voicemail waits for its transcript
    said = models.JSONField()
    suspicion = models.CharField(max_length=40, blank=True)  # why it must wait at the Door
    refusal = models.CharField(max_length=40, blank=True)  # why the mandate does not cover it
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    rule = models.CharField(max_length=40, blank=True)
    evidence = models.JSONField(default=dict)
    decided_at = models.DateTimeField(null=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes = [
            # The consolidation queue, per household: small, because decided rows leave it.
            models.Index(
                fields=["household", "said_at"],
                condition=Q(decided_at=None),
                name="contact_undecided",
            ),
            # Contacts that may still find their journey.
            models.Index(
                fields=["household", "-said_at"],
                condition=Q(outcome="door"),
                name="contact_at_door",
            ),
            models.Index(
                fields=["household", "-said_at"],
                condition=Q(outcome="held", kind__in=["survey_request", "survey_closed"]),
                name="contact_survey_held",
            ),
            models.Index(
                fields=["household", "-said_at"],
                condition=Q(outcome="held") & (Q(kind="advert") | Q(reason="purpose_not_granted")),
                name="contact_not_meant",
            ),
            # Most contacts have neither; each index is written twice a contact.
            models.Index(
                fields=["asset"], condition=Q(asset__isnull=False), name="contact_of_asset"
            ),
            models.Index(
                fields=["owner"], condition=Q(owner__isnull=False), name="contact_of_owner"
            ),
            models.Index(fields=["household", "-said_at"], name="contact_by_time"),
            # Whom an answer goes to: the last mail of a mandate.
            models.Index(
                fields=["mandate", "-said_at", "-id"],
                condition=Q(medium="email", suspicion="", mandate__isnull=False),
                name="contact_last_mail",
            ),
            # What is kept until the owner takes a block or a pause back: rare rows.
            models.Index(
                fields=["household", "-said_at"],
                condition=Q(refusal__in=[BLOCKED, PAUSED]),
                name="contact_kept_back",
            ),
            # Who else wrote to a mandate's alias: rare rows.
            models.Index(
                fields=["mandate"],
                condition=Q(suspicion="leaked_alias"),
                name="contact_leaked_alias",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.said_at:%Y-%m-%d %H:%M}"


class OutboundState:
    """States of an outbound event."""

    PENDING, SENT, FAILED = "pending", "sent", "failed"
    CHOICES = [(PENDING, "Pending"), (SENT, "Sent"), (FAILED, "Failed")]


HOLDS = 3  # tries for which an event that fails holds back its whole endpoint


class OutboundEventQuerySet(models.QuerySet["OutboundEvent"]):
    """Reads of outbound events."""

    def for_owner(self, owner: Owner) -> OutboundEventQuerySet:
        """Return what was sent to suppliers for `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class OutboundEvent(models.Model):
    """What Steward tells a supplier: an owner's answer, or a deferral."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="outbound")
    household = models.ForeignKey(Household, models.CASCADE, null=True, related_name="+")
    mandate = models.ForeignKey(Mandate, models.SET_NULL, null=True, related_name="+")
    # Which journey it is about, for the owner; the supplier gets a name of its own in `data`.
    journey = models.UUIDField(null=True, editable=False)
    type = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    via = models.CharField(max_length=8, default="none")  # webhook, mail, sms, oneclick, none
    state = models.CharField(max_length=8, choices=OutboundState.CHOICES, default="pending")
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # of this go through the schedule
    tried = models.PositiveSmallIntegerField(default=0)  # ever; a replay begins a new go
    sent_at = models.DateTimeField(null=True)

    objects = OutboundEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(state="pending"), name="outboundevent_due"
            ),
            models.Index(fields=["supplier", "-id"], name="outboundevent_log"),
            # What waits for one endpoint, in its order; sent rows leave it.
            models.Index(
                fields=["supplier", "id"],
                condition=Q(state="pending", via="webhook"),
                name="outboundevent_line",
            ),
            # What failed there too often to hold back more than its own mandate.
            models.Index(
                F("supplier"),
                Coalesce("mandate", 0),
                condition=Q(state="pending", via="webhook", attempts__gte=HOLDS),
                name="outboundevent_stuck",
            ),
            # What was answered on one journey; much is about none.
            models.Index(
                fields=["journey", "-id"],
                condition=Q(journey__isnull=False),
                name="outboundevent_on_journey",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.supplier}"


class ReachChange(models.Model):
    """A supplier is owed word that the wishes of a mandate's household have changed."""

    mandate = models.OneToOneField(Mandate, models.CASCADE, related_name="+")
    tell_at = models.DateTimeField(db_index=True)  # one word for all that changes until then

    def __str__(self) -> str:
        return f"{self.mandate}, at {self.tell_at.isoformat()}"


class OutboundAttempt(models.Model):
    """One try to send an outbound event; written before the try, so none is forgotten."""

    event = models.ForeignKey(OutboundEvent, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    via = models.CharField(max_length=8, blank=True)
    status = models.PositiveSmallIntegerField(null=True)  # of HTTP; None: no answer
    detail = models.CharField(max_length=300, blank=True)
    took_ms = models.PositiveIntegerField(null=True)
    # The beginning of what the endpoint said, for its supplier alone (see `outbox.said_by`):
    # in any other hands it would read the receiver's network.
    sealed_answer = models.BinaryField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="outboundattempt_once"),
        ]

    def __str__(self) -> str:
        return f"try {self.number} of {self.event_id}"


class HomeFact(models.Model):
    """A fact of the home that mandates may let suppliers know: an address, how to get in."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="home_facts")
    name = models.CharField(max_length=14, choices=FactName)
    sealed_value = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "name"], name="homefact_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.household}"

    @property
    def value(self) -> str:
        """The fact in the clear."""
        return sealing.unseal(
            self.sealed_value,
            table="suppliers_homefact",
            key=str(self.household_id),
            field=self.name,
        ).decode()

    def set_value(self, value: str) -> None:
        """Seal `value` for this row."""
        self.sealed_value = sealing.seal(
            value.encode(),
            table="suppliers_homefact",
            key=str(self.household_id),
            field=self.name,
        )


class TermsRecordQuerySet(models.QuerySet["TermsRecord"]):
    """Reads of what was agreed."""

    def for_owner(self, owner: Owner) -> TermsRecordQuerySet:
        """Return what happened to the terms of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class TermsRecord(models.Model):
    """One step of the owner's terms with one supplier; kept by both sides, never changed.

    `verdict` says why an answer does not count; `record_sha256` is over all of it, so two
    records can be compared without showing them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    mandate = models.ForeignKey(Mandate, models.CASCADE, related_name="terms")
    event = models.CharField(max_length=20, choices=TermsEvent)
    agreement_uri = models.CharField(max_length=500)
    version = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=40, blank=True)
    # The event that said it, ours or theirs: the same one is one record.
    said_in = models.UUIDField(unique=True)
    record_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()

    objects = TermsRecordQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["mandate", "-at"], name="termsrecord_of_mandate")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.event} {self.agreement_uri}"


class ConsentReceiptQuerySet(models.QuerySet["ConsentReceipt"]):
    """Reads of receipts."""

    def for_owner(self, owner: Owner) -> ConsentReceiptQuerySet:
        """Return the receipts of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class ConsentReceipt(models.Model):
    """What was consented to as of one moment (ISO/IEC TS 27560); never changed."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    mandate = models.ForeignKey(Mandate, models.CASCADE, related_name="receipts")
    event_state = models.CharField(max_length=20)
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    objects = ConsentReceiptQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["mandate", "-made_at"], name="consentreceipt_of_mandate")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.event_state} {self.made_at:%Y-%m-%d %H:%M}"


class SupplierInvitationQuerySet(models.QuerySet["SupplierInvitation"]):
    """Reads of invitations of suppliers."""

    def for_owner(self, owner: Owner) -> SupplierInvitationQuerySet:
        """Return the invitations of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def open(self, now: datetime) -> SupplierInvitationQuerySet:
        """Return the invitations that can still be answered."""
        return self.filter(answered_at=None, revoked_at=None, expires_at__gt=now)

    def waiting(self, now: datetime) -> SupplierInvitationQuerySet:
        """Return the open invitations whose mail nobody has taken yet, the oldest first."""
        return self.open(now).filter(queued_at=None, sealed_address__isnull=False).order_by("pk")


class SupplierInvitation(models.Model):
    """An invitation to serve a household: a link, mailed or handed over, for one answer."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="supplier_invitations")
    invited_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    mandate = models.ForeignKey(  # that there was before, or that the answer made
        Mandate, models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(max_length=120)
    shown_as = models.CharField(max_length=120)  # who invites, as the household says it
    note = models.CharField(max_length=1000, blank=True)
    sealed_address = models.BinaryField(null=True)
    hint = models.CharField(max_length=40, blank=True)
    purposes = ArrayField(models.CharField(max_length=10, choices=Purpose), default=list)
    facts = ArrayField(models.CharField(max_length=14, choices=FactName), default=list, blank=True)
    assets = models.ManyToManyField(Asset, related_name="+", blank=True)
    token_hash = models.BinaryField(max_length=32, unique=True)
    sealed_token = models.BinaryField()
    language = models.CharField(max_length=12, default="en")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    is_accepted = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True)

    objects = SupplierInvitationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-created_at"], name="supplierinvitation_of_home"),
            # The queue of mails: taken rows leave it.
            models.Index(
                fields=["id"],
                condition=Q(queued_at=None, sealed_address__isnull=False),
                name="supplierinvitation_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.household}"

    @property
    def address(self) -> str:
        """The mail address in the clear, or nothing: the link was handed over."""
        if self.sealed_address is None:
            return ""
        return sealing.unseal(
            self.sealed_address,
            table="suppliers_supplierinvitation",
            key=str(self.uuid),
            field="address",
        ).decode()

    @property
    def token(self) -> str:
        """The token in the clear; for the mail and the one who invites."""
        return sealing.unseal(
            self.sealed_token,
            table="suppliers_supplierinvitation",
            key=str(self.uuid),
            field="token",
        ).decode()

    def seal(self, *, token: str, address: str) -> None:
        """Seal the token and, where there is one, the address."""
        table = "suppliers_supplierinvitation"
        self.sealed_token = sealing.seal(
            token.encode(), table=table, key=str(self.uuid), field="token"
        )
        if address:
            self.sealed_address = sealing.seal(
                address.encode(), table=table, key=str(self.uuid), field="address"
            )


class WayCheckQuerySet(models.QuerySet["WayCheck"]):
    """Reads of checks."""

    def for_owner(self, owner: Owner) -> WayCheckQuerySet:
        """Return the checks that `owner` asked for; nobody else's mailbox is ever shown."""
        return self.filter(owner=owner)

    def waiting(self, now: datetime) -> WayCheckQuerySet:
        """Return the checks whose test mail nobody has taken to send yet, the oldest first."""
        return self.filter(queued_at=None, channel__isnull=False, expires_at__gt=now).order_by("pk")


class WayCheck(models.Model):
    """One owner's question whether something sent to an address of theirs arrives here.

    A mail is known by its one-time `token`; a call or an SMS by the owner's own number.
    `channel` is where Steward sends its test mail, when it sends one.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=CheckKind)
    address = models.CharField(max_length=254)  # the whole address, or a number (E.164)
    token = models.CharField(max_length=20, null=True, unique=True)
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)

    objects = WayCheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="mail", token__isnull=False) | Q(kind="number", token=None),
                name="waycheck_mail_has_a_token",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "address", "-asked_at"], name="waycheck_of_address"),
            # The queue of test mails: taken rows leave it.
            models.Index(
                fields=["id"],
                condition=Q(queued_at=None, channel__isnull=False),
                name="waycheck_waiting",
            ),
            models.Index(
                fields=["address", "-asked_at"],
                condition=Q(kind="number"),
                name="waycheck_of_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} check of {self.asked_at:%Y-%m-%d %H:%M}"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Reads of proposals."""

    def for_owner(self, owner: Owner) -> ProposalQuerySet:
        """Return what is proposed to `owner`'s households by whom they listen to.

        What only waits at the Door, or was refused, proposes nothing.
        """
        heard = Q(contact__outcome__in=[Outcome.OWN, Outcome.SHOWN, Outcome.ABSORBED])
        return self.filter(heard, household__memberships__owner=owner)

    def open(self) -> ProposalQuerySet:
        """Return what the owner has not answered, the newest first."""
        return self.filter(state=ProposalState.OPEN).order_by("-created_at", "-pk")


class Proposal(models.Model):
    """A thing that an order or a bill of a supplier proposes to the household's assets.

    `bought` is a `purchases.Purchase`. It writes nothing by itself: only an owner's tap
    makes it an asset. `group` is the order's number, or what else holds its lines together.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="proposals")
    said_in = ArrayField(models.UUIDField(), default=list)  # every contact that named it
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, related_name="+")
    group = models.CharField(max_length=300)
    identity = models.CharField(max_length=300)  # what tells it from the rest of its order
    bought = models.JSONField()
    seller = models.CharField(max_length=120, blank=True)
    order_no = models.CharField(max_length=80, blank=True)
    ordered_on = models.DateField(null=True)
    delivered_on = models.DateField(null=True)
    is_order = models.BooleanField(default=True)  # else a bill: it is here already
    state = models.CharField(max_length=9, choices=ProposalState, default=ProposalState.OPEN)
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="proposals")
    decided_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "group", "identity"], name="proposal_once"
            ),
        ]
        indexes = [
            # What Today shows; answered ones leave it.
            models.Index(
                fields=["household", "-created_at"],
                condition=Q(state="open"),
                name="proposal_open",
            ),
        ]

    def __str__(self) -> str:
        return str(self.bought.get("goods", {}).get("name", ""))
