"""Claims: what is asked of whoever is to pay, how far it is, and what came back."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_noop

from assets import duedates, holdings, snapshots
from assets.choices import CostCategory, CoverageKind
from assets.cover_words import ClaimState, Remedy
from assets.holdings import HoldingError
from assets.models import Asset, Claim, CostEntry
from owners.models import Change, Owner

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
    claim.state = state
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
