"""An asset's life in the API: its steps, price, covers, costs, loans, history, label, codes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import holdings, identifiers, labels, life_words, passages, places, shaping
from assets.api.care import MoneyField
from assets.choices import (
    BoughtAs,
    Condition,
    CostCategory,
    CoverageKind,
    CoverageState,
    Custody,
    EndReason,
    FieldType,
    IdentifierScheme,
    LeavingAs,
    Lifecycle,
    OperationalStatus,
    PriceKind,
    Source,
)
from assets.lifecycle import Step, StepError
from assets.models import (
    Acquisition,
    Asset,
    CostEntry,
    Coverage,
    CustomField,
    Loan,
    Tag,
)
from owners import clock, households, undo
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Household, Owner

T = TypeVar("T")


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets whose life may be written down."""
    return Asset.objects.for_owner(owner).select_related("household")


def of_mine(rows: QuerySet[Any], owner: Owner) -> QuerySet[Any]:
    """Return what belongs to the owner's assets."""
    mine = rows.filter(asset__household__memberships__owner=owner, asset__removed_at=None)
    return mine.select_related("asset__household")


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the owner's households."""
    return Household.objects.for_owner(owner)


def plain(amount: Decimal | None) -> str | None:
    """Return an amount without the zeros that its column adds."""
    return None if amount is None else f"{amount.normalize():f}"


def tried(write: Callable[[], T]) -> T:
    """Return what a write returns; what it refuses is an answer."""
    try:
        return write()
    except StepError as error:
        status = 409 if error.code == "not_from_here" else 400
        detail = str(life_words.why(error.code, error.field))
        pointer = f"/{error.field}" if error.field else ""
        raise Problem(status, code=error.code, detail=detail, pointer=pointer) from error
    except (holdings.HoldingError, shaping.ShapeError) as error:
        pointer = f"/{error.field}"
        raise Problem(400, code="invalid", detail=error.detail, pointer=pointer) from error
    except places.PlaceError as error:
        raise Problem(400, code="invalid", detail=str(error), pointer="/to") from error


def may_write(owner: Owner, asset: Asset) -> None:
    """Let only those pass who act on this asset's household."""
    households.require(owner=owner, household_id=asset.household_id)


# --- steps -------------------------------------------------------------------------------


class StepOut(serializers.Serializer[Any]):
    """A step that leads on from where an asset is, and what may be said with it."""

    step = serializers.ChoiceField(choices=[(step.value, step.value) for step in Step])
    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    asks = serializers.ListField(child=serializers.CharField())


class StepIn(serializers.Serializer[Any]):
    """A step, with what it asks; the amount is a price, what was paid back, or what came in."""

    step = serializers.ChoiceField(choices=[(step.value, step.value) for step in Step])
    on = serializers.DateField(required=False, help_text="Today unless another day is said.")
    seller = serializers.CharField(max_length=120, required=False)
    order_no = serializers.CharField(max_length=80, required=False)
    expected_on = serializers.DateField(required=False)
    return_by = serializers.DateField(required=False)
    is_agreed = serializers.BooleanField(required=False)
    fault = serializers.CharField(max_length=200, required=False)
    provider = serializers.CharField(max_length=120, required=False)
    is_taken_away = serializers.BooleanField(required=False)
    work = serializers.CharField(max_length=200, required=False)
    months = serializers.IntegerField(min_value=1, max_value=240, required=False)
    borrower = serializers.CharField(max_length=120, required=False)
    reach = serializers.CharField(max_length=200, required=False)
    due_on = serializers.DateField(required=False)
    where = serializers.CharField(max_length=200, required=False)
    reported_to = serializers.CharField(max_length=120, required=False)
    report_no = serializers.CharField(max_length=80, required=False)
    leaving_as = serializers.ChoiceField(choices=LeavingAs.choices, required=False)
    reason = serializers.ChoiceField(choices=EndReason.choices, required=False)
    paid = MoneyField(required=False)
    note = serializers.CharField(max_length=200, required=False)


class StateOut(serializers.Serializer[Any]):
    """Where an asset is in its life."""

    lifecycle = serializers.ChoiceField(choices=Lifecycle.choices)
    operational_status = serializers.ChoiceField(choices=OperationalStatus.choices)
    custody = serializers.ChoiceField(choices=Custody.choices)
    leaving_as = serializers.ChoiceField(choices=LeavingAs.choices, allow_blank=True)
    in_service_on = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField(allow_null=True)
    end_reason = serializers.ChoiceField(choices=EndReason.choices, allow_blank=True)


class LifeSteps(OwnerView):
    """The steps in an asset's life."""

    @extend_schema(operation_id="asset_steps_list", responses=StepOut(many=True))
    def get(self, request: Request, asset: UUID) -> Response:
        """List the steps that lead on from where the asset is."""
        found = my_assets(owner_of(request)).get(uuid=asset)
        return Response(
            [
                {
                    "step": step.value,
                    "label": str(life_words.LABELS[step]),
                    "asks": ["on", *passages.ASKED[step]],
                }
                for step in passages.open_steps(found)
            ]
        )

    @extend_schema(
        operation_id="asset_steps_take", parameters=[UNDO], request=StepIn, responses=StateOut
    )
    @once
    def post(self, request: Request, asset: UUID) -> Response:
        """Take a step; what follows from it is written with it and undone with it."""
        owner = owner_of(request)
        found = my_assets(owner).get(uuid=asset)
        may_write(owner, found)
        said = checked(StepIn, request)
        step = Step(said.pop("step"))
        paid = said.pop("paid", None)
        said |= paid or {}
        change = tried(
            lambda: passages.take(asset=found, step=step, said=said, owner=owner, now=clock.now())
        )
        found.refresh_from_db()
        shown = {name: getattr(found, name) for name in passages.STATE_FIELDS}
        return Response(shown, headers=undoable(change))


# --- how it came -------------------------------------------------------------------------


class PriceField(serializers.Serializer[Any]):
    """One line of a price."""

    kind = serializers.ChoiceField(choices=PriceKind.choices)
    amount = serializers.DecimalField(max_digits=14, decimal_places=4)
    label = serializers.CharField(max_length=120, allow_blank=True, required=False)  # type: ignore[assignment]  # the word of the others, not the base's


class AcquisitionIn(serializers.Serializer[Any]):
    """How an asset came into the household; `lines`, when given, are the whole price."""

    seller = serializers.CharField(max_length=120, allow_blank=True, required=False)
    order_no = serializers.CharField(max_length=80, allow_blank=True, required=False)
    ordered_on = serializers.DateField(allow_null=True, required=False)
    expected_on = serializers.DateField(allow_null=True, required=False)
    delivered_on = serializers.DateField(allow_null=True, required=False)
    return_by = serializers.DateField(allow_null=True, required=False)
    condition = serializers.ChoiceField(choices=Condition.choices, required=False)
    bought_as = serializers.ChoiceField(choices=BoughtAs.choices, required=False)
    payment = serializers.CharField(max_length=80, allow_blank=True, required=False)
    jurisdiction = serializers.CharField(max_length=2, allow_blank=True, required=False)
    currency = serializers.RegexField("^([A-Z]{3})?$", required=False, allow_blank=True)
    lines = PriceField(many=True, required=False)


class AcquisitionOut(AcquisitionIn):
    """How an asset came into the household."""

    total = serializers.CharField(allow_null=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # the word of the others, not the base's


def show_acquisition(row: Acquisition) -> dict[str, Any]:
    """Return an acquisition as the API shows it."""
    lines = sorted(row.lines.all(), key=lambda line: line.pk)
    return {
        **{name: getattr(row, name) for name in holdings.ACQUISITION_FIELDS},
        "lines": [
            {"kind": line.kind, "amount": plain(line.amount), "label": line.label} for line in lines
        ],
        "total": plain(row.total),
        "source": row.source,
    }


class AssetAcquisition(OwnerView):
    """How one asset came into the household."""

    @extend_schema(operation_id="asset_acquisition_get", responses=AcquisitionOut)
    def get(self, request: Request, asset: UUID) -> Response:
        """Return how the asset came here; everything empty where nothing is written down."""
        found = my_assets(owner_of(request)).get(uuid=asset)
        row = Acquisition.objects.filter(asset=found).prefetch_related("lines").first()
        return Response(show_acquisition(row or Acquisition(asset=found, pk=0)))

    @extend_schema(
        operation_id="asset_acquisition_change",
        parameters=[UNDO],
        request=AcquisitionIn,
        responses=AcquisitionOut,
    )
    @once
    def patch(self, request: Request, asset: UUID) -> Response:
        """Say how the asset came here."""
        owner = owner_of(request)
        found = my_assets(owner).get(uuid=asset)
        may_write(owner, found)
        values = checked(AcquisitionIn, request)
        given = values.pop("lines", None)
        lines = given and [
            (PriceKind(line["kind"]), line["amount"], line.get("label", "")) for line in given
        ]
        row = tried(
            lambda: holdings.acquire(
                asset=found,
                values=values,
                lines=[] if given == [] else lines,
                owner=owner,
                now=clock.now(),
            )
        )
        row = Acquisition.objects.prefetch_related("lines").get(pk=row.pk)
        return Response(show_acquisition(row), headers=undoable(holdings.latest(found)))


# --- covers ------------------------------------------------------------------------------


class CoverageChange(serializers.Serializer[Any]):
    """What a cover says."""

    kind = serializers.ChoiceField(choices=CoverageKind.choices)
    obligor = serializers.CharField(max_length=120, allow_blank=True, required=False)
    reference = serializers.CharField(max_length=80, allow_blank=True, required=False)
    starts_on = serializers.DateField(allow_null=True, required=False)
    ends_on = serializers.DateField(allow_null=True, required=False)
    months = serializers.IntegerField(min_value=1, max_value=1200, allow_null=True, required=False)
    is_lifetime = serializers.BooleanField(required=False)
    scope = serializers.CharField(max_length=120, allow_blank=True, required=False)
    terms = serializers.CharField(max_length=8000, allow_blank=True, required=False)
    excess = serializers.DecimalField(
        max_digits=14, decimal_places=4, allow_null=True, required=False
    )
    meter_limit = serializers.DecimalField(
        max_digits=14, decimal_places=3, allow_null=True, required=False
    )
    meter_unit = serializers.CharField(max_length=12, allow_blank=True, required=False)
    currency = serializers.RegexField("^([A-Z]{3})?$", required=False, allow_blank=True)
    state = serializers.ChoiceField(choices=CoverageState.choices, required=False)


class CoverageIn(CoverageChange):
    """A new cover."""

    asset = Known(my_assets)


class CoverageOut(CoverageChange):
    """Somebody's promise to pay for an asset, or to repair it."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # the word of the others, not the base's
    created_at = serializers.DateTimeField()


def show_coverage(row: Coverage) -> dict[str, Any]:
    """Return a cover as the API shows it; its state is that of today."""
    values = {name: getattr(row, name) for name in holdings.COVERAGE_FIELDS}
    today = clock.now().date()
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        **values,
        "excess": plain(row.excess),
        "meter_limit": plain(row.meter_limit),
        "state": row.state_on(today).value,
        "source": row.source,
        "created_at": row.created_at,
    }


class Coverages(OwnerView):
    """What covers the owner's assets."""

    @listed(
        "coverages_list",
        pages=page_of(CoverageOut, "Coverage"),
        show=show_coverage,
        filters=[filter_of("kind", CoverageKind), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[Coverage]:
        """List guarantees, insurances and contracts, the newest first."""
        rows = of_mine(Coverage.objects.all(), owner_of(request))
        rows = narrowed(rows, request, "kind", CoverageKind)
        return of(rows, request, asset="asset__uuid")

    @extend_schema(
        operation_id="coverages_add",
        parameters=[UNDO],
        request=CoverageIn,
        responses={201: CoverageOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Add a cover; a length in months gives the end that is not said."""
        owner = owner_of(request)
        values = checked(CoverageIn, request)
        asset = values.pop("asset")
        may_write(owner, asset)
        row = tried(
            lambda: holdings.cover(asset=asset, values=values, owner=owner, now=clock.now())
        )
        change = undo.latest(kind=holdings.COVERED, subject=asset.uuid)
        return Response(show_coverage(row), status=201, headers=undoable(change))


class OneCoverage(OwnerView):
    """One cover."""

    def found(self, request: Request, coverage: UUID) -> Coverage:
        """Return the owner's cover."""
        row: Coverage = of_mine(Coverage.objects.all(), owner_of(request)).get(uuid=coverage)
        return row

    @extend_schema(operation_id="coverages_get", responses=CoverageOut)
    def get(self, request: Request, coverage: UUID) -> Response:
        """Return one cover."""
        return Response(show_coverage(self.found(request, coverage)))

    @extend_schema(
        operation_id="coverages_change",
        parameters=[UNDO],
        request=CoverageChange,
        responses=CoverageOut,
    )
    @once
    def patch(self, request: Request, coverage: UUID) -> Response:
        """Change a cover."""
        owner, row = owner_of(request), self.found(request, coverage)
        may_write(owner, row.asset)
        values = checked(CoverageChange, request, partial=True)
        change = tried(
            lambda: holdings.change_cover(coverage=row, values=values, owner=owner, now=clock.now())
        )
        return Response(show_coverage(row), headers=undoable(change))

    @extend_schema(operation_id="coverages_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, coverage: UUID) -> Response:
        """Take a cover away."""
        owner, row = owner_of(request), self.found(request, coverage)
        may_write(owner, row.asset)
        change = holdings.remove(row=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- costs -------------------------------------------------------------------------------


class CostChange(serializers.Serializer[Any]):
    """Money that was spent; what came back (a refund, a sale) counts as less."""

    on = serializers.DateField()
    cost = MoneyField()
    category = serializers.ChoiceField(choices=CostCategory.choices, required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class CostIn(CostChange):
    """A new cost."""

    asset = Known(my_assets)


class CostOut(CostChange):
    """Money that was spent on an asset."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # the word of the others, not the base's
    created_at = serializers.DateTimeField()


def show_cost(row: CostEntry) -> dict[str, Any]:
    """Return a cost as the API shows it."""
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "on": row.on,
        "cost": {"amount": plain(row.amount), "currency": row.currency},
        "category": row.category,
        "note": row.note,
        "source": row.source,
        "created_at": row.created_at,
    }


def cost_values(asset: Asset, values: dict[str, Any]) -> dict[str, Any]:
    """Return a request's values as they are kept: the household's currency unless it is said."""
    money = values.pop("cost", None)
    return values | ({"currency": asset.household.currency} | money if money else {})


class Costs(OwnerView):
    """What the owner's assets cost."""

    @listed(
        "costs_list",
        pages=page_of(CostOut, "Cost"),
        show=show_cost,
        filters=[filter_of("category", CostCategory), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[CostEntry]:
        """List what was spent, what was written down last first."""
        rows = of_mine(CostEntry.objects.all(), owner_of(request))
        rows = narrowed(rows, request, "category", CostCategory)
        return of(rows, request, asset="asset__uuid")

    @extend_schema(
        operation_id="costs_add", parameters=[UNDO], request=CostIn, responses={201: CostOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Write down a cost."""
        owner = owner_of(request)
        values = checked(CostIn, request)
        asset = values.pop("asset")
        may_write(owner, asset)
        said = cost_values(asset, values)
        row = tried(lambda: holdings.spend(asset=asset, values=said, owner=owner, now=clock.now()))
        change = undo.latest(kind=holdings.SPENT, subject=asset.uuid)
        return Response(show_cost(row), status=201, headers=undoable(change))


class OneCost(OwnerView):
    """One cost."""

    def found(self, request: Request, cost: UUID) -> CostEntry:
        """Return the owner's cost."""
        row: CostEntry = of_mine(CostEntry.objects.all(), owner_of(request)).get(uuid=cost)
        return row

    @extend_schema(operation_id="costs_get", responses=CostOut)
    def get(self, request: Request, cost: UUID) -> Response:
        """Return one cost."""
        return Response(show_cost(self.found(request, cost)))

    @extend_schema(
        operation_id="costs_change", parameters=[UNDO], request=CostChange, responses=CostOut
    )
    @once
    def patch(self, request: Request, cost: UUID) -> Response:
        """Change a cost."""
        owner, row = owner_of(request), self.found(request, cost)
        may_write(owner, row.asset)
        values = cost_values(row.asset, checked(CostChange, request, partial=True))
        change = tried(
            lambda: holdings.change_cost(cost=row, values=values, owner=owner, now=clock.now())
        )
        return Response(show_cost(row), headers=undoable(change))

    @extend_schema(operation_id="costs_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, cost: UUID) -> Response:
        """Take a cost away."""
        owner, row = owner_of(request), self.found(request, cost)
        may_write(owner, row.asset)
        change = holdings.remove(row=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- loans, history, labels, codes, places, tags, fields ---------------------------------


class LoanOut(serializers.Serializer[Any]):
    """An asset in somebody else's hands; lent and taken back by `steps/`."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    borrower = serializers.CharField()
    reach = serializers.CharField(allow_blank=True)
    out_on = serializers.DateField()
    due_on = serializers.DateField(allow_null=True)
    back_on = serializers.DateField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


def show_loan(row: Loan) -> dict[str, Any]:
    """Return a loan as the API shows it."""
    names = ("borrower", "reach", "out_on", "due_on", "back_on", "note", "created_at")
    about_it = {name: getattr(row, name) for name in names}
    return {"id": str(row.uuid), "asset": str(row.asset.uuid), **about_it}


class Loans(OwnerView):
    """What was lent."""

    @listed("loans_list", pages=page_of(LoanOut, "Loan"), show=show_loan, filters=[about("asset")])
    def get(self, request: Request) -> QuerySet[Loan]:
        """List what was lent, the newest first."""
        rows = of_mine(Loan.objects.all(), owner_of(request))
        return of(rows, request, asset="asset__uuid")


class VersionOut(serializers.Serializer[Any]):
    """One field that became another."""

    at = serializers.DateTimeField()
    about = serializers.CharField(allow_blank=True)
    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # as above
    by = serializers.CharField(allow_blank=True)


class AssetHistory(OwnerView):
    """How an asset came to be as it is."""

    @extend_schema(operation_id="asset_history", responses=VersionOut(many=True))
    def get(self, request: Request, asset: UUID) -> Response:
        """List every change of every field with who stated it, the newest first."""
        found = my_assets(owner_of(request)).get(uuid=asset)
        return Response(
            [
                {
                    "at": row.at,
                    "about": str(row.about),
                    "field": row.name,
                    "label": str(row.label),
                    "before": row.before,
                    "after": row.after,
                    "source": row.source,
                    "by": row.by,
                }
                for row in shaping.history(found)
            ]
        )


class LabelOut(serializers.Serializer[Any]):
    """What the code on an asset's label says."""

    address = serializers.URLField()


class AssetLabel(OwnerView):
    """An asset's label."""

    @extend_schema(operation_id="asset_label", responses=LabelOut)
    def get(self, request: Request, asset: UUID) -> Response:
        """Return the address on the label: it opens the asset, and a safe page for strangers."""
        found = my_assets(owner_of(request)).get(uuid=asset)
        code = labels.label_of(found, now=clock.now()).code
        return Response({"address": settings.SITE_URL + reverse("found", args=[code])})


class ScannedIn(serializers.Serializer[Any]):
    """What a camera took from a label."""

    code = serializers.CharField(max_length=2000)


class ReadNumber(serializers.Serializer[Any]):
    """One number of a code, and whether its check digits fit."""

    scheme = serializers.ChoiceField(choices=IdentifierScheme.choices)
    value = serializers.CharField()
    is_valid = serializers.BooleanField(allow_null=True)  # type: ignore[assignment]  # a field here, not the method
    warning = serializers.CharField(allow_blank=True)


class ScannedOut(serializers.Serializer[Any]):
    """What a code says; nothing is stored."""

    identifiers = ReadNumber(many=True)
    link = serializers.CharField(allow_blank=True)
    more = serializers.DictField(help_text="What GS1 says besides, by its own numbers.")


class Codes(OwnerView):
    """Codes on labels."""

    @extend_schema(operation_id="codes_read", request=ScannedIn, responses=ScannedOut)
    @once
    def post(self, request: Request) -> Response:
        """Read a GS1, EPREL or product-passport code, or a plain number."""
        read = identifiers.read_code(checked(ScannedIn, request)["code"])
        numbers = []
        for scheme, value in read.identifiers:
            known = identifiers.check(scheme, value)
            numbers.append(
                {
                    "scheme": scheme,
                    "value": value,
                    "is_valid": known.is_valid,
                    "warning": str(known.warning),
                }
            )
        return Response({"identifiers": numbers, "link": read.link, "more": read.unread})


class PlaceMove(serializers.Serializer[Any]):
    """A place that gets another name, or lies somewhere else from now on."""

    household = Known(my_households)
    place = serializers.CharField(max_length=200)
    to = serializers.CharField(max_length=200)


class PlacesOut(serializers.Serializer[Any]):
    """The places things are in."""

    places = serializers.ListField(child=serializers.CharField())


class Places(OwnerView):
    """Where things are."""

    @extend_schema(operation_id="places_list", responses=PlacesOut)
    def get(self, request: Request) -> Response:
        """List the places, each a path from the widest."""
        mine = Asset.objects.for_owner(owner_of(request)).looked_after()
        return Response({"places": places.used(mine)})

    @extend_schema(
        operation_id="places_move", parameters=[UNDO], request=PlaceMove, responses=PlacesOut
    )
    @once
    def post(self, request: Request) -> Response:
        """Rename or move a place with all that is in it."""
        owner = owner_of(request)
        said = checked(PlaceMove, request)
        home = said["household"]
        households.require(owner=owner, household_id=home.pk)
        change = tried(
            lambda: places.move(
                household=home, old=said["place"], new=said["to"], owner=owner, now=clock.now()
            )
        )
        mine = Asset.objects.for_owner(owner).looked_after()
        return Response({"places": places.used(mine)}, headers=undoable(change))


class TagsOut(serializers.Serializer[Any]):
    """The tags there are."""

    tags = serializers.ListField(child=serializers.CharField())


class Tags(OwnerView):
    """The words put on things."""

    @extend_schema(operation_id="tags_list", responses=TagsOut)
    def get(self, request: Request) -> Response:
        """List the tags; an asset gets them with its own values."""
        mine = Tag.objects.for_owner(owner_of(request)).order_by("name")
        return Response({"tags": list(dict.fromkeys(mine.values_list("name", flat=True)[:500]))})


class CustomFieldIn(serializers.Serializer[Any]):
    """A field of the household's own."""

    household = Known(my_households)
    name = serializers.CharField(max_length=60)
    type = serializers.ChoiceField(choices=FieldType.choices)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=80), required=False, max_length=100
    )
    kind = serializers.CharField(max_length=16, allow_blank=True, required=False)


class CustomFieldOut(CustomFieldIn):
    """A field of the household's own; its values stand in an asset's `custom` by its id."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()  # type: ignore[assignment]  # its id
    is_retired = serializers.BooleanField()


class CustomFieldChange(serializers.Serializer[Any]):
    """Whether a field is asked for."""

    is_retired = serializers.BooleanField()


def show_field(row: CustomField) -> dict[str, Any]:
    """Return a field as the API shows it."""
    return {
        "id": str(row.uuid),
        "household": str(row.household.uuid),
        "name": row.name,
        "type": row.type,
        "choices": row.choices,
        "kind": row.kind,
        "is_retired": row.is_retired,
    }


class CustomFields(OwnerView):
    """The household's own fields."""

    @extend_schema(operation_id="custom_fields_list", responses=CustomFieldOut(many=True))
    def get(self, request: Request) -> Response:
        """List the household's own fields."""
        mine = CustomField.objects.for_owner(owner_of(request)).select_related("household")
        return Response([show_field(row) for row in mine.order_by("kind", "name", "pk")[:500]])

    @extend_schema(
        operation_id="custom_fields_add", request=CustomFieldIn, responses={201: CustomFieldOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Add a field."""
        owner = owner_of(request)
        values = {"choices": [], "kind": "", **checked(CustomFieldIn, request)}
        home = values.pop("household")
        households.require(owner=owner, household_id=home.pk)
        row = tried(lambda: shaping.add_field(household=home, values=values))
        return Response(show_field(row), status=201)


class OneCustomField(OwnerView):
    """One field of the household's own."""

    @extend_schema(
        operation_id="custom_fields_change", request=CustomFieldChange, responses=CustomFieldOut
    )
    @once
    def patch(self, request: Request, own_field: UUID) -> Response:
        """Ask for the field no more, or again; what it holds stays."""
        owner = owner_of(request)
        row = CustomField.objects.for_owner(owner).select_related("household").get(uuid=own_field)
        households.require(owner=owner, household_id=row.household_id)
        said = checked(CustomFieldChange, request)
        return Response(show_field(shaping.retire(field=row, is_retired=said["is_retired"])))


urlpatterns = [
    path("assets/<uuid:asset>/steps/", LifeSteps.as_view(), name="asset-steps"),
    path("assets/<uuid:asset>/acquisition/", AssetAcquisition.as_view(), name="asset-acquisition"),
    path("assets/<uuid:asset>/history/", AssetHistory.as_view(), name="asset-history"),
    path("assets/<uuid:asset>/label/", AssetLabel.as_view(), name="asset-label"),
    path("coverages/", Coverages.as_view(), name="coverages"),
    path("coverages/<uuid:coverage>/", OneCoverage.as_view(), name="coverage"),
    path("costs/", Costs.as_view(), name="costs"),
    path("costs/<uuid:cost>/", OneCost.as_view(), name="cost"),
    path("loans/", Loans.as_view(), name="loans"),
    path("codes/", Codes.as_view(), name="codes"),
    path("places/", Places.as_view(), name="places"),
    path("tags/", Tags.as_view(), name="tags"),
    path("custom-fields/", CustomFields.as_view(), name="custom-fields"),
    path("custom-fields/<uuid:own_field>/", OneCustomField.as_view(), name="custom-field"),
]
