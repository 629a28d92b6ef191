"""What answers where no view did: a page for people, a problem for programs."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from owners.api.problems import PROBLEM_JSON, TITLES

PROGRAMS = ("/api/", "/_allauth/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that nothing answers."""
    if request.path.startswith(PROGRAMS):
        return _problem(404, TITLES[404], code="not_found")
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer for an error that nobody foresaw; it is in the log already."""
    if request.path.startswith(PROGRAMS):
        return _problem(500, "Something went wrong here", code="error")
    return defaults.server_error(request)


def _problem(status: int, title: str, *, code: str) -> HttpResponse:
    return JsonResponse(
        {"type": "about:blank", "title": title, "status": status, "code": code},
        status=status,
        content_type=PROBLEM_JSON,
        headers={"Cache-Control": "no-store"},
    )
