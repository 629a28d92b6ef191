"""Mandates: the household's revocable permission for one supplier."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.text import slugify

from assets.models import Asset
from owners import access, undo
from owners.models import Change, Household, Owner
from suppliers import outbox
from suppliers.choices import MandateState, Purpose
from suppliers.models import Mandate, Supplier, SupplierDomain, SupplierNumber

ENDED = "mandate.end"
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
            household=household, supplier=supplier, purposes=purposes, assets=assets, now=now
        )


def grant(
    *,
    household: Household,
    supplier: Supplier,
    now: datetime,
    purposes: Sequence[Purpose] = USUAL_PURPOSES,
    assets: Sequence[Asset] = (),
) -> Mandate:
    """Give a supplier a mandate; raises MandateError when a live one exists."""
    _check_assets(household=household, assets=assets)
    try:
        with transaction.atomic():
            mandate = Mandate.objects.create(
                household=household,
                supplier=supplier,
                purposes=[purpose.value for purpose in purposes],
                granted_at=now,
            )
            mandate.assets.set(assets)
            _tell(mandate, "granted", now)
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
) -> Mandate:
    """Change what a live mandate allows, or pause and resume it."""
    if mandate.state == MandateState.ENDED:
        raise MandateError("ended", "This mandate has ended; give a new one.")
    with transaction.atomic():
        if assets is not None:
            _check_assets(household=mandate.household, assets=assets)
            mandate.assets.set(assets)
        if purposes is not None:
            mandate.purposes = [purpose.value for purpose in purposes]
        if state is not None:
            mandate.state = state
        mandate.save(update_fields=["purposes", "state"])
        _tell(mandate, "paused" if state == MandateState.PAUSED else "changed", now)
    return mandate


def end(*, mandate: Mandate, now: datetime, owner: Owner | None = None) -> Change | None:
    """End a mandate; what the supplier sends from now on is refused. Twice is once.

    Returns what takes it back for 30 days, or None when it had ended before.
    """
    if mandate.state == MandateState.ENDED:
        return None
    with transaction.atomic():
        before = {"state": mandate.state}
        mandate.state = MandateState.ENDED
        mandate.ended_at = now
        mandate.save(update_fields=["state", "ended_at"])
        _tell(mandate, "revoked", now)
        return undo.remember(
            kind=ENDED,
            label=mandate.supplier.name,
            now=now,
            owner=owner,
            household=mandate.household,
            subject=mandate.uuid,
            before=before,
            is_removal=True,
        )


def take_back_end(change: Change, owner: Owner, now: datetime) -> None:
    """Let a mandate live again under its old address and name."""
    found = Mandate.objects.filter(household=change.household_id, uuid=undo.subject_of(change))
    mandate = found.select_related("household", "supplier").first()
    if mandate is None:
        raise undo.UndoError("It is gone for good.")
    live = Mandate.objects.live().filter(household=mandate.household, supplier=mandate.supplier)
    if live.exists():
        raise undo.UndoError("This supplier has a new permission already.")
    with transaction.atomic():
        mandate.state = MandateState(change.before["state"])
        mandate.ended_at = None
        mandate.save(update_fields=["state", "ended_at"])
        _tell(mandate, "granted", now)


def alias_address(mandate: Mandate) -> str:
    """Return the mail address at which the supplier writes to this household."""
    return f"{mandate.alias}@{settings.MAIL_DOMAIN}"


def _tell(mandate: Mandate, change: str, now: datetime) -> None:
    """Let the supplier know what it may do from now on."""
    data = {"state": mandate.state, "purposes": list(mandate.purposes)}
    outbox.send(mandate=mandate, type=f"owner.mandate.{change}", data=data, now=now)
    access.note(
        kind=LOGGED.get(change, "mandate_changed"),
        household=mandate.household,
        what={"supplier": mandate.supplier.name, **data},
        now=now,
    )


def _check_assets(*, household: Household, assets: Sequence[Asset]) -> None:
    if any(asset.household_id != household.pk for asset in assets):
        raise MandateError("unknown", "There is no such object.", field="assets")
