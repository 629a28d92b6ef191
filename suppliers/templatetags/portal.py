"""The frame around the portal's pages: where one of a supplier's people can go."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from suppliers import staffing
from suppliers.choices import StaffRole

register = template.Library()


class Place(NamedTuple):
    """One page of the portal, and the least role that opens it."""

    url: str
    label: str | Promise
    icon: str
    role: StaffRole = StaffRole.AGENT


WORK = (
    Place("portal", _("Overview"), "house"),
    Place("portal-requests", _("Requests"), "inbox"),
    Place("portal-visits", _("Visits"), "calendar-days"),
    Place("portal-send", _("Send update"), "send"),
    Place("portal-scorecard", _("Scorecard"), "chart-column"),
)
SYSTEM = (
    Place("portal-first", _("First event"), "rocket", StaffRole.DEVELOPER),
    Place("portal-log", _("Delivery log"), "history"),
    Place("portal-keys", _("Keys"), "key-round", StaffRole.DEVELOPER),
    Place("portal-profile", _("Profile"), "building-2"),
    Place("portal-people", _("People"), "users"),
)
TABS = (WORK[1], WORK[2], WORK[3], SYSTEM[1])
GROUPS = {"work": WORK, "system": SYSTEM, "tabs": TABS}


@register.simple_tag(takes_context=True)
def portal_places(context: dict[str, Any], group: str) -> list[dict[str, Any]]:
    """Return the pages of a group that this person may open."""
    request = context["request"]
    person = getattr(request, "person", None)
    if person is None:
        return []
    here = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {
            "path": reverse(place.url),
            "label": place.label,
            "icon": place.icon,
            "is_at": here == place.url
            or (here.startswith(f"{place.url}-") and place.url != "portal"),
        }
        for place in GROUPS[group]
        if staffing.may(person, place.role)
    ]


def _is_at(here: str, url: str) -> bool:
    return here == url or (url != "portal" and here.startswith(f"{url}-"))


@register.filter
def short_ref(owner_ref: str) -> str:
    """Return an owner_ref short enough to read: its last letters."""
    return f"own_…{owner_ref[-6:]}" if owner_ref else ""


ASKED = {
    "owner.appointment.countered": _("They ask for another time"),
    "owner.appointment.declined": _("They cannot take the appointment"),
    "owner.appointment.requested": _("They ask for an appointment"),
    "owner.appointment.cancelled": _("They called the appointment off"),
    "owner.appointment.slot_selected": _("They chose one of your times"),
    "owner.ticket.opened": _("They report trouble"),
    "owner.ticket.reopened": _("It does not work yet"),
    "owner.ticket.information_provided": _("They gave you what you asked for"),
    "owner.message.sent": _("They wrote to you"),
    "owner.invoice.disputed": _("They do not agree with a bill"),
    "owner.recall.remedy_chosen": _("They chose a remedy"),
    "owner.data_request.created": _("They ask for their data"),
    "owner.terms.proffered": _("They offer their terms"),
    "owner.mandate.changed": _("They have something new to tell"),
    "owner.asset.transferred": _("They no longer own something"),
    "owner.asset.disposed": _("They no longer have something"),
}


@register.filter
def asked_words(name: str) -> str | Promise:
    """Return what a type of request says, in words."""
    return ASKED.get(name, name)


@register.filter
def moment(text: str) -> datetime | None:
    """Return an instant that stands in an event's data as text."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


@register.filter
def as_json(value: object) -> str:
    """Return a value as JSON to be read by people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
