"""What an asset itself says: care that is due opens a matter whose supplier is Steward.

`heard` is told of every task that stands otherwise, in the transaction that changed it, and
brings the matters in line: one for each occurrence, said once, under all rules of telling;
closed when it is done, skipped or no longer due, put aside while it is put off, and open
again when that is taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_noop

from assets import caring, duedates
from assets.care_words import MarkKind
from assets.choices import FindableKind
from assets.models import AwaitedWords, CareTask
from assets.models.care import PRESSING
from notifications import settling
from notifications.ledger import Ledger
from notifications.models import CareCall, Decision, Journey, Link
from owners import doorbell, undo
from owners.choices import Trust
from owners.models import Household, Owner
from suppliers import processing
from suppliers.choices import ContactKind, Medium, Outcome
from suppliers.contacts import AskClaim, FactClaim, Key
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, Supplier

STEWARD = "steward"
DUE, MOVED = "steward.care.due", "steward.care.moved"
ACTIONS = ("done", "skip", "snooze")
LEAST_MOVE = timedelta(days=2)  # a forecast that moves less says nothing new
CHUNKS = 4  # of one sweep; the next goes on, so nothing else waits long


def steward() -> Supplier:
    """Return who speaks for the assets: no organisation, and nobody writes to it."""
    found, _is_new = Supplier.objects.get_or_create(
        code=STEWARD, defaults={"name": "Steward", "is_active": False}
    )
    return found


def sweep(*, now: datetime) -> int:
    """Work out the tasks that time alone has changed, in lots; return how many."""
    done = 0
    for _lot in range(CHUNKS):
        count = duedates.sweep(now=now)
        done += count
        if count < duedates.AT_ONCE:
            break
    return done


def call_of(journey: Journey) -> CareCall | None:
    """Return the call that a matter came from; None for any other matter."""
    linked = CareCall.objects.filter(
        contact__links__journey=journey, contact__links__revoked_at=None
    )
    return linked.select_related("task__household", "task__asset__household").first()


def act(*, call: CareCall, owner: Owner, name: str, data: dict[str, Any], now: datetime) -> None:
    """Do what is asked for from its card: done, skip, or put off to a day.

    Raises `CareError` for a day that is not to come.
    """
    task = call.task
    if name == "done":
        made = caring.done(task=task, owner=owner, now=now, occurrence=call.occurrence)
        kind, subject = caring.DONE, made and made.uuid
    else:
        until = None
        if name == "snooze":
            zone = ZoneInfo(task.household.zone)
            try:
                until = datetime.fromisoformat(str(data.get("until", ""))).astimezone(zone).date()
            except ValueError as error:
                raise caring.CareError("until", gettext_noop("Choose a day to come.")) from error
            until = max(until, now.astimezone(zone).date() + caring.ONE_DAY)
        which = MarkKind.SKIP if name == "skip" else MarkKind.SNOOZE
        mark = caring.mark(task=task, kind=which, owner=owner, now=now, until=until)
        kind, subject = caring.MARKED, mark.uuid
    change = undo.latest(kind=kind, subject=subject) if subject else None
    call.refresh_from_db()
    decision = call.quieting if name == "snooze" else call.closing
    if change is not None and decision is not None:
        # Undo on the card takes back what was written down, and all that followed.
        decision.owner, decision.data = owner, decision.data | {"changes": [str(change.uuid)]}
        decision.save(update_fields=["owner", "data"])


def heard(*, tasks: Sequence[CareTask], now: datetime) -> None:
    """Bring the matters of these tasks in line with how they stand."""
    if not tasks:
        return
    known: dict[int, dict[str, CareCall]] = defaultdict(dict)
    calls = CareCall.objects.filter(task__in=[task.pk for task in tasks])
    for call in calls.select_related("closing", "quieting"):
        known[call.task_id][call.occurrence] = call
    todo = _Todo(now=now)
    for task in tasks:
        todo.look_at(task, known[task.pk])
    todo.write()


@dataclass(slots=True)
class _Todo:
    """What has to be said, closed, opened again and put aside."""

    now: datetime
    said: list[tuple[CareTask, CareCall | None]] = field(default_factory=list)
    over: list[CareCall] = field(default_factory=list)
    again: list[CareCall] = field(default_factory=list)
    quiet: list[tuple[CareTask, CareCall]] = field(default_factory=list)

    def look_at(self, task: CareTask, calls: dict[str, CareCall]) -> None:
        """Compare what was said of a task with how it stands."""
        is_due = task.removed_at is None and task.status in PRESSING
        for occurrence, other in calls.items():
            if not other.is_over and not (is_due and occurrence == task.occurrence):
                self.over.append(other)
        if not is_due:
            return
        call = calls.get(task.occurrence)
        if call is None:
            if task.quiet_until is None:
                self.said.append((task, None))
            return
        if call.is_over:
            self.again.append(call)
        if call.quiet_until != task.quiet_until:
            self.quiet.append((task, call))
        if _has_moved(call.due_on, task):
            self.said.append((task, call))

    def write(self) -> None:
        """Write it: what is said waits for the rules like any contact, the rest is at once."""
        if self.said:
            _say(self.said, now=self.now)
        changed = [*self.over, *self.again, *(call for _task, call in self.quiet)]
        if not changed:
            return
        links = Link.objects.filter(
            contact__in={call.contact_id for call in changed}, revoked_at=None
        )
        homes = list(
            Household.objects.filter(pk__in={call.household_id for call in changed})
            .order_by("pk")
            .select_for_update(no_key=True)
        )
        ledger = Ledger.open(homes, now=self.now)
        found = {link.contact_id: link.journey for link in links.select_related("journey")}
        for call in self.over:
            call.is_over = True
            call.closing = _decided(call, found, "answer", {"answer": "works"}, now=self.now)
            if call.contact_id not in found:  # it was dealt with before anybody was told
                Contact.objects.filter(pk=call.contact_id, decided_at=None).update(
                    decided_at=self.now,
                    outcome=Outcome.ABSORBED,
                    reason="over",
                    rule="only_the_known_absorbs",
                )
        for call in self.again:
            call.is_over = False
            _revoke(call.closing, now=self.now)
            call.closing = None
            if call.contact_id not in found:
                Contact.objects.filter(pk=call.contact_id).update(decided_at=None, outcome="")
        for task, call in self.quiet:
            _revoke(call.quieting, now=self.now)
            call.quiet_until, call.quieting = task.quiet_until, None
            if task.quiet_until is not None:
                until = _morning(task.quiet_until, task.household.zone)
                data = {"until": until.isoformat()}
                call.quieting = _decided(call, found, "snooze", data, now=self.now)
        CareCall.objects.bulk_update(changed, ["is_over", "closing", "quiet_until", "quieting"])
        touched = {str(journey.uuid): journey for journey in found.values()}
        ledger.journeys.update(touched)
        settling.settle(ledger, set(touched))
        transaction.on_commit(lambda: doorbell.ring("feed"))


def _has_moved(said: date | None, task: CareTask) -> bool:
    if said is None or task.due_on is None:
        return False
    least = LEAST_MOVE if task.is_estimate else timedelta(0)
    return abs(task.due_on - said) > least


def _say(wanted: Iterable[tuple[CareTask, CareCall | None]], *, now: datetime) -> None:
    """Let the assets say that care is due, or due on another day."""
    speaker = steward()
    contacts: list[Contact] = []
    calls: list[CareCall] = []
    moved: list[CareCall] = []
    for task, call in wanted:
        contact = _contact(task, speaker, is_move=call is not None, now=now)
        contacts.append(contact)
        if call is None:
            calls.append(
                CareCall(
                    household_id=task.household_id,
                    task=task,
                    occurrence=task.occurrence,
                    contact=contact,
                    due_on=task.due_on,
                    called_at=now,
                )
            )
        else:
            call.due_on = task.due_on
            moved.append(call)
    Contact.objects.bulk_create(contacts)
    CareCall.objects.bulk_create(calls)
    CareCall.objects.bulk_update(moved, ["due_on"])
    AwaitedWords.objects.put(
        (contact.household_id, FindableKind.CONTACT, contact.uuid) for contact in contacts
    )
    transaction.on_commit(lambda: doorbell.ring("feed"))


def _contact(task: CareTask, speaker: Supplier, *, is_move: bool, now: datetime) -> Contact:
    name = f"{task.uuid}:{task.occurrence}"
    said = Said(
        kind=ContactKind.MESSAGE,
        medium=Medium.NONE,
        said_at=now,
        type=MOVED if is_move else DUE,
        purpose=None,
        title=task.name,
        asset=str(task.asset.uuid),
        keys=(Key(scheme="entity", value=f"care:{name}"),),
        asks=(AskClaim(fact="care", prompt=task.name),),
        facts=()
        if task.due_on is None
        else (FactClaim(name="care_due", value=task.due_on.isoformat()),),
        is_counted=False,
    )
    event = f"{name}:{now.isoformat()}" if is_move else name
    return Contact(
        uuid=processing.contact_uuid(
            supplier_id=speaker.pk, household_id=task.household_id, source="care", event_id=event
        ),
        household_id=task.household_id,
        supplier=speaker,
        asset_id=task.asset_id,
        kind=said.kind,
        medium=said.medium,
        trust=Trust.SIGNED,
        said_at=now,
        received_at=now,
        said=said.to_json(),
    )


def _decided(
    call: CareCall,
    found: dict[int, Journey],
    name: str,
    data: dict[str, Any],
    *,
    now: datetime,
) -> Decision | None:
    journey = found.get(call.contact_id)
    if journey is None:
        return None
    return Decision.objects.create(
        uuid=uuid4(),
        household_id=call.household_id,
        journey=journey,
        name=name,
        data=data,
        decided_at=now,
    )


def _revoke(decision: Decision | None, *, now: datetime) -> None:
    if decision is not None and decision.revoked_at is None:
        decision.revoked_at = now
        decision.save(update_fields=["revoked_at"])


def _morning(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
