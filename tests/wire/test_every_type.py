"""Every type of the contract, sent twice, late, in any order, and about things not known.

All of it is one flood: each type and each case has a household of its own, so they cannot
touch each other, and the flood goes through the real entrance and the real rules once.
"""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from notifications import feed
from notifications.choices import NotificationState
from notifications.models import Appointment, Card, Fact, Notification, Promise, Survey
from owners import clock, doorbell
from suppliers import catalogue, inbox
from suppliers.models import Contact, InboundEvent, OutboundEvent
from tests import factories
from tests.wire.sending import post

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("every_type")]

NOW = datetime(2026, 11, 10, 23, 45, tzinfo=UTC)  # 18:45 in New York, no quiet hours
LATER = NOW + timedelta(minutes=40)  # every hold but the digest's is over
TYPES = [name for name in catalogue.names() if not name.startswith("supplier.")]
FOREIGN_NAME = "Zz-Canary bicycle"


@dataclass(slots=True)
class Sent:
    """One household and what it is sent, wave after wave; then what came of it."""

    owner_ref: str
    household: int
    waves: list[list[dict[str, Any]]]
    statuses: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)


Flood = dict[tuple[str, str], Sent]


# -- what is sent --------------------------------------------------------------------------


def event(name: str, number: int, *, minutes: int = 0, **data: Any) -> dict[str, Any]:
    """Return the type's example, said `minutes` after NOW, with some of its data replaced."""
    sent = catalogue.cloudevent(name)
    sent["id"] = f"{name}-{number}"
    sent["time"] = (NOW + timedelta(minutes=minutes)).isoformat()
    sent["data"] = {**copy.deepcopy(sent["data"]), **data}
    if name == "call.logged":  # it is as old as the call
        sent["data"]["startedAt"] = sent["time"]
    return sent


def about(**asset: str) -> dict[str, Any]:
    return {"asset": asset}


DVR = about(serial="R15-204477")


def changed(name: str, step: int) -> dict[str, Any]:
    """Return other values for what the type says: those of another revision."""
    example = catalogue.INBOUND[name].example
    days = timedelta(days=step)
    found: dict[str, Any] = {}
    for key in ("start", "end", "expectedFrom", "expectedUntil", "dueAt", "holdUntil"):
        if key in example:
            found[key] = (datetime.fromisoformat(example[key]) + days).isoformat()
    for key in ("total", "amount"):
        if key in example:
            found[key] = {"amount": f"{70 + step}.00", "currency": "USD"}
    for key in ("status", "body", "coverage", "nextStep", "consumerAction", "what", "transcript"):
        if key in example and name != "call.logged":
            found[key] = f"Said in revision {step}"
    if "sequence" in example:
        found["sequence"] = example["sequence"] + step
        found["dtstamp"] = (NOW - timedelta(hours=6) + timedelta(hours=step)).isoformat()
    return {**found, "entity": {"id": "thing-1", "revision": step}}


def words(number: int, *, minutes: int = 0, **data: Any) -> dict[str, Any]:
    body = {"body": "We look after it.", "bodyFormat": "text", "refs": []}
    return event("message.created", 100 + number, minutes=minutes, **{**body, **DVR, **data})


def cases(name: str, foreign: str) -> dict[str, list[list[dict[str, Any]]]]:
    """Return what each case sends; `foreign` is the reference of a stranger's thing."""
    first, newest = changed(name, 2), changed(name, 3)
    old = {"minutes": -120, **DVR}
    said = [
        words(1, minutes=-180),
        event(name, 2, **{**old, **first}),
        event(name, 3, **{**old, **newest, "minutes": -60}),
    ]
    nobodys = "00000000-0000-4000-8000-00000000abcd"
    once = event(name, 1, **DVR)
    expired = {"expiresAt": (NOW - timedelta(hours=1)).isoformat()}
    return {
        "alone": [[once]],
        "twice": [[once], [once]],
        "newest": [[event(name, 3, **{**DVR, **newest})]],
        "stale": [[event(name, 3, **{**DVR, **newest})], [event(name, 2, **{**old, **first})]],
        "stale_and_late": [
            [event(name, 3, **{**DVR, **newest})],
            [event(name, 2, **{**DVR, **first, "minutes": 1})],
        ],
        "in_order": [[one] for one in said],
        "backwards": [[one] for one in reversed(said)],
        "mixed": [[said[2], said[0]], [], [said[1]]],
        "unknown": [
            [event(name, 1, **about(serial="nobody's-1"))],
            [words(2, minutes=1, **about(serial="nobody's-1"))],
        ],
        "foreign": [[event(name, 1, **about(ref=foreign))]],
        "nobodys": [[event(name, 1, **about(ref=nobodys))]],
        "expired": [[event(name, 1, **{**DVR, **expired})]],
    }


# -- the flood -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flood(django_db_setup: None, django_db_blocker: Any) -> Flood:
    """Send everything and return what came of it; the database forgets it at once."""
    with django_db_blocker.unblock(), doorbell.hushed(), transaction.atomic():
        found = _sent()
        transaction.set_rollback(True)
    return found


def _sent() -> Flood:
    cast = factories.cast()
    foreign = factories.AssetFactory.create(
        household=cast.mallory_household, name=FOREIGN_NAME, keeper=cast.mallory
    )
    found: Flood = {}
    for name in TYPES:
        for case, waves in cases(name, str(foreign.uuid)).items():
            found[name, case] = _household(cast, waves)
    for wave in range(3):
        _send(list(found.values()), wave)
        _process(NOW + timedelta(minutes=wave))
    _process(LATER)
    _collect(list(found.values()))
    return found


def _household(cast: factories.Cast, waves: list[list[dict[str, Any]]]) -> Sent:
    household = factories.HouseholdFactory.create()
    owner = factories.OwnerFactory.create()
    factories.MembershipFactory.create(household=household, owner=owner)
    things = [
        factories.AssetFactory.create(household=household, keeper=owner, name=name)
        for name in ("Living-room DVR", "Boiler")
    ]
    factories.AssetIdentifierFactory.create(asset=things[0], value="R15-204477")
    mandate = factories.MandateFactory.create(
        household=household, supplier=cast.skyline, assets=things
    )
    return Sent(owner_ref=mandate.owner_ref, household=household.pk, waves=waves)


def _send(every: list[Sent], wave: int) -> None:
    rows: list[tuple[Sent, dict[str, Any]]] = []
    for one in every:
        for sent in one.waves[wave] if wave < len(one.waves) else []:
            mine = {**sent, "source": f"/skyline/{one.owner_ref}"}
            mine["data"] = {**sent["data"], "owner": one.owner_ref}
            rows.append((one, mine))
    now = NOW + timedelta(minutes=wave)
    for at in range(0, len(rows), 500):
        lot = rows[at : at + 500]
        answer = post([sent for _, sent in lot], at=now, now=now)
        assert answer.status_code == 202, answer.content
        for (one, _), status in zip(lot, answer.json()["events"], strict=True):
            one.statuses.append(status["status"])


def _process(now: datetime) -> None:
    with clock.fixed(now):
        while inbox.process_due(now=now, limit=1000):
            pass
        while feed.consolidate_due(now=now, limit=1000):
            pass
        feed.sweep(now=now, limit=10_000)
        while feed.tell_due(now=now, limit=10_000):
            pass


def _collect(every: list[Sent]) -> None:
    by_home = {one.household: one for one in every}
    for one in every:
        one.found = {
            name: []
            for name in (
                *("contacts", "facts", "visits", "surveys", "promises", "cards"),
                *("told", "rejected", "outbound"),
            )
        }

    def note(household: int | None, name: str, value: Any) -> None:
        if household in by_home:
            by_home[household].found[name].append(value)

    for row in Contact.objects.select_related("inbound").order_by("said_at", "uuid"):
        event_id = row.inbound.event_id if row.inbound else ""
        note(row.household_id, "contacts", (event_id, row.outcome, row.reason, row.asset_id))
    for fact in Fact.objects.order_by("name", "value"):
        note(fact.household_id, "facts", (fact.name, fact.value, fact.state))
    for visit in Appointment.objects.order_by("slot"):
        span = (visit.start, visit.end, visit.eta_start)
        note(
            visit.household_id,
            "visits",
            (visit.uid, visit.state, *span, visit.place, visit.person, visit.sequence),
        )
    for survey in Survey.objects.order_by("pk"):
        note(survey.household_id, "surveys", (survey.survey_id, survey.state))
    for promise in Promise.objects.order_by("promise_id"):
        value = (promise.promise_id, promise.what, promise.due_at, promise.state)
        note(promise.household_id, "promises", value)
    for card in Card.objects.order_by("pk"):
        actions = [action["name"] for action in card.body.get("actions", [])]
        note(card.household_id, "cards", (card.title, card.section, sorted(actions)))
    told = Notification.objects.filter(state=NotificationState.TOLD).order_by("told_at", "pk")
    for word in told:
        note(word.household_id, "told", (word.level, word.topic, word.reason, word.text))
    for stored in InboundEvent.objects.filter(state="rejected"):
        note(stored.household_id, "rejected", (stored.event_id, stored.code, stored.pointer))
    for answer in OutboundEvent.objects.order_by("pk"):
        told_them = (answer.type, json.dumps(answer.data, default=str))
        note(answer.household_id, "outbound", told_them)


def state(one: Sent) -> dict[str, Any]:
    """Return what a household's matters came to, without what tells the arrival."""
    names = ("facts", "visits", "surveys", "promises", "cards")
    return {name: one.found[name] for name in names}


def holding(one: Sent) -> dict[str, Any]:
    """Return what holds now: the state without what was replaced."""
    facts = [fact for fact in one.found["facts"] if fact[2] != "replaced"]
    return {**state(one), "facts": facts}


# -- what must hold ------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_sent_twice_it_counts_once(flood: Flood, name: str) -> None:
    alone, twice = flood[name, "alone"], flood[name, "twice"]
    assert twice.statuses == ["accepted", "duplicate"]
    assert len(twice.found["contacts"]) == 1
    assert not twice.found["rejected"]
    assert state(twice) == state(alone)
    assert twice.found["told"] == alone.found["told"]


@pytest.mark.parametrize("name", TYPES)
def test_everything_is_decided_with_a_reason(flood: Flood, name: str) -> None:
    for (kind, case), one in flood.items():
        if kind == name:
            assert {row[0] for row in one.found["contacts"]} == set(_ids(one)), case
            assert all(outcome and reason for _, outcome, reason, _ in one.found["contacts"]), case


def _ids(one: Sent) -> list[str]:
    return [sent["id"] for wave in one.waves for sent in wave]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("case", ["stale", "stale_and_late"])
def test_what_is_stale_changes_nothing(flood: Flood, name: str, case: str) -> None:
    newest, stale = flood[name, "newest"], flood[name, case]
    assert holding(stale) == holding(newest)
    assert stale.found["told"] == newest.found["told"]
    assert not any(fact[2] == "conflict" for fact in stale.found["facts"])


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("case", ["backwards", "mixed"])
def test_any_order_of_arrival_comes_to_the_same(flood: Flood, name: str, case: str) -> None:
    in_order, other = flood[name, "in_order"], flood[name, case]
    assert len(other.found["contacts"]) == 3
    assert len(other.found["cards"]) <= 1
    assert state(other) == state(in_order)
    outcomes = [[row[:3] for row in one.found["contacts"]] for one in (other, in_order)]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", TYPES)
def test_of_an_unknown_thing_the_owner_is_asked_once(flood: Flood, name: str) -> None:
    one = flood[name, "unknown"]
    asked = [card for card in one.found["cards"] if "choose_asset" in card[2]]
    assert len(one.found["cards"]) == len(asked) == 1
    assert [row for row in one.found["contacts"] if row[3] is not None] == []
    assert len([told for told in one.found["told"] if told[2] == "which_asset"]) <= 1
    assert not one.found["rejected"]


@pytest.mark.parametrize("name", TYPES)
def test_a_strangers_thing_is_as_unknown_as_none(flood: Flood, name: str) -> None:
    foreign, nobodys = flood[name, "foreign"], flood[name, "nobodys"]
    assert [row[3] for row in foreign.found["contacts"]] == [None]
    assert FOREIGN_NAME not in repr(foreign.found)
    assert foreign.statuses == nobodys.statuses
    assert foreign.found == nobodys.found


@pytest.mark.parametrize("name", TYPES)
def test_what_has_expired_is_kept_and_not_told(flood: Flood, name: str) -> None:
    one = flood[name, "expired"]
    assert len(one.found["contacts"]) == 1
    assert one.found["told"] == []
