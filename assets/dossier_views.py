"""The dossier of one thing: what goes in, and the file."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from assets import dossier
from assets.dossier import Dossier, Part
from assets.serving import as_download, as_stream
from assets.views import find_asset
from owners import clock
from owners.pages import OwnerRequest, page

PDF, ZIP = "application/pdf", "application/zip"


@page
@require_GET
def asset_dossier(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Choose what goes in, and how it is handed out."""
    asset = find_asset(request.user, key)
    chosen = dossier.parts_of(request.GET.getlist("with")) or frozenset(dossier.USUAL)
    found = Dossier(asset=asset, parts=frozenset(Part), now=clock.now())
    context = {
        "asset": asset,
        "parts": [{"part": part, "is_chosen": part in chosen} for part in Part],
        "papers": dossier.papers_of(found).count(),
        "most": dossier.PAPERS,
    }
    return render(request, "assets/dossier.html", context)


@page
@require_GET
def dossier_file(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The dossier as PDF, or as ZIP with its files."""
    asset = find_asset(request.user, key)
    parts = dossier.parts_of(request.GET.getlist("with"))
    found = Dossier(asset=asset, parts=parts, now=clock.now())
    if request.GET.get("form") == "zip":
        return as_stream(dossier.pack(found), name=f"{asset.name}.zip", kind=ZIP)  # type: ignore[return-value]  # a stream is a response too
    return as_download(dossier.paper(found), name=f"{asset.name}.pdf", kind=PDF)
