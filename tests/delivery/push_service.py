"""A local push service (RFC 8030) that reads what it is given as a browser would."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifications import vapid


@dataclass
class PushService:
    """What it took, decrypted; `faults` are HTTP statuses, used up one a request."""

    address: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = b"sixteen bytes of"

    def keys(self) -> dict[str, str]:
        """Return what a browser says its messages are encrypted with."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {"p256dh": vapid.encoded(point), "auth": vapid.encoded(self.secret)}

    async def post(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        self.requests.append(request)
        if self.faults:
            return web.Response(status=self.faults.pop(0), headers={"Retry-After": "90"})
        said = http_ece.decrypt(await request.read(), private_key=self.key, auth_secret=self.secret)
        self.taken.append(json.loads(said))
        return web.Response(status=201, headers={"Location": "/m/1"})

    def claims(self) -> dict[str, Any]:
        """Return what the last request proved of who sent it."""
        scheme, _, rest = self.headers[-1]["Authorization"].partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert scheme == "vapid"
        public = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), vapid.decoded(parts["k"])
        )
        claims: dict[str, Any] = jwt.decode(
            parts["t"],
            public,
            algorithms=["ES256"],
            audience=self.address,
            options={"verify_exp": False},
        )
        return claims


@contextmanager
def running() -> Iterator[PushService]:
    """Run the service on a free port of the loopback."""
    service = PushService()
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.add_routes([web.post("/{device}", service.post)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        service.address = f"http://localhost:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
