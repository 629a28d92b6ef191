"""What calendar messages do beside stating a visit: proposals, answers, whole series. Pure.

`suppliers.itip` says what a message means; here it meets the matter and who is believed.
"""

from dataclasses import replace
from datetime import datetime

from notifications.matter import (
    CANCELLED,
    Entry,
    Matter,
    News,
    Shift,
    Slot,
    value_of,
    window_key,
)
from owners.choices import Trust
from suppliers import itip
from suppliers.choices import Stage
from suppliers.contacts import Visit
from suppliers.itip import Effect


def series_of(matter: Matter, visit: Visit) -> Slot | None:
    """Return the visit, or the whole series, that a UID was first used for."""
    if not visit.uid:
        return None
    named = [slot for slot in matter.slots if slot.uid == visit.uid]
    return next((slot for slot in named if not slot.recurrence_id), None) or next(iter(named), None)


def is_foreign(held: Slot | None, entry: Entry, visit: Visit) -> bool:
    """Whether a calendar speaks of what another supplier arranged under the same UID.

    The organizer whom that supplier named may speak, where a proof says it is they.
    """
    is_calendar = bool(visit.method) or itip.version_of(visit) is not None
    if held is None or not held.uid or held.uid != visit.uid or not is_calendar or entry.is_own:
        return False
    if held.supplier in (0, entry.supplier):
        return False
    is_organizer = bool(held.organizer) and entry.said.sender == held.organizer
    return not (is_organizer and entry.trust >= Trust.AUTHENTICATED)


def held(matter: Matter, visit: Visit, slot: Slot | None, whole: Slot | None) -> itip.Held:
    """Return what is known before a message: of this one, and of the series it is in."""
    ended = whole.ended if whole is not None else None
    start = read_instant(visit.recurrence_id)
    shift = shift_of(matter, visit.uid, start) if start is not None else None
    if shift is not None and shift.to is None:
        ended = max(ended or shift.version, shift.version)
    if slot is None:
        return itip.Held(ended=ended)
    return itip.Held(
        version=slot.order,
        window=slot.span,
        is_cancelled=slot.stage == Stage.CANCELLED,
        ended=ended,
    )


def end_series(matter: Matter, entry: Entry, whole: Slot, visit: Visit, news: News) -> None:
    """The cancellation of a whole series cancels each one of it that is no newer."""
    version = itip.version_of(visit)
    stands = whole.standing.current
    if version is None or visit.recurrence_id or not visit.uid:
        return
    if stands is not None and entry.trust < stands.trust:
        return  # who says so is not believed
    whole.ended = max(whole.ended or version, version)
    for slot in matter.slots:
        if slot.uid != visit.uid or slot is whole or slot.stage >= Stage.DONE:
            continue
        if slot.order is not None and slot.order > version:
            continue
        cancel(entry, slot, news)


def cancel(entry: Entry, slot: Slot, news: News) -> None:
    """Cancel one of a series with others of it, where the sender is believed."""
    slot.standing.state(value_of(entry, CANCELLED), challenger=entry.trust, is_later=True)
    if slot.standing.current is not None and slot.standing.current.key == CANCELLED:
        slot.stage, slot.stage_source = Stage.CANCELLED, entry.id
        news.new.append("cancelled")


# --- one of a series, and all after it ------------------------------------------------------


def shift_by(entry: Entry, visit: Visit, slot: Slot) -> Shift | None:
    """Return what a statement of one of a series does to all after it.

    None where who says so is not believed, or there is nothing to go by.
    """
    version, first = itip.version_of(visit), read_instant(visit.recurrence_id)
    is_cancelled = visit.stage == Stage.CANCELLED
    register = slot.standing if is_cancelled else slot.window
    is_doubted = register.current is not None and entry.trust < register.current.trust
    if version is None or first is None or is_doubted or not (is_cancelled or visit.window):
        return None
    to = None if is_cancelled else visit.window
    return Shift(first=first, to=to, version=version, zone=visit.zone or slot.zone)


def shift_of(matter: Matter, uid: str, start: datetime) -> Shift | None:
    """Return the newest change that the one of a series at `start` is under; mostly none."""
    found = [
        slot.shift
        for slot in matter.slots
        if slot.shift is not None and slot.uid == uid and slot.shift.first <= start
    ]
    return max(found, key=lambda shift: shift.version, default=None)


def moved_by(matter: Matter, shift: Shift, slot: Slot) -> list[tuple[Slot, datetime]]:
    """Return those of a series that a change moves with `slot`, each with its own time in it.

    One with a newer statement of its own stays, and so does one that the same calendar moves
    by itself.
    """
    found = []
    for other in matter.slots:
        start = read_instant(other.recurrence_id)
        if start is None or other is slot or other.uid != slot.uid or start <= shift.first:
            continue
        is_over = other.stage >= Stage.DONE or other.stage == Stage.CANCELLED
        if is_over or shift_of(matter, slot.uid, start) is not shift:
            continue
        is_own = shift.to is not None and other.span is not None and other.span.start != start
        if other.order is None or (other.order, is_own) <= (shift.version, False):
            found.append((other, start))
    return found


def as_shifted(matter: Matter, visit: Visit) -> Visit:
    """Return what an older statement of one of a series says after all from then on moved."""
    version, start = itip.version_of(visit), read_instant(visit.recurrence_id)
    if visit.is_range or visit.method in itip.TALK or version is None or start is None:
        return visit
    shift = shift_of(matter, visit.uid, start)
    if shift is None or visit.window is None or version > shift.version:
        return visit
    if version == shift.version and visit.window.start != start:
        return visit  # the same calendar moves this one by itself
    return replace(visit, window=shift.of(start) or visit.window)


def except_from_series(matter: Matter, uid: str) -> None:
    """The first one of a series gives way where it has a visit of its own."""
    named = [slot for slot in matter.slots if slot.uid == uid]
    whole = next((slot for slot in named if not slot.recurrence_id), None)
    if whole is None or whole.span is None or len(named) == 1:
        return
    # Those that ended with the whole series came back with it.
    own = {
        read_instant(slot.recurrence_id)
        for slot in named
        if slot is not whole
        and (whole.ended is None or slot.order is None or slot.order > whole.ended)
    }
    whole.is_excepted = whole.span.start in own


def read_instant(text: str) -> datetime | None:
    """Return the instant a RECURRENCE-ID names; a day without a time names none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def talk(
    matter: Matter, entry: Entry, visit: Visit, slot: Slot, effect: Effect, news: News
) -> None:
    """Take in what its proved sender says about a visit without stating it."""
    if effect == Effect.HISTORY:
        news.known.append("older_revision")
    elif effect == Effect.PROPOSES and visit.proposed is not None:
        _propose(matter, entry, visit, slot, news)
    elif effect == Effect.STANDS:
        proposed = {item for item in matter.confirmed if item.startswith("counter:")}
        matter.confirmed -= proposed
        if proposed:
            matter.notices[f"appointment.counter_declined:{slot.name}"] = entry.id
        (news.new if proposed else news.known).append("counter_declined")
    elif effect == Effect.RESEND:
        (news.known if "resend" in matter.asks else news.new).append("ask")
        matter.asks.setdefault("resend", ("", entry.id))


def _propose(matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: News) -> None:
    """Another time is asked for; the newest proposal is the one that waits."""
    assert visit.proposed is not None  # noqa: S101 - the caller asked
    key = window_key(visit.proposed)
    at = visit.dtstamp or entry.said.said_at
    is_booked = slot.window.current is not None and slot.window.current.key == key
    is_again = slot.proposal is not None and slot.proposal.key == key
    if is_booked or is_again or (slot.proposed_at is not None and at <= slot.proposed_at):
        news.known.append("proposal")
        return
    slot.proposal, slot.proposed_at = value_of(entry, key), at
    matter.asks["proposal"] = (key, entry.id)
    news.new.append("proposal")


def put_aside(matter: Matter, slot: Slot) -> None:
    """Nobody asks for another time any more."""
    if slot.proposal is not None:
        slot.proposal = None
        matter.asks.pop("proposal", None)


def settle_proposal(matter: Matter, key: str, *, decided: str, is_taken: bool) -> None:
    """The owner takes another time that was asked for, or keeps the one that is booked."""
    for slot in matter.slots:
        proposal = slot.proposal
        if proposal is None or proposal.key != key:
            continue
        put_aside(matter, slot)
        if is_taken:
            taken = replace(proposal, sources=[*proposal.sources, decided])
            slot.window.state(taken, challenger=Trust.OWNER, is_later=True)
            matter.confirmed.add(f"slot:{slot.name}")
