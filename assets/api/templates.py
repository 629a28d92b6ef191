"""Templates through the API: ours and the household's own."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import starters, templating
from assets.choices import AssetKind, IdentifierScheme
from assets.models import Asset, Template
from assets.starters import Starter
from owners import clock, households
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.problems import Problem
from owners.models import Household, Owner

SHIPPED = list(starters.STARTERS)


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households a template may be of."""
    return Household.objects.for_owner(owner)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets that a template may be like."""
    return Asset.objects.for_owner(owner)


def my_templates(owner: Owner) -> QuerySet[Template]:
    """Return the owner's own templates."""
    return Template.objects.for_owner(owner).select_related("household")


class TemplateOut(serializers.Serializer[Any]):
    """What a thing usually is, to start from when one is added."""

    id = serializers.UUIDField(allow_null=True, help_text="Null: one of ours.")
    household = serializers.UUIDField(allow_null=True)
    template = serializers.CharField(help_text="What an asset names as its `template`.")
    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    kind = serializers.ChoiceField(choices=AssetKind.choices)
    scheme = serializers.ChoiceField(
        choices=IdentifierScheme.choices, help_text="What names such a thing."
    )
    words = serializers.ListField(child=serializers.CharField(), help_text="In a line, mean it.")
    maker = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    care = serializers.DictField(help_text="Its usual care: meters, and tasks to begin with.")


class TemplateChange(serializers.Serializer[Any]):
    """What a template of the household's own says."""

    label = serializers.CharField(max_length=60, required=False)  # type: ignore[assignment]  # as above
    kind = serializers.ChoiceField(choices=AssetKind.choices, required=False)
    scheme = serializers.ChoiceField(choices=IdentifierScheme.choices, required=False)
    words = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=templating.WORDS_MOST
    )
    maker = serializers.CharField(max_length=120, allow_blank=True, required=False)
    model = serializers.CharField(max_length=120, allow_blank=True, required=False)
    place = serializers.CharField(max_length=200, allow_blank=True, required=False)
    care = serializers.DictField(
        required=False, help_text="`meters` and `tasks`, each task as `care-tasks/` takes it."
    )


class TemplateIn(TemplateChange):
    """A new template; what is left out is as in `like` or `asset`."""

    household = Known(my_households)
    like = serializers.CharField(
        max_length=40, required=False, help_text="A template to begin from."
    )
    asset = Known(my_assets, required=False, help_text="An asset to begin from, with its care.")
    instead_of = serializers.ChoiceField(
        choices=SHIPPED, required=False, help_text="One of ours that it stands for."
    )


def show(starter: Starter, row: Template | None = None) -> dict[str, Any]:
    """Return a template as the API shows it."""
    return {
        "id": str(row.uuid) if row else None,
        "household": str(row.household.uuid) if row else None,
        "template": starter.slug,
        "label": str(starter.label),
        "kind": starter.kind,
        "scheme": starter.scheme,
        "words": list(starter.words),
        "maker": starter.maker,
        "model": starter.model,
        "place": starter.place,
        "care": starter.care,
    }


def shown(row: Template) -> dict[str, Any]:
    """Return one of the household's own."""
    return show(starters.read_template(row.body), row)


def refused(error: templating.TemplateError) -> Problem:
    """Return what a template cannot say as a fault of its field."""
    return Problem(400, code="invalid", detail=error.detail, pointer=f"/{error.field}")


class AssetTemplates(OwnerView):
    """What things usually are."""

    @extend_schema(operation_id="assets_templates", responses=TemplateOut(many=True))
    def get(self, request: Request) -> Response:
        """List what to start from: the households' own, then ours, in the owner's language."""
        rows = list(my_templates(owner_of(request)).order_by("pk"))
        return Response([*map(shown, rows), *map(show, starters.STARTERS.values())])

    @extend_schema(
        operation_id="assets_templates_add",
        request=TemplateIn,
        responses={201: TemplateOut},
        parameters=[UNDO],
    )
    @once
    def post(self, request: Request) -> Response:
        """Make a template, empty or like another one or like an asset."""
        owner, values = owner_of(request), dict(checked(TemplateIn, request))
        household = values.pop("household")
        households.require(owner=owner, household_id=household.pk)
        instead, asset = values.pop("instead_of", ""), values.pop("asset", None)
        like = values.pop("like", "")
        begins: dict[str, Any] = {}
        if like:
            known = templating.known_to([household])
            if like not in known:
                text = Known.default_error_messages["unknown"]
                raise serializers.ValidationError({"like": [text]}, code="unknown")
            begins = templating.copied(known[like])
        if asset is not None:
            begins = templating.of_asset(asset)
        try:
            row, change = templating.add(
                household=household,
                values=begins | values,
                owner=owner,
                now=clock.now(),
                instead_of=instead,
            )
        except templating.TemplateError as error:
            raise refused(error) from error
        return Response(shown(row), status=201, headers=undoable(change))


class OneTemplate(OwnerView):
    """A template of the household's own."""

    @extend_schema(operation_id="assets_templates_get", responses=TemplateOut)
    def get(self, request: Request, template: UUID) -> Response:
        """Return what it says."""
        return Response(shown(my_templates(owner_of(request)).get(uuid=template)))

    @extend_schema(
        operation_id="assets_templates_change",
        request=TemplateChange,
        responses=TemplateOut,
        parameters=[UNDO],
    )
    @once
    def patch(self, request: Request, template: UUID) -> Response:
        """Change it; what was added from it stays as it is."""
        owner = owner_of(request)
        row = my_templates(owner).get(uuid=template)
        households.require(owner=owner, household_id=row.household_id)
        values = checked(TemplateChange, request, partial=True)
        try:
            change = templating.change(row=row, values=values, owner=owner, now=clock.now())
        except templating.TemplateError as error:
            raise refused(error) from error
        return Response(shown(row), headers=undoable(change))

    @extend_schema(operation_id="assets_templates_remove", responses={204: None}, parameters=[UNDO])
    @once
    def delete(self, request: Request, template: UUID) -> Response:
        """Take it away; ours, where it stood for one, is back."""
        owner = owner_of(request)
        row = my_templates(owner).get(uuid=template)
        households.require(owner=owner, household_id=row.household_id)
        change = templating.remove(row=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


urlpatterns = [
    path("assets/templates/", AssetTemplates.as_view(), name="asset-templates"),
    path("assets/templates/<uuid:template>/", OneTemplate.as_view(), name="asset-template"),
]
