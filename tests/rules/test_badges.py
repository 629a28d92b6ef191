"""Is it really them: what counts as proof, what is the home's word, and what is a warning."""

from typing import Any

import pytest

from notifications import badges
from owners.choices import Trust

PASSED = {"verdict": "pass", "method": "dmarc", "domain": "skyline.example"}
FAILED = {**PASSED, "verdict": "fail"}
MAIL = {"sender": "Skyline <news@skyline.example>", "authentication": "pass", "proof": PASSED}
VOUCHED = {"verdict": "pass", "level": "A", "is_recognised": True}


@pytest.mark.parametrize(
    ("said", "trust", "suspicion", "proved", "level"),
    [
        ({}, Trust.SIGNED, "", (), badges.PROVED),
        (MAIL, Trust.AUTHENTICATED, "", ("skyline.example",), badges.PROVED),
        (MAIL, Trust.AUTHENTICATED, "", (), badges.LIKELY),
        (MAIL, Trust.AUTHENTICATED, "", ("line.example",), badges.LIKELY),
        ({**MAIL, "authentication": "none", "proof": None}, Trust.UNAUTHENTICATED, "",
         ("skyline.example",), badges.UNPROVED),
        ({**MAIL, "authentication": "fail", "proof": FAILED}, Trust.UNAUTHENTICATED,
         "authentication_failed", ("skyline.example",), badges.WARNING),
        (MAIL, Trust.UNAUTHENTICATED, "leaked_alias", (), badges.WARNING),
        ({**MAIL, "payment_domains": ["pay.example"]}, Trust.AUTHENTICATED,
         "foreign_payment_link", ("skyline.example",), badges.WARNING),
        ({"sender": "+18005550199", "caller": VOUCHED}, Trust.KNOWN_NUMBER, "",
         ("+18005550199",), badges.PROVED),
        ({"sender": "+18005550199"}, Trust.KNOWN_NUMBER, "", ("+18005550199",), badges.LIKELY),
        ({"sender": "+18005550199"}, Trust.KNOWN_NUMBER, "", (), badges.LIKELY),
        ({"sender": "+12125550147"}, Trust.UNKNOWN, "unknown_sender", (), badges.UNPROVED),
        ({}, Trust.OWNER, "", (), badges.OWN),
    ],
)  # fmt: skip
def test_a_badge_follows_what_is_proved(
    said: dict[str, Any], trust: int, suspicion: str, proved: tuple[str, ...], level: str
) -> None:
    supplier = "" if trust == Trust.UNKNOWN else "Skyline TV"
    found = badges.of_contact(
        said=said, trust=trust, suspicion=suspicion, supplier=supplier,
        domains=[one for one in proved if not one.startswith("+")],
        numbers=[one for one in proved if one.startswith("+")],
    )  # fmt: skip
    assert found.level == level
    assert all(found.reasons)
    assert found.reasons


def test_a_suppliers_note_of_the_home_is_no_proof() -> None:
    noted = badges.of_supplier(
        name="Volt", is_verified=False, domains=(), numbers=(), noted=["volt.example"]
    )
    proved = badges.of_supplier(
        name="Volt", is_verified=False, domains=["volt.example"], numbers=(), noted=()
    )
    nothing = badges.of_supplier(name="Volt", is_verified=False, domains=(), numbers=(), noted=())
    assert [one.level for one in (noted, proved, nothing)] == ["likely", "proved", "unproved"]
