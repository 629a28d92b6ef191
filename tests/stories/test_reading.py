"""A story is read strictly: a wrong line is named by its number."""

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from notifications.replay.story import StoryError, build, parse
from tests.stories.comparison import differences

BASE = Path(__file__).parent / "dvr.jsonl"


def rows() -> list[dict[str, Any]]:
    return [json.loads(row) for row in BASE.read_text(encoding="utf-8").splitlines()]


def test_the_world_has_the_defaults_of_its_zone() -> None:
    world = parse(BASE.read_text(encoding="utf-8")).world
    assert (world.country, world.currency) == ("US", "USD")
    ana = world.members[0]
    assert (ana.quiet, ana.language, ana.has_quiet_exceptions) == (
        (time(22, 0), time(8, 0)),
        "en",
        True,
    )


def test_lines_are_played_by_time_whatever_their_order() -> None:
    first, *others = rows()
    story = build(enumerate([first, *reversed(others)], start=1))
    assert [line.id for line in story.lines][:3] == ["c1", "c2", "c3"]
    assert story.lines[-1].via == "until"


def test_the_owner_may_snooze_until_a_time() -> None:
    first, *others = rows()
    snooze = {"via": "owner", "by": "ana", "do": "snooze", "journey_of": "c2"}
    times = {"at": "2026-11-13T19:00:00-05:00", "until": "2026-11-14T09:00:00-05:00"}
    story = build(enumerate([first, *others, {"id": "z", **snooze, **times}], start=1))
    assert [line.via for line in story.lines if line.id == "z"] == ["owner"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"via": "pigeon"}, "pigeon"),
        ({"at": "2026-11-13T08:14:00"}, "no offset"),
        ({"at": "yesterday"}, "RFC 3339"),
        ({"at": "2026-11-01T08:14:00-05:00"}, "before the clock starts"),
        ({"to": "bob"}, "no 'bob'"),
        ({"status": "lost"}, "status"),
        ({"duration_s": -1}, "duration_s"),
        ({"tone": "angry"}, "unknown field 'tone'"),
        ({"times": 0}, "times"),
    ],
)
def test_a_wrong_line_is_named(change: dict[str, Any], says: str) -> None:
    lines = rows()
    lines[3] = {**lines[3], **change}
    with pytest.raises(StoryError, match=says) as caught:
        build(enumerate(lines, start=1))
    assert caught.value.line == 4


def test_a_missing_field_is_named() -> None:
    lines = rows()
    del lines[3]["from"]
    with pytest.raises(StoryError, match="line 4: 'from' is missing"):
        build(enumerate(lines, start=1))


def test_ids_are_unique() -> None:
    lines = rows()
    lines[2]["id"] = "c1"
    with pytest.raises(StoryError, match="line 3: the id 'c1' is taken"):
        build(enumerate(lines, start=1))


def test_what_is_not_json_is_named_with_its_line() -> None:
    with pytest.raises(StoryError, match="line 2: not JSON"):
        parse(f"{json.dumps(rows()[0])}\n{{")


def test_an_empty_story_is_wrong() -> None:
    with pytest.raises(StoryError, match="line 1"):
        parse("\n")


@pytest.mark.parametrize(
    ("expected", "actual", "count"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, 0),
        ({"a": 1}, {"a": 2}, 1),
        ({"a": 1}, {}, 1),
        ({"l": [{"a": 1}]}, {"l": [{"a": 1, "b": 2}]}, 0),
        ({"l": [{"a": 1}]}, {"l": [{"a": 1}, {"a": 1}]}, 1),
        ({"l": []}, {"l": [{"a": 1}]}, 1),
        ({"l": [1, 2]}, {"l": [2, 1]}, 1),
        ({"outcomes": {"c": "own"}}, {"outcomes": {"c": {"outcome": "own", "rule": "x"}}}, 0),
        ({"outcomes": {"c": "own"}}, {"outcomes": {"c": {"outcome": "door"}}}, 1),
        ({"contains": ["b"]}, {"text": "abc"}, 0),
        ({"contains": ["B"]}, {"text": "abc"}, 1),
        ({"because": ["c1"]}, {"because": ["c1", "c2"]}, 0),
        ({"because": ["c3"]}, {"because": ["c1", "c2"]}, 1),
        (
            {"at": ["2026-11-13T08:00:00-05:00", "2026-11-13T09:00:00-05:00"]},
            {"at": "2026-11-13T13:30:00+00:00"},
            0,
        ),
        (
            {"at": ["2026-11-13T08:00:00-05:00", "2026-11-13T09:00:00-05:00"]},
            {"at": "2026-11-13T14:00:01+00:00"},
            1,
        ),
    ],
)
def test_the_comparison_finds_what_does_not_hold(
    expected: dict[str, Any], actual: dict[str, Any], count: int
) -> None:
    assert len(differences(expected, actual)) == count
