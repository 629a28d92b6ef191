"""Recalls: all of them, one with the proof that it was put right, and what the owner says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import documents, recalls
from assets.cover_words import Confidence, RecallState
from assets.fault_forms import one_of, text
from assets.holdings import HoldingError
from assets.life_forms import begun, day, words
from assets.life_views import FORM, answer, today_of
from assets.models import Document, RecallFeed, RecallMatch
from assets.payer_words import obligor_word
from owners import clock, households
from owners.models import Change, Owner
from owners.pages import OwnerRequest, page, said

MOST = 200
# What one tap says; to be put right is asked with its day and its proof.
TAPS = (RecallState.OWNER_CONFIRMED, RecallState.NOT_AFFECTED, RecallState.REMEDY_BOOKED)


class RemedyForm(forms.Form):
    """When it was put right, by whom, and what proves it."""

    remedied_on = day(gettext_lazy("When was it put right?"), required=True)
    provider = words(gettext_lazy("By whom"))
    proof = one_of(Document.objects.none(), gettext_lazy("What proves it"))
    file = forms.FileField(
        label=gettext_lazy("Or add the paper here"), required=False, widget=forms.FileInput
    )
    note = text(gettext_lazy("Note"), 200)

    def __init__(
        self, data: Any = None, files: Any = None, *, row: RecallMatch, today: Any
    ) -> None:
        """Begin with what is known; offer the papers of the thing."""
        asked = ("remedied_on", "provider", "note")
        first = begun(row, {name: self.base_fields[name] for name in asked})
        first["remedied_on"] = first["remedied_on"] or today.isoformat()
        first["proof"] = row.proof.uuid if row.proof else None
        super().__init__(data, files, initial=first)
        self.fields["proof"].queryset = recalls.papers_for(row)  # type: ignore[attr-defined]  # the field of a model choice
        self.fields["proof"].label_from_instance = lambda one: one.name  # type: ignore[attr-defined]  # as above


def find_recall(owner: Owner, key: UUID) -> RecallMatch:
    """Return the owner's recall; any other does not exist."""
    mine = RecallMatch.objects.for_owner(owner).select_related(*recalls.WITH, "proof", "record")
    found: RecallMatch = get_object_or_404(mine, uuid=key)
    return found


def shown(row: RecallMatch) -> dict[str, Any]:
    """Return a recall as a list shows it."""
    return {
        "row": row,
        "asset": row.asset,
        "notice": row.notice,
        "by": declared_by(row),
        "is_open": row.is_open,
        "is_exact": row.confidence == Confidence.EXACT,
    }


def declared_by(row: RecallMatch) -> str:
    """Return who declared a recall."""
    return row.notice.declared_by or obligor_word(row.notice.source)


@page
@require_GET
def recall_list(request: OwnerRequest) -> HttpResponse:
    """Every recall that may mean something owned: the open ones first."""
    mine = RecallMatch.objects.for_owner(request.user).select_related(*recalls.WITH)
    rows = [shown(row) for row in mine.order_by("-found_at", "-pk")[:MOST]]
    asked = RecallFeed.objects.filter(source__in=settings.RECALL_SOURCES, asked_at__isnull=False)
    lists = {}
    for name, at in asked.order_by("asked_at").values_list("source", "asked_at"):
        lists[obligor_word(name)] = at
    context = {
        "open": [one for one in rows if one["is_open"]],
        "others": [one for one in rows if not one["is_open"]],
        "lists": sorted(lists.items()),
        "named": [obligor_word(name) for name in settings.RECALL_SOURCES],
    }
    return render(request, "assets/recalls.html", context)


@page
@require_GET
def recall_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One recall: how sure it is, what is wrong, what is done about it, and the proof."""
    row = find_recall(request.user, key)
    thing = recalls.things_of([row.asset])[row.asset.pk]
    context = shown(row) | {
        "criteria": recalls.fitting(row),
        "numbers": sorted(thing.numbers | thing.lots),
        "years": sorted(thing.years),
        "can_say": [state for state in TAPS if state != row.state],
    }
    return render(request, "assets/recall.html", context)


@page
@require_POST
def recall_say(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say with one tap that it is mine, not mine, or booked; it can be undone."""
    row = find_recall(request.user, key)
    households.require(owner=request.user, household_id=row.household_id)
    state = request.POST.get("state", "")
    if state not in TAPS:
        return HttpResponse(status=400)
    try:
        change = recalls.move(
            row=row, state=RecallState(state), values={}, owner=request.user, now=clock.now()
        )
    except HoldingError:
        return redirect("recall", key=row.uuid)
    said(request, _("Saved."), change)
    return redirect("recall", key=row.uuid)


@page
@require_http_methods(FORM)
def recall_done(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say that it was put right, with what proves it."""
    row = find_recall(request.user, key)
    form = RemedyForm(
        request.POST or None, request.FILES or None, row=row, today=today_of(row.asset)
    )
    return answer(
        request,
        form,
        asset=row.asset,
        title=_("It was put right"),
        lead=row.notice.title,
        back=reverse("recall", args=[row.uuid]),
        save=lambda: _prove(request, row, form),
    )


def _prove(request: HttpRequest, row: RecallMatch, form: RemedyForm) -> Change:
    owner, now, values = request.user, clock.now(), dict(form.cleaned_data)
    file = values.pop("file")
    if file is not None:
        try:
            values["proof"] = documents.add(
                household=row.asset.household,
                asset=row.asset,
                owner=owner,  # type: ignore[arg-type]  # a page has an owner
                name=file.name or "",
                content=file.read(),
                now=now,
            )
        except documents.DocumentError as error:
            raise HoldingError("file", error.detail) from error
    return recalls.move(
        row=row,
        state=RecallState.REMEDIED,
        values=values,
        owner=owner,  # type: ignore[arg-type]  # as above
        now=now,
    )
