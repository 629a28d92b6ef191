"""Ways in for apps: the addresses and numbers of a household, and their tests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.problems import Problem
from owners.models import Channel, Household, Owner
from suppliers import checks, forwarding, ways
from suppliers.choices import CheckKind
from suppliers.models import WayCheck

STATES = [(checks.WAITING, "Waiting"), (checks.WORKS, "Works"), (checks.NOTHING, "Nothing came")]


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households whose addresses an owner may test."""
    return Household.objects.for_owner(owner)


def my_mailboxes(owner: Owner) -> QuerySet[Channel]:
    """Return where a test mail may be sent to."""
    return Channel.objects.for_owner(owner).usable().filter(kind="email")


class WayCheckIn(serializers.Serializer[Any]):
    """What is to be tested."""

    household = Known(my_households)
    address = serializers.CharField(max_length=254)
    mailbox = Known(my_mailboxes, required=False, help_text="The channel the test mail goes to.")


class WayCheckOut(serializers.Serializer[Any]):
    """A test of one address or number, and what it came to."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=CheckKind.choices)
    address = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    asked_at = serializers.DateTimeField()
    arrived_at = serializers.DateTimeField(allow_null=True)
    sent_to = serializers.CharField(help_text="A hint of the mailbox; empty: send it by hand.")
    subject = serializers.CharField(help_text="To stand in the subject of a mail sent by hand.")


class WayOut(serializers.Serializer[Any]):
    """An address or a number at which the household is reached here."""

    address = serializers.CharField()
    name = serializers.CharField()
    mandate = serializers.UUIDField(allow_null=True)
    vcard = serializers.CharField()
    check = WayCheckOut(allow_null=True)


class CodeOut(serializers.Serializer[Any]):
    """What is dialled to send calls on in one case."""

    case = serializers.CharField(help_text="In which case, in words.")
    dial = serializers.CharField()
    undo = serializers.CharField()


class ConfirmationOut(serializers.Serializer[Any]):
    """A provider asks whether mail may be sent on to here; its link is its own."""

    who = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True)
    host = serializers.CharField(allow_blank=True)


class WaysOut(serializers.Serializer[Any]):
    """Every way by which an owner is reached in one household."""

    household = serializers.UUIDField()
    intake = WayOut(allow_null=True)
    aliases = WayOut(many=True)
    number = WayOut(allow_null=True)
    codes = CodeOut(many=True)
    confirmations = ConfirmationOut(many=True)


def show_check(check: WayCheck, *, now: datetime) -> dict[str, Any]:
    """Return a test as the API shows it."""
    return {
        "id": str(check.uuid),
        "kind": check.kind,
        "address": check.address,
        "state": checks.state_of(check, now=now),
        "asked_at": check.asked_at,
        "arrived_at": check.arrived_at,
        "sent_to": check.channel.hint if check.channel else "",
        "subject": checks.subject_of(check) if check.token else "",
    }


def show_way(way: ways.Address | None, *, now: datetime) -> dict[str, Any] | None:
    """Return an address as the API shows it."""
    if way is None:
        return None
    return {
        "address": way.address,
        "name": way.name,
        "mandate": str(way.mandate.uuid) if way.mandate else None,
        "vcard": ways.card_of(way),
        "check": show_check(way.check, now=now) if way.check else None,
    }


class Ways(OwnerView):
    """The ways into one household."""

    @extend_schema(operation_id="ways_get", responses=WaysOut)
    def get(self, request: Request, household: UUID) -> Response:
        """Return the addresses and the number of the calling owner, each with its last test."""
        owner, now = owner_of(request), clock.now()
        found = ways.of(household=my_households(owner).get(uuid=household), owner=owner)
        number = found.number.address if found.number else ""
        return Response(
            {
                "household": str(found.household.uuid),
                "intake": show_way(found.intake, now=now),
                "aliases": [show_way(one, now=now) for one in found.aliases],
                "number": show_way(found.number, now=now),
                "confirmations": ways.confirmations(household=found.household, now=now),
                "codes": [
                    {"case": str(code.label), "dial": code.dial, "undo": code.undo}
                    for code in (forwarding.codes(number) if number else ())
                ],
            }
        )


class WayChecks(OwnerView):
    """Tests of the ways in."""

    @extend_schema(operation_id="ways_check", request=WayCheckIn, responses={201: WayCheckOut})
    @once
    def post(self, request: Request) -> Response:
        """Test an address: a mail goes to the owner's mailbox, and is to find its way here."""
        owner, now = owner_of(request), clock.now()
        values = checked(WayCheckIn, request)
        try:
            check = checks.ask(owner=owner, now=now, **values)
        except checks.CheckError as error:
            if error.code == "too_many":
                raise Problem(429, code=error.code, detail=error.detail) from error
            raise serializers.ValidationError(
                {"address": [error.detail]}, code=error.code
            ) from error
        return Response(show_check(check, now=now), status=201)


class OneWayCheck(OwnerView):
    """One test."""

    @extend_schema(operation_id="ways_check_get", responses=WayCheckOut)
    def get(self, request: Request, check: UUID) -> Response:
        """Return how a test stands; ask again every few seconds while it waits."""
        mine = WayCheck.objects.for_owner(owner_of(request)).select_related("channel")
        return Response(show_check(mine.get(uuid=check), now=clock.now()))


urlpatterns = [
    path("households/<uuid:household>/ways/", Ways.as_view()),
    path("ways/checks/", WayChecks.as_view()),
    path("ways/checks/<uuid:check>/", OneWayCheck.as_view()),
]
