"""When care is due: pure functions of a task, its history and a day.

A task has triggers: by calendar, by a meter, by a condition, by an event. Each follows the
acts of the history in their order (`_Follower`), so a thing that is entered late, taken
back or changed gives the same as if it had always been so. Nothing here is stored.

How templates, imports and the API write a task down: `care_specs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import Literal

from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrule, rrulestr

from assets.care_words import CareStatus, Combinator, MarkKind, MeterKind

DAY = timedelta(days=1)
FARTHEST = timedelta(days=366 * 20)  # a forecast beyond says nothing
STEPS = 1_000  # occurrences looked through for one in the season
NARROW, WIDE, LEAST = timedelta(days=90), timedelta(days=365), timedelta(days=14)
SEASON_START = "season_start"  # the event that the task's own season brings
ORDER = (CareStatus.OK, CareStatus.DUE_SOON, CareStatus.DUE, CareStatus.OVERDUE)
COMPARES: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    "=": lambda value, limit: value == limit,
    ">=": lambda value, limit: value >= limit,
    ">": lambda value, limit: value > limit,
}
# How many of the first unit one of the second is.
UNITS: dict[tuple[str, str], Decimal] = {
    ("km", "mi"): Decimal("1.609344"),
    ("l", "gal"): Decimal("3.785411784"),
    ("bar", "psi"): Decimal("0.0689475729"),
    ("m³", "ft³"): Decimal("0.028316846592"),
    ("kWh", "MWh"): Decimal(1000),
    ("h", "min"): Decimal(1) / Decimal(60),
}


class UnitError(ValueError):
    """A unit that measures something else."""


# --- what a task says ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Every so often: `fixed` from an anchor, `floating` from the last time, or `once`.

    `rule` (RFC 5545) says a fixed rhythm that an interval cannot; `anchor` is the first
    day of a fixed one, and the day of one that comes once.
    """

    every: int = 1
    unit: Literal["day", "week", "month", "year"] = "month"
    mode: Literal["fixed", "floating", "once"] = "floating"
    anchor: date | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByMeter:
    """Every so many units of a meter; `anchor` is where a fixed row of them begins."""

    meter: str
    every: Decimal
    mode: Literal["fixed", "floating"] = "floating"
    anchor: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """As soon as a meter has shown such values for so many days."""

    meter: str
    compare: str
    value: Decimal
    hold_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """As soon as something happens to the asset: a recall, a failed check, a season."""

    event: str


Trigger = Calendar | ByMeter | Condition | Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When one task is due, as its owner wants it."""

    triggers: tuple[Trigger, ...]
    added_on: date
    combinator: Combinator = Combinator.ANY
    season: frozenset[int] = frozenset()
    lead_days: int = 14
    lead_units: Decimal | None = None
    last_done_on: date | None = None
    last_done_at: Decimal | None = None
    is_resting: bool = False  # paused, or its asset is


# --- what happened -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """That the task was done or skipped on a day. `values` are whole counts, by meter."""

    on: date
    is_skip: bool = False
    values: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """That an occurrence was put off or moved; a later mark of its kind replaces it."""

    kind: MarkKind
    occurrence: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a meter showed on a day."""

    on: date
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """That a meter began anew: it showed `last_old`, and from then on `first_new`."""

    on: date
    last_old: Decimal
    first_new: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter with all that it showed."""

    kind: MeterKind = MeterKind.CUMULATIVE
    readings: tuple[Reading, ...] = ()
    swaps: tuple[Swap, ...] = ()

    @property
    def counts(self) -> tuple[Reading, ...]:
        """The readings as whole counts, in the order of their days."""
        swaps = sorted(self.swaps, key=lambda swap: swap.on)
        found = [
            replace(reading, value=effective(reading, swaps, kind=self.kind))
            for reading in self.readings
        ]
        return tuple(sorted(found, key=lambda reading: (reading.on, reading.value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that happened to the asset and to one task of it."""

    acts: tuple[Act, ...] = ()
    marks: tuple[Mark, ...] = ()  # in the order in which they were made
    meters: Mapping[str, Meter] = field(default_factory=dict)
    events: tuple[tuple[str, date], ...] = ()
    in_service_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a task stands on a day."""

    status: CareStatus
    due_on: date | None = None
    due_at: Decimal | None = None  # the whole count at which it is due
    is_estimate: bool = False  # the day follows from use
    meter: str = ""  # of this meter
    use: Decimal | None = None  # so much of it a day
    missed: int = 0  # fixed occurrences that passed; they are one overdue item
    occurrence: str = ""  # after which act it comes: the same until it is done or skipped
    quiet_until: date | None = None
    turns_on: date | None = None  # the next day on which time alone may change this


# --- meters --------------------------------------------------------------------------------


def effective(
    reading: Reading, swaps: Iterable[Swap], *, kind: MeterKind = MeterKind.CUMULATIVE
) -> Decimal:
    """Return the whole count: what is shown and what all meters before it counted.

    On the day of a replacement a value belongs to the meter it is nearer to.
    """
    if kind == MeterKind.GAUGE:
        return reading.value
    total = reading.value
    for swap in swaps:
        is_new = reading.on > swap.on or (
            reading.on == swap.on
            and abs(reading.value - swap.first_new) <= abs(swap.last_old - reading.value)
        )
        if is_new:
            total += swap.last_old - swap.first_new
    return total


def convert(value: Decimal, *, given: str, into: str) -> Decimal:
    """Return a value in another unit; raises UnitError for units that are not of one kind."""
    if not given or given == into:
        return value
    if (factor := UNITS.get((into, given))) is not None:
        return value * factor
    if (factor := UNITS.get((given, into))) is not None:
        return value / factor
    raise UnitError(f"{given} cannot be given as {into}.")


def contradicts(meter: Meter, reading: Reading) -> Reading | None:
    """Return the neighbour that makes this reading impossible, where the meter only counts up."""
    if meter.kind == MeterKind.GAUGE:
        return None
    swaps = sorted(meter.swaps, key=lambda swap: swap.on)
    value = effective(reading, swaps, kind=meter.kind)
    for other in sorted(meter.readings, key=lambda other: other.on, reverse=True):
        count = effective(other, swaps, kind=meter.kind)
        if (other.on < reading.on and count > value) or (other.on > reading.on and count < value):
            return other
        if other.on == reading.on and count > value:
            return other
    return None


def rate(counts: Sequence[Reading]) -> Decimal | None:
    """Return the use a day: of the last 90 days, or of the last 365 where those say nothing."""
    if not counts:
        return None
    last = counts[-1]
    for span in (NARROW, WIDE):
        first = next(reading for reading in counts if reading.on >= last.on - span)
        if last.on - first.on >= LEAST:
            use = (last.value - first.value) / (last.on - first.on).days
            return use if use > 0 else None
    return None


def forecast(counts: Sequence[Reading], due_at: Decimal) -> date | None:
    """Return the day on which a count is reached if use goes on as it does."""
    use = rate(counts)
    if use is None:
        return None
    days = ((due_at - counts[-1].value) / use).to_integral_value(rounding=ROUND_CEILING)
    if days > FARTHEST.days:
        return None
    return counts[-1].on + timedelta(days=int(days))


def _count_on(counts: Sequence[Reading], day: date) -> Decimal | None:
    """Return the last count known on a day, else the first ever known."""
    before = [reading.value for reading in counts if reading.on <= day]
    if before:
        return before[-1]
    return counts[0].value if counts else None


# --- calendars -----------------------------------------------------------------------------


def shifted(anchor: date, *, every: int, unit: str, times: int) -> date | None:
    """Return the day so many intervals from the anchor; a month that is too short ends sooner.

    Always counted from the anchor, so the 31st comes back after February. None beyond the
    calendar's end.
    """
    count = every * times
    try:
        if unit in ("day", "week"):
            return anchor + timedelta(days=count * (7 if unit == "week" else 1))
        ends: date = anchor + relativedelta(months=count * (12 if unit == "year" else 1))
        return ends
    except (OverflowError, ValueError):
        return None


def into_season(day: date, season: frozenset[int]) -> date:
    """Return the day, or the first day of the next month in which the work can be done."""
    if not season:
        return day
    while day.month not in season:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day


class _Series:
    """The days of a fixed rhythm, as far as they lie in the season."""

    def __init__(self, trigger: Calendar, *, anchor: date, season: frozenset[int]) -> None:
        self._trigger, self._anchor, self._season = trigger, anchor, season
        self._rule: rrule | None = None
        if trigger.rule:
            self._rule = _rule(trigger.rule, anchor)

    def last(self, day: date) -> date | None:
        """Return the last one up to and with `day`."""
        return self._walk(day, is_forward=False)

    def next(self, day: date) -> date | None:
        """Return the first one after `day`."""
        return self._walk(day, is_forward=True)

    def between(self, after: date, until: date) -> int:
        """Return how many lie after one day, up to and with another."""
        count, day = 0, self.next(after)
        while day is not None and day <= until:
            count += 1
            day = self.next(day)
        return count

    def _walk(self, day: date, *, is_forward: bool) -> date | None:
        if self._rule is not None:
            return self._by_rule(day, is_forward=is_forward)
        times = self._times(day) + (1 if is_forward else 0)
        for _ in range(STEPS):
            if times < 0:
                return None
            found = self._at(times)
            if found is None or not self._season or found.month in self._season:
                return found
            times += 1 if is_forward else -1
        return None

    def _by_rule(self, day: date, *, is_forward: bool) -> date | None:
        at = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a day, as dateutil takes it
        for _ in range(STEPS):
            rule = self._rule
            found = (rule.after(at) if is_forward else rule.before(at, inc=True)) if rule else None
            if found is None:
                return None
            if not self._season or found.month in self._season:
                return date(found.year, found.month, found.day)
            at = found if is_forward else found - DAY
        return None

    def _at(self, times: int) -> date | None:
        return shifted(
            self._anchor, every=self._trigger.every, unit=self._trigger.unit, times=times
        )

    def _times(self, day: date) -> int:
        """Return how many intervals after the anchor `day` has reached; -1 before it."""
        if day < self._anchor:
            return -1
        unit, every = self._trigger.unit, self._trigger.every
        if unit in ("day", "week"):
            return (day - self._anchor).days // (every * (7 if unit == "week" else 1))
        whole = (day.year - self._anchor.year) * 12 + day.month - self._anchor.month
        times = whole // (every * (12 if unit == "year" else 1))
        found = self._at(times)
        return times if found is not None and found <= day else times - 1


@cache
def _rule(text: str, anchor: date) -> rrule:
    start = datetime(anchor.year, anchor.month, anchor.day)  # noqa: DTZ001 - a day
    return rrulestr(text, dtstart=start, cache=True)


# --- following the history -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Half:
    """How one trigger stands."""

    status: CareStatus = CareStatus.OK
    due_on: date | None = None
    due_at: Decimal | None = None
    is_estimate: bool = False
    missed: int = 0
    is_known: bool = True
    meter: str = ""  # from whose use the day follows
    use: Decimal | None = None  # of it a day
    turns: tuple[date, ...] = ()

    @property
    def rank(self) -> int:
        return ORDER.index(self.status)


UNKNOWN = _Half(is_known=False)


def _by_day(due: date | None, *, today: date, lead: int) -> _Half:
    """Return how something stands that is due on a day."""
    if due is None:
        return _Half()
    soon = due - timedelta(days=lead)
    if today > due:
        status = CareStatus.OVERDUE
    elif today == due:
        status = CareStatus.DUE
    else:
        status = CareStatus.DUE_SOON if today >= soon else CareStatus.OK
    return _Half(status=status, due_on=due, turns=(soon, due, due + DAY))


def _since(begun: date, *, today: date, lead: int) -> _Half:
    """Return how something stands that nobody could foresee, since the day it came."""
    late = begun + timedelta(days=lead)
    if today < begun:
        status = CareStatus.DUE_SOON
    else:
        status = CareStatus.DUE if today <= late else CareStatus.OVERDUE
    return _Half(status=status, due_on=begun, turns=(begun, late + DAY))


class _Follower(ABC):
    """One trigger on its way through the acts of a history."""

    is_timed = True

    @abstractmethod
    def act(self, act: Act, *, is_meant: bool) -> bool:
        """Take an act; return whether it counted. `is_meant`: it was moved to this day."""

    @abstractmethod
    def stand(self, today: date) -> _Half:
        """Return how the trigger stands after all acts."""


class _Floating(_Follower):
    """So long after the last time."""

    def __init__(self, trigger: Calendar, plan: Plan, history: History) -> None:
        self._trigger, self._plan = trigger, plan
        self._anchor, self._times = history.in_service_on, 1

    def act(self, act: Act, *, is_meant: bool) -> bool:
        due = self._due()
        if act.is_skip and due is not None and act.on <= due:
            self._times += 1
        else:
            self._anchor, self._times = act.on, 1
        return True

    def stand(self, today: date) -> _Half:
        if self._anchor is None:
            return UNKNOWN
        return _by_day(self._due(), today=today, lead=self._plan.lead_days)

    def _due(self) -> date | None:
        if self._anchor is None:
            return None
        trigger = self._trigger
        day = shifted(self._anchor, every=trigger.every, unit=trigger.unit, times=self._times)
        return day and into_season(day, self._plan.season)


class _Fixed(_Follower):
    """On certain days, whenever it was done."""

    def __init__(self, trigger: Calendar, plan: Plan, history: History) -> None:
        start = max(plan.added_on, history.in_service_on or plan.added_on)
        self._plan = plan
        self._series = _Series(trigger, anchor=trigger.anchor or start, season=plan.season)
        first = min((act.on for act in _acts(plan, history)), default=start)
        self._settled = min(start, first) - DAY  # what was due up to here is settled

    def act(self, act: Act, *, is_meant: bool) -> bool:
        pending = self._series.next(self._settled)
        if pending is None:
            return False
        if pending <= act.on:  # however many were missed, they are one
            self._settled = self._series.last(act.on) or pending
            return True
        before = self._series.last(act.on)
        is_early = before is not None and (pending - act.on) * 2 > pending - before
        if before is None and not act.is_skip:  # before the first: as if there had been one
            following = self._series.next(pending)
            is_early = following is not None and (pending - act.on) * 2 > following - pending
        if is_early and not act.is_skip and not is_meant:
            return False  # one more than the plan asks
        self._settled = pending
        return True

    def stand(self, today: date) -> _Half:
        pending = self._series.next(self._settled)
        half = _by_day(pending, today=today, lead=self._plan.lead_days)
        if pending is None or pending > today:
            return half
        following = self._series.next(today)
        turns = half.turns if following is None else (*half.turns, following)
        return replace(half, missed=self._series.between(self._settled, today) - 1, turns=turns)


class _Once(_Follower):
    """On one day only."""

    def __init__(self, trigger: Calendar, plan: Plan, history: History) -> None:
        self._due, self._plan, self._is_done = trigger.anchor, plan, False

    def act(self, act: Act, *, is_meant: bool) -> bool:
        was_done, self._is_done = self._is_done, True
        return not was_done

    def stand(self, today: date) -> _Half:
        if self._is_done:
            return _Half()
        return _by_day(self._due, today=today, lead=self._plan.lead_days)


class _Counting(_Follower):
    """After so many units."""

    def __init__(self, trigger: ByMeter, plan: Plan, history: History) -> None:
        self._trigger, self._plan = trigger, plan
        self._counts = history.meters.get(trigger.meter, Meter()).counts
        self._settled = self._counts[0].value if self._counts else None

    def act(self, act: Act, *, is_meant: bool) -> bool:
        every = self._trigger.every
        value = act.values.get(self._trigger.meter)
        if value is None:
            value = _count_on(self._counts, act.on)
        if value is None:
            return False
        if self._trigger.mode == "floating":
            due = None if self._settled is None else self._settled + every
            self._settled = max(due, value) if act.is_skip and due is not None else value
            return True
        pending = self._next(value if self._settled is None else self._settled)
        if pending <= value:
            self._settled = self._next(value) - every
        elif act.is_skip or is_meant or (pending - value) * 2 <= every:
            self._settled = pending
        else:
            self._settled = value if self._settled is None else self._settled
            return False
        return True

    def stand(self, today: date) -> _Half:
        if self._settled is None or not self._counts:
            return UNKNOWN
        trigger = self._trigger
        is_floating = trigger.mode == "floating"
        due = self._settled + trigger.every if is_floating else self._next(self._settled)
        current = self._counts[-1].value
        if current >= due:
            reached = next(reading.on for reading in self._counts if reading.value >= due)
            status = CareStatus.OVERDUE if current > due else CareStatus.DUE
            return _Half(status=status, due_on=reached, due_at=due)
        expected = forecast(self._counts, due)
        lead, units = timedelta(days=self._plan.lead_days), self._plan.lead_units
        is_soon = (units is not None and due - current <= units) or (
            expected is not None and expected - lead <= today
        )
        return _Half(
            status=CareStatus.DUE_SOON if is_soon else CareStatus.OK,
            due_on=expected,
            due_at=due,
            is_estimate=expected is not None,
            meter="" if expected is None else trigger.meter,
            use=None if expected is None else rate(self._counts),
            turns=() if expected is None else (expected - lead,),
        )

    def _next(self, value: Decimal) -> Decimal:
        """Return the first count of the fixed row after `value`."""
        anchor, every = self._trigger.anchor, self._trigger.every
        return anchor + ((value - anchor) // every + 1) * every if value >= anchor else anchor


class _Condition(_Follower):
    """While a meter shows such values."""

    is_timed = False

    def __init__(self, trigger: Condition, plan: Plan, history: History) -> None:
        self._trigger, self._plan = trigger, plan
        readings = history.meters.get(trigger.meter, Meter()).readings
        self._readings = sorted(readings, key=lambda reading: reading.on)
        self._after: date | None = None

    def act(self, act: Act, *, is_meant: bool) -> bool:
        self._after = act.on
        return True

    def stand(self, today: date) -> _Half:
        holds, begun = COMPARES[self._trigger.compare], None
        for reading in self._readings:
            if self._after is not None and reading.on <= self._after:
                continue
            if not holds(reading.value, self._trigger.value):
                begun = None
            elif begun is None:
                begun = reading.on
        if begun is None:
            return _Half()
        due = begun + timedelta(days=self._trigger.hold_days)
        return _since(due, today=today, lead=self._plan.lead_days)


class _Happening(_Follower):
    """After something happened."""

    is_timed = False

    def __init__(self, trigger: Event, plan: Plan, history: History) -> None:
        self._plan, self._name = plan, trigger.event
        self._days = sorted(day for name, day in history.events if name == trigger.event)
        self._after = plan.added_on - DAY

    def act(self, act: Act, *, is_meant: bool) -> bool:
        self._after = act.on
        return True

    def stand(self, today: date) -> _Half:
        coming = None
        if self._name == SEASON_START:
            starts = _season_starts(self._plan.season, self._after, today)
            begun = next((day for day in starts if day <= today), None)
            coming = next((day for day in starts if day > today), None)
        else:
            begun = next((day for day in self._days if day > self._after), None)
        if begun is not None:
            return _since(begun, today=today, lead=self._plan.lead_days)
        return (
            _Half() if coming is None else _by_day(coming, today=today, lead=self._plan.lead_days)
        )


def _season_starts(season: frozenset[int], after: date, today: date) -> list[date]:
    """Return the first days of the season after a day, up to the first one after today."""
    firsts = sorted(month for month in season if (month - 2) % 12 + 1 not in season)
    found = []
    for year in range(after.year, today.year + 2):
        for month in firsts:
            if (day := date(year, month, 1)) > after:
                found.append(day)
                if day > today:
                    return found
    return found


def _follower(trigger: Trigger, plan: Plan, history: History) -> _Follower:
    match trigger:
        case ByMeter():
            return _Counting(trigger, plan, history)
        case Condition():
            return _Condition(trigger, plan, history)
        case Event():
            return _Happening(trigger, plan, history)
        case Calendar(mode="fixed"):
            return _Fixed(trigger, plan, history)
        case Calendar(mode="once"):
            return _Once(trigger, plan, history)
        case Calendar():
            return _Floating(trigger, plan, history)


def _acts(plan: Plan, history: History) -> list[Act]:
    """Return what was done and skipped in its order, with the time the owner remembers."""
    acts = list(history.acts)
    if plan.last_done_on is not None:
        values = {}
        if plan.last_done_at is not None:
            counted = (one.meter for one in plan.triggers if isinstance(one, ByMeter))
            values = dict.fromkeys(counted, plan.last_done_at)
        acts.append(Act(on=plan.last_done_on, values=values))
    return sorted(acts, key=lambda act: (act.on, act.is_skip))


# --- the whole -----------------------------------------------------------------------------


def stand(plan: Plan, history: History, today: date) -> Standing:
    """Return how a task stands on a day, worked out from everything that happened."""
    followers = [_follower(trigger, plan, history) for trigger in plan.triggers]
    occurrence = ""
    moved = {
        mark.occurrence: mark.until for mark in history.marks if mark.kind == MarkKind.RESCHEDULE
    }
    for act in _acts(plan, history):
        is_meant = occurrence in moved and moved[occurrence] <= act.on
        counted = [follower.act(act, is_meant=is_meant) for follower in followers]
        if any(counted):
            occurrence = act.on.isoformat()
    if plan.is_resting:
        return Standing(status=CareStatus.PAUSED, occurrence=occurrence)
    halves = [follower.stand(today) for follower in followers]
    timed = [half for half, one in zip(halves, followers, strict=True) if one.is_timed]
    known = [half for half in halves if half.is_known]
    is_lost = bool(timed) and not any(half.is_known for half in timed)
    whole = _joined(known, plan.combinator)
    if occurrence in moved:  # the owner's word beats the plan
        whole = _by_day(moved[occurrence], today=today, lead=plan.lead_days)
    elif is_lost and (plan.combinator == Combinator.ALL or whole.status == CareStatus.OK):
        return Standing(status=CareStatus.UNKNOWN, occurrence=occurrence)
    quiet = _quiet(history.marks, occurrence, today)
    turns = [day for half in [whole, *known] for day in half.turns]
    if quiet is not None:
        turns.append(quiet)
    return Standing(
        status=whole.status,
        due_on=whole.due_on,
        due_at=whole.due_at,
        is_estimate=whole.is_estimate,
        meter=whole.meter if whole.is_estimate else "",
        use=whole.use if whole.is_estimate else None,
        missed=whole.missed,
        occurrence=occurrence,
        quiet_until=quiet,
        turns_on=min((day for day in turns if day > today), default=None),
    )


def _joined(halves: Sequence[_Half], combinator: Combinator) -> _Half:
    """Return the one half that decides, with the status and the day of the whole."""
    if not halves:
        return UNKNOWN
    counts = [half.due_at for half in halves if half.due_at is not None]
    due_at = counts[0] if counts else None
    if combinator == Combinator.ANY:
        most = max(halves, key=lambda half: half.rank)
        dated = [half for half in halves if half.due_on is not None]
        first = min(dated, key=lambda half: half.due_on or date.max) if dated else most
        return replace(first, status=most.status, due_at=due_at, missed=most.missed)
    least = min(halves, key=lambda half: half.rank)
    if any(half.due_on is None for half in halves):
        return replace(least, due_on=None, is_estimate=False, due_at=due_at)
    last = max(halves, key=lambda half: half.due_on or date.min)
    return replace(last, status=least.status, due_at=due_at)


def _quiet(marks: Iterable[Mark], occurrence: str, today: date) -> date | None:
    """Return until when this occurrence is put off; None where it is not, or no longer."""
    until = None
    for mark in marks:
        if mark.kind == MarkKind.SNOOZE and mark.occurrence == occurrence:
            until = mark.until
    return until if until is not None and until > today else None
