"""Bringing in a file through the API, as an app does."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from assets import importing
from assets.models import Asset
from owners import clock
from tests import factories
from tests.imports import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(cast: factories.Cast) -> APIClient:
    """Return an app in which Ana is signed in."""
    client = APIClient()
    client.force_login(cast.ana)
    return client


def drain() -> None:
    while importing.work_due(clock.now):
        pass


def sent(client: APIClient, cast: factories.Cast, content: str) -> str:
    file = SimpleUploadedFile("export.csv", content.encode(), content_type="text/csv")
    body = {"household": str(cast.household.uuid), "file": file}
    answer = client.post("/api/v1/imports/", body, format="multipart")
    assert answer.status_code == 201, answer.content
    drain()
    return f"/api/v1/imports/{answer.json()['id']}/"


def test_a_file_is_sent_answered_started_and_undone(ana: APIClient, cast: factories.Cast) -> None:
    at = sent(ana, cast, samples.HOMEBOX_OLD)
    asked = ana.get(at).json()
    assert (asked["state"], asked["asks"]) == ("asking", ["currency"])
    ana.patch(at, {"currency": "EUR"}, format="json")
    drain()
    ready = ana.get(at).json()
    assert (ready["state"], ready["makes"]["assets"], ready["left_out"]) == ("ready", 2, 1)
    (bad,) = ana.get(f"{at}rows/?state=bad").json()["results"]
    assert (bad["row"], bad["code"]) == (4, "year")
    assert "0202-01-01" in bad["detail"]
    sample = ana.get(f"{at}sample/").json()
    assert [(row["row"], row["is_left_out"]) for row in sample] == [
        (2, False),
        (3, False),
        (4, True),
    ]
    assert "Maker's guarantee" in " ".join(sample[0]["becomes"] + sample[1]["becomes"])
    assert ana.post(f"{at}start/").status_code == 200
    drain()
    done = ana.get(at).json()
    assert (done["state"], done["made"]["assets"]) == ("done", 2)
    assert ana.post(f"/api/v1/undo/{done['undo']}/").status_code == 200
    drain()
    assert ana.get(at).json()["state"] == "undone"
    assert not Asset.objects.filter(name="Boiler").exists()


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"currency": "XXQ"}, "currency"),
        ({"dates": "sideways"}, "dates"),
        ({"currency": "EUR", "kind": "nonsense"}, "kind"),
        ({"currency": "EUR", "kind": "service"}, "asset"),
    ],
)
def test_a_wrong_answer_is_named(
    ana: APIClient, cast: factories.Cast, answers: dict[str, Any], field: str
) -> None:
    at = sent(ana, cast, samples.LUBELOGGER_WORK)
    answer = ana.patch(at, answers, format="json")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]


def test_columns_of_a_table_are_mapped(ana: APIClient, cast: factories.Cast) -> None:
    at = sent(ana, cast, "Thing,Where,Colour\nLamp,Hall,red\n")
    assert ana.get(at).json()["mapping"] == {"thing": "name", "where": "place", "colour": "extra"}
    ana.patch(at, {"columns": {"colour": "tags"}, "kind": "things"}, format="json")
    drain()
    ana.post(f"{at}start/")
    drain()
    assert [tag.name for tag in Asset.objects.get(name="Lamp").tags.all()] == ["red"]


def test_nothing_starts_twice_and_a_cancel_is_final(ana: APIClient, cast: factories.Cast) -> None:
    at = sent(ana, cast, samples.GROCY_BATTERIES)
    assert ana.get(at).json()["state"] == "ready"
    assert ana.delete(at).status_code == 204
    assert ana.post(f"{at}start/").status_code == 409
    drain()
    assert ana.get(at).json()["state"] == "cancelled"


def test_an_empty_file_is_refused_at_once(ana: APIClient, cast: factories.Cast) -> None:
    file = SimpleUploadedFile("export.csv", b"", content_type="text/csv")
    body = {"household": str(cast.household.uuid), "file": file}
    answer = ana.post("/api/v1/imports/", body, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/file"


def test_another_household_is_not_there(ana: APIClient, cast: factories.Cast) -> None:
    file = SimpleUploadedFile("export.csv", b"Name\nA\n", content_type="text/csv")
    body = {"household": str(cast.mallory_household.uuid), "file": file}
    assert ana.post("/api/v1/imports/", body, format="multipart").status_code == 400
