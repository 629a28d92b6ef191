"""What a mail provider says of a mail before its own answer has told us the mail's name.

Both come over lines of their own, and the event may win, or the process that waits for
the answer may die. What is of no delivery (a mail of signing in) is forgotten.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from notifications.models import Delivery, EarlyReceipt

KEPT = timedelta(hours=1)
BATCH = 500


def keep(*, provider_ref: str, said: str, reason: str, now: datetime) -> None:
    """Keep an event of a mail that no delivery is known by."""
    EarlyReceipt.objects.create(
        provider_ref=provider_ref[:120], said=said[:20], reason=reason[:40], received_at=now
    )


def waiting() -> QuerySet[EarlyReceipt]:
    """Return the events whose mail has its name by now, the first first."""
    named = Delivery.objects.filter(provider_ref=OuterRef("provider_ref"))
    return EarlyReceipt.objects.filter(Exists(named)).order_by("pk")


def take() -> list[EarlyReceipt]:
    """Take those that can be applied out of the table, inside the caller's transaction."""
    rows = list(waiting().select_for_update(skip_locked=True)[:BATCH])
    if rows:
        EarlyReceipt.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return rows


def purge_due(*, now: datetime) -> int:
    """Forget what was of no delivery; return how much."""
    with transaction.atomic():
        return EarlyReceipt.objects.filter(received_at__lt=now - KEPT).delete()[0]
