"""Passes for apps: make one, watch who reads it, end it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import Asset
from notifications import handing, pass_rules, passes
from notifications.api.shapes import Named
from notifications.choices import FactState, PassWay, PromiseState
from notifications.models import Journey, Pass, PassVisit
from owners import clock, households
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from owners.models import Household, Owner
from suppliers.models import Supplier

SCOPES = [(word, word) for word in pass_rules.SCOPES]


def my_journeys(owner: Owner) -> QuerySet[Journey]:
    """Return the matters a pass may be about."""
    mine = Journey.objects.for_owner(owner).filter(is_emptied=False)
    return mine.select_related("household", "asset")


def my_things(owner: Owner) -> QuerySet[Asset]:
    """Return the things a pass may be about."""
    return Asset.objects.for_owner(owner).select_related("household")


def my_suppliers(owner: Owner) -> QuerySet[Supplier]:
    """Return the suppliers a pass may be for."""
    return Supplier.objects.for_owner(owner)


class PassIn(serializers.Serializer[Any]):
    """What to hand out. A matter, a thing, or both; the least is the default."""

    journey = Known(my_journeys, allow_null=True, required=False)
    asset = Known(my_things, allow_null=True, required=False)
    scope = serializers.MultipleChoiceField(
        choices=SCOPES, required=False, help_text="Without it: facts, tried, references."
    )
    papers = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=handing.PAPERS_MOST,
        help_text="Photos and papers of the thing or the matter, each by itself.",
    )
    without = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=100,
        help_text="Names of facts that are left out.",
    )
    supplier = Known(my_suppliers, allow_null=True, required=False)
    hours = serializers.ChoiceField(
        choices=list(pass_rules.LENGTHS), default=pass_rules.USUAL_LENGTH
    )
    may_write = serializers.BooleanField(default=True)


class Letter(serializers.Serializer[Any]):
    """One letter of a code, and the word it is spelt by."""

    letter = serializers.CharField()
    word = serializers.CharField(allow_blank=True, help_text="Empty for a digit.")


class PassOut(serializers.Serializer[Any]):
    """A pass. Only who acts for the household is given what opens it."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    journey = serializers.UUIDField(allow_null=True)
    asset = serializers.UUIDField(allow_null=True)
    supplier = serializers.UUIDField(allow_null=True)
    scope = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    papers = serializers.ListField(child=serializers.UUIDField())
    without = serializers.ListField(child=serializers.CharField())
    may_write = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    code_until = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    is_live = serializers.BooleanField()
    opens = serializers.IntegerField()
    code = serializers.CharField(allow_blank=True, help_text="As it is read aloud: K7M-4QX.")
    spelt = Letter(many=True)
    url = serializers.CharField(allow_blank=True, help_text="Also what the QR code holds.")


class PassVisitOut(serializers.Serializer[Any]):
    """That somebody opened a pass; never more of whom than the kind of their browser."""

    id = serializers.UUIDField()
    way = serializers.ChoiceField(choices=PassWay.choices)
    browser = serializers.CharField(allow_blank=True)
    opened_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    writes = serializers.IntegerField()
    is_present = serializers.BooleanField(help_text="Reads it at this moment.")


class ShownMatter(serializers.Serializer[Any]):
    """What the pass is about."""

    title = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)


class ShownIdentifier(serializers.Serializer[Any]):
    """A number that names the thing."""

    scheme = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's word, not the base's
    value = serializers.CharField()


class ShownThing(serializers.Serializer[Any]):
    """The thing itself."""

    name = serializers.CharField()
    kind = serializers.CharField()
    maker = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    identifiers = ShownIdentifier(many=True)


class ShownSource(serializers.Serializer[Any]):
    """Who said something, how and when."""

    who = serializers.CharField(allow_blank=True)
    is_owner = serializers.BooleanField()
    medium = serializers.CharField(allow_blank=True, help_text="`pass`: by whoever holds one.")
    at = serializers.DateTimeField(allow_null=True)


class ShownFact(serializers.Serializer[Any]):
    """A named value."""

    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the contract's word, not the base's
    value = serializers.CharField()
    state = serializers.ChoiceField(choices=FactState.choices)
    said_at = serializers.DateTimeField(allow_null=True)
    sources = ShownSource(many=True)
    asked = serializers.IntegerField(help_text="How often somebody asked for it.")


class ShownStep(serializers.Serializer[Any]):
    """What was tried."""

    what = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    result = serializers.CharField(allow_blank=True)


class ShownReference(serializers.Serializer[Any]):
    """A supplier's number of the matter."""

    scheme = serializers.CharField()
    value = serializers.CharField()
    issuer = serializers.CharField(allow_blank=True)


class ShownVisit(serializers.Serializer[Any]):
    """A visit, delivery or call."""

    kind = serializers.CharField()
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    state = serializers.CharField()
    person = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)


class ShownPromise(serializers.Serializer[Any]):
    """A promise that is not kept yet."""

    what = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=PromiseState.choices)


class ShownPaper(Named):
    """A photo or paper that was ticked."""

    media_type = serializers.CharField()
    is_photo = serializers.BooleanField()


class ShownNote(serializers.Serializer[Any]):
    """What the owner wrote down."""

    at = serializers.DateTimeField()
    text = serializers.CharField()


class ShownAnswer(serializers.Serializer[Any]):
    """A question that need not be asked again."""

    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the contract's word, not the base's
    value = serializers.CharField()
    asked = serializers.IntegerField()


class PassShown(serializers.Serializer[Any]):
    """What whoever holds the pass sees; what the scope leaves out is empty."""

    matter = ShownMatter()
    thing = ShownThing(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    facts = ShownFact(many=True)
    tried = ShownStep(many=True)
    references = ShownReference(many=True)
    visits = ShownVisit(many=True)
    promises = ShownPromise(many=True)
    papers = ShownPaper(many=True)
    notes = ShownNote(many=True)
    do_not_ask = ShownAnswer(many=True)


READ = (
    *("household", "owner", "supplier", "asset__household"),
    *("journey__household", "journey__asset", "journey__card"),
)


def my_passes(owner: Owner) -> QuerySet[Pass]:
    """Return the passes of the owner's households with all that is read of one."""
    return Pass.objects.for_owner(owner).select_related(*READ)


def show_pass(held: Pass, *, owner: Owner) -> dict[str, Any]:
    """Return a pass as `owner` may see it: with what opens it, where they act for its home."""
    found = show_listed(held)
    mine = held.household.memberships.filter(owner=owner, rank__in=(Rank.MEMBER, Rank.ADMIN))
    code = passes.code_of(held) if found["is_live"] and mine.exists() else ""
    if not code:
        return found
    spelt = pass_rules.spell(code, language=owner.language)
    return found | {
        "code": pass_rules.spaced(code),
        "spelt": [{"letter": letter, "word": word} for letter, word in spelt],
        "url": passes.address_of(held),
    }


def show_listed(held: Pass) -> dict[str, Any]:
    """Return a pass without what opens it."""
    return {
        "id": str(held.uuid),
        "household": str(held.household.uuid),
        "journey": str(held.journey.uuid) if held.journey else None,
        "asset": str(held.asset.uuid) if held.asset else None,
        "supplier": str(held.supplier.uuid) if held.supplier else None,
        "scope": held.scope,
        "papers": [str(key) for key in held.papers],
        "without": held.without,
        "may_write": held.may_write,
        "created_at": held.created_at,
        "code_until": held.code_until,
        "expires_at": held.expires_at,
        "revoked_at": held.revoked_at,
        "is_live": held.revoked_at is None and clock.now() < held.expires_at,
        "opens": held.opens,
        "code": "",
        "spelt": [],
        "url": "",
    }


def show_visit(visit: PassVisit) -> dict[str, Any]:
    """Return one reading of a pass."""
    return {
        "id": str(visit.uuid),
        "way": visit.way,
        "browser": visit.browser,
        "opened_at": visit.opened_at,
        "seen_at": visit.seen_at,
        "writes": visit.writes,
        "is_present": passes.is_present(visit, now=clock.now()),
    }


class Passes(OwnerView):
    """The passes of the owner's households."""

    @listed("passes_list", pages=page_of(PassOut, "Pass"), show=show_listed, by="-created_at")
    def get(self, request: Request) -> QuerySet[Pass]:
        """List passes, the newest first, without what opens them."""
        return Pass.objects.for_owner(owner_of(request)).select_related(*READ)

    @extend_schema(operation_id="passes_make", request=PassIn, responses={201: PassOut})
    @once
    def post(self, request: Request) -> Response:
        """Make a pass; its code may be read aloud for a day at most."""
        owner, values = owner_of(request), checked(PassIn, request)
        journey, asset = values.get("journey"), values.get("asset")
        household = home_of(journey, asset)
        households.require(owner=owner, household_id=household.pk)
        asset = asset or (journey.asset if journey else None)
        wishes = passes.Wishes(
            scope=sorted(values.get("scope", pass_rules.USUAL)),
            papers=papers_in(values.get("papers", []), journey=journey, asset=asset),
            without=values.get("without", []),
            hours=values["hours"],
            may_write=values["may_write"],
            supplier=values.get("supplier"),
        )
        try:
            made = passes.make(
                owner=owner,
                household=household,
                journey=journey,
                asset=asset,
                wishes=wishes,
                now=clock.now(),
            )
        except passes.PassError as error:
            raise Problem(429, code=error.code, detail="End another pass first.") from error
        return Response(show_pass(my_passes(owner).get(pk=made.pk), owner=owner), status=201)


def home_of(journey: Journey | None, asset: Asset | None) -> Household:
    """Return the household of what a pass is about; both of it, where both are named."""
    home = journey.household if journey else asset.household if asset else None
    if home is None:
        raise serializers.ValidationError(
            {"journey": ["Name a matter or a thing."]}, code="required"
        )
    if asset is not None and asset.household_id != home.pk:
        fault = Known.default_error_messages["unknown"]
        raise serializers.ValidationError({"asset": [fault]}, code="unknown")
    return home


def papers_in(wanted: list[UUID], *, journey: Journey | None, asset: Asset | None) -> list[UUID]:
    """Return the papers a pass shows; one that is not of its matter or thing is unknown."""
    if not wanted:
        return []
    found = handing.choices(journey=journey, asset=asset, now=clock.now()).papers
    offered = {paper.uuid for paper in found}
    if not set(wanted) <= offered:
        fault = Known.default_error_messages["unknown"]
        raise serializers.ValidationError({"papers": [fault]}, code="unknown")
    return wanted


class OnePass(OwnerView):
    """One pass."""

    @extend_schema(operation_id="passes_get", responses=PassOut)
    def get(self, request: Request, held: UUID) -> Response:
        """Return one pass."""
        owner = owner_of(request)
        return Response(show_pass(my_passes(owner).get(uuid=held), owner=owner))

    @extend_schema(operation_id="passes_revoke", responses={204: None})
    @once
    def delete(self, request: Request, held: UUID) -> Response:
        """End it: whoever has it open sees nothing any more. Nothing undoes it."""
        owner = owner_of(request)
        found = my_passes(owner).get(uuid=held)
        households.require(owner=owner, household_id=found.household_id)
        passes.revoke(held=found, owner=owner, now=clock.now())
        return Response(status=204)


class PassCode(OwnerView):
    """A new code for a pass."""

    @extend_schema(operation_id="passes_renew_code", request=None, responses=PassOut)
    @once
    def post(self, request: Request, held: UUID) -> Response:
        """Give it a new code; the old one ends, the link goes on."""
        owner = owner_of(request)
        found = my_passes(owner).get(uuid=held)
        households.require(owner=owner, household_id=found.household_id)
        try:
            passes.renew_code(held=found, owner=owner, now=clock.now())
        except passes.PassError as error:
            raise Problem(409, code=error.code, detail="This pass has ended.") from error
        return Response(show_pass(my_passes(owner).get(uuid=held), owner=owner))


class PassVisits(OwnerView):
    """Who read a pass, and when."""

    @listed(
        "passes_visits",
        pages=page_of(PassVisitOut, "PassVisit"),
        show=show_visit,
        by="-opened_at",
    )
    def get(self, request: Request, held: UUID) -> QuerySet[PassVisit]:
        """List who opened it, the newest first."""
        return PassVisit.objects.filter(held=my_passes(owner_of(request)).get(uuid=held))


class PassPreview(OwnerView):
    """A pass as its holder sees it."""

    @extend_schema(operation_id="passes_shown", responses=PassShown)
    def get(self, request: Request, held: UUID) -> Response:
        """Return what whoever holds it sees now; this is no reading of it."""
        found = my_passes(owner_of(request)).get(uuid=held)
        return Response(handing.shown(found, now=clock.now()))
