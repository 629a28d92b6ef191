"""A chat is spoken to from a child process that reaches nothing inside and delays nobody."""

from collections.abc import Iterator
from typing import Any

import pytest

from notifications import chat_child, delivery, transports
from notifications.choices import DeliveryState
from notifications.models import Delivery
from owners import channels
from owners.choices import ChannelKind
from owners.models import Channel
from tests.delivery import chat_service
from tests.delivery.chat_service import Ntfy
from tests.factories import START, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def ntfy() -> Iterator[Ntfy]:
    with chat_service.running() as service:
        yield service
        transports.close()


def added(cast: Cast, ntfy: Ntfy) -> Channel:
    address = f"ntfy://127.0.0.1:{ntfy.port}/steward"
    return channels.add(owner=cast.ana, kind=ChannelKind.CHAT, address=address, now=START)


def test_a_chat_proves_itself_by_its_code_and_one_that_hangs_is_given_up(
    cast: Cast, ntfy: Ntfy, settings: Any
) -> None:
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    channel = added(cast, ntfy)
    delivery.deliver_due(now=START)
    code = channel.codes.get().code
    assert code in ntfy.taken[0]["message"]
    assert Delivery.objects.get().state == DeliveryState.SENT
    assert channels.verify(channel=channel, code=code, now=START)
    assert (channel.shown, "127" in channel.hint) == ("ntfy", False)

    settings.CHAT_TIMEOUT = 0.3
    ntfy.faults = [1.0]
    Delivery.objects.update(state=DeliveryState.PENDING, next_at=START)
    channel.codes.update(used_at=None)
    delivery.deliver_due(now=START)
    row = Delivery.objects.get()
    assert (row.state, row.detail) == (DeliveryState.PENDING, "took too long")


def test_nothing_inside_is_reached_and_what_is_gone_ends_the_channel(
    cast: Cast, ntfy: Ntfy, settings: Any
) -> None:
    channel = added(cast, ntfy)
    delivery.deliver_due(now=START)
    assert ntfy.taken == []
    row = Delivery.objects.get()
    assert row.state == DeliveryState.PENDING
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    ntfy.faults = [404]
    delivery.deliver_due(now=row.next_at)
    channel.refresh_from_db()
    assert channel.failed_at == row.next_at


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("127.0.0.1", 443),
        ("10.0.0.8", 443),
        ("169.254.169.254", 443),
        ("::1", 443),
        ("8.8.8.8", 25),
    ],
)
def test_where_the_child_may_not_connect(address: str, port: int) -> None:
    with pytest.raises(OSError, match="may not be reached"):
        chat_child.check(address, port)
    chat_child.check("8.8.8.8", 443)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "json://127.0.0.1/",
        "syslog://",
        "ntfy://",
        "http://[",
        "slack://a/b/c?template=/etc/passwd",
        "ntfys://x.example/y?verify=no",
    ],
)
def test_only_known_chats_are_taken_and_only_for_messages(cast: Cast, address: str) -> None:
    with pytest.raises(channels.ChannelError):
        channels.add(owner=cast.ana, kind=ChannelKind.CHAT, address=address, now=START)
