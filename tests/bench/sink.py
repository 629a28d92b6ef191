"""A provider on this machine: takes messages at once, but those to SLOW after a while."""

import asyncio
import itertools
import os
import sys
from urllib.parse import parse_qs

from aiohttp import web

SLOW = "+12125550000"
SLOW_S = 2.0
_numbers = itertools.count()


async def take(request: web.Request) -> web.Response:
    """Answer as Twilio does for a message it took."""
    form = parse_qs((await request.read()).decode())
    if form["To"][0] == SLOW:
        await asyncio.sleep(SLOW_S)
    return web.json_response({"sid": f"SM{next(_numbers):032}", "status": "queued"}, status=201)


async def serve() -> None:
    """Serve on a free port, say which, and end with whoever started us."""
    app = web.Application()
    app.add_routes([web.post("/2010-04-01/Accounts/AC1/Messages.json", take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(serve())
