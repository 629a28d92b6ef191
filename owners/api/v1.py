"""The owner's own side of the API: me, households, channels."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import channels, clock, households
from owners.api.edge import UNDO, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.api.reach import OneReach, ReachList, ReachPresets
from owners.choices import ChannelKind, Rank
from owners.models import Channel, Household, Membership, Owner

# The feed needs no address.
PROVABLE_KINDS = [
    (kind.value, kind.label)
    for kind in (ChannelKind.EMAIL, ChannelKind.SMS, ChannelKind.VOICE, ChannelKind.CHAT)
]


class ZoneField(serializers.CharField):
    """An IANA time zone."""

    default_error_messages = {"zone": "This is not the name of a time zone."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name of a zone that exists."""
        name = str(super().to_internal_value(data))
        if not name:
            return ""  # allowed only where a zone may be none
        if name not in available_timezones():
            self.fail("zone")
        return ZoneInfo(name).key


class MeIn(serializers.Serializer[Any]):
    """What an owner may change about themselves."""

    name = serializers.CharField(max_length=120, allow_blank=True, required=False)
    zone = ZoneField(max_length=64, required=False)
    device_zone = ZoneField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="Where the device is, when that is elsewhere; empty: at home.",
    )
    language = serializers.RegexField(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", required=False)


class MyHousehold(serializers.Serializer[Any]):
    """A household in which the owner is a member."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    rank = serializers.ChoiceField(choices=Rank.choices)


class MeOut(serializers.Serializer[Any]):
    """The owner who calls."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    zone = serializers.CharField()
    device_zone = serializers.CharField(
        help_text="Where the device is: quiet hours and the summary follow it. Empty: at home."
    )
    language = serializers.CharField()
    households = MyHousehold(many=True)


def show_me(owner: Owner) -> dict[str, Any]:
    """Return the owner as the API shows them."""
    mine = Membership.objects.filter(owner=owner).select_related("household").order_by("pk")
    return {
        "id": str(owner.uuid),
        "email": owner.email,
        "name": owner.name,
        "zone": owner.zone,
        "device_zone": owner.device_zone,
        "language": owner.language,
        "households": [
            {
                "id": str(membership.household.uuid),
                "name": membership.household.name,
                "rank": membership.rank,
            }
            for membership in mine
        ],
    }


class Me(OwnerView):
    """The owner who calls."""

    @extend_schema(operation_id="me_get", responses=MeOut)
    def get(self, request: Request) -> Response:
        """Return the owner who calls."""
        return Response(show_me(owner_of(request)))

    @extend_schema(operation_id="me_change", request=MeIn, responses=MeOut)
    @once
    def patch(self, request: Request) -> Response:
        """Change name, time zone or language."""
        owner = owner_of(request)
        households.change_owner(owner=owner, values=checked(MeIn, request))
        return Response(show_me(owner))


class HouseholdIn(serializers.Serializer[Any]):
    """A household as an owner writes it."""

    name = serializers.CharField(max_length=120)
    zone = ZoneField(max_length=64, required=False)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, allow_blank=True)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    survey_cap = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    raw_days = serializers.IntegerField(
        min_value=0,
        max_value=3650,
        required=False,
        help_text="How long messages are kept as they were received; 0: for ever.",
    )


class Member(serializers.Serializer[Any]):
    """An owner in a household."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    rank = serializers.ChoiceField(choices=Rank.choices)


class HouseholdOut(serializers.Serializer[Any]):
    """A household and its people."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    zone = serializers.CharField()
    country = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    survey_cap = serializers.IntegerField()
    raw_days = serializers.IntegerField()
    intake_alias = serializers.CharField(help_text="Mail that belongs to no mandate yet.")
    is_demo = serializers.BooleanField(help_text="To look around in; see `demo/`.")
    needs_you = serializers.IntegerField(help_text="Cards that wait for an owner.")
    members = Member(many=True)


def show_household(household: Household) -> dict[str, Any]:
    """Return a household as the API shows it."""
    return {
        "id": str(household.uuid),
        "name": household.name,
        "zone": household.zone,
        "country": household.country,
        "currency": household.currency,
        "survey_cap": household.survey_cap,
        "raw_days": household.raw_days,
        "intake_alias": households.intake_address(household),
        "is_demo": household.is_demo,
        "needs_you": household.needs_you_count,
        "members": [
            {
                "id": str(membership.owner.uuid),
                "name": membership.owner.get_full_name(),
                "rank": membership.rank,
            }
            for membership in sorted(household.memberships.all(), key=lambda row: row.pk)
        ],
    }


class Households(OwnerView):
    """The owner's households."""

    @listed("households_list", pages=page_of(HouseholdOut, "Household"), show=show_household)
    def get(self, request: Request) -> QuerySet[Household]:
        """List the owner's households."""
        return Household.objects.for_owner(owner_of(request)).prefetch_related("memberships__owner")

    @extend_schema(
        operation_id="households_create", request=HouseholdIn, responses={201: HouseholdOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Make another household, whose admin the owner is."""
        values = checked(HouseholdIn, request)
        household = households.create(owner=owner_of(request), now=clock.now(), **values)
        return Response(show_household(household), status=201)


class OneHousehold(OwnerView):
    """One household."""

    is_personal = True

    @extend_schema(operation_id="households_get", responses=HouseholdOut)
    def get(self, request: Request, household: UUID) -> Response:
        """Return one household."""
        rows = Household.objects.for_owner(owner_of(request))
        return Response(
            show_household(rows.prefetch_related("memberships__owner").get(uuid=household))
        )

    @extend_schema(
        operation_id="households_change",
        parameters=[UNDO],
        request=HouseholdIn,
        responses=HouseholdOut,
    )
    @once
    def patch(self, request: Request, household: UUID) -> Response:
        """Change what the household is called and where it is; for admins."""
        owner = owner_of(request)
        found = households.reachable(owner=owner, household=household, least=Rank.ADMIN)
        values = checked(HouseholdIn, request, partial=True)
        change = households.change(household=found, values=values, by=owner, now=clock.now())
        return Response(show_household(found), headers=undoable(change))


class ChannelIn(serializers.Serializer[Any]):
    """An address at which the owner wants to be reached."""

    kind = serializers.ChoiceField(choices=PROVABLE_KINDS)
    address = serializers.CharField(
        max_length=1000, help_text="Of a chat: as Apprise writes it, ntfys://host/topic."
    )


class ChannelChange(serializers.Serializer[Any]):
    """What may be changed of a channel."""

    is_bare = serializers.BooleanField(required=False)
    is_first = serializers.BooleanField(
        required=False, help_text="Of several of its kind, use this one first."
    )


class CodeIn(serializers.Serializer[Any]):
    """The code that was sent to the channel."""

    code = serializers.CharField(max_length=12)


class ChannelOut(serializers.Serializer[Any]):
    """A channel of the owner; used only once it is verified.

    Where a device or a chat is reached holds secrets and stays sealed: there `address` is
    only a name of it. `is_bare`: no words go this way, only that there is news.
    """

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    address = serializers.CharField()
    verified_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField(allow_blank=True)
    is_bare = serializers.BooleanField()


def show_channel(channel: Channel) -> dict[str, Any]:
    """Return a channel as its owner sees it."""
    return {
        "id": str(channel.uuid),
        "kind": channel.kind,
        "address": channel.shown,
        "verified_at": channel.verified_at,
        "failed_at": channel.failed_at,
        "failure": channel.failure,
        "is_bare": channel.is_bare,
    }


class Channels(OwnerView):
    """The owner's channels."""

    is_personal = True

    @listed("channels_list", pages=page_of(ChannelOut, "Channel"), show=show_channel)
    def get(self, request: Request) -> QuerySet[Channel]:
        """List the owner's channels."""
        return Channel.objects.for_owner(owner_of(request))

    @extend_schema(operation_id="channels_add", request=ChannelIn, responses={201: ChannelOut})
    @once
    def post(self, request: Request) -> Response:
        """Add a channel; a code is sent to it."""
        values = checked(ChannelIn, request)
        channel = channels.add(
            owner=owner_of(request),
            kind=ChannelKind(values["kind"]),
            address=values["address"],
            now=clock.now(),
        )
        return Response(show_channel(channel), status=201)


class OneChannel(OwnerView):
    """One channel."""

    is_personal = True

    @extend_schema(operation_id="channels_get", responses=ChannelOut)
    def get(self, request: Request, channel: UUID) -> Response:
        """Return one channel."""
        return Response(
            show_channel(Channel.objects.for_owner(owner_of(request)).get(uuid=channel))
        )

    @extend_schema(operation_id="channels_change", request=ChannelChange, responses=ChannelOut)
    @once
    def patch(self, request: Request, channel: UUID) -> Response:
        """Say whether words go this way, and which one of a kind is used first."""
        found = Channel.objects.for_owner(owner_of(request)).get(uuid=channel)
        wanted = checked(ChannelChange, request)
        if "is_bare" in wanted:
            channels.set_bare(channel=found, is_bare=wanted["is_bare"], now=clock.now())
        if wanted.get("is_first"):
            channels.choose(channel=found, now=clock.now())
        return Response(show_channel(found))

    @extend_schema(operation_id="channels_remove", responses={204: None})
    @once
    def delete(self, request: Request, channel: UUID) -> Response:
        """Forget a channel."""
        found = Channel.objects.for_owner(owner_of(request)).get(uuid=channel)
        channels.remove(channel=found, now=clock.now())
        return Response(status=204)


class ChannelCodes(OwnerView):
    """Codes for one channel."""

    is_personal = True

    @extend_schema(operation_id="channels_send_code", request=None, responses={202: ChannelOut})
    @once
    def post(self, request: Request, channel: UUID) -> Response:
        """Send a new code to an unverified channel."""
        found = Channel.objects.for_owner(owner_of(request)).get(uuid=channel)
        channels.send_code(channel=found, now=clock.now())
        return Response(show_channel(found), status=202)


class ChannelProof(OwnerView):
    """The proof of one channel."""

    is_personal = True

    @extend_schema(operation_id="channels_verify", request=CodeIn, responses=ChannelOut)
    @once
    def post(self, request: Request, channel: UUID) -> Response:
        """Prove a channel with the code it got."""
        found = Channel.objects.for_owner(owner_of(request)).get(uuid=channel)
        code = checked(CodeIn, request)["code"]
        if not channels.verify(channel=found, code=code, now=clock.now()):
            return Problem(
                409, code="wrong_code", detail="This code is wrong or has expired.", pointer="/code"
            ).answer()
        return Response(show_channel(found))


urlpatterns = [
    path("me/", Me.as_view(), name="me"),
    path("households/", Households.as_view(), name="households"),
    path("households/<uuid:household>/", OneHousehold.as_view(), name="household"),
    path("channels/", Channels.as_view(), name="channels"),
    path("channels/<uuid:channel>/", OneChannel.as_view(), name="channel"),
    path("channels/<uuid:channel>/codes/", ChannelCodes.as_view(), name="channel-codes"),
    path("channels/<uuid:channel>/verify/", ChannelProof.as_view(), name="channel-verify"),
    path("reach/", ReachList.as_view(), name="reach-list"),
    path("reach/presets/", ReachPresets.as_view(), name="reach-presets"),
    path("reach/<uuid:household>/", OneReach.as_view(), name="reach"),
]
