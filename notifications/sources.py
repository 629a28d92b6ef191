"""By which way something was said, and how far it can be believed, in few words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from suppliers.choices import Authentication, Medium, Outcome

MAILED: dict[str, str | Promise] = {
    Authentication.PASS: gettext_lazy("by e-mail, proved"),
    Authentication.FAIL: gettext_lazy("by e-mail, its sender failed the check"),
    Authentication.NONE: gettext_lazy("by e-mail, not proved"),
}
SPOKEN: dict[str, tuple[str | Promise, str | Promise]] = {
    Medium.SMS: (
        gettext_lazy("by SMS, number known"),
        gettext_lazy("by SMS, number unknown"),
    ),
    Medium.CALL: (
        gettext_lazy("by phone, number known"),
        gettext_lazy("by phone, number unknown"),
    ),
    Medium.VOICEMAIL: (
        gettext_lazy("by voicemail, number known"),
        gettext_lazy("by voicemail, number unknown"),
    ),
}


def way_of(contact: Mapping[str, Any]) -> str:
    """Return how a contact of a journey came, as its page shows it."""
    if contact["outcome"] == Outcome.OWN:
        return _("written down by you")
    # A mail may state as much as an event does; only the event is signed as a whole.
    is_event = contact["type"] and not contact["has_original"]
    if is_event and contact["authentication"] == Authentication.PASS:
        return _("by a signed message")
    if contact["medium"] == Medium.EMAIL:
        return str(MAILED[contact["authentication"] or Authentication.NONE])
    if contact["medium"] in SPOKEN:
        known, unknown = SPOKEN[contact["medium"]]
        return str(known if contact["supplier"] and not _is_likely(contact) else unknown)
    return str(Medium(contact["medium"]).label)


def ways_of(sources: Iterable[str], contacts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the ways of a fact's sources, each once, in their order."""
    found = (way_of(contacts[key]) for key in sources if key in contacts)
    return list(dict.fromkeys(found))


def _is_likely(contact: Mapping[str, Any]) -> bool:
    return bool(contact["link"] and contact["link"]["is_likely"])
