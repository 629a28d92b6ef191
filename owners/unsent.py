"""What somebody sees whose code could not be mailed: a page that helps, never a crash."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from owners.api.problems import PROBLEM_JSON, TITLES

WAIT_S = 120  # mail servers are mostly back by then
APPS = "/_allauth/"


class UnsentError(Exception):
    """A letter without which one cannot go on was not taken by the mail server."""


class Unsent(MiddlewareMixin):
    """Answers where a letter could not be sent: 503, with what to do."""

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page, or the problem for an app; None for any other error."""
        if not isinstance(error, UnsentError):
            return None
        if request.path.startswith(APPS):
            response: HttpResponse = JsonResponse(
                {
                    "type": "about:blank",
                    "title": TITLES[503],
                    "status": 503,
                    "code": "mail_unsent",
                    "detail": _("The mail with your code could not be sent. Try again later."),
                },
                status=503,
                content_type=PROBLEM_JSON,
            )
        else:
            response = render(request, "unsent.html", status=503)
        response["Retry-After"] = str(WAIT_S)
        response["Cache-Control"] = "no-store"
        return response
