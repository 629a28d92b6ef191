"""How long each change is held before it is told: every row of rule 4."""

from datetime import timedelta

import pytest

from notifications import telling
from notifications.merging import fold
from owners.choices import ChannelKind, Trust
from owners.reach import Reach
from suppliers.choices import Stage
from suppliers.contacts import AskClaim, FactClaim, Visit
from tests.rules.said import (
    AFTERNOON,
    MORNING,
    NEW_YORK,
    at,
    entry,
    fee,
    invite,
    log,
    mail,
    progress,
    voicemail,
    window,
)

REACH = Reach(zone=NEW_YORK, prefers=ChannelKind.SMS, channels=(ChannelKind.SMS,))
BOOKED = [invite("a", "10 10:00", MORNING)]
PRICED = [*BOOKED, mail("p", "10 10:05", facts=(fee("49.00"),))]


def known(entries) -> dict[str, str]:
    now = at("10 11:00")
    matter = fold(entries, currency="USD", now=now)
    return {key: item.value for key, item in telling.items(matter, now).items()}


def planned(entries, now, told, before=None, owner=2):
    matter = fold(entries, currency="USD", now=now)
    kept = {**before.snapshot, **before.holds} if before else None
    return telling.plan(matter, told, reach=REACH, owner=owner, now=now, planned=kept)[0]


def weak(name: str, when: str, **said):
    return entry(name, when, trust=Trust.UNAUTHENTICATED, **said)


@pytest.mark.parametrize(
    ("before", "news", "minutes"),
    [
        # somebody tries to reach the owner, or arrives; safety; the owner's own log: at once
        (BOOKED, voicemail("x", "13 07:00", "we come"), 0),
        (BOOKED, progress("x", "13 07:30", Stage.ON_THE_WAY), 0),
        (BOOKED, entry("x", "11 09:00", is_safety=True), 0),
        ([], log("x", "10 12:00", visit=Visit(window=MORNING), is_from_text=True), 0),
        # cancelled or changed, the old or the new start within 24 hours: 30 seconds
        (BOOKED, progress("x", "13 07:00", Stage.CANCELLED), 0.5),
        (BOOKED, mail("x", "13 07:00", AFTERNOON), 0.5),
        (BOOKED, mail("x", "12 09:00", window("19 08:00", "19 12:00")), 0.5),
        (BOOKED, mail("x", "11 09:00", window("11 15:00", "11 18:00")), 0.5),
        (BOOKED, weak("x", "13 07:00", visit=Visit(window=AFTERNOON)), 0.5),
        # other changes: two minutes
        (BOOKED, progress("x", "11 09:00", Stage.CANCELLED), 2),
        (BOOKED, mail("x", "11 09:00", AFTERNOON), 2),
        (BOOKED, weak("x", "11 09:00", visit=Visit(window=AFTERNOON)), 2),
        (PRICED, mail("x", "11 09:00", facts=(fee("59.00"),)), 2),
        # the first booking: two minutes
        ([], invite("x", "10 12:00", MORNING), 2),
        ([], invite("x", "12 12:00", MORNING), 2),
        # information: fifteen minutes
        (BOOKED, mail("x", "11 09:00", facts=(fee("49.00"),)), 15),
        (BOOKED, mail("x", "11 09:00", facts=(FactClaim(name="due_on", value="2026-12-01"),)), 15),
        (BOOKED, entry("x", "11 09:00", asks=(AskClaim(fact="account"),)), 15),
        # done: the digest slot, 18:00
        (BOOKED, progress("x", "13 11:30", Stage.DONE), 6.5 * 60),
    ],
)
def test_every_change_has_its_hold(before, news, minutes) -> None:
    now = news.said.said_at
    plan = planned([*before, news], now, known(before) if before else {})
    assert plan.not_before - now == timedelta(minutes=minutes)


MOVES = [
    mail(f"m{minute}", f"11 09:{minute:02}", window(f"13 {12 + index}:00", "13 20:00"))
    for index, minute in enumerate((0, 1, 3, 5, 7, 9))
]


def held(story, minutes: list[int], told) -> list[float]:
    """When the notification would be told, seen at each of these minutes after 09:00."""
    plan, found = None, []
    for minute in minutes:
        now = at(f"11 09:{minute:02}")
        plan = planned([e for e in story if e.said.said_at <= now], now, told, plan)
        found.append((plan.not_before - at("11 09:00")) / timedelta(minutes=1))
    return found


PRICE = mail("i", "11 09:00", facts=(fee("49.00"),))
LATE_PRICE = mail("i", "11 09:01", facts=(fee("49.00"),))
OTHER_PRICE = mail("j", "11 09:08", facts=(fee("59.00"),))
ASK = entry("q", "11 09:06", asks=(AskClaim(fact="account"),))


@pytest.mark.parametrize(
    ("story", "minutes", "ends"),
    [
        # other changes slide, at most ten minutes
        (MOVES[:2], [0, 1], [2, 3]),
        (MOVES, [0, 1, 3, 5, 7, 9], [2, 3, 5, 7, 9, 10]),
        # looking again does not slide
        (MOVES[:1], [0, 1], [2, 2]),
        # information holds fifteen minutes, whatever else is said of it
        ([PRICE], [0, 9, 12], [15, 15, 15]),
        ([PRICE, ASK], [0, 6, 10], [15, 15, 15]),
        ([PRICE, OTHER_PRICE], [0, 8], [15, 15]),
        # what comes beside it neither hurries a change nor is hurried past its own end
        ([*MOVES[:1], LATE_PRICE], [0, 1], [2, 2]),
        ([PRICE, *MOVES[5:]], [0, 9], [15, 11]),
        # safety is told at once, and what waits goes with it
        ([PRICE, entry("s", "11 09:06", is_safety=True)], [0, 6], [15, 6]),
    ],
)
def test_only_other_changes_slide(story, minutes, ends) -> None:
    assert held([*BOOKED, *story], minutes, known(BOOKED)) == ends


def test_a_first_booking_does_not_slide() -> None:
    first = invite("a", "11 09:00", MORNING)
    again = invite("b", "11 09:01", AFTERNOON, sequence=1)
    assert held([first, again], [0, 1], {}) == [2, 2]
