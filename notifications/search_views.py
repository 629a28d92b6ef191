"""The page that finds everything, and the list inside the palette."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET

from notifications import search as searching
from owners.pages import OwnerRequest, page


@page
@require_GET
def search(request: OwnerRequest) -> HttpResponse:
    """Find by words, or do what the words name; the palette gets the list alone."""
    words = request.GET.get("q", "").strip()
    found = searching.find(owner=request.user, text=words)
    groups = [shown for group in found.groups if (shown := show_group(group))["hits"]]
    context = {"q": words, "groups": groups, "is_near": found.is_near}
    is_palette = bool(request.htmx or request.GET.get("palette"))
    name = "_found" if is_palette else "search"
    return render(request, f"notifications/{name}.html", context)


def show_group(group: searching.Group) -> dict[str, Any]:
    """Return a group with the addresses of its hits; a page that is not installed is left out."""
    hits = [{"hit": hit, "href": href} for hit in group.hits if (href := address_of(hit))]
    return {"kind": group.kind, "label": group.label, "hits": hits}


def address_of(hit: searching.Hit) -> str:
    """Return where a hit opens, or nothing where this installation has no such page."""
    try:
        return reverse(hit.page, args=[hit.key] if hit.key else [])
    except NoReverseMatch:
        return ""
