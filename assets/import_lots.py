"""Some rows of a file on their way: what they become, what was found and made for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from assets.importers.drafts import Draft, Whose
from assets.importers.faults import RowError
from assets.importers.rows import Answers, Format
from assets.importers.words import MadeKind, RowState
from assets.models import Asset, AssetIdentifier, CareTask, Import, Imported, ImportRow


class Keyed(Protocol):
    """A stored row."""

    pk: Any


@dataclass(slots=True, kw_only=True)
class Lot:
    """Some rows of a file on their way, and what was found and made for them."""

    run: Import
    form: Format
    answers: Answers
    now: datetime
    today: date
    target: Asset | None
    assets: dict[str, Asset] = field(default_factory=dict)  # by key, "tag:", "name:"
    tasks: dict[str, CareTask] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    notes: list[Imported] = field(default_factory=list)
    new_assets: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)  # whose care has to be worked out
    covered: set[int] = field(default_factory=set)  # whose deadlines may be others

    def note(self, kind: MadeKind, row: Keyed, *, key: str | None = None, parent: str = "") -> None:
        """Note that something was made, for the next time and to take it back."""
        self.notes.append(
            Imported(
                household_id=self.run.household_id,
                of=self.run,
                source=self.form.source,
                key=key,
                parent_key=parent,
                kind=kind,
                object=row.pk,
            )
        )

    def note_under(self, kind: MadeKind, row: Keyed, asset: Asset, key: str | None) -> None:
        """Note what lies under an asset; what was made with it needs no note to go with it."""
        if key is not None or asset.pk not in self.new_assets:
            self.note(kind, row, key=key)


@dataclass(slots=True)
class Item:
    """One row and what it becomes."""

    row: ImportRow
    key: str
    drafts: Sequence[Draft]
    is_noted: bool = False  # its key stands beside something that was made

    def take_key(self) -> str | None:
        """Return the row's key for the first thing that is made of it."""
        if self.is_noted:
            return None
        self.is_noted = True
        return self.key


def asset_of(lot: Lot, whose: Whose) -> Asset | None:
    if not whose:
        return lot.target
    for key in (
        whose.key,
        f"tag:{AssetIdentifier.fold(whose.tag)}" if whose.tag else "",
        f"name:{whose.name}" if whose.name else "",
    ):
        if key and key in lot.assets:
            return lot.assets[key]
    return None


def each(lot: Lot, items: Sequence[Item], kind: type[Any]) -> Iterable[tuple[Item, Any, Asset]]:
    for item in items:
        for draft in item.drafts:
            if isinstance(draft, kind):
                asset = asset_of(lot, draft.whose)
                if asset is not None:
                    yield item, draft, asset


def mark(row: ImportRow, error: RowError) -> None:
    """Leave a row out, and note why."""
    row.state, row.fault = RowState.BAD, error.code
    row.column, row.said = error.column[:120], error.value[:200]
