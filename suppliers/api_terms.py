"""The owners' API of what a supplier may know and of what was agreed with it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock, households
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from owners.models import Owner
from suppliers import agreements, disclosure, inviting, mandates, terms
from suppliers.agreements import Agreement
from suppliers.api_mandates import OfAdmin
from suppliers.api_v1 import my_assets, my_households, my_mandates
from suppliers.choices import HOME_FACTS, FactName, Purpose, TermsEvent
from suppliers.models import ConsentReceipt, SupplierInvitation, TermsRecord

CODES = [(code, one.title) for code, one in agreements.ROSTER.items()]


class AgreementOut(serializers.Serializer[Any]):
    """A text of the roster; both sides compare its hash."""

    code = serializers.CharField()
    agreement_uri = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()


class TermsRecordOut(serializers.Serializer[Any]):
    """One step: offered, answered or taken back. It never changes."""

    id = serializers.UUIDField()
    event = serializers.ChoiceField(choices=TermsEvent.choices)
    agreement_uri = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()
    verdict = serializers.CharField(
        allow_blank=True, help_text="Why an answer does not count; empty when it does."
    )
    why = serializers.CharField(allow_blank=True, help_text="The verdict in words.")
    record_sha256 = serializers.CharField(help_text="The supplier's copy has the same.")
    at = serializers.DateTimeField()


class TermsIn(serializers.Serializer[Any]):
    """Which agreement of the roster."""

    code = serializers.ChoiceField(choices=CODES)


class ReceiptOut(serializers.Serializer[Any]):
    """A consent receipt; `record` has the field names of ISO/IEC TS 27560."""

    id = serializers.UUIDField()
    event_state = serializers.CharField()
    made_at = serializers.DateTimeField()
    sha256 = serializers.CharField()
    record = serializers.DictField()


class HomeFactsIO(serializers.Serializer[Any]):
    """Facts of the home; suppliers whose mandate grants one are told it."""

    name = serializers.CharField(max_length=500, allow_blank=True, required=False)
    address = serializers.CharField(max_length=500, allow_blank=True, required=False)
    phone = serializers.CharField(max_length=500, allow_blank=True, required=False)
    access_notes = serializers.CharField(max_length=500, allow_blank=True, required=False)


def show_agreement(one: Agreement) -> dict[str, Any]:
    """Return an agreement as the API shows it."""
    return {
        "code": one.code,
        "agreement_uri": one.uri,
        "version": one.version,
        "sha256": one.sha256,
        "title": str(one.title),
        "about": str(one.about),
    }


def show_record(row: TermsRecord) -> dict[str, Any]:
    """Return a step as the API shows it."""
    return {
        "id": str(row.uuid),
        "event": row.event,
        "agreement_uri": row.agreement_uri,
        "version": row.version,
        "sha256": row.sha256,
        "verdict": row.verdict,
        "why": str(terms.VERDICTS.get(row.verdict, "")),
        "record_sha256": row.record_sha256,
        "at": row.at,
    }


def show_receipt(row: ConsentReceipt) -> dict[str, Any]:
    """Return a receipt as the API shows it."""
    return {
        "id": str(row.uuid),
        "event_state": row.event_state,
        "made_at": row.made_at,
        "sha256": row.sha256,
        "record": row.body,
    }


class Roster(OwnerView):
    """The agreements a household can offer."""

    @extend_schema(operation_id="terms_list", responses=AgreementOut(many=True))
    def get(self, request: Request) -> Response:
        """List the agreements that can be offered."""
        return Response([show_agreement(one) for one in agreements.ROSTER.values()])


class MandateTerms(OfAdmin):
    """What was offered to a supplier and what it answered."""

    @listed("mandates_terms", pages=page_of(TermsRecordOut, "Terms"), show=show_record, by="-at")
    def get(self, request: Request, mandate: UUID) -> QuerySet[TermsRecord]:
        """List every step, the newest first."""
        owner = owner_of(request)
        found = my_mandates(owner).get(uuid=mandate)
        return TermsRecord.objects.for_owner(owner).filter(mandate=found)

    @extend_schema(
        operation_id="mandates_proffer", request=TermsIn, responses={201: TermsRecordOut}
    )
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Offer the supplier an agreement; for admins."""
        found = self.mandate_of(request, mandate)
        agreement = agreements.ROSTER[checked(TermsIn, request)["code"]]
        try:
            row = terms.proffer(
                mandate=found, agreement=agreement, owner=owner_of(request), now=clock.now()
            )
        except terms.TermsError as error:
            raise Problem(409, code=error.code, detail=error.detail) from error
        return Response(show_record(row), status=201)


class MandateTermsWithdrawn(OfAdmin):
    """Taking terms back."""

    @extend_schema(operation_id="mandates_withdraw", request=TermsIn, responses=TermsRecordOut)
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Take an agreement back; for admins."""
        found = self.mandate_of(request, mandate)
        agreement = agreements.ROSTER[checked(TermsIn, request)["code"]]
        try:
            row = terms.withdraw(
                mandate=found, agreement=agreement, owner=owner_of(request), now=clock.now()
            )
        except terms.TermsError as error:
            raise Problem(409, code=error.code, detail=error.detail) from error
        return Response(show_record(row))


class MandateReceipts(OwnerView):
    """The consent receipts of a mandate."""

    @listed("mandates_receipts", pages=page_of(ReceiptOut, "Receipt"), show=show_receipt,
            by="-made_at")  # fmt: skip
    def get(self, request: Request, mandate: UUID) -> QuerySet[ConsentReceipt]:
        """List the receipts, the newest first."""
        owner = owner_of(request)
        found = my_mandates(owner).get(uuid=mandate)
        return ConsentReceipt.objects.for_owner(owner).filter(mandate=found)


class HomeFacts(OwnerView):
    """What suppliers may be let know of a home."""

    is_sensitive = True

    @extend_schema(operation_id="home_facts_get", responses=HomeFactsIO)
    def get(self, request: Request, household: UUID) -> Response:
        """Return what is written down."""
        found = my_households(owner_of(request)).get(uuid=household)
        return Response({fact.value: "" for fact in HOME_FACTS} | disclosure.written(found))

    @extend_schema(operation_id="home_facts_write", request=HomeFactsIO, responses=HomeFactsIO)
    @once
    def patch(self, request: Request, household: UUID) -> Response:
        """Write facts down, and tell the suppliers that may know them; for admins."""
        owner = owner_of(request)
        found = my_households(owner).get(uuid=household)
        households.require(owner=owner, household_id=found.pk, least=Rank.ADMIN)
        values = checked(HomeFactsIO, request)
        mandates.write_home(household=found, values=values, owner=owner, now=clock.now())
        return Response({fact.value: "" for fact in HOME_FACTS} | disclosure.written(found))


class SupplierInvitationIn(serializers.Serializer[Any]):
    """A supplier to invite, and what it is offered."""

    household = Known(my_households)
    name = serializers.CharField(max_length=120)
    shown_as = serializers.CharField(
        max_length=120, help_text="Who invites: all they read of you before they say yes."
    )
    email = serializers.EmailField(
        max_length=254, required=False, help_text="Without one you get a link to hand over."
    )
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=Purpose.choices), required=False, max_length=4
    )
    facts = serializers.ListField(
        child=serializers.ChoiceField(choices=FactName.choices), required=False, max_length=8
    )
    assets = serializers.ListField(child=Known(my_assets), required=False, max_length=500)


class SupplierInvitationOut(serializers.Serializer[Any]):
    """An invitation of a supplier."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    name = serializers.CharField()
    shown_as = serializers.CharField()
    to = serializers.CharField(allow_blank=True, help_text="A hint of the address.")
    url = serializers.CharField(
        allow_blank=True, help_text="The link to hand over; a letter's link is the letter's alone."
    )
    state = serializers.ChoiceField(
        choices=["waiting", "opened", "accepted", "declined", "revoked", "expired"]
    )
    purposes = serializers.ListField(child=serializers.CharField())
    facts = serializers.ListField(child=serializers.CharField())
    assets = serializers.ListField(child=serializers.UUIDField())
    mandate = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


def show_invitation(row: SupplierInvitation) -> dict[str, Any]:
    """Return an invitation as the API shows it."""
    state = inviting.state_of(row, now=clock.now())
    is_open = state in ("waiting", "opened")
    return {
        "id": str(row.uuid),
        "household": str(row.household.uuid),
        "name": row.name,
        "shown_as": row.shown_as,
        "to": row.hint,
        "url": inviting.url_of(row, site=settings.SITE_URL) if is_open else "",
        "state": state,
        "purposes": row.purposes,
        "facts": row.facts,
        "assets": [str(asset.uuid) for asset in row.assets.all()],
        "mandate": str(row.mandate.uuid) if row.mandate else None,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


def my_invitations(owner: Owner) -> QuerySet[SupplierInvitation]:
    """Return the owner's invitations with all that `show_invitation` reads."""
    rows = SupplierInvitation.objects.for_owner(owner).select_related("household", "mandate")
    return rows.prefetch_related("assets")


class SupplierInvitations(OwnerView):
    """The suppliers a household has invited."""

    is_sensitive = True  # a link lets somebody in

    @listed("supplier_invitations_list", pages=page_of(SupplierInvitationOut, "SupplierInvitation"),
            show=show_invitation, by="-created_at")  # fmt: skip
    def get(self, request: Request) -> QuerySet[SupplierInvitation]:
        """List the invitations, the newest first."""
        return my_invitations(owner_of(request))

    @extend_schema(
        operation_id="supplier_invitations_make",
        request=SupplierInvitationIn,
        responses={201: SupplierInvitationOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Invite a supplier by mail, or get a link to hand over; for admins."""
        owner = owner_of(request)
        values = checked(SupplierInvitationIn, request)
        household = values.pop("household")
        values["facts"] = [FactName(name) for name in values.get("facts", ())]
        if "purposes" in values:
            values["purposes"] = [Purpose(name) for name in dict.fromkeys(values["purposes"])]
        try:
            made = inviting.invite(
                household=household, by=owner, wishes=inviting.Wishes(**values), now=clock.now()
            )
        except inviting.InvitingError as error:
            if error.field:
                said = {error.field: [error.detail]}
                raise serializers.ValidationError(said, code=error.code) from error
            raise Problem(409, code=error.code, detail=error.detail) from error
        return Response(show_invitation(my_invitations(owner).get(pk=made.pk)), status=201)


class OneSupplierInvitation(OwnerView):
    """One invitation of a supplier."""

    is_sensitive = True

    @extend_schema(operation_id="supplier_invitations_get", responses=SupplierInvitationOut)
    def get(self, request: Request, offer: UUID) -> Response:
        """Return one invitation."""
        return Response(show_invitation(my_invitations(owner_of(request)).get(uuid=offer)))

    @extend_schema(operation_id="supplier_invitations_revoke", responses=SupplierInvitationOut)
    @once
    def delete(self, request: Request, offer: UUID) -> Response:
        """Take an invitation back; for admins. Twice is once."""
        owner = owner_of(request)
        found = my_invitations(owner).get(uuid=offer)
        inviting.revoke(invitation=found, by=owner, now=clock.now())
        return Response(show_invitation(my_invitations(owner).get(uuid=offer)))


urlpatterns = [
    path("supplier-invitations/", SupplierInvitations.as_view(), name="supplier-invitations"),
    path(
        "supplier-invitations/<uuid:offer>/",
        OneSupplierInvitation.as_view(),
        name="supplier-invitation",
    ),
    path("terms/", Roster.as_view(), name="terms"),
    path("mandates/<uuid:mandate>/terms/", MandateTerms.as_view(), name="mandate-terms"),
    path(
        "mandates/<uuid:mandate>/terms/withdrawn/",
        MandateTermsWithdrawn.as_view(),
        name="mandate-terms-withdrawn",
    ),
    path("mandates/<uuid:mandate>/receipts/", MandateReceipts.as_view(), name="mandate-receipts"),
    path("households/<uuid:household>/home-facts/", HomeFacts.as_view(), name="home-facts"),
]
