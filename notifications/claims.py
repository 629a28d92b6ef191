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

from assets.models import Share, Transfer
from notifications.choices import DeliveryPurpose, DeliveryState, NotificationState
from notifications.models import Attempt, Decision, Notification
from owners import bulk, sealing
from owners.choices import ChannelKind
from owners.models import ChannelCode, Invitation
from suppliers.models import SupplierInvitation

# What somebody who has no channel here is sent, and the page that its link opens.
Letter = Invitation | SupplierInvitation | Share | Transfer
_PATHS: dict[type, str] = {
    Invitation: "invitation",
    SupplierInvitation: "invited",
    Share: "shared/take",
    Transfer: "take-over",
}
MOST_CLAIMS = 8  # a row that was claimed so often without an outcome is parked
# Of a message that nothing else ends: whoever stood still for weeks speaks of no old news.
LIFE = timedelta(days=3)
WORKING = (DeliveryState.PENDING, DeliveryState.UNKNOWN)


@dataclass(slots=True)
class Row:
    """A delivery as the claim reads it: thousands a second go by, too many for models."""

    pk: int
    uuid: UUID
    key: str
    purpose: str
    kind: str
    step: int
    subject: str
    text: str
    state: str
    expires_at: datetime | None
    claims: int
    failures: int
    created_at: datetime
    channel_uuid: UUID | None
    sealed_address: bytes | None
    channel_failed_at: datetime | None
    notification_id: int | None
    notification_state: str | None
    seen_at: datetime | None
    told_at: datetime | None
    journey_id: int | None
    journey_uuid: UUID | None
    is_bare: bool | None
    language: str
    # To somebody who has no channel here.
    invitation: Letter | None = None

    @property
    def address(self) -> str:
        """The address in the clear; for the transport only."""
        if self.invitation is not None:
            return self.invitation.address
        if self.channel_uuid is None or self.sealed_address is None:
            raise sealing.UnsealError("the delivery's channel is gone")
        # As `Channel.address`, without making a model of thousands a second.
        return sealing.unseal(
            self.sealed_address, table="owners_channel", key=str(self.channel_uuid), field="address"
        ).decode()

    @property
    def code_uuid(self) -> UUID:
        """Which code a delivery of purpose code carries."""
        return UUID(self.key.removeprefix("code:"))

    @property
    def invitation_uuid(self) -> UUID:
        """Which invitation a delivery of purpose invitation carries."""
        return UUID(self.key.rpartition(":")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery in our hands: to be sent, or to be looked up first."""

    delivery: Row
    attempt: int | None  # None for a look-up, which sends nothing
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a delivery; `is_sure` also when somebody else has it by now."""

    delivery: Row
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
    is_everybodys: bool = False  # the provider refuses others as well
    is_asked: bool = False  # the provider itself makes it wait, maybe for long
    is_late: bool = False  # it failed because no provider took it in time
    asked: float | None = None  # seconds that the provider wants to be left alone


_CLAIM = """
    WITH due AS (
        SELECT id FROM notifications_delivery
        WHERE {which} AND next_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
        ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE notifications_delivery d SET lease_until = %(lease)s, claims = d.claims + 1
        FROM due WHERE d.id = due.id RETURNING d.*
    )
    SELECT t.id, t.uuid, t.key, t.purpose, t.kind, t.step, t.subject, t.text, t.state,
           t.expires_at, t.claims, t.failures, t.created_at,
           c.uuid, c.sealed_address, c.failed_at,
           n.id, n.state, n.seen_at, n.told_at, n.journey_id, j.uuid, c.is_bare, o.language
    FROM taken t
    JOIN owners_owner o ON o.id = t.owner_id
    LEFT JOIN owners_channel c ON c.id = t.channel_id
    LEFT JOIN notifications_notification n ON n.id = t.notification_id
    LEFT JOIN notifications_journey j ON j.id = n.journey_id
    ORDER BY t.next_at, t.id
"""
CLAIM_PENDING = _CLAIM.format(which="state = 'pending' AND kind = %(kind)s")
CLAIM_UNKNOWN = _CLAIM.format(which="state = 'unknown' AND kind = %(kind)s")
_BEGIN = """
    INSERT INTO notifications_attempt (delivery_id, started_at, detail)
    SELECT id, %(now)s, '' FROM unnest(%(id)s::bigint[]) AS v(id) RETURNING delivery_id, id
"""

# Whatever they said anew has been told otherwise since, be it silently: a further step
# would now say what is not true any more.
_OVERTAKEN = """
    SELECT n.id FROM notifications_notification n
    WHERE n.id = ANY(%s) AND n.why->'keys' <> '[]' AND NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(n.why->'keys') AS said(key)
        WHERE NOT EXISTS (
            SELECT FROM notifications_notification later
            WHERE later.journey_id = n.journey_id AND later.owner_id = n.owner_id
              AND later.state = 'told' AND later.told_at > n.told_at
              AND later.snapshot->>said.key IS DISTINCT FROM n.snapshot->>said.key))
"""

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
) -> tuple[list[Claimed], list[Row]]:
    """Take up to `limit` due deliveries of one kind for a while.

    Returns those to send or to look up, and those that turned out to have failed. What
    is expired, overtaken or seen is put away here. All in one short transaction, which
    also writes the attempts.
    """
    lease = now + timedelta(seconds=settings.DELIVERY_LEASE_S)
    asked: dict[str, datetime | str | int] = {
        "now": now,
        "lease": lease,
        "kind": kind,
        "limit": limit,
    }
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(CLAIM_PENDING, asked)
        rows = [Row(*columns) for columns in cursor.fetchall()]
        cursor.execute(CLAIM_UNKNOWN, {**asked, "limit": max(0, limit - len(rows))})
        rows += [Row(*columns) for columns in cursor.fetchall()]
        if not rows:
            return [], []
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
        attempts: dict[int, int] = {}
        if sending:
            cursor.execute(_BEGIN, {"now": now, "id": [row.pk for row in sending]})
            attempts = dict(cursor.fetchall())
    failed = [
        v.delivery for v in verdicts if v.state in (DeliveryState.FAILED, DeliveryState.PARKED)
    ]
    claimed = [
        Claimed(delivery=row, attempt=attempts[row.pk], text=known.text_of(row)) for row in sending
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
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
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
    overtaken: set[int]  # notifications
    open_attempts: dict[int, datetime]  # delivery -> start of an attempt without an outcome
    codes: dict[UUID, str]

    def text_of(self, row: Row) -> str:
        """Return the words to send; a code is opened only now."""
        if row.purpose == DeliveryPurpose.CODE:
            return row.text.replace("{code}", self.codes.get(row.code_uuid, ""))
        if row.invitation is not None:
            path = _PATHS[type(row.invitation)]
            link = f"{settings.SITE_URL}/{path}/{row.invitation.token}/"
            return row.text.replace("{link}", link)
        return row.text


def _known(rows: Iterable[Row]) -> _Known:
    journeys = {row.journey_id for row in rows if row.step and row.journey_id}
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
    further = [row.notification_id for row in rows if row.step and row.notification_id]
    overtaken = {pk for (pk,) in bulk.read(_OVERTAKEN, [further])} if further else set()
    again = [row.pk for row in rows if row.claims > 1]
    open_attempts = {}
    if again:
        open_attempts = dict(
            Attempt.objects.filter(delivery__in=again, outcome=None)
            .values_list("delivery")
            .annotate(last=Max("started_at"))
        )
    wanted = [row.code_uuid for row in rows if row.purpose == DeliveryPurpose.CODE]
    codes = {}
    if wanted:
        codes = {
            one.uuid: one.code for one in ChannelCode.objects.filter(uuid__in=wanted, used_at=None)
        }
    invited = [row for row in rows if row.purpose == DeliveryPurpose.INVITATION]
    if invited:
        keys = [row.invitation_uuid for row in invited]
        open_ones = Invitation.objects.filter(uuid__in=keys, accepted_at=None, revoked_at=None)
        open_offers = SupplierInvitation.objects.filter(
            uuid__in=keys, answered_at=None, revoked_at=None
        )
        shares = Share.objects.filter(uuid__in=keys, owner=None, revoked_at=None)
        passed_on = Transfer.objects.filter(uuid__in=keys, token_hash__isnull=False)
        found: dict[UUID, Letter] = {
            one.uuid: one for one in (*open_ones, *open_offers, *shares, *passed_on)
        }
        for row in invited:
            row.invitation = found.get(row.invitation_uuid)
    return _Known(
        seen=seen, acted=acted, overtaken=overtaken, open_attempts=open_attempts, codes=codes
    )


def _judge(  # noqa: PLR0911 - each return is a reason of its own
    row: Row, *, known: _Known, now: datetime, is_repeatable: bool
) -> Verdict | None:
    """Return why a claimed delivery is not sent now; None when it is."""
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
    if (row.expires_at or row.created_at + LIFE) <= now:
        return Verdict(delivery=row, state=DeliveryState.EXPIRED, detail="too late to help")
    if row.purpose == DeliveryPurpose.INVITATION:
        said = "taken back or used"
        gone = Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail=said)
        return gone if row.invitation is None else None
    if row.channel_uuid is None or row.channel_failed_at is not None:
        said = "the address is gone or does not work"
        return Verdict(delivery=row, state=DeliveryState.FAILED, detail=said)
    if row.purpose == DeliveryPurpose.CODE and row.code_uuid not in known.codes:
        return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail="the code was used")
    if row.notification_id is None:
        return None
    if row.notification_state == NotificationState.SUPERSEDED or (
        row.step and row.notification_id in known.overtaken
    ):
        return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail="overtaken")
    if row.seen_at is not None:
        return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail="seen")
    since = row.told_at or row.created_at
    for when in (known.seen.get(row.journey_id or 0), known.acted.get(row.journey_id or 0)):
        if row.step and when is not None and when >= since:
            said = "somebody in the household has seen or acted"
            return Verdict(delivery=row, state=DeliveryState.SUPERSEDED, detail=said)
    return None
