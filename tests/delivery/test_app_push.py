"""Apps are woken through Firebase and Apple; what is gone from a device is woken no more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from notifications import delivery, push_devices, transports
from notifications.choices import DeliveryState, PushService
from notifications.models import Delivery, Notification, PushDevice
from owners import channels
from owners.choices import Topic
from owners.models import Channel
from tests.delivery import app_services
from tests.delivery.app_services import Apple, Firebase
from tests.delivery.test_delivery import waiting
from tests.factories import START, CardFactory, Cast, JourneyFactory, NotificationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def firebase(settings: Any) -> Iterator[Firebase]:
    with app_services.firebase() as service:
        settings.FCM_URL, settings.FCM_ACCOUNT = service.address, service.account()
        yield service
        transports.close()


@pytest.fixture
def apple(settings: Any) -> Iterator[Apple]:
    with app_services.apple() as service:
        settings.APNS_URL, settings.APNS_KEY = service.address, service.p8()
        settings.APNS_KEY_ID, settings.APNS_TEAM_ID = "K1", "T1"
        settings.APNS_TOPIC = "example.steward"
        yield service
        transports.close()


@pytest.fixture
def told(cast: Cast) -> Notification:
    journey = JourneyFactory.create(household=cast.household)
    CardFactory.create(journey=journey, title="Visit", body={"title": "Visit", "actions": []})
    return NotificationFactory.create(
        journey=journey, owner=cast.ana, text="They come at 08:00.", topic=Topic.ARRIVING
    )


def app(cast: Cast, service: PushService) -> Channel:
    device = push_devices.add(
        owner=cast.ana, service=service, token="a1b2", name="Phone", now=START
    )
    channels.set_bare(channel=device.channel, is_bare=False, now=START)
    Channel.objects.filter(pk=device.channel.pk).update(verified_at=START)
    device.channel.codes.all().delete()
    return device.channel


def sent(told: Notification, channel: Channel) -> Delivery:
    row = waiting(told, channel, expires_at=START + timedelta(hours=1))
    delivery.deliver_due(now=START)
    row.refresh_from_db()
    return row


def test_firebase_is_asked_with_a_token_that_serves_many_messages(
    cast: Cast, told: Notification, firebase: Firebase
) -> None:
    channel = app(cast, PushService.FCM)
    rows = [sent(told, channel), sent(told, channel)]
    assert [row.state for row in rows] == [DeliveryState.SENT] * 2
    assert firebase.tokens == 1
    message = firebase.taken[0]
    assert (message["token"], message["notification"]["body"]) == ("a1b2", "They come at 08:00.")
    group = told.journey.uuid.hex
    assert message["android"]["collapse_key"] == group
    assert message["android"]["notification"]["tag"] == group
    assert (message["android"]["ttl"], message["android"]["priority"]) == ("3600s", "HIGH")
    assert all(isinstance(value, str) for value in message["data"].values())


def test_apple_is_asked_over_one_connection_and_names_what_replaces_what(
    cast: Cast, told: Notification, apple: Apple
) -> None:
    channel = app(cast, PushService.APNS)
    rows = [sent(told, channel), sent(told, channel)]
    assert [row.state for row in rows] == [DeliveryState.SENT] * 2
    assert apple.connections == 1
    head, said = apple.taken[0]
    assert head[":path"] == "/3/device/a1b2"
    assert head["apns-id"] == str(rows[0].uuid) == rows[0].provider_ref
    assert head["apns-collapse-id"] == told.journey.uuid.hex
    assert (head["apns-topic"], head["apns-priority"]) == ("example.steward", "10")
    assert said["aps"]["alert"] == {"title": "Visit", "body": "They come at 08:00."}


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        ("fcm", (404, "UNREGISTERED")),
        ("apns", (410, "Unregistered")),
        ("apns", (400, "BadDeviceToken")),
    ],
)
def test_an_app_that_is_gone_is_dropped_and_its_owner_learns_it(
    cast: Cast,
    told: Notification,
    firebase: Firebase,
    apple: Apple,
    service: str,
    fault: tuple[int, str],
) -> None:
    channel = app(cast, PushService(service))
    firebase.faults = apple.faults = [fault]
    assert sent(told, channel).state == DeliveryState.FAILED
    assert not PushDevice.objects.exists()
    channel.refresh_from_db()
    assert channel.failed_at == START
    assert "a1b2" not in channel.address
    assert Notification.objects.filter(reason="channel_failed").count() == 1


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("service", ["fcm", "apns"])
def test_a_service_that_is_busy_is_asked_again_when_it_says(
    cast: Cast, told: Notification, firebase: Firebase, apple: Apple, service: str, status: int
) -> None:
    firebase.faults = apple.faults = [(status, "")]
    row = sent(told, app(cast, PushService(service)))
    assert row.state == DeliveryState.PENDING
    assert row.next_at >= START + timedelta(seconds=90)


def test_without_content_neither_learns_a_word(
    cast: Cast, told: Notification, firebase: Firebase, apple: Apple
) -> None:
    for service in (PushService.FCM, PushService.APNS):
        channel = app(cast, service)
        channels.set_bare(channel=channel, is_bare=True, now=START)
        assert sent(told, channel).state == DeliveryState.SENT
    for said in (firebase.taken, apple.taken):
        assert "08:00" not in str(said)
        assert "Visit" not in str(said)


def test_where_nothing_is_set_up_it_waits_for_the_operator(cast: Cast, told: Notification) -> None:
    row = sent(told, app(cast, PushService.FCM))
    assert (row.state, row.detail) == (DeliveryState.PENDING, "Firebase is not set up here")
