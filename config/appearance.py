"""Light, dark or as the device says: kept in a cookie, so the first paint is already right."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "scheme"
AUTO, LIGHT, DARK = "auto", "light", "dark"
KEPT_S = 365 * 24 * 3600


def scheme_of(request: HttpRequest) -> str:
    """Return the theme chosen on this device."""
    chosen = request.COOKIES.get(COOKIE, AUTO)
    return chosen if chosen in (LIGHT, DARK) else AUTO


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep a theme on this device and go back; a script sets the same cookie without a round."""
    chosen = request.POST.get("scheme", "")
    if chosen not in (AUTO, LIGHT, DARK):
        return HttpResponseBadRequest()
    wanted = request.POST.get("next", "")
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    response = redirect(wanted if is_ours else "/")
    response.set_cookie(
        COOKIE,
        chosen,
        max_age=KEPT_S,
        samesite="Lax",
        secure=request.is_secure(),
        httponly=False,  # app.js changes the theme in place; nothing about anybody is in it
    )
    return response
