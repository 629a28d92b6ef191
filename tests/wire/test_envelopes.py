"""Bad JSON is an error of the sender; good events keep exactly their bytes."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppliers import envelopes
from suppliers.envelopes import BATCH, BINARY, STRUCTURED, Envelope, EnvelopeError, Refused
from suppliers.models import InboundEvent
from tests.factories import Cast
from tests.wire import sending
from tests.wire.sending import event, post

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/s",
    "type": "message.created",
    "data": {"body": "x"},
}


def with_data(raw: str) -> bytes:
    return json.dumps({**GOOD, "data": "HERE"}).replace('"HERE"', raw).encode()


BAD = {
    "space": b"  \n",
    "not JSON": b"hello",
    "cut": json.dumps(GOOD).encode()[:-5],
    "two values": json.dumps(GOOD).encode() * 2,
    "trailing comma": with_data('{"a":1,}'),
    "single quotes": b"{'id': 'e1'}",
    "comment": with_data('{"a":1 /* x */}'),
    "a list": b"[1,2]",
    "a string": b'"x"',
    "null": b"null",
    "a number": b"7",
    "NaN": with_data("NaN"),
    "Infinity": with_data("Infinity"),
    "-Infinity": with_data("-Infinity"),
    "1e999": with_data("1e999"),
    "-1E+0999": with_data("-1E+0999"),
    "21 digits": with_data("1" * 21),
    "minus 21 digits": with_data("-" + "1" * 21),
    "5000 digits": with_data("1" * 5000),
    "leading zero": with_data("012"),
    "plus": with_data("+1"),
    "same name twice": with_data('{"a":1,"a":1}'),
    "id twice": b'{"id":"a",' + json.dumps(GOOD).encode()[1:],
    "33 deep": with_data("[" * 32 + "]" * 32),
    "33 deep objects": with_data('{"a":' * 32 + "1" + "}" * 32),
    "100000 deep": with_data("[" * 100_000 + "]" * 100_000),
    "100000 open": b"[" * 100_000,
    "40000 open objects": b'{"a":' * 40_000,
    "lone high surrogate": with_data(r'"\ud800"'),
    "lone low surrogate": with_data(r'"\udc00x"'),
    "swapped surrogates": with_data(r'"\udc00\ud800"'),
    "surrogate as a name": with_data(r'{"\ud834":1}'),
    "surrogate bytes": with_data('"HERE2"').replace(b"HERE2", b"\xed\xa0\x80"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "UTF-16LE": json.dumps(GOOD).encode("utf-16-le"),
    "UTF-32": json.dumps(GOOD).encode("utf-32"),
    "Latin-1": json.dumps({**GOOD, "data": "é"}, ensure_ascii=False).encode("latin-1"),
    "overlong": with_data('"HERE2"').replace(b"HERE2", b"\xc0\xaf"),
    "raw control": with_data('"\x01"'),
    "raw NUL": with_data('"\x00"'),
    "NUL after": json.dumps(GOOD).encode() + b"\x00",
    "bad escape": with_data(r'"\x41"'),
    "cut escape": with_data(r'"\u12"'),
    "no-break space": "\u00a0".encode() + json.dumps(GOOD).encode(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD)
def test_bad_json_is_400_in_every_form_and_never_kept(cast: Cast, name: str) -> None:
    body = BAD[name]
    for content_type in (sending.CLOUD, sending.BATCH, "application/json"):
        answer = post(body, content_type=content_type)
        assert answer.status_code == 400, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"]
    batch = b"[" + json.dumps(event(cast)).encode() + b"," + body + b"]"
    assert post(batch, content_type=sending.BATCH).status_code in {400, 202}
    assert InboundEvent.objects.count() <= 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in BAD if name != "space"])
def test_bad_json_is_400_in_binary_mode(cast: Cast, name: str) -> None:
    if name in {"a list", "a string", "null", "a number"}:
        pytest.skip("any JSON value may be the data of an event")
    headers = {"ce-specversion": "1.0", "ce-id": "e", "ce-source": "/s", "ce-type": "t"}
    body = BAD[name]
    answer = post(body, content_type="application/json", headers=headers)
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize(
    "raw",
    [
        "[" * 30 + "]" * 30,
        "1" * 20,
        "-" + "1" * 20,
        "1e300",
        "0.12345678901234567890123456789",
        r'"\ud834\udd1e"',
        '"𝄞"',
        '"' + "[" * 500 + '"',
        r'"\\\""',
        '{"":1}',
    ],
)
def test_odd_but_good_json_is_taken(raw: str) -> None:
    body = with_data(raw)
    found = envelopes.read_one(body, form=STRUCTURED, headers={}, webhook_id="w", code="c")
    assert found.payload == body


def test_a_string_that_never_ends_costs_one_pass() -> None:
    body = b'{"a": "' + b'\\"' * 2_000_000
    began = time.perf_counter()
    with pytest.raises(EnvelopeError):
        envelopes.read_batch(b"[" + body)
    with pytest.raises(EnvelopeError):
        envelopes.read_one(body, form=STRUCTURED, headers={}, webhook_id="w", code="c")
    assert time.perf_counter() - began < 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
events = st.builds(
    lambda id_, source, data: {**GOOD, "id": id_, "source": source, "data": data},
    names,
    names,
    json_values,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(events, min_size=1, max_size=3), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_event_of_a_batch_keeps_its_own_bytes(
    found: list[dict[str, Any]],
    indent: Any,
    escaped: bool,  # noqa: FBT001
) -> None:
    texts = [json.dumps(item, indent=indent, ensure_ascii=escaped) for item in found]
    body = ("[ " + " ,\r\n".join(texts) + "\t]\n").encode()
    read = envelopes.read_batch(body)
    assert [item.payload.decode() for item in read if isinstance(item, Envelope)] == texts
    assert [item.id for item in read] == [item["id"] for item in found]


@given(events)
def test_a_kept_event_is_read_again_as_it_was_sent(found: dict[str, Any]) -> None:
    body = json.dumps(found).encode()
    kept = envelopes.read_one(body, form=STRUCTURED, headers={}, webhook_id="w", code="c")
    assert envelopes.restored(kept.payload, kept.routing) == found
    headers = {
        f"ce-{name}": "".join(f"%{byte:02X}" for byte in found[name].encode())
        for name in ("id", "source", "type")
    }
    data = json.dumps(found["data"]).encode()
    kept = envelopes.read_one(
        data,
        form=BINARY,
        headers={**headers, "ce-specversion": "1.0"},
        webhook_id="w",
        code="c",
    )
    assert (kept.id, kept.source) == (found["id"], found["source"])
    assert envelopes.restored(kept.payload, kept.routing)["data"] == found["data"]


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_envelope_error(body: bytes) -> None:
    for form in (STRUCTURED, BINARY, "bare"):
        with contextlib.suppress(EnvelopeError):
            envelopes.read_one(body, form=form, headers={"ce-id": "x"}, webhook_id="w", code="c")
    with contextlib.suppress(EnvelopeError):
        read = envelopes.read_batch(body)
        assert all(isinstance(item, Envelope | Refused) for item in read)


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/cloudevents-batch+json", BATCH),
        ("application/cloudevents+json", STRUCTURED),
        ("application/json", "bare"),
        ("", ""),
        ("text/json", ""),
    ],
)
def test_the_batch_type_is_told_from_the_structured_one(content_type: str, form: str) -> None:
    assert envelopes.form_of(content_type, {}) == form
