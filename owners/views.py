"""Who shares this household, who and what has access, and letters of invitation."""

from __future__ import annotations

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from owners import access, channels, clock, households, invitations, sessions, tokens
from owners.choices import ChannelKind, Rank, TokenScope
from owners.forms import ChannelForm, HouseholdForm, InviteForm, TokenForm
from owners.models import (
    ApiToken,
    Channel,
    Household,
    Invitation,
    Membership,
    Owner,
)
from owners.pages import OwnerRequest, chosen_household, page, said

GET_AND_POST = ["GET", "HEAD", "POST"]
INVITED = "invitation"  # in the session of somebody who must first sign up


def back_to_household(household: Household) -> HttpResponse:
    """Return to the page of a household."""
    return redirect(f"{reverse('household')}?household={household.uuid}")


@page
@require_http_methods(GET_AND_POST)
def household(request: OwnerRequest) -> HttpResponse:
    """What the household is called, where it is, who is in it and who is told what."""
    owner, now = request.user, clock.now()
    found = chosen_household(request)
    if found is None:
        if request.method == "POST":
            households.ensure_first(owner=owner, now=now)
            return redirect("household")
        return render(request, "owners/household_none.html")
    form = HouseholdForm(request.POST or None, instance=found)
    if form.is_valid():
        change = households.change(household=found, values=form.cleaned_data, by=owner, now=now)
        said(request, _("Saved."), change)
        return back_to_household(found)
    return show_household(request, found, form=form)


def show_household(
    request: OwnerRequest,
    found: Household,
    *,
    form: HouseholdForm | None = None,
    invite: InviteForm | None = None,
) -> HttpResponse:
    """Render the page of a household, with a faulty form when there is one."""
    members = list(
        found.memberships.select_related("owner", "cover")
        .order_by("pk")
        .prefetch_related("owner__keeps")
    )
    mine = next(member for member in members if member.owner_id == request.user.pk)
    today = clock.now().date()
    rows = [
        {
            "membership": member,
            "keeps": [
                thing for thing in member.owner.keeps.all() if thing.household_id == found.pk
            ],
            "is_me": member == mine,
            "is_away": bool(
                member.holiday_from
                and member.holiday_until
                and member.holiday_from <= today <= member.holiday_until
            ),
        }
        for member in members
    ]
    is_admin = mine.rank == Rank.ADMIN
    waiting = Invitation.objects.for_owner(request.user).open(clock.now()).filter(household=found)
    context = {
        "form": form or HouseholdForm(instance=found),
        "invite": invite or InviteForm(),
        "household": found,
        "mine": Household.objects.for_owner(request.user).order_by("pk"),
        "rows": rows,
        "ranks": Rank.choices,
        "is_admin": is_admin,
        "invitations": waiting.order_by("-pk"),
        "intake": f"{found.intake_alias}@{settings.MAIL_DOMAIN}" if found.intake_alias else "",
    }
    is_faulty = (form is not None and form.is_bound) or (invite is not None and invite.is_bound)
    return render(request, "owners/household.html", context, status=422 if is_faulty else 200)


def my_household(owner: Owner, key: UUID) -> Household:
    """Return one of the owner's households; any other does not exist."""
    return get_object_or_404(Household.objects.for_owner(owner), uuid=key)


@page
@require_POST
def household_add(request: OwnerRequest) -> HttpResponse:
    """Start another household, whose admin the owner is."""
    name = str(request.POST.get("name", "")).strip()[:120] or _("Another household")
    made = households.create(owner=request.user, name=name, zone=request.user.zone, now=clock.now())
    said(request, _("Started."))
    return back_to_household(made)


@page
@require_POST
def member_invite(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Send somebody an invitation by mail."""
    found = my_household(request.user, key)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invitations.invite(
                household=found,
                by=request.user,
                address=form.cleaned_data["email"],
                rank=Rank(form.cleaned_data["rank"]),
                now=clock.now(),
            )
        except invitations.PeopleError as error:
            form.add_error("email", _(error.detail))
        else:
            said(request, _("Invited. The letter is on its way and works for a week."))
            return back_to_household(found)
    households.require(owner=request.user, household_id=found.pk, least=Rank.ADMIN)
    return show_household(request, found, invite=form)


@page
@require_POST
def invitation_revoke(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take an invitation back."""
    found = get_object_or_404(Invitation.objects.for_owner(request.user), uuid=key)
    invitations.revoke(invitation=found, by=request.user, now=clock.now())
    said(request, _("Taken back. The letter opens nothing any more."))
    return back_to_household(found.household)


@page
@require_POST
def member_change(request: OwnerRequest, key: UUID, member: UUID) -> HttpResponse:
    """Change a member's rank, take them out, or leave."""
    found = my_household(request.user, key)
    membership = get_object_or_404(
        Membership.objects.select_related("household", "owner"), household=found, owner__uuid=member
    )
    now = clock.now()
    try:
        if "remove" in request.POST:
            change = invitations.remove(membership=membership, by=request.user, now=now)
            if membership.owner_id == request.user.pk:
                said(request, _("You have left."))
                return redirect("household")
            said(request, _("Taken out of the household."), change)
        elif request.POST.get("rank") in Rank.values:
            rank = Rank(str(request.POST["rank"]))
            done = invitations.change_rank(
                membership=membership, rank=rank, by=request.user, now=now
            )
            said(request, _("Saved."), done)
        else:
            return HttpResponse(status=400)
    except invitations.PeopleError as error:
        messages.error(request, _(error.detail))
    return back_to_household(found)


@never_cache
@require_http_methods(GET_AND_POST)
def invitation(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show whose household one is invited into; joining takes a tap and an account.

    The token is in the path of the letter's link; it moves into the session at once, so
    that no later page or referrer shows it.
    """
    if token:
        request.session[INVITED] = token
        return redirect("invitation")
    found = invitations.find(token=str(request.session.get(INVITED, "")), now=clock.now())
    if found is None:
        request.session.pop(INVITED, None)
        return render(request, "owners/invitation.html", {"invitation": None}, status=410)
    if request.method == "POST" and isinstance(request.user, Owner):
        try:
            membership = invitations.accept(
                token=str(request.session.pop(INVITED)), owner=request.user, now=clock.now()
            )
        except invitations.PeopleError:
            return render(request, "owners/invitation.html", {"invitation": None}, status=410)
        said(request, _("Welcome. You share this household now."))
        return back_to_household(membership.household)
    return render(request, "owners/invitation.html", {"invitation": found})


@page
@require_http_methods(["GET", "HEAD"])
def access_page(request: OwnerRequest) -> HttpResponse:
    """Sessions, factors, addresses, channels and tokens: everything that opens the account."""
    return show_access(request)


def show_access(
    request: OwnerRequest,
    *,
    made: tokens.MadeToken | None = None,
    token_form: TokenForm | None = None,
    channel_form: ChannelForm | None = None,
) -> HttpResponse:
    """Render the page of what has access, with a token to be seen once."""
    owner = request.user
    factors = list(Authenticator.objects.filter(user=owner).order_by("pk"))
    context = {
        "sessions": sessions.live_of(owner, now=clock.now()),
        "here": request.session.session_key,
        "passkeys": [row for row in factors if row.type == "webauthn"],
        "has_totp": any(row.type == "totp" for row in factors),
        "addresses": owner.emailaddress_set.order_by("-primary", "email"),  # type: ignore[attr-defined]  # allauth's model
        "channels": Channel.objects.for_owner(owner).order_by("kind", "pk"),
        "tokens": ApiToken.objects.for_owner(owner).live().order_by("-pk"),
        "made": made,
        "token_form": token_form or TokenForm(),
        "channel_form": channel_form or ChannelForm(),
    }
    is_faulty = any(form is not None and form.is_bound for form in (token_form, channel_form))
    return render(request, "owners/access.html", context, status=422 if is_faulty else 200)


@page
@require_POST
def session_end(request: OwnerRequest) -> HttpResponse:
    """End one session, or all but this one where none is named."""
    wanted = str(request.POST.get("session", ""))
    if wanted and not (wanted.isdecimal() and len(wanted) < 18):
        return HttpResponse(status=400)
    mine = UserSession.objects.filter(user=request.user)
    rows = list(
        mine.filter(pk=int(wanted))
        if wanted
        else mine.exclude(session_key=request.session.session_key)
    )
    for row in rows:
        row.end()
    what = {"number": len(rows)}
    access.note(kind="session_ended", actor=request.user, what=what, now=clock.now())
    said(request, _("Ended."))
    return redirect("access")


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no types
@page
@require_POST
def token_make(request: OwnerRequest) -> HttpResponse:
    """Make a token and show it once, in this answer and never again."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return show_access(request, token_form=form)
    try:
        made = tokens.make(
            owner=request.user,
            name=form.cleaned_data["name"],
            scope=TokenScope(form.cleaned_data["scope"]),
            now=clock.now(),
        )
    except tokens.TokenError as error:
        form.add_error("name", _(str(error)))
        return show_access(request, token_form=form)
    return show_access(request, made=made)


@page
@require_POST
def token_revoke(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Close a token for ever."""
    found = get_object_or_404(ApiToken.objects.for_owner(request.user), uuid=key)
    tokens.revoke(token=found, now=clock.now())
    said(request, _("Revoked. It opens nothing any more."))
    return redirect("access")


@page
@require_POST
def channel_add(request: OwnerRequest) -> HttpResponse:
    """Add an address; a code is sent to it."""
    form = ChannelForm(request.POST)
    if form.is_valid():
        try:
            channels.add(
                owner=request.user,
                kind=ChannelKind(form.cleaned_data["kind"]),
                address=form.cleaned_data["address"],
                now=clock.now(),
            )
        except channels.ChannelError as error:
            form.add_error("address", error.words)
        else:
            said(request, _("Added. Type the code that arrives there."))
            return redirect("access")
    return show_access(request, channel_form=form)


@page
@require_POST
def channel_change(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Prove an address with its code, have another code sent, or forget the address."""
    found = get_object_or_404(Channel.objects.for_owner(request.user), uuid=key)
    now = clock.now()
    try:
        if "remove" in request.POST:
            channels.remove(channel=found, now=now)
            said(request, _("Forgotten."))
        elif "bare" in request.POST:
            channels.set_bare(channel=found, is_bare=request.POST["bare"] == "1", now=now)
            said(request, _("Saved."))
        elif "first" in request.POST:
            channels.choose(channel=found, now=now)
            said(request, _("Saved."))
        elif "again" in request.POST:
            channels.send_code(channel=found, now=now)
            said(request, _("Another code is on its way."))
        elif channels.verify(channel=found, code=str(request.POST.get("code", "")), now=now):
            said(request, _("Verified. It can be used from now on."))
        else:
            messages.error(request, _("This code is wrong or has expired."))
    except channels.ChannelError as error:
        messages.error(request, error.words)
    return redirect("access")
