"""What came of a story, in its own names: contacts by their id, everybody by their key."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from notifications import journeys, measuring, metrics
from notifications.choices import (
    DeliveryPurpose,
    DeliveryState,
    NotificationState,
)
from notifications.models import (
    Delivery,
    Digest,
    Journey,
    Notification,
)
from notifications.replay.player import Played, Player
from notifications.replay.story import Line, Story
from owners.choices import ChannelKind
from suppliers.choices import Direction, Medium, Outcome, Way
from suppliers.models import InboundEvent, OutboundEvent

# Progress and administration: they do not reach for the owner.
UNCOUNTED = frozenset(
    {
        "appointment.started",
        "appointment.completed",
        "appointment.en_route",
        "appointment.no_show",
        "ticket.resolved",
        "ticket.closed",
        "payment.received",
        "invoice.paid",
        "delivery.delivered",
        "service.performed",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The story's names for rows; what it does not name keeps its public UUID."""

    zone: ZoneInfo
    contacts: dict[str, str]
    suppliers: dict[str, str]
    assets: dict[str, str]
    members: dict[int, str]

    def contact(self, uuid: object) -> str:
        return self.contacts.get(str(uuid), str(uuid))

    def time(self, at: datetime | None) -> str | None:
        """Return an instant in the world's zone (RFC 3339)."""
        if at is None:
            return None
        return at.astimezone(self.zone).isoformat(timespec="seconds")

    def told(self, value: Any) -> Any:
        """Return `value` with names for UUIDs and local times for instants, all the way down."""
        if isinstance(value, dict):
            return {name: self.told(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.told(item) for item in value]
        if isinstance(value, UUID):
            return self.told(str(value))
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, str):
            return self._word(value)
        return value

    def _word(self, value: str) -> str:
        for names in (self.contacts, self.suppliers, self.assets):
            if value in names:
                return names[value]
        if "/" in value:  # a window is written as start/end
            return "/".join(self._instant(part) for part in value.split("/"))
        return self._instant(value)

    def _instant(self, value: str) -> str:
        if len(value) < 19 or value[4:5] != "-" or "T" not in value:
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return value if at.tzinfo is None else str(self.time(at))


def make(story: Story, player: Player) -> dict[str, Any]:
    """Return the report of what `player` has played."""
    household = player.cast.household
    names = _names(player)
    described = [
        journeys.describe(journey, now=player.now)
        for journey in Journey.objects.filter(household=household, is_emptied=False).order_by(
            "opened_at", "pk"
        )
    ]
    order = {line.id: index for index, line in enumerate(story.lines)}
    outcomes = _outcomes(story, player, names)
    measures = measured(story, player)
    return {
        "contacts": {
            "received": measures["contacts_received"],
            "made": measures["contacts_made"],
        },
        "journeys": [_journey(names.told(item), order) for item in described],
        "outcomes": outcomes,
        "notifications": _notifications(household.pk, names),
        "digests": _digests(household.pk, names),
        "outbound": _outbound(player, names),
        "metrics": measures,
    }


def measured(story: Story, player: Player) -> dict[str, Any]:
    """Return the measures of what `player` has played, with what was refused at the entrance."""
    seen = measuring.read(household=player.cast.household, now=player.now).seen
    seen = replace(seen, contacts=[*seen.contacts, *_refused(player, story)])
    return metrics.measure(seen)


def _names(player: Player) -> Names:
    cast = player.cast
    return Names(
        zone=cast.world.zone,
        contacts={str(uuid): name for uuid, name in player.story_ids().items()},
        suppliers={str(row.uuid): key for key, row in cast.suppliers.items()},
        assets={str(row.uuid): key for key, row in cast.assets.items()},
        members={row.pk: key for key, row in cast.members.items()},
    )


def _journey(item: dict[str, Any], order: dict[str, int]) -> dict[str, Any]:
    """Return a described journey in the report's shape."""
    contacts = [contact["id"] for contact in item["contacts"]]
    return {
        "id": item["id"],
        "title": item.get("title", ""),
        "asset": _id(item["asset"]),
        "suppliers": [_id(supplier) for supplier in item["suppliers"]],
        "contacts": sorted(contacts, key=lambda name: order.get(name, len(order))),
        "state": item["state"],
        "turn": item["turn"],
        "appointments": item["appointments"],
        "surveys": item["surveys"],
        "promises": item["promises"],
        "conflicts": item["conflicts"],
        "facts": _facts(item["facts"]),
        "tried": item.get("tried", []),
        "possibly_related": item.get("possibly_related", []),
    }


def _id(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) else value


def _facts(facts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return facts by name; what was replaced stands beside what holds."""
    found: dict[str, Any] = {}
    for fact in facts:
        entry = {key: fact[key] for key in ("label", "value", "state", "sources") if key in fact}
        holder = found.setdefault(fact["name"], {"value": None, "sources": [], "replaced": []})
        if fact.get("state") == "replaced":
            holder["replaced"].append(entry)
        else:
            holder.update(entry)
    return found


# Outcomes


def _outcomes(story: Story, player: Player, names: Names) -> dict[str, Any]:
    return {
        line.id: names.told(_outcome(player.played.get(line.id), player))
        for line in story.lines
        if line.makes_contact
    }


def _outcome(played: Played | None, player: Player) -> dict[str, Any]:
    if played is None:
        return {"outcome": "", "reason": "not_played", "rule": "", "evidence": {}}
    if not played.events:
        return {
            "outcome": Outcome.DUPLICATE.value,
            "reason": "same_message",
            "rule": "once",
            "evidence": {"detail": played.repeats},
        }
    contact = player.contacts(played.line.id).first()
    if contact is not None:
        return {
            "outcome": contact.outcome,
            "reason": contact.reason,
            "rule": contact.rule,
            "evidence": contact.evidence,
        }
    event = InboundEvent.objects.filter(id__in=played.events).order_by("id")[0]
    return {
        "outcome": Outcome.REFUSED.value if event.state == "rejected" else "",
        "reason": event.code or event.state,
        "rule": "content",
        "evidence": {"pointer": event.pointer, "detail": event.detail},
    }


# What was told


def _notifications(household: int, names: Names) -> list[dict[str, Any]]:
    rows = (
        Notification.objects.filter(household=household, state=NotificationState.TOLD)
        .select_related("journey")
        .order_by("told_at", "pk")
    )
    return [_notification(row, names) for row in rows]


def _notification(row: Notification, names: Names) -> dict[str, Any]:
    deliveries = list(
        row.deliveries.exclude(state=DeliveryState.PENDING).order_by("step", "next_at", "pk")
    )
    first = deliveries[0] if deliveries else None
    return {
        "id": str(row.uuid),
        "at": names.time((_delivered_at(first) if first else None) or row.told_at),
        "to": names.members.get(row.owner_id),
        "level": row.level,
        "topic": row.topic,
        "channel": first.kind if first else ChannelKind.FEED.value,
        "text": row.text,
        "because": [names.contact(uuid) for uuid in row.because],
        "reason": row.reason,
        "journey": str(row.journey.uuid),
        "deliveries": [_delivery(delivery, names) for delivery in deliveries],
    }


def _delivered_at(delivery: Delivery) -> datetime:
    return delivery.sent_at or delivery.delivered_at or delivery.next_at


def _delivery(delivery: Delivery, names: Names) -> dict[str, Any]:
    return {
        "at": names.time(_delivered_at(delivery)),
        "channel": delivery.kind,
        "outcome": delivery.state,
    }


def _digests(household: int, names: Names) -> list[dict[str, Any]]:
    found = []
    for digest in Digest.objects.filter(household=household).order_by("slot", "pk"):
        delivery = (
            Delivery.objects.filter(
                purpose=DeliveryPurpose.DIGEST,
                household=household,
                owner=digest.owner_id,
                created_at=digest.made_at,
            )
            .order_by("step", "pk")
            .first()
        )
        found.append(
            {
                "at": names.time(_delivered_at(delivery) if delivery else digest.made_at),
                "to": names.members.get(digest.owner_id),
                "channel": delivery.kind if delivery else ChannelKind.FEED.value,
                "lines": names.told(digest.lines),
            }
        )
    return found


def _outbound(player: Player, names: Names) -> list[dict[str, Any]]:
    mine = Q(household=player.cast.household)
    # What is rejected before its household is known is told to the supplier all the same.
    strays = Q(household=None, supplier__in=player.cast.suppliers.values())
    rows = (
        OutboundEvent.objects.filter(mine | strays)
        .select_related("supplier")
        .order_by("created_at", "pk")
    )
    return [
        {
            "at": names.time(row.created_at),
            "supplier": names.suppliers.get(str(row.supplier.uuid), row.supplier.code),
            "type": row.type,
            "via": row.via,
            "data": names.told(row.data),
        }
        for row in rows
    ]


# What is measured


def _refused(player: Player, story: Story) -> list[metrics.SeenContact]:
    """Return what reached for the owner and was refused before it became a contact."""
    found = []
    for line in story.lines:
        played = player.played.get(line.id)
        if played is None or not played.events or player.contacts(line.id).exists():
            continue
        if _is_counted(line):
            found.append(
                metrics.SeenContact(
                    direction=Direction.IN,
                    medium=_medium(line),
                    at=line.at.astimezone(UTC),
                    outcome=Outcome.REFUSED,
                    is_respectful=_medium(line) == Medium.NONE,
                )
            )
    return found


def _is_counted(line: Line) -> bool:
    if line.via != Way.WEBHOOK:
        return line.via != Way.OWNER
    kind = str(line.data["event"]["type"])
    return kind not in UNCOUNTED and not kind.startswith("supplier.")


def _medium(line: Line) -> Medium:
    if line.via == Way.WEBHOOK:
        medium = line.data["event"].get("data", {}).get("medium")
        return Medium(medium) if medium in Medium.values else Medium.NONE
    return {"email": Medium.EMAIL, "sms": Medium.SMS}.get(line.via, Medium.CALL)
