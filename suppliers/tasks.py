"""What answers the doorbell for suppliers: their share of what the owner said."""

from celery import shared_task

from owners import clock, doorbell
from suppliers import outbox, staffing

BATCH = 500


@shared_task(name="suppliers.tasks.send", ignore_result=True)
def send() -> None:
    """Send what is due to suppliers, and letters to their people."""
    doorbell.answered("outbox")
    while staffing.send_due(now=clock.now()) + outbox.send_due(now=clock.now(), limit=BATCH):
        pass
