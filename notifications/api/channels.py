"""How well the owner's channels work."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import channel_health
from owners import clock
from owners.api.edge import OwnerView, owner_of
from owners.choices import ChannelKind
from owners.models import Channel


class ChannelHealthOut(serializers.Serializer[Any]):
    """What became of messages to one channel in 30 days.

    `taken` were taken by the provider; of these `arrived` had a receipt, which not every
    channel gives. `late` are being tried again.
    """

    channel = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    is_working = serializers.BooleanField(help_text="Verified, and not failed for good.")
    taken = serializers.IntegerField()
    arrived = serializers.IntegerField()
    failed = serializers.IntegerField()
    late = serializers.IntegerField()
    taken_at = serializers.DateTimeField(allow_null=True)
    arrived_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)


class ChannelsHealthOut(serializers.Serializer[Any]):
    """Every channel of the owner; never more than a page."""

    results = ChannelHealthOut(many=True)


class ChannelsHealth(OwnerView):
    """How well the owner's channels work."""

    is_personal = True

    @extend_schema(operation_id="channels_health", responses=ChannelsHealthOut)
    def get(self, request: Request) -> Response:
        """Say of each channel what arrived lately."""
        mine = list(Channel.objects.for_owner(owner_of(request)).order_by("pk"))
        found = channel_health.of(mine, now=clock.now())
        return Response({"results": [show(one, found[one.pk]) for one in mine]})


def show(channel: Channel, health: channel_health.Health) -> dict[str, Any]:
    """Return the health of one channel as the API shows it."""
    return {
        "channel": str(channel.uuid),
        "kind": channel.kind,
        "is_working": channel.verified_at is not None and channel.failed_at is None,
        "taken": health.taken,
        "arrived": health.arrived,
        "failed": health.failed,
        "late": health.late,
        "taken_at": health.taken_at,
        "arrived_at": health.arrived_at,
        "failed_at": health.failed_at,
    }
