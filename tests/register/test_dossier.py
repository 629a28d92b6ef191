"""A dossier says what was chosen and nothing else, in any language's letters."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pypdf import PdfReader

from assets import caring, documents, dossier, faults, holdings, vault
from assets.choices import DocumentKind
from assets.dossier import Dossier, Part
from tests import factories
from tests.factories import START, Cast
from tests.project.test_isolation import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def lived(cast: Cast) -> Cast:
    """Ana's DVR with a life behind it."""
    asset = cast.dvr
    asset.name, asset.maker, asset.notes = "Συσκευή Δέκτης", "Рекорд", "SECRET-NOTE"
    asset.place = "SECRET-PLACE"
    asset.save()
    factories.AssetIdentifierFactory(asset=asset, value="SERIAL-0042")
    holdings.acquire(asset=asset, values={"seller": "SELLER-X"}, now=START)
    cost = {"on": START.date(), "amount": Decimal("77.10"), "currency": "USD"}
    holdings.spend(asset=asset, values=cost, now=START)
    caring.log(
        asset=asset,
        title="Fan cleaned",
        done_on=START.date() - timedelta(days=1),
        said=caring.Work(provider="Garage Łódź"),
        now=START,
    )
    cover = {"kind": "insurance", "obligor": "Meridian", "reference": "POLICY-7"}
    holdings.cover(asset=asset, values=cover, now=START)
    faults.report(asset=asset, values={"title": "No picture"}, owner=cast.ana, now=START)
    for name, content, kind in (
        ("receipt.txt", b"paid 49.00", DocumentKind.RECEIPT),
        ("manual.txt", b"press the button", DocumentKind.MANUAL),
        ("front.png", picture(), None),
    ):
        documents.add(
            household=cast.household, asset=asset, owner=cast.ana, name=name, content=content,
            kind=kind, now=START,
        )  # fmt: skip
    return cast


def of(cast: Cast, *parts: Part) -> Dossier:
    return Dossier(asset=cast.dvr, parts=frozenset(parts), now=START)


def text_of(found: Dossier) -> str:
    pages = PdfReader(io.BytesIO(dossier.paper(found))).pages
    return "\n".join(page.extract_text() for page in pages)


SAYS = {
    Part.NUMBERS: "SERIAL-0042",
    Part.HISTORY: "Garage Łódź",
    Part.COSTS: "77.10",
    Part.PRICE: "SELLER-X",
    Part.COVER: "Meridian",
    Part.FAULTS: "No picture",
    Part.PAPERS: "manual.txt",
}


@pytest.mark.parametrize("part", SAYS)
def test_a_part_is_in_it_only_when_it_is_asked_for(lived: Cast, part: Part) -> None:
    assert SAYS[part] in text_of(of(lived, part))
    everything_else = [one for one in Part if one != part]
    assert SAYS[part] not in text_of(of(lived, *everything_else))


def test_what_is_private_is_never_in_it(lived: Cast) -> None:
    said = text_of(of(lived, *Part))
    assert "SECRET" not in said
    assert "Hart" not in said


def test_greek_and_cyrillic_are_letters_and_no_boxes(lived: Cast) -> None:
    said = text_of(of(lived))
    assert "Συσκευή Δέκτης" in said
    assert "Рекорд" in said


def test_a_policy_s_number_is_a_number(lived: Cast) -> None:
    assert "POLICY-7" not in text_of(of(lived, Part.COVER))
    assert "POLICY-7" in text_of(of(lived, Part.COVER, Part.NUMBERS))


def test_the_zip_has_the_files_of_its_parts_with_their_hashes(lived: Cast) -> None:
    with dossier.pack(of(lived, Part.PAPERS, Part.PHOTO)) as made, zipfile.ZipFile(made) as file:
        said = json.loads(file.read("manifest.json"))
        names = {one["name"] for one in said["files"]}
        assert names == {"dossier.pdf", "manual/manual.txt", "photo/front.png.jpg"}
        for one in said["files"]:
            assert hashlib.sha256(file.read(one["name"])).hexdigest() == one["sha256"]


def test_a_lost_file_is_named_and_holds_nothing_up(lived: Cast) -> None:
    manual = lived.dvr.documents.get(name="manual.txt")
    vault.forget(manual.uuid)
    with dossier.pack(of(lived, Part.PAPERS)) as made, zipfile.ZipFile(made) as file:
        assert json.loads(file.read("manifest.json"))["could_not_be_read"] == ["manual.txt"]


def test_the_page_chooses_and_hands_out(lived: Cast) -> None:
    ana = Client()
    ana.force_login(lived.ana)
    asset = f"/assets/{lived.dvr.uuid}/dossier/"
    page = ana.get(asset).content.decode()
    assert 'value="price" id="with-price">' in page, "money is not chosen by itself"
    pdf = ana.get(f"{asset}file/?with=history&form=pdf")
    assert pdf.headers["Content-Type"] == "application/pdf"
    packed = ana.get(f"{asset}file/?with=papers&form=zip")
    content = b"".join(packed.streaming_content)  # type: ignore[attr-defined]  # a file
    assert "manual/manual.txt" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    api = ana.get(f"/api/v1/assets/{lived.dvr.uuid}/dossier/?parts=history&parts=costs")
    assert api.content[:5] == b"%PDF-"
    bad = ana.get(f"/api/v1/assets/{lived.dvr.uuid}/dossier/?parts=soul")
    assert bad.status_code == 400
