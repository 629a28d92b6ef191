"""How may I be reached, and who shares this household."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from owners import clock, households
from owners.choices import ChannelKind, Moment, Rank, Topic
from owners.forms import HouseholdForm, ReachForm
from owners.models import Channel, Household, Membership, Owner
from owners.pages import OwnerRequest, page

GET_AND_POST = ["GET", "HEAD", "POST"]


def my_household(owner: Owner, key: str | None) -> Household | None:
    """Return the household a page is about: the one named, else the oldest."""
    mine = Household.objects.for_owner(owner).order_by("pk")
    if key:
        try:
            return get_object_or_404(mine, uuid=UUID(key))
        except ValueError:
            return mine.first()
    return mine.first()


@page
@require_http_methods(GET_AND_POST)
def preferences(request: OwnerRequest) -> HttpResponse:
    """The reach matrix with its sentence, quiet hours and the daily summary."""
    owner = request.user
    household = my_household(owner, request.GET.get("household"))
    if household is None:
        return redirect("household")
    membership = get_object_or_404(
        Membership.objects.select_related("household"), owner=owner, household=household
    )
    form = ReachForm(request.POST or None, membership=membership)
    if form.is_valid():
        fields = ("prefers", "quiet_from", "quiet_until", "has_quiet_exceptions", "digest_at")
        values = {name: form.cleaned_data[name] for name in fields}
        households.change_reach(membership=membership, values=values, topics=form.wishes())
        messages.success(request, _("Saved."))
        return redirect("preferences")
    context = {
        "form": form,
        "household": household,
        "channels": Channel.objects.for_owner(owner).order_by("kind", "pk"),
        "moments": Moment,
        "sentence": in_words(form),
    }
    status = 422 if form.is_bound else 200
    return render(request, "owners/preferences.html", context, status=status)


def in_words(form: ReachForm) -> str:
    """Return the matrix as one sentence."""
    now = [topic.label.lower() for topic in Topic if form[topic.value].value() == Moment.NOW]
    by = dict(ChannelKind.choices).get(str(form["prefers"].value()), "")
    if not now:
        return _("Nothing interrupts you. Everything waits on its card.")
    return _("You are interrupted by %(by)s only for: %(topics)s. All else waits on its card.") % {
        "by": by,
        "topics": ", ".join(now),
    }


@page
@require_http_methods(GET_AND_POST)
def household(request: OwnerRequest) -> HttpResponse:
    """What the household is called, where it is, and who is in it."""
    owner, now = request.user, clock.now()
    found = my_household(owner, request.GET.get("household"))
    if found is None:
        if request.method == "POST":
            households.ensure_first(owner=owner, now=now)
            return redirect("household")
        return render(request, "owners/household_none.html")
    form = HouseholdForm(request.POST or None, instance=found)
    if form.is_valid():
        households.require(owner=owner, household_id=found.pk, least=Rank.ADMIN)
        households.change(household=found, values=form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("household")
    context = {
        "form": form,
        "household": found,
        "members": found.memberships.select_related("owner").order_by("pk"),
        "intake": f"{found.intake_alias}@{settings.MAIL_DOMAIN}" if found.intake_alias else "",
    }
    return render(request, "owners/household.html", context, status=422 if form.is_bound else 200)
