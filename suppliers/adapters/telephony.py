"""Reads Twilio's callbacks: a text message, a call's end, a voicemail, its transcript.

The payload is the form as it was posted. All callbacks of one call have the same
identity, so they amount to one contact whatever their order.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from suppliers.adapters import text
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.choices import Authentication, CallStatus, ContactKind, Direction, Medium
from suppliers.contacts import Call, Caller, Contact

SHORT_CALL_S = 5  # whoever hangs up sooner was cut off
MAX_FIELDS = 200
LEVELS = frozenset({"A", "B", "C"})
LATE = timedelta(days=1)
MISSED = frozenset({"no-answer", "busy", "failed", "canceled"})
MAX_SMS = 10_000
# The network or the provider answers these itself; they are orders to it, not words to us.
KEYWORDS = frozenset(
    {
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        *("start", "unstop", "help", "info"),
    }
)
VERSTAT = re.compile(r"(?:TN-Validation-)(Passed|Failed)(?:-([ABC]))?(?:-(?:Diverted|Passthru))*\Z")


def read(payload: bytes | dict[str, str], *, context: Context) -> list[Contact]:
    """Return the contact that a callback tells of; none while the call still goes on.

    Raises ContentError when the form names neither a message nor a call.
    """
    form = payload if isinstance(payload, dict) else fields(payload)
    if form.get("MessageSid") or form.get("SmsSid"):
        if form.get("OptOutType") or form.get("Body", "").strip().lower() in KEYWORDS:
            return []
        return [_sms(form, context)]
    if not form.get("CallSid"):
        raise ContentError("missing_field", "/CallSid", "Neither a message nor a call is named.")
    contact = _call(form, context)
    return [contact] if contact is not None else []


def attested(fields: Mapping[str, str], *, provider: str) -> Caller:
    """Return what the network says of the caller's number, in one spelling for all providers.

    Twilio names level and result in `StirVerstat`. Telnyx leaves the level out where it is
    A, or has it in `ShakenStirAttestation`; Bandwidth has it in `attestationIndicator`.
    """
    if provider == "bandwidth":
        said, level = fields.get("verstat", ""), fields.get("attestationIndicator", "")
    elif provider == "telnyx":
        said = fields.get("StirVerstat") or fields.get("verstat") or ""
        level = fields.get("ShakenStirAttestation") or "A"
    else:
        said, level = fields.get("StirVerstat", ""), ""
    match = VERSTAT.match(said.strip())
    if match is None:
        return Caller()
    level = (match[2] or level).strip().upper()
    verdict = Authentication.PASS if match[1] == "Passed" else Authentication.FAIL
    return Caller(verdict=verdict, level=level if level in LEVELS else "none")


def is_name(sender: str) -> bool:
    """Say whether a sender is a name somebody chose instead of a number."""
    return any(sign.isalpha() for sign in sender)


def fields(payload: bytes) -> dict[str, str]:
    """Return the form's fields, or a JSON object's; the first of a repeated one counts."""
    if payload.lstrip()[:1] == b"{":
        return _json_fields(payload)
    found: dict[str, str] = {}
    decoded = payload.decode("utf-8", "replace")
    for name, value in parse_qsl(decoded, keep_blank_values=True, max_num_fields=MAX_FIELDS):
        found.setdefault(name, value.replace("\x00", ""))
    return found


def _json_fields(payload: bytes) -> dict[str, str]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ContentError("invalid_json", "", "It is neither a form nor JSON.") from error
    if not isinstance(value, dict):
        raise ContentError("invalid_json", "", "Must be an object.")
    return {
        str(name): str(item).replace("\x00", "")
        for name, item in list(value.items())[:MAX_FIELDS]
        if isinstance(item, str | int | float) and not isinstance(item, bool)
    }


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
    return number if is_name(number) else text.e164(number, context.country) or number


def _caller(number: str, context: Context) -> Caller | None:
    """Return what is known of the number; nothing where that is nothing."""
    known = Caller.from_json(context.caller) if context.caller else Caller()
    known = replace(known, is_name=is_name(number))
    return known if known != Caller() else None


def _media(form: dict[str, str]) -> str:
    """Return a line for each picture or file that came with a text; none is fetched."""
    count = form.get("NumMedia", "0")
    many = min(int(count), 20) if count.isascii() and count.isdigit() else 0
    kinds = [form.get(f"MediaContentType{index}", "") for index in range(many)]
    return "\n".join(f"[{kind[:80] or 'file'}]" for kind in kinds)


def _sms(form: dict[str, str], context: Context) -> Contact:
    direction, number = _other(form)
    said_there = form.get("Body", "")[:MAX_SMS].strip()
    body = "\n".join(part for part in (said_there, _media(form)) if part)
    caller = _caller(number, context)
    contact = Contact(
        kind=ContactKind.MESSAGE,
        medium=Medium.SMS,
        said_at=_said_at(form, context),
        direction=direction,
        sender=_sender(number, context),
        authentication=caller.verdict if caller else Authentication.NONE,
        caller=caller,
        title=text.first_line(body),
        body=body,
    )
    said = text.read(said_there, said_at=contact.said_at, context=context, is_spoken=True)
    message_id = form.get("MessageSid") or form.get("SmsSid") or ""
    return text.understood(contact, said, message_id=message_id)


def _call(form: dict[str, str], context: Context) -> Contact | None:
    direction, number = _other(form)
    status, awaits = _status(form, is_greeted=context.is_greeted and direction == Direction.IN)
    if status is None:
        return None
    transcript = _transcript(form)
    caller = _caller(number, context)
    is_voicemail = status == CallStatus.VOICEMAIL
    contact = Contact(
        kind=ContactKind.VOICEMAIL if is_voicemail else ContactKind.CALL,
        medium=Medium.VOICEMAIL if is_voicemail else Medium.CALL,
        said_at=_said_at(form, context),
        direction=direction,
        sender=_sender(number, context),
        authentication=caller.verdict if caller else Authentication.NONE,
        caller=caller,
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


def _status(form: dict[str, str], *, is_greeted: bool) -> tuple[CallStatus | None, bool]:
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
    if is_greeted:
        # Nobody answered but our greeting; who stayed on may have left a voicemail.
        return CallStatus.MISSED, _seconds(form) >= SHORT_CALL_S
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
