"""The owner sees how each answer arrived, and what to do where it did not."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from notifications import answers
from owners import clock
from suppliers import outbox
from suppliers.models import OutboundAttempt, OutboundEvent, OutboundState
from tests.factories import Cast, JourneyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(cast: Cast, now: datetime) -> OutboundEvent:
    """Return an answer of Ana's that an endpoint refused until nobody tried any more."""
    cast.skyline.webhook_url = "https://hooks.skyline.example/in"
    cast.skyline.technical_contact = "desk@skyline.example"
    cast.skyline.save()
    journey = JourneyFactory.create(household=cast.household)
    cast.mandate.refresh_from_db()
    data = {"journey": str(journey.uuid), "body": "Please ring the upper bell."}
    event = outbox.send(mandate=cast.mandate, type="owner.message.sent", data=data, now=now)
    event.state, event.tried, event.attempts = OutboundState.FAILED, 10, 10
    event.save()
    attempt = OutboundAttempt(event=event, number=10, at=now, status=500, via="webhook")
    attempt.sealed_answer = b"sealed"
    attempt.save()
    return event


@pytest.fixture
def ana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.ana)
    return client


def test_what_did_not_arrive_is_on_the_line_with_its_reason_and_other_ways(
    answered: OutboundEvent, ana: Client, now: datetime
) -> None:
    for address in (f"/journeys/{answered.journey}/", "/outbox/"):
        with clock.fixed(now + timedelta(hours=1)):
            page = ana.get(address).content.decode()
        assert "It was tried for days and did not reach Skyline" in page
        assert "Send again" in page
        assert "Send by mail" in page
        assert "sealed" not in page  # what the endpoint said is its supplier's alone


def test_one_tap_sends_it_by_another_way_and_it_is_shown_how_it_arrived(
    answered: OutboundEvent, ana: Client, now: datetime
) -> None:
    later = now + timedelta(hours=1)
    with clock.fixed(later):
        ana.post(f"/answers/{answered.uuid}/send/", {"via": "mail"})
        outbox.send_due(now=later)
        page = ana.get(f"/journeys/{answered.journey}/").content.decode()
    answered.refresh_from_db()
    assert (answered.via, answered.state, answered.sent_at) == ("mail", "sent", later)
    assert "It went to Skyline TV by mail." in page
    assert "Send again" not in page


def test_the_same_through_the_api(answered: OutboundEvent, ana: Client, now: datetime) -> None:
    (shown,) = ana.get(f"/api/v1/answers/?journey={answered.journey}").json()["results"]
    assert (shown["via"], shown["state"], shown["tried"]) == ("webhook", "failed", 10)
    (same,) = ana.get(f"/api/v1/journeys/{answered.journey}/").json()["answers"]
    assert [way["via"] for way in same.pop("other_ways")] == ["mail"]
    assert same.items() <= shown.items()
    send = f"/api/v1/answers/{answered.uuid}/send/"
    wrong: Any = ana.post(send, {"via": "sms"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "no_such_way")
    with clock.fixed(now):
        again = ana.post(send, {}, content_type="application/json").json()
    assert (again["state"], again["via"]) == ("pending", "webhook")


def test_what_arrived_is_not_sent_again_by_its_owner(
    answered: OutboundEvent, ana: Client, now: datetime
) -> None:
    OutboundEvent.objects.update(state=OutboundState.SENT, sent_at=now)
    send = f"/api/v1/answers/{answered.uuid}/send/"
    assert ana.post(send, {}, content_type="application/json").status_code == 409
    shown = answers.show(OutboundEvent.objects.get())
    assert shown["why"] == "Skyline TV's systems took it."


def test_nobody_elses_answers_are_seen_or_sent(
    answered: OutboundEvent, cast: Cast, client: Client
) -> None:
    client.force_login(cast.mallory)
    assert client.get("/api/v1/answers/").json()["results"] == []
    send = {"via": "mail"}
    assert client.post(f"/answers/{answered.uuid}/send/", send).status_code == 404
    assert client.post(f"/api/v1/answers/{answered.uuid}/send/", send).status_code == 404
