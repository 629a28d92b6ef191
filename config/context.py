"""What every template may know of the installation."""

from django.conf import settings
from django.http import HttpRequest


def installation(request: HttpRequest) -> dict[str, bool]:
    """Say whether messages stay on this machine."""
    return {"is_outbox_local": settings.STEWARD_OUTBOX == "local"}
