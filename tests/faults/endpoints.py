"""The suppliers' endpoints: they note what arrives, and fail now and then."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Endpoints:
    """What arrived at each endpoint, in order; `fails` counts what was not answered well."""

    address: str = ""
    arrived: dict[str, list[str]] = field(default_factory=dict)
    fails: int = 0
    bad: float = 0.03  # share of the requests that get no good answer
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def running() -> Iterator[Endpoints]:
    """Listen on the loopback."""
    found = Endpoints()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            body = self.rfile.read(size)
            if len(body) < size:
                return  # who sent it was killed on the way
            event = json.loads(body)
            with found.lock:
                found.arrived.setdefault(self.path.strip("/"), []).append(event["id"])
                draw = found.chance.random()
                found.fails += draw < found.bad
            if draw < found.bad / 2:
                self.close_connection = True  # it was taken, but nobody hears of it
                return
            self.send_response(503 if draw < found.bad else 204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    found.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
