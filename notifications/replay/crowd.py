"""Many households under one clock: their stories played side by side in one database.

What falls due at one instant in several households goes through the pipeline together, as
it does in a live installation; only the stages at which something waits are run, so a year
of many households takes minutes.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby

from notifications import delivery, digests, feed, pipeline
from notifications.replay import world
from notifications.replay.entrances import in_process
from notifications.replay.player import Player
from notifications.replay.story import Story
from owners import bulk, clock, doorbell

BATCH = 1_000
Deed = tuple[int, Callable[[], None]]  # of which household, what is done
# One look at all queues, where asking each stage takes fifty: a simulated year has tens of
# thousands of instants. What suppliers are told back is recorded, not sent: it waits.
_WAITING = """
    SELECT
        EXISTS (SELECT FROM suppliers_inboundevent WHERE state = 'stored')
        OR EXISTS (SELECT FROM suppliers_contact WHERE decided_at IS NULL
                   AND (not_before IS NULL OR not_before <= %(now)s))
        OR EXISTS (SELECT FROM notifications_notification
                   WHERE state = 'planned' AND not_before <= %(now)s),
        EXISTS (SELECT FROM notifications_journey WHERE next_at <= %(now)s),
        EXISTS (SELECT FROM owners_membership
                   WHERE next_digest_at IS NULL OR next_digest_at <= %(now)s),
        EXISTS (SELECT FROM notifications_delivery
                WHERE state IN ('pending', 'unknown') AND next_at <= %(now)s)
"""
_NEXT = """
    SELECT min(at) FROM (
        SELECT min(not_before) AS at FROM suppliers_contact
            WHERE decided_at IS NULL AND not_before > %(now)s
        UNION ALL SELECT min(next_at) FROM notifications_journey WHERE next_at > %(now)s
        UNION ALL SELECT min(not_before) FROM notifications_notification
            WHERE state = 'planned' AND not_before > %(now)s
        UNION ALL SELECT min(next_digest_at) FROM owners_membership WHERE next_digest_at > %(now)s
        UNION ALL SELECT min(next_at) FROM notifications_delivery
            WHERE state = 'pending' AND next_at > %(now)s
        UNION ALL SELECT min(next_at) FROM notifications_delivery
            WHERE state = 'unknown' AND next_at > %(now)s
    ) AS queues
"""


def play(
    stories: Iterable[Story], *, goes_on: Callable[[datetime], bool] = lambda _now: True
) -> list[Player]:
    """Play the stories in the current database; use inside `recorded`.

    `goes_on` is asked before every instant of theirs: when it says no, the rest is not
    played. Returns the players, in the order of the stories; `now` of each is how far the
    clock came.
    """
    stories, post = list(stories), in_process()
    players = []
    for story in stories:
        start = story.world.start
        with clock.fixed(start):
            cast = world.store(story.world, now=start, has_endpoints=True)
        players.append(Player(cast=cast, now=start, post=post))
    now = min(story.world.start for story in stories)
    for at, deeds in _agenda(players, stories):
        if not goes_on(at):
            break
        now = run_to(at, now)
        with clock.fixed(at):
            for together in _apart(deeds):
                for act in together:
                    act()
                settle(at)
    for player in players:
        player.now = now
    return players


def _agenda(players: list[Player], stories: list[Story]) -> Iterator[tuple[datetime, list[Deed]]]:
    """Yield every instant of the stories and what is done then."""
    steps = sorted(
        (at, home, number, step, act)
        for home, (player, story) in enumerate(zip(players, stories, strict=True))
        for at, number, step, act in player.steps(story)
    )
    for at, group in groupby(steps, key=lambda one: one[0]):
        yield at, [(home, act) for _at, home, _number, _step, act in group]


def _apart(deeds: list[Deed]) -> Iterator[list[Callable[[], None]]]:
    """Yield lots in which each household has one deed: its next one finds the last decided."""
    left = deeds
    while left:
        lot: dict[int, Callable[[], None]] = {}
        later = []
        for home, act in left:
            if home in lot:
                later.append((home, act))
            else:
                lot[home] = act
        yield list(lot.values())
        left = later


def run_to(at: datetime, now: datetime) -> datetime:
    """Let the clock run from `now` to `at`; whatever falls due on the way happens."""
    while True:
        [(due,)] = bulk.read(_NEXT, {"now": now})
        if due is None or due >= at:
            return at
        now = due
        with clock.fixed(now):
            settle(now)


def settle(now: datetime) -> None:
    """Run the stages at which something waits at `now`, until nothing does."""
    moved = 1
    with doorbell.hushed():
        while moved:
            moved = 0
            [(has_news, is_time, is_slot, has_mail)] = bulk.read(_WAITING, {"now": now})
            if has_news:
                moved += pipeline.pump(now_fn=clock.now)
            if is_time:
                moved += feed.sweep(now=now)
            if is_slot:
                moved += digests.make_due(now=now)
            if has_mail:
                moved += delivery.deliver_due(now=now, limit=BATCH, now_fn=clock.now)
