"""What becomes of who served an asset when it passes to its next owner.

Each supplier's leave stays with the former owner and ends for this asset. Who served it is no
secret to the buyer, who lets each of them in anew, or not; nobody learns who the buyer is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from assets import packages
from assets.models import Asset, Contract, Received
from owners import undo
from owners.choices import Rank
from owners.households import require
from owners.models import Change, Household, Owner
from suppliers import custody, mandates
from suppliers.choices import MandateState, RoleKind
from suppliers.models import Mandate, Role, Supplier


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Somebody who may write about an asset that is to leave."""

    mandate: Mandate
    is_only: bool  # its leave is for nothing else, and would end
    roles: tuple[str, ...]


def served(asset: Asset) -> list[Served]:
    """Return who would hear that an asset has another owner, by name."""
    rows = (
        Mandate.objects.filter(
            Q(assets=asset) | Q(supplier__roles__asset=asset), household=asset.household_id
        )
        .live()
        .select_related("supplier")
        .prefetch_related("assets")
        .distinct()
    )
    roles: dict[int, list[str]] = {}
    for role in Role.objects.filter(asset=asset).order_by("kind"):
        roles.setdefault(role.supplier_id, []).append(str(role.get_kind_display()))
    return [
        Served(
            mandate=row,
            is_only=[one.pk for one in row.assets.all()] == [asset.pk],
            roles=tuple(roles.get(row.supplier_id, ())),
        )
        for row in rows.order_by("supplier__name", "pk")
    ]


def running(asset: Asset, *, today: Any) -> list[Contract]:
    """Return the contracts of an asset that go on unless somebody ends them."""
    open_ones = Contract.objects.filter(asset=asset, cancelled_on=None)
    return list(open_ones.filter(Q(ends_on=None) | Q(ends_on__gte=today)).order_by("pk"))


def handed_over(*, asset: Asset, keeps: Collection[UUID], now: datetime) -> None:
    """End what suppliers may do about an asset that has another owner now.

    A leave for other things as well goes on for those; one that was for this asset alone
    ends, but for those in `keeps`: their last bill may still come.
    """
    for row in served(asset):
        mandate = row.mandate
        if mandate.uuid in keeps:
            continue
        covered = list(mandate.assets.all())
        if row.is_only:
            mandates.end(mandate=mandate, now=now)
        elif asset in covered:
            others = [one for one in covered if one.pk != asset.pk]
            mandates.change(mandate=mandate, assets=others, now=now)


# --- the next owner ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Somebody who served the asset before it was ours."""

    number: int  # its place among them
    name: str
    roles: tuple[str, ...]
    supplier: Supplier | None  # where it is known here for certain
    is_in: bool  # it may write about the asset already
    is_dealt_with: bool


def suggestions(received: Received) -> list[Suggestion]:
    """Return who served an asset before, for its owner to let in, or not."""
    records = packages.of_type(received.package, "supplier")
    codes = [record["data"].get("code") or "" for record in records]
    known = {
        supplier.code: supplier
        for supplier in Supplier.objects.filter(
            code__in=[code for code in codes if code], verified_at__isnull=False, is_active=True
        )
    }
    live = Mandate.objects.live().filter(household=received.household_id)
    covering = live.filter(Q(assets=received.asset) | Q(assets=None))
    inside = set(covering.values_list("supplier", flat=True))
    words = dict(RoleKind.choices)
    found = []
    for number, record in enumerate(records):
        data: Mapping[str, Any] = record["data"]
        supplier = known.get(data.get("code") or "")
        found.append(
            Suggestion(
                number=number,
                name=supplier.name if supplier else data["name"],
                roles=tuple(str(words[kind]) for kind in data["roles"] if kind in words),
                supplier=supplier,
                is_in=supplier is not None and supplier.pk in inside,
                is_dealt_with=record["id"] in received.let_in,
            )
        )
    return found


def let_in(*, received: Received, number: int, owner: Owner, now: datetime) -> Change | None:
    """Let a supplier in for an asset that came with its name; for admins.

    None where it may write about it already. Raises IndexError for a number that none has,
    and Supplier.DoesNotExist for one that is only a name here.
    """
    require(owner=owner, household_id=received.household_id, least=Rank.ADMIN)
    record = packages.of_type(received.package, "supplier")[number]
    row = suggestions(received)[number]
    if row.supplier is None:
        raise Supplier.DoesNotExist
    asset, home = received.asset, received.household
    with transaction.atomic():
        Household.objects.select_for_update(no_key=True).get(pk=home.pk)
        change = _granted(home, row.supplier, asset, owner=owner, now=now)
        for kind in record["data"]["roles"]:
            if kind not in RoleKind.values:
                continue
            _role, is_new = Role.objects.get_or_create(
                household=home, asset=asset, supplier=row.supplier, kind=kind
            )
            if is_new:
                custody.linked(asset=asset, supplier=row.supplier, kind=RoleKind(kind), now=now)
        dealt_with(received=received, number=number)
    return change


def dealt_with(*, received: Received, number: int) -> None:
    """Ask no more about a suggestion. Raises IndexError."""
    record = packages.of_type(received.package, "supplier")[number]
    if record["id"] not in received.let_in:
        received.let_in = [*received.let_in, record["id"]]
        received.save(update_fields=["let_in"])


def _granted(
    home: Household, supplier: Supplier, asset: Asset, *, owner: Owner, now: datetime
) -> Change | None:
    live = Mandate.objects.live().filter(household=home, supplier=supplier).first()
    if live is None:
        made = mandates.grant(
            household=home, supplier=supplier, assets=[asset], owner=owner, now=now
        )
        return undo.latest(kind=mandates.GRANTED, subject=made.uuid)
    covered = list(live.assets.all())
    if not covered or asset in covered or live.state == MandateState.ENDED:
        return None
    return mandates.change(mandate=live, assets=[*covered, asset], owner=owner, now=now)
