"""The frame around every page: where one can go, and how the page looks on this device."""

from functools import cache
from typing import Any, NamedTuple

from django import template
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config import appearance
from suppliers.models import Contact

register = template.Library()

DOOR_COUNTED = 99


class Place(NamedTuple):
    """One page of the navigation; `url` names its address."""

    url: str
    label: str | Promise
    icon: str
    is_at: bool = False
    path: str = ""


MAIN = (
    Place("today", _("Today"), "inbox"),
    Place("assets", _("Assets"), "house"),
    Place("care", _("Care"), "wrench"),
    Place("journeys", _("Journeys"), "waypoints"),
    Place("calendar", _("Calendar"), "calendar-days"),
    Place("suppliers", _("Suppliers"), "handshake"),
    Place("door", _("At the door"), "user-round-check"),
    Place("documents", _("Documents"), "file-text"),
)
BELOW = (
    Place("household", _("Household"), "users"),
    Place("ways", _("Ways in"), "mailbox"),
    Place("passes", _("Passes"), "ticket"),
    Place("report", _("Report"), "chart-column"),
    Place("preferences", _("Preferences"), "settings-2"),
    Place("access", _("Access"), "key-round"),
    Place("data", _("Data and trust"), "shield-check"),
    Place("outbox", _("What went out"), "send"),
    Place("help", _("Help"), "circle-help"),
)
TABS = (
    Place("today", _("Today"), "inbox"),
    Place("assets", _("Assets"), "house"),
    Place("calendar", _("Calendar"), "calendar-days"),
    Place("suppliers", _("Suppliers"), "handshake"),
)
SHORTCUTS = (
    Place("asset-add", _("Add an asset"), "package"),
    Place("share", _("Add what a supplier said"), "message-square-plus"),
    Place("log", _("Log a call or a note"), "notebook-pen"),
    Place("supplier-add", _("Add a supplier"), "handshake"),
    Place("document-add", _("Add a document"), "file-plus"),
)
GROUPS = {"main": MAIN, "below": BELOW, "tabs": TABS, "shortcuts": SHORTCUTS}


def path_of(name: str) -> str:
    """Return the address of a page, or nothing where this installation has no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@register.simple_tag
def address(name: str) -> str:
    """Return the address of a page, or nothing where there is no such page."""
    return path_of(name)


@register.filter
def undo_address(message: Message) -> str:
    """Return where a POST undoes the thing a message tells of: its tag is `undo:/address/`."""
    name, _found, path = (message.extra_tags or "").partition(":")
    return path if name == "undo" and path.startswith("/") else ""


@register.simple_tag(takes_context=True)
def places(context: template.Context, group: str) -> list[Place]:
    """Return the pages of one part of the navigation, the present one marked."""
    request: HttpRequest | None = context.get("request")
    here = request.path if request else ""
    found = [place._replace(path=path_of(place.url)) for place in GROUPS[group]]
    return [place._replace(is_at=_is_at(here, place.path)) for place in found if place.path]


def _is_at(here: str, path: str) -> bool:
    return here == path if path == "/" else here.startswith(path)


@register.simple_tag
@cache
def sprite() -> str:
    """Return the address of the icons: asked for sixty times a page, and always the same."""
    return static("icons/lucide.svg")


@register.simple_tag(takes_context=True)
def at_the_door(context: template.Context) -> int:
    """Return how many messages wait for a yes, read once a page."""
    request: HttpRequest | None = context.get("request")
    if request is None or not request.user.is_authenticated:
        return 0
    if not hasattr(request, "door_count"):
        waiting = Contact.objects.for_owner(request.user).at_the_door()
        found = waiting.exclude(reason="not_now")[:DOOR_COUNTED].count()
        request.door_count = found  # type: ignore[attr-defined]  # two navigations, one query
    return int(request.door_count)  # type: ignore[attr-defined]


@register.simple_tag(takes_context=True)
def scheme(context: template.Context) -> str:
    """Return the theme chosen on this device: light, dark or auto."""
    request: HttpRequest | None = context.get("request")
    return appearance.scheme_of(request) if request else appearance.AUTO


@register.simple_tag
def schemes() -> list[dict[str, Any]]:
    """Return the themes to choose from."""
    return [
        {"value": appearance.AUTO, "label": _("As the device"), "icon": "sun-moon"},
        {"value": appearance.LIGHT, "label": _("Light"), "icon": "sun"},
        {"value": appearance.DARK, "label": _("Dark"), "icon": "moon"},
    ]
