"""What a row of a file will become: values that no other system's words are in any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from assets.care_words import WorkKind
from assets.choices import (
    AssetKind,
    CostCategory,
    CoverageKind,
    EndReason,
    FieldType,
    IdentifierScheme,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Which asset a record is about: the first of these that is known; none: the one asked for."""

    key: str = ""  # of an asset of the same source
    tag: str = ""  # its own number
    name: str = ""  # made under this name where there is none

    def __bool__(self) -> bool:
        """Whether the row says it at all."""
        return bool(self.key or self.tag or self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """An amount of money in a currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A column that nobody here knows; kept as a field of the household's own."""

    name: str
    value: str
    type: FieldType = FieldType.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDraft:
    """A thing."""

    key: str
    name: str
    kind: AssetKind = AssetKind.OTHER
    maker: str = ""
    model: str = ""
    place: str = ""
    quantity: int = 1
    notes: str = ""
    tags: Sequence[str] = ()
    identifiers: Sequence[tuple[IdentifierScheme, str]] = ()
    extras: Sequence[Extra] = ()
    parent_key: str = ""
    is_of_target: bool = False  # a part of the asset that was asked for
    bought_on: date | None = None
    price: Sum | None = None
    seller: str = ""
    order_no: str = ""
    is_insured: bool = False
    is_stored: bool = False
    ended_on: date | None = None
    end_reason: EndReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageDraft:
    """A guarantee or an insurance."""

    whose: Whose
    kind: CoverageKind
    obligor: str = ""
    reference: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    months: int | None = None
    is_lifetime: bool = False
    terms: str = ""
    excess: Sum | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDraft:
    """Money spent; what came back is negative."""

    whose: Whose
    on: date
    sum: Sum
    category: CostCategory
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingDraft:
    """What a meter showed."""

    whose: Whose
    on: date
    value: Decimal
    unit: str  # km, mi, h


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDraft:
    """Work that was done."""

    whose: Whose
    on: date
    title: str
    kind: WorkKind = WorkKind.SERVICE
    cost: Sum | None = None
    provider: str = ""
    notes: str = ""
    reading: Decimal | None = None
    unit: str = ""
    task_key: str = ""  # of the task that it was for
    is_skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """Work to be done, once or again and again."""

    whose: Whose
    key: str
    title: str
    every: int = 0  # none: once, or whenever it is wanted
    unit: str = ""  # day, week, month, year
    rule: str = ""  # a fixed rhythm that an interval cannot say (RFC 5545)
    is_floating: bool = True  # from when it was done, instead of by the calendar
    starts_on: date | None = None
    notes: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDraft:
    """Something kept in stock for an asset."""

    whose: Whose
    name: str
    number: str = ""
    quantity: Decimal = Decimal(1)
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperDraft:
    """A photo or paper: one file of the archive, or where it lies."""

    whose: Whose
    name: str
    entry: str = ""  # its name in the archive
    url: str = ""
    on: date | None = None
    about: WorkKind | None = None  # the work of that day that it belongs to


Draft: TypeAlias = (
    AssetDraft
    | CoverageDraft
    | CostDraft
    | ReadingDraft
    | ServiceDraft
    | TaskDraft
    | PartDraft
    | PaperDraft
)
NAMES: dict[type[Draft], str] = {
    AssetDraft: "assets",
    CoverageDraft: "coverages",
    CostDraft: "costs",
    ReadingDraft: "readings",
    ServiceDraft: "services",
    TaskDraft: "tasks",
    PartDraft: "parts",
    PaperDraft: "papers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDrafts:
    """All that one row becomes, and the key by which it is known when it comes again."""

    key: str
    drafts: Sequence[Draft]
