"""What an asset costs and is worth in the API; its contracts, and the list for the insurer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import costing, duedates, inventory, radar, worth
from assets.api.care import MoneyField, my_meters
from assets.api.cover import of_owner, shown_money, tried
from assets.api.life import may_write, my_assets, my_households
from assets.choices import CostCategory
from assets.cover_words import Basis, ContractKind, Method
from assets.models import Asset, Contract, Fee, Valuation, ValuePlan
from assets.serving import as_download
from owners import clock
from owners.api.edge import UNDO, Known, OwnerView, asked, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Owner

AMOUNT: Any = {"max_digits": 14, "decimal_places": 4}


def text_of(amount: Decimal | None, currency: str) -> str | None:
    """Return an amount with the digits of its currency."""
    return None if amount is None else str(costing.rounded(amount, currency))


class SumsOut(serializers.Serializer[Any]):
    """What a span cost in one currency; a gain is negative."""

    currency = serializers.CharField()
    depreciation = serializers.CharField()
    running = serializers.DictField(child=serializers.CharField(), help_text="By category.")
    interest = serializers.CharField()
    recovered = serializers.CharField()
    total = serializers.CharField()


class WholeOut(SumsOut):
    """What owning came to, and what that is a day and a unit of use."""

    per_day = serializers.CharField(allow_null=True)
    per_unit = serializers.CharField(allow_null=True)


class YearOut(SumsOut):
    """What a calendar year cost."""

    year = serializers.IntegerField()


class PlanFields(serializers.Serializer[Any]):
    """How an asset loses value."""

    method = serializers.ChoiceField(choices=Method.choices, required=False)
    salvage = serializers.DecimalField(required=False, min_value=Decimal(0), **AMOUNT)
    life_months = serializers.IntegerField(min_value=1, max_value=1200, required=False)
    rate = serializers.DecimalField(
        max_digits=5, decimal_places=4, required=False, allow_null=True, help_text="A year's share."
    )
    life_units = serializers.DecimalField(
        max_digits=18, decimal_places=3, required=False, allow_null=True
    )
    meter = Known(my_meters, required=False, allow_null=True)


class PlanOut(PlanFields):
    """How an asset loses value; evenly over ten years unless it is said."""

    meter = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]  # its id


class WorthOut(serializers.Serializer[Any]):
    """What an asset costs and is worth; each currency by itself, nothing is converted."""

    until = serializers.DateField()
    since = serializers.DateField(allow_null=True)
    value = MoneyField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)
    whole = WholeOut(many=True)
    years = YearOut(many=True)
    plan = PlanOut()


def show_sums(sums: costing.Sums, currency: str) -> dict[str, Any]:
    """Return what a span cost as the API shows it."""
    running = {
        CostCategory(category).value: text_of(amount, currency)
        for category, amount in sorted(sums.running.items())
    }
    names = ("depreciation", "interest", "recovered", "total")
    return {
        "currency": currency,
        "running": running,
        **{name: text_of(getattr(sums, name), currency) for name in names},
    }


def show_plan(asset: Asset) -> dict[str, Any]:
    """Return how an asset loses value as the API shows it."""
    row = worth.plan_of(asset) or ValuePlan(asset=asset)
    return {
        "method": row.method,
        "salvage": row.salvage,
        "life_months": row.life_months,
        "rate": row.rate,
        "life_units": row.life_units,
        "meter": str(row.meter.uuid) if row.meter else None,
    }


class AssetWorth(OwnerView):
    """What an asset costs and is worth."""

    @extend_schema(operation_id="asset_worth_get", responses=WorthOut)
    def get(self, request: Request, asset: UUID) -> Response:
        """Return what owning came to, in all and by year."""
        return Response(self.shown(my_assets(owner_of(request)).get(uuid=asset)))

    @extend_schema(
        operation_id="asset_worth_plan", parameters=[UNDO], request=PlanFields, responses=WorthOut
    )
    @once
    def patch(self, request: Request, asset: UUID) -> Response:
        """Say how the asset loses value."""
        owner = owner_of(request)
        found = my_assets(owner).get(uuid=asset)
        may_write(owner, found)
        values = checked(PlanFields, request)
        change = tried(lambda: worth.plan(asset=found, values=values, owner=owner, now=clock.now()))
        again = my_assets(owner).get(uuid=asset)
        return Response(self.shown(again), headers=undoable(change))

    def shown(self, asset: Asset) -> dict[str, Any]:
        """Return an account as the API shows it."""
        today = duedates.today_in(asset.household.zone, clock.now())
        found = worth.account(asset, today=today)
        value = None
        if found.value is not None and found.worth is not None:
            currency = found.worth.currency
            value = {"amount": text_of(found.value, currency), "currency": currency}
        return {
            "until": found.until,
            "since": found.since,
            "value": value,
            "unit": found.unit,
            "whole": [
                {
                    **show_sums(sums, currency),
                    "per_day": text_of(found.per_day(currency), currency),
                    "per_unit": text_of(found.per_unit(currency), currency),
                }
                for currency, sums in sorted(found.whole.items())
            ],
            "years": [
                {"year": year, **show_sums(sums, currency)}
                for year, by in found.years.items()
                for currency, sums in sorted(by.items())
            ],
            "plan": show_plan(asset),
        }


class ChoiceIn(serializers.Serializer[Any]):
    """Two ways on for so many years, all amounts in one currency."""

    years = serializers.IntegerField(min_value=1, max_value=50)
    repair = serializers.DecimalField(**AMOUNT)
    paid_by_cover = serializers.DecimalField(required=False, **AMOUNT)
    upkeep = serializers.DecimalField(required=False, **AMOUNT)
    price = serializers.DecimalField(**AMOUNT)
    salvage = serializers.DecimalField(required=False, **AMOUNT)
    upkeep_new = serializers.DecimalField(required=False, **AMOUNT)


class ProposedOut(serializers.Serializer[Any]):
    """The numbers that the record has; null where it has none."""

    currency = serializers.CharField()
    years = serializers.IntegerField()
    repair = serializers.CharField(allow_null=True)
    paid_by_cover = serializers.CharField(allow_null=True)
    payer = serializers.CharField()
    upkeep = serializers.CharField(allow_null=True)
    price = serializers.CharField(allow_null=True)
    salvage = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True, help_text="Of the thing as it is, today.")


class ProposedNumbers(OwnerView):
    """What the record says for repair or replace."""

    @extend_schema(operation_id="asset_repair_or_replace", responses=ProposedOut)
    def get(self, request: Request, asset: UUID) -> Response:
        """Return the numbers to begin with: the repair, who pays, upkeep, price and value."""
        found = my_assets(owner_of(request)).get(uuid=asset)
        today = duedates.today_in(found.household.zone, clock.now())
        known = worth.proposed(found, today=today)
        names = ("repair", "paid_by_cover", "upkeep", "price", "salvage", "value")
        amounts = {name: text_of(getattr(known, name), known.currency) for name in names}
        said = {"currency": known.currency, "years": known.years, "payer": known.payer}
        return Response(said | amounts)


class ComparedOut(serializers.Serializer[Any]):
    """What a year costs either way."""

    repaired = serializers.CharField()
    replaced = serializers.CharField()
    is_new_cheaper = serializers.BooleanField()


class RepairOrReplace(OwnerView):
    """Repair it, or buy a new one?"""

    @extend_schema(operation_id="repair_or_replace", request=ChoiceIn, responses=ComparedOut)
    @once
    def post(self, request: Request) -> Response:
        """Compare both ways by the year; nothing is stored, and nothing decided."""
        said = checked(ChoiceIn, request)
        names = ("repair", "paid_by_cover", "upkeep", "price", "salvage", "upkeep_new")
        amounts = {name: said.get(name, Decimal(0)) for name in names}
        found = costing.compare(costing.Choice(years=said["years"], **amounts))
        return Response(
            {
                "repaired": f"{found.repaired:.2f}",
                "replaced": f"{found.replaced:.2f}",
                "is_new_cheaper": found.is_new_cheaper,
            }
        )


# --- valuations --------------------------------------------------------------------------


class ValuationIn(serializers.Serializer[Any]):
    """What an asset is worth on a day."""

    asset = Known(my_assets)
    on = serializers.DateField()
    value = MoneyField()
    basis = serializers.ChoiceField(choices=Basis.choices, required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class ValuationOut(ValuationIn):
    """What an asset was worth on a day, and by whose word."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()  # type: ignore[assignment]  # its id
    created_at = serializers.DateTimeField()


def show_valuation(row: Valuation) -> dict[str, Any]:
    """Return a valuation as the API shows it."""
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "on": row.on,
        "value": shown_money(row.amount, row.currency),
        "basis": row.basis,
        "note": row.note,
        "created_at": row.created_at,
    }


class Valuations(OwnerView):
    """What assets are worth."""

    @listed(
        "valuations_list",
        pages=page_of(ValuationOut, "Valuation"),
        show=show_valuation,
        by="-created_at",
        filters=[filter_of("basis", Basis), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[Valuation]:
        """List valuations, the newest first."""
        rows: QuerySet[Valuation] = of_owner(Valuation.objects, owner_of(request))
        rows = narrowed(rows, request, "basis", Basis)
        return of(rows, request, asset="asset__uuid")

    @extend_schema(
        operation_id="valuations_add",
        parameters=[UNDO],
        request=ValuationIn,
        responses={201: ValuationOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Write down what an asset is worth."""
        owner = owner_of(request)
        values = checked(ValuationIn, request)
        asset = values.pop("asset")
        may_write(owner, asset)
        values |= values.pop("value")
        row, change = tried(
            lambda: worth.value(asset=asset, values=values, owner=owner, now=clock.now())
        )
        return Response(show_valuation(row), status=201, headers=undoable(change))


class OneValuation(OwnerView):
    """One valuation."""

    @extend_schema(operation_id="valuations_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, valuation: UUID) -> Response:
        """Take a valuation away."""
        owner = owner_of(request)
        row = of_owner(Valuation.objects, owner).get(uuid=valuation)
        may_write(owner, row.asset)
        change = worth.unvalue(valuation=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- contracts ---------------------------------------------------------------------------


class FeeField(serializers.Serializer[Any]):
    """What a contract costs from a day on; 0 months is paid once."""

    since = serializers.DateField()
    cost = MoneyField()
    months = serializers.IntegerField(min_value=0, max_value=120, required=False)
    interest = serializers.DecimalField(required=False, allow_null=True, **AMOUNT)
    is_variable = serializers.BooleanField(required=False)


class ContractChange(serializers.Serializer[Any]):
    """A contract; a fee that is said holds from its day on."""

    kind = serializers.ChoiceField(choices=ContractKind.choices)
    party = serializers.CharField(max_length=120)
    number = serializers.CharField(max_length=80, allow_blank=True, required=False)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True)
    notice_days = serializers.IntegerField(
        min_value=0, max_value=3650, required=False, allow_null=True
    )
    renews_months = serializers.IntegerField(
        min_value=1, max_value=1200, required=False, allow_null=True
    )
    cancelled_on = serializers.DateField(required=False, allow_null=True)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)
    fee = FeeField(required=False)


class ContractIn(ContractChange):
    """A new contract."""

    asset = Known(my_assets)


class ContractOut(ContractChange):
    """What is paid for again and again."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    fee = None  # type: ignore[assignment]  # all of them stand in `fees`
    fees = FeeField(many=True)
    cancel_by = serializers.DateField(allow_null=True, help_text="The last day to give notice.")
    created_at = serializers.DateTimeField()


def show_fee(row: Fee) -> dict[str, Any]:
    """Return a fee as the API shows it."""
    return {
        "since": row.since,
        "cost": shown_money(row.amount, row.currency),
        "months": row.months,
        "interest": row.interest,
        "is_variable": row.is_variable,
    }


def show_contract(row: Contract) -> dict[str, Any]:
    """Return a contract as the API shows it."""
    today = duedates.today_in(row.asset.household.zone, clock.now())
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        **{name: getattr(row, name) for name in worth.CONTRACT_FIELDS},
        "fees": [show_fee(fee) for fee in sorted(row.fees.all(), key=lambda fee: fee.since)],
        "cancel_by": worth.cancel_by(row, today=today),
        "created_at": row.created_at,
    }


def my_contracts(owner: Owner) -> QuerySet[Contract]:
    """Return the owner's contracts with all that shows them."""
    found: QuerySet[Contract] = of_owner(Contract.objects, owner).prefetch_related("fees")
    return found


def contract_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return a request's values as a contract keeps them."""
    fee = values.get("fee")
    if fee is not None:
        values["fee"] = {"months": 1, "is_variable": False, **fee, **fee.pop("cost")}
        values["fee"].pop("cost", None)
    return values


class Contracts(OwnerView):
    """Contracts."""

    @listed(
        "contracts_list",
        pages=page_of(ContractOut, "Contract"),
        show=show_contract,
        by="-created_at",
        filters=[filter_of("kind", ContractKind), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[Contract]:
        """List contracts, the newest first."""
        rows = narrowed(my_contracts(owner_of(request)), request, "kind", ContractKind)
        return of(rows, request, asset="asset__uuid")

    @extend_schema(
        operation_id="contracts_add",
        parameters=[UNDO],
        request=ContractIn,
        responses={201: ContractOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Write a contract down."""
        owner = owner_of(request)
        values = contract_values(checked(ContractIn, request))
        asset = values.pop("asset")
        may_write(owner, asset)
        row, change = tried(
            lambda: worth.agree(asset=asset, values=values, owner=owner, now=clock.now())
        )
        return Response(show_contract(row), status=201, headers=undoable(change))


class OneContract(OwnerView):
    """One contract."""

    @extend_schema(operation_id="contracts_get", responses=ContractOut)
    def get(self, request: Request, contract: UUID) -> Response:
        """Return one contract."""
        return Response(show_contract(my_contracts(owner_of(request)).get(uuid=contract)))

    @extend_schema(
        operation_id="contracts_change",
        parameters=[UNDO],
        request=ContractChange,
        responses=ContractOut,
    )
    @once
    def patch(self, request: Request, contract: UUID) -> Response:
        """Change a contract, or its fee from a day on."""
        owner = owner_of(request)
        row = my_contracts(owner).get(uuid=contract)
        may_write(owner, row.asset)
        values = contract_values(checked(ContractChange, request, partial=True))
        change = tried(
            lambda: worth.change(contract=row, values=values, owner=owner, now=clock.now())
        )
        again = my_contracts(owner).get(uuid=contract)
        return Response(show_contract(again), headers=undoable(change))

    @extend_schema(operation_id="contracts_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, contract: UUID) -> Response:
        """Take a contract away with its fees."""
        owner = owner_of(request)
        row = my_contracts(owner).get(uuid=contract)
        may_write(owner, row.asset)
        change = worth.remove(contract=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- the list for the insurer ------------------------------------------------------------


class InventoryAsked(serializers.Serializer[Any]):
    """Whose list, and in which form."""

    household = Known(my_households, required=False)
    form = serializers.ChoiceField(choices=["pdf", "csv"], required=False)


class InventoryFile(OwnerView):
    """The inventory for the insurer."""

    @extend_schema(
        operation_id="inventory_get",
        parameters=[
            OpenApiParameter(
                "household",
                OpenApiTypes.UUID,
                description="The first of the owner's unless given.",
            ),
            OpenApiParameter("form", OpenApiTypes.STR, enum=["pdf", "csv"]),
        ],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "text/csv"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Give out everything a household owns with value and proof, as PDF or CSV."""
        said = asked(InventoryAsked, request)
        home = said.get("household") or my_households(owner_of(request)).first()
        if home is None:
            raise Problem(404, code="not_found", detail="There is no household.")
        found = inventory.of_household(home, now=clock.now())
        if said.get("form") == "csv":
            content = inventory.as_csv(found).encode("utf-8-sig")
            return as_download(content, name=f"{home.name}.csv", kind="text/csv; charset=utf-8")
        return as_download(inventory.paper(found), name=f"{home.name}.pdf", kind="application/pdf")


# --- deadlines ---------------------------------------------------------------------------


class DeadlineOut(serializers.Serializer[Any]):
    """A day that costs money if it passes."""

    kind = serializers.ChoiceField(
        choices=[
            "return",
            "register",
            "guarantee",
            "cover",
            "notice",
            "claim",
            "defect",
            "inspection",
        ]
    )
    on = serializers.DateField()
    asset = serializers.UUIDField()
    about = serializers.UUIDField(
        help_text="The cover, contract, claim, fault or task; else the asset."
    )
    text = serializers.CharField()


class Deadlines(OwnerView):
    """What passes unless the owner acts."""

    @extend_schema(operation_id="deadlines_list", responses=DeadlineOut(many=True))
    def get(self, request: Request) -> Response:
        """List the deadlines of a year, the next first."""
        owner = owner_of(request)
        today = radar.today_for(owner, clock.now())
        return Response(
            [
                {
                    "kind": row.kind,
                    "on": row.on,
                    "asset": str(row.asset.uuid),
                    "about": str(row.about),
                    "text": row.text,
                }
                for row in radar.of_owner(owner, today=today)
            ]
        )


urlpatterns = [
    path("assets/<uuid:asset>/worth/", AssetWorth.as_view(), name="asset-worth"),
    path(
        "assets/<uuid:asset>/repair-or-replace/",
        ProposedNumbers.as_view(),
        name="asset-repair-or-replace",
    ),
    path("repair-or-replace/", RepairOrReplace.as_view(), name="repair-or-replace"),
    path("valuations/", Valuations.as_view(), name="valuations"),
    path("valuations/<uuid:valuation>/", OneValuation.as_view(), name="valuation"),
    path("contracts/", Contracts.as_view(), name="contracts"),
    path("contracts/<uuid:contract>/", OneContract.as_view(), name="contract"),
    path("deadlines/", Deadlines.as_view(), name="deadlines"),
    path("inventory/", InventoryFile.as_view(), name="inventory"),
]
