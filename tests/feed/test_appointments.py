"""The dialogue about a visit: pick, perhaps, call off, other times, and a yes that is void."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from notifications import feed, journeys
from notifications.feed import ActionError
from notifications.models import Appointment, Card, Journey
from owners import clock
from suppliers import inbox
from suppliers.models import OutboundEvent
from tests.factories import Cast
from tests.wire import sending

pytestmark = pytest.mark.django_db
Say = Callable[..., Journey]
REFS = [{"scheme": "order", "value": "4471"}]


@pytest.fixture
def minutes() -> Iterator[int]:
    """Everything happens five minutes after what happened before."""
    return iter(range(0, 500, 5))


@pytest.fixture
def say(cast: Cast, now: datetime, minutes: Iterator[int]) -> Say:
    """Let Skyline say something by its webhook and the rules decide; returns the journey."""

    def send(type_: str, **data: Any) -> Journey:
        number = next(minutes)
        at = now + timedelta(minutes=number)
        said = {"owner": cast.mandate.owner_ref, "refs": REFS, **data}
        body = sending.event(cast, number, type=type_, time=at.isoformat(), data=said)
        assert sending.post(body, at=at, now=at).status_code == 202
        inbox.process_due(now=at)
        feed.consolidate_due(now=at)
        return Journey.objects.get()

    return send


@pytest.fixture
def act(cast: Cast, now: datetime, minutes: Iterator[int]) -> Callable[..., Journey]:
    def do(name: str, **data: Any) -> Journey:
        journey, at = Journey.objects.get(), now + timedelta(minutes=next(minutes))
        return feed.act(owner=cast.ana, journey=journey, name=name, data=data, now=at)

    return do


def window(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + timedelta(hours=4)).isoformat()}


def visit(start: datetime, *, sequence: int = 0, **more: Any) -> dict[str, Any]:
    stamp = start - timedelta(days=30) + timedelta(hours=sequence)
    return {
        "uid": "job-1", "sequence": sequence, "dtstamp": stamp.isoformat(),
        **window(start), "zone": "America/New_York", "kind": "visit", **more,
    }  # fmt: skip


def offered() -> dict[str, dict[str, Any]]:
    return {action["name"]: action for action in Card.objects.get().body["actions"]}


def offer(say: Say, now: datetime, *, request: str = "req-14") -> None:
    first = now + timedelta(days=2)
    say(
        "appointment.slots_offered",
        requestId=request,
        holdUntil=(now + timedelta(days=1)).isoformat(),
        slots=[
            {"slotId": "b", **window(first + timedelta(days=1))},
            {"slotId": "a", **window(first)},
        ],
    )


def test_a_picked_time_is_told_under_its_suppliers_names_and_its_booking_brings_no_news(
    say: Say, act: Callable[..., Journey], cast: Cast, now: datetime, client: Client
) -> None:
    offer(say, now)
    picks = [a for a in Card.objects.get().body["actions"] if a["name"] == "pick"]
    assert [pick["fields"][0]["value"] for pick in picks] == ["a", "b"]  # the earliest first
    client.force_login(cast.ana)
    with clock.fixed(now + timedelta(minutes=30)):
        assert picks[0]["label"] in client.get("/").content.decode()
    journey = act("pick", slot="b")
    sent = OutboundEvent.objects.get(type="owner.appointment.slot_selected")
    assert (sent.data["requestId"], sent.data["slotId"]) == ("req-14", "b")
    start = now + timedelta(days=3)
    assert datetime.fromisoformat(sent.data["start"]) == start
    journey.refresh_from_db()
    assert journey.turn == "supplier"
    assert "pick" not in offered()
    with pytest.raises(ActionError):
        act("pick", slot="a")
    say("appointment.requested", **visit(start))
    found = Appointment.objects.get()
    assert (found.start, found.state) == (start, "booked")
    assert "accept" not in offered()  # she said so herself


@pytest.mark.parametrize(("slot", "hours"), [("c", 1), ("a", 25)])
def test_a_time_that_is_not_offered_or_no_longer_held_cannot_be_picked(
    say: Say, cast: Cast, now: datetime, slot: str, hours: int
) -> None:
    offer(say, now)
    with pytest.raises(ActionError):
        feed.act(
            owner=cast.ana,
            journey=Journey.objects.get(),
            name="pick",
            data={"slot": slot},
            now=now + timedelta(hours=hours),
        )
    assert not OutboundEvent.objects.filter(type__contains="slot").exists()


def test_a_yes_is_void_when_the_time_moves_and_the_owner_is_asked_anew(
    say: Say, act: Callable[..., Journey], now: datetime
) -> None:
    start = now + timedelta(days=4)
    say("appointment.requested", **visit(start))
    say("appointment.confirmed", uid="job-1", sequence=0, dtstamp=now.isoformat())
    journey = act("accept")
    assert {"accept", "tentative"}.isdisjoint(offered())
    (shown,) = journeys.describe(journey, now=now)["appointments"]
    assert (shown["is_agreed"], shown["state"]) == (True, "confirmed")
    later = now + timedelta(hours=2)
    say("appointment.updated", **visit(start + timedelta(days=1), sequence=1))
    journey.refresh_from_db()
    (shown,) = journeys.describe(journey, now=later)["appointments"]
    assert (shown["is_agreed"], shown["state"]) == (False, "booked")
    assert {"accept", "tentative", "decline"} <= offered().keys()
    act("accept")
    sent = OutboundEvent.objects.filter(type="owner.appointment.accepted").order_by("pk")
    assert [event.data["sequence"] for event in sent] == [0, 1]


@pytest.mark.parametrize("name", ["accept", "tentative", "decline", "cancel"])
def test_an_answer_leaves_what_was_said_as_it_was_and_shows_it_once(
    say: Say, act: Callable[..., Journey], now: datetime, name: str
) -> None:
    say("appointment.requested", **visit(now + timedelta(days=4)))
    before = Card.objects.get().body["thread"]
    assert [knot["outcome"] for knot in before] == ["shown"]
    act(name)
    assert Card.objects.get().body["thread"] == before


def test_perhaps_is_told_and_a_yes_or_a_no_still_comes(
    say: Say, act: Callable[..., Journey], now: datetime
) -> None:
    say("appointment.requested", **visit(now + timedelta(days=4)))
    act("tentative")
    assert OutboundEvent.objects.get().type == "owner.appointment.tentative"
    assert {"accept", "decline"} <= offered().keys()


def test_what_was_agreed_is_called_off_and_may_be_booked_anew(
    say: Say, act: Callable[..., Journey], now: datetime
) -> None:
    start = now + timedelta(days=4)
    say("appointment.requested", **visit(start))
    act("accept")
    assert "cancel" in offered()
    assert "decline" not in offered()
    act("cancel")
    assert Appointment.objects.get().state == "cancelled"
    sent = OutboundEvent.objects.latest("pk")
    assert (sent.type, sent.data["uid"]) == ("owner.appointment.cancelled", "job-1")
    with pytest.raises(ActionError):
        act("cancel")
    say("appointment.reminder", uid="job-1", at=now.isoformat())
    assert Appointment.objects.get().state == "cancelled"
    say("appointment.updated", **visit(start + timedelta(days=7), sequence=1))
    found = Appointment.objects.get()
    assert (found.start, found.state) == (start + timedelta(days=7), "booked")


def test_three_other_times_go_out_from_the_page_and_a_fourth_does_not(
    say: Say, cast: Cast, now: datetime, client: Client
) -> None:
    say("appointment.requested", **visit(now + timedelta(days=4)))
    journey = Journey.objects.get()
    client.force_login(cast.ana)
    given = {"name": "counter", "day": "2026-11-20", "opens": "08:00", "closes": "10:00"}
    given |= {"day2": "2026-11-21", "opens2": "09:00", "closes2": "11:00"}
    given |= {"day3": "2026-11-22", "opens3": "10:00", "closes3": "12:00"}
    with clock.fixed(now + timedelta(hours=1)):
        client.post(f"/journeys/{journey.uuid}/act/", given)
    sent = OutboundEvent.objects.get()
    assert sent.type == "owner.appointment.countered"
    assert [one["start"][:10] for one in sent.data["windows"]] == [
        "2026-11-20", "2026-11-21", "2026-11-22",
    ]  # fmt: skip
    four = [window(now + timedelta(days=day)) for day in range(1, 5)]
    act = partial(feed.act, owner=cast.ana, journey=journey, now=now + timedelta(hours=1))
    with pytest.raises(ActionError):
        act(name="counter", data={"windows": four})


def test_without_a_visit_one_is_asked_for(
    say: Say, act: Callable[..., Journey], now: datetime
) -> None:
    say("message.created", body="We have the part.")
    act("request", windows=[window(now + timedelta(days=2))])
    sent = OutboundEvent.objects.get()
    assert (sent.type, len(sent.data["windows"])) == ("owner.appointment.requested", 1)
