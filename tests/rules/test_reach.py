"""Wall-clock wishes across midnight and both edges of daylight saving, in four zones."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from owners.choices import ChannelKind, Moment, Scope, Topic
from owners.reach import PRESETS, Override, Reach, Wish, at_wall_time, next_digest, quiet_end

ZONES = ["America/New_York", "Europe/Rome", "Australia/Lord_Howe", "America/Santiago"]


def local(zone: str, year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone))


def night(zone: str, start: time = time(22), end: time = time(8)) -> Reach:
    return Reach(zone=ZoneInfo(zone), quiet_from=start, quiet_until=end)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "utc"),
    [
        # spring: 02:30 does not exist, the first valid instant after it counts
        ("America/New_York", (2026, 3, 8), time(2, 30), "2026-03-08T07:00:00+00:00"),
        ("Europe/Rome", (2026, 3, 29), time(2, 30), "2026-03-29T01:00:00+00:00"),
        ("Australia/Lord_Howe", (2026, 10, 4), time(2, 15), "2026-10-03T15:30:00+00:00"),
        ("America/Santiago", (2026, 9, 6), time(0, 30), "2026-09-06T04:00:00+00:00"),
        # autumn: a repeated time is its first occurrence, once
        ("America/New_York", (2026, 11, 1), time(1, 30), "2026-11-01T05:30:00+00:00"),
        ("Europe/Rome", (2026, 10, 25), time(2, 30), "2026-10-25T00:30:00+00:00"),
        ("Australia/Lord_Howe", (2026, 4, 5), time(1, 45), "2026-04-04T14:45:00+00:00"),
        ("America/Santiago", (2026, 4, 4), time(23, 30), "2026-04-05T02:30:00+00:00"),
    ],
)
def test_wall_times_survive_both_edges(
    zone: str, day: tuple[int, int, int], wall: time, utc: str
) -> None:
    noon = local(zone, *day, 12)
    assert at_wall_time(noon, wall, ZoneInfo(zone)) == datetime.fromisoformat(utc)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("clock", "is_quiet"),
    [((21, 59), False), ((22, 0), True), ((3, 30), True), ((7, 59), True), ((8, 0), False)],
)
def test_quiet_hours_cross_midnight_and_end_exclusively(zone, clock, is_quiet) -> None:
    end = quiet_end(night(zone), local(zone, 2026, 6, 10, *clock))
    assert (end is not None) is is_quiet
    if end is not None:
        assert end.astimezone(ZoneInfo(zone)).time() == time(8)


@given(
    st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 12, 31)),
    st.sampled_from(ZONES),
)
def test_the_end_of_quiet_hours_is_never_quiet_itself(moment, zone) -> None:
    reach, now = night(zone), moment.replace(tzinfo=UTC)
    end = quiet_end(reach, now)
    if end is not None:
        assert now < end <= now + timedelta(hours=12)
        assert quiet_end(reach, end) is None


@given(
    st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 12, 31)),
    st.sampled_from(ZONES),
    st.times(),
)
def test_the_next_digest_is_within_a_day_and_never_past(moment, zone, wall) -> None:
    reach = Reach(zone=ZoneInfo(zone), digest_at=wall.replace(microsecond=0))
    now = moment.replace(tzinfo=UTC)
    slot = next_digest(reach, now)
    assert now <= slot <= now + timedelta(hours=26)


def test_no_quiet_hours_are_never_quiet() -> None:
    now = datetime(2026, 6, 10, 3, tzinfo=UTC)
    assert quiet_end(Reach(zone=ZoneInfo("UTC")), now) is None
    assert quiet_end(night("UTC", time(8), time(8)), now) is None


def test_the_ladder_starts_with_the_topic_then_the_preference() -> None:
    reach = Reach(
        zone=ZoneInfo("UTC"),
        prefers=ChannelKind.SMS,
        channels=(ChannelKind.EMAIL, ChannelKind.SMS),
        rules={Topic.MONEY: Wish(Moment.TODAY, ChannelKind.EMAIL)},
    )
    assert reach.ladder(Topic.CHANGED) == (ChannelKind.SMS, ChannelKind.EMAIL)
    assert reach.ladder(Topic.MONEY) == (ChannelKind.EMAIL, ChannelKind.SMS)
    assert reach.moment(Topic.MONEY) == Moment.TODAY
    assert reach.moment(Topic.FEEDBACK) == Moment.NEVER


def test_a_channel_that_is_not_verified_is_not_climbed() -> None:
    reach = Reach(zone=ZoneInfo("UTC"), prefers=ChannelKind.SMS, channels=(ChannelKind.EMAIL,))
    assert reach.ladder(Topic.CHANGED) == (ChannelKind.EMAIL,)


SKYLINE, BOILERS, DVR = "skyline", "boilers", "dvr"


def override(scope: Scope, subject: str, moment: Moment) -> Override:
    return Override(scope=scope, subject=subject, topic=Topic.MONEY, wish=Wish(moment))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], Moment.TODAY),
        ([override(Scope.SUPPLIER, SKYLINE, Moment.NEVER)], Moment.NEVER),
        ([override(Scope.SUPPLIER, "another", Moment.NEVER)], Moment.TODAY),
        (
            [
                override(Scope.ASSET, DVR, Moment.WEEK),
                override(Scope.SUPPLIER, SKYLINE, Moment.NEVER),
            ],
            Moment.WEEK,
        ),
        (
            [
                override(Scope.JOURNEY, "j", Moment.NOW),
                override(Scope.ASSET, DVR, Moment.WEEK),
            ],
            Moment.NOW,
        ),
        # of two suppliers on one matter none silences the other
        (
            [
                override(Scope.SUPPLIER, SKYLINE, Moment.NEVER),
                override(Scope.SUPPLIER, BOILERS, Moment.NOW),
            ],
            Moment.NOW,
        ),
    ],
)
def test_the_most_specific_wish_wins(overrides: list[Override], expected: Moment) -> None:
    reach = Reach(zone=ZoneInfo("UTC"), overrides=tuple(overrides))
    for ordered in (reach.overrides, reach.overrides[::-1]):
        about = replace(reach, overrides=ordered).about(
            suppliers=[SKYLINE, BOILERS], asset=DVR, journey="j"
        )
        assert about.moment(Topic.MONEY) == expected


def test_a_holiday_is_whole_days_in_the_members_zone() -> None:
    reach = Reach(
        zone=ZoneInfo("America/New_York"),
        holiday_from=date(2026, 11, 10),
        holiday_until=date(2026, 11, 11),
    )
    assert not reach.is_away(datetime(2026, 11, 10, 4, 59, tzinfo=UTC))
    assert reach.is_away(datetime(2026, 11, 10, 5, 0, tzinfo=UTC))
    assert reach.is_away(datetime(2026, 11, 12, 4, 59, tzinfo=UTC))
    assert not reach.is_away(datetime(2026, 11, 12, 5, 0, tzinfo=UTC))


def test_who_is_away_and_covered_by_nobody_is_never_interrupted_by_a_topic() -> None:
    reach = Reach(
        zone=ZoneInfo("UTC"), overrides=(override(Scope.SUPPLIER, SKYLINE, Moment.NOW),)
    ).hushed()
    about = reach.about(suppliers=[SKYLINE])
    assert all(about.moment(topic) != Moment.NOW for topic in Topic)
    assert about.moment(Topic.ARRIVING) == Moment.TODAY


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_answers_for_every_topic(preset: str) -> None:
    assert set(PRESETS[preset]) == set(Topic)
