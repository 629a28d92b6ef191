"""Care that is booked: its supplier is asked for a visit, on the matter of the care itself."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop

from assets.models import CareTask
from notifications import opening
from notifications.models import Journey
from owners.models import Owner
from suppliers.choices import MandateState, RoleKind
from suppliers.models import Mandate, Role

WORKER = "care_worker"  # the fact that says who can be asked to do it
# Who is asked where the plan names nobody, the likeliest first.
LIKELY = (
    RoleKind.REPAIRER,
    RoleKind.INSTALLER,
    RoleKind.MAKER,
    RoleKind.SELLER,
    RoleKind.UTILITY,
)


def workers(tasks: Sequence[CareTask]) -> dict[int, str]:
    """Return the names of the suppliers that can be asked to do these tasks, by task.

    It is whom the plan names, else the likeliest that serves the thing; either may know of
    it and be written to. Any number of tasks takes the same few queries.
    """
    return {pk: mandate.supplier.name for pk, mandate in _mandates(tasks).items()}


def mandate_for(task: CareTask, *, owner: Owner, supplier: str = "") -> Mandate | None:
    """Return by which mandate a task is booked: of the `supplier` (UUID) named, else whom it says.

    None where nobody may be asked.
    """
    if not supplier:
        return _mandates([task]).get(task.pk)
    try:
        key = uuid.UUID(supplier)
    except ValueError:
        return None
    offered = opening.mandates_for(owner, asset=task.asset)
    return offered.filter(supplier__uuid=key).first()


def book(
    *,
    task: CareTask,
    journey: Journey,
    mandate: Mandate,
    owner: Owner,
    windows: Sequence[Mapping[str, str]],
    name: uuid.UUID,
    now: datetime,
) -> opening.Opened:
    """Ask a supplier to come and do a task; its answer joins the matter of the task.

    `name` makes a repeat the same request. Raises OpeningError where the supplier may not
    know of the thing.
    """
    return opening.ask_for_visit(
        owner=owner,
        asset=task.asset,
        journey=journey.uuid,
        mandate=mandate,
        text=task.name,
        windows=windows,
        key=str(name),
        now=now,
    )


def checked(data: Mapping[str, Any]) -> str:
    """Return the supplier (UUID) that a booking names; empty where it names none."""
    return str(data.get("supplier") or "")


NOBODY = gettext_noop("Nobody who serves it may be asked yet. Give a supplier leave first.")


def _mandates(tasks: Iterable[CareTask]) -> dict[int, Mandate]:
    wanted = list(tasks)
    if not wanted:
        return {}
    homes = {task.household_id for task in wanted}
    active = Mandate.objects.filter(household__in=homes, state=MandateState.ACTIVE)
    found = list(active.select_related("supplier").prefetch_related("assets").order_by("pk"))
    by_home: dict[int, list[Mandate]] = defaultdict(list)
    for mandate in found:
        by_home[mandate.household_id].append(mandate)
    things = {task.asset_id for task in wanted}
    serving: dict[tuple[int, int], RoleKind] = {}
    roles = Role.objects.filter(Q(asset__in=things), kind__in=LIKELY)
    for asset, supplier, kind in roles.values_list("asset_id", "supplier_id", "kind"):
        known = serving.get((asset, supplier))
        if known is None or LIKELY.index(RoleKind(kind)) < LIKELY.index(known):
            serving[asset, supplier] = RoleKind(kind)
    picked = {task.pk: _pick(task, by_home[task.household_id], serving) for task in wanted}
    return {pk: mandate for pk, mandate in picked.items() if mandate is not None}


def _pick(
    task: CareTask, known: Iterable[Mandate], serving: Mapping[tuple[int, int], RoleKind]
) -> Mandate | None:
    may_know = [mandate for mandate in known if _covers(mandate, task.asset_id)]
    if task.provider:
        name = task.provider.casefold()
        return next((one for one in may_know if one.supplier.name.casefold() == name), None)
    likely = [
        (LIKELY.index(serving[task.asset_id, one.supplier_id]), one.pk, one)
        for one in may_know
        if (task.asset_id, one.supplier_id) in serving
    ]
    return min(likely, key=lambda row: row[:2])[2] if likely else None


def _covers(mandate: Mandate, asset: int) -> bool:
    covered = [one.pk for one in mandate.assets.all()]
    return not covered or asset in covered
