"""What an asset itself says: care that is due opens a matter whose supplier is Steward.

`heard` is told of every task that stands otherwise, in the transaction that changed it, and
brings the matters in line: one for each occurrence, said once, under all rules of telling;
closed when it is done, skipped or no longer due, put aside while it is put off, and open
again when that is taken back. Whoever the task is assigned to is told, else who answers for
the thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from assets import caring, duedates, notices, transfers
from assets.care_words import MarkKind, WorkKind
from assets.choices import Source
from assets.models import CareTask, Meter, ServiceRecord
from assets.models.care import PRESSING
from notifications import booking
from notifications.matter import Matter
from notifications.models import CareCall, Decision, Journey
from notifications.own_matters import Changes, Line, contact_of, due_fact, number, say, steward
from owners import undo
from owners.models import Change, Owner
from suppliers import servicing
from suppliers.contacts import AskClaim, FactClaim
from suppliers.models import Contact, Supplier

DUE, MOVED, ASSIGNED = "steward.care.due", "steward.care.moved", "steward.care.assigned"
ACTIONS = ("done", "skip", "snooze")
LEAST_MOVE = timedelta(days=2)  # a forecast that moves less says nothing new
CHUNKS = 4  # of one sweep; the next goes on, so nothing else waits long


def sweep(*, now: datetime) -> int:
    """Work out what time alone has changed, in lots; return how many."""
    lapsed = transfers.sweep(now=now)  # before the notices, that say so
    return lapsed + _in_lots(duedates.sweep, now=now) + _in_lots(notices.sweep, now=now)


def _in_lots(look: Any, *, now: datetime) -> int:
    done = 0
    for _lot in range(CHUNKS):
        count = look(now=now)
        done += count
        if count < duedates.AT_ONCE:
            break
    return done


def call_of(journey: Journey) -> CareCall | None:
    """Return the call that a matter came from; None for any other matter."""
    linked = CareCall.objects.filter(
        contact__links__journey=journey, contact__links__revoked_at=None
    )
    # Two that were put together: what is still open comes first.
    ordered = linked.order_by("is_over", "-pk")
    return ordered.select_related("task__household", "task__asset__household").first()


def act(*, call: CareCall, owner: Owner, name: str, data: dict[str, Any], now: datetime) -> None:
    """Do what is asked for from its card: done, skip, or put off to a day.

    `done` may come with a `reading` and an `amount`. Raises `InputError` for what is no
    number, `CareError` for what cannot be, and `MeterError` for a reading that contradicts
    the others.
    """
    task = call.task
    if name == "done":
        said = work_of(task, data, done_by=owner)
        made = caring.done(task=task, owner=owner, now=now, occurrence=call.occurrence, said=said)
        kind, subject = caring.DONE, made and made.uuid
    else:
        until = _until(task, data, now=now) if name == "snooze" else None
        which = MarkKind.SKIP if name == "skip" else MarkKind.SNOOZE
        mark = caring.mark(task=task, kind=which, owner=owner, now=now, until=until)
        kind, subject = caring.MARKED, mark.uuid
    change = undo.latest(kind=kind, subject=subject) if subject else None
    call.refresh_from_db()
    decision = call.quieting if name == "snooze" else call.closing
    if change is not None and decision is not None:
        carries(decision, change, owner=owner)


def carries(decision: Decision, change: Change, *, owner: Owner) -> None:
    """Let undo on the card take back what was written down, and all that followed."""
    decision.owner, decision.data = owner, decision.data | {"changes": [str(change.uuid)]}
    decision.save(update_fields=["owner", "data"])


def finish(
    *,
    journey: Journey,
    matter: Matter,
    decision: Decision,
    owner: Owner,
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    """Complete the task of a matter that its owner has just closed, by whoever did the work.

    It is the task that the matter is about, else the one due task of the asset that its
    supplier is to do. `data` may hold a `reading` and an `amount`. Raises as `act` does.
    """
    closed = _closed_task(journey, matter, decision, now=now)
    if closed is None:
        return
    task, by, done_on = closed
    record = caring.done(
        task=task,
        owner=owner,
        now=now,
        done_on=done_on,
        said=work_of(task, data, done_by=None if by else owner, provider=by),
    )
    change = undo.latest(kind=caring.DONE, subject=record.uuid) if record is not None else None
    if change is not None:
        carries(decision, change, owner=owner)


def finish_in_silence(*, journey: Journey, matter: Matter, now: datetime) -> None:
    """Complete the task of a matter that its owner let close without a word.

    A supplier came and said that it is done: what nobody contradicted is taken for so, in
    the history as in the feed. It says who stated it, and can be taken back.
    """
    closed = _closed_task(journey, matter, None, now=now) if matter.done_at is not None else None
    if closed is None:
        return
    task, by, done_on = closed
    if task.status not in PRESSING:
        return
    caring.log(
        asset=task.asset,
        title=task.name,
        done_on=done_on,
        now=now,
        tasks=[task],
        said=work_of(task, {}, done_by=None, provider=by),
        source=Source.SUPPLIER,
        source_key=f"silence:{journey.uuid}:{matter.closed_at}",
    )


def reopen(*, journey: Journey, now: datetime) -> None:
    """Take back what was completed in silence: the owner says that it is not."""
    said = ServiceRecord.objects.filter(
        household=journey.household_id,
        source_key__startswith=f"silence:{journey.uuid}:",
        removed_at=None,
    )
    for record in said.select_related("asset__household", "cost"):
        caring.withdraw(record, now=now)


def _closed_task(
    journey: Journey, matter: Matter, decision: Decision | None, *, now: datetime
) -> tuple[CareTask, str, date] | None:
    """Return the task that a closed matter was about, by whom it was done, and on which day."""
    call = call_of(journey)
    names = Supplier.objects.in_bulk(matter.suppliers)
    workers = [one.name for one in names.values() if one.pk != steward().pk]
    if call is not None and not call.is_over:
        task = call.task
        # Its matter is closed already, and opened again with what closed it.
        call.is_over, call.closing = True, decision
        call.save(update_fields=["is_over", "closing"])
    else:
        found = _only_task(journey, workers) if matter.done_at is not None else None
        if found is None:
            return None
        task = found
    zone = ZoneInfo(task.household.zone)
    done_at = matter.done_at or matter.closed_at
    today = duedates.today_in(task.household.zone, now)
    by = workers[0] if len(workers) == 1 else task.provider
    return task, by, min(done_at.astimezone(zone).date(), today) if done_at else today


def _only_task(journey: Journey, workers: Sequence[str]) -> CareTask | None:
    if journey.asset_id is None:
        return None
    tasks = CareTask.objects.filter(asset=journey.asset_id, removed_at=None)
    known = list(tasks.pressing().select_related("household", "asset__household"))
    found = [
        task for name in workers for task in servicing.matching(known, lines=(), supplier=name)
    ]
    return found[0] if len(found) == 1 else None


def work_of(
    task: CareTask, data: Mapping[str, Any], *, done_by: Owner | None, provider: str = ""
) -> caring.Work:
    """Return what was said of the work with one tap: a reading, what it cost, who did it."""
    reading, amount = number(data, "reading"), number(data, "amount")
    readings: dict[Meter, Decimal] = {}
    if reading is not None:
        meter = meter_of(task)
        if meter is None:
            raise caring.CareError("reading", gettext_noop("Say on its page which meter it is."))
        readings[meter] = reading
    return caring.Work(
        kind=WorkKind.INSPECTION if task.checklist else WorkKind.SERVICE,
        amount=amount,
        currency=str(data.get("currency") or task.currency),
        readings=readings,
        done_by=done_by,
        provider=provider,
    )


def meter_of(task: CareTask) -> Meter | None:
    """Return the one meter that a reading at the work is of: the task's, else the asset's."""
    meters = Meter.objects.filter(asset=task.asset_id, removed_at=None)
    named = {trigger["meter"] for trigger in task.triggers if "meter" in trigger}
    found = list((meters.filter(uuid__in=named) if named else meters).order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def _until(task: CareTask, data: Mapping[str, Any], *, now: datetime) -> date:
    zone = ZoneInfo(task.household.zone)
    try:
        until = datetime.fromisoformat(str(data.get("until", ""))).astimezone(zone).date()
    except ValueError as error:
        raise caring.CareError("until", gettext_noop("Choose a day to come.")) from error
    return max(until, now.astimezone(zone).date() + caring.ONE_DAY)


# -- what is heard from below ----------------------------------------------------------


def heard(*, tasks: Sequence[CareTask], now: datetime) -> None:
    """Bring the matters of these tasks in line with how they stand."""
    if not tasks:
        return
    known: dict[int, dict[str, CareCall]] = defaultdict(dict)
    calls = CareCall.objects.filter(task__in=[task.pk for task in tasks])
    for call in calls.select_related("closing", "quieting"):
        known[call.task_id][call.occurrence] = call
    todo = _Todo(changes=Changes(now=now))
    for task in tasks:
        todo.look_at(task, known[task.pk])
    todo.write()


@dataclass(slots=True)
class _Todo:
    """What has to be said, closed, opened again and put aside."""

    changes: Changes
    said: list[tuple[CareTask, CareCall | None, str]] = field(default_factory=list)
    changed: dict[int, CareCall] = field(default_factory=dict)

    def look_at(self, task: CareTask, calls: dict[str, CareCall]) -> None:
        """Compare what was said of a task with how it stands."""
        is_due = task.removed_at is None and task.status in PRESSING
        for occurrence, other in calls.items():
            if not other.is_over and not (is_due and occurrence == task.occurrence):
                self.changes.over.append(other)
                self.changed[other.pk] = other
        if not is_due:
            return
        call = calls.get(task.occurrence)
        if call is None:
            if task.quiet_until is None:
                self.said.append((task, None, DUE))
            return
        if call.is_over:
            self.changes.again.append(call)
            self.changed[call.pk] = call
        if call.quiet_until != task.quiet_until:
            self.changes.quiet.append((call, task.quiet_until))
            self.changed[call.pk] = call
        if _has_moved(call.due_on, task):
            self.said.append((task, call, MOVED))
        if call.assignee_id != task.assignee_id:
            self.said.append((task, call, ASSIGNED))

    def write(self) -> None:
        """Write it: what is said waits for the rules like any contact, the rest is at once."""
        if self.said:
            _say(self.said, now=self.changes.now)
        if self.changed:
            calls = list(self.changed.values())
            self.changes.write(call.household_id for call in calls)
            CareCall.objects.bulk_update(calls, ["is_over", "closing", "quiet_until", "quieting"])


def _has_moved(said: date | None, task: CareTask) -> bool:
    if said is None or task.due_on is None:
        return False
    least = LEAST_MOVE if task.is_estimate else timedelta(0)
    return abs(task.due_on - said) > least


def _say(wanted: Iterable[tuple[CareTask, CareCall | None, str]], *, now: datetime) -> None:
    """Let the assets say that care is due, on another day, or another's to do."""
    speaker = steward()
    rows = list(wanted)
    first = [task for task, call, _type in rows if call is None]
    workers = booking.workers(first)
    people = Owner.objects.in_bulk({task.assignee_id for task, _c, _t in rows} - {None})
    contacts: list[Contact] = []
    calls: list[CareCall] = []
    known: dict[int, CareCall] = {}
    for task, call, type_ in rows:
        assignee = people.get(task.assignee_id or 0)
        line = _line(task, type_, worker=workers.get(task.pk, ""), assignee=assignee)
        contact = contact_of(line, speaker=speaker, source="care", now=now)
        contacts.append(contact)
        if call is None:
            calls.append(
                CareCall(
                    household_id=task.household_id,
                    task=task,
                    occurrence=task.occurrence,
                    contact=contact,
                    due_on=task.due_on,
                    assignee=assignee,
                    called_at=now,
                )
            )
        else:
            call.due_on, call.assignee = task.due_on, assignee
            known[call.pk] = call
    say(contacts)
    CareCall.objects.bulk_create(calls)
    CareCall.objects.bulk_update(known.values(), ["due_on", "assignee"])


def _line(task: CareTask, type_: str, *, worker: str, assignee: Owner | None) -> Line:
    meant_for = str(assignee.uuid) if assignee is not None else None
    return Line(
        type=type_,
        name=f"care:{task.uuid}:{task.occurrence}",
        household_id=task.household_id,
        asset_id=task.asset_id,
        asset=str(task.asset.uuid),
        title=task.name,
        asks=(AskClaim(fact="care", prompt=task.name),),
        facts=(
            *due_fact("care_due", task.due_on),
            *((FactClaim(name=booking.WORKER, value=worker),) if worker else ()),
        ),
        meant_for=meant_for or "" if type_ == ASSIGNED else meant_for,
        is_again=type_ != DUE,
    )
