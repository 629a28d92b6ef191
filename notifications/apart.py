"""Keeps what is wrong with one household from holding up the others.

The stages take many households at once. A rule that fails on one household's data would
otherwise fail on every lot that holds it, and nobody would be told of anything.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from prometheus_client import Counter

log = structlog.get_logger(__name__)

PUT_OFF = timedelta(minutes=10)  # until what failed is tried again
MOST = 250  # households tried by themselves in one go
# The database is away or the time is up: nothing is wrong with any household.
FOREIGN = (OperationalError, InterfaceError, SoftTimeLimitExceeded)

FAULTS = Counter(
    "steward_households_put_off_total", "Households put off for an unforeseen fault", ["stage"]
)


def each(
    stage: str,
    work: Callable[[Collection[int]], int],
    *,
    households: QuerySet[Any, int],
    put_off: Callable[[int, datetime], object],
    now: datetime,
) -> int:
    """Do `work` for all households at once; if that fails, for each of them by itself.

    `work` is a transaction of its own and returns how much it did; it is given no
    households (all that wait) or the one to do alone. `households` finds the keys of those
    that wait. One that fails alone is put off until the given time, and said in the log
    without what it was about.
    """
    try:
        return work(())
    except FOREIGN:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
        log.error("stage_failed", stage=stage, **_where(error))
    done = 0
    for pk in list(households.order_by("household").distinct()[:MOST]):
        try:
            done += work((pk,))
        except FOREIGN:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            log.error("household_put_off", stage=stage, household_id=pk, **_where(error))
            FAULTS.labels(stage).inc()
            put_off(pk, now + PUT_OFF)
    return done


def _where(error: Exception) -> dict[str, str]:
    """Return the kind of an error and its place; its text may quote a message."""
    frame = extract_tb(error.__traceback__)[-1]
    return {
        "error": type(error).__name__,
        "where": f"{Path(frame.filename).name}:{frame.lineno} {frame.name}",
    }
