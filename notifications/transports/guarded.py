"""Connections to servers that owners name: only to checked public addresses.

As for suppliers' endpoints the name is looked up once for a connection, every answer is
checked, and the connection goes to one of them; here connections are kept.
"""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from suppliers import guard


class GuardedResolver(AbstractResolver):
    """Looks a name up and refuses it when any of its addresses may not be reached."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name; raises OSError for what may not be reached."""
        try:
            addresses = await asyncio.get_running_loop().run_in_executor(
                None, allowed_addresses, f"https://{host}:{port}/"
            )
        except guard.BlockedError as error:
            raise OSError(f"may not be reached: {error.code}") from error
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""


def allowed_addresses(url: str) -> list[str]:
    """Return the addresses behind a URL; raises guard.BlockedError."""
    _, addresses = guard.checked(
        url,
        allowed=settings.REACH_ALLOWED_NETWORKS,
        resolver=guard.resolve_in_time(settings.PUSH_TIMEOUT, guard.resolve),
    )
    return addresses


def check_literal(url: str) -> None:
    """Refuse an address that is connected to without a look-up; raises guard.BlockedError.

    So is a scheme without encryption, unless it leads into a network that is allowed.
    """
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if urlsplit(url).scheme == "https" or settings.REACH_ALLOWED_NETWORKS:
            return
    allowed_addresses(url)


def session(*, connections: int, timeout: float) -> aiohttp.ClientSession:
    """Return a session whose connections all go through the check."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, resolver=GuardedResolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=timeout),
        trust_env=False,
    )
