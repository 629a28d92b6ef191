"""What stands on labels: check digits, and the codes that are scanned (GS1, EPREL, passports).

Nothing is ever refused: a number that looks mistyped is kept as written, with a warning.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _
from stdnum import ean, imei, luhn, mac
from stdnum.es import cups
from stdnum.exceptions import ValidationError
from vininfo import Vin
from vininfo.dicts import WMI

from assets.choices import IdentifierScheme

LONGEST = 200  # of one identifier
LONGEST_CODE = 2000  # of one code
NORTH_AMERICA = frozenset("12345")  # where the law wants a VIN's check digit
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_HULL = re.compile(r"(?:[A-Z]{2}-?)?[A-Z0-9]{3}[A-Z0-9]{5}[A-L0-9][0-9]{3}")
_SPREADSHEET = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
_MPAN = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of one identifier by itself."""

    is_valid: bool | None = None  # None: no rule says
    warning: str | Lazy = ""


FINE = Checked(is_valid=True)
NO_RULE = Checked()
SPOILED = Checked(
    is_valid=False,
    warning=_("A spreadsheet has rounded this number. Write it again from the label."),
)


def compact(value: str) -> str:
    """Return a value without spaces, dashes and case."""
    return re.sub(r"[\s\-]", "", value).upper()


def check(scheme: IdentifierScheme, value: str) -> Checked:
    """Say whether an identifier can be right, by the rules of its scheme."""
    if _SPREADSHEET.fullmatch(value.strip()):
        return SPOILED
    rule = _RULES.get(scheme)
    return rule(compact(value)) if rule and value.strip() else NO_RULE


def _vin(value: str) -> Checked:
    if not _VIN.fullmatch(value):
        warning = _("A VIN has 17 letters and digits, and never I, O or Q. Older cars differ.")
        return Checked(is_valid=False, warning=warning)
    if Vin(value).verify_checksum(check_year=False):
        return FINE
    if value[0] in NORTH_AMERICA:
        return Checked(is_valid=False, warning=_("Its check digit is wrong. Look again."))
    # Elsewhere nobody has to write one: a wrong one says little, a right one still says much.
    return Checked(warning=_("Its check digit does not fit; outside North America it need not."))


def _imei(value: str) -> Checked:
    if value.isdecimal() and len(value) == 16:
        return NO_RULE  # with the software's version; it has no check digit
    if imei.is_valid(value) and len(value) == 15:
        return FINE
    return Checked(
        is_valid=False, warning=_("An IMEI has 15 digits, and the last one must fit. Look again.")
    )


def _gtin(value: str) -> Checked:
    if ean.is_valid(value):
        return FINE
    return Checked(
        is_valid=False,
        warning=_("A GTIN has 8, 12, 13 or 14 digits, and the last one must fit. Look again."),
    )


def _meter_point(value: str) -> Checked:
    digits = value.removeprefix("S")
    wrong = Checked(is_valid=False, warning=_("Its check digit is wrong. Look again."))
    if value.startswith("ES") and len(value) >= 20:
        return FINE if cups.is_valid(value) else wrong
    if digits.isdecimal() and len(digits) in {
        13,
        21,
    }:  # the British MPAN, alone or with its top line
        core = digits[-13:]
        total = sum(int(d) * prime for d, prime in zip(core[:12], _MPAN, strict=True))
        return FINE if total % 11 % 10 == int(core[12]) else wrong
    if digits.isdecimal() and len(digits) == 18:
        # The rule of EAN numbers of any length; stdnum knows it for the short ones only.
        return FINE if ean.calc_check_digit(digits[:-1]) == digits[-1] else wrong
    return NO_RULE


def _hull(value: str) -> Checked:
    if _HULL.fullmatch(value):
        return FINE
    return Checked(
        is_valid=False,
        warning=_("A hull number has 12 letters and digits, often after two for the country."),
    )


def _mac(value: str) -> Checked:
    bare = value.replace(":", "").replace(".", "")
    spaced = ":".join(bare[at : at + 2] for at in range(0, len(bare), 2))
    if mac.is_valid(spaced):
        return FINE
    return Checked(is_valid=False, warning=_("A MAC address has 12 digits from 0 to F."))


def _eprel(value: str) -> Checked:
    if value.isdecimal() and 3 <= len(value) <= 9:
        return FINE
    return Checked(is_valid=False, warning=_("An EPREL number has only digits."))


_RULES = {
    IdentifierScheme.VIN: _vin,
    IdentifierScheme.IMEI: _imei,
    IdentifierScheme.GTIN: _gtin,
    IdentifierScheme.METER_POINT: _meter_point,
    IdentifierScheme.HULL: _hull,
    IdentifierScheme.MAC: _mac,
    IdentifierScheme.EPREL: _eprel,
}


def maker_of(vin: str) -> str:
    """Return who built a car, by its VIN; nothing where the list does not know."""
    value = compact(vin)
    if not _VIN.fullmatch(value):
        return ""
    # Only who is listed by all three letters: by two, a bus becomes a Mercury.
    found = WMI.get(value[:3])
    return "" if found is None else str(Vin(value).manufacturer or "")[:120]


Named = tuple[IdentifierScheme, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What one scanned or pasted code says of a thing."""

    identifiers: tuple[Named, ...] = ()
    link: str = ""  # the code itself, where it is an address
    unread: dict[str, str] = field(default_factory=dict)  # what GS1 says besides, by its number


# What GS1's application identifiers are to us; where two are one scheme, the first found stays.
_SCHEMES = {
    "01": IdentifierScheme.GTIN,
    "8006": IdentifierScheme.GTIN,
    "21": IdentifierScheme.SERIAL,
    "8004": IdentifierScheme.SERIAL,
    "8011": IdentifierScheme.SERIAL,
    "250": IdentifierScheme.SERIAL,
    "10": IdentifierScheme.LOT,
    "8013": IdentifierScheme.MPN,
    "240": IdentifierScheme.MPN,
    "241": IdentifierScheme.MPN,
}
_KEYS = ("01", "8006", "8010", "8004", "8003", "414", "8018", "8017", "253", "00")
_FIXED = {
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), 6),  # days
    "00": 18, "01": 14, "02": 14, "20": 2, "414": 13, "8006": 18,
}  # fmt: skip
_EPREL = re.compile(r"/(?:qr|product|products)(?:/[a-z][\w-]*)?/(\d{3,9})(?:/|$)")
_BRACKETS = re.compile(r"\((\d{2,4})\)([^(]+)")
GROUP = "\x1d"


def read_code(text: str) -> Code:
    """Read a code as a camera or a clipboard gives it; one that says nothing is empty."""
    code = text.strip()[:LONGEST_CODE]
    if re.match(r"(?i)https?://", code):
        return _address(code)
    bare = re.sub(r"^\](?:d2|C1|Q3|e0|J1)", "", code)
    pairs = _BRACKETS.findall(bare) if bare.startswith("(") else _element_string(bare)
    if pairs:
        return _of_pairs(pairs)
    return Code(identifiers=tuple(_single(code)))


def _address(code: str) -> Code:
    try:
        parts = urlsplit(code)
        host = (parts.hostname or "").casefold()
    except ValueError:
        return Code()
    if host == "eprel.ec.europa.eu":
        found = _EPREL.search(parts.path)
        if found:
            return Code(identifiers=((IdentifierScheme.EPREL, found[1]),), link=code)
    steps = [unquote(step) for step in parts.path.split("/") if step]
    for key in _KEYS:
        if key in steps[:-1] and _is_key(key, steps[steps.index(key) + 1]):
            at = steps.index(key)
            pairs = list(zip(steps[at::2], steps[at + 1 :: 2], strict=False))
            pairs += [(n, v) for n, v in parse_qsl(parts.query) if n.isdecimal()]
            read = _of_pairs(pairs)
            named = ((IdentifierScheme.DIGITAL_LINK, code[:LONGEST]),)
            return Code(identifiers=read.identifiers + named, link=code, unread=read.unread)
    return Code(identifiers=((IdentifierScheme.PASSPORT, code[:LONGEST]),), link=code)


def _is_key(key: str, value: str) -> bool:
    if key in {"01", "8006"}:
        return value.isdecimal() and len(value) in {8, 12, 13, 14, 18}
    return bool(value)


def _of_pairs(pairs: list[tuple[str, str]]) -> Code:
    named: dict[IdentifierScheme, str] = {}
    unread = {}
    for number, value in pairs:
        text = value.strip().strip(GROUP)
        scheme = _SCHEMES.get(number)
        if scheme is None or scheme in named or not text:
            unread[number] = text
            continue
        if number == "01":
            text = _short_gtin(text)
        elif number == "8006":
            text = _short_gtin(text[:14])
        named[scheme] = text[:LONGEST]
    return Code(identifiers=tuple(named.items()), unread=unread)


def _short_gtin(digits: str) -> str:
    """Return a GTIN as it stands under the bar code: 14 digits are padded ones."""
    if not digits.isdecimal():
        return digits
    bare = digits.lstrip("0")
    return digits.zfill(14) if len(bare) > 13 else bare.zfill(13 if len(bare) > 8 else 8)


def _element_string(code: str) -> list[tuple[str, str]]:
    """Read what a GS1 DataMatrix or bar code holds: numbers with values, without brackets."""
    pairs: list[tuple[str, str]] = []
    rest = code.lstrip(GROUP)
    if not re.match(r"(?:01\d{14}|8006\d{18}|8004)", rest):
        return []
    while rest:
        number = next((n for n in (*_FIXED, *_SCHEMES) if rest.startswith(n)), None)
        if number is None:
            return pairs
        rest = rest[len(number) :]
        if number in _FIXED:
            value, rest = rest[: _FIXED[number]], rest[_FIXED[number] :].lstrip(GROUP)
        else:
            value, _sep, rest = rest.partition(GROUP)
        pairs.append((number, value))
    return pairs


def _single(code: str) -> list[Named]:
    value = compact(code)
    if not value or len(value) > LONGEST:
        return []
    if value.isdecimal() and len(value) == 15 and luhn.is_valid(value):
        return [(IdentifierScheme.IMEI, value)]
    if value.isdecimal() and len(value) in {8, 12, 13, 14} and ean.is_valid(value):
        return [(IdentifierScheme.GTIN, value)]
    if (
        _VIN.fullmatch(value)
        and any(c.isdigit() for c in value)
        and any(c.isalpha() for c in value)
    ):
        return [(IdentifierScheme.VIN, value)]
    if re.fullmatch(r"(?i)(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}", code):
        return [(IdentifierScheme.MAC, code.upper())]
    return [(IdentifierScheme.SERIAL, code[:LONGEST])]


def is_sure(scheme: IdentifierScheme, value: str) -> bool:
    """Whether a number is right by its own check digits."""
    try:
        return check(scheme, value).is_valid is True
    except ValidationError:
        return False
