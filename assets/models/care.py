"""What an asset needs done, what was done, and the faults that were found."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.care_words import (
    CareState,
    CareStatus,
    Combinator,
    Finding,
    IssueStatus,
    MarkKind,
    Severity,
    WorkKind,
)
from assets.choices import Source
from assets.cover_words import Cause
from assets.models.asset import Asset
from assets.models.money import CostEntry
from owners.models import Household, Owner

PRESSING = (CareStatus.DUE_SOON, CareStatus.DUE, CareStatus.OVERDUE)


class CareTaskQuerySet(models.QuerySet["CareTask"]):
    """Reads of care tasks."""

    def for_owner(self, owner: Owner) -> CareTaskQuerySet:
        """Return the tasks in `owner`'s households that do not lie in the bin."""
        mine = self.filter(household__memberships__owner=owner)
        return mine.filter(removed_at=None, asset__removed_at=None)

    def by_need(self) -> CareTaskQuerySet:
        """Return what is due first first; what has no day comes last."""
        return self.order_by(models.F("due_on").asc(nulls_last=True), "name", "pk")

    def pressing(self) -> CareTaskQuerySet:
        """Return the tasks that are due, or soon."""
        return self.filter(status__in=PRESSING)

    def turning(self, now: datetime) -> CareTaskQuerySet:
        """Return the tasks whose standing time alone has changed by `now`."""
        return self.filter(removed_at=None, turns_at__lte=now).order_by("turns_at", "pk")


class CareTask(models.Model):
    """Something an asset needs again and again, or once. `triggers`: see `care.Trigger`.

    What follows `is_estimate` is worked out from the history by `caring.refresh`; it is
    kept to be asked for by, and never read to work it out anew.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="care_tasks")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="care_tasks")
    name = models.CharField(max_length=120)
    note = models.TextField(max_length=4000, blank=True)  # how it is done
    triggers = models.JSONField(default=list)
    combinator = models.CharField(max_length=3, choices=Combinator, default=Combinator.ANY)
    season = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)  # months
    lead_days = models.PositiveSmallIntegerField(default=14)
    lead_units = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    last_done_on = models.DateField(null=True, blank=True)  # before there was a log here
    last_done_at = models.DecimalField(  # what the meter showed then, in all
        max_digits=18, decimal_places=3, null=True, blank=True
    )
    pause_when_stored = models.BooleanField(default=False)
    checklist = models.JSONField(default=list, blank=True)  # the points of an inspection
    assignee = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    provider = models.CharField(max_length=120, blank=True)  # who is to do it
    amount = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)  # about
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=6, choices=CareState, default=CareState.ACTIVE)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    source_key = models.CharField(max_length=200, blank=True)  # names it where it came from
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)  # in the bin since

    is_estimate = models.BooleanField(default=False)  # `due_on` follows from use
    status = models.CharField(max_length=8, choices=CareStatus, default=CareStatus.UNKNOWN)
    # What of its meter is used in a month, where the day follows from it.
    use = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    use_unit = models.CharField(max_length=16, blank=True, default="", db_default="")
    due_on = models.DateField(null=True, blank=True)
    due_at = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    missed = models.PositiveSmallIntegerField(default=0)  # fixed ones that one overdue item holds
    occurrence = models.CharField(max_length=10, blank=True)  # after which act it comes
    quiet_until = models.DateField(null=True, blank=True)  # put off
    turns_at = models.DateTimeField(null=True, blank=True)  # when time alone changes this

    objects = CareTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "source_key"],
                condition=~Q(source_key=""),
                name="caretask_once",
            ),
        ]
        indexes = [
            models.Index(fields=["household", "due_on"], name="caretask_by_need"),
            # The sweep reads only what time has changed.
            models.Index(
                fields=["turns_at"],
                condition=Q(turns_at__isnull=False, removed_at=None),
                name="caretask_turning",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CareMark(models.Model):
    """That one occurrence of a task was skipped, put off or moved; taken back, never changed."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    task = models.ForeignKey(CareTask, models.CASCADE, related_name="marks")
    kind = models.CharField(max_length=10, choices=MarkKind)
    occurrence = models.CharField(max_length=10, blank=True)  # the task's when it was made
    made_on = models.DateField()
    until = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=MarkKind.SKIP) | Q(until__isnull=False), name="caremark_has_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.made_on}"


class CareEvent(models.Model):
    """Something that happened to an asset and may call for care: a recall, a failed check."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="care_events")
    name = models.CharField(max_length=40)
    happened_on = models.DateField()
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    source_key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "name", "source_key"],
                condition=~Q(source_key=""),
                name="careevent_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.happened_on}"


class ServiceRecordQuerySet(models.QuerySet["ServiceRecord"]):
    """Reads of what was done."""

    def for_owner(self, owner: Owner) -> ServiceRecordQuerySet:
        """Return what was done in `owner`'s households and was not taken back."""
        mine = self.filter(household__memberships__owner=owner)
        return mine.filter(removed_at=None, asset__removed_at=None)

    def newest(self) -> ServiceRecordQuerySet:
        """Return what was done last first."""
        return self.order_by("-done_on", "-pk")


class ServiceRecord(models.Model):
    """One piece of work that was done on an asset; an asset's log is made of these."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(
        Household, models.CASCADE, related_name="service_records", db_index=False
    )
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="service_records", db_index=False)
    kind = models.CharField(max_length=10, choices=WorkKind, default=WorkKind.SERVICE)
    title = models.CharField(max_length=200)
    note = models.TextField(max_length=8000, blank=True)
    done_on = models.DateField()
    tasks = ArrayField(models.UUIDField(), default=list, blank=True)  # that it completes
    done_by = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    provider = models.CharField(max_length=120, blank=True)  # or who else did it
    work = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    findings = models.JSONField(default=list, blank=True)  # of an inspection, point by point
    finding = models.CharField(max_length=6, choices=Finding, blank=True)  # in all
    papers = ArrayField(models.UUIDField(), default=list, blank=True)  # documents
    cost = models.ForeignKey(CostEntry, models.SET_NULL, null=True, blank=True, related_name="+")
    logged_by = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    source_key = models.CharField(max_length=200, blank=True)  # names it where it came from
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)  # taken back since

    objects = ServiceRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "source_key"],
                condition=~Q(source_key=""),
                name="servicerecord_once",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-done_on", "-id"], name="servicerecord_of_asset"),
            models.Index(fields=["household", "-done_on", "-id"], name="servicerecord_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.title} on {self.done_on}"


class IssueQuerySet(models.QuerySet["Issue"]):
    """Reads of faults."""

    def for_owner(self, owner: Owner) -> IssueQuerySet:
        """Return the faults in `owner`'s households."""
        mine = self.filter(household__memberships__owner=owner)
        return mine.filter(removed_at=None, asset__removed_at=None)

    def open(self) -> IssueQuerySet:
        """Return what still has to be dealt with, the newest first."""
        done = (IssueStatus.RESOLVED, IssueStatus.ACCEPTED)
        return self.exclude(status__in=done).order_by("-noticed_on", "-pk")


class Issue(models.Model):
    """A fault of an asset, and how far it is dealt with."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="issues")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="issues")
    record = models.ForeignKey(  # the inspection that found it
        ServiceRecord, models.SET_NULL, null=True, blank=True, related_name="issues"
    )
    title = models.CharField(max_length=200)
    note = models.TextField(max_length=4000, blank=True)
    cause = models.CharField(
        max_length=8, choices=Cause, default=Cause.UNKNOWN, db_default=Cause.UNKNOWN
    )
    part = models.CharField(max_length=120, blank=True, default="", db_default="")  # of the asset
    provider = models.CharField(  # who repairs it
        max_length=120, blank=True, default="", db_default=""
    )
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.NORMAL)
    status = models.CharField(max_length=11, choices=IssueStatus, default=IssueStatus.OPEN)
    noticed_on = models.DateField()
    resolved_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = IssueQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title
