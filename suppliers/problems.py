"""RFC 9457 problems for suppliers: a code for machines, a sentence, a JSON pointer."""

import json
from typing import Any

from django.http import HttpResponse

TITLES = {
    400: "The event cannot be taken",
    401: "The signature does not verify",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    413: "Too large",
    415: "Unsupported media type",
    422: "Cannot be read",
    429: "Too many requests",
    503: "Cannot store now",
}


def problem(
    status: int,
    *,
    code: str,
    detail: str,
    pointer: str = "",
    headers: dict[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """Return a problem document; `pointer` is left out where there is none."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if pointer:
        body["pointer"] = pointer
    body.update(more or {})
    response = HttpResponse(
        json.dumps(body), status=status, content_type="application/problem+json", headers=headers
    )
    response["Cache-Control"] = "no-store"
    return response
