"""What answers the doorbell. A task carries no data: the rows say what is to be done."""

import time

from celery import shared_task

from notifications import delivery, pipeline
from owners import clock, doorbell

BATCH = 1_000  # deliveries in hand at once; larger claims mean fewer waits for the disk
# One turn of the pump at a worker. Then whatever else waits has its turn: what is to be sent,
# above all, which nobody would send while each worker pumps a flood.
TURN_S, TURN_LOT = 0.5, 100


@shared_task(name="notifications.tasks.pump", ignore_result=True)
def pump() -> None:
    """Take what waits from the inbox to the cards and planned notifications."""
    doorbell.answered("feed")
    began = time.monotonic()
    pipeline.pump(now_fn=clock.now, seconds=TURN_S, lot=TURN_LOT)
    if time.monotonic() - began < TURN_S:  # nothing is left to decide
        pipeline.note(seconds=TURN_S)
    else:
        doorbell.ring("feed")


@shared_task(name="notifications.tasks.deliver", ignore_result=True)
def deliver() -> None:
    """Send what is due."""
    doorbell.answered("delivery")
    delivery.deliver_due(now=clock.now(), limit=BATCH, now_fn=clock.now)


@shared_task(name="notifications.tasks.sweep", ignore_result=True, expires=10)
def sweep() -> None:
    """Do what time alone brings, and ring for what is due or was left behind."""
    now = clock.now()
    pipeline.tick(now=now)
    for name in pipeline.due(now=now):
        doorbell.ring(name)
