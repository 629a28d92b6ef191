"""An answer that did not arrive is sent again, or by another way."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from owners import clock, doorbell, households
from owners.pages import OwnerRequest, page, way_back
from suppliers import outbox
from suppliers.models import OutboundEvent


@page
@require_POST
def send_again(request: OwnerRequest, answer: UUID) -> HttpResponse:
    """Send an answer once more; `via` names another way."""
    mine = OutboundEvent.objects.for_owner(request.user).filter(type__startswith="owner.")
    event = get_object_or_404(mine.select_related("supplier", "mandate"), uuid=answer)
    households.require(owner=request.user, household_id=event.household_id or 0)
    via, now = request.POST.get("via", ""), clock.now()
    try:
        if via:
            outbox.send_by(event=event, via=via, now=now)
        else:
            outbox.send_again(event=event, now=now)
    except outbox.WayError:
        messages.error(request, _("It cannot go out this way."))
    else:
        doorbell.ring("outbox")
        messages.success(request, _("It is on its way again."))
    return redirect(way_back(request, reverse("outbox")))
