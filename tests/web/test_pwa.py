"""Steward on a device: manifest, service worker, budgets, and forms that are sent twice."""

import gzip
import json
from uuid import uuid4

from django.contrib.staticfiles import finders
from django.test import Client

from notifications.models import Decision, Journey
from owners.models import RequestKey
from tests import factories

SCRIPTS = ("django_htmx/htmx-2.min.js", "js/app.js", "js/queue.js", "js/pwa.js")
JS_MOST = 35_000  # bytes, gzipped


def found(path: str) -> bytes:
    where = finders.find(path)
    assert where, path
    with open(str(where), "rb") as file:  # noqa: PTH123 - a static file
        return file.read()


def test_the_app_can_be_installed(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    manifest = json.loads(answer.content)
    assert manifest["start_url"] == manifest["scope"] == "/"
    for icon in manifest["icons"]:
        assert found(icon["src"].removeprefix("/static/")).startswith(b"\x89PNG")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


def test_the_service_worker_serves_the_whole_site_and_is_never_stale(client: Client) -> None:
    answer = client.get("/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Service-Worker-Allowed"] == "/"
    assert "no-cache" in answer["Cache-Control"]
    text = answer.content.decode()
    assert "{%" not in text
    files = text.partition("const FILES = [")[2].partition("]")[0].replace('"', "").split(",")
    names = [name.strip() for name in files if name.strip()]
    assert len(names) >= 10
    for name in names:
        found(name.removeprefix("/static/"))


def test_the_page_without_a_net_names_nobody(cast: factories.Cast, client: Client) -> None:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert "Hart" not in client.get("/offline/").content.decode()


def test_all_scripts_together_stay_small(client: Client) -> None:
    size = sum(len(gzip.compress(found(path))) for path in SCRIPTS)
    size += len(gzip.compress(client.get("/sw.js").content))
    assert size < JS_MOST


def test_a_form_sent_twice_under_one_key_happens_once(ana: Client, journey: Journey) -> None:
    address, key = f"/journeys/{journey.uuid}/act/", str(uuid4())
    sent = {"name": "reply", "text": "The gate is open."}
    first = ana.post(address, sent, headers={"idempotency-key": key})
    again = ana.post(address, sent, headers={"idempotency-key": key})
    assert (first.status_code, again.status_code) == (302, 204)
    assert Decision.objects.filter(name="reply").count() == 1
    assert (
        ana.post(address, {"name": "nonsense"}, headers={"idempotency-key": "k"}).status_code == 400
    )
    assert RequestKey.objects.count() == 1


def test_keys_of_pages_and_of_the_api_do_not_meet(ana: Client, journey: Journey) -> None:
    key = str(uuid4())
    address = f"/journeys/{journey.uuid}/act/"
    ana.post(address, {"name": "reply", "text": "Yes"}, headers={"idempotency-key": key})
    answer = ana.post(
        "/api/v1/feed/looked/", "{}", "application/json", headers={"idempotency-key": key}
    )
    assert answer.status_code == 200
    assert "Idempotency-Replayed" not in answer
