"""Bad JSON is an error of the sender; good events keep exactly their bytes."""

import contextlib
import json
import time
from collections.abc import Iterator
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


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
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


# --- the quick look and the strict reader --------------------------------------------------

TRICKY = [
    *BAD.values(),
    *(
        with_data(raw)
        for raw in (
            r'{"a":1,"\u0061":2}',
            r'{"a\"":1,"a\"":2}',
            r'{"a\\":1,"a\\":2}',
            r'{"":"","":""}',
            r'{"a":{"b":"\\\""},"a":{"b":"\\\""}}',
            r'["\\","\"","\\\"","\u0022"]',
            r'"\ud834\udd1e"',
            '"\x7f\u2028"',
            "1" * 20,
            "18446744073709551616",
            "-9223372036854775809",
            "1e-400",
            "123456789012345678901.5",
            "-0",
            "[" * 31 + "]" * 31,
            '"' + "[{" * 40 + '"',
            "[" * 40 + "1" + "]" * 40,
        )
    ),
    json.dumps({**GOOD, "id": ""}).encode(),
    json.dumps({**GOOD, "id": 7}).encode(),
    json.dumps({**GOOD, "id": "x" * 256}).encode(),
    json.dumps({**GOOD, "source": "\u0085"}).encode(),
    json.dumps({**GOOD, "source": "\u00a0"}).encode(),
    json.dumps({**GOOD, "type": ["t"]}).encode(),
    json.dumps({**GOOD, "specversion": 1.0}).encode(),
    json.dumps({**GOOD, "specversion": {}}).encode(),
    json.dumps({**GOOD, "data_base64": "AAAA"}).encode(),
    json.dumps({**GOOD, "data": None, "data_base64": "AAAA"}).encode(),
    json.dumps({name: GOOD[name] for name in ("id", "source", "specversion")}).encode(),
]
GLUE = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b":",
    b",",
    b"1",
    b"e9",
    b" ",
    b"\xff",
    b'"a":',
    b"\\u00",
]


@contextlib.contextmanager
def only_strict() -> Iterator[None]:
    """Leave a doubt about every body, so that the strict reader reads it."""

    def doubt(_body: bytes) -> Any:
        raise envelopes._DoubtError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelopes, "_beyond_doubt", doubt)
        patch.setattr(envelopes, "_good_heads", lambda _values: None)
        yield


def verdicts(body: bytes) -> list[object]:
    """Return what each form makes of a body: the events, or the refusal."""
    found: list[object] = []
    for form in (STRUCTURED, "bare"):
        try:
            found.append(envelopes.read_one(body, form=form, headers={}, webhook_id="w", code="c"))
        except EnvelopeError as error:
            found.append(str(error))
    try:
        found.append(envelopes.read_batch(body))
    except EnvelopeError as error:
        found.append(str(error))
    return found


def cut_and_glued() -> st.SearchStrategy[bytes]:
    """Bodies that are nearly good: one or two events, with a few bytes taken out and put in."""
    whole = st.one_of(
        st.sampled_from(TRICKY),
        events.map(lambda item: json.dumps(item).encode()),
        events.map(lambda item: json.dumps(item, ensure_ascii=False, indent=1).encode()),
    )
    body = st.one_of(
        whole,
        st.lists(whole, min_size=1, max_size=3).map(lambda some: b"[" + b",".join(some) + b"]"),
    )
    edit = st.tuples(st.integers(0, 400), st.integers(0, 2), st.sampled_from([b"", *GLUE]))

    def edited(raw: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for at, cut, put in edits:
            raw = raw[:at] + put + raw[at + cut :]
        return raw

    return st.builds(edited, body, st.lists(edit, max_size=2))


@pytest.mark.parametrize("body", TRICKY)
def test_the_quick_look_says_what_the_strict_reader_says(body: bytes) -> None:
    for raw in (body, b"[" + body + b"]", b"[" + json.dumps(GOOD).encode() + b",\n" + body + b" ]"):
        found = verdicts(raw)
        with only_strict():
            assert found == verdicts(raw)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=300)
@given(cut_and_glued())
def test_the_quick_look_never_takes_what_the_strict_reader_refuses(body: bytes) -> None:
    found = verdicts(body)
    with only_strict():
        assert found == verdicts(body)


def test_an_array_of_a_million_numbers_is_refused_at_once() -> None:
    body = b"[" + b"1," * 2_000_000 + b"1]"
    for raw in (body, body[:-1]):
        began = time.process_time()
        with pytest.raises(EnvelopeError, match="batch_too_long"):
            envelopes.read_batch(raw)
        assert time.process_time() - began < 2


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
