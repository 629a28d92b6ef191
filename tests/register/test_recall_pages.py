"""A recall on its pages and in the API: found, compared, booked, and proved done."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets import recalls
from assets.cover_words import RecallState
from assets.models import Document, RecallMatch
from assets.recall_matching import Criterion, Published
from notifications import pipeline
from notifications.models import Journey, Link
from owners import clock
from owners.models import Change
from tests import factories
from tests.api.conftest import app_of

NOW = datetime(2026, 11, 9, 18, tzinfo=UTC)
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00"
    b"\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
def recall(cast: factories.Cast) -> RecallMatch:
    """A recall of the model of Ana's recorder, on its card."""
    published = Published(
        source="cpsc",
        number="26-114",
        title="Skyline recalls recorders <b>now</b>",
        criteria=(
            Criterion(brand="Skyline", model="HR44", product="Recorders"),
            Criterion(brand="Skyline", serial_from="R15-300000", serial_to="R15-400000"),
        ),
        hazard="The power supply may overheat.",
        remedy="Ask for a new power supply.",
        url="https://www.cpsc.gov/Recalls/2026/26-114",
        published_on=date(2026, 11, 5),
        do_not_use=True,
    )
    with clock.fixed(NOW):
        recalls.store_all([published], now=NOW)
        pipeline.drain(now_fn=lambda: NOW)
    return RecallMatch.objects.get()


def ana(cast: factories.Cast) -> Client:
    client = Client()
    client.force_login(cast.ana)
    return client


@pytest.mark.django_db
def test_pages_show_how_sure_it_is_and_never_more(
    cast: factories.Cast, recall: RecallMatch
) -> None:
    client = ana(cast)
    page = client.get(f"/recalls/{recall.uuid}/").content.decode()
    assert "Is yours meant?" in page
    assert "Yours is meant" not in page
    assert "Skyline recalls recorders &lt;b&gt;now" in page
    assert 'href="https://www.cpsc.gov/Recalls/2026/26-114" rel="noreferrer noopener"' in page
    assert "R15-300000" in page
    assert "Do not use it until it is put right" in page
    listed = client.get("/recalls/").content.decode()
    assert listed.index("To be dealt with") < listed.index(str(recall.uuid))
    asset = client.get(f"/assets/{cast.dvr.uuid}/").content.decode()
    assert "This model is recalled" in asset


@pytest.mark.django_db
def test_not_mine_is_one_tap_and_can_be_undone(cast: factories.Cast, recall: RecallMatch) -> None:
    client = ana(cast)
    client.post(f"/recalls/{recall.uuid}/say/", {"state": "not_affected"})
    recall.refresh_from_db()
    assert recall.state == RecallState.NOT_AFFECTED
    change = Change.objects.get(kind=recalls.MOVED)
    client.post(f"/undo/{change.uuid}/")
    recall.refresh_from_db()
    assert recall.state == RecallState.NEW
    refused = client.post(f"/recalls/{recall.uuid}/say/", {"state": "expired"})
    assert refused.status_code == 400


@pytest.mark.django_db
def test_its_remedy_is_booked_on_its_own_card_and_then_proved_by_a_paper(
    cast: factories.Cast, recall: RecallMatch
) -> None:
    client = ana(cast)
    start = client.get(f"/journeys/start/?asset={cast.dvr.uuid}&recall={recall.uuid}")
    form = start.context["form"]
    assert "Recall 26-114" in form.initial["text"]
    said = {"text": "Please book it", "asset": cast.dvr.uuid, "mandate": cast.mandate.uuid}
    said |= {"key": form.initial["key"], "recall": recall.uuid}
    assert client.post("/journeys/start/", said).status_code == 302
    pipeline.drain(now_fn=clock.now)
    recall.refresh_from_db()
    assert (recall.state, recall.provider) == (RecallState.REMEDY_BOOKED, "Skyline TV")
    (journey,) = Journey.objects.all()
    assert Link.objects.filter(journey=journey, revoked_at=None).count() == 2
    file = SimpleUploadedFile("receipt.png", PNG, content_type="image/png")
    done = {"remedied_on": "2026-11-08", "provider": "Skyline TV", "file": file}
    answered = client.post(f"/recalls/{recall.uuid}/done/", done)
    assert answered.status_code == 302, answered.context["form"].errors
    recall.refresh_from_db()
    assert (recall.state, recall.remedied_on) == (RecallState.REMEDIED, date(2026, 11, 8))
    assert recall.proof == Document.objects.get()
    page = client.get(f"/recalls/{recall.uuid}/").content.decode()
    assert "receipt.png" in page


@pytest.mark.django_db
def test_a_day_to_come_is_refused_with_its_field_and_nothing_is_lost(
    cast: factories.Cast, recall: RecallMatch
) -> None:
    answered = ana(cast).post(
        f"/recalls/{recall.uuid}/done/", {"remedied_on": "2999-01-01", "note": "Kept"}
    )
    assert answered.status_code == 422
    assert "remedied_on" in answered.context["form"].errors
    assert "Kept" in answered.content.decode()


@pytest.mark.django_db
def test_apps_read_recalls_and_say_how_far_they_are(
    cast: factories.Cast, recall: RecallMatch
) -> None:
    app = app_of(cast.ana)
    (row,) = app.get("/api/v1/recalls/?state=new&confidence=likely").json()["results"]
    assert (row["number"], row["declared_by"], row["by"]) == ("26-114", "CPSC (US)", "model")
    assert app.get(f"/api/v1/recalls/?asset={cast.dvr.uuid}&state=remedied").json()["results"] == []
    steps = f"/api/v1/recalls/{recall.uuid}/steps/"
    late = app.post(steps, {"state": "remedied", "remedied_on": "2999-01-01"}, format="json")
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (400, "/remedied_on")
    done: dict[str, Any] = {"state": "remedied", "remedied_on": "2026-11-08", "provider": "Co"}
    answered = app.post(steps, done, format="json")
    assert (answered.json()["state"], answered.json()["provider"]) == ("remedied", "Co")
    assert app.post(steps, {"state": "expired"}, format="json").status_code == 400
