"""How journeys, contacts and cards look in the schema; the words are the story report's."""

from typing import Any

from rest_framework import serializers

from notifications.choices import (
    AppointmentState,
    DeliveryState,
    JourneyState,
    Section,
    SurveyState,
    Turn,
)
from owners.choices import ChannelKind, Level, Topic
from suppliers.choices import ContactKind, Direction, Medium, Outcome

Rows = serializers.ListField(child=serializers.DictField())


class Counted(serializers.Serializer[Any]):
    """The two numbers of the feed."""

    needs_you = serializers.IntegerField(help_text="Cards that wait for an owner.")
    new = serializers.IntegerField(help_text="Cards changed since the last look; at most 1,000.")


class FieldOut(serializers.Serializer[Any]):
    """One thing an action may do, with what it needs."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's word, not the base's
    fields = serializers.ListField(child=serializers.JSONField())  # type: ignore[assignment]  # the contract's word, not the base's
    is_primary = serializers.BooleanField(required=False)


class Knot(serializers.Serializer[Any]):
    """One contact on the thread of a card."""

    contact = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    kind = serializers.ChoiceField(choices=ContactKind.choices)
    at = serializers.DateTimeField()


class Named(serializers.Serializer[Any]):
    """A thing and what it is called."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class NamedAsset(Named):
    """An asset and what it is called."""

    kind = serializers.CharField()


class CardOut(serializers.Serializer[Any]):
    """What the owner sees of a journey: one journey, one card."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    section = serializers.ChoiceField(choices=Section.choices)
    title = serializers.CharField()
    meta = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    asset = NamedAsset(allow_null=True)
    suppliers = Named(many=True)
    thread = Knot(many=True)
    promise = serializers.DictField(allow_null=True)
    question = serializers.JSONField(allow_null=True)
    actions = FieldOut(many=True)
    conflicts = Rows
    survey = serializers.DictField(allow_null=True)


class FeedOut(Counted):
    """A page of the feed."""

    next = serializers.URLField(allow_null=True)
    results = CardOut(many=True)


class ContactOut(serializers.Serializer[Any]):
    """One thing said or reported, and what became of it."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    journey = serializers.UUIDField(allow_null=True)
    supplier = serializers.UUIDField(allow_null=True)
    asset = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=ContactKind.choices)
    medium = serializers.ChoiceField(choices=Medium.choices)
    direction = serializers.ChoiceField(choices=Direction.choices)
    sender = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    rule = serializers.CharField(allow_blank=True)
    evidence = serializers.DictField()
    suspicion = serializers.CharField(allow_blank=True)
    link = serializers.DictField(allow_null=True)


class Recorded(serializers.Serializer[Any]):
    """What was kept of a logged contact; it joins its journey a moment later."""

    id = serializers.UUIDField(help_text="The contact.")
    status = serializers.CharField()


class AppointmentOut(serializers.Serializer[Any]):
    """A visit, delivery or call with a window; the end is exclusive."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    supplier = serializers.UUIDField(allow_null=True)
    uid = serializers.CharField(allow_blank=True)
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=AppointmentState.choices)
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    eta_start = serializers.DateTimeField(allow_null=True)
    eta_end = serializers.DateTimeField(allow_null=True)
    zone = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    person = serializers.CharField(allow_blank=True)
    sequence = serializers.IntegerField()
    sources = serializers.DictField()


class SurveyOut(serializers.Serializer[Any]):
    """A request for feedback about one experience."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField(allow_null=True)
    supplier = serializers.UUIDField(allow_null=True)
    contact = serializers.UUIDField()
    state = serializers.ChoiceField(choices=SurveyState.choices)
    held_reason = serializers.CharField(allow_blank=True)
    score = serializers.IntegerField(allow_null=True)
    requested_at = serializers.DateTimeField()
    offered_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)


class JourneyRow(serializers.Serializer[Any]):
    """A journey in a list."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    asset = serializers.UUIDField(allow_null=True)
    suppliers = serializers.ListField(child=serializers.UUIDField())
    title = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=JourneyState.choices)
    turn = serializers.ChoiceField(choices=Turn.choices)
    opened_at = serializers.DateTimeField()
    last_said_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class JourneyOut(serializers.Serializer[Any]):
    """A journey with all that is on it."""

    id = serializers.UUIDField()
    asset = serializers.JSONField(allow_null=True)
    suppliers = serializers.ListField(child=serializers.JSONField())
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=JourneyState.choices)
    turn = serializers.ChoiceField(choices=Turn.choices)
    stage = serializers.JSONField()
    contacts = Rows
    appointments = Rows
    surveys = Rows
    promises = Rows
    conflicts = Rows
    facts = Rows
    tried = serializers.ListField(child=serializers.JSONField())
    actions = FieldOut(many=True)
    possibly_related = serializers.ListField(child=serializers.JSONField())


class DeliveryOut(serializers.Serializer[Any]):
    """One message of a notification on one channel."""

    at = serializers.DateTimeField(allow_null=True)
    channel = serializers.ChoiceField(choices=ChannelKind.choices)
    outcome = serializers.ChoiceField(choices=DeliveryState.choices)


class NotificationOut(serializers.Serializer[Any]):
    """One decision to speak to the owner."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=Level.choices)
    topic = serializers.ChoiceField(choices=Topic.choices)
    reason = serializers.CharField()
    text = serializers.CharField()
    because = serializers.ListField(child=serializers.UUIDField())
    seen_at = serializers.DateTimeField(allow_null=True)
    deliveries = DeliveryOut(many=True)
