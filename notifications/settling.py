"""Links contacts to journeys, folds the journeys, and writes all that follows.

Everything that can change a journey ends in `settle`, under the lock of its household: a
new contact, an owner's action, a hold that ended, time itself. So the card, the facts and
what is told can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from notifications import delivery, journeys, lateness, projections, surveys, telling, wording
from notifications.choices import NotificationState
from notifications.consolidation import Candidate, Placement, may_still_link, place
from notifications.ledger import Ledger, Member, Row
from notifications.merging import Entry, Matter, fold
from notifications.models import Decision, Journey, Link, Notification, Told
from notifications.tongue import speaking
from owners import bulk
from suppliers import superseding
from suppliers.choices import Outcome

# -- linking ---------------------------------------------------------------------------


def consolidate(ledger: Ledger, rows: list[Row], *, loose: list[Row]) -> None:
    """Decide about `rows`, and about what is `loose` where that finds its place now."""
    everything = [*rows, *(row for row in loose if may_still_link(row.entry))]
    ledger.load_candidates(everything)
    links: dict[str, tuple[Row, Placement]] = {}
    unlinked: dict[str, tuple[Row, Placement]] = {}
    merged: dict[str, str] = {}
    waiting = sorted(everything, key=lambda row: row.entry.order)
    # What one contact brings may give an earlier one its place: go round until none moves.
    while waiting:
        left: list[Row] = []
        for row in waiting:
            candidates = ledger.candidates.setdefault(row.household, [])
            banned = ledger.banned.get(row.id, frozenset[str]())
            placement = place(row.entry, candidates, banned=banned)
            if placement.outcome is not None and not placement.journey:
                unlinked[row.entry.id] = (row, placement)
                left.append(row)
                continue
            if not placement.journey:
                candidate = _found(ledger, row)
                placement = _with_journey(placement, candidate.id)
            unlinked.pop(row.entry.id, None)
            links[row.entry.id] = (row, placement)
            for other in placement.merges:
                merged[other] = placement.journey
            _grow(candidates, placement, row)
        if len(left) == len(waiting):
            break
        waiting = left
    _write(ledger, rows, links=links, unlinked=unlinked, merged=merged)


def _found(ledger: Ledger, row: Row) -> Candidate:
    """Start a journey with its first contact; the same contact always founds the same."""
    said_at = row.entry.said.said_at
    uuid = projections.name_for(row.entry.id, "journey")
    ledger.journeys[uuid] = bulk.instance(
        Journey,
        id=None,
        uuid=UUID(uuid),
        household_id=row.household,
        opened_at=said_at,
        last_said_at=said_at,
        is_emptied=False,
    )
    candidate = Candidate(id=uuid, opened_at=said_at, last_said_at=said_at)
    ledger.candidates[row.household].append(candidate)
    return candidate


def _with_journey(placement: Placement, journey: str) -> Placement:
    evidence = dict(placement.evidence)
    if placement.possibly:
        evidence["possibly"] = list(placement.possibly)
    return Placement(journey=journey, rule=placement.rule, evidence=evidence)


def _grow(candidates: list[Candidate], placement: Placement, row: Row) -> None:
    target = next(candidate for candidate in candidates if candidate.id == placement.journey)
    if placement.outcome is None:
        target.take(row.entry)
    for other in [candidate for candidate in candidates if candidate.id in placement.merges]:
        target.suppliers |= other.suppliers
        target.visits += other.visits
        for key, issuers in other.keys.items():
            target.keys.setdefault(key, set()).update(issuers)
        target.size += other.size
        target.opened_at = min(target.opened_at, other.opened_at)
        target.last_said_at = max(target.last_said_at, other.last_said_at)
        candidates.remove(other)


def _write(
    ledger: Ledger,
    rows: list[Row],
    *,
    links: dict[str, tuple[Row, Placement]],
    unlinked: dict[str, tuple[Row, Placement]],
    merged: dict[str, str],
) -> None:
    """Store where contacts went, then settle the journeys they touched."""

    def final(uuid: str) -> str:
        while uuid in merged:
            uuid = merged[uuid]
        return uuid

    touched = {final(placement.journey) for _row, placement in links.values()}
    ledger.stand_in(touched | merged.keys())
    existing = {uuid for uuid in touched | merged.keys() if ledger.journeys[uuid].pk}
    ledger.load_journeys(existing)
    duplicates: dict[str, tuple[Row, Placement]] = {}
    for key, (row, placement) in links.items():
        uuid = final(placement.journey)
        if placement.outcome == Outcome.DUPLICATE:
            duplicates[key] = (row, placement)
            continue
        row.entry = _likely(row, placement)
        ledger.rows.setdefault(uuid, []).append(row)
    for other in merged:
        uuid = final(other)
        ledger.rows.setdefault(uuid, []).extend(ledger.rows.pop(other, []))
        ledger.rows[other] = []
        ledger.decisions.setdefault(uuid, []).extend(ledger.decisions.pop(other, []))
    joined = {other: final(other) for other in merged if ledger.journeys[other].pk}

    def link() -> None:
        if joined:
            move_links(ledger, joined, now=ledger.now)
        bulk.upsert(
            Link,
            [
                {
                    "household_id": row.household,
                    "contact_id": row.id,
                    "journey_id": ledger.journeys[final(placement.journey)].pk,
                    "rule": placement.rule,
                    "evidence": placement.evidence,
                    "is_likely": placement.is_likely,
                    "linked_at": ledger.now,
                }
                for row, placement in links.values()
                if placement.outcome != Outcome.DUPLICATE
            ],
        )

    decided = {row.id for row in rows}
    outcomes = {
        row.id: (placement.outcome, placement.reason, placement.rule, placement.evidence)
        for row, placement in (*unlinked.values(), *duplicates.values())
        if placement.outcome is not None
        and (row.id in decided or placement.outcome == Outcome.DUPLICATE)
    }
    unplaced = [
        row
        for row, placement in unlinked.values()
        if placement.rule == "surveys_never_interrupt" and row.id in outcomes
    ]
    for pk in surveys.defer_unplaced(ledger, unplaced):
        outcome, _, rule, evidence = outcomes[pk]
        outcomes[pk] = (outcome, "owner_cap", rule, evidence)
    projections.write_outcomes(outcomes, decided_at=ledger.now)
    settle(ledger, touched | set(joined), loaded=True, afresh=set(joined), link=link)


def _likely(row: Row, placement: Placement) -> Entry:
    entry = row.entry
    if not placement.is_likely:
        return entry
    return replace(entry, is_likely=True)


def move_links(ledger: Ledger, moves: dict[str, str], *, now: datetime) -> list[int]:
    """Move every live link from one journey to another; returns the contacts."""
    moved: list[int] = []
    for source, target in moves.items():
        old = list(Link.objects.filter(journey=ledger.journeys[source], revoked_at=None))
        Link.objects.filter(pk__in=[link.pk for link in old]).update(revoked_at=now)
        Link.objects.bulk_create(
            [
                Link(
                    household_id=link.household_id,
                    contact_id=link.contact_id,
                    journey=ledger.journeys[target],
                    rule="merged",
                    evidence={"was": link.rule, **link.evidence, "from": source},
                    is_likely=link.is_likely,
                    linked_at=now,
                )
                for link in old
            ]
        )
        Decision.objects.filter(journey=ledger.journeys[source]).exclude(name="merge").update(
            journey=ledger.journeys[target]
        )
        moved += [link.contact_id for link in old]
    return moved


# -- settling --------------------------------------------------------------------------


def settle(
    ledger: Ledger,
    uuids: set[str],
    *,
    loaded: bool = False,
    afresh: set[str] | None = None,
    looker: int = 0,
    link: Callable[[], None] | None = None,
) -> dict[str, Matter]:
    """Fold journeys and write all that follows: rows, cards, outcomes, notifications.

    `looker` is the owner who looks at the feed right now, if one does. `link` stores the
    links of contacts that are new here; it is called once the journeys have their keys.
    """
    if not uuids:
        return {}
    if not loaded:
        ledger.load_journeys(uuids)
    matters = {
        uuid: fold(
            [row.entry for row in ledger.rows.get(uuid, [])],
            ledger.decisions.get(uuid, []),
            currency=ledger.households[ledger.journeys[uuid].household_id].currency,
            now=ledger.now,
        )
        for uuid in uuids
    }
    ledger.load_people(
        {ledger.journeys[uuid].household_id for uuid in uuids},
        {supplier for matter in matters.values() for supplier in matter.suppliers},
    )
    titles: dict[str, str] = {}
    for uuid, matter in matters.items():
        household = ledger.households[ledger.journeys[uuid].household_id]
        language = ledger.languages(household.pk)[0]
        words = journeys.words_for(ledger, household, matter, language=language)
        with speaking(language):
            titles[uuid] = wording.title(matter, words)[:200]
    with bulk.pipelined():
        projections.write_journeys(ledger, matters, titles)
        if link is not None:
            link()
        projections.write_details(ledger, matters, afresh=afresh or set())
        projections.await_words(ledger, matters)
    offers = surveys.settle(ledger, matters)
    with bulk.pipelined():
        _write_verdicts(ledger, matters)
        projections.write_cards(ledger, matters, titles, surveys=offers)
        _plan(ledger, matters, looker=looker)
    return matters


def _write_verdicts(ledger: Ledger, matters: dict[str, Matter]) -> None:
    """Store the verdicts that are new or changed; when it was first decided stays."""
    first: dict[int, projections.Outcome] = {}
    again: dict[int, projections.Outcome] = {}
    for uuid, matter in matters.items():
        for row in ledger.rows.get(uuid, []):
            verdict = matter.verdicts[row.entry.id]
            found = (verdict.outcome.value, verdict.reason, verdict.rule, verdict.evidence)
            if row.is_undecided:
                first[row.id] = found
            elif found != row.verdict:
                again[row.id] = found
    projections.write_outcomes(first, decided_at=ledger.now)
    projections.write_outcomes(again)
    late = [pk for uuid in matters for pk in lateness.late(ledger.rows.get(uuid, ()))]
    if late:
        superseding.report(contacts=late, now=ledger.now)


def _plan(ledger: Ledger, matters: dict[str, Matter], *, looker: int = 0) -> None:
    """Bring each member's planned notification up to date, and tell what is due."""
    pending = _Pending()
    planned_for: set[tuple[str, int]] = set()
    for uuid, matter in matters.items():
        journey = ledger.journeys[uuid]
        for told_member in ledger.told_about(
            journey.household_id, matter.asset, meant_for=matter.meant_for
        ):
            planned_for.add((uuid, told_member.owner))
            member = ledger.wishing(told_member, matter, journey=uuid)
            waiting = ledger.planned.get((uuid, member.owner))
            before: dict[str, str] | None = ledger.told.get((uuid, member.owner), {})
            # What is told may leave behind what waits for the digest slot: plan that too.
            while before is not None:
                before = _plan_for(
                    ledger,
                    journey,
                    matter,
                    member,
                    before=before,
                    waiting=waiting,
                    is_looking=member.owner == looker,
                    pending=pending,
                )
                waiting = None
    for (uuid, owner), waiting in ledger.planned.items():
        if uuid in matters and (uuid, owner) not in planned_for:
            # They left, are covered, or it has another keeper: somebody else is told.
            waiting.state, waiting.rule = NotificationState.SUPERSEDED, "told_to_another"
            pending.update.append(waiting)
    steps = delivery.climb([(one, m.reach) for one, m in pending.tell], now=ledger.now)
    changed = [row for row in pending.update if pending.before.get(row.pk) != _columns(row)]
    _save(
        pending.create,
        changed,
        pending.told,
        now=ledger.now,
        is_told=bool(pending.tell),
    )
    delivery.save(
        [
            row
            for notification, member in pending.tell
            for row in delivery.planned(
                notification=notification,
                steps=steps.get(notification.uuid, ()),
                channels=member.channels,
                now=ledger.now,
            )
        ]
    )


@dataclass(slots=True)
class _Pending:
    """What planning wants written."""

    create: list[Notification] = field(default_factory=list)
    update: list[Notification] = field(default_factory=list)
    tell: list[tuple[Notification, Member]] = field(default_factory=list)
    told: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)  # what each knows
    before: dict[int, list[Any]] = field(default_factory=dict)  # what the waiting ones said

    def know(self, journey: Journey, member: Member, snapshot: dict[str, str]) -> None:
        """Note what a member knows from now on."""
        self.told[journey.pk, member.owner] = snapshot


def _plan_for(
    ledger: Ledger,
    journey: Journey,
    matter: Matter,
    member: Member,
    *,
    before: dict[str, str],
    waiting: Notification | None,
    is_looking: bool,
    pending: _Pending,
) -> dict[str, str] | None:
    """Plan one notification of one member; returns what is known now when one was told."""
    now = ledger.now
    waited = waiting.why.get("waited_until") if waiting is not None else None
    plan, silent = telling.plan(
        matter,
        before,
        reach=member.reach,
        owner=member.owner,
        now=now,
        planned=waiting.snapshot if waiting else None,
        is_looking=is_looking,
        granted=ledger.granted(member, matter),
    )
    if plan is None:
        if waiting is not None:
            waiting.state, waiting.rule = NotificationState.SUPERSEDED, "nothing_changed"
            pending.update.append(waiting)
        if silent:
            pending.know(journey, member, {**before, **silent})
        return None
    if waiting is not None:
        pending.before.setdefault(waiting.pk, _columns(waiting))
    notification = waiting or bulk.instance(
        Notification,
        id=None,
        uuid=uuid4(),
        household_id=journey.household_id,
        journey_id=journey.pk,
        owner_id=member.owner,
        state=NotificationState.PLANNED,
        told_at=None,
    )
    _word(notification, plan, matter, member, ledger)
    (pending.update if waiting else pending.create).append(notification)
    if plan.not_before > now:
        return None
    if plan.expires_at is not None and now >= plan.expires_at:
        notification.state, notification.rule = NotificationState.SUPERSEDED, "expired"
        pending.know(journey, member, plan.snapshot)
        return plan.snapshot
    free_at = telling.release(plan, reach=member.reach, now=now)
    notification.not_before = free_at
    if free_at > now:
        notification.rule = "quiet_hours"
        notification.why |= {"waited_until": free_at.isoformat()}
        return None
    if waiting is not None and waited:
        # It waited for the end of quiet hours, and that stays its reason for coming now.
        notification.why |= {"waited_until": waited}
    notification.state, notification.told_at = NotificationState.TOLD, now
    notification.snapshot = plan.snapshot
    pending.know(journey, member, plan.snapshot)
    pending.tell.append((notification, member))
    return plan.snapshot


PLANNED_COLUMNS = (
    "state", "level", "topic", "reason", "text", "because", "rule", "held_since", "not_before",
    "expires_at", "deadline", "told_at", "why", "snapshot",
)  # fmt: skip


def _columns(notification: Notification) -> list[Any]:
    return [getattr(notification, name) for name in PLANNED_COLUMNS]


def _save(
    create: list[Notification],
    update: list[Notification],
    told: dict[tuple[int, int], dict[str, str]],
    *,
    now: datetime,
    is_told: bool,
) -> None:
    # First what is told: only one notification of a member and journey may wait.
    bulk.update(
        Notification,
        [
            {"id": row.pk, **{name: getattr(row, name) for name in PLANNED_COLUMNS}}
            for row in update
        ],
    )
    made = bulk.upsert(
        Notification,
        [
            {
                "uuid": row.uuid,
                "household_id": row.household_id,
                "journey_id": row.journey_id,
                "owner_id": row.owner_id,
                **{name: getattr(row, name) for name in PLANNED_COLUMNS},
            }
            for row in create
        ],
        # Only deliveries ask for the keys; without them nobody waits for the answer.
        returning=("id", "uuid") if is_told else (),
    )
    if is_told:
        pks = {uuid: pk for pk, uuid in made}
        for row in create:
            row.pk = pks[row.uuid]
    bulk.upsert(
        Told,
        [
            {
                "journey_id": journey,
                "owner_id": owner,
                "snapshot": snapshot,
                "told_at": now,
            }
            for (journey, owner), snapshot in told.items()
        ],
        unique=("journey", "owner"),
        update=("snapshot", "told_at"),
    )


def _word(
    notification: Notification,
    plan: telling.Plan,
    matter: Matter,
    member: Member,
    ledger: Ledger,
) -> None:
    household = ledger.households[notification.household_id]
    words = journeys.words_for(
        ledger, household, matter, zone=member.zone, language=member.language
    )
    with speaking(member.language):
        said = wording.text(matter, plan.changes, words)
        said = wording.placed(said, zone=member.zone, reader=member.reach.zone, now=ledger.now)
        notification.text = said[:1000]
    notification.level = plan.level
    notification.topic = plan.topic
    notification.reason = plan.reason
    notification.rule = plan.rule
    notification.because = [UUID(c) for c in plan.because if c in matter.verdicts]
    notification.held_since = plan.held_since
    notification.not_before = plan.not_before
    notification.expires_at = plan.expires_at
    notification.deadline = plan.deadline
    notification.why = dict(plan.why)
    notification.snapshot = {**plan.snapshot, **plan.holds}
