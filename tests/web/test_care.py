"""Care on the pages: planned in plain words, done with one tap or with all there is to say."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from assets import caring, documents, duedates, metering, sharing
from assets.care_words import CareStatus
from assets.models import CareTask, Issue, Meter, Part, ServiceRecord
from assets.undos import UNDOS
from owners import undoing
from owners.choices import Rank
from owners.models import Change
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 6, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _hour() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def home() -> Any:
    return factories.MembershipFactory(rank=Rank.ADMIN)


@pytest.fixture
def boiler(home: Any) -> Any:
    return factories.AssetFactory(household=home.household, name="Boiler")


@pytest.fixture
def ana(home: Any) -> Client:
    return browser_of(home.owner)


def browser_of(owner: Any) -> Client:
    browser = Client()
    browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.fixture
def task(boiler: Any) -> CareTask:
    spec = {
        "name": "Service",
        "triggers": [{"kind": "calendar", "mode": "fixed", "unit": "year", "anchor": "2026-10-01"}],
    }
    asked = datetime(2026, 7, 1, tzinfo=UTC)
    added = caring.add(asset=boiler, spec=spec, now=asked)
    assert duedates.sweep(now=NOW) == 1
    return added


def test_a_task_is_planned_in_plain_words(ana: Client, boiler: Any) -> None:
    said = {
        "name": "Bleed the radiators",
        "rhythm": "floating",
        "every": "6",
        "unit": "month",
        "last_done_on": "2026-08-31",
        "lead_days": "14",
        "season": ["9", "10"],
    }
    answer = ana.post(reverse("care-add", args=[boiler.uuid]), said)
    assert answer.status_code == 302, answer.content
    task = CareTask.objects.get()
    assert (task.due_on, task.season) == (date(2027, 9, 1), [9, 10])
    page = ana.get(reverse("asset-care", args=[boiler.uuid]))
    assert "Bleed the radiators" in page.content.decode()


def test_what_is_changed_on_the_page_keeps_what_no_field_shows(ana: Client, boiler: Any) -> None:
    spec = {
        "name": "Filter",
        "triggers": [
            {"kind": "calendar", "mode": "fixed", "rule": "FREQ=MONTHLY;BYDAY=1MO"},
            {"kind": "event", "event": "recall"},
        ],
    }
    task = caring.add(asset=boiler, spec=spec, now=NOW)
    page = ana.get(reverse("care-edit", args=[task.uuid]))
    said = {k: v for k, v in page.context["form"].initial.items() if v not in (None, "", False)}
    ana.post(reverse("care-edit", args=[task.uuid]), said | {"name": "Air filter"})
    task.refresh_from_db()
    assert task.name == "Air filter"
    assert caring.spec_of(task)["triggers"] == spec["triggers"]


def test_one_tap_writes_it_down_and_can_be_undone(ana: Client, task: CareTask) -> None:
    for _tap in range(2):
        ana.post(reverse("care-done", args=[task.uuid]), {"occurrence": ""})
    record = ServiceRecord.objects.get()
    assert (record.title, record.done_on) == ("Service", date(2026, 10, 6))
    task.refresh_from_db()
    assert task.due_on == date(2027, 10, 1)


def test_with_cost_reading_parts_and_receipt(ana: Client, task: CareTask, boiler: Any) -> None:
    ana.post(
        reverse("meter-add", args=[boiler.uuid]),
        {
            "name": "Hours",
            "unit": "h",
            "kind": "cumulative",
            "value": "1200",
        },
    )
    ana.post(f"{reverse('part-add')}?asset={boiler.uuid}", {"name": "Nozzle", "quantity": "1"})
    meter, part = Meter.objects.get(), Part.objects.get()
    page = ana.get(reverse("care-done", args=[task.uuid])).content.decode()
    assert "Hours (h)" in page
    answer = ana.post(
        reverse("care-done", args=[task.uuid]),
        {
            "done_on": "2026-10-06",
            "amount": "180",
            "currency": "EUR",
            "provider": "Nordvarme",
            f"meter-{meter.uuid}": "1210.5",
            f"part-{part.uuid}": "1",
        },
    )
    assert answer.status_code == 302, answer.content
    record = ServiceRecord.objects.get()
    assert record.cost is not None
    assert (record.cost.amount, record.provider) == (Decimal(180), "Nordvarme")
    assert meter.readings.latest("pk").value == Decimal("1210.5")
    part.refresh_from_db()
    assert part.quantity == 0
    assert "Nozzle" not in ana.get(reverse("care")).content.decode()  # nobody asked to buy again
    assert ana.get(reverse("meter", args=[meter.uuid])).status_code == 200


def test_a_paper_of_the_work_is_named_until_it_lies_in_the_bin(
    ana: Client, task: CareTask, home: Any
) -> None:
    paper = documents.add(
        household=task.household,
        asset=task.asset,
        owner=home.owner,
        name="bill.txt",
        content=b"180 EUR, paid",
        now=NOW,
    )
    caring.done(task=task, owner=home.owner, now=NOW, said=caring.Work(papers=[paper.uuid]))
    address = reverse("asset-care", args=[task.asset.uuid])
    link = reverse("document", args=[paper.uuid])
    shown = ana.get(address).content.decode()
    assert link in shown
    assert "bill.txt" in shown
    documents.remove(document=paper, owner=home.owner, now=NOW)
    assert link not in ana.get(address).content.decode()


def test_a_lower_reading_is_asked_about_beside_the_field(ana: Client, boiler: Any) -> None:
    meter = Meter.objects.create(household=boiler.household, asset=boiler, name="Hours")
    there = reverse("meter", args=[meter.uuid])
    ana.post(there, {"value": "900", "read_on": "2026-09-01"})
    refused = ana.post(there, {"value": "20", "read_on": "2026-10-01"})
    assert refused.status_code == 422
    assert "Why is it less now?" in refused.content.decode()
    said = {"value": "20", "read_on": "2026-10-01", "why_less": "replaced"}
    assert ana.post(there, said).status_code == 302
    assert meter.replacements.count() == 1


def test_an_inspection_raises_a_fault_that_can_be_solved(ana: Client, boiler: Any) -> None:
    spec = {
        "name": "Check",
        "checklist": ["Pressure", "Flue"],
        "triggers": [{"kind": "calendar", "every": 1, "unit": "year"}],
    }
    task = caring.add(asset=boiler, spec=spec, now=NOW)
    said = {"done_on": "2026-10-06", "point-0": "pass", "point-1": "advise"}
    ana.post(reverse("care-done", args=[task.uuid]), said)
    issue = Issue.objects.get()
    assert issue.title == "Flue"
    assert "Flue" in ana.get(reverse("asset-care", args=[boiler.uuid])).content.decode()
    ana.post(reverse("issue-settle", args=[issue.uuid]), {"status": "resolved"})
    issue.refresh_from_db()
    assert issue.resolved_on == date(2026, 10, 6)


def test_later_moved_skipped_and_at_rest(ana: Client, task: CareTask) -> None:
    there = reverse("care-act", args=[task.uuid])
    for name, until, due in (
        ("snooze", "2026-10-20", date(2026, 10, 1)),
        ("reschedule", "2026-11-02", date(2026, 11, 2)),
        ("skip", "", date(2027, 10, 1)),
    ):
        ana.post(there, {"name": name, "until": until})
        task.refresh_from_db()
        assert task.due_on == due, name
    ana.post(there, {"name": "pause"})
    task.refresh_from_db()
    assert task.status == CareStatus.PAUSED
    assert "Go on" in ana.get(reverse("care-task", args=[task.uuid])).content.decode()


def test_the_list_of_all_narrows_to_what_is_due(ana: Client, task: CareTask, boiler: Any) -> None:
    never = {"name": "Descale", "triggers": [{"kind": "calendar", "every": 3}]}
    caring.add(asset=boiler, spec=never, now=NOW)
    due = ana.get(reverse("care"), {"view": "due"}).content.decode()
    assert "Service" in due
    assert "Descale" not in due
    asked = ana.get(reverse("care"), {"view": "unknown"}).content.decode()
    assert "Say when it was last done" in asked


def test_helpers_tick_and_mallory_sees_nothing(task: CareTask, home: Any) -> None:
    helper: Any = factories.MembershipFactory(household=home.household, rank=Rank.HELPER)
    done = reverse("care-done", args=[task.uuid])
    assert browser_of(helper.owner).post(done, {"occurrence": ""}).status_code == 403
    sharing.let_help(membership=helper, assets=[task.asset], by=home.owner, now=NOW)
    mallory = browser_of(factories.OwnerFactory())
    for name in ("care-task", "care-edit", "care-done"):
        assert mallory.get(reverse(name, args=[task.uuid])).status_code == 404
    there = reverse("care-act", args=[task.uuid])
    assert browser_of(helper.owner).post(there, {"name": "pause"}).status_code == 403
    browser_of(helper.owner).post(reverse("care-done", args=[task.uuid]), {"occurrence": ""})
    assert ServiceRecord.objects.count() == 1


SAID: dict[str, Any] = {"name": "Tend it", "lead_days": "7", "unit": "month", "rhythm": "none"}


@pytest.mark.parametrize(
    ("given", "trigger"),
    [
        (
            {"rhythm": "fixed", "days": ["MO", "TH"], "anchor": "2026-10-01", "nth": "0"},
            {"rule": "FREQ=WEEKLY;BYDAY=MO,TH", "mode": "fixed"},
        ),
        (
            {"rhythm": "fixed", "every": "3", "days": ["SA"], "nth": "-1", "anchor": "2026-10-01"},
            {"rule": "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1SA", "mode": "fixed"},
        ),
        ({"event": "trip"}, {"kind": "event", "event": "trip"}),
    ],
)
def test_weekdays_and_occasions_are_said_in_plain_words_and_shown_again(
    ana: Client, boiler: Any, given: dict[str, Any], trigger: dict[str, Any]
) -> None:
    assert ana.post(reverse("care-add", args=[boiler.uuid]), SAID | given).status_code == 302
    made = CareTask.objects.get()
    assert trigger.items() <= made.triggers[0].items()
    page = ana.get(reverse("care-edit", args=[made.uuid]))
    again = {
        name: value
        for name, value in page.context["form"].initial.items()
        if value not in (None, "")
    }
    before = made.triggers
    assert ana.post(reverse("care-edit", args=[made.uuid]), SAID | again).status_code == 302
    made.refresh_from_db()
    assert made.triggers == before


def test_a_reading_over_its_limit_calls_for_care(ana: Client, boiler: Any) -> None:
    meter = Meter.objects.create(
        household=boiler.household, asset=boiler, name="Pressure", unit="bar", kind="gauge"
    )
    given = {"watched": str(meter.uuid), "compare": "<", "limit": "1.2", "hold_days": ""}
    assert ana.post(reverse("care-add", args=[boiler.uuid]), SAID | given).status_code == 302
    made = CareTask.objects.get()
    assert made.triggers == [
        {
            "kind": "condition",
            "meter": str(meter.uuid),
            "compare": "<",
            "value": "1.2",
            "hold_days": 0,
        }
    ]
    ana.post(reverse("meter", args=[meter.uuid]), {"value": "1.0", "read_on": "2026-10-06"})
    made.refresh_from_db()
    assert made.status == CareStatus.DUE


@pytest.mark.parametrize(
    ("given", "field"),
    [({"days": ["MO"], "event": "trip"}, "days"), ({}, "rhythm")],
)
def test_what_does_not_go_together_is_said_beside_its_field(
    ana: Client, boiler: Any, given: dict[str, Any], field: str
) -> None:
    page = ana.post(reverse("care-add", args=[boiler.uuid]), SAID | given)
    assert page.status_code == 422
    assert field in page.context["form"].errors


def test_it_happened_makes_it_due_and_can_be_taken_back(ana: Client, boiler: Any) -> None:
    spec = {"name": "Rinse it", "triggers": [{"kind": "event", "event": "trip"}]}
    made = caring.add(asset=boiler, spec=spec, now=NOW)
    assert "It happened: A trip" in ana.get(reverse("care-task", args=[made.uuid])).content.decode()
    ana.post(reverse("care-act", args=[made.uuid]), {"name": "happened"})
    made.refresh_from_db()
    assert made.status == CareStatus.DUE
    change = Change.objects.get(kind=caring.HAPPENED)
    assert change.owner is not None
    undoing.put_back(change=change, owner=change.owner, ways=UNDOS, now=NOW)
    made.refresh_from_db()
    assert made.status != CareStatus.DUE


def test_a_day_from_use_says_from_what_use(ana: Client, boiler: Any) -> None:
    meter = metering.add(asset=boiler, values={"name": "Way", "unit": "km"}, now=NOW)
    for day, value in ((date(2026, 8, 1), 1000), (date(2026, 10, 1), 3000)):
        metering.read(meter=meter, value=Decimal(value), read_on=day, now=NOW)
    spec = {
        "name": "Oil",
        "triggers": [{"kind": "meter", "meter": "Way", "every": "5000"}],
        "last_done_on": "2026-08-01",
    }
    made = caring.add(asset=boiler, spec=spec, now=NOW)
    page = ana.get(reverse("care-task", args=[made.uuid])).content.decode()
    assert "at 998.0 km a month" in page or "at 998 km a month" in page
