"""Photos and papers for apps: listed, sent in parts, read back, put into the bin."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from assets import documents, vault
from assets.choices import DocumentKind
from assets.models import Asset, Document
from assets.serving import give_out
from owners import clock, households, undo
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Household, Owner


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households a document may be added to."""
    return Household.objects.for_owner(owner)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets a document may belong to."""
    return Asset.objects.for_owner(owner).select_related("household")


class FileIn(serializers.Serializer[Any]):
    """A file for an asset."""

    file = serializers.FileField(max_length=300)
    name = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False)


class DocumentIn(FileIn):
    """A file for a household, and for one of its assets."""

    household = Known(my_households)
    asset = Known(my_assets, required=False)


class LinkIn(serializers.Serializer[Any]):
    """Where a document lies that is kept elsewhere; nothing is fetched from there."""

    household = Known(my_households)
    asset = Known(my_assets, required=False)
    url = serializers.CharField(max_length=documents.LINK_MOST, help_text="http or https.")
    name = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False)


class DocumentChange(serializers.Serializer[Any]):
    """What may change about a document."""

    name = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False)
    asset = Known(my_assets, required=False, allow_null=True)


class DocumentOut(serializers.Serializer[Any]):
    """A photo or a paper; its bytes are at `file/`, or it lies at `url`."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    asset = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    media_type = serializers.CharField(help_text="`text/uri-list` for one that lies elsewhere.")
    url = serializers.CharField(allow_blank=True, help_text="Where it lies, when not here.")
    size = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the bytes as kept, in hexadecimal.")
    has_thumb = serializers.BooleanField()
    has_text = serializers.BooleanField(help_text="Whether its words can be searched.")
    added_at = serializers.DateTimeField()


def show_document(document: Document) -> dict[str, Any]:
    """Return a document as the API shows it."""
    return {
        "id": str(document.uuid),
        "household": str(document.household.uuid),
        "asset": str(document.asset.uuid) if document.asset else None,
        "name": document.name,
        "kind": document.kind,
        "media_type": document.media_type,
        "url": document.url,
        "size": document.size,
        "sha256": bytes(document.sha256).hex(),
        "has_thumb": document.has_thumb,
        "has_text": document.has_text,
        "added_at": document.added_at,
    }


def my_documents(owner: Owner) -> QuerySet[Document]:
    """Return the owner's documents with all that `show_document` reads."""
    return Document.objects.for_owner(owner).select_related("household", "asset")


def keep(
    owner: Owner, household: Household, asset: Asset | None, values: dict[str, Any]
) -> Response:
    """Keep one file and answer with its document."""
    households.require(owner=owner, household_id=household.pk)
    file, kind = values["file"], values.get("kind")
    try:
        document = documents.add(
            household=household,
            asset=asset,
            owner=owner,
            name=values.get("name") or file.name or "",
            content=file.read(),
            kind=DocumentKind(kind) if kind else None,
            now=clock.now(),
        )
    except documents.DocumentError as error:
        raise problem(error, "file") from error
    change = undo.latest(kind=documents.ADDED, subject=document.uuid)
    return Response(show_document(document), status=201, headers=undoable(change))


def problem(error: documents.DocumentError, field: str) -> Exception:
    """Return a refused file as an answer."""
    if error.code in ("too_large", "no_room"):
        status = 413 if error.code == "too_large" else 507
        return Problem(status, code=error.code, detail=error.detail)
    if error.code == "unknown_asset":
        field = "asset"
    return serializers.ValidationError({field: [error.detail]}, code=error.code)


DOCUMENTS = page_of(DocumentOut, "Document")  # one component of the schema for both lists


class Documents(OwnerView):
    """The owner's documents."""

    parser_classes = [MultiPartParser]

    @listed(
        "documents_list",
        pages=DOCUMENTS,
        show=show_document,
        by="-added_at",
        filters=[
            filter_of("kind", DocumentKind),
            OpenApiParameter("q", OpenApiTypes.STR, description="Words that stand in it."),
            about("household"),
            about("asset"),
        ],
    )
    def get(self, request: Request) -> QuerySet[Document]:
        """List the owner's documents, the newest first."""
        owner = owner_of(request)
        rows = narrowed(my_documents(owner), request, "kind", DocumentKind)
        rows = of(rows, request, household="household__uuid", asset="asset__uuid")
        words = request.query_params.get("q", "")
        return rows.filter(uuid__in=documents.found_by(owner=owner, words=words)) if words else rows

    @extend_schema(
        operation_id="documents_add",
        parameters=[UNDO],
        request={"multipart/form-data": DocumentIn},
        responses={201: DocumentOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Keep a file; its type is found by its content, and pictures are made anew."""
        values = checked(DocumentIn, request)
        return keep(owner_of(request), values["household"], values.get("asset"), values)


class DocumentLinks(OwnerView):
    """Documents that are kept elsewhere."""

    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="documents_link",
        parameters=[UNDO],
        request=LinkIn,
        responses={201: DocumentOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Note where a document lies: in Paperless, at the maker's."""
        owner, values = owner_of(request), checked(LinkIn, request)
        household, kind = values["household"], values.get("kind")
        households.require(owner=owner, household_id=household.pk)
        try:
            document = documents.add_link(
                household=household,
                asset=values.get("asset"),
                owner=owner,
                url=values["url"],
                name=values.get("name", ""),
                kind=DocumentKind(kind) if kind else None,
                now=clock.now(),
            )
        except documents.DocumentError as error:
            raise problem(error, "url") from error
        change = undo.latest(kind=documents.ADDED, subject=document.uuid)
        return Response(show_document(document), status=201, headers=undoable(change))


class AssetDocuments(OwnerView):
    """The documents of one asset."""

    parser_classes = [MultiPartParser]

    @listed("assets_documents_list", pages=DOCUMENTS, show=show_document, by="-added_at")
    def get(self, request: Request, asset: UUID) -> QuerySet[Document]:
        """List an asset's documents, the newest first."""
        owner = owner_of(request)
        return my_documents(owner).filter(asset=my_assets(owner).get(uuid=asset))

    @extend_schema(
        operation_id="assets_documents_add",
        parameters=[UNDO],
        request={"multipart/form-data": FileIn},
        responses={201: DocumentOut},
    )
    @once
    def post(self, request: Request, asset: UUID) -> Response:
        """Keep a file for an asset."""
        owner = owner_of(request)
        found = my_assets(owner).get(uuid=asset)
        return keep(owner, found.household, found, checked(FileIn, request))


class OneDocument(OwnerView):
    """One document."""

    @extend_schema(operation_id="documents_get", responses=DocumentOut)
    def get(self, request: Request, document: UUID) -> Response:
        """Return one document."""
        return Response(show_document(my_documents(owner_of(request)).get(uuid=document)))

    @extend_schema(operation_id="documents_change", request=DocumentChange, responses=DocumentOut)
    @once
    def patch(self, request: Request, document: UUID) -> Response:
        """Change what a document is called, what it is for, or what it belongs to."""
        owner = owner_of(request)
        found = my_documents(owner).get(uuid=document)
        households.require(owner=owner, household_id=found.household_id)
        try:
            documents.change(document=found, values=checked(DocumentChange, request))
        except documents.DocumentError as error:
            raise problem(error, "name") from error
        return Response(show_document(my_documents(owner).get(pk=found.pk)))

    @extend_schema(operation_id="documents_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, document: UUID) -> Response:
        """Put a document into the bin, where it stays for 30 days."""
        owner = owner_of(request)
        found = my_documents(owner).get(uuid=document)
        households.require(owner=owner, household_id=found.household_id)
        change = documents.remove(document=found, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


SMALL = OpenApiParameter("small", OpenApiTypes.BOOL, description="The thumbnail.")
FILE = {
    (200, media_type): OpenApiResponse(OpenApiTypes.BINARY)
    for media_type in ("image/jpeg", "application/pdf", "text/plain")
}


def bytes_of(document: Document, request: Request) -> HttpResponse:
    """Return the file of a document, or its thumbnail where that is asked for."""
    is_small = request.query_params.get("small") in ("1", "true") and document.has_thumb
    return give_out(document, part=vault.THUMB if is_small else vault.FULL)


class DocumentFile(OwnerView):
    """The bytes of a document."""

    @extend_schema(
        operation_id="documents_file",
        parameters=[SMALL],
        responses=FILE,
    )
    def get(self, request: Request, document: UUID) -> HttpResponse:
        """Return the file as it is kept."""
        return bytes_of(my_documents(owner_of(request)).get(uuid=document), request)


class AssetPhoto(OwnerView):
    """The picture of an asset."""

    @extend_schema(operation_id="assets_photo", parameters=[SMALL], responses=FILE)
    def get(self, request: Request, asset: UUID) -> HttpResponse:
        """Return the newest photo of an asset; 404 where there is none."""
        owner = owner_of(request)
        photos = my_documents(owner).filter(
            asset=my_assets(owner).get(uuid=asset), kind=DocumentKind.PHOTO, has_thumb=True
        )
        return bytes_of(photos.latest("added_at", "pk"), request)
