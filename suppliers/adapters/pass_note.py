"""Reads what somebody wrote on a pass: a reference, a promise, or a step and its result.

Whoever holds the pass may have written it, so nothing in it makes it a supplier's word: it
has no sender, and its reference is nobody's own number but one that others may quote.
"""

import hashlib
import json
import uuid
from datetime import datetime
from typing import Any

from suppliers.adapters import fields
from suppliers.adapters.context import Context
from suppliers.choices import Authentication, ContactKind, Direction, Medium, Purpose
from suppliers.contacts import Contact, FactClaim, Key, PromiseClaim, StepClaim

KINDS = ("reference", "promise", "outcome")
LONGEST = 300
LONGEST_NAME = 80


def read(payload: bytes | dict[str, Any], *, context: Context) -> list[Contact]:
    """Return the one contact that was written. Raises ContentError naming the field."""
    data = payload if isinstance(payload, dict) else json.loads(payload)
    kind = fields.one_of(*KINDS)(data.get("kind"), "/kind")
    note = Contact(
        kind=ContactKind.NOTE,
        medium=Medium.NONE,
        direction=Direction.IN,
        said_at=context.received_at,
        type=f"pass.{kind}",
        authentication=Authentication.NONE,
        purpose=Purpose.SERVICE,
        matter=_uuid(data.get("journey"), "/journey"),
        asset=fields.text(data.get("asset") or "", "/asset"),
        who=fields.text(data.get("who") or "", "/who")[:LONGEST_NAME],
    )
    return [READERS[kind](note, data)]


def _uuid(value: Any, pointer: str) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise fields.wrong(pointer, "Must be a UUID.") from None


def _reference(note: Contact, data: dict[str, Any]) -> Contact:
    value = fields.name(data.get("reference"), "/reference")
    # Each is a fact of its own: a second one does not replace the first.
    name = f"reference:{hashlib.sha256(value.encode()).hexdigest()[:12]}"
    return note.with_(
        body=value,
        keys=(Key(scheme="ticket", value=value),),
        facts=(FactClaim(name=name, value=value),),
    )


def _promise(note: Contact, data: dict[str, Any]) -> Contact:
    what = fields.said(data.get("what"), "/what")[:LONGEST]
    due = data.get("due_at")
    due_at: datetime | None = fields.instant(due, "/due_at") if due else None
    promise_id = fields.name(data.get("id"), "/id")
    return note.with_(
        body=what, promise=PromiseClaim(promise_id=promise_id, what=what, due_at=due_at)
    )


def _outcome(note: Contact, data: dict[str, Any]) -> Contact:
    what = fields.said(data.get("step"), "/step")[:LONGEST]
    result = fields.text(data.get("result") or "", "/result")[:LONGEST]
    body = f"{what}: {result}" if result else what
    return note.with_(body=body, step=StepClaim(what=what, result=result))


READERS = {"reference": _reference, "promise": _promise, "outcome": _outcome}
