"""The dossier of one thing: what it is, what was done with it, and what belongs to it.

As a PDF to be read and as a ZIP with the files. The owner says what goes in: what it is
stands there always; numbers, prices and what it cost only when they are asked for.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets import costing, duedates, vault, worth
from assets.amounts import money
from assets.choices import DocumentKind
from assets.evidence import named
from assets.models import Acquisition, Asset, Coverage, Document, Issue, RecallMatch

if TYPE_CHECKING:
    from assets.printing import Paper

LINES = 2_000  # of one kind
PAPERS = 500  # files in one ZIP
PICTURES = 4  # photos on paper; all are in the ZIP
ROUND = 1 << 20


class Part(TextChoices):
    """What an owner lets into a dossier, beside what the thing is."""

    NUMBERS = "numbers", gettext_lazy("Serial and other numbers")
    PHOTO = "photo", gettext_lazy("Photos")
    HISTORY = "history", gettext_lazy("What was done, by whom and when")
    COSTS = "costs", gettext_lazy("What it cost")
    PRICE = "price", gettext_lazy("Seller, price and receipts")
    VALUE = "value", gettext_lazy("What it is worth")
    COVER = "cover", gettext_lazy("Guarantees and insurance")
    FAULTS = "faults", gettext_lazy("Faults")
    RECALLS = "recalls", gettext_lazy("Recalls and what was done about them")
    PAPERS = "papers", gettext_lazy("Manuals, certificates and other papers")


# What most hand out: nothing of money, and no number that somebody else could use.
USUAL = (Part.PHOTO, Part.HISTORY, Part.COVER, Part.FAULTS, Part.RECALLS, Part.PAPERS)
# Which papers go along with which part.
OF_PART: dict[Part, tuple[DocumentKind, ...]] = {
    Part.PHOTO: (DocumentKind.PHOTO,),
    Part.PRICE: (DocumentKind.RECEIPT,),
    Part.COVER: (DocumentKind.WARRANTY, DocumentKind.CONTRACT),
    Part.PAPERS: (DocumentKind.MANUAL, DocumentKind.CERTIFICATE, DocumentKind.OTHER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What is asked for."""

    asset: Asset
    parts: frozenset[Part]
    now: datetime

    def has(self, part: Part) -> bool:
        """Whether a part goes in."""
        return part in self.parts

    @property
    def today(self) -> date:
        """The day where the thing is."""
        return duedates.today_in(self.asset.household.zone, self.now)


def parts_of(wanted: Collection[str]) -> frozenset[Part]:
    """Return the parts that are named; what is none is left out."""
    return frozenset(part for part in Part if part.value in wanted)


def papers_of(found: Dossier) -> Any:
    """Return the papers that go along, kind by kind, the newest first."""
    kinds = [kind for part in Part if found.has(part) for kind in OF_PART.get(part, ())]
    kept = Document.objects.filter(asset=found.asset, removed_at=None, kind__in=kinds)
    return kept.order_by("kind", "-added_at", "-pk")


def paper(found: Dossier) -> bytes:
    """Return the dossier as PDF."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    asset = found.asset
    sheet = printing.Paper("A4")
    sheet.set_title(asset.name)
    sheet.set_margins(printing.MARGIN, printing.MARGIN, printing.MARGIN)
    sheet.set_auto_page_break(auto=True, margin=printing.MARGIN)
    sheet.add_page()
    sheet.words(asset.name, size=20, weight="B")
    day = date_format(found.today, "DATE_FORMAT")
    sheet.words(_("Dossier as of %(day)s") % {"day": day}, size=10)
    sheet.ln(3)
    photos = [one for one in papers_of(found) if one.has_thumb and one.kind == DocumentKind.PHOTO]
    if photos and not printing.picture_inline(sheet, photos[0]):
        photos = photos[1:]
    _identity(sheet, found)
    for part, write in _SECTIONS:
        if found.has(part):
            write(sheet, found)
    _papers(sheet, found)
    for picture in photos[1:PICTURES]:
        printing.add_picture(sheet, picture)
    return bytes(sheet.output())


def pack(found: Dossier) -> IO[bytes]:
    """Return the dossier as ZIP on disk: the PDF, the files as they are kept, their hashes.

    Whoever asks closes it. One file at a time is in memory.
    """
    out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever sends it
    listed: list[dict[str, Any]] = []
    lost: list[str] = []
    taken: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:

        def put(name: str, content: bytes) -> None:
            taken.add(name)
            made.writestr(name, content)
            digest = hashlib.sha256(content).hexdigest()
            listed.append({"name": name, "size": len(content), "sha256": digest})

        put("dossier.pdf", paper(found))
        for document in papers_of(found).filter(url="")[:PAPERS]:
            try:
                content = vault.get(document.uuid)
            except vault.VaultError:
                lost.append(document.name)
                continue
            put(named(document, taken), content)
        manifest = {
            "asset": found.asset.name,
            "made_at": found.now.isoformat(),
            "parts": [part.value for part in Part if found.has(part)],
            "files": listed,
            "elsewhere": [
                {"name": one.name, "url": one.url}
                for one in papers_of(found).exclude(url="")[:PAPERS]
            ],
            "could_not_be_read": lost,
        }
        made.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
    out.seek(0)
    return out


# -- the sections ---------------------------------------------------------------------------


def _identity(sheet: Paper, found: Dossier) -> None:
    asset = found.asset
    facts: list[tuple[object, object]] = [
        (_("What"), asset.get_kind_display()),
        (_("Maker and model"), f"{asset.maker} {asset.model}".strip()),
        (_("Where it is in its life"), asset.get_lifecycle_display()),
        (_("Bought on"), _day(asset.bought_on)),
        (_("Ended on"), _day(asset.ended_on)),
    ]
    if found.has(Part.NUMBERS):
        facts += [
            (row.get_scheme_display(), row.value)
            for row in asset.identifiers.order_by("scheme", "pk")
        ]
    _facts(sheet, facts)


def _price(sheet: Paper, found: Dossier) -> None:
    bought = Acquisition.objects.filter(asset=found.asset).prefetch_related("lines").first()
    if bought is None:
        return
    _head(sheet, _("How it came here"))
    facts: list[tuple[object, object]] = [
        (_("Bought from"), bought.seller),
        (_("Order number"), bought.order_no),
        (_("Ordered on"), _day(bought.ordered_on)),
        (_("Delivered on"), _day(bought.delivered_on)),
    ]
    if bought.total is not None:
        facts.append((_("Price"), money(bought.total, bought.currency)))
    _facts(sheet, facts)


def _value(sheet: Paper, found: Dossier) -> None:
    asset = worth.with_values(Asset.objects.filter(pk=found.asset.pk)).get()
    held = worth.worth_of(asset)
    if held is None:
        return
    value = costing.rounded(costing.value_on(held, found.today), held.currency)
    _head(sheet, _("What it is worth"))
    _facts(sheet, [(_("Worth today"), money(value, held.currency))])


def _history(sheet: Paper, found: Dossier) -> None:
    rows = found.asset.service_records.filter(removed_at=None).select_related("cost")
    done = list(rows.order_by("-done_on", "-pk")[:LINES])
    if not done:
        return
    _head(sheet, _("What was done"))
    for record in done:
        parts = [record.provider, ", ".join(record.work), record.get_finding_display()]
        if found.has(Part.COSTS) and record.cost is not None:
            parts.append(money(record.cost.amount, record.cost.currency))
        stated = record.get_source_display()
        _line(sheet, _day(record.done_on), record.title, [*parts, stated])


def _costs(sheet: Paper, found: Dossier) -> None:
    years: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for on, amount, currency in found.asset.costs.values_list("on", "amount", "currency"):
        years[on.year, currency] += amount
    if not years:
        return
    _head(sheet, _("What it cost, year by year"))
    for (year, currency), amount in sorted(years.items(), reverse=True):
        sheet.words(f"{year}  {money(amount, currency)}", size=10)


def _cover(sheet: Paper, found: Dossier) -> None:
    covers = list(Coverage.objects.filter(asset=found.asset).order_by("ends_on", "pk")[:LINES])
    if not covers:
        return
    _head(sheet, _("Guarantees and insurance"))
    for cover in covers:
        if cover.is_lifetime:
            until = _("for its whole life")
        elif cover.ends_on is not None:
            until = _("until %(day)s") % {"day": _day(cover.ends_on)}
        else:
            until = ""
        number = cover.reference if found.has(Part.NUMBERS) else ""
        _line(sheet, "", cover.get_kind_display(), [cover.obligor, number, cover.scope, until])


def _faults(sheet: Paper, found: Dossier) -> None:
    rows = Issue.objects.filter(asset=found.asset, removed_at=None)
    issues = list(rows.order_by("-noticed_on", "-pk")[:LINES])
    if not issues:
        return
    _head(sheet, _("Faults"))
    for issue in issues:
        ended = (
            _("resolved %(day)s") % {"day": _day(issue.resolved_on)} if issue.resolved_on else ""
        )
        _line(
            sheet, _day(issue.noticed_on), issue.title,
            [issue.part, issue.get_status_display(), ended],
        )  # fmt: skip


def _recalls(sheet: Paper, found: Dossier) -> None:
    rows = RecallMatch.objects.filter(asset=found.asset).select_related("notice")
    recalls = list(rows.order_by("-found_at", "-pk")[:LINES])
    if not recalls:
        return
    _head(sheet, _("Recalls"))
    for recall in recalls:
        done = _("put right %(day)s") % {"day": _day(recall.remedied_on)}
        _line(
            sheet,
            recall.notice.number,
            recall.notice.title,
            [
                recall.get_confidence_display(),
                recall.get_state_display(),
                done if recall.remedied_on else "",
                recall.provider,
            ],
        )


def _papers(sheet: Paper, found: Dossier) -> None:
    kept = list(papers_of(found)[:LINES])
    if not kept:
        return
    _head(sheet, _("Papers kept"))
    for one in kept:
        sheet.words(f"{one.get_kind_display()}: {one.name}", size=10)


_SECTIONS = (
    (Part.PRICE, _price),
    (Part.VALUE, _value),
    (Part.HISTORY, _history),
    (Part.COSTS, _costs),
    (Part.COVER, _cover),
    (Part.FAULTS, _faults),
    (Part.RECALLS, _recalls),
)


def _day(day: date | None) -> str:
    return "" if day is None else date_format(day, "SHORT_DATE_FORMAT")


def _head(sheet: Paper, text: str) -> None:
    sheet.ln(3)
    sheet.words(text, size=13, weight="B")
    sheet.ln(1)


def _line(sheet: Paper, first: str, title: str, rest: Iterable[str]) -> None:
    sheet.words("  ".join(part for part in (first, title) if part), size=10.5, weight="B")
    said = " · ".join(part for part in rest if part)
    if said:
        sheet.words(said, size=9)
    sheet.ln(0.6)


def _facts(sheet: Paper, facts: Iterable[tuple[object, object]]) -> None:
    for label, value in facts:
        if value:
            sheet.words(str(label), size=8)
            sheet.words(str(value), size=11, weight="B")
            sheet.ln(1)
