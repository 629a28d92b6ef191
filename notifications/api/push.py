"""Push devices: the browsers an owner lets Steward wake."""

import re
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import push_devices
from notifications.models import PushDevice
from owners import clock
from owners.api.edge import OwnerView, checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem

BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


class PushKeysIn(serializers.Serializer[Any]):
    """What messages for the browser are encrypted with."""

    p256dh = serializers.RegexField(BASE64URL, max_length=120)
    auth = serializers.RegexField(BASE64URL, max_length=60)


class PushDeviceIn(serializers.Serializer[Any]):
    """A browser's `PushSubscription.toJSON()`, with a name for people."""

    endpoint = serializers.URLField(max_length=2000)
    keys = PushKeysIn()
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)

    def validate_endpoint(self, value: str) -> str:
        """Refuse an address without encryption."""
        if not value.startswith("https://"):
            raise serializers.ValidationError("This is an https address.", "invalid")
        return value


class PushDeviceOut(serializers.Serializer[Any]):
    """A browser that may be woken; where it is reached stays sealed."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


def show_device(device: PushDevice) -> dict[str, Any]:
    """Return a device as the API shows it."""
    return {"id": str(device.uuid), "name": device.name, "created_at": device.created_at}


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
        """List the browsers that may be woken."""
        return PushDevice.objects.for_owner(owner_of(request))

    @extend_schema(
        operation_id="push_devices_add", request=PushDeviceIn, responses={201: PushDeviceOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Let a browser be woken; the same browser again renews its keys."""
        values = checked(PushDeviceIn, request)
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
        PushDevice.objects.for_owner(owner_of(request)).get(uuid=device).delete()
        return Response(status=204)
