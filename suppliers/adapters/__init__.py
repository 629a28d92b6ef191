"""From what was sent to what was said: one adapter for each way in.

`read(payload, *, context)` takes the stored payload and returns the contacts in it. It is
pure (mail is read in a child process, see `suppliers.sandbox`) and raises `ContentError`
when the content is not what the contract says. A contact's
identity is its `identity` where the adapter gives one, else the event's id, with "#n"
for the second and later contacts of one event: several callbacks of one call name the
same identity, and `Contact.completed_by` says what their one contact then is.
"""

from collections.abc import Callable
from typing import Any

from suppliers.adapters import event, mail, owner_log, pass_note, telephony
from suppliers.adapters.context import Context
from suppliers.adapters.errors import ContentError
from suppliers.choices import Way
from suppliers.contacts import Contact

Adapter = Callable[..., list[Contact]]

ADAPTERS: dict[str, Adapter] = {
    Way.WEBHOOK: event.read,
    Way.MAIL: mail.read,
    Way.TELEPHONY: telephony.read,
    Way.OWNER: owner_log.read,
    Way.PASS: pass_note.read,
}

__all__ = ["ADAPTERS", "Adapter", "ContentError", "Context", "read"]


def read(way: str, payload: bytes | dict[str, Any], *, context: Context) -> list[Contact]:
    """Return the contacts in a payload that came in by `way`."""
    return ADAPTERS[way](payload, context=context)
