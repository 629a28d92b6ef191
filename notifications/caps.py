"""How much was said to whom on which channel lately: what the caps are counted over.

Notifications are counted, not messages: a phone and a tablet that are woken by one are
one, and so is a push that takes the place of the last about the same matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from notifications import ladder
from notifications.choices import DeliveryState
from notifications.models import Delivery, Notification
from owners.choices import ChannelKind, Topic
from owners.reach import DAY, DEFAULT_CAPS, ONCE_A_MATTER, Reach

REACHED = (
    DeliveryState.PENDING,
    DeliveryState.UNKNOWN,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
)


HEARD_ANYWAY = ("safety", "granted")  # reasons that no cap and no quiet hours put off


def matters(notification: Notification, reach: Reach) -> bool:
    """Return whether a cap, or a channel that sounds once, may change how it is said."""
    kinds = reach.ladder(Topic(notification.topic))
    if any(kind in ONCE_A_MATTER for kind in kinds[1:]):
        return True
    return _is_capped(notification) and any(reach.cap(kind) is not None for kind in kinds)


@dataclass(slots=True)
class Lately:
    """What went to some owners in the last 24 hours, and what is being added to it."""

    now: datetime
    # By owner and kind: when which thing was said. Of pushes a matter is the thing.
    said: dict[tuple[int, ChannelKind], dict[str, datetime]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    sounded: set[tuple[int, int, ChannelKind]] = field(default_factory=set)

    def room(self, notification: Notification, reach: Reach) -> ladder.Room:
        """Return what the member's channels have no room for now."""
        owner = notification.owner_id
        full: dict[ChannelKind, datetime | None] = {}
        if _is_capped(notification):
            sent = {
                kind: [
                    at
                    for thing, at in self.said[owner, kind].items()
                    # It takes the place of the last about this matter, and is no more.
                    if thing != _thing(kind, str(notification.uuid), notification.journey_id)
                ]
                for kind in reach.channels
            }
            full = ladder.room(reach=reach, sent=sent, now=self.now)
        journey = notification.journey_id
        once = {kind for kind in ONCE_A_MATTER if (owner, journey, kind) in self.sounded}
        return ladder.Room(full=full, sounded=frozenset(once))

    def add(self, notification: Notification, step: ladder.Step) -> None:
        """Count a step that is taken."""
        self.note(
            owner=notification.owner_id,
            kind=step.kind,
            thing=_thing(step.kind, str(notification.uuid), notification.journey_id),
            journey=notification.journey_id,
            at=step.at,
        )

    def note(
        self, *, owner: int, kind: ChannelKind, thing: str, journey: int, at: datetime
    ) -> None:
        """Count one thing that was said."""
        known = self.said[owner, kind]
        known[thing] = max(at, known.get(thing, at))
        if kind in ONCE_A_MATTER:
            self.sounded.add((owner, journey, kind))


def lately(*, owners: Collection[int], now: datetime) -> Lately:
    """Return what went to `owners` in the last 24 hours, or is put off to later."""
    found = Lately(now=now)
    if not owners:
        return found
    # A further step that is still to come may never be needed.
    is_needed = Q(step=0) | ~Q(state=DeliveryState.PENDING) | Q(next_at__lte=now)
    rows = Delivery.objects.filter(
        is_needed,
        owner__in=owners,
        notification__isnull=False,
        kind__in=[kind.value for kind in DEFAULT_CAPS] + [ChannelKind.EMAIL.value],
        state__in=REACHED,
        next_at__gt=now - DAY,
    ).order_by("next_at", "pk")
    columns = ("owner", "kind", "notification__uuid", "notification__journey", "next_at")
    for owner, by, notification, journey, at in rows.values_list(*columns):
        kind = ChannelKind(by)
        found.note(
            owner=owner,
            kind=kind,
            thing=_thing(kind, str(notification), journey),
            journey=journey,
            at=at,
        )
    return found


def _is_capped(notification: Notification) -> bool:
    is_heard_anyway = notification.why.get("by") in HEARD_ANYWAY
    return ladder.is_capped(topic=Topic(notification.topic), is_heard_anyway=is_heard_anyway)


def _thing(kind: ChannelKind, notification: object, journey: int) -> str:
    return f"matter:{journey}" if kind == ChannelKind.PUSH else f"told:{notification}"
