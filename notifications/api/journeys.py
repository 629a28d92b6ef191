"""Journeys for apps, and what stands on them: appointments, surveys, notifications."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import journeys
from notifications.api.shapes import (
    AppointmentOut,
    JourneyOut,
    JourneyRow,
    NotificationOut,
    SurveyOut,
)
from notifications.choices import AppointmentState, JourneyState, NotificationState, SurveyState
from notifications.models import Appointment, Delivery, Journey, Notification, Survey
from owners import clock
from owners.api.edge import OwnerView, owner_of
from owners.api.pages import CURSOR, LIMIT, cut, page, page_of
from suppliers.models import Supplier


def show_journey(journey: Journey, suppliers: dict[int, str]) -> dict[str, Any]:
    """Return a journey as it stands in a list."""
    return {
        "id": str(journey.uuid),
        "household": str(journey.household.uuid),
        "asset": str(journey.asset.uuid) if journey.asset else None,
        "suppliers": [suppliers[pk] for pk in journey.suppliers if pk in suppliers],
        "title": journey.title,
        "state": journey.state,
        "turn": journey.turn,
        "opened_at": journey.opened_at,
        "last_said_at": journey.last_said_at,
        "done_at": journey.done_at,
        "closed_at": journey.closed_at,
    }


class Journeys(OwnerView):
    """The owner's journeys."""

    @extend_schema(
        operation_id="journeys_list",
        parameters=[
            CURSOR,
            LIMIT,
            OpenApiParameter("state", OpenApiTypes.STR, enum=JourneyState.values),
        ],
        responses=page_of(JourneyRow, "Journey"),
    )
    def get(self, request: Request) -> Response:
        """List the owner's journeys, the newest word first."""
        rows = Journey.objects.for_owner(owner_of(request)).filter(is_emptied=False)
        rows = rows.select_related("household", "asset")
        state = request.query_params.get("state", "")
        if state:
            rows = rows.filter(state__in=[state] if state in JourneyState.values else [])
        found, following = cut(rows, request, by="-last_said_at")
        wanted = {pk for journey in found for pk in journey.suppliers}
        pairs = Supplier.objects.filter(pk__in=wanted).values_list("pk", "uuid")
        suppliers = {pk: str(key) for pk, key in pairs}
        return Response(
            {"next": following, "results": [show_journey(row, suppliers) for row in found]}
        )


class OneJourney(OwnerView):
    """One journey."""

    @extend_schema(operation_id="journeys_get", responses=JourneyOut)
    def get(self, request: Request, journey: UUID) -> Response:
        """Return one journey: contacts with outcomes, facts with sources, what one can do."""
        found = Journey.objects.for_owner(owner_of(request)).select_related("household")
        return Response(journeys.describe(found.get(uuid=journey), now=clock.now()))


def show_appointment(appointment: Appointment) -> dict[str, Any]:
    """Return an appointment as the API shows it."""
    return {
        "id": str(appointment.uuid),
        "journey": str(appointment.journey.uuid),
        "supplier": str(appointment.supplier.uuid) if appointment.supplier else None,
        "uid": appointment.uid,
        "kind": appointment.kind,
        "state": appointment.state,
        "start": appointment.start,
        "end": appointment.end,
        "eta_start": appointment.eta_start,
        "eta_end": appointment.eta_end,
        "zone": appointment.zone,
        "place": appointment.place,
        "person": appointment.person,
        "sequence": appointment.sequence,
        "sources": appointment.sources,
    }


class Appointments(OwnerView):
    """The owner's appointments."""

    @extend_schema(
        operation_id="appointments_list",
        parameters=[
            CURSOR,
            LIMIT,
            OpenApiParameter("state", OpenApiTypes.STR, enum=AppointmentState.values),
        ],
        responses=page_of(AppointmentOut, "Appointment"),
    )
    def get(self, request: Request) -> Response:
        """List the owner's appointments, the last noted first."""
        rows = Appointment.objects.for_owner(owner_of(request))
        rows = rows.select_related("journey", "supplier")
        state = request.query_params.get("state", "")
        if state:
            rows = rows.filter(state__in=[state] if state in AppointmentState.values else [])
        return Response(page(rows, request, by="-pk", show=show_appointment, is_time=False))


def show_survey(survey: Survey) -> dict[str, Any]:
    """Return a request for feedback as the API shows it."""
    return {
        "id": str(survey.uuid),
        "journey": str(survey.journey.uuid) if survey.journey else None,
        "supplier": str(survey.supplier.uuid) if survey.supplier else None,
        "contact": str(survey.contact.uuid),
        "state": survey.state,
        "held_reason": survey.held_reason,
        "score": survey.score,
        "requested_at": survey.requested_at,
        "offered_at": survey.offered_at,
        "answered_at": survey.answered_at,
        "closes_at": survey.closes_at,
    }


class Surveys(OwnerView):
    """The requests for feedback."""

    @extend_schema(
        operation_id="surveys_list",
        parameters=[
            CURSOR,
            LIMIT,
            OpenApiParameter("state", OpenApiTypes.STR, enum=SurveyState.values),
        ],
        responses=page_of(SurveyOut, "Survey"),
    )
    def get(self, request: Request) -> Response:
        """List what suppliers asked about, the newest first; rated through the card."""
        rows = Survey.objects.for_owner(owner_of(request))
        rows = rows.select_related("journey", "supplier", "contact")
        state = request.query_params.get("state", "")
        if state:
            rows = rows.filter(state__in=[state] if state in SurveyState.values else [])
        return Response(page(rows, request, by="-requested_at", show=show_survey))


def show_notification(notification: Notification) -> dict[str, Any]:
    """Return what the owner was told as the API shows it."""
    return {
        "id": str(notification.uuid),
        "journey": str(notification.journey.uuid),
        "at": notification.told_at,
        "level": notification.level,
        "topic": notification.topic,
        "reason": notification.reason,
        "text": notification.text,
        "because": [str(contact) for contact in notification.because],
        "seen_at": notification.seen_at,
        "deliveries": [
            {
                "at": delivery.sent_at or delivery.delivered_at,
                "channel": delivery.kind,
                "outcome": delivery.state,
            }
            for delivery in notification.deliveries.all()
        ],
    }


class Notifications(OwnerView):
    """What the owner was told."""

    @extend_schema(
        operation_id="notifications_list",
        parameters=[CURSOR, LIMIT],
        responses=page_of(NotificationOut, "Notification"),
    )
    def get(self, request: Request) -> Response:
        """List what the owner was told, the newest first."""
        owner = owner_of(request)
        rows = Notification.objects.for_owner(owner).filter(
            owner=owner, state=NotificationState.TOLD, told_at__isnull=False
        )
        rows = rows.select_related("journey").prefetch_related(
            Prefetch("deliveries", Delivery.objects.order_by("step", "pk"))
        )
        return Response(page(rows, request, by="-told_at", show=show_notification))
