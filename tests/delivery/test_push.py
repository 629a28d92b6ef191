"""A device is woken once it has proved itself, with words that only it can read."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from notifications import delivery, push_devices, transports
from notifications.choices import DeliveryState
from notifications.models import Decision, Delivery, Notification, PushDevice
from owners import channels, clock
from owners.choices import ChannelKind, Topic
from owners.models import Channel
from owners.reach import Reach
from tests.delivery import push_service
from tests.delivery.push_service import PushService
from tests.delivery.test_delivery import NEW_YORK
from tests.factories import START, CardFactory, Cast, JourneyFactory, NotificationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(settings: Any) -> Iterator[PushService]:
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    with push_service.running() as found:
        yield found
    transports.close()


def device(
    cast: Cast, service: PushService, name: str = "Phone", *, is_proved: bool = True
) -> Channel:
    added = push_devices.add(
        owner=cast.ana,
        endpoint=f"{service.address}/{name}",
        keys=service.keys(),
        name=name,
        now=START,
    )
    if is_proved:
        Channel.objects.filter(pk=added.channel.pk).update(verified_at=START)
        added.channel.codes.all().delete()
    return added.channel


@pytest.fixture
def told(cast: Cast) -> Notification:
    journey = JourneyFactory.create(household=cast.household)
    actions = [
        {"name": "confirm", "label": "Yes", "fields": []},
        {"name": "reply", "label": "Reply", "fields": [{"name": "text"}]},
    ]
    CardFactory.create(journey=journey, title="Visit", body={"title": "Visit", "actions": actions})
    return NotificationFactory.create(
        journey=journey,
        owner=cast.ana,
        text="They come at 08:00.",
        topic=Topic.ARRIVING,
        deadline=START + timedelta(hours=2),
    )


def plan(told: Notification) -> None:
    found = {c.kind: c for c in Channel.objects.usable().filter(owner=told.owner).order_by("-pk")}
    reach = Reach(zone=NEW_YORK, prefers=ChannelKind.PUSH, channels=(ChannelKind.PUSH,))
    steps = delivery.climb([(told, reach)], now=START)[told.uuid]
    delivery.save(delivery.planned(notification=told, steps=steps, channels=found, now=START))


def send(told: Notification) -> None:
    plan(told)
    delivery.deliver_due(now=START)


def test_a_device_proves_itself_by_sending_back_the_code_it_was_woken_with(
    cast: Cast, service: PushService
) -> None:
    channel = device(cast, service, is_proved=False)
    delivery.deliver_due(now=START)
    (said,) = service.taken
    assert Client().post("/push/shown/", {"ref": said["ref"], "code": "000000"}).status_code == 204
    channel.refresh_from_db()
    assert channel.verified_at is None
    Client().post("/push/shown/", {"ref": said["ref"], "code": said["code"]})
    channel.refresh_from_db()
    # The view's clock is the real one, at which this code has long expired.
    assert channel.verified_at is None
    delivery.woke(ref=Delivery.objects.get().uuid, code=said["code"], now=START)
    channel.refresh_from_db()
    assert channel.verified_at == START
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_only_the_device_can_read_it_and_the_service_knows_who_asks_and_for_how_long(
    cast: Cast, service: PushService, told: Notification
) -> None:
    device(cast, service)
    send(told)
    (said,) = service.taken
    assert (said["title"], said["body"]) == ("Visit", "They come at 08:00.")
    assert said["url"] == f"/journeys/{told.journey.uuid}/"
    assert said["actions"] == [{"action": "confirm", "title": "Yes"}]
    headers = service.headers[0]
    assert (headers["TTL"], headers["Urgency"]) == ("7200", "high")
    assert headers["Topic"] == said["tag"] == told.journey.uuid.hex
    claims = service.claims()
    assert claims["sub"].startswith("mailto:")
    assert Delivery.objects.get().state == DeliveryState.SENT


def test_every_device_is_told_at_once_and_one_that_ended_is_dropped(
    cast: Cast, service: PushService, told: Notification
) -> None:
    device(cast, service, "Phone")
    device(cast, service, "Laptop")
    service.faults = [410]
    send(told)
    states = sorted(
        Delivery.objects.filter(kind="push", notification=told).values_list("state", flat=True)
    )
    assert states == ["failed", "sent"]
    (left,) = PushDevice.objects.all()
    (gone,) = Channel.objects.filter(kind="push").exclude(pk=left.channel_id)
    assert gone.failed_at == START
    assert "localhost" not in gone.address
    # The other device was told, so no other channel is troubled; the owner learns it.
    assert set(Delivery.objects.values_list("kind", flat=True)) == {"push", "feed"}
    assert "cannot be woken" in Notification.objects.get(reason="channel_failed").text


@pytest.mark.parametrize(("status", "wait"), [(429, 90), (500, 90), (503, 90)])
def test_a_service_that_is_busy_is_asked_again_when_it_says(
    cast: Cast, service: PushService, told: Notification, status: int, wait: int
) -> None:
    device(cast, service)
    service.faults = [status]
    send(told)
    row = Delivery.objects.get()
    assert row.state == DeliveryState.PENDING
    assert row.next_at >= START + timedelta(seconds=wait)
    delivery.deliver_due(now=row.next_at)
    row.refresh_from_db()
    assert row.state == DeliveryState.SENT


def test_what_is_too_long_for_the_service_wakes_without_its_words(
    cast: Cast, service: PushService, told: Notification
) -> None:
    device(cast, service)
    service.faults = [413]
    told.text = "x" * 1000
    send(told)
    (said,) = service.taken
    assert (said["title"], said["body"], "actions" in said) == ("Visit", "", False)
    assert len(service.headers) == 2


def test_without_content_the_push_service_carries_no_word(
    cast: Cast, service: PushService, told: Notification, client: Client
) -> None:
    channels.set_bare(channel=device(cast, service), is_bare=True, now=START)
    send(told)
    (said,) = service.taken
    assert "08:00" not in str(said)
    assert "Visit" not in str(said)
    assert said["is_bare"] is True
    assert client.post("/push/words/", {"ref": said["ref"]}).status_code == 404
    client.force_login(cast.mallory)
    assert client.post("/push/words/", {"ref": said["ref"]}).status_code == 404
    client.force_login(cast.ana)
    words = client.post("/push/words/", {"ref": said["ref"]}).json()
    assert (words["title"], words["body"]) == ("Visit", "They come at 08:00.")


def test_a_subscription_that_leads_inside_is_never_called(
    cast: Cast, service: PushService, told: Notification, settings: Any
) -> None:
    settings.REACH_ALLOWED_NETWORKS = []
    device(cast, service)
    added = push_devices.add(
        owner=cast.ana, endpoint="https://localhost/x", keys=service.keys(), now=START
    )
    Channel.objects.filter(pk=added.channel.pk).update(verified_at=START)
    send(told)
    assert service.headers == []
    assert not Delivery.objects.filter(state=DeliveryState.SENT, kind="push")


def test_that_it_was_shown_is_its_receipt_and_a_forged_one_is_none(
    cast: Cast, service: PushService, told: Notification
) -> None:
    device(cast, service)
    send(told)
    (said,) = service.taken
    row = Delivery.objects.get()
    assert Client().post("/push/shown/", {"ref": row.uuid.hex + ":x"}).status_code == 400
    for _ in range(2):
        assert Client().post("/push/shown/", {"ref": said["ref"]}).status_code == 204
    row.refresh_from_db()
    assert (row.state, row.receipts.count()) == (DeliveryState.DELIVERED, 2)


def moved(service: PushService, **changed: str) -> int:
    """Post what a browser says of its new address; return the status."""
    keys = service.keys()
    said = {
        "old_endpoint": f"{service.address}/Phone",
        "old_auth": keys["auth"],
        "endpoint": "https://push.example/new",
        **keys,
    }
    return Client().post("/push/moved/", said | changed).status_code


def test_a_browser_that_was_given_another_address_goes_on_being_woken_there(
    cast: Cast, service: PushService, told: Notification
) -> None:
    channel = device(cast, service)
    plan(told)  # what waits goes to the new address as well
    with clock.fixed(START):
        assert moved(service) == 204
    channel.refresh_from_db()
    assert (PushDevice.objects.get().channel, channel.verified_at) == (channel, None)
    assert "https://push.example/new" in channel.address
    push_devices.add(  # one that the local service answers for
        owner=cast.ana,
        endpoint=f"{service.address}/new",
        keys=service.keys(),
        now=START,
        replaces=PushDevice.objects.get(),
    )
    delivery.deliver_due(now=START)
    assert {request.path for request in service.requests} == {"/new"}
    said = next(one for one in service.taken if "code" in one)
    delivery.woke(ref=Delivery.objects.get(purpose="code").uuid, code=said["code"], now=START)
    channel.refresh_from_db()
    assert channel.verified_at == START
    assert Delivery.objects.get(notification=told).state == DeliveryState.SENT


def test_who_does_not_know_the_browsers_secret_moves_nobody(
    cast: Cast, service: PushService
) -> None:
    channel = device(cast, service)
    where = channel.address
    assert moved(service, old_auth="Z3Vlc3NlZA") == 404
    assert moved(service, old_endpoint="https://push.example/other") == 404
    assert moved(service, endpoint="http://push.example/new") == 400
    assert moved(service, p256dh="not base64!") == 400
    channel.refresh_from_db()
    assert (channel.address, channel.verified_at) == (where, START)


def test_a_device_known_by_both_addresses_is_one(cast: Cast, service: PushService) -> None:
    old = device(cast, service)
    new = push_devices.add(
        owner=cast.ana, endpoint="https://push.example/new", keys=service.keys(), now=START
    )
    with clock.fixed(START):
        assert moved(service) == 204
    assert PushDevice.objects.get() == new
    assert not Channel.objects.filter(pk=old.pk).exists()


def test_a_button_does_only_what_the_card_offers_to_who_is_signed_in(
    cast: Cast, service: PushService, told: Notification, client: Client
) -> None:
    device(cast, service)
    send(told)
    ref = service.taken[0]["ref"]
    assert client.post("/push/tapped/", {"ref": ref, "action": "confirm"}).status_code == 404
    client.force_login(cast.ana)
    assert client.post("/push/tapped/", {"ref": ref, "action": "mute"}).status_code == 409
    assert not Decision.objects.exists()
