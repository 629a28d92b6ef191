"""Writes what a matter came to: journeys, keys, facts, appointments, promises, cards.

Rows are upserted in bulk and named by what they are, so the same fold writes the same
rows; a card's version rises only when something on it changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from hashlib import sha1
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from django.db import transaction

from assets.choices import FindableKind
from assets.models import AwaitedWords
from notifications import journeys, wording
from notifications.choices import Section
from notifications.ledger import Ledger, Row
from notifications.merging import Matter, next_change
from notifications.models import Appointment, Card, Fact, Journey, JourneyKey, Promise
from notifications.tongue import speaking
from owners import bulk, doorbell
from owners.choices import Trust
from suppliers.choices import Stage
from suppliers.models import Contact

LONGEST_KEY = 300
_VARIANTS = "89ab"  # RFC 9562: the two bits that every UUID has
_RECOUNT = """
    UPDATE owners_household h SET needs_you_count = (
        SELECT count(*) FROM notifications_card c
        WHERE c.household_id = h.id AND c.section = 'needs_you')
    WHERE h.id = ANY(%s::bigint[])
"""
_MOVE = """
    UPDATE owners_membership m SET new_count = greatest(0, new_count + moved.change)
    FROM (
        SELECT m.id, sum(
            (coalesce(d.now > coalesce(m.looked_at, '-infinity'), false))::int
            - (coalesce(d.before > coalesce(m.looked_at, '-infinity'), false))::int
        ) AS change
        FROM json_to_recordset(%s::json)
            AS d(household bigint, before timestamptz, now timestamptz)
        JOIN owners_membership m ON m.household_id = d.household
        GROUP BY m.id
    ) moved
    WHERE m.id = moved.id AND moved.change <> 0
"""


def uuid_for(*parts: object) -> UUID:
    """Return the public UUID that these parts always have."""
    return uuid5(NAMESPACE_URL, "/".join(str(part) for part in parts))


def name_for(*parts: object) -> str:
    """Return the same as text, which is all that a statement needs and a fifth of the work."""
    name = "/".join(map(str, parts)).encode()
    found = sha1(NAMESPACE_URL.bytes + name, usedforsecurity=False).hexdigest()
    variant = _VARIANTS[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"


def write_journeys(
    ledger: Ledger, matters: Mapping[str, Matter], titles: Mapping[str, str]
) -> None:
    """Write the journeys' columns; new ones get their primary keys."""
    rows = []
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        asset = ledger.assets.get(matter.asset)
        journey.asset_id = asset.pk if asset else None
        journey.is_emptied, journey.size = not matter.verdicts, len(matter.verdicts)
        journey.state = matter.state
        if matter.opened_at is not None and matter.last_said_at is not None:
            journey.opened_at, journey.last_said_at = matter.opened_at, matter.last_said_at
        rows.append(
            {
                "uuid": uuid,
                "household_id": journey.household_id,
                "asset_id": journey.asset_id,
                "suppliers": matter.suppliers,
                "title": titles[uuid],
                "state": matter.state,
                "turn": matter.turn,
                "stage": matter.stage,
                "is_emptied": journey.is_emptied,
                "size": journey.size,
                "opened_at": journey.opened_at,
                "last_said_at": journey.last_said_at,
                "done_at": matter.done_at,
                "closed_at": matter.closed_at,
                "next_at": next_change(matter, ledger.now),
            }
        )
    saved = bulk.upsert(
        Journey,
        rows,
        unique=("uuid",),
        update=(
            "asset_id", "suppliers", "title", "state", "turn", "stage", "is_emptied", "size",
            "opened_at", "last_said_at", "done_at", "closed_at", "next_at",
        ),
        returning=("id", "uuid"),
    )  # fmt: skip
    for pk, uuid in saved:
        ledger.journeys[str(uuid)].pk = pk


def write_details(ledger: Ledger, matters: Mapping[str, Matter], *, afresh: set[str]) -> None:
    """Write keys, facts, appointments and promises.

    Of the journeys in `afresh` contacts were taken away, so what only those said goes.
    """
    if afresh:
        pks = [ledger.journeys[uuid].pk for uuid in afresh]
        for model in (JourneyKey, Fact, Appointment, Promise):
            model.objects.filter(journey__in=pks).delete()
        for pk in pks:
            ledger.keys.pop(pk, None)
    keys: dict[tuple[int, str, int, str], dict[str, Any]] = {}
    facts: list[dict[str, Any]] = []
    visits: list[dict[str, Any]] = []
    promises: list[dict[str, Any]] = []
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        for row in ledger.rows.get(uuid, []):
            _collect_keys(keys, journey, row)
        facts += _facts(uuid, journey, matter)
        visits += _appointments(uuid, journey, matter)
        promises += _promises(uuid, journey, matter, ledger.now)
    _forget_passed(ledger, matters, facts)
    bulk.upsert(
        JourneyKey,
        [
            row
            for (pk, scheme, issuer, value), row in keys.items()
            if ledger.keys.get(pk, {}).get((scheme, issuer, value)) != row["said_at"]
        ],
        unique=("household", "scheme", "value", "issuer", "journey"),
        update=("said_at",),
    )
    bulk.upsert(
        Fact,
        facts,
        unique=("journey", "name", "value"),
        update=("label", "state", "sources", "said_at", "is_from_text", "is_owners_word"),
    )
    bulk.upsert(
        Appointment,
        visits,
        unique=("journey", "slot"),
        update=(
            "supplier_id", "uid", "recurrence_id", "kind", "state", "start", "end",
            "eta_start", "eta_end", "zone", "place", "person", "sequence", "arrived_at",
            "done_at", "over_at", "was_on_time", "sources",
        ),
    )  # fmt: skip
    bulk.upsert(
        Promise,
        promises,
        unique=("journey", "promise_id"),
        update=("what", "due_at", "state"),
    )


def _forget_passed(
    ledger: Ledger, matters: Mapping[str, Matter], facts: list[dict[str, Any]]
) -> None:
    """Delete the visits and facts that a late arrival gave another name, or made history.

    A visit without a UID is named by whoever spoke of it first, and a series may get other
    times; what only an older revision
    said is no fact once a newer one is known. Most journeys have neither.
    """
    named: dict[int, set[str]] = {}
    stated: dict[int, set[tuple[str, str]]] = {}
    for uuid, matter in matters.items():
        pk = ledger.journeys[uuid].pk
        is_series = any(slot.repeats is not None for slot in matter.slots)
        if is_series or any(slot.name != slot.uid + slot.recurrence_id for slot in matter.slots):
            named[pk] = {slot.name[:340] for slot in matter.slots}
        if any(found.reason == "older_revision" for found in matter.verdicts.values()):
            stated[pk] = set()
    for row in facts:
        if row["journey_id"] in stated:
            stated[row["journey_id"]].add((row["name"], row["value"]))
    if named:
        slots = Appointment.objects.filter(journey__in=named).values_list("pk", "journey", "slot")
        gone = [pk for pk, journey, slot in slots if slot not in named[journey]]
        if gone:
            Appointment.objects.filter(pk__in=gone).delete()
    if stated:
        kept = Fact.objects.filter(journey__in=stated).values_list("pk", "journey", "name", "value")
        gone = [pk for pk, journey, *said in kept if tuple(said) not in stated[journey]]
        if gone:
            Fact.objects.filter(pk__in=gone).delete()


def await_words(ledger: Ledger, matters: Mapping[str, Matter]) -> None:
    """Let journeys be found soon by what they say now (`notifications.indexing`)."""
    AwaitedWords.objects.put(
        (ledger.journeys[uuid].household_id, FindableKind.JOURNEY, uuid) for uuid in matters
    )


def _collect_keys(
    keys: dict[tuple[int, str, int, str], dict[str, Any]], journey: Journey, row: Row
) -> None:
    said = row.entry.said
    found = [(key.scheme, key.value) for key in said.keys]
    if said.sender and said.call is not None:
        found.append(("caller", said.sender))
    for scheme, value in found:
        name = (journey.pk, scheme, row.entry.supplier, value[:LONGEST_KEY])
        known = keys.get(name)
        if known is not None:
            # A caller's number fades from its last use; nobody asks when the others were used.
            latest = max if scheme == "caller" else min
            known["said_at"] = latest(known["said_at"], said.said_at)
            continue
        keys[name] = {
            "household_id": journey.household_id,
            "journey_id": journey.pk,
            "scheme": scheme,
            "issuer": row.entry.supplier,
            "value": value[:LONGEST_KEY],
            "said_at": said.said_at,
        }


def _facts(uuid: str, journey: Journey, matter: Matter) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name, register in matter.facts.items():
        for value, state in journeys.register_values(name, register):
            found.setdefault(
                (name, value.key[:1000]),
                {
                    "uuid": name_for(uuid, "fact", name, value.key),
                    "household_id": journey.household_id,
                    "journey_id": journey.pk,
                    "name": name[:60],
                    "label": value.label[:120],
                    "value": value.key[:1000],
                    "state": state,
                    "sources": value.sources,
                    "said_at": value.said_at,
                    "is_from_text": value.is_from_text,
                    "is_owners_word": value.trust == Trust.OWNER,
                },
            )
    return list(found.values())


def _appointments(uuid: str, journey: Journey, matter: Matter) -> list[dict[str, Any]]:
    found = {}
    for slot in matter.slots:
        span, body = slot.span, journeys.slot_body(slot)
        over_at = slot.arrived_at or slot.done_at
        if over_at is None and slot.stage in (Stage.CANCELLED, Stage.MISSED):
            over_at = matter.last_said_at
        found[slot.name[:340]] = {
            "uuid": name_for(uuid, "appointment", slot.name),
            "household_id": journey.household_id,
            "journey_id": journey.pk,
            "supplier_id": slot.supplier or None,
            "slot": slot.name[:340],
            "uid": slot.uid[:255],
            "recurrence_id": slot.recurrence_id[:40],
            "kind": slot.kind[:10],
            "state": journeys.slot_state(slot),
            "start": span.start if span else None,
            "end": span.end if span else None,
            "eta_start": slot.eta.start if slot.eta else None,
            "eta_end": slot.eta.end if slot.eta else None,
            "zone": slot.zone[:64],
            "place": slot.place[:300],
            "person": slot.person[:120],
            "sequence": body["sequence"],
            "arrived_at": slot.arrived_at,
            "done_at": slot.done_at,
            "over_at": over_at,
            "was_on_time": slot.was_on_time,
            "sources": body["sources"],
        }
    return list(found.values())


def _promises(uuid: str, journey: Journey, matter: Matter, now: datetime) -> list[dict[str, Any]]:
    found = {}
    for promise in matter.promises.values():
        state = promise.state
        if state == "open" and promise.due_at is not None and promise.due_at <= now:
            state = "missed"
        found[promise.promise_id[:255]] = {
            "uuid": name_for(uuid, "promise", promise.promise_id),
            "household_id": journey.household_id,
            "journey_id": journey.pk,
            "supplier_id": promise.supplier or None,
            "promise_id": promise.promise_id[:255],
            "what": promise.what[:300],
            "due_at": promise.due_at,
            "state": state,
        }
    return list(found.values())


def write_cards(
    ledger: Ledger,
    matters: Mapping[str, Matter],
    titles: Mapping[str, str],
    *,
    surveys: Mapping[str, dict[str, Any]],
) -> None:
    """Write the cards that changed, and the households' exact count of what needs them.

    A card that only says the same in other languages, or is put aside, is not a change to
    anybody. One whose time aside is over is: it comes back as what changed last.
    """
    changed: list[dict[str, Any]] = []
    gone: list[int] = []
    recount: set[int] = set()
    moves: list[tuple[int, datetime | None, datetime | None]] = []
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        stored = ledger.cards.get(uuid)
        was, version, before = stored[1:4] if stored else ("", 0, None)
        old = orjson.loads(stored.body) if stored else None
        if journey.is_emptied:
            if stored is not None:
                gone.append(stored.pk)
                moves.append((journey.household_id, before, None))
                recount.add(journey.household_id)
            continue
        language, *others = ledger.languages(journey.household_id)
        survey = surveys.get(uuid)
        body = _said(ledger, journey, matter, language, title=titles[uuid], survey=survey)
        is_new_to = set(others) != set(stored.languages if stored else ())
        until = matter.snoozed_until
        until = until if until is not None and until > ledger.now else None
        is_same = old is not None and _same(old, body)
        aside = stored.snoozed_until if stored else None
        if is_same and not is_new_to and aside == until:
            continue
        at = ledger.now
        is_put_aside = is_same and until is not None
        if before and old and (is_new_to or is_put_aside or old.get("language") != language):
            at = before
        else:
            moves.append((journey.household_id, before, at))
        card_uuid = name_for(uuid, "card")
        head = {"id": card_uuid, "version": version + 1, "changed_at": at.isoformat()}
        changed.append(
            {
                "uuid": card_uuid,
                "household_id": journey.household_id,
                "journey_id": journey.pk,
                "section": body["section"],
                "title": body["title"],
                "meta": body["meta"],
                "version": version + 1,
                "changed_at": at,
                "snoozed_until": until,
                "body": {**head, **body},
                "translations": {
                    other: {**head, **_said(ledger, journey, matter, other, survey=survey)}
                    for other in others
                },
            }
        )
        if Section.NEEDS_YOU in (was, body["section"]) and was != body["section"]:
            recount.add(journey.household_id)
    if gone:
        Card.objects.filter(pk__in=gone).delete()
    bulk.upsert(
        Card,
        changed,
        unique=("journey",),
        update=(
            "section",
            "title",
            "meta",
            "body",
            "translations",
            "version",
            "changed_at",
            "snoozed_until",
        ),
    )
    _recount(recount)
    _count_new(moves)
    _hint(ledger, matters, changed, gone)


def _said(
    ledger: Ledger,
    journey: Journey,
    matter: Matter,
    language: str,
    *,
    title: str = "",
    survey: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the feed item of a journey in one language."""
    household = ledger.households[journey.household_id]
    with speaking(language):
        words = journeys.words_for(ledger, household, matter, language=language)
        title = title or wording.title(matter, words)[:200]
        body = journeys.card_body(ledger, journey, matter, words, title=title, survey=survey)
    return {**body, "language": language}


def _hint(
    ledger: Ledger,
    matters: Mapping[str, Matter],
    changed: list[dict[str, Any]],
    gone: list[int],
) -> None:
    """Tell the open pages, once this is committed, which cards to look at again."""
    found: dict[int, list[str]] = {}
    for row in changed:
        found.setdefault(row["household_id"], []).append(row["uuid"])
    if gone:
        for uuid in matters:
            if ledger.journeys[uuid].is_emptied:
                household = ledger.journeys[uuid].household_id
                found.setdefault(household, []).append(name_for(uuid, "card"))
    if found:
        transaction.on_commit(partial(doorbell.hint, found))


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(old.get(name) == value for name, value in new.items())


def _recount(households: set[int]) -> None:
    if not households:
        return
    bulk.write(_RECOUNT, [bulk.array(households)])


def _count_new(moves: list[tuple[int, datetime | None, datetime | None]]) -> None:
    """Keep each member's exact number of cards changed since the last look.

    A move is a card's household and when it changed last and now (None: not there).
    """
    if not moves:
        return
    bulk.write(
        _MOVE,
        [
            bulk.dumps(
                {"household": household, "before": before, "now": now}
                for household, before, now in moves
            )
        ],
    )


Outcome = tuple[str, str, str, dict[str, Any]]  # outcome, reason, rule, evidence


def write_outcomes(rows: Mapping[int, Outcome], *, decided_at: datetime | None = None) -> None:
    """Write what became of contacts, by primary key; `decided_at` takes them off the queue."""
    when = {"decided_at": decided_at} if decided_at is not None else {}
    bulk.update(
        Contact,
        [
            {
                "id": pk,
                "outcome": outcome,
                "reason": reason[:60],
                "rule": rule[:40],
                "evidence": evidence,
                **when,
            }
            for pk, (outcome, reason, rule, evidence) in rows.items()
        ],
    )
