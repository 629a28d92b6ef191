"""Transports: each sends on one kind of channel. Only `delivery` opens them."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

from notifications.transports.chat import ChatTransport
from notifications.transports.email import EmailTransport
from notifications.transports.local import LocalCalls, LocalChat, LocalPushTransport, LocalTransport
from notifications.transports.push import PushTransport
from notifications.transports.recording import RecordingTransport
from notifications.transports.sms import TwilioTransport
from notifications.transports.switchboard import Switchboard
from notifications.transports.values import Transport
from notifications.transports.voice import TwilioCalls
from owners.choices import ChannelKind

TRANSPORTS: dict[ChannelKind, Callable[[], Transport]] = {
    ChannelKind.EMAIL: EmailTransport,
    ChannelKind.SMS: TwilioTransport,
    ChannelKind.PUSH: PushTransport,
    ChannelKind.VOICE: TwilioCalls,
    ChannelKind.CHAT: ChatTransport,
}
# With STEWARD_OUTBOX=local; e-mail comes there too, through the mail backend.
LOCAL: dict[ChannelKind, Callable[[], Transport]] = {
    ChannelKind.EMAIL: EmailTransport,
    ChannelKind.SMS: LocalTransport,
    ChannelKind.PUSH: LocalPushTransport,
    ChannelKind.VOICE: LocalCalls,
    ChannelKind.CHAT: LocalChat,
}

_recording: ContextVar[bool] = ContextVar("recording_transports", default=False)


class _Opened(threading.local):
    """What one thread has open: a switchboard, and the transports that live on it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.board: Switchboard | None = None
        self.transports: dict[Callable[[], Transport], Transport] = {}


_opened = _Opened()


def _mine() -> _Opened:
    """Return what this thread has open; what was open before a fork stays behind."""
    if _opened.pid != os.getpid():
        _opened.__init__()  # type: ignore[misc]  # begin anew in place
    return _opened


def switchboard() -> Switchboard:
    """Return the switchboard on which this thread sends."""
    mine = _mine()
    if mine.board is None:
        mine.board = Switchboard()
    return mine.board


@contextmanager
def recording() -> Iterator[None]:
    """Record instead of sending, on every kind of channel; for replays."""
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)


def transport_for(kind: ChannelKind) -> Transport:
    """Return this thread's transport for a kind of channel."""
    if _recording.get():
        make: Callable[[], Transport] = RecordingTransport
    elif settings.STEWARD_OUTBOX == "local":
        make = LOCAL[kind]
    else:
        make = TRANSPORTS[kind]
    opened = _mine().transports
    if make not in opened:
        opened[make] = make()
    return opened[make]


def close() -> None:
    """Close what this thread has open."""
    mine = _mine()
    if mine.board is None:
        return
    for transport in mine.transports.values():
        mine.board.run(transport.close())
    mine.board.close()
    mine.board, mine.transports = None, {}
