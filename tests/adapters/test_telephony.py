"""Calls and texts: who signed the callback, whose number it is, in whatever order they come."""

import base64
import hashlib
import itertools
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.db import OperationalError, transaction
from django.test import Client
from pytest_django import Settings

from notifications import feed, senders
from owners import clock
from owners.choices import Trust
from suppliers import inbox, telephony
from suppliers.adapters.telephony import attested
from suppliers.models import Contact, InboundEvent
from tests.factories import Cast

TOKENS = ["new token", "old token"]
NUMBER, SKYLINE, STRANGER = "+12125550111", "+18005550199", "+12125550147"
PATH = "/webhooks/telephony/twilio/"


@pytest.fixture
def member(cast: Cast, settings: Settings) -> Cast:
    settings.TWILIO_AUTH_TOKENS = TOKENS
    settings.SITE_URL = "https://steward.example"
    cast.membership.intake_number = NUMBER
    cast.membership.save()
    return cast


def post(
    callback: str,
    form: dict[str, str],
    now: datetime,
    *,
    signed: Iterable[str] | None = None,
    url: str = "https://steward.example",
    token: str = TOKENS[0],
) -> Any:
    """Post a form; `signed` names the fields the signature covers, all unless given."""
    pairs = [(k, v) for k, v in form.items() if signed is None or k in signed]
    proof = telephony.signature(f"{url}{PATH}{callback}/", pairs, auth_token=token)
    with clock.fixed(now):
        return Client(headers={"X-Twilio-Signature": proof, "host": "inside:8000"}).post(
            f"{PATH}{callback}/", urlencode(form), content_type="application/x-www-form-urlencoded"
        )


def sms(body: str, sender: str = SKYLINE, **more: str) -> dict[str, str]:
    return {"MessageSid": "SM1", "From": sender, "To": NUMBER, "Body": body, **more}


def call(status: str, sender: str = SKYLINE, **more: str) -> dict[str, str]:
    return {
        "CallSid": "CA1", "CallStatus": status, "Direction": "inbound", "From": sender,
        "To": NUMBER, **more,
    }  # fmt: skip


def read(now: datetime) -> list[Contact]:
    inbox.process_due(now=now)
    return list(Contact.objects.order_by("pk"))


# -- signatures ----------------------------------------------------------------------------


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    ("site", "signed_for"),
    [
        ("https://steward.example", "https://steward.example"),
        ("https://steward.example", "https://steward.example:443"),
        ("https://steward.example:8443", "https://steward.example:8443"),
        ("https://steward.example:8443", "https://steward.example"),
        ("http://steward.example", "http://steward.example:80"),
    ],
)
def test_the_signature_is_that_of_our_own_address_behind_any_proxy(
    member: Cast, now: datetime, settings: Settings, site: str, signed_for: str, token: str
) -> None:
    settings.SITE_URL = site
    assert post("sms", sms("Hello"), now, url=signed_for, token=token).status_code == 200
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("http://inside:8000", TOKENS[0]),
        ("https://steward.example:444", TOKENS[0]),
        ("https://steward.example", "another token"),
    ],
)
def test_no_other_signature_is_taken(member: Cast, now: datetime, url: str, token: str) -> None:
    assert post("sms", sms("Hello"), now, url=url, token=token).status_code == 403
    assert post("sms", sms("Hello"), now, signed=["Body"]).status_code == 403
    assert not InboundEvent.objects.exists()


def post_json(value: object, now: datetime, *, stated: str = "") -> Any:
    body = json.dumps(value).encode()
    path = f"{PATH}sms/?bodySHA256={stated or hashlib.sha256(body).hexdigest()}"
    url = f"https://steward.example{path}"
    proof = telephony.signature(url, [], auth_token=TOKENS[0])
    with clock.fixed(now):
        return Client(headers={"X-Twilio-Signature": proof}).post(
            path, body, content_type="application/json"
        )


def test_a_json_body_counts_with_its_hash_in_the_signed_address(
    member: Cast, now: datetime
) -> None:
    assert post_json(sms("Changed"), now, stated="0" * 64).status_code == 403
    assert post_json(["not an object"], now).status_code == 400
    assert post_json(sms("Your visit is on Monday"), now).status_code == 200
    assert [contact.said["body"] for contact in read(now)] == ["Your visit is on Monday"]


# -- texts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["suppliers.telephony._member", "suppliers.inbox.record"])
def test_while_the_database_is_away_the_provider_is_asked_to_come_again(
    member: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(step, away)
    answer = post("sms", sms("Hello"), now)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("word", ["STOP", "stop ", "Help", "UNSUBSCRIBE", "start"])
def test_orders_to_the_carrier_are_no_contacts(member: Cast, now: datetime, word: str) -> None:
    assert post("sms", sms(word), now).status_code == 200
    assert read(now) == []
    assert InboundEvent.objects.get().state == "processed"


def test_a_text_of_many_segments_and_its_pictures_are_one_contact(
    member: Cast, now: datetime
) -> None:
    long = "Your visit is on Monday. " + "x" * 1500
    media = {"NumMedia": "2", "MediaContentType0": "image/jpeg", "MediaUrl0": "https://m.example/0"}
    for _ in range(2):
        assert post("sms", sms(long, NumSegments="11", **media), now).status_code == 200
    [contact] = read(now)
    assert contact.said["body"] == f"{long}\n[image/jpeg]\n[file]"


def test_a_name_as_sender_proves_nothing_and_is_never_the_suppliers(
    member: Cast, now: datetime
) -> None:
    member.skyline.numbers.create(number="SkylineTV")
    post("sms", sms("Your visit is on Monday 16 November, 8-12.", "SkylineTV"), now)
    [contact] = read(now)
    assert (contact.supplier, contact.trust) == (None, Trust.UNKNOWN)
    assert contact.said["caller"] == {"is_name": True}
    feed.consolidate_due(now=now)
    contact.refresh_from_db()
    assert contact.outcome == "door"
    assert "no answer" in senders.of_caller(contact.said["caller"])


# -- whose number it is --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "fields", "level", "verdict"),
    [
        ("twilio", {"StirVerstat": "TN-Validation-Passed-A"}, "A", "pass"),
        ("twilio", {"StirVerstat": "TN-Validation-Passed-B"}, "B", "pass"),
        ("twilio", {"StirVerstat": "TN-Validation-Passed-C"}, "C", "pass"),
        ("twilio", {"StirVerstat": "TN-Validation-Passed-A-Diverted"}, "A", "pass"),
        ("twilio", {"StirVerstat": "TN-Validation-Passed"}, "none", "pass"),
        ("twilio", {"StirVerstat": "TN-Validation-Failed-A"}, "A", "fail"),
        ("twilio", {"StirVerstat": "TN-Validation-Failed"}, "none", "fail"),
        ("twilio", {"StirVerstat": "No-TN-Validation"}, "none", "none"),
        ("twilio", {"StirVerstat": "TN-Validation-Passed-AA"}, "none", "none"),
        ("twilio", {}, "none", "none"),
        ("telnyx", {"StirVerstat": "TN-Validation-Passed"}, "A", "pass"),
        ("telnyx", {"StirVerstat": "TN-Validation-Passed-B"}, "B", "pass"),
        (
            "telnyx",
            {"StirVerstat": "TN-Validation-Passed", "ShakenStirAttestation": "C"},
            "C",
            "pass",
        ),
        (
            "bandwidth",
            {"verstat": "TN-Validation-Passed", "attestationIndicator": "A"},
            "A",
            "pass",
        ),
        ("bandwidth", {"verstat": "TN-Validation-Failed"}, "none", "fail"),
    ],
)
def test_every_spelling_of_an_attestation_means_the_same(
    provider: str, fields: dict[str, str], level: str, verdict: str
) -> None:
    found = attested(fields, provider=provider)
    assert (found.level, found.verdict) == (level, verdict)


@pytest.mark.parametrize(
    ("sender", "verstat", "recognised", "trust", "suspicion"),
    [
        (SKYLINE, "TN-Validation-Passed-A", True, Trust.KNOWN_NUMBER, ""),
        (SKYLINE, "TN-Validation-Passed-B", False, Trust.KNOWN_NUMBER, ""),
        (SKYLINE, "", None, Trust.KNOWN_NUMBER, ""),
        (SKYLINE, "TN-Validation-Failed-A", False, Trust.UNAUTHENTICATED, "authentication_failed"),
        (STRANGER, "TN-Validation-Passed-A", False, Trust.UNKNOWN, "unknown_sender"),
        (STRANGER, "", None, Trust.UNKNOWN, "unknown_sender"),
    ],
)
def test_only_a_full_attestation_of_a_registered_number_is_recognised(
    member: Cast,
    now: datetime,
    sender: str,
    verstat: str,
    recognised: Any,
    trust: Trust,
    suspicion: str,
) -> None:
    more = {"StirVerstat": verstat} if verstat else {}
    assert post("voice", call("no-answer", sender, **more), now).status_code == 200
    [contact] = read(now)
    assert (contact.trust, contact.suspicion) == (trust, suspicion)
    caller = senders.caller_of(contact.said)
    assert (caller and caller["is_recognised"]) == recognised
    feed.consolidate_due(now=now)
    contact.refresh_from_db()
    assert (contact.outcome == "door") == (trust < Trust.KNOWN_NUMBER)


def test_what_the_signature_does_not_cover_is_not_believed(member: Cast, now: datetime) -> None:
    form = call("no-answer", StirVerstat="TN-Validation-Passed-A", CallToken="x")
    covered = [name for name in form if name not in ("StirVerstat", "CallToken")]
    assert post("voice", form, now, signed=covered).status_code == 200
    [contact] = read(now)
    assert "caller" not in contact.said
    other = {**call("no-answer"), "CallSid": "CA2", "Spoken": "x"}
    assert post("voice", other, now, signed=[n for n in other if n != "Spoken"]).status_code == 403


# -- a call's callbacks --------------------------------------------------------------------

RECORDED = {"RecordingSid": "RE1", "RecordingUrl": "https://r.example/1", "RecordingDuration": "9"}
WORDS = "This is Dan, I will be there in an hour."
CALLBACKS: dict[str, tuple[str, dict[str, str]]] = {
    "talking": ("voice", call("in-progress")),
    "ended": ("voice", call("completed", CallDuration="14")),
    "recorded": ("recording", call("completed", RecordingStatus="completed", **RECORDED)),
    "written": (
        "transcription",
        call(
            "completed", TranscriptionSid="TR1", TranscriptionStatus="completed",
            TranscriptionText=WORDS, **RECORDED,
        ),
    ),
    "not_written": (
        "transcription",
        call("completed", TranscriptionSid="TR1", TranscriptionStatus="failed", **RECORDED),
    ),
}  # fmt: skip


def came(names: Iterable[str], now: datetime) -> tuple[str, str, str, bool]:
    """Post callbacks in this order, each twice; return what the one call came to."""
    with transaction.atomic():
        for number, name in enumerate(names):
            callback, form = CALLBACKS[name]
            at = now + timedelta(seconds=number)
            for _ in range(2):
                assert post(callback, form, at).status_code == 200
            inbox.process_due(now=at)
        [contact] = Contact.objects.all()
        said = contact.said["call"]
        found = (
            contact.kind,
            said["status"],
            said.get("transcript", ""),
            contact.not_before is None,
        )
        transaction.set_rollback(True)
    return found


def test_callbacks_in_any_order_are_one_call(member: Cast, now: datetime) -> None:
    told = ("talking", "ended", "recorded", "written")
    orders = list(itertools.permutations(told))
    assert {came(order, now) for order in orders} == {("voicemail", "voicemail", WORDS, True)}


def test_a_transcription_that_fails_leaves_the_voicemail(member: Cast, now: datetime) -> None:
    orders = itertools.permutations(("ended", "recorded", "not_written"))
    assert {came(order, now) for order in orders} == {("voicemail", "voicemail", "", True)}


def test_a_voicemail_waits_for_its_words_at_most_three_minutes(member: Cast, now: datetime) -> None:
    post(*CALLBACKS["recorded"], now)
    [contact] = read(now)
    assert contact.not_before == now + timedelta(minutes=3)


# -- what the caller hears -----------------------------------------------------------------


def heard(form: dict[str, str], now: datetime) -> ElementTree.Element:
    answer = post("voice", form, now)
    assert (answer.status_code, answer["content-type"]) == (200, "text/xml")
    return ElementTree.fromstring(answer.content)  # noqa: S314 - our own answer


def test_who_calls_hears_a_greeting_and_may_leave_a_message(
    member: Cast, now: datetime, settings: Settings
) -> None:
    said = heard(call("ringing"), now)
    assert [part.tag for part in said] == ["Say", "Record", "Hangup"]
    assert said[0].attrib["language"] == "en-US"
    assert "after the tone" in (said[0].text or "")
    record = said[1].attrib
    base = "https://steward.example/webhooks/telephony/twilio"
    assert record["recordingStatusCallback"] == f"{base}/recording/"
    assert record["transcribeCallback"] == f"{base}/transcription/"
    assert record["action"] == f"{base}/voice/"
    settings.TELEPHONY_GREETING = "The Harts <are> out & about."
    assert (
        heard({**call("ringing"), "CallSid": "CA2"}, now)[0].text == "The Harts <are> out & about."
    )
    settings.TELEPHONY_GREETING = ""
    member.ana.language = "de"
    member.ana.save()
    german = heard({**call("ringing"), "CallSid": "CA3"}, now)[0]
    assert german.attrib["language"] == "de-DE"
    assert "after the tone" not in (german.text or "")


def test_a_call_that_nobody_can_take_hears_no_greeting(
    member: Cast, now: datetime, settings: Settings
) -> None:
    assert [part.tag for part in heard({**call("ringing"), "To": "+12125550199"}, now)] == [
        "Reject"
    ]
    assert list(heard(call("completed"), now)) == []
    assert [part.tag for part in heard(call("in-progress", **RECORDED), now)] == ["Hangup"]
    settings.TELEPHONY_ANSWERS = False
    assert list(heard(call("ringing"), now)) == []


def test_a_greeted_caller_who_says_nothing_was_missed(member: Cast, now: datetime) -> None:
    heard(call("ringing"), now)
    heard(call("completed", CallDuration="3"), now)
    [contact] = read(now)
    assert (contact.said["call"]["status"], contact.not_before) == ("missed", None)


def test_a_greeted_caller_who_speaks_leaves_one_voicemail(member: Cast, now: datetime) -> None:
    heard(call("ringing"), now)
    heard(call("in-progress", **RECORDED), now)
    heard(call("completed", CallDuration="22"), now)
    [waiting] = read(now)
    assert waiting.not_before is not None
    post(*CALLBACKS["recorded"], now + timedelta(seconds=5))
    post(*CALLBACKS["written"], now + timedelta(seconds=40))
    [contact] = read(now + timedelta(seconds=40))
    assert (contact.kind, contact.said["call"]["transcript"]) == ("voicemail", WORDS)


def test_the_known_answers_of_the_provider_are_ours() -> None:
    """A signature as the provider's own documentation has it."""
    pairs = [
        ("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234"),
        ("From", "+14158675309"), ("To", "+18005551212"),
    ]  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert telephony.signature(url, pairs, auth_token="12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert len(base64.b64decode(telephony.signature(url, [], auth_token="12345"))) == 20
