"""The wiring, as an app: checks and commands that belong to no other."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Django's handle on the wiring."""

    name = "config"

    def ready(self) -> None:
        """Register the checks of production settings, and make the Celery app the current one."""
        from config import celery, checks  # noqa: F401, PLC0415 - both work by being imported
