"""Bring an export in: the file, what is in it, and how far it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config import archives, restoring
from config.archives import ArchiveError
from owners import clock, doorbell, restores
from owners.choices import RestoreState
from owners.models import Restore
from owners.pages import OwnerRequest, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def restore_new(request: OwnerRequest) -> HttpResponse:
    """Take a file in and look at it; nothing of it is written yet."""
    fault: ArchiveError | None = None
    is_open = True
    try:
        restoring.refuse_unless_empty(request.user)
    except ArchiveError as error:  # said before a large file is sent in vain
        fault, is_open = error, False
    if request.method == "POST" and is_open:
        file = request.FILES.get("file")
        try:
            if file is None:
                raise ArchiveError("required", gettext_noop("Choose the ZIP of an export."))
            plan = archives.look(file.file or file).plan
        except ArchiveError as error:
            fault = error
        else:
            file.seek(0)
            kept = restores.keep(
                owner=request.user,
                name=str(file.name or "steward.zip"),
                pieces=file.chunks(restores.PIECE),
                plan=plan.to_json(),
                now=clock.now(),
            )
            return redirect("restore", key=kept.uuid)
    last = Restore.objects.for_owner(request.user).order_by("-pk").first()
    context = {
        "fault": fault and {"detail": _(fault.detail), "what": fault.what},
        "is_open": is_open,
        "last": last,
        "most": settings.RESTORE_MOST,
    }
    status = 422 if fault and request.method == "POST" else 200
    return render(request, "privacy/restore_new.html", context, status=status)


@page
@require_GET
def restore(request: OwnerRequest, key: UUID) -> HttpResponse:
    """What is in a file, how far it is, and what came of it; a page asks again meanwhile."""
    found = _mine(request, key)
    name = "privacy/_restore.html" if request.htmx else "privacy/restore.html"
    return render(request, name, shown(found))


@page
@require_POST
def restore_start(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Have a file brought in."""
    found = _mine(request, key)
    if restores.start(restore=found, now=clock.now()):
        doorbell.ring("privacy")
    return redirect("restore", key=found.uuid)


@page
@require_POST
def restore_cancel(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Throw a file away that was not brought in."""
    if restores.cancel(restore=_mine(request, key)):
        messages.success(request, _("Thrown away. Nothing was brought in."))
    else:
        messages.error(request, _("It has begun already and cannot be stopped."))
    return redirect("restore-new")


def shown(found: Restore) -> dict[str, Any]:
    """Return what the page of a file shows."""
    parts = found.plan.get("parts", [])
    counts = {one["name"]: one["rows"] for one in parts if one["is_restorable"]}
    labels = {
        "assets": _("Assets"),
        "log": _("Work that was done"),
        "care-tasks": _("Care tasks"),
        "costs": _("Costs"),
        "coverages": _("Guarantees and insurances"),
        "suppliers": _("Suppliers"),
        "journeys": _("Matters"),
        "contacts": _("What was said"),
    }
    return {
        "restore": found,
        "plan": found.plan,
        "percent": restores.percent_of(found),
        "detail": _(found.detail) if found.detail else "",
        "counts": [(label, counts.get(name, 0)) for name, label in labels.items()],
        "rest": sum(rows for name, rows in counts.items() if name not in labels),
        "left": [one for one in parts if not one["is_restorable"] and one["rows"]],
        "states": RestoreState,
        "left_out": sum((found.made.get("left_out") or {}).values()),
        "made": sum((found.made.get("made") or {}).values()),
    }


def _mine(request: OwnerRequest, key: UUID) -> Restore:
    return get_object_or_404(Restore.objects.for_owner(request.user), uuid=key)
