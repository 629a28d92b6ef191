"""How many queries each list of the API takes: the same for one row as for fifty."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import calendar
from notifications.models import Link
from suppliers.choices import Outcome
from tests import factories
from tests.api.conftest import app_of

PINNED: dict[str, int] = json.loads((Path(__file__).parent / "query_counts.json").read_text())
FEED_MOST = 8


def rows(cast: factories.Cast, count: int) -> None:
    """Give Ana `count` of everything that is listed."""
    for number in range(count):
        asset = factories.AssetFactory.create(household=cast.household, keeper=cast.ana)
        factories.AssetIdentifierFactory.create(asset=asset)
        supplier = factories.SupplierFactory.create()
        factories.SupplierDomainFactory.create(supplier=supplier)
        factories.RoleFactory.create(asset=asset, supplier=supplier)
        factories.MandateFactory.create(household=cast.household, supplier=supplier, assets=[asset])
        journey = factories.JourneyFactory.create(
            household=cast.household, asset=asset, suppliers=[supplier.pk]
        )
        factories.CardFactory.create(journey=journey)
        factories.AppointmentFactory.create(journey=journey, supplier=supplier)
        told = factories.NotificationFactory.create(journey=journey, owner=cast.ana)
        factories.DeliveryFactory.create(notification=told)
        shown, _waiting = (
            factories.ContactFactory.create(
                household=cast.household, supplier=supplier, asset=asset, outcome=outcome
            )
            for outcome in (Outcome.SHOWN, Outcome.DOOR)
        )
        Link.objects.create(household=cast.household, contact=shown, journey=journey, rule="key")
        factories.SurveyFactory.create(journey=journey, supplier=supplier, contact=shown)
        factories.ChannelFactory.create(owner=cast.ana, address=f"+1212555{number:04}")
        household = factories.HouseholdFactory.create()
        factories.MembershipFactory.create(household=household, owner=cast.ana)
        calendar.subscribe(owner=cast.ana, household=household, asset=None, now=factories.START)


def queries(app: Any, name: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert app.get(f"/api/v1/{name}/").status_code == 200
    return len(seen)


@pytest.mark.parametrize("count", [1, 50])
def test_every_list_takes_the_pinned_number_of_queries(cast: factories.Cast, count: int) -> None:
    rows(cast, count)
    app = app_of(cast.ana)
    assert {name: queries(app, name) for name in PINNED} == PINNED


def test_a_page_of_the_feed_takes_few_queries() -> None:
    assert PINNED["feed"] <= FEED_MOST
