"""What was decided to be said is sent: by the right channel, once, and seen to arrive.

The rows are the queue. Due ones are claimed with a lease, the provider is called outside
any transaction, and its answer is written back; receipts may come at any time, in any
order and repeatedly. When a channel fails the next one is tried at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from assets.models import Share, Transfer
from notifications import (
    caps,
    claims,
    early_receipts,
    fallback,
    ladder,
    messages,
    push_devices,
    transports,
)
from notifications.choices import DeliveryPurpose, DeliveryState
from notifications.claims import Claimed, Verdict
from notifications.models import Delivery, Notification, Receipt
from notifications.outcomes import rested, verdict_of
from notifications.resting import Rests
from notifications.transports import email, sms, voice
from notifications.transports.switchboard import Calls
from notifications.transports.values import Sent
from owners import bulk
from owners.channels import verify
from owners.choices import ChannelKind, Level, Topic
from owners.models import Channel, ChannelCode, Invitation
from owners.reach import Reach
from suppliers import checks
from suppliers.models import SupplierInvitation, WayCheck

SENT_BY = (
    ChannelKind.SMS,
    ChannelKind.EMAIL,
    ChannelKind.PUSH,
    ChannelKind.VOICE,
    ChannelKind.CHAT,
)
SUBJECT_LENGTH = 120
CHECK_LIFE = timedelta(hours=1)  # whoever asked has gone by then
GO_S = 20.0  # one go of sending; what is under way is always seen to its end
LINGER_S = 0.02  # outcomes of so long are written together
LOOK_S = 0.1  # while something slow is under way, look for new work so often

# A receipt counts only if it says more than is known; every one is kept.
RANKS = {
    DeliveryState.SENT: 1,
    DeliveryState.FAILED: 2,
    DeliveryState.DELIVERED: 3,
}


_IS_WAITING = """
    SELECT 1 FROM notifications_delivery WHERE state = 'pending' AND next_at <= %s
    ORDER BY next_at LIMIT 1
"""


# Planning


def climb(
    told: Sequence[tuple[Notification, Reach]], *, now: datetime
) -> dict[UUID, Sequence[ladder.Step]]:
    """Return the steps of what is told at `now`, within the caps, by notification.

    What a cap changes is noted with the notification's reasons.
    """
    loud = [(one, reach) for one, reach in told if one.level == Level.INTERRUPT]
    owners = {one.owner_id for one, reach in loud if caps.matters(one, reach)}
    lately = caps.lately(owners=owners, now=now)
    return {one.uuid: climbed(one, reach, lately=lately) for one, reach in loud}


def climbed(
    notification: Notification, reach: Reach, *, lately: caps.Lately
) -> Sequence[ladder.Step]:
    """Return the steps of one that is told now, and count the first with what went before."""
    kinds = reach.ladder(Topic(notification.topic))
    room = lately.room(notification, reach)
    steps = ladder.steps(
        reach=reach,
        topic=Topic(notification.topic),
        deadline=notification.deadline,
        now=lately.now,
        taken=room,
    )
    if kinds and kinds[0] in room.full:
        notification.why |= {"full": kinds[0].value}
    if steps:
        lately.add(notification, steps[0])
        if steps[0].at > lately.now:
            notification.why |= {"put_off_until": steps[0].at.isoformat()}
    return steps


def planned(
    *,
    notification: Notification,
    steps: Sequence[ladder.Step],
    channels: Mapping[str, Channel],
    now: datetime,
) -> list[Delivery]:
    """Return the unsaved deliveries of a notification that is told at `now`.

    A silent one is on the card at once, and so is an interrupt to somebody who has no
    working channel. Any other takes its `steps`.
    """
    rows = [
        _row(
            notification, kind=step.kind, channel=channels[step.kind], step=step.number, at=step.at
        )
        for step in steps
        if step.kind in channels
    ]
    if rows:
        for row in rows:
            row.created_at = now
        return rows
    row = _row(notification, kind=ChannelKind.FEED, channel=None, step=0, at=now)
    row.state = DeliveryState.DELIVERED
    row.created_at = row.sent_at = row.delivered_at = now
    return [row]


def save(rows: list[Delivery]) -> list[Delivery]:
    """Write planned deliveries; those that are there already stay as they are."""
    if not rows:
        return []
    return Delivery.objects.bulk_create(push_devices.told_at_once(rows), ignore_conflicts=True)


def _row(
    notification: Notification,
    *,
    kind: ChannelKind,
    channel: Channel | None,
    step: int,
    at: datetime,
) -> Delivery:
    ends = [end for end in (notification.expires_at, notification.deadline) if end is not None]
    return Delivery(
        key=f"{notification.uuid}:{kind}:{step}",
        household_id=notification.household_id,
        owner_id=notification.owner_id,
        notification=notification,
        kind=kind,
        channel=channel,
        step=step,
        subject=_shortened(notification.text) if kind == ChannelKind.EMAIL else "",
        text=notification.text,
        next_at=at,
        expires_at=(notification.expires_at if step == 0 else min(ends, default=None)),
    )


def _shortened(text: str) -> str:
    """Return the first line of a text, cut at a word where it is long."""
    line = text.splitlines()[0] if text else ""
    if len(line) <= SUBJECT_LENGTH:
        return line
    return line[:SUBJECT_LENGTH].rsplit(" ", 1)[0] + "…"


def take_codes(*, now: datetime) -> int:
    """Make deliveries of the verification codes that wait; return how many."""
    with transaction.atomic():
        waiting = list(
            ChannelCode.objects.waiting(now)
            .select_related("channel__owner")
            .select_for_update(skip_locked=True, of=("self",))[:500]
        )
        if not waiting:
            return 0
        Delivery.objects.bulk_create(
            (_code_letter(code, now=now) for code in waiting), ignore_conflicts=True
        )
        ChannelCode.objects.filter(pk__in=[code.pk for code in waiting]).update(queued_at=now)
    return len(waiting)


def _code_letter(code: ChannelCode, *, now: datetime) -> Delivery:
    """Return the delivery of a code, in its owner's language."""
    with translation.override(code.channel.owner.language):
        return Delivery(
            key=f"code:{code.uuid}",
            owner_id=code.channel.owner_id,
            purpose=DeliveryPurpose.CODE,
            kind=code.channel.kind,
            channel=code.channel,
            subject=_("Your Steward code"),
            # The code itself stays sealed where it is until it is sent.
            text=_("Your Steward code is {code}. Nobody from Steward will ask you for it."),
            next_at=now,
            expires_at=code.expires_at,
            created_at=now,
        )


def take_invitations(*, now: datetime) -> int:
    """Make deliveries of the invitations that wait; return how many.

    The one who invites owns the row: whoever is invited has no account yet.
    """
    with transaction.atomic():
        waiting = list(
            Invitation.objects.waiting(now)
            .select_related("household", "invited_by")
            .select_for_update(skip_locked=True, of=("self",))[:500]
        )
        made = []
        for one in waiting:
            if one.invited_by is None:
                continue
            with translation.override(one.language):
                values = {"who": one.invited_by.get_full_name(), "household": one.household.name}
                made.append(
                    Delivery(
                        key=f"invitation:{one.uuid}",
                        household=one.household,
                        owner=one.invited_by,
                        purpose=DeliveryPurpose.INVITATION,
                        kind=ChannelKind.EMAIL,
                        subject=_shortened(_("%(who)s invites you to Steward") % values),
                        # The link itself stays sealed where it is until it is sent.
                        text=_(
                            "%(who)s would like to share %(household)s with you.\n\n{link}\n\n"
                            "The link works once, for a week."
                        )
                        % values,
                        next_at=now,
                        expires_at=one.expires_at,
                        created_at=now,
                    )
                )
        Delivery.objects.bulk_create(made, ignore_conflicts=True)
        Invitation.objects.filter(pk__in=[one.pk for one in waiting]).update(queued_at=now)
    return len(waiting)


def take_supplier_invitations(*, now: datetime) -> int:
    """Make deliveries of the invitations of suppliers that wait; return how many."""
    with transaction.atomic():
        waiting = list(
            SupplierInvitation.objects.waiting(now)
            .select_related("household", "invited_by")
            .select_for_update(skip_locked=True, of=("self",))[:500]
        )
        made = []
        for one in waiting:
            if one.invited_by is None:
                continue
            with translation.override(one.language):
                values = {"who": one.shown_as, "name": one.name, "note": one.note}
                text = _(
                    "%(who)s invites %(name)s to serve them through Steward. You need no "
                    "account: the link shows what is offered, and yes is one tap.\n\n{link}\n\n"
                    "It works once, for two weeks."
                )
                made.append(
                    Delivery(
                        key=f"supplier-invitation:{one.uuid}",
                        household=one.household,
                        owner=one.invited_by,
                        purpose=DeliveryPurpose.INVITATION,
                        kind=ChannelKind.EMAIL,
                        subject=_shortened(_("%(who)s invites you to serve them") % values),
                        # The link itself stays sealed where it is until it is sent.
                        text=text % values + (f"\n\n{one.note}" if one.note else ""),
                        next_at=now,
                        expires_at=one.expires_at,
                        created_at=now,
                    )
                )
        Delivery.objects.bulk_create(made, ignore_conflicts=True)
        SupplierInvitation.objects.filter(pk__in=[one.pk for one in waiting]).update(queued_at=now)
    return len(waiting)


def take_letters(*, now: datetime) -> int:
    """Make deliveries of the shares and offers that wait for a letter; return how many."""
    with transaction.atomic():
        waiting = [
            one
            for rows in (Share.objects.waiting(now), Transfer.objects.waiting(now))
            for one in rows.select_related("household", "asset", "made_by").select_for_update(
                skip_locked=True, of=("self",)
            )[:500]
        ]
        made = []
        for one in waiting:
            if one.made_by is None:
                continue
            with translation.override(one.language):
                values = {"who": one.made_by.get_full_name(), "what": one.asset.name}
                if isinstance(one, Share):
                    subject = _("%(who)s shows you: %(what)s") % values
                    # The link itself stays sealed where it is until it is sent.
                    text = _(
                        "%(who)s would like to show you %(what)s on Steward: what it is, and "
                        "what care is due.\n\n{link}\n\nThe link works once, for two weeks."
                    )
                else:
                    subject = _("%(who)s hands over to you: %(what)s") % values
                    text = _(
                        "%(who)s would like to hand over %(what)s to you, with its history. The "
                        "link shows what goes along; you need no account to look.\n\n{link}\n\n"
                        "Nothing changes hands before you say yes."
                    )
                made.append(
                    Delivery(
                        key=f"{'share' if isinstance(one, Share) else 'transfer'}:{one.uuid}",
                        household=one.household,
                        owner=one.made_by,
                        purpose=DeliveryPurpose.INVITATION,
                        kind=ChannelKind.EMAIL,
                        subject=_shortened(subject),
                        text=text % values,
                        next_at=now,
                        expires_at=one.invited_until if isinstance(one, Share) else one.expires_at,
                        created_at=now,
                    )
                )
        Delivery.objects.bulk_create(made, ignore_conflicts=True)
        for model in (Share, Transfer):
            pks = [one.pk for one in waiting if isinstance(one, model)]
            model._default_manager.filter(pk__in=pks).update(queued_at=now)  # noqa: SLF001 - Django's own name
    return len(waiting)


def take_checks(*, now: datetime) -> int:
    """Make deliveries of the test mails that wait; return how many.

    Each goes to the owner's own mailbox, which is to send it on to the address it names.
    """
    with transaction.atomic():
        waiting = list(
            WayCheck.objects.waiting(now)
            .select_related("channel", "owner")
            .select_for_update(skip_locked=True, of=("self",))[:500]
        )
        if not waiting:
            return 0
        Delivery.objects.bulk_create(
            (_check_letter(check, now=now) for check in waiting), ignore_conflicts=True
        )
        WayCheck.objects.filter(pk__in=[check.pk for check in waiting]).update(queued_at=now)
    return len(waiting)


def _check_letter(check: WayCheck, *, now: datetime) -> Delivery:
    """Return the test mail of a check, in its owner's language."""
    with translation.override(check.owner.language):
        return Delivery(
            key=f"check:{check.uuid}",
            household_id=check.household_id,
            owner_id=check.owner_id,
            purpose=DeliveryPurpose.CHECK,
            kind=ChannelKind.EMAIL,
            channel=check.channel,
            subject=_("A test from Steward (%(token)s)") % {"token": checks.subject_of(check)},
            text=_(
                "You asked whether your mail is sent on to Steward. If it is, there is nothing"
                " to do: this mail finds its way back by itself.\n\nIf you send on only some"
                " mail, forward this one by hand to:\n%(address)s"
            )
            % {"address": check.address},
            next_at=now,
            expires_at=check.asked_at + CHECK_LIFE,
            created_at=now,
        )


def has_letters(*, now: datetime) -> bool:
    """Whether codes, invitations, test mails or early events wait to be taken."""
    return (
        early_receipts.waiting().exists()
        or ChannelCode.objects.waiting(now).exists()
        or Invitation.objects.waiting(now).exists()
        or SupplierInvitation.objects.waiting(now).exists()
        or Share.objects.waiting(now).exists()
        or Transfer.objects.waiting(now).exists()
        or WayCheck.objects.waiting(now).exists()
    )


def stop_ladder(*, notification_ids: Iterable[int], now: datetime) -> int:
    """Put away what is not needed any more, because somebody has seen or acted.

    Further steps go; a first step that still waits goes when its own member has seen
    the notification. What is in somebody's hands at this moment is left to its outcome.
    Returns how many were put away.
    """
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    needless = Q(step__gt=0) | Q(notification__seen_at__isnull=False)
    return Delivery.objects.filter(
        free, needless, notification__in=list(notification_ids), state=DeliveryState.PENDING
    ).update(state=DeliveryState.SUPERSEDED, detail="seen or acted on")


# Sending


def claimable(*, now: datetime) -> QuerySet[Delivery]:
    """Return the deliveries that somebody should take in hand at `now`."""
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    return Delivery.objects.filter(free, state__in=claims.WORKING, next_at__lte=now)


def is_waiting(*, now: datetime) -> bool:
    """Whether anything is to be sent at `now`; asked after every lot of contacts."""
    return bool(bulk.read(_IS_WAITING, [now]))


def deliver_due(
    *, now: datetime, limit: int = 200, now_fn: Callable[[], datetime] | None = None
) -> int:
    """Send what is due; return how many deliveries were taken in hand.

    Without `now_fn` that is one batch of at most `limit` of each kind. With it, batches
    follow until nothing is due or 20 seconds have passed, while slow receivers hold
    nothing but their own place. Returns when everything begun has its outcome written.
    """
    taken = take_codes(now=now) + take_invitations(now=now) + take_checks(now=now)
    taken += take_supplier_invitations(now=now) + take_letters(now=now) + take_early_receipts()
    work = _Work(limit=limit, clock=now_fn or (lambda: now))
    until = time.monotonic() + GO_S
    is_first = True
    try:
        while True:
            begun = 0
            if is_first or (now_fn is not None and time.monotonic() < until):
                begun = work.begin()
            is_first = False
            taken += begun
            if work.under_way:
                work.finish()
            elif not begun:
                return taken
    finally:
        work.drop()


class _Work:
    """Deliveries under way for this thread: begun, and their outcomes as they come.

    The transports work on a thread of their own, so the next are claimed and the last
    are written meanwhile.
    """

    def __init__(self, *, limit: int, clock: Callable[[], datetime]) -> None:
        self.limit = limit
        self.clock = clock
        self.counts = dict.fromkeys(SENT_BY, 0)
        self.calls: Calls[Claimed] = Calls(transports.switchboard(), linger=LINGER_S)
        self.rests = Rests()

    @property
    def under_way(self) -> int:
        """How many were begun and have no outcome yet."""
        return sum(self.counts.values())

    def begin(self) -> int:
        """Claim what there is room for and hand it to the transports; return how many.

        Waits until a quarter of the room is free, so that claims stay batches.
        """
        begun = 0
        self.rests.look()
        for kind in SENT_BY:
            transport = transports.transport_for(kind)
            size = min(transport.room, self.limit)
            room = size - self.counts[kind]
            if room < max(1, size // 4):
                continue
            now = self.clock()
            with transaction.atomic():
                claimed, failed = claims.claim(
                    kind=kind, limit=room, now=now, is_repeatable=transport.is_repeatable
                )
                for row in failed:
                    fallback.after_failure(row.pk, fault="", now=now)
            start_by = time.monotonic() + settings.DELIVERY_LEASE_S / 3
            calls: list[tuple[Claimed, Coroutine[Any, Any, Sent | list[Sent]]]] = []
            waiting: list[Verdict] = []
            composed = messages.compose(claimed, start_by=start_by, now=now)
            for one, message in zip(claimed, composed, strict=True):
                until = None
                if self.rests:
                    name = transport.provider(message.to)
                    until = self.rests.until(name, key=message.key, now=now)
                if until is not None:
                    waiting.append(rested(one, until=until))
                elif one.attempt is None:
                    # In doubt since the first attempt, which began after the row was made.
                    calls.append((one, transport.find(message, since=one.delivery.created_at)))
                else:
                    calls.append((one, transport.send(message)))
            self._settle(waiting, now=now)
            if calls:
                self.calls.begin(calls)
            self.counts[kind] += len(calls)
            begun += len(claimed) + len(failed)
        return begun

    def finish(self) -> None:
        """Write the outcomes that are there, waiting a moment for the first and for company."""
        enough = min(self.under_way, max(1, self.limit // 4))
        came = self.calls.wait(enough=enough, longest=LOOK_S)
        if not came:
            return
        now = self.clock()
        answered: list[tuple[Claimed, asyncio.Task[Any]]] = []
        looked_up: list[tuple[Claimed, asyncio.Task[Any]]] = []
        for one, task in came:
            self.counts[ChannelKind(one.delivery.kind)] -= 1
            (looked_up if one.attempt is None else answered).append((one, task))
        self._write(answered, now=now)
        for pair in looked_up:
            # One by one: what one of them found is taken for the next.
            self._write([pair], now=now)

    def _write(self, came: Sequence[tuple[Claimed, asyncio.Task[Any]]], *, now: datetime) -> None:
        is_repeatable = {kind: transports.transport_for(kind).is_repeatable for kind in SENT_BY}
        with transaction.atomic():
            verdicts = [
                verdict_of(
                    one, task, now=now, is_repeatable=is_repeatable[ChannelKind(one.delivery.kind)]
                )
                for one, task in came
            ]
            self._settle(verdicts, now=now)
        for verdict in verdicts:
            self._note_provider(verdict, now=now)

    def _settle(self, verdicts: Sequence[Verdict], *, now: datetime) -> None:
        """Write what became of deliveries, and go on where one failed or would be late."""
        if not verdicts:
            return
        with transaction.atomic():
            written = claims.record(verdicts, now=now)
            for verdict in verdicts:
                key = verdict.delivery.pk
                if key not in written:
                    continue
                if verdict.state == DeliveryState.FAILED:
                    fault = verdict.detail if verdict.is_address_bad else ""
                    fallback.after_failure(key, fault=fault, now=now, is_late=verdict.is_late)
                elif verdict.state == DeliveryState.PENDING and verdict.is_asked:
                    fallback.after_long_wait(key, now=now)

    def _note_provider(self, verdict: Verdict, *, now: datetime) -> None:
        """Note whether a provider takes messages, as far as this one shows it."""
        is_taken = verdict.outcome == "sent"
        if not (verdict.is_everybodys or (is_taken and self.rests)):
            return
        row = verdict.delivery
        name = transports.transport_for(ChannelKind(row.kind)).provider(row.address)
        if is_taken:
            self.rests.taken(name)
        elif name:
            self.rests.refused(
                name,
                address=str(row.channel_uuid or row.uuid),
                asked=verdict.asked,
                said=verdict.detail,
                now=now,
            )

    def drop(self) -> None:
        """Let go of what is still under way: its lease runs out, and it counts as in doubt."""
        if self.under_way:
            self.calls.drop()


# Receipts


def receipt(
    *,
    status: DeliveryState,
    now: datetime,
    provider_ref: str = "",
    ref: UUID | None = None,
    said: str = "",
    fault: str = "",
) -> bool:
    """Note what a provider says of a message, and apply it if it says more than is known.

    The delivery is found by the provider's name for it, or by `ref`, our own, which is
    known before the provider has answered us at all. `said` is the provider's own word,
    `fault` is filled when the address is to blame. Returns whether the message is ours.
    """
    if ref:
        which = Q(uuid=ref)
    elif provider_ref:
        which = Q(provider_ref=provider_ref)
    else:
        return False
    with transaction.atomic():
        row = Delivery.objects.select_for_update().filter(which).order_by("pk").first()
        if row is None:
            return False
        Receipt.objects.create(
            delivery=row, status=said[:20] or status, detail=fault[:300], received_at=now
        )
        if RANKS.get(status, 0) <= RANKS.get(DeliveryState(row.state), 0):
            return True
        row.state = status
        row.provider_ref = row.provider_ref or provider_ref[:120]
        row.lease_until = None
        row.sent_at = row.sent_at or (None if status == DeliveryState.FAILED else now)
        if status == DeliveryState.DELIVERED:
            row.delivered_at = now
        if status == DeliveryState.FAILED:
            row.detail = (fault or said)[:300]
        row.save(
            update_fields=[
                "state",
                "provider_ref",
                "lease_until",
                "sent_at",
                "delivered_at",
                "detail",
            ]
        )
        row.attempts.filter(outcome=None).update(outcome="sent", finished_at=now)
        if status == DeliveryState.FAILED:
            fallback.after_failure(row.pk, fault=fault, now=now)
    return True


def take_early_receipts() -> int:
    """Apply what was said of mails whose name is known by now; return how much."""
    with transaction.atomic():
        rows = early_receipts.take()
        for row in rows:
            mail_receipt(
                provider_ref=row.provider_ref,
                said=row.said,
                reason=row.reason,
                now=row.received_at,
            )
    return len(rows)


def woke(*, ref: UUID, code: str, now: datetime) -> None:
    """Note that a device showed what it was woken with; the right code proves the device."""
    receipt(status=DeliveryState.DELIVERED, ref=ref, said="shown", now=now)
    if code:
        row = Delivery.objects.filter(uuid=ref, purpose=DeliveryPurpose.CODE).first()
        if row is not None and row.channel is not None and row.channel.verified_at is None:
            verify(channel=row.channel, code=code, now=now)


def mail_receipt(*, provider_ref: str, said: str, reason: str, now: datetime) -> bool:
    """Note what a mail provider says; a bounce counts even after "delivered", as a complaint.

    `said` is an event of anymail. What is of no mail known here is kept for a while: the
    provider's answer with the mail's name may still be on its way. Returns whether the
    mail is ours.
    """
    status = email.EVENTS.get(said)
    if status is None or not provider_ref:
        return False
    is_bad = said == "complained" or (said in ("bounced", "rejected") and reason in email.BAD)
    fault = f"{said} {reason}".strip() if is_bad else ""
    is_ours = receipt(
        status=status, now=now, provider_ref=provider_ref[:120], said=said, fault=fault
    )
    if not is_ours:
        early_receipts.keep(provider_ref=provider_ref, said=said, reason=reason, now=now)
    if is_ours and fault:
        with transaction.atomic():
            row = (
                Delivery.objects.select_related("notification", "channel", "owner")
                .filter(provider_ref=provider_ref[:120])
                .order_by("pk")
                .first()
            )
            if row is not None:
                fallback.note_fault(row, fault=fault, now=now)
    return is_ours


def phone_receipt(
    *,
    status: str,
    error_code: str,
    provider_ref: str,
    ref: UUID | None,
    is_call: bool,
    now: datetime,
) -> bool:
    """Note what the provider says of an SMS or a call, in its own words.

    An unknown word is kept as sent. That nobody took a call is not the number's fault.
    """
    known = voice.STATUSES if is_call else sms.STATUSES
    is_bad = error_code.isdigit() and int(error_code) in sms.BAD_NUMBERS
    return receipt(
        status=DeliveryState(known.get(status, "sent")),
        now=now,
        provider_ref=provider_ref,
        ref=ref,
        said=f"{status} {error_code}".strip(),
        fault=f"{status} {error_code}" if is_bad else "",
    )


def acknowledged(*, ref: UUID, now: datetime) -> str | None:
    """Note that whoever took the call pressed the key: seen, so nobody is told further.

    Returns the language to thank in; None for a call that is not ours.
    """
    with transaction.atomic():
        row = (
            Delivery.objects.select_related("notification", "owner")
            .filter(uuid=ref, kind=ChannelKind.VOICE)
            .first()
        )
        if row is None:
            return None
        receipt(status=DeliveryState.DELIVERED, ref=ref, said="acknowledged", now=now)
        if row.notification is not None and row.notification.seen_at is None:
            Notification.objects.filter(pk=row.notification.pk).update(seen_at=now)
            stop_ladder(notification_ids=[row.notification.pk], now=now)
    return row.owner.language


def goodbye(language: str) -> str:
    """Return what the telephone says when the key was pressed."""
    return voice.thanks(language)


# The operator's view


def parked() -> QuerySet[Delivery]:
    """Return what was given up after too many claims; an operator must look at it."""
    return Delivery.objects.filter(state=DeliveryState.PARKED).order_by("-pk")
