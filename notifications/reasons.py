"""Why an owner was told, or not: the wish that decided, in plain sentences.

Planning keeps a few plain values (`telling.Plan.why`, and a mark for what stays untold);
they are put into words when somebody asks, in the reader's language.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.telling import UNTOLD
from notifications.wording import within
from owners.choices import ChannelKind, Moment, Topic

WHOSE = {
    "default": gettext_lazy("You changed no wish for this: %(topic)s."),
    "household": gettext_lazy("It is your wish for: %(topic)s."),
    "supplier": gettext_lazy("It is your wish for this supplier: %(topic)s."),
    "asset": gettext_lazy("It is your wish for this thing: %(topic)s."),
    "journey": gettext_lazy("It is your wish for this matter: %(topic)s."),
    "safety": gettext_lazy("It is about safety, which no wish keeps quiet."),
    "granted": gettext_lazy("You trust this supplier to say when it is an emergency."),
}
NOT_TOLD = {
    Moment.WEEK.value: gettext_lazy("It waits for your weekly lines."),
    Moment.NEVER.value: gettext_lazy("It is on its card only."),
    "muted": gettext_lazy("You muted this matter."),
    "expired": gettext_lazy("It was over before you could be told."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A change that stayed on the card, the contact it came from, and why."""

    topic: str
    because: str
    why: str


def of_told(why: Mapping[str, Any]) -> str:
    """Say why somebody was told, then, and there; nothing of what was told before it was kept."""
    if not why:
        return ""
    said = [_whose(why), *_condition(why)]
    if why.get("is_away"):
        said.append(_("You are away, so nothing interrupts you."))
    if why.get("waited_until"):
        said.append(_("It waited for the end of your quiet hours."))
    if kind := why.get("full"):
        full = _("By %(kind)s you had as many in a day as you allow.")
        said.append(full % {"kind": ChannelKind(kind).label})
    if why.get("put_off_until"):
        said.append(_("It was put off until there was room."))
    return " ".join(said)


def of_untold(why: Mapping[str, Any]) -> str:
    """Say why somebody was not told."""
    what = NOT_TOLD.get(str(why.get("moment")), "")
    if why.get("moment") in ("muted", "expired"):
        return str(what)
    return " ".join(part for part in (str(what), _whose(why), *_condition(why)) if part)


def untold(snapshot: Mapping[str, str]) -> list[Untold]:
    """Return what a member knows only from the card, of what is kept of a matter."""
    found = []
    for key, kept in sorted(snapshot.items()):
        if key.startswith(UNTOLD):
            why = json.loads(kept)
            found.append(Untold(topic=why["topic"], because=why["because"], why=of_untold(why)))
    return found


def _whose(why: Mapping[str, Any]) -> str:
    sentence = WHOSE.get(str(why.get("by")), WHOSE["household"])
    return sentence % {"topic": within(str(Topic(why["topic"]).label))}


def _condition(why: Mapping[str, Any]) -> list[str]:
    parts = []
    if "over" in why:
        parts.append(_("only over %(amount)s") % {"amount": why["over"]})
    if "within_hours" in why:
        parts.append(_("only within %(hours)s hours") % {"hours": why["within_hours"]})
    if not parts:
        return []
    values = {"conditions": ", ".join(parts)}
    if why.get("is_unmet"):
        return [_("The wish is %(conditions)s, and this is not.") % values]
    return [_("The wish is %(conditions)s, and this is.") % values]
