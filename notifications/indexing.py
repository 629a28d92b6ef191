"""Lets what was said, and journeys, be found by their words: off the road to the card.

Whatever waits is read again from the tables, so it does not matter how often or in what
order it was put on the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from assets import documents
from assets.choices import FindableKind
from assets.models import Asset, AwaitedWords, Document, Findable, Wording
from owners import bulk
from suppliers.models import Mandate

LOT = 250  # things taken at once: a card may be waiting for this process
WORDS_READ = 20_000  # letters of one text by which it is found
ALL_LOT = 5_000  # rows of a table looked at in one statement

# Yields the key to go on from, None at the end, and how many were put.
_PUT = """
    WITH looked AS (
        SELECT id, household_id, uuid FROM {table} WHERE id > %(last)s {{only}}
        ORDER BY id LIMIT %(lot)s
    ), put AS (
        INSERT INTO assets_awaitedwords (household_id, kind, object)
        SELECT household_id, %(kind)s::text, uuid FROM looked
        WHERE %(again)s OR NOT EXISTS (
            SELECT FROM assets_findable f WHERE f.household_id = looked.household_id
                AND f.kind = %(kind)s::text AND f.object = looked.uuid)
        RETURNING id
    )
    SELECT (SELECT max(id) FROM looked), (SELECT count(*) FROM put)
"""
_PUT_CONTACTS = _PUT.format(table="suppliers_contact").format(only="")
_PUT_JOURNEYS = _PUT.format(table="notifications_journey").format(only="AND NOT is_emptied")

_CONTACTS = """
    SELECT household_id, uuid, said_at, said::text FROM suppliers_contact
    WHERE uuid = ANY(%s::uuid[])
"""
_JOURNEYS = """
    SELECT j.id, j.household_id, j.uuid, j.is_emptied, j.title, j.last_said_at,
        COALESCE(a.name, ''), ARRAY(
            SELECT s.name FROM unnest(j.suppliers) WITH ORDINALITY AS n(id, at)
            JOIN suppliers_supplier s ON s.id = n.id ORDER BY n.at)
    FROM notifications_journey j LEFT JOIN assets_asset a ON a.id = j.asset_id
    WHERE j.uuid = ANY(%s::uuid[])
"""
# Keys first, as there may be more words than are kept. A caller's number is no key to a
# journey that its owner would think of.
_TEXTS = """
    SELECT journey_id, text FROM (
        SELECT 1 AS part, id, journey_id, value AS text FROM notifications_journeykey
        WHERE journey_id = ANY(%(journeys)s::bigint[]) AND scheme <> 'caller'
        UNION ALL
        SELECT 2, id, journey_id, label || ' ' || value FROM notifications_fact
        WHERE journey_id = ANY(%(journeys)s::bigint[])
        UNION ALL
        SELECT 3, id, journey_id, person || ' ' || place FROM notifications_appointment
        WHERE journey_id = ANY(%(journeys)s::bigint[])
        UNION ALL
        SELECT 4, id, journey_id, what FROM notifications_promise
        WHERE journey_id = ANY(%(journeys)s::bigint[])
    ) said ORDER BY journey_id, part, id
"""


def note_due(*, limit: int = LOT) -> int:
    """Note the words of what waits for it; return how many things were taken.

    Nothing while another process does the same: it takes all there is.
    """
    with transaction.atomic():
        waiting = AwaitedWords.objects.take(limit)
        said = waiting.get(FindableKind.CONTACT, set())
        journeys = waiting.get(FindableKind.JOURNEY, set())
        Findable.objects.note([*_contacts(said), *_journeys(journeys)])
    return len(said) + len(journeys)


def put_all(*, is_again: bool = False, lot: int = ALL_LOT) -> Iterator[tuple[str, int]]:
    """Have everything found by words that is not yet; with `is_again` all there is, anew.

    What was said and journeys are put on the queue, lot by lot, each lot committed; things
    and suppliers, which are few, are noted at once. Yields each kind and how many were
    seen to, after every lot. It can be broken off and begun again.
    """
    for kind, statement in (
        (FindableKind.CONTACT, _PUT_CONTACTS),
        (FindableKind.JOURNEY, _PUT_JOURNEYS),
    ):
        last: int | None = 0
        while last is not None:
            asked = {"kind": kind.value, "last": last, "lot": lot, "again": is_again}
            ((last, number),) = bulk.read(statement, asked)
            yield kind.value, number
    for kind, rows in (
        (FindableKind.ASSET, Asset.objects.filter(removed_at=None)),
        (FindableKind.DOCUMENT, Document.objects.filter(removed_at=None)),
        (FindableKind.SUPPLIER, Mandate.objects.live().select_related("supplier")),
    ):
        for row in _unknown(kind, rows, is_again=is_again).iterator(chunk_size=LOT):
            if isinstance(row, Document):
                documents.note_words(row)
            else:
                row.note_words()
            yield kind.value, 1


def _unknown(kind: FindableKind, rows: QuerySet[Any], *, is_again: bool) -> QuerySet[Any]:
    if is_again:
        return rows.order_by("pk")
    name = "supplier__uuid" if kind == FindableKind.SUPPLIER else "uuid"
    known = Findable.objects.filter(
        household=OuterRef("household"), kind=kind, object=OuterRef(name)
    )
    return rows.filter(~Exists(known)).order_by("pk")


def _contacts(uuids: set[UUID]) -> Iterator[Wording]:
    """Return the words by which what was said is found: those kept in clear, no raw bytes."""
    if not uuids:
        return
    for household, uuid, said_at, told in bulk.read(_CONTACTS, [list(uuids)]):
        said: dict[str, Any] = orjson.loads(told)
        text = said.get("quote") or said.get("body") or said.get("summary") or ""
        sender = said.get("sender") or ""
        yield Wording(
            household_id=household,
            kind=FindableKind.CONTACT,
            uuid=uuid,
            title=said.get("title") or text.strip()[:80],
            detail=sender,
            texts=(sender, text[:WORDS_READ]),
            at=said_at,
        )


def _journeys(uuids: set[UUID]) -> Iterator[Wording]:
    """Return the words of titles, keys, facts, people and places; forget what was emptied."""
    if not uuids:
        return
    rows = bulk.read(_JOURNEYS, [list(uuids)])
    texts = _texts(row[0] for row in rows)
    gone: list[tuple[int, UUID]] = []
    for pk, household, uuid, is_emptied, title, at, asset, suppliers in rows:
        if is_emptied:
            gone.append((household, uuid))
            continue
        about = " · ".join(filter(None, [asset, *suppliers]))
        yield Wording(
            household_id=household,
            kind=FindableKind.JOURNEY,
            uuid=uuid,
            title=title,
            detail=about,
            texts=list(dict.fromkeys([about, *texts.get(pk, ())])),
            at=at,
        )
    if gone:
        Findable.objects.forget(
            households=[household for household, _uuid in gone],
            kind=FindableKind.JOURNEY,
            uuids=[uuid for _household, uuid in gone],
        )


def _texts(journeys: Iterable[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for journey, text in bulk.read(_TEXTS, {"journeys": bulk.array(journeys)}):
        found.setdefault(journey, []).append(text)
    return found
