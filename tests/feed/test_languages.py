"""Each member reads the card in a language of their own."""

from datetime import datetime, timedelta

import pytest
from django.utils import translation

from notifications import feed, feed_page
from notifications.models import Card, Journey
from owners import households
from owners.models import Membership, Owner
from tests.web.conftest import played

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Owner:
    """Ana, when she is asked whether it works."""
    return played()


def later(card: Card) -> datetime:
    return card.changed_at + timedelta(minutes=1)


def test_a_member_who_changes_language_reads_old_cards_in_it(story: Owner) -> None:
    before = Card.objects.get()
    assert before.said["language"] == "en"
    new_before = Membership.objects.get(owner=story).new_count
    households.change_owner(owner=story, values={"language": "de"})
    feed.sweep(now=later(before))
    card = Card.objects.get()
    assert card.body["language"] == "de"
    assert card.title == card.body["title"]
    assert card.version == before.version + 1
    # To say the same in other words is no news.
    assert card.changed_at == before.changed_at
    assert Membership.objects.get(owner=story).new_count == new_before


def test_two_members_read_one_card_in_two_languages(story: Owner) -> None:
    ben = Owner.objects.create_user("ben@hart.example", "Ben", language="de")
    household = Journey.objects.get().household
    Membership.objects.create(household=household, owner=ben)
    households.reword(ben)
    feed.sweep(now=later(Card.objects.get()))
    card = Card.objects.get()
    assert card.in_language("en")["language"] == "en"
    assert card.in_language("de")["language"] == "de"
    with translation.override("de"):
        assert card.said == card.translations["de"]
    for owner, language in ((story, "en"), (ben, "de")):
        (body,) = feed_page.read(owner=owner, limit=5).bodies
        assert f'"language": "{language}"' in body


def test_a_card_that_changes_changes_in_every_language(story: Owner) -> None:
    ben = Owner.objects.create_user("ben@hart.example", "Ben", language="it")
    journey = Journey.objects.get()
    Membership.objects.create(household=journey.household, owner=ben)
    households.reword(ben)
    at = later(Card.objects.get())
    feed.sweep(now=at)
    feed.act(owner=story, journey=journey, name="works", data={}, now=at)
    card = Card.objects.get()
    assert card.section == "done"
    assert {card.body["section"], card.translations["it"]["section"]} == {"done"}


def test_words_that_nobody_speaks_are_english(story: Owner) -> None:
    households.change_owner(owner=story, values={"language": "fr"})
    feed.sweep(now=later(Card.objects.get()))
    assert Card.objects.get().body["language"] == "en"
