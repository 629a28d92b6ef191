"""The month of a household as one of its members reads it: what came, what it came to.

Everything is counted from events when it is asked for, so a report is the same again after
a rebuild, and each of its numbers opens what it was counted from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Min
from django.urls import reverse

from notifications import measuring, metrics
from notifications.agenda import month_before, next_month
from notifications.choices import AppointmentState, FactState, PromiseState
from notifications.metrics import Cases, Period
from notifications.models import Appointment, Fact, Journey, Promise
from owners.models import Household, Owner
from suppliers.choices import FactName, MandateState
from suppliers.models import Contact, Mandate, Supplier

AHEAD = timedelta(days=60)
UNUSED = timedelta(days=365)  # a permission that was of no use so long may go
NEAR = timedelta(days=7)  # two visits of one supplier that could be one
# Facts that name a day on which something falls due, starts or ends.
DATED = ("due_on", "answer_by", "expected_by", "valid_until", "ends", "next_due")
COMING = (
    AppointmentState.REQUESTED,
    AppointmentState.BOOKED,
    AppointmentState.CONFIRMED,
    AppointmentState.ON_THE_WAY,
)


class MonthError(Exception):
    """There is no report of this month: it is to come, or before there was anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of the calendar where its reader lives."""

    first: date
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, *, zone: ZoneInfo) -> Month:
        """Return the month that `2026-11` names; MonthError for anything else."""
        year, _, month = text.partition("-")
        if not (text.isascii() and year.isdecimal() and month.isdecimal() and len(text) == 7):
            raise MonthError(text)
        try:
            return cls(first=date(int(year), int(month), 1), zone=zone)
        except ValueError as error:
            raise MonthError(text) from error

    @classmethod
    def holding(cls, at: datetime, *, zone: ZoneInfo) -> Month:
        """Return the month in which an instant lies."""
        return cls(first=at.astimezone(zone).date().replace(day=1), zone=zone)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def before(self) -> Month:
        """The month before."""
        return Month(first=month_before(self.first), zone=self.zone)

    @property
    def after(self) -> Month:
        """The month after."""
        return Month(first=next_month(self.first), zone=self.zone)

    @property
    def period(self) -> Period:
        """Its instants: midnight to midnight on the clock of its zone."""
        return Period(
            since=datetime.combine(self.first, time(), self.zone),
            until=datetime.combine(self.after.first, time(), self.zone),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """A matter by its name, with what a line says of it."""

    id: str
    title: str
    supplier: str = ""
    days: int = 0
    paid: Decimal | None = None
    quoted: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Something that falls due, on a day or at an instant."""

    on: date
    kind: str  # visit, promise, or the name of a fact
    what: str
    journey: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierFacts:
    """What one supplier did in the month, in counts."""

    id: str
    name: str
    kept: int = 0
    promised: int = 0
    asked_again: int = 0
    replied: int = 0
    requests: int = 0
    messages: int = 0
    nothing_new: int = 0

    @property
    def has_faults(self) -> bool:
        """Whether there is something to ask about."""
        return self.kept < self.promised or bool(self.asked_again)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A supplier that holds data, and whether it made any use of the permission."""

    mandate: str
    supplier: str
    name: str
    facts: tuple[str, ...]
    unused_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Something worth doing, and the page on which one tap does it."""

    kind: str  # withdraw, join_visits, compensation
    what: str
    href: str
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One month of one household for one reader."""

    household: Household
    month: Month
    is_so_far: bool
    is_partial: bool
    figures: Mapping[str, Any]
    cases: Cases
    broken: Sequence[Matter] = ()
    fixed: Sequence[Matter] = ()
    ahead: Sequence[Ahead] = ()
    suppliers: Sequence[SupplierFacts] = ()
    holders: Sequence[Holder] = ()
    suggestions: Sequence[Suggestion] = ()
    before: Month | None = None
    after: Month | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened and nothing is to come."""
        counted = any(self.figures[name] for name in ("contacts_received", "contacts_made"))
        return not (counted or self.figures["notifications"] or self.ahead or self.fixed)


def zone_of(owner: Owner, household: Household) -> ZoneInfo:
    """Return the clock by which a member's months go: a journey does not move them."""
    return ZoneInfo(owner.zone if owner.zone != "UTC" else household.zone)


def latest(*, owner: Owner, household: Household, now: datetime) -> Month:
    """Return the month to open first: the last whole one with anything in it, else this one."""
    current = Month.holding(now, zone=zone_of(owner, household))
    first = first_month(owner=owner, household=household, now=now)
    return current.before if first.first < current.first else current


def first_month(*, owner: Owner, household: Household, now: datetime) -> Month:
    """Return the first month of which there is anything to tell."""
    said = Contact.objects.filter(household=household).aggregate(first=Min("said_at"))["first"]
    start = min(said or now, household.created_at, now)
    return Month.holding(start, zone=zone_of(owner, household))


def of(*, owner: Owner, household: Household, month: Month, now: datetime) -> Report:
    """Return the report of a month.

    Raises MonthError for one that has not begun, or that was before there was anything.
    """
    first = first_month(owner=owner, household=household, now=now)
    current = Month.holding(now, zone=month.zone)
    if not first.first <= month.first <= current.first:
        raise MonthError(str(month))
    found = measuring.read(household=household, now=now, period=month.period, reader=owner)
    cases = metrics.cases(found.seen, month.period)
    names = _Names.read(household, cases, found.seen)
    ahead = _ahead(household, month=month, now=now)
    holders = _holders(household, now=now)
    broken = [names.matter(one.journey) for one in cases["promises"] if not one.is_part]
    return Report(
        household=household,
        month=month,
        is_so_far=month.first == current.first,
        is_partial=found.is_partial,
        figures=metrics.summed(cases),
        cases=cases,
        broken=broken,
        fixed=_fixed(cases, names, found.seen),
        ahead=ahead,
        suppliers=_suppliers(cases, names),
        holders=holders,
        suggestions=_suggestions(household, broken=broken, holders=holders, now=now)
        if current.first in (month.first, month.after.first)
        else (),
        before=month.before if first.first < month.first else None,
        after=month.after if month.first < current.first else None,
    )


# --- names -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """How matters and suppliers are called."""

    titles: Mapping[str, str]
    suppliers: Mapping[str, str]

    @classmethod
    def read(cls, household: Household, cases: Cases, seen: metrics.Seen) -> _Names:
        journeys = {case.journey for found in cases.values() for case in found if case.journey}
        ids = {case.supplier for found in cases.values() for case in found if case.supplier}
        rows = Journey.objects.filter(household=household, uuid__in=journeys)
        found = {str(journey.uuid): title_of(journey) for journey in rows.select_related("card")}
        named = Supplier.objects.filter(uuid__in=ids).values_list("uuid", "name")
        return cls(titles=found, suppliers={str(uuid): name for uuid, name in named})

    def matter(self, journey: str, **values: Any) -> Matter:
        return Matter(id=journey, title=self.titles.get(journey, ""), **values)


def title_of(journey: Journey) -> str:
    """Return what a matter is called, in the language that is spoken."""
    card = getattr(journey, "card", None)
    return str(card.said.get("title") or card.title) if card is not None else journey.title


# --- the parts ---------------------------------------------------------------------------


def _fixed(cases: Cases, names: _Names, seen: metrics.Seen) -> list[Matter]:
    """Return what works again, how long it took, and what it cost."""
    took = {case.journey: int(case.amount // 86_400) for case in cases["resolved_after_s"]}
    rows = {one.name: one for one in seen.journeys}
    found = []
    for case in cases["fixed_first"]:
        row = rows[case.journey]
        found.append(
            names.matter(
                case.journey,
                supplier=names.suppliers.get(case.supplier, ""),
                days=took.get(case.journey, 0),
                paid=row.paid,
                quoted=row.quoted if row.paid is not None else None,
            )
        )
    return found


def _ahead(household: Household, *, month: Month, now: datetime) -> list[Ahead]:
    """Return what falls due in the 60 days after the month, of the present one after now."""
    start = min(month.period.until, now) if now < month.period.until else month.period.until
    end = start + AHEAD
    found = [
        Ahead(
            on=row.start.astimezone(month.zone).date(),
            at=row.start,
            kind=row.kind,
            what=title_of(row.journey),
            journey=str(row.journey.uuid),
        )
        for row in Appointment.objects.filter(
            household=household, state__in=COMING, start__gte=start, start__lt=end
        ).select_related("journey__card")
        if row.start is not None
    ]
    found += [
        Ahead(
            on=row.due_at.astimezone(month.zone).date(),
            kind="promise",
            what=row.what,
            journey=str(row.journey.uuid),
        )
        for row in Promise.objects.filter(
            household=household, state=PromiseState.OPEN, due_at__gte=start, due_at__lt=end
        ).select_related("journey")
        if row.due_at is not None
    ]
    found += _dated(household, start=start, end=end, zone=month.zone)
    return sorted(found, key=lambda one: (one.on, one.kind, one.what))


def _dated(household: Household, *, start: datetime, end: datetime, zone: ZoneInfo) -> list[Ahead]:
    """Return the days that matters name as facts; text compares as time in this form."""
    days = start.astimezone(zone).date(), end.astimezone(zone).date()
    rows = Fact.objects.filter(
        household=household,
        name__in=DATED,
        state=FactState.CURRENT,
        value__gte=days[0].isoformat(),
        value__lt=days[1].isoformat(),
    ).select_related("journey__card")
    found = []
    for row in rows:
        on = _day(row.value, zone)
        if on is not None:
            found.append(
                Ahead(
                    on=on,
                    kind=row.name,
                    what=title_of(row.journey),
                    journey=str(row.journey.uuid),
                )
            )
    return found


def _day(value: str, zone: ZoneInfo) -> date | None:
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.astimezone(zone).date() if at.tzinfo else at.date()


def _suppliers(cases: Cases, names: _Names) -> list[SupplierFacts]:
    """Return what each supplier did, who had most to do first."""
    found = []
    for key, name in names.suppliers.items():
        mine = {
            measure: [case for case in counted if case.supplier == key]
            for measure, counted in cases.items()
        }
        facts = SupplierFacts(
            id=key,
            name=name,
            kept=sum(case.is_part for case in mine["promises"]),
            promised=len(mine["promises"]),
            asked_again=len(mine["re_asks"]),
            replied=sum(case.is_part for case in mine["replies_s"]),
            requests=len(mine["replies_s"]),
            messages=len(mine["contacts_received"]),
            nothing_new=len(mine["absorbed"]),
        )
        if facts.promised or facts.asked_again or facts.requests or facts.messages:
            found.append(facts)
    return sorted(found, key=lambda one: (not one.has_faults, -one.promised, -one.messages))


def _holders(household: Household, *, now: datetime) -> list[Holder]:
    """Return who may know something, and who had no use of its permission for a year."""
    mandates = list(
        Mandate.objects.filter(household=household)
        .live()
        .exclude(state=MandateState.PAUSED)
        .select_related("supplier")
        .order_by("supplier__name", "pk")
    )
    used = dict(
        Contact.objects.filter(household=household, mandate__in=mandates)
        .values("mandate")
        .annotate(last=Max("said_at"))
        .values_list("mandate", "last")
    )
    found = []
    for mandate in mandates:
        last = max(used.get(mandate.pk) or mandate.granted_at, mandate.granted_at)
        holder = Holder(
            mandate=str(mandate.uuid),
            supplier=str(mandate.supplier.uuid),
            name=mandate.supplier.name,
            facts=tuple(str(FactName(fact).label) for fact in mandate.facts),
            unused_since=last if now - last > UNUSED else None,
        )
        if holder.facts or holder.unused_since:
            found.append(holder)
    return found


def _suggestions(
    household: Household, *, broken: Sequence[Matter], holders: Sequence[Holder], now: datetime
) -> list[Suggestion]:
    """Return at most one of each kind."""
    found = []
    if broken:
        first = broken[0]
        href = reverse("journey", args=[first.id])
        found.append(Suggestion(kind="compensation", what=first.title, href=href))
    if pair := _joinable(household, now=now):
        first_visit, second = pair
        found.append(
            Suggestion(
                kind="join_visits",
                what=title_of(second.journey),
                who=first_visit.supplier.name if first_visit.supplier else "",
                href=reverse("journey", args=[second.journey.uuid]),
            )
        )
    if unused := next((one for one in holders if one.unused_since), None):
        href = reverse("supplier", args=[unused.supplier])
        found.append(Suggestion(kind="withdraw", what=unused.name, href=href))
    return found


def _joinable(household: Household, *, now: datetime) -> tuple[Appointment, Appointment] | None:
    """Return two visits of one supplier on two days of one week, the next ones first."""
    rows = Appointment.objects.filter(
        household=household,
        kind="visit",
        state__in=COMING,
        start__gt=now,
        start__lt=now + AHEAD,
        supplier__isnull=False,
    )
    ordered = sorted(
        rows.select_related("journey__card", "supplier"),
        key=lambda row: (row.supplier_id or 0, row.start or now),
    )
    for one, other in pairwise(ordered):
        is_same = one.supplier_id == other.supplier_id and one.journey_id != other.journey_id
        starts = (one.start, other.start)
        if is_same and starts[0] and starts[1] and _is_near(starts[0], starts[1]):
            return one, other
    return None


def _is_near(one: datetime, other: datetime) -> bool:
    return one.date() < other.date() and other - one <= NEAR
