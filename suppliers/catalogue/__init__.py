"""The contract as data: every type with its fields, their meaning and an example.

Outsiders read it as JSON Schemas and as pages; schemas only ever gain fields. The readers
that enforce it are in `suppliers.adapters.event`; tests keep the two equal.
"""

from typing import Any

from suppliers.catalogue import shapes
from suppliers.catalogue.inbound import FAMILIES, OWNER, EventType
from suppliers.catalogue.inbound import TYPES as INBOUND
from suppliers.catalogue.outbound import TYPES as OUTBOUND
from suppliers.catalogue.outbound import SentType

__all__ = [
    "FAMILIES",
    "INBOUND",
    "OUTBOUND",
    "OWNER",
    "EventType",
    "SentType",
    "cloudevent",
    "families",
    "names",
    "schema",
    "schema_path",
]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = 1
# Of the example events: those of one supplier on one day.
SOURCE, TIME = "/suppliers/skyline", "2026-11-10T18:43:00-05:00"
OUR_SOURCE = "https://steward.example"


def names() -> list[str]:
    """Return every inbound type, in order."""
    return sorted(INBOUND)


def families() -> dict[str, list[EventType]]:
    """Return the inbound types by what they are about, as they are read."""
    return {
        family: [found for found in INBOUND.values() if found.family == family]
        for family in FAMILIES
    }


def schema_path(name: str) -> str:
    """Return the address of a type's schema, below that of the product."""
    return f"/api/supplier/v1/catalogue/{name}/{VERSION}.json"


def schema(name: str, *, base: str) -> dict[str, Any]:
    """Return the JSON Schema of the `data` of an event of type `name`.

    It is what the event's `dataschema` may name. Raises KeyError for an unknown type.
    """
    found = INBOUND[name]
    required = ("owner", *found.required) if found.needs_owner else found.required
    described: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"{base}{schema_path(name)}",
        "title": name,
        "description": found.summary,
        "type": "object",
        "required": list(required),
        "properties": {
            field: shapes.of(found.family, field)
            for field in dict.fromkeys((*shapes.COMMON, *found.fields))
        },
        "examples": [found.example],
    }
    pairs = [pair for pair in shapes.PAIRS if set(pair) <= set(found.fields)]
    if pairs:
        described["dependentRequired"] = {
            one: [other] for first, last in pairs for one, other in ((first, last), (last, first))
        }
    if found.either:
        described["anyOf"] = [{"required": [field]} for field in found.either]
    return described


def cloudevent(name: str, *, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a whole event of a type, as it is sent: its example, or other `data`."""
    example = (INBOUND.get(name) or OUTBOUND[name]).example
    return {
        "specversion": "1.0",
        "id": f"{name}-1",
        "source": SOURCE if name in INBOUND else OUR_SOURCE,
        "type": name,
        "time": TIME,
        "datacontenttype": "application/json",
        "data": example if data is None else data,
    }
