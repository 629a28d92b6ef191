"""Errors as RFC 9457 problems, each fault with a JSON pointer to its field."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response

from owners.channels import ChannelError
from owners.households import NotAllowedError

PROBLEM_JSON = "application/problem+json"
TITLES = {
    400: "The request cannot be understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "No such representation",
    409: "Not possible now",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    422: "The key was used for another request",
    429: "Too many requests",
    503: "Not available now",
    507: "No room",
}


class Problem(APIException):
    """An error with a code for machines and a sentence for people."""

    def __init__(
        self,
        status: int,
        *,
        code: str,
        detail: str,
        pointer: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe the fault; `pointer` names the field it lies in, `more` adds members."""
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.pointer = pointer
        self.more = dict(more or {})

    def answer(self) -> Response:
        """Return the problem as an answer, for work that must stay committed."""
        response = Response(document(self), status=self.status_code)
        response.content_type = PROBLEM_JSON
        return response


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the problem document for an anticipated error; None lets it crash loudly."""
    known = _translate(error)
    if known is None:
        return None
    status = known.status_code
    headers = {"Cache-Control": "no-store"}
    if getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = known.auth_header  # type: ignore[attr-defined]  # asked for just above
    if getattr(known, "wait", None):
        headers["Retry-After"] = str(int(known.wait) + 1)  # type: ignore[attr-defined]  # asked for just above
    if status == 503:
        headers["Retry-After"] = "2"
    response = Response(document(known), status=status, headers=headers)
    response.content_type = PROBLEM_JSON
    return response


def document(error: APIException) -> dict[str, Any]:
    """Return the problem document of an error."""
    status = error.status_code
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
    }
    if isinstance(error, ValidationError):
        return {**body, "code": "invalid", "errors": list(_faults(error.detail))}
    body["code"] = str(error.get_codes())
    body["detail"] = str(error.detail)
    if isinstance(error, Problem):
        body |= error.more
        if error.pointer:
            fault = {"pointer": error.pointer, "code": error.code, "detail": str(error.detail)}
            body["errors"] = [fault]
    return body


def _translate(error: Exception) -> APIException | None:
    """Return the error as an answer; what another owner has does not exist here."""
    if isinstance(error, APIException):
        return error
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return Problem(404, code="not_found", detail="There is no such thing.")
    if isinstance(error, DjangoPermissionDenied):
        return Problem(403, code="permission_denied", detail="This is not allowed.")
    if isinstance(error, NotAllowedError):
        return Problem(403, code="rank", detail=str(error))
    if isinstance(error, ChannelError):
        return Problem(409, code=error.code, detail=error.detail)
    if isinstance(error, OperationalError | InterfaceError):
        return Problem(503, code="unavailable", detail="Try again in a moment.")
    return None


def _faults(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """Yield every fault of a validation error with its JSON pointer."""
    if isinstance(detail, ErrorDetail):
        yield {"pointer": pointer, "code": str(detail.code), "detail": str(detail)}
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else "/" + _escape(str(name))
            yield from _faults(inner, pointer + step)
    elif isinstance(detail, Sequence):
        for place, inner in enumerate(detail):
            step = "" if isinstance(inner, ErrorDetail) else f"/{place}"
            yield from _faults(inner, pointer + step)


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
