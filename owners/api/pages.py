"""Lists in pages: a cursor names the last row seen, so a page costs the same everywhere."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Choices, Model, Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from owners.api.problems import Problem

USUAL, MOST = 50, 100
M = TypeVar("M", bound=Model)
Rows = TypeVar("Rows", bound="QuerySet[Any]")

CURSOR = OpenApiParameter(
    "cursor", OpenApiTypes.STR, description="Where the page starts: from `next` of the last one."
)
LIMIT = OpenApiParameter(
    "limit",
    OpenApiTypes.INT,
    description=f"Rows in the page: {USUAL} unless given, at most {MOST}.",
)


def limit_of(request: Request) -> int:
    """Return how many rows the page may have."""
    raw = request.query_params.get("limit", "")
    if not raw:
        return USUAL
    if not raw.isascii() or not raw.isdecimal() or len(raw) > 9 or int(raw) < 1:
        raise Problem(400, code="invalid", detail="`limit` is a number from 1 on.")
    return min(int(raw), MOST)


def write_cursor(value: datetime | str | int, pk: int) -> str:
    """Return the cursor that stands behind one row."""
    shown = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([shown, pk]).encode()).decode().rstrip("=")


def read_cursor(raw: str, *, is_time: bool) -> tuple[Any, int]:
    """Return the row a cursor stands behind; Problem for one that we did not write."""
    try:
        padded = raw.encode("ascii") + b"=" * (-len(raw) % 4)
        value, pk = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(pk, int) or not 0 <= pk < 2**63 or not isinstance(value, str | int):
            raise ValueError("not a cursor")
        if is_time:
            return _instant(value), pk
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("not a cursor")
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise Problem(
            400, code="cursor", detail="Start from the first page: this cursor is not ours."
        ) from error
    return value, pk


def _instant(value: str | int) -> datetime:
    instant = datetime.fromisoformat(str(value))
    if instant.tzinfo is None:
        raise ValueError("not an instant")
    return instant


def next_url(request: Request, cursor: str) -> str:
    """Return the address of the next page."""
    return str(replace_query_param(request.build_absolute_uri(), "cursor", cursor))


def cut(
    rows: QuerySet[M], request: Request, *, by: str, is_time: bool = True
) -> tuple[list[M], str | None]:
    """Return the rows of one page and the address of the next.

    `by` is the field that orders them ("-" first: the newest first); the key decides ties.
    """
    field, is_down = by.lstrip("-"), by.startswith("-")
    limit = limit_of(request)
    raw = request.query_params.get("cursor", "")
    if raw:
        value, pk = read_cursor(raw, is_time=is_time)
        side = "lt" if is_down else "gt"
        beyond = Q(**{f"{field}__{side}": value}) | Q(**{field: value, f"pk__{side}": pk})
        # The first condition alone lets the index find the place.
        rows = rows.filter(Q(**{f"{field}__{side}e": value}) & beyond)
    found = list(rows.order_by(by, "-pk" if is_down else "pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], next_url(request, write_cursor(getattr(last, field), last.pk))


def page(
    rows: QuerySet[M],
    request: Request,
    *,
    by: str,
    show: Callable[[M], dict[str, Any]],
    is_time: bool = True,
) -> dict[str, Any]:
    """Return one page of `rows` as the API shows it."""
    found, following = cut(rows, request, by=by, is_time=is_time)
    return {"next": following, "results": [show(row) for row in found]}


def page_of(row: type[serializers.Serializer[Any]], name: str) -> serializers.Serializer[Any]:
    """Return how the schema shows a page of `row`."""
    return inline_serializer(
        name=f"{name}Page",
        fields={
            "next": serializers.URLField(allow_null=True),
            "results": row(many=True),
        },
    )


def listed(
    operation_id: str,
    *,
    pages: serializers.Serializer[Any],
    show: Callable[[Any], dict[str, Any]],
    by: str = "created_at",
    is_time: bool = True,
    filters: Sequence[OpenApiParameter] = (),
) -> Callable[[Callable[..., QuerySet[Any]]], Callable[..., Response]]:
    """Make a list of the API out of a method that returns its rows, with its description.

    `pages` is how the schema shows a page, `by` the field that orders the rows (see `cut`).
    """

    def decorate(rows_of: Callable[..., QuerySet[Any]]) -> Callable[..., Response]:
        @extend_schema(
            operation_id=operation_id, parameters=[CURSOR, LIMIT, *filters], responses=pages
        )
        @wraps(rows_of)
        def get(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            rows = rows_of(view, request, *args, **kwargs)
            return Response(page(rows, request, by=by, show=show, is_time=is_time))

        return get

    return decorate


def filter_of(name: str, words: type[Choices], description: str = "") -> OpenApiParameter:
    """Return how the schema describes a filter by one of `words`."""
    return OpenApiParameter(
        name, OpenApiTypes.STR, enum=words.values, description=description or "Only these."
    )


def narrowed(
    rows: Rows, request: Request, name: str, words: type[Choices], *, field: str = ""
) -> Rows:
    """Return the rows whose field has the word that the request asks for; all without one."""
    wanted = request.query_params.get(name, "")
    if not wanted:
        return rows
    if wanted not in words.values:
        raise Problem(400, code="invalid", detail=f"`{name}` is one of {', '.join(words.values)}.")
    return rows.filter(**{field or name: wanted})


def about(name: str) -> OpenApiParameter:
    """Return how the schema describes a filter by the id of another object."""
    return OpenApiParameter(name, OpenApiTypes.UUID, description=f"Only of this {name}.")


def of(rows: Rows, request: Request, **fields: str) -> Rows:
    """Return the rows that belong to the objects whose ids the request names.

    `fields` says under which field each parameter is looked up. An id of somebody else's
    finds nothing, like one that does not exist.
    """
    for name, field in fields.items():
        wanted = request.query_params.get(name, "")
        if not wanted:
            continue
        try:
            rows = rows.filter(**{field: UUID(wanted)})
        except ValueError as error:
            raise Problem(400, code="invalid", detail=f"`{name}` is an id.") from error
    return rows
