"""When and where a member wants to hear of a topic: pure, no clock, no database."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
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
Wish = tuple[Moment, ChannelKind | None]
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
    """One member's wishes: the reach matrix, quiet hours and the digest slot.

    `channels` lists the kinds with a verified, working address. `rules` holds only
    what the member changed; everything else is `DEFAULT_MOMENTS` on `prefers`.
    Times of day are wall-clock times in `zone` (IANA).
    """

    zone: ZoneInfo
    prefers: ChannelKind = ChannelKind.EMAIL
    channels: tuple[ChannelKind, ...] = ()
    rules: dict[Topic, Wish] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    quiet_from: time | None = None
    quiet_until: time | None = None
    has_quiet_exceptions: bool = True
    digest_at: time = time(18, 0)
    digest_weekday: int = 6
    holiday_from: date | None = None
    holiday_until: date | None = None

    def moment(self, topic: Topic) -> Moment:
        """Return when this member wants to hear of `topic`."""
        rule = self.rules.get(topic)
        return rule[0] if rule else DEFAULT_MOMENTS[topic]

    def ladder(self, topic: Topic) -> tuple[ChannelKind, ...]:
        """Return the channels for an interrupt about `topic`, the preferred one first.

        The feed is never part of it: the card is always there.
        """
        rule = self.rules.get(topic)
        first = (rule[1] if rule else None) or self.prefers
        ordered = [first, self.prefers, *self.channels]
        usable = [kind for kind in ordered if kind in self.channels]
        return tuple(dict.fromkeys(usable))

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
            loudness = -list(Moment).index(override.wish[0])
            ranked = (SPECIFIC.index(override.scope), loudness, override.wish)
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
            topic: (Moment.TODAY, self.rules[topic][1] if topic in self.rules else None)
            for topic in Topic
            if self.moment(topic) == Moment.NOW
        }
        kept = tuple(
            replace(override, wish=(Moment.TODAY, override.wish[1]))
            if override.wish[0] == Moment.NOW
            else override
            for override in self.overrides
        )
        return replace(self, rules={**self.rules, **softer}, overrides=kept)


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


def quiet_end(reach: Reach, now: datetime) -> datetime | None:
    """Return the end (UTC) of the quiet hours that `now` lies in, or None outside them.

    A window across midnight belongs to the day on which it starts; its end is
    exclusive.
    """
    if reach.quiet_from is None or reach.quiet_until is None:
        return None
    if reach.quiet_from == reach.quiet_until:
        return None
    now = now.astimezone(UTC)
    crosses = reach.quiet_until < reach.quiet_from
    local = now.astimezone(reach.zone)
    for days in (-1, 0):
        day = local.replace(hour=12, minute=0) + timedelta(days=days)
        start = at_wall_time(day, reach.quiet_from, reach.zone)
        end_day = day + timedelta(days=1) if crosses else day
        end = at_wall_time(end_day, reach.quiet_until, reach.zone)
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


@lru_cache(maxsize=4096)
def _next_slot(wall: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the first instant at or after `now` at which it is `wall`; many share theirs."""
    local = now.astimezone(zone).replace(hour=12, minute=0)
    for days in range(-1, 3):
        slot = at_wall_time(local + timedelta(days=days), wall, zone)
        if slot >= now:
            return slot
    raise AssertionError("a digest slot exists within two days")  # pragma: no cover
