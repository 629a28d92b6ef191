"""kill -9 at every write and commit of a delivery, on every kind of channel.

A process of its own is killed there; another finishes its work later. Nothing is ever
lost, and nobody is told twice by what cannot take back or replace what it said.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Set
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.utils.module_loading import import_string

from notifications import delivery, push_devices, transports
from notifications.choices import DeliveryState, PushService
from notifications.models import Delivery
from owners.choices import ChannelKind
from owners.models import Channel
from tests.delivery import app_services, chat_service, push_service
from tests.delivery.conftest import Mailbox
from tests.delivery.test_delivery import seconds, text_of, waiting
from tests.delivery.twilio import Twilio
from tests.factories import START, Cast, ChannelFactory, JourneyFactory, NotificationFactory

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_S = 60.0  # one delivery in a process of its own, on a busy machine
LATER = (60, 61, 121)  # leases and doubts are over, one after the other
# The claim is the same for all, so one channel meets every point. What differs is around the
# provider: claimed and not sent, taken and not written, written and not committed, done.
AROUND = frozenset({7, 8, 11, 12})


@dataclass
class Sink:
    """Where messages arrive: `taken` names each by what its receiver knows a copy by."""

    channel: Channel
    taken: Callable[[], list[str]]
    most: int  # copies of one message after one kill
    points: frozenset[int] = AROUND  # empty for all


@pytest.fixture
def stack(settings: Any) -> Iterator[ExitStack]:
    settings.REACH_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    with ExitStack() as found:
        found.callback(transports.close)
        yield found


def device(cast: Cast, **where: Any) -> Channel:
    added = push_devices.add(owner=cast.ana, now=START, **where).channel
    added.codes.all().delete()
    Channel.objects.filter(pk=added.pk).update(verified_at=START)
    return added


def sink_of(name: str, *, cast: Cast, stack: ExitStack, settings: Any, request: Any) -> Sink:
    """Start the provider of a channel."""
    if name in ("sms", "sms by key", "voice"):
        twilio: Twilio = request.getfixturevalue("twilio")
        twilio.now = START
        if name == "voice":
            phone = ChannelFactory.create(
                owner=cast.ana, kind=ChannelKind.VOICE, address="+12125550100"
            )
            calls = lambda: [call["StatusCallback"] for call in twilio.calls_made]  # noqa: E731
            return Sink(channel=phone, taken=calls, most=1)
        twilio.takes_keys, twilio.has_lists = name == "sms by key", name == "sms"
        texts = lambda: [one.callback for one in twilio.taken]  # noqa: E731
        points = frozenset[int]() if name == "sms" else AROUND
        return Sink(channel=cast.sms, taken=texts, most=1, points=points)
    if name == "email":
        box: Mailbox = request.getfixturevalue("mailbox")

        def names() -> list[str]:
            lines = [line for one in box.taken for line in text_of(one).splitlines()]
            return [line for line in lines if line.startswith("Message-ID")]

        return Sink(channel=cast.email, taken=names, most=2)
    if name == "web push":
        web = stack.enter_context(push_service.running())
        channel = device(cast, endpoint=f"{web.address}/phone", keys=web.keys())
        topics = lambda: [one["Topic"] for one in web.headers]  # noqa: E731
        return Sink(channel=channel, taken=topics, most=2)
    if name == "firebase":
        google = stack.enter_context(app_services.firebase())
        settings.FCM_URL, settings.FCM_ACCOUNT = google.address, google.account()
        channel = device(cast, service=PushService.FCM, token="a1")
        tags = lambda: [one["android"]["notification"]["tag"] for one in google.taken]  # noqa: E731
        return Sink(channel=channel, taken=tags, most=2)
    if name == "apple":
        apple = stack.enter_context(app_services.apple())
        settings.APNS_URL, settings.APNS_KEY = apple.address, apple.p8()
        settings.APNS_KEY_ID, settings.APNS_TEAM_ID = "K1", "T1"
        settings.APNS_TOPIC = "example.steward"
        channel = device(cast, service=PushService.APNS, token="b1")
        ids = lambda: [head["apns-collapse-id"] for head, _ in apple.taken]  # noqa: E731
        return Sink(channel=channel, taken=ids, most=2)
    assert name == "chat"
    ntfy = stack.enter_context(chat_service.running())
    channel = ChannelFactory.create(
        owner=cast.ana, kind=ChannelKind.CHAT, address=f"ntfy://127.0.0.1:{ntfy.port}/ana"
    )
    said = lambda: [one["message"] for one in ntfy.taken]  # noqa: E731
    # Each process starts Apprise for itself, which takes a while.
    return Sink(channel=channel, taken=said, most=2, points=frozenset({8}))


def killed_at(point: int, *, kind: str, foreign: Set[int]) -> bool:
    """Deliver in a process that is killed at its `point`-th point; False when it has fewer."""
    transports.close()  # a child would share what waits for answers
    _wait_for_ended_threads(foreign)
    child = os.fork()
    if child == 0:
        try:
            _deliver_until(point, kind=kind)
        except BaseException:  # noqa: BLE001 - nothing of the parent's may run here
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    status = _status_of(child)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def foreign_threads() -> set[int]:
    """Return the threads of this process that Python does not know."""
    tasks = {int(task.name) for task in Path("/proc/self/task").iterdir()}
    return tasks - {thread.native_id for thread in threading.enumerate()}


def _wait_for_ended_threads(foreign: Set[int]) -> None:
    """Return when the threads that have ended are gone from the system too.

    On its way out a thread holds locks of OpenSSL, which a child would find locked for ever.
    `foreign` ones were never Python's: the runner of the tests has its own.
    """
    end = time.monotonic() + 10
    while foreign_threads() - foreign and time.monotonic() < end:
        time.sleep(0.005)


def _status_of(child: int) -> int:
    """Return how a child ended; one that stands still is killed where it stands."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _deliver_until(point: int, *, kind: str) -> None:
    """Deliver, and die before or after the write, or after the commit, that comes `point`-th."""
    for one in connections.all(initialized_only=True):
        one.connection = None  # that line is the parent's
    passed, is_dirty = 0, False

    def pass_one() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        nonlocal is_dirty
        is_claim = sql.lstrip().startswith("WITH") and params["kind"] == kind
        if not is_claim and not sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            return execute(sql, params, many, context)
        pass_one()
        found = execute(sql, params, many, context)
        is_dirty = True
        pass_one()
        return found

    commit = connection.commit

    def committed() -> None:
        nonlocal is_dirty
        commit()
        if is_dirty:
            is_dirty = False
            pass_one()

    connection.commit = committed  # type: ignore[method-assign]
    with connection.execute_wrapper(wrapper):
        delivery.deliver_due(now=START)


def survive(name: str, sink: Sink, *, cast: Cast) -> None:
    """Kill at each point of a delivery, and see what arrived when others have finished it."""
    copies = point = 0
    was_killed, foreign = True, foreign_threads()
    while was_killed and point < max(sink.points, default=99):
        point += 1
        if sink.points and point not in sink.points:
            continue
        journey = JourneyFactory.create(household=cast.household)
        told = NotificationFactory.create(
            journey=journey, owner=cast.ana, text=f"They come at 08:{point:02}."
        )
        row = waiting(told, sink.channel)
        before = len(sink.taken())
        was_killed = killed_at(point, kind=row.kind, foreign=foreign)
        for later in LATER:
            delivery.deliver_due(now=START + seconds(later))
        row.refresh_from_db()
        came = sink.taken()[before:]
        assert (name, point, row.state) == (name, point, DeliveryState.SENT)
        assert 1 <= len(came) <= sink.most, (name, point, came)
        assert len(set(came)) == 1  # a copy is known to be one
        if len(came) > 1:
            copies += 1
            # The only gap: it was there already when the process died, and Steward says so.
            assert row.attempts.filter(outcome="unknown").exists()
    assert was_killed is bool(sink.points)  # every point of it, or to the end
    if sink.most > 1:
        assert copies, name  # the gap is there; a test that never met it proves nothing


@pytest.mark.parametrize(
    "names",
    [("sms", "sms by key", "voice"), ("email", "web push", "firebase", "apple", "chat")],
    ids=["once", "a copy is known"],
)
def test_a_kill_at_any_write_or_commit_loses_nothing_and_tells_nobody_twice(
    cast: Cast,
    stack: ExitStack,
    settings: Any,
    request: pytest.FixtureRequest,
    names: tuple[str, ...],
) -> None:
    for name in names:
        sink = sink_of(name, cast=cast, stack=stack, settings=settings, request=request)
        survive(name, sink, cast=cast)
        transports.close()
    assert not Delivery.objects.exclude(state=DeliveryState.SENT).exists()


def test_the_promise_in_the_docs_is_what_the_transports_do() -> None:
    table = (Path(__file__).parents[2] / "docs" / "channels.md").read_text().splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table if line[:1] == "|"
    ]
    said = {row[0].partition(":")[0]: row[3] for row in rows if len(row) == 4}
    words = {"e-mail": "email", "SMS": "sms", "call": "voice", "push": "push", "chat": "chat"}
    for word, kind in words.items():
        is_repeatable = import_string(transports.TRANSPORTS[ChannelKind(kind)])().is_repeatable
        assert said[word].startswith("yes") is is_repeatable, word
        assert is_repeatable or said[word].startswith("only when")
