"""Each endpoint gets its events in order, and no receiver slows another."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from suppliers import outbox
from suppliers.models import OutboundAttempt, OutboundEvent, OutboundState, Supplier
from tests.delivery import twilio
from tests.factories import Cast, HouseholdFactory, MandateFactory, SupplierFactory
from tests.wire.sending import NOW

pytestmark = pytest.mark.django_db
Answering = Callable[[socket.socket], None]
GOOD = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


class Peer:
    """A receiver on the loopback that answers each request as a test wants."""

    def __init__(self, answer: Answering) -> None:
        self.answer, self.got, self.over = answer, list[bytes](), threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hook"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while not self.over.is_set():
            with suppress(OSError):
                connection, _address = self.socket.accept()
                threading.Thread(target=self.hear, args=(connection,), daemon=True).start()

    def hear(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head, _gap, body = connection.recv(65536).partition(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while len(body) < size:
                body += connection.recv(65536)
            self.got.append(body)
            self.answer(connection)

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def receivers(settings: Any) -> Iterator[Callable[[str, Answering], Peer]]:
    """Give a supplier of this name an endpoint that answers so."""
    settings.OUTBOX_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.OUTBOX_TIMEOUT = 1
    peers: list[Peer] = []

    def open_(code: str, answer: Answering) -> Peer:
        peer = Peer(answer)
        peers.append(peer)
        Supplier.objects.filter(code=code).update(webhook_url=peer.url)
        return peer

    yield open_
    for peer in peers:
        peer.close()


def well(connection: socket.socket) -> None:
    connection.sendall(GOOD)


def say(mandate: Any, text: str) -> OutboundEvent:
    mandate.refresh_from_db()
    return outbox.send(mandate=mandate, type="owner.message.sent", data={"body": text}, now=NOW)


def heard(peer: Peer) -> list[str]:
    return [body.partition(b'"body":"')[2].partition(b'"')[0].decode() for body in peer.got]


class Sometimes:
    """Answers with these statuses in turn, then well."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)

    def __call__(self, connection: socket.socket) -> None:
        status = self.statuses.pop(0) if self.statuses else 204
        connection.sendall(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())


def test_what_follows_a_failing_event_waits_behind_it_and_arrives_in_order(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    peer = receivers("skyline", Sometimes(503, 503))
    other = MandateFactory.create(household=HouseholdFactory(), supplier=cast.skyline)
    say(cast.mandate, "one")
    say(other, "two")
    say(cast.mandate, "three")
    outbox.send_due(now=NOW)
    assert heard(peer) == ["one"]
    say(other, "four")
    assert outbox.send_due(now=NOW) == 0  # also what was written afterwards
    now = NOW
    for _ in range(4):
        now = max(OutboundEvent.objects.values_list("next_at", flat=True))
        outbox.send_due(now=now)
    assert heard(peer) == ["one", "one", "one", "two", "three", "four"]
    assert not OutboundEvent.objects.exclude(state=OutboundState.SENT).exists()


def test_one_event_that_is_refused_for_long_holds_back_its_own_mandate_only(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    peer = receivers("skyline", Sometimes(500, 500, 500))
    other = MandateFactory.create(household=HouseholdFactory(), supplier=cast.skyline)
    poison = say(cast.mandate, "poison")
    say(cast.mandate, "after it")
    say(other, "of another")
    now = NOW
    for _ in range(3):
        outbox.send_due(now=now)
        poison.refresh_from_db()
        if poison.attempts < 3:
            now = poison.next_at
    assert heard(peer)[:4] == ["poison", "poison", "poison", "of another"]
    assert "after it" not in heard(peer)[:4]
    # It answers again, so all that waits for it is due, the oldest first.
    outbox.send_due(now=now)
    assert heard(peer)[4:] == ["poison", "after it"]


def test_one_event_that_is_always_refused_keeps_its_schedule_while_others_arrive(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    def picky(connection: socket.socket) -> None:
        is_bad = b"poison" in peer.got[-1]
        connection.sendall(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n" if is_bad else GOOD)

    peer = receivers("skyline", picky)
    other = MandateFactory.create(household=HouseholdFactory(), supplier=cast.skyline)
    poison, now = say(cast.mandate, "poison"), NOW
    for _ in range(3):
        outbox.send_due(now=now)
        poison.refresh_from_db()
        now = poison.next_at
    say(cast.mandate, "behind")
    for minutes in range(60):
        say(other, f"at {minutes}")
        outbox.send_due(now=now + timedelta(minutes=minutes, seconds=-30))
    assert [text for text in heard(peer) if text != "poison"] == [f"at {m}" for m in range(60)]
    assert len(heard(peer)) <= 60 + 6


def test_what_may_still_be_taken_back_lets_others_pass_but_not_its_own_household(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    peer = receivers("skyline", well)
    other = MandateFactory.create(household=HouseholdFactory(), supplier=cast.skyline)
    opened = say(cast.mandate, "opened")
    OutboundEvent.objects.filter(pk=opened.pk).update(next_at=NOW + timedelta(seconds=10))
    say(cast.mandate, "after it")
    say(other, "of another")
    outbox.send_due(now=NOW)
    assert heard(peer) == ["of another"]
    outbox.send_due(now=NOW + timedelta(seconds=10))
    assert heard(peer) == ["of another", "opened", "after it"]


def test_what_waits_behind_one_that_is_refused_is_not_looked_at_each_time(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    receivers("skyline", Sometimes(*[500] * 9))
    poison, now = say(cast.mandate, "poison"), NOW
    for _ in range(4):
        outbox.send_due(now=now)
        poison.refresh_from_db()
        now = poison.next_at
    behind = say(cast.mandate, "behind")
    before = now - timedelta(hours=1)
    assert outbox.send_due(now=before) == 0
    behind.refresh_from_db()
    assert behind.next_at == before + timedelta(minutes=5)


def test_what_is_sent_again_by_hand_goes_though_its_endpoint_rests(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    peer = receivers("skyline", Sometimes(503))
    event = say(cast.mandate, "one")
    outbox.send_due(now=NOW)
    event.refresh_from_db()
    assert outbox.send_due(now=NOW) == 0
    outbox.send_again(event=event, now=NOW)
    assert outbox.send_due(now=NOW) == 1
    assert heard(peer) == ["one", "one"]


def test_an_endpoint_that_asks_to_be_left_alone_gets_nothing_until_then(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    answers = iter([b"HTTP/1.1 429 X\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n"])
    peer = receivers("skyline", lambda one: one.sendall(next(answers, GOOD)))
    say(cast.mandate, "one")
    outbox.send_due(now=NOW)
    say(cast.mandate, "two")
    for minutes in (1, 9):
        assert outbox.send_due(now=NOW + timedelta(minutes=minutes)) == 0
    outbox.send_due(now=NOW + timedelta(minutes=11))
    assert heard(peer) == ["one", "one", "two"]


def test_a_rate_is_kept_for_each_endpoint(
    cast: Cast, receivers: Callable[[str, Answering], Peer], settings: Any
) -> None:
    settings.OUTBOX_RATE = 50
    peer = receivers("skyline", well)
    for number in range(6):
        say(cast.mandate, str(number))
    began = time.monotonic()
    outbox.send_due(now=NOW)
    assert time.monotonic() - began >= 5 / 50
    assert heard(peer) == [str(number) for number in range(6)]


def redirects(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    )


GIVEN_UP: list[float] = []


def hangs(connection: socket.socket) -> None:
    connection.recv(1)  # until the other side has had enough
    GIVEN_UP.append(time.monotonic())


def drips(connection: socket.socket) -> None:
    for char in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 1000:
        connection.sendall(bytes([char]))
        time.sleep(0.05)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00" + bytes(4))


def is_gone(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")


def is_busy(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 429 X\r\nretry-after: 9999999\r\ncontent-length: 0\r\n\r\n")


def pours(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 1_000_000)


HOSTILE = (redirects, hangs, drips, resets, is_gone, is_busy, pours)


def test_no_receiver_slows_the_others(
    cast: Cast, receivers: Callable[[str, Answering], Peer], settings: Any
) -> None:
    settings.OUTBOX_TIMEOUT, settings.OUTBOX_RATE = 5, 0
    GIVEN_UP.clear()
    for answer in HOSTILE:
        supplier = SupplierFactory.create(code=answer.__name__)
        receivers(supplier.code, answer)
        mandate = MandateFactory.create(household=cast.household, supplier=supplier)
        say(mandate, "first")
        say(mandate, "second")
    arrived: list[float] = []

    def note(connection: socket.socket) -> None:
        arrived.append(time.monotonic())
        connection.sendall(GOOD)

    receivers("skyline", note)
    for number in range(20):
        say(cast.mandate, str(number))
    began = time.monotonic()
    outbox.send_due(now=NOW)
    whole = time.monotonic() - began
    assert len(arrived) == 20
    assert arrived[-1] < min(GIVEN_UP), f"{arrived[-1] - began:.2f} s"
    assert whole < 15, f"{whole:.2f} s"  # one deadline, not one for each byte
    tried = OutboundAttempt.objects.filter(event__supplier__code__in=["hangs", "drips", "pours"])
    assert max(one.took_ms or 0 for one in tried) < 10_000
    kept = [len(outbox.said_by(one)) for one in tried.filter(event__supplier__code="pours")]
    assert set(kept) == {1024}


def test_what_an_endpoint_said_is_kept_sealed_for_its_supplier(
    cast: Cast, receivers: Callable[[str, Answering], Peer]
) -> None:
    receivers(
        "skyline",
        lambda one: one.sendall(b"HTTP/1.1 500 X\r\ncontent-length: 12\r\n\r\nno such job\n"),
    )
    say(cast.mandate, "one")
    outbox.send_due(now=NOW)
    (attempt,) = OutboundAttempt.objects.select_related("event")
    assert outbox.said_by(attempt) == "no such job\n"
    assert attempt.sealed_answer is not None
    assert b"no such job" not in bytes(attempt.sealed_answer)
    assert "no such job" not in attempt.detail + attempt.event.detail


@contextmanager
def telephone(settings: Any) -> Iterator[twilio.Twilio]:
    with twilio.running() as phone:
        settings.TWILIO_API_URL = phone.address
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_FROM = "AC1", "+12125550199"
        settings.TWILIO_AUTH_TOKENS = ["token"]
        yield phone


@pytest.mark.parametrize(
    ("faults", "state"), [([], "sent"), (["drop"], "sent"), ([503], "pending"), ([21211], "failed")]
)
def test_who_has_only_a_number_is_sent_an_sms(
    cast: Cast, settings: Any, faults: list[Any], state: str
) -> None:
    assert cast.skyline.numbers.exists()
    with telephone(settings) as phone:
        phone.faults.extend(faults)
        phone.now = NOW
        event = say(cast.mandate, "Please ring the upper bell.")
        assert event.via == "sms"
        outbox.send_due(now=NOW)
        event.refresh_from_db()
        assert event.state == state
        assert event.tries.get().via == "sms"
        if state == "sent":
            (taken,) = phone.taken
            assert "upper bell" in taken.body
            assert "ana@" not in taken.body
        quiet = outbox.send(mandate=cast.mandate, type="owner.mandate.granted", data={}, now=NOW)
        assert quiet.via == "none"  # nobody wants that as an SMS
