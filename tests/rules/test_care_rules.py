"""Rhythms to and from recurrence rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import care_rules
from assets.care_rules import NTHS, WEEKDAYS, Rhythm
from assets.care_specs import check_spec

RHYTHMS = st.builds(
    Rhythm,
    every=st.integers(1, 120),
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True).map(
        lambda days: tuple(sorted(days, key=WEEKDAYS.index))
    ),
    nth=st.sampled_from((0, *NTHS)),
)


@given(RHYTHMS)
def test_what_is_written_is_read_again_and_is_a_rule_of_a_task(rhythm: Rhythm) -> None:
    rule = care_rules.write(rhythm)
    assert care_rules.read(rule) == rhythm
    trigger = {"kind": "calendar", "mode": "fixed", "anchor": "2026-01-01", "rule": rule}
    check_spec({"name": "It", "triggers": [trigger]})


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=1MO,2TU",
        "FREQ=WEEKLY;BYDAY=MO;WKST=SU",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=YEARLY;BYMONTH=10",
    ],
)
def test_what_says_more_is_left_alone(rule: str) -> None:
    assert care_rules.read(rule) is None


def test_days_in_english_are_read() -> None:
    rule = care_rules.weekly(["friday", "monday"], every=2)
    assert rule == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"
