"""A lot is stored as its events would be one by one, whichever way it takes into the inbox."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from owners import doorbell
from suppliers import inbox
from suppliers.choices import Way
from suppliers.models import InboundEvent
from tests.factories import Cast
from tests.wire.sending import NOW


@pytest.fixture(autouse=True)
def _nobody_repeats() -> Iterator[None]:
    inbox.forget_repeats()
    yield
    inbox.forget_repeats()


def received(cast: Cast, number: int, **changes: Any) -> inbox.Received:
    given: dict[str, Any] = {
        "supplier_id": cast.skyline.pk,
        "household_id": None,
        "way": Way.WEBHOOK,
        "source": "/s",
        "event_id": f"e{number}",
        "type": "message.created",
        "payload": b'{"n": %d}' % number,
        "webhook_id": "w-1",
        **changes,
    }
    return inbox.Received(**given)


def stored() -> list[dict[str, Any]]:
    """Return every row but for its keys, with the payload opened."""
    return [
        {
            "body": row.body,
            **{
                name: getattr(row, name)
                for name in (
                    "supplier_id", "household_id", "way", "source", "event_id", "type", "routing",
                    "webhook_id", "received_at", "state", "code", "pointer", "detail", "claims",
                    "lease_until",
                )
            },
            "body_hash": bytes(row.body_hash),
        }
        for row in InboundEvent.objects.order_by("source", "event_id")
    ]  # fmt: skip


def statuses(found: list[inbox.Recorded]) -> list[tuple[str, str, str]]:
    return [(one.id, one.status, one.code) for one in found]


@pytest.mark.django_db
@pytest.mark.parametrize("household", [False, True])
@pytest.mark.parametrize("is_merged", [False, True])
def test_a_lot_is_stored_as_each_of_it_alone(
    cast: Cast,
    is_merged: bool,  # noqa: FBT001
    household: bool,  # noqa: FBT001
) -> None:
    changes: dict[str, Any] = {
        "routing": {"form": "binary", "attributes": {"id": 'ü\\"'}},
        "household_id": cast.household.pk if household else None,
    }
    lot = [
        received(cast, 1, **changes),
        received(cast, 2, **changes, source="/ß", event_id="naïve 𝄞", type=""),
        received(cast, 3, **changes, payload=b"", type="robot.danced"),
        received(cast, 4, **changes, payload=json.dumps({"x": "word " * 2000}).encode()),
    ]
    alone = statuses([inbox.record(received=[one], now=NOW)[0] for one in lot])
    wanted = stored()
    InboundEvent.objects.all().delete()
    if is_merged:
        before = received(cast, 9, **changes)
        inbox.record(received=[before, before], now=NOW)
        InboundEvent.objects.all().delete()
    assert statuses(inbox.record(received=lot, now=NOW)) == alone
    assert stored() == wanted
    assert len({row.uuid for row in InboundEvent.objects.all()}) == len(lot)
    assert {row.uuid.version for row in InboundEvent.objects.all()} == {4}


@pytest.mark.django_db
def test_a_lot_with_known_events_keeps_the_new_and_names_the_known(cast: Cast) -> None:
    for _ in range(2):  # the second time the supplier is expected to repeat itself
        InboundEvent.objects.all().delete()
        inbox.record(received=[received(cast, 2)], now=NOW - timedelta(hours=1))
        lot = [
            received(cast, 3),
            received(cast, 2),
            received(cast, 3, payload=b"other"),
            received(cast, 1),
            received(cast, 1),
        ]
        assert statuses(inbox.record(received=lot, now=NOW)) == [
            ("e3", "accepted", ""),
            ("e2", "duplicate", ""),
            ("e3", "duplicate", "id_reused"),
            ("e1", "accepted", ""),
            ("e1", "duplicate", ""),
        ]
        assert [row["body"] for row in stored()] == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']


@pytest.mark.django_db(transaction=True)
def test_a_kept_connection_that_died_costs_nobody_an_event(cast: Cast) -> None:
    for lot in ([1], [2, 3], [2, 2]):
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        with ThreadPoolExecutor(1) as other:
            other.submit(_end, pid).result()
        inbox.record(received=[received(cast, number) for number in lot], now=NOW)
    assert InboundEvent.objects.count() == 3


def _end(pid: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            assert cursor.fetchone() == (True,)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_lots_with_the_same_events_at_the_same_time_are_stored_once(cast: Cast) -> None:
    numbers = list(range(200))
    lots = [
        [received(cast, number) for number in some]
        for some in (numbers, numbers[::-1], numbers[100:] + numbers[:100], numbers[50:150])
    ]
    start = threading.Barrier(len(lots))

    def work(lot: list[inbox.Received]) -> list[inbox.Recorded]:
        try:
            start.wait(20)
            with doorbell.hushed():
                return inbox.record(received=lot, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(lots)) as pool:
        found = [one for some in pool.map(work, lots) for one in some]
    assert InboundEvent.objects.count() == len(numbers)
    assert sum(one.status == "accepted" for one in found) == len(numbers)
    assert not any(one.code for one in found)


@pytest.mark.django_db
def test_a_lot_may_be_part_of_a_greater_transaction(cast: Cast) -> None:
    with transaction.atomic():
        for _ in range(2):
            inbox.record(received=[received(cast, 1), received(cast, 2)], now=NOW)
            inbox.record(received=[received(cast, 2), received(cast, 3)], now=NOW)
    assert [row["event_id"] for row in stored()] == ["e1", "e2", "e3"]


@pytest.mark.django_db(transaction=True)
def test_a_bell_rings_when_what_it_tells_of_can_be_seen(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REDIS_URL = "redis://localhost:1/0"
    rung: list[str] = []
    monkeypatch.setattr(doorbell._ringer, "ring", rung.append)
    with transaction.atomic():
        doorbell.ring("inbox")
        assert rung == []
    assert rung == [doorbell.BELLS["inbox"]]
    doorbell.ring("feed")
    assert len(rung) == 2
