"""What a month would have been with other wishes: the same rules over what was said. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from notifications import telling
from notifications.merging import Decided, Entry, Matter, fold, next_change
from owners.choices import ChannelKind, Level, Moment
from owners.reach import Reach

STEPS = 400  # instants looked at in one journey; a busy month has a few dozen
A_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One journey as it came: when each contact arrived and what was decided."""

    journey: str
    title: str
    currency: str
    arrivals: tuple[tuple[datetime, Entry], ...]
    decisions: tuple[Decided, ...] = ()
    suppliers: Mapping[int, str] = field(default_factory=dict)  # their public ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One time the member would have been told: how loudly, of what, where, and when."""

    journey: str
    title: str
    at: datetime
    level: str  # interrupt, feed or digest
    topic: str
    reason: str
    because: tuple[str, ...]
    wishes: Reach = field(repr=False)  # as they are for this journey
    channel: str = ""  # a channel's kind: which sounds first; none for what is silent
    deadline: datetime | None = None
    why: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sound(self) -> str:
        """Return the channel's name, for people; empty for what is silent."""
        return str(ChannelKind(self.channel).label) if self.channel else ""


@dataclass(slots=True)
class _Waiting:
    """A notification that is held: what is kept of it, and until when."""

    kept: dict[str, str]
    not_before: datetime


def replay(past: Past, *, reach: Reach, owner: int, until: datetime) -> list[Spoken]:
    """Return everything one member would have been told of one journey by `until`."""
    known: dict[str, str] = {}
    weekly: set[tuple[str, str]] = set()
    spoken: list[Spoken] = []
    waiting: _Waiting | None = None
    instants = sorted({at for at, _ in past.arrivals} | {one.at for one in past.decisions})
    now = instants[0] if instants else until
    for _ in range(STEPS):
        if now > until:
            break
        matter = _as_of(past, now)
        served = past.suppliers
        wishes = reach.about(
            suppliers=tuple(served.values()), asset=matter.asset, journey=past.journey
        )
        granted = {pk for pk, public in served.items() if public in reach.wakers}
        spoken += _put_off(past, matter, known, weekly, reach=wishes, owner=owner, now=now)
        plan, silent = telling.plan(
            matter,
            known,
            reach=wishes,
            owner=owner,
            now=now,
            planned=waiting.kept if waiting else None,
            granted=granted,
        )
        if plan is None:
            known, waiting = {**known, **silent}, None
        else:
            free = plan.not_before
            if free <= now:
                free = telling.release(plan, reach=wishes, now=now)
            if free <= now:
                if plan.expires_at is None or now < plan.expires_at:
                    spoken.append(_spoken(past, plan, reach=wishes, now=now))
                known, waiting = plan.snapshot, None
                continue  # what was told may leave behind what waits for the digest slot
            waiting = _Waiting(kept={**plan.snapshot, **plan.holds}, not_before=free)
        following = [at for at in instants if at > now]
        if waiting is not None:
            following.append(waiting.not_before)
        change = next_change(matter, now)
        if change is not None:
            following.append(max(change, now + A_MOMENT))
        if not following:
            break
        now = min(following)
    return spoken


def _as_of(past: Past, now: datetime) -> Matter:
    return fold(
        [entry for at, entry in past.arrivals if at <= now],
        [one for one in past.decisions if one.at <= now],
        currency=past.currency,
        now=now,
    )


def _put_off(
    past: Past,
    matter: Matter,
    known: dict[str, str],
    weekly: set[tuple[str, str]],
    *,
    reach: Reach,
    owner: int,
    now: datetime,
) -> list[Spoken]:
    """Return what goes to the weekly summary, each thing once."""
    news, _ = telling.changes(matter, known, owner=owner, now=now)
    found = []
    for change in news:
        mark = (change.item.key, change.item.value)
        if telling.moment_of(change, reach, now=now) == Moment.WEEK and mark not in weekly:
            weekly.add(mark)
            found.append(
                Spoken(
                    journey=past.journey,
                    title=past.title,
                    at=now,
                    level="digest",
                    topic=change.topic,
                    reason=change.reason,
                    because=(change.item.because,),
                    wishes=reach,
                )
            )
    return found


def _spoken(past: Past, plan: telling.Plan, *, reach: Reach, now: datetime) -> Spoken:
    return Spoken(
        journey=past.journey,
        title=past.title,
        at=now,
        level="interrupt" if plan.level == Level.INTERRUPT else "feed",
        topic=plan.topic,
        reason=plan.reason,
        because=plan.because,
        wishes=reach,
        deadline=plan.deadline,
        why=plan.why,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that would have been told otherwise; None: not at all."""

    title: str
    journey: str
    before: Spoken | None
    after: Spoken | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A month with the wishes as they are, and as they would be."""

    before: dict[str, int]
    after: dict[str, int]
    channels_before: dict[str, int]  # interrupts by the kind of channel
    channels_after: dict[str, int]
    differences: tuple[Difference, ...]
    journeys: int
    is_cut: bool = False

    @property
    def by_channel(self) -> list[tuple[str, int, int]]:
        """Return each channel that sounds: its name, how often before, and how often after."""
        return [
            (
                str(kind.label),
                self.channels_before.get(kind, 0),
                self.channels_after.get(kind, 0),
            )
            for kind in ChannelKind
            if kind in self.channels_before or kind in self.channels_after
        ]


def compare(
    before: Sequence[Spoken], after: Sequence[Spoken], *, journeys: int, is_cut: bool = False
) -> Comparison:
    """Return what differs between two accounts of the same month."""
    left = {_mark(one): one for one in before}
    right = {_mark(one): one for one in after}
    differences = [
        Difference(
            title=one.title, journey=one.journey, before=left.get(mark), after=right.get(mark)
        )
        for mark, one in {**left, **right}.items()
        if _how(left.get(mark)) != _how(right.get(mark))
    ]
    differences.sort(key=lambda d: (d.before or d.after).at)  # type: ignore[union-attr]  # one of them is
    return Comparison(
        before=_counted(before),
        after=_counted(after),
        channels_before=dict(Counter(one.channel for one in before if one.channel)),
        channels_after=dict(Counter(one.channel for one in after if one.channel)),
        differences=tuple(differences),
        journeys=journeys,
        is_cut=is_cut,
    )


def _mark(one: Spoken) -> tuple[str, str, tuple[str, ...]]:
    return one.journey, one.reason, one.because


def _how(one: Spoken | None) -> tuple[object, ...] | None:
    return None if one is None else (one.level, one.channel, one.at)


def _counted(spoken: Sequence[Spoken]) -> dict[str, int]:
    return {
        level: sum(1 for one in spoken if one.level == level)
        for level in ("interrupt", "feed", "digest")
    }
