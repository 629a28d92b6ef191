"""Reads a raw mail without letting it near us: the parsing happens in a child process."""

import base64

from suppliers import sandbox
from suppliers.adapters import headers
from suppliers.adapters.context import Context
from suppliers.choices import ContactKind, Medium
from suppliers.contacts import Contact, Key, Proof

UNREADABLE = "This mail could not be read."


def read(payload: bytes, *, context: Context) -> list[Contact]:
    """Return the contacts in a mail; one that breaks every limit is a plain contact."""
    request = {"raw": base64.b64encode(payload).decode(), "context": context.to_json()}
    try:
        return [Contact.from_json(item) for item in sandbox.run("mail", request)]
    except sandbox.RefusedError as refused:
        return [_unreadable(payload, context, refused.reason)]


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
