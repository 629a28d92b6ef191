"""How journeys, contacts and cards look in the schema; the words are the story report's."""

from typing import Any

from rest_framework import serializers

from notifications.choices import (
    AppointmentState,
    DeliveryPurpose,
    DeliveryState,
    FactState,
    JourneyState,
    PromiseState,
    Section,
    SurveyState,
    Turn,
)
from owners.choices import ChannelKind, Level, Topic
from suppliers.choices import Authentication, ContactKind, Direction, Medium, Outcome
from suppliers.models import OutboundState


class Counted(serializers.Serializer[Any]):
    """The two numbers of the feed."""

    needs_you = serializers.IntegerField(help_text="Cards that wait for an owner.")
    new = serializers.IntegerField(help_text="Cards changed since the last look; at most 1,000.")


class SourcesField(serializers.DictField):
    """For each field, the contacts it comes from."""

    child = serializers.ListField(child=serializers.UUIDField())


FIELD_TYPES = ["hidden", "text", "asset", "integer", "datetime", "window", "windows"]


class FieldSpec(serializers.Serializer[Any]):
    """One thing to fill in before an action; `hidden`: send `value` back as it is."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's word, not the base's
    type = serializers.ChoiceField(choices=FIELD_TYPES)
    value = serializers.CharField(required=False, help_text="What to offer.")
    required = serializers.BooleanField(required=False, help_text="True where it is not said.")  # type: ignore[assignment]  # the contract's word, not the base's
    minimum = serializers.IntegerField(required=False)
    maximum = serializers.IntegerField(required=False)


class FieldOut(serializers.Serializer[Any]):
    """One thing the owner may do, with what it needs."""

    name = serializers.CharField(help_text="Of the address: `feed/{card}/actions/{name}/`.")
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's word, not the base's
    fields = FieldSpec(many=True)  # type: ignore[assignment]  # the contract's word, not the base's
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


class ConflictValue(serializers.Serializer[Any]):
    """One of the values that contradict each other, with who said it."""

    value = serializers.CharField()
    contact = serializers.UUIDField()


class Conflict(serializers.Serializer[Any]):
    """A fact between whose values nobody has decided."""

    fact = serializers.CharField()
    values = ConflictValue(many=True)


class PromiseBar(serializers.Serializer[Any]):
    """The next visit of a card; the end is exclusive."""

    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=AppointmentState.choices)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    zone = serializers.CharField(allow_blank=True)


class CardSurvey(serializers.Serializer[Any]):
    """A request for feedback that the card offers."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=SurveyState.choices)


BADGE_LEVELS = ["proved", "likely", "unproved", "warning", "own"]


class BadgeOut(serializers.Serializer[Any]):
    """How far a sender is who it says, and why."""

    level = serializers.ChoiceField(choices=BADGE_LEVELS)
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's word, not the base's
    reasons = serializers.ListField(child=serializers.CharField())


class CardBadge(BadgeOut):
    """The badge of the contact of which it matters most who sent it."""

    contact = serializers.UUIDField()


class CardLink(serializers.Serializer[Any]):
    """A page on which there is more to say."""

    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    href = serializers.CharField(help_text="On this host.")


class CardOut(serializers.Serializer[Any]):
    """What the owner sees of a journey: one journey, one card."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    section = serializers.ChoiceField(choices=Section.choices)
    language = serializers.CharField(help_text="Of the words: the reader's, where it is spoken.")
    title = serializers.CharField()
    meta = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    asset = NamedAsset(allow_null=True)
    suppliers = Named(many=True)
    thread = Knot(many=True)
    promise = PromiseBar(allow_null=True)
    badge = CardBadge(allow_null=True, help_text="Is it really them? Only where it matters.")
    question = serializers.CharField(allow_null=True)
    actions = FieldOut(many=True)
    links = CardLink(many=True, default=list)
    conflicts = Conflict(many=True)
    survey = CardSurvey(allow_null=True)


class FeedOut(Counted):
    """A page of the feed."""

    next = serializers.URLField(allow_null=True)
    results = CardOut(many=True)


class LinkOut(serializers.Serializer[Any]):
    """Why a contact is on its journey."""

    rule = serializers.CharField()
    evidence = serializers.DictField()
    why = serializers.CharField(help_text="The same in plain sentences.")
    is_likely = serializers.BooleanField()


class AskedToSendOn(serializers.Serializer[Any]):
    """A mail provider asks whether mail may be sent on to here; its link is its own."""

    who = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True)


class CallerOut(serializers.Serializer[Any]):
    """What the telephone network says of a number (STIR/SHAKEN)."""

    verdict = serializers.ChoiceField(choices=Authentication.choices)
    level = serializers.ChoiceField(choices=[(level, level) for level in ("A", "B", "C", "none")])
    is_recognised = serializers.BooleanField(
        help_text="It vouches in full for a number that is registered to the supplier."
    )
    is_name = serializers.BooleanField(
        help_text="A name that anybody can choose: no proof, and nothing can be sent to it."
    )


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
    who = serializers.CharField(
        allow_blank=True, help_text="The name that a pass's holder gave; nothing proves it."
    )
    title = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    documents = serializers.ListField(
        child=serializers.UUIDField(), help_text="Papers that came with it."
    )
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    rule = serializers.CharField(allow_blank=True)
    evidence = serializers.DictField()
    why = serializers.CharField(help_text="The same in plain sentences.")
    badge = BadgeOut(help_text="Is it really them?")
    sender_check = serializers.CharField(
        allow_blank=True, help_text="How its sender was checked, in plain sentences."
    )
    confirmation = AskedToSendOn(allow_null=True)
    caller = CallerOut(allow_null=True, help_text="Of a call or text whose number says something.")
    has_original = serializers.BooleanField(help_text="Came as a mail; see its `original/`.")
    suspicion = serializers.CharField(allow_blank=True)
    link = LinkOut(allow_null=True)


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
    sources = SourcesField()


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


class StatedFact(serializers.Serializer[Any]):
    """One value as a contact states it."""

    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the contract's word, not the base's
    value = serializers.CharField()


class JourneyContact(serializers.Serializer[Any]):
    """One thing said on a journey, and what became of it."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField(help_text="By its sender's own time.")
    received_at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=ContactKind.choices)
    medium = serializers.ChoiceField(choices=Medium.choices)
    direction = serializers.ChoiceField(choices=Direction.choices)
    type = serializers.CharField(allow_blank=True)
    sender = serializers.CharField(allow_blank=True)
    who = serializers.CharField(
        allow_blank=True, help_text="The name that a pass's holder gave; nothing proves it."
    )
    supplier = Named(allow_null=True)
    authentication = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    facts = StatedFact(many=True, help_text="What it states, where no words of its own say it.")
    documents = serializers.ListField(
        child=serializers.UUIDField(), help_text="Papers that came with it."
    )
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    rule = serializers.CharField(allow_blank=True)
    evidence = serializers.DictField()
    why = serializers.CharField(help_text="The same in plain sentences.")
    badge = BadgeOut(help_text="Is it really them?")
    sender_check = serializers.CharField(
        allow_blank=True, help_text="How its sender was checked, in plain sentences."
    )
    caller = CallerOut(allow_null=True, help_text="Of a call or text whose number says something.")
    has_original = serializers.BooleanField(help_text="Came as a mail; see its `original/`.")
    link = LinkOut(allow_null=True)


class FactOut(serializers.Serializer[Any]):
    """A named value with the contacts that it came from."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the contract's word, not the base's
    value = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=FactState.choices)
    sources = serializers.ListField(child=serializers.UUIDField())
    is_from_text = serializers.BooleanField(help_text="Read from words, not said as a field.")


class VisitOut(serializers.Serializer[Any]):
    """An appointment on its journey; the end is exclusive."""

    id = serializers.UUIDField(allow_null=True)
    uid = serializers.CharField(allow_blank=True)
    kind = serializers.CharField()
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    zone = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    person = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=AppointmentState.choices)
    sequence = serializers.IntegerField()
    was_on_time = serializers.BooleanField(allow_null=True)
    is_agreed = serializers.BooleanField(
        help_text="The owner said yes to the time that holds now; a yes to another is void."
    )
    replaced = serializers.ListField(
        child=serializers.CharField(), help_text="Windows that no longer hold."
    )
    sources = SourcesField()


class JourneySurvey(serializers.Serializer[Any]):
    """A request for feedback on its journey."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=SurveyState.choices)
    reason = serializers.CharField(allow_blank=True)
    survey_id = serializers.CharField(allow_blank=True)


class PromiseOut(serializers.Serializer[Any]):
    """What a supplier said it would do by when."""

    id = serializers.CharField()
    what = serializers.CharField(allow_blank=True)
    due_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=PromiseState.choices)


class AskOut(serializers.Serializer[Any]):
    """A question to the owner inside a contact."""

    fact = serializers.CharField()
    prompt = serializers.CharField(allow_blank=True)
    contact = serializers.UUIDField()


class OtherWay(serializers.Serializer[Any]):
    """A way by which it could go out as well."""

    via = serializers.ChoiceField(choices=("webhook", "mail", "sms"))
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name


class AnswerOut(serializers.Serializer[Any]):
    """One answer, how and when it arrived, or why it did not."""

    id = serializers.UUIDField()
    supplier = Named()
    journey = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField()
    type = serializers.CharField()
    text = serializers.CharField()
    words = serializers.CharField(allow_blank=True, help_text="The owner's own.")
    via = serializers.CharField(help_text="webhook, mail, sms, oneclick or none.")
    via_label = serializers.CharField()
    state = serializers.ChoiceField(choices=OutboundState.CHOICES)
    sent_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried next.")
    tried = serializers.IntegerField()
    why = serializers.CharField(help_text="How it arrived, or why it did not, in plain words.")
    can_send_again = serializers.BooleanField()
    other_ways = OtherWay(many=True, help_text="Named on its journey; empty in the list.")


class Undelivered(serializers.Serializer[Any]):
    """An answer of the owner's that has not reached its supplier, to be sent by hand."""

    id = serializers.UUIDField()
    supplier = Named()
    at = serializers.DateTimeField()
    type = serializers.CharField()
    text = serializers.CharField()
    why = serializers.CharField()


class TriedOut(serializers.Serializer[Any]):
    """What was done and did not solve it."""

    what = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    result = serializers.CharField()


class DecisionOut(serializers.Serializer[Any]):
    """Something a member did; the action `undo` takes it back."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    by = serializers.UUIDField(allow_null=True)
    contact = serializers.UUIDField(allow_null=True)
    data = serializers.DictField(help_text="What was sent with it.")  # type: ignore[assignment]  # the word of the actions, not the base's
    at = serializers.DateTimeField()


class CallOut(serializers.Serializer[Any]):
    """Whom to call, and the reference they will ask for."""

    who = serializers.CharField()
    number = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)


class UntoldOut(serializers.Serializer[Any]):
    """A change that the owner was not told of, and why."""

    topic = serializers.ChoiceField(choices=Topic.choices)
    because = serializers.CharField(help_text="The contact it came from; empty: from none.")
    why = serializers.CharField()


class JourneyOut(serializers.Serializer[Any]):
    """A journey with all that is on it."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    card = serializers.UUIDField(allow_null=True, help_text="Where its actions are sent to.")
    asset = NamedAsset(allow_null=True)
    suppliers = Named(many=True)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=JourneyState.choices)
    turn = serializers.ChoiceField(choices=Turn.choices)
    stage = serializers.CharField()
    opened_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    contacts = JourneyContact(many=True)
    facts = FactOut(many=True)
    appointments = VisitOut(many=True)
    surveys = JourneySurvey(many=True)
    promises = PromiseOut(many=True)
    conflicts = Conflict(many=True)
    asks = AskOut(many=True)
    tried = TriedOut(many=True)
    answers = AnswerOut(many=True)
    undelivered = Undelivered(many=True)
    possibly_related = serializers.ListField(child=serializers.UUIDField())
    call = CallOut(allow_null=True)
    decisions = DecisionOut(many=True)
    untold = UntoldOut(many=True)
    actions = FieldOut(many=True)
    links = CardLink(many=True, default=list)


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
    why = serializers.CharField(help_text="The wish that decided, in words; empty: not kept.")
    deliveries = DeliveryOut(many=True)


class MessageOut(serializers.Serializer[Any]):
    """One message that went out, word for word."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    channel = serializers.ChoiceField(choices=ChannelKind.choices)
    to = serializers.CharField(allow_blank=True, help_text="The end of the address.")
    purpose = serializers.ChoiceField(choices=DeliveryPurpose.choices)
    subject = serializers.CharField(allow_blank=True)
    text = serializers.CharField()
    outcome = serializers.ChoiceField(choices=DeliveryState.choices)
    notification = serializers.UUIDField(allow_null=True)
