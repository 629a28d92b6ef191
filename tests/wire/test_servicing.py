"""What a supplier did enters the thing's history, and completes the tasks it says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from assets import caring, metering
from assets.care_words import CareStatus
from assets.choices import Source
from assets.models import CareTask, Meter, MeterReading, ServiceRecord
from notifications import feed, pipeline
from notifications.choices import Section
from notifications.models import Card
from suppliers import inbox
from tests.factories import Cast
from tests.wire.sending import NOW
from tests.wire.test_processing import received

pytestmark = pytest.mark.django_db
LAST_YEAR = datetime(2025, 11, 1, tzinfo=UTC)
YEARLY = {"kind": "calendar", "every": 1, "unit": "year"}


def performed(cast: Cast, number: int = 1, *, lines: list[str], **more: Any) -> None:
    data = {
        "owner": cast.mandate.owner_ref,
        "asset": {"serial": "R15-204477"},
        "serviceId": "srv-1",
        "performedAt": "2026-11-12T10:00:00Z",
        "workDone": lines,
        **more,
    }
    inbox.record(received=[received(cast, number, type="service.performed", data=data)], now=NOW)
    inbox.process_due(now=NOW)


@pytest.fixture
def meter(cast: Cast) -> Meter:
    found = metering.add(asset=cast.dvr, values={"name": "Hours", "unit": "h"}, now=LAST_YEAR)
    for day, value in ((date(2025, 11, 1), 1000), (date(2026, 11, 1), 5000)):
        metering.read(meter=found, value=Decimal(value), read_on=day, now=NOW)
    return found


def task_of(cast: Cast, name: str, *triggers: dict[str, Any], **more: Any) -> CareTask:
    spec = {"name": name, "triggers": list(triggers) or [YEARLY], "last_done_on": "2025-11-20"}
    return caring.add(asset=cast.dvr, spec=spec | more, now=NOW)


def test_the_task_it_names_is_done_by_its_own_reading(cast: Cast, meter: Meter) -> None:
    hours = {"kind": "meter", "meter": "Hours", "every": "6000"}
    fan = task_of(cast, "Clean the fan", hours, YEARLY)
    other = task_of(cast, "Replace the battery")
    metering.read(meter=meter, value=Decimal(5400), read_on=date(2026, 11, 13), now=NOW)
    performed(
        cast,
        lines=["We did clean the fan", "Updated the software"],
        reading={"quantity": "hours", "unit": "h", "value": 5300},
        parts=["Fan"],
    )
    record = ServiceRecord.objects.get()
    assert (record.source, record.provider, record.tasks) == (
        Source.SUPPLIER,
        "Skyline TV",
        [fan.uuid],
    )
    assert record.work == ["We did clean the fan", "Updated the software"]
    fan.refresh_from_db()
    other.refresh_from_db()
    assert fan.due_at == 11300
    assert other.status == CareStatus.DUE_SOON


def test_the_same_report_again_is_the_same_work(cast: Cast) -> None:
    performed(cast, lines=["Work"])
    performed(cast, lines=["Work"])
    assert ServiceRecord.objects.count() == 1


def test_unnamed_work_completes_only_what_this_supplier_was_to_do(cast: Cast) -> None:
    theirs = task_of(cast, "Annual service", provider="skyline tv")
    mine = task_of(cast, "Dust it")
    performed(cast, lines=["All done"])
    assert ServiceRecord.objects.get().tasks == [theirs.uuid]
    mine.refresh_from_db()
    assert mine.status == CareStatus.DUE_SOON


def test_two_that_it_could_be_are_not_guessed(cast: Cast) -> None:
    task_of(cast, "Annual service", provider="Skyline TV")
    task_of(cast, "Software", provider="Skyline TV")
    performed(cast, lines=["All done"])
    assert ServiceRecord.objects.get().tasks == []


def test_the_card_that_called_for_it_is_closed(cast: Cast) -> None:
    task_of(cast, "Annual service", provider="Skyline TV")
    pipeline.drain(now_fn=lambda: NOW)
    assert Card.objects.get().section == Section.NEEDS_YOU
    performed(cast, lines=["Annual service"])
    pipeline.drain(now_fn=lambda: NOW)
    assert not Card.objects.filter(section=Section.NEEDS_YOU, title__contains="Annual").exists()


def test_what_contradicts_the_meter_is_kept_and_counts_for_nothing(
    cast: Cast, meter: Meter
) -> None:
    performed(cast, lines=["Work"], reading={"unit": "h", "value": 12})
    assert MeterReading.objects.get(value=12).is_doubtful


def test_a_reported_reading_is_noted_in_the_unit_of_the_meter(cast: Cast, meter: Meter) -> None:
    data = {
        "owner": cast.mandate.owner_ref,
        "asset": {"serial": "R15-204477"},
        "quantity": "hours",
        "unit": "min",
        "value": 330000,
        "at": "2026-11-13T10:00:00Z",
        "quality": "read",
    }
    inbox.record(received=[received(cast, 9, type="reading.reported", data=data)], now=NOW)
    inbox.process_due(now=NOW)
    reading = MeterReading.objects.latest("pk")
    assert (reading.value, reading.source) == (Decimal(5500), Source.SUPPLIER)


def test_the_next_day_it_names_is_proposed_and_planned_with_one_tap(cast: Cast) -> None:
    fan = task_of(cast, "Clean the fan")
    performed(cast, lines=["Clean the fan"], nextDue="2027-05-01")
    pipeline.drain(now_fn=lambda: NOW)
    asked = Card.objects.get(title__contains="as Skyline TV says")
    assert asked.title == "Living-room DVR: plan Sat 1 May, as Skyline TV says?"
    feed.act(owner=cast.ana, journey=asked.journey, name="done", data={}, now=NOW)
    fan.refresh_from_db()
    assert fan.due_on == date(2027, 5, 1)
    feed.act(owner=cast.ana, journey=asked.journey, name="undo", data={}, now=NOW)
    fan.refresh_from_db()
    assert fan.due_on != date(2027, 5, 1)


def test_work_of_no_task_proposes_a_new_one_that_says_who_stated_it(cast: Cast) -> None:
    performed(cast, lines=["Calibrated the tuner"], nextDue="2027-05-01")
    pipeline.drain(now_fn=lambda: NOW)
    asked = Card.objects.get(title__contains="as Skyline TV says")
    feed.act(owner=cast.ana, journey=asked.journey, name="done", data={}, now=NOW)
    made = CareTask.objects.get()
    assert (made.name, made.due_on) == ("Calibrated the tuner", date(2027, 5, 1))
    assert (made.source, made.provider) == (Source.SUPPLIER, "Skyline TV")


@pytest.mark.parametrize("day", ["2026-11-01", "2025-01-01"])
def test_a_day_that_is_gone_asks_nothing(cast: Cast, day: str) -> None:
    performed(cast, lines=["Work"], nextDue=day)
    pipeline.drain(now_fn=lambda: NOW)
    assert not Card.objects.filter(title__contains="as Skyline TV says").exists()
