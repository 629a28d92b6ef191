"""Calendar subscriptions over the API."""

from django.test import Client
from rest_framework.test import APIClient

from notifications.models import CalendarFeed
from tests import factories


def path_of(url: str) -> str:
    return "/calendar/" + url.rpartition("/calendar/")[2]


def test_an_app_makes_renews_and_ends_a_subscription(
    cast: factories.Cast, ana: APIClient, client: Client
) -> None:
    wanted = {"household": str(cast.household.uuid), "asset": str(cast.dvr.uuid)}
    made = ana.post("/api/v1/calendar/", wanted)
    assert made.status_code == 201
    assert ana.post("/api/v1/calendar/", wanted).json() == made.json()
    assert ana.get("/api/v1/calendar/").json()["results"] == [made.json()]
    assert client.get(path_of(made.json()["url"])).status_code == 200
    renewed = ana.post(f"/api/v1/calendar/{made.json()['id']}/renew/").json()
    assert client.get(path_of(made.json()["url"])).status_code == 404
    assert client.get(path_of(renewed["url"])).status_code == 200
    assert ana.delete(f"/api/v1/calendar/{renewed['id']}/").status_code == 204
    assert client.get(path_of(renewed["url"])).status_code == 404
    assert ana.get("/api/v1/calendar/").json()["results"] == []


def test_nobody_subscribes_to_another_household(cast: factories.Cast, mallory: APIClient) -> None:
    for wanted in (
        {"household": str(cast.household.uuid)},
        {"household": str(cast.mallory_household.uuid), "asset": str(cast.dvr.uuid)},
    ):
        assert mallory.post("/api/v1/calendar/", wanted).status_code == 400
    assert not CalendarFeed.objects.exists()


def test_a_subscription_is_its_makers_alone(
    cast: factories.Cast, ana: APIClient, mallory: APIClient
) -> None:
    factories.MembershipFactory.create(household=cast.household, owner=cast.mallory)
    made = ana.post("/api/v1/calendar/", {"household": str(cast.household.uuid)}).json()
    assert mallory.get("/api/v1/calendar/").json()["results"] == []
    assert mallory.delete(f"/api/v1/calendar/{made['id']}/").status_code == 404
