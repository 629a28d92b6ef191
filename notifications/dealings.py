"""What the owner says to an offer, a bill or a recall. Pure.

A price that is taken and a bill that is disputed go out with what the owner had before
their eyes, and its hash: neither side can say later that it was something else.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.matter import Entry, Matter
from suppliers.choices import ContactKind

QUOTE, INVOICE, RECALL = "quote", "invoice", "recall"
ENTITY = "entity"  # under which a supplier's own number of a thing is kept
# Statuses with which a thing waits for the owner's word.
OPEN = {
    QUOTE: frozenset({"offered"}),
    INVOICE: frozenset({"issued", "due", "corrected"}),
    RECALL: frozenset({"issued", "updated"}),
}
# What the owner may do, and about what. A yes or a no to an offer are those of a visit.
ABOUT = {
    "dispute": INVOICE,
    "acknowledge": RECALL,
    "choose_remedy": RECALL,
    "not_mine": RECALL,
}
TYPES = {
    "accept": "owner.quote.accepted",
    "decline": "owner.quote.declined",
    "dispute": "owner.invoice.disputed",
    "acknowledge": "owner.recall.acknowledged",
    "choose_remedy": "owner.recall.remedy_chosen",
    "not_mine": "owner.recall.not_owner",
}
NUMBERS = {QUOTE: "quoteId", INVOICE: "invoiceNumber", RECALL: "recallNumber"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A quote, an invoice or a recall that is on the table."""

    family: str
    number: str
    supplier: int


def open_things(matter: Matter, family: str) -> list[Thing]:
    """Return what of a family waits for the owner's word."""
    found = []
    for thing, status in matter.statuses.items():
        kind, _sep, rest = thing.partition(":")
        number, _sep, supplier = rest.rpartition(":")
        is_settled = f"{family}:{number}" in matter.confirmed
        if kind == family and status in OPEN[family] and not is_settled:
            found.append(Thing(family=family, number=number, supplier=int(supplier)))
    return [] if family == INVOICE and matter.is_paid else found


def settle(matter: Matter, name: str) -> None:
    """Note that the owner has spoken; a new offer or bill is on the table anew."""
    for thing in open_things(matter, ABOUT.get(name, QUOTE)):
        if name != "acknowledge":  # knowing of a recall leaves its remedy to be chosen
            matter.confirmed.add(f"{thing.family}:{thing.number}")
    if ABOUT.get(name) == RECALL:
        matter.confirmed.add("recall_known")


def said_of(entries: Iterable[Entry], thing: Thing) -> Entry | None:
    """Return the newest contact that states a thing."""
    found = None
    for entry in sorted(entries, key=lambda one: one.order):
        if entry.supplier != thing.supplier:
            continue
        if thing.family == RECALL and entry.said.kind == ContactKind.RECALL:
            found = entry
        if any((key.scheme, key.value) == (thing.family, thing.number) for key in entry.said.keys):
            found = entry
    return found


def number_of(thing: Thing, entry: Entry | None) -> str:
    """Return the supplier's own number of a thing."""
    if thing.number or entry is None:
        return thing.number
    return next((key.value for key in entry.said.keys if key.scheme == ENTITY), "")


def shown(entry: Entry) -> dict[str, str]:
    """Return what the owner saw of a contact, word for word, with its SHA-256."""
    said = entry.said
    lines = [said.title or said.summary or said.body]
    for claim in said.facts:
        value = claim.value
        if claim.money is not None:
            value = f"{claim.money.amount} {claim.money.currency}"
        lines.append(f"{claim.label or claim.name}: {value}")
    text = "\n".join(line for line in lines if line)
    return {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
