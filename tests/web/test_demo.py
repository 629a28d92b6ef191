"""The demo: its boiler is due for its service, and whoever serves it answers a booking."""

from datetime import timedelta
from pathlib import Path

import pytest

from config import demo
from notifications import feed, pipeline
from notifications.choices import Section
from notifications.models import Card
from notifications.replay import entrances
from owners import clock
from owners.models import Household, Owner
from suppliers import announcing
from suppliers.choices import NewsKind
from suppliers.models import OutboundEvent, Supplier

pytestmark = pytest.mark.django_db


def test_a_visitor_books_the_service_and_it_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.tell_past(tmp_path, now=clock.now())
    pipeline.drain(now_fn=clock.now)
    card = Card.objects.select_related("journey").get(journey__asset__name="Boiler")
    assert card.section == Section.NEEDS_YOU
    assert "Book Nordvarme" in {action["label"] for action in card.body["actions"]}
    day = (clock.now() + timedelta(days=9)).date()
    asked = {"start": f"{day}T08:00:00+00:00", "end": f"{day}T12:00:00+00:00"}
    feed.act(
        owner=Owner.objects.get(email=demo.EMAIL),
        journey=card.journey,
        name="book",
        data={"windows": [asked]},
        now=clock.now(),
    )
    pipeline.drain(now_fn=lambda: clock.now() + timedelta(seconds=30))
    monkeypatch.setattr(demo, "post", entrances.in_process())
    said: list[str] = []
    demo.answer_bookings(tmp_path, say=said.append, pause=0, goes=2)
    assert said == ["Steward: Nordvarme has confirmed a visit"]
    pipeline.drain(now_fn=lambda: clock.now() + timedelta(minutes=5))
    card.refresh_from_db()
    assert card.section == Section.ON_ITS_WAY


def test_whoever_is_told_of_a_new_address_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.tell_past(tmp_path, now=clock.now())
    pipeline.drain(now_fn=clock.now)
    ana = Owner.objects.get(email=demo.EMAIL)
    home = Household.objects.for_owner(ana).get()
    # Each has written a mail by now, and is answered by one.
    Supplier.objects.update(technical_contact="ops@skyline.example")
    news = announcing.News(kind=NewsKind.MOVED, value="7 Oak Lane")
    able = announcing.candidates(household=home, kind=NewsKind.MOVED)
    told = announcing.announce(
        household=home,
        news=news,
        chosen=[one.mandate for one in able if one.is_choosable],
        owner=ana,
        now=clock.now(),
    )
    OutboundEvent.objects.filter(uuid__in=told.addressees.values("event")).update(state="sent")
    monkeypatch.setattr(demo, "post", entrances.in_process())
    demo.answer_bookings(tmp_path, say=print, pause=0, goes=2)
    pipeline.drain(now_fn=lambda: clock.now() + timedelta(minutes=5))
    states = {row.mandate.supplier.name: row.state for row in told.addressees.all()}
    assert states["Skyline TV"] == "confirmed"
    assert set(states.values()) <= {"confirmed", "needs"}
