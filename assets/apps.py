"""The assets app."""

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    """Django's handle on the app."""

    name = "assets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the deadlines of a thing follow its papers and its life."""
        from assets import radar, recalls  # noqa: PLC0415 - models load first
        from owners import hearing  # noqa: PLC0415 - as above

        hearing.plug_in(hearing.HOLDINGS, radar.heard)
        hearing.plug_in(hearing.LIFECYCLE, radar.lived)
        hearing.plug_in(hearing.LIFECYCLE, recalls.lived)
