"""The suppliers who serve a household: what they may do, and how they sign."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from owners import clock, households
from owners.choices import Rank
from owners.models import Household, Owner
from owners.pages import OwnerRequest, page
from suppliers import mandates, secrets
from suppliers.choices import MandateState, Purpose
from suppliers.forms import MandateForm, SupplierForm
from suppliers.models import Mandate, Role, SigningSecret, Supplier

STATES = {
    "pause": (MandateState.PAUSED, "Paused. What they send is kept, and nobody is told."),
    "resume": (MandateState.ACTIVE, "Active again."),
}


@page
@require_GET
def supplier_list(request: OwnerRequest) -> HttpResponse:
    """Everybody who serves what the owner has."""
    owner = request.user
    mine = Mandate.objects.for_owner(owner).live().select_related("supplier")
    rows = mine.annotate(covered=Count("assets")).order_by("supplier__name", "pk")
    return render(request, "suppliers/suppliers.html", {"mandates": rows})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def supplier_add(request: OwnerRequest) -> HttpResponse:
    """Note a supplier nobody here knows yet, with a mandate."""
    owner, now = request.user, clock.now()
    household = Household.objects.for_owner(owner).order_by("pk").first()
    if household is None:
        return redirect("household")
    form = SupplierForm(request.POST or None, household=household)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "suppliers/supplier_add.html", {"form": form}, status=status)
    households.require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
    got = form.cleaned_data
    mandate = mandates.note_supplier(
        household=household,
        name=got["name"],
        domains=[got["domain"]] if got["domain"] else [],
        numbers=[got["number"]] if got["number"] else [],
        assets=list(got["assets"]),
        now=now,
    )
    messages.success(request, _("Added. This is the address to give them."))
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_GET
def supplier_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One supplier: roles, mandate, secrets, matters."""
    return show(request, find_supplier(request.user, key))


def find_supplier(owner: Owner, key: UUID) -> Supplier:
    """Return a supplier that serves the owner; any other does not exist."""
    return get_object_or_404(Supplier.objects.for_owner(owner), uuid=key)


def find_mandate(owner: Owner, key: UUID) -> Mandate:
    """Return the owner's live mandate."""
    mine = Mandate.objects.for_owner(owner).live().select_related("household", "supplier")
    return get_object_or_404(mine, uuid=key)


def show(
    request: OwnerRequest,
    supplier: Supplier,
    *,
    form: MandateForm | None = None,
    made: secrets.Made | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the supplier's page, with a faulty form or a secret to be seen once."""
    owner, now = request.user, clock.now()
    mine = Mandate.objects.for_owner(owner).filter(supplier=supplier)
    mandate = mine.select_related("household", "supplier").order_by("-pk").first()
    context: dict[str, object] = {
        "supplier": supplier,
        "mandate": mandate,
        "is_live": mandate is not None and mandate.state != MandateState.ENDED,
        "roles": Role.objects.filter(
            household__memberships__owner=owner, supplier=supplier
        ).select_related("asset"),
        "made": made,
    }
    if mandate is not None:
        covered = [asset.uuid for asset in mandate.assets.all()]
        initial = {"purposes": mandate.purposes, "assets": covered}
        can_sign = secrets.may_manage(household=mandate.household, supplier=supplier)
        live = SigningSecret.objects.live(now).filter(supplier=supplier) if can_sign else []
        context |= {
            "form": form or MandateForm(initial=initial, household=mandate.household),
            "address": mandates.alias_address(mandate),
            "can_sign": can_sign,
            "secrets": live,
            "snippets": snippets(mandate, made) if can_sign else None,
        }
    return render(request, "suppliers/supplier.html", context, status=status)


def snippets(mandate: Mandate, made: secrets.Made | None) -> dict[str, str]:
    """Return a complete signed event to paste, for the shell and for Python."""
    context = {
        "url": f"{settings.SITE_URL}/webhooks/{mandate.supplier.code}/",
        "code": mandate.supplier.code,
        "owner_ref": mandate.owner_ref,
        "secret": made.value if made else "whsec_…",
    }
    return {
        language: render_to_string(f"suppliers/snippet.{language}.txt", context)
        for language in ("sh", "py")
    }


@page
@require_POST
def mandate_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change what a supplier may write about."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    form = MandateForm(request.POST, household=mandate.household)
    if not form.is_valid():
        return show(request, mandate.supplier, form=form, status=422)
    mandates.change(
        mandate=mandate,
        purposes=[Purpose(purpose) for purpose in form.cleaned_data["purposes"]],
        assets=list(form.cleaned_data["assets"]),
        now=clock.now(),
    )
    messages.success(request, _("Saved."))
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_POST
def mandate_state(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Pause a mandate or resume it."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    wanted = STATES.get(str(request.POST.get("state", "")))
    if wanted is None:
        return HttpResponse(status=400)
    mandates.change(mandate=mandate, state=wanted[0], now=clock.now())
    messages.success(request, _(wanted[1]))
    return redirect("supplier", key=mandate.supplier.uuid)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def mandate_end(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Show what ending a mandate does, and end it."""
    mandate = find_mandate(request.user, key)
    if request.method == "POST":
        households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
        mandates.end(mandate=mandate, now=clock.now())
        messages.success(request, _("Ended. What they send from now on is refused."))
        return redirect("supplier", key=mandate.supplier.uuid)
    context = {"mandate": mandate, "address": mandates.alias_address(mandate)}
    return render(request, "suppliers/mandate_end.html", context)


@page
@require_POST
def secret_rotate(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Make a new signing secret and show it once, in this answer and never again."""
    mandate = find_mandate(request.user, key)
    households.require(owner=request.user, household_id=mandate.household_id, least=Rank.ADMIN)
    try:
        made = secrets.rotate(
            household=mandate.household, supplier=mandate.supplier, now=clock.now()
        )
    except secrets.SecretError:
        return HttpResponse(_("Only the supplier itself changes its secret."), status=403)
    return show(request, mandate.supplier, made=made)
