"""A supplier's own facts, counted over all its owners: counts, never stars. Pure but for reads.

A share is shown from five cases on: below that, a number would speak of one owner, and
chance would speak louder than work. The test owner is never counted.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Q

from notifications.choices import AppointmentState, JourneyState, SurveyState
from notifications.models import Appointment, Decision, Journey, Survey
from notifications.portal import ASKING, test_household
from suppliers.choices import ContactKind, Direction, Outcome
from suppliers.models import Contact, Mandate, OutboundEvent, Supplier

LEAST = 5
OVER = timedelta(days=90)
FIGURES = (
    "on_time", "fixed_first", "asked_again", "replied", "said_nothing_new", "surveys",
)  # fmt: skip
MOST = 5_000  # contacts read; a larger supplier's card covers its newest


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
class Scorecard:
    """Six facts of the last 90 days. `*_minutes` and `*_hours` are None for too few."""

    since: datetime
    on_time: Figure
    window_minutes: int | None
    fixed_first: Figure
    asked_again: Figure
    replied: Figure
    reply_hours: float | None
    said_nothing_new: Figure
    surveys: Figure


def of(*, supplier: Supplier, now: datetime) -> Scorecard:
    """Return a supplier's card; a fixed number of reads."""
    since = now - OVER
    test = test_household(supplier)
    homes = [
        home
        for home in Mandate.objects.filter(supplier=supplier).values_list("household", flat=True)
        if home != test
    ]
    visits = list(
        Appointment.objects.filter(supplier=supplier, household__in=homes, start__gte=since)
        .filter(Q(was_on_time__isnull=False) | Q(state=AppointmentState.MISSED))
        .values_list("was_on_time", "start", "end")
    )
    widths = [int((end - start).total_seconds() // 60) for _, start, end in visits if start and end]
    contacts = _contacts(supplier, homes, since)
    replied, hours = _replies(supplier, homes, since)
    spoken = [row for row in contacts if row["kind"] not in _SILENT]
    return Scorecard(
        since=since,
        on_time=Figure(part=sum(kept is True for kept, _, _ in visits), whole=len(visits)),
        window_minutes=int(median(widths)) if len(widths) >= LEAST else None,
        fixed_first=_fixed(supplier, homes, since),
        asked_again=_asked_again(contacts),
        said_nothing_new=Figure(
            part=sum(row["outcome"] == Outcome.ABSORBED for row in spoken), whole=len(spoken)
        ),
        surveys=_surveys(supplier, homes, since),
        replied=replied,
        reply_hours=hours,
    )


_SILENT = frozenset({ContactKind.SURVEY_REQUEST, ContactKind.SURVEY_CLOSED, ContactKind.ADVERT})


def _contacts(supplier: Supplier, homes: list[int], since: datetime) -> list[dict[str, object]]:
    rows = Contact.objects.filter(
        supplier=supplier, household__in=homes, direction=Direction.IN, said_at__gte=since
    )
    wanted = ("household", "kind", "outcome", "said__asks", "said_at", "links__journey")
    return list(rows.order_by("-said_at").values(*wanted)[:MOST])


def _fixed(supplier: Supplier, homes: list[int], since: datetime) -> Figure:
    """Return how many matters its owners closed without having had to reopen them."""
    closed = list(
        Journey.objects.filter(
            household__in=homes,
            suppliers__contains=[supplier.pk],
            state=JourneyState.CLOSED,
            closed_at__gte=since,
        ).values_list("pk", flat=True)
    )
    again = set(
        Decision.objects.filter(
            journey__in=closed, name="answer", data__answer="not_yet", revoked_at=None
        ).values_list("journey", flat=True)
    )
    return Figure(part=len(closed) - len(again), whole=len(closed))


def _asked_again(contacts: list[dict[str, object]]) -> Figure:
    """Return how many of its questions were asked before on the same matter."""
    seen: set[tuple[object, object]] = set()
    asked = again = 0
    for row in reversed(contacts):
        asks = row["said__asks"]
        for ask in asks if isinstance(asks, list) else []:
            fact = ask.get("fact") if isinstance(ask, dict) else ask
            key = (row["links__journey"] or row["household"], fact)
            asked += 1
            again += key in seen
            seen.add(key)
    return Figure(part=again, whole=asked)


def _replies(supplier: Supplier, homes: list[int], since: datetime) -> tuple[Figure, float | None]:
    """Return how many requests it answered, and after how many hours (the middle one)."""
    asked = OutboundEvent.objects.filter(
        supplier=supplier, household__in=homes, type__in=ASKING, created_at__gte=since
    ).values_list("household", "created_at")
    said: dict[int, list[datetime]] = defaultdict(list)
    rows = Contact.objects.filter(
        supplier=supplier, household__in=homes, direction=Direction.IN, received_at__gte=since
    )
    for home, at in rows.order_by("received_at").values_list("household", "received_at")[:MOST]:
        said[home].append(at)
    waits = [
        next((at - when for at in said[home] if at > when), None) for home, when in asked[:MOST]
    ]
    hours = [wait.total_seconds() / 3600 for wait in waits if wait is not None]
    middle = round(median(hours), 1) if len(hours) >= LEAST else None
    return Figure(part=len(hours), whole=len(waits)), middle


def _surveys(supplier: Supplier, homes: list[int], since: datetime) -> Figure:
    rows = Survey.objects.filter(
        supplier=supplier, household__in=homes, requested_at__gte=since
    ).values_list("state", flat=True)
    states = list(rows)
    return Figure(part=sum(state == SurveyState.ANSWERED for state in states), whole=len(states))
