"""What things usually are: with which icon, named by what; and a thing read from one line."""

import re
from dataclasses import dataclass, field

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from assets.choices import AssetKind, IdentifierScheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """One choice when adding a thing."""

    slug: str
    label: str | Lazy
    icon: str
    kind: AssetKind
    scheme: IdentifierScheme = IdentifierScheme.SERIAL
    words: tuple[str, ...] = ()  # in a line of text, these mean it


STARTERS: dict[str, Starter] = {
    starter.slug: starter
    for starter in (
        Starter(slug="home", label=_("House or flat"), icon="house", kind=AssetKind.HOME,
                scheme=IdentifierScheme.METER_POINT,
                words=("house", "flat", "apartment", "haus", "wohnung", "casa")),
        Starter(slug="car", label=_("Car"), icon="car", kind=AssetKind.VEHICLE,
                scheme=IdentifierScheme.VIN, words=("car", "van", "auto", "macchina")),
        Starter(slug="bike", label=_("Bike"), icon="bike", kind=AssetKind.VEHICLE,
                words=("bike", "bicycle", "ebike", "fahrrad", "bici")),
        Starter(slug="boiler", label=_("Boiler or heating"), icon="flame", kind=AssetKind.HEATING,
                words=("boiler", "heating", "furnace", "heater", "heizung", "therme", "caldaia")),
        Starter(slug="washer", label=_("Washing machine"), icon="washing-machine",
                kind=AssetKind.APPLIANCE,
                words=("washer", "washing", "dryer", "waschmaschine", "lavatrice")),
        Starter(slug="fridge", label=_("Fridge"), icon="refrigerator", kind=AssetKind.APPLIANCE,
                words=("fridge", "freezer", "refrigerator", "kühlschrank", "frigo")),
        Starter(slug="tv", label=_("TV or TV box"), icon="tv", kind=AssetKind.ELECTRONICS,
                words=("tv", "dvr", "television", "fernseher", "televisore")),
        Starter(slug="phone", label=_("Phone"), icon="smartphone", kind=AssetKind.ELECTRONICS,
                scheme=IdentifierScheme.IMEI,
                words=("phone", "iphone", "smartphone", "handy", "telefono")),
        Starter(slug="internet", label=_("Internet line"), icon="router",
                kind=AssetKind.SUBSCRIPTION,
                words=("internet", "router", "wifi", "broadband", "fibre", "fiber")),
        Starter(slug="computer", label=_("Computer"), icon="laptop-minimal",
                kind=AssetKind.ELECTRONICS, words=("computer", "laptop", "macbook", "pc")),
        Starter(slug="tool", label=_("Tool"), icon="hammer", kind=AssetKind.TOOL,
                words=("drill", "mower", "saw", "tool", "werkzeug")),
        Starter(slug="other", label=_("Something else"), icon="package", kind=AssetKind.OTHER),
    )
}  # fmt: skip
USUAL = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one line of text seems to say of a thing."""

    name: str
    starter: str = USUAL
    place: str = ""
    identifiers: list[tuple[IdentifierScheme, str]] = field(default_factory=list)


_SERIAL = re.compile(
    r"(?i)\b(?:serial(?: number)?|s/?n|seriennummer)[.:# ]+([A-Z0-9][A-Z0-9./-]{2,40})"
)
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")
_IMEI = re.compile(r"\b\d{15}\b")
_PLACE = re.compile(
    r"(?i),?\s+(?:in|im|at|nel|nella)\s+(?:the\s+|dem\s+|der\s+)?([^\W\d][^,;0-9]{1,40})$"
)
_WORD = re.compile(r"[^\W\d_]+")


def read_line(text: str) -> Line:
    """Read "Bosch washing machine WAN28, serial 12-345, in the cellar" as a thing."""
    rest = " ".join(text.split())[:300]
    identifiers: list[tuple[IdentifierScheme, str]] = []
    for scheme, pattern in (
        (IdentifierScheme.SERIAL, _SERIAL),
        (IdentifierScheme.VIN, _VIN),
        (IdentifierScheme.IMEI, _IMEI),
    ):
        found = pattern.search(rest)
        if found and (scheme != IdentifierScheme.VIN or any(c.isdigit() for c in found[0])):
            identifiers.append((scheme, found[1] if found.groups() else found[0]))
            rest = " ".join((rest[: found.start()] + " " + rest[found.end() :]).split())
            rest = re.sub(r"\s+,", ",", rest).strip(" ,;")
    place = ""
    where = _PLACE.search(rest)
    if where and where.start() > 0:
        place, rest = where[1].strip(), rest[: where.start()].strip(" ,;")
    words = [word.casefold() for word in _WORD.findall(rest)]
    starter = next(
        (each.slug for word in words for each in STARTERS.values() if word in each.words), USUAL
    )
    name = rest[:1].upper() + rest[1:120] if rest else text.strip()[:120]
    return Line(name=name, starter=starter, place=place[:80], identifiers=identifiers)
