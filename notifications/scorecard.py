"""A supplier's own facts, counted over all its owners: counts, never stars. Pure but for reads.

Each figure is a list of cases, so that every number opens what it was counted from. A share is
said from five cases on: below that a number would speak of one owner, and chance would speak
louder than work. The test owner is never counted.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, quantiles
from uuid import UUID

from django.db.models import Q

from notifications.choices import AppointmentState, JourneyState, SurveyState
from notifications.models import Appointment, Decision, Journey, Survey
from notifications.portal import ASKING, test_household
from suppliers.choices import ContactKind, Direction, Outcome
from suppliers.models import Contact, Mandate, OutboundEvent, Supplier

LEAST = 5
OVER = timedelta(days=90)  # the card; each point of its trend covers as much
SPANS = 4
MOST = 5_000  # cases of one figure; a larger supplier's card covers its newest
LISTED = 200
CLOSING = ("owner.journey.closed", "owner.ticket.reopened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that was counted, and whether it is of the part that the figure names."""

    at: datetime
    is_part: bool
    household: int
    what: str = ""  # a type, a fact, an order: of the supplier's own words
    inbound: int | None = None  # the event it came by
    outbound: UUID | None = None
    journey: UUID | None = None  # what the event is looked up by, where it is not named
    contact: str = ""
    hours: float | None = None  # until the reply
    owner_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """So many of so many; `share` stays empty while there are too few."""

    part: int
    whole: int

    @property
    def share(self) -> int | None:
        """The part in percent, from `LEAST` cases on."""
        return round(100 * self.part / self.whole) if self.whole >= LEAST else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One point of a trend: a figure over the 90 days before `until`."""

    until: datetime
    figure: Figure
    hours: float | None = None  # the middle one, from `LEAST` replies on


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Six facts of the last 90 days, and how each went before. Middle values may be None."""

    since: datetime
    on_time: Figure
    window_minutes: int | None
    fixed_first: Figure
    asked_again: Figure
    replied: Figure
    reply_hours: float | None
    reply_hours_90: float | None  # nine of ten replies came within
    said_nothing_new: Figure
    surveys: Figure
    trend: dict[str, list[Span]]  # of each figure, the oldest first
    is_partial: bool  # more happened than was read

    @property
    def messages_each(self) -> float | None:
        """Its messages for each closed matter, from `LEAST` of them on."""
        return self._each(self.said_nothing_new.whole)

    @property
    def surveys_each(self) -> float | None:
        """Its requests for feedback for each closed matter, from `LEAST` of them on."""
        return self._each(self.surveys.whole)

    def _each(self, count: int) -> float | None:
        closed = self.fixed_first.whole
        return round(count / closed, 1) if closed >= LEAST else None


def of(*, supplier: Supplier, now: datetime) -> Scorecard:
    """Return a supplier's card; a fixed number of reads."""
    homes, since = list(_homes(supplier)), now - OVER
    read = {name: cases(supplier, homes, now - SPANS * OVER) for name, cases in READ.items()}
    newest = {name: _within(found, since) for name, found in read.items()}
    hours = [case.hours for case in newest["replied"] if case.hours is not None]
    widths = _widths(supplier, homes, since)
    return Scorecard(
        since=since,
        **{name: _figure(found) for name, found in newest.items()},
        window_minutes=int(median(widths)) if len(widths) >= LEAST else None,
        reply_hours=_middle(hours),
        reply_hours_90=round(quantiles(hours, n=10)[-1], 1) if len(hours) >= LEAST else None,
        trend={name: _trend(found, now) for name, found in read.items()},
        is_partial=any(len(found) >= MOST for found in read.values()),
    )


def cases(*, supplier: Supplier, name: str, now: datetime) -> list[Case]:
    """Return what a figure of the card was counted from, the newest first, with its events."""
    refs = _homes(supplier)
    found = sorted(READ[name](supplier, list(refs), now - OVER), key=lambda case: case.at)
    newest = found[::-1][:LISTED]
    said = {case.contact for case in newest if case.contact}
    matters = {case.journey for case in newest if case.journey}
    inbound = dict(
        Contact.objects.filter(supplier=supplier, uuid__in=said).values_list("uuid", "inbound")
        if said
        else ()
    )
    outbound = dict(
        OutboundEvent.objects.filter(supplier=supplier, journey__in=matters, type__in=CLOSING)
        .order_by("pk")
        .values_list("journey", "uuid")
        if matters
        else ()
    )
    return [
        replace(
            case,
            owner_ref=refs[case.household],
            inbound=case.inbound or (inbound.get(UUID(case.contact)) if case.contact else None),
            outbound=case.outbound or (outbound.get(case.journey) if case.journey else None),
        )
        for case in newest
    ]


def _homes(supplier: Supplier) -> dict[int, str]:
    test = test_household(supplier)
    rows = Mandate.objects.filter(supplier=supplier).order_by("pk")
    found = dict(rows.values_list("household", "owner_ref"))
    return {home: ref for home, ref in found.items() if home != test}


def _within(found: Sequence[Case], since: datetime, until: datetime | None = None) -> list[Case]:
    return [case for case in found if since < case.at and (until is None or case.at <= until)]


def _figure(found: Sequence[Case]) -> Figure:
    return Figure(part=sum(case.is_part for case in found), whole=len(found))


def _middle(hours: Sequence[float]) -> float | None:
    return round(median(hours), 1) if len(hours) >= LEAST else None


def _trend(found: Sequence[Case], now: datetime) -> list[Span]:
    edges = [now - OVER * number for number in range(SPANS, -1, -1)]
    spans = []
    for since, until in pairwise(edges):
        inside = _within(found, since, until)
        hours = [case.hours for case in inside if case.hours is not None]
        spans.append(Span(until=until, figure=_figure(inside), hours=_middle(hours)))
    return spans


# --- what is counted ---------------------------------------------------------------------

Homes = Collection[int]


def _on_time(supplier: Supplier, homes: Homes, since: datetime) -> list[Case]:
    """Visits that are over, and whether somebody came when it was promised."""
    rows = (
        Appointment.objects.filter(supplier=supplier, household__in=homes, start__gte=since)
        .filter(Q(was_on_time__isnull=False) | Q(state=AppointmentState.MISSED))
        .order_by("-start")
        .values_list("start", "was_on_time", "household", "uid", "sources")
    )
    return [
        Case(
            at=start,
            is_part=kept is True,
            household=home,
            what=uid,
            contact=str(next(iter(sources.get("start") or sources.get("state") or ()), "")),
        )
        for start, kept, home, uid, sources in rows[:MOST]
        if start is not None
    ]


def _widths(supplier: Supplier, homes: Homes, since: datetime) -> list[int]:
    """Return how many minutes its windows had."""
    rows = Appointment.objects.filter(
        supplier=supplier, household__in=homes, start__gte=since, end__isnull=False
    ).filter(Q(was_on_time__isnull=False) | Q(state=AppointmentState.MISSED))
    return [
        int((end - start).total_seconds() // 60)
        for start, end in rows.values_list("start", "end")[:MOST]
        if start and end
    ]


def _fixed_first(supplier: Supplier, homes: Homes, since: datetime) -> list[Case]:
    """Matters that owners closed, and whether they never had to reopen them."""
    rows = (
        Journey.objects.filter(
            household__in=homes,
            suppliers__contains=[supplier.pk],
            state=JourneyState.CLOSED,
            closed_at__gte=since,
        )
        .order_by("-closed_at")
        .values_list("pk", "uuid", "closed_at", "household")
    )
    closed = list(rows[:MOST])
    again = set(
        Decision.objects.filter(
            journey__in=[pk for pk, *_rest in closed],
            name="answer",
            data__answer="not_yet",
            revoked_at=None,
        ).values_list("journey", flat=True)
    )
    return [
        Case(at=at, is_part=pk not in again, household=home, journey=uuid)
        for pk, uuid, at, home in closed
        if at is not None
    ]


_SILENT = (ContactKind.SURVEY_REQUEST, ContactKind.SURVEY_CLOSED, ContactKind.ADVERT)


def _nothing_new(supplier: Supplier, homes: Homes, since: datetime) -> list[Case]:
    """Its messages, and whether the owner knew all of it already."""
    rows = (
        Contact.objects.filter(
            supplier=supplier, household__in=homes, direction=Direction.IN, said_at__gte=since
        )
        .exclude(kind__in=_SILENT)
        .order_by("-said_at")
        .values_list("said_at", "outcome", "household", "inbound", "inbound__type")
    )
    return [
        Case(
            at=at, is_part=outcome == Outcome.ABSORBED, household=home, inbound=row, what=kind or ""
        )
        for at, outcome, home, row, kind in rows[:MOST]
    ]


def _asked_again(supplier: Supplier, homes: Homes, since: datetime) -> list[Case]:
    """Its questions, and whether the same matter was asked for that before."""
    rows = (
        Contact.objects.filter(
            supplier=supplier,
            household__in=homes,
            direction=Direction.IN,
            said_at__gte=since,
            said__has_key="asks",
        )
        .order_by("-said_at")
        .values_list("said_at", "said__asks", "household", "inbound", "links__journey")
    )
    seen: set[tuple[object, object]] = set()
    found = []
    for at, asks, home, row, journey in reversed(list(rows[:MOST])):
        for ask in asks if isinstance(asks, list) else []:
            fact = ask.get("fact") if isinstance(ask, dict) else ask
            key = (journey or home, fact)
            found.append(
                Case(at=at, is_part=key in seen, household=home, inbound=row, what=str(fact or ""))
            )
            seen.add(key)
    return found


def _replied(supplier: Supplier, homes: Homes, since: datetime) -> list[Case]:
    """What owners asked, whether it said anything after that, and after how many hours."""
    asked = (
        OutboundEvent.objects.filter(
            supplier=supplier, household__in=homes, type__in=ASKING, created_at__gte=since
        )
        .order_by("-pk")
        .values_list("household", "created_at", "uuid", "type")
    )
    said: dict[int, list[datetime]] = defaultdict(list)
    rows = Contact.objects.filter(
        supplier=supplier, household__in=homes, direction=Direction.IN, received_at__gte=since
    )
    for home, at in rows.order_by("received_at").values_list("household", "received_at")[:MOST]:
        said[home].append(at)
    found = []
    for home, when, uuid, kind in asked[:MOST]:
        wait = next((at - when for at in said[home] if at > when), None)
        hours = wait.total_seconds() / 3600 if wait is not None else None
        found.append(
            Case(
                at=when,
                is_part=wait is not None,
                household=home,
                outbound=uuid,
                what=kind,
                hours=hours,
            )
        )
    return found


def _surveys(supplier: Supplier, homes: Homes, since: datetime) -> list[Case]:
    """Its requests for feedback, and whether the owner answered."""
    rows = (
        Survey.objects.filter(supplier=supplier, household__in=homes, requested_at__gte=since)
        .order_by("-requested_at")
        .values_list("requested_at", "state", "household", "contact__inbound", "survey_id")
    )
    return [
        Case(at=at, is_part=state == SurveyState.ANSWERED, household=home, inbound=row, what=name)
        for at, state, home, row, name in rows[:MOST]
    ]


READ: dict[str, Callable[[Supplier, Homes, datetime], list[Case]]] = {
    "on_time": _on_time,
    "fixed_first": _fixed_first,
    "asked_again": _asked_again,
    "replied": _replied,
    "said_nothing_new": _nothing_new,
    "surveys": _surveys,
}
FIGURES = tuple(READ)
