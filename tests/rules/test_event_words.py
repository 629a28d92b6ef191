"""Every type of event can be said, in every language, and a supplier's own words stay."""

import pytest
from django.utils import translation

from notifications import event_words
from suppliers import catalogue


@pytest.mark.parametrize("kind", sorted(catalogue.INBOUND))
def test_each_type_has_words_of_ours(kind: str) -> None:
    thing, _dot, step = kind.partition(".")
    assert thing in event_words.THINGS
    assert step in event_words.STEPS
    assert event_words.title(event_words._plain(kind)) == event_words.said(kind)


def test_a_title_made_from_a_type_is_said_in_the_readers_language() -> None:
    with translation.override("de"):
        assert event_words.title("Ticket information required") == "Ticket: Angaben nötig"
        assert event_words.title("Your invoice is here") == "Your invoice is here"
