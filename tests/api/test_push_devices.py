"""Push devices: kept sealed, one owner each, never shown again."""

from typing import Any

from rest_framework.test import APIClient

from notifications.models import PushDevice
from tests import factories

ENDPOINT = "https://push.example/send/abc"


def subscription(endpoint: str = ENDPOINT, **more: Any) -> dict[str, Any]:
    keys = {"p256dh": "B" * 87, "auth": "a" * 22}
    return {"endpoint": endpoint, "expirationTime": None, "keys": keys, **more}


def test_a_browser_is_kept_sealed_renewed_and_removed(ana: APIClient) -> None:
    made = ana.post("/api/v1/push-devices/", subscription(name="Phone"))
    assert made.status_code == 201
    assert "endpoint" not in made.json()
    assert ana.post("/api/v1/push-devices/", subscription()).json()["id"] == made.json()["id"]
    (device,) = PushDevice.objects.all()
    assert b"push.example" not in bytes(device.channel.sealed_address)
    assert ENDPOINT in device.channel.address
    (shown,) = [c for c in ana.get("/api/v1/channels/").json()["results"] if c["kind"] == "push"]
    assert (shown["id"], shown["address"]) == (made.json()["channel"], "Phone")
    assert shown["verified_at"] is None
    assert ana.get("/api/v1/push-devices/").json()["results"] == [made.json()]
    assert ana.delete(f"/api/v1/push-devices/{device.uuid}/").status_code == 204
    assert not PushDevice.objects.exists()


def test_a_browser_belongs_to_whoever_used_it_last(
    cast: factories.Cast, ana: APIClient, mallory: APIClient
) -> None:
    ana.post("/api/v1/push-devices/", subscription())
    mallory.post("/api/v1/push-devices/", subscription())
    assert [device.owner for device in PushDevice.objects.all()] == [cast.mallory]


def test_what_is_no_subscription_is_refused(ana: APIClient) -> None:
    for wrong in (
        subscription("http://push.example/x"),
        subscription("nonsense"),
        subscription() | {"keys": {"p256dh": "<>", "auth": "a"}},
        {"endpoint": ENDPOINT},
        {"service": "apns", "endpoint": ENDPOINT},
        {"service": "web", "token": "abc"},
    ):
        assert ana.post("/api/v1/push-devices/", wrong).status_code == 400


def test_an_owner_has_a_bounded_number_of_devices(ana: APIClient) -> None:
    for number in range(20):
        assert (
            ana.post("/api/v1/push-devices/", subscription(f"{ENDPOINT}{number}")).status_code
            == 201
        )
    assert ana.post("/api/v1/push-devices/", subscription()).status_code == 409
