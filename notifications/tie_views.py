"""A matter is said to be about a fault."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from assets.fault_views import find_issue
from notifications import ties
from owners import clock, households
from owners.pages import OwnerRequest, page, said


@page
@require_POST
def fault_tie(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Link a matter to a fault, or take the link away."""
    issue = find_issue(request.user, key)
    households.require(owner=request.user, household_id=issue.household_id)
    try:
        journey = UUID(request.POST.get("journey", ""))
        if "remove" in request.POST:
            ties.untie(issue=issue, journey=journey)
        else:
            ties.tie_known(issue=issue, journey=journey, owner=request.user, now=clock.now())
    except (ValueError, ties.TieError):
        return HttpResponse(status=400)
    said(request, _("Saved."), None)
    return redirect("fault", key=issue.uuid)
