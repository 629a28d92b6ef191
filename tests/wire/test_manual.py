"""The suppliers' manual: open to everybody, made from the catalogue, and true when followed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from jsonschema import Draft202012Validator

from suppliers import catalogue, keys
from suppliers.catalogue import manual
from suppliers.models import InboundEvent
from tests import factories
from tests.factories import Cast

FOLDER = Path(settings.BASE_DIR) / "docs" / "events.md"


def listed(cast: Cast) -> dict[str, Any]:
    key = keys.make(supplier=cast.skyline, name="Test", now=factories.START).token
    client = Client(headers={"authorization": f"Bearer {key}"})
    answer = client.get("/api/supplier/v1/catalogue/")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_manual_in_docs_is_that_of_the_catalogue() -> None:
    assert manual.markdown() == FOLDER.read_text(), "Run: manage.py event_docs"


def test_the_list_names_every_type_with_a_schema_that_its_example_keeps(cast: Cast) -> None:
    found = listed(cast)
    assert [one["type"] for one in found["types"]] == list(catalogue.INBOUND)
    assert {one["type"] for one in found["sent"]} == set(catalogue.OUTBOUND)
    assert all(one["title"] and one["summary"] and one["family"] for one in found["types"])
    for one in found["types"]:
        answer = Client().get(one["schema"].removeprefix(settings.SITE_URL))
        assert (answer.status_code, answer["content-type"]) == (200, "application/schema+json")
        Draft202012Validator(answer.json()).validate(one["example"]["data"])
    assert Client().get("/api/supplier/v1/catalogue/").status_code == 401
    assert Client().get("/api/supplier/v1/catalogue/coffee.brewed/1.json").status_code == 404
    assert Client().get("/api/supplier/v1/catalogue/order.created/2.json").status_code == 404


def test_the_pages_are_open_and_name_every_type() -> None:
    page = Client().get("/docs/events/").content.decode()
    for name in (*catalogue.INBOUND, *catalogue.OUTBOUND):
        assert name in page, name
    for family, types in catalogue.families().items():
        answer = Client().get(f"/docs/events/{family}/")
        assert answer.status_code == 200
        page = answer.content.decode()
        assert all(f'id="{found.name}"' in page for found in types)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)
    assert Client().get("/docs/events/coffee/").status_code == 404


@pytest.fixture
def sending(live_server: Any, tmp_path: Path, settings: Any) -> dict[str, str]:
    """What a supplier has in hand: an address, a secret, and an event in a file."""
    cast = factories.cast()
    data = {**catalogue.INBOUND["order.created"].example, "owner": cast.mandate.owner_ref}
    event = tmp_path / "event.json"
    event.write_text(json.dumps(catalogue.cloudevent("order.created", data=data)))
    return {
        **os.environ,
        "STEWARD_URL": f"{live_server.url}/webhooks/skyline/",
        "STEWARD_SECRET": cast.secret,
        "EVENT": str(event),
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("file", "program"), [("send.py", sys.executable), ("send.mjs", "node"), ("send.sh", "sh")]
)
def test_a_program_of_the_manual_sends_an_event(
    file: str, program: str, sending: dict[str, str]
) -> None:
    for needed in [program, *(["curl", "openssl", "od"] if file == "send.sh" else [])]:
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not on this machine")
    done = subprocess.run(
        [program, str(manual.program(file)), sending["EVENT"]],
        env=sending,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == 1
    assert InboundEvent.objects.get().type == "order.created"
