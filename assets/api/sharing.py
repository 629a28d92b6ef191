"""Sharing one asset with one person: for whoever gives, and for whoever is shown it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import sharing
from assets.care_words import CareStatus, WorkKind
from assets.models import Asset, Share
from assets.passing_words import SharePart
from assets.serving import give_out
from assets.sharing import ShareError
from owners import clock
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, listed, of, page_of
from owners.api.problems import Problem
from owners.models import Household, Membership, Owner


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets that may be shared."""
    return Asset.objects.for_owner(owner).select_related("household")


def my_shares(owner: Owner) -> QuerySet[Share]:
    """Return the shares of the owner's things, with all that `show_share` reads."""
    rows = Share.objects.for_owner(owner).filter(asset__removed_at=None)
    return rows.select_related(*sharing.WITH)


def held_shares(owner: Owner) -> QuerySet[Share]:
    """Return what the owner is shown by others now."""
    rows = Share.objects.held_by(owner, clock.now())
    return rows.select_related("asset__household", "made_by")


def refused(error: ShareError) -> Problem:
    """Return why something cannot be shared, as a problem."""
    status = 410 if error.code == "gone" else 400 if error.field else 409
    pointer = f"/{error.field}" if error.field else ""
    return Problem(status, code=error.code, detail=error.detail, pointer=pointer)


class ShareChange(serializers.Serializer[Any]):
    """What a share shows; what it is and what care is due is always shown."""

    parts = serializers.ListField(child=serializers.ChoiceField(choices=SharePart.choices))
    may_tick = serializers.BooleanField(default=False)


class ShareIn(ShareChange):
    """One person who is to see one asset; without an address the link is handed over."""

    asset = Known(my_assets)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    days = serializers.ChoiceField(choices=sharing.LENGTHS, default=30)


class ShareOut(ShareChange):
    """A share as whoever gave it sees it."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    to = serializers.CharField(help_text="A hint of the address, or the name of who took it.")
    link = serializers.URLField(
        allow_null=True, help_text="Only of one to be handed over that nobody took yet."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    taken_at = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


def show_share(row: Share) -> dict[str, Any]:
    """Return a share as the API shows it."""
    is_open = row.owner_id is None and row.revoked_at is None and row.token_hash is not None
    return {
        "id": str(row.uuid),
        "asset": str(row.asset.uuid),
        "to": row.owner.get_full_name() if row.owner else row.hint,
        "link": link_of(row) if is_open and not row.hint else None,
        "parts": row.parts,
        "may_tick": row.may_tick,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "taken_at": row.taken_at,
        "seen_at": row.seen_at,
        "ended_at": row.revoked_at,
    }


def link_of(row: Share) -> str:
    """Return the link by which a share is taken."""
    return f"{settings.SITE_URL}{reverse('share-take', args=[row.token])}"


class Shares(OwnerView):
    """Who is shown what."""

    @listed(
        "shares_list",
        pages=page_of(ShareOut, "Share"),
        show=show_share,
        by="-created_at",
        filters=[about("asset")],
    )
    def get(self, request: Request) -> QuerySet[Share]:
        """List the shares of the owner's things, ended ones too, the newest first."""
        return of(my_shares(owner_of(request)), request, asset="asset__uuid")

    @extend_schema(operation_id="shares_make", request=ShareIn, responses={201: ShareOut})
    @once
    def post(self, request: Request) -> Response:
        """Show an asset to one person; for admins."""
        values = checked(ShareIn, request)
        try:
            row = sharing.share(
                asset=values["asset"],
                by=owner_of(request),
                address=values.get("email", ""),
                parts=[SharePart(part) for part in values["parts"]],
                may_tick=values["may_tick"],
                days=values["days"],
                now=clock.now(),
            )
        except ShareError as error:
            raise refused(error) from error
        return Response(show_share(row), status=201)


class ShareDetail(OwnerView):
    """One share."""

    @extend_schema(operation_id="shares_get", responses=ShareOut)
    def get(self, request: Request, share: UUID) -> Response:
        """Return one share."""
        return Response(show_share(my_shares(owner_of(request)).get(uuid=share)))

    @extend_schema(operation_id="shares_change", request=ShareChange, responses=ShareOut)
    @once
    def patch(self, request: Request, share: UUID) -> Response:
        """Change what it shows; for admins. It holds with the next look."""
        owner = owner_of(request)
        row = my_shares(owner).get(uuid=share)
        values = checked(ShareChange, request)
        row = sharing.change(
            share=row,
            parts=[SharePart(part) for part in values["parts"]],
            may_tick=values["may_tick"],
            by=owner,
            now=clock.now(),
        )
        return Response(show_share(row))

    @extend_schema(operation_id="shares_end", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, share: UUID) -> Response:
        """End it at once; for admins."""
        owner = owner_of(request)
        row = my_shares(owner).get(uuid=share)
        change = sharing.revoke(share=row, by=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


class HelpIn(serializers.Serializer[Any]):
    """All the things whose care a helper ticks."""

    assets = serializers.ListField(child=Known(my_assets), max_length=1000)


class HelpOut(serializers.Serializer[Any]):
    """The things whose care a helper ticks."""

    assets = serializers.ListField(child=serializers.UUIDField())


class Helps(OwnerView):
    """What a helper of a household helps with."""

    def _member(self, request: Request, household: UUID, member: UUID) -> Membership:
        home = Household.objects.for_owner(owner_of(request)).get(uuid=household)
        rows = Membership.objects.select_related("owner", "household")
        return rows.get(household=home, owner__uuid=member)

    @extend_schema(operation_id="helps_get", responses=HelpOut)
    def get(self, request: Request, household: UUID, member: UUID) -> Response:
        """List the things whose care a helper ticks."""
        helped = sharing.helped_by(self._member(request, household, member))
        return Response({"assets": sorted(map(str, helped))})

    @extend_schema(operation_id="helps_set", request=HelpIn, responses=HelpOut)
    @once
    def put(self, request: Request, household: UUID, member: UUID) -> Response:
        """Let a helper tick the care of exactly these things; for admins."""
        membership = self._member(request, household, member)
        values = checked(HelpIn, request)
        try:
            sharing.let_help(
                membership=membership,
                assets=values["assets"],
                by=owner_of(request),
                now=clock.now(),
            )
        except ShareError as error:
            raise refused(error) from error
        helped = sharing.helped_by(membership)
        return Response({"assets": sorted(map(str, helped))})


# --- what one is shown -------------------------------------------------------------------


class SharedOut(serializers.Serializer[Any]):
    """A thing of somebody else's that the owner is shown."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    shared_by = serializers.CharField()
    may_tick = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)


class SharedTask(serializers.Serializer[Any]):
    """Care that is due."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    due_on = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(choices=CareStatus.choices)
    checklist = serializers.ListField(child=serializers.CharField())


class SharedWork(serializers.Serializer[Any]):
    """Work that was done."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=WorkKind.choices)
    on = serializers.DateField()
    provider = serializers.CharField(allow_blank=True)
    is_mine = serializers.BooleanField()
    can_untick = serializers.BooleanField()


class SharedFile(serializers.Serializer[Any]):
    """A manual or a photo; its bytes are at `files/{id}/`."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class SharedNumber(serializers.Serializer[Any]):
    """A number of the thing."""

    scheme = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the word of the others, not the base's
    value = serializers.CharField()


class SharedDetail(SharedOut):
    """What a share shows."""

    kind = serializers.CharField()
    maker = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    tasks = SharedTask(many=True)
    done = SharedWork(many=True)
    papers = SharedFile(many=True)
    photos = SharedFile(many=True)
    numbers = SharedNumber(many=True)


def show_shared(row: Share) -> dict[str, Any]:
    """Return a share as whoever is shown it sees it in a list."""
    return {
        "id": str(row.uuid),
        "name": row.asset.name,
        "shared_by": row.made_by.get_full_name() if row.made_by else "",
        "may_tick": row.may_tick,
        "expires_at": row.expires_at,
    }


class TakeIn(serializers.Serializer[Any]):
    """The token of a link."""

    token = serializers.CharField(max_length=100)


class SharedList(OwnerView):
    """What others show the owner."""

    @listed("shared_list", pages=page_of(SharedOut, "Shared"), show=show_shared, by="-created_at")
    def get(self, request: Request) -> QuerySet[Share]:
        """List what others show the owner, the newest first."""
        return held_shares(owner_of(request))

    @extend_schema(operation_id="shared_take", request=TakeIn, responses={201: SharedOut})
    @once
    def post(self, request: Request) -> Response:
        """Take a share by the token of its link; it works once."""
        token = checked(TakeIn, request)["token"]
        try:
            row = sharing.take(token=token, owner=owner_of(request), now=clock.now())
        except ShareError as error:
            raise refused(error) from error
        return Response(show_shared(row), status=201)


class SharedOne(OwnerView):
    """One thing that the owner is shown."""

    @extend_schema(operation_id="shared_get", responses=SharedDetail)
    def get(self, request: Request, shared: UUID) -> Response:
        """Return what the share shows now."""
        row = held_shares(owner_of(request)).get(uuid=shared)
        now = clock.now()
        sharing.seen(row, now=now)
        return Response({**sharing.shown(row, now=now), **show_shared(row)})

    @extend_schema(operation_id="shared_leave", responses={204: None})
    @once
    def delete(self, request: Request, shared: UUID) -> Response:
        """Give back what one was shown."""
        owner = owner_of(request)
        row = held_shares(owner).get(uuid=shared)
        sharing.leave(share=row, owner=owner, now=clock.now())
        return Response(status=204)


class SharedTick(OwnerView):
    """Care of a thing that the owner is shown."""

    @extend_schema(operation_id="shared_tick", request=None, responses={201: SharedWork})
    @once
    def post(self, request: Request, shared: UUID, task: UUID) -> Response:
        """Say that care is done; 409 where somebody did it, or one may only look."""
        owner, now = owner_of(request), clock.now()
        row = held_shares(owner).get(uuid=shared)
        try:
            record = sharing.tick(share=row, task=task, owner=owner, now=now)
        except ShareError as error:
            raise refused(error) from error
        if record is None:
            raise Problem(409, code="done", detail="Somebody did it already.")
        shown = {
            "id": str(record.uuid),
            "title": record.title,
            "kind": record.kind,
            "on": record.done_on,
            "provider": record.provider,
            "is_mine": True,
            "can_untick": True,
        }
        return Response(shown, status=201)


class SharedUntick(OwnerView):
    """What the owner ticked of a thing they are shown."""

    @extend_schema(operation_id="shared_untick", responses={204: None})
    @once
    def delete(self, request: Request, shared: UUID, record: UUID) -> Response:
        """Take back what one ticked by mistake, within a day."""
        owner = owner_of(request)
        row = held_shares(owner).get(uuid=shared)
        try:
            sharing.untick(share=row, record=record, owner=owner, now=clock.now())
        except ShareError as error:
            raise refused(error) from error
        return Response(status=204)


class SharedBytes(OwnerView):
    """The bytes of a manual or photo of a thing that the owner is shown."""

    @extend_schema(
        operation_id="shared_file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, shared: UUID, manual: UUID) -> HttpResponse:
        """Return the bytes of a manual or photo."""
        row = held_shares(owner_of(request)).get(uuid=shared)
        return give_out(sharing.documents_of(row).get(uuid=manual))


urlpatterns = [
    path("shares/", Shares.as_view()),
    path("shares/<uuid:share>/", ShareDetail.as_view()),
    path("households/<uuid:household>/members/<uuid:member>/helps/", Helps.as_view()),
    path("shared/", SharedList.as_view()),
    path("shared/<uuid:shared>/", SharedOne.as_view()),
    path("shared/<uuid:shared>/tasks/<uuid:task>/done/", SharedTick.as_view()),
    path("shared/<uuid:shared>/work/<uuid:record>/", SharedUntick.as_view()),
    path("shared/<uuid:shared>/files/<uuid:manual>/", SharedBytes.as_view()),
]
