"""What an owner may send with an action: one form for each, by the action's name."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import APIException

from assets.models import Asset
from notifications import feed
from notifications.merging import SNOOZE_EVENTS
from notifications.models import Decision, Fact, Journey
from owners import doorbell
from owners.api.edge import Known
from owners.api.problems import Problem
from owners.models import Owner


def my_journeys(owner: Owner) -> QuerySet[Journey]:
    """Return the journeys another one may be merged with."""
    return Journey.objects.for_owner(owner).filter(is_emptied=False)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets a journey may be about."""
    return Asset.objects.for_owner(owner)


def my_facts(owner: Owner) -> QuerySet[Fact]:
    """Return the facts that may be corrected."""
    return Fact.objects.for_owner(owner)


def my_decisions(owner: Owner) -> QuerySet[Decision]:
    """Return the decisions that may be undone."""
    return Decision.objects.for_owner(owner)


class WindowIn(serializers.Serializer[Any]):
    """A span of time; the end is exclusive."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a window that ends before it starts."""
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": ["The end comes after the start."]})
        return attrs


class NothingIn(serializers.Serializer[Any]):
    """An action without anything to fill in."""


class AnswerIn(serializers.Serializer[Any]):
    """The answer to the card's question."""

    answer = serializers.ChoiceField(choices=feed.ANSWERS)


class WorkedIn(serializers.Serializer[Any]):
    """It works. Where that completes a task of care: what there is to say of the work."""

    reading = serializers.DecimalField(
        max_digits=15, decimal_places=3, min_value=0, required=False, help_text="Of its meter."
    )
    amount = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, required=False, help_text="What it cost."
    )


class DoneIn(WorkedIn):
    """What a thing asked for is done; of stock, how much there is now."""

    quantity = serializers.DecimalField(
        max_digits=14, decimal_places=3, min_value=0, required=False
    )


class VisitIn(serializers.Serializer[Any]):
    """The visit that is booked, or another time that its supplier asks for (`start/end`)."""

    proposal = serializers.CharField(max_length=120, required=False)


class CounterIn(serializers.Serializer[Any]):
    """Other times that suit."""

    windows = serializers.ListField(child=WindowIn(), min_length=1, max_length=3)


class BookIn(CounterIn):
    """When somebody is to come and do it; whom the plan names, unless a supplier is given."""

    supplier = serializers.UUIDField(required=False)


class PickIn(serializers.Serializer[Any]):
    """One of the times that were offered, by its supplier's name of it."""

    slot = serializers.CharField(max_length=200)


class ReplyIn(serializers.Serializer[Any]):
    """Words for the supplier."""

    text = serializers.CharField(max_length=4000)


class SnoozeIn(serializers.Serializer[Any]):
    """When the card comes back: at a time, or the day before the visit, or with an answer."""

    until = serializers.DateTimeField(required=False)
    event = serializers.ChoiceField(choices=SNOOZE_EVENTS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want one of both."""
        if ("until" in attrs) == ("event" in attrs):
            raise serializers.ValidationError({"until": ["Give a time, or an event."]})
        return attrs


class RateIn(serializers.Serializer[Any]):
    """A score from 1 to 5."""

    score = serializers.IntegerField(min_value=1, max_value=5)
    text = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class MergeIn(serializers.Serializer[Any]):
    """The other journey."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the one field, whose name Python keeps for itself."""
        return {"with": Known(my_journeys)}


class ChooseAssetIn(serializers.Serializer[Any]):
    """The asset that this is about."""

    asset = Known(my_assets)


class CorrectIn(serializers.Serializer[Any]):
    """A fact, by its name or id, and what is right."""

    fact = serializers.CharField(max_length=60)
    value = serializers.CharField(max_length=1000)

    def validate_fact(self, value: str) -> str:
        """Return the name of the fact."""
        try:
            wanted = UUID(value)
        except ValueError:
            return value
        fact = my_facts(self.context["owner"]).filter(uuid=wanted).first()
        if fact is None:
            raise serializers.ValidationError(Known.default_error_messages["unknown"], "unknown")
        return fact.name


class UndoIn(serializers.Serializer[Any]):
    """The decision to take back; the last one on the journey unless given."""

    decision = Known(my_decisions, required=False)


JOURNEY_ACTIONS: dict[str, type[serializers.Serializer[Any]]] = {
    **dict.fromkeys(feed.ANSWERS, NothingIn),
    "works": WorkedIn,
    "answer": AnswerIn,
    "done": DoneIn,
    "skip": NothingIn,
    "book": BookIn,
    "accept": VisitIn,
    "decline": VisitIn,
    "tentative": NothingIn,
    "counter": CounterIn,
    "pick": PickIn,
    "request": CounterIn,
    "cancel": NothingIn,
    "dispute": ReplyIn,
    "acknowledge": NothingIn,
    "choose_remedy": ReplyIn,
    "not_mine": NothingIn,
    "reply": ReplyIn,
    "snooze": SnoozeIn,
    "rate": RateIn,
    "merge": MergeIn,
    "choose_asset": ChooseAssetIn,
    "correct": CorrectIn,
    "undo": UndoIn,
    "mute": NothingIn,
}
DOOR_ACTIONS = ("let_in", "not_now")


def plain(value: Any) -> Any:
    """Return valid values as JSON has them: objects by id, instants in RFC 3339."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, Model):
        return str(value.uuid)  # type: ignore[attr-defined]  # every model of ours has one
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value


def refused(error: feed.ActionError) -> APIException:
    """Return an action that is not possible as an answer."""
    if error.field:
        return serializers.ValidationError({error.field: [error.detail]}, code=error.code)
    return Problem(409, code=error.code, detail=error.detail)


def ring_after_commit() -> None:
    """Wake whoever tells members and suppliers what the owner did."""
    for bell in ("feed", "outbox"):
        transaction.on_commit(partial(doorbell.ring, bell))
