"""The times a supplier offers for a visit, and the one that the owner picks. Pure.

An offer is held as a fact each, `slot.` and the supplier's own name of it; only those of
the newest statement are open, and only until the supplier says it holds them.
"""

from dataclasses import dataclass
from datetime import datetime

from notifications.choices import Turn
from notifications.matter import LOG_AS_INCUMBENT, Decided, Matter, Value, read_window, window_key
from owners.choices import Trust
from suppliers.contacts import Window

ASKED = "slot"  # the ask that stands while a time is to be picked
PREFIX = "slot."


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One time that may be picked; `source` is the contact that offers it."""

    slot_id: str
    window: Window
    source: str


def open_offers(matter: Matter, now: datetime) -> list[Offer]:
    """Return the times that may be picked now, the earliest first."""
    until = matter.facts.get("answer_by")
    if ASKED not in matter.asks:
        return []
    held = until.current if until is not None else None
    if held is not None and now > datetime.fromisoformat(held.key):
        return []
    values = {
        name.removeprefix(PREFIX): register.current
        for name, register in matter.facts.items()
        if name.startswith(PREFIX) and register.current is not None
    }
    newest = max((value.said_at for value in values.values()), default=None)
    found = [
        Offer(slot_id=slot_id, window=read_window(value.key), source=value.sources[0])
        for slot_id, value in values.items()
        if value.said_at == newest
    ]
    return sorted(found, key=lambda offer: (offer.window.start, offer.slot_id))


def pick(matter: Matter, decided: Decided) -> None:
    """The owner takes one of the times; it is booked when the supplier says so."""
    window = read_window(decided.data["window"])
    matter.asks.pop(ASKED, None)
    matter.turn = Turn.SUPPLIER
    for slot in matter.live_slots:
        if slot.span is None or not slot.uid:
            value = Value(
                key=window_key(window),
                # No more than the supplier's own offer: its later word may still move it.
                trust=LOG_AS_INCUMBENT,
                said_at=decided.at,
                sources=[decided.id],
            )
            slot.window.state(value, challenger=Trust.OWNER, is_later=True)
            matter.confirmed.add(f"slot:{slot.name}")
            return
