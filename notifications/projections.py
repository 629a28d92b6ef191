"""Writes what a matter came to: journeys, keys, facts, appointments, promises, cards.

Rows are upserted in bulk and named by what they are, so the same fold writes the same
rows; a card's version rises only when something on it changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection

from notifications import journeys
from notifications.choices import FactState, Section
from notifications.ledger import Ledger, Row
from notifications.merging import Matter, next_change
from notifications.models import Appointment, Card, Fact, Journey, JourneyKey, Promise
from owners.choices import Trust
from owners.models import Household
from suppliers.choices import Stage

LONGEST_KEY = 300


def uuid_for(*parts: object) -> UUID:
    """Return the public UUID that these parts always have."""
    return uuid5(NAMESPACE_URL, "/".join(str(part) for part in parts))


def write_journeys(ledger: Ledger, matters: Mapping[str, Matter]) -> None:
    """Write the journeys' columns; new ones get their primary keys."""
    rows = []
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        asset = ledger.assets.get(matter.asset)
        journey.asset = asset
        journey.suppliers = matter.suppliers
        journey.title = matter.title[:200]
        journey.state = matter.state
        journey.turn = matter.turn
        journey.stage = matter.stage
        journey.is_emptied = not matter.verdicts
        if matter.opened_at is not None and matter.last_said_at is not None:
            journey.opened_at, journey.last_said_at = matter.opened_at, matter.last_said_at
        journey.done_at = matter.done_at
        journey.closed_at = matter.closed_at
        journey.next_at = next_change(matter, ledger.now)
        rows.append(journey)
    saved = Journey.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["uuid"],
        update_fields=[
            "asset",
            "suppliers",
            "title",
            "state",
            "turn",
            "stage",
            "is_emptied",
            "opened_at",
            "last_said_at",
            "done_at",
            "closed_at",
            "next_at",
        ],
    )
    for journey in saved:
        ledger.journeys[str(journey.uuid)] = journey


def write_details(ledger: Ledger, matters: Mapping[str, Matter], *, afresh: set[str]) -> None:
    """Write keys, facts, appointments and promises.

    Of the journeys in `afresh` contacts were taken away, so what only those said goes.
    """
    if afresh:
        pks = [ledger.journeys[uuid].pk for uuid in afresh]
        for model in (JourneyKey, Fact, Appointment, Promise):
            model.objects.filter(journey__in=pks).delete()  # type: ignore[attr-defined]
    keys: dict[tuple[int, str, int, str], JourneyKey] = {}
    facts: list[Fact] = []
    visits: list[Appointment] = []
    promises: list[Promise] = []
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        for row in ledger.rows.get(uuid, []):
            _collect_keys(keys, journey, row)
        facts += _facts(journey, matter)
        visits += [_appointment(journey, matter, slot.name) for slot in matter.slots]
        promises += _promises(journey, matter, ledger.now)
    if keys:
        JourneyKey.objects.bulk_create(
            keys.values(),
            update_conflicts=True,
            unique_fields=["household", "scheme", "value", "issuer", "journey"],
            update_fields=["said_at"],
        )
    if facts:
        Fact.objects.bulk_create(
            facts,
            update_conflicts=True,
            unique_fields=["journey", "name", "value"],
            update_fields=[
                "label",
                "state",
                "sources",
                "said_at",
                "is_from_text",
                "is_owners_word",
            ],
        )
    if visits:
        Appointment.objects.bulk_create(
            visits,
            update_conflicts=True,
            unique_fields=["journey", "slot"],
            update_fields=[
                "supplier",
                "uid",
                "recurrence_id",
                "kind",
                "state",
                "start",
                "end",
                "eta_start",
                "eta_end",
                "zone",
                "place",
                "person",
                "sequence",
                "arrived_at",
                "done_at",
                "over_at",
                "was_on_time",
                "sources",
            ],
        )
    if promises:
        Promise.objects.bulk_create(
            promises,
            update_conflicts=True,
            unique_fields=["journey", "promise_id"],
            update_fields=["what", "due_at", "state"],
        )


def _collect_keys(
    keys: dict[tuple[int, str, int, str], JourneyKey], journey: Journey, row: Row
) -> None:
    said = row.entry.said
    found = [(key.scheme, key.value) for key in said.keys]
    if said.sender and said.call is not None:
        found.append(("caller", said.sender))
    for scheme, value in found:
        name = (journey.pk, scheme, row.entry.supplier, value[:LONGEST_KEY])
        known = keys.get(name)
        if known is not None:
            known.said_at = max(known.said_at, said.said_at)
            continue
        keys[name] = JourneyKey(
            household_id=journey.household_id,
            journey=journey,
            scheme=scheme,
            issuer=row.entry.supplier,
            value=value[:LONGEST_KEY],
            said_at=said.said_at,
        )


def _facts(journey: Journey, matter: Matter) -> list[Fact]:
    found: dict[tuple[str, str], Fact] = {}
    for name, register in matter.facts.items():
        for value, state in journeys.register_values(name, register):
            found.setdefault(
                (name, value.key[:1000]),
                Fact(
                    uuid=uuid_for(journey.uuid, "fact", name, value.key),
                    household_id=journey.household_id,
                    journey=journey,
                    name=name[:60],
                    label=value.label[:120],
                    value=value.key[:1000],
                    state=FactState(state),
                    sources=value.sources,
                    said_at=value.said_at,
                    is_from_text=value.is_from_text,
                    is_owners_word=value.trust == Trust.OWNER,
                ),
            )
    return list(found.values())


def _appointment(journey: Journey, matter: Matter, name: str) -> Appointment:
    slot = next(slot for slot in matter.slots if slot.name == name)
    span, body = slot.span, journeys.slot_body(slot)
    over_at = slot.arrived_at or slot.done_at
    if over_at is None and slot.stage in (Stage.CANCELLED, Stage.MISSED):
        over_at = matter.last_said_at
    return Appointment(
        uuid=uuid_for(journey.uuid, "appointment", slot.name),
        household_id=journey.household_id,
        journey=journey,
        supplier_id=slot.supplier or None,
        slot=slot.name[:340],
        uid=slot.uid[:255],
        recurrence_id=slot.recurrence_id[:40],
        kind=slot.kind,
        state=journeys.slot_state(slot),
        start=span.start if span else None,
        end=span.end if span else None,
        eta_start=slot.eta.start if slot.eta else None,
        eta_end=slot.eta.end if slot.eta else None,
        zone=slot.zone,
        place=slot.place[:300],
        person=slot.person[:120],
        sequence=body["sequence"],
        arrived_at=slot.arrived_at,
        done_at=slot.done_at,
        over_at=over_at,
        was_on_time=slot.was_on_time,
        sources=body["sources"],
    )


def _promises(journey: Journey, matter: Matter, now: datetime) -> list[Promise]:
    found = []
    for promise in matter.promises.values():
        state = promise.state
        if state == "open" and promise.due_at is not None and promise.due_at <= now:
            state = "missed"
        found.append(
            Promise(
                uuid=uuid_for(journey.uuid, "promise", promise.promise_id),
                household_id=journey.household_id,
                journey=journey,
                supplier_id=promise.supplier or None,
                promise_id=promise.promise_id[:255],
                what=promise.what[:300],
                due_at=promise.due_at,
                state=state,
            )
        )
    return found


def write_cards(
    ledger: Ledger,
    matters: Mapping[str, Matter],
    *,
    surveys: Mapping[str, dict[str, Any]],
) -> None:
    """Write the cards that changed, and the households' exact count of what needs them."""
    pks = {ledger.journeys[uuid].pk: uuid for uuid in matters}
    existing = {pks[card.journey_id]: card for card in Card.objects.filter(journey__in=pks)}
    changed: list[Card] = []
    gone: list[int] = []
    recount: set[int] = set()
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        card = existing.get(uuid)
        was = card.section if card else ""
        if journey.is_emptied:
            if card is not None:
                gone.append(card.pk)
                recount.add(journey.household_id)
            continue
        words = journeys.words_for(ledger, ledger.households[journey.household_id], matter)
        body = journeys.card_body(ledger, journey, matter, words, survey=surveys.get(uuid))
        if card is None:
            card = Card(
                uuid=uuid_for(uuid, "card"),
                household_id=journey.household_id,
                journey=journey,
                version=0,
            )
        elif _same(card.body, body):
            continue
        card.version += 1
        card.changed_at = ledger.now
        card.section, card.title, card.meta = body["section"], body["title"], body["meta"]
        card.snoozed_until = matter.snoozed_until
        card.body = {
            "id": str(card.uuid),
            "version": card.version,
            "changed_at": ledger.now.isoformat(),
            **body,
        }
        changed.append(card)
        if Section.NEEDS_YOU in (was, card.section) and was != card.section:
            recount.add(journey.household_id)
    if gone:
        Card.objects.filter(pk__in=gone).delete()
    if changed:
        Card.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["journey"],
            update_fields=[
                "section",
                "title",
                "meta",
                "body",
                "version",
                "changed_at",
                "snoozed_until",
            ],
        )
    _recount(recount)


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(old.get(name) == value for name, value in new.items())


def _recount(households: set[int]) -> None:
    if not households:
        return
    table, cards = Household._meta.db_table, Card._meta.db_table  # noqa: SLF001 - Django's own name
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} h SET needs_you_count = (SELECT count(*) FROM {cards} c "  # noqa: S608 - names of ours
            "WHERE c.household_id = h.id AND c.section = 'needs_you') WHERE h.id = ANY(%s)",
            [list(households)],
        )


def write_outcomes(
    rows: Mapping[int, tuple[str, str, str, dict[str, Any]]], *, now: datetime
) -> None:
    """Write what became of contacts: outcome, reason, rule and evidence by primary key."""
    if not rows:
        return
    pks = list(rows)
    columns = list(zip(*rows.values(), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE suppliers_contact c SET outcome = v.outcome, reason = v.reason, "
            "rule = v.rule, evidence = v.evidence::jsonb, "
            "decided_at = coalesce(c.decided_at, %s) "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) "
            "AS v(id, outcome, reason, rule, evidence) WHERE c.id = v.id",
            [
                now,
                pks,
                [str(outcome) for outcome in columns[0]],
                [reason[:60] for reason in columns[1]],
                [rule[:40] for rule in columns[2]],
                [json.dumps(evidence) for evidence in columns[3]],
            ],
        )
