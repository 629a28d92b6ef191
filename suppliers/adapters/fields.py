"""Reads single fields of JSON data; every fault names its JSON pointer."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from suppliers.adapters.errors import ContentError
from suppliers.contacts import Money, Window

MAX_TEXT = 50_000
ZONE_SHAPE = re.compile(r"[A-Za-z0-9_+\-/]{1,64}\Z")
# Beyond, a zone's clock leaves the calendar, and whoever shows such a time fails.
YEARS = range(1970, 2201)


def wrong(pointer: str, detail: str) -> ContentError:
    """Return the error for a field that is there but cannot be right."""
    return ContentError("invalid_field", pointer, detail)


def missing(pointer: str) -> ContentError:
    """Return the error for a field that must be there."""
    return ContentError("missing_field", pointer, "This field is required.")


def text(value: Any, pointer: str) -> str:
    """Return a string; numbers are taken as written."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong(pointer, "Must be a string.")
    return str(value).replace("\x00", "").strip()[:MAX_TEXT]


def name(value: Any, pointer: str) -> str:
    """Return a string that says something: an identifier."""
    found = text(value, pointer)
    if not found or len(found) > 255:
        raise wrong(pointer, "Must be 1 to 255 characters.")
    return found


def said(value: Any, pointer: str) -> str:
    """Return a string that is not empty."""
    found = text(value, pointer)
    if not found:
        raise wrong(pointer, "Must not be empty.")
    return found


def measure(value: Any, pointer: str) -> str:
    """Return what was measured, as written: a number, or words."""
    return str(value) if isinstance(value, float) else said(value, pointer)


def integer(value: Any, pointer: str) -> int:
    """Return a whole number, not below zero."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise wrong(pointer, "Must be a whole number from 0 to 2147483647.")
    return value


def instant(value: Any, pointer: str) -> datetime:
    """Return an instant from RFC 3339 text with an offset."""
    if not isinstance(value, str) or not 20 <= len(value) <= 40:
        raise wrong(pointer, "Must be a time as in RFC 3339, with an offset.")
    try:
        found = _moment(value)
    except (ValueError, OverflowError):
        raise wrong(pointer, "Must be a time as in RFC 3339, with an offset.") from None
    if found is None:
        raise wrong(pointer, "The offset from UTC is missing.")
    if found.year not in YEARS:
        raise wrong(pointer, f"The year must lie in {YEARS[0]} to {YEARS[-1]}.")
    return found


@lru_cache(maxsize=1024)
def _moment(text: str) -> datetime | None:
    """Return an instant, or None without its offset; a required one is read twice."""
    found = datetime.fromisoformat(text.upper())
    return None if found.tzinfo is None else found.astimezone(UTC)


def day_or_instant(value: Any, pointer: str) -> str:
    """Return a date or an instant in its canonical form."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            raise wrong(pointer, "Must be a date as in RFC 3339.") from None
    return instant(value, pointer).isoformat()


def zone(value: Any, pointer: str) -> str:
    """Return the name of a zone that exists."""
    if isinstance(value, str) and ZONE_SHAPE.match(value):
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise wrong(pointer, "Must be a zone of the IANA time zone database.")


def money(value: Any, pointer: str) -> Money:
    """Return an amount with its currency."""
    if not isinstance(value, dict):
        raise wrong(pointer, 'Must be {"amount": "49.00", "currency": "USD"}.')
    if "amount" not in value:
        raise missing(f"{pointer}/amount")
    amount, currency = value["amount"], value.get("currency", "")
    if isinstance(amount, bool) or not isinstance(amount, str | int | float):
        raise wrong(f"{pointer}/amount", "Must be a decimal number in a string.")
    if currency and not (
        isinstance(currency, str)
        and len(currency) == 3
        and currency.isascii()
        and currency.isalpha()
    ):
        raise wrong(f"{pointer}/currency", "Must be a currency code of ISO 4217.")
    try:
        return Money(amount=canonical(Decimal(str(amount)[:40])), currency=str(currency).upper())
    except (InvalidOperation, ValueError):
        raise wrong(f"{pointer}/amount", "Must be a decimal number in a string.") from None


def canonical(amount: Decimal) -> str:
    """Return an amount in its one written form: at least two decimals, no exponent.

    Raises ValueError for what is no amount of money (infinite, or beyond 15 digits).
    """
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise ValueError("not an amount of money")
    exponent = amount.as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{amount:.{min(places, 6)}f}"


def items(value: Any, pointer: str) -> list[dict[str, Any]]:
    """Return a list of objects."""
    if not isinstance(value, list) or not value:
        raise wrong(pointer, "Must be a list with at least one object.")
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise wrong(f"{pointer}/{index}", "Must be an object.")
    return value


def entries(value: Any, pointer: str) -> list[Any]:
    """Return a list of anything."""
    if not isinstance(value, list):
        raise wrong(pointer, "Must be a list.")
    return value


def object_(value: Any, pointer: str) -> dict[str, Any]:
    """Return an object."""
    if not isinstance(value, dict):
        raise wrong(pointer, "Must be an object.")
    return value


def words(value: Any, pointer: str) -> list[str]:
    """Return a list of strings."""
    if not isinstance(value, list):
        raise wrong(pointer, "Must be a list of strings.")
    return [text(item, f"{pointer}/{index}") for index, item in enumerate(value)]


def window(data: dict[str, Any], pointer: str, start: str = "start", end: str = "end") -> Window:
    """Return the span between two fields."""
    for field in (start, end):
        if data.get(field) is None:
            raise missing(f"{pointer}/{field}")
    found = Window(
        start=instant(data[start], f"{pointer}/{start}"), end=instant(data[end], f"{pointer}/{end}")
    )
    if found.end < found.start:
        raise wrong(f"{pointer}/{end}", "Must not be before the start.")
    return found


def one_of(*allowed: str) -> Callable[[Any, str], str]:
    """Return a reader of one of some words."""

    def read(value: Any, pointer: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise wrong(pointer, f"Must be one of {', '.join(allowed)}.")
        return value

    return read


def hosts(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the host names of web addresses, each once, in their order."""
    found: dict[str, None] = {}
    for url in urls:
        try:
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.hostname:
                found[parts.hostname.rstrip(".").lower()] = None
        except ValueError:
            continue  # not an address, so it leads nowhere
    return tuple(found)
