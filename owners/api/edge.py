"""What every endpoint for owners has in common: who calls, once-only writes, no caching."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.db.models import Model, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from owners import clock, repeats, sealing
from owners.api.problems import Problem
from owners.models import Change, Owner, RequestKey

KEY_HEADER = "Idempotency-Key"
KEY_MOST = 255
UNDO_HEADER = "Steward-Undo"
REPLAYED_HEADERS = (UNDO_HEADER, "ETag")  # a repetition gets them as the first answer had them
UNDO = OpenApiParameter(
    UNDO_HEADER,
    OpenApiTypes.UUID,
    location=OpenApiParameter.HEADER,
    response=[200, 201, 204],
    description="The change: `POST undo/{change}/` takes it back for 30 days. Not there when"
    " nothing is different.",
)
M = TypeVar("M", bound=Model)
Handler = Callable[..., Response]


def owner_of(request: Request) -> Owner:
    """Return the owner who calls."""
    return cast("Owner", request.user)


def checked(form: type[serializers.Serializer[Any]], request: Request, **kwargs: Any) -> Any:
    """Return the valid values of a request's body; raises ValidationError."""
    read = form(data=request.data, context={"owner": owner_of(request)}, **kwargs)
    read.is_valid(raise_exception=True)
    return read.validated_data


def asked(form: type[serializers.Serializer[Any]], request: Request) -> Any:
    """Return the valid values of a request's query, where it has no body to carry them."""
    read = form(data=request.query_params, context={"owner": owner_of(request)})
    read.is_valid(raise_exception=True)
    return read.validated_data


def undoable(change: Change | None) -> dict[str, str]:
    """Return the header that names what takes a write back; none when nothing changed."""
    return {UNDO_HEADER: str(change.uuid)} if change else {}


class OwnerView(APIView):
    """An endpoint for signed-in owners. Answers are private and never cached."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers out of caches."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


class Known(serializers.UUIDField):
    """The id of an object that the calling owner has; becomes the object.

    An id that exists elsewhere is refused in the words of one that exists nowhere.
    """

    default_error_messages = {"unknown": "There is no such object."}

    def __init__(self, rows: Callable[[Owner], QuerySet[M]], **kwargs: Any) -> None:
        """Look ids up among `rows(owner)`."""
        self.rows: Callable[[Owner], QuerySet[Any]] = rows
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Return the object with this id."""
        wanted: UUID = super().to_internal_value(data)
        found = self.rows(self.context["owner"]).filter(uuid=wanted).first()
        if found is None:
            self.fail("unknown")
        return found


def once(handler: Handler) -> Handler:
    """Let a write happen once for each `Idempotency-Key`.

    The key, the work and the answer are committed together: a request that died half
    way left nothing, and its repetition does the work. The same key answers the same for
    a day, then 409 (`answer_gone`): the work is never done twice, but its answer is not
    kept. 409 too while the first request is under way, 422 when the body differs.
    """

    @wraps(handler)
    def write(view: OwnerView, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(KEY_HEADER, "")
        if not key:
            return handler(view, request, *args, **kwargs)
        if len(key) > KEY_MOST or not key.isascii() or not key.isprintable():
            raise Problem(400, code="key", detail=f"{KEY_HEADER}: at most 255 visible characters.")
        owner, digest = owner_of(request), request_hash(request)
        with transaction.atomic():
            _take_turn(owner, key)
            used = RequestKey.objects.filter(owner=owner, key=key).first()
            if used is not None:
                return _again(used, digest)
            response = handler(view, request, *args, **kwargs)
            body = json.dumps(response.data, cls=JSONEncoder).encode()
            RequestKey.objects.create(
                owner=owner,
                key=key,
                request_hash=digest,
                status=response.status_code,
                sealed_answer=sealing.seal(body, **_place(owner, key)),
                headers={
                    name: response.headers[name]
                    for name in REPLAYED_HEADERS
                    if name in response.headers
                },
                used_at=clock.now(),
            )
        return response

    write.is_once = True  # type: ignore[attr-defined]  # a mark that a function carries
    return write


def request_hash(request: Request) -> bytes:
    """Return what makes two requests the same: method, address, values and files."""
    files = {
        name: [_digest(file) for file in request.FILES.getlist(name)] for name in request.FILES
    }
    given: Any = request.data
    if files:
        given = {name: value for name, value in given.items() if name not in files} | files
    values = json.dumps(given, sort_keys=True, cls=JSONEncoder)
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{values}".encode()).digest()


def _digest(file: File[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _take_turn(owner: Owner, key: str) -> None:
    """Hold the key until the transaction ends; Problem when another request holds it."""
    if not repeats.is_our_turn(f"{owner.pk}:{key}"):
        raise Problem(409, code="in_progress", detail="The first request is still under way.")


def _again(used: RequestKey, digest: bytes) -> Response:
    if bytes(used.request_hash) != digest:
        raise Problem(422, code="key_reused", detail="This key was used for another request.")
    if used.sealed_answer is None:
        raise Problem(
            409,
            code="answer_gone",
            detail="This request was done before; its answer is no longer kept.",
        )
    body = sealing.unseal(bytes(used.sealed_answer), **_place(used.owner, used.key))
    headers = {**used.headers, "Idempotency-Replayed": "true"}
    return Response(json.loads(body), status=used.status, headers=headers)


def _place(owner: Owner, key: str) -> dict[str, str]:
    return {"table": "owners_requestkey", "key": f"{owner.pk}:{key}", "field": "answer"}
