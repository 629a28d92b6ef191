"""The suppliers app."""

from django.apps import AppConfig


class SuppliersConfig(AppConfig):
    """Django's handle on the app."""

    name = "suppliers"
    default_auto_field = "django.db.models.BigAutoField"
