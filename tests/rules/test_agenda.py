"""Visits laid out on days: midnight, daylight saving, clashes, and the file for calendar apps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import agenda, calendar_file
from notifications.agenda import Entry

NEW_YORK = ZoneInfo("America/New_York")
NINE = datetime(2026, 11, 13, 14, tzinfo=UTC)  # 09:00 in New York
WORDS = calendar_file.Words(
    name="Hart household visits",
    kinds={"visit": "Visit", "delivery": "Delivery", "call": "Call"},
    summary="%(what)s: %(who)s (%(opens)s to %(closes)s)",
    alone="%(what)s: %(who)s",
    domain="mail.localhost",
    address="https://steward.example/journeys/%(journey)s/",
)


def visit(start: datetime = NINE, hours: float = 4, **more: object) -> Entry:
    usual: dict[str, object] = {
        "id": f"{start:%d%H%M}-{hours}",
        "journey": "j",
        "household": 1,
        "kind": "visit",
        "state": "confirmed",
        "start": start,
        "end": start + timedelta(hours=hours),
        "who": "Skyline TV",
    }
    return Entry(**(usual | more))  # type: ignore[arg-type]


def laid(*entries: Entry, first: date = date(2026, 11, 13), count: int = 2) -> list[agenda.Day]:
    return agenda.days(entries, first=first, count=count, zone=NEW_YORK, today=first)


def test_a_window_is_a_bar_on_its_day_in_the_readers_zone() -> None:
    friday, saturday = laid(visit())
    assert [(bar.start, bar.width) for bar in friday.bars] == [(9 * 60, 4 * 60)]
    assert not saturday.bars
    assert friday.is_today


def test_a_window_over_midnight_is_a_bar_on_both_days() -> None:
    friday, saturday = laid(visit(NINE + timedelta(hours=14), 3))  # 23:00 to 02:00
    assert [(bar.start, bar.width) for bar in friday.bars] == [(23 * 60, 60)]
    assert [(bar.start, bar.width) for bar in saturday.bars] == [(0, 2 * 60)]


def test_a_window_that_ends_at_midnight_is_not_on_the_next_day() -> None:
    friday, saturday = laid(visit(NINE + timedelta(hours=13), 2))  # 22:00 to 24:00
    assert [(bar.start, bar.width) for bar in friday.bars] == [(22 * 60, 2 * 60)]
    assert not saturday.bars


@pytest.mark.parametrize(
    ("day", "midnight", "long"),
    [(date(2026, 3, 8), 5, 23), (date(2026, 11, 1), 4, 25)],
)
def test_the_days_on_which_clocks_change_show_the_wall_clock(
    day: date, midnight: int, long: int
) -> None:
    opens = datetime(day.year, day.month, day.day, midnight, tzinfo=UTC)
    (shown,) = laid(visit(opens, long), first=day, count=1)
    assert [(bar.start, bar.width) for bar in shown.bars] == [(0, agenda.MINUTES)]


def test_only_overlapping_windows_of_one_household_clash() -> None:
    first = visit()
    touching = visit(NINE + timedelta(hours=4), 1, id="touching")
    inside = visit(NINE + timedelta(hours=1), 1, id="inside", who="Warm & Sons")
    elsewhere = visit(NINE, 4, id="elsewhere", household=2)
    over = visit(NINE, 4, id="over", is_live=False, who="Nobody")
    found = {e.id: e for e in agenda.with_clashes([touching, over, elsewhere, inside, first])}
    assert found[first.id].clashes_with == ("Warm & Sons",)
    assert found["inside"].clashes_with == ("Skyline TV",)
    assert not any(found[name].clashes_with for name in ("touching", "elsewhere", "over"))


def test_hours_that_overlap_are_held_once() -> None:
    entries = [visit(), visit(NINE + timedelta(hours=2), 4), visit(NINE, 9, is_live=False)]
    assert agenda.held(entries) == timedelta(hours=6)


@given(st.dates(date(1971, 1, 1), date(2199, 12, 31)))
def test_a_months_grid_is_whole_weeks_that_hold_the_month(day: date) -> None:
    first, count = agenda.month_of(day)
    assert first.weekday() == 0
    assert count % 7 == 0
    assert first <= day.replace(day=1)
    assert first + timedelta(days=count) >= agenda.next_month(day)
    assert agenda.month_before(agenda.next_month(day)) == day.replace(day=1)


def test_only_other_clocks_are_elsewhere() -> None:
    assert agenda.is_elsewhere(visit(zone="America/Los_Angeles"), NEW_YORK)
    assert not agenda.is_elsewhere(visit(zone="America/Toronto"), NEW_YORK)
    assert not agenda.is_elsewhere(visit(), NEW_YORK)


# -- the file --------------------------------------------------------------------------


def written(*entries: Entry, zone: str = "America/New_York") -> tuple[bytes, icalendar.Calendar]:
    raw = calendar_file.write(entries, zone=zone, words=WORDS)
    return raw, icalendar.Calendar.from_ical(raw)


def test_the_file_keeps_the_rules_calendar_apps_insist_on() -> None:
    name = "Çelik & Söhne, Heizung; Sanitär \\ Lüftung " * 4
    raw, parsed = written(visit(who=name, place="12 Elm Street\nNew York", asset="Boiler"))
    lines = raw.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 75
    assert all(line.decode() for line in lines[:-1])  # folding splits no character
    (event,) = parsed.walk("VEVENT")
    assert str(event["SUMMARY"]) == f"Visit: {name} (09:00 to 13:00)"
    assert str(event["LOCATION"]) == "12 Elm Street\nNew York"
    for needed in ("UID", "DTSTAMP", "DTSTART", "SEQUENCE", "STATUS"):
        assert needed in event
    assert parsed["METHOD"] == "PUBLISH"
    assert raw.count(b"REFRESH-INTERVAL;VALUE=DURATION:PT1H") == 1


def test_windows_are_events_in_the_zone_of_their_place_with_its_rules() -> None:
    raw, parsed = written(visit(), visit(id="west", zone="America/Los_Angeles"))
    zones = {str(zone["TZID"]) for zone in parsed.walk("VTIMEZONE")}
    assert zones == {"America/New_York", "America/Los_Angeles"}
    assert b"DTSTART;TZID=America/New_York:20261113T090000" in raw
    assert b"DTSTART;TZID=America/Los_Angeles:20261113T060000" in raw
    for event in parsed.walk("VEVENT"):
        assert event.decoded("DTSTART").astimezone(UTC) == NINE
    used = {
        line.split(b"TZID=")[1].split(b":")[0].decode()
        for line in raw.split(b"\r\n")
        if b";TZID=" in line
    }
    assert used <= zones


def test_in_utc_no_zone_is_needed() -> None:
    raw, parsed = written(visit(), zone="UTC")
    assert b"DTSTART:20261113T140000Z" in raw
    assert not parsed.walk("VTIMEZONE")


@pytest.mark.parametrize(
    ("state", "contested", "status"),
    [
        ("offered", False, "TENTATIVE"),
        ("requested", False, "TENTATIVE"),
        ("booked", False, "CONFIRMED"),
        ("confirmed", False, "CONFIRMED"),
        ("confirmed", True, "TENTATIVE"),
        ("done", False, "CONFIRMED"),
        ("cancelled", False, "CANCELLED"),
        ("declined", False, "CANCELLED"),
    ],
)
def test_the_status_says_how_sure_it_is(state: str, contested: bool, status: str) -> None:  # noqa: FBT001
    _raw, parsed = written(visit(state=state, is_contested=contested))
    assert str(parsed.walk("VEVENT")[0]["STATUS"]) == status


def test_a_moved_visit_keeps_its_uid_and_raises_its_sequence() -> None:
    _raw, before = written(visit(id="a", version=1))
    moved = replace(visit(id="a", version=3), start=NINE + timedelta(days=1))
    _raw, after = written(replace(moved, end=moved.start + timedelta(hours=4)))
    (old,), (new,) = before.walk("VEVENT"), after.walk("VEVENT")
    assert old["UID"] == new["UID"] == "a@mail.localhost"
    assert int(str(new["SEQUENCE"])) > int(str(old["SEQUENCE"]))


def test_the_same_visits_are_the_same_bytes() -> None:
    assert written(visit())[0] == written(visit())[0]
    assert written()[1].walk("VEVENT") == []
