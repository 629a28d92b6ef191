"""What a pass shows, and how its code is spoken: pure.

A pass shows what its owner ticked and nothing else. `shown` is the only way from all that
is known to what its holder sees: whatever it does not name is not there, so a field that is
added later stays unseen until somebody lists it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# -- how long, how often ---------------------------------------------------------------

LENGTHS = {1: timedelta(hours=1), 24: timedelta(days=1), 168: timedelta(days=7)}  # by hours
USUAL_LENGTH = 1
CODE_LASTS = timedelta(hours=24)  # at most; the link may live on
CODE_OPENS = 5  # hand-overs from one agent to the next; then it needs a new code
OPENS = 200  # of one pass, by whatever way
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)  # of one agent's page
TRIES_OF_ONE, ONE_LOCKED = 10, timedelta(hours=1)  # wrong codes from one address
TRIES_OF_ALL = 100  # wrong codes in all: each code made before the last of them is dead
PRESENT = timedelta(seconds=8)  # whose page asked within that reads it now
KEPT = timedelta(days=365)  # what was looked at, and when, after the pass ended
WRITES = 30  # of one agent's page

# -- the code --------------------------------------------------------------------------

# No 0 and O, no 1, I and L: 31 letters and digits, so six of them are 29.7 bits.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 6
SPELT: Mapping[str, Mapping[str, str]] = {
    "en": {
        word[0]: word
        for word in [
            "Alfa",
            "Bravo",
            "Charlie",
            "Delta",
            "Echo",
            "Foxtrot",
            "Golf",
            "Hotel",
            "Juliett",
            "Kilo",
            "Mike",
            "November",
            "Papa",
            "Quebec",
            "Romeo",
            "Sierra",
            "Tango",
            "Uniform",
            "Victor",
            "Whiskey",
            "Xray",
            "Yankee",
            "Zulu",
        ]
    },
    "de": {
        word[0]: word
        for word in [
            "Anton",
            "Berta",
            "Cäsar",
            "Dora",
            "Emil",
            "Friedrich",
            "Gustav",
            "Heinrich",
            "Julius",
            "Kaufmann",
            "Martha",
            "Nordpol",
            "Paula",
            "Quelle",
            "Richard",
            "Samuel",
            "Theodor",
            "Ulrich",
            "Viktor",
            "Wilhelm",
            "Xanthippe",
            "Ypsilon",
            "Zacharias",
        ]
    },
    "it": {
        word[0]: word
        for word in [
            "Ancona",
            "Bologna",
            "Como",
            "Domodossola",
            "Empoli",
            "Firenze",
            "Genova",
            "Hotel",
            "Jolly",
            "Kappa",
            "Milano",
            "Napoli",
            "Palermo",
            "Quarto",
            "Roma",
            "Savona",
            "Torino",
            "Udine",
            "Venezia",
            "Washington",
            "Xilofono",
            "York",
            "Zara",
        ]
    },
}


def read_code(text: str) -> str:
    """Return a code as it is kept, from however it was typed; empty for what is none."""
    letters = "".join(letter for letter in text.upper() if letter.isalnum())
    is_code = len(letters) == CODE_LENGTH and all(letter in ALPHABET for letter in letters)
    return letters if is_code else ""


def spaced(code: str) -> str:
    """Return a code as it is read: K7M-4QX."""
    half = CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def spell(code: str, *, language: str) -> list[tuple[str, str]]:
    """Return each letter with the word it is spelt by; a digit needs none."""
    words = SPELT.get(language.partition("-")[0], SPELT["en"])
    return [(letter, words.get(letter, "")) for letter in code]


# -- the scope -------------------------------------------------------------------------

# Each thing that may be ticked. The name of the thing is always there: without it a pass is
# about nothing.
FACTS, TRIED, REFERENCES, PROMISES, VISITS = "facts", "tried", "references", "promises", "visits"
SERIAL, ADDRESS, PHONE, NAME, NOTES = "serial", "address", "phone", "name", "notes"
SCOPES = (FACTS, TRIED, REFERENCES, VISITS, PROMISES, SERIAL, NAME, ADDRESS, PHONE, NOTES)
USUAL = (FACTS, TRIED, REFERENCES)
# Facts that say where, who or how to reach: the word they need besides `facts`.
GUARDED = {
    "place": ADDRESS,
    "address": ADDRESS,
    "street": ADDRESS,
    "phone": PHONE,
    "email": PHONE,
    "guest": NAME,
    "customer": NAME,
    "serial": SERIAL,
    "vin": SERIAL,
    "imei": SERIAL,
}
# Never on a pass, whatever is ticked: what pays, and what opens an account.
NEVER = frozenset(
    {
        *("iban", "bic", "card", "card_number", "payment_link"),
        *("pin", "password", "token", "secret", "url"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one pass may show: words of `SCOPES`, single papers, and facts left out."""

    words: frozenset[str] = frozenset(USUAL)
    papers: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def has(self, word: str) -> bool:
        """Whether a word was ticked."""
        return word in self.words

    def has_fact(self, name: str) -> bool:
        """Whether a fact may be seen."""
        base = name.partition(":")[0]
        if not self.has(FACTS) or name in self.without or base in NEVER:
            return False
        return base not in GUARDED or self.has(GUARDED[base])


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All there is to say; `shown` takes from it what the scope names.

    Every list holds plain values with exactly the keys that `shown` reads.
    """

    matter: Mapping[str, Any]  # title, state
    thing: Mapping[str, Any] | None = None  # name, kind, maker, model, bought_on, place
    identifiers: Iterable[Mapping[str, str]] = ()  # scheme, label, value
    facts: Iterable[Mapping[str, Any]] = ()  # name, label, value, state, said_at, sources
    tried: Iterable[Mapping[str, Any]] = ()  # what, at, result
    references: Iterable[Mapping[str, str]] = ()  # scheme, value, issuer
    visits: Iterable[Mapping[str, Any]] = ()  # kind, start, end, state, person, place
    promises: Iterable[Mapping[str, Any]] = ()  # what, due_at, state
    papers: Iterable[Mapping[str, Any]] = ()  # id, name, media_type, is_photo
    notes: Iterable[Mapping[str, Any]] = ()  # at, text
    name: str = ""
    phone: str = ""
    asked: Mapping[str, int] | None = None  # how often each fact was asked for


def shown(known: Known, scope: Scope) -> dict[str, Any]:
    """Return what the holder of a pass sees, and nothing else."""
    thing = _thing(known, scope)
    facts = [_fact(fact, known) for fact in known.facts if _is_current(fact, scope)]
    references = (
        _only(known.references, "scheme", "value", "issuer") if scope.has(REFERENCES) else []
    )
    found: dict[str, Any] = {
        "matter": {
            # A title is made of what is known: of times, prices, names.
            "title": known.matter.get("title", "") if scope.words >= {FACTS, VISITS} else "",
            "state": known.matter.get("state", ""),
        },
        "thing": thing,
        "name": known.name if scope.has(NAME) else "",
        "phone": known.phone if scope.has(PHONE) else "",
        "facts": facts,
        "tried": _only(known.tried, "what", "at", "result") if scope.has(TRIED) else [],
        "references": references,
        "visits": [_visit(visit, scope) for visit in known.visits] if scope.has(VISITS) else [],
        "promises": [
            _named(promise, "what", "due_at", "state")
            for promise in (known.promises if scope.has(PROMISES) else ())
            if promise["state"] in ("open", "missed")
        ],
        "papers": [
            _named(paper, "id", "name", "media_type", "is_photo")
            for paper in known.papers
            if paper["id"] in scope.papers
        ],
        "notes": _only(known.notes, "at", "text") if scope.has(NOTES) else [],
    }
    found["do_not_ask"] = _answered(found, known.asked or {})
    return found


def _thing(known: Known, scope: Scope) -> dict[str, Any] | None:
    if known.thing is None:
        return None
    thing = _named(known.thing, "name", "kind", "maker", "model")
    thing["place"] = known.thing.get("place", "") if scope.has(ADDRESS) else ""
    thing["identifiers"] = (
        _only(known.identifiers, "scheme", "label", "value") if scope.has(SERIAL) else []
    )
    return thing


def _is_current(fact: Mapping[str, Any], scope: Scope) -> bool:
    return fact["state"] != "replaced" and scope.has_fact(fact["name"])


def _fact(fact: Mapping[str, Any], known: Known) -> dict[str, Any]:
    read = _named(fact, "name", "label", "value", "state", "said_at", "sources")
    read["asked"] = (known.asked or {}).get(fact["name"], 0)
    return read


def _visit(visit: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    read = _named(visit, "kind", "start", "end", "state", "person")
    read["place"] = visit.get("place", "") if scope.has(ADDRESS) else ""
    return read


def _answered(found: Mapping[str, Any], asked: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return every question that the page itself answers, the most asked first."""
    answers: list[tuple[str, str, str]] = []
    thing = found["thing"]
    if thing is not None:
        answers += [("maker", "", thing["maker"]), ("model", "", thing["model"])]
        answers += [(one["scheme"], one["label"], one["value"]) for one in thing["identifiers"]]
        answers.append(("place", "", thing["place"]))
    answers += [("name", "", found["name"]), ("phone", "", found["phone"])]
    answers += [(one["scheme"], one["issuer"], one["value"]) for one in found["references"]]
    answers += [
        (fact["name"], fact["label"], fact["value"])
        for fact in found["facts"]
        if fact["state"] == "current" and (fact["asked"] or _is_given(fact))
    ]
    unique = dict.fromkeys(answer for answer in answers if answer[2])
    listed = [
        {"name": name, "label": label, "value": value, "asked": asked.get(name, 0)}
        for name, label, value in unique
    ]
    return sorted(listed, key=lambda one: -one["asked"])


def _is_given(fact: Mapping[str, Any]) -> bool:
    """Whether the owner said it: that much need not be asked again."""
    return any(source["is_owner"] for source in fact["sources"])


def _only(rows: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [_named(row, *names) for row in rows]


def _named(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row.get(name, "") for name in names}


# -- whether it still opens ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides whether a pass still opens."""

    expires_at: datetime
    code_until: datetime
    revoked_at: datetime | None = None
    opens: int = 0
    code_opens: int = 0
    tries_since: int = 0  # wrong codes of everybody since its code was made


def is_live(standing: Standing, now: datetime) -> bool:
    """Whether the pass shows anything to anybody."""
    return standing.revoked_at is None and now < standing.expires_at


def may_open(standing: Standing, now: datetime) -> bool:
    """Whether its link opens it once more."""
    return is_live(standing, now) and standing.opens < OPENS


def may_open_by_code(standing: Standing, now: datetime) -> bool:
    """Whether its code opens it once more."""
    return (
        may_open(standing, now)
        and now < standing.code_until
        and standing.code_opens < CODE_OPENS
        and standing.tries_since < TRIES_OF_ALL
    )


def may_go_on(*, opened_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether an agent's page may still be used without opening the pass anew."""
    return now - seen_at < IDLE and now - opened_at < LONGEST


# -- who reads it ----------------------------------------------------------------------

# In this order: each of the later ones also calls itself by the names after it.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """Return what kind of browser it is, and on what; never enough to tell one from another."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return ", ".join(part for part in (browser, system) if part)
