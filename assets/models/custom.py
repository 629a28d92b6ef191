"""What a household adds to the register by itself: tags, fields of its own, templates."""

from __future__ import annotations

import uuid

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from assets import folding
from assets.choices import AssetKind, FieldType
from assets.models.asset import Asset
from owners.models import Household, Owner


class TagQuerySet(models.QuerySet["Tag"]):
    """Reads of tags."""

    def for_owner(self, owner: Owner) -> TagQuerySet:
        """Return the tags of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class Tag(models.Model):
    """A word that a household puts on assets; `folded` is what is compared."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60)
    folded = models.CharField(max_length=80)
    assets = models.ManyToManyField(Asset, through="Tagging", related_name="tags")

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "folded"], name="tag_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def fold(name: str) -> str:
        """Return a tag's name as it is compared."""
        return folding.fold(" ".join(name.split()))[:80]


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent())
class Tagging(models.Model):
    """A tag on an asset."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings")
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="taggings")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asset", "tag"], name="tagging_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} {self.asset_id}"


class CustomFieldQuerySet(models.QuerySet["CustomField"]):
    """Reads of the households' own fields."""

    def for_owner(self, owner: Owner) -> CustomFieldQuerySet:
        """Return the fields of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class CustomField(models.Model):
    """A field of a household's own; its values stand in `Asset.custom` under its uuid."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="custom_fields")
    name = models.CharField(max_length=60)
    type = models.CharField(max_length=7, choices=FieldType, default=FieldType.TEXT)
    choices = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    # Only for assets of this kind; empty: for all.
    kind = models.CharField(max_length=16, choices=AssetKind, blank=True)
    is_retired = models.BooleanField(default=False)  # no longer asked for; its values stay

    objects = CustomFieldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "name", "kind"], name="customfield_once"),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateQuerySet(models.QuerySet["Template"]):
    """Reads of the households' own templates."""

    def for_owner(self, owner: Owner) -> TemplateQuerySet:
        """Return the templates of `owner`'s households."""
        return self.filter(household__memberships__owner=owner)


class Template(models.Model):
    """What a household starts from when it adds a thing: its own, or ours as it changed it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="templates")
    slug = models.CharField(max_length=40)
    body = models.JSONField()  # in the form of the files in assets/data/templates
    changed_at = models.DateTimeField(default=timezone.now)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "slug"], name="template_once"),
        ]

    def __str__(self) -> str:
        return self.slug
