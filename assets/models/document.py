"""The photos and papers of what is owned."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.db import models
from django.utils import timezone

from assets.choices import DocumentKind
from assets.models.asset import Asset
from owners.models import Household, Owner


class DocumentQuerySet(models.QuerySet["Document"]):
    """Reads of documents."""

    def for_owner(self, owner: Owner) -> DocumentQuerySet:
        """Return the documents of `owner`'s households that do not lie in the bin."""
        return self.filter(household__memberships__owner=owner, removed_at=None)


class Document(models.Model):
    """A photo or a paper. Its bytes lie sealed in the vault, under names only this row knows."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    household = models.ForeignKey(Household, models.CASCADE, related_name="documents")
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="documents")
    added_by = models.ForeignKey(Owner, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=DocumentKind, default=DocumentKind.OTHER)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)  # by its content, never by its name
    # Where it lies when it lies elsewhere (Paperless, a maker's page); then there are no bytes.
    url = models.CharField(max_length=500, blank=True, default="", db_default="")
    size = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)  # of the bytes as kept
    has_thumb = models.BooleanField(default=False)
    has_text = models.BooleanField(default=False)  # its words can be searched
    # Its words stand in pictures, which are read when there is time.
    awaits_reading = models.BooleanField(default=False, db_default=False)
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)  # in the bin since

    objects = DocumentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-added_at"], name="document_by_time"),
            models.Index(fields=["asset", "-added_at"], name="document_of_asset"),
            # Polled: only what is still to be read stands in it.
            models.Index(
                fields=["id"], condition=models.Q(awaits_reading=True), name="document_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """Whose machine a linked document lies on; empty for one that is kept here."""
        return urlsplit(self.url).hostname or "" if self.url else ""
