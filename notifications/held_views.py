"""Not meant for me: adverts and whatever no granted purpose covers, by sender."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from owners import clock, households
from owners.pages import OwnerRequest, page, way_back
from suppliers import unsubscribing
from suppliers.choices import Purpose
from suppliers.models import Contact

PAGE = 20


@page
@require_GET
def held(request: OwnerRequest) -> HttpResponse:
    """Whose adverts are held, why, and what can be done about it."""
    owner, now = request.user, clock.now()
    given = request.GET.get("page", "1")
    number = max(1, int(given)) if given.isdecimal() and len(given) < 6 else 1
    found = unsubscribing.senders(owner=owner, now=now, limit=PAGE + 1, offset=(number - 1) * PAGE)
    context = {
        "senders": [shown(sender) for sender in found[:PAGE]],
        "total": unsubscribing.count(owner=owner, now=now),
        "newer": number - 1,
        "older": number + 1 if len(found) > PAGE else 0,
    }
    return render(request, "notifications/held.html", context)


def shown(sender: unsubscribing.Sender) -> dict[str, Any]:
    """Return a sender with what the page says of it."""
    can_ask = sender.is_believed and sender.way in (unsubscribing.ONE_CLICK, unsubscribing.MAIL)
    is_settled = sender.state in (unsubscribing.ASKED, unsubscribing.CONFIRMED)
    return {
        "sender": sender,
        "evidence": unsubscribing.evidence(sender),
        "outcome": unsubscribing.outcome(sender.asked) if sender.asked else "",
        "can_ask": can_ask and (not is_settled or sender.ignored > 0),
        "can_open": sender.is_believed and sender.way == unsubscribing.LINK,
        "can_allow": sender.mandate is not None and sender.wanted not in sender.mandate.purposes,
        "wanted": Purpose(sender.wanted).label if sender.wanted in Purpose.values else "",
        "is_withdrawable": sender.asked is not None
        and sender.state == unsubscribing.ASKED
        and not sender.asked.tried,
    }


@page
@require_POST
def unsubscribe(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Ask the sender of a held contact to stop."""
    contact = find(request, key)
    try:
        unsubscribing.ask(contact=contact, owner=request.user, now=clock.now())
    except unsubscribing.UnsubscribeError as error:
        messages.error(request, _(error.detail))
    else:
        undo = f"undo:{reverse('unsubscribe-undo', args=[contact.uuid])}"
        messages.success(request, _("They are asked to stop, in a moment."), extra_tags=undo)
    return redirect(way_back(request, reverse("held")))


@page
@require_POST
def unsubscribe_undo(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take an unsubscription back before it goes out."""
    contact = find(request, key)
    try:
        unsubscribing.withdraw(contact=contact)
    except unsubscribing.UnsubscribeError as error:
        messages.error(request, _(error.detail))
    else:
        messages.success(request, _("Taken back. Nobody was asked."))
    return redirect(way_back(request, reverse("held")))


def find(request: OwnerRequest, key: UUID) -> Contact:
    """Return a contact of the owner's, whose rank lets them answer for the household."""
    contact = get_object_or_404(Contact.objects.for_owner(request.user), uuid=key)
    households.require(owner=request.user, household_id=contact.household_id)
    return contact
