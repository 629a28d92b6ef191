"""How much one channel may bring in a day: what is over that is put off, and never dropped."""

from datetime import time, timedelta

import pytest

from notifications import ladder
from owners.choices import ChannelKind, Topic
from owners.reach import Reach
from tests.rules.said import NEW_YORK, at

NOW = at("11 12:00")
HOUR = timedelta(hours=1)
SMS, EMAIL, PUSH, VOICE = (
    ChannelKind.SMS,
    ChannelKind.EMAIL,
    ChannelKind.PUSH,
    ChannelKind.VOICE,
)


def reach(*channels: ChannelKind, **other) -> Reach:
    return Reach(zone=NEW_YORK, prefers=channels[0], channels=channels, **other)


def climbed(wishes: Reach, sent, *, topic=Topic.CHANGED, deadline=None, sounded=frozenset()):
    full = ladder.room(reach=wishes, sent=sent, now=NOW)
    room = ladder.Room(full=full, sounded=sounded)
    found = ladder.steps(reach=wishes, topic=topic, deadline=deadline, now=NOW, taken=room)
    return [(step.kind, step.at) for step in found]


def ago(*hours: float):
    return [NOW - HOUR * number for number in hours]


@pytest.mark.parametrize(
    ("caps", "sent", "expected"),
    [
        ({}, ago(1, 2), {}),
        ({}, ago(1, 2, 3), {SMS: NOW + HOUR * 21}),
        ({}, ago(1, 2, 24), {}),  # a day has passed
        ({SMS: 1}, ago(5), {SMS: NOW + HOUR * 19}),
        ({SMS: 1}, ago(1, 2, 5), {SMS: NOW + HOUR * 23}),
        ({SMS: 0}, [], {SMS: None}),
        ({EMAIL: 2}, [], {}),
    ],
)
def test_a_channel_is_full_after_as_many_as_it_may_take_in_a_day(caps, sent, expected) -> None:
    assert ladder.room(reach=reach(SMS, EMAIL, caps=caps), sent={SMS: sent}, now=NOW) == expected


def test_mail_is_never_full_unless_its_owner_says_so() -> None:
    sent = {EMAIL: ago(*range(1, 20))}
    assert ladder.room(reach=reach(EMAIL), sent=sent, now=NOW) == {}
    limited = reach(EMAIL, caps={EMAIL: 5})
    assert ladder.room(reach=limited, sent=sent, now=NOW) == {EMAIL: NOW + HOUR * 19}


def test_a_full_channel_leaves_its_place_to_the_next() -> None:
    assert climbed(reach(SMS, EMAIL), {SMS: ago(1, 2, 3)}) == [(EMAIL, NOW)]


def test_where_all_are_full_it_waits_for_room_and_is_not_dropped() -> None:
    assert climbed(reach(SMS), {SMS: ago(1, 2, 3)}) == [(SMS, NOW + HOUR * 21)]


def test_room_in_the_night_waits_for_its_end() -> None:
    night = {"quiet_from": time(8), "quiet_until": time(11)}
    assert climbed(reach(SMS, **night), {SMS: ago(1, 2, 3)}) == [(SMS, NOW + HOUR * 23)]


@pytest.mark.parametrize(("hours", "put_off"), [(23, 21), (22, 21), (21.5, 0), (5, 0)])
def test_a_cap_never_makes_anybody_miss_a_deadline(hours, put_off) -> None:
    found = climbed(reach(SMS), {SMS: ago(1, 2, 3)}, deadline=NOW + HOUR * hours)
    assert found == [(SMS, NOW + HOUR * put_off)]


@pytest.mark.parametrize(
    ("topic", "is_heard_anyway", "expected"),
    [
        (Topic.CHANGED, False, True),
        (Topic.MONEY, False, True),
        (Topic.CHANGED, True, False),  # a recall, an emergency that the member allowed
        (Topic.ARRIVING, False, False),
        (Topic.FAILED, False, False),
    ],
)
def test_who_is_at_the_door_is_never_put_off(topic, is_heard_anyway, expected) -> None:
    assert ladder.is_capped(topic=topic, is_heard_anyway=is_heard_anyway) is expected


def test_a_channel_that_is_wanted_for_nothing_is_not_waited_for() -> None:
    assert climbed(reach(SMS, EMAIL, caps={SMS: 0}), {}) == [(EMAIL, NOW)]
    assert climbed(reach(SMS, caps={SMS: 0}), {}) == []


def test_a_call_about_one_matter_comes_once_unless_calls_are_preferred() -> None:
    deadline = NOW + HOUR * 6
    once = climbed(reach(SMS, VOICE, EMAIL), {}, deadline=deadline, sounded=frozenset({VOICE}))
    assert [kind for kind, _ in once] == [SMS, EMAIL]
    preferred = climbed(reach(VOICE, EMAIL), {}, deadline=deadline, sounded=frozenset({VOICE}))
    assert [kind for kind, _ in preferred] == [VOICE, EMAIL]
