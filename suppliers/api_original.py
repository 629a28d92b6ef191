"""A mail as it was sent, for apps."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import documents
from assets.serving import as_download
from owners import clock
from owners.api.edge import OwnerView, once, owner_of
from owners.api.problems import Problem
from owners.models import Owner
from suppliers import originals
from suppliers.models import Contact


class AttachmentOut(serializers.Serializer[Any]):
    """A file that came with a mail."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    media_type = serializers.CharField(
        allow_blank=True, help_text="What its bytes are; empty when unknown."
    )
    declared_type = serializers.CharField(allow_blank=True, help_text="What the sender says.")
    size = serializers.IntegerField()


class OriginalOut(serializers.Serializer[Any]):
    """A mail as it was sent, made harmless."""

    contact = serializers.UUIDField()
    is_kept = serializers.BooleanField(help_text="Its bytes are still here.")
    is_readable = serializers.BooleanField()
    is_proved = serializers.BooleanField(help_text="Only then does a link in it lead anywhere.")
    sender = serializers.CharField(allow_blank=True)
    recipient = serializers.CharField(allow_blank=True)
    subject = serializers.CharField(allow_blank=True)
    html = serializers.CharField(
        allow_blank=True,
        help_text="Loads and runs nothing; pictures that came with it are inside. Still show it "
        "in a view that may neither run scripts nor load anything.",
    )
    text = serializers.CharField(allow_blank=True, help_text="In full, with what it quotes.")
    trackers = serializers.IntegerField(help_text="Hidden pictures and links that were cleaned.")
    left_out = serializers.IntegerField(help_text="Pictures from elsewhere, never loaded.")
    misleading = serializers.IntegerField(help_text="Links that name another address.")
    attachments = AttachmentOut(many=True)


class KeptOut(serializers.Serializer[Any]):
    """A document that was made of an attachment."""

    id = serializers.UUIDField()
    name = serializers.CharField()


def my_mail(owner: Owner, key: UUID) -> Contact:
    """Return the owner's contact that came as a mail."""
    found: Contact = originals.mails(owner).get(uuid=key)
    return found


class OneOriginal(OwnerView):
    """A mail as it was sent."""

    @extend_schema(operation_id="contacts_original", responses=OriginalOut)
    def get(self, request: Request, contact: UUID) -> Response:
        """Return a mail as it was sent; 404 for what did not come as one."""
        found = originals.of(my_mail(owner_of(request), contact))
        return Response(
            {
                "contact": str(contact),
                "is_kept": found.is_kept,
                "is_readable": found.is_readable,
                "is_proved": found.is_proved,
                "sender": found.sender,
                "recipient": found.recipient,
                "subject": found.subject,
                "html": found.html,
                "text": found.text,
                "trackers": found.trackers,
                "left_out": found.left_out,
                "misleading": found.misleading,
                "attachments": [
                    {
                        "number": one.number,
                        "name": one.name,
                        "media_type": one.media_type,
                        "declared_type": one.declared,
                        "size": one.size,
                    }
                    for one in found.attachments
                ],
            }
        )


class OriginalFile(OwnerView):
    """A file that came with a mail."""

    @extend_schema(
        operation_id="contacts_original_file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, contact: UUID, number: int) -> HttpResponse:
        """Return the file's bytes."""
        name, content = _file(my_mail(owner_of(request), contact), number)
        return as_download(content, name=name)

    @extend_schema(operation_id="contacts_original_keep", request=None, responses={201: KeptOut})
    @once
    def post(self, request: Request, contact: UUID, number: int) -> Response:
        """Keep the file among the household's documents."""
        owner = owner_of(request)
        mine = my_mail(owner, contact)
        try:
            kept = originals.keep(contact=mine, number=number, owner=owner, now=clock.now())
        except originals.GoneError as error:
            raise Problem(404, code="not_found", detail="There is no such file.") from error
        except documents.DocumentError as error:
            raise Problem(422, code=error.code, detail=error.detail) from error
        return Response({"id": str(kept.uuid), "name": kept.name}, status=201)


def _file(contact: Contact, number: int) -> tuple[str, bytes]:
    try:
        return originals.attachment(contact, number=number)
    except originals.GoneError as error:
        raise Problem(404, code="not_found", detail="There is no such file.") from error


urlpatterns = [
    path("contacts/<uuid:contact>/original/", OneOriginal.as_view(), name="contact-original"),
    path(
        "contacts/<uuid:contact>/original/<int:number>/",
        OriginalFile.as_view(),
        name="contact-original-file",
    ),
]
