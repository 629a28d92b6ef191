"""Telling suppliers that they may reach a household otherwise than before."""

import uuid
from datetime import datetime, timedelta

from owners.models import Household
from suppliers import outbox, routes
from suppliers.choices import MandateState
from suppliers.models import Mandate, OutboundEvent, OutboundState

TYPE = "owner.reach.changed"
NAMESPACE = uuid.UUID("0f3f0d7c-6f0d-5a0e-8f2c-6d8d3f3c5b11")
SETTLES = timedelta(hours=1)  # whoever sets their wishes sets several; one word for all


def changed(*, household: Household, now: datetime) -> None:
    """Say once an hour at most that it changed; how, a supplier asks when it needs to know.

    The event holds no wish: when somebody sleeps is nobody's business who is not about to
    write to them.
    """
    active = Mandate.objects.filter(household=household, state=MandateState.ACTIVE)
    active = active.select_related("supplier").order_by("pk")
    hour = now.replace(minute=0, second=0, microsecond=0)
    messages = [
        outbox.Message(
            mandate=mandate,
            type=TYPE,
            data={},
            name=uuid.uuid5(NAMESPACE, f"{mandate.uuid}|{hour.isoformat()}"),
        )
        for mandate in routes.reachable(active, TYPE)
    ]
    outbox.send_all(messages, now=now)
    OutboundEvent.objects.filter(
        uuid__in=[message.name for message in messages], state=OutboundState.PENDING, tried=0
    ).update(next_at=hour + SETTLES)
