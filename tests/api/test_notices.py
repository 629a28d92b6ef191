"""What the things say beside their care, in the API and in the calendar."""

from datetime import timedelta
from decimal import Decimal

from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from assets import duedates, passages, stocking
from assets.lifecycle import Step
from notifications import calendar
from owners import clock
from owners.api.edge import UNDO_HEADER
from tests.factories import Cast


def test_it_is_listed_waved_aside_and_back(cast: Cast, ana: APIClient, mallory: APIClient) -> None:
    values = {"name": "Filter", "quantity": Decimal(0), "reorder_at": Decimal(1)}
    stocking.add(household=cast.household, values=values, now=clock.now())
    (found,) = ana.get("/api/v1/notices/?kind=stock").json()["results"]
    assert (found["what"], found["asset"], found["due_on"]) == ("Filter", None, None)
    one = f"/api/v1/notices/{found['id']}/"
    assert mallory.get(one).status_code == mallory.delete(one).status_code == 404
    gone = ana.delete(one)
    assert gone.status_code == 204
    assert ana.get("/api/v1/notices/").json()["results"] == []
    assert ana.post(f"/api/v1/undo/{gone.headers[UNDO_HEADER]}/").status_code == 200
    assert ana.get(one).json()["kind"] == "stock"


def test_a_loan_stands_in_the_calendar_until_it_is_back(cast: Cast, client: Client) -> None:
    now = clock.now()
    due = duedates.today_in(cast.household.zone, now) + timedelta(days=9)
    said = {"borrower": "Tom", "due_on": due}
    passages.take(asset=cast.dvr, step=Step.LEND, said=said, owner=cast.ana, now=now)
    feed = calendar.subscribe(owner=cast.ana, household=cast.household, asset=None, now=now)
    line = f"{cast.dvr.name}: Due back: Tom"
    assert line in calendar.read(feed=feed, now=now).decode()
    client.force_login(cast.ana)
    for view in ("agenda", "month"):
        address = f"{reverse('calendar')}?view={view}&from={due}"
        assert line in client.get(address).content.decode(), view
    assert (
        line
        not in client.get(f"{reverse('calendar')}?supplier={cast.skyline.uuid}").content.decode()
    )
    passages.take(asset=cast.dvr, step=Step.TAKE_BACK, said={}, owner=cast.ana, now=now)
    assert line not in calendar.read(feed=feed, now=now).decode()
