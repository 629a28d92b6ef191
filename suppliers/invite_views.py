"""Inviting a supplier, for the one who invites and for whoever is invited."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from owners import clock, households
from owners.choices import Rank
from owners.pages import OwnerRequest, page
from suppliers import inviting
from suppliers.choices import FactName, Purpose
from suppliers.forms import InviteForm
from suppliers.models import SupplierInvitation
from suppliers.staff_pages import enter, person_of
from suppliers.views import household_served

HELD = "invited"  # the session's key


@page
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: OwnerRequest) -> HttpResponse:
    """Invite a supplier by mail, or make a link to hand over."""
    household = household_served(request)
    if household is None:
        return redirect("household")
    initial = {
        "assets": request.GET.getlist("asset"),
        "name": request.GET.get("name", ""),
        "shown_as": request.user.get_full_name().partition(" ")[0],
        "purposes": [Purpose.SERVICE, Purpose.BILLING],
    }
    form = InviteForm(request.POST or None, household=household, initial=initial)
    if form.is_valid():
        households.require(owner=request.user, household_id=household.pk, least=Rank.ADMIN)
        got = form.cleaned_data
        wishes = inviting.Wishes(
            name=got["name"],
            shown_as=got["shown_as"],
            email=got["email"],
            note=got["note"],
            purposes=[Purpose(name) for name in got["purposes"]],
            facts=[FactName(name) for name in got["facts"]],
            assets=list(got["assets"]),
        )
        try:
            made = inviting.invite(
                household=household, by=request.user, wishes=wishes, now=clock.now()
            )
        except inviting.InvitingError as error:
            form.add_error(error.field or None, _(error.detail))
        else:
            return redirect("supplier-invitation", key=made.uuid)
    status = 422 if form.is_bound else 200
    return render(request, "suppliers/invite.html", {"form": form}, status=status)


@page
@require_safe
def invitation(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Show an invitation: its link where there is one to hand over, and what came of it."""
    found = get_object_or_404(SupplierInvitation.objects.for_owner(request.user), uuid=key)
    now = clock.now()
    is_open = SupplierInvitation.objects.open(now).filter(pk=found.pk).exists()
    context = {
        "invitation": found,
        "is_open": is_open,
        "address": inviting.url_of(found, site=settings.SITE_URL) if is_open else "",
        "purposes": [Purpose(name).label for name in found.purposes],
        "facts": [FactName(name).label for name in found.facts],
        "assets": found.assets.order_by("name", "pk"),
    }
    return render(request, "suppliers/invitation.html", context)


@page
@require_POST
def invitation_revoke(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take an invitation back."""
    found = get_object_or_404(SupplierInvitation.objects.for_owner(request.user), uuid=key)
    inviting.revoke(invitation=found, by=request.user, now=clock.now())
    messages.success(request, _("Taken back. The link opens nothing any more."))
    return redirect("suppliers")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show who invites and to what, and take the answer; no account is needed.

    The token is in the path of the link only; it moves into the session at once, so that
    no later page or referrer shows it.
    """
    if token:
        request.session[HELD] = token
        return redirect("invited-by")
    now = clock.now()
    held = str(request.session.get(HELD, ""))
    found = inviting.find(token=held, now=now)
    if found is None:
        request.session.pop(HELD, None)
        return render(request, "suppliers/invited.html", {"invitation": None}, status=410)
    with translation.override(found.language):
        return _answer(request, found, held)


def _answer(request: HttpRequest, found: SupplierInvitation, held: str) -> HttpResponse:
    now, error = clock.now(), ""
    person = person_of(request, now=now)
    if request.method == "POST":
        try:
            if request.POST.get("answer") == "decline":
                inviting.decline(token=held, now=now)
                request.session.pop(HELD, None)
                return render(request, "suppliers/invited.html", {"invitation": found, "no": True})
            _mandate, joined = inviting.accept(
                token=held,
                person=person,
                email=str(request.POST.get("email", ""))[:254],
                name=str(request.POST.get("name", ""))[:120],
                now=now,
            )
        except inviting.InvitingError as refused:
            error = _(refused.detail)
        else:
            enter(request, joined, now=now)
            return redirect("portal")
    known = person or inviting.known_as(found)
    context = {
        "invitation": found,
        "person": known,
        "asks_email": known is None and not found.address,
        "error": error,
        "purposes": [Purpose(name).label for name in found.purposes],
        "facts": [FactName(name).label for name in found.facts],
        "assets": found.assets.order_by("name", "pk"),
        "is_owner": request.user.is_authenticated,
    }
    return render(request, "suppliers/invited.html", context, status=422 if error else 200)
