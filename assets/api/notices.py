"""What the things say beside their care: stock that runs low, loans, parcels, deadlines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import notices
from assets.choices import NoticeKind
from assets.models import Notice
from owners import clock, households
from owners.api.edge import UNDO, OwnerView, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.models import Owner


class NoticeOut(serializers.Serializer[Any]):
    """Something that a thing says."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    asset = serializers.UUIDField(allow_null=True)
    kind = serializers.ChoiceField(choices=NoticeKind.choices)
    subject = serializers.UUIDField(
        help_text="What it is about: the part, loan, cover, contract, claim, contact or asset."
    )
    what = serializers.CharField(allow_blank=True, help_text="What is short, or whom it concerns.")
    due_on = serializers.DateField(allow_null=True)
    speaks_at = serializers.DateTimeField(
        allow_null=True, help_text="When it says something next, on Today or in the digest."
    )
    raised_at = serializers.DateTimeField()


def show_notice(row: Notice) -> dict[str, Any]:
    """Return a notice as the API shows it."""
    return {
        "id": str(row.uuid),
        "household": str(row.household.uuid),
        "asset": str(row.asset.uuid) if row.asset else None,
        "kind": row.kind,
        "subject": str(row.subject),
        "what": row.what,
        "due_on": row.due_on or row.data.get("due_on"),
        "speaks_at": row.speaks_at,
        "raised_at": row.raised_at,
    }


def my_notices(owner: Owner) -> QuerySet[Notice]:
    """Return what the owner's things say now, with all that shows it."""
    mine = Notice.objects.for_owner(owner).filter(settled_at=None, dismissed_at=None)
    return mine.select_related("household", "asset")


class Notices(OwnerView):
    """Notices."""

    @listed(
        "notices_list",
        pages=page_of(NoticeOut, "Notice"),
        show=show_notice,
        by="-raised_at",
        filters=[filter_of("kind", NoticeKind), about("asset"), about("household")],
    )
    def get(self, request: Request) -> QuerySet[Notice]:
        """List what the things say beside their care, the newest first.

        What comes to its day is also a matter of the feed, with what can be done about it.
        """
        rows = narrowed(my_notices(owner_of(request)), request, "kind", NoticeKind)
        return of(rows, request, asset="asset__uuid", household="household__uuid")


class OneNotice(OwnerView):
    """One notice."""

    @extend_schema(operation_id="notices_get", responses=NoticeOut)
    def get(self, request: Request, notice: UUID) -> Response:
        """Return one notice."""
        return Response(show_notice(my_notices(owner_of(request)).get(uuid=notice)))

    @extend_schema(operation_id="notices_dismiss", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, notice: UUID) -> Response:
        """Hear no more of it while its reason lasts; can be undone."""
        owner = owner_of(request)
        row = my_notices(owner).get(uuid=notice)
        households.require(owner=owner, household_id=row.household_id)
        change = notices.dismiss(notice=row, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


urlpatterns = [
    path("notices/", Notices.as_view(), name="notices"),
    path("notices/<uuid:notice>/", OneNotice.as_view(), name="notice"),
]
