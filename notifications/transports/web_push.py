"""Browsers are woken by their push services: encrypted (RFC 8291), signed (VAPID), RFC 8030.

At least once: a repetition replaces what is shown, as both carry the same topic.
"""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from notifications import vapid
from notifications.transports import guarded
from notifications.transports.values import Message, Sent, TransportError, Wake
from owners import clock
from suppliers.guard import BlockedError

CONNECTIONS = 32
MOST = 3_000  # bytes of a payload: services take 4,096 after encryption
BODY_MOST = 1_200  # bytes of the words
SIGNED_AGAIN = timedelta(hours=6)


class WebPush:
    """Posts to push services over a few connections."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._signed: dict[str, tuple[float, str]] = {}  # origin: until when, and the header

    async def send(self, message: Message, where: dict[str, Any]) -> Sent:
        """Wake one browser; one that refuses the words for their length is woken without."""
        wake = message.wake
        if wake is None:
            raise TransportError("nothing to wake a device with", permanent=True)
        status, retry_after = await self._post(wake, payload(wake), where)
        if status == 413:
            shorter = payload(wake, is_short=True)
            status, retry_after = await self._post(wake, shorter, where)
        if status < 300:
            return Sent(ref=message.ref)
        raise refusal(status, retry_after)

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def _post(self, wake: Wake, said: bytes, where: dict[str, Any]) -> tuple[int, str]:
        if self._session is None:
            self._session = guarded.session(connections=CONNECTIONS, timeout=settings.PUSH_TIMEOUT)
        endpoint = str(where["endpoint"])
        try:
            guarded.check_literal(endpoint)
            body = encrypted(said, where["keys"])
        except (BlockedError, ValueError, KeyError) as error:
            said_why = f"not a subscription: {type(error).__name__}"
            raise TransportError(said_why, permanent=True, is_address_bad=True) from error
        headers = {
            "Authorization": self._authorization(endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            # Without one a browser that is away for a moment never hears of it.
            "TTL": str(wake.ttl),
            "Topic": wake.group,
            "Urgency": "high" if wake.is_urgent else "normal",
        }
        try:
            async with self._session.post(
                endpoint, data=body, headers=headers, allow_redirects=False
            ) as response:
                return response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            said_why = f"not reached: {type(error).__name__}"
            raise TransportError(said_why, is_everybodys=True) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransportError(f"no answer: {type(error).__name__}", is_ambiguous=True) from error

    def _authorization(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        now = clock.now()
        until, header = self._signed.get(origin, (0.0, ""))
        if now.timestamp() >= until:
            header = vapid.authorization(
                audience=origin,
                subject=settings.VAPID_SUBJECT,
                private=settings.VAPID_PRIVATE_KEY,
                seed=settings.INDEX_KEY,
                now=now,
            )
            self._signed[origin] = ((now + SIGNED_AGAIN).timestamp(), header)
        return header


def payload(wake: Wake, *, is_short: bool = False) -> bytes:
    """Return what the service worker reads; short enough for every push service."""
    said = {
        "title": wake.title,
        "body": "" if is_short else cut(wake.body, BODY_MOST),
        "tag": wake.group,
        "url": wake.url,
        **wake.data,
    }
    made = json.dumps(said, ensure_ascii=False).encode()
    if is_short or len(made) > MOST:
        said = {name: said[name] for name in ("title", "body", "tag", "url")}
        said |= {name: wake.data[name] for name in ("ref", "code") if name in wake.data}
        made = json.dumps(said, ensure_ascii=False).encode()
    return made


def cut(text: str, most: int) -> str:
    """Return a text of at most so many bytes, cut at a letter."""
    data = text.encode()
    return text if len(data) <= most else data[: most - 3].decode(errors="ignore") + "…"


def encrypted(said: bytes, keys: dict[str, str]) -> bytes:
    """Return the body for one browser; raises ValueError for keys that are none."""
    made: bytes = http_ece.encrypt(
        said,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=vapid.decoded(keys["p256dh"]),
        auth_secret=vapid.decoded(keys["auth"]),
        version="aes128gcm",
    )
    return made


def refusal(status: int, retry_after: str) -> TransportError:
    """Return what a push service's refusal means."""
    said = f"the push service answered {status}"
    if status in (404, 410):
        return TransportError(said, permanent=True, is_address_bad=True)
    if status == 429 or status >= 500:
        wait = float(retry_after) if retry_after.isdigit() else None
        return TransportError(said, retry_after=wait, is_everybodys=True)
    if status in (401, 403) or 300 <= status < 400:
        return TransportError(
            said, is_everybodys=True
        )  # our key or their address: the operator's to mend, so wait
    return TransportError(said, permanent=True)
