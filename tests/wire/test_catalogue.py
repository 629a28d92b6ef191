"""The published contract: its schemas are good, its examples true, and the adapter agrees."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from suppliers import catalogue
from suppliers.adapters import event
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.catalogue import shapes
from suppliers.choices import Authentication, ContactKind

BASE = "https://steward.example"
NOW = datetime(2026, 11, 13, 14, 0, tzinfo=UTC)
CONTEXT = Context(
    received_at=NOW,
    zone="America/New_York",
    country="US",
    currency="USD",
    authentication=Authentication.PASS,
    day_first=False,
)
# What the example of each type must come to, by family or by type.
KINDS = {
    "message": ContactKind.MESSAGE,
    "message.withdrawn": ContactKind.PROGRESS,
    "call.logged": ContactKind.VOICEMAIL,
    "ticket": ContactKind.MESSAGE,
    "ticket.resolved": ContactKind.PROGRESS,
    "ticket.closed": ContactKind.PROGRESS,
    "appointment": ContactKind.VISIT_CHANGE,
    "appointment.en_route": ContactKind.VISIT_PROGRESS,
    "appointment.started": ContactKind.VISIT_PROGRESS,
    "appointment.completed": ContactKind.VISIT_PROGRESS,
    "appointment.no_show": ContactKind.VISIT_PROGRESS,
    "survey": ContactKind.SURVEY_REQUEST,
    "survey.closed": ContactKind.SURVEY_CLOSED,
    "delivery": ContactKind.VISIT_CHANGE,
    "delivery.delivered": ContactKind.VISIT_PROGRESS,
    "delivery.failed": ContactKind.VISIT_PROGRESS,
    "invoice.paid": ContactKind.PROGRESS,
    "payment.received": ContactKind.PROGRESS,
    "promise.kept": ContactKind.PROGRESS,
    "service": ContactKind.PROGRESS,
    "reading": ContactKind.PROGRESS,
    "recall": ContactKind.RECALL,
    "supplier": ContactKind.PROGRESS,
}
WRONG: list[Any] = [
    None, "", " ", "x", "soon", "2026-11-13", "2026-13-45", "2026-11-13T08:00:00",
    "2026-11-13T08:00:00Z", "y" * 300, 0, 7, -1, 2**40, 1.5, True, [], [None],
    ["x"], [1], [{}], {}, {"id": "a"}, {"amount": "1.00"}, {"amount": 1}, {"amount": "x"},
    {"amount": "1", "currency": "dollars"}, {"start": "2026-11-13T08:00:00Z"},
    {"url": "https://a.example"}, [{"url": "https://a.example"}], [{"name": "a"}],
    [{"scheme": "order"}], [{"scheme": "order", "value": ""}], [{"fact": "a"}],
    [{"slotId": "a"}], [{"linkId": "a"}], [{"action": "yes", "until": "soon"}],
]  # fmt: skip


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(catalogue.schema(name, base=BASE))


def read(name: str, data: dict[str, Any]) -> list[Any]:
    return event.read(catalogue.cloudevent(name, data=data), context=CONTEXT)


def is_read(name: str, data: dict[str, Any]) -> bool:
    try:
        read(name, data)
    except ContentError:
        return False
    return True


def test_the_catalogue_and_the_adapter_know_the_same_types() -> None:
    assert set(catalogue.INBOUND) == set(event.TYPES)


@pytest.mark.parametrize("name", catalogue.names())
def test_every_schema_is_good_and_says_what_each_field_means(name: str) -> None:
    schema = catalogue.schema(name, base=BASE)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"{BASE}/api/supplier/v1/catalogue/{name}/1.json"
    assert schema["description"]
    assert all("description" in shape for shape in schema["properties"].values())
    for shape in [*shapes.COMMON.values(), *shapes.FIELDS.values()]:
        checker = Draft202012Validator(shape)
        assert all(checker.is_valid(example) for example in shape.get("examples", []))


@pytest.mark.parametrize("name", catalogue.names())
def test_every_example_is_valid_and_makes_the_contact_it_should(name: str) -> None:
    example = copy.deepcopy(catalogue.INBOUND[name].example)
    assert list(validator(name).iter_errors(example)) == []
    [contact] = read(name, example)
    family = name.partition(".")[0]
    assert contact.kind == KINDS.get(name, KINDS.get(family, ContactKind.MESSAGE))
    assert contact.type == name
    known = {*shapes.COMMON, *catalogue.INBOUND[name].fields}
    assert set(example) <= known, "an example shows only fields that are described"


@pytest.mark.parametrize("name", catalogue.names())
def test_what_the_schema_requires_the_adapter_requires(name: str) -> None:
    required = set(validator(name).schema["required"]) - {"owner"}
    assert required == set(event.TYPES[name][0])
    for field in validator(name).schema["required"]:
        without = {k: v for k, v in catalogue.INBOUND[name].example.items() if k != field}
        assert not validator(name).is_valid(without)
        with pytest.raises(ContentError) as caught:
            read(name, without)
        assert (caught.value.code, caught.value.pointer) == ("missing_field", f"/data/{field}")


def with_wrong_values(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the type's example with one field after another replaced by what may be wrong."""
    found = catalogue.INBOUND[name]
    # The common part is the same in all of them.
    common = shapes.COMMON if name in ("message.created", "supplier.ping") else ()
    for field in dict.fromkeys((*common, *found.fields)):
        if field == "owner":
            continue  # whose it is, is looked up before
        for value in WRONG:
            if value is not None:  # a field that is null is as good as absent
                yield field, {**copy.deepcopy(found.example), field: value}


# A schema cannot say that a window ends after it starts, nor that a zone exists.
BEYOND_A_SCHEMA = frozenset({"start", "end", "expectedFrom", "expectedUntil", "eta", "zone"})
# Nothing hangs on these words, so another one is no reason to lose what was said.
LENIENT = frozenset({"sha256", "kind", "confidence"})


@pytest.mark.parametrize("name", catalogue.names())
def test_the_schema_and_the_adapter_agree_on_what_is_wrong(name: str) -> None:
    checker, required = validator(name), event.TYPES[name][0]
    refused, taken = [], []
    for field, data in with_wrong_values(name):
        value = data[field]
        is_valid, is_taken = checker.is_valid(data), is_read(name, data)
        if is_valid and not is_taken and field not in BEYOND_A_SCHEMA:
            refused.append((field, value))
        # A number is taken for a text, as many systems write their numbers.
        is_number = type(value) is int or value in ([1], {"amount": 1})
        if is_taken and not is_valid and field in required and not is_number:
            taken.append((field, value))
    assert refused == [], "valid by the schema, and refused"
    assert [item for item in taken if item[0] not in LENIENT] == [], "wrong, and taken"
