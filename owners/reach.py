"""When and where a member wants to hear of a topic: pure, no clock, no database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from owners.choices import ChannelKind, Moment, Scope, Topic

DEFAULT_MOMENTS: dict[Topic, Moment] = {
    Topic.ARRIVING: Moment.NOW,
    Topic.CHANGED: Moment.NOW,
    Topic.FAILED: Moment.NOW,
    Topic.QUESTION: Moment.TODAY,
    Topic.MONEY: Moment.TODAY,
    Topic.CARE: Moment.TODAY,
    Topic.LEGAL: Moment.TODAY,
    Topic.PROGRESS: Moment.NEVER,
    Topic.OFFER: Moment.NEVER,
    Topic.FEEDBACK: Moment.NEVER,
}


SPECIFIC = (Scope.SUPPLIER, Scope.ASSET, Scope.JOURNEY)  # the later wins
URGENT = (Topic.ARRIVING, Topic.FAILED)  # no cap puts these off
DAY = timedelta(hours=24)
# Notifications in 24 hours, where the member has set no other number; mail has no end.
DEFAULT_CAPS: dict[ChannelKind, int] = {
    ChannelKind.SMS: 3,
    ChannelKind.VOICE: 2,
    ChannelKind.PUSH: 10,
    ChannelKind.CHAT: 10,
}
MOST_CAP = 99
# What wakes most sounds once about a matter, unless it is what the member prefers.
ONCE_A_MATTER = (ChannelKind.VOICE,)
SOFTER = {
    Moment.NOW: Moment.TODAY,
    Moment.TODAY: Moment.WEEK,
    Moment.WEEK: Moment.NEVER,
    Moment.NEVER: Moment.NEVER,
}


class Wish(NamedTuple):
    """When and where to hear of a topic, and on what condition.

    Without a channel it is the preferred one. A condition that does not hold makes it one
    moment later; one that cannot be judged, as nothing names an amount or a time, holds.
    `scope` and `subject` say whose wish it is: of one supplier, asset or journey, else the
    household's, or nobody's where it `is_default`.
    """

    moment: Moment
    channel: ChannelKind | None = None
    over: Decimal | None = None
    within: timedelta | None = None
    scope: Scope | None = None
    subject: str = ""
    is_default: bool = False

    def holds(self, *, amount: Decimal | None, at: datetime | None, now: datetime) -> bool:
        """Return whether the condition is met by what is about `amount`, and happens `at`."""
        if self.over is not None and amount is not None and amount <= self.over:
            return False
        return self.within is None or at is None or at - now <= self.within

    def moment_for(self, *, amount: Decimal | None, at: datetime | None, now: datetime) -> Moment:
        """Return when to hear of it, its condition judged."""
        is_met = self.holds(amount=amount, at=at, now=now)
        return self.moment if is_met else SOFTER[self.moment]


PRESETS: dict[str, dict[Topic, Moment]] = {
    "must_act": {
        topic: Moment.NOW
        if topic in (Topic.ARRIVING, Topic.FAILED)
        else Moment.TODAY
        if topic in (Topic.CHANGED, Topic.QUESTION, Topic.MONEY, Topic.LEGAL)
        else Moment.NEVER
        for topic in Topic
    },
    "normal": DEFAULT_MOMENTS,
    "everything": {
        topic: Moment.WEEK
        if topic in (Topic.OFFER, Topic.FEEDBACK)
        else Moment.TODAY
        if topic in (Topic.PROGRESS, Topic.CARE)
        else Moment.NOW
        for topic in Topic
    },
    "one_summary": {
        topic: Moment.NEVER
        if topic in (Topic.PROGRESS, Topic.OFFER, Topic.FEEDBACK)
        else Moment.TODAY
        for topic in Topic
    },
    "emergencies": {
        topic: Moment.NOW
        if topic == Topic.FAILED
        else Moment.TODAY
        if topic == Topic.ARRIVING
        else Moment.NEVER
        if topic in (Topic.PROGRESS, Topic.OFFER, Topic.FEEDBACK)
        else Moment.WEEK
        for topic in Topic
    },
}
# What a preset says of the summary.
PRESET_DIGESTS: dict[str, dict[str, bool]] = {
    "one_summary": {"has_digest_changes": True, "is_digest_weekly": False},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A wish for one supplier, asset or journey (its public id)."""

    scope: Scope
    subject: str
    topic: Topic
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One member's wishes: the reach matrix, quiet hours, caps and the digest slot.

    `channels` lists the kinds with a verified, working address. `rules` holds only
    what the member changed; everything else is `DEFAULT_MOMENTS` on `prefers`.
    `quiet_by` and `caps` hold what is otherwise on one kind of channel; None there: never
    quiet. `wakers` are the suppliers whose word that it is an emergency counts at any hour.
    Times of day are wall-clock times in `zone` (IANA).
    """

    zone: ZoneInfo
    prefers: ChannelKind = ChannelKind.EMAIL
    channels: tuple[ChannelKind, ...] = ()
    rules: dict[Topic, Wish] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_by: Mapping[ChannelKind, tuple[time, time] | None] = field(default_factory=dict)
    has_quiet_exceptions: bool = True
    caps: Mapping[ChannelKind, int] = field(default_factory=dict)
    unmailed: tuple[Topic, ...] = ()  # no mail goes out of these
    wakers: frozenset[str] = frozenset()
    digest_at: time = time(18, 0)
    digest_weekday: int = 6
    is_digest_weekly: bool = False
    holiday_from: date | None = None
    holiday_until: date | None = None
    is_hushed: bool = False  # away, and covered by nobody

    def wish(self, topic: Topic) -> Wish:
        """Return the wish that decides about `topic`."""
        return self.rules.get(topic) or Wish(DEFAULT_MOMENTS[topic], is_default=True)

    def moment(self, topic: Topic) -> Moment:
        """Return when this member wants to hear of `topic`, where its condition is met."""
        return self.wish(topic).moment

    def ladder(self, topic: Topic) -> tuple[ChannelKind, ...]:
        """Return the channels for an interrupt about `topic`, the preferred one first.

        The feed is never part of it: the card is always there.
        """
        first = self.wish(topic).channel or self.prefers
        ordered = [first, self.prefers, *self.channels]
        barred = (ChannelKind.EMAIL,) if topic in self.unmailed else ()
        usable = [kind for kind in ordered if kind in self.channels and kind not in barred]
        return tuple(dict.fromkeys(usable))

    def cap(self, kind: ChannelKind) -> int | None:
        """Return how many notifications may go to `kind` in 24 hours; None: as many as come."""
        return self.caps.get(kind, DEFAULT_CAPS.get(kind))

    def quiet_hours(self, kind: ChannelKind | None = None) -> tuple[time, time] | None:
        """Return between which times of day `kind` is quiet; None for never."""
        if kind is not None and kind in self.quiet_by:
            found = self.quiet_by[kind]
        elif self.quiet_from is None or self.quiet_until is None:
            found = None
        else:
            found = (self.quiet_from, self.quiet_until)
        return None if found is None or found[0] == found[1] else found

    def about(
        self, *, suppliers: Collection[str] = (), asset: str = "", journey: str = ""
    ) -> "Reach":
        """Return the wishes for one matter: the most specific rule of each topic wins.

        A matter of several suppliers of which more than one has a rule takes the loudest,
        so that no supplier silences another.
        """
        meant = {
            Scope.SUPPLIER: frozenset(suppliers),
            Scope.ASSET: frozenset((asset,) if asset else ()),
            Scope.JOURNEY: frozenset((journey,) if journey else ()),
        }
        found: dict[Topic, tuple[int, int, Wish]] = {}
        for override in self.overrides:
            if override.subject not in meant[override.scope]:
                continue
            loudness = -list(Moment).index(override.wish.moment)
            wish = override.wish._replace(scope=override.scope, subject=override.subject)
            ranked = (SPECIFIC.index(override.scope), loudness, wish)
            known = found.get(override.topic)
            if known is None or ranked[:2] > known[:2]:
                found[override.topic] = ranked
        if not found:
            return self
        return replace(
            self, rules={**self.rules, **{topic: wish for topic, (_, _, wish) in found.items()}}
        )

    def is_away(self, now: datetime) -> bool:
        """Return whether this member is on holiday at `now`; both days are included."""
        if self.holiday_from is None or self.holiday_until is None:
            return False
        return self.holiday_from <= now.astimezone(self.zone).date() <= self.holiday_until

    def hushed(self) -> "Reach":
        """Return the wishes of somebody who is away and covered by nobody: nothing interrupts."""
        softer = {
            topic: self.wish(topic)._replace(moment=Moment.TODAY)
            for topic in Topic
            if self.moment(topic) == Moment.NOW
        }
        kept = tuple(
            replace(override, wish=override.wish._replace(moment=Moment.TODAY))
            if override.wish.moment == Moment.NOW
            else override
            for override in self.overrides
        )
        return replace(self, rules={**self.rules, **softer}, overrides=kept, is_hushed=True)


def at_wall_time(day_of: datetime, wall: time, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which `wall` occurs on the local day of `day_of`.

    A time skipped by daylight saving is the first valid instant after the gap; a
    repeated one is its first occurrence.
    """
    local = day_of.astimezone(zone)
    naive = datetime.combine(local.date(), wall)
    candidate = naive.replace(tzinfo=zone, fold=0)
    back = candidate.astimezone(UTC).astimezone(zone)
    if back.replace(tzinfo=None) == naive:
        return candidate.astimezone(UTC)
    # In a gap, PEP 495 with fold=1 uses the offset after it, so this instant lies
    # before the gap by the same amount as fold=0 lies behind; walk to the edge.
    before = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = candidate.astimezone(UTC)
    low, high = min(before, after), max(before, after)
    start_offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == start_offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def quiet_end(reach: Reach, now: datetime, kind: ChannelKind | None = None) -> datetime | None:
    """Return the end (UTC) of the quiet hours that `now` lies in, or None outside them.

    They are those of `kind` where it has its own. A window across midnight belongs to the
    day on which it starts; its end is exclusive.
    """
    hours = reach.quiet_hours(kind)
    if hours is None:
        return None
    begins, ends = hours
    now = now.astimezone(UTC)
    crosses = ends < begins
    local = now.astimezone(reach.zone)
    for days in (-1, 0):
        day = local.replace(hour=12, minute=0) + timedelta(days=days)
        start = at_wall_time(day, begins, reach.zone)
        end_day = day + timedelta(days=1) if crosses else day
        end = at_wall_time(end_day, ends, reach.zone)
        if start <= now < end:
            return end
    return None


def is_weekly_between(reach: Reach, after: datetime, until: datetime) -> bool:
    """Return whether a digest slot in (`after`, `until`] is on the day of the weekly lines."""
    if until - after >= timedelta(days=8):
        return True
    slot = next_digest(reach, after + timedelta(seconds=1))
    while slot <= until:
        if slot.astimezone(reach.zone).weekday() == reach.digest_weekday:
            return True
        slot = next_digest(reach, slot + timedelta(seconds=1))
    return False


def next_digest(reach: Reach, now: datetime) -> datetime:
    """Return the first digest slot (UTC) at or after `now`."""
    return _next_slot(reach.digest_at, reach.zone, now)


def next_summary(reach: Reach, now: datetime) -> datetime:
    """Return the first slot (UTC) at or after `now` at which a summary is made."""
    slot = next_digest(reach, now)
    while reach.is_digest_weekly and slot.astimezone(reach.zone).weekday() != reach.digest_weekday:
        slot = next_digest(reach, slot + timedelta(seconds=1))
    return slot


@lru_cache(maxsize=4096)
def _next_slot(wall: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the first instant at or after `now` at which it is `wall`; many share theirs."""
    local = now.astimezone(zone).replace(hour=12, minute=0)
    for days in range(-1, 3):
        slot = at_wall_time(local + timedelta(days=days), wall, zone)
        if slot >= now:
            return slot
    raise AssertionError("a digest slot exists within two days")  # pragma: no cover
