"""The contract as data: every inbound type with the fields its `data` must have.

Outsiders read it as JSON Schemas; schemas only ever gain fields. The readers that
enforce it are in `suppliers.adapters.event`; a test keeps the two equal.
"""

from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = 1


def _family(prefix: str, steps: str, required: str = "") -> dict[str, tuple[str, ...]]:
    return {f"{prefix}.{step}": tuple(required.split()) for step in steps.split()}


# Where a step ends something, only what names the thing is required: there is no new
# delivery window for what was delivered, and no total of a quote that is withdrawn.
INBOUND: dict[str, tuple[str, ...]] = {
    **_family("message", "created updated withdrawn", "body"),
    **_family("call", "logged", "direction status startedAt durationSeconds"),
    **_family("ticket", "opened updated information_required resolved closed", "ticketId status"),
    **_family("appointment", "slots_offered", "requestId slots holdUntil"),
    **_family("appointment", "requested updated", "uid sequence dtstamp start end zone kind"),
    **_family("appointment", "confirmed counter_declined cancelled", "uid sequence dtstamp"),
    **_family("appointment", "reminder started completed no_show", "uid at"),
    **_family("appointment", "en_route", "uid at eta"),
    **_family("survey", "requested reminder closed", "surveyId"),
    **_family("order", "created updated", "orderNumber status items"),
    **_family("order", "cancelled", "orderNumber"),
    **_family("delivery", "scheduled updated", "expectedFrom expectedUntil"),
    **_family("delivery", "delivered failed"),
    **_family("quote", "offered", "quoteId lines total validUntil"),
    **_family("quote", "withdrawn", "quoteId"),
    **_family("invoice", "issued due corrected", "invoiceNumber total dueDate"),
    **_family("invoice", "paid", "invoiceNumber"),
    **_family("payment", "requested received refunded", "paymentId total"),
    **_family("promise", "made", "promiseId what dueAt"),
    **_family("promise", "kept withdrawn", "promiseId"),
    **_family("contract", "started renewal_due changed", "agreementId kind validFrom validUntil"),
    **_family("contract", "ended", "agreementId kind"),
    **_family("warranty", "registered expiring", "agreementId validUntil coverage"),
    **_family("warranty", "void", "agreementId"),
    **_family("claim", "updated", "claimId status"),
    **_family("service", "performed", "serviceId performedAt workDone"),
    **_family("reading", "reported", "quantity unit value at quality"),
    **_family("asset", "registered specification_updated document_added software_available"),
    **_family(
        "recall",
        "issued updated",
        "recallNumber product hazard consumerAction remedies confidence",
    ),
    **_family("recall", "withdrawn remedy_done", "recallNumber"),
    **_family("terms", "accepted alternative_offered rejected", "agreementUri version sha256"),
    **_family("consent", "requested", "purpose"),
    **_family("data_request", "fulfilled refused", "requestId"),
    **_family("supplier", "contact_updated ping"),
}
ANY_OF = {"delivery": ("trackingNumber", "orderNumber"), "survey": ("questions", "url")}

_TEXT = {"type": "string"}
_INSTANT = {"type": "string", "format": "date-time"}
_WHOLE = {"type": "integer", "minimum": 0}
_MONEY = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": _TEXT, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
}
_LIST = {"type": "array", "items": {"type": "object"}}
SHAPES: dict[str, dict[str, Any]] = {
    "owner": _TEXT,
    "asset": {"type": "object"},
    "entity": {
        "type": "object",
        "required": ["id"],
        "properties": {"id": _TEXT, "revision": _WHOLE},
    },
    "refs": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["scheme", "value"],
            "properties": {"scheme": _TEXT, "value": _TEXT},
        },
    },
    "importance": {"enum": ["safety", "action", "info", "marketing"]},
    "purpose": {"enum": ["service", "billing", "feedback", "marketing"]},
    "expiresAt": _INSTANT,
    "sequence": _WHOLE,
    "durationSeconds": _WHOLE,
    "total": _MONEY,
    "slots": _LIST,
    "items": _LIST,
    "lines": _LIST,
    "workDone": {"type": "array", "items": _TEXT},
    "eta": {"type": "object"},
    **dict.fromkeys(
        (
            "dtstamp", "start", "end", "at", "startedAt", "holdUntil", "expectedFrom",
            "expectedUntil", "dueAt", "performedAt",
        ),
        _INSTANT,
    ),
}  # fmt: skip
COMMON = ("owner", "asset", "entity", "refs", "importance", "purpose", "expiresAt")


def names() -> list[str]:
    """Return every inbound type, in order."""
    return sorted(INBOUND)


def schema(name: str, *, base: str) -> dict[str, Any]:
    """Return the JSON Schema of an event of type `name`; KeyError for an unknown one."""
    fields = INBOUND[name]
    required = fields if name.startswith("supplier.") else ("owner", *fields)
    data: dict[str, Any] = {
        "type": "object",
        "required": list(required),
        "properties": {field: SHAPES.get(field, {}) for field in (*COMMON, *fields)},
    }
    either = ANY_OF.get(name.partition(".")[0])
    if either and name != "survey.closed":
        data["anyOf"] = [{"required": [field]} for field in either]
    return {
        "$schema": DIALECT,
        "$id": f"{base}/api/supplier/v1/catalogue/{name}/{VERSION}.json",
        "title": name,
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": {"const": name}, "data": data},
    }
