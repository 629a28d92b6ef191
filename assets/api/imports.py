"""Bringing in files through the API: sent, answered, looked at, started, followed, cancelled."""

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import path
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from assets import import_words, importing
from assets.importers import questions
from assets.importers.faults import FILE_FAULTS, ROW_FAULTS, RowError
from assets.importers.formats import FORMATS, generic
from assets.importers.questions import AnswerError
from assets.importers.rows import EXTRA, IGNORE, Ask
from assets.importers.values import DateOrder
from assets.importers.words import ImportState, RowState
from assets.models import Asset, Import, ImportRow
from owners import clock, households
from owners.api.edge import Known, OwnerView, checked, once, owner_of
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.models import Change, Household, Owner


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households a file may be brought into."""
    return Household.objects.for_owner(owner)


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets that a file may be about."""
    return Asset.objects.for_owner(owner)


def my_imports(owner: Owner) -> QuerySet[Import]:
    """Return the owner's imports with all that `show_import` reads."""
    rows = Import.objects.for_owner(owner).select_related("household", "asset")
    changes = Change.objects.filter(kind=importing.BROUGHT_IN, undone_at=None)
    mine = changes.filter(subject=OuterRef("uuid"), household=OuterRef("household"))
    return rows.annotate(undo=Subquery(mine.values("uuid")[:1]))


class ImportIn(serializers.Serializer[Any]):
    """A file to be brought into a household."""

    household = Known(my_households)
    file = serializers.FileField(max_length=300, allow_empty_file=True)


class AnswersIn(serializers.Serializer[Any]):
    """What the owner says of a file; what is left out is as the file says, or as we guess."""

    form = serializers.ChoiceField(choices=list(FORMATS), required=False)
    dates = serializers.ChoiceField(choices=[str(each) for each in DateOrder], required=False)
    decimal = serializers.ChoiceField(choices=list(questions.DECIMALS), required=False)
    currency = serializers.CharField(min_length=3, max_length=3, required=False)
    distance = serializers.ChoiceField(choices=list(questions.DISTANCES), required=False)
    volume = serializers.ChoiceField(choices=list(questions.VOLUMES), required=False)
    lists = serializers.ChoiceField(choices=list(questions.LISTS), required=False)
    kind = serializers.CharField(max_length=20, required=False)
    columns = serializers.DictField(
        child=serializers.ChoiceField(choices=[EXTRA, IGNORE, *generic.TARGETS]), required=False
    )
    asset = Known(my_assets, required=False, allow_null=True)
    asset_name = serializers.CharField(max_length=120, required=False, allow_blank=True)


class ImportOut(serializers.Serializer[Any]):
    """A file on its way in."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ImportState.choices)
    form = serializers.CharField(allow_blank=True, help_text="What kind of file it is.")
    columns = serializers.ListField(child=serializers.CharField())
    asks = serializers.ListField(
        child=serializers.ChoiceField(choices=[str(ask) for ask in Ask]),
        help_text="What the file leaves open: names of answers.",
    )
    answers = serializers.DictField(
        child=serializers.CharField(),
        help_text="What is settled, by the file or by the owner, and our guess of the rest.",
    )
    mapping = serializers.DictField(
        child=serializers.CharField(), help_text="What each column is taken for."
    )
    asset = serializers.UUIDField(allow_null=True)
    asset_name = serializers.CharField(allow_blank=True)
    rows = serializers.IntegerField()
    rows_done = serializers.IntegerField(help_text="In this stage.")
    makes = serializers.DictField(
        child=serializers.IntegerField(), help_text="What checking found would be made."
    )
    made = serializers.DictField(child=serializers.IntegerField())
    left_out = serializers.IntegerField()
    already_here = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Assets that an undo left: they became more.")
    fault = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    undo = serializers.UUIDField(allow_null=True, help_text="`POST undo/{id}/` takes it back.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


def show_import(run: Import) -> dict[str, Any]:
    """Return an import as the API shows it."""
    standing = importing.standing_of(run) if run.form else questions.Standing()
    undo = getattr(run, "undo", None)  # a new one has nothing to undo
    return {
        "id": str(run.uuid),
        "household": str(run.household.uuid),
        "name": run.name,
        "size": run.size,
        "state": run.state,
        "form": run.form,
        "columns": run.columns,
        "asks": [str(ask) for ask in standing.open],
        "answers": {str(k): v for k, v in {**standing.guesses, **standing.settled}.items()},
        "mapping": dict(standing.columns),
        "asset": str(run.asset.uuid) if run.asset else None,
        "asset_name": run.asset_name,
        "rows": run.rows_read,
        "rows_done": run.rows_done,
        "makes": run.plan.get("makes", {}),
        "made": run.made,
        "left_out": run.bad,
        "already_here": run.known,
        "kept": run.kept,
        "fault": run.fault,
        "detail": gettext(FILE_FAULTS[run.fault]) if run.fault else "",
        "undo": str(undo) if undo and run.state == ImportState.DONE else None,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
    }


def refused(error: importing.BringError) -> Exception:
    """Return what cannot be as an answer."""
    statuses = {"too_large": 413, "no_room": 507, "state": 409, "too_many": 409}
    if error.code in statuses:
        return Problem(statuses[error.code], code=error.code, detail=gettext(error.detail))
    return serializers.ValidationError({"file": [gettext(error.detail)]}, code=error.code)


class Imports(OwnerView):
    """The files that the owner brings in."""

    parser_classes = [MultiPartParser]

    @listed(
        "imports_list",
        pages=page_of(ImportOut, "Import"),
        show=show_import,
        by="-created_at",
        filters=[filter_of("state", ImportState), about("household")],
    )
    def get(self, request: Request) -> QuerySet[Import]:
        """List what was brought in, the newest first."""
        rows = narrowed(my_imports(owner_of(request)), request, "state", ImportState)
        return of(rows, request, household="household__uuid")

    @extend_schema(
        operation_id="imports_add",
        request={"multipart/form-data": ImportIn},
        responses={201: ImportOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Send a file; it is read in the background. Look at it again for what it asks."""
        owner, values = owner_of(request), checked(ImportIn, request)
        household = values["household"]
        households.require(owner=owner, household_id=household.pk)
        try:
            run = importing.begin(
                household=household,
                owner=owner,
                name=values["file"].name or "",
                content=values["file"].read(),
                now=clock.now(),
            )
        except importing.BringError as error:
            raise refused(error) from error
        return Response(show_import(run), status=201)


class OneImport(OwnerView):
    """One file on its way in."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="imports_get", responses=ImportOut)
    def get(self, request: Request, run: UUID) -> Response:
        """Return how far it is, what it asks, and what it makes."""
        return Response(show_import(my_imports(owner_of(request)).get(uuid=run)))

    @extend_schema(operation_id="imports_answer", request=AnswersIn, responses=ImportOut)
    @once
    def patch(self, request: Request, run: UUID) -> Response:
        """Answer what is open, and map columns; every row is then checked by it.

        Another `form` alone reads the file as that kind, and asks anew.
        """
        owner = owner_of(request)
        found = my_imports(owner).get(uuid=run)
        households.require(owner=owner, household_id=found.household_id)
        said = checked(AnswersIn, request)
        try:
            if said.get("form", found.form) != found.form:
                changed = importing.read_as(run=found, form=said["form"])
            else:
                changed = importing.answer(
                    run=found,
                    asset=said.pop("asset", None),
                    asset_name=said.pop("asset_name", ""),
                    said=said,
                    now=clock.now(),
                )
        except AnswerError as error:
            text = gettext("This cannot be, or is missing.")
            raise serializers.ValidationError({str(error.ask): [text]}, code="answer") from error
        except importing.BringError as error:
            raise refused(error) from error
        return Response(show_import(my_imports(owner).get(pk=changed.pk)))

    @extend_schema(operation_id="imports_cancel", responses={204: None})
    @once
    def delete(self, request: Request, run: UUID) -> Response:
        """Stop, and take back whatever was made."""
        owner = owner_of(request)
        found = my_imports(owner).get(uuid=run)
        households.require(owner=owner, household_id=found.household_id)
        try:
            importing.cancel(run=found, now=clock.now())
        except importing.BringError as error:
            raise refused(error) from error
        return Response(status=204)


class ImportStart(OwnerView):
    """The beginning of what cannot be un-asked, only undone."""

    @extend_schema(operation_id="imports_start", request=None, responses=ImportOut)
    @once
    def post(self, request: Request, run: UUID) -> Response:
        """Bring in what checking showed, once it is `ready`."""
        owner = owner_of(request)
        found = my_imports(owner).get(uuid=run)
        households.require(owner=owner, household_id=found.household_id)
        try:
            importing.start(run=found, now=clock.now())
        except importing.BringError as error:
            raise refused(error) from error
        return Response(show_import(my_imports(owner).get(pk=found.pk)))


class ImportRowOut(serializers.Serializer[Any]):
    """One row of a file."""

    row = serializers.IntegerField(help_text="As a spreadsheet numbers it.")
    state = serializers.ChoiceField(choices=RowState.choices)
    values = serializers.DictField(child=serializers.CharField())
    code = serializers.CharField(allow_blank=True)
    column = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True, help_text="Why it is left out.")


def show_row(row: ImportRow) -> dict[str, Any]:
    """Return a row as the API shows it."""
    words = {"column": row.column, "value": row.said}
    return {
        "row": row.number,
        "state": row.state,
        "values": row.values,
        "code": row.fault,
        "column": row.column,
        "detail": gettext(ROW_FAULTS[row.fault]) % words if row.fault else "",
    }


class ImportRows(OwnerView):
    """The rows of a file."""

    @listed(
        "imports_rows",
        pages=page_of(ImportRowOut, "ImportRow"),
        show=show_row,
        by="number",
        is_time=False,
        filters=[filter_of("state", RowState)],
    )
    def get(self, request: Request, run: UUID) -> QuerySet[ImportRow]:
        """List its rows; once it is brought in, those that were left out, for 30 days."""
        found = my_imports(owner_of(request)).get(uuid=run)
        return narrowed(ImportRow.objects.filter(of=found), request, "state", RowState)


class ImportSampleOut(serializers.Serializer[Any]):
    """What one of the first rows becomes."""

    row = serializers.IntegerField(help_text="As a spreadsheet numbers it.")
    becomes = serializers.ListField(
        child=serializers.CharField(), help_text="A line for each thing, or why it is left out."
    )
    is_left_out = serializers.BooleanField()


class ImportSample(OwnerView):
    """The first rows, by the answers so far."""

    @extend_schema(operation_id="imports_sample", responses=ImportSampleOut(many=True))
    def get(self, request: Request, run: UUID) -> Response:
        """Return what the first rows become, in words; nothing while questions are open."""
        found = my_imports(owner_of(request)).get(uuid=run)
        rows = importing.sample(found) if found.form else []
        return Response(
            [
                {
                    "row": row.number,
                    "becomes": import_words.lines(what),
                    "is_left_out": isinstance(what, RowError),
                }
                for row, what in rows
            ]
        )


urlpatterns = [
    path("imports/", Imports.as_view(), name="imports"),
    path("imports/<uuid:run>/", OneImport.as_view(), name="import"),
    path("imports/<uuid:run>/start/", ImportStart.as_view(), name="import-start"),
    path("imports/<uuid:run>/sample/", ImportSample.as_view(), name="import-sample"),
    path("imports/<uuid:run>/rows/", ImportRows.as_view(), name="import-rows"),
]
