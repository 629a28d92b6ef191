"""The port through which the apps above hear what was changed below, inside its transaction.

Nothing below knows who listens: without a listener nothing happens.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

# What can be heard, and who listens; plugged in when the apps start.
WISHES = "wishes"  # how and when the members of a household are told
LIFECYCLE = "lifecycle"  # where an asset is in its life with its household
CARE = "care"  # how tasks of care stand
HOLDINGS = "holdings"  # how an asset came, what covers it, what is agreed and claimed
NOTICES = "notices"  # what else the things say: low stock, loans due back
FOUND = "found"  # a stranger has left word about a thing
HANDED_OVER = "handed_over"  # an asset has passed to its next owner
_listeners: dict[str, list[Callable[..., None]]] = {
    WISHES: [],
    LIFECYCLE: [],
    CARE: [],
    HOLDINGS: [],
    NOTICES: [],
    FOUND: [],
    HANDED_OVER: [],
}


def plug_in(what: str, listener: Callable[..., None]) -> None:
    """Let `listener` hear of `what`; twice is once."""
    if listener not in _listeners[what]:
        _listeners[what].append(listener)


def tell(what: str, *, now: datetime, **about: Any) -> None:
    """Tell whoever listens."""
    for listener in _listeners[what]:
        listener(now=now, **about)
