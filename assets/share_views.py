"""One asset shown to one person: for whoever gives, and for whoever is shown it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets import serving, sharing, vault
from assets.models import Asset, CareTask, Document, ServiceRecord, Share
from assets.passing_words import SharePart
from assets.share_forms import HelpForm, SharedForm, ShareForm
from assets.views import find_asset
from owners import clock, households
from owners.choices import Rank
from owners.models import Household, Membership, Owner
from owners.pages import OwnerRequest, page, said

FORM = ["GET", "HEAD", "POST"]
HELD = "shared"  # the session's key
SHOWN = 100


# --- who gives ---------------------------------------------------------------------------


@page
@require_http_methods(FORM)
def asset_shares(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Who is shown a thing, and one more."""
    asset = find_asset(request.user, key)
    now = clock.now()
    form = ShareForm(request.POST or None)
    if form.is_valid():
        try:
            made = sharing.share(
                asset=asset,
                by=request.user,
                address=form.cleaned_data["email"],
                parts=[SharePart(part) for part in form.cleaned_data["parts"]],
                may_tick=form.cleaned_data["may_tick"],
                days=form.cleaned_data["days"],
                now=now,
            )
        except sharing.ShareError as error:
            form.add_error(error.field if error.field in form.fields else None, _(error.detail))
        else:
            said(request, _("Shared. It can be ended at any time."))
            return redirect("share", key=made.uuid)
    mine = Share.objects.for_owner(request.user).filter(asset=asset)
    rows = mine.open(now).select_related("owner", "made_by").order_by("-created_at", "-pk")
    context = {
        "asset": asset,
        "form": form,
        "rows": [_row(row, asset.household_id) for row in rows[:SHOWN]],
    }
    return render(request, "assets/shares.html", context, status=422 if form.is_bound else 200)


def _row(row: Share, household_id: int) -> dict[str, Any]:
    """Return a share as the list shows it."""
    is_helper = row.expires_at is None
    return {
        "share": row,
        "who": row.owner.get_full_name() if row.owner else row.hint or _("Whoever has the link"),
        "is_helper": is_helper,
        "parts": [] if is_helper else [SharePart(part).label for part in row.parts],
    }


@page
@require_http_methods(FORM)
def share_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One share: its link while it can be taken, what it shows, and its end."""
    rows = Share.objects.for_owner(request.user).filter(asset__removed_at=None)
    share = get_object_or_404(
        rows.select_related("asset", "household", "owner", "made_by"), uuid=key
    )
    now = clock.now()
    form = SharedForm(request.POST or None, share=share)
    if form.is_valid():
        sharing.change(
            share=share,
            parts=[SharePart(part) for part in form.cleaned_data["parts"]],
            may_tick=form.cleaned_data["may_tick"],
            by=request.user,
            now=now,
        )
        said(request, _("Saved."))
        return redirect("share", key=share.uuid)
    is_open = Share.objects.open(now).filter(pk=share.pk).exists()
    can_be_taken = Share.objects.invited(now).filter(pk=share.pk).exists()
    is_admin = Membership.objects.filter(
        owner=request.user, household=share.household_id, rank=Rank.ADMIN
    ).exists()
    context = {
        "share": share,
        "asset": share.asset,
        "form": form,
        "is_open": is_open,
        "can_be_taken": can_be_taken,
        # A link that was mailed is its reader's; only one to hand over is shown.
        "address": address_of(share) if can_be_taken and is_admin and not share.hint else "",
        **_row(share, share.household_id),
    }
    return render(request, "assets/share.html", context, status=422 if form.is_bound else 200)


def address_of(share: Share) -> str:
    """Return the link by which a share is taken."""
    return f"{settings.SITE_URL}{reverse('share-take', args=[share.token])}"


@page
@require_POST
def share_end(request: OwnerRequest, key: UUID) -> HttpResponse:
    """End a share at once."""
    share = get_object_or_404(Share.objects.for_owner(request.user), uuid=key)
    change = sharing.revoke(share=share, by=request.user, now=clock.now())
    said(request, _("Ended. Nobody sees it by that any more."), change)
    return redirect("asset-shares", key=share.asset.uuid)


@page
@require_http_methods(FORM)
def member_helps(request: OwnerRequest, key: UUID, member: UUID) -> HttpResponse:
    """Choose the things whose care a helper ticks."""
    home = get_object_or_404(Household.objects.for_owner(request.user), uuid=key)
    rows = Membership.objects.select_related("owner", "household")
    membership = get_object_or_404(rows, household=home, owner__uuid=member, rank=Rank.HELPER)
    mine = Asset.objects.filter(household=home).looked_after()
    helped = sharing.helped_by(membership)
    form = HelpForm(
        request.POST if request.method == "POST" else None,
        mine=mine,
        initial={"assets": [str(one) for one in helped]},
    )
    if form.is_valid():
        sharing.let_help(
            membership=membership,
            assets=list(form.cleaned_data["assets"]),
            by=request.user,
            now=clock.now(),
        )
        said(request, _("Saved."))
        return redirect(f"{reverse('household')}?household={home.uuid}")
    households.require(owner=request.user, household_id=home.pk, least=Rank.ADMIN)
    context = {"form": form, "household": home, "helper": membership.owner, "has_any": mine[:1]}
    return render(request, "assets/helps.html", context, status=422 if form.is_bound else 200)


# --- who is shown it ---------------------------------------------------------------------


@never_cache
@require_http_methods(FORM)
def share_take(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show what is offered to be seen; taking it needs a tap and an account.

    The token is in the path of the link only; it moves into the session at once, so that no
    later page or referrer shows it.
    """
    if token:
        request.session[HELD] = token
        return redirect("share-offered")
    now = clock.now()
    held = str(request.session.get(HELD, ""))
    found = sharing.find(token=held, now=now)
    if found is None:
        request.session.pop(HELD, None)
        return render(request, "assets/share_offered.html", {"share": None}, status=410)
    if request.method == "POST" and isinstance(request.user, Owner):
        request.session.pop(HELD, None)
        try:
            taken = sharing.take(token=held, owner=request.user, now=now)
        except sharing.ShareError as error:
            with translation.override(request.user.language):
                messages.info(request, _(error.detail))
            return redirect("asset", key=found.asset.uuid)
        return redirect("shared-asset", key=taken.uuid)
    context = {
        "share": found,
        "who": found.made_by.get_full_name() if found.made_by else "",
        "parts": [SharePart(part).label for part in found.parts],
    }
    return render(request, "assets/share_offered.html", context)


@page
@require_safe
def shared_list(request: OwnerRequest) -> HttpResponse:
    """What others show the owner."""
    now = clock.now()
    rows = Share.objects.held_by(request.user, now).exclude(
        household__memberships__owner=request.user
    )
    found = rows.select_related("asset", "made_by").order_by("asset__name", "pk")[:SHOWN]
    return render(request, "assets/shared_list.html", {"rows": found})


def find_shared(owner: Owner, key: UUID) -> Share:
    """Return what an owner is shown now; anything else does not exist."""
    rows = Share.objects.held_by(owner, clock.now())
    return get_object_or_404(rows.select_related("asset__household", "made_by"), uuid=key)


@page
@require_safe
def shared_asset(request: OwnerRequest, key: UUID) -> HttpResponse:
    """A thing of somebody else's: what it is, what care is due, and what they ticked."""
    share = find_shared(request.user, key)
    now = clock.now()
    sharing.seen(share, now=now)
    context = {
        "share": share,
        "thing": sharing.shown(share, now=now),
        "who": share.made_by.get_full_name() if share.made_by else "",
        "tasks": list(sharing.tasks_of(share)),
    }
    return render(request, "assets/shared.html", context)


@page
@require_POST
def shared_tick(request: OwnerRequest, key: UUID, task: UUID) -> HttpResponse:
    """Say that care is done."""
    share = find_shared(request.user, key)
    occurrence = request.POST.get("occurrence")
    try:
        record = sharing.tick(
            share=share, task=task, owner=request.user, occurrence=occurrence, now=clock.now()
        )
    except CareTask.DoesNotExist:
        return HttpResponse(status=404)
    except sharing.ShareError as error:
        messages.error(request, _(error.detail))
    else:
        if record is None:
            messages.info(request, _("Somebody did it already."))
        else:
            undo = f"undo:{reverse('shared-untick', args=[share.uuid, record.uuid])}"
            messages.success(request, _("Done, and written down."), extra_tags=undo)
    return redirect("shared-asset", key=share.uuid)


@page
@require_POST
def shared_untick(request: OwnerRequest, key: UUID, record: UUID) -> HttpResponse:
    """Take back what one ticked by mistake."""
    share = find_shared(request.user, key)
    try:
        sharing.untick(share=share, record=record, owner=request.user, now=clock.now())
    except ServiceRecord.DoesNotExist:
        return HttpResponse(status=404)
    except sharing.ShareError as error:
        messages.error(request, _(error.detail))
    else:
        said(request, _("Taken back."))
    return redirect("shared-asset", key=share.uuid)


@page
@require_POST
def shared_leave(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give back what one was shown."""
    share = find_shared(request.user, key)
    sharing.leave(share=share, owner=request.user, now=clock.now())
    said(request, _("You do not see it any more."))
    return redirect("shared")


@page
@require_safe
def shared_file(request: OwnerRequest, key: UUID, manual: UUID) -> HttpResponse:
    """A manual or photo of a thing one is shown."""
    found = _shared_document(request.user, key, manual)
    return serving.give_out(found)


@page
@require_safe
def shared_thumb(request: OwnerRequest, key: UUID, manual: UUID) -> HttpResponse:
    """The small copy of a photo of a thing one is shown."""
    found = _shared_document(request.user, key, manual)
    return serving.give_out(found, part=vault.THUMB if found.has_thumb else vault.FULL)


def _shared_document(owner: Owner, key: UUID, manual: UUID) -> Document:
    share = find_shared(owner, key)
    found: Document = get_object_or_404(sharing.documents_of(share), uuid=manual)
    return found
