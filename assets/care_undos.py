"""How what was changed about care is put back: the history goes back, the rest follows."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from assets import caring, duedates, metering, notices, stocking
from assets.care_specs import SpecError
from assets.models import (
    CareEvent,
    CareMark,
    CareTask,
    Issue,
    Meter,
    MeterReading,
    Notice,
    Part,
    ServiceRecord,
)
from owners.choices import Rank
from owners.models import Change, Owner
from owners.undo import UndoError, subject_of
from owners.undoing import Way


def take_back_task(change: Change, owner: Owner, now: datetime) -> None:
    """Put a task that was added into the bin."""
    task = _found(CareTask, change)
    if task.removed_at is None:
        caring.put_away(task, now=now)


def put_back_task(change: Change, owner: Owner, now: datetime) -> None:
    """Take a task out of the bin."""
    task = _found(CareTask, change)
    task.removed_at = None
    task.save(update_fields=["removed_at"])
    duedates.work_out([task], now=now)


def undo_task(change: Change, owner: Owner, now: datetime) -> None:
    """Let a task say what it said before."""
    task = _found(CareTask, change)
    keeper = task.household.memberships.filter(owner=change.before["assignee"]).first()
    assignee = keeper.owner if keeper is not None else None
    try:
        caring.say(task, spec=change.before["spec"], assignee=assignee, now=now)
    except SpecError as error:  # it counted by a meter that is in the bin
        raise UndoError(gettext_noop("Its meter is gone. Put the meter back first.")) from error


def undo_pause(change: Change, owner: Owner, now: datetime) -> None:
    """Let a task rest or not, as before."""
    task = _found(CareTask, change)
    task.state = change.before["state"]
    task.save(update_fields=["state"])
    duedates.work_out([task], now=now)


def undo_mark(change: Change, owner: Owner, now: datetime) -> None:
    """Take back that an occurrence was skipped, put off or moved."""
    mark = _found(CareMark, change)
    mark.revoked_at = now
    mark.save(update_fields=["revoked_at"])
    duedates.work_out([mark.task], now=now)


def undo_event(change: Change, owner: Owner, now: datetime) -> None:
    """Take back that something happened."""
    event = _found(CareEvent, change)
    event.revoked_at = now
    event.save(update_fields=["revoked_at"])
    duedates.refresh(assets=[event.asset_id], now=now)


def undo_log(change: Change, owner: Owner, now: datetime) -> None:
    """Take back work that was written down, with all that was written with it."""
    caring.withdraw(_found(ServiceRecord, change), now=now)


def redo_log(change: Change, owner: Owner, now: datetime) -> None:
    """Let work that was taken back count again."""
    record = _found(ServiceRecord, change)
    if record.removed_at is not None:
        caring.reinstate(record, now=now, paid=change.before.get("paid"))


def undo_issue(change: Change, owner: Owner, now: datetime) -> None:
    """Let a fault stand as it stood."""
    issue = _found(Issue, change)
    issue.status, issue.resolved_on = change.before["status"], change.before["resolved_on"]
    issue.save(update_fields=["status", "resolved_on"])


def take_back_meter(change: Change, owner: Owner, now: datetime) -> None:
    """Put a meter that was added into the bin."""
    _set_removed(_found(Meter, change), now, now=now)


def put_back_meter(change: Change, owner: Owner, now: datetime) -> None:
    """Take a meter out of the bin."""
    meter = _found(Meter, change)
    others = Meter.objects.filter(asset=meter.asset_id, name=meter.name, removed_at=None)
    if others.exclude(pk=meter.pk).exists():
        raise UndoError(gettext_noop("There is a meter of this name."))
    _set_removed(meter, None, now=now)


def undo_meter(change: Change, owner: Owner, now: datetime) -> None:
    """Give a meter what it had before."""
    meter = _found(Meter, change)
    for name, value in change.before.items():
        is_number = name == "rolls_over_at" and value is not None
        setattr(meter, name, Decimal(value) if is_number else value)
    meter.save(update_fields=list(change.before))
    duedates.refresh(assets=[meter.asset_id], now=now)


def take_back_reading(change: Change, owner: Owner, now: datetime) -> None:
    """Let a reading count no more, nor what was said with it about others."""
    reading = _found(MeterReading, change)
    reading.removed_at = now
    reading.save(update_fields=["removed_at"])
    metering.undo_consequences(reading, after=change.after, now=now)
    duedates.refresh(assets=[reading.meter.asset_id], now=now)


def put_back_reading(change: Change, owner: Owner, now: datetime) -> None:
    """Let a reading that was taken back count again."""
    reading = _found(MeterReading, change)
    reading.removed_at = None
    reading.save(update_fields=["removed_at"])
    duedates.refresh(assets=[reading.meter.asset_id], now=now)


def take_back_part(change: Change, owner: Owner, now: datetime) -> None:
    """Put a part that was added into the bin."""
    part = _found(Part, change)
    part.removed_at = now
    part.save(update_fields=["removed_at"])
    notices.review_parts([part], now=now)


def put_back_part(change: Change, owner: Owner, now: datetime) -> None:
    """Take a part out of the bin."""
    part = _found(Part, change)
    part.removed_at = None
    part.save(update_fields=["removed_at"])
    notices.review_parts([part], now=now)


def undo_part(change: Change, owner: Owner, now: datetime) -> None:
    """Give a part what it had before; what was used meanwhile stays used."""
    stocking.restore(_found(Part, change), before=change.before, after=change.after, now=now)


def undo_dismissal(change: Change, owner: Owner, now: datetime) -> None:
    """Hear again of what was waved aside."""
    notices.take_dismissal_back(_found(Notice, change), now=now)


def _set_removed(meter: Meter, at: datetime | None, *, now: datetime) -> None:
    meter.removed_at = at
    meter.save(update_fields=["removed_at"])
    duedates.refresh(assets=[meter.asset_id], now=now)


def _found(model: Any, change: Change) -> Any:
    rows = model.objects.filter(household=change.household_id, uuid=subject_of(change))
    found = rows.first()
    if found is None:
        raise UndoError(gettext_noop("It is gone for good."))
    return found


UNDOS: dict[str, Way] = {
    caring.ADDED: Way(undo=take_back_task),
    caring.CHANGED: Way(undo=undo_task),
    caring.REMOVED: Way(undo=put_back_task),
    caring.PAUSED: Way(undo=undo_pause),
    # Who may tick a task may take the tick back.
    caring.MARKED: Way(undo=undo_mark, least=Rank.HELPER),
    caring.HAPPENED: Way(undo=undo_event, least=Rank.HELPER),
    caring.DONE: Way(undo=undo_log, least=Rank.HELPER),
    caring.UNDONE: Way(undo=redo_log),
    caring.ISSUE: Way(undo=undo_issue),
    metering.ADDED: Way(undo=take_back_meter),
    metering.CHANGED: Way(undo=undo_meter),
    metering.REMOVED: Way(undo=put_back_meter),
    metering.READ: Way(undo=take_back_reading, least=Rank.HELPER),
    metering.UNREAD: Way(undo=put_back_reading),
    stocking.ADDED: Way(undo=take_back_part),
    stocking.CHANGED: Way(undo=undo_part),
    stocking.REMOVED: Way(undo=put_back_part),
    notices.DISMISSED: Way(undo=undo_dismissal, least=Rank.HELPER),
}
