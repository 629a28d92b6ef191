"""Wishes for one supplier, asset or journey, and last month replayed with other wishes."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import Asset
from notifications import simulation
from notifications.models import Journey
from notifications.simulating import Spoken
from owners import clock, households
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.problems import Problem
from owners.api.reach import (
    ReachIn,
    ReachOut,
    kinds_of,
    my_memberships,
    show_reach,
    unfit,
    wishes_of,
)
from owners.choices import ChannelKind, Moment, Scope, Topic
from owners.models import Membership
from suppliers.models import Supplier

LEVELS = ["interrupt", "feed", "digest"]


def subjects(membership: Membership, scope: Scope) -> QuerySet[Any]:
    """Return what an exception of this scope can be about in one household."""
    owner, home = membership.owner, membership.household
    rows: dict[Scope, QuerySet[Any]] = {
        Scope.SUPPLIER: Supplier.objects.for_owner(owner).filter(mandates__household=home),
        Scope.ASSET: Asset.objects.for_owner(owner).filter(household=home),
        Scope.JOURNEY: Journey.objects.for_owner(owner).filter(household=home, is_emptied=False),
    }
    return rows[scope]


class ExceptionIn(serializers.Serializer[Any]):
    """When to hear of one supplier, asset or journey; without `topics`: of all of them."""

    scope = serializers.ChoiceField(choices=Scope.choices)
    subject = serializers.UUIDField(help_text="The supplier, asset or journey.")
    moment = serializers.ChoiceField(choices=Moment.choices)
    channel = serializers.ChoiceField(choices=ChannelKind.choices, allow_null=True, required=False)
    over = serializers.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), allow_null=True, required=False
    )
    within_hours = serializers.IntegerField(
        min_value=1, max_value=24 * 90, allow_null=True, required=False
    )
    topics = serializers.ListField(
        child=serializers.ChoiceField(choices=Topic.choices), required=False, max_length=50
    )


class ReachExceptions(OwnerView):
    """Wishes for one supplier, asset or journey."""

    @extend_schema(
        operation_id="reach_except", parameters=[UNDO], request=ExceptionIn, responses=ReachOut
    )
    @once
    def post(self, request: Request, household: UUID) -> Response:
        """Add or change an exception; the most specific one wins."""
        rows = my_memberships(owner_of(request))
        membership = rows.get(household__uuid=household)
        values = checked(ExceptionIn, request)
        scope, subject = Scope(values["scope"]), values["subject"]
        if not subjects(membership, scope).filter(uuid=subject).exists():
            fault = Known.default_error_messages["unknown"]
            raise serializers.ValidationError({"subject": [fault]}, code="unknown")
        channel = ChannelKind(values["channel"]) if values.get("channel") else None
        change = households.set_wishes(
            membership=membership,
            values={},
            topics=[
                households.TopicWish(
                    topic=Topic(topic),
                    moment=Moment(values["moment"]),
                    channel=channel,
                    scope=scope,
                    subject=subject,
                    over=values.get("over"),
                    within_hours=values.get("within_hours"),
                )
                for topic in dict.fromkeys(values.get("topics") or Topic)
            ],
            now=clock.now(),
        )
        return Response(show_reach(rows.get(pk=membership.pk)), headers=undoable(change))


class ReachException(OwnerView):
    """The wishes for one supplier, asset or journey."""

    @extend_schema(
        operation_id="reach_unexcept",
        parameters=[
            OpenApiParameter("scope", OpenApiTypes.STR, OpenApiParameter.PATH, enum=Scope.values),
            UNDO,
        ],
        responses=ReachOut,
    )
    @once
    def delete(self, request: Request, household: UUID, scope: str, subject: UUID) -> Response:
        """Forget all wishes for it; what the matrix says holds again."""
        rows = my_memberships(owner_of(request))
        membership = rows.get(household__uuid=household)
        if scope not in Scope.values:
            raise Problem(404, code="not_found", detail="There is no such thing.")
        change = households.drop_wish(
            membership=membership, scope=Scope(scope), subject=subject, now=clock.now()
        )
        return Response(show_reach(rows.get(pk=membership.pk)), headers=undoable(change))


class ReachWaker(OwnerView):
    """One supplier whose word that it is an emergency counts at any hour."""

    @extend_schema(
        operation_id="reach_trust_emergency", parameters=[UNDO], request=None, responses=ReachOut
    )
    @once
    def put(self, request: Request, household: UUID, supplier: UUID) -> Response:
        """Take this supplier's word that it is an emergency; it cannot ask for that itself."""
        return _grant(request, household, supplier, is_granted=True)

    @extend_schema(operation_id="reach_distrust_emergency", parameters=[UNDO], responses=ReachOut)
    @once
    def delete(self, request: Request, household: UUID, supplier: UUID) -> Response:
        """Take its word for it no more."""
        return _grant(request, household, supplier, is_granted=False)


def _grant(request: Request, household: UUID, supplier: UUID, *, is_granted: bool) -> Response:
    rows = my_memberships(owner_of(request))
    membership = rows.get(household__uuid=household)
    found = subjects(membership, Scope.SUPPLIER).distinct().get(uuid=supplier)
    change = households.grant_emergency(
        membership=membership, supplier=found.uuid, is_granted=is_granted, now=clock.now()
    )
    return Response(show_reach(rows.get(pk=membership.pk)), headers=undoable(change))


class SpokenOut(serializers.Serializer[Any]):
    """One time the owner would have been told."""

    at = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=LEVELS)
    channel = serializers.ChoiceField(
        choices=ChannelKind.choices,
        allow_blank=True,
        help_text="Sounds first; empty for what is silent.",
    )
    topic = serializers.ChoiceField(choices=Topic.choices)
    reason = serializers.CharField()
    because = serializers.ListField(child=serializers.UUIDField(), help_text="Contacts.")


class Difference(serializers.Serializer[Any]):
    """One thing that would have been told otherwise; null: not at all."""

    journey = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    before = SpokenOut(allow_null=True)
    after = SpokenOut(allow_null=True)


class TimesTold(serializers.Serializer[Any]):
    """How often, and how loudly."""

    interrupt = serializers.IntegerField()
    feed = serializers.IntegerField()
    digest = serializers.IntegerField()


class ComparisonOut(serializers.Serializer[Any]):
    """The last 30 days with the wishes as they are, and as they would be."""

    before = TimesTold()
    after = TimesTold()
    channels_before = serializers.DictField(
        child=serializers.IntegerField(), help_text="Interrupts by channel."
    )
    channels_after = serializers.DictField(child=serializers.IntegerField())
    differences = Difference(many=True)
    journeys = serializers.IntegerField(help_text="Looked at.")
    is_cut = serializers.BooleanField(help_text="There were more than are looked at.")


class SimulationIn(ReachIn):
    """Wishes to try, exceptions included."""

    exceptions = serializers.ListField(child=ExceptionIn(), required=False, max_length=50)


class ReachSimulation(OwnerView):
    """Last month with other wishes."""

    @extend_schema(operation_id="reach_simulate", request=SimulationIn, responses=ComparisonOut)
    @once
    def post(self, request: Request, household: UUID) -> Response:
        """Replay the last 30 days with these wishes; nothing is saved."""
        membership = my_memberships(owner_of(request)).get(household__uuid=household)
        given = checked(SimulationIn, request)
        values, topics = wishes_of(given)
        topics += [
            households.TopicWish(
                topic=Topic(topic),
                moment=Moment(row["moment"]),
                channel=ChannelKind(row["channel"]) if row.get("channel") else None,
                scope=Scope(row["scope"]),
                subject=row["subject"],
                over=row.get("over"),
                within_hours=row.get("within_hours"),
            )
            for row in given.get("exceptions", [])
            for topic in dict.fromkeys(row.get("topics") or Topic)
        ]
        try:
            wishes = simulation.with_wishes(
                membership=membership, values=values, topics=topics, kinds=kinds_of(given)
            )
        except households.WishError as error:
            raise unfit(error) from error
        found = simulation.last_month(membership=membership, wishes=wishes, now=clock.now())
        return Response(
            {
                "before": found.before,
                "after": found.after,
                "channels_before": found.channels_before,
                "channels_after": found.channels_after,
                "differences": [
                    {
                        "journey": one.journey,
                        "title": one.title,
                        "before": show_spoken(one.before),
                        "after": show_spoken(one.after),
                    }
                    for one in found.differences
                ],
                "journeys": found.journeys,
                "is_cut": found.is_cut,
            }
        )


def show_spoken(one: Spoken | None) -> dict[str, Any] | None:
    """Return one time the owner would have been told as the API shows it."""
    if one is None:
        return None
    return {
        "at": one.at,
        "level": one.level,
        "channel": one.channel,
        "topic": one.topic,
        "reason": one.reason,
        "because": list(one.because),
    }
