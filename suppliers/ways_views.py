"""Ways in: the addresses and numbers of a household, how to send things on, and its tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from owners import clock
from owners.models import Household
from owners.pages import OwnerRequest, chosen_household, page
from suppliers import checks, forwarding, ways
from suppliers.models import WayCheck

PAGE = 20
OFTEN_S, SELDOM_S = 2, 15  # how often a page that shows a test looks again


@page
@require_GET
def ways_page(request: OwnerRequest) -> HttpResponse:
    """Every address of the household, how to send mail and calls on, and what was tested."""
    household = chosen_household(request)
    if household is None:
        return redirect("household")
    owner, now = request.user, clock.now()
    found = ways.of(household=household, owner=owner)
    mailboxes = checks.mailboxes(owner)
    chosen = forwarding.guide_for(owner.email, *(one.address for one in mailboxes))
    context = {
        "household": household,
        "mine": Household.objects.for_owner(owner).order_by("pk"),
        "intake": found.intake and shown(found.intake, now=now),
        "number": found.number and shown(found.number, now=now),
        "aliases": Paginator(found.aliases, PAGE).get_page(request.GET.get("page")),
        "guides": sorted(forwarding.GUIDES, key=lambda guide: guide.slug != chosen),
        "chosen": chosen,
        "codes": forwarding.codes(found.number.address) if found.number else (),
        "undo_all": forwarding.UNDO_ALL,
        "mailboxes": mailboxes,
        "confirmations": ways.confirmations(household=household, now=now),
    }
    return render(request, "suppliers/ways.html", context)


def shown(way: ways.Address, *, now: datetime) -> dict[str, Any]:
    """Return an address with its last test, as the page shows it."""
    found: dict[str, Any] = {
        "way": way,
        "card": ways.card_of(way),
        "is_number": "@" not in way.address,
    }
    return found | (test_of(way.check, now=now) if way.check else {})


def test_of(check: WayCheck, *, now: datetime) -> dict[str, Any]:
    """Return a test as it is shown, and how soon to look again."""
    state = checks.state_of(check, now=now)
    again = OFTEN_S if state == checks.WAITING else SELDOM_S
    return {
        "check": check,
        "state": state,
        "seconds": (seconds := ways.seconds_of(check)),
        "minutes": seconds // 60,
        "again_s": again if checks.is_watched(check, now=now) else 0,
        "subject": checks.subject_of(check),
        "is_local": settings.STEWARD_OUTBOX == "local",
    }


@page
@require_POST
def way_test(request: OwnerRequest) -> HttpResponse:
    """Begin a test of one address or number."""
    mine = Household.objects.for_owner(request.user)
    household = get_object_or_404(mine, uuid=as_uuid(request.POST.get("household", "")))
    mailbox = request.POST.get("mailbox", "")
    try:
        check = checks.ask(
            owner=request.user,
            household=household,
            address=str(request.POST.get("address", ""))[:254],
            mailbox=next(
                (one for one in checks.mailboxes(request.user) if str(one.uuid) == mailbox), None
            ),
            now=clock.now(),
        )
    except checks.CheckError as error:
        if error.code == "unknown_address":
            raise Http404 from error
        messages.error(request, _(error.detail))
        return redirect(page_of(household))
    if request.htmx:
        return test_part(request, check)
    return redirect(f"{page_of(household)}#test-{check.kind}")


def page_of(household: Household) -> str:
    """Return the address of a household's page."""
    return f"{reverse('ways')}?household={household.uuid}"


def as_uuid(text: str) -> UUID:
    """Return the id in a form; one that is none names nothing."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


@page
@require_GET
def way_check(request: OwnerRequest, key: UUID) -> HttpResponse:
    """How a test stands: asked again and again by the page that shows it."""
    mine = WayCheck.objects.for_owner(request.user).select_related("household", "channel")
    check = get_object_or_404(mine, uuid=key)
    if request.htmx and request.GET.get("shown", "") == checks.state_of(check, now=clock.now()):
        return HttpResponse(status=204)  # what somebody reads there stays open
    if request.htmx:
        return test_part(request, check)
    return redirect(f"{page_of(check.household)}#test-{check.kind}")


def test_part(request: OwnerRequest, check: WayCheck) -> HttpResponse:
    """Return the part of the page that shows a test."""
    return render(request, "suppliers/_way_test.html", test_of(check, now=clock.now()))


@page
@require_GET
def way_card(request: OwnerRequest) -> HttpResponse:
    """One address as a contact for the phone."""
    household = chosen_household(request)
    found = household and ways.of(household=household, owner=request.user)
    way = found.find(request.GET.get("address", "")) if found else None
    if way is None:
        raise Http404
    answer = HttpResponse(ways.card_of(way), content_type="text/vcard; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="steward.vcf"'
    return answer
