"""What owners trust us by: invitations, tokens, the access log, exports, deletions, undo."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from owners import sealing
from owners.choices import ExportState, Rank, RestoreState, TokenScope
from owners.models.people import Channel, Household, Owner, hint_of


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Reads of invitations."""

    def for_owner(self, owner: Owner) -> InvitationQuerySet:
        """Return the invitations into households in which `owner` is an admin."""
        return self.filter(
            household__memberships__owner=owner, household__memberships__rank=Rank.ADMIN
        )

    def open(self, now: datetime) -> InvitationQuerySet:
        """Return the invitations that can still be accepted."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)

    def waiting(self, now: datetime) -> InvitationQuerySet:
        """Return the invitations that nobody has taken to send yet, the oldest first."""
        return self.open(now).filter(queued_at=None).order_by("pk")


class Invitation(models.Model):
    """An invitation into a household: one mail, one use.

    Delivery takes it from here and sets `queued_at`. The token opens it; only its hash is
    looked up, and the sealed copy goes away with the mail.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    sealed_address = models.BinaryField()
    address_index = models.BinaryField(max_length=32)
    hint = models.CharField(max_length=40)
    rank = models.CharField(max_length=8, choices=Rank, default=Rank.MEMBER)
    token_hash = models.BinaryField(max_length=32, unique=True)
    sealed_token = models.BinaryField()
    language = models.CharField(max_length=12, default="en")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "address_index"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open",
            ),
        ]
        indexes = [
            # The queue of invitations to send: taken rows leave it.
            models.Index(fields=["id"], condition=Q(queued_at=None), name="invitation_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.hint} into {self.household}"

    @property
    def address(self) -> str:
        """The address in the clear."""
        return sealing.unseal(
            self.sealed_address, table="owners_invitation", key=str(self.uuid), field="address"
        ).decode()

    @property
    def token(self) -> str:
        """The token in the clear; for the mail only."""
        return sealing.unseal(
            self.sealed_token, table="owners_invitation", key=str(self.uuid), field="token"
        ).decode()

    def set_address(self, address: str) -> None:
        """Seal `address` and note its index and hint."""
        self.sealed_address = sealing.seal(
            address.encode(), table="owners_invitation", key=str(self.uuid), field="address"
        )
        self.address_index = Channel.index("email", address)
        self.hint = hint_of(address)

    def set_token(self, token: str) -> None:
        """Seal `token` for the mail that carries it."""
        self.sealed_token = sealing.seal(
            token.encode(), table="owners_invitation", key=str(self.uuid), field="token"
        )


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Reads of tokens."""

    def for_owner(self, owner: Owner) -> ApiTokenQuerySet:
        """Return `owner`'s own tokens."""
        return self.filter(owner=owner)

    def live(self) -> ApiTokenQuerySet:
        """Return the tokens that open the API."""
        return self.filter(revoked_at=None, owner__is_active=True)


class ApiToken(models.Model):
    """A token by which a program acts for an owner; only its hash is kept."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=4, choices=TokenScope, default=TokenScope.READ)
    token_hash = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=8)  # its last letters
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} …{self.hint}"


class AccessEntryQuerySet(models.QuerySet["AccessEntry"]):
    """Reads of the access log."""

    def for_owner(self, owner: Owner) -> AccessEntryQuerySet:
        """Return what concerns `owner`: their own account, and the households they are in."""
        mine = Household.objects.for_owner(owner).values("pk")
        return self.filter(Q(subject_id=owner.pk) | Q(household_id__in=mine))


class AccessEntry(models.Model):
    """One line of the access log: who saw or changed what, and when.

    The lines are chained: `chain_hash` is a keyed hash over the one before and
    `content_hash`, which covers everything the line says. Erasing an owner blanks what a
    line says and leaves its hashes, so the chain still holds; a later line names every
    line that was blanked. The ids are plain numbers: a line outlives what it names.
    """

    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    actor_id = models.BigIntegerField(null=True)  # the owner who did it
    subject_id = models.BigIntegerField(null=True, db_index=True)  # the owner it concerns
    household_id = models.BigIntegerField(null=True, db_index=True)
    what = models.JSONField(default=dict)
    salt = models.BinaryField(max_length=16)
    content_hash = models.BinaryField(max_length=32)
    chain_hash = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField(null=True)

    objects = AccessEntryQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"


class AccessHead(models.Model):
    """The end of the access log: one row, locked by whoever writes the next line."""

    number = models.BigIntegerField(default=0)
    chain_hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"up to {self.number}"


class ExportQuerySet(models.QuerySet["Export"]):
    """Reads of exports."""

    def for_owner(self, owner: Owner) -> ExportQuerySet:
        """Return `owner`'s own exports."""
        return self.filter(owner=owner)

    def due(self, now: datetime) -> ExportQuerySet:
        """Return the exports that wait for somebody to work on them."""
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.filter(free, state=ExportState.WAITING).order_by("pk")


class Export(models.Model):
    """Everything of one owner, being put together or ready to be taken.

    Finished sections are kept, so whoever takes over after a crash goes on from there.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="exports")
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    done = models.PositiveSmallIntegerField(default=0)  # sections
    total = models.PositiveSmallIntegerField(default=1)
    size = models.BigIntegerField(default=0)  # bytes, before they are packed
    created_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveSmallIntegerField(default=0)

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(state="waiting"), name="export_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"export of {self.owner_id}: {self.percent} %"

    @property
    def percent(self) -> int:
        """How much is done."""
        if self.state == ExportState.READY:
            return 100
        return min(99, 100 * self.done // max(1, self.total))


class ExportPart(models.Model):
    """A piece of one file of an export, sealed; pieces with one name follow each other."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    export = models.ForeignKey(Export, models.CASCADE, related_name="parts")
    name = models.CharField(max_length=200)
    sealed = models.BinaryField()
    # Of a table: how many rows end in this piece, and the sum that compares them (32 bytes).
    rows = models.PositiveIntegerField(default=0, db_default=0)
    digest = models.BinaryField(max_length=32, null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> bytes:
        """The piece in the clear."""
        return sealing.unseal(
            self.sealed, table="owners_exportpart", key=str(self.uuid), field="content"
        )

    def set_content(self, content: bytes) -> None:
        """Seal `content` for this row."""
        self.sealed = sealing.seal(
            content, table="owners_exportpart", key=str(self.uuid), field="content"
        )


class DeletionQuerySet(models.QuerySet["Deletion"]):
    """Reads of deletions that were asked for."""

    def for_owner(self, owner: Owner) -> DeletionQuerySet:
        """Return `owner`'s own deletion and those of their households."""
        of_household = Q(household__memberships__owner=owner)
        return self.filter(Q(household=None, owner=owner) | of_household).distinct()

    def due(self, now: datetime) -> DeletionQuerySet:
        """Return the deletions whose grace is over."""
        return self.filter(due_at__lte=now).order_by("due_at")


class Deletion(models.Model):
    """What is to be deleted once its grace is over: a household, or an owner's account.

    Cancelling removes the row; carrying it out removes it with everything else.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="+")  # who asked
    household = models.OneToOneField(Household, models.CASCADE, null=True, related_name="deletion")
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(db_index=True)

    objects = DeletionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(household=None), name="deletion_one_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household or self.owner} on {self.due_at:%Y-%m-%d}"


class ChangeQuerySet(models.QuerySet["Change"]):
    """Reads of changes."""

    def for_owner(self, owner: Owner) -> ChangeQuerySet:
        """Return what `owner` did, and what anybody did in `owner`'s households."""
        mine = Household.objects.for_owner(owner).values("pk")
        return self.filter(Q(household=None, owner=owner) | Q(household__in=mine))

    def in_the_bin(self, now: datetime) -> ChangeQuerySet:
        """Return what was removed and can still be put back, the latest first."""
        kept = self.filter(is_removal=True, undone_at=None, expires_at__gt=now)
        return kept.order_by("-changed_at", "-pk")


class Change(models.Model):
    """Something an owner changed, with what it takes to undo it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, null=True, related_name="+")
    owner = models.ForeignKey(Owner, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=30)
    subject = models.UUIDField(null=True)  # the public id of what was changed
    label = models.CharField(max_length=200)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    is_removal = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    undone_at = models.DateTimeField(null=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-changed_at"], name="change_by_time"),
            models.Index(fields=["owner", "-id"], name="change_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.label}"


class RestoreQuerySet(models.QuerySet["Restore"]):
    """Reads of exports that are brought in."""

    def for_owner(self, owner: Owner) -> RestoreQuerySet:
        """Return what `owner` brings in."""
        return self.filter(owner=owner)

    def due(self, now: datetime) -> RestoreQuerySet:
        """Return what waits for somebody to bring it in."""
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.filter(free, state=RestoreState.WAITING).order_by("pk")


class Restore(models.Model):
    """An export of another server, or of an earlier one, that an owner brings in.

    It is looked at when it arrives (`plan`), and written when the owner says so: all of it,
    or nothing. The file is kept sealed until then.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Owner, models.CASCADE, related_name="restores")
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()  # bytes of the file
    state = models.CharField(max_length=9, choices=RestoreState, default=RestoreState.LOOKED_AT)
    plan = models.JSONField(default=dict)  # what is in it: `config.archives.Plan`
    made = models.JSONField(default=dict)  # rows written, by section
    code = models.CharField(max_length=40, blank=True)  # why it could not be brought in
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveSmallIntegerField(default=0)

    objects = RestoreQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="restore_of_owner"),
            # The queue: what was brought in leaves it.
            models.Index(fields=["id"], condition=Q(state="waiting"), name="restore_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.owner_id}: {self.state}"


class RestorePart(models.Model):
    """A piece of the file that is brought in, sealed."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    restore = models.ForeignKey(Restore, models.CASCADE, related_name="parts")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"a piece of {self.restore_id}"

    @property
    def content(self) -> bytes:
        """The piece in the clear."""
        return sealing.unseal(
            self.sealed, table="owners_restorepart", key=str(self.uuid), field="content"
        )

    def set_content(self, content: bytes) -> None:
        """Seal `content` for this row."""
        self.sealed = sealing.seal(
            content, table="owners_restorepart", key=str(self.uuid), field="content"
        )
