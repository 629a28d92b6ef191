"""A client made from the OpenAPI file alone does what a mobile app does."""

import importlib
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from notifications import pipeline
from owners import clock
from owners.models import Household, Owner
from tests.project.test_isolation import picture
from tests.web.conftest import played

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "one lamp in a quiet house"
# What the generator does not know by name it is told, as it offers: bytes are bytes.
SETTINGS = """
post_hooks: []
content_type_overrides:
  image/jpeg: application/octet-stream
  application/zip: application/octet-stream
  application/pdf: application/octet-stream
  text/event-stream: text/plain
"""


class Made:
    """The generated package: its calls and models by their names in the API."""

    def call(self, name: str) -> Any:
        """Return a call, as in `feed.feed_list`."""
        return importlib.import_module(f"steward_app.api.{name}").sync_detailed

    def file(self, name: str, content: bytes) -> Any:
        """Return a file to send."""
        types = importlib.import_module("steward_app.types")
        return types.File(payload=BytesIO(content), file_name=name)

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("steward_app.models"), name)


def apart(work: Callable[[], Any]) -> Any:
    """Do something in a process's own way, with a connection that is closed again."""

    def whole() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(whole).result()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Make the client from the committed file, as an app's own build would."""
    folder = tmp_path_factory.mktemp("client")
    settings = folder / "settings.yaml"
    settings.write_text(SETTINGS)
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
    said = done.stdout + done.stderr
    assert "WARNING" not in said.upper(), said
    sys.path.insert(0, str(folder))
    yield Made()
    sys.path.remove(str(folder))


@pytest.fixture
def ana(transactional_db: None) -> Owner:
    """Ana, when she is asked whether it works."""

    def play() -> Owner:
        owner = played()
        owner.set_password(PASSWORD)
        owner.save()
        EmailAddress.objects.update_or_create(
            user=owner, email=owner.email, defaults={"verified": True, "primary": True}
        )
        return owner

    found: Owner = apart(play)
    return found


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
    assert (refused.parsed.code, refused.parsed.errors[0].pointer) == ("invalid", "/name")


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
    assert isinstance(row.object_, made.AssetOut)
    assert (row.id, row.kind, row.object_.name) == (bike, made.ChangedKind.ASSET, "Fahrrad")

    def rename(name: str, etag: str) -> Any:
        change = made.PatchedAssetChangeRequest(name=name)
        return made.call("assets.assets_change")(
            asset=bike, client=app, body=change, if_match=etag, idempotency_key=uuid.uuid4().hex
        )

    # Somebody else renames it; what this app then sends from its old copy is told so.
    assert rename("Stadtrad", copy[bike].etag).status_code == 200
    stale = rename("Rennrad", copy[bike].etag)
    assert stale.status_code == 409
    told = stale.parsed
    assert (told.code, told.current["name"]) == ("stale", "Stadtrad")
    renamed = rename("Rennrad", told.etag)
    assert renamed.status_code == 200
    assert [(row.object_.name, row.etag) for row in fetch()] == [
        ("Rennrad", renamed.headers["ETag"])
    ]

    made.call("assets.assets_remove")(asset=bike, client=app, idempotency_key=uuid.uuid4().hex)
    gone = next(row for row in fetch() if row.id == bike)
    assert gone.is_deleted
    assert gone.object_ is None
    assert bike not in copy


def test_an_app_adds_an_asset_with_its_photo_and_finds_its_receipt(
    made: Made, app: Any, home: uuid.UUID, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    read = made.call("assets.assets_read_line")(
        client=app,
        body=made.LineInRequest(line="Bosch washing machine, serial 12-345, in the cellar"),
    ).parsed
    washer = made.call("assets.assets_add")(
        client=app,
        body=made.AssetInRequest(
            household=home,
            name=read.name,
            kind=read.kind,
            template=read.template,
            place=read.place,
            identifiers=[
                made.IdentifierFieldRequest(scheme=row.scheme, value=row.value)
                for row in read.identifiers
            ],
        ),
    ).parsed
    assert washer.identifiers[0].value == "12-345"
    photo = made.call("assets.assets_documents_add")(
        asset=washer.id,
        client=app,
        body=made.FileInRequest(file=made.file("washer.png", picture())),
        idempotency_key=uuid.uuid4().hex,
    ).parsed
    assert (photo.kind, photo.has_thumb) == (made.DocumentKind.PHOTO, True)
    small = made.call("assets.assets_photo")(asset=washer.id, client=app, small=True)
    assert small.parsed.payload.read(2) == b"\xff\xd8"
    receipt = b"Receipt. Bought at Corner Shop for 549.00 EUR"
    kept = made.call("documents.documents_add")(
        client=app,
        body=made.DocumentInRequest(
            household=home, asset=washer.id, file=made.file("scan-0001.txt", receipt)
        ),
    ).parsed
    assert kept.kind == made.DocumentKind.RECEIPT
    found = made.call("search.search")(client=app, q="corner sho").parsed.results
    assert [(hit.kind, hit.id) for hit in found] == [(made.HitKind.DOCUMENT, kept.id)]
    page = made.call("documents.documents_list")(client=app, asset=washer.id).parsed
    assert {row.id for row in page.results} == {photo.id, kept.id}
    again = made.call("documents.documents_file")(document=kept.id, client=app)
    assert again.parsed.payload.read() == receipt


def test_an_app_tries_other_wishes_before_it_saves_them_and_takes_them_back(
    made: Made, app: Any, home: uuid.UUID
) -> None:
    before = made.call("reach.reach_get")(household=home, client=app).parsed
    silent = made.TopicInRequest(topic=made.Topic.ARRIVING, moment=made.Moment.NEVER)
    tried = made.call("reach.reach_simulate")(
        household=home, client=app, body=made.SimulationInRequest(topics=[silent])
    ).parsed
    assert tried.before.interrupt >= tried.after.interrupt
    assert made.call("reach.reach_get")(household=home, client=app).parsed == before
    saved = made.call("reach.reach_change")(
        household=home, client=app, body=made.PatchedReachInRequest(topics=[silent])
    )
    changed = {row.topic: row.moment for row in saved.parsed.topics}
    assert changed[made.Topic.ARRIVING] == made.Moment.NEVER
    change = uuid.UUID(saved.headers["Steward-Undo"])
    undone = made.call("undo.undo")(change=change, client=app).parsed
    assert (undone.kind, undone.is_removal) == (made.UndoKind.WISHES_CHANGED, False)
    assert made.call("reach.reach_get")(household=home, client=app).parsed == before


def test_an_app_answers_by_mistake_and_takes_it_back(made: Made, app: Any) -> None:
    section = made.FeedListSection.NEEDS_YOU
    card = made.call("feed.feed_list")(client=app, section=section).parsed.results[0]
    assert card.question is not None

    def act(name: str, body: Any) -> Any:
        return made.call("feed.feed_act")(
            card=card.id, name=made.FeedActName(name), body=body, client=app
        ).parsed

    assert act("works", made.NothingInRequest()).section == made.Section.DONE
    journey = made.call("journeys.journeys_get")(journey=card.journey, client=app).parsed
    assert journey.card == card.id
    (decision,) = [row for row in journey.decisions if row.name == "answer"]
    back = act("undo", made.UndoInRequest(decision=decision.id))
    assert back.section == made.Section.NEEDS_YOU
    snooze = made.SnoozeInRequest(until=datetime(2030, 1, 1, tzinfo=UTC))
    assert act("snooze", snooze).section != made.Section.NEEDS_YOU


def test_an_app_logs_a_call_and_reads_what_became_of_it(
    made: Made, app: Any, home: uuid.UUID
) -> None:
    note = "They come on 2030-03-05 from 08:00 to 12:00 for 49.00 EUR."
    read = made.call("contacts.contacts_read_note")(
        client=app, body=made.NoteInRequest(note=note)
    ).parsed
    window = made.WindowInRequest(start=read.window.start, end=read.window.end)
    fee = made.MoneyInRequest(amount=read.fee.amount, currency=read.fee.currency)
    body = made.LogInRequest(household=home, note=note, window=window, fee=fee)
    key = uuid.uuid4().hex
    logged = [
        made.call("contacts.contacts_log")(client=app, body=body, idempotency_key=key).parsed
        for _ in range(2)
    ]
    assert logged[0] == logged[1]
    apart(lambda: pipeline.pump(now_fn=clock.now))
    contact = made.call("contacts.contacts_get")(contact=logged[0].id, client=app).parsed
    assert (contact.outcome, contact.direction) == (made.ContactOutcome.OWN, made.Direction.OUT)
    journey = made.call("journeys.journeys_get")(journey=contact.journey, client=app).parsed
    assert journey.appointments[0].start == read.window.start
    assert "49.00" in {fact.value.partition(" ")[0] for fact in journey.facts}
    agenda = made.call("calendar.calendar_agenda")(
        client=app,
        from_=datetime(2030, 3, 1, tzinfo=UTC),
        until=datetime(2030, 4, 1, tzinfo=UTC),
    ).parsed
    assert [entry.journey for entry in agenda] == [journey.id]
