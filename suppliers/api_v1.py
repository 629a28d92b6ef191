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
from owners import clock, households
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.pages import CURSOR, LIMIT, page, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from owners.models import Household, Owner
from suppliers import keys, mandates, particulars, secrets
from suppliers.choices import MandateState, Purpose, RoleKind
from suppliers.forms import ParticularForm
from suppliers.models import (
    Mandate,
    Role,
    Supplier,
    SupplierDomain,
    SupplierKey,
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

    @extend_schema(
        operation_id="suppliers_list",
        parameters=[
            CURSOR,
            LIMIT,
            OpenApiParameter(
                "q", OpenApiTypes.STR, description="Also look among all verified suppliers."
            ),
        ],
        responses=page_of(SupplierOut, "Supplier"),
    )
    def get(self, request: Request) -> Response:
        """List the owner's suppliers; with `q`, those that may be given a mandate."""
        owner = owner_of(request)
        wanted = request.query_params.get("q", "").replace("\x00", "")[:120]
        if wanted:
            rows = mandates.choosable(owner).filter(name__icontains=wanted)
        else:
            rows = Supplier.objects.filter(pk__in=Supplier.objects.for_owner(owner).values("pk"))
        return Response(
            page(seen_by(rows, owner), request, by="name", show=show_supplier, is_time=False)
        )

    @extend_schema(operation_id="suppliers_note", request=SupplierIn, responses={201: SupplierOut})
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
        return Response(_one(owner, mandate.supplier.uuid), status=201)


class OneSupplier(OwnerView):
    """One supplier."""

    @extend_schema(operation_id="suppliers_get", responses=SupplierOut)
    def get(self, request: Request, supplier: UUID) -> Response:
        """Return one supplier that the owner has or may give a mandate."""
        return Response(_one(owner_of(request), supplier))


def _one(owner: Owner, supplier: UUID) -> dict[str, Any]:
    return show_supplier(seen_by(mandates.choosable(owner), owner).get(uuid=supplier))


class MandateChange(serializers.Serializer[Any]):
    """What may change about a mandate."""

    state = serializers.ChoiceField(choices=CHOSEN_STATES, required=False)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.choices), required=False, max_length=4
    )
    assets = serializers.ListField(child=Known(my_assets), required=False, max_length=500)


class MandateIn(serializers.Serializer[Any]):
    """A new mandate."""

    household = Known(my_households)
    supplier = Known(mandates.choosable)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.choices), required=False, max_length=4
    )
    assets = serializers.ListField(child=Known(my_assets), required=False, max_length=500)


class MandateOut(serializers.Serializer[Any]):
    """The household's permission for one supplier."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    supplier = serializers.UUIDField()
    state = serializers.ChoiceField(choices=MandateState.choices)
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices))
    assets = serializers.ListField(child=serializers.UUIDField())
    owner_ref = serializers.CharField(help_text="How this supplier, and no other, names you.")
    alias = serializers.EmailField(help_text="Where this supplier writes to.")
    granted_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


def show_mandate(mandate: Mandate) -> dict[str, Any]:
    """Return a mandate as the API shows it."""
    return {
        "id": str(mandate.uuid),
        "household": str(mandate.household.uuid),
        "supplier": str(mandate.supplier.uuid),
        "state": mandate.state,
        "purposes": mandate.purposes,
        "assets": [str(asset.uuid) for asset in mandate.assets.all()],
        "owner_ref": mandate.owner_ref,
        "alias": mandates.alias_address(mandate),
        "granted_at": mandate.granted_at,
        "ended_at": mandate.ended_at,
    }


def my_mandates(owner: Owner) -> QuerySet[Mandate]:
    """Return the owner's mandates with all that `show_mandate` reads."""
    rows = Mandate.objects.for_owner(owner).select_related("household", "supplier")
    return rows.prefetch_related(Prefetch("assets", Asset.objects.order_by("pk")))


class Mandates(OwnerView):
    """The owner's mandates."""

    @extend_schema(
        operation_id="mandates_list",
        parameters=[CURSOR, LIMIT],
        responses=page_of(MandateOut, "Mandate"),
    )
    def get(self, request: Request) -> Response:
        """List the owner's mandates, the newest first."""
        rows = my_mandates(owner_of(request))
        return Response(page(rows, request, by="-granted_at", show=show_mandate))

    @extend_schema(operation_id="mandates_grant", request=MandateIn, responses={201: MandateOut})
    @once
    def post(self, request: Request) -> Response:
        """Give a supplier a mandate; for admins."""
        owner = owner_of(request)
        values = checked(MandateIn, request)
        households.require(owner=owner, household_id=values["household"].pk, least=Rank.ADMIN)
        if "purposes" in values:
            values["purposes"] = [Purpose(name) for name in dict.fromkeys(values["purposes"])]
        try:
            mandate = mandates.grant(owner=owner, now=clock.now(), **values)
        except mandates.MandateError as error:
            raise problem(error) from error
        return Response(show_mandate(my_mandates(owner).get(pk=mandate.pk)), status=201)


class OneMandate(OwnerView):
    """One mandate."""

    @extend_schema(operation_id="mandates_get", responses=MandateOut)
    def get(self, request: Request, mandate: UUID) -> Response:
        """Return one mandate."""
        return Response(show_mandate(my_mandates(owner_of(request)).get(uuid=mandate)))

    @extend_schema(operation_id="mandates_change", request=MandateChange, responses=MandateOut)
    @once
    def patch(self, request: Request, mandate: UUID) -> Response:
        """Change what a mandate allows, pause or resume it; for admins."""
        owner = owner_of(request)
        found = self._of_admin(owner, mandate)
        values = checked(MandateChange, request)
        state, purposes = values.get("state"), values.get("purposes")
        try:
            mandates.change(
                mandate=found,
                state=MandateState(state) if state else None,
                purposes=None if purposes is None else [Purpose(name) for name in purposes],
                assets=values.get("assets"),
                owner=owner,
                now=clock.now(),
            )
        except mandates.MandateError as error:
            raise problem(error) from error
        return Response(show_mandate(my_mandates(owner).get(pk=found.pk)))

    @extend_schema(operation_id="mandates_end", responses=MandateOut)
    @once
    def delete(self, request: Request, mandate: UUID) -> Response:
        """End a mandate; for admins. It stays in the list, ended."""
        owner = owner_of(request)
        found = self._of_admin(owner, mandate)
        mandates.end(mandate=found, owner=owner, now=clock.now())
        return Response(show_mandate(my_mandates(owner).get(pk=found.pk)))

    def _of_admin(self, owner: Owner, mandate: UUID) -> Mandate:
        found = my_mandates(owner).get(uuid=mandate)
        households.require(owner=owner, household_id=found.household_id, least=Rank.ADMIN)
        return found


def problem(error: mandates.MandateError) -> Exception:
    """Return a refused mandate as an answer."""
    if error.field:
        return serializers.ValidationError({error.field: [error.detail]}, code=error.code)
    return Problem(409, code=error.code, detail=error.detail)


class ParticularIn(serializers.Serializer[Any]):
    """What a household notes of a supplier; it counts for this household only."""

    kind = serializers.ChoiceField(choices=["name", "number", "domain"])
    value = serializers.CharField(max_length=253)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring the value into the form in which it is compared."""
        form = ParticularForm(attrs)
        if not form.is_valid():
            texts = [str(text) for text in form.errors.get("value") or []]
            raise serializers.ValidationError({"value": texts})
        return {"kind": attrs["kind"], "value": form.cleaned_data["value"]}


class RoleIn(serializers.Serializer[Any]):
    """What a supplier is for one asset."""

    asset = Known(my_assets)
    kind = serializers.ChoiceField(choices=RoleKind.choices)


class MadeSecretOut(serializers.Serializer[Any]):
    """A secret or key in the clear: shown in this answer and never again."""

    value = serializers.CharField()


class KeyIn(serializers.Serializer[Any]):
    """A new key of the supplier's own API."""

    name = serializers.CharField(max_length=80, allow_blank=True, required=False)


class KeyOut(serializers.Serializer[Any]):
    """A key of the supplier's own API, without its token."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class EndpointIn(serializers.Serializer[Any]):
    """Where Steward's events go; empty stops them."""

    url = serializers.URLField(max_length=500, allow_blank=True)


class OfAdmin(OwnerView):
    """What belongs to one live mandate; changed by admins, and by no token."""

    is_sensitive = True

    def mandate_of(self, request: Request, mandate: UUID) -> Mandate:
        """Return the mandate when the caller may change it."""
        owner = owner_of(request)
        found = my_mandates(owner).live().get(uuid=mandate)  # type: ignore[attr-defined]  # of its query set
        households.require(owner=owner, household_id=found.household_id, least=Rank.ADMIN)
        return found  # type: ignore[no-any-return]  # of its query set

    def speaking(self, request: Request, mandate: UUID) -> Mandate:
        """Return the mandate when its household speaks for the supplier."""
        found = self.mandate_of(request, mandate)
        if not secrets.may_manage(household=found.household, supplier=found.supplier):
            raise Problem(403, code="not_yours", detail="Only the supplier itself changes this.")
        return found


class MandateParticulars(OfAdmin):
    """Names, numbers and domains as this household knows them."""

    @extend_schema(operation_id="mandates_note", request=ParticularIn, responses={201: SupplierOut})
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Note a name, number or domain of the supplier; for admins."""
        found = self.mandate_of(request, mandate)
        values = checked(ParticularIn, request)
        try:
            particulars.note(household=found.household, supplier=found.supplier, **values)
        except particulars.ParticularError as error:
            raise Problem(409, code="enough", detail=str(error)) from error
        return Response(_one(owner_of(request), found.supplier.uuid), status=201)

    @extend_schema(operation_id="mandates_forget", request=ParticularIn, responses=SupplierOut)
    @once
    def delete(self, request: Request, mandate: UUID) -> Response:
        """Forget what this household noted; what is proved stays. For admins."""
        found = self.mandate_of(request, mandate)
        values = checked(ParticularIn, request)
        particulars.forget(household=found.household, supplier=found.supplier, **values)
        return Response(_one(owner_of(request), found.supplier.uuid))


class MandateRoles(OfAdmin):
    """What the supplier is for the household's assets."""

    @extend_schema(operation_id="mandates_role", request=RoleIn, responses={201: SupplierOut})
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Note a role; for admins."""
        found = self.mandate_of(request, mandate)
        values = checked(RoleIn, request)
        if values["asset"].household_id != found.household_id:
            raise serializers.ValidationError(
                {"asset": [Known.default_error_messages["unknown"]]}, code="unknown"
            )
        kind = RoleKind(values["kind"])
        particulars.give_role(asset=values["asset"], supplier=found.supplier, kind=kind)
        return Response(_one(owner_of(request), found.supplier.uuid), status=201)

    @extend_schema(operation_id="mandates_role_take", request=RoleIn, responses=SupplierOut)
    @once
    def delete(self, request: Request, mandate: UUID) -> Response:
        """Take a role away; it can be put back for 30 days. For admins."""
        owner = owner_of(request)
        found = self.mandate_of(request, mandate)
        values = checked(RoleIn, request)
        mine = Role.objects.filter(household=found.household, supplier=found.supplier)
        role = mine.filter(asset=values["asset"], kind=values["kind"]).first()
        if role is not None:
            particulars.take_role(role=role, owner=owner, now=clock.now())
        return Response(_one(owner, found.supplier.uuid))


class MandateSecret(OfAdmin):
    """The signing secret, where the household speaks for the supplier."""

    @extend_schema(operation_id="mandates_secret", request=None, responses={201: MadeSecretOut})
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Make a new signing secret; older ones work for another 24 hours. For admins."""
        found = self.speaking(request, mandate)
        made = secrets.rotate(
            household=found.household,
            supplier=found.supplier,
            owner=owner_of(request),
            now=clock.now(),
        )
        return Response({"value": made.value}, status=201)


class MandateEndpoint(OfAdmin):
    """Where Steward's own events go, where the household speaks for the supplier."""

    @extend_schema(operation_id="mandates_endpoint", request=EndpointIn, responses=MadeSecretOut)
    @once
    def put(self, request: Request, mandate: UUID) -> Response:
        """Set the address and get the new secret of what is sent there. For admins."""
        found = self.speaking(request, mandate)
        url = checked(EndpointIn, request)["url"]
        value = secrets.set_endpoint(
            household=found.household,
            supplier=found.supplier,
            url=url,
            owner=owner_of(request),
            now=clock.now(),
        )
        return Response({"value": value})


class MandateKeys(OfAdmin):
    """Keys of the supplier's own API, where the household speaks for it."""

    @extend_schema(operation_id="mandates_keys", responses=KeyOut(many=True))
    def get(self, request: Request, mandate: UUID) -> Response:
        """List the live keys, at most a hundred; none where the supplier keeps its own."""
        found = self.mandate_of(request, mandate)
        if not secrets.may_manage(household=found.household, supplier=found.supplier):
            return Response([])
        rows = SupplierKey.objects.live().filter(supplier=found.supplier).order_by("pk")[:100]
        return Response([show_key(row) for row in rows])

    @extend_schema(operation_id="mandates_key", request=KeyIn, responses={201: MadeSecretOut})
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Make a key and get its token. For admins."""
        found = self.speaking(request, mandate)
        name = checked(KeyIn, request).get("name", "")
        made = keys.make(
            supplier=found.supplier,
            name=name,
            household=found.household,
            owner=owner_of(request),
            now=clock.now(),
        )
        return Response({"value": made.token}, status=201)


class MandateKey(OfAdmin):
    """One key of the supplier's own API."""

    @extend_schema(operation_id="mandates_key_revoke", responses={204: None})
    @once
    def delete(self, request: Request, mandate: UUID, key: UUID) -> Response:
        """Revoke a key for ever; twice is once. For admins."""
        found = self.speaking(request, mandate)
        mine = SupplierKey.objects.filter(supplier=found.supplier)
        keys.revoke(
            key=mine.get(uuid=key),
            household=found.household,
            owner=owner_of(request),
            now=clock.now(),
        )
        return Response(status=204)


def show_key(key: SupplierKey) -> dict[str, Any]:
    """Return a key as the API shows it."""
    return {"id": str(key.uuid), "name": key.name, "created_at": key.created_at}


urlpatterns = [
    path("suppliers/", Suppliers.as_view(), name="suppliers"),
    path("suppliers/<uuid:supplier>/", OneSupplier.as_view(), name="supplier"),
    path("mandates/", Mandates.as_view(), name="mandates"),
    path("mandates/<uuid:mandate>/", OneMandate.as_view(), name="mandate"),
    path("mandates/<uuid:mandate>/known/", MandateParticulars.as_view(), name="mandate-known"),
    path("mandates/<uuid:mandate>/roles/", MandateRoles.as_view(), name="mandate-roles"),
    path("mandates/<uuid:mandate>/secret/", MandateSecret.as_view(), name="mandate-secret"),
    path("mandates/<uuid:mandate>/endpoint/", MandateEndpoint.as_view(), name="mandate-endpoint"),
    path("mandates/<uuid:mandate>/keys/", MandateKeys.as_view(), name="mandate-keys"),
    path("mandates/<uuid:mandate>/keys/<uuid:key>/", MandateKey.as_view(), name="mandate-key"),
]
