"""The owners' API about one mandate: what is known and agreed, keys and secrets, what was sent."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock, households
from owners.api.edge import UNDO, Known, OwnerView, asked, checked, once, owner_of, undoable
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from suppliers import keys, letters, particulars, secrets
from suppliers.api_v1 import SupplierOut, my_assets, my_mandates, seen_supplier
from suppliers.choices import RoleKind
from suppliers.forms import ParticularForm
from suppliers.models import (
    Mandate,
    OutboundEvent,
    OutboundState,
    Role,
    SigningSecret,
    SupplierKey,
)

PARTICULARS = ["name", "number", "domain"]
VERSIONS = ["v1", "v1a"]


class ParticularIn(serializers.Serializer[Any]):
    """What a household notes of a supplier; it counts for this household only."""

    kind = serializers.ChoiceField(choices=PARTICULARS)
    value = serializers.CharField(max_length=253)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring the value into the form in which it is compared."""
        form = ParticularForm(attrs)
        if not form.is_valid():
            texts = [str(text) for text in form.errors.get("value") or []]
            raise serializers.ValidationError({"value": texts})
        return {"kind": attrs["kind"], "value": form.cleaned_data["value"]}


class ParticularsOut(serializers.Serializer[Any]):
    """What is known of a supplier; what the household noted is its word and no evidence."""

    names = serializers.ListField(child=serializers.CharField())
    numbers = serializers.ListField(child=serializers.CharField())
    domains = serializers.ListField(child=serializers.CharField())
    proved_numbers = serializers.ListField(child=serializers.CharField())
    proved_domains = serializers.ListField(child=serializers.CharField())


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


class SecretOut(serializers.Serializer[Any]):
    """A signing secret, without what it is."""

    id = serializers.UUIDField()
    version = serializers.ChoiceField(choices=VERSIONS)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class EndpointOut(serializers.Serializer[Any]):
    """Where Steward's events go, empty: nowhere."""

    url = serializers.CharField(allow_blank=True)
    is_switched_off = serializers.BooleanField(help_text="It failed for too long.")


class SentOut(serializers.Serializer[Any]):
    """Something a supplier was told."""

    id = serializers.UUIDField()
    type = serializers.CharField()
    text = serializers.CharField()
    via = serializers.CharField()
    state = serializers.ChoiceField(choices=OutboundState.CHOICES)
    detail = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


def show_sent(event: OutboundEvent) -> dict[str, Any]:
    """Return what a supplier was told as the API shows it."""
    return {
        "id": str(event.uuid),
        "type": event.type,
        "text": letters.words_of(event),
        "via": event.via,
        "state": event.state,
        "detail": event.detail,
        "created_at": event.created_at,
        "sent_at": event.sent_at,
    }


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

    @extend_schema(operation_id="mandates_known", responses=ParticularsOut)
    def get(self, request: Request, mandate: UUID) -> Response:
        """Return what is known of the supplier: proved, and noted by this household."""
        found = my_mandates(owner_of(request)).get(uuid=mandate)
        known = particulars.of(household=found.household, supplier=found.supplier)
        return Response(asdict(known))

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
        return Response(seen_supplier(owner_of(request), found.supplier.uuid), status=201)

    @extend_schema(operation_id="mandates_forget", parameters=[ParticularIn], responses=SupplierOut)
    @once
    def delete(self, request: Request, mandate: UUID) -> Response:
        """Forget what this household noted; what is proved stays. For admins."""
        found = self.mandate_of(request, mandate)
        values = asked(ParticularIn, request)
        particulars.forget(household=found.household, supplier=found.supplier, **values)
        return Response(seen_supplier(owner_of(request), found.supplier.uuid))


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
        particulars.give_role(
            asset=values["asset"], supplier=found.supplier, kind=kind, now=clock.now()
        )
        return Response(seen_supplier(owner_of(request), found.supplier.uuid), status=201)

    @extend_schema(
        operation_id="mandates_role_take", parameters=[RoleIn, UNDO], responses=SupplierOut
    )
    @once
    def delete(self, request: Request, mandate: UUID) -> Response:
        """Take a role away; it can be put back for 30 days. For admins."""
        owner = owner_of(request)
        found = self.mandate_of(request, mandate)
        values = asked(RoleIn, request)
        mine = Role.objects.filter(household=found.household, supplier=found.supplier)
        role = mine.filter(asset=values["asset"], kind=values["kind"]).first()
        change = None
        if role is not None:
            change = particulars.take_role(role=role, owner=owner, now=clock.now())
        shown = seen_supplier(owner, found.supplier.uuid)
        return Response(shown, headers=undoable(change))


class MandateSecret(OfAdmin):
    """The signing secret, where the household speaks for the supplier."""

    @extend_schema(operation_id="mandates_secrets", responses=SecretOut(many=True))
    def get(self, request: Request, mandate: UUID) -> Response:
        """List the secrets that work, without what they are."""
        found = self.mandate_of(request, mandate)
        if not secrets.may_manage(household=found.household, supplier=found.supplier):
            return Response([])
        live = SigningSecret.objects.live(clock.now()).filter(supplier=found.supplier)
        return Response(
            [
                {
                    "id": str(row.uuid),
                    "version": row.version,
                    "created_at": row.created_at,
                    "expires_at": row.expires_at,
                }
                for row in live
            ]
        )

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

    @extend_schema(operation_id="mandates_endpoint_get", responses=EndpointOut)
    def get(self, request: Request, mandate: UUID) -> Response:
        """Return where they go now; not where the supplier keeps its own. For admins."""
        found = self.mandate_of(request, mandate)
        supplier = found.supplier
        if not secrets.may_manage(household=found.household, supplier=supplier):
            return Response({"url": "", "is_switched_off": False})
        is_off = supplier.webhook_disabled_at is not None
        return Response({"url": supplier.webhook_url, "is_switched_off": is_off})

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


class MandateSent(OwnerView):
    """What a supplier was told under a mandate."""

    @listed("mandates_sent", pages=page_of(SentOut, "Sent"), show=show_sent, by="-created_at")
    def get(self, request: Request, mandate: UUID) -> QuerySet[OutboundEvent]:
        """List what the supplier was told for this household, the newest first."""
        owner = owner_of(request)
        found = my_mandates(owner).get(uuid=mandate)
        rows = OutboundEvent.objects.for_owner(owner).select_related("household")
        return rows.filter(supplier=found.supplier, household=found.household)


class AssetRole(serializers.Serializer[Any]):
    """Who is what for an asset."""

    supplier = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=RoleKind.choices)


class AssetRoles(OwnerView):
    """Who serves one asset."""

    @extend_schema(operation_id="assets_roles", responses=AssetRole(many=True))
    def get(self, request: Request, asset: UUID) -> Response:
        """List who is what for an asset; given and taken under the supplier's mandate."""
        owner = owner_of(request)
        rows = Role.objects.filter(asset=my_assets(owner).get(uuid=asset))
        rows = rows.select_related("supplier").order_by("kind", "pk")
        return Response(
            [
                {"supplier": str(row.supplier.uuid), "name": row.supplier.name, "kind": row.kind}
                for row in rows
            ]
        )


urlpatterns = [
    path("mandates/<uuid:mandate>/known/", MandateParticulars.as_view(), name="mandate-known"),
    path("mandates/<uuid:mandate>/roles/", MandateRoles.as_view(), name="mandate-roles"),
    path("mandates/<uuid:mandate>/secret/", MandateSecret.as_view(), name="mandate-secret"),
    path("mandates/<uuid:mandate>/endpoint/", MandateEndpoint.as_view(), name="mandate-endpoint"),
    path("mandates/<uuid:mandate>/keys/", MandateKeys.as_view(), name="mandate-keys"),
    path("mandates/<uuid:mandate>/keys/<uuid:key>/", MandateKey.as_view(), name="mandate-key"),
    path("mandates/<uuid:mandate>/sent/", MandateSent.as_view(), name="mandate-sent"),
    path("assets/<uuid:asset>/roles/", AssetRoles.as_view(), name="asset-roles"),
]
