"""When care is due: against an oracle that walks day by day and knows none of the rules' code."""

import calendar
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets import care
from assets.care import (
    Act,
    ByMeter,
    Calendar,
    Condition,
    Event,
    History,
    Mark,
    Meter,
    Plan,
    Reading,
)
from assets.care_words import CareStatus, Combinator, MarkKind, MeterKind

DAY = timedelta(days=1)
START = date(2024, 1, 31)
UNTIL = date(2034, 12, 31)


# --- the oracle --------------------------------------------------------------------------


def months_on(anchor: date, months: int) -> date:
    """Count months: the same day, or the last that the month has."""
    years, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month + 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


def interval_on(anchor: date, unit: str, count: int) -> date:
    if unit == "day":
        return anchor + count * DAY
    if unit == "week":
        return anchor + 7 * count * DAY
    return months_on(anchor, count * (12 if unit == "year" else 1))


def every_day_of(trigger: Calendar, anchor: date, season: frozenset[int]) -> list[date]:
    """List all days of a fixed rhythm to the end of the ten years, and a little beyond."""
    found, times = [], 0
    end = 2400 if trigger.unit == "year" or trigger.every > 11 else 2060
    while (day := interval_on(anchor, trigger.unit, times * trigger.every)).year < end:
        if not season or day.month in season:
            found.append(day)
        times += 1
    return found


def fixed_due(
    days: Sequence[date], acts: Sequence[Act], begin: date
) -> tuple[date | None, list[date]]:
    """Cross off what was done on a list of days; return the next one, and all still open."""
    first = min([begin, *(act.on for act in acts)])
    still_open = [day for day in days if day >= first]
    for act in sorted(acts, key=lambda act: (act.on, act.is_skip)):
        late = [day for day in still_open if day <= act.on]
        if late:
            still_open = [day for day in still_open if day > act.on]
            continue
        if not still_open:
            continue
        coming = still_open[0]
        where = days.index(coming)
        whole = (coming - days[where - 1]) if where else (days[where + 1] - coming)
        if where and days[where - 1] > act.on:
            # Done ahead more than once: measured from the last one before that day.
            before = [day for day in days if day <= act.on]
            whole = (coming - before[-1]) if before else days[where + 1] - coming
        if act.is_skip or (coming - act.on) * 2 <= whole:
            still_open.pop(0)
    return (still_open[0] if still_open else None), still_open


def floating_due(
    trigger: Calendar, acts: Sequence[Act], begin: date, season: frozenset[int]
) -> date:
    """Walk from act to act, and then day by day into the season."""

    def due_of(anchor: date, times: int) -> date:
        day = interval_on(anchor, trigger.unit, times * trigger.every)
        while season and day.month not in season:
            day += DAY
        return day

    anchor, times = begin, 1
    for act in sorted(acts, key=lambda act: (act.on, act.is_skip)):
        if act.is_skip and act.on <= due_of(anchor, times):
            times += 1
        else:
            anchor, times = act.on, 1
    return due_of(anchor, times)


def status_of(due: date | None, today: date, lead: int) -> CareStatus:
    if due is None:
        return CareStatus.OK
    if today > due:
        return CareStatus.OVERDUE
    if today == due:
        return CareStatus.DUE
    return CareStatus.DUE_SOON if due - lead * DAY <= today else CareStatus.OK


# --- what is drawn -----------------------------------------------------------------------

in_ten_years = st.dates(START, UNTIL)
acts = st.lists(st.builds(Act, on=in_ten_years, is_skip=st.booleans()), max_size=12)
seasons = st.sampled_from(
    [frozenset(), frozenset({4, 5, 6, 7, 8, 9, 10}), frozenset({12, 1, 2}), frozenset({10})]
)
calendars = st.builds(
    Calendar,
    every=st.sampled_from([1, 2, 3, 5, 6, 12, 18]),
    unit=st.sampled_from(["week", "month", "year"]),
    mode=st.just("fixed"),
    anchor=st.sampled_from(
        [START, date(2024, 2, 29), date(2024, 3, 30), date(2025, 8, 31), date(2024, 10, 1)]
    ),
)


@pytest.mark.parametrize("every", range(1, 13))
def test_month_ends_are_counted_from_the_anchor_for_ten_years(every: int) -> None:
    for year in (2023, 2024):
        for month in range(1, 13):
            for day in range(28, calendar.monthrange(year, month)[1] + 1):
                anchor = date(year, month, day)
                trigger = Calendar(every=every, unit="month", mode="fixed", anchor=anchor)
                plan = Plan(triggers=(trigger,), added_on=anchor)
                for times in range(120 // every):
                    due = months_on(anchor, every * times)
                    found = care.stand(plan, History(acts=_crossed_off(anchor, due)), due)
                    assert (found.due_on, found.status) == (due, CareStatus.DUE)


def _crossed_off(anchor: date, due: date) -> tuple[Act, ...]:
    """Everything before a day was done the day before it falls due again."""
    return (Act(on=due - timedelta(days=16)),) if due - timedelta(days=16) >= anchor else ()


def test_the_31st_comes_back_after_february() -> None:
    plan = Plan(
        triggers=(Calendar(mode="fixed", anchor=date(2026, 1, 31)),), added_on=date(2026, 1, 1)
    )
    done = (Act(on=date(2026, 1, 31)), Act(on=date(2026, 2, 28)))
    assert care.stand(plan, History(acts=done[:1]), date(2026, 2, 1)).due_on == date(2026, 2, 28)
    assert care.stand(plan, History(acts=done), date(2026, 3, 1)).due_on == date(2026, 3, 31)


@settings(max_examples=60)
@given(calendars, acts, seasons, in_ten_years, st.integers(0, 40))
def test_a_fixed_rhythm_is_what_a_list_of_days_says(
    trigger: Calendar, acts: list[Act], season: frozenset[int], today: date, lead: int
) -> None:
    plan = Plan(triggers=(trigger,), added_on=START, season=season, lead_days=lead)
    days = every_day_of(trigger, trigger.anchor or START, season)
    if len(days) < 3:
        return  # too few days in this season to say what lies between them
    due, still_open = fixed_due(days, acts, START)
    found = care.stand(plan, History(acts=tuple(acts)), today)
    assert (found.due_on, found.status) == (due, status_of(due, today, lead))
    assert found.missed == max(len([day for day in still_open if day <= today]) - 1, 0)


@settings(max_examples=60)
@given(calendars, acts, seasons, in_ten_years, st.integers(0, 40))
@example(Calendar(every=1, unit="month"), [Act(on=date(2026, 1, 31))], frozenset(), START, 3)
def test_a_floating_rhythm_is_what_walking_says(
    trigger: Calendar, acts: list[Act], season: frozenset[int], today: date, lead: int
) -> None:
    trigger = replace(trigger, mode="floating", anchor=None)
    plan = Plan(triggers=(trigger,), added_on=START, season=season, lead_days=lead)
    history = History(acts=tuple(acts), in_service_on=START)
    due = floating_due(trigger, acts, START, season)
    found = care.stand(plan, history, today)
    assert (found.due_on, found.status) == (due, status_of(due, today, lead))


@settings(max_examples=40)
@given(st.lists(calendars, min_size=1, max_size=3), acts, in_ten_years, st.data())
def test_any_is_the_first_and_all_is_the_last(
    triggers: list[Calendar], acts: list[Act], today: date, data: st.DataObject
) -> None:
    plans = [Plan(triggers=(trigger,), added_on=START) for trigger in triggers]
    history = History(acts=tuple(acts))
    alone = [care.stand(plan, history, today) for plan in plans]
    whole = Plan(triggers=tuple(triggers), added_on=START)
    first = care.stand(whole, history, today)
    last = care.stand(replace(whole, combinator=Combinator.ALL), history, today)
    dues = [one.due_on or date.max for one in alone]
    ranks = [care.ORDER.index(one.status) for one in alone]
    assert first.due_on == min(dues)
    assert last.due_on == max(dues)
    assert care.ORDER.index(first.status) == max(ranks)
    assert care.ORDER.index(last.status) == min(ranks)


@settings(max_examples=40)
@given(calendars, acts, in_ten_years, st.integers(0, 30))
def test_nothing_changes_before_the_day_it_says(
    trigger: Calendar, acts: list[Act], today: date, lead: int
) -> None:
    plan = Plan(triggers=(trigger,), added_on=START, lead_days=lead)
    history = History(acts=tuple(act for act in acts if act.on <= today))
    found = care.stand(plan, history, today)
    end = min(found.turns_on or date.max, today + timedelta(days=400))
    day = today
    while day < end:
        later = care.stand(plan, history, day)
        assert replace(later, turns_on=None) == replace(found, turns_on=None)
        day += timedelta(days=7)
    assert replace(care.stand(plan, history, end - DAY), turns_on=None) == replace(
        found, turns_on=None
    )


@settings(max_examples=40)
@given(calendars, st.lists(st.builds(Act, on=in_ten_years), max_size=8), in_ten_years, st.randoms())
def test_the_order_in_which_work_is_written_down_does_not_matter(
    trigger: Calendar, acts: list[Act], today: date, random: object
) -> None:
    plan = Plan(triggers=(trigger,), added_on=START)
    mixed = list(acts)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # a random.Random
    assert care.stand(plan, History(acts=tuple(acts)), today) == care.stand(
        plan, History(acts=tuple(mixed)), today
    )


# --- early, late, missed, moved ----------------------------------------------------------

OCTOBER = Plan(
    triggers=(Calendar(every=1, unit="year", mode="fixed", anchor=date(2026, 10, 1)),),
    added_on=date(2026, 7, 1),
)


def due(plan: Plan, today: date, *acts: Act, **more: object) -> date | None:
    return care.stand(plan, History(acts=acts, **more), today).due_on  # type: ignore[arg-type]


def test_early_within_half_an_interval_counts_and_moves_nothing() -> None:
    early = Act(on=date(2027, 5, 1))
    done = Act(on=date(2026, 10, 5))
    assert due(OCTOBER, date(2027, 6, 1), done, early) == date(2028, 10, 1)


def test_more_than_half_an_interval_early_is_one_more() -> None:
    done, extra = Act(on=date(2026, 10, 5)), Act(on=date(2027, 3, 1))
    assert due(OCTOBER, date(2027, 6, 1), done, extra) == date(2027, 10, 1)
    found = care.stand(OCTOBER, History(acts=(done, extra)), date(2027, 6, 1))
    assert found.occurrence == "2026-10-05"


def test_missed_ones_are_one_overdue_item() -> None:
    found = care.stand(OCTOBER, History(), date(2029, 1, 1))
    assert (found.status, found.due_on, found.missed) == (
        CareStatus.OVERDUE,
        date(2026, 10, 1),
        2,
    )
    assert due(OCTOBER, date(2029, 1, 2), Act(on=date(2029, 1, 1))) == date(2029, 10, 1)


def test_a_later_day_that_was_asked_for_counts_for_the_one_that_was_moved() -> None:
    moved = Mark(kind=MarkKind.RESCHEDULE, occurrence="", until=date(2026, 7, 10))
    history = History(marks=(moved,), acts=(Act(on=date(2026, 7, 10)),))
    assert care.stand(OCTOBER, History(marks=(moved,)), date(2026, 7, 2)).due_on == moved.until
    assert care.stand(OCTOBER, history, date(2026, 7, 11)).due_on == date(2027, 10, 1)


def test_put_off_is_quiet_until_that_day_and_due_all_the_same() -> None:
    off = Mark(kind=MarkKind.SNOOZE, occurrence="", until=date(2026, 10, 20))
    history = History(marks=(off,))
    found = care.stand(OCTOBER, history, date(2026, 10, 5))
    assert (found.status, found.quiet_until) == (CareStatus.OVERDUE, off.until)
    assert care.stand(OCTOBER, history, date(2026, 10, 20)).quiet_until is None


def test_without_a_last_time_nothing_is_said_to_be_due() -> None:
    plan = Plan(triggers=(Calendar(every=6),), added_on=date(2026, 1, 1))
    assert care.stand(plan, History(), date(2030, 1, 1)).status == CareStatus.UNKNOWN
    known = replace(plan, last_done_on=date(2029, 8, 31))
    assert due(known, date(2030, 1, 1)) == date(2030, 2, 28)


def test_a_rule_says_what_an_interval_cannot() -> None:
    first_monday = Calendar(mode="fixed", anchor=date(2026, 1, 1), rule="FREQ=MONTHLY;BYDAY=1MO")
    plan = Plan(triggers=(first_monday,), added_on=date(2026, 1, 1))
    assert due(plan, date(2026, 1, 2)) == date(2026, 1, 5)
    assert due(plan, date(2026, 1, 6), Act(on=date(2026, 1, 5))) == date(2026, 2, 2)


# --- meters ------------------------------------------------------------------------------


def km(*readings: tuple[date, int], swaps: tuple[care.Swap, ...] = ()) -> dict[str, Meter]:
    shown = tuple(Reading(on=day, value=Decimal(value)) for day, value in readings)
    return {"km": Meter(readings=shown, swaps=swaps)}


BY_KM = ByMeter(meter="km", every=Decimal(15000))
OIL = Plan(triggers=(BY_KM, Calendar(every=1, unit="year")), added_on=date(2026, 1, 1))
BOUGHT = date(2026, 1, 1)


def test_exactly_at_the_count_is_due() -> None:
    plan = replace(OIL, triggers=(BY_KM,))
    history = History(meters=km((BOUGHT, 0), (date(2026, 6, 1), 15000)))
    found = care.stand(plan, history, date(2026, 6, 1))
    assert (found.status, found.due_at) == (CareStatus.DUE, Decimal(15000))
    before = History(meters=km((BOUGHT, 0), (date(2026, 6, 1), 14999)))
    assert care.stand(plan, before, date(2026, 6, 1)).status == CareStatus.DUE_SOON


def test_the_day_is_foretold_from_use_and_said_to_be_an_estimate() -> None:
    plan = replace(OIL, triggers=(BY_KM,))
    history = History(meters=km((BOUGHT, 0), (BOUGHT + 50 * DAY, 5000)))
    found = care.stand(plan, history, BOUGHT + 60 * DAY)
    assert (found.due_on, found.is_estimate) == (BOUGHT + 150 * DAY, True)


def test_two_readings_within_a_fortnight_foretell_nothing() -> None:
    plan = replace(OIL, triggers=(BY_KM,))
    history = History(meters=km((BOUGHT, 0), (BOUGHT + 13 * DAY, 5000)))
    assert care.stand(plan, history, BOUGHT + 20 * DAY).due_on is None


def test_work_goes_on_from_its_own_reading_not_from_the_latest() -> None:
    plan = replace(OIL, triggers=(BY_KM,))
    meters = km((BOUGHT, 0), (date(2026, 5, 1), 14000), (date(2026, 7, 1), 20000))
    act = Act(on=date(2026, 5, 1), values={"km": Decimal(14000)})
    found = care.stand(plan, History(acts=(act,), meters=meters), date(2026, 7, 2))
    assert found.due_at == 29000


def test_a_new_meter_goes_on_counting_and_is_no_service() -> None:
    swap = care.Swap(on=date(2026, 4, 1), last_old=Decimal(9000))
    meters = km((BOUGHT, 0), (date(2026, 4, 1), 9000), (date(2026, 8, 1), 7000), swaps=(swap,))
    history = History(meters=meters, in_service_on=BOUGHT)
    found = care.stand(OIL, history, date(2026, 8, 2))
    assert (found.status, found.due_at) == (CareStatus.OVERDUE, Decimal(15000))
    alone = replace(OIL, triggers=OIL.triggers[1:])
    assert care.stand(alone, history, date(2026, 8, 2)).due_on == date(2027, 1, 1)


def test_a_meter_that_passes_its_last_digit_goes_on_counting() -> None:
    rolled = care.Swap(on=date(2026, 3, 1), last_old=Decimal(100000), first_new=Decimal(0))
    meter = Meter(
        readings=(
            Reading(on=BOUGHT, value=Decimal(99000)),
            Reading(on=date(2026, 3, 1), value=Decimal(500)),
        ),
        swaps=(rolled,),
    )
    assert [reading.value for reading in meter.counts] == [99000, 100500]


def test_without_a_reading_the_calendar_half_decides_alone() -> None:
    history = History(in_service_on=BOUGHT)
    for combinator in Combinator:
        plan = replace(OIL, combinator=combinator)
        assert care.stand(plan, history, date(2026, 2, 1)).due_on == date(2027, 1, 1)


def test_a_lower_reading_contradicts_the_one_before_and_the_one_after() -> None:
    meter = km((BOUGHT, 1000), (date(2026, 5, 1), 5000))["km"]
    assert care.contradicts(meter, Reading(on=date(2026, 6, 1), value=Decimal(4000)))
    assert care.contradicts(meter, Reading(on=date(2026, 3, 1), value=Decimal(6000)))
    assert care.contradicts(meter, Reading(on=date(2026, 3, 1), value=Decimal(3000))) is None


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.booleans()), min_size=1, max_size=12),
    st.integers(500, 20000),
    st.integers(0, 20000),
)
def test_a_fixed_row_of_counts_is_what_a_list_says(
    steps: list[tuple[int, bool]], every: int, anchor: int
) -> None:
    """Cross off the counts of a list, one reading after the other."""
    row = [anchor + times * every for times in range(200)]
    readings, acts, count = [], [], 0
    still_open: list[int] | None = None
    for index, (step, is_done) in enumerate(steps):
        count, day = count + step, BOUGHT + index * DAY
        readings.append((day, count))
        if still_open is None:
            still_open = [value for value in row if value > count]
        if not is_done:
            continue
        acts.append(Act(on=day, values={"km": Decimal(count)}))
        if still_open[0] <= count:
            still_open = [value for value in still_open if value > count]
        elif (still_open[0] - count) * 2 <= every:
            still_open.pop(0)
    trigger = ByMeter(meter="km", every=Decimal(every), mode="fixed", anchor=Decimal(anchor))
    plan = Plan(triggers=(trigger,), added_on=BOUGHT)
    found = care.stand(plan, History(acts=tuple(acts), meters=km(*readings)), BOUGHT + 30 * DAY)
    assert still_open is not None
    assert found.due_at == still_open[0]
    assert (found.status in (CareStatus.DUE, CareStatus.OVERDUE)) == (count >= still_open[0])


# --- conditions and events ---------------------------------------------------------------


def test_a_condition_has_to_hold() -> None:
    trigger = Condition(meter="bar", compare="<", value=Decimal("1.0"), hold_days=3)
    plan = Plan(triggers=(trigger,), added_on=BOUGHT)

    def status(*values: str) -> CareStatus:
        readings = tuple(
            Reading(on=BOUGHT + index * DAY, value=Decimal(value))
            for index, value in enumerate(values)
        )
        meters = {"bar": Meter(kind=MeterKind.GAUGE, readings=readings)}
        return care.stand(plan, History(meters=meters), BOUGHT + 9 * DAY).status

    assert status("1.4", "0.9", "1.2") == CareStatus.OK
    assert status("1.4", "0.9", "0.8") == CareStatus.DUE


def test_an_event_calls_until_it_is_dealt_with() -> None:
    plan = Plan(triggers=(Event(event="recall"),), added_on=BOUGHT)
    events = (("recall", date(2026, 3, 1)), ("other", date(2026, 2, 1)))
    assert care.stand(plan, History(), date(2026, 3, 2)).status == CareStatus.OK
    called = care.stand(plan, History(events=events), date(2026, 3, 2))
    assert (called.status, called.due_on) == (CareStatus.DUE, date(2026, 3, 1))
    done = History(events=events, acts=(Act(on=date(2026, 3, 1)),))
    assert care.stand(plan, done, date(2026, 3, 2)).status == CareStatus.OK


def test_the_start_of_the_season_calls_every_year() -> None:
    plan = Plan(
        triggers=(Event(event="season_start"),),
        added_on=date(2026, 1, 10),
        season=frozenset({10, 11, 12, 1, 2}),
    )
    assert due(plan, date(2026, 2, 1)) == date(2026, 10, 1)
    assert due(plan, date(2026, 10, 9), Act(on=date(2026, 10, 5))) == date(2027, 10, 1)


def test_a_task_that_rests_is_paused_whatever_is_due() -> None:
    resting = replace(OCTOBER, is_resting=True)
    assert care.stand(resting, History(), date(2030, 1, 1)).status == CareStatus.PAUSED
