"""Takes every message at once and sends nothing; for replays and tests.

There is no receipt. What was taken stands in `taken`, in order.
"""

from concurrent.futures import Future
from datetime import datetime

from notifications.transports.values import Message, Sent, answered

taken: list[Message] = []


class RecordingTransport:
    """Accepts at once."""

    is_repeatable = True
    room = 1_000

    def submit(self, message: Message) -> Future[Sent]:
        """Note the message."""
        taken.append(message)
        return answered(Sent(ref=f"recorded:{message.ref}"))

    def find(self, message: Message, *, since: datetime) -> Future[Sent | None]:
        """Say whether the message was noted."""
        known = any(one.key == message.key for one in taken)
        return answered(Sent(ref=f"recorded:{message.ref}") if known else None)

    def close(self) -> None:
        """Forget everything."""
        taken.clear()
