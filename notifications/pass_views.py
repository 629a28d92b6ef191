"""The pass: as its owner makes and watches it, and as whoever holds it reads it.

What a holder gets is answered alike for a pass that never was, has ended or was revoked.
Nothing of it may be kept: no cache, no referrer, no index of a search engine.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.core.internal.httpkit import get_client_ip
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets import serving, vault
from assets.models import Asset, Document
from notifications import handing, pass_rules, pass_stream, passes
from notifications.choices import PassWay
from notifications.models import Journey, Pass, PassVisit
from notifications.pass_forms import SCOPE_LABELS, CodeForm, NoteForm, PassForm
from notifications.templatetags.feed import fact_value, plain
from owners import clock, households
from owners.choices import Rank
from owners.models import Owner
from owners.pages import OwnerRequest, page, way_back

P = ParamSpec("P")
COOKIE = "pass"
VERSION = "X-Pass-Version"
READERS_SHOWN = 50
PASSES_SHOWN = 100
NOTE_MOST = 16 * 1024
DEAD = 410


# -- the owner -------------------------------------------------------------------------


@page
@require_safe
def pass_list(request: OwnerRequest) -> HttpResponse:
    """Every pass of the owner's households: those that open first."""
    now = clock.now()
    rows = my_passes(request.user).order_by("-created_at", "-pk")[:PASSES_SHOWN]
    found = [as_row(row, now) for row in rows]
    context = {
        "live": [row for row in found if row["is_live"]],
        "ended": [row for row in found if not row["is_live"]],
    }
    return render(request, "notifications/passes.html", context)


def my_passes(owner: Owner) -> Any:
    """Return the passes of the owner's households with what a list of them reads."""
    return Pass.objects.for_owner(owner).select_related(
        "household", "owner", "supplier", "asset", "journey__card", "journey__asset"
    )


def as_row(held: Pass, now: datetime) -> dict[str, Any]:
    """Return a pass as lists and its page show it."""
    is_over = held.revoked_at is not None or now >= held.expires_at
    return {"held": held, "is_live": not is_over, "about": title_of(held)}


def title_of(held: Pass) -> str:
    """Return what a pass is about, in words."""
    card = getattr(held.journey, "card", None) if held.journey else None
    if card is not None:
        return str(card.said.get("title") or card.title)
    return held.asset.name if held.asset else _("A matter")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def pass_new(request: OwnerRequest) -> HttpResponse:
    """Make a pass about a matter or a thing; the least is ticked."""
    owner, now = request.user, clock.now()
    journey, asset = subject_of(request)
    household = journey.household if journey else asset.household if asset else None
    if household is None:
        raise Http404
    households.require(owner=owner, household_id=household.pk)
    choices = handing.choices(journey=journey, asset=asset, now=now)
    facts = [
        (fact["name"], f"{fact['label'] or plain(fact['name'])}: {fact_value(fact['value'])}")
        for fact in choices.facts
    ]
    form = PassForm(request.POST or None, choices=choices, facts=facts)
    if form.is_valid():
        try:
            made = passes.make(
                owner=owner,
                household=household,
                journey=journey,
                asset=asset,
                wishes=form.wishes(),
                now=now,
            )
        except passes.PassError:
            form.add_error(None, _("You have many passes already. End one first."))
        else:
            return redirect("pass", key=made.uuid)
    context = {
        "form": form,
        "journey": journey,
        "asset": asset,
        "papers": choices.papers,
        "matters": matters_of(asset) if asset and not journey else [],
        "back": back_to(journey, asset),
    }
    status = 422 if form.is_bound else 200
    return render(request, "notifications/pass_new.html", context, status=status)


def subject_of(request: OwnerRequest) -> tuple[Journey | None, Asset | None]:
    """Return the owner's matter and thing that an address names; anybody else's is not there."""
    named = {
        name: as_uuid(str(request.POST.get(name) or request.GET.get(name) or ""))
        for name in ("journey", "asset")
    }
    journey = asset = None
    if named["journey"] is not None:
        mine = Journey.objects.for_owner(request.user).filter(is_emptied=False)
        rows = mine.select_related("household", "asset", "card")
        journey = get_object_or_404(rows, uuid=named["journey"])
        asset = journey.asset if journey.asset and not journey.asset.removed_at else None
    elif named["asset"] is not None:
        things = Asset.objects.for_owner(request.user).select_related("household")
        asset = get_object_or_404(things, uuid=named["asset"])
    return journey, asset


def as_uuid(raw: str) -> UUID | None:
    """Return an id, or None for nothing; what is no id names nothing that exists."""
    if not raw:
        return None
    try:
        return UUID(raw)
    except ValueError as error:
        raise Http404 from error


def matters_of(asset: Asset) -> list[Journey]:
    """Return the open matters of a thing, for the owner to choose one."""
    rows = Journey.objects.filter(asset=asset, state="open", is_emptied=False)
    return list(rows.select_related("card").order_by("-last_said_at")[:10])


def back_to(journey: Journey | None, asset: Asset | None) -> str:
    """Return the page a pass is made from."""
    if journey is not None:
        return reverse("journey", args=[journey.uuid])
    return reverse("asset", args=[asset.uuid]) if asset else reverse("passes")


@page
@require_safe
def pass_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One pass: its code to read aloud, who reads it now, and the end of it."""
    held = get_object_or_404(my_passes(request.user), uuid=key)
    template = "_pass_live.html" if request.htmx else "pass.html"
    return render(request, f"notifications/{template}", pass_context(request, held))


def pass_context(request: OwnerRequest, held: Pass) -> dict[str, Any]:
    """Return a pass as its page shows it; only who acts for the household sees the code."""
    now = clock.now()
    row = as_row(held, now)
    code = passes.code_of(held) if row["is_live"] and may_act(request.user, held) else ""
    visits = list(held.visits.order_by("-opened_at", "-pk")[:READERS_SHOWN])
    for visit in visits:
        visit.is_here = row["is_live"] and passes.is_present(visit, now=now)  # type: ignore[attr-defined]  # for the page
    return {
        **row,
        "code": pass_rules.spaced(code) if code else "",
        "spelt": pass_rules.spell(code, language=translation.get_language() or "en"),
        "is_code_live": bool(code) and passes.has_live_code(held, now=now),
        "address": passes.address_of(held) if code else "",
        "visits": visits,
        "is_read": any(visit.is_here for visit in visits),  # type: ignore[attr-defined]  # set above
        "scope": [label for word, label in SCOPE_LABELS.items() if word in held.scope],
        "entry": f"{settings.SITE_URL.partition('://')[2]}/pass",
        "shown": handing.shown(held, now=now) if not request.htmx and row["is_live"] else None,
    }


def may_act(owner: Owner, held: Pass) -> bool:
    """Whether somebody acts for the household of a pass, and so may hand it out."""
    membership = held.household.memberships.filter(owner=owner).first()
    return membership is not None and membership.rank in (Rank.MEMBER, Rank.ADMIN)


@page
@require_POST
def pass_act(request: OwnerRequest, key: UUID) -> HttpResponse:
    """End a pass, or give it a new code."""
    owner, now = request.user, clock.now()
    held = get_object_or_404(my_passes(owner), uuid=key)
    households.require(owner=owner, household_id=held.household_id)
    name = request.POST.get("name")
    if name == "revoke":
        passes.revoke(held=held, owner=owner, now=now)
        messages.success(request, _("Ended. Whoever had it open sees nothing any more."))
    elif name == "code":
        try:
            passes.renew_code(held=held, owner=owner, now=now)
        except passes.PassError:
            messages.error(request, _("This pass has ended. Make a new one."))
        else:
            messages.success(request, _("A new code. The old one no longer opens it."))
    else:
        return HttpResponse(status=400)
    return redirect(way_back(request, reverse("pass", args=[held.uuid])))


@page
@require_safe
def pass_print(request: OwnerRequest, key: UUID) -> HttpResponse:
    """A label with the pass's code, to print."""
    held = get_object_or_404(my_passes(request.user), uuid=key)
    context = pass_context(request, held)
    if not context["code"]:
        raise Http404
    return render(request, "notifications/pass_print.html", context)


# -- whoever holds it ------------------------------------------------------------------


def unkept(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let nothing of an answer be kept, indexed, or told to the next page."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    return wrapped


@csrf_exempt  # no cookie acts here; `is_from_elsewhere` keeps other sites' pages out
@unkept
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Take a code that was read out; a right one leads to the page of its pass."""
    if request.method != "POST":
        return ask_for_code(request, CodeForm())
    if is_from_elsewhere(request):
        return HttpResponse(status=403)
    values = body_of(request)
    typed = str(values.get("code") or "")[:40]
    if not typed.strip():
        form = CodeForm(values)
        return ask_for_code(request, form, status=422)
    is_program = wants_json(request)
    try:
        opened = passes.open_by_code(
            typed=typed,
            network=passes.network_of(get_client_ip(request) or ""),
            way=PassWay.MACHINE if is_program else PassWay.CODE,
            agent=request.headers.get("User-Agent", ""),
            now=clock.now(),
        )
    except passes.LockedError as error:
        return locked_out(request, error)
    if opened is None:
        if is_program:
            return problem(404, "no_such_pass", "No pass opens with this code.")
        form = CodeForm({"code": typed})
        form.add_error("code", _("No pass opens with this code. Ask for it once more."))
        return ask_for_code(request, form, status=422)
    if is_program:
        return with_cookie(as_json(opened.visit), opened)
    return with_cookie(redirect("pass-read", visit=opened.visit.uuid), opened)


def ask_for_code(request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
    """Return the page that asks for a code."""
    response = render(request, "notifications/pass_enter.html", {"form": form}, status=status)
    # A form of a page without a referrer names no origin, and could not be told from another's.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def locked_out(request: HttpRequest, error: passes.LockedError) -> HttpResponse:
    """Say for how long no code is taken from here."""
    wait = max(1, int((error.until - clock.now()).total_seconds()))
    if wants_json(request):
        response: HttpResponse = problem(429, "locked", "Too many wrong codes from here.")
    else:
        context = {"minutes": -(-wait // 60)}
        response = render(request, "notifications/pass_locked.html", context, status=429)
    response.headers["Retry-After"] = str(wait)
    return response


@csrf_exempt  # whoever writes names the token; no cookie acts here
@unkept
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Open a pass by its link: the page, or its JSON for programs, which may write as well."""
    is_program = wants_json(request)
    if request.method == "POST" and (not is_program or not is_json(request)):
        return HttpResponse(status=415)
    opened = passes.open_by_token(
        token=token,
        way=PassWay.MACHINE if is_program else PassWay.LINK,
        agent=request.headers.get("User-Agent", ""),
        now=clock.now(),
    )
    if opened is None:
        return gone(request)
    if request.method == "POST":
        return take_note(request, opened.visit)
    response = (
        as_json(opened.visit) if is_program else read_page(request, opened.visit, opened.secret)
    )
    return with_cookie(response, opened)


@csrf_exempt  # the cookie is for this page alone and no other site's form brings it along
@unkept
@require_http_methods(["GET", "HEAD", "POST"])
def read(request: HttpRequest, visit: UUID) -> HttpResponse:
    """The page of an opened pass; what is written on it is posted here."""
    secret = request.COOKIES.get(COOKIE, "")
    found = passes.go_on(visit=visit, secret=secret, now=clock.now())
    if found is None:
        return gone(request)
    if request.method == "POST":
        return take_note(request, found)
    return as_json(found) if wants_json(request) else read_page(request, found, secret)


@unkept
@require_safe
def pulse(request: HttpRequest, visit: UUID) -> HttpResponse:
    """Whether the page may still be shown, and which version of it.

    Asked where there is no stream, and when the stream falls silent.
    """
    found = passes.go_on(visit=visit, secret=request.COOKIES.get(COOKIE, ""), now=clock.now())
    if found is None:
        return HttpResponse(status=DEAD)
    return HttpResponse(status=204, headers={VERSION: passes.version_of(found)})


@unkept
@require_safe
def live(request: HttpRequest, visit: UUID) -> HttpResponse:
    """The event stream (notifications.pass_stream), as far as a synchronous server has it."""
    secret = request.COOKIES.get(pass_stream.COOKIE, "")
    found = passes.go_on(visit=visit, secret=secret, now=clock.now())
    return HttpResponse(status=DEAD if found is None else 204)


@unkept
@require_safe
def paper(request: HttpRequest, visit: UUID, key: UUID, part: str = "full") -> HttpResponse:
    """A photo or paper that was ticked."""
    found = passes.go_on(visit=visit, secret=request.COOKIES.get(COOKIE, ""), now=clock.now())
    if found is None or key not in found.held.papers:
        return gone(request)
    rows = Document.objects.filter(household=found.held.household_id, removed_at=None)
    document = rows.filter(uuid=key).first()
    if document is None or (part == vault.THUMB and not document.has_thumb):
        return gone(request)
    return serving.give_out(document, part=part)


def read_page(request: HttpRequest, visit: PassVisit, secret: str) -> HttpResponse:
    """Return the page of a pass, in the time of the place it is about."""
    now = clock.now()
    with timezone.override(ZoneInfo(visit.held.household.zone)):
        context = {
            "held": visit.held,
            "visit": visit,
            "shown": handing.shown(visit.held, now=now),
            "version": passes.version_of(visit),
            "may_write": passes.may_write(visit.held),
            "form": NoteForm(),
            "noted": request.GET.get("noted", ""),
            "proof": proof_of(secret),
            "key": secrets.token_hex(8),
        }
        return render(request, "notifications/pass_read.html", context)


def take_note(request: HttpRequest, visit: PassVisit) -> HttpResponse:
    """Keep what somebody wrote on a pass."""
    here, is_program = reverse("pass-read", args=[visit.uuid]), wants_json(request)
    values = body_of(request)
    if not is_json(request):
        proof = str(values.get("proof") or "")
        if not hmac.compare_digest(
            proof.encode(), proof_of(request.COOKIES.get(COOKIE, "")).encode()
        ):
            return HttpResponse(status=403)
    with timezone.override(ZoneInfo(visit.held.household.zone)):
        form = NoteForm(values)
        if not form.is_valid():
            if is_program:
                return problem(400, "invalid", "See errors.", form)
            return refused(request, visit, form)
        note, key = form.note(), form.cleaned_data["key"] or secrets.token_hex(8)
    try:
        passes.write(visit=visit, data=note, key=key, now=clock.now())
    except passes.PassError as error:
        if is_program:
            status = 429 if error.code == "too_many" else 409
            return problem(status, error.code, "Nothing can be written on this pass now.")
        return redirect(f"{here}?noted=0#write")
    if is_program:
        return JsonResponse({"status": "accepted"}, status=202)
    return redirect(f"{here}?noted=1#write")


def refused(request: HttpRequest, visit: PassVisit, form: NoteForm) -> HttpResponse:
    """Return the page again with what is missing in a note."""
    secret = request.COOKIES.get(COOKIE, "")
    context = {
        "held": visit.held,
        "visit": visit,
        "shown": handing.shown(visit.held, now=clock.now()),
        "version": passes.version_of(visit),
        "may_write": True,
        "form": form,
        "proof": proof_of(secret),
        "key": form.data.get("key", ""),
    }
    return render(request, "notifications/pass_read.html", context, status=422)


def gone(request: HttpRequest) -> HttpResponse:
    """Answer for a pass that does not open: the same whether it ended or never was."""
    if wants_json(request):
        return problem(DEAD, "gone", "This pass does not open.")
    return render(request, "notifications/pass_gone.html", status=DEAD)


def as_json(visit: PassVisit) -> JsonResponse:
    """Return a pass for programs; the names are those of `docs/passes.md`."""
    held = visit.held
    return JsonResponse(
        {
            **handing.shown(held, now=clock.now()),
            "expires_at": held.expires_at,
            "zone": held.household.zone,
            "may_write": passes.may_write(held),
            "read_at": f"{settings.SITE_URL}{reverse('pass-read', args=[visit.uuid])}",
        }
    )


def with_cookie(response: HttpResponse, opened: passes.Opened) -> HttpResponse:
    """Let the browser go on reading: a cookie for this one page, and one for its stream."""
    for name, place in ((COOKIE, "pass-read"), (pass_stream.COOKIE, "pass-live")):
        response.set_cookie(
            name,
            opened.secret,
            max_age=int(pass_rules.LONGEST.total_seconds()),
            path=reverse(place, args=[opened.visit.uuid]),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
    return response


def proof_of(secret: str) -> str:
    """Return what shows that a form came from the page that the cookie belongs to."""
    return hashlib.sha256(f"note:{secret}".encode()).hexdigest()[:32]


def is_from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site's page sent this: a browser says so, a program says nothing."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "")
    return bool(origin) and origin.partition("://")[2] != request.get_host()


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks: it wants JSON and nothing that people read."""
    if request.path.endswith(".json"):
        return True
    accepted = request.headers.get("Accept", "")
    return "json" in accepted and "text/html" not in accepted


def is_json(request: HttpRequest) -> bool:
    """Whether the body is JSON, which no form of another site can send."""
    return request.content_type == "application/json"


def body_of(request: HttpRequest) -> dict[str, Any]:
    """Return the flat values of a form or of a JSON object; nothing of what is neither."""
    if not is_json(request):
        return request.POST.dict()
    if len(request.body) > NOTE_MOST:
        return {}
    try:
        found = json.loads(request.body)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(name): value for name, value in found.items() if isinstance(value, str | int | bool)
    }


def problem(status: int, code: str, detail: str, form: NoteForm | None = None) -> JsonResponse:
    """Return an RFC 9457 problem."""
    said: dict[str, Any] = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    if form is not None:
        said["errors"] = [
            {"pointer": f"/{name}", "code": "invalid", "detail": str(errors[0])}
            for name, errors in form.errors.items()
        ]
    return JsonResponse(said, status=status, content_type="application/problem+json")
