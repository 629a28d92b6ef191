"""Tell once: what is new, who is told what, and how far the answers are."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import duedates
from assets.choices import Lifecycle, NoticeKind
from assets.models import Asset, Notice
from owners import clock, doorbell, households
from owners.choices import Rank
from owners.models import Household
from owners.pages import OwnerRequest, chosen_household, page
from suppliers import announcing, disclosure, routes
from suppliers.announce_forms import AnswerForm, NewsForm
from suppliers.announcements import Addressee
from suppliers.announcing import OF_THINGS, NewsError
from suppliers.choices import AnswerState, NewsKind

PAGE = 20
OF_HOME = (NewsKind.MOVED, NewsKind.NUMBER, NewsKind.EMAIL, NewsKind.NAME)
ICONS = {
    NewsKind.MOVED: "house",
    NewsKind.NUMBER: "phone",
    NewsKind.EMAIL: "mail",
    NewsKind.NAME: "id-card",
}


@page
@require_GET
def tell(request: OwnerRequest) -> HttpResponse:
    """What can be told once, and what was."""
    household = chosen_household(request)
    if household is None:
        return redirect("household")
    gone = Asset.objects.filter(
        household=household, removed_at=None, lifecycle__in=(Lifecycle.LEAVING, Lifecycle.ENDED)
    )
    rows = Paginator(announcing.mine(request.user), PAGE).get_page(request.GET.get("page"))
    context = {
        "household": household,
        "kinds": [{"kind": kind, "icon": ICONS[kind]} for kind in OF_HOME],
        "gone": gone.order_by("-ended_on", "name", "pk")[:PAGE],
        "rows": rows,
        "told": [
            {"told": told, "counts": announcing.counted(announcing.progress(told))} for told in rows
        ],
    }
    return render(request, "suppliers/tell.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def tell_new(request: OwnerRequest, kind: str) -> HttpResponse:
    """Write what is new, choose who is told, and tell them."""
    if kind not in NewsKind.values:
        raise Http404
    news = NewsKind(kind)
    asset = _asset(request) if news in OF_THINGS else None
    household = asset.household if asset is not None else chosen_household(request)
    if household is None:
        return redirect("household")
    able = announcing.candidates(household=household, kind=news, asset=asset)
    now = clock.now()
    fact = announcing.FACTS.get(news)
    initial = {"on": duedates.today_in(household.zone, now), "name": uuid4()}
    form = NewsForm(request.POST or None, kind=news, initial=initial)
    chosen = {one.mandate.uuid for one in able if one.is_suggested}
    if request.method == "POST":
        households.require(owner=request.user, household_id=household.pk, least=Rank.ADMIN)
        posted = set(request.POST.getlist("suppliers"))
        chosen = {one.mandate.uuid for one in able if str(one.mandate.uuid) in posted}
        if form.is_valid():
            try:
                told = announcing.announce(
                    household=household,
                    news=announcing.News(
                        kind=news,
                        on=form.cleaned_data["on"],
                        value=form.cleaned_data.get("value", ""),
                        note=form.cleaned_data["note"],
                        asset=asset,
                    ),
                    chosen=[one.mandate for one in able if one.mandate.uuid in chosen],
                    owner=request.user,
                    now=now,
                    name=form.cleaned_data["name"],
                )
            except NewsError as error:
                form.add_error(error.field if error.field in form.fields else None, _(error.detail))
            else:
                return redirect("told", key=told.uuid)
    known = disclosure.written(household).get(fact, "") if fact is not None else ""
    context = {
        "kind": news,
        "asset": asset,
        "household": household,
        "form": form,
        "known": known,
        "rows": [_row(one, is_chosen=one.mandate.uuid in chosen) for one in able],
        "held": announcing.HELD.seconds // 60,
        "back": reverse("asset", args=[asset.uuid]) if asset is not None else reverse("tell"),
    }
    status = 422 if form.errors else 200
    return render(request, "suppliers/tell_new.html", context, status=status)


@page
@require_GET
def told(request: OwnerRequest, key: UUID) -> HttpResponse:
    """How far one piece of news is: who was told, who answered, who needs something."""
    found = get_object_or_404(announcing.mine(request.user), uuid=key)
    rows = announcing.progress(found)
    now = clock.now()
    context = {
        "told": found,
        "rows": rows,
        "counts": announcing.counted(rows),
        "is_open": announcing.is_open_to_undo(found, now=now),
        "by_owner": [(state.value, state.label) for state in announcing.BY_OWNER],
        "states": AnswerState,
    }
    return render(request, "suppliers/told.html", context)


@page
@require_POST
def told_withdraw(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take back what has not gone out yet."""
    found = get_object_or_404(announcing.mine(request.user), uuid=key)
    _must_be_admin(request, found.household)
    stopped, gone = announcing.withdraw(told=found, owner=request.user, now=clock.now())
    if not stopped:
        messages.error(request, _("It has gone out already. Tell them again what holds."))
    elif gone:
        said = ngettext(
            "Taken back, but %(count)s supplier had heard it already.",
            "Taken back, but %(count)s suppliers had heard it already.",
            gone,
        )
        messages.warning(request, said % {"count": gone})
    else:
        messages.success(request, _("Taken back. Nobody was told."))
    return redirect("told", key=found.uuid)


@page
@require_POST
def told_answer(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Note what the owner knows of one answer."""
    mine = Addressee.objects.for_owner(request.user)
    row = get_object_or_404(
        mine.select_related("announcement__household", "mandate__supplier"), uuid=key
    )
    households.require(owner=request.user, household_id=row.household_id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=400)
    try:
        announcing.settle(row=row, state=AnswerState(form.cleaned_data["state"]), now=clock.now())
    except NewsError as error:
        messages.error(request, _(error.detail))
    else:
        doorbell.ring("feed")
        messages.success(request, _("Noted."))
    return redirect("told", key=row.announcement.uuid)


@page
@require_GET
def told_notice(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Lead from the line that reminds to the news it is about."""
    notice = get_object_or_404(
        Notice.objects.for_owner(request.user), uuid=key, kind=NoticeKind.TOLD
    )
    return redirect("told", key=notice.subject)


def _row(one: announcing.Candidate, *, is_chosen: bool) -> dict[str, Any]:
    return {
        "one": one,
        "mandate": one.mandate,
        "is_chosen": is_chosen,
        "way": {
            routes.WEBHOOK: _("To their system"),
            routes.MAIL: _("By mail"),
            routes.SMS: _("By SMS"),
        }.get(one.via, ""),
    }


def _asset(request: OwnerRequest) -> Asset:
    mine = Asset.objects.for_owner(request.user).select_related("household")
    try:
        return get_object_or_404(mine, uuid=UUID(str(request.GET.get("asset", ""))))
    except ValueError as error:
        raise Http404 from error


def _must_be_admin(request: OwnerRequest, household: Household) -> None:
    households.require(owner=request.user, household_id=household.pk, least=Rank.ADMIN)
