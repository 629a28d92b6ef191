"""Who pays and why, in the reader's language."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets.choices import CoverageKind
from assets.cover_words import OTHER_KINDS, REASONS
from assets.coverage import Kind, Reason

AUTHORITIES = {
    "nhtsa": "NHTSA (US)",
    "cpsc": "CPSC (US)",
    "safety-gate": "EU Safety Gate",
}


def kind_word(kind: Kind) -> str:
    """Return what somebody may have to pay by."""
    if kind.value in OTHER_KINDS:
        return str(OTHER_KINDS[kind.value])
    return str(CoverageKind(kind.value).label)


def said_why(reason: Reason) -> str:
    """Return a reason as a sentence; its days as the reader writes them."""
    values = dict(reason.values)
    if "day" in values:
        values["day"] = date_format(date.fromisoformat(values["day"]), "DATE_FORMAT")
    return _(str(REASONS[reason.code])) % values


def obligor_word(obligor: str) -> str:
    """Return who it is; authorities have short names of their own."""
    return AUTHORITIES.get(obligor, obligor)
