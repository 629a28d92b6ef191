"""What answers the doorbell for suppliers: their share of what the owner said."""

from celery import shared_task

from owners import clock, doorbell
from suppliers import outbox, proofs, recall_watch, staffing


@shared_task(name="suppliers.tasks.send", ignore_result=True)
def send() -> None:
    """Send what is due to suppliers, and letters to their people."""
    doorbell.answered("outbox")
    stages = (staffing.send_due, proofs.send_due, outbox.send_due)
    while sum(stage(now=clock.now()) for stage in stages):
        pass


@shared_task(name="suppliers.tasks.watch_recalls", ignore_result=True)
def watch_recalls() -> None:
    """Ask the lists of recalls what is due, in lots."""
    while recall_watch.work(clock.now()):
        pass
