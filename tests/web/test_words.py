"""Words as people read them: numbers in groups, days inside sentences, lists without codes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from assets.models import Asset
from config.data_views import details
from config.templatetags.words import calm, dots, phone, spelt
from notifications.models import Journey
from notifications.templatetags.feed import day, fact_value, inside, named, span
from owners.models import Owner
from suppliers.choices import Purpose
from tests import factories

HERE = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 12, 12, tzinfo=HERE)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+18005550199", "+1\u00a0800-555-0199"),
        ("+493012345678", "+49\u00a030\u00a012345678"),
        ("+9999999", "+9999999"),
        ("visits@skyline.example", "visits@skyline.example"),
        ("", ""),
    ],
)
def test_numbers_are_grouped_and_nothing_else_is(number: str, shown: str) -> None:
    assert phone(number) == shown


def test_a_number_keeps_its_order_in_a_right_to_left_page() -> None:
    with translation.override("ar"):
        assert phone("+18005550199") == "\u2066+1\u00a0800-555-0199\u2069"


def test_the_packages_english_has_our_capitals_and_no_other_language_loses_its_own() -> None:
    with translation.override("en"):
        assert calm("\n  Change Password ") == "\n  Change password "
        assert calm("Email Addresses") == "E-mail addresses"
        assert calm("IP Address") == "IP address"
        assert spelt("We sent an email to email@hart.example") == (
            "We sent an e-mail to email@hart.example"
        )
    with translation.override("de"):
        assert calm("Passwort Ändern") == "Passwort Ändern"
        assert spelt("Email") == "Email"


def test_what_is_left_out_of_an_address_has_one_sign() -> None:
    assert dots("a...@hart.example") == "a…@hart.example"


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [("en", 0, "today"), ("de", -1, "gestern"), ("it", 1, "domani"), ("en", 4, "Mon 16 Nov")],
)
def test_a_day_inside_a_sentence_has_a_capital_only_by_name(
    language: str, days: int, said: str
) -> None:
    at = NOON + timedelta(days=days)
    frozen = time_machine.travel(NOON, tick=False)
    with frozen, timezone.override(HERE), translation.override(language):
        assert inside(day(at)) == said
        assert inside(span(at, at + timedelta(hours=2))).startswith(said)


def test_a_line_of_the_log_says_what_it_adds_without_codes() -> None:
    with translation.override("en"):
        granted = {
            "supplier": "Skyline TV",
            "state": "active",
            "purposes": [Purpose.SERVICE.value, Purpose.BILLING.value],
        }
        assert details(granted) == "Skyline TV · Service, Billing"
        assert details(granted | {"state": "paused"}) == "Skyline TV · Paused · Service, Billing"
        assert details({"from": "viewer", "to": "admin"}) == "Viewer → Admin"
        assert details({"channel": "sms", "address": "...0100"}) == "SMS · …0100"
        assert details({"from": "127.0.0.1"}) == "127.0.0.1"


def test_search_names_what_people_keep_and_not_what_programs_do(
    ana: Client, journey: Journey
) -> None:
    kept = set(journey.keys.values_list("scheme", flat=True))
    assert "message" in kept
    page = ana.get("/search/", {"q": "skyline"}).content.decode()
    assert "Living-room DVR" in page
    assert "@skyline.example<" in page
    assert "Message:" not in page
    assert "Uid:" not in page


@pytest.mark.django_db
def test_a_day_in_a_german_form_is_the_day_that_was_saved(client: Client) -> None:
    cast = factories.cast()
    Owner.objects.filter(pk=cast.ana.pk).update(language="de")
    Asset.objects.filter(pk=cast.dvr.pk).update(bought_on="2026-11-03")
    client.force_login(Owner.objects.get(pk=cast.ana.pk))
    page = client.get(reverse("asset-edit", args=[cast.dvr.uuid])).content.decode()
    assert 'value="2026-11-03"' in page
    with time_machine.travel(NOON, tick=False):
        assert 'value="2026-11-12"' in client.get("/log/").content.decode()


def test_the_list_of_suppliers_says_what_each_is_for_and_calls_them(ana: Client) -> None:
    page = ana.get("/suppliers/").content.decode()
    assert "Utility: Living-room DVR" in page
    assert 'href="tel:+18005550199"' in page
    assert "Last word" in page


@pytest.mark.django_db
def test_the_list_of_suppliers_costs_the_same_for_one_and_for_many(
    client: Client, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    cast = factories.cast()
    client.force_login(cast.ana)
    client.get("/suppliers/")
    for number in range(12):
        asset = factories.AssetFactory.create(household=cast.household)
        supplier = factories.SupplierFactory.create()
        factories.MandateFactory.create(household=cast.household, supplier=supplier, assets=[asset])
        factories.RoleFactory.create(asset=asset, supplier=supplier)
        journey = factories.JourneyFactory.create(
            household=cast.household, asset=asset, suppliers=[supplier.pk]
        )
        factories.AppointmentFactory.create(
            journey=journey, supplier=supplier, start=NOON + timedelta(days=400 + number)
        )
    with django_assert_max_num_queries(16):  # type: ignore[operator]  # the fixture's type is not public
        page = client.get("/suppliers/").content.decode()
    assert page.count('class="person"') == 13


def test_facts_of_machines_are_read_as_people_say_them() -> None:
    with time_machine.travel("2026-11-22T12:00:00Z"), timezone.override("America/New_York"):
        window = "2026-11-11T13:00:00+00:00/2026-11-11T15:00:00+00:00"
        assert fact_value(window) == "Wed 11 Nov, 08:00 to 10:00"
        assert fact_value("2026-11-30") == "Mon 30 Nov"
        assert fact_value("2026-11-31") == "2026-11-31"
        assert fact_value("R-2026-11-30") == "R-2026-11-30"
        assert fact_value("FREQ=WEEKLY;COUNT=20") == "every week, 20 times"
        assert fact_value("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH") == "every 2 weeks (Mon, Thu)"
        assert (
            fact_value("FREQ=YEARLY;UNTIL=20301001T000000Z") == "every year, until 1 October 2030"
        )
        assert fact_value("FREQ=MONTHLY;BYDAY=2MO") == "FREQ=MONTHLY;BYDAY=2MO"
    assert named({"name": "fee", "label": "Invoice R-551"}) == "Invoice R-551"
    assert named({"name": "due_on", "label": ""}) == "To be paid by"
