"""Wiring only: settings, addresses, processes; importing it makes the Celery app current."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
