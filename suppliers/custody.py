"""What the suppliers of an asset hear when they come to it, leave it, or it leaves the house.

Only who may act and is concerned hears it: an active mandate that covers the asset, or the
supplier's own role for it. They learn what was granted, and no more.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from assets import transfers
from assets.choices import Lifecycle
from assets.models import Asset
from suppliers import disclosure, outbox, routes
from suppliers.announcements import Addressee
from suppliers.choices import MandateState, RoleKind
from suppliers.models import Mandate, Supplier


def linked(*, asset: Asset, supplier: Supplier, kind: RoleKind, now: datetime) -> None:
    """Tell a supplier that it serves an asset now."""
    _tell(_of(asset, supplier=supplier), "owner.asset.linked", asset, now=now, kind=kind)


def unlinked(*, asset: Asset, supplier: Supplier, kind: RoleKind, now: datetime) -> None:
    """Tell a supplier that it does not serve an asset any more, as what it did."""
    _tell(_of(asset, supplier=supplier), "owner.asset.unlinked", asset, now=now, kind=kind)


def lifecycle_changed(*, asset: Asset, before: str, now: datetime) -> None:
    """Tell the suppliers of an asset that it is gone, or is here after all."""
    was_gone, is_gone = before == Lifecycle.ENDED, asset.lifecycle == Lifecycle.ENDED
    if was_gone == is_gone:
        return
    concerned = (
        Mandate.objects.filter(
            Q(assets=asset) | Q(supplier__roles__asset=asset), household=asset.household
        )
        .select_related("supplier")
        .distinct()
        .order_by("pk")
    )
    type_ = "owner.asset.disposed" if is_gone else "owner.asset.linked"
    if transfers.is_handed_over(asset):
        type_ = "owner.asset.transferred"  # to whom is nobody's business
    if is_gone:
        # Whom the owner told already hears nothing new by it.
        told = Addressee.objects.filter(
            announcement__asset=asset, announcement__withdrawn_at=None, is_ours=True
        )
        concerned = concerned.exclude(pk__in=told.values("mandate"))
    _tell(concerned.filter(state=MandateState.ACTIVE), type_, asset, now=now)


def _of(asset: Asset, *, supplier: Supplier) -> Iterable[Mandate]:
    """Return the active mandate of a supplier, if it covers the asset."""
    active = Mandate.objects.filter(
        household=asset.household, supplier=supplier, state=MandateState.ACTIVE
    )
    return active.filter(Q(assets=asset) | Q(assets=None)).select_related("supplier").distinct()


def _tell(
    mandates: Iterable[Mandate],
    type_: str,
    asset: Asset,
    *,
    now: datetime,
    kind: RoleKind | None = None,
) -> None:
    as_what = {"role": kind.value} if kind is not None else {}
    outbox.send_all(
        [
            outbox.Message(
                mandate=mandate,
                type=type_,
                data={
                    "asset": disclosure.asset_facts(
                        asset, mandate.facts, owner_ref=mandate.owner_ref
                    ),
                    **as_what,
                },
            )
            for mandate in routes.reachable(mandates, type_)
        ],
        now=now,
    )
