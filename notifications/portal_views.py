"""The portal's pages that show what came of a supplier's work, and send for it."""

import uuid
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from notifications import portal, portal_log, practice, scorecard
from notifications.log_form import LogForm
from notifications.portal_forms import FORMS, LABELS, UpdateForm, owners_of
from owners import clock
from owners.sealing import UnsealError
from suppliers import portal_views, refusals, secrets, staffing
from suppliers.api.v1 import status_of
from suppliers.choices import EventState, StaffRole
from suppliers.models import InboundEvent, OutboundEvent, OutboundState, SigningSecret
from suppliers.staff_pages import StaffRequest, person_of, staff_only

GET = ["GET", "HEAD"]
GET_AND_POST = [*GET, "POST"]
DEVELOPER = StaffRole.DEVELOPER
OWNERS_OFFERED = 500
PAYLOAD_SHOWN = 20_000


class FigureWords(NamedTuple):
    """How a figure of the scorecard is called, and each of its two kinds of cases."""

    title: str | Promise
    meaning: str | Promise
    is_part: str | Promise
    is_not: str | Promise


FIGURES = {
    "on_time": FigureWords(
        gettext_lazy("Arrives when promised"),
        gettext_lazy("Visits that are over, by the window that held last."),
        gettext_lazy("In its window"),
        gettext_lazy("Late, or nobody came"),
    ),
    "fixed_first": FigureWords(
        gettext_lazy("Fixes it first time"),
        gettext_lazy("Matters that owners closed, none of them reopened."),
        gettext_lazy("Not reopened"),
        gettext_lazy("Reopened"),
    ),
    "asked_again": FigureWords(
        gettext_lazy("Asks again"),
        gettext_lazy("Questions that the same matter had answered or asked before."),
        gettext_lazy("Asked before"),
        gettext_lazy("Asked for the first time"),
    ),
    "replied": FigureWords(
        gettext_lazy("Replies"),
        gettext_lazy("Requests of owners after which you said something."),
        gettext_lazy("Replied"),
        gettext_lazy("No reply yet"),
    ),
    "said_nothing_new": FigureWords(
        gettext_lazy("Says nothing new"),
        gettext_lazy("Messages in which the owner knew everything already."),
        gettext_lazy("Nothing new"),
        gettext_lazy("Something new"),
    ),
    "surveys": FigureWords(
        gettext_lazy("Surveys answered"),
        gettext_lazy("Requests for feedback, by what came of them."),
        gettext_lazy("Answered"),
        gettext_lazy("Not answered"),
    ),
}
LANGUAGES = {
    "sh": ("curl", "first.sh"),
    "py": ("Python", "first.py"),
    "mjs": ("JavaScript", "first.mjs"),
}


@never_cache
@require_http_methods(GET)
def portal_home(request: HttpRequest) -> HttpResponse:
    """Show what waits and what is left to set up; to strangers, the two ways in."""
    if person_of(request, now=clock.now()) is None:
        return portal_views.door(request)
    return _home(request)


@staff_only()
def _home(request: StaffRequest) -> HttpResponse:
    supplier, now = request.supplier, clock.now()
    visits = portal.visits(supplier=supplier, now=now)
    today = [
        visit for visit in visits if visit.start.date() == now.astimezone(visit.start.tzinfo).date()
    ]
    context = {
        "requests": portal.open_requests(supplier=supplier, now=now),
        "visits": len(today),
        "next": visits[0] if visits else None,
        "refused": InboundEvent.objects.filter(supplier=supplier, state=EventState.REJECTED)
        .order_by("-pk")
        .first(),
        "steps": [
            {
                "label": _("Send a first event"),
                "url": "portal-first",
                "is_done": InboundEvent.objects.filter(supplier=supplier).exists(),
            },
            {
                "label": _("Prove your domain"),
                "url": "portal-profile",
                "is_done": supplier.domains.filter(household=None).exists(),
            },
            {
                "label": _("Prove your phone number"),
                "url": "portal-profile",
                "is_done": supplier.numbers.filter(household=None).exists(),
            },
            {
                "label": _("Say where answers go"),
                "url": "portal-keys",
                "is_done": bool(supplier.webhook_url or supplier.technical_contact),
            },
        ],
    }
    return render(request, "portal/home.html", context)


# --- the first event ---------------------------------------------------------------------


@require_http_methods(GET_AND_POST)
@staff_only(DEVELOPER)
def portal_first(request: StaffRequest) -> HttpResponse:
    """Lead to a first accepted event: a secret, a program to paste, and what came of it."""
    supplier, now = request.supplier, clock.now()
    secret = ""
    if request.method == "POST":
        if request.POST.get("clear"):
            practice.clear(supplier=supplier, now=now)
            messages.success(request, _("Forgotten. The test owner is as new."))
            return redirect("portal-first")
        secret = secrets.rotate_own(supplier=supplier, now=now).value
    mandate = practice.mandate_of(supplier=supplier, now=now)
    context = {
        "secret": secret,
        "has_secret": SigningSecret.objects.live(now).filter(supplier=supplier).exists(),
        "owner_ref": mandate.owner_ref,
        "programs": programs(
            code=supplier.code, owner_ref=mandate.owner_ref, secret=secret, now=now
        ),
        **_arrived(request),
    }
    return render(request, "portal/first.html", context)


@require_http_methods(GET)
@staff_only(DEVELOPER)
def portal_first_state(request: StaffRequest) -> HttpResponse:
    """Return the live line alone: what arrived last, or that nothing has."""
    return render(request, "portal/_arrived.html", _arrived(request))


def programs(*, code: str, owner_ref: str, secret: str, now: datetime) -> list[dict[str, str]]:
    """Return the same event in three languages, each complete and to be pasted as it is."""
    start = (now + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)
    context = {
        "url": f"{settings.SITE_URL}/webhooks/{code}/",
        "code": code,
        "owner_ref": owner_ref,
        "secret": secret or "whsec_…",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=2)).isoformat(),
    }
    return [
        {
            "language": language,
            "file": file,
            "id": f"program-{ending}",
            "text": render_to_string(f"portal/first.{ending}.txt", context).strip() + "\n",
        }
        for ending, (language, file) in LANGUAGES.items()
    ]


def _arrived(request: StaffRequest) -> dict[str, Any]:
    newest = InboundEvent.objects.filter(supplier=request.supplier).order_by("-pk").first()
    refusal = refusals.last(supplier_id=request.supplier.pk)
    if refusal and newest and datetime.fromisoformat(refusal["at"]) < newest.received_at:
        refusal = None
    return {
        "event": newest,
        "status": status_of(newest) if newest else None,
        "refusal": refusal,
    }


# --- visits and requests -----------------------------------------------------------------


@require_http_methods(GET)
@staff_only()
def portal_visits(request: StaffRequest) -> HttpResponse:
    """Show the visits from today on, each with its buttons."""
    now = clock.now()
    found = portal.visits(supplier=request.supplier, now=now)
    days: dict[Any, list[portal.Visit]] = {}
    for visit in found:
        days.setdefault(visit.start.date(), []).append(visit)
    context = {"days": days.items(), "today": now.date(), "late": (15, 30, 45, 60, 90)}
    return render(request, "portal/visits.html", context)


@require_POST
@staff_only()
def portal_visit(request: StaffRequest, key: UUID) -> HttpResponse:
    """Send one step of a visit."""
    minutes = request.POST.get("minutes", "")
    try:
        portal.tell_visit(
            supplier=request.supplier,
            visit=key,
            step=request.POST.get("step", ""),
            minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 4 else 30,
            now=clock.now(),
        )
    except portal.PortalError as error:
        if error.code == "unknown_visit":
            raise Http404 from error
        messages.error(request, _(error.detail))
    else:
        messages.success(request, _("Sent. The card of the owner changes now."))
    return redirect("portal-visits")


@require_http_methods(GET)
@staff_only()
def portal_requests(request: StaffRequest) -> HttpResponse:
    """Show what owners asked, the oldest open first."""
    is_done = request.GET.get("done") == "1"
    now = clock.now()
    address = reverse("portal-requests")
    context = {
        "requests": portal.requests(supplier=request.supplier, now=now, is_done=is_done),
        "is_done": is_done,
        "filters": [
            {
                "label": _("Open"),
                "href": address,
                "is_at": not is_done,
                "count": portal.open_requests(supplier=request.supplier, now=now),
            },
            {"label": _("Answered"), "href": f"{address}?done=1", "is_at": is_done},
        ],
    }
    return render(request, "portal/requests.html", context)


@require_POST
@staff_only()
def portal_answer(request: StaffRequest, key: UUID) -> HttpResponse:
    """Answer one request."""
    window = request.POST.get("window", "")
    try:
        done = portal.answer(
            supplier=request.supplier,
            event=key,
            person=request.person,
            text=request.POST.get("text", ""),
            window=int(window) if window.isdecimal() and len(window) < 3 else None,
            is_declined=bool(request.POST.get("decline")),
            now=clock.now(),
        )
    except portal.PortalError as error:
        if error.code == "unknown_request":
            raise Http404 from error
        messages.error(request, _(error.detail))
    else:
        sent = _("Answered. The owner sees it on the card.")
        messages.success(request, sent if done.sent_id else _("Noted as done."))
    return redirect("portal-requests")


# --- sending -----------------------------------------------------------------------------


@require_http_methods(GET_AND_POST)
@staff_only()
def portal_send(request: StaffRequest) -> HttpResponse:
    """Compose an update, see what it would come to, and send it."""
    now = clock.now()
    form = _form(request)
    context: dict[str, Any] = {"form": form, "kind": _kind(request), "tabs": _tabs(request)}
    if request.method == "POST":
        context |= _judged(request, form, now=now)
        if request.POST.get("send") and context.get("verdict"):
            kind, data = form.event(now=now)
            try:
                portal.send(supplier=request.supplier, kind=kind, data=data, now=now)
            except portal.PortalError as error:
                context["fault"] = error
            else:
                messages.success(request, _("Sent. The log shows what comes of it."))
                return redirect("portal-log")
        name = "portal/_verdict.html" if request.htmx else "portal/send.html"
        return render(request, name, context)
    return render(request, "portal/send.html", context)


def _kind(request: StaffRequest) -> str:
    kind = request.GET.get("kind", "message")
    return kind if kind in FORMS else "message"


def _form(request: StaffRequest) -> UpdateForm:
    offered = list(portal.mandates_of(request.supplier)[:OWNERS_OFFERED])
    owners = owners_of(offered, test=portal.test_household(request.supplier))
    initial = {"name": uuid.uuid4().hex, "owner": request.GET.get("owner", "")}
    return FORMS[_kind(request)](
        request.POST if request.method == "POST" else None, owners=owners, initial=initial
    )


def _tabs(request: StaffRequest) -> list[dict[str, Any]]:
    address, at = reverse("portal-send"), _kind(request)
    return [
        {"label": label, "href": f"{address}?kind={name}", "is_at": name == at}
        for name, label in LABELS.items()
    ]


def _judged(request: StaffRequest, form: UpdateForm, *, now: datetime) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    kind, data = form.event(now=now)
    try:
        found = portal.judge(supplier=request.supplier, kind=kind, data=data, now=now)
    except portal.PortalError as error:
        return {"fault": error}
    return {"verdict": found}


# --- the log -----------------------------------------------------------------------------


@require_http_methods(GET)
@staff_only()
def portal_deliveries(request: StaffRequest) -> HttpResponse:
    """Show what came in or went out, the newest first."""
    is_out = request.GET.get("way") == "out"
    states = OutboundState.CHOICES if is_out else EventState.choices
    form = LogForm(request.GET, states=states)
    asked = form.asked()
    read: Any = portal_log.went_out if is_out else portal_log.came_in
    address = reverse("portal-log")
    given = {name: value for name, value in request.GET.items() if value and name != "before"}
    page = read(supplier=request.supplier, asked=asked)
    context = {
        "rows": page.rows,
        "older": urlencode({**given, "before": page.next}) if page.next else "",
        "back_to": page.back_to,
        "is_out": is_out,
        "form": form,
        "is_asked": asked.is_filtered or asked.since or asked.until or asked.before,
        "is_open": any(given.get(name) for name in ("outcome", "since", "until")),
        "tabs": [
            {"label": _("You sent"), "href": address, "is_at": not is_out},
            {"label": _("You got"), "href": f"{address}?way=out", "is_at": is_out},
        ],
    }
    return render(request, "portal/log.html", context)


@require_http_methods(GET)
@staff_only()
def portal_log_in(request: StaffRequest, number: int) -> HttpResponse:
    """Show one event the supplier sent: its bytes, and what came of it."""
    found = InboundEvent.objects.filter(supplier=request.supplier, pk=number).first()
    if found is None:
        raise Http404
    try:
        payload = found.body.decode("utf-8", "replace")[:PAYLOAD_SHOWN]
    except UnsealError:
        payload = ""
    context = {"event": found, "status": status_of(found), "payload": payload}
    return render(request, "portal/log_in.html", context)


@require_http_methods(GET_AND_POST)
@staff_only()
def portal_log_out(request: StaffRequest, key: UUID) -> HttpResponse:
    """Show one event the supplier got, with every try; a POST sends it again."""
    found = OutboundEvent.objects.filter(supplier=request.supplier, uuid=key).first()
    if found is None:
        raise Http404
    if request.method == "POST":
        if not staffing.may(request.person, DEVELOPER):
            return HttpResponse(status=403)
        portal.replay(supplier=request.supplier, event=key, now=clock.now())
        messages.success(request, _("It goes out once more, under the same id."))
        return redirect("portal-log-out", key=key)
    context = {
        "event": found,
        "tries": portal.tries(found),
        "may_replay": staffing.may(request.person, DEVELOPER),
    }
    return render(request, "portal/log_out.html", context)


# --- the scorecard -----------------------------------------------------------------------


@require_http_methods(GET)
@staff_only()
def portal_scorecard(request: StaffRequest) -> HttpResponse:
    """Show the supplier its own facts, each with how it went before."""
    card = scorecard.of(supplier=request.supplier, now=clock.now())
    context = {
        "card": card,
        "least": scorecard.LEAST,
        "most": scorecard.MOST,
        "since": timezone.localtime(card.since),
        "figures": [_figure(name, card) for name in scorecard.FIGURES],
    }
    return render(request, "portal/scorecard.html", context)


def _figure(name: str, card: scorecard.Scorecard) -> dict[str, Any]:
    spans = card.trend[name]
    shares = [span.figure.share for span in spans]
    hours = [span.hours for span in spans]
    return {
        "name": name,
        "figure": getattr(card, name),
        "title": FIGURES[name].title,
        "meaning": FIGURES[name].meaning,
        "labels": [date_format(timezone.localtime(span.until), "j M Y") for span in spans],
        "shares": shares,
        "counts": [
            _("%(part)s of %(whole)s") % {"part": span.figure.part, "whole": span.figure.whole}
            for span in spans
        ],
        "hours": hours,
        "hour_cells": ["\u2013" if one is None else one for one in hours],
        "is_drawn": sum(share is not None for share in shares) > 1,
        "has_hours": sum(one is not None for one in hours) > 1,
    }


@require_http_methods(GET)
@staff_only()
def portal_scorecard_cases(request: StaffRequest, name: str) -> HttpResponse:
    """Show what one figure was counted from, each with its event."""
    if name not in FIGURES:
        raise Http404
    words = FIGURES[name]
    context = {
        "cases": [
            {"case": case, "said": words.is_part if case.is_part else words.is_not}
            for case in scorecard.cases(supplier=request.supplier, name=name, now=clock.now())
        ],
        "words": words,
        "most": scorecard.LISTED,
    }
    return render(request, "portal/scorecard_cases.html", context)
