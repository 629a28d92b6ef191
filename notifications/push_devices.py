"""Browsers and apps that may be woken: each a channel of its own, all told at once.

A device proves itself: it is woken with a code, which it sends back without anybody
typing it.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from notifications.choices import PushService
from notifications.models import Delivery, PushDevice
from owners import channels
from owners.choices import ChannelKind
from owners.models import Channel, Owner

MOST = 20  # devices of one owner


class TooManyError(Exception):
    """The owner has as many devices as one may have."""


def add(
    *,
    owner: Owner,
    now: datetime,
    endpoint: str = "",
    keys: Mapping[str, str] | None = None,
    token: str = "",
    service: PushService = PushService.WEB,
    name: str = "",
    replaces: PushDevice | None = None,
) -> PushDevice:
    """Keep where a device is woken, sealed, and have a code sent there.

    A browser has an endpoint and keys, an app the token of its push service. A device
    belongs to whoever used it last: another owner's wake-ups of it end. With `replaces` it
    is that device of the owner's whose address changed. Raises TooManyError, or
    ChannelError when too many codes were sent.
    """
    index = PushDevice.index(endpoint or f"{service}:{token}")
    where = {"service": service.value}
    where |= {"token": token} if token else {"endpoint": endpoint}
    address = json.dumps(where | {"keys": dict(keys or {})}, sort_keys=True)
    with transaction.atomic():
        Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)
        theirs = PushDevice.objects.filter(endpoint_index=index).exclude(owner=owner)
        Channel.objects.filter(push_device__in=theirs).delete()
        device = PushDevice.objects.filter(endpoint_index=index).select_related("channel").first()
        if device is None and replaces is not None:
            device = replaces
            device.endpoint_index, device.service = index, service
        elif device is not None and replaces is not None and replaces.pk != device.pk:
            replaces.channel.delete()  # the same device, known by both addresses
        if device is None:
            if PushDevice.objects.for_owner(owner).count() >= MOST:
                raise TooManyError
            channel = Channel(owner=owner, kind=ChannelKind.PUSH, created_at=now)
            device = PushDevice(owner=owner, endpoint_index=index, service=service, created_at=now)
        else:
            channel = device.channel
        is_same = bool(channel.pk) and channel.address == address and channel.failed_at is None
        device.name = name or device.name
        channel.set_address(address, hint=device.name or str(service.label))
        if not is_same:
            channel.verified_at, channel.failed_at, channel.failure = None, None, ""
        channel.save()
        device.channel = channel
        device.save()
        if channel.verified_at is None and not channel.codes.filter(
            used_at=None, queued_at=None, expires_at__gt=now
        ):
            channels.send_code(channel=channel, now=now)
    return device


def move(
    *, endpoint: str, auth: str, to: str, keys: Mapping[str, str], now: datetime
) -> PushDevice | None:
    """Follow a browser whose push service gave it another address.

    Only the browser and we know the secret `auth` of the old one; the push service, which
    knows the address, does not. The new address proves itself as every other. Returns None
    when that is no device of ours.
    """
    found = (
        PushDevice.objects.filter(endpoint_index=PushDevice.index(endpoint))
        .select_related("channel", "owner")
        .first()
    )
    if found is None:
        return None
    known = str(json.loads(found.channel.address).get("keys", {}).get("auth", ""))
    if not known or not hmac.compare_digest(known.encode(), auth.encode()):
        return None
    return add(owner=found.owner, endpoint=to, keys=keys, name=found.name, replaces=found, now=now)


def remove(*, device: PushDevice, now: datetime) -> None:
    """Never wake a device again."""
    channels.remove(channel=device.channel, now=now)


def told_at_once(rows: list[Delivery]) -> list[Delivery]:
    """Return deliveries with one more for each further device of a step that wakes devices.

    Planning knows one channel of each kind; whoever has several devices is told on all.
    """
    waking = [row for row in rows if row.kind == ChannelKind.PUSH]
    if not waking:
        return rows
    owners = {row.owner_id for row in waking}
    devices = list(
        Channel.objects.usable().filter(owner__in=owners, kind=ChannelKind.PUSH).order_by("pk")
    )
    added = [
        Delivery(
            key=f"{row.key}:{channel.pk}",
            household_id=row.household_id,
            owner_id=row.owner_id,
            notification=row.notification,
            kind=row.kind,
            channel=channel,
            step=row.step,
            subject=row.subject,
            text=row.text,
            next_at=row.next_at,
            expires_at=row.expires_at,
            created_at=row.created_at,
        )
        for row in waking
        for channel in devices
        if channel.owner_id == row.owner_id and channel.pk != row.channel_id
    ]
    return rows + added
