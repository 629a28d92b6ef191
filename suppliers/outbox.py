"""What Steward tells suppliers: the owner's answers, deferrals, and faults in what came.

`send` only writes a row, so it belongs into the transaction of whoever decides.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction

from owners import doorbell
from suppliers.models import Mandate, OutboundEvent, Supplier, SupplierDomain

WEBHOOK, MAIL, NONE = "webhook", "mail", "none"


class RejectedEvent(Protocol):
    """An inbound event whose content broke the contract."""

    supplier_id: int | None
    household_id: int | None
    source: str
    event_id: str
    type: str
    code: str
    pointer: str
    detail: str


def send(*, mandate: Mandate, type: str, data: dict[str, Any], now: datetime) -> OutboundEvent:  # noqa: A002 - the contract's word
    """Store an event for the mandate's supplier; it goes out when the outbox is next walked.

    The owner is named by the mandate's `owner_ref` only.
    """
    event = OutboundEvent.objects.create(
        supplier=mandate.supplier,
        household_id=mandate.household_id,
        mandate=mandate,
        type=type,
        data={"owner": mandate.owner_ref, **data},
        via=_via(mandate.supplier),
        created_at=now,
        next_at=now,
    )
    transaction.on_commit(lambda: doorbell.ring("outbox"))
    return event


def report_rejected(events: Sequence[RejectedEvent], *, now: datetime) -> None:
    """Tell each supplier which of its events had faults in their content, and where."""
    if not events:
        return
    ids = {event.supplier_id for event in events}
    suppliers = Supplier.objects.filter(pk__in=ids).in_bulk()
    rows = [
        OutboundEvent(
            uuid=uuid.uuid4(),
            supplier_id=event.supplier_id,
            household_id=event.household_id,
            type="steward.event.rejected",
            data={
                "id": event.event_id,
                "source": event.source,
                "type": event.type,
                "code": event.code,
                "pointer": event.pointer,
                "detail": event.detail,
            },
            via=_technical_via(suppliers[event.supplier_id]),
            created_at=now,
            next_at=now,
        )
        for event in events
        if event.supplier_id is not None
    ]
    OutboundEvent.objects.bulk_create(rows)
    transaction.on_commit(lambda: doorbell.ring("outbox"))


def _via(supplier: Supplier) -> str:
    if supplier.webhook_url:
        return WEBHOOK
    if supplier.technical_contact or SupplierDomain.objects.filter(supplier=supplier).exists():
        return MAIL
    return NONE


def _technical_via(supplier: Supplier) -> str:
    if supplier.webhook_url:
        return WEBHOOK
    return MAIL if supplier.technical_contact else NONE
