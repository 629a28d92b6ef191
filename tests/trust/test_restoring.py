"""An export brought into a clean server holds the same: rows, counts, hashes and files."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from assets import caring, documents, faults, holdings, stocking, vault, worth
from assets.models import Asset, Document
from config import archives, privacy, restoring
from config.archives import ArchiveError
from config.export_files import NOT_RESTORED
from notifications.models import Card, Delivery, Notification
from notifications.own_matters import STEWARD
from owners import clock, exports, households
from owners.models import Export, Household, Owner
from owners.privacy import Table
from suppliers.models import Mandate, OutboundEvent, Supplier, SupplierDomain
from tests import factories
from tests.web.conftest import played

pytestmark = pytest.mark.django_db


def exported(owner: Owner) -> bytes:
    """Return the owner's export as it is downloaded."""
    export = exports.ask(owner=owner, now=clock.now())
    while exports.work(now=clock.now(), sections=privacy.SECTIONS, closing=privacy.manifest):
        pass
    return b"".join(privacy.archive(Export.objects.get(pk=export.pk)))


def rich() -> Owner:
    """Return Ana after the DVR story, with one of everything that an asset has."""
    owner = played()
    now = clock.now()
    asset = Asset.objects.select_related("household").get()
    holdings.acquire(asset=asset, values={"seller": "Skyline", "order_no": "O-1"}, now=now)
    holdings.cover(asset=asset, values={"kind": "insurance", "obligor": "Meridian"}, now=now)
    spec = {
        "name": "Clean the fan",
        "triggers": [{"kind": "calendar", "every": 1, "unit": "year"}],
    }
    task = caring.add(asset=asset, spec=spec, owner=owner, now=now)
    caring.log(asset=asset, title="Cleaned", done_on=now.date(), tasks=[task], now=now)
    stocking.add(
        household=asset.household,
        values={"name": "Fan", "quantity": Decimal(2), "fits": [asset.uuid]},
        owner=owner,
        now=now,
    )
    faults.report(asset=asset, values={"title": "No picture"}, owner=owner, now=now)
    worth.value(
        asset=asset,
        values={"on": now.date(), "amount": Decimal("120.00"), "currency": "USD"},
        owner=owner,
        now=now,
    )
    for name, content in (
        ("=note.txt", "Bought for 49,00 €. Γειά, привет.".encode()),
        ("photo.png", picture()),
    ):
        documents.add(
            household=asset.household, asset=asset, owner=owner, name=name, content=content, now=now
        )
    return owner


def picture() -> bytes:
    from PIL import Image  # noqa: PLC0415

    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, "PNG")
    return made.getvalue()


def newcomer() -> Owner:
    """Return somebody who has just signed up."""
    made: Any = factories.OwnerFactory(name="Ana again", email="ana@new.example")
    households.create(owner=made, name="Home", zone="UTC", now=clock.now())
    found: Owner = made
    return found


def emptied() -> None:
    """Leave the database as a new server has it, with nobody in it."""
    for document in Document.objects.filter(url=""):
        vault.forget(document.uuid)
    call_command("flush", interactive=False, verbosity=0)


def brought_in(packed: bytes, owner: Owner, *, is_vouched: bool = False) -> dict[str, Any]:
    archive = archives.look(io.BytesIO(packed))
    return restoring.bring_in(
        archive=archive,
        owner=owner,
        key=uuid4(),
        now=clock.now(),
        progress=lambda _size: None,
        is_vouched=is_vouched,
    )


def manifest_of(packed: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        said: dict[str, Any] = json.loads(file.read("steward/manifest.json"))
    return said


def compared(packed: bytes) -> dict[str, tuple[int, str]]:
    """Return count and hash of each section that an import brings back."""
    return {
        one["name"]: (one["rows"], one["content_sha256"])
        for one in manifest_of(packed)["sections"]
        if one["restorable"] and "rows" in one
    }


def files_of(packed: bytes) -> dict[str, str]:
    return {
        one["path"]: one["sha256"]
        for one in manifest_of(packed)["files"]
        if one["path"].startswith(("documents/", "raw/"))
    }


@pytest.mark.django_db(transaction=True)
def test_a_clean_server_holds_the_same_counts_hashes_and_files() -> None:
    packed = exported(rich())
    emptied()
    # Others have lived here for a while: no number is what it was.
    factories.AssetFactory.create_batch(7)
    factories.MandateFactory.create_batch(5)
    owner = newcomer()
    done = brought_in(packed, owner)
    assert done["left_out"] == {}
    again = exported(owner)
    before, after = compared(packed), compared(again)
    assert {name: after[name] for name in before} == before
    assert files_of(again) == files_of(packed)
    assert sum(rows for rows, _hash in before.values()) > 60
    # And it is used: the matter stands as it did, and nothing goes out.
    assert Card.objects.filter(household__memberships__owner=owner).count() == 1
    assert not OutboundEvent.objects.filter(state="pending").exists()
    assert not Delivery.objects.exists()
    assert not Notification.objects.filter(state="planned").exists()
    assert [home.name for home in Household.objects.for_owner(owner)] == [
        one["name"] for one in manifest_of(packed)["households"]
    ]


def test_brought_into_another_account_here_it_stands_beside_the_first() -> None:
    ana = rich()
    packed = exported(ana)
    other = newcomer()
    brought_in(packed, other)
    assert Asset.objects.for_owner(ana).count() == Asset.objects.for_owner(other).count() == 1
    mine, theirs = Asset.objects.for_owner(ana).get(), Asset.objects.for_owner(other).get()
    assert mine.uuid != theirs.uuid
    assert Card.objects.filter(household=theirs.household).exists()
    aliases = set(Mandate.objects.values_list("alias", flat=True))
    assert len(aliases) == Mandate.objects.count()
    for document in Document.objects.for_owner(other).filter(url=""):
        assert vault.get(document.uuid)


def test_who_has_something_already_is_refused_and_keeps_it() -> None:
    ana = rich()
    packed = exported(ana)
    before = Asset.objects.count()
    with pytest.raises(ArchiveError) as caught:
        brought_in(packed, ana)
    assert caught.value.code == "not_empty"
    assert Asset.objects.count() == before


def rewritten(
    packed: bytes, change: Callable[[dict[str, bytes]], None], *, more: Mapping[str, bytes] = {}
) -> bytes:
    """Return the ZIP with other files in it, their hashes as the manifest says."""
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        found = {name: file.read(name) for name in file.namelist()}
    change(found)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in {**found, **more}.items():
            file.writestr(name, content)
    return made.getvalue()


def relisted(found: dict[str, bytes]) -> None:
    """Let the manifest say what is in it by now, as a careful forger would."""
    import hashlib  # noqa: PLC0415

    said = json.loads(found["steward/manifest.json"])
    said["files"] = [
        {
            "path": name.removeprefix("steward/"),
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
        for name, content in found.items()
        if name != "steward/manifest.json"
    ]
    found["steward/manifest.json"] = json.dumps(said).encode()


def other_hash(found: dict[str, bytes]) -> None:
    rows = found["steward/assets.json"]
    found["steward/assets.json"] = rows.replace(b"DVR", b"TVR", 1) if b"DVR" in rows else rows[::-1]


def newer(found: dict[str, bytes]) -> None:
    said = json.loads(found["steward/manifest.json"])
    found["steward/manifest.json"] = json.dumps(said | {"version": 99}).encode()


def no_assets(found: dict[str, bytes]) -> None:
    del found["steward/assets.json"]


def no_section(found: dict[str, bytes]) -> None:
    said = json.loads(found["steward/manifest.json"])
    said["sections"] = [one for one in said["sections"] if one["name"] != "assets"]
    found["steward/manifest.json"] = json.dumps(said).encode()


def strange_column(found: dict[str, bytes]) -> None:
    rows = json.loads(found["steward/assets.json"])
    rows[0]["colour"] = "red"
    found["steward/assets.json"] = lines(rows)
    relisted(found)


def bad_word(found: dict[str, bytes]) -> None:
    rows = json.loads(found["steward/assets.json"])
    rows[0]["lifecycle"] = "melted"
    found["steward/assets.json"] = lines(rows)
    relisted(found)


def nul(found: dict[str, bytes]) -> None:
    rows = json.loads(found["steward/assets.json"])
    rows[0]["name"] = "a\x00b"
    found["steward/assets.json"] = lines(rows)
    relisted(found)


def deep(found: dict[str, bytes]) -> None:
    found["steward/assets.json"] = b"[\n" + b"[" * 100_000 + b"\n]\n"
    relisted(found)


def script(found: dict[str, bytes]) -> None:
    name = next(name for name in found if name.endswith("note.txt"))
    found[name] = b"<script>alert(1)</script>"
    relisted(found)


def proved_domain(found: dict[str, bytes]) -> None:
    [supplier, *_others] = json.loads(found["steward/suppliers.json"])
    row = {"id": 1, "supplier": supplier["id"], "household": None, "domain": "bank.example"}
    found["steward/supplier-domains.json"] = lines([row])
    relisted(found)


def lines(rows: list[dict[str, Any]]) -> bytes:
    return ("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n").encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (other_hash, "hash"),
        (newer, "newer"),
        (no_assets, "missing"),
        (no_section, "missing"),
        (strange_column, "row"),
        (bad_word, "row"),
        (nul, "unfit"),
        (deep, "row"),
        (script, "document"),
        (proved_domain, "row"),
    ],
)
def test_a_bad_export_says_what_is_wrong_and_leaves_nothing(
    change: Callable[[dict[str, bytes]], None], code: str
) -> None:
    packed = rewritten(exported(rich()), change)
    other = newcomer()
    with pytest.raises(ArchiveError) as caught:
        brought_in(packed, other)
    assert caught.value.code == code, (caught.value.detail, caught.value.what)
    assert not SupplierDomain.objects.filter(domain="bank.example").exists()
    assert not Asset.objects.for_owner(other).exists()
    assert Household.objects.for_owner(other).get().name == "Home"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("steward/manifest.json", "{}")
        file.writestr("steward/assets.json", b"\x00" * (64 << 20))
    return made.getvalue()


def named(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("steward/manifest.json", "{}")
        file.writestr(name, "x")
    return made.getvalue()


def linked() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        one = zipfile.ZipInfo("steward/assets.json")
        one.external_attr = 0o120777 << 16
        file.writestr(one, "/etc/passwd")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_zip"),
        (b"PK\x03\x04 and then nothing", "not_a_zip"),
        (named("steward/../../etc/passwd"), "path"),
        (named("/etc/passwd"), "path"),
        (named("steward/a\\b"), "path"),
        (named("steward/x.json"), "manifest"),
        (linked(), "path"),
        (bomb(), "too_large"),
    ],
    ids=["empty", "torn", "up", "root", "backslash", "no manifest", "link", "bomb"],
)
def test_what_is_no_export_is_known_before_anything_is_read(content: bytes, code: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        archives.look(io.BytesIO(content))
    assert caught.value.code == code


def test_an_export_that_was_cut_off_says_so() -> None:
    packed = exported(rich())
    with pytest.raises(ArchiveError) as caught:
        archives.look(io.BytesIO(packed[: len(packed) // 2]))
    assert caught.value.code == "not_a_zip"


def test_no_supplier_is_verified_by_a_file() -> None:
    ana = rich()
    Supplier.objects.update(verified_at=clock.now())
    packed = exported(ana)
    Supplier.objects.update(verified_at=None)
    other = newcomer()
    brought_in(packed, other)
    assert not Supplier.objects.filter(verified_at__isnull=False).exists()


@pytest.mark.parametrize("is_vouched", [False, True])
def test_a_file_speaks_for_a_supplier_that_others_know_only_when_vouched_for(
    *, is_vouched: bool
) -> None:
    ana = rich()
    Supplier.objects.exclude(code=STEWARD).update(verified_at=clock.now())
    known = set(Supplier.objects.values_list("code", flat=True))
    other = newcomer()
    brought_in(exported(ana), other, is_vouched=is_vouched)
    theirs = Household.objects.for_owner(other)
    mandates = Mandate.objects.filter(household__in=theirs)
    assert mandates.exists()
    shared = {code for code in mandates.values_list("supplier__code", flat=True) if code in known}
    assert bool(shared) is is_vouched


def test_every_section_is_restored_or_says_why_not() -> None:
    tables = {name for name, one in privacy.TABLES.items() if isinstance(one, Table)}
    assert NOT_RESTORED.keys() <= privacy.TABLES.keys()
    assert all(NOT_RESTORED.values())
    assert "assets" in tables - NOT_RESTORED.keys()


def test_every_file_fits_its_schema() -> None:
    packed = exported(rich())
    jsonschema = pytest.importorskip("jsonschema")
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        for one in manifest_of(packed)["sections"]:
            if "schema" not in one:
                continue
            schema = json.loads(file.read(f"steward/{one['schema']}"))
            rows = json.loads(file.read(f"steward/{one['file']}"))
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.validate(rows, schema)
            assert len(rows) == one["rows"]


def test_no_cell_of_the_tables_is_a_formula() -> None:
    packed = exported(rich())
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        text = file.read("steward/csv/documents.csv").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert "'=note.txt" in [row["name"] for row in rows]
        for name in file.namelist():
            if not name.startswith("steward/csv/"):
                continue
            table = csv.reader(io.StringIO(file.read(name).decode("utf-8-sig")))
            for row in table:
                assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in row)


def test_an_export_that_is_thrown_away_is_gone_while_it_is_made() -> None:
    ana = played()
    export = exports.ask(owner=ana, now=clock.now())
    exports.work(now=clock.now(), sections=privacy.SECTIONS, closing=privacy.manifest)
    assert exports.cancel(export=export, now=clock.now())
    assert exports.work(now=clock.now(), sections=privacy.SECTIONS) == 0
    assert not exports.cancel(export=export, now=clock.now())
