"""Mail and telephony come in signed, once, and for the one they were sent to."""

from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from owners import clock
from suppliers import inbox, mail, signing, telephony
from suppliers.adapters import headers
from suppliers.choices import Authentication
from suppliers.models import Contact, InboundEvent
from tests.factories import Cast

SECRET = "whsec_" + "bWFpbCBzZXJ2ZXIgc2lnbnMgd2l0aCB0aGlzIGtleSEh"
TOKENS = ["new token", "old token"]


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.MAIL_WEBHOOK_SECRET = SECRET
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"
    settings.TWILIO_AUTH_TOKENS = TOKENS


def message(recipient: str, **changes: str) -> bytes:
    found = EmailMessage()
    found["Delivered-To"] = recipient
    for name, value in {
        "From": "Skyline <visits@skyline.example>",
        "Subject": "Your visit",
        "Message-ID": "<m1@skyline.example>",
        "Authentication-Results": "mx.steward.example; dmarc=pass header.from=skyline.example",
        **changes,
    }.items():
        found[name] = value
    found.set_content("Your visit is on Monday 16 November, 8:00-12:00.")
    return found.as_bytes()


def post_mail(raw: bytes, now: datetime, *, key: str = SECRET) -> Any:
    signed = signing.sign(webhook_id="m1", at=now, body=raw, keys=[key])
    with clock.fixed(now):
        return Client(headers=signed).post(
            "/webhooks/mail/raw/", raw, content_type="message/rfc822"
        )


def post_call(
    form: dict[str, str], now: datetime, callback: str = "voice", *, token: str = TOKENS[0]
) -> Any:
    path = f"/webhooks/telephony/twilio/{callback}/"
    url = f"http://localhost:8000{path}"
    proof = telephony.signature(url, list(form.items()), auth_token=token)
    with clock.fixed(now):
        return Client(headers={"X-Twilio-Signature": proof}).post(
            path, urlencode(form), content_type="application/x-www-form-urlencoded"
        )


def call(cast: Cast, **changes: str) -> dict[str, str]:
    number = cast.membership.intake_number or ""
    return {
        "CallSid": "CA1", "CallStatus": "completed", "CallDuration": "3", "Direction": "inbound",
        "From": "+12125550147", "To": number, **changes,
    }  # fmt: skip


@pytest.fixture
def member(cast: Cast) -> Cast:
    cast.membership.intake_number = "+12125550111"
    cast.membership.save()
    return cast


def test_a_signed_mail_becomes_a_contact_once(cast: Cast, now: datetime) -> None:
    raw = message(f"{cast.mandate.alias}@mail.localhost")
    assert post_mail(raw, now).status_code == 202
    again = post_mail(raw.replace(b"Subject", b"Received: elsewhere\nSubject", 1), now)
    assert again.json()["status"] == "duplicate"
    inbox.process_due(now=now)
    contact = Contact.objects.get()
    assert contact.household == cast.household
    assert contact.said["visit"]["window"]["start"] == "2026-11-16T13:00:00+00:00"


def test_the_same_message_id_with_other_content_is_another_mail(cast: Cast, now: datetime) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    post_mail(message(alias), now)
    post_mail(message(alias, Subject="Pay now"), now)
    assert InboundEvent.objects.count() == 2


def test_an_unsigned_mail_is_not_taken(cast: Cast, now: datetime) -> None:
    raw = message(f"{cast.mandate.alias}@mail.localhost")
    other = "whsec_" + "c29tZWJvZHkgZWxzZSBzaWduZWQgdGhpcyBtYWlsISEh"
    assert post_mail(raw, now, key=other).status_code == 401
    assert not InboundEvent.objects.exists()


def test_without_a_secret_the_entrances_are_closed(
    member: Cast, now: datetime, settings: Settings
) -> None:
    settings.MAIL_WEBHOOK_SECRET = ""
    settings.TWILIO_AUTH_TOKENS = []
    assert post_mail(message("a@mail.localhost"), now).status_code == 404
    assert post_call(call(member), now).status_code == 404


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("mx.steward.example; dmarc=pass header.from=skyline.example", Authentication.PASS),
        ("mx.steward.example; dmarc=fail header.from=skyline.example", Authentication.FAIL),
        ("mx.steward.example; dkim=pass header.d=mail.skyline.example", Authentication.PASS),
        ("mx.steward.example; dkim=pass header.d=mallory.example", Authentication.NONE),
        ("mx.steward.example; spf=fail smtp.mailfrom=skyline.example", Authentication.FAIL),
        ("mx.steward.example (a; dmarc=pass); none", Authentication.NONE),
        ("mx.mallory.example; dmarc=pass header.from=skyline.example", Authentication.NONE),
    ],
)
def test_only_our_own_servers_verdict_counts(results: str, expected: Authentication) -> None:
    raw = message("a@mail.localhost", **{"Authentication-Results": results})
    assert mail.proof_of(headers.read(raw), raw=raw).verdict == expected


@pytest.mark.parametrize(
    "changes",
    [
        (b"<visits@skyline.example>", b"<vis\x00its@sky\x00line.example>"),
        (b"<m1@skyline.example>", b"<m\x001@skyline.example>"),
        (b"Skyline <visits@skyline.example>", b"=?utf-7?Q?+2AA-@x.example?="),
        (b"Your visit", b"=?utf-7?Q?+2AA-?= =?x-unknown?B?AAAA?="),
        (b'charset="utf-8"', b'charset="utf-7"'),
        (b"Your visit is", b"+2AA- \x00 is"),
    ],
)
def test_a_mail_with_letters_no_database_takes_is_kept_and_read(
    cast: Cast, now: datetime, changes: tuple[bytes, bytes]
) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    raw = message(alias)
    assert changes[0] in raw
    answer = post_mail(raw.replace(*changes), now)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    inbox.process_due(now=now)
    assert InboundEvent.objects.get().state == "processed"
    assert Contact.objects.count() == 1


def test_two_senders_prove_nothing() -> None:
    raw = b"From: visits@skyline.example\n" + message(
        "a@mail.localhost", From="Mallory <mallory@mallory.example>"
    )
    assert mail.proof_of(headers.read(raw), raw=raw).verdict == Authentication.NONE


@pytest.mark.parametrize("token", TOKENS)
def test_a_signed_call_is_taken_with_either_token(member: Cast, now: datetime, token: str) -> None:
    answer = post_call(call(member), now, token=token)
    assert (answer.status_code, b"<Response>" in answer.content) == (200, True)
    assert InboundEvent.objects.get().household == member.household


def test_an_unsigned_call_is_not_taken(member: Cast, now: datetime) -> None:
    assert post_call(call(member), now, token="Mallory's").status_code == 403
    assert not InboundEvent.objects.exists()


def test_a_call_for_nobody_here_is_dropped(member: Cast, now: datetime) -> None:
    assert post_call(call(member, To="+12125559999"), now).status_code == 200
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_the_callbacks_of_a_call_are_one_contact_in_any_order(
    member: Cast, now: datetime, order: tuple[int, ...]
) -> None:
    recording = {"RecordingSid": "RE1", "RecordingUrl": "https://r.example/1"}
    transcript = {
        "TranscriptionSid": "TR1",
        "TranscriptionStatus": "completed",
        "TranscriptionText": "We will be there in a few hours.",
    }
    sent = [
        ("voice", call(member, CallDuration="22")),
        ("recording", call(member, CallDuration="22", **recording)),
        ("transcription", call(member, CallDuration="22", **transcript)),
    ]
    for index in order:
        callback, form = sent[index]
        assert post_call(form, now, callback).status_code == 200
        assert post_call(form, now, callback).status_code == 200
        inbox.process_due(now=now)
    contact = Contact.objects.get()
    assert contact.kind == "voicemail"
    assert contact.said["call"]["transcript"] == "We will be there in a few hours."
    assert not contact.said["call"].get("awaits_transcript")
