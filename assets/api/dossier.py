"""The dossier of one thing, for apps."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from assets import dossier
from assets.dossier import Dossier, Part
from assets.models import Asset
from assets.serving import as_download, as_stream
from owners import clock
from owners.api.edge import OwnerView, asked, owner_of


class DossierAsked(serializers.Serializer[Any]):
    """What goes in, and in which form."""

    parts = serializers.MultipleChoiceField(choices=Part.choices, required=False)
    form = serializers.ChoiceField(choices=["pdf", "zip"], required=False)


class DossierFile(OwnerView):
    """The dossier of one thing."""

    @extend_schema(
        operation_id="assets_dossier",
        parameters=[
            OpenApiParameter(
                "parts",
                OpenApiTypes.STR,
                many=True,
                enum=Part.values,
                description="What goes in, each once. Without any: what most hand out.",
            ),
            OpenApiParameter("form", OpenApiTypes.STR, enum=["pdf", "zip"]),
        ],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "application/zip"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, asset: UUID) -> HttpResponseBase:
        """Give out what it is and what was done with it, as PDF or ZIP with its files."""
        found = Asset.objects.for_owner(owner_of(request)).select_related("household")
        said = asked(DossierAsked, request)
        parts = dossier.parts_of(said.get("parts") or [part.value for part in dossier.USUAL])
        wanted = Dossier(asset=found.get(uuid=asset), parts=parts, now=clock.now())
        name = wanted.asset.name
        if said.get("form") == "zip":
            return as_stream(dossier.pack(wanted), name=f"{name}.zip", kind="application/zip")
        return as_download(dossier.paper(wanted), name=f"{name}.pdf", kind="application/pdf")


urlpatterns = [path("assets/<uuid:asset>/dossier/", DossierFile.as_view(), name="asset-dossier")]
