"""A visit that repeats: when one of a series is over, the next one is expected. Pure.

The starts come with the invitation (`Visit.later`), at most a hundred; nothing is expanded
here. What is said of a single one, or of it and all after it, goes before the series.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from notifications import invitations
from notifications.matter import (
    BOOKED,
    GRACE,
    WAITED,
    Entry,
    Matter,
    Register,
    Series,
    Slot,
    Value,
    value_of,
    window_key,
)
from suppliers import itip
from suppliers.choices import Stage
from suppliers.contacts import Visit, Window

# Of visits that follow soon, the next one is shown this long before it.
BEFORE = timedelta(hours=12)
OVER = frozenset({Stage.DONE, Stage.MISSED, Stage.CANCELLED})


def take(matter: Matter, entry: Entry, visit: Visit, slot: Slot) -> None:
    """Take in how a series goes on; what it gave before and nobody spoke of is void."""
    is_whole = not visit.recurrence_id or bool(visit.later)
    current = slot.window.current
    if not is_whole or visit.method not in itip.STATEMENTS | {""} or visit.window is None:
        return
    said = window_key(visit.window)
    if current is None or current.key != said or entry.trust < current.trust:
        return  # its sender is not believed
    is_new = slot.repeats is None or slot.repeats.later != visit.later
    for other in matter.slots:
        if other.uid == visit.uid:
            other.repeats = None
    if is_new:
        matter.slots[:] = [
            other for other in matter.slots if not _is_void(other, visit, entry.said.said_at)
        ]
    if visit.later:
        value = value_of(entry, current.key)
        length = visit.window.end - visit.window.start
        slot.repeats = Series(later=visit.later, length=length, value=value)


def _is_void(slot: Slot, visit: Visit, at: datetime) -> bool:
    """Whether it was only ever expected by what the series said before."""
    is_ahead = slot.span is not None and slot.span.start > at
    is_untouched = slot.stage == Stage.BOOKED and not slot.is_declined
    return slot.is_given and slot.uid == visit.uid and is_ahead and is_untouched


def roll(matter: Matter, at: datetime) -> None:
    """Expect the next one of each series whose last one is over at an instant."""
    matter.rolls_at = None
    for first in [slot for slot in matter.slots if slot.repeats is not None]:
        _roll(matter, first, at)


def goes_on(matter: Matter, slot: Slot, at: datetime) -> bool:
    """Whether another one of its series is expected once this one is over."""
    roll(matter, at)
    return any(other.uid == slot.uid and other.is_live for other in matter.slots if slot.uid)


def _roll(matter: Matter, first: Slot, at: datetime) -> None:
    assert first.repeats is not None  # noqa: S101 - the caller asked
    named = [slot for slot in matter.slots if slot.uid == first.uid]
    ends = [slot.ended for slot in named if slot.ended is not None]
    if ends and (first.order is None or first.order <= max(ends)):
        return
    own = {invitations.read_instant(slot.recurrence_id): slot for slot in named}
    passed = [first]
    if first.is_excepted and first.span is not None:
        passed = [own.get(first.span.start, first)]
    for start in first.repeats.later:
        over_at = _over_at(passed[-1], start)
        if over_at is None or at < over_at:
            _wake(matter, over_at)
            break
        slot = own.get(start) or _given(matter, first, start, passed[-1])
        if slot is not None:
            passed.append(slot)
    behind = 0
    for slot in reversed(passed):
        slot.behind = behind
        behind += not _is_off(slot)
    begins = passed[0].span
    for slot in named:
        if slot not in passed and slot.span and begins and slot.span.start < begins.start:
            slot.behind = max(slot.behind, behind)


def _over_at(slot: Slot, following: datetime) -> datetime | None:
    """When nobody waits for one of a series any more; None where no time says so."""
    if slot.stage in OVER or _is_off(slot):
        return datetime.min.replace(tzinfo=following.tzinfo)
    if slot.span is None:
        return None
    soonest = max(slot.span.end + GRACE, following - BEFORE)
    return min(slot.span.end + WAITED, soonest)


def _is_off(slot: Slot) -> bool:
    return slot.stage == Stage.CANCELLED or slot.is_declined or slot.is_excepted


def _wake(matter: Matter, at: datetime | None) -> None:
    if at is not None and (matter.rolls_at is None or at < matter.rolls_at):
        matter.rolls_at = at


def _given(matter: Matter, first: Slot, start: datetime, before: Slot) -> Slot | None:
    """Add one of a series as the series gives it; None where it was cancelled with others."""
    assert first.repeats is not None  # noqa: S101 - the caller asked
    shift = invitations.shift_of(matter, first.uid, start)
    if shift is not None and shift.to is None:
        return None
    moved = shift.of(start) if shift is not None else None
    window = moved or Window(start=start, end=start + first.repeats.length)
    key, named = window_key(window), start.isoformat()
    slot = Slot(name=first.uid + named, supplier=first.supplier, kind=first.kind)
    slot.uid, slot.recurrence_id, slot.series, slot.is_given = first.uid, named, key, True
    for register, what in ((slot.window, key), (slot.standing, BOOKED)):
        value = first.repeats.value
        register.state(_again(value, what), challenger=value.trust)
    slot.stage, slot.stage_source = Stage.BOOKED, first.repeats.value.sources[0]
    slot.zone, slot.zone_source = first.zone, first.zone_source
    slot.organizer, slot.invited = first.organizer, first.invited
    slot.where, slot.who = (
        Register(current=_again(register.current) if register.current else None)
        for register in (first.where, first.who)
    )
    if f"slot:{before.name}" in matter.confirmed:
        matter.confirmed.add(f"slot:{slot.name}")  # the owner said yes to the series
    matter.slots.append(slot)
    return slot


def _again(value: Value, key: str = "") -> Value:
    return replace(value, key=key or value.key, sources=[*value.sources])
