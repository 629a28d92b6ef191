"""The notifications app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Django's handle on the app."""

    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the one signal, and let suppliers be sent an SMS."""
        # Models are not ready when this module is read.
        from notifications import (  # noqa: PLC0415
            finding,
            noticing,
            passing_on,
            receivers,
            texting,
            upkeep,
        )
        from owners import hearing  # noqa: PLC0415
        from suppliers import texting as port  # noqa: PLC0415
        from suppliers.signals import contacts_stored  # noqa: PLC0415

        contacts_stored.connect(receivers.contacts_stored, dispatch_uid="feed")
        hearing.plug_in(hearing.CARE, upkeep.heard)
        hearing.plug_in(hearing.NOTICES, noticing.heard)
        hearing.plug_in(hearing.FOUND, finding.heard)
        hearing.plug_in(hearing.HANDED_OVER, passing_on.handed_over)
        port.plug_in(texting.send, has_provider=texting.has_provider)
