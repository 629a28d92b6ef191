"""Why a step of a transfer cannot be taken, and a package not be read, in words."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ANYTHING = _("That is not possible now.")
WHY: dict[str, str | Promise] = {
    "not_here": _("It is not here to be passed on: it is lost, not yours yet, or gone already."),
    "not_from_here": _("That is not possible now: something happened to the offer meanwhile."),
    "not_yours": _("That is for the other side to say."),
    "over": _("Its time is over."),
    "too_many": _("No more offers today; try again tomorrow."),
    "too_late": _("It is too long ago to be undone. Pass it back instead."),
    "elsewhere": _("It left this server, so nobody can be asked here. If it comes back, say so."),
    "same_household": _("It is in this household already."),
    "needed": _("Choose one of the list."),
    "reason": _("Choose one of the list."),
    "days": _("Choose one of the list."),
    "address": _("This is not an e-mail address."),
    "readings": _("This is a meter of another asset."),
    "buyer_gone": _("Whoever accepted it cannot take it any more. Take the offer back."),
}
UNREADABLE: dict[str, str | Promise] = {
    "too_large": _("The file is too large."),
    "not_a_package": _("This is no hand-over of Steward. Choose package.json, or the ZIP."),
    "version": _("It was written by a later version of Steward than this one can read."),
    "signature": _("Its signature does not fit: it was changed after it was signed."),
    "hash": _("A record in it was changed after it was signed."),
    "other_content": _("It was taken in before, with other content. Only one of them is right."),
    "in_the_future": _("It says what is still to come."),
    "no_room": _("There is no room for it now. Try again later."),
    "gone": _("The file is not here any more. Choose it again."),
}
BROKEN = _("It cannot be read: something in it is not as it should be.")


def why(code: str) -> Any:
    """Return why a step cannot be taken."""
    return WHY.get(code, ANYTHING)


def unreadable(code: str) -> Any:
    """Return why a package cannot be read."""
    return UNREADABLE.get(code, BROKEN)
