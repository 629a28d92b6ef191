"""What was bought, line by line: from events, mark-up and e-invoices.

A line that is odd in some field keeps the rest: nothing here refuses an order.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from suppliers.adapters import fields
from suppliers.adapters.errors import ContentError
from suppliers.contacts import GoodsClaim, Key, Money

MOST = 50  # lines of one order
SORTS = frozenset({"product", "part", "consumable", "service", "fee", "discount"})
# Of an item of an event, and the scheme by which we know it.
NUMBERS = {
    "serial": "serial",
    "imei": "imei",
    "vin": "vin",
    "gtin": "gtin",
    "mpn": "mpn",
    "digitalLink": "digitalLink",
}
# Of a product in schema.org's mark-up; all forms of a GTIN are one scheme.
MARKED = {
    "serialNumber": "serial",
    "vehicleIdentificationNumber": "vin",
    "gtin": "gtin",
    "gtin14": "gtin",
    "gtin13": "gtin",
    "gtin12": "gtin",
    "gtin8": "gtin",
    "mpn": "mpn",
}
SERVICES = frozenset({"Service", "Ticket", "FoodEstablishment", "Event", "EventReservation"})
PIECES = frozenset({"", "C62", "H87", "EA", "PCE", "XPP", "NAR", "ST", "STK", "PC", "1", "SET"})
MOST_MONTHS = 1200


def of_items(items: list[dict[str, Any]]) -> tuple[GoodsClaim, ...]:
    """Return the lines of an order's `items`, as the contract of events has them."""
    return tuple(_of_item(item) for item in items[:MOST] if _word(item.get("name")))


def _of_item(item: Mapping[str, Any]) -> GoodsClaim:
    months = item.get("warrantyMonths")
    is_count = isinstance(months, int) and not isinstance(months, bool)
    kind = _word(item.get("kind"))
    return GoodsClaim(
        name=_word(item.get("name")),
        maker=_word(item.get("maker"))[:120],
        model=_word(item.get("model"))[:120],
        numbers=_numbers(item, NUMBERS),
        quantity=decimal(item.get("quantity")),
        unit=unit(item.get("unit")),
        price=_money(item.get("price")),
        sort=kind if kind in SORTS else "",
        warranty_months=months if is_count and 0 < months <= MOST_MONTHS else None,  # type: ignore[operator]  # a count
    )


def of_offer(
    offer: Mapping[str, Any], *, types: frozenset[str], price: Money | None
) -> GoodsClaim | None:
    """Return the line that an offer or an ordered item of mark-up is; None where it has no name."""
    thing = offer
    for name in ("itemOffered", "orderedItem", "item"):
        inner = thing.get(name)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict):
            thing = inner
    name = _word(thing.get("name")) or _word(offer.get("name"))
    if not name:
        return None
    count = offer.get("eligibleQuantity") or offer.get("orderQuantity")
    count = count.get("value") if isinstance(count, dict) else count
    return GoodsClaim(
        name=name,
        maker=_word(thing.get("brand") or thing.get("manufacturer"))[:120],
        model=_word(thing.get("model"))[:120],
        numbers=_numbers(thing, MARKED) or _numbers(offer, MARKED),
        quantity=decimal(count),
        price=price,
        sort="service" if types & SERVICES else "",  # all they sell is called a product
    )


def money(amount: Decimal | None, currency: str) -> Money | None:
    """Return an amount as lines hold it; None for nothing."""
    if amount is None:
        return None
    return Money(amount=fields.canonical(amount.normalize()), currency=currency)


def decimal(value: Any) -> str:
    """Return a count as a decimal in a string; empty where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    try:
        found = Decimal(str(value).strip()[:20])
    except InvalidOperation:
        return ""
    return format(found.normalize(), "f") if found.is_finite() and 0 < found < 10**9 else ""


def unit(value: Any) -> str:
    """Return a unit; empty for pieces, however they are written."""
    written = _word(value)[:12]
    return "" if written.upper() in PIECES else written


def _numbers(thing: Mapping[str, Any], schemes: Mapping[str, str]) -> tuple[Key, ...]:
    found: dict[str, str] = {}
    for field, scheme in schemes.items():
        value = _word(thing.get(field))[:200]
        if value and re.search(r"\w", value):
            found.setdefault(scheme, value)
    return tuple(Key(scheme=scheme, value=value) for scheme, value in found.items())


def _money(value: Any) -> Money | None:
    try:
        return fields.money(value, "") if value is not None else None
    except ContentError:
        return None  # the order stands; this price is not read


def _word(value: Any) -> str:
    value = value[0] if isinstance(value, list) and value else value
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or ""
    is_word = isinstance(value, str | int | float) and not isinstance(value, bool)
    return " ".join(str(value).split())[:255] if is_word else ""
