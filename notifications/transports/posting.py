"""HTTP/1.1 over a few kept connections to one provider, thousands of messages a second.

A general client takes longer for a message than all else that is done for it. This one
speaks what a provider's API needs and no more: no redirects, no cookies, no proxies, no
compression. The bytes of an answer are read by llhttp.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

READ_LIMIT = 64 * 1024  # bytes of an answer that are read
KEEP_S = 15.0  # an idle connection is not trusted for longer


class NotReachedError(Exception):
    """No connection came about: nothing was sent."""


class NoAnswerError(Exception):
    """The request had gone out; whether it was acted on nobody knows."""


@dataclass(slots=True)
class Answer:
    """What came back: `headers` by their names in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Line:
    """The connections to one address, as many as there are calls at once."""

    def __init__(self, address: str, *, headers: Mapping[str, str], timeout: float) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{address!r} is no address of a provider")
        self.address = address
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._base = parts.path.rstrip("/")
        self._common = _lines({"Host": parts.netloc.rpartition("@")[2], **headers})
        self._timeout = timeout
        self._idle: list[_Connection] = []

    async def call(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        Raises NotReachedError, or NoAnswerError once something may have been sent.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        head = (
            f"{method} {self._base}{path} HTTP/1.1\r\n{self._common}{_lines(headers)}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection = self._kept(loop.time()) or await self._connected(deadline)
        try:
            answer = await connection.ask(head.encode("ascii") + body, deadline=deadline)
        except BaseException:
            connection.end()  # also when the call is broken off: its answer is nobody's
            raise
        if connection.is_open:
            connection.idle_since = loop.time()
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """End the connections that are kept."""
        while self._idle:
            self._idle.pop().end()

    def _kept(self, now: float) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.idle_since < KEEP_S:
                return connection
            connection.end()
        return None

    async def _connected(self, deadline: float) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                _transport, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:  # a certificate that does not hold is one, too
            raise NotReachedError(type(error).__name__) from error
        return connection


def _lines(headers: Mapping[str, str]) -> str:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise ValueError("a header has one line")
    return "".join(f"{line}\r\n" for line in lines)


class _Connection(asyncio.Protocol):
    """One connection: one request at a time, and the answer to it."""

    def __init__(self) -> None:
        self.is_open = False
        self.idle_since = 0.0
        self._waiting: asyncio.Future[Answer] | None = None
        self._answer = Answer()
        self._parts: list[bytes] = []
        self._size = 0
        self._ends_with_connection = False

    async def ask(self, request: bytes, *, deadline: float) -> Answer:
        """Send a request and return its answer; raises NoAnswerError."""
        loop = asyncio.get_running_loop()
        if not self.is_open:
            raise NoAnswerError("closed")
        waiting: asyncio.Future[Answer] = loop.create_future()
        self._waiting = waiting
        self._begin()
        self._transport.write(request)
        timer = loop.call_at(deadline, self._fail, "timeout")
        try:
            return await waiting
        finally:
            timer.cancel()
            self._waiting = None

    def end(self) -> None:
        """End the connection at once."""
        self.is_open = False
        self._transport.abort()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP has no other
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        if self._waiting is None:
            self.end()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail("not HTTP")
        if self._size > 2 * READ_LIMIT:
            self._fail("too long")

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._ends_with_connection and error is None:
            self.on_message_complete()
        self._fail("hung up" if error is None else type(error).__name__)

    # What llhttp reads.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        names = self._answer.headers.keys()
        self._ends_with_connection = not names & {"content-length", "transfer-encoding"}

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        answer = self._answer
        if 100 <= answer.status < 200:  # the answer is still to come
            self._begin()
            return
        answer.body = b"".join(self._parts)[:READ_LIMIT]
        is_asked = self._waiting is not None and not self._waiting.done()
        if not (is_asked and self._parser.should_keep_alive()):
            self.end()  # an answer that nobody asked for may be taken for the next one
        self._begin()
        if self._waiting is not None and is_asked:
            self._waiting.set_result(answer)

    def _begin(self) -> None:
        self._answer, self._parts, self._size = Answer(), [], 0
        self._ends_with_connection = False

    def _fail(self, reason: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(NoAnswerError(reason))
        if self.is_open:
            self.end()
