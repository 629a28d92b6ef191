"""What a supplier said elsewhere: shared from the phone, pasted, or photographed."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from assets import documents
from assets.models import Document
from notifications.share_forms import ShareForm, medium_of
from notifications.views import as_fields
from owners import clock, doorbell, households
from owners.models import Household
from owners.pages import OwnerRequest, page, way_back
from suppliers import inbox, suggestions

FILES_MOST = 10
TEXT_MOST = 8000


@page
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: OwnerRequest) -> HttpResponse:
    """Add what a supplier said: its words are read as suggestions, its papers are kept."""
    if request.method != "POST":
        return show(request, fresh(request, {name: str(request.GET[name]) for name in request.GET}))
    owner, now = request.user, clock.now()
    form = ShareForm(request.POST, owner=owner)
    home = household_of(request, form)
    households.require(owner=owner, household_id=home.pk)
    papers = [*form.papers(), *keep(request, home)]
    if "read" in request.POST:
        return suggest(request, home, papers)
    form = ShareForm(with_words(request, papers), owner=owner, has_papers=bool(papers))
    if not form.is_valid():
        return show(request, form, papers=papers, status=422)
    asset = form.cleaned_data["asset"]
    for paper in papers:
        if asset is not None and paper.asset_id is None and paper.household_id == home.pk:
            documents.change(document=paper, values={"asset": asset})
    key = form.cleaned_data["event_id"]
    inbox.log(
        owner=owner,
        household=home,
        data=form.to_log(currency=home.currency)
        | {"documents": [str(paper.uuid) for paper in papers]},
        key=str(key),  # the same form sent twice is one
        now=now,
    )
    doorbell.ring("inbox")
    messages.success(
        request,
        _("Kept. Its card changes in a moment."),
        extra_tags=f"undo:{reverse('log-undo', args=[key])}",
    )
    return redirect(way_back(request, reverse("today")))


@csrf_exempt  # nothing is stored: the phone's share sheet knows no token, and only fills a form
@page
@require_POST
def share_in(request: OwnerRequest) -> HttpResponse:
    """Fill the form with what the phone shared, where its service worker did not take it."""
    if request.FILES:
        messages.info(request, _("Choose the file once more; the phone did not keep it."))
    return show(request, fresh(request, {name: str(request.POST[name]) for name in request.POST}))


def fresh(request: OwnerRequest, given: dict[str, str]) -> ShareForm:
    """Return the form, with what was shared in it and what its words seem to say."""
    parts = [given.get(name, "").strip() for name in ("title", "text", "url")]
    note = "\n".join(dict.fromkeys(part for part in parts if part))[:TEXT_MOST]
    now = timezone.localtime(clock.now())
    initial: dict[str, Any] = {
        "day": now.date(),
        "at": f"{now:%H:%M}",
        "event_id": uuid.uuid4(),
        "note": note,
        "medium": medium_of(note, has_papers=False),
    }
    initial |= {name: given[name] for name in ("asset", "supplier") if given.get(name)}
    home = Household.objects.for_owner(request.user).order_by("pk").first()
    if note and home is not None:
        initial = read(request, home, note) | initial
    return ShareForm(initial=initial, owner=request.user)


def show(
    request: HttpRequest,
    form: ShareForm,
    *,
    papers: list[Document] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the form with the papers that are kept already."""
    context = {
        "form": form,
        "papers": papers or [],
        "found": form.found(),
        "next": way_back(request, ""),
    }
    return render(request, "notifications/share.html", context, status=status)


def household_of(request: OwnerRequest, form: ShareForm) -> Household:
    """Return the household of the thing that was chosen, else the owner's first."""
    asset = form.chosen_asset()
    if asset is not None:
        return asset.household
    return households.ensure_first(owner=request.user, now=clock.now())


def keep(request: OwnerRequest, home: Household) -> list[Document]:
    """Keep the files of a form, and say of each that is not kept why."""
    kept = []
    for file in request.FILES.getlist("files")[:FILES_MOST]:
        try:
            kept.append(
                documents.add(
                    household=home,
                    asset=None,
                    owner=request.user,
                    name=file.name or "",
                    content=file.read(),
                    now=clock.now(),
                )
            )
        except documents.DocumentError as error:
            refused = _("%(name)s was not kept. %(why)s") % {
                "name": documents.clean_name(file.name or ""),
                "why": _(error.detail),
            }
            messages.error(request, refused)
    return kept


def with_words(request: OwnerRequest, papers: list[Document]) -> Any:
    """Return the form's values; without words of its own it has those of its papers."""
    values = request.POST.copy()
    if not values.get("note", "").strip():
        texts = [documents.text_of(paper).strip() for paper in papers]
        values["note"] = "\n\n".join(text for text in texts if text)[:TEXT_MOST]
    return values


def suggest(request: OwnerRequest, home: Household, papers: list[Document]) -> HttpResponse:
    """Fill the empty fields with what the words seem to say; only files are kept so far."""
    values = with_words(request, papers).dict()
    found = read(request, home, values.get("note", ""))
    initial = values | {name: value for name, value in found.items() if not values.get(name)}
    if papers and values.get("medium") == "sms":
        initial["medium"] = medium_of(values.get("note", ""), has_papers=True)
    form = ShareForm(initial=initial, owner=request.user, is_read=True)
    return show(request, form, papers=papers)


def read(request: OwnerRequest, home: Household, note: str) -> dict[str, str]:
    """Return what a text seems to say, as the form's fields."""
    said = suggestions.suggest(text=note, owner=request.user, household=home, now=clock.now())
    found = as_fields(said)
    if said.supplier is not None:
        found["supplier"] = str(said.supplier.uuid)
    if said.asset is not None:
        found["asset"] = str(said.asset.uuid)
    return found
