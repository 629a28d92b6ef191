"""How an asset passes to its next owner: which steps there are, who takes them, and until when.

A transfer is drafted by the seller, offered, accepted by the buyer and completed by the
seller: nothing passes before both have said so. It ends otherwise when the buyer declines,
the seller takes it back, or its time is over. What is completed on one server is undone only
when both sides ask for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from assets.passing_words import TakenTo, TransferState

OFFER_DAYS = (7, 14, 30)
HAND_OVER_IN = timedelta(days=30)  # from the yes of the buyer
UNDO_IN = timedelta(days=14)  # from the hand-over; later it is a new transfer back
TAKE_IN = timedelta(days=30)  # in which a package of another server can be fetched by its link


class Side(StrEnum):
    """Who takes a step."""

    SELLER = "seller"
    BUYER = "buyer"
    TIME = "time"


class Act(StrEnum):
    """A step of a transfer."""

    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    COMPLETE = "complete"
    ASK_BACK = "ask_back"


class TransferError(Exception):
    """The step cannot be taken; `code` says why, `field` which input is wrong."""

    def __init__(self, code: str, *, field: str = "") -> None:
        """Note the machine's words; the edge has the reader's."""
        super().__init__(code)
        self.code, self.field = code, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A transfer as the rules see it."""

    state: TransferState = TransferState.DRAFT
    is_paper: bool = False
    expires_at: datetime | None = None
    completed_at: datetime | None = None
    taken_to: str = ""
    asked_back: frozenset[Side] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What comes with a step."""

    days: int = 14
    taken_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of the table: from where, by whom, and to what."""

    froms: frozenset[TransferState]
    by: frozenset[Side]
    to: Callable[[Standing, Side, Said, datetime], Standing]
    is_timely: bool = True  # not once its time is over


def _offer(standing: Standing, _by: Side, said: Said, now: datetime) -> Standing:
    if said.days not in OFFER_DAYS:
        raise TransferError("days", field="days")
    ends = now + timedelta(days=said.days)
    return replace(standing, state=TransferState.OFFERED, expires_at=ends)


def _accept(standing: Standing, by: Side, said: Said, now: datetime) -> Standing:
    # Whoever has no link is spoken for by the seller, and by nobody else.
    allowed = {TakenTo.PAPER} if by == Side.SELLER else {TakenTo.HERE, TakenTo.ELSEWHERE}
    if standing.is_paper != (by == Side.SELLER):
        raise TransferError("not_yours")
    if said.taken_to not in allowed:
        raise TransferError("needed", field="taken_to")
    return replace(
        standing,
        state=TransferState.ACCEPTED,
        taken_to=str(said.taken_to),
        expires_at=now + HAND_OVER_IN,
    )


def _expire(standing: Standing, _by: Side, _said: Said, now: datetime) -> Standing:
    if standing.expires_at is None or now < standing.expires_at:
        raise TransferError("too_early")
    return replace(standing, state=TransferState.EXPIRED)


def _complete(standing: Standing, _by: Side, _said: Said, now: datetime) -> Standing:
    return replace(standing, state=TransferState.COMPLETED, completed_at=now, expires_at=None)


def _ask_back(standing: Standing, by: Side, _said: Said, now: datetime) -> Standing:
    if standing.taken_to != TakenTo.HERE:
        raise TransferError("elsewhere")  # whoever has it cannot be asked here
    if standing.completed_at is None or now - standing.completed_at > UNDO_IN:
        raise TransferError("too_late")
    both = standing.asked_back | {by}
    is_agreed = both >= {Side.SELLER, Side.BUYER}
    state = TransferState.UNDONE if is_agreed else standing.state
    return replace(standing, state=state, asked_back=both)


def _to(state: TransferState) -> Callable[[Standing, Side, Said, datetime], Standing]:
    return lambda standing, _by, _said, _now: replace(standing, state=state)


_UNDER_WAY = frozenset({TransferState.OFFERED, TransferState.ACCEPTED})
TABLE: dict[Act, _Row] = {
    Act.OFFER: _Row(froms=frozenset({TransferState.DRAFT}), by=frozenset({Side.SELLER}), to=_offer),
    Act.ACCEPT: _Row(
        froms=frozenset({TransferState.OFFERED}),
        by=frozenset({Side.BUYER, Side.SELLER}),
        to=_accept,
    ),
    Act.DECLINE: _Row(froms=_UNDER_WAY, by=frozenset({Side.BUYER}), to=_to(TransferState.DECLINED)),
    Act.WITHDRAW: _Row(
        froms=_UNDER_WAY | {TransferState.DRAFT},
        by=frozenset({Side.SELLER}),
        to=_to(TransferState.WITHDRAWN),
        is_timely=False,
    ),
    Act.EXPIRE: _Row(froms=_UNDER_WAY, by=frozenset({Side.TIME}), to=_expire, is_timely=False),
    Act.COMPLETE: _Row(
        froms=frozenset({TransferState.ACCEPTED}), by=frozenset({Side.SELLER}), to=_complete
    ),
    Act.ASK_BACK: _Row(
        froms=frozenset({TransferState.COMPLETED}),
        by=frozenset({Side.SELLER, Side.BUYER}),
        to=_ask_back,
    ),
}
# Nothing leads on from here.
ENDED = frozenset(
    {
        TransferState.DECLINED,
        TransferState.WITHDRAWN,
        TransferState.EXPIRED,
        TransferState.UNDONE,
    }
)


def take(
    standing: Standing, act: Act, *, by: Side, now: datetime, said: Said | None = None
) -> Standing:
    """Take a step; raises TransferError where it does not lead on from here."""
    row = TABLE[act]
    if by not in row.by:
        raise TransferError("not_yours")
    if standing.state not in row.froms:
        raise TransferError("not_from_here")
    if row.is_timely and standing.expires_at is not None and now >= standing.expires_at:
        raise TransferError("over")
    return row.to(standing, by, said or Said(), now)


def open_acts(standing: Standing, *, by: Side, now: datetime) -> list[Act]:
    """Return the steps that one side can take now, in the order of the table."""
    found = []
    for act, row in TABLE.items():
        is_over = standing.expires_at is not None and now >= standing.expires_at
        if by not in row.by or standing.state not in row.froms or (row.is_timely and is_over):
            continue
        if act == Act.ACCEPT and standing.is_paper != (by == Side.SELLER):
            continue
        if act == Act.ASK_BACK and not _may_ask_back(standing, by, now):
            continue
        found.append(act)
    return found


def _may_ask_back(standing: Standing, by: Side, now: datetime) -> bool:
    if standing.taken_to != TakenTo.HERE or by in standing.asked_back:
        return False
    return standing.completed_at is not None and now - standing.completed_at <= UNDO_IN
