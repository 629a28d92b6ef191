"""What people bring along from elsewhere: the file, its rows, and what was made of them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.importers.words import OVER, WORKING, ImportState, MadeKind, RowState
from assets.models.asset import Asset
from owners.models import Household, Owner


class ImportQuerySet(models.QuerySet["Import"]):
    """Reads of imports."""

    def for_owner(self, owner: Owner) -> ImportQuerySet:
        """Return the imports of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def due(self, now: datetime) -> ImportQuerySet:
        """Return the imports at which there is work that nobody does, the oldest first."""
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        return self.filter(free, state__in=WORKING).order_by("pk")

    def under_way(self) -> ImportQuerySet:
        """Return the imports that are not over."""
        return self.exclude(state__in=OVER)


class Import(models.Model):
    """One file on its way in. Its bytes lie in the vault until all its rows are read."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="imports")
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.READING)
    form = models.CharField(max_length=40, blank=True)  # see importers.formats
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    columns = models.JSONField(default=list)  # as shown, in order
    evidence = models.JSONField(default=dict)  # by folded name, see importers.values.Evidence
    told = models.JSONField(default=dict)  # what the file says of itself
    answers = models.JSONField(default=dict)  # what the owner says
    asset = models.ForeignKey(  # what rows that name no asset are about
        Asset, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asset_name = models.CharField(max_length=120, blank=True)  # or: one to be made
    rows_read = models.PositiveIntegerField(default=0)
    at_row = models.PositiveIntegerField(default=0)  # the last row that this state is done with
    rows_done = models.PositiveIntegerField(default=0)
    plan = models.JSONField(default=dict)  # what checking found will be made, by sort
    made = models.JSONField(default=dict)  # what was made, by sort
    bad = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)  # assets that an undo left where they are
    fault = models.CharField(max_length=20, blank=True)  # see importers.faults.FILE_FAULTS
    tries = models.PositiveSmallIntegerField(default=0)  # in a row that came to nothing
    lease = models.UUIDField(null=True, blank=True)  # who works at it
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-created_at"], name="import_by_time"),
            # Polled: only what is at work stands in it.
            models.Index(fields=["id"], condition=Q(state__in=WORKING), name="import_at_work"),
            # Whose rows are forgotten after a while.
            models.Index(
                fields=["ended_at"], condition=Q(ended_at__isnull=False), name="import_by_end"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_at_work(self) -> bool:
        """Whether we work at it, so that looking again soon is worth it."""
        return self.state in WORKING

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self.state in OVER


class ImportRow(models.Model):
    """One row of a file, as read; forgotten when it was brought in."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    of = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()  # as a spreadsheet shows it
    section = models.CharField(max_length=60, blank=True)
    values = models.JSONField()
    state = models.CharField(max_length=7, choices=RowState, default=RowState.WAITING)
    key = models.CharField(max_length=180, blank=True)
    turn = models.PositiveIntegerField(default=1)  # of several rows that say the same
    fault = models.CharField(max_length=20, blank=True)  # see importers.faults.ROW_FAULTS
    column = models.CharField(max_length=120, blank=True)
    said = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "number"], name="importrow_once"),
        ]
        indexes = [
            models.Index(fields=["of", "state", "number"], name="importrow_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class Imported(models.Model):
    """What an import made: found again by its key when the file comes again, and taken back."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    of = models.ForeignKey(Import, models.CASCADE, related_name="imported", db_index=False)
    source = models.CharField(max_length=20)
    key = models.CharField(max_length=190, null=True)  # null: came along with another row
    parent_key = models.CharField(max_length=190, blank=True)  # what it is a part of
    kind = models.CharField(max_length=8, choices=MadeKind)
    object = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "source", "key"], name="imported_once"),
        ]
        indexes = [models.Index(fields=["of", "kind", "id"], name="imported_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object}"
