"""The assets' side of the API."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import register, starters
from assets.api.documents import (
    AssetDocuments,
    AssetPhoto,
    DocumentFile,
    Documents,
    OneDocument,
)
from assets.choices import AssetKind, Custody, IdentifierScheme, Lifecycle, OperationalStatus
from assets.models import Asset
from owners import clock, households, undo
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.reach import my_people
from owners.api.versions import ETAG, IF_MATCH, etag_of, require_current
from owners.models import Household, Owner

TEMPLATES = list(starters.STARTERS)


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households an asset may be added to."""
    return Household.objects.for_owner(owner)


class IdentifierField(serializers.Serializer[Any]):
    """One identifier of an asset."""

    scheme = serializers.ChoiceField(choices=IdentifierScheme.choices)
    value = serializers.CharField(max_length=200)


class AssetChange(serializers.Serializer[Any]):
    """What an owner may change about an asset."""

    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=AssetKind.choices, required=False)
    maker = serializers.CharField(max_length=120, allow_blank=True, required=False)
    model = serializers.CharField(max_length=120, allow_blank=True, required=False)
    lifecycle = serializers.ChoiceField(choices=Lifecycle.choices, required=False)
    operational_status = serializers.ChoiceField(choices=OperationalStatus.choices, required=False)
    custody = serializers.ChoiceField(choices=Custody.choices, required=False)
    keeper = Known(my_people, allow_null=True, required=False)
    template = serializers.ChoiceField(choices=TEMPLATES, allow_blank=True, required=False)
    place = serializers.CharField(max_length=80, allow_blank=True, required=False)
    bought_on = serializers.DateField(allow_null=True, required=False)
    identifiers = serializers.ListField(child=IdentifierField(), required=False, max_length=50)


class AssetIn(AssetChange):
    """A new asset."""

    household = Known(my_households)


class AssetOut(serializers.Serializer[Any]):
    """A thing the household owns."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=AssetKind.choices)
    maker = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    lifecycle = serializers.ChoiceField(choices=Lifecycle.choices)
    operational_status = serializers.ChoiceField(choices=OperationalStatus.choices)
    custody = serializers.ChoiceField(choices=Custody.choices)
    keeper = serializers.UUIDField(allow_null=True)
    template = serializers.CharField(allow_blank=True, help_text="Of `assets/templates/`.")
    place = serializers.CharField(allow_blank=True)
    bought_on = serializers.DateField(allow_null=True)
    identifiers = IdentifierField(many=True)
    created_at = serializers.DateTimeField()


def show_asset(asset: Asset) -> dict[str, Any]:
    """Return an asset as the API shows it."""
    return {
        "id": str(asset.uuid),
        "household": str(asset.household.uuid),
        "name": asset.name,
        "kind": asset.kind,
        "maker": asset.maker,
        "model": asset.model,
        "lifecycle": asset.lifecycle,
        "operational_status": asset.operational_status,
        "custody": asset.custody,
        "keeper": str(asset.keeper.uuid) if asset.keeper else None,
        "template": asset.template,
        "place": asset.place,
        "bought_on": asset.bought_on,
        "identifiers": [
            {"scheme": row.scheme, "value": row.value}
            for row in sorted(asset.identifiers.all(), key=lambda row: row.pk)
        ],
        "created_at": asset.created_at,
    }


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the owner's assets with all that `show_asset` reads."""
    rows = Asset.objects.for_owner(owner).select_related("household", "keeper")
    return rows.prefetch_related("identifiers")


def named(values: dict[str, Any]) -> list[tuple[IdentifierScheme, str]] | None:
    """Take the identifiers out of the values of a request; None when none were given."""
    given = values.pop("identifiers", None)
    if given is None:
        return None
    return [(IdentifierScheme(row["scheme"]), row["value"]) for row in given]


class Assets(OwnerView):
    """The owner's assets."""

    @listed(
        "assets_list",
        pages=page_of(AssetOut, "Asset"),
        show=show_asset,
        by="name",
        is_time=False,
        filters=[
            filter_of("lifecycle", Lifecycle),
            filter_of("kind", AssetKind),
            filter_of("operational_status", OperationalStatus),
            OpenApiParameter("place", OpenApiTypes.STR, description="Only what is there."),
            about("household"),
        ],
    )
    def get(self, request: Request) -> QuerySet[Asset]:
        """List the owner's assets by name."""
        rows = narrowed(my_assets(owner_of(request)), request, "lifecycle", Lifecycle)
        rows = narrowed(rows, request, "kind", AssetKind)
        rows = narrowed(rows, request, "operational_status", OperationalStatus)
        place = request.query_params.get("place", "").replace("\x00", "")
        rows = rows.filter(place=place) if place else rows
        return of(rows, request, household="household__uuid")

    @extend_schema(
        operation_id="assets_add",
        parameters=[ETAG, UNDO],
        request=AssetIn,
        responses={201: AssetOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Add an asset."""
        owner = owner_of(request)
        values = checked(AssetIn, request)
        household = values.pop("household")
        households.require(owner=owner, household_id=household.pk)
        identifiers = named(values) or []
        try:
            asset = register.add(
                household=household,
                values=values,
                identifiers=identifiers,
                now=clock.now(),
                owner=owner,
            )
        except register.KeeperError as error:
            raise unknown_keeper() from error
        shown = show_asset(my_assets(owner).get(pk=asset.pk))
        headers = {"ETag": etag_of(shown)}
        headers |= undoable(undo.latest(kind=register.ADDED, subject=asset.uuid))
        return Response(shown, status=201, headers=headers)


class OneAsset(OwnerView):
    """One asset."""

    @extend_schema(operation_id="assets_get", parameters=[ETAG], responses=AssetOut)
    def get(self, request: Request, asset: UUID) -> Response:
        """Return one asset."""
        shown = show_asset(my_assets(owner_of(request)).get(uuid=asset))
        return Response(shown, headers={"ETag": etag_of(shown)})

    @extend_schema(
        operation_id="assets_change",
        parameters=[IF_MATCH, ETAG, UNDO],
        request=AssetChange,
        responses=AssetOut,
    )
    @once
    def patch(self, request: Request, asset: UUID) -> Response:
        """Change an asset; one that is gone gets the lifecycle `ended`."""
        owner = owner_of(request)
        found = my_assets(owner).get(uuid=asset)
        households.require(owner=owner, household_id=found.household_id)
        values = checked(AssetChange, request, partial=True)
        identifiers = named(values)
        try:
            with transaction.atomic():
                if "If-Match" in request.headers:
                    Asset.objects.select_for_update(no_key=True).get(pk=found.pk)
                    found = my_assets(owner).get(pk=found.pk)
                    require_current(request, show_asset(found))
                change = register.edit(
                    asset=found,
                    values=values,
                    identifiers=identifiers,
                    owner=owner,
                    now=clock.now(),
                )
        except register.KeeperError as error:
            raise unknown_keeper() from error
        shown = show_asset(my_assets(owner).get(pk=found.pk))
        return Response(shown, headers={"ETag": etag_of(shown), **undoable(change)})

    @extend_schema(operation_id="assets_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, asset: UUID) -> Response:
        """Put an asset into the bin, where it stays for 30 days."""
        owner = owner_of(request)
        found = my_assets(owner).get(uuid=asset)
        households.require(owner=owner, household_id=found.household_id)
        change = register.remove(asset=found, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


class TemplateOut(serializers.Serializer[Any]):
    """What a thing usually is, to start from when one is added."""

    template = serializers.ChoiceField(choices=TEMPLATES)
    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    kind = serializers.ChoiceField(choices=AssetKind.choices)
    scheme = serializers.ChoiceField(
        choices=IdentifierScheme.choices, help_text="What names such a thing."
    )


class AssetTemplates(OwnerView):
    """What things usually are."""

    @extend_schema(operation_id="assets_templates", responses=TemplateOut(many=True))
    def get(self, request: Request) -> Response:
        """List what to start from, in the owner's language."""
        return Response(
            [
                {
                    "template": row.slug,
                    "label": str(row.label),
                    "kind": row.kind,
                    "scheme": row.scheme,
                }
                for row in starters.STARTERS.values()
            ]
        )


class LineIn(serializers.Serializer[Any]):
    """A thing in one line, such as "Bosch washing machine, serial 12-345, in the cellar"."""

    line = serializers.CharField(max_length=300)


class LineOut(serializers.Serializer[Any]):
    """What a line seems to say, in the fields of a new asset; nothing is stored."""

    name = serializers.CharField()
    template = serializers.ChoiceField(choices=TEMPLATES)
    kind = serializers.ChoiceField(choices=AssetKind.choices)
    place = serializers.CharField(allow_blank=True)
    identifiers = IdentifierField(many=True)


class AssetLine(OwnerView):
    """An asset from one line of text."""

    @extend_schema(operation_id="assets_read_line", request=LineIn, responses=LineOut)
    @once
    def post(self, request: Request) -> Response:
        """Read a line as an asset, to be looked at and added."""
        read = starters.read_line(checked(LineIn, request)["line"])
        return Response(
            {
                "name": read.name,
                "template": read.starter,
                "kind": starters.STARTERS[read.starter].kind,
                "place": read.place,
                "identifiers": [
                    {"scheme": scheme, "value": value} for scheme, value in read.identifiers
                ],
            }
        )


def unknown_keeper() -> serializers.ValidationError:
    """Return the fault of a keeper from elsewhere: the words of one that does not exist."""
    text = Known.default_error_messages["unknown"]
    return serializers.ValidationError({"keeper": [text]}, code="unknown")


urlpatterns = [
    path("assets/", Assets.as_view(), name="assets"),
    path("assets/templates/", AssetTemplates.as_view(), name="asset-templates"),
    path("assets/line/", AssetLine.as_view(), name="asset-line"),
    path("assets/<uuid:asset>/", OneAsset.as_view(), name="asset"),
    path("assets/<uuid:asset>/photo/", AssetPhoto.as_view(), name="asset-photo"),
    path("assets/<uuid:asset>/documents/", AssetDocuments.as_view(), name="asset-documents"),
    path("documents/", Documents.as_view(), name="documents"),
    path("documents/<uuid:document>/", OneDocument.as_view(), name="document"),
    path("documents/<uuid:document>/file/", DocumentFile.as_view(), name="document-file"),
]
