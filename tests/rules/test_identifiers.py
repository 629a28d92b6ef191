"""Numbers on labels: their check digits, and the codes that are scanned."""

import pytest

from assets import identifiers
from assets.choices import IdentifierScheme as Scheme


@pytest.mark.parametrize(
    ("scheme", "value", "is_valid", "warns"),
    [
        (Scheme.VIN, "1M8GDM9AXKP042788", True, False),
        (Scheme.VIN, "1G4AH59H45G118341", True, False),
        (Scheme.VIN, "1M8GDM9A1KP042788", False, True),
        (Scheme.VIN, "WVWZZZ1JZ3W386752", None, True),
        (Scheme.VIN, "TOO-SHORT", False, True),
        (Scheme.IMEI, "49-015420-323751-8", True, False),
        (Scheme.IMEI, "490154203237519", False, True),
        (Scheme.IMEI, "4901542032375186", None, False),
        (Scheme.GTIN, "09506000134352", True, False),
        (Scheme.GTIN, "4006381333932", False, True),
        (Scheme.METER_POINT, "2000050773706", True, False),
        (Scheme.METER_POINT, "2000050773707", False, True),
        (Scheme.METER_POINT, "ES1234123456789012JY", True, False),
        (Scheme.METER_POINT, "DE00056266802AO6G56M11SN51G21M24S", None, False),
        (Scheme.HULL, "US-ABC12345D404", True, False),
        (Scheme.HULL, "12", False, True),
        (Scheme.MAC, "00-1a-2b-3c-4d-5e", True, False),
        (Scheme.MAC, "001A2B", False, True),
        (Scheme.EPREL, "1234567", True, False),
        (Scheme.SERIAL, "6.37702E+15", False, True),
        (Scheme.SERIAL, "SN 12-345", None, False),
        (Scheme.PLATE, "M-AN 1234", None, False),
    ],
)
def test_a_number_is_checked_by_its_own_digits_and_never_refused(scheme, value, is_valid, warns):
    checked = identifiers.check(scheme, value)
    assert (checked.is_valid, bool(checked.warning)) == (is_valid, warns)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("value", ["", " ", "\x00", "ß" * 300, "١٢٣٤٥٦٧٨", "²" * 15, "-" * 17])
def test_no_value_breaks_the_check(scheme, value):
    assert identifiers.check(scheme, value).is_valid in {True, False, None}


LINK = "https://id.example.org/01/09506000134352/10/AB%2FC/21/12345?17=281231&linkType=all"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (LINK, {Scheme.GTIN: "9506000134352", Scheme.LOT: "AB/C", Scheme.SERIAL: "12345",
                Scheme.DIGITAL_LINK: LINK}),
        ("https://eprel.ec.europa.eu/qr/1234567", {Scheme.EPREL: "1234567"}),
        ("https://eprel.ec.europa.eu/screen/product/dishwashers2019/298393",
         {Scheme.EPREL: "298393"}),
        ("https://passport.example/p/1", {Scheme.PASSPORT: "https://passport.example/p/1"}),
        ("(01)09506000134352(21)XY 1", {Scheme.GTIN: "9506000134352", Scheme.SERIAL: "XY 1"}),
        ("]d2010950600013435210LOT1\x1d21SER9",
         {Scheme.GTIN: "9506000134352", Scheme.LOT: "LOT1", Scheme.SERIAL: "SER9"}),
        ("490154203237518", {Scheme.IMEI: "490154203237518"}),
        ("4006381333931", {Scheme.GTIN: "4006381333931"}),
        ("WVWZZZ1JZ3W386752", {Scheme.VIN: "WVWZZZ1JZ3W386752"}),
        ("00:1a:2b:3c:4d:5e", {Scheme.MAC: "00:1A:2B:3C:4D:5E"}),
        ("SN-9", {Scheme.SERIAL: "SN-9"}),
        ("", {}),
        ("https://[broken", {}),
    ],
)  # fmt: skip
def test_a_code_says_what_it_holds(code, said):
    assert dict(identifiers.read_code(code).identifiers) == said


def test_a_car_s_maker_is_named_only_where_the_list_is_sure():
    assert identifiers.maker_of("WVWZZZ1JZ3W386752") == "Volkswagen"
    assert identifiers.maker_of("1M8GDM9AXKP042788") == ""
