"""What was not meant for Ana: by sender, with its evidence, and made to stop."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core import mail as outgoing
from django.test import Client, override_settings

from notifications import pipeline
from notifications.models import Journey, Link
from owners import clock
from owners.choices import Rank, Trust
from suppliers import guard, inbox, mail, mandates, outbox, unsubscribing
from suppliers.choices import ContactKind, MandateState, Outcome
from suppliers.models import Contact, OutboundAttempt, OutboundEvent
from tests import factories
from tests.api.conftest import app_of

URL = "https://news.skyline.example/u/1"
SIGNS = ["list_unsubscribe", "bulk_precedence", "words:sale"]


@pytest.fixture
def browser(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


def advert(cast: factories.Cast, **given: Any) -> Contact:
    """Return an advert of Skyline's that is held."""
    said = given.pop("said", {})
    at = given.pop("said_at", clock.now() - timedelta(days=1))
    values: dict[str, Any] = {
        "household": cast.household,
        "supplier": cast.skyline,
        "mandate": cast.mandate,
        "kind": ContactKind.ADVERT,
        "trust": Trust.AUTHENTICATED,
        "outcome": Outcome.HELD,
        "reason": "purpose_not_granted",
        "refusal": "purpose_not_granted",
        "said_at": at,
    }
    body = {
        "kind": "advert",
        "medium": "email",
        "said_at": at.isoformat(),
        "sender": "news@skyline.example",
        "title": "Only this week",
        "body": "A sale of everything.",
        "purpose": "marketing",
        "authentication": "pass",
        "advert_signs": SIGNS,
        "unsubscribe": {"url": URL, "is_one_click": True},
    }
    return factories.ContactFactory.create(**(values | given), said=body | said)


def answering(monkeypatch: pytest.MonkeyPatch, status: int) -> list[dict[str, Any]]:
    """Let the sender's server answer, and return what it is asked."""
    asked: list[dict[str, Any]] = []

    def post(url: str, **given: Any) -> guard.Answer:
        asked.append({"url": url, **given})
        return guard.Answer(status=status)

    monkeypatch.setattr(guard, "post", post)
    return asked


def later() -> datetime:
    return clock.now() + unsubscribing.SECOND_THOUGHTS + timedelta(seconds=1)


def test_adverts_are_counted_by_sender_with_their_evidence(
    cast: factories.Cast, browser: Client
) -> None:
    advert(cast)
    advert(cast, said={"title": "Last chance"})
    advert(cast, said={"sender": "club@skyline.example"})
    page = browser.get("/held/").content.decode()
    assert page.count("data-card") == 2
    assert "2 held back" in page
    assert "it has an unsubscribe link; it was sent in bulk; it says “sale”" in page
    assert "You granted Skyline TV: Service, Billing, Feedback. Not: Marketing." in page
    today = browser.get("/").content.decode()
    assert "3 adverts are held back." in today


def test_one_tap_sends_the_one_request_and_shows_that_it_was_confirmed(
    cast: factories.Cast, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = advert(cast)
    asked = answering(monkeypatch, 202)
    with override_settings(OUTBOX_ALLOWED_NETWORKS=["10.0.0.0/8"]):
        browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
        assert outbox.send_due(now=clock.now()) == 0
        assert outbox.send_due(now=later()) == 1
    (request,) = asked
    assert (request["url"], request["body"]) == (URL, b"List-Unsubscribe=One-Click")
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert request["allowed"] == ()
    page = browser.get("/held/").content.decode()
    assert "Unsubscribed" in page
    assert "news.skyline.example has confirmed it." in page
    assert f'action="/contacts/{contact.uuid}/unsubscribe/"' not in page


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (404, "failed", "refused it (answer 404)"),
        (302, "failed", "refused it (answer 302)"),
        (503, "pending", "did not answer yet; asked again soon"),
        (429, "pending", "did not answer yet; asked again soon"),
    ],
)
def test_what_fails_says_why_and_only_what_may_pass_is_tried_again(
    cast: factories.Cast,
    browser: Client,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    state: str,
    words: str,
) -> None:
    contact = advert(cast)
    answering(monkeypatch, status)
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    outbox.send_due(now=later())
    event = OutboundEvent.objects.get()
    assert event.state == state
    assert OutboundAttempt.objects.get().status == status
    assert words in browser.get("/held/").content.decode()


def test_an_address_inside_the_network_is_never_called(
    cast: factories.Cast, browser: Client
) -> None:
    contact = advert(
        cast, said={"unsubscribe": {"url": "https://127.0.0.1/u", "is_one_click": True}}
    )
    with override_settings(OUTBOX_ALLOWED_NETWORKS=["127.0.0.0/8"]):
        browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
        outbox.send_due(now=later())
    event = OutboundEvent.objects.get()
    assert (event.state, event.detail) == ("failed", "blocked: address_literal")
    assert "must not be called from here" in browser.get("/held/").content.decode()


def test_a_server_that_is_away_is_asked_again(
    cast: factories.Cast, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(url: str, **given: Any) -> guard.Answer:
        raise httpx.ConnectTimeout("away")

    contact = advert(cast)
    monkeypatch.setattr(guard, "post", post)
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    outbox.send_due(now=later())
    event = OutboundEvent.objects.get()
    assert event.state == "pending"
    assert event.next_at > later()


def test_a_mail_goes_from_the_alias_as_the_sender_asked(
    cast: factories.Cast, browser: Client
) -> None:
    target = "mailto:leave@skyline.example?subject=unsubscribe%20123&body=Bye"
    contact = advert(cast, said={"unsubscribe": {"mailto": target}})
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    outbox.send_due(now=later())
    (letter,) = outgoing.outbox
    assert (letter.to, letter.subject, letter.body) == (
        ["leave@skyline.example"],
        "unsubscribe 123",
        "Bye",
    )
    assert letter.from_email == mandates.alias_address(cast.mandate)
    assert "Asked by mail to leave@skyline.example." in browser.get("/held/").content.decode()


def test_a_mailto_cannot_smuggle_a_second_recipient(cast: factories.Cast, browser: Client) -> None:
    target = "mailto:leave@skyline.example%0d%0aBcc:x@y.example"
    contact = advert(cast, said={"unsubscribe": {"mailto": target}})
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    outbox.send_due(now=later())
    assert outgoing.outbox == []
    assert OutboundEvent.objects.get().state == "failed"


@pytest.mark.parametrize(
    "given",
    [
        {"trust": Trust.UNAUTHENTICATED},
        {"supplier": None, "mandate": None, "trust": Trust.UNKNOWN},
        {"suspicion": "foreign_payment_link"},
    ],
)
def test_nobody_is_unsubscribed_from_a_sender_that_is_not_proved(
    cast: factories.Cast, browser: Client, given: dict[str, Any]
) -> None:
    contact = advert(cast, **given)
    page = browser.get("/held/").content.decode()
    assert "Steward does not unsubscribe you here" in page
    assert "mail-x" not in page.partition("data-card")[2]
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    assert not OutboundEvent.objects.exists()


def test_a_page_of_theirs_is_only_opened_by_the_owner(
    cast: factories.Cast, browser: Client
) -> None:
    contact = advert(cast, said={"unsubscribe": {"url": URL}})
    page = browser.get("/held/").content.decode()
    assert f'href="{URL}" rel="noopener noreferrer"' in page
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    assert not OutboundEvent.objects.exists()


def test_second_thoughts_ask_nobody(
    cast: factories.Cast, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = advert(cast)
    asked = answering(monkeypatch, 200)
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/undo/")
    outbox.send_due(now=later())
    assert asked == []
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    outbox.send_due(now=later())
    answer = browser.post(f"/contacts/{contact.uuid}/unsubscribe/undo/", follow=True)
    assert "It has gone out already, and cannot be called back." in answer.content.decode()


def test_what_comes_after_two_days_ignored_it(
    cast: factories.Cast, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    contact = advert(cast, said_at=now - timedelta(days=9))
    answering(monkeypatch, 200)
    unsubscribing.ask(contact=contact, owner=cast.ana, now=now - timedelta(days=8))
    outbox.send_due(now=now - timedelta(days=7))
    advert(cast, said_at=now - timedelta(days=6))  # on its way already
    page = browser.get("/held/").content.decode()
    assert "Ignored your unsubscribe" not in page
    newest = advert(cast, said_at=now - timedelta(days=1))
    page = browser.get("/held/").content.decode()
    assert "Ignored your unsubscribe" in page
    assert "1 more came since." in page
    assert f"/contacts/{newest.uuid}/unsubscribe/" in page


def test_what_was_meant_joins_the_feed_and_can_be_held_again(
    cast: factories.Cast, browser: Client
) -> None:
    contact = advert(cast)
    browser.post(f"/contacts/{contact.uuid}/act/", {"name": "meant", "next": "/held/"})
    contact.refresh_from_db()
    assert contact.outcome == Outcome.SHOWN
    journey = Journey.objects.get(is_emptied=False)
    assert journey.links.filter(revoked_at=None).get().contact == contact
    browser.post(f"/contacts/{contact.uuid}/meant/undo/")
    contact.refresh_from_db()
    assert (contact.outcome, contact.refusal) == (Outcome.HELD, "purpose_not_granted")
    assert not Link.objects.filter(contact=contact, revoked_at=None).exists()


def raw(subject: str) -> bytes:
    """Return an advert as it is sent."""
    lines = [
        "From: Skyline News <news@skyline.example>",
        f"Subject: {subject}",
        "Message-ID: <1@skyline.example>",
        "Authentication-Results: mail.localhost; dmarc=pass header.from=skyline.example",
        f"List-Unsubscribe: <{URL}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Precedence: bulk",
        "",
        "Sale! 20% off everything, this week only. Shop now. Unsubscribe here.",
    ]
    return "\r\n".join(lines).encode()


def test_offers_that_are_allowed_are_shown_from_then_on(
    cast: factories.Cast, browser: Client
) -> None:
    alias, now = mandates.alias_address(cast.mandate), clock.now()
    mail.receive(raw=raw("Sale"), recipient=alias, now=now)
    pipeline.pump(now_fn=clock.now)
    assert Contact.objects.get().outcome == Outcome.HELD
    browser.post(
        f"/mandates/{cast.mandate.uuid}/purpose/",
        {"purpose": "marketing", "on": "1", "next": "/held/"},
    )
    mail.receive(raw=raw("Another sale").replace(b"<1@", b"<2@"), recipient=alias, now=now)
    inbox.process_due(now=clock.now())
    pipeline.pump(now_fn=clock.now)
    newest = Contact.objects.order_by("-pk").first()
    assert newest is not None
    assert newest.outcome == Outcome.SHOWN
    assert unsubscribing.count(owner=cast.ana, now=clock.now()) == 1


def test_viewers_see_and_ask_nobody(cast: factories.Cast, browser: Client) -> None:
    contact = advert(cast)
    cast.membership.rank = Rank.VIEWER
    cast.membership.save()
    assert browser.get("/held/").status_code == 200
    assert browser.post(f"/contacts/{contact.uuid}/unsubscribe/").status_code == 403
    assert not OutboundEvent.objects.exists()


def test_an_ended_mandates_sender_is_asked_from_its_old_alias(
    cast: factories.Cast, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = advert(cast)
    cast.mandate.state, cast.mandate.ended_at = MandateState.ENDED, clock.now()
    cast.mandate.save()
    asked = answering(monkeypatch, 200)
    browser.post(f"/contacts/{contact.uuid}/unsubscribe/")
    outbox.send_due(now=later())
    assert len(asked) == 1


def test_apps_see_what_is_held_and_ask_to_stop(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = advert(cast)
    app = app_of(cast.ana)
    (sender,) = app.get("/api/v1/held/").json()["results"]
    assert (sender["name"], sender["count"], sender["way"]) == ("Skyline TV", 1, "one_click")
    assert sender["contacts"] == [str(contact.uuid)]
    address = f"/api/v1/contacts/{contact.uuid}/unsubscribe/"
    assert app.post(address).status_code == 202
    assert app.delete(address).status_code == 204
    assert app.post(address).json()["state"] == "asked"
    answering(monkeypatch, 500)
    outbox.send_due(now=later())
    refused = app.delete(address)
    assert (refused.status_code, refused.json()["code"]) == (409, "gone")
    unproved = advert(cast, trust=Trust.UNAUTHENTICATED)
    refused = app.post(f"/api/v1/contacts/{unproved.uuid}/unsubscribe/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_proved")
    meant = app.post(f"/api/v1/contacts/{contact.uuid}/actions/meant/")
    assert meant.json()["outcome"] == "shown"


@pytest.mark.parametrize("number", [2, 20])
def test_the_page_takes_as_many_queries_for_twenty_senders_as_for_two(
    cast: factories.Cast, browser: Client, number: int, django_assert_max_num_queries: Any
) -> None:
    for one in range(number):
        advert(cast, said={"sender": f"news{one}@skyline.example"})
    with django_assert_max_num_queries(16):
        assert browser.get("/held/").status_code == 200


def test_who_asks_how_it_was_may_be_allowed_just_that(
    cast: factories.Cast, browser: Client
) -> None:
    cast.mandate.purposes = ["service", "billing"]
    cast.mandate.save()
    advert(cast, said={"purpose": "feedback"})
    page = browser.get("/held/").content.decode()
    assert 'name="purpose" value="feedback"' in page
    assert "Skyline TV: Feedback" in page
    assert "offers" not in page
