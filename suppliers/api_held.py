"""Not meant for me, for apps: whose adverts are held, and making them stop."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock, households
from owners.api import pages
from owners.api.edge import OwnerView, once, owner_of
from owners.api.problems import Problem
from suppliers import unsubscribing
from suppliers.models import Contact

WAYS = [
    (unsubscribing.ONE_CLICK, "One request (RFC 8058)"),
    (unsubscribing.MAIL, "A mail"),
    (unsubscribing.LINK, "Only the sender's own page"),
    ("", "None"),
]
STATES = [
    ("", "Not asked"),
    (unsubscribing.ASKED, "Asked"),
    (unsubscribing.CONFIRMED, "Confirmed"),
    (unsubscribing.FAILED, "Failed"),
]


class HeldSender(serializers.Serializer[Any]):
    """A sender whose contacts no granted purpose covers."""

    household = serializers.UUIDField()
    supplier = serializers.UUIDField(allow_null=True)
    mandate = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    address = serializers.CharField()
    count = serializers.IntegerField()
    last_at = serializers.DateTimeField()
    contacts = serializers.ListField(
        child=serializers.UUIDField(), help_text="The newest; the first is the one to unsubscribe."
    )
    signs = serializers.ListField(child=serializers.CharField())
    why = serializers.ListField(child=serializers.CharField(), help_text="In sentences.")
    is_believed = serializers.BooleanField(
        help_text="Let in and proved; from anybody else nothing is unsubscribed."
    )
    way = serializers.ChoiceField(choices=WAYS, allow_blank=True)
    link = serializers.CharField(help_text="For the owner to open, with the way `link` only.")
    state = serializers.ChoiceField(choices=STATES, allow_blank=True)
    outcome = serializers.CharField(help_text="What came of it, in a sentence.")
    ignored = serializers.IntegerField(help_text="Sent two days and more after the request.")


class HeldOut(serializers.Serializer[Any]):
    """What is held, by sender."""

    total = serializers.IntegerField(help_text="Contacts of the last 90 days.")
    next = serializers.URLField(allow_null=True)
    results = HeldSender(many=True)


class UnsubscriptionOut(serializers.Serializer[Any]):
    """What became of asking a sender to stop."""

    state = serializers.ChoiceField(choices=STATES)
    outcome = serializers.CharField()


def show_sender(sender: unsubscribing.Sender) -> dict[str, Any]:
    """Return a sender as the API shows it."""
    is_page = sender.is_believed and sender.way == unsubscribing.LINK
    return {
        "household": str(sender.household.uuid),
        "supplier": str(sender.supplier.uuid) if sender.supplier else None,
        "mandate": str(sender.mandate.uuid) if sender.mandate else None,
        "name": sender.name,
        "address": sender.address,
        "count": sender.count,
        "last_at": sender.last_at,
        "contacts": [str(contact.uuid) for contact in sender.newest],
        "signs": sender.signs,
        "why": unsubscribing.evidence(sender),
        "is_believed": sender.is_believed,
        "way": sender.way,
        "link": sender.link if is_page else "",
        "state": sender.state,
        "outcome": unsubscribing.outcome(sender.asked) if sender.asked else "",
        "ignored": sender.ignored,
    }


class Held(OwnerView):
    """What was not meant for the owner."""

    @extend_schema(
        operation_id="held_get",
        parameters=[pages.CURSOR, pages.LIMIT],
        responses=HeldOut,
    )
    def get(self, request: Request) -> Response:
        """Return whose adverts are held and why, the newest first."""
        owner, now = owner_of(request), clock.now()
        limit, start = pages.limit_of(request), 0
        if cursor := request.query_params.get("cursor", ""):
            # Groups have no key of their own: the cursor says how many came before.
            start = pages.read_cursor(cursor, is_time=False)[1]
        found = unsubscribing.senders(owner=owner, now=now, limit=limit + 1, offset=start)
        after = pages.write_cursor("", start + limit)
        return Response(
            {
                "total": unsubscribing.count(owner=owner, now=now),
                "next": pages.next_url(request, after) if len(found) > limit else None,
                "results": [show_sender(sender) for sender in found[:limit]],
            }
        )


class Unsubscription(OwnerView):
    """Asking the sender of a held contact to stop."""

    @extend_schema(
        operation_id="contacts_unsubscribe", request=None, responses={202: UnsubscriptionOut}
    )
    @once
    def post(self, request: Request, contact: UUID) -> Response:
        """Ask the sender to stop; it goes out after ten seconds."""
        owner = owner_of(request)
        found = self.mine(request, contact)
        try:
            event = unsubscribing.ask(contact=found, owner=owner, now=clock.now())
        except unsubscribing.UnsubscribeError as error:
            raise Problem(409, code=error.code, detail=error.detail) from error
        shown = {"state": unsubscribing.ASKED, "outcome": unsubscribing.outcome(event)}
        return Response(shown, status=202)

    @extend_schema(operation_id="contacts_unsubscribe_withdraw", responses={204: None})
    @once
    def delete(self, request: Request, contact: UUID) -> Response:
        """Take it back while it has not gone out."""
        try:
            unsubscribing.withdraw(contact=self.mine(request, contact))
        except unsubscribing.UnsubscribeError as error:
            raise Problem(409, code=error.code, detail=error.detail) from error
        return Response(status=204)

    def mine(self, request: Request, key: UUID) -> Contact:
        """Return a contact whose household the owner may answer for."""
        owner = owner_of(request)
        found = Contact.objects.for_owner(owner).get(uuid=key)
        households.require(owner=owner, household_id=found.household_id)
        return found


urlpatterns = [
    path("held/", Held.as_view()),
    path("contacts/<uuid:contact>/unsubscribe/", Unsubscription.as_view()),
]
