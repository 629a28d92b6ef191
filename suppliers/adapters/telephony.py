"""Reads Twilio's callbacks: a text message, a call's end, a voicemail, its transcript.

The payload is the form as it was posted. All callbacks of one call have the same
identity, so they amount to one contact whatever their order.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from suppliers.adapters import text
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.choices import Authentication, CallStatus, ContactKind, Direction, Medium
from suppliers.contacts import Call, Contact

SHORT_CALL_S = 5  # whoever hangs up sooner was cut off
MAX_FIELDS = 200
LATE = timedelta(days=1)
MISSED = frozenset({"no-answer", "busy", "failed", "canceled"})
MAX_SMS = 10_000


def read(payload: bytes | dict[str, str], *, context: Context) -> list[Contact]:
    """Return the contact that a callback tells of; none while the call still goes on.

    Raises ContentError when the form names neither a message nor a call.
    """
    form = payload if isinstance(payload, dict) else fields(payload)
    if form.get("MessageSid") or form.get("SmsSid"):
        return [_sms(form, context)]
    if not form.get("CallSid"):
        raise ContentError("missing_field", "/CallSid", "Neither a message nor a call is named.")
    contact = _call(form, context)
    return [contact] if contact is not None else []


def fields(payload: bytes) -> dict[str, str]:
    """Return the form's fields; the first of a repeated one counts."""
    found: dict[str, str] = {}
    decoded = payload.decode("utf-8", "replace")
    for name, value in parse_qsl(decoded, keep_blank_values=True, max_num_fields=MAX_FIELDS):
        found.setdefault(name, value.replace("\x00", ""))
    return found


def _other(form: dict[str, str]) -> tuple[Direction, str]:
    """Return the direction and the number at the other end."""
    is_out = form.get("Direction", "inbound").startswith("outbound")
    number = form.get("To" if is_out else "From", "")
    return (Direction.OUT if is_out else Direction.IN), number.strip()[:60]


def _said_at(form: dict[str, str], context: Context) -> datetime:
    try:
        found = parsedate_to_datetime(form.get("Timestamp", "")[:60])
    except (ValueError, TypeError, IndexError, OverflowError):
        return context.received_at
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return (
        found if context.received_at - LATE <= found <= context.received_at else context.received_at
    )


def _sender(number: str, context: Context) -> str:
    return text.e164(number, context.country) or number


def _sms(form: dict[str, str], context: Context) -> Contact:
    direction, number = _other(form)
    body = form.get("Body", "")[:MAX_SMS].strip()
    contact = Contact(
        kind=ContactKind.MESSAGE,
        medium=Medium.SMS,
        said_at=_said_at(form, context),
        direction=direction,
        sender=_sender(number, context),
        authentication=Authentication.NONE,
        title=text.first_line(body),
        body=body,
    )
    said = text.read(body, said_at=contact.said_at, context=context, is_spoken=True)
    message_id = form.get("MessageSid") or form.get("SmsSid") or ""
    return text.understood(contact, said, message_id=message_id)


def _call(form: dict[str, str], context: Context) -> Contact | None:
    direction, number = _other(form)
    status, awaits = _status(form)
    if status is None:
        return None
    transcript = _transcript(form)
    is_voicemail = status == CallStatus.VOICEMAIL
    contact = Contact(
        kind=ContactKind.VOICEMAIL if is_voicemail else ContactKind.CALL,
        medium=Medium.VOICEMAIL if is_voicemail else Medium.CALL,
        said_at=_said_at(form, context),
        direction=direction,
        sender=_sender(number, context),
        authentication=Authentication.NONE,
        call=Call(
            status=status,
            duration_s=_seconds(form),
            transcript=transcript,
            awaits_transcript=awaits,
        ),
        body=transcript,
        is_reaching_out=direction == Direction.IN and status != CallStatus.ANSWERED,
        identity=form["CallSid"][:64],
    )
    if not transcript:
        return contact
    said = text.read(
        transcript,
        said_at=contact.said_at,
        context=context,
        is_spoken=True,
        is_voicemail=contact.is_reaching_out,
    )
    return text.understood(contact, said)


def _status(form: dict[str, str]) -> tuple[CallStatus | None, bool]:
    """Return how the call went and whether a transcript is still to come."""
    if "TranscriptionStatus" in form or "TranscriptionText" in form:
        return CallStatus.VOICEMAIL, False
    if form.get("RecordingUrl"):
        is_empty = form.get("RecordingStatus") in {"failed", "absent"}
        return CallStatus.VOICEMAIL, not is_empty
    state = form.get("CallStatus", "").lower()
    if state in MISSED:
        return CallStatus.MISSED, False
    if state != "completed":
        return None, False  # still ringing or talking
    if _seconds(form) < SHORT_CALL_S:
        return CallStatus.DROPPED, False
    return CallStatus.ANSWERED, False


def _seconds(form: dict[str, str]) -> int:
    for name in ("RecordingDuration", "CallDuration", "DialCallDuration"):
        value = form.get(name, "")
        if value.isascii() and value.isdigit():
            return min(int(value[:9]), 24 * 3600)
    return 0


def _transcript(form: dict[str, str]) -> str:
    """Return the transcript; a failed one is no text."""
    if form.get("TranscriptionStatus", "completed").lower() != "completed":
        return ""
    return form.get("TranscriptionText", "")[:MAX_SMS].strip()
