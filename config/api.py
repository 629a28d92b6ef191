"""The API for owners, its schema and its page to read."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

import assets.api.care
import assets.api.cover
import assets.api.dossier
import assets.api.imports
import assets.api.notices
import assets.api.recalls
import assets.api.sharing
import assets.api.v1
import assets.api.worth
import notifications.api.proposals
import notifications.api.report
import notifications.api.v1
import owners.api.trust
import owners.api.v1
import suppliers.api_held
import suppliers.api_mandates
import suppliers.api_news
import suppliers.api_original
import suppliers.api_terms
import suppliers.api_transfers
import suppliers.api_v1
import suppliers.api_ways
from config import privacy, restore_api, undo_api
from owners import access, clock, exports
from owners.api.edge import KEY_HEADER, owner_of
from owners.api.problems import PROBLEM_JSON
from owners.api.trust import Guarded

METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = {
    "type": "object",
    "description": "RFC 9457: what went wrong, with a pointer to each field at fault.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer (RFC 6901)."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "current": {
            "type": "object",
            "additionalProperties": True,
            "description": "With `stale`: the object as it is now, as its own address gives it.",
        },
        "etag": {"type": "string", "description": "With `stale`: the version of `current`."},
        "flows": {
            "type": "array",
            "items": {"type": "string"},
            "description": "With `reauthenticate`: the ways to confirm who one is.",
        },
    },
}
NOTHING = {
    "type": "object",
    "description": "An action without anything to fill in.",
    "additionalProperties": False,
}
KEY = {
    "in": "header",
    "name": KEY_HEADER,
    "schema": {"type": "string", "maxLength": 255},
    "description": "Makes a repeated write happen once; the repetition gets the first answer.",
}


class ExportFile(Guarded):
    """The ZIP of an export."""

    @extend_schema(
        operation_id="exports_take", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, export: UUID) -> StreamingHttpResponse:
        """Return everything of the owner, until the export expires."""
        owner, now = owner_of(request), clock.now()
        found = exports.find(owner=owner, key=str(export), now=now)
        access.note(kind="export_taken", actor=owner, now=now)
        return StreamingHttpResponse(privacy.archive(found), content_type="application/zip")


def only_v1(endpoints: list[Any], **_: Any) -> list[Any]:
    """Keep the endpoints for owners; suppliers have their own description."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def describe_problems_and_keys(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say once for all endpoints what an error looks like and how a write is repeated."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    _offer_no_fields(result["components"]["schemas"])
    problem = {"$ref": "#/components/schemas/Problem"}
    answer = {"description": "A problem.", "content": {PROBLEM_JSON: {"schema": problem}}}
    for item in result.get("paths", {}).values():
        for method, operation in item.items():
            if method not in METHODS:
                continue
            operation["responses"]["default"] = answer
            if method != "get":
                operation.setdefault("parameters", []).append(KEY)
    return result


def _offer_no_fields(schemas: dict[str, Any]) -> None:
    """Let an action be sent without anything: a form without fields has no schema of its own."""
    action = schemas.get("ActionFieldsRequest")
    if action is not None:
        schemas["NothingInRequest"] = NOTHING
        # Any of them: an undo that names no decision is an empty object too.
        forms = action.pop("oneOf")
        action["anyOf"] = [*forms, {"$ref": "#/components/schemas/NothingInRequest"}]


def docs(request: HttpRequest) -> HttpResponse:
    """Show the schema as a plain page: no script, nothing from elsewhere."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # its constructor has no types
    operations = [
        {
            "method": method.upper(),
            "path": address,
            "id": operation["operationId"],
            "text": operation.get("description", ""),
            "parameters": operation.get("parameters", []),
        }
        for address, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]
    return render(request, "api/docs.html", {"info": schema["info"], "operations": operations})


v1 = [
    *notifications.api.v1.urlpatterns,  # first, as the feed is what is asked for most
    *notifications.api.report.urlpatterns,
    *notifications.api.proposals.urlpatterns,
    *owners.api.v1.urlpatterns,
    *owners.api.trust.urlpatterns,
    path("exports/<uuid:export>/steward.zip", ExportFile.as_view(), name="export-file"),
    *undo_api.urlpatterns,
    *restore_api.urlpatterns,
    *assets.api.care.urlpatterns,
    *assets.api.cover.urlpatterns,
    *assets.api.dossier.urlpatterns,
    *assets.api.worth.urlpatterns,
    *assets.api.notices.urlpatterns,
    *assets.api.recalls.urlpatterns,
    *assets.api.imports.urlpatterns,
    *assets.api.v1.urlpatterns,
    *suppliers.api_v1.urlpatterns,
    *suppliers.api_mandates.urlpatterns,
    *suppliers.api_terms.urlpatterns,
    *suppliers.api_transfers.urlpatterns,
    *assets.api.sharing.urlpatterns,
    *suppliers.api_news.urlpatterns,
    *suppliers.api_ways.urlpatterns,
    *suppliers.api_held.urlpatterns,
    *suppliers.api_original.urlpatterns,
]

urlpatterns = [
    path("v1/", include((v1, "v1"))),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
]
