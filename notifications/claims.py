"""Deliveries in hand: claimed for a while, judged, and their outcome written back.

A claim is a short statement with a lease. Between the claim and the outcome stands one
committed attempt row, so whatever kills this process leaves a trace: an attempt without
an outcome may or may not have reached the provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from notifications.choices import DeliveryPurpose, DeliveryState, NotificationState
from notifications.models import Attempt, Decision, Delivery, Notification
from owners.choices import ChannelKind
from owners.models import ChannelCode

MOST_CLAIMS = 8  # a row that was claimed so often without an outcome is parked
WORKING = (DeliveryState.PENDING, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery in our hands: to be sent, or to be looked up first."""

    delivery: Delivery
    attempt: int | None  # None for a look-up, which sends nothing
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a delivery; `is_sure` also when somebody else has it by now."""

    delivery: Delivery
    state: DeliveryState
    detail: str = ""
    next_at: datetime | None = None
    provider_ref: str = ""
    failures: int = 0  # to add
    claims: int = 0  # to add; -1 gives a claim back that led to nothing
    attempt: int | None = None
    outcome: str = ""
    is_sure: bool = False
    is_address_bad: bool = False


_CLAIM = """
    WITH due AS (
        SELECT id FROM notifications_delivery
        WHERE {which} AND next_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
        ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE notifications_delivery d SET lease_until = %(lease)s, claims = d.claims + 1
    FROM due WHERE d.id = due.id RETURNING d.id
"""
CLAIM_PENDING = _CLAIM.format(which="state = 'pending' AND kind = %(kind)s")
CLAIM_UNKNOWN = _CLAIM.format(which="state = 'unknown' AND kind = %(kind)s")

# Sent is sent, whoever holds the row now, and never takes back what a receipt has said.
# Anything else is written only while the claim is still ours.
_OUTCOME = """
    UPDATE notifications_delivery d SET
        state = CASE WHEN d.state IN ('sent', 'delivered', 'failed') AND v.is_sure
                     THEN d.state ELSE v.state END,
        detail = v.detail,
        next_at = COALESCE(v.next_at, d.next_at),
        provider_ref = CASE WHEN v.provider_ref = '' THEN d.provider_ref ELSE v.provider_ref END,
        failures = d.failures + v.failures,
        claims = d.claims + v.more_claims,
        lease_until = NULL,
        sent_at = CASE WHEN v.state IN ('sent', 'delivered') THEN COALESCE(d.sent_at, %(now)s)
                       ELSE d.sent_at END,
        delivered_at = CASE WHEN v.state = 'delivered' THEN COALESCE(d.delivered_at, %(now)s)
                            ELSE d.delivered_at END
    FROM unnest(%(id)s::bigint[], %(state)s::text[], %(detail)s::text[],
                %(next_at)s::timestamptz[], %(provider_ref)s::text[], %(failures)s::int[],
                %(more_claims)s::int[], %(claims)s::int[], %(is_sure)s::bool[])
         AS v(id, state, detail, next_at, provider_ref, failures, more_claims, claims, is_sure)
    WHERE d.id = v.id
      AND (v.is_sure OR (d.state IN ('pending', 'unknown') AND d.claims = v.claims))
    RETURNING d.id
"""
_ATTEMPTS = """
    UPDATE notifications_attempt a SET finished_at = %(now)s, outcome = v.outcome,
        detail = v.detail
    FROM unnest(%(id)s::bigint[], %(outcome)s::text[], %(detail)s::text[]) AS v(id, outcome, detail)
    WHERE a.id = v.id
"""


def claim(
    *, kind: ChannelKind, limit: int, now: datetime, is_repeatable: bool
) -> tuple[list[Claimed], list[Delivery]]:
    """Take up to `limit` due deliveries of one kind for a while.

    Returns those to send or to look up, and those that turned out to have failed. What
    is expired, overtaken or seen is put away here. All in one short transaction, which
    also writes the attempts.
    """
    lease = now + timedelta(seconds=settings.DELIVERY_LEASE_S)
    asked = {"now": now, "lease": lease, "kind": kind, "limit": limit}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(CLAIM_PENDING, asked)
            ids = [row[0] for row in cursor.fetchall()]
            cursor.execute(CLAIM_UNKNOWN, {**asked, "limit": max(0, limit - len(ids))})
            ids += [row[0] for row in cursor.fetchall()]
        if not ids:
            return [], []
        rows = list(
            Delivery.objects.filter(pk__in=ids)
            .select_related("channel", "notification__journey")
            .order_by("next_at", "pk")
        )
        known = _known(rows)
        verdicts, sending, asking = [], [], []
        for row in rows:
            verdict = _judge(row, known=known, now=now, is_repeatable=is_repeatable)
            if verdict is not None:
                verdicts.append(verdict)
            elif row.state == DeliveryState.UNKNOWN:
                asking.append(row)
            else:
                sending.append(row)
        record(verdicts, now=now)
        lost = [row.pk for row in sending if row.pk in known.open_attempts]
        if lost:
            # Nobody will ever finish these; another attempt follows them now.
            Attempt.objects.filter(delivery__in=lost, outcome=None).update(outcome="unknown")
        attempts = Attempt.objects.bulk_create(
            Attempt(delivery=row, started_at=now) for row in sending
        )
    failed = [
        v.delivery for v in verdicts if v.state in (DeliveryState.FAILED, DeliveryState.PARKED)
    ]
    claimed = [
        Claimed(delivery=row, attempt=attempt.pk, text=known.text_of(row))
        for row, attempt in zip(sending, attempts, strict=True)
    ]
    claimed += [Claimed(delivery=row, attempt=None, text=known.text_of(row)) for row in asking]
    return claimed, failed


def record(verdicts: Sequence[Verdict], *, now: datetime) -> set[int]:
    """Write what became of deliveries; return the ids whose row took it.

    Two statements whatever the number; the caller's transaction makes them one.
    """
    if not verdicts:
        return set()
    verdicts = sorted(verdicts, key=lambda v: v.delivery.pk)  # one order: no deadlocks
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _OUTCOME,
            {
                "now": now,
                "id": [v.delivery.pk for v in verdicts],
                "state": [str(v.state) for v in verdicts],
                "detail": [v.detail[:300] for v in verdicts],
                "next_at": [v.next_at for v in verdicts],
                "provider_ref": [v.provider_ref for v in verdicts],
                "failures": [v.failures for v in verdicts],
                "more_claims": [v.claims for v in verdicts],
                "claims": [v.delivery.claims for v in verdicts],
                "is_sure": [v.is_sure for v in verdicts],
            },
        )
        taken = {row[0] for row in cursor.fetchall()}
        tried = [v for v in verdicts if v.attempt is not None]
        if tried:
            cursor.execute(
                _ATTEMPTS,
                {
                    "now": now,
                    "id": [v.attempt for v in tried],
                    "outcome": [v.outcome for v in tried],
                    "detail": [v.detail[:300] for v in tried],
                },
            )
    return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What judging a batch needs, read once for all of it."""

    seen: dict[int, datetime]  # journey -> when anybody in the household last saw a telling
    acted: dict[int, datetime]  # journey -> when anybody last decided something
    open_attempts: dict[int, datetime]  # delivery -> start of an attempt without an outcome
    codes: dict[UUID, str]

    def text_of(self, row: Delivery) -> str:
        """Return the words to send; a code is opened only now."""
        if row.purpose == DeliveryPurpose.CODE:
            return row.text.replace("{code}", self.codes.get(code_of(row), ""))
        return row.text


def code_of(row: Delivery) -> UUID:
    """Return which code a delivery of purpose code carries."""
    return UUID(row.key.removeprefix("code:"))


def _known(rows: Iterable[Delivery]) -> _Known:
    journeys = {row.notification.journey_id for row in rows if row.step and row.notification}
    seen, acted = {}, {}
    if journeys:
        seen = dict(
            Notification.objects.filter(journey__in=journeys, seen_at__isnull=False)
            .values_list("journey")
            .annotate(last=Max("seen_at"))
        )
        acted = dict(
            Decision.objects.filter(journey__in=journeys)
            .values_list("journey")
            .annotate(last=Max("decided_at"))
        )
    again = [row.pk for row in rows if row.claims > 1]
    open_attempts = {}
    if again:
        open_attempts = dict(
            Attempt.objects.filter(delivery__in=again, outcome=None)
            .values_list("delivery")
            .annotate(last=Max("started_at"))
        )
    wanted = [code_of(row) for row in rows if row.purpose == DeliveryPurpose.CODE]
    codes = {}
    if wanted:
        codes = {
            one.uuid: one.code for one in ChannelCode.objects.filter(uuid__in=wanted, used_at=None)
        }
    return _Known(seen=seen, acted=acted, open_attempts=open_attempts, codes=codes)


def _judge(row: Delivery, *, known: _Known, now: datetime, is_repeatable: bool) -> Verdict | None:
    """Return why a claimed delivery is not sent now; None when it is."""
    told = row.notification
    in_doubt = row.state == DeliveryState.UNKNOWN
    if row.pk in known.open_attempts and not in_doubt and not is_repeatable:
        # Whoever held it before us died with the provider on the line.
        again = known.open_attempts[row.pk] + timedelta(seconds=settings.DELIVERY_DOUBT_S)
        said = "a process ended while it was being sent"
        return Verdict(delivery=row, state=DeliveryState.UNKNOWN, detail=said, next_at=again)
    if row.claims > MOST_CLAIMS:
        said = f"claimed {MOST_CLAIMS} times without an outcome"
        return Verdict(delivery=row, state=DeliveryState.PARKED, detail=said)
    if in_doubt:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return Verdict(delivery=row, state=DeliveryState.EXPIRED, detail="too late to help")
    if row.channel is None or row.channel.failed_at is not None:
        said = "the address is gone or does not work"
        return Verdict(delivery=row, state=DeliveryState.FAILED, detail=said)
    if row.purpose == DeliveryPurpose.CODE and code_of(row) not in known.codes:
        return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail="the code was used")
    if told is None:
        return None
    if told.state == NotificationState.SUPERSEDED:
        return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail="overtaken")
    if told.seen_at is not None:
        return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail="seen")
    since = told.told_at or row.created_at
    for when in (known.seen.get(told.journey_id), known.acted.get(told.journey_id)):
        if row.step and when is not None and when >= since:
            said = "somebody in the household has seen or acted"
            return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail=said)
    return None
