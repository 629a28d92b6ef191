"""Whose key a package is signed with: asked of the server it names, once it is shown."""

from __future__ import annotations

import json
from enum import StrEnum

import httpx
import structlog
from django.conf import settings

from suppliers import guard, keys

log = structlog.get_logger(__name__)

WELL_KNOWN = "/.well-known/steward-keys.json"
MOST = 16 * 1024
WAIT_S = 5.0


class Word(StrEnum):
    """What a server says of a key that is said to be its own."""

    CONFIRMED = "confirmed"  # it publishes this key
    OTHER = "other"  # it publishes keys, and this is none of them
    SILENT = "silent"  # it could not be asked


def ask(*, url: str, key: str) -> Word:
    """Ask a server whether a key is its own; our own is known without asking."""
    if url == settings.SITE_URL.rstrip("/"):
        return _judged([row["key"] for row in keys.published()], key)
    try:
        page = guard.get(
            f"{url}{WELL_KNOWN}",
            most=MOST,
            timeout=WAIT_S,
            allowed=settings.OUTBOX_ALLOWED_NETWORKS,
        )
        found = json.loads(page.body) if page.status == 200 else None
    except (guard.BlockedError, httpx.HTTPError, ValueError, RecursionError) as error:
        log.info("issuer_silent", issuer=url, error=type(error).__name__)
        return Word.SILENT
    rows = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        return Word.SILENT
    return _judged([row.get("key") for row in rows if isinstance(row, dict)], key)


def _judged(published: list[str | None], key: str) -> Word:
    return Word.CONFIRMED if key in published else Word.OTHER
