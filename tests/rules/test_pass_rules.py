"""A pass shows what was ticked and nothing else, and opens no longer than it says."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import pass_rules
from notifications.pass_rules import Known, Scope, Standing

NOW = datetime(2026, 11, 13, 18, 0, tzinfo=UTC)
# A text of its own in every field; the first word says what has to be ticked to see it.
FACTS = {
    "facts|fee": "fee",
    "facts|unknown name": "anything_else",
    **{f"facts,{word}|{name}": name for name, word in pass_rules.GUARDED.items()},
    **{f"never|{name}": name for name in pass_rules.NEVER},
}
PAPERS = ("paper-one", "paper-two")


def row(mark: str, *names: str, **fixed: Any) -> dict[str, Any]:
    """Return a row with a sentinel in each field, and one more that nobody lists."""
    return {name: f"{mark}|{name}" for name in names} | {"unlisted": "never|unlisted"} | fixed


KNOWN = Known(
    matter=row("facts,visits|matter", "title", state="open"),
    thing=row("always|thing", "name", "kind", "maker", "model", place="address|thing place")
    | {"bought_on": "never|bought_on"},
    identifiers=[row("serial|number", "scheme", "label", "value")],
    facts=[
        row(mark, "label", "value", name=name, state="current", said_at=NOW.isoformat())
        | {"sources": [{"who": f"{mark}|who", "is_owner": True, "medium": "", "at": None}]}
        for mark, name in FACTS.items()
    ]
    + [
        row("never|replaced", "label", "value", name="fee", state="replaced", said_at="")
        | {"sources": []}
    ],
    tried=[row("tried|step", "what", "at", "result")],
    references=[row("references|number", "scheme", "value", "issuer")],
    visits=[
        row("visits|visit", "kind", "start", "end", "state", "person", place="visits,address|place")
    ],
    promises=[
        row("promises|open", "what", "due_at", state="open"),
        row("never|kept", "what", "due_at", state="kept"),
    ],
    papers=[
        row(f"paper:{key}|paper", "name", "media_type", id=key, is_photo=True) for key in PAPERS
    ],
    notes=[row("notes|note", "at", "text")],
    name="name|first name",
    phone="phone|number",
    asked={"fee": 2, "iban": 3},
)


def texts(value: Any) -> list[str]:
    """Return every text in a value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


scopes = st.builds(
    Scope,
    words=st.frozensets(st.sampled_from(pass_rules.SCOPES)),
    papers=st.frozensets(st.sampled_from(PAPERS)),
    without=st.frozensets(st.sampled_from(["fee", "anything_else", "place"])),
)


def allowed(scope: Scope) -> set[str]:
    """Return the marks that may be seen."""
    return {"always", *scope.words, *(f"paper:{key}" for key in scope.papers)}


@given(scope=scopes)
@settings(max_examples=200, deadline=None)
def test_nothing_outside_the_scope_is_ever_shown(scope: Scope) -> None:
    said = texts(pass_rules.shown(KNOWN, scope))
    marked = [text for text in said if "|" in text]
    for text in marked:
        assert set(text.split("|")[0].split(",")) <= allowed(scope), text
    for mark, name in FACTS.items():
        if name in scope.without:
            assert not [text for text in marked if text.startswith(f"{mark}|value")]


@given(scope=scopes)
@settings(max_examples=50, deadline=None)
def test_whatever_was_ticked_is_shown(scope: Scope) -> None:
    said = " ".join(texts(pass_rules.shown(KNOWN, scope)))
    for word, mark in (
        ("tried", "tried|step|what"),
        ("references", "references|number|value"),
        ("promises", "promises|open|what"),
        ("serial", "serial|number|value"),
        ("name", "name|first name"),
        ("phone", "phone|number"),
        ("address", "address|thing place"),
        ("notes", "notes|note|text"),
    ):
        assert (mark in said) == scope.has(word)
    for key in PAPERS:
        assert (f"paper:{key}|paper|name" in said) == (key in scope.papers)


def test_the_least_is_facts_steps_and_numbers() -> None:
    said = json.dumps(pass_rules.shown(KNOWN, Scope()))
    for mark in ("facts|fee", "tried|step", "references|number", "always|thing"):
        assert mark in said
    for word in ("address", "phone", "serial", "name", "notes", "paper:one", "visits", "never"):
        assert f'"{word}|' not in said


def test_what_was_asked_most_is_said_first_and_only_what_is_shown_is_answered() -> None:
    answers = pass_rules.shown(KNOWN, Scope())["do_not_ask"]
    assert answers[0]["name"] == "fee"
    assert answers[0]["asked"] == 2
    assert "iban" not in {answer["name"] for answer in answers}


# -- the code --------------------------------------------------------------------------


def test_a_code_has_no_letter_that_is_misread_and_each_has_a_word() -> None:
    assert not set("01OIL") & set(pass_rules.ALPHABET)
    assert len(pass_rules.ALPHABET) == 31
    letters = [letter for letter in pass_rules.ALPHABET if letter.isalpha()]
    for words in pass_rules.SPELT.values():
        for letter in letters:
            assert words[letter].startswith(letter)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("K7M4QX", "K7M4QX"),
        (" k7m-4qx ", "K7M4QX"),
        ("k7m 4qx.", "K7M4QX"),
        ("K7M4Q", ""),
        ("K7M4QX2", ""),
        ("K7M4Q0", ""),
        ("", ""),
        ("\uff2b7M4QX", ""),
    ],
)
def test_a_code_is_read_however_it_was_typed(typed: str, code: str) -> None:
    assert pass_rules.read_code(typed) == code


# -- how long --------------------------------------------------------------------------

OPEN = Standing(expires_at=NOW + timedelta(days=7), code_until=NOW + timedelta(hours=24))


@pytest.mark.parametrize(
    ("change", "at", "by_link", "by_code"),
    [
        ({}, NOW, True, True),
        ({}, NOW + timedelta(hours=24), True, False),
        ({}, NOW + timedelta(days=7), False, False),
        ({"revoked_at": NOW}, NOW, False, False),
        ({"opens": pass_rules.OPENS}, NOW, False, False),
        ({"code_opens": pass_rules.CODE_OPENS}, NOW, True, False),
        ({"tries_since": pass_rules.TRIES_OF_ALL}, NOW, True, False),
        ({"tries_since": pass_rules.TRIES_OF_ALL - 1}, NOW, True, True),
    ],
)
def test_a_pass_opens_while_it_is_live(
    *, change: dict[str, Any], at: datetime, by_link: bool, by_code: bool
) -> None:
    standing = replace(OPEN, **change)
    assert pass_rules.may_open(standing, at) is by_link
    assert pass_rules.may_open_by_code(standing, at) is by_code


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (Linux; Android 15) Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) Version/19 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/141 Safari/537.36 Edg/141.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox, Linux",
        ),
        ("curl/8.5", ""),
    ],
)
def test_no_more_is_noted_of_a_reader_than_the_kind_of_browser(agent: str, said: str) -> None:
    assert pass_rules.browser_of(agent) == said
