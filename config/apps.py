"""The wiring, as an app: checks and commands that belong to no other."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Django's handle on the wiring."""

    name = "config"

    def ready(self) -> None:
        """Register the checks of production settings."""
        from config import checks  # noqa: F401, PLC0415 - registers by being imported
