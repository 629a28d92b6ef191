"""What puts a fault right and who pays for it: repairs, claims, contracts and their fees."""

from __future__ import annotations

import uuid
from typing import Self, TypeVar

import pghistory
from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.choices import CoverageKind, Source
from assets.cover_words import Basis, ClaimState, ContractKind, Method, OrderState, Remedy
from assets.models.asset import Asset
from assets.models.care import Issue, ServiceRecord
from assets.models.meters import Meter
from assets.models.money import CostEntry, Coverage
from owners.models import Household, Owner

Row = TypeVar("Row", bound=models.Model)


class OfAssets(models.QuerySet[Row]):
    """Reads of what belongs to assets."""

    def for_owner(self, owner: Owner) -> Self:
        """Return the rows of `owner`'s assets."""
        mine = self.filter(asset__household__memberships__owner=owner)
        return mine.filter(asset__removed_at=None)


class WorkOrder(models.Model):
    """A repair that is planned, asked for, under way or done."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="orders")
    issue = models.ForeignKey(Issue, models.SET_NULL, null=True, blank=True, related_name="orders")
    title = models.CharField(max_length=200)
    note = models.TextField(max_length=4000, blank=True)
    provider = models.CharField(max_length=120, blank=True)
    planned_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=11, choices=OrderState, default=OrderState.PLANNED)
    amount = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)  # quoted
    currency = models.CharField(max_length=3, blank=True)
    record = models.ForeignKey(  # what was done in the end
        ServiceRecord, models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    matter = models.UUIDField(null=True, blank=True)  # the journey in which it is arranged
    stated_at = models.DateTimeField(null=True, blank=True)  # when the owner said how far it is
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfAssets["WorkOrder"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["asset", "-created_at"], name="workorder_of_asset"),
            # A matter that moves brings its repairs along.
            models.Index(
                fields=["matter"], condition=Q(matter__isnull=False), name="workorder_of_matter"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state not in (OrderState.DONE, OrderState.CANCELLED)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Claim(models.Model):
    """What was asked of whoever is to pay, and what came of it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="claims")
    issue = models.ForeignKey(Issue, models.SET_NULL, null=True, blank=True, related_name="claims")
    coverage = models.ForeignKey(
        Coverage, models.SET_NULL, null=True, blank=True, related_name="claims"
    )
    kind = models.CharField(max_length=20, choices=CoverageKind)
    obligor = models.CharField(max_length=120, blank=True)
    number = models.CharField(max_length=80, blank=True)  # as the obligor calls it
    state = models.CharField(max_length=9, choices=ClaimState, default=ClaimState.DRAFT)
    filed_on = models.DateField(null=True, blank=True)
    answered_on = models.DateField(null=True, blank=True)
    resolved_on = models.DateField(null=True, blank=True)
    answer_by = models.DateField(null=True, blank=True)
    claimed = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)  # paid
    currency = models.CharField(max_length=3, blank=True)
    remedy = models.CharField(max_length=11, choices=Remedy, blank=True)
    note = models.TextField(max_length=4000, blank=True)
    cost = models.ForeignKey(  # what came back, as a cost less
        CostEntry, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    said_in = models.UUIDField(null=True, blank=True)  # the contact that spoke of it last
    # What it said that differs from what the owner wrote, until the owner decides.
    told = models.JSONField(default=dict, blank=True)
    stated_at = models.DateTimeField(null=True, blank=True)  # when the owner said how far it is
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfAssets["Claim"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[ClaimState.DRAFT, ClaimState.WITHDRAWN])
                | Q(filed_on__isnull=False),
                name="claim_sent_has_day",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-created_at"], name="claim_of_asset"),
            # A claim that a supplier speaks of is found by its number.
            models.Index(
                fields=["household", "number"], condition=~Q(number=""), name="claim_by_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}".strip()


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Contract(models.Model):
    """What is paid for again and again: a supply, a subscription, a lease, a loan, a policy."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="contracts")
    kind = models.CharField(max_length=12, choices=ContractKind)
    party = models.CharField(max_length=120)
    number = models.CharField(max_length=80, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(null=True, blank=True)  # before its end
    renews_months = models.PositiveSmallIntegerField(null=True, blank=True)  # by itself, by so long
    cancelled_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfAssets["Contract"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="contract_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-starts_on"], name="contract_of_asset"),
            models.Index(fields=["household", "ends_on"], name="contract_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.party}"


class Fee(models.Model):
    """What a contract costs from a day on; a later fee of the contract ends an earlier one.

    `months` is how long one payment lasts; 0 is paid once. A variable fee is about this much:
    what is really paid is written down as a cost, and counts instead from the first such day.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    contract = models.ForeignKey(Contract, models.CASCADE, related_name="fees")
    since = models.DateField()
    months = models.PositiveSmallIntegerField(default=1)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    interest = models.DecimalField(  # of a loan's instalment: the rest is no cost
        max_digits=14, decimal_places=4, null=True, blank=True
    )
    currency = models.CharField(max_length=3)
    is_variable = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "since"], name="fee_one_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} from {self.since}"


class Valuation(models.Model):
    """What a thing was worth on a day, and by whose word."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="valuations")
    on = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=3)
    basis = models.CharField(max_length=11, choices=Basis, default=Basis.MARKET)
    note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfAssets["Valuation"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="valuation_not_negative"),
        ]
        indexes = [models.Index(fields=["asset", "-on"], name="valuation_of_asset")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} on {self.on}"


class ValuePlan(models.Model):
    """How a thing loses value; without one, evenly over ten years, down to nothing."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.OneToOneField(Asset, models.CASCADE, related_name="value_plan")
    method = models.CharField(max_length=9, choices=Method, default=Method.STRAIGHT)
    salvage = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    life_months = models.PositiveSmallIntegerField(default=120)
    rate = models.DecimalField(  # lost in a year: 0.2 is a fifth
        max_digits=5, decimal_places=4, null=True, blank=True
    )
    life_units = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    meter = models.ForeignKey(Meter, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rate=None) | (Q(rate__gte=0) & Q(rate__lt=1)),
                name="valueplan_rate_is_share",
            ),
            models.CheckConstraint(condition=Q(salvage__gte=0), name="valueplan_salvage_positive"),
            models.CheckConstraint(
                condition=Q(life_units=None) | Q(life_units__gt=0),
                name="valueplan_units_positive",
            ),
            models.CheckConstraint(condition=Q(life_months__gt=0), name="valueplan_life_positive"),
        ]

    def __str__(self) -> str:
        return self.method
