"""iPhone apps are woken by Apple: HTTP/2, signed by a key of ours (token authentication)."""

import json
import time
from typing import Any

import httpx
import jwt
from django.conf import settings

from notifications.transports.values import Message, Sent, TransportError, Wake
from notifications.transports.web_push import BODY_MOST, cut
from owners import clock

SIGNED_AGAIN_S = 40 * 60  # Apple refuses tokens older than an hour, and new ones too often
DEAD = frozenset({"BadDeviceToken", "Unregistered", "DeviceTokenNotForTopic", "ExpiredToken"})


class Apns:
    """Posts to Apple; many messages share one connection."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._signed = ("", 0.0)

    async def send(self, message: Message, where: dict[str, Any]) -> Sent:
        """Wake one app."""
        wake = message.wake
        if wake is None:
            raise TransportError("nothing to wake a device with", permanent=True)
        if not (settings.APNS_KEY and settings.APNS_KEY_ID and settings.APNS_TEAM_ID):
            raise TransportError("Apple's push is not set up here")
        if self._client is None:
            self._client = httpx.AsyncClient(
                http2=True,
                http1=False,
                timeout=settings.PUSH_TIMEOUT,
                trust_env=False,
            )
        headers = {
            "authorization": f"bearer {self._token()}",
            # The same at every attempt; Apple names the message by it.
            "apns-id": message.ref,
            "apns-topic": settings.APNS_TOPIC,
            "apns-push-type": "alert",
            "apns-collapse-id": wake.group,
            "apns-expiration": str(int(clock.now().timestamp()) + wake.ttl),
            "apns-priority": "10" if wake.is_urgent else "5",
        }
        try:
            answer = await self._client.post(
                f"{settings.APNS_URL}/3/device/{where['token']}",
                content=said(wake),
                headers=headers,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            said_why = f"not reached: {type(error).__name__}"
            raise TransportError(said_why, is_everybodys=True) from error
        except httpx.HTTPError as error:
            raise TransportError(f"no answer: {type(error).__name__}", is_ambiguous=True) from error
        if answer.status_code < 300:
            return Sent(ref=answer.headers.get("apns-id", message.ref)[:120])
        raise self._refusal(answer)

    async def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            await self._client.aclose()
        self._client = None

    def _token(self) -> str:
        token, until = self._signed
        if not token or time.monotonic() > until:
            claims = {"iss": settings.APNS_TEAM_ID, "iat": int(clock.now().timestamp())}
            token = jwt.encode(
                claims, settings.APNS_KEY, algorithm="ES256", headers={"kid": settings.APNS_KEY_ID}
            )
            self._signed = (token, time.monotonic() + SIGNED_AGAIN_S)
        return token

    def _refusal(self, answer: httpx.Response) -> TransportError:
        try:
            reason = str(json.loads(answer.content).get("reason", ""))[:60]
        except (ValueError, AttributeError):
            reason = ""
        text = f"{answer.status_code} {reason}".strip()
        if answer.status_code == 410 or reason in DEAD:
            return TransportError(text, permanent=True, is_address_bad=True)
        if answer.status_code == 429 or answer.status_code >= 500:
            wait = answer.headers.get("retry-after", "")
            seconds = float(wait) if wait.isdigit() else None
            return TransportError(text, retry_after=seconds, is_everybodys=True)
        if answer.status_code == 403:
            self._signed = ("", 0.0)  # a new token at the next try; a wrong key is ours to mend
            return TransportError(text, is_everybodys=True)
        return TransportError(text, permanent=True)


def said(wake: Wake) -> bytes:
    """Return the message: Apple's own part, and beside it what the app acts by."""
    made = {
        "aps": {
            "alert": {"title": wake.title, "body": cut(wake.body, BODY_MOST)},
            "thread-id": wake.group,
            "interruption-level": "time-sensitive" if wake.is_urgent else "active",
        },
        "url": wake.url,
        **wake.data,
    }
    return json.dumps(made, ensure_ascii=False).encode()
