"""Where the event stream is described, and what a server without it answers."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from owners.api.edge import OwnerView


class FeedStream(OwnerView):
    """The event stream (notifications.stream), as far as a synchronous server has it."""

    @extend_schema(
        operation_id="feed_stream",
        parameters=[
            OpenApiParameter(
                "Last-Event-ID",
                OpenApiTypes.STR,
                location=OpenApiParameter.HEADER,
                description="The id of the last event you have: you hear what changed since.",
            )
        ],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR,
                description=(
                    "Server-sent events. `cards`: `{ids}` changed, get them from the feed; no ids:"
                    " look at all. `counts`: `{needs_you, door}`. Ids rise. Hints may be lost."
                ),
            ),
            204: OpenApiResponse(description="No stream here: ask the feed now and then."),
        },
    )
    def get(self, request: Request) -> Response:
        """Hear which cards change, as it happens."""
        return Response(status=204)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - the framework's own signature
        """Answer an EventSource too, which accepts nothing but an event stream."""
        return super().perform_content_negotiation(request, force=True)
