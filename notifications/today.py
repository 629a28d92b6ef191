"""Today, read in parts: the first cards at once, the rest when the owner comes to them.

What needs the owner comes first. Each section is read by its own index, so a household
with a million quiet cards costs what one with ten costs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from notifications import metrics
from notifications.choices import Section
from notifications.models import Card, CardQuerySet, Link, Notification
from owners.choices import Level
from owners.models import Owner
from owners.prepared import fetch
from suppliers.choices import Direction, Medium
from suppliers.contacts import Contact as Said
from suppliers.models import Contact

FIRST = 20
MOST = 200  # cards drawn again at once, for a page that was scrolled far
COUNTED = 100  # what is more is said as "100+"
MEASURED = 1000  # contacts of a month; above, the saving is left to the monthly report
ORDER = (Section.NEEDS_YOU, Section.ON_ITS_WAY, Section.QUIET, Section.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The card after which a section goes on."""

    section: Section
    changed_at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.section.value}~{self.changed_at.isoformat()}~{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Return the position a link names; ValueError for anything else."""
        section, changed_at, pk = text.split("~")
        at = datetime.fromisoformat(changed_at)
        if timezone.is_naive(at):
            raise ValueError("A position has a zone")
        return cls(section=Section(section), changed_at=at, pk=int(pk))


@dataclass(slots=True, kw_only=True)
class Part:
    """One section as far as it is read; `total` is exact below `COUNTED`."""

    section: Section
    cards: list[Card]
    total: int
    more: Position | None

    @property
    def count(self) -> str:
        """The number of cards as people read it."""
        return f"{COUNTED}+" if self.total > COUNTED else str(self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What this month's contacts would have taken, and what they did."""

    minutes: int
    received: int
    shown: int


def awake(owner: Owner, now: datetime) -> CardQuerySet:
    """Return the owner's cards that are not put aside, the newest change first."""
    cards = Card.objects.filter(household__memberships__owner=owner)
    is_awake = Q(snoozed_until=None) | Q(snoozed_until__lte=now)
    return cards.filter(is_awake).order_by("-changed_at", "-pk")


# Each section of each household by its own index; what is more than counted is not read.
LISTED = """
    SELECT listed.section, card.id, card.changed_at
    FROM owners_membership m
    CROSS JOIN unnest(%s::text[]) AS listed (section)
    CROSS JOIN LATERAL (
        SELECT c.id, c.changed_at FROM notifications_card c
        WHERE c.household_id = m.household_id AND c.section = listed.section
            AND (c.snoozed_until IS NULL OR c.snoozed_until <= %s)
        ORDER BY c.changed_at DESC, c.id DESC LIMIT %s
    ) card
    WHERE m.owner_id = %s
    ORDER BY card.changed_at DESC, card.id DESC
"""


def read(*, owner: Owner, now: datetime, limit: int = FIRST) -> dict[Section, Part]:
    """Return every section with the first `limit` cards of all of them."""
    listed: dict[Section, list[tuple[datetime, int]]] = {section: [] for section in ORDER}
    most = max(limit, COUNTED) + 1
    names = [section.value for section in ORDER]
    for section, pk, changed_at in fetch(LISTED, (names, now, most, owner.pk)):
        listed[Section(section)].append((changed_at, pk))
    left, shown = limit, dict[Section, list[int]]()
    for section, rows in listed.items():
        shown[section] = [pk for _, pk in rows[:left]]
        left -= len(shown[section])
    chosen = [pk for pks in shown.values() for pk in pks]
    cards = Card.objects.for_owner(owner).in_bulk(chosen) if chosen else {}
    parts = {
        section: Part(
            section=section,
            cards=[cards[pk] for pk in shown[section] if pk in cards],
            total=min(len(rows), COUNTED + 1),
            more=_rest(section, rows, read=len(shown[section]), now=now),
        )
        for section, rows in listed.items()
    }
    coming = parts[Section.ON_ITS_WAY]
    if coming.more is None:  # pages behind this one go on in the order of change
        coming.cards.sort(key=_comes_at)
    return parts


def _comes_at(card: Card) -> float:
    """Return when what a card promises begins; what names no time comes last."""
    start = (card.body.get("promise") or {}).get("start")
    return datetime.fromisoformat(start).timestamp() if start else float("inf")


def _rest(
    section: Section, rows: Sequence[tuple[datetime, int]], *, read: int, now: datetime
) -> Position | None:
    """Return where a section goes on of which `read` rows are shown; None when all are."""
    if len(rows) <= read:
        return None
    # Before the first card of a section nothing was read: it starts right there.
    at, pk = rows[read - 1] if read else (now, 2**62)
    return Position(section=section, changed_at=at, pk=pk)


def read_part(
    *,
    owner: Owner,
    section: Section,
    now: datetime,
    limit: int = FIRST,
    after: Position | None = None,
) -> Part:
    """Return a section's cards from its start, or behind a position."""
    cards = awake(owner, now).filter(section=section)
    if after is not None:
        is_older = Q(changed_at__lt=after.changed_at)
        is_beside = Q(changed_at=after.changed_at, pk__lt=after.pk)
        cards = cards.filter(changed_at__lte=after.changed_at).filter(is_older | is_beside)
    rows = list(cards[: limit + 1])
    places = [(card.changed_at, card.pk) for card in rows]
    more = _rest(section, places, read=min(limit, len(rows)), now=now)
    return Part(section=section, cards=rows[:limit], total=len(rows), more=more)


def signature(parts: dict[Section, Part]) -> str:
    """Return a word that changes whenever what is read here would look different."""
    seen = [
        (part.section.value, part.total, [(str(card.uuid), card.version) for card in part.cards])
        for part in parts.values()
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


TOLD = """
    SELECT DISTINCT ON (journey_id) journey_id, id FROM notifications_notification
    WHERE owner_id = %s AND journey_id = ANY(%s) AND told_at IS NOT NULL
    ORDER BY journey_id, told_at DESC, id DESC
"""


def last_told(*, owner: Owner, cards: Iterable[Card]) -> dict[int, int]:
    """Return the key of what the owner was last told of each card's journey."""
    return dict(fetch(TOLD, (owner.pk, [card.journey_id for card in cards])))


def saved_this_month(*, owner: Owner, now: datetime) -> Saved | None:
    """Return this month's saving; None where there is nothing to tell, or too much to read."""
    start = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = list(
        Contact.objects.for_owner(owner)
        .filter(said_at__gte=start, said_at__lte=now, direction=Direction.IN)
        .values_list("pk", "said", "medium")[: MEASURED + 1]
    )
    if not rows or len(rows) > MEASURED:
        return None
    links = Link.objects.filter(contact__in=[row[0] for row in rows], revoked_at=None)
    journeys = dict(links.values_list("contact_id", "journey_id"))
    told = Notification.objects.for_owner(owner).filter(owner=owner, told_at__gte=start)
    contacts = [
        _seen(Said.from_json(said), Medium(medium), str(journeys.get(pk, "")))
        for pk, said, medium in rows
    ]
    notes = [
        metrics.SeenNotification(level=Level(level), journey=str(journey or ""))
        for level, journey in told.values_list("level", "journey_id")
    ]
    received = sum(metrics.is_received(contact) for contact in contacts)
    seconds = metrics.saved_s(metrics.Seen(contacts=contacts, notifications=notes))
    if not received:
        return None
    return Saved(minutes=round(seconds / 60), received=received, shown=len(notes))


def _seen(said: Said, medium: Medium, journey: str) -> metrics.SeenContact:
    return metrics.SeenContact(
        direction=Direction.IN,
        medium=medium,
        at=said.said_at,
        kind=said.kind,
        journey=journey,
        is_counted=said.is_counted,
        status=said.call.status if said.call else None,
        duration_s=said.call.duration_s if said.call else 0,
    )
