"""When a thing leaves: what goes along with it, and who may still write about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from assets.choices import DocumentKind
from assets.life_views import today_of
from assets.models import Asset, Contract, Coverage, Part
from assets.views import find_asset
from notifications import noticing
from notifications.models import Journey
from owners.pages import OwnerRequest, page
from suppliers.choices import MandateState
from suppliers.models import Mandate

SHOWN = 100
# What the next owner needs; what was paid, and who wrote, is nobody else's.
GOES_ALONG = (DocumentKind.MANUAL, DocumentKind.WARRANTY, DocumentKind.CERTIFICATE)


@page
@require_GET
def asset_parting(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Who may still write about a thing, and which contracts of it still run."""
    asset = find_asset(request.user, key)
    live = Mandate.objects.filter(household=asset.household).exclude(state=MandateState.ENDED)
    covering = live.filter(Q(assets=asset) | Q(supplier__roles__asset=asset) | Q(assets=None))
    rows = covering.select_related("supplier").prefetch_related("assets", "supplier__roles")
    today = today_of(asset)
    contracts = Contract.objects.filter(asset=asset, cancelled_on=None)
    context = {
        "asset": asset,
        "rows": [_row(asset, one) for one in rows.distinct().order_by("supplier__name")[:SHOWN]],
        "contracts": contracts.filter(Q(ends_on=None) | Q(ends_on__gte=today)).order_by("pk"),
        "journey": _journey(asset),
    }
    return render(request, "notifications/parting.html", context)


@page
@require_GET
def asset_hand_over(request: OwnerRequest, key: UUID) -> HttpResponse:
    """What goes along with a thing to whoever has it next, and what is still missing."""
    asset = find_asset(request.user, key)
    today = today_of(asset)
    papers = asset.documents.filter(removed_at=None, kind__in=GOES_ALONG)
    covers = [
        cover
        for cover in Coverage.objects.filter(asset=asset).order_by("ends_on", "pk")
        if cover.is_transferable is not False and (cover.ends_on is None or cover.ends_on >= today)
    ]
    parts = Part.objects.filter(household=asset.household, removed_at=None).fitting(asset)
    context = {
        "asset": asset,
        "numbers": asset.identifiers.order_by("scheme", "pk"),
        "papers": papers.order_by("kind", "name", "pk")[:SHOWN],
        "covers": covers,
        "parts": parts[:SHOWN],
        "work": asset.service_records.filter(removed_at=None).count(),
        "faults": asset.issues.filter(removed_at=None).open()[:SHOWN],
        "meters": asset.meters.filter(removed_at=None).count(),
    }
    return render(request, "notifications/hand_over.html", context)


def _row(asset: Asset, mandate: Mandate) -> dict[str, Any]:
    """Return a supplier with what its leave is for besides this thing."""
    covered = list(mandate.assets.all())
    return {
        "mandate": mandate,
        "is_paused": mandate.state == MandateState.PAUSED,
        "others": [one.name for one in covered if one.pk != asset.pk],
        "is_for_all": not covered,
        "roles": [
            role.get_kind_display()
            for role in mandate.supplier.roles.all()
            if role.asset_id == asset.pk
        ],
    }


def _journey(asset: Asset) -> Journey | None:
    """Return the matter that asked, to be closed where all is settled."""
    notice = noticing.parting_of(asset.uuid)
    return noticing.journey_of(notice) if notice is not None else None
