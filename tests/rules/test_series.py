"""A visit that repeats: when one is over the next one is expected, with nothing new arriving."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notifications.matter import BOOKED, WAITED, Decided, Entry, Matter, Slot
from notifications.merging import fold, next_change
from owners.choices import Trust
from suppliers import itip
from suppliers.adapters import ical, repeats
from suppliers.adapters.context import Context
from suppliers.choices import Stage
from suppliers.contacts import Key, Visit, Window
from tests.rules.said import NORDVARME, SKYLINE, entry

NEW_YORK = ZoneInfo("America/New_York")
UID = "clean-1"
LONG = timedelta(hours=2)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def said_on(text: str) -> datetime:
    return local(text).astimezone(UTC)


def series(*more: str, first: str = "20261023T080000", sequence: int = 0) -> bytes:
    """A weekly visit of two hours, as a calendar says it."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT", f"UID:{UID}",
        f"SEQUENCE:{sequence}", "DTSTAMP:20261020T120000Z",
        f"DTSTART;TZID=America/New_York:{first}", "DURATION:PT2H", *more,
        "ORGANIZER:mailto:visits@skyline.example", "SUMMARY:Cleaning", "LOCATION:12 Elm Street",
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def invited(*more: str, first: str = "20261023T080000", name: str = "a") -> Entry:
    (found,) = ical.read(
        series(*more, first=first), context=Context(received_at=said_on("2026-10-20 08:00"))
    )
    when = said_on("2026-10-20 08:00")
    return entry(name, "10 08:00", said_at=when, visit=found.visit, keys=found.keys)


def later(
    name: str,
    when: str,
    instance: str,
    to: str = "",
    *,
    method: str = itip.REQUEST,
    supplier: int = SKYLINE,
    sender: str = "visits@skyline.example",
    **more: Any,
) -> Entry:
    """What is said of one of the series, or of all, afterwards."""
    start = local(to) if to else None
    known: dict[str, Any] = {
        "window": Window(start=start, end=start + LONG) if start else None,
        "stage": Stage.BOOKED if start else Stage.CANCELLED,
        "uid": UID,
        "recurrence_id": said_on(instance).isoformat() if instance else "",
        "sequence": 1,
        "dtstamp": said_on(when),
        "method": method,
        "zone": "America/New_York",
    }
    return entry(
        name,
        "10 08:00",
        supplier=supplier,
        sender=sender,
        said_at=said_on(when),
        visit=Visit(**(known | more)),
        keys=(Key(scheme="uid", value=UID),),
    )


def at(now: str, *entries: Entry, decisions: tuple[Decided, ...] = ()) -> Matter:
    return fold(entries, decisions, currency="USD", now=local(now))


def starts(slots: list[Slot]) -> list[str]:
    """When they begin, on the clock of the household."""
    return [f"{slot.span.start.astimezone(NEW_YORK):%Y-%m-%d %H:%M}" for slot in slots if slot.span]


WEEKLY = "RRULE:FREQ=WEEKLY"


def test_the_next_one_is_expected_when_one_is_over_across_the_end_of_summer_time() -> None:
    weekly = invited(WEEKLY)
    assert starts(at("2026-10-23 21:59", weekly).slots) == ["2026-10-23 08:00"]
    assert starts(at("2026-10-23 22:00", weekly).slots) == ["2026-10-23 08:00", "2026-10-30 08:00"]
    after = at("2026-11-06 23:00", weekly)
    assert starts(after.slots) == [
        "2026-10-23 08:00", "2026-10-30 08:00", "2026-11-06 08:00", "2026-11-13 08:00",
    ]  # fmt: skip
    spans = [slot.span.start for slot in after.slots if slot.span]
    assert spans[2] - spans[1] == timedelta(days=7, hours=1)  # New York left summer time
    assert {slot.place for slot in after.slots} == {"12 Elm Street"}


def test_the_clock_stays_across_the_begin_of_summer_time() -> None:
    found = at("2027-03-19 23:00", invited(WEEKLY, first="20270305T023000"))
    assert starts(found.slots)[:2] == ["2027-03-05 02:30", "2027-03-12 02:30"]
    spans = [slot.span.start for slot in found.slots if slot.span]
    assert spans[2] - spans[1] == timedelta(days=7) - timedelta(hours=1)
    # 02:30 is no time on the day itself: that one begins when the clock has been put on.
    sunday = at("2027-03-07 23:00", invited(WEEKLY, first="20270307T023000"))
    assert starts(sunday.slots) == ["2027-03-07 02:30", "2027-03-14 03:30"]


def test_each_one_is_asked_about_until_another_has_passed() -> None:
    weekly = invited(WEEKLY)
    late = at("2026-10-23 22:30", weekly)
    first, second = late.slots
    assert first.is_long_overdue(local("2026-10-23 22:30"))
    assert [slot.behind for slot in late.slots] == [1, 0]
    assert late.live_slots == [first, second]
    assert late.rolls_at == second.span.end + WAITED if second.span else False
    assert next_change(late, local("2026-10-23 22:30")) == local("2026-10-30 10:05")
    week = at("2026-10-30 22:30", weekly)
    assert [slot.behind for slot in week.slots] == [2, 1, 0]
    assert week.live_slots == week.slots[1:]  # nobody asks about the first any more


def test_a_yes_to_one_leaves_the_series_open_and_shows_the_next() -> None:
    came = Decided(id="d", name="answer", at=local("2026-10-23 11:00"), data={"answer": "works"})
    found = at("2026-10-23 11:00", invited(WEEKLY), decisions=(came,))
    assert found.closed_at is None
    assert starts(found.live_slots) == ["2026-10-30 08:00"]
    last = at("2026-10-30 11:00", invited("RRULE:FREQ=WEEKLY;COUNT=1"), decisions=(
        Decided(id="d", name="answer", at=local("2026-10-30 11:00"), data={"answer": "works"}),
    ))  # fmt: skip
    assert last.closed_at is not None


def test_a_supplier_that_says_done_makes_the_next_one_expected_at_once() -> None:
    done = later("b", "2026-10-23 09:30", "", stage=Stage.DONE, method="", dtstamp=None)
    found = at("2026-10-23 09:31", invited(WEEKLY), done)
    assert starts(found.live_slots) == ["2026-10-30 08:00"]
    assert found.done_at is None


def test_what_the_series_leaves_out_or_one_that_was_moved_or_called_off_goes_before_it() -> None:
    weekly = invited(WEEKLY, "EXDATE;TZID=America/New_York:20261030T080000")
    assert starts(at("2026-10-24 00:00", weekly).live_slots)[1:] == ["2026-11-06 08:00"]
    moved = later("m", "2026-10-21 09:00", "2026-10-30 08:00", "2026-10-31 15:00")
    found = at("2026-10-24 00:00", invited(WEEKLY), moved)
    assert starts(found.live_slots)[1:] == ["2026-10-31 15:00"]
    off = later("o", "2026-10-24 09:00", "2026-10-30 08:00", method=itip.CANCEL)
    found = at("2026-10-24 10:00", invited(WEEKLY), off)
    assert starts(found.live_slots)[1:] == ["2026-11-06 08:00"]


def test_one_and_all_after_it_move_and_stop_together() -> None:
    moved = later("m", "2026-10-21 09:00", "2026-10-30 08:00", "2026-10-30 14:00", is_range=True)
    found = at("2026-11-06 23:00", invited(WEEKLY), moved)
    assert starts(found.slots) == [
        "2026-10-23 08:00", "2026-10-30 14:00", "2026-11-06 14:00",
    ]  # fmt: skip
    off = later("o", "2026-10-24 09:00", "2026-10-30 08:00", method=itip.CANCEL, is_range=True)
    found = at("2026-11-20 12:00", invited(WEEKLY), off)
    assert starts(found.live_slots) == ["2026-10-23 08:00"]  # nobody said whether they came
    assert not [slot for slot in found.slots if slot.is_given]


def test_the_end_of_the_whole_series_ends_it_and_a_new_rule_replaces_what_the_old_gave() -> None:
    end = later("c", "2026-10-24 09:00", "", method=itip.CANCEL)
    found = at("2026-11-20 12:00", invited(WEEKLY), end)
    assert not found.live_slots
    assert len(found.slots) == 2
    anew = later(
        "n", "2026-10-24 09:00", "2026-10-28 16:00", "2026-10-28 16:00",
        later=(said_on("2026-11-04 16:00"),),
    )  # fmt: skip
    found = at("2026-10-29 12:00", invited(WEEKLY), anew)
    assert starts(found.slots) == ["2026-10-23 08:00", "2026-10-28 16:00", "2026-11-04 16:00"]


def test_a_stranger_changes_nothing_of_a_series() -> None:
    theirs = later(
        "x", "2026-10-21 09:00", "", "2026-10-23 08:00", supplier=NORDVARME,
        sender="x@nordvarme.example", later=(said_on("2026-10-24 03:00"),),
    )  # fmt: skip
    found = at("2026-10-24 00:00", invited(WEEKLY), theirs)
    assert starts(found.live_slots)[1:] == ["2026-10-30 08:00"]
    assert found.slots[-1].standing.current is not None
    assert found.slots[-1].standing.current.key == BOOKED
    assert found.slots[-1].standing.current.trust == Trust.AUTHENTICATED


def test_no_more_than_a_hundred_are_taken_and_the_same_fold_is_the_same_matter() -> None:
    daily = invited("RRULE:FREQ=DAILY")
    assert daily.said.visit is not None
    assert len(daily.said.visit.later) == repeats.MAX_STARTS - 1
    found = at("2030-01-01 00:00", daily)
    assert len(found.slots) == repeats.MAX_STARTS
    assert len(found.live_slots) == 2
    assert found.rolls_at is None
    assert repr(at("2026-12-01 00:00", daily).slots) == repr(at("2026-12-01 00:00", daily).slots)


@pytest.mark.parametrize("rule", ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=MINUTELY", "SUMMARY:x"])
def test_what_is_no_rule_to_follow_stays_one_visit(rule: str) -> None:
    found = at("2026-12-01 00:00", invited(rule))
    assert starts(found.slots) == ["2026-10-23 08:00"]
