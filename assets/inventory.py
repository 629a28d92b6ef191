"""Everything a household owns with value and proof, as an insurer asks for it."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets import costing, duedates, worth
from assets.amounts import money
from assets.choices import DocumentKind
from assets.cover_words import Basis
from assets.importers.values import guarded
from assets.models import Asset, Document, Valuation
from owners.models import Household

if TYPE_CHECKING:
    from assets.printing import Paper

MOST = 2_000  # things in one list
HEADER = (
    "place,name,kind,maker,model,numbers,quantity,seller,bought_on,price,value,currency,"
    "replacement,replacement_currency,proofs"
)
PROOFS = (DocumentKind.RECEIPT, DocumentKind.PHOTO, DocumentKind.CERTIFICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing: what names it, what it cost, what it is worth, what proves it."""

    asset: Asset
    numbers: tuple[str, ...]
    seller: str
    bought_on: date | None
    price: Decimal | None
    value: Decimal | None
    replacement: Decimal | None
    currency: str  # of price and value
    replacement_currency: str
    papers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The list, with what it comes to in each currency."""

    household: Household
    on: date
    lines: tuple[Line, ...]
    is_cut: bool
    values: dict[str, Decimal] = field(default_factory=dict)
    replacements: dict[str, Decimal] = field(default_factory=dict)
    unvalued: int = 0


def of_household(household: Household, *, now: datetime) -> Inventory:
    """Return what a household owns, place by place; what has ended is left out."""
    today = duedates.today_in(household.zone, now)
    mine = Asset.objects.filter(household=household).looked_after()
    named = worth.with_values(mine.order_by("place", "name", "pk"))
    rows = list(named.prefetch_related("identifiers")[: MOST + 1])
    kept = rows[:MOST]
    papers: dict[int, int] = defaultdict(int)
    proofs = Document.objects.filter(asset__in=kept, removed_at=None, kind__in=PROOFS)
    for asset in proofs.values_list("asset_id", flat=True):
        papers[asset or 0] += 1
    new: dict[int, Valuation] = {}
    for one in Valuation.objects.filter(asset__in=kept, basis=Basis.REPLACEMENT).order_by(
        "on", "pk"
    ):
        new[one.asset_id] = one  # the last
    lines = tuple(_line(asset, new.get(asset.pk), papers[asset.pk], today) for asset in kept)
    values: dict[str, Decimal] = defaultdict(Decimal)
    replacements: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.value is not None:
            values[line.currency] += line.value
        if line.replacement is not None:
            replacements[line.replacement_currency] += line.replacement
    return Inventory(
        household=household,
        on=today,
        lines=lines,
        is_cut=len(rows) > MOST,
        values=dict(sorted(values.items())),
        replacements=dict(sorted(replacements.items())),
        unvalued=sum(1 for line in lines if line.value is None and line.replacement is None),
    )


def _line(asset: Asset, new: Valuation | None, papers: int, today: date) -> Line:
    bought, held = worth.bought_of(asset), worth.worth_of(asset)
    value = None
    if held is not None:
        value = costing.rounded(costing.value_on(held, today), held.currency)
    return Line(
        asset=asset,
        numbers=tuple(f"{row.get_scheme_display()} {row.value}" for row in asset.identifiers.all()),
        seller=bought.seller if bought else "",
        bought_on=held.start if held else asset.bought_on,
        price=held.cost if held else None,
        value=value,
        replacement=new.amount if new else None,
        currency=held.currency if held else "",
        replacement_currency=new.currency if new else "",
        papers=papers,
    )


def as_csv(found: Inventory) -> str:
    """Return the list as CSV, each total by its currency; nothing in it runs as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    for line in found.lines:
        asset = line.asset
        words = [asset.place, asset.name, asset.kind, asset.maker, asset.model]
        writer.writerow(
            [
                *map(guarded, words),
                guarded("; ".join(line.numbers)),
                asset.quantity,
                guarded(line.seller),
                line.bought_on or "",
                _plain(line.price),
                _plain(line.value),
                line.currency,
                _plain(line.replacement),
                line.replacement_currency,
                line.papers,
            ]
        )
    currencies = sorted(found.values.keys() | found.replacements.keys())
    for currency in currencies:
        totals = [_plain(found.values.get(currency)), currency]
        totals += [_plain(found.replacements.get(currency)), currency, ""]
        writer.writerow(["TOTAL", *[""] * 9, *totals])
    return out.getvalue()


def paper(found: Inventory) -> bytes:
    """Return the list as PDF: place by place, with totals."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    sheet = printing.Paper("A4")
    sheet.set_title(found.household.name)
    sheet.set_margins(printing.MARGIN, printing.MARGIN, printing.MARGIN)
    sheet.set_auto_page_break(auto=True, margin=printing.MARGIN)
    sheet.add_page()
    sheet.words(_("Inventory"), size=20, weight="B")
    day = date_format(found.on, "DATE_FORMAT")
    sheet.words(f"{found.household.name}, {day}", size=12)
    sheet.ln(2)
    for label, totals in (
        (_("Worth today, in all"), found.values),
        (_("To buy it all new"), found.replacements),
    ):
        for currency, amount in totals.items():
            sheet.words(f"{label}: {money(amount, currency)}", size=11, weight="B")
    if found.unvalued:
        sheet.words(_("Without a value: %(n)s") % {"n": found.unvalued}, size=10)
    place = None
    for line in found.lines:
        if line.asset.place != place:
            place = line.asset.place
            sheet.ln(3)
            sheet.words(place or _("No place"), size=13, weight="B")
        _entry(sheet, line)
    return bytes(sheet.output())


def _entry(sheet: Paper, line: Line) -> None:
    asset = line.asset
    made = f"{asset.maker} {asset.model}".strip()
    name = f"{asset.quantity} \u00d7 {asset.name}" if asset.quantity != 1 else asset.name
    sheet.ln(1)
    sheet.words(", ".join(filter(None, (name, made))), size=10.5, weight="B")
    parts = list(line.numbers)
    if line.bought_on is not None:
        day = date_format(line.bought_on, "SHORT_DATE_FORMAT")
        parts.append(" ".join(filter(None, (_("bought"), day, line.seller))))
    if line.price is not None:
        parts.append(_("price %(money)s") % {"money": money(line.price, line.currency)})
    if line.value is not None:
        parts.append(_("worth %(money)s") % {"money": money(line.value, line.currency)})
    if line.replacement is not None:
        new = money(line.replacement, line.replacement_currency)
        parts.append(_("new %(money)s") % {"money": new})
    parts.append(_("proofs: %(n)s") % {"n": line.papers})
    sheet.words(" · ".join(parts), size=9)


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"
