"""An event loop in a thread of its own, on which messages are under way.

Answers are heard when they come, also while the caller waits for the database: no
timeout passes unseen, and no receiver waits for our disk.
"""

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Switchboard:
    """The thread and its loop; it ends when nobody holds it any more."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_serve, args=(self.loop,), name="transports", daemon=True
        )
        self._thread.start()
        self._end = weakref.finalize(self, _end, self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do one thing on the loop and return what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        """End the loop; nothing may be under way on it."""
        self._end()
        self._thread.join()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(loop.stop)


class Calls(Generic[T]):
    """Calls of one caller: put through, and their answers as they come.

    The caller's thread calls `begin`, `wait` and `drop`; everything else happens on the
    loop's thread. The caller is woken for a few answers at once: a change of threads for
    each would cost more than the answer.
    """

    def __init__(self, board: Switchboard, *, linger: float) -> None:
        self._board = board
        self._linger = linger  # seconds for which the first answer waits for company
        self._under_way: set[asyncio.Task[Any]] = set()
        self._came: deque[tuple[T, asyncio.Task[Any]]] = deque()
        self._enough = 1
        self._is_lingering = False
        self._news = threading.Event()

    def begin(self, calls: Iterable[tuple[T, Coroutine[Any, Any, Any]]]) -> None:
        """Put these calls through."""
        self._board.loop.call_soon_threadsafe(self._start, list(calls))

    def wait(self, *, enough: int, longest: float) -> list[tuple[T, asyncio.Task[Any]]]:
        """Return the answers there are, when they are `enough` or have waited for company.

        None may have come after `longest` seconds.
        """
        self._enough = enough
        if len(self._came) < enough:
            self._news.wait(longest)
        self._news.clear()
        return [self._came.popleft() for _ in range(len(self._came))]

    def drop(self) -> None:
        """Break off what is still under way, and return when nothing is."""
        self._board.run(self._cancel())

    def _start(self, calls: list[tuple[T, Coroutine[Any, Any, Any]]]) -> None:
        for whose, call in calls:
            task = self._board.loop.create_task(call)
            self._under_way.add(task)
            task.add_done_callback(self._note(whose))

    def _note(self, whose: T) -> Callable[[asyncio.Task[Any]], None]:
        def note(task: asyncio.Task[Any]) -> None:
            self._under_way.discard(task)
            self._came.append((whose, task))
            if len(self._came) >= self._enough:
                self._news.set()
            elif not self._is_lingering:
                self._is_lingering = True
                self._board.loop.call_later(self._linger, self._tell)

        return note

    def _tell(self) -> None:
        self._is_lingering = False
        if self._came:
            self._news.set()

    async def _cancel(self) -> None:
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
