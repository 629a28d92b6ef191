"""Matters that the things open themselves: said by Steward, closed when their reason ends.

`upkeep` has those of care, `noticing` all others; what both need is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_noop

from assets.choices import FindableKind
from assets.models import AwaitedWords
from notifications import settling
from notifications.ledger import Ledger
from notifications.matter import SETTLED
from notifications.models import Decision, Journey, Link, OwnCall
from owners import doorbell
from owners.choices import Trust
from owners.models import Household
from suppliers import processing
from suppliers.choices import ContactKind, Medium, Outcome
from suppliers.contacts import AskClaim, FactClaim, Key
from suppliers.contacts import Contact as Said
from suppliers.models import Contact, Supplier

STEWARD = "steward"
LARGEST = Decimal(10) ** 12


class InputError(Exception):
    """What was asked from a card cannot be; `field` says which input, the text says why."""

    def __init__(self, field_: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field_, detail


def number(data: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a count or an amount that was written on a card; None where it was left empty.

    Raises InputError for what is no number from nothing up.
    """
    given = data.get(name)
    text = "" if given is None else str(given).strip()
    if not text:
        return None
    wrong = InputError(name, gettext_noop("Must be a number."))
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise wrong from error
    if not found.is_finite() or not 0 <= found < LARGEST:
        raise wrong
    return found


def steward() -> Supplier:
    """Return who speaks for the assets: no organisation, and nobody writes to it."""
    found, _is_new = Supplier.objects.get_or_create(
        code=STEWARD, defaults={"name": "Steward", "is_active": False}
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is said."""

    type: str
    name: str  # of the matter, for ever the same: `care:<task>:<occurrence>`
    household_id: int
    asset_id: int | None
    asset: str  # its public UUID; empty where it is about none
    title: str
    asks: tuple[AskClaim, ...]
    facts: tuple[FactClaim, ...] = ()
    meant_for: str | None = None  # the member (UUID) it is for; "": whoever answers for the thing
    kind: ContactKind = ContactKind.MESSAGE
    is_safety: bool = False
    quotes: tuple[Key, ...] = ()  # by which somebody else who speaks of it is known
    is_again: bool = False  # a further word on a matter that there is


def contact_of(line: Line, *, speaker: Supplier, source: str, now: datetime) -> Contact:
    """Return what is said as a contact; the same line once is the same contact."""
    said = Said(
        kind=line.kind,
        medium=Medium.NONE,
        said_at=now,
        type=line.type,
        purpose=None,
        title=line.title,
        asset=line.asset,
        keys=(Key(scheme="entity", value=line.name), *line.quotes),
        is_safety=line.is_safety,
        asks=line.asks,
        facts=line.facts,
        meant_for=line.meant_for,
        is_counted=False,
    )
    event = line.name.partition(":")[2]
    return Contact(
        uuid=processing.contact_uuid(
            supplier_id=speaker.pk,
            household_id=line.household_id,
            source=source,
            event_id=f"{event}:{line.type}:{now.isoformat()}" if line.is_again else event,
        ),
        household_id=line.household_id,
        supplier=speaker,
        asset_id=line.asset_id,
        kind=said.kind,
        medium=said.medium,
        trust=Trust.SIGNED,
        said_at=now,
        received_at=now,
        said=said.to_json(),
    )


def say(contacts: Sequence[Contact]) -> None:
    """Store what is said; the rules decide about it like about any contact."""
    Contact.objects.bulk_create(contacts)
    AwaitedWords.objects.put(
        (contact.household_id, FindableKind.CONTACT, contact.uuid) for contact in contacts
    )
    transaction.on_commit(lambda: doorbell.ring("feed"))


def due_fact(name: str, day: date | None) -> tuple[FactClaim, ...]:
    """Return the day by which something is due, as a fact."""
    return () if day is None else (FactClaim(name=name, value=day.isoformat()),)


@dataclass(slots=True)
class Changes:
    """What has to be closed, opened again and put aside; `write` does it all at once."""

    now: datetime
    over: list[OwnCall] = field(default_factory=list)
    again: list[OwnCall] = field(default_factory=list)
    quiet: list[tuple[OwnCall, date | None]] = field(default_factory=list)

    def write(self, homes: Iterable[int]) -> None:
        """Write it under the lock of the households."""
        locked = Household.objects.filter(pk__in=set(homes)).order_by("pk")
        ledger = Ledger.open(list(locked.select_for_update(no_key=True)), now=self.now)
        found = self._journeys()  # not before: the feed gives a contact its journey under this lock
        zones = {home.pk: home.zone for home in ledger.households.values()}
        for call in self.over:
            call.is_over = True
            call.closing = self._closing(call, found.get(call.contact_id))
            if call.contact_id not in found:  # it was dealt with before anybody was told
                Contact.objects.filter(pk=call.contact_id, decided_at=None).update(
                    decided_at=self.now,
                    outcome=Outcome.ABSORBED,
                    reason="over",
                    rule="only_the_known_absorbs",
                )
        for call in self.again:
            call.is_over = False
            _revoke(call.closing, now=self.now)
            journey = found.get(call.contact_id)
            if call.closing is None and journey is not None:
                # Silence has closed it: what was taken for done is not.
                _decided(call, journey, "answer", {"answer": "not_yet"}, now=self.now)
            call.closing = None
            if call.contact_id not in found:
                Contact.objects.filter(pk=call.contact_id).update(decided_at=None, outcome="")
        for call, until in self.quiet:
            _revoke(call.quieting, now=self.now)
            call.quiet_until, call.quieting = until, None
            journey = found.get(call.contact_id)
            if until is not None and journey is not None:
                morning = datetime.combine(until, time(), ZoneInfo(zones[call.household_id]))
                data = {"until": morning.isoformat()}
                call.quieting = _decided(call, journey, "snooze", data, now=self.now)
        touched = {str(journey.uuid): journey for journey in found.values()}
        ledger.journeys.update(touched)
        settling.settle(ledger, set(touched))
        transaction.on_commit(lambda: doorbell.ring("feed"))

    def _journeys(self) -> dict[int, Journey]:
        calls = [*self.over, *self.again, *(call for call, _until in self.quiet)]
        links = Link.objects.filter(
            contact__in={call.contact_id for call in calls}, revoked_at=None
        )
        return {link.contact_id: link.journey for link in links.select_related("journey")}

    def _closing(self, call: OwnCall, journey: Journey | None) -> Decision | None:
        if journey is None:
            return None
        if len(journey.suppliers) > 1:
            # Somebody works on it: what they did closes the question, and only the owner the rest.
            return _decided(call, journey, SETTLED, {}, now=self.now)
        return _decided(call, journey, "answer", {"answer": "works"}, now=self.now)


def _decided(
    call: OwnCall, journey: Journey, name: str, data: dict[str, Any], *, now: datetime
) -> Decision:
    return Decision.objects.create(
        uuid=uuid4(),
        household_id=call.household_id,
        journey=journey,
        name=name,
        data=data,
        decided_at=now,
    )


def _revoke(decision: Decision | None, *, now: datetime) -> None:
    if decision is not None and decision.revoked_at is None:
        decision.revoked_at = now
        decision.save(update_fields=["revoked_at"])
