"""What an event would come to, told to its supplier before it is sent.

The same rules decide as for the real thing; nothing is stored, and nothing of the
owner's is disclosed but the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from notifications import telling
from notifications.consolidation import place
from notifications.ledger import Ledger, entry_of
from notifications.merging import fold
from owners.choices import ChannelKind, Level, Topic
from owners.models import Household
from owners.reach import SOFTER, Reach
from suppliers import processing
from suppliers.choices import EventState, Outcome
from suppliers.models import Mandate, Supplier
from suppliers.processing import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict as of now; `channel` is a kind, never an address."""

    outcome: str
    reason: str
    level: str = ""
    channel: str = ""
    not_before: datetime | None = None


def judge(*, supplier: Supplier, event: dict[str, Any], now: datetime) -> Verdict:
    """Return what `event` (one CloudEvent) would come to if it arrived now."""
    work, rows = processing.preview(supplier_id=supplier.pk, event=event, now=now)
    if work.state == EventState.REJECTED:
        return Verdict(outcome=Outcome.REFUSED, reason=work.code)
    if not rows:
        return Verdict(outcome=Outcome.ABSORBED, reason="administration")
    found = _judge(rows[0], now=now)
    # It would be read, and be no agreement to the owner's terms: the supplier learns why.
    return replace(found, reason=work.code) if work.code else found


def _judge(row: Row, *, now: datetime) -> Verdict:
    household = Household.objects.get(pk=row.household_id)
    ledger = Ledger.open([household], now=now)
    waiting = entry_of(ledger, row)
    ledger.load_candidates([waiting])
    placement = place(waiting.entry, ledger.candidates.get(household.pk, []))
    if placement.outcome is not None:
        return Verdict(outcome=placement.outcome, reason=placement.reason)
    uuid = placement.journey
    if uuid:
        ledger.load_journeys([uuid])
    entries = [known.entry for known in ledger.rows.get(uuid, []) if known.uuid != row.uuid]
    decisions = ledger.decisions.get(uuid, [])
    matter = fold([*entries, waiting.entry], decisions, currency=household.currency, now=now)
    found = matter.verdicts[waiting.entry.id]
    ledger.load_people([household.pk], matter.suppliers)
    for one in ledger.told_about(household.pk, matter.asset, meant_for=matter.meant_for):
        member = ledger.wishing(one, matter, journey=uuid)
        plan, _silent = telling.plan(
            matter,
            ledger.told.get((uuid, member.owner), {}),
            reach=member.reach,
            owner=member.owner,
            now=now,
            granted=ledger.granted(member, matter),
        )
        if plan is None or waiting.entry.id not in plan.because:
            continue
        kinds = member.reach.ladder(plan.topic)
        is_loud = plan.level == Level.INTERRUPT and bool(kinds)
        free = telling.release(plan, reach=member.reach, now=plan.not_before)
        return Verdict(
            outcome=found.outcome,
            reason=plan.reason,
            level=plan.level,
            channel=kinds[0] if is_loud else "feed",
            not_before=free,
        )
    return Verdict(outcome=found.outcome, reason=found.reason)


def reach(*, mandate: Mandate, now: datetime) -> dict[str, Any]:
    """Return what may be said to the owner when and how, for one mandate."""
    household = mandate.household
    ledger = Ledger.open([household], now=now)
    ledger.load_people([household.pk], [])
    assets = {str(asset.uuid) for asset in mandate.assets.all()}
    members = ledger.told_about(household.pk, next(iter(assets), ""))
    if not members:
        return {"owner": mandate.owner_ref, "topics": {}}
    wishes = members[0].reach.about(
        suppliers=[str(mandate.supplier.uuid)], asset=next(iter(assets)) if len(assets) == 1 else ""
    )
    return {
        "owner": mandate.owner_ref,
        "state": mandate.state,
        "purposes": mandate.purposes,
        "topics": {topic.value: _told(wishes, topic) for topic in Topic},
        "quiet": _quiet(wishes),
        "digest_at": wishes.digest_at.isoformat("minutes"),
        "surveys_in_30_days": household.survey_cap,
    }


def _told(wishes: Reach, topic: Topic) -> dict[str, Any]:
    """Return when and how a member hears of a topic.

    Where a condition decides, it is named but not its threshold: a supplier that knew from
    which amount its bills are heard would bill that much. The verdict says of one event.
    """
    wish, ladder = wishes.wish(topic), wishes.ladder(topic)
    found: dict[str, Any] = {
        "moment": wish.moment.value,
        "channel": ladder[0].value if ladder else "feed",
        "quiet": _quiet(wishes, ladder[0]) if ladder else None,
    }
    conditions = (("amount", wish.over), ("time", wish.within))
    depends = [name for name, bound in conditions if bound is not None]
    if depends:
        found |= {"depends_on": depends, "otherwise": SOFTER[wish.moment].value}
    return found


def _quiet(wishes: Reach, kind: ChannelKind | None = None) -> dict[str, str] | None:
    """Return between which times of day a channel is quiet; of what has no hours of its own."""
    hours = wishes.quiet_hours(kind)
    if hours is None:
        return None
    begins, ends = (at.isoformat("minutes") for at in hours)
    return {"from": begins, "until": ends, "zone": str(wishes.zone)}
