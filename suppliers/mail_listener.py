"""The mail server for self-hosters: LMTP behind their own mail server, or plain SMTP.

It takes mail for our addresses and nothing else; it relays nothing. What it answers with
250 is stored. While the database is away it answers 451 and keeps nothing: the sender
tries again, and what had been stored before is then a duplicate.
"""

import asyncio
import contextlib
import ipaddress
import logging
import os
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    close_old_connections,
    connections,
)

from owners import clock
from suppliers import mail

log = structlog.get_logger(__name__)
logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's; it logs who writes to whom

MAX_LINE = 64 * 1024  # far more than RFC 5321 allows, as senders write longer lines
MAX_LINES = 600_000  # 25 MiB of base64 has 340,000; empty lines cost more than their bytes
MAX_RECIPIENTS = 100
TIMEOUT_S = 300.0  # of one command, the message with it
THREADS = 8
STOP_S = 10.0
END = b"\r\n.\r\n"
COMMANDS = 1000  # of each kind in one connection

STORED = "250 2.0.0 Stored"
TRY_AGAIN = "451 4.3.0 Nothing was kept; try again later"
UNKNOWN = "550 5.1.1 Nobody here has this address"
TOO_LARGE = "552 5.3.4 The message is too large"
TOO_LONG = "500 5.6.0 A line is too long"
BARE = "550 5.6.11 A line ends in a bare CR or LF"
TOO_MANY = "452 4.5.3 Too many recipients"
BUSY = "421 4.7.0 Too many connections"

Result = TypeVar("Result")


class AddressError(ValueError):
    """An address to listen at that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen, and in which protocol. `path` is a unix socket's."""

    protocol: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{self.protocol}+unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"


def address(text: str) -> Address:
    """Return the address that a setting names. Raises AddressError.

    `lmtp+unix:///run/steward/lmtp.sock`, `lmtp://127.0.0.1:2424`, `smtp://0.0.0.0:25`.
    """
    parts = urlsplit(text)
    protocol, plus, kind = parts.scheme.partition("+")
    if protocol not in {"lmtp", "smtp"} or (plus and kind != "unix"):
        raise AddressError(f"{text!r}: write lmtp+unix://, lmtp:// or smtp:// and where to listen.")
    if plus:
        if not parts.path.startswith("/"):
            raise AddressError(f"{text!r} names no path.")
        return Address(protocol=protocol, path=parts.path)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressError(f"{text!r}: {error}.") from error
    if not host or port is None:
        raise AddressError(f"{text!r} names no host and port.")
    if protocol == "lmtp" and not _is_loopback(host):
        # LMTP has no queue behind it and asks nobody who they are (RFC 2033).
        raise AddressError(f"{text!r}: LMTP listens on a unix socket or on this machine only.")
    return Address(protocol=protocol, host=host, port=port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_relay(peer: Any) -> bool:
    """Say whether the peer's own verdicts on senders count: a server that we run."""
    if not isinstance(peer, tuple):
        return True  # a unix socket: whoever may open it is ours
    found = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or any(
        found in ipaddress.ip_network(name, strict=False) for name in settings.MAIL_RELAYS
    )


class Conversation(SMTP):
    """One connection. A message is gathered in one piece of memory, of a limited size."""

    line_length_limit = MAX_LINE
    answers_each = False  # LMTP answers for every recipient, SMTP for the message

    def __init__(self, listener: "Listener", **options: Any) -> None:
        super().__init__(
            listener,
            data_size_limit=mail.MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname=settings.MAIL_DOMAIN,
            ident="Steward",
            timeout=TIMEOUT_S,
            command_call_limit=COMMANDS,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            **options,
        )
        self.listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        super().connection_made(transport)
        self.listener.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Count it no more."""
        self.listener.closed(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd calls it so
        """Take a message. Everything is read to its end before it is answered."""
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Need RCPT first")
            return
        if arg:
            await self.push("501 5.5.4 DATA takes nothing")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content, fault = await self._content()
        if fault:
            answers = [fault] * len(envelope.rcpt_tos)
        else:
            answers = await self.listener.store(content, envelope, peer=self._peer())
        for answer in answers if self.answers_each else [_worst(answers)]:
            await self.push(answer)
        self._set_post_data_state()  # type: ignore[no-untyped-call]  # aiosmtpd's

    def _peer(self) -> Any:
        return self.session.peer if self.session is not None else None

    async def _content(self) -> tuple[bytes, str]:
        """Return the message without its transparency, or why it is not taken."""
        content = bytearray()
        if not await self._begin(content):
            return b"", ""
        size = len(content)
        while True:
            try:
                part, is_over = await self._reader.readuntil(END), True
            except asyncio.LimitOverrunError as error:
                part, is_over = await self._reader.read(error.consumed), False
            size += len(part)
            if size <= mail.MAX_BYTES:
                content += part
            if is_over:
                break
        if size > mail.MAX_BYTES or content.count(b"\r\n") > MAX_LINES:
            return b"", TOO_LARGE
        del content[-3:]
        return _plain(bytes(content))

    async def _begin(self, content: bytearray) -> bool:
        """Read as far as the end could begin with what was read; say whether there is more.

        The end is a dot on a line of its own, and the first line has none before it.
        """
        while True:
            first = await self._reader.readexactly(1)
            content += first
            if first == b"\r":
                content += (second := await self._reader.readexactly(1))
                if second == b"\n":
                    continue
            elif first == b".":
                content += (second := await self._reader.readexactly(1))
                if second == b"\r":
                    content += (third := await self._reader.readexactly(1))
                    if third == b"\n":
                        return False
            return True


class Lmtp(Conversation, LMTP):
    """The same for our own mail server, answering for each recipient."""

    answers_each = True


class Refused(asyncio.Protocol):
    """A connection too many: told to come again, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer and close."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - of a stream
        transport.write(f"{BUSY}\r\n".encode())
        transport.close()


PROTOCOLS: dict[str, type[Conversation]] = {"smtp": Conversation, "lmtp": Lmtp}


def _plain(content: bytes) -> tuple[bytes, str]:
    """Return a message as it was before it was sent, or why it is not taken."""
    bare = content.replace(b"\r\n", b"")
    if b"\r" in bare or b"\n" in bare:
        return b"", BARE  # two servers may see two messages in it (SMTP smuggling)
    if len(content) > MAX_LINE and any(len(line) > MAX_LINE for line in content.split(b"\r\n")):
        return b"", TOO_LONG
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n")[2:], ""


def _worst(answers: Sequence[str]) -> str:
    """Return the one answer for all: what must come again for one, comes again for all."""
    return next((answer for answer in answers if not answer.startswith("2")), STORED)


@dataclass(slots=True)
class Listener:
    """What all connections share; aiosmtpd calls its `handle_…`."""

    max_connections: int
    tls: ssl.SSLContext | None = None
    needs_tls: bool = False
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
    )
    connections: set[Conversation] = field(default_factory=set)
    peers: Counter[str] = field(default_factory=Counter)
    busy: int = 0  # messages that are being stored
    servers: list[asyncio.Server] = field(default_factory=list)

    async def listen(self, where: Address) -> Address:
        """Listen there; return the address with the port that was given."""
        loop = asyncio.get_running_loop()
        factory = partial(self._connection, PROTOCOLS[where.protocol], loop)
        if where.path:
            server = await loop.create_unix_server(factory, where.path)
            os.chmod(where.path, 0o660)  # noqa: PTH101 - the mail server's group may write
        else:
            server = await loop.create_server(factory, where.host, where.port)
            port = server.sockets[0].getsockname()[1]
            where = Address(protocol=where.protocol, host=where.host, port=port)
        self.servers.append(server)
        return where

    def _connection(
        self, kind: type[Conversation], loop: asyncio.AbstractEventLoop
    ) -> asyncio.BaseProtocol:
        if len(self.connections) >= self.max_connections:
            return Refused()
        return kind(self, loop=loop, tls_context=self.tls, require_starttls=self.needs_tls)

    def opened(self, connection: Conversation) -> None:
        """Note a connection; one that turns to TLS is noted again."""
        if connection not in self.connections:
            self.connections.add(connection)
            self.peers[_name(connection.session)] += 1

    def closed(self, connection: Conversation) -> None:
        """Forget a connection."""
        if connection in self.connections:
            self.connections.discard(connection)
            name = _name(connection.session)
            self.peers[name] -= 1
            if self.peers[name] <= 0:
                del self.peers[name]

    async def stop(self) -> None:
        """Take no more connections, finish what is being stored, close the rest."""
        for server in self.servers:
            server.close()
        end = asyncio.get_running_loop().time() + STOP_S
        while self.busy and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)  # the last answers on their way
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.to_thread(self._close_pool)

    def _close_pool(self) -> None:
        """End the threads, each with its connection to the database."""
        together = threading.Barrier(THREADS)
        for _ in range(THREADS):
            self.pool.submit(_disconnect, together)
        self.pool.shutdown(wait=True)

    # --- what aiosmtpd asks

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name and arguments
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        sender: str,
        options: list[str],
    ) -> str:
        """Take the sender, unless one host takes all the places."""
        if not is_relay(session.peer) and self.peers[_name(session)] > self.max_connections // 4:
            return BUSY
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name and arguments
        self,
        server: Conversation,
        session: Session,
        envelope: Envelope,
        recipient: str,
        options: list[str],
    ) -> str:
        """Take a recipient that is ours; the others are refused here, so nobody is bounced to."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY
        try:
            is_known = await self._run(partial(mail.is_ours, recipient))
        except (OperationalError, InterfaceError, InternalError) as error:
            log.error("mail_recipient_not_looked_up", error=type(error).__name__)
            return TRY_AGAIN
        if not is_known:
            return UNKNOWN
        envelope.rcpt_tos.append(recipient)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Answer for a fault of ours: the sender keeps the message."""
        log.error("mail_conversation_failed", exc_info=error)
        return TRY_AGAIN

    async def store(self, content: bytes, envelope: Envelope, *, peer: Any) -> list[str]:
        """Store the message for each recipient; return the answer for each."""
        sender, answers = envelope.mail_from or "", []
        self.busy += 1
        try:
            for recipient in envelope.rcpt_tos:
                save = partial(
                    mail.receive,
                    raw=content,
                    recipient=recipient,
                    now=clock.now(),
                    return_path=sender,
                    authserv_id=settings.MAIL_AUTHSERV_ID if is_relay(peer) else "",
                )
                try:
                    await self._run(save)
                except (OperationalError, InterfaceError, InternalError) as error:
                    log.error("mail_not_stored", error=type(error).__name__)
                    answers.append(TRY_AGAIN)
                else:
                    answers.append(STORED)
        finally:
            self.busy -= 1
        return answers

    async def _run(self, call: Callable[[], Result]) -> Result:
        """Run what uses the database in a thread, which keeps its connection."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, partial(_with_database, call))


def _with_database(call: Callable[[], Result]) -> Result:
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()


def _disconnect(together: threading.Barrier) -> None:
    connections.close_all()
    together.wait(STOP_S)  # so that every thread comes here once


def _name(session: Session | None) -> str:
    peer: Any = session.peer if session is not None else None
    return str(peer[0]) if isinstance(peer, tuple) else ""


def tls_context() -> ssl.SSLContext | None:
    """Return what STARTTLS uses, where the settings name a certificate."""
    if not settings.MAIL_TLS_CERTIFICATE:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.MAIL_TLS_CERTIFICATE, settings.MAIL_TLS_KEY or None)
    return context


async def serve(
    addresses: Sequence[Address],
    *,
    stopping: asyncio.Event,
    ready: Callable[[Sequence[Address]], None] = lambda _addresses: None,
) -> None:
    """Listen until `stopping` is set; then stop in order."""
    listener = Listener(
        max_connections=settings.MAIL_CONNECTIONS,
        tls=tls_context(),
        needs_tls=settings.MAIL_TLS_REQUIRED,
    )
    try:
        ready([await listener.listen(where) for where in addresses])
        await stopping.wait()
    finally:
        await listener.stop()
        for where in addresses:
            if where.path:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(where.path)  # noqa: PTH108 - a socket, not a file
