"""What an insurer, or anybody else who is to pay, says of a claim of the owner's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from assets import claims
from assets.models import Asset
from owners.models import Household
from suppliers.models import Supplier

if TYPE_CHECKING:
    from suppliers.servicing import Report

UPDATED = "claim.updated"
TYPES = (UPDATED,)
LARGEST = Decimal(10) ** 10


def take(reports: Iterable[Report], *, now: datetime) -> None:
    """Move the claims that are spoken of; what speaks of none of ours stays a message."""
    for report in sorted(reports, key=lambda one: (one.said_at, str(one.contact))):
        if report.type not in TYPES:
            continue
        household = Household.objects.get(pk=report.household_id)
        supplier = Supplier.objects.get(pk=report.supplier_id)
        asset = Asset.objects.filter(pk=report.asset_id).first() if report.asset_id else None
        number = str(report.data["claimId"])
        claim = claims.find(household=household, number=number, by=supplier.name, asset=asset)
        if claim is None:
            continue
        amount, currency = _money(report.data.get("amount"))
        heard = claims.Heard(
            number=number,
            status=str(report.data["status"]),
            by=supplier.name,
            at=report.said_at,
            contact=report.contact,
            amount=amount,
            currency=currency,
            next_step=str(report.data.get("nextStep") or ""),
        )
        claims.hear(claim=claim, heard=heard, now=now)


def _money(said: Any) -> tuple[Decimal | None, str]:
    """Return an amount of money with its currency; none where it is not one."""
    if not isinstance(said, Mapping):
        return None, ""
    currency = str(said.get("currency", "")).upper()
    try:
        amount = Decimal(str(said.get("amount")))
    except InvalidOperation:
        return None, ""
    is_money = amount.is_finite() and 0 <= amount < LARGEST
    is_currency = len(currency) == 3 and currency.isascii() and currency.isalpha()
    return (amount, currency) if is_money and is_currency else (None, "")
