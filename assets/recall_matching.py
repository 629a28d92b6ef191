"""Does a recall mean a thing? Pure: what was published and what is owned in, how sure it is out.

`EXACT` only where the recall names this very piece: its VIN, serial number or batch. `LIKELY`
where maker, model and year fit: it is this model, and nobody knows yet whether it is this
piece. `POSSIBLE` where the maker fits and it is the same sort of thing, or where something
that the recall asks for is not written down. Two numbers that are both known and differ are
no match, however alike the rest is. Only what is known counts: a likeness of words never
makes more than `POSSIBLE`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import lru_cache

from assets.cover_words import Confidence
from assets.folding import fold


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words of a company's name that say nothing about who it is.
_COMPANY = _set(
    "ab ag and aps as asa bv co company corp corporation cv de gmbh group holding inc "
    "incorporated international kg kk limited llc lp ltd mbh nv of oy oyj plc pte pty sa sarl se "
    "sl spa srl the und usa"
)
_TOKEN = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+|\D+")
# Several models in one field: "RF28R7351SR, RF23R6201SR and RS27T5200SR".
_LIST = re.compile(r"\s*(?:,|;|/|\n|\band\b|\bor\b|\bund\b)\s*", re.IGNORECASE)
# What published lists say where no model is named.
_UNSAID = frozenset({"", "unknown", "various", "all", "n/a", "na", "none", "not applicable"})
# The sort of a thing, by the words with which lists name products (in English, as they do).
# The values are the keys of `data/templates`, and those of `AssetKind` where no template is.
SORTS: Mapping[str, frozenset[str]] = {
    "bike": _set("bicycle bicycles bike bikes ebike ebikes pedelec pedelecs"),
    "boat": _set("boat boats dinghy outboard watercraft yacht"),
    "boiler": _set("boiler boilers burner furnace furnaces heater heaters heating"),
    "car": _set(
        "automobile automobiles car cars motor motorcycle motorhome truck trucks van vans "
        "vehicle vehicles"
    ),
    "computer": _set("computer computers laptop laptops notebook notebooks tablet"),
    "fridge": _set("freezer freezers fridge fridges refrigerator refrigerators"),
    "phone": _set("mobile phone phones smartphone smartphones telephone"),
    "tool": _set(
        "chainsaw chainsaws drill drills grinder lawnmower lawnmowers mower mowers power saw "
        "saws tool tools trimmer trimmers"
    ),
    "tv": _set("dvr recorder recorders television televisions tv tvs"),
    "washer": _set("dishwasher dishwashers dryer dryers washer washers washing"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One way in which a recall names things; all that is given has to fit.

    `serial_from` to `serial_to` may be serial numbers or VINs, both ends included; one end
    alone is a single number.
    """

    brand: str = ""
    model: str = ""
    product: str = ""  # what sort of thing, in the list's own words
    year: int | None = None
    gtin: str = ""
    lot: str = ""
    serial_from: str = ""
    serial_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One recall as somebody published it."""

    source: str
    number: str
    title: str
    criteria: tuple[Criterion, ...]
    published_on: date | None = None
    updated_on: date | None = None
    hazard: str = ""
    remedy: str = ""
    url: str = ""
    do_not_use: bool = False
    raw: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A thing that is owned, as far as a recall can name it.

    `years` are the model years it may be of; none where nobody knows. `numbers` are its
    serial numbers and VINs, `lots` and `gtins` those on its label. `sorts` are keys of
    `SORTS`, `words` the words it goes by.
    """

    maker: str = ""
    model: str = ""
    years: frozenset[int] = frozenset()
    numbers: frozenset[str] = frozenset()
    lots: frozenset[str] = frozenset()
    gtins: frozenset[str] = frozenset()
    sorts: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How sure it is, and what says so: serial, batch, gtin, model, maker."""

    confidence: Confidence
    by: str


class Fit(IntEnum):
    """How one thing that a recall says compares with what is known."""

    NO = 0
    UNKNOWN = 1
    YES = 2


SURENESS = (Confidence.POSSIBLE, Confidence.LIKELY, Confidence.EXACT)


def match(thing: Thing, criteria: Iterable[Criterion], *, is_here: bool = True) -> Match | None:
    """Return how sure it is that a recall means a thing, by the criterion that is surest.

    `is_here` says whether the thing is where its authority speaks: elsewhere only a number
    makes more than a possibility, as models differ between markets.
    """
    found = [judged for one in criteria if (judged := judge(thing, one)) is not None]
    best = max(found, key=lambda one: SURENESS.index(one.confidence), default=None)
    if best is not None and not is_here and best.confidence == Confidence.LIKELY:
        return Match(confidence=Confidence.POSSIBLE, by=best.by)
    return best


def judge(thing: Thing, criterion: Criterion) -> Match | None:
    """Return whether one criterion means a thing, and how sure that is."""
    brand = _brand(criterion.brand, thing.maker)
    number = _number(criterion, thing.numbers)
    lot = _listed(criterion.lot, thing.lots)
    gtin = _listed(criterion.gtin, thing.gtins, key=gtin_key)
    year = _year(criterion.year, thing.years)
    model = _model(criterion.model, thing.model)
    if Fit.NO in (brand, number, lot, year):
        return None
    # Which piece it is: a number alone says it, where nothing else contradicts.
    if Fit.YES in {number, lot} and model != Fit.NO and _is_named(criterion, brand, gtin):
        by = "serial" if number == Fit.YES else "batch"
        return Match(confidence=Confidence.EXACT, by=by)
    if gtin == Fit.YES and brand == Fit.YES:
        return Match(confidence=Confidence.LIKELY, by="gtin")
    if gtin == Fit.YES:
        return Match(confidence=Confidence.POSSIBLE, by="gtin")
    if brand != Fit.YES or model == Fit.NO:
        return None
    if model == Fit.YES:
        # Another barcode may be another colour; another year that nobody knows is a doubt.
        is_sure = gtin != Fit.NO and (criterion.year is None or year == Fit.YES)
        return Match(confidence=Confidence.LIKELY if is_sure else Confidence.POSSIBLE, by="model")
    if same_sort(criterion.product, thing):
        return Match(confidence=Confidence.POSSIBLE, by="maker")
    return None


def _is_named(criterion: Criterion, brand: Fit, gtin: Fit) -> bool:
    """Whether it is said whose number it is: serial numbers of two makers may be the same."""
    is_vin = is_vin_like(criterion.serial_from) and not criterion.brand
    return is_vin or Fit.YES in (brand, gtin)


def same_sort(product: str, thing: Thing) -> bool:
    """Whether a thing is of the sort that a list's words name."""
    said = set(words_of(product))
    if not said:
        return False
    if any(said & SORTS.get(sort, frozenset()) for sort in thing.sorts):
        return True
    return bool({_stem(word) for word in said} & {_stem(word) for word in thing.words})


def _stem(word: str) -> str:
    """Return an English word without its plural, as far as that matters here."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


# --- makers and models -------------------------------------------------------------------


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded."""
    return tuple(_TOKEN.findall(fold(text)))


@lru_cache(maxsize=4096)
def maker_words(name: str) -> tuple[str, ...]:
    """Return the words of a company's name that say who it is: where it sits is left out."""
    plain = re.split(r",\s*of\b|\(", name, maxsplit=1)[0]
    told = words_of(plain)
    return tuple(word for word in told if word not in _COMPANY) or told


def maker_key(name: str) -> str:
    """Return the word by which recalls and things of one maker are brought together."""
    return next(iter(maker_words(name)), "")[:120]


def same_maker(one: str, other: str) -> bool:
    """Whether two names are of one maker: one begins with all words of the other."""
    return _brand(one, other) == Fit.YES


def _brand(said: str, known: str) -> Fit:
    one, other = maker_words(said), maker_words(known)
    if not one or not other or _UNSAID & {" ".join(one), " ".join(other)}:
        return Fit.UNKNOWN
    shorter, longer = sorted((one, other), key=len)
    is_same = longer[: len(shorter)] == shorter or "".join(one) == "".join(other)
    return Fit.YES if is_same else Fit.NO


def _model(said: str, known: str) -> Fit:
    """Compare models: "F-150" means an "F150 Lariat"; "Octavia Combi" may mean an "Octavia"."""
    listed = [one for one in _LIST.split(said) if fold(one).strip() not in _UNSAID]
    whole = () if fold(said).strip() in _UNSAID else (said,)
    if not listed or not known:
        return Fit.UNKNOWN
    return max(_one_model(one, known) for one in (*listed, *whole))


def _one_model(said: str, known: str) -> Fit:
    is_open = said.rstrip().endswith(("*", "x" * 3, "X" * 3))
    asked, have = words_of(said.rstrip(" *xX") if is_open else said), words_of(known)
    if not asked or not have:
        return Fit.UNKNOWN
    wanted, whole = "".join(asked), "".join(have)
    if is_open:
        return Fit.YES if whole.startswith(wanted) else Fit.NO
    if wanted in _beginnings(have):
        return Fit.YES
    return Fit.UNKNOWN if whole in _beginnings(asked) else Fit.NO


def _beginnings(words: Sequence[str]) -> set[str]:
    """Return what a name begins with, whole words only."""
    return {"".join(words[:count]) for count in range(1, len(words) + 1)}


def _year(said: int | None, known: Collection[int]) -> Fit:
    if said is None or not known:
        return Fit.UNKNOWN
    return Fit.YES if said in known else Fit.NO


# --- numbers -----------------------------------------------------------------------------


def number_key(value: str) -> str:
    """Return a serial number, VIN or batch as it is compared: capitals, no spaces or dashes."""
    return "".join(char for char in value.upper() if char.isalnum())


def gtin_key(value: str) -> str:
    """Return a GTIN as fourteen digits; nothing for what is none."""
    digits = number_key(value)
    return digits.zfill(14) if digits.isascii() and digits.isdigit() and len(digits) >= 8 else ""


def is_vin_like(value: str) -> bool:
    """Whether a number has the shape of a VIN."""
    return bool(re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", number_key(value)))


def _number(criterion: Criterion, known: Collection[str]) -> Fit:
    first = number_key(criterion.serial_from) or number_key(criterion.serial_to)
    last = number_key(criterion.serial_to) or first
    if not first:
        return Fit.UNKNOWN
    # Only numbers of one shape can be compared: a VIN is no serial number.
    alike = [number for one in known if _shape(number := number_key(one)) == _shape(first)]
    if not alike:
        return Fit.UNKNOWN
    return Fit.YES if any(in_range(number, first, last) for number in alike) else Fit.NO


def in_range(number: str, first: str, last: str) -> bool:
    """Whether a number lies in a range, both ends included; all three as `number_key` has them.

    Numbers are counted part by part, so A9 comes before A10; one of another shape than the
    ends of the range lies outside.
    """
    if not _shape(number) == _shape(first) == _shape(last):
        return False
    if is_vin_like(number):  # what it is, and which: the check digit between them says neither
        is_kind = first[:8] <= number[:8] <= last[:8]
        return is_kind and first[9:] <= number[9:] <= last[9:]
    return _parts(first) <= _parts(number) <= _parts(last)


def _parts(number: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isascii() and part.isdigit() else (len(part), part)
        for part in _NUMBER.findall(number)
    ]


def _shape(number: str) -> str:
    """Return where a number has digits and where other signs, whatever their count."""
    if is_vin_like(number):
        return "vin"
    parts = _NUMBER.findall(number)
    return "".join("9" if part.isascii() and part.isdigit() else "A" for part in parts)


def _listed(said: str, known: Collection[str], key: Callable[[str], str] = number_key) -> Fit:
    """Compare a list of batches or barcodes; a list in sentences rules nothing out."""
    listed = [one.strip() for one in _LIST.split(said)]
    wanted = {key(one) for one in listed} - {""}
    have = {key(one) for one in known} - {""}
    if not wanted or not have:
        return Fit.UNKNOWN
    if wanted & have:
        return Fit.YES
    return Fit.UNKNOWN if any(" " in one for one in listed) else Fit.NO
