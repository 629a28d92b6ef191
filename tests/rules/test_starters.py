"""One line of text becomes a thing."""

import pytest

from assets.choices import IdentifierScheme
from assets.starters import read_line


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


def test_no_line_is_left_without_a_name() -> None:
    for text in ("serial 12345", "x" * 500, "   in the cellar"):
        assert 0 < len(read_line(text).name) <= 120
