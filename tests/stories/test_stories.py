"""Whole stories come out as written: timed contacts in, what the owner sees out."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from notifications.replay import stage
from tests.stories.comparison import differences

HERE = Path(__file__).parent
NAMES = sorted(path.name.removesuffix(".jsonl") for path in HERE.glob("*.jsonl"))
SEEDS = range(6)

pytestmark = pytest.mark.django_db


def lines_of(name: str) -> list[dict[str, Any]]:
    rows = (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row) for row in rows]


def expected_of(name: str) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(
        (HERE / f"{name}.expected.json").read_text(encoding="utf-8")
    )
    return expected


@pytest.mark.parametrize("name", NAMES)
def test_story_comes_out_as_expected_and_every_outcome_carries_its_rule(name: str) -> None:
    report = stage.play(lines_of(name))
    assert differences(expected_of(name), report) == []
    silent = {
        contact: outcome
        for contact, outcome in report["outcomes"].items()
        if not outcome["outcome"] or not outcome["rule"]
    }
    assert silent == {}, "every outcome carries its rule"


@pytest.mark.parametrize(
    "name", ["dvr", "dvr-moved", "five-ways", "two-suppliers", "survey-cap", "the-week"]
)
def test_everything_delivered_twice_changes_nothing(name: str) -> None:
    twice = [
        line if "world" in line or "until" in line else {**line, "times": 2}
        for line in lines_of(name)
    ]
    assert differences(expected_of(name), stage.play(twice)) == []


# One matter told in pieces. Whoever says what, when, is fixed; when it arrives is not.
WINDOW = {"zone": "America/New_York", "kind": "visit"}
ORDER = {"refs": [{"scheme": "order", "value": "O-1"}]}
PIECES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "order.created",
        "09:00",
        {
            "orderNumber": "O-1",
            "status": "new",
            "items": [{"name": "HR54 upgrade", "quantity": 1}],
            "asset": {"ref": "dvr"},
        },
    ),
    (
        "appointment.requested",
        "09:05",
        {
            "uid": "job-1",
            "sequence": 0,
            "dtstamp": "2026-11-10T09:05:00-05:00",
            "start": "2026-11-13T08:00:00-05:00",
            "end": "2026-11-13T12:00:00-05:00",
            **WINDOW,
            **ORDER,
        },
    ),
    (
        "appointment.confirmed",
        "09:10",
        {"uid": "job-1", "sequence": 0, "dtstamp": "2026-11-10T09:10:00-05:00"},
    ),
    (
        "appointment.updated",
        "09:20",
        {
            "uid": "job-1",
            "sequence": 1,
            "dtstamp": "2026-11-10T09:20:00-05:00",
            "start": "2026-11-13T13:00:00-05:00",
            "end": "2026-11-13T17:00:00-05:00",
            **WINDOW,
        },
    ),
    ("appointment.reminder", "09:30", {"uid": "job-1", "at": "2026-11-10T09:30:00-05:00"}),
    (
        "quote.offered",
        "09:40",
        {
            "quoteId": "Q-1",
            "lines": [{"text": "Upgrade"}],
            "total": {"amount": "49.00", "currency": "USD"},
            "validUntil": "2026-11-20T00:00:00-05:00",
            **ORDER,
        },
    ),
    (
        "message.created",
        "09:50",
        {"body": "We look forward to it.", "bodyFormat": "text", **ORDER},
    ),
]


def told_in(order: list[int]) -> list[dict[str, Any]]:
    """Return the pieces as a story that arrives in `order`."""
    rows: list[dict[str, Any]] = [lines_of("dvr")[0]]
    for place, index in enumerate(order):
        kind, said, data = PIECES[index]
        event = {"type": kind, "time": f"2026-11-10T{said}:00-05:00", "data": data}
        at = f"2026-11-10T10:{place:02}:00-05:00"
        rows.append(
            {"id": f"p{index}", "at": at, "via": "webhook", "supplier": "skyline", "event": event}
        )
    return [*rows, {"until": "2026-11-10T12:00:00-05:00"}]


def played_and_forgotten(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Play a story and take back what it stored, so that another one starts afresh."""
    with transaction.atomic():
        report = stage.play(lines)
        transaction.set_rollback(True)
    return report


def state_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the journeys came to, without what is random or tells the arrival."""
    found = []
    for journey in report["journeys"]:
        visits = [
            {k: v for k, v in visit.items() if k != "id"} for visit in journey["appointments"]
        ]
        found.append(
            {
                "contacts": sorted(journey["contacts"]),
                "asset": journey["asset"],
                "suppliers": journey["suppliers"],
                "state": journey["state"],
                "turn": journey["turn"],
                "conflicts": journey["conflicts"],
                "facts": {name: fact["value"] for name, fact in journey["facts"].items()},
                "appointments": visits,
            }
        )
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_arrival_ends_in_the_same_state(seed: int) -> None:
    order = list(range(len(PIECES)))
    in_order = state_of(played_and_forgotten(told_in(order)))
    assert [journey["contacts"] for journey in in_order] == [[f"p{n}" for n in order]]
    random.Random(seed).shuffle(order)  # a reproducible order
    assert state_of(played_and_forgotten(told_in(order))) == in_order
