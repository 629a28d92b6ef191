"""Calendar messages (RFC 5546): each method its effect, in any order, and twice as once."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.matter import Decided, Entry, Matter, Slot, window_key
from notifications.merging import fold
from owners.choices import Trust
from suppliers import itip
from suppliers.choices import Outcome, Stage
from suppliers.contacts import Key, Visit, Window
from suppliers.itip import Effect, Held
from tests.rules.said import AFTERNOON, MORNING, NORDVARME, at, entry, invite, mail, window

EVENING = window("13 18:00", "13 20:00")
NEXT_WEEK = window("20 08:00", "20 12:00")


def calendar(
    name: str,
    when: str,
    method: str,
    span=None,
    *,
    sequence: int = 0,
    stamped: str = "",
    instance: str = "",
    is_range: bool = False,
    zone: str = "",
    **said,
) -> Entry:
    """One calendar message of Skyline by authenticated mail."""
    visit = Visit(
        window=None if method in itip.TALK else span,
        proposed=span if method == itip.COUNTER else None,
        stage=said.pop("stage", None)
        or (
            Stage.CANCELLED
            if method == itip.CANCEL
            else Stage.ASKED
            if method in itip.TALK
            else Stage.BOOKED
        ),
        uid="job-1",
        recurrence_id=instance,
        is_range=is_range,
        zone=zone,
        sequence=sequence,
        dtstamp=at(stamped or when),
        method=method,
        organizer="visits@skyline.example",
    )
    return entry(name, when, visit=visit, keys=(Key(scheme="uid", value="job-1"),), **said)


def folded(entries, decisions=(), now="14 12:00") -> Matter:
    return fold(entries, decisions, currency="USD", now=at(now))


def held_by(sequence: int, when: str, span=MORNING, **more) -> Held:
    return Held(version=(sequence, at(when)), window=span, **more)


def message(method: str, sequence: int, when: str, span=MORNING) -> Visit:
    said = calendar("x", when, method, span, sequence=sequence).said.visit
    assert said is not None
    return said


@pytest.mark.parametrize(
    ("visit", "held", "expected"),
    [
        (message("REQUEST", 0, "10 08:00"), Held(), Effect.APPLIES),
        (message("REQUEST", 1, "10 09:00"), held_by(0, "10 08:00"), Effect.APPLIES),
        (message("REQUEST", 0, "10 09:00"), held_by(0, "10 08:00"), Effect.APPLIES),
        (message("REQUEST", 0, "10 09:00"), held_by(1, "10 08:00"), Effect.HISTORY),
        (message("REQUEST", 1, "10 07:00"), held_by(1, "10 08:00"), Effect.HISTORY),
        (message("REQUEST", 0, "10 08:00"), held_by(0, "10 08:00"), Effect.AGAIN),
        (message("REQUEST", 0, "10 08:00", AFTERNOON), held_by(0, "10 08:00"), Effect.CONTRADICTS),
        (message("PUBLISH", 2, "10 08:00"), held_by(1, "10 09:00"), Effect.APPLIES),
        (message("ADD", 1, "10 08:00"), held_by(0, "10 08:00"), Effect.APPLIES),
        (message("CANCEL", 0, "10 08:00"), held_by(0, "10 08:00"), Effect.APPLIES),
        (
            message("CANCEL", 0, "10 08:00"),
            held_by(0, "10 08:00", is_cancelled=True),
            Effect.AGAIN,
        ),
        (
            message("REQUEST", 0, "10 08:00"),
            held_by(0, "10 08:00", is_cancelled=True),
            Effect.HISTORY,
        ),
        (message("CANCEL", 0, "10 08:00"), held_by(1, "10 09:00"), Effect.HISTORY),
        # One of a series that was cancelled as a whole since.
        (message("REQUEST", 1, "10 08:00"), Held(ended=(2, at("10 09:00"))), Effect.HISTORY),
        (message("REQUEST", 3, "10 10:00"), Held(ended=(2, at("10 09:00"))), Effect.APPLIES),
        # Talk carries the SEQUENCE of what it is about.
        (message("COUNTER", 0, "10 10:00"), held_by(0, "10 08:00"), Effect.PROPOSES),
        (message("COUNTER", 0, "10 10:00"), held_by(1, "10 08:00"), Effect.HISTORY),
        (message("DECLINECOUNTER", 1, "10 07:00"), held_by(1, "10 08:00"), Effect.STANDS),
        (message("REFRESH", 0, "10 10:00"), held_by(0, "10 08:00"), Effect.RESEND),
        (message("REPLY", 0, "10 10:00"), held_by(0, "10 08:00"), Effect.ANSWERS),
        (message("REPLY", 0, "10 10:00"), held_by(1, "10 08:00"), Effect.HISTORY),
    ],
)
def test_a_message_has_one_effect(visit: Visit, held: Held, expected: Effect) -> None:
    assert itip.effect(visit, held) == expected


def test_what_has_no_number_is_left_to_other_rules() -> None:
    assert itip.effect(Visit(window=MORNING), held_by(3, "10 08:00")) == Effect.APPLIES


# -- in the matter ---------------------------------------------------------------------

REQUEST = calendar("a", "10 08:00", "REQUEST", MORNING)


def accept(when: str, **data) -> Decided:
    return Decided(id="d", name="accept", at=at(when), data=data)


def test_a_moved_request_voids_the_yes_to_the_old_time() -> None:
    yes = [accept("10 09:00")]
    moved = calendar("b", "11 08:00", "REQUEST", AFTERNOON, sequence=1)
    again = calendar("b", "11 08:00", "REQUEST", MORNING, sequence=1)
    assert "slot:job-1" in folded([REQUEST], yes).confirmed
    assert "slot:job-1" in folded([REQUEST, again], yes).confirmed
    assert "slot:job-1" not in folded([REQUEST, moved], yes).confirmed


def test_a_moved_request_voids_the_no_to_the_old_time() -> None:
    no = [Decided(id="d", name="decline", at=at("10 09:00"))]
    moved = calendar("b", "11 08:00", "REQUEST", AFTERNOON, sequence=1)
    assert not folded([REQUEST], no).live_slots
    assert folded([REQUEST, moved], no).live_slots[0].span == AFTERNOON


def test_one_of_a_series_never_drops_the_series() -> None:
    one = calendar(
        "b", "11 08:00", "REQUEST", NEXT_WEEK, sequence=1, instance=at("19 08:00").isoformat()
    )
    matter = folded([REQUEST, one])
    assert [(slot.recurrence_id != "", slot.span) for slot in matter.slots] == [
        (False, MORNING),
        (True, NEXT_WEEK),
    ]
    cancelled = calendar("c", "12 08:00", "CANCEL", sequence=2, instance=at("19 08:00").isoformat())
    assert [slot.span for slot in folded([REQUEST, one, cancelled]).live_slots] == [MORNING]


def test_cancelling_the_series_cancels_each_one_of_it() -> None:
    one = calendar(
        "b", "11 08:00", "REQUEST", NEXT_WEEK, sequence=1, instance=at("19 08:00").isoformat()
    )
    whole = calendar("c", "12 08:00", "CANCEL", sequence=2)
    newer = replace(
        calendar(
            "d", "12 09:00", "REQUEST", EVENING, sequence=3, instance=at("26 08:00").isoformat()
        )
    )
    matter = folded([REQUEST, one, whole])
    assert {slot.stage for slot in matter.slots} == {Stage.CANCELLED}
    assert [slot.span for slot in folded([REQUEST, one, whole, newer]).live_slots] == [EVENING]


def test_one_more_of_a_series_is_a_visit_of_its_own() -> None:
    start = NEXT_WEEK.start.isoformat()
    more = calendar("b", "11 08:00", "ADD", NEXT_WEEK, sequence=1, instance=start)
    matter = folded([REQUEST, more, replace(more, id="b2")])
    assert [slot.span for slot in matter.live_slots] == [MORNING, NEXT_WEEK]
    assert matter.slots[1].series == ""  # nobody knew of it: it is told
    assert matter.verdicts["b"].reason == "visit"
    assert matter.verdicts["b2"].outcome == Outcome.ABSORBED


WEEKS = {day: window(f"{day} 08:00", f"{day} 12:00") for day in (19, 26)}


def of_series(name: str, when: str, day: int, span=None, **more) -> Entry:
    """What is said of one of a weekly series, or of it and all after it."""
    method = "REQUEST" if span else "CANCEL"
    return calendar(name, when, method, span, instance=at(f"{day} 08:00").isoformat(), **more)


ONE, NEXT = (of_series(f"s{day}", "10 09:00", day, span) for day, span in WEEKS.items())
LATER = window("19 14:00", "19 15:00")
REST = of_series("r", "11 08:00", 19, LATER, sequence=1, is_range=True)


def live_spans(*entries: Entry) -> list[Window]:
    spans = [slot.span for slot in folded(entries).live_slots if slot.span]
    return sorted(spans, key=lambda span: span.start)


def test_this_and_future_moves_all_after_it_and_none_before() -> None:
    moved = [MORNING, LATER, window("26 14:00", "26 15:00")]
    assert live_spans(REQUEST, ONE, NEXT, REST) == moved
    matter = folded([REQUEST, ONE, NEXT, REST, replace(REST, id="r2")])
    assert (matter.verdicts["r"].reason, matter.conflicts) == ("visit_moved", [])
    assert matter.verdicts["r2"].outcome == Outcome.ABSORBED
    # What was said of one of them before, and becomes known only now, moved as well.
    assert live_spans(REQUEST, REST, replace(NEXT, id="z")) == [MORNING, LATER, moved[2]]


def test_one_with_a_newer_time_of_its_own_stays_when_the_rest_moves() -> None:
    own = of_series("o", "11 09:00", 26, EVENING, sequence=2)
    assert live_spans(REQUEST, ONE, REST, own) == [MORNING, EVENING, LATER]
    early = of_series("o", "10 10:00", 26, EVENING, sequence=2)
    assert live_spans(REQUEST, ONE, early, REST) == [MORNING, EVENING, LATER]
    # The same calendar says both, whichever of them is read first.
    same = of_series("a", "11 08:00", 26, EVENING, sequence=1)
    for one, other in ((same, REST), (REST, replace(same, id="z"))):
        assert live_spans(REQUEST, one, other) == [MORNING, EVENING, LATER]


def test_cancelling_this_and_future_leaves_those_before() -> None:
    ended = of_series("c", "12 08:00", 26, sequence=2, is_range=True)
    assert live_spans(REQUEST, ONE, NEXT, ended) == [MORNING, WEEKS[19]]
    assert live_spans(REQUEST, ONE, ended, replace(NEXT, id="z")) == [MORNING, WEEKS[19]]
    again = of_series("d", "12 09:00", 26, EVENING, sequence=3)
    assert live_spans(REQUEST, ONE, NEXT, ended, again) == [MORNING, EVENING, WEEKS[19]]


def test_the_rest_of_a_series_moves_on_its_own_clock_over_a_change_of_it() -> None:
    noon = window("19 12:00", "19 13:00")
    rest = of_series("r", "11 08:00", 19, noon, sequence=1, is_range=True, zone="America/New_York")
    start = datetime(2027, 3, 18, 12, tzinfo=UTC)  # 8:00 in summer time
    assert ONE.said.visit is not None
    far = replace(
        ONE.said.visit, recurrence_id=start.isoformat(), window=Window(start=start, end=start)
    )
    matter = folded([REQUEST, ONE, rest, entry("f", "10 10:00", visit=far)])
    far_span = matter.live_slots[-1].span
    assert far_span is not None
    assert far_span.start == datetime(2027, 3, 18, 16, tzinfo=UTC)


def test_who_is_not_believed_moves_no_series() -> None:
    forged = replace(REST, id="x", trust=Trust.UNKNOWN, supplier=0)
    assert live_spans(REQUEST, ONE, NEXT, forged) == [MORNING, *WEEKS.values()]
    over = replace(of_series("c", "12 08:00", 19, sequence=2, is_range=True), trust=Trust.UNKNOWN)
    assert live_spans(REQUEST, ONE, NEXT, over) == [MORNING, *WEEKS.values()]


def test_a_proposal_moves_nothing_until_the_owner_takes_it() -> None:
    counter = calendar("b", "11 08:00", "COUNTER", AFTERNOON)
    matter = folded([REQUEST, counter])
    assert (matter.slots[0].span, list(matter.asks)) == (MORNING, ["proposal"])
    assert matter.verdicts["b"].reason == "proposal"
    key = window_key(AFTERNOON)
    taken = folded([REQUEST, counter], [accept("11 09:00", proposal=key)])
    assert (taken.slots[0].span, taken.asks, taken.conflicts) == (AFTERNOON, {}, [])
    agreed = calendar("c", "11 10:00", "REQUEST", AFTERNOON, sequence=1)
    after = folded([REQUEST, counter, agreed], [accept("11 09:00", proposal=key)])
    assert (after.slots[0].span, after.verdicts["c"].outcome) == (AFTERNOON, Outcome.ABSORBED)
    no = Decided(id="d", name="decline", at=at("11 09:00"), data={"proposal": key})
    kept = folded([REQUEST, counter], [no])
    assert (kept.live_slots[0].span, kept.asks) == (MORNING, {})


def test_only_the_newest_proposal_waits_and_a_new_time_ends_it() -> None:
    first = calendar("b", "11 08:00", "COUNTER", AFTERNOON)
    second = calendar("c", "11 09:00", "COUNTER", EVENING)
    late = calendar("e", "11 10:00", "COUNTER", AFTERNOON, stamped="11 08:00")
    proposal = folded([REQUEST, first, second, late]).slots[0].proposal
    assert proposal is not None
    assert proposal.key == window_key(EVENING)
    moved = calendar("d", "11 11:00", "REQUEST", NEXT_WEEK, sequence=1)
    ended = folded([REQUEST, first, second, moved])
    assert (ended.slots[0].proposal, ended.asks) == (None, {})


def test_a_declined_counter_leaves_what_was_booked() -> None:
    asked = [Decided(id="d", name="counter", at=at("10 09:00"))]
    no = calendar("b", "11 08:00", "DECLINECOUNTER")
    matter = folded([REQUEST, no], asked)
    assert matter.live_slots[0].span == MORNING
    assert not any(item.startswith("counter:") for item in matter.confirmed)
    assert matter.notices == {"appointment.counter_declined:job-1": "b"}
    assert folded([REQUEST, no]).verdicts["b"].outcome == Outcome.ABSORBED


def test_a_refresh_asks_the_owner_to_send_it_again_once() -> None:
    matter = folded(
        [REQUEST, calendar("b", "11 08:00", "REFRESH"), calendar("c", "11 09:00", "REFRESH")]
    )
    assert list(matter.asks) == ["resend"]
    assert matter.verdicts["c"].outcome == Outcome.ABSORBED
    assert matter.live_slots[0].span == MORNING


@pytest.mark.parametrize(
    ("answer", "stage"),
    [
        (Stage.CONFIRMED, Stage.CONFIRMED),
        (Stage.CANCELLED, Stage.CANCELLED),
        (Stage.ASKED, Stage.BOOKED),
    ],
)
def test_an_answer_to_our_invitation_is_taken_in(answer: Stage, stage: Stage) -> None:
    matter = folded([REQUEST, calendar("b", "11 08:00", "REPLY", stage=answer)])
    assert matter.slots[0].stage == stage


def test_the_same_number_with_another_time_is_a_contradiction() -> None:
    other = calendar("b", "10 08:05", "REQUEST", AFTERNOON, stamped="10 08:00")
    matter = folded([REQUEST, other, replace(REQUEST, id="c"), replace(other, id="d")])
    ((name, current, contested),) = matter.conflicts
    assert (name, {current.key, contested.key}) == (
        "window",
        {window_key(MORNING), window_key(AFTERNOON)},
    )
    settled = calendar("e", "11 08:00", "REQUEST", AFTERNOON, sequence=1)
    assert folded([REQUEST, other, settled]).conflicts == []


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "COUNTER", "ADD", "REPLY", "REFRESH"])
def test_another_supplier_changes_nothing_under_the_same_uid(method: str) -> None:
    foreign = calendar(
        "b",
        "11 08:00",
        method,
        AFTERNOON,
        sequence=9,
        supplier=NORDVARME,
        sender="visits@nordvarme.example",
    )
    matter = folded([REQUEST, foreign])
    assert [(slot.span, slot.stage) for slot in matter.live_slots] == [(MORNING, Stage.BOOKED)]
    assert matter.asks == {}
    assert matter.slots[0].order == (0, at("10 08:00"))
    assert matter.verdicts["b"].outcome == Outcome.SHOWN  # never swallowed
    # Its number does not make the real supplier's next one look old.
    real = calendar("c", "12 08:00", "REQUEST", AFTERNOON, sequence=1)
    assert folded([REQUEST, foreign, real]).live_slots[0].span == AFTERNOON


def test_the_organizer_whom_the_supplier_named_may_speak() -> None:
    from_office = replace(
        calendar("b", "11 08:00", "REQUEST", AFTERNOON, sequence=1, supplier=NORDVARME),
    )
    assert folded([REQUEST, from_office]).live_slots[0].span == AFTERNOON
    unproved = replace(from_office, trust=Trust.UNAUTHENTICATED)
    assert folded([REQUEST, unproved]).live_slots[0].span == MORNING


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "COUNTER", "DECLINECOUNTER", "REFRESH"])
def test_what_proves_nothing_never_overrides(method: str) -> None:
    weak = calendar(
        "b", "11 08:00", method, AFTERNOON, sequence=1, trust=int(Trust.UNAUTHENTICATED)
    )
    matter = folded([REQUEST, weak])
    assert [(slot.span, slot.stage) for slot in matter.live_slots] == [(MORNING, Stage.BOOKED)]
    assert matter.slots[0].proposal is None


def test_a_calendar_names_the_visit_that_words_told_of_first() -> None:
    matter = folded([mail("t", "09 08:00", MORNING), REQUEST])
    assert [(slot.uid, slot.span) for slot in matter.slots] == [("job-1", MORNING)]


# -- any order, and twice --------------------------------------------------------------

SPANS = (MORNING, AFTERNOON, EVENING, NEXT_WEEK)
INSTANCES = ("", at("20 08:00").isoformat(), at("27 08:00").isoformat())


@st.composite
def conversations(draw) -> list[Entry]:
    """What one organizer says of one UID: numbers only rise, each time with a new stamp."""
    said, sequence = [], 0
    for number in range(draw(st.integers(min_value=1, max_value=7))):
        method = draw(st.sampled_from(["REQUEST", "REQUEST", "PUBLISH", "CANCEL", "ADD"]))
        instance = draw(st.sampled_from(INSTANCES))
        if method == "ADD":
            instance = NEXT_WEEK.start.isoformat()
        if method in ("CANCEL", "ADD") or draw(st.booleans()):
            sequence += 1
        span = None if method == "CANCEL" else draw(st.sampled_from(SPANS))
        stamp = f"10 08:{number:02d}"
        said.append(
            calendar(
                f"m{number}", stamp, method, span, sequence=sequence, stamped=stamp,
                instance=instance,
            )
        )  # fmt: skip
    return said


def final(matter: Matter) -> list[tuple[str, object, Stage]]:
    """What the calendars come to; what is over has only its standing."""

    def row(slot: Slot) -> tuple[str, object, Stage]:
        return slot.recurrence_id, slot.span if slot.is_live else None, slot.stage

    return sorted((row(slot) for slot in matter.slots if slot.is_live), key=lambda item: item[0])


@settings(max_examples=100, deadline=None)
@given(conversations(), st.integers(min_value=0, max_value=10_000))
def test_any_order_of_arrival_comes_to_the_same(said: list[Entry], seed: int) -> None:
    shuffled = said[:]
    random.Random(seed).shuffle(shuffled)
    # The senders' clocks say nothing: each is taken as said when it arrived.
    arrived = [
        replace(item, said=item.said.with_(said_at=at("11 08:00") + timedelta(minutes=number)))
        for number, item in enumerate(shuffled)
    ]
    in_order = [
        replace(item, said=item.said.with_(said_at=at("11 08:00") + timedelta(minutes=number)))
        for number, item in enumerate(said)
    ]
    assert final(folded(arrived)) == final(folded(in_order))


@settings(max_examples=80, deadline=None)
@given(conversations(), st.integers(min_value=0, max_value=10_000))
def test_twice_is_once(said: list[Entry], seed: int) -> None:
    again = [
        replace(item, id=f"{item.id}-again", said=item.said.with_(said_at=at("12 08:00")))
        for item in said
    ]
    random.Random(seed).shuffle(again)
    once, twice = folded(said), folded([*said, *again])
    assert final(twice) == final(once)
    assert {twice.verdicts[item.id].outcome for item in again} == {Outcome.ABSORBED}


def test_a_request_is_what_it_was_before_this() -> None:
    assert folded([invite("a", "12 08:00", MORNING)]).slots[0].span == MORNING
