"""What a source of recalls is, and how its texts are read."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import unescape
from typing import Any

from assets.recall_matching import Published

LONGEST = 4_000  # of one text
MOST = 20_000  # recalls in one answer
_TAG = re.compile(r"<[^>]{0,500}>")
_DMY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


class SourceError(Exception):
    """What a source answered cannot be read; `code` says why."""

    def __init__(self, code: str) -> None:
        """Note why."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What an answer held: recalls, and further questions that it leads to, by their keys."""

    published: tuple[Published, ...] = ()
    leads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One authority's list.

    `address` makes the path and query of a question from its key and the day up to which all
    is known, at first the one that lies `first` back. `read` reads an answer. `keys` are the
    questions that are asked every day; what an answer leads to is asked `again` after so
    long. Where a source is asked `about_things`, its first question is what is owned. `empty`
    are the statuses with which it says that it has nothing.
    """

    base: str
    address: Callable[[str, date | None], str]
    read: Callable[[bytes, str], Read]
    keys: tuple[str, ...] = ("",)
    first: timedelta | None = None
    again: timedelta = timedelta(days=36_500)
    about_things: bool = False
    empty: frozenset[int] = field(default_factory=frozenset)


def text(value: Any, most: int = LONGEST) -> str:
    """Return a value as plain text: no mark-up, no control characters, not too long."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    plain = unescape(_TAG.sub(" ", str(value)[: most * 4]))
    return " ".join("".join(char if char.isprintable() else " " for char in plain).split())[:most]


def texts(rows: Any, name: str) -> list[str]:
    """Return one field of each of some rows, each once, without what says nothing."""
    found = [text(row.get(name)) for row in rows or () if isinstance(row, Mapping)]
    return list(dict.fromkeys(one for one in found if one))


def rows_of(value: Any) -> list[Mapping[str, Any]]:
    """Return what of a list are objects, at most as many as one answer may hold."""
    if not isinstance(value, list):
        return []
    return [row for row in value[:MOST] if isinstance(row, Mapping)]


def iso_day(value: Any) -> date | None:
    """Return the day of an ISO date or time; None for anything else."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def european_day(value: Any) -> date | None:
    """Return the day of DD/MM/YYYY; the months before the days where only that can be."""
    found = _DMY.match(str(value or "").strip())
    if found is None:
        return iso_day(value)
    first, second, year = map(int, found.groups())
    for day, month in ((first, second), (second, first)):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    return None


def is_yes(value: Any) -> bool:
    """Whether a flag says yes: it comes as a boolean, as "True", "Y" or nothing."""
    return str(value).strip().casefold() in {"true", "y", "yes", "1"}


def several(values: Iterable[str], most: int = 200) -> str:
    """Return values as one line."""
    return ", ".join(values)[:most]
