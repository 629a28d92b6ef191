"""Spare parts and consumables: what lies in stock, and what was used."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from assets.choices import Source
from assets.models.asset import Asset
from owners.models import Household, Owner


class PartQuerySet(models.QuerySet["Part"]):
    """Reads of parts."""

    def for_owner(self, owner: Owner) -> PartQuerySet:
        """Return the parts of `owner`'s households that do not lie in the bin."""
        return self.filter(household__memberships__owner=owner, removed_at=None)

    def fitting(self, asset: Asset) -> PartQuerySet:
        """Return the parts that fit an asset, by name."""
        return self.filter(fits__contains=[asset.uuid]).order_by("name", "pk")

    def low(self) -> PartQuerySet:
        """Return what has to be bought again."""
        return self.filter(reorder_at__isnull=False, quantity__lte=F("reorder_at"))


class Part(models.Model):
    """A spare part or consumable, and how much of it lies where."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="parts")
    name = models.CharField(max_length=120)
    number = models.CharField(max_length=80, blank=True)  # the maker's
    quantity = models.DecimalField(max_digits=14, decimal_places=3, default=Decimal(0))
    unit = models.CharField(max_length=16, blank=True)
    reorder_at = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    place = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=500, blank=True)
    fits = ArrayField(models.UUIDField(), default=list, blank=True)  # assets
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    source_key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)  # in the bin since

    objects = PartQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=0), name="part_not_below_nothing"),
            models.UniqueConstraint(
                fields=["household", "source_key"],
                condition=~Q(source_key=""),
                name="part_once",
            ),
        ]
        indexes = [models.Index(fields=["household", "name"], name="part_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_low(self) -> bool:
        """Whether it has to be bought again."""
        return self.reorder_at is not None and self.quantity <= self.reorder_at


class PartUse(models.Model):
    """That a piece of work took parts from the stock."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    record = models.ForeignKey("assets.ServiceRecord", models.CASCADE, related_name="parts_used")
    part = models.ForeignKey(Part, models.CASCADE, related_name="uses")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    taken = models.DecimalField(max_digits=14, decimal_places=3)  # what there was of it in stock

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "part"], name="partuse_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="partuse_something"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.part_id}"
