"""What a household says of a supplier: names, numbers, domains and roles.

It is this household's word and never evidence for another; what is proved stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from assets.models import Asset
from owners import undo
from owners.models import Change, Household, Owner
from suppliers import custody
from suppliers.choices import RoleKind
from suppliers.models import (
    Mandate,
    Role,
    Supplier,
    SupplierDomain,
    SupplierName,
    SupplierNumber,
)

TAKEN = "role.take"
MOST = 50  # of one kind that a household notes of one supplier


class ParticularError(Exception):
    """It cannot be noted; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is known of a supplier in one household: proved, and the household's own."""

    names: list[str]
    numbers: list[str]
    domains: list[str]
    proved_numbers: list[str]
    proved_domains: list[str]


def of(*, household: Household, supplier: Supplier) -> Particulars:
    """Return what this household knows of a supplier."""
    names = SupplierName.objects.filter(household=household, supplier=supplier)
    numbers = SupplierNumber.objects.filter(supplier=supplier).order_by("number")
    domains = SupplierDomain.objects.filter(supplier=supplier).order_by("domain")
    return Particulars(
        names=list(names.order_by("name").values_list("name", flat=True)),
        numbers=list(numbers.filter(household=household).values_list("number", flat=True)),
        domains=list(domains.filter(household=household).values_list("domain", flat=True)),
        proved_numbers=list(numbers.filter(household=None).values_list("number", flat=True)),
        proved_domains=list(domains.filter(household=None).values_list("domain", flat=True)),
    )


@dataclass(slots=True)
class Proved:
    """What is proved of one supplier, for every household."""

    domains: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)


def proved(suppliers: Iterable[int]) -> dict[int, Proved]:
    """Return what is proved of each of these suppliers: two reads for any number."""
    found = {pk: Proved() for pk in suppliers}
    if not found:
        return found
    domains = SupplierDomain.objects.filter(household=None, supplier__in=found)
    for pk, domain in domains.order_by("domain").values_list("supplier_id", "domain"):
        found[pk].domains.append(domain)
    numbers = SupplierNumber.objects.filter(household=None, supplier__in=found)
    for pk, number in numbers.order_by("number").values_list("supplier_id", "number"):
        found[pk].numbers.append(number)
    return found


def provers(domains: Iterable[str]) -> dict[str, Supplier]:
    """Return whose proved domain each of these is, where it is somebody's."""
    rows = SupplierDomain.objects.filter(
        household=None, domain__in=set(domains), supplier__is_active=True
    ).select_related("supplier")
    return {row.domain: row.supplier for row in rows}


def _rows(kind: str, household: Household, supplier: Supplier) -> QuerySet[Any]:
    models: dict[str, type[Model]] = {
        "name": SupplierName,
        "number": SupplierNumber,
        "domain": SupplierDomain,
    }
    rows: QuerySet[Any] = models[kind]._default_manager.all()  # noqa: SLF001 - Django's own name
    return rows.filter(household=household, supplier=supplier)


def note(*, household: Household, supplier: Supplier, kind: str, value: str) -> None:
    """Note a name, number or domain (`kind`) of a supplier; twice is once."""
    rows = _rows(kind, household, supplier)
    with transaction.atomic():
        if rows.count() >= MOST:
            raise ParticularError("These are enough of them.")
        values: dict[str, Any] = {"household": household, "supplier": supplier, kind: value}
        rows.get_or_create(**values)
        _renew_words(household, supplier)


def forget(*, household: Household, supplier: Supplier, kind: str, value: str) -> None:
    """Forget what this household noted; what is proved is not its to forget."""
    with transaction.atomic():
        _rows(kind, household, supplier).filter(**{kind: value}).delete()
        _renew_words(household, supplier)


def give_role(*, asset: Asset, supplier: Supplier, kind: RoleKind, now: datetime) -> Role:
    """Note what a supplier is for an asset, and tell it; twice is once."""
    with transaction.atomic():
        role, is_new = Role.objects.get_or_create(
            household_id=asset.household_id, asset=asset, supplier=supplier, kind=kind
        )
        if is_new:
            custody.linked(asset=asset, supplier=supplier, kind=kind, now=now)
    return role


def take_role(*, role: Role, owner: Owner, now: datetime) -> Change:
    """Take a role away; it can be put back."""
    with transaction.atomic():
        change = undo.remember(
            kind=TAKEN,
            label=f"{role.supplier}: {role.get_kind_display()}",
            now=now,
            owner=owner,
            household=role.household,
            subject=role.asset.uuid,
            before={"supplier": role.supplier_id, "kind": role.kind},
        )
        kind = RoleKind(role.kind)
        custody.unlinked(asset=role.asset, supplier=role.supplier, kind=kind, now=now)
        role.delete()
        return change


def put_role_back(change: Change, owner: Owner, now: datetime) -> None:
    """Give a role again that was taken away."""
    asset = Asset.objects.filter(
        household=change.household_id, uuid=undo.subject_of(change)
    ).first()
    supplier = Supplier.objects.filter(pk=change.before["supplier"]).first()
    if asset is None or supplier is None:
        raise undo.UndoError("It is gone for good.")
    give_role(asset=asset, supplier=supplier, kind=RoleKind(change.before["kind"]), now=now)


def _renew_words(household: Household, supplier: Supplier) -> None:
    for mandate in Mandate.objects.live().filter(household=household, supplier=supplier):
        mandate.note_words()
