"""The ASGI application: the event streams, and everything else through the WSGI one.

Behind a proxy that routes by path it serves the streams alone, and config.wsgi the rest,
which is quicker (docs/performance.md); with nothing in front, one process serves both.
"""

from typing import Any

from config.bridge import Bridge, Receive, Scope, Send
from config.wsgi import application as wsgi
from notifications.stream import is_path, stream

THREADS = 4
bridge = Bridge(wsgi, threads=THREADS)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] == "http":
        answer: Any = stream if is_path(scope["path"]) else bridge
        await answer(scope, receive, send)
