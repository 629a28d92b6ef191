"""Whether to speak, when and how loudly."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifications import telling
from notifications.merging import Decided, Entry, Matter, fold
from owners.choices import ChannelKind, Level, Moment, Topic, Trust
from owners.reach import Reach, Wish
from suppliers.choices import ContactKind, Stage
from suppliers.contacts import AskClaim, FactClaim, Key, Visit
from tests.rules.said import (
    AFTERNOON,
    DVR,
    MORNING,
    NEW_YORK,
    at,
    entry,
    fee,
    invite,
    log,
    mail,
    progress,
    the_story,
    voicemail,
    window,
)

ANA = 1
REACH = Reach(
    zone=NEW_YORK,
    prefers=ChannelKind.SMS,
    channels=(ChannelKind.SMS, ChannelKind.EMAIL),
    quiet_from=time(22),
    quiet_until=time(8),
)


def plan_at(entries, when: str, told=None, decisions=(), reach=REACH, **held):
    now = at(when)
    matter = fold(entries, decisions, currency="USD", now=now)
    return telling.plan(matter, told or {}, reach=reach, owner=ANA, now=now, **held)[0]


def waiting(plan: telling.Plan) -> dict[str, str]:
    """What is kept of a notification until it is told."""
    return {**plan.snapshot, **plan.holds}


def known(entries, when: str, decisions=()) -> dict[str, str]:
    matter = fold(entries, decisions, currency="USD", now=at(when))
    return {key: item.value for key, item in telling.items(matter, at(when)).items()}


def test_the_story_speaks_three_times() -> None:
    story, spoken = the_story(), []
    told: dict[str, str] = {}
    for index, said in enumerate(story):
        plan = plan_at(story[: index + 1], said.said.said_at.strftime("%d %H:%M"), told)
        if plan is not None:
            spoken.append((plan.reason, plan.level, plan.because))
            told = plan.snapshot
    assert spoken == [
        ("booked", Level.FEED, ("c2",)),
        ("reaching_out", Level.INTERRUPT, ("c3",)),
        ("done", Level.FEED, ("e1b",)),
    ]


BOOKED = [invite("a", "10 10:00", MORNING)]


@pytest.mark.parametrize(
    ("news", "when", "reason", "level", "hold_s"),
    [
        (mail("x", "13 07:00", AFTERNOON), "13 07:00", "moved", Level.INTERRUPT, 30),
        (mail("x", "11 07:00", AFTERNOON), "11 07:00", "moved", Level.INTERRUPT, 120),
        (progress("x", "13 07:00", Stage.CANCELLED), "13 07:00", "cancelled", Level.INTERRUPT, 30),
        (progress("x", "11 07:00", Stage.CANCELLED), "11 07:00", "cancelled", Level.INTERRUPT, 120),
        (progress("x", "13 07:30", Stage.ON_THE_WAY), "13 07:30", "on_the_way", Level.INTERRUPT, 0),
        (progress("x", "13 12:30", Stage.MISSED), "13 12:30", "not_here", Level.INTERRUPT, 0),
        (mail("x", "11 07:00", facts=(fee("49.00"),)), "11 07:00", "money", Level.FEED, 900),
        (
            entry("x", "11 07:00", asks=(AskClaim(fact="account"),)),
            "11 07:00",
            "asked",
            Level.FEED,
            900,
        ),
        (entry("x", "11 07:00", is_safety=True), "11 07:00", "safety", Level.INTERRUPT, 0),
    ],
)
def test_speaks_on_change_with_its_hold(news, when, reason, level, hold_s) -> None:
    if reason == "not_here":
        news = mail("x", "11 07:00", MORNING)
    plan = plan_at([*BOOKED, news], when, known(BOOKED, "10 10:00"))
    assert (plan.reason, plan.level) == (reason, level)
    assert plan.not_before == at(when) + timedelta(seconds=hold_s)


@pytest.mark.parametrize(
    "news",
    [
        mail("x", "11 07:00", MORNING),
        progress("x", "11 07:00", Stage.CONFIRMED),
        progress("x", "13 09:00", Stage.STARTED),
        entry("x", "11 07:00", body="Some words."),
    ],
)
def test_says_nothing_when_nothing_changed_for_the_owner(news) -> None:
    assert plan_at([*BOOKED, news], "11 07:30", known(BOOKED, "10 10:00")) is None


def test_there_and_back_inside_the_hold_says_nothing() -> None:
    there = invite("b", "11 07:00", AFTERNOON, sequence=1)
    back = invite("c", "11 07:01", MORNING, sequence=2)
    told = known(BOOKED, "10 10:00")
    assert plan_at([*BOOKED, there], "11 07:00", told) is not None
    assert plan_at([*BOOKED, there, back], "11 07:01", told) is None


def test_a_change_slides_the_hold_at_most_ten_minutes() -> None:
    told = known(BOOKED, "10 10:00")
    moved = [*BOOKED, mail("b", "11 07:00", AFTERNOON)]
    first = plan_at(moved, "11 07:00", told)
    again = [*moved, mail("c", "11 07:09", window("13 14:00", "13 18:00"))]
    second = plan_at(
        again,
        "11 07:09",
        told,
        planned=waiting(first),
    )
    assert second.not_before == at("11 07:10")


def test_who_was_told_booked_is_told_cancelled_and_nobody_else() -> None:
    cancelled = [*BOOKED, progress("x", "11 07:00", Stage.CANCELLED)]
    assert plan_at(cancelled, "11 07:00", known(BOOKED, "10 10:00")).reason == "cancelled"
    assert plan_at(cancelled, "11 07:00", {}) is None


def test_the_end_of_what_was_told_is_told_softly_where_all_was_switched_off_since() -> None:
    cancelled = [*BOOKED, progress("x", "12 20:00", Stage.CANCELLED)]
    silent = replace(REACH, rules={topic: Wish(Moment.NEVER) for topic in Topic})
    told = known(BOOKED, "10 10:00")
    plan = plan_at(cancelled, "12 20:00", told, reach=silent)
    assert (plan.reason, plan.level) == ("cancelled", Level.FEED)
    # Who never heard of the visit need not hear of its end.
    untold = told | {f"{telling.UNTOLD}{key}": "never" for key in told}
    assert plan_at(cancelled, "12 20:00", untold, reach=silent) is None


@pytest.mark.parametrize(
    ("when", "level"), [("10 10:00", Level.FEED), ("12 09:00", Level.INTERRUPT)]
)
def test_a_first_booking_interrupts_only_within_a_day(when, level) -> None:
    assert plan_at([invite("a", when, MORNING)], when).level == level


def test_a_log_in_plain_fields_is_not_told_back_to_who_wrote_it() -> None:
    said = log("c", "10 10:00", visit=Visit(window=MORNING), owner=ANA)
    assert plan_at([said], "10 10:00") is None
    matter = fold([said], currency="USD", now=at("10 10:00"))
    other, _silent = telling.plan(matter, {}, reach=REACH, owner=2, now=at("10 10:00"))
    assert other is not None
    assert other.level == Level.FEED


def test_what_the_owner_decided_is_not_told_back() -> None:
    decided = Decided(id="d", name="decline", at=at("11 07:00"), owner=ANA)
    assert plan_at(BOOKED, "11 07:00", known(BOOKED, "10 10:00"), [decided]) is None


@pytest.mark.parametrize("moment", [Moment.NEVER, Moment.WEEK])
def test_the_reach_matrix_keeps_a_topic_quiet(moment) -> None:
    reach = Reach(zone=NEW_YORK, rules={Topic.CHANGED: Wish(moment)})
    assert plan_at(BOOKED, "12 09:00", reach=reach) is None


def test_a_matched_recall_ignores_the_reach_matrix_and_quiet_hours() -> None:
    reach = Reach(
        zone=NEW_YORK,
        rules={Topic.FAILED: Wish(Moment.NEVER)},
        quiet_from=time(22),
        quiet_until=time(8),
    )
    exact = (FactClaim(name="match", value="vin"),)
    said = [entry("x", "11 23:00", is_safety=True, kind=ContactKind.RECALL, facts=exact)]
    plan = plan_at(said, "11 23:00", reach=reach)
    assert telling.release(plan, reach=reach, now=at("11 23:00")) == at("11 23:00")


@pytest.mark.parametrize(
    ("visit", "may_interrupt"),
    [
        (window("13 07:00", "13 09:00"), True),
        (window("13 09:59", "13 11:00"), True),
        (window("13 10:00", "13 12:00"), False),
        (window("19 07:00", "19 09:00"), False),
    ],
)
def test_a_voicemail_at_night_interrupts_only_for_a_visit_at_dawn(visit, may_interrupt) -> None:
    story = [invite("a", "10 10:00", visit), voicemail("v", "12 23:30", "we will come")]
    plan = plan_at(story, "12 23:30", known(story[:1], "10 10:00"))
    assert plan.level == Level.INTERRUPT
    free = telling.release(plan, reach=REACH, now=at("12 23:30"))
    assert free == (at("12 23:30") if may_interrupt else at("13 08:00"))


def test_quiet_hour_exceptions_can_be_switched_off() -> None:
    strict = Reach(
        zone=NEW_YORK, quiet_from=time(22), quiet_until=time(8), has_quiet_exceptions=False
    )
    story = [
        invite("a", "10 10:00", window("13 07:00", "13 09:00")),
        voicemail("v", "12 23:30", "we will come"),
    ]
    plan = plan_at(story, "12 23:30", known(story[:1], "10 10:00"), reach=strict)
    assert telling.release(plan, reach=strict, now=at("12 23:30")) == at("13 08:00")


def test_done_waits_for_the_digest_slot() -> None:
    plan = plan_at(the_story(), "13 11:45", known(the_story()[:9], "13 11:00"))
    assert (plan.reason, plan.not_before) == ("done", at("13 18:00"))


def test_nobody_here_five_minutes_after_the_end() -> None:
    told = known(BOOKED, "10 10:00")
    assert plan_at(BOOKED, "13 12:04", told) is None
    assert plan_at(BOOKED, "13 12:05", told).reason == "not_here"


def test_a_price_within_the_card_is_not_news() -> None:
    priced = [*BOOKED, mail("b", "10 11:00", facts=(fee("49.00"),))]
    due = mail("c", "10 12:00", facts=(FactClaim(name="total", money=fee("49.00").money),))
    assert plan_at([*priced, due], "10 12:30", known(priced, "10 11:00")) is None


def test_an_empty_matter_has_nothing_to_tell() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    reach = Reach(zone=ZoneInfo("UTC"))
    assert telling.plan(Matter(), {}, reach=reach, owner=ANA, now=now) == (None, {})


def at_place(name: str, when: str, place: str, sequence: int) -> Entry:
    visit = Visit(
        window=MORNING, uid="job-1", sequence=sequence, dtstamp=at(when), place=place, zone="UTC"
    )
    return entry(name, when, visit=visit, trust=Trust.SIGNED)


@pytest.mark.parametrize(
    ("when", "level", "hold_s"),
    [("11 09:00", Level.FEED, 120), ("13 07:00", Level.INTERRUPT, 30)],
)
def test_another_place_is_told_and_the_first_one_is_not(when, level, hold_s) -> None:
    booked = [at_place("a", "10 10:00", "Main St 1", 0)]
    told = known(booked, "10 10:00")
    assert plan_at(booked, "10 10:30", {**told, "place:job-1": ""}) is None
    plan = plan_at([*booked, at_place("x", when, "The shop", 1)], when, told)
    assert (plan.reason, plan.level, plan.because) == ("place", level, ("x",))
    assert plan.not_before == at(when) + timedelta(seconds=hold_s)


def test_a_visit_that_is_over_does_not_move() -> None:
    done = [*BOOKED, progress("d", "13 11:00", Stage.DONE)]
    told = known(done, "13 11:00")
    assert (
        plan_at([*done, invite("x", "13 11:10", AFTERNOON, sequence=1)], "13 11:10", told) is None
    )


def test_what_waits_for_the_slot_does_not_go_with_what_comes_before_it() -> None:
    done = [*BOOKED, progress("d", "13 11:00", Stage.DONE)]
    told = known(BOOKED, "13 10:00")
    slot = plan_at(done, "13 11:00", told)
    assert (slot.reason, slot.not_before) == ("done", at("13 18:00"))
    billed = [*done, mail("i", "13 12:00", facts=(fee("49.00"),))]
    held = {"planned": waiting(slot)}
    plan = plan_at(billed, "13 12:00", told, **held)
    assert (plan.reason, plan.because, plan.not_before) == ("money", ("i",), at("13 12:15"))
    left = plan_at(billed, "13 12:15", plan.snapshot)
    assert (left.reason, left.not_before) == ("done", at("13 18:00"))
    both = plan_at(billed, "13 12:05", told, is_looking=True, **held)
    assert (both.because, both.not_before) == (("i", "d"), at("13 12:05"))


def test_lateness_interrupts_once() -> None:
    def late(name: str, when: str, *hours: str) -> Entry:
        visit = Visit(stage=Stage.ON_THE_WAY, uid="job-1", at=at(when))
        return entry(name, when, visit=visit, eta=window(*hours), trust=Trust.SIGNED)

    first = [*BOOKED, late("e1", "13 09:00", "13 12:00", "13 13:00")]
    told = known(BOOKED, "13 08:30")
    plan = plan_at(first, "13 09:00", told)
    assert (plan.reason, plan.level) == ("late", Level.INTERRUPT)
    again = plan_at(
        [*first, late("e2", "13 09:10", "13 13:00", "13 14:00")], "13 09:10", plan.snapshot
    )
    assert (again.reason, again.level) == ("late", Level.FEED)


def test_what_expired_is_not_said_with_what_holds() -> None:
    asked = entry("q", "11 07:00", asks=(AskClaim(fact="colour"),), expires_at=at("11 07:05"))
    told = known(BOOKED, "10 10:00")
    plan = plan_at([*BOOKED, asked, mail("i", "11 07:10", facts=(fee("9.00"),))], "11 07:10", told)
    assert plan.because == ("i",)


def test_a_bill_is_told_with_its_day_until_it_is_paid() -> None:
    due = FactClaim(name="due_on", value="2026-11-20")
    told = known([*BOOKED, mail("f", "11 06:00", facts=(fee("49.00"),))], "11 06:30")
    bill = entry("i", "11 07:00", type="invoice.issued", facts=(fee("49.00"), due))
    plan = plan_at([*BOOKED, bill], "11 07:00", told)
    assert (plan.reason, plan.because) == ("due", ("i",))
    paid = entry("p", "11 07:05", type="invoice.paid", status="paid")
    assert plan_at([*BOOKED, bill, paid], "11 07:05", told) is None


def test_a_delivery_shows_that_it_came_without_a_word() -> None:
    parcel = Visit(window=MORNING, uid="t", kind="delivery")
    came = Visit(stage=Stage.DONE, uid="t", kind="delivery", at=at("13 10:00"))
    booked = [entry("a", "10 10:00", visit=parcel, trust=Trust.SIGNED)]
    told = known(booked, "10 10:00")
    done = [*booked, entry("d", "13 10:00", visit=came, trust=Trust.SIGNED)]
    assert plan_at(done, "13 10:00", told) is None


def test_what_ends_without_a_visit_is_told_once() -> None:
    number = (Key(scheme="order", value="O-1"),)
    order = entry("o", "10 10:00", type="order.created", status="new", keys=number)
    ended = entry("x", "11 07:00", type="order.cancelled", status="cancelled", keys=number)
    again = entry("y", "11 08:00", type="order.cancelled", status="cancelled", keys=number)
    plan = plan_at([order, ended], "11 07:00", known([order], "10 10:00"))
    assert (plan.reason, plan.level, plan.because) == ("notice", Level.FEED, ("x",))
    assert plan_at([order, ended, again], "11 08:00", plan.snapshot) is None


@pytest.mark.parametrize(
    ("match", "asset", "told_at"),
    [("serial", DVR, "11 23:00"), ("class", DVR, "12 08:00"), ("serial", "", "12 08:00")],
)
def test_only_a_recall_of_the_very_thing_goes_through_quiet_hours(match, asset, told_at) -> None:
    recall = entry(
        *("r", "11 23:00"),
        kind=ContactKind.RECALL,
        asset=asset,
        is_safety=True,
        facts=(FactClaim(name="match", value=match),),
    )
    plan = plan_at([recall], "11 23:00")
    assert telling.release(plan, reach=REACH, now=at("11 23:00")) == at(told_at)


@pytest.mark.parametrize(
    ("day", "level"), [("2026-11-12", Level.INTERRUPT), ("2026-11-20", Level.FEED)]
)
def test_a_bill_interrupts_only_when_it_must_be_paid_within_a_day(day, level) -> None:
    wishes = replace(REACH, rules={Topic.MONEY: Wish(Moment.NOW)})
    bill = entry("i", "11 07:00", facts=(FactClaim(name="due_on", value=day),))
    assert plan_at([bill], "11 07:00", reach=wishes).level == level
    assert plan_at([bill], "11 07:00").level == Level.FEED
