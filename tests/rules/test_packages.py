"""The form of packages: what is signed, what is hidden, and what any other file is told."""

import base64
import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assets import packages
from assets.packages import PackageError

PRIVATE = "whsk_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsk_" + base64.b64encode(bytes(range(1, 33))).decode()
DOCS = Path(__file__).resolve().parents[2] / "docs" / "transfer.md"
METER, TASK, WORK = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(3))


def record(key: str, type_: str, data: dict[str, Any], source: str = "self") -> dict[str, Any]:
    """Return a record with its hash."""
    made: dict[str, Any] = {
        "id": key,
        "class": packages.CLASSES[type_],
        "type": type_,
        "source": source,
        "owner": 1,
        "data": data,
    }
    return {**made, "sha256": packages.record_hash(made)}


def unsigned() -> dict[str, Any]:
    """Return a package with a little of everything that names something else."""
    serial = "00000000-0000-4000-8000-000000000009"
    cover = "00000000-0000-4000-8000-000000000008"
    return {
        "format": packages.FORMAT,
        "version": 1,
        "id": "00000000-0000-4000-8000-000000000007",
        "issued_at": "2026-11-09T13:00:00Z",
        "issuer": {"url": "https://steward.example", "key": packages.public_key(PRIVATE)},
        "hand_over": {"on": "2026-11-09", "reason": "sold"},
        "asset": {"name": "Käseglocke “Ö”", "kind": "other"},
        "owners": [{"number": 1, "until": "2026-11-09"}],
        "records": [
            record(serial, "identifier", {"scheme": "serial", "value": "R15-204477"}),
            record(cover, "coverage", {"kind": "extended_warranty", "reference": "EW-4711-0815"}),
            record(METER, "meter", {"name": "Hours"}),
            record(TASK, "care_task", {"name": "Tend it", "triggers": []}),
            record(WORK, "work", {"kind": "service", "title": "x", "on": "2026-01-02",
                                  "tasks": [TASK]}, "supplier"),
        ],
        "files": [],
        "signatures": [],
    }  # fmt: skip


def signed() -> dict[str, Any]:
    return packages.sign(unsigned(), private=PRIVATE)


def as_file(package: Any) -> bytes:
    return json.dumps(package, ensure_ascii=False).encode()


def test_the_program_in_the_manual_verifies_what_we_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    program = compile(found[1], "manual", "exec")
    for name, package in (("good", signed()), ("bad", {**signed(), "issued_at": "2026-11-09"})):
        there = tmp_path / f"{name}.json"
        there.write_bytes(as_file(package))
        monkeypatch.setattr("sys.argv", ["verify", str(there)])
        if name == "good":
            exec(program, {})  # noqa: S102 - the manual's own words
        else:
            with pytest.raises(InvalidSignature):
                exec(program, {})  # noqa: S102 - as above


def test_the_schema_is_one_and_the_whole_of_it_allows_what_we_write() -> None:
    schema = packages.schema()
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(signed())) == []
    assert set(packages.CLASSES) == {
        name.removeprefix("record_") for name in schema["$defs"] if name.startswith("record_")
    }


def test_the_order_of_names_and_the_spaces_change_nothing() -> None:
    package = signed()
    turned = dict(reversed(list(package.items())))
    assert packages.read(json.dumps(turned, indent=7).encode()) == package


def test_whoever_else_signs_it_is_not_the_issuer() -> None:
    forged = packages.sign({**unsigned()}, private=OTHER)
    with pytest.raises(PackageError) as refused:
        packages.read(as_file(forged))
    assert refused.value.code == "signature"


def test_a_signature_of_a_webhook_is_none_of_a_package() -> None:
    """What is signed begins with a line that no webhook's id can hold."""
    assert b" " in packages.PREFIX
    assert packages.PREFIX.endswith(b"\n")


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("records", 4, "data", "tasks"), [METER], "unknown_id"),
        (("records", 4, "data", "on"), "2026-02-30", "invalid"),
        (("records", 0, "type"), "price", "invalid"),
        (("records", 0, "id"), METER, "twice"),
        (("records", 0, "data", "more"), "x", "invalid"),
        (("records", 0, "sha256"), "0" * 64, "hash"),
        (("owners",), [{"number": 2}], "invalid"),
        (("owners", 0, "since"), "2027-01-01", "invalid"),
        (("issuer", "url"), "https://x.example/path", "invalid"),
        (("issuer", "url"), "file:///etc/passwd", "invalid"),
        (("asset", "name"), "", "invalid"),
        (("version",), 2, "version"),
        (("format",), "other", "not_a_package"),
        (("price",), "12500", "invalid"),
    ],
)
def test_what_does_not_fit_says_where(path: tuple[Any, ...], value: Any, code: str) -> None:
    package = copy.deepcopy(unsigned())
    at: Any = package
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    if path[0] == "records" and path[2] != "sha256":
        row = package["records"][path[1]]
        row["sha256"] = packages.record_hash(row)
    with pytest.raises(PackageError) as refused:
        packages.read(as_file(packages.sign(package, private=PRIVATE)))
    assert refused.value.code == code


def test_masked_tells_the_end_of_a_number_and_no_hash_of_it() -> None:
    package = signed()
    text = json.dumps(packages.masked(package), ensure_ascii=False)
    for secret in ("R15-204477", "EW-4711-0815"):
        assert secret not in text
        assert secret[-3:] in text
    for row in packages.of_type(package, "identifier", "coverage"):
        assert row["sha256"] not in text
    assert packages.masked(package)["signatures"] == []  # it would not fit, and tells the rest


@given(value=st.text(max_size=40))
def test_a_hidden_number_never_tells_most_of_itself(value: str) -> None:
    shown = packages.hidden(value).lstrip("•")
    assert len(shown) <= 3
    assert len(shown) <= len(value) // 2


@given(raw=st.binary(max_size=400))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    with pytest.raises(PackageError):
        packages.read(raw)


@given(at=st.integers(0, 4000), byte=st.integers(0, 255))
def test_a_byte_that_is_changed_is_refused_or_changes_nothing(at: int, byte: int) -> None:
    raw = bytearray(as_file(signed()))
    at %= len(raw)
    raw[at] = byte
    try:
        found = packages.read(bytes(raw))
    except PackageError:
        return
    assert found == signed()


WORDS = st.text(max_size=12).filter(lambda text: "\x00" not in text)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15) + 1, 10**15 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(value=VALUES)
def test_any_json_gets_an_answer_and_is_written_one_way(value: Any) -> None:
    try:
        packages.read(json.dumps(value).encode())
    except PackageError:
        pass
    else:
        pytest.fail("this is no package")
    assert json.loads(packages.canonical(value)) == value
