"""What an owner's own words seem to say: a suggestion, never a fact until it is saved."""

from dataclasses import dataclass
from datetime import datetime

from owners.models import Household, Owner
from suppliers.adapters import text as text_reader
from suppliers.adapters.context import Context
from suppliers.contacts import Money, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What was read from a text."""

    window: Window | None = None
    fee: Money | None = None
    reference: str = ""


def suggest(*, text: str, owner: Owner, household: Household, now: datetime) -> Suggestion:
    """Read a window, a price and a reference from `text`; stores and tells nothing."""
    context = Context(
        received_at=now,
        zone=household.zone,
        country=household.country,
        currency=household.currency,
        language=owner.language,
        day_first=household.country != "US",
    )
    reading = text_reader.read(text, said_at=now, context=context)
    fee = next((fact.money for fact in reading.facts if fact.money is not None), None)
    return Suggestion(
        window=reading.visit.window if reading.visit else None,
        fee=fee,
        reference=reading.quoted[0] if reading.quoted else "",
    )
