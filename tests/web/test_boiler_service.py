"""The service of a boiler from end to end: due on Today, booked, done, logged with its reading.

Everything is done as an owner does it, by the pages, and as a supplier does, by signed
webhooks; only time is moved by hand.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from assets.care_words import CareStatus
from assets.choices import Source
from assets.models import Asset, CareTask, MeterReading, ServiceRecord
from notifications import pipeline
from notifications.choices import Section
from notifications.models import Card
from owners import clock
from suppliers.choices import RoleKind
from suppliers.models import OutboundEvent
from tests import factories
from tests.factories import Cast, cast
from tests.wire import sending

pytestmark = pytest.mark.django_db
SUMMER = datetime(2026, 7, 1, 9, tzinfo=UTC)
DUE = datetime(2026, 9, 21, 13, tzinfo=UTC)
VISIT = datetime(2026, 9, 28, 13, tzinfo=UTC)


@pytest.fixture
def home() -> Cast:
    """Ana with a boiler that Skyline repairs; its people may know of it."""
    found = cast()
    boiler: Any = factories.AssetFactory(household=found.household, name="Boiler", kind="heating")
    factories.AssetIdentifierFactory(household=found.household, asset=boiler, value="21-1723")
    factories.RoleFactory(
        household=found.household, asset=boiler, supplier=found.skyline, kind=RoleKind.REPAIRER
    )
    found.mandate.assets.add(boiler)
    return found


@pytest.fixture
def time() -> Iterator[Any]:
    with time_machine.travel(SUMMER, tick=False) as moved:
        yield moved


def move(time: Any, at: datetime) -> None:
    """Let it be so late, and everything happen that is due by then."""
    time.move_to(at, tick=False)
    with clock.fixed(at):
        pipeline.drain(now_fn=lambda: at)


def says(kind: str, number: int, when: datetime, home: Cast, **data: Any) -> None:
    """Let the supplier say something, signed, about what it was asked for."""
    asked = OutboundEvent.objects.get(type="owner.appointment.requested").data
    data |= {"owner": home.mandate.owner_ref, "refs": asked["refs"]}
    data["asset"] = {"ref": asked["asset"]["ref"]}
    body = sending.event(home, number, type=kind, time=when.isoformat(), data=data)
    answer = sending.post(body, at=when, now=when)
    assert answer.status_code == 202, answer.content
    pipeline.drain(now_fn=lambda: when)


def signed_in(home: Cast) -> Client:
    browser = Client()
    browser.force_login(home.ana, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_a_service_from_its_plan_to_its_log(home: Cast, time: Any) -> None:
    boiler = Asset.objects.get(name="Boiler")
    ana = signed_in(home)

    # Planned in summer, in plain words, with the meter that the service reads.
    meter = {"name": "Hours", "unit": "h", "kind": "cumulative", "value": "5200"}
    assert ana.post(reverse("meter-add", args=[boiler.uuid]), meter).status_code == 302
    plan = {"name": "Boiler service", "rhythm": "fixed", "every": "1", "unit": "year"}
    plan |= {"anchor": "2026-10-01", "lead_days": "14"}
    assert ana.post(reverse("care-add", args=[boiler.uuid]), plan).status_code == 302
    move(time, SUMMER)
    assert "Boiler service" not in ana.get(reverse("today")).content.decode()

    # Two weeks before it is due it stands on Today, with who can do it.
    move(time, DUE)
    ana = signed_in(home)  # nobody stays signed in all summer
    page = ana.get(reverse("today")).content.decode()
    assert "Boiler: Boiler service, due Thu 1 Oct" in page
    assert "Book Skyline TV" in page
    journey = Card.objects.get(title__startswith="Boiler").journey

    # Booked: the request goes out signed, and the supplier's answer joins the same matter.
    act = reverse("journey-act", args=[journey.uuid])
    window = {"name": "book", "day": "2026-09-28", "opens": "09:00", "closes": "13:00"}
    assert ana.post(act, window).status_code in (200, 302)
    move(time, DUE + timedelta(minutes=1))
    asked = OutboundEvent.objects.get(type="owner.appointment.requested")
    assert (asked.supplier, asked.data["body"]) == (home.skyline, "Boiler service")
    assert len(asked.data["windows"]) == 1
    start, end = asked.data["windows"][0]["start"], asked.data["windows"][0]["end"]
    visit = {"uid": "visit-7@skyline", "sequence": 0, "dtstamp": DUE.isoformat()}
    answered = DUE + timedelta(hours=1)
    says("appointment.confirmed", 1, answered, home, **visit, start=start, end=end)
    card = Card.objects.get(journey=journey)
    assert card.section == Section.ON_ITS_WAY
    assert card.title.startswith("Visit: Mon 28 Sep")

    # They came. Yes, it is done: one tap with what the meter shows writes the log.
    done = VISIT + timedelta(hours=2)
    time.move_to(done, tick=False)
    ana = signed_in(home)
    says("appointment.completed", 2, done, home, uid="visit-7@skyline", at=done.isoformat())
    assert "Is it done: Boiler service?" in ana.get(reverse("today")).content.decode()
    tap = {"name": "works", "reading": "5310", "amount": "180"}
    assert ana.post(act, tap).status_code in (200, 302)

    record = ServiceRecord.objects.get()
    task = CareTask.objects.get()
    assert (record.title, record.provider) == ("Boiler service", "Skyline TV")
    assert (record.done_on, record.source) == (date(2026, 9, 28), Source.SELF)
    assert record.tasks == [task.uuid]
    assert record.cost is not None
    assert record.cost.amount == Decimal(180)
    assert MeterReading.objects.get(record=record).value == Decimal(5310)
    assert (task.due_on, task.status) == (date(2027, 10, 1), CareStatus.OK)
    assert Card.objects.get(journey=journey).section == Section.DONE
    assert "Boiler service" in ana.get(reverse("asset-care", args=[boiler.uuid])).content.decode()
    assert OutboundEvent.objects.filter(type="owner.journey.closed").count() == 1
