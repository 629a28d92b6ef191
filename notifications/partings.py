"""What pausing, narrowing or ending a mandate would do, before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assets.models import Asset
from notifications.choices import AppointmentState, JourneyState, PromiseState
from notifications.models import Appointment, Journey, Promise
from suppliers import mandates, outbox
from suppliers.choices import FactName, MandateState, Purpose
from suppliers.letters import Letter
from suppliers.models import Mandate, OutboundEvent, OutboundState, Role

MOST = 20  # shown of each
NOT_COMING = (AppointmentState.DECLINED, AppointmentState.CANCELLED, AppointmentState.MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What would stop, what would stay, and what the supplier would be told."""

    matters: list[Journey]
    visits: list[Appointment]
    promises: list[Promise]
    roles: list[Role]
    purposes: list[Purpose]  # no longer allowed
    assets: list[Asset]  # no longer covered
    facts: list[FactName]  # no longer known
    new: list[str]  # what would be allowed, covered or known besides
    closed: list[str]  # ways in that would close
    waiting: int  # answers still on their way
    via: str
    letter: Letter | None
    event: OutboundEvent  # as it would be sent; not stored


def foresee(
    *,
    mandate: Mandate,
    now: datetime,
    state: MandateState | None = None,
    purposes: Sequence[Purpose] | None = None,
    assets: Sequence[Asset] | None = None,
    facts: Sequence[FactName] | None = None,
) -> Effects:
    """Return the effects of a change that is only thought of; nothing is stored."""
    type_, data = mandates.draft(
        mandate, state=state, purposes=purposes, assets=assets, facts=facts
    )
    event, letter = outbox.draft(mandate=mandate, type=type_, data=data, now=now)
    covered = list(mandate.assets.order_by("name", "pk"))
    lost = [] if assets is None else [one for one in covered if one not in assets]
    gone = _gone(mandate.purposes, purposes, Purpose)
    hidden = _gone(mandate.facts, facts, FactName)
    new = [
        *_new(mandate.purposes, purposes),
        *_new(mandate.facts, facts),
        *(one.name for one in assets or () if one not in covered),
    ]
    is_silenced = state in (MandateState.ENDED, MandateState.PAUSED)
    matters = Journey.objects.filter(
        household=mandate.household,
        suppliers__contains=[mandate.supplier_id],
        state=JourneyState.OPEN,
        is_emptied=False,
    ).select_related("card", "asset")
    if not is_silenced:
        matters = matters.filter(asset__in=lost)
    visits = Appointment.objects.filter(
        household=mandate.household, supplier=mandate.supplier, over_at=None, end__gt=now
    ).exclude(state__in=NOT_COMING)
    promises = Promise.objects.filter(
        household=mandate.household, supplier=mandate.supplier, state=PromiseState.OPEN
    )
    if not is_silenced:
        visits, promises = (
            visits.filter(journey__asset__in=lost),
            promises.filter(journey__asset__in=lost),
        )
    roles = Role.objects.filter(household=mandate.household, supplier=mandate.supplier)
    if not is_silenced:
        roles = roles.filter(asset__in=lost)
    waiting = OutboundEvent.objects.filter(mandate=mandate, state=OutboundState.PENDING)
    return Effects(
        matters=list(matters.order_by("-last_said_at")[:MOST]),
        visits=list(visits.select_related("journey").order_by("start")[:MOST]),
        promises=list(promises.select_related("journey").order_by("due_at")[:MOST]),
        roles=list(roles.select_related("asset").order_by("asset__name", "pk")[:MOST]),
        purposes=gone,
        assets=lost,
        facts=hidden if state is None else [FactName(name) for name in mandate.facts],
        new=new,
        closed=[mandates.alias_address(mandate)] if state == MandateState.ENDED else [],
        waiting=waiting.count(),
        via=event.via,
        letter=letter,
        event=event,
    )


def shown(effects: Effects) -> dict[str, Any]:
    """Return the effects as the API shows them."""
    return {
        "matters": [
            {"id": str(one.uuid), "title": one.title} for one in effects.matters
        ],
        "appointments": [
            {"id": str(one.uuid), "journey": str(one.journey.uuid), "start": one.start}
            for one in effects.visits
        ],
        "promises": [
            {"id": str(one.uuid), "journey": str(one.journey.uuid), "what": one.what}
            for one in effects.promises
        ],
        "roles": [{"asset": str(one.asset.uuid), "kind": one.kind} for one in effects.roles],
        "lost_purposes": [one.value for one in effects.purposes],
        "lost_assets": [str(one.uuid) for one in effects.assets],
        "lost_facts": [one.value for one in effects.facts],
        "closed": effects.closed,
        "waiting": effects.waiting,
        "via": effects.via,
        "type": effects.event.type,
        "told": effects.event.data,
        "letter": effects.letter
        and {"to": effects.letter.recipient, "subject": effects.letter.subject,
             "text": effects.letter.text},
    }  # fmt: skip


def _gone(had: Sequence[str], wanted: Sequence[Any] | None, kind: Any) -> list[Any]:
    if wanted is None:
        return []
    kept = {str(one) for one in wanted}
    return [kind(name) for name in had if name not in kept]


def _new(had: Sequence[str], wanted: Sequence[Any] | None) -> list[str]:
    return [str(one.label) for one in wanted or () if str(one) not in had]
