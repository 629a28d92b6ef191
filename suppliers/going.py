"""What is due goes out to the suppliers: each endpoint in its order, none slowed by another.

Events to one endpoint go one after the other, in the order in which they were written:
whoever claims it takes the head of its line, and nobody else claims it meanwhile. One that
fails holds back all that follow it while it is young (`HOLDS` tries): the endpoint rests
until its next try. Afterwards it holds back only what is of the same mandate: an answer
never overtakes an earlier one of the same household, and no single event stops an endpoint
for days. When an endpoint that was down answers again, all that waits for it is due at once.

The attempt is written before it is made. An endpoint sees an event again when an answer
was lost: its `webhook-id` stays the same.
"""

import heapq
import json
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from prometheus_client import Counter

from owners import bulk, sealing
from suppliers import letters, routes, signing, tries
from suppliers.models import (
    HOLDS,
    Mandate,
    OutboundAttempt,
    OutboundEvent,
    OutboundState,
    Supplier,
)
from suppliers.routes import MAIL, ONE_CLICK, SMS, WEBHOOK
from suppliers.tries import SCHEDULE, Result, Try

log = structlog.get_logger(__name__)

DISABLE_AFTER = timedelta(days=5)
PER_LANE = 25  # events of one lane in one go
LETTERS_AT_ONCE = 4
PLACES = 32  # requests under way at once
TROUBLED = 8  # of these, for endpoints that failed when last tried
GO_S = 20.0  # for which one go takes more on; then others may
# The head of each endpoint's line: in the order of writing, but for what waits behind an
# event of its mandate that has failed too often to hold back the others (`HOLDS`, written
# out for the partial index).
_LINES = """
    SELECT line.id
    FROM unnest(%(suppliers)s::bigint[]) AS endpoint(id)
    CROSS JOIN LATERAL (
        SELECT e.id FROM suppliers_outboundevent e
        WHERE e.supplier_id = endpoint.id AND e.state = 'pending' AND e.via = 'webhook'
            AND NOT EXISTS (
                SELECT 1 FROM suppliers_outboundevent s
                WHERE s.state = 'pending' AND s.via = 'webhook' AND s.attempts >= 3
                    AND s.supplier_id = e.supplier_id
                    AND COALESCE(s.mandate_id, 0) = COALESCE(e.mandate_id, 0)
                    AND s.id <= e.id AND s.next_at > %(now)s
            )
        ORDER BY e.id LIMIT %(most)s
    ) AS line
    ORDER BY line.id
"""
# What cannot go before another is looked at again later, at most in a few minutes.
_PUT_OFF = """
    UPDATE suppliers_outboundevent e
    SET next_at = LEAST(s.next_at, %(now)s + interval '5 minutes')
    FROM suppliers_outboundevent s
    WHERE e.supplier_id = ANY(%(suppliers)s::bigint[])
        AND e.state = 'pending' AND e.via = 'webhook' AND e.next_at <= %(now)s
        AND s.state = 'pending' AND s.via = 'webhook' AND s.attempts >= 3
        AND s.supplier_id = e.supplier_id
        AND COALESCE(s.mandate_id, 0) = COALESCE(e.mandate_id, 0)
        AND s.id < e.id AND s.next_at > %(now)s
"""
SENT = Counter("steward_outbox_attempts_total", "Tries to tell a supplier", ["via", "outcome"])


def send_due(
    *, now: datetime, limit: int = 500, now_fn: Callable[[], datetime] | None = None
) -> int:
    """Send what is due to suppliers; return how many events were taken.

    With `now_fn` what falls due meanwhile is taken too, so that a slow receiver delays
    nobody else.
    """
    return _Walk(now=now, now_fn=now_fn, limit=limit).run()


@dataclass(slots=True)
class _Lane:
    """Events that go one after the other."""

    key: Hashable
    events: deque[OutboundEvent]
    claimed_at: float
    rate: float = 0.0  # a second; 0: as fast as it answers
    is_troubled: bool = False
    lease: datetime | None = None  # by which its rows are known as its own


@dataclass(slots=True)
class _Walk:
    """One go: its lanes, and the tries that are under way."""

    now: datetime
    now_fn: Callable[[], datetime] | None
    limit: int
    taken: int = 0
    began: float = field(default_factory=time.monotonic)
    lanes: dict[Hashable, _Lane] = field(default_factory=dict)
    under_way: dict[Future[Result], tuple[_Lane, OutboundEvent]] = field(default_factory=dict)
    resting: list[tuple[float, int, _Lane]] = field(default_factory=list)  # until when
    free_at: dict[Hashable, float] = field(default_factory=dict)
    written: dict[int, letters.Letter] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)

    def run(self) -> int:
        until = time.monotonic() + GO_S
        with ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="outbox") as pool:
            self._take(pool)
            while self.under_way or self.resting:
                self._wait()
                self._wake(pool)
                done = [future for future in self.under_way if future.done()]
                for future in done:
                    self._end(pool, future)
                if done and time.monotonic() < until:
                    self._take(pool)
        return self.taken

    def _clock(self) -> datetime:
        return self.now_fn() if self.now_fn is not None else self.now

    def lease(self) -> datetime:
        """Return until when what is taken now is ours; a clock that stands still is helped."""
        gone_by = time.monotonic() - self.began if self.now_fn is None else 0.0
        return self._clock() + timedelta(seconds=gone_by + settings.OUTBOX_LEASE_S)

    def _take(self, pool: ThreadPoolExecutor) -> None:
        """Claim what is due for the lanes that are free, until there is no more."""
        while self.taken < self.limit or self.now_fn is not None:
            claimed = _claim(self, now=self._clock())
            if not claimed:
                return
            self._prepare(claimed)
            for lane in claimed:
                self.taken += len(lane.events)
                self.lanes[lane.key] = lane
                self._next(pool, lane)

    def _prepare(self, claimed: list[_Lane]) -> None:
        """Write the letters and look the numbers up, all at once."""
        events = [event for lane in claimed for event in lane.events]
        mails = [event for event in events if event.via == MAIL]
        if mails:
            self.written |= letters.write_all(mails)
        texts = [event.mandate for event in events if event.via == SMS and event.mandate]
        if texts:
            self.numbers |= routes.numbers_of(texts)

    def _wait(self) -> None:
        """Return when a try has ended, or a lane has rested."""
        rest = max(self.resting[0][0] - time.monotonic(), 0) if self.resting else None
        if self.under_way:
            wait(self.under_way, timeout=rest, return_when=FIRST_COMPLETED)
        elif rest:
            time.sleep(rest)

    def _wake(self, pool: ThreadPoolExecutor) -> None:
        while self.resting and self.resting[0][0] <= time.monotonic():
            self._next(pool, heapq.heappop(self.resting)[2])

    def _next(self, pool: ThreadPoolExecutor, lane: _Lane) -> None:
        """Begin the lane's next try, let it rest until it may, or close it."""
        at = time.monotonic()
        # Later, somebody else might take its events for forgotten.
        if at - lane.claimed_at > settings.OUTBOX_LEASE_S / 2:
            self._let_go(lane)
        if not lane.events:
            del self.lanes[lane.key]
            return
        if self.free_at.get(lane.key, at) > at:
            heapq.heappush(self.resting, (self.free_at[lane.key], id(lane), lane))
            return
        if lane.rate:
            self.free_at[lane.key] = at + 1 / lane.rate
        event, now = lane.events.popleft(), self._clock()
        if not _begin(event, lane, now=now, lease=self.lease()):
            # Whoever has it may not be done with it; what follows must not overtake it.
            self._let_go(lane)
            del self.lanes[lane.key]
            return
        attempt = self._try_of(event, now=now)
        self.under_way[pool.submit(tries.timed, attempt)] = (lane, event)

    def _try_of(self, event: OutboundEvent, *, now: datetime) -> Try:
        if event.via == WEBHOOK:
            return _call(event, now=now)
        if event.via == ONE_CLICK:
            return _unsubscription(event)
        if event.via == SMS:
            words = letters.sms_of(event)
            number = self.numbers.get(event.mandate_id or 0, "")
            return tries.text(number=number, words=words, name=event.uuid, now=now)
        return tries.mail(self.written.pop(event.pk, None))

    def _end(self, pool: ThreadPoolExecutor, future: Future[Result]) -> None:
        lane, event = self.under_way.pop(future)
        now = self._clock()
        try:
            result = future.result()
        except Exception as error:
            # One event that breaks our own code must not keep all others from going out.
            log.exception("outbox_fault", event_id=str(event.uuid))
            result = Result(is_sent=False, detail=f"fault: {type(error).__name__}")
        is_off = _settle(event, result, now=now)
        if is_off:
            self._let_go(lane)
        elif event.via == WEBHOOK and event.state == OutboundState.PENDING:
            self._let_go(lane, behind=event)
        self._next(pool, lane)

    def _let_go(self, lane: _Lane, *, behind: OutboundEvent | None = None) -> None:
        """Give back what the lane holds: all, or what must wait behind an event."""
        held = [one for one in lane.events if behind is None or _holds(behind, one)]
        if not held:
            return
        lane.events = deque(one for one in lane.events if one not in held)
        self.taken -= len(held)
        pks = [one.pk for one in held]
        # Those alone that nobody else has taken since.
        OutboundEvent.objects.filter(pk__in=pks, lease_until=lane.lease).update(lease_until=None)


# --- claiming ------------------------------------------------------------------------------


def _claim(walk: _Walk, *, now: datetime) -> list[_Lane]:
    """Lease what is due for lanes that have a place."""
    places = PLACES - len(walk.lanes)
    if places <= 0:
        return []
    with transaction.atomic():
        lanes = _lines(walk, places=places, now=now)
        lanes += _letters(walk, places=places - len(lanes), now=now)
        pks = [event.pk for lane in lanes for event in lane.events]
        lease = walk.lease()
        OutboundEvent.objects.filter(pk__in=pks).update(lease_until=lease)
        for lane in lanes:
            lane.lease = lease
    return lanes


def _letters(walk: _Walk, *, places: int, now: datetime) -> list[_Lane]:
    """Take what goes by any way but to an endpoint."""
    due = (
        OutboundEvent.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now), next_at__lte=now)
        .filter(state=OutboundState.PENDING)
        .exclude(via=WEBHOOK)
        .select_related("supplier", "mandate", "household")
        .order_by("next_at", "pk")[: walk.limit]
    )
    lines: dict[Hashable, list[OutboundEvent]] = {}
    for event in due:
        share = event.pk if event.via == ONE_CLICK else event.supplier_id % LETTERS_AT_ONCE
        lines.setdefault((event.via, share), []).append(event)
    began = time.monotonic()
    free = [(key, events) for key, events in lines.items() if key not in walk.lanes]
    return [_Lane(key, deque(events[:PER_LANE]), began) for key, events in free[:places]]


def _lines(walk: _Walk, *, places: int, now: datetime) -> list[_Lane]:
    """Take endpoints, and of each the head of its line: what may go now, the oldest first.

    An endpoint is locked while it is looked at, and busy while an event of it is leased;
    so nobody takes a later event while somebody has an earlier one.
    """
    endpoints = _endpoints(walk, places=places, now=now)
    if not endpoints:
        return []
    which = {"suppliers": bulk.array(endpoints), "now": now}
    heads = [pk for (pk,) in bulk.read(_LINES, {**which, "most": PER_LANE})]
    lines: dict[int, list[OutboundEvent]] = {pk: [] for pk in endpoints}
    known = OutboundEvent.objects.select_related("mandate", "household").order_by("pk")
    for event in known.filter(pk__in=heads):
        event.supplier = endpoints[event.supplier_id]
        lines[event.supplier_id].append(event)
    began = time.monotonic()
    lanes: list[_Lane] = []
    for pk, events in lines.items():
        free, waits = _free(events, now=now)
        if free:
            is_troubled = endpoints[pk].webhook_failing_since is not None
            lanes.append(_Lane(pk, deque(free), began, settings.OUTBOX_RATE, is_troubled))
        elif waits:
            Supplier.objects.filter(pk=pk).update(webhook_rest_until=waits.next_at)
    if idle := [pk for pk, events in lines.items() if not events]:
        bulk.write(_PUT_OFF, {**which, "suppliers": bulk.array(idle)})
    return lanes


def _endpoints(walk: _Walk, *, places: int, now: datetime) -> dict[int, Supplier]:
    """Return endpoints for which something is due, locked; none that somebody else serves."""
    busy = OutboundEvent.objects.filter(
        state=OutboundState.PENDING, via=WEBHOOK, lease_until__gt=now
    ).values("supplier")
    due = (
        OutboundEvent.objects.filter(state=OutboundState.PENDING, via=WEBHOOK, next_at__lte=now)
        .exclude(supplier__in=[key for key in walk.lanes if isinstance(key, int)])
        .exclude(supplier__in=busy)
        .exclude(supplier__webhook_rest_until__gt=now)
        .order_by("next_at", "pk")
        .values_list("supplier", "supplier__webhook_failing_since")[: walk.limit]
    )
    troubled = sum(lane.is_troubled for lane in walk.lanes.values())
    wanted: list[int] = []
    for supplier, failing_since in dict(due).items():
        if failing_since is not None:
            if troubled >= TROUBLED:
                continue
            troubled += 1
        wanted.append(supplier)
    locked = Supplier.objects.select_for_update(no_key=True, skip_locked=True)
    found = locked.in_bulk(wanted[: max(places, 0)])
    # Asked again, now that nobody else can take one.
    taken = set(busy.filter(supplier__in=found).values_list("supplier", flat=True))
    return {pk: supplier for pk, supplier in found.items() if pk not in taken}


def _free(
    events: list[OutboundEvent], *, now: datetime
) -> tuple[list[OutboundEvent], OutboundEvent | None]:
    """Return what of a line may go now, and the event for whose next try the rest waits.

    One that was never tried and is not due, as its owner may still take it back, lets all
    pass but its own mandate's.
    """
    free: list[OutboundEvent] = []
    held: set[int | None] = set()
    for event in events:
        if event.mandate_id in held:
            continue
        if event.next_at <= now:
            free.append(event)
        elif event.attempts:
            return free, event
        else:
            held.add(event.mandate_id)
    return free, None


def _holds(earlier: OutboundEvent, event: OutboundEvent) -> bool:
    """Whether an event that has not arrived holds a later one of its endpoint back."""
    return earlier.attempts < HOLDS or earlier.mandate_id == event.mandate_id


# --- one try -------------------------------------------------------------------------------


def _begin(event: OutboundEvent, lane: _Lane, *, now: datetime, lease: datetime) -> bool:
    """Write down that a try is made; False when somebody else has taken the event since."""
    event.attempts += 1
    event.tried += 1
    event.lease_until = lease
    with transaction.atomic():
        own = OutboundEvent.objects.filter(pk=event.pk, lease_until=lane.lease)
        is_own = own.update(attempts=F("attempts") + 1, tried=F("tried") + 1, lease_until=lease)
        if is_own:
            OutboundAttempt.objects.create(event=event, number=event.tried, at=now, via=event.via)
    return bool(is_own)


def _call(event: OutboundEvent, *, now: datetime) -> Try:
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": str(event.uuid),
            "source": settings.SITE_URL,
            "type": event.type,
            "time": event.created_at.astimezone(UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": letters.told(event),
        },
        separators=(",", ":"),
    ).encode()
    keys = [*settings.STEWARD_SIGNING_KEYS]
    if event.supplier.endpoint_secret:
        keys.append(event.supplier.endpoint_secret)
    headers = signing.sign(webhook_id=f"msg_{event.uuid.hex}", at=now, body=body, keys=keys)
    headers["content-type"] = "application/cloudevents+json"
    headers["user-agent"] = "Steward"
    return tries.call(url=event.supplier.webhook_url, body=body, headers=headers)


def _unsubscription(event: OutboundEvent) -> Try:
    """Return the one request of RFC 8058; it says nothing of whoever asks."""
    headers = {"content-type": "application/x-www-form-urlencoded", "user-agent": "Steward"}
    return tries.call(
        url=event.data["url"], body=tries.UNSUBSCRIBE, headers=headers, is_foreign=True
    )


def _settle(event: OutboundEvent, result: Result, *, now: datetime) -> bool:
    """Note what came of a try, and when the next one is.

    Returns whether the endpoint was switched off: what waits goes by another way then.
    """
    SENT.labels(event.via, "sent" if result.is_sent else "failed").inc()
    event.detail = result.detail or (f"HTTP {result.status}" if result.status else "")
    lease, event.lease_until = event.lease_until, None
    is_gone = event.via == WEBHOOK and result.is_final and not result.is_sent
    if result.is_sent:
        event.state, event.sent_at = OutboundState.SENT, now
    elif (result.is_final and not is_gone) or event.attempts >= len(SCHEDULE):
        event.state = OutboundState.FAILED
    else:
        event.next_at = tries.next_try(
            uuid_=event.uuid, attempts=event.attempts, retry_after=result.retry_after, now=now
        )
    with transaction.atomic():
        # The endpoint before its events, as whoever claims locks them.
        is_off = event.via == WEBHOOK and _judge_endpoint(event, result, now=now)
        # Whoever asked meanwhile to send it again, or by another way, is not overruled, nor
        # whoever tries it anew because this took too long.
        mine = OutboundEvent.objects.filter(pk=event.pk, via=event.via, lease_until=lease)
        mine.update(
            state=event.state,
            detail=event.detail,
            lease_until=None,
            next_at=event.next_at,
            sent_at=event.sent_at,
        )
        OutboundAttempt.objects.filter(event=event, number=event.tried).update(
            status=result.status,
            detail=event.detail,
            took_ms=result.took_ms,
            sealed_answer=_sealed(event, result.answer),
        )
    return is_off


def _sealed(event: OutboundEvent, answer: bytes) -> bytes | None:
    if not answer:
        return None
    return sealing.seal(
        answer,
        table="suppliers_outboundattempt",
        key=f"{event.uuid}:{event.tried}",
        field="answer",
    )


# --- endpoints -----------------------------------------------------------------------------


def _judge_endpoint(event: OutboundEvent, result: Result, *, now: datetime) -> bool:
    """Note whether the endpoint works; switch it off when it is gone, or dead for days.

    Returns whether it was switched off. One that was down and answers again gets all that
    waits; a single event that failed among others keeps its schedule.
    """
    if result.is_sent:
        troubled = Q(webhook_failing_since__isnull=False) | Q(webhook_rest_until__isnull=False)
        known = Supplier.objects.filter(troubled, pk=event.supplier_id)
        if known.update(webhook_failing_since=None, webhook_rest_until=None):
            _waiting(event.supplier_id).filter(next_at__gt=now).update(next_at=now)
        return False
    supplier = Supplier.objects.select_for_update(no_key=True).get(pk=event.supplier_id)
    since = supplier.webhook_failing_since or now
    is_dead = result.is_final or now - since >= DISABLE_AFTER
    if is_dead and supplier.webhook_disabled_at is None:
        _disable(supplier, reason="gone" if result.is_final else "failing", now=now)
        return True
    # What went on failing while others arrived says nothing of the endpoint.
    is_its_own = supplier.webhook_failing_since is None and event.attempts > HOLDS
    supplier.webhook_failing_since = None if is_its_own else since
    asked = tries.wanted(result.retry_after, now)
    until = now + asked if asked > timedelta(0) else None
    if event.state == OutboundState.PENDING and event.attempts < HOLDS:
        until = max(event.next_at, until or now)
    supplier.webhook_rest_until = until
    supplier.save(update_fields=["webhook_failing_since", "webhook_rest_until"])
    return False


def _waiting(supplier_id: int) -> QuerySet[OutboundEvent]:
    return OutboundEvent.objects.filter(
        supplier=supplier_id, state=OutboundState.PENDING, via=WEBHOOK
    )


def _disable(supplier: Supplier, *, reason: str, now: datetime) -> None:
    supplier.webhook_disabled_at = now
    supplier.save(update_fields=["webhook_disabled_at"])
    log.warning("endpoint_disabled", supplier=str(supplier.uuid), reason=reason)
    # What still waits goes by another way, as it would have without an endpoint.
    waiting = _waiting(supplier.pk)
    _reroute(waiting.filter(type__startswith="steward."), routes.technical(supplier), now)
    mandates = list(
        Mandate.objects.filter(pk__in=waiting.values("mandate")).select_related("supplier")
    )
    for pk, via in routes.of_mandates(mandates).items():
        of_one = waiting.filter(mandate=pk)
        for type_ in list(of_one.order_by().values_list("type", flat=True).distinct()):
            _reroute(of_one.filter(type=type_), routes.of_type(via, type_), now)
    _reroute(waiting, routes.technical(supplier), now)
    OutboundEvent.objects.create(
        supplier=supplier,
        type="steward.endpoint.disabled",
        data={"url": supplier.webhook_url, "reason": reason, "at": now.isoformat()},
        **routes.columns(routes.technical(supplier)),
        created_at=now,
        next_at=now,
    )


def _reroute(rows: QuerySet[OutboundEvent], via: str, now: datetime) -> None:
    rows.update(**routes.columns(via), attempts=0, next_at=now, lease_until=None)
