"""Reads what the owner logged by hand: a call or a note, in her own words.

The fields she filled in win; what her text says beyond them is read like any text and
told back to her as a question.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from suppliers.adapters import fields, text
from suppliers.adapters.context import Context
from suppliers.choices import (
    Authentication,
    CallStatus,
    ContactKind,
    Direction,
    Medium,
    Purpose,
    Stage,
)
from suppliers.contacts import AskClaim, Call, Contact, FactClaim, Key, Money, Visit

MAX_CALL_S = 24 * 3600


def read(payload: bytes | dict[str, Any], *, context: Context) -> list[Contact]:
    """Return the one contact that the owner logged.

    Raises ContentError naming the field that is wrong.
    """
    data = payload if isinstance(payload, dict) else json.loads(payload)
    medium = Medium(
        fields.one_of(*[item.value for item in Medium])(data.get("medium") or "call", "/medium")
    )
    direction = Direction(fields.one_of("in", "out")(data.get("direction") or "out", "/direction"))
    note = fields.text(data.get("note") or "", "/note")
    seconds = fields.integer(data.get("duration_s") or 0, "/duration_s")
    is_call = medium == Medium.CALL
    contact = Contact(
        kind=ContactKind.CALL if is_call else ContactKind.NOTE,
        medium=medium,
        direction=direction,
        said_at=_said_at(data, seconds, context),
        authentication=Authentication.PASS,
        purpose=Purpose.SERVICE,
        title=text.first_line(note),
        body=note,
        asset=fields.text(data.get("asset") or "", "/asset"),
        asks=_asks(data),
        keys=_keys(data),
        facts=_fee(data, context),
        visit=_visit(data, context),
        call=_call(data, seconds) if is_call else None,
        documents=tuple(fields.words(data.get("documents") or [], "/documents")),
    )
    if opens := data.get("opens"):
        # It went to the supplier as it stands: a time in it is a wish, and no fact.
        return [_opening(contact, opens)]
    said = text.read(note, said_at=contact.said_at, context=context)
    return [text.understood(contact, said, is_own=True)]


def _opening(contact: Contact, opens: dict[str, Any]) -> Contact:
    """Return what the owner opens a matter with: of its own, and found again by its keys."""
    given = opens.get("keys") or []
    return contact.with_(
        type=fields.text(opens.get("type") or "", "/opens/type"),
        matter=fields.text(opens.get("journey") or "", "/opens/journey"),
        keys=(*contact.keys, *(Key(scheme=key["scheme"], value=key["value"]) for key in given)),
    )


def _said_at(data: dict[str, Any], seconds: int, context: Context) -> datetime:
    """Return when the call ended: what was said in it was true then."""
    started = data.get("started_at")
    if not started:
        return context.received_at
    if seconds > MAX_CALL_S:
        raise fields.wrong("/duration_s", "A call lasts at most a day.")
    ended = fields.instant(started, "/started_at") + timedelta(seconds=seconds)
    return min(ended, context.received_at) if seconds else ended


def _call(data: dict[str, Any], seconds: int) -> Call:
    status = fields.one_of(*[item.value for item in CallStatus])(
        data.get("status") or "answered", "/status"
    )
    transfers = fields.integer(data.get("transfers") or 0, "/transfers")
    return Call(status=CallStatus(status), duration_s=seconds, transfers=transfers)


def _asks(data: dict[str, Any]) -> tuple[AskClaim, ...]:
    asked = fields.words(data.get("asks") or [], "/asks")
    return tuple(AskClaim(fact=fact) for fact in asked if fact)


def _keys(data: dict[str, Any]) -> tuple[Key, ...]:
    reference = fields.text(data.get("reference") or "", "/reference")[:255]
    # Her own reference may be an order, a ticket or a job: it matches any of them.
    return (Key(scheme="ticket", value=reference),) if reference else ()


def _fee(data: dict[str, Any], context: Context) -> tuple[FactClaim, ...]:
    fee = data.get("fee")
    if not fee:
        return ()
    money = fields.money(fee, "/fee")
    currency = money.currency or context.currency
    return (FactClaim(name="fee", money=Money(amount=money.amount, currency=currency)),)


def _visit(data: dict[str, Any], context: Context) -> Visit | None:
    window = data.get("window")
    if not window:
        return None
    if not isinstance(window, dict):
        raise fields.wrong("/window", "Must be an object with start and end.")
    span = fields.window(window, "/window")
    return Visit(window=span, stage=Stage.BOOKED, zone=context.zone)
