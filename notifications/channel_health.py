"""How well each channel works: counted from what was sent there, nothing is kept for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from notifications.choices import DeliveryState
from notifications.models import Delivery
from owners.models import Channel

WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What became of messages to one channel in 30 days.

    `taken` were taken by the provider, of which `arrived` had a receipt; `late` are tried
    again. The times are those of the last that was taken, arrived or failed.
    """

    taken: int = 0
    arrived: int = 0
    failed: int = 0
    late: int = 0
    taken_at: datetime | None = None
    arrived_at: datetime | None = None
    failed_at: datetime | None = None


def of(channels: Iterable[Channel], *, now: datetime) -> dict[int, Health]:
    """Return the health of channels by their keys, in one query."""
    reached = Q(state__in=(DeliveryState.SENT, DeliveryState.DELIVERED))
    failed = Q(state=DeliveryState.FAILED)
    keys = [channel.pk for channel in channels]
    counted = (
        Delivery.objects.filter(channel__in=keys, created_at__gt=now - WINDOW)
        .order_by()
        .values("channel")
        .annotate(
            taken=Count("pk", filter=reached),
            arrived=Count("pk", filter=Q(state=DeliveryState.DELIVERED)),
            failed=Count("pk", filter=failed),
            late=Count("pk", filter=Q(state=DeliveryState.PENDING, failures__gt=0)),
            taken_at=Max("sent_at"),
            arrived_at=Max("delivered_at"),
            failed_at=Max("next_at", filter=failed),
        )
    )
    found = {
        row["channel"]: Health(
            taken=row["taken"],
            arrived=row["arrived"],
            failed=row["failed"],
            late=row["late"],
            taken_at=row["taken_at"],
            arrived_at=row["arrived_at"],
            failed_at=row["failed_at"],
        )
        for row in counted
    }
    return {key: found.get(key, Health()) for key in keys}
