"""Serves a WSGI application from an event loop, each request in a thread of a small pool.

Answers of known length go out whole; what is streamed (exports, files) goes out piece by
piece and never stands in memory at once.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import lru_cache
from queue import SimpleQueue
from threading import RLock, Thread
from typing import Any, TypeVar

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
T = TypeVar("T")

IN_MEMORY = 1024 * 1024  # bytes of a request's body kept in memory; the rest goes to disk
AT_ONCE = 256 * 1024  # bytes of an answer collected before they go out


class Bridge:
    """An ASGI application made of a WSGI one; `threads` requests run at the same time."""

    def __init__(self, application: Callable[..., Iterable[bytes]], *, threads: int) -> None:
        self.application = application
        self.threads = Threads(threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _body(receive)
        if body is None:
            return
        run = self.threads.run
        answer = Answer(self.application, environ_of(scope, body))
        try:
            piece, is_last = await run(answer.next)
            start = {"type": "http.response.start", "status": answer.status}
            await send(start | {"headers": answer.headers})
            while not is_last:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece, is_last = await run(answer.next)
            await send({"type": "http.response.body", "body": piece, "more_body": False})
        finally:
            if not answer.is_closed:  # the client went away in the middle
                await run(answer.close)
            body.close()


class Threads:
    """Threads that work for an event loop.

    An executor's futures are locked, watched and then copied into the loop's; here a thread
    settles the loop's own future.
    """

    def __init__(self, count: int) -> None:
        self.works: SimpleQueue[
            tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]]
        ] = SimpleQueue()
        for number in range(count):
            Thread(target=self._work, name=f"web-{number}", daemon=True).start()

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Do `work` in a thread; await what it returns or raises."""
        loop = asyncio.get_running_loop()
        awaited: asyncio.Future[T] = loop.create_future()
        self.works.put((loop, awaited, work))
        return awaited

    def _work(self) -> None:
        while True:
            loop, awaited, work = self.works.get()
            result, error = None, None
            try:
                result = work()
            except Exception as raised:  # noqa: BLE001 - raised where it is awaited
                error = raised
            try:
                loop.call_soon_threadsafe(_settle, awaited, result, error)
            except RuntimeError:  # the loop has ended, and with it the connection
                return


def _settle(awaited: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if awaited.cancelled():
        return
    if error is not None:
        awaited.set_exception(error)
    else:
        awaited.set_result(result)


class Answer:
    """What the WSGI application says, piece by piece, on whichever thread asks."""

    def __init__(self, application: Callable[..., Iterable[bytes]], environ: Scope) -> None:
        self.application, self.environ = application, environ
        self.status, self.headers = 500, Headers()
        self.said: Iterable[bytes] | None = None
        self.rest: Iterator[bytes] = iter(())
        self.is_closed = False
        # A request that is broken off is closed while a thread may still work for it.
        self.turn = RLock()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], _error: Any = None
    ) -> None:
        """Note the status and the headers."""
        self.status = int(status[:3])
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]

    def next(self) -> tuple[bytes, bool]:
        """Return the next piece, and whether it is the last."""
        with self.turn:
            if self.is_closed:
                return b"", True
            if self.said is None:
                self.said = self.application(self.environ, self.start_response)
                self.rest = iter(self.said)
            pieces, size = [], 0
            for piece in self.rest:
                pieces.append(piece)
                size += len(piece)
                if size >= AT_ONCE:
                    return b"".join(pieces), False
            self.close()
            return b"".join(pieces), True

    def close(self) -> None:
        """Let the application tidy up, once; Django gives its connections back here."""
        with self.turn:
            if self.is_closed:
                return
            self.is_closed = True
            close = getattr(self.said, "close", None)
            if close is not None:
                close()


async def _body(receive: Receive) -> Any:
    """Return the request's body as a file, or None when the client has gone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    if not message.get("more_body"):
        return io.BytesIO(message.get("body", b""))
    kept = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the answer
    while True:
        kept.write(message.get("body", b""))
        if not message.get("more_body"):
            kept.seek(0)
            return kept
        message = await receive()
        if message["type"] == "http.disconnect":
            kept.close()
            return None


@lru_cache(maxsize=1024)
def _name_of(header: bytes) -> str:
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def environ_of(scope: Scope, body: Any) -> Scope:
    """Return the WSGI environment of a request."""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    environ: Scope = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for header, raw in scope["headers"]:
        # `a_b` and `a-b` would be the same name: a client must not forge a proxy's header.
        if b"_" in header:
            continue
        name, value = _name_of(header), raw.decode("latin-1")
        environ[name] = f"{environ[name]},{value}" if name in environ else value
    return environ
