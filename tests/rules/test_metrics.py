"""What an owner measures is counted, never judged: every formula by a table."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import metrics
from notifications.choices import PromiseState, Turn
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
from owners.choices import Level
from suppliers.choices import CallStatus, ContactKind, Direction, Medium, Outcome

DAY = datetime(2026, 11, 13, 13, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def contact(**changes: Any) -> SeenContact:
    values = {"direction": Direction.IN, "medium": Medium.EMAIL, "at": DAY, "journey": "j"}
    return SeenContact(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"medium": Medium.EMAIL}, 30),
        ({"medium": Medium.LETTER}, 60),
        ({"medium": Medium.SMS}, 10),
        ({"medium": Medium.NONE}, 20),
        ({"medium": Medium.VOICEMAIL, "duration_s": 22}, 52),
        ({"medium": Medium.CALL, "status": CallStatus.ANSWERED, "duration_s": 95}, 95),
        ({"medium": Medium.CALL, "status": CallStatus.DROPPED, "duration_s": 3}, 20),
        ({"medium": Medium.CALL, "status": CallStatus.MISSED}, 20),
        ({"medium": Medium.EMAIL, "kind": ContactKind.SURVEY_REQUEST}, 20),
    ],
)
def test_a_contact_weighs_the_attention_it_would_take(
    changes: dict[str, Any], seconds: int
) -> None:
    assert metrics.weight(contact(**changes)) == seconds


def test_progress_and_own_contacts_are_not_received() -> None:
    seen = Seen(contacts=[contact(), contact(is_counted=False), contact(direction=Direction.OUT)])
    found = metrics.measure(seen)
    assert (found["contacts_received"], found["contacts_made"]) == (1, 1)
    assert found["attention_baseline_s"] == 30


def test_asking_for_the_same_fact_counts_within_one_matter() -> None:
    contacts = [
        contact(asks=("account", "account")),
        contact(asks=("account", "address")),
        contact(asks=("account",), journey="other"),
    ]
    found = metrics.measure(Seen(contacts=contacts))
    assert (found["asks"], found["re_asks"]) == (5, 2)


def test_what_a_pass_gave_before_is_asked_again_the_first_time() -> None:
    contacts = [contact(asks=("account", "address"), handed=frozenset({"account"}))]
    found = metrics.measure(Seen(contacts=contacts))
    assert (found["asks"], found["re_asks"]) == (2, 1)


@pytest.mark.parametrize(
    ("later", "resolved", "count"),
    [
        (timedelta(days=1), None, 1),
        (timedelta(days=31), None, 0),
        (timedelta(days=2), timedelta(days=1), 0),
        (timedelta(days=1), timedelta(days=2), 1),
    ],
)
def test_a_repeat_is_a_further_contact_before_it_worked(
    later: timedelta, resolved: timedelta | None, count: int
) -> None:
    own = [
        contact(direction=Direction.OUT, at=DAY),
        contact(direction=Direction.OUT, at=DAY + later),
    ]
    journey = SeenJourney(name="j", resolved_at=DAY + resolved if resolved else None)
    assert len(list(metrics.repeats(Seen(contacts=own, journeys=[journey])))) == count


def test_changing_the_channel_is_a_hop_per_supplier_and_matter() -> None:
    ways = [Medium.CALL, Medium.VOICEMAIL, Medium.EMAIL, Medium.SMS]
    spoken = [contact(medium=way, at=DAY + index * HOUR) for index, way in enumerate(ways)]
    progress = contact(medium=Medium.LETTER, at=DAY + 9 * HOUR, is_counted=False)
    other = contact(medium=Medium.LETTER, supplier="other", at=DAY)
    assert len(list(metrics.hops(Seen(contacts=[*spoken, progress, other])))) == 2


@pytest.mark.parametrize(
    ("arrived", "is_missed", "expected"),
    [
        (HOUR, False, (1, 1)),
        (-timedelta(minutes=15), False, (1, 1)),
        (-timedelta(minutes=16), False, (0, 1)),
        (4 * HOUR, False, (1, 1)),
        (4 * HOUR + timedelta(minutes=1), False, (0, 1)),
        (None, True, (0, 1)),
        (None, False, (0, 0)),
    ],
)
def test_a_window_is_kept_by_arriving_in_it(
    *, arrived: timedelta | None, is_missed: bool, expected: tuple[int, int]
) -> None:
    at = None if arrived is None else DAY + arrived
    visit = SeenVisit(start=DAY, end=DAY + 4 * HOUR, arrived_at=at, is_missed=is_missed)
    found = metrics.measure(Seen(visits=[visit]))
    assert (found["promises_kept"], found["promises_made"]) == expected


def test_a_late_move_breaks_a_promise_and_the_kept_one_still_counts() -> None:
    visit = SeenVisit(start=DAY, end=DAY + 4 * HOUR, arrived_at=DAY + HOUR, moved_late=1)
    states = (PromiseState.KEPT, PromiseState.MISSED, PromiseState.OPEN, PromiseState.WITHDRAWN)
    promises = [SeenPromise(state=state, at=DAY) for state in states]
    found = metrics.measure(Seen(visits=[visit], promises=promises))
    assert (found["promises_kept"], found["promises_made"]) == (2, 4)


def test_waiting_counts_from_the_start_to_arrival_or_end() -> None:
    kept = SeenVisit(start=DAY, end=DAY + 4 * HOUR, arrived_at=DAY + 2.5 * HOUR)
    late = SeenVisit(start=DAY, end=DAY + HOUR, arrived_at=DAY + 3 * HOUR)
    early = SeenVisit(start=DAY, end=DAY + HOUR, arrived_at=DAY - HOUR)
    missed = SeenVisit(start=DAY, end=DAY + 2 * HOUR, is_missed=True)
    found = metrics.measure(Seen(visits=[kept, late, early, missed]))
    assert found["hours_held"] == 5.5


def test_attention_saved_is_never_negative_for_one_matter() -> None:
    told = [SeenNotification(level=Level.INTERRUPT, journey="dear")] * 9
    seen = Seen(
        contacts=[contact(), contact(journey="dear", medium=Medium.SMS)],
        notifications=[*told, SeenNotification(level=Level.FEED, journey="j")],
    )
    assert metrics.measure(seen)["attention_shown_s"] == 98
    assert metrics.saved_s(seen) == 22


def test_effort_adds_what_made_it_hard() -> None:
    hard = metrics.effort(
        repeat_contacts=1,
        re_asks=2,
        transfers=1,
        channel_hops=1,
        minutes=56.4,
        broken_promises=0,
        surveys_shown=1,
    )
    assert hard == 14


def test_nothing_measures_as_nothing() -> None:
    found = metrics.measure(Seen())
    assert found["compression"] == 0.0
    assert found["channel_respect"] == [0, 0]
    assert found["owner_effort"] == 0


def test_outcomes_and_respect_are_counted() -> None:
    found = metrics.measure(
        Seen(
            contacts=[
                contact(outcome=Outcome.ABSORBED, is_false_absorption=True),
                contact(outcome=Outcome.ABSORBED, is_respectful=True),
                contact(outcome=Outcome.HELD),
            ]
        )
    )
    assert (found["absorbed"], found["held"], found["false_absorptions"]) == (2, 1, 1)
    assert found["channel_respect"] == [1, 3]


def test_a_digest_line_takes_attention_from_what_belongs_to_no_matter() -> None:
    seen = Seen(contacts=[contact(journey="")], digests=[SeenDigest(lines=3)])
    found = metrics.measure(seen)
    assert (found["attention_shown_s"], found["attention_saved_s"]) == (9, 21)


def test_it_is_fixed_first_time_without_a_second_call_and_for_two_weeks() -> None:
    """One at once, one after a second call, one undone in time, one undone later."""
    end = DAY + 2 * HOUR
    own = [
        contact(direction=Direction.OUT, journey="called", at=DAY),
        contact(direction=Direction.OUT, journey="called", at=DAY + HOUR),
    ]
    journeys = [
        SeenJourney(name="once", resolved_at=end),
        SeenJourney(name="called", resolved_at=end),
        SeenJourney(name="undone", resolved_at=end, reopened_at=(end + timedelta(days=13),)),
        SeenJourney(name="later", resolved_at=end, reopened_at=(end + timedelta(days=15),)),
        SeenJourney(name="open"),
    ]
    assert metrics.measure(Seen(contacts=own, journeys=journeys))["fixed_first"] == [2, 4]


def test_only_what_says_something_answers_a_request() -> None:
    asked = [SeenRequest(at=DAY, journey="j"), SeenRequest(at=DAY + 9 * HOUR, journey="j")]
    answers = [
        contact(at=DAY + HOUR, outcome=Outcome.ABSORBED),
        contact(at=DAY + 2 * HOUR, outcome=Outcome.SHOWN, is_automatic=True),
        contact(at=DAY + 3 * HOUR, outcome=Outcome.SHOWN, supplier="another"),
        contact(at=DAY + 4 * HOUR, outcome=Outcome.SHOWN),
    ]
    found = metrics.measure(Seen(contacts=answers, requests=asked))
    assert found["replied"] == [1, 2]
    assert (found["reply_hours"], found["reply_hours_90"]) == (4.0, 4.0)


def test_a_call_in_which_somebody_was_reached_is_no_request() -> None:
    calls = [
        contact(direction=Direction.OUT, medium=Medium.CALL, status=status)
        for status in (CallStatus.ANSWERED, CallStatus.MISSED)
    ]
    assert metrics.measure(Seen(contacts=calls))["replied"] == [0, 1]


def test_time_to_resolution_is_split_by_whose_turn_it_was() -> None:
    turns = ((DAY, Turn.SUPPLIER), (DAY + HOUR, Turn.OWNER), (DAY + 3 * HOUR, Turn.THIRD))
    journey = SeenJourney(name="j", turns=turns, resolved_at=DAY + 6 * HOUR)
    found = metrics.measure(Seen(contacts=[contact()], journeys=[journey]))
    spent = [found[f"turn_{whose}_s"] for whose in ("supplier", "owner", "third")]
    assert spent == [3600, 2 * 3600, 3 * 3600]
    assert found["resolved_after_s"] == [6 * 3600]


def test_price_truth_is_paid_by_quoted_where_both_are_known() -> None:
    journeys = [
        SeenJourney(name="a", quoted=Decimal(100), paid=Decimal(150), paid_at=DAY),
        SeenJourney(name="b", quoted=Decimal(50), paid=Decimal(50), paid_at=DAY),
        SeenJourney(name="c", quoted=Decimal(7)),
        SeenJourney(name="d", paid=Decimal(9), paid_at=DAY),
    ]
    found = metrics.measure(Seen(journeys=journeys))
    assert (found["quoted"], found["paid"], found["price_truth"]) == (150.0, 200.0, 1.33)


def test_surveys_weigh_on_what_was_closed_and_a_held_one_was_not_shown() -> None:
    surveys = [
        SeenSurvey(at=DAY, journey="j"),
        SeenSurvey(at=DAY, journey="j", offered_at=DAY + HOUR),
        SeenSurvey(at=DAY),
    ]
    journeys = [SeenJourney(name="j", closed_at=DAY)]
    found = metrics.measure(Seen(surveys=surveys, journeys=journeys))
    shown = found["surveys_requested"], found["surveys_shown"], found["survey_burden"]
    assert shown == (2, 1, 2.0)


@pytest.mark.parametrize(
    ("burden", "band"), [(3, "easy"), (4, "some"), (8, "some"), (15, "hard"), (16, "very_hard")]
)
def test_effort_has_bands(burden: int, band: str) -> None:
    assert metrics.band(burden) == band


def test_a_period_counts_what_happened_in_it_and_knows_what_was_before() -> None:
    """Asked in one month and again in the next: only the second is of the second, as again."""
    seen = Seen(
        contacts=[
            contact(asks=("account",)),
            contact(at=DAY + timedelta(days=30), asks=("account",)),
        ],
        notifications=[SeenNotification(level=Level.FEED, journey="j", at=DAY)],
    )
    since = DAY + timedelta(days=20)
    found = metrics.measure(seen, Period(since=since, until=since + timedelta(days=30)))
    assert (found["contacts_received"], found["notifications"]) == (1, 0)
    assert (found["asks"], found["re_asks"], found["attention_saved_s"]) == (1, 1, 30)


@given(
    days=st.lists(st.tuples(st.integers(0, 59), st.sampled_from(list(Medium))), max_size=30),
    cut=st.integers(0, 60),
)
def test_two_periods_count_everything_once(days: list[tuple[int, Medium]], cut: int) -> None:
    contacts = [
        contact(id=str(number), at=DAY + timedelta(days=day), medium=medium, asks=("account",))
        for number, (day, medium) in enumerate(days)
    ]
    seen = Seen(contacts=contacts)
    whole = metrics.cases(seen)
    edge = DAY + timedelta(days=cut)
    before = metrics.cases(seen, Period(since=DAY, until=edge))
    after = metrics.cases(seen, Period(since=edge, until=DAY + timedelta(days=60)))
    for name in metrics.COUNTED:
        halves = [*before[name], *after[name]]
        assert sorted(map(repr, halves)) == sorted(map(repr, whole[name])), name


@given(st.permutations(range(6)))
def test_the_order_of_what_is_read_changes_no_number(order: list[int]) -> None:
    ways = [Medium.CALL, Medium.EMAIL, Medium.SMS, Medium.VOICEMAIL, Medium.EMAIL, Medium.CALL]
    contacts = [
        contact(id=str(n), at=DAY + n * HOUR, medium=way, asks=("account",) * (n % 3))
        for n, way in enumerate(ways)
    ]
    shuffled = [contacts[n] for n in order]
    assert metrics.measure(Seen(contacts=shuffled)) == metrics.measure(Seen(contacts=contacts))
