"""SMS through Twilio's HTTP API, or any server that speaks it (TWILIO_API_URL).

Twilio knows no idempotency key for messages, so after an ambiguous answer nothing is
sent again before its list of messages was asked; the receipts say the same, later.
"""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.conf import settings

from notifications.transports.posting import Line, NoAnswerError, NotReachedError
from notifications.transports.values import Message, NotStarted, Sent, TransportError

# https://www.twilio.com/docs/api/errors: the number, not our account, is at fault.
BAD_NUMBERS = {21211, 21217, 21401, 21407, 21421, 21601, 21604, 21610, 21612, 21614, 30005, 30006}
# What a status means, by rank: a receipt never takes a message back to a lower one.
STATUSES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
CONNECTIONS = 64
_QUOTED = {number: quote_plus(bytes([number])) for number in range(256)}
FOUND_PAGE = 50


class TwilioTransport:
    """Sends SMS over a few connections, the rest in turn."""

    is_repeatable = False
    resource = "Messages"
    name = "sms"
    room = 1_000  # under way, or in turn for one of the connections

    def __init__(self) -> None:
        self._line: Line | None = None
        self._places = asyncio.Semaphore(CONNECTIONS)

    def provider(self, to: str) -> str:
        """Return Twilio's name; texts and calls have troubles of their own."""
        return self.name

    async def send(self, message: Message) -> Sent:
        """Send one SMS when a connection is free."""
        async with self._places:
            if time.monotonic() > message.start_by:
                raise NotStarted
            return await self._send(message)

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Look for the message among those sent to its number since then."""
        asked = {
            "To": message.to,
            "DateSent>": since.astimezone(UTC).date().isoformat(),
            "PageSize": str(FOUND_PAGE),
        }
        answer = await self._call("GET", params=asked, key=message.key)
        since = since.replace(microsecond=0)  # as exact as the provider's own times
        return [
            Sent(ref=str(found.get("sid", ""))[:120])
            for found in answer.get("messages", [])
            if found.get("body") == message.text and made_at(found) >= since
        ]

    async def close(self) -> None:
        """End the connections."""
        if self._line is not None:
            self._line.close()
        self._line = None

    def _provider(self) -> Line:
        line = self._line
        if line is None or line.address != settings.TWILIO_API_URL:
            if line is not None:
                line.close()
            tokens = settings.TWILIO_AUTH_TOKENS
            pair = f"{settings.TWILIO_ACCOUNT_SID}:{tokens[0] if tokens else ''}"
            line = self._line = Line(
                settings.TWILIO_API_URL,
                headers={
                    "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                    "User-Agent": "Steward",
                },
                timeout=settings.SMS_TIMEOUT,
            )
        return line

    async def _send(self, message: Message) -> Sent:
        form = {
            "To": message.to,
            "From": settings.TWILIO_FROM,
            "Body": message.text,
            "StatusCallback": f"{settings.TWILIO_STATUS_URL}?delivery={message.ref}",
        }
        answer = await self._call("POST", data=encoded(form), key=message.key)
        return Sent(ref=str(answer.get("sid", ""))[:120])

    async def _call(
        self,
        method: str,
        *,
        key: str,
        data: bytes | None = None,
        params: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON of a good answer, or raise TransportError for any other."""
        path = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/{self.resource}.json"
        if params:
            path += f"?{urlencode(params)}"
        try:
            response = await self._provider().call(
                method, path, headers={"Idempotency-Key": key}, body=data or b""
            )
        except NotReachedError as error:
            raise TransportError(f"not reached: {error}", is_everybodys=True) from error
        except NoAnswerError as error:
            raise TransportError(f"no answer: {error}", is_ambiguous=True) from error
        answer = _json(response.body)
        if response.status < 300:
            if answer is None:
                raise TransportError("an answer that is not JSON", is_ambiguous=True)
            return answer
        raise _refusal(response.status, answer or {}, response.headers.get("retry-after", ""))


def encoded(form: dict[str, str]) -> bytes:
    """Return a form as it is posted: what `urlencode` gives, in a quarter of the time."""
    return "&".join(
        f"{name}={value.encode().decode('latin-1').translate(_QUOTED)}"
        for name, value in form.items()
    ).encode()


def _refusal(status: int, answer: dict[str, Any], retry_after: str) -> TransportError:
    """Return what a refusal means: wait, give this message up, or give the number up."""
    code = answer.get("code")
    said = f"{status} {code or ''} {str(answer.get('message', ''))[:160]}".strip()
    if status == 429 or status >= 500:
        wait = float(retry_after) if retry_after.isdigit() else None
        return TransportError(said, retry_after=wait, is_everybodys=True)
    if status in (401, 403) or 300 <= status < 400:
        return TransportError(said, is_everybodys=True)  # the operator's to mend, so wait
    return TransportError(said, permanent=True, is_address_bad=code in BAD_NUMBERS)


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def made_at(found: dict[str, Any]) -> datetime:
    """Return when the provider made the message (RFC 2822); the year 1 when it does not say."""
    try:
        return parsedate_to_datetime(str(found.get("date_created", ""))).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
