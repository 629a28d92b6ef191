"""Whoever is trusted less never overrides silently: both sources are shown (rule 3)."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import telling, wording
from notifications.merging import CANCELLED, Decided, Matter, fold
from owners.choices import ChannelKind, Level, Trust
from owners.reach import Reach
from suppliers.choices import Outcome, Stage
from suppliers.contacts import Key, Visit
from tests.rules.said import AFTERNOON, MORNING, NEW_YORK, SKYLINE, at, entry, invite, mail, window

REACH = Reach(zone=NEW_YORK, prefers=ChannelKind.SMS, channels=(ChannelKind.SMS,))
WORDS = wording.Words(zone=NEW_YORK, now=at("11 09:00"), suppliers={SKYLINE: "Skyline TV"})
JOB = (Key(scheme="uid", value="job-1"),)


def said(name: str, when: str, trust: int, **visit):
    values = {"uid": "job-1", **visit}
    return entry(name, when, trust=trust, visit=Visit(**values), keys=JOB)


def booked(trust: int = Trust.SIGNED, **visit):
    return said("a", "10 10:00", trust, window=MORNING, **visit)


def cancelled(name: str, when: str, trust: int):
    return said(name, when, trust, stage=Stage.CANCELLED)


def folded(*entries, decisions=(), now="11 12:00") -> Matter:
    return fold(entries, decisions, currency="USD", now=at(now))


def spoken(*entries, told, when="11 09:00", decisions=()):
    matter = fold(entries, decisions, currency="USD", now=at(when))
    plan, silent = telling.plan(matter, told, reach=REACH, owner=1, now=at(when))
    return plan, silent, matter


def known(*entries) -> dict[str, str]:
    matter = folded(*entries, now="10 11:00")
    return {key: item.value for key, item in telling.items(matter, at("10 11:00")).items()}


@pytest.mark.parametrize("booker", [Trust.SIGNED, Trust.AUTHENTICATED, Trust.KNOWN_NUMBER])
@pytest.mark.parametrize("canceller", [Trust.UNKNOWN, Trust.UNAUTHENTICATED, Trust.SIGNED])
def test_only_who_is_trusted_as_much_cancels_a_visit(booker, canceller) -> None:
    matter = folded(booked(booker), cancelled("x", "11 08:00", canceller))
    (slot,) = matter.slots
    if canceller >= booker:
        assert slot.stage == Stage.CANCELLED
        assert matter.conflicts == []
        return
    assert slot.is_expected
    assert [(name, one.key, two.key) for name, one, two in matter.conflicts] == [
        ("visit", "booked", "cancelled")
    ]
    assert matter.verdicts["x"].outcome == Outcome.SHOWN
    assert matter.verdicts["x"].reason == "visit_doubted"


def test_a_doubted_visit_is_told_with_both_sources_and_a_question() -> None:
    story = booked(), cancelled("x", "11 09:00", Trust.UNAUTHENTICATED)
    plan, _silent, matter = spoken(*story, told=known(booked()))
    assert (plan.reason, plan.level, plan.because) == ("conflict", Level.INTERRUPT, ("x",))
    assert wording.text(matter, plan.changes, WORDS) == (
        "Skyline TV's booking stands (Fri 13 Nov, 08:00 to 12:00); "
        "a mail that proves nothing says it is cancelled."
    )
    assert wording.title(matter, WORDS) == "Is the visit cancelled or not?"
    (name, current, other), *_more = matter.conflicts
    assert "Which is right?" in wording.drafted_question(name, current, other, WORDS)


@pytest.mark.parametrize(
    ("settles", "stage"),
    [
        (cancelled("y", "11 10:00", Trust.SIGNED), Stage.CANCELLED),
        (
            said("y", "11 10:00", Trust.SIGNED, window=MORNING, stage=Stage.CONFIRMED),
            Stage.CONFIRMED,
        ),
    ],
)
def test_who_is_trusted_settles_a_doubted_visit(settles, stage) -> None:
    matter = folded(booked(), cancelled("x", "11 09:00", Trust.UNAUTHENTICATED), settles)
    assert matter.conflicts == []
    assert matter.slots[0].stage == stage
    assert matter.verdicts["y"].outcome == Outcome.SHOWN


@pytest.mark.parametrize(("word", "stage"), [("booked", 3), (CANCELLED, 9)])
def test_the_owners_word_settles_a_doubted_visit(word, stage) -> None:
    doubt = cancelled("x", "11 09:00", Trust.UNAUTHENTICATED)
    again = cancelled("z", "11 11:00", Trust.UNAUTHENTICATED)
    decision = Decided(
        id="d", name="correct", at=at("11 10:00"), data={"fact": "visit", "value": word}
    )
    matter = folded(booked(), doubt, again, decisions=[decision])
    assert matter.conflicts == []
    assert matter.slots[0].stage == stage
    assert matter.verdicts["z"].outcome == Outcome.ABSORBED
    later = cancelled("s", "11 11:30", Trust.SIGNED)
    assert folded(booked(), doubt, later, decisions=[decision]).slots[0].stage == Stage.CANCELLED


def test_the_same_doubt_again_is_absorbed() -> None:
    matter = folded(
        booked(),
        cancelled("x", "11 09:00", Trust.UNAUTHENTICATED),
        cancelled("y", "11 10:00", Trust.UNAUTHENTICATED),
    )
    assert matter.verdicts["y"].outcome == Outcome.ABSORBED


@pytest.mark.parametrize(("field", "name"), [("place", "place"), ("person", "person")])
@pytest.mark.parametrize("trust", [Trust.UNAUTHENTICATED, Trust.SIGNED])
def test_another_place_or_person_from_somebody_trusted_less_is_a_conflict(
    field, name, trust
) -> None:
    where: dict[str, Any] = {field: "One"}
    first = booked(**where)
    other = said("x", "11 09:00", trust, window=MORNING, **{field: "Two"})
    matter = folded(first, other)
    (slot,) = matter.slots
    if trust == Trust.SIGNED:
        assert (getattr(slot, field), matter.conflicts) == ("Two", [])
        return
    assert getattr(slot, field) == "One"
    ((fact, current, contested),) = matter.conflicts
    assert (fact, current.sources, contested.sources) == (name, ["a"], ["x"])
    assert matter.verdicts["x"].reason == f"{name}_conflict"
    plan, _silent, matter = spoken(first, other, told=known(first))
    assert plan.reason == "conflict"
    text = wording.text(matter, plan.changes, WORDS)
    assert text.endswith(
        "by Skyline TV: One, and Two. "
        "The first is from a signed message, the other from a mail that proves nothing."
    )


def test_a_place_that_goes_back_and_forth_is_a_conflict_nobody_guesses() -> None:
    said_again = [
        said("b", "11 08:00", Trust.SIGNED, place="Two"),
        said("c", "11 09:00", Trust.SIGNED, place="One"),
    ]
    matter = folded(booked(place="One"), *said_again)
    ((fact, current, other),) = matter.conflicts
    assert (fact, current.key, other.key) == ("place", "Two", "One")


@pytest.mark.parametrize(
    ("then", "holds"), [(AFTERNOON, AFTERNOON), (MORNING, MORNING), (None, MORNING)]
)
def test_a_trusted_word_settles_a_time_that_only_a_mail_contests(then, holds) -> None:
    weak = mail("x", "11 09:00", AFTERNOON, trust=Trust.UNAUTHENTICATED)
    strong = [said("y", "11 10:00", Trust.SIGNED, window=then)] if then else []
    matter = folded(booked(), weak, *strong)
    assert matter.slots[0].span == holds
    assert len(matter.conflicts) == (0 if then else 1)


def test_a_doubt_of_who_proves_nothing_hides_none_of_who_does() -> None:
    proved = said("b", "10 11:00", Trust.AUTHENTICATED, window=AFTERNOON)
    other = window("16 08:00", "16 12:00")
    unproved = said("c", "10 12:00", Trust.UNAUTHENTICATED, window=other)
    (slot,) = folded(booked(), proved, unproved).slots
    assert slot.window.contested is not None
    assert slot.window.contested.sources == ["b"]
    (slot,) = folded(booked(), replace(unproved, id="0"), replace(proved, id="d")).slots
    assert slot.window.contested is not None
    assert slot.window.contested.sources == ["d"]


def test_a_number_that_is_not_believed_does_not_make_the_next_word_old() -> None:
    forged = entry(
        "x",
        "11 08:00",
        trust=Trust.UNAUTHENTICATED,
        visit=Visit(window=AFTERNOON, uid="job-1", sequence=99, dtstamp=at("11 08:00")),
        keys=JOB,
    )
    late = window("13 14:00", "13 18:00")
    matter = folded(invite("a", "10 10:00", MORNING), forged, invite("b", "11 09:00", late))
    assert matter.slots[0].span == late
    assert matter.conflicts == []


def of_series(name: str, when: str, span, *, trust=Trust.AUTHENTICATED, stage=Stage.BOOKED):
    visit = Visit(
        window=span,
        uid="job-1",
        recurrence_id=at("20 08:00").isoformat(),
        sequence=1,
        dtstamp=at(when),
        stage=stage,
    )
    return entry(name, when, visit=visit, keys=JOB, trust=trust)


def test_one_of_a_series_that_moves_is_told_with_the_time_it_had() -> None:
    series = invite("a", "10 10:00", MORNING)
    moved = of_series("b", "11 09:00", window("21 09:00", "21 13:00"))
    plan, _silent, matter = spoken(series, moved, told=known(series))
    assert (plan.reason, plan.because) == ("moved", ("b",))
    assert matter.verdicts["b"].reason == "visit_moved"
    assert wording.text(matter, plan.changes, WORDS) == (
        "Skyline TV: the time changed to Sat 21 Nov, 09:00 to 13:00 "
        "(was Fri 20 Nov, 08:00 to 12:00)."
    )
    assert matter.slots[0].span == MORNING


def test_one_of_a_series_at_its_own_time_is_no_news_and_cancelled_is() -> None:
    series = invite("a", "10 10:00", MORNING)
    span = window("20 08:00", "20 12:00")
    same = of_series("b", "11 09:00", span)
    assert spoken(series, same, told=known(series))[0] is None
    gone = of_series("c", "11 09:00", None, stage=Stage.CANCELLED)
    assert spoken(series, gone, told=known(series))[0].reason == "cancelled"
    weak = of_series("d", "11 09:00", None, stage=Stage.CANCELLED, trust=Trust.UNAUTHENTICATED)
    assert spoken(series, weak, told=known(series))[0].reason == "conflict"


def test_the_first_of_a_series_that_moves_is_not_awaited_at_the_old_time() -> None:
    series = invite("a", "10 10:00", MORNING)
    visit = Visit(
        window=AFTERNOON, uid="job-1", recurrence_id=MORNING.start.isoformat(), sequence=1,
        dtstamp=at("11 09:00"),
    )  # fmt: skip
    matter = folded(series, entry("b", "11 09:00", visit=visit, keys=JOB))
    assert [slot.span for slot in matter.live_slots] == [AFTERNOON]
    assert not any(slot.is_overdue(MORNING.end + timedelta(hours=1)) for slot in matter.slots)


STATEMENTS = [
    booked(place="One", person="Ben"),
    cancelled("x1", "11 08:00", Trust.UNAUTHENTICATED),
    said("x2", "11 08:10", Trust.AUTHENTICATED, window=AFTERNOON, place="Two"),
    said("x3", "11 08:20", Trust.SIGNED, window=MORNING, person="Cleo"),
    said("x4", "11 08:30", Trust.KNOWN_NUMBER, place="One", stage=Stage.CANCELLED),
    of_series("x5", "11 08:40", window("21 09:00", "21 13:00")),
    cancelled("x6", "11 08:50", Trust.SIGNED),
]


@given(st.permutations(STATEMENTS), st.sets(st.sampled_from(range(len(STATEMENTS)))))
def test_any_order_of_arrival_leaves_the_same_conflicts(order, left_out) -> None:
    kept = [e for index, e in enumerate(STATEMENTS) if index not in left_out]
    assert asdict(folded(*[e for e in order if e in kept])) == asdict(folded(*kept))


@given(st.permutations(STATEMENTS), st.sampled_from(Trust))
def test_nobody_trusted_less_ever_changes_where_the_visit_is(order, trust) -> None:
    weak = [replace(e, trust=min(trust, Trust.AUTHENTICATED)) for e in order if e.id != "a"]
    times = [e for e in weak if e.said.visit is not None and not e.said.visit.recurrence_id]
    matter = folded(booked(place="One", person="Ben"), *times)
    (slot,) = matter.slots
    assert (slot.place, slot.person, slot.span) == ("One", "Ben", MORNING)
    assert slot.stage != Stage.CANCELLED
