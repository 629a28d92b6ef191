"""The floor of a feed page: plain values() and JSON, a keyset page, nobody asked who reads.

`tests.bench.floor_feed:application` with DJANGO_SETTINGS_MODULE=tests.bench.floor_feed_settings.
"""

from django.core.wsgi import get_wsgi_application
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils.dateparse import parse_datetime

PAGE = 50


def page(request: HttpRequest, household: int) -> JsonResponse:
    """Return fifty cards of a household behind a position."""
    from notifications.models import Card  # noqa: PLC0415 - this module is loaded before Django

    cards = Card.objects.filter(household=household)
    if "at" in request.GET:
        at, pk = parse_datetime(request.GET["at"]), int(request.GET["pk"])
        cards = cards.filter(Q(changed_at=at, pk__lt=pk) | Q(changed_at__lt=at), changed_at__lte=at)
    found = cards.order_by("-changed_at", "-pk").values("pk", "changed_at", "body")[:PAGE]
    return JsonResponse({"results": list(found)})


urlpatterns = [path("floor/<int:household>/", page)]


def __getattr__(name: str) -> object:
    """Make the application when it is served, and only then."""
    if name == "application":
        return get_wsgi_application()
    raise AttributeError(name)
