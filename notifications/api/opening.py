"""What an owner opens with a supplier, for apps."""

import uuid
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import Asset
from notifications import opening
from notifications.api.actions import WindowIn, plain
from owners import clock, doorbell, households
from owners.api.edge import KEY_HEADER, Known, OwnerView, checked, once, owner_of
from owners.api.problems import Problem
from owners.choices import Rank
from owners.models import Household, Owner
from suppliers.api_v1 import my_mandates
from suppliers.models import Mandate


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets a matter may be about."""
    return Asset.objects.for_owner(owner).select_related("household")


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households a matter may be of."""
    return Household.objects.for_owner(owner)


def may_hear(owner: Owner) -> QuerySet[Mandate]:
    """Return the mandates by which a supplier may hear of a matter."""
    return opening.mandates_for(owner)


class StartIn(serializers.Serializer[Any]):
    """A matter in the owner's words; without a mandate it is only noted."""

    text = serializers.CharField(max_length=opening.LONGEST)
    household = Known(my_households, required=False)
    asset = Known(my_assets, allow_null=True, required=False)
    mandate = Known(may_hear, allow_null=True, required=False)
    windows = serializers.ListField(
        child=WindowIn(), required=False, max_length=3, help_text="Times that would suit."
    )


class OpenedOut(serializers.Serializer[Any]):
    """What was opened; its journey stands a moment later."""

    id = serializers.UUIDField(help_text="The journey.")
    contact = serializers.UUIDField(help_text="Take it back by its action `take_back`.")
    is_sent = serializers.BooleanField(help_text="Whether a supplier is told.")
    due = serializers.DateField(allow_null=True, help_text="Until when they have to answer.")


class DataRequestIn(serializers.Serializer[Any]):
    """What they hold about the household, or to delete it."""

    kind = serializers.ChoiceField(choices=sorted(opening.ARTICLES))


def shown(opened: opening.Opened) -> Response:
    """Return what was opened, and wake whoever reads it."""
    transaction.on_commit(partial(doorbell.ring, "inbox"))
    body = {
        "id": str(opened.journey),
        "contact": str(opened.contact),
        "is_sent": opened.is_sent,
        "due": opened.due.isoformat() if opened.due else None,
    }
    return Response(body, status=202)


def start(request: Request) -> Response:
    """Open a matter from what was sent. Raises Problem where it cannot be opened."""
    owner, now = owner_of(request), clock.now()
    values = checked(StartIn, request)
    asset, mandate = values.get("asset"), values.get("mandate")
    named: Household | None = values.get("household")
    home = asset or mandate
    household = named or (home.household if home else households.ensure_first(owner=owner, now=now))
    households.require(owner=owner, household_id=household.pk)
    try:
        opened = opening.start(
            owner=owner,
            household=household,
            text=values["text"],
            asset=asset,
            mandate=mandate,
            windows=plain({"windows": values.get("windows", [])})["windows"],
            key=request.headers.get(KEY_HEADER) or str(uuid.uuid4()),
            now=now,
        )
    except opening.OpeningError as error:
        raise Problem(409, code=error.code, detail=error.detail) from error
    return shown(opened)


class DataRequests(OwnerView):
    """Requests about personal data to one supplier."""

    @extend_schema(
        operation_id="mandates_data_request", request=DataRequestIn, responses={202: OpenedOut}
    )
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Ask what the supplier holds (`access`), or to delete it (`erasure`)."""
        owner, now = owner_of(request), clock.now()
        found = my_mandates(owner).live().get(uuid=mandate)  # type: ignore[attr-defined]  # of its query set
        households.require(owner=owner, household_id=found.household_id, least=Rank.ADMIN)
        opened = opening.ask_for_data(
            owner=owner,
            mandate=found,
            kind=checked(DataRequestIn, request)["kind"],
            key=request.headers.get(KEY_HEADER) or str(uuid.uuid4()),
            now=now,
        )
        return shown(opened)
