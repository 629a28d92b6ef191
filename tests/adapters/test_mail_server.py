"""A real SMTP client speaks to the mail server: what is answered 250 is stored, once."""

import asyncio
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from notifications import pipeline
from notifications.models import Card
from owners import clock
from suppliers import mail, mail_listener
from suppliers.models import Contact, InboundEvent
from tests import factories
from tests.adapters.test_entrances import message
from tests.factories import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]

FROM = "visits@skyline.example"


@contextmanager
def listening(*addresses: str) -> Iterator[list[mail_listener.Address]]:
    """Run the mail server in a thread, as the command runs it."""
    found: list[mail_listener.Address] = []
    ready = threading.Event()
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def note(where: Any) -> None:
        found.extend(where)
        ready.set()

    async def run() -> None:
        asked = asyncio.Event()
        stopping.append((asyncio.get_running_loop(), asked))
        wanted = [mail_listener.address(text) for text in addresses]
        await mail_listener.serve(wanted, stopping=asked, ready=note)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    try:
        yield found
    finally:
        loop, asked = stopping[0]
        loop.call_soon_threadsafe(asked.set)
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _ours(settings: Settings, now: datetime) -> Iterator[None]:
    settings.MAIL_AUTHSERV_ID = "mx.steward.example"
    with clock.fixed(now):
        yield


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return factories.cast()


@pytest.fixture
def client() -> Iterator[Callable[[mail_listener.Address], smtplib.SMTP]]:
    opened: list[smtplib.SMTP] = []

    def connect(where: mail_listener.Address) -> smtplib.SMTP:
        if where.path:
            opened.append(smtplib.LMTP(where.path, timeout=20))
        else:
            kind = smtplib.LMTP if where.protocol == "lmtp" else smtplib.SMTP
            opened.append(kind(where.host, where.port, timeout=20))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_a_mail_from_a_real_client_reaches_the_feed(cast: Cast, now: datetime, client: Any) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        assert client(where).sendmail(FROM, [alias], crlf(message(alias))) == {}
    pipeline.drain(now_fn=clock.now)
    contact = Contact.objects.get()
    assert contact.supplier == cast.skyline
    assert InboundEvent.objects.get().routing["return_path"] == FROM
    assert Card.objects.get().journey.suppliers == [cast.skyline.pk]


def test_the_same_mail_again_is_no_second_contact(cast: Cast, client: Any) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        for _ in range(2):
            client(where).sendmail(FROM, [alias], crlf(message(alias)))
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize(
    "recipient", ["nobody@mail.localhost", "{alias}@elsewhere.example", "{alias}", "a\x00b@x"]
)
def test_a_mail_for_nobody_here_is_refused_at_once(cast: Cast, client: Any, recipient: str) -> None:
    with listening("smtp://127.0.0.1:0") as [where]:
        smtp = client(where)
        smtp.ehlo()
        smtp.mail(FROM)
        code, _ = smtp.rcpt(recipient.replace("{alias}", cast.mandate.alias))
        assert 500 <= code < 600
        assert smtp.docmd("DATA")[0] == 503
    assert not InboundEvent.objects.exists()


def test_lmtp_answers_for_each_recipient(
    cast: Cast, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = f"{cast.household.intake_alias}@mail.localhost"
    alias = f"{cast.mandate.alias}@mail.localhost"
    receive = mail.receive

    def away_for_one(**given: Any) -> Any:
        if given["recipient"] == intake:
            raise OperationalError
        return receive(**given)

    path = tmp_path / "lmtp.sock"
    with listening(f"lmtp+unix://{path}") as [where]:
        assert path.stat().st_mode & 0o777 == 0o660
        smtp = client(where)
        monkeypatch.setattr(mail, "receive", away_for_one)
        refused = smtp.sendmail(FROM, [alias, intake], crlf(message(alias)))
        assert refused == {}  # smtplib reads one answer; the second one follows
        assert smtp.getreply()[0] == 451
        monkeypatch.setattr(mail, "receive", receive)
        smtp.sendmail(FROM, [alias, intake], crlf(message(alias)))
        assert smtp.getreply()[0] == 250
    assert InboundEvent.objects.count() == 2
    assert not path.exists()


def test_while_the_database_is_away_the_sender_keeps_the_mail(
    cast: Cast, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_given: Any) -> Any:
        raise OperationalError

    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        with monkeypatch.context() as patched:
            patched.setattr(mail, "receive", away)
            with pytest.raises(smtplib.SMTPDataError) as caught:
                client(where).sendmail(FROM, [alias], crlf(message(alias)))
            assert caught.value.smtp_code == 451
        with monkeypatch.context() as patched:
            patched.setattr(mail, "is_ours", lambda _address: away())
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                client(where).sendmail(FROM, [alias], crlf(message(alias)))
            assert refused.value.recipients[alias][0] == 451
        assert not InboundEvent.objects.exists()
        client(where).sendmail(FROM, [alias], crlf(message(alias)))
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Subject: a\r\n\r\none\n.\r\nMAIL FROM:<x@y.example>\r\n", 550),
        (b"Subject: a\r\n\r\none\rtwo\r\n", 550),
        (b"Subject: a\r\n\r\n" + b"x" * 70_000 + b"\r\n", 500),
        (b"Subject: a\r\n\r\n" + b"\r\n" * 700_000, 552),
    ],
)
def test_what_two_servers_may_read_differently_or_is_too_large_is_refused(
    cast: Cast, client: Any, content: bytes, code: int
) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        smtp = client(where)
        smtp.ehlo()
        smtp.mail(FROM)
        smtp.rcpt(alias)
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(content + b".\r\n")
        assert smtp.getreply()[0] == code
        assert smtp.noop()[0] == 250
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: a\r\n\r\n.\r\n..b\r\nc.\r\n",
        b".\r\n",
        b"..\r\n.a\r\n",
        b"\r\n\r\n.\r\n",
        b"a\r\n",
        b"Subject: a\r\n\r\n" + (b"x" * 997 + b"\r\n.\r\n") * 300,
    ],
)
def test_lines_that_begin_with_a_dot_arrive_as_they_were(
    cast: Cast, client: Any, raw: bytes
) -> None:
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        client(where).sendmail(FROM, [alias], raw)
    assert InboundEvent.objects.get().body == raw


def test_a_message_announced_as_too_large_is_refused_before_it_is_sent(
    cast: Cast, client: Any
) -> None:
    with listening("smtp://127.0.0.1:0") as [where]:
        smtp = client(where)
        smtp.ehlo()
        assert smtp.mail(FROM, [f"size={mail.MAX_BYTES + 1}"])[0] == 552


def test_connections_and_recipients_have_a_limit(
    cast: Cast, client: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_CONNECTIONS = 4
    monkeypatch.setattr(mail_listener, "MAX_RECIPIENTS", 1)
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        first = client(where)
        first.ehlo()
        first.mail(FROM)
        assert [first.rcpt(alias)[0] for _ in range(2)] == [250, 452]
        for _ in range(3):
            client(where)
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            client(where)
        assert caught.value.smtp_code == 421
        first.quit()
        time.sleep(0.1)
        assert client(where).noop()[0] == 250


@pytest.mark.parametrize(("relays", "expected"), [([], "none"), (["192.0.2.0/24"], "pass")])
def test_verdicts_count_only_from_our_own_relay(
    cast: Cast, client: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    relays: list[str], expected: str,
) -> None:  # fmt: skip
    settings.MAIL_RELAYS = relays
    monkeypatch.setattr(mail_listener.Conversation, "_peer", lambda _self: ("192.0.2.7", 1))
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        client(where).sendmail(FROM, [alias], crlf(message(alias)))
    assert InboundEvent.objects.get().routing["authentication"] == expected


def test_with_a_certificate_nothing_is_said_before_tls(
    cast: Cast, client: Any, settings: Settings, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    settings.MAIL_TLS_CERTIFICATE, settings.MAIL_TLS_KEY = str(certificate), str(key)
    settings.MAIL_TLS_REQUIRED = True
    alias = f"{cast.mandate.alias}@mail.localhost"
    with listening("smtp://127.0.0.1:0") as [where]:
        smtp = client(where)
        smtp.ehlo()
        assert smtp.mail(FROM)[0] == 530
        smtp.starttls(context=ssl.create_default_context(cafile=str(certificate)))
        smtp.sendmail(FROM, [alias], crlf(message(alias)))
    assert InboundEvent.objects.count() == 1


def test_a_stop_finishes_what_is_being_stored(
    cast: Cast, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, started = mail.receive, threading.Event()

    def slow(**given: Any) -> Any:
        started.set()
        time.sleep(0.5)
        return receive(**given)

    monkeypatch.setattr(mail, "receive", slow)
    alias = f"{cast.mandate.alias}@mail.localhost"
    answers: list[Any] = []

    def send(smtp: smtplib.SMTP) -> None:
        answers.append(smtp.sendmail(FROM, [alias], crlf(message(alias))))

    with listening("smtp://127.0.0.1:0") as [where]:
        thread = threading.Thread(target=send, args=[client(where)])
        thread.start()
        assert started.wait(10)
    thread.join(10)
    assert answers == [{}]
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    ["ftp://127.0.0.1:1", "smtp://127.0.0.1", "lmtp://192.0.2.1:24", "lmtp+unix://x", "smtp://a:b"],
)
def test_an_address_that_cannot_be_used_says_why(text: str) -> None:
    with pytest.raises(mail_listener.AddressError):
        mail_listener.address(text)


def test_the_command_listens_until_it_is_asked_to_stop() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "mail_server", f"smtp://127.0.0.1:{port}"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert f"smtp://127.0.0.1:{port}" in process.stdout.readline()
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
            assert smtp.noop()[0] == 250
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
