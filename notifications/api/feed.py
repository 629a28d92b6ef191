"""The feed for apps: pages of cards as they were made, and what the owner does with them."""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import feed, feed_page
from notifications.api.actions import JOURNEY_ACTIONS, plain, refused, ring_after_commit
from notifications.api.journeys import show_whole
from notifications.api.shapes import CardOut, Counted, FeedOut, JourneyOut
from notifications.choices import Section
from notifications.models import Card, Journey
from owners import clock, households
from owners.api.edge import OwnerView, checked, once, owner_of
from owners.api.pages import CURSOR, LIMIT, limit_of, next_url, read_cursor, write_cursor
from owners.api.problems import Problem
from owners.api.versions import IF_MATCH, etag_of, require_current
from owners.models import Household

ACTION_BODY = PolymorphicProxySerializer(
    component_name="ActionFields",
    serializers=list(dict.fromkeys(JOURNEY_ACTIONS.values())),
    resource_type_field_name=None,
)


ACTION_NAME = OpenApiParameter(
    "name", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(JOURNEY_ACTIONS)
)


class Feed(OwnerView):
    """The owner's cards."""

    @extend_schema(
        operation_id="feed_list",
        parameters=[
            CURSOR,
            LIMIT,
            OpenApiParameter("section", OpenApiTypes.STR, enum=Section.values),
            OpenApiParameter("household", OpenApiTypes.UUID),
            OpenApiParameter(
                "If-None-Match",
                OpenApiTypes.STR,
                location=OpenApiParameter.HEADER,
                description="The `ETag` of the page you have.",
            ),
        ],
        responses={200: FeedOut, 304: OpenApiResponse(description="Nothing changed.")},
    )
    def get(self, request: Request) -> HttpResponse:
        """Return a page of cards, the newest change first; looking is a request of its own."""
        owner = owner_of(request)
        page = feed_page.read(
            owner=owner,
            limit=limit_of(request),
            section=section_of(request),
            household=household_of(request),
            after=position_of(request),
        )
        counts = page.counts
        following = None
        if page.last is not None:
            following = next_url(request, write_cursor(page.last.changed_at, page.last.pk))
        # The bodies are JSON already: nothing is read or written twice.
        body = '{{"needs_you":{},"new":{},"next":{},"results":[{}]}}'.format(
            counts.needs_you, counts.new, json.dumps(following), ",".join(page.bodies)
        ).encode()
        etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        known = parse_etags(request.headers.get("If-None-Match", ""))
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if etag in known or f"W/{etag}" in known:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(body, content_type="application/json", headers=headers)


class FeedCounts(OwnerView):
    """The two numbers of the feed."""

    @extend_schema(operation_id="feed_counts", responses=Counted)
    def get(self, request: Request) -> Response:
        """Return how many cards wait, and how many changed since the last look."""
        counts = feed_page.counts(owner=owner_of(request))
        return Response({"needs_you": counts.needs_you, "new": counts.new})


class FeedLook(OwnerView):
    """A look at the feed."""

    @extend_schema(operation_id="feed_looked", request=None, responses=Counted)
    @once
    def post(self, request: Request) -> Response:
        """The owner looks: what waited silently is told, what was told is seen."""
        owner = owner_of(request)
        feed.looked(owner=owner, now=clock.now())
        counts = feed_page.counts(owner=owner)
        return Response({"needs_you": counts.needs_you, "new": counts.new})


class OneCard(OwnerView):
    """One card."""

    @extend_schema(operation_id="feed_get", responses=CardOut)
    def get(self, request: Request, card: UUID) -> Response:
        """Return one card."""
        owner = owner_of(request)
        body = Card.objects.for_owner(owner).get(uuid=card).in_language(owner.language)
        return Response(body, headers={"ETag": etag_of(body)})


class CardAction(OwnerView):
    """What the owner does with a card."""

    @extend_schema(
        operation_id="feed_act",
        parameters=[
            ACTION_NAME,
            IF_MATCH,
        ],
        request=ACTION_BODY,
        responses=CardOut,
    )
    @once
    def post(self, request: Request, card: UUID, name: str) -> Response:
        """Act, and return the card as it is now."""
        owner = owner_of(request)
        found = Card.objects.for_owner(owner).select_related("journey").get(uuid=card)
        least = feed.least_for(name)
        households.require(owner=owner, household_id=found.household_id, least=least)
        data = fields_of(request, name)
        try:
            with transaction.atomic():
                if "If-Match" in request.headers:
                    # Whoever writes cards holds the household, so the card stands still.
                    Household.objects.select_for_update(no_key=True).get(pk=found.household_id)
                    found = Card.objects.select_related("journey").get(pk=found.pk)
                    require_current(request, found.in_language(owner.language))
                journey = feed.act(
                    owner=owner, journey=found.journey, name=name, data=data, now=clock.now()
                )
        except feed.ActionError as error:
            raise refused(error) from error
        ring_after_commit()
        card_now = Card.objects.for_owner(owner).get(journey=journey)
        return Response(card_now.in_language(owner.language))


class JourneyAction(OwnerView):
    """What the owner does with a matter, also one whose card is gone."""

    @extend_schema(
        operation_id="journeys_act",
        parameters=[ACTION_NAME],
        request=ACTION_BODY,
        responses=JourneyOut,
    )
    @once
    def post(self, request: Request, journey: UUID, name: str) -> Response:
        """Act, and return the journey as it is now; merged away, it is the one it went into."""
        owner, now = owner_of(request), clock.now()
        rows = Journey.objects.for_owner(owner).select_related("household", "card")
        found = rows.get(uuid=journey)
        least = feed.least_for(name)
        households.require(owner=owner, household_id=found.household_id, least=least)
        data = fields_of(request, name)
        try:
            done = feed.act(owner=owner, journey=found, name=name, data=data, now=now)
        except feed.ActionError as error:
            raise refused(error) from error
        ring_after_commit()
        return Response(show_whole(rows.get(pk=done.pk), owner))


def fields_of(request: Request, name: str) -> dict[str, Any]:
    """Return what was sent with an action; Problem for an action there is not."""
    form = JOURNEY_ACTIONS.get(name)
    if form is None:
        raise Problem(404, code="not_found", detail="There is no such action.")
    found: dict[str, Any] = plain(checked(form, request))
    return found


def section_of(request: Request) -> Section | None:
    """Return the section asked for."""
    raw = request.query_params.get("section", "")
    if not raw:
        return None
    if raw not in Section.values:
        raise Problem(
            400, code="invalid", detail=f"`section` is one of {', '.join(Section.values)}."
        )
    return Section(raw)


def household_of(request: Request) -> UUID | None:
    """Return the household asked for; one of somebody else's has no cards."""
    raw = request.query_params.get("household", "")
    if not raw:
        return None
    try:
        return UUID(raw)
    except ValueError as error:
        raise Problem(400, code="invalid", detail="`household` is an id.") from error


def position_of(request: Request) -> feed_page.Position | None:
    """Return the card behind which the page starts."""
    raw = request.query_params.get("cursor", "")
    if not raw:
        return None
    changed_at, pk = read_cursor(raw, is_time=True)
    return feed_page.Position(changed_at=changed_at, pk=pk)
