"""Papers that lie elsewhere, and words in pictures."""

import io
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from PIL import Image, ImageDraw, ImageFont

from assets import documents, reading, vault
from assets.models import Document
from assets.undos import UNDOS
from owners import undo, undoing
from tests.api.conftest import app_of
from tests.factories import START as NOW
from tests.factories import Cast

pytestmark = pytest.mark.django_db
TESSERACT = shutil.which("tesseract") or ""


def link(cast: Cast, url: str, **more: Any) -> Document:
    return documents.add_link(
        household=cast.household, asset=cast.dvr, owner=cast.ana, url=url, now=NOW, **more
    )


def test_a_link_is_found_by_its_name_and_its_address(cast: Cast) -> None:
    kept = link(cast, "https://paperless.hart.example/documents/4471/Rechnung%20DVR.pdf")
    assert (kept.name, kept.host, kept.kind) == (
        "Rechnung DVR.pdf",
        "paperless.hart.example",
        "receipt",
    )
    for words in ("rechnung", "paperless"):
        assert documents.found_by(owner=cast.ana, words=words) == [kept.uuid]
    assert documents.found_by(owner=cast.mallory, words="paperless") == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://",
        "//host/x",
        "https://user:pass@host.example/",
        "https://host.example/\u202efdp.exe",
        "https://host.example/a b",
        "https://[::1",
        "https://host.example/" + "x" * 500,
    ],
)
def test_what_is_no_plain_address_of_the_web_is_refused(cast: Cast, url: str) -> None:
    with pytest.raises(documents.DocumentError):
        link(cast, url)


def test_adding_a_link_is_undone_and_its_bytes_are_nobodys(cast: Cast) -> None:
    kept = link(cast, "https://host.example/manual")
    app = app_of(cast.ana)
    assert app.get(f"/api/v1/documents/{kept.uuid}/file/").status_code == 404
    change = undo.latest(kind=documents.ADDED, subject=kept.uuid)
    assert change is not None
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)
    kept.refresh_from_db()
    assert kept.removed_at is not None
    assert documents.erase_due(before=kept.removed_at + timedelta(days=1)) == 1


def test_an_app_keeps_a_link_and_a_page_shows_its_host(cast: Cast, client: Any) -> None:
    said = {"household": str(cast.household.uuid), "url": "http://nas.local/p/1", "name": "Deed"}
    made = app_of(cast.ana).post("/api/v1/documents/links/", said, format="json")
    assert (made.status_code, made.json()["url"]) == (201, "http://nas.local/p/1")
    wrong = app_of(cast.ana).post(
        "/api/v1/documents/links/", said | {"url": "ftp://x"}, format="json"
    )
    assert wrong.status_code == 400
    client.force_login(cast.ana)
    page = client.get(f"/documents/{made.json()['id']}/").content.decode()
    assert "Open at nas.local" in page
    assert 'rel="noopener noreferrer' in page


def bill() -> bytes:
    """Return a photographed bill."""
    picture = Image.new("RGB", (1400, 700), "white")
    font = ImageFont.truetype(str(Path(settings.BASE_DIR) / "assets/fonts/figtree-regular.ttf"), 60)
    ImageDraw.Draw(picture).text((60, 60), "Rechnung 4471\nBrennwertkessel", "black", font)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def scanned() -> bytes:
    """Return the same bill as a scanner makes a PDF of it: a picture without words."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(bill())) as picture:
        picture.save(out, "PDF")
    return out.getvalue()


def keep(cast: Cast, name: str, content: bytes) -> Document:
    return documents.add(
        household=cast.household, asset=None, owner=cast.ana, name=name, content=content, now=NOW
    )


@pytest.mark.skipif(not TESSERACT, reason="nothing here reads pictures")
@pytest.mark.parametrize(("name", "make"), [("bill.png", bill), ("bill.pdf", scanned)])
def test_words_in_pictures_are_found_when_they_were_read(cast: Cast, name: str, make: Any) -> None:
    with override_settings(OCR_PROGRAM=TESSERACT, OCR_LANGUAGES="eng"):
        reading.languages.cache_clear()
        kept = keep(cast, name, make())
        assert kept.awaits_reading
        assert documents.read_due() == 1
        assert documents.read_due() == 0
    reading.languages.cache_clear()
    assert documents.found_by(owner=cast.ana, words="4471") == [kept.uuid]
    kept.refresh_from_db()
    documents.change(document=kept, values={"name": "Boiler"})  # its words stay known
    assert documents.found_by(owner=cast.ana, words="rechnung boiler") == [kept.uuid]
    documents.remove(document=kept, owner=cast.ana, now=NOW)
    documents.erase_due(before=NOW + timedelta(days=31))
    with pytest.raises(vault.VaultError):
        vault.get(kept.uuid, part=vault.WORDS)


def test_where_nothing_reads_pictures_nothing_waits(cast: Cast) -> None:
    assert not keep(cast, "bill.png", bill()).awaits_reading
    assert documents.read_due() == 0


def test_a_reader_that_fails_leaves_the_paper_as_it_is(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "reads_pictures", lambda: True)
    kept = keep(cast, "bill.png", bill())

    def fail(content: bytes) -> str:
        raise reading.UnreadableError("made to fail")

    monkeypatch.setattr(reading, "picture_words", fail)
    assert (documents.read_due(), documents.read_due()) == (1, 0)
    kept.refresh_from_db()
    assert (kept.has_text, kept.awaits_reading) == (False, False)


GPS = {1: "N", 2: (46.0, 30.0, 0.0), 3: "E", 4: (11.0, 21.0, 0.0)}


def photographed() -> bytes:
    """Return a photo as a phone makes it: with the place, the time and the phone in it."""
    noted = Image.Exif()
    noted[0x010F], noted[0x0110], noted[0x0132] = "Phone", "X1", "2026:11:09 08:00:00"
    noted.get_ifd(0x8825).update(GPS)
    out = io.BytesIO()
    Image.new("RGB", (800, 600), "teal").save(out, "JPEG", exif=noted)
    made = out.getvalue()
    assert Image.open(io.BytesIO(made)).getexif().get_ifd(0x8825)[2] == (46.0, 30.0, 0.0)
    return made


def noted_in(content: bytes) -> dict[int, Any]:
    found = Image.open(io.BytesIO(content))
    assert b"Exif" not in content
    assert b"GPS" not in content
    return {**found.getexif(), **found.getexif().get_ifd(0x8825)}


def by_page(cast: Cast, client: Any) -> None:
    photo = io.BytesIO(photographed())
    photo.name = "boiler.jpg"
    said = {"name": "Boiler", "household": cast.household.uuid, "photo": photo}
    assert client.post("/assets/add/", said).status_code == 302


def by_drop(cast: Cast, client: Any) -> None:
    photo = io.BytesIO(photographed())
    photo.name = "boiler.jpg"
    said = {"asset": cast.dvr.uuid, "files": photo}
    assert client.post("/documents/add/", said).status_code == 302


def by_api(cast: Cast, client: Any) -> None:
    photo = io.BytesIO(photographed())
    photo.name = "boiler.jpg"
    said = {"household": cast.household.uuid, "file": photo}
    assert app_of(cast.ana).post("/api/v1/documents/", said, format="multipart").status_code == 201


def by_asset_api(cast: Cast, client: Any) -> None:
    photo = io.BytesIO(photographed())
    photo.name = "boiler.jpg"
    address = f"/api/v1/assets/{cast.dvr.uuid}/documents/"
    assert app_of(cast.ana).post(address, {"file": photo}, format="multipart").status_code == 201


def by_hand(cast: Cast, client: Any) -> None:
    keep(cast, "boiler.jpg", photographed())


@pytest.mark.parametrize("way", [by_page, by_drop, by_api, by_asset_api, by_hand])
def test_no_way_in_keeps_the_place_of_a_photo(cast: Cast, client: Any, way: Any) -> None:
    client.force_login(cast.ana)
    way(cast, client)
    kept = Document.objects.get()
    for part in (vault.FULL, vault.THUMB):
        assert noted_in(vault.get(kept.uuid, part=part)) == {}
    served = client.get(f"/documents/{kept.uuid}/file/").content
    assert noted_in(served) == {}
