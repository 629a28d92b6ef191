"""Where an asset is in its life: which steps there are, what each needs, and what follows.

Three separate fields: `lifecycle` (planned to ended), `status` (whether it works; only while
it is in use or leaving) and `custody` (who has it in hand). A step changes what its row in
the table says and nothing else; every step but those of a lost or stolen thing waits until
the thing is found. "Already ours" needs no step: an asset may be added as active.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from assets.choices import Custody, EndReason, LeavingAs, Lifecycle, OperationalStatus

UNDO_DAYS = 30  # in which an end is a slip to be taken back; later it came into the house anew


class Step(StrEnum):
    """What can be done with an asset as a whole."""

    ORDER = "order"
    CANCEL = "cancel"
    RECEIVE = "receive"
    SEND_BACK = "send_back"
    PUT_IN_USE = "put_in_use"
    STORE = "store"
    TAKE_OUT = "take_out"
    REPORT_FAULT = "report_fault"
    START_REPAIR = "start_repair"
    FINISH_REPAIR = "finish_repair"
    LEND = "lend"
    LEND_LONGER = "lend_longer"
    TAKE_BACK = "take_back"
    LOSE = "lose"
    STEAL = "steal"
    FIND = "find"
    OFFER = "offer"
    KEEP = "keep"
    END = "end"
    BUY_BACK = "buy_back"


class Effect(StrEnum):
    """What follows a step outside the three fields."""

    EXPECT_DELIVERY = "expect_delivery"
    REFUND_NOTED = "refund_noted"
    CLOSE_CONTRACTS = "close_contracts"
    START_RETURN_WINDOW = "start_return_window"
    START_GUARANTEE = "start_guarantee"
    ASK_TO_REGISTER = "ask_to_register"
    STOP_COVERAGES = "stop_coverages"
    ANCHOR_SCHEDULES = "anchor_schedules"
    PAUSE_CARE = "pause_care"
    RESUME_CARE = "resume_care"
    OPEN_ISSUE = "open_issue"
    START_WORK = "start_work"
    LOG_REPAIR = "log_repair"
    CLOSE_ISSUES = "close_issues"
    REPAIR_GUARANTEE = "repair_guarantee"
    OPEN_LOAN = "open_loan"
    EXTEND_LOAN = "extend_loan"
    CLOSE_LOAN = "close_loan"
    NOTE_LOSS = "note_loss"
    NOTE_FOUND = "note_found"
    HAND_OVER = "hand_over"
    NOTE_PROCEEDS = "note_proceeds"
    STOP_CARE = "stop_care"


class StepError(Exception):
    """The step cannot be taken; `code` says why, `field` which fact is missing or wrong."""

    def __init__(self, code: str, *, field: str = "") -> None:
        """Note the machine's words; the edge has the reader's."""
        super().__init__(code)
        self.code, self.field = code, field


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An asset as the steps see it."""

    lifecycle: Lifecycle = Lifecycle.ACTIVE
    status: OperationalStatus = OperationalStatus.IN_SERVICE
    custody: Custody = Custody.WITH_OWNER
    leaving_as: str = ""
    in_service_on: date | None = None
    ended_on: date | None = None
    end_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the owner says with a step, and what is known already."""

    on: date  # when it happened
    today: date
    seller: str = ""
    has_price: bool = False
    is_paid: bool = False
    return_by: date | None = None
    is_agreed: bool = False  # a return the seller accepts though it is late
    fault: str = ""
    provider: str = ""
    is_taken_away: bool = False
    work: str = ""
    borrower: str = ""
    due_on: date | None = None
    leaving_as: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a step comes to."""

    state: State
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of the table."""

    is_from: Callable[[State], bool]
    guard: Callable[[State, Facts], None] = field(default=lambda _state, _facts: None)
    to: Callable[[State, Facts], State]
    effects: Callable[[State, Facts], tuple[Effect, ...]] = field(default=lambda _state, _facts: ())


_GONE = frozenset({Custody.LOST, Custody.STOLEN})
_OURS = frozenset({Lifecycle.ACTIVE, Lifecycle.LEAVING})
_AFTER_A_LOSS = {Custody.LOST: EndReason.LOST, Custody.STOLEN: EndReason.STOLEN}
# Said only of what was ordered and never came, or went back: those steps say it themselves.
_BEFORE_USE = frozenset({EndReason.CANCELLED})
_IMPLIED = {
    EndReason.SOLD: LeavingAs.FOR_SALE,
    EndReason.TRADED_IN: LeavingAs.TRADE_IN,
    EndReason.GIFTED: LeavingAs.GIVE_AWAY,
    EndReason.DONATED: LeavingAs.GIVE_AWAY,
    EndReason.INHERITED: LeavingAs.GIVE_AWAY,
}


def _works(state: State, *statuses: OperationalStatus) -> bool:
    return state.lifecycle in _OURS and state.custody not in _GONE and state.status in statuses


def _before_use(state: State, *lifecycles: Lifecycle) -> bool:
    return state.lifecycle in lifecycles and state.custody not in _GONE


def _need(value: object, name: str) -> None:
    if not value:
        raise StepError("needed", field=name)


def _order(_state: State, facts: Facts) -> None:
    _need(facts.seller, "seller")
    _need(facts.has_price, "price")


def _send_back(_state: State, facts: Facts) -> None:
    is_late = facts.return_by is not None and facts.on > facts.return_by
    if (is_late or facts.return_by is None) and not facts.is_agreed:
        raise StepError("return_window_over", field="is_agreed")


def _lend(_state: State, facts: Facts) -> None:
    _need(facts.borrower, "borrower")
    _need(facts.due_on, "due_on")
    if facts.due_on is not None and facts.due_on < facts.on:
        raise StepError("before", field="due_on")


def _lend_longer(_state: State, facts: Facts) -> None:
    _need(facts.due_on, "due_on")
    if facts.due_on is not None and facts.due_on < facts.today:
        raise StepError("before", field="due_on")


def _offer(_state: State, facts: Facts) -> None:
    if facts.leaving_as not in LeavingAs.values:
        raise StepError("needed", field="leaving_as")


def _end(state: State, facts: Facts) -> None:
    if facts.reason not in EndReason.values:
        raise StepError("needed", field="reason")
    reason = EndReason(facts.reason)
    if reason in _BEFORE_USE:
        raise StepError("wrong_reason", field="reason")
    # A loss is reported as one first: its day and number are what an insurer asks for.
    if reason in _AFTER_A_LOSS.values() and state.custody not in _GONE:
        raise StepError("report_first", field="reason")


def _end_effects(state: State, _facts: Facts) -> tuple[Effect, ...]:
    loan = (Effect.CLOSE_LOAN,) if state.custody == Custody.LENT else ()
    return (
        *loan,
        Effect.NOTE_PROCEEDS,
        Effect.STOP_CARE,
        Effect.STOP_COVERAGES,
        Effect.CLOSE_CONTRACTS,
    )


def _ended(state: State, facts: Facts, reason: str) -> State:
    custody = Custody.WITH_OWNER if state.custody not in _GONE else state.custody
    implied = _IMPLIED.get(EndReason(reason), LeavingAs.SCRAP)
    return replace(
        state,
        lifecycle=Lifecycle.ENDED,
        custody=custody,
        leaving_as=state.leaving_as or (implied.value if state.lifecycle in _OURS else ""),
        ended_on=facts.on,
        end_reason=reason,
    )


def _buy_back(state: State, facts: Facts) -> None:
    if state.ended_on is not None and facts.on < state.ended_on:
        raise StepError("before", field="on")


TABLE: dict[Step, _Row] = {
    Step.ORDER: _Row(
        is_from=lambda s: _before_use(s, Lifecycle.PLANNED),
        guard=_order,
        to=lambda s, _f: replace(s, lifecycle=Lifecycle.ORDERED, custody=Custody.IN_TRANSIT),
        effects=lambda _s, _f: (Effect.EXPECT_DELIVERY,),
    ),
    Step.CANCEL: _Row(
        is_from=lambda s: _before_use(s, Lifecycle.PLANNED, Lifecycle.ORDERED),
        to=lambda s, f: _ended(s, f, EndReason.CANCELLED),
        effects=lambda _s, f: (
            *((Effect.REFUND_NOTED,) if f.is_paid else ()),
            Effect.CLOSE_CONTRACTS,
        ),
    ),
    Step.RECEIVE: _Row(
        is_from=lambda s: _before_use(s, Lifecycle.ORDERED),
        to=lambda s, _f: replace(s, lifecycle=Lifecycle.RECEIVED, custody=Custody.WITH_OWNER),
        effects=lambda _s, _f: (
            Effect.START_RETURN_WINDOW,
            Effect.START_GUARANTEE,
            Effect.ASK_TO_REGISTER,
        ),
    ),
    Step.SEND_BACK: _Row(
        is_from=lambda s: _before_use(s, Lifecycle.RECEIVED),
        guard=_send_back,
        to=lambda s, f: _ended(s, f, EndReason.RETURNED),
        effects=lambda _s, _f: (Effect.REFUND_NOTED, Effect.STOP_COVERAGES),
    ),
    Step.PUT_IN_USE: _Row(
        is_from=lambda s: _before_use(s, Lifecycle.RECEIVED),
        to=lambda s, f: replace(
            s,
            lifecycle=Lifecycle.ACTIVE,
            status=OperationalStatus.IN_SERVICE,
            in_service_on=f.on,
        ),
        effects=lambda _s, _f: (Effect.ANCHOR_SCHEDULES,),
    ),
    Step.STORE: _Row(
        is_from=lambda s: _works(s, OperationalStatus.IN_SERVICE),
        to=lambda s, _f: replace(s, status=OperationalStatus.STORED),
        effects=lambda _s, _f: (Effect.PAUSE_CARE,),
    ),
    Step.TAKE_OUT: _Row(
        is_from=lambda s: _works(s, OperationalStatus.STORED),
        to=lambda s, _f: replace(s, status=OperationalStatus.IN_SERVICE),
        effects=lambda _s, _f: (Effect.RESUME_CARE,),
    ),
    Step.REPORT_FAULT: _Row(
        is_from=lambda s: _works(s, OperationalStatus.IN_SERVICE),
        guard=lambda _s, f: _need(f.fault, "fault"),
        to=lambda s, _f: replace(s, status=OperationalStatus.OUT_OF_ORDER),
        effects=lambda _s, _f: (Effect.OPEN_ISSUE,),
    ),
    Step.START_REPAIR: _Row(
        is_from=lambda s: _works(s, OperationalStatus.OUT_OF_ORDER),
        guard=lambda _s, f: _need(f.provider, "provider"),
        to=lambda s, f: replace(
            s,
            status=OperationalStatus.UNDER_REPAIR,
            custody=Custody.WITH_PROVIDER if f.is_taken_away else s.custody,
        ),
        effects=lambda s, f: (
            *((Effect.CLOSE_LOAN,) if s.custody == Custody.LENT and f.is_taken_away else ()),
            Effect.START_WORK,
        ),
    ),
    Step.FINISH_REPAIR: _Row(
        is_from=lambda s: _works(s, OperationalStatus.UNDER_REPAIR),
        guard=lambda _s, f: _need(f.work, "work"),
        to=lambda s, _f: replace(
            s,
            status=OperationalStatus.IN_SERVICE,
            custody=Custody.WITH_OWNER if s.custody == Custody.WITH_PROVIDER else s.custody,
        ),
        effects=lambda _s, _f: (
            Effect.LOG_REPAIR,
            Effect.REPAIR_GUARANTEE,
            Effect.CLOSE_ISSUES,  # last: the others read from the fault who repaired it
        ),
    ),
    Step.LEND: _Row(
        is_from=lambda s: s.lifecycle in _OURS and s.custody == Custody.WITH_OWNER,
        guard=_lend,
        to=lambda s, _f: replace(s, custody=Custody.LENT),
        effects=lambda _s, _f: (Effect.OPEN_LOAN,),
    ),
    Step.LEND_LONGER: _Row(
        is_from=lambda s: s.lifecycle in _OURS and s.custody == Custody.LENT,
        guard=_lend_longer,
        to=lambda s, _f: s,
        effects=lambda _s, _f: (Effect.EXTEND_LOAN,),
    ),
    Step.TAKE_BACK: _Row(
        is_from=lambda s: s.lifecycle in _OURS and s.custody == Custody.LENT,
        to=lambda s, _f: replace(s, custody=Custody.WITH_OWNER),
        effects=lambda _s, _f: (Effect.CLOSE_LOAN,),
    ),
    Step.LOSE: _Row(
        is_from=lambda s: s.lifecycle != Lifecycle.ENDED and s.custody not in _GONE,
        to=lambda s, _f: replace(s, custody=Custody.LOST),
        effects=lambda s, _f: (
            *((Effect.CLOSE_LOAN,) if s.custody == Custody.LENT else ()),
            Effect.NOTE_LOSS,
        ),
    ),
    Step.STEAL: _Row(
        is_from=lambda s: s.lifecycle != Lifecycle.ENDED and s.custody not in _GONE,
        to=lambda s, _f: replace(s, custody=Custody.STOLEN),
        effects=lambda s, _f: (
            *((Effect.CLOSE_LOAN,) if s.custody == Custody.LENT else ()),
            Effect.NOTE_LOSS,
        ),
    ),
    Step.FIND: _Row(
        is_from=lambda s: s.lifecycle != Lifecycle.ENDED and s.custody in _GONE,
        to=lambda s, _f: replace(s, custody=Custody.WITH_OWNER),
        effects=lambda _s, _f: (Effect.NOTE_FOUND,),
    ),
    Step.OFFER: _Row(
        is_from=lambda s: s.lifecycle == Lifecycle.ACTIVE and s.custody not in _GONE,
        guard=_offer,
        to=lambda s, f: replace(s, lifecycle=Lifecycle.LEAVING, leaving_as=f.leaving_as),
        effects=lambda _s, _f: (Effect.HAND_OVER,),
    ),
    Step.KEEP: _Row(
        is_from=lambda s: s.lifecycle == Lifecycle.LEAVING and s.custody not in _GONE,
        to=lambda s, _f: replace(s, lifecycle=Lifecycle.ACTIVE, leaving_as=""),
    ),
    # What is in use may end without being offered first (it is thrown away, used up): it
    # leaves and ends on one day. Whoever has it in hand then keeps it.
    Step.END: _Row(
        is_from=lambda s: (
            s.lifecycle in _OURS or (s.lifecycle != Lifecycle.ENDED and s.custody in _GONE)
        ),
        guard=_end,
        to=lambda s, f: _ended(s, f, f.reason),
        effects=_end_effects,
    ),
    Step.BUY_BACK: _Row(
        is_from=lambda s: s.lifecycle == Lifecycle.ENDED,
        guard=_buy_back,
        to=lambda s, f: replace(
            s,
            lifecycle=Lifecycle.ACTIVE,
            status=OperationalStatus.IN_SERVICE,
            custody=Custody.WITH_OWNER,
            leaving_as="",
            in_service_on=f.on,
            ended_on=None,
            end_reason="",
        ),
        effects=lambda s, _f: (
            *((Effect.NOTE_FOUND,) if s.custody in _GONE else ()),
            Effect.ANCHOR_SCHEDULES,
        ),
    ),
}


def open_steps(state: State) -> list[Step]:
    """Return the steps that lead on from here, in the order of the table."""
    return [step for step, row in TABLE.items() if row.is_from(state)]


def take(state: State, step: Step, facts: Facts) -> Taken:
    """Take a step. Raises StepError where it does not lead on from here, or a fact is missing."""
    row = TABLE[step]
    if not row.is_from(state):
        raise StepError("not_from_here")
    if facts.on > facts.today + timedelta(days=1):  # tomorrow is today somewhere
        raise StepError("in_the_future", field="on")
    row.guard(state, facts)
    return Taken(state=row.to(state, facts), effects=row.effects(state, facts))


def is_slip(state: State, *, today: date) -> bool:
    """Whether an end is so young that it can be taken back as a slip."""
    return state.ended_on is not None and (today - state.ended_on).days <= UNDO_DAYS
