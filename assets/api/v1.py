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

from assets import identifiers, places, register, starters, templating
from assets.api import life, templates
from assets.api.documents import (
    AssetDocuments,
    AssetPhoto,
    DocumentFile,
    DocumentLinks,
    Documents,
    OneDocument,
)
from assets.choices import (
    AssetKind,
    Custody,
    EndReason,
    IdentifierScheme,
    LeavingAs,
    Lifecycle,
    OperationalStatus,
    Source,
)
from assets.models import Asset, Tag
from owners import clock, households, undo
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.api.reach import my_people
from owners.api.versions import ETAG, IF_MATCH, etag_of, require_current
from owners.models import Household, Owner


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households an asset may be added to."""
    return Household.objects.for_owner(owner)


def my_wholes(owner: Owner) -> QuerySet[Asset]:
    """Return what another asset may be part of."""
    return Asset.objects.for_owner(owner)


class IdentifierField(serializers.Serializer[Any]):
    """One identifier of an asset."""

    scheme = serializers.ChoiceField(choices=IdentifierScheme.choices)
    value = serializers.CharField(max_length=200)


class IdentifierOut(IdentifierField):
    """One identifier, and what is doubtful about it."""

    is_valid = serializers.BooleanField(  # type: ignore[assignment]  # a field here, not the method
        allow_null=True, help_text="Whether its check digits fit; null where no rule says."
    )
    warning = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # the word of the others, not the base's


class AssetChange(serializers.Serializer[Any]):
    """What an owner may change about an asset.

    `lifecycle`, `operational_status` and `custody` correct what was written down wrongly;
    what happened goes through `steps/`, with all that follows from it.
    """

    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=AssetKind.choices, required=False)
    maker = serializers.CharField(max_length=120, allow_blank=True, required=False)
    model = serializers.CharField(max_length=120, allow_blank=True, required=False)
    lifecycle = serializers.ChoiceField(choices=Lifecycle.choices, required=False)
    operational_status = serializers.ChoiceField(choices=OperationalStatus.choices, required=False)
    custody = serializers.ChoiceField(choices=Custody.choices, required=False)
    keeper = Known(my_people, allow_null=True, required=False)
    template = serializers.CharField(
        max_length=40, allow_blank=True, required=False, help_text="Of `assets/templates/`."
    )
    place = serializers.CharField(
        max_length=200, allow_blank=True, required=False, help_text="A path: House / Cellar."
    )
    parent = Known(my_wholes, allow_null=True, required=False)  # type: ignore[assignment]  # the whole
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    notes = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    is_insured = serializers.BooleanField(required=False)
    bought_on = serializers.DateField(allow_null=True, required=False)
    in_service_on = serializers.DateField(allow_null=True, required=False)
    ended_on = serializers.DateField(allow_null=True, required=False)
    end_reason = serializers.ChoiceField(
        choices=EndReason.choices, allow_blank=True, required=False
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=30
    )
    custom = serializers.DictField(
        required=False, help_text="By the ids of `custom-fields/`; only these change."
    )
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
    parent = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]  # the whole
    quantity = serializers.IntegerField()
    notes = serializers.CharField(allow_blank=True)
    is_insured = serializers.BooleanField()
    bought_on = serializers.DateField(allow_null=True)
    in_service_on = serializers.DateField(allow_null=True)
    leaving_as = serializers.ChoiceField(choices=LeavingAs.choices, allow_blank=True)
    ended_on = serializers.DateField(allow_null=True)
    end_reason = serializers.ChoiceField(choices=EndReason.choices, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    custom = serializers.DictField()
    identifiers = IdentifierOut(many=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # the word of the others, not the base's
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
        "parent": str(asset.parent.uuid) if asset.parent else None,
        "quantity": asset.quantity,
        "notes": asset.notes,
        "is_insured": asset.is_insured,
        "bought_on": asset.bought_on,
        "in_service_on": asset.in_service_on,
        "leaving_as": asset.leaving_as,
        "ended_on": asset.ended_on,
        "end_reason": asset.end_reason,
        "tags": sorted(tagging.tag.name for tagging in asset.taggings.all()),
        "custom": asset.custom,
        "source": asset.source,
        "identifiers": [
            {
                "scheme": row.scheme,
                "value": row.value,
                "is_valid": row.is_valid,
                "warning": str(identifiers.check(IdentifierScheme(row.scheme), row.value).warning),
                "source": row.source,
            }
            for row in sorted(asset.identifiers.all(), key=lambda row: row.pk)
        ],
        "created_at": asset.created_at,
    }


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the owner's assets with all that `show_asset` reads."""
    rows = (
        Asset.objects.for_owner(owner)
        .select_related("household", "keeper")
        .prefetch_related("parent")
    )
    return rows.prefetch_related("identifiers", "taggings__tag")


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
            OpenApiParameter("place", OpenApiTypes.STR, description="Only what is in it."),
            OpenApiParameter("tag", OpenApiTypes.STR, description="Only what has this tag."),
            filter_of("custody", Custody),
            about("parent"),
            about("household"),
        ],
    )
    def get(self, request: Request) -> QuerySet[Asset]:
        """List the owner's assets by name."""
        rows = narrowed(my_assets(owner_of(request)), request, "lifecycle", Lifecycle)
        rows = narrowed(rows, request, "kind", AssetKind)
        rows = narrowed(rows, request, "operational_status", OperationalStatus)
        place = request.query_params.get("place", "").replace("\x00", "")
        rows = rows.filter(places.inside(places.normal(place))) if place else rows
        tag = request.query_params.get("tag", "").replace("\x00", "")
        rows = rows.filter(taggings__tag__folded=Tag.fold(tag)) if tag else rows
        rows = narrowed(rows, request, "custody", Custody)
        return of(rows, request, household="household__uuid", parent="parent__uuid")

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
        check_template(values, [household])
        numbers = named(values) or []
        try:
            asset = register.add(
                household=household,
                values=values,
                identifiers=numbers,
                tags=values.pop("tags", ()),
                now=clock.now(),
                owner=owner,
            )
        except REFUSED as error:
            raise refused(error) from error
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
        check_template(values, [found.household])
        numbers = named(values)
        tags = values.pop("tags", None)
        try:
            with transaction.atomic():
                if "If-Match" in request.headers:
                    Asset.objects.select_for_update(no_key=True).get(pk=found.pk)
                    found = my_assets(owner).get(pk=found.pk)
                    require_current(request, show_asset(found))
                change = register.edit(
                    asset=found,
                    values=values,
                    identifiers=numbers,
                    tags=tags,
                    owner=owner,
                    now=clock.now(),
                )
        except REFUSED as error:
            raise refused(error) from error
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


class LineIn(serializers.Serializer[Any]):
    """A thing in one line, such as "Bosch washing machine, serial 12-345, in the cellar"."""

    line = serializers.CharField(max_length=300)


class LineOut(serializers.Serializer[Any]):
    """What a line seems to say, in the fields of a new asset; nothing is stored."""

    name = serializers.CharField()
    template = serializers.CharField(help_text="Of `assets/templates/`.")
    kind = serializers.ChoiceField(choices=AssetKind.choices)
    place = serializers.CharField(allow_blank=True)
    identifiers = IdentifierField(many=True)
    care = serializers.DictField(
        allow_null=True, help_text="A task for `care-tasks/`, where the line says what is due."
    )
    supplier = serializers.CharField(allow_blank=True)


class AssetLine(OwnerView):
    """An asset from one line of text."""

    @extend_schema(operation_id="assets_read_line", request=LineIn, responses=LineOut)
    @once
    def post(self, request: Request) -> Response:
        """Read a line as an asset, to be looked at and added."""
        known = templating.known_to(Household.objects.for_owner(owner_of(request)))
        read = starters.read_line(checked(LineIn, request)["line"], known)
        return Response(
            {
                "name": read.name,
                "template": read.starter,
                "kind": known[read.starter].kind,
                "place": read.place,
                "identifiers": [
                    {"scheme": scheme, "value": value} for scheme, value in read.identifiers
                ],
                "care": read.care,
                "supplier": read.supplier,
            }
        )


def check_template(values: dict[str, Any], homes: list[Household]) -> None:
    """Raise ValidationError for a template that the household does not have."""
    slug = values.get("template")
    if slug and slug not in starters.STARTERS and slug not in templating.known_to(homes):
        text = Known.default_error_messages["unknown"]
        raise serializers.ValidationError({"template": [text]}, code="unknown")


REFUSED = (register.KeeperError, register.ParentError, register.CustomError)


def refused(error: Exception) -> Exception:
    """Return what the register refused as a fault of its field; who is elsewhere is nobody."""
    if isinstance(error, register.CustomError):
        pointer = f"/custom/{error.field}"
        return Problem(400, code="invalid", detail=error.detail, pointer=pointer)
    field = "parent" if isinstance(error, register.ParentError) else "keeper"
    text = Known.default_error_messages["unknown"]
    return serializers.ValidationError({field: [text]}, code="unknown")


urlpatterns = [
    path("assets/", Assets.as_view(), name="assets"),
    *templates.urlpatterns,
    path("assets/line/", AssetLine.as_view(), name="asset-line"),
    path("assets/<uuid:asset>/", OneAsset.as_view(), name="asset"),
    path("assets/<uuid:asset>/photo/", AssetPhoto.as_view(), name="asset-photo"),
    path("assets/<uuid:asset>/documents/", AssetDocuments.as_view(), name="asset-documents"),
    path("documents/", Documents.as_view(), name="documents"),
    path("documents/links/", DocumentLinks.as_view(), name="document-links"),
    path("documents/<uuid:document>/", OneDocument.as_view(), name="document"),
    path("documents/<uuid:document>/file/", DocumentFile.as_view(), name="document-file"),
    *life.urlpatterns,
]
