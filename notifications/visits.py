"""What contacts say of a visit: when, where, who comes, how far it is, whether it stands.

Pure. Statements are merged by their order and by how far their senders are believed.
"""

from dataclasses import replace
from datetime import timedelta

from notifications import invitations, series
from notifications.matter import (
    BOOKED,
    CANCELLED,
    EXPECTED_STAGES,
    Entry,
    Matter,
    News,
    Slot,
    Value,
    value_of,
    window_key,
)
from owners.choices import Trust
from suppliers import itip
from suppliers.choices import Stage
from suppliers.contacts import Visit, Window
from suppliers.itip import Effect


def _find_slot(matter: Matter, entry: Entry, visit: Visit) -> Slot | None:
    """Return the visit that is spoken of, or None for a new one."""
    if visit.uid:
        for slot in matter.slots:
            if slot.uid == visit.uid and slot.recurrence_id == visit.recurrence_id:
                return slot
    if visit.window is not None:
        key = window_key(visit.window)
        for slot in matter.slots:
            known = {old.key for old in slot.window.replaced}
            if slot.window.current:
                known.add(slot.window.current.key)
            fits = not visit.uid or not slot.uid
            if slot.uid and slot.uid == visit.uid:
                continue  # another one of its series
            if (
                key in known
                # Words seldom say whether a person or a parcel comes.
                and (slot.kind == visit.kind or entry.said.is_from_text)
                and (fits or (slot.window.current is not None and slot.window.current.key == key))
            ):
                return slot
    live = [
        slot
        for slot in matter.slots
        if slot.is_live and slot.kind == visit.kind and not slot.behind
    ]
    if visit.uid:
        live = [slot for slot in live if not slot.uid]
    if visit.window is None and not live:
        live = [slot for slot in matter.slots if slot.kind == visit.kind and not visit.uid][-1:]
    return live[0] if len(live) == 1 else None


def take_visit(matter: Matter, entry: Entry, visit: Visit, news: News) -> None:
    if entry.said.type == "appointment.counter_declined":
        visit = replace(visit, method=itip.DECLINECOUNTER)
    visit = invitations.as_shifted(matter, visit)
    slot = _find_slot(matter, entry, visit)
    whole = invitations.series_of(matter, visit)
    is_foreign = invitations.is_foreign(whole or slot, entry, visit)
    effect = itip.effect(visit, invitations.held(matter, visit, slot, whole))
    if visit.method in itip.TALK:
        if slot is None or is_foreign or entry.trust < Trust.AUTHENTICATED:
            matter.words.append(entry.id)
            news.new.append("words")  # of whoever it is: all there is to it
        else:
            _talk(matter, entry, visit, slot, effect, news)
        return
    if is_foreign:
        # Whoever it is may not change what another one arranged: it is a contradiction.
        entry = replace(entry, trust=Trust.UNKNOWN)
    if effect == Effect.HISTORY:
        _note_history(entry, visit, slot)
        news.known.append("older_revision")
        if slot is not None and not is_foreign:
            _still_of_series(matter, entry, visit, slot, news)
        return
    if slot is None:
        if visit.is_reminder and visit.window is None:
            return
        if is_foreign and visit.method == itip.ADD:
            news.new.append("visit_doubted")
            return
        slot = _new_slot(matter, entry, visit)
    if visit.uid and not slot.uid:
        slot.uid, slot.recurrence_id = visit.uid, visit.recurrence_id
    if not is_foreign:
        slot.organizer = slot.organizer or visit.organizer
        slot.invited = visit.invited or slot.invited
    if effect == Effect.CONTRADICTS and visit.window is not None:
        slot.window.contest(value_of(entry, window_key(visit.window)))
        news.new.append("visit_conflict")
        return
    slot.is_given = slot.is_given and is_foreign
    _state(matter, entry, visit, slot, news)
    if visit.uid:
        series.take(matter, entry, visit, slot)
        _all_after(matter, entry, visit, slot, news)
        invitations.except_from_series(matter, visit.uid)


def _still_of_series(matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: News) -> None:
    """An older statement of this one may be the newest of others in its series."""
    if visit.stage == Stage.CANCELLED:
        invitations.end_series(matter, entry, slot, visit, news)
        invitations.except_from_series(matter, visit.uid)
    _all_after(matter, entry, visit, slot, news)


def _all_after(matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: News) -> None:
    """What is said of one of a series and of all after it changes those, too."""
    shift = invitations.shift_by(entry, visit, slot) if visit.is_range else None
    if shift is None or (slot.shift is not None and slot.shift.version >= shift.version):
        return
    slot.shift = shift
    for other, start in invitations.moved_by(matter, shift, slot):
        window = shift.of(start)
        if window is None:
            invitations.cancel(entry, other, news)
        else:
            said = replace(visit, window=window, recurrence_id=other.recurrence_id)
            _window(matter, entry, said, other, news, is_numbered=True)
        other.order = shift.version


def _note_history(entry: Entry, visit: Visit, slot: Slot | None) -> None:
    """An older statement changes nothing, but it may know what the newer one left out."""
    if slot is None or visit.window is None or slot.window.current is not None:
        return
    slot.window.state(value_of(entry, window_key(visit.window)), challenger=entry.trust)


def _talk(
    matter: Matter, entry: Entry, visit: Visit, slot: Slot, effect: Effect, news: News
) -> None:
    """Take in what never moves a visit: a proposal, a question, an answer."""
    if effect == Effect.ANSWERS and visit.stage in (Stage.CONFIRMED, Stage.CANCELLED):
        if not _is_for_others(entry, visit, slot, news, is_later=False):
            _advance(entry, visit, slot, news)
    else:
        invitations.talk(matter, entry, visit, slot, effect, news)


def _state(matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: News) -> None:
    """Take in a statement that is not older than what is known."""
    order = itip.version_of(visit)
    if slot.supplier == 0:
        slot.supplier = entry.supplier
    is_revived = (
        order is not None
        and slot.order is not None
        and order > slot.order
        and visit.stage in EXPECTED_STAGES
    )
    if slot.stage == Stage.CANCELLED and not is_revived and visit.stage != Stage.CANCELLED:
        _speak_of_cancelled(matter, entry, visit, slot, news)
        return
    is_later = order is not None and slot.order is not None and order > slot.order
    if _is_for_others(entry, visit, slot, news, is_later=is_later):
        return
    is_rebooked = _is_rebooked(slot, visit)
    if visit.window is not None:
        _window(matter, entry, visit, slot, news, is_numbered=order is not None)
    if is_rebooked and slot.window.contested is None:
        slot.stage, slot.stage_source, slot.arrived_at = visit.stage, entry.id, None
        slot.rounds += 1
    if is_revived and slot.stage == Stage.CANCELLED:
        slot.stage, slot.stage_source = visit.stage, entry.id
        news.new.append("visit")
    _details(entry, visit, slot, news, is_numbered=order is not None)
    registers = (slot.window, slot.where, slot.who)
    if order is not None and not any(
        register.contested is not None
        and register.is_doubted
        and entry.id in register.contested.sources
        for register in registers
    ):
        # The number of somebody who is not believed makes nothing that follows look old.
        slot.order = order
    _advance(entry, visit, slot, news)
    if visit.stage == Stage.CANCELLED and slot.stage == Stage.CANCELLED:
        invitations.end_series(matter, entry, slot, visit, news)


def take_arrival(matter: Matter, entry: Entry, eta: Window, news: News) -> None:
    """A time of arrival without a visit is that of the one visit expected around then."""
    day = timedelta(hours=24)
    expected = [
        slot
        for slot in matter.slots
        if slot.is_expected
        and slot.span is not None
        and slot.span.start - day < eta.start < slot.span.end + day
    ]
    if len(expected) != 1:
        return
    if expected[0].eta == eta:
        news.known.append("eta")
        return
    expected[0].eta, expected[0].eta_source = eta, entry.id
    news.new.append("eta")


def _new_slot(matter: Matter, entry: Entry, visit: Visit) -> Slot:
    name = visit.uid + visit.recurrence_id or (
        window_key(visit.window) if visit.window else entry.id
    )
    slot = Slot(name=name, supplier=entry.supplier, kind=visit.kind)
    slot.uid, slot.recurrence_id = visit.uid, visit.recurrence_id
    matter.slots.append(slot)
    if visit.recurrence_id and visit.method != itip.ADD:
        _from_series(matter, entry, visit, slot)
    return slot


def _from_series(matter: Matter, entry: Entry, visit: Visit, slot: Slot) -> None:
    """One of a series begins at the time that the series gave it (RFC 5545, RECURRENCE-ID)."""
    start = invitations.read_instant(visit.recurrence_id)
    if start is None:
        return
    whole = next((s for s in matter.slots if s.uid == visit.uid and not s.recurrence_id), None)
    length = whole.span if whole is not None and whole.span is not None else visit.window
    if length is None or (whole is None and visit.stage == Stage.CANCELLED):
        return
    shift = invitations.shift_of(matter, visit.uid, start)
    given = shift.of(start) if shift is not None else None
    given = given or Window(start=start, end=start + (length.end - length.start))
    slot.series = window_key(given)
    known = value_of(entry, slot.series)
    if whole is not None and whole.window.current is not None:
        known.trust, known.sources = whole.window.current.trust, [*whole.window.current.sources]
        booked = replace(known, key=BOOKED, sources=[*known.sources])
        slot.standing.state(booked, challenger=known.trust)
    slot.window.state(known, challenger=known.trust)
    slot.stage = Stage.BOOKED


def _is_for_others(entry: Entry, visit: Visit, slot: Slot, news: News, *, is_later: bool) -> bool:
    """Note whether the visit stands; true when this sender cannot change that.

    A cancellation by somebody less trusted than who booked leaves the visit booked, and
    a booking by somebody less trusted than who cancelled leaves it cancelled.
    """
    if visit.is_reminder or visit.stage not in (*EXPECTED_STAGES, Stage.STARTED, Stage.CANCELLED):
        return False
    key = CANCELLED if visit.stage == Stage.CANCELLED else BOOKED
    if key == CANCELLED and entry.trust <= slot.dismissed:
        news.known.append("visit_doubted")
        return True
    what = slot.standing.state(value_of(entry, key), challenger=entry.trust, is_later=is_later)
    if what == "settled":
        news.new.append("visit_settled")
    stands = slot.standing.current
    if stands is None or stands.key == key:
        return False
    (news.new if what == "conflict" else news.known).append("visit_doubted")
    return True


def _details(entry: Entry, visit: Visit, slot: Slot, news: News, *, is_numbered: bool) -> None:
    """Take in where it is and who comes."""
    if visit.zone and not slot.zone:
        slot.zone, slot.zone_source = visit.zone, entry.id
    is_again = slot.window.current is not None and len(slot.window.current.sources) > 1
    said = (("place", visit.place, slot.where), ("person", visit.person, slot.who))
    for name, text, register in said:
        key = " ".join(text.split())
        if not key:
            continue
        what = register.state_in_order(
            value_of(entry, key), challenger=entry.trust, is_numbered=is_numbered
        )
        if what == "new" and is_again:
            news.new.append(name)
        elif what in ("changed", "conflict", "settled"):
            news.new.append(f"{name}_{what}")


def _is_rebooked(slot: Slot, visit: Visit) -> bool:
    """Whether a visit that was missed gets a time that it did not have before."""
    if slot.stage != Stage.MISSED or visit.window is None or visit.is_reminder:
        return False
    had = [slot.window.current, *slot.window.replaced]
    key = window_key(visit.window)
    return visit.stage in EXPECTED_STAGES and all(
        value is None or value.key != key for value in had
    )


def _speak_of_cancelled(matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: News) -> None:
    """A reminder never revives a cancelled visit; a real new booking is another visit."""
    is_same = visit.window is None or (
        slot.window.current is not None and window_key(visit.window) == slot.window.current.key
    )
    if visit.is_reminder or is_same:
        news.known.append("cancelled_visit")
        return
    fresh = Slot(name=window_key(visit.window), supplier=entry.supplier, kind=visit.kind)  # type: ignore[arg-type]
    matter.slots.append(fresh)
    _window(matter, entry, visit, fresh, news, is_numbered=False)
    _advance(entry, visit, fresh, news)


def _window(
    matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: News, *, is_numbered: bool
) -> None:
    assert visit.window is not None  # noqa: S101 - the caller asked
    value = value_of(entry, window_key(visit.window))
    what = slot.window.state_in_order(value, challenger=entry.trust, is_numbered=is_numbered)
    if what == "new":
        news.new.append("visit")
    elif what == "changed":
        news.new.append("visit_moved")
        slot.eta = None
        # A yes or a no to the old time says nothing of the new one.
        matter.confirmed.discard(f"slot:{slot.name}")
        slot.is_declined = False
        if slot.stage == Stage.CONFIRMED and visit.stage != Stage.CONFIRMED:
            # Nor does the supplier's own yes to the old one.
            slot.stage = Stage.BOOKED
    elif what in ("conflict", "settled"):
        news.new.append(f"visit_{what}")
    else:
        news.known.append("visit_window")
    if what == "changed" or (slot.proposal is not None and slot.proposal.key == value.key):
        invitations.put_aside(matter, slot)


def _advance(entry: Entry, visit: Visit, slot: Slot, news: News) -> None:
    """Stages only move forward; late news is history."""
    stage = visit.stage
    at = visit.at or entry.said.said_at
    if stage == Stage.STARTED and slot.arrived_at is None:
        slot.arrived_at = at
    if stage == Stage.DONE and slot.done_at is None:
        slot.done_at = at
    if stage == Stage.MISSED and slot.stage == Stage.DONE:
        news.known.append("stage")
        return
    if stage == Stage.DONE and entry.trust < Trust.KNOWN_NUMBER:
        news.known.append("unproved_stage")
        return
    # Who is on the way is expected from then on, also where that is the first word of it.
    is_awaited = slot.is_expected or (slot.is_live and stage == Stage.ON_THE_WAY > slot.stage)
    if entry.said.eta is not None and entry.said.eta != slot.eta and is_awaited:
        slot.eta, slot.eta_source = entry.said.eta, entry.id
        news.new.append("eta")
    if visit.is_reminder or stage <= slot.stage:
        if slot.stage == stage or visit.is_reminder:
            news.known.append("stage")
        return
    was_unknown = slot.stage == Stage.ASKED and stage == Stage.BOOKED
    slot.stage, slot.stage_source = stage, entry.id
    if not was_unknown:
        names = {
            Stage.CANCELLED: "cancelled",
            Stage.DONE: "done",
            Stage.MISSED: "missed",
            Stage.ON_THE_WAY: "on_the_way",
        }
        news.new.append(names.get(stage, "stage"))
    elif slot.window.current is None:
        news.new.append("stage")


def settle(matter: Matter, value: Value) -> None:
    """The owner says whether the visit stands."""
    doubted = [slot for slot in matter.slots if slot.standing.contested is not None]
    for slot in (doubted or matter.live_slots or matter.slots[-1:])[:1]:
        doubt = slot.standing.contested
        if value.key == CANCELLED:
            slot.standing.correct(value)
            slot.stage, slot.stage_source = Stage.CANCELLED, value.sources[0]
            continue
        # Whoever is trusted more may still cancel; nobody else brings the doubt up again.
        slot.dismissed = max(slot.dismissed, doubt.trust if doubt else -1)
        slot.standing.contested = None
        if slot.stage == Stage.CANCELLED:
            slot.standing.correct(value)
            slot.stage, slot.stage_source = Stage.BOOKED, value.sources[0]
