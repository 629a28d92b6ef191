"""Bringing in a file: chosen, asked about, shown, brought in, taken back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import importing
from assets.import_forms import AnswersForm, ImportFileForm
from assets.import_words import counted, lines, why
from assets.importers.faults import FILE_FAULTS
from assets.importers.questions import AnswerError
from assets.importers.values import guarded
from assets.importers.words import ImportState, RowState
from assets.models import Import
from owners import clock, households, undo
from owners.models import Owner
from owners.pages import OwnerRequest, page, said

PAGE = 20
BAD_SHOWN, BAD_SAVED = 50, 20_000
STEPS = {
    ImportState.READING: 1,
    ImportState.ASKING: 2,
    ImportState.CHECKING: 2,
    ImportState.READY: 3,
    ImportState.RUNNING: 4,
    ImportState.DONE: 5,
}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: OwnerRequest) -> HttpResponse:
    """Choose a file to bring in; and what was brought in before."""
    owner, now = request.user, clock.now()
    if request.method == "POST":
        households.ensure_first(owner=owner, now=now)
    form = ImportFileForm(request.POST or None, owner=owner)
    file = request.FILES.get("file")
    status = 200
    if request.method == "POST":
        if file is None:
            messages.error(request, _("Choose a file first."))
            status = 422
        elif form.is_valid():
            household = form.cleaned_data["household"]
            households.require(owner=owner, household_id=household.pk)
            try:
                run = importing.begin(
                    household=household,
                    owner=owner,
                    name=file.name or "",
                    content=file.read(),
                    now=now,
                )
            except importing.BringError as error:
                messages.error(request, _(error.detail))
                status = 422
            else:
                there = reverse("import", args=[run.uuid])
                if request.htmx:
                    return HttpResponse(headers={"HX-Redirect": there})
                return redirect(there)
        else:
            status = 422
    mine = Import.objects.for_owner(owner).select_related("household").order_by("-created_at")
    rows = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "rows": rows}
    return render(request, "assets/imports.html", context, status=status)


def find_import(owner: Owner, key: UUID) -> Import:
    """Return the owner's import; anybody else's does not exist."""
    try:
        return importing.find(owner=owner, key=key)
    except Import.DoesNotExist as error:
        raise Http404 from error


@page
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One import, as far as it is: its questions, what it will make, how far it has come."""
    run = find_import(request.user, key)
    status = 200
    form = None
    is_asked = run.state == ImportState.ASKING or "change" in request.GET
    if request.method == "POST" or (is_asked and run.state in importing.ANSWERABLE):
        if run.state not in importing.ANSWERABLE:
            messages.error(request, _(importing.NOT_NOW[1]))
            return redirect("import", key=key)
        if request.method == "POST":
            households.require(owner=request.user, household_id=run.household_id)
            if is_read_anew(run, request.POST.get("form", "")):
                return redirect("import", key=key)
        form = AnswersForm(request.POST or None, run=run)
        if form.is_valid() and take_answers(request, run, form):
            return redirect("import", key=key)
        status = 422 if form.is_bound else 200
    name = "_import_progress" if request.htmx else "import"
    answer = render(request, f"assets/{name}.html", shown(run, form), status=status)
    if request.htmx and not run.is_at_work:
        answer.headers["HX-Refresh"] = "true"  # a stage is over: the page has something to say
    return answer


def is_read_anew(run: Import, kind: str) -> bool:
    """Read the file as the kind that is said, when that is another; False when it is not."""
    if not kind or kind == run.form:
        return False
    try:
        importing.read_as(run=run, form=kind)
    except (AnswerError, importing.BringError):
        return False
    return True


def take_answers(request: OwnerRequest, run: Import, form: AnswersForm) -> bool:
    """Take the answers of a form; False when they cannot be, which the form then says."""
    got = form.cleaned_data
    try:
        importing.answer(
            run=run,
            said=form.answers(),
            asset=got.get("asset"),
            asset_name=got.get("asset_name") or "",
            now=clock.now(),
        )
    except AnswerError as error:
        field = error.ask if error.ask in form.fields else None
        form.add_error(field, _("This cannot be. Choose another."))
        return False
    except importing.BringError as error:
        messages.error(request, _(error.detail))
    return True


def shown(run: Import, form: AnswersForm | None) -> dict[str, Any]:
    """Return an import as its page shows it."""
    is_read = bool(run.form)
    context: dict[str, Any] = {
        "run": run,
        "form": form,
        "kind": _(importing.form_of(run).label) if is_read else "",
        "step": STEPS.get(ImportState(run.state), 5),
        "steps": [_("File"), _("Questions"), _("Preview"), _("Bring in")],
        "percent": progress(run),
        "fault": _(FILE_FAULTS[run.fault]) if run.fault else "",
        "makes": counted(run.made if run.state == ImportState.DONE else run.plan.get("makes", {})),
        "named": run.plan.get("named", []),
    }
    if run.state in (ImportState.ASKING, ImportState.READY):
        context["sample"] = [
            {"number": row.number, "lines": lines(what)} for row, what in importing.sample(run)
        ]
    if run.bad and run.state in (ImportState.READY, ImportState.DONE):
        rows = run.rows.filter(state=RowState.BAD).order_by("number")[:BAD_SHOWN]
        context["bad_rows"] = [{"number": row.number, "why": why(row)} for row in rows]
    if run.state == ImportState.DONE:
        context["change"] = undo.latest(kind=importing.BROUGHT_IN, subject=run.uuid)
    return context


def progress(run: Import) -> int:
    """Return how far this stage is, in percent."""
    whole = run.rows_read or 1
    return min(100, run.rows_done * 100 // whole)


@page
@require_POST
def import_start(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Bring in what was shown."""
    run = find_import(request.user, key)
    households.require(owner=request.user, household_id=run.household_id)
    try:
        importing.start(run=run, now=clock.now())
    except importing.BringError as error:
        messages.error(request, _(error.detail))
    return redirect("import", key=key)


@page
@require_POST
def import_cancel(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Stop, and take back whatever was made."""
    run = find_import(request.user, key)
    households.require(owner=request.user, household_id=run.household_id)
    try:
        importing.cancel(run=run, now=clock.now())
    except importing.BringError as error:
        messages.error(request, _(error.detail))
    else:
        said(request, _("Cancelled. Nothing of it stays."))
    return redirect("import", key=key)


class Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        """Return the line."""
        return value


@page
@require_GET
def import_bad_rows(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Give out the rows that were left out, each with why, to be put right and brought in."""
    run = find_import(request.user, key)
    answer = HttpResponse(bad_rows(run), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="left-out.csv"'
    return answer


def bad_rows(run: Import) -> Iterator[str]:
    """Yield the lines of the rows that were left out; no spreadsheet runs what is in them."""
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow([_("Row"), _("Why"), *map(guarded, run.columns)])
    for row in run.rows.filter(state=RowState.BAD).order_by("number")[:BAD_SAVED]:
        cells = (row.values.get(name, "") for name in run.columns)
        yield writer.writerow([row.number, why(row), *map(guarded, cells)])
