"""What an owner measures is counted, never judged: every formula by a table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications import metrics
from notifications.metrics import Seen, SeenContact, SeenJourney, SeenNotification, SeenVisit
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
    assert metrics.asked(contacts) == (5, 2)


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
    assert metrics.repeats(own, [journey]) == count


def test_changing_the_channel_is_a_hop_per_supplier_and_matter() -> None:
    ways = [Medium.CALL, Medium.VOICEMAIL, Medium.EMAIL, Medium.SMS]
    spoken = [contact(medium=way, at=DAY + index * HOUR) for index, way in enumerate(ways)]
    progress = contact(medium=Medium.LETTER, at=DAY + 9 * HOUR, is_counted=False)
    other = contact(medium=Medium.LETTER, supplier="other", at=DAY)
    assert metrics.hops([*spoken, progress, other]) == 2


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
    assert metrics.promises([visit], []) == expected


def test_a_late_move_breaks_a_promise_and_the_kept_one_still_counts() -> None:
    visit = SeenVisit(start=DAY, end=DAY + 4 * HOUR, arrived_at=DAY + HOUR, moved_late=1)
    journey = SeenJourney(name="j", promises_kept=1, promises_missed=1)
    assert metrics.promises([visit], [journey]) == (2, 4)


def test_waiting_counts_from_the_start_to_arrival_or_end() -> None:
    kept = SeenVisit(start=DAY, end=DAY + 4 * HOUR, arrived_at=DAY + 2.5 * HOUR)
    late = SeenVisit(start=DAY, end=DAY + HOUR, arrived_at=DAY + 3 * HOUR)
    early = SeenVisit(start=DAY, end=DAY + HOUR, arrived_at=DAY - HOUR)
    missed = SeenVisit(start=DAY, end=DAY + 2 * HOUR, is_missed=True)
    assert metrics.hours_held([kept, late, early, missed]) == 5.5


def test_attention_saved_is_never_negative_for_one_matter() -> None:
    told = [SeenNotification(level=Level.INTERRUPT, journey="dear")] * 9
    seen = Seen(
        contacts=[contact(), contact(journey="dear", medium=Medium.SMS)],
        notifications=[*told, SeenNotification(level=Level.FEED, journey="j")],
    )
    assert metrics.shown_s(seen) == 98
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
