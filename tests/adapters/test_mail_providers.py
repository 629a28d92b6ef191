"""What a provider posts comes in when it proves to be the provider's; its bytes are kept."""

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings as configured
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from config.checks import check_mail_providers
from owners import clock
from suppliers import inbox, mail, mail_providers, signing
from suppliers.models import Contact, InboundEvent
from tests.adapters.test_entrances import message
from tests.factories import Cast

BASIC = "steward:one lamp in a quiet house"
RESEND = "whsec_" + base64.b64encode(b"resend signs with this secret!!!").decode()
POSTAL = rsa.generate_private_key(public_exponent=65537, key_size=2048)
POSTAL_KEY = "".join(
    POSTAL.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
    .splitlines()[1:-1]
)
SECRETS: dict[str, Any] = {
    "WEBHOOK_SECRET": [BASIC],
    "BREVO_API_KEY": "key",
    "MAILERSEND_INBOUND_SECRET": "mailersend's",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "mailgun's",
    "MAILTRAP_API_TOKEN": "token",
    "MAILTRAP_INBOUND_SECRET": "mailtrap's",
    "MANDRILL_WEBHOOK_KEY": "mandrill's",
    "POSTAL_WEBHOOK_KEY": POSTAL_KEY,
    "RESEND_API_KEY": "key",
    "RESEND_INBOUND_SECRET": RESEND,
}
# Bytes that are no UTF-8 where the provider's format can carry them, and long.
RAW = message("x@mail.localhost").replace(b"Monday", b"Monday \xe9") + b"x" * 3_000_000
TEXT = message("x@mail.localhost").decode()
HEADS = [
    ("From", "Skyline <visits@skyline.example>"),
    ("Subject", "Your visit"),
    ("Message-ID", "<m1@skyline.example>"),
    ("Date", "Mon, 9 Nov 2026 13:00:00 +0000"),
]


class Posted(SimpleNamespace):
    """One post: its body, and the headers that prove it."""

    body: bytes
    kind: str
    headers: dict[str, str]


def json_post(data: Any, **heads: str) -> Posted:
    return Posted(body=json.dumps(data).encode(), kind="application/json", headers=heads)


def form_post(fields: dict[str, bytes | str], **heads: str) -> Posted:
    parts = b"".join(
        b'--b0und\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in fields.items()
    )
    return Posted(
        body=parts + b"--b0und--\r\n", kind="multipart/form-data; boundary=b0und", headers=heads
    )


def hexed(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def basic() -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(BASIC.encode()).decode()}


def amazon_ses(to: str) -> Posted:
    sent = {
        "notificationType": "Received",
        "mail": {"source": "bounce@skyline.example", "messageId": "1", "timestamp": "2026-11-09"},
        "receipt": {"recipients": [to], "action": {"type": "SNS", "encoding": "BASE64"}},
        "content": base64.b64encode(RAW).decode(),
    }
    body = {"Type": "Notification", "MessageId": "1", "Message": json.dumps(sent)}
    heads = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "1"}
    return json_post(body, **heads, **basic())


def brevo(to: str) -> Posted:
    heads = {**dict(HEADS), "Delivered-To": to, "Return-Path": "<bounce@skyline.example>"}
    item = {"Uuid": ["1"], "Headers": heads, "RawTextBody": "Monday", "Attachments": []}
    return json_post({"items": [item]}, **basic())


def mailersend(to: str) -> Posted:
    data = {
        "id": "1", "raw": TEXT, "sender": {"email": "bounce@skyline.example"},
        "recipients": {"rcptTo": [{"email": to}]},
    }  # fmt: skip
    found = json_post({"type": "inbound.message", "data": data})
    found.headers["Signature"] = hexed("mailersend's", found.body)
    return found


def mailgun(to: str) -> Posted:
    fields: dict[str, Any] = {
        "token": "t", "timestamp": "1794229200", "recipient": to,
        "sender": "bounce@skyline.example", "body-mime": RAW,
        "signature": hexed("mailgun's", b"1794229200t"),
    }  # fmt: skip
    return form_post(fields)


def mailjet(to: str) -> Posted:
    data = {
        "Headers": dict(HEADS), "Text-part": "Monday", "Html-part": "<p>Monday</p>",
        "Recipient": to, "Sender": "bounce@skyline.example", "Parts": [],
    }  # fmt: skip
    return json_post(data, **basic())


def mailtrap(to: str) -> Posted:
    event = {"event": "inbound.message_received", "inbox_id": 2, "message_id": to, "timestamp": 1}
    found = json_post({"events": [event]})
    found.headers["Mailtrap-Signature"] = hexed("mailtrap's", found.body)
    return found


def mandrill(to: str) -> Posted:
    events = json.dumps([{"event": "inbound", "ts": 1, "msg": {"email": to, "raw_msg": TEXT}}])
    signed = f"{configured.SITE_URL}/webhooks/mail/mandrill/mandrill_events{events}"
    proof = base64.b64encode(hmac.new(b"mandrill's", signed.encode(), hashlib.sha1).digest())
    return Posted(
        body=urlencode({"mandrill_events": events}).encode(),
        kind="application/x-www-form-urlencoded",
        headers={"X-Mandrill-Signature": proof.decode()},
    )


def postal(to: str) -> Posted:
    found = json_post(
        {"id": 1, "rcpt_to": to, "mail_from": "bounce@skyline.example", "base64": True,
         "message": base64.b64encode(TEXT.encode()).decode()}
    )  # fmt: skip
    proof = POSTAL.sign(found.body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - Postal's
    found.headers["X-Postal-Signature"] = base64.b64encode(proof).decode()
    return found


def postmark(to: str) -> Posted:
    heads = [{"Name": "Return-Path", "Value": "<bounce@skyline.example>"}]
    return json_post(
        {"RawEmail": TEXT, "OriginalRecipient": to, "MessageID": "1", "Headers": heads}, **basic()
    )


def resend(to: str) -> Posted:
    found = json_post({"type": "email.received", "data": {"email_id": "1", "to": [to]}})
    for name, value in signing.sign(
        webhook_id="msg_1", at=clock.now(), body=found.body, keys=[RESEND]
    ).items():
        found.headers[name.replace("webhook-", "svix-")] = value
    return found


def sendgrid(to: str) -> Posted:
    envelope = json.dumps({"to": [to], "from": "bounce@skyline.example"})
    return form_post({"envelope": envelope, "email": RAW}, **basic())


def sparkpost(to: str) -> Posted:
    content = {"email_rfc822": TEXT, "email_rfc822_is_base64": False}
    relay = {
        "rcpt_to": to, "msg_from": "bounce@skyline.example", "protocol": "smtp",
        "content": content,
    }  # fmt: skip
    return json_post([{"msys": {"relay_message": relay}}, {"msys": {}}], **basic())


POSTS: dict[str, Callable[[str], Posted]] = {
    "amazon_ses": amazon_ses, "brevo": brevo, "mailersend": mailersend, "mailgun": mailgun,
    "mailjet": mailjet, "mailtrap": mailtrap, "mandrill": mandrill, "postal": postal,
    "postmark": postmark, "resend": resend, "sendgrid": sendgrid, "sparkpost": sparkpost,
}  # fmt: skip
REBUILT = {"brevo", "mailjet", "mailtrap", "resend"}


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.MAIL_PROVIDERS = list(mail_providers.PROVIDERS)
    settings.ANYMAIL = SECRETS
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"


@pytest.fixture(autouse=True)
def fetched(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer for the providers that are asked for the message itself."""
    asked: list[str] = []
    alias = f"{cast.mandate.alias}@mail.localhost"

    def get(url: str, **options: Any) -> requests.Response:
        asked.append(url)
        assert options["timeout"]
        answer = requests.Response()
        answer.status_code = 200
        if "raw" in url:
            content = f"To: {alias}\r\n{TEXT}".encode()
        elif "mailtrap" in url:
            content = b'{"raw_message_url": "https://raw.example/1"}'
        else:
            content = json.dumps({"raw": {"download_url": "https://raw.example/1"}}).encode()
        answer.raw = io.BytesIO(content)
        return answer

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setattr("suppliers.guard.resolve", lambda _host, _port: ["93.184.216.34"])
    return asked


def post(name: str, posted: Posted, **heads: str) -> Any:
    return Client(headers={**posted.headers, **heads}).post(
        f"/webhooks/mail/{name}/", posted.body, content_type=posted.kind
    )


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", POSTS)
def test_a_mail_of_every_provider_comes_in_once(cast: Cast, now: datetime, name: str) -> None:
    with clock.fixed(now):
        posted = POSTS[name](f"{cast.mandate.alias}@mail.localhost")
        answer = post(name, posted)
        assert answer.status_code == 200, answer.content
        assert post(name, posted).json()["statuses"] == ["duplicate"]
        event = InboundEvent.objects.get()
        inbox.process_due(now=now)
    assert event.routing["by"] == name
    assert event.routing["rebuilt"] is (name in REBUILT)
    if name in {"amazon_ses", "mailgun", "sendgrid"}:
        assert event.body == RAW
    elif name not in REBUILT:
        assert event.body == TEXT.encode()
    contact = Contact.objects.get()
    assert (contact.household, contact.supplier) == (cast.household, cast.skyline)
    assert contact.said["sender"] == "visits@skyline.example"


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", POSTS)
def test_what_is_not_proved_to_be_the_providers_is_not_taken(
    cast: Cast, now: datetime, name: str
) -> None:
    with clock.fixed(now):
        posted = POSTS[name](f"{cast.mandate.alias}@mail.localhost")
        posted.headers = {
            key: value for key, value in posted.headers.items() if key.startswith("x-amz")
        }
        if name == "mailgun":
            posted.body = posted.body.replace(b"1794229200", b"1794229201", 1)
        assert post(name, posted).status_code == 401
        wrong = {"Authorization": "Basic " + base64.b64encode(b"steward:wrong").decode()}
        assert post(name, posted, **wrong).status_code == 401
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("name", POSTS)
def test_without_its_secret_or_its_name_a_provider_is_closed(
    cast: Cast, settings: Settings, now: datetime, name: str
) -> None:
    with clock.fixed(now):
        posted = POSTS[name](f"{cast.mandate.alias}@mail.localhost")
        settings.ANYMAIL = {**SECRETS, mail_providers.PROVIDERS[name].secret: ""}
        assert post(name, posted).status_code == 404
        assert [found.id for found in check_mail_providers(None)].count("steward.E020") >= 1
        settings.ANYMAIL, settings.MAIL_PROVIDERS = SECRETS, []
        assert post(name, posted).status_code == 404
    assert check_mail_providers(None) == []


def amazons(kind: str, **more: Any) -> Posted:
    heads = {"x-amz-sns-message-type": kind, "x-amz-sns-message-id": "1"}
    return json_post({"Type": kind, "MessageId": "1", **more}, **heads, **basic())


def test_amazons_topic_is_confirmed_at_amazons_address_and_nowhere_else(
    cast: Cast, fetched: list[str]
) -> None:
    real = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
    for url, status in (
        (real, 200),
        ("https://sns.eu-west-1.amazonaws.com.evil.example/?a", 422),
        ("https://evil.example/?https://sns.eu-west-1.amazonaws.com/", 422),
        ("http://sns.eu-west-1.amazonaws.com/?a", 422),
        ("", 422),
    ):
        answer = post("amazon_ses", amazons("SubscriptionConfirmation", SubscribeURL=url))
        assert (url, answer.status_code) == (url, status)
    assert fetched == [real]


def test_a_mail_that_amazon_left_elsewhere_is_said_so(cast: Cast, fetched: list[str]) -> None:
    receipt = {
        "recipients": ["a@mail.localhost"],
        "action": {"type": "S3", "bucketName": "b", "objectKey": "k"},
    }
    sent = {"notificationType": "Received", "mail": {}, "receipt": receipt}
    answer = post("amazon_ses", amazons("Notification", Message=json.dumps(sent)))
    assert (answer.status_code, fetched) == (422, [])


def test_every_provider_that_anymail_takes_mail_from_is_known() -> None:
    from anymail.urls import urlpatterns  # noqa: PLC0415 - imports them all

    inbound = {str(route.name).removesuffix("_inbound_webhook") for route in urlpatterns
               if "inbound" in str(route.name)}  # fmt: skip
    assert inbound - {"sendinblue"} | {"mandrill"} == set(POSTS) == set(mail_providers.PROVIDERS)


def test_a_provider_that_does_not_exist_is_not_found(client: Client) -> None:
    assert client.post("/webhooks/mail/nobody/").status_code == 404


def test_a_name_nobody_knows_is_told_to_the_operator(settings: Settings) -> None:
    settings.MAIL_PROVIDERS = ["postmarc"]
    assert "postmark" in (check_mail_providers(None)[0].hint or "")


def test_while_nothing_can_be_stored_the_provider_is_asked_to_come_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_given: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(mail, "receive", away)
    answer = post("postmark", postmark(f"{cast.mandate.alias}@mail.localhost"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_while_the_provider_does_not_hand_it_over_it_is_asked_to_come_again(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_url: str, **_options: Any) -> Any:
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", away)
    with clock.fixed(now):
        assert post("resend", resend("a@mail.localhost")).status_code == 503


def test_what_a_provider_names_leads_nowhere_inside(
    cast: Cast, now: datetime, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "suppliers.guard.resolve",
        lambda host, _port: ["10.0.0.1" if host == "raw.example" else "93.184.216.34"],
    )
    with clock.fixed(now):
        assert post("resend", resend("a@mail.localhost")).status_code == 503
    assert len(fetched) == 1
    assert not any("raw.example" in url for url in fetched)


@pytest.mark.parametrize(
    ("name", "data"),
    [("postmark", {}), ("postmark", []), ("postmark", {"RecordType": "Bounce"}), ("mailjet", 1)],
)
def test_what_is_no_mail_is_said_so(cast: Cast, name: str, data: Any) -> None:
    answer = post(name, json_post(data, **basic()))
    assert answer.status_code == 422
    assert not InboundEvent.objects.exists()


def test_a_mail_for_no_recipient_is_said_so(cast: Cast) -> None:
    sent = {"RawEmail": "Subject: a\r\n\r\nb", "Headers": []}
    answer = post("postmark", json_post(sent, **basic()))
    assert (answer.status_code, answer.json()["code"]) == (422, "no_recipient")


def test_the_verdict_in_a_providers_mail_counts_only_by_the_providers_name(
    cast: Cast, settings: Settings
) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    post("postmark", postmark(alias))
    settings.MAIL_PROVIDER_AUTHSERV_ID = "mx.steward.example"
    post("sparkpost", sparkpost(f"{cast.household.intake_alias}@mail.localhost"))
    found = InboundEvent.objects.order_by("pk").values_list("routing__authentication", flat=True)
    assert list(found) == ["none", "pass"]
