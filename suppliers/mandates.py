"""Mandates: the household's revocable permission for one supplier."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_noop

from assets.models import Asset
from owners import access, undo
from owners.models import Change, Household, Owner
from suppliers import disclosure, holding, outbox, receipts, terms
from suppliers.admission import PAUSED
from suppliers.choices import FactName, MandateState, Purpose
from suppliers.models import Mandate, Supplier, SupplierDomain, SupplierNumber

ENDED = "mandate.end"
GRANTED = "mandate.granted"
CHANGED = "mandate.changed"
USUAL_PURPOSES = (Purpose.SERVICE, Purpose.BILLING)


# What the access log says of a change; any other is one of its terms.
LOGGED = {"granted": "mandate_granted", "revoked": "mandate_ended"}


class MandateError(Exception):
    """The mandate cannot be so; `code` says why, `field` names what was wrong."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


def choosable(owner: Owner) -> QuerySet[Supplier]:
    """Return the suppliers an owner may give a mandate: their own and the verified ones.

    What another household noted about an unverified supplier stays there.
    """
    mine = Q(pk__in=Supplier.objects.for_owner(owner).values("pk"))
    return Supplier.objects.filter(mine | Q(verified_at__isnull=False, is_active=True))


def note_supplier(
    *,
    household: Household,
    name: str,
    now: datetime,
    domains: Iterable[str] = (),
    numbers: Iterable[str] = (),
    purposes: Sequence[Purpose] = USUAL_PURPOSES,
    assets: Sequence[Asset] = (),
    owner: Owner | None = None,
) -> Mandate:
    """Note a supplier nobody knows yet and give it a mandate.

    Its domains and numbers are this household's word, never evidence for another.
    """
    code = f"{slugify(name)[:45] or 'supplier'}-{secrets.token_hex(4)}"
    with transaction.atomic():
        supplier = Supplier.objects.create(code=code, name=name, created_at=now)
        for domain in dict.fromkeys(domain.strip().lower() for domain in domains):
            SupplierDomain.objects.create(supplier=supplier, household=household, domain=domain)
        for number in dict.fromkeys(numbers):
            SupplierNumber.objects.create(supplier=supplier, household=household, number=number)
        return grant(
            household=household,
            supplier=supplier,
            purposes=purposes,
            assets=assets,
            owner=owner,
            now=now,
        )


def grant(
    *,
    household: Household,
    supplier: Supplier,
    now: datetime,
    purposes: Sequence[Purpose] = USUAL_PURPOSES,
    assets: Sequence[Asset] = (),
    facts: Sequence[FactName] = (),
    owner: Owner | None = None,
) -> Mandate:
    """Give a supplier a mandate; raises MandateError when a live one exists.

    Without `facts` it knows the names of the assets and nothing else.

    What an `owner` gave can be taken back for 30 days (`undo.latest` finds it).
    """
    _check_assets(household=household, assets=assets)
    try:
        with transaction.atomic():
            mandate = Mandate.objects.create(
                household=household,
                supplier=supplier,
                purposes=[purpose.value for purpose in purposes],
                facts=_ordered(facts),
                granted_at=now,
            )
            mandate.assets.set(assets)
            if owner is not None:
                _remember(mandate, kind=GRANTED, owner=owner, before={}, now=now)
            _tell(mandate, "granted", now, by=owner)
    except IntegrityError as error:
        raise MandateError("exists", "This supplier already has a mandate.") from error
    return mandate


def change(
    *,
    mandate: Mandate,
    now: datetime,
    state: MandateState | None = None,
    purposes: Sequence[Purpose] | None = None,
    assets: Sequence[Asset] | None = None,
    facts: Sequence[FactName] | None = None,
    owner: Owner | None = None,
) -> Change | None:
    """Change what a live mandate allows, or pause and resume it.

    Returns what takes back for 30 days what an `owner` changed.
    """
    with transaction.atomic():
        kept = _locked(mandate)
        if kept.state == MandateState.ENDED:
            raise MandateError("ended", "This mandate has ended; give a new one.")
        covered = kept.assets.order_by("pk").values_list("uuid", flat=True)
        before = {
            "state": kept.state,
            "purposes": list(kept.purposes),
            "facts": list(kept.facts),
            "assets": [str(uuid) for uuid in covered],
        }
        if assets is not None:
            _check_assets(household=mandate.household, assets=assets)
            mandate.assets.set(assets)
        # What is not given stays as it is by now, not as it was when somebody looked.
        mandate.purposes = (
            kept.purposes
            if purposes is None
            else [purpose.value for purpose in dict.fromkeys(purposes)]
        )
        mandate.facts = kept.facts if facts is None else _ordered(facts)
        mandate.state = kept.state if state is None else state
        mandate.save(update_fields=["purposes", "facts", "state"])
        made = None
        if owner is not None:
            made = _remember(mandate, kind=CHANGED, owner=owner, before=before, now=now)
        told = "paused" if state == MandateState.PAUSED else "changed"
        is_resumed = before["state"] == MandateState.PAUSED and mandate.state != before["state"]
        if is_resumed:
            holding.release(holding.kept(mandate=mandate, refusal=PAUSED))
        _tell(mandate, told, now, by=owner, receipt="resumed" if is_resumed else "")
    return made


def switch(
    *, mandate: Mandate, purpose: Purpose, is_on: bool, owner: Owner, now: datetime
) -> Change | None:
    """Allow one purpose or take it back; two switches at once are both heard."""
    with transaction.atomic():
        granted = {*_locked(mandate).purposes, purpose.value}
        if not is_on:
            granted.discard(purpose.value)
        purposes = [one for one in Purpose if one.value in granted]
        return change(mandate=mandate, purposes=purposes, owner=owner, now=now)


def disclose(
    *, mandate: Mandate, fact: FactName, is_on: bool, owner: Owner, now: datetime
) -> Change | None:
    """Let a supplier know one fact, or take that back; two at once are both heard."""
    with transaction.atomic():
        granted = {*_locked(mandate).facts, fact.value}
        if not is_on:
            granted.discard(fact.value)
        facts = [one for one in FactName if one.value in granted]
        return change(mandate=mandate, facts=facts, owner=owner, now=now)


def teach(*, mandate: Mandate, facts: Iterable[FactName], owner: Owner, now: datetime) -> None:
    """Let a supplier know facts without a word of its own: what is sent next says them."""
    _learn(mandate, {*_locked(mandate).facts, *(fact.value for fact in facts)}, owner, now)


def unteach(*, mandate: Mandate, facts: Iterable[FactName], owner: Owner, now: datetime) -> None:
    """Take back what a supplier was let know and has not been told."""
    _learn(mandate, {*_locked(mandate).facts} - {fact.value for fact in facts}, owner, now)


def _learn(mandate: Mandate, known: set[str], owner: Owner, now: datetime) -> None:
    mandate.facts = _ordered(FactName(name) for name in known)
    mandate.save(update_fields=["facts"])
    receipts.make(mandate=mandate, change="changed", now=now)
    _log(mandate, kind="mandate_changed", by=owner, now=now)


def write_home(
    *, household: Household, values: Mapping[str, str], owner: Owner, now: datetime
) -> list[Mandate]:
    """Write facts of the home down, and tell those who may know them; return these."""
    with transaction.atomic():
        changed = disclosure.write_home(household, values)
        knowing = Mandate.objects.filter(
            household=household, state=MandateState.ACTIVE, facts__overlap=sorted(changed)
        ).select_related("household", "supplier")
        told = list(knowing.order_by("pk")) if changed else []
        for mandate in told:
            _tell(mandate, "changed", now, by=owner)
    return told


def _ordered(facts: Iterable[FactName]) -> list[str]:
    """Return facts once each, in the order in which they are always named."""
    wanted = set(facts)
    return [fact.value for fact in FactName if fact in wanted]


def _locked(mandate: Mandate) -> Mandate:
    return Mandate.objects.select_for_update(no_key=True).get(pk=mandate.pk)


def take_back_change(change_made: Change, owner: Owner, now: datetime) -> None:
    """Let a mandate allow what it allowed before."""
    mandate = _changed(change_made)
    before = change_made.before
    still_here = Asset.objects.filter(household=mandate.household, uuid__in=before["assets"])
    try:
        change(
            mandate=mandate,
            state=MandateState(before["state"]),
            purposes=[Purpose(purpose) for purpose in before["purposes"]],
            # What was changed before facts could be granted says nothing of them.
            facts=[FactName(name) for name in before["facts"]] if "facts" in before else None,
            assets=list(still_here),
            owner=owner,
            now=now,
        )
    except MandateError as error:
        raise undo.UndoError(error.detail) from error


def take_back_grant(change_made: Change, owner: Owner, now: datetime) -> None:
    """End a mandate that was given by mistake; that can be taken back in turn."""
    end(mandate=_changed(change_made), owner=owner, now=now)


def end(*, mandate: Mandate, now: datetime, owner: Owner | None = None) -> Change | None:
    """End a mandate; what the supplier sends from now on is refused. Twice is once.

    Returns what takes it back for 30 days, or None when it had ended before.
    """
    with transaction.atomic():
        before = {"state": _locked(mandate).state}
        if before["state"] == MandateState.ENDED:
            return None
        mandate.state = MandateState.ENDED
        mandate.ended_at = now
        mandate.save(update_fields=["state", "ended_at"])
        made = _remember(mandate, kind=ENDED, owner=owner, before=before, is_removal=True, now=now)
        lapsed = terms.lapse(mandate=mandate, now=now)
        _tell(mandate, "revoked", now, by=owner, more={"terms": lapsed} if lapsed else {})
        return made


def take_back_end(change_made: Change, owner: Owner, now: datetime) -> None:
    """Let a mandate live again under its old address and name."""
    mandate = _changed(change_made)
    live = Mandate.objects.live().filter(household=mandate.household, supplier=mandate.supplier)
    if live.exists():
        raise undo.UndoError(gettext_noop("This supplier has a new permission already."))
    with transaction.atomic():
        mandate.state = MandateState(change_made.before["state"])
        mandate.ended_at = None
        mandate.save(update_fields=["state", "ended_at"])
        _tell(mandate, "granted", now, by=owner, kind="mandate_restored", receipt="restored")


def _changed(change_made: Change) -> Mandate:
    """Return the mandate that a change was about; raises UndoError when it is gone."""
    uuid = undo.subject_of(change_made)
    found = Mandate.objects.filter(household=change_made.household_id, uuid=uuid)
    mandate = found.select_related("household", "supplier").first()
    if mandate is None:
        raise undo.UndoError(gettext_noop("It is gone for good."))
    return mandate


def _remember(
    mandate: Mandate,
    *,
    kind: str,
    owner: Owner | None,
    before: Mapping[str, Any],
    now: datetime,
    is_removal: bool = False,
) -> Change:
    return undo.remember(
        kind=kind,
        label=mandate.supplier.name,
        now=now,
        owner=owner,
        household=mandate.household,
        subject=mandate.uuid,
        before=before,
        is_removal=is_removal,
    )


def alias_address(mandate: Mandate) -> str:
    """Return the mail address at which the supplier writes to this household."""
    return f"{mandate.alias}@{settings.MAIL_DOMAIN}"


def draft(
    mandate: Mandate,
    *,
    state: MandateState | None = None,
    purposes: Sequence[Purpose] | None = None,
    assets: Sequence[Asset] | None = None,
    facts: Sequence[FactName] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the event that the supplier would get for a change: its type and data."""
    names = {MandateState.ENDED: "revoked", MandateState.PAUSED: "paused"}
    change = names.get(state, "changed") if state is not None else "changed"
    data = disclosure.told(
        mandate,
        state=state,
        purposes=None if purposes is None else [purpose.value for purpose in purposes],
        facts=None if facts is None else _ordered(facts),
        assets=assets,
    )
    return f"owner.mandate.{change}", data


def _tell(
    mandate: Mandate,
    change: str,
    now: datetime,
    *,
    by: Owner | None,
    kind: str = "",
    receipt: str = "",
    more: Mapping[str, Any] | None = None,
) -> None:
    """Let the supplier know what it may do from now on, make the receipt, log who said so."""
    data = disclosure.told(mandate) | dict(more or {})
    outbox.send(mandate=mandate, type=f"owner.mandate.{change}", data=data, now=now)
    receipts.make(mandate=mandate, change=receipt or change, now=now)
    _log(mandate, kind=kind or LOGGED.get(change, "mandate_changed"), by=by, now=now)


def _log(mandate: Mandate, *, kind: str, by: Owner | None, now: datetime) -> None:
    access.note(
        kind=kind,
        actor=by,
        household=mandate.household,
        what={
            "supplier": mandate.supplier.name,
            "state": mandate.state,
            "purposes": list(mandate.purposes),
            "facts": list(mandate.facts),
        },
        now=now,
    )


def _check_assets(*, household: Household, assets: Sequence[Asset]) -> None:
    if any(asset.household_id != household.pk for asset in assets):
        raise MandateError("unknown", "There is no such object.", field="assets")
