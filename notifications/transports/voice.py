"""Calls that read a message aloud, through Twilio's HTTP API.

No idempotency key is known here either: after an ambiguous answer the list of calls is
asked before anybody's telephone rings again.
"""

from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from notifications.transports.sms import FOUND_PAGE, TwilioTransport, encoded, made_at
from notifications.transports.values import Message, Sent

# What a status means, by rank. A mailbox takes calls too, so completed is no more than arrived.
STATUSES = {
    "queued": "sent",
    "initiated": "sent",
    "ringing": "sent",
    "in-progress": "sent",
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}
RINGS_FOR = 30  # seconds
VOICES = {"de": "de-DE", "it": "it-IT"}


class TwilioCalls(TwilioTransport):
    """Makes calls over the same connections as SMS."""

    resource = "Calls"
    name = "voice"
    room = 50

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Look for calls to the number since then; what they said is not kept there."""
        asked = {
            "To": message.to,
            "StartTime>": since.astimezone(UTC).date().isoformat(),
            "PageSize": str(FOUND_PAGE),
        }
        answer = await self._call("GET", params=asked, key=message.key)
        since = since.replace(microsecond=0)
        return [
            Sent(ref=str(found.get("sid", ""))[:120])
            for found in answer.get("calls", [])
            if made_at(found) >= since
        ]

    async def _send(self, message: Message) -> Sent:
        answer_at = f"{settings.TWILIO_CALL_URL}?delivery={message.ref}"
        form = {
            "To": message.to,
            "From": settings.TWILIO_VOICE_FROM,
            "Twiml": spoken(message, answer_at=answer_at),
            "Timeout": str(RINGS_FOR),
            "StatusCallback": f"{settings.TWILIO_STATUS_URL}?delivery={message.ref}",
            "StatusCallbackEvent": "completed",
        }
        answer = await self._call("POST", data=encoded(form), key=message.key)
        return Sent(ref=str(answer.get("sid", ""))[:120])


def spoken(message: Message, *, answer_at: str) -> str:
    """Return what the telephone says (TwiML): the words twice, and which key says "heard"."""
    with override(message.language):
        words = f"{_('This is Steward.')} {message.text}"
        ask = _("Press 1 to say that you heard it.")
    say = f"<Say language={quoteattr(voice_of(message.language))}>{{}}</Say>"
    return (
        f'<Response><Gather numDigits="1" timeout="8" action={quoteattr(answer_at)}>'
        f'{say.format(escape(words))}<Pause length="1"/>'
        f"{say.format(escape(f'{words} {ask}'))}</Gather></Response>"
    )


def thanks(language: str) -> str:
    """Return what is said once the key was pressed."""
    with override(language):
        words = escape(_("Thank you. Goodbye."))
    return f"<Response><Say language={quoteattr(voice_of(language))}>{words}</Say></Response>"


def voice_of(language: str) -> str:
    """Return the voice that speaks a language."""
    return VOICES.get(language[:2], "en-US")
