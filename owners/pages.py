"""What every page of an owner shares: signed in, never cached, in the owner's own time."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from owners import clock, repeats
from owners.households import NotAllowedError
from owners.models import Change, Household, Owner

P = ParamSpec("P")


class OwnerRequest(HttpRequest):
    """A request of a signed-in owner."""

    user: Owner
    htmx: HtmxDetails


def zone_of(owner: Owner) -> ZoneInfo:
    """Return the zone an owner reads times in: their own, else their household's."""
    name = owner.zone
    if name == "UTC":
        households = Household.objects.for_owner(owner).order_by("pk")
        name = households.values_list("zone", flat=True).first() or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def page(
    view: Callable[Concatenate[OwnerRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let only signed-in owners see a page, in their zone and language, and keep no copy.

    A rank that is too low answers 403 with the sentence that says which would do.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = cast("OwnerRequest", request)
        with timezone.override(zone_of(request.user)), translation.override(request.user.language):
            key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
            try:
                if key:
                    return repeats.once(
                        owner=request.user,
                        key=key,
                        address=request.path,
                        now=clock.now(),
                        write=lambda: view(request, *args, **kwargs),
                    )
                return view(request, *args, **kwargs)
            except NotAllowedError as error:
                return not_allowed(request, error)

    return never_cache(login_required(wrapped))


def not_allowed(request: HttpRequest, error: NotAllowedError) -> HttpResponse:
    """Say whose part it is: on a page, or when it was asked for in place, on the same page."""
    who = _("Somebody with the rank “%(rank)s” can do this.") % {"rank": error.least.label}
    if getattr(request, "htmx", None):
        messages.error(request, who)
        return HttpResponse(status=403, headers={"HX-Refresh": "true"})
    return render(request, "403.html", {"exception": who}, status=403)


def way_back(request: HttpRequest, fallback: str) -> str:
    """Return where a form wants to go next, when that is a page of ours."""
    wanted = str(request.POST.get("next", "") or request.GET.get("back", ""))
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    return wanted if is_ours else fallback


def said(request: HttpRequest, sentence: str, change: Change | None = None) -> None:
    """Say what was done, with a way to undo it while the sentence stands."""
    undo = f"undo:{reverse('undo', args=[change.uuid])}" if change else ""
    messages.success(request, sentence, extra_tags=undo)


def chosen_household(request: OwnerRequest) -> Household | None:
    """Return the household a page is about: the one named, else the one chosen last.

    Raises Http404 for one that is not the owner's, known or not.
    """
    mine = Household.objects.for_owner(request.user).order_by("pk")
    key = request.GET.get("household", "")
    if not key:
        kept = str(request.session.get("household", ""))
        return (mine.filter(uuid=kept).first() if kept else None) or mine.first()
    try:
        found = get_object_or_404(mine, uuid=UUID(key))
    except ValueError as error:
        raise Http404 from error
    if request.session.get("household") != key:
        request.session["household"] = key
    return found
