"""Firebase and Apple played locally: FCM HTTP v1 with its token endpoint, APNs over HTTP/2."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
OPEN = serialization.NoEncryption()


@dataclass
class Firebase:
    """What it took; `faults` are (status, errorCode), used up one a message."""

    address: str = ""
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    taken: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)

    def account(self) -> str:
        """Return the service account as Google hands it out."""
        return json.dumps(
            {
                "project_id": "steward",
                "client_email": "push@steward.example",
                "private_key": self.key.private_bytes(PEM, PKCS8, OPEN).decode(),
                "token_uri": f"{self.address}/token",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        claims = jwt.decode(
            str(form["assertion"]),
            self.key.public_key(),
            algorithms=["RS256"],
            audience=f"{self.address}/token",
            options={"verify_exp": False, "verify_iat": False},
        )
        assert claims["iss"] == "push@steward.example"
        self.tokens += 1
        return web.json_response({"access_token": f"ya29.{self.tokens}", "expires_in": 3599})

    async def send(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer ya29.{self.tokens}"
        if self.faults:
            status, code = self.faults.pop(0)
            details = [{"@type": "type.googleapis.com/x", "errorCode": code}] if code else []
            error = {"code": status, "status": "X", "details": details}
            wait = {"Retry-After": "90"}
            return web.json_response({"error": error}, status=status, headers=wait)
        self.taken.append((await request.json())["message"])
        return web.json_response({"name": f"projects/steward/messages/{len(self.taken)}"})


@dataclass
class Apple:
    """What it took; `faults` are (status, reason), used up one a message."""

    address: str = ""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    taken: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    connections: int = 0

    def p8(self) -> str:
        """Return the key as Apple hands it out."""
        return self.key.private_bytes(PEM, PKCS8, OPEN).decode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        line = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        line.initiate_connection()
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        while True:
            writer.write(line.data_to_send())
            data = await reader.read(65_536)
            if not data:
                return
            for event in line.receive_data(data):
                if isinstance(event, RequestReceived):
                    heads[event.stream_id] = {
                        str(name): str(value) for name, value in event.headers
                    }
                    bodies[event.stream_id] = b""
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                    line.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self._answer(line, event.stream_id, heads, bodies)

    def _answer(
        self,
        line: H2Connection,
        stream: int,
        heads: dict[int, dict[str, str]],
        bodies: dict[int, bytes],
    ) -> None:
        head = heads[stream]
        token = head["authorization"].removeprefix("bearer ")
        jwt.decode(
            token, self.key.public_key(), algorithms=["ES256"], options={"verify_iat": False}
        )
        if self.faults:
            status, reason = self.faults.pop(0)
            line.send_headers(stream, [(":status", str(status)), ("retry-after", "90")])
            line.send_data(stream, json.dumps({"reason": reason}).encode(), end_stream=True)
            return
        self.taken.append((head, json.loads(bodies[stream])))
        said = [(":status", "200"), ("apns-id", head["apns-id"])]
        line.send_headers(stream, said, end_stream=True)


@contextmanager
def _looping() -> Iterator[Any]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(5)

    try:
        yield do
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@contextmanager
def firebase() -> Iterator[Firebase]:
    """Run Firebase on a free port of the loopback."""
    service = Firebase()
    app = web.Application()
    app.add_routes(
        [
            web.post("/token", service.token),
            web.post("/v1/projects/steward/messages:send", service.send),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    with _looping() as do:

        async def start() -> None:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()

        do(start())
        service.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield service
        do(runner.cleanup())


@contextmanager
def apple() -> Iterator[Apple]:
    """Run Apple on a free port of the loopback."""
    service = Apple()
    with _looping() as do:
        server = do(asyncio.start_server(service.serve, "127.0.0.1", 0))
        service.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield service
        server.close()
