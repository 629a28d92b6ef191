"""What an owner logged by an app can be taken off its journey again, and put back."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from assets.models import Document
from notifications import pipeline
from notifications.models import Journey
from owners import clock
from owners.models import Owner
from tests.api.conftest import app_of
from tests.web.conftest import played


@pytest.fixture
def owner(db: None) -> Owner:
    return played()


@pytest.fixture
def app(owner: Owner) -> APIClient:
    return app_of(owner)


def logged(app: APIClient, **values: Any) -> dict[str, Any]:
    """Log something and return its contact once it is on its journey."""
    given = {"note": "The picture freezes again.", **values}
    answer = app.post("/api/v1/contacts/", given, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 202, answer.content
    pipeline.pump(now_fn=clock.now)
    return app.get(f"/api/v1/contacts/{answer.json()['id']}/").json()  # type: ignore[no-any-return]


def test_what_was_logged_is_taken_back_and_that_is_undone(app: APIClient) -> None:
    contact = logged(app)
    journey = f"/api/v1/journeys/{contact['journey']}/"
    gone = app.post(f"/api/v1/contacts/{contact['id']}/actions/take_back/")
    assert gone.status_code == 200, gone.content
    assert (gone.json()["journey"], gone.json()["reason"]) == (None, "taken_back")
    assert app.get(journey).json()["contacts"] == []
    back = app.post(f"{journey}actions/undo/")
    assert back.status_code == 200, back.content
    assert [row["id"] for row in back.json()["contacts"]] == [contact["id"]]
    assert app.get(f"/api/v1/contacts/{contact['id']}/").json()["journey"] == contact["journey"]


def test_papers_go_and_come_back_with_what_they_were_logged_with(
    app: APIClient, owner: Owner
) -> None:
    file = SimpleUploadedFile("order.txt", b"Order 4471", content_type="text/plain")
    given = {"file": file, "household": owner.memberships.get().household.uuid}
    answer = app.post("/api/v1/documents/", given, format="multipart")
    assert answer.status_code == 201, answer.content
    paper = answer.json()["id"]
    contact = logged(app, documents=[paper])
    app.post(f"/api/v1/contacts/{contact['id']}/actions/take_back/")
    assert Document.objects.get(uuid=paper).removed_at is not None
    app.post(f"/api/v1/journeys/{contact['journey']}/actions/undo/")
    assert Document.objects.get(uuid=paper).removed_at is None


def test_only_what_was_logged_is_taken_back(app: APIClient, owner: Owner) -> None:
    journey = Journey.objects.for_owner(owner).get(is_emptied=False)
    shown = app.get(f"/api/v1/journeys/{journey.uuid}/").json()["contacts"]
    theirs = next(row for row in shown if row["outcome"] == "shown")
    refused = app.post(f"/api/v1/contacts/{theirs['id']}/actions/take_back/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_logged")


def test_a_journey_takes_the_actions_of_its_card(app: APIClient, owner: Owner) -> None:
    journey = Journey.objects.for_owner(owner).get(is_emptied=False)
    actions = f"/api/v1/journeys/{journey.uuid}/actions/"
    assert app.post(f"{actions}works/").json()["state"] == "closed"
    assert app.post(f"{actions}undo/").json()["state"] == "open"
    wrong = app.post(f"{actions}rate/", {"score": 9})
    assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/score"]
    assert app.post(f"{actions}dance/").status_code == 404
