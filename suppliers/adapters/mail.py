"""Reads a raw mail without letting it near us: the parsing happens in a child process."""

import base64
import re

from suppliers import sandbox
from suppliers.adapters import headers
from suppliers.adapters.context import Context
from suppliers.choices import Authentication, ContactKind, Medium
from suppliers.contacts import Contact, Key, Proof

# What may hold an invoice: seen in the bytes before anything is parsed again.
HINT = re.compile(rb"application/pdf|/xml|\+xml|\.xml\b|\.pdf\b", re.IGNORECASE)
INVOICE_S = 10.0
UNREADABLE = "This mail could not be read."


def read(payload: bytes, *, context: Context) -> list[Contact]:
    """Return the contacts in a mail; one that breaks every limit is a plain contact."""
    raw = base64.b64encode(payload).decode()
    request = {"raw": raw, "context": context.to_json()}
    try:
        contacts = [Contact.from_json(item) for item in sandbox.run("mail", request)]
    except sandbox.RefusedError as refused:
        return [_unreadable(payload, context, refused.reason)]
    if HINT.search(payload):
        contacts[0] = _with_invoice(contacts[0], raw)
    return contacts


def _with_invoice(contact: Contact, raw: str) -> Contact:
    """Return the contact with what an attached invoice states, if its sender is proved."""
    if contact.authentication != Authentication.PASS:
        return contact
    request = {"raw": raw, "contact": contact.to_json()}
    try:
        return Contact.from_json(sandbox.run("invoice", request, wall_s=INVOICE_S))
    except sandbox.RefusedError as refused:
        return contact.with_(remarks=(*contact.remarks, f"invoice_refused:{refused.reason}"))


def _unreadable(payload: bytes, context: Context, reason: str) -> Contact:
    """Return what may be said of a mail that broke the parser: who, when, and its subject."""
    head = headers.read(payload)
    keys = (Key(scheme="message", value=head.message_id),) if head.message_id else ()
    return Contact(
        kind=ContactKind.MESSAGE,
        medium=Medium.EMAIL,
        said_at=context.received_at,
        sender=head.sender,
        authentication=context.authentication,
        proof=Proof.from_json(context.proof) if context.proof else None,
        title=head.subject[:200] or UNREADABLE,
        summary=UNREADABLE,
        status=f"unreadable: {reason}",
        keys=keys,
    )
