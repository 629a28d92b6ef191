"""The owners app."""

from django.apps import AppConfig


class OwnersConfig(AppConfig):
    """Django's handle on the app."""

    name = "owners"
    default_auto_field = "django.db.models.BigAutoField"
