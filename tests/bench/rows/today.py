"""Today with two hundred cards, beside a signed-in page with nothing on it."""

import re
import statistics
import time

from django.test import Client
from django.utils import timezone

from config import garbage
from notifications.choices import Section
from notifications.models import Card
from owners.choices import Rank
from owners.models import Household, Membership, Owner
from tests import factories
from tests.bench.bench import Bench, Row

WORK = "Today's first 20 of 200 cards, server time of one request"
TARGET = "<= 1.5 x an empty signed-in page + 5 ms"
STORED = 200


def household_of(cards: int, email: str) -> Owner:
    """Return an owner whose household has so many cards with threads, bars and answers."""
    owner = Owner.objects.create(email=email, zone="America/New_York")
    household = Household.objects.create(name=email)
    Membership.objects.create(household=household, owner=owner, rank=Rank.ADMIN)
    now = timezone.now().isoformat()
    for number in range(cards):
        journey = factories.JourneyFactory.create(household=household, title=f"Matter {number}")
        section = (Section.NEEDS_YOU, Section.ON_ITS_WAY, Section.QUIET)[number % 3]
        body = {
            "journey": str(journey.uuid),
            "section": section.value,
            "title": journey.title,
            "thread": [{"outcome": "absorbed", "kind": "message", "at": now}] * 9,
            "actions": [{"name": "accept", "label": "Accept", "fields": [], "is_primary": False}],
            "promise": {"start": now, "end": now, "zone": "America/New_York"},
        }
        factories.CardFactory.create(
            journey=journey, household=household, section=section, body=body
        )
    return owner


def median_ms(reader: Client, address: str, times: int) -> float:
    """Return the median time of a request inside the server, in ms."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        answer = reader.get(address)
        took.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200
    return statistics.median(took)


def reader_of(owner: Owner) -> Client:
    """Return a browser of the owner's that has been here before."""
    reader = Client()
    reader.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    for _ in range(3):
        reader.get("/")
    return reader


def measure(bench: Bench) -> Row:
    """Take turns between both pages, so that a busy moment weighs on both.

    What was imported is set aside from the garbage collector, as it is where pages are served.
    """
    garbage.freeze()
    full = reader_of(household_of(STORED, "full@bench.example"))
    bare = reader_of(household_of(0, "bare@bench.example"))
    times = 10 if bench.is_quick else 40
    pairs = [
        (median_ms(full, "/", times), median_ms(bare, "/journeys/?show=closed", times))
        for _ in range(bench.rounds)
    ]
    pairs.sort(key=lambda pair: pair[0] / pair[1])
    ours, empty = pairs[len(pairs) // 2]
    shown = len(re.findall(r"data-card ", full.get("/").content.decode()))
    assert Card.objects.filter(household__name="full@bench.example").count() == STORED
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{ours:.1f} ms with {shown} cards",
        floor=f"{empty:.1f} ms empty",
        is_met=ours <= 1.5 * empty + 5 and shown == 20,
    )
