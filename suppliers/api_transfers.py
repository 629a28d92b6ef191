"""Passing an asset to its next owner in the API: the seller's side, the buyer's, and packages."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from assets import duedates, metering, packages, packing, transfers, unpacking
from assets.choices import EndReason
from assets.models import Asset, Meter, PackageFile, Received, Transfer
from assets.packages import PackageError
from assets.packing import Wishes
from assets.passing_words import CheckPoint, TakenTo, TransferState
from assets.transfer_rules import OFFER_DAYS, Act, Side, TransferError
from assets.transfers import Handing
from owners import clock
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.api.signing_in import must_be_recent
from owners.models import Household, Owner
from suppliers import issuers, passing_on, transfer_words
from suppliers.models import Mandate, Supplier
from suppliers.transfer_forms import homes_of
from suppliers.transfer_views import FILES, address_of, as_file

T = TypeVar("T")
NOT_THERE = frozenset({"gone", "over"})


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets that may be passed on."""
    return Asset.objects.for_owner(owner).select_related("household")


def my_transfers(owner: Owner) -> QuerySet[Transfer]:
    """Return the transfers of the owner's things, with all that `show` reads."""
    mine = Transfer.objects.for_owner(owner).filter(asset__removed_at=None)
    return mine.select_related(*transfers.WITH)


def my_meters(owner: Owner) -> QuerySet[Meter]:
    """Return the meters that are read at a hand-over."""
    return Meter.objects.for_owner(owner)


def my_mandates(owner: Owner) -> QuerySet[Mandate]:
    """Return the mandates that may be kept."""
    return Mandate.objects.for_owner(owner)


def my_homes(owner: Owner) -> QuerySet[Household]:
    """Return the households into which things may be taken."""
    found: QuerySet[Household] = homes_of(owner)
    return found


def tried(write: Callable[[], T]) -> T:
    """Return what a step returns; what it refuses is an answer."""
    try:
        return write()
    except TransferError as error:
        pointer = f"/{error.field}" if error.field else ""
        status = 400 if error.field else 410 if error.code in NOT_THERE else 409
        detail = str(transfer_words.why(error.code))
        raise Problem(status, code=error.code, detail=detail, pointer=pointer) from error
    except metering.MeterError as error:
        raise Problem(400, code="invalid", detail=error.detail, pointer="/readings") from error
    except PackageError as error:
        detail = str(transfer_words.unreadable(error.code))
        raise Problem(422, code=error.code, detail=detail, more={"at": error.pointer}) from error


class WishesField(serializers.Serializer[Any]):
    """What passes of what is asked: ids of papers, covers, spare parts and own fields."""

    papers = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)
    covers = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)
    parts = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=200)
    own_fields = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=200
    )
    has_history = serializers.BooleanField(default=True)
    has_costs = serializers.BooleanField(default=False)
    has_how_to = serializers.BooleanField(default=False)


def wishes_in(values: dict[str, Any]) -> Wishes:
    """Return the wishes that a body names."""
    return Wishes(
        papers=frozenset(map(str, values.get("papers", ()))),
        covers=frozenset(map(str, values.get("covers", ()))),
        parts=frozenset(map(str, values.get("parts", ()))),
        fields=frozenset(map(str, values.get("own_fields", ()))),
        has_history=values["has_history"],
        has_costs=values["has_costs"],
        has_how_to=values["has_how_to"],
    )


def wishes_out(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the wishes that a row keeps, as the API shows them."""
    found = packing.wishes_of(kept).as_json()
    return {**{k: v for k, v in found.items() if k != "fields"}, "own_fields": found["fields"]}


class TransferIn(serializers.Serializer[Any]):
    """An asset that is to be passed on."""

    asset = Known(my_assets)
    reason = serializers.ChoiceField(choices=transfers.REASON_CHOICES, default=EndReason.SOLD)


class TransferChange(serializers.Serializer[Any]):
    """What may change: all of it while it is prepared, the last two until it is handed over."""

    reason = serializers.ChoiceField(choices=transfers.REASON_CHOICES, required=False)
    wishes = WishesField(required=False)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    days = serializers.ChoiceField(choices=OFFER_DAYS, required=False)
    is_paper = serializers.BooleanField(required=False)
    keeps = serializers.ListField(child=Known(my_mandates), required=False, max_length=200)
    checked = serializers.ListField(
        child=serializers.ChoiceField(choices=CheckPoint.choices), required=False, max_length=50
    )


class TransferOut(serializers.Serializer[Any]):
    """A transfer as the seller sees it; `package` is what passes."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    state = serializers.ChoiceField(choices=TransferState.choices)
    reason = serializers.ChoiceField(choices=transfers.REASON_CHOICES)
    is_paper = serializers.BooleanField()
    to = serializers.CharField(allow_blank=True, help_text="A hint of the address.")
    days = serializers.IntegerField()
    link = serializers.URLField(allow_null=True, help_text="Where the link is handed over.")
    wishes = WishesField()
    keeps = serializers.ListField(child=serializers.UUIDField())
    checked = serializers.ListField(child=serializers.CharField())
    taken_to = serializers.ChoiceField(choices=TakenTo.choices, allow_blank=True)
    asked_back = serializers.ListField(child=serializers.CharField())
    actions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    offered_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


def show(row: Transfer) -> dict[str, Any]:
    """Return a transfer as the API shows it to the seller."""
    acts = transfers.open_acts(row, by=Side.SELLER, now=clock.now())
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "state": row.state,
        "reason": row.reason,
        "is_paper": row.is_paper,
        "to": row.hint,
        "days": row.days,
        "link": address_of(row) or None,
        "wishes": wishes_out(row.wishes),
        "keeps": [str(one) for one in row.keeps],
        "checked": row.checked,
        "taken_to": row.taken_to,
        "asked_back": row.asked_back,
        "actions": [act.value for act in acts],
        "created_at": row.created_at,
        "offered_at": row.offered_at,
        "expires_at": row.expires_at,
        "completed_at": row.completed_at,
    }


class Transfers(OwnerView):
    """What the owner passes on."""

    @listed(
        "transfers_list",
        pages=page_of(TransferOut, "Transfer"),
        show=show,
        by="-created_at",
        filters=[about("asset"), filter_of("state", TransferState)],
    )
    def get(self, request: Request) -> QuerySet[Transfer]:
        """List the transfers of the owner's things, the newest first."""
        rows = of(my_transfers(owner_of(request)), request, asset="asset__uuid")
        return narrowed(rows, request, "state", TransferState)

    @extend_schema(operation_id="transfers_make", request=TransferIn, responses={201: TransferOut})
    @once
    def post(self, request: Request) -> Response:
        """Begin to pass an asset on; for admins. One that is under way is returned."""
        values = checked(TransferIn, request)
        row = tried(
            lambda: transfers.draft(
                asset=values["asset"],
                reason=EndReason(values["reason"]),
                owner=owner_of(request),
                now=clock.now(),
            )
        )
        return Response(show(row), status=201)


class TransferDetail(OwnerView):
    """One transfer."""

    @extend_schema(operation_id="transfers_get", responses=TransferOut)
    def get(self, request: Request, transfer: UUID) -> Response:
        """Return one transfer."""
        return Response(show(my_transfers(owner_of(request)).get(uuid=transfer)))

    @extend_schema(operation_id="transfers_change", request=TransferChange, responses=TransferOut)
    @once
    def patch(self, request: Request, transfer: UUID) -> Response:
        """Say what passes, why, to whom and for how long; for admins."""
        owner = owner_of(request)
        row = my_transfers(owner).get(uuid=transfer)
        values = checked(TransferChange, request)
        if "wishes" in values:
            values["wishes"] = wishes_in(values["wishes"])
        if "keeps" in values:
            values["keeps"] = [one.uuid for one in values["keeps"]]
        row = tried(
            lambda: transfers.change(transfer=row, values=values, owner=owner, now=clock.now())
        )
        return Response(show(row))


class PackageOut(serializers.Serializer[Any]):
    """A package, as `docs/transfer.md` describes it; numbers are masked where it says so."""

    package = serializers.JSONField()


class TransferPackage(OwnerView):
    """What passes with a transfer."""

    @extend_schema(operation_id="transfers_package", responses=PackageOut)
    def get(self, request: Request, transfer: UUID) -> Response:
        """Return what passes: as it would be while it is prepared, else as it was offered."""
        row = my_transfers(owner_of(request)).get(uuid=transfer)
        now = clock.now()
        today = duedates.today_in(row.asset.household.zone, now)
        package = row.package or packing.pack(row, now=now, on=today)
        return Response({"package": package})


class TransferFile(OwnerView):
    """A hand-over as a file."""

    @extend_schema(
        operation_id="transfers_file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, transfer: UUID, paper: str) -> HttpResponse:
        """Return `json`, `zip` or `pdf`; the first two once it is handed over."""
        row = my_transfers(owner_of(request)).get(uuid=transfer)
        if (
            paper not in FILES
            or row.package is None
            or (paper != "pdf" and row.state != TransferState.COMPLETED)
        ):
            raise Problem(404, code="not_found", detail="There is no such thing.")
        return as_file(row, paper)


class HandOverReading(serializers.Serializer[Any]):
    """What a meter shows at the hand-over."""

    meter = Known(my_meters)
    value = serializers.DecimalField(max_digits=15, decimal_places=3)


class ActIn(serializers.Serializer[Any]):
    """What goes with handing over: the last readings, and what came in, which stays here."""

    readings = HandOverReading(many=True, required=False)
    amount = serializers.DecimalField(max_digits=14, decimal_places=4, required=False)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)


class TransferAct(OwnerView):
    """A step of the seller's."""

    @extend_schema(operation_id="transfers_act", request=ActIn, responses=TransferOut)
    @once
    def post(self, request: Request, transfer: UUID, name: str) -> Response:
        """Take a step: `offer`, `withdraw`, `complete` or `ask_back`; for admins.

        Handing over asks who is there, as its page does.
        """
        owner, now = owner_of(request), clock.now()
        row = my_transfers(owner).get(uuid=transfer)
        if name == Act.OFFER:
            row = tried(lambda: transfers.offer(transfer=row, owner=owner, now=now))
        elif name == Act.WITHDRAW:
            row = tried(lambda: transfers.withdraw(transfer=row, owner=owner, now=now))
        elif name == Act.ASK_BACK:
            row = tried(
                lambda: transfers.ask_back(transfer=row, by=Side.SELLER, owner=owner, now=now)
            )
        elif name == Act.COMPLETE:
            must_be_recent(request)
            handing = handing_of(checked(ActIn, request), row)
            row = tried(
                lambda: transfers.complete(transfer=row, owner=owner, now=now, handing=handing)
            )
        else:
            raise Problem(404, code="unknown", detail="There is no such action.")
        return Response(show(row))


def handing_of(values: dict[str, Any], row: Transfer) -> Handing:
    """Return what a body says with the hand-over."""
    readings: dict[Meter, Decimal] = {
        one["meter"]: one["value"] for one in values.get("readings", ())
    }
    currency = values.get("currency", row.asset.household.currency)
    return Handing(readings=readings, amount=values.get("amount"), currency=currency)


# --- the buyer ---------------------------------------------------------------------------


class TakeOverOut(serializers.Serializer[Any]):
    """What is offered to the owner, or was taken over by them."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    offered_by = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=TransferState.choices)
    reason = serializers.ChoiceField(choices=transfers.REASON_CHOICES)
    expires_at = serializers.DateTimeField(allow_null=True)
    asked_back = serializers.ListField(child=serializers.CharField())
    actions = serializers.ListField(child=serializers.CharField())
    asset = serializers.UUIDField(allow_null=True, help_text="The owner's own, once it is theirs.")


class TakeOverDetail(TakeOverOut):
    """What is offered, with what passes; numbers are masked until it is accepted."""

    package = serializers.JSONField()


def taken_by(owner: Owner, rows: Iterable[Transfer]) -> dict[UUID, str]:
    """Return the owner's own assets that came with these transfers."""
    mine = Received.objects.for_owner(owner).filter(package_id__in=[row.uuid for row in rows])
    return {key: str(asset) for key, asset in mine.values_list("package_id", "asset__uuid")}


def show_offer(row: Transfer, taken: Mapping[UUID, str]) -> dict[str, Any]:
    """Return an offer as its buyer sees it."""
    acts = transfers.open_acts(row, by=Side.BUYER, now=clock.now())
    return {
        "id": str(row.uuid),
        "name": row.asset.name,
        "offered_by": row.made_by.get_full_name() if row.made_by else "",
        "state": row.state,
        "reason": row.reason,
        "expires_at": row.expires_at,
        "asked_back": row.asked_back,
        "actions": [act.value for act in acts],
        "asset": taken.get(row.uuid),
    }


def show_whole(row: Transfer, owner: Owner) -> dict[str, Any]:
    """Return an offer with what passes."""
    return {**show_offer(row, taken_by(owner, [row])), "package": transfers.seen_by(row)}


class OpenIn(serializers.Serializer[Any]):
    """The token of a link, and what is answered to it; nothing to look only."""

    token = serializers.CharField(max_length=100)
    answer = serializers.ChoiceField(
        choices=[("accept", "accept"), ("decline", "decline")], required=False
    )
    household = Known(my_homes, required=False)


class TakeOverList(OwnerView):
    """What is offered to the owner."""

    @extend_schema(operation_id="take_overs_list", responses=TakeOverOut(many=True))
    def get(self, request: Request) -> Response:
        """List what is offered to the owner by name, and what they took over; at most 100."""
        owner, now = owner_of(request), clock.now()
        rows = Transfer.objects.to_owner(owner).select_related(*transfers.WITH).order_by("-pk")
        found = [row for row in rows[:100] if transfers.is_for(row, owner=owner, now=now)]
        taken = taken_by(owner, found)
        return Response([show_offer(row, taken) for row in found])

    @extend_schema(operation_id="take_overs_open", request=OpenIn, responses=TakeOverDetail)
    @once
    def post(self, request: Request) -> Response:
        """Look at an offer by the token of its link, say yes for a household, or no."""
        owner, now = owner_of(request), clock.now()
        values = checked(OpenIn, request)
        row = transfers.find(token=values["token"], now=now)
        if row is None:
            raise Problem(410, code="gone", detail="The offer was answered or has expired.")
        row = answered(row, values, owner)
        return Response(show_whole(row, owner))


def answered(row: Transfer, values: dict[str, Any], owner: Owner) -> Transfer:
    """Do what a buyer answers to an offer; without an answer it stays as it is."""
    now, answer = clock.now(), values.get("answer")
    if answer == "decline":
        return tried(lambda: transfers.decline(transfer=row, owner=owner, now=now))
    if answer == "accept":
        home = values.get("household")
        if home is None:
            raise Problem(
                400, code="required", detail="This field is required.", pointer="/household"
            )
        return tried(
            lambda: transfers.accept_here(transfer=row, owner=owner, household=home, now=now)
        )
    return row


class TakeOverIn(serializers.Serializer[Any]):
    """What the buyer answers; a yes is for a household."""

    household = Known(my_homes, required=False)


class TakeOverOne(OwnerView):
    """One thing that is offered to the owner by name, or was taken over by them."""

    @extend_schema(operation_id="take_overs_get", responses=TakeOverDetail)
    def get(self, request: Request, take_over: UUID) -> Response:
        """Return an offer with what passes."""
        owner = owner_of(request)
        row = transfers.offered_to(owner=owner, key=take_over, now=clock.now())
        if row is None:
            raise Transfer.DoesNotExist
        return Response(show_whole(row, owner))


class TakeOverAct(OwnerView):
    """A step of the buyer's."""

    @extend_schema(operation_id="take_overs_act", request=TakeOverIn, responses=TakeOverDetail)
    @once
    def post(self, request: Request, take_over: UUID, name: str) -> Response:
        """Take a step: `accept`, `decline` or `ask_back`."""
        owner, now = owner_of(request), clock.now()
        row = transfers.offered_to(owner=owner, key=take_over, now=now)
        if row is None:
            raise Transfer.DoesNotExist
        if name == Act.ASK_BACK:
            found = row
            row = tried(
                lambda: transfers.ask_back(transfer=found, by=Side.BUYER, owner=owner, now=now)
            )
        elif name in (Act.ACCEPT, Act.DECLINE):
            values = checked(TakeOverIn, request)
            row = answered(row, {**values, "answer": name}, owner)
        else:
            raise Problem(404, code="unknown", detail="There is no such action.")
        return Response(show_whole(row, owner))


# --- packages ----------------------------------------------------------------------------


class PackageIn(serializers.Serializer[Any]):
    """The file of a package, JSON or ZIP."""

    household = Known(my_homes)
    file = serializers.FileField(max_length=300)


class LookedAt(serializers.Serializer[Any]):
    """A package that was read and is not taken in yet."""

    id = serializers.UUIDField()
    package = serializers.JSONField()
    key = serializers.ChoiceField(
        choices=[(word.value, word.value) for word in issuers.Word],
        help_text="What the server it names says of the key.",
    )
    asset = serializers.UUIDField(allow_null=True, help_text="Where it was taken in before.")
    lacking = serializers.ListField(
        child=serializers.CharField(), help_text="Papers it names that did not come along."
    )


class ReceivedOut(serializers.Serializer[Any]):
    """What came along with an asset."""

    asset = serializers.UUIDField()
    package = serializers.JSONField()
    issuer = serializers.CharField()
    key = serializers.CharField()
    is_confirmed = serializers.BooleanField()
    lacking = serializers.ListField(child=serializers.CharField())
    suggestions = serializers.ListField(child=serializers.DictField())
    taken_at = serializers.DateTimeField()


def show_received(row: Received) -> dict[str, Any]:
    """Return what came along as the API shows it."""
    return {
        "asset": str(row.asset.uuid),
        "package": row.package,
        "issuer": row.issuer,
        "key": row.key,
        "is_confirmed": row.is_confirmed,
        "lacking": row.lacking,
        "suggestions": [
            {
                "number": one.number,
                "name": one.name,
                "roles": list(one.roles),
                "supplier": str(one.supplier.uuid) if one.supplier else None,
                "is_in": one.is_in,
                "is_dealt_with": one.is_dealt_with,
            }
            for one in passing_on.suggestions(row)
        ],
        "taken_at": row.taken_at,
    }


class Packages(OwnerView):
    """A package from elsewhere."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="packages_look",
        request={"multipart/form-data": PackageIn},
        responses={201: LookedAt},
    )
    @once
    def post(self, request: Request) -> Response:
        """Read a package; it is kept for a day, and taken in by `packages/{id}/`."""
        owner, values = owner_of(request), checked(PackageIn, request)
        row = tried(
            lambda: unpacking.look_at(
                raw=values["file"].read(),
                household=values["household"],
                owner=owner,
                now=clock.now(),
            )
        )
        found, files = tried(lambda: unpacking.looked_at(row))
        word = issuers.ask(url=found["issuer"]["url"], key=found["issuer"]["key"])
        row.is_confirmed = None if word == issuers.Word.SILENT else word == issuers.Word.CONFIRMED
        row.save(update_fields=["is_confirmed"])
        before = tried(lambda: unpacking.known(household=row.household, package=found))
        shown = {
            "id": str(row.uuid),
            "package": found,
            "key": word.value,
            "asset": str(before.asset.uuid) if before else None,
            "lacking": [one["name"] for one in found["files"] if one["id"] not in files],
        }
        return Response(shown, status=201)


class PackageTake(OwnerView):
    """A package that was looked at."""

    @extend_schema(
        operation_id="packages_take",
        parameters=[UNDO],
        request=None,
        responses={201: ReceivedOut},
    )
    @once
    def post(self, request: Request, package: UUID) -> Response:
        """Take it in; again it is the same asset."""
        owner = owner_of(request)
        rows = PackageFile.objects.for_owner(owner).select_related("household")
        row = rows.get(uuid=package)
        received = tried(lambda: unpacking.take_looked_at(row=row, owner=owner, now=clock.now()))
        change = unpacking.change_of(received)
        return Response(show_received(received), status=201, headers=undoable(change))


class AssetReceived(OwnerView):
    """What came along with an asset."""

    @extend_schema(operation_id="asset_received_get", responses=ReceivedOut)
    def get(self, request: Request, received_asset: UUID) -> Response:
        """Return what came along: who said what before it was the owner's."""
        rows = Received.objects.for_owner(owner_of(request)).select_related("asset__household")
        return Response(show_received(rows.get(asset__uuid=received_asset)))


class LetInOut(serializers.Serializer[Any]):
    """Who is let in now."""

    supplier = serializers.UUIDField()


class AssetSuggestion(OwnerView):
    """Somebody who served an asset before it was the owner's."""

    @extend_schema(
        operation_id="asset_received_let_in",
        parameters=[UNDO],
        request=None,
        responses=LetInOut,
    )
    @once
    def post(self, request: Request, received_asset: UUID, number: int) -> Response:
        """Let them in for this asset; for admins. 409 for one that is only a name here."""
        owner = owner_of(request)
        rows = Received.objects.for_owner(owner).select_related("asset__household", "household")
        received = rows.get(asset__uuid=received_asset)
        known = passing_on.suggestions(received)
        if not 0 <= number < len(known):
            raise Received.DoesNotExist
        supplier = known[number].supplier
        try:
            change = passing_on.let_in(
                received=received, number=number, owner=owner, now=clock.now()
            )
        except Supplier.DoesNotExist as error:
            detail = "They are not known here. Invite them by name."
            raise Problem(409, code="only_a_name", detail=detail) from error
        shown = {"supplier": str(supplier.uuid) if supplier else None}
        return Response(shown, headers=undoable(change))


class PackageSchema(OwnerView):
    """The form of packages."""

    @extend_schema(operation_id="packages_schema", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return the JSON Schema of version 1."""
        return Response(packages.schema())


urlpatterns = [
    path("transfers/", Transfers.as_view()),
    path("transfers/<uuid:transfer>/", TransferDetail.as_view()),
    path("transfers/<uuid:transfer>/package/", TransferPackage.as_view()),
    path("transfers/<uuid:transfer>/files/<slug:paper>/", TransferFile.as_view()),
    path("transfers/<uuid:transfer>/actions/<slug:name>/", TransferAct.as_view()),
    path("take-overs/", TakeOverList.as_view()),
    path("take-overs/<uuid:take_over>/", TakeOverOne.as_view()),
    path("take-overs/<uuid:take_over>/actions/<slug:name>/", TakeOverAct.as_view()),
    path("packages/", Packages.as_view()),
    path("packages/schema/", PackageSchema.as_view()),
    path("packages/<uuid:package>/", PackageTake.as_view()),
    path("assets/<uuid:received_asset>/received/", AssetReceived.as_view()),
    path("assets/<uuid:received_asset>/received/<int:number>/", AssetSuggestion.as_view()),
]
