"""An asset's life: its steps, how it came, what covers it, what it costs, what names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import (
    duedates,
    holdings,
    identifiers,
    life_words,
    passages,
    places,
    register,
    shaping,
)
from assets.choices import IdentifierScheme
from assets.life_forms import (
    AcquisitionForm,
    CodeForm,
    CostForm,
    CoverageForm,
    FieldForm,
    PlaceForm,
    StepForm,
)
from assets.lifecycle import Step, StepError
from assets.models import Asset, CostEntry, Coverage, CustomField
from assets.views import find_asset
from owners import clock, households
from owners.models import Change, Household
from owners.pages import OwnerRequest, page, said

FORM = ["GET", "HEAD", "POST"]


def tab_of(asset: Asset, tab: str) -> str:
    """Return the address of one side of an asset's page."""
    return f"{reverse('asset', args=[asset.uuid])}?tab={tab}"


def answer(  # noqa: PLR0913 - a page has that many sides
    request: OwnerRequest,
    form: Any,
    *,
    asset: Asset,
    title: str,
    back: str,
    lead: Any = "",
    save: Callable[[], Change | None],
    remove: str = "",
    template: str = "assets/life_form.html",
) -> HttpResponse:
    """Show a form about an asset, or do what was asked with it and go back."""
    if form.is_valid():
        households.require(owner=request.user, household_id=asset.household_id)
        try:
            change = save()
        except StepError as error:
            name = error.field if error.field in form.fields else None
            form.add_error(name, life_words.why(error.code, error.field))
        except holdings.HoldingError as error:
            name = error.field if error.field in form.fields else None
            form.add_error(name, _(error.detail))
        else:
            said(request, _("Saved."), change)
            return redirect(back)
    context = {
        "form": form, "asset": asset, "title": title, "lead": lead, "back": back, "remove": remove,
    }  # fmt: skip
    return render(request, template, context, status=422 if form.is_bound else 200)


def today_of(asset: Asset) -> Any:
    """Return the day it is where an asset is."""
    return duedates.today_in(asset.household.zone, clock.now())


@page
@require_http_methods(FORM)
def asset_step(request: OwnerRequest, key: UUID, step: str) -> HttpResponse:
    """Take a step in an asset's life; it says what follows, and can be undone."""
    asset = find_asset(request.user, key)
    if step not in passages.open_steps(asset):
        raise Http404
    which = Step(step)
    form = StepForm(request.POST or None, asset=asset, step=which, today=today_of(asset))
    return answer(
        request,
        form,
        asset=asset,
        title=str(life_words.LABELS[which]),
        lead=life_words.LEADS.get(which, ""),
        back=reverse("asset", args=[asset.uuid]),
        save=lambda: passages.take(
            asset=asset, step=which, said=form.cleaned_data, owner=request.user, now=clock.now()
        ),
    )


@page
@require_http_methods(FORM)
def asset_acquisition(request: OwnerRequest, key: UUID) -> HttpResponse:
    """How an asset came here, with its price line by line."""
    asset = find_asset(request.user, key)
    form = AcquisitionForm(request.POST or None, asset=asset)

    def save() -> Change | None:
        holdings.acquire(
            asset=asset,
            values=form.values(),
            lines=form.lines(),
            owner=request.user,
            now=clock.now(),
        )
        return holdings.latest(asset)

    return answer(
        request,
        form,
        asset=asset,
        title=_("How it came here"),
        back=tab_of(asset, "costs"),
        save=save,
        template="assets/acquisition_form.html",
    )


@page
@require_http_methods(FORM)
def cover_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Add a guarantee, an insurance or a contract."""
    asset = find_asset(request.user, key)
    form = CoverageForm(request.POST or None, asset=asset)

    def save() -> Change | None:
        holdings.cover(asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now())
        return holdings.latest(asset)

    title = _("Add a guarantee or insurance")
    return answer(request, form, asset=asset, title=title, back=tab_of(asset, "costs"), save=save)


@page
@require_http_methods(FORM)
def cover_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change one cover, or take it away."""
    mine = Coverage.objects.filter(asset__in=Asset.objects.for_owner(request.user))
    row = get_object_or_404(mine.select_related("asset__household"), uuid=key)
    if "remove" in request.POST:
        return removed(request, row)
    form = CoverageForm(request.POST or None, asset=row.asset, row=row)
    return answer(
        request,
        form,
        asset=row.asset,
        title=row.get_kind_display(),
        back=tab_of(row.asset, "costs"),
        save=lambda: holdings.change_cover(
            coverage=row, values=form.cleaned_data, owner=request.user, now=clock.now()
        ),
        remove=_("Remove"),
    )


@page
@require_http_methods(FORM)
def cost_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Write down money that was spent."""
    asset = find_asset(request.user, key)
    form = CostForm(request.POST or None, asset=asset, today=today_of(asset))

    def save() -> Change | None:
        holdings.spend(asset=asset, values=form.cleaned_data, owner=request.user, now=clock.now())
        return holdings.latest(asset)

    title = _("Write down a cost")
    return answer(request, form, asset=asset, title=title, back=tab_of(asset, "costs"), save=save)


@page
@require_http_methods(FORM)
def cost_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change one cost, or take it away."""
    mine = CostEntry.objects.filter(asset__in=Asset.objects.for_owner(request.user))
    row = get_object_or_404(mine.select_related("asset__household"), uuid=key)
    if "remove" in request.POST:
        return removed(request, row)
    form = CostForm(request.POST or None, asset=row.asset, today=today_of(row.asset), row=row)
    return answer(
        request,
        form,
        asset=row.asset,
        title=_("Change a cost"),
        back=tab_of(row.asset, "costs"),
        save=lambda: holdings.change_cost(
            cost=row, values=form.cleaned_data, owner=request.user, now=clock.now()
        ),
        remove=_("Remove"),
    )


def removed(request: OwnerRequest, row: Coverage | CostEntry) -> HttpResponse:
    """Take a cover or a cost away."""
    asset = row.asset
    households.require(owner=request.user, household_id=asset.household_id)
    change = holdings.remove(row=row, owner=request.user, now=clock.now())
    said(request, _("Removed."), change)
    return redirect(tab_of(asset, "costs"))


@page
@require_POST
def asset_code(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take what a scanned or pasted code says into the asset's numbers."""
    asset = find_asset(request.user, key)
    households.require(owner=request.user, household_id=asset.household_id)
    form = CodeForm(request.POST)
    read = identifiers.read_code(form.cleaned_data["code"]) if form.is_valid() else None
    if read is None or not read.identifiers:
        messages.error(request, _("This code says nothing we can keep."))
        return redirect(tab_of(asset, "details"))
    known = [(IdentifierScheme(row.scheme), row.value) for row in asset.identifiers.order_by("pk")]
    change = register.edit(
        asset=asset,
        values={},
        identifiers=[*known, *read.identifiers],
        owner=request.user,
        now=clock.now(),
    )
    names = ", ".join(str(scheme.label) for scheme, _value in read.identifiers)
    said(request, _("Read from the code: %(names)s.") % {"names": names}, change)
    return redirect(tab_of(asset, "details"))


@page
@require_http_methods(FORM)
def place_list(request: OwnerRequest) -> HttpResponse:
    """The places things are in; each can be renamed or moved with all that is in it."""
    form = PlaceForm(request.POST or None)
    homes = Household.objects.for_owner(request.user).order_by("pk")
    if form.is_valid():
        home = get_object_or_404(homes, uuid=form.cleaned_data["household"])
        households.require(owner=request.user, household_id=home.pk)
        try:
            moved = places.move(
                household=home,
                old=form.cleaned_data["old"],
                new=form.cleaned_data["new"],
                owner=request.user,
                now=clock.now(),
            )
        except places.PlaceError as error:
            messages.error(request, _(str(error)))
        else:
            said(request, _("Saved."), moved)
        return redirect("places")
    here = Asset.objects.for_owner(request.user).looked_after()
    rows = [
        {
            "household": home,
            "path": path,
            "name": path.rpartition(places.SEPARATOR)[2],
            "depth": min(len(places.above(path)), 6),
        }
        for home in homes
        for path in places.used(here.filter(household=home))
    ]
    return render(request, "assets/places.html", {"rows": rows, "form": form})


@page
@require_http_methods(FORM)
def field_list(request: OwnerRequest) -> HttpResponse:
    """The fields of the household's own, and a new one."""
    household = households.ensure_first(owner=request.user, now=clock.now())
    form = FieldForm(request.POST or None)
    if form.is_valid():
        households.require(owner=request.user, household_id=household.pk)
        try:
            shaping.add_field(household=household, values=form.cleaned_data)
        except shaping.ShapeError as error:
            form.add_error(error.field, _(error.detail))
        else:
            messages.success(request, _("Saved."))
            return redirect("asset-fields")
    mine = CustomField.objects.for_owner(request.user).order_by("kind", "name")
    status = 422 if form.is_bound else 200
    return render(request, "assets/fields.html", {"rows": mine, "form": form}, status=status)


@page
@require_POST
def field_retire(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Ask for a field no more, or again; what it holds stays."""
    row = get_object_or_404(CustomField.objects.for_owner(request.user), uuid=key)
    households.require(owner=request.user, household_id=row.household_id)
    shaping.retire(field=row, is_retired=not row.is_retired)
    messages.success(request, _("Saved."))
    return redirect("asset-fields")


@page
@require_GET
def asset_history(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Every change of every field, with who stated it."""
    asset = find_asset(request.user, key)
    rows = shaping.history(asset)
    return render(request, "assets/history.html", {"asset": asset, "rows": rows})
