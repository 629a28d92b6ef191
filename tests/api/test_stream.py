"""The event stream: hints to whom they concern, resumed, bounded, and closed on sign-out."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from notifications import pass_stream, passes, sse, stream
from notifications.choices import PassWay
from notifications.models import Card, Pass, PassVisit
from owners import clock, doorbell
from owners.models import Membership, Owner
from tests import factories

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not settings.REDIS_URL, reason="nobody rings without Redis"),
]
PATIENCE = 20


@dataclass
class Connection:
    """One client of the stream, and what it has heard."""

    heard: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    started: dict[str, Any] = field(default_factory=dict)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.started = message
        elif message["body"]:
            self.heard.put_nowait(message["body"])

    async def event(self, name: str) -> dict[str, Any]:
        """Return the next event of this name, with its id."""
        while True:
            text = (await asyncio.wait_for(self.heard.get(), PATIENCE)).decode()
            for block in text.split("\n\n"):
                lines = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
                if lines.get("event") == name:
                    return {"id": lines.get("id"), **json.loads(lines["data"])}


def connect(session: str, *, last: str = "", cookie: bool = False) -> Connection:
    found = Connection()
    headers = [(b"x-session-token", session.encode())]
    if cookie:
        headers = [(b"cookie", f"a=b; sessionid={session}".encode())]
    if last:
        headers.append((b"last-event-id", last.encode()))
    scope = {"type": "http", "method": "GET", "path": stream.PATH, "headers": headers}
    found.task = asyncio.ensure_future(stream.stream(scope, found.receive, found.send))
    return found


def read(opened: passes.Opened, *, secret: str = "") -> Connection:
    """Open the stream of somebody's page of a pass."""
    found = Connection()
    cookie = f"{pass_stream.COOKIE}={secret or opened.secret}"
    headers = [(b"cookie", b"a=b"), (b"cookie", cookie.encode())]
    path = f"{pass_stream.PATH}{opened.visit.uuid}/"
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    found.task = asyncio.ensure_future(stream.stream(scope, found.receive, found.send))
    return found


def session_of(owner: Owner) -> str:
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story with a hub of its own, and tidy up after it."""

    async def told() -> None:
        stream.hub = stream.Hub()
        stream.hub.threads = ThreadPoolExecutor(1)  # one connection, to be closed below
        try:
            await story()
        finally:
            for task in [*stream.hub.tasks, *stream.hub.counting]:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await stream.hub.run(connections.close_all)
            stream.hub.threads.shutdown()

    asyncio.run(told())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHECK_S", 0.2)


def ring(cast: factories.Cast, *ids: str) -> None:
    doorbell.hint({cast.household.pk: ids})
    doorbell.flush(2)


def test_owners_hear_of_their_own_cards_only(cast: factories.Cast) -> None:
    ana, mallory = session_of(cast.ana), session_of(cast.mallory)

    async def story() -> None:
        hers = connect(ana)
        assert (await hers.event("counts")).items() >= {"needs_you": 0, "door": 0}.items()
        await hers.event("cards")  # the subscription begins: look once
        his = connect(mallory, cookie=True)
        await his.event("counts")
        await asyncio.to_thread(ring, cast, "11111111-1111-4111-8111-111111111111")
        said = await hers.event("cards")
        assert said["ids"] == ["11111111-1111-4111-8111-111111111111"]
        later = await hers.event("counts")
        assert int(later["id"]) > int(said["id"])
        await asyncio.sleep(0.3)
        assert b"11111111" not in b"".join(his.heard.get_nowait() for _ in range(his.heard.qsize()))

    run(story)


def test_who_was_away_hears_what_changed_since(cast: factories.Cast) -> None:
    session = session_of(cast.ana)
    journey = factories.JourneyFactory.create(household=cast.household)
    card: Card = factories.CardFactory.create(journey=journey)
    before = int(card.changed_at.timestamp() * 1_000_000)

    async def story() -> None:
        again = connect(session, last=str(before))
        assert (await again.event("cards"))["ids"] == [str(card.uuid)]
        for nonsense in ("x", "-1e9", "9" * 400):
            assert (await connect(session, last=nonsense).event("counts"))["needs_you"] == 0

    run(story)


def test_only_a_live_session_listens(cast: factories.Cast) -> None:
    async def story() -> None:
        for session in ("", "nobody", "x" * 5000):
            refused = connect(session)
            assert refused.task is not None
            await asyncio.wait_for(refused.task, PATIENCE)
            assert refused.started["status"] == 401

    run(story)


def test_signing_out_closes_the_stream(cast: factories.Cast) -> None:
    client = Client()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies["sessionid"].value

    async def story() -> None:
        open_one = connect(session)
        await open_one.event("counts")
        await asyncio.to_thread(client.logout)
        assert open_one.task is not None
        await asyncio.wait_for(open_one.task, PATIENCE)
        assert not stream.hub.listeners

    run(story)


def test_a_new_password_closes_the_stream(cast: factories.Cast) -> None:
    session = session_of(cast.ana)

    def change() -> None:
        cast.ana.set_password("another lamp in a quiet house")
        cast.ana.save()
        connections.close_all()

    async def story() -> None:
        open_one = connect(session)
        await open_one.event("counts")
        await asyncio.to_thread(change)
        assert open_one.task is not None
        await asyncio.wait_for(open_one.task, PATIENCE)

    run(story)


def test_who_leaves_a_household_hears_no_more_of_it(cast: factories.Cast) -> None:
    session = session_of(cast.ana)

    def leave() -> None:
        Membership.objects.filter(owner=cast.ana).delete()
        connections.close_all()

    async def story() -> None:
        open_one = connect(session)
        await open_one.event("counts")
        await asyncio.to_thread(leave)
        for _ in range(50):
            if not stream.hub.by_household:
                break
            await asyncio.sleep(0.1)
        assert not stream.hub.by_household
        assert stream.hub.listeners

    run(story)


def test_an_owner_has_a_bounded_number_of_streams(cast: factories.Cast) -> None:
    session = session_of(cast.ana)

    async def story() -> None:
        many = [connect(session) for _ in range(stream.OWNER_MOST)]
        for one in many:
            await one.event("counts")
        refused = connect(session)
        assert refused.task is not None
        await asyncio.wait_for(refused.task, PATIENCE)
        assert refused.started["status"] == 429
        many[0].left.set()
        assert many[0].task is not None
        await asyncio.wait_for(many[0].task, PATIENCE)
        await connect(session).event("counts")

    run(story)


def test_who_does_not_read_is_let_go(cast: factories.Cast) -> None:
    listener = stream.Listener("s", 1, frozenset({1}))
    for _ in range(sse.WAITING_MOST + 1):
        listener.put(b"event")
    assert listener.queue.get_nowait() is None


def test_a_server_without_the_stream_says_so(ana: APIClient, nobody: APIClient) -> None:
    assert ana.get(stream.PATH).status_code == 204
    assert nobody.get(stream.PATH).status_code == 401


# -- whoever reads a pass --------------------------------------------------------------


def opened_pass(cast: factories.Cast) -> passes.Opened:
    """Return a page of a pass about Ana's matter."""
    journey = factories.JourneyFactory.create(household=cast.household)
    factories.CardFactory.create(journey=journey)
    held = passes.make(
        owner=cast.ana,
        household=cast.household,
        journey=journey,
        asset=None,
        wishes=passes.Wishes(),
        now=clock.now(),
    )
    token = passes.address_of(held).rstrip("/").rpartition("/")[2]
    opened = passes.open_by_token(token=token, way=PassWay.LINK, agent="", now=clock.now())
    assert opened is not None
    return opened


def test_whoever_reads_a_pass_hears_at_once_what_changes_and_that_it_ended(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, other = opened_pass(cast), opened_pass(cast)
    held = opened.visit.held
    monkeypatch.setattr(pass_stream, "TOUCH_S", 60)

    def change() -> None:
        Card.objects.filter(journey=held.journey).update(version=7)
        ring(cast, "11111111-1111-4111-8111-111111111111")

    def end() -> None:
        passes.revoke(held=held, owner=cast.ana, now=clock.now())
        doorbell.flush(2)
        connections.close_all()

    async def story() -> None:
        page, elsewhere = read(opened), read(other)
        assert (await page.event("version"))["version"] != "7"
        await elsewhere.event("version")
        await asyncio.sleep(0.2)  # until it listens
        await asyncio.to_thread(change)
        assert (await page.event("version"))["version"] == "7"
        await asyncio.to_thread(end)
        async with asyncio.timeout(1):
            await page.event("gone")
            assert page.task is not None
            await page.task
        assert elsewhere.heard.empty()

    run(story)


def test_a_page_that_stays_open_is_present_and_ends_with_its_pass(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opened_pass(cast)
    monkeypatch.setattr(pass_stream, "TOUCH_S", 0.05)

    def later() -> None:
        Pass.objects.update(expires_at=clock.now())
        connections.close_all()

    async def story() -> None:
        page = read(opened)
        await page.event("beat")
        await asyncio.to_thread(later)
        await page.event("gone")
        assert page.task is not None
        await asyncio.wait_for(page.task, PATIENCE)
        assert not stream.hub.room.by_visit

    run(story)
    seen = PassVisit.objects.get(pk=opened.visit.pk)
    assert seen.seen_at > opened.visit.opened_at


def test_no_other_browser_hears_of_a_pass(cast: factories.Cast) -> None:
    opened = opened_pass(cast)

    async def story() -> None:
        stranger = read(opened, secret="guessed")
        assert stranger.task is not None
        await asyncio.wait_for(stranger.task, PATIENCE)
        assert stranger.started["status"] == 410
        many = [read(opened) for _ in range(pass_stream.PAGE_MOST)]
        for one in many:
            await one.event("version")
        refused = read(opened)
        assert refused.task is not None
        await asyncio.wait_for(refused.task, PATIENCE)
        assert refused.started["status"] == 429

    run(story)
