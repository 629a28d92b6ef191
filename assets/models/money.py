"""What an asset cost when it was acquired, what it costs since, and what covers it."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import pghistory
from django.db import models
from django.utils import timezone

from assets.choices import (
    BoughtAs,
    Condition,
    CostCategory,
    CoverageKind,
    CoverageState,
    PriceKind,
    Source,
)
from assets.models.asset import Asset
from owners.models import Household, Owner


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Acquisition(models.Model):
    """How an asset came into the household."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.OneToOneField(Asset, models.CASCADE, related_name="acquisition")
    seller = models.CharField(max_length=120, blank=True)
    order_no = models.CharField(max_length=80, blank=True)
    ordered_on = models.DateField(null=True, blank=True)
    expected_on = models.DateField(null=True, blank=True)
    delivered_on = models.DateField(null=True, blank=True)
    return_by = models.DateField(null=True, blank=True)
    condition = models.CharField(max_length=11, choices=Condition, default=Condition.NEW)
    bought_as = models.CharField(max_length=8, choices=BoughtAs, default=BoughtAs.CONSUMER)
    payment = models.CharField(max_length=80, blank=True)  # how it was paid
    jurisdiction = models.CharField(max_length=2, blank=True)  # whose law holds (ISO 3166)
    currency = models.CharField(max_length=3, blank=True)  # of the price lines (ISO 4217)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)

    def __str__(self) -> str:
        return f"{self.seller} {self.order_no}".strip()

    @property
    def total(self) -> Decimal | None:
        """What was paid in all; None where no price is known. A discount is a negative line."""
        amounts = [line.amount for line in self.lines.all()]
        return sum(amounts, Decimal()) if amounts else None


class PriceLine(models.Model):
    """One line of the price."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    acquisition = models.ForeignKey(Acquisition, models.CASCADE, related_name="lines")
    kind = models.CharField(max_length=12, choices=PriceKind, default=PriceKind.GROSS)
    label = models.CharField(max_length=120, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=4)

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Coverage(models.Model):
    """Somebody's promise to pay for an asset, or to repair it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="coverages")
    kind = models.CharField(max_length=20, choices=CoverageKind)
    obligor = models.CharField(max_length=120, blank=True)  # who pays
    reference = models.CharField(max_length=80, blank=True)  # policy or contract number
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)  # the last day on which it holds
    months = models.PositiveSmallIntegerField(null=True, blank=True)  # as the paper says it
    is_lifetime = models.BooleanField(default=False)
    scope = models.CharField(max_length=120, blank=True)  # parts, labour, ...
    terms = models.TextField(blank=True)
    excess = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    meter_limit = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    meter_unit = models.CharField(max_length=12, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    # Within how many days of noticing a fault has to be told; until when to register.
    notice_days = models.PositiveSmallIntegerField(null=True, blank=True)
    register_by = models.DateField(null=True, blank=True)
    registered_on = models.DateField(null=True, blank=True)
    is_transferable = models.BooleanField(null=True, blank=True)  # to the next owner
    state = models.CharField(max_length=9, choices=CoverageState, default=CoverageState.ACTIVE)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["household", "ends_on"], name="coverage_by_end"),
            models.Index(fields=["asset", "ends_on"], name="coverage_of_asset"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.obligor}".strip()

    def state_on(self, day: date) -> CoverageState:
        """Return how the cover stands on a day: void and suspended stay so, the rest by date."""
        stated = CoverageState(self.state)
        if stated in {CoverageState.VOIDED, CoverageState.SUSPENDED, CoverageState.EXPIRED}:
            return stated
        if self.ends_on is not None and not self.is_lifetime and self.ends_on < day:
            return CoverageState.EXPIRED
        if self.starts_on is not None and self.starts_on > day:
            return CoverageState.PENDING
        return stated


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class CostEntry(models.Model):
    """Money spent on an asset; what came back (a refund, a sale) is negative."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="costs")
    on = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=3)
    category = models.CharField(max_length=12, choices=CostCategory, default=CostCategory.OTHER)
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    added_by = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["asset", "-on"], name="costentry_of_asset"),
            models.Index(fields=["household", "-on"], name="costentry_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.amount} {self.currency}"
