"""Today, the journeys, the Door, the owner's log, and what went out."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from redis.exceptions import RedisError

from assets.models import Asset, Document
from notifications import (
    acquiring,
    answers,
    arrivals,
    blocking,
    calling,
    drawing,
    feed,
    journeys,
    passes,
    sources,
)
from notifications import today as today_cards
from notifications.choices import DeliveryPurpose, JourneyState, Section, Turn
from notifications.forms import CONTACT_ACTIONS, JOURNEY_ACTIONS, LogForm
from notifications.models import Decision, Delivery, Journey, Notification
from notifications.transports import local
from owners import clock, doorbell, households
from owners.choices import ChannelKind
from owners.models import Household, Owner
from owners.pages import OwnerRequest, page, way_back, zone_of
from suppliers import inbox, suggestions, unsubscribing
from suppliers import outbox as suppliers_outbox
from suppliers.models import Contact, OutboundState

SAVED_KEPT_S = 600
ASSETS_SHOWN = 12
DOOR_SHOWN = 100
OUTBOX_SHOWN = 100
LOST_SHOWN = 20
PUT_ASIDE = "not_now"
PAGE = 30
NUMBERS: tuple[str | Promise, ...] = (
    gettext_lazy("No"),
    gettext_lazy("One"),
    gettext_lazy("Two"),
    gettext_lazy("Three"),
    gettext_lazy("Four"),
    gettext_lazy("Five"),
    gettext_lazy("Six"),
    gettext_lazy("Seven"),
    gettext_lazy("Eight"),
    gettext_lazy("Nine"),
    gettext_lazy("Ten"),
)
DONE_WORDS: dict[str, str | Promise] = {
    "works": gettext_lazy("Closed. Good to hear."),
    "not_yet": gettext_lazy("Noted, and they are told that it is not solved."),
    "yes": gettext_lazy("Noted."),
    "no": gettext_lazy("Noted."),
    "accept": gettext_lazy("Accepted. They are told."),
    "decline": gettext_lazy("Declined. They are told."),
    "tentative": gettext_lazy("They are told that it will probably suit you."),
    "counter": gettext_lazy("Asked for another time."),
    "pick": gettext_lazy("Picked. They are told, and confirm it."),
    "request": gettext_lazy("Asked for a visit."),
    "cancel": gettext_lazy("Called off. They are told."),
    "dispute": gettext_lazy("They are told that you do not agree."),
    "acknowledge": gettext_lazy("They are told that you know of it."),
    "choose_remedy": gettext_lazy("They are told what you want."),
    "not_mine": gettext_lazy("They are told that it is not yours any more."),
    "reply": gettext_lazy("Sent."),
    "done": gettext_lazy("Done, and written down."),
    "book": gettext_lazy("They are asked for a visit."),
    "skip": gettext_lazy("Skipped this time."),
    "snooze": gettext_lazy("Put aside until then."),
    "mute": gettext_lazy("Muted. Everything still comes to its card."),
    "rate": gettext_lazy("Thank you. One answer is enough for all of them."),
    "merge": gettext_lazy("Put together."),
    "choose_asset": gettext_lazy("Noted which one it is about."),
    "correct": gettext_lazy("Corrected. Your word counts."),
    "undo": gettext_lazy("Undone."),
    "let_in": gettext_lazy("Let in. You can end this at any time."),
    "not_now": gettext_lazy("Not now. Nobody is told."),
    "undo_absorb": gettext_lazy("Noted: you should have been told."),
    "always_show": gettext_lazy("From now on these are shown."),
    "split": gettext_lazy("Made a matter of its own."),
    "take_back": gettext_lazy("Taken back."),
    "meant": gettext_lazy("Noted: it was meant for you. It has joined your feed."),
    "not_meant": gettext_lazy("Held back again."),
}


class Filter(NamedTuple):
    """One way to narrow the list of journeys."""

    label: str | Promise
    where: Q


FILTERS = {
    "open": Filter(gettext_lazy("Open"), Q(state=JourneyState.OPEN)),
    "mine": Filter(gettext_lazy("Waiting for you"), Q(state=JourneyState.OPEN, turn=Turn.OWNER)),
    "theirs": Filter(
        gettext_lazy("Waiting for them"), Q(state=JourneyState.OPEN, turn=Turn.SUPPLIER)
    ),
    "closed": Filter(gettext_lazy("Closed"), Q(state=JourneyState.CLOSED)),
}


@page
@require_GET
def today(request: OwnerRequest) -> HttpResponse:
    """What needs the owner, what is on its way, and what is quiet."""
    owner, now = request.user, clock.now()
    if "more" in request.GET:
        return more_cards(request)
    if request.htmx:
        context = feed_context(request, shown=request.GET.get("shown", ""))
        if request.headers.get("X-Feed-Version") == context["version"]:
            return HttpResponse(status=204)
        return render(request, "notifications/_feed.html", context)
    context = feed_context(request)
    context["saved"] = saved(owner, now)
    proposed = acquiring.glance(owner)
    context["proposed"] = acquiring.shown(proposed[: acquiring.SHOWN])
    context["has_more_proposed"] = len(proposed) > acquiring.SHOWN
    held = unsubscribing.glance(owner=owner, now=now)
    context["held"] = held
    context["held_shown"] = f"{unsubscribing.GLANCED}+" if held > unsubscribing.GLANCED else held
    return render(request, "notifications/today.html", context)


def saved(owner: Owner, now: datetime) -> today_cards.Saved | None:
    """Return this month's saving, read again every ten minutes."""

    def read() -> list[today_cards.Saved | None]:
        return [today_cards.saved_this_month(owner=owner, now=now)]

    try:
        key = f"saved:{owner.pk}:{now:%Y-%m}"
        kept: list[today_cards.Saved | None] = cache.get_or_set(key, read, SAVED_KEPT_S) or [None]
    except RedisError:  # the figure is a courtesy; Today does not wait for the cache
        return None
    return kept[0]


def more_cards(request: OwnerRequest) -> HttpResponse:
    """The next cards of one section: alone for htmx, on a page of their own without."""
    owner, now = request.user, clock.now()
    try:
        after = today_cards.Position.parse(request.GET["more"])
    except ValueError:
        return HttpResponse(status=400)
    part = today_cards.read_part(owner=owner, section=after.section, now=now, after=after)
    template = "_more_cards.html" if request.htmx else "more.html"
    context = {"part": part, "drawn": drawn_parts(request, [part])[part.section.value]}
    return render(request, f"notifications/{template}", context)


@page
@require_POST
def looked(request: OwnerRequest) -> HttpResponse:
    """The owner looks: what waited silently is told now."""
    feed.looked(owner=request.user, now=clock.now())
    ring()
    if request.htmx:
        return render(request, "notifications/_feed.html", feed_context(request))
    return redirect("today")


def feed_context(request: OwnerRequest, *, shown: str = "") -> dict[str, Any]:
    """Return the sections, drawn, and the sentence above them."""
    owner, now = request.user, clock.now()
    wanted = int(shown[:6]) if shown[:6].isdecimal() else 0
    limit = min(max(wanted, today_cards.FIRST), today_cards.MOST)
    parts = today_cards.read(owner=owner, now=now, limit=limit)
    needs_you, on_its_way = parts[Section.NEEDS_YOU], parts[Section.ON_ITS_WAY]
    tiles = looked_after(owner)
    return {
        "headline": headline(needs_you.total),
        "parts": parts,
        "needs_you": needs_you,
        "on_its_way": on_its_way,
        "quiet": parts[Section.QUIET],
        "done": parts[Section.DONE],
        "version": today_cards.signature(parts),
        "drawn": drawn_parts(request, list(parts.values()), tiles=tiles),
        "tiles": tiles,
    }


def looked_after(owner: Owner) -> list[Asset]:
    """Return the assets that Today shows."""
    tiles = Asset.objects.for_owner(owner).looked_after()
    return list(tiles.with_serving()[:ASSETS_SHOWN])


def drawn_parts(
    request: OwnerRequest, parts: list[today_cards.Part], *, tiles: list[Asset] | None = None
) -> dict[str, list[SafeString]]:
    """Return the cards of each section as HTML; the first that needs the owner leads."""
    cards = [card for part in parts for card in part.cards]
    told = today_cards.last_told(owner=request.user, cards=cards) if cards else {}
    if tiles is None:
        tiles = looked_after(request.user)
    is_first_page = len(parts) > 1
    lead = cards[0] if is_first_page and cards and parts[0].cards else None
    html = iter(drawing.draw(request, cards, told=told, assets=tiles, lead=lead))
    return {part.section.value: [next(html) for _card in part.cards] for part in parts}


def headline(count: int) -> str:
    """Return the sentence of the day."""
    if count == 0:
        return _("Nothing needs you today")
    if count == 1:
        return _("One thing needs you today")
    number = str(NUMBERS[count]) if count < len(NUMBERS) else str(count)
    return _("%(number)s things need you today") % {"number": number}


@page
@require_GET
def journey_list(request: OwnerRequest) -> HttpResponse:
    """Every matter, the newest word first."""
    chosen = request.GET.get("show", "open")
    if chosen not in FILTERS:
        chosen = "open"
    found = (
        Journey.objects.for_owner(request.user)
        .filter(FILTERS[chosen].where, is_emptied=False)
        .select_related("asset", "card")
        .order_by("-last_said_at", "-pk")
    )
    rows = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "notifications/journeys.html",
        {"filters": FILTERS, "chosen": chosen, "rows": rows},
    )


def journey_context(owner: Owner, journey: Journey) -> dict[str, Any]:
    """Return a journey as its page shows it."""
    described = journeys.describe(journey, now=clock.now())
    note_papers(owner, described["contacts"])
    said = {contact["id"]: contact for contact in described["contacts"]}
    for fact in described["facts"]:
        fact["ways"] = sources.ways_of(fact["sources"], said)
    others = list(
        Journey.objects.for_owner(owner)
        .filter(household=journey.household_id, is_emptied=False)
        .exclude(pk=journey.pk)
        .select_related("asset", "card")
        .order_by("-last_said_at")[:PAGE]
    )
    decisions = Decision.objects.for_owner(owner).filter(journey=journey, revoked_at=None)
    told = Notification.objects.for_owner(owner).filter(
        journey=journey, owner=owner, told_at__isnull=False
    )
    return {
        "journey": described,
        "related": [other for other in others if str(other.uuid) in described["possibly_related"]],
        "household": journey.household,
        "call": calling.card_of(journey=journey),
        "passes": passes.live_on(owner=owner, journey=journey, now=clock.now()),
        "others": others,
        "assets": Asset.objects.for_owner(owner)
        .filter(household=journey.household_id)
        .looked_after(),
        "decisions": decisions.exclude(name="undo").order_by("-decided_at", "-pk")[:10],
        "told": told.order_by("told_at", "pk").prefetch_related("deliveries"),
        "untold": journeys.untold_of(journey, owner),
        "proposed": acquiring.on_journey(owner, journey),
    }


def note_papers(owner: Owner, contacts: list[dict[str, Any]]) -> None:
    """Put beside each contact the papers that came with it, as far as they are not in the bin."""
    named = {key for contact in contacts for key in contact["documents"]}
    found = Document.objects.for_owner(owner).filter(uuid__in=named) if named else ()
    papers = {str(paper.uuid): paper for paper in found}
    for contact in contacts:
        contact["papers"] = [papers[key] for key in contact["documents"] if key in papers]


@page
@require_GET
def journey_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One matter, from its first word to its end."""
    journey = find_journey(request.user, key)
    template = "_journey.html" if request.htmx else "journey.html"
    context = journey_context(request.user, journey)
    return render(request, f"notifications/{template}", context)


@page
@require_POST
def journey_looked(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The owner looks at one matter: whatever was told of it is seen."""
    journey = find_journey(request.user, key)
    feed.looked_at(journey, now=clock.now())
    return HttpResponse(status=204) if request.htmx else redirect("journey", journey.uuid)


def find_journey(owner: Owner, key: UUID) -> Journey:
    """Return the owner's journey; anybody else's does not exist."""
    mine = Journey.objects.for_owner(owner).select_related("household", "asset", "card")
    return get_object_or_404(mine, uuid=key)


@page
@require_POST
def journey_act(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The owner answers, corrects, puts together or takes back."""
    owner, now = request.user, clock.now()
    journey = find_journey(owner, key)
    name = str(request.POST.get("name", ""))
    least = feed.least_for(name)
    households.require(owner=owner, household_id=journey.household_id, least=least)
    form_class = JOURNEY_ACTIONS.get(name)
    if form_class is None:
        return HttpResponse(status=400)
    form = form_class(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return answer(request, journey)
    act, data = form.as_action(name)
    try:
        journey = feed.act(owner=owner, journey=journey, name=act, data=data, now=now)
    except feed.ActionError as error:
        messages.error(request, _(error.detail))
    else:
        ring()
        say_done(request, journey, name)
    return answer(request, journey)


@page
@require_POST
def contact_act(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The owner judges one contact: lets it in, or says it should have been shown."""
    owner, now = request.user, clock.now()
    contact = get_object_or_404(Contact.objects.for_owner(owner), uuid=key)
    households.require(owner=owner, household_id=contact.household_id)
    name = str(request.POST.get("name", ""))
    if name not in CONTACT_ACTIONS:
        return HttpResponse(status=400)
    was_on = journey_of(owner, contact)
    supplier = str(request.POST.get("supplier", ""))  # whose number the owner says it is
    data = {"supplier": supplier} if supplier and name == "let_in" else {}
    try:
        feed.act_on_contact(owner=owner, contact=contact, name=name, data=data, now=now)
    except feed.ActionError as error:
        messages.error(request, _(error.detail))
    else:
        ring()
        if name == "meant":
            undo = f"undo:{reverse('meant-undo', args=[contact.uuid])}"
            messages.success(request, str(DONE_WORDS[name]), extra_tags=undo)
        else:
            say_done(request, journey_of(owner, contact) or was_on, name)
    return redirect(way_back(request, reverse("today")))


@page
@require_POST
def meant_undo(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Hold a contact back again that was said to be meant."""
    owner, now = request.user, clock.now()
    contact = get_object_or_404(Contact.objects.for_owner(owner), uuid=key)
    households.require(owner=owner, household_id=contact.household_id)
    try:
        feed.act_on_contact(owner=owner, contact=contact, name="not_meant", data={}, now=now)
    except feed.ActionError as error:
        messages.error(request, _(error.detail))
    else:
        ring()
        messages.success(request, str(DONE_WORDS["not_meant"]))
    return redirect(way_back(request, reverse("held")))


def ring() -> None:
    """Say that a decision may have left something to tell the owner or a supplier."""
    for bell in ("feed", "delivery", "outbox"):
        doorbell.ring(bell)


def journey_of(owner: Owner, contact: Contact) -> Journey | None:
    """Return the journey a contact is on now."""
    mine = Journey.objects.for_owner(owner)
    return mine.filter(links__contact=contact, links__revoked_at=None).first()


def say_done(request: OwnerRequest, journey: Journey | None, name: str) -> None:
    """Say what was done, with a way to undo it while the sentence stands."""
    undo = ""
    if journey is not None and name != "undo":
        mine = Decision.objects.for_owner(request.user).filter(journey=journey, revoked_at=None)
        last = mine.filter(owner=request.user).order_by("-pk").first()
        undo = f"{journey.uuid}:{last.uuid}" if last else ""
    messages.success(request, str(DONE_WORDS[name]), extra_tags=undo)


def answer(request: OwnerRequest, journey: Journey) -> HttpResponse:
    """Return the part of the page the form stood in, or send the browser back to it."""
    if request.htmx and request.htmx.target == "feed":
        context = feed_context(request) | {"is_swapped": True}
        return render(request, "notifications/_feed.html", context)
    back = way_back(request, reverse("journey", args=[journey.uuid]))
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": back})
    return redirect(back)


@page
@require_GET
def door(request: OwnerRequest) -> HttpResponse:
    """Senders who wait for a yes."""
    mine = Contact.objects.for_owner(request.user).at_the_door()
    waiting = list(mine.select_related("supplier", "inbound", "mandate")[:DOOR_SHOWN])
    guessed = {key for contact in waiting for key in contact.evidence.get("possibly", [])}
    found = Journey.objects.for_owner(request.user).filter(uuid__in=guessed)
    found = found.select_related("card", "asset")
    by_key = {str(journey.uuid): journey for journey in found} if guessed else {}
    known = arrivals.of(waiting)
    rows = [door_row(contact, by_key, known) for contact in waiting]
    context = {
        "waiting": [row for row in rows if not row["is_put_aside"]],
        "put_aside": [row for row in rows if row["is_put_aside"]],
        "blocked": blocking.listed(owner=request.user),
    }
    return render(request, "notifications/door.html", context)


def door_row(
    contact: Contact, journeys_by_key: dict[str, Journey], known: arrivals.Known
) -> dict[str, Any]:
    """Return what is shown of a contact at the Door: its words as plain text, nothing to follow."""
    said = contact.said
    # Who only claims to be the supplier, or writes to its alias, is named by the address.
    supplier = contact.supplier if contact.suspicion in ("", "foreign_payment_link") else None
    guesses = [journeys_by_key.get(key) for key in contact.evidence.get("possibly", [])]
    title = str(said.get("title", ""))
    text = str(said.get("quote") or said.get("body") or said.get("summary", ""))
    if title.startswith(text) or text.startswith(title):
        title, text = "", max(title, text, key=len)  # a text message is its own title
    return {
        "contact": contact,
        "badge": known.badge(contact).to_json(),
        "evidence": known.evidence(contact),
        "sender": supplier.name if supplier else said.get("sender", ""),
        "address": said.get("sender", "") if supplier else "",
        "title": title,
        "text": text,
        "payment_domains": said.get("payment_domains", []),
        "is_put_aside": contact.reason == PUT_ASIDE,
        "is_doubtful": contact.suspicion not in ("", "unknown_sender", "forwarding_confirmation"),
        "confirmation": said.get("confirmation"),
        "can_block": blocking.is_possible(contact),
        "guess": next((journey for journey in guesses if journey), None),
        "named": known.named(contact),
    }


@page
@require_http_methods(["GET", "HEAD", "POST"])
def log(request: OwnerRequest) -> HttpResponse:
    """Write down a call, a talk or a letter; the words are read only as a suggestion."""
    owner, now = request.user, clock.now()
    household = households.ensure_first(owner=owner, now=now) if request.method == "POST" else None
    if household is None:
        local = timezone.localtime(now)
        initial = {"day": local.date(), "at": f"{local:%H:%M}", "event_id": uuid.uuid4()}
        initial |= {
            name: request.GET[name] for name in ("asset", "supplier") if name in request.GET
        }
        form = LogForm(initial=initial, owner=owner)
        return render(request, "notifications/log.html", {"form": form})
    form = LogForm(request.POST, owner=owner)
    if "read" in request.POST:
        return suggest(request, household)
    if not form.is_valid():
        return render(request, "notifications/log.html", {"form": form}, status=422)
    asset = form.cleaned_data["asset"]
    household = asset.household if asset else household
    households.require(owner=owner, household_id=household.pk)
    inbox.log(
        owner=owner,
        household=household,
        data=form.to_log(currency=household.currency),
        key=str(form.cleaned_data["event_id"]),  # the same form sent twice is one log
        now=now,
    )
    doorbell.ring("inbox")
    messages.success(
        request,
        _("Written down. Its card changes in a moment."),
        extra_tags=f"undo:{reverse('log-undo', args=[form.cleaned_data['event_id']])}",
    )
    return redirect("today")


@page
@require_POST
def log_undo(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take back what was written down, by the key of the form that it was written in."""
    owner, now = request.user, clock.now()
    event = inbox.logged(owner=owner, event_id=str(key))
    if event is None:
        raise Http404
    contact = Contact.objects.for_owner(owner).filter(inbound=event).first()
    if contact is None:
        again = f"undo:{reverse('log-undo', args=[key])}"
        messages.info(request, _("It is still being read. Try again in a moment."), again)
        return redirect(way_back(request, reverse("today")))
    households.require(owner=owner, household_id=contact.household_id)
    was_on = journey_of(owner, contact)
    try:
        feed.act_on_contact(owner=owner, contact=contact, name="take_back", data={}, now=now)
    except feed.ActionError as error:
        messages.error(request, _(error.detail))
    else:
        ring()
        say_done(request, was_on, "take_back")
    return redirect(way_back(request, reverse("today")))


def suggest(request: OwnerRequest, household: Household) -> HttpResponse:
    """Fill the empty fields with what the words seem to say; nothing is stored."""
    values = request.POST.copy()
    read = suggestions.suggest(
        text=values.get("note", ""), owner=request.user, household=household, now=clock.now()
    )
    found = {name: value for name, value in as_fields(read).items() if not values.get(name)}
    initial = values.dict() | found
    form = LogForm(initial=initial, owner=request.user)
    labels = [form.fields[name].label for name in found if not name.endswith("closes")]
    context = {"form": form, "found": labels, "is_read": True}
    return render(request, "notifications/log.html", context)


def as_fields(read: suggestions.Suggestion) -> dict[str, str]:
    """Return a suggestion as the form's fields."""
    found: dict[str, str] = {}
    if read.window:
        start, end = timezone.localtime(read.window.start), timezone.localtime(read.window.end)
        found |= {
            "window_day": start.date().isoformat(),
            "window_opens": f"{start:%H:%M}",
            "window_closes": f"{end:%H:%M}",
        }
    if read.fee:
        found |= {"fee_amount": read.fee.amount, "fee_currency": read.fee.currency}
    if read.reference:
        found["reference"] = read.reference
    return found


@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    """What went out, word for word.

    In a demo nothing leaves the machine: all of it is here, and open to all, because the
    code to sign in with comes here too. Else each owner reads their own.
    """
    if settings.STEWARD_OUTBOX == "local":
        rows = [outgoing(entry) for entry in local.read(OUTBOX_SHOWN)]
        context = {"rows": rows, "is_local": True, "back": way_back(request, "")}
        zone = None
        if request.user.is_authenticated:
            context |= answered(request.user)
            zone = zone_of(request.user)
        with timezone.override(zone):
            return render(request, "notifications/outbox.html", context)
    return own_outbox(request)


def answered(owner: Owner) -> dict[str, Any]:
    """Return the owner's answers for a page: those that did not arrive, and the last that did."""
    mine = list(Household.objects.for_owner(owner))
    lost = answers.show_all(list(suppliers_outbox.undelivered(households=mine)[:LOST_SHOWN]))
    sent = answers.of_households(mine).filter(state=OutboundState.SENT)[:LOST_SHOWN]
    return {"lost": lost, "given": [answers.show(one) for one in sent]}


@page
def own_outbox(request: OwnerRequest) -> HttpResponse:
    """What Steward sent to this owner."""
    sent = (
        Delivery.objects.for_owner(request.user)
        .filter(owner=request.user)
        .exclude(kind=ChannelKind.FEED)
        .exclude(purpose=DeliveryPurpose.CODE)
        .select_related("channel")
        .order_by("-pk")
    )
    pages = Paginator(sent, PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "at": delivery.sent_at or delivery.created_at,
            "kind": delivery.kind,
            "kind_label": delivery.get_kind_display(),
            "to": delivery.channel.hint if delivery.channel else "",
            "subject": delivery.subject,
            "text": delivery.text,
            "state": delivery.get_state_display(),
        }
        for delivery in pages
    ]
    context = {"rows": rows, "pages": pages, **answered(request.user)}
    return render(request, "notifications/outbox.html", context)


def outgoing(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a message of the local outbox with its kind in words."""
    return {**entry, "kind_label": ChannelKind(entry["kind"]).label}
