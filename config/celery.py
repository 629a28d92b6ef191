"""The Celery app. A task carries no data: it says that there is work, and rows say which."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("steward", fixups=["config.connections:fixup"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Let Django's LOGGING stand: by answering this signal Celery leaves logging alone."""


@worker_process_init.connect
def ready(**_: object) -> None:
    """Stop a worker with unsafe production settings, as the web stops; else set to work."""
    from config import garbage  # noqa: PLC0415 - when all is imported
    from config.checks import refuse_unsafe  # noqa: PLC0415 - needs settings, which need this file

    refuse_unsafe()
    garbage.freeze()
