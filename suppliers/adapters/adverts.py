"""Tells adverts from everything else a mail may be, and notes by which signs.

Precision first: what speaks of a visit, a parcel, a bill, a payment, a recall or a code
is never an advert, even when it went to many (`words.MATTERS`). Each sign is a word that
a screen can explain: the names below, and `words:` with what was found in the text.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from suppliers.adapters import words
from suppliers.adapters.headers import Head
from suppliers.contacts import Unsubscribe

# The head of the mail: it went to many, and says how to stop it.
LIST_UNSUBSCRIBE = "list_unsubscribe"
LIST_ID = "list_id"
BULK_PRECEDENCE = "bulk_precedence"
CAMPAIGN = "campaign"  # a field that only machines for mass mail write
# What the page or the text says.
OFFER_MARKUP = "offer_markup"
STOP_WORDS = "stop_words"  # it says how to unsubscribe
WORDS = "words:"

TARGET = re.compile(r"<\s{0,20}([^<>\s]{1,1000})\s{0,20}>")
ONE_CLICK = re.compile(r"\s*list-unsubscribe\s*=\s*one-click\s*\Z", re.IGNORECASE)
MAX_TARGETS = 5
MAX_WORDS = 3
ADDRESS = re.compile(r"[^\s<>@?]{1,64}@[\w.-]{1,253}\Z")
OFFERS = frozenset({"DiscountOffer", "PromotionCard", "SaleEvent"})
CAMPAIGN_FIELDS = frozenset(
    {
        *("feedback-id", "x-campaign", "x-campaign-id", "x-campaignid", "x-mailchimp-id"),
        *("x-mc-user", "x-csa-complaints", "x-mailer-recptid", "x-sg-campaign", "x-report-abuse"),
        *("x-mailgun-tag", "x-klaviyo-campaign-id", "x-hs-campaign-id", "x-sfmc-stack"),
        *("x-cmail-id", "x-mandrill-campaign", "campaign-id", "x-newsletter"),
    }
)


def unsubscribe_of(head: Head) -> Unsubscribe | None:
    """Return where the head says that the mail can be stopped, the first of each kind.

    A plain http address, or one that names a user or another port, is left out: nobody
    may be sent there.
    """
    field = head.get("list-unsubscribe")
    if not field:
        return None
    url = mailto = ""
    for match in list(TARGET.finditer(field))[:MAX_TARGETS]:
        target = match[1]
        if not url and _is_safe(target):
            url = target
        elif not mailto and target[:7].lower() == "mailto:":
            address = target[7:].partition("?")[0]
            mailto = target if ADDRESS.match(address) else ""
    if not url and not mailto:
        return None
    is_one_click = bool(url) and ONE_CLICK.match(head.get("list-unsubscribe-post")) is not None
    return Unsubscribe(url=url, is_one_click=is_one_click, mailto=mailto)


def _is_safe(target: str) -> bool:
    try:
        parts = urlsplit(target)
        is_plain = parts.username is None and parts.port in (None, 443)
    except ValueError:
        return False
    return parts.scheme.lower() == "https" and bool(parts.hostname) and is_plain


def bulk_signs(head: Head) -> tuple[str, ...]:
    """Return the signs in the head that the mail went to many."""
    signs = []
    if head.get("list-unsubscribe"):
        signs.append(LIST_UNSUBSCRIBE)
    if head.get("list-id"):
        signs.append(LIST_ID)
    if head.get("precedence").strip().lower() in {"bulk", "list", "junk"}:
        signs.append(BULK_PRECEDENCE)
    if any(name in CAMPAIGN_FIELDS for name, _ in head.fields):
        signs.append(CAMPAIGN)
    return tuple(signs)


def has_offer(types: Iterable[str]) -> bool:
    """Return whether types of schema.org things are those of a promotion."""
    return not OFFERS.isdisjoint(types)


def signs(subject: str, text: str, bulk: tuple[str, ...]) -> tuple[str, ...]:
    """Return why this sells something, or nothing where it does not, or may not.

    Two words that only sellers use, or one in the subject, where it went to many; three
    where nothing says that it did. Saying how to unsubscribe counts as one, an offer in
    the mark-up as two.
    """
    said: dict[str, None] = {}
    for match in words.MARKETING.finditer(text):
        said[match[0].lower()] = None
        if len(said) > MAX_WORDS:
            break
    score = len(said) + (1 if words.MARKETING.search(subject) else 0)
    may_stop = words.UNSUBSCRIBE.search(text) is not None
    score += 1 if may_stop else 0
    score += 2 if OFFER_MARKUP in bulk else 0
    if score < (2 if bulk else 3) or words.MATTERS.search(f"{subject}\n{text}"):
        return ()
    stops = (STOP_WORDS,) if may_stop else ()
    return (*bulk, *stops, *(f"{WORDS}{word}"[:60] for word in said))
