"""The owner's answers to suppliers: how each arrived, and another try."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import answers
from notifications.api.shapes import AnswerOut
from owners import clock, doorbell, households
from owners.api.edge import OwnerView, once, owner_of
from owners.api.pages import about, listed, of, page_of
from owners.api.problems import Problem
from owners.models import Household
from suppliers import outbox
from suppliers.models import OutboundEvent
from suppliers.routes import MAIL, SMS, WEBHOOK

WAYS = (WEBHOOK, MAIL, SMS)


class AgainIn(serializers.Serializer[Any]):
    """Another try; by the same way unless one is named."""

    via = serializers.ChoiceField(choices=WAYS, required=False)


class Answers(OwnerView):
    """What the owner said to suppliers."""

    @listed(
        "answers_list",
        pages=page_of(AnswerOut, "Answer"),
        show=answers.row,
        by="-created_at",
        filters=[about("journey")],
    )
    def get(self, request: Request) -> QuerySet[OutboundEvent]:
        """List what was said to suppliers, the newest first."""
        mine = answers.of_households(Household.objects.for_owner(owner_of(request)))
        return of(mine, request, journey="journey")


class SendAnswer(OwnerView):
    """Another try to tell a supplier."""

    @extend_schema(operation_id="answers_send", request=AgainIn, responses=AnswerOut)
    @once
    def post(self, request: Request, answer: UUID) -> Response:
        """Send an answer that did not arrive once more, or by another way."""
        owner, now = owner_of(request), clock.now()
        mine = OutboundEvent.objects.for_owner(owner).filter(type__startswith="owner.")
        event = mine.select_related("supplier", "mandate", "household").get(uuid=answer)
        households.require(owner=owner, household_id=event.household_id or 0)
        given = AgainIn(data=request.data)
        given.is_valid(raise_exception=True)
        via = given.validated_data.get("via")
        try:
            if via:
                outbox.send_by(event=event, via=via, now=now)
            else:
                outbox.send_again(event=event, now=now)
        except outbox.WayError as error:
            raise Problem(409, code="no_such_way", detail="It cannot go out this way.") from error
        transaction.on_commit(partial(doorbell.ring, "outbox"))
        return Response(answers.show(event))
