"""What machines write about mail is known as that: bounces, absences, forwarding to confirm."""

import uuid
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from notifications import pipeline
from notifications.models import Card, Notification
from owners import clock
from suppliers import letters, mail, routes
from suppliers.choices import Outcome
from suppliers.models import Contact, InboundEvent, OutboundEvent, OutboundState
from tests.adapters.conftest import CORPORA
from tests.adapters.test_entrances import message
from tests.factories import Cast

PASSED = "mail.localhost; dmarc=pass header.from={}"


def take(cast: Cast, raw: bytes, now: datetime, **given: Any) -> Contact | None:
    recipient = given.pop("recipient", f"{cast.mandate.alias}@mail.localhost")
    before = set(Contact.objects.values_list("pk", flat=True))
    mail.receive(raw=raw, recipient=recipient, now=now, **given)
    with clock.fixed(now):
        pipeline.drain(now_fn=clock.now)
    return Contact.objects.exclude(pk__in=before).first()


def letter(cast: Cast, now: datetime, **changes: Any) -> OutboundEvent:
    values = {
        "supplier": cast.skyline, "household": cast.household, "mandate": cast.mandate,
        "type": "owner.message.sent", "data": {"text": "Please come."}, "via": routes.MAIL,
        "state": OutboundState.SENT, "created_at": now, "next_at": now,
    }  # fmt: skip
    return OutboundEvent.objects.create(**{**values, **changes})


def bounce(event: OutboundEvent, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """Return what a mail server says of a letter that it could not deliver (RFC 3464)."""
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@skyline.example\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
        f"Message-ID: <{uuid.uuid4()}@skyline.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.skyline.example\r\n\r\n"
        "Final-Recipient: rfc822; visits@skyline.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 No such\r\n user here\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <{event.uuid}@{configured.MAIL_DOMAIN}>\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()


def test_a_bounce_of_our_letter_marks_that_answer_with_the_reason(
    cast: Cast, now: datetime, client: Client
) -> None:
    event = letter(cast, now)
    assert take(cast, bounce(event), now, return_path="") is None
    event.refresh_from_db()
    assert event.state == OutboundState.FAILED
    assert "550 No such user here" in event.detail
    assert InboundEvent.objects.get().state == "processed"
    client.force_login(cast.ana)
    assert b"550 No such user here" in client.get("/outbox/").content


@pytest.mark.parametrize(
    ("action", "status"), [("delayed", "4.4.7"), ("delivered", "2.0.0"), ("relayed", "2.0.0")]
)
def test_what_is_only_late_or_arrived_is_no_failure(
    cast: Cast, now: datetime, action: str, status: str
) -> None:
    event = letter(cast, now)
    assert take(cast, bounce(event, action=action, status=status), now) is None
    event.refresh_from_db()
    assert event.state == OutboundState.SENT


def test_a_bounce_at_another_household_changes_nothing(cast: Cast, now: datetime) -> None:
    event = letter(cast, now)
    intake = f"{cast.mallory_household.intake_alias}@mail.localhost"
    found = take(cast, bounce(event), now, recipient=intake)
    event.refresh_from_db()
    assert event.state == OutboundState.SENT
    assert found is not None
    assert found.outcome == Outcome.HELD


def test_the_bounces_of_the_corpus_are_known_as_bounces(cast: Cast, now: datetime) -> None:
    if not CORPORA.exists():
        pytest.skip("the corpora are not here")
    paths = sorted(CORPORA.glob("mail/multipart_report_emails-*.eml"))
    for raw, path in {path.read_bytes(): path for path in paths}.items():  # two are the same
        found = take(cast, raw, now)
        assert found is not None, path.name
        assert (found.outcome, found.reason) == (Outcome.HELD, "automatic_reply"), path.name
        assert found.said["report"].get("action") in {"failed", "delayed"}, path.name
    assert not Notification.objects.exists()


def absence(**changes: str) -> bytes:
    heads = {"Subject": "Automatic reply: Your visit", "Auto-Submitted": "auto-replied", **changes}
    return message("x", **heads)


@pytest.mark.parametrize(
    "heads",
    [
        {},
        {"Auto-Submitted": "auto-generated", "Return-Path": "<>"},
        {"Auto-Submitted": "no", "X-Autoreply": "yes", "Subject": "Abwesenheit"},
        {"Auto-Submitted": "no", "Precedence": "auto_reply"},
    ],
)
def test_an_absence_tells_the_owner_nothing(
    cast: Cast, now: datetime, heads: dict[str, str]
) -> None:
    found = take(cast, absence(**heads), now)
    assert found is not None
    assert (found.outcome, found.reason) == (Outcome.HELD, "automatic_reply")
    assert not Card.objects.exists()
    assert not Notification.objects.exists()


def test_what_a_suppliers_system_sends_by_itself_is_no_absence(cast: Cast, now: datetime) -> None:
    raw = message("x", **{"Auto-Submitted": "auto-generated"})
    found = take(cast, raw, now)
    assert found is not None
    assert found.outcome == Outcome.SHOWN


def test_an_absence_is_never_answered(cast: Cast, now: datetime) -> None:
    take(cast, absence(From="robot@skyline.example"), now)
    assert letters.last_mails([cast.mandate.pk]) == {}


def test_our_own_letter_that_comes_back_starts_nothing(cast: Cast, now: datetime) -> None:
    event = letter(cast, now)
    raw = message("x", **{"Message-ID": f"<{event.uuid}@mail.localhost>"})
    found = take(cast, raw, now)
    assert found is not None
    assert found.outcome == Outcome.HELD


GMAIL = {
    "From": "Gmail Team <forwarding-noreply@google.com>",
    "Subject": "(#123456789) Gmail Forwarding Confirmation - Receive Mail from ana@gmail.example",
    "Authentication-Results": PASSED.format("google.com"),
}
GMAIL_TEXT = (
    "ana@gmail.example has requested to automatically forward mail to your email address.\n"
    "Confirmation code: 123456789\n\nTo allow this, click:\n"
    "https://mail-settings.google.com/mail/vf-%5Babc%5D-xyz\n"
)


def confirmation(text: str = GMAIL_TEXT, **heads: str) -> bytes:
    found = EmailMessage()
    for name, value in {**GMAIL, **heads}.items():
        found[name] = value
    found.set_content(text)
    return found.as_bytes()


def test_a_forwarding_confirmation_shows_its_code_at_the_door(
    cast: Cast, now: datetime, client: Client
) -> None:
    intake = f"{cast.household.intake_alias}@mail.localhost"
    for recipient in (intake, f"{cast.mandate.alias}@mail.localhost"):
        found = take(cast, confirmation(), now, recipient=recipient)
        assert found is not None
        assert (found.outcome, found.reason) == (Outcome.DOOR, "forwarding_confirmation")
        assert found.said["confirmation"] == {
            "who": "Gmail",
            "code": "123456789",
            "link": "https://mail-settings.google.com/mail/vf-%5Babc%5D-xyz",
        }
        assert found.said["facts"][0]["value"] == "123456789"
    client.force_login(cast.ana)
    page = client.get(f"/ways/?household={cast.household.uuid}").content.decode()
    assert "123456789" in page
    assert "mail-settings.google.com" in page
    api = client.get(f"/api/v1/contacts/{Contact.objects.latest('pk').uuid}/").json()
    assert api["confirmation"]["code"] == "123456789"


@pytest.mark.parametrize(
    ("sender", "subject", "text", "who", "code"),
    [
        ("account@accountprotection.microsoft.com", "Verify your address",
         "Your security code is: 4471", "Outlook", "4471"),
        ("noreply@email.apple.com", "Confirm your forwarding address",
         "Enter this code: 882201", "iCloud", "882201"),
        ("support@fastmail.com", "Verify forwarding",
         "https://www.fastmail.com/verify/abc", "Fastmail", ""),
        ("mailings@gmx.net", "Weiterleitung bestätigen", "Ihr Code lautet 99812", "GMX", "99812"),
        ("no-reply@posteo.de", "Weiterleitung bestätigen", "Code: 77120", "Posteo", "77120"),
    ],
)  # fmt: skip
def test_the_other_providers_are_known_too(
    cast: Cast, now: datetime, sender: str, subject: str, text: str, who: str, code: str
) -> None:
    passed = PASSED.format(sender.partition("@")[2])
    raw = confirmation(text, From=sender, Subject=subject, **{"Authentication-Results": passed})
    found = take(cast, raw, now, recipient=f"{cast.household.intake_alias}@mail.localhost")
    assert found is not None
    assert found.said["confirmation"]["who"] == who
    assert found.said["confirmation"].get("code", "") == code


@pytest.mark.parametrize(
    "heads",
    [
        {"From": "Gmail <forwarding-noreply@google.com.mallory.example>"},
        {"Authentication-Results": "mail.localhost; dmarc=fail header.from=google.com"},
        {"Subject": "Your invoice", "Message-ID": "<2@google.com>"},
    ],
    ids=["another domain", "not proved", "something else"],
)
def test_what_only_looks_like_one_is_none(cast: Cast, now: datetime, heads: dict[str, str]) -> None:
    text = "Hello." if "Subject" in heads else GMAIL_TEXT
    intake = f"{cast.household.intake_alias}@mail.localhost"
    found = take(cast, confirmation(text, **heads), now, recipient=intake)
    assert found is not None
    assert "confirmation" not in found.said


def test_a_link_that_leads_elsewhere_is_not_shown(cast: Cast, now: datetime) -> None:
    text = GMAIL_TEXT.replace(
        "mail-settings.google.com", "mail-settings.google.com.mallory.example"
    )
    found = take(cast, confirmation(text), now)
    assert found is not None
    assert "link" not in found.said["confirmation"]


# --- threads -----------------------------------------------------------------------------


def threads(contact: Contact | None) -> list[str]:
    assert contact is not None
    return [key["value"] for key in contact.said["keys"] if key["scheme"] == "thread"]


def test_older_mails_count_only_where_the_subject_says_it_is_an_answer(
    cast: Cast, now: datetime
) -> None:
    heads = {"In-Reply-To": "<b@x.example>", "References": "<a@x.example> <b@x.example>"}
    assert threads(take(cast, message("x", **heads), now)) == ["b@x.example"]
    again = message("x", Subject="Re: Your visit", **{**heads, "Message-ID": "<m2@x.example>"})
    assert threads(take(cast, again, now)) == ["b@x.example", "a@x.example"]


def test_an_answer_to_our_letter_joins_the_matter_that_the_letter_was_about(
    cast: Cast, now: datetime
) -> None:
    first = take(cast, message("x"), now)
    event = letter(cast, now + timedelta(hours=1))
    raw = message(
        "x", Subject="A new subject", **{"Message-ID": "<m9@skyline.example>"},
        **{"In-Reply-To": f"<{event.uuid}@{configured.MAIL_DOMAIN}>"},
    )  # fmt: skip
    answer = take(cast, raw.replace(b"Monday", b"no day"), now + timedelta(hours=2))
    assert threads(answer) == [f"{event.uuid}@{configured.MAIL_DOMAIN}", "m1@skyline.example"]
    assert first is not None
    assert answer is not None
    journeys = [contact.links.get().journey for contact in (first, answer)]
    assert journeys[0] == journeys[1]


def test_a_mail_without_a_name_is_known_when_it_comes_again(cast: Cast, now: datetime) -> None:
    raw = message("x").replace(b"Message-ID: <m1@skyline.example>\n", b"")
    assert b"Message-ID" not in raw
    assert take(cast, raw, now) is not None
    assert take(cast, b"Received: by elsewhere\n" + raw, now) is None
    assert InboundEvent.objects.count() == 1
