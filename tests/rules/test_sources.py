"""Each fact says by which way it came, and how far that can be believed."""

from typing import Any

import pytest

from notifications import sources


def said(**given: Any) -> dict[str, Any]:
    """Return a contact of a journey, by default a proved mail of Skyline's."""
    return {
        "outcome": "shown",
        "type": "",
        "authentication": "pass",
        "medium": "email",
        "has_original": not given.get("type"),
        "supplier": {"name": "Skyline TV"},
        "link": None,
    } | given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "by e-mail, proved"),
        ({"authentication": "none"}, "by e-mail, not proved"),
        ({"authentication": "fail"}, "by e-mail, its sender failed the check"),
        ({"type": "appointment.requested", "medium": "none"}, "by a signed message"),
        ({"type": "delivery.scheduled", "has_original": True}, "by e-mail, proved"),
        ({"medium": "sms"}, "by SMS, number known"),
        ({"medium": "voicemail", "supplier": None}, "by voicemail, number unknown"),
        ({"medium": "voicemail", "link": {"is_likely": True}}, "by voicemail, number unknown"),
        ({"medium": "letter", "outcome": "own"}, "written down by you"),
        ({"medium": "letter"}, "Letter"),
    ],
)
def test_a_way_is_said_in_few_words(given: dict[str, Any], words: str) -> None:
    assert sources.way_of(said(**given)) == words


def test_two_sources_of_one_way_are_said_once() -> None:
    contacts = {"a": said(), "b": said(), "c": said(medium="sms")}
    found = sources.ways_of(["a", "b", "c", "gone"], contacts)
    assert found == ["by e-mail, proved", "by SMS, number known"]
