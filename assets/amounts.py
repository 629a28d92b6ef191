"""Amounts of money as the reader writes them, with the digits of their currency."""

from decimal import Decimal

from django.utils.formats import number_format

from assets import costing


def amount(value: Decimal, currency: str) -> str:
    """Return an amount with its digits grouped, without the currency."""
    shown = costing.rounded(value, currency)
    places = max(0, -int(shown.as_tuple().exponent))
    return number_format(shown, places, use_l10n=True, force_grouping=True)


def money(value: Decimal, currency: str) -> str:
    """Return an amount with its currency."""
    return f"{amount(value, currency)} {currency}"
