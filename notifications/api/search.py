"""Search for apps: the same question, and where each hit is found in this API."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import search
from owners.api.edge import OwnerView, owner_of

KINDS = ["asset", "journey", "supplier", "document", "fact", "contact"]


class HitOut(serializers.Serializer[Any]):
    """One thing that was found."""

    kind = serializers.ChoiceField(choices=KINDS)
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    opens = serializers.CharField(help_text="What to open: asset, journey, supplier, door…")
    id = serializers.UUIDField(allow_null=True, help_text="The id of what to open.")


class FoundOut(serializers.Serializer[Any]):
    """What a question found, grouped by kind, the best first."""

    is_near = serializers.BooleanField(help_text="Nothing is spelt so; these are close.")
    results = HitOut(many=True)


class Search(OwnerView):
    """Everything by words."""

    @extend_schema(
        operation_id="search",
        parameters=[OpenApiParameter("q", OpenApiTypes.STR, required=True)],
        responses=FoundOut,
    )
    def get(self, request: Request) -> Response:
        """Find by words: all must be there, the last may be unfinished, in any spelling."""
        found = search.find(owner=owner_of(request), text=request.query_params.get("q", ""))
        hits = [hit for group in found.groups if group.kind in KINDS for hit in group.hits]
        return Response({"is_near": found.is_near, "results": [show_hit(hit) for hit in hits]})


def show_hit(hit: search.Hit) -> dict[str, Any]:
    """Return a hit as the API shows it."""
    return {
        "kind": hit.kind,
        "title": hit.title,
        "detail": hit.detail,
        "opens": hit.page,
        "id": str(hit.key) if hit.key else None,
    }
