"""The short way for machines: what they sign needs no session, no cookie and no template.

Stands behind the security middleware and before everything made for people with a
browser; the addresses are the same ones that `suppliers.urls` names.
"""

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404
from django.urls.resolvers import RegexPattern, URLResolver

PREFIX = "/webhooks/"
KNOWN = 1024  # addresses kept

GetResponse = Callable[[HttpRequest], HttpResponse]


def lane(get_response: GetResponse) -> GetResponse:
    """Return the middleware that answers webhooks at once and hands on the rest."""
    # A supplier's address is asked for again and again, and resolving it costs a tenth of all.
    resolve = lru_cache(maxsize=KNOWN)(URLResolver(RegexPattern(r"^/"), "suppliers.urls").resolve)

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response

    return middleware
