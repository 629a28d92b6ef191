"""The owner's API about people, tokens, exports, deletion and the access log."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from owners import access, clock, deletion, doorbell, exports, households, invitations, tokens
from owners.api.edge import UNDO, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import CURSOR, LIMIT, listed, page, page_of
from owners.api.problems import Problem
from owners.api.signing_in import must_be_recent
from owners.choices import ExportState, Rank, TokenScope
from owners.models import (
    AccessEntry,
    ApiToken,
    Deletion,
    Export,
    Household,
    Invitation,
    Membership,
    Owner,
)


class Guarded(OwnerView):
    """An endpoint that opens or ends things for good: sessions only, never a token."""

    is_sensitive = True


class Confirmed(Guarded):
    """An endpoint whose writes ask who is there, as the pages for the same do."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a write in a session that was not confirmed lately."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS:
            must_be_recent(request)


class MembershipOut(serializers.Serializer[Any]):
    """A member of a household."""

    household = serializers.UUIDField()
    owner = serializers.UUIDField()
    name = serializers.CharField()
    rank = serializers.ChoiceField(choices=Rank.choices)
    holiday_from = serializers.DateField(allow_null=True)
    holiday_until = serializers.DateField(allow_null=True)
    cover = serializers.UUIDField(allow_null=True)


class RankIn(serializers.Serializer[Any]):
    """Another rank."""

    rank = serializers.ChoiceField(choices=Rank.choices)


def show_membership(row: Membership) -> dict[str, Any]:
    """Return a member as the API shows them."""
    return {
        "household": str(row.household.uuid),
        "owner": str(row.owner.uuid),
        "name": row.owner.get_full_name(),
        "rank": row.rank,
        "holiday_from": row.holiday_from,
        "holiday_until": row.holiday_until,
        "cover": str(row.cover.uuid) if row.cover else None,
    }


def refused(error: invitations.PeopleError) -> Problem:
    """Return what is wrong with these people as a problem."""
    pointer = f"/{error.field}" if error.field else ""
    return Problem(409, code=error.code, detail=error.detail, pointer=pointer)


class Memberships(OwnerView):
    """Who is in the owner's households."""

    @listed(
        "memberships_list",
        pages=page_of(MembershipOut, "Membership"),
        show=show_membership,
        by="pk",
        is_time=False,
    )
    def get(self, request: Request) -> QuerySet[Membership]:
        """List the members of the owner's households."""
        rows = Membership.objects.for_owner(owner_of(request))
        return rows.select_related("household", "owner", "cover")


class OneMembership(Guarded):
    """One member of one household."""

    @extend_schema(
        operation_id="memberships_rank", parameters=[UNDO], request=RankIn, responses=MembershipOut
    )
    @once
    def patch(self, request: Request, household: UUID, member: UUID) -> Response:
        """Give a member another rank; for admins."""
        found = self._find(request, household, member)
        rank = Rank(checked(RankIn, request)["rank"])
        try:
            change = invitations.change_rank(
                membership=found, rank=rank, by=owner_of(request), now=clock.now()
            )
        except invitations.PeopleError as error:
            raise refused(error) from error
        shown = show_membership(self._find(request, household, member))
        return Response(shown, headers=undoable(change))

    @extend_schema(operation_id="memberships_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, household: UUID, member: UUID) -> Response:
        """Take a member out, or leave."""
        found = self._find(request, household, member)
        try:
            change = invitations.remove(membership=found, by=owner_of(request), now=clock.now())
        except invitations.PeopleError as error:
            raise refused(error) from error
        return Response(status=204, headers=undoable(change))

    def _find(self, request: Request, household: UUID, member: UUID) -> Membership:
        rows = Membership.objects.for_owner(owner_of(request))
        rows = rows.select_related("household", "owner", "cover")
        return rows.get(household__uuid=household, owner__uuid=member)


class InvitationIn(serializers.Serializer[Any]):
    """Whom to invite."""

    household = serializers.UUIDField()
    email = serializers.EmailField(max_length=254)
    rank = serializers.ChoiceField(choices=Rank.choices, default=Rank.MEMBER)


class InvitationOut(serializers.Serializer[Any]):
    """An open invitation."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    email = serializers.CharField()
    rank = serializers.ChoiceField(choices=Rank.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class AcceptIn(serializers.Serializer[Any]):
    """The token of a letter of invitation."""

    token = serializers.CharField(max_length=100)


def show_invitation(row: Invitation) -> dict[str, Any]:
    """Return an invitation as an admin sees it."""
    return {
        "id": str(row.uuid),
        "household": str(row.household.uuid),
        "email": row.address,
        "rank": row.rank,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


class Invitations(Guarded):
    """Open invitations into the households the owner is an admin of."""

    @listed("invitations_list", pages=page_of(InvitationOut, "Invitation"), show=show_invitation)
    def get(self, request: Request) -> QuerySet[Invitation]:
        """List the open invitations."""
        rows = Invitation.objects.for_owner(owner_of(request)).open(clock.now())
        return rows.select_related("household")

    @extend_schema(
        operation_id="invitations_send", request=InvitationIn, responses={201: InvitationOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Invite somebody by mail; for admins."""
        owner, values = owner_of(request), checked(InvitationIn, request)
        household = Household.objects.for_owner(owner).get(uuid=values["household"])
        try:
            made = invitations.invite(
                household=household,
                by=owner,
                address=values["email"],
                rank=Rank(values["rank"]),
                now=clock.now(),
            )
        except invitations.PeopleError as error:
            raise refused(error) from error
        doorbell.ring("delivery")
        return Response(show_invitation(made), status=201)


class OneInvitation(Guarded):
    """One invitation."""

    @extend_schema(operation_id="invitations_revoke", responses={204: None})
    @once
    def delete(self, request: Request, invitation: UUID) -> Response:
        """Take an invitation back; its letter opens nothing any more."""
        owner = owner_of(request)
        found = Invitation.objects.for_owner(owner).get(uuid=invitation)
        invitations.revoke(invitation=found, by=owner, now=clock.now())
        return Response(status=204)


class InvitedOut(serializers.Serializer[Any]):
    """What a letter of invitation is for."""

    household = serializers.CharField(help_text="Its name.")
    by = serializers.CharField(help_text="Who invites.")
    rank = serializers.ChoiceField(choices=Rank.choices)
    expires_at = serializers.DateTimeField()


class InvitationLook(Guarded):
    """What a letter of invitation is for."""

    @extend_schema(operation_id="invitations_look", request=AcceptIn, responses=InvitedOut)
    @once
    def post(self, request: Request) -> Response:
        """Say whose household one would join; 409 `gone` for a letter that opens nothing."""
        found = invitations.find(token=checked(AcceptIn, request)["token"], now=clock.now())
        if found is None:
            raise Problem(
                409,
                code="gone",
                detail="This invitation was used, taken back, or has expired.",
                pointer="/token",
            )
        return Response(
            {
                "household": found.household.name,
                "by": found.invited_by.get_full_name() if found.invited_by else "",
                "rank": found.rank,
                "expires_at": found.expires_at,
            }
        )


class InvitationAcceptance(Guarded):
    """Joining a household."""

    @extend_schema(operation_id="invitations_accept", request=AcceptIn, responses=MembershipOut)
    @once
    def post(self, request: Request) -> Response:
        """Join the household that a letter of invitation is for."""
        token = checked(AcceptIn, request)["token"]
        try:
            joined = invitations.accept(token=token, owner=owner_of(request), now=clock.now())
        except invitations.PeopleError as error:
            raise refused(error) from error
        return Response(show_membership(joined))


class TokenIn(serializers.Serializer[Any]):
    """A new token."""

    name = serializers.CharField(max_length=80)
    scope = serializers.ChoiceField(choices=TokenScope.choices, default=TokenScope.READ)


class TokenOut(serializers.Serializer[Any]):
    """A token, without what it is."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=TokenScope.choices)
    hint = serializers.CharField(help_text="Its last four letters.")
    created_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)


class MadeTokenOut(TokenOut):
    """A token that was just made; it is never shown again."""

    token = serializers.CharField()


def show_token(row: ApiToken) -> dict[str, Any]:
    """Return a token as its owner sees it."""
    return {
        "id": str(row.uuid),
        "name": row.name,
        "scope": row.scope,
        "hint": row.hint,
        "created_at": row.created_at,
        "used_at": row.used_at,
    }


class Tokens(Confirmed):
    """The owner's tokens."""

    @listed("tokens_list", pages=page_of(TokenOut, "Token"), show=show_token)
    def get(self, request: Request) -> QuerySet[ApiToken]:
        """List the live tokens."""
        return ApiToken.objects.for_owner(owner_of(request)).live()

    @extend_schema(operation_id="tokens_make", request=TokenIn, responses={201: MadeTokenOut})
    @once
    def post(self, request: Request) -> Response:
        """Make a token; the answer is the only place where it stands."""
        values = checked(TokenIn, request)
        try:
            made = tokens.make(
                owner=owner_of(request),
                name=values["name"],
                scope=TokenScope(values["scope"]),
                now=clock.now(),
            )
        except tokens.TokenError as error:
            raise Problem(409, code="too_many", detail=str(error)) from error
        return Response({**show_token(made.row), "token": made.token}, status=201)


class OneToken(Guarded):
    """One token."""

    @extend_schema(operation_id="tokens_revoke", responses={204: None})
    @once
    def delete(self, request: Request, token: UUID) -> Response:
        """Close a token for ever."""
        found = ApiToken.objects.for_owner(owner_of(request)).get(uuid=token)
        tokens.revoke(token=found, now=clock.now())
        return Response(status=204)


class ExportOut(serializers.Serializer[Any]):
    """An export; `download` works in a signed-in browser until it expires."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=ExportState.choices)
    percent = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    download = serializers.CharField(allow_null=True)


def show_export(row: Export) -> dict[str, Any]:
    """Return an export as the API shows it."""
    is_ready = row.state == ExportState.READY
    return {
        "id": str(row.uuid),
        "state": row.state,
        "percent": row.percent,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "download": f"/api/v1/exports/{row.uuid}/steward.zip" if is_ready else None,
    }


class Exports(Confirmed):
    """Everything of the owner, put together on request."""

    @listed("exports_list", pages=page_of(ExportOut, "Export"), show=show_export)
    def get(self, request: Request) -> QuerySet[Export]:
        """List the owner's exports."""
        return Export.objects.for_owner(owner_of(request))

    @extend_schema(operation_id="exports_ask", request=None, responses={202: ExportOut})
    @once
    def post(self, request: Request) -> Response:
        """Ask for everything in one ZIP; ask `exports/{id}/` how far it is."""
        made = exports.ask(owner=owner_of(request), now=clock.now())
        doorbell.ring("privacy")
        return Response(show_export(made), status=202)


class OneExport(Guarded):
    """One export."""

    @extend_schema(operation_id="exports_get", responses=ExportOut)
    def get(self, request: Request, export: UUID) -> Response:
        """Return how far an export is."""
        return Response(show_export(Export.objects.for_owner(owner_of(request)).get(uuid=export)))

    @extend_schema(operation_id="exports_cancel", responses={204: None})
    @once
    def delete(self, request: Request, export: UUID) -> Response:
        """Stop an export that is being made, or throw a ready one away."""
        found = Export.objects.for_owner(owner_of(request)).get(uuid=export)
        exports.cancel(export=found, now=clock.now())
        return Response(status=204)


class DeletionIn(serializers.Serializer[Any]):
    """What to delete: a household, or without one the account. `typed` confirms it."""

    household = serializers.UUIDField(required=False)
    typed = serializers.CharField(
        max_length=254, help_text="The household's name, or the account's e-mail address."
    )


class DeletionOut(serializers.Serializer[Any]):
    """A deletion that was asked for and can still be cancelled."""

    id = serializers.UUIDField()
    household = serializers.UUIDField(allow_null=True)
    asked_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()


def show_deletion(row: Deletion) -> dict[str, Any]:
    """Return a deletion as the API shows it."""
    return {
        "id": str(row.uuid),
        "household": str(row.household.uuid) if row.household else None,
        "asked_at": row.asked_at,
        "due_at": row.due_at,
    }


class Deletions(Confirmed):
    """What is to be deleted once its grace is over."""

    @listed(
        "deletion_list", pages=page_of(DeletionOut, "Deletion"), show=show_deletion, by="asked_at"
    )
    def get(self, request: Request) -> QuerySet[Deletion]:
        """List the deletions that were asked for."""
        return Deletion.objects.for_owner(owner_of(request)).select_related("household")

    @extend_schema(operation_id="deletion_ask", request=DeletionIn, responses={201: DeletionOut})
    @once
    def post(self, request: Request) -> Response:
        """Ask that a household be deleted in 7 days, or the account in 30."""
        owner, values, now = owner_of(request), checked(DeletionIn, request), clock.now()
        try:
            if "household" in values:
                found = households.reachable(
                    owner=owner, household=values["household"], least=Rank.ADMIN
                )
                made = deletion.ask_household(
                    household=found, owner=owner, typed=values["typed"], now=now
                )
            else:
                made = deletion.ask_account(owner=owner, typed=values["typed"], now=now)
        except deletion.DeletionError as error:
            raise Problem(409, code="typed", detail=str(error), pointer="/typed") from error
        return Response(show_deletion(made), status=201)


class FateOut(serializers.Serializer[Any]):
    """What becomes of one household when the account goes."""

    household = serializers.UUIDField()
    name = serializers.CharField()
    is_erased = serializers.BooleanField(help_text="Nobody else is in it.")
    heir = serializers.CharField(allow_null=True, help_text="Who becomes its admin.")


class DeletionPreviewOut(serializers.Serializer[Any]):
    """What a deletion would do, and how long it can be taken back."""

    account_days = serializers.IntegerField()
    household_days = serializers.IntegerField()
    households = FateOut(many=True)


class DeletionPreview(Guarded):
    """What would happen."""

    @extend_schema(operation_id="deletion_preview", responses=DeletionPreviewOut)
    def get(self, request: Request) -> Response:
        """Say what becomes of each household when the account is deleted."""
        return Response(
            {
                "account_days": deletion.ACCOUNT_GRACE.days,
                "household_days": deletion.HOUSEHOLD_GRACE.days,
                "households": [
                    {
                        "household": str(fate.household.uuid),
                        "name": fate.household.name,
                        "is_erased": fate.is_erased,
                        "heir": fate.heir.get_full_name() if fate.heir else None,
                    }
                    for fate in deletion.fates(owner_of(request))
                ],
            }
        )


class OneDeletion(Guarded):
    """One deletion."""

    @extend_schema(operation_id="deletion_cancel", responses={204: None})
    @once
    def delete(self, request: Request, deletion_id: UUID) -> Response:
        """Take a deletion back."""
        owner = owner_of(request)
        rows = Deletion.objects.for_owner(owner).select_related("household")
        deletion.cancel(deletion=rows.get(uuid=deletion_id), owner=owner, now=clock.now())
        return Response(status=204)


class AccessOut(serializers.Serializer[Any]):
    """One line of the access log."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="What happened, such as `signed_in`.")
    text = serializers.CharField(help_text="The same as a sentence.")
    who = serializers.UUIDField(allow_null=True)
    whom = serializers.UUIDField(allow_null=True)
    what = serializers.DictField()


class AccessLog(OwnerView):
    """Who saw or changed what, and when."""

    @extend_schema(
        operation_id="access_log_list",
        parameters=[CURSOR, LIMIT],
        responses=page_of(AccessOut, "Access"),
    )
    def get(self, request: Request) -> Response:
        """List what concerns the owner and their households, the newest first."""
        rows = AccessEntry.objects.for_owner(owner_of(request))
        shown = page(rows, request, by="-number", show=_line, is_time=False)
        people = {line[key] for line in shown["results"] for key in ("who", "whom") if line[key]}
        uuids = dict(Owner.objects.filter(pk__in=people).values_list("pk", "uuid"))
        for line in shown["results"]:
            for key in ("who", "whom"):
                line[key] = str(uuids[line[key]]) if line[key] in uuids else None
        return Response(shown)


def _line(row: AccessEntry) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.at,
        "kind": row.kind,
        "text": str(access.KINDS.get(row.kind, row.kind)),
        "who": row.actor_id,
        "whom": row.subject_id,
        "what": row.what,
    }


urlpatterns = [
    path("memberships/", Memberships.as_view(), name="memberships"),
    path(
        "households/<uuid:household>/members/<uuid:member>/",
        OneMembership.as_view(),
        name="membership",
    ),
    path("invitations/", Invitations.as_view(), name="invitations"),
    path("invitations/look/", InvitationLook.as_view(), name="invitation-look"),
    path("invitations/accept/", InvitationAcceptance.as_view(), name="invitation-accept"),
    path("invitations/<uuid:invitation>/", OneInvitation.as_view(), name="invitation"),
    path("tokens/", Tokens.as_view(), name="tokens"),
    path("tokens/<uuid:token>/", OneToken.as_view(), name="token"),
    path("exports/", Exports.as_view(), name="exports"),
    path("exports/<uuid:export>/", OneExport.as_view(), name="export"),
    path("deletion/", Deletions.as_view(), name="deletions"),
    path("deletion/preview/", DeletionPreview.as_view(), name="deletion-preview"),
    path("deletion/<uuid:deletion_id>/", OneDeletion.as_view(), name="deletion"),
    path("access-log/", AccessLog.as_view(), name="access-log"),
]
