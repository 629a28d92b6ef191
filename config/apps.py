"""The wiring, as an app: checks and commands that belong to no other."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Django's handle on the wiring."""

    name = "config"
