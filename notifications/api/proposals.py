"""What suppliers' orders and bills propose to the owner's things, for apps."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import templating
from assets.choices import AssetKind, IdentifierScheme, PriceKind
from assets.models import Asset
from notifications import acquiring
from owners import clock, doorbell, households
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Owner
from suppliers import proposing
from suppliers.choices import ProposalState
from suppliers.models import Proposal


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets that a proposal may be."""
    return Asset.objects.for_owner(owner)


class ProposedNumber(serializers.Serializer[Any]):
    """What names the thing."""

    scheme = serializers.ChoiceField(choices=IdentifierScheme.choices)
    value = serializers.CharField()


class ProposedLine(serializers.Serializer[Any]):
    """One line of its price; a discount counts as less."""

    kind = serializers.ChoiceField(choices=PriceKind.choices)
    amount = serializers.DecimalField(max_digits=20, decimal_places=2)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the name in JSON


class ProposalOut(serializers.Serializer[Any]):
    """A thing as it would be written down."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    supplier = serializers.UUIDField(allow_null=True)
    contact = serializers.UUIDField(help_text="The first that named it.")
    state = serializers.ChoiceField(choices=ProposalState.choices)
    asset = serializers.UUIDField(allow_null=True, help_text="What it became, or is already.")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=AssetKind.choices)
    template = serializers.CharField()
    maker = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    quantity = serializers.IntegerField()
    identifiers = ProposedNumber(many=True)
    lines = ProposedLine(many=True)
    currency = serializers.CharField(allow_blank=True)
    seller = serializers.CharField(allow_blank=True)
    order_no = serializers.CharField(allow_blank=True)
    ordered_on = serializers.DateField(allow_null=True)
    delivered_on = serializers.DateField(allow_null=True)
    warranty_months = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class ProposalDetailOut(ProposalOut):
    """A thing as it would be written down, and what it may be already."""

    like = serializers.ListField(
        child=serializers.UUIDField(), help_text="Assets that may be this very thing."
    )


class ProposalAcceptIn(serializers.Serializer[Any]):
    """The owner's own words for it, where the order's are not right; all can be left out."""

    name = serializers.CharField(max_length=120, required=False)
    template = serializers.CharField(
        max_length=40, required=False, help_text="One of ours, or of the household's own."
    )
    maker = serializers.CharField(max_length=120, required=False, allow_blank=True)
    model = serializers.CharField(max_length=120, required=False, allow_blank=True)
    place = serializers.CharField(max_length=200, required=False, allow_blank=True)
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    has_care = serializers.BooleanField(
        default=True, help_text="Whether it begins with its usual care."
    )
    asset = Known(my_assets, required=False, help_text="It is this one; nothing is added.")


class AcceptedOut(serializers.Serializer[Any]):
    """What it became."""

    asset = serializers.UUIDField()


def show_proposal(row: Proposal) -> dict[str, Any]:
    """Return a proposal as the API shows it."""
    known = proposing.prefilled(row)
    return {
        "id": str(row.uuid),
        "household": str(row.household.uuid),
        "supplier": str(row.supplier.uuid) if row.supplier else None,
        "contact": str(row.contact.uuid),
        "state": row.state,
        "asset": str(row.asset.uuid) if row.asset and row.asset.removed_at is None else None,
        **{name: known.values[name] for name in SHOWN},
        "identifiers": [{"scheme": scheme, "value": value} for scheme, value in known.identifiers],
        "lines": [
            {"kind": kind, "amount": f"{amount:.2f}", "label": label}
            for kind, amount, label in known.lines
        ],
        "currency": known.currency,
        "seller": known.seller,
        "order_no": row.order_no,
        "ordered_on": row.ordered_on,
        "delivered_on": row.delivered_on,
        "warranty_months": known.warranty_months,
        "created_at": row.created_at,
    }


SHOWN = ("name", "kind", "template", "maker", "model", "quantity")


def refused(error: proposing.ProposalError) -> Problem:
    """Return what cannot be as an answer."""
    return Problem(409, code=error.code, detail=gettext(error.detail))


class Proposals(OwnerView):
    """What is proposed to the owner's things."""

    @listed(
        "proposals_list",
        pages=page_of(ProposalOut, "Proposal"),
        show=show_proposal,
        by="-created_at",
        filters=[filter_of("state", ProposalState), about("household")],
    )
    def get(self, request: Request) -> QuerySet[Proposal]:
        """List what orders and bills propose, the newest first; `state=open` waits for a tap."""
        rows = narrowed(acquiring.mine(owner_of(request)), request, "state", ProposalState)
        return of(rows, request, household="household__uuid")


class OneProposal(OwnerView):
    """One thing that is proposed."""

    @extend_schema(operation_id="proposals_get", responses=ProposalDetailOut)
    def get(self, request: Request, proposal: UUID) -> Response:
        """Return it as it would be written down."""
        row = acquiring.mine(owner_of(request)).get(uuid=proposal)
        like = proposing.alike([row]).get(row.pk, [])
        return Response(show_proposal(row) | {"like": [str(asset.uuid) for asset in like]})


class AcceptProposal(OwnerView):
    """The owner's yes."""

    @extend_schema(
        operation_id="proposals_accept",
        request=ProposalAcceptIn,
        responses=AcceptedOut,
        parameters=[UNDO],
    )
    @once
    def post(self, request: Request, proposal: UUID) -> Response:
        """Add it to the owner's things, or say which of them it is."""
        owner = owner_of(request)
        row = acquiring.mine(owner).get(uuid=proposal)
        households.require(owner=owner, household_id=row.household_id)
        values = dict(checked(ProposalAcceptIn, request))
        asset = values.pop("asset", None)
        has_care = values.pop("has_care")
        if "template" in values:
            known = templating.known_to([row.household])
            if values["template"] not in known:
                text = gettext("There is no such object.")
                raise serializers.ValidationError({"template": [text]}, code="invalid_choice")
            values["kind"] = known[values["template"]].kind
        try:
            added, change = acquiring.accept(
                proposal=row,
                owner=owner,
                now=clock.now(),
                values=values,
                asset=asset,
                has_care=has_care,
            )
        except proposing.ProposalError as error:
            raise refused(error) from error
        doorbell.ring("feed")
        return Response({"asset": str(added.uuid)}, headers=undoable(change))


class DeclineProposal(OwnerView):
    """The owner's no."""

    @extend_schema(
        operation_id="proposals_decline", request=None, responses={204: None}, parameters=[UNDO]
    )
    @once
    def post(self, request: Request, proposal: UUID) -> Response:
        """Say that it is not the owner's, or nothing to look after; nobody is told."""
        owner = owner_of(request)
        row = acquiring.mine(owner).get(uuid=proposal)
        households.require(owner=owner, household_id=row.household_id)
        try:
            change = proposing.decline(proposal=row, owner=owner, now=clock.now())
        except proposing.ProposalError as error:
            raise refused(error) from error
        return Response(status=204, headers=undoable(change))


urlpatterns = [
    path("proposals/", Proposals.as_view(), name="api-proposals"),
    path("proposals/<uuid:proposal>/", OneProposal.as_view(), name="api-proposal"),
    path("proposals/<uuid:proposal>/accept/", AcceptProposal.as_view(), name="proposal-accept"),
    path("proposals/<uuid:proposal>/decline/", DeclineProposal.as_view(), name="proposal-decline"),
]
