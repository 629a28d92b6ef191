"""The one clock. Edges read it; everything below takes `now` as a parameter."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_fixed: ContextVar[datetime | None] = ContextVar("fixed_now", default=None)


def now() -> datetime:
    """Return the present instant (UTC), or the simulated one inside `fixed`."""
    return _fixed.get() or datetime.now(UTC)  # noqa: TID251 - the one place that may


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Let `now` stand at `at`: replays run a year in seconds."""
    previous = _fixed.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(previous)
