"""What answers the doorbell for assets. A task carries no data: the rows say what is to be done."""

import time

from celery import shared_task

from assets import documents, importing
from owners import clock, doorbell

GO_S = 20.0


@shared_task(name="assets.tasks.bring_in", ignore_result=True)
def bring_in() -> None:
    """Bring in what waits, lot by lot; rings again when there is more than one go's work."""
    doorbell.answered("imports")
    until = time.monotonic() + GO_S
    while importing.work_due(clock.now):
        if time.monotonic() > until:
            doorbell.ring("imports")
            return


@shared_task(name="assets.tasks.read_papers", ignore_result=True)
def read_papers() -> None:
    """Read the words in pictures that wait, one by one; rings again when there are more."""
    doorbell.answered("papers")
    until = time.monotonic() + GO_S
    while documents.read_due():
        if time.monotonic() > until:
            doorbell.ring("papers")
            return
