"""What a matter comes to, whatever the order in which its contacts arrive."""

import random
from dataclasses import asdict
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.choices import JourneyState
from notifications.merging import Decided, Matter, fold, window_key
from owners.choices import Trust
from suppliers.choices import Outcome, Stage
from suppliers.contacts import AskClaim, FactClaim, Key, Visit
from tests.rules.said import (
    AFTERNOON,
    MORNING,
    at,
    entry,
    fee,
    invite,
    log,
    mail,
    progress,
    the_story,
    voicemail,
)


def folded(entries, decisions=(), now="14 12:00") -> Matter:
    return fold(entries, decisions, currency="USD", now=at(now))


def outcomes(matter: Matter) -> dict[str, str]:
    return {name: verdict.outcome.value for name, verdict in matter.verdicts.items()}


def test_the_story_absorbs_five_contacts() -> None:
    matter = folded(the_story())
    assert outcomes(matter) == {
        "c1": "own",
        "c2": "own",
        "c3": "shown",
        "c4": "absorbed",
        "c5": "absorbed",
        "c6": "absorbed",
        "c7": "absorbed",
        "c8": "absorbed",
        "e1": "shown",
        "e1b": "shown",
    }
    (slot,) = matter.slots
    assert slot.stage == Stage.DONE
    assert slot.uid == "job-1"
    assert slot.was_on_time is True


@given(st.integers(min_value=0, max_value=10_000))
def test_any_order_of_arrival_ends_in_the_same_state(seed: int) -> None:
    entries = the_story()
    shuffled = entries[:]
    random.Random(seed).shuffle(shuffled)
    assert asdict(folded(shuffled)) == asdict(folded(entries))


@pytest.mark.parametrize(
    ("later", "outcome", "reason"),
    [
        (mail("x", "13 09:00", MORNING), Outcome.ABSORBED, "nothing_new"),
        (mail("x", "13 09:00", AFTERNOON), Outcome.SHOWN, "visit_moved"),
        (mail("x", "13 09:00", MORNING, facts=(fee("59.00"),)), Outcome.SHOWN, "price_changed"),
        (
            mail("x", "13 09:00", MORNING, facts=(fee("49.00", "EUR"),)),
            Outcome.SHOWN,
            "price_changed",
        ),
        (mail("x", "13 09:00", facts=(fee("49.00"),)), Outcome.ABSORBED, "nothing_new"),
        (
            mail("x", "13 09:00", facts=(FactClaim(name="amount_due", money=fee("49.00").money),)),
            Outcome.ABSORBED,
            "nothing_new",
        ),
        (
            mail("x", "13 09:00", facts=(FactClaim(name="due_on", value="2026-12-01"),)),
            Outcome.SHOWN,
            "due_on",
        ),
        (
            mail("x", "13 09:00", MORNING, asks=(AskClaim(fact="account", prompt="Account?"),)),
            Outcome.SHOWN,
            "ask",
        ),
        (
            mail("x", "13 09:00", MORNING, payment_domains=("pay.skyline.example",)),
            Outcome.SHOWN,
            "payment_link",
        ),
        (entry("x", "13 09:00", body="Something no rule reads."), Outcome.SHOWN, "words"),
        (
            entry("x", "13 09:00", keys=(Key(scheme="ticket", value="T-1"),)),
            Outcome.ABSORBED,
            "nothing_new",
        ),
        (progress("x", "13 09:00", Stage.CONFIRMED), Outcome.SHOWN, "stage"),
        (progress("x", "13 09:00", Stage.CANCELLED), Outcome.SHOWN, "cancelled"),
    ],
)
def test_only_the_already_known_absorbs(later, outcome, reason) -> None:
    matter = folded([*the_story()[:8], later], now="13 09:30")
    assert (matter.verdicts["x"].outcome, matter.verdicts["x"].reason) == (outcome, reason)


def test_a_moved_visit_replaces_and_its_repetition_is_absorbed() -> None:
    story = the_story()[:6]
    matter = folded(
        [*story, mail("c7", "13 08:41", AFTERNOON), mail("c8", "13 08:55", AFTERNOON)],
        now="13 09:00",
    )
    assert matter.slots[0].span == AFTERNOON
    assert [old.key for old in matter.slots[0].window.replaced] == [window_key(MORNING)]
    assert matter.verdicts["c8"].outcome == Outcome.ABSORBED
    assert matter.conflicts == []


def test_repeating_the_replaced_time_is_a_conflict_nobody_guesses() -> None:
    story = the_story()[:6]
    matter = folded(
        [*story, mail("c7", "13 08:41", AFTERNOON), mail("c8", "13 08:55", MORNING)], now="13 09:00"
    )
    ((name, current, other),) = matter.conflicts
    assert (name, current.key, other.key) == ("window", window_key(AFTERNOON), window_key(MORNING))
    assert other.sources[-1] == "c8"


def test_a_higher_sequence_may_go_back_without_contradiction() -> None:
    matter = folded(
        [
            invite("a", "12 08:00", MORNING),
            invite("b", "12 09:00", AFTERNOON, sequence=1),
            invite("c", "12 10:00", MORNING, sequence=2),
        ],
        now="12 11:00",
    )
    assert matter.slots[0].span == MORNING
    assert matter.conflicts == []


def test_an_older_sequence_is_history() -> None:
    matter = folded(
        [
            invite("b", "12 09:00", AFTERNOON, sequence=1),
            entry(
                "late",
                "12 10:00",
                visit=Visit(window=MORNING, uid="job-1", sequence=0, dtstamp=at("12 07:00")),
            ),
        ],
        now="12 11:00",
    )
    assert matter.slots[0].span == AFTERNOON
    assert matter.verdicts["late"].outcome == Outcome.ABSORBED


def test_less_trusted_never_overrides_more_trusted_silently() -> None:
    signed = entry("a", "12 08:00", trust=Trust.SIGNED, visit=Visit(window=MORNING))
    weak = entry("b", "12 09:00", trust=Trust.UNAUTHENTICATED, visit=Visit(window=AFTERNOON))
    matter = folded([signed, weak], now="12 10:00")
    assert matter.slots[0].span == MORNING
    assert len(matter.conflicts) == 1


def test_the_owners_word_beats_all() -> None:
    correction = Decided(
        id="d1",
        name="correct",
        at=at("12 10:00"),
        data={"fact": "window", "value": window_key(AFTERNOON)},
    )
    repeat = entry("z", "12 11:00", trust=Trust.SIGNED, visit=Visit(window=MORNING))
    matter = folded([invite("a", "12 08:00", MORNING), repeat], [correction], now="12 12:00")
    assert matter.slots[0].span == AFTERNOON
    assert matter.conflicts == []
    assert matter.verdicts["z"].outcome == Outcome.ABSORBED


def test_a_reminder_never_revives_a_cancelled_visit() -> None:
    matter = folded(
        [
            invite("a", "12 08:00", MORNING),
            progress("b", "12 09:00", Stage.CANCELLED),
            entry("r", "12 10:00", visit=Visit(window=MORNING, is_reminder=True)),
        ],
        now="12 11:00",
    )
    assert matter.slots[0].stage == Stage.CANCELLED
    assert matter.verdicts["r"].outcome == Outcome.ABSORBED


def test_stages_only_move_forward() -> None:
    matter = folded(
        [
            invite("a", "12 08:00", MORNING),
            progress("done", "13 11:00", Stage.DONE),
            progress("late", "13 11:30", Stage.CONFIRMED),
        ],
        now="13 12:00",
    )
    assert matter.slots[0].stage == Stage.DONE
    assert matter.verdicts["late"].outcome == Outcome.ABSORBED


def test_only_the_owner_closes_or_fourteen_silent_days() -> None:
    story = the_story()
    resolved = entry("r", "13 12:30", is_resolution=True, type="ticket.closed", is_counted=False)
    assert folded([*story, resolved], now="20 12:00").state == JourneyState.OPEN
    assert folded([*story, resolved], now="27 12:46").state == JourneyState.CLOSED
    works = Decided(id="d", name="answer", at=at("13 18:05"), data={"answer": "works"})
    assert folded(story, [works]).state == JourneyState.CLOSED


def test_not_yet_reopens_and_remembers_what_was_tried() -> None:
    no = Decided(id="d", name="answer", at=at("13 18:05"), data={"answer": "not_yet"})
    matter = folded(the_story(), [no], now="13 19:00")
    assert matter.state == JourneyState.OPEN
    assert matter.done_at is None
    assert [step["result"] for step in matter.tried] == ["not_yet"]


def test_undoing_an_absorption_shows_the_contact() -> None:
    undo = Decided(id="d", name="undo_absorb", at=at("13 18:05"), contact="c7")
    matter = folded(the_story(), [undo])
    assert matter.verdicts["c7"].outcome == Outcome.SHOWN
    assert matter.verdicts["c7"].evidence["was"] == "absorbed"


def test_an_older_revision_changes_nothing() -> None:
    new = entry(
        "b",
        "12 09:00",
        type="order.updated",
        entity="o-1",
        revision=2,
        facts=(FactClaim(name="total", money=fee("20.00").money),),
    )
    old = entry(
        "a",
        "12 09:30",
        type="order.created",
        entity="o-1",
        revision=1,
        facts=(FactClaim(name="total", money=fee("10.00").money),),
    )
    matter = folded([new, old], now="12 10:00")
    total = matter.facts["total"].current
    assert total is not None
    assert total.key == "20.00 USD"


def test_a_second_voicemail_with_other_words_is_shown() -> None:
    matter = folded(
        [
            log("c2", "10 18:43", visit=Visit(window=MORNING), is_from_text=True),
            voicemail("v1", "13 08:14", "we will be there in a few hours"),
            voicemail("v2", "13 09:00", "we are at your door"),
        ],
        now="13 09:10",
    )
    assert matter.verdicts["v2"].outcome == Outcome.SHOWN


@pytest.mark.parametrize(
    ("said", "stage"),
    [
        (invite("x", "13 14:00", AFTERNOON, sequence=1), Stage.BOOKED),
        (invite("x", "13 14:00", MORNING, sequence=1), Stage.MISSED),
        (progress("x", "13 14:00", Stage.STARTED), Stage.MISSED),
    ],
)
def test_only_another_time_books_a_missed_visit_anew(said, stage) -> None:
    missed = [invite("a", "10 10:00", MORNING), progress("m", "13 12:30", Stage.MISSED)]
    assert [slot.stage for slot in folded([*missed, said]).slots] == [stage]


def test_a_bill_leaves_a_closed_matter_closed_and_news_reopens_it() -> None:
    done = [invite("a", "10 10:00", MORNING), progress("d", "13 11:00", Stage.DONE)]
    works = [Decided(id="w", name="answer", at=at("13 18:00"), data={"answer": "works"})]
    due = FactClaim(name="due_on", value="2026-11-20")
    bill = entry("i", "13 20:00", type="invoice.issued", facts=(fee("49.00"), due))
    assert folded([*done, bill], works).state == JourneyState.CLOSED
    again = mail("x", "13 21:00", AFTERNOON)
    assert folded([*done, bill, again], works).state == JourneyState.OPEN


def test_silence_is_counted_from_what_was_said_last() -> None:
    done = [invite("a", "01 10:00", MORNING), progress("d", "02 11:00", Stage.DONE)]
    asked = entry("q", "12 11:00", asks=(AskClaim(fact="photo"),))
    assert folded(done, now="16 12:00").state == JourneyState.CLOSED
    assert folded([*done, asked], now="16 12:00").state == JourneyState.OPEN
    assert folded([*done, asked], now="26 12:00").state == JourneyState.CLOSED


def test_a_muted_matter_holds_what_it_brings() -> None:
    mute = [Decided(id="m", name="mute", at=at("10 12:00"))]
    said = [invite("a", "10 10:00", MORNING), mail("x", "11 10:00", AFTERNOON)]
    assert outcomes(folded(said, mute)) == {"a": "shown", "x": "held"}


def test_a_sender_that_names_none_of_its_assets_leaves_a_question() -> None:
    both = frozenset({"asset-dvr", "asset-boiler"})
    unnamed = entry("a", "10 10:00", asset="", covers=both)
    assert folded([unnamed]).lacks_asset
    assert not folded([unnamed, entry("b", "10 11:00", covers=both)]).lacks_asset
    assert not folded([entry("a", "10 10:00", asset="", covers=frozenset())]).lacks_asset


@pytest.mark.parametrize(
    ("kind", "status", "outcome"),
    [
        ("ticket.updated", "open", "absorbed"),
        ("ticket.updated", "working", "shown"),
        ("invoice.due", "due", "absorbed"),
    ],
)
def test_another_stage_of_a_ticket_is_news_and_of_a_bill_is_not(kind, status, outcome) -> None:
    family = kind.partition(".")[0]
    number = (Key(scheme=family, value="N1"),)
    first = entry("a", "10 10:00", type=f"{family}.opened", status="open", keys=number)
    said = entry("x", "11 10:00", type=kind, status=status, keys=number)
    assert outcomes(folded([first, said]))["x"] == outcome


WAITING = [invite("a", "10 10:00", MORNING)]
UNTIL_VISIT = Decided(id="s", name="snooze", at=at("10 11:00"), data={"event": "day_before_visit"})
UNTIL_ANSWER = Decided(id="s", name="snooze", at=at("10 11:00"), data={"event": "answer"})


@pytest.mark.parametrize(
    ("later", "decision", "until"),
    [
        ([], UNTIL_VISIT, at("12 08:00")),
        # it moves with the visit, and ends with it
        ([mail("x", "10 12:00", AFTERNOON)], UNTIL_VISIT, at("12 13:00")),
        ([progress("x", "10 12:00", Stage.CANCELLED)], UNTIL_VISIT, None),
        ([], UNTIL_ANSWER, at("10 11:00") + timedelta(days=30)),
        # what says nothing new is no answer
        ([mail("x", "10 12:00", MORNING)], UNTIL_ANSWER, at("10 11:00") + timedelta(days=30)),
        ([mail("x", "10 12:00", AFTERNOON)], UNTIL_ANSWER, None),
    ],
)
def test_a_card_is_put_aside_until_what_its_owner_waits_for(later, decision, until) -> None:
    matter = fold([*WAITING, *later], [decision], currency="USD", now=at("10 13:00"))
    assert matter.snoozed_until == until
