"""Add to your things? What orders and bills propose, one by one and all together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets.models import Asset
from notifications import acquiring
from notifications.proposal_forms import ProposalForm
from owners import clock, doorbell, households
from owners.models import Owner
from owners.pages import OwnerRequest, page, said, way_back
from suppliers import proposing
from suppliers.choices import ProposalState
from suppliers.models import Proposal

SHOWN = 50
ANSWERED = 20


def find(owner: Owner, key: UUID) -> Proposal:
    """Return a proposal to the owner; anybody else's does not exist."""
    row = get_object_or_404(acquiring.mine(owner), uuid=key)
    return acquiring.shown([row])[0]


def in_words(row: Proposal) -> dict[str, Any]:
    """Return the price and the numbers of a proposal as people read them."""
    known: proposing.Prefilled = row.known  # type: ignore[attr-defined]  # see acquiring.shown
    return {
        "lines": [
            {"label": kind.label, "amount": amount, "words": words}
            for kind, amount, words in known.lines
        ],
        "numbers": [{"label": scheme.label, "value": value} for scheme, value in known.identifiers],
    }


@page
@require_GET
def proposals(request: OwnerRequest) -> HttpResponse:
    """Everything that is proposed, and what became of the last ones."""
    mine = acquiring.mine(request.user)
    rows = acquiring.shown(list(mine.open()[:SHOWN]))
    answered = mine.exclude(state=ProposalState.OPEN).order_by("-created_at", "-pk")[:ANSWERED]
    context = {"rows": rows, "answered": answered}
    return render(request, "notifications/proposals.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def proposal(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One thing as it would be written down: changed where it is wrong, then added."""
    row = find(request.user, key)
    form = ProposalForm(request.POST or None, proposal=row)
    if not form.is_valid():
        journey = acquiring.journeys_of([row]).get(row.pk)
        context = {"row": row, "form": form, "journey": journey, **in_words(row)}
        status = 422 if form.is_bound else 200
        return render(request, "notifications/proposal.html", context, status=status)
    households.require(owner=request.user, household_id=row.household_id)
    try:
        added, change = acquiring.accept(
            proposal=row,
            owner=request.user,
            now=clock.now(),
            values=form.values(),
            has_care=form.cleaned_data["has_care"],
        )
    except proposing.ProposalError as error:
        messages.error(request, _(error.detail))
        return redirect("proposals")
    doorbell.ring("feed")
    said(request, _("Added to your things."), change)
    return redirect("asset", key=added.uuid)


@page
@require_POST
def proposal_answer(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One tap: add it, say which of the things it is, or say no."""
    row = find(request.user, key)
    households.require(owner=request.user, household_id=row.household_id)
    back = way_back(request, reverse("proposals"))
    try:
        if request.POST.get("answer") == "no":
            change = proposing.decline(proposal=row, owner=request.user, now=clock.now())
            said(request, _("Not added."), change)
            return redirect(back)
        asset = None
        if named := request.POST.get("asset"):
            here = Asset.objects.for_owner(request.user).filter(household=row.household_id)
            asset = here.filter(pk__in=[like.pk for like in row.known.like], uuid=named).first()  # type: ignore[attr-defined]  # see acquiring.shown
        added, change = acquiring.accept(
            proposal=row, owner=request.user, now=clock.now(), asset=asset
        )
    except proposing.ProposalError as error:
        messages.error(request, _(error.detail))
        return redirect(back)
    doorbell.ring("feed")
    sentence = _("Added to your things: %(name)s") if asset is None else _("Noted at %(name)s")
    said(request, sentence % {"name": added.name}, change)
    return redirect(back)
