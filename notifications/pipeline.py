"""The way of a contact from the inbox to the owner, stage by stage.

Every stage claims rows that are not done yet, so any process may run any of them at any
time: Celery tasks when the doorbell rings, `manage.py drain` without Redis, and replays
under a simulated clock all come here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db.models import Min, Q
from django.utils.module_loading import import_string

from assets.models import AwaitedWords, CareTask, Notice
from notifications import delivery, digests, feed, indexing, month_mail, repairs, upkeep
from notifications.choices import DeliveryState, NotificationState
from notifications.models import Delivery, Journey, Notification, ReportWish
from owners import doorbell
from owners.models import Membership
from suppliers import inbox, outbox, proofs, reaching, staffing
from suppliers.choices import EventState
from suppliers.models import Contact, InboundEvent, OutboundEvent, OutboundState, ReachChange

BATCH = 1_000  # a larger lot shares the same thirty queries among more contacts
# Full lots in a row at one stage before the next has its turn: in a flood several contacts
# of one matter are then decided together, and its card is written once.
LOTS = 4
NOTE_S = 1.0  # one go at the words by which things are found
GO_S = 20.0  # one go of the pump; then it rings again, so that deploys need not wait


def pump(*, now_fn: Callable[[], datetime], seconds: float = GO_S, lot: int = BATCH) -> int:
    """Take what waits from the inbox to planned and told notifications, in lots.

    The stages alternate, so a flood in the inbox never starves the cards. Rings for
    the deliveries it planned, and for company when a batch was full. Returns how many
    rows it moved.
    """
    moved, until = 0, time.monotonic() + seconds
    while True:
        arrived = _lots(inbox.process_due, now_fn, bell="inbox", lot=lot, until=until)
        decided = _lots(feed.consolidate_due, now_fn, bell="feed", lot=lot, until=until)
        with doorbell.hushed():
            told = feed.tell_due(now=now_fn())
        # What is told at once was planned where it was decided, and waits for no hold.
        if told or (decided and delivery.is_waiting(now=now_fn())):
            doorbell.ring("delivery")
        if (arrived or decided) and outbox.is_waiting(now=now_fn()):
            doorbell.ring("outbox")  # a task that finds nothing costs more than the question
        moved += arrived + decided + told
        if not (arrived or decided or told):
            return moved
        if time.monotonic() > until:
            doorbell.ring("feed")
            return moved


def _lots(
    stage: Callable[..., int],
    now_fn: Callable[[], datetime],
    *,
    bell: str,
    lot: int,
    until: float,
) -> int:
    """Run a stage while its lots are full, a few times at most; rings for company then."""
    moved = 0
    for _ in range(LOTS):
        with doorbell.hushed():
            count = stage(now=now_fn(), limit=lot)
        moved += count
        if count < lot:
            break
        doorbell.ring(bell)
        if time.monotonic() > until:
            break
    return moved


def note(*, seconds: float = NOTE_S) -> int:
    """Let what the pump moved be found by its words, once no card waits for this process.

    Returns how many things were noted; rings when there is more, as cards come first again.
    """
    noted, until = 0, time.monotonic() + seconds
    while count := indexing.note_due():
        noted += count
        if time.monotonic() > until:
            doorbell.ring("feed")
            break
    return noted


def tick(*, now: datetime) -> int:
    """Do what time alone brings: overdue visits, survey offers, digests, news of wishes."""
    done = upkeep.sweep(now=now) + repairs.sweep(now=now)
    done += feed.sweep(now=now) + digests.make_due(now=now) + reaching.tell_due(now=now)
    return done + month_mail.make_due(now=now)


def drain(*, now_fn: Callable[[], datetime], until_idle: bool = True) -> int:
    """Run every stage, again and again until nothing is due; without Redis.

    With `until_idle` false each stage runs once. Returns how many rows moved.
    """
    moved = 0
    with doorbell.hushed():
        while True:
            count = sum(
                (
                    inbox.process_due(now=now_fn(), limit=BATCH),
                    upkeep.sweep(now=now_fn()),
                    feed.consolidate_due(now=now_fn(), limit=BATCH),
                    feed.sweep(now=now_fn()),
                    repairs.sweep(now=now_fn()),
                    feed.tell_due(now=now_fn()),
                    indexing.note_due(),
                    digests.make_due(now=now_fn()),
                    month_mail.make_due(now=now_fn()),
                    delivery.deliver_due(now=now_fn(), limit=BATCH, now_fn=now_fn),
                    reaching.tell_due(now=now_fn()),
                    outbox.send_due(now=now_fn(), limit=BATCH),
                    staffing.send_due(now=now_fn()),
                    proofs.send_due(now=now_fn()),
                )
            )
            if not count or not until_idle:  # chores wait for everything else
                count += sum(chore(now_fn()) for chore in chores())
            moved += count
            if not count or not until_idle:
                return moved


def chores() -> list[Callable[[datetime], int]]:
    """Return what the whole installation wants done beside the stages."""
    return [import_string(name) for name in settings.CHORES]


def due(*, now: datetime) -> list[str]:
    """Return the bells at which rows wait at `now`, also those whose lease ran out."""
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    ready = Q(not_before=None) | Q(not_before__lte=now)
    waiting = {
        "inbox": InboundEvent.objects.filter(free, state=EventState.STORED),
        "feed": Contact.objects.filter(ready, decided_at=None),
        "delivery": delivery.claimable(now=now),
        "outbox": OutboundEvent.objects.filter(free, state=OutboundState.PENDING, next_at__lte=now),
    }
    bells = [name for name, rows in waiting.items() if rows.exists()]
    if "delivery" not in bells and delivery.has_letters(now=now):
        bells.append("delivery")
    if "outbox" not in bells and (staffing.is_waiting(now=now) or proofs.is_waiting()):
        bells.append("outbox")
    if "feed" not in bells and (
        Notification.objects.due(now).exists() or AwaitedWords.objects.exists()
    ):
        bells.append("feed")
    return bells


def next_at(*, after: datetime) -> datetime | None:
    """Return the first instant after `after` at which a row falls due, or None.

    A simulated clock jumps there: nothing happens in between.
    """
    pending = Q(state=DeliveryState.PENDING) | Q(state=DeliveryState.UNKNOWN)
    sources = (
        (Contact.objects.filter(decided_at=None), "not_before"),
        (Journey.objects.all(), "next_at"),
        (Notification.objects.filter(state=NotificationState.PLANNED), "not_before"),
        (CareTask.objects.filter(removed_at=None), "turns_at"),
        (Notice.objects.filter(settled_at=None), "speaks_at"),
        (Membership.objects.all(), "next_digest_at"),
        (ReportWish.objects.all(), "next_at"),
        (Delivery.objects.filter(pending), "next_at"),
        (OutboundEvent.objects.filter(state=OutboundState.PENDING), "next_at"),
        (ReachChange.objects.all(), "tell_at"),
    )
    instants = [
        rows.filter(**{f"{field}__gt": after}).aggregate(first=Min(field))["first"]
        for rows, field in sources
    ]
    return min((instant for instant in instants if instant is not None), default=None)
