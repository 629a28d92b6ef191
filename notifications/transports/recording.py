"""Takes every message at once and sends nothing; for replays and tests.

There is no receipt. What was taken stands in `taken`, in order.
"""

from datetime import datetime

from notifications.transports.values import Message, Sent

taken: list[Message] = []


class RecordingTransport:
    """Accepts at once."""

    is_repeatable = True
    room = 1_000

    def provider(self, to: str) -> str:
        """Return nothing: nobody is asked."""
        return ""

    async def send(self, message: Message) -> Sent:
        """Note the message."""
        taken.append(message)
        return Sent(ref=f"recorded:{message.ref}")

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Say whether the message was noted."""
        known = any(one.key == message.key for one in taken)
        return [Sent(ref=f"recorded:{message.ref}")] if known else []

    async def close(self) -> None:
        """Forget everything."""
        taken.clear()
