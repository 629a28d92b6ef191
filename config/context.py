"""What every template may know of the installation."""

from django.conf import settings
from django.http import HttpRequest

from notifications import vapid


def installation(request: HttpRequest) -> dict[str, bool | str]:
    """Say whether messages stay on this machine, and the key browsers are woken with."""
    return {
        "is_outbox_local": settings.STEWARD_OUTBOX == "local",
        "push_key": vapid.public_of(settings.VAPID_PRIVATE_KEY, seed=settings.INDEX_KEY),
    }
