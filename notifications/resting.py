"""A provider that refuses everybody is left alone for a while, by every process at once.

A refusal may be about one address or one device. Three in a row of different addresses,
with nothing taken in between, are about the provider: it then rests for as long as it
asked, or for longer each time. After a rest the first refusal is enough for the next.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import transaction

from notifications.models import ProviderRest

ENOUGH = 3  # refused addresses in a row
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 180, 300))
LONGEST = timedelta(hours=6)  # whatever it asks for: then it is asked again
SPREAD = 0.2  # of the rest: who waited does not come back in one moment


class Rests:
    """The providers that lately refused, as one process knows them."""

    def __init__(self) -> None:
        self._known: dict[str, ProviderRest] = {}

    def look(self) -> None:
        """Read them anew: others may have been refused meanwhile."""
        self._known = {row.name: row for row in ProviderRest.objects.all()}

    def __bool__(self) -> bool:
        return bool(self._known)

    def until(self, name: str, *, key: str, now: datetime) -> datetime | None:
        """Return when a message may be tried whose provider rests; None when it does not.

        The same for the same key; messages are spread over a fifth of the rest.
        """
        row = self._known.get(name)
        if row is None or row.until is None or row.until <= now:
            return None
        share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
        return row.until + (row.until - now) * SPREAD * share

    def refused(
        self, name: str, *, address: str, asked: float | None, said: str, now: datetime
    ) -> None:
        """Note that a provider refused, for a reason that meets everybody.

        `address` names whom it was for, `asked` is how many seconds it wants to be left alone.
        """
        with transaction.atomic():
            row, _made = ProviderRest.objects.select_for_update().get_or_create(
                name=name, defaults={"changed_at": now}
            )
            self._known[name] = row
            if row.until is not None and row.until > now:
                return  # it was under way when the rest began
            row.refused = list(dict.fromkeys([*row.refused, address]))[-ENOUGH:]
            row.detail, row.changed_at = said[:300], now
            if len(row.refused) == ENOUGH:
                own = WAITS[min(row.rests, len(WAITS) - 1)]
                row.until = now + min(max(own, timedelta(seconds=asked or 0)), LONGEST)
                row.rests += 1
            row.save()

    def taken(self, name: str) -> None:
        """Note that a provider took a message: what it refused before was not everybody's."""
        if self._known.pop(name, None) is not None:
            ProviderRest.objects.filter(name=name).delete()
