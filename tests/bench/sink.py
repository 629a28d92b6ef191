"""A provider on this machine: takes messages at once, but those to SLOW after a while.

It reads no more of HTTP than the answer needs: it stands for somebody else's machine, and
what it takes of this one is taken from what is measured.
"""

import asyncio
import itertools
import os
import re
import sys
from urllib.parse import quote_plus

SLOW = "+12125550000"
SLOW_S = 2.0
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TO_SLOW = f"To={quote_plus(SLOW)}&".encode()
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_numbers = itertools.count()


class Provider(asyncio.Protocol):
    """One connection: one message after the other, each answered as Twilio does."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Take every message that is complete."""
        self.received += data
        while (end := self.received.find(b"\r\n\r\n") + 4) > 3:
            length = LENGTH.search(self.received, 0, end)
            whole = end + (int(length[1]) if length else 0)
            if len(self.received) < whole:
                return
            body, self.received = self.received[end:whole], self.received[whole:]
            if TO_SLOW in body:
                asyncio.get_running_loop().call_later(SLOW_S, self.answer)
            else:
                self.answer()

    def answer(self) -> None:
        """Say that a message was taken."""
        body = b'{"sid": "SM%032d", "status": "queued"}' % next(_numbers)
        head = (
            b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )
        if not self.transport.is_closing():
            self.transport.write(head % len(body) + body)


async def serve() -> None:
    """Serve on a free port, say which, and end with whoever started us."""
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(serve())
