"""A client made from the OpenAPI file alone does what a mobile app does."""

import importlib
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from owners.models import Household, Owner
from tests.web.conftest import played

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "one lamp in a quiet house"


class Made:
    """The generated package: its calls and models by their names in the API."""

    def call(self, name: str) -> Any:
        """Return a call, as in `feed.feed_list`."""
        return importlib.import_module(f"steward_app.api.{name}").sync_detailed

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("steward_app.models"), name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Make the client from the committed file, as an app's own build would."""
    folder = tmp_path_factory.mktemp("client")
    settings = folder / "settings.yaml"
    settings.write_text("post_hooks: []\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "openapi_python_client",
            "generate",
            "--path",
            ROOT / "docs" / "openapi.yaml",
            "--meta",
            "none",
            "--config",
            settings,
            "--output-path",
            folder / "steward_app",
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    # A warning names a part of the API that no typed client could use.
    assert "WARNING" not in done.stdout.upper(), done.stdout
    sys.path.insert(0, str(folder))
    yield Made()
    sys.path.remove(str(folder))


@pytest.fixture
def ana(transactional_db: None) -> Owner:
    """Ana, when she is asked whether it works."""

    def play() -> Owner:
        try:
            owner = played()
            owner.set_password(PASSWORD)
            owner.save()
            EmailAddress.objects.update_or_create(
                user=owner, email=owner.email, defaults={"verified": True, "primary": True}
            )
            return owner
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as apart:
        return apart.submit(play).result()


@pytest.fixture
def home(ana: Owner) -> uuid.UUID:
    """Ana's household."""
    return Household.objects.for_owner(ana).get().uuid


@pytest.fixture
def app(made: Made, ana: Owner, live_server: Any) -> Iterator[Any]:
    """The app on Ana's phone, signed in with her password."""
    answer = httpx.post(
        f"{live_server.url}/_allauth/app/v1/auth/login",
        json={"email": ana.email, "password": PASSWORD},
    )
    assert answer.status_code == 200, answer.text
    client = importlib.import_module("steward_app").AuthenticatedClient
    with client(
        base_url=live_server.url,
        token=answer.json()["meta"]["session_token"],
        prefix="",
        auth_header_name="X-Session-Token",
        raise_on_unexpected_status=True,
    ) as signed_in:
        yield signed_in


def test_an_app_reads_the_card_and_answers_it(made: Made, app: Any) -> None:
    me = made.call("me.me_get")(client=app).parsed
    assert me.email == "ana@hart.example"
    page = made.call("feed.feed_list")(client=app, section=made.FeedListSection.NEEDS_YOU).parsed
    card = page.results[0]
    labels = {action.name: action.label for action in card.actions}
    assert labels["works"] == "Yes, it works"
    key = uuid.uuid4().hex
    for _ in range(2):  # the second is the same request sent again
        done = made.call("feed.feed_act")(
            card=card.id,
            name=made.FeedActName.ANSWER,
            body=made.AnswerInRequest(answer=made.Answer.WORKS),
            idempotency_key=key,
            client=app,
        )
        assert done.status_code == 200
        assert done.parsed.section == made.Section.DONE
    journey = made.call("journeys.journeys_get")(journey=card.journey, client=app).parsed
    assert journey.state == made.JourneyState.CLOSED
    outcomes = Counter(contact.outcome.value for contact in journey.contacts)
    assert outcomes == {"own": 2, "shown": 3, "absorbed": 5}
    fee = next(fact for fact in journey.facts if fact.name == "fee")
    assert len(fee.sources) > 1


def test_an_app_adds_what_is_owned_and_logs_a_call(made: Made, app: Any, home: uuid.UUID) -> None:
    added = made.call("assets.assets_add")(
        client=app,
        body=made.AssetInRequest(household=home, name="Fahrrad", kind=made.AssetKind.VEHICLE),
    ).parsed
    logged = made.call("contacts.contacts_log")(
        client=app,
        body=made.LogInRequest(asset=added.id, note="Rear brake squeaks."),
        idempotency_key=uuid.uuid4().hex,
    )
    assert logged.status_code in (201, 202)
    names = {row.name for row in made.call("assets.assets_list")(client=app).parsed.results}
    assert "Fahrrad" in names


def test_an_app_is_told_what_is_wrong_with_what_it_sent(
    made: Made, app: Any, home: uuid.UUID
) -> None:
    refused = made.call("assets.assets_add")(
        client=app, body=made.AssetInRequest(household=home, name="", kind=made.AssetKind.VEHICLE)
    )
    assert refused.status_code == 400
    assert refused.parsed.errors[0].to_dict()["pointer"] == "/name"


def test_an_app_keeps_a_copy_and_hears_what_changed_and_what_is_gone(
    made: Made, app: Any, home: uuid.UUID
) -> None:
    copy: dict[uuid.UUID, Any] = {}
    cursor = ""

    def fetch() -> list[Any]:
        nonlocal cursor
        heard: list[Any] = []
        while True:
            page = made.call("changes.changes_list")(client=app, since=cursor, limit=20).parsed
            heard += page.results
            cursor = page.cursor
            if not page.has_more:
                break
        for row in heard:
            if row.is_deleted:
                copy.pop(row.id, None)
            else:
                copy[row.id] = row
        return heard

    fetch()
    assert Counter(row.kind.value for row in copy.values())["card"] == 1
    assert fetch() == []
    body = made.AssetInRequest(household=home, name="Fahrrad", kind=made.AssetKind.VEHICLE)
    bike = made.call("assets.assets_add")(client=app, body=body).parsed.id
    (row,) = fetch()
    assert (row.id, row.kind.value, row.object_.to_dict()["name"]) == (bike, "asset", "Fahrrad")

    def rename(name: str, etag: str) -> Any:
        change = made.PatchedAssetChangeRequest(name=name)
        return made.call("assets.assets_change")(
            asset=bike, client=app, body=change, if_match=etag, idempotency_key=uuid.uuid4().hex
        )

    # Somebody else renames it; what this app then sends from its old copy is told so.
    assert rename("Stadtrad", copy[bike].etag).status_code == 200
    stale = rename("Rennrad", copy[bike].etag)
    assert stale.status_code == 409
    told = stale.parsed.to_dict()
    assert (told["code"], told["current"]["name"]) == ("stale", "Stadtrad")
    assert rename("Rennrad", told["etag"]).status_code == 200
    assert [row.object_.to_dict()["name"] for row in fetch()] == ["Rennrad"]

    made.call("assets.assets_remove")(asset=bike, client=app, idempotency_key=uuid.uuid4().hex)
    gone = next(row for row in fetch() if row.id == bike)
    assert gone.is_deleted
    assert gone.object_ is None
    assert bike not in copy
