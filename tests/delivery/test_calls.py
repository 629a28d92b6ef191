"""A call reads the message aloud; a key says that it was heard."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from notifications import delivery
from notifications.choices import DeliveryState
from notifications.models import Delivery, Notification
from owners import channels
from owners.choices import ChannelKind
from owners.models import Channel
from suppliers import telephony
from tests.delivery.test_delivery import seconds, waiting
from tests.delivery.twilio import Twilio
from tests.factories import START, Cast, ChannelFactory, JourneyFactory, NotificationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(cast: Cast) -> Channel:
    return ChannelFactory.create(owner=cast.ana, kind=ChannelKind.VOICE, address="+12125550100")


@pytest.fixture
def told(cast: Cast) -> Notification:
    journey = JourneyFactory.create(household=cast.household)
    return NotificationFactory.create(
        journey=journey, owner=cast.ana, text="Smith & Co. come at <8>.", told_at=START
    )


def post(path: str, row: Delivery, settings: Any, *, token: str = "token", **form: str) -> Any:  # noqa: S107
    url = f"/webhooks/telephony/twilio/{path}/?delivery={row.uuid}"
    signed = telephony.signature(settings.SITE_URL + url, list(form.items()), auth_token=token)
    headers = {"X-Twilio-Signature": signed}
    body = urlencode(form)
    return Client().post(url, body, "application/x-www-form-urlencoded", headers=headers)


def called(told: Notification, line: Channel) -> Delivery:
    row = waiting(told, line)
    delivery.deliver_due(now=START)
    row.refresh_from_db()
    return row


def test_the_message_is_read_aloud_in_the_owners_language(
    told: Notification, line: Channel, twilio: Twilio, cast: Cast
) -> None:
    cast.ana.language = "de"
    cast.ana.save()
    row = called(told, line)
    (made,) = twilio.calls_made
    assert (row.state, row.provider_ref) == (DeliveryState.SENT, made["sid"])
    assert made["To"] == "+12125550100"
    assert "Smith &amp; Co. come at &lt;8&gt;." in made["Twiml"]
    assert 'language="de-DE"' in made["Twiml"]


def test_a_code_is_read_digit_by_digit(cast: Cast, twilio: Twilio) -> None:
    channel = channels.add(
        owner=cast.ana, kind=ChannelKind.VOICE, address="+12125550177", now=START
    )
    delivery.deliver_due(now=START)
    code = channel.codes.get().code
    assert ". ".join(code) in twilio.calls_made[0]["Twiml"]
    assert channels.verify(channel=channel, code=code, now=START)


def test_pressing_the_key_is_seeing_it_and_stops_what_would_follow(
    told: Notification, line: Channel, twilio: Twilio, cast: Cast, settings: Any
) -> None:
    row = called(told, line)
    later = waiting(told, cast.sms, step=1, next_at=START + timedelta(hours=1))
    assert post("call", row, settings, token="guess", Digits="1").status_code == 403
    assert b"<Say" not in post("call", row, settings, Digits="5").content
    told.refresh_from_db()
    assert told.seen_at is None
    for _ in range(2):
        assert b"Thank you" in post("call", row, settings, Digits="1").content
    for one in (told, row, later):
        one.refresh_from_db()
    assert told.seen_at is not None
    assert (row.state, later.state) == (DeliveryState.DELIVERED, DeliveryState.SUPERSEDED)


def test_what_a_call_came_to_may_be_said_late_repeatedly_and_in_reverse(
    told: Notification, line: Channel, twilio: Twilio, settings: Any
) -> None:
    row = called(told, line)
    for status in ("completed", "ringing", "in-progress", "initiated", "no-answer", "completed"):
        answer = post("status", row, settings, CallSid=row.provider_ref, CallStatus=status)
        assert answer.status_code == 204
    row.refresh_from_db()
    assert (row.state, row.receipts.count()) == (DeliveryState.DELIVERED, 6)


def test_a_call_nobody_takes_moves_on_and_the_number_stays_good(
    told: Notification, line: Channel, twilio: Twilio, settings: Any
) -> None:
    row = called(told, line)
    post("status", row, settings, CallSid=row.provider_ref, CallStatus="no-answer")
    row.refresh_from_db()
    line.refresh_from_db()
    assert (row.state, line.failed_at) == (DeliveryState.FAILED, None)
    assert Delivery.objects.filter(notification=told, state=DeliveryState.PENDING).count() == 1


def test_after_a_lost_answer_the_telephone_does_not_ring_twice(
    told: Notification, line: Channel, twilio: Twilio
) -> None:
    twilio.faults, twilio.now = ["drop"], START
    row = called(told, line)
    assert row.state == DeliveryState.UNKNOWN
    delivery.deliver_due(now=START + seconds(61))
    row.refresh_from_db()
    assert (row.state, len(twilio.calls_made), twilio.lookups) == (DeliveryState.SENT, 1, 1)
