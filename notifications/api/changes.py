"""Delta sync for apps: what changed since a cursor, with what it is now."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.v1 import AssetOut, my_assets, show_asset
from notifications import changes
from notifications.api.journeys import show_appointment, show_journey, supplier_ids
from notifications.api.shapes import AppointmentOut, CardOut, JourneyRow
from notifications.models import Appointment, Card, Journey
from owners.api.edge import OwnerView, owner_of
from owners.api.pages import LIMIT, limit_of
from owners.api.problems import Problem
from owners.api.versions import etag_of
from owners.models import Owner
from suppliers.api_v1 import SupplierOut, seen_by, show_supplier
from suppliers.models import Supplier

Objects = dict[UUID, dict[str, Any]]


KINDS = [*changes.KINDS, "household"]


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="ChangedObject",
        serializers=[JourneyRow, CardOut, AssetOut, SupplierOut, AppointmentOut],
        resource_type_field_name=None,
    )
)
class ObjectField(serializers.DictField):
    """An object as its own address, or the list it stands in, gives it; `kind` says which."""


class ChangeOut(serializers.Serializer[Any]):
    """That one object changed, and what it is now."""

    kind = serializers.ChoiceField(choices=KINDS)
    id = serializers.UUIDField()
    household = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(help_text="Rises with every change of the object.")
    is_deleted = serializers.BooleanField(
        help_text="It is gone for this owner. A household: everything of it is."
    )
    etag = serializers.CharField(allow_null=True, help_text="For `If-Match` when writing.")
    object = ObjectField(allow_null=True, help_text="As lists have it; null when it is gone.")


class ChangesOut(serializers.Serializer[Any]):
    """A page of changes."""

    cursor = serializers.CharField(help_text="`since` of the next request; keep it.")
    has_more = serializers.BooleanField(help_text="Ask again at once.")
    results = ChangeOut(many=True)


def journeys(owner: Owner, ids: list[UUID]) -> Objects:
    """Return the journeys that are there, by id."""
    rows = Journey.objects.for_owner(owner).filter(uuid__in=ids, is_emptied=False)
    found = list(rows.select_related("household", "asset"))
    suppliers_of = supplier_ids(found)
    return {journey.uuid: show_journey(journey, suppliers_of) for journey in found}


def cards(owner: Owner, ids: list[UUID]) -> Objects:
    """Return the cards that are there, by id."""
    rows = Card.objects.for_owner(owner).filter(uuid__in=ids)
    return {card.uuid: card.in_language(owner.language) for card in rows}


def assets(owner: Owner, ids: list[UUID]) -> Objects:
    """Return the assets that are there, by id."""
    return {row.uuid: show_asset(row) for row in my_assets(owner).filter(uuid__in=ids)}


def suppliers(owner: Owner, ids: list[UUID]) -> Objects:
    """Return the suppliers that the owner has, by id."""
    mine = Supplier.objects.filter(pk__in=Supplier.objects.for_owner(owner).values("pk"))
    return {row.uuid: show_supplier(row) for row in seen_by(mine.filter(uuid__in=ids), owner)}


def appointments(owner: Owner, ids: list[UUID]) -> Objects:
    """Return the appointments that are there, by id."""
    rows = Appointment.objects.for_owner(owner).filter(uuid__in=ids, journey__is_emptied=False)
    return {row.uuid: show_appointment(row) for row in rows.select_related("journey", "supplier")}


READERS: dict[str, Callable[[Owner, list[UUID]], Objects]] = {
    "journey": journeys,
    "card": cards,
    "asset": assets,
    "supplier": suppliers,
    "appointment": appointments,
}


class Changes(OwnerView):
    """What changed of everything the owner has."""

    @extend_schema(
        operation_id="changes_list",
        parameters=[
            OpenApiParameter(
                "since", OpenApiTypes.STR, description="`cursor` of the last answer; none at first."
            ),
            LIMIT,
        ],
        responses=ChangesOut,
    )
    def get(self, request: Request) -> Response:
        """Return what changed since, with tombstones; 410 when the copy must be made anew."""
        owner, since = owner_of(request), request.query_params.get("since", "")
        try:
            page = changes.read(owner=owner, since=since, limit=limit_of(request))
        except changes.CursorError as error:
            raise Problem(
                410, code="cursor", detail="Start again without `since`, and forget the copy."
            ) from error
        wanted: dict[str, list[UUID]] = defaultdict(list)
        for row in page.rows:
            if not row.is_gone or row.kind == "supplier":  # another household may still have it
                wanted[row.kind].append(row.id)
        found = {kind: READERS[kind](owner, ids) for kind, ids in wanted.items()}
        results = []
        for row in page.rows:
            thing = found.get(row.kind, {}).get(row.id)
            results.append(
                {
                    "kind": row.kind,
                    "id": str(row.id),
                    "household": str(row.household) if row.household else None,
                    "version": row.version,
                    "is_deleted": thing is None,
                    "etag": etag_of(thing) if thing is not None else None,
                    "object": thing,
                }
            )
        return Response({"cursor": page.cursor, "has_more": page.has_more, "results": results})
