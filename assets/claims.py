"""Claims: what is asked of whoever is to pay, how far it is, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext_noop

from assets import duedates, holdings, snapshots
from assets.choices import CostCategory, CoverageKind, Source
from assets.cover_words import ClaimState, Remedy
from assets.holdings import HoldingError
from assets.models import Asset, Claim, CostEntry
from assets.recall_matching import same_maker
from owners import hearing
from owners.models import Change, Household, Owner

MADE, CHANGED, REMOVED = "claim.add", "claim.change", "claim.remove"
FIELDS = frozenset(
    [
        "kind",
        "obligor",
        "number",
        "issue",
        "coverage",
        "filed_on",
        "answered_on",
        "resolved_on",
        "answer_by",
        "claimed",
        "amount",
        "currency",
        "remedy",
        "note",
    ]
)
S = ClaimState
# What may follow on what; a refusal can be contested, and what was paid can be contested too.
NEXT: dict[ClaimState, frozenset[ClaimState]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.WITHDRAWN}),
    S.SUBMITTED: frozenset({S.ANSWERED, S.PAID, S.REFUSED, S.WITHDRAWN}),
    S.ANSWERED: frozenset({S.SUBMITTED, S.PAID, S.REFUSED, S.WITHDRAWN}),
    S.REFUSED: frozenset({S.SUBMITTED}),
    S.PAID: frozenset({S.SUBMITTED}),
    S.WITHDRAWN: frozenset({S.DRAFT}),
}
OPEN = (S.DRAFT, S.SUBMITTED, S.ANSWERED)


# Words in which suppliers say how far a claim is, in what they are heard as most often.
HEARD: dict[str, ClaimState] = {
    **dict.fromkeys(
        ["submitted", "received", "registered", "open", "opened", "new", "in review", "review",
         "under review", "in progress", "processing", "pending", "assessing"],
        S.SUBMITTED,
    ),
    **dict.fromkeys(
        ["answered", "approved", "accepted", "decided", "partially approved", "offer", "offered",
         "confirmed", "authorised", "authorized"],
        S.ANSWERED,
    ),
    **dict.fromkeys(
        ["paid", "paid out", "settled", "reimbursed", "refunded", "repaired", "replaced"], S.PAID
    ),
    **dict.fromkeys(["refused", "rejected", "denied", "declined", "not covered"], S.REFUSED),
    **dict.fromkeys(["withdrawn", "cancelled", "canceled"], S.WITHDRAWN),
}  # fmt: skip
# What an owner wrote as the end of a claim is not undone by what somebody else says.
ENDS = (S.PAID, S.REFUSED, S.WITHDRAWN)
# How far each is: what says less than is known already is late, and history.
FAR = {S.DRAFT: 0, S.SUBMITTED: 1, S.ANSWERED: 2, S.REFUSED: 3, S.PAID: 4, S.WITHDRAWN: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a supplier says of a claim."""

    number: str
    status: str  # in its own words
    by: str
    at: datetime
    contact: UUID
    amount: Decimal | None = None
    currency: str = ""
    next_step: str = ""

    @property
    def state(self) -> ClaimState | None:
        """Return which state its words mean; None where they mean none of ours."""
        words = " ".join(self.status.casefold().replace("_", " ").replace("-", " ").split())
        return HEARD.get(words)


MOST_STEPS = 200


class StateError(Exception):
    """A claim cannot go from where it is to where it was to go."""


def make(
    *, asset: Asset, values: Mapping[str, Any], owner: Owner | None, now: datetime
) -> tuple[Claim, Change | None]:
    """Note a claim that is to be sent; raises HoldingError."""
    row = Claim(asset=asset, household_id=asset.household_id, created_at=now)
    _say(row, values)
    with transaction.atomic():
        row.save()
        if owner is None:
            return row, None
        return row, holdings.remember(MADE, asset, owner=owner, now=now, made=[row])


def change(*, claim: Claim, values: Mapping[str, Any], owner: Owner, now: datetime) -> Change:
    """Say more of a claim; raises HoldingError."""
    before = [snapshots.of(claim)]
    if {"amount", "currency"} & values.keys():
        claim.source, claim.stated_at = Source.SELF, now
    _say(claim, values)
    with transaction.atomic():
        made: list[models.Model] = []
        before += _note_money(claim, owner=owner, now=now, made=made)
        claim.save()
        return holdings.remember(
            CHANGED, claim.asset, owner=owner, now=now, before=before, made=made
        )


def move(
    *,
    claim: Claim,
    state: ClaimState,
    values: Mapping[str, Any],
    owner: Owner | None,
    now: datetime,
) -> Change | None:
    """Bring a claim one state on; what was paid counts as a cost less.

    Raises StateError where that cannot follow, HoldingError where what is said cannot be so.
    """
    if state not in NEXT[S(claim.state)]:
        raise StateError(f"{claim.state} to {state}")
    before = [snapshots.of(claim)]
    today = duedates.today_in(claim.asset.household.zone, now)
    claim.state, claim.source, claim.stated_at = state, Source.SELF, now
    _say(claim, _with_days(claim, state, values, today))
    with transaction.atomic():
        made: list[models.Model] = []
        before += _note_money(claim, owner=owner, now=now, made=made)
        claim.save()
        if owner is None:
            return None
        return holdings.remember(
            CHANGED, claim.asset, owner=owner, now=now, before=before, made=made
        )


def find(*, household: Household, number: str, by: str, asset: Asset | None = None) -> Claim | None:
    """Return the claim that a supplier speaks of: by its number, else its only one of a thing."""
    mine = Claim.objects.filter(household=household, asset__removed_at=None)
    mine = mine.select_related("asset__household", "cost").order_by("-created_at", "-pk")
    numbered = [row for row in mine.exclude(number="") if _key(row.number) == _key(number)]
    theirs = [row for row in numbered if not row.obligor or same_maker(row.obligor, by)]
    if theirs or numbered or asset is None:
        return theirs[0] if len(theirs) == 1 else None
    waiting = mine.filter(asset=asset, number="", state__in=[*OPEN])
    theirs = [row for row in waiting if row.obligor and same_maker(row.obligor, by)]
    return theirs[0] if len(theirs) == 1 else None


def hear(*, claim: Claim, heard: Heard, now: datetime) -> None:
    """Take in what a supplier says of a claim; what contradicts the owner is shown, not written.

    Each statement is taken once and in its order: what was said before the last is history.
    """
    last = claim.told.get("at", "")
    if last and datetime.fromisoformat(last) >= heard.at:
        return
    claim.number = claim.number or heard.number[:80]
    claim.obligor = claim.obligor or heard.by[:120]
    differs = _differs(claim, heard)
    claim.said_in = heard.contact
    claim.told = {
        "at": heard.at.isoformat(),
        "by": heard.by,
        "status": heard.status[:200],
        "next_step": heard.next_step[:500],
        "differs": differs,
    }
    with transaction.atomic():
        if heard.amount is not None and "amount" not in differs:
            claim.amount, claim.currency = heard.amount, heard.currency
        state = heard.state
        if state is not None and "state" not in differs and FAR[state] > FAR[S(claim.state)]:
            today = duedates.today_in(claim.asset.household.zone, heard.at)
            _go(claim, state, today)
            claim.source = Source.SUPPLIER
        _note_money(claim, owner=None, now=now, made=[])
        claim.save()
        hearing.tell(hearing.HOLDINGS, asset=claim.asset, now=now)


def settle(*, claim: Claim, theirs: bool, owner: Owner, now: datetime) -> Change:
    """Decide between what the owner wrote and what the supplier says. Raises HoldingError."""
    differs = dict(claim.told.get("differs", {}))
    before = [snapshots.of(claim)]
    claim.told = {**claim.told, "differs": {}}
    today = duedates.today_in(claim.asset.household.zone, now)
    with transaction.atomic():
        made: list[models.Model] = []
        if theirs:
            if "amount" in differs:
                claim.amount = Decimal(differs["amount"])
                claim.currency = differs["currency"]
            if "state" in differs:
                _go(claim, S(differs["state"]), today)
                claim.source = Source.SUPPLIER
        else:
            claim.stated_at = now
        before += _note_money(claim, owner=owner, now=now, made=made)
        claim.save()
        return holdings.remember(
            CHANGED, claim.asset, owner=owner, now=now, before=before, made=made
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStep:
    """One step of a claim, and by whose word."""

    at: datetime
    state: ClaimState
    source: Source
    amount: Decimal | None
    currency: str


def steps(claim: Claim) -> list[ClaimStep]:
    """Return how a claim came where it is, the newest first; each change of state or sum once."""
    events = Claim.pgh_event_model.objects.filter(pgh_obj_id=claim.pk).order_by("pgh_id")  # type: ignore[attr-defined]  # django-pghistory's table
    found: list[ClaimStep] = []
    for event in events[:MOST_STEPS]:
        step = ClaimStep(
            at=event.pgh_created_at,
            state=S(event.state),
            source=Source(event.source),
            amount=event.amount,
            currency=event.currency,
        )
        last = found[-1] if found else None
        if last is None or (last.state, last.amount) != (step.state, step.amount):
            found.append(step)
    return found[::-1]


def differing(claim: Claim) -> dict[str, Any]:
    """Return what the other side says that differs, for a page; nothing where nothing does."""
    said: dict[str, Any] = dict(claim.told.get("differs") or {})
    if not said:
        return {}
    state = said.get("state")
    return {
        "by": claim.told.get("by", ""),
        "state": S(state) if state else None,
        "amount": Decimal(said["amount"]) if "amount" in said else None,
        "currency": said.get("currency", ""),
    }


def _differs(claim: Claim, heard: Heard) -> dict[str, str]:
    """Return what a supplier says that contradicts what the owner wrote."""
    differs: dict[str, str] = {}
    state = heard.state
    is_owners = claim.source == Source.SELF
    if state is not None and is_owners and claim.state in ENDS and state != claim.state:
        differs["state"] = state.value
    known = claim.amount if is_owners else None
    if heard.amount is not None and known is not None:
        money = (claim.amount, claim.currency)
        if money != (heard.amount, heard.currency):
            differs |= {"amount": f"{heard.amount.normalize():f}", "currency": heard.currency}
    return differs


def _go(claim: Claim, state: ClaimState, today: date) -> None:
    """Bring a claim where its obligor says it is, with the days that are not said yet."""
    claim.state = state
    if state != S.WITHDRAWN:
        claim.filed_on = claim.filed_on or today
    day = max(today, claim.filed_on or today)
    if state == S.ANSWERED:
        claim.answered_on = claim.answered_on or day
    claim.resolved_on = (claim.resolved_on or day) if state in (S.PAID, S.REFUSED) else None


def _key(number: str) -> str:
    return "".join(char for char in number.casefold() if char.isalnum())


def remove(*, claim: Claim, owner: Owner, now: datetime) -> Change:
    """Take a claim away with what it noted as paid; it can be put back for 30 days."""
    with transaction.atomic():
        before, asset, cost = [snapshots.of(claim)], claim.asset, claim.cost
        claim.delete()
        if cost is not None:
            before.insert(0, snapshots.of(cost))  # first back, for the claim names it
            cost.delete()
        return holdings.remember(REMOVED, asset, owner=owner, now=now, before=before)


def _with_days(
    claim: Claim, state: ClaimState, values: Mapping[str, Any], today: date
) -> dict[str, Any]:
    """Return what is said with a state, its day today unless another is said."""
    said = dict(values)
    if state == S.SUBMITTED:
        said["filed_on"] = said.get("filed_on") or claim.filed_on or today
        said["resolved_on"] = None
    elif state == S.ANSWERED:
        said["answered_on"] = said.get("answered_on") or today
    elif state in (S.PAID, S.REFUSED):
        said["resolved_on"] = said.get("resolved_on") or today
    return said


def _say(row: Claim, values: Mapping[str, Any]) -> None:
    for name in FIELDS & values.keys():
        setattr(row, name, values[name])
    if row.kind not in CoverageKind.values:
        raise HoldingError("kind", gettext_noop("Choose one of the list."))
    if row.remedy and row.remedy not in Remedy.values:
        raise HoldingError("remedy", gettext_noop("Choose one of the list."))
    named = (row.issue, row.coverage)
    if any(one is not None and one.asset_id != row.asset_id for one in named):
        raise HoldingError("issue", gettext_noop("There is no such object."))
    for name in ("claimed", "amount"):
        value = getattr(row, name)
        if value is not None and value < 0:
            raise HoldingError(name, gettext_noop("An amount is not below nothing."))
    for name in ("answered_on", "resolved_on"):
        day = getattr(row, name)
        if day is not None and row.filed_on is not None and day < row.filed_on:
            raise HoldingError(name, gettext_noop("This is before it was sent."))
    if row.state not in (S.DRAFT, S.WITHDRAWN) and row.filed_on is None:
        raise HoldingError("filed_on", gettext_noop("Say when it was sent."))
    is_needed = row.claimed is not None or row.amount is not None
    row.currency = holdings.currency_of(row.currency or "", is_needed=is_needed)


def _note_money(
    claim: Claim, *, owner: Owner | None, now: datetime, made: list[models.Model]
) -> list[dict[str, Any]]:
    """Let what was paid stand among the costs, once; return how those were before."""
    is_paid = claim.state == S.PAID and bool(claim.amount)
    cost = claim.cost
    if not is_paid:
        if cost is None:
            return []
        before = [snapshots.of(cost)]
        claim.cost = None
        claim.save(update_fields=["cost"])
        cost.delete()
        return before
    values = {
        "on": claim.resolved_on,
        "amount": claim.amount,
        "currency": claim.currency,
        "category": CostCategory.REFUND,
        "note": f"{claim.obligor} {claim.number}".strip()[:200],
    }
    if cost is None:
        claim.cost = holdings.spend(asset=claim.asset, values=values, now=now)
        if owner is not None:
            CostEntry.objects.filter(pk=claim.cost.pk).update(added_by=owner)
        made.append(claim.cost)
        return []
    before = [snapshots.of(cost)]
    cost.on, cost.amount = claim.resolved_on or cost.on, -(claim.amount or 0)
    cost.currency, cost.note = claim.currency, str(values["note"])
    cost.save()
    return before
