"""CloudEvents and Standard Webhooks bodies, read strictly: pure.

One error type for everything a sender can get wrong, each with a JSON pointer. Nothing
is invented: an event without `id`, `type` or `source` is an error.

Nearly every body is beyond doubt, and a few passes in C show it. Where they leave a doubt,
the strict reader reads the body again and gives the verdict; it alone ever refuses.
"""

import json
import re
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
import orjson

MAX_DEPTH = 32
MAX_DIGITS = 20
MAX_BATCH = 1000
MAX_ID, MAX_SOURCE, MAX_TYPE = 255, 500, 80
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Strings are skipped whole. The closing quote is optional, so that a string that never
# ends costs one pass and not one for each quote in it.
STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
SPACE = re.compile(r"[ \t\n\r]*")

STRUCTURED, BATCH, BINARY, BARE = "structured", "batch", "binary", "bare"


class EnvelopeError(Exception):
    """The sender broke the envelope; `pointer` is a JSON pointer into the body."""

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(f"{code} at {pointer or '/'}: {detail}")
        self.code = code
        self.detail = detail
        self.pointer = pointer


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event as it came: who it is, and the exact bytes that are kept.

    `routing` says how to read `payload` again where it is not the structured form.
    """

    id: str
    source: str
    type: str
    payload: bytes
    routing: dict[str, Any] = msgspec.field(default_factory=dict)


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a batch that could not be taken; `id` only where it had one."""

    id: str
    code: str
    pointer: str
    detail: str


def form_of(content_type: str, headers: Mapping[str, str]) -> str:
    """Return the form a body has by its media type, or nothing for a type not spoken here.

    `headers` are lower-case. The batch type begins like the structured one, so it is
    looked at first.
    """
    media, _, parameters = content_type.lower().partition(";")
    media = media.strip()
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters)
    if charset and charset[1] not in {"utf-8", "utf8", "us-ascii"}:
        return ""
    if media == "application/cloudevents-batch+json":
        return BATCH
    if media == "application/cloudevents+json":
        return STRUCTURED
    if media == "application/json":
        return BINARY if any(name.startswith("ce-") for name in headers) else BARE
    return ""


# --- JSON beyond doubt -------------------------------------------------------------------


class _DoubtError(Exception):
    """The strict reader must look."""


_NOT_READ = (msgspec.MsgspecError, ValueError, TypeError, RecursionError)
_VALUE = msgspec.json.Decoder()
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def _beyond_doubt(body: bytes) -> Any:
    """Return the JSON value that every reader finds in `body`; raises _DoubtError.

    Says nothing about the depth.
    """
    try:
        value = _VALUE.decode(body)
        again = orjson.dumps(value)  # refuses a number of more than 64 bits
    except _NOT_READ as error:
        raise _DoubtError from error
    if _quotes(body) != _quotes(again):
        raise _DoubtError  # a name that came twice in an object is gone, and its quotes with it
    return value


def _quotes(text: bytes) -> int:
    """Count the quotes that begin or end a string; `text` is JSON."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.count(b'"')


def _is_flat(text: bytes) -> bool:
    """Say whether it surely keeps the depth: the count of openings is never below it."""
    # Replacing finds the few there are faster than count() goes over all the others.
    return len(text) - len(text.replace(b"{", b"").replace(b"[", b"")) <= MAX_DEPTH


def _value(body: bytes) -> Any:
    """Return the JSON value of a body; raises EnvelopeError."""
    try:
        value = _beyond_doubt(body)
    except _DoubtError:
        return parse(text_of(body))
    return value if _is_flat(body) else parse(text_of(body))


def _items(body: bytes) -> tuple[Sequence[Any], Sequence[bytes]]:
    """Return the items of a JSON array, and the bytes of each; raises EnvelopeError."""
    try:
        texts = [bytes(raw) for raw in _ITEMS.decode(body)]
        if len(texts) > MAX_BATCH:
            raise _too_long()
        values = _beyond_doubt(body)
        if all(map(_is_flat, texts)):
            return values, texts
    except (_DoubtError, *_NOT_READ):
        pass
    found = parse_items(text_of(body))
    return [value for value, _ in found], [text.encode() for _, text in found]


_HEAD = itemgetter("id", "source", "type", "specversion")


def _good_heads(values: Sequence[Any]) -> list[tuple[str, str, str]] | None:
    """Return id, source and type of each event if all are good; None: look at each."""
    try:
        ids, sources, types, versions = zip(*map(_HEAD, values), strict=True)
        is_good = (
            set(versions) == {"1.0"}
            and set(map(type, ids + sources + types)) == {str}
            and all((*ids, *sources, *types))
            and max(map(len, ids)) <= MAX_ID
            and max(map(len, sources)) <= MAX_SOURCE
            and max(map(len, types)) <= MAX_TYPE
            and "".join(ids + sources + types).isprintable()
            and not any("data_base64" in value for value in values)
        )
    except (KeyError, TypeError, ValueError):
        return None
    return list(zip(ids, sources, types, strict=True)) if is_good else None


# --- strict JSON -------------------------------------------------------------------------


def text_of(body: bytes) -> str:
    """Return the body as text; JSON is UTF-8 without a byte order mark."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise EnvelopeError("invalid_json", "The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise EnvelopeError("invalid_json", "The body begins with a byte order mark.")
    return text


def parse(text: str) -> Any:
    """Return the JSON value; EnvelopeError for anything two readers could take differently."""
    start = _after_space(text, 0)
    value, end = _decode(text, start)
    if _after_space(text, end) != len(text):
        raise EnvelopeError("invalid_json", f"Something follows the JSON at character {end}.")
    return value


def parse_items(text: str) -> list[tuple[Any, str]]:
    """Return the items of a JSON array, each with exactly the text it was written in.

    Stops at the first item too many: an array of a million numbers is no batch.
    """
    at = _after_space(text, 0)
    if text[at : at + 1] != "[":
        parse(text)  # says what is wrong when it is not even JSON
        raise EnvelopeError("invalid_envelope", "A batch is an array of events.")
    found: list[tuple[Any, str]] = []
    at = _after_space(text, at + 1)
    if text[at : at + 1] == "]":
        at += 1
    else:
        while True:
            value, end = _decode(text, at)
            if len(found) == MAX_BATCH:
                raise _too_long()
            found.append((value, text[at:end]))
            at = _after_space(text, end)
            sign, at = text[at : at + 1], at + 1
            if sign == "]":
                break
            if sign != ",":
                raise EnvelopeError("invalid_json", f"Expected ',' or ']' at character {at - 1}.")
            at = _after_space(text, at)
    if _after_space(text, at) != len(text):
        raise EnvelopeError("invalid_json", f"Something follows the JSON at character {at}.")
    return found


def _too_long() -> EnvelopeError:
    return EnvelopeError("batch_too_long", f"A batch has at most {MAX_BATCH} events.")


def _after_space(text: str, at: int) -> int:
    return SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches no space as well


def _decode(text: str, start: int) -> tuple[Any, int]:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise EnvelopeError(
            "invalid_json", f"{error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except _StrictnessError as error:
        raise EnvelopeError("invalid_json", str(error)) from None
    except RecursionError:
        raise EnvelopeError("invalid_json", f"Nested deeper than {MAX_DEPTH} levels.") from None
    except (ValueError, OverflowError):
        raise EnvelopeError("invalid_json", "A number cannot be read.") from None
    _check_depth(text, start, end)
    if text.find("\\u", start, end) >= 0 and SURROGATE_ESCAPE.search(text, start, end):
        _check_surrogates(value)
    return value, end


class _StrictnessError(ValueError):
    """JSON that some readers accept and others do not."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _StrictnessError(f"The name {name[:60]!r} comes twice in one object.")
            seen.add(name)
    return found


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise _StrictnessError(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _StrictnessError("A number is too large.")
    return value


def _constant(name: str) -> Any:
    raise _StrictnessError(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_real
)


def _check_depth(text: str, start: int, end: int) -> None:
    # The count of openings is never below the depth, and costs nothing.
    if text.count("{", start, end) + text.count("[", start, end) <= MAX_DEPTH:
        return
    depth = 0
    for match in STRUCTURE.finditer(text, start, end):
        sign = match[0][0]
        if sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise EnvelopeError("invalid_json", f"Nested deeper than {MAX_DEPTH} levels.")
        elif sign != '"':
            depth -= 1


def _check_surrogates(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            try:
                item.encode()
            except UnicodeEncodeError:
                raise EnvelopeError("invalid_json", "A surrogate stands alone.") from None
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


# --- envelopes ---------------------------------------------------------------------------


def read_one(
    body: bytes, *, form: str, headers: Mapping[str, str], webhook_id: str, code: str
) -> Envelope:
    """Return the one event of a body; raises EnvelopeError.

    `headers` are lower-case; `code` is the supplier's. `form` is any but BATCH.
    """
    if form == BINARY:
        return _binary(body, headers)
    value = _value(body)
    if not isinstance(value, dict):
        raise EnvelopeError("invalid_envelope", "An event is a JSON object.")
    if form == BARE:
        return _bare(value, body, webhook_id=webhook_id, code=code)
    return _structured(value, body, pointer="")


def read_batch(body: bytes) -> list[Envelope | Refused]:
    """Return the events of a batch in their order, the broken ones as Refused.

    Raises EnvelopeError when the body as a whole is no batch.
    """
    values, texts = _items(body)
    if not values:
        raise EnvelopeError("empty_batch", "The batch has no events.")
    heads = _good_heads(values)
    if heads is not None:
        return [
            Envelope(id=name, source=source, type=type_, payload=text)
            for (name, source, type_), text in zip(heads, texts, strict=True)
        ]
    found: list[Envelope | Refused] = []
    for index, (value, text) in enumerate(zip(values, texts, strict=True)):
        pointer = f"/{index}"
        try:
            if not isinstance(value, dict):
                raise EnvelopeError("invalid_envelope", "An event is a JSON object.", pointer)
            found.append(_structured(value, text, pointer=pointer))
        except EnvelopeError as error:
            name = value.get("id") if isinstance(value, dict) else None
            found.append(
                Refused(
                    id=name[:MAX_ID] if isinstance(name, str) else "",
                    code=error.code,
                    pointer=error.pointer,
                    detail=error.detail,
                )
            )
    return found


def _structured(value: dict[str, Any], payload: bytes, *, pointer: str) -> Envelope:
    _check_version(value.get("specversion"), f"{pointer}/specversion")
    if value.get("data") is not None and value.get("data_base64") is not None:
        raise EnvelopeError(
            "invalid_envelope", "data and data_base64 exclude each other.", f"{pointer}/data_base64"
        )
    return Envelope(
        id=_attribute(value.get("id"), f"{pointer}/id", MAX_ID),
        source=_attribute(value.get("source"), f"{pointer}/source", MAX_SOURCE),
        type=_attribute(value.get("type"), f"{pointer}/type", MAX_TYPE),
        payload=payload,
    )


def _bare(value: dict[str, Any], body: bytes, *, webhook_id: str, code: str) -> Envelope:
    happened = value.get("timestamp")
    if happened is not None and not isinstance(happened, str):
        raise EnvelopeError("invalid_attribute", "Must be a time as in RFC 3339.", "/timestamp")
    return Envelope(
        id=webhook_id,
        source=f"/suppliers/{code}",
        type=_attribute(value.get("type"), "/type", MAX_TYPE),
        payload=body,
        routing={"form": BARE},
    )


def _binary(body: bytes, headers: Mapping[str, str]) -> Envelope:
    attributes = {
        name[3:]: header_value(value, f"/{name}")
        for name, value in headers.items()
        if name.startswith("ce-") and name != "ce-datacontenttype"
    }
    _check_version(attributes.get("specversion"), "/ce-specversion")
    envelope = Envelope(
        id=_attribute(attributes.get("id"), "/ce-id", MAX_ID),
        source=_attribute(attributes.get("source"), "/ce-source", MAX_SOURCE),
        type=_attribute(attributes.get("type"), "/ce-type", MAX_TYPE),
        payload=body,
        routing={"form": BINARY, "attributes": attributes},
    )
    if body:
        _value(body)
    return envelope


def header_value(raw: str, pointer: str) -> str:
    """Return the value of a `ce-` header: unquoted, then percent-decoded exactly once.

    Raw UTF-8 is taken as well, because widespread libraries do not encode.
    """
    value = raw.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    if BAD_PERCENT.search(value):
        raise EnvelopeError("invalid_attribute", "A percent sign is not encoded.", pointer)
    try:
        # WSGI hands header bytes over as Latin-1.
        value = unquote_to_bytes(value.encode("latin-1")).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise EnvelopeError("invalid_attribute", "The value is not UTF-8.", pointer) from None
    if CONTROL.search(value):
        raise EnvelopeError("invalid_attribute", "The value has control characters.", pointer)
    return value


def _check_version(value: Any, pointer: str) -> None:
    if value is None:
        raise EnvelopeError("missing_attribute", "This attribute is required.", pointer)
    if value != "1.0":
        raise EnvelopeError("unknown_version", 'Only CloudEvents "1.0" is spoken here.', pointer)


def _attribute(value: Any, pointer: str, limit: int) -> str:
    if value is None:
        raise EnvelopeError("missing_attribute", "This attribute is required.", pointer)
    if not isinstance(value, str) or not value:
        raise EnvelopeError("invalid_attribute", "Must be a string that is not empty.", pointer)
    if len(value) > limit:
        raise EnvelopeError("invalid_attribute", f"Longer than {limit} characters.", pointer)
    if not value.isprintable() and CONTROL.search(value):
        raise EnvelopeError("invalid_attribute", "Control characters are not allowed.", pointer)
    return value


def restored(payload: bytes, routing: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kept event in its structured form."""
    form = routing.get("form")
    value: Any = json.loads(payload) if payload else None
    if form == BINARY:
        return {**routing["attributes"], "data": value}
    if form == BARE:
        return {
            "type": value["type"],
            "time": value.get("timestamp"),
            "data": value.get("data"),
        }
    found: dict[str, Any] = value
    return found
