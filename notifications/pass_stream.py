"""The event stream of whoever reads a pass: it ended, or what it shows has changed.

The page shows nothing of the pass once it hears `gone`. What was revoked is hinted and looked
up at once; what runs out by itself is found by looking every `TOUCH_S`, which also notes that
the page is still open. One look serves every page of this process.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError

from notifications import pass_rules, passes, sse
from notifications.sse import Receive, Scope, Send
from owners import clock, doorbell

log = structlog.get_logger(__name__)

PATH = "/passes/live/"
COOKIE = "pass_live"
RETRY_MS = 1_000  # how long a page waits before it connects again
TOUCH_S = 4.0  # well within pass_rules.PRESENT
BURST_S = 0.03  # a burst of hints is one look
PAGE_MOST = 4  # connections of one opened page
MOST = 5_000  # connections in this process


@dataclass(eq=False, slots=True)
class Reader(sse.Line):
    """One open connection of somebody who reads a pass."""

    visit: UUID
    held: str  # the hint that names its pass
    household: int
    version: str


class Room:
    """The pages of passes that are open in this process."""

    def __init__(self, run: Callable[..., Awaitable[Any]]) -> None:
        self.run = run
        self.by_visit: dict[UUID, set[Reader]] = defaultdict(set)
        self.by_household: dict[int, set[Reader]] = defaultdict(set)
        self.size = 0
        self.due: set[UUID] = set()
        self.is_due = asyncio.Event()

    def add(self, reader: Reader) -> None:
        """Let a page hear."""
        self.by_visit[reader.visit].add(reader)
        self.by_household[reader.household].add(reader)
        self.size += 1

    def remove(self, reader: Reader) -> None:
        """Forget a page; its owner hears of it, unless it is soon back."""
        self.size -= 1
        groups: tuple[tuple[Any, Any], ...] = (
            (self.by_household, reader.household),
            (self.by_visit, reader.visit),
        )
        for index, key in groups:
            index[key].discard(reader)
            if not index[key]:
                del index[key]
        if reader.visit not in self.by_visit:
            wait = pass_rules.PRESENT.total_seconds() + 0.5
            hint = {reader.household: [reader.held]}
            asyncio.get_running_loop().call_later(wait, doorbell.hint, hint)

    def hear(self, named: dict[int, list[str]]) -> None:
        """Look again at the pages that a hint may concern."""
        for household, ids in named.items():
            others = not ids or any(not name.startswith(passes.HINT) for name in ids)
            for reader in self.by_household.get(household, ()):
                if others or reader.held in ids:
                    self.due.add(reader.visit)
        if self.due:
            self.is_due.set()

    async def watch(self) -> None:
        """Look for ever: at once where a hint says so, and at every page now and then."""
        loop = asyncio.get_running_loop()
        touched_at = loop.time()
        while True:
            left = touched_at + TOUCH_S - loop.time()
            try:
                async with asyncio.timeout(max(left, 0)):
                    await self.is_due.wait()
                await asyncio.sleep(BURST_S)
            except TimeoutError:
                touched_at = loop.time()
                await self._look(set(self.by_visit), is_touch=True)
            else:
                asked, self.due = self.due, set()
                self.is_due.clear()
                await self._look(asked, is_touch=False)

    async def _look(self, asked: set[UUID], *, is_touch: bool) -> None:
        if not asked:
            return
        try:
            look = partial(passes.watch, visits=asked, is_touch=is_touch, now=clock.now())
            open_ones = await self.run(look)
        except DatabaseError as error:  # the pages show nothing once they hear nothing
            log.warning("passes_unwatched", error=type(error).__name__)
            return
        for visit in asked:
            version = open_ones.get(visit)
            for reader in self.by_visit.get(visit, ()):
                if version is None:
                    reader.put(_event("gone", {}))
                    reader.put(None)
                elif version != reader.version:
                    reader.version = version
                    reader.put(_event("version", {"version": version}))
                elif is_touch:
                    reader.put(_event("beat", {}))


def _event(name: str, data: dict[str, str]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


async def read(room: Room, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for the stream of an opened page."""
    secret = sse.cookie_of(scope["headers"], COOKIE)
    try:
        visit = UUID(scope["path"].removeprefix(PATH).rstrip("/"))
    except ValueError:
        await sse.refuse(send, 410, "This pass does not open", {})
        return
    if not settings.REDIS_URL:  # nobody would ring; 204 tells a browser to stop asking
        await sse.answer(send, 204, {}, b"")
        return
    found = await room.run(_found, visit, secret)
    if found is None:
        await sse.refuse(send, 410, "This pass does not open", {})
        return
    if room.size >= MOST or len(room.by_visit.get(visit, ())) >= PAGE_MOST:
        await sse.refuse(send, 429, "Too many requests", {"Retry-After": "10"})
        return
    if scope["method"] == "HEAD":
        await sse.answer(send, 200, sse.STREAMING, b"")
        return
    reader = Reader(visit, *found)

    async def hello() -> bytes:
        # What ended or changed between the look above and listening is looked up again.
        room.due.add(visit)
        room.is_due.set()
        return f"retry: {RETRY_MS}\n\n".encode() + _event("version", {"version": reader.version})

    room.add(reader)
    try:
        await sse.pour(reader, receive, send, hello=hello)
    finally:
        room.remove(reader)


def _found(visit: UUID, secret: str) -> tuple[str, int, str] | None:
    found = passes.go_on(visit=visit, secret=secret, now=clock.now())
    if found is None:
        return None
    return passes.hint_of(found.held), found.household_id, passes.version_of(found)
