"""The lean HTTP client: what it makes of good, odd and missing answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from notifications.transports.posting import Answer, Line, NoAnswerError, NotReachedError

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
HANG_UP = b""  # the provider closes the connection


class Provider:
    """Answers one request after the other with these bytes, and counts its connections."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while self.answers:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.asked.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0)
            writer.write(answer)
            if not answer or b"Connection: close" in answer:
                break
        writer.close()


def asking(
    answers: Sequence[bytes], do: Callable[[Line], Awaitable[None]], *, timeout: float = 5
) -> Provider:
    """Do something with a line to a provider that answers so."""
    provider = Provider(answers)

    async def run() -> None:
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        line = Line(f"http://127.0.0.1:{port}/api", headers={"Accept": "x/y"}, timeout=timeout)
        try:
            await do(line)
        finally:
            line.close()
            server.close()

    asyncio.run(run())
    return provider


async def post(line: Line, body: bytes = b"To=1") -> Answer:
    return await line.call("POST", "/Messages.json", headers={"Key": "k"}, body=body)


def test_a_kept_connection_takes_one_message_after_the_other() -> None:
    async def do(line: Line) -> None:
        for _ in range(3):
            answer = await post(line)
            assert (answer.status, answer.body, answer.headers["retry-after"]) == (201, b"{}", "7")

    provider = asking([OK, OK, OK], do)

    assert provider.connections == 1
    assert provider.asked[0].startswith(b"POST /api/Messages.json HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAccept: x/y\r\nKey: k\r\nContent-Length: 4\r\n\r\nTo=1" in provider.asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + CHUNKED,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
    ],
    ids=["in chunks", "after a hint", "to the end of the connection"],
)
def test_an_answer_ends_where_it_says(answer: bytes) -> None:
    async def do(line: Line) -> None:
        found = await post(line)
        assert (found.status, found.body) == (200, b"{}")
        assert (await post(line)).status == 201

    asking([answer, OK], do)


@pytest.mark.parametrize(
    "answer", [HANG_UP, b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_what_went_out_and_was_not_answered_is_in_doubt(answer: bytes) -> None:
    async def do(line: Line) -> None:
        with pytest.raises(NoAnswerError):
            await post(line)
        assert (await post(line)).status == 201

    provider = asking([answer, OK], do, timeout=0.2)

    assert len(provider.asked) == 2  # nothing is repeated by itself


def test_a_provider_that_takes_no_connection_was_sent_nothing() -> None:
    async def do(_line: Line) -> None:
        with pytest.raises(NotReachedError):
            await post(Line("http://127.0.0.1:1", headers={}, timeout=1))

    asking([], do)


def test_an_answer_nobody_asked_for_is_not_the_next_ones() -> None:
    async def do(line: Line) -> None:
        assert (await post(line)).status == 201
        assert (await post(line)).body == b"{}"

    surplus = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"
    provider = asking([OK + surplus, OK], do)

    assert provider.connections == 2


def test_an_answer_without_end_is_given_up() -> None:
    async def do(line: Line) -> None:
        with pytest.raises(NoAnswerError, match="too long"):
            await post(line)

    asking([b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 200_000], do)


def test_no_header_smuggles_another() -> None:
    async def do(line: Line) -> None:
        with pytest.raises(ValueError, match="one line"):
            await line.call("POST", "/", headers={"Key": "a\r\nB: c"})

    asking([], do)
