"""Repairs follow the matter in which they are arranged: booked, under way, done, as it is said.

What a supplier says moves a repair; what the owner says afterwards stands until the supplier
says something new. Work that a supplier reports is its record, and an amount it names fills
one that nobody wrote down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Q, Subquery

from assets import faults
from assets.choices import Source
from assets.cover_words import OrderState
from assets.models import ServiceRecord, WorkOrder
from notifications.choices import AppointmentState, FactState
from notifications.models import Appointment, Fact, Journey, Link

AT_ONCE = 200
A = AppointmentState
# What a visit that stands so makes of the repair; of several, the furthest counts.
STANDS: dict[str, OrderState] = {
    A.OFFERED: OrderState.REQUESTED,
    A.REQUESTED: OrderState.REQUESTED,
    A.BOOKED: OrderState.BOOKED,
    A.CONFIRMED: OrderState.BOOKED,
    A.ON_THE_WAY: OrderState.BOOKED,
    A.STARTED: OrderState.IN_PROGRESS,
    A.DONE: OrderState.DONE,
}
FAR = (OrderState.REQUESTED, OrderState.BOOKED, OrderState.IN_PROGRESS, OrderState.DONE)
TO_COME = (A.OFFERED, A.REQUESTED, A.BOOKED, A.CONFIRMED, A.ON_THE_WAY)
AMOUNTS = ("total", "amount_due", "fee")  # the facts that say what it costs, the surest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit of a matter: how it stands, and the day it is for."""

    state: str
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a repair is by what was said."""

    state: OrderState
    planned_on: date | None = None


def standing(visits: Iterable[Visit], *, is_reported: bool) -> Standing | None:
    """Return how far a repair is; None where nothing says so. Pure.

    A visit that is still to come counts before one that was: more than one may be needed.
    Reported work ends it, unless somebody is still to come.
    """
    known = list(visits)
    to_come = [one for one in known if one.state in TO_COME]
    if to_come:
        best = max((STANDS[one.state] for one in to_come), key=FAR.index)
        days = [one.on for one in to_come if one.on and STANDS[one.state] == best]
        return Standing(state=best, planned_on=min(days, default=None))
    if is_reported:
        return Standing(state=OrderState.DONE)
    over = [STANDS[one.state] for one in known if one.state in STANDS]
    if over:
        return Standing(state=max(over, key=FAR.index))
    # Every visit was called off or missed: it is to be arranged again.
    return Standing(state=OrderState.REQUESTED) if known else None


def sweep(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Bring repairs in line whose matter has moved since; return how many were looked at."""
    last = Journey.objects.filter(uuid=OuterRef("matter")).values("last_said_at")[:1]
    waiting = WorkOrder.objects.filter(matter__isnull=False, asset__removed_at=None)
    known = waiting.exclude(state__in=faults.OVER).annotate(last=Subquery(last))
    moved = known.filter(Q(stated_at=None, last__isnull=False) | Q(last__gt=F("stated_at")))
    orders = list(moved.select_related("asset__household", "issue").order_by("pk")[:limit])
    if not orders:
        return 0
    by_matter = {order.matter: order for order in orders if order.matter is not None}
    journeys = Journey.objects.in_bulk(list(by_matter), field_name="uuid")
    for order in orders:
        journey = journeys.get(order.matter)
        if journey is not None and journey.household_id == order.household_id:
            _follow(order, journey, now=now)
        else:
            WorkOrder.objects.filter(pk=order.pk).update(stated_at=now)
    return len(orders)


def _follow(order: WorkOrder, journey: Journey, *, now: datetime) -> None:
    record = _reported(order, journey)
    found = standing(_visits(order, journey), is_reported=record is not None)
    values: dict[str, object] = {}
    if found is not None:
        values["state"] = found.state
        if found.planned_on is not None:
            values["planned_on"] = found.planned_on
    if record is not None and order.record_id is None:
        values["record"] = record
    if order.amount is None and (money := _amount(journey)) is not None:
        values["amount"], values["currency"] = money
    faults.follow_order(order=order, values=values, at=journey.last_said_at, now=now)


def _visits(order: WorkOrder, journey: Journey) -> list[Visit]:
    zone = ZoneInfo(order.asset.household.zone)
    rows = Appointment.objects.filter(journey=journey).exclude(kind="call")
    return [
        Visit(state=state, on=start.astimezone(zone).date() if start else None)
        for state, start in rows.values_list("state", "start")
    ]


def _reported(order: WorkOrder, journey: Journey) -> ServiceRecord | None:
    """Return the work that a supplier reported in the matter."""
    contacts = Link.objects.filter(journey=journey, revoked_at=None).values_list(
        "contact__uuid", flat=True
    )
    keys = [str(key) for key in contacts]
    mine = ServiceRecord.objects.filter(asset=order.asset_id, removed_at=None)
    return mine.filter(source=Source.SUPPLIER, source_key__in=keys).order_by("-done_on").first()


def _amount(journey: Journey) -> tuple[Decimal, str] | None:
    """Return what it costs by the matter, where one amount is sure."""
    facts = Fact.objects.filter(journey=journey, name__in=AMOUNTS, state=FactState.CURRENT)
    said = dict(facts.values_list("name", "value"))
    for name in AMOUNTS:
        amount, _space, currency = said.get(name, "").partition(" ")
        try:
            value = Decimal(amount)
        except InvalidOperation:
            continue
        if value.is_finite() and len(currency) == 3:
            return value, currency
    return None


def note_matter(*, issue_id: int, journey: UUID) -> None:
    """Let the only open repair of a fault follow the matter that is about the fault."""
    orders = WorkOrder.objects.filter(issue=issue_id, matter=None)
    open_orders = list(orders.exclude(state__in=faults.OVER)[:2])
    if len(open_orders) == 1:
        WorkOrder.objects.filter(pk=open_orders[0].pk).update(matter=journey)
