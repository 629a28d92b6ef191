"""Owners answer their suppliers: `python -m tests.faults.answers ADDRESS EACH SECONDS`.

Every supplier gets an endpoint below ADDRESS and EACH answers, one after the other over so
many seconds, so that faults meet all of them. Killed and started again it goes on: each
answer has a name, and is written once. It stays until it is ended.
"""

import os
import sys
import time
import uuid
from datetime import timedelta

import django

NAMES = uuid.UUID("5b1f0c9e-8f0d-5c39-9a0e-3f1f3c0d7a11")


def listen(address: str) -> None:
    """Give every supplier its endpoint."""
    from suppliers.models import Supplier  # noqa: PLC0415 - models need the set-up below

    for supplier in Supplier.objects.order_by("pk"):
        supplier.webhook_url = f"{address}/{supplier.code}"
        supplier.save(update_fields=["webhook_url"])


def write(number: int) -> None:
    """Write one answer to each supplier, of its households in turn."""
    from owners import clock  # noqa: PLC0415
    from suppliers import outbox  # noqa: PLC0415
    from suppliers.models import Mandate  # noqa: PLC0415

    mandates: dict[str, list[Mandate]] = {}
    for mandate in Mandate.objects.select_related("supplier").order_by("pk"):
        mandates.setdefault(mandate.supplier.code, []).append(mandate)
    for code, known in mandates.items():
        outbox.send(
            mandate=known[number % len(known)],
            type="owner.message.sent",
            data={"body": f"Answer {number}"},
            now=clock.now(),
            name=uuid.uuid5(NAMES, f"{code} {number}"),
        )


def insist(what: object, *arguments: object) -> None:
    """Do it again until the database is there."""
    from django.db import DatabaseError, connection  # noqa: PLC0415

    while True:
        try:
            what(*arguments)  # type: ignore[operator]
        except DatabaseError:
            connection.close()
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    address, each, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    insist(listen, address)
    for number in range(each):
        insist(write, number)
        time.sleep(seconds / each)
    time.sleep(timedelta(hours=1).total_seconds())
