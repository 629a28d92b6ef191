"""The evidence of a fault, ready to be handed over: on paper, and with every file that proves it.

Only what proves something goes in: what names the thing, how it was bought, the fault, what was
done about it, and the papers. Whoever gets it learns of no other cover: an insurer is none of
the seller's business. Where the thing stands, and what else it cost, stays here as well.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets import faults, labels, vault
from assets.choices import DocumentKind
from assets.models import Acquisition, Document, Issue
from assets.sniffing import EXTENSIONS

if TYPE_CHECKING:
    from assets.printing import Paper

MOST = 60  # papers in one pack
PICTURES = 8  # on paper; all are in the pack
PROVING = (
    DocumentKind.RECEIPT,
    DocumentKind.WARRANTY,
    DocumentKind.CONTRACT,
    DocumentKind.CERTIFICATE,
    DocumentKind.PHOTO,
)
LINES = 20  # of what was done
_UNSAFE = re.compile(r"[^\w.() -]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One kind of evidence: what it is, and whether it is there."""

    label: str
    is_there: bool
    is_needed: bool = True


def contents(issue: Issue) -> list[Piece]:
    """Return what a claim usually needs, with what is missing."""
    asset = issue.asset
    kinds = set(papers_of(issue).values_list("kind", flat=True))
    bought = Acquisition.objects.filter(asset=asset).first()
    return [
        Piece(label=_("Receipt or invoice"), is_there=DocumentKind.RECEIPT in kinds),
        Piece(
            label=_("When it was delivered, and by whom it was sold"),
            is_there=bought is not None and bool(bought.delivered_on and bought.seller),
        ),
        Piece(label=_("Serial or other number"), is_there=asset.identifiers.exists()),
        Piece(label=_("A photo of it"), is_there=DocumentKind.PHOTO in kinds, is_needed=False),
        Piece(
            label=_("The guarantee or policy"),
            is_there=bool(kinds & {DocumentKind.WARRANTY, DocumentKind.CONTRACT}),
            is_needed=False,
        ),
        Piece(
            label=_("What you saw and tried"), is_there=bool(issue.note.strip()), is_needed=False
        ),
    ]


def papers_of(issue: Issue) -> Any:
    """Return the papers that prove something about a fault's asset, the newest first."""
    kept = Document.objects.filter(asset=issue.asset, removed_at=None, kind__in=PROVING)
    return kept.order_by("kind", "-added_at", "-pk")


def paper(issue: Issue) -> bytes:
    """Return the evidence as PDF: the fault, the thing, what was done, its pictures."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    asset = issue.asset
    sheet = printing.Paper("A4")
    sheet.set_title(f"{asset.name}: {issue.title}")
    sheet.set_margins(printing.MARGIN, printing.MARGIN, printing.MARGIN)
    sheet.set_auto_page_break(auto=True, margin=printing.MARGIN)
    sheet.add_page()
    sheet.words(_("Evidence of a fault"), size=20, weight="B")
    sheet.words(f"{asset.name}: {issue.title}", size=12)
    sheet.ln(4)
    fault: list[tuple[object, object]] = [
        (_("What is wrong"), issue.title),
        (_("Since when"), date_format(issue.noticed_on, "DATE_FORMAT")),
        (_("What happened"), issue.get_cause_display()),
        (_("Which part"), issue.part),
        (_("What was seen and tried"), issue.note),
    ]
    for unit, value in sorted(faults.readings_of(asset, issue.noticed_on).items()):
        fault.append((_("Meter on that day"), f"{value.normalize():f} {unit}".strip()))
    _facts(sheet, fault)
    _head(sheet, _("The thing"))
    _facts(sheet, labels.facts_of(asset, has_covers=False))
    bought = Acquisition.objects.filter(asset=asset).first()
    if bought is not None and bought.delivered_on is not None:
        _facts(sheet, [(_("Delivered on"), date_format(bought.delivered_on, "DATE_FORMAT"))])
    done = faults.records_of(asset)[:LINES]
    if done:
        _head(sheet, _("What was done before"))
        for record in done:
            day = date_format(record.done_on, "SHORT_DATE_FORMAT")
            words = ", ".join(filter(None, (record.title, record.provider)))
            sheet.words(f"{day}  {words}", size=10)
    kept = list(papers_of(issue)[:MOST])
    if kept:
        _head(sheet, _("Papers kept"))
        for one in kept:
            sheet.words(f"{one.get_kind_display()}: {one.name}", size=10)
    pictures = [one for one in kept if one.has_thumb]
    for picture in pictures[:PICTURES]:
        printing.add_picture(sheet, picture)
    return bytes(sheet.output())


def pack(issue: Issue) -> bytes:
    """Return the evidence as ZIP: the paper, every file as it was kept, and their hashes."""
    files: dict[str, bytes] = {"evidence.pdf": paper(issue)}
    lost = []
    for document in papers_of(issue)[:MOST]:
        name = named(document, files)
        try:
            files[name] = vault.get(document.uuid)
        except vault.VaultError:
            lost.append(document.name)
    manifest = {
        "asset": issue.asset.name,
        "fault": issue.title,
        "noticed_on": issue.noticed_on.isoformat(),
        "files": [
            {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
        "could_not_be_read": lost,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
        made.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
    return out.getvalue()


def named(document: Document, taken: Container[str]) -> str:
    """Return a name for a file that leads into no folder and stands in no other's way."""
    ending = EXTENSIONS.get(document.media_type, "")
    name = _UNSAFE.sub("_", document.name).strip(" ._")[:80] or "file"
    if ending and not name.casefold().endswith(ending):
        name += ending
    path = f"{document.kind}/{name}"
    number = 2
    while path in taken:
        path = f"{document.kind}/{number}-{name}"
        number += 1
    return path


def _head(sheet: Paper, text: str) -> None:
    sheet.ln(3)
    sheet.words(text, size=13, weight="B")
    sheet.ln(1)


def _facts(sheet: Paper, facts: list[tuple[object, object]]) -> None:
    for label, value in facts:
        if value:
            sheet.words(str(label), size=8)
            sheet.words(str(value), size=11, weight="B")
            sheet.ln(1)
