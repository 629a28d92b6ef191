"""Each file in tests/payloads is read as the file beside it says.

After a wanted change: `STEWARD_WRITE_EXPECTED=1 pytest tests/adapters/test_payloads.py`,
then read the difference.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suppliers.adapters import event, ical, mime, owner_log, telephony
from suppliers.adapters.context import Context
from suppliers.contacts import Contact
from tests.adapters.conftest import PAYLOADS

READERS: dict[str, Callable[..., list[Contact]]] = {
    "event": event.read,
    "ical": ical.read,
    "mail": mime.read,
    "owner_log": owner_log.read,
    "telephony": telephony.read,
}
FILES = sorted(path for path in PAYLOADS.glob("*/*") if not path.name.endswith(".expected.json"))


def expected_of(path: Path, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    beside = path.with_name(f"{path.name}.expected.json")
    if os.environ.get("STEWARD_WRITE_EXPECTED"):
        beside.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return json.loads(beside.read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_payload_is_read_as_expected(path: Path, context: Context) -> None:
    contacts = READERS[path.parent.name](path.read_bytes(), context=context)
    found = json.loads(json.dumps([contact.to_json() for contact in contacts]))
    assert found == expected_of(path, found)
    assert [Contact.from_json(item) for item in found] == contacts
