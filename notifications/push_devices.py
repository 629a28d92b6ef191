"""Browsers that may be woken by web push."""

import json
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from notifications.models import PushDevice
from owners.models import Owner

MOST = 20  # devices of one owner


class TooManyError(Exception):
    """The owner has as many devices as one may have."""


def add(
    *, owner: Owner, endpoint: str, keys: Mapping[str, str], now: datetime, name: str = ""
) -> PushDevice:
    """Keep a browser's subscription, sealed; raises TooManyError.

    A browser belongs to whoever used it last: another owner's subscription of it ends.
    """
    index = PushDevice.index(endpoint)
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
        PushDevice.objects.filter(endpoint_index=index).exclude(owner=owner).delete()
        device = PushDevice.objects.filter(endpoint_index=index).first()
        if device is None:
            if PushDevice.objects.for_owner(owner).count() >= MOST:
                raise TooManyError
            device = PushDevice(owner=owner, endpoint_index=index, created_at=now)
        device.name = name or device.name
        device.set_subscription(json.dumps({"endpoint": endpoint, "keys": dict(keys)}))
        device.save()
    return device
