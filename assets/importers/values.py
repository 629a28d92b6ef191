"""What stands in cells: dates, numbers, money, yes and no; and what a column says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from babel.numbers import is_currency

from assets.importers.faults import RowError


class DateOrder(StrEnum):
    """In which order a date names day, month and year."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "zł": "PLN",
    "Kč": "CZK",
    "₹": "INR",
    "₺": "TRY",
    "₩": "KRW",
    "Fr.": "CHF",
    "US$": "USD",
    "CA$": "CAD",
    "A$": "AUD",
    "NZ$": "NZD",
    "R$": "BRL",
}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$")
_SPLIT = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})[-/.]\s?(\d{4}|\d{2})(?:[T ,].*)?$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(
    r"(?:(?P<d>\d{1,2})\.?[ -](?P<m>[a-z]{3})[a-z]*\.?,?[ -]"
    r"|(?P<m2>[a-z]{3})[a-z]*\.? (?P<d2>\d{1,2}),? )"
    r"(?P<y>\d{4})(?:[ ,T].*)?$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[\d.,' \u2019\u00a0\u202f]*\d[\d.,' \u2019\u00a0\u202f]*")
SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d+$", re.IGNORECASE)
_CODE = re.compile(r"\b([A-Z]{3})\b")
_FORMULA = re.compile(r"=\s*[A-Za-z_+\-@(\"'\d]|[@+\-]\s*[A-Za-z_.]+\s*\(")
YES = frozenset({"1", "true", "t", "yes", "y", "x", "ja", "si", "sì", "full", "on"})
NO = frozenset({"0", "false", "f", "no", "n", "nein", "off", ""})
LARGEST = Decimal(10) ** 10  # of what a column for money holds


def read_day(text: str, order: DateOrder | None, column: str = "") -> date:
    """Return a date; a time after it is left out. Raises RowError."""
    raw = text.strip()
    if found := _ISO.match(raw):
        year, month, day = (int(part) for part in found.groups())
    elif found := _SPLIT.match(raw):
        first, mark, second, last = found.groups()
        year = int(last)
        if len(last) == 2:
            year += 2000 if year < 70 else 1900
        day, month = int(first), int(second)
        # A dot stands in dates only where the day comes first.
        if order == DateOrder.MDY and mark != ".":
            day, month = month, day
    elif found := _NAMED.match(raw):
        said = (found["m"] or found["m2"]).lower()
        if said not in _MONTHS:
            raise RowError("date", column, text)
        year, month = int(found["y"]), _MONTHS.index(said) + 1
        day = int(found["d"] or found["d2"])
    else:
        raise RowError("date", column, text)
    if not 1900 <= year <= 2200:
        raise RowError("year", column, text)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise RowError("date", column, text) from error


def read_number(text: str, decimal: str, column: str = "") -> Decimal:
    """Return a number; signs of currency and units around it are left out. Raises RowError."""
    raw = text.strip()
    if SHORTENED.search(raw):
        raise RowError("shortened", column, text)
    found = _DIGITS.search(raw)
    if found is None:
        raise RowError("number", column, text)
    digits = re.sub(r"[' \u2019\u00a0\u202f]", "", found.group()).strip(".,")
    around = raw[: found.start()] + raw[found.end() :]
    if any(sign.isdigit() for sign in around):
        raise RowError("number", column, text)
    group = "," if decimal == "." else "."
    whole, mark, part = digits.partition(decimal)
    if decimal in part or group in part:
        raise RowError("number", column, text)
    groups = whole.split(group)
    if len(groups) > 1 and any(len(each) != 3 for each in groups[1:]):
        raise RowError("number", column, text)
    try:
        value = Decimal("".join(groups) + (f".{part}" if mark else ""))
    except InvalidOperation as error:
        raise RowError("number", column, text) from error
    # Accountants put what is below zero into brackets.
    below = "-" in around or "\u2212" in around or (raw.startswith("(") and raw.endswith(")"))
    if value >= LARGEST:
        raise RowError("too_much", column, text)
    return -value if below else value


def currency_in(text: str) -> str:
    """Return the currency that stands beside an amount; nothing for none, or for a bare $."""
    for sign in sorted(SIGNS, key=len, reverse=True):
        if sign in text:
            return SIGNS[sign]
    found = _CODE.search(text)
    return found.group(1) if found and is_currency(found.group(1)) else ""


def read_flag(text: str, column: str = "") -> bool:
    """Return whether a cell says yes. Raises RowError for neither yes nor no."""
    said = text.strip().casefold()
    if said in YES:
        return True
    if said in NO:
        return False
    raise RowError("yes_no", column, text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run this cell instead of showing it."""
    return text[:1] in "=+-@" and _FORMULA.match(text) is not None


def guarded(text: str) -> str:
    """Return a cell so that no spreadsheet runs it when it is opened."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@dataclass(slots=True)
class Evidence:
    """What the cells of one column say about how the file writes dates and numbers."""

    dates: set[str] = field(default_factory=set)  # iso, dmy, mdy, open
    marks: set[str] = field(default_factory=set)  # ".", ",", open, whole
    currencies: set[str] = field(default_factory=set)  # codes; "$" for a bare sign
    parts: set[str] = field(default_factory=set)  # what may part the words of one cell

    def take(self, cell: str) -> None:
        """Look at one cell."""
        if not cell:
            return
        self.parts.update(sign for sign in " ,;" if sign in cell)
        if len(cell) > 40:
            return
        if _ISO.match(cell):
            self.dates.add("iso")
        elif found := _SPLIT.match(cell):
            first, mark, second, _year = found.groups()
            if mark == ".":
                self.dates.add("dmy")
            elif int(first) > 12 or int(second) > 12:
                if min(int(first), int(second)) <= 12:  # else it is no date in any order
                    self.dates.add("dmy" if int(first) > 12 else "mdy")
            elif first != second:
                self.dates.add("open")
        elif found := _DIGITS.search(cell):
            self._take_number(cell, found.group().strip(" ',.\u2019\u00a0\u202f"))

    def _take_number(self, cell: str, digits: str) -> None:
        if len(cell) - len(digits) > 6:
            return  # words with a number in them
        dot, comma = digits.count("."), digits.count(",")
        if dot and comma:
            self.marks.add("." if digits.rfind(".") > digits.rfind(",") else ",")
        elif dot + comma == 1:
            mark = "." if dot else ","
            whole, _, part = digits.partition(mark)
            open_ = len(part) == 3 and 1 <= len(whole) <= 3 and whole != "0"
            self.marks.add(f"open{mark}" if open_ else mark)
        elif not dot and not comma:
            self.marks.add("whole")
        else:
            self.marks.add("," if dot else ".")  # several of one sign group digits
        if code := currency_in(cell):
            self.currencies.add(code)
        elif "$" in cell:
            self.currencies.add("$")

    def kept(self) -> dict[str, list[str]]:
        """Return it as JSON."""
        found = {
            "dates": sorted(self.dates),
            "marks": sorted(self.marks),
            "currencies": sorted(self.currencies)[:20],
            "parts": sorted(self.parts),
        }
        return {name: values for name, values in found.items() if values}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Evidence:
        """Return what was kept."""
        return cls(**{name: set(values) for name, values in kept.items()})
