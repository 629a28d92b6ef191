"""What authorities call back, and which of it may mean something that is owned."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from assets.cover_words import Confidence, RecallState
from assets.models.asset import Asset
from assets.models.cover import OfAssets
from assets.models.document import Document
from owners.models import Household


class RecallNotice(models.Model):
    """One recall as an authority published it; nobody's, and kept as it was read."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=12)  # of `recall_sources.SOURCES`
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
            models.UniqueConstraint(fields=["source", "number"], name="recallnotice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.number}"


class RecallCriterion(models.Model):
    """One way in which a thing is named in a recall; all that is given has to fit."""

    notice = models.ForeignKey(RecallNotice, models.CASCADE, related_name="criteria")
    brand = models.CharField(max_length=120, blank=True)
    brand_folded = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=200, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    gtin = models.CharField(max_length=14, blank=True)
    lot = models.CharField(max_length=80, blank=True)
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
    state = models.CharField(max_length=15, choices=RecallState, default=RecallState.NEW)
    booked_on = models.DateField(null=True, blank=True)
    remedied_on = models.DateField(null=True, blank=True)
    proof = models.ForeignKey(Document, models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    found_at = models.DateTimeField(default=timezone.now)

    objects = OfAssets["RecallMatch"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "notice"], name="recallmatch_once"),
        ]
        indexes = [models.Index(fields=["household", "state"], name="recallmatch_by_state")]

    def __str__(self) -> str:
        return f"{self.notice_id} for {self.asset_id}"


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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="recallfeed_once"),
        ]
        # The sweep reads only what is due.
        indexes = [models.Index(fields=["next_at"], name="recallfeed_due")]

    def __str__(self) -> str:
        return f"{self.source} {self.key}".strip()
