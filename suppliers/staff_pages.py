"""What every page of the portal shares: who of which supplier is in, and with which role.

A session is an owner's or a supplier's person's, never both: `enter` begins an empty one,
and `staff_only` does not look at one in which an owner is signed in.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from owners import clock
from suppliers import staffing
from suppliers.choices import StaffRole
from suppliers.models import Supplier
from suppliers.staff import SupplierPerson

P = ParamSpec("P")
STAFF = "staff"  # the session's key
LIFE = timedelta(days=7)  # from the sign-in on, however busy


class StaffRequest(HttpRequest):
    """A request of one of a supplier's people."""

    person: SupplierPerson
    supplier: Supplier
    htmx: HtmxDetails


def enter(request: HttpRequest, person: SupplierPerson, *, now: datetime) -> None:
    """Begin a session of `person`'s, and end whatever this browser's session was before."""
    request.session.flush()
    request.session[STAFF] = {
        "person": person.pk,
        "stamp": person.session_stamp,
        "until": (now + LIFE).isoformat(),
    }
    request.session.set_expiry(int(LIFE.total_seconds()))


def leave(request: HttpRequest) -> None:
    """End the session in this browser."""
    request.session.flush()


def person_of(request: HttpRequest, *, now: datetime) -> SupplierPerson | None:
    """Return whose session this is, if it is one of a supplier's person and still good."""
    held = request.session.get(STAFF)
    if not held or request.user.is_authenticated:
        return None
    if datetime.fromisoformat(held["until"]) <= now:
        return None
    found = SupplierPerson.objects.active().filter(pk=held["person"]).select_related("supplier")
    person = found.first()
    if person is None or not constant_time_compare(person.session_stamp, held["stamp"]):
        return None
    return person


def staff_only(
    role: StaffRole = StaffRole.AGENT,
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Let only a supplier's people with at least `role` see a page, and keep no copy.

    Everybody else is asked to sign in; a role that is too low answers 403.
    """

    def decorate(
        view: Callable[Concatenate[StaffRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            now = clock.now()
            person = person_of(request, now=now)
            if person is None:
                return redirect("portal")
            staffing.note_seen(person=person, now=now)
            request = cast("StaffRequest", request)
            request.person, request.supplier = person, person.supplier
            with translation.override(person.language):
                if not staffing.may(person, role):
                    context = {"least": StaffRole(role)}
                    return render(request, "portal/not_allowed.html", context, status=403)
                return view(request, *args, **kwargs)

        return never_cache(wrapped)

    return decorate
