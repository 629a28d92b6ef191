"""What things usually are: with which icon, named by what; and a thing read from one line."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.functional import lazy
from django.utils.translation import get_language

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
    care: Mapping[str, Any] = field(default_factory=dict)  # as `care_specs.CARE_PLAN` describes
    maker: str = ""  # what is said where the owner says nothing
    model: str = ""
    place: str = ""


def _label(names: dict[str, str]) -> str:
    return names.get((get_language() or "en")[:2], names["en"])


_lazily = lazy(_label, str)


def read_template(body: Mapping[str, Any]) -> Starter:
    """Return a template as its file, or a household's own row, describes it."""
    return Starter(
        slug=body["slug"],
        label=_lazily(body["label"]),
        icon=body["icon"],
        kind=AssetKind(body["kind"]),
        scheme=IdentifierScheme(body.get("scheme", IdentifierScheme.SERIAL)),
        words=tuple(body.get("words", ())),
        care=body.get("care", {}),
        maker=body.get("maker", ""),
        model=body.get("model", ""),
        place=body.get("place", ""),
    )


def _read_all() -> dict[str, Starter]:
    bodies = [json.loads(path.read_text("utf-8")) for path in sorted(TEMPLATES.glob("*.json"))]
    bodies.sort(key=lambda body: body["order"])
    return {body["slug"]: read_template(body) for body in bodies}


TEMPLATES = Path(__file__).with_name("data") / "templates"
STARTERS: dict[str, Starter] = _read_all()
USUAL = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one line of text seems to say of a thing."""

    name: str
    starter: str = USUAL
    place: str = ""
    identifiers: list[tuple[IdentifierScheme, str]] = field(default_factory=list)
    care: Mapping[str, Any] | None = None  # one task, as `care_specs.SPEC` describes it
    supplier: str = ""  # who is said to do it


_SERIAL = re.compile(
    r"(?i)\b(?:serial(?: number)?|s/?n|seriennummer)[.:# ]+([A-Z0-9][A-Z0-9./-]{2,40})"
)
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")
_IMEI = re.compile(r"\b\d{15}\b")
_PLACE = re.compile(
    r"(?i),?\s+(?:in|im|at|nel|nella)\s+(?:the\s+|dem\s+|der\s+)?([^\W\d][^,;0-9]{1,40})$"
)
_WORD = re.compile(r"[^\W\d_]+")


# What is done again and again, in the languages we speak; what stands before it is the thing.
_TASK = re.compile(
    r"(?i)\b((?:oil |filter |safety )?(?:service|servicing|inspection|check(?:-?up)?|cleaning"
    r"|tuning|change|maintenance)|wartung|inspektion|reinigung|prüfung|ölwechsel|hauptuntersuchung"
    r"|manutenzione|revisione|pulizia|tagliando|controllo|accordatura)\b"
)
_EVERY = r"(?:every|each|once an?|jede[nrs]?|alle|ogni)"
_UNITS = {
    "day": ("day", "days", "tag", "tage", "giorno", "giorni"),
    "week": ("week", "weeks", "woche", "wochen", "settimana", "settimane"),
    "month": ("month", "months", "monat", "monate", "mese", "mesi"),
    "year": ("year", "years", "jahr", "jahre", "anno", "anni"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_ADVERBS = {
    "daily": "day", "täglich": "day", "weekly": "week", "wöchentlich": "week",
    "monthly": "month", "monatlich": "month", "mensile": "month", "mensilmente": "month",
    "yearly": "year", "annual": "year", "annually": "year", "jährlich": "year",
    "annuale": "year", "annualmente": "year",
}  # fmt: skip
_MONTHS = (
    ("january", "januar", "jänner", "gennaio"), ("february", "februar", "febbraio"),
    ("march", "märz", "marzo"), ("april", "aprile"), ("may", "mai", "maggio"),
    ("june", "juni", "giugno"), ("july", "juli", "luglio"), ("august", "agosto"),
    ("september", "settembre"), ("october", "oktober", "ottobre"), ("november", "novembre"),
    ("december", "dezember", "dicembre"),
)  # fmt: skip
_MONTH_OF = {word: at for at, words in enumerate(_MONTHS, start=1) for word in words}
_SEASONS = {"spring": 4, "summer": 6, "autumn": 10, "fall": 10, "winter": 12, "frühjahr": 4,
            "frühling": 4, "sommer": 6, "herbst": 10, "primavera": 4, "estate": 6,
            "autunno": 10, "inverno": 12}  # fmt: skip
_MANY = r"(?:(\d{1,3}|two|three|four|six|zwei|drei|vier|sechs|due|tre|quattro|sei)\s+)?"
_NUMBERS = {"two": 2, "three": 3, "four": 4, "six": 6, "zwei": 2, "drei": 3, "vier": 4,
            "sechs": 6, "due": 2, "tre": 3, "quattro": 4, "sei": 6}  # fmt: skip
_RHYTHM = re.compile(rf"(?i)\b{_EVERY}\s+{_MANY}([^\W\d_]+)")
_ADVERB = re.compile(rf"(?i)\b({'|'.join(_ADVERBS)})\b")
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "euro": "EUR", "euros": "EUR", "franken": "CHF"}
_MONEY = re.compile(
    r"(?i)(?:\b(?:about|around|approx\.?|ca\.?|etwa|circa|for|für)\s*)?"
    r"(?:(€|£|\$|EUR|USD|GBP|CHF)\s*(\d[\d.,]*)|(\d[\d.,]*)\s*(€|£|\$|euros?|EUR|USD|GBP|CHF|franken))"
    r"(?!\w)"
)


def _rhythm(text: str) -> tuple[dict[str, Any] | None, str]:
    """Take "every October" or "every 6 months" out of a text."""
    for found in _RHYTHM.finditer(text):
        count, word = found[1], found[2].casefold()
        rest = f"{text[: found.start()]} {text[found.end() :]}"
        month = _MONTH_OF.get(word) or _SEASONS.get(word)
        if month and not count:
            rule = f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY=1"
            return {"kind": "calendar", "mode": "fixed", "rule": rule}, rest
        if word in _UNIT_OF:
            number = _NUMBERS.get((count or "1").casefold()) or int(count or "1")
            if number:
                trigger = {"every": number, "unit": _UNIT_OF[word]}
                return {"kind": "calendar", "mode": "floating", **trigger}, rest
    adverb = _ADVERB.search(text)
    if adverb:
        unit = _ADVERBS[adverb[1].casefold()]
        rest = f"{text[: adverb.start()]} {text[adverb.end() :]}"
        return {"kind": "calendar", "mode": "floating", "every": 1, "unit": unit}, rest
    return None, text


def _amount(digits: str) -> str:
    """Return "1.234,50" and "1,234.50" as 1234.50: the last mark with two digits is the point."""
    whole, mark, cents = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", digits.strip(".,")).groups()  # type: ignore[union-attr]  # it matches every text
    plain = re.sub(r"\D", "", whole) or "0"
    return f"{plain[:12]}.{cents}" if mark else plain[:12]


def _read_care(text: str) -> tuple[str, dict[str, Any] | None]:
    """Take what is to be done again and again out of a line: return the rest, and the task."""
    trigger, rest = _rhythm(text)
    if trigger is None:
        return text, None
    spec: dict[str, Any] = {"name": "", "triggers": [trigger]}
    money = _MONEY.search(rest)
    if money:
        sign, digits = money[1] or money[4], money[2] or money[3]
        spec["amount"] = _amount(digits)
        spec["currency"] = _SIGNS.get(sign.casefold(), sign.upper())
        rest = f"{rest[: money.start()]},{rest[money.end() :]}"
    parts = [" ".join(part.split()).strip(" .;") for part in rest.split(",")]
    parts = [part for part in parts if part]
    task = _TASK.search(parts[0]) if parts else None
    apart = _TASK.fullmatch(parts[1]) if task is None and len(parts) > 1 else None
    if apart is not None:  # "Boiler in the cellar, service every October"
        parts.pop(1)
    if task is None and apart is None and trigger["mode"] != "fixed":
        return text, None  # "a car for every day" is only a car
    name = (task or apart or [""] * 2)[1]
    thing = parts[0] if parts else ""
    if task and thing[: task.start()].strip():
        thing = thing[: task.start()].strip()
    spec["name"] = name[:1].upper() + name[1:120] or "Service"
    if len(parts) > 1:
        spec["provider"] = parts[1][:120]
    return ", ".join([thing, *parts[2:]]), spec


def read_task(text: str) -> dict[str, Any] | None:
    """Read "Replace the filter every 6 months" as a task of care; None where nothing recurs."""
    rest, care = _read_care(f"{text}," if "," not in text else text)
    if care is None:
        trigger, rest = _rhythm(text)
        if trigger is None:
            return None
        care = {"name": "", "triggers": [trigger]}
    thing = " ".join(rest.split()).strip(" ,.;")
    said = care["name"]
    name = thing if not said or (said == "Service" and thing) else said
    if said and thing and said.casefold() not in thing.casefold():
        name = f"{thing} {said.lower()}"
    name = name or said or "Service"
    return {**care, "name": name[:1].upper() + name[1:120]}


def read_line(text: str, known: Mapping[str, Starter] | None = None) -> Line:
    """Read "Bosch washing machine WAN28, serial 12-345, in the cellar" as a thing.

    "Boiler service every October, Nordvarme, about 180 EUR" is a boiler with a task of care.
    `known` is what there is to start from; without it, ours.
    """
    known = STARTERS if known is None else known
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
    rest, care = _read_care(rest)
    place = ""
    where = _PLACE.search(rest)
    if where and where.start() > 0:
        place, rest = where[1].strip(), rest[: where.start()].strip(" ,;")
    words = [word.casefold() for word in _WORD.findall(rest)]
    starter = next(
        (each.slug for word in words for each in known.values() if word in each.words), USUAL
    )
    name = rest[:1].upper() + rest[1:120] if rest else text.strip()[:120]
    return Line(
        name=name,
        starter=starter,
        place=place[:80],
        identifiers=identifiers,
        care=care,
        supplier=(care or {}).get("provider", ""),
    )
