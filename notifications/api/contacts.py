"""Contacts for apps: what was said, what became of it and why, and the owner's log."""

import uuid
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import documents
from assets.models import Asset, Document
from notifications import badges, feed, senders, why
from notifications.api.actions import DOOR_ACTIONS, WindowIn, plain, refused, ring_after_commit
from notifications.api.shapes import ContactOut, Recorded
from notifications.models import Link
from notifications.wording import Words
from owners import clock, doorbell, households
from owners.api.edge import KEY_HEADER, Known, OwnerView, checked, once, owner_of
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Household, Owner
from suppliers import inbox, suggestions
from suppliers.choices import Direction, Medium, Outcome
from suppliers.models import Contact, Supplier, SupplierDomain, SupplierNumber
from suppliers.processing import contact_uuid

READ_MOST = 20_000  # letters
LOGGED = [
    (medium.value, medium.label)
    for medium in Medium
    if medium not in (Medium.NONE, Medium.VOICEMAIL)
]


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households a contact may be logged for."""
    return Household.objects.for_owner(owner)


def my_suppliers(owner: Owner) -> QuerySet[Supplier]:
    """Return the suppliers a logged contact may be with."""
    return Supplier.objects.for_owner(owner)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets a logged contact may be about."""
    return Asset.objects.for_owner(owner).select_related("household")


def my_documents(owner: Owner) -> QuerySet[Document]:
    """Return the papers that may have come with a logged contact."""
    return Document.objects.for_owner(owner).select_related("asset")


class MoneyIn(serializers.Serializer[Any]):
    """An amount with its currency."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=0)
    currency = serializers.RegexField(r"^[A-Z]{3}$")


class LogIn(serializers.Serializer[Any]):
    """A call, a talk or a letter as the owner remembers it."""

    household = Known(my_households, required=False)
    direction = serializers.ChoiceField(choices=Direction.choices, default=Direction.OUT)
    medium = serializers.ChoiceField(choices=LOGGED, default=Medium.CALL)
    supplier = Known(my_suppliers, allow_null=True, required=False)
    asset = Known(my_assets, allow_null=True, required=False)
    started_at = serializers.DateTimeField(required=False)
    duration_s = serializers.IntegerField(min_value=0, max_value=24 * 3600, required=False)
    asks = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=50
    )
    transfers = serializers.IntegerField(min_value=0, max_value=100, required=False)
    note = serializers.CharField(max_length=10_000, allow_blank=True, required=False)
    window = WindowIn(required=False)
    fee = MoneyIn(required=False)
    reference = serializers.CharField(max_length=120, allow_blank=True, required=False)
    documents = serializers.ListField(
        child=Known(my_documents),
        required=False,
        max_length=20,
        help_text="What came with it: first add it to `documents/`.",
    )


def show_contact(contact: Contact) -> dict[str, Any]:
    """Return a contact as the API shows it."""
    said = contact.said
    link = next(iter(contact.links.all()), None)
    words = Words(zone=ZoneInfo(contact.household.zone), now=contact.received_at)
    return {
        "id": str(contact.uuid),
        "household": str(contact.household.uuid),
        "journey": str(link.journey.uuid) if link else None,
        "supplier": str(contact.supplier.uuid) if contact.supplier else None,
        "asset": str(contact.asset.uuid) if contact.asset else None,
        "at": contact.said_at,
        "kind": contact.kind,
        "medium": contact.medium,
        "direction": contact.direction,
        "sender": said.get("sender", ""),
        "who": said.get("who", ""),
        "title": said.get("title", ""),
        "text": text_of(said),
        "documents": said.get("documents", []),
        "outcome": contact.outcome,
        "reason": contact.reason,
        "rule": contact.rule,
        "evidence": contact.evidence,
        "why": why.of_contact(
            reason=contact.reason, rule=contact.rule, evidence=contact.evidence, words=words
        ),
        "sender_check": senders.of_sender(
            said,
            suspicion=contact.suspicion,
            supplier=contact.supplier.name if contact.supplier else "",
        ),
        "badge": badge_of(contact).to_json(),
        "caller": senders.caller_of(said),
        "has_original": "proof" in said,
        "confirmation": (asked := said.get("confirmation"))
        and {"who": asked["who"], "code": asked.get("code", ""), "link": asked.get("link", "")},
        "suspicion": contact.suspicion,
        "link": link
        and {
            "rule": link.rule,
            "evidence": link.evidence,
            "is_likely": link.is_likely,
            "why": why.of_link(
                rule=link.rule, evidence=link.evidence, is_likely=link.is_likely, words=words
            ),
        },
    }


def badge_of(contact: Contact) -> badges.Badge:
    """Return whether it is really them; the supplier's proved particulars are prefetched."""
    supplier = contact.supplier
    return badges.of_contact(
        said=contact.said,
        trust=contact.trust,
        suspicion=contact.suspicion,
        supplier=supplier.name if supplier else "",
        domains=[row.domain for row in supplier.domains.all()] if supplier else (),
        numbers=[row.number for row in supplier.numbers.all()] if supplier else (),
    )


def text_of(said: dict[str, Any]) -> str:
    """Return the words of a contact, as complete as they are known."""
    transcript = (said.get("call") or {}).get("transcript", "")
    return str(said.get("body") or transcript or said.get("summary") or said.get("quote") or "")


def my_contacts(owner: Owner) -> QuerySet[Contact]:
    """Return the owner's contacts with all that `show_contact` reads."""
    live = Link.objects.filter(revoked_at=None).select_related("journey")
    rows = Contact.objects.for_owner(owner).select_related("household", "supplier", "asset")
    return rows.prefetch_related(
        Prefetch("links", live),
        Prefetch("supplier__domains", SupplierDomain.objects.filter(household=None)),
        Prefetch("supplier__numbers", SupplierNumber.objects.filter(household=None)),
    )


class Contacts(OwnerView):
    """The owner's contacts."""

    @listed(
        "contacts_list",
        pages=page_of(ContactOut, "Contact"),
        show=show_contact,
        by="-said_at",
        filters=[
            filter_of("outcome", Outcome),
            about("household"),
            about("journey"),
            about("asset"),
            about("supplier"),
        ],
    )
    def get(self, request: Request) -> QuerySet[Contact]:
        """List the owner's contacts, the newest word first."""
        rows = of(
            my_contacts(owner_of(request)),
            request,
            household="household__uuid",
            asset="asset__uuid",
            supplier="supplier__uuid",
        )
        if request.query_params.get("journey"):
            live = Link.objects.filter(revoked_at=None)
            rows = rows.filter(pk__in=of(live, request, journey="journey__uuid").values("contact"))
        return narrowed(rows, request, "outcome", Outcome)

    @extend_schema(operation_id="contacts_log", request=LogIn, responses={202: Recorded})
    @once
    def post(self, request: Request) -> Response:
        """Log a contact; it is kept now and joins its journey a moment later."""
        owner, now = owner_of(request), clock.now()
        values = checked(LogIn, request)
        household = logged_for(owner, values, now)
        households.require(owner=owner, household_id=household.pk)
        key = request.headers.get(KEY_HEADER) or str(uuid.uuid4())
        kept = inbox.log(
            owner=owner,
            household=household,
            data=plain({name: value for name, value in values.items() if value is not None}),
            key=key,
            now=now,
        )
        transaction.on_commit(partial(doorbell.ring, "inbox"))
        contact = contact_uuid(
            supplier_id=None,
            household_id=household.pk,
            source=f"{inbox.OWNER_SOURCE}/{owner.uuid}/{household.uuid}",
            event_id=key,
        )
        return Response({"id": str(contact), "status": kept.status}, status=202)


def logged_for(owner: Owner, values: dict[str, Any], now: datetime) -> Household:
    """Return the household a log belongs to: the one named, the asset's, or the only one."""
    named: Household | None = values.pop("household", None)
    asset: Asset | None = values.get("asset")
    if named is not None and asset is not None and asset.household_id != named.pk:
        fault = Known.default_error_messages["unknown"]
        raise serializers.ValidationError({"asset": [fault]}, code="unknown")
    if named is not None:
        return named
    if asset is not None:
        return asset.household
    mine = list(Household.objects.for_owner(owner).order_by("pk")[:2])
    if len(mine) > 1:
        raise serializers.ValidationError({"household": ["Say which household."]}, code="required")
    return mine[0] if mine else households.ensure_first(owner=owner, now=now)


class NoteIn(serializers.Serializer[Any]):
    """Words that an owner wrote down."""

    household = Known(my_households, required=False)
    note = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    documents = serializers.ListField(
        child=Known(my_documents),
        required=False,
        max_length=20,
        help_text="Papers whose words are read too: the text layer of a PDF, plain text.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse nothing at all to read."""
        if not attrs.get("note") and not attrs.get("documents"):
            raise serializers.ValidationError({"note": ["Write what is to be read."]})
        return attrs


class SuggestedWindow(serializers.Serializer[Any]):
    """A span of time; the end is exclusive."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class SuggestedMoney(serializers.Serializer[Any]):
    """An amount with its currency."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()


class SuggestionOut(serializers.Serializer[Any]):
    """What words seem to say, in the fields of a log; a suggestion, never a fact."""

    window = SuggestedWindow(allow_null=True)
    fee = SuggestedMoney(allow_null=True)
    reference = serializers.CharField(allow_blank=True)
    supplier = serializers.UUIDField(allow_null=True, help_text="Named in the words, only one.")
    asset = serializers.UUIDField(allow_null=True)
    text = serializers.CharField(allow_blank=True, help_text="What was read, papers included.")


class ReadNote(OwnerView):
    """Words, read before they are logged."""

    @extend_schema(operation_id="contacts_read_note", request=NoteIn, responses=SuggestionOut)
    @once
    def post(self, request: Request) -> Response:
        """Read a window, a price, a reference, who and what from words; nothing is stored."""
        owner, now = owner_of(request), clock.now()
        values = checked(NoteIn, request)
        household = logged_for(owner, values, now)
        papers = [documents.text_of(paper) for paper in values.get("documents", ())]
        parts = (part.strip() for part in (values.get("note", ""), *papers))
        text = "\n\n".join(part for part in parts if part)[:READ_MOST]
        read = suggestions.suggest(text=text, owner=owner, household=household, now=now)
        window, fee = read.window, read.fee
        return Response(
            {
                "window": window and {"start": window.start, "end": window.end},
                "fee": fee and {"amount": fee.amount, "currency": fee.currency},
                "reference": read.reference,
                "supplier": str(read.supplier.uuid) if read.supplier else None,
                "asset": str(read.asset.uuid) if read.asset else None,
                "text": text,
            }
        )


class OneContact(OwnerView):
    """One contact."""

    @extend_schema(operation_id="contacts_get", responses=ContactOut)
    def get(self, request: Request, contact: UUID) -> Response:
        """Return one contact with the reason for its outcome."""
        return Response(show_contact(my_contacts(owner_of(request)).get(uuid=contact)))


class ContactAction(OwnerView):
    """What the owner says to one contact's outcome."""

    names: tuple[str, ...] = feed.CONTACT_ACTIONS

    @extend_schema(
        operation_id="contacts_act",
        parameters=[
            OpenApiParameter(
                "name", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(feed.CONTACT_ACTIONS)
            )
        ],
        request=None,
        responses=ContactOut,
    )
    @once
    def post(self, request: Request, contact: UUID, name: str) -> Response:
        """Act, and return the contact as it is now."""
        owner = owner_of(request)
        found = my_contacts(owner).get(uuid=contact)
        households.require(owner=owner, household_id=found.household_id)
        if name not in self.names:
            raise Problem(404, code="not_found", detail="There is no such action.")
        try:
            feed.act_on_contact(owner=owner, contact=found, name=name, data={}, now=clock.now())
        except feed.ActionError as error:
            raise refused(error) from error
        ring_after_commit()
        return Response(show_contact(my_contacts(owner).get(pk=found.pk)))


class Door(OwnerView):
    """Contacts that wait for a yes."""

    @listed("door_list", pages=page_of(ContactOut, "Door"), show=show_contact, by="-said_at")
    def get(self, request: Request) -> QuerySet[Contact]:
        """List who waits at the Door, the newest first."""
        return my_contacts(owner_of(request)).filter(outcome=Outcome.DOOR)


@extend_schema_view(
    post=extend_schema(
        operation_id="door_act",
        parameters=[
            OpenApiParameter(
                "name", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(DOOR_ACTIONS)
            )
        ],
        description="Let the sender in, or not now.",
    )
)
class DoorAction(ContactAction):
    """What the owner says to somebody at the Door."""

    names = DOOR_ACTIONS
