"""Why somebody was told, or not: the wish that decided, in sentences."""

import json
from typing import Any

import pytest

from notifications import reasons, telling
from owners.choices import Topic

MONEY = {"topic": "money", "reason": "money", "moment": "now"}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ({"by": "default"}, "You changed no wish for this: money is due."),
        ({"by": "household"}, "It is your wish for: money is due."),
        ({"by": "supplier"}, "It is your wish for this supplier: money is due."),
        ({"by": "asset"}, "It is your wish for this thing: money is due."),
        ({"by": "journey"}, "It is your wish for this matter: money is due."),
        ({"by": "safety"}, "It is about safety, which no wish keeps quiet."),
        ({"by": "granted"}, "You trust this supplier to say when it is an emergency."),
        (
            {"by": "household", "over": "50", "within_hours": 48},
            (
                "It is your wish for: money is due."
                " The wish is only over 50, only within 48 hours, and this is."
            ),
        ),
        (
            {"by": "household", "over": "50", "is_unmet": True},
            "It is your wish for: money is due. The wish is only over 50, and this is not.",
        ),
        (
            {"by": "household", "waited_until": "2026-11-12T13:00:00+00:00"},
            "It is your wish for: money is due. It waited for the end of your quiet hours.",
        ),
        (
            {"by": "household", "full": "sms", "put_off_until": "2026-11-12T13:00:00+00:00"},
            (
                "It is your wish for: money is due. By SMS you had as many in a day as you allow."
                " It was put off until there was room."
            ),
        ),
    ],
)
def test_the_deciding_wish_is_said(why: dict[str, Any], said: str) -> None:
    assert reasons.of_told(MONEY | why) == said


def test_what_was_told_before_reasons_were_kept_has_none() -> None:
    assert not reasons.of_told({})


@pytest.mark.parametrize(
    ("moment", "by", "said"),
    [
        ("week", "household", "It waits for your weekly lines. It is your wish for: an offer."),
        ("never", "default", "It is on its card only. You changed no wish for this: an offer."),
        ("muted", "default", "You muted this matter."),
        ("expired", "default", "It was over before you could be told."),
    ],
)
def test_what_was_not_told_says_why_not(moment: str, by: str, said: str) -> None:
    kept = {"topic": Topic.OFFER, "moment": moment, "by": by, "because": "c1"}
    snapshot = {"offer:1": "1", f"{telling.UNTOLD}offer:1": json.dumps(kept)}
    (found,) = reasons.untold(snapshot)
    assert (found.topic, found.because, found.why) == (Topic.OFFER, "c1", said)
