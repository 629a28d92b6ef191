"""Cards as HTML, drawn once for each version and language and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.middleware.csrf import get_token
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from redis.exceptions import RedisError

from assets.models import Asset
from notifications.choices import Section
from notifications.models import Card, Notification
from owners import clock
from owners.pages import OwnerRequest

KEPT_S = 24 * 3600
STEP = timedelta(minutes=5)  # how far the tick for now may lag on a bar
PARTS = ("_card", "_actions", "_why_card", "_window_fields")
log = structlog.get_logger("steward.drawing")


def draw(
    request: OwnerRequest,
    cards: Sequence[Card],
    *,
    told: dict[int, int],
    assets: Sequence[Asset],
    lead: Card | None,
) -> list[SafeString]:
    """Return each card's HTML; `lead` is the one whose first answer is the filled button.

    `told` has, by journey, the key of the notification last told to this reader.

    What is kept holds a word in place of the reader's CSRF token. A cache that is away costs
    time and nothing else.
    """
    keys = {
        card.pk: _key(card, told.get(card.journey_id, 0), is_lead=card is lead) for card in cards
    }
    kept = _kept([key for key in keys.values() if key])
    fresh: dict[str, str] = {}
    missing = [card for card in cards if keys[card.pk] not in kept]
    notes = _notes(request, [told[card.journey_id] for card in missing if card.journey_id in told])
    drawn = []
    for card in cards:
        key = keys[card.pk]
        html = kept.get(key) if key else None
        if html is None:
            note = notes.get(told.get(card.journey_id, 0))
            html = _drawn(card, note, assets=assets, is_lead=card is lead)
            if key:
                fresh[key] = html
        drawn.append(html)
    if fresh:
        _keep(fresh)
    token, word = get_token(request), placeholder()
    # Drawn by our own template, which escaped it; the token is letters and digits.
    return [mark_safe(html.replace(word, token)) for html in drawn]  # noqa: S308


def _notes(request: OwnerRequest, keys: list[int]) -> dict[int, Notification]:
    """Return notifications with the ways they went."""
    if not keys:
        return {}
    told = Notification.objects.for_owner(request.user).prefetch_related("deliveries")
    return told.in_bulk(keys)


def placeholder() -> str:
    """Return the word that stands for the token: nobody outside can write it into a text."""
    return salted_hmac("notifications.drawing", "csrf").hexdigest()


def _drawn(card: Card, note: Notification | None, *, assets: Sequence[Asset], is_lead: bool) -> str:
    context: dict[str, Any] = {
        "card": card,
        "told": note,
        "is_lit": card.section == Section.NEEDS_YOU,
        "is_lead": is_lead,
        "section": card.section,
        "tiles": assets,
        "csrf_token": placeholder(),
    }
    return get_template("notifications/_card.html").render(context)


def _key(card: Card, note: int, *, is_lead: bool) -> str:
    """Return where a card is kept; nothing for one that shows what is not its own."""
    body = card.said
    if any(action["name"] == "choose_asset" for action in body.get("actions", [])):
        return ""
    now = timezone.localtime(clock.now())
    minute = int(now.timestamp() // STEP.total_seconds()) if body.get("promise") else 0
    parts = (
        card.uuid,
        card.version,
        get_language(),
        timezone.get_current_timezone_name(),
        now.date(),  # "Tomorrow" becomes "Today"
        minute,
        note,
        is_lead,
        fingerprint(),
    )
    return "card:" + hashlib.sha256(repr(parts).encode()).hexdigest()


def fingerprint() -> str:
    """Return a word that changes with the look of a card: an upgrade draws them all anew."""
    return _fingerprint_now() if settings.DEBUG else _fingerprint_kept()


def _fingerprint_now() -> str:
    seen = hashlib.sha256()
    for name in PARTS:
        seen.update(_file_of(f"notifications/{name}.html").read_bytes())
    for path in sorted(_file_of("cotton/thread.html").parent.glob("*.html")):
        seen.update(path.read_bytes())
    seen.update(static("icons/lucide.svg").encode())  # its address carries its content
    return seen.hexdigest()[:16]


def _file_of(template: str) -> Path:
    found: Any = get_template(template)  # the stubs know only what every engine has
    return Path(found.origin.name)


_fingerprint_kept = lru_cache(maxsize=1)(_fingerprint_now)


def _kept(keys: list[str]) -> dict[str, str]:
    try:
        return dict(cache.get_many(keys)) if keys else {}
    except RedisError as error:
        log.warning("cache_away", error=repr(error))
        return {}


def _keep(fresh: dict[str, str]) -> None:
    try:
        cache.set_many(fresh, KEPT_S)
    except RedisError as error:
        log.warning("cache_away", error=repr(error))
