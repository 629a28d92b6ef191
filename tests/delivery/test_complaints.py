"""What users of other systems complained of, one test each: here it does not happen.

The numbers are those of the table "What hurts users" in the reference on notifications.
"""

import ast
import inspect
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Task
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config import health
from config.celery import app
from notifications import (
    caps,
    claims,
    delivery,
    digests,
    feed,
    feed_page,
    messages,
    pipeline,
    telling,
    transports,
)
from notifications.choices import DeliveryState, NotificationState, PushService
from notifications.models import (
    Attempt,
    Card,
    Delivery,
    Digest,
    Journey,
    Notification,
    Receipt,
)
from owners import clock, doorbell
from owners.choices import ChannelKind, Moment, Scope, Topic
from owners.models import Membership, ReachRule
from owners.reach import DEFAULT_CAPS, Reach, next_digest, quiet_end
from suppliers import inbox
from suppliers.choices import Outcome
from suppliers.models import Contact, InboundEvent
from tests.delivery import app_services, push_service
from tests.delivery.conftest import Mailbox
from tests.delivery.test_delivery import minutes, seconds, text_of, waiting
from tests.delivery.test_digests import SLOT, at_the_door
from tests.delivery.test_kills import device, foreign_threads, killed_at
from tests.delivery.twilio import Twilio
from tests.factories import (
    START,
    CardFactory,
    Cast,
    DeliveryFactory,
    JourneyFactory,
    NotificationFactory,
)
from tests.feed.test_feed import say, visit  # noqa: F401 - a fixture
from tests.wire.sending import event, post

Say = Callable[..., Contact]
ROOT = Path(__file__).resolve().parents[2]
OURS = ("config", "owners", "assets", "suppliers", "notifications")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOON = START + 5 * HOUR  # a visit so near interrupts
ONCE = pytest.mark.django_db
AT_ONCE = pytest.mark.django_db(transaction=True)


def together(number: int, work: Callable[[int], object]) -> None:
    """Do something in so many threads at the same moment; what fails there fails here."""
    gate, failed = threading.Barrier(number), []

    def run(index: int) -> None:
        try:
            gate.wait(20)
            work(index)
        except Exception as error:  # noqa: BLE001 - raised below
            failed.append(error)
        finally:
            transports.close()
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed


@pytest.fixture
def told(cast: Cast) -> Notification:
    journey = JourneyFactory.create(household=cast.household)
    CardFactory.create(journey=journey)
    return NotificationFactory.create(journey=journey, owner=cast.ana, text="They come at 08:00.")


def texted(twilio: Twilio) -> list[str]:
    """Return the first line of every SMS."""
    return [body.split("\n")[0] for body in twilio.bodies()]


# Windows


@AT_ONCE
def test_fifty_events_of_one_second_are_one_card_and_one_message(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
) -> None:
    """Complaint 1: two events in one second made two or more copies of the digest."""
    for _ in range(50):
        say("appointment.requested", decide=False, **visit(SOON))
    Contact.objects.update(decided_at=None)
    together(4, lambda _: feed.consolidate_due(now=START))
    later = START + minutes(10)
    together(4, lambda _: feed.tell_due(now=later))
    together(2, lambda _: delivery.deliver_due(now=later))
    assert Contact.objects.filter(outcome=Outcome.ABSORBED).count() == 49
    assert (Journey.objects.count(), Card.objects.count()) == (1, 1)
    assert len(twilio.taken) == 1


@ONCE
def test_what_may_be_told_only_later_does_not_join_what_is_told_now(
    cast: Cast,
    say: Say,  # noqa: F811
) -> None:
    """Complaint 2: delayed events joined the window early, and it was sent twice."""
    held = say("message.created", decide=False, body="We call you back.")
    Contact.objects.filter(pk=held.pk).update(not_before=START + minutes(3))
    say("appointment.requested", **visit(SOON))
    feed.tell_due(now=START + minutes(2))
    held.refresh_from_db()
    assert held.decided_at is None
    (told,) = Notification.objects.filter(state=NotificationState.TOLD)
    assert str(held.uuid) not in str(told.because)
    feed.consolidate_due(now=START + minutes(3))
    held.refresh_from_db()
    assert held.decided_at == START + minutes(3)
    for _ in range(2):
        feed.tell_due(now=START + HOUR)
    first_steps = Delivery.objects.filter(notification=told, step=0)
    assert first_steps.count() == 1


@ONCE
def test_every_step_run_twice_gives_the_same(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
) -> None:
    """Complaint 3: a retried step found itself, merged into itself and sent nothing."""
    say("appointment.requested", decide=False, **visit(SOON))
    later = START + minutes(10)
    steps: list[Callable[[], int]] = [
        lambda: inbox.process_due(now=START),
        lambda: feed.consolidate_due(now=START),
        lambda: feed.tell_due(now=later),
        lambda: feed.sweep(now=later),
        lambda: digests.make_due(now=later),
        lambda: delivery.deliver_due(now=later),
    ]
    for step in steps:
        step()
        after = state_of_everything()
        assert step() == 0
        assert state_of_everything() == after
    assert len(twilio.taken) == 1


def state_of_everything() -> list[Any]:
    rows: list[Any] = []
    for model in (Contact, Journey, Card, Notification, Delivery, Attempt, Digest):
        rows += model._default_manager.order_by("pk").values_list()
    return rows


@AT_ONCE
def test_who_dies_between_writing_and_ringing_leaves_nothing_behind(
    cast: Cast, told: Notification, twilio: Twilio
) -> None:
    """Complaint 4: written, killed before it was queued, and delayed for ever.

    Every other statement of a delivery: `test_kills`.
    """
    row, foreign = waiting(told, cast.sms), foreign_threads()
    assert pipeline.due(now=START) == ["delivery"]  # the sweep finds what nobody rang for
    assert killed_at(7, kind="sms", foreign=foreign)  # claimed and committed, not sent
    assert pipeline.due(now=START) == []
    assert pipeline.due(now=START + seconds(60)) == ["delivery"]
    for later in (60, 61, 62):  # in doubt, looked up, sent
        delivery.deliver_due(now=START + seconds(later))
    row.refresh_from_db()
    assert (row.state, len(twilio.taken)) == (DeliveryState.SENT, 1)


@ONCE
def test_a_wish_that_lets_things_through_does_not_undo_the_hold(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
) -> None:
    """Complaint 5: with a filter that passed, the digest sent one message per event."""
    for topic in Topic:
        ReachRule.objects.create(
            membership=cast.membership,
            topic=topic,
            moment=Moment.NOW,
            scope=Scope.SUPPLIER,
            subject=str(cast.skyline.uuid),
        )
    say("appointment.requested", **visit(SOON))
    for number in range(1, 4):
        at = START + seconds(20 * number)
        say("appointment.updated", at, **visit(SOON + number * HOUR, sequence=number))
    later = START + minutes(10)
    feed.tell_due(now=later)
    delivery.deliver_due(now=later)
    assert len(twilio.taken) == 1
    assert Notification.objects.get().state == NotificationState.TOLD


@ONCE
def test_another_version_goes_on_with_the_windows_that_are_open(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Complaint 6: a deploy in mid-window opened a second window, and two mails came."""
    say("appointment.requested", **visit(SOON))
    open_one = Notification.objects.get()
    # The next version holds longer, and knows of fields that the old one never wrote.
    monkeypatch.setattr(telling, "HOLD_CHANGE", timedelta(minutes=5))
    Notification.objects.update(why={})
    say("appointment.updated", START + seconds(60), **visit(SOON + HOUR, sequence=1))
    assert Notification.objects.filter(state=NotificationState.PLANNED).count() == 1
    for minute in range(1, 20):
        feed.tell_due(now=START + minutes(minute))
    delivery.deliver_due(now=START + minutes(20))
    assert [row.pk for row in Notification.objects.exclude(told_at=None)] == [open_one.pk]
    assert len(twilio.taken) == 1


@AT_ONCE
def test_what_is_held_survives_everybody_who_held_it(
    cast: Cast,
    say: Say,  # noqa: F811
) -> None:
    """Complaint 7: the batch lived in a process's memory, and a restart lost the mails."""
    say("appointment.requested", **visit(SOON))
    assert Notification.objects.get().state == NotificationState.PLANNED
    connections.close_all()
    transports.close()
    # A thread of its own shares nothing with this one but the database.
    together(1, lambda _: feed.tell_due(now=START + minutes(10)))
    assert Notification.objects.get().state == NotificationState.TOLD
    assert Delivery.objects.filter(kind="sms").count() == 1


@AT_ONCE
def test_five_ticks_at_once_make_one_digest_and_none_the_next_day(cast: Cast) -> None:
    """Complaint 8: the same digest came two to four times, or again every day."""
    at_the_door(cast)
    digests.make_due(now=START)
    together(5, lambda _: digests.make_due(now=SLOT))
    digests.make_due(now=SLOT + DAY)
    assert Digest.objects.filter(owner=cast.ana).count() == 1
    assert Delivery.objects.filter(purpose="digest").count() == 1


@ONCE
def test_only_who_has_read_it_is_not_told(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
) -> None:
    """Complaint 9: whoever had just left counted as being there, and no mail ever came."""
    feed.looked(owner=cast.ana, now=START)
    say("appointment.requested", START + seconds(1), **visit(SOON))
    feed.tell_due(now=START + minutes(10))
    delivery.deliver_due(now=START + minutes(10))
    assert len(twilio.taken) == 1
    say("appointment.updated", START + minutes(20), **visit(SOON + HOUR, sequence=1))
    feed.tell_due(now=START + minutes(30))
    feed.looked(owner=cast.ana, now=START + minutes(30))
    delivery.deliver_due(now=START + minutes(31))
    assert len(twilio.taken) == 1  # this time it was read


# Once


@ONCE
def test_a_late_mail_with_the_same_facts_says_nothing(
    cast: Cast,
    say: Say,  # noqa: F811
) -> None:
    """Complaint 10: a late member of the group triggered a second mail."""
    say("appointment.requested", **visit(START + 3 * DAY))
    say("appointment.confirmed", **visit(START + 3 * DAY))
    feed.tell_due(now=START + minutes(10))
    for at in (START + HOUR, START + DAY):
        late = say("appointment.confirmed", at, **visit(START + 3 * DAY))
        assert late.outcome == Outcome.ABSORBED
    feed.tell_due(now=START + 2 * HOUR)
    assert Notification.objects.count() == 1


@ONCE
def test_what_was_told_is_known_after_four_hundred_days(
    cast: Cast,
    say: Say,  # noqa: F811
) -> None:
    """Complaint 11: the log of what was sent was kept for 5 days, so it was sent again."""
    first = say("ticket.opened", ticketId="T-1", status="open")
    feed.tell_due(now=START + HOUR)
    again = inbox.Received(
        supplier_id=cast.skyline.pk,
        household_id=None,
        way=InboundEvent.objects.get().way,
        source="/skyline",
        event_id="e0",
        type="ticket.opened",
        payload=InboundEvent.objects.get().body,
    )
    much_later = START + 400 * DAY
    (recorded,) = inbox.record(received=[again], now=much_later)
    assert recorded.status == "duplicate"
    # And said anew, in a message of its own.
    same = say("ticket.updated", much_later, ticketId="T-1", status="open")
    feed.tell_due(now=much_later + HOUR)
    assert same.outcome == Outcome.ABSORBED
    assert Notification.objects.filter(told_at__gt=START + DAY).count() == 0
    assert first.links.get().journey == same.links.get().journey


@AT_ONCE
def test_two_workers_and_a_provider_that_recovers_send_one_message(
    cast: Cast, told: Notification, twilio: Twilio
) -> None:
    """Complaint 12: "sent" was noted after the fact, so both who retried sent."""
    twilio.faults += [500, 500]
    waiting(told, cast.sms)
    for later in (0, 90, 180, 300):
        at = START + seconds(later)
        together(2, lambda _, at=at: delivery.deliver_due(now=at))  # type: ignore[misc]
    assert (len(twilio.taken), twilio.calls) == (1, 3)


@ONCE
def test_who_was_told_of_it_is_told_of_its_end_whatever_was_switched_off_meanwhile(
    cast: Cast,
    say: Say,  # noqa: F811
) -> None:
    """Complaint 13: muted between the beginning and the end, they never heard of the end."""
    say("appointment.requested", **visit(SOON))
    feed.tell_due(now=START + minutes(10))
    for topic in Topic:
        ReachRule.objects.create(membership=cast.membership, topic=topic, moment=Moment.NEVER)
    transports.close()  # and a restart
    stamp = (START + HOUR).isoformat()
    say("appointment.cancelled", START + HOUR, uid="job-1", sequence=1, dtstamp=stamp)
    feed.tell_due(now=START + 2 * HOUR)
    last = Notification.objects.filter(state=NotificationState.TOLD).latest("pk")
    assert Notification.objects.filter(state=NotificationState.TOLD).count() == 2
    assert "ancelled" in last.text


@ONCE
def test_nothing_of_june_is_said_in_october(cast: Cast, told: Notification, twilio: Twilio) -> None:
    """Complaint 14: acknowledged in June, it rang at half past five in October."""
    endless, ended, seen = (waiting(told, cast.sms) for _ in range(3))
    Delivery.objects.filter(pk=ended.pk).update(expires_at=START + HOUR)
    october = START + 120 * DAY
    delivery.deliver_due(now=october)
    for row in (endless, ended):
        row.refresh_from_db()
        assert row.state == DeliveryState.EXPIRED
    Delivery.objects.filter(pk=seen.pk).update(state=DeliveryState.PENDING, created_at=october)
    Notification.objects.update(seen_at=START)
    delivery.deliver_due(now=october)
    seen.refresh_from_db()
    assert (seen.state, twilio.calls) == (DeliveryState.SUPERSEDED, 0)


# Queue and clock


@ONCE
def test_an_upgrade_finishes_what_the_old_version_had_in_hand(
    cast: Cast, told: Notification, twilio: Twilio
) -> None:
    """Complaint 15: task ids were written otherwise, and reminders silently stopped."""
    row = waiting(told, cast.sms)
    claims.claim(kind=ChannelKind.SMS, limit=1, now=START, is_repeatable=False)  # the old one
    for later in (60, 61, 62):  # in doubt, looked up, sent
        delivery.deliver_due(now=START + seconds(later))
    row.refresh_from_db()
    assert (row.state, len(twilio.taken)) == (DeliveryState.SENT, 1)
    # A message of the broker carries no data and no id that anybody compares.
    app.loader.import_default_modules()
    ours = {
        name: task
        for name, task in app.tasks.items()
        if type(task).__module__.partition(".")[0] in OURS
        or task.run.__module__.partition(".")[0] in OURS
    }
    assert {"notifications.tasks.deliver", "notifications.tasks.pump"} <= ours.keys()
    for task in ours.values():
        assert isinstance(task, Task)
        assert not inspect.signature(task.run).parameters, task.name


def test_nothing_is_put_off_in_the_broker() -> None:
    """Complaint 16: a countdown longer than the visibility timeout ran again and again."""
    later = {"countdown", "eta", "retry_backoff", "autoretry_for"}
    found = []
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            if not any(name in text for name in ("apply_async", "shared_task", "send_task")):
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    named = {keyword.arg for keyword in node.keywords}
                    called = getattr(node.func, "attr", "")
                    is_celery = called in ("apply_async", "shared_task", "send_task", "retry")
                    if is_celery and (named & later or called == "retry"):
                        found.append(f"{path}:{node.lineno}")
    assert not found
    visible_after = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert visible_after > settings.CELERY_TASK_TIME_LIMIT


@ONCE
def test_a_broker_that_forgot_everything_loses_nothing(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
) -> None:
    """Complaint 17: tasks were gone after a restart of Redis or a warm shutdown.

    With killed workers and a Redis that is flushed and restarted: `tests/faults`.
    """
    with doorbell.hushed():  # nobody is ever told that there is work
        say("appointment.requested", decide=False, **visit(SOON))
        Contact.objects.update(decided_at=None)
        assert "feed" in pipeline.due(now=START)
        pipeline.drain(now_fn=lambda: START)
        later = START + minutes(10)
        assert pipeline.due(now=later) == ["feed"]
        pipeline.drain(now_fn=lambda: later)
    assert len(twilio.taken) == 1
    assert pipeline.due(now=later) == []


@ONCE
def test_a_worker_that_stopped_consuming_is_noticed_within_a_minute(
    cast: Cast, told: Notification, client: Client
) -> None:
    """Complaint 18: the worker lived and consumed nothing, and nobody noticed."""
    waiting(told, cast.sms)
    with clock.fixed(START + seconds(30)):
        assert client.get("/readyz").json()["oldest_due_seconds"]["deliveries"] == 30.0
    with clock.fixed(START + seconds(61)):
        assert client.get("/readyz").json()["status"] == "degraded"
    assert health.LATE_SECONDS <= 60
    # A half-open connection is noticed too, instead of being waited on for ever.
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert options["socket_timeout"] + options["health_check_interval"] < 90


@pytest.mark.parametrize(
    ("zone", "edges"),
    [
        ("America/New_York", ["2026-03-08", "2026-11-01"]),
        ("Europe/Berlin", ["2026-03-29", "2026-10-25"]),
        ("Australia/Lord_Howe", ["2026-04-05", "2026-10-04"]),
        ("Pacific/Auckland", ["2026-04-05", "2026-09-27"]),
    ],
)
def test_a_digest_comes_once_a_day_at_its_hour_over_both_edges_of_summer(
    zone: str, edges: list[str]
) -> None:
    """Complaint 19: an hour off on the day, all summer, or twice in the repeated hour."""
    for wall in (time(1, 45), time(2, 15), time(18, 0)):
        reach = Reach(zone=ZoneInfo(zone), digest_at=wall)
        for edge in edges:
            now = datetime.fromisoformat(edge).replace(tzinfo=UTC) - 2 * DAY
            came: list[datetime] = []
            while len(came) < 4:
                came.append(next_digest(reach, now).astimezone(reach.zone))
                now = came[-1].astimezone(UTC) + seconds(1)
            days = [at.date() for at in came]
            assert days == [days[0] + number * DAY for number in range(4)]
            for at in came:
                local = at.replace(tzinfo=None).time()
                # The hour itself, or the end of the gap that swallowed it.
                assert local == wall or (wall < local <= time(3, 0) and str(at.date()) in edges)


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]
)
def test_the_night_is_quiet_on_every_day_of_five_years(zone: str) -> None:
    """Complaint 20: silent hours wrong in winter, or ended at midnight, or on the wrong day."""
    place = ZoneInfo(zone)
    reach = Reach(zone=place, quiet_from=time(22), quiet_until=time(7))
    day, end = date(2026, 1, 1), date(2031, 1, 1)
    while day < end:
        for wall, is_quiet in (
            (time(21, 59), False),
            (time(22, 0), True),
            (time(0, 0), True),
            (time(6, 59), True),
            (time(7, 0), False),
        ):
            at = datetime.combine(day, wall, tzinfo=place)
            until = quiet_end(reach, at.astimezone(UTC))
            assert (until is not None) is is_quiet, at
            if until is not None:
                morning = until.astimezone(place)
                assert morning.time() == time(7, 0)
                assert morning.date() == (day + DAY if wall >= time(22) else day)
        day += DAY


@ONCE
def test_what_comes_at_night_arrives_in_the_morning_and_the_exception_can_be_read(
    cast: Cast,
    say: Say,  # noqa: F811
    twilio: Twilio,
    client: Client,
) -> None:
    """Complaint 21: quiet hours dropped messages, or let some through without a word."""
    night = START + timedelta(hours=14, minutes=30)  # 22:30 in New York
    # An hour after midday tomorrow: near enough to interrupt, far enough to wait for morning.
    say("appointment.requested", night, **visit(START + DAY + 5 * HOUR))
    for hour in range(10):
        feed.tell_due(now=night + hour * HOUR)
        delivery.deliver_due(now=night + hour * HOUR)
        is_morning = night + hour * HOUR >= START + DAY
        assert len(twilio.taken) == int(is_morning), hour
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert (
        "Wake me for a visit early the next morning" in client.get("/preferences/").content.decode()
    )


# Providers


@ONCE
def test_updates_of_one_matter_replace_each_other_on_the_screen(
    cast: Cast, told: Notification, settings: Any
) -> None:
    """Complaint 22: updates ate the quota, and beyond some fifty a phone shows nothing more.

    That no more than twenty stay on the screen: `tests/browser/test_offline.py`.
    """
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    with push_service.running() as service:
        phone = device(cast, endpoint=f"{service.address}/phone", keys=service.keys())
        for _ in range(30):
            update = NotificationFactory.create(
                journey=told.journey, owner=cast.ana, topic=Topic.CHANGED
            )
            waiting(update, phone)
        delivery.deliver_due(now=START)
        assert len(service.taken) == 30
        assert len({headers["Topic"] for headers in service.headers}) == 1
        assert {said["tag"] for said in service.taken} == {told.journey.uuid.hex}
        transports.close()

    def full() -> bool:
        other = NotificationFactory.create(
            journey=JourneyFactory.create(household=cast.household),
            owner=cast.ana,
            topic=Topic.CHANGED,
        )
        reach = Reach(zone=ZoneInfo("UTC"), prefers=ChannelKind.PUSH, channels=(ChannelKind.PUSH,))
        room = caps.lately(owners={cast.ana.pk}, now=START).room(other, reach)
        DeliveryFactory.create(notification=other, kind=ChannelKind.PUSH)
        return ChannelKind.PUSH in room.full

    # Thirty updates were one; only other matters use the cap up.
    found = [full() for _ in range(DEFAULT_CAPS[ChannelKind.PUSH])]
    assert found == [False] * (len(found) - 1) + [True]


@ONCE
def test_a_provider_without_quota_is_gone_round_and_its_owner_is_told(
    cast: Cast, told: Notification, twilio: Twilio
) -> None:
    """Complaint 23: a shared quota was used up, 429 for ever, and nobody heard of it."""
    twilio.patience = 3600
    twilio.faults += [429] * 9
    waiting(told, cast.sms)
    delivery.deliver_due(now=START)
    assert Delivery.objects.get(notification=told, kind="email").next_at == START
    notice = Notification.objects.get(reason="channel_late")
    assert (notice.owner, "held up at its provider" in notice.text) == (cast.ana, True)


@AT_ONCE
def test_twenty_identical_webhooks_at_once_are_one_event(cast: Cast) -> None:
    """Complaint 24: redelivered webhooks slipped past a lock and were stored twice."""
    answers: list[str] = []
    together(20, lambda _: answers.append(post(event(cast)).json()["events"][0]["status"]))
    assert sorted(answers) == ["accepted"] + ["duplicate"] * 19
    assert InboundEvent.objects.count() == 1
    inbox.process_due(now=START)
    assert Contact.objects.count() == 1


@ONCE
def test_what_belongs_together_is_found_by_what_it_names_and_by_nothing_else(
    cast: Cast,
    say: Say,  # noqa: F811
) -> None:
    """Complaint 25: threads by In-Reply-To or subject alone; both too few and too many."""

    def journey_of(contact: Contact) -> int:
        return contact.links.get(revoked_at=None).journey_id

    def order(number: str) -> list[dict[str, str]]:
        return [{"scheme": "order", "value": number}]

    words = "Your technician is confirmed."
    first = say("message.created", subject="Your visit", body=words, refs=order("4471"))
    # Word for word the same, about another order: another matter.
    other = say(
        "message.created",
        START + HOUR,
        subject="Your visit",
        body=words,
        refs=order("9902"),
    )
    # A new subject, no thread, other words, the same order: the same matter.
    again = say(
        "message.created",
        START + 2 * HOUR,
        subject="Please note",
        body="Bring the remote control, please.",
        refs=order("4471"),
    )
    assert journey_of(first) == journey_of(again) != journey_of(other)


@ONCE
@pytest.mark.parametrize("takes_keys", [False, True])
def test_a_lost_answer_is_no_second_message(
    cast: Cast,
    told: Notification,
    twilio: Twilio,
    takes_keys: bool,  # noqa: FBT001
) -> None:
    """Complaint 26: a timeout and a retry were two mails."""
    twilio.now, twilio.takes_keys, twilio.has_lists = START, takes_keys, not takes_keys
    twilio.faults.append("drop")  # it takes the message and hangs up
    row = waiting(told, cast.sms)
    for later in (0, 60, 61):
        delivery.deliver_due(now=START + seconds(later))
    row.refresh_from_db()
    assert (row.state, len(twilio.taken)) == (DeliveryState.SENT, 1)
    assert row.attempts.filter(outcome="unknown").exists()  # and Steward shows that it was so


@ONCE
@pytest.mark.parametrize("drop", ["took", "lost"])
def test_a_mail_server_that_hangs_up_gets_the_mail_again_under_its_name(
    cast: Cast, told: Notification, mailbox: Mailbox, drop: str
) -> None:
    """Complaint 26, where no key is taken: the copy is known to be one."""
    mailbox.drops.append(drop)
    row = waiting(told, cast.email)
    delivery.deliver_due(now=START)
    row.refresh_from_db()
    delivery.deliver_due(now=row.next_at)
    row.refresh_from_db()
    assert row.state == DeliveryState.SENT
    names = re.findall(r"^Message-ID: .*$", "".join(map(text_of, mailbox.taken)), re.MULTILINE)
    assert len(names) == (2 if drop == "took" else 1)
    assert len(set(names)) == 1


@ONCE
def test_a_scanner_that_opens_every_link_changes_nothing(
    cast: Cast, told: Notification, mailbox: Mailbox
) -> None:
    """Complaint 27: GET unsubscribed, so scanners of links opted people out."""
    waiting(told, cast.email)
    delivery.deliver_due(now=START)
    mail = text_of(mailbox.taken[0]).replace("=\n", "").replace("=3D", "=")
    links = set(re.findall(rf"{settings.SITE_URL}(/[^\s\"<>]*)", mail.replace("\r", "")))
    assert any(link.startswith("/stop/") for link in links)
    assert "mailto:" not in mail.partition("List-Unsubscribe:")[2].partition("\nTo:")[0]
    before = state_of(cast)
    for link in links:
        for method in ("get", "head", "options"):
            getattr(Client(), method)(link)
    assert state_of(cast) == before
    stop = messages.stop_token(owner=cast.ana.uuid, household=cast.household.uuid, topic=told.topic)
    assert Client().post(f"/stop/{stop}/").status_code == 200
    assert state_of(cast) != before


def state_of(cast: Cast) -> list[Any]:
    members = Membership.objects.filter(owner=cast.ana).values_list()
    rules = ReachRule.objects.order_by("pk").values_list()
    seen = Notification.objects.order_by("pk").values_list("seen_at", "state")
    return [*members, *rules, *seen, Receipt.objects.count()]


@ONCE
def test_a_device_that_is_away_for_a_while_still_hears_of_it(
    cast: Cast, told: Notification, settings: Any
) -> None:
    """Complaint 28: without a TTL the push service drops what it cannot hand over at once."""
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    settings.APNS_KEY_ID, settings.APNS_TEAM_ID, settings.APNS_TOPIC = "K1", "T1", "x"
    with (
        push_service.running() as web,
        app_services.firebase() as google,
        app_services.apple() as apple,
    ):
        settings.FCM_URL, settings.FCM_ACCOUNT = google.address, google.account()
        settings.APNS_URL, settings.APNS_KEY = apple.address, apple.p8()
        waiting(told, device(cast, endpoint=f"{web.address}/phone", keys=web.keys()))
        waiting(told, device(cast, service=PushService.FCM, token="a1"))
        waiting(told, device(cast, service=PushService.APNS, token="b1"))
        with clock.fixed(START):
            delivery.deliver_due(now=START)
        transports.close()
        assert int(web.headers[0]["TTL"]) == messages.WAKES_FOR
        assert google.taken[0]["android"]["ttl"] == f"{messages.WAKES_FOR}s"
        until = int(apple.taken[0][0]["apns-expiration"])
        assert until == int(START.timestamp()) + messages.WAKES_FOR


@ONCE
def test_the_number_of_unread_cards_costs_the_same_for_any_number_of_them(cast: Cast) -> None:
    """Complaint 29: counting what is unread took 86 ms, and longer with every row."""
    for _ in range(3):
        CardFactory.create(journey=JourneyFactory.create(household=cast.household))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        feed_page.counts(owner=cast.ana)
    (query,) = asked.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + query["sql"].replace("$1", str(cast.ana.pk)))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    # It is kept with every write, per member: no table that grows with the years is read.
    read = set(re.findall(r"(?<!Index Scan) on (\w+)", plan))
    assert read == {"owners_membership", "owners_household"}


def test_every_complaint_has_its_test() -> None:
    numbers = {
        int(found)
        for name, test in vars(sys.modules[__name__]).items()
        if name.startswith("test_") and (said := inspect.getdoc(test))
        for found in re.findall(r"^Complaint (\d+)", said)
    }
    assert numbers == set(range(1, 30))
