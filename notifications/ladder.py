"""Which channel is tried when: pure, no clock, no database."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from owners.choices import ChannelKind, Topic
from owners.reach import DAY, URGENT, Reach, quiet_end

BEFORE_DEADLINE = timedelta(minutes=60)  # the last step leaves an hour to act
BETWEEN_STEPS = timedelta(minutes=60)
PRESSING = timedelta(minutes=2)  # between steps when that hour is not there any more
AFTER_QUIET = timedelta(hours=2)  # what begins so soon after quiet hours may break them

# Waits after the first, second, ... attempt that may yet succeed.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1_800, 7_200, 21_600))
JITTER = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung: a channel, and when it is tried unless somebody has seen it before."""

    number: int
    kind: ChannelKind
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a member's channels have no room for now.

    `full` holds the kinds that had as many notifications as they may, each with when there
    is room again (None: never, the member wants nothing there). `sounded` are the kinds
    that already sounded about this matter and do so only once.
    """

    full: Mapping[ChannelKind, datetime | None] = field(default_factory=dict)
    sounded: frozenset[ChannelKind] = frozenset()


def room(
    *, reach: Reach, sent: Mapping[ChannelKind, Sequence[datetime]], now: datetime
) -> dict[ChannelKind, datetime | None]:
    """Return the kinds that are full after what was `sent`, and when each has room again.

    A kind may take as many notifications in any 24 hours as its cap says.
    """
    found: dict[ChannelKind, datetime | None] = {}
    for kind in reach.channels:
        cap = reach.cap(kind)
        if cap is None:
            continue
        lately = sorted(at for at in sent.get(kind, ()) if at > now - DAY)
        if cap == 0:
            found[kind] = None
        elif len(lately) >= cap:
            found[kind] = lately[-cap] + DAY
    return found


def is_capped(*, topic: Topic, is_heard_anyway: bool) -> bool:
    """Return whether a cap may put an interrupt off: not who is at the door, nor a failure."""
    return topic not in URGENT and not is_heard_anyway


def steps(
    *,
    reach: Reach,
    topic: Topic,
    deadline: datetime | None,
    now: datetime,
    taken: Room | None = None,
) -> tuple[Step, ...]:
    """Return the channels for an interrupt: the preferred one now, others by the deadline.

    The further ones are counted back from `deadline`: the last an hour before it, each
    other an hour earlier. Where that has passed they follow in steps of two minutes.
    Without a deadline, or at and after it, there are none. Quiet hours are kept as for
    everything else: a step in them waits for their end, unless the deadline lies in
    them or within two hours after, and the member allows that.

    A channel that is full (`taken`) leaves its place to the next that is not. Where all
    are, it waits until the preferred one has room, but never so long that the deadline
    would be missed: a cap puts off and never drops.
    """
    kinds = _with_room(reach.ladder(topic), taken or Room())
    if not kinds:
        return ()
    begins = now
    if taken is not None and (free := taken.full.get(kinds[0])) is not None:
        begins = _put_off(kinds[0], free, reach=reach, deadline=deadline, now=now)
    found = [Step(number=0, kind=kinds[0], at=begins)]
    if deadline is None:
        return tuple(found)
    last = begins
    for number, kind in enumerate(kinds[1:], start=1):
        from_the_end = BEFORE_DEADLINE + BETWEEN_STEPS * (len(kinds) - 1 - number)
        at = max(deadline - from_the_end, last + PRESSING)
        end = quiet_end(reach, at, kind)
        if end is not None:
            is_exception = reach.has_quiet_exceptions and deadline - end <= AFTER_QUIET
            at = at if is_exception else end
        if at >= deadline:
            continue
        found.append(Step(number=number, kind=kind, at=at))
        last = at
    return tuple(found)


def instead(
    *,
    reach: Reach,
    kinds: Sequence[ChannelKind],
    deadline: datetime | None,
    now: datetime,
    taken: Room,
    wakes: bool,
) -> tuple[ChannelKind, datetime] | None:
    """Return which of `kinds` is tried in the place of a channel that failed, and when.

    Caps and quiet hours hold as for a first step: nobody is rung up at night because a mail
    came back. `wakes` is whether this notification may sound in quiet hours. None without
    a kind that is wanted.
    """
    unheard = [kind for kind in kinds if kind not in taken.sounded]
    left = _with_room(unheard or kinds, taken)
    if not left:
        return None
    kind = left[0]
    free = taken.full.get(kind)
    at = now if free is None else _put_off(kind, free, reach=reach, deadline=deadline, now=now)
    end = None if wakes else quiet_end(reach, at, kind)
    if end is None:
        return kind, at
    is_pressing = deadline is not None and deadline - end <= AFTER_QUIET
    return kind, at if reach.has_quiet_exceptions and is_pressing else end


def _with_room(kinds: Sequence[ChannelKind], taken: Room) -> list[ChannelKind]:
    """Return the kinds that have room, in their order; where none has, the first to wait for."""
    wanted = [kind for kind in kinds if taken.full.get(kind, kind) is not None]
    free = [kind for kind in wanted if kind not in taken.full]
    # What sounds once about a matter does so again only where it is what the member prefers.
    free = [kind for kind in free if kind == kinds[0] or kind not in taken.sounded]
    return free or wanted[:1]


def _put_off(
    kind: ChannelKind, free: datetime, *, reach: Reach, deadline: datetime | None, now: datetime
) -> datetime:
    """Return when a full channel is used: with room and not at night, if there is time."""
    at = quiet_end(reach, free, kind) or free
    return now if deadline is not None and at > deadline - BEFORE_DEADLINE else at


def retry_at(
    *, failures: int, key: str, now: datetime, retry_after: float | None = None
) -> datetime | None:
    """Return when to try again after so many failures; None when there were enough.

    Spread by a fifth either way, the same for the same key, so that a provider that
    comes back is not met by everybody at once. Never sooner than the provider asked.
    """
    if failures > len(WAITS):
        return None
    share = int.from_bytes(hashlib.sha256(f"{key}{failures}".encode()).digest()[:4]) / 2**32
    wait = WAITS[failures - 1] * (1 + JITTER * (2 * share - 1))
    return now + max(wait, timedelta(seconds=retry_after or 0))
