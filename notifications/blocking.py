"""Blocking: what a sender says is kept and counted, and shown to nobody. The owner takes it back.

A stranger is blocked by address or number, a supplier that was let in as itself. Neither
learns of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext_noop

from notifications import settling
from notifications.ledger import Ledger
from notifications.models import Decision
from owners import access
from owners.choices import Trust
from owners.models import Household, Owner
from suppliers import holding
from suppliers.admission import BLOCKED, plain_address
from suppliers.choices import Outcome
from suppliers.models import BlockedSender, Contact, Mandate

RULE = "owner_decided"


class BlockError(Exception):
    """This sender cannot be blocked so; `code` and `detail` say why."""

    def __init__(self, code: str, detail: str) -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Somebody who is blocked, and what came from there since."""

    row: BlockedSender
    count: int
    last_at: datetime | None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.row.mandate.supplier.name if self.row.mandate else self.row.address


def is_possible(contact: Contact) -> bool:
    """Whether somebody at the Door can be blocked there: it is named, and was not let in."""
    is_let_in = contact.mandate_id is not None and contact.trust >= Trust.KNOWN_NUMBER
    return bool(contact.said.get("sender")) and not is_let_in


def block_sender(*, contact: Contact, owner: Owner, now: datetime) -> BlockedSender:
    """Block the address or number of somebody at the Door, with all that waits from there."""
    if contact.outcome != Outcome.DOOR:
        raise BlockError("not_at_door", gettext_noop("This contact does not wait at the Door."))
    address = plain_address(str(contact.said.get("sender", "")))
    if not address:
        raise BlockError("nobody", gettext_noop("It does not say who it is from."))
    if contact.mandate_id is not None and contact.trust >= Trust.KNOWN_NUMBER:
        detail = gettext_noop("You let this supplier in. Block it on its own page.")
        raise BlockError("let_in", detail)
    with transaction.atomic():
        household = _locked(contact.household_id)
        block, _ = BlockedSender.objects.get_or_create(
            household=household,
            address=address,
            mandate=None,
            defaults={"blocked_by": owner, "blocked_at": now},
        )
        waiting = Contact.objects.filter(household=household, outcome=Outcome.DOOR)
        same = [
            one.pk
            for one in waiting.filter(said__sender__icontains=address)
            if plain_address(one.said["sender"]) == address
            and (one.mandate_id is None or one.trust < Trust.KNOWN_NUMBER)
        ]
        Contact.objects.filter(pk__in=same).update(
            refusal=BLOCKED, outcome=Outcome.HELD, reason=BLOCKED, rule=RULE
        )
        _note(household, owner, "block", {"address": address, "contacts": same}, now, contact)
    return block


def block_supplier(*, mandate: Mandate, owner: Owner, now: datetime) -> BlockedSender:
    """Block a supplier that was let in; its mandate stays, and nothing of it is shown."""
    with transaction.atomic():
        household = _locked(mandate.household_id)
        block, _ = BlockedSender.objects.get_or_create(
            household=household,
            mandate=mandate,
            defaults={"blocked_by": owner, "blocked_at": now},
        )
        waiting = Contact.objects.filter(
            household=household, mandate=mandate, outcome=Outcome.DOOR, suspicion=""
        )
        waiting.update(refusal=BLOCKED, outcome=Outcome.HELD, reason=BLOCKED, rule=RULE)
        _note(household, owner, "block", {"mandate": str(mandate.uuid)}, now, None)
    return block


def unblock(*, block: BlockedSender, owner: Owner, now: datetime) -> None:
    """Take a block back: what came meanwhile is placed as the rules say."""
    with transaction.atomic():
        household = _locked(block.household_id)
        mine = _of(block)
        about = {"mandate": str(block.mandate.uuid)} if block.mandate else {}
        _note(household, owner, "unblock", about | {"address": block.address}, now, None)
        block.delete()
        if holding.release(mine):
            ledger = Ledger.open([household], now=now)
            rows, loose = ledger.waiting(holding.AT_ONCE)
            if rows:
                settling.consolidate(ledger, rows, loose=loose)


def listed(*, owner: Owner) -> list[Blocked]:
    """Return whom the owner's households have blocked, the newest first: three reads."""
    rows = list(
        BlockedSender.objects.for_owner(owner)
        .select_related("household", "mandate__supplier")
        .order_by("-blocked_at", "-pk")
    )
    return counted(rows)


def counted(rows: Sequence[BlockedSender]) -> list[Blocked]:
    """Return blocks with what came since: one read for any number."""
    homes = {row.household_id for row in rows}
    if not homes:
        return []
    found: dict[tuple[int, int | None, str], tuple[int, datetime | None]] = {}
    kept = Contact.objects.filter(household__in=homes, refusal=BLOCKED).order_by()
    grouped = kept.values_list("household", "mandate", "said__sender")
    for home, mandate, sender, n, last in grouped.annotate(n=Count("pk"), last=Max("said_at")):
        for key in ((home, mandate, ""), (home, None, plain_address(sender or ""))):
            before, newest = found.get(key, (0, None))
            found[key] = (before + n, max(filter(None, (newest, last)), default=None))
    return [
        Blocked(row=row, count=n, last_at=last)
        for row in rows
        for n, last in [found.get((row.household_id, row.mandate_id, row.address), (0, None))]
    ]


def _of(block: BlockedSender) -> QuerySet[Contact]:
    """Return what was kept back because of one block."""
    kept = Contact.objects.filter(household=block.household, refusal=BLOCKED)
    if block.mandate is not None:
        others = set(
            BlockedSender.objects.filter(household=block.household, mandate=None).values_list(
                "address", flat=True
            )
        )
        same = [
            one.pk
            for one in kept.filter(mandate=block.mandate)
            if one.trust >= Trust.KNOWN_NUMBER
            or plain_address(str(one.said.get("sender", ""))) not in others
        ]
        return kept.filter(pk__in=same)
    same = [
        one.pk
        for one in kept.filter(said__sender__icontains=block.address)
        if plain_address(one.said["sender"]) == block.address
        and (one.mandate_id is None or one.trust < Trust.KNOWN_NUMBER)
    ]
    return kept.filter(pk__in=same)


def _locked(household_id: int) -> Household:
    return Household.objects.select_for_update(no_key=True).get(pk=household_id)


def _note(
    household: Household,
    owner: Owner,
    name: str,
    data: Mapping[str, Any],
    now: datetime,
    contact: Contact | None,
) -> None:
    """Keep that it was done, for the household's own log."""
    Decision.objects.create(
        uuid=uuid4(),
        household=household,
        owner=owner,
        contact=contact,
        name=name,
        data=dict(data),
        decided_at=now,
    )
    access.note(kind=f"sender_{name}ed", actor=owner, household=household, what=dict(data), now=now)
