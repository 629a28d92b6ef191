"""What a supplier's people see of their own work, and what they send from the portal.

Of an owner a supplier sees the `owner_ref` and what came of its own events: never a name,
an address, or another supplier's word. What is sent here goes through the inbox like any
signed event, as the same rules have to judge it.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from notifications import verdict
from notifications.choices import AppointmentState
from notifications.models import Appointment, JourneyKey
from suppliers import announcing, catalogue, inbox, outbox, processing
from suppliers.choices import EventState, MandateState, Way
from suppliers.models import (
    Contact,
    Mandate,
    OutboundAttempt,
    OutboundEvent,
    Supplier,
)
from suppliers.staff import AnsweredRequest, SupplierPerson

SHOWN = 100
OPEN_FOR = timedelta(days=60)  # a request nobody took in hand is history then
# What an owner sends that waits for somebody.
ASKING = (
    "owner.appointment.countered",
    "owner.appointment.declined",
    "owner.appointment.requested",
    "owner.appointment.cancelled",
    "owner.appointment.slot_selected",
    "owner.ticket.opened",
    "owner.ticket.reopened",
    "owner.ticket.information_provided",
    "owner.message.sent",
    "owner.invoice.disputed",
    "owner.recall.remedy_chosen",
    "owner.data_request.created",
    "owner.terms.proffered",
)
OVER = (AppointmentState.CANCELLED, AppointmentState.DECLINED)
STEPS = {
    "on_my_way": "appointment.en_route",
    "arrived": "appointment.started",
    "done": "appointment.completed",
    "no_show": "appointment.no_show",
}
# Which of the four buttons make sense at which state.
BUTTONS = {
    AppointmentState.REQUESTED: ("on_my_way", "arrived", "done", "no_show"),
    AppointmentState.BOOKED: ("on_my_way", "arrived", "done", "no_show"),
    AppointmentState.CONFIRMED: ("on_my_way", "arrived", "done", "no_show"),
    AppointmentState.ON_THE_WAY: ("on_my_way", "arrived", "done", "no_show"),
    AppointmentState.STARTED: ("done",),
    AppointmentState.MISSED: ("on_my_way", "arrived", "done"),
}


class PortalError(Exception):
    """It cannot be sent as it is; `pointer` says which field, as in the delivery log."""

    def __init__(self, code: str, detail: str, *, pointer: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as its supplier sees it; the window in the visit's own zone."""

    uuid: uuid.UUID
    owner_ref: str
    state: AppointmentState
    start: datetime
    end: datetime
    zone: str
    kind: str
    uid: str
    sequence: int
    recurrence_id: str = ""
    place: str = ""
    refs: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something an owner asked, and whether somebody took it in hand."""

    event: OutboundEvent
    owner_ref: str
    is_test: bool
    zone: str = "UTC"
    windows: tuple[tuple[datetime, datetime], ...] = ()  # in that zone
    answer: AnsweredRequest | None = None

    @property
    def can_be_booked(self) -> bool:
        """Whether one of its windows can be taken by a button."""
        return bool(self.windows)


def mandates_of(supplier: Supplier) -> QuerySet[Mandate]:
    """Return the owners a supplier may write to, the newest first."""
    live = Mandate.objects.filter(supplier=supplier, state=MandateState.ACTIVE)
    return live.order_by("-granted_at", "-pk")


def test_household(supplier: Supplier) -> int | None:
    """Return the household of the supplier's test owner, if it has one."""
    practice = getattr(supplier, "practice", None)
    return practice.household_id if practice is not None else None


# --- visits ------------------------------------------------------------------------------


def visits(*, supplier: Supplier, now: datetime, limit: int = SHOWN) -> list[Visit]:
    """Return the supplier's visits from today on, the next first; a fixed number of reads."""
    refs = dict(
        Mandate.objects.live().filter(supplier=supplier).values_list("household", "owner_ref")
    )
    rows = list(
        Appointment.objects.filter(
            supplier=supplier, household__in=refs, end__gte=now - timedelta(hours=36)
        )
        .exclude(state__in=OVER)
        .exclude(start=None)
        .order_by("start", "pk")[:limit]
    )
    said = _own_sources(supplier, rows)
    keys: dict[int, list[str]] = defaultdict(list)
    for journey, value in (
        JourneyKey.objects.filter(journey__in=[row.journey_id for row in rows], issuer=supplier.pk)
        .exclude(scheme__in=("uid", "number", "caller"))
        .order_by("said_at", "pk")
        .values_list("journey", "value")
    ):
        keys[journey].append(value)
    test = test_household(supplier)
    return [
        visit
        for row in rows
        if (
            visit := _visit(
                row,
                refs=refs,
                keys=keys[row.journey_id],
                own=said,
                is_test=row.household_id == test,
            )
        ).end
        >= _day_start(now, visit.zone)
    ]


def _visit(
    row: Appointment,
    *,
    refs: dict[int, str],
    keys: Sequence[str],
    own: frozenset[str],
    is_test: bool,
) -> Visit:
    state = AppointmentState(row.state)
    zone = _zone(row.zone)
    start, end = row.start, row.end or row.start
    if start is None or end is None:
        raise ValueError("a visit without a time is not listed")
    is_own_place = any(one in own for one in row.sources.get("place", []))
    return Visit(
        uuid=row.uuid,
        owner_ref=refs[row.household_id],
        state=state,
        start=start.astimezone(zone),
        end=end.astimezone(zone),
        zone=str(zone),
        kind=row.kind,
        uid=row.uid,
        sequence=row.sequence,
        recurrence_id=row.recurrence_id,
        place=row.place if is_own_place else "",
        refs=tuple(dict.fromkeys(key for key in keys if key != row.uid))[:3],
        buttons=BUTTONS.get(state, ()),
        is_test=is_test,
    )


def _own_sources(supplier: Supplier, rows: Iterable[Appointment]) -> frozenset[str]:
    """Return which contacts behind the rows' places are the supplier's own."""
    wanted = {one for row in rows for one in row.sources.get("place", [])}
    if not wanted:
        return frozenset()
    found = Contact.objects.filter(uuid__in=wanted, supplier=supplier)
    return frozenset(str(one) for one in found.values_list("uuid", flat=True))


def tell_visit(
    *,
    supplier: Supplier,
    visit: uuid.UUID,
    step: str,
    now: datetime,
    minutes: int = 30,
) -> inbox.Recorded:
    """Send one step of a visit as the supplier's own event; the same step twice is once.

    `minutes` until the arrival go with "on my way". Raises PortalError.
    """
    found = next((one for one in visits(supplier=supplier, now=now) if one.uuid == visit), None)
    if found is None:
        raise PortalError("unknown_visit", gettext_noop("There is no such visit."))
    if step not in found.buttons:
        raise PortalError("not_now", gettext_noop("This visit is past that."))
    uid = found.uid or _name_visit(supplier, found, now=now)
    data: dict[str, Any] = {"owner": found.owner_ref, "uid": uid, "at": now.isoformat()}
    if found.recurrence_id:
        data["recurrenceId"] = found.recurrence_id
    name = f"{found.uuid}:{found.sequence}:{step}"
    if step == "on_my_way":
        eta = now + timedelta(minutes=min(max(minutes, 0), 600))
        data["eta"] = {
            "start": eta.isoformat(),
            "end": (eta + timedelta(minutes=15)).isoformat(),
        }
        name += f":{eta:%Y%m%dT%H%M}"
    return send(supplier=supplier, kind=STEPS[step], data=data, now=now, name=name)


def _name_visit(supplier: Supplier, visit: Visit, *, now: datetime) -> str:
    """Give a visit a name by which the steps after it find it; return the name.

    It was arranged by mail or on the phone, where nobody names a visit; its supplier and its
    time say which one it is. The name is said to be a moment older than its first step.
    """
    uid = f"{visit.uuid}@portal"
    said = now - timedelta(seconds=1)
    data = {
        "owner": visit.owner_ref,
        "uid": uid,
        "sequence": 0,
        "dtstamp": said.isoformat(),
        "start": visit.start.isoformat(),
        "end": visit.end.isoformat(),
        "zone": visit.zone,
        "kind": visit.kind,
    }
    send(supplier=supplier, kind="appointment.updated", data=data, now=said, name=uid)
    return uid


# --- requests ----------------------------------------------------------------------------


def requests(
    *, supplier: Supplier, now: datetime, is_done: bool = False, limit: int = SHOWN
) -> list[Request]:
    """Return what owners asked this supplier, the oldest open first, or what was answered."""
    asked = _asked(supplier, now=now).filter(created_at__gt=now - OPEN_FOR)
    if is_done:
        rows = asked.exclude(answer=None).order_by("-answer__answered_at")
    else:
        rows = asked.filter(answer=None).order_by("created_at", "pk")
    test = test_household(supplier)
    return [_request(event, test=test) for event in rows[:limit]]


def open_requests(*, supplier: Supplier, now: datetime) -> int:
    """Count what nobody has taken in hand yet."""
    found = _asked(supplier, now=now).filter(created_at__gt=now - OPEN_FOR, answer=None)
    return found.count()


def _asked(supplier: Supplier, *, now: datetime) -> QuerySet[OutboundEvent]:
    # News can be taken back for a while; until then nobody there reads it.
    gone = now - announcing.HELD
    told = Q(type__in=announcing.TOLD_BY, data__has_key="requestId", created_at__lte=gone)
    mine = OutboundEvent.objects.filter(Q(type__in=ASKING) | told, supplier=supplier)
    return mine.filter(mandate__isnull=False).select_related("mandate", "answer__person")


def _request(event: OutboundEvent, *, test: int | None) -> Request:
    windows = []
    zone = _zone(str(event.data.get("zone") or ""))
    for window in event.data.get("windows") or ():
        try:
            start = datetime.fromisoformat(window["start"]).astimezone(zone)
            windows.append((start, datetime.fromisoformat(window["end"]).astimezone(zone)))
        except (KeyError, TypeError, ValueError):
            continue
    return Request(
        event=event,
        owner_ref=event.data.get("owner", ""),
        is_test=event.household_id == test,
        zone=str(zone),
        windows=tuple(windows),
        answer=getattr(event, "answer", None),
    )


def answer(
    *,
    supplier: Supplier,
    event: uuid.UUID,
    now: datetime,
    person: SupplierPerson | None = None,
    text: str = "",
    window: int | None = None,
    is_declined: bool = False,
) -> AnsweredRequest:
    """Answer a request: take one of its windows, decline them, write, or just note it done.

    Raises PortalError for what is none of the supplier's, or cannot be sent.
    """
    with transaction.atomic():
        rows = _asked(supplier, now=now).filter(uuid=event)
        asked = rows.select_for_update(of=("self",)).first()
        if asked is None:
            raise PortalError("unknown_request", gettext_noop("There is no such request."))
        known = AnsweredRequest.objects.filter(event=asked).first()
        if known is not None:
            return known
        reply = _reply(asked, text=text, window=window, is_declined=is_declined, now=now)
        sent_id = ""
        if reply is not None:
            name, data = reply
            sent_id = send(
                supplier=supplier, kind=name, data=data, now=now, name=f"answer:{asked.uuid}"
            ).id
        else:
            announcing.note_done(event=asked.uuid, now=now)
        return AnsweredRequest.objects.create(
            event=asked, person=person, answered_at=now, sent_id=sent_id
        )


def _reply(
    asked: OutboundEvent, *, text: str, window: int | None, is_declined: bool, now: datetime
) -> tuple[str, dict[str, Any]] | None:
    data: dict[str, Any] = {"owner": asked.data.get("owner", "")}
    if refs := asked.data.get("refs"):
        data["refs"] = refs
    visit = {
        "uid": asked.data.get("uid", ""),
        "sequence": int(asked.data.get("sequence") or 0) + 1,
        "dtstamp": now.isoformat(),
    }
    windows = _request(asked, test=None).windows
    if window is not None:
        if not 0 <= window < len(windows):
            raise PortalError("unknown_window", gettext_noop("This time was not offered."))
        start, end = windows[window]
        moved = {**data, **visit, "start": start.isoformat(), "end": end.isoformat()}
        moved |= {"zone": asked.data.get("zone") or "UTC", "kind": asked.data.get("kind", "visit")}
        if not visit["uid"]:  # the owner asked for a visit that nobody has a name for yet
            return "appointment.requested", {
                **moved,
                "uid": f"{asked.uuid}@portal",
                "sequence": 0,
            }
        return "appointment.updated", moved
    if is_declined:
        if not visit["uid"]:
            raise PortalError("unknown_window", gettext_noop("There is nothing to decline."))
        said = {"summary": text.strip()} if text.strip() else {}
        return "appointment.counter_declined", {**data, **visit, **said}
    if text.strip():
        ticket = asked.data.get("ticketId")
        if ticket:
            data["refs"] = [*data.get("refs", []), {"scheme": "ticket", "value": str(ticket)}]
        return "message.created", {**data, "body": text.strip()[:4000]}
    return None


# --- sending -----------------------------------------------------------------------------


def event_of(
    *,
    supplier: Supplier,
    kind: str,
    data: dict[str, Any],
    now: datetime,
    name: str = "",
) -> dict[str, Any]:
    """Return the CloudEvent that the portal sends for a supplier."""
    return {
        "specversion": "1.0",
        "id": name or f"portal-{uuid.uuid4().hex}",
        "source": f"/portal/{supplier.code}",
        "type": kind,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def judge(
    *,
    supplier: Supplier,
    kind: str,
    data: dict[str, Any],
    now: datetime,
) -> verdict.Verdict:
    """Return what an event would come to if it were sent now. Raises PortalError."""
    event = event_of(supplier=supplier, kind=kind, data=data, now=now)
    _check(supplier, event, now=now)
    return verdict.judge(supplier=supplier, event=event, now=now)


def send(
    *,
    supplier: Supplier,
    kind: str,
    data: dict[str, Any],
    now: datetime,
    name: str = "",
) -> inbox.Recorded:
    """Send an event as the supplier's own; the same name again is a duplicate.

    Raises PortalError for content that would be refused: a person can still mend it.
    """
    event = event_of(supplier=supplier, kind=kind, data=data, now=now, name=name)
    _check(supplier, event, now=now)
    received = inbox.Received(
        supplier_id=supplier.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source=str(event["source"]),
        event_id=str(event["id"]),
        type=kind,
        payload=json.dumps(event).encode(),
        routing={},
    )
    return inbox.record(received=[received], now=now)[0]


def _check(supplier: Supplier, event: dict[str, Any], *, now: datetime) -> None:
    if event["type"] not in catalogue.INBOUND:
        raise PortalError("unknown_type", gettext_noop("There is no such type."), pointer="/type")
    work, _rows = processing.preview(supplier_id=supplier.pk, event=event, now=now)
    if work.state == EventState.REJECTED:
        raise PortalError(work.code, work.detail, pointer=work.pointer)


# --- one event of the delivery log (see `portal_log`) ------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt of ours to tell the supplier, with what its endpoint said."""

    attempt: OutboundAttempt
    said: str


def tries(event: OutboundEvent) -> list[Try]:
    """Return the attempts of an event, the first first."""
    rows = event.tries.select_related("event").order_by("number")
    return [Try(attempt=row, said=outbox.said_by(row)) for row in rows]


def replay(*, supplier: Supplier, event: uuid.UUID, now: datetime) -> OutboundEvent:
    """Send what Steward told the supplier once more, under the same id. Raises PortalError."""
    with transaction.atomic():
        found = (
            OutboundEvent.objects.filter(supplier=supplier, uuid=event)
            .select_for_update(of=("self",))
            .select_related("supplier", "mandate")
            .first()
        )
        if found is None:
            raise PortalError("unknown_event", gettext_noop("There is no such event."))
        return outbox.replay(event=found, now=now)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _day_start(now: datetime, zone: str) -> datetime:
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
