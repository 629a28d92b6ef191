"""Android apps are woken through Firebase (FCM HTTP v1), as a service account."""

import json
import time
from datetime import timedelta
from typing import Any

import aiohttp
import jwt
from django.conf import settings

from notifications.transports.values import Message, Sent, TransportError, Wake
from notifications.transports.web_push import BODY_MOST, cut
from owners import clock

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CONNECTIONS = 32
EARLY_S = 120  # a token is renewed before it ends
READ_LIMIT = 64 * 1024
# What says that the app is gone from the device, whatever the status.
DEAD = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


class Fcm:
    """Posts to Firebase over a few connections."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._until = 0.0

    async def send(self, message: Message, where: dict[str, Any]) -> Sent:
        """Wake one app."""
        if message.wake is None:
            raise TransportError("nothing to wake a device with", permanent=True)
        account = account_of(settings.FCM_ACCOUNT)
        token = await self._access(account)
        address = f"{settings.FCM_URL}/v1/projects/{account['project_id']}/messages:send"
        status, answer, wait = await self._post(
            address,
            json={"message": said(message.wake, str(where["token"]))},
            headers={"Authorization": f"Bearer {token}"},
        )
        if status < 300:
            return Sent(ref=str(answer.get("name", ""))[-120:])
        if status == 401:
            self._token = ""  # asked for again at the next try
        raise refusal(status, answer, wait)

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def _access(self, account: dict[str, Any]) -> str:
        """Return the token that Firebase is asked with, made by the account's key."""
        if self._token and time.monotonic() < self._until:
            return self._token
        now = clock.now()
        claims = {
            "iss": account["client_email"],
            "scope": SCOPE,
            "aud": account["token_uri"],
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(hours=1)).timestamp()),
        }
        made = jwt.encode(claims, account["private_key"], algorithm="RS256")
        status, answer, wait = await self._post(
            account["token_uri"], data={"grant_type": GRANT, "assertion": made}, is_sending=False
        )
        if status >= 300 or not answer.get("access_token"):
            # Ours to mend; nothing of the message has gone out.
            said_why = f"no access token: {status}"
            raise TransportError(said_why, retry_after=wait, is_everybodys=True)
        self._token = str(answer["access_token"])
        self._until = time.monotonic() + float(answer.get("expires_in", 3600)) - EARLY_S
        return self._token

    async def _post(
        self, address: str, *, is_sending: bool = True, **options: Any
    ) -> tuple[int, dict[str, Any], float | None]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=settings.PUSH_TIMEOUT, sock_connect=settings.PUSH_TIMEOUT
                ),
            )
        try:
            async with self._session.post(address, allow_redirects=False, **options) as response:
                body = await response.content.read(READ_LIMIT)
                wait = response.headers.get("Retry-After", "")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            said_why = f"not reached: {type(error).__name__}"
            raise TransportError(said_why, is_everybodys=True) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said_why = f"no answer: {type(error).__name__}"
            raise TransportError(said_why, is_ambiguous=is_sending) from error
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        is_object = isinstance(answer, dict)
        return response.status, answer if is_object else {}, float(wait) if wait.isdigit() else None


def account_of(text: str) -> dict[str, Any]:
    """Return the service account (its JSON as Google gives it); raises TransportError."""
    try:
        account: dict[str, Any] = json.loads(text)
        missing = {"project_id", "client_email", "private_key", "token_uri"} - account.keys()
    except (ValueError, AttributeError):
        missing = {"FCM_ACCOUNT"}
    if missing:
        raise TransportError("Firebase is not set up here")
    return account


def said(wake: Wake, token: str) -> dict[str, Any]:
    """Return the message: what is shown, and what the app acts by; data is text only."""
    data = {name: value for name, value in wake.data.items() if isinstance(value, str)}
    data |= {name: json.dumps(value) for name, value in wake.data.items() if name not in data}
    notice = {"title": wake.title, "body": cut(wake.body, BODY_MOST)}
    return {
        "token": token,
        "notification": notice,
        "data": {**data, "url": wake.url},
        "android": {
            # Only four of these live at a time; the tag below is what replaces on the screen.
            "collapse_key": wake.group,
            "priority": "HIGH" if wake.is_urgent else "NORMAL",
            "ttl": f"{wake.ttl}s",
            "notification": {"tag": wake.group},
        },
    }


def refusal(status: int, answer: dict[str, Any], wait: float | None) -> TransportError:
    """Return what a refusal of Firebase means."""
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    codes = {
        str(detail.get("errorCode"))
        for detail in error.get("details", ())
        if isinstance(detail, dict) and detail.get("errorCode")
    }
    text = f"{status} {' '.join(sorted(codes)) or error.get('status', '')}".strip()
    if codes & DEAD or status == 404:
        return TransportError(text, permanent=True, is_address_bad=True)
    if status == 429 or status >= 500:
        return TransportError(text, retry_after=wait, is_everybodys=True)
    if status in (401, 403):
        return TransportError(text, is_everybodys=True)
    return TransportError(text, permanent=True)
