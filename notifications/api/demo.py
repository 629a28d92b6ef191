"""A household to look around in, for apps: made and deleted in one tap."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import demo_home
from owners import clock, doorbell
from owners.api.edge import OwnerView, once, owner_of
from owners.models import Household


class DemoOut(serializers.Serializer[Any]):
    """The owner's demo household, when there is one."""

    household = serializers.UUIDField(allow_null=True)


def show_demo(home: Household | None) -> dict[str, Any]:
    """Return the demo household as the API shows it."""
    return {"household": str(home.uuid) if home else None}


class Demo(OwnerView):
    """A household to look around in."""

    is_sensitive = True

    @extend_schema(operation_id="demo_get", responses=DemoOut)
    def get(self, request: Request) -> Response:
        """Return the demo household, when there is one."""
        return Response(show_demo(demo_home.of(owner_of(request))))

    @extend_schema(operation_id="demo_open", request=None, responses={201: DemoOut})
    @once
    def post(self, request: Request) -> Response:
        """Make it, or return the one there is; its cards come a moment later."""
        home = demo_home.open_for(owner=owner_of(request), now=clock.now())
        doorbell.ring("inbox")
        return Response(show_demo(home), status=201)

    @extend_schema(operation_id="demo_close", responses={204: None})
    @once
    def delete(self, request: Request) -> Response:
        """Delete it with everything in it; again is nothing."""
        home = demo_home.of(owner_of(request))
        if home is not None:
            demo_home.close(home=home, now=clock.now())
        return Response(status=204)
