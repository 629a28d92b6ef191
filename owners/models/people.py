"""Who decides: owners, their households, and the channels on which they are reached."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from owners import sealing
from owners.choices import ChannelKind, Moment, Rank, Scope, Topic
from owners.reach import Override, Reach, Wish


class OwnerManager(BaseUserManager["Owner"]):
    """Makes owners; the e-mail address is the name one signs in with."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> Owner:
        """Create an owner; without a password only a code or passkey signs in."""
        owner = self.model(email=self.normalize_email(email).lower(), **fields)
        owner.set_password(password)
        owner.save(using=self._db)
        return owner

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> Owner:
        """Create an operator who may open the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Owner(AbstractBaseUser, PermissionsMixin):
    """A person with an account."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    # Where the device in their hand is now, when it said another zone; empty: at home.
    device_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    language = models.CharField(max_length=12, default="en")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = OwnerManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="owner_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return the name shown to people."""
        return self.name or self.email


class HouseholdQuerySet(models.QuerySet["Household"]):
    """Reads of households."""

    def for_owner(self, owner: Owner) -> HouseholdQuerySet:
        """Return the households in which `owner` is a member."""
        return self.filter(memberships__owner=owner)


class Household(models.Model):
    """The people who share what they own: the root of tenancy."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    zone = models.CharField(max_length=64, default="UTC")
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    survey_cap = models.PositiveSmallIntegerField(default=2)  # offers in 30 days, all suppliers
    intake_alias = models.CharField(
        max_length=40, unique=True, null=True
    )  # mail that is not a mandate's
    needs_you_count = models.PositiveIntegerField(default=0)  # kept with every card write
    needs_words = models.BooleanField(default=False, db_default=False)  # in another language
    is_demo = models.BooleanField(default=False)
    raw_days = models.PositiveSmallIntegerField(default=90)  # messages as received; 0: for ever
    purged_at = models.DateTimeField(null=True, blank=True, db_index=True)  # of old ones
    created_at = models.DateTimeField(default=timezone.now)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("id", name="household_needs_words", condition=models.Q(needs_words=True))
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reads of memberships."""

    def for_owner(self, owner: Owner) -> MembershipQuerySet:
        """Return the memberships of the households in which `owner` is a member."""
        return self.filter(household__memberships__owner=owner)


class Membership(models.Model):
    """An owner in a household: the rank, and how this member wants to be told."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="memberships")
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="memberships")
    rank = models.CharField(max_length=8, choices=Rank, default=Rank.MEMBER)
    prefers = models.CharField(max_length=8, choices=ChannelKind, default=ChannelKind.EMAIL)
    quiet_from = models.TimeField(null=True, blank=True, default=time(22, 0))
    quiet_until = models.TimeField(null=True, blank=True, default=time(8, 0))
    has_quiet_exceptions = models.BooleanField(default=True)
    digest_at = models.TimeField(default=time(18, 0))
    digest_weekday = models.PositiveSmallIntegerField(default=6)  # of the weekly lines; 0: Monday
    has_digest_mail = models.BooleanField(default=True, db_default=True)
    is_digest_weekly = models.BooleanField(default=False, db_default=False)  # on that day only
    # Whether it also names the cards that changed silently and were not looked at since.
    has_digest_changes = models.BooleanField(default=False, db_default=False)
    # Suppliers (their public ids) whose word that it is an emergency is taken at any hour.
    wakers = ArrayField(models.UUIDField(), default=list, blank=True)
    # Topics of which no mail goes out any more, whoever asked for it in a mail.
    unmailed = ArrayField(models.CharField(max_length=10, choices=Topic), default=list, blank=True)
    # Away on these days (both included): `cover` is told instead, or nothing interrupts.
    holiday_from = models.DateField(null=True, blank=True)
    holiday_until = models.DateField(null=True, blank=True)
    cover = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True)  # the last look at the feed
    # The next digest slot; None until it is worked out, and again when the wishes change.
    next_digest_at = models.DateTimeField(null=True, blank=True, db_index=True)
    digested_until = models.DateTimeField(null=True, blank=True)  # what came later is to be told
    weekly_until = models.DateTimeField(null=True, blank=True)  # the same of the weekly lines
    new_count = models.PositiveIntegerField(default=0)  # cards changed since; kept with each write
    intake_number = models.CharField(max_length=20, unique=True, null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "owner"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(digest_weekday__lte=6), name="membership_weekday"
            ),
            models.CheckConstraint(
                condition=models.Q(holiday_from=None, holiday_until=None)
                | models.Q(
                    holiday_from__isnull=False,
                    holiday_until__isnull=False,
                    holiday_until__gte=models.F("holiday_from"),
                ),
                name="membership_holiday_has_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner} in {self.household}"


def hint_of(address: str) -> str:
    """Return what may be shown and logged of a mail address or a number."""
    if "@" not in address:
        return f"…{address[-4:]}"
    local, _, domain = address.partition("@")
    return f"{local[:1]}…@{domain}"[:40]


class ChannelQuerySet(models.QuerySet["Channel"]):
    """Reads of channels."""

    def for_owner(self, owner: Owner) -> ChannelQuerySet:
        """Return `owner`'s own channels; nobody else's address is ever shown."""
        return self.filter(owner=owner)

    def usable(self) -> ChannelQuerySet:
        """Return verified channels that have not failed for good."""
        return self.filter(verified_at__isnull=False, failed_at__isnull=True)

    def at(self, kind: str, address: str) -> ChannelQuerySet:
        """Return the channels with exactly this address."""
        return self.filter(kind=kind, address_index=Channel.index(kind, address))


class Channel(models.Model):
    """An address at which an owner can be reached; sealed, found through a blind index."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=8, choices=ChannelKind)
    sealed_address = models.BinaryField()
    address_index = models.BinaryField(max_length=32)
    hint = models.CharField(max_length=40, blank=True)  # what may be shown and logged
    verified_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True)
    # Only that there is news goes this way; what it says is read on our own pages.
    is_bare = models.BooleanField(default=False, db_default=False)
    # Of several of one kind, the one chosen last is used first; the others follow it.
    chosen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "address_index"], name="channel_address_once"
            ),
        ]
        indexes = [models.Index(fields=["kind", "address_index"], name="channel_lookup")]

    def __str__(self) -> str:
        return f"{self.kind} {self.hint}"

    @staticmethod
    def index(kind: str, address: str) -> bytes:
        """Return the blind index of an address (e-mail addresses in lower case)."""
        return sealing.blind_index(address.strip().lower(), field=f"channel.{kind}")

    @property
    def address(self) -> str:
        """The address in the clear; for the transport only."""
        return sealing.unseal(
            self.sealed_address, table="owners_channel", key=str(self.uuid), field="address"
        ).decode()

    @property
    def shown(self) -> str:
        """What its owner is shown: no token of a device or a chat."""
        is_secret = self.kind in (ChannelKind.PUSH, ChannelKind.CHAT)
        return self.hint if is_secret else self.address

    def set_address(self, address: str, *, hint: str = "") -> None:
        """Seal `address` and note its index and hint, one of ours where none is given."""
        address = address.strip()
        self.sealed_address = sealing.seal(
            address.encode(), table="owners_channel", key=str(self.uuid), field="address"
        )
        self.address_index = self.index(self.kind, address)
        self.hint = hint[:40] or hint_of(address)


class ChannelCodeQuerySet(models.QuerySet["ChannelCode"]):
    """Reads of verification codes."""

    def waiting(self, now: datetime) -> ChannelCodeQuerySet:
        """Return the codes that nobody has taken to send yet, the oldest first."""
        return self.filter(queued_at=None, used_at=None, expires_at__gt=now).order_by("pk")


class ChannelCode(models.Model):
    """A code that proves a channel; delivery takes it from here and sets `queued_at`."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="codes")
    sealed_code = models.BinaryField()
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects = ChannelCodeQuerySet.as_manager()

    class Meta:
        indexes = [
            # The queue of codes to send: taken rows leave it.
            models.Index(
                fields=["id"],
                condition=models.Q(queued_at=None, used_at=None),
                name="channelcode_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"code for {self.channel}"

    @property
    def code(self) -> str:
        """The code in the clear; for the transport and the comparison only."""
        return sealing.unseal(
            self.sealed_code, table="owners_channelcode", key=str(self.uuid), field="code"
        ).decode()

    def set_code(self, code: str) -> None:
        """Seal `code` for this row."""
        self.sealed_code = sealing.seal(
            code.encode(), table="owners_channelcode", key=str(self.uuid), field="code"
        )


class RequestKey(models.Model):
    """An `Idempotency-Key` an app has used, kept for ever; the answer it got for a day.

    An answer may hold what is shown once, as a token.
    """

    owner = models.ForeignKey(Owner, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    sealed_answer = models.BinaryField(null=True)
    headers = models.JSONField(default=dict)  # of the answer: its version, and what undoes it
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="requestkey_once"),
        ]
        indexes = [
            models.Index(
                fields=["used_at"],
                condition=models.Q(sealed_answer__isnull=False),
                name="requestkey_answered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.owner_id}"


class ReachRule(models.Model):
    """One cell that a member changed in the reach matrix.

    Without a scope it holds for the whole household; with one, for the supplier, asset or
    journey whose public id is `subject`.
    """

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="reach_rules")
    topic = models.CharField(max_length=10, choices=Topic)
    moment = models.CharField(max_length=5, choices=Moment)
    channel = models.CharField(max_length=8, choices=ChannelKind, blank=True)
    scope = models.CharField(max_length=8, choices=Scope, blank=True, default="")
    subject = models.UUIDField(null=True, blank=True)
    # Only above so much money, only what happens within so many hours; else one moment later.
    over = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    within_hours = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "topic", "scope", "subject"],
                name="reachrule_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(scope="", subject=None)
                | (~models.Q(scope="") & models.Q(subject__isnull=False)),
                name="reachrule_scope_has_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic}: {self.moment}"


class ChannelWish(models.Model):
    """What a member wishes of one kind of channel: quiet hours of its own, and how much.

    Quiet hours of its own without ends: never quiet. Without a cap, the usual one holds.
    """

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="channel_wishes")
    kind = models.CharField(max_length=8, choices=ChannelKind)
    has_own_quiet = models.BooleanField(default=False)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    cap = models.PositiveSmallIntegerField(null=True, blank=True)  # notifications in 24 hours

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "kind"], name="channelwish_once"),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(has_own_quiet=True, quiet_from__isnull=False, quiet_until__isnull=False),
                name="channelwish_quiet_has_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.membership_id}"


def wish_of(rule: ReachRule) -> Wish:
    """Return what one rule says, as a value."""
    return Wish(
        Moment(rule.moment),
        ChannelKind(rule.channel) if rule.channel else None,
        over=None if rule.over is None else Decimal(str(rule.over)),
        within=None if rule.within_hours is None else timedelta(hours=rule.within_hours),
    )


def quiet_of(wish: ChannelWish) -> tuple[time, time] | None:
    """Return the quiet hours that one kind of channel has of its own; None: never quiet."""
    if wish.quiet_from is None or wish.quiet_until is None:
        return None
    return wish.quiet_from, wish.quiet_until


def home_zone(owner: Owner, household: Household) -> str:
    """Return the time zone an owner lives in: what happens at home is said in it."""
    return owner.zone if owner.zone != "UTC" else household.zone


def reach_of(
    membership: Membership,
    *,
    rules: Sequence[ReachRule],
    kinds: Sequence[str],
    by_channel: Sequence[ChannelWish],
) -> Reach:
    """Return a member's wishes as a value.

    `rules` and `by_channel` are the membership's, `kinds` those of the owner's usable
    channels. The clock is that of the device, else of the owner, else of the household.
    """
    owner = membership.owner
    return Reach(
        zone=ZoneInfo(owner.device_zone or home_zone(owner, membership.household)),
        prefers=ChannelKind(membership.prefers),
        channels=tuple(ChannelKind(kind) for kind in kinds),
        rules={Topic(rule.topic): wish_of(rule) for rule in rules if not rule.scope},
        overrides=tuple(
            Override(
                scope=Scope(rule.scope),
                subject=str(rule.subject),
                topic=Topic(rule.topic),
                wish=wish_of(rule),
            )
            for rule in rules
            if rule.scope
        ),
        quiet_from=membership.quiet_from,
        quiet_until=membership.quiet_until,
        quiet_by={ChannelKind(w.kind): quiet_of(w) for w in by_channel if w.has_own_quiet},
        has_quiet_exceptions=membership.has_quiet_exceptions,
        caps={ChannelKind(wish.kind): wish.cap for wish in by_channel if wish.cap is not None},
        unmailed=tuple(Topic(topic) for topic in membership.unmailed),
        wakers=frozenset(map(str, membership.wakers)),
        digest_at=membership.digest_at,
        digest_weekday=membership.digest_weekday,
        is_digest_weekly=membership.is_digest_weekly,
        holiday_from=membership.holiday_from,
        holiday_until=membership.holiday_until,
    )
