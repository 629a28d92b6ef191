"""Who is blocked, for apps: what they send is kept, counted and shown to nobody."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import blocking
from notifications.api.actions import ring_after_commit
from owners import clock, households
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.problems import Problem
from owners.choices import Rank
from owners.models import Owner
from suppliers.models import BlockedSender, Contact, Mandate


def my_contacts(owner: Owner) -> QuerySet[Contact]:
    """Return the contacts whose sender may be blocked."""
    return Contact.objects.for_owner(owner)


def my_mandates(owner: Owner) -> QuerySet[Mandate]:
    """Return the mandates whose supplier may be blocked."""
    return Mandate.objects.for_owner(owner).live().select_related("supplier")


class BlockIn(serializers.Serializer[Any]):
    """Whom to block: the sender of a contact at the Door, or a supplier that was let in."""

    contact = Known(my_contacts, required=False)
    mandate = Known(my_mandates, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take exactly one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Name a contact or a mandate.")
        return attrs


class BlockOut(serializers.Serializer[Any]):
    """Somebody who is blocked, and what came from there since."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    name = serializers.CharField()
    address = serializers.CharField(allow_blank=True, help_text="Empty for a supplier.")
    mandate = serializers.UUIDField(allow_null=True)
    blocked_at = serializers.DateTimeField()
    count = serializers.IntegerField(help_text="Contacts kept since, and shown to nobody.")
    last_at = serializers.DateTimeField(allow_null=True)


class BlockList(serializers.Serializer[Any]):
    """Everybody who is blocked."""

    results = BlockOut(many=True)


def show(one: blocking.Blocked) -> dict[str, Any]:
    """Return a block as the API shows it."""
    return {
        "id": str(one.row.uuid),
        "household": str(one.row.household.uuid),
        "name": one.name,
        "address": one.row.address,
        "mandate": str(one.row.mandate.uuid) if one.row.mandate else None,
        "blocked_at": one.row.blocked_at,
        "count": one.count,
        "last_at": one.last_at,
    }


class Blocks(OwnerView):
    """Who is blocked."""

    @extend_schema(operation_id="blocked_list", responses=BlockList)
    def get(self, request: Request) -> Response:
        """List whom the owner's households have blocked, the newest first."""
        return Response(
            {"results": [show(one) for one in blocking.listed(owner=owner_of(request))]}
        )

    @extend_schema(operation_id="blocked_add", request=BlockIn, responses={201: BlockOut})
    @once
    def post(self, request: Request) -> Response:
        """Block a sender at the Door, or a supplier that was let in (for admins)."""
        owner, now = owner_of(request), clock.now()
        given = checked(BlockIn, request)
        if mandate := given.get("mandate"):
            households.require(owner=owner, household_id=mandate.household_id, least=Rank.ADMIN)
            block = blocking.block_supplier(mandate=mandate, owner=owner, now=now)
        else:
            contact = given["contact"]
            households.require(owner=owner, household_id=contact.household_id)
            try:
                block = blocking.block_sender(contact=contact, owner=owner, now=now)
            except blocking.BlockError as error:
                raise Problem(409, code=error.code, detail=error.detail) from error
        (shown,) = blocking.counted([block])
        return Response(show(shown), status=201)


class OneBlock(OwnerView):
    """One block."""

    @extend_schema(operation_id="blocked_remove", responses={204: None})
    @once
    def delete(self, request: Request, block: UUID) -> Response:
        """Take a block back: what came meanwhile is placed as the rules say."""
        owner = owner_of(request)
        found = BlockedSender.objects.for_owner(owner).select_related("mandate").get(uuid=block)
        least = Rank.ADMIN if found.mandate_id else Rank.MEMBER
        households.require(owner=owner, household_id=found.household_id, least=least)
        blocking.unblock(block=found, owner=owner, now=clock.now())
        ring_after_commit()
        return Response(status=204)
