"""What ending a mandate does, said before it is ended."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import calendar
from notifications.api.journeys import show_appointment
from notifications.api.shapes import AppointmentOut
from notifications.choices import JourneyState
from notifications.models import Appointment, Journey
from owners import clock
from owners.api.edge import OwnerView, owner_of
from suppliers import mandates
from suppliers.api_v1 import RoleOut, my_mandates
from suppliers.models import OutboundEvent, OutboundState, Role

VISITS_MOST = 100


class PartingOut(serializers.Serializer[Any]):
    """What changes when a mandate ends; it can be taken back for 30 days."""

    alias = serializers.EmailField(help_text="The address that no longer works.")
    visits = AppointmentOut(many=True, help_text="Still booked; ending cancels none.")
    open_journeys = serializers.IntegerField(help_text="They stay, without news from them.")
    waiting_answers = serializers.IntegerField(help_text="Still on their way to them.")
    roles = RoleOut(many=True, help_text="They stay noted.")


class MandateParting(OwnerView):
    """What ending a mandate does."""

    @extend_schema(operation_id="mandates_parting", responses=PartingOut)
    def get(self, request: Request, mandate: UUID) -> Response:
        """Say what ends, what stays and what is still under way."""
        owner, now = owner_of(request), clock.now()
        found = my_mandates(owner).get(uuid=mandate)
        home, supplier = found.household, found.supplier
        visits = Appointment.objects.for_owner(owner).filter(household=home, supplier=supplier)
        coming = visits.filter(over_at=None, end__gt=now).exclude(state__in=calendar.OVER)
        coming = coming.select_related("journey", "supplier")
        running = Journey.objects.for_owner(owner).filter(
            household=home,
            suppliers__contains=[supplier.pk],
            state=JourneyState.OPEN,
            is_emptied=False,
        )
        waiting = OutboundEvent.objects.for_owner(owner).filter(
            mandate=found, state=OutboundState.PENDING
        )
        roles = Role.objects.filter(household=home, supplier=supplier).select_related("asset")
        return Response(
            {
                "alias": mandates.alias_address(found),
                "visits": [show_appointment(row) for row in coming.order_by("start")[:VISITS_MOST]],
                "open_journeys": running.count(),
                "waiting_answers": waiting.count(),
                "roles": [
                    {"asset": str(row.asset.uuid), "kind": row.kind} for row in roles.order_by("pk")
                ],
            }
        )
