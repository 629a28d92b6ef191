"""Photos and papers: known by content, made harmless, sealed, found, and given out to their own."""

import io

import pytest
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import connection
from django.test import Client
from PIL import Image

from assets import documents, reading, sniffing, vault
from assets.choices import DocumentKind
from assets.models import Document
from assets.undos import UNDOS
from notifications import search
from owners import clock, undoing
from owners.models import Change
from tests import factories

# One page of a PDF with a text layer: "Receipt Müller 129,90 EUR".
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R"
    b"/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 61>>stream\nBT /F1 12 Tf 20 200 Td (Receipt Bosch 129.90 EUR) Tj ET\n"
    b"endstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
)
GPS = 0x8825


def picture(*, size: tuple[int, int] = (900, 600), kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "teal")
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ana"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    image.save(out, kind, exif=exif)
    return out.getvalue()


def keep(cast: factories.Cast, content: bytes, name: str, now, **more) -> Document:
    return documents.add(
        household=cast.household,
        asset=more.pop("asset", cast.dvr),
        owner=cast.ana,
        name=name,
        content=content,
        now=now,
        **more,
    )


def test_a_photo_keeps_nothing_that_the_camera_noted(cast: factories.Cast, now) -> None:
    given = picture()
    assert dict(Image.open(io.BytesIO(given)).getexif().get_ifd(GPS))
    kept = keep(cast, given, "IMG_1.jpg", now)
    full = vault.get(kept.uuid)
    assert b"Camera of Ana" not in full
    assert not dict(Image.open(io.BytesIO(full)).getexif())
    assert kept.media_type == "image/jpeg"
    assert max(Image.open(io.BytesIO(vault.get(kept.uuid, part=vault.THUMB))).size) == 640


def test_what_lies_in_the_storage_is_sealed(cast: factories.Cast, now) -> None:
    kept = keep(cast, b"The secret of the boiler", "note.txt", now)
    with default_storage.open(f"documents/{kept.uuid.hex[:2]}/{kept.uuid.hex}.full") as file:
        assert b"secret" not in file.read()


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"MZ\x90\x00\x03",
        b"PK\x03\x04zip",
        b"\x00\x01\x02",
        b"   ",
        b"",
    ],
)
def test_what_is_no_photo_pdf_or_text_is_refused(cast: factories.Cast, now, content: bytes) -> None:
    with pytest.raises(documents.DocumentError):
        keep(cast, content, "receipt.pdf", now)
    assert not Document.objects.exists()


def test_a_name_does_not_make_the_type(cast: factories.Cast, now) -> None:
    assert keep(cast, picture(kind="PNG"), "evil.html", now).media_type == "image/jpeg"


def test_a_picture_made_to_burst_is_refused_and_only_its_reader_dies(
    cast: factories.Cast, now
) -> None:
    out = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(documents.DocumentError) as caught:
        keep(cast, out.getvalue(), "bomb.png", now)
    assert caught.value.code == "unreadable"
    assert not Document.objects.exists()


def test_a_broken_picture_is_refused() -> None:
    with pytest.raises(reading.UnreadableError):
        reading.photo(picture()[:400])


def test_a_locked_or_odd_pdf_is_kept_and_found_by_its_name(cast: factories.Cast, now) -> None:
    kept = keep(cast, b"%PDF-1.4 nothing that holds together", "Warranty dishwasher.pdf", now)
    assert not kept.has_text
    assert kept.kind == DocumentKind.WARRANTY
    assert kept.uuid in documents.found_by(owner=cast.ana, words="dishw")


def test_a_receipt_is_found_by_its_words(cast: factories.Cast, now) -> None:
    kept = keep(cast, PDF, "scan-0042.pdf", now)
    assert kept.kind == DocumentKind.RECEIPT
    for words in ("bosch", "129.90", "receipt bosch", "scan-0042"):
        found = search.find(owner=cast.ana, text=words)
        keys = [hit.key for group in found.groups for hit in group.hits]
        assert kept.uuid in keys, words
    assert documents.found_by(owner=cast.mallory, words="bosch") == []


def test_a_removed_document_is_gone_and_can_be_put_back(cast: factories.Cast, now) -> None:
    kept = keep(cast, PDF, "scan.pdf", now)
    change = documents.remove(document=kept, owner=cast.ana, now=now)
    assert not Document.objects.for_owner(cast.ana).exists()
    assert documents.found_by(owner=cast.ana, words="bosch") == []
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=now)
    assert documents.found_by(owner=cast.ana, words="bosch") == [kept.uuid]


def test_a_full_storage_leaves_neither_row_nor_file(
    cast: factories.Cast, now, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(InMemoryStorage, "save", full)
    with pytest.raises(documents.DocumentError) as caught:
        keep(cast, PDF, "scan.pdf", now)
    assert caught.value.code == "no_room"
    assert not Document.objects.exists()


def test_only_its_own_people_get_a_file_and_no_browser_runs_it(cast: factories.Cast, now) -> None:
    kept = keep(cast, PDF, 'scan "1".pdf', now)
    client = Client()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/documents/{kept.uuid}/file/")
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    assert answer["Content-Disposition"].startswith("attachment;")
    client.force_login(cast.mallory, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/documents/{kept.uuid}/file/").status_code == 404
    assert client.get(f"/documents/{kept.uuid}/").status_code == 404


def test_a_form_without_a_script_keeps_several_files(cast: factories.Cast) -> None:
    client = Client()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    files = [io.BytesIO(PDF), io.BytesIO(picture())]
    for number, file in enumerate(files):
        file.name = f"file{number}"
    sent = {"asset": str(cast.dvr.uuid), "kind": "", "files": files}
    answer = client.post("/documents/add/", sent)
    assert answer["Location"] == f"/assets/{cast.dvr.uuid}/?tab=documents"
    assert Document.objects.for_owner(cast.ana).count() == 2
    page = client.get("/documents/?q=bosch")
    assert page.status_code == 200
    assert b"file0" in page.content
    assert b"file1" not in page.content
    # One undo for all of them; what was removed before stays in the bin as it lies there.
    change = Change.objects.get(kind=documents.ADDED_TOGETHER)
    assert f"/undo/{change.uuid}/".encode() in page.content
    documents.remove(document=Document.objects.get(name="file1"), owner=cast.ana, now=clock.now())
    client.post(f"/undo/{change.uuid}/")
    assert not Document.objects.for_owner(cast.ana).exists()
    assert Change.objects.filter(kind=documents.REMOVED).count() == 2


def test_a_body_over_the_limit_is_refused_before_it_is_read(client: Client) -> None:
    answer = client.post(
        "/documents/add/", data=b"x", content_type="text/plain", CONTENT_LENGTH="28000000"
    )
    assert answer.status_code == 413


def test_the_app_sends_a_file_once(cast: factories.Cast) -> None:
    from tests.api.conftest import app_of  # noqa: PLC0415 - the apps' own fixtures

    app = app_of(cast.ana)

    def send():
        file = io.BytesIO(PDF)
        file.name = "scan.pdf"
        return app.post(
            f"/api/v1/assets/{cast.dvr.uuid}/documents/",
            {"file": file},
            format="multipart",
            HTTP_IDEMPOTENCY_KEY="one",
        )

    first, second = send(), send()
    assert first.status_code == 201, first.content
    assert second.json() == first.json()
    assert Document.objects.count() == 1
    listed = app.get("/api/v1/documents/", {"q": "bosch"}).json()["results"]
    assert [row["id"] for row in listed] == [first.json()["id"]]
    got = app.get(f"/api/v1/documents/{first.json()['id']}/file/")
    assert got.content == PDF
    assert app.delete(f"/api/v1/documents/{first.json()['id']}/").status_code == 204
    assert app.get("/api/v1/documents/").json()["results"] == []


def test_sniffing_reads_the_first_bytes_only() -> None:
    assert sniffing.media_type(b"%PDF-1.7 \x00\xff") == "application/pdf"
    assert sniffing.media_type("Grüße\n".encode()) == "text/plain"
    assert sniffing.media_type(b"\xff\xfe\x00") == ""


def test_a_household_keeps_only_so_much(
    cast: factories.Cast, now, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(cast, b"Ten bytes.", "one.txt", now)
    monkeypatch.setattr(documents, "HOUSEHOLD_MOST", 15)
    with pytest.raises(documents.DocumentError) as refused:
        keep(cast, b"Ten bytes.", "two.txt", now)
    assert refused.value.code == "no_room"


def test_of_a_long_text_only_the_beginning_is_read(cast: factories.Cast, now) -> None:
    text = "ä" * (documents.LETTERS - 2) + " z" + "never" * 1000
    assert len(documents._words(sniffing.TEXT, text.encode())) == documents.LETTERS
    assert documents._words(sniffing.TEXT, text.encode()).endswith(" z")


def test_a_document_whose_bytes_are_lost_can_still_be_called_otherwise(
    cast: factories.Cast, now
) -> None:
    kept = keep(cast, b"The boiler hums.", "note.txt", now)
    vault.forget(kept.uuid)
    documents.change(document=kept, values={"name": "Humming"})
    kept.refresh_from_db()
    assert kept.name == "Humming"
    change = documents.remove(document=kept, owner=cast.ana, now=now)
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=now)
    assert documents.found_by(owner=cast.ana, words="humming") == [kept.uuid]


def test_a_file_is_read_outside_the_transaction(
    transactional_db: None, cast: factories.Cast, now, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(cast, b"The boiler hums.", "note.txt", now)
    inside = []
    real = vault.get

    def get(*args, **kwargs):
        inside.append(connection.in_atomic_block)
        return real(*args, **kwargs)

    monkeypatch.setattr(vault, "get", get)
    documents.change(document=kept, values={"name": "Humming"})
    assert inside
    assert not any(inside)
