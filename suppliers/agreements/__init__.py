"""The owner's terms that a household can offer: texts that never change, by name.

An agreement is known by its address, its version and the SHA-256 of its exact bytes, as
IEEE 7012 asks for; no list of names is part of any contract. A new wording is a new
version in a new file.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One text that can be agreed on."""

    code: str
    version: str
    title: str | Promise
    about: str | Promise
    is_offered: bool = True  # the notice of receipts is a text as well, and no terms

    @cached_property
    def text(self) -> bytes:
        """The exact bytes that are agreed on."""
        return (HERE / f"{self.code}-{self.version}.txt").read_bytes()

    @cached_property
    def sha256(self) -> str:
        """The hash both sides compare."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def path(self) -> str:
        """Where its text is, on this installation."""
        return f"/terms/{self.code}/{self.version}/"

    @property
    def uri(self) -> str:
        """Its address for everybody."""
        return f"{settings.SITE_URL}{self.path}"


_ALL = (
    Agreement(
        code="service-only",
        version="1",
        title=_("Service only"),
        about=_("What they learn is for the work and its bills, and for nothing else."),
    ),
    Agreement(
        code="no-adverts",
        version="1",
        title=_("No adverts"),
        about=_("No adverts by any channel, and no profile to advertise by."),
    ),
    Agreement(
        code="one-survey-a-year",
        version="1",
        title=_("One survey a year"),
        about=_("At most one request for feedback in twelve months."),
    ),
    Agreement(
        code="notice",
        version="1",
        title=_("What a consent receipt says"),
        about=_("The notice that every consent receipt names."),
        is_offered=False,
    ),
)
TEXTS: dict[tuple[str, str], Agreement] = {(one.code, one.version): one for one in _ALL}
ROSTER: dict[str, Agreement] = {one.code: one for one in _ALL if one.is_offered}


def by_uri(uri: str) -> Agreement | None:
    """Return the agreement that lives at an address of ours."""
    return next((one for one in ROSTER.values() if one.uri == uri.strip()), None)
