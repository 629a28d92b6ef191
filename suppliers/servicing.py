"""Work and readings that a supplier reports, written into the history of the thing.

What is written says that the supplier stated it. A task counts as done only where the
report says so: by its words, or as the one due task that this supplier is to do. The task
goes on from the reading of the report, not from the latest.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from assets import care, caring, metering, notices, recalls
from assets.choices import Source
from assets.models import Asset, CareTask, Meter
from assets.models.care import PRESSING
from suppliers.models import Supplier

log = structlog.get_logger(__name__)

PERFORMED, READING = "service.performed", "reading.reported"
TYPES = (PERFORMED, READING)
# Of UCUM, as our meters are called.
UNITS = {"[mi_i]": "mi", "m3": "m³", "kW.h": "kWh", "MW.h": "MWh", "[gal_us]": "gal", "Cel": "°C"}
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one signed event states; the asset where it names one of ours."""

    contact: UUID
    type: str
    household_id: int
    asset_id: int | None
    supplier_id: int
    said_at: datetime
    data: Mapping[str, Any]


def take(reports: Iterable[Report], *, now: datetime) -> None:
    """Write down what was reported; what cannot be so stays a message, and is logged."""
    for report in (one for one in reports if one.type in TYPES and one.asset_id):
        asset = Asset.objects.select_related("household").filter(pk=report.asset_id or 0).first()
        supplier = Supplier.objects.get(pk=report.supplier_id)
        if asset is None:
            continue
        try:
            with transaction.atomic():
                if report.type == PERFORMED:
                    _perform(report, asset, supplier, now=now)
                else:
                    _read(report, asset, report.data, now=now)
        except (caring.CareError, metering.MeterError) as error:
            log.warning("report_not_kept", contact=str(report.contact), why=error.detail)


def matching(tasks: Sequence[CareTask], *, lines: Sequence[str], supplier: str) -> list[CareTask]:
    """Return the tasks that a report completes: those it names, else the one it must be."""
    said = [_words(line) for line in lines]
    named = [
        task
        for task in tasks
        if (words := _words(task.name)) and any(words <= line for line in said)
    ]
    if named:
        return named
    theirs = [
        task
        for task in tasks
        if task.status in PRESSING and task.provider.casefold() == supplier.casefold()
    ]
    return theirs if len(theirs) == 1 else []


def _perform(report: Report, asset: Asset, supplier: Supplier, *, now: datetime) -> None:
    data = report.data
    lines = [str(line) for line in data["workDone"]]
    local = datetime.fromisoformat(data["performedAt"]).astimezone(ZoneInfo(asset.household.zone))
    tasks = list(asset.care_tasks.filter(removed_at=None).order_by("pk"))
    read = _reading(asset, data.get("reading"))
    done = matching(tasks, lines=lines, supplier=supplier.name)
    done_on = min(local.date(), now.astimezone(local.tzinfo).date())
    record = caring.log(
        asset=asset,
        title=lines[0] if lines else str(data["serviceId"]),
        done_on=done_on,
        now=now,
        tasks=done,
        said=caring.Work(
            work=lines,
            provider=supplier.name,
            readings={} if read is None else {read[0]: read[1]},
            note=", ".join(str(part) for part in data.get("parts") or [])[:2000],
        ),
        source=Source.SUPPLIER,
        source_key=str(report.contact),
    )
    recalls.done_by(
        recalls.named_in(asset, [*lines, *_quoted(data)]),
        provider=supplier.name,
        on=done_on,
        contact=report.contact,
        now=now,
        record=record,
    )
    if data.get("nextDue"):
        _propose(report, asset, supplier, done, lines, now=now)


def _quoted(data: Mapping[str, Any]) -> list[str]:
    """Return what a report says beside its work that may name a recall."""
    refs = data.get("refs")
    values = [str(ref.get("value", "")) for ref in refs or () if isinstance(ref, Mapping)]
    parts = data.get("parts")
    values += [str(part) for part in parts] if isinstance(parts, list) else []
    return [*values, str(data.get("title") or ""), str(data.get("summary") or "")]


def _propose(
    report: Report,
    asset: Asset,
    supplier: Supplier,
    done: Sequence[CareTask],
    lines: Sequence[str],
    *,
    now: datetime,
) -> None:
    """Ask the owner whether the day that the supplier names for the next time is planned.

    A task that comes on that day by itself, and a day that is gone, ask nothing.
    """
    zone = ZoneInfo(asset.household.zone)
    said = str(report.data["nextDue"])
    day = (
        date.fromisoformat(said)
        if len(said) == len("2027-11-01")
        else datetime.fromisoformat(said).astimezone(zone).date()
    )
    task = done[0] if len(done) == 1 else None
    if task is not None:
        task.refresh_from_db(fields=["due_on"])
    if day <= now.astimezone(zone).date() or (task is not None and task.due_on == day):
        return
    notices.propose(
        asset=asset,
        subject=report.contact,
        what=supplier.name,
        due_on=day,
        data={
            "task": str(task.uuid) if task is not None else None,
            "name": (lines[0] if lines else asset.name)[:120],
            "provider": supplier.name[:120],
        },
        now=now,
    )


def _read(report: Report, asset: Asset, data: Mapping[str, Any], *, now: datetime) -> None:
    read = _reading(asset, data)
    if read is None:
        return
    local = datetime.fromisoformat(data["at"]).astimezone(ZoneInfo(asset.household.zone))
    metering.read(
        meter=read[0],
        value=read[1],
        read_on=min(local.date(), now.astimezone(local.tzinfo).date()),
        now=now,
        source=Source.SUPPLIER,
        source_key=str(report.contact),
    )


def _reading(asset: Asset, said: Any) -> tuple[Meter, Decimal] | None:
    """Return the one meter that a reading can be of, and its value there."""
    if not isinstance(said, Mapping) or said.get("value") is None:
        return None
    try:
        value = Decimal(str(said["value"]))
    except InvalidOperation:
        return None  # words, not a count
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12:
        return None
    unit = UNITS.get(str(said.get("unit", "")), str(said.get("unit", "")))
    found = []
    for meter in asset.meters.filter(removed_at=None).order_by("pk"):
        try:
            found.append((meter, care.convert(value, given=unit, into=meter.unit)))
        except care.UnitError:
            continue  # it measures something else
    quantity = str(said.get("quantity", "")).casefold()
    named = [pair for pair in found if pair[0].name.casefold() == quantity]
    found = named or found
    return found[0] if len(found) == 1 else None


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
