"""Writes against a version: who changes what somebody else has changed is told, not obeyed."""

import hashlib
import json
from typing import Any

from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from owners.api.problems import Problem

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    location=OpenApiParameter.HEADER,
    description="The `etag` of what you change; 409 with the `current` object when it is another.",
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    location=OpenApiParameter.HEADER,
    response=[200, 201],
    description="The version of the answer, for `If-Match` of the next write.",
)


def etag_of(shown: dict[str, Any]) -> str:
    """Return the version of an object as the API shows it."""
    text = json.dumps(shown, sort_keys=True, cls=JSONEncoder, separators=(",", ":"))
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def require_current(request: Request, shown: dict[str, Any]) -> None:
    """Raise a 409 problem that holds the current object when `If-Match` names another."""
    wanted = parse_etags(request.headers.get("If-Match", ""))
    etag = etag_of(shown)
    if wanted and "*" not in wanted and etag not in wanted:
        raise Problem(
            409,
            code="stale",
            detail="It was changed meanwhile.",
            more={"etag": etag, "current": shown},
        )
