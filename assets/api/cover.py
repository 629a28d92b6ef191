"""Who pays in the API: faults, the ranked answer, the evidence, repairs and claims."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import claims, duedates, evidence, faults, laws
from assets.api.care import IssueOut as PlainIssueOut
from assets.api.care import MoneyField, my_issues, show_issue
from assets.api.life import may_write, my_assets, plain
from assets.care_words import Severity
from assets.choices import CoverageKind
from assets.cover_words import Cause, ClaimState, OrderState, Remedy, Standing
from assets.coverage import Kind, Payer
from assets.holdings import HoldingError
from assets.models import Claim, Coverage, Issue, WorkOrder
from assets.payer_words import kind_word, obligor_word, said_why
from assets.serving import as_download
from owners import clock
from owners.api.edge import UNDO, Known, OwnerView, asked, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Owner

T = TypeVar("T")


def tried(write: Callable[[], T]) -> T:
    """Return what a write returns; what it refuses is an answer."""
    try:
        return write()
    except HoldingError as error:
        pointer = f"/{error.field}"
        raise Problem(400, code="invalid", detail=error.detail, pointer=pointer) from error
    except claims.StateError as error:
        detail = "A claim cannot go there from where it is."
        raise Problem(409, code="not_from_here", detail=detail, pointer="/state") from error


def whole_issues(owner: Owner) -> QuerySet[Issue]:
    """Return the owner's faults with all that judging them reads."""
    return my_issues(owner).select_related("asset__household")


def my_covers(owner: Owner) -> QuerySet[Coverage]:
    """Return the covers of the owner's assets."""
    mine = Coverage.objects.filter(asset__household__memberships__owner=owner)
    return mine.filter(asset__removed_at=None)


def of_owner(rows: Any, owner: Owner) -> Any:
    """Return the rows of the owner's assets, with what shows them."""
    return rows.for_owner(owner).select_related("asset__household")


def with_money(values: dict[str, Any], field: str, *, name: str = "amount") -> dict[str, Any]:
    """Return a request's values as they are kept: an amount beside its currency."""
    if field not in values:
        return values
    money = values.pop(field)
    values[name] = money["amount"] if money else None
    if money:
        values["currency"] = money["currency"]
    return values


def shown_money(amount: Any, currency: str) -> dict[str, str] | None:
    """Return an amount as the API shows it."""
    return None if amount is None else {"amount": plain(amount) or "0", "currency": currency}


# --- faults ------------------------------------------------------------------------------


class FaultFields(serializers.Serializer[Any]):
    """What is wrong."""

    title = serializers.CharField(max_length=200)
    note = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    cause = serializers.ChoiceField(choices=Cause.choices, required=False)
    part = serializers.CharField(max_length=120, allow_blank=True, required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    noticed_on = serializers.DateField(required=False, help_text="Today unless it is said.")


class FaultIn(FaultFields):
    """A new fault."""

    asset = Known(my_assets)
    is_out_of_order = serializers.BooleanField(
        required=False, help_text="Whether the asset does not work any more."
    )


class FaultOut(PlainIssueOut):
    """A fault with what says who pays."""

    cause = serializers.ChoiceField(choices=Cause.choices)
    part = serializers.CharField(allow_blank=True)


def show_fault(issue: Issue) -> dict[str, Any]:
    """Return a fault as the API shows it."""
    return {**show_issue(issue), "cause": issue.cause, "part": issue.part}


class Faults(OwnerView):
    """Faults, as their owner writes them down."""

    @extend_schema(
        operation_id="faults_add", parameters=[UNDO], request=FaultIn, responses={201: FaultOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Write a fault down; listed and settled at `issues/`."""
        owner = owner_of(request)
        values = checked(FaultIn, request)
        asset = values.pop("asset")
        may_write(owner, asset)
        issue, change = tried(
            lambda: faults.report(asset=asset, values=values, owner=owner, now=clock.now())
        )
        return Response(show_fault(issue), status=201, headers=undoable(change))


class OneFault(OwnerView):
    """One fault."""

    @extend_schema(operation_id="faults_get", responses=FaultOut)
    def get(self, request: Request, issue: UUID) -> Response:
        """Return one fault."""
        return Response(show_fault(whole_issues(owner_of(request)).get(uuid=issue)))

    @extend_schema(
        operation_id="faults_change", parameters=[UNDO], request=FaultFields, responses=FaultOut
    )
    @once
    def patch(self, request: Request, issue: UUID) -> Response:
        """Say more of a fault; who pays may change with it."""
        owner = owner_of(request)
        found = whole_issues(owner).get(uuid=issue)
        may_write(owner, found.asset)
        values = checked(FaultFields, request, partial=True)
        change = tried(
            lambda: faults.change(issue=found, values=values, owner=owner, now=clock.now())
        )
        return Response(show_fault(found), headers=undoable(change))


# --- who pays ----------------------------------------------------------------------------


class ReasonOut(serializers.Serializer[Any]):
    """Why somebody pays or does not."""

    code = serializers.CharField()
    text = serializers.CharField()


class PayerOut(serializers.Serializer[Any]):
    """Somebody who pays, may pay, or does not."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    obligor = serializers.CharField(allow_blank=True)
    standing = serializers.ChoiceField(choices=Standing.choices)
    reasons = ReasonOut(many=True)
    deadline = serializers.DateField(allow_null=True, help_text="The last day on which to ask.")
    source = serializers.CharField(  # type: ignore[assignment]  # as above
        allow_blank=True, help_text="Of the law, where it is the law that says so."
    )
    source_checked = serializers.DateField(
        allow_null=True, help_text="When its numbers were compared with a text; null: not all were."
    )
    cover = serializers.UUIDField(allow_null=True, help_text="The cover or recall.")
    excess = MoneyField(allow_null=True)


class WhoPaysOut(serializers.Serializer[Any]):
    """Who pays, in the order in which to ask; no legal advice."""

    payers = PayerOut(many=True)
    as_of = serializers.DateField(
        help_text="How the law stood by our table; not every row was compared with its source."
    )


class WhoPaysAsked(serializers.Serializer[Any]):
    """A fault that is only thought of."""

    on = serializers.DateField(required=False)
    cause = serializers.ChoiceField(choices=Cause.choices, required=False)
    part = serializers.CharField(max_length=120, required=False, allow_blank=True)


def show_payer(payer: Payer) -> dict[str, Any]:
    """Return who may pay as the API shows it."""
    return {
        "kind": payer.kind.value,
        "label": kind_word(payer.kind),
        "obligor": obligor_word(payer.obligor),
        "standing": payer.standing.value,
        "reasons": [{"code": one.code, "text": said_why(one)} for one in payer.reasons],
        "deadline": payer.deadline,
        "source": payer.source,
        "source_checked": payer.checked,
        "cover": payer.cover or None,
        "excess": shown_money(payer.excess, payer.currency),
    }


def answered(payers: list[Payer]) -> Response:
    """Return who pays, with the day of our table."""
    shown = [show_payer(payer) for payer in payers]
    return Response({"payers": shown, "as_of": laws.as_of()})


class FaultPayers(OwnerView):
    """Who pays for a fault."""

    @extend_schema(operation_id="faults_who_pays", responses=WhoPaysOut)
    def get(self, request: Request, issue: UUID) -> Response:
        """Rank who pays for a fault, with deadline, reason and source."""
        return answered(faults.payers_for(whole_issues(owner_of(request)).get(uuid=issue)))


class AssetPayers(OwnerView):
    """Who would pay."""

    @extend_schema(
        operation_id="asset_who_pays",
        parameters=[
            OpenApiParameter("on", OpenApiTypes.DATE, description="Today unless it is said."),
            OpenApiParameter("cause", OpenApiTypes.STR, enum=Cause.values),
            OpenApiParameter("part", OpenApiTypes.STR),
        ],
        responses=WhoPaysOut,
    )
    def get(self, request: Request, asset: UUID) -> Response:
        """Rank who would pay for a fault of an asset on a day; nothing is written down."""
        found = my_assets(owner_of(request)).get(uuid=asset)
        said = asked(WhoPaysAsked, request)
        on: date = said.get("on") or duedates.today_in(found.household.zone, clock.now())
        cause = Cause(said.get("cause", Cause.UNKNOWN))
        return answered(faults.payers(asset=found, on=on, cause=cause, part=said.get("part", "")))


class FaultEvidence(OwnerView):
    """The evidence of a fault."""

    @extend_schema(
        operation_id="faults_evidence", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, issue: UUID) -> HttpResponse:
        """Give out the evidence as ZIP: a PDF, every file that proves it, and their hashes."""
        found = whole_issues(owner_of(request)).get(uuid=issue)
        name = f"{found.asset.name}.zip"
        return as_download(evidence.pack(found), name=name, kind="application/zip")


# --- repairs -----------------------------------------------------------------------------


class OrderChange(serializers.Serializer[Any]):
    """A repair."""

    title = serializers.CharField(max_length=200)
    note = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    provider = serializers.CharField(max_length=120, allow_blank=True, required=False)
    issue = Known(whole_issues, required=False, allow_null=True)
    planned_on = serializers.DateField(required=False, allow_null=True)
    state = serializers.ChoiceField(choices=OrderState.choices, required=False)
    quoted = MoneyField(required=False, allow_null=True)


class OrderIn(OrderChange):
    """A new repair."""

    asset = Known(my_assets)


class OrderOut(OrderChange):
    """A repair that is planned, asked for, under way or done."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    issue = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]  # its id
    matter = serializers.UUIDField(
        allow_null=True, help_text="The journey in which it is arranged."
    )
    created_at = serializers.DateTimeField()


def show_order(row: WorkOrder) -> dict[str, Any]:
    """Return a repair as the API shows it."""
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "issue": str(row.issue.uuid) if row.issue else None,
        "title": row.title,
        "note": row.note,
        "provider": row.provider,
        "planned_on": row.planned_on,
        "state": row.state,
        "matter": str(row.matter) if row.matter else None,
        "quoted": shown_money(row.amount, row.currency),
        "created_at": row.created_at,
    }


class Orders(OwnerView):
    """Repairs."""

    @listed(
        "work_orders_list",
        pages=page_of(OrderOut, "WorkOrder"),
        show=show_order,
        by="-created_at",
        filters=[filter_of("state", OrderState), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[WorkOrder]:
        """List repairs, the newest first."""
        rows = of_owner(WorkOrder.objects, owner_of(request)).select_related("issue")
        rows = narrowed(rows, request, "state", OrderState)
        return of(rows, request, asset="asset__uuid")

    @extend_schema(
        operation_id="work_orders_add",
        parameters=[UNDO],
        request=OrderIn,
        responses={201: OrderOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Plan or ask for a repair."""
        owner = owner_of(request)
        values = with_money(checked(OrderIn, request), "quoted")
        asset = values.pop("asset")
        may_write(owner, asset)
        row, change = tried(
            lambda: faults.order(asset=asset, values=values, owner=owner, now=clock.now())
        )
        return Response(show_order(row), status=201, headers=undoable(change))


class OneOrder(OwnerView):
    """One repair."""

    def found(self, request: Request, order: UUID) -> WorkOrder:
        """Return the owner's repair."""
        mine = of_owner(WorkOrder.objects, owner_of(request)).select_related("issue")
        row: WorkOrder = mine.get(uuid=order)
        return row

    @extend_schema(operation_id="work_orders_get", responses=OrderOut)
    def get(self, request: Request, order: UUID) -> Response:
        """Return one repair."""
        return Response(show_order(self.found(request, order)))

    @extend_schema(
        operation_id="work_orders_change",
        parameters=[UNDO],
        request=OrderChange,
        responses=OrderOut,
    )
    @once
    def patch(self, request: Request, order: UUID) -> Response:
        """Change a repair, or say how far it is."""
        owner, row = owner_of(request), self.found(request, order)
        may_write(owner, row.asset)
        values = with_money(checked(OrderChange, request, partial=True), "quoted")
        change = tried(
            lambda: faults.change_order(order=row, values=values, owner=owner, now=clock.now())
        )
        return Response(show_order(row), headers=undoable(change))

    @extend_schema(operation_id="work_orders_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, order: UUID) -> Response:
        """Take a repair away."""
        owner, row = owner_of(request), self.found(request, order)
        may_write(owner, row.asset)
        change = faults.remove_order(order=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- claims ------------------------------------------------------------------------------


class ClaimChange(serializers.Serializer[Any]):
    """What is asked of whoever is to pay."""

    kind = serializers.ChoiceField(choices=CoverageKind.choices)
    obligor = serializers.CharField(max_length=120, allow_blank=True, required=False)
    number = serializers.CharField(max_length=80, allow_blank=True, required=False)
    issue = Known(whole_issues, required=False, allow_null=True)
    coverage = Known(my_covers, required=False, allow_null=True)
    filed_on = serializers.DateField(required=False, allow_null=True)
    answered_on = serializers.DateField(required=False, allow_null=True)
    answer_by = serializers.DateField(required=False, allow_null=True)
    claimed = MoneyField(required=False, allow_null=True)
    remedy = serializers.ChoiceField(choices=Remedy.choices, required=False, allow_blank=True)
    note = serializers.CharField(max_length=4000, allow_blank=True, required=False)


class ClaimIn(ClaimChange):
    """A new claim."""

    asset = Known(my_assets)


class ToldOut(serializers.Serializer[Any]):
    """What the other side said last, and what of it contradicts the owner."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    status = serializers.CharField(help_text="In their own words.")
    next_step = serializers.CharField()
    differs = serializers.DictField(
        child=serializers.CharField(), help_text="`state`, `amount` with `currency`; often empty."
    )


class ClaimSettle(serializers.Serializer[Any]):
    """Whose word holds where the two differ."""

    theirs = serializers.BooleanField()


class ClaimOut(ClaimChange):
    """A claim, how far it is, and what came back."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    issue = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]  # its id
    coverage = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]  # its id
    state = serializers.ChoiceField(choices=ClaimState.choices)
    next = serializers.ListField(child=serializers.ChoiceField(choices=ClaimState.choices))
    paid = MoneyField(allow_null=True)
    resolved_on = serializers.DateField(allow_null=True)
    told = ToldOut(allow_null=True)
    created_at = serializers.DateTimeField()


class ClaimMove(serializers.Serializer[Any]):
    """How far a claim is now; the day is today unless another is said."""

    state = serializers.ChoiceField(choices=ClaimState.choices)
    on = serializers.DateField(required=False)
    number = serializers.CharField(max_length=80, required=False)
    remedy = serializers.ChoiceField(choices=Remedy.choices, required=False)
    paid = MoneyField(required=False)


def show_claim(row: Claim) -> dict[str, Any]:
    """Return a claim as the API shows it."""
    names = ("kind", "obligor", "number", "filed_on", "answered_on", "answer_by", "remedy", "note")
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "issue": str(row.issue.uuid) if row.issue else None,
        "coverage": str(row.coverage.uuid) if row.coverage else None,
        **{name: getattr(row, name) for name in names},
        "state": row.state,
        "next": sorted(state.value for state in claims.NEXT[ClaimState(row.state)]),
        "claimed": shown_money(row.claimed, row.currency),
        "paid": shown_money(row.amount, row.currency),
        "resolved_on": row.resolved_on,
        "told": row.told or None,
        "created_at": row.created_at,
    }


def my_claims(owner: Owner) -> QuerySet[Claim]:
    """Return the owner's claims with all that shows them."""
    found: QuerySet[Claim] = of_owner(Claim.objects, owner).select_related(
        "issue", "coverage", "cost"
    )
    return found


class Claims(OwnerView):
    """Claims."""

    @listed(
        "claims_list",
        pages=page_of(ClaimOut, "Claim"),
        show=show_claim,
        by="-created_at",
        filters=[filter_of("state", ClaimState), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[Claim]:
        """List claims, the newest first."""
        rows = narrowed(my_claims(owner_of(request)), request, "state", ClaimState)
        return of(rows, request, asset="asset__uuid")

    @extend_schema(
        operation_id="claims_add", parameters=[UNDO], request=ClaimIn, responses={201: ClaimOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Note a claim that is to be sent."""
        owner = owner_of(request)
        values = with_money(checked(ClaimIn, request), "claimed", name="claimed")
        asset = values.pop("asset")
        may_write(owner, asset)
        row, change = tried(
            lambda: claims.make(asset=asset, values=values, owner=owner, now=clock.now())
        )
        return Response(show_claim(row), status=201, headers=undoable(change))


class OneClaim(OwnerView):
    """One claim."""

    @extend_schema(operation_id="claims_get", responses=ClaimOut)
    def get(self, request: Request, claim: UUID) -> Response:
        """Return one claim."""
        return Response(show_claim(my_claims(owner_of(request)).get(uuid=claim)))

    @extend_schema(
        operation_id="claims_change", parameters=[UNDO], request=ClaimChange, responses=ClaimOut
    )
    @once
    def patch(self, request: Request, claim: UUID) -> Response:
        """Say more of a claim."""
        owner = owner_of(request)
        row = my_claims(owner).get(uuid=claim)
        may_write(owner, row.asset)
        said = checked(ClaimChange, request, partial=True)
        values = with_money(said, "claimed", name="claimed")
        change = tried(
            lambda: claims.change(claim=row, values=values, owner=owner, now=clock.now())
        )
        return Response(show_claim(row), headers=undoable(change))

    @extend_schema(operation_id="claims_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, claim: UUID) -> Response:
        """Take a claim away."""
        owner = owner_of(request)
        row = my_claims(owner).get(uuid=claim)
        may_write(owner, row.asset)
        change = claims.remove(claim=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


DAYS = {
    ClaimState.SUBMITTED: "filed_on",
    ClaimState.ANSWERED: "answered_on",
    ClaimState.PAID: "resolved_on",
    ClaimState.REFUSED: "resolved_on",
}


class ClaimSteps(OwnerView):
    """How far a claim is."""

    @extend_schema(
        operation_id="claims_move", parameters=[UNDO], request=ClaimMove, responses=ClaimOut
    )
    @once
    def post(self, request: Request, claim: UUID) -> Response:
        """Bring a claim one state on; what was paid counts as a cost less."""
        owner = owner_of(request)
        row = my_claims(owner).get(uuid=claim)
        may_write(owner, row.asset)
        said = with_money(checked(ClaimMove, request), "paid")
        state, on = ClaimState(said.pop("state")), said.pop("on", None)
        if on is not None and state in DAYS:
            said[DAYS[state]] = on
        change = tried(
            lambda: claims.move(claim=row, state=state, values=said, owner=owner, now=clock.now())
        )
        return Response(show_claim(row), headers=undoable(change))


class ClaimDifference(OwnerView):
    """What the owner and the other side say differently."""

    @extend_schema(
        operation_id="claims_settle", parameters=[UNDO], request=ClaimSettle, responses=ClaimOut
    )
    @once
    def post(self, request: Request, claim: UUID) -> Response:
        """Decide between what was written down and what the other side says."""
        owner = owner_of(request)
        row = my_claims(owner).get(uuid=claim)
        may_write(owner, row.asset)
        said = checked(ClaimSettle, request)
        change = tried(
            lambda: claims.settle(claim=row, theirs=said["theirs"], owner=owner, now=clock.now())
        )
        return Response(show_claim(row), headers=undoable(change))


urlpatterns = [
    path("assets/<uuid:asset>/who-pays/", AssetPayers.as_view(), name="asset-who-pays"),
    path("faults/", Faults.as_view(), name="faults"),
    path("faults/<uuid:issue>/", OneFault.as_view(), name="fault"),
    path("faults/<uuid:issue>/who-pays/", FaultPayers.as_view(), name="fault-who-pays"),
    path("faults/<uuid:issue>/evidence.zip", FaultEvidence.as_view(), name="fault-evidence"),
    path("work-orders/", Orders.as_view(), name="work-orders"),
    path("work-orders/<uuid:order>/", OneOrder.as_view(), name="work-order"),
    path("claims/", Claims.as_view(), name="claims"),
    path("claims/<uuid:claim>/", OneClaim.as_view(), name="claim"),
    path("claims/<uuid:claim>/settle/", ClaimDifference.as_view(), name="claim-settle"),
    path("claims/<uuid:claim>/steps/", ClaimSteps.as_view(), name="claim-steps"),
]
