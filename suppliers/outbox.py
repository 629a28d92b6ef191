"""What Steward tells suppliers: the owner's answers, deferrals, and faults in what came.

`send` only writes a row, so it belongs into the transaction of whoever decides.
`send_due` claims what is due, writes the attempt, sends outside any transaction, and
notes what came of it. An endpoint sees an event again when an answer was lost: its
`webhook-id` stays the same.
"""

import json
import smtplib
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx
import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from prometheus_client import Counter

from owners import bulk, doorbell
from owners.models import Household
from suppliers import guard, letters, signing
from suppliers.contacts import Report
from suppliers.models import (
    Mandate,
    OutboundAttempt,
    OutboundEvent,
    OutboundState,
    Supplier,
)

log = structlog.get_logger(__name__)

WEBHOOK, MAIL, ONE_CLICK, NONE = "webhook", "mail", "oneclick", "none"
# RFC 8058: this body, and no more; whoever asks for another is not asked.
UNSUBSCRIBE = b"List-Unsubscribe=One-Click"
LATER = frozenset({408, 425, 429})  # answers of 4xx after which another try makes sense
# Standard Webhooks' example: ten tries, the last about 76 hours after the first.
SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
JITTER = 0.1  # a delay grows by up to this share, so that retries do not come in waves
RETRY_AFTER_MAX = timedelta(hours=24)
DISABLE_AFTER = timedelta(days=5)
LEASE = timedelta(minutes=5)
PER_SUPPLIER = 25  # in one go, so that one endpoint cannot take all the places
THREADS = 16
GONE = 410
CAME_BACK = "came back: "  # before the reason that a mail server gave

_WAITING = """
    SELECT 1 FROM suppliers_outboundevent WHERE state = 'pending' AND next_at <= %s LIMIT 1
"""
SENT = Counter("steward_outbox_attempts_total", "Tries to tell a supplier", ["via", "outcome"])


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
) -> OutboundEvent:
    """Store an event for the mandate's supplier; it goes out when the outbox is next walked.

    The owner is named by the mandate's `owner_ref` only. What has a `name` is sent once:
    the same name again returns the first event.
    """
    message = Message(mandate=mandate, type=type, data=data)
    values = message.values(_vias([mandate])[mandate.pk], now=now)
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
        """Return its columns, all but its name."""
        return {
            "supplier": self.mandate.supplier,
            "household_id": self.mandate.household_id,
            "mandate": self.mandate,
            "type": self.type,
            "data": {"owner": self.mandate.owner_ref, **self.data},
            **_route(via),
            "created_at": now,
            "next_at": now,
        }


def send_all(messages: Sequence[Message], *, now: datetime) -> None:
    """Store events as `send` stores one: two reads and a write for any number."""
    if not messages:
        return
    vias = _vias([message.mandate for message in messages])
    rows = [
        OutboundEvent(
            uuid=message.name or uuid.uuid4(), **message.values(vias[message.mandate.pk], now=now)
        )
        for message in messages
    ]
    OutboundEvent.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(lambda: doorbell.ring("outbox"))


def report_rejected(events: Sequence[RejectedEvent], *, now: datetime) -> None:
    """Tell each supplier which of its events had faults in their content, and where."""
    if not events:
        return
    ids = {event.supplier_id for event in events if event.supplier_id is not None}
    suppliers = Supplier.objects.filter(pk__in=ids).in_bulk()
    rows = [
        OutboundEvent(
            uuid=uuid.uuid4(),
            supplier_id=event.supplier_id,
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
            **_route(_technical_via(suppliers[event.supplier_id])),
            created_at=now,
            next_at=now,
        )
        for event in events
        if event.supplier_id is not None
    ]
    OutboundEvent.objects.bulk_create(rows)
    transaction.on_commit(lambda: doorbell.ring("outbox"))


def is_waiting(*, now: datetime) -> bool:
    """Whether something is due to be sent; asked far more often than it is so."""
    return bool(bulk.read(_WAITING, [now]))


def send_due(*, now: datetime, limit: int = 500) -> int:
    """Send what is due to suppliers; return how many events were taken."""
    claimed = _claim(now=now, limit=limit)
    if not claimed:
        return 0
    mails = [event for event in claimed if event.via == MAIL]
    calls = [event for event in claimed if event.via in (WEBHOOK, ONE_CLICK)]
    if calls:
        envelopes = [
            _unsubscription(event) if event.via == ONE_CLICK else _call(event, now=now)
            for event in calls
        ]
        with ThreadPoolExecutor(max_workers=min(THREADS, len(calls))) as pool:
            for event, result in zip(calls, pool.map(_deliver, envelopes), strict=True):
                _settle(event, result, now=now)
    written = letters.write_all(mails) if mails else {}
    for event in mails:
        _settle(event, _mail(written.get(event.pk)), now=now)
    return len(claimed)


def undelivered(*, households: Iterable[Household]) -> QuerySet[OutboundEvent]:
    """Return the owners' answers that do not reach their supplier, the newest first."""
    given_up = Q(state=OutboundState.FAILED)
    waits = Q(state=OutboundState.PENDING, supplier__webhook_failing_since__isnull=False)
    return (
        OutboundEvent.objects.filter(given_up | waits, household__in=households)
        .filter(type__startswith="owner.")
        .select_related("supplier", "household")
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
    event.state, event.attempts, event.detail = OutboundState.PENDING, 0, ""
    event.next_at, event.lease_until = now, None
    if event.via != ONE_CLICK:
        event.via = (
            _technical_via(event.supplier)
            if event.mandate is None
            else _vias([event.mandate])[event.mandate.pk]
        )
    event.save(update_fields=["state", "attempts", "detail", "next_at", "lease_until", "via"])
    transaction.on_commit(lambda: doorbell.ring("outbox"))
    return event


# --- one attempt -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, ready to be made without the database."""

    url: str
    body: bytes
    headers: dict[str, str]
    is_foreign: bool = False  # the address came in a mail: public ones only, whatever is set


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one try. `status` is HTTP's, None without an answer."""

    is_sent: bool
    is_final: bool = False
    status: int | None = None
    detail: str = ""
    retry_after: str = ""


def _claim(*, now: datetime, limit: int) -> list[OutboundEvent]:
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    with transaction.atomic():
        due = (
            OutboundEvent.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(free, state=OutboundState.PENDING, next_at__lte=now)
            .select_related("supplier", "mandate", "household")
            .order_by("next_at", "pk")[:limit]
        )
        taken: list[OutboundEvent] = []
        places: dict[int, int] = {}
        for event in due:
            places[event.supplier_id] = places.get(event.supplier_id, 0) + 1
            if places[event.supplier_id] <= PER_SUPPLIER or event.via != WEBHOOK:
                taken.append(event)
        for event in taken:
            event.attempts += 1
            event.tried += 1
        OutboundEvent.objects.filter(pk__in=[event.pk for event in taken]).update(
            attempts=F("attempts") + 1, tried=F("tried") + 1, lease_until=now + LEASE
        )
        OutboundAttempt.objects.bulk_create(
            [OutboundAttempt(event=event, number=event.tried, at=now) for event in taken]
        )
    return taken


def _call(event: OutboundEvent, *, now: datetime) -> Call:
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": str(event.uuid),
            "source": settings.SITE_URL,
            "type": event.type,
            "time": event.created_at.astimezone(UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": event.data,
        },
        separators=(",", ":"),
    ).encode()
    keys = [*settings.STEWARD_SIGNING_KEYS]
    if event.supplier.endpoint_secret:
        keys.append(event.supplier.endpoint_secret)
    headers = signing.sign(webhook_id=f"msg_{event.uuid.hex}", at=now, body=body, keys=keys)
    headers["content-type"] = "application/cloudevents+json"
    headers["user-agent"] = "Steward"
    return Call(url=event.supplier.webhook_url, body=body, headers=headers)


def _unsubscription(event: OutboundEvent) -> Call:
    """Return the one request of RFC 8058; it says nothing of whoever asks."""
    headers = {"content-type": "application/x-www-form-urlencoded", "user-agent": "Steward"}
    return Call(url=event.data["url"], body=UNSUBSCRIBE, headers=headers, is_foreign=True)


def _deliver(call: Call) -> Result:
    """Make the request; every fault of the network is a result."""
    if settings.STEWARD_OUTBOX == "local":
        return Result(is_sent=True, detail="kept here: nothing leaves this machine")
    try:
        answer = guard.post(
            call.url,
            body=call.body,
            headers=call.headers,
            timeout=settings.OUTBOX_TIMEOUT,
            allowed=() if call.is_foreign else settings.OUTBOX_ALLOWED_NETWORKS,
        )
    except guard.BlockedError as error:
        is_final = call.is_foreign and error.code != "unresolvable"
        return Result(is_sent=False, is_final=is_final, detail=f"blocked: {error.code}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Result(is_sent=False, detail=type(error).__name__)
    # The body is not kept: shown in a log, it would read the receiver's network to others.
    return Result(
        is_sent=200 <= answer.status < 300,
        is_final=answer.status == GONE
        or (call.is_foreign and 300 <= answer.status < 500 and answer.status not in LATER),
        status=answer.status,
        retry_after=answer.retry_after,
    )


def _mail(letter: letters.Letter | None) -> Result:
    if letter is None:
        return Result(is_sent=False, is_final=True, detail="no address is known")
    message = EmailMessage(
        subject=letter.subject,
        body=letter.text,
        from_email=letter.sender,
        to=[letter.recipient],
        headers={"Message-ID": letter.message_id, **letter.headers},
    )
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        return Result(is_sent=False, detail=type(error).__name__)
    return Result(is_sent=True)


def _settle(event: OutboundEvent, result: Result, *, now: datetime) -> None:
    """Note what came of a try, and when the next one is."""
    outcome = "sent" if result.is_sent else "failed"
    SENT.labels(event.via, outcome).inc()
    event.detail = result.detail or (f"HTTP {result.status}" if result.status else "")
    event.lease_until = None
    if result.is_sent:
        event.state, event.sent_at = OutboundState.SENT, now
    elif result.is_final or event.attempts >= len(SCHEDULE):
        event.state = OutboundState.FAILED
    else:
        event.next_at = next_try(
            uuid_=event.uuid, attempts=event.attempts, retry_after=result.retry_after, now=now
        )
    with transaction.atomic():
        event.save(update_fields=["state", "detail", "lease_until", "next_at", "sent_at"])
        OutboundAttempt.objects.filter(event=event, number=event.tried).update(
            status=result.status, detail=event.detail
        )
        if event.via == WEBHOOK:
            _judge_endpoint(event.supplier_id, result, now=now)


def next_try(*, uuid_: uuid.UUID, attempts: int, retry_after: str, now: datetime) -> datetime:
    """Return when to try again after `attempts` tries; the same input gives the same time."""
    delay = SCHEDULE[min(attempts, len(SCHEDULE) - 1)]
    share = uuid.uuid5(uuid_, str(attempts)).int % 1000 / 1000
    wanted = _wanted(retry_after, now)
    return now + max(delay * (1 + JITTER * share), min(wanted, RETRY_AFTER_MAX))


def _wanted(retry_after: str, now: datetime) -> timedelta:
    """Return how long the receiver asks to be left alone; nonsense asks for nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=min(int(retry_after[:9]), 10**8))
    try:
        at = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return timedelta(0)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now


def _judge_endpoint(supplier_id: int, result: Result, *, now: datetime) -> None:
    """Note whether the endpoint works; switch it off when it is gone, or dead for days."""
    supplier = Supplier.objects.select_for_update().get(pk=supplier_id)
    if result.is_sent:
        if supplier.webhook_failing_since is not None:
            supplier.webhook_failing_since = None
            supplier.save(update_fields=["webhook_failing_since"])
        return
    since = supplier.webhook_failing_since or now
    is_dead = result.is_final or now - since >= DISABLE_AFTER
    if is_dead and supplier.webhook_disabled_at is None:
        _disable(supplier, reason="gone" if result.is_final else "failing", now=now)
    elif supplier.webhook_failing_since is None:
        supplier.webhook_failing_since = now
        supplier.save(update_fields=["webhook_failing_since"])


def _disable(supplier: Supplier, *, reason: str, now: datetime) -> None:
    supplier.webhook_disabled_at = now
    supplier.save(update_fields=["webhook_disabled_at"])
    log.warning("endpoint_disabled", supplier=str(supplier.uuid), reason=reason)
    # What still waits goes by mail, as it would have without an endpoint.
    waiting = OutboundEvent.objects.filter(
        supplier=supplier, state=OutboundState.PENDING, via=WEBHOOK
    )
    waiting.filter(type__startswith="steward.").update(**_route(_technical_via(supplier)))
    mandates = list(
        Mandate.objects.filter(pk__in=waiting.values("mandate")).select_related("supplier")
    )
    by_via: dict[str, list[int]] = {}
    for pk, via in _vias(mandates).items():
        by_via.setdefault(via, []).append(pk)
    for via, pks in by_via.items():
        waiting.filter(mandate__in=pks).update(**_route(via))
    waiting.update(**_route(_technical_via(supplier)))
    OutboundEvent.objects.create(
        supplier=supplier,
        type="steward.endpoint.disabled",
        data={"url": supplier.webhook_url, "reason": reason, "at": now.isoformat()},
        **_route(_technical_via(supplier)),
        created_at=now,
        next_at=now,
    )


# --- which way ---------------------------------------------------------------------------


def _route(via: str) -> dict[str, str]:
    """Return the columns of a way; what cannot go out is shown as failed at once."""
    if via == NONE:
        return {"via": NONE, "state": OutboundState.FAILED, "detail": "no address is known"}
    return {"via": via, "state": OutboundState.PENDING, "detail": ""}


def _vias(mandates: Iterable[Mandate]) -> dict[int, str]:
    """Return by which way the supplier of each mandate is told."""
    known = {mandate.pk: mandate for mandate in mandates}
    found = {pk: WEBHOOK for pk, one in known.items() if _has_endpoint(one.supplier)}
    others = known.keys() - found.keys()
    mails = letters.last_mails(others) if others else {}
    for pk in others:
        address = letters.address_of(known[pk].supplier, mails.get(pk))
        found[pk] = MAIL if address else NONE
    return found


def _technical_via(supplier: Supplier) -> str:
    if _has_endpoint(supplier):
        return WEBHOOK
    return MAIL if supplier.technical_contact else NONE


def _has_endpoint(supplier: Supplier) -> bool:
    return bool(supplier.webhook_url) and supplier.webhook_disabled_at is None
