"""What is looked after: the list, one thing, and adding one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from assets import register
from assets.choices import AssetKind, Lifecycle
from assets.forms import AssetForm
from assets.models import Asset
from owners import clock, households
from owners.pages import OwnerRequest, page

ASSETS_SHOWN = 500
STARTERS = [(kind, kind.label) for kind in (AssetKind.HOME, AssetKind.VEHICLE, AssetKind.APPLIANCE)]


@page
@require_GET
def asset_list(request: OwnerRequest) -> HttpResponse:
    """Everything the owner looks after."""
    mine = Asset.objects.for_owner(request.user)
    tiles = mine.looked_after().annotate(serving=Count("roles__supplier", distinct=True))
    return render(
        request, "assets/assets.html", {"tiles": tiles[:ASSETS_SHOWN], "starters": STARTERS}
    )


@page
@require_GET
def asset_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One thing: what names it, who serves it, what happened with it."""
    mine = Asset.objects.for_owner(request.user).select_related("keeper")
    asset = get_object_or_404(mine, uuid=key)
    context = {
        "asset": asset,
        "identifiers": asset.identifiers.order_by("scheme", "pk"),
        "roles": asset.roles.select_related("supplier").order_by("kind", "pk"),
    }
    return render(request, "assets/asset.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def asset_add(request: OwnerRequest) -> HttpResponse:
    """Add a thing: a name is enough."""
    owner, now = request.user, clock.now()
    if request.method == "POST":
        households.ensure_first(owner=owner, now=now)
    chosen = request.GET.get("kind", AssetKind.APPLIANCE.value)
    form = AssetForm(request.POST or None, owner=owner, initial={"kind": chosen})
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "assets/asset_add.html", {"form": form}, status=status)
    household = form.cleaned_data["household"]
    households.require(owner=owner, household_id=household.pk)
    values = {name: form.cleaned_data[name] for name in ("name", "kind", "maker", "model")}
    asset = register.add(
        household=household,
        values=values | {"keeper": owner, "lifecycle": Lifecycle.ACTIVE},
        identifiers=form.identifiers(),
        now=now,
    )
    messages.success(request, _("Added. Who serves it?"))
    return redirect("asset", key=asset.uuid)
