"""Whatever an app sends, it is told what is wrong with it: a problem with pointers, never a 500.

The requests are made from the description itself, so a new route is tried the day it is
added: each field of each write with hostile values, beside otherwise valid ones. The
values take turns, so that a run is short and every value meets many fields.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from notifications.api.actions import JOURNEY_ACTIONS, NothingIn
from owners.api.problems import PROBLEM_JSON
from tests import factories
from tests.api.conftest import app_of
from tests.project.test_isolation import NOBODYS, Ids, fillings, world

WRITES = ("post", "put", "patch", "delete")
LONG = "x" * 5_000
A_FIELD, A_BODY, A_QUERY = 4, 1, 2  # values that each field, body and parameter meets
HOSTILE: list[Any] = [
    None, True, 0, -1, 2**63, 10**40, 1.5, 1e308, "", " ", "0", "NaN", "Infinity", "-0.00",
    "1e400", LONG, "a\u0000b", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u202egnp.exe",
    "\u0661\u0662\u0663", "../../etc/passwd", "http://[::1", "https://x.example/" + LONG,
    "a@b", "+1" + "2" * 40, NOBODYS, "not-an-id", [], [None], [[]], [{}], ["x"] * 300, {},
    {"": ""}, {"start": "2026-02-30T00:00:00Z"}, {"amount": "NaN", "currency": "EUR"},
    {"start": "9999-12-31T23:59:59-14:00", "end": "9999-12-31T23:59:59-15:00"},
    "2026-02-30", "0001-01-01", "10000-01-01", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-11-13T08:00:00", "24:00", "25:61", "Europe/Nowhere",
    "/etc/localtime", "../UTC", "posixrules", "EUR\n", "DE ", "SELECT 1;--",
]  # fmt: skip
WHOLE: list[Any] = [[], [[]], "text", 1, None, True, [{}], {"": None}, {"x" * 300: 1}]
ACTIONS = ("feed_act", "journeys_act")  # one body for all of them in the description
QUERIES = ["\x00", "x", "-1", "9" * 30, LONG[:2_000], NOBODYS, "W10", "bnVsbA", "2026-13-99", "'"]


def described() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))


def resolved(made: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its reference, or the first of its choices, looked up."""
    while True:
        if "$ref" in shape:
            shape = made["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
        elif "allOf" in shape or "oneOf" in shape:
            shape = (shape.get("allOf") or shape["oneOf"])[0]
        else:
            return shape


def fields_of(made: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return every field that an operation reads, over all its forms, with its schema."""
    content: dict[str, dict[str, Any]] = operation.get("requestBody", {}).get("content", {})
    shape: dict[str, Any] = next((form["schema"] for form in content.values()), {})
    if "$ref" in shape:
        shape = made["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    forms = shape.get("oneOf") or shape.get("anyOf") or [shape]
    asked = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    found: dict[str, Any] = {one["name"]: one["schema"] for one in asked}
    for form in forms:
        found |= resolved(made, form).get("properties", {})
    return found


def usual(made: dict[str, Any], name: str, shape: dict[str, Any], ids: Ids) -> Any:
    """Return a value that a field takes."""
    if name in ids.objects:
        return ids.objects[name]
    shape = resolved(made, shape)
    if shape.get("enum"):
        return next(value for value in shape["enum"] if value)
    kind = shape.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {
            key: usual(made, key, part, ids) for key, part in shape.get("properties", {}).items()
        }
    if kind == "array":
        if name == "assets":
            return [ids.objects["asset"]]
        return [usual(made, name, shape["items"], ids)]
    plain = {"integer": 3, "number": 3, "boolean": True}
    known = {
        "start": "2030-12-01T08:00:00Z", "end": "2030-12-01T12:00:00Z", "amount": "49.00",
        "currency": "EUR", "country": "DE", "language": "de", "zone": "Europe/Berlin",
        "email": "ben@ben.example", "address": "+12125550122", "url": "https://x.example/hook",
        "endpoint": "https://push.example/1", "code": "123456", "with": ids.objects["journey"],
        "subject": ids.objects["asset"], "fact": "fee", "typed": "ana@hart.example",
    }  # fmt: skip
    formats = {
        "date-time": "2030-12-01T08:00:00Z", "date": "2030-12-01", "time": "07:00",
        "uuid": ids.objects["asset"], "uri": "https://x.example/",
    }  # fmt: skip
    return plain.get(str(kind), known.get(name, formats.get(shape.get("format", ""), "Words")))


def writes(made: dict[str, Any], ids: Ids) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every write of the API: its verb, an address of Ana's, and the fields it reads."""
    for template, item in made["paths"].items():
        names = tuple(part[1:-1] for part in template.split("/") if part.startswith("{"))
        for verb in WRITES:
            if verb in item:
                read = fields_of(made, item[verb])
                for filled in fillings(template, names, ids):
                    fields = read
                    if item[verb]["operationId"] == "journeys_act" and filled["name"] != "correct":
                        continue  # it reads what a card's action reads
                    if item[verb]["operationId"] in ACTIONS:
                        own = JOURNEY_ACTIONS.get(filled["name"], NothingIn)().fields
                        fields = {name: shape for name, shape in read.items() if name in own}
                    yield verb, template.format(**filled), fields


def judged(answer: Any, fields: set[str]) -> str:
    """Return what is wrong with an answer to a hostile request; nothing when it is fine."""
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500:
        return f"answers {answer.status_code}"
    if answer.headers["Content-Type"] != PROBLEM_JSON:
        return f"answers {answer.status_code} with {answer.headers['Content-Type']}"
    problem = answer.json()
    if problem["status"] == 400 and problem["code"] == "invalid" and "detail" not in problem:
        if not problem["errors"]:
            return "names no fault"
        for fault in problem["errors"]:
            step = fault["pointer"].partition("/")[2].partition("/")[0]
            if step not in fields | {""}:
                return f"points at {fault['pointer']}"
    return ""


def attempt(app: APIClient, verb: str, address: str, body: Any, fields: set[str]) -> str:
    """Send one request whose effects are forgotten; return what is wrong with the answer."""
    try:
        with transaction.atomic():
            answer = getattr(app, verb)(address, body, format="json")
            wrong = judged(answer, fields)
            transaction.set_rollback(True)
    except Exception as error:  # noqa: BLE001 - whatever it is, it would have been a 500
        wrong = f"raises {error!r:.200}"
    return wrong and f"{verb} {address} {body!r:.120}: {wrong}"


@pytest.fixture
def known(cast: factories.Cast) -> Ids:
    return world(cast)


def test_no_value_of_any_field_brings_a_write_down(cast: factories.Cast, known: Ids) -> None:
    app, made, turn = app_of(cast.ana), described(), itertools.cycle(HOSTILE)
    wrong = []
    for verb, address, fields in writes(made, known):
        valid = {name: usual(made, name, shape, known) for name, shape in fields.items()}
        for name in fields:
            for value in itertools.islice(turn, A_FIELD):
                body = valid | {name: value}
                wrong.append(attempt(app, verb, address, body, set(fields)))
    assert [one for one in wrong if one] == []
    assert len(wrong) > 10 * len(HOSTILE)


def test_no_other_shape_of_a_body_brings_a_write_down(cast: factories.Cast, known: Ids) -> None:
    app, made, turn = app_of(cast.ana), described(), itertools.cycle(WHOLE)
    wrong = []
    for verb, address, fields in writes(made, known):
        wrong += [
            attempt(app, verb, address, body, {*fields, "x" * 300})
            for body in itertools.islice(turn, A_BODY)
        ]
    assert [one for one in wrong if one] == []


def test_no_form_with_a_file_brings_a_write_down(cast: factories.Cast, known: Ids) -> None:
    app, wrong = app_of(cast.ana), []
    home, names = str(cast.household.uuid), {"file", "household", "asset", "kind", "name"}
    for hostile in (
        {"file": "words"},
        {"file": "words", "household": NOBODYS},
        {"file": named(""), "household": home},
        {"file": named("x" * 400), "household": home},
        {"file": named("../../x\x00.txt"), "household": home, "kind": "x"},
        {"file": named("x.txt"), "household": home, "asset": NOBODYS},
        {"file": named("x.txt"), "household": home, "name": LONG},
        {"file": named("x.pdf", b"%PDF-1.7 broken"), "household": home},
        {"file": named("x.png", b"\x89PNG\r\n\x1a\n broken"), "household": home},
        {"file": named("x.exe", b"MZ\x00\x01"), "household": home},
        {"file": named("x.txt", b""), "household": home},
        {"file": [named("a.txt"), named("b.txt")], "household": [home, NOBODYS]},
    ):
        with transaction.atomic():
            answer = app.post("/api/v1/documents/", hostile, format="multipart")
            wrong.append(judged(answer, names))
            transaction.set_rollback(True)
    assert [one for one in wrong if one] == []


def named(name: str, content: bytes = b"words") -> SimpleUploadedFile:
    return SimpleUploadedFile(name or "x", content)


def test_no_parameter_brings_a_read_down(cast: factories.Cast, known: Ids) -> None:
    app, made, turn = app_of(cast.ana), described(), itertools.cycle(QUERIES)
    wrong = []
    for template, item in made["paths"].items():
        names = tuple(part[1:-1] for part in template.split("/") if part.startswith("{"))
        asked = [
            one["name"] for one in item.get("get", {}).get("parameters", ()) if one["in"] == "query"
        ]
        for filled in fillings(template, names, known):
            for name in asked:
                for value in itertools.islice(turn, A_QUERY):
                    query = {name: value}
                    # Of several that are needed, one that is missing may be what it names.
                    wrong.append(attempt(app, "get", template.format(**filled), query, set(asked)))
    assert [one for one in wrong if one] == []
