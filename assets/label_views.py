"""What is printed for a thing, and the page a stranger sees who scans it."""

from __future__ import annotations

from uuid import UUID

from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import labels, places
from assets.life_forms import FoundForm
from assets.models import Asset, Label
from assets.serving import as_download
from assets.views import find_asset
from owners import clock, households
from owners.models import Owner
from owners.pages import OwnerRequest, page, said

PDF = "application/pdf"
NOTES_AN_HOUR = 5  # that one address may leave


def address_of(asset: Asset) -> str:
    """Return the whole address on an asset's label."""
    label = labels.label_of(asset, now=clock.now())
    return settings.SITE_URL + reverse("found", args=[label.code])


@page
@require_GET
def label_pdf(request: OwnerRequest, key: UUID, form: str) -> HttpResponse:
    """One asset's label, on a sheet or on tape."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    asset = find_asset(request.user, key)
    write = printing.tape if form == "tape" else printing.sheet
    return as_download(write([(asset, address_of(asset))]), name=f"{asset.name}.pdf", kind=PDF)


@page
@require_GET
def label_sheet(request: OwnerRequest) -> HttpResponse:
    """Labels of everything, or of all that is at one place."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    mine = Asset.objects.for_owner(request.user).looked_after().prefetch_related("identifiers")
    place = request.GET.get("place", "").replace("\x00", "")
    mine = mine.filter(places.inside(place)) if place else mine
    labelled = [(asset, address_of(asset)) for asset in mine[: printing.SHEET_MOST]]
    return as_download(printing.sheet(labelled), name=_("Labels") + ".pdf", kind=PDF)


@page
@require_POST
def label_renew(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give an asset another code, when its label is in wrong hands."""
    asset = find_asset(request.user, key)
    households.require(owner=request.user, household_id=asset.household_id)
    labels.renew(asset, now=clock.now())
    said(request, _("The old label opens nothing any more."), None)
    return redirect("asset-label", key=asset.uuid)


@page
@require_GET
def loss_pdf(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The report of a loss, for police and insurer."""
    from assets import printing  # noqa: PLC0415 - loaded where it prints

    asset = find_asset(request.user, key)
    loss = asset.losses.order_by("-on", "-pk").first()
    content = printing.loss_report(asset, loss)
    return as_download(content, name=f"{asset.name}.pdf", kind=PDF)


@page
@require_POST
def notes_seen(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The household has read what finders left."""
    asset = find_asset(request.user, key)
    households.require(owner=request.user, household_id=asset.household_id)
    labels.note_seen(asset=asset, owner=request.user, now=clock.now())
    return redirect("asset", key=asset.uuid)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def found(request: HttpRequest, code: str) -> HttpResponse:
    """Open the asset for its household; for anybody else, take a message and say nothing.

    A stranger learns no name, no owner and no place: only that the thing is somebody's.
    """
    label = get_object_or_404(
        Label.objects.select_related("asset").filter(asset__removed_at=None), code=code
    )
    if isinstance(request.user, Owner):
        mine = Asset.objects.for_owner(request.user).filter(pk=label.asset_id)
        if mine.exists():
            return redirect("asset", key=label.asset.uuid)
    form = FoundForm(request.POST or None)
    is_left = False
    if form.is_valid():
        if not may_leave(request, code):
            form.add_error(None, _("There were too many messages. Try again in an hour."))
        else:
            try:
                labels.leave_note(
                    label=label,
                    text=form.cleaned_data["text"],
                    reach=form.cleaned_data["reach"],
                    now=clock.now(),
                )
            except labels.FullError:
                form.add_error(None, _("There were too many messages. Try again in an hour."))
            else:
                is_left = True
    status = 422 if form.errors else 200
    context = {"form": form, "is_left": is_left}
    response = render(request, "assets/found.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    return response


def may_leave(request: HttpRequest, code: str) -> bool:
    """Whether one more message may be left from here within the hour."""
    key = f"found:{get_client_ip(request) or ''}:{code}"
    cache.add(key, 0, 3600)
    return cache.incr(key) <= NOTES_AN_HOUR
