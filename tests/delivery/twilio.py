"""A local server that speaks Twilio's messages API, and misbehaves on request."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs

from aiohttp import web


@dataclass
class Taken:
    """One message the server took."""

    sid: str
    to: str
    body: str
    callback: str
    key: str
    at: datetime


@dataclass
class Twilio:
    """What the server took, and how it answers next.

    `faults` are used up one a request: an HTTP status, a Twilio error code above 20,000
    (answered with 400), "drop" (takes the message and hangs up), "lose" (hangs up
    without taking it), or seconds to wait as a float. `hangs` are numbers whose
    messages never get an answer.
    """

    address: str = ""
    now: datetime | None = None  # when messages are made; None for the real time
    taken: list[Taken] = field(default_factory=list)
    faults: list[int | float | str] = field(default_factory=list)
    hangs: set[str] = field(default_factory=set)
    takes_keys: bool = False  # a key that it knows gets the first answer again
    has_lists: bool = True  # whether it can be asked what it took
    patience: int = 90  # seconds it asks for when it refuses
    calls: int = 0
    lookups: int = 0
    calls_made: list[dict[str, str]] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def bodies(self) -> list[str]:
        return [one.body for one in self.taken]

    async def post(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        form = {
            name: values[0] for name, values in parse_qs((await request.read()).decode()).items()
        }
        fault = self.faults.pop(0) if self.faults else None
        if form["To"] in self.hangs:
            await self.stopping.wait()
        if isinstance(fault, float):
            await asyncio.sleep(fault)
        elif isinstance(fault, int) and fault > 20_000:
            return web.json_response({"code": fault, "message": "no"}, status=400)
        elif isinstance(fault, int):
            asked = {"Retry-After": str(self.patience)}
            return web.json_response({}, status=fault, headers=asked)
        elif fault == "lose":
            self._hang_up(request)
        known = [one.sid for one in self.taken if one.key == request.headers["Idempotency-Key"]]
        if self.takes_keys and known:
            return web.json_response({"sid": known[0], "status": "queued"}, status=201)
        sid = f"SM{len(self.taken):032}"
        self.taken.append(
            Taken(
                sid=sid,
                to=form["To"],
                body=form["Body"],
                callback=form["StatusCallback"],
                key=request.headers["Idempotency-Key"],
                at=self.now or datetime.now(UTC),  # noqa: TID251 - the provider's own clock
            )
        )
        if fault == "drop":
            self._hang_up(request)
        return web.json_response({"sid": sid, "status": "queued"}, status=201)

    async def call(self, request: web.Request) -> web.StreamResponse:
        form = {
            name: values[0] for name, values in parse_qs((await request.read()).decode()).items()
        }
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return web.json_response({"code": fault}, status=400 if fault > 20_000 else fault)
        sid = f"CA{len(self.calls_made):032}"
        self.calls_made.append(form | {"sid": sid})
        if fault == "drop":
            self._hang_up(request)
        return web.json_response({"sid": sid, "status": "queued"}, status=201)

    async def list_calls(self, request: web.Request) -> web.StreamResponse:
        self.lookups += 1
        at = format_datetime(self.now or datetime.now(UTC))  # noqa: TID251 - the provider's clock
        found = [
            {"sid": one["sid"], "date_created": at}
            for one in self.calls_made
            if one["To"] == request.query["To"]
        ]
        return web.json_response({"calls": found})

    @staticmethod
    def _hang_up(request: web.Request) -> None:
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionResetError

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.lookups += 1
        found = [
            {"sid": one.sid, "body": one.body, "date_created": format_datetime(one.at)}
            for one in self.taken
            if self.has_lists and one.to == request.query["To"]
        ]
        return web.json_response({"messages": found})


@contextmanager
def running() -> Iterator[Twilio]:
    """Run the server on a free port of the loopback."""
    stub = Twilio()
    loop = asyncio.new_event_loop()
    app = web.Application()
    path = "/2010-04-01/Accounts/AC1/Messages.json"
    app.add_routes([web.post(path, stub.post), web.get(path, stub.get)])
    calls = "/2010-04-01/Accounts/AC1/Calls.json"
    app.add_routes([web.post(calls, stub.call), web.get(calls, stub.list_calls)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        stub.address = f"http://127.0.0.1:{port}"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(stub.stopping.set)
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
