"""Care in the API: tasks, what was done, meters, parts and faults."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets import caring, metering, sharing, stocking
from assets.care_specs import SpecError
from assets.care_words import (
    CareState,
    CareStatus,
    Finding,
    IssueStatus,
    MarkKind,
    MeterKind,
    Severity,
    WorkKind,
)
from assets.choices import Source
from assets.models import Asset, CareTask, Issue, Meter, MeterReading, Part, ServiceRecord
from owners import clock, households, undo
from owners.api.edge import UNDO, Known, OwnerView, checked, once, owner_of, undoable
from owners.api.pages import about, filter_of, listed, narrowed, of, page_of
from owners.api.problems import Problem
from owners.api.reach import my_people
from owners.choices import Rank
from owners.models import Household, Owner


def my_assets(owner: Owner) -> QuerySet[Asset]:
    """Return the assets that care may be written about."""
    return Asset.objects.for_owner(owner).select_related("household")


def my_tasks(owner: Owner) -> QuerySet[CareTask]:
    """Return the owner's tasks with all that `show_task` reads."""
    rows = CareTask.objects.for_owner(owner)
    return rows.select_related("household", "asset__household", "assignee")


def my_meters(owner: Owner) -> QuerySet[Meter]:
    """Return the owner's meters with all that `show_meter` reads."""
    return Meter.objects.for_owner(owner).select_related("household", "asset")


def my_parts(owner: Owner) -> QuerySet[Part]:
    """Return the owner's stock."""
    return Part.objects.for_owner(owner).select_related("household")


def my_log(owner: Owner) -> QuerySet[ServiceRecord]:
    """Return what was done, with all that `show_record` reads."""
    rows = ServiceRecord.objects.for_owner(owner)
    return rows.select_related("household", "asset__household", "done_by", "cost").prefetch_related(
        "readings__meter", "parts_used__part"
    )


def my_issues(owner: Owner) -> QuerySet[Issue]:
    """Return the faults of the owner's assets."""
    return Issue.objects.for_owner(owner).select_related("household", "asset", "record")


def my_households(owner: Owner) -> QuerySet[Household]:
    """Return the households whose stock the owner sees."""
    return Household.objects.for_owner(owner)


def plain(number: Decimal | None) -> str | None:
    """Return a number without the zeros that its column adds."""
    return None if number is None else f"{number.normalize():f}"


def faulty(
    error: SpecError | caring.CareError | metering.MeterError | stocking.PartError,
) -> Exception:
    """Return what was refused below as an answer with its pointer."""
    if isinstance(error, metering.LowerReadingError):
        return Problem(
            409,
            code="lower_reading",
            detail=error.detail,
            pointer="/value",
            more={"other": {"read_on": error.other.on, "value": plain(error.other.value)}},
        )
    if isinstance(error, SpecError):
        return Problem(400, code="invalid", detail=error.reason, pointer=error.pointer)
    return Problem(400, code="invalid", detail=error.detail, pointer=f"/{error.field}")


FAULTS = (SpecError, caring.CareError, metering.MeterError, stocking.PartError)


def tried(write: Callable[[], Any]) -> Any:
    """Return what a write returns; what it refuses is an answer."""
    try:
        return write()
    except FAULTS as error:
        raise faulty(error) from error


# --- tasks -------------------------------------------------------------------------------


class TaskOut(serializers.Serializer[Any]):
    """A task, and how it stands today."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    name = serializers.CharField()
    triggers = serializers.ListField(child=serializers.DictField())
    spec = serializers.DictField(help_text="The whole task, as it is written.")
    assignee = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=CareState.choices)
    status = serializers.ChoiceField(choices=CareStatus.choices)
    due_on = serializers.DateField(allow_null=True)
    due_at = serializers.CharField(allow_null=True, help_text="The count of its meter.")
    is_estimate = serializers.BooleanField()
    use = serializers.CharField(
        allow_null=True, help_text="What of its meter is used in a month, where the day follows."
    )
    use_unit = serializers.CharField(allow_blank=True)
    missed = serializers.IntegerField()
    occurrence = serializers.CharField(allow_blank=True)
    quiet_until = serializers.DateField(allow_null=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # the word of the others, not the base's
    created_at = serializers.DateTimeField()


def show_task(task: CareTask) -> dict[str, Any]:
    """Return a task as the API shows it."""
    return {
        "id": str(task.uuid),
        "asset": str(task.asset.uuid),
        "name": task.name,
        "triggers": task.triggers,
        "spec": caring.spec_of(task),
        "assignee": str(task.assignee.uuid) if task.assignee else None,
        "state": task.state,
        "status": task.status,
        "due_on": task.due_on,
        "due_at": plain(task.due_at),
        "is_estimate": task.is_estimate,
        "use": plain(task.use),
        "use_unit": task.use_unit,
        "missed": task.missed,
        "occurrence": task.occurrence,
        "quiet_until": task.quiet_until,
        "source": task.source,
        "created_at": task.created_at,
    }


class TaskChange(serializers.Serializer[Any]):
    """What a task is to say from now on; see `spec` for its fields."""

    spec = serializers.DictField()
    assignee = Known(my_people, allow_null=True, required=False)


class TaskIn(TaskChange):
    """A new task."""

    asset = Known(my_assets)


class MoneyField(serializers.Serializer[Any]):
    """An amount in a currency."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=4)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)


class ReadingAtWork(serializers.Serializer[Any]):
    """What a meter showed at the work."""

    meter = Known(my_meters)
    value = serializers.DecimalField(max_digits=18, decimal_places=3)


class PartAtWork(serializers.Serializer[Any]):
    """What was used of a part."""

    part = Known(my_parts)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3)


class CheckedPoint(serializers.Serializer[Any]):
    """What an inspection says of one point."""

    item = serializers.CharField(max_length=120)
    result = serializers.ChoiceField(choices=Finding.choices)
    note = serializers.CharField(max_length=1000, allow_blank=True, required=False)


class TaskDoneIn(serializers.Serializer[Any]):
    """What there is to say of work that was done; nothing of it is needed."""

    occurrence = serializers.CharField(max_length=10, allow_blank=True, required=False)
    done_on = serializers.DateField(required=False)
    kind = serializers.ChoiceField(choices=WorkKind.choices, required=False)
    note = serializers.CharField(max_length=8000, allow_blank=True, required=False)
    cost = MoneyField(required=False)
    readings = serializers.ListField(child=ReadingAtWork(), required=False, max_length=20)
    why_less = serializers.ChoiceField(choices=metering.WHYS, required=False)
    parts = serializers.ListField(child=PartAtWork(), required=False, max_length=50)
    papers = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=50)
    findings = serializers.ListField(child=CheckedPoint(), required=False, max_length=100)
    work = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=50
    )
    done_by = Known(my_people, required=False)
    provider = serializers.CharField(max_length=120, allow_blank=True, required=False)


def work_of(values: dict[str, Any], *, usual: WorkKind, owner: Owner | None) -> caring.Work:
    """Return what a request says of work."""
    cost = values.get("cost", {})
    return caring.Work(
        kind=WorkKind(values.get("kind", usual)),
        note=values.get("note", ""),
        amount=cost.get("amount"),
        currency=cost.get("currency", ""),
        readings={row["meter"]: row["value"] for row in values.get("readings", [])},
        why_less=values.get("why_less"),
        parts={row["part"]: row["quantity"] for row in values.get("parts", [])},
        papers=values.get("papers", []),
        findings=values.get("findings", []),
        work=values.get("work", []),
        done_by=values.get("done_by", None if values.get("provider") else owner),
        provider=values.get("provider", ""),
    )


class CareTasks(OwnerView):
    """What the owner's assets need."""

    @listed(
        "care_tasks_list",
        pages=page_of(TaskOut, "CareTask"),
        show=show_task,
        by="name",
        is_time=False,
        filters=[filter_of("status", CareStatus), about("asset"), about("household")],
    )
    def get(self, request: Request) -> QuerySet[CareTask]:
        """List the owner's care tasks by name."""
        rows = narrowed(my_tasks(owner_of(request)), request, "status", CareStatus)
        return of(rows, request, asset="asset__uuid", household="household__uuid")

    @extend_schema(
        operation_id="care_tasks_add",
        parameters=[UNDO],
        request=TaskIn,
        responses={201: TaskOut},
    )
    @once
    def post(self, request: Request) -> Response:
        """Add a task to an asset."""
        owner, values = owner_of(request), checked(TaskIn, request)
        asset = values["asset"]
        households.require(owner=owner, household_id=asset.household_id)
        task = tried(
            lambda: caring.add(
                asset=asset,
                spec=values["spec"],
                assignee=values.get("assignee"),
                owner=owner,
                now=clock.now(),
            )
        )
        change = undo.latest(kind=caring.ADDED, subject=task.uuid)
        return Response(show_task(task), status=201, headers=undoable(change))


class OneTask(OwnerView):
    """One care task."""

    @extend_schema(operation_id="care_tasks_get", responses=TaskOut)
    def get(self, request: Request, task: UUID) -> Response:
        """Return one task."""
        return Response(show_task(my_tasks(owner_of(request)).get(uuid=task)))

    @extend_schema(
        operation_id="care_tasks_change",
        parameters=[UNDO],
        request=TaskChange,
        responses=TaskOut,
    )
    @once
    def put(self, request: Request, task: UUID) -> Response:
        """Let a task say this from now on."""
        owner = owner_of(request)
        found = my_tasks(owner).get(uuid=task)
        households.require(owner=owner, household_id=found.household_id)
        values = checked(TaskChange, request)
        change = tried(
            lambda: caring.change(
                task=found,
                spec=values["spec"],
                assignee=values.get("assignee"),
                owner=owner,
                now=clock.now(),
            )
        )
        return Response(show_task(found), headers=undoable(change))

    @extend_schema(operation_id="care_tasks_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, task: UUID) -> Response:
        """Put a task into the bin, where it stays for 30 days."""
        owner = owner_of(request)
        found = my_tasks(owner).get(uuid=task)
        households.require(owner=owner, household_id=found.household_id)
        change = caring.remove(task=found, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


class MarkIn(serializers.Serializer[Any]):
    """Until when it is put off or moved, and why."""

    until = serializers.DateField(required=False)
    note = serializers.CharField(max_length=500, allow_blank=True, required=False)


MARKS = ["skip", "snooze", "reschedule", "pause", "resume"]


class TaskDone(OwnerView):
    """A task that was done."""

    @extend_schema(
        operation_id="care_tasks_done", parameters=[UNDO], request=TaskDoneIn, responses=TaskOut
    )
    @once
    def post(self, request: Request, task: UUID) -> Response:
        """Complete a task, by one tap or with all there is to say. Helpers may."""
        owner = owner_of(request)
        found = my_tasks(owner).get(uuid=task)
        sharing.require_help(owner=owner, asset=found.asset, task=found)
        values = checked(TaskDoneIn, request)
        usual = WorkKind.INSPECTION if found.checklist else WorkKind.SERVICE
        record = tried(
            lambda: caring.done(
                task=found,
                owner=owner,
                now=clock.now(),
                occurrence=values.get("occurrence"),
                done_on=values.get("done_on"),
                said=work_of(values, usual=usual, owner=owner),
            )
        )
        change = record and undo.latest(kind=caring.DONE, subject=record.uuid)
        return Response(show_task(my_tasks(owner).get(pk=found.pk)), headers=undoable(change))


class TaskMark(OwnerView):
    """A task that is skipped, put off, moved, paused or woken."""

    @extend_schema(
        operation_id="care_tasks_mark",
        parameters=[
            UNDO,
            OpenApiParameter(
                "name",
                str,
                OpenApiParameter.PATH,
                enum=MARKS,
            ),
        ],
        request=MarkIn,
        responses=TaskOut,
    )
    @once
    def post(self, request: Request, task: UUID, name: str) -> Response:
        """Skip the next occurrence, put it off or move it; helpers may put it off."""
        owner, now = owner_of(request), clock.now()
        found = my_tasks(owner).get(uuid=task)
        if name not in MARKS:
            raise Problem(404, code="unknown", detail="There is no such action.")
        least = Rank.HELPER if name in ("skip", "snooze") else Rank.MEMBER
        if least == Rank.HELPER:
            sharing.require_help(owner=owner, asset=found.asset, task=found)
        households.require(owner=owner, household_id=found.household_id, least=least)
        values = checked(MarkIn, request)
        if name in ("pause", "resume"):
            is_paused = name == "pause"
            change = caring.pause(task=found, owner=owner, now=now, is_paused=is_paused)
        else:
            mark = tried(
                lambda: caring.mark(
                    task=found,
                    kind=MarkKind(name),
                    owner=owner,
                    now=now,
                    until=values.get("until"),
                    note=values.get("note", ""),
                )
            )
            change = undo.latest(kind=caring.MARKED, subject=mark.uuid)
        return Response(show_task(my_tasks(owner).get(pk=found.pk)), headers=undoable(change))


# --- the log -----------------------------------------------------------------------------


class RecordOut(serializers.Serializer[Any]):
    """One piece of work that was done."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=WorkKind.choices)
    title = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    done_on = serializers.DateField()
    tasks = serializers.ListField(child=serializers.UUIDField())
    done_by = serializers.UUIDField(allow_null=True)
    provider = serializers.CharField(allow_blank=True)
    work = serializers.ListField(child=serializers.CharField())
    findings = serializers.ListField(child=serializers.DictField())
    finding = serializers.CharField(allow_blank=True)
    papers = serializers.ListField(child=serializers.UUIDField())
    cost = serializers.DictField(allow_null=True)
    readings = serializers.ListField(child=serializers.DictField())
    parts = serializers.ListField(child=serializers.DictField())
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # as above
    created_at = serializers.DateTimeField()


def show_record(record: ServiceRecord) -> dict[str, Any]:
    """Return one piece of work as the API shows it."""
    cost = record.cost
    return {
        "id": str(record.uuid),
        "asset": str(record.asset.uuid),
        "kind": record.kind,
        "title": record.title,
        "note": record.note,
        "done_on": record.done_on,
        "tasks": [str(task) for task in record.tasks],
        "done_by": str(record.done_by.uuid) if record.done_by else None,
        "provider": record.provider,
        "work": record.work,
        "findings": record.findings,
        "finding": record.finding,
        "papers": [str(paper) for paper in record.papers],
        "cost": cost and {"amount": plain(cost.amount), "currency": cost.currency},
        "readings": [
            {"meter": str(row.meter.uuid), "value": plain(row.value)}
            for row in record.readings.all()
        ],
        "parts": [
            {"part": str(row.part.uuid), "quantity": plain(row.quantity)}
            for row in record.parts_used.all()
        ],
        "source": record.source,
        "created_at": record.created_at,
    }


class RecordIn(TaskDoneIn):
    """Work that was done on an asset, whatever task it completes."""

    asset = Known(my_assets)
    title = serializers.CharField(max_length=200)
    tasks = serializers.ListField(child=Known(my_tasks), required=False, max_length=50)


class Log(OwnerView):
    """What was done."""

    @listed(
        "log_list",
        pages=page_of(RecordOut, "ServiceRecord"),
        show=show_record,
        by="-created_at",
        filters=[filter_of("kind", WorkKind), about("asset"), about("household")],
    )
    def get(self, request: Request) -> QuerySet[ServiceRecord]:
        """List what was done, what was written down last first."""
        rows = narrowed(my_log(owner_of(request)), request, "kind", WorkKind)
        return of(rows, request, asset="asset__uuid", household="household__uuid")

    @extend_schema(
        operation_id="log_add", parameters=[UNDO], request=RecordIn, responses={201: RecordOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Write down work, with its cost, readings and parts, and complete tasks by it."""
        owner, values, now = owner_of(request), checked(RecordIn, request), clock.now()
        asset = values["asset"]
        households.require(owner=owner, household_id=asset.household_id)
        record = tried(
            lambda: caring.log(
                asset=asset,
                title=values["title"],
                done_on=values.get("done_on", now.date()),
                tasks=values.get("tasks", []),
                owner=owner,
                now=now,
                said=work_of(values, usual=WorkKind.SERVICE, owner=owner),
            )
        )
        change = undo.latest(kind=caring.DONE, subject=record.uuid)
        shown = show_record(my_log(owner).get(pk=record.pk))
        return Response(shown, status=201, headers=undoable(change))


class OneRecord(OwnerView):
    """One piece of work."""

    @extend_schema(operation_id="log_get", responses=RecordOut)
    def get(self, request: Request, record: UUID) -> Response:
        """Return one piece of work."""
        return Response(show_record(my_log(owner_of(request)).get(uuid=record)))

    @extend_schema(operation_id="log_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, record: UUID) -> Response:
        """Take work back with all that came with it; its tasks are due again."""
        owner = owner_of(request)
        found = my_log(owner).get(uuid=record)
        households.require(owner=owner, household_id=found.household_id)
        change = caring.unlog(record=found, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- meters ------------------------------------------------------------------------------


class MeterChange(serializers.Serializer[Any]):
    """What an owner may change about a meter."""

    name = serializers.CharField(max_length=80)
    unit = serializers.CharField(max_length=16, allow_blank=True, required=False)
    kind = serializers.ChoiceField(choices=MeterKind.choices, required=False)
    rolls_over_at = serializers.DecimalField(
        max_digits=18, decimal_places=3, allow_null=True, required=False
    )


class MeterIn(MeterChange):
    """A new meter."""

    asset = Known(my_assets)


class MeterOut(serializers.Serializer[Any]):
    """A meter of an asset."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(choices=MeterKind.choices)
    rolls_over_at = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


def show_meter(meter: Meter) -> dict[str, Any]:
    """Return a meter as the API shows it."""
    return {
        "id": str(meter.uuid),
        "asset": str(meter.asset.uuid),
        "name": meter.name,
        "unit": meter.unit,
        "kind": meter.kind,
        "rolls_over_at": plain(meter.rolls_over_at),
        "created_at": meter.created_at,
    }


class Meters(OwnerView):
    """The meters of the owner's assets."""

    @listed(
        "meters_list",
        pages=page_of(MeterOut, "Meter"),
        show=show_meter,
        by="name",
        is_time=False,
        filters=[about("asset"), about("household")],
    )
    def get(self, request: Request) -> QuerySet[Meter]:
        """List meters by name."""
        rows = my_meters(owner_of(request))
        return of(rows, request, asset="asset__uuid", household="household__uuid")

    @extend_schema(
        operation_id="meters_add", parameters=[UNDO], request=MeterIn, responses={201: MeterOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Give an asset a meter."""
        owner, values = owner_of(request), checked(MeterIn, request)
        asset = values.pop("asset")
        households.require(owner=owner, household_id=asset.household_id)
        meter = tried(
            lambda: metering.add(asset=asset, values=values, owner=owner, now=clock.now())
        )
        change = undo.latest(kind=metering.ADDED, subject=meter.uuid)
        return Response(show_meter(meter), status=201, headers=undoable(change))


class OneMeter(OwnerView):
    """One meter."""

    @extend_schema(operation_id="meters_get", responses=MeterOut)
    def get(self, request: Request, meter: UUID) -> Response:
        """Return one meter."""
        return Response(show_meter(my_meters(owner_of(request)).get(uuid=meter)))

    @extend_schema(
        operation_id="meters_change", parameters=[UNDO], request=MeterChange, responses=MeterOut
    )
    @once
    def patch(self, request: Request, meter: UUID) -> Response:
        """Change a meter; with readings its unit stays."""
        owner = owner_of(request)
        found = my_meters(owner).get(uuid=meter)
        households.require(owner=owner, household_id=found.household_id)
        values = checked(MeterChange, request, partial=True)
        change = tried(
            lambda: metering.change(meter=found, values=values, owner=owner, now=clock.now())
        )
        return Response(show_meter(found), headers=undoable(change))

    @extend_schema(operation_id="meters_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, meter: UUID) -> Response:
        """Put a meter into the bin with its readings."""
        owner = owner_of(request)
        found = my_meters(owner).get(uuid=meter)
        households.require(owner=owner, household_id=found.household_id)
        change = metering.remove(meter=found, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


class ReadingIn(serializers.Serializer[Any]):
    """What a meter shows; `why_less` where it is less than before."""

    value = serializers.DecimalField(max_digits=18, decimal_places=3)
    read_on = serializers.DateField(required=False)
    unit = serializers.CharField(max_length=16, required=False)
    why_less = serializers.ChoiceField(choices=metering.WHYS, required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class ReadingOut(serializers.Serializer[Any]):
    """What a meter showed on a day."""

    id = serializers.UUIDField()
    meter = serializers.UUIDField()
    read_on = serializers.DateField()
    value = serializers.CharField()
    is_doubtful = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # as above
    created_at = serializers.DateTimeField()


def show_reading(reading: MeterReading) -> dict[str, Any]:
    """Return a reading as the API shows it."""
    return {
        "id": str(reading.uuid),
        "meter": str(reading.meter.uuid),
        "read_on": reading.read_on,
        "value": plain(reading.value),
        "is_doubtful": reading.is_doubtful,
        "note": reading.note,
        "source": reading.source,
        "created_at": reading.created_at,
    }


class MeterReadings(OwnerView):
    """What one meter showed."""

    @listed(
        "meters_readings_list",
        pages=page_of(ReadingOut, "MeterReading"),
        show=show_reading,
        by="-created_at",
    )
    def get(self, request: Request, meter: UUID) -> QuerySet[MeterReading]:
        """List readings, what was written down last first."""
        owner = owner_of(request)
        found = my_meters(owner).get(uuid=meter)
        rows = MeterReading.objects.for_owner(owner).filter(meter=found)
        return rows.select_related("meter")

    @extend_schema(
        operation_id="meters_readings_add",
        parameters=[UNDO],
        request=ReadingIn,
        responses={201: ReadingOut},
    )
    @once
    def post(self, request: Request, meter: UUID) -> Response:
        """Note what a meter shows; 409 where it shows less than before and no reason is given."""
        owner, now = owner_of(request), clock.now()
        found = my_meters(owner).get(uuid=meter)
        sharing.require_help(owner=owner, asset=found.asset)
        values = checked(ReadingIn, request)
        reading = tried(
            lambda: metering.read(
                meter=found,
                value=values["value"],
                read_on=values.get("read_on", now.date()),
                unit=values.get("unit", ""),
                why_less=values.get("why_less"),
                note=values.get("note", ""),
                owner=owner,
                now=now,
            )
        )
        change = undo.latest(kind=metering.READ, subject=reading.uuid)
        return Response(show_reading(reading), status=201, headers=undoable(change))


# --- parts -------------------------------------------------------------------------------


class PartChange(serializers.Serializer[Any]):
    """What an owner may change about a part."""

    name = serializers.CharField(max_length=120)
    number = serializers.CharField(max_length=80, allow_blank=True, required=False)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3, required=False)
    unit = serializers.CharField(max_length=16, allow_blank=True, required=False)
    reorder_at = serializers.DecimalField(
        max_digits=14, decimal_places=3, allow_null=True, required=False
    )
    place = serializers.CharField(max_length=200, allow_blank=True, required=False)
    note = serializers.CharField(max_length=500, allow_blank=True, required=False)
    fits = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)


class PartIn(PartChange):
    """A new part."""

    household = Known(my_households)


class PartOut(serializers.Serializer[Any]):
    """A spare part or consumable in stock."""

    id = serializers.UUIDField()
    household = serializers.UUIDField()
    name = serializers.CharField()
    number = serializers.CharField(allow_blank=True)
    quantity = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    reorder_at = serializers.CharField(allow_null=True)
    is_low = serializers.BooleanField()
    place = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    fits = serializers.ListField(child=serializers.UUIDField())


def show_part(part: Part) -> dict[str, Any]:
    """Return a part as the API shows it."""
    return {
        "id": str(part.uuid),
        "household": str(part.household.uuid),
        "name": part.name,
        "number": part.number,
        "quantity": plain(part.quantity),
        "unit": part.unit,
        "reorder_at": plain(part.reorder_at),
        "is_low": part.is_low,
        "place": part.place,
        "note": part.note,
        "fits": [str(asset) for asset in part.fits],
    }


class Parts(OwnerView):
    """The stock of spare parts."""

    @listed(
        "parts_list",
        pages=page_of(PartOut, "Part"),
        show=show_part,
        by="name",
        is_time=False,
        filters=[about("household")],
    )
    def get(self, request: Request) -> QuerySet[Part]:
        """List the stock by name."""
        return of(my_parts(owner_of(request)), request, household="household__uuid")

    @extend_schema(
        operation_id="parts_add", parameters=[UNDO], request=PartIn, responses={201: PartOut}
    )
    @once
    def post(self, request: Request) -> Response:
        """Add a part to the stock."""
        owner, values = owner_of(request), checked(PartIn, request)
        home = values.pop("household")
        households.require(owner=owner, household_id=home.pk)
        part = tried(
            lambda: stocking.add(household=home, values=values, owner=owner, now=clock.now())
        )
        change = undo.latest(kind=stocking.ADDED, subject=part.uuid)
        return Response(show_part(part), status=201, headers=undoable(change))


class OnePart(OwnerView):
    """One part of the stock."""

    @extend_schema(operation_id="parts_get", responses=PartOut)
    def get(self, request: Request, part: UUID) -> Response:
        """Return one part."""
        return Response(show_part(my_parts(owner_of(request)).get(uuid=part)))

    @extend_schema(
        operation_id="parts_change", parameters=[UNDO], request=PartChange, responses=PartOut
    )
    @once
    def patch(self, request: Request, part: UUID) -> Response:
        """Change a part, or how much there is of it."""
        owner = owner_of(request)
        found = my_parts(owner).get(uuid=part)
        households.require(owner=owner, household_id=found.household_id)
        values = checked(PartChange, request, partial=True)
        change = tried(
            lambda: stocking.change(part=found, values=values, owner=owner, now=clock.now())
        )
        return Response(show_part(my_parts(owner).get(pk=found.pk)), headers=undoable(change))

    @extend_schema(operation_id="parts_remove", parameters=[UNDO], responses={204: None})
    @once
    def delete(self, request: Request, part: UUID) -> Response:
        """Put a part into the bin."""
        owner = owner_of(request)
        found = my_parts(owner).get(uuid=part)
        households.require(owner=owner, household_id=found.household_id)
        change = stocking.remove(part=found, owner=owner, now=clock.now())
        return Response(status=204, headers=undoable(change))


# --- faults ------------------------------------------------------------------------------


class IssueOut(serializers.Serializer[Any]):
    """A fault of an asset."""

    id = serializers.UUIDField()
    asset = serializers.UUIDField()
    record = serializers.UUIDField(allow_null=True, help_text="The inspection that found it.")
    title = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices)
    status = serializers.ChoiceField(choices=IssueStatus.choices)
    noticed_on = serializers.DateField()
    resolved_on = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()


def show_issue(issue: Issue) -> dict[str, Any]:
    """Return a fault as the API shows it."""
    return {
        "id": str(issue.uuid),
        "asset": str(issue.asset.uuid),
        "record": str(issue.record.uuid) if issue.record else None,
        "title": issue.title,
        "note": issue.note,
        "severity": issue.severity,
        "status": issue.status,
        "noticed_on": issue.noticed_on,
        "resolved_on": issue.resolved_on,
        "created_at": issue.created_at,
    }


class IssueChange(serializers.Serializer[Any]):
    """How far a fault is dealt with."""

    status = serializers.ChoiceField(choices=IssueStatus.choices)


class Issues(OwnerView):
    """The faults that inspections found."""

    @listed(
        "issues_list",
        pages=page_of(IssueOut, "Issue"),
        show=show_issue,
        by="-created_at",
        filters=[filter_of("status", IssueStatus), about("asset")],
    )
    def get(self, request: Request) -> QuerySet[Issue]:
        """List faults, the newest first."""
        rows = narrowed(my_issues(owner_of(request)), request, "status", IssueStatus)
        return of(rows, request, asset="asset__uuid")


class OneIssue(OwnerView):
    """One fault."""

    @extend_schema(operation_id="issues_get", responses=IssueOut)
    def get(self, request: Request, issue: UUID) -> Response:
        """Return one fault."""
        return Response(show_issue(my_issues(owner_of(request)).get(uuid=issue)))

    @extend_schema(
        operation_id="issues_change", parameters=[UNDO], request=IssueChange, responses=IssueOut
    )
    @once
    def patch(self, request: Request, issue: UUID) -> Response:
        """Say how far a fault is dealt with."""
        owner = owner_of(request)
        found = my_issues(owner).get(uuid=issue)
        households.require(owner=owner, household_id=found.household_id)
        status = IssueStatus(checked(IssueChange, request)["status"])
        change = caring.settle_issue(issue=found, status=status, owner=owner, now=clock.now())
        return Response(show_issue(found), headers=undoable(change))


urlpatterns = [
    path("care-tasks/", CareTasks.as_view(), name="care-tasks"),
    path("care-tasks/<uuid:task>/", OneTask.as_view(), name="care-task"),
    path("care-tasks/<uuid:task>/done/", TaskDone.as_view(), name="care-task-done"),
    path("care-tasks/<uuid:task>/marks/<slug:name>/", TaskMark.as_view(), name="care-task-mark"),
    path("log/", Log.as_view(), name="log"),
    path("log/<uuid:record>/", OneRecord.as_view(), name="record"),
    path("meters/", Meters.as_view(), name="meters"),
    path("meters/<uuid:meter>/", OneMeter.as_view(), name="meter"),
    path("meters/<uuid:meter>/readings/", MeterReadings.as_view(), name="meter-readings"),
    path("parts/", Parts.as_view(), name="parts"),
    path("parts/<uuid:part>/", OnePart.as_view(), name="part"),
    path("issues/", Issues.as_view(), name="issues"),
    path("issues/<uuid:issue>/", OneIssue.as_view(), name="issue"),
]
