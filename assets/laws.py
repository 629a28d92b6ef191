"""What the law says of who answers for a thing: dated rows with their source, kept as data.

`data/guarantees.json` says what its columns mean and when it was last checked. Nothing here
is advice: every row carries the paragraph it was taken from, to be read there.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from assets.coverage import Credit, Extension, Law

_TABLE = Path(__file__).with_name("data") / "guarantees.json"


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


def as_of() -> date:
    """Return the day as of which the table says how the law stands."""
    return date.fromisoformat(_table()["as_of"])


def guarantee(*, country: str, on: date) -> Law | None:
    """Return how a seller answers by law for what was bought on a day; None: not in our table."""
    row = _row("guarantee", country, on)
    if row is None:
        return None
    return Law(
        area=row["area"],
        new=row["new"],
        used=row["used"],
        presumed=row["presumed"],
        presumed_used=row.get("presumed_used", row["presumed"]),
        notice=row.get("notice"),
        after_end=row.get("after_end", 0),
        after_noticing=row.get("after_noticing", 0),
        reject_days=row.get("reject_days", 0),
        is_by_life=row.get("by_life", False),
        is_at_once=row.get("at_once", False),
        source=row["source"],
        checked=_checked(row),
    )


def _checked(row: Mapping[str, Any]) -> date | None:
    """Return when a row was compared with a text as a whole; None where some of it was not."""
    said = row.get("checked")
    return date.fromisoformat(said) if said and not row.get("not_compared") else None


def extension(*, country: str, on: date) -> Extension | None:
    """Return what a repair adds to the guarantee of what was bought on a day."""
    row = _row("extends", country, on)
    return row and Extension(months=row["months"], times=row["times"], source=row["source"])


def credit(*, country: str, on: date) -> Credit | None:
    """Return when a lender answers beside the seller for what was bought on a day."""
    row = _row("credit", country, on)
    return row and Credit(
        above=Decimal(row["above"]),
        up_to=Decimal(row["up_to"]),
        currency=row["currency"],
        source=row["source"],
    )


def return_days(*, country: str, on: date) -> int | None:
    """Return within how many days what was bought at a distance may go back by law."""
    row = _row("return_days", country, on)
    return None if row is None else int(row["days"])


def _row(name: str, country: str, on: date) -> Any:
    """Return the country's own row for a day, else that of the area it lies in."""
    table = _table()
    areas: Mapping[str, list[str]] = table["areas"]
    around = [area for area, members in areas.items() if country in members]
    for area in (country, *around):
        for row in table[name]:
            until = date.fromisoformat(row.get("until", "9999-12-31"))
            if row["area"] == area and date.fromisoformat(row["from"]) <= on <= until:
                return row
    return None
