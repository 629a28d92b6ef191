"""The inbox: everything that arrives is stored here first, and becomes contacts from here.

`record` answers only after the commit, so whoever was told "accepted" may forget the
event. `process_due` claims what waits; the row is the queue, so a process that dies
leaves nothing behind but a lease that runs out.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg import Cursor
from psycopg.types.json import Jsonb

from owners import doorbell, sealing
from owners.models import Household, Owner
from suppliers import catalogue
from suppliers.choices import Way
from suppliers.processing import process_due

__all__ = ["Received", "Recorded", "log", "process_due", "record"]

ACCEPTED, DUPLICATE, UNKNOWN, REJECTED = "accepted", "duplicate", "unknown_type", "rejected"
OWNER_SOURCE = "/owners"
PREPARE_FROM = 3  # times a statement is run on a connection before it is prepared

COLUMNS = (
    "uuid, supplier_id, household_id, way, source, event_id, type, body_hash, payload, routing,"
    " webhook_id, received_at, state, code, pointer, detail, claims"
)
INSERT = f"""
    INSERT INTO suppliers_inboundevent ({COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'stored', '', '', '', 0)
    ON CONFLICT ON CONSTRAINT inboundevent_once DO NOTHING
    RETURNING id
"""  # noqa: S608 - constants only
# Two statements, because IS NOT DISTINCT FROM cannot use the index.
KEPT = """
    SELECT body_hash FROM suppliers_inboundevent
    WHERE supplier_id = %s AND source = %s AND event_id = %s
"""
KEPT_OF_NOBODY = """
    SELECT body_hash FROM suppliers_inboundevent
    WHERE supplier_id IS NULL AND source = %s AND event_id = %s
"""
# The table stays with the connection: making one for each batch would bloat the catalogue.
LOAD_TABLE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS inbox_load (
        ordinal integer, uuid uuid, source text, event_id text, type text, body_hash bytea,
        payload bytea
    ) ON COMMIT DELETE ROWS
"""
COPY = """
    COPY inbox_load (ordinal, uuid, source, event_id, type, body_hash, payload)
    FROM STDIN (FORMAT BINARY)
"""
COPY_TYPES = ("int4", "uuid", "text", "text", "text", "bytea", "bytea")
# Sorted, so that two batches with the same ids wait for each other instead of locking up.
MOVE = f"""
    INSERT INTO suppliers_inboundevent ({COLUMNS})
    SELECT uuid, %s, %s, %s, source, event_id, type, body_hash, payload,
           %s, %s, %s, 'stored', '', '', '', 0
    FROM inbox_load ORDER BY source, event_id, ordinal
    ON CONFLICT ON CONSTRAINT inboundevent_once DO NOTHING
    RETURNING uuid
"""  # noqa: S608 - constants only
KEPT_OF_LOAD = """
    SELECT l.uuid, e.body_hash FROM inbox_load l JOIN suppliers_inboundevent e
    ON e.supplier_id = %s AND e.source = l.source AND e.event_id = l.event_id
    WHERE l.uuid = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One event as an entrance hands it over.

    `source` and `event_id` identify it for ever, within the supplier where there is one.
    `routing` holds what the entrance learned: recipient, sender's proof, numbers, how the
    envelope was put; never content.
    """

    supplier_id: int | None
    household_id: int | None
    way: str
    source: str
    event_id: str
    type: str
    payload: bytes
    routing: dict[str, Any] = field(default_factory=dict)
    webhook_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of one event: accepted, duplicate, unknown_type or rejected."""

    id: str
    status: str
    code: str = ""
    pointer: str = ""
    detail: str = ""


@dataclass(slots=True)
class _Row:
    uuid: uuid.UUID
    hash: bytes
    payload: bytes


def record(*, received: Sequence[Received], now: datetime) -> list[Recorded]:
    """Store the events and return, in their order, what became of each.

    Durable when it returns (unless the caller holds a transaction open). The same id
    again is a duplicate; with another body the first is kept and the code says so.
    """
    one = len(received) == 1
    found = [_record_one(received[0], now)] if one else _record_groups(received, now)
    transaction.on_commit(_ring)
    return found


def _ring() -> None:
    doorbell.ring("inbox")


def _record_groups(received: Sequence[Received], now: datetime) -> list[Recorded]:
    """Store in lots that differ in nothing but the event: so a lot is one COPY."""
    results: dict[int, Recorded] = {}
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, event in enumerate(received):
        routing = json.dumps(event.routing, sort_keys=True) if event.routing else ""
        key = (event.supplier_id, event.household_id, event.way, event.webhook_id, routing)
        groups.setdefault(key, []).append(index)
    for key, indexes in groups.items():
        lot = [received[index] for index in indexes]
        if key[0] is None or len(lot) == 1:
            found = [_record_one(event, now) for event in lot]
        else:
            found = _record_many(lot, now)
        results.update(zip(indexes, found, strict=True))
    return [results[index] for index in range(len(received))]


def log(
    *, owner: Owner, household: Household, data: dict[str, Any], now: datetime, key: str = ""
) -> Recorded:
    """Store what `owner` logged by hand; `key` (an idempotency key) makes a repeat one log."""
    event_id = key or str(uuid.uuid4())
    received = Received(
        supplier_id=None,
        household_id=household.pk,
        way=Way.OWNER,
        source=f"{OWNER_SOURCE}/{owner.uuid}/{household.uuid}",
        event_id=event_id,
        type="",
        payload=json.dumps(data, separators=(",", ":")).encode(),
        routing={"owner": owner.pk, "supplier": str(data.get("supplier") or "")},
    )
    return record(received=[received], now=now)[0]


def _row(event: Received) -> _Row:
    key = uuid.uuid4()
    payload = sealing.seal(
        event.payload, table="suppliers_inboundevent", key=str(key), field="payload"
    )
    return _Row(key, hashlib.sha256(event.payload).digest(), payload)


def _record_one(event: Received, now: datetime) -> Recorded:
    row = _row(event)
    try:
        return _insert(event, row, now)
    except (OperationalError, InterfaceError):
        # A kept connection may be dead since the server restarted. Once more on a new one
        # cannot store it twice.
        if connection.in_atomic_block:
            raise
        connection.close()
        return _insert(event, row, now)


def _insert(event: Received, row: _Row, now: datetime) -> Recorded:
    values = (
        row.uuid, event.supplier_id, event.household_id, str(event.way), event.source,
        event.event_id, event.type, row.hash, row.payload, Jsonb(event.routing), event.webhook_id,
        now,
    )  # fmt: skip
    connection.ensure_connection()
    if settings.DATABASE_PREPARES:
        # Planning this statement costs the server as much as running it. Django's own
        # cursors never prepare, so the threshold is for this one only.
        connection.connection.prepare_threshold = PREPARE_FROM
    # psycopg's own cursor binds on the server: no escaping of the body into the SQL text.
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        if cursor.execute(INSERT, values).fetchone() is not None:
            return _stored(event)
        if event.supplier_id is None:
            cursor.execute(KEPT_OF_NOBODY, (event.source, event.event_id))
        else:
            cursor.execute(KEPT, (event.supplier_id, event.source, event.event_id))
        kept = cursor.fetchone()
        return _repeated(event, is_same=kept is not None and bytes(kept[0]) == row.hash)


def _record_many(events: list[Received], now: datetime) -> list[Recorded]:
    """Store events that share supplier, household, way, routing and webhook id."""
    rows = [_row(event) for event in events]
    first = events[0]
    shared = (
        first.supplier_id, first.household_id, str(first.way), Jsonb(first.routing),
        first.webhook_id, now,
    )  # fmt: skip
    with transaction.atomic(), Cursor(connection.connection) as cursor:
        cursor.execute(LOAD_TABLE)
        with cursor.copy(COPY) as copy:
            copy.set_types(COPY_TYPES)
            for ordinal, (event, row) in enumerate(zip(events, rows, strict=True)):
                copy.write_row(
                    (
                        ordinal, row.uuid, event.source, event.event_id, event.type, row.hash,
                        row.payload,
                    )
                )  # fmt: skip
        new = {key for (key,) in cursor.execute(MOVE, shared)}
        repeated = [row.uuid for row in rows if row.uuid not in new]
        kept: dict[uuid.UUID, bytes] = {}
        if repeated:
            cursor.execute(KEPT_OF_LOAD, (first.supplier_id, repeated))
            kept = {key: bytes(digest) for key, digest in cursor}
        if connection.in_atomic_block and len(connection.atomic_blocks) > 1:
            cursor.execute("TRUNCATE inbox_load")  # the commit that empties it is not ours
    return [
        _stored(event)
        if row.uuid in new
        else _repeated(event, is_same=kept.get(row.uuid) == row.hash)
        for event, row in zip(events, rows, strict=True)
    ]


def _stored(event: Received) -> Recorded:
    is_unknown = event.way == Way.WEBHOOK and event.type not in catalogue.INBOUND
    return Recorded(id=event.event_id, status=UNKNOWN if is_unknown else ACCEPTED)


def _repeated(event: Received, *, is_same: bool) -> Recorded:
    answer = Recorded(id=event.event_id, status=DUPLICATE)
    if is_same:
        return answer
    return replace(
        answer, code="id_reused", detail="This id came before with another body; the first is kept."
    )
