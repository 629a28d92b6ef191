"""The suppliers app."""

from django.apps import AppConfig


class SuppliersConfig(AppConfig):
    """Django's handle on the app."""

    name = "suppliers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for what suppliers have to hear."""
        from owners import hearing  # noqa: PLC0415 - models are there only now
        from suppliers import custody, passing_on, reaching  # noqa: PLC0415

        hearing.plug_in(hearing.LIFECYCLE, custody.lifecycle_changed)
        hearing.plug_in(hearing.HANDED_OVER, passing_on.handed_over)
        hearing.plug_in(hearing.WISHES, reaching.changed)
