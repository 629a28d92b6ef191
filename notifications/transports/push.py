"""Devices are woken: each by the service that its address names."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from notifications.transports.apns import Apns
from notifications.transports.fcm import Fcm
from notifications.transports.values import Message, NotStarted, Sent, TransportError
from notifications.transports.web_push import WebPush

AT_ONCE = 64


class Service(Protocol):
    """Wakes devices of one kind."""

    async def send(self, message: Message, where: dict[str, Any]) -> Sent:
        """Wake the device that `where` describes, or raise TransportError."""

    async def close(self) -> None:
        """End the connections."""


SERVICES: dict[str, Callable[[], Service]] = {"web": WebPush, "fcm": Fcm, "apns": Apns}


class PushTransport:
    """Hands each message to the service of its device."""

    is_repeatable = True  # the second copy replaces the first on the screen
    room = 500

    def __init__(self) -> None:
        self._services: dict[str, Service] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    def provider(self, to: str) -> str:
        """Return who wakes the device: of a browser, the origin of its push service."""
        where = json.loads(to)
        if where.get("service") != "web":
            return f"push {where.get('service', '')}"
        parts = urlsplit(str(where.get("endpoint", "")))
        return f"push {parts.scheme}://{parts.netloc}"[:300]

    async def send(self, message: Message) -> Sent:
        """Wake one device when it is its turn."""
        where = json.loads(message.to)
        make = SERVICES.get(where.get("service", ""))
        if make is None:
            raise TransportError("a device of no known service", permanent=True)
        async with self._places:
            if time.monotonic() > message.start_by:
                raise NotStarted
            if where["service"] not in self._services:
                self._services[where["service"]] = make()
            return await self._services[where["service"]].send(message, where)

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Know nothing: no push service can be asked."""
        return []

    async def close(self) -> None:
        """End every connection."""
        for service in self._services.values():
            await service.close()
        self._services = {}
