"""Which events came too late: a newer version of the same thing had arrived before. Pure.

What was current when it came and was replaced later is no news to its sender.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from notifications.matter import Entry
from suppliers import itip

Key = tuple[Any, ...]


class Arrived(Protocol):
    """A contact, and when it came."""

    @property
    def id(self) -> int:
        """Its row."""

    @property
    def received_at(self) -> datetime:
        """When it came."""

    @property
    def is_undecided(self) -> bool:
        """Whether it has only just come."""

    @property
    def entry(self) -> Entry:
        """What it says."""


def late(rows: Iterable[Arrived]) -> list[int]:
    """Return which of the contacts of one journey that have just come were too late."""
    versioned = [(*one, row) for row in rows if (one := _version(row.entry)) is not None]
    if not any(row.is_undecided for _key, _number, row in versioned):
        return []
    versioned.sort(key=lambda one: one[2].received_at)
    newest: dict[Key, tuple[Any, datetime]] = {}  # and when that one came
    found = []
    for key, number, row in versioned:
        best, at = newest.get(key, (number, row.received_at))
        if row.is_undecided and number < best and at < row.received_at:
            found.append(row.id)
        if number >= best:
            newest[key] = (number, at if number == best else row.received_at)
    return found


def _version(entry: Entry) -> tuple[Key, Any] | None:
    """Return what a contact speaks of and which version of it; None for what has none."""
    said = entry.said
    if said.visit is not None and said.visit.uid:
        version = itip.version_of(said.visit)
        if version is not None:
            return (entry.supplier, said.visit.uid, said.visit.recurrence_id), version
    if said.revision is not None and said.entity:
        family = said.type.partition(".")[0]
        return (entry.supplier, family, said.entity), said.revision
    return None
