"""Reads a raw mail, in the child process only: its parts, and what each of them says.

In the order of trust: iCalendar, schema.org mark-up of an authenticated sender, text.
The limits are checked on the bytes before a parser sees them.
"""

import base64
import email
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import policy
from email.message import Message
from typing import Any

from suppliers.adapters import adverts, headers, ical, machines, markup, schema_org, text
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.choices import Authentication, ContactKind, Medium, Purpose
from suppliers.contacts import Contact, FactClaim, Proof, Visit

MAX_BYTES = 25 * 2**20
MAX_PARTS = 100
MAX_DEPTH = 10
MAX_TEXT = 200_000
AHEAD, BEHIND = timedelta(hours=1), timedelta(days=7)
NEAR_DATE = timedelta(days=1)  # how far a DTSTAMP may be from the Date field
PART = re.compile(rb"(?:^|\n)content-type[ \t]*:", re.IGNORECASE)
NESTED = re.compile(rb"\n?content-type[ \t]*:[ \t\r\n]{0,6}(?:multipart/|message/)", re.IGNORECASE)


class LimitError(Exception):
    """The mail is larger or deeper than anything that is meant to be read."""


@dataclass(slots=True)
class Parts:
    """What a mail is made of, in its order."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    calendars: list[tuple[bytes, str]] = field(default_factory=list)  # with its method
    attachments: list[str] = field(default_factory=list)


def task(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer a request of `mail.read`: contacts as JSON."""
    context = Context.from_json(data["context"])
    contacts = read(base64.b64decode(data["raw"]), context=context)
    return [_storable(contact.to_json()) for contact in contacts]


def _storable(value: Any) -> Any:
    """Return plain JSON values without what no database takes: JSON may hold half letters."""
    if isinstance(value, str):
        return headers.storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {headers.storable(key): _storable(item) for key, item in value.items()}
    return value


def read(raw: bytes, *, context: Context) -> list[Contact]:
    """Return the contacts in a mail: one, and one more for each further event.

    Raises LimitError before parsing what passes a limit.
    """
    check(raw)
    head = headers.read(raw)
    parts = Parts()
    message = email.message_from_bytes(raw, policy=policy.compat32)
    _collect(message, parts, 0)
    page, links = markup.visible("\n".join(parts.html)) if parts.html else ("", ())
    body = text.visible_reply("\n".join(parts.plain)[:MAX_TEXT]) or text.visible_reply(page)
    base = plain(head, context).with_(body=body[: text.MAX_BODY])
    contacts, refused = _from_calendars(base, parts.calendars, context)
    base = base.with_(remarks=refused)
    first = contacts[0] if contacts else base
    signs = adverts.bulk_signs(head)
    if context.authentication == Authentication.PASS:
        for html in parts.html:
            things = markup.items(html)
            if adverts.has_offer(kind for thing in things for kind in schema_org.types_of(thing)):
                signs = (*signs, adverts.OFFER_MARKUP)
            first = schema_org.understood(first, things, context)
    for words in (body, text.visible_reply(page)) if body != page else (body,):
        said = text.read(
            words,
            subject=head.subject,
            said_at=first.said_at,
            context=context,
            links=links,
            bulk_signs=signs,
        )
        first = text.understood(first, said, message_id=head.message_id)
    if first.kind == ContactKind.MESSAGE and first.visit is not None:
        first = first.with_(kind=ContactKind.VISIT_CHANGE)
    if contacts and refused:
        first = first.with_(remarks=(*first.remarks, *refused))
    return [_by_machine(first, message, raw, body, context), *contacts[1:]]


def _by_machine(
    contact: Contact, message: Message, raw: bytes, body: str, context: Context
) -> Contact:
    """Return the contact with what it is when no person and no supplier wrote it."""
    head, ours = headers.read(raw), context.recipient.rpartition("@")[2]
    report = machines.report(message, raw=raw, domain=ours)
    if report is not None:
        return contact.with_(report=report, is_automatic=True)
    confirmed = machines.confirmation(head, body=body, links=())
    if confirmed is not None and context.authentication != Authentication.FAIL:
        code = FactClaim(name="confirmation_code", value=confirmed.code, label=confirmed.who)
        return contact.with_(
            kind=ContactKind.MESSAGE,
            confirmation=confirmed,
            facts=(code,) if confirmed.code else (),
        )
    is_ours = bool(ours) and head.message_id.lower().endswith(f"@{ours}")
    answers = machines.is_automatic(head, return_path=context.return_path)
    is_empty = machines.says_nothing(contact) or machines.is_away(head, body)
    return contact.with_(is_automatic=True) if is_ours or (answers and is_empty) else contact


def plain(head: headers.Head, context: Context) -> Contact:
    """Return what the head of a mail alone says."""
    thread = machines.thread(head, domain=context.recipient.rpartition("@")[2])
    keys = [("message", head.message_id), *(("thread", item) for item in thread)]
    return Contact(
        kind=ContactKind.MESSAGE,
        medium=Medium.EMAIL,
        said_at=said_at(head.date, context),
        sender=head.sender,
        authentication=context.authentication,
        proof=Proof.from_json(context.proof) if context.proof else None,
        purpose=Purpose.SERVICE,
        title=head.subject[:200],
        keys=text.keys_of(keys),
        unsubscribe=adverts.unsubscribe_of(head),
    )


def said_at(date: datetime | None, context: Context) -> datetime:
    """Return the sender's own time, or ours when theirs cannot be right."""
    if date is None or not context.received_at - BEHIND <= date <= context.received_at + AHEAD:
        return context.received_at
    return date


def check(raw: bytes) -> None:
    """Raise LimitError for a mail with too many bytes, header lines, parts or levels."""
    if len(raw) > MAX_BYTES or headers.read(raw).is_cut:
        raise LimitError("too large")
    if sum(1 for _ in _first(PART, raw, MAX_PARTS + 1)) > MAX_PARTS:
        raise LimitError("too many parts")
    if sum(1 for _ in _first(NESTED, raw, 3 * MAX_DEPTH + 1)) > 3 * MAX_DEPTH:
        raise LimitError("too deep")


def _first(pattern: re.Pattern[bytes], raw: bytes, count: int) -> Any:
    for number, match in enumerate(pattern.finditer(raw)):
        if number >= count:
            return
        yield match


def _collect(part: Message, parts: Parts, depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    if part.is_multipart():
        for child in part.get_payload():
            if isinstance(child, Message):
                _collect(child, parts, depth + 1)
        return
    kind = part.get_content_type()
    name = filename(part)
    if kind in {"text/calendar", "application/ics"} or name.lower().endswith(".ics"):
        parts.calendars.append((bytes_of(part), _method(part)))
        return
    is_attachment = "attachment" in str(part.get("Content-Disposition", ""))[:40].lower()
    if is_attachment or not kind.startswith("text/"):
        parts.attachments.append(name or kind)
    elif kind == "text/html":
        parts.html.append(text_of(part)[: markup.MAX_HTML])
    else:
        parts.plain.append(text_of(part))


def _method(part: Message) -> str:
    """Return the method of a calendar as the Content-Type names it."""
    try:
        return str(part.get_param("method") or "")[:20]
    except (ValueError, TypeError, LookupError):
        return ""


def filename(part: Message) -> str:
    """Return what a part calls itself, or nothing."""
    try:
        return headers.decoded(str(part.get_filename() or ""))[:200]
    except (ValueError, TypeError, LookupError):
        return ""


def bytes_of(part: Message) -> bytes:
    """Return what a part holds."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        payload = None
    return payload if isinstance(payload, bytes) else b""


def text_of(part: Message) -> str:
    """Return the words of a part, in whatever charset."""
    try:
        charset = part.get_content_charset()
    except (LookupError, ValueError):
        charset = None
    found = headers.decode_bytes(bytes_of(part), charset)
    return found.replace("\r\n", "\n").replace("\x00", "")[:MAX_TEXT]


def _from_calendars(
    base: Contact, calendars: list[tuple[bytes, str]], context: Context
) -> tuple[list[Contact], tuple[str, ...]]:
    """Return a contact for each event, and why calendars were refused.

    One event sent twice in a mail (a second part for those who cannot read the first) is
    one. A refused calendar leaves the mail as a contact with a remark.
    """
    found: dict[tuple[Any, ...], Contact] = {}
    refused: list[str] = []
    for payload, method in calendars[:5]:
        try:
            events = ical.read(payload, context=context, method=method)
        except ContentError as error:
            refused.append(f"calendar_refused:{error.code}")
            continue
        for event in events:
            visit = event.visit
            key = (
                (visit.uid, visit.recurrence_id, visit.sequence, visit.dtstamp, visit.method)
                if visit is not None
                else (event.keys, event.status, None, None)
            )
            if key not in found:
                found[key] = _joined(base, event, is_first=not found)
    return list(found.values()), tuple(dict.fromkeys(refused))


def _stamped(visit: Visit | None, said_at: datetime) -> Visit | None:
    """Return the visit with the mail's own time where the calendar has none."""
    if visit is None or visit.dtstamp is not None:
        return visit
    return replace(visit, dtstamp=said_at)


def _joined(base: Contact, event: Contact, *, is_first: bool) -> Contact:
    dtstamp = event.visit.dtstamp if event.visit is not None else None
    is_sane = dtstamp is not None and abs(dtstamp - base.said_at) <= NEAR_DATE
    return base.with_(
        kind=event.kind,
        said_at=min(dtstamp, base.said_at) if is_sane and dtstamp is not None else base.said_at,
        title=event.title if not base.title else base.title,
        summary=event.title[:1000],
        keys=tuple(dict.fromkeys((*event.keys, *base.keys))),
        visit=_stamped(event.visit, base.said_at),
        facts=event.facts,
        asks=event.asks,
        status=event.status,
        remarks=event.remarks,
        is_counted=is_first,
    )
