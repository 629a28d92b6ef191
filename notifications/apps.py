"""The notifications app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Django's handle on the app."""

    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"
