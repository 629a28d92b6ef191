"""The SMS provider's callbacks: signed, unordered, repeated."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from notifications.choices import DeliveryState
from notifications.models import Delivery, Receipt
from suppliers import telephony
from tests.factories import Cast, DeliveryFactory, JourneyFactory, NotificationFactory

pytestmark = pytest.mark.django_db

URL = "/webhooks/telephony/twilio/status/"


@pytest.fixture
def sent(cast: Cast, settings: Any) -> Delivery:
    settings.TWILIO_AUTH_TOKENS = ["new token", "old token"]
    told = NotificationFactory(journey=JourneyFactory(household=cast.household), owner=cast.ana)
    return DeliveryFactory.create(notification=told, state=DeliveryState.PENDING, sent_at=None)


def post(row: Delivery, settings: Any, *, token: str = "new token", **form: str) -> int:  # noqa: S107
    url = f"{URL}?delivery={row.uuid}"
    signature = telephony.signature(settings.SITE_URL + url, list(form.items()), auth_token=token)
    return (
        Client()
        .post(
            url,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )
        .status_code
    )


def test_a_receipt_before_our_own_answer_is_already_applied(sent: Delivery, settings: Any) -> None:
    assert post(sent, settings, MessageSid="SM1", MessageStatus="delivered") == 204
    sent.refresh_from_db()
    assert (sent.state, sent.provider_ref) == ("delivered", "SM1")


def test_receipts_repeated_and_late_change_nothing_and_are_kept(
    sent: Delivery, settings: Any
) -> None:
    for status in ("delivered", "sent", "queued", "delivered"):
        post(sent, settings, MessageSid="SM1", MessageStatus=status)
    sent.refresh_from_db()
    assert sent.state == "delivered"
    assert Receipt.objects.count() == 4


def test_an_older_token_still_signs(sent: Delivery, settings: Any) -> None:
    status = post(sent, settings, token="old token", MessageSid="SM1", MessageStatus="sent")
    assert status == 204


def test_a_forged_receipt_changes_nothing(sent: Delivery, settings: Any) -> None:
    status = post(sent, settings, token="guess", MessageSid="SM1", MessageStatus="delivered")
    sent.refresh_from_db()
    assert (status, sent.state, Receipt.objects.count()) == (403, "pending", 0)
