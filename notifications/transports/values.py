"""What goes into a transport and what comes out: values, no models, no clock."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """What a device is woken with.

    Of those with one `group` (32 letters and digits) only the newest stays on the screen.
    `data` is what the app needs to act: plain text, and lists of such.
    """

    title: str
    body: str
    group: str
    url: str
    ttl: int  # seconds after which it is not worth saying
    is_urgent: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one address.

    `key` is the same at every attempt and goes to whoever can tell a repetition by it.
    `ref` names the delivery in public: it may travel in a callback address. After
    `start_by` (on the monotonic clock) somebody else may hold the delivery, so a message
    that had to queue until then is not sent any more.
    """

    key: str
    ref: str
    to: str
    text: str
    subject: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    html: str = ""
    language: str = ""
    wake: Wake | None = None
    start_by: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The provider took the message; `ref` is its own name for it.

    `is_final` says that there will be no receipt because the message is there already.
    """

    ref: str = ""
    is_final: bool = False


class TransportError(Exception):
    """The provider did not take the message.

    `permanent`: trying again is useless. `is_address_bad`: and the address itself is at
    fault, so nothing else will reach it either. `is_ambiguous`: the provider may have
    taken it all the same. `is_everybodys`: the provider would refuse any other message as
    well. `retry_after`: seconds the provider asked us to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        is_address_bad: bool = False,
        is_ambiguous: bool = False,
        is_everybodys: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.is_address_bad = is_address_bad
        self.is_ambiguous = is_ambiguous
        self.is_everybodys = is_everybodys
        self.retry_after = retry_after


class NotStarted(Exception):  # noqa: N818 - nothing went wrong, it was just not its turn
    """The message had to queue until `start_by`; nothing was sent."""


class Transport(Protocol):
    """Sends on one kind of channel; many messages may be under way at once.

    `is_repeatable` says that after an ambiguous answer the message is simply sent again:
    the worst is a second copy that the receiver can recognise. Where it is false, the
    provider is asked first (`find`).
    """

    is_repeatable: bool
    room: int  # how many messages may be under way at once

    def provider(self, to: str) -> str:
        """Return the name of who is asked for this address; empty where each is its own."""

    async def send(self, message: Message) -> Sent:
        """Send, or raise TransportError; NotStarted when it was not its turn in time."""

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Return what the provider took at or after `since` that may be `message`.

        Two messages can say the same to one number: the caller knows which are taken.
        """

    async def close(self) -> None:
        """Drop connections; the next `send` opens them again."""
