"""A mail says why it came, ends by one click, hangs together, and its bounces are heard."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from notifications import delivery, messages, transports
from notifications.choices import DeliveryPurpose, DeliveryState
from notifications.models import Delivery, Notification
from owners.choices import Moment, Topic
from owners.models import Channel, ReachRule
from tests.delivery.conftest import Mailbox
from tests.delivery.test_delivery import waiting
from tests.factories import START, Cast, DeliveryFactory, JourneyFactory, NotificationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(cast: Cast) -> Notification:
    journey = JourneyFactory.create(household=cast.household)
    return NotificationFactory.create(
        journey=journey, owner=cast.ana, text="They come at 08:00.", topic=Topic.ARRIVING
    )


def read(mailbox: Mailbox) -> list[EmailMessage]:
    found = []
    for envelope in mailbox.taken:
        assert isinstance(envelope.content, bytes)
        found.append(message_from_bytes(envelope.content, policy=policy.default))
    mailbox.taken.clear()
    return found


def mailed(told: Notification, cast: Cast, mailbox: Mailbox) -> EmailMessage:
    waiting(told, cast.email, subject="They come")
    delivery.deliver_due(now=START)
    transports.close()
    (found,) = read(mailbox)
    return found


def words(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_it_is_plain_and_html_in_one_language_and_loads_nothing(
    told: Notification, cast: Cast, mailbox: Mailbox
) -> None:
    cast.ana.language = "de"
    cast.ana.save()
    mail = mailed(told, cast, mailbox)
    plain, html = words(mail, "plain"), words(mail, "html")
    for said in (plain, html):
        assert "They come at 08:00." in said
        assert f"/journeys/{told.journey.uuid}/" in said
        assert "/preferences/" in said
    assert '<html lang="de">' in html
    # Nothing that a mail program would fetch: no pixel, no font, no style sheet.
    assert not re.search(r"<(img|link|script|iframe|object|video)|url\(|src=|background=", html)


def test_all_mails_of_a_matter_hang_together_and_carry_one_lasting_name(
    told: Notification, cast: Cast, mailbox: Mailbox
) -> None:
    first = mailed(told, cast, mailbox)
    second = mailed(told, cast, mailbox)
    assert first["References"] == first["In-Reply-To"] == second["References"]
    assert str(told.journey.uuid) in first["References"]
    assert first["Message-ID"] != second["Message-ID"]


def stop_path(mail: EmailMessage, settings: Any) -> str:
    return (
        str(mail["List-Unsubscribe"]).replace("\n", "").strip("<> ").removeprefix(settings.SITE_URL)
    )


def test_one_click_ends_the_topic_without_sign_in_and_a_scanner_ends_nothing(
    told: Notification, cast: Cast, mailbox: Mailbox, settings: Any
) -> None:
    mail = mailed(told, cast, mailbox)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path, browser = stop_path(mail, settings), Client(enforce_csrf_checks=True)
    for _ in range(2):
        assert browser.get(path).status_code == 200
    assert not ReachRule.objects.exists()
    for _ in range(2):
        assert browser.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    rule = ReachRule.objects.get(membership=cast.membership)
    assert (rule.topic, rule.moment) == (Topic.ARRIVING, Moment.NEVER)


def test_a_forged_link_ends_nothing(cast: Cast) -> None:
    token = messages.stop_token(owner=cast.ana.uuid, household=cast.household.uuid, topic="money")
    elsewhere = messages.stop_token(
        owner=cast.ana.uuid, household=cast.mallory_household.uuid, topic="money"
    )
    for wrong in (token[:-1] + ("a" if token[-1] != "a" else "b"), elsewhere, "abc"):
        assert Client().post(f"/stop/{wrong}/").status_code == 404
    assert not ReachRule.objects.exists()


def test_the_summary_ends_by_one_click_too_and_stands_on_its_page(
    cast: Cast, mailbox: Mailbox, settings: Any
) -> None:
    Delivery.objects.create(
        key="digest:1",
        household=cast.household,
        owner=cast.ana,
        purpose=DeliveryPurpose.DIGEST,
        kind="email",
        channel=cast.email,
        subject="Summary",
        text="- One",
        next_at=START,
    )
    delivery.deliver_due(now=START)
    transports.close()
    (mail,) = read(mailbox)
    Client().post(stop_path(mail, settings))
    cast.membership.refresh_from_db()
    assert cast.membership.has_digest_mail is False


def test_a_frame_that_fails_leaves_the_words(
    told: Notification, cast: Cast, mailbox: Mailbox
) -> None:
    with patch.object(messages, "render_to_string", side_effect=RuntimeError):
        mail = mailed(told, cast, mailbox)
    assert words(mail, "plain").strip() == "They come at 08:00."


@pytest.fixture
def tracked(cast: Cast, told: Notification, settings: Any) -> Delivery:
    settings.MAIL_TRACKING = ["postmark"]
    settings.ANYMAIL = {"WEBHOOK_SECRET": ["steward:secret"]}
    return DeliveryFactory.create(
        notification=told, kind="email", channel=cast.email, provider_ref="pm-1"
    )


BOUNCE = {
    "RecordType": "Bounce",
    "MessageID": "pm-1",
    "ID": 4323372036854775807,
    "Type": "HardBounce",
    "TypeCode": 1,
    "Name": "Hard bounce",
    "Description": "The server was unable to deliver your message",
    "Details": "smtp;550 5.1.1 no such user",
    "Email": "ana@hart.example",
    "BouncedAt": "2026-01-05T10:00:00Z",
    "Inactive": True,
}
COMPLAINT = BOUNCE | {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512}
DELIVERED = {
    "RecordType": "Delivery",
    "MessageID": "pm-1",
    "Recipient": "ana@hart.example",
    "DeliveredAt": "2026-01-05T10:00:00Z",
    "Details": "ok",
}


def post(event: dict[str, Any], *, secret: str = "c3Rld2FyZDpzZWNyZXQ=") -> int:  # noqa: S107 - a test's
    headers = {"Authorization": f"Basic {secret}"}
    path = "/webhooks/mail/postmark/tracking/"
    return Client().post(path, event, "application/json", headers=headers).status_code


def test_a_provider_says_that_it_arrived_and_only_the_provider(tracked: Delivery) -> None:
    assert post(DELIVERED, secret="eDp5") == 401
    assert post(DELIVERED) == post(DELIVERED) == 200
    tracked.refresh_from_db()
    assert (tracked.state, tracked.receipts.count()) == (DeliveryState.DELIVERED, 2)
    assert post(DELIVERED | {"MessageID": "of-somebody-else"}) == 200


@pytest.mark.parametrize("event", [BOUNCE, COMPLAINT])
def test_a_bounce_or_complaint_ends_the_address_even_after_delivered(
    tracked: Delivery, cast: Cast, event: dict[str, Any]
) -> None:
    post(DELIVERED)
    assert post(event) == post(event) == 200
    found = Channel.objects.get(pk=cast.email.pk)
    assert found.failed_at is not None
    assert Notification.objects.filter(reason="channel_failed").count() == 1


def test_who_is_not_named_in_the_settings_tells_nothing(tracked: Delivery, settings: Any) -> None:
    settings.MAIL_TRACKING = []
    assert post(DELIVERED) == 404
