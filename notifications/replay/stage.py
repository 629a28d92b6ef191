"""Where a story is played: in the database at hand, in one of its own, or into a live one."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from notifications.replay import report, scratch, world
from notifications.replay.player import Player, recorded
from notifications.replay.story import Story, build
from owners import clock


def play(lines: Iterable[Mapping[str, Any] | str]) -> dict[str, Any]:
    """Play a story in the current database and return its report.

    `lines` are JSON objects or their text, the world first. What the story stored stays
    there: call it inside a transaction or a test.
    """
    rows = [json.loads(line) if isinstance(line, str) else dict(line) for line in lines]
    return perform(build(enumerate(rows, start=1)))


def perform(story: Story) -> dict[str, Any]:
    """Play `story` in the current database and return its report."""
    with recorded():
        with clock.fixed(story.world.start):
            cast = world.store(story.world, now=story.world.start, has_endpoints=True)
        player = Player(cast=cast, now=story.world.start)
        player.play(story)
        return report.make(story, player)


def perform_apart(story: Story) -> dict[str, Any]:
    """Play `story` in a database of its own, which is gone afterwards."""
    with scratch.database():
        return perform(story)
