"""Calendar subscriptions for apps: list, make, renew, end."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import Asset
from notifications import calendar
from notifications.choices import AppointmentState
from notifications.models import Appointment, CalendarFeed
from owners import clock
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.pages import about, listed, of, page_of
from owners.api.problems import Problem
from owners.models import Household, Owner

SPAN_MOST = timedelta(days=366)


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households one may subscribe to."""
    return Household.objects.for_owner(owner)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets one may subscribe to."""
    return Asset.objects.for_owner(owner)


class CalendarIn(serializers.Serializer[Any]):
    """What to subscribe to: a household, or one asset of it."""

    household = Known(my_households)
    asset = Known(my_assets, allow_null=True, required=False)


class CalendarOut(serializers.Serializer[Any]):
    """An address at which a calendar app reads visits; whoever has it sees them."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    asset = serializers.UUIDField(allow_null=True)
    url = serializers.URLField()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


def show_feed(feed: CalendarFeed) -> dict[str, Any]:
    """Return a subscription as the API shows it."""
    return {
        "id": str(feed.uuid),
        "household": str(feed.household.uuid),
        "asset": str(feed.asset.uuid) if feed.asset else None,
        "url": calendar.address_of(feed),
        "created_at": feed.created_at,
        "read_at": feed.read_at,
    }


def my_feeds(owner: Owner) -> QuerySet[CalendarFeed]:
    """Return the owner's subscriptions with all that `show_feed` reads."""
    return CalendarFeed.objects.for_owner(owner).select_related("household", "asset")


class Calendars(OwnerView):
    """The owner's calendar subscriptions."""

    @listed(
        "calendar_list",
        pages=page_of(CalendarOut, "Calendar"),
        show=show_feed,
        by="pk",
        is_time=False,
    )
    def get(self, request: Request) -> QuerySet[CalendarFeed]:
        """List the addresses at which the owner's calendar apps read."""
        return my_feeds(owner_of(request))

    @extend_schema(operation_id="calendar_add", request=CalendarIn, responses={201: CalendarOut})
    @once
    def post(self, request: Request) -> Response:
        """Make an address, or return the one there is."""
        owner = owner_of(request)
        values = checked(CalendarIn, request)
        household, asset = values["household"], values.get("asset")
        if asset is not None and asset.household_id != household.pk:
            fault = Known.default_error_messages["unknown"]
            raise serializers.ValidationError({"asset": [fault]}, code="unknown")
        feed = calendar.subscribe(owner=owner, household=household, asset=asset, now=clock.now())
        return Response(show_feed(feed), status=201)


class OneCalendar(OwnerView):
    """One subscription."""

    @extend_schema(operation_id="calendar_get", responses=CalendarOut)
    def get(self, request: Request, feed: UUID) -> Response:
        """Return one subscription."""
        return Response(show_feed(my_feeds(owner_of(request)).get(uuid=feed)))

    @extend_schema(operation_id="calendar_end", responses={204: None})
    @once
    def delete(self, request: Request, feed: UUID) -> Response:
        """End it: its address is not found from now on."""
        found = my_feeds(owner_of(request)).get(uuid=feed)
        calendar.revoke(feed=found, now=clock.now())
        return Response(status=204)


class AgendaEntry(serializers.Serializer[Any]):
    """A visit, delivery or call in time; the end is exclusive."""

    id = serializers.UUIDField(help_text="The appointment.")
    journey = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=AppointmentState.choices)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    zone = serializers.CharField(allow_blank=True, help_text="Empty: where the reader is.")
    who = serializers.CharField(allow_blank=True)
    asset = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    is_live = serializers.BooleanField(help_text="Somebody is still expected, or came.")
    is_contested = serializers.BooleanField(help_text="Two different times were given.")
    clashes_with = serializers.ListField(
        child=serializers.CharField(), help_text="Who else is expected at the same time."
    )


class Agenda(OwnerView):
    """The calendar."""

    @extend_schema(
        operation_id="calendar_agenda",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, required=True),
            OpenApiParameter(
                "until",
                OpenApiTypes.DATETIME,
                required=True,
                description=f"At most {SPAN_MOST.days} days later.",
            ),
            about("household"),
        ],
        responses=AgendaEntry(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what touches a span of time by its start, with clashes; at most 1,000."""
        start, end = (instant_of(request, name) for name in ("from", "until"))
        if not start < end <= start + SPAN_MOST:
            raise Problem(400, code="invalid", detail="`until` comes after `from`, within a year.")
        visits = Appointment.objects.for_owner(owner_of(request)).filter(start__isnull=False)
        visits = of(visits, request, household="household__uuid")
        shown = [asdict(entry) for entry in calendar.between(visits, start=start, end=end)]
        return Response(
            [{name: entry[name] for name in AgendaEntry._declared_fields} for entry in shown]  # noqa: SLF001 - the framework's own list of them
        )


def instant_of(request: Request, name: str) -> datetime:
    """Return an instant that the request names, with its offset from UTC."""
    try:
        found = datetime.fromisoformat(request.query_params.get(name, ""))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Problem(400, code="invalid", detail=f"`{name}` is a time as in RFC 3339.")
    return found


class RenewCalendar(OwnerView):
    """A new address for a subscription."""

    @extend_schema(operation_id="calendar_renew", request=None, responses=CalendarOut)
    @once
    def post(self, request: Request, feed: UUID) -> Response:
        """Give it a new address; the old one ends at once."""
        found = my_feeds(owner_of(request)).get(uuid=feed)
        return Response(show_feed(calendar.renew(feed=found, now=clock.now())))
