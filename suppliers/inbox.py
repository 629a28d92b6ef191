"""The inbox: everything that arrives is stored here first, and becomes contacts from here.

`record` answers only after the commit, so whoever was told "accepted" may forget the
event. `process_due` claims what waits; the row is the queue, so a process that dies
leaves nothing behind but a lease that runs out.
"""

import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from psycopg import Cursor
from psycopg.types.json import Jsonb

from owners import doorbell, prepared, sealing
from owners.models import Household, Owner
from suppliers import catalogue, copying
from suppliers.choices import Way
from suppliers.models import InboundEvent
from suppliers.processing import process_due

__all__ = ["Received", "Recorded", "log", "logged", "process_due", "record"]

ACCEPTED, DUPLICATE, UNKNOWN, REJECTED = "accepted", "duplicate", "unknown_type", "rejected"
OWNER_SOURCE = "/owners"
MERGE_FOR_S = 60.0  # how long a supplier that repeats itself is expected to go on so

OWN = ("uuid", "source", "event_id", "type", "body_hash", "payload")
SHARED = (
    "supplier_id", "household_id", "way", "routing", "webhook_id", "received_at", "state", "code",
    "pointer", "detail", "claims",
)  # fmt: skip
COLUMNS = ", ".join(OWN + SHARED)
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
APPEND = f"COPY suppliers_inboundevent ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
# The table stays with the connection: making one for each batch would bloat the catalogue.
LOAD_TABLE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS inbox_load ON COMMIT DELETE ROWS
    AS SELECT {COLUMNS} FROM suppliers_inboundevent WITH NO DATA
"""  # noqa: S608 - constants only
LOAD = f"COPY inbox_load ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
MERGE = f"""
    INSERT INTO suppliers_inboundevent ({COLUMNS})
    SELECT {COLUMNS} FROM inbox_load ORDER BY ctid
    ON CONFLICT ON CONSTRAINT inboundevent_once DO NOTHING
    RETURNING uuid
"""  # noqa: S608 - constants only
KEPT_OF_LOAD = """
    SELECT l.uuid, e.body_hash FROM inbox_load l JOIN suppliers_inboundevent e
    ON e.supplier_id = %s AND e.source = l.source AND e.event_id = l.event_id
    WHERE l.uuid = ANY(%s)
"""


Result = TypeVar("Result")


class Received(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    routing: dict[str, Any] = msgspec.field(default_factory=dict)
    webhook_id: str = ""


class Recorded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What became of one event: accepted, duplicate, unknown_type or rejected.

    Its JSON is the line of the answer.
    """

    id: str
    status: str
    code: str = ""
    pointer: str = ""
    detail: str = ""


class _Lot(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of events that share all but their own columns, before it is stored."""

    events: list[Received]
    keys: list[bytes]
    hashes: list[bytes]
    rows: bytes  # for COPY


def record(*, received: Sequence[Received], now: datetime) -> list[Recorded]:
    """Store the events and return, in their order, what became of each.

    Durable when it returns (unless the caller holds a transaction open). The same id
    again is a duplicate; with another body the first is kept and the code says so.
    """
    one = len(received) == 1
    found = [_record_one(received[0], now)] if one else _record_groups(received, now)
    doorbell.ring("inbox")
    return found


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
            found = _record_many(lot, supplier=key[0], now=now)
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


def logged(*, owner: Owner, event_id: str) -> InboundEvent | None:
    """Return what `owner` logged by hand under a key, in any household of theirs."""
    homes = Household.objects.for_owner(owner).values_list("uuid", flat=True)
    sources = [f"{OWNER_SOURCE}/{owner.uuid}/{home}" for home in homes]
    return InboundEvent.objects.filter(source__in=sources, event_id=event_id).first()


def _record_one(event: Received, now: datetime) -> Recorded:
    key = uuid.uuid4()
    payload = sealing.seal(
        event.payload, table="suppliers_inboundevent", key=str(key), field="payload"
    )
    digest = hashlib.sha256(event.payload).digest()
    values = (
        key, event.source, event.event_id, event.type, digest, payload, event.supplier_id,
        event.household_id, str(event.way), Jsonb(event.routing), event.webhook_id, now,
    )  # fmt: skip

    def insert() -> Recorded:
        if _is_new(values):
            return _stored(event)
        with _cursor() as cursor:
            if event.supplier_id is None:
                cursor.execute(KEPT_OF_NOBODY, (event.source, event.event_id))
            else:
                cursor.execute(KEPT, (event.supplier_id, event.source, event.event_id))
            kept = cursor.fetchone()
            return _repeated(event, is_same=kept is not None and bytes(kept[0]) == digest)

    return _surely(insert)


class _Inserting(threading.local):
    """This thread's cursor for the INSERT: run again, it knows how to write each value."""

    cursor: Cursor | None = None


_inserting = _Inserting()


def _is_new(values: tuple[Any, ...]) -> bool:
    """Insert one event; say whether it was not there yet."""
    known = prepared.connected()
    cursor = _inserting.cursor
    if cursor is None or cursor.connection is not known:
        cursor = _inserting.cursor = Cursor(known)
    with connection.wrap_database_errors:
        return cursor.execute(INSERT, values).fetchone() is not None


@contextmanager
def _cursor() -> Iterator[Cursor]:
    """Yield psycopg's own cursor, which binds on the server: no body in the SQL text."""
    known = prepared.connected()
    with connection.wrap_database_errors, Cursor(known) as cursor:
        yield cursor


def _surely(store: Callable[[], Result]) -> Result:
    """Store on the kept connection, or on a new one where that is dead since the server restarted.

    Once more cannot store it twice.
    """
    try:
        return store()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return store()


# Suppliers that sent events again, and until when (on the monotonic clock) more is expected.
_repeating: dict[int, float] = {}


def forget_repeats() -> None:
    """Drop what this process remembers of suppliers that repeat themselves: for tests."""
    _repeating.clear()


def _record_many(events: list[Received], *, supplier: int, now: datetime) -> list[Recorded]:
    """Store events that share supplier, household, way, routing and webhook id.

    New events go straight into the inbox, which is half the work of a merge. A single known
    one stops that, and what was written until then is waste; so who repeats events has them
    merged for a while.
    """
    lot = _lot(events, now)
    if _repeating.get(supplier, 0.0) < time.monotonic():
        try:
            _surely(lambda: _append(lot))
        except IntegrityError:
            _repeating[supplier] = time.monotonic() + MERGE_FOR_S
        else:
            return [_stored(event) for event in events]
    return _surely(lambda: _merge(lot, supplier))


def _append(lot: _Lot) -> None:
    with transaction.atomic(), _cursor() as cursor, cursor.copy(APPEND) as copy:
        copy.write(lot.rows)


def _merge(lot: _Lot, supplier: int) -> list[Recorded]:
    with transaction.atomic(), _cursor() as cursor:
        cursor.execute(LOAD_TABLE)
        with cursor.copy(LOAD) as copy:
            copy.write(lot.rows)
        new = {key.bytes for (key,) in cursor.execute(MERGE)}
        repeated = [uuid.UUID(bytes=key) for key in lot.keys if key not in new]
        kept: dict[bytes, bytes] = {}
        if repeated:
            cursor.execute(KEPT_OF_LOAD, (supplier, repeated))
            kept = {key.bytes: bytes(digest) for key, digest in cursor}
        if connection.in_atomic_block and len(connection.atomic_blocks) > 1:
            cursor.execute("TRUNCATE inbox_load")  # the commit that empties it is not ours
    return [
        _stored(event) if key in new else _repeated(event, is_same=kept.get(key) == digest)
        for event, key, digest in zip(lot.events, lot.keys, lot.hashes, strict=True)
    ]


def _lot(events: list[Received], now: datetime) -> _Lot:
    """Seal the events and write their rows, in bytes: at a thousand a time each call counts."""
    keys, names = _new_keys(len(events))
    payloads = [event.payload for event in events]
    hashes = [hashlib.sha256(payload).digest() for payload in payloads]
    sealed = sealing.seal_all(payloads, table="suppliers_inboundevent", keys=names, field="payload")
    first, size = events[0], copying.size
    begin = copying.begin_row(len(OWN) + len(SHARED)) + copying.UUID_SIZE
    end = b"".join(
        (
            copying.bigint(first.supplier_id), copying.bigint(first.household_id),
            copying.text(str(first.way)), copying.json(json.dumps(first.routing)),
            copying.text(first.webhook_id), copying.moment(now), copying.text("stored"),
            copying.text(""), copying.text(""), copying.text(""), copying.smallint(0),
        )
    )  # fmt: skip
    few: dict[str, bytes] = {}  # sources and types come again and again
    parts = [copying.BEGIN]
    # Sorted, so that two batches with the same ids wait for each other instead of locking up.
    for source, event_id, at in sorted(
        (event.source, event.event_id, at) for at, event in enumerate(events)
    ):
        kind, payload = events[at].type, sealed[at]
        parts += (
            begin, keys[at],
            few.get(source) or few.setdefault(source, copying.text(source)),
            copying.text(event_id),
            few.get(kind) or few.setdefault(kind, copying.text(kind)),
            copying.SHA256_SIZE, hashes[at], size(len(payload)), payload, end,
        )  # fmt: skip
    parts.append(copying.END)
    return _Lot(events=events, keys=keys, hashes=hashes, rows=b"".join(parts))


def _new_keys(count: int) -> tuple[list[bytes], list[str]]:
    """Return random UUIDs (version 4), as bytes and as text."""
    drawn = bytearray(os.urandom(16 * count))
    drawn[6::16] = bytes(byte & 0x0F | 0x40 for byte in drawn[6::16])
    drawn[8::16] = bytes(byte & 0x3F | 0x80 for byte in drawn[8::16])
    keys = [bytes(drawn[at : at + 16]) for at in range(0, 16 * count, 16)]
    texts = [key.hex() for key in keys]
    return keys, [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts]


def _stored(event: Received) -> Recorded:
    is_unknown = event.way == Way.WEBHOOK and event.type not in catalogue.INBOUND
    return Recorded(id=event.event_id, status=UNKNOWN if is_unknown else ACCEPTED)


def _repeated(event: Received, *, is_same: bool) -> Recorded:
    if is_same:
        return Recorded(id=event.event_id, status=DUPLICATE)
    return Recorded(
        id=event.event_id,
        status=DUPLICATE,
        code="id_reused",
        detail="This id came before with another body; the first is kept.",
    )
