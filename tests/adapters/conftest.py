from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from suppliers.adapters.context import Context
from suppliers.choices import Authentication

# Friday 13 November 2026, 09:00 in New York: the morning of the visit.
NOW = datetime(2026, 11, 13, 14, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent.parent / "payloads"
CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


def ana(**changes: Any) -> Context:
    """Return what an adapter knows of Ana's household in New York."""
    known = {
        "received_at": NOW,
        "zone": "America/New_York",
        "country": "US",
        "currency": "USD",
        "language": "en",
        "authentication": Authentication.PASS,
        "day_first": False,
    }
    return Context(**{**known, **changes})


@pytest.fixture
def context() -> Context:
    return ana()


@pytest.fixture
def contexts() -> Callable[..., Context]:
    return ana
