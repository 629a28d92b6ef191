"""Care in the API: planned, done, read, taken back; who may, and what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from assets import care_words, sharing
from assets.models import CareTask, CostEntry, Issue, MeterReading, Part, ServiceRecord
from owners import clock
from owners.choices import Rank
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
OIL = {
    "name": "Oil change",
    "triggers": [
        {"kind": "meter", "meter": "Odometer", "every": "15000"},
        {"kind": "calendar", "mode": "floating", "every": 1, "unit": "year"},
    ],
    "last_done_on": "2026-01-10",
}


@pytest.fixture
def home() -> Any:
    return factories.MembershipFactory(rank=Rank.ADMIN)


@pytest.fixture
def car(home: Any) -> Any:
    return factories.AssetFactory(household=home.household, name="Car")


def app_of(owner: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def app(home: Any) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield app_of(home.owner)


def post(app: APIClient, address: str, status: int = 201, **body: Any) -> Any:
    response = app.post(f"/api/v1/{address}", body, format="json")
    assert response.status_code == status, response.content
    return response


@pytest.fixture
def oil(app: APIClient, car: Any) -> str:
    meter = post(app, "meters/", asset=str(car.uuid), name="Odometer", unit="km").json()
    readings = f"meters/{meter['id']}/readings/"
    post(app, readings, value="50000", read_on="2026-01-10")
    post(app, readings, value="60000", read_on="2026-09-10")
    return str(post(app, "care-tasks/", asset=str(car.uuid), spec=OIL).json()["id"])


def test_a_task_counts_by_meter_or_year_whichever_is_first(app: APIClient, oil: str) -> None:
    task = app.get(f"/api/v1/care-tasks/{oil}/").json()
    assert (task["due_at"], task["due_on"], task["is_estimate"]) == ("65000", "2027-01-10", True)
    assert task["status"] == "ok"


def test_done_writes_cost_reading_parts_and_paper_in_one_go(
    app: APIClient, oil: str, car: Any
) -> None:
    home = str(car.household.uuid)
    part = post(app, "parts/", household=home, name="Oil filter", quantity="2", reorder_at="1")
    meter = app.get("/api/v1/meters/").json()["results"][0]["id"]
    done = post(
        app,
        f"care-tasks/{oil}/done/",
        200,
        done_on="2026-11-01",
        cost={"amount": "180.00", "currency": "EUR"},
        readings=[{"meter": meter, "value": "62000"}],
        parts=[{"part": part.json()["id"], "quantity": "1"}],
        note="5W-30",
    )
    assert done.json()["due_at"] == "77000"
    assert CostEntry.objects.get().amount == Decimal(180)
    assert Part.objects.get().quantity == 1
    assert MeterReading.objects.latest("pk").value == 62000
    (record,) = app.get("/api/v1/log/").json()["results"]
    assert record["cost"] == {"amount": "180", "currency": "EUR"}
    undone = app.post(f"/api/v1/undo/{done.headers['Steward-Undo']}/")
    assert undone.status_code in (200, 204)
    assert not CostEntry.objects.exists()
    assert Part.objects.get().quantity == 2
    assert app.get("/api/v1/log/").json()["results"] == []
    assert app.get(f"/api/v1/care-tasks/{oil}/").json()["due_at"] == "65000"


def test_the_same_occurrence_is_done_once(app: APIClient, oil: str) -> None:
    for _tap in range(2):
        post(app, f"care-tasks/{oil}/done/", 200, occurrence="2026-01-10")
    assert ServiceRecord.objects.count() == 1


def test_a_lower_reading_asks_why(app: APIClient, oil: str) -> None:
    meter = app.get("/api/v1/meters/").json()["results"][0]["id"]
    refused = post(app, f"meters/{meter}/readings/", 409, value="300")
    assert refused.json()["code"] == "lower_reading"
    post(app, f"meters/{meter}/readings/", value="300", why_less="replaced")
    task = app.get(f"/api/v1/care-tasks/{oil}/").json()
    assert task["due_at"] == "65000"


def test_a_reading_may_be_given_in_miles(app: APIClient, oil: str) -> None:
    meter = app.get("/api/v1/meters/").json()["results"][0]["id"]
    shown = post(app, f"meters/{meter}/readings/", value="40000", unit="mi").json()
    assert shown["value"] == "64373.76"


def test_a_failed_point_raises_a_fault_and_calls_for_care(app: APIClient, car: Any) -> None:
    check = {
        "name": "Inspection",
        "checklist": ["Brakes", "Lights"],
        "triggers": [{"kind": "calendar", "every": 2, "unit": "year"}],
        "last_done_on": "2024-11-20",
    }
    repair = {"name": "Repair", "triggers": [{"kind": "event", "event": "inspection_failed"}]}
    task = post(app, "care-tasks/", asset=str(car.uuid), spec=check).json()["id"]
    post(app, "care-tasks/", asset=str(car.uuid), spec=repair)
    post(
        app,
        f"care-tasks/{task}/done/",
        200,
        findings=[
            {"item": "Brakes", "result": "fail", "note": "worn"},
            {"item": "Lights", "result": "pass"},
        ],
    )
    (issue,) = app.get("/api/v1/issues/").json()["results"]
    assert (issue["title"], issue["severity"]) == ("Brakes", "critical")
    called = CareTask.objects.get(name="Repair")
    assert (called.status, called.due_on) == (care_words.CareStatus.DUE, date(2026, 11, 10))
    app.patch(f"/api/v1/issues/{issue['id']}/", {"status": "resolved"}, format="json")
    assert Issue.objects.get().resolved_on == date(2026, 11, 10)


def test_what_is_no_task_is_refused_where_it_is_wrong(app: APIClient, car: Any) -> None:
    for spec, pointer in (
        ({"name": "x", "triggers": []}, "/triggers"),
        ({"name": "x", "triggers": [{"kind": "calendar", "every": 0}]}, "/triggers/0/every"),
        (
            {"name": "x", "triggers": [{"kind": "meter", "meter": "none", "every": "5"}]},
            "/triggers/0/meter",
        ),
        (
            {
                "name": "x",
                "triggers": [
                    {
                        "kind": "calendar",
                        "mode": "fixed",
                        "rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
                    }
                ],
            },
            "/triggers/0/rule",
        ),
    ):
        refused = post(app, "care-tasks/", 400, asset=str(car.uuid), spec=spec)
        assert refused.json()["errors"][0]["pointer"] == pointer


def test_helpers_tick_and_do_not_plan(app: APIClient, oil: str, home: Any, car: Any) -> None:
    helper: Any = factories.MembershipFactory(household=home.household, rank=Rank.HELPER)
    post(app_of(helper.owner), f"care-tasks/{oil}/done/", 403)
    sharing.let_help(membership=helper, assets=[car], by=home.owner, now=clock.now())
    viewer = factories.MembershipFactory(household=home.household, rank=Rank.VIEWER)
    task = f"care-tasks/{oil}/"
    post(app_of(helper.owner), f"{task}done/", 200)
    post(app_of(helper.owner), f"{task}marks/snooze/", 200, until="2026-12-24")
    post(app_of(helper.owner), "care-tasks/", 403, asset=str(car.uuid), spec=OIL)
    post(app_of(viewer.owner), f"{task}done/", 403)


def test_mallory_finds_none_of_it(app: APIClient, oil: str) -> None:
    mallory = app_of(factories.OwnerFactory())
    meter = app.get("/api/v1/meters/").json()["results"][0]["id"]
    for address in (f"care-tasks/{oil}/", f"meters/{meter}/", f"meters/{meter}/readings/"):
        assert mallory.get(f"/api/v1/{address}").status_code == 404
    for address in ("care-tasks/", "meters/", "log/", "parts/", "issues/"):
        found = mallory.get(f"/api/v1/{address}")
        assert found.json()["results"] == []


def test_paused_rests_and_resumed_goes_on(app: APIClient, oil: str) -> None:
    marks = f"care-tasks/{oil}/marks"
    assert post(app, f"{marks}/pause/", 200).json()["status"] == "paused"
    assert post(app, f"{marks}/resume/", 200).json()["status"] == "ok"
    moved = post(app, f"{marks}/reschedule/", 200, until="2026-11-20").json()
    assert (moved["due_on"], moved["status"]) == ("2026-11-20", "due_soon")
    post(app, f"{marks}/snooze/", 400, until="2026-11-01")
