"""Passes through the API: made with the least, watched, ended; nothing for anybody else."""

import pytest

from notifications import passes
from notifications.choices import PassWay
from notifications.models import Pass
from owners import clock
from tests import factories
from tests.api.conftest import app_of

pytestmark = pytest.mark.django_db


def test_an_app_makes_watches_and_ends_a_pass(cast: factories.Cast) -> None:
    app = app_of(cast.ana)
    made = app.post("/api/v1/passes/", {"asset": str(cast.dvr.uuid)})
    assert made.status_code == 201
    said = made.json()
    assert said["scope"] == ["facts", "tried", "references"]
    assert len(said["code"]) == 7
    assert [one["letter"] for one in said["spelt"]] == list(said["code"].replace("-", ""))
    token = said["url"].rstrip("/").rpartition("/")[2]
    assert passes.open_by_token(token=token, way=PassWay.LINK, agent="", now=clock.now())
    address = f"/api/v1/passes/{said['id']}/"
    (visit,) = app.get(f"{address}visits/").json()["results"]
    assert (visit["way"], visit["is_present"]) == ("link", True)
    assert app.get(f"{address}shown/").json()["thing"]["name"] == cast.dvr.name
    again = app.post(f"{address}code/").json()
    assert again["code"] != said["code"]
    assert again["url"] == said["url"]
    assert app.delete(address).status_code == 204
    ended = app.get(address).json()
    assert (ended["is_live"], ended["code"], ended["url"]) == (False, "", "")
    assert app.post(f"{address}code/").status_code == 409
    assert passes.open_by_token(token=token, way=PassWay.LINK, agent="", now=clock.now()) is None


def test_a_list_never_holds_what_opens_a_pass(cast: factories.Cast) -> None:
    app = app_of(cast.ana)
    made = app.post("/api/v1/passes/", {"asset": str(cast.dvr.uuid)}).json()
    listed = app.get("/api/v1/passes/")
    assert listed.json()["results"][0]["id"] == made["id"]
    assert made["code"] not in listed.content.decode()
    assert made["url"] not in listed.content.decode()


@pytest.mark.parametrize("change", [{}, {"asset": None}, {"hours": 48}, {"scope": ["everything"]}])
def test_what_cannot_be_a_pass_is_refused(cast: factories.Cast, change: dict[str, object]) -> None:
    body = {"asset": str(cast.dvr.uuid)} | change if change else {}
    assert app_of(cast.ana).post("/api/v1/passes/", body).status_code == 400
    assert not Pass.objects.exists()


def test_what_is_anas_is_unknown_to_mallory(cast: factories.Cast) -> None:
    made = app_of(cast.ana).post("/api/v1/passes/", {"asset": str(cast.dvr.uuid)}).json()
    app = app_of(cast.mallory)
    assert app.post("/api/v1/passes/", {"asset": str(cast.dvr.uuid)}).status_code == 400
    paper = {"asset": str(factories.AssetFactory.create(household=cast.mallory_household).uuid)}
    theirs = app.post("/api/v1/passes/", paper | {"papers": [str(cast.dvr.uuid)]})
    assert theirs.status_code == 400
    for tail in ("", "visits/", "shown/"):
        assert app.get(f"/api/v1/passes/{made['id']}/{tail}").status_code == 404
    assert app.delete(f"/api/v1/passes/{made['id']}/").status_code == 404
    assert Pass.objects.get().revoked_at is None
