"""An asset that passed to its next owner leaves no way in behind: no pass, no calendar."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from assets.models import Asset
from notifications import passes
from notifications.models import CalendarFeed, Pass


def handed_over(*, asset: Asset, keeps: Collection[UUID], now: datetime) -> None:
    """End every pass and calendar about an asset; `keeps` names suppliers, and none here."""
    live = Pass.objects.live(now).filter(Q(asset=asset) | Q(journey__asset=asset))
    for held in live.filter(household=asset.household_id).order_by("pk"):
        passes.revoke(held=held, owner=None, now=now)
    CalendarFeed.objects.filter(household=asset.household_id, asset=asset).delete()
