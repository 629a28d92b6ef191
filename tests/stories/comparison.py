"""Compares a report with what must hold in it.

An expected object names only what matters: its fields must hold, others may be there.
Lists of objects must be as long as expected, and each object must hold, in order; other
lists must be equal. An outcome may be just the word. A time given as a pair is a range;
`contains` are substrings of the text; `because` names contacts that must be among the
reasons.
"""

from datetime import datetime
from typing import Any


def differences(expected: Any, actual: Any, at: str = "") -> list[str]:
    """Return what does not hold, one sentence each; empty when all does."""
    if isinstance(expected, dict):
        return _object(expected, actual, at)
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        return _objects(expected, actual, at)
    if at.startswith("/outcomes/") and isinstance(actual, dict):
        actual = actual.get("outcome")
    return [] if expected == actual else [f"{at}: expected {expected!r}, is {actual!r}"]


def _object(expected: dict[str, Any], actual: Any, at: str) -> list[str]:
    if not isinstance(actual, dict):
        return [f"{at}: expected an object, is {actual!r}"]
    found = []
    for name, value in expected.items():
        place = f"{at}/{name}"
        if name == "contains":
            text = str(actual.get("text") or actual.get("lines"))
            found += [f"{place}: {part!r} is not in {text!r}" for part in value if part not in text]
        elif name not in actual:
            found.append(f"{place}: is missing")
        elif name == "at" and isinstance(value, list):
            found += _range(value, actual["at"], place)
        elif name == "because":
            missing = sorted(set(value) - set(actual["because"]))
            found += [f"{place}: {missing} missing in {actual['because']}"] if missing else []
        else:
            found += differences(value, actual[name], place)
    return found


def _objects(expected: list[dict[str, Any]], actual: Any, at: str) -> list[str]:
    if not isinstance(actual, list) or len(actual) != len(expected):
        return [f"{at}: expected {len(expected)}, are {_short(actual)}"]
    found = []
    for index, (wanted, given) in enumerate(zip(expected, actual, strict=True)):
        found += differences(wanted, given, f"{at}/{index}")
    return found


def _range(expected: list[str], actual: str, at: str) -> list[str]:
    first, last = (datetime.fromisoformat(end) for end in expected)
    if first <= datetime.fromisoformat(actual) <= last:
        return []
    return [f"{at}: {actual} is not between {expected[0]} and {expected[1]}"]


def _short(actual: Any) -> str:
    if not isinstance(actual, list):
        return repr(actual)
    shown = [
        {
            name: item[name]
            for name in (
                "at",
                "to",
                "channel",
                "text",
                "contacts",
                "type",
                "lines",
                "state",
                "start",
            )
            if name in item
        }
        if isinstance(item, dict)
        else item
        for item in actual
    ]
    return f"{len(actual)}: {shown!r}"
