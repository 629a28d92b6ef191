"""The owners' API of what a change of a mandate would do, before it is made."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import partings
from owners import clock
from owners.api.edge import OwnerView, checked, once, owner_of
from suppliers.api_v1 import MandateChange, RoleOut, my_mandates, wanted
from suppliers.choices import MandateState


class PreviewIn(MandateChange):
    """A change that is only thought of; `ended` is ending it."""

    state = serializers.ChoiceField(choices=MandateState.choices, required=False)


class MatterIn(serializers.Serializer[Any]):
    """A matter in short."""

    id = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)


class VisitAffected(serializers.Serializer[Any]):
    """A visit that is still to come."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    start = serializers.DateTimeField(allow_null=True)


class PromiseAffected(serializers.Serializer[Any]):
    """A promise that is still open."""

    id = serializers.UUIDField()
    journey = serializers.UUIDField()
    what = serializers.CharField()


class LetterOut(serializers.Serializer[Any]):
    """The letter that would go out."""

    to = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()


class EffectsOut(serializers.Serializer[Any]):
    """What would stop, what would stay, and what the supplier would be told."""

    matters = MatterIn(many=True)
    appointments = VisitAffected(many=True)
    promises = PromiseAffected(many=True)
    roles = RoleOut(many=True)
    lost_purposes = serializers.ListField(child=serializers.CharField())
    lost_assets = serializers.ListField(child=serializers.UUIDField())
    lost_facts = serializers.ListField(child=serializers.CharField())
    closed = serializers.ListField(child=serializers.CharField(), help_text="Ways in that close.")
    waiting = serializers.IntegerField(help_text="Answers still on their way.")
    via = serializers.CharField()
    type = serializers.CharField()
    told = serializers.DictField()
    letter = LetterOut(allow_null=True)


class MandatePreview(OwnerView):
    """What a change would do."""

    @extend_schema(operation_id="mandates_preview", request=PreviewIn, responses=EffectsOut)
    @once
    def post(self, request: Request, mandate: UUID) -> Response:
        """Return what a change would do; nothing is stored and nobody is told."""
        found = my_mandates(owner_of(request)).live().get(uuid=mandate)  # type: ignore[attr-defined]  # of its query set
        values = wanted(checked(PreviewIn, request))
        effects = partings.foresee(mandate=found, now=clock.now(), **values)
        return Response(partings.shown(effects))
