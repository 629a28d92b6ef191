"""E-mail through Django's mail settings, whatever stands behind them.

At least once: an ambiguous answer means the message is sent again under the same
Message-ID, by which mail programs recognise the copy.
"""

import asyncio
import smtplib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from notifications.choices import DeliveryState
from notifications.transports.values import Message, NotStarted, Sent, TransportError

# What a mail provider's event (in anymail's words) means for the delivery.
EVENTS = {
    "queued": DeliveryState.SENT,
    "sent": DeliveryState.SENT,
    "deferred": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "complained": DeliveryState.DELIVERED,  # it was read, and is not wanted there
    "bounced": DeliveryState.FAILED,
    "rejected": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
}
BAD = frozenset({"invalid", "bounced", "unsubscribed", "spam"})  # the address will never take it
CONNECTIONS = 8  # each thread keeps one open while there is something to send


def message_id(key: str) -> str:
    """Return the Message-ID of the delivery: the same at every attempt."""
    local = "".join(letter if letter.isalnum() or letter == "-" else "." for letter in key)
    return f"<{local}@{settings.MAIL_DOMAIN}>"


def is_bad_address(code: int, reply: str) -> bool:
    """Tell whether an SMTP reply to RCPT says that the address itself will never work.

    An enhanced code 5.7 is a policy about this mail, 5.2.2 a full mailbox: neither
    says that.
    """
    return code in {521, 550, 551, 553, 556} and not reply.startswith(("5.7.", "5.2."))


class EmailTransport:
    """Sends e-mail from a few threads, each with a connection of its own."""

    is_repeatable = True
    room = 64

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._open: list[BaseEmailBackend] = []

    def provider(self, to: str) -> str:
        """Return the one mail server or provider of ours."""
        return "email"

    async def send(self, message: Message) -> Sent:
        """Send one e-mail from the next free thread."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="email")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._send, message)

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Know nothing: SMTP cannot be asked."""
        return []

    async def close(self) -> None:
        """End the threads and their connections."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        for connection in self._open:
            connection.close()
        self._pool, self._open, self._local = None, [], threading.local()

    def _connection(self) -> BaseEmailBackend:
        connection: BaseEmailBackend | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _send(self, message: Message) -> Sent:
        if time.monotonic() > message.start_by:
            raise NotStarted
        connection = self._connection()
        mail = EmailMultiAlternatives(
            subject=message.subject,
            body=message.text,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[message.to],
            headers={"Message-ID": message_id(message.key), **message.headers},
            connection=connection,
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        with self._faults_of(connection):
            connection.open()  # kept, so that send_messages does not close it again
            mail.send()
        status = getattr(mail, "anymail_status", None)
        return Sent(ref=str(getattr(status, "message_id", None) or message_id(message.key))[:120])

    @contextmanager
    def _faults_of(self, connection: BaseEmailBackend) -> Iterator[None]:
        """Turn what a mail server says into TransportError; a fault ends the connection."""
        try:
            yield
        except Exception as error:
            # Half a conversation cannot be continued.
            connection.close()
            self._local.connection = None
            if connection in self._open:
                self._open.remove(connection)
            fault = _fault(error)
            if fault is None:
                raise
            raise fault from error


def _fault(error: Exception) -> TransportError | None:
    """Return what a mail error means for the delivery; None for what is no mail error."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()), (550, b""))
            return TransportError(
                f"{code} {_text(reply)}",
                permanent=code >= 500,
                is_address_bad=is_bad_address(code, _text(reply)),
            )
        case smtplib.SMTPDataError():
            # The text was refused, which says nothing about the address.
            said = f"{error.smtp_code} {_text(error.smtp_error)}"
            return TransportError(said, permanent=error.smtp_code >= 500)
        case smtplib.SMTPResponseException():
            # HELO, sign-in or our own sender was refused: the operator's to mend, so wait.
            said = f"{error.smtp_code} {_text(error.smtp_error)}"
            return TransportError(said, is_everybodys=True)
        case AnymailRecipientsRefused():
            return TransportError("recipient refused", permanent=True, is_address_bad=True)
        case AnymailAPIError():
            status = getattr(error, "status_code", None) or 0
            waits = status in (0, 401, 403, 408, 429) or status >= 500
            said = f"provider answered {status}"
            return TransportError(said, permanent=not waits, is_everybodys=waits)
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return TransportError(str(error)[:200] or "disconnected", is_ambiguous=True)
        case smtplib.SMTPException():
            return TransportError(str(error)[:200] or type(error).__name__)
        case OSError():
            said = str(error)[:200] or type(error).__name__
            return TransportError(said, is_everybodys=True)
    return None


def _text(reply: bytes | str) -> str:
    """Return a server's reply as one short line."""
    said = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(said.split())[:200]
