"""A finder's note waits at the Door, once, and is told as anything there is."""

import pytest
from django.test import Client

from assets import labels
from notifications import finding, pipeline
from notifications.models import Notification
from suppliers.choices import Outcome
from suppliers.models import Contact
from tests.factories import START as NOW
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def left(cast: Cast, reach: str = "finder@street.example") -> Contact:
    label = labels.label_of(cast.dvr, now=NOW)
    labels.leave_note(label=label, text="On the bench by the lake", reach=reach, now=NOW)
    pipeline.drain(now_fn=lambda: NOW)
    return Contact.objects.get()


def test_it_waits_at_the_door_and_interrupts_nobody(cast: Cast) -> None:
    contact = left(cast)
    assert (contact.outcome, contact.reason) == (Outcome.DOOR, "unknown_sender")
    assert (contact.asset, contact.said["sender"]) == (cast.dvr, "finder@street.example")
    assert not Notification.objects.exists()


def test_the_door_says_what_was_found(cast: Cast, client: Client) -> None:
    left(cast)
    client.force_login(cast.ana)
    page = client.get("/door/").content.decode()
    assert "Somebody found it: Living-room DVR" in page
    assert "On the bench by the lake" in page
    client.force_login(cast.mallory)
    assert "bench" not in client.get("/door/").content.decode()


@pytest.mark.parametrize(
    ("reach", "address"),
    [
        ("Finder@Street.example", "finder@street.example"),
        ("+39 0471 123456", "+390471123456"),
        ("ask at the bar", ""),
        ("", ""),
    ],
)
def test_how_the_finder_is_reached_is_read(reach: str, address: str) -> None:
    assert finding.address_in(reach, country="IT") == address
