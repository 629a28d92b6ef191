"""A self-hosted ntfy on the loopback, to which Apprise posts."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Ntfy:
    """What it took; `faults` are statuses, or seconds to wait as a float."""

    port: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    faults: list[int | float] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.Response:
        fault = self.faults.pop(0) if self.faults else 200
        if isinstance(fault, float):
            await asyncio.sleep(fault)
        elif fault != 200:
            return web.json_response({"error": "no"}, status=fault)
        self.taken.append(await request.json())
        return web.json_response({"id": "1"})


@contextmanager
def running() -> Iterator[Ntfy]:
    """Run the service on a free port of the loopback."""
    service, loop = Ntfy(), asyncio.new_event_loop()
    app = web.Application()
    app.add_routes([web.post("/{path:.*}", service.post)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(runner.setup(), loop).result(5)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    asyncio.run_coroutine_threadsafe(site.start(), loop).result(5)
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
