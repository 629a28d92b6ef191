"""Push devices: the browsers and apps that an owner lets Steward wake."""

import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import push_devices
from notifications.choices import PushService
from notifications.models import PushDevice
from owners import clock
from owners.api.edge import OwnerView, checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem

TOKEN = re.compile(r"[A-Za-z0-9_:.-]+")
BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


class PushKeysIn(serializers.Serializer[Any]):
    """What messages for the browser are encrypted with."""

    p256dh = serializers.RegexField(BASE64URL, max_length=120)
    auth = serializers.RegexField(BASE64URL, max_length=60)


class PushDeviceIn(serializers.Serializer[Any]):
    """A browser's `PushSubscription.toJSON()`, or an app's token; with a name for people."""

    service = serializers.ChoiceField(choices=PushService.choices, default=PushService.WEB)
    endpoint = serializers.URLField(max_length=2000, required=False)
    keys = PushKeysIn(required=False)
    token = serializers.RegexField(TOKEN, max_length=4000, required=False)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    replaces = serializers.UUIDField(
        required=False, help_text="The device whose token or subscription this one succeeds."
    )

    def validate_endpoint(self, value: str) -> str:
        """Refuse an address without encryption."""
        if not value.startswith("https://"):
            raise serializers.ValidationError("This is an https address.", "invalid")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask of each service what it wakes a device by."""
        is_web = attrs["service"] == PushService.WEB
        for name in ("endpoint", "keys") if is_web else ("token",):
            if name not in attrs:
                raise serializers.ValidationError({name: "This field is required."}, "required")
        for name in ("token",) if is_web else ("endpoint", "keys"):
            if name in attrs:
                raise serializers.ValidationError({name: "Not for this service."}, "invalid")
        return attrs


class PushDeviceOut(serializers.Serializer[Any]):
    """A device that may be woken; where it is reached stays sealed.

    It is used once it has sent back the code that it is woken with (`verified_at`).
    """

    id = serializers.UUIDField()
    channel = serializers.UUIDField()
    service = serializers.ChoiceField(choices=PushService.choices)
    name = serializers.CharField(allow_blank=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


def show_device(device: PushDevice) -> dict[str, Any]:
    """Return a device as the API shows it."""
    return {
        "id": str(device.uuid),
        "channel": str(device.channel.uuid),
        "service": device.service,
        "name": device.name,
        "verified_at": device.channel.verified_at,
        "failed_at": device.channel.failed_at,
        "created_at": device.created_at,
    }


class PushDevices(OwnerView):
    """The owner's push devices."""

    @listed(
        "push_devices_list",
        pages=page_of(PushDeviceOut, "PushDevice"),
        show=show_device,
        by="pk",
        is_time=False,
    )
    def get(self, request: Request) -> QuerySet[PushDevice]:
        """List the devices that may be woken."""
        return PushDevice.objects.for_owner(owner_of(request))

    @extend_schema(
        operation_id="push_devices_add", request=PushDeviceIn, responses={201: PushDeviceOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Let a device be woken, which it proves by itself; the same one again renews its keys."""
        values = checked(PushDeviceIn, request)
        values["service"] = PushService(values["service"])
        if (replaced := values.pop("replaces", None)) is not None:
            mine = PushDevice.objects.for_owner(owner_of(request))
            values["replaces"] = mine.filter(uuid=replaced).first()
        try:
            device = push_devices.add(owner=owner_of(request), now=clock.now(), **values)
        except push_devices.TooManyError as error:
            raise Problem(409, code="too_many", detail="Remove another device first.") from error
        return Response(show_device(device), status=201)


class OnePushDevice(OwnerView):
    """One push device."""

    @extend_schema(operation_id="push_devices_get", responses=PushDeviceOut)
    def get(self, request: Request, device: UUID) -> Response:
        """Return one device."""
        mine = PushDevice.objects.for_owner(owner_of(request))
        return Response(show_device(mine.get(uuid=device)))

    @extend_schema(operation_id="push_devices_remove", responses={204: None})
    @once
    def delete(self, request: Request, device: UUID) -> Response:
        """Never wake it again."""
        found = PushDevice.objects.for_owner(owner_of(request)).get(uuid=device)
        push_devices.remove(device=found, now=clock.now())
        return Response(status=204)
