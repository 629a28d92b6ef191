"""What the assets app knows of an owner: given out whole, and erased without trace."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from assets import documents, importing, unpacking, vault
from assets.models import (
    Acquisition,
    Asset,
    AssetIdentifier,
    CareEvent,
    CareMark,
    CareTask,
    Claim,
    Contract,
    CostEntry,
    Coverage,
    CustomField,
    Document,
    Fee,
    FinderNote,
    Import,
    Imported,
    ImportRow,
    Issue,
    Label,
    Loan,
    Loss,
    Meter,
    MeterReading,
    MeterReplacement,
    Notice,
    Ownership,
    PackageFile,
    Part,
    PartUse,
    PriceLine,
    RecallMatch,
    RecallNotice,
    Received,
    ServiceRecord,
    Share,
    Tag,
    Tagging,
    Template,
    Transfer,
    Valuation,
    ValuePlan,
    WorkOrder,
)
from owners import undo
from owners.models import Household, Owner
from owners.privacy import ROWS, Piece, Section, Whose, of_households, table

log = structlog.get_logger(__name__)

LOST = b"The bytes of this document could not be read. Whoever runs Steward has been told.\n"


def history_of(model: Any) -> Any:
    """Return the table in which django-pghistory keeps every version of a model's rows."""
    return model.pgh_event_model


History = history_of(Asset)
# Whose every version is kept, beside the assets themselves.
WATCHED = (AssetIdentifier, Tagging, Acquisition, Coverage, CostEntry, Loan, Claim, Contract)
HISTORIES = (History, *(history_of(model) for model in WATCHED))


def files(of: Whose) -> Iterator[Piece]:
    """Yield every photo and paper as it is kept; of one that is lost, a line that says so."""
    found = Document.objects.filter(household__in=of.households, url="").order_by("pk")
    for document in found.iterator(chunk_size=ROWS):
        name = f"documents/{document.uuid}-{document.name[:80]}"
        try:
            yield Piece(name=name, content=vault.get(document.uuid))
        except vault.VaultError:
            log.error("document_lost", document=str(document.uuid))
            yield Piece(name=f"{name}.lost.txt", content=LOST)


SECTIONS: dict[str, Section] = {
    "assets": table("assets", of_households(Asset)),
    "asset-identifiers": table("asset-identifiers", of_households(AssetIdentifier)),
    "asset-history": table("asset-history", of_households(History)),
    **{
        f"{name}-history": table(f"{name}-history", of_households(history_of(model)))
        for name, model in (
            ("asset-identifier", AssetIdentifier),
            ("asset-tag", Tagging),
            ("acquisition", Acquisition),
            ("coverage", Coverage),
            ("cost", CostEntry),
            ("loan", Loan),
            ("claim", Claim),
            ("contract", Contract),
        )
    },
    "acquisitions": table("acquisitions", of_households(Acquisition)),
    "price-lines": table("price-lines", of_households(PriceLine)),
    "coverages": table("coverages", of_households(Coverage)),
    "costs": table("costs", of_households(CostEntry)),
    "claims": table("claims", of_households(Claim)),
    "work-orders": table("work-orders", of_households(WorkOrder)),
    "contracts": table("contracts", of_households(Contract)),
    "fees": table("fees", of_households(Fee)),
    "valuations": table("valuations", of_households(Valuation)),
    "value-plans": table("value-plans", of_households(ValuePlan)),
    "recalls": table("recalls", of_households(RecallMatch)),
    "recall-notices": table(
        "recall-notices",
        lambda of: RecallNotice.objects.filter(
            Q(household__in=of.households)
            | Q(pk__in=RecallMatch.objects.filter(household__in=of.households).values("notice"))
        ),
        passing=("household",),
    ),
    "tags": table("tags", of_households(Tag)),
    "asset-tags": table("asset-tags", of_households(Tagging)),
    "custom-fields": table("custom-fields", of_households(CustomField)),
    "asset-templates": table("asset-templates", of_households(Template)),
    "loans": table("loans", of_households(Loan)),
    "losses": table("losses", of_households(Loss)),
    "asset-labels": table("asset-labels", of_households(Label)),
    "finder-notes": table("finder-notes", of_households(FinderNote)),
    "care-tasks": table("care-tasks", of_households(CareTask)),
    "care-marks": table("care-marks", of_households(CareMark)),
    "care-events": table("care-events", of_households(CareEvent)),
    "notices": table("notices", of_households(Notice)),
    "log": table("log", of_households(ServiceRecord)),
    "issues": table("issues", of_households(Issue)),
    "meters": table("meters", of_households(Meter)),
    "meter-readings": table("meter-readings", of_households(MeterReading)),
    "meter-replacements": table("meter-replacements", of_households(MeterReplacement)),
    "parts": table("parts", of_households(Part)),
    "parts-used": table("parts-used", of_households(PartUse)),
    "documents": table(
        "documents", of_households(Document), passing=("has_thumb", "has_text", "awaits_reading")
    ),
    "shares": table("shares", of_households(Share), {"address": lambda row: row.address}),
    "transfers": table("transfers", of_households(Transfer), {"address": lambda row: row.address}),
    "received-packages": table("received-packages", of_households(Received)),
    "ownerships": table("ownerships", of_households(Ownership)),
    "imports": table("imports", of_households(Import)),
    "import-rows": table("import-rows", of_households(ImportRow)),
    "imported": table("imported", of_households(Imported)),
    "files": files,
}


def not_exported() -> dict[str, str]:
    """Return the tables that no export holds, each with the reason."""
    return {
        "assets_findable": "an index to search, made from the other tables",
        "assets_awaitedwords": "what that index has still to take in",
        "assets_packagefile": "a file that is only looked at, for a day",
        "assets_recallcriterion": "what authorities published; nobody's",
        "assets_recallfeed": "when authorities are asked next",
    }


def erase_household(*, household: Household, now: datetime) -> None:
    """Erase every asset of a household with its papers and its history."""
    papers = Document.objects.filter(household=household)
    keys = list(papers.values_list("uuid", flat=True))
    papers.delete()
    brought = Import.objects.filter(household=household)
    keys += brought.values_list("uuid", flat=True)  # a file that was not read yet lies there too
    brought.delete()
    looked_at = PackageFile.objects.filter(household=household)
    keys += looked_at.values_list("uuid", flat=True)
    looked_at.delete()
    Asset.objects.filter(household=household).delete()
    Part.objects.filter(household=household).delete()
    Notice.objects.filter(household=household).delete()
    RecallNotice.objects.filter(household=household).delete()
    # Last: the triggers note what is deleted.
    for history in HISTORIES:
        history.objects.filter(household=household).delete()
    transaction.on_commit(lambda: _forget(keys))  # not before: the rows may yet stay


def empty_bin(*, now: datetime, limit: int = 200) -> int:
    """Erase what lies in the bin for as long as it can be put back; return how much."""
    before = now - undo.KEPT
    done = documents.erase_due(before=before, limit=limit)
    done += importing.forget_due(before=before)
    done += unpacking.forget_due(now=now)
    old = Asset.objects.filter(removed_at__lt=before).order_by("removed_at")[:limit]
    for asset in old:
        asset.delete()
        done += 1
    return done


def _forget(keys: list[UUID]) -> None:
    for key in keys:
        vault.forget(key)


def erase_owner(*, owner: Owner, now: datetime) -> None:
    """Let go of an owner: what they kept stays with the household."""
    for key in PackageFile.objects.filter(owner=owner).values_list("uuid", flat=True):
        vault.forget(key)
    Asset.objects.filter(keeper=owner).update(keeper=None)
    History.objects.filter(keeper=owner).update(keeper=None)
    Asset.objects.filter(written_by=owner).update(written_by=None)
    History.objects.filter(written_by=owner).update(written_by=None)
    history_of(CostEntry).objects.filter(added_by=owner).update(added_by=None)
