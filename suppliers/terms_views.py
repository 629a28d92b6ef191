"""The owner's pages of what a supplier knows and of what was agreed with it."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from owners import clock, households
from owners.choices import Rank
from owners.pages import OwnerRequest, chosen_household, page, way_back
from suppliers import agreements, disclosure, mandates, terms
from suppliers.choices import FactName
from suppliers.forms import HomeFactsForm
from suppliers.models import ConsentReceipt
from suppliers.views import for_admin, switched


@require_safe
def text(request: HttpRequest, code: str, version: str) -> HttpResponse:
    """Show an agreement to everybody, byte for byte as it is hashed."""
    found = agreements.TEXTS.get((code, version))
    if found is None:
        raise Http404
    response = HttpResponse(found.text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=86400"
    response["X-Agreement-SHA256"] = found.sha256
    return response


@page
@require_POST
def fact_switch(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Let a supplier know a fact, or take that back."""
    return switched(request, key, what="fact", known=FactName, change=mandates.disclose)


@page
@require_POST
def terms_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Offer a supplier an agreement, or take one back."""
    mandate = for_admin(request, key)
    agreement = agreements.ROSTER.get(str(request.POST.get("code", "")))
    if agreement is None:
        return HttpResponse(status=400)
    is_back = bool(request.POST.get("withdraw"))
    act = terms.withdraw if is_back else terms.proffer
    try:
        act(mandate=mandate, agreement=agreement, owner=request.user, now=clock.now())
    except terms.TermsError as error:
        messages.error(request, _(error.detail))
    else:
        messages.success(request, _("Taken back. They are told.") if is_back else _("Offered."))
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_safe
def receipt_file(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give a consent receipt out as a file."""
    found = get_object_or_404(ConsentReceipt.objects.for_owner(request.user), uuid=key)
    body = json.dumps(found.body, indent=2, ensure_ascii=False, sort_keys=True)
    response = HttpResponse(body, content_type="application/json")
    name = f"consent-{found.made_at:%Y-%m-%d}-{str(found.uuid)[:8]}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@page
@require_http_methods(["GET", "HEAD", "POST"])
def home_facts(request: OwnerRequest) -> HttpResponse:
    """Write down what suppliers may be let know of the home."""
    household = chosen_household(request)
    if household is None:
        return redirect("household")
    form = HomeFactsForm(request.POST or None, initial=disclosure.written(household))
    back = way_back(request, reverse("suppliers"))
    if not form.is_valid():
        context = {"form": form, "household": household, "back": back}
        status = 422 if form.is_bound else 200
        return render(request, "suppliers/home_facts.html", context, status=status)
    households.require(owner=request.user, household_id=household.pk, least=Rank.ADMIN)
    told = mandates.write_home(
        household=household, values=form.cleaned_data, owner=request.user, now=clock.now()
    )
    names = ", ".join(mandate.supplier.name for mandate in told)
    messages.success(
        request, _("Saved. Told: %(names)s.") % {"names": names} if names else _("Saved.")
    )
    return redirect(back)
