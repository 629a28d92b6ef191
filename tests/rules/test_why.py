"""Why a contact became what it became: plain sentences, nothing of the machine."""

import re
from zoneinfo import ZoneInfo

import pytest

from notifications import why
from notifications.consolidation import Candidate, place
from notifications.merging import fold
from notifications.wording import Words
from suppliers.choices import Stage
from suppliers.contacts import AskClaim, FactClaim, Key
from tests.rules.said import (
    AFTERNOON,
    MORNING,
    NEW_YORK,
    at,
    cut_off,
    entry,
    fee,
    mail,
    progress,
    the_story,
    voicemail,
)

WORDS = Words(zone=NEW_YORK, now=at("14 12:00"))
OF_THE_MACHINE = re.compile(r"\w_\w|[0-9a-f]{8}-[0-9a-f]{4}-|\{|\}|\[|\]|\+00:00|None|True|False")

EVERYTHING = [
    *the_story(),
    mail("x1", "13 12:10", AFTERNOON, facts=(fee("59.00"),)),
    entry("x2", "13 12:20", asks=(AskClaim(fact="account"),), is_safety=True),
    entry("x3", "13 12:30", facts=(FactClaim(name="due_on", value="2026-12-01"),)),
    entry("x4", "13 12:40", type="order.updated", entity="o", revision=2, status="late"),
    entry("x5", "13 12:50", type="order.updated", entity="o", revision=1, status="new"),
    entry("x6", "13 12:55", facts=(FactClaim(name="fuel_kind", value="gas"),)),
    entry("x7", "13 12:56", facts=(FactClaim(name="fuel_kind", value="oil"),)),
    progress("x8", "13 12:57", Stage.CANCELLED),
]


def test_every_verdict_is_a_sentence_without_codes() -> None:
    matter = fold(EVERYTHING, currency="USD", now=at("13 18:00"))
    for verdict in matter.verdicts.values():
        said = why.of_contact(
            reason=verdict.reason, rule=verdict.rule, evidence=verdict.evidence, words=WORDS
        )
        assert said.endswith("."), verdict
        assert OF_THE_MACHINE.search(said) is None, said


@pytest.mark.parametrize(
    "said",
    [
        voicemail("v", "13 08:14", "we come"),
        cut_off("c", "13 08:20"),
        mail("m", "13 09:00", MORNING),
        entry("k", "13 09:00", keys=(Key(scheme="order", value="4471"),)),
        entry("p", "13 09:00", refusal="purpose_not_granted"),
        entry(
            "f",
            "13 09:00",
            suspicion="foreign_payment_link",
            payment_domains=("pay.example",),
        ),
    ],
)
def test_every_link_is_a_sentence_without_codes(said) -> None:
    candidate = Candidate(
        id="4b1b9c8e-0000-4000-8000-000000000000",
        asset="asset-dvr",
        suppliers={7},
        keys={("order", "4471"): {7}},
        visits=[(MORNING.start, MORNING.end, 7, None)],
        opened_at=at("10 10:00"),
        last_said_at=at("13 08:00"),
    )
    placed = place(said, [candidate])
    link = why.of_link(
        rule=placed.rule, evidence=placed.evidence, is_likely=placed.is_likely, words=WORDS
    )
    held = why.of_contact(
        reason=placed.reason, rule=placed.rule, evidence=placed.evidence, words=WORDS
    )
    for sentence in (link, held):
        assert OF_THE_MACHINE.search(sentence) is None, sentence
    assert link.endswith(".") or held.endswith(".")


def test_the_evidence_is_named() -> None:
    known = why.of_contact(
        reason="nothing_new",
        rule="only_the_known_absorbs",
        evidence={"known": ["visit_window", "fee"]},
        words=WORDS,
    )
    assert known == (
        "Everything in it was already known. Already known: the time of the visit, the price. "
        "Only what brings nothing new stays quiet."
    )
    inside = why.of_link(
        rule="open_visit_window",
        evidence={
            "number": "+12125550147",
            "from": MORNING.start.isoformat(),
            "until": MORNING.end.isoformat(),
        },
        is_likely=True,
        words=Words(zone=ZoneInfo("America/New_York"), now=at("13 08:14")),
    )
    assert inside == (
        "Likely part of this matter. An unknown caller speaks of a visit, and exactly one is "
        "expected now. The visit: Fri 13 Nov, 08:00 to 12:00. It came from ... 0147."
    )
