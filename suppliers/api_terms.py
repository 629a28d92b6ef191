"""The owners' API of what a supplier may know and of what was agreed with it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock, households
from owners.api.edge import OwnerView, checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from suppliers import agreements, disclosure, mandates, terms
from suppliers.agreements import Agreement
from suppliers.api_mandates import OfAdmin
from suppliers.api_v1 import my_households, my_mandates
from suppliers.choices import HOME_FACTS, TermsEvent
from suppliers.models import ConsentReceipt, TermsRecord

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


urlpatterns = [
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
