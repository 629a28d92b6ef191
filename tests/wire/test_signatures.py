"""No request that its supplier did not sign, now, is ever taken, and none is ever a 500."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import Webhook

from suppliers import signing
from suppliers.models import InboundEvent
from tests.factories import SECRET, Cast, SigningSecretFactory, signed_headers
from tests.wire.sending import NOW, event, post

OTHER = "whsec_" + base64.b64encode(b"mallory signs with another one!!").decode()
SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
WHSK = "whsk_" + base64.b64encode(SEED + PUBLIC).decode()
WHPK = "whpk_" + base64.b64encode(PUBLIC).decode()

Change = Callable[[dict[str, str]], dict[str, str]]


def replaced(name: str, value: str) -> Change:
    return lambda headers: {**headers, name: value}


def signature(change: Callable[[str], str]) -> Change:
    return lambda headers: {
        **headers,
        "webhook-signature": change(headers["webhook-signature"]),
    }


BAD: dict[str, tuple[Change, str]] = {
    "no id": (replaced("webhook-id", ""), "missing_signature"),
    "no timestamp": (replaced("webhook-timestamp", ""), "missing_signature"),
    "no signature": (replaced("webhook-signature", ""), "missing_signature"),
    "another id": (replaced("webhook-id", "msg_other"), "wrong_signature"),
    "an id with a dot": (replaced("webhook-id", "msg.other"), "wrong_signature"),
    "an id with a space": (replaced("webhook-id", "msg other"), "wrong_signature"),
    "two ids": (replaced("webhook-id", "msg_a,msg_b"), "wrong_signature"),
    "another timestamp": (
        replaced("webhook-timestamp", str(int(NOW.timestamp()) + 1)),
        "wrong_signature",
    ),
    **{
        f"timestamp {text!r}": (replaced("webhook-timestamp", text), "wrong_signature")
        for text in (
            "1.5",
            "+5",
            "-5",
            "1e9",
            "0x10",
            "9" * 13,
            "now",
            "\uff11\uff12",
            "5\t5",
            "NaN",
        )
    },
    "not the version": (signature(lambda text: text.replace("v1,", "v2,")), "wrong_signature"),
    "version 0": (signature(lambda text: text.replace("v1,", "v0,")), "wrong_signature"),
    "upper case": (signature(lambda text: text.replace("v1,", "V1,")), "wrong_signature"),
    "as the other version": (
        signature(lambda text: text.replace("v1,", "v1a,")),
        "wrong_signature",
    ),
    "no comma": (signature(lambda text: text.replace(",", "")), "wrong_signature"),
    "two commas": (signature(lambda text: text.replace(",", ",,")), "wrong_signature"),
    "no version": (signature(lambda text: text.partition(",")[2]), "wrong_signature"),
    "bad base64": (replaced("webhook-signature", "v1,!!!!"), "wrong_signature"),
    "cut base64": (signature(lambda text: text[:-3]), "wrong_signature"),
    "empty": (replaced("webhook-signature", "v1,"), "wrong_signature"),
    "only commas": (replaced("webhook-signature", ",,,,"), "wrong_signature"),
    "only spaces": (replaced("webhook-signature", "   "), "wrong_signature"),
    "not ASCII": (replaced("webhook-signature", "v1,\xe9\xe9"), "wrong_signature"),
    "first byte": (
        signature(lambda text: "v1," + ("B" if text[3] == "A" else "A") + text[4:]),
        "wrong_signature",
    ),
    "hexadecimal": (
        signature(lambda text: "v1," + base64.b64decode(text[3:]).hex()),
        "wrong_signature",
    ),
    "url-safe base64": (
        replaced("webhook-signature", "v1,-_" + "A" * 40 + "="),
        "wrong_signature",
    ),
    "forty others": (replaced("webhook-signature", "v1,AAAA " * 40), "wrong_signature"),
    "very long": (replaced("webhook-signature", "v1," + "A" * 4000), "wrong_signature"),
    "zeros": (replaced("webhook-signature", "v1," + "A" * 43 + "="), "wrong_signature"),
    "a zero v1a": (replaced("webhook-signature", "v1a," + "A" * 86 + "=="), "wrong_signature"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD)
def test_a_bad_signature_is_401_and_says_which_of_the_three(cast: Cast, name: str) -> None:
    change, code = BAD[name]
    body = json.dumps(event(cast)).encode()
    headers = change(signed_headers(body, at=NOW, webhook_id="msg_1"))
    answer = post(body, headers={key: headers[key] for key in headers if key.startswith("webhook")})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert not InboundEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "status"), [(-301, 401), (-300, 202), (0, 202), (300, 202), (301, 401)]
)
def test_a_timestamp_is_fresh_for_five_minutes(cast: Cast, seconds: int, status: int) -> None:
    answer = post(event(cast), at=NOW + timedelta(seconds=seconds))
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["code"] == "stale_timestamp"


@pytest.mark.django_db
def test_another_body_or_secret_is_wrong(cast: Cast) -> None:
    assert post(event(cast), secret=OTHER).json()["code"] == "wrong_signature"
    headers = signed_headers(json.dumps(event(cast)).encode(), at=NOW)
    del headers["content-type"]
    answer = post(event(cast, type="message.updated"), headers=headers)
    assert answer.json()["code"] == "wrong_signature"


@pytest.mark.django_db
def test_while_secrets_rotate_each_live_one_verifies(cast: Cast) -> None:
    old = cast.skyline.secrets.get()
    old.expires_at = NOW + timedelta(hours=24)
    old.save()
    SigningSecretFactory.create(supplier=cast.skyline, value=OTHER)
    assert post(event(cast, 1)).status_code == 202
    assert post(event(cast, 2), secret=OTHER).status_code == 202
    later = NOW + timedelta(hours=24)
    assert post(event(cast, 3), at=later, now=later).status_code == 401
    assert post(event(cast, 3), at=later, now=later, secret=OTHER).status_code == 202


@pytest.mark.django_db
def test_one_good_signature_among_others_is_enough(cast: Cast) -> None:
    body = json.dumps(event(cast)).encode()
    headers = signed_headers(body, at=NOW, webhook_id="msg_1")
    given = f"v2,x v1,AAAA broken {headers['webhook-signature']}"
    answer = post(body, webhook_id="msg_1", headers={"webhook-signature": given})
    assert answer.status_code == 202


@pytest.mark.django_db
def test_a_registered_public_key_verifies_v1a(cast: Cast) -> None:
    SigningSecretFactory.create(supplier=cast.skyline, version="v1a", value=WHPK)
    body = json.dumps(event(cast)).encode()
    headers = signing.sign(webhook_id="msg_1", at=NOW, body=body, keys=[WHSK])
    assert headers["webhook-signature"].startswith("v1a,")
    assert post(body, webhook_id="msg_1", headers=headers).status_code == 202
    wrong = signing.sign(webhook_id="msg_1", at=NOW, body=body + b" ", keys=[WHSK])
    assert post(body, webhook_id="msg_1", headers=wrong).status_code == 401


def test_the_reference_library_signs_and_verifies_the_same() -> None:
    at = datetime.now(UTC)  # noqa: TID251 - the library looks at the clock itself
    body = b'{"type":"message.created"}'
    ours = signing.sign(webhook_id="msg_1", at=at, body=body, keys=[SECRET])
    assert Webhook(SECRET).verify(body, ours) == {"type": "message.created"}
    assert Webhook(SECRET).sign("msg_1", at, body.decode()) == ours["webhook-signature"]


def test_the_published_vector_verifies() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signing.sign(
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=body,
        keys=[secret],
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "value", ["whsec_", "whsec_AA==", "whsec_???", "whpk_AAAA", "whsec_" + "A" * 100]
)
def test_a_key_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(signing.KeyFormatError):
        signing.verifier(value)


def test_hmacs_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def noted(ours: bytes, theirs: bytes) -> bool:
        asked.append((ours, theirs))
        return compare(ours, theirs)

    monkeypatch.setattr("suppliers.signing.hmac.compare_digest", noted)
    content = b"msg_1.1.body"
    key = signing.verifier(SECRET)
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert key.matches(content, hmac.digest(raw, content, hashlib.sha256))
    assert not key.matches(content, b"x" * 32)
    assert len(asked) == 2
