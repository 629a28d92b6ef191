"""The local outbox: messages become files that a page shows, and nothing leaves the machine.

Both the SMS transport and a mail backend write here, so sign-in codes and mails to
suppliers are found in the same place. For demos and development only.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from notifications.transports.values import Message, Sent
from owners import clock

KEPT = 500  # messages; older ones are removed


def folder() -> Path:
    """Return where the messages lie, one JSON file each, named by time."""
    return Path(settings.DATA_DIR) / "outbox"


def write(*, kind: str, to: str, subject: str, text: str) -> None:
    """Keep one message."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    now = clock.now()
    entry = {"at": now.isoformat(), "kind": kind, "to": to, "subject": subject, "text": text}
    name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
    unfinished = place / f".{name}"
    unfinished.write_text(json.dumps(entry), encoding="utf-8")
    unfinished.rename(place / f"{name}.json")
    for old in sorted(place.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)


def read(limit: int) -> list[dict[str, Any]]:
    """Return the newest messages: at, kind, to, subject, text."""
    found = []
    for path in sorted(folder().glob("*.json"), reverse=True)[:limit]:
        entry = json.loads(path.read_text(encoding="utf-8"))
        found.append({**entry, "at": datetime.fromisoformat(entry["at"])})
    return found


class LocalTransport:
    """Writes SMS into the local outbox."""

    kind = "sms"
    is_repeatable = True
    room = 64

    def provider(self, to: str) -> str:
        """Return nothing: nobody is asked."""
        return ""

    async def send(self, message: Message) -> Sent:
        """Keep the message."""
        write(kind=self.kind, to=message.to, subject="", text=message.text)
        return Sent(ref=f"local:{message.ref}", is_final=True)

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Know nothing: a repetition is simply seen twice."""
        return []

    async def close(self) -> None:
        """Keep nothing open."""


class LocalCalls(LocalTransport):
    """Writes what would be read aloud."""

    kind = "voice"


class LocalChat(LocalTransport):
    """Writes what would stand in a chat."""

    kind = "chat"

    async def send(self, message: Message) -> Sent:
        """Keep the message, and of the address no more than its kind."""
        service = message.to.partition(":")[0]
        write(kind=self.kind, to=service, subject=message.subject, text=message.text)
        return Sent(ref=f"local:{message.ref}")


class LocalPushTransport(LocalTransport):
    """Writes what would wake a device into the local outbox."""

    async def send(self, message: Message) -> Sent:
        """Keep the message."""
        title = message.wake.title if message.wake else ""
        write(kind="push", to="", subject=title, text=message.text)
        return Sent(ref=f"local:{message.ref}")


class EmailBackend(BaseEmailBackend):
    """A mail backend that writes into the local outbox."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep every message."""
        for mail in email_messages:
            write(
                kind="email",
                to=", ".join(mail.recipients()),
                subject=str(mail.subject),
                text=str(mail.body),
            )
        return len(email_messages)
