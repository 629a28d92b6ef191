"""Bringing an export in, for apps: the file, what is in it, yes, and how far it is."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from config import archives, restoring
from config.archives import ArchiveError
from owners import clock, doorbell, restores
from owners.api.edge import checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.api.trust import Guarded
from owners.choices import RestoreState
from owners.models import Restore

STATES = [(state.value, state.label) for state in RestoreState]


class RestoreIn(serializers.Serializer[Any]):
    """The ZIP of an export."""

    file = serializers.FileField()


class SectionOut(serializers.Serializer[Any]):
    """A table of an export."""

    name = serializers.CharField()
    rows = serializers.IntegerField()
    is_restorable = serializers.BooleanField()
    why_not = serializers.CharField(allow_blank=True)
    made = serializers.IntegerField(allow_null=True, help_text="Rows written here.")


class RestoreOut(serializers.Serializer[Any]):
    """An export that is brought in."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    state = serializers.ChoiceField(choices=STATES)
    percent = serializers.IntegerField()
    code = serializers.CharField(allow_blank=True, help_text="Why it could not be brought in.")
    detail = serializers.CharField(allow_blank=True)
    made_at = serializers.CharField(help_text="When the export was made.")
    made_by = serializers.CharField(help_text="By which server.")
    households = serializers.ListField(child=serializers.CharField())
    sections = SectionOut(many=True)
    created_at = serializers.DateTimeField()


def show(row: Restore) -> dict[str, Any]:
    """Return an export that is brought in as the API shows it."""
    made = row.made.get("made") or {}
    return {
        "id": str(row.uuid),
        "name": row.name,
        "size": row.size,
        "state": row.state,
        "percent": restores.percent_of(row),
        "code": row.code,
        "detail": row.detail,
        "made_at": row.plan["made_at"],
        "made_by": row.plan["made_by"],
        "households": [one["name"] for one in row.plan["households"]],
        "sections": [
            {
                "name": one["name"],
                "rows": one["rows"],
                "is_restorable": one["is_restorable"],
                "why_not": one["why_not"],
                "made": made.get(one["name"]),
            }
            for one in row.plan["parts"]
        ],
        "created_at": row.created_at,
    }


class Restores(Guarded):
    """Exports that are brought in."""

    parser_classes = [MultiPartParser]

    @listed("restores_list", pages=page_of(RestoreOut, "Restore"), show=show)
    def get(self, request: Request) -> Any:
        """List what the owner brought in lately."""
        return Restore.objects.for_owner(owner_of(request))

    @extend_schema(operation_id="restores_look", request=RestoreIn, responses={201: RestoreOut})
    @once
    def post(self, request: Request) -> Response:
        """Look at a file; nothing is written before `start/`. 422 says what is wrong with it."""
        owner, file = owner_of(request), checked(RestoreIn, request)["file"]
        try:
            restoring.refuse_unless_empty(owner)
            plan = archives.look(file.file).plan
        except ArchiveError as error:
            detail = f"{error.detail} ({error.what})" if error.what else error.detail
            raise Problem(422, code=error.code, detail=detail, pointer="/file") from error
        file.seek(0)
        kept = restores.keep(
            owner=owner,
            name=str(file.name or "steward.zip"),
            pieces=file.chunks(restores.PIECE),
            plan=plan.to_json(),
            now=clock.now(),
        )
        return Response(show(kept), status=201)


class OneRestore(Guarded):
    """One export that is brought in."""

    @extend_schema(operation_id="restores_get", responses=RestoreOut)
    def get(self, request: Request, restore: UUID) -> Response:
        """Return what is in it, how far it is, and what came of it."""
        return Response(show(Restore.objects.for_owner(owner_of(request)).get(uuid=restore)))

    @extend_schema(operation_id="restores_cancel", responses={204: None})
    @once
    def delete(self, request: Request, restore: UUID) -> Response:
        """Throw it away; 409 `begun` once it is being written."""
        found = Restore.objects.for_owner(owner_of(request)).get(uuid=restore)
        if not restores.cancel(restore=found):
            raise Problem(409, code="begun", detail="It has begun already, or is over.")
        return Response(status=204)


class RestoreStart(Guarded):
    """Saying yes."""

    @extend_schema(operation_id="restores_start", request=None, responses={202: RestoreOut})
    @once
    def post(self, request: Request, restore: UUID) -> Response:
        """Have it brought in; 409 `over` where that was done, or could not be."""
        found = Restore.objects.for_owner(owner_of(request)).get(uuid=restore)
        if not restores.start(restore=found, now=clock.now()):
            raise Problem(409, code="over", detail="It was brought in, or could not be.")
        doorbell.ring("privacy")
        found.refresh_from_db()
        return Response(show(found), status=202)


urlpatterns = [
    path("restores/", Restores.as_view()),
    path("restores/<uuid:restore>/", OneRestore.as_view()),
    path("restores/<uuid:restore>/start/", RestoreStart.as_view()),
]
