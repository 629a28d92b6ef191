"""The doorbell: says "there is work", and nothing else.

Work is rows; a ring only saves the wait until the sweeper looks. So a ring may be lost,
doubled or late without harm, and a request never waits for Redis: `ring` returns at
once, a thread of this process publishes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar

import redis
import structlog
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError
from prometheus_client import Counter

log = structlog.get_logger(__name__)

# What is rung for, and the task that answers. Tasks carry no data.
BELLS = {
    "inbox": "notifications.tasks.pump",
    "feed": "notifications.tasks.pump",
    "delivery": "notifications.tasks.deliver",
    "outbox": "suppliers.tasks.send",
    "privacy": "config.tasks.keep_privacy",
    "imports": "assets.tasks.bring_in",
    "papers": "assets.tasks.read_papers",
}
REST = 0.02  # seconds between two publications of one process
WAITING_MS = 1_000  # how long an unanswered ring keeps others from being published
STALE_S = 30  # a ring nobody answered by then is dropped: the sweeper has rung again
COMPLAIN_S = 30.0  # a Redis that stays away is one line in the log so often
FLUSH_S = 1.0  # how long a process that ends waits for its last ring
HINTS = "steward:cards"  # the channel on which streams hear which cards changed
MOST_HINTED = 50  # cards named of one household; of more it is only said that some changed

RINGS = Counter("steward_doorbell_rings_total", "Rings published", ["task"])
FAILURES = Counter("steward_doorbell_failures_total", "Rings that could not be published")

_hushed: ContextVar[bool] = ContextVar("doorbell_hushed", default=False)


class _Ringer:
    """The thread that publishes for one process, and what it still has to publish."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.rung: set[str] = set()
        self.hinted: dict[int, set[str]] = {}
        self.is_busy = False
        self.thread: threading.Thread | None = None
        self.client: redis.Redis | None = None
        self.complained_at = -COMPLAIN_S

    def ring(self, task: str) -> None:
        with self.condition:
            self.rung.add(task)
            self._wake()

    def hint(self, cards: Mapping[int, Iterable[str]]) -> None:
        with self.condition:
            for household, ids in cards.items():
                self.hinted.setdefault(household, set()).update(ids)
            self._wake()

    def _wake(self) -> None:
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
            self.thread.start()
        self.condition.notify()

    def flush(self, timeout: float) -> None:
        """Wait until everything rung is published, at most `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (self.rung or self.hinted or self.is_busy) and time.monotonic() < deadline:
            time.sleep(0.005)

    def _run(self) -> None:
        while True:
            with self.condition:
                self.is_busy = False
                while not (self.rung or self.hinted):
                    self.condition.wait()
                tasks, self.rung, self.is_busy = self.rung, set(), True
                hints, self.hinted = self.hinted, {}
            for task in sorted(tasks):
                self._publish(task)
            if hints:
                self.publish_hints(hints)
            time.sleep(REST)

    def connected(self) -> redis.Redis:
        if self.client is None:
            self.client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
            )
        return self.client

    def may_publish_now(self) -> bool:
        """Whether Redis answered lately: who works here may then wait for it a moment."""
        return time.monotonic() - self.complained_at > COMPLAIN_S

    def publish_hints(self, hints: Mapping[int, set[str]]) -> None:
        """Say on the channel of hints which cards changed."""
        named = {
            str(household): sorted(ids) if len(ids) <= MOST_HINTED else []
            for household, ids in hints.items()
        }
        try:
            self.connected().publish(HINTS, json.dumps(named))
        except (redis.RedisError, OSError) as error:
            self._complain("hints", error)

    def _complain(self, task: str, error: Exception) -> None:
        FAILURES.inc()
        if time.monotonic() - self.complained_at > COMPLAIN_S:
            self.complained_at = time.monotonic()
            log.warning("doorbell_failed", task=task, error=type(error).__name__)

    def _publish(self, task: str) -> None:
        try:
            # A ring that still waits to be answered stands for this one too: whoever
            # answers takes the mark away first and then looks at the rows.
            if not self.connected().set(_mark(task), 1, nx=True, px=WAITING_MS):
                return
            current_app.send_task(task, retry=False, ignore_result=True, expires=STALE_S)
            RINGS.labels(task).inc()
        except (redis.RedisError, OperationalError, OSError) as error:
            self._complain(task, error)


def _mark(task: str) -> str:
    return f"steward:rung:{task}"


_ringer = _Ringer()


def _after_fork() -> None:
    global _ringer  # noqa: PLW0603 - a child has neither the parent's thread nor its locks
    _ringer = _Ringer()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _ringer.flush(FLUSH_S))


def ring(name: str) -> None:
    """Say that rows wait at the stage `name`, once what is being written is committed.

    Returns at once and never fails for want of Redis. Without REDIS_URL nobody listens:
    `manage.py drain` looks by itself.
    """
    task = BELLS[name]
    if not settings.REDIS_URL or _hushed.get():
        return
    if connection.in_atomic_block:
        # A repeated request holds its key in a transaction around the whole of its work.
        transaction.on_commit(lambda: _ringer.ring(task))
    else:
        _ringer.ring(task)


def hint(cards: Mapping[int, Iterable[str]]) -> None:
    """Say which cards of which households changed; call it after the commit.

    A hint may be lost: whoever listens asks the feed, and asks it now and then anyway.
    """
    if not (settings.REDIS_URL and cards):
        return
    if _hushed.get() and _ringer.may_publish_now():
        # A stage waits less for Redis than its cards would wait for a thread's turn beside it.
        _ringer.publish_hints({household: set(ids) for household, ids in cards.items()})
    else:
        _ringer.hint(cards)


def answered(name: str) -> None:
    """Let the next ring for `name` be published: its task has begun and will look."""
    if not settings.REDIS_URL:
        return
    try:
        _ringer.connected().delete(_mark(BELLS[name]))
    except redis.RedisError:
        FAILURES.inc()  # the mark runs out by itself


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Ring for nothing inside: who works here takes the next stages in the same go."""
    token = _hushed.set(True)
    try:
        yield
    finally:
        _hushed.reset(token)


def flush(timeout: float = FLUSH_S) -> None:
    """Wait until this process has published its rings."""
    _ringer.flush(timeout)
