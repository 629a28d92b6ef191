"""What the things say beside their care opens a matter whose supplier is Steward.

Stock that runs low, a loan that is due back, a parcel that is to come, a thing to be
registered, handed over or told of: each is said once, and once more when its day has
passed; its matter closes when the reason ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from assets import caring, duedates, notices, passages, radar, recalls, stocking
from assets.care_words import MarkKind
from assets.choices import NoticeKind, Source
from assets.cover_words import Confidence, RecallState
from assets.holdings import HoldingError
from assets.lifecycle import Step, StepError
from assets.models import CareTask, Notice, Part, RecallMatch
from assets.payer_words import obligor_word
from assets.recall_matching import SURENESS
from notifications.matter import LATE, OWN
from notifications.models import Journey, NoticeCall
from notifications.own_matters import (
    Changes,
    InputError,
    Line,
    contact_of,
    due_fact,
    number,
    say,
    steward,
)
from owners import undo
from owners.models import Change, Owner
from suppliers.choices import ContactKind, MandateState
from suppliers.contacts import AskClaim, FactClaim, Key
from suppliers.models import Contact, Mandate

DUE, MOVED, PASSED = "steward.notice.due", "steward.notice.moved", "steward.notice.passed"
SURER = "steward.notice.surer"
ACTIONS = ("done", "skip")
DAY = "own_due"  # the fact that says its day
SURE = "confidence"  # how sure a recall is, among what its notice carries


def call_of(journey: Journey) -> NoticeCall | None:
    """Return the call that a matter came from; None for any other matter."""
    linked = NoticeCall.objects.filter(
        contact__links__journey=journey, contact__links__revoked_at=None
    )
    ordered = linked.order_by("is_over", "-pk")
    return ordered.select_related("notice__household", "notice__asset__household").first()


def act(
    *, call: NoticeCall, owner: Owner, name: str, data: Mapping[str, Any], now: datetime
) -> None:
    """Do what is asked for from its card: what it asks for is done, or it is waved aside.

    Raises InputError for what cannot be.
    """
    notice = call.notice
    change: Change | None = None
    does = (_DONE if name == "done" else _SKIPPED).get(NoticeKind(notice.kind))
    if does is not None:
        change = does(notice, owner, data, now)
    if change is None:
        # What has no state of its own is over by the owner's word.
        change = notices.dismiss(notice=notice, owner=owner, now=now)
    call.refresh_from_db()
    if change is not None and call.closing is not None:
        decision = call.closing
        decision.owner, decision.data = owner, decision.data | {"changes": [str(change.uuid)]}
        decision.save(update_fields=["owner", "data"])


# -- what is done from the card ----------------------------------------------------------


def _step(notice: Notice, step: Step, owner: Owner, now: datetime) -> Change | None:
    if notice.asset is None or step not in passages.open_steps(notice.asset):
        return None
    try:
        return passages.take(asset=notice.asset, step=step, said={}, owner=owner, now=now)
    except StepError as error:
        raise InputError(error.field, gettext_noop("Look at its page: more is asked.")) from error


def _came_back(
    notice: Notice, owner: Owner, _data: Mapping[str, Any], now: datetime
) -> Change | None:
    return _step(notice, Step.TAKE_BACK, owner, now)


def _arrived(
    notice: Notice, owner: Owner, _data: Mapping[str, Any], now: datetime
) -> Change | None:
    return _step(notice, Step.RECEIVE, owner, now)


def _bought(notice: Notice, owner: Owner, data: Mapping[str, Any], now: datetime) -> Change | None:
    """Note how many there are now; without a number the owner's word ends it."""
    quantity = number(data, "quantity")
    part = Part.objects.filter(
        household=notice.household, uuid=notice.subject, removed_at=None
    ).first()
    if part is None or quantity is None:
        return None
    try:
        return stocking.change(part=part, values={"quantity": quantity}, owner=owner, now=now)
    except stocking.PartError as error:
        raise InputError("quantity", error.detail) from error


def _planned(
    notice: Notice, owner: Owner, _data: Mapping[str, Any], now: datetime
) -> Change | None:
    """Plan the day that a supplier proposed: of the task that it did, else of a new one."""
    day = date.fromisoformat(notice.data["due_on"])
    key = notice.data.get("task")
    tasks = CareTask.objects.filter(household=notice.household, removed_at=None)
    task = tasks.filter(uuid=key).select_related("household", "asset").first() if key else None
    if notice.asset is None or day < duedates.today_in(notice.household.zone, now):
        return None
    if task is None:
        spec = {
            "name": notice.data["name"],
            "provider": notice.data["provider"],
            "triggers": [{"kind": "calendar", "mode": "once", "anchor": day.isoformat()}],
        }
        made = caring.add(
            asset=notice.asset,
            spec=spec,
            owner=owner,
            now=now,
            source=Source.SUPPLIER,
            source_key=str(notice.subject),
        )
        change = undo.latest(kind=caring.ADDED, subject=made.uuid)
    else:
        mark = caring.mark(
            task=task,
            kind=MarkKind.RESCHEDULE,
            owner=owner,
            now=now,
            until=day,
            note=notice.what,
        )
        change = undo.latest(kind=caring.MARKED, subject=mark.uuid)
    notices.withdraw_proposals([notice.subject], now=now)
    return change


def _recall(notice: Notice, state: RecallState, owner: Owner, now: datetime) -> Change | None:
    """Say of a recall how far it is; None where it is gone since."""
    rows = RecallMatch.objects.filter(household=notice.household_id, uuid=notice.subject)
    row = rows.select_related(*recalls.WITH).first()
    if row is None:
        return None
    try:
        return recalls.move(row=row, state=state, values={}, owner=owner, now=now)
    except HoldingError as error:
        raise InputError(error.field, error.detail) from error


def _put_right(
    notice: Notice, owner: Owner, _data: Mapping[str, Any], now: datetime
) -> Change | None:
    return _recall(notice, RecallState.REMEDIED, owner, now)


def _not_mine(
    notice: Notice, owner: Owner, _data: Mapping[str, Any], now: datetime
) -> Change | None:
    return _recall(notice, RecallState.NOT_AFFECTED, owner, now)


_SKIPPED = {NoticeKind.RECALL: _not_mine}
_DONE = {
    NoticeKind.RECALL: _put_right,
    NoticeKind.LOAN: _came_back,
    NoticeKind.DELIVERY: _arrived,
    NoticeKind.STOCK: _bought,
    NoticeKind.SCHEDULE: _planned,
}


# -- what is heard from below ------------------------------------------------------------


def heard(*, notices: Sequence[Notice], is_time: bool, now: datetime) -> None:
    """Bring the matters of these notices in line; `is_time`: it is their time to speak."""
    calls = NoticeCall.objects.filter(notice__in=[notice.pk for notice in notices])
    known = {call.notice_id: call for call in calls.select_related("closing", "quieting")}
    todo = _Todo(changes=Changes(now=now))
    parted = _with_somebody_to_part(notices) if is_time else set()
    for notice in notices:
        call = known.get(notice.pk)
        if call is not None:
            todo.look_at(notice, call, is_time=is_time)
        elif (
            is_time
            and notice.is_open
            and (notice.kind != NoticeKind.PARTING or notice.household_id in parted)
        ):
            todo.say(notice, None, DUE)
    todo.write()


@dataclass(slots=True)
class _Todo:
    """What has to be said, closed and opened again."""

    changes: Changes
    contacts: list[Contact] = field(default_factory=list)
    new: list[NoticeCall] = field(default_factory=list)
    changed: dict[int, NoticeCall] = field(default_factory=dict)

    def look_at(self, notice: Notice, call: NoticeCall, *, is_time: bool) -> None:
        """Compare what was said with how it stands."""
        rests = not is_time and self._rests(notice, call)
        if call.is_over == (notice.is_open and not rests):
            (self.changes.again if call.is_over else self.changes.over).append(call)
            self.changed[call.pk] = call
        if not notice.is_open or rests:
            return
        if call.due_on != notice.due_on:
            self.say(notice, call, MOVED)
            call.is_late = False
            self._keep_quiet(notice, call)
        elif not call.is_late and self._is_late(notice):
            self.say(notice, call, PASSED)
            call.is_late = True
        elif _sureness(notice.data.get(SURE)) > _sureness(call.said_as):
            self.say(notice, call, SURER)

    def _keep_quiet(self, notice: Notice, call: NoticeCall) -> None:
        """Put a matter aside whose day has moved so far that it speaks again later."""
        until = None
        if notice.speaks_at is not None and notice.speaks_at > self.changes.now:
            until = notice.speaks_at.astimezone(ZoneInfo(notice.household.zone)).date()
        if call.quiet_until != until:
            self.changes.quiet.append((call, until))

    def say(self, notice: Notice, call: NoticeCall | None, type_: str) -> None:
        """Say it, and note that it was said."""
        is_late = type_ != MOVED and self._is_late(notice)
        line = _line(notice, type_, is_late=is_late)
        contact = contact_of(line, speaker=steward(), source="notice", now=self.changes.now)
        self.contacts.append(contact)
        if call is None:
            self.new.append(
                NoticeCall(
                    household_id=notice.household_id,
                    notice=notice,
                    contact=contact,
                    due_on=notice.due_on,
                    is_late=is_late,
                    said_as=notice.data.get(SURE, ""),
                    called_at=self.changes.now,
                )
            )
        else:
            call.due_on, call.said_as = notice.due_on, notice.data.get(SURE, "")
            self.changed[call.pk] = call

    def write(self) -> None:
        """Write it: what is said waits for the rules like any contact, the rest is at once."""
        if self.contacts:
            say(self.contacts)
            NoticeCall.objects.bulk_create(self.new)
        quiet = (call for call, _until in self.changes.quiet)
        if moved := [*self.changes.over, *self.changes.again, *quiet]:
            self.changes.write(call.household_id for call in moved)
        fields = ["is_over", "closing", "due_on", "is_late", "said_as"]
        fields += ["quiet_until", "quieting"]
        NoticeCall.objects.bulk_update(self.changed.values(), fields)

    def _rests(self, notice: Notice, call: NoticeCall) -> bool:
        """Whether a deadline was put off so far that it has nothing to say until then."""
        is_moved = call.due_on != notice.due_on and notice.kind in radar.OF_PAPERS
        return is_moved and notice.speaks_at is not None and notice.speaks_at > self.changes.now

    def _is_late(self, notice: Notice) -> bool:
        today = duedates.today_in(notice.household.zone, self.changes.now)
        return notice.due_on is not None and notice.due_on < today


def _line(notice: Notice, type_: str, *, is_late: bool) -> Line:
    what = notice.what
    day = notice.due_on
    if notice.kind == NoticeKind.SCHEDULE:
        day = date.fromisoformat(notice.data["due_on"])
    late = (AskClaim(fact=LATE, prompt=what),) if is_late else ()
    line = Line(
        type=type_,
        name=f"{notice.kind}:{notice.uuid}",
        household_id=notice.household_id,
        asset_id=notice.asset_id,
        asset=str(notice.asset.uuid) if notice.asset else "",
        title=what,
        asks=(AskClaim(fact=f"{OWN}{notice.kind}", prompt=what), *late),
        facts=due_fact(DAY, day),
        meant_for=notice.data.get("meant_for"),
        is_again=type_ != DUE,
    )
    return _recalled(line, notice) if notice.kind == NoticeKind.RECALL else line


def _recalled(line: Line, notice: Notice) -> Line:
    """Return how a recall is said: who declared it, how sure it is, and what to do.

    What may only possibly mean the thing is a question, and no alarm.
    """
    data = notice.data
    said = {
        "recall_by": data["declared_by"] or obligor_word(data["source"]),
        "recall_number": data["number"],
        "recall_hazard": data["hazard"],
        "recall_remedy": data["remedy"],
        "recall_sure": data[SURE],
        "match": data["by"] if data[SURE] == Confidence.EXACT else "",
    }
    return replace(
        line,
        name=f"{notice.kind}:{notice.subject}",  # one match is one matter for good
        kind=ContactKind.RECALL,
        is_safety=data[SURE] != Confidence.POSSIBLE,
        facts=tuple(FactClaim(name=name, value=value) for name, value in said.items() if value),
        quotes=(Key(scheme="entity", value=data["number"]),),
    )


def _sureness(said: str | None) -> int:
    return SURENESS.index(Confidence(said)) if said else len(SURENESS)


def _with_somebody_to_part(notices: Sequence[Notice]) -> set[int]:
    """Return the households in which somebody may still write about what is gone."""
    homes = {one.household_id for one in notices if one.kind == NoticeKind.PARTING}
    if not homes:
        return set()
    live = Mandate.objects.filter(household__in=homes).exclude(state=MandateState.ENDED)
    return set(live.values_list("household_id", flat=True))


def parting_of(asset: UUID) -> Notice | None:
    """Return the open notice that asks who may still write about a thing that is gone."""
    return Notice.objects.filter(kind=NoticeKind.PARTING, subject=asset).open().first()


def journey_of(notice: Notice) -> Journey | None:
    """Return the matter that a notice opened, once it stands."""
    contacts = NoticeCall.objects.filter(notice=notice, is_over=False).values("contact")
    found = Journey.objects.filter(links__contact__in=contacts, links__revoked_at=None)
    return found.first()
