"""One line of text becomes a thing."""

import pytest
from django.utils.translation import override

from assets.care_specs import check_plan, check_spec
from assets.choices import IdentifierScheme
from assets.starters import STARTERS, read_line


@pytest.mark.parametrize(
    ("text", "name", "starter", "place", "identifiers"),
    [
        ("boiler", "Boiler", "boiler", "", []),
        (
            "Bosch washing machine WAN28, serial 12-345, in the cellar",
            "Bosch washing machine WAN28",
            "washer",
            "cellar",
            [(IdentifierScheme.SERIAL, "12-345")],
        ),
        (
            "Family car 1M8GDM9AXKP042788",
            "Family car",
            "car",
            "",
            [(IdentifierScheme.VIN, "1M8GDM9AXKP042788")],
        ),
        (
            "Ana's phone 490154203237518",
            "Ana's phone",
            "phone",
            "",
            [(IdentifierScheme.IMEI, "490154203237518")],
        ),
        ("Ölgemälde", "Ölgemälde", "other", "", []),
        ("Lavatrice in cantina", "Lavatrice", "washer", "cantina", []),
    ],
)
def test_a_line_is_read_as_a_thing(text, name, starter, place, identifiers) -> None:
    line = read_line(text)
    assert (line.name, line.starter, line.place, line.identifiers) == (
        name,
        starter,
        place,
        identifiers,
    )


OCTOBER = {"kind": "calendar", "mode": "fixed", "rule": "FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=1"}


@pytest.mark.parametrize(
    ("text", "name", "starter", "care"),
    [
        (
            "boiler service every October, Nordvarme, about 180 EUR",
            "Boiler",
            "boiler",
            {"name": "Service", "triggers": [OCTOBER], "provider": "Nordvarme",
             "amount": "180", "currency": "EUR"},
        ),
        (
            "Boiler of the guest house, service every October, Nordvarme, about 180 EUR",
            "Boiler of the guest house",
            "boiler",
            {"name": "Service", "triggers": [OCTOBER], "provider": "Nordvarme",
             "amount": "180", "currency": "EUR"},
        ),
        (
            "Family car, oil change every 12 months, Garage Novak",
            "Family car",
            "car",
            {"name": "Oil change", "provider": "Garage Novak",
             "triggers": [{"kind": "calendar", "mode": "floating", "every": 12, "unit": "month"}]},
        ),
        (
            "Therme Wartung jeden Oktober, Nordvarme, etwa 1.180,50 €",
            "Therme",
            "boiler",
            {"name": "Wartung", "triggers": [OCTOBER], "provider": "Nordvarme",
             "amount": "1180.50", "currency": "EUR"},
        ),
        (
            "Car oil change every 12 months",
            "Car",
            "car",
            {"name": "Oil change",
             "triggers": [{"kind": "calendar", "mode": "floating", "every": 12, "unit": "month"}]},
        ),
        (
            "Piano tuning yearly, $120",
            "Piano",
            "instrument",
            {"name": "Tuning", "amount": "120", "currency": "USD",
             "triggers": [{"kind": "calendar", "mode": "floating", "every": 1, "unit": "year"}]},
        ),
        ("Car for every day", "Car for every day", "car", None),
        ("Bosch drill 180 EUR", "Bosch drill 180 EUR", "tool", None),
    ],
)  # fmt: skip
def test_a_line_may_say_what_is_done_again_and_again(text, name, starter, care) -> None:
    line = read_line(text)
    assert (line.name, line.starter, line.care) == (name, starter, care)
    if care:
        check_spec(line.care)


def test_every_template_brings_a_care_plan_that_can_be_kept() -> None:
    for starter in STARTERS.values():
        check_plan(starter.care)
        for language in ("en", "de", "it"):
            with override(language):
                assert str(starter.label)


def test_no_line_is_left_without_a_name() -> None:
    for text in ("serial 12345", "x" * 500, "   in the cellar"):
        assert 0 < len(read_line(text).name) <= 120
