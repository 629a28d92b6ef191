"""The calendar's pages, and the file behind a subscription's address."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.test import Client
from time_machine import travel

from notifications import calendar
from notifications.models import Appointment, CalendarFeed, Card
from owners.models import Membership
from tests import factories

FRIDAY = datetime(2026, 11, 13, 13, tzinfo=UTC)  # 08:00 in New York


@pytest.fixture(autouse=True)
def _monday() -> Any:
    with travel(factories.START, tick=False):
        yield


@pytest.fixture
def ana(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


def book(cast: factories.Cast, **more: Any) -> Appointment:
    journey = factories.JourneyFactory.create(household=cast.household, asset=cast.dvr)
    factories.CardFactory.create(journey=journey)
    usual = {"supplier": cast.skyline, "start": FRIDAY, "zone": "America/New_York"}
    return factories.AppointmentFactory.create(journey=journey, **(usual | more))


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/calendar/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def subscribed(cast: factories.Cast, **more: Any) -> CalendarFeed:
    usual = {"owner": cast.ana, "household": cast.household, "asset": None}
    return calendar.subscribe(**(usual | more), now=factories.START)


def events(client: Client, feed: CalendarFeed) -> list[Any]:
    answer = client.get(f"/calendar/{feed.token}.ics")
    assert answer.status_code == 200
    return list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))


def test_the_agenda_shows_what_is_expected_in_the_owners_zone(
    cast: factories.Cast, ana: Client
) -> None:
    book(cast)
    shown = page(ana)
    assert "Friday 13 November" in shown
    assert "Visit: Skyline TV" in shown
    assert "08:00 to 12:00" in shown
    assert "1 visit, 4 hours held for it." in shown


def test_a_visit_in_another_zone_says_so(cast: factories.Cast, ana: Client) -> None:
    book(cast, zone="America/Los_Angeles")
    assert "08:00 to 12:00</span> (05:00 to 09:00 in Los Angeles)" in page(ana)


def test_clashes_and_contradictions_are_marked(cast: factories.Cast, ana: Client) -> None:
    book(cast)
    assert "Same time as" not in page(ana)
    second = book(cast, start=FRIDAY + timedelta(hours=1))
    assert page(ana).count("Same time as Skyline TV") == 2
    card = Card.objects.get(journey=second.journey)
    card.body["conflicts"] = [{"fact": "window", "values": []}]
    card.save()
    assert page(ana).count("Two different times were given") == 1


def test_days_are_turned_by_address(cast: factories.Cast, ana: Client) -> None:
    book(cast, start=FRIDAY + timedelta(days=40))
    assert "Next: Visit: Skyline TV" in page(ana)
    assert "Visit: Skyline TV" in page(ana, "?from=2026-12-07")
    assert "Visit: Skyline TV" in page(ana, "?view=month&from=2026-12-01")
    assert 'href="?view=month&amp;from=2026-11-01"' in page(ana, "?view=month&from=2026-12-20")
    for nonsense in ("?from=9999-12-31", "?from=0001-01-01", "?from=x", "?view=y", "?asset=z"):
        page(ana, nonsense)


def test_the_calendar_narrows_to_one_asset_or_supplier(cast: factories.Cast, ana: Client) -> None:
    boiler = factories.AssetFactory.create(household=cast.household, name="Boiler")
    book(cast)
    assert "Visit: Skyline TV" in page(ana, f"?asset={cast.dvr.uuid}&supplier={cast.skyline.uuid}")
    assert "No visits that fit." in page(ana, f"?asset={boiler.uuid}")


def test_the_calendar_takes_the_same_queries_for_one_visit_and_many(
    cast: factories.Cast, ana: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        book(cast, start=FRIDAY + timedelta(hours=number))
    page(ana)  # the first page of a session notes that it is in use
    for query in ("", "?view=month"):
        with django_assert_max_num_queries(15):
            page(ana, query)


def test_nobody_sees_the_visits_of_another_household(cast: factories.Cast, client: Client) -> None:
    book(cast)
    client.force_login(cast.mallory, backend="django.contrib.auth.backends.ModelBackend")
    assert "Skyline" not in page(client, f"?household={cast.household.uuid}")


# -- the file --------------------------------------------------------------------------


def test_an_owner_makes_an_address_and_an_app_reads_it(
    cast: factories.Cast, ana: Client, client: Client
) -> None:
    book(cast, person="Sam Porter", place="12 Elm Street")
    ana.post("/calendar/subscriptions/", {"household": str(cast.household.uuid)})
    feed = CalendarFeed.objects.get()
    assert calendar.address_of(feed) in ana.get("/calendar/subscriptions/").content.decode()
    (event,) = events(Client(), feed)
    assert str(event["SUMMARY"]) == "Visit: Skyline TV (08:00 to 12:00)"
    assert "Sam Porter" not in repr(event)  # the technician is on the card, not in clouds
    feed.refresh_from_db()
    assert feed.read_at == factories.START
    assert bytes(feed.sealed_token).find(feed.token.encode()) == -1


def test_the_file_of_one_asset_has_only_its_visits(cast: factories.Cast) -> None:
    book(cast)
    boiler = factories.AssetFactory.create(household=cast.household, name="Boiler")
    assert len(events(Client(), subscribed(cast, asset=cast.dvr))) == 1
    assert events(Client(), subscribed(cast, asset=boiler)) == []


def test_a_moved_visit_is_the_same_event_with_a_higher_sequence(cast: factories.Cast) -> None:
    visit, feed = book(cast), subscribed(cast)
    (before,) = events(Client(), feed)
    visit.start, visit.end = FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=1, hours=2)
    visit.save()
    (after,) = events(Client(), feed)
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_an_unchanged_file_is_not_sent_again(cast: factories.Cast, client: Client) -> None:
    visit, feed = book(cast), subscribed(cast)
    first = client.get(f"/calendar/{feed.token}.ics")
    assert "max-age" in first["Cache-Control"]
    assert "private" in first["Cache-Control"]
    again = client.get(f"/calendar/{feed.token}.ics", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    visit.state = "cancelled"
    visit.save()
    moved = client.get(f"/calendar/{feed.token}.ics", headers={"if-none-match": first["ETag"]})
    assert moved.status_code == 200
    assert b"STATUS:CANCELLED" in moved.content


def test_a_stopped_renewed_or_strange_address_is_not_found(
    cast: factories.Cast, ana: Client
) -> None:
    book(cast)
    feed = subscribed(cast)
    address, old = f"/calendar/subscriptions/{feed.uuid}/", feed.token
    ana.post(address, {"name": "renew"})
    feed.refresh_from_db()
    assert Client().get(f"/calendar/{old}.ics").status_code == 404
    assert Client().get(f"/calendar/{feed.token}.ics").status_code == 200
    ana.post(address, {"name": "stop"})
    for token in (feed.token, "x", "ü", "a" * 500):
        assert Client().get(f"/calendar/{token}.ics").status_code == 404


def test_an_address_ends_with_the_membership(cast: factories.Cast, client: Client) -> None:
    feed = subscribed(cast)
    Membership.objects.filter(owner=cast.ana, household=cast.household).delete()
    assert client.get(f"/calendar/{feed.token}.ics").status_code == 404


def test_what_a_supplier_calls_a_zone_breaks_nothing(cast: factories.Cast, ana: Client) -> None:
    book(cast, zone="Mars/Olympus Mons")
    assert "08:00 to 12:00" in page(ana)
    assert len(events(Client(), subscribed(cast))) == 1


def test_a_visit_without_a_sensible_end_breaks_nothing(cast: factories.Cast, ana: Client) -> None:
    book(cast, end=datetime(9999, 12, 31, 23, tzinfo=UTC))
    page(ana, "?view=month")
    (event,) = events(Client(), subscribed(cast))
    assert event.decoded("dtend") - event.decoded("dtstart") <= calendar.LONGEST
    book(cast, start=datetime(9999, 12, 31, 23, tzinfo=UTC), end=None)
    page(ana, "?from=2030-01-01")
