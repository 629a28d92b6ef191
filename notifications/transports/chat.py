"""Chats and self-hosted push through Apprise, in child processes with a time limit.

Apprise sleeps, waits and answers only yes or no: what it took counts as sent, never as
arrived. A child that takes too long is ended, and nobody else waits for it.
"""

import asyncio
import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from notifications.transports.values import Message, NotStarted, Sent, TransportError

CHILDREN = 2
START_S = 90.0  # a busy machine may take so long to read Apprise from its disk
ROOT = Path(__file__).resolve().parent.parent.parent


class ChatTransport:
    """Gives each message to the next free child."""

    is_repeatable = True  # a second copy in a chat does no harm
    room = 100

    def __init__(self) -> None:
        self._free: asyncio.LifoQueue[asyncio.subprocess.Process | None] | None = None
        self._children: set[asyncio.subprocess.Process] = set()

    def provider(self, to: str) -> str:
        """Return nothing: Apprise says only yes or no, so each chat is its own."""
        return ""

    async def send(self, message: Message) -> Sent:
        """Hand one message over when a child is free."""
        if self._free is None:
            self._free = asyncio.LifoQueue()
            for _ in range(CHILDREN):
                self._free.put_nowait(None)
        child = await self._free.get()
        try:
            if time.monotonic() > message.start_by:
                raise NotStarted
            if child is None or child.returncode is not None:
                child = await self._start()
            answer = await self._ask(child, message)
            if answer is None:
                self._end(child)
                child = None
                raise TransportError("took too long", is_ambiguous=True)
        finally:
            self._free.put_nowait(child)
        if answer.get("ok"):
            return Sent(ref=message.ref)
        is_bad = bool(answer.get("is_bad"))
        said = str(answer.get("said", ""))[:200] or "not taken"
        raise TransportError(said, permanent=is_bad, is_address_bad=is_bad)

    async def find(self, message: Message, *, since: datetime) -> list[Sent]:
        """Know nothing: no chat can be asked."""
        return []

    async def close(self) -> None:
        """End the children."""
        for child in list(self._children):
            self._end(child)
            await child.wait()
        self._free = None

    async def _start(self) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "notifications.chat_child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
            # No settings, no proxy, no home: nothing of ours is there to be read.
            env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "HOME": "/nonexistent"},
            start_new_session=True,
        )
        self._children.add(child)
        try:
            if child.stdout is None or not await asyncio.wait_for(child.stdout.readline(), START_S):
                raise TransportError("the chat's process does not start")
        except TimeoutError as error:
            self._end(child)
            raise TransportError("the chat's process does not start") from error
        return child

    async def _ask(
        self, child: asyncio.subprocess.Process, message: Message
    ) -> dict[str, Any] | None:
        """Return the child's answer; None when it has none in time."""
        asked = {
            "url": message.to,
            "title": message.subject,
            "body": message.text,
            "allowed": settings.REACH_ALLOWED_NETWORKS,
        }
        if child.stdin is None or child.stdout is None:
            return None
        try:
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            await child.stdin.drain()
            line = await asyncio.wait_for(child.stdout.readline(), settings.CHAT_TIMEOUT)
            answer = json.loads(line)
        except (TimeoutError, OSError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None

    def _end(self, child: asyncio.subprocess.Process) -> None:
        self._children.discard(child)
        if child.returncode is None:
            child.kill()
