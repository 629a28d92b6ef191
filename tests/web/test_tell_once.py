"""Tell once, as its pages and the API do it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from owners import clock
from owners.choices import Rank
from suppliers.announcements import Addressee, Announcement
from suppliers.models import OutboundEvent, Supplier
from tests.factories import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reached(cast: Cast) -> None:
    Supplier.objects.filter(pk=cast.skyline.pk).update(technical_contact="ops@skyline.example")


def form(cast: Cast, **values: Any) -> dict[str, Any]:
    said = {"value": "7 Oak Lane", "on": "2026-12-01", "note": "", "name": str(uuid4())}
    return said | {"suppliers": [str(cast.mandate.uuid)]} | values


def test_from_the_form_to_the_answer(cast: Cast, ana: Client) -> None:
    page = ana.get("/tell/new/moved/").content.decode()
    assert "Skyline TV" in page
    assert "will know for the first time: Address" in page
    sent = ana.post("/tell/new/moved/", form(cast))
    told = Announcement.objects.get()
    assert sent.headers["Location"] == f"/tell/{told.uuid}/"
    page = ana.get(f"/tell/{told.uuid}/").content.decode()
    assert "Take it back" in page
    row = Addressee.objects.get()
    ana.post(f"/tell/answers/{row.uuid}/", {"state": "confirmed"})
    row.refresh_from_db()
    assert row.state == "confirmed"
    assert "1 of 1 answered" in ana.get("/tell/").content.decode()


def test_taken_back_from_its_page(cast: Cast, ana: Client) -> None:
    ana.post("/tell/new/moved/", form(cast))
    told = Announcement.objects.get()
    page = ana.post(f"/tell/{told.uuid}/withdraw/", follow=True).content.decode()
    assert "Nobody was told." in page
    assert not OutboundEvent.objects.filter(type="owner.mandate.changed").exists()


def test_a_mistake_keeps_what_was_written_and_chosen(cast: Cast, ana: Client) -> None:
    page = ana.post("/tell/new/number/", form(cast, value="call me"))
    assert page.status_code == 422
    text = page.content.decode()
    assert "call me" in text
    assert f'id="to-{cast.mandate.uuid}"' in text
    assert "checked" in text
    nobody = ana.post("/tell/new/moved/", form(cast, suppliers=[]))
    assert "Choose who is told." in nobody.content.decode()


def test_a_member_may_look_and_an_admin_tells(cast: Cast, ana: Client) -> None:
    cast.membership.rank = Rank.MEMBER
    cast.membership.save()
    assert ana.get("/tell/new/moved/").status_code == 200
    assert ana.post("/tell/new/moved/", form(cast)).status_code == 403


def test_the_api_tells_once_and_takes_back(cast: Cast, ana: Client) -> None:
    able = ana.get(
        f"/api/v1/announcements/candidates/?household={cast.household.uuid}&news=moved"
    ).json()["candidates"]
    assert [(one["name"], one["route"], one["learns"]) for one in able] == [
        ("Skyline TV", "mail", "address")
    ]
    body = {
        "household": str(cast.household.uuid),
        "news": "moved",
        "value": "7 Oak Lane",
        "mandates": [able[0]["mandate"]],
    }
    made = ana.post("/api/v1/announcements/", body, content_type="application/json")
    assert made.status_code == 201, made.json()
    key, row = made.json()["id"], made.json()["addressees"][0]
    assert row["state"] == "waiting"
    noted = ana.patch(
        f"/api/v1/announcement-answers/{row['id']}/",
        {"state": "needs"},
        content_type="application/json",
    )
    assert noted.json()["addressees"][0]["state"] == "needs"
    assert ana.get("/api/v1/announcements/").json()["results"][0]["answered"] == 1
    back = ana.post(f"/api/v1/announcements/{key}/withdraw/")
    assert back.json() == {"stopped": 1, "gone": 0}
    again = ana.post(f"/api/v1/announcements/{key}/withdraw/")
    assert (again.status_code, again.json()["code"]) == (409, "gone")
    bad = ana.post("/api/v1/announcements/", body | {"value": ""}, content_type="application/json")
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/value")
    assert clock.now() - Announcement.objects.get().announced_at < timedelta(minutes=5)
