"""Servers for messages to go to: a Twilio of our own, a mail server of our own."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.delivery import twilio as stub


@pytest.fixture
def twilio(settings: Any) -> Iterator[stub.Twilio]:
    """Return a local server that SMS go to."""
    with stub.running() as server:
        settings.TWILIO_API_URL = server.address
        settings.TWILIO_ACCOUNT_SID = "AC1"
        settings.TWILIO_AUTH_TOKENS = ["token"]
        settings.TWILIO_FROM = "+12125550199"
        settings.TWILIO_VOICE_FROM = "+12125550199"
        settings.SMS_TIMEOUT = 2
        yield server


@dataclass
class Mailbox:
    """What a mail server took; `replies` are given to the next RCPT commands instead of 250.

    `drops` are used up one a message: "took" takes it and hangs up without a word, "lost"
    hangs up without taking it.
    """

    replies: list[str] = field(default_factory=list)
    drops: list[str] = field(default_factory=list)
    taken: list[Envelope] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802 - the server's names
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.replies:
            return self.replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        drop = self.drops.pop(0) if self.drops else ""
        if drop != "lost":
            self.taken.append(envelope)
        if drop:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 taken"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """Return a local mail server that e-mails go to."""
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 5
    yield box
    controller.stop()
