"""How an event stream is spoken: one connection's queue, and the answers of an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

WAITING_MOST = 100  # events for a connection that does not read; then it is closed
SIZE_MOST = 512  # characters of a session key, a secret or an event id
STREAMING = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


@dataclass(eq=False, slots=True, kw_only=True)
class Line:
    """One open connection."""

    queue: asyncio.Queue[bytes | None] = field(
        default_factory=lambda: asyncio.Queue(maxsize=WAITING_MOST)
    )

    def put(self, event: bytes | None) -> None:
        """Send an event; None ends the connection, and so does not reading."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


async def pour(
    line: Line, receive: Receive, send: Send, *, hello: Callable[[], Awaitable[bytes]]
) -> None:
    """Send `hello`, then what is put into a line, until either side ends it."""
    ended = asyncio.ensure_future(_disconnected(receive))
    try:
        await begin(send, 200, STREAMING)
        await _more(send, await hello())
        while (event := await _next(line, ended)) is not None:
            await _more(send, event)
    finally:
        ended.cancel()
    with contextlib.suppress(OSError, RuntimeError):  # the other side may be gone already
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(line: Line, ended: asyncio.Future[None]) -> bytes | None:
    """Wait for the next event; None when either side ends the connection."""
    coming: asyncio.Future[bytes | None] = asyncio.ensure_future(line.queue.get())
    either: set[asyncio.Future[Any]] = {coming, ended}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if coming.done():
        return coming.result()
    coming.cancel()
    return None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def begin(send: Send, status: int, headers: dict[str, str]) -> None:
    """Send the head of an answer."""
    safe = headers | {"X-Content-Type-Options": "nosniff"}
    pairs = [(name.lower().encode(), value.encode()) for name, value in safe.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    """Send a whole answer."""
    await begin(send, status, headers | {"Cache-Control": "no-store"})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def refuse(send: Send, status: int, title: str, headers: dict[str, str]) -> None:
    """Send a problem."""
    problem = {"type": "about:blank", "title": title, "status": status}
    headers = headers | {"Content-Type": "application/problem+json"}
    await answer(send, status, headers, json.dumps(problem).encode())


def cookie_of(headers: Iterable[tuple[bytes, bytes]], name: str) -> str:
    """Return a cookie of a request; empty for none."""
    cookies = b"; ".join(value for key, value in headers if key == b"cookie")
    try:
        found = SimpleCookie(cookies.decode("latin-1")).get(name)
    except CookieError:
        return ""
    return found.value[:SIZE_MOST] if found else ""
