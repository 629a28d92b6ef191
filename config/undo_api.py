"""Taking changes back by the API: what can be undone, the bin, and the undo itself."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.undos import UNDOS
from owners import clock, undo, undoing
from owners.api.edge import OwnerView, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.models import Change

KINDS = sorted(UNDOS)


class ChangeMadeOut(serializers.Serializer[Any]):
    """Something that was changed, and until when it can be taken back."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KINDS)
    label = serializers.CharField(help_text="What was changed, by its name then.")  # type: ignore[assignment]  # the rows' own word
    subject = serializers.UUIDField(allow_null=True, help_text="Its id.")
    household = serializers.UUIDField(allow_null=True)
    by = serializers.UUIDField(allow_null=True)
    is_removal = serializers.BooleanField(help_text="It lies in the bin.")
    changed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


def show_change(row: Change) -> dict[str, Any]:
    """Return a change as the API shows it."""
    return {
        "id": str(row.uuid),
        "kind": row.kind,
        "label": row.label,
        "subject": str(row.subject) if row.subject else None,
        "household": str(row.household.uuid) if row.household else None,
        "by": str(row.owner.uuid) if row.owner else None,
        "is_removal": row.is_removal,
        "changed_at": row.changed_at,
        "expires_at": row.expires_at,
        "undone_at": row.undone_at,
    }


def my_changes(request: Request) -> QuerySet[Change]:
    """Return what the owner may see of changes, with all that `show_change` reads."""
    return Change.objects.for_owner(owner_of(request)).select_related("household", "owner")


class Changed(OwnerView):
    """What can be taken back."""

    @listed(
        "undo_list",
        pages=page_of(ChangeMadeOut, "ChangeMade"),
        show=show_change,
        by="-changed_at",
        filters=[
            OpenApiParameter("removed", OpenApiTypes.BOOL, description="Only what is in the bin.")
        ],
    )
    def get(self, request: Request) -> QuerySet[Change]:
        """List what was changed and can still be taken back, the newest first."""
        rows = my_changes(request)
        if request.query_params.get("removed") in ("1", "true"):
            return rows.in_the_bin(clock.now())  # type: ignore[attr-defined,no-any-return]  # of its query set
        return rows.filter(undone_at=None, expires_at__gt=clock.now())


class OneChange(OwnerView):
    """One change."""

    @extend_schema(operation_id="undo_get", responses=ChangeMadeOut)
    def get(self, request: Request, change: UUID) -> Response:
        """Return one change."""
        return Response(show_change(my_changes(request).get(uuid=change)))

    @extend_schema(operation_id="undo", request=None, responses=ChangeMadeOut)
    @once
    def post(self, request: Request, change: UUID) -> Response:
        """Take a change back; again is nothing. It needs the rank that the change needed."""
        found = my_changes(request).get(uuid=change)
        try:
            done = undoing.put_back(
                change=found, owner=owner_of(request), ways=UNDOS, now=clock.now()
            )
        except undo.UndoError as error:
            raise Problem(409, code="too_late", detail=str(error)) from error
        return Response(show_change(done))


urlpatterns = [
    path("undo/", Changed.as_view(), name="undo-list"),
    path("undo/<uuid:change>/", OneChange.as_view(), name="undo"),
]
