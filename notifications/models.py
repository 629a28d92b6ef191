"""What the owner sees and hears: journeys and their cards, notifications and deliveries.

Links and decisions are append-only. Journeys, their facts, appointments, surveys,
promises and cards are projections of contacts, links and decisions: `rebuild` gives
equal rows. What was told is history and is kept.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language

from assets.models import Asset, CareTask, Issue, Notice
from notifications.choices import (
    AppointmentState,
    DeliveryPurpose,
    DeliveryState,
    FactState,
    JourneyState,
    NotificationState,
    PassWay,
    PromiseState,
    PushService,
    Section,
    SurveyState,
    Turn,
)
from owners import sealing
from owners.choices import ChannelKind, Level, Rank, Topic
from owners.models import Channel, Household, Membership, Owner
from suppliers.models import Contact, Supplier

M = TypeVar("M", bound=models.Model)


class OwnedQuerySet(models.QuerySet[M]):
    """Reads of rows that belong to a household."""

    def for_owner(self, owner: Owner) -> OwnedQuerySet[M]:
        """Return the rows of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class JourneyQuerySet(OwnedQuerySet["Journey"]):
    """Reads of journeys."""

    def due(self, now: datetime) -> JourneyQuerySet:
        """Return the journeys at which time alone changes something by `now`."""
        return self.filter(next_at__lte=now).order_by("next_at")


class Journey(models.Model):
    """All contacts on one matter about an asset, over all suppliers."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(
        Household, models.CASCADE, related_name="journeys", db_index=False
    )
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="journeys")
    suppliers = ArrayField(models.BigIntegerField(), default=list)  # ids, in order of appearance
    title = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=6, choices=JourneyState, default=JourneyState.OPEN)
    turn = models.CharField(max_length=8, choices=Turn, default=Turn.SUPPLIER)
    stage = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()
    last_said_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)  # when time alone changes the card next
    is_emptied = models.BooleanField(default=False)  # merged away or split to nothing
    size = models.PositiveIntegerField(
        default=0, db_default=0
    )  # its contacts, for `consolidation.FULL`

    objects = JourneyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["household", "-last_said_at"],
                condition=Q(is_emptied=False),
                name="journey_recent",
            ),
            models.Index(
                fields=["next_at"], condition=Q(next_at__isnull=False), name="journey_due"
            ),
            # However old they are, matters that still wait are candidates for a new contact.
            models.Index(
                fields=["household"],
                condition=Q(next_at__isnull=False, is_emptied=False),
                name="journey_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.uuid)


class JourneyKey(models.Model):
    """A strong key by which a journey is found again: a projection of its contacts' keys."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="keys")
    scheme = models.CharField(max_length=10)
    issuer = models.BigIntegerField(default=0)  # the supplier's id; 0 when nobody's in particular
    value = models.CharField(max_length=300)
    # When it was first said; of a caller's number, which fades, when it last called.
    said_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            # The value comes first: a token in a text is looked up without its scheme.
            models.UniqueConstraint(
                fields=["household", "value", "scheme", "issuer", "journey"],
                name="journeykey_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.value}"


class Link(models.Model):
    """Why a contact is on a journey. Revoked, never deleted."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="links")
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="links")
    rule = models.CharField(max_length=40)
    evidence = models.JSONField(default=dict)
    is_likely = models.BooleanField(default=False)
    linked_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=Q(revoked_at=None), name="link_one_live"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.contact_id} on {self.journey_id}"


class Fact(models.Model):
    """A named value on a journey, with every contact that stated it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="facts", db_index=False)
    name = models.CharField(max_length=60)
    label = models.CharField(max_length=120, blank=True)
    value = models.CharField(max_length=1000)
    state = models.CharField(max_length=8, choices=FactState, default=FactState.CURRENT)
    sources = ArrayField(models.UUIDField(), default=list)  # contacts, the first stated it first
    said_at = models.DateTimeField()
    is_from_text = models.BooleanField(default=False)
    is_owners_word = models.BooleanField(default=False)

    objects: models.Manager[Fact] = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "name", "value"], name="fact_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Appointment(models.Model):
    """A visit, delivery or call with a window. The window is a half-open interval."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    journey = models.ForeignKey(
        Journey, models.CASCADE, related_name="appointments", db_index=False
    )
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, related_name="+")
    slot = models.CharField(max_length=340)  # names it within the journey; first uid or window
    uid = models.CharField(max_length=255, blank=True)
    recurrence_id = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=10, default="visit")
    state = models.CharField(max_length=10, choices=AppointmentState)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    eta_start = models.DateTimeField(null=True)
    eta_end = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, blank=True)
    place = models.CharField(max_length=300, blank=True)
    person = models.CharField(max_length=120, blank=True)
    sequence = models.IntegerField(default=0)
    arrived_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)  # since when nobody is expected any more
    was_on_time = models.BooleanField(null=True)
    sources = models.JSONField(default=dict)  # field -> contact uuids

    objects: models.Manager[Appointment] = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "slot"], name="appointment_once"),
        ]
        indexes = [models.Index(fields=["household", "start"], name="appointment_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.start}"


class Survey(models.Model):
    """A request for feedback about one named experience."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    journey = models.ForeignKey(Journey, models.CASCADE, null=True, related_name="surveys")
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, related_name="+")
    contact = models.OneToOneField(Contact, models.CASCADE, related_name="survey")
    survey_id = models.CharField(max_length=255)
    url = models.CharField(max_length=2000, blank=True)
    questions = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=SurveyState, default=SurveyState.HELD)
    held_reason = models.CharField(max_length=20, blank=True)  # owner_cap, one_open, too_early
    score = models.PositiveSmallIntegerField(null=True)
    requested_at = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)
    told_supplier = models.CharField(max_length=20, blank=True)  # the last deferral reason sent

    objects: models.Manager[Survey] = OwnedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["household", "-offered_at"],
                condition=Q(offered_at__isnull=False),
                name="survey_offered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} {self.state}"


class Promise(models.Model):
    """What a supplier said it would do by when."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="promises")
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, related_name="+")
    promise_id = models.CharField(max_length=255)
    what = models.CharField(max_length=300)
    due_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=9, choices=PromiseState, default=PromiseState.OPEN)

    objects: models.Manager[Promise] = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "promise_id"], name="promise_once"),
        ]

    def __str__(self) -> str:
        return self.what


class CardQuerySet(OwnedQuerySet["Card"]):
    """Reads of cards."""

    def needs_you(self) -> CardQuerySet:
        """Return the cards that wait for the owner, the newest change first."""
        return self.filter(section=Section.NEEDS_YOU).order_by("-changed_at", "-pk")


class Card(models.Model):
    """What the owner sees of a journey: one journey, one card.

    `body` is the feed item as the API gives it; it is made when the card changes, so a
    page of the feed is one read. It speaks the household's first member's language;
    `translations` has the whole item again for each other language of a member.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="cards", db_index=False)
    journey = models.OneToOneField(Journey, models.CASCADE, related_name="card")
    section = models.CharField(max_length=10, choices=Section)
    title = models.CharField(max_length=200)
    meta = models.CharField(max_length=300, blank=True)
    body = models.JSONField(default=dict)
    translations = models.JSONField(default=dict, db_default={})
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True)

    objects = CardQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-changed_at", "-id"], name="card_newest"),
            models.Index(
                fields=["household", "section", "-changed_at", "-id"], name="card_by_section"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the feed item in a reader's language, else as the household speaks."""
        return self.translations.get(language, self.body)  # type: ignore[no-any-return]  # JSON

    @property
    def said(self) -> dict[str, Any]:
        """The feed item in the language that is active."""
        return self.in_language(get_language() or "")


class Decision(models.Model):
    """What the owner did; append-only, so that everything else can be rebuilt."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(
        Household, models.CASCADE, related_name="decisions", db_index=False
    )
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    journey = models.ForeignKey(Journey, models.CASCADE, null=True, related_name="decisions")
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, related_name="decisions")
    name = models.CharField(max_length=20)  # the story's `do` names, and correct
    data = models.JSONField(default=dict)
    decided_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)  # undone

    objects: models.Manager[Decision] = OwnedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["household", "-decided_at"], name="decision_by_time")]

    def __str__(self) -> str:
        return f"{self.name} by {self.owner_id}"


class Told(models.Model):
    """What one member was last told of one journey: the mark against which change is news."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="told", db_index=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="+")
    snapshot = models.JSONField(default=dict)
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "owner"], name="told_once"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} of {self.journey_id}"


class NotificationQuerySet(OwnedQuerySet["Notification"]):
    """Reads of notifications."""

    def due(self, now: datetime) -> NotificationQuerySet:
        """Return the planned notifications whose hold has ended by `now`."""
        return self.filter(state=NotificationState.PLANNED, not_before__lte=now).order_by(
            "not_before"
        )


class Notification(models.Model):
    """One decision to speak to one member of one journey."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="notifications")
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="notifications")
    level = models.CharField(max_length=9, choices=Level)
    topic = models.CharField(max_length=10, choices=Topic)
    reason = models.CharField(max_length=40)  # first, changed, conflict, reaching_out, …
    text = models.CharField(max_length=1000)
    because = ArrayField(models.UUIDField(), default=list)  # contacts
    rule = models.CharField(max_length=60, blank=True)
    state = models.CharField(
        max_length=10, choices=NotificationState, default=NotificationState.PLANNED
    )
    held_since = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)  # the ladder is counted back from it
    told_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    # The wish that decided and what it waited for, as `reasons` puts into words.
    why = models.JSONField(default=dict, db_default={})
    snapshot = models.JSONField(default=dict)  # what the member knows once this is told

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "owner"],
                condition=Q(state="planned"),
                name="notification_one_planned",
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"], condition=Q(state="planned"), name="notification_due"
            ),
            models.Index(
                fields=["household", "-told_at"],
                condition=Q(state="told"),
                name="notification_told",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} to {self.owner_id}"


class DeliveryQuerySet(OwnedQuerySet["Delivery"]):
    """Reads of deliveries."""

    def due(self, now: datetime) -> DeliveryQuerySet:
        """Return what is to be sent by `now` and not in somebody's hands."""
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.filter(free, state=DeliveryState.PENDING, next_at__lte=now).order_by("next_at")


class Delivery(models.Model):
    """A notification, a digest or a code on one channel.

    `key` is unique and goes to providers that accept an idempotency key. `step` counts
    the ladder: 0 is the preferred channel.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(max_length=120, unique=True)
    household = models.ForeignKey(
        Household, models.CASCADE, null=True, related_name="+", db_index=False
    )
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="deliveries", db_index=False)
    notification = models.ForeignKey(
        Notification, models.CASCADE, null=True, related_name="deliveries"
    )
    purpose = models.CharField(
        max_length=12, choices=DeliveryPurpose, default=DeliveryPurpose.NOTIFICATION
    )
    kind = models.CharField(max_length=8, choices=ChannelKind)
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, related_name="+")
    step = models.PositiveSmallIntegerField(default=0)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    next_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    detail = models.CharField(max_length=300, blank=True)
    provider_ref = models.CharField(max_length=120, blank=True, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="pending"), name="delivery_due"),
            # The claim, per kind: a heap of one kind never hides what waits of another.
            models.Index(
                fields=["kind", "next_at"], condition=Q(state="pending"), name="delivery_claim"
            ),
            # What a provider may or may not have taken, until it is looked up: rare rows.
            models.Index(fields=["next_at"], condition=Q(state="unknown"), name="delivery_unknown"),
            models.Index(fields=["household", "-id"], name="delivery_by_household"),
            # What a member was told lately, for the caps; all of a year would be read else.
            models.Index(fields=["owner", "next_at"], name="delivery_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.kind}"


class Attempt(models.Model):
    """One call of a provider; committed before the call, so a null outcome is ambiguous."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, null=True)  # sent, failed, unknown
    detail = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.outcome or 'under way'} {self.started_at:%H:%M:%S}"


class Receipt(models.Model):
    """What a provider later said of a message; kept every time, applied by rank."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="receipts")
    status = models.CharField(max_length=20)
    detail = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.status


class EarlyReceipt(models.Model):
    """What a provider said of a mail before it had told us the mail's name.

    Kept for a while: it is applied when the name is known, or was of no delivery.
    """

    provider_ref = models.CharField(max_length=120, db_index=True)
    said = models.CharField(max_length=20)  # the words of anymail, as they came
    reason = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.said


class ProviderRest(models.Model):
    """A provider that refuses everybody, and until when nobody asks it.

    `name` says which: a kind of channel, or the origin of a push service. `refused` names
    the addresses refused since it last took a message.
    """

    name = models.CharField(max_length=300, unique=True)
    until = models.DateTimeField(null=True)
    rests = models.PositiveSmallIntegerField(default=0)  # in a row
    refused = models.JSONField(default=list)
    detail = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Digest(models.Model):
    """One member's digest of one day: never empty, never twice."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="digests")
    slot = models.DateTimeField()
    lines = models.JSONField(default=list)
    made_at = models.DateTimeField(default=timezone.now)

    objects: models.Manager[Digest] = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "owner", "slot"], name="digest_once"),
        ]

    def __str__(self) -> str:
        return f"digest of {self.slot:%Y-%m-%d} for {self.owner_id}"


class ReportWishQuerySet(models.QuerySet["ReportWish"]):
    """Reads of who wants the monthly report by mail."""

    def for_owner(self, owner: Owner) -> ReportWishQuerySet:
        """Return the owner's own wishes."""
        return self.filter(membership__owner=owner)

    def due(self, now: datetime) -> ReportWishQuerySet:
        """Return the wishes whose month is over by `now`."""
        return self.filter(next_at__lte=now).order_by("next_at", "pk")


class ReportWish(models.Model):
    """That a member wants the monthly report by mail, and when the next one is due.

    No row, no mail: nobody is mailed a report who did not ask for it.
    """

    membership = models.OneToOneField(Membership, models.CASCADE, related_name="report_wish")
    next_at = models.DateTimeField(db_index=True)
    made_at = models.DateTimeField(default=timezone.now)

    objects = ReportWishQuerySet.as_manager()

    def __str__(self) -> str:
        return f"report for {self.membership_id} at {self.next_at:%Y-%m-%d %H:%M}"


class Change(models.Model):
    """That an object changed, for apps that keep a copy: one row for each object.

    Written by triggers only, so that nobody forgets it. `version` counts the changes;
    `xact` is the transaction of the last one, by which a reader knows which rows are
    final: those of transactions older than every one still under way. A global
    supplier's own change has no household.
    """

    household = models.ForeignKey(
        # No constraint: what is deleted with its household notes that on the way out.
        Household,
        models.CASCADE,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    kind = models.CharField(max_length=12)  # journey, card, asset, supplier, appointment
    object = models.UUIDField()
    version = models.PositiveIntegerField()
    is_deleted = models.BooleanField()
    xact = models.BigIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["object", "kind", "household"],
                name="change_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["household", "xact", "id"], name="change_in_order")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object} v{self.version}"


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    """Reads of calendar subscriptions."""

    def for_owner(self, owner: Owner) -> CalendarFeedQuerySet:
        """Return the owner's own live subscriptions; the other members have theirs."""
        return self.filter(
            owner=owner, revoked_at=None, household__memberships__owner=owner
        ).order_by("pk")


class CalendarFeed(models.Model):
    """An address at which a calendar app reads a household's visits, or one asset's.

    Whoever holds the address reads it, so it is sealed, renewable and revocable, and it
    ends with the membership of the owner who made it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="calendar_feeds")
    asset = models.ForeignKey(Asset, models.CASCADE, null=True, related_name="+")
    sealed_token = models.BinaryField()
    token_index = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)  # when an app asked for it last
    revoked_at = models.DateTimeField(null=True)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "household", "asset"],
                condition=Q(revoked_at=None),
                name="calendarfeed_one_live",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["household"], name="calendarfeed_by_household")]

    def __str__(self) -> str:
        return f"calendar {self.uuid}"

    @staticmethod
    def index(token: str) -> bytes:
        """Return the blind index by which a token is found."""
        return sealing.blind_index(token, field="calendarfeed.token")

    @property
    def token(self) -> str:
        """The token in the clear; for its owner's eyes only."""
        return sealing.unseal(
            self.sealed_token,
            table="notifications_calendarfeed",
            key=str(self.uuid),
            field="token",
        ).decode()

    def set_token(self, token: str) -> None:
        """Seal `token` and note its index."""
        self.sealed_token = sealing.seal(
            token.encode(),
            table="notifications_calendarfeed",
            key=str(self.uuid),
            field="token",
        )
        self.token_index = self.index(token)


class PushDeviceQuerySet(models.QuerySet["PushDevice"]):
    """Reads of push devices."""

    def for_owner(self, owner: Owner) -> PushDeviceQuerySet:
        """Return the owner's own devices."""
        return self.filter(owner=owner).select_related("channel").order_by("pk")


class PushDevice(models.Model):
    """A browser or an app that may be woken; where it is reached is sealed in its channel."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="push_devices")
    channel = models.OneToOneField(Channel, models.CASCADE, related_name="push_device")
    service = models.CharField(max_length=4, choices=PushService, default=PushService.WEB)
    endpoint_index = models.BinaryField(max_length=32, unique=True)  # one device, one owner
    name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PushDeviceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or str(self.uuid)

    @staticmethod
    def index(endpoint: str) -> bytes:
        """Return the blind index by which an endpoint is found."""
        return sealing.blind_index(endpoint, field="pushdevice.endpoint")


class PassQuerySet(OwnedQuerySet["Pass"]):
    """Reads of passes."""

    def live(self, now: datetime) -> PassQuerySet:
        """Return the passes that show something to whoever holds them.

        A pass ends with the right of the member who made it to act for the household.
        """
        acting = Membership.objects.filter(
            household=models.OuterRef("household"),
            owner=models.OuterRef("owner"),
            rank__in=(Rank.MEMBER, Rank.ADMIN),
        )
        return self.filter(models.Exists(acting), revoked_at=None, expires_at__gt=now)


class Pass(models.Model):
    """What a supplier's human may read of a matter or a thing, for a while.

    The code and the token are sealed for their owner, who reads the code aloud again, and
    found by a keyed index: a copy of the database opens nothing. Both are wiped when the
    pass ends.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, null=True, related_name="passes")
    journey = models.ForeignKey(Journey, models.CASCADE, null=True, related_name="passes")
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, related_name="+")
    scope = ArrayField(models.CharField(max_length=12), default=list)  # `pass_rules.SCOPES`
    papers = ArrayField(models.UUIDField(), default=list)
    without = ArrayField(models.CharField(max_length=60), default=list)  # facts left out
    may_write = models.BooleanField(default=False)
    sealed_code = models.BinaryField(default=bytes)
    code_index = models.BinaryField(max_length=32, null=True)
    sealed_token = models.BinaryField(default=bytes)
    token_index = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    code_made_at = models.DateTimeField(default=timezone.now)
    code_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opens = models.PositiveIntegerField(default=0)
    code_opens = models.PositiveIntegerField(default=0)

    objects = PassQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code_index"], condition=Q(code_index__isnull=False), name="pass_one_code"
            ),
            models.UniqueConstraint(
                fields=["token_index"],
                condition=Q(token_index__isnull=False),
                name="pass_one_token",
            ),
            models.CheckConstraint(
                condition=Q(asset__isnull=False) | Q(journey__isnull=False),
                name="pass_about_something",
            ),
        ]
        indexes = [
            models.Index(fields=["household", "-created_at"], name="pass_by_time"),
            # Whose secrets have to be wiped, and what has to be forgotten.
            models.Index(fields=["expires_at"], name="pass_by_end"),
        ]

    def __str__(self) -> str:
        return f"pass {self.uuid}"


class PassVisit(models.Model):
    """That somebody opened a pass: by which way, in what kind of browser, from when to when.

    No address and no name but the one they gave. `secret_hash` is of 128 random bits which
    their browser holds; it opens nothing once the pass ends.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    held = models.ForeignKey(Pass, models.CASCADE, related_name="visits")  # the pass
    way = models.CharField(max_length=7, choices=PassWay)
    browser = models.CharField(max_length=40, blank=True)
    secret_hash = models.BinaryField(max_length=32)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    writes = models.PositiveSmallIntegerField(default=0)

    objects: models.Manager[PassVisit] = OwnedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["held", "-opened_at"], name="passvisit_of_pass")]

    def __str__(self) -> str:
        return f"{self.way} {self.opened_at:%Y-%m-%d %H:%M}"


class PassTry(models.Model):
    """A code that was wrong, and a keyed hash of the network it came from; gone after a day."""

    network = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["network", "at"], name="passtry_of_network"),
            models.Index(fields=["at"], name="passtry_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class OwnCall(models.Model):
    """That a thing said something: its matter, and how that ended.

    What it says follows from what it is about; `own_matters` keeps the two alike.
    """

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    contact = models.OneToOneField(Contact, models.CASCADE, related_name="+")  # that opened it
    due_on = models.DateField(null=True)  # as last said
    quiet_until = models.DateField(null=True)
    is_over = models.BooleanField(default=False)
    # What the owner's doing came to on the matter: taken back when the doing is.
    closing = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")
    quieting = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")
    called_at = models.DateTimeField()

    class Meta:
        abstract = True


class CareCall(OwnCall):
    """That one occurrence of a care task was called for."""

    task = models.ForeignKey(CareTask, models.CASCADE, related_name="+")
    occurrence = models.CharField(max_length=10, blank=True)
    assignee = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")  # as said

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "occurrence"], name="carecall_once"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} after {self.occurrence or 'nothing'}"


class NoticeCall(OwnCall):
    """That a notice was given: stock that runs low, a loan that is due back."""

    notice = models.OneToOneField(Notice, models.CASCADE, related_name="+")
    is_late = models.BooleanField(default=False)  # that its day has passed was said, too
    said_as = models.CharField(max_length=8, blank=True)  # how sure a recall was, as last said

    def __str__(self) -> str:
        return f"notice {self.notice_id}"


class JourneyTie(models.Model):
    """That a journey is about a fault, by the owner's word.

    The journey is named by its public id: one that was just opened has no row yet.
    """

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    journey = models.UUIDField()
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="+")
    tied_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    tied_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issue", "journey"], name="journeytie_once"),
        ]
        indexes = [
            models.Index(fields=["household", "journey"], name="journeytie_of_journey"),
        ]

    def __str__(self) -> str:
        return f"{self.journey} about {self.issue_id}"
