"""Reads what happened in a household as the values that `metrics` counts.

Everything comes from contacts, decisions, deliveries and the projections made of them, so
a rebuild measures the same. A fixed number of reads, whatever there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.db.models import Q

from notifications.choices import (
    AppointmentState,
    JourneyState,
    NotificationState,
    PromiseState,
    Turn,
)
from notifications.ledger import Ledger, Row
from notifications.matter import GRACE, Decided, Matter, Slot, Value, read_window
from notifications.merging import fold
from notifications.metrics import (
    Period,
    Seen,
    SeenContact,
    SeenDigest,
    SeenJourney,
    SeenNotification,
    SeenPromise,
    SeenRequest,
    SeenSurvey,
    SeenVisit,
)
from notifications.models import (
    Appointment,
    Decision,
    Digest,
    Journey,
    JourneyQuerySet,
    Link,
    Notification,
    PassVisit,
    Promise,
    Survey,
)
from notifications.portal import ASKING
from owners.choices import ChannelKind, Level, Moment, Topic
from owners.models import Household, Owner
from owners.reach import Reach, quiet_end
from suppliers.choices import ContactKind, Direction, Medium, Outcome
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, OutboundEvent

TOPIC_OF = {
    ContactKind.CALL: Topic.ARRIVING,
    ContactKind.VOICEMAIL: Topic.ARRIVING,
    ContactKind.VISIT_CHANGE: Topic.CHANGED,
    ContactKind.VISIT_PROGRESS: Topic.PROGRESS,
    ContactKind.PROGRESS: Topic.PROGRESS,
    ContactKind.SURVEY_REQUEST: Topic.FEEDBACK,
    ContactKind.SURVEY_CLOSED: Topic.FEEDBACK,
    ContactKind.ADVERT: Topic.OFFER,
    ContactKind.RECALL: Topic.FAILED,
}
CHANNEL_OF = {Medium.EMAIL: ChannelKind.EMAIL, Medium.SMS: ChannelKind.SMS}
EXPECTED = (
    AppointmentState.BOOKED,
    AppointmentState.REQUESTED,
    AppointmentState.CONFIRMED,
    AppointmentState.ON_THE_WAY,
)
LATE_MOVE = timedelta(hours=24)
MOST = 1_000  # matters of one period; of a larger household the newest are measured
LOOSE = 5_000  # contacts of one period on no matter
STEPS = 100  # of one matter, after which it is not said whose turn it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read: the values, and whether there was more than is read at once."""

    seen: Seen
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handed:
    """That a supplier read a matter's facts on a pass."""

    at: datetime
    supplier: int
    without: frozenset[str]


def read(
    *,
    household: Household,
    now: datetime,
    period: Period | None = None,
    reader: Owner | None = None,
) -> Read:
    """Return what is measured of a household, of one period or for ever.

    Of a period the matters in which anything happened are read from their beginning on:
    what is asked again was asked before. Told is what `reader` was told, else everybody.
    """
    touched = _touched(household, period).order_by("-last_said_at", "-pk")
    journeys = list(touched.values_list("pk", "uuid")[: MOST + 1 if period else None])
    is_partial = period is not None and len(journeys) > MOST
    names = {pk: str(uuid) for pk, uuid in (journeys[:MOST] if is_partial else journeys)}
    ledger = Ledger.open([household], now=now)
    ledger.load_journeys(names.values())
    loose = _loose(household, period)
    is_cut = period is not None and len(loose) > LOOSE
    known = {row.entry.supplier for rows in ledger.rows.values() for row in rows}
    known.update(*(ledger.journeys[name].suppliers for name in names.values()))
    ledger.load_people([household.pk], known)
    matters = {
        name: fold(
            [row.entry for row in ledger.rows.get(name, [])],
            ledger.decisions.get(name, []),
            currency=household.currency,
            now=now,
        )
        for name in names.values()
    }
    reaches = [
        member.reach
        for member in ledger.members.get(household.pk, [])
        if reader is None or member.owner == reader.pk
    ]
    made = _Maker(
        household=household,
        names=names,
        ledger=ledger,
        matters=matters,
        reaches=reaches,
        false=_complaints(household),
        handed=_handed(names),
        now=now,
    )
    return Read(
        seen=Seen(
            contacts=[
                *(made.contact(row, name) for name, rows in ledger.rows.items() for row in rows),
                *(made.loose(columns) for columns in (loose[:LOOSE] if is_cut else loose)),
            ],
            notifications=_notifications(household, names, period, reader),
            digests=_digests(household, period, reader),
            visits=made.visits(),
            promises=made.promises(),
            surveys=made.surveys(),
            requests=made.requests(),
            journeys=made.journeys(),
        ),
        is_partial=is_partial or is_cut,
    )


# --- which matters, and what belongs to none ---------------------------------------------


def _touched(household: Household, period: Period | None) -> JourneyQuerySet:
    rows = Journey.objects.filter(household=household, is_emptied=False)
    if period is None:
        return rows
    span = (period.since, period.until)
    mine = {"household": household}
    said = Contact.objects.filter(**mine, said_at__gte=span[0], said_at__lt=span[1])
    on = [
        Link.objects.filter(contact__in=said, revoked_at=None),
        Notification.objects.filter(
            **mine, state=NotificationState.TOLD, told_at__gte=span[0], told_at__lt=span[1]
        ),
        Appointment.objects.filter(**mine, start__gte=span[0], start__lt=span[1]),
        Promise.objects.filter(**mine, due_at__gte=span[0], due_at__lt=span[1]),
        Survey.objects.filter(**mine, offered_at__gte=span[0], offered_at__lt=span[1]),
        Decision.objects.filter(**mine, decided_at__gte=span[0], decided_at__lt=span[1]),
    ]
    touched = Q(closed_at__gte=span[0], closed_at__lt=span[1])
    touched |= Q(done_at__gte=span[0], done_at__lt=span[1])
    for rows_on in on:
        touched |= Q(pk__in=rows_on.values("journey"))
    return rows.filter(touched)


_LOOSE_COLUMNS = ("pk", "uuid", "supplier", "outcome", "said")


def _loose(household: Household, period: Period | None) -> list[tuple[object, ...]]:
    """Return what waits at the Door, adverts and whatever else is on no matter."""
    linked = Link.objects.filter(revoked_at=None, household=household).values("contact")
    rows = Contact.objects.filter(household=household).exclude(pk__in=linked)
    if period is not None:
        rows = rows.filter(said_at__gte=period.since, said_at__lt=period.until)
    return list(
        rows.order_by("-said_at", "-pk").values_list(*_LOOSE_COLUMNS)[
            : LOOSE + 1 if period else None
        ]
    )


def _complaints(household: Household) -> frozenset[int]:
    """Return the contacts of which the owner said: you should have told me."""
    rows = Decision.objects.filter(household=household, name="undo_absorb", revoked_at=None)
    return frozenset(pk for pk in rows.values_list("contact_id", flat=True) if pk)


def _handed(names: Mapping[int, str]) -> Mapping[str, Sequence[_Handed]]:
    """Return for each matter when a supplier read its facts on a pass."""
    rows = PassVisit.objects.filter(held__journey__in=names, held__scope__contains=["facts"])
    found: dict[str, list[_Handed]] = {}
    for journey, at, supplier, without in rows.values_list(
        "held__journey", "opened_at", "held__supplier", "held__without"
    ):
        handed = _Handed(at=at, supplier=supplier or 0, without=frozenset(without))
        found.setdefault(names[journey or 0], []).append(handed)
    return found


# --- what was told -----------------------------------------------------------------------


def _notifications(
    household: Household,
    names: Mapping[int, str],
    period: Period | None,
    reader: Owner | None,
) -> list[SeenNotification]:
    rows = Notification.objects.filter(household=household, state=NotificationState.TOLD)
    if period is not None:
        rows = rows.filter(told_at__gte=period.since, told_at__lt=period.until)
    if reader is not None:
        rows = rows.filter(owner=reader)
    return [
        SeenNotification(level=Level(level), journey=names.get(journey, ""), id=str(uuid), at=at)
        for level, journey, uuid, at in rows.order_by("told_at", "pk").values_list(
            "level", "journey", "uuid", "told_at"
        )
    ]


def _digests(household: Household, period: Period | None, reader: Owner | None) -> list[SeenDigest]:
    rows = Digest.objects.filter(household=household)
    if period is not None:
        rows = rows.filter(slot__gte=period.since, slot__lt=period.until)
    if reader is not None:
        rows = rows.filter(owner=reader)
    return [
        SeenDigest(lines=len(lines), id=str(uuid), at=slot)
        for lines, uuid, slot in rows.order_by("slot", "pk").values_list("lines", "uuid", "slot")
    ]


# --- matters -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """Makes the values, with everything they need beside their own row."""

    household: Household
    names: Mapping[int, str]  # of the matters, by key
    ledger: Ledger
    matters: Mapping[str, Matter]
    reaches: Sequence[Reach]
    false: frozenset[int]
    handed: Mapping[str, Sequence[_Handed]]
    now: datetime

    def supplier(self, pk: int | None) -> str:
        """Return a supplier's public name; empty for nobody in particular."""
        known = self.ledger.suppliers.get(pk or 0)
        return str(known.uuid) if known else ""

    def contact(self, row: Row, journey: str) -> SeenContact:
        """Return a contact on a matter."""
        entry = row.entry
        return self._contact(
            entry.said,
            pk=row.id,
            uuid=entry.id,
            supplier=entry.supplier,
            outcome=row.outcome,
            journey=journey,
        )

    def loose(self, columns: tuple[object, ...]) -> SeenContact:
        """Return a contact on no matter."""
        pk, uuid, supplier, outcome, said = columns
        return self._contact(
            Said.from_json(said),  # type: ignore[arg-type]  # a column
            pk=pk,  # type: ignore[arg-type]  # a column
            uuid=str(uuid),
            supplier=supplier,  # type: ignore[arg-type]  # a column
            outcome=str(outcome),
            journey="",
        )

    def _contact(
        self, said: Said, *, pk: int, uuid: str, supplier: int | None, outcome: str, journey: str
    ) -> SeenContact:
        call = said.call
        seconds = call.duration_s if call else 0
        # A call the owner logged is dated by its end; what began then is what counts here.
        at = said.said_at - timedelta(seconds=seconds if outcome == Outcome.OWN else 0)
        asks = tuple(ask.fact for ask in said.asks)
        return SeenContact(
            direction=said.direction,
            medium=said.medium,
            at=at,
            id=uuid,
            kind=said.kind,
            journey=journey,
            supplier=self.supplier(supplier),
            outcome=outcome,
            is_counted=said.is_counted,
            is_respectful=any(is_wanted(said, reach) for reach in self.reaches),
            is_false_absorption=pk in self.false,
            is_automatic=said.is_automatic,
            status=call.status if call else None,
            duration_s=seconds,
            asks=asks,
            handed=self._given(journey, supplier or 0, asks, at) if asks else frozenset(),
            transfers=call.transfers if call else 0,
        )

    def _given(
        self, journey: str, supplier: int, asks: Iterable[str], at: datetime
    ) -> frozenset[str]:
        matter = self.matters.get(journey)
        passes = [
            one
            for one in self.handed.get(journey, ())
            if one.at < at and one.supplier in (0, supplier)
        ]
        return frozenset(
            fact
            for fact in asks
            if matter is not None
            and fact in matter.facts
            and any(fact not in one.without for one in passes)
        )

    def visits(self) -> list[SeenVisit]:
        """Return the windows of all matters."""
        rows = Appointment.objects.filter(journey__in=self.names)
        return [self._visit(row) for row in rows.order_by("pk") if row.start and row.end]

    def _visit(self, row: Appointment) -> SeenVisit:
        name = self.names[row.journey_id]
        slot = next((s for s in self.matters[name].slots if s.name[:340] == row.slot), None)
        moved, moved_late = _moves(slot, self.ledger.rows.get(name, ())) if slot else (0, 0)
        if row.start is None or row.end is None:
            raise ValueError("A visit without a window is not measured.")
        return SeenVisit(
            start=row.start,
            end=row.end,
            id=str(row.uuid),
            journey=name,
            supplier=self.supplier(row.supplier_id),
            arrived_at=row.arrived_at or row.done_at,
            is_missed=_is_missed(row, now=self.now),
            moved_late=moved_late,
            moved=moved,
        )

    def promises(self) -> list[SeenPromise]:
        """Return the promises of all matters; one without a date counts when it was made."""
        rows = Promise.objects.filter(journey__in=self.names).select_related("journey")
        return [
            SeenPromise(
                state=PromiseState(row.state),
                at=row.due_at or row.journey.last_said_at,
                id=row.promise_id,
                journey=self.names[row.journey_id],
                supplier=self.supplier(row.supplier_id),
            )
            for row in rows.order_by("pk")
        ]

    def surveys(self) -> list[SeenSurvey]:
        """Return the requests for feedback of all matters; held ones were offered to nobody."""
        rows = Survey.objects.filter(journey__in=self.names).order_by("pk")
        return [
            SeenSurvey(
                at=row.requested_at,
                id=str(row.uuid),
                journey=self.names[row.journey_id or 0],
                supplier=self.supplier(row.supplier_id),
                offered_at=None if row.state == "held" else row.offered_at,
            )
            for row in rows
        ]

    def requests(self) -> list[SeenRequest]:
        """Return what was asked of suppliers through Steward."""
        wanted = {UUID(name) for name in self.names.values()}
        rows = OutboundEvent.objects.filter(
            household=self.household, type__in=ASKING, journey__in=wanted
        )
        return [
            SeenRequest(at=at, id=str(uuid), journey=str(journey), supplier=self.supplier(supplier))
            for at, uuid, journey, supplier in rows.order_by("pk").values_list(
                "created_at", "uuid", "journey", "supplier"
            )
        ]

    def journeys(self) -> list[SeenJourney]:
        """Return the matters themselves."""
        return [self._journey(name) for name in self.names.values()]

    def _journey(self, name: str) -> SeenJourney:
        row, matter = self.ledger.journeys[name], self.matters[name]
        decisions = sorted(self.ledger.decisions.get(name, ()), key=lambda one: one.at)
        answers = [(one.data.get("answer"), one.at) for one in decisions if one.name == "answer"]
        verdicts = [(answer, at) for answer, at in answers if answer in ("works", "not_yet")]
        resolved = verdicts[-1][1] if verdicts and verdicts[-1][0] == "works" else None
        is_closed = row.state == JourneyState.CLOSED
        quoted, paid = _prices(matter, self.household.currency)
        return SeenJourney(
            name=name,
            suppliers=tuple(self.supplier(pk) for pk in row.suppliers),
            done_at=row.done_at,
            resolved_at=resolved,
            closed_at=row.closed_at if is_closed else None,
            reopened_at=tuple(at for answer, at in verdicts if answer == "not_yet"),
            turns=self._turns(name, decisions, until=resolved) if resolved else (),
            quoted=quoted,
            paid=paid,
            paid_at=matter.paid_at,
        )

    def _turns(
        self, name: str, decisions: Sequence[Decided], *, until: datetime
    ) -> tuple[tuple[datetime, Turn], ...]:
        """Return whose turn it became when, by folding what was known at each step."""
        entries = [row.entry for row in self.ledger.rows.get(name, ())]
        steps = sorted({entry.said.said_at for entry in entries} | {one.at for one in decisions})
        steps = [at for at in steps if at < until]
        if len(steps) > STEPS:
            return ()
        found: list[tuple[datetime, Turn]] = []
        for at in steps:
            matter = fold(
                [entry for entry in entries if entry.said.said_at <= at],
                [one for one in decisions if one.at <= at],
                currency=self.household.currency,
                now=at,
            )
            if not found or found[-1][1] != matter.turn:
                found.append((at, matter.turn))
        return tuple(found)


def is_wanted(said: Said, reach: Reach) -> bool:
    """Whether a contact came on a channel and at an hour that this member wished."""
    if said.medium == Medium.NONE:
        return True  # data alone disturbs nobody
    topic = TOPIC_OF.get(said.kind, Topic.QUESTION)
    if reach.moment(topic) == Moment.NEVER or quiet_end(reach, said.said_at) is not None:
        return False
    return reach.ladder(topic)[:1] == (CHANNEL_OF.get(said.medium),)


def _is_missed(row: Appointment, *, now: datetime) -> bool:
    """Whether the window has passed without anybody, told so or not."""
    if row.state == AppointmentState.MISSED:
        return True
    return row.state in EXPECTED and row.end is not None and row.end + GRACE <= now


def _moves(slot: Slot, rows: Sequence[Row]) -> tuple[int, int]:
    """Return (in good time, late): whether the supplier moved a visit, and when it said so."""
    current = slot.window.current
    if current is None or not slot.window.replaced:
        return 0, 0
    source = current.sources[0]
    mover = next((row.entry.said for row in rows if row.entry.id == source), None)
    if mover is None or mover.direction != Direction.IN:
        return 0, 0
    starts = [read_window(value.key).start for value in slot.window.replaced]
    is_late = any(start - mover.said_at < LATE_MOVE for start in starts)
    return (0, 1) if is_late else (1, 0)


def _prices(matter: Matter, currency: str) -> tuple[Decimal | None, Decimal | None]:
    """Return the price that was named first, and what was paid, in the household's currency."""
    price = matter.facts.get("fee")
    total = matter.facts.get("total") or price or matter.facts.get("amount_due")
    quoted = None
    if price is not None:
        quoted = _amount([*price.replaced, *([price.current] if price.current else [])], currency)
    if not matter.is_paid or total is None or total.current is None:
        return quoted, None
    return quoted, _amount([total.current], currency)


def _amount(values: Sequence[Value], currency: str) -> Decimal | None:
    """Return the amount that was stated first; None in another currency."""
    for value in sorted(values, key=lambda one: one.said_at):
        amount, _, unit = value.key.partition(" ")
        try:
            return Decimal(amount) if unit in ("", currency) else None
        except InvalidOperation:
            return None
    return None
