"""What authorities call back, and which of it may mean something that is owned."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from assets.choices import Source
from assets.cover_words import Confidence, RecallState
from assets.models.asset import Asset
from assets.models.care import ServiceRecord
from assets.models.cover import OfAssets
from assets.models.document import Document
from owners.models import Household

OPEN_RECALLS = (RecallState.NEW, RecallState.OWNER_CONFIRMED, RecallState.REMEDY_BOOKED)


class RecallNotice(models.Model):
    """One recall as it was published, kept as it was read.

    What an authority published is nobody's. What a supplier or a former owner told one
    household of is that household's, and means nothing for any other.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(
        Household, models.CASCADE, null=True, blank=True, related_name="+"
    )
    source = models.CharField(max_length=12)  # of `suppliers.recall_sources`, or who told it
    declared_by = models.CharField(max_length=120, blank=True)  # where no authority did
    number = models.CharField(max_length=80)
    published_on = models.DateField(null=True, blank=True)
    updated_on = models.DateField(null=True, blank=True)
    title = models.CharField(max_length=300)
    hazard = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    do_not_use = models.BooleanField(default=False)  # do not drive, keep outside, stop using
    url = models.URLField(max_length=500, blank=True)
    raw = models.JSONField(default=dict)
    fetched_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "number", "household"],
                nulls_distinct=False,
                name="recallnotice_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class RecallCriterion(models.Model):
    """One way in which a thing is named in a recall; all that is given has to fit."""

    notice = models.ForeignKey(RecallNotice, models.CASCADE, related_name="criteria")
    brand = models.CharField(max_length=120, blank=True)
    brand_folded = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=200, blank=True)
    product = models.CharField(max_length=200, blank=True)  # what sort of thing
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    gtin = models.CharField(max_length=14, blank=True)
    lot = models.CharField(max_length=200, blank=True)
    serial_from = models.CharField(max_length=80, blank=True)
    serial_to = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["brand_folded"], name="recallcriterion_by_brand"),
            models.Index(
                fields=["gtin"], condition=~models.Q(gtin=""), name="recallcriterion_by_gtin"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand} {self.model}".strip() or self.gtin


class RecallMatch(models.Model):
    """That a recall may mean an asset, and how far the household dealt with it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="recall_matches")
    notice = models.ForeignKey(RecallNotice, models.CASCADE, related_name="matches")
    confidence = models.CharField(max_length=8, choices=Confidence)
    by = models.CharField(max_length=8, blank=True)  # serial, batch, gtin, model, maker; told
    state = models.CharField(max_length=15, choices=RecallState, default=RecallState.NEW)
    booked_on = models.DateField(null=True, blank=True)
    remedied_on = models.DateField(null=True, blank=True)
    provider = models.CharField(max_length=120, blank=True)  # who puts it right
    proof = models.ForeignKey(Document, models.SET_NULL, null=True, blank=True, related_name="+")
    record = models.ForeignKey(  # the work as it was logged or reported
        ServiceRecord, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=200, blank=True)
    said_in = models.UUIDField(null=True, blank=True)  # the contact that spoke of it last
    source = models.CharField(max_length=8, choices=Source, default=Source.SELF)  # of its state
    found_at = models.DateTimeField(default=timezone.now)

    objects = OfAssets["RecallMatch"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "notice"], name="recallmatch_once"),
        ]
        indexes = [
            models.Index(fields=["household", "state"], name="recallmatch_by_state"),
            # The list of a household's recalls, the newest first.
            models.Index(fields=["household", "-found_at"], name="recallmatch_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} for {self.asset_id}"

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.state in OPEN_RECALLS


class RecallFeed(models.Model):
    """One question that is put to an authority again and again, and when it is due next.

    `key` is what is asked about: nothing for a list by date, else maker, model and year.
    """

    source = models.CharField(max_length=12)
    key = models.CharField(max_length=300, blank=True)
    seen_until = models.DateField(null=True, blank=True)  # what was published by then is here
    asked_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    # What the last answer was known by, so that the same is not sent again.
    etag = models.CharField(max_length=200, blank=True)
    modified = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="recallfeed_once"),
        ]
        # The sweep reads only what is due.
        indexes = [models.Index(fields=["next_at"], name="recallfeed_due")]

    def __str__(self) -> str:
        return f"{self.source} {self.key}".strip()
