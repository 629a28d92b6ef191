"""Reads what came of a year out of the product's rows, and what its transports were given."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from notifications.choices import NotificationState
from notifications.models import Delivery, Digest, Notification, Survey
from notifications.replay.player import Player
from notifications.transports.recording import taken
from suppliers.choices import EventState
from suppliers.models import Contact, InboundEvent
from tests.year import truth
from tests.year.life import Life


def read(
    lives: Sequence[Life],
    players: Sequence[Player],
    *,
    ends: datetime,
    measured: Mapping[str, int],
) -> truth.Year:
    """Return the year that `players` have played."""
    names = _Names(lives, players)
    return truth.Year(
        homes=tuple(life.home for life in lives),
        said=tuple(said for life in lives for said in life.said if said.at <= ends),
        outcomes=tuple(_outcomes(players)),
        told=tuple(_told(names)),
        messages=tuple(_messages(names)),
        digests=tuple(
            truth.Digest(
                home=names.homes[row.household_id],
                person=names.people[row.owner_id],
                slot=row.slot,
                at=row.made_at,
                lines=tuple(row.lines),
            )
            for row in Digest.objects.order_by("pk")
        ),
        offers=tuple(
            truth.Offer(
                home=names.homes[row.household_id],
                supplier=str(row.supplier_id),
                journey=str(row.journey_id),
                at=row.offered_at,
            )
            for row in Survey.objects.filter(offered_at__isnull=False)
            if row.offered_at is not None
        ),
        put_away=_put_away(),
        ends=ends,
        measured=measured,
    )


class _Names:
    """The names that the year's people and lines have in the story, by their rows."""

    def __init__(self, lives: Sequence[Life], players: Sequence[Player]) -> None:
        pairs = list(zip(lives, players, strict=True))
        self.homes = {player.cast.household.pk: life.home.key for life, player in pairs}
        self.people = {
            owner.pk: key for player in players for key, owner in player.cast.members.items()
        }
        self.lines = {uuid: name for player in players for uuid, name in player.story_ids().items()}


def _outcomes(players: Sequence[Player]) -> list[truth.Outcome]:
    line_of = {
        event: name
        for player in players
        for name, played in player.played.items()
        for event in played.events
    }
    found: dict[str, truth.Outcome] = {}
    rows = Contact.objects.order_by("pk").values_list(
        "inbound_id", "outcome", "reason", "rule", "evidence"
    )
    for inbound, outcome, reason, rule, evidence in rows.iterator():
        line = line_of[inbound]
        found.setdefault(
            line,
            truth.Outcome(
                line=line, outcome=outcome, reason=reason, rule=rule, evidence=bool(evidence)
            ),
        )
    for inbound, code in InboundEvent.objects.filter(state=EventState.REJECTED).values_list(
        "pk", "code"
    ):
        line = line_of[inbound]
        found.setdefault(
            line,
            truth.Outcome(line=line, outcome="refused", reason=code, rule="content", evidence=True),
        )
    return list(found.values())


def _told(names: _Names) -> list[truth.Told]:
    rows = Notification.objects.filter(state=NotificationState.TOLD).order_by("told_at", "pk")
    return [
        truth.Told(
            id=str(row.uuid),
            home=names.homes[row.household_id],
            person=names.people[row.owner_id],
            journey=str(row.journey_id),
            level=row.level,
            topic=row.topic,
            reason=row.reason,
            rule=row.rule,
            text=row.text,
            because=tuple(names.lines[uuid] for uuid in row.because if uuid in names.lines),
            held_since=row.held_since,
            at=row.told_at,
        )
        for row in rows.iterator()
        if row.told_at is not None
    ]


def _messages(names: _Names) -> list[truth.Message]:
    rows: Mapping[str, Any] = {
        row["key"]: row
        for row in Delivery.objects.values(
            "key", "household_id", "owner_id", "purpose", "kind", "step", "sent_at",
            "notification__uuid",
        ).iterator()
    }  # fmt: skip
    found = []
    for message in taken:
        row = rows[message.key]
        found.append(
            truth.Message(
                key=message.key,
                home=names.homes[row["household_id"]],
                person=names.people[row["owner_id"]],
                purpose=row["purpose"],
                channel=row["kind"],
                address=message.to,
                step=row["step"],
                text=message.text,
                at=row["sent_at"],
                told=str(row["notification__uuid"] or ""),
            )
        )
    return found


def _put_away() -> dict[str, tuple[str, ...]]:
    """Return the rules of what was planned and never told."""
    rows = Notification.objects.filter(state=NotificationState.SUPERSEDED)
    return {str(uuid): (rule,) for uuid, rule in rows.values_list("uuid", "rule")}
