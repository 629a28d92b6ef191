"""Writes the photos and papers of an archive, each with the work that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from assets import documents, vault
from assets.import_lots import Item, Lot, each, mark
from assets.importers import files
from assets.importers.drafts import NAMES, PaperDraft
from assets.importers.faults import FileError, RowError
from assets.importers.words import MadeKind
from assets.models import Asset, Document, ServiceRecord


def write_papers(lot: Lot, items: Sequence[Item]) -> None:
    """Keep papers; one that cannot be kept is left out alone."""
    found = list(each(lot, items, PaperDraft))
    if not found:
        return
    content = _archive(lot) if any(draft.entry for _item, draft, _asset in found) else b""
    for item, draft, asset in found:
        try:
            with transaction.atomic():
                paper = _kept(lot, asset, draft, content)
        except (documents.DocumentError, FileError) as error:
            code = "no_room" if error.code == "no_room" else "paper"
            mark(item.row, RowError(code, "", draft.name or draft.url))
            continue
        _tie(asset, draft, paper)
        lot.note(MadeKind.PAPER, paper, key=item.take_key())
        lot.made[NAMES[PaperDraft]] += 1


def _archive(lot: Lot) -> bytes:
    try:
        return vault.get(lot.run.uuid)
    except vault.VaultError as error:
        raise FileError("lost") from error


def _kept(lot: Lot, asset: Asset, draft: PaperDraft, archive: bytes) -> Document:
    if draft.url:
        return documents.add_link(
            household=lot.run.household,
            asset=asset,
            owner=lot.run.owner,
            url=draft.url,
            name=draft.name,
            now=lot.now,
            has_undo=False,
        )
    return documents.add(
        household=lot.run.household,
        asset=asset,
        owner=lot.run.owner,
        name=draft.name,
        content=files.unpacked(archive, draft.entry),
        now=lot.now,
        has_undo=False,
    )


def _tie(asset: Asset, draft: PaperDraft, paper: Document) -> None:
    """Let the paper stand with the one piece of work of its sort and day, where there is one."""
    if draft.on is None or draft.about is None:
        return
    work = ServiceRecord.objects.filter(
        asset=asset, done_on=draft.on, kind=draft.about, removed_at=None
    )
    found = list(work[:2])
    if len(found) == 1:
        found[0].papers = [*found[0].papers, paper.uuid]
        found[0].save(update_fields=["papers"])


def take_papers(keys: Sequence[int]) -> None:
    """Erase papers that were brought in, also from the work that they stood with."""
    papers = list(Document.objects.filter(pk__in=keys))
    gone = {paper.uuid for paper in papers}
    for record in ServiceRecord.objects.filter(papers__overlap=list(gone)):
        record.papers = [key for key in record.papers if key not in gone]
        record.save(update_fields=["papers"])
    documents.erase(papers)
