"""The calendar: agenda, month, and subscriptions for calendar apps."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets.models import Asset, CareTask, Notice
from notifications import agenda, calendar
from notifications.models import Appointment, CalendarFeed
from owners import clock
from owners.models import Household, Owner
from owners.pages import OwnerRequest, page
from suppliers.models import Supplier

AGENDA_DAYS = 28
FIRST, LAST = date(1970, 1, 2), date(2200, 1, 1)
NARROWED_BY = ("household", "asset", "supplier")


@page
@require_safe
def show(request: OwnerRequest) -> HttpResponse:
    """What is expected: four weeks as a list, or a month as a grid."""
    owner, now = request.user, clock.now()
    zone = ZoneInfo(timezone.get_current_timezone_name())  # the page's, which is the owner's
    today = now.astimezone(zone).date()
    view = "month" if request.GET.get("view") == "month" else "agenda"
    at = day_of(request.GET.get("from", ""), today)
    if view == "month":
        at = at.replace(day=1)
        first, count = agenda.month_of(at)
        before, after = agenda.month_before(at), agenda.next_month(at)
    else:
        first, count = at, AGENDA_DAYS
        before, after = at - timedelta(days=count), at + timedelta(days=count)
    chosen = {name: request.GET.get(name, "") for name in NARROWED_BY}
    visits = narrowed(owner, chosen)
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(first + timedelta(days=count), time(), zone)
    entries = calendar.between(visits, start=start, end=end)
    days = agenda.days(entries, first=first, count=count, zone=zone, today=today)
    marks = due_by_day(owner, chosen, first=first, last=first + timedelta(days=count - 1))
    kept = {name: value for name, value in chosen.items() if value}

    def link(view: str, at: date | None = None) -> str:
        parts = {"view": view} if view == "month" else {}
        parts |= {"from": at.isoformat()} if at else {}
        return "?" + urlencode(parts | kept)

    context = {
        "view": view,
        "at": at,
        "last": first + timedelta(days=count - 1),
        "days": days if view == "month" else [day for day in days if day.bars or day.day in marks],
        "marks": marks,
        "entries": entries,
        "expected": sum(1 for entry in entries if entry.is_live),
        "hours": agenda.held(entries).total_seconds() / 3600,
        "clashes": any(entry.clashes_with for entry in entries),
        "tabs": [
            {"label": _("Agenda"), "href": link("agenda"), "is_at": view == "agenda"},
            {"label": _("Month"), "href": link("month", at), "is_at": view == "month"},
        ],
        "before": link(view, before),
        "after": link(view, after),
        "present": link(view),
        "next_entry": next_one(visits, end) if not entries else None,
        "is_filtered": bool(kept),
        **filters(owner, chosen),
    }
    return render(request, "notifications/calendar.html", context)


def day_of(raw: str, today: date) -> date:
    """Return the day an address names, else today."""
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        return today
    return day if FIRST <= day <= LAST else today


def narrowed(owner: Owner, chosen: dict[str, str]) -> QuerySet[Appointment]:
    """Return the owner's visits that an address asks for; an id that is none finds nothing."""
    visits: QuerySet[Appointment] = Appointment.objects.for_owner(owner)
    ids = {name: as_uuid(value) for name, value in chosen.items() if value}
    if None in ids.values():
        return visits.none()
    names = {"household": "household__uuid", "asset": "journey__asset__uuid"}
    return visits.filter(**{names.get(name, f"{name}__uuid"): key for name, key in ids.items()})


def due_by_day(
    owner: Owner, chosen: dict[str, str], *, first: date, last: date
) -> dict[date, list[agenda.Due]]:
    """Return the care and the deadlines that an address asks for, by their days."""
    found = calendar.care_between(cared_for(owner, chosen), first=first, last=last)
    ids = {name: as_uuid(value) for name, value in chosen.items() if value}
    things = Asset.objects.for_owner(owner)
    if asset := ids.get("asset"):
        things = things.filter(uuid=asset)
    if household := ids.get("household"):
        things = things.filter(household__uuid=household)
    if None not in ids.values() and "supplier" not in ids:
        today = clock.now().astimezone(ZoneInfo(timezone.get_current_timezone_name())).date()
        found += calendar.deadlines_between(things, first=first, last=last, today=today)
        notices = Notice.objects.for_owner(owner).filter(asset__in=things)
        found += calendar.notices_between(notices, first=first, last=last)
    by_day: dict[date, list[agenda.Due]] = {}
    for one in sorted(found, key=lambda one: (one.day, one.asset, one.name)):
        by_day.setdefault(one.day, []).append(one)
    return by_day


def cared_for(owner: Owner, chosen: dict[str, str]) -> QuerySet[CareTask]:
    """Return the owner's tasks that an address asks for; no supplier has any."""
    tasks: QuerySet[CareTask] = CareTask.objects.for_owner(owner)
    ids = {name: as_uuid(value) for name, value in chosen.items() if value}
    if None in ids.values() or "supplier" in ids:
        return tasks.none()
    return tasks.filter(**{f"{name}__uuid": key for name, key in ids.items()})


def as_uuid(raw: str) -> UUID | None:
    """Return an id, or None for what is none."""
    try:
        return UUID(raw)
    except ValueError:
        return None


def filters(owner: Owner, chosen: dict[str, str]) -> dict[str, Any]:
    """Return what the calendar can be narrowed to; a choice of one is no choice."""
    groups = (
        ("household", _("Household"), Household.objects.for_owner(owner).order_by("name", "pk")),
        ("asset", _("Asset"), Asset.objects.for_owner(owner).looked_after()),
        ("supplier", _("Supplier"), Supplier.objects.for_owner(owner).order_by("name", "pk")),
    )
    found = []
    for name, label, rows in groups:
        options = [(str(key), text) for key, text in rows.values_list("uuid", "name")]
        if len(options) > 1 or chosen[name]:
            found.append({"name": name, "label": label, "options": options, "chosen": chosen[name]})
    return {"filters": found}


def next_one(visits: QuerySet[Appointment], start: datetime) -> agenda.Entry | None:
    """Return the first visit after the shown days, when they are empty."""
    ends = datetime.combine(LAST, time(), start.tzinfo)
    coming = visits.filter(start__gte=start, start__lt=ends, journey__is_emptied=False)
    found = calendar.entries_of(coming.exclude(state__in=calendar.OVER).order_by("start", "pk")[:1])
    return found[0] if found else None


# -- subscriptions ---------------------------------------------------------------------


@page
@require_http_methods(["GET", "HEAD", "POST"])
def subscriptions(request: OwnerRequest) -> HttpResponse:
    """The addresses at which the owner's calendar apps read."""
    owner = request.user
    if request.method == "POST":
        household, asset = wanted(owner, request.POST)
        calendar.subscribe(owner=owner, household=household, asset=asset, now=clock.now())
        messages.success(request, _("The address is ready. Give it to your calendar app."))
        return redirect("calendar-subscriptions")
    feeds = list(CalendarFeed.objects.for_owner(owner).select_related("household", "asset"))
    has = {(feed.household_id, feed.asset_id) for feed in feeds}
    mine = list(Household.objects.for_owner(owner).order_by("name", "pk"))
    assets = Asset.objects.for_owner(owner).looked_after().select_related("household")
    context = {
        "feeds": [{"feed": feed, "address": calendar.address_of(feed)} for feed in feeds],
        "households": [row for row in mine if (row.pk, None) not in has],
        "assets": [row for row in assets if (row.household_id, row.pk) not in has],
    }
    return render(request, "notifications/calendar_subscriptions.html", context)


def wanted(owner: Owner, values: Any) -> tuple[Household, Asset | None]:
    """Return what a form subscribes to; what is not the owner's does not exist."""
    asset_key = as_uuid(str(values.get("asset", "")))
    if asset_key is not None:
        mine = Asset.objects.for_owner(owner).select_related("household")
        asset = get_object_or_404(mine, uuid=asset_key)
        return asset.household, asset
    household_key = as_uuid(str(values.get("household", "")))
    return get_object_or_404(Household.objects.for_owner(owner), uuid=household_key), None


@page
@require_POST
def change_subscription(request: OwnerRequest, feed: UUID) -> HttpResponse:
    """Give a subscription a new address, or end it."""
    found = get_object_or_404(CalendarFeed.objects.for_owner(request.user), uuid=feed)
    if request.POST.get("name") == "renew":
        calendar.renew(feed=found, now=clock.now())
        messages.success(request, _("A new address. The old one no longer works."))
    elif request.POST.get("name") == "stop":
        calendar.revoke(feed=found, now=clock.now())
        messages.success(request, _("Stopped. The address no longer works."))
    else:
        return HttpResponse(status=400)
    return redirect("calendar-subscriptions")


@require_safe
def file(request: HttpRequest, token: str) -> HttpResponse:
    """The file behind a subscription's address; a stranger's address is not found."""
    feed = calendar.find(token)
    if feed is None:
        raise Http404
    body = calendar.read(feed=feed, now=clock.now())
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=900",
        "X-Robots-Tag": "noindex",
    }
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if etag in known or f"W/{etag}" in known:
        return HttpResponse(status=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="steward.ics"'
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)
