"""How an asset passes to its next owner, as a table, and as whatever order anybody may try."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assets.passing_words import TakenTo, TransferState
from assets.transfer_rules import (
    ENDED,
    HAND_OVER_IN,
    TABLE,
    UNDO_IN,
    Act,
    Said,
    Side,
    Standing,
    TransferError,
    open_acts,
    take,
)

NOW = datetime(2026, 11, 9, 12, tzinfo=UTC)
S = TransferState
HERE = Said(taken_to=TakenTo.HERE)


def standing(state: TransferState, **said: object) -> Standing:
    """Return a transfer in a state as it comes to be in it."""
    found = Standing()
    if state == S.DRAFT:
        return replace(found, **said)  # type: ignore[arg-type]
    found = take(found, Act.OFFER, by=Side.SELLER, now=NOW)
    if state in (S.ACCEPTED, S.COMPLETED, S.UNDONE):
        found = take(found, Act.ACCEPT, by=Side.BUYER, now=NOW, said=HERE)
    if state in (S.COMPLETED, S.UNDONE):
        found = take(found, Act.COMPLETE, by=Side.SELLER, now=NOW)
    if state == S.UNDONE:
        found = take(found, Act.ASK_BACK, by=Side.SELLER, now=NOW)
        found = take(found, Act.ASK_BACK, by=Side.BUYER, now=NOW)
    if state == S.DECLINED:
        found = take(found, Act.DECLINE, by=Side.BUYER, now=NOW)
    if state == S.WITHDRAWN:
        found = take(found, Act.WITHDRAW, by=Side.SELLER, now=NOW)
    if state == S.EXPIRED:
        found = take(found, Act.EXPIRE, by=Side.TIME, now=NOW + timedelta(days=15))
    assert found.state == state
    return replace(found, **said)  # type: ignore[arg-type]


# Everything that leads on, and nothing else does: from, by whom, what, to.
LEADS = {
    (S.DRAFT, Side.SELLER, Act.OFFER): S.OFFERED,
    (S.DRAFT, Side.SELLER, Act.WITHDRAW): S.WITHDRAWN,
    (S.OFFERED, Side.BUYER, Act.ACCEPT): S.ACCEPTED,
    (S.OFFERED, Side.BUYER, Act.DECLINE): S.DECLINED,
    (S.OFFERED, Side.SELLER, Act.WITHDRAW): S.WITHDRAWN,
    (S.ACCEPTED, Side.SELLER, Act.COMPLETE): S.COMPLETED,
    (S.ACCEPTED, Side.SELLER, Act.WITHDRAW): S.WITHDRAWN,
    (S.ACCEPTED, Side.BUYER, Act.DECLINE): S.DECLINED,
    (S.COMPLETED, Side.SELLER, Act.ASK_BACK): S.COMPLETED,
    (S.COMPLETED, Side.BUYER, Act.ASK_BACK): S.COMPLETED,
}


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("by", list(Side))
@pytest.mark.parametrize("act", list(Act))
def test_only_what_the_table_says_leads_on(state: S, by: Side, act: Act) -> None:
    before = standing(state)
    wanted = LEADS.get((state, by, act))
    if wanted is None:
        with pytest.raises(TransferError):
            take(before, act, by=by, now=NOW, said=HERE)
        return
    assert take(before, act, by=by, now=NOW, said=HERE).state == wanted


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("by", list(Side))
@pytest.mark.parametrize("later", [timedelta(), timedelta(days=13), timedelta(days=40)])
def test_what_is_offered_as_a_step_can_be_taken_and_the_rest_cannot(
    state: S, by: Side, later: timedelta
) -> None:
    before, now = standing(state), NOW + later
    offered = set(open_acts(before, by=by, now=now)) - {Act.EXPIRE}
    for act in set(Act) - {Act.EXPIRE}:
        try:
            after = take(before, act, by=by, now=now, said=HERE)
        except TransferError:
            assert act not in offered
        else:
            assert act in offered or after == before  # asking twice is once


@pytest.mark.parametrize(
    ("state", "ends"), [(S.OFFERED, timedelta(days=14)), (S.ACCEPTED, HAND_OVER_IN)]
)
def test_time_ends_what_is_under_way_at_its_end_and_not_before(state: S, ends: timedelta) -> None:
    before = standing(state)
    with pytest.raises(TransferError) as early:
        take(before, Act.EXPIRE, by=Side.TIME, now=NOW + ends - timedelta(seconds=1))
    assert early.value.code == "too_early"
    assert take(before, Act.EXPIRE, by=Side.TIME, now=NOW + ends).state == S.EXPIRED
    for by, act in ((Side.BUYER, Act.ACCEPT), (Side.BUYER, Act.DECLINE)):
        if (state, by, act) in LEADS:
            with pytest.raises(TransferError) as late:
                take(before, act, by=by, now=NOW + ends, said=HERE)
            assert late.value.code == "over"


@pytest.mark.parametrize("days", [0, 1, 15, 365])
def test_an_offer_stands_for_one_of_the_lengths(days: int) -> None:
    with pytest.raises(TransferError) as refused:
        take(Standing(), Act.OFFER, by=Side.SELLER, now=NOW, said=Said(days=days))
    assert refused.value.field == "days"


def test_who_has_no_link_is_spoken_for_by_the_seller_and_nobody_else() -> None:
    paper = replace(standing(S.OFFERED), is_paper=True)
    with pytest.raises(TransferError):
        take(paper, Act.ACCEPT, by=Side.BUYER, now=NOW, said=HERE)
    said = Said(taken_to=TakenTo.PAPER)
    assert take(paper, Act.ACCEPT, by=Side.SELLER, now=NOW, said=said).state == S.ACCEPTED
    with pytest.raises(TransferError):
        take(standing(S.OFFERED), Act.ACCEPT, by=Side.SELLER, now=NOW, said=said)


@pytest.mark.parametrize("taken_to", [TakenTo.ELSEWHERE, TakenTo.PAPER])
def test_what_left_this_server_is_not_undone_on_it(taken_to: TakenTo) -> None:
    gone = replace(standing(S.COMPLETED), taken_to=taken_to)
    for by in (Side.SELLER, Side.BUYER):
        with pytest.raises(TransferError) as refused:
            take(gone, Act.ASK_BACK, by=by, now=NOW)
        assert refused.value.code == "elsewhere"


def test_undoing_needs_both_and_has_its_time() -> None:
    done = standing(S.COMPLETED)
    asked = take(done, Act.ASK_BACK, by=Side.SELLER, now=NOW + UNDO_IN)
    assert asked.state == S.COMPLETED
    assert take(asked, Act.ASK_BACK, by=Side.SELLER, now=NOW) == asked
    assert take(asked, Act.ASK_BACK, by=Side.BUYER, now=NOW + UNDO_IN).state == S.UNDONE
    with pytest.raises(TransferError) as late:
        take(asked, Act.ASK_BACK, by=Side.BUYER, now=NOW + UNDO_IN + timedelta(seconds=1))
    assert late.value.code == "too_late"


class Passing(RuleBasedStateMachine):
    """Seller, buyer and time in any order, against what nobody may ever bring about."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.standing = Standing()
        self.said_yes: set[Side] = set()
        self.asked: set[Side] = set()
        self.ended_as: TransferState | None = None

    @rule(
        act=st.sampled_from(list(Act)),
        by=st.sampled_from(list(Side)),
        taken_to=st.sampled_from(["", *TakenTo.values]),
        days=st.sampled_from([7, 14, 30, 31]),
    )
    def act(self, act: Act, by: Side, taken_to: str, days: int) -> None:
        before = self.standing
        try:
            after = take(before, act, by=by, now=self.now, said=Said(days=days, taken_to=taken_to))
        except TransferError:
            return
        assert by in TABLE[act].by
        if act == Act.ACCEPT:
            self.said_yes.add(Side.SELLER if before.is_paper else Side.BUYER)
        if act == Act.ASK_BACK:
            self.asked.add(by)
        if after.state == S.COMPLETED and before.state != S.COMPLETED:
            assert by == Side.SELLER
            assert self.said_yes
            assert before.expires_at is not None
            assert self.now < before.expires_at
        if after.state == S.UNDONE:
            assert self.asked == {Side.SELLER, Side.BUYER}
        self.standing = after

    @rule(hours=st.integers(1, 24 * 20))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.standing.state == S.DRAFT)
    @rule()
    def on_paper(self) -> None:
        self.standing = replace(self.standing, is_paper=True)

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        if self.ended_as is not None:
            assert self.standing.state == self.ended_as
        if self.standing.state in ENDED:
            self.ended_as = self.standing.state
            for side in Side:
                assert open_acts(self.standing, by=side, now=self.now) == []

    @invariant()
    def what_is_under_way_has_an_end(self) -> None:
        is_under_way = self.standing.state in (S.OFFERED, S.ACCEPTED)
        assert is_under_way <= (self.standing.expires_at is not None)
        assert (self.standing.state == S.COMPLETED) <= (self.standing.completed_at is not None)


TestPassing = Passing.TestCase
TestPassing.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
