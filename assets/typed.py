"""The values of a household's own fields, each of its type."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from assets.choices import FieldType

TEXT_MOST = 2000
Value = str | bool | dict[str, str] | None
_YES = frozenset({"yes", "true", "1", "on", "ja", "si", "sì", "oui"})
_NO = frozenset({"no", "false", "0", "off", "nein", "non"})


class NotOfTypeError(ValueError):
    """The value does not fit the field; the text says why."""


def read(kind: FieldType, given: object, *, choices: Sequence[str] = ()) -> Value:
    """Return a value as it is kept in JSON; None for nothing. Numbers stay exact: as text.

    Raises NotOfTypeError for what the field cannot hold.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    readers: dict[FieldType, Callable[[object], Value]] = {
        FieldType.TEXT: _text,
        FieldType.NUMBER: _number,
        FieldType.DATE: _date,
        FieldType.BOOLEAN: _boolean,
        FieldType.LINK: _link,
        FieldType.MONEY: _money,
    }
    if kind in readers:
        return readers[kind](given)
    text = _text(given)
    if text not in choices:
        raise NotOfTypeError(gettext_noop("Choose one of the list."))
    return text


def shown(value: Value) -> str:
    """Return a kept value as text, for search and history."""
    if isinstance(value, dict):
        return f"{value.get('amount', '')} {value.get('currency', '')}".strip()
    return "" if value is None else str(value)


def _text(given: object) -> str:
    return str(given).replace("\x00", "").strip()[:TEXT_MOST]


def _decimal(given: object) -> Decimal:
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation as error:
        raise NotOfTypeError(gettext_noop("Write a number, such as 12.5.")) from error
    if not number.is_finite() or abs(number) >= Decimal(10) ** 14:
        raise NotOfTypeError(gettext_noop("Write a number, such as 12.5."))
    return number


def _number(given: object) -> str:
    return format(_decimal(given), "f")


def _date(given: object) -> str:
    if isinstance(given, date):
        return given.isoformat()[:10]
    try:
        return date.fromisoformat(str(given).strip()).isoformat()
    except ValueError as error:
        raise NotOfTypeError(gettext_noop("Write a day, such as 2026-10-31.")) from error


def _boolean(given: object) -> bool:
    word = str(given).strip().casefold()
    if word not in _YES | _NO:
        raise NotOfTypeError(gettext_noop("Say yes or no."))
    return word in _YES


def _link(given: object) -> str:
    text = _text(given)
    try:
        parts = urlsplit(text)
        is_fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_fine = False
    if not is_fine or any(letter.isspace() for letter in text):
        raise NotOfTypeError(gettext_noop("Write a whole address that begins with https://."))
    return text


def _money(given: object) -> dict[str, str]:
    if isinstance(given, dict):
        amount, currency = given.get("amount"), str(given.get("currency", ""))
    else:
        found = re.fullmatch(r"\s*(-?[\d.]+)\s*([A-Za-z]{3})\s*", str(given))
        if found is None:
            raise NotOfTypeError(gettext_noop("Write an amount with its currency: 12.50 EUR."))
        amount, currency = found[1], found[2]
    if not re.fullmatch(r"[A-Za-z]{3}", currency):
        raise NotOfTypeError(gettext_noop("Write an amount with its currency: 12.50 EUR."))
    return {"amount": _number(amount), "currency": currency.upper()}
