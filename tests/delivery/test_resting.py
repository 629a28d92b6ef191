"""A provider that refuses everybody is left alone, and nobody waits for it for hours."""

from datetime import datetime, timedelta

import pytest

from notifications import delivery, transports
from notifications.choices import DeliveryState
from notifications.models import Delivery, Notification, ProviderRest
from notifications.resting import ENOUGH, WAITS
from owners.choices import ChannelKind
from owners.models import Channel
from tests.delivery.test_delivery import minutes, seconds, waiting
from tests.delivery.twilio import Twilio
from tests.factories import (
    START,
    Cast,
    ChannelFactory,
    HouseholdFactory,
    JourneyFactory,
    MembershipFactory,
    NotificationFactory,
)

pytestmark = pytest.mark.django_db


def texts(number: int, *, at: datetime = START) -> list[Delivery]:
    """Return deliveries by SMS, each to an owner and a number of its own."""
    made = []
    for _ in range(number):
        household = HouseholdFactory.create()
        owner = MembershipFactory.create(household=household).owner
        told = NotificationFactory.create(
            journey=JourneyFactory.create(household=household), owner=owner, text="They come."
        )
        channel = ChannelFactory.create(
            owner=owner, kind=ChannelKind.SMS, address=f"+121255501{Channel.objects.count():02}"
        )
        made.append(waiting(told, channel, next_at=at))
    return made


def states(rows: list[Delivery]) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.state for row in rows]


def test_three_refused_owners_let_the_provider_rest_for_everybody(db: None, twilio: Twilio) -> None:
    twilio.faults += [429] * ENOUGH
    refused = texts(ENOUGH)
    delivery.deliver_due(now=START)
    assert twilio.calls == ENOUGH
    assert ProviderRest.objects.get().until == START + seconds(90)  # as long as it asked

    later = texts(20)
    delivery.deliver_due(now=START + seconds(1))
    assert twilio.calls == ENOUGH
    assert set(states(later)) == {DeliveryState.PENDING}
    back = [row.next_at for row in later]
    # Nobody is sooner than it asked, and not everybody comes back in one moment.
    assert START + seconds(90) <= min(back) < max(back) <= START + seconds(90 * 1.2)
    assert {(row.claims, row.failures) for row in later} == {(0, 0)}

    delivery.deliver_due(now=START + seconds(120))
    assert set(states(refused + later)) == {DeliveryState.SENT}
    assert len(twilio.taken) == ENOUGH + 20
    assert not ProviderRest.objects.exists()


def test_one_owner_alone_lets_nobody_rest(db: None, cast: Cast, twilio: Twilio) -> None:
    told = NotificationFactory.create(
        journey=JourneyFactory.create(household=cast.household), owner=cast.ana
    )
    twilio.faults += [500] * ENOUGH
    for _ in range(ENOUGH):
        waiting(told, cast.sms)
    delivery.deliver_due(now=START)
    assert ProviderRest.objects.get().until is None
    (other,) = texts(1)
    delivery.deliver_due(now=START + seconds(1))
    assert states([other]) == [DeliveryState.SENT]


def test_whoever_goes_on_refusing_is_asked_ever_more_seldom(db: None, twilio: Twilio) -> None:
    rows = texts(ENOUGH)
    now, rests = START, []
    for _ in range(3):
        twilio.faults = [500, 500, 500]
        Delivery.objects.update(next_at=now)
        ProviderRest.objects.update(until=None)
        delivery.deliver_due(now=now)
        until = ProviderRest.objects.get().until
        assert until is not None
        rests.append(until - now)
        now = until
    assert rests == [max(wait, seconds(90)) for wait in WAITS[:3]]
    assert set(states(rows)) == {DeliveryState.PENDING}


def test_another_process_knows_of_the_rest(db: None, twilio: Twilio) -> None:
    twilio.faults += [429] * ENOUGH
    texts(ENOUGH)
    delivery.deliver_due(now=START)
    transports.close()  # what this one remembers is gone; the table is not
    texts(1)
    delivery.deliver_due(now=START + seconds(1))
    assert twilio.calls == ENOUGH


def test_what_interrupts_does_not_wait_an_hour_for_a_provider_and_its_owner_is_told(
    db: None, cast: Cast, twilio: Twilio
) -> None:
    twilio.patience = 3600
    twilio.faults += [429] * 2
    told = NotificationFactory.create(
        journey=JourneyFactory.create(household=cast.household), owner=cast.ana, text="They come."
    )
    rows = [waiting(told, cast.sms)]
    delivery.deliver_due(now=START)
    assert states(rows) == [DeliveryState.FAILED]
    assert Delivery.objects.get(notification=told, kind="email").next_at == START
    cast.sms.refresh_from_db()
    assert cast.sms.failed_at is None  # the number is good
    notice = Notification.objects.get(reason="channel_late")
    assert (notice.owner, notice.level) == (cast.ana, "feed")
    assert "held up" in notice.text
    # The next message of the day says nothing more of it.
    again = NotificationFactory.create(journey=told.journey, owner=cast.ana, text="They are here.")
    waiting(again, cast.sms, next_at=START + minutes(1))
    delivery.deliver_due(now=START + minutes(1))
    assert Delivery.objects.filter(notification=again, kind="email").exists()
    assert Notification.objects.filter(reason="channel_late").count() == 1


def test_without_another_channel_late_is_better_than_never(
    db: None, cast: Cast, twilio: Twilio
) -> None:
    Channel.objects.filter(owner=cast.ana).exclude(pk=cast.sms.pk).delete()
    twilio.patience = 3600
    twilio.faults += [429]
    told = NotificationFactory.create(
        journey=JourneyFactory.create(household=cast.household), owner=cast.ana
    )
    row = waiting(told, cast.sms)
    delivery.deliver_due(now=START)
    assert states([row]) == [DeliveryState.PENDING]
    delivery.deliver_due(now=START + timedelta(hours=1))
    assert states([row]) == [DeliveryState.SENT]
