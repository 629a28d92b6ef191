"""What a household's things say of themselves, beside their care."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.choices import NoticeKind
from assets.models.asset import Asset
from owners.models import Household, Owner


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Reads of notices."""

    def for_owner(self, owner: Owner) -> NoticeQuerySet:
        """Return the notices of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def open(self) -> NoticeQuerySet:
        """Return what still holds and was not waved aside, what is due first first."""
        found = self.filter(settled_at=None, dismissed_at=None)
        return found.order_by(models.F("due_on").asc(nulls_last=True), "pk")

    def speaking(self, now: datetime) -> NoticeQuerySet:
        """Return the notices that have something to say by `now`."""
        return self.filter(settled_at=None, speaks_at__lte=now).order_by("speaks_at", "pk")


class Notice(models.Model):
    """Something that a thing says: a part runs low, a loan is due back, a parcel is late.

    What it says follows from its subject; `assets.notices` keeps the two alike.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="notices")
    asset = models.ForeignKey(Asset, models.CASCADE, null=True, blank=True, related_name="notices")
    kind = models.CharField(max_length=12, choices=NoticeKind)
    subject = models.UUIDField()  # the part, the loan, the asset, the contact
    what = models.CharField(max_length=200, blank=True)  # the part, or who is concerned
    due_on = models.DateField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)  # of a schedule: what is proposed
    raised_at = models.DateTimeField(default=timezone.now)
    speaks_at = models.DateTimeField(null=True, blank=True)  # when it has something to say
    dismissed_at = models.DateTimeField(null=True, blank=True)  # the owner wants no more of it
    settled_at = models.DateTimeField(null=True, blank=True)  # it does not hold any more

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(settled_at=None),
                name="notice_once_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["household", "due_on"], name="notice_by_need"),
            models.Index(fields=["subject", "kind"], name="notice_of_subject"),
            # The sweep reads only what speaks by now.
            models.Index(
                fields=["speaks_at"],
                condition=Q(speaks_at__isnull=False, settled_at=None),
                name="notice_speaking",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"

    @property
    def is_open(self) -> bool:
        """Whether it still holds and was not waved aside."""
        return self.settled_at is None and self.dismissed_at is None
