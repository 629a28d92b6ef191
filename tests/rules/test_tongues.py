"""Days, windows and amounts are written as the reader's language writes them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from notifications.templatetags.feed import fact_value, said, span
from notifications.wording import day_of, money_of

ZONE = ZoneInfo("America/New_York")
FRIDAY = datetime(2026, 11, 13, 8, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("locale", "near", "far"),
    [
        ("en", "Fri 13 Nov", "13 Nov 2026"),
        ("it", "ven 13 nov", "13 nov 2026"),
        ("de", "Fr., 13. Nov.", "13. Nov. 2026"),
    ],
)
def test_a_day_is_written_as_its_reader_writes_it(locale: str, near: str, far: str) -> None:
    assert day_of(FRIDAY, locale=locale) == near
    assert day_of(FRIDAY, locale=locale, has_year=True) == far


def test_a_late_evening_stays_on_its_own_day() -> None:
    assert day_of(FRIDAY.replace(hour=23), locale="it") == "ven 13 nov"


@pytest.mark.parametrize(
    ("locale", "own", "foreign"),
    [
        ("en", "1234.50", "1234.50 EUR"),
        ("it", "1.234,50", "1.234,50 €"),
        ("de", "1.234,50", "1.234,50 €"),
    ],
)
def test_an_amount_is_written_as_its_reader_writes_it(locale: str, own: str, foreign: str) -> None:
    assert money_of("1234.50", "", locale=locale) == own
    assert money_of("1234.50", "EUR", locale=locale) == foreign


def test_a_fact_of_money_reads_so_on_the_page() -> None:
    with translation.override("it"):
        assert fact_value("49.00 EUR") == "49,00 €"
        assert fact_value("4471-88213") == "4471-88213"
    with translation.override("en"):
        assert fact_value("49.00 EUR") == "49.00 EUR"


def test_a_window_and_a_state_are_said_in_italian() -> None:
    with translation.override("it"):
        assert ", dalle " in span("2025-11-14T13:00:00Z", "2025-11-14T17:00:00Z")
        assert said("absorbed", "outcome") == "Niente di nuovo"
        assert said("call", "medium") == "Chiamata"
    with translation.override("en"):
        assert said("absorbed", "outcome") == "Said nothing new"
