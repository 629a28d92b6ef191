"""A mail says why it came, ends by one click, hangs together, and its bounces are heard."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from notifications import delivery, early_receipts, messages, privacy, transports
from notifications.choices import DeliveryPurpose, DeliveryState
from notifications.models import Delivery, EarlyReceipt, Notification
from notifications.transports import email
from owners import clock
from owners.choices import Topic
from owners.models import Channel, ReachRule
from suppliers import signing
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
    cast.membership.refresh_from_db()
    assert cast.membership.unmailed == []
    for _ in range(2):
        assert browser.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    cast.membership.refresh_from_db()
    assert cast.membership.unmailed == [Topic.ARRIVING]
    # Only mails end: another channel still tells it.
    assert not ReachRule.objects.exists()


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


def test_what_is_said_before_the_mail_has_its_name_is_applied_when_it_has(
    tracked: Delivery,
) -> None:
    Delivery.objects.update(provider_ref="")
    assert post(DELIVERED) == post(BOUNCE) == 200
    assert not tracked.receipts.exists()
    delivery.deliver_due(now=START)
    assert EarlyReceipt.objects.count() == 2  # the answer with the name is not here yet
    Delivery.objects.update(provider_ref="pm-1")
    assert delivery.has_letters(now=START)
    delivery.deliver_due(now=START)
    tracked.refresh_from_db()
    assert (tracked.state, tracked.receipts.count()) == (DeliveryState.DELIVERED, 2)
    assert failed_at(tracked) is not None  # the bounce counts too
    assert not EarlyReceipt.objects.exists()


def test_events_of_mails_that_are_no_deliveries_are_forgotten(tracked: Delivery) -> None:
    post(DELIVERED | {"MessageID": "of-a-sign-in"})
    kept = EarlyReceipt.objects.get()
    assert privacy.purge_due(now=kept.received_at + early_receipts.KEPT) == 0
    assert privacy.purge_due(now=kept.received_at + early_receipts.KEPT * 2) == 1


def failed_at(row: Delivery) -> datetime | None:
    """Return when the address of a delivery was found to be bad."""
    assert row.channel is not None
    row.channel.refresh_from_db()
    return row.channel.failed_at


def amazons(said: dict[str, Any], *, password: str = "c3Rld2FyZDpzZWNyZXQ=") -> Any:  # noqa: S107
    body = {"Type": "Notification", "MessageId": "1", "Message": json.dumps(said)}
    heads = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "1"}
    heads |= {"Authorization": f"Basic {password}"} if password else {}
    path = "/webhooks/mail/amazon_ses/tracking/"
    return Client().post(path, body, "application/json", headers=heads)


def resends(said: dict[str, Any], *, secret: str) -> Any:
    body = json.dumps(said).encode()
    signed = signing.sign(webhook_id="m1", at=START, body=body, keys=[secret])
    heads = {name.replace("webhook", "svix"): value for name, value in signed.items()}
    path = "/webhooks/mail/resend/tracking/"
    with clock.fixed(START):
        return Client().post(path, body, "application/json", headers=heads)


def mailtraps(said: dict[str, Any], *, secret: str) -> Any:
    body = json.dumps({"events": [said]}).encode()
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    path = "/webhooks/mail/mailtrap/tracking/"
    heads = {"Mailtrap-Signature": signed}
    return Client().post(path, body, "application/json", headers=heads)


SES_BOUNCE = {
    "eventType": "Bounce",
    "mail": {"messageId": "pm-1", "destination": ["ana@hart.example"]},
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": "ana@hart.example"}],
    },
}


@pytest.mark.parametrize("provider", ["amazon_ses", "resend", "mailtrap"])
def test_the_providers_that_anymail_needs_a_package_for_prove_themselves_and_are_heard(
    tracked: Delivery, settings: Any, provider: str
) -> None:
    secret, forged = (signing.new_secret(letter * 32) for letter in (b"a", b"b"))
    settings.MAIL_TRACKING = [provider]
    settings.ANYMAIL = settings.ANYMAIL | {
        "RESEND_SIGNING_SECRET": secret,
        "MAILTRAP_TRACKING_SECRET": secret,
    }
    resent = {"type": "email.bounced", "created_at": "2026-01-05T10:00:00Z"}
    resent["data"] = {  # type: ignore[assignment]
        "email_id": "pm-1",
        "to": ["ana@hart.example"],
        "headers": [],
        "bounce": {"message": "The recipient's email provider sent a hard bounce message."},
    }
    trapped = {"event": "bounce", "message_id": "pm-1", "timestamp": 1, "email": "a@b.example"}
    posts: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "amazon_ses": (
            lambda: amazons(SES_BOUNCE, password="eDp5"),
            lambda: amazons(SES_BOUNCE),
        ),
        "resend": (
            lambda: resends(resent, secret=forged),
            lambda: resends(resent, secret=secret),
        ),
        "mailtrap": (
            lambda: mailtraps(trapped, secret=forged),
            lambda: mailtraps(trapped, secret=secret),
        ),
    }
    false, true = posts[provider]
    assert false().status_code == 401
    tracked.refresh_from_db()
    assert (tracked.state, tracked.receipts.count()) == (DeliveryState.SENT, 0)
    assert true().status_code == true().status_code == 200
    tracked.refresh_from_db()
    assert (tracked.state, tracked.receipts.count()) == (DeliveryState.FAILED, 2)
    assert failed_at(tracked) is not None


def test_amazon_names_a_mail_by_our_header_and_a_full_mailbox_is_no_bad_address(
    tracked: Delivery, settings: Any
) -> None:
    settings.MAIL_TRACKING = ["amazon_ses"]
    name = email.message_id(tracked.key)
    Delivery.objects.update(provider_ref=name)
    headers = [{"name": "Message-ID", "value": name}]
    mail = SES_BOUNCE["mail"] | {"messageId": "0100", "headers": headers}  # type: ignore[operator]
    full = SES_BOUNCE["bounce"] | {"bounceType": "Transient"}  # type: ignore[operator]
    assert amazons(SES_BOUNCE, password="").headers["WWW-Authenticate"]
    assert amazons(SES_BOUNCE | {"mail": mail, "bounce": full}).status_code == 200
    tracked.refresh_from_db()
    assert tracked.state == DeliveryState.FAILED
    assert failed_at(tracked) is None


def test_who_is_not_named_in_the_settings_tells_nothing(tracked: Delivery, settings: Any) -> None:
    settings.MAIL_TRACKING = []
    assert post(DELIVERED) == 404
