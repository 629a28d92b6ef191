"""Replays leave no trace, and seeds give outsiders what they need, once."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from notifications.replay import scratch, stage
from owners.models import Channel, Household, Membership, Owner
from suppliers.models import Contact, Mandate, Supplier
from tests.stories.comparison import differences

BASE = Path(__file__).parent / "dvr.jsonl"


def seeded(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command("seed", str(BASE), *args, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.django_db
def test_a_seed_gives_outsiders_what_they_need() -> None:
    found = seeded()
    ana, skyline = found["members"][0], found["suppliers"][0]
    assert Owner.objects.get(email=ana["email"]).check_password(ana["password"])
    mandate = Mandate.objects.get(owner_ref=skyline["owner_ref"])
    assert skyline["alias"].startswith(f"{mandate.alias}@")
    assert skyline["secret"].startswith("whsec_")
    assert skyline["code"] == "skyline"


@pytest.mark.django_db
def test_a_seeded_session_token_signs_an_app_in() -> None:
    token = seeded()["members"][0]["session_token"]
    answer = Client().get("/_allauth/app/v1/auth/session", headers={"x-session-token": token})
    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["email"] == "ana@hart.example"


@pytest.mark.django_db
def test_seeding_twice_stores_once() -> None:
    first, second = seeded(), seeded()
    assert first["suppliers"] == second["suppliers"]
    counts = [
        model.objects.count()
        for model in (Owner, Household, Membership, Channel, Supplier, Mandate)
    ]
    assert counts == [1, 1, 1, 2, 1, 1]


@pytest.mark.django_db
def test_a_reset_starts_the_household_afresh() -> None:
    first, second = seeded(), seeded("--reset")
    assert first["household"] != second["household"]
    assert Household.objects.count() == 1


def test_a_wrong_story_ends_with_status_2_and_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jsonl"
    world = BASE.read_text(encoding="utf-8").splitlines()[0]
    wrong.write_text(f'{world}\n{{"id": "x", "via": "pigeon"}}\n', encoding="utf-8")
    with pytest.raises(CommandError, match="line 2") as caught:
        call_command("replay", str(wrong))
    assert caught.value.returncode == 2


@pytest.mark.django_db
def test_a_rebuild_gives_equal_projections() -> None:
    stage.play(BASE.read_text(encoding="utf-8").splitlines())
    household = Household.objects.get()
    out = StringIO()
    call_command("rebuild", str(household.uuid), stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    assert [line for line in lines if not line.endswith(" 0 changed")] == []


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_a_replay_leaves_no_trace(tmp_path: Path) -> None:
    home = str(connection.settings_dict["NAME"])
    own = connection.settings_dict["TEST"].get("TEMPLATE")
    if own and not scratch.databases(scratch.named(home)):
        scratch.copy(own, scratch.named(home))  # migrated already, for this run
    report = tmp_path / "report.json"
    call_command("replay", str(BASE), "--report", str(report))
    expected = json.loads(BASE.with_name("dvr.expected.json").read_text(encoding="utf-8"))
    assert differences(expected, json.loads(report.read_text(encoding="utf-8"))) == []
    assert connection.settings_dict["NAME"] == home
    assert (Contact.objects.count(), Owner.objects.count()) == (0, 0)
    left = scratch.databases(f"{home[:24]}_replay_")
    assert {name for name in left if "_template_" not in name} == set()
