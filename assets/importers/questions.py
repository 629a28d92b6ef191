"""What a file leaves open, and what of it is already answered by what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from babel.numbers import is_currency

from assets.importers.formats import generic
from assets.importers.rows import EXTRA, IGNORE, Answers, Ask, Format, evidence_of
from assets.importers.values import DateOrder

DISTANCES = ("km", "mi", "h")
VOLUMES = ("l", "us_gal", "uk_gal", "kwh")
DECIMALS = (".", ",")
LISTS = (" ", ",", ";")
DATED = frozenset({"bought_on", "on", "warranty_until"})
PRICED = frozenset({"price", "cost", "meter"})
USUAL = {
    Ask.DATES: DateOrder.DMY,
    Ask.DECIMAL: ".",
    Ask.CURRENCY: "EUR",
    Ask.DISTANCE: "km",
    Ask.VOLUME: "l",
    Ask.LISTS: ",",
}
Kept = Mapping[str, dict[str, Any]]  # what each column says, by its folded name


class AnswerError(Exception):
    """An answer is none of those that there are; `ask` says to which question."""

    def __init__(self, ask: str) -> None:
        """Note the question."""
        super().__init__(ask)
        self.ask = ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a file stands: what it says itself, what is still open, and what we would guess."""

    settled: Mapping[Ask, str] = field(default_factory=dict)
    open: tuple[Ask, ...] = ()
    guesses: Mapping[Ask, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)  # what each column is taken for


def stand(
    *,
    form: Format,
    columns: Iterable[str],
    evidence: Kept,
    told: Mapping[str, str],
    answers: Mapping[str, Any],
    currency: str = "EUR",
) -> Standing:
    """Return what is settled and what is open, with the answers given so far counted in.

    `currency` is the household's, which amounts without a sign are most likely in.
    """
    names = list(columns)
    said = {str(k): v for k, v in answers.items() if v not in ("", None)}
    kind = str(said.get(Ask.KIND) or (generic.guess_kind(names) if form.is_mapped else ""))
    mapping = mapped(form, names, said.get("columns") or {}, kind)
    settled = {Ask(name): value for name, value in told.items() if name in set(Ask)}
    guesses: dict[Ask, str] = {}
    for ask in sorted(form.asks):
        found, guess = _look(ask, form, mapping, evidence, told)
        if ask == Ask.KIND and kind:
            guess = kind
        if ask == Ask.CURRENCY and guess == USUAL[ask]:
            guess = currency
        if ask in said:
            settled[ask] = str(said[ask])
        elif found is not None:
            settled[ask] = found
        else:
            guesses[ask] = guess
    if form.is_mapped:
        _leave_out(kind, mapping, guesses)
    return Standing(
        settled=settled,
        open=tuple(ask for ask in Ask if ask in guesses),
        guesses=guesses,
        columns=mapping,
    )


def _leave_out(kind: str, mapping: Mapping[str, str], guesses: dict[Ask, str]) -> None:
    """Ask nothing about a table that its columns make needless."""
    taken = set(mapping.values())
    if kind == generic.THINGS_KIND or taken & {"asset", "name"}:
        guesses.pop(Ask.ASSET, None)
    if kind == generic.THINGS_KIND or "meter" not in taken:
        guesses.pop(Ask.DISTANCE, None)


def mapped(
    form: Format, columns: Iterable[str], given: Mapping[str, str], kind: str
) -> dict[str, str]:
    """Return what each column is: as the owner says, else as it seems."""
    if not form.is_mapped:
        return {name: IGNORE for name, target in given.items() if target == IGNORE}
    guessed = generic.guess(columns, kind or generic.THINGS_KIND)
    found = guessed | {name: target for name, target in given.items() if name in guessed}
    for target in found.values():
        if target not in (EXTRA, IGNORE) and target not in generic.TARGETS:
            raise AnswerError("columns")
    return found


def _look(
    ask: Ask, form: Format, mapping: Mapping[str, str], evidence: Kept, told: Mapping[str, str]
) -> tuple[str | None, str]:
    """Return what the file itself answers (none: it does not), and the best guess."""
    guess = USUAL.get(ask, "")
    if ask in told:
        return told[ask], guess
    if ask == Ask.DATES:
        return _dates(_columns(form.dates, mapping, DATED, form), evidence)
    if ask in (Ask.DECIMAL, Ask.CURRENCY):
        names = _columns(form.numbers, mapping, PRICED, form)
        return (_decimal if ask == Ask.DECIMAL else _currency)(names, evidence)
    if ask == Ask.LISTS:
        parts = evidence_of(evidence, frozenset({"serialnumber", "tags"})).parts
        if not parts:
            return " ", guess
        return (None, " ") if " " in parts else (",", guess)
    return None, guess


def _columns(
    own: frozenset[str], mapping: Mapping[str, str], targets: frozenset[str], form: Format
) -> frozenset[str]:
    if not form.is_mapped:
        return own
    found = frozenset(name for name, target in mapping.items() if target in targets)
    return found or frozenset({"\x00"})  # none: no column says anything


def _dates(names: frozenset[str], evidence: Kept) -> tuple[str | None, str]:
    dates = evidence_of(evidence, names).dates
    sure = dates & {"dmy", "mdy"}
    if len(sure) == 1:
        return sure.pop(), DateOrder.DMY
    if not sure and "open" not in dates:
        return DateOrder.YMD, DateOrder.DMY
    return None, DateOrder.DMY


def _decimal(names: frozenset[str], evidence: Kept) -> tuple[str | None, str]:
    marks = evidence_of(evidence, names).marks
    sure = marks & set(DECIMALS)
    if len(sure) == 1:
        return sure.pop(), "."
    if sure or marks & {"open.", "open,"}:
        return None, "." if "open," in marks else ","
    return ".", "."


def _currency(names: frozenset[str], evidence: Kept) -> tuple[str | None, str]:
    found = evidence_of(evidence, names)
    if len(found.currencies) == 1 and "$" not in found.currencies:
        return next(iter(found.currencies)), "EUR"
    if not found.currencies and not found.marks:
        return USUAL[Ask.CURRENCY], ""  # no amount stands anywhere
    return None, "USD" if "$" in found.currencies else "EUR"


def answered(standing: Standing, *, form: Format, vehicle: str = "") -> Answers:
    """Return the answers by which rows are read. Raises AnswerError for an unknown one."""
    said = {**standing.guesses, **standing.settled}
    order = said.get(Ask.DATES) or DateOrder.YMD
    allowed: dict[Ask, Iterable[str]] = {
        Ask.DATES: [str(each) for each in DateOrder],
        Ask.DECIMAL: DECIMALS,
        Ask.DISTANCE: DISTANCES,
        Ask.VOLUME: VOLUMES,
        Ask.LISTS: LISTS,
        Ask.KIND: [value for value, _label in form.kinds],
    }
    for ask, words in allowed.items():
        if said.get(ask) and said[ask] not in words:
            raise AnswerError(ask)
    currency = (said.get(Ask.CURRENCY) or "EUR").upper()
    if not is_currency(currency):
        raise AnswerError(Ask.CURRENCY)
    return Answers(
        dates=DateOrder(order),
        decimal=said.get(Ask.DECIMAL) or ".",
        currency=currency,
        distance=said.get(Ask.DISTANCE) or "km",
        volume=said.get(Ask.VOLUME) or "l",
        lists=said.get(Ask.LISTS) or ",",
        kind=said.get(Ask.KIND) or "",
        vehicle=vehicle,
        columns=standing.columns,
    )
