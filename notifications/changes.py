"""What changed of an owner's objects since a cursor, for apps that keep a copy offline.

Every change carries the number of its transaction. Numbers are given when a transaction
begins to write, and it may commit after one with a higher number; so only changes below
the oldest transaction still under way are handed out, and the cursor never passes one
that could still appear. A long transaction delays news and loses none.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from notifications.models import Change
from owners.models import Membership, Owner
from suppliers.models import Supplier

KINDS = ("journey", "card", "asset", "supplier", "appointment")
LONGEST = 20_000  # characters of a cursor


class CursorError(Exception):
    """The cursor is none of ours, or of a database that was restored since: start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """That one object changed. A household that was left has the kind `household`."""

    kind: str
    id: UUID
    household: UUID | None
    version: int
    is_gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Changes in order, and the cursor behind them."""

    rows: list[Row]
    cursor: str
    has_more: bool


@dataclass(slots=True)
class _Place:
    """How far one household is read: behind this transaction and row."""

    xact: int = 0
    row: int = 0
    uuid: str = ""


_NOW = """
    SELECT s.now::text, pg_snapshot_xmax(s.now)::text::bigint,
           (SELECT system_identifier FROM pg_control_system()) || '-' ||
           (SELECT oid FROM pg_database WHERE datname = current_database())
    FROM (SELECT pg_current_snapshot() AS now) s
"""
# A transaction holds the lock on its number until what it wrote can be seen. So what ran
# when we looked and holds it no more is over; other databases' never wrote here.
_UNDER_WAY = """
    SELECT min(running.number::text::bigint)
    FROM pg_snapshot_xip(%s::pg_snapshot) AS running(number)
    JOIN pg_locks held ON held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock'
        AND held.transactionid = running.number::xid
    WHERE NOT EXISTS (
        SELECT FROM pg_stat_activity there
        JOIN pg_database here ON here.datname = current_database()
        WHERE there.pid = held.pid AND there.datid <> here.oid
    )
"""
_HEAL = """
    UPDATE notifications_change SET xact = pg_current_xact_id()::text::bigint
    WHERE xact >= %s AND (household_id IS NULL OR household_id = ANY(%s))
"""
_READ = """
    SELECT p.household, found.* FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
        AS p(household, xact, id)
    CROSS JOIN LATERAL (
        SELECT c.xact, c.id, c.kind, c.object, c.version, c.is_deleted
        FROM notifications_change c
        WHERE c.household_id = p.household AND (c.xact, c.id) > (p.xact, p.id) AND c.xact < %s
        ORDER BY c.xact, c.id LIMIT %s
    ) found
    ORDER BY p.household, found.xact, found.id LIMIT %s
"""


def read(*, owner: Owner, since: str, limit: int) -> Page:
    """Return up to `limit` changes behind `since`; an empty cursor starts at the beginning.

    Raises CursorError when the copy has to be made anew.
    """
    homes = dict(
        Membership.objects.filter(owner=owner).values_list("household_id", "household__uuid")
    )
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        snapshot, newest, place = cursor.fetchone()
        # After the look and not with it; what is read below is read later still.
        cursor.execute(_UNDER_WAY, [snapshot])
        (running,) = cursor.fetchone()
    oldest = newest if running is None else running
    places, everybodys = _opened(since, place=place, oldest=oldest)
    # A restored copy brings numbers this server has not reached yet.
    if Change.objects.filter(household__in=[*homes], xact__gte=newest).exists():
        with connection.cursor() as cursor:
            cursor.execute(_HEAL, [newest, [*homes]])
    rows = [
        Row(kind="household", id=UUID(left.uuid), household=None, version=0, is_gone=True)
        for pk, left in places.items()
        if pk not in homes
    ]
    places = {pk: places.get(pk, _Place(uuid=str(uuid))) for pk, uuid in homes.items()}
    found, has_more = _of_households(places, homes, oldest=oldest, limit=limit)
    rows += found
    if not has_more:
        rest = max(1, limit - len(found))
        found, has_more = _of_everybody(everybodys, owner, oldest=oldest, limit=rest)
        rows += found
    return Page(rows=rows, cursor=_written(places, everybodys, place), has_more=has_more)


def _of_households(
    places: dict[int, _Place], homes: dict[int, UUID], *, oldest: int, limit: int
) -> tuple[list[Row], bool]:
    """Read the households one after the other, and note how far each was read."""
    order = sorted(places)
    with connection.cursor() as cursor:
        starts = [[places[pk].xact for pk in order], [places[pk].row for pk in order]]
        cursor.execute(_READ, [order, *starts, oldest, limit + 1, limit + 1])
        raw = cursor.fetchall()
    has_more, raw = len(raw) > limit, raw[:limit]
    for pk, xact, row, *_rest in raw:
        places[pk].xact, places[pk].row = xact, row
    # Households before the last one read are read to the end; without more, all are.
    last = raw[-1][0] if has_more else None
    for pk in order:
        if last is None or pk < last:
            places[pk].xact, places[pk].row = oldest, 0
    rows = [
        Row(kind=kind, id=object_id, household=homes[pk], version=version, is_gone=is_gone)
        for pk, _xact, _row, kind, object_id, version, is_gone in raw
    ]
    return rows, has_more


def _of_everybody(
    place: _Place, owner: Owner, *, oldest: int, limit: int
) -> tuple[list[Row], bool]:
    """Read what changed of suppliers themselves, for all who have them."""
    mine = Supplier.objects.for_owner(owner).values("uuid")
    found = list(
        Change.objects.filter(household=None, object__in=mine, xact__lt=oldest)
        .filter(Q(xact__gt=place.xact) | Q(xact=place.xact, pk__gt=place.row))
        .order_by("xact", "pk")[: limit + 1]
    )
    has_more, found = len(found) > limit, found[:limit]
    place.xact, place.row = (found[-1].xact, found[-1].pk) if has_more else (oldest, 0)
    rows = [
        Row(kind=row.kind, id=row.object, household=None, version=row.version, is_gone=False)
        for row in found
    ]
    return rows, has_more


# -- the cursor ------------------------------------------------------------------------


def _written(places: dict[int, _Place], everybodys: _Place, place: str) -> str:
    value: dict[str, Any] = {
        "at": place,
        "h": [[pk, one.uuid, one.xact, one.row] for pk, one in sorted(places.items())],
        "s": [everybodys.xact, everybodys.row],
    }
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _opened(since: str, *, place: str, oldest: int) -> tuple[dict[int, _Place], _Place]:
    if not since:
        return {}, _Place()
    if len(since) > LONGEST:
        raise CursorError
    try:
        value = json.loads(
            base64.urlsafe_b64decode(since.encode("ascii") + b"=" * (-len(since) % 4))
        )
        places = {
            int(pk): _Place(xact=int(xact), row=int(row), uuid=str(UUID(uuid)))
            for pk, uuid, xact, row in value["h"]
        }
        xact, row = value["s"]
        everybodys = _Place(xact=int(xact), row=int(row))
        where = value["at"]
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        binascii.Error,
    ) as error:
        raise CursorError from error
    read_to = [one.xact for one in (*places.values(), everybodys)]
    if where != place or not all(0 <= xact <= oldest for xact in read_to):
        raise CursorError
    if not all(0 <= one.row < 2**63 for one in (*places.values(), everybodys)):
        raise CursorError
    return places, everybodys
