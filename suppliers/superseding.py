"""Telling a supplier's technicians that a later event had made one of theirs history."""

from collections.abc import Collection
from datetime import datetime

from suppliers import outbox
from suppliers.choices import Way
from suppliers.models import Contact


def report(*, contacts: Collection[int], now: datetime) -> None:
    """Say of these contacts that they came too late to change anything; two reads for any number.

    What did not come as an event has no id that its sender knows.
    """
    found = Contact.objects.filter(
        pk__in=contacts, inbound__way=Way.WEBHOOK, inbound__supplier__isnull=False
    )
    outbox.tell_technicians(
        [
            outbox.Technical(
                supplier=one.inbound.supplier,
                household_id=one.household_id,
                type="steward.event.superseded",
                data={
                    "id": one.inbound.event_id,
                    "source": one.inbound.source,
                    "type": one.inbound.type,
                },
            )
            for one in found.select_related("inbound__supplier").order_by("pk")
            if one.inbound is not None and one.inbound.supplier is not None
        ],
        now=now,
    )
