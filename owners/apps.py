"""The owners app."""

from django.apps import AppConfig


class OwnersConfig(AppConfig):
    """Django's handle on the app."""

    name = "owners"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of addresses that sign-in has verified."""
        from owners import adapters  # noqa: PLC0415 - models are not loaded before

        adapters.connect()
