"""The monthly report, the facts about a supplier, and the journey log, for apps."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import (
    counted,
    journey_log,
    month_mail,
    month_words,
    months,
    supplier_facts,
)
from notifications.months import Month, MonthError, Report
from owners import clock
from owners.api.edge import Known, OwnerView, asked, checked, once, owner_of
from owners.api.problems import Problem
from owners.models import Household, Owner
from suppliers.models import Supplier

HOUSEHOLD = OpenApiParameter(
    "household", OpenApiTypes.UUID, description="The first of the owner's unless given."
)
MONTH = OpenApiParameter(
    "month", OpenApiTypes.STR, description="As 2026-11; the last whole month unless given."
)


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households there are reports of."""
    return Household.objects.for_owner(owner).order_by("pk")


class Which(serializers.Serializer[Any]):
    """Which household and month."""

    household = Known(my_households, required=False)
    month = serializers.CharField(required=False, max_length=7)


class ReportLineOut(serializers.Serializer[Any]):
    """A sentence, and the page that shows what it says."""

    text = serializers.CharField()
    href = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True, help_text="The measure it counts, if one.")


class ReportPartOut(serializers.Serializer[Any]):
    """One part of the report under its title."""

    name = serializers.CharField()
    title = serializers.CharField()
    lines = ReportLineOut(many=True)


class ReportOut(serializers.Serializer[Any]):
    """One month of one household, in words and in numbers."""

    household = serializers.UUIDField()
    month = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="Exclusive.")
    is_so_far = serializers.BooleanField(help_text="The month is not over.")
    is_empty = serializers.BooleanField()
    is_partial = serializers.BooleanField(help_text="Of so much only the newest is counted.")
    title = serializers.CharField()
    lead = serializers.CharField()
    parts = ReportPartOut(many=True)
    measures = serializers.DictField(
        help_text="Every number by its name; what ends in `_s` is in seconds."
    )
    before = serializers.CharField(allow_null=True, help_text="The month before, if any.")
    after = serializers.CharField(allow_null=True)
    is_mailed = serializers.BooleanField(help_text="Whether the owner is mailed the report.")


class CaseOut(serializers.Serializer[Any]):
    """One event that was counted."""

    kind = serializers.ChoiceField(
        choices=["contact", "notification", "digest", "visit", "promise", "survey", "request",
                 "journey"]
    )  # fmt: skip
    id = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)
    what = serializers.CharField()
    journey = serializers.UUIDField(allow_null=True)
    supplier = serializers.CharField(allow_blank=True)
    amount = serializers.FloatField()
    is_part = serializers.BooleanField(help_text="Whether it is of the part the name says.")


class CasesOut(serializers.Serializer[Any]):
    """What one number was counted from, the newest first."""

    name = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    total = serializers.IntegerField()
    part = serializers.IntegerField()
    cases = CaseOut(many=True, help_text=f"The newest {counted.LISTED}.")


def report_of(request: Request) -> Report:
    """Return the report that is asked for; a problem where there is none."""
    owner, now, values = owner_of(request), clock.now(), asked(Which, request)
    household = values.get("household") or my_households(owner).first()
    if household is None:
        raise Problem(404, code="not_found", detail="There is no household.")
    try:
        month = (
            Month.parse(values["month"], zone=months.zone_of(owner, household))
            if values.get("month")
            else months.latest(owner=owner, household=household, now=now)
        )
        return months.of(owner=owner, household=household, month=month, now=now)
    except MonthError as error:
        raise Problem(404, code="no_report", detail="There is no report of this month.") from error


def show_report(report: Report, *, owner: Owner) -> dict[str, Any]:
    """Return a report as the API shows it."""
    period = report.month.period
    return {
        "household": str(report.household.uuid),
        "month": str(report.month),
        "since": period.since,
        "until": period.until,
        "is_so_far": report.is_so_far,
        "is_empty": report.is_empty,
        "is_partial": report.is_partial,
        "title": month_words.title(report),
        "lead": month_words.lead(report),
        "parts": [
            {
                "name": part.name,
                "title": part.title,
                "lines": [
                    {"text": line.text, "href": line.href, "name": line.name} for line in part.lines
                ],
            }
            for part in month_words.parts(report)
        ],
        "measures": dict(report.figures),
        "before": str(report.before) if report.before else None,
        "after": str(report.after) if report.after else None,
        "is_mailed": month_mail.is_wished(owner=owner, household=report.household),
    }


def show_cases(name: str, cases: Any, *, household: Household) -> dict[str, Any]:
    """Return what a number was counted from as the API shows it."""
    if name not in counted.MEANINGS:
        raise Problem(404, code="unknown_measure", detail=f"There is no measure {name}.")
    title, meaning = counted.MEANINGS[name]
    events = counted.events(household=household, name=name, cases=cases[name])
    return {
        "name": name,
        "title": str(title),
        "meaning": str(meaning),
        "total": len(cases[name]),
        "part": sum(case.is_part for case in cases[name]),
        "cases": [
            {
                "kind": event.kind,
                "id": event.id,
                "at": event.at,
                "what": event.what,
                "journey": event.journey or None,
                "supplier": event.supplier,
                "amount": event.amount,
                "is_part": event.is_part,
            }
            for event in events
        ],
    }


class MonthReport(OwnerView):
    """The monthly report."""

    @extend_schema(operation_id="report_get", parameters=[HOUSEHOLD, MONTH], responses=ReportOut)
    def get(self, request: Request) -> Response:
        """Return a month of a household as the calling owner reads it."""
        return Response(show_report(report_of(request), owner=owner_of(request)))


class MonthCases(OwnerView):
    """What the numbers of a report are counted from."""

    @extend_schema(operation_id="report_cases", parameters=[HOUSEHOLD, MONTH], responses=CasesOut)
    def get(self, request: Request, measure: str) -> Response:
        """Return the events behind one number."""
        report = report_of(request)
        return Response(show_cases(measure, report.cases, household=report.household))


class MonthPdf(OwnerView):
    """The report as one sheet."""

    @extend_schema(
        operation_id="report_pdf",
        parameters=[HOUSEHOLD, MONTH],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        """Return a month on one A4."""
        from notifications import month_pdf  # noqa: PLC0415 - loaded where it prints

        sheet = month_pdf.write(report_of(request), site=settings.SITE_URL)
        return HttpResponse(sheet, content_type="application/pdf")


class MailIn(serializers.Serializer[Any]):
    """Whether to be mailed the report each month."""

    household = Known(my_households)
    is_mailed = serializers.BooleanField()


class MailOut(serializers.Serializer[Any]):
    """Whether the owner is mailed a household's report."""

    household = serializers.UUIDField()
    is_mailed = serializers.BooleanField()


class ReportMail(OwnerView):
    """The wish to be mailed the report."""

    @extend_schema(operation_id="report_mail", request=MailIn, responses=MailOut)
    @once
    def put(self, request: Request) -> Response:
        """Begin or end mailing the report; the same again changes nothing."""
        values, owner = checked(MailIn, request), owner_of(request)
        month_mail.wish(
            owner=owner,
            household=values["household"],
            is_on=values["is_mailed"],
            now=clock.now(),
        )
        household = str(values["household"].uuid)
        return Response({"household": household, "is_mailed": values["is_mailed"]})


# --- one supplier ------------------------------------------------------------------------


class SupplierFactOut(serializers.Serializer[Any]):
    """One fact about a supplier: counts, and a share from enough closed matters on."""

    name = serializers.CharField()
    title = serializers.CharField()
    said = serializers.CharField()
    share = serializers.IntegerField(allow_null=True, help_text="Percent.")
    more = serializers.ListField(child=serializers.CharField())


class SupplierFactsOut(serializers.Serializer[Any]):
    """What a supplier did for a household in the last year."""

    supplier = serializers.UUIDField()
    household = serializers.UUIDField()
    since = serializers.DateTimeField()
    closed = serializers.IntegerField(help_text="Closed matters that it stands on.")
    has_shares = serializers.BooleanField()
    is_partial = serializers.BooleanField()
    facts = SupplierFactOut(many=True)


class SupplierFacts(OwnerView):
    """The facts about a supplier."""

    @extend_schema(operation_id="supplier_facts", responses=SupplierFactsOut)
    def get(self, request: Request, supplier: UUID) -> Response:
        """Return a supplier's facts in one of the calling owner's households."""
        owner = owner_of(request)
        found = Supplier.objects.for_owner(owner).get(uuid=supplier)
        card = supplier_facts.of(owner=owner, supplier=found, now=clock.now())
        return Response(
            {
                "supplier": str(found.uuid),
                "household": str(card.household.uuid),
                "since": card.since,
                "closed": card.closed,
                "has_shares": card.has_shares,
                "is_partial": card.is_partial,
                "facts": [
                    {
                        "name": fact.name,
                        "title": fact.title,
                        "said": fact.said,
                        "share": fact.share,
                        "more": list(fact.more),
                    }
                    for fact in supplier_facts.worded(card)
                ],
            }
        )


class SupplierCases(OwnerView):
    """What the facts about a supplier are counted from."""

    @extend_schema(operation_id="supplier_fact_cases", responses=CasesOut)
    def get(self, request: Request, supplier: UUID, measure: str) -> Response:
        """Return the events behind one fact."""
        owner = owner_of(request)
        found = Supplier.objects.for_owner(owner).get(uuid=supplier)
        card = supplier_facts.of(owner=owner, supplier=found, now=clock.now())
        return Response(show_cases(measure, card.cases, household=card.household))


# --- the journey log ---------------------------------------------------------------------


class OneHousehold(serializers.Serializer[Any]):
    """Which household."""

    household = Known(my_households, required=False)


class JourneyLog(OwnerView):
    """All events of the owner's households for process mining."""

    @extend_schema(
        operation_id="journey_log",
        parameters=[
            OpenApiParameter(
                "kind", OpenApiTypes.STR, location="path", enum=list(journey_log.NAMES)
            ),
            OpenApiParameter(
                "household", OpenApiTypes.UUID, description="All of the owner's unless given."
            ),
        ],
        responses={
            (200, journey_log.MEDIA_TYPES[journey_log.OCEL]): OpenApiTypes.OBJECT,
            (200, journey_log.MEDIA_TYPES[journey_log.XES]): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, kind: str) -> StreamingHttpResponse:
        """Return the log as OCEL 2.0 JSON (`ocel`) or IEEE 1849 XES (`xes`), as it is read."""
        if kind not in journey_log.NAMES:
            raise Problem(404, code="unknown_kind", detail="A log is `ocel` or `xes`.")
        owner, chosen = owner_of(request), asked(OneHousehold, request).get("household")
        homes = [chosen.pk] if chosen else list(my_households(owner).values_list("pk", flat=True))
        return StreamingHttpResponse(
            journey_log.write(kind, owner=owner, households=homes),
            content_type=journey_log.MEDIA_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{journey_log.NAMES[kind]}"'},
        )


urlpatterns = [
    path("report/", MonthReport.as_view(), name="report"),
    path("report/pdf/", MonthPdf.as_view(), name="report-pdf"),
    path("report/mail/", ReportMail.as_view(), name="report-mail"),
    path("report/cases/<slug:measure>/", MonthCases.as_view(), name="report-cases"),
    path("suppliers/<uuid:supplier>/facts/", SupplierFacts.as_view(), name="supplier-facts"),
    path(
        "suppliers/<uuid:supplier>/facts/<slug:measure>/",
        SupplierCases.as_view(),
        name="supplier-fact-cases",
    ),
    path("journey-log/<slug:kind>/", JourneyLog.as_view(), name="journey-log"),
]
