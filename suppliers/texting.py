"""The port through which suppliers are sent an SMS.

Whoever can send one (`notifications`) plugs in at start-up; without it, or where no
telephone provider is set up, SMS is no way to reach anybody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class TextError(Exception):
    """The SMS was not taken; `is_final` says that trying again is useless."""

    def __init__(self, detail: str, *, is_final: bool = False) -> None:
        super().__init__(detail)
        self.is_final = is_final


class Sender(Protocol):
    """Sends one SMS, or raises TextError. `name` is the same at every try."""

    def __call__(self, *, to: str, text: str, name: UUID, now: datetime) -> None: ...


@dataclass(slots=True)
class _Port:
    sender: Sender | None = None
    has_provider: Callable[[], bool] = lambda: False


_port = _Port()


def plug_in(sender: Sender, *, has_provider: Callable[[], bool]) -> None:
    """Let SMS go out through `sender`; `has_provider` says whether anything carries it."""
    _port.sender, _port.has_provider = sender, has_provider


def is_possible() -> bool:
    """Whether an SMS can be sent at all."""
    return _port.sender is not None and _port.has_provider()


def send(*, to: str, text: str, name: UUID, now: datetime) -> None:
    """Send an SMS; raises TextError."""
    if _port.sender is None or not _port.has_provider():
        raise TextError("no telephone provider is set up", is_final=True)
    _port.sender(to=to, text=text, name=name, now=now)
