"""By which addresses and numbers a household is reached here, and what goes wrong on the way."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from owners import households
from owners.models import Household, Membership, Owner
from suppliers import checks, mandates
from suppliers.admission import CONFIRMATION
from suppliers.choices import Outcome
from suppliers.models import Contact, Mandate, WayCheck

ASKED_FOR = timedelta(days=14)  # how long a provider's code is shown
MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of the household, with the owner's last test of it."""

    address: str
    name: str  # whose it is: the household's, or the supplier's
    mandate: Mandate | None = None
    check: WayCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Every address and number of one owner in one household."""

    household: Household
    intake: Address | None
    aliases: list[Address]
    number: Address | None

    def find(self, address: str) -> Address | None:
        """Return the one with this address, if it is among them."""
        found = [one for one in (self.intake, self.number, *self.aliases) if one is not None]
        return next((one for one in found if one.address == address), None)


def of(*, household: Household, owner: Owner) -> Ways:
    """Return by what `owner` is reached in a household of theirs: four reads."""
    rows = Mandate.objects.live().filter(household=household).select_related("supplier")
    live = list(rows.order_by("supplier__name", "pk"))
    intake = households.intake_address(household)
    member = Membership.objects.filter(household=household, owner=owner).first()
    number = (member.intake_number if member else "") or ""
    addresses = [mandates.alias_address(one) for one in live]
    tested = checks.newest(owner=owner, addresses=[intake, number, *addresses])
    return Ways(
        household=household,
        intake=Address(address=intake, name=household.name, check=tested.get(intake))
        if intake
        else None,
        aliases=[
            Address(address=address, name=one.supplier.name, mandate=one, check=tested.get(address))
            for one, address in zip(live, addresses, strict=True)
        ],
        number=Address(address=number, name=owner.get_full_name(), check=tested.get(number))
        if number
        else None,
    )


def confirmations(*, household: Household, now: datetime) -> list[dict[str, str]]:
    """Return which providers ask whether mail may be sent on to here, the newest first.

    Each with its code, or its own link and where that leads. Nobody here follows it.
    """
    rows = Contact.objects.filter(
        household=household,
        outcome=Outcome.DOOR,
        suspicion=CONFIRMATION,
        said_at__gt=now - ASKED_FOR,
    ).order_by("-said_at", "-pk")
    found = [row.said.get("confirmation") or {} for row in rows[:MOST]]
    return [
        {
            "who": str(one.get("who", "")),
            "code": str(one.get("code", "")),
            "link": str(one.get("link", "")),
            "host": urlsplit(str(one.get("link", ""))).hostname or "",
        }
        for one in found
    ]


def card_of(way: Address) -> str:
    """Return an address as a vCard (RFC 6350), so that a phone keeps it as a contact."""
    is_number = "@" not in way.address
    kept = f"TEL;TYPE=cell:{way.address}" if is_number else f"EMAIL:{way.address}"
    name = _escaped(f"Steward: {way.name}")
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", f"N:{name};;;;", kept]
    return "\r\n".join([*lines, f"URL:{settings.SITE_URL}/ways/", "END:VCARD", ""])


def _escaped(text: str) -> str:
    for mark in ("\\", ",", ";"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def seconds_of(check: WayCheck) -> int:
    """Return after how many seconds a test arrived; 0 for one that did not."""
    return int((check.arrived_at - check.asked_at).total_seconds()) if check.arrived_at else 0
