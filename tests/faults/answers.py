"""Lets owners answer their suppliers: `python -m tests.faults.answers ADDRESS EACH SECONDS`.

Every supplier gets an endpoint below ADDRESS and EACH answers, which fall due one after
the other over so many seconds, so that faults meet all of them.
"""

import os
import sys
from datetime import timedelta

import django


def write(address: str, each: int, seconds: float) -> int:
    """Write the answers in the order in which they must arrive; return how many."""
    from owners import clock  # noqa: PLC0415 - models need the set-up below
    from suppliers import outbox  # noqa: PLC0415
    from suppliers.models import Mandate, OutboundEvent, Supplier  # noqa: PLC0415

    now = clock.now()
    for supplier in Supplier.objects.order_by("pk"):
        supplier.webhook_url = f"{address}/{supplier.code}"
        supplier.save(update_fields=["webhook_url"])
        mandates = list(Mandate.objects.filter(supplier=supplier).select_related("supplier"))
        for number in range(each):
            event = outbox.send(
                mandate=mandates[number % len(mandates)],
                type="owner.message.sent",
                data={"body": f"Answer {number}"},
                now=now,
            )
            due = now + timedelta(seconds=seconds * number / each)
            OutboundEvent.objects.filter(pk=event.pk).update(next_at=due)
    return OutboundEvent.objects.count()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(write(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))  # noqa: T201
