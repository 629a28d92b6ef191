"""What a household tells many suppliers at once: the piece of news, and each who was told."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.models import Asset
from owners import sealing
from owners.models import Household, Owner
from suppliers.choices import AnswerState, NewsKind

_SEALED = "suppliers_announcement"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    """Reads of what was told."""

    def for_owner(self, owner: Owner) -> AnnouncementQuerySet:
        """Return what `owner`'s households told, the newest first."""
        mine = self.filter(household__memberships__owner=owner)
        return mine.order_by("-announced_at", "-pk")


class Announcement(models.Model):
    """A piece of news, told once to the suppliers that the owner chose.

    `value` is the new address, number, name or mail address; it and what stood there before
    are sealed. `sends_at` is until when it can be taken back.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="announcements")
    told_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=NewsKind)
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="announcements")
    on = models.DateField()  # from when it holds
    note = models.CharField(max_length=500, blank=True)  # the owner's own words to all
    sealed_value = models.BinaryField(null=True)
    sealed_before = models.BinaryField(null=True)
    announced_at = models.DateTimeField(default=timezone.now)
    sends_at = models.DateTimeField()
    remind_on = models.DateField()  # when the owner hears who has not answered
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-announced_at"], name="announcement_of_home"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.on}"

    @property
    def value(self) -> str:
        """What is new, in the clear; empty for news of a thing."""
        return self._open(self.sealed_value, "value")

    @property
    def before(self) -> str:
        """What the home's fact said before, in the clear."""
        return self._open(self.sealed_before, "before")

    def seal(self, *, value: str, before: str) -> None:
        """Seal both for this row."""
        self.sealed_value = self._closed(value, "value")
        self.sealed_before = self._closed(before, "before")

    def _open(self, sealed: bytes | memoryview | None, field: str) -> str:
        if sealed is None:
            return ""
        return sealing.unseal(
            bytes(sealed), table=_SEALED, key=str(self.uuid), field=field
        ).decode()

    def _closed(self, text: str, field: str) -> bytes | None:
        if not text:
            return None
        return sealing.seal(text.encode(), table=_SEALED, key=str(self.uuid), field=field)


class AddresseeQuerySet(models.QuerySet["Addressee"]):
    """Reads of who was told."""

    def for_owner(self, owner: Owner) -> AddresseeQuerySet:
        """Return whom `owner`'s households told."""
        return self.filter(household__memberships__owner=owner)


class Addressee(models.Model):
    """One supplier that was told, and what it answered.

    `event` is the public id of the outbound event that tells it. `taught` are the facts
    that its mandate gained by it, so that taking it back takes exactly these.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    announcement = models.ForeignKey(Announcement, models.CASCADE, related_name="addressees")
    mandate = models.ForeignKey("suppliers.Mandate", models.CASCADE, related_name="+")
    event = models.UUIDField(unique=True)
    is_ours = models.BooleanField(default=True)  # else it was told already, by another way
    taught = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=9, choices=AnswerState, default=AnswerState.WAITING)
    # The contact that said so; none where the owner did.
    answer = models.ForeignKey(
        "suppliers.Contact", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    says = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = AddresseeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["announcement", "mandate"], name="addressee_once"),
        ]
        indexes = [
            # What an answer is looked for among; answered ones may yet be answered better.
            models.Index(
                fields=["mandate"], condition=Q(is_ours=True), name="addressee_of_mandate"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mandate}: {self.state}"
