"""What a supplier said elsewhere: shared, pasted or photographed, read, kept and taken back."""

import io
import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from assets.models import Document
from notifications import pipeline
from notifications.models import Journey
from owners import clock
from suppliers.choices import Outcome
from suppliers.models import Contact
from tests import factories
from tests.api.conftest import app_of

TEXT = (
    "Skyline TV: our technician comes on Friday 4 December 2026 between 08:00 and 12:00"
    " to repair the living-room DVR. The visit costs 49.00 USD. Your job: SKY-88213."
)


@pytest.fixture
def browser(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


def photo(name: str = "letter.png") -> SimpleUploadedFile:
    """Return the photo of a letter."""
    out = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/png")


def letter(words: str = TEXT, name: str = "letter.txt") -> SimpleUploadedFile:
    """Return a letter whose words can be read."""
    return SimpleUploadedFile(name, words.encode(), content_type="text/plain")


def filled(**given: Any) -> dict[str, Any]:
    """Return the form as a browser sends it."""
    return {
        "event_id": str(uuid.uuid4()),
        "day": "2026-11-22",
        "at": "10:00",
        "medium": "sms",
    } | given


def initial(page: Any) -> dict[str, Any]:
    """Return what the form on a page offers."""
    return page.context["form"].initial  # type: ignore[no-any-return]


def test_shared_words_are_read_as_suggestions_and_nothing_is_kept(
    cast: factories.Cast, browser: Client
) -> None:
    page = browser.get("/share/", {"title": "SMS", "text": TEXT})
    offered = initial(page)
    assert (offered["window_day"], offered["window_opens"]) == ("2026-12-04", "08:00")
    assert (offered["fee_amount"], offered["reference"]) == ("49.00", "SKY-88213")
    assert offered["supplier"] == str(cast.skyline.uuid)
    assert offered["asset"] == str(cast.dvr.uuid)
    assert not Contact.objects.exists()


def test_what_is_saved_is_on_its_journey_as_what_they_said(
    cast: factories.Cast, browser: Client
) -> None:
    given = filled(note=TEXT, supplier=cast.skyline.uuid, asset=cast.dvr.uuid)
    assert browser.post("/share/", given).status_code == 302
    pipeline.pump(now_fn=clock.now)
    contact = Contact.objects.get()
    assert (contact.medium, contact.direction, contact.outcome) == ("sms", "in", Outcome.OWN)
    assert contact.supplier == cast.skyline
    page = browser.get(f"/journeys/{Journey.objects.get().uuid}/").content.decode()
    assert "49.00" in page


def test_a_letters_photo_is_kept_shown_on_the_journey_and_taken_back_with_it(
    cast: factories.Cast, browser: Client
) -> None:
    given = filled(note="They ask for a date.", asset=cast.dvr.uuid, medium="letter")
    browser.post("/share/", given | {"files": photo()})
    paper = Document.objects.get()
    assert (paper.asset, paper.has_thumb) == (cast.dvr, True)
    pipeline.pump(now_fn=clock.now)
    journey = Journey.objects.get()
    shown = browser.get(f"/journeys/{journey.uuid}/").content.decode()
    assert f"/documents/{paper.uuid}/thumb/" in shown
    browser.post(f"/log/{given['event_id']}/undo/")
    paper.refresh_from_db()
    assert paper.removed_at is not None
    assert not journey.links.filter(revoked_at=None).exists()


def test_the_words_of_a_paper_are_offered_before_they_are_saved(
    cast: factories.Cast, browser: Client
) -> None:
    page = browser.post("/share/", filled(files=letter(), read="1"))
    paper = Document.objects.get()
    offered = initial(page)
    assert offered["note"].startswith("Skyline TV")
    assert (offered["window_day"], offered["medium"]) == ("2026-12-04", "letter")
    assert not Contact.objects.exists()
    given = {name: value for name, value in offered.items() if name != "read"}
    browser.post("/share/", filled(**given) | {"documents": str(paper.uuid)})
    pipeline.pump(now_fn=clock.now)
    assert Contact.objects.get().said["documents"] == [str(paper.uuid)]
    assert Document.objects.count() == 1


def test_a_photo_alone_is_enough_and_nothing_at_all_is_not(
    cast: factories.Cast, browser: Client
) -> None:
    assert browser.post("/share/", filled()).status_code == 422
    assert browser.post("/share/", filled(files=photo())).status_code == 302


def test_a_file_that_is_not_kept_is_said_and_loses_no_word(
    cast: factories.Cast, browser: Client
) -> None:
    bad = SimpleUploadedFile("x.exe", b"MZ\x00\x01", content_type="image/png")
    answer = browser.post("/share/", filled(note=TEXT, files=bad), follow=True)
    assert "x.exe was not kept." in answer.content.decode()
    pipeline.pump(now_fn=clock.now)
    assert Contact.objects.get().said["body"] == TEXT


def test_papers_of_others_are_left_where_they_are(cast: factories.Cast, browser: Client) -> None:
    theirs = factories.AssetFactory.create(household=cast.mallory_household)
    mallory = Client()
    mallory.force_login(cast.mallory, backend="django.contrib.auth.backends.ModelBackend")
    mallory.post("/documents/add/", {"files": photo(), "asset": theirs.uuid})
    paper = Document.objects.get()
    browser.post("/share/", filled(note=TEXT, documents=str(paper.uuid)))
    pipeline.pump(now_fn=clock.now)
    assert "documents" not in Contact.objects.get().said


def test_the_phones_share_sheet_fills_the_form_without_a_token(cast: factories.Cast) -> None:
    phone = Client(enforce_csrf_checks=True)
    phone.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    page = phone.post("/share/in/", {"text": TEXT, "files": photo()})
    assert initial(page)["reference"] == "SKY-88213"
    assert "Choose the file once more" in page.content.decode()
    assert not Document.objects.exists()
    assert phone.post("/share/", filled(note=TEXT)).status_code == 403


def test_the_manifest_offers_the_share_sheet_what_the_form_takes(client: Client) -> None:
    target = json.loads(client.get("/manifest.webmanifest").content)["share_target"]
    assert (target["action"], target["method"]) == ("/share/in/", "POST")
    assert "application/pdf" in target["params"]["files"][0]["accept"]


@pytest.fixture
def app(cast: factories.Cast) -> APIClient:
    return app_of(cast.ana)


def test_apps_add_the_paper_read_it_and_log_what_it_says(
    cast: factories.Cast, app: APIClient
) -> None:
    home = str(cast.household.uuid)
    given = {"household": home, "file": letter()}
    paper = app.post("/api/v1/documents/", given, format="multipart").json()["id"]
    read = app.post(
        "/api/v1/contacts/note/", {"household": home, "documents": [paper]}, format="json"
    ).json()
    assert (read["supplier"], read["asset"]) == (str(cast.skyline.uuid), str(cast.dvr.uuid))
    assert read["text"] == TEXT
    words = {
        "medium": "letter",
        "direction": "in",
        "note": read["text"],
        "supplier": read["supplier"],
        "asset": read["asset"],
        "documents": [paper],
    }
    kept = app.post("/api/v1/contacts/", words, format="json")
    assert kept.status_code == 202, kept.content
    pipeline.pump(now_fn=clock.now)
    shown = app.get(f"/api/v1/contacts/{kept.json()['id']}/").json()
    assert shown["documents"] == [paper]
    journey = app.get(f"/api/v1/journeys/{shown['journey']}/").json()
    assert journey["contacts"][0]["documents"] == [paper]
    refused = app.post("/api/v1/contacts/note/", {"household": home}, format="json")
    assert refused.status_code == 400
