"""How may I be reached: the matrix in plain words, exceptions, and last month replayed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from assets.models import Asset
from notifications import channel_health, simulation
from notifications.models import Journey
from notifications.wording import within
from owners import clock, households
from owners.choices import ChannelKind, Moment, Scope, Topic
from owners.forms import ExceptionForm, HereForm, ReachForm
from owners.models import Channel, Household, Membership, Owner
from owners.pages import OwnerRequest, chosen_household, page, said
from owners.reach import PRESETS, SOFTER
from suppliers.models import Supplier

PRESET_NAMES = {
    "must_act": gettext_lazy("Only what I must act on"),
    "normal": gettext_lazy("Normal"),
    "everything": gettext_lazy("Tell me everything"),
    "one_summary": gettext_lazy("One summary a day"),
    "emergencies": gettext_lazy("Only emergencies"),
}
CHOICES_MOST = 200


def my_membership(request: OwnerRequest) -> Membership | None:
    """Return the caller's membership in the household the page is about."""
    household = chosen_household(request)
    if household is None:
        return None
    return get_object_or_404(
        Membership.objects.select_related("household", "owner", "cover"),
        owner=request.user,
        household=household,
    )


def in_words(form: ReachForm) -> list[str]:
    """Return what each row of the matrix means, in a sentence of its own."""
    kinds = dict(ChannelKind.choices)
    prefers = str(form["prefers"].value())
    weekdays = dict(form.fields["digest_weekday"].choices)  # type: ignore[attr-defined]  # a choice field
    weekday = str(weekdays.get(int(form["digest_weekday"].value() or 0), ""))
    sentences = []
    for when, by in form.rows:
        moment = str(when.value())
        channel = kinds.get(str(by.value() or prefers), "")
        words = {
            Moment.NOW.value: _("%(what)s: you are interrupted by %(by)s."),
            Moment.TODAY.value: _("%(what)s: the card changes at once, without a sound."),
            Moment.WEEK.value: _("%(what)s: one line in the summary on %(weekday)s."),
            Moment.NEVER.value: _("%(what)s: on its card only."),
        }.get(moment, "")
        said = words % {"what": when.label, "by": channel, "weekday": weekday}
        only = _condition(form, when)
        sentences.append(f"{said} {only}" if only else said)
    return sentences


def _condition(form: ReachForm, when: BoundField) -> str:
    """Return on what condition a row of the matrix holds, or nothing."""
    over, within_hours = (
        str(form[name].value() or "") if (name := f"{when.name}_{part}") in form.fields else ""
        for part in ("over", "within")
    )
    found = []
    if over:
        found.append(_("only over %(amount)s") % {"amount": over})
    if within_hours:
        found.append(_("only within %(hours)s hours") % {"hours": within_hours})
    if not found or str(when.value()) == Moment.NEVER:
        return ""
    softer = SOFTER[Moment(str(when.value()))].label
    return _("That is %(conditions)s; else: %(moment)s.") % {
        "conditions": ", ".join(found),
        "moment": within(str(softer)),
    }


def summary(form: ReachForm) -> str:
    """Return the matrix as one sentence."""
    now = [within(str(row.label)) for row, _by in form.rows if row.value() == Moment.NOW]
    channel = str(dict(ChannelKind.choices).get(str(form["prefers"].value()), ""))
    by = channel if channel.isupper() else within(channel)
    if not now:
        return _("Nothing interrupts you. Everything waits on its card.")
    return _("You are interrupted by %(by)s only for: %(topics)s. All else waits on its card.") % {
        "by": by,
        "topics": ", ".join(now),
    }


@page
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: OwnerRequest) -> HttpResponse:
    """Show the wishes; say them in words, replay last month with them, or save them."""
    membership = my_membership(request)
    if membership is None:
        return redirect("household")
    preset = str(request.GET.get("preset", ""))
    preset = preset if preset in PRESETS else ""
    channels = with_health(request.user)
    kinds = {channel.kind for channel, _health in channels}
    form = ReachForm(request.POST or None, membership=membership, preset=preset, kinds=kinds)
    if request.method == "POST" and "words" in request.GET:
        context = {"form": form, "sentences": in_words(form), "sentence": summary(form)}
        return render(request, "notifications/_in_words.html", context)
    compared = None
    if form.is_valid():
        if "simulate" not in request.POST:
            return _save(request, form, membership)
        now = clock.now()
        wishes = simulation.with_wishes(
            membership=membership,
            values=form.values(),
            topics=form.wishes(),
            kinds=form.kind_wishes(),
        )
        compared = simulation.last_month(membership=membership, wishes=wishes, now=now)
    context = {
        "form": form,
        "household": membership.household,
        "mine": Household.objects.for_owner(request.user).order_by("pk"),
        "channels": channels,
        "moments": Moment,
        "sentence": summary(form),
        "sentences": in_words(form),
        "presets": PRESET_NAMES.items(),
        "preset": preset,
        "compared": compared,
        "exceptions": exceptions(request.user, membership),
        "subjects": (groups := subjects(request.user, membership.household)),
        "wakers": wakers(membership, groups),
        "unmailed": [(topic, Topic(topic).label) for topic in membership.unmailed],
        "topics": Topic.choices,
        "exception": ExceptionForm(),
        "away_zone": request.user.device_zone.replace("_", " "),
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "notifications/preferences.html", context, status=status)


def with_health(owner: Owner) -> list[tuple[Channel, channel_health.Health]]:
    """Return the owner's channels, each with how well it works."""
    mine = list(Channel.objects.for_owner(owner).order_by("kind", "pk"))
    found = channel_health.of(mine, now=clock.now())
    return [(channel, found[channel.pk]) for channel in mine]


def _save(request: OwnerRequest, form: ReachForm, membership: Membership) -> HttpResponse:
    change = households.set_wishes(
        membership=membership,
        values=form.values(),
        topics=form.wishes(),
        kinds=form.kind_wishes(),
        now=clock.now(),
    )
    about = {name: form.cleaned_data[name] for name in ("zone", "device_zone", "language")}
    households.change_owner(owner=request.user, values=about)
    said(request, _("Saved."), change)
    return redirect(f"{reverse('preferences')}?household={membership.household.uuid}")


def subjects(owner: Owner, household: Household) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what an exception can be about, in groups."""
    suppliers = Supplier.objects.for_owner(owner).filter(mandates__household=household)
    assets = Asset.objects.for_owner(owner).filter(household=household).looked_after()
    journeys = Journey.objects.for_owner(owner).filter(
        household=household, is_emptied=False, state="open"
    )
    rows = (
        (Scope.SUPPLIER, _("Suppliers"), suppliers.order_by("name").values_list("uuid", "name")),
        (Scope.ASSET, _("Assets"), assets.values_list("uuid", "name")),
        (
            Scope.JOURNEY,
            _("Open journeys"),
            journeys.order_by("-last_said_at").values_list("uuid", "title"),
        ),
    )
    return [
        (label, [(f"{scope}:{uuid}", name) for uuid, name in found[:CHOICES_MOST]])
        for scope, label, found in rows
    ]


Group = tuple[str, list[tuple[str, str]]]


def wakers(membership: Membership, groups: list[Group]) -> list[dict[str, object]]:
    """Return the suppliers, each with whether its word that it is an emergency counts."""
    granted = {f"{Scope.SUPPLIER}:{uuid}" for uuid in membership.wakers}
    _label, suppliers = groups[0]
    return [
        {"id": value.partition(":")[2], "name": name, "is_granted": value in granted}
        for value, name in suppliers
    ]


@page
@require_POST
def waker_set(request: OwnerRequest) -> HttpResponse:
    """Let a supplier's emergencies through at any hour, or no more."""
    membership = my_membership(request)
    if membership is None:
        return redirect("household")
    supplier = get_object_or_404(
        Supplier.objects.for_owner(request.user).filter(mandates__household=membership.household),
        uuid=str(request.POST.get("supplier", "")),
    )
    change = households.grant_emergency(
        membership=membership,
        supplier=supplier.uuid,
        is_granted="drop" not in request.POST,
        now=clock.now(),
    )
    said(request, _("Saved."), change)
    return redirect(f"{reverse('preferences')}?household={membership.household.uuid}#wakers")


@page
@require_POST
def zone_here(request: OwnerRequest) -> HttpResponse:
    """Let quiet hours and the summary follow the owner to where the device is, or back home."""
    form = HereForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This is not the name of a time zone."))
        return redirect("today")
    zone = form.cleaned_data["zone"]
    is_home = zone == request.user.zone
    place = zone.rpartition("/")[2].replace("_", " ")
    households.change_owner(owner=request.user, values={"device_zone": "" if is_home else zone})
    said(request, _("Your quiet hours are those of %(place)s now.") % {"place": place})
    return redirect("today")


@page
@require_POST
def mail_again(request: OwnerRequest) -> HttpResponse:
    """Let mails of a topic go out again that were ended from a mail."""
    membership = my_membership(request)
    if membership is None:
        return redirect("household")
    left = [topic for topic in membership.unmailed if topic != request.POST.get("topic")]
    change = households.set_wishes(
        membership=membership, values={"unmailed": left}, topics=[], now=clock.now()
    )
    said(request, _("Saved."), change)
    return redirect(f"{reverse('preferences')}?household={membership.household.uuid}")


def exceptions(owner: Owner, membership: Membership) -> list[dict[str, object]]:
    """Return the member's exceptions with the names of what they are about."""
    rules = list(membership.reach_rules.exclude(scope="").order_by("scope", "subject", "pk"))
    wanted = [rule.subject for rule in rules if rule.subject is not None]
    names: dict[object, str] = {}
    names |= dict(
        Supplier.objects.for_owner(owner).filter(uuid__in=wanted).values_list("uuid", "name")
    )
    names |= dict(
        Asset.objects.for_owner(owner).filter(uuid__in=wanted).values_list("uuid", "name")
    )
    journeys = Journey.objects.for_owner(owner).filter(uuid__in=wanted)
    names |= dict(journeys.values_list("uuid", "title"))
    return [
        {
            "scope": rule.scope,
            "subject": rule.subject,
            "name": names.get(rule.subject, _("Not here any more")),
            "topic": rule.get_topic_display(),
            "moment": rule.get_moment_display(),
            "channel": rule.get_channel_display(),
            "over": rule.over,
            "within_hours": rule.within_hours,
        }
        for rule in rules
    ]


@page
@require_POST
def exception_set(request: OwnerRequest) -> HttpResponse:
    """Add or change a wish for one supplier, asset or journey; or drop all of one's."""
    membership = my_membership(request)
    if membership is None:
        return redirect("household")
    scope, _colon, subject = str(request.POST.get("about", "")).partition(":")
    known = dict(subjects(request.user, membership.household))
    is_known = any(value == f"{scope}:{subject}" for rows in known.values() for value, _n in rows)
    if "drop" in request.POST and scope in Scope.values:
        try:
            key = UUID(subject)
        except ValueError:
            return HttpResponse(status=400)
        change = households.drop_wish(
            membership=membership, scope=Scope(scope), subject=key, now=clock.now()
        )
    elif not is_known or request.POST.get("moment") not in Moment.values:
        return HttpResponse(status=400)
    else:
        asked = str(request.POST.get("topic", ""))
        topics = [Topic(asked)] if asked in Topic.values else list(Topic)
        only = ExceptionForm(request.POST)
        if not only.is_valid():
            return HttpResponse(status=400)
        change = households.set_wishes(
            membership=membership,
            values={},
            topics=[
                households.TopicWish(
                    topic=topic, scope=Scope(scope), subject=UUID(subject), **only.wish()
                )
                for topic in topics
            ],
            now=clock.now(),
        )
    said(request, _("Saved."), change)
    return redirect(f"{reverse('preferences')}?household={membership.household.uuid}#exceptions")
