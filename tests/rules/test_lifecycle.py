"""The steps in an asset's life, against the table they are promised by."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assets import lifecycle
from assets.choices import Custody, EndReason, LeavingAs, Lifecycle, OperationalStatus
from assets.lifecycle import Effect, Facts, State, Step, StepError

TODAY = date(2026, 11, 9)
FACTS = Facts(
    on=TODAY,
    today=TODAY,
    seller="Nordvarme",
    has_price=True,
    return_by=TODAY,
    fault="No hot water",
    provider="Nordvarme",
    work="New pump",
    borrower="Ben",
    due_on=TODAY + timedelta(days=7),
    leaving_as="for_sale",
    reason="sold",
)
L, S, C = Lifecycle, OperationalStatus, Custody
IN_USE = State()


@pytest.mark.parametrize(
    ("before", "step", "after", "effects"),
    [
        (State(lifecycle=L.PLANNED), Step.ORDER, (L.ORDERED, S.IN_SERVICE, C.IN_TRANSIT),
         {Effect.EXPECT_DELIVERY}),
        (State(lifecycle=L.PLANNED), Step.CANCEL, (L.ENDED, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.CLOSE_CONTRACTS}),
        (State(lifecycle=L.ORDERED, custody=C.IN_TRANSIT), Step.RECEIVE,
         (L.RECEIVED, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.START_RETURN_WINDOW, Effect.START_GUARANTEE, Effect.ASK_TO_REGISTER}),
        (State(lifecycle=L.RECEIVED), Step.SEND_BACK, (L.ENDED, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.REFUND_NOTED, Effect.STOP_COVERAGES}),
        (State(lifecycle=L.RECEIVED), Step.PUT_IN_USE, (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.ANCHOR_SCHEDULES}),
        (IN_USE, Step.STORE, (L.ACTIVE, S.STORED, C.WITH_OWNER), {Effect.PAUSE_CARE}),
        (State(status=S.STORED), Step.TAKE_OUT, (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.RESUME_CARE}),
        (IN_USE, Step.REPORT_FAULT, (L.ACTIVE, S.OUT_OF_ORDER, C.WITH_OWNER),
         {Effect.OPEN_ISSUE}),
        (State(status=S.OUT_OF_ORDER), Step.START_REPAIR,
         (L.ACTIVE, S.UNDER_REPAIR, C.WITH_OWNER), {Effect.START_WORK}),
        (State(status=S.UNDER_REPAIR, custody=C.WITH_PROVIDER), Step.FINISH_REPAIR,
         (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.LOG_REPAIR, Effect.CLOSE_ISSUES, Effect.REPAIR_GUARANTEE}),
        (IN_USE, Step.LEND, (L.ACTIVE, S.IN_SERVICE, C.LENT), {Effect.OPEN_LOAN}),
        (State(custody=C.LENT), Step.LEND_LONGER, (L.ACTIVE, S.IN_SERVICE, C.LENT),
         {Effect.EXTEND_LOAN}),
        (State(custody=C.LENT), Step.TAKE_BACK, (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.CLOSE_LOAN}),
        (State(custody=C.LENT), Step.STEAL, (L.ACTIVE, S.IN_SERVICE, C.STOLEN),
         {Effect.CLOSE_LOAN, Effect.NOTE_LOSS}),
        (State(custody=C.LOST), Step.FIND, (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.NOTE_FOUND}),
        (IN_USE, Step.OFFER, (L.LEAVING, S.IN_SERVICE, C.WITH_OWNER), {Effect.HAND_OVER}),
        (State(lifecycle=L.LEAVING, leaving_as="scrap"), Step.KEEP,
         (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER), set()),
        (State(lifecycle=L.LEAVING), Step.END, (L.ENDED, S.IN_SERVICE, C.WITH_OWNER),
         {Effect.NOTE_PROCEEDS, Effect.STOP_CARE, Effect.STOP_COVERAGES, Effect.CLOSE_CONTRACTS}),
        (State(lifecycle=L.ENDED, ended_on=TODAY, end_reason="sold"), Step.BUY_BACK,
         (L.ACTIVE, S.IN_SERVICE, C.WITH_OWNER), {Effect.ANCHOR_SCHEDULES}),
    ],
)  # fmt: skip
def test_each_row_of_the_table_changes_what_it_says(before, step, after, effects):
    taken = lifecycle.take(before, step, FACTS)
    assert (taken.state.lifecycle, taken.state.status, taken.state.custody) == after
    assert set(taken.effects) == effects


@pytest.mark.parametrize(
    ("before", "step", "facts", "code", "field"),
    [
        (State(lifecycle=L.PLANNED), Step.ORDER, replace(FACTS, seller=""), "needed", "seller"),
        (State(lifecycle=L.PLANNED), Step.ORDER, replace(FACTS, has_price=False), "needed",
         "price"),
        (State(lifecycle=L.RECEIVED), Step.SEND_BACK,
         replace(FACTS, return_by=TODAY - timedelta(days=1)), "return_window_over", "is_agreed"),
        (IN_USE, Step.REPORT_FAULT, replace(FACTS, fault=""), "needed", "fault"),
        (IN_USE, Step.LEND, replace(FACTS, due_on=None), "needed", "due_on"),
        (IN_USE, Step.LEND, replace(FACTS, due_on=TODAY - timedelta(days=1)), "before", "due_on"),
        (State(custody=C.LENT), Step.LEND_LONGER, replace(FACTS, due_on=None), "needed", "due_on"),
        (State(custody=C.LENT), Step.LEND_LONGER, replace(FACTS, due_on=TODAY - timedelta(days=1)),
         "before", "due_on"),
        (IN_USE, Step.LEND_LONGER, FACTS, "not_from_here", ""),
        (IN_USE, Step.OFFER, replace(FACTS, leaving_as=""), "needed", "leaving_as"),
        (IN_USE, Step.END, replace(FACTS, reason=""), "needed", "reason"),
        (IN_USE, Step.END, replace(FACTS, reason="cancelled"), "wrong_reason", "reason"),
        (IN_USE, Step.END, replace(FACTS, reason="stolen"), "report_first", "reason"),
        (IN_USE, Step.STORE, replace(FACTS, on=TODAY + timedelta(days=2)), "in_the_future", "on"),
        (IN_USE, Step.RECEIVE, FACTS, "not_from_here", ""),
        (State(custody=C.LOST), Step.STORE, FACTS, "not_from_here", ""),
        (State(lifecycle=L.ENDED), Step.LOSE, FACTS, "not_from_here", ""),
        (State(lifecycle=L.RECEIVED), Step.STORE, FACTS, "not_from_here", ""),
    ],
)  # fmt: skip
def test_a_step_without_what_it_needs_is_refused(before, step, facts, code, field):
    with pytest.raises(StepError) as refused:
        lifecycle.take(before, step, facts)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_late_return_needs_the_seller_to_agree():
    late = replace(FACTS, return_by=TODAY - timedelta(days=3), is_agreed=True)
    taken = lifecycle.take(State(lifecycle=L.RECEIVED), Step.SEND_BACK, late)
    assert taken.state.end_reason == EndReason.RETURNED


def test_what_is_stolen_may_end_as_stolen():
    taken = lifecycle.take(State(custody=C.STOLEN), Step.END, replace(FACTS, reason="stolen"))
    assert (taken.state.lifecycle, taken.state.custody) == (L.ENDED, C.STOLEN)


facts = st.builds(
    Facts,
    on=st.dates(TODAY - timedelta(days=400), TODAY + timedelta(days=3)),
    today=st.just(TODAY),
    seller=st.sampled_from(["", "Nordvarme"]),
    has_price=st.booleans(),
    is_paid=st.booleans(),
    return_by=st.none() | st.dates(TODAY - timedelta(days=40), TODAY + timedelta(days=40)),
    is_agreed=st.booleans(),
    fault=st.sampled_from(["", "It drips"]),
    provider=st.sampled_from(["", "Nordvarme"]),
    is_taken_away=st.booleans(),
    work=st.sampled_from(["", "New pump"]),
    borrower=st.sampled_from(["", "Ben"]),
    due_on=st.none() | st.dates(TODAY - timedelta(days=40), TODAY + timedelta(days=400)),
    leaving_as=st.sampled_from(["", *LeavingAs.values]),
    reason=st.sampled_from(["", *EndReason.values]),
)


@given(facts=facts, step=st.sampled_from(Step))
@settings(max_examples=60)
def test_only_an_open_step_is_ever_taken(facts, step):
    for state in (IN_USE, State(lifecycle=L.PLANNED), State(custody=C.LENT)):
        code = refusal(state, step, facts)
        assert (code == "not_from_here") == (step not in lifecycle.open_steps(state))


def refusal(state, step, facts):
    try:
        lifecycle.take(state, step, facts)
    except StepError as error:
        return error.code
    return ""


class Life(RuleBasedStateMachine):
    """Any life that can be lived, step by step."""

    def __init__(self):
        super().__init__()
        self.state = State(lifecycle=L.PLANNED)
        self.loans = self.losses = 0

    @rule(step=st.sampled_from(Step), said=facts)
    def go(self, step, said):
        before = self.state
        try:
            taken = lifecycle.take(before, step, said)
        except StepError:
            return  # the state is a value: a refused step cannot have changed it
        self.state = taken.state
        assert taken.state != before or step in {Step.START_REPAIR, Step.LEND_LONGER}
        self.loans += Effect.OPEN_LOAN in taken.effects
        self.loans -= Effect.CLOSE_LOAN in taken.effects
        self.losses += Effect.NOTE_LOSS in taken.effects
        self.losses -= Effect.NOTE_FOUND in taken.effects

    @precondition(lambda self: self.state.lifecycle != L.ENDED)
    @rule()
    def a_living_thing_can_always_go_on(self):
        assert lifecycle.open_steps(self.state)

    @invariant()
    def an_end_has_a_day_and_a_reason(self):
        is_ended = self.state.lifecycle == L.ENDED
        assert is_ended == bool(self.state.ended_on) == bool(self.state.end_reason)

    @invariant()
    def a_loan_is_open_exactly_while_it_is_lent(self):
        assert self.loans == (self.state.custody == C.LENT)

    @invariant()
    def only_what_is_used_can_be_stored_or_broken(self):
        if self.state.lifecycle in {L.PLANNED, L.ORDERED, L.RECEIVED}:
            assert self.state.status == S.IN_SERVICE
            assert self.state.custody != C.LENT

    @invariant()
    def what_is_lost_waits_to_be_found_or_ended(self):
        if self.state.custody in {C.LOST, C.STOLEN} and self.state.lifecycle != L.ENDED:
            assert set(lifecycle.open_steps(self.state)) == {Step.FIND, Step.END}

    @invariant()
    def a_loss_is_open_exactly_while_it_is_gone(self):
        assert self.losses == (self.state.custody in {C.LOST, C.STOLEN})

    @invariant()
    def a_step_leads_back_into_use_from_an_end(self):
        if self.state.lifecycle == L.ENDED:
            assert lifecycle.open_steps(self.state) == [Step.BUY_BACK]


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
