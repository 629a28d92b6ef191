"""One row of a file, asked for values by the names its columns may have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from assets.choices import FieldType
from assets.importers import values
from assets.importers.drafts import Extra, RowDrafts, Sum, Whose
from assets.importers.faults import RowError
from assets.importers.files import MOST_CELL, Record, folded
from assets.importers.values import DateOrder, Evidence

# What a column may be mapped to beside a format's own fields.
EXTRA, IGNORE = "extra", "ignore"


class Ask(StrEnum):
    """What a file may leave open."""

    DATES = "dates"
    DECIMAL = "decimal"
    CURRENCY = "currency"
    DISTANCE = "distance"
    VOLUME = "volume"
    KIND = "kind"
    ASSET = "asset"
    LISTS = "lists"  # what parts words in one cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is known of a file beside its cells: found in it, or answered by the owner."""

    dates: DateOrder | None = None
    decimal: str = "."
    currency: str = "EUR"
    distance: str = "km"
    volume: str = "l"
    lists: str = " "
    kind: str = ""
    vehicle: str = ""  # what the file calls the one thing that it is about
    columns: Mapping[str, str] = field(default_factory=dict)  # folded name: target


@dataclass(slots=True)
class Row:
    """The cells of one row by their folded names."""

    record: Record
    answers: Answers
    cells: dict[str, str] = field(init=False)
    names: dict[str, str] = field(init=False)
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Fold the names. Raises RowError for a cell that nobody should open again."""
        self.names = {folded(name): name for name in self.record.values}
        self.cells = {folded(name): cell for name, cell in self.record.values.items()}
        for name, cell in self.cells.items():
            if len(cell) > MOST_CELL:
                raise RowError("long_cell", self.names[name])
            if values.is_formula(cell):
                raise RowError("formula", self.names[name])

    def first(self, *names: str) -> tuple[str, str]:
        """Return the first of these columns that is filled, as shown, and its cell."""
        self.used.update(names)
        for name in names:
            if cell := self.cells.get(name, ""):
                return self.names[name], cell
        return (self.names.get(names[0], names[0]), "")

    def text(self, *names: str, most: int = 120) -> str:
        """Return a cell's words in one line."""
        return " ".join(self.first(*names)[1].split())[:most].strip()

    def prose(self, *names: str) -> str:
        """Return a cell's words with their lines."""
        return self.first(*names)[1].replace("\r\n", "\n").replace("\r", "\n").strip()

    def number_text(self, *names: str, most: int = 200) -> str:
        """Return what names a thing; RowError where a spreadsheet has cut its digits."""
        column, cell = self.first(*names)
        if values.SHORTENED.fullmatch(cell.strip()):
            raise RowError("shortened", column, cell)
        return " ".join(cell.split())[:most]

    def need(self, *names: str, most: int = 120) -> str:
        """Return a cell's words; RowError when it is empty."""
        found = self.text(*names, most=most)
        if not found:
            raise RowError("missing", self.first(*names)[0])
        return found

    def day(self, *names: str) -> date | None:
        """Return a date, none for an empty cell."""
        column, cell = self.first(*names)
        return values.read_day(cell, self.answers.dates, column) if cell else None

    def need_day(self, *names: str) -> date:
        """Return a date; RowError when there is none."""
        found = self.day(*names)
        if found is None:
            raise RowError("missing", self.first(*names)[0])
        return found

    def number(self, *names: str) -> Decimal | None:
        """Return a number, none for an empty cell."""
        column, cell = self.first(*names)
        return values.read_number(cell, self.answers.decimal, column) if cell else None

    def whole(self, *names: str, usual: int = 1, most: int = 1_000_000) -> int:
        """Return how many; RowError for parts of one, or fewer than none."""
        found = self.number(*names)
        if found is None:
            return usual
        column, cell = self.first(*names)
        if found < 0:
            raise RowError("negative", column, cell)
        if found > most or found != found.to_integral_value():
            raise RowError("too_much" if found > most else "number", column, cell)
        return int(found)

    def money(self, *names: str) -> Sum | None:
        """Return an amount in its currency; none for an empty cell."""
        column, cell = self.first(*names)
        if not cell:
            return None
        amount = values.read_number(cell, self.answers.decimal, column)
        return Sum(amount=amount, currency=values.currency_in(cell) or self.answers.currency)

    def flag(self, *names: str) -> bool:
        """Return whether a cell says yes; an empty one says no."""
        column, cell = self.first(*names)
        return values.read_flag(cell, column)

    def listed(self, *names: str, by: str) -> list[str]:
        """Return the words of one cell, each once."""
        cell = self.first(*names)[1]
        parts = cell.split() if by == " " else cell.split(by)
        return list(dict.fromkeys(" ".join(part.split())[:60] for part in parts if part.strip()))

    def rest(self) -> list[tuple[str, str]]:
        """Return the columns that nothing asked for, as shown, and that are to be kept."""
        kept = self.answers.columns
        return [
            (self.names[name], cell)
            for name, cell in self.cells.items()
            if name not in self.used and kept.get(name, EXTRA) != IGNORE and cell
        ]

    def extras(self) -> list[Extra]:
        """Return what is left as fields of the household's own."""
        return [Extra(name=name[:60], value=cell[:2000]) for name, cell in self.rest()][:60]

    def notes(self, *names: str) -> str:
        """Return the notes, with a line for each column that nothing asked for."""
        lines = [self.prose(*names)] if names else []
        for name, cell in self.rest():
            label = name.removeprefix("extrafield_")
            lines.append(f"{label}: {' '.join(cell.split())}")
        return "\n".join(line for line in lines if line)[:8000]

    def key(self, kind: str, *parts: object) -> str:
        """Return what names this row when it comes again: what it says in these places."""
        said = "\x1f".join(str(part) for part in parts)
        digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]
        return f"{kind}:{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file: how it is known, what it may leave open, and what a row becomes."""

    slug: str
    label: str  # a proper name
    source: str  # whose keys; several kinds of files of one system share it
    fits: Callable[[frozenset[str], str], bool]  # by the folded names, and the section
    read: Callable[[Row], RowDrafts | None]  # None: the row says nothing that is wanted
    asks: frozenset[Ask] = frozenset()
    dates: frozenset[str] = frozenset()  # the columns whose cells tell the order of dates
    numbers: frozenset[str] = frozenset()  # ... and the decimal mark and the currency
    kinds: Sequence[tuple[str, str]] = ()  # what KIND may be answered with
    is_mapped: bool = False  # every column is mapped by the owner
    keeps_extras: bool = False  # columns nobody knows become fields
    keeps_file: bool = False  # rows are of the file's own content, which is written one by one
    # What the header, and single rows, say of the whole file: answers by their names.
    told: Callable[[frozenset[str]], dict[str, str]] | None = None
    settles: Callable[[str, Mapping[str, str]], dict[str, str]] | None = None


def has(*names: str) -> Callable[[frozenset[str], str], bool]:
    """Return the test for a file that has all these columns."""
    wanted = frozenset(names)
    return lambda columns, _section: wanted <= columns


def order_of(pattern: str) -> DateOrder | None:
    """Return the order that a pattern such as `dd.MM.yyyy` names."""
    said = pattern.casefold()
    where = {letter: said.find(letter) for letter in "ymd"}
    if min(where.values()) < 0:
        return None
    order = "".join(sorted(where, key=lambda letter: where[letter]))
    return DateOrder(order) if order in set(DateOrder) else None


def evidence_of(kept: Mapping[str, dict[str, Any]], names: frozenset[str]) -> Evidence:
    """Return what these columns together say; of all when none are named."""
    found = Evidence()
    for name, said in kept.items():
        if not names or name in names:
            one = Evidence.of(said)
            found.dates |= one.dates
            found.marks |= one.marks
            found.currencies |= one.currencies
            found.parts |= one.parts
    return found


TO_US = Whose()  # the asset that was asked for
TYPES = {
    "text": FieldType.TEXT,
    "multiline text": FieldType.TEXT,
    "option": FieldType.TEXT,
    "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "number": FieldType.NUMBER,
    "amount": FieldType.NUMBER,
    "url": FieldType.LINK,
}
