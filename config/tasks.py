"""What the whole installation does in the background. A task carries no data."""

import time

from celery import shared_task

from config import privacy, restoring
from owners import clock, doorbell

GO_S = 20.0


@shared_task(name="config.tasks.keep_privacy", ignore_result=True)
def keep_privacy() -> None:
    """Make exports, bring them in, carry out deletions, forget old messages: piece by piece."""
    doorbell.answered("privacy")
    until = time.monotonic() + GO_S
    while privacy.work_due(clock.now()) + restoring.work_due(clock.now()):
        if time.monotonic() > until:
            doorbell.ring("privacy")
            return
