"""Data and trust: everything given out, everything deleted, everything logged; and the bin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Choices
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config import privacy
from config.undos import UNDOS
from owners import access, clock, deletion, doorbell, exports, undo, undoing
from owners.choices import ChannelKind, ExportState, Rank, TokenScope
from owners.models import AccessEntry, Change, Deletion, Export, Household, Membership, Owner
from owners.pages import OwnerRequest, chosen_household, page, way_back
from suppliers.choices import MandateState, Purpose

LINES = 50
CHOICES: dict[str, type[Choices]] = {
    "channel": ChannelKind,
    "purposes": Purpose,
    "rank": Rank,
    "scope": TokenScope,
    "state": MandateState,
}


@page
@require_GET
def data(request: OwnerRequest) -> HttpResponse:
    """Everything that is held, and how to take it or be rid of it."""
    owner = request.user
    newest = Export.objects.for_owner(owner).order_by("-pk").first()
    asked = list(Deletion.objects.for_owner(owner).select_related("household", "owner"))
    admin_of = Household.objects.filter(
        memberships__in=Membership.objects.filter(owner=owner, rank=Rank.ADMIN)
    ).order_by("pk")
    context = {
        "export": newest,
        "is_taken": newest is not None and newest.state == ExportState.READY,
        "fates": deletion.fates(owner),
        "deletions": asked,
        "is_leaving": any(one.household is None for one in asked),
        "households": admin_of.exclude(deletion__isnull=False),
        "grace": {
            "account": deletion.ACCOUNT_GRACE.days,
            "household": deletion.HOUSEHOLD_GRACE.days,
        },
        "lines": named(AccessEntry.objects.for_owner(owner).order_by("-number")[:5]),
        "household": chosen_household(request),
    }
    return render(request, "privacy/data.html", context)


def said(name: str, value: object) -> str:
    """Say a logged value as people read it: a list as its parts, a choice by its label."""
    if isinstance(value, list):
        return ", ".join(said(name, part) for part in value)
    choices = CHOICES[name].choices if name in CHOICES else []
    labels = {str(code): str(label) for code, label in choices}
    return labels.get(str(value), str(value).replace("_", " ").replace("...", "…"))


def details(what: Mapping[str, object]) -> str:
    """Say what a line adds: a supplier and what it may write about, an address, old and new."""
    named = dict(what)
    # A permission that simply holds needs no word.
    if named.get("state") == MandateState.ACTIVE:
        del named["state"]
    parts = [said("name", named.pop("supplier"))] if "supplier" in named else []
    if "from" in named and "to" in named:
        parts.append(f"{said('rank', named.pop('from'))} → {said('rank', named.pop('to'))}")
    return " · ".join(parts + [said(name, value) for name, value in named.items() if value != ""])


def named(entries: object) -> list[dict[str, object]]:
    """Return lines of the log with the names of the people in them."""
    rows: list[AccessEntry] = list(entries)  # type: ignore[call-overload]  # a page or a slice
    people = {key for row in rows for key in (row.actor_id, row.subject_id) if key is not None}
    names = {one.pk: one.get_full_name() for one in Owner.objects.filter(pk__in=people)}
    return [
        {
            "at": row.at,
            "what": access.KINDS.get(row.kind, row.kind),
            "who": names.get(row.actor_id or 0, ""),
            "whom": names.get(row.subject_id or 0, "") if row.subject_id != row.actor_id else "",
            "details": details(row.what),
            "number": row.number,
        }
        for row in rows
    ]


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@page
@require_POST
def export_ask(request: OwnerRequest) -> HttpResponse:
    """Ask for everything in one file."""
    exports.ask(owner=request.user, now=clock.now())
    doorbell.ring("privacy")
    return redirect("data")


@page
@require_GET
def export_progress(request: OwnerRequest, key: UUID) -> HttpResponse:
    """How far an export is; a page asks again until it is done."""
    export = get_object_or_404(Export.objects.for_owner(request.user), uuid=key)
    return render(request, "privacy/_export.html", {"export": export})


@page
@require_POST
def export_cancel(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Stop an export that is being made, or throw a ready one away."""
    export = get_object_or_404(Export.objects.for_owner(request.user), uuid=key)
    exports.cancel(export=export, now=clock.now())
    messages.success(request, _("Thrown away."))
    return redirect("data")


@page
@require_GET
def export_take(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Download a ready export, once it is ready and until it expires."""
    now = clock.now()
    try:
        export = exports.find(owner=request.user, key=str(key), now=now)
    except Export.DoesNotExist as error:
        raise Http404 from error
    access.note(kind="export_taken", actor=request.user, now=now)
    answer: HttpResponseBase = StreamingHttpResponse(
        privacy.archive(export), content_type="application/zip"
    )
    answer["Content-Disposition"] = f'attachment; filename="steward-{now:%Y-%m-%d}.zip"'
    return answer  # type: ignore[return-value]  # a stream is a response too


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@page
@require_POST
def delete_ask(request: OwnerRequest) -> HttpResponse:
    """Ask that the account or a household be deleted when the grace is over."""
    typed, now = str(request.POST.get("typed", "")), clock.now()
    key = str(request.POST.get("household", ""))
    try:
        if key:
            mine = Household.objects.for_owner(request.user)
            try:
                household = get_object_or_404(mine, uuid=UUID(key))
            except ValueError as error:
                raise Http404 from error
            deletion.ask_household(household=household, owner=request.user, typed=typed, now=now)
        else:
            deletion.ask_account(owner=request.user, typed=typed, now=now)
    except deletion.DeletionError as error:
        messages.error(request, _(str(error)))
    else:
        messages.success(request, _("Noted. You can cancel it until that day."))
    return redirect("data")


@page
@require_POST
def delete_cancel(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take a deletion back."""
    found = get_object_or_404(
        Deletion.objects.for_owner(request.user).select_related("household"), uuid=key
    )
    deletion.cancel(deletion=found, owner=request.user, now=clock.now())
    messages.success(request, _("Cancelled. Nothing will be deleted."))
    return redirect("data")


@page
@require_GET
def log(request: OwnerRequest) -> HttpResponse:
    """Who saw or changed what, and when."""
    lines = AccessEntry.objects.for_owner(request.user).order_by("-number")
    rows = Paginator(lines, LINES).get_page(request.GET.get("page"))
    return render(request, "privacy/log.html", {"rows": rows, "lines": named(rows.object_list)})


@page
@require_GET
def bin_page(request: OwnerRequest) -> HttpResponse:
    """What was removed in the last 30 days, each with a way back."""
    removed = Change.objects.for_owner(request.user).in_the_bin(clock.now())
    rows = Paginator(removed.select_related("owner", "household"), LINES).get_page(
        request.GET.get("page")
    )
    return render(
        request, "privacy/bin.html", {"rows": rows, "kept": undo.KEPT / timedelta(days=1)}
    )


@page
@require_http_methods(["POST"])
def undo_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Undo one change: from the sentence that told of it, or from the bin."""
    change = get_object_or_404(Change.objects.for_owner(request.user), uuid=key)
    try:
        undoing.put_back(change=change, owner=request.user, ways=UNDOS, now=clock.now())
    except undo.UndoError as error:
        messages.error(request, _(str(error)))
    else:
        messages.success(request, _("Undone."))
    return redirect(way_back(request, "/bin/"))
