"""An asset passes to its next owner through the API, from app to app."""

import io
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from assets import transfers
from assets.models import Received, Transfer
from owners import clock
from suppliers import issuers
from tests.api.conftest import app_of
from tests.factories import Cast
from tests.register.test_transfers import SECRET, VIN, Sale, sale  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


def post(app: APIClient, address: str, status: int, **body: Any) -> Any:
    """Post to the API; return what it answers."""
    answer = app.post(f"/api/v1/{address}", body, format="json")
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def offered(ana: APIClient, sale: Sale) -> Any:  # noqa: F811 - the fixture
    """Return the car as Ana's app offers it, with a guarantee and the manual."""
    made = post(ana, "transfers/", 201, asset=str(sale.car.uuid), reason="sold")
    cover = str(sale.car.coverages.get(kind="extended_warranty").uuid)
    wishes = {"covers": [cover], "papers": [str(sale.manual.uuid)], "has_history": True}
    changed = ana.patch(
        f"/api/v1/transfers/{made['id']}/",
        {"wishes": wishes, "keeps": [str(sale.insurer.uuid)], "checked": ["keys"]},
        format="json",
    )
    assert changed.status_code == 200, changed.content
    return post(ana, f"transfers/{made['id']}/actions/offer/", 200)


def test_a_car_is_sold_from_app_to_app(sale: Sale) -> None:  # noqa: F811 - the fixture
    ana, ben = app_of(sale.ana), app_of(sale.ben)
    made = offered(ana, sale)
    assert made["actions"] == ["withdraw"]
    token = made["link"].rstrip("/").rpartition("/")[2]
    looked = post(ben, "take-overs/", 200, token=token)
    text = json.dumps(looked)
    assert VIN not in text
    assert SECRET not in text
    home = str(sale.bens.uuid)
    yes = post(ben, "take-overs/", 200, token=token, answer="accept", household=home)
    assert VIN in json.dumps(yes)
    meter = str(sale.car.meters.get().uuid)
    body = {"readings": [{"meter": meter, "value": "84210"}], "amount": "12500", "currency": "USD"}
    done = post(ana, f"transfers/{made['id']}/actions/complete/", 200, **body)
    assert done["state"] == "completed"
    mine = ben.get(f"/api/v1/take-overs/{made['id']}/").json()
    came = ben.get(f"/api/v1/assets/{mine['asset']}/received/").json()
    assert "12500" not in json.dumps(came)
    assert [one["name"] for one in came["suggestions"]] == ["Garage Muster"]
    post(ben, f"assets/{mine['asset']}/received/0/", 200)
    assert ana.get(f"/api/v1/assets/{mine['asset']}/").status_code == 404
    post(ana, f"transfers/{made['id']}/actions/ask_back/", 200)
    undone = post(ben, f"take-overs/{made['id']}/actions/ask_back/", 200)
    assert undone["state"] == "undone"


@pytest.mark.parametrize("name", ["complete", "ask_back", "accept", "sell"])
def test_a_step_that_does_not_lead_on_says_why(sale: Sale, name: str) -> None:  # noqa: F811 - the fixture
    ana = app_of(sale.ana)
    made = offered(ana, sale)
    status = 404 if name in ("accept", "sell") else 409
    said = post(ana, f"transfers/{made['id']}/actions/{name}/", status)
    assert said["code"] in ("unknown", "not_from_here")


def test_a_file_of_another_server_is_looked_at_and_taken_in_once(
    sale: Sale,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana, ben, now = app_of(sale.ana), app_of(sale.ben), clock.now()
    made = offered(ana, sale)
    row = Transfer.objects.get(uuid=made["id"])
    transfers.accept_elsewhere(transfer=row, now=now)
    assert ana.get(f"/api/v1/transfers/{made['id']}/files/zip/").status_code == 404
    post(ana, f"transfers/{made['id']}/actions/complete/", 200)
    packed = ana.get(f"/api/v1/transfers/{made['id']}/files/zip/").content
    monkeypatch.setattr(issuers, "ask", lambda **_said: issuers.Word.CONFIRMED)
    home = str(sale.bens.uuid)
    for _again in range(2):
        file = io.BytesIO(packed)
        file.name = "golf.zip"
        sent = ben.post("/api/v1/packages/", {"file": file, "household": home}, format="multipart")
        assert sent.status_code == 201, sent.content
        assert sent.json()["key"] == "confirmed"
        post(ben, f"packages/{sent.json()['id']}/", 201)
    assert Received.objects.get().is_confirmed
    broken = io.BytesIO(packed[:-40])
    broken.name = "golf.zip"
    refused = ben.post("/api/v1/packages/", {"file": broken, "household": home}, format="multipart")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_a_package")


def test_a_token_that_opens_nothing_is_gone(sale: Sale, cast: Cast) -> None:  # noqa: F811 - the fixture
    made = offered(app_of(sale.ana), sale)
    token = made["link"].rstrip("/").rpartition("/")[2]
    post(app_of(sale.ana), f"transfers/{made['id']}/actions/withdraw/", 200)
    mallory = app_of(cast.mallory)
    for wrong in (token, "x", "x" * 100):
        assert post(mallory, "take-overs/", 410, token=wrong)["code"] == "gone"
