"""Templates: ours, and the household's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import starters, templating
from assets.models import Asset, Template
from assets.template_forms import TemplateForm
from owners import clock, households
from owners.models import Household
from owners.pages import OwnerRequest, chosen_household, page, said


@page
@require_GET
def template_list(request: OwnerRequest) -> HttpResponse:
    """What a thing can be added as: the household's own templates, and ours."""
    mine = Template.objects.for_owner(request.user).select_related("household").order_by("pk")
    own = [{"row": row, "starter": starters.read_template(row.body)} for row in mine]
    changed = {row.slug for row in mine}
    context = {
        "own": own,
        "ours": [each for each in starters.STARTERS.values() if each.slug not in changed],
        "assets": Asset.objects.for_owner(request.user).looked_after()[:200],
    }
    return render(request, "assets/templates.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def template_add(request: OwnerRequest) -> HttpResponse:
    """A new template: empty, like one of ours, instead of one of ours, or like a thing."""
    household = chosen_household(request) or households.ensure_first(
        owner=request.user, now=clock.now()
    )
    instead = request.GET.get("instead", "")
    begins = _begins(request, household)
    form = TemplateForm(request.POST or None, begins=begins)
    if form.is_valid():
        households.require(owner=request.user, household_id=household.pk)
        try:
            _row, change = templating.add(
                household=household,
                values=form.values(),
                owner=request.user,
                now=clock.now(),
                instead_of=instead,
            )
        except templating.TemplateError as error:
            form.add_error(_field(form, error), _(error.detail))
        else:
            said(request, _("Saved."), change)
            return redirect("asset-templates")
    context = {"form": form, "title": _("A template of your own"), "row": None}
    status = 422 if form.is_bound else 200
    return render(request, "assets/template.html", context, status=status)


def _begins(request: OwnerRequest, household: Household) -> dict[str, Any]:
    """Return what a new template begins as; nobody else's thing is a pattern."""
    slug = request.GET.get("instead", "") or request.GET.get("like", "")
    if slug:
        starter = templating.known_to([household]).get(slug)
        if starter is None:
            raise Http404
        return templating.copied(starter)
    if named := request.GET.get("asset", ""):
        try:
            key = UUID(named)
        except ValueError as error:
            raise Http404 from error
        mine = Asset.objects.for_owner(request.user).filter(household=household)
        return templating.of_asset(get_object_or_404(mine, uuid=key))
    return templating.blank()


@page
@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change a template of the household's own."""
    row = _find(request, key)
    form = TemplateForm(request.POST or None, begins=templating.values_of(row))
    if form.is_valid():
        households.require(owner=request.user, household_id=row.household_id)
        try:
            change = templating.change(
                row=row, values=form.values(), owner=request.user, now=clock.now()
            )
        except templating.TemplateError as error:
            form.add_error(_field(form, error), _(error.detail))
        else:
            said(request, _("Saved."), change)
            return redirect("asset-templates")
    context = {"form": form, "title": form.begins["label"], "row": row}
    status = 422 if form.is_bound else 200
    return render(request, "assets/template.html", context, status=status)


@page
@require_POST
def template_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take a template of the household's own away; what was added from it stays."""
    row = _find(request, key)
    households.require(owner=request.user, household_id=row.household_id)
    change = templating.remove(row=row, owner=request.user, now=clock.now())
    said(request, _("Removed."), change)
    return redirect("asset-templates")


def _find(request: OwnerRequest, key: UUID) -> Template:
    mine = Template.objects.for_owner(request.user).select_related("household")
    return get_object_or_404(mine, uuid=key)


def _field(form: TemplateForm, error: templating.TemplateError) -> str:
    return error.field if error.field in form.fields else "more"
