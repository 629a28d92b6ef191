"""What a woken browser asks for and says: the words, that they were shown, and what was tapped.

Every request names its message by the token that only the device was sent. What is read
or done needs the owner's session on top.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import base36_to_int
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from notifications import delivery, feed, messages, push_devices
from notifications.forms import PushMovedForm
from notifications.models import Delivery, Notification
from notifications.views import ring
from owners import channels, clock, households
from owners.choices import ChannelKind
from owners.pages import OwnerRequest, page


@csrf_exempt
@require_POST
def shown(request: HttpRequest) -> HttpResponse:
    """Take that a device was woken; with the code it was woken with, that proves it."""
    ref = messages.shown_delivery(str(request.POST.get("ref", "")))
    if ref is None:
        return HttpResponse(status=400)
    delivery.woke(ref=ref, code=str(request.POST.get("code", ""))[:12], now=clock.now())
    return HttpResponse(status=204)


@csrf_exempt  # what is known of the old address is what no other site knows
@require_POST
def moved(request: HttpRequest) -> HttpResponse:
    """Follow a browser to its new address: 204, 404 for one that is not known by the old.

    Nobody need be signed in: a browser is told of a new address while nobody looks.
    """
    said = PushMovedForm(request.POST)
    if not said.is_valid():
        return HttpResponse(status=400)
    values = said.cleaned_data
    try:
        device = push_devices.move(
            endpoint=values["old_endpoint"],
            auth=values["old_auth"],
            to=values["endpoint"],
            keys={"p256dh": values["p256dh"], "auth": values["auth"]},
            now=clock.now(),
        )
    except channels.ChannelError:
        return HttpResponse(status=429)
    return HttpResponse(status=204 if device is not None else 404)


def mine(request: HttpRequest) -> Delivery | None:
    """Return the message that a token names, when it was for who is signed in here."""
    ref = messages.shown_delivery(str(request.POST.get("ref", "")))
    if ref is None or not request.user.is_authenticated:
        return None
    found = Delivery.objects.filter(uuid=ref, owner=request.user, kind=ChannelKind.PUSH)
    return found.select_related("notification__journey__card").first()


@csrf_exempt  # the token is what no other site knows
@require_POST
def words(request: HttpRequest) -> HttpResponse:
    """Return the words that did not go through the push service."""
    found = mine(request)
    if found is None or found.notification is None:
        return HttpResponse(status=404)
    card = getattr(found.notification.journey, "card", None)
    return JsonResponse(
        {
            "title": card.in_language(found.owner.language).get("title", "") if card else "",
            "body": found.text,
            "url": reverse("journey", args=[found.notification.journey.uuid]),
        },
        headers={"Cache-Control": "no-store"},
    )


@csrf_exempt  # the token is what no other site knows
@require_POST
def tapped(request: HttpRequest) -> HttpResponse:
    """Do what a button of the message says: 204, or 409 when that is not to be done any more."""
    found = mine(request)
    if found is None or found.notification is None:
        return HttpResponse(status=404)
    journey, name = found.notification.journey, str(request.POST.get("action", ""))
    card = getattr(journey, "card", None)
    actions = card.body.get("actions", ()) if card else ()
    offered = {one["name"] for one in actions if not one["fields"]}
    if name not in offered:
        return HttpResponse(status=409)
    households.require(owner=found.owner, household_id=journey.household_id)
    try:
        feed.act(owner=found.owner, journey=journey, name=name, data={}, now=clock.now())
    except feed.ActionError:
        return HttpResponse(status=409)
    ring()
    return HttpResponse(status=204)


@page
@require_GET
def why(request: OwnerRequest, number: str) -> HttpResponse:
    """Lead from the short address in an SMS to the matter it spoke of; it was read, then."""
    try:
        key = base36_to_int(number)
    except ValueError:
        key = 0
    told = get_object_or_404(
        Notification.objects.filter(owner=request.user).select_related("journey"),
        deliveries__pk=key,
    )
    feed.looked_at(told.journey, now=clock.now())
    return redirect("journey", told.journey.uuid)
