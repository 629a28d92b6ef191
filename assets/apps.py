"""The assets app."""

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    """Django's handle on the app."""

    name = "assets"
    default_auto_field = "django.db.models.BigAutoField"
