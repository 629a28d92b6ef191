"""Tell once, for apps: what is new, who is told, and how far the answers are."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from owners import clock, doorbell, households
from owners.api.edge import Known, OwnerView, asked, checked, once, owner_of
from owners.api.pages import listed, page_of
from owners.api.problems import Problem
from owners.choices import Rank
from suppliers import announcing
from suppliers.announcements import Addressee, Announcement
from suppliers.announcing import NewsError
from suppliers.api_v1 import my_assets, my_households, my_mandates
from suppliers.choices import AnswerState, NewsKind

ROUTES = [("webhook", "Signed event"), ("mail", "Mail"), ("sms", "SMS"), ("none", "No way")]
BY_OWNER = [(state.value, state.label) for state in announcing.BY_OWNER]


class AnnouncementIn(serializers.Serializer[Any]):
    """A piece of news, and who is told."""

    household = Known(my_households)
    news = serializers.ChoiceField(choices=NewsKind.choices)
    value = serializers.CharField(
        max_length=500, required=False, allow_blank=True,
        help_text="The new address, number, name or mail address; none for a thing.",
    )  # fmt: skip
    on = serializers.DateField(required=False, help_text="From when it holds; today without one.")
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    asset = Known(my_assets, required=False, help_text="Of `sold` and `gone`: which thing.")
    mandates = serializers.ListField(
        child=Known(my_mandates), max_length=announcing.MOST, help_text="Who is told."
    )


class CandidatesIn(serializers.Serializer[Any]):
    """What is to be told."""

    household = Known(my_households)
    news = serializers.ChoiceField(choices=NewsKind.choices)
    asset = Known(my_assets, required=False)


class CandidateOut(serializers.Serializer[Any]):
    """A supplier that could be told."""

    mandate = serializers.UUIDField()
    supplier = serializers.UUIDField()
    name = serializers.CharField()
    route = serializers.ChoiceField(choices=ROUTES)
    learns = serializers.CharField(
        allow_null=True, help_text="The fact that it would know for the first time."
    )
    told_at = serializers.DateTimeField(
        allow_null=True, help_text="It heard already that the thing is gone."
    )
    is_suggested = serializers.BooleanField()


class CandidatesOut(serializers.Serializer[Any]):
    """Everybody who could be told."""

    candidates = CandidateOut(many=True)


class AddresseeOut(serializers.Serializer[Any]):
    """A supplier that was told."""

    id = serializers.UUIDField()
    mandate = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=AnswerState.choices)
    says = serializers.CharField(allow_blank=True)
    contact = serializers.UUIDField(allow_null=True, help_text="What it answered.")
    is_sent = serializers.BooleanField()
    is_lost = serializers.BooleanField(help_text="It did not arrive.")
    detail = serializers.CharField(allow_blank=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class AnnouncementOut(serializers.Serializer[Any]):
    """A piece of news with how far it is."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    news = serializers.ChoiceField(choices=NewsKind.choices)
    asset = serializers.UUIDField(allow_null=True)
    value = serializers.CharField(allow_blank=True)
    on = serializers.DateField()
    note = serializers.CharField(allow_blank=True)
    announced_at = serializers.DateTimeField()
    sends_at = serializers.DateTimeField(help_text="Until then it can be taken back.")
    remind_on = serializers.DateField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    told = serializers.IntegerField()
    answered = serializers.IntegerField()


class OneAnnouncementOut(AnnouncementOut):
    """A piece of news with everybody who was told."""

    addressees = AddresseeOut(many=True)


class WithdrawnOut(serializers.Serializer[Any]):
    """What was taken back."""

    stopped = serializers.IntegerField(help_text="Suppliers that will not hear it.")
    gone = serializers.IntegerField(help_text="Suppliers that had heard it already.")


class AnswerIn(serializers.Serializer[Any]):
    """What the owner knows of an answer."""

    state = serializers.ChoiceField(choices=BY_OWNER)


def show(told: Announcement) -> dict[str, Any]:
    """Return a piece of news as a list shows it."""
    states = [one.state for one in told.addressees.all()]
    return {
        "id": str(told.uuid),
        "household": str(told.household.uuid),
        "news": told.kind,
        "asset": str(told.asset.uuid) if told.asset else None,
        "value": told.value,
        "on": told.on,
        "note": told.note,
        "announced_at": told.announced_at,
        "sends_at": told.sends_at,
        "remind_on": told.remind_on,
        "withdrawn_at": told.withdrawn_at,
        "told": len(states),
        "answered": sum(1 for state in states if state not in announcing.OPEN),
    }


def show_one(told: Announcement) -> dict[str, Any]:
    """Return a piece of news with everybody who was told."""
    return show(told) | {"addressees": [show_row(one) for one in announcing.progress(told)]}


def show_row(one: announcing.Progress) -> dict[str, Any]:
    """Return a supplier that was told."""
    row = one.row
    return {
        "id": str(row.uuid),
        "mandate": str(row.mandate.uuid),
        "name": row.mandate.supplier.name,
        "state": row.state,
        "says": row.says,
        "contact": str(row.answer.uuid) if row.answer else None,
        "is_sent": one.is_sent,
        "is_lost": one.is_lost,
        "detail": one.event.detail if one.event else "",
        "changed_at": row.changed_at,
    }


def refused(error: NewsError) -> Problem:
    """Return what cannot be told as a problem."""
    pointer = {"suppliers": "/mandates"}.get(error.field, f"/{error.field}" if error.field else "")
    return Problem(422, code=error.code, detail=error.detail, pointer=pointer)


class Announcements(OwnerView):
    """What the household told many suppliers at once."""

    is_sensitive = True

    @listed(
        "announcements_list",
        pages=page_of(AnnouncementOut, "Announcement"),
        show=show,
        by="announced_at",
    )
    def get(self, request: Request) -> QuerySet[Announcement]:
        """List what was told."""
        return announcing.mine(owner_of(request)).prefetch_related("addressees")

    @extend_schema(
        operation_id="announcements_make",
        request=AnnouncementIn,
        responses={201: OneAnnouncementOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Tell the chosen suppliers; it goes out five minutes later."""
        owner, values = owner_of(request), checked(AnnouncementIn, request)
        household = values["household"]
        households.require(owner=owner, household_id=household.pk, least=Rank.ADMIN)
        try:
            told = announcing.announce(
                household=household,
                news=announcing.News(
                    kind=NewsKind(values["news"]),
                    on=values.get("on"),
                    value=values.get("value", ""),
                    note=values.get("note", ""),
                    asset=values.get("asset"),
                ),
                chosen=values["mandates"],
                owner=owner,
                now=clock.now(),
            )
        except NewsError as error:
            raise refused(error) from error
        return Response(show_one(told), status=201)


class Candidates(OwnerView):
    """Who could be told."""

    is_sensitive = True

    @extend_schema(
        operation_id="announcements_candidates",
        parameters=[
            OpenApiParameter("household", OpenApiTypes.UUID, required=True),
            OpenApiParameter("news", OpenApiTypes.STR, enum=NewsKind.values, required=True),
            OpenApiParameter("asset", OpenApiTypes.UUID),
        ],
        responses=CandidatesOut,
    )
    def get(self, request: Request) -> Response:
        """Return every supplier that could be told, and whether it should be."""
        values = asked(CandidatesIn, request)
        found = announcing.candidates(
            household=values["household"],
            kind=NewsKind(values["news"]),
            asset=values.get("asset"),
        )
        return Response(
            {
                "candidates": [
                    {
                        "mandate": str(one.mandate.uuid),
                        "supplier": str(one.mandate.supplier.uuid),
                        "name": one.mandate.supplier.name,
                        "route": one.via,
                        "learns": one.learns,
                        "told_at": one.told.created_at if one.told else None,
                        "is_suggested": one.is_suggested,
                    }
                    for one in found
                ]
            }
        )


class OneAnnouncement(OwnerView):
    """One piece of news."""

    is_sensitive = True

    @extend_schema(operation_id="announcements_get", responses=OneAnnouncementOut)
    def get(self, request: Request, announcement: UUID) -> Response:
        """Return who was told, who answered, and who needs something."""
        return Response(show_one(announcing.mine(owner_of(request)).get(uuid=announcement)))


class Withdrawal(OwnerView):
    """Taking a piece of news back."""

    is_sensitive = True

    @extend_schema(
        operation_id="announcements_withdraw", request=None, responses={200: WithdrawnOut}
    )
    @once
    def post(self, request: Request, announcement: UUID) -> Response:
        """Take back what has not gone out; 409 `gone` when all of it has."""
        owner = owner_of(request)
        told = announcing.mine(owner).get(uuid=announcement)
        households.require(owner=owner, household_id=told.household_id, least=Rank.ADMIN)
        stopped, gone = announcing.withdraw(told=told, owner=owner, now=clock.now())
        if not stopped:
            raise Problem(409, code="gone", detail="It has gone out, or was taken back already.")
        return Response({"stopped": stopped, "gone": gone})


class OneAddressee(OwnerView):
    """One supplier that was told."""

    is_sensitive = True

    @extend_schema(
        operation_id="announcements_answer", request=AnswerIn, responses={200: OneAnnouncementOut}
    )
    @once
    def patch(self, request: Request, addressee: UUID) -> Response:
        """Note what the owner knows of its answer."""
        owner = owner_of(request)
        mine = Addressee.objects.for_owner(owner)
        row = mine.select_related("announcement__household", "mandate").get(uuid=addressee)
        households.require(owner=owner, household_id=row.household_id)
        state = AnswerState(checked(AnswerIn, request)["state"])
        announcing.settle(row=row, state=state, now=clock.now())
        doorbell.ring("feed")
        return Response(show_one(announcing.mine(owner).get(pk=row.announcement_id)))


urlpatterns = [
    path("announcements/", Announcements.as_view()),
    path("announcements/candidates/", Candidates.as_view()),
    path("announcements/<uuid:announcement>/", OneAnnouncement.as_view()),
    path("announcements/<uuid:announcement>/withdraw/", Withdrawal.as_view()),
    path("announcement-answers/<uuid:addressee>/", OneAddressee.as_view()),
]
