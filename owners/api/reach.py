"""How the owner is told: the matrix, quiet hours, holiday and cover, presets."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock, households
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import listed, page_of
from owners.choices import ChannelKind, Moment, Scope, Topic
from owners.models import ChannelWish, Membership, Owner
from owners.reach import DEFAULT_CAPS, DEFAULT_MOMENTS, MOST_CAP, PRESET_DIGESTS, PRESETS

PRESET_NAMES = list(PRESETS)
KINDS = [kind for kind in ChannelKind if kind != ChannelKind.FEED]
AS_ALL, OWN, NEVER = "as_all", "own", "never"
QUIETS = [AS_ALL, OWN, NEVER]


def my_people(owner: Owner) -> QuerySet[Owner]:
    """Return the members of the owner's households."""
    return Owner.objects.filter(memberships__household__memberships__owner=owner).distinct()


class TopicIn(serializers.Serializer[Any]):
    """One row of the reach matrix; no channel: the preferred one.

    What its condition excludes is heard of one moment later; what has no amount, or no
    time, is not excluded by it.
    """

    topic = serializers.ChoiceField(choices=Topic.choices)
    moment = serializers.ChoiceField(choices=Moment.choices)
    channel = serializers.ChoiceField(choices=ChannelKind.choices, allow_null=True, required=False)
    over = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        allow_null=True,
        required=False,
        help_text="Only what is about more money, in the household's currency.",
    )
    within_hours = serializers.IntegerField(
        min_value=1,
        max_value=24 * 90,
        allow_null=True,
        required=False,
        help_text="Only what happens, or must be acted on, so soon.",
    )


class ChannelWishIn(serializers.Serializer[Any]):
    """What is wished of one kind of channel."""

    channel = serializers.ChoiceField(choices=ChannelKind.choices)
    quiet = serializers.ChoiceField(
        choices=QUIETS, default=AS_ALL, help_text="As everything, hours of its own, or never."
    )
    quiet_from = serializers.TimeField(allow_null=True, required=False)
    quiet_until = serializers.TimeField(allow_null=True, required=False)
    cap = serializers.IntegerField(
        min_value=0,
        max_value=MOST_CAP,
        allow_null=True,
        required=False,
        help_text="Notifications in 24 hours; null: the usual number. More are put off.",
    )


class ChannelWishOut(ChannelWishIn):
    """What holds of one kind of channel."""

    usual_cap = serializers.IntegerField(allow_null=True, help_text="Null: as many as come.")


class TopicOut(TopicIn):
    """One row of the reach matrix as it holds."""

    is_default = serializers.BooleanField()


class ExceptionOut(TopicIn):
    """A wish for one supplier, asset or journey only."""

    scope = serializers.ChoiceField(choices=Scope.choices)
    subject = serializers.UUIDField(help_text="The supplier, asset or journey.")


class ReachIn(serializers.Serializer[Any]):
    """How the owner wants to be told; what is not given stays."""

    preset = serializers.ChoiceField(
        choices=PRESET_NAMES, required=False, help_text="All topics at once; `topics` come after."
    )
    prefers = serializers.ChoiceField(choices=ChannelKind.choices, required=False)
    quiet_from = serializers.TimeField(allow_null=True, required=False)
    quiet_until = serializers.TimeField(allow_null=True, required=False)
    has_quiet_exceptions = serializers.BooleanField(required=False)
    digest_at = serializers.TimeField(required=False)
    digest_weekday = serializers.IntegerField(
        min_value=0, max_value=6, required=False, help_text="Of the weekly lines; 0 is Monday."
    )
    has_digest_mail = serializers.BooleanField(
        required=False, help_text="Whether the summary comes by e-mail."
    )
    is_digest_weekly = serializers.BooleanField(
        required=False, help_text="A summary on that day only."
    )
    has_digest_changes = serializers.BooleanField(
        required=False, help_text="The summary names the cards that changed unseen."
    )
    unmailed = serializers.ListField(
        child=serializers.ChoiceField(choices=Topic.choices),
        required=False,
        max_length=20,
        help_text="Topics of which no mail goes out.",
    )
    channels = serializers.ListField(child=ChannelWishIn(), required=False, max_length=10)
    holiday_from = serializers.DateField(allow_null=True, required=False)
    holiday_until = serializers.DateField(allow_null=True, required=False)
    cover = Known(my_people, allow_null=True, required=False, help_text="Who is told meanwhile.")
    topics = serializers.ListField(child=TopicIn(), required=False, max_length=100)


class ReachOut(serializers.Serializer[Any]):
    """How the owner is told in one household."""

    household = serializers.UUIDField()
    prefers = serializers.ChoiceField(choices=ChannelKind.choices)
    quiet_from = serializers.TimeField(allow_null=True)
    quiet_until = serializers.TimeField(allow_null=True)
    has_quiet_exceptions = serializers.BooleanField()
    digest_at = serializers.TimeField()
    digest_weekday = serializers.IntegerField(help_text="Of the weekly lines; 0 is Monday.")
    has_digest_mail = serializers.BooleanField(help_text="Whether the summary comes by e-mail.")
    is_digest_weekly = serializers.BooleanField(help_text="A summary on that day only.")
    has_digest_changes = serializers.BooleanField(
        help_text="The summary names the cards that changed unseen."
    )
    unmailed = serializers.ListField(
        child=serializers.ChoiceField(choices=Topic.choices),
        help_text="Topics of which no mail goes out.",
    )
    wakers = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Suppliers whose word that it is an emergency counts at any hour.",
    )
    channels = ChannelWishOut(many=True)
    holiday_from = serializers.DateField(allow_null=True)
    holiday_until = serializers.DateField(allow_null=True)
    cover = serializers.UUIDField(allow_null=True, help_text="Who is told meanwhile.")
    topics = TopicOut(many=True)
    exceptions = ExceptionOut(many=True)


def show_reach(membership: Membership) -> dict[str, Any]:
    """Return a member's wishes as the API shows them."""
    by_kind = {wish.kind: wish for wish in membership.channel_wishes.all()}
    changed = {rule.topic: rule for rule in membership.reach_rules.all() if not rule.scope}
    return {
        "household": str(membership.household.uuid),
        "prefers": membership.prefers,
        "quiet_from": membership.quiet_from,
        "quiet_until": membership.quiet_until,
        "has_quiet_exceptions": membership.has_quiet_exceptions,
        "digest_at": membership.digest_at,
        "digest_weekday": membership.digest_weekday,
        "has_digest_mail": membership.has_digest_mail,
        "is_digest_weekly": membership.is_digest_weekly,
        "has_digest_changes": membership.has_digest_changes,
        "unmailed": membership.unmailed,
        "wakers": [str(supplier) for supplier in membership.wakers],
        "channels": [_show_kind(kind, by_kind.get(kind.value)) for kind in KINDS],
        "holiday_from": membership.holiday_from,
        "holiday_until": membership.holiday_until,
        "cover": str(membership.cover.uuid) if membership.cover else None,
        "topics": [
            {
                "topic": topic.value,
                "moment": changed[topic].moment if topic in changed else DEFAULT_MOMENTS[topic],
                "channel": (changed[topic].channel or None) if topic in changed else None,
                "over": _amount(changed[topic].over) if topic in changed else None,
                "within_hours": changed[topic].within_hours if topic in changed else None,
                "is_default": topic not in changed,
            }
            for topic in Topic
        ],
        "exceptions": [
            {
                "scope": rule.scope,
                "subject": str(rule.subject),
                "topic": rule.topic,
                "moment": rule.moment,
                "channel": rule.channel or None,
                "over": _amount(rule.over),
                "within_hours": rule.within_hours,
            }
            for rule in sorted(membership.reach_rules.all(), key=lambda rule: rule.pk)
            if rule.scope
        ],
    }


def _amount(over: Decimal | None) -> str | None:
    """Return an amount as the API writes money: a text that loses nothing."""
    return None if over is None else f"{over:.2f}"


def _show_kind(kind: ChannelKind, wish: ChannelWish | None) -> dict[str, Any]:
    """Return what is wished of one kind of channel, what it is without a wish included."""
    is_own = wish is not None and wish.has_own_quiet
    begins = wish.quiet_from if wish is not None else None
    return {
        "channel": kind.value,
        "quiet": AS_ALL if not is_own else OWN if begins else NEVER,
        "quiet_from": begins,
        "quiet_until": wish.quiet_until if wish is not None else None,
        "cap": wish.cap if wish is not None else None,
        "usual_cap": DEFAULT_CAPS.get(kind),
    }


def my_memberships(owner: Owner) -> QuerySet[Membership]:
    """Return the owner's memberships with all that `show_reach` reads."""
    rows = Membership.objects.filter(owner=owner).select_related("household", "owner", "cover")
    return rows.prefetch_related("reach_rules", "channel_wishes")


def wishes_of(values: dict[str, Any]) -> tuple[dict[str, Any], list[households.TopicWish]]:
    """Return a valid `ReachIn` as the use-cases take it: the wishes, and the matrix."""
    rest = dict(PRESET_DIGESTS.get(values.get("preset", ""), {}))
    rest |= {n: v for n, v in values.items() if n not in ("preset", "topics", "channels")}
    preset = PRESETS.get(values.get("preset", ""), {})
    topics = {
        topic: households.TopicWish(topic=topic, moment=moment) for topic, moment in preset.items()
    }
    for row in values.get("topics", []):
        topics[Topic(row["topic"])] = households.TopicWish(
            topic=Topic(row["topic"]),
            moment=Moment(row["moment"]),
            channel=ChannelKind(row["channel"]) if row.get("channel") else None,
            over=row.get("over"),
            within_hours=row.get("within_hours"),
        )
    return rest, list(topics.values())


def kinds_of(values: dict[str, Any]) -> list[households.KindWish]:
    """Return what a valid `ReachIn` wishes of each channel.

    Raises WishError for half a night.
    """
    found = []
    for row in values.get("channels", []):
        if row["channel"] == ChannelKind.FEED:
            raise households.WishError("channels", "The feed makes no sound.")
        begins, ends = row.get("quiet_from"), row.get("quiet_until")
        if row["quiet"] == OWN and (begins is None or ends is None):
            raise households.WishError("channels", "Quiet hours need both ends, or none.")
        own = (begins, ends) if row["quiet"] == OWN else () if row["quiet"] == NEVER else None
        found.append(
            households.KindWish(kind=ChannelKind(row["channel"]), quiet=own, cap=row.get("cap"))
        )
    return found


def unfit(error: households.WishError) -> serializers.ValidationError:
    """Return a wish that cannot be so as an answer."""
    return serializers.ValidationError({error.field: [error.detail]}, code="invalid")


class ReachList(OwnerView):
    """The owner's reach in every household."""

    @listed("reach_list", pages=page_of(ReachOut, "Reach"), show=show_reach, by="pk", is_time=False)
    def get(self, request: Request) -> QuerySet[Membership]:
        """Return how the owner is told, for each household."""
        return my_memberships(owner_of(request))


class PresetOut(serializers.Serializer[Any]):
    """A whole matrix to start from."""

    preset = serializers.ChoiceField(choices=PRESET_NAMES)
    topics = TopicIn(many=True)


class ReachPresets(OwnerView):
    """Matrices to start from."""

    @extend_schema(operation_id="reach_presets", responses=PresetOut(many=True))
    def get(self, request: Request) -> Response:
        """List the presets with what each would set."""
        return Response(
            [
                {
                    "preset": name,
                    "topics": [
                        {"topic": topic, "moment": moment, "channel": None}
                        for topic, moment in moments.items()
                    ],
                }
                for name, moments in PRESETS.items()
            ]
        )


class OneReach(OwnerView):
    """The owner's reach in one household."""

    @extend_schema(operation_id="reach_get", responses=ReachOut)
    def get(self, request: Request, household: UUID) -> Response:
        """Return how the owner is told in one household."""
        rows = my_memberships(owner_of(request))
        return Response(show_reach(rows.get(household__uuid=household)))

    @extend_schema(
        operation_id="reach_change", parameters=[UNDO], request=ReachIn, responses=ReachOut
    )
    @once
    def patch(self, request: Request, household: UUID) -> Response:
        """Change how the owner is told in one household, when away, and by whom covered."""
        rows = my_memberships(owner_of(request))
        membership = rows.get(household__uuid=household)
        given = checked(ReachIn, request)
        values, topics = wishes_of(given)
        try:
            change = households.set_wishes(
                membership=membership,
                values=values,
                topics=topics,
                kinds=kinds_of(given),
                now=clock.now(),
            )
        except households.WishError as error:
            raise unfit(error) from error
        return Response(show_reach(rows.get(pk=membership.pk)), headers=undoable(change))
