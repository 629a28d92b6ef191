"""What is owned: an asset, and the identifiers that name it."""

from __future__ import annotations

import uuid
from typing import Any

import pghistory
from django.db import models
from django.utils import timezone

from assets.choices import AssetKind, Custody, IdentifierScheme, Lifecycle, OperationalStatus
from owners.models import Household, Owner


class AssetQuerySet(models.QuerySet["Asset"]):
    """Reads of assets."""

    def for_owner(self, owner: Owner) -> AssetQuerySet:
        """Return the assets of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def looked_after(self) -> AssetQuerySet:
        """Return the assets whose life here has not ended, by name."""
        return self.exclude(lifecycle=Lifecycle.ENDED).order_by("name", "pk")


@pghistory.track()
class Asset(models.Model):
    """A thing the household owns."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="assets")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=AssetKind, default=AssetKind.OTHER)
    maker = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=120, blank=True)
    lifecycle = models.CharField(max_length=8, choices=Lifecycle, default=Lifecycle.ACTIVE)
    operational_status = models.CharField(
        max_length=12, choices=OperationalStatus, default=OperationalStatus.IN_SERVICE
    )
    custody = models.CharField(max_length=13, choices=Custody, default=Custody.WITH_OWNER)
    keeper = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="keeps")
    created_at = models.DateTimeField(default=timezone.now)

    objects = AssetQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["household", "name"], name="asset_by_name")]

    def __str__(self) -> str:
        return self.name


class AssetIdentifier(models.Model):
    """One identifier of an asset, as given; `folded` is what is compared."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=16, choices=IdentifierScheme)
    value = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "scheme", "folded"], name="assetidentifier_once"
            ),
        ]
        indexes = [
            models.Index(fields=["household", "scheme", "folded"], name="assetidentifier_lookup"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.value}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store with the folded twin."""
        self.folded = self.fold(self.value)
        super().save(*args, **kwargs)

    @staticmethod
    def fold(value: str) -> str:
        """Return a value without spaces, dashes and case, for comparison."""
        return "".join(ch for ch in value.upper() if ch.isalnum() or ch in "/:.")
