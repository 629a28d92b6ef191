"""What was decided to be said is sent once, by the right channel."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import Envelope
from django.core import mail
from django.db import connection, connections

from notifications import caps, claims, delivery, fallback, transports
from notifications.choices import DeliveryState, NotificationState
from notifications.models import Attempt, Decision, Delivery, Notification, Receipt
from notifications.transports.values import Message, Sent
from owners.choices import ChannelKind, Level, Topic
from owners.models import Channel, ChannelWish, Membership
from owners.reach import Reach
from tests.delivery.conftest import Mailbox
from tests.delivery.twilio import Twilio
from tests.factories import (
    START,
    Cast,
    ChannelFactory,
    DeliveryFactory,
    JourneyFactory,
    MembershipFactory,
    NotificationFactory,
)

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")
minutes = lambda number: timedelta(minutes=number)  # noqa: E731
seconds = lambda number: timedelta(seconds=number)  # noqa: E731


def standing_at(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def text_of(envelope: Envelope) -> str:
    assert isinstance(envelope.content, bytes)
    return envelope.content.decode()


@pytest.fixture
def phone(cast: Cast) -> Channel:
    return Channel.objects.get(owner=cast.ana, kind=ChannelKind.SMS)


@pytest.fixture
def email(cast: Cast) -> Channel:
    return Channel.objects.get(owner=cast.ana, kind=ChannelKind.EMAIL)


@pytest.fixture
def told(cast: Cast) -> Notification:
    journey = JourneyFactory(household=cast.household)
    return NotificationFactory.create(journey=journey, owner=cast.ana, text="They come at 08:00.")


def waiting(told: Notification, channel: Channel, **fields: Any) -> Delivery:
    return DeliveryFactory.create(
        notification=told,
        channel=channel,
        kind=channel.kind,
        state=DeliveryState.PENDING,
        sent_at=None,
        **fields,
    )


REACH = Reach(zone=NEW_YORK, prefers=ChannelKind.SMS, channels=(ChannelKind.SMS, ChannelKind.EMAIL))


def plan(told: Notification, *, now: datetime = START, reach: Reach = REACH) -> list[Delivery]:
    channels = {c.kind: c for c in Channel.objects.usable().filter(owner=told.owner)}
    steps = delivery.climb([(told, reach)], now=now).get(told.uuid, ())
    rows = delivery.planned(notification=told, steps=steps, channels=channels, now=now)
    return delivery.save(rows)


class TestPlanning:
    def test_a_silent_update_is_on_the_card_at_once(self, told: Notification) -> None:
        told.level = Level.FEED
        told.save()
        plan(told)
        row = Delivery.objects.get()
        assert (row.kind, row.state, row.delivered_at) == ("feed", "delivered", START)

    def test_an_interrupt_without_a_deadline_has_one_step(
        self, told: Notification, phone: Channel
    ) -> None:
        plan(told)
        row = Delivery.objects.get()
        assert (row.kind, row.step, row.next_at, row.channel) == ("sms", 0, START, phone)

    def test_a_deadline_adds_the_other_channel_an_hour_before_it(self, told: Notification) -> None:
        told.deadline = START + timedelta(hours=5)
        plan(told)
        first, second = Delivery.objects.order_by("step")
        assert (first.kind, first.next_at) == ("sms", START)
        assert (second.kind, second.next_at) == ("email", START + timedelta(hours=4))
        assert second.expires_at == told.deadline

    def test_planning_twice_plans_once(self, told: Notification) -> None:
        told.deadline = START + timedelta(hours=5)
        plan(told)
        plan(told)
        assert Delivery.objects.count() == 2

    def test_who_has_no_channel_has_the_card(self, told: Notification) -> None:
        plan(told, reach=Reach(zone=NEW_YORK))
        assert Delivery.objects.get().kind == ChannelKind.FEED


class TestSending:
    def test_an_sms_goes_out_and_a_receipt_completes_it(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        row = waiting(told, phone)
        assert delivery.deliver_due(now=START) == 1
        row.refresh_from_db()
        assert (row.state, row.sent_at, row.lease_until) == ("sent", START, None)
        assert twilio.taken[0].to == phone.address
        assert twilio.taken[0].body.startswith(f"{told.text}\n")
        assert str(row.uuid) in twilio.taken[0].callback
        assert row.attempts.get().outcome == "sent"
        assert delivery.receipt(
            provider_ref=row.provider_ref, status=DeliveryState.DELIVERED, now=START + seconds(3)
        )
        row.refresh_from_db()
        assert (row.state, row.delivered_at) == ("delivered", START + seconds(3))

    def test_a_mail_goes_out_with_a_stable_message_id(
        self, told: Notification, email: Channel, mailbox: Mailbox
    ) -> None:
        row = waiting(told, email, subject="They come at 08:00.")
        delivery.deliver_due(now=START)
        (envelope,) = mailbox.taken
        content = text_of(envelope)
        assert envelope.rcpt_tos == [email.address]
        assert f"Message-ID: <{row.key}@" in content
        assert str(told.journey.uuid) in content

    def test_nothing_is_sent_twice(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        waiting(told, phone)
        delivery.deliver_due(now=START)
        assert delivery.deliver_due(now=START + minutes(5)) == 0
        assert twilio.calls == 1

    def test_what_is_not_due_waits(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        waiting(told, phone, next_at=START + minutes(1))
        assert delivery.deliver_due(now=START) == 0
        assert delivery.deliver_due(now=START + minutes(1)) == 1

    def test_one_slow_receiver_slows_nobody(
        self, told: Notification, phone: Channel, cast: Cast, twilio: Twilio
    ) -> None:
        slow = ChannelFactory.create(owner=cast.mallory, address="+12125550666")
        twilio.hangs.add(slow.address)
        waiting(told, slow)
        for _ in range(200):
            waiting(told, phone)
        began = time.monotonic()
        arrived: list[float] = []
        record = claims.record

        def timed(verdicts: Any, *, now: datetime) -> set[int]:
            arrived.extend([time.monotonic() - began] * len(verdicts))
            return record(verdicts, now=now)

        with patch.object(claims, "record", timed):
            delivery.deliver_due(now=START, limit=50, now_fn=lambda: START)
        assert Delivery.objects.filter(state=DeliveryState.SENT).count() == 200
        assert sorted(arrived)[199] < 1.5
        assert Delivery.objects.get(channel=slow).state == DeliveryState.UNKNOWN

    def test_an_answer_is_heard_while_the_database_is_slow(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append(0.5)
        for _ in range(2):
            waiting(told, phone)
        record = claims.record

        def slow(verdicts: Any, *, now: datetime) -> set[int]:
            if verdicts:
                time.sleep(2.5)  # longer than an answer is waited for
            return record(verdicts, now=now)

        with patch.object(claims, "record", slow):
            delivery.deliver_due(now=START, limit=4, now_fn=lambda: START)
        assert set(Attempt.objects.values_list("outcome", flat=True)) == {"sent"}


class TestRecheck:
    """What was decided is looked at again before it is sent."""

    @pytest.mark.parametrize(
        ("fields", "of_told", "state"),
        [
            ({"expires_at": START}, {}, DeliveryState.EXPIRED),
            ({}, {"state": NotificationState.SUPERSEDED}, DeliveryState.SUPERSEDED),
            ({}, {"seen_at": START}, DeliveryState.SUPERSEDED),
        ],
    )
    def test_what_is_late_overtaken_or_seen_is_not_sent(
        self,
        told: Notification,
        phone: Channel,
        twilio: Twilio,
        fields: dict[str, Any],
        of_told: dict[str, Any],
        state: DeliveryState,
    ) -> None:
        Notification.objects.filter(pk=told.pk).update(**of_told)
        row = waiting(told, phone, **fields)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        assert (row.state, twilio.calls) == (state, 0)

    def test_the_ladder_stops_when_another_member_has_seen(
        self, told: Notification, email: Channel, cast: Cast
    ) -> None:
        other = MembershipFactory(household=cast.household).owner
        NotificationFactory(journey=told.journey, owner=other, seen_at=START + minutes(1))
        row = waiting(told, email, step=1)
        delivery.deliver_due(now=START + minutes(2))
        row.refresh_from_db()
        assert (row.state, mail.outbox) == (DeliveryState.SUPERSEDED, [])

    def test_the_ladder_stops_when_anybody_has_acted(
        self, told: Notification, email: Channel, cast: Cast
    ) -> None:
        Decision.objects.create(
            household=cast.household, journey=told.journey, name="accept", decided_at=START
        )
        row = waiting(told, email, step=1)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        assert row.state == DeliveryState.SUPERSEDED

    @pytest.mark.parametrize(
        ("value", "state"),
        [("10:00", DeliveryState.SUPERSEDED), ("09:00", DeliveryState.SENT)],
    )
    def test_the_ladder_stops_when_all_it_says_was_told_otherwise_since(
        self, told: Notification, email: Channel, value: str, state: DeliveryState
    ) -> None:
        told.why = {"keys": ["visit"]}
        told.snapshot = {"visit": "09:00", "bill": "5"}
        told.save()
        NotificationFactory(
            journey=told.journey,
            owner=told.owner,
            state=NotificationState.TOLD,
            told_at=START + minutes(1),
            snapshot={"visit": value, "bill": "6"},
        )
        row = waiting(told, email, step=1)
        delivery.deliver_due(now=START + minutes(2))
        row.refresh_from_db()
        assert row.state == state

    def test_another_members_look_does_not_silence_the_first_step(
        self, told: Notification, phone: Channel, cast: Cast, twilio: Twilio
    ) -> None:
        other = MembershipFactory(household=cast.household).owner
        NotificationFactory(journey=told.journey, owner=other, seen_at=START)
        waiting(told, phone)
        delivery.deliver_due(now=START)
        assert [body.split("\n")[0] for body in twilio.bodies()] == [told.text]

    def test_stop_ladder_puts_further_steps_away(
        self, told: Notification, phone: Channel, email: Channel
    ) -> None:
        first = waiting(told, phone)
        second = waiting(told, email, step=1, next_at=START + minutes(9))
        assert delivery.stop_ladder(notification_ids=[told.pk], now=START) == 1
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == (DeliveryState.PENDING, DeliveryState.SUPERSEDED)


class TestFaults:
    """What the provider answers decides what is tried next."""

    def test_greylisting_is_waited_for(
        self, told: Notification, email: Channel, mailbox: Mailbox
    ) -> None:
        mailbox.replies.append("451 4.7.1 try again later")
        row = waiting(told, email)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        assert (row.state, row.failures) == (DeliveryState.PENDING, 1)
        assert START + seconds(4) <= row.next_at <= START + seconds(6)
        delivery.deliver_due(now=row.next_at)
        row.refresh_from_db()
        assert (row.state, len(mailbox.taken)) == (DeliveryState.SENT, 1)
        assert [a.outcome for a in row.attempts.order_by("pk")] == ["failed", "sent"]

    def test_an_unknown_mailbox_moves_on_at_once_and_the_owner_is_told(
        self, told: Notification, phone: Channel, email: Channel, mailbox: Mailbox, twilio: Twilio
    ) -> None:
        mailbox.replies.append("550 5.1.1 no such user")
        row = waiting(told, email)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        email.refresh_from_db()
        assert (row.state, email.failed_at) == (DeliveryState.FAILED, START)
        assert "550" in email.failure
        delivery.deliver_due(now=START)
        assert [body.split("\n")[0] for body in twilio.bodies()] == [told.text]
        notice = Notification.objects.get(reason="channel_failed")
        assert (notice.owner, notice.level, notice.state) == (told.owner, "feed", "told")
        assert notice.deliveries.get().state == DeliveryState.DELIVERED

    def test_a_refused_text_does_not_condemn_the_address(
        self, told: Notification, email: Channel, mailbox: Mailbox
    ) -> None:
        mailbox.replies.append("550 5.7.1 looks like spam")
        row = waiting(told, email)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        email.refresh_from_db()
        assert (row.state, email.failed_at) == (DeliveryState.FAILED, None)

    def test_the_planned_step_comes_forward_when_the_first_fails(
        self, told: Notification, phone: Channel, email: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append(21610)
        waiting(told, phone)
        second = waiting(told, email, step=1, next_at=START + timedelta(hours=3))
        delivery.deliver_due(now=START, now_fn=lambda: START)
        second.refresh_from_db()
        assert (second.state, second.sent_at) == (DeliveryState.SENT, START)
        assert len(mail.outbox) == 1

    def test_a_busy_provider_is_obeyed(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append(429)
        row = waiting(told, phone)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        assert row.next_at == START + seconds(90)

    def test_a_broken_provider_is_tried_by_the_schedule_then_the_next_channel(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults += [500] * 8
        row = waiting(told, phone)
        now, waits = START, []
        for _ in range(8):
            delivery.deliver_due(now=now)
            row.refresh_from_db()
            waits.append((row.next_at - now).total_seconds())
            now = row.next_at
        wanted = [90, 90, 120, 600, 1800, 7200, 21600]  # it asked for 90 s each time
        for wait, planned in zip(waits, wanted, strict=False):
            assert planned * 0.8 <= wait <= planned * 1.2
        assert (row.state, phone.failed_at) == (DeliveryState.FAILED, None)
        assert Delivery.objects.get(notification=told, kind="email").next_at <= now

    def test_nothing_is_tried_beyond_its_end(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append(500)
        row = waiting(told, phone, expires_at=START + seconds(60))
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        assert row.state == DeliveryState.FAILED
        assert Delivery.objects.filter(notification=told, kind="email").exists()


class TestDoubt:
    """Nobody knows whether the provider took it."""

    def test_what_the_provider_took_is_found_and_not_sent_again(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append("drop")
        twilio.now = START
        row = waiting(told, phone)
        delivery.deliver_due(now=START)
        row.refresh_from_db()
        assert (row.state, row.attempts.get().outcome) == (DeliveryState.UNKNOWN, "unknown")
        assert delivery.deliver_due(now=START + seconds(59)) == 0
        delivery.deliver_due(now=START + seconds(60))
        row.refresh_from_db()
        assert (row.state, twilio.calls, twilio.lookups) == (DeliveryState.SENT, 1, 1)
        assert row.provider_ref == twilio.taken[0].sid

    def test_the_same_words_sent_for_another_matter_are_not_taken_for_ours(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults += ["lose", "lose"]
        twilio.now = START
        for _ in range(3):
            waiting(told, phone)
        for second in (0, 60, 61, 130, 131):
            delivery.deliver_due(now=START + seconds(second))
        assert Delivery.objects.filter(state=DeliveryState.SENT).count() == 3
        assert len(twilio.taken) == 3
        assert Delivery.objects.values("provider_ref").distinct().count() == 3

    def test_what_the_provider_never_took_is_sent_again_and_says_so(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append("lose")
        row = waiting(told, phone)
        delivery.deliver_due(now=START)
        delivery.deliver_due(now=START + seconds(60))
        row.refresh_from_db()
        assert "sent again" in row.detail
        delivery.deliver_due(now=START + seconds(60))
        row.refresh_from_db()
        assert (row.state, len(twilio.taken)) == (DeliveryState.SENT, 1)

    def test_after_two_lost_attempts_the_next_channel_is_tried(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults += ["lose", "lose"]
        row = waiting(told, phone)
        for minute in range(4):
            at = START + minutes(minute)
            delivery.deliver_due(now=at, now_fn=standing_at(at))
        row.refresh_from_db()
        assert row.state == DeliveryState.FAILED
        assert Delivery.objects.filter(notification=told, kind="email").exists()

    def test_a_receipt_ends_the_doubt(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        twilio.faults.append("drop")
        row = waiting(told, phone)
        delivery.deliver_due(now=START)
        delivery.receipt(ref=row.uuid, status=DeliveryState.DELIVERED, now=START + seconds(5))
        assert delivery.deliver_due(now=START + minutes(5)) == 0
        row.refresh_from_db()
        assert (row.state, twilio.calls) == (DeliveryState.DELIVERED, 1)

    def test_a_process_that_died_while_sending_leaves_a_doubt_not_a_copy(
        self, told: Notification, phone: Channel, twilio: Twilio
    ) -> None:
        row = waiting(told, phone)
        claims.claim(kind=ChannelKind.SMS, limit=1, now=START, is_repeatable=False)
        assert delivery.deliver_due(now=START + seconds(59)) == 0
        delivery.deliver_due(now=START + seconds(60))
        row.refresh_from_db()
        assert (row.state, twilio.calls) == (DeliveryState.UNKNOWN, 0)
        delivery.deliver_due(now=START + seconds(61), now_fn=lambda: START + seconds(61))
        row.refresh_from_db()
        assert (row.state, twilio.calls) == (DeliveryState.SENT, 1)

    def test_mail_is_simply_sent_again_under_the_same_name(
        self, told: Notification, email: Channel, mailbox: Mailbox
    ) -> None:
        row = waiting(told, email)
        claims.claim(kind=ChannelKind.EMAIL, limit=1, now=START, is_repeatable=True)
        delivery.deliver_due(now=START + seconds(60))
        row.refresh_from_db()
        assert row.state == DeliveryState.SENT
        assert [a.outcome for a in row.attempts.order_by("pk")] == ["unknown", "sent"]

    def test_eight_claims_park_a_row_where_the_operator_sees_it(
        self, told: Notification, email: Channel, mailbox: Mailbox
    ) -> None:
        row = waiting(told, email)
        now = START
        for _ in range(8):
            assert claims.claim(kind=ChannelKind.EMAIL, limit=1, now=now, is_repeatable=True)[0]
            now += seconds(60)
        delivery.deliver_due(now=now)
        row.refresh_from_db()
        assert row.state == DeliveryState.PARKED
        assert list(delivery.parked()) == [row]
        assert mailbox.taken == []


class TestReceipts:
    @pytest.mark.parametrize(
        ("came", "ends"),
        [
            (["delivered", "sent"], "delivered"),
            (["sent", "delivered", "delivered"], "delivered"),
            (["failed", "sent"], "failed"),
            (["delivered", "failed"], "delivered"),
            (["failed", "delivered"], "delivered"),
        ],
    )
    def test_receipts_count_by_rank_in_any_order_and_all_are_kept(
        self, told: Notification, phone: Channel, came: list[str], ends: str
    ) -> None:
        row = DeliveryFactory.create(notification=told, channel=phone, provider_ref="SM1")
        for number, status in enumerate(came):
            delivery.receipt(
                provider_ref="SM1",
                status=DeliveryState(status),
                now=START + seconds(number),
                said=status,
            )
        row.refresh_from_db()
        assert row.state == ends
        assert [r.status for r in Receipt.objects.order_by("pk")] == came

    def test_a_failed_receipt_moves_on_and_marks_the_number(
        self, told: Notification, phone: Channel
    ) -> None:
        DeliveryFactory(notification=told, channel=phone, provider_ref="SM1")
        delivery.receipt(
            provider_ref="SM1", status=DeliveryState.FAILED, now=START, fault="30006 landline"
        )
        phone.refresh_from_db()
        assert phone.failed_at == START
        assert Delivery.objects.get(notification=told, kind="email").next_at == START

    def test_a_receipt_for_nobody_says_so(self) -> None:
        assert not delivery.receipt(provider_ref="SM9", status=DeliveryState.SENT, now=START)


class Interrupted(BaseException):
    """Stands for kill -9: nothing catches it."""


class TestKills:
    """Whatever statement a process dies after, nothing is lost and nothing sent twice."""

    @pytest.mark.parametrize("dies_after", range(1, 9))
    def test_a_kill_between_any_two_statements_loses_nothing(
        self, told: Notification, email: Channel, mailbox: Mailbox, dies_after: int
    ) -> None:
        row = waiting(told, email)
        count = 0

        def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
            nonlocal count
            result = execute(sql, params, many, context)
            if sql.lstrip().startswith(("INSERT", "UPDATE", "WITH")):
                count += 1
                if count == dies_after:
                    raise Interrupted
            return result

        died = False
        with connection.execute_wrapper(wrapper):
            try:
                delivery.deliver_due(now=START)
            except Interrupted:
                died = True
        transports.close()
        for later in (60, 120, 180):
            delivery.deliver_due(now=START + seconds(later))
        row.refresh_from_db()
        assert row.state == DeliveryState.SENT
        assert 1 <= len(mailbox.taken) <= (2 if died else 1)
        if len(mailbox.taken) == 2:
            # The only gap: the server had it and we died before writing that down.
            names = {
                line
                for envelope in mailbox.taken
                for line in text_of(envelope).splitlines()
                if line.startswith("Message-ID")
            }
            assert len(names) == 1
            assert row.attempts.filter(outcome="unknown").exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_everything_once(cast: Cast, twilio: Twilio) -> None:
    journey = JourneyFactory(household=cast.household)
    told = NotificationFactory.create(journey=journey, owner=cast.ana)
    phone = Channel.objects.get(owner=cast.ana, kind=ChannelKind.SMS)
    for number in range(120):
        waiting(told, phone, text=f"message {number}")

    def work() -> None:
        delivery.deliver_due(now=START, limit=16, now_fn=lambda: START)
        transports.close()
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(twilio.taken) == 120
    assert len(set(twilio.bodies())) == 120
    assert Attempt.objects.count() == 120


def test_every_kind_of_channel_but_the_feed_has_a_transport() -> None:
    assert set(transports.TRANSPORTS) == set(delivery.SENT_BY)
    assert set(transports.LOCAL) == set(transports.TRANSPORTS)
    assert set(delivery.SENT_BY) == set(transports.TRANSPORTS)


def test_what_is_recorded_is_found_again() -> None:
    message = Message(key="k", ref="r", to="+1", text=str(Topic.CARE.label))
    with transports.recorded():
        transport = transports.transport_for(ChannelKind.SMS)
        run = transports.switchboard().run
        assert run(transport.send(message)) == Sent(ref="recorded:r")
        assert run(transport.find(message, since=START)) == [Sent(ref="recorded:r")]


def test_an_error_of_our_own_is_not_taken_for_the_providers(
    told: Notification, phone: Channel
) -> None:
    row = waiting(told, phone)

    class Broken:
        is_repeatable, room = True, 1

        async def send(self, message: Message) -> Sent:
            raise ZeroDivisionError

    with (
        patch.object(transports, "transport_for", lambda kind: Broken()),
        pytest.raises(ZeroDivisionError),
    ):
        delivery.deliver_due(now=START)
    assert row.attempts.get().outcome is None


class TestCaps:
    @pytest.fixture
    def again(self, told: Notification) -> Callable[..., list[Delivery]]:
        """Tell one more notification, an hour after the last."""
        at = START

        def tell(**fields: Any) -> list[Delivery]:
            nonlocal at
            at += timedelta(hours=1)
            values = {"journey": told.journey, "owner": told.owner, "topic": Topic.CHANGED}
            one = NotificationFactory.create(**values | fields, told_at=at, deadline=None)
            return plan(one, now=at)

        return tell

    def test_the_fourth_sms_of_a_day_goes_by_mail(self, again: Callable[..., Any]) -> None:
        kinds = [[row.kind for row in again()] for _ in range(4)]
        assert kinds == [[ChannelKind.SMS]] * 3 + [[ChannelKind.EMAIL]]

    def test_who_is_at_the_door_is_told_by_sms_all_the_same(
        self, again: Callable[..., Any]
    ) -> None:
        for _ in range(3):
            again()
        assert [row.kind for row in again(topic=Topic.ARRIVING)] == [ChannelKind.SMS]

    def test_several_devices_count_as_one_and_an_update_takes_no_place(
        self, told: Notification
    ) -> None:
        woken = NotificationFactory.create(journey=told.journey, owner=told.owner)
        for number in range(12):
            DeliveryFactory.create(
                notification=woken, kind=ChannelKind.PUSH, key=f"push:{number}", next_at=START
            )
        counted = caps.lately(owners=[told.owner.pk], now=START)
        assert len(counted.said[told.owner.pk, ChannelKind.PUSH]) == 1
        pushed = replace(REACH, prefers=ChannelKind.PUSH, channels=(ChannelKind.PUSH,))
        pushed = replace(pushed, caps={ChannelKind.PUSH: 1})
        told.topic = Topic.CHANGED
        assert counted.room(told, pushed).full == {}
        other = NotificationFactory.create(owner=told.owner, topic=Topic.CHANGED)
        assert list(counted.room(other, pushed).full) == [ChannelKind.PUSH]


class TestInstead:
    """A channel failed: what goes in its place keeps to hours and caps like everything else."""

    @pytest.fixture
    def quiet(self, cast: Cast) -> None:
        """Let Ana be quiet from 22:00 to 07:00 in New York."""
        mine = Membership.objects.filter(owner=cast.ana)
        mine.update(quiet_from=clock_time(22), quiet_until=clock_time(7))

    night = START.replace(hour=7)  # 02:00 in New York; the number fails long after it was told
    morning = START.replace(hour=12)

    def fail(self, told: Notification, channel: Channel, *, at: datetime) -> Delivery:
        told.told_at = at - timedelta(hours=8)
        told.save()
        row = waiting(told, channel, next_at=told.told_at)
        fault = "21610 unsubscribed"
        Channel.objects.filter(pk=channel.pk).update(failed_at=at)
        fallback.after_failure(row.pk, fault=fault, now=at)
        Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.FAILED)
        return row

    @staticmethod
    def after(row: Delivery) -> Delivery:
        return Delivery.objects.filter(notification=row.notification).exclude(pk=row.pk).get()

    @pytest.mark.usefixtures("quiet")
    def test_a_mail_that_comes_back_at_night_rings_nobody_before_the_morning(
        self, told: Notification, phone: Channel, email: Channel
    ) -> None:
        step = self.after(self.fail(told, email, at=self.night))
        assert (step.kind, step.channel, step.next_at) == ("sms", phone, self.morning)

    @pytest.mark.usefixtures("quiet")
    def test_a_planned_step_comes_forward_to_the_morning_only(
        self, told: Notification, phone: Channel, email: Channel
    ) -> None:
        later = waiting(told, phone, step=1, next_at=self.morning + timedelta(hours=5))
        self.fail(told, email, at=self.night)
        later.refresh_from_db()
        assert later.next_at == self.morning

    @pytest.mark.usefixtures("quiet")
    @pytest.mark.parametrize(
        ("deadline", "why"),
        [(night.replace(hour=13), {}), (None, {"by": "safety"}), (None, {"by": "granted"})],
    )
    def test_what_may_wake_its_owner_does_so_on_the_next_channel_too(
        self,
        told: Notification,
        email: Channel,
        deadline: datetime | None,
        why: dict[str, str],
    ) -> None:
        told.deadline, told.why = deadline, why
        assert self.after(self.fail(told, email, at=self.night)).next_at == self.night

    def test_another_address_of_the_preferred_kind_comes_first(
        self, told: Notification, phone: Channel, email: Channel
    ) -> None:
        other = ChannelFactory.create(
            owner=told.owner, kind=ChannelKind.SMS, address="+12125550123"
        )
        planned = waiting(told, email, step=1, next_at=START + timedelta(hours=3))
        row = self.fail(told, phone, at=START)
        added = Delivery.objects.get(channel=other)
        planned.refresh_from_db()
        assert (added.next_at, planned.next_at) == (START, START + timedelta(hours=3))
        # That one fails as well: now the planned step comes forward.
        Channel.objects.filter(pk=other.pk).update(failed_at=START)
        fallback.after_failure(added.pk, fault="21610 unsubscribed", now=START)
        planned.refresh_from_db()
        assert planned.next_at == START
        assert Delivery.objects.filter(notification=row.notification).count() == 3

    def test_a_provider_that_is_away_is_not_asked_for_another_number(
        self, told: Notification, phone: Channel, email: Channel
    ) -> None:
        ChannelFactory.create(owner=told.owner, kind=ChannelKind.SMS, address="+12125550123")
        row = waiting(told, phone)
        fallback.after_failure(row.pk, fault="", now=START)
        assert self.after(row).channel == email

    def test_a_full_channel_is_not_filled_beyond_its_cap(
        self, told: Notification, phone: Channel, email: Channel
    ) -> None:
        mine = Membership.objects.get(owner=told.owner)
        ChannelWish.objects.create(membership=mine, kind=ChannelKind.SMS, cap=1)
        other = NotificationFactory.create(
            journey=JourneyFactory(household=mine.household), owner=told.owner
        )
        DeliveryFactory.create(
            notification=other, channel=phone, kind="sms", next_at=START + timedelta(hours=1)
        )
        told.topic = Topic.CHANGED
        step = self.after(self.fail(told, email, at=START + timedelta(hours=2)))
        assert (step.kind, step.next_at) == ("sms", START + timedelta(hours=25))
