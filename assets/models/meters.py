"""What is counted on an asset: its meters, their readings, and how one follows another."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.care_words import MeterKind, SwapKind
from assets.choices import Source
from assets.models.asset import Asset
from owners.models import Household, Owner


class MeterQuerySet(models.QuerySet["Meter"]):
    """Reads of meters."""

    def for_owner(self, owner: Owner) -> MeterQuerySet:
        """Return the meters in `owner`'s households that do not lie in the bin."""
        mine = self.filter(household__memberships__owner=owner)
        return mine.filter(removed_at=None, asset__removed_at=None)


class Meter(models.Model):
    """One thing that is counted or measured on an asset: kilometres, hours, pressure."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="meters")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="meters")
    name = models.CharField(max_length=80)
    unit = models.CharField(max_length=16, blank=True)
    kind = models.CharField(max_length=10, choices=MeterKind, default=MeterKind.CUMULATIVE)
    rolls_over_at = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)  # in the bin since

    objects = MeterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "name"], condition=Q(removed_at=None), name="meter_one_name"
            ),
            models.CheckConstraint(
                condition=Q(rolls_over_at=None) | Q(rolls_over_at__gt=0), name="meter_rolls_above"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MeterReadingQuerySet(models.QuerySet["MeterReading"]):
    """Reads of readings."""

    def for_owner(self, owner: Owner) -> MeterReadingQuerySet:
        """Return the readings in `owner`'s households, without those taken back."""
        mine = self.filter(household__memberships__owner=owner, removed_at=None)
        return mine.filter(meter__removed_at=None, meter__asset__removed_at=None)

    def counting(self) -> MeterReadingQuerySet:
        """Return the readings that are believed."""
        return self.filter(removed_at=None, is_doubtful=False)


class MeterReading(models.Model):
    """What a meter showed on a day. `value` is as shown; see `care.effective`."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    meter = models.ForeignKey(Meter, models.CASCADE, related_name="readings", db_index=False)
    read_on = models.DateField()
    value = models.DecimalField(max_digits=18, decimal_places=3)
    record = models.ForeignKey(  # the work at which it was read
        "assets.ServiceRecord", models.SET_NULL, null=True, blank=True, related_name="readings"
    )
    # It contradicts its neighbours and nobody has said why: it counts for nothing.
    is_doubtful = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    source_key = models.CharField(max_length=200, blank=True)  # names it where it came from
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = MeterReadingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meter", "source_key"],
                condition=~Q(source_key=""),
                name="meterreading_once",
            ),
        ]
        indexes = [
            models.Index(fields=["meter", "-read_on", "-id"], name="meterreading_by_day"),
            models.Index(fields=["household", "-read_on"], name="meterreading_of_home"),
        ]

    def __str__(self) -> str:
        return f"{self.value.normalize():f} on {self.read_on}"


class MeterReplacement(models.Model):
    """That a meter began anew: replaced, or past its last digit. It is no service."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    meter = models.ForeignKey(Meter, models.CASCADE, related_name="replacements")
    kind = models.CharField(max_length=11, choices=SwapKind, default=SwapKind.REPLACED)
    replaced_on = models.DateField()
    last_old = models.DecimalField(max_digits=18, decimal_places=3)
    first_new = models.DecimalField(max_digits=18, decimal_places=3, default=Decimal(0))
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.last_old} to {self.first_new} on {self.replaced_on}"
