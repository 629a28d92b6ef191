"""When a channel fails: the next one at once, and the owner learns it in the feed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from notifications import caps, ladder
from notifications.choices import DeliveryState, NotificationState
from notifications.models import Delivery, Notification, PushDevice
from notifications.tongue import speaking
from owners.choices import ChannelKind, Level, Topic
from owners.models import Channel, Membership, reach_of
from owners.reach import Reach, quiet_end

REASON = "channel_failed"
LATE = "channel_late"
PATIENCE = timedelta(minutes=10)  # that a provider may ask of what interrupts
ONCE_IN = timedelta(days=1)  # an owner hears that a channel is late
REACHING = (
    DeliveryState.PENDING,
    DeliveryState.UNKNOWN,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
)


def after_failure(delivery_id: int, *, fault: str, now: datetime, is_late: bool = False) -> None:
    """Go on after a delivery that failed for good, inside the caller's transaction.

    `fault` is what the provider said when the address itself is to blame: the channel is
    then marked and not used again until it is verified anew, and its owner is told. With
    `is_late` no provider took it in time, which the owner is told as well.
    """
    row = Delivery.objects.select_related("notification", "channel", "owner").get(pk=delivery_id)
    note_fault(row, fault=fault, now=now)
    if row.notification_id is not None:
        _try_next_channel(row, now=now, is_address=bool(fault))
        if is_late:
            _tell_late(row, now=now)


def after_long_wait(delivery_id: int, *, now: datetime) -> bool:
    """Take the next channel when a provider asks for more patience than an interrupt has.

    Without another channel the delivery keeps waiting: late is better than never. Inside
    the caller's transaction; returns whether it went on.
    """
    row = Delivery.objects.select_related("notification", "channel", "owner").get(pk=delivery_id)
    told = row.notification
    if told is None or told.level != Level.INTERRUPT or row.next_at - now <= PATIENCE:
        return False
    if not _try_next_channel(row, now=now, before=row.next_at):
        return False
    Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.FAILED)
    _tell_late(row, now=now)
    return True


def note_fault(row: Delivery, *, fault: str, now: datetime) -> None:
    """Mark the channel of a delivery whose address is to blame, and tell its owner, once."""
    if fault and row.channel_id is not None:
        marked = Channel.objects.filter(pk=row.channel_id, failed_at=None).update(
            failed_at=now, failure=fault[:200]
        )
        if marked:
            _tell_owner(row, now=now)
            if row.kind == ChannelKind.PUSH and row.channel is not None:
                _forget_device(row.channel)


def _forget_device(channel: Channel) -> None:
    """Drop a subscription that ended; its channel stays, to say so to its owner."""
    PushDevice.objects.filter(channel=channel).delete()
    # Each its own: an owner has one channel of one address.
    channel.set_address(json.dumps({"gone": str(channel.uuid)}), hint=channel.hint)
    channel.save(update_fields=["sealed_address", "address_index", "hint"])


def _tell_owner(row: Delivery, *, now: datetime) -> None:
    """Say in the feed that an address does not work.

    It stands on the journey whose message was lost. A failed digest or code has none;
    there the mark on the channel is what the owner sees.
    """
    told = row.notification
    if told is None or row.channel is None:
        return
    with speaking(row.owner.language):
        about = {"kind": ChannelKind(row.kind).label, "address": row.channel.hint}
        if row.kind == ChannelKind.PUSH:
            text = _("%(address)s cannot be woken any more. Turn it on there again.") % about
        else:
            text = _("%(kind)s to %(address)s does not arrive. Check the address.") % about
    _note_on_journey(told, text=text, reason=REASON, now=now)


def _tell_late(row: Delivery, *, now: datetime) -> None:
    """Say in the feed that a channel's provider takes nothing; once a day."""
    told = row.notification
    if told is None or row.channel is None:
        return
    with speaking(row.owner.language):
        about = {"kind": ChannelKind(row.kind).label, "address": row.channel.hint}
        text = _("%(kind)s to %(address)s is held up at its provider for now.") % about
    said = Notification.objects.filter(owner=told.owner_id, reason=LATE, text=text)
    if not said.filter(told_at__gt=now - ONCE_IN).exists():
        _note_on_journey(told, text=text, reason=LATE, now=now)


def _note_on_journey(told: Notification, *, text: str, reason: str, now: datetime) -> None:
    """Tell the owner something of a channel silently, on the journey whose message it was."""
    notice = Notification.objects.create(
        household_id=told.household_id,
        journey_id=told.journey_id,
        owner_id=told.owner_id,
        level=Level.FEED,
        topic=Topic.FAILED,
        reason=reason,
        text=text,
        because=told.because,
        rule=f"delivery.{reason}",
        state=NotificationState.TOLD,
        held_since=now,
        not_before=now,
        told_at=now,
        snapshot=told.snapshot,
    )
    Delivery.objects.create(
        key=f"{notice.uuid}:{ChannelKind.FEED}:0",
        household_id=told.household_id,
        owner_id=told.owner_id,
        notification=notice,
        kind=ChannelKind.FEED,
        text=notice.text,
        state=DeliveryState.DELIVERED,
        next_at=now,
        created_at=now,
        sent_at=now,
        delivered_at=now,
    )


def _try_next_channel(
    row: Delivery, *, now: datetime, before: datetime | None = None, is_address: bool = False
) -> bool:
    """Bring the next step of the ladder forward, or make one where none was planned.

    When the address alone is to blame (`is_address`), another address of the same kind comes
    first. Nothing is done where the next could only go at `before` or later. Returns whether
    there is a next one.
    """
    told = row.notification
    if told is None or told.seen_at is not None or told.state != NotificationState.TOLD:
        return False
    if told.expires_at is not None and told.expires_at <= now:
        return False
    steps = list(
        Delivery.objects.select_for_update(of=("self",))
        .filter(notification=told)
        .select_related("channel")
        .order_by("step")
    )
    # Another device of the same step was told, or will be: that is where it is seen.
    others = [s for s in steps if s.step == row.step and s.pk != row.pk]
    if any(s.state in REACHING for s in others):
        return False
    member = _Member.of(told)
    if member is None:
        return False
    tried = {step.channel_id for step in steps}
    again = [c for c in member.channels if c.kind == row.kind and c.pk not in tried]
    ahead = [s for s in steps if s.pk != row.pk and s.step and s.state == DeliveryState.PENDING]
    if is_address and again:
        waiting, left = None, {again[0].kind: again[0]}
    elif ahead:
        waiting = min(ahead, key=lambda step: step.next_at)
        if waiting.next_at <= now:
            return True
        left = {} if waiting.channel is None else {waiting.kind: waiting.channel}
    else:
        if any(s.state in (DeliveryState.SENT, DeliveryState.DELIVERED) for s in steps):
            return False
        used = {step.kind for step in steps}
        waiting, left = None, {c.kind: c for c in member.channels if c.kind not in used}
    found = _instead(told, reach=member.reach, left=left, now=now)
    if found is None:
        return waiting is not None
    channel, at = found
    if before is not None and at >= before:
        return False
    if waiting is not None:
        Delivery.objects.filter(pk=waiting.pk, next_at__gt=at).update(next_at=at)
    else:
        _add_step(row, told=told, channel=channel, steps=steps, at=at, now=now)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """Who is told: their wishes, and their working addresses, the newest first."""

    reach: Reach
    channels: list[Channel]

    @classmethod
    def of(cls, told: Notification) -> _Member | None:
        """Return the member that was told, or None when they have left."""
        membership = (
            Membership.objects.filter(owner_id=told.owner_id, household_id=told.household_id)
            .select_related("owner", "household")
            .first()
        )
        if membership is None:
            return None
        channels = list(Channel.objects.filter(owner_id=told.owner_id).usable().order_by("-pk"))
        reach = reach_of(
            membership,
            rules=list(membership.reach_rules.all()),
            kinds=sorted({channel.kind for channel in channels}),
            by_channel=list(membership.channel_wishes.all()),
        )
        return cls(reach=reach, channels=channels)


def _instead(
    told: Notification, *, reach: Reach, left: Mapping[str, Channel], now: datetime
) -> tuple[Channel, datetime] | None:
    """Return which channel of those `left` (by kind) takes the failed one's place, and when."""
    kinds = [kind for kind in reach.ladder(Topic(told.topic)) if kind in left]
    ends = [end for end in (told.deadline, told.expires_at) if end is not None]
    # What came through quiet hours once is what may come through them.
    first = next(iter(reach.ladder(Topic(told.topic))), None)
    was_night = told.told_at is not None and quiet_end(reach, told.told_at, first) is not None
    chosen = ladder.instead(
        reach=reach,
        kinds=kinds,
        deadline=min(ends, default=None),
        now=now,
        taken=caps.lately(owners={told.owner_id}, now=now).room(told, reach),
        wakes=was_night or told.why.get("by") in caps.HEARD_ANYWAY,
    )
    return None if chosen is None else (left[chosen[0]], chosen[1])


def _add_step(
    row: Delivery,
    *,
    told: Notification,
    channel: Channel,
    steps: Sequence[Delivery],
    at: datetime,
    now: datetime,
) -> None:
    number = max(step.step for step in steps) + 1
    Delivery.objects.bulk_create(
        [
            Delivery(
                key=f"{told.uuid}:{channel.kind}:{number}",
                household_id=told.household_id,
                owner_id=told.owner_id,
                notification=told,
                kind=channel.kind,
                channel=channel,
                step=number,
                subject=row.subject or told.text[:200],
                text=told.text,
                next_at=at,
                expires_at=told.expires_at,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
