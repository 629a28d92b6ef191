"""Care on the pages: what is due, one tap that does it, and what was done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from assets import caring, documents, duedates, metering, sharing, tabs
from assets.care import SEASON_START
from assets.care_forms import EVENTS, LogWorkForm, MarkForm, TaskForm, WorkForm
from assets.care_specs import SpecError
from assets.care_words import CareState, CareStatus, IssueStatus, MarkKind
from assets.choices import DocumentKind
from assets.models import Asset, CareTask, Document, Issue, Part, ServiceRecord
from assets.models.care import PRESSING, ServiceRecordQuerySet
from assets.views import find_asset
from owners import clock, households, undo
from owners.choices import Rank
from owners.models import Owner
from owners.pages import OwnerRequest, page, said, way_back

PAGE = 60
SHOWN = 30
FILES_MOST = 10
REFUSED = (caring.CareError, metering.MeterError, SpecError, documents.DocumentError)


def my_tasks(owner: Owner) -> Any:
    """Return the owner's tasks with all that their rows show."""
    rows = CareTask.objects.for_owner(owner)
    return rows.select_related("asset__household", "household", "assignee")


def find_task(owner: Owner, key: UUID) -> CareTask:
    """Return the owner's task; any other, and one in the bin, does not exist."""
    found: CareTask = get_object_or_404(my_tasks(owner), uuid=key)
    return found


@page
@require_GET
def care_list(request: OwnerRequest) -> HttpResponse:
    """Everything that is to be done, for all assets: what is due first."""
    owner = request.user
    mine = my_tasks(owner)
    view = request.GET.get("view", "")
    if view == "due":
        mine = mine.filter(status__in=PRESSING)
    elif view == "mine":
        mine = mine.filter(assignee=owner)
    elif view == "unknown":
        mine = mine.filter(status=CareStatus.UNKNOWN)
    views = [("", _("All")), ("due", _("Due")), ("mine", _("Mine")), ("unknown", _("To be asked"))]
    rows = Paginator(mine.by_need(), PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": rows,
        "extra": f"&view={view}" if view else "",
        "filters": [
            {"label": label, "href": f"?view={name}" if name else "?", "is_at": name == view}
            for name, label in views
        ],
        "low": Part.objects.for_owner(owner).low().order_by("name", "pk")[:SHOWN],
        "assets": Asset.objects.for_owner(owner).looked_after()[:PAGE],
        "view": view,
    }
    return render(request, "assets/care.html", context)


@page
@require_GET
def asset_care(request: OwnerRequest, key: UUID) -> HttpResponse:
    """The care of one thing: its plan, what is due, what was done, meters and parts."""
    asset = find_asset(request.user, key)
    tasks = my_tasks(request.user).filter(asset=asset).by_need()
    log = asset.service_records.filter(removed_at=None)
    context = {
        "asset": asset,
        "tabs": tabs.of(asset, "care"),
        "tasks": tasks[:PAGE],
        "log": written_down(request.user, log),
        "meters": meters_of(asset),
        "parts": Part.objects.filter(household=asset.household, removed_at=None).fitting(asset)[
            :SHOWN
        ],
        "issues": asset.issues.filter(removed_at=None).open()[:SHOWN],
        "issue_words": IssueStatus.choices,
    }
    return render(request, "assets/asset_care.html", context)


def written_down(owner: Owner, records: ServiceRecordQuerySet) -> list[ServiceRecord]:
    """Return the newest work, each with those of its papers that are still here."""
    found = list(records.select_related("done_by", "cost").newest()[:SHOWN])
    named = {paper for record in found for paper in record.papers}
    known = Document.objects.for_owner(owner).filter(uuid__in=named) if named else ()
    here = {paper.uuid: paper for paper in known}
    for record in found:
        record.here = [here[paper] for paper in record.papers if paper in here]  # type: ignore[attr-defined]  # for the template
    return found


def meters_of(asset: Asset) -> list[dict[str, Any]]:
    """Return an asset's meters with their last readings, the oldest of those first."""
    found = []
    for meter in asset.meters.filter(removed_at=None).order_by("name", "pk")[:SHOWN]:
        last = list(meter.readings.counting().order_by("-read_on", "-pk")[:12])[::-1]
        found.append(
            {
                "meter": meter,
                "last": last[-1] if last else None,
                "values": [float(reading.value) for reading in last],
                "cells": [f"{reading.value.normalize():f}" for reading in last],
                "days": [reading.read_on for reading in last],
            }
        )
    return found


@page
@require_GET
def task_page(request: OwnerRequest, key: UUID) -> HttpResponse:
    """One task: how it stands, how it is done, and when it was."""
    task = find_task(request.user, key)
    done = ServiceRecord.objects.for_owner(request.user).filter(tasks__contains=[task.uuid])
    context = {
        "task": task,
        "log": written_down(request.user, done),
        "is_paused": task.state == CareState.PAUSED,
        "meters": {str(meter.uuid): meter for meter in task.asset.meters.all()},
        "form": MarkForm(),
        "events": [dict(EVENTS).get(name, name) for name in events_of(task)],
    }
    return render(request, "assets/care_task.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def task_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """A new task."""
    asset = find_asset(request.user, key)
    if request.method != "POST":
        initial = {"rhythm": "floating", "every": 1, "unit": "year"}
        form = TaskForm(asset=asset, initial=initial)
        return render(request, "assets/care_edit.html", {"form": form, "asset": asset})
    households.require(owner=request.user, household_id=asset.household_id)
    form = TaskForm(request.POST, asset=asset)
    if form.is_valid():
        try:
            task = caring.add(
                asset=asset,
                spec=form.as_spec(),
                assignee=form.cleaned_data["assignee"],
                owner=request.user,
                now=clock.now(),
            )
        except REFUSED as error:
            refuse(form, error)
        else:
            said(request, _("Planned."), undo.latest(kind=caring.ADDED, subject=task.uuid))
            return redirect("asset-care", asset.uuid)
    context = {"form": form, "asset": asset}
    return render(request, "assets/care_edit.html", context, status=422)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def task_edit(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Change a task."""
    task = find_task(request.user, key)
    spec = caring.spec_of(task)
    initial = {"assignee": task.assignee.uuid if task.assignee else ""}
    context: dict[str, Any] = {"task": task, "asset": task.asset}
    if request.method != "POST":
        context["form"] = TaskForm(asset=task.asset, spec=spec, initial=initial)
        return render(request, "assets/care_edit.html", context)
    households.require(owner=request.user, household_id=task.household_id)
    form = TaskForm(request.POST, asset=task.asset, spec=spec, initial=initial)
    if form.is_valid():
        try:
            change = caring.change(
                task=task,
                spec=form.as_spec(),
                assignee=form.cleaned_data["assignee"],
                owner=request.user,
                now=clock.now(),
            )
        except REFUSED as error:
            refuse(form, error)
        else:
            said(request, _("Saved."), change)
            return redirect("care-task", task.uuid)
    return render(request, "assets/care_edit.html", context | {"form": form}, status=422)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def task_done(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Done: at once from a button, or with all there is to say from a form."""
    owner, now = request.user, clock.now()
    task = find_task(owner, key)
    today = duedates.today_in(task.household.zone, now)
    context = {"task": task, "asset": task.asset}
    if request.method != "POST":
        form = WorkForm(asset=task.asset, owner=owner, today=today, task=task)
        return render(request, "assets/care_done.html", context | {"form": form})
    sharing.require_help(owner=owner, asset=task.asset, task=task)
    if "done_on" not in request.POST:  # the one tap
        record = caring.done(
            task=task, owner=owner, now=now, occurrence=request.POST.get("occurrence")
        )
        return answer_done(request, task, record)
    form = WorkForm(
        request.POST, request.FILES, asset=task.asset, owner=owner, today=today, task=task
    )
    if form.is_valid():
        try:
            papers = keep_papers(request, task.asset)
            record = caring.done(
                task=task,
                owner=owner,
                now=now,
                done_on=form.cleaned_data["done_on"],
                said=form.said(papers=papers),
            )
        except REFUSED as error:
            refuse(form, error)
        else:
            return answer_done(request, task, record)
    return render(request, "assets/care_done.html", context | {"form": form}, status=422)


def answer_done(
    request: OwnerRequest, task: CareTask, record: ServiceRecord | None
) -> HttpResponse:
    """Say that it is done, with its undo, and go back."""
    if record is None:
        messages.info(request, _("Somebody did it already."))
    else:
        said(
            request,
            _("Done, and written down."),
            undo.latest(kind=caring.DONE, subject=record.uuid),
        )
    return redirect(way_back(request, reverse("asset-care", args=[task.asset.uuid])))


def keep_papers(request: OwnerRequest, asset: Asset) -> list[UUID]:
    """Keep the photos and receipts that came with the work."""
    kept = []
    for file in request.FILES.getlist("papers")[:FILES_MOST]:
        document = documents.add(
            household=asset.household,
            asset=asset,
            owner=request.user,
            name=file.name or "",
            content=file.read(),
            now=clock.now(),
            kind=None if (file.content_type or "").startswith("image/") else DocumentKind.RECEIPT,
        )
        kept.append(document.uuid)
    return kept


def events_of(task: CareTask) -> list[str]:
    """Return the occasions that a task waits for and that only its owner can tell of."""
    named = [one["event"] for one in task.triggers if one["kind"] == "event"]
    return [name for name in named if name not in (SEASON_START, caring.FAILED_CHECK)]


@page
@require_POST
def task_act(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Skip it this time, put it off, move it, let it rest, or remove it."""
    owner, now = request.user, clock.now()
    task = find_task(owner, key)
    name = str(request.POST.get("name", ""))
    back = way_back(request, reverse("care-task", args=[task.uuid]))
    least = Rank.HELPER if name in ("skip", "snooze", "happened") else Rank.MEMBER
    if least == Rank.HELPER:
        sharing.require_help(owner=owner, asset=task.asset, task=task)
    households.require(owner=owner, household_id=task.household_id, least=least)
    words = {
        "skip": _("Skipped this time."),
        "snooze": _("Put off until then."),
        "reschedule": _("Moved."),
    }
    if name in words:
        form = MarkForm(request.POST)
        is_day = form.is_valid()
        if name != "skip" and not is_day:
            messages.error(request, _("Choose a day to come."))
            return redirect(back)
        until = form.cleaned_data["until"] if is_day and name != "skip" else None
        try:
            mark = caring.mark(task=task, kind=MarkKind(name), owner=owner, now=now, until=until)
        except caring.CareError as error:
            messages.error(request, _(error.detail))
        else:
            said(request, words[name], undo.latest(kind=caring.MARKED, subject=mark.uuid))
    elif name == "happened":
        events = events_of(task)
        if not events:
            return HttpResponse(status=400)
        today = duedates.today_in(task.household.zone, now)
        noted = caring.happened(asset=task.asset, event=events[0], on=today, owner=owner, now=now)
        said(request, _("Noted."), undo.latest(kind=caring.HAPPENED, subject=noted.uuid))
    elif name in ("pause", "resume"):
        change = caring.pause(task=task, owner=owner, now=now, is_paused=name == "pause")
        said(request, _("It rests.") if name == "pause" else _("It goes on."), change)
    elif name == "remove":
        change = caring.remove(task=task, owner=owner, now=now)
        said(request, _("Removed. It lies in the bin for 30 days."), change)
        return redirect("asset-care", task.asset.uuid)
    else:
        return HttpResponse(status=400)
    return redirect(back)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def work_add(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Write down any work."""
    owner, now = request.user, clock.now()
    asset = find_asset(owner, key)
    today = duedates.today_in(asset.household.zone, now)
    if request.method != "POST":
        form = LogWorkForm(asset=asset, owner=owner, today=today)
        return render(request, "assets/care_done.html", {"form": form, "asset": asset})
    households.require(owner=owner, household_id=asset.household_id)
    form = LogWorkForm(request.POST, request.FILES, asset=asset, owner=owner, today=today)
    if form.is_valid():
        got = form.cleaned_data
        try:
            record = caring.log(
                asset=asset,
                title=got["title"],
                done_on=got["done_on"],
                tasks=list(got.get("tasks", [])),
                owner=owner,
                now=now,
                said=form.said(papers=keep_papers(request, asset)),
            )
        except REFUSED as error:
            refuse(form, error)
        else:
            change = undo.latest(kind=caring.DONE, subject=record.uuid)
            said(request, _("Written down."), change)
            return redirect("asset-care", asset.uuid)
    context = {"form": form, "asset": asset}
    return render(request, "assets/care_done.html", context, status=422)


@page
@require_POST
def work_remove(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Take work back that was written down, with all that came with it."""
    mine = ServiceRecord.objects.for_owner(request.user).select_related(
        "asset", "household", "cost"
    )
    record = get_object_or_404(mine, uuid=key)
    households.require(owner=request.user, household_id=record.household_id)
    change = caring.unlog(record=record, owner=request.user, now=clock.now())
    said(request, _("Taken back."), change)
    return redirect(way_back(request, reverse("asset-care", args=[record.asset.uuid])))


@page
@require_POST
def issue_settle(request: OwnerRequest, key: UUID) -> HttpResponse:
    """Say how far a fault is dealt with."""
    mine = Issue.objects.for_owner(request.user).select_related("asset", "household")
    issue = get_object_or_404(mine, uuid=key)
    households.require(owner=request.user, household_id=issue.household_id)
    status = request.POST.get("status", "")
    if status not in IssueStatus.values:
        return HttpResponse(status=400)
    change = caring.settle_issue(
        issue=issue, status=IssueStatus(status), owner=request.user, now=clock.now()
    )
    said(request, _("Saved."), change)
    return redirect("asset-care", issue.asset.uuid)


def refuse(form: Any, error: Exception) -> None:
    """Say beside its field what was refused below."""
    field, detail = getattr(error, "field", None), getattr(error, "detail", str(error))
    if isinstance(error, metering.LowerReadingError):
        field = "why_less"
    form.add_error(field if field in form.fields else None, _(detail))
