"""Load balancers and operators learn the truth, and nobody else learns anything."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError
from django.test import Client, override_settings

from config import health
from suppliers.models import InboundEvent


@pytest.fixture
def stored_late(db: None, now: datetime) -> InboundEvent:
    return InboundEvent.objects.create(
        way="webhook",
        source="/suppliers/skyline",
        event_id="e1",
        body_hash=b"0" * 32,
        received_at=now - timedelta(minutes=5),
    )


def test_a_living_process_says_so_without_the_database(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.content == b"ok\n"


@pytest.mark.django_db
def test_nothing_due_is_ready(client: Client) -> None:
    answer = client.get("/readyz").json()
    assert answer["status"] in {"ok", "degraded"}
    assert set(answer["oldest_due_seconds"].values()) == {0.0}


def test_the_age_of_the_oldest_waiting_row_is_told(
    stored_late: InboundEvent, now: datetime
) -> None:
    assert health.queues(now)["inbox"] == (1, 300.0)


def test_a_row_nobody_works_on_degrades_but_keeps_the_intake(
    client: Client, stored_late: InboundEvent
) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"


@pytest.mark.django_db
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_a_dead_redis_degrades_but_keeps_the_intake(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["redis"] is False
    assert response.json()["status"] == "degraded"


@pytest.mark.django_db
def test_a_dead_database_takes_the_process_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: datetime) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(health, "queues", fail)
    assert client.get("/readyz").status_code == 503


def test_metrics_name_every_queue(client: Client, stored_late: InboundEvent) -> None:
    text = client.get("/metrics").content.decode()
    assert 'steward_due_rows{queue="inbox"} 1.0' in text
    for queue in ("inbox", "contacts", "notifications", "deliveries", "outbound"):
        assert f'steward_oldest_due_seconds{{queue="{queue}"}}' in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "::1", 200),
        ({}, "192.0.2.7", 403),
        ({"x-forwarded-for": "192.0.2.7"}, "127.0.0.1", 403),
    ],
)
def test_without_a_token_only_this_machine_may_scrape(
    client: Client, headers: dict[str, str], address: str, status: int
) -> None:
    response = client.get("/metrics", headers=headers, REMOTE_ADDR=address)
    assert response.status_code == status


@pytest.mark.django_db
@override_settings(METRICS_TOKEN="let-me-look")
@pytest.mark.parametrize(("token", "status"), [("let-me-look", 200), ("wrong", 403), ("", 403)])
def test_with_a_token_only_its_bearer_may_scrape(client: Client, token: str, status: int) -> None:
    response = client.get(
        "/metrics", headers={"authorization": f"Bearer {token}"}, REMOTE_ADDR="127.0.0.1"
    )
    assert response.status_code == status


def test_every_answer_carries_a_request_id(client: Client) -> None:
    assert len(client.get("/healthz")["X-Request-ID"]) == 16
    given = client.get("/healthz", headers={"x-request-id": "from-the-proxy-1"})
    assert given["X-Request-ID"] == "from-the-proxy-1"
    forged = client.get("/healthz", headers={"x-request-id": "a b\u001b[31m"})
    assert forged["X-Request-ID"] != "a b\u001b[31m"
