"""Transports: each sends on one kind of channel. Only `delivery` opens them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.transports.switchboard import Switchboard
from notifications.transports.values import Transport
from owners.choices import ChannelKind

# Each is loaded where it is first sent by: a web worker sends nothing, and their clients for
# HTTP weigh more than all the rest of Steward.
TRANSPORTS: dict[ChannelKind, str] = {
    ChannelKind.EMAIL: "notifications.transports.email.EmailTransport",
    ChannelKind.SMS: "notifications.transports.sms.TwilioTransport",
    ChannelKind.PUSH: "notifications.transports.push.PushTransport",
    ChannelKind.VOICE: "notifications.transports.voice.TwilioCalls",
    ChannelKind.CHAT: "notifications.transports.chat.ChatTransport",
}
# With STEWARD_OUTBOX=local; e-mail comes there too, through the mail backend.
LOCAL: dict[ChannelKind, str] = {
    ChannelKind.EMAIL: "notifications.transports.email.EmailTransport",
    ChannelKind.SMS: "notifications.transports.local.LocalTransport",
    ChannelKind.PUSH: "notifications.transports.local.LocalPushTransport",
    ChannelKind.VOICE: "notifications.transports.local.LocalCalls",
    ChannelKind.CHAT: "notifications.transports.local.LocalChat",
}
RECORDING = "notifications.transports.recording.RecordingTransport"

_recording: ContextVar[bool] = ContextVar("recording_transports", default=False)


class _Opened(threading.local):
    """What one thread has open: a switchboard, and the transports that live on it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.board: Switchboard | None = None
        self.transports: dict[str, Transport] = {}


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
def recorded() -> Iterator[None]:
    """Record instead of sending, on every kind of channel; for replays."""
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)


def transport_for(kind: ChannelKind) -> Transport:
    """Return this thread's transport for a kind of channel."""
    if _recording.get():
        path = RECORDING
    elif settings.STEWARD_OUTBOX == "local":
        path = LOCAL[kind]
    else:
        path = TRANSPORTS[kind]
    opened = _mine().transports
    if path not in opened:
        opened[path] = import_string(path)()
    return opened[path]


def close() -> None:
    """Close what this thread has open."""
    mine = _mine()
    if mine.board is None:
        return
    for transport in mine.transports.values():
        mine.board.run(transport.close())
    mine.board.close()
    mine.board, mine.transports = None, {}
