"""The package in which an asset passes from one server to another: read, checked, signed.

What is signed is the package without `signatures`, as RFC 8785 writes it (sorted names, no
spaces, no floating numbers: amounts are texts), behind a line that no other signature of ours
begins with. Each record has a hash of its own, so that one of them can be shown by itself.
`docs/transfer.md` and `data/asset-package-1.schema.json` describe it for others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jsonschema import Draft202012Validator

FORMAT, VERSION = "steward.asset-package", 1
SCHEMA = Path(__file__).parent / "data" / "asset-package-1.schema.json"
PREFIX = b"steward.asset-package v1\n"
LARGEST = 8 * 1024 * 1024  # bytes of the JSON
DEEPEST = 16
LONGEST_NUMBER = 15  # digits: what every reader of JSON keeps exactly
SHOWN = 3  # letters of a number that is masked
# What a number is worth to a thief or a tracker: hidden until the thing is accepted.
MASKED = frozenset(
    {
        "serial",
        "vin",
        "imei",
        "mac",
        "plate",
        "hull",
        "meterPoint",
        "parcel",
        "passport",
        "digitalLink",
        "lot",
        "other",
    }
)
CLASSES: dict[str, str] = {
    "identifier": "asset_fact",
    "spec": "asset_fact",
    "recall": "asset_fact",
    "meter": "care_history",
    "reading": "care_history",
    "replacement": "care_history",
    "care_task": "care_history",
    "work": "care_history",
    "issue": "care_history",
    "supplier": "care_history",
    "coverage": "transferable_right",
    "part": "transferable_right",
}


class PackageError(Exception):
    """A package that cannot be taken; `code` says why, `pointer` where, the text to people."""

    def __init__(self, code: str, *, pointer: str = "") -> None:
        """Note the machine's words; the edge has the reader's."""
        super().__init__(f"{code} {pointer}".strip())
        self.code, self.pointer = code, pointer


# --- what is signed ----------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """Return a value of texts, whole numbers, lists and objects as RFC 8785 writes it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def signed_part(package: Mapping[str, Any]) -> bytes:
    """Return the bytes that a package's signatures are over."""
    rest = {name: value for name, value in package.items() if name != "signatures"}
    return PREFIX + canonical(rest)


def digest(package: Mapping[str, Any]) -> bytes:
    """Return what names the content of a package, whoever signed it."""
    return hashlib.sha256(signed_part(package)).digest()


def record_hash(record: Mapping[str, Any]) -> str:
    """Return the hash of all that a record says."""
    rest = {name: value for name, value in record.items() if name != "sha256"}
    return hashlib.sha256(canonical(rest)).hexdigest()


def public_key(private: str) -> str:
    """Return the `whpk_…` of a `whsk_…`."""
    raw = _private(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"whpk_{base64.b64encode(raw).decode()}"


def sign(package: Mapping[str, Any], *, private: str) -> dict[str, Any]:
    """Return a package signed with `whsk_…`, whose public half it names as its issuer's."""
    content = signed_part(package)
    value = base64.b64encode(_private(private).sign(content)).decode()
    signature = {"alg": "Ed25519", "key": public_key(private), "value": value}
    return {**package, "signatures": [signature]}


def is_signed(package: Mapping[str, Any]) -> bool:
    """Whether the key that a package names as its issuer's has signed all of it."""
    content, key = signed_part(package), package["issuer"]["key"]
    for signature in package["signatures"]:
        if signature["key"] != key:
            continue
        try:
            raw = base64.b64decode(key.removeprefix("whpk_"), validate=True)
            value = base64.b64decode(signature["value"], validate=True)
            Ed25519PublicKey.from_public_bytes(raw).verify(value, content)
        except (binascii.Error, ValueError, InvalidSignature):
            continue
        return True
    return False


def _private(key: str) -> Ed25519PrivateKey:
    raw = base64.b64decode(key.removeprefix("whsk_"), validate=True)
    return Ed25519PrivateKey.from_private_bytes(raw[:32])


# --- reading -----------------------------------------------------------------------------


def read(raw: bytes) -> dict[str, Any]:
    """Return a package whose form, hashes and signature hold; raises PackageError.

    Whether its key is its issuer's is a question to that server.
    """
    if len(raw) > LARGEST:
        raise PackageError("too_large")
    package = _parsed(raw)
    if not isinstance(package, dict) or package.get("format") != FORMAT:
        raise PackageError("not_a_package")
    if package.get("version") != VERSION:
        raise PackageError("version", pointer="/version")
    check(package)
    if not is_signed(package):
        raise PackageError("signature", pointer="/signatures")
    return package


def check(package: Mapping[str, Any]) -> None:
    """Raise PackageError for what the schema does not allow, and for what hangs in the air."""
    _valid("", package)
    known: dict[str, str] = {}
    for index, record in enumerate(package["records"]):
        at = f"/records/{index}"
        if record.get("type") not in CLASSES:
            raise PackageError("invalid", pointer=f"{at}/type")
        _valid(f"record_{record['type']}", record, at)
        if record["id"] in known:
            raise PackageError("twice", pointer=f"{at}/id")
        known[record["id"]] = record["type"]
        if record_hash(record) != record["sha256"]:
            raise PackageError("hash", pointer=f"{at}/sha256")
        _days(record["data"], f"{at}/data")
    for index, record in enumerate(package["records"]):
        _links(record["data"], known, f"/records/{index}/data")
    if len({one["id"] for one in package["files"]}) != len(package["files"]):
        raise PackageError("twice", pointer="/files")
    numbers = [one["number"] for one in package["owners"]]
    if numbers != list(range(1, len(numbers) + 1)):
        raise PackageError("invalid", pointer="/owners")
    for index, one in enumerate(package["owners"]):
        _days(one, f"/owners/{index}")
        if "since" in one and "until" in one and one["until"] < one["since"]:
            raise PackageError("invalid", pointer=f"/owners/{index}/until")
    _days(package["hand_over"], "/hand_over")
    _days(package["asset"], "/asset")
    _instant(package["issued_at"])


def _parsed(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
        if _depth(text) > DEEPEST:
            raise PackageError("not_a_package")
        found = json.loads(
            text,
            parse_constant=_refused,
            parse_float=_refused,
            parse_int=_whole,
            object_pairs_hook=_once,
        )
        canonical(found)  # half a letter (a lone surrogate) stands in no file of ours
    except (ValueError, RecursionError) as error:
        raise PackageError("not_a_package") from error
    if "\\u0000" in text:
        raise PackageError("not_a_package")
    return found


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a whole number")


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _depth(text: str) -> int:
    """Return how deep lists and objects are nested, without parsing."""
    deepest = depth = 0
    in_string = is_escaped = False
    for letter in text:
        if in_string:
            if is_escaped:
                is_escaped = False
            elif letter == "\\":
                is_escaped = True
            elif letter == '"':
                in_string = False
        elif letter == '"':
            in_string = True
        elif letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest


@cache
def schema() -> dict[str, Any]:
    """Return the schema as others read it."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return found


@cache
def _validator(name: str) -> Any:
    """Return what checks the whole but its records, or the records of one type.

    One by one: a list of records that are each one of twelve kinds is slow to check.
    """
    whole = schema()
    if name:
        return Draft202012Validator({**whole["$defs"][name], "$defs": whole["$defs"]})
    records = {"type": "array", "maxItems": whole["properties"]["records"]["maxItems"]}
    records |= {"items": {"type": "object"}}
    return Draft202012Validator(
        {**whole, "properties": {**whole["properties"], "records": records}}
    )


def _valid(name: str, value: Any, at: str = "") -> None:
    error = next(iter(_validator(name).iter_errors(value)), None)
    if error is not None:
        steps = "".join(f"/{step}" for step in error.absolute_path)
        raise PackageError("invalid", pointer=f"{at}{steps}")


_DAY_NAMES = (
    "on",
    "since",
    "until",
    "starts_on",
    "ends_on",
    "noticed_on",
    "resolved_on",
    "published_on",
    "remedied_on",
    "last_done_on",
    "in_service_on",
)


def _days(data: Mapping[str, Any], at: str) -> None:
    for name in _DAY_NAMES:
        if name in data:
            try:
                date.fromisoformat(data[name])
            except ValueError as error:
                raise PackageError("invalid", pointer=f"{at}/{name}") from error


def _instant(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise PackageError("invalid", pointer="/issued_at") from error


def _links(data: Mapping[str, Any], known: Mapping[str, str], at: str) -> None:
    named: list[tuple[str, Iterable[str], str]] = [
        ("meter", [data["meter"]] if isinstance(data.get("meter"), str) else [], "meter"),
        ("work", [data["work"]] if isinstance(data.get("work"), str) else [], "work"),
        ("tasks", data.get("tasks", ()), "care_task"),
    ]
    for name, ids, type_ in named:
        if any(known.get(one) != type_ for one in ids):
            raise PackageError("unknown_id", pointer=f"{at}/{name}")


# --- showing -----------------------------------------------------------------------------


def of_type(package: Mapping[str, Any], *types: str) -> list[dict[str, Any]]:
    """Return the records of these types, in their order."""
    return [record for record in package["records"] if record["type"] in types]


def hidden(value: str) -> str:
    """Return what may be seen of a number before the thing is accepted."""
    if len(value) <= 2 * SHOWN:
        return "•" * 6
    return "•" * 6 + value[-SHOWN:]


def masked(package: Mapping[str, Any]) -> dict[str, Any]:
    """Return a package without what names the very thing: no hash of it tells it either."""
    records = []
    for record in package["records"]:
        data = dict(record["data"])
        if record["type"] == "identifier" and data["scheme"] in MASKED:
            data["value"] = hidden(data["value"])
        if record["type"] == "coverage" and data.get("reference"):
            data["reference"] = hidden(data["reference"])
        is_same = data == record["data"]
        records.append({**record, "data": data, "sha256": record["sha256"] if is_same else ""})
    return {**package, "records": records, "signatures": []}


def newest_first(records: Sequence[dict[str, Any]], *, by: str = "on") -> list[dict[str, Any]]:
    """Return records with a day, the newest first."""
    return sorted(records, key=lambda record: str(record["data"].get(by, "")), reverse=True)
