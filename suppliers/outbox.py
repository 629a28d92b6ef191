"""What Steward tells suppliers: the owner's answers, deferrals, and faults in what came.

`send` only writes a row, so it belongs into the transaction of whoever decides; `send_due`
(of `going`) takes the rows to their suppliers.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Q, QuerySet

from owners import bulk, doorbell, sealing
from owners.models import Household
from suppliers import letters, pairwise, routes
from suppliers.contacts import Report
from suppliers.going import send_due
from suppliers.models import (
    Mandate,
    OutboundAttempt,
    OutboundEvent,
    OutboundState,
    Supplier,
)
from suppliers.routes import MAIL, WEBHOOK

__all__ = [
    "CAME_BACK",
    "Message",
    "Technical",
    "WayError",
    "came_back",
    "draft",
    "is_waiting",
    "ping",
    "replay",
    "report_rejected",
    "said_by",
    "send",
    "send_again",
    "send_all",
    "send_by",
    "send_due",
    "tell_technicians",
    "undelivered",
]

CAME_BACK = "came back: "  # before the reason that a mail server gave
_WAITING = """
    SELECT 1 FROM suppliers_outboundevent WHERE state = 'pending' AND next_at <= %s LIMIT 1
"""


class WayError(Exception):
    """The event cannot go out by this way."""


class RejectedEvent(Protocol):
    """An inbound event whose content broke the contract."""

    supplier_id: int | None
    household_id: int | None
    source: str
    event_id: str
    type: str
    code: str
    pointer: str
    detail: str


def send(
    *,
    mandate: Mandate,
    type: str,  # noqa: A002 - the contract's word
    data: dict[str, Any],
    now: datetime,
    name: uuid.UUID | None = None,
    not_before: datetime | None = None,
) -> OutboundEvent:
    """Store an event for the mandate's supplier; it goes out when the outbox is next walked.

    The owner is named by the mandate's `owner_ref` only. What has a `name` is sent once:
    the same name again returns the first event. `not_before` leaves time to take it back.
    """
    message = Message(mandate=mandate, type=type, data=data)
    values = message.values(routes.of_mandates([mandate])[mandate.pk], now=now)
    values["next_at"] = not_before or now
    if name is None:
        event = OutboundEvent.objects.create(**values)
    else:
        event, _ = OutboundEvent.objects.get_or_create(uuid=name, defaults=values)
    transaction.on_commit(lambda: doorbell.ring("outbox"))
    return event


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event for one mandate's supplier, before it is stored."""

    mandate: Mandate
    type: str
    data: dict[str, Any]
    name: uuid.UUID | None = None

    def values(self, via: str, *, now: datetime) -> dict[str, Any]:
        """Return its columns, all but its name.

        A supplier gets names of its own: what belongs to one journey is told apart, and
        no two suppliers can compare.
        """
        ref, journey = self.mandate.owner_ref, self.data.get("journey")
        named = {"journey": pairwise.journey(ref, journey)} if journey else {}
        return {
            "journey": journey or None,
            "supplier": self.mandate.supplier,
            "household_id": self.mandate.household_id,
            "mandate": self.mandate,
            "type": self.type,
            "data": {"owner": ref, **self.data, **named},
            **routes.columns(routes.of_type(via, self.type)),
            "created_at": now,
            "next_at": now,
        }


def draft(
    *,
    mandate: Mandate,
    type: str,  # noqa: A002 - the contract's word
    data: dict[str, Any],
    now: datetime,
) -> tuple[OutboundEvent, letters.Letter | None]:
    """Return an event as it would be sent, and its letter where it would go by mail."""
    via = routes.of_mandates([mandate])[mandate.pk]
    event = OutboundEvent(**Message(mandate=mandate, type=type, data=data).values(via, now=now))
    letter = letters.write_all([event]).get(event.pk) if event.via == routes.MAIL else None
    return event, letter


def send_all(messages: Sequence[Message], *, now: datetime) -> None:
    """Store events as `send` stores one: a few reads and a write for any number."""
    if not messages:
        return
    vias = routes.of_mandates([message.mandate for message in messages])
    rows = [
        OutboundEvent(
            uuid=message.name or uuid.uuid4(), **message.values(vias[message.mandate.pk], now=now)
        )
        for message in messages
    ]
    OutboundEvent.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(lambda: doorbell.ring("outbox"))


def withdraw(*, name: uuid.UUID) -> bool:
    """Take an event back before it goes out; False when it may have gone already."""
    with transaction.atomic():
        event = OutboundEvent.objects.select_for_update().filter(uuid=name).first()
        if event is None:
            return True
        if event.tried or event.lease_until is not None or event.state == OutboundState.SENT:
            return False
        event.delete()
        return True


def report_rejected(events: Sequence[RejectedEvent], *, now: datetime) -> None:
    """Tell each supplier which of its events had faults in their content, and where."""
    ids = {event.supplier_id for event in events if event.supplier_id is not None}
    suppliers = Supplier.objects.filter(pk__in=ids).in_bulk() if ids else {}
    tell_technicians(
        [
            Technical(
                supplier=suppliers[event.supplier_id],
                household_id=event.household_id,
                type="steward.event.rejected",
                data={
                    "id": event.event_id,
                    "source": event.source,
                    "type": event.type,
                    "code": event.code,
                    "pointer": event.pointer,
                    "detail": event.detail,
                },
            )
            for event in events
            if event.supplier_id is not None
        ],
        now=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Technical:
    """Something for the supplier's technicians, before it is stored."""

    supplier: Supplier
    type: str
    data: dict[str, Any]
    household_id: int | None = None


def tell_technicians(messages: Sequence[Technical], *, now: datetime) -> list[OutboundEvent]:
    """Store events about the supplier's own systems; they go to nobody else."""
    if not messages:
        return []
    rows = [
        OutboundEvent(
            uuid=uuid.uuid4(),
            supplier=message.supplier,
            household_id=message.household_id,
            type=message.type,
            data=message.data,
            **routes.columns(routes.technical(message.supplier)),
            created_at=now,
            next_at=now,
        )
        for message in messages
    ]
    OutboundEvent.objects.bulk_create(rows)
    transaction.on_commit(lambda: doorbell.ring("outbox"))
    return rows


def ping(*, supplier: Supplier, now: datetime) -> OutboundEvent:
    """Send the supplier's endpoint a test event."""
    (event,) = tell_technicians(
        [Technical(supplier=supplier, type="steward.ping", data={"at": now.isoformat()})], now=now
    )
    return event


def is_waiting(*, now: datetime) -> bool:
    """Whether something is due to be sent; asked far more often than it is so."""
    return bool(bulk.read(_WAITING, [now]))


def undelivered(*, households: Iterable[Household]) -> QuerySet[OutboundEvent]:
    """Return the owners' answers that do not reach their supplier, the newest first."""
    given_up = Q(state=OutboundState.FAILED)
    waits = Q(state=OutboundState.PENDING, tried__gt=0)
    return (
        OutboundEvent.objects.filter(given_up | waits, household__in=households)
        .filter(type__startswith="owner.")
        .select_related("supplier", "household", "mandate")
        .order_by("-pk")
    )


def came_back(*, report: Report, household_id: int) -> None:
    """Note that a letter of the household's did not arrive, and why, as a mail server says.

    What is only late, or arrived after all, changes nothing.
    """
    if report.action != "failed" or not report.letter:
        return
    said = f"{report.status} {report.reason}".strip()
    OutboundEvent.objects.filter(uuid=report.letter, household_id=household_id, via=MAIL).update(
        state=OutboundState.FAILED, detail=f"{CAME_BACK}{said}"[:300]
    )


def replay(*, event: OutboundEvent, now: datetime) -> OutboundEvent:
    """Send an event once more from the start of the schedule, under the same id."""
    return _again(event, routes.of_event(event), now=now)


def send_again(*, event: OutboundEvent, now: datetime) -> OutboundEvent:
    """Replay an event that has not arrived; raises WayError for one that has.

    What arrived stays so for its owner; only its supplier replays that.
    """
    is_under_way = event.lease_until is not None and event.lease_until > now
    if event.state == OutboundState.SENT or is_under_way:
        raise WayError(event.via)
    return replay(event=event, now=now)


def send_by(*, event: OutboundEvent, via: str, now: datetime) -> OutboundEvent:
    """Send an event by another way; raises WayError where that way is not open."""
    if event.state == OutboundState.SENT or via not in routes.others_of(event):
        raise WayError(via)
    return _again(event, via, now=now)


def _again(event: OutboundEvent, via: str, *, now: datetime) -> OutboundEvent:
    if via == WEBHOOK:
        # Whoever asks for it wants it now, and it goes first.
        resting = Supplier.objects.filter(pk=event.supplier_id, webhook_rest_until__isnull=False)
        resting.update(webhook_rest_until=None)
    for name, value in routes.columns(via).items():
        setattr(event, name, value)
    event.attempts, event.next_at, event.lease_until = 0, now, None
    event.save(update_fields=["state", "attempts", "detail", "next_at", "lease_until", "via"])
    transaction.on_commit(lambda: doorbell.ring("outbox"))
    return event


def said_by(attempt: OutboundAttempt) -> str:
    """Return the beginning of what an endpoint said to a try; only its supplier may see it."""
    if attempt.sealed_answer is None:
        return ""
    raw = sealing.unseal(
        attempt.sealed_answer,
        table="suppliers_outboundattempt",
        key=f"{attempt.event.uuid}:{attempt.number}",
        field="answer",
    )
    return raw.decode("utf-8", "replace").replace("\x00", "")
