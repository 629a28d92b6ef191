"""What an owner can measure, computed from what happened: no survey needed. Pure.

Every measure is a list of cases: one for each event that is counted, with how much of it.
Its number is their sum, so that whoever reads a number can read what it was counted from.
None is a judgement. Attention is in seconds, with the weights below for what does not last
by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median, quantiles

from notifications.choices import PromiseState, Turn
from owners.choices import Level
from suppliers.choices import CallStatus, ContactKind, Direction, Medium, Outcome

VOICEMAIL_EXTRA_S = 30  # dialling in, listening again
CUT_OFF_CALL_S = 20
SURVEY_S = 20
UNNAMED_S = 20  # a webhook contact that does not say how it reached the owner
MEDIUM_S = {
    Medium.EMAIL: 30,
    Medium.LETTER: 60,
    Medium.SMS: 10,
    Medium.CHAT: 10,
    Medium.APP: 10,
}
INTERRUPT_S = 10
CARD_S = 8
DIGEST_LINE_S = 3
REPEAT_WITHIN = timedelta(days=30)
STAYS_FIXED = timedelta(days=14)
EARLY = timedelta(minutes=15)
EFFORT_STEP_MIN = 15
# The end of each band of effort, and its name.
BANDS = ((3, "easy"), (8, "some"), (15, "hard"))
HARDEST = "very_hard"

# Media that are one way of reaching somebody; changing between them is a hop.
CHANNEL_OF = {
    Medium.CALL: "phone",
    Medium.VOICEMAIL: "phone",
    Medium.EMAIL: "email",
    Medium.SMS: "sms",
    Medium.LETTER: "letter",
    Medium.CHAT: "chat",
    Medium.APP: "app",
    Medium.IN_PERSON: "in_person",
}
# What answers a request: it was shown for what it said, or the owner wrote it down.
MEANINGFUL = (Outcome.SHOWN, Outcome.OWN)
HOUR_S = 3600


# --- what happened -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenContact:
    """A contact as far as it is measured.

    `id`, `journey` and `supplier` are any names, empty where there is none. `asks` lists
    the fact of every question put to the owner, `handed` those of them that a pass had
    given this supplier before. `is_respectful` says whether it came on a channel that the
    owner's reach matrix names for its topic; without a medium it does.
    """

    direction: Direction
    medium: Medium
    at: datetime
    id: str = ""
    kind: ContactKind = ContactKind.MESSAGE
    journey: str = ""
    supplier: str = ""
    outcome: str = ""
    is_counted: bool = True
    is_respectful: bool = False
    is_false_absorption: bool = False
    is_automatic: bool = False
    status: CallStatus | None = None
    duration_s: int = 0
    asks: tuple[str, ...] = ()
    handed: frozenset[str] = frozenset()
    transfers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenNotification:
    """A notification that was told."""

    level: Level
    journey: str = ""
    id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDigest:
    """A digest that was made, and how many lines it had."""

    lines: int
    id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVisit:
    """A booked window: whether it was kept, once that is known.

    `moved_late` counts moves by the supplier less than 24 h before the start, `moved` the
    others.
    """

    start: datetime
    end: datetime
    id: str = ""
    journey: str = ""
    supplier: str = ""
    arrived_at: datetime | None = None
    is_missed: bool = False
    moved_late: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPromise:
    """A promise beside visits, due at `at`."""

    state: PromiseState
    at: datetime
    id: str = ""
    journey: str = ""
    supplier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSurvey:
    """A request for feedback: when it came, and when the owner was offered it."""

    at: datetime
    id: str = ""
    journey: str = ""
    supplier: str = ""
    offered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """What the owner asked a supplier through Steward."""

    at: datetime
    id: str = ""
    journey: str = ""
    supplier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenJourney:
    """A matter: when its work was done, when the owner said that it works, and what it cost.

    `turns` are the moments at which it became somebody's turn, the first one first.
    `quoted` is the price that was first named and `paid` what was paid, in one currency.
    """

    name: str
    suppliers: tuple[str, ...] = ()
    done_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: tuple[datetime, ...] = ()
    turns: tuple[tuple[datetime, Turn], ...] = ()
    quoted: Decimal | None = None
    paid: Decimal | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything of one household that is measured, from the first contact of each matter on."""

    contacts: Sequence[SeenContact] = ()
    notifications: Sequence[SeenNotification] = ()
    digests: Sequence[SeenDigest] = ()
    visits: Sequence[SeenVisit] = ()
    promises: Sequence[SeenPromise] = ()
    surveys: Sequence[SeenSurvey] = ()
    requests: Sequence[SeenRequest] = ()
    journeys: Sequence[SeenJourney] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` on and before `until`."""

    since: datetime
    until: datetime

    def has(self, at: datetime | None) -> bool:
        """Whether something happened in it; what has no time is in every period."""
        return at is None or self.since <= at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One event that was counted: what it is, how much of it, and whether it is of the part.

    `kind` is one of contact, notification, digest, visit, promise, survey, request, journey
    and says what `id` names. `how` tells two events of one thing apart: of a visit
    moved_late, early, late, missed or kept.
    """

    kind: str
    id: str
    at: datetime | None
    journey: str = ""
    supplier: str = ""
    amount: float = 1
    is_part: bool = True
    how: str = ""


Cases = Mapping[str, Sequence[Case]]


# --- counting ----------------------------------------------------------------------------


def cases(seen: Seen, period: Period | None = None) -> Cases:
    """Return what every measure is counted from; of one period only what happened in it."""
    found: dict[str, list[Case]] = {name: list(count(seen)) for name, count in COUNTED.items()}
    if period is not None:
        found = {
            name: [case for case in counted if period.has(case.at)]
            for name, counted in found.items()
        }
    # What is saved of a matter is never below nothing, so only what is in the period counts.
    found["attention_saved_s"] = list(saved(seen, period))
    return found


def measure(seen: Seen, period: Period | None = None) -> dict[str, object]:
    """Return every measure by its name; durations in the unit the name ends in."""
    return summed(cases(seen, period))


def summed(found: Cases) -> dict[str, object]:
    """Return the numbers that the cases come to."""
    whole = {name: sum(case.amount for case in counted) for name, counted in found.items()}
    part = {name: sum(case.is_part for case in counted) for name, counted in found.items()}
    count = {name: len(counted) for name, counted in found.items()}
    received, made = count["contacts_received"], count["contacts_made"]
    told, spoken = count["notifications"], received + made
    minutes = (whole["own_calls_s"] + whole["attention_baseline_s"]) / 60
    hours = sorted(case.amount / HOUR_S for case in found["replies_s"] if case.is_part)
    quoted, paid = whole["quoted"], whole["paid"]
    burden = effort(
        repeat_contacts=count["repeat_contacts"],
        re_asks=count["re_asks"],
        transfers=int(whole["transfers"]),
        channel_hops=count["channel_hops"],
        minutes=minutes,
        broken_promises=count["promises"] - part["promises"],
        surveys_shown=count["surveys_shown"],
    )
    return {
        "contacts_received": received,
        "contacts_made": made,
        "notifications": told,
        "interrupts": count["interrupts"],
        "absorbed": count["absorbed"],
        "absorbed_share": share(count["absorbed"], received),
        "false_absorptions": count["false_absorptions"],
        "false_absorption_share": share(count["false_absorptions"], count["absorbed"], digits=4),
        "held": count["held"],
        "compression": share(spoken - told, spoken),
        "asks": count["asks"],
        "re_asks": count["re_asks"],
        "repeat_contacts": count["repeat_contacts"],
        "fixed_first": [part["fixed_first"], count["fixed_first"]],
        "transfers": int(whole["transfers"]),
        "channel_hops": count["channel_hops"],
        "promises_kept": part["promises"],
        "promises_made": count["promises"],
        "visits_moved": int(whole["visits_moved"]),
        "attention_baseline_s": int(whole["attention_baseline_s"]),
        "attention_shown_s": int(whole["attention_shown_s"]),
        "attention_saved_s": int(whole["attention_saved_s"]),
        "channel_respect": [part["channel_respect"], received],
        "hours_held": round(whole["waited_s"] / HOUR_S, 2),
        "owner_minutes": round(minutes, 1),
        "owner_effort": burden,
        "owner_effort_band": band(burden),
        "replied": [part["replies_s"], count["replies_s"]],
        "reply_hours": round(median(hours), 1) if hours else None,
        "reply_hours_90": nine_of_ten(hours),
        "surveys_requested": count["surveys_requested"],
        "surveys_shown": count["surveys_shown"],
        "journeys_closed": count["journeys_closed"],
        "survey_burden": share(count["surveys_requested"], count["journeys_closed"]),
        "work_done_after_s": [int(case.amount) for case in found["work_done_after_s"]],
        "resolved_after_s": [int(case.amount) for case in found["resolved_after_s"]],
        "turn_supplier_s": int(whole["turn_supplier_s"]),
        "turn_owner_s": int(whole["turn_owner_s"]),
        "turn_third_s": int(whole["turn_third_s"]),
        "quoted": round(quoted, 2),
        "paid": round(paid, 2),
        "price_truth": round(paid / quoted, 2) if quoted else None,
    }


# --- contacts ----------------------------------------------------------------------------


def is_received(contact: SeenContact) -> bool:
    """Whether the contact reached for the owner; progress and administration do not."""
    return contact.direction == Direction.IN and contact.is_counted


def weight(contact: SeenContact) -> int:
    """Return the attention (seconds) that a contact would have taken without Steward."""
    if contact.kind == ContactKind.SURVEY_REQUEST:
        return SURVEY_S
    if contact.medium == Medium.VOICEMAIL:
        return contact.duration_s + VOICEMAIL_EXTRA_S
    if contact.medium == Medium.CALL:
        answered = contact.status in (None, CallStatus.ANSWERED)
        return contact.duration_s if answered else CUT_OFF_CALL_S
    if contact.medium == Medium.IN_PERSON:
        return contact.duration_s or UNNAMED_S
    return MEDIUM_S.get(contact.medium, UNNAMED_S)


def _of(contact: SeenContact, *, amount: float = 1, is_part: bool = True) -> Case:
    return Case(
        kind="contact",
        id=contact.id,
        at=contact.at,
        journey=contact.journey,
        supplier=contact.supplier,
        amount=amount,
        is_part=is_part,
    )


def received(seen: Seen) -> Iterator[Case]:
    """Yield what reached for the owner."""
    return (_of(contact) for contact in seen.contacts if is_received(contact))


def made(seen: Seen) -> Iterator[Case]:
    """Yield what the owner did to reach a supplier."""
    return (_of(contact) for contact in seen.contacts if contact.direction == Direction.OUT)


def absorbed(seen: Seen) -> Iterator[Case]:
    """Yield what said nothing new."""
    return (_of(one) for one in seen.contacts if one.outcome == Outcome.ABSORBED)


def falsely(seen: Seen) -> Iterator[Case]:
    """Yield what the owner says should have been told."""
    return (_of(one) for one in seen.contacts if one.is_false_absorption)


def held(seen: Seen) -> Iterator[Case]:
    """Yield what a rule kept back."""
    return (_of(one) for one in seen.contacts if one.outcome == Outcome.HELD)


def respected(seen: Seen) -> Iterator[Case]:
    """Yield what reached for the owner; the part came as the owner wishes."""
    return (_of(one, is_part=one.is_respectful) for one in seen.contacts if is_received(one))


def baseline(seen: Seen) -> Iterator[Case]:
    """Yield what would have taken attention, with how much."""
    return (_of(one, amount=weight(one)) for one in seen.contacts if is_received(one))


def own_calls(seen: Seen) -> Iterator[Case]:
    """Yield the owner's own calls, with how long they took."""
    mine = (one for one in seen.contacts if one.direction == Direction.OUT)
    return (_of(one, amount=one.duration_s) for one in mine if one.duration_s)


def transfers(seen: Seen) -> Iterator[Case]:
    """Yield the contacts in which the owner was handed on, with how often."""
    return (_of(one, amount=one.transfers) for one in seen.contacts if one.transfers)


def _asked(seen: Seen) -> Iterator[tuple[SeenContact, bool]]:
    """Yield every question, and whether it had been answered or asked before."""
    known: set[tuple[str, str]] = set()
    for contact in sorted(seen.contacts, key=lambda one: (one.at, one.id)):
        for fact in contact.asks:
            yield contact, (contact.journey, fact) in known or fact in contact.handed
            known.add((contact.journey, fact))


def asks(seen: Seen) -> Iterator[Case]:
    """Yield every question put to the owner."""
    return (_of(contact) for contact, _again in _asked(seen))


def re_asks(seen: Seen) -> Iterator[Case]:
    """Yield the questions for what the same matter had asked, or a pass had given, before."""
    return (_of(contact) for contact, again in _asked(seen) if again)


def _own(seen: Seen) -> Iterator[tuple[str, list[SeenContact]]]:
    found: defaultdict[str, list[SeenContact]] = defaultdict(list)
    for contact in seen.contacts:
        if contact.direction == Direction.OUT and contact.journey:
            found[contact.journey].append(contact)
    for journey, mine in found.items():
        yield journey, sorted(mine, key=lambda one: (one.at, one.id))


def repeats(seen: Seen) -> Iterator[Case]:
    """Yield the owner's further contacts on a matter before it worked, within 30 days."""
    resolved = {journey.name: journey.resolved_at for journey in seen.journeys}
    for journey, (first, *later) in _own(seen):
        end = resolved.get(journey)
        for contact in later:
            if contact.at - first.at <= REPEAT_WITHIN and (end is None or contact.at < end):
                yield _of(contact)


def hops(seen: Seen) -> Iterator[Case]:
    """Yield the contacts that came on another channel than the one before them.

    Of one supplier on one matter.
    """
    ways: defaultdict[tuple[str, str], list[tuple[datetime, str, SeenContact]]] = defaultdict(list)
    for contact in seen.contacts:
        way = CHANNEL_OF.get(contact.medium)
        is_spoken = is_received(contact) or contact.direction == Direction.OUT
        if way and contact.journey and is_spoken:
            ways[contact.journey, contact.supplier].append((contact.at, way, contact))
    for spoken in ways.values():
        spoken.sort(key=lambda said: (said[0], said[1], said[2].id))
        for (_at, before, _contact), (_then, after, contact) in pairwise(spoken):
            if before != after:
                yield _of(contact)


def replies(seen: Seen) -> Iterator[Case]:
    """Yield the owner's requests; the part was answered, after so many seconds.

    What a machine answered, and what said nothing new, is no answer. A call in which
    somebody was reached is its own answer and no request.
    """
    said: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for contact in seen.contacts:
        is_answer = contact.outcome in MEANINGFUL and not contact.is_automatic
        if contact.direction == Direction.IN and is_answer and contact.journey:
            said[contact.journey, contact.supplier].append(contact.at)
    for times in said.values():
        times.sort()
    for asked in _requests(seen):
        answers = said[asked.journey, asked.supplier]
        after = next((at for at in answers if asked.at is not None and at > asked.at), None)
        wait = (after - asked.at).total_seconds() if after and asked.at else 0
        yield Case(
            kind=asked.kind,
            id=asked.id,
            at=asked.at,
            journey=asked.journey,
            supplier=asked.supplier,
            amount=wait,
            is_part=after is not None,
        )


def _requests(seen: Seen) -> Iterator[Case]:
    for contact in seen.contacts:
        is_call = contact.medium == Medium.CALL and contact.status in (None, CallStatus.ANSWERED)
        if contact.direction == Direction.OUT and contact.journey and not is_call:
            yield _of(contact)
    for asked in seen.requests:
        yield Case(
            kind="request",
            id=asked.id,
            at=asked.at,
            journey=asked.journey,
            supplier=asked.supplier,
        )


# --- what was told -----------------------------------------------------------------------


def told(seen: Seen) -> Iterator[Case]:
    """Yield what the owner was told."""
    return (_note(item) for item in seen.notifications)


def interrupts(seen: Seen) -> Iterator[Case]:
    """Yield what interrupted the owner."""
    return (_note(item) for item in seen.notifications if item.level == Level.INTERRUPT)


def shown(seen: Seen) -> Iterator[Case]:
    """Yield what Steward said, with the attention it took."""
    for item in seen.notifications:
        yield _note(item, amount=_told_s(item))
    for digest in seen.digests:
        seconds = DIGEST_LINE_S * digest.lines
        yield Case(kind="digest", id=digest.id, at=digest.at, amount=seconds)


def saved(seen: Seen, period: Period | None = None) -> Iterator[Case]:
    """Yield the matters with the attention saved, never below nothing for any one.

    What belongs to no matter (the Door, adverts, the digest that counts them) is one.
    """
    seconds: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for contact in seen.contacts:
        if is_received(contact) and (period is None or period.has(contact.at)):
            seconds[contact.journey] += weight(contact)
            last[contact.journey] = max(contact.at, last.get(contact.journey, contact.at))
    for item in seen.notifications:
        if period is None or period.has(item.at):
            seconds[item.journey] -= _told_s(item)
    for digest in seen.digests:
        if period is None or period.has(digest.at):
            seconds[""] -= DIGEST_LINE_S * digest.lines
    for journey, amount in seconds.items():
        if amount > 0:
            yield Case(
                kind="journey", id=journey, journey=journey, at=last.get(journey), amount=amount
            )


def saved_s(seen: Seen) -> int:
    """Return the attention saved."""
    return int(sum(case.amount for case in saved(seen)))


def _told_s(item: SeenNotification) -> int:
    return INTERRUPT_S if item.level == Level.INTERRUPT else CARD_S


def _note(item: SeenNotification, *, amount: float = 1) -> Case:
    return Case(kind="notification", id=item.id, at=item.at, journey=item.journey, amount=amount)


# --- visits, promises, surveys -----------------------------------------------------------


def promises(seen: Seen) -> Iterator[Case]:
    """Yield windows and promises whose time has come, and late moves; the part was kept."""
    for visit in seen.visits:
        for _move in range(visit.moved_late):
            yield _visit(visit, is_part=False, how="moved_late")
        if visit.arrived_at is not None:
            is_early = visit.arrived_at < visit.start - EARLY
            how = "early" if is_early else "late" if visit.arrived_at > visit.end else "kept"
            yield _visit(visit, is_part=how == "kept", how=how)
        elif visit.is_missed:
            yield _visit(visit, is_part=False, how="missed")
    for promise in seen.promises:
        if promise.state in (PromiseState.KEPT, PromiseState.MISSED):
            yield Case(
                kind="promise",
                id=promise.id,
                at=promise.at,
                journey=promise.journey,
                supplier=promise.supplier,
                is_part=promise.state == PromiseState.KEPT,
            )


def moved(seen: Seen) -> Iterator[Case]:
    """Yield the visits that the supplier moved in good time."""
    return (_visit(visit, amount=visit.moved) for visit in seen.visits if visit.moved)


def waited(seen: Seen) -> Iterator[Case]:
    """Yield the visits for which somebody waited in, with how long (seconds)."""
    for visit in seen.visits:
        wait = timedelta()
        if visit.arrived_at is not None:
            wait = min(visit.arrived_at, visit.end) - visit.start
        elif visit.is_missed:
            wait = visit.end - visit.start
        if wait > timedelta():
            yield _visit(visit, amount=wait.total_seconds())


def _visit(visit: SeenVisit, *, amount: float = 1, is_part: bool = True, how: str = "") -> Case:
    return Case(
        kind="visit",
        id=visit.id,
        at=visit.start,
        journey=visit.journey,
        supplier=visit.supplier,
        amount=amount,
        is_part=is_part,
        how=how,
    )


def surveys_requested(seen: Seen) -> Iterator[Case]:
    """Yield the requests for feedback that belong to a matter."""
    return (_survey(survey, survey.at) for survey in seen.surveys if survey.journey)


def surveys_shown(seen: Seen) -> Iterator[Case]:
    """Yield those that the owner was offered."""
    for survey in seen.surveys:
        if survey.offered_at is not None and survey.journey:
            yield _survey(survey, survey.offered_at)


def _survey(survey: SeenSurvey, at: datetime) -> Case:
    return Case(
        kind="survey", id=survey.id, at=at, journey=survey.journey, supplier=survey.supplier
    )


# --- matters -----------------------------------------------------------------------------


def _matter(journey: SeenJourney, at: datetime, *, amount: float = 1, is_part: bool = True) -> Case:
    supplier = journey.suppliers[0] if journey.suppliers else ""
    return Case(
        kind="journey",
        id=journey.name,
        at=at,
        journey=journey.name,
        supplier=supplier,
        amount=amount,
        is_part=is_part,
    )


def closed(seen: Seen) -> Iterator[Case]:
    """Yield the matters that are closed."""
    return (_matter(one, one.closed_at) for one in seen.journeys if one.closed_at is not None)


def fixed_first(seen: Seen) -> Iterator[Case]:
    """Yield the matters of which the owner said that it works.

    The part needed no second contact of the owner's, and stayed so for 14 days.
    """
    again = {case.journey for case in repeats(seen)}
    for journey in seen.journeys:
        end = journey.resolved_at
        if end is None:
            continue
        # What the owner says first, "not yet", is a repair that did not work either.
        is_undone = any(at <= end + STAYS_FIXED for at in journey.reopened_at)
        yield _matter(journey, end, is_part=journey.name not in again and not is_undone)


def _since_first(seen: Seen, ends: Iterable[tuple[SeenJourney, datetime | None]]) -> Iterator[Case]:
    first: dict[str, datetime] = {}
    for contact in seen.contacts:
        if contact.journey:
            first[contact.journey] = min(contact.at, first.get(contact.journey, contact.at))
    for journey, end in ends:
        if end is not None and journey.name in first:
            wait = (end - first[journey.name]).total_seconds()
            yield _matter(journey, end, amount=int(wait))


def done_after(seen: Seen) -> Iterator[Case]:
    """Yield the matters whose work was done, with the seconds since their first contact."""
    return _since_first(seen, ((one, one.done_at) for one in seen.journeys))


def resolved_after(seen: Seen) -> Iterator[Case]:
    """Yield the matters that work again, with the seconds since their first contact."""
    return _since_first(seen, ((one, one.resolved_at) for one in seen.journeys))


def _in_turn(turn: Turn, seen: Seen) -> Iterator[Case]:
    for journey in seen.journeys:
        end = journey.resolved_at
        if end is None:
            continue
        steps = [*journey.turns, (end, turn)]
        spent = timedelta()
        for (start, whose), (until, _next) in pairwise(steps):
            if whose == turn:
                spent += max(timedelta(), min(until, end) - start)
        if spent:
            yield _matter(journey, end, amount=int(spent.total_seconds()))


def turn_supplier(seen: Seen) -> Iterator[Case]:
    """Yield the matters that work again, with the time that was the supplier's turn."""
    return _in_turn(Turn.SUPPLIER, seen)


def turn_owner(seen: Seen) -> Iterator[Case]:
    """Yield the matters that work again, with the time that was the owner's turn."""
    return _in_turn(Turn.OWNER, seen)


def turn_third(seen: Seen) -> Iterator[Case]:
    """Yield the matters that work again, with the time that was a third party's turn."""
    return _in_turn(Turn.THIRD, seen)


def _priced(seen: Seen) -> Iterator[tuple[SeenJourney, datetime, Decimal, Decimal]]:
    for one in seen.journeys:
        if one.quoted is not None and one.paid is not None and one.paid_at is not None:
            yield one, one.paid_at, one.quoted, one.paid


def quoted(seen: Seen) -> Iterator[Case]:
    """Yield the matters that were quoted and paid, with the price first named."""
    return (_matter(one, at, amount=float(price)) for one, at, price, _paid in _priced(seen))


def paid(seen: Seen) -> Iterator[Case]:
    """Yield the same with what was paid; the part cost no more than was quoted."""
    for one, at, price, cost in _priced(seen):
        yield _matter(one, at, amount=float(cost), is_part=cost <= price)


COUNTED = {
    "contacts_received": received,
    "contacts_made": made,
    "notifications": told,
    "interrupts": interrupts,
    "absorbed": absorbed,
    "false_absorptions": falsely,
    "held": held,
    "channel_respect": respected,
    "asks": asks,
    "re_asks": re_asks,
    "repeat_contacts": repeats,
    "transfers": transfers,
    "channel_hops": hops,
    "replies_s": replies,
    "attention_baseline_s": baseline,
    "attention_shown_s": shown,
    "own_calls_s": own_calls,
    "promises": promises,
    "visits_moved": moved,
    "waited_s": waited,
    "surveys_requested": surveys_requested,
    "surveys_shown": surveys_shown,
    "journeys_closed": closed,
    "fixed_first": fixed_first,
    "work_done_after_s": done_after,
    "resolved_after_s": resolved_after,
    "turn_supplier_s": turn_supplier,
    "turn_owner_s": turn_owner,
    "turn_third_s": turn_third,
    "quoted": quoted,
    "paid": paid,
}
# Every name under which there are cases.
NAMES = (*COUNTED, "attention_saved_s")


# --- small sums --------------------------------------------------------------------------


def share(part: int, whole: int, *, digits: int = 2) -> float:
    """Return part of whole, rounded; nothing of nothing is 0."""
    return round(part / whole, digits) if whole else 0.0


def nine_of_ten(hours: Sequence[float]) -> float | None:
    """Return within how many hours nine of ten came; one speaks for itself."""
    if not hours:
        return None
    return round(quantiles(hours, n=10, method="inclusive")[-1] if len(hours) > 1 else hours[0], 1)


def effort(
    *,
    repeat_contacts: int,
    re_asks: int,
    transfers: int,
    channel_hops: int,
    minutes: float,
    broken_promises: int,
    surveys_shown: int,
) -> int:
    """Return the owner's effort; see `band`."""
    return (
        3 * repeat_contacts
        + 2 * re_asks
        + 2 * transfers
        + channel_hops
        + int(minutes // EFFORT_STEP_MIN)
        + 4 * broken_promises
        + surveys_shown
    )


def band(burden: int) -> str:
    """Return how hard an effort was: easy, some, hard or very_hard."""
    return next((name for most, name in BANDS if burden <= most), HARDEST)
