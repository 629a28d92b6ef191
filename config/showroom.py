"""Every component on one page, for whoever builds a screen; only where STEWARD_DEBUG is on."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from owners import clock

LONG = "Donaudampfschifffahrtsgesellschaftskapitänswohnungsheizungswartung"
MOMENTS = (("now", "Now"), ("today", "Today"), ("week", "This week"), ("never", "Never"))


def design(request: HttpRequest) -> HttpResponse:
    """Show the components with names that are short, long and missing."""
    if not settings.DEBUG:
        raise Http404
    messages.success(request, "Accepted. They are told.")
    local = timezone.localtime(clock.now())
    window = {
        "start": local.replace(hour=13, minute=0, second=0, microsecond=0).isoformat(),
        "end": local.replace(hour=15, minute=0, second=0, microsecond=0).isoformat(),
        "zone": str(timezone.get_current_timezone()),
    }
    outcomes = ("own", "shown", "absorbed", "absorbed", "held", "absorbed", "door", "shown")
    context = {
        "colours": _COLOURS,
        "long": LONG,
        "window": window,
        "tomorrow": local + timedelta(days=1),
        "knots": [{"outcome": outcome} for outcome in outcomes],
        "roles": _ROLES,
        "moments": MOMENTS,
        "reach": _REACH,
        "money": _MONEY,
        "meter": [212, 198, 240, 260, 231, 199, 180, 174, 190, 220, 251, 248],
        "months": ["J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D"],
        "tabs": _TABS,
        "filters": _FILTERS,
        "steps": ["Why", "What goes", "To whom", "Obligations", "Confirm"],
    }
    return render(request, "design.html", context)


_GROUNDS = ("canvas", "surface", "sunken", "raised", "ink", "ink-2", "ink-3", "edge", "line")
_ACCENTS = ("pine", "lamp", "lamp-x", "brick", "lake", "plum")
_TINTS = ("pine-tint", "lamp-tint", "brick-tint", "lake-tint", "plum-tint")
_COLOURS = (*_GROUNDS, *_ACCENTS, *_TINTS)
_ROLES = (
    {"label": "Maker", "suppliers": [{"name": "Vaillant", "verified": True}]},
    {
        "label": "Repairer",
        "suppliers": [{"name": "Nordvarme", "href": "#", "verified": True}, {"name": LONG}],
    },
    {"label": "Insurer", "suppliers": []},
)
_REACH = (
    {"label": "Somebody is arriving", "name": "arriving", "value": "now"},
    {"label": "A time or price changed", "name": "changed", "value": "now"},
    {"label": "Money is due", "name": "money", "value": "today"},
    {"label": "Offers", "name": "offer", "value": "never"},
)
_MONEY = (
    {"label": "Repairs", "value": 420, "shown": "€420.00"},
    {"label": "Energy", "value": 1180, "shown": "€1,180.00"},
    {"label": "Covered by warranty", "value": 260, "shown": "€260.00"},
    {"label": "Refund", "value": -20, "shown": "-€20.00"},
)
_TABS = (
    {"label": "Timeline", "href": "#", "is_at": True, "icon": "history"},
    {"label": "Suppliers", "href": "#", "icon": "handshake", "count": 4},
    {"label": "Care plan", "href": "#", "icon": "list-checks"},
    {"label": "Documents", "href": "#", "icon": "file-text"},
    {"label": "Costs", "href": "#", "icon": "wallet"},
    {"label": "Details", "href": "#", "icon": "info"},
)
_FILTERS = (
    {"label": "Open", "href": "#", "is_at": True, "count": 3},
    {"label": "Waiting for you", "href": "#", "count": 1},
    {"label": "Closed", "href": "#", "count": 512},
)
