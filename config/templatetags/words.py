"""Words and numbers as people read them: filters without queries."""

import re

import phonenumbers
from django import template
from django.template.defaultfilters import stringfilter
from django.utils.translation import get_language, get_language_bidi

register = template.Library()

E164 = re.compile(r"\+\d{7,15}")
MAIL = re.compile(r"\b([Ee])mail\b(?!@)")
TITLED = re.compile(r"\b([A-Z])([a-z]+)\b")


@register.filter
@stringfilter
def phone(number: str) -> str:
    """Return a number in groups, as in +1 800-555-0199; whatever else it is stays as it is."""
    if not E164.fullmatch(number):
        return number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    # A line does not break between the groups.
    shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    grouped = shown.replace(" ", "\u00a0")
    return f"\u2066{grouped}\u2069" if get_language_bidi() else grouped


@register.filter
@stringfilter
def dots(hint: str) -> str:
    """Return a hint of an address with one sign for what is left out: a…@hart.example."""
    return hint.replace("...", "…")


@register.filter
@stringfilter
def calm(title: str) -> str:
    """Return English words of a package with the capitals and the spelling of this product.

    Change Password becomes Change password. Other languages have no such capitals.
    """
    if not (get_language() or "en").startswith("en"):
        return title
    start = len(title) - len(title.lstrip())
    first, rest = title[: start + 1], title[start + 1 :]
    said: str = spelt(first + TITLED.sub(lambda found: found[1].lower() + found[2], rest))
    return said


@register.filter
@stringfilter
def spelt(text: str) -> str:
    """Return a package's English sentence with the spelling of this product: e-mail."""
    is_english = (get_language() or "en").startswith("en")
    return MAIL.sub(r"\1-mail", text) if is_english else text
