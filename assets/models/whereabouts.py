"""Where an asset is when it is not at home: lent, lost, stolen, or found by a stranger."""

from __future__ import annotations

import uuid

import pghistory
from django.db import models
from django.utils import timezone

from assets.choices import Custody, Source
from assets.models.asset import Asset
from owners.models import Household, Owner


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Loan(models.Model):
    """An asset in somebody else's hands for a while."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="loans")
    borrower = models.CharField(max_length=120)
    reach = models.CharField(max_length=200, blank=True)  # how the borrower is reached
    out_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    back_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset"], condition=models.Q(back_on=None), name="loan_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-out_on"], name="loan_of_asset"),
            # What is overdue, in the sweep.
            models.Index(fields=["due_on"], condition=models.Q(back_on=None), name="loan_due"),
        ]

    def __str__(self) -> str:
        return f"{self.borrower} {self.out_on}"


class Loss(models.Model):
    """An asset that was lost or stolen, and whom that was reported to."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="losses")
    kind = models.CharField(
        max_length=6,
        choices=[
            (Custody.LOST.value, Custody.LOST.label),
            (Custody.STOLEN.value, Custody.STOLEN.label),
        ],
    )
    on = models.DateField()
    where = models.CharField(max_length=200, blank=True)
    reported_to = models.CharField(max_length=120, blank=True)
    report_no = models.CharField(max_length=80, blank=True)
    note = models.TextField(blank=True)
    found_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset"], condition=models.Q(found_on=None), name="loss_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.on}"


class Label(models.Model):
    """The code on an asset's label: opens the asset for members, a safe page for others."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.OneToOneField(Asset, models.CASCADE, related_name="label")
    code = models.CharField(max_length=16, unique=True)  # 80 bits: cannot be guessed
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.code


class FinderNote(models.Model):
    """What somebody who found an asset left for its household; a stranger's words."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="finder_notes")
    text = models.CharField(max_length=1000)
    reach = models.CharField(max_length=200, blank=True)  # how the finder wants to be reached
    left_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["asset", "-left_at"], name="findernote_of_asset")]

    def __str__(self) -> str:
        return self.text[:40]
