"""The attachments of another system, as it exports them: kept, tied to their work, taken back."""

import io
import zipfile
from datetime import date
from typing import Any

import pytest
from PIL import Image

from assets import importing, vault
from assets.importers import files
from assets.importers.faults import FileError
from assets.importers.words import ImportState
from assets.models import Asset, Document, Import, Imported, Notice, ServiceRecord
from config.undos import UNDOS
from owners import undo, undoing
from tests import factories
from tests.imports import samples
from tests.imports.flow import LATER, NOW, begun, brought, checked, drain

pytestmark = pytest.mark.django_db
NAME = "0_ServiceRecord_2024-01-05_Bill of Huber.txt"
LINKS = (
    "DataType,Date,Name,Location\n"
    "RepairRecord,2024-02-01,Paperless,https://paperless.hart.example/documents/12\n"
    "NoteRecord,2024-02-01,Lost,/documents/gone.pdf\n"
)


def packed(**more: bytes) -> bytes:
    """Return an archive as LubeLogger writes one, with these files beside."""
    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(photo, "JPEG")
    made = {
        NAME: b"Rechnung 12 of Huber",
        "1_GasRecord_2024-03-01_pump.jpg": photo.getvalue(),
        "2_ServiceRecord_2024-01-05_tool.exe": b"MZ\x90\x00" + bytes(range(256)),
        "link_attachments.csv": LINKS.encode(),
        "__MACOSX/._bill.txt": b"junk",
        **more,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in made.items():
            archive.writestr(name, content)
    return out.getvalue()


def work(cast: factories.Cast) -> ServiceRecord:
    record: ServiceRecord = ServiceRecord.objects.create(
        household=cast.household, asset=cast.dvr, title="Oil", done_on=date(2024, 1, 5)
    )
    return record


@pytest.mark.django_db(transaction=True)
def test_attachments_are_kept_and_stand_with_their_work(cast: factories.Cast) -> None:
    record = work(cast)
    run = brought(cast, packed(), asset=cast.dvr)
    assert (run.state, run.form, run.made["papers"], run.bad) == ("done", "papers", 3, 2)
    bill, photo, link = Document.objects.order_by("pk")
    assert (bill.name, photo.kind, link.url[:14]) == (
        "Bill of Huber.txt", "photo", "https://paperl",
    )  # fmt: skip
    assert vault.get(bill.uuid) == b"Rechnung 12 of Huber"
    record.refresh_from_db()
    assert record.papers == [bill.uuid]
    left = dict(run.rows.values_list("said", "fault"))
    assert left == {"tool.exe": "paper", "Lost": "elsewhere"}
    with pytest.raises(vault.VaultError):
        vault.get(run.uuid)  # the archive is forgotten


def test_the_same_archive_again_brings_only_what_is_new(cast: factories.Cast) -> None:
    brought(cast, packed(), asset=cast.dvr)
    more = packed(**{"3_TaxRecord_2024-05-01_tax.txt": b"Tax"})
    run = brought(cast, more, asset=cast.dvr)
    assert (run.known, run.made) == (3, {"papers": 1})


@pytest.mark.django_db(transaction=True)
def test_taking_back_leaves_no_paper_and_no_trace_on_the_work(cast: factories.Cast) -> None:
    record = work(cast)
    run = brought(cast, packed(), asset=cast.dvr)
    keys = [paper.uuid for paper in Document.objects.all()]
    change = undo.latest(kind=importing.BROUGHT_IN, subject=run.uuid)
    assert change is not None
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=LATER)
    drain(LATER)
    run.refresh_from_db()
    record.refresh_from_db()
    assert (run.state, Document.objects.count(), Imported.objects.count()) == ("undone", 0, 0)
    assert record.papers == []
    for key in keys:
        with pytest.raises(vault.VaultError):
            vault.get(key)


@pytest.mark.django_db(transaction=True)
def test_a_cancel_in_the_middle_leaves_nothing(cast: factories.Cast) -> None:
    run = checked(cast, packed(), asset=cast.dvr)
    importing.start(run=run, now=NOW)
    importing.work_due(lambda: NOW, seconds=0.001)
    assert Document.objects.count() == 1
    importing.cancel(run=run, now=NOW)
    drain(LATER)
    run.refresh_from_db()
    assert (run.state, Document.objects.count()) == (ImportState.CANCELLED, 0)
    with pytest.raises(vault.VaultError):
        vault.get(run.uuid)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"cartracker.db": b"x"}, "backup"),
        ({"attachments/manifest.json": b"{}"}, "backup"),
        ({"zeros.bin": bytes(30_000_000)}, "bomb"),
    ],
)
def test_an_archive_of_something_else_is_refused_whole(more: dict[str, bytes], code: str) -> None:
    with pytest.raises(FileError) as refused:
        list(files.records(packed(**more)))
    assert refused.value.code == code


def test_an_archive_that_is_cut_off_is_broken(cast: factories.Cast) -> None:
    run = begun(cast, packed()[:-200])
    assert (run.state, run.fault) == ("failed", "broken")


def test_what_things_are_is_read_from_their_names(cast: factories.Cast) -> None:
    table = "HB.import_ref,HB.name,HB.location,HB.warranty_expires\n" + "".join(
        f"a{at},{name},Home,{until}\n"
        for at, (name, until) in enumerate(
            [("Bosch washing machine", "2027-06-01"), ("Lamp", ""), ("Laptop of Ben", "")]
        )
    )
    run = brought(cast, table, currency="EUR")
    made: dict[str, Any] = {
        asset.name: (asset.kind, asset.template)
        for asset in Asset.objects.filter(source="imported")
    }
    assert made == {
        "Bosch washing machine": ("appliance", "washer"),
        "Lamp": ("other", ""),
        "Laptop of Ben": ("electronics", "computer"),
    }
    notice = Notice.objects.get(kind="guarantee", settled_at=None)
    assert notice.asset is not None
    assert (notice.due_on, notice.asset.name) == (date(2027, 6, 1), "Bosch washing machine")
    change = undo.latest(kind=importing.BROUGHT_IN, subject=run.uuid)
    assert change is not None
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=LATER)
    drain(LATER)
    run.refresh_from_db()
    assert (run.state, run.kept, Notice.objects.count()) == ("undone", 0, 0)


def test_a_list_of_links_alone_is_one_too(cast: factories.Cast) -> None:
    run = brought(
        cast, samples.LUBELOGGER_FILES.replace("/documents", "https://a.example"), asset=cast.dvr
    )
    assert Import.objects.get(pk=run.pk).made == {"papers": 1}
