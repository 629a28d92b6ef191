"""The portal's entrance: sign up, ask for a link, come in by it, leave.

Every answer about an address is the same for one that is known and one that is not.
"""

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from owners import clock
from suppliers import staffing
from suppliers.choices import LinkKind
from suppliers.portal_forms import EnterForm, SignInForm, SignUpForm
from suppliers.staff import StaffLink
from suppliers.staff_pages import StaffRequest, enter, leave, staff_only

TOKEN = "staff-link"  # noqa: S105 - where the session keeps it until its button is pressed
# Of one address of the network; one mailbox has its own limit (`staffing.AN_HOUR`).
LETTERS = {"letter": "20/h/ip"}
TRIES = {"try": "60/h/ip"}


def door(
    request: HttpRequest,
    *,
    sign_up: SignUpForm | None = None,
    sign_in: SignInForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the two ways in."""
    context = {
        "sign_up": sign_up or SignUpForm(auto_id="up_%s"),
        "sign_in": sign_in or SignInForm(auto_id="in_%s"),
        "is_owner": request.user.is_authenticated,
    }
    return render(request, "portal/door.html", context, status=status)


@never_cache
@require_POST
def portal_sign_up(request: HttpRequest) -> HttpResponse:
    """Send the letter that makes a new organisation."""
    form = SignUpForm(request.POST, auto_id="up_%s")
    if not form.is_valid():
        return door(request, sign_up=form, status=422)
    if late := _too_many(request, "letter", LETTERS):
        return late
    try:
        staffing.sign_up(
            organisation=form.cleaned_data["organisation"],
            email=form.cleaned_data["email"],
            language=_language(),
            now=clock.now(),
        )
    except staffing.StaffError as error:
        form.add_error(error.field or None, _(error.detail))
        return door(request, sign_up=form, status=422)
    return _sent(request, form.cleaned_data["email"])


@never_cache
@require_POST
def portal_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a link to whoever may come in; say the same to everybody."""
    form = SignInForm(request.POST, auto_id="in_%s")
    if not form.is_valid():
        return door(request, sign_in=form, status=422)
    if late := _too_many(request, "letter", LETTERS):
        return late
    staffing.send_link(email=form.cleaned_data["email"], language=_language(), now=clock.now())
    return _sent(request, form.cleaned_data["email"])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def portal_enter(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show what a link opens, and come in by its button.

    The token is in the path of the letter's link; it moves into the session at once, so
    that no later page or referrer shows it.
    """
    if token:
        request.session[TOKEN] = token
        return redirect("portal-enter")
    now = clock.now()
    held = str(request.session.get(TOKEN, ""))
    link = staffing.find(token=held, now=now)
    if link is None:
        request.session.pop(TOKEN, None)
        return render(request, "portal/enter.html", {"link": None}, status=410)
    form = EnterForm(
        request.POST if request.method == "POST" else None,
        asks_email=not link.email,
        asks_name=link.kind != LinkKind.SIGN_IN and not link.name,
    )
    if request.method == "POST" and form.is_valid():
        if late := _too_many(request, "try", TRIES):
            return late
        try:
            person = staffing.redeem(
                token=held,
                email=form.cleaned_data.get("email", ""),
                name=form.cleaned_data.get("name", ""),
                now=now,
            )
        except staffing.StaffError:
            request.session.pop(TOKEN, None)
            return render(request, "portal/enter.html", {"link": None}, status=410)
        enter(request, person, now=now)
        return redirect(_after(link))
    context = {"link": link, "form": form, "is_owner": request.user.is_authenticated}
    return render(request, "portal/enter.html", context, status=422 if form.errors else 200)


@require_POST
@staff_only()
def portal_leave(request: StaffRequest) -> HttpResponse:
    """Leave; `everywhere` ends the sessions on other devices too."""
    if request.POST.get("everywhere"):
        staffing.sign_out(person=request.person)
    leave(request)
    return redirect("portal")


@require_POST
@staff_only()
def portal_change(request: StaffRequest) -> HttpResponse:
    """Go on for another supplier, at which the same mailbox was let in."""
    other = get_object_or_404(
        staffing.elsewhere(request.person), uuid=request.POST.get("person") or None
    )
    enter(request, other, now=clock.now())
    messages.success(request, _("You are here for %(name)s now.") % {"name": other.supplier.name})
    return redirect("portal")


def _after(link: StaffLink) -> str:
    """Return the page to open after a link: the one it names, if that is ours."""
    if link.target and url_has_allowed_host_and_scheme(link.target, allowed_hosts=None):
        return link.target
    return "portal-first" if link.kind == LinkKind.SIGN_UP else "portal"


def _sent(request: HttpRequest, email: str) -> HttpResponse:
    context = {"email": email, "is_local": settings.STEWARD_OUTBOX == "local"}
    return render(request, "portal/sent.html", context)


def _too_many(request: HttpRequest, action: str, config: dict[str, str]) -> HttpResponse | None:
    found: HttpResponse | None = ratelimit.consume_or_429(
        request, app="portal", action=action, config=config
    )
    return found


def _language() -> str:
    spoken = (translation.get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    return spoken if spoken in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
