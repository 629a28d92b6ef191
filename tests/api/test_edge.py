"""What holds at every endpoint: problems, once-only writes, pages, sign-in."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from assets.models import Asset
from owners import repeats
from owners.api import edge
from owners.models import RequestKey
from tests import factories
from tests.api.conftest import app_of

KEY = "Idempotency-Key"


def asset_values(cast: factories.Cast, name: str = "Boiler") -> dict[str, str]:
    return {"household": str(cast.household.uuid), "name": name}


def test_without_a_sign_in_the_answer_is_401_and_says_how(nobody: APIClient, db: None) -> None:
    answer = nobody.get("/api/v1/me/")
    assert answer.status_code == 401
    assert "X-Session-Token" in answer.headers["WWW-Authenticate"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401


def test_an_address_without_an_endpoint_and_a_crash_are_problems_too(
    ana: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    ana.raise_request_exception = False
    missing = ana.get("/api/v1/nothing/")
    monkeypatch.setattr("owners.api.v1.Me.get", crash)
    for answer, status in ((missing, 404), (ana.get("/api/v1/me/"), 500)):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_a_dead_token_is_refused_even_beside_a_live_cookie(cast: factories.Cast) -> None:
    app = APIClient()
    app.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert app.get("/api/v1/me/").status_code == 200
    assert app.get("/api/v1/me/", HTTP_X_SESSION_TOKEN="gone").status_code == 401


def test_a_cookie_alone_writes_nothing_without_the_csrf_token(cast: factories.Cast) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post("/api/v1/assets/", asset_values(cast)).status_code == 403
    assert not Asset.objects.filter(name="Boiler").exists()


def test_every_fault_has_a_pointer_to_its_field(ana: APIClient, cast: factories.Cast) -> None:
    given = asset_values(cast) | {
        "name": "",
        "identifiers": [{"scheme": "serial", "value": "1"}, {"scheme": "nonsense", "value": "2"}],
    }
    answer = ana.post("/api/v1/assets/", given)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert [fault["pointer"] for fault in problem["errors"]] == ["/name", "/identifiers/1/scheme"]
    assert [fault["code"] for fault in problem["errors"]] == ["blank", "invalid_choice"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"name": ' + b"9" * 10_000 + b"}",
        b'"text"',
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
    ],
    ids=["cut", "nan", "twice", "utf16", "deep", "huge", "text", "surrogate", "nul"],
)
def test_bad_json_is_the_callers_fault(ana: APIClient, body: bytes) -> None:
    answer = ana.patch("/api/v1/me/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_other_bodies_and_too_large_ones_are_refused(ana: APIClient) -> None:
    assert ana.patch("/api/v1/me/", b"<a/>", content_type="text/xml").status_code == 415
    large = json.dumps({"name": "x" * 300_000})
    assert ana.patch("/api/v1/me/", large, content_type="application/json").status_code == 413


def test_what_another_household_has_looks_like_nothing_at_all(
    mallory: APIClient, cast: factories.Cast
) -> None:
    foreign = mallory.get(f"/api/v1/assets/{cast.dvr.uuid}/")
    unknown = mallory.get("/api/v1/assets/00000000-0000-4000-8000-000000000000/")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content


def test_answers_stay_out_of_caches(ana: APIClient) -> None:
    assert ana.get("/api/v1/me/").headers["Cache-Control"] == "no-store"
    assert ana.get("/api/v1/nothing/").status_code == 404


def test_the_same_key_writes_once_and_answers_the_same(
    ana: APIClient, cast: factories.Cast
) -> None:
    first = ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"})
    again = ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Asset.objects.filter(name="Boiler").count() == 1


def test_an_answer_is_kept_for_a_day_and_the_key_for_ever(
    ana: APIClient, cast: factories.Cast
) -> None:
    ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"})
    used = RequestKey.objects.get()
    assert repeats.forget_answers(now=used.used_at + repeats.KEPT) == 0
    assert repeats.forget_answers(now=used.used_at + repeats.KEPT + timedelta(seconds=1)) == 1
    again = ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"})
    assert (again.status_code, again.json()["code"]) == (409, "answer_gone")
    assert Asset.objects.filter(name="Boiler").count() == 1


def test_a_key_belongs_to_one_request_and_one_owner(
    ana: APIClient, mallory: APIClient, cast: factories.Cast
) -> None:
    ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"})
    other = ana.post("/api/v1/assets/", asset_values(cast, "Car"), headers={KEY: "one"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    hers = {"household": str(cast.mallory_household.uuid), "name": "Boiler"}
    assert mallory.post("/api/v1/assets/", hers, headers={KEY: "one"}).status_code == 201


def test_a_refused_write_leaves_its_key_free(ana: APIClient, cast: factories.Cast) -> None:
    bad = asset_values(cast) | {"name": ""}
    assert ana.post("/api/v1/assets/", bad, headers={KEY: "one"}).status_code == 400
    assert ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"}).status_code == 201


def test_kept_answers_are_sealed(ana: APIClient, cast: factories.Cast) -> None:
    ana.post("/api/v1/assets/", asset_values(cast, "Canary"), headers={KEY: "one"})
    kept = RequestKey.objects.get().sealed_answer
    assert kept is not None
    assert b"Canary" not in bytes(kept)


@pytest.mark.parametrize("key", ["x" * 256, "ä", "a\tb"])
def test_a_key_is_short_visible_text(ana: APIClient, cast: factories.Cast, key: str) -> None:
    answer = ana.post("/api/v1/assets/", asset_values(cast), headers={KEY: key})
    assert (answer.status_code, answer.json()["code"]) == (400, "key")


@pytest.mark.django_db(transaction=True)
def test_a_second_request_under_way_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = factories.cast()
    app, taken, done = app_of(cast.ana), Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                edge._take_turn(cast.ana, "one")
                taken.set()
                done.wait(10)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert taken.wait(10)
        answer = app.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"})
        done.set()
        holding.result(10)
    assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_with_one_key_write_once() -> None:
    cast = factories.cast()
    apps = [app_of(cast.ana) for _ in range(8)]
    ready = Barrier(len(apps))

    def write(app: APIClient) -> int:
        try:
            ready.wait(10)
            return app.post("/api/v1/assets/", asset_values(cast), headers={KEY: "one"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(apps)) as pool:
        statuses = list(pool.map(write, apps))
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert Asset.objects.filter(name="Boiler").count() == 1
    assert connection.is_usable()


def test_pages_follow_each_other_without_gaps_or_repeats(
    ana: APIClient, cast: factories.Cast
) -> None:
    for number in range(7):
        factories.AssetFactory.create(household=cast.household, name=f"Same name {number // 3}")
    address, seen = "/api/v1/assets/?limit=3", []
    while address:
        answer = ana.get(address).json()
        assert len(answer["results"]) <= 3
        seen += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert len(seen) == len(set(seen)) == 8


def test_a_page_is_never_longer_than_a_hundred(ana: APIClient, cast: factories.Cast) -> None:
    factories.AssetFactory.create_batch(105, household=cast.household)
    assert len(ana.get("/api/v1/assets/").json()["results"]) == 50
    assert len(ana.get("/api/v1/assets/?limit=999999999").json()["results"]) == 100
    assert ana.get("/api/v1/assets/?limit=0").status_code == 400


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzEsMl0", "WyJhIiwgIngiXQ", "W10", "ä"])
@pytest.mark.parametrize("address", ["/api/v1/feed/", "/api/v1/contacts/"])
def test_a_foreign_cursor_is_refused(ana: APIClient, address: str, cursor: str) -> None:
    answer = ana.get(address, {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor")
