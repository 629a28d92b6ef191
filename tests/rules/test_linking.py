"""Which journey a contact belongs to, step by step."""

from typing import Any

import pytest

from notifications.consolidation import FULL, Candidate, place
from notifications.merging import Entry
from owners.choices import Trust
from suppliers.choices import ContactKind, Outcome, Purpose, Stage
from suppliers.contacts import Key, SurveyClaim, Visit
from tests.rules.said import (
    AFTERNOON,
    BOILER,
    DVR,
    MORNING,
    NORDVARME,
    at,
    cut_off,
    entry,
    invite,
    mail,
    progress,
    voicemail,
)


def journey(*entries, name: str = "J1", done: str = "", closed: str = "") -> Candidate:
    first = entries[0]
    made = Candidate(id=name, opened_at=first.said.said_at, last_said_at=first.said.said_at)
    for item in entries:
        made.take(item)
    made.done_at = at(done) if done else made.done_at
    made.closed_at = at(closed) if closed else None
    return made


VISIT = invite("c6", "10 18:43", MORNING)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (invite("x", "13 08:00", AFTERNOON), "strong_key"),
        (entry("x", "13 08:00", keys=(Key(scheme="thread", value="job-1"),)), "known_sender"),
        (mail("x", "13 08:00", MORNING), "same_visit"),
        (entry("x", "13 08:00", body="Hello"), "known_sender"),
        (voicemail("x", "13 08:14", "there soon"), "open_visit_window"),
        (voicemail("x", "12 08:01", "tomorrow"), "open_visit_window"),
        (voicemail("x", "13 15:59", "sorry"), "open_visit_window"),
    ],
)
def test_links_by_evidence_in_order(said, rule) -> None:
    placement = place(said, [journey(VISIT)])
    assert (placement.journey, placement.rule, placement.outcome) == ("J1", rule, None)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (voicemail("x", "12 07:59", "too early"), "unknown_sender"),
        (voicemail("x", "13 16:01", "too late"), "unknown_sender"),
        (cut_off("x", "13 08:14"), "unknown_sender"),
        (
            mail("x", "13 08:00", MORNING, suspicion="authentication_failed"),
            "authentication_failed",
        ),
        (mail("x", "13 08:00", MORNING, suspicion="foreign_payment_link"), "foreign_payment_link"),
    ],
)
def test_what_cannot_be_believed_waits_at_the_door(said, reason) -> None:
    placement = place(said, [journey(VISIT)])
    assert (placement.journey, placement.outcome, placement.reason) == ("", Outcome.DOOR, reason)


def test_a_number_once_linked_is_recognised_for_a_day() -> None:
    known = journey(VISIT, voicemail("c3", "13 08:14", "there soon"))
    assert place(cut_off("x", "13 08:21"), [known]).rule == "same_number"
    assert place(cut_off("x", "14 08:21"), [known]).outcome == Outcome.DOOR


def test_an_unknown_caller_needs_exactly_one_open_window() -> None:
    other = journey(
        invite("o", "10 18:43", MORNING, uid="job-2", supplier=NORDVARME, asset=BOILER), name="J2"
    )
    placement = place(voicemail("x", "13 08:14", "there soon"), [journey(VISIT), other])
    assert placement.outcome == Outcome.DOOR
    assert placement.possibly == ("J1", "J2")


def test_two_open_matters_of_a_sender_leave_a_new_one_with_a_chip() -> None:
    both = [
        journey(entry("a", "10 10:00", keys=(Key(scheme="ticket", value="T1"),)), name="J1"),
        journey(entry("b", "10 10:00", keys=(Key(scheme="ticket", value="T2"),)), name="J2"),
    ]
    placement = place(entry("x", "11 10:00"), both)
    assert (placement.journey, placement.rule, placement.possibly) == (
        "",
        "new_matter",
        ("J1", "J2"),
    )


def test_another_ticket_is_another_matter() -> None:
    first = journey(entry("a", "10 10:00", keys=(Key(scheme="ticket", value="T1"),)))
    assert (
        place(entry("x", "11 10:00", keys=(Key(scheme="ticket", value="T2"),)), [first]).journey
        == ""
    )


def test_another_bill_is_another_matter_and_the_work_s_own_is_not() -> None:
    def bill(name: str, when: str, number: str) -> Entry:
        keys = (Key(scheme="invoice", value=number),)
        return entry(name, when, type="invoice.issued", keys=keys)

    billed = journey(bill("a", "10 10:00", "INV-1"))
    assert place(bill("x", "12 10:00", "INV-2"), [billed]).journey == ""
    assert place(bill("x", "12 10:00", "INV-1"), [billed]).rule == "strong_key"
    worked = journey(entry("a", "10 10:00"))
    assert place(bill("x", "12 10:00", "INV-1"), [worked]).rule == "known_sender"


def test_two_assets_are_two_matters() -> None:
    dvr = journey(entry("a", "10 10:00", asset=DVR))
    boiler = entry("x", "10 11:00", asset=BOILER, covers=frozenset({DVR, BOILER}))
    assert place(boiler, [dvr]).journey == ""


def test_midnight_does_not_split_a_matter() -> None:
    assert place(entry("x", "11 00:05"), [journey(entry("a", "10 23:55"))]).journey == "J1"


def test_a_key_quoted_by_another_supplier_needs_a_mandate_for_the_asset() -> None:
    ordered = journey(entry("a", "10 10:00", keys=(Key(scheme="order", value="4471-88213"),)))
    quoting: dict[str, Any] = {"supplier": NORDVARME, "quoted": ("4471-88213",)}
    assert place(entry("x", "11 10:00", **quoting), [ordered]).rule == "quoted_key"
    stranger = entry("x", "11 10:00", covers=frozenset({BOILER}), asset=BOILER, **quoting)
    assert place(stranger, [ordered]).journey == ""


def test_an_undone_link_is_not_made_again() -> None:
    placement = place(mail("x", "13 08:00", MORNING), [journey(VISIT)], banned=frozenset({"J1"}))
    assert placement.journey == ""


def test_one_contact_with_two_keys_joins_two_journeys_of_its_supplier() -> None:
    both = [
        journey(entry("a", "10 10:00", keys=(Key(scheme="order", value="O1"),)), name="J1"),
        journey(entry("b", "10 11:00", keys=(Key(scheme="tracking", value="T1"),)), name="J2"),
    ]
    said = entry(
        "x", "11 10:00", keys=(Key(scheme="order", value="O1"), Key(scheme="tracking", value="T1"))
    )
    placement = place(said, both)
    assert (placement.journey, placement.merges) == ("J1", ("J2",))


def survey(name: str, when: str, **said):
    return entry(
        name,
        when,
        kind=ContactKind.SURVEY_REQUEST,
        purpose=Purpose.FEEDBACK,
        survey=SurveyClaim(survey_id="s1"),
        **said,
    )


def test_an_unnamed_survey_goes_to_the_one_finished_journey() -> None:
    finished = journey(VISIT, done="13 11:45", closed="13 18:05")
    assert place(survey("x", "14 09:00"), [finished]).journey == "J1"


def test_a_survey_with_two_candidates_waits_for_the_owner_to_look() -> None:
    both = [
        journey(VISIT, done="13 11:45", closed="13 18:05"),
        journey(
            invite("o", "10 10:00", AFTERNOON, uid="job-2"),
            name="J2",
            done="13 16:00",
            closed="13 18:00",
        ),
    ]
    placement = place(survey("x", "14 09:00"), both)
    assert (placement.outcome, placement.reason) == (Outcome.HELD, "which_experience")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"refusal": "purpose_not_granted"}, Outcome.HELD),
        ({"refusal": "mandate_ended"}, Outcome.REFUSED),
        ({"refusal": "asset_outside_mandate"}, Outcome.REFUSED),
        ({"kind": ContactKind.ADVERT, "supplier": 0}, Outcome.HELD),
    ],
)
def test_what_the_mandate_does_not_cover_joins_no_journey(changes, outcome) -> None:
    placement = place(entry("x", "11 10:00", **changes), [journey(VISIT)])
    assert (placement.journey, placement.outcome) == ("", outcome)


@pytest.mark.parametrize("refusal", ["", "meant"])
def test_an_advert_that_is_wanted_is_a_matter_like_any_other(refusal: str) -> None:
    placement = place(entry("x", "11 10:00", kind=ContactKind.ADVERT, refusal=refusal), [])
    assert (placement.outcome, placement.rule) == (None, "new_matter")


def test_a_closed_matter_is_found_again_by_its_key_alone() -> None:
    closed = journey(VISIT, done="13 11:45", closed="13 18:05")
    assert place(entry("x", "20 10:00"), [closed]).journey == ""
    assert place(invite("x", "20 10:00", AFTERNOON), [closed]).journey == "J1"


def test_the_same_message_again_is_a_duplicate() -> None:
    key = (Key(scheme="message", value="<1@skyline.example>"),)
    placement = place(entry("x", "11 10:00", keys=key), [journey(entry("a", "11 10:00", keys=key))])
    assert placement.outcome == Outcome.DUPLICATE


def test_an_unauthenticated_number_never_proves_a_supplier() -> None:
    said = entry("x", "11 10:00", supplier=0, trust=Trust.UNKNOWN, visit=Visit(window=MORNING))
    assert place(said, [journey(VISIT)]).outcome == Outcome.DOOR


def test_known_senders_are_told_apart() -> None:
    said = entry("x", "11 10:00", supplier=NORDVARME)
    assert place(said, [journey(VISIT)]).journey == ""


@pytest.mark.parametrize(
    ("ending", "journey_found"),
    [((), ""), ((Stage.CANCELLED,), "J1"), ((Stage.DONE,), "J1"), ((Stage.MISSED,), "J1")],
)
def test_the_next_visit_of_an_open_matter_has_its_own_uid(ending, journey_found) -> None:
    ends = [progress("e", "12 10:00", stage) for stage in ending]
    placement = place(invite("x", "12 11:00", AFTERNOON, uid="job-2"), [journey(VISIT, *ends)])
    assert placement.journey == journey_found


@pytest.mark.parametrize(("done", "journey_found"), [("", "J1"), ("13 11:45", "")])
def test_a_parcel_joins_work_that_goes_on_and_none_that_is_done(done, journey_found) -> None:
    parcel = Visit(window=AFTERNOON, kind="delivery")
    said = entry("x", "13 13:00", keys=(Key(scheme="tracking", value="T1"),), visit=parcel)
    placement = place(said, [journey(VISIT, done=done)])
    assert placement.journey == journey_found
    assert placement.possibly == (() if journey_found else ("J1",))


def test_a_full_matter_takes_nothing_more_and_still_knows_its_messages() -> None:
    said = (Key(scheme="message", value="m1"), Key(scheme="order", value="4471"))
    full = journey(entry("c1", "10 18:43", keys=said))
    again = entry("x", "13 08:00", keys=said[1:])
    full.size = FULL - 1
    assert place(again, [full]).rule == "strong_key"
    full.size = FULL
    placement = place(again, [full])
    assert (placement.journey, placement.rule) == ("", "new_matter")
    assert placement.possibly == (full.id,)
    repeated = place(entry("y", "13 08:00", keys=said), [full])
    assert (repeated.journey, repeated.outcome) == (full.id, Outcome.DUPLICATE)
    following = journey(again, name="J2")
    assert place(entry("z", "13 09:00", keys=said[1:]), [full, following]).journey == "J2"
