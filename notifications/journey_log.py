"""The journey log of households as process mining reads it: OCEL 2.0 JSON and XES.

An event is a contact, a decision of an owner, a notification, or what became of a visit, a
promise or a survey. In OCEL it touches the thing, the suppliers, the matter and the person;
in XES, which knows one case only, the matter. Both are written as they are read: of a
household with a million events only the names of what they touch are kept in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from django.db.models import Q, QuerySet

from assets.models import Asset
from notifications.choices import NotificationState, SurveyState
from notifications.models import (
    Appointment,
    Decision,
    Journey,
    Link,
    Notification,
    Promise,
    Survey,
)
from owners.models import Membership, Owner
from suppliers.choices import Direction
from suppliers.models import Contact, OutboundEvent, Supplier

ROWS = 500  # read at once
OCEL, XES = "ocel", "xes"
MEDIA_TYPES = {OCEL: "application/json", XES: "application/xml"}
NAMES = {OCEL: "journey-log.ocel.json", XES: "journey-log.xes"}

# Every attribute of a kind of event or object, with its OCEL type.
OBJECT_TYPES: Mapping[str, Mapping[str, str]] = {
    "asset": {"name": "string", "kind": "string"},
    "supplier": {"name": "string"},
    "journey": {"title": "string", "state": "string", "turn": "string"},
    "person": {"role": "string"},
}
EVENT_TYPES: Mapping[str, Mapping[str, str]] = {
    "contact received": {
        "kind": "string",
        "medium": "string",
        "outcome": "string",
        "reason": "string",
        "rule": "string",
    },
    "contact made": {"kind": "string", "medium": "string", "outcome": "string"},
    "owner decided": {"decision": "string", "answer": "string"},
    "owner told": {"level": "string", "topic": "string", "reason": "string"},
    "supplier told": {"type": "string", "via": "string"},
    "visit arrived": {"kind": "string", "was_on_time": "boolean"},
    "visit done": {"kind": "string", "was_on_time": "boolean"},
    "visit missed": {"kind": "string"},
    "promise due": {"what": "string", "state": "string"},
    "survey offered": {"state": "string"},
    "survey answered": {"score": "integer"},
    "journey closed": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedObject:
    """Something that events touch."""

    id: str
    type: str
    at: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)
    touches: Sequence[tuple[str, str]] = ()  # other objects, and how


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """Something that happened; `touches` are objects by id, and how."""

    id: str
    type: str
    at: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)
    touches: Sequence[tuple[str, str]] = ()

    def of(self, how: str) -> str:
        """Return the object that is touched in this way, or nothing."""
        return next((key for key, name in self.touches if name == how), "")


def write(kind: str, *, owner: Owner, households: Sequence[int]) -> Iterator[bytes]:
    """Yield the log of these households of the owner's, in pieces."""
    log = Log(owner=owner, households=tuple(households))
    return (xes(log) if kind == XES else ocel(log)) if kind in NAMES else iter(())


# --- what is logged ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What one owner may see of some households; every row through `for_owner`."""

    owner: Owner
    households: tuple[int, ...]

    def mine(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of the rows that are these households' and the owner's to see."""
        mine = rows.filter(household__in=self.households)
        return mine.filter(household__memberships__owner=self.owner)

    def journeys(self) -> QuerySet[Journey]:
        """Return the matters, the oldest first."""
        rows = self.mine(Journey.objects.filter(is_emptied=False))
        return rows.select_related("card", "asset").order_by("opened_at", "pk")

    def objects(self) -> Iterator[LoggedObject]:
        """Yield everything that events touch."""
        for asset in self.mine(Asset.objects.all()).order_by("pk").iterator(ROWS):
            yield LoggedObject(
                id=f"asset:{asset.uuid}",
                type="asset",
                at=asset.created_at,
                attributes={"name": asset.name, "kind": asset.kind},
            )
        for supplier in self._suppliers().iterator(ROWS):
            yield LoggedObject(
                id=f"supplier:{supplier.uuid}",
                type="supplier",
                at=supplier.created_at,
                attributes={"name": supplier.name},
            )
        members = Membership.objects.filter(household__in=self.households)
        people = Owner.objects.filter(memberships__in=members).distinct().order_by("pk")
        for person in people:
            # Who they are is not the log's to tell: a name apart from every other is enough.
            role = "me" if person.pk == self.owner.pk else "member"
            yield LoggedObject(
                id=f"person:{person.uuid}",
                type="person",
                at=person.joined_at,
                attributes={"role": role},
            )
        for journey in self.journeys().iterator(ROWS):
            touches = [(f"asset:{journey.asset.uuid}", "about")] if journey.asset else []
            yield LoggedObject(
                id=f"journey:{journey.uuid}",
                type="journey",
                at=journey.opened_at,
                attributes={
                    "title": _title(journey),
                    "state": journey.state,
                    "turn": journey.turn,
                },
                touches=touches,
            )

    def _suppliers(self) -> QuerySet[Supplier]:
        known = Q(mandates__household__in=self.households)
        known |= Q(roles__household__in=self.households)
        known |= Q(pk__in=self.mine(Contact.objects.all()).values("supplier"))
        known |= Q(pk__in=self.mine(OutboundEvent.objects.all()).values("supplier"))
        return Supplier.objects.filter(known).distinct().order_by("pk")

    def events(self, journeys: Sequence[int] | None = None) -> Iterator[LoggedEvent]:
        """Yield everything that happened, or only on some matters; each kind by its time."""
        on = _On(log=self, journeys=journeys)
        yield from on.contacts()
        yield from on.decisions()
        yield from on.told()
        yield from on.sent()
        yield from on.visits()
        yield from on.promises()
        yield from on.surveys()
        yield from on.closed()


def _title(journey: Journey) -> str:
    card = getattr(journey, "card", None)
    return str(card.said.get("title") or card.title) if card is not None else journey.title


@dataclass(frozen=True, slots=True, kw_only=True)
class _On:
    """The events of all matters, or of some."""

    log: Log
    journeys: Sequence[int] | None

    def _rows(self, rows: QuerySet[Any], *, by: str) -> Iterator[Any]:
        mine = self.log.mine(rows)
        if self.journeys is not None:
            mine = mine.filter(journey__in=self.journeys)
        return mine.order_by(by, "pk").iterator(ROWS)

    def contacts(self) -> Iterator[LoggedEvent]:
        mine = self.log.mine(Contact.objects.select_related("asset"))
        if self.journeys is not None:
            on = Link.objects.filter(journey__in=self.journeys, revoked_at=None)
            mine = mine.filter(pk__in=on.values("contact"))
        for rows in _lots(mine.order_by("said_at", "pk").iterator(ROWS)):
            links = Link.objects.filter(contact__in=rows, revoked_at=None)
            matters = dict(links.values_list("contact", "journey__uuid"))
            named = _named_suppliers(row.supplier_id for row in rows)
            people = _people(row.owner_id for row in rows)
            for row in rows:
                yield _contact(row, matters.get(row.pk), named, people)

    def decisions(self) -> Iterator[LoggedEvent]:
        rows = Decision.objects.filter(revoked_at=None).select_related("journey", "owner")
        for row in self._rows(rows, by="decided_at"):
            yield LoggedEvent(
                id=f"decision:{row.uuid}",
                type="owner decided",
                at=row.decided_at,
                attributes={"decision": row.name, "answer": str(row.data.get("answer", ""))},
                touches=_touches(journey=row.journey, person=row.owner),
            )

    def told(self) -> Iterator[LoggedEvent]:
        # What others in the household were told is theirs.
        rows = Notification.objects.filter(state=NotificationState.TOLD, owner=self.log.owner)
        for row in self._rows(rows.select_related("journey", "owner"), by="told_at"):
            yield LoggedEvent(
                id=f"notification:{row.uuid}",
                type="owner told",
                at=row.told_at,
                attributes={"level": row.level, "topic": row.topic, "reason": row.reason},
                touches=_touches(journey=row.journey, person=row.owner),
            )

    def sent(self) -> Iterator[LoggedEvent]:
        mine = self.log.mine(OutboundEvent.objects.select_related("supplier"))
        if self.journeys is not None:
            uuids = Journey.objects.filter(pk__in=self.journeys).values("uuid")
            mine = mine.filter(journey__in=uuids)
        for rows in _lots(mine.order_by("created_at", "pk").iterator(ROWS)):
            wanted = {row.journey for row in rows if row.journey}
            known = self.log.journeys().filter(uuid__in=wanted).values_list("uuid", flat=True)
            matters = set(known)
            for row in rows:
                touches = [(f"supplier:{row.supplier.uuid}", "to")]
                if row.journey in matters:
                    touches.append((f"journey:{row.journey}", "on"))
                yield LoggedEvent(
                    id=f"outbound:{row.uuid}",
                    type="supplier told",
                    at=row.created_at,
                    attributes={"type": row.type, "via": row.via},
                    touches=touches,
                )

    def visits(self) -> Iterator[LoggedEvent]:
        rows = Appointment.objects.select_related("journey", "supplier")
        for row in self._rows(rows, by="start"):
            touches = _touches(journey=row.journey, supplier=row.supplier)
            kept = {} if row.was_on_time is None else {"was_on_time": row.was_on_time}
            steps: tuple[tuple[str, datetime | None, dict[str, bool]], ...] = (
                ("arrived", row.arrived_at, kept),
                ("done", row.done_at, kept),
                ("missed", row.end if row.state == "missed" else None, {}),
            )
            for step, at, attributes in steps:
                if at is not None:
                    yield LoggedEvent(
                        id=f"visit:{row.uuid}:{step}",
                        type=f"visit {step}",
                        at=at,
                        attributes={"kind": row.kind, **attributes},
                        touches=touches,
                    )

    def promises(self) -> Iterator[LoggedEvent]:
        rows = Promise.objects.filter(due_at__isnull=False)
        for row in self._rows(rows.select_related("journey", "supplier"), by="due_at"):
            yield LoggedEvent(
                id=f"promise:{row.uuid}",
                type="promise due",
                at=row.due_at,
                attributes={"what": row.what, "state": row.state},
                touches=_touches(journey=row.journey, supplier=row.supplier),
            )

    def surveys(self) -> Iterator[LoggedEvent]:
        rows = Survey.objects.filter(journey__isnull=False)
        for row in self._rows(rows.select_related("journey", "supplier"), by="requested_at"):
            touches = _touches(journey=row.journey, supplier=row.supplier)
            if row.offered_at is not None and row.state != SurveyState.HELD:
                yield LoggedEvent(
                    id=f"survey:{row.uuid}:offered",
                    type="survey offered",
                    at=row.offered_at,
                    attributes={"state": row.state},
                    touches=touches,
                )
            if row.answered_at is not None:
                score = {} if row.score is None else {"score": row.score}
                yield LoggedEvent(
                    id=f"survey:{row.uuid}:answered",
                    type="survey answered",
                    at=row.answered_at,
                    attributes=score,
                    touches=touches,
                )

    def closed(self) -> Iterator[LoggedEvent]:
        mine = self.log.journeys().filter(closed_at__isnull=False, state="closed")
        if self.journeys is not None:
            mine = mine.filter(pk__in=self.journeys)
        for journey in mine.iterator(ROWS):
            if journey.closed_at is not None:
                yield LoggedEvent(
                    id=f"journey:{journey.uuid}:closed",
                    type="journey closed",
                    at=journey.closed_at,
                    touches=_touches(journey=journey),
                )


def _contact(
    row: Contact, journey: object, named: Mapping[int, str], people: Mapping[int, str]
) -> LoggedEvent:
    is_in = row.direction == Direction.IN
    kind = "contact received" if is_in else "contact made"
    known = {
        "kind": row.kind,
        "medium": row.medium,
        "outcome": row.outcome,
        "reason": row.reason,
        "rule": row.rule,
    }
    touches = [(f"journey:{journey}", "on")] if journey else []
    if row.asset:
        touches.append((f"asset:{row.asset.uuid}", "about"))
    if supplier := named.get(row.supplier_id or 0):
        touches.append((f"supplier:{supplier}", "from" if is_in else "to"))
    if person := people.get(row.owner_id or 0):
        touches.append((f"person:{person}", "by"))
    return LoggedEvent(
        id=f"contact:{row.uuid}",
        type=kind,
        at=row.said_at,
        attributes={name: known[name] for name in EVENT_TYPES[kind]},
        touches=touches,
    )


def _touches(
    *,
    journey: Journey | None = None,
    supplier: Supplier | None = None,
    person: Owner | None = None,
) -> list[tuple[str, str]]:
    found = []
    if journey is not None and not journey.is_emptied:
        found.append((f"journey:{journey.uuid}", "on"))
    if supplier is not None:
        found.append((f"supplier:{supplier.uuid}", "by"))
    if person is not None:
        found.append((f"person:{person.uuid}", "by"))
    return found


def _lots(rows: Iterable[Any]) -> Iterator[list[Any]]:
    lot: list[Any] = []
    for row in rows:
        lot.append(row)
        if len(lot) == ROWS:
            yield lot
            lot = []
    if lot:
        yield lot


def _named_suppliers(keys: Iterable[int | None]) -> dict[int, str]:
    rows = Supplier.objects.filter(pk__in={key for key in keys if key})
    return {pk: str(uuid) for pk, uuid in rows.values_list("pk", "uuid")}


def _people(keys: Iterable[int | None]) -> dict[int, str]:
    rows = Owner.objects.filter(pk__in={key for key in keys if key})
    return {pk: str(uuid) for pk, uuid in rows.values_list("pk", "uuid")}


# --- OCEL 2.0 ----------------------------------------------------------------------------


def ocel(log: Log) -> Iterator[bytes]:
    """Yield the log as OCEL 2.0 JSON; every attribute is of a declared name and type."""
    yield b'{"objectTypes":' + _dump(_types(OBJECT_TYPES))
    yield b',"eventTypes":' + _dump(_types(EVENT_TYPES))
    known: set[str] = set()
    yield b',"objects":['
    yield from _listed(_object(one, known) for one in log.objects())
    yield b'],"events":['
    yield from _listed(_event(one, known) for one in log.events())
    yield b"]}\n"


def _types(declared: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "attributes": [{"name": key, "type": kind} for key, kind in attributes.items()],
        }
        for name, attributes in declared.items()
    ]


def _object(one: LoggedObject, known: set[str]) -> dict[str, Any]:
    known.add(one.id)
    return {
        "id": one.id,
        "type": one.type,
        "attributes": [
            {"name": name, "time": _instant(one.at), "value": _text(value)}
            for name, value in one.attributes.items()
        ],
        "relationships": _relations(one.touches, known),
    }


def _event(one: LoggedEvent, known: set[str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "type": one.type,
        "time": _instant(one.at),
        "attributes": [
            {"name": name, "value": _text(value)} for name, value in one.attributes.items()
        ],
        "relationships": _relations(one.touches, known),
    }


def _relations(touches: Iterable[tuple[str, str]], known: set[str]) -> list[dict[str, str]]:
    """Return the relations to what the log holds; somebody who left is not in it."""
    return [{"objectId": key, "qualifier": how} for key, how in touches if key in known]


def _text(value: Any) -> str:
    """Return a value as the standard's schema has all of them: as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(values: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a JSON array's inside, some hundred entries a piece."""
    lead = b"\n"
    for lot in _lots(values):
        yield lead + b",\n".join(_dump(value) for value in lot)
        lead = b",\n"


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- XES ---------------------------------------------------------------------------------

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event">
<string key="concept:name" value=""/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
<string key="lifecycle:transition" value="complete"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<string key="concept:name" value="Steward"/>
"""
LOT = 100  # matters whose events are read and put in order at once


def xes(log: Log) -> Iterator[bytes]:
    """Yield the log as XES (IEEE 1849): a trace for each matter, its events by their time.

    What is on no matter (the Door, adverts) is in no trace.
    """
    yield _HEAD.encode()
    pks = list(log.journeys().values_list("pk", flat=True))
    for start in range(0, len(pks), LOT):
        some = pks[start : start + LOT]
        by_matter: dict[str, list[LoggedEvent]] = {}
        for event in log.events(some):
            by_matter.setdefault(event.of("on"), []).append(event)
        for journey in log.journeys().filter(pk__in=some):
            events = by_matter.get(f"journey:{journey.uuid}", [])
            yield _trace(journey, sorted(events, key=lambda one: (one.at, one.id)))
    yield b"</log>\n"


def _trace(journey: Journey, events: Sequence[LoggedEvent]) -> bytes:
    about = _attribute("concept:name", str(journey.uuid)) + _attribute("title", _title(journey))
    if journey.asset:
        about += _attribute("asset", str(journey.asset.uuid))
    return f"<trace>{about}{''.join(map(_xes_event, events))}</trace>\n".encode()


def _xes_event(one: LoggedEvent) -> str:
    at = one.at.astimezone(UTC).isoformat(timespec="milliseconds")
    words = [
        _attribute("concept:name", one.type),
        f'<date key="time:timestamp" value="{at}"/>',
        _attribute("lifecycle:transition", "complete"),
        _attribute("id", one.id),
    ]
    if resource := next((key for key, how in one.touches if how in ("by", "from", "to")), ""):
        words.append(_attribute("org:resource", resource))
    words += [_typed(name, value) for name, value in one.attributes.items()]
    return f"<event>{''.join(words)}</event>"


def _typed(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return f'<boolean key="{key}" value="{str(value).lower()}"/>'
    if isinstance(value, int):
        return f'<int key="{key}" value="{value}"/>'
    return _attribute(key, str(value))


def _attribute(key: str, value: str) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(_clean(value))}/>"


def _clean(text: str) -> str:
    """Return text without what XML cannot hold."""
    return "".join(
        sign for sign in text if sign in "\t\n\r" or "\x20" <= sign <= "\ud7ff" or sign >= "\ue000"
    )
