"""Journeys for apps, and what stands on them: appointments, surveys, notifications."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import calling, feed, journeys, reasons
from notifications.api import opening
from notifications.api.shapes import (
    AppointmentOut,
    JourneyOut,
    JourneyRow,
    MessageOut,
    NotificationOut,
    SurveyOut,
)
from notifications.choices import (
    AppointmentState,
    DeliveryPurpose,
    JourneyState,
    NotificationState,
    SurveyState,
    Turn,
)
from notifications.models import Appointment, Decision, Delivery, Journey, Notification, Survey
from owners import clock
from owners.api.edge import OwnerView, once, owner_of
from owners.api.pages import (
    CURSOR,
    LIMIT,
    about,
    cut,
    filter_of,
    listed,
    narrowed,
    of,
    page_of,
)
from owners.choices import ChannelKind
from owners.models import Owner
from suppliers.models import Supplier

DECISIONS_MOST = 50


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


def supplier_ids(rows: Iterable[Journey]) -> dict[int, str]:
    """Return the public ids of everybody who serves one of these journeys."""
    wanted = {pk for journey in rows for pk in journey.suppliers}
    pairs = Supplier.objects.filter(pk__in=wanted).values_list("pk", "uuid")
    return {pk: str(key) for pk, key in pairs}


class Journeys(OwnerView):
    """The owner's journeys."""

    @extend_schema(
        operation_id="journeys_list",
        parameters=[
            CURSOR,
            LIMIT,
            filter_of("state", JourneyState),
            filter_of("turn", Turn),
            about("household"),
            about("asset"),
            about("supplier"),
        ],
        responses=page_of(JourneyRow, "Journey"),
    )
    def get(self, request: Request) -> Response:
        """List the owner's journeys, the newest word first."""
        owner = owner_of(request)
        rows = Journey.objects.for_owner(owner).filter(is_emptied=False)
        rows = rows.select_related("household", "asset")
        rows = narrowed(rows, request, "state", JourneyState)
        rows = narrowed(rows, request, "turn", Turn)
        rows = of(rows, request, household="household__uuid", asset="asset__uuid")
        if request.query_params.get("supplier"):
            served = of(Supplier.objects.for_owner(owner), request, supplier="uuid")
            rows = rows.filter(suppliers__overlap=list(served.values_list("pk", flat=True)))
        found, following = cut(rows, request, by="-last_said_at")
        suppliers = supplier_ids(found)
        return Response(
            {"next": following, "results": [show_journey(row, suppliers) for row in found]}
        )

    @extend_schema(
        operation_id="journeys_start", request=opening.StartIn, responses={202: opening.OpenedOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Open a matter; its supplier hears of it ten seconds later, until then take it back."""
        return opening.start(request)


class OneJourney(OwnerView):
    """One journey."""

    @extend_schema(operation_id="journeys_get", responses=JourneyOut)
    def get(self, request: Request, journey: UUID) -> Response:
        """Return one journey: contacts with outcomes, facts with sources, what one can do."""
        owner = owner_of(request)
        rows = Journey.objects.for_owner(owner).select_related("household", "card")
        return Response(show_whole(rows.get(uuid=journey), owner))


class JourneyLook(OwnerView):
    """A look at one journey."""

    @extend_schema(operation_id="journeys_looked", request=None, responses={204: None})
    @once
    def post(self, request: Request, journey: UUID) -> Response:
        """The owner looks at it: what was told of it is seen, and no further channel is tried."""
        found = Journey.objects.for_owner(owner_of(request)).get(uuid=journey)
        feed.looked_at(found, now=clock.now())
        return Response(status=204)


def show_whole(journey: Journey, owner: Owner) -> dict[str, Any]:
    """Return a journey as its page has it: its report, the way to its card, whom to call."""
    call = calling.card_of(journey=journey)
    live = Decision.objects.for_owner(owner).filter(journey=journey, revoked_at=None)
    decisions = live.exclude(name="undo").select_related("owner", "contact")
    return {
        **journeys.describe(journey, now=clock.now()),
        "household": str(journey.household.uuid),
        "card": str(journey.card.uuid) if hasattr(journey, "card") else None,
        "call": call and {"who": call.who, "number": call.number, "reference": call.reference},
        "decisions": [
            {
                "id": str(row.uuid),
                "name": row.name,
                "by": str(row.owner.uuid) if row.owner else None,
                "contact": str(row.contact.uuid) if row.contact else None,
                "data": row.data,
                "at": row.decided_at,
            }
            for row in decisions.order_by("-decided_at", "-pk")[:DECISIONS_MOST]
        ],
        "untold": [
            {"topic": one.topic, "because": one.because, "why": one.why}
            for one in journeys.untold_of(journey, owner)
        ],
    }


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

    @listed(
        "appointments_list",
        pages=page_of(AppointmentOut, "Appointment"),
        show=show_appointment,
        by="-pk",
        is_time=False,
        filters=[
            filter_of("state", AppointmentState),
            about("household"),
            about("journey"),
            about("supplier"),
        ],
    )
    def get(self, request: Request) -> QuerySet[Appointment]:
        """List the owner's appointments, the last noted first."""
        rows = Appointment.objects.for_owner(owner_of(request))
        rows = rows.select_related("journey", "supplier")
        rows = of(
            rows,
            request,
            household="household__uuid",
            journey="journey__uuid",
            supplier="supplier__uuid",
        )
        return narrowed(rows, request, "state", AppointmentState)


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

    @listed(
        "surveys_list",
        pages=page_of(SurveyOut, "Survey"),
        show=show_survey,
        by="-requested_at",
        filters=[filter_of("state", SurveyState)],
    )
    def get(self, request: Request) -> QuerySet[Survey]:
        """List what suppliers asked about, the newest first; rated through the card."""
        rows = Survey.objects.for_owner(owner_of(request))
        rows = rows.select_related("journey", "supplier", "contact")
        return narrowed(rows, request, "state", SurveyState)


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
        "why": reasons.of_told(notification.why),
        "deliveries": [
            {
                "at": delivery.sent_at or delivery.delivered_at,
                "channel": delivery.kind,
                "outcome": delivery.state,
            }
            for delivery in notification.deliveries.all()
        ],
    }


def show_delivery(delivery: Delivery) -> dict[str, Any]:
    """Return what went out as its reader got it."""
    return {
        "id": str(delivery.uuid),
        "at": delivery.sent_at or delivery.created_at,
        "channel": delivery.kind,
        "to": delivery.channel.hint if delivery.channel else "",
        "purpose": delivery.purpose,
        "subject": delivery.subject,
        "text": delivery.text,
        "outcome": delivery.state,
        "notification": str(delivery.notification.uuid) if delivery.notification else None,
    }


class Deliveries(OwnerView):
    """What went out."""

    @listed(
        "deliveries_list",
        pages=page_of(MessageOut, "Message"),
        show=show_delivery,
        by="-pk",
        is_time=False,
        filters=[filter_of("channel", ChannelKind)],
    )
    def get(self, request: Request) -> QuerySet[Delivery]:
        """List what was sent to the owner, the newest first; never a code."""
        owner = owner_of(request)
        rows = Delivery.objects.for_owner(owner).filter(owner=owner)
        rows = rows.exclude(kind=ChannelKind.FEED).exclude(purpose=DeliveryPurpose.CODE)
        rows = narrowed(rows, request, "channel", ChannelKind, field="kind")
        return rows.select_related("channel", "notification")


class Notifications(OwnerView):
    """What the owner was told."""

    @listed(
        "notifications_list",
        pages=page_of(NotificationOut, "Notification"),
        show=show_notification,
        by="-told_at",
        filters=[about("journey")],
    )
    def get(self, request: Request) -> QuerySet[Notification]:
        """List what the owner was told, the newest first."""
        owner = owner_of(request)
        rows = Notification.objects.for_owner(owner).filter(
            owner=owner, state=NotificationState.TOLD, told_at__isnull=False
        )
        rows = of(rows, request, journey="journey__uuid")
        return rows.select_related("journey").prefetch_related(
            Prefetch("deliveries", Delivery.objects.order_by("step", "pk"))
        )
