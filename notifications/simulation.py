"""Last month with other wishes: reads what was said to one member and asks the rules again."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from notifications import caps, delivery, simulating
from notifications.ledger import Ledger
from notifications.models import Journey, Notification
from notifications.simulating import Comparison, Past, Spoken
from owners import households
from owners.choices import ChannelKind, Level, Rank, Scope, Topic
from owners.households import ENDS, KindWish, TopicWish
from owners.models import Channel, Membership, reach_of
from owners.reach import Override, Reach, Wish

SPAN = timedelta(days=30)
READ: dict[str, Callable[[Any], Any]] = {
    "wakers": lambda ids: frozenset(map(str, ids)),
    "unmailed": lambda topics: tuple(map(Topic, topics)),
}
LISTS = READ.keys()
JOURNEYS_MOST = 200
CONTACTS_MOST = 2_000


def reach_now(membership: Membership) -> Reach:
    """Return a member's wishes as they are."""
    usable = Channel.objects.for_owner(membership.owner).usable()
    kinds = sorted(set(usable.values_list("kind", flat=True)))
    return reach_of(
        membership,
        rules=list(membership.reach_rules.all()),
        kinds=kinds,
        by_channel=list(membership.channel_wishes.all()),
    )


def with_wishes(
    *,
    membership: Membership,
    values: Mapping[str, Any],
    topics: Sequence[TopicWish],
    kinds: Sequence[KindWish] = (),
) -> Reach:
    """Return a member's wishes as they would be; raises WishError for what cannot be."""
    households.check_ends({name: getattr(membership, name) for name in ENDS} | dict(values))
    now = reach_now(membership)
    known = {field.name for field in fields(Reach)}
    return replace(
        now,
        quiet_by=_quiet_by(now, kinds),
        caps={kind: cap for kind, cap in now.caps.items() if kind not in {k.kind for k in kinds}}
        | {wish.kind: wish.cap for wish in kinds if wish.cap is not None},
        overrides=_overridden(now, topics),
        rules=now.rules | {topic.topic: wished(topic) for topic in topics if not topic.scope},
        **{name: value for name, value in values.items() if name in known - LISTS},
        **{name: READ[name](value) for name, value in values.items() if name in LISTS},
    )


def _quiet_by(now: Reach, kinds: Sequence[KindWish]) -> dict[ChannelKind, tuple[time, time] | None]:
    named = {wish.kind for wish in kinds}
    kept = {kind: quiet for kind, quiet in now.quiet_by.items() if kind not in named}
    for wish in kinds:
        if wish.quiet is not None:
            kept[wish.kind] = wish.quiet or None
    return kept


def _overridden(now: Reach, topics: Sequence[TopicWish]) -> tuple[Override, ...]:
    """Return the exceptions with those that are tried, each instead of the one it changes."""
    tried = {
        (topic.scope, str(topic.subject), topic.topic): wished(topic)
        for topic in topics
        if topic.scope
    }
    kept = [one for one in now.overrides if (one.scope, one.subject, one.topic) not in tried]
    return (
        *kept,
        *(
            Override(scope=Scope(scope), subject=subject, topic=topic, wish=wish)
            for (scope, subject, topic), wish in tried.items()
        ),
    )


def wished(topic: TopicWish) -> Wish:
    """Return a row of the matrix that is not saved as the rules read it."""
    within = None if topic.within_hours is None else timedelta(hours=topic.within_hours)
    return Wish(topic.moment, topic.channel, over=topic.over, within=within)


def last_month(*, membership: Membership, wishes: Reach, now: datetime) -> Comparison:
    """Return the last 30 days of one member as they would have been, before and after.

    Both sides are told by the same rules from the same contacts, so only the wishes make
    a difference. Bounded: the newest 200 journeys and 2,000 contacts.
    """
    since = now - SPAN
    household = membership.household
    rows = Journey.objects.filter(
        household=household, last_said_at__gte=since, is_emptied=False
    ).order_by("-last_said_at")
    titles, is_cut = _within_bounds(rows)
    ledger = Ledger.open([household], now=now)
    ledger.load_journeys(titles)
    pasts = [
        _past(ledger, uuid, title=title)
        for uuid, title in titles.items()
        if _is_theirs(ledger, uuid, membership)
    ]
    names = {supplier for past in pasts for supplier in ledger.journeys[past.journey].suppliers}
    ledger.load_people([], names)
    asked = [_with_suppliers(ledger, past) for past in pasts]
    owner = membership.owner_id
    sides = [
        [
            one
            for one in aloud(
                (
                    one
                    for past in asked
                    for one in simulating.replay(past, reach=reach, owner=owner, until=now)
                ),
                owner=owner,
            )
            if one.at >= since
        ]
        for reach in (reach_now(membership), wishes)
    ]
    return simulating.compare(sides[0], sides[1], journeys=len(pasts), is_cut=is_cut)


def aloud(spoken: Iterable[Spoken], *, owner: int) -> list[Spoken]:
    """Return what was told with the channel it would have sounded on first, within the caps."""
    found = []
    lately = caps.Lately(now=datetime.min.replace(tzinfo=UTC))
    number: defaultdict[str, int] = defaultdict(lambda: len(number) + 1)
    for one in sorted(spoken, key=lambda one: one.at):
        if one.level != Level.INTERRUPT:
            found.append(one)
            continue
        lately.now = one.at
        told = Notification(
            owner_id=owner,
            journey_id=number[one.journey],
            topic=one.topic,
            level=one.level,
            deadline=one.deadline,
            why=dict(one.why),
        )
        steps = delivery.climbed(told, one.wishes, lately=lately)
        first = steps[0] if steps else None
        found.append(replace(one, channel=first.kind, at=first.at) if first else one)
    return found


def _within_bounds(rows: QuerySet[Journey]) -> tuple[dict[str, str], bool]:
    """Return the titles of the journeys to read, and whether some were left out.

    Counted before any contact is loaded: one journey may have more than all may have.
    """
    said = Count("links", filter=Q(links__revoked_at=None))
    found = list(rows.annotate(said=said).values_list("uuid", "title", "said")[: JOURNEYS_MOST + 1])
    titles: dict[str, str] = {}
    contacts = 0
    for uuid, title, number in found[:JOURNEYS_MOST]:
        contacts += number
        if contacts > CONTACTS_MOST:
            break
        titles[str(uuid)] = title
    return titles, len(titles) < len(found)


def _is_theirs(ledger: Ledger, uuid: str, membership: Membership) -> bool:
    """Whether this member is told of a journey: its keeper is, else every admin."""
    asset = ledger.asset_uuids.get(ledger.journeys[uuid].asset_id or 0, "")
    keeper = ledger.assets[asset].keeper_id if asset in ledger.assets else None
    if keeper is not None:
        return keeper == membership.owner_id
    return membership.rank == Rank.ADMIN


def _past(ledger: Ledger, uuid: str, *, title: str) -> Past:
    journey = ledger.journeys[uuid]
    return Past(
        journey=uuid,
        title=title,
        currency=ledger.households[journey.household_id].currency,
        arrivals=tuple((row.received_at, row.entry) for row in ledger.rows.get(uuid, ())),
        decisions=tuple(ledger.decisions.get(uuid, ())),
    )


def _with_suppliers(ledger: Ledger, past: Past) -> Past:
    known = {
        supplier: str(ledger.suppliers[supplier].uuid)
        for supplier in ledger.journeys[past.journey].suppliers
        if supplier in ledger.suppliers
    }
    return replace(past, suppliers=known)
