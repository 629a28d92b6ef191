"""Has the product live a year: the real ways in, rules and pipeline under a simulated clock."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from notifications.replay import crowd, report, story
from notifications.replay.player import recorded
from notifications.transports.recording import taken
from tests.year import life, record
from tests.year.truth import Year

MEASURES = ("attention_baseline_s", "attention_shown_s", "attention_saved_s")


def play(
    homes: Sequence[int],
    *,
    seed: int,
    start: datetime,
    days: int,
    share: float,
    goes_on: Callable[[datetime], bool] = lambda _now: True,
    is_measured: bool = False,
) -> Year:
    """Play these households' time in the current database and return what came of it.

    `goes_on` may end it sooner. `is_measured` adds what the product says it saved.
    """
    lives = [life.year(index, seed=seed, start=start, days=days, share=share) for index in homes]
    stories = [story.build(enumerate(({"world": one.world}, *one.lines), start=1)) for one in lives]
    taken.clear()
    with recorded():
        players = crowd.play(stories, goes_on=goes_on)
        measured: dict[str, int] = dict.fromkeys(MEASURES, 0)
        for one, player in zip(stories, players, strict=True):
            if is_measured:
                found = report.measured(one, player)
                measured = {name: measured[name] + int(found[name]) for name in MEASURES}
    ends = min(start + timedelta(days=days), players[0].now)
    return record.read(lives, players, ends=ends, measured=measured)
