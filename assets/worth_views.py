"""Costs and value of one thing: by year, its contracts, and whether to repair or replace."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import costing, inventory, radar, tabs, worth
from assets.cover_words import Basis
from assets.life_views import FORM, answer, today_of
from assets.models import Asset, Contract, Valuation, ValuePlan
from assets.serving import as_download
from assets.views import find_asset
from assets.worth_forms import ChoiceForm, ContractForm, PlanForm, ValuationForm
from owners import clock, households
from owners.models import Household
from owners.pages import OwnerRequest, page, said

SHOWN = 50
CSV, PDF = "text/csv; charset=utf-8", "application/pdf"


def sums_row(sums: costing.Sums, currency: str) -> dict[str, Any]:
    """Return what a span cost, rounded as its currency is."""

    def shown(amount: Decimal) -> Decimal:
        return costing.rounded(amount, currency)

    return {
        "currency": currency,
        "depreciation": shown(sums.depreciation),
        "running": shown(sum(sums.running.values(), Decimal(0))),
        "interest": shown(sums.interest),
        "recovered": shown(sums.recovered),
        "total": shown(sums.total),
    }


def back_to(asset: Asset) -> str:
    """Return the address of a thing's costs and value."""
    return reverse("asset-worth", args=[asset.uuid])


@page
@require_GET
def asset_worth(request: OwnerRequest, key: UUID) -> HttpResponse:
    """What a thing is worth and costs."""
    asset = find_asset(request.user, key)
    today = today_of(asset)
    found = worth.account(asset, today=today)
    wholes = []
    for currency, sums in sorted(found.whole.items()):
        row = sums_row(sums, currency)
        for name, amount in (
            ("per_day", found.per_day(currency)),
            ("per_unit", found.per_unit(currency)),
        ):
            row[name] = None if amount is None else costing.rounded(amount, currency)
        wholes.append(row)
    known = worth.proposed(asset, today=today)
    asked = ChoiceForm(request.GET or None, known=known)
    compared = None
    if asked.is_valid():
        compared = costing.compare(costing.Choice(**asked.values()))
    new = worth.replacement_of(asset)
    context = {
        "asset": asset,
        "tabs": tabs.of(asset, "costs"),
        "found": found,
        "value": None
        if found.value is None or found.worth is None
        else costing.rounded(found.value, found.worth.currency),
        "wholes": wholes,
        "years": [
            {"year": year, **sums_row(sums, currency)}
            for year, by in sorted(found.years.items(), reverse=True)
            for currency, sums in sorted(by.items())
        ],
        "plan": worth.plan_of(asset),
        "new": new,
        "cash": None
        if new is None or found.worth is None or new.currency != found.worth.currency
        else costing.rounded(
            costing.actual_cash_value(found.worth, replacement=new.amount, day=today), new.currency
        ),
        "valuations": asset.valuations.order_by("-on", "-pk")[:SHOWN],
        "contracts": contracts_of(asset, today),
        "choice_form": asked,
        "known": known,
        "compared": compared,
    }
    return render(request, "assets/worth.html", context)


def contracts_of(asset: Asset, today: Any) -> list[dict[str, Any]]:
    """Return an asset's contracts with the fee that holds and the last day to give notice."""
    rows = asset.contracts.prefetch_related("fees").order_by("-starts_on", "-pk")
    found = []
    for row in rows[:SHOWN]:
        fees = sorted(row.fees.all(), key=lambda fee: fee.since)
        held = [fee for fee in fees if fee.since <= today] or fees
        found.append(
            {
                "row": row,
                "fee": held[-1] if held else None,
                "cancel_by": worth.cancel_by(row, today=today),
            }
        )
    return found


@page
@require_GET
def worth_csv(request: OwnerRequest, key: UUID) -> HttpResponse:
    """A thing's costs by year, for a spreadsheet."""
    asset = find_asset(request.user, key)
    content = worth.as_csv(asset, today=today_of(asset)).encode("utf-8-sig")
    return as_download(content, name=f"{asset.name}.csv", kind=CSV)


@page
@require_http_methods(FORM)
def worth_plan(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say how a thing loses value."""
    asset = find_asset(request.user, key)
    row = ValuePlan.objects.filter(asset=asset).select_related("meter").first()
    form = PlanForm(request.POST or None, asset=asset, row=row)
    return answer(
        request,
        form,
        asset=asset,
        title=_("How it loses value"),
        back=back_to(asset),
        save=lambda: worth.plan(
            asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now()
        ),
    )


@page
@require_http_methods(FORM)
def valuation_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Write down what a thing is worth."""
    asset = find_asset(request.user, key)
    initial = {"on": today_of(asset).isoformat(), "currency": asset.household.currency}
    initial["basis"] = request.GET.get("basis", Basis.MARKET.value)
    form = ValuationForm(request.POST or None, initial=initial)
    return answer(
        request,
        form,
        asset=asset,
        title=_("What it is worth"),
        back=back_to(asset),
        save=lambda: worth.value(
            asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now()
        )[1],
    )


@page
@require_POST
def valuation_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take a valuation away."""
    mine = Valuation.objects.for_owner(request.user).select_related("asset__household")
    row = get_object_or_404(mine, uuid=key)
    households.require(owner=request.user, household_id=row.household_id)
    back = back_to(row.asset)
    said(request, _("Removed."), worth.unvalue(valuation=row, owner=request.user, now=clock.now()))
    return redirect(back)


@page
@require_http_methods(FORM)
def contract_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Write a contract down."""
    asset = find_asset(request.user, key)
    form = ContractForm(request.POST or None, asset=asset)
    return answer(
        request,
        form,
        asset=asset,
        title=_("Add a contract"),
        back=back_to(asset),
        save=lambda: worth.agree(
            asset=asset, values=form.values(), owner=request.user, now=clock.now()
        )[1],
    )


@page
@require_http_methods(FORM)
def contract_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change a contract, its fee from a day on, or take it away."""
    mine = Contract.objects.for_owner(request.user).select_related("asset__household")
    row = get_object_or_404(mine, uuid=key)
    back = back_to(row.asset)
    if "remove" in request.POST:
        households.require(owner=request.user, household_id=row.household_id)
        change = worth.remove(contract=row, owner=request.user, now=clock.now())
        said(request, _("Removed."), change)
        return redirect(back)
    form = ContractForm(request.POST or None, asset=row.asset, row=row)
    return answer(
        request,
        form,
        asset=row.asset,
        title=row.party,
        back=back,
        save=lambda: worth.change(
            contract=row, values=form.values(), owner=request.user, now=clock.now()
        ),
        remove=_("Remove"),
    )


# --- the list for the insurer ------------------------------------------------------------


@page
@require_GET
def inventory_page(request: OwnerRequest) -> HttpResponse:
    """Everything with its value and proof, as an insurer asks for it."""
    home = chosen_home(request)
    found = inventory.of_household(home, now=clock.now()) if home else None
    homes = Household.objects.for_owner(request.user).order_by("pk")
    context = {"found": found, "home": home, "homes": homes}
    return render(request, "assets/inventory.html", context)


def chosen_home(request: OwnerRequest) -> Household | None:
    """Return the household that is asked for, else the first."""
    homes = Household.objects.for_owner(request.user).order_by("pk")
    try:
        key = UUID(request.GET.get("household", ""))
    except ValueError:
        return homes.first()
    return homes.filter(uuid=key).first()


@page
@require_GET
def inventory_file(request: OwnerRequest, form: str) -> HttpResponse:
    """The list for the insurer as PDF or CSV."""
    home = chosen_home(request)
    if home is None or form not in ("pdf", "csv"):
        return HttpResponse(status=404)
    found = inventory.of_household(home, now=clock.now())
    if form == "csv":
        content = inventory.as_csv(found).encode("utf-8-sig")
        return as_download(content, name=f"{home.name}.csv", kind=CSV)
    return as_download(inventory.paper(found), name=f"{home.name}.pdf", kind=PDF)


@page
@require_GET
def deadline_list(request: OwnerRequest) -> HttpResponse:
    """Days that cost money if they pass, the next first."""
    today = radar.today_for(request.user, clock.now())
    rows = radar.of_owner(request.user, today=today)
    return render(request, "assets/deadlines.html", {"rows": rows, "today": today})
