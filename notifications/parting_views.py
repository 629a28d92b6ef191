"""What a mandate allows: changed, paused or ended, each with what it would do shown first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notifications import partings
from owners import clock
from owners.pages import OwnerRequest, page, said
from suppliers import mandates
from suppliers.choices import FactName, MandateState, Purpose
from suppliers.forms import MandateForm
from suppliers.models import Mandate
from suppliers.views import find_mandate, for_admin


@page
@require_http_methods(["GET", "HEAD", "POST"])
def mandate_end(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Show what ending a mandate does, and end it."""
    if request.method != "POST":
        return preview(request, find_mandate(request.user, key), state=MandateState.ENDED)
    mandate = for_admin(request, key)
    change = mandates.end(mandate=mandate, owner=request.user, now=clock.now())
    said(request, _("Ended. What they send from now on is refused."), change)
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def mandate_pause(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Show what pausing a mandate does, and pause it."""
    if request.method != "POST":
        return preview(request, find_mandate(request.user, key), state=MandateState.PAUSED)
    mandate = for_admin(request, key)
    change = mandates.change(
        mandate=mandate, state=MandateState.PAUSED, owner=request.user, now=clock.now()
    )
    said(request, _("Paused. What they send is kept, and nobody is told."), change)
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def mandate_grant(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Choose what a supplier may do and know; show what changes, then change it."""
    mandate = find_mandate(request.user, key)
    if request.method != "POST":
        initial = {
            "purposes": mandate.purposes,
            "facts": mandate.facts,
            "assets": [asset.uuid for asset in mandate.assets.all()],
        }
        form = MandateForm(initial=initial, household=mandate.household)
        return render(request, "notifications/mandate_grant.html", choosing(mandate, form))
    mandate = for_admin(request, key)
    form = MandateForm(request.POST, household=mandate.household)
    if not form.is_valid():
        context = choosing(mandate, form)
        return render(request, "notifications/mandate_grant.html", context, status=422)
    wanted: dict[str, Any] = {
        "purposes": [Purpose(name) for name in form.cleaned_data["purposes"]],
        "facts": [FactName(name) for name in form.cleaned_data["facts"]],
        "assets": list(form.cleaned_data["assets"]),
    }
    if not request.POST.get("sure"):
        return preview(request, mandate, form=form, **wanted)
    change = mandates.change(mandate=mandate, owner=request.user, now=clock.now(), **wanted)
    said(request, _("Saved. They are told."), change)
    return redirect("supplier", key=mandate.supplier.uuid)


def choosing(mandate: Mandate, form: MandateForm) -> dict[str, object]:
    """Return what the form's page shows."""
    return {"mandate": mandate, "form": form}


def preview(
    request: OwnerRequest,
    mandate: Mandate,
    *,
    state: MandateState | None = None,
    form: MandateForm | None = None,
    **wanted: Any,
) -> HttpResponse:
    """Render what a change would do, with the letter that would go out."""
    effects = partings.foresee(mandate=mandate, state=state, now=clock.now(), **wanted)
    context = {
        "mandate": mandate,
        "effects": effects,
        "state": str(state or ""),
        "form": form,
        "kept": form.data.lists() if form else (),  # type: ignore[attr-defined]  # of a posted form
        "address": mandates.alias_address(mandate),
    }
    return render(request, "notifications/mandate_effects.html", context)
