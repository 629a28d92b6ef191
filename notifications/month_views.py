"""The monthly report: the page, its PDF, what each number was counted from, and the mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from notifications import (
    counted,
    journey_log,
    month_mail,
    month_words,
    months,
    supplier_facts,
)
from notifications.months import Month, MonthError, Report
from owners import clock
from owners.models import Household
from owners.pages import OwnerRequest, chosen_household, page
from suppliers.models import Supplier


def home_of(request: OwnerRequest) -> Household:
    """Return the household the report is about."""
    household = chosen_household(request)
    if household is None:
        raise Http404
    return household


def report_of(request: OwnerRequest, month: str) -> Report:
    """Return the report of the month that an address names, or 404."""
    owner, household = request.user, home_of(request)
    try:
        wanted = Month.parse(month, zone=months.zone_of(owner, household))
        return months.of(owner=owner, household=household, month=wanted, now=clock.now())
    except MonthError as error:
        raise Http404 from error


@page
@require_GET
def report(request: OwnerRequest) -> HttpResponse:
    """Open the last month that is over, or this one where there is none."""
    household = home_of(request)
    month = months.latest(owner=request.user, household=household, now=clock.now())
    return redirect("report-month", month=str(month))


@page
@require_GET
def report_month(request: OwnerRequest, month: str) -> HttpResponse:
    """One month on one page."""
    found = report_of(request, month)
    owner = request.user
    homes = Household.objects.for_owner(owner).order_by("pk")
    context = {
        "report": found,
        "title": month_words.title(found),
        "lead": month_words.lead(found),
        "stats": month_words.stats(found),
        "parts": month_words.parts(found),
        "homes": [
            {
                "href": f"{reverse('report')}?household={home.uuid}",
                "label": home.name,
                "is_at": home.pk == found.household.pk,
                "icon": "",
                "count": 0,
            }
            for home in homes
        ],
        "is_mailed": month_mail.is_wished(owner=owner, household=found.household),
    }
    return render(request, "notifications/report.html", context)


@page
@require_GET
def report_pdf(request: OwnerRequest, month: str) -> HttpResponse:
    """The same as one sheet to keep or print."""
    from notifications import month_pdf  # noqa: PLC0415 - loaded where it prints

    found = report_of(request, month)
    name = f"steward-{found.month}.pdf"
    return HttpResponse(
        month_pdf.write(found, site=settings.SITE_URL),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


@page
@require_GET
def report_cases(request: OwnerRequest, month: str, measure: str) -> HttpResponse:
    """What one number of a month was counted from."""
    if measure not in counted.MEANINGS:
        raise Http404
    found = report_of(request, month)
    context = listed(measure, found.cases[measure], household=found.household)
    context |= {
        "back": f"{reverse('report-month', args=[month])}?household={found.household.uuid}",
        "back_to": month_words.title(found),
    }
    return render(request, "notifications/counted.html", context)


def listed(name: str, cases: Any, *, household: Household) -> dict[str, Any]:
    """Return what the page of one number shows."""
    title, meaning = counted.MEANINGS[name]
    return {
        "title": title,
        "meaning": meaning,
        "events": counted.events(household=household, name=name, cases=cases),
        "total": len(cases),
        "part": sum(case.is_part for case in cases),
        "has_part": name in counted.SHARES,
        "most": counted.LISTED,
    }


@page
@require_GET
def report_how(request: OwnerRequest) -> HttpResponse:
    """How every number is counted."""
    return render(request, "notifications/report_how.html", {"rows": counted.MEANINGS.values()})


@page
@require_POST
def report_mail(request: OwnerRequest) -> HttpResponse:
    """Begin or end mailing the report."""
    household = home_of(request)
    is_on = request.POST.get("on") == "1"
    month_mail.wish(owner=request.user, household=household, is_on=is_on, now=clock.now())
    said = (
        _("The report comes by e-mail on the first day of each month.")
        if is_on
        else _("The report is not mailed any more.")
    )
    messages.success(request, said)
    return redirect(f"{reverse('report')}?household={household.uuid}")


@page
@require_GET
def log_file(request: OwnerRequest, kind: str) -> HttpResponse:
    """The journey log of the household, as a file for process mining."""
    if kind not in journey_log.NAMES:
        raise Http404
    household = home_of(request)
    pieces = journey_log.write(kind, owner=request.user, households=[household.pk])
    answer: HttpResponseBase = StreamingHttpResponse(
        pieces,
        content_type=journey_log.MEDIA_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{journey_log.NAMES[kind]}"',
            "Cache-Control": "private, no-store",
        },
    )
    return answer  # type: ignore[return-value]  # a stream is a response too


# --- one supplier ------------------------------------------------------------------------


@page
@require_GET
def facts_of_supplier(request: OwnerRequest, key: UUID) -> HttpResponse:
    """What a supplier did for this owner's households, in counts."""
    supplier = get_object_or_404(Supplier.objects.for_owner(request.user), uuid=key)
    card = supplier_facts.of(owner=request.user, supplier=supplier, now=clock.now())
    context = {
        "supplier": supplier,
        "card": card,
        "facts": supplier_facts.worded(card),
        "least": supplier_facts.LEAST,
    }
    return render(request, "notifications/supplier_facts.html", context)


@page
@require_GET
def facts_cases(request: OwnerRequest, key: UUID, measure: str) -> HttpResponse:
    """What one fact about a supplier was counted from."""
    if measure not in counted.MEANINGS:
        raise Http404
    supplier = get_object_or_404(Supplier.objects.for_owner(request.user), uuid=key)
    card = supplier_facts.of(owner=request.user, supplier=supplier, now=clock.now())
    context = listed(measure, card.cases[measure], household=card.household)
    context |= {"back": reverse("supplier-facts", args=[key]), "back_to": supplier.name}
    return render(request, "notifications/counted.html", context)
