"""Photos and papers: found, added, shown and put into the bin."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import documents, vault
from assets.choices import DocumentKind
from assets.forms import DocumentEditForm, DocumentForm, LinkForm
from assets.models import Asset, Document
from assets.serving import give_out
from owners import clock, households, undo
from owners.models import Owner
from owners.pages import OwnerRequest, page, said, way_back

PAGE = 40
FILES_MOST = 20


@page
@require_GET
def document_list(request: OwnerRequest) -> HttpResponse:
    """Every photo and paper, by thing, by kind and by what stands in it."""
    owner = request.user
    chosen = {name: request.GET.get(name, "") for name in ("kind", "asset", "q")}
    mine = Document.objects.for_owner(owner).select_related("asset")
    if chosen["kind"] in DocumentKind.values:
        mine = mine.filter(kind=chosen["kind"])
    if chosen["asset"]:
        mine = mine.filter(asset__uuid=as_uuid(chosen["asset"]))
    if chosen["q"]:
        mine = mine.filter(uuid__in=documents.found_by(owner=owner, words=chosen["q"]))
    rows = Paginator(mine.order_by("-added_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": rows,
        "kinds": DocumentKind.choices,
        "assets": Asset.objects.for_owner(owner).looked_after(),
        "chosen": chosen,
        "is_narrowed": any(chosen.values()),
        "form": DocumentForm(owner=owner, initial={"asset": chosen["asset"]}),
    }
    name = "_documents" if request.htmx else "documents"
    return render(request, f"assets/{name}.html", context)


def as_uuid(text: str) -> UUID:
    """Return the id in an address; one that is none names nothing."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


@page
@require_http_methods(["GET", "HEAD", "POST"])
def document_add(request: OwnerRequest) -> HttpResponse:
    """Keep one or more files; a form without a script, or a drop with its progress."""
    owner, now = request.user, clock.now()
    if request.method != "POST":
        initial = {"asset": request.GET.get("asset", "")}
        form = DocumentForm(owner=owner, initial=initial)
        link = LinkForm(owner=owner, initial=initial, prefix="link")
        return render(request, "assets/document_add.html", {"form": form, "link": link})
    form = DocumentForm(request.POST, owner=owner)
    files = request.FILES.getlist("files")[:FILES_MOST]
    if not form.is_valid() or not files:
        if not files:
            messages.error(request, _("Choose a file first."))
        context = {"form": form, "link": LinkForm(owner=owner, prefix="link")}
        return render(request, "assets/document_add.html", context, status=422)
    asset = form.cleaned_data["asset"]
    household = asset.household if asset else households.ensure_first(owner=owner, now=now)
    households.require(owner=owner, household_id=household.pk)
    kind = form.cleaned_data["kind"]
    kept: list[Document] = []
    for file in files:
        try:
            kept.append(
                documents.add(
                    household=household,
                    asset=asset,
                    owner=owner,
                    name=file.name or "",
                    content=file.read(),
                    kind=DocumentKind(kind) if kind else None,
                    now=now,
                )
            )
        except documents.DocumentError as error:
            refused = _("%(name)s was not kept. %(why)s") % {
                "name": documents.clean_name(file.name or ""),
                "why": _(error.detail),
            }
            messages.error(request, refused)
    if len(kept) == 1:
        said(request, _("Kept."), undo.latest(kind=documents.ADDED, subject=kept[0].uuid))
    elif kept:
        said(request, _("All kept."), documents.note_together(kept=kept, owner=owner, now=now))
    there = f"{reverse('asset', args=[asset.uuid])}?tab=documents" if asset else ""
    back = way_back(request, there or reverse("documents"))
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": back})
    return redirect(back)


@page
@require_POST
def document_link(request: OwnerRequest) -> HttpResponse:
    """Note where a document lies that is kept elsewhere."""
    owner, now = request.user, clock.now()
    form = LinkForm(request.POST, owner=owner, prefix="link")
    if form.is_valid():
        got = form.cleaned_data
        asset = got["asset"]
        household = asset.household if asset else households.ensure_first(owner=owner, now=now)
        households.require(owner=owner, household_id=household.pk)
        try:
            document = documents.add_link(
                household=household,
                asset=asset,
                owner=owner,
                url=got["url"],
                name=got["name"],
                kind=DocumentKind(got["kind"]) if got["kind"] else None,
                now=now,
            )
        except documents.DocumentError as error:
            form.add_error("url", _(error.detail))
        else:
            said(request, _("Kept."), undo.latest(kind=documents.ADDED, subject=document.uuid))
            there = f"{reverse('asset', args=[asset.uuid])}?tab=documents" if asset else ""
            return redirect(there or reverse("documents"))
    context = {"form": DocumentForm(owner=owner), "link": form}
    return render(request, "assets/document_add.html", context, status=422)


def find_document(owner: Owner, key: UUID) -> Document:
    """Return the owner's document; any other, and one in the bin, does not exist."""
    mine = Document.objects.for_owner(owner).select_related("asset", "household", "added_by")
    return get_object_or_404(mine, uuid=key)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def document_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One document: shown where it is a picture, and what is known of it."""
    document = find_document(request.user, key)
    initial = {
        "name": document.name,
        "kind": document.kind,
        "asset": document.asset.uuid if document.asset else None,
    }
    form = DocumentEditForm(request.POST or None, owner=request.user, initial=initial)
    if form.is_valid():
        households.require(owner=request.user, household_id=document.household_id)
        try:
            documents.change(document=document, values=form.cleaned_data)
        except documents.DocumentError as error:
            form.add_error("asset", _(error.detail))
        else:
            messages.success(request, _("Saved."))
            return redirect("document", key=document.uuid)
    status = 422 if form.is_bound else 200
    context = {"document": document, "form": form}
    return render(request, "assets/document.html", context, status=status)


@page
@require_GET
def document_file(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give the file out to those who have it: pictures are shown, all else is saved."""
    return give_out(find_document(request.user, key))


@page
@require_GET
def document_thumb(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give out the small copy of a picture."""
    document = find_document(request.user, key)
    if not document.has_thumb:
        raise Http404
    return give_out(document, part=vault.THUMB)


@page
@require_POST
def document_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Put a document into the bin."""
    document = find_document(request.user, key)
    households.require(owner=request.user, household_id=document.household_id)
    change = documents.remove(document=document, owner=request.user, now=clock.now())
    said(request, _("Removed. It stays in the bin for 30 days."), change)
    return redirect(way_back(request, reverse("documents")))
