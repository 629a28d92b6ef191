"""What an owner can measure, computed from what happened: no survey needed. Pure.

Every number counts contacts, notifications, visits and promises; none is a judgement.
Attention is in seconds, with the weights below for what does not last by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from owners.choices import Level
from suppliers.choices import CallStatus, ContactKind, Direction, Medium, Outcome

VOICEMAIL_EXTRA_S = 30  # dialling in, listening again
CUT_OFF_CALL_S = 20
SURVEY_S = 20
UNNAMED_S = 20  # a webhook contact that does not say how it reached the owner
MEDIUM_S = {
    Medium.EMAIL: 30,
    Medium.LETTER: 60,
    Medium.SMS: 10,
    Medium.CHAT: 10,
    Medium.APP: 10,
}
INTERRUPT_S = 10
CARD_S = 8
DIGEST_LINE_S = 3
REPEAT_WITHIN = timedelta(days=30)
EARLY = timedelta(minutes=15)
EFFORT_STEP_MIN = 15

# Media that are one way of reaching somebody; changing between them is a hop.
CHANNEL_OF = {
    Medium.CALL: "phone",
    Medium.VOICEMAIL: "phone",
    Medium.EMAIL: "email",
    Medium.SMS: "sms",
    Medium.LETTER: "letter",
    Medium.CHAT: "chat",
    Medium.APP: "app",
    Medium.IN_PERSON: "in_person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenContact:
    """A contact as far as it is measured.

    `journey` and `supplier` are any names, empty where there is none. `asks` lists
    the fact of every question put to the owner. `is_respectful` says whether it came on
    a channel that the owner's reach matrix names for its topic; without a medium it does.
    """

    direction: Direction
    medium: Medium
    at: datetime
    kind: ContactKind = ContactKind.MESSAGE
    journey: str = ""
    supplier: str = ""
    outcome: str = ""
    is_counted: bool = True
    is_respectful: bool = False
    is_false_absorption: bool = False
    status: CallStatus | None = None
    duration_s: int = 0
    asks: tuple[str, ...] = ()
    transfers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenNotification:
    """A notification that was told."""

    level: Level
    journey: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenVisit:
    """A booked window: whether it was kept, once that is known.

    `moved_late` counts moves by the supplier less than 24 h before the start.
    """

    start: datetime
    end: datetime
    arrived_at: datetime | None = None
    is_missed: bool = False
    moved_late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenJourney:
    """A matter: when its work was done and when the owner said that it works."""

    name: str
    done_at: datetime | None = None
    resolved_at: datetime | None = None
    surveys_requested: int = 0
    surveys_shown: int = 0
    promises_kept: int = 0
    promises_missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything of one household and period that is measured."""

    contacts: Sequence[SeenContact] = ()
    notifications: Sequence[SeenNotification] = ()
    digest_lines: int = 0
    visits: Sequence[SeenVisit] = ()
    journeys: Sequence[SeenJourney] = ()


def measure(seen: Seen) -> dict[str, object]:
    """Return every measure by its name; durations in the unit the name ends in."""
    received = [contact for contact in seen.contacts if is_received(contact)]
    made = [contact for contact in seen.contacts if contact.direction == Direction.OUT]
    outcomes = Counter(contact.outcome for contact in seen.contacts)
    spoken = len(received) + len(made)
    asks, re_asks = asked(seen.contacts)
    kept, promised = promises(seen.visits, seen.journeys)
    repeat_contacts = repeats(seen.contacts, seen.journeys)
    transfers = sum(contact.transfers for contact in seen.contacts)
    channel_hops = hops(seen.contacts)
    baseline = sum(weight(contact) for contact in received)
    minutes = (sum(contact.duration_s for contact in made) + baseline) / 60
    surveys_shown = sum(journey.surveys_shown for journey in seen.journeys)
    return {
        "contacts_received": len(received),
        "contacts_made": len(made),
        "notifications": len(seen.notifications),
        "interrupts": sum(item.level == Level.INTERRUPT for item in seen.notifications),
        "absorbed": outcomes[Outcome.ABSORBED],
        "false_absorptions": sum(contact.is_false_absorption for contact in seen.contacts),
        "held": outcomes[Outcome.HELD],
        "compression": share(spoken - len(seen.notifications), spoken),
        "asks": asks,
        "re_asks": re_asks,
        "repeat_contacts": repeat_contacts,
        "transfers": transfers,
        "channel_hops": channel_hops,
        "promises_kept": kept,
        "promises_made": promised,
        "attention_baseline_s": baseline,
        "attention_shown_s": shown_s(seen),
        "attention_saved_s": saved_s(seen),
        "channel_respect": [sum(contact.is_respectful for contact in received), len(received)],
        "hours_held": hours_held(seen.visits),
        "owner_minutes": round(minutes, 1),
        "owner_effort": effort(
            repeat_contacts=repeat_contacts,
            re_asks=re_asks,
            transfers=transfers,
            channel_hops=channel_hops,
            minutes=minutes,
            broken_promises=promised - kept,
            surveys_shown=surveys_shown,
        ),
        "surveys_requested": sum(journey.surveys_requested for journey in seen.journeys),
        "surveys_shown": surveys_shown,
        "work_done_after_s": spans(seen, lambda journey: journey.done_at),
        "resolved_after_s": spans(seen, lambda journey: journey.resolved_at),
    }


def is_received(contact: SeenContact) -> bool:
    """Whether the contact reached for the owner; progress and administration do not."""
    return contact.direction == Direction.IN and contact.is_counted


def weight(contact: SeenContact) -> int:
    """Return the attention (seconds) that a contact would have taken without Steward."""
    if contact.kind == ContactKind.SURVEY_REQUEST:
        return SURVEY_S
    if contact.medium == Medium.VOICEMAIL:
        return contact.duration_s + VOICEMAIL_EXTRA_S
    if contact.medium == Medium.CALL:
        answered = contact.status in (None, CallStatus.ANSWERED)
        return contact.duration_s if answered else CUT_OFF_CALL_S
    if contact.medium == Medium.IN_PERSON:
        return contact.duration_s or UNNAMED_S
    return MEDIUM_S.get(contact.medium, UNNAMED_S)


def shown_s(seen: Seen) -> int:
    """Return the attention that Steward took."""
    told = sum(_told_s(item) for item in seen.notifications)
    return told + DIGEST_LINE_S * seen.digest_lines


def saved_s(seen: Seen) -> int:
    """Return the attention saved, never below nothing for any one matter.

    What belongs to no matter (the Door, adverts, the digest that counts them) is one.
    """
    saved: Counter[str] = Counter()
    for contact in seen.contacts:
        if is_received(contact):
            saved[contact.journey] += weight(contact)
    for item in seen.notifications:
        saved[item.journey] -= _told_s(item)
    saved[""] -= DIGEST_LINE_S * seen.digest_lines
    return sum(max(0, seconds) for seconds in saved.values())


def _told_s(item: SeenNotification) -> int:
    return INTERRUPT_S if item.level == Level.INTERRUPT else CARD_S


def asked(contacts: Iterable[SeenContact]) -> tuple[int, int]:
    """Return how often the owner was asked for a fact, and how often for one given before."""
    counts: Counter[tuple[str, str]] = Counter()
    for contact in contacts:
        for fact in contact.asks:
            counts[contact.journey, fact] += 1
    return counts.total(), sum(count - 1 for count in counts.values())


def repeats(contacts: Iterable[SeenContact], journeys: Iterable[SeenJourney]) -> int:
    """Count the owner's further contacts on a matter before it worked, within 30 days."""
    resolved = {journey.name: journey.resolved_at for journey in journeys}
    own: defaultdict[str, list[datetime]] = defaultdict(list)
    for contact in contacts:
        if contact.direction == Direction.OUT and contact.journey:
            own[contact.journey].append(contact.at)
    count = 0
    for journey, times in own.items():
        first, *later = sorted(times)
        end = resolved.get(journey)
        count += sum(at - first <= REPEAT_WITHIN and (end is None or at < end) for at in later)
    return count


def hops(contacts: Iterable[SeenContact]) -> int:
    """Count changes of channel between contacts of one supplier on one matter."""
    ways: defaultdict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for contact in contacts:
        way = CHANNEL_OF.get(contact.medium)
        is_spoken = is_received(contact) or contact.direction == Direction.OUT
        if way and contact.journey and is_spoken:
            ways[contact.journey, contact.supplier].append((contact.at, way))
    return sum(
        before[1] != after[1]
        for spoken in ways.values()
        for before, after in pairwise(sorted(spoken))
    )


def promises(visits: Iterable[SeenVisit], journeys: Iterable[SeenJourney]) -> tuple[int, int]:
    """Return (kept, made): windows and promises whose time has come, and late moves."""
    kept = made = 0
    for visit in visits:
        made += visit.moved_late
        if visit.arrived_at is not None:
            made += 1
            kept += visit.start - EARLY <= visit.arrived_at <= visit.end
        elif visit.is_missed:
            made += 1
    for journey in journeys:
        kept += journey.promises_kept
        made += journey.promises_kept + journey.promises_missed
    return kept, made


def hours_held(visits: Iterable[SeenVisit]) -> float:
    """Return the hours spent waiting in for visits."""
    waited = timedelta()
    for visit in visits:
        if visit.arrived_at is not None:
            waited += max(timedelta(), min(visit.arrived_at, visit.end) - visit.start)
        elif visit.is_missed:
            waited += visit.end - visit.start
    return round(waited / timedelta(hours=1), 2)


def spans(seen: Seen, end: Callable[[SeenJourney], datetime | None]) -> list[int]:
    """Return, for every matter that came to its `end`, the seconds since its first contact."""
    first: dict[str, datetime] = {}
    for contact in seen.contacts:
        if contact.journey:
            first[contact.journey] = min(contact.at, first.get(contact.journey, contact.at))
    ends = [(journey.name, end(journey)) for journey in seen.journeys]
    return [
        int((at - first[name]).total_seconds())
        for name, at in ends
        if at is not None and name in first
    ]


def share(part: int, whole: int) -> float:
    """Return part of whole, rounded; nothing of nothing is 0."""
    return round(part / whole, 2) if whole else 0.0


def effort(
    *,
    repeat_contacts: int,
    re_asks: int,
    transfers: int,
    channel_hops: int,
    minutes: float,
    broken_promises: int,
    surveys_shown: int,
) -> int:
    """Return the owner's effort: 0 to 3 easy, to 8 some, to 15 hard, above very hard."""
    return (
        3 * repeat_contacts
        + 2 * re_asks
        + 2 * transfers
        + channel_hops
        + int(minutes // EFFORT_STEP_MIN)
        + 4 * broken_promises
        + surveys_shown
    )
