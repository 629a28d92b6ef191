"""The floor of a card that appears: Celery runs a task that does nothing but say so."""

import os

import redis
from celery import Celery

QUEUE = "bench-floor"
CHANNEL = "bench:floor"
TASK = "bench.say"

app = Celery("bench", broker=os.environ.get("REDIS_URL", ""))
app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, worker_hijack_root_logger=False)
_client = redis.Redis.from_url(os.environ.get("REDIS_URL") or "redis://localhost")


@app.task(name=TASK)
def say(name: str) -> None:
    """Publish the event's name, as a stream would carry it on."""
    _client.publish(CHANNEL, name)
