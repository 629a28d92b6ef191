"""Transports: each sends on one kind of channel. Only `delivery` opens them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

from notifications.transports.email import EmailTransport
from notifications.transports.local import LocalTransport
from notifications.transports.recording import RecordingTransport
from notifications.transports.sms import TwilioTransport
from notifications.transports.values import Transport
from owners.choices import ChannelKind

TRANSPORTS: dict[ChannelKind, Callable[[], Transport]] = {
    ChannelKind.EMAIL: EmailTransport,
    ChannelKind.SMS: TwilioTransport,
}
# With STEWARD_OUTBOX=local; e-mail comes there too, through the mail backend.
LOCAL: dict[ChannelKind, Callable[[], Transport]] = {
    ChannelKind.EMAIL: EmailTransport,
    ChannelKind.SMS: LocalTransport,
}

_recording: ContextVar[bool] = ContextVar("recording_transports", default=False)
_open: dict[tuple[int, Callable[[], Transport]], Transport] = {}


@contextmanager
def recording() -> Iterator[None]:
    """Record instead of sending, on every kind of channel; for replays."""
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)


def transport_for(kind: ChannelKind) -> Transport:
    """Return this process's transport for a kind of channel.

    One that was opened before a fork is never used after it: its threads and
    connections stayed behind.
    """
    if _recording.get():
        make: Callable[[], Transport] = RecordingTransport
    elif settings.STEWARD_OUTBOX == "local":
        make = LOCAL[kind]
    else:
        make = TRANSPORTS[kind]
    place = (os.getpid(), make)
    if place not in _open:
        _open[place] = make()
    return _open[place]


def close() -> None:
    """Close what this process has open."""
    for place in [place for place in _open if place[0] == os.getpid()]:
        _open.pop(place).close()
