"""How an asset is shown to others, and how it passes to its next owner."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from assets.choices import EndReason
from assets.models.asset import Asset
from assets.passing_words import SharePart, TakenTo, TransferState
from owners import sealing
from owners.models import Channel, Household, Owner
from owners.models.people import hint_of

Row = TypeVar("Row", bound=models.Model)
TOKEN_MOST = 100


def token_hash(token: str) -> bytes:
    """Return what is looked up of a token."""
    return hashlib.sha256(token.encode()).digest()


class LetterQuerySet(models.QuerySet[Row]):
    """Reads of what is sent as a link, by whom and to whom."""

    def for_owner(self, owner: Owner) -> Self:
        """Return what `owner`'s households gave out."""
        return self.filter(household__memberships__owner=owner)

    def by_token(self, token: str) -> Self:
        """Return what a token is for, whatever became of it."""
        if not token or len(token) > TOKEN_MOST:
            return self.none()
        return self.filter(token_hash=token_hash(token))


class Letter(models.Model):
    """What somebody outside the household is given a link to, by mail or by hand.

    Only the token's hash is looked up; the sealed copy is for the mail and for whoever hands
    the link over. Delivery takes what has an address and was not taken, and sets `queued_at`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="+")
    made_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    sealed_address = models.BinaryField(null=True)
    address_index = models.BinaryField(max_length=32, null=True)
    hint = models.CharField(max_length=40, blank=True)
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    sealed_token = models.BinaryField(null=True)
    language = models.CharField(max_length=12, default="en")
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def _place(self, field: str) -> dict[str, str]:
        return {"table": self._meta.db_table, "key": str(self.uuid), "field": field}

    @property
    def address(self) -> str:
        """The mail address in the clear, or nothing: the link is handed over."""
        if self.sealed_address is None:
            return ""
        return sealing.unseal(self.sealed_address, **self._place("address")).decode()

    @property
    def token(self) -> str:
        """The token in the clear; for the mail, and for who hands the link over."""
        if self.sealed_token is None:
            return ""
        return sealing.unseal(self.sealed_token, **self._place("token")).decode()

    def set_address(self, address: str) -> None:
        """Seal an address with its index and hint; an empty one takes it away."""
        if not address:
            self.sealed_address = self.address_index = None
            self.hint = ""
            return
        self.sealed_address = sealing.seal(address.encode(), **self._place("address"))
        self.address_index = Channel.index("email", address)
        self.hint = hint_of(address)

    def set_token(self, token: str) -> None:
        """Seal a new token; an empty one leaves none that opens."""
        if not token:
            self.token_hash = self.sealed_token = None
            return
        self.token_hash = token_hash(token)
        self.sealed_token = sealing.seal(token.encode(), **self._place("token"))


class ShareQuerySet(LetterQuerySet["Share"]):
    """Reads of shares."""

    def open(self, now: datetime) -> ShareQuerySet:
        """Return the shares that hold at `now`, taken or not."""
        lasting = Q(expires_at=None) | Q(expires_at__gt=now)
        here = self.filter(lasting, revoked_at=None, asset__removed_at=None)
        return here.filter(asset__ended_on=None)

    def held_by(self, owner: Owner, now: datetime) -> ShareQuerySet:
        """Return what `owner` was shown by others and may still see."""
        return self.open(now).filter(owner=owner)

    def invited(self, now: datetime) -> ShareQuerySet:
        """Return the shares that nobody has taken yet and somebody still may."""
        return self.open(now).filter(owner=None, invited_until__gt=now)

    def waiting(self, now: datetime) -> ShareQuerySet:
        """Return the shares whose letter nobody has taken to send yet, the oldest first."""
        found = self.invited(now).filter(queued_at=None, sealed_address__isnull=False)
        return found.order_by("pk")


class Share(Letter):
    """That one person may see one asset, and perhaps tick its care; nothing else of a home.

    `owner` is who: a helper of the household from the start, anybody else once they took it.
    """

    owner = models.ForeignKey(Owner, models.CASCADE, null=True, related_name="shares_held")
    parts = ArrayField(models.CharField(max_length=8, choices=SharePart), default=list)
    may_tick = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)  # no end: as long as the rank of a helper lasts
    invited_until = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "owner"],
                condition=Q(revoked_at=None, owner__isnull=False),
                name="share_one_each",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-created_at"], name="share_of_asset"),
            models.Index(fields=["household", "-created_at"], name="share_of_home"),
            models.Index(fields=["owner"], condition=Q(revoked_at=None), name="share_held"),
            # The queue of letters: taken rows leave it.
            models.Index(
                fields=["id"],
                condition=Q(queued_at=None, sealed_address__isnull=False),
                name="share_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} for {self.hint or self.owner_id}"


class TransferQuerySet(LetterQuerySet["Transfer"]):
    """Reads of transfers."""

    def to_owner(self, owner: Owner) -> TransferQuerySet:
        """Return what is or was offered to `owner` by name, or taken over by them."""
        drafted = self.exclude(state=TransferState.DRAFT)
        return drafted.filter(Q(receiver=owner) | Q(receiver=None, addressee=owner))

    def standing(self) -> TransferQuerySet:
        """Return the transfers that are under way."""
        under_way = (TransferState.DRAFT, TransferState.OFFERED, TransferState.ACCEPTED)
        return self.filter(state__in=under_way)

    def lapsing(self, now: datetime) -> TransferQuerySet:
        """Return the transfers whose time is over and that nobody has closed."""
        open_ones = (TransferState.OFFERED, TransferState.ACCEPTED)
        return self.filter(state__in=open_ones, expires_at__lte=now).order_by("expires_at", "pk")

    def waiting(self, now: datetime) -> TransferQuerySet:
        """Return the offers whose letter nobody has taken to send yet, the oldest first."""
        offered = self.filter(state=TransferState.OFFERED, expires_at__gt=now, addressee=None)
        return offered.filter(queued_at=None, sealed_address__isnull=False).order_by("pk")


class Transfer(Letter):
    """That an asset passes to its next owner. `transfer_rules` says which steps there are."""

    state = models.CharField(max_length=9, choices=TransferState, default=TransferState.DRAFT)
    reason = models.CharField(max_length=10, choices=EndReason, default=EndReason.SOLD)
    is_paper = models.BooleanField(default=False)  # for somebody without Steward: no link
    wishes = models.JSONField(default=dict)  # what passes of what is asked: `packing.Wishes`
    keeps = ArrayField(models.UUIDField(), default=list)  # mandates that do not end with it
    checked = ArrayField(models.CharField(max_length=20), default=list)  # of the checklist
    days = models.PositiveSmallIntegerField(default=14)  # for which the offer stands
    package = models.JSONField(null=True)  # as it was offered; signed once it is handed over
    addressee = models.ForeignKey(  # who is told of it here
        Owner, models.SET_NULL, null=True, related_name="+"
    )
    receiver = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    receiving = models.ForeignKey(  # the household that takes it over
        Household, models.SET_NULL, null=True, related_name="+"
    )
    taken_to = models.CharField(max_length=9, choices=TakenTo, blank=True)
    offered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    asked_back = ArrayField(models.CharField(max_length=6), default=list)  # by which side
    before = models.JSONField(default=dict)  # what it takes to undo the end of the seller's time

    objects = TransferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset"],
                condition=Q(
                    state__in=[
                        TransferState.DRAFT,
                        TransferState.OFFERED,
                        TransferState.ACCEPTED,
                    ]
                ),
                name="transfer_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state=TransferState.DRAFT)
                | Q(state=TransferState.WITHDRAWN)
                | Q(offered_at__isnull=False),
                name="transfer_offered_first",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[TransferState.COMPLETED, TransferState.UNDONE])
                | Q(completed_at__isnull=False, accepted_at__isnull=False),
                name="transfer_completed_by_both",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-created_at"], name="transfer_of_asset"),
            models.Index(fields=["household", "-created_at"], name="transfer_of_home"),
            models.Index(fields=["receiver"], name="transfer_received"),
            models.Index(
                fields=["addressee"],
                condition=Q(addressee__isnull=False),
                name="transfer_addressed",
            ),
            # The queue of letters: taken rows leave it.
            models.Index(
                fields=["id"],
                condition=Q(
                    queued_at=None,
                    addressee=None,
                    sealed_address__isnull=False,
                    state=TransferState.OFFERED,
                ),
                name="transfer_waiting",
            ),
            # The sweep reads only what is under way.
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=[TransferState.OFFERED, TransferState.ACCEPTED]),
                name="transfer_lapsing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id}: {self.state}"


class ReceivedQuerySet(models.QuerySet["Received"]):
    """Reads of what came along with assets."""

    def for_owner(self, owner: Owner) -> ReceivedQuerySet:
        """Return what came along with the assets of `owner`'s households."""
        mine = self.filter(household__memberships__owner=owner)
        return mine.filter(asset__removed_at=None)


class Received(models.Model):
    """The signed package that an asset came with: who stated what before it was ours."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.OneToOneField(Asset, models.CASCADE, related_name="received")
    package_id = models.UUIDField()
    package = models.JSONField()
    sha256 = models.BinaryField(max_length=32)  # of what was signed
    issuer = models.CharField(max_length=200)
    key = models.CharField(max_length=60)
    is_confirmed = models.BooleanField(default=False)  # the issuer publishes this key
    lacking = ArrayField(models.CharField(max_length=200), default=list)  # files that did not come
    let_in = ArrayField(models.CharField(max_length=120), default=list)  # suggestions dealt with
    taken_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now)

    objects = ReceivedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "package_id"], name="received_once"),
        ]

    def __str__(self) -> str:
        return f"{self.package_id} from {self.issuer}"


class OwnershipQuerySet(models.QuerySet["Ownership"]):
    """Reads of who owned what when."""

    def for_owner(self, owner: Owner) -> OwnershipQuerySet:
        """Return the owners of the assets of `owner`'s households, the first first."""
        mine = self.filter(household__memberships__owner=owner, asset__removed_at=None)
        return mine.order_by("asset", "number")


class Ownership(models.Model):
    """One owner's time with an asset; owners are numbers, and never named to the next."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="ownerships")
    number = models.PositiveSmallIntegerField()
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    is_ours = models.BooleanField(default=False)

    objects = OwnershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "number"], name="ownership_once"),
            models.CheckConstraint(
                condition=Q(since=None) | Q(until=None) | Q(until__gte=F("since")),
                name="ownership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"owner {self.number} of {self.asset_id}"


class PackageFileQuerySet(models.QuerySet["PackageFile"]):
    """Reads of packages that are being looked at."""

    def for_owner(self, owner: Owner) -> PackageFileQuerySet:
        """Return the packages that `owner` is about to take in."""
        return self.filter(owner=owner)


class PackageFile(models.Model):
    """A package somebody sent to look at; its bytes lie in the vault until it is taken in."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="+")
    is_confirmed = models.BooleanField(null=True)  # what its issuer said of its key; None: nothing
    sent_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = PackageFileQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.uuid)
