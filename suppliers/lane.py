"""The short way for machines: what they sign needs no session, no cookie and no template.

Stands behind the security middleware and before everything made for people with a
browser; the addresses are the same ones that `suppliers.urls` names.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404
from django.urls.resolvers import RegexPattern, URLResolver

PREFIX = "/webhooks/"

GetResponse = Callable[[HttpRequest], HttpResponse]


def lane(get_response: GetResponse) -> GetResponse:
    """Return the middleware that answers webhooks at once and hands on the rest."""
    resolver = URLResolver(RegexPattern(r"^/"), "suppliers.urls")

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        try:
            match = resolver.resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response

    return middleware
