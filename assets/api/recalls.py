"""Recalls in the API: which may mean something owned, and how far they are dealt with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import recalls
from assets.api.cover import of_owner, tried
from assets.api.life import may_write
from assets.cover_words import Confidence, RecallState
from assets.models import Document, RecallMatch
from assets.payer_words import obligor_word
from owners import clock
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.models import Owner

SAYABLE = [(state.value, state.label) for state in recalls.SAYABLE]


class RecallOut(serializers.Serializer[Any]):
    """A recall that may mean an asset."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    source = serializers.CharField(  # type: ignore[assignment]  # the field of a recall
        help_text="`nhtsa`, `cpsc`, `safety-gate`, `told`, `passed`."
    )
    declared_by = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    hazard = serializers.CharField()
    remedy = serializers.CharField()
    do_not_use = serializers.BooleanField()
    url = serializers.CharField(help_text="Where it can be read; empty where nobody says.")
    published_on = serializers.DateField(allow_null=True)
    confidence = serializers.ChoiceField(
        choices=Confidence.choices,
        help_text="`exact`: this very one. `likely`: this model. `possible`: ask the owner.",
    )
    by = serializers.CharField(
        help_text="`serial`, `batch`, `gtin`, `model`, `maker`; `told` or `passed` on by somebody."
    )
    state = serializers.ChoiceField(choices=RecallState.choices)
    booked_on = serializers.DateField(allow_null=True)
    remedied_on = serializers.DateField(allow_null=True)
    provider = serializers.CharField()
    proof = serializers.UUIDField(allow_null=True, help_text="The document that proves it.")
    record = serializers.UUIDField(allow_null=True, help_text="The work in the asset's log.")
    note = serializers.CharField()
    found_at = serializers.DateTimeField()


def show_recall(row: RecallMatch) -> dict[str, Any]:
    """Return a recall as the API shows it."""
    notice = row.notice
    names = ("number", "title", "hazard", "remedy", "do_not_use", "url", "published_on", "source")
    mine = ("confidence", "by", "state", "booked_on", "remedied_on", "provider", "note", "found_at")
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "declared_by": notice.declared_by or obligor_word(notice.source),
        **{name: getattr(notice, name) for name in names},
        **{name: getattr(row, name) for name in mine},
        "proof": str(row.proof.uuid) if row.proof else None,
        "record": str(row.record.uuid) if row.record else None,
    }


def my_recalls(owner: Owner) -> QuerySet[RecallMatch]:
    """Return the recalls of the owner's assets with all that shows them."""
    found: QuerySet[RecallMatch] = of_owner(RecallMatch.objects, owner).select_related(
        "notice", "proof", "record"
    )
    return found


def my_papers(owner: Owner) -> QuerySet[Document]:
    """Return the owner's documents."""
    mine = Document.objects.filter(household__memberships__owner=owner)
    return mine.filter(removed_at=None)


class Recalls(OwnerView):
    """Recalls."""

    @listed(
        "recalls_list",
        pages=page_of(RecallOut, "Recall"),
        show=show_recall,
        by="-found_at",
        filters=[
            filter_of("state", RecallState),
            filter_of("confidence", Confidence),
            about("asset"),
        ],
    )
    def get(self, request: Request) -> QuerySet[RecallMatch]:
        """List the recalls that may mean something owned, the newest first."""
        rows = narrowed(my_recalls(owner_of(request)), request, "state", RecallState)
        rows = narrowed(rows, request, "confidence", Confidence)
        return of(rows, request, asset="asset__uuid")


class OneRecall(OwnerView):
    """One recall."""

    @extend_schema(operation_id="recalls_get", responses=RecallOut)
    def get(self, request: Request, recall: UUID) -> Response:
        """Return one recall."""
        return Response(show_recall(my_recalls(owner_of(request)).get(uuid=recall)))


class RecallMove(serializers.Serializer[Any]):
    """How far a recall is dealt with."""

    state = serializers.ChoiceField(choices=SAYABLE)
    booked_on = serializers.DateField(required=False, allow_null=True)
    remedied_on = serializers.DateField(required=False, help_text="Today unless it is said.")
    provider = serializers.CharField(max_length=120, allow_blank=True, required=False)
    proof = Known(my_papers, required=False, allow_null=True)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class RecallSteps(OwnerView):
    """How far a recall is."""

    @extend_schema(
        operation_id="recalls_move", parameters=[UNDO], request=RecallMove, responses=RecallOut
    )
    @once
    def post(self, request: Request, recall: UUID) -> Response:
        """Say that it is mine, not mine, booked, or put right with its proof; can be undone."""
        owner = owner_of(request)
        row = my_recalls(owner).get(uuid=recall)
        may_write(owner, row.asset)
        said = checked(RecallMove, request)
        state = RecallState(said.pop("state"))
        change = tried(
            lambda: recalls.move(row=row, state=state, values=said, owner=owner, now=clock.now())
        )
        return Response(show_recall(row), headers=undoable(change))


urlpatterns = [
    path("recalls/", Recalls.as_view(), name="recalls"),
    path("recalls/<uuid:recall>/", OneRecall.as_view(), name="recall"),
    path("recalls/<uuid:recall>/steps/", RecallSteps.as_view(), name="recall-steps"),
]
