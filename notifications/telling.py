"""Whether to speak, when and how loudly: a pure comparison with what was told last.

What a member knows is a flat mapping (`visit:…` -> window, `money:…` -> amount). What
differs from it is news; going from A to B and back inside a hold is none.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from notifications.matter import RECALL, is_own_ask
from notifications.merging import Matter, Slot, Value, window_key
from owners.choices import Level, Moment, Topic
from owners.reach import Reach, Wish, next_digest, quiet_end
from suppliers.choices import Stage

NEAR = timedelta(hours=24)
HOLD_NOW = timedelta(0)
HOLD_NEAR = timedelta(seconds=30)
HOLD_CHANGE = timedelta(minutes=2)
HOLD_LONGEST = timedelta(minutes=10)
HOLD_INFORMATION = timedelta(minutes=15)
AFTER_QUIET = timedelta(hours=2)
LATE = timedelta(minutes=15)
EXPECTED_AFTER = timedelta(hours=4)
# Marks among what a member knows: when something was last put off to the digest, and how
# long each thing that is planned has been held.
LATER = "later"
HOLD = "hold:"
# And what was not told, with the wish that kept it untold.
UNTOLD = "untold:"
# When several things changed, the first of these gives the notification its reason.
URGENCY = (
    "safety",
    "not_here",
    "missed",
    "reaching_out",
    "cancelled",
    "conflict",
    "moved",
    "place",
    "late",
    "on_the_way",
    "booked",
    "money",
    "due",
    "notice",
    "asked",
    "care",
    "promise_missed",
    "which_asset",
    "done",
    "wanted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that may be told, and the contact it comes from."""

    key: str
    value: str
    because: str = ""
    slot: Slot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One item that differs from what was told.

    `hold` None waits for the digest slot or the next look; one that `slides` begins again
    with every further such change. `near` is the nearest start that it touches;
    `deadline` is when knowing it stops helping.
    """

    item: Item
    reason: str
    topic: Topic
    hold: timedelta | None
    wants_interrupt: bool
    before: str = ""
    near: datetime | None = None
    deadline: datetime | None = None
    expires_at: datetime | None = None
    act_by: datetime | None = None
    amount: Decimal | None = None
    is_safety: bool = False
    is_matched: bool = False
    is_granted: bool = False  # urgent by the word of a supplier that the member trusts with it

    @property
    def is_heard_anyway(self) -> bool:
        """Whether no wish keeps it quiet: a recall, or an emergency the member allowed."""
        return self.is_safety or self.is_granted

    @property
    def happens_at(self) -> datetime | None:
        """When it happens, or must be acted on."""
        return self.near or self.act_by

    @property
    def slides(self) -> bool:
        """Whether its hold is that of the other changes: two minutes, sliding, at most ten."""
        return self.hold == HOLD_CHANGE and self.reason != "booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One notification to one member: what changed, how loudly, from when on."""

    changes: tuple[Change, ...]
    level: Level
    topic: Topic
    reason: str
    rule: str
    because: tuple[str, ...]
    not_before: datetime
    held_since: datetime
    deadline: datetime | None
    expires_at: datetime | None
    snapshot: dict[str, str]
    # Since when each change waits, and when it last took another value: kept with what is
    # planned, until it is told.
    holds: dict[str, str] = field(default_factory=dict)
    why: dict[str, Any] = field(default_factory=dict)


def items(matter: Matter, now: datetime) -> dict[str, Item]:
    """Return everything a member could be told of the matter at `now`, by key."""
    found: list[Item] = []
    for slot in matter.slots:
        found += _slot_items(slot, now)
    for name, current, other in matter.conflicts:
        source = _latest(current, other)
        disputed = matter.slot_of(current)
        pair = "|".join(sorted((current.key, other.key)))
        found.append(Item(key=f"conflict:{name}", value=pair, because=source, slot=disputed))
    found += _money_items(matter)
    for reached in matter.reached:
        found.append(Item(key=f"reach:{reached.entry}", value="1", because=reached.entry))
    for fact, (_, source) in matter.asks.items():
        found.append(Item(key=f"ask:{fact}", value="1", because=source))
    for promise in matter.promises.values():
        if promise.state == "open" and promise.due_at is not None and now >= promise.due_at:
            found.append(
                Item(key=f"promise:{promise.promise_id}", value="missed", because=promise.source)
            )
    for notice, entry in matter.notices.items():
        found.append(Item(key=f"notice:{notice}", value=entry, because=entry))
    for entry in matter.safety:
        found.append(Item(key=f"safety:{entry}", value="1", because=entry))
    for entry, verdict in matter.verdicts.items():
        if verdict.reason == "always_show":
            found.append(Item(key=f"wanted:{entry}", value="1", because=entry))
    if matter.lacks_asset:
        found.append(Item(key="asset:", value=matter.asset_hint or "none named"))
    if matter.done_at is not None and matter.closed_by != "owner" and not _is_delivered(matter):
        found.append(
            Item(key="done:", value=matter.done_at.isoformat(), because=matter.done_source)
        )
    return {item.key: item for item in found}


def _money_items(matter: Matter) -> list[Item]:
    """What it costs, each amount once, and by when it is to be paid."""
    found: list[Item] = []
    for name in matter.money:
        register = matter.facts[name]
        if register.current is not None and not _is_repeated_amount(matter, name):
            value = register.current
            found.append(Item(key=f"money:{name}", value=value.key, because=value.sources[0]))
    due = matter.facts.get("due_on")
    if due is not None and due.current is not None and not matter.is_paid:
        value = due.current
        found.append(Item(key="due:due_on", value=value.key, because=value.sources[0]))
    return found


def _is_delivered(matter: Matter) -> bool:
    """Whether what was done is a delivery: that shows on the card without a word."""
    last = [slot for slot in matter.slots if slot.stage_source == matter.done_source]
    return any(slot.kind == "delivery" for slot in last)


def _slot_items(slot: Slot, now: datetime) -> list[Item]:
    found: list[Item] = []
    current = slot.window.current
    if slot.stage in (Stage.CANCELLED, Stage.MISSED):
        value = "cancelled" if slot.stage == Stage.CANCELLED else "missed"
        found.append(
            Item(key=f"visit:{slot.name}", value=value, because=slot.stage_source, slot=slot)
        )
    elif slot.is_declined:
        found.append(
            Item(key=f"visit:{slot.name}", value="declined", because=slot.stage_source, slot=slot)
        )
    elif current is not None:
        found.append(
            Item(
                key=f"visit:{slot.name}",
                value=current.key,
                because=current.by or current.sources[0],
                slot=slot,
            )
        )
    span = slot.span
    if slot.where.current is not None and slot.is_live:
        source = slot.where.current.sources[0]
        found.append(Item(key=f"place:{slot.name}", value=slot.place, because=source, slot=slot))
    if slot.stage == Stage.ON_THE_WAY:
        found.append(
            Item(
                key=f"way:{slot.name}", value=str(slot.rounds), because=slot.stage_source, slot=slot
            )
        )
    if slot.eta is not None and span is not None and slot.is_expected:
        is_out = slot.eta.end > span.end + LATE or slot.eta.start < span.start - LATE
        if is_out:
            value = window_key(slot.eta)
            found.append(
                Item(key=f"eta:{slot.name}", value=value, because=slot.eta_source, slot=slot)
            )
    if current is not None and slot.is_overdue(now):
        source = current.sources[0]
        found.append(Item(key=f"overdue:{slot.name}", value=current.key, because=source, slot=slot))
    return found


def _latest(*values: Value) -> str:
    """The contact that made two values differ: the last source of either."""
    first, second = values
    repeated = second if len(second.sources) > 1 else first if len(first.sources) > 1 else second
    return repeated.sources[-1] if repeated is second else second.sources[-1]


def _is_repeated_amount(matter: Matter, name: str) -> bool:
    """Whether an earlier fact already says this amount."""
    register = matter.facts[name]
    for earlier in matter.money:
        if earlier == name:
            return False
        other = matter.facts[earlier].current
        if other is not None and register.current is not None and other.key == register.current.key:
            return True
    return False


def changes(
    matter: Matter,
    told: Mapping[str, str],
    *,
    owner: int,
    now: datetime,
    granted: Collection[int] = (),
) -> tuple[list[Change], dict[str, str]]:
    """Return what is news to a member, and what that member knows without being told.

    `granted` are the suppliers whose word that it is an emergency counts for the member.
    What a member decided or logged in plain fields needs no telling back; what was read
    from the text of a log does, silently.
    """
    news: list[Change] = []
    silent: dict[str, str] = {}
    for key, item in items(matter, now).items():
        before = told.get(key, "")
        if not before and key.startswith("visit:") and item.slot is not None:
            before = item.slot.series  # what is known of one of a series, until it is moved
        if item.value == before:
            continue
        own = matter.own.get(item.because)
        if own is not None and own[0] == owner and not own[1]:
            silent[key] = item.value
            continue
        change = _change(matter, item, before, now=now, is_log=own is not None, granted=granted)
        if change is None:
            silent[key] = item.value
            continue
        if change.expires_at is None and item.because in matter.expiries:
            change = replace(change, expires_at=matter.expiries[item.because])
        amount = _amount(matter, change)
        news.append(change if amount is None else replace(change, amount=amount))
    return news, silent


def _amount(matter: Matter, change: Change) -> Decimal | None:
    """Return how much money it is about, before or after, in the household's currency."""
    kind = change.item.key.partition(":")[0]
    said = [change.item.value, change.before] if kind == "money" else []
    if kind == "due":
        said = [r.current.key for n in matter.money if (r := matter.facts[n]).current is not None]
    found = []
    for amount, _space, currency in (one.partition(" ") for one in said):
        if currency in ("", matter.currency):
            try:
                found.append(Decimal(amount))
            except InvalidOperation:
                continue  # not a number: nothing can be said of it
    return max(found, default=None)


def _change(
    matter: Matter,
    item: Item,
    before: str,
    *,
    now: datetime,
    is_log: bool,
    granted: Collection[int],
) -> Change | None:
    kind = item.key.partition(":")[0]
    if kind == "visit":
        return _visit_change(item, before, now=now, is_log=is_log)
    if kind == "place":
        return _place_change(item, before, now=now)
    if kind == "conflict":
        start = item.slot.span.start if item.slot and item.slot.span else None
        if item.slot is None or item.key == "conflict:person":
            return Change(
                item=item,
                reason="conflict",
                topic=Topic.CHANGED,
                hold=HOLD_CHANGE,
                wants_interrupt=False,
            )
        near = min((w for w in _starts(item.value) if w is not None), default=start)
        return Change(
            item=item,
            reason="conflict",
            topic=Topic.CHANGED,
            hold=_hold(near, now),
            wants_interrupt=True,
            near=near,
            deadline=near,
        )
    if kind == "reach":
        expected = next((slot for slot in matter.live_slots if slot.span), None)
        end = expected.span.end + EXPECTED_AFTER if expected and expected.span else None
        start = expected.span.start if expected and expected.span else None
        return Change(
            item=item,
            reason="reaching_out",
            topic=Topic.ARRIVING,
            hold=HOLD_NOW,
            wants_interrupt=expected is not None,
            near=start,
            expires_at=end,
        )
    if kind in ("way", "eta"):
        span = item.slot.span if item.slot else None
        # One message says that it will be late; how late is on the card from then on.
        is_again = kind == "eta" and bool(before)
        return Change(
            item=item,
            reason="on_the_way" if kind == "way" else "late",
            topic=Topic.ARRIVING,
            hold=HOLD_CHANGE if is_again else HOLD_NOW,
            wants_interrupt=not is_again,
            before=before,
            near=span.start if span else None,
            expires_at=span.end + EXPECTED_AFTER if span else None,
        )
    if kind == "overdue":
        return Change(
            item=item,
            reason="not_here",
            topic=Topic.FAILED,
            hold=HOLD_NOW,
            wants_interrupt=True,
            near=now,
        )
    if kind == "safety":
        return Change(
            item=item,
            reason="safety",
            topic=Topic.FAILED,
            hold=HOLD_NOW,
            wants_interrupt=True,
            # What a supplier itself calls urgent is not by that.
            is_safety=item.because not in matter.alarms,
            is_matched=item.because in matter.matched,
            is_granted=matter.alarms.get(item.because) in granted,
        )
    if item.key == f"ask:{RECALL}":
        # A question that no wish keeps quiet, and no alarm: what is sure is said as one.
        return Change(
            item=item,
            reason="care",
            topic=Topic.FAILED,
            hold=HOLD_INFORMATION,
            wants_interrupt=False,
            is_safety=True,
        )
    if kind == "done":
        return Change(
            item=item,
            reason="done",
            topic=Topic.QUESTION,
            hold=None,
            wants_interrupt=False,
        )
    simple = {
        "money": ("money", Topic.CHANGED if before else Topic.MONEY),
        "due": ("due", Topic.CHANGED if before else Topic.MONEY),
        "ask": _ask_topic(item),
        "asset": ("which_asset", Topic.QUESTION),
        "promise": ("promise_missed", Topic.FAILED),
        "wanted": ("wanted", Topic.QUESTION),
        "notice": ("notice", _notice_topic(item)),
    }
    reason, topic = simple[kind]
    is_change = bool(before) or topic == Topic.CHANGED
    hold = HOLD_NOW if is_log else HOLD_CHANGE if is_change else HOLD_INFORMATION
    act_by = _act_by(matter, item)
    return Change(
        item=item,
        reason=reason,
        topic=topic,
        hold=hold,
        wants_interrupt=act_by is not None and act_by - now <= NEAR,
        before=before,
        act_by=act_by,
    )


def _ask_topic(item: Item) -> tuple[str, Topic]:
    is_own = is_own_ask(item.key.removeprefix("ask:"))
    return ("care", Topic.CARE) if is_own else ("asked", Topic.QUESTION)


def _notice_topic(item: Item) -> Topic:
    is_legal = item.key.startswith(("notice:contract.", "notice:warranty."))
    return Topic.LEGAL if is_legal else Topic.CHANGED


def _act_by(matter: Matter, item: Item) -> datetime | None:
    """When the owner must have acted: the day a bill is due, the end of an offer."""
    if item.key == "due:due_on":
        at = datetime.fromisoformat(item.value)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return matter.expiries.get(item.because) if item.key.startswith("ask:") else None


def _visit_change(item: Item, before: str, *, now: datetime, is_log: bool) -> Change | None:
    starts = [start for start in (*_starts(before), *_starts(item.value)) if start is not None]
    near = min(starts, key=lambda start: abs(start - now), default=None)
    if item.value in ("cancelled", "declined", "missed"):
        if not before or before in ("cancelled", "missed"):
            return None  # who was not told that it is booked needs no end of it
        reason = "missed" if item.value == "missed" else "cancelled"
        return Change(
            item=item,
            reason=reason,
            topic=Topic.CHANGED if reason == "cancelled" else Topic.FAILED,
            hold=HOLD_NOW if reason == "missed" else _hold(near, now),
            wants_interrupt=True,
            before=before,
            near=near,
            deadline=near,
        )
    slot = item.slot
    if slot is not None and not slot.is_live:
        return None  # it is over: whatever is still said about its time is history
    if before and before not in ("cancelled", "missed", "declined"):
        return Change(
            item=item,
            reason="moved",
            topic=Topic.CHANGED,
            hold=_hold(near, now),
            wants_interrupt=not is_log,
            before=before,
            near=near,
            deadline=near,
        )
    is_soon = near is not None and near - now <= NEAR
    return Change(
        item=item,
        reason="booked",
        topic=Topic.CHANGED,
        hold=HOLD_NOW if is_log else HOLD_CHANGE,
        wants_interrupt=is_soon and not is_log,
        near=near,
        deadline=near,
    )


def _place_change(item: Item, before: str, *, now: datetime) -> Change | None:
    """Another place is news; the first one only completes the visit."""
    if not before:
        return None
    near = item.slot.span.start if item.slot and item.slot.span else None
    return Change(
        item=item,
        reason="place",
        topic=Topic.CHANGED,
        hold=_hold(near, now),
        wants_interrupt=near is not None and near - now <= NEAR,
        before=before,
        near=near,
        deadline=near,
    )


def _starts(value: str) -> list[datetime | None]:
    """The starts of the windows in a value."""
    return [
        datetime.fromisoformat(part.partition("/")[0]) for part in value.split("|") if "/" in part
    ]


def _hold(near: datetime | None, now: datetime) -> timedelta:
    return HOLD_NEAR if near is not None and near - now <= NEAR else HOLD_CHANGE


def plan(
    matter: Matter,
    told: Mapping[str, str],
    *,
    reach: Reach,
    owner: int,
    now: datetime,
    planned: Mapping[str, str] | None = None,
    is_looking: bool = False,
    granted: Collection[int] = (),
) -> tuple[Plan | None, dict[str, str]]:
    """Return the notification this member should get, and what is known silently.

    `planned` is what is kept of the notification that already waits, if one does (its
    snapshot and holds). What waits for the digest slot neither goes with what is told
    before it nor holds that up; a member who is looking is told at once.
    """
    news, silent = changes(matter, told, owner=owner, now=now, granted=granted)
    loud: list[tuple[Change, Level]] = []
    for change in news:
        moment = moment_of(change, reach, now=now)
        is_muted = matter.is_muted and not change.is_heard_anyway
        # Whoever was told "booked" is told "cancelled", whatever was switched off since: softly.
        is_owed = change.reason == "cancelled" and f"{UNTOLD}{change.item.key}" not in told
        if moment == Moment.WEEK or (not is_owed and (moment == Moment.NEVER or is_muted)):
            silent[change.item.key] = change.item.value
            silent[f"{UNTOLD}{change.item.key}"] = _untold(
                change, reach, moment="muted" if is_muted else moment.value, now=now
            )
            if moment == Moment.WEEK and not is_muted:
                silent[LATER] = now.isoformat()
            continue
        can_interrupt = moment == Moment.NOW and change.wants_interrupt and not is_muted
        loud.append((change, Level.INTERRUPT if can_interrupt else Level.FEED))
    fresh = [pair for pair in loud if pair[0].expires_at is None or now < pair[0].expires_at]
    if fresh:
        for change in (c for c, _ in loud if (c, _) not in fresh):
            silent[change.item.key] = change.item.value
            silent[f"{UNTOLD}{change.item.key}"] = _untold(change, reach, moment="expired", now=now)
        loud = fresh
    if not loud:
        return None, silent
    waits = _waits([change for change, _ in loud], planned or {}, now)
    prompt = [pair for pair in loud if pair[0].hold is not None]
    first = _due([change for change, _ in prompt], waits, reach)
    if not is_looking and first is not None and first < next_digest(reach, now):
        loud = prompt
    due = _due([change for change, _ in loud], waits, reach) or now
    loud.sort(key=lambda pair: URGENCY.index(pair[0].reason))
    level = Level.INTERRUPT if any(lv == Level.INTERRUPT for _, lv in loud) else Level.FEED
    lead = next(change for change, lv in loud if lv == level)
    if is_looking and level == Level.FEED:
        due = now
    deadlines = [c.deadline for c, lv in loud if lv == Level.INTERRUPT and c.deadline]
    expiries = [change.expires_at for change, _ in loud]
    mine = {change.item.key: waits[change.item.key] for change, _ in loud}
    snapshot = {**told, **silent, **{c.item.key: c.item.value for c, _ in loud}}
    for key in mine:
        snapshot.pop(f"{UNTOLD}{key}", None)
    return (
        Plan(
            changes=tuple(change for change, _ in loud),
            level=level,
            topic=lead.topic,
            reason=lead.reason,
            rule="speak_only_on_change",
            because=tuple(dict.fromkeys(c.item.because for c, _ in loud if c.item.because)),
            not_before=max(due, now),
            held_since=min(since for since, _ in mine.values()),
            deadline=min((at for at in deadlines if at > now), default=None),
            expires_at=None if None in expiries else max(at for at in expiries if at),
            snapshot=snapshot,
            why=_why(lead, reach, now=now) | {"keys": sorted(mine)},
            holds={
                f"{HOLD}{key}": f"{since.isoformat()} {last.isoformat()}"
                for key, (since, last) in mine.items()
            },
        ),
        silent,
    )


def moment_of(change: Change, reach: Reach, *, now: datetime) -> Moment:
    """Return when the member wishes to hear of a change."""
    if change.is_heard_anyway:
        return Moment.NOW
    wish = reach.wish(change.topic)
    return wish.moment_for(amount=change.amount, at=change.happens_at, now=now)


def _why(change: Change, reach: Reach, *, now: datetime) -> dict[str, Any]:
    """Return the wish that decides about a change, as plain values that are kept."""
    wish: Wish = reach.wish(change.topic)
    found: dict[str, Any] = {
        "topic": change.topic.value,
        "reason": change.reason,
        "moment": moment_of(change, reach, now=now).value,
    }
    if change.is_heard_anyway:
        return found | {"by": "granted" if change.is_granted else "safety"}
    if reach.is_hushed:
        found["is_away"] = True
    by = "default" if wish.is_default else wish.scope.value if wish.scope else "household"
    found |= {"by": by, "subject": wish.subject, "channel": wish.channel}
    if wish.over is not None:
        found["over"] = str(wish.over)
    if wish.within is not None:
        found["within_hours"] = int(wish.within.total_seconds() // 3600)
    if not wish.holds(amount=change.amount, at=change.happens_at, now=now):
        found["is_unmet"] = True
    return {name: value for name, value in found.items() if value not in ("", None)}


def _untold(change: Change, reach: Reach, *, moment: str, now: datetime) -> str:
    """Return what is kept of a change that is not told, and of the wish behind that."""
    why = _why(change, reach, now=now) | {"moment": moment, "because": change.item.because}
    return json.dumps(why, sort_keys=True, separators=(",", ":"))


def _waits(
    news: Sequence[Change], planned: Mapping[str, str], now: datetime
) -> dict[str, tuple[datetime, datetime]]:
    """Return since when each change waits, and when it last took another value."""
    found = {}
    for change in news:
        key = change.item.key
        since, _, last = planned.get(f"{HOLD}{key}", "").partition(" ")
        is_same = planned.get(key) == change.item.value
        found[key] = (
            datetime.fromisoformat(since) if since else now,
            datetime.fromisoformat(last) if last and is_same else now,
        )
    return found


def _due(
    news: Sequence[Change], waits: Mapping[str, tuple[datetime, datetime]], reach: Reach
) -> datetime | None:
    """Return when the first of these holds ends (rule 4); None where nothing is held."""
    ends: list[datetime] = []
    sliding: list[tuple[datetime, datetime]] = []
    for change in news:
        since, last = waits[change.item.key]
        if change.slides:
            sliding.append((since, last))
        else:
            ends.append(next_digest(reach, since) if change.hold is None else since + change.hold)
    if sliding:
        begun, latest = min(since for since, _ in sliding), max(last for _, last in sliding)
        ends.append(min(latest + HOLD_CHANGE, begun + HOLD_LONGEST))
    return min(ends, default=None)


def release(plan: Plan, *, reach: Reach, now: datetime) -> datetime:
    """Return when a notification whose hold has ended may really be told.

    That is `now`, or the end of quiet hours (those of the preferred channel) for an
    interrupt that may not go through them. Nothing is ever dropped for being late at night.
    """
    if plan.level != Level.INTERRUPT:
        return now
    end = quiet_end(reach, now, next(iter(reach.ladder(plan.topic)), None))
    if end is None or any(change.is_matched or change.is_granted for change in plan.changes):
        return now
    if reach.has_quiet_exceptions:
        for change in plan.changes:
            begins = [change.near] if change.near is not None else []
            begins += [at for at in _starts(change.before) if at is not None]
            begins += [at for at in _starts(change.item.value) if at is not None]
            if any(now <= at < end + AFTER_QUIET for at in begins):
                return now
            if change.expires_at is not None and now < change.expires_at <= end:
                return now
    return end
