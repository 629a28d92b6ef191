"""Wishes with a condition, of one channel, for an emergency: what each lets through, and when."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from notifications import ladder, telling
from notifications.merging import Decided, fold
from owners.choices import ChannelKind, Level, Moment, Scope, Topic
from owners.reach import (
    PRESETS,
    Override,
    Reach,
    Wish,
    next_summary,
    quiet_end,
)
from tests.rules.said import MORNING, NEW_YORK, SKYLINE, at, entry, fee, invite, mail

ANA = 1
NIGHT = (time(22), time(8))
REACH = Reach(
    zone=NEW_YORK,
    prefers=ChannelKind.SMS,
    channels=(ChannelKind.SMS, ChannelKind.EMAIL),
    quiet_from=NIGHT[0],
    quiet_until=NIGHT[1],
)


def reach(**other) -> Reach:
    values = {name: getattr(REACH, name) for name in ("zone", "prefers", "channels")}
    return Reach(**{**values, "quiet_from": NIGHT[0], "quiet_until": NIGHT[1], **other})


def at_place(parts: tuple[int, ...], zone: ZoneInfo) -> datetime:
    year, month, day, hour, *minutes = parts
    return datetime(year, month, day, hour, sum(minutes), tzinfo=zone)


def planned(entries, when: str, wishes: Reach, *, granted=(), decisions=()):
    now = at(when)
    matter = fold(entries, decisions, currency="USD", now=now)
    return telling.plan(matter, {}, reach=wishes, owner=ANA, now=now, granted=granted)


# Conditions


@pytest.mark.parametrize(
    ("wish", "amount", "hours", "expected"),
    [
        (Wish(Moment.NOW, over=Decimal(50)), "50.01", None, Moment.NOW),
        (Wish(Moment.NOW, over=Decimal(50)), "50.00", None, Moment.TODAY),
        (Wish(Moment.TODAY, over=Decimal(50)), "12", None, Moment.WEEK),
        (Wish(Moment.WEEK, over=Decimal(50)), "12", None, Moment.NEVER),
        # what names no amount, or no time, cannot be judged: nothing is hidden for that
        (Wish(Moment.NOW, over=Decimal(50)), None, 2, Moment.NOW),
        (Wish(Moment.NOW, within=timedelta(hours=48)), "12", None, Moment.NOW),
        (Wish(Moment.NOW, within=timedelta(hours=48)), None, 48, Moment.NOW),
        (Wish(Moment.NOW, within=timedelta(hours=48)), None, 49, Moment.TODAY),
        # both together: each must be met
        (Wish(Moment.NOW, over=Decimal(50), within=timedelta(hours=48)), "60", 49, Moment.TODAY),
        (Wish(Moment.NOW, over=Decimal(50), within=timedelta(hours=48)), "40", 2, Moment.TODAY),
        (Wish(Moment.NOW, over=Decimal(50), within=timedelta(hours=48)), "60", 2, Moment.NOW),
    ],
)
def test_what_a_condition_excludes_is_heard_of_one_moment_later(
    wish: Wish, amount: str | None, hours: int | None, expected: Moment
) -> None:
    now = at("10 10:00")
    happens = None if hours is None else now + timedelta(hours=hours)
    money = None if amount is None else Decimal(amount)
    assert wish.moment_for(amount=money, at=happens, now=now) == expected


def test_a_condition_is_hours_apart_also_over_the_end_of_summer_time() -> None:
    # 48 hours from Saturday noon in New York end on Monday at 11, as a day had 25 hours.
    saturday = datetime(2026, 10, 31, 12, tzinfo=NEW_YORK)
    wish = Wish(Moment.NOW, within=timedelta(hours=48))
    for hour, expected in ((11, Moment.NOW), (12, Moment.TODAY)):
        monday = datetime(2026, 11, 2, hour, tzinfo=NEW_YORK).astimezone(UTC)
        begins = saturday.astimezone(UTC)
        assert wish.moment_for(amount=None, at=monday, now=begins) == expected


@pytest.mark.parametrize(("price", "is_told"), [("49.00", False), ("50.01", True)])
def test_money_below_the_limit_stays_on_the_card_and_says_why(price, is_told) -> None:
    wishes = reach(rules={Topic.MONEY: Wish(Moment.WEEK, over=Decimal(50))})
    said = [mail("a", "11 09:00", facts=(fee(price),), keys=())]
    plan, silent = planned(said, "11 09:00", wishes)
    assert plan is None or "money:fee" not in {change.item.key for change in plan.changes}
    why = silent[f"{telling.UNTOLD}money:fee"]
    assert ('"moment":"week"' in why) is is_told
    assert ('"is_unmet":true' in why) is not is_told
    assert '"over":"50"' in why


def test_the_price_before_counts_as_much_as_the_price_now() -> None:
    first, cheaper = (
        mail(name, when, facts=(fee(price),))
        for name, when, price in (("a", "11 09:00", "90.00"), ("b", "11 11:00", "20.00"))
    )
    matter = fold([first, cheaper], [], currency="USD", now=at("11 11:00"))
    news, _ = telling.changes(matter, {"money:fee": "90.00 USD"}, owner=ANA, now=at("11 11:00"))
    assert [change.amount for change in news if change.item.key == "money:fee"] == [Decimal(90)]


def test_another_currency_is_not_compared() -> None:
    said = [mail("a", "11 09:00", facts=(fee("20.00", "EUR"),))]
    matter = fold(said, [], currency="USD", now=at("11 09:00"))
    news, _ = telling.changes(matter, {}, owner=ANA, now=at("11 09:00"))
    assert [change.amount for change in news if change.item.key == "money:fee"] == [None]


def test_the_deciding_wish_is_named_with_its_level() -> None:
    over = Override(
        scope=Scope.SUPPLIER,
        subject="skyline",
        topic=Topic.CHANGED,
        wish=Wish(Moment.TODAY, over=Decimal(10)),
    )
    wishes = reach(overrides=(over,)).about(suppliers=["skyline"])
    plan, _ = planned([invite("a", "10 10:00", MORNING)], "10 10:00", wishes)
    assert plan is not None
    assert plan.why == {
        "topic": "changed",
        "reason": "booked",
        "moment": "today",
        "by": "supplier",
        "subject": "skyline",
        "over": "10",
        "keys": ["visit:job-1"],
    }


# Quiet hours of one channel

ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("zone", "kind", "when", "until"),
    [
        # mail is never quiet, a call is from eight to ten, an SMS as everything
        (ROME, ChannelKind.EMAIL, (2026, 6, 10, 23, 0), None),
        (ROME, ChannelKind.SMS, (2026, 6, 10, 23, 0), (2026, 6, 11, 8, 0)),
        (ROME, ChannelKind.VOICE, (2026, 6, 10, 19, 59), None),
        (ROME, ChannelKind.VOICE, (2026, 6, 10, 20, 0), (2026, 6, 11, 10, 0)),
        (ROME, ChannelKind.VOICE, (2026, 6, 11, 9, 59), (2026, 6, 11, 10, 0)),
        (ROME, ChannelKind.VOICE, (2026, 6, 11, 10, 0), None),
        # the night in which the clock goes on, and the one in which it goes back
        (ROME, ChannelKind.VOICE, (2026, 3, 28, 23, 0), (2026, 3, 29, 10, 0)),
        (ROME, ChannelKind.SMS, (2026, 3, 29, 3, 30), (2026, 3, 29, 8, 0)),
        (ROME, ChannelKind.VOICE, (2026, 10, 24, 23, 0), (2026, 10, 25, 10, 0)),
        (NEW_YORK, ChannelKind.SMS, (2026, 11, 1, 1, 30), (2026, 11, 1, 8, 0)),
    ],
)
def test_each_channel_has_its_own_night(zone, kind, when, until) -> None:
    wishes = reach(
        zone=zone,
        quiet_by={ChannelKind.EMAIL: None, ChannelKind.VOICE: (time(20), time(10))},
    )
    end = quiet_end(wishes, at_place(when, zone), kind)
    assert end == (at_place(until, zone).astimezone(UTC) if until else None)


def test_the_night_is_where_the_member_is() -> None:
    now = datetime(2026, 11, 10, 21, 0, tzinfo=ROME)
    assert quiet_end(reach(zone=ROME), now) is None
    there = ZoneInfo("Asia/Tokyo")  # 05:00 of the next day
    assert quiet_end(reach(zone=there), now) == datetime(2026, 11, 11, 8, tzinfo=there)


def test_an_interrupt_waits_for_the_channel_that_it_takes() -> None:
    said = [invite("a", "10 10:00", MORNING), mail("x", "11 23:00", None, facts=())]
    said.append(entry("y", "11 23:00", is_safety=True))
    for prefers, free in ((ChannelKind.SMS, "12 08:00"), (ChannelKind.EMAIL, "11 23:00")):
        wishes = reach(prefers=prefers, quiet_by={ChannelKind.EMAIL: None})
        plan, _ = planned(said, "11 23:00", wishes)
        assert plan is not None
        assert telling.release(plan, reach=wishes, now=at("11 23:00")) == at(free)


def test_a_step_of_the_ladder_keeps_the_night_of_its_own_channel() -> None:
    wishes = reach(quiet_by={ChannelKind.EMAIL: None}, has_quiet_exceptions=False)
    steps = ladder.steps(
        reach=wishes, topic=Topic.CHANGED, deadline=at("12 07:00"), now=at("11 21:00")
    )
    assert [(step.kind, step.at) for step in steps] == [
        (ChannelKind.SMS, at("11 21:00")),
        (ChannelKind.EMAIL, at("12 06:00")),
    ]


# Emergencies


def alarm(supplier: int = SKYLINE):
    return [entry("s", "11 23:00", supplier=supplier, is_safety=True)]


def test_what_a_supplier_calls_an_emergency_is_heard_like_any_failure() -> None:
    calm = reach(rules={Topic.FAILED: Wish(Moment.NEVER)})
    plan, silent = planned(alarm(), "11 23:00", calm)
    assert plan is None or "safety:s" not in {change.item.key for change in plan.changes}
    assert '"moment":"never"' in silent[f"{telling.UNTOLD}safety:s"]
    plan, _ = planned(alarm(), "11 23:00", REACH)
    assert plan is not None
    assert telling.release(plan, reach=REACH, now=at("11 23:00")) == at("12 08:00")


def test_whom_the_member_trusts_with_it_is_heard_at_any_hour() -> None:
    mute = [Decided(id="m", name="mute", at=at("11 22:00"))]
    calm = reach(rules={topic: Wish(Moment.NEVER) for topic in Topic}).hushed()
    plan, _ = planned(alarm(), "11 23:00", calm, granted={SKYLINE}, decisions=mute)
    assert plan is not None
    assert (plan.reason, plan.level) == ("safety", Level.INTERRUPT)
    assert plan.why["by"] == "granted"
    assert telling.release(plan, reach=calm, now=at("11 23:00")) == at("11 23:00")


def test_trust_in_one_supplier_is_none_in_another() -> None:
    calm = reach(rules={topic: Wish(Moment.NEVER) for topic in Topic})
    plan, _ = planned(alarm(supplier=99), "11 23:00", calm, granted={SKYLINE})
    assert plan is None


# Summaries, presets, mails that were ended


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ((2026, 11, 9, 9), (2026, 11, 15, 18)),  # Monday: the coming Sunday
        ((2026, 11, 15, 18), (2026, 11, 15, 18)),
        ((2026, 11, 15, 19), (2026, 11, 22, 18)),
        ((2026, 10, 19, 9), (2026, 10, 25, 18)),  # the Sunday with 25 hours
        ((2026, 3, 23, 9), (2026, 3, 29, 18)),  # and the one with 23
    ],
)
def test_a_weekly_summary_comes_on_its_day_at_its_hour(now, slot) -> None:
    wishes = Reach(zone=ROME, is_digest_weekly=True, digest_weekday=6)
    expected = at_place(slot, ROME).astimezone(UTC)
    assert next_summary(wishes, at_place(now, ROME)) == expected


def test_one_summary_a_day_interrupts_for_nothing_that_a_wish_may_hush() -> None:
    wishes = reach(rules={topic: Wish(moment) for topic, moment in PRESETS["one_summary"].items()})
    plan, _ = planned([invite("a", "13 07:00", MORNING)], "13 07:00", wishes)
    assert plan is not None
    assert plan.level == Level.FEED
    assert Moment.NOW not in PRESETS["one_summary"].values()


def test_only_emergencies_interrupts_for_failures_alone() -> None:
    loud = {topic for topic, moment in PRESETS["emergencies"].items() if moment == Moment.NOW}
    assert loud == {Topic.FAILED}


def test_a_topic_that_is_not_mailed_any_more_takes_the_other_channels() -> None:
    wishes = reach(prefers=ChannelKind.EMAIL, unmailed=(Topic.CHANGED,))
    assert wishes.ladder(Topic.CHANGED) == (ChannelKind.SMS,)
    assert wishes.ladder(Topic.FAILED) == (ChannelKind.EMAIL, ChannelKind.SMS)
