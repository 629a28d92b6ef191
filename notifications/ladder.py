"""Which channel is tried when: pure, no clock, no database."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from owners.choices import ChannelKind, Topic
from owners.reach import Reach, quiet_end

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


def steps(
    *, reach: Reach, topic: Topic, deadline: datetime | None, now: datetime
) -> tuple[Step, ...]:
    """Return the channels for an interrupt: the preferred one now, others by the deadline.

    The further ones are counted back from `deadline`: the last an hour before it, each
    other an hour earlier. Where that has passed they follow in steps of two minutes.
    Without a deadline, or at and after it, there are none. Quiet hours are kept as for
    everything else: a step in them waits for their end, unless the deadline lies in
    them or within two hours after, and the member allows that.
    """
    kinds = reach.ladder(topic)
    if not kinds:
        return ()
    found = [Step(number=0, kind=kinds[0], at=now)]
    if deadline is None:
        return tuple(found)
    last = now
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
