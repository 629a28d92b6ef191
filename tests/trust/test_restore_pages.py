"""Bringing an export in by its pages, its API and its command."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from assets.models import Asset
from config import restoring
from owners import clock, restores
from owners.models import Owner, Restore, RestorePart
from tests.trust.test_restoring import exported, newcomer
from tests.web.conftest import played

pytestmark = pytest.mark.django_db


@pytest.fixture
def packed() -> bytes:
    return exported(played())


@pytest.fixture
def other() -> Owner:
    return newcomer()


@pytest.fixture
def client_of_other(other: Owner) -> Client:
    client = Client()
    client.force_login(other)
    return client


def upload(packed: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("steward.zip", packed, content_type="application/zip")


def test_it_is_looked_at_first_and_then_brought_in(
    packed: bytes, other: Owner, client_of_other: Client
) -> None:
    client = client_of_other
    sent = client.post("/data/restore/", {"file": upload(packed)})
    row = Restore.objects.get()
    assert sent.headers["Location"] == f"/data/restore/{row.uuid}/"
    page = client.get(sent.headers["Location"]).content.decode()
    assert "What is in it" in page
    assert not Asset.objects.for_owner(other).exists()
    client.post(f"/data/restore/{row.uuid}/start/")
    client.post(f"/data/restore/{row.uuid}/start/")
    while restoring.work_due(clock.now()):
        pass
    assert Asset.objects.for_owner(other).count() == 1
    assert "Brought in" in client.get(f"/data/restore/{row.uuid}/").content.decode()
    assert not RestorePart.objects.exists(), "the file is not kept"
    assert client.get("/").status_code == 200
    # Again into the same account: refused before the file is kept.
    again = client.post("/data/restore/", {"file": upload(packed)})
    assert again.status_code == 422
    assert "already" in again.content.decode()
    assert Restore.objects.count() == 1


def test_what_is_no_export_says_so_on_the_page(client_of_other: Client) -> None:
    answer = client_of_other.post("/data/restore/", {"file": upload(b"not a zip")})
    assert answer.status_code == 422
    assert "This is no ZIP" in answer.content.decode()
    assert client_of_other.post("/data/restore/").status_code == 422
    assert not Restore.objects.exists()


def test_a_file_that_was_changed_after_it_was_looked_at_fails_whole(
    packed: bytes, other: Owner
) -> None:
    bad = bytearray(packed)
    place = packed.index(b"steward/assets.json") + len("steward/assets.json") + 30
    bad[place] ^= 0xFF
    kept = restores.keep(
        owner=other,
        name="steward.zip",
        pieces=[bytes(bad[:500]), bytes(bad[500:])],
        plan={"size": len(bad)},
        now=clock.now(),
    )
    restores.start(restore=kept, now=clock.now())
    restoring.work_due(clock.now())
    kept.refresh_from_db()
    assert (kept.state, kept.code) in (("failed", "broken"), ("failed", "hash"))
    assert not Asset.objects.for_owner(other).exists()


def test_thrown_away_nothing_comes_of_it(packed: bytes, client_of_other: Client) -> None:
    client_of_other.post("/data/restore/", {"file": upload(packed)})
    row = Restore.objects.get()
    client_of_other.post(f"/data/restore/{row.uuid}/cancel/")
    assert not Restore.objects.exists()
    assert restoring.work_due(clock.now()) == 0


def test_nobody_answers_for_a_day_and_the_file_goes(packed: bytes, client_of_other: Client) -> None:
    client_of_other.post("/data/restore/", {"file": upload(packed)})
    assert restores.forget_due(now=clock.now() + restores.KEPT) == 1
    assert not RestorePart.objects.exists()


def test_the_api_does_the_same(packed: bytes, other: Owner, client_of_other: Client) -> None:
    looked = client_of_other.post("/api/v1/restores/", {"file": upload(packed)})
    assert looked.status_code == 201, looked.json()
    key = looked.json()["id"]
    assert {one["name"]: one["rows"] for one in looked.json()["sections"]}["assets"] == 1
    assert client_of_other.post(f"/api/v1/restores/{key}/start/").status_code == 202
    restoring.work_due(clock.now())
    done = client_of_other.get(f"/api/v1/restores/{key}/").json()
    assert (done["state"], done["percent"]) == ("done", 100)
    again: Any = client_of_other.post(f"/api/v1/restores/{key}/start/")
    assert (again.status_code, again.json()["code"]) == (409, "over")
    bad = client_of_other.post("/api/v1/restores/", {"file": upload(packed)})
    assert (bad.status_code, bad.json()["code"]) == (422, "not_empty")
    assert Asset.objects.for_owner(other).count() == 1


def test_an_operator_brings_any_size_in(packed: bytes, other: Owner, tmp_path: Any) -> None:
    file = tmp_path / "steward.zip"
    file.write_bytes(packed)
    said = io.StringIO()
    call_command("bring_in", str(file), other.email, look=True, stdout=said)
    assert not Asset.objects.for_owner(other).exists()
    call_command("bring_in", str(file), other.email, stdout=said)
    assert "assets: 1" in said.getvalue()
    with pytest.raises(CommandError, match="not_empty"):
        call_command("bring_in", str(file), other.email, stdout=said)
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("bring_in", str(file), "nobody@x.example", stdout=said)
