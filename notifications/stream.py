"""Server-sent events: which of an owner's cards changed. Hints only; the feed has the content.

An ASGI application, because a stream is open for hours and must not hold a thread. One
Redis subscription serves every connection of the process. A hint may be lost (Redis is
away, a client slept): what reconnects with `Last-Event-ID` hears what changed since, and
whoever hears nothing asks the feed now and then.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import redis.asyncio
import structlog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError, close_old_connections
from django.utils.crypto import constant_time_compare
from redis import RedisError

from notifications import feed_page, pass_stream, sse
from notifications.models import Card
from notifications.passes import HINT
from notifications.sse import Receive, Scope, Send
from owners import clock, doorbell
from owners.models import Membership, Owner
from suppliers.models import Contact

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATH = "/api/v1/feed/stream/"
BEAT_S = 20.0  # a comment so often keeps proxies from closing what is idle
CHECK_S = 30.0  # how often sessions and memberships are looked up again
RETRY_MS = 5_000  # how long a browser waits before it connects again
AWAY_S = (0.5, 1, 2, 5, 10)  # waits for a Redis that is away
OWNER_MOST = 8  # connections of one owner in this process
MOST = 5_000  # connections in this process
MISSED_MOST = 50  # cards named to who was away; of more it is only said that some changed
SLACK = timedelta(seconds=5)  # a commit may come this much after the time it carries
TOKEN = b"x-session-token"


@dataclass(eq=False, slots=True)
class Listener(sse.Line):
    """One open connection of an owner."""

    session: str
    owner: int
    households: frozenset[int]


class Hub:
    """All connections of this process, and the one subscription that feeds them."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.by_household: dict[int, set[Listener]] = defaultdict(set)
        self.by_owner: dict[int, set[Listener]] = defaultdict(set)
        self.pending: dict[int, set[str]] = {}  # cards of owners whose counts are being read
        self.tasks: list[asyncio.Task[None]] = []
        self.counting: set[asyncio.Task[None]] = set()
        # The database is read in threads; few are enough for hints.
        self.threads = ThreadPoolExecutor(2, thread_name_prefix="stream")
        self.last_id = 0
        self.room = pass_stream.Room(self.run)  # whoever reads a pass hears the same hints

    def start(self) -> None:
        """Begin to listen, with the first connection."""
        if not self.tasks:
            works = (self._listen(), self._beat(), self._check(), self.room.watch())
            self.tasks = [asyncio.ensure_future(work) for work in works]

    def add(self, listener: Listener) -> None:
        """Let a connection hear."""
        self.listeners.add(listener)
        self.by_owner[listener.owner].add(listener)
        for household in listener.households:
            self.by_household[household].add(listener)

    def remove(self, listener: Listener) -> None:
        """Forget a connection."""
        self.listeners.discard(listener)
        groups = [(self.by_owner, listener.owner)]
        groups += [(self.by_household, household) for household in listener.households]
        for index, key in groups:
            index[key].discard(listener)
            if not index[key]:
                del index[key]

    def event(self, name: str, data: dict[str, Any]) -> bytes:
        """Return an event; ids only rise, and say when."""
        self.last_id = max(self.last_id + 1, time.time_ns() // 1_000)
        text = json.dumps(data, separators=(",", ":"))
        return f"id: {self.last_id}\nevent: {name}\ndata: {text}\n\n".encode()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Read the database in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, _tidy, work, args)

    # --- what comes in

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                await self._subscribe()
            except (RedisError, OSError) as error:
                if not failures:
                    log.warning("stream_deaf", error=type(error).__name__)
                await asyncio.sleep(AWAY_S[min(failures, len(AWAY_S) - 1)])
                failures += 1
            else:
                failures = 0

    async def _subscribe(self) -> None:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=25
        )
        async with client, client.pubsub() as channel:
            await channel.subscribe(doorbell.HINTS)
            # Whatever was said while nobody listened is lost: look once.
            watched = self.by_household.keys() | self.room.by_household.keys()
            self._hear({household: [] for household in watched})
            while True:
                message = await channel.get_message(ignore_subscribe_messages=True, timeout=30)
                if message is not None:
                    named = json.loads(message["data"])
                    self._hear({int(household): ids for household, ids in named.items()})

    def _hear(self, named: dict[int, list[str]]) -> None:
        self.room.hear(named)
        owners: dict[int, set[str]] = {}
        for household, ids in named.items():
            for listener in self.by_household.get(household, ()):
                owners.setdefault(listener.owner, set()).update(ids)
        for owner, cards in owners.items():
            if owner in self.pending:
                self.pending[owner] |= cards  # said with the counts that are being read
            else:
                self.pending[owner] = cards
                task = asyncio.ensure_future(self._tell(owner))
                self.counting.add(task)
                task.add_done_callback(self.counting.discard)

    async def _tell(self, owner: int) -> None:
        await asyncio.sleep(0.05)  # a burst is one event
        cards = self.pending.pop(owner)
        passes = {name for name in cards if name.startswith(HINT)}
        for listener in self.by_owner.get(owner, ()):
            if passes:
                ids = sorted(name.removeprefix(HINT) for name in passes)
                listener.put(self.event("passes", {"ids": ids}))
            if cards - passes or not cards:
                listener.put(self.event("cards", {"ids": sorted(cards - passes)}))
        if passes and passes == cards:
            return
        try:
            counted = await self.run(counts_of, owner)
        except DatabaseError as error:  # the next hint counts again
            log.warning("stream_uncounted", error=type(error).__name__)
            return
        for listener in self.by_owner.get(owner, ()):
            listener.put(self.event("counts", counted))

    # --- what time alone brings

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            for listener in list(self.listeners):
                if listener.queue.empty():
                    listener.put(b": still here\n\n")

    async def _check(self) -> None:
        """Close what is signed out, and follow who moved into or out of a household."""
        while True:
            await asyncio.sleep(CHECK_S)
            asked = list(self.listeners)
            try:
                known = await self.run(live, {listener.session for listener in asked})
            except DatabaseError as error:  # nobody is shut out for a database that is away
                log.warning("stream_unchecked", error=type(error).__name__)
                continue
            for listener in asked:
                owner, households = known.get(listener.session, (0, frozenset()))
                if owner != listener.owner:
                    listener.put(None)
                elif households != listener.households and listener in self.listeners:
                    self.remove(listener)
                    listener.households = households
                    self.add(listener)


def _tidy(work: Callable[..., T], args: tuple[Any, ...]) -> T:
    close_old_connections()
    try:
        return work(*args)
    finally:
        close_old_connections()


def live(session_keys: Collection[str]) -> dict[str, tuple[int, frozenset[int]]]:
    """Return the owner and the households of each session that has not ended."""
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=clock.now())
    said = {row.session_key: row.get_decoded() for row in rows}
    pks = {values[SESSION_KEY] for values in said.values() if SESSION_KEY in values}
    owners = Owner.objects.filter(is_active=True).in_bulk([int(pk) for pk in pks])
    homes: dict[int, set[int]] = defaultdict(set)
    mine = Membership.objects.filter(owner__in=owners)
    for owner_pk, household in mine.values_list("owner_id", "household_id"):
        homes[owner_pk].add(household)
    found = {}
    for key, values in said.items():
        owner = owners.get(int(values.get(SESSION_KEY, 0)))
        if owner is not None and is_proved(owner, values.get(HASH_SESSION_KEY, "")):
            found[key] = (owner.pk, frozenset(homes[owner.pk]))
    return found


def is_proved(owner: Owner, session_hash: str) -> bool:
    """Whether a session was made with the password of now; a new one ends the others."""
    hashes = (owner.get_session_auth_hash(), *owner.get_session_auth_fallback_hash())
    return any(constant_time_compare(session_hash, known) for known in hashes)


def counts_of(owner_pk: int) -> dict[str, int]:
    """Return how many cards need an owner, and how many wait at the Door."""
    owner = Owner(pk=owner_pk)
    waiting = Contact.objects.for_owner(owner).at_the_door().exclude(reason="not_now")
    return {"needs_you": feed_page.counts(owner=owner).needs_you, "door": waiting.count()}


def missed_by(owner_pk: int, event_id: str) -> list[str] | None:
    """Return the cards that changed since an event, or None for an id that is not ours.

    An empty list says that more changed than can be named.
    """
    try:
        since = datetime.fromtimestamp(int(event_id) / 1_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    changed = Card.objects.for_owner(Owner(pk=owner_pk)).filter(changed_at__gt=since - SLACK)
    found = list(changed.order_by("-changed_at").values_list("uuid", flat=True)[: MISSED_MOST + 1])
    if not found:
        return None
    return [str(uuid) for uuid in found] if len(found) <= MISSED_MOST else []


# -- the application -------------------------------------------------------------------

hub = Hub()


def session_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the session a request names: an app's token, else the browser's cookie."""
    headers = list(headers)
    token = next((value.decode("latin-1") for name, value in headers if name == TOKEN), "")
    if token:
        return token if len(token) <= sse.SIZE_MOST else ""
    return sse.cookie_of(headers, settings.SESSION_COOKIE_NAME)


def is_path(path: str) -> bool:
    """Whether a request is for a stream."""
    return path == PATH or path.startswith(pass_stream.PATH)


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for the stream."""
    if scope["method"] not in ("GET", "HEAD"):
        await sse.refuse(send, 405, "Method not allowed", {"Allow": "GET, HEAD"})
        return
    headers = list(scope["headers"])
    if scope["path"] != PATH:
        hub.start()
        await pass_stream.read(hub.room, scope, receive, send)
        return
    session = session_of(headers)
    known = (await hub.run(live, [session])).get(session) if session else None
    if known is None:
        scheme = 'Session realm="steward", header="X-Session-Token"'
        await sse.refuse(send, 401, "Sign in first", {"WWW-Authenticate": scheme})
        return
    if not settings.REDIS_URL:  # nobody would ring; 204 tells a browser to stop asking
        await sse.answer(send, 204, {}, b"")
        return
    if len(hub.by_owner.get(known[0], ())) >= OWNER_MOST:
        await sse.refuse(send, 429, "Too many requests", {"Retry-After": "60"})
        return
    if len(hub.listeners) >= MOST:
        await sse.refuse(send, 503, "Not available now", {"Retry-After": "60"})
        return
    if scope["method"] == "HEAD":
        await sse.answer(send, 200, sse.STREAMING, b"")
        return
    last = next((value for name, value in headers if name == b"last-event-id"), b"")
    await _serve(Listener(session, *known), last.decode("latin-1")[: sse.SIZE_MOST], receive, send)


async def _serve(listener: Listener, last: str, receive: Receive, send: Send) -> None:
    async def hello() -> bytes:
        # Listening comes first, so nothing falls between what was missed and what comes.
        missed = await hub.run(missed_by, listener.owner, last) if last else None
        counted = await hub.run(counts_of, listener.owner)
        said = f"retry: {RETRY_MS}\n\n".encode()
        if missed is not None:
            said += hub.event("cards", {"ids": missed})
        return said + hub.event("counts", counted)

    hub.start()
    hub.add(listener)
    try:
        await sse.pour(listener, receive, send, hello=hello)
    finally:
        hub.remove(listener)
