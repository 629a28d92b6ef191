"""The bridge from the event loop to the WSGI application: whole, piece by piece, and broken off."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from config.bridge import AT_ONCE, Bridge

Start = Callable[[str, list[tuple[str, str]]], None]


def asked(
    application: Callable[[dict[str, Any], Start], Iterable[bytes]], *bodies: bytes, **more: Any
) -> list[dict[str, Any]]:
    """Send one request through a bridge; return what it sent back."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/Käse/",
        "query_string": b"a=1",
        "headers": [(b"content-type", b"text/plain"), (b"x-more", b"1"), (b"x_forged", b"2")],
    } | more
    parts = [
        {"type": "http.request", "body": body, "more_body": at + 1 < len(bodies)}
        for at, body in enumerate(bodies)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Bridge(application, threads=2)(scope, receive, send))
    return sent


def test_a_request_arrives_whole_and_its_answer_goes_back() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        seen.update(environ, read=environ["wsgi.input"].read(), thread=threading.current_thread())
        start("202 Accepted", [("X-One", "1")])
        return [b"o", b"k"]

    head, body = asked(application, b"first ", b"second")
    assert (head["status"], head["headers"]) == (202, [(b"x-one", b"1")])
    assert (body["body"], body["more_body"]) == (b"ok", False)
    assert seen["read"] == b"first second"
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/Käse/"
    assert (seen["CONTENT_TYPE"], seen["HTTP_X_MORE"]) == ("text/plain", "1")
    assert "HTTP_X_FORGED" not in seen
    assert seen["thread"] is not threading.main_thread()


def test_what_is_long_goes_out_in_pieces_and_is_closed() -> None:
    class Pieces:
        is_closed = False

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"x" * AT_ONCE] * 3)

        def close(self) -> None:
            self.is_closed = True

    pieces = Pieces()

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return pieces

    _head, *bodies = asked(application, b"")
    assert [len(body["body"]) for body in bodies] == [AT_ONCE] * 3 + [0]
    assert [body["more_body"] for body in bodies] == [True] * 3 + [False]
    assert pieces.is_closed


def test_what_the_application_raises_reaches_the_server() -> None:
    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        asked(application, b"")


def test_who_went_away_while_sending_is_not_served() -> None:
    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        raise AssertionError("nobody asked")

    assert asked(application) == []


def test_what_is_broken_off_is_closed_when_its_thread_is_done() -> None:
    told, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    class Slow:
        def __iter__(self) -> Iterator[bytes]:
            told.set()
            go_on.wait(10)
            order.append("worked")
            yield b"x"

        def close(self) -> None:
            order.append("closed")

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return Slow()

    async def broken_off() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: dict[str, Any]) -> None:
            raise AssertionError("nobody listens")

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        task = asyncio.ensure_future(Bridge(application, threads=2)(scope, receive, send))
        await asyncio.to_thread(told.wait, 10)
        task.cancel()
        await asyncio.sleep(0.05)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(broken_off())
    assert order == ["worked", "closed"]
