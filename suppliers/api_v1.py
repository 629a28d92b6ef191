"""The suppliers' side of the owners' API: who serves the household, and what it allows them."""

from typing import Any
from uuid import UUID

import phonenumbers
from django.db.models import Prefetch, Q, QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import Asset
from owners import clock, households, undo
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from owners.models import Household, Owner
from suppliers import mandates
from suppliers.choices import FactName, MandateState, Purpose, RoleKind
from suppliers.models import (
    Mandate,
    Role,
    Supplier,
    SupplierDomain,
    SupplierNumber,
)

CHOSEN_STATES = [(state.value, state.label) for state in (MandateState.ACTIVE, MandateState.PAUSED)]


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households a mandate may be given for."""
    return Household.objects.for_owner(owner)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets a mandate may cover."""
    return Asset.objects.for_owner(owner)


class NumberField(serializers.CharField):
    """A phone number with its country."""

    default_error_messages = {"number": "Write the number with its country: +1 212 …"}

    def to_internal_value(self, data: Any) -> str:
        """Return the number as E.164."""
        try:
            number = phonenumbers.parse(str(super().to_internal_value(data)), None)
        except phonenumbers.NumberParseException:
            self.fail("number")
        if not phonenumbers.is_possible_number(number):
            self.fail("number")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class SupplierIn(serializers.Serializer[Any]):
    """A supplier that Steward does not know yet, with the mandate it gets."""

    household = Known(my_households)
    name = serializers.CharField(max_length=120)
    domains = serializers.ListField(
        child=serializers.RegexField(r"^[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$", max_length=253),
        required=False,
        max_length=20,
    )
    numbers = serializers.ListField(child=NumberField(max_length=40), required=False, max_length=20)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.choices), required=False, max_length=4
    )
    assets = serializers.ListField(child=Known(my_assets), required=False, max_length=500)


class RoleOut(serializers.Serializer[Any]):
    """What a supplier is for one asset."""

    asset = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=RoleKind.choices)


class SupplierOut(serializers.Serializer[Any]):
    """An organisation that serves the household."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    is_verified = serializers.BooleanField()
    domains = serializers.ListField(child=serializers.CharField())
    numbers = serializers.ListField(child=serializers.CharField())
    roles = RoleOut(many=True)


def show_supplier(supplier: Supplier) -> dict[str, Any]:
    """Return a supplier as one owner sees it."""
    return {
        "id": str(supplier.uuid),
        "code": supplier.code,
        "name": supplier.name,
        "is_verified": supplier.verified_at is not None,
        "domains": sorted({row.domain for row in supplier.domains.all()}),
        "numbers": sorted({row.number for row in supplier.numbers.all()}),
        "roles": [
            {"asset": str(row.asset.uuid), "kind": row.kind}
            for row in sorted(supplier.roles.all(), key=lambda row: row.pk)
        ],
    }


def seen_by(rows: QuerySet[Supplier], owner: Owner) -> QuerySet[Supplier]:
    """Return suppliers with what is proved or noted by the owner's own households."""
    mine = Q(household=None) | Q(household__memberships__owner=owner)
    roles = Role.objects.filter(household__memberships__owner=owner).select_related("asset")
    return rows.prefetch_related(
        Prefetch("domains", SupplierDomain.objects.filter(mine)),
        Prefetch("numbers", SupplierNumber.objects.filter(mine)),
        Prefetch("roles", roles),
    )


class Suppliers(OwnerView):
    """The suppliers of the owner."""

    @listed(
        "suppliers_list",
        pages=page_of(SupplierOut, "Supplier"),
        show=show_supplier,
        by="name",
        is_time=False,
        filters=[
            OpenApiParameter(
                "q", OpenApiTypes.STR, description="Also look among all verified suppliers."
            )
        ],
    )
    def get(self, request: Request) -> QuerySet[Supplier]:
        """List the owner's suppliers; with `q`, those that may be given a mandate."""
        owner = owner_of(request)
        wanted = request.query_params.get("q", "").replace("\x00", "")[:120]
        if wanted:
            rows = mandates.choosable(owner).filter(name__icontains=wanted)
        else:
            rows = Supplier.objects.filter(pk__in=Supplier.objects.for_owner(owner).values("pk"))
        return seen_by(rows, owner)

    @extend_schema(
        operation_id="suppliers_note",
        parameters=[UNDO],
        request=SupplierIn,
        responses={201: SupplierOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Note a supplier that Steward does not know, and give it a mandate; for admins."""
        owner = owner_of(request)
        values = checked(SupplierIn, request)
        household = values.pop("household")
        households.require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
        if "purposes" in values:
            values["purposes"] = [Purpose(name) for name in dict.fromkeys(values["purposes"])]
        try:
            mandate = mandates.note_supplier(
                household=household, owner=owner, now=clock.now(), **values
            )
        except mandates.MandateError as error:
            raise problem(error) from error
        change = undo.latest(kind=mandates.GRANTED, subject=mandate.uuid)
        shown = seen_supplier(owner, mandate.supplier.uuid)
        return Response(shown, status=201, headers=undoable(change))


class OneSupplier(OwnerView):
    """One supplier."""

    @extend_schema(operation_id="suppliers_get", responses=SupplierOut)
    def get(self, request: Request, supplier: UUID) -> Response:
        """Return one supplier that the owner has or may give a mandate."""
        return Response(seen_supplier(owner_of(request), supplier))


def seen_supplier(owner: Owner, supplier: UUID) -> dict[str, Any]:
    """Return a supplier that the owner has or may give a mandate, as the owner sees it."""
    return show_supplier(seen_by(mandates.choosable(owner), owner).get(uuid=supplier))


class MandateChange(serializers.Serializer[Any]):
    """What may change about a mandate."""

    state = serializers.ChoiceField(choices=CHOSEN_STATES, required=False)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.choices), required=False, max_length=4
    )
    assets = serializers.ListField(child=Known(my_assets), required=False, max_length=500)
    facts = serializers.ListField(
        child=serializers.ChoiceField(choices=FactName.choices), required=False, max_length=8
    )


class MandateIn(serializers.Serializer[Any]):
    """A new mandate."""

    household = Known(my_households)
    supplier = Known(mandates.choosable)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.choices), required=False, max_length=4
    )
    assets = serializers.ListField(child=Known(my_assets), required=False, max_length=500)
    facts = serializers.ListField(
        child=serializers.ChoiceField(choices=FactName.choices), required=False, max_length=8
    )


class MandateOut(serializers.Serializer[Any]):
    """The household's permission for one supplier."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    supplier = serializers.UUIDField()
    state = serializers.ChoiceField(choices=MandateState.choices)
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices))
    assets = serializers.ListField(child=serializers.UUIDField())
    facts = serializers.ListField(
        child=serializers.ChoiceField(choices=FactName.choices),
        help_text="What the supplier may know besides the names of the assets.",
    )
    owner_ref = serializers.CharField(help_text="How this supplier, and no other, names you.")
    alias = serializers.EmailField(help_text="Where this supplier writes to.")
    granted_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    alias_leaks = serializers.IntegerField(
        help_text="Mails to the alias by somebody else than the supplier."
    )
    alias_leaked_at = serializers.DateTimeField(allow_null=True, help_text="The last of them.")


def show_mandate(mandate: Mandate) -> dict[str, Any]:
    """Return a mandate as the API shows it."""
    counted: Any = mandate  # by `with_leaks`
    return {
        "id": str(mandate.uuid),
        "household": str(mandate.household.uuid),
        "supplier": str(mandate.supplier.uuid),
        "state": mandate.state,
        "purposes": mandate.purposes,
        "assets": [str(asset.uuid) for asset in mandate.assets.all()],
        "facts": mandate.facts,
        "owner_ref": mandate.owner_ref,
        "alias": mandates.alias_address(mandate),
        "granted_at": mandate.granted_at,
        "ended_at": mandate.ended_at,
        "alias_leaks": counted.leaks,
        "alias_leaked_at": counted.leaked_at,
    }


def my_mandates(owner: Owner) -> QuerySet[Mandate]:
    """Return the owner's mandates with all that `show_mandate` reads."""
    rows = Mandate.objects.for_owner(owner).with_leaks().select_related("household", "supplier")
    return rows.prefetch_related(Prefetch("assets", Asset.objects.order_by("pk")))


class Mandates(OwnerView):
    """The owner's mandates."""

    @listed(
        "mandates_list",
        pages=page_of(MandateOut, "Mandate"),
        show=show_mandate,
        by="-granted_at",
        filters=[filter_of("state", MandateState), about("household"), about("supplier")],
    )
    def get(self, request: Request) -> QuerySet[Mandate]:
        """List the owner's mandates, the newest first."""
        rows = narrowed(my_mandates(owner_of(request)), request, "state", MandateState)
        return of(rows, request, household="household__uuid", supplier="supplier__uuid")

    @extend_schema(
        operation_id="mandates_grant",
        parameters=[UNDO],
        request=MandateIn,
        responses={201: MandateOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Give a supplier a mandate; for admins."""
        owner = owner_of(request)
        values = checked(MandateIn, request)
        households.require(owner=owner, household_id=values["household"].pk, least=Rank.ADMIN)
        if "purposes" in values:
            values["purposes"] = [Purpose(name) for name in dict.fromkeys(values["purposes"])]
        values["facts"] = [FactName(name) for name in values.get("facts", ())]
        try:
            mandate = mandates.grant(owner=owner, now=clock.now(), **values)
        except mandates.MandateError as error:
            raise problem(error) from error
        change = undo.latest(kind=mandates.GRANTED, subject=mandate.uuid)
        shown = show_mandate(my_mandates(owner).get(pk=mandate.pk))
        return Response(shown, status=201, headers=undoable(change))


def wanted(values: dict[str, Any]) -> dict[str, Any]:
    """Return a change as the operations take it; what is not given is None."""
    state, purposes, facts = (values.get(name) for name in ("state", "purposes", "facts"))
    return {
        "state": MandateState(state) if state else None,
        "purposes": None if purposes is None else [Purpose(name) for name in purposes],
        "assets": values.get("assets"),
        "facts": None if facts is None else [FactName(name) for name in facts],
    }


class OneMandate(OwnerView):
    """One mandate."""

    @extend_schema(operation_id="mandates_get", responses=MandateOut)
    def get(self, request: Request, mandate: UUID) -> Response:
        """Return one mandate."""
        return Response(show_mandate(my_mandates(owner_of(request)).get(uuid=mandate)))

    @extend_schema(
        operation_id="mandates_change",
        parameters=[UNDO],
        request=MandateChange,
        responses=MandateOut,
    )
    @once
    def patch(self, request: Request, mandate: UUID) -> Response:
        """Change what a mandate allows, pause or resume it; for admins."""
        owner = owner_of(request)
        found = self._of_admin(owner, mandate)
        values = wanted(checked(MandateChange, request))
        try:
            change = mandates.change(mandate=found, owner=owner, now=clock.now(), **values)
        except mandates.MandateError as error:
            raise problem(error) from error
        shown = show_mandate(my_mandates(owner).get(pk=found.pk))
        return Response(shown, headers=undoable(change))

    @extend_schema(operation_id="mandates_end", parameters=[UNDO], responses=MandateOut)
    @once
    def delete(self, request: Request, mandate: UUID) -> Response:
        """End a mandate; for admins. It stays in the list, ended."""
        owner = owner_of(request)
        found = self._of_admin(owner, mandate)
        change = mandates.end(mandate=found, owner=owner, now=clock.now())
        shown = show_mandate(my_mandates(owner).get(pk=found.pk))
        return Response(shown, headers=undoable(change))

    def _of_admin(self, owner: Owner, mandate: UUID) -> Mandate:
        found = my_mandates(owner).get(uuid=mandate)
        households.require(owner=owner, household_id=found.household_id, least=Rank.ADMIN)
        return found


def problem(error: mandates.MandateError) -> Exception:
    """Return a refused mandate as an answer."""
    if error.field:
        return serializers.ValidationError({error.field: [error.detail]}, code=error.code)
    return Problem(409, code=error.code, detail=error.detail)


urlpatterns = [
    path("suppliers/", Suppliers.as_view(), name="suppliers"),
    path("suppliers/<uuid:supplier>/", OneSupplier.as_view(), name="supplier"),
    path("mandates/", Mandates.as_view(), name="mandates"),
    path("mandates/<uuid:mandate>/", OneMandate.as_view(), name="mandate"),
]
