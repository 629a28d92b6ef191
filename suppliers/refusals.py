"""The last request of a supplier that was turned away at the entrance: for its own page.

What is refused is not stored, so nothing in the log says why. Losing it is no harm.
"""

from datetime import datetime
from typing import Any

import structlog
from django.core.cache import cache

log = structlog.get_logger(__name__)

KEPT_S = 15 * 60


def note(*, supplier_id: int, code: str, detail: str, now: datetime, pointer: str = "") -> None:
    """Keep why a request was refused."""
    value = {"code": code, "detail": detail, "pointer": pointer, "at": now.isoformat()}
    try:
        cache.set(_key(supplier_id), value, KEPT_S)
    except Exception as error:  # noqa: BLE001 - the cache may be lost at any time, the answer not
        log.warning("refusal_not_kept", error=type(error).__name__)


def last(*, supplier_id: int) -> dict[str, Any] | None:
    """Return the last refusal: `code`, `detail`, `pointer`, `at`."""
    try:
        found: dict[str, Any] | None = cache.get(_key(supplier_id))
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("refusal_not_read", error=type(error).__name__)
        return None
    return found


def _key(supplier_id: int) -> str:
    return f"refusal:{supplier_id}"
