"""What is owned: an asset, and the identifiers that name it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import pghistory
from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Upper
from django.utils import timezone

from assets.choices import (
    AssetKind,
    Custody,
    EndReason,
    FindableKind,
    IdentifierScheme,
    LeavingAs,
    Lifecycle,
    OperationalStatus,
    Source,
)
from assets.models.finding import Findable, Wording, in_every_language
from owners.models import Household, Owner

# Suppliers stand above assets: their rows and states are reached by name only.
SERVING = """
    SELECT count(*) FROM (
        SELECT m.supplier_id FROM suppliers_mandate m
        JOIN suppliers_mandate_assets covered ON covered.mandate_id = m.id
        WHERE covered.asset_id = assets_asset.id AND m.state <> 'ended'
        UNION
        SELECT r.supplier_id FROM suppliers_role r WHERE r.asset_id = assets_asset.id
    ) serving
"""


class AssetQuerySet(models.QuerySet["Asset"]):
    """Reads of assets."""

    def for_owner(self, owner: Owner) -> AssetQuerySet:
        """Return the assets of `owner`'s households that do not lie in the bin."""
        return self.filter(household__memberships__owner=owner, removed_at=None)

    def looked_after(self) -> AssetQuerySet:
        """Return the assets whose life here has not ended, by name."""
        here = self.filter(removed_at=None).exclude(lifecycle=Lifecycle.ENDED)
        return here.order_by("name", "pk")

    def with_serving(self) -> AssetQuerySet:
        """Count who serves each asset: who may write about it, and who has a role for it."""
        return self.annotate(serving=RawSQL(SERVING, [], output_field=models.IntegerField()))  # noqa: S611 - no value in it


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
    template = models.CharField(max_length=40, blank=True)  # what it was added as; the icon follows
    # A path, "House / Cellar / Shelf 2"; what has the same beginning is in the same place.
    place = models.CharField(max_length=200, blank=True)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="components"
    )
    quantity = models.PositiveIntegerField(default=1, db_default=1)
    notes = models.TextField(blank=True, default="", db_default="")
    custom = models.JSONField(default=dict, db_default={}, blank=True)  # by the uuid of CustomField
    is_insured = models.BooleanField(default=False, db_default=False)
    bought_on = models.DateField(null=True, blank=True)
    in_service_on = models.DateField(null=True, blank=True)
    leaving_as = models.CharField(
        max_length=9, choices=LeavingAs, blank=True, default="", db_default=""
    )
    ended_on = models.DateField(null=True, blank=True)
    end_reason = models.CharField(
        max_length=10, choices=EndReason, blank=True, default="", db_default=""
    )
    # Who stated what the last write wrote. Its history keeps both beside each version.
    source = models.CharField(
        max_length=8, choices=Source, default=Source.SELF, db_default=Source.SELF
    )
    written_by = models.ForeignKey(Owner, models.SET_NULL, null=True, blank=True, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)  # in the bin since
    created_at = models.DateTimeField(default=timezone.now)

    objects = AssetQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "name"], name="asset_by_name"),
            # The list of places, and what is in one: opclass for its beginnings.
            models.Index(
                fields=["household", "place"],
                name="asset_by_place",
                opclasses=["int8_ops", "varchar_pattern_ops"],
                condition=~models.Q(place=""),
            ),
            # Whom a recall of a maker may mean, over all households.
            models.Index(Upper("maker"), name="asset_by_maker", condition=~models.Q(maker="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(parent=None) | ~models.Q(parent=models.F("id")),
                name="asset_not_its_own_part",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store, and let it be found."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.note_words()

    def note_words(self) -> None:
        """Let the asset be found by its names and identifiers."""
        if self.removed_at is not None:
            Findable.objects.forget(
                households=[self.household_id], kind=FindableKind.ASSET, uuids=[self.uuid]
            )
            return
        values = AssetIdentifier.objects.filter(asset=self).values_list("value", flat=True)
        tags = self.taggings.values_list("tag__name", flat=True)
        Findable.objects.note([self.wording(values=values, tags=tags)])

    def wording(self, *, values: Iterable[str], tags: Iterable[str]) -> Wording:
        """Return the words by which the asset is found, its identifiers and tags given."""
        made = f"{self.maker} {self.model}".strip()
        return Wording(
            household_id=self.household_id,
            kind=FindableKind.ASSET,
            uuid=self.uuid,
            title=self.name,
            detail=made,
            texts=(
                made,
                *in_every_language(AssetKind(self.kind).label),
                self.place,
                *values,
                *tags,
                *(str(value) for value in self.custom.values()),
                self.notes,
            ),
            at=self.created_at,
        )


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class AssetIdentifier(models.Model):
    """One identifier of an asset, as given; `folded` is what is compared."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=16, choices=IdentifierScheme)
    value = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)
    issuer = models.CharField(max_length=120, blank=True, default="", db_default="")
    # Whether its check digits are right; None where the scheme has none.
    is_valid = models.BooleanField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)  # somebody who must know confirmed it
    source = models.CharField(
        max_length=8, choices=Source, default=Source.SELF, db_default=Source.SELF
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "scheme", "folded"], name="assetidentifier_once"
            ),
        ]
        indexes = [
            models.Index(fields=["household", "scheme", "folded"], name="assetidentifier_lookup"),
            # Whom a recall of a product may mean, over all households.
            models.Index(
                fields=["folded"],
                name="assetidentifier_gtin",
                condition=models.Q(scheme=IdentifierScheme.GTIN),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.value}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store with the folded twin."""
        self.folded = self.fold(self.value)
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.asset.note_words()

    @staticmethod
    def fold(value: str) -> str:
        """Return a value without spaces, dashes and case, for comparison."""
        return "".join(ch for ch in value.upper() if ch.isalnum() or ch in "/:.")
