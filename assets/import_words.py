"""What rows of a file become, in the words, dates and numbers of whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.amounts import money
from assets.choices import CostCategory
from assets.importers.drafts import (
    AssetDraft,
    CostDraft,
    CoverageDraft,
    Draft,
    PaperDraft,
    PartDraft,
    ReadingDraft,
    RowDrafts,
    ServiceDraft,
    Sum,
    TaskDraft,
)
from assets.importers.faults import ROW_FAULTS, RowError
from assets.importers.words import MadeKind
from assets.models import ImportRow


def counted(counts: dict[str, int]) -> list[str]:
    """Return how many of each sort there are, in words."""
    words: dict[str, Callable[[int], str]] = {
        "assets": lambda n: ngettext("%(n)s asset", "%(n)s assets", n),
        "coverages": lambda n: ngettext("%(n)s guarantee", "%(n)s guarantees or insurances", n),
        "services": lambda n: ngettext("%(n)s entry of work", "%(n)s entries of work", n),
        "costs": lambda n: ngettext("%(n)s cost", "%(n)s costs", n),
        "readings": lambda n: ngettext("%(n)s meter reading", "%(n)s meter readings", n),
        "tasks": lambda n: ngettext("%(n)s care task", "%(n)s care tasks", n),
        "papers": lambda n: ngettext("%(n)s document", "%(n)s documents", n),
        "parts": lambda n: ngettext("%(n)s part in stock", "%(n)s parts in stock", n),
    }
    return [
        word(counts[name]) % {"n": counts[name]} for name, word in words.items() if counts.get(name)
    ]


def why(row: ImportRow) -> str:
    """Return why a row is left out, in words."""
    return _(ROW_FAULTS[row.fault]) % {"column": row.column, "value": row.said}


def lines(what: RowDrafts | RowError) -> list[str]:
    """Return what a row becomes, a line for each thing, or why it is left out."""
    if isinstance(what, RowError):
        return [_(ROW_FAULTS[what.code]) % {"column": what.column, "value": what.value}]
    return [line(draft) for draft in what.drafts]


def line(draft: Draft) -> str:
    """Return one thing that is to be made, in one line; what is no thing begins with its sort."""
    parts: list[str | Promise]
    match draft:
        case AssetDraft():
            parts = [draft.name, f"{draft.maker} {draft.model}".strip(), draft.place]
            parts += [value for _scheme, value in draft.identifiers][:2]
            parts += [_sum(draft.price)] if draft.price else []
            if draft.end_reason is not None:
                parts += [draft.end_reason.label]
                parts += [date_format(draft.ended_on)] if draft.ended_on else []
        case CoverageDraft():
            parts = [draft.kind.label, draft.obligor]
            parts += [_("for life")] if draft.is_lifetime else []
            parts += [_("%(n)s months") % {"n": draft.months}] if draft.months else []
            if draft.ends_on and not draft.is_lifetime:
                parts += [_("until %(day)s") % {"day": date_format(draft.ends_on)}]
        case CostDraft():
            kind = CostCategory(draft.category).label
            parts = [kind, date_format(draft.on), _sum(draft.sum), draft.note]
        case ReadingDraft():
            parts = [MadeKind.READING.label, date_format(draft.on), _count(draft.value, draft.unit)]
        case ServiceDraft():
            parts = [draft.kind.label, date_format(draft.on), draft.title, draft.provider]
            parts += [_sum(draft.cost)] if draft.cost else []
            parts += [_count(draft.reading, draft.unit)] if draft.reading is not None else []
        case TaskDraft():
            parts = [MadeKind.TASK.label, draft.title, rhythm(draft)]
            parts += [date_format(draft.starts_on)] if draft.starts_on else []
        case PartDraft():
            stock = _("%(n)s in stock") % {"n": _count(draft.quantity, "")}
            parts = [MadeKind.PART.label, draft.name, draft.number, stock]
        case PaperDraft():
            parts = [MadeKind.PAPER.label, draft.name]
            parts += [draft.about.label] if draft.about else []
            parts += [date_format(draft.on)] if draft.on else []
    return " · ".join(str(part) for part in parts if part)


def rhythm(task: TaskDraft) -> str:
    """Return how often a task comes."""
    words: dict[str, Callable[[int], str]] = {
        "day": lambda n: ngettext("every day", "every %(n)s days", n),
        "week": lambda n: ngettext("every week", "every %(n)s weeks", n),
        "month": lambda n: ngettext("every month", "every %(n)s months", n),
        "year": lambda n: ngettext("every year", "every %(n)s years", n),
    }
    return words[task.unit](task.every) % {"n": task.every} if task.every else ""


def _sum(said: Sum) -> str:
    return money(said.amount, said.currency)


def _count(value: Decimal, unit: str) -> str:
    shown = number_format(value.normalize() + 0, use_l10n=True, force_grouping=True)
    return f"{shown} {unit}".strip()
