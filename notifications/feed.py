"""The feed's use-cases: decide what arrived, tell what is due, do what the owner asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from assets import caring, documents, metering, sharing
from assets.models import Asset, CareTask, Document
from assets.undos import UNDOS
from notifications import (
    apart,
    booking,
    dealings,
    delivery,
    noticing,
    offers,
    opening,
    own_matters,
    settling,
    upkeep,
)
from notifications.choices import NotificationState
from notifications.consolidation import MEANT
from notifications.ledger import Ledger
from notifications.merging import (
    BOOKED,
    CANCELLED,
    DAY_BEFORE_VISIT,
    ONE_DAY,
    SNOOZE_EVENTS,
    Matter,
    Slot,
    read_window,
    window_key,
)
from notifications.models import Decision, Journey, JourneyKey, Link, Notification
from notifications.projections import uuid_for
from owners import bulk, undoing
from owners.choices import Level, Rank, Trust
from owners.models import Change, Household, Membership, Owner
from suppliers import mandates, outbox
from suppliers.admission import belongs, sender_domain
from suppliers.choices import Authentication, ContactKind, Outcome, Purpose
from suppliers.contacts import Contact as Said
from suppliers.contacts import Window
from suppliers.models import Contact, Mandate, Supplier, SupplierDomain, SupplierNumber

TOGETHER = timedelta(hours=1)  # papers added so shortly before came with what was written down
HOUSEHOLDS_AT_ONCE = 250  # the others are left to whoever works beside us
LOOKED_AT = 20_000  # of what waits, for who goes first: a heap of any height costs no more
_HOUSEHOLD = ("id", "zone", "currency", "survey_cap")
# Where many wait, whose supplier speaks to the fewest goes first: one that speaks to ten
# thousand households at once holds up nobody else's visitor.
_LOCK_WAITING = f"""
    SELECT {", ".join(f"h.{name}" for name in _HOUSEHOLD)} FROM owners_household h
    JOIN (
        SELECT household_id, min(crowd) AS crowd FROM (
            SELECT household_id, count(*) OVER (PARTITION BY supplier_id) AS crowd FROM (
                SELECT household_id, supplier_id FROM suppliers_contact
                WHERE decided_at IS NULL AND (not_before IS NULL OR not_before <= %s)
                    AND (%s OR household_id = ANY(%s::bigint[]))
                LIMIT {LOOKED_AT}
            ) AS looked
        ) AS waiting GROUP BY household_id
    ) AS w ON w.household_id = h.id
    ORDER BY w.crowd LIMIT %s FOR NO KEY UPDATE OF h SKIP LOCKED
"""  # noqa: S608 - names of a model
# Asked after every lot, and mostly nothing is.
_HAS_DUE = """
    SELECT 1 FROM notifications_notification WHERE state = 'planned' AND not_before <= %s
    ORDER BY not_before LIMIT 1
"""


# -- the stages ------------------------------------------------------------------------


def consolidate_due(*, now: datetime, limit: int = 500) -> int:
    """Decide about waiting contacts of as many households as can be locked.

    Returns how many contacts were decided.
    """
    waiting = Contact.objects.filter(decided_at=None).exclude(not_before__gt=now)
    return apart.each(
        "consolidate",
        lambda only: _consolidate(now, limit, only),
        households=waiting.values_list("household", flat=True),
        put_off=lambda pk, until: waiting.filter(household=pk).update(not_before=until),
        now=now,
    )


def _consolidate(now: datetime, limit: int, only: Collection[int]) -> int:
    with transaction.atomic():
        households = [
            Household.from_db("default", _HOUSEHOLD, row)
            for row in bulk.read(
                _LOCK_WAITING,
                [now, not only, bulk.array(only), min(limit, HOUSEHOLDS_AT_ONCE)],
            )
        ]
        if not households:
            return 0
        ledger = Ledger.open(households, now=now)
        rows, loose = ledger.waiting(limit)
        if rows:
            settling.consolidate(ledger, rows, loose=loose)
        return len(rows)


def tell_due(*, now: datetime, limit: int = 500) -> int:
    """Tell what is due, each checked once more against the journey as it is now."""
    if not bulk.read(_HAS_DUE, [now]):
        return 0
    due = Notification.objects.due(now)
    return apart.each(
        "tell",
        lambda only: _settle_due(
            due.values("household"), lambda pks: due.filter(household__in=pks), now, limit, only
        ),
        households=due.values_list("household", flat=True),
        put_off=lambda pk, until: due.filter(household=pk).update(not_before=until),
        now=now,
    )


def sweep(*, now: datetime, limit: int = 500) -> int:
    """Settle the journeys at which time alone changes something."""
    _reword(now)
    due = Journey.objects.due(now)
    return apart.each(
        "sweep",
        lambda only: _settle_due(
            due.values("household"), lambda pks: due.filter(household__in=pks), now, limit, only
        ),
        households=due.values_list("household", flat=True),
        put_off=lambda pk, until: due.filter(household=pk).update(next_at=until),
        now=now,
    )


def _reword(now: datetime) -> None:
    """Wake every journey of households in which a member reads another language now."""
    with transaction.atomic():
        locked = _lock(Household.objects.filter(needs_words=True), limit=HOUSEHOLDS_AT_ONCE)
        if not locked:
            return
        Journey.objects.filter(household__in=locked, is_emptied=False).update(next_at=now)
        ours = [household.pk for household in locked]
        Household.objects.filter(pk__in=ours).update(needs_words=False)


def _settle_due(
    households: QuerySet[Any],
    rows: Callable[[Iterable[int]], QuerySet[Any]],
    now: datetime,
    limit: int,
    only: Collection[int],
) -> int:
    with transaction.atomic():
        wanted = Household.objects.filter(pk__in=only or households)
        locked = _lock(wanted, limit=HOUSEHOLDS_AT_ONCE)
        if not locked:
            return 0
        ledger = Ledger.open(locked, now=now)
        found = rows(ledger.households)
        if found.model is Notification:
            found = Journey.objects.filter(pk__in=[n.journey_id for n in found[:limit]])
        settled = {str(journey.uuid): journey for journey in found[:limit]}
        ledger.journeys.update(settled)
        for uuid, matter in settling.settle(ledger, set(settled)).items():
            if matter.closed_by == "silence":
                upkeep.finish_in_silence(journey=settled[uuid], matter=matter, now=now)
        return len(settled)


def _lock(households: QuerySet[Household], *, limit: int) -> list[Household]:
    """Lock households nobody else works on; inserting rows that refer to them stays free."""
    return list(households.select_for_update(no_key=True, skip_locked=True)[:limit])


# -- looking ---------------------------------------------------------------------------


def looked(*, owner: Owner, now: datetime) -> None:
    """Note that `owner` looks at the feed: silent updates that wait are told now.

    What was told is seen, for the whole household, and its ladder stops.
    """
    households = Household.objects.for_owner(owner)
    with transaction.atomic():
        Membership.objects.filter(owner=owner).update(looked_at=now, new_count=0)
        waiting = Notification.objects.filter(
            owner=owner, state=NotificationState.PLANNED, level=Level.FEED
        )
        if waiting.exists():
            locked = list(
                households.filter(pk__in=waiting.values("household")).select_for_update(
                    no_key=True, of=("self",)
                )
            )
            ledger = Ledger.open(locked, now=now)
            found = Journey.objects.filter(
                pk__in=waiting.filter(household__in=ledger.households).values("journey")
            )
            ledger.journeys.update({str(journey.uuid): journey for journey in found})
            settling.settle(ledger, set(ledger.journeys), looker=owner.pk)
        seen = Notification.objects.filter(
            household__in=households, state=NotificationState.TOLD, seen_at=None
        )
        pks = list(seen.values_list("pk", flat=True))
        if pks:
            Notification.objects.filter(pk__in=pks).update(seen_at=now)
            delivery.stop_ladder(notification_ids=pks, now=now)


def looked_at(journey: Journey, *, now: datetime) -> None:
    """Note that somebody of the household looks at one matter: its ladders stop.

    Whoever acts has seen what was told, too; nobody needs the next rung.
    """
    with transaction.atomic():
        told = Notification.objects.filter(
            journey=journey, state=NotificationState.TOLD, seen_at=None
        )
        pks = list(told.values_list("pk", flat=True))
        if pks:
            Notification.objects.filter(pk__in=pks).update(seen_at=now)
            delivery.stop_ladder(notification_ids=pks, now=now)


# -- rebuilding ------------------------------------------------------------------------


def rebuild(*, household: Household, now: datetime) -> int:
    """Make every projection of a household again from contacts, links and decisions.

    What was told is history and stays. Returns the number of journeys.
    """
    with transaction.atomic():
        locked = list(Household.objects.filter(pk=household.pk).select_for_update(no_key=True))
        ledger = Ledger.open(locked, now=now)
        ledger.journeys = {
            str(journey.uuid): journey for journey in Journey.objects.filter(household=household)
        }
        everything = set(ledger.journeys)
        settling.settle(ledger, everything, afresh=everything)
        return len(everything)


# -- what the owner does ---------------------------------------------------------------


class ActionError(Exception):
    """The action cannot be done; `code` and `detail` say why, `field` which input."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        """Note the machine's and the reader's words."""
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


ANSWERS = ("works", "not_yet", "yes", "no")
JOURNEY_ACTIONS = (
    "answer",
    *ANSWERS,
    "accept",
    "decline",
    "tentative",
    "counter",
    "pick",
    "request",
    "cancel",
    "dispute",
    "acknowledge",
    "choose_remedy",
    "not_mine",
    "reply",
    "done",
    "skip",
    "book",
    "snooze",
    "rate",
    "merge",
    "choose_asset",
    "correct",
    "undo",
    "mute",
)
# What an answer to a visit is called on the wire.
VISIT_ANSWERS = {
    "accept": "accepted",
    "tentative": "tentative",
    "decline": "declined",
    "counter": "countered",
    "cancel": "cancelled",
}
CONTACT_ACTIONS = (
    "let_in",
    "not_now",
    "undo_absorb",
    "always_show",
    "split",
    "take_back",
    "meant",
    "not_meant",
)


def least_for(name: str) -> Rank:
    """Return the rank that an action on a journey needs: helpers tick care."""
    return Rank.HELPER if name in ("done", "skip") else Rank.MEMBER


def act(
    *, owner: Owner, journey: Journey, name: str, data: dict[str, Any], now: datetime
) -> Journey:
    """Do one thing on a journey: record the decision, settle, answer the suppliers.

    Raises ActionError when the name is unknown or the data does not fit.
    """
    if name in ANSWERS:
        name, data = "answer", {**data, "answer": name}
    if name not in JOURNEY_ACTIONS:
        raise ActionError("unknown_action", f"There is no action {name!r}.")
    if _act_on_own(owner, journey, name, data, now=now):
        return Journey.objects.select_related("household").get(pk=journey.pk)
    if name in ("done", "skip", "book"):
        raise ActionError("unknown_action", f"There is no action {name!r}.")
    with transaction.atomic(), _refusing():
        ledger = _open(journey.household, now=now)
        journey = Journey.objects.select_related("household").get(pk=journey.pk)
        ledger.journeys[str(journey.uuid)] = journey
        if name == "undo":
            return _undo(ledger, journey, owner, data)
        given, data = data, _checked(ledger, journey, name, data)
        if name == "merge":
            return _merge(ledger, journey, owner, data)
        decision = _decide(ledger, owner, name, data, journey=journey)
        matter = settling.settle(ledger, {str(journey.uuid)})[str(journey.uuid)]
        looked_at(journey, now=now)
        _answer_suppliers(ledger, journey, matter, decision)
        if data.get("answer") == "not_yet":
            upkeep.reopen(journey=journey, now=now)
        if data.get("answer") == "works" and matter.closed_at is not None:
            upkeep.finish(
                journey=journey, matter=matter, decision=decision, owner=owner, data=given, now=now
            )
    return journey


def _act_on_own(
    owner: Owner, journey: Journey, name: str, data: dict[str, Any], *, now: datetime
) -> bool:
    """Do what a thing itself asks for; False where this is something else."""
    if name not in (*upkeep.ACTIONS, "book") or data.get("event"):
        return False
    with transaction.atomic(), _refusing():
        call = upkeep.call_of(journey)
        if call is not None and name == "book":
            _book(owner, journey, call.task, data, now=now)
        elif call is not None:
            sharing.require_help(owner=owner, asset=call.task.asset, task=call.task)
            upkeep.act(call=call, owner=owner, name=name, data=data, now=now)
        else:
            notice = noticing.call_of(journey) if name in noticing.ACTIONS else None
            if notice is None:
                return False
            noticing.act(call=notice, owner=owner, name=name, data=data, now=now)
        looked_at(journey, now=now)
    return True


@contextmanager
def _refusing() -> Iterator[None]:
    """Answer what is refused below as the feed does."""
    try:
        yield
    except (caring.CareError, metering.MeterError, own_matters.InputError) as error:
        raise ActionError("invalid", error.detail, field=error.field) from error
    except opening.OpeningError as error:
        raise ActionError(error.code, error.detail, field=error.field) from error


def _book(
    owner: Owner, journey: Journey, task: CareTask, data: dict[str, Any], *, now: datetime
) -> None:
    """Ask the one who does it for a visit; reversible until the request goes out."""
    windows = _windows(data.get("windows"))
    mandate = booking.mandate_for(task, owner=owner, supplier=booking.checked(data))
    if mandate is None:
        raise ActionError("nobody", booking.NOBODY, field="supplier")
    ledger = _open(journey.household, now=now)
    ledger.journeys[str(journey.uuid)] = journey
    decision = _decide(ledger, owner, "book", {"windows": windows}, journey=journey)
    opened = booking.book(
        task=task,
        journey=journey,
        mandate=mandate,
        owner=owner,
        windows=windows,
        name=decision.uuid,
        now=now,
    )
    decision.data |= {"supplier": mandate.supplier_id, "contact": str(opened.contact)}
    decision.save(update_fields=["data"])
    settling.settle(ledger, {str(journey.uuid)})


def _unbook(ledger: Ledger, decision: Decision) -> None:
    """Keep a request from going out, and what was noted of it off its matter."""
    if not opening.withdraw(name=UUID(decision.data["contact"])):
        detail = gettext_noop("It has gone out already. Write to them on its card to call it off.")
        raise ActionError("gone", detail)
    noted = Contact.objects.filter(household=decision.household_id, uuid=decision.data["contact"])
    Link.objects.filter(contact__in=noted, revoked_at=None).update(revoked_at=ledger.now)
    noted.update(
        reason="taken_back",
        rule="owner_decided",
        outcome=Outcome.ABSORBED,
        decided_at=ledger.now,
    )


def act_on_contact(
    *, owner: Owner, contact: Contact, name: str, data: dict[str, Any], now: datetime
) -> Contact:
    """Do one thing with a contact: let its sender in, bring it back, split it off."""
    if name not in CONTACT_ACTIONS:
        raise ActionError("unknown_action", f"There is no action {name!r}.")
    with transaction.atomic():
        ledger = _open(contact.household, now=now)
        contact = Contact.objects.select_related("household").get(pk=contact.pk)
        if name == "let_in":
            _let_in(ledger, owner, contact, data)
        elif name == "not_now":
            _not_now(ledger, owner, contact)
        elif name == "meant":
            _meant(ledger, owner, contact)
        elif name == "not_meant":
            _not_meant(ledger, contact)
        else:
            _on_linked(ledger, owner, contact, name)
        contact.refresh_from_db()
    return contact


def _open(household: Household, *, now: datetime) -> Ledger:
    """Lock one household, waiting for whoever works on it, and open its ledger."""
    locked = list(Household.objects.filter(pk=household.pk).select_for_update(no_key=True))
    return Ledger.open(locked, now=now)


def _decide(
    ledger: Ledger,
    owner: Owner,
    name: str,
    data: dict[str, Any],
    *,
    journey: Journey | None = None,
    contact: Contact | None = None,
) -> Decision:
    """Record what the owner did; decisions are never changed, only revoked."""
    household = next(iter(ledger.households.values()))
    return Decision.objects.create(
        uuid=uuid4(),
        household=household,
        owner=owner,
        journey=journey,
        contact=contact,
        name=name,
        data=data,
        decided_at=ledger.now,
    )


def _checked(ledger: Ledger, journey: Journey, name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data in canonical form, or say what is wrong with it."""
    if name == "answer":
        if data.get("answer") not in ANSWERS:
            raise ActionError(
                "invalid", f"Answer with one of {', '.join(ANSWERS)}.", field="answer"
            )
        return {"answer": data["answer"]}
    if name == "rate":
        score = data.get("score")
        if isinstance(score, str) and score.isdigit():
            score = int(score)
        if not isinstance(score, int) or isinstance(score, bool) or not 1 <= score <= 5:
            raise ActionError("invalid", gettext_noop("Give a score from 1 to 5."), field="score")
        return {"score": score, "text": str(data.get("text", ""))[:2000]}
    if name == "reply":
        text = str(data.get("text", "")).strip()
        if not text:
            raise ActionError("invalid", gettext_noop("Write a message."), field="text")
        return {"text": text[:10_000]}
    if name == "snooze" and data.get("event"):
        return {"event": _awaited(ledger, journey, str(data["event"]))}
    if name == "snooze":
        until = _instant(data.get("until"), "until")
        if until <= ledger.now:
            raise ActionError(
                "invalid", gettext_noop("Choose a time in the future."), field="until"
            )
        return {"until": until.isoformat()}
    if name == "choose_asset":
        asset = ledger.assets.get(str(data.get("asset", "")))
        if asset is None:
            raise ActionError("unknown", gettext_noop("There is no such object."), field="asset")
        return {"asset": str(asset.uuid)}
    if name == "correct":
        return _correction(data)
    if name == "merge":
        return {"with": str(data.get("with", ""))}
    return _about_visit(ledger, journey, name, data)


def _awaited(ledger: Ledger, journey: Journey, event: str) -> str:
    """Return the event a card is put aside for, when it can come."""
    if event not in SNOOZE_EVENTS:
        raise ActionError("invalid", "There is no such event.", field="event")
    if event == DAY_BEFORE_VISIT:
        matter = settling.settle(ledger, {str(journey.uuid)})[str(journey.uuid)]
        starts = [slot.span.start for slot in matter.live_slots if slot.span is not None]
        if not starts or min(starts) - ledger.now <= ONE_DAY:
            detail = gettext_noop("No visit is expected later than tomorrow.")
            raise ActionError("invalid", detail, field="event")
    return event


def _about_visit(
    ledger: Ledger, journey: Journey, name: str, data: dict[str, Any]
) -> dict[str, Any]:
    """Return the data of an answer to a visit in canonical form."""
    if name in ("counter", "request"):
        return {"windows": _windows(data.get("windows"))}
    if name == "pick":
        return _picked(ledger, journey, str(data.get("slot", "")))
    if name in ("cancel", "tentative"):
        return _of_live(ledger, journey)
    if name in dealings.ABOUT:
        return _dealt(ledger, journey, name, str(data.get("text", "")).strip())
    return _visit_answer(ledger, journey, data) if name in ("accept", "decline") else {}


def _dealt(ledger: Ledger, journey: Journey, name: str, text: str) -> dict[str, Any]:
    """Return what is said about a bill or a recall, with what the owner saw of it."""
    if name in ("dispute", "choose_remedy") and not text:
        raise ActionError("invalid", gettext_noop("Write a message."), field="text")
    matter = settling.settle(ledger, {str(journey.uuid)})[str(journey.uuid)]
    about = _on_table(ledger, journey, matter, dealings.ABOUT[name])
    if not about:
        raise ActionError("gone", gettext_noop("Nothing of the kind waits for your word."))
    return {**about, "text": text[:2000]}


def _on_table(ledger: Ledger, journey: Journey, matter: Matter, family: str) -> dict[str, Any]:
    """Return the newest thing of a family that waits for the owner's word, or nothing."""
    things = dealings.open_things(matter, family)
    if not things:
        return {}
    entries = [row.entry for row in ledger.rows[str(journey.uuid)]]
    entry = dealings.said_of(entries, things[-1])
    return {
        family: dealings.number_of(things[-1], entry),
        "supplier": things[-1].supplier,
        "shown": dealings.shown(entry) if entry is not None else {},
    }


def _instant(value: Any, field: str) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ActionError("invalid", "Write a time as in RFC 3339.", field=field) from error
    if at.tzinfo is None:
        raise ActionError("invalid", "The time needs its offset from UTC.", field=field)
    return at


def _windows(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not 1 <= len(value) <= 3:
        raise ActionError("invalid", gettext_noop("Propose one to three windows."), field="windows")
    found = []
    for window in value:
        if not isinstance(window, dict):
            raise ActionError("invalid", "A window has a start and an end.", field="windows")
        start = _instant(window.get("start"), "windows")
        end = _instant(window.get("end"), "windows")
        if end <= start:
            raise ActionError(
                "invalid", gettext_noop("A window ends after it starts."), field="windows"
            )
        found.append({"start": start.isoformat(), "end": end.isoformat()})
    return found


def _visit_answer(ledger: Ledger, journey: Journey, data: dict[str, Any]) -> dict[str, Any]:
    """Return what a yes or a no is to: another time that waits now, or what is booked."""
    key = str(data.get("proposal") or "")
    matter = settling.settle(ledger, {str(journey.uuid)})[str(journey.uuid)]
    if not key:
        # Without a visit to come, a yes or a no is to the price that was offered.
        return {} if matter.live_slots else _on_table(ledger, journey, matter, dealings.QUOTE)
    if all(slot.proposal is None or slot.proposal.key != key for slot in matter.slots):
        raise ActionError("gone", gettext_noop("This time is no longer asked for."))
    return {"proposal": key}


def _picked(ledger: Ledger, journey: Journey, slot_id: str) -> dict[str, Any]:
    """Return which of the offered times is taken, and how its supplier calls the offer."""
    uuid = str(journey.uuid)
    matter = settling.settle(ledger, {uuid})[uuid]
    for offer in offers.open_offers(matter, ledger.now):
        if offer.slot_id == slot_id:
            entry = next(row.entry for row in ledger.rows[uuid] if row.entry.id == offer.source)
            asked = [key.value for key in entry.said.keys if key.scheme == "entity"]
            return {
                "slot": slot_id,
                "window": window_key(offer.window),
                "request": asked[0] if asked else "",
                "supplier": entry.supplier,
            }
    raise ActionError("gone", gettext_noop("This time is no longer offered."), field="slot")


def _of_live(ledger: Ledger, journey: Journey) -> dict[str, Any]:
    matter = settling.settle(ledger, {str(journey.uuid)})[str(journey.uuid)]
    if not matter.live_slots:
        raise ActionError("gone", gettext_noop("No visit is to come."))
    return {}


def _correction(data: dict[str, Any]) -> dict[str, Any]:
    fact, value = str(data.get("fact", "")).strip(), data.get("value")
    if not fact:
        raise ActionError("invalid", gettext_noop("Say which fact is wrong."), field="fact")
    if fact == "window":
        if isinstance(value, dict):
            value = f"{value.get('start')}/{value.get('end')}"
        start, _slash, end = str(value or "").partition("/")
        window = _windows([{"start": start, "end": end}])[0]
        window_start, window_end = (_instant(window[k], "value") for k in ("start", "end"))
        return {"fact": fact, "value": window_key(Window(start=window_start, end=window_end))}
    value = str(value or "").strip()
    if not value:
        raise ActionError("invalid", gettext_noop("Write the right value."), field="value")
    if fact == "visit" and value not in (BOOKED, CANCELLED):
        raise ActionError("invalid", f"Say {BOOKED} or {CANCELLED}.", field="value")
    return {"fact": fact[:60], "value": value[:1000]}


def _answer_suppliers(ledger: Ledger, journey: Journey, matter: Matter, decision: Decision) -> None:
    """Send the owner's answer to the suppliers it concerns, where a mandate lives."""
    mandates_by = {
        mandate.supplier_id: mandate
        for mandate in Mandate.objects.live()
        .filter(household=journey.household_id, supplier__in=matter.suppliers)
        .select_related("supplier")
    }
    answered = _answered(ledger, journey, decision)
    for supplier, type_, said in _outbound(journey, matter, decision):
        is_asked = type_ == "owner.message.sent" and supplier in answered
        name, data = _information(said) if is_asked else (type_, said)
        mandate = mandates_by.get(supplier)
        if mandate is not None:
            outbox.send(mandate=mandate, type=name, data=data, now=ledger.now)


def _answered(ledger: Ledger, journey: Journey, decision: Decision) -> set[int]:
    """Return the suppliers whose ticket waits for information that this reply gives."""
    if decision.name != "reply":
        return set()
    uuid = str(journey.uuid)
    replied = [
        one.at
        for one in ledger.decisions.get(uuid, [])
        if one.name == "reply" and one.id != str(decision.uuid)
    ]
    last = max(replied, default=None)
    return {
        row.entry.supplier
        for row in ledger.rows.get(uuid, [])
        if row.entry.said.type == "ticket.information_required"
        and (last is None or row.entry.said.said_at > last)
    }


def _information(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a reply as the information that a ticket waits for, where there is one ticket."""
    tickets = [ref["value"] for ref in data["refs"] if ref["scheme"] == "ticket"]
    if not tickets:
        return "owner.message.sent", data
    said = {name: value for name, value in data.items() if name != "body"}
    return "owner.ticket.information_provided", {
        **said,
        "ticketId": tickets[0],
        "answer": data["body"],
    }


def _outbound(
    journey: Journey, matter: Matter, decision: Decision
) -> list[tuple[int, str, dict[str, Any]]]:
    """What an answer is called on the wire, whom it concerns, and what it carries.

    The names are those of events.md section 4. A visit and a quote concern the one whose
    they are, a score each who asked for it, everything else all of the journey.
    """
    keys = JourneyKey.objects.filter(journey=journey).exclude(
        scheme__in=("caller", "message", "uid")
    )
    slot = _visit_of(matter, decision)

    def about(supplier: int) -> dict[str, Any]:
        """Say what the answer is about in one supplier's own words, and in no other's."""
        whose = (0, supplier) if len(matter.suppliers) < 2 else (supplier,)
        own = [key for key in keys if key.issuer in whose]
        data: dict[str, Any] = {
            "journey": str(journey.uuid),
            "refs": [{"scheme": key.scheme, "value": key.value} for key in own],
        }
        if slot is not None and slot.supplier in (0, supplier):
            data |= _visit_data(slot)
        return data

    if decision.name == "rate":
        return _scores(matter, decision, about)
    family = dealings.ABOUT.get(decision.name, dealings.QUOTE)
    if decision.name in dealings.TYPES and family in decision.data:
        return [_of_thing(decision, family, about)]
    if decision.name == "pick":
        return [_selected(matter, decision, about)]
    if decision.name == "request":
        windows = {"windows": decision.data["windows"]}
        return [
            (one, "owner.appointment.requested", {**about(one), **windows})
            for one in matter.suppliers
        ]
    if decision.name in VISIT_ANSWERS:
        quote = next((key for key in keys if key.scheme == "quote"), None)
        if slot is None and quote is not None and decision.name in ("accept", "decline"):
            name = "owner.quote.accepted" if decision.name == "accept" else "owner.quote.declined"
            return [(quote.issuer, name, {**about(quote.issuer), "quoteId": quote.value})]
        name = VISIT_ANSWERS[decision.name]
        given: dict[str, Any] = {}
        if decision.name == "counter":
            given["windows"] = decision.data["windows"]
        elif decision.name == "decline" and decision.data.get("proposal") and slot and slot.span:
            # Only the other time is declined: what is booked is what the owner wants.
            kept = {"start": slot.span.start.isoformat(), "end": slot.span.end.isoformat()}
            name, given["windows"] = "countered", [kept]
        whose = [slot.supplier] if slot is not None and slot.supplier else matter.suppliers
        return [(one, f"owner.appointment.{name}", {**about(one), **given}) for one in whose]
    return [
        (supplier, *found)
        for supplier in matter.suppliers
        if (found := _to_all(matter, decision, about(supplier))) is not None
    ]


def _visit_data(slot: Slot) -> dict[str, Any]:
    """Return what names a visit to whoever arranged it."""
    data: dict[str, Any] = {"uid": slot.uid, "sequence": slot.order[0] if slot.order else 0}
    if slot.span is not None:
        data |= {"start": slot.span.start.isoformat(), "end": slot.span.end.isoformat()}
    if slot.recurrence_id:
        data["recurrenceId"] = slot.recurrence_id
    if slot.organizer:  # it came as a calendar, and is answered as one
        data |= {"organizer": slot.organizer, "invited": slot.invited}
    return data


def _selected(
    matter: Matter, decision: Decision, about: Callable[[int], dict[str, Any]]
) -> tuple[int, str, dict[str, Any]]:
    """Say which of the offered times was taken, to whoever offered it."""
    chosen, window = decision.data, read_window(decision.data["window"])
    said = {
        "requestId": chosen["request"],
        "slotId": chosen["slot"],
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
    }
    supplier = chosen["supplier"]
    return supplier, "owner.appointment.slot_selected", {**about(supplier), **said}


def _of_thing(
    decision: Decision, family: str, about: Callable[[int], dict[str, Any]]
) -> tuple[int, str, dict[str, Any]]:
    """Say what the owner decided about an offer, a bill or a recall, to whose it is."""
    given = decision.data
    said = {dealings.NUMBERS[family]: given[family], "shown": given["shown"]}
    if given.get("text"):
        said["remedy" if decision.name == "choose_remedy" else "body"] = given["text"]
    supplier = given["supplier"]
    return supplier, dealings.TYPES[decision.name], {**about(supplier), **said}


def _visit_of(matter: Matter, decision: Decision) -> Slot | None:
    """The visit that an answer is about: the nearest, the one it ended, else the last."""
    ended = [slot for slot in matter.slots if slot.stage_source == str(decision.uuid)]
    return next(iter([*matter.live_slots, *ended, *reversed(matter.slots)]), None)


def _scores(
    matter: Matter, decision: Decision, about: Callable[[int], dict[str, Any]]
) -> list[tuple[int, str, dict[str, Any]]]:
    """One tap answers every survey of the journey, each to the supplier that asked."""
    found = []
    for survey in matter.surveys:
        score = {
            **about(survey.supplier),
            "score": decision.data["score"],
            "text": decision.data["text"],
            "surveyId": survey.claim.survey_id,
        }
        if survey.claim.url:
            score["reason"] = "answered_here"
        name = "owner.survey.declined" if survey.claim.url else "owner.survey.answered"
        found.append((survey.supplier, name, score))
    return found


def _to_all(
    matter: Matter, decision: Decision, data: dict[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    """What each supplier of the journey hears, if anything; `data` is in its own words."""
    answer = decision.data.get("answer")
    if answer == "works":
        # A yes to one of a series closes nothing.
        return ("owner.journey.closed", data) if matter.closed_at is not None else None
    if answer == "not_yet":
        tickets = [ref["value"] for ref in data["refs"] if ref["scheme"] == "ticket"]
        if tickets:
            return "owner.ticket.reopened", {**data, "ticketId": tickets[0]}
        return "owner.message.sent", {
            **data,
            "body": "It does not work yet.",
            "tried": matter.tried,
        }
    if decision.name == "reply":
        return "owner.message.sent", {**data, "body": decision.data["text"]}
    return None


# -- merging, splitting, undoing -------------------------------------------------------


def _merge(ledger: Ledger, journey: Journey, owner: Owner, data: dict[str, Any]) -> Journey:
    """Put another journey's contacts on this one; the owner's tap is evidence enough."""
    others = Journey.objects.filter(household=journey.household, is_emptied=False)
    other = (
        others.filter(uuid=data["with"]).exclude(pk=journey.pk).first()
        if _is_uuid(data["with"])
        else None
    )
    if other is None:
        raise ActionError("unknown", gettext_noop("There is no such object."), field="with")
    ledger.journeys[str(other.uuid)] = other
    moved = settling.move_links(ledger, {str(other.uuid): str(journey.uuid)}, now=ledger.now)
    contacts = [
        str(uuid) for uuid in Contact.objects.filter(pk__in=moved).values_list("uuid", flat=True)
    ]
    _decide(ledger, owner, "merge", {**data, "contacts": contacts}, journey=journey)
    both = {str(other.uuid), str(journey.uuid)}
    settling.settle(ledger, both, afresh={str(other.uuid)})
    return journey


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _on_linked(ledger: Ledger, owner: Owner, contact: Contact, name: str) -> None:
    link = Link.objects.filter(contact=contact, revoked_at=None).select_related("journey").first()
    if link is None:
        raise ActionError("not_linked", gettext_noop("This contact is on no journey."))
    journey = link.journey
    ledger.journeys[str(journey.uuid)] = journey
    if name == "split":
        _split(ledger, owner, contact, link)
        return
    if name == "take_back":
        _take_back(ledger, owner, contact, link)
        return
    data = {"supplier": contact.supplier_id or 0} if name == "always_show" else {}
    _decide(ledger, owner, name, data, journey=journey, contact=contact)
    settling.settle(ledger, {str(journey.uuid)})


def _split(ledger: Ledger, owner: Owner, contact: Contact, link: Link) -> None:
    """Give a contact a journey of its own; it never goes back by itself."""
    if not Link.objects.filter(journey=link.journey, revoked_at=None).exclude(pk=link.pk).exists():
        raise ActionError("alone", gettext_noop("It is the only contact of its journey."))
    decision = _decide(ledger, owner, "split", {"from": str(link.journey.uuid)}, contact=contact)
    fresh = Journey.objects.create(
        uuid=uuid_for(decision.uuid, "journey"),
        household=contact.household,
        opened_at=contact.said_at,
        last_said_at=contact.said_at,
    )
    _relink(ledger, [contact.pk], fresh, rule="owner_decided")
    ledger.journeys[str(fresh.uuid)] = fresh
    settling.settle(
        ledger,
        {str(fresh.uuid), str(link.journey.uuid)},
        afresh={str(link.journey.uuid)},
    )


def _take_back(ledger: Ledger, owner: Owner, contact: Contact, link: Link) -> None:
    """Take what was logged by hand off its journey; it is kept, and no journey gets it again.

    The papers that were added with it go to the bin, and come back with it.
    """
    if contact.owner_id is None:
        raise ActionError(
            "not_logged", gettext_noop("Only what was logged by hand can be taken back.")
        )
    if not opening.withdraw(name=contact.uuid):
        # Its card stays: somebody works on it now.
        detail = gettext_noop("It has gone out already. Write to them on its card to call it off.")
        raise ActionError("gone", detail)
    journey = link.journey
    came_with = Document.objects.for_owner(owner).filter(
        uuid__in=contact.said.get("documents", []), added_at__gte=contact.received_at - TOGETHER
    )
    removed = [
        documents.remove(document=paper, owner=owner, now=ledger.now)
        for paper in came_with.filter(removed_at=None)
    ]
    data = {"from": str(journey.uuid), "changes": [str(change.uuid) for change in removed]}
    _decide(ledger, owner, "take_back", data, journey=journey, contact=contact)
    Link.objects.filter(pk=link.pk).update(revoked_at=ledger.now)
    Contact.objects.filter(pk=contact.pk).update(reason="taken_back", rule="owner_decided")
    settling.settle(ledger, {str(journey.uuid)}, afresh={str(journey.uuid)})


def _relink(ledger: Ledger, contacts: list[int], journey: Journey, *, rule: str) -> None:
    old = {
        link.contact_id: link for link in Link.objects.filter(contact__in=contacts, revoked_at=None)
    }
    Link.objects.filter(pk__in=[link.pk for link in old.values()]).update(revoked_at=ledger.now)
    Link.objects.bulk_create(
        [
            Link(
                household_id=journey.household_id,
                contact_id=contact,
                journey=journey,
                rule=rule,
                evidence={"by": "owner"},
                is_likely=old[contact].is_likely if contact in old else False,
                linked_at=ledger.now,
            )
            for contact in contacts
        ]
    )


def _undo(ledger: Ledger, journey: Journey, owner: Owner, data: dict[str, Any]) -> Journey:
    """Take a decision back: the named one, else the last on this journey."""
    decisions = Decision.objects.filter(household=journey.household, revoked_at=None)
    wanted = str(data.get("decision", ""))
    if wanted:
        decision = decisions.filter(uuid=wanted).first() if _is_uuid(wanted) else None
    else:
        decision = decisions.filter(journey=journey).order_by("-decided_at", "-pk").first()
    if decision is None:
        raise ActionError("unknown", gettext_noop("There is nothing to undo."), field="decision")
    decision.revoked_at = ledger.now
    decision.save(update_fields=["revoked_at"])
    if decision.name == "book":
        _unbook(ledger, decision)
    touched = {str(journey.uuid)}
    if decision.name in ("merge", "split", "take_back"):
        source = decision.data["with"] if decision.name == "merge" else decision.data["from"]
        back = Journey.objects.get(household=journey.household, uuid=source)
        contacts = (
            list(
                Contact.objects.filter(uuid__in=decision.data["contacts"]).values_list(
                    "pk", flat=True
                )
            )
            if decision.name == "merge"
            else [decision.contact_id]
        )
        was = Link.objects.filter(contact__in=contacts, revoked_at=None).values("journey")
        for other in Journey.objects.filter(pk__in=was):
            ledger.journeys[str(other.uuid)] = other
            touched.add(str(other.uuid))
        _relink(ledger, [pk for pk in contacts if pk is not None], back, rule="undone")
        ledger.journeys[str(back.uuid)] = back
        touched.add(str(back.uuid))
    removed = Change.objects.filter(
        household=journey.household, uuid__in=decision.data.get("changes", [])
    )
    for change in removed.filter(expires_at__gt=ledger.now):
        undoing.put_back(change=change, owner=owner, ways=UNDOS, now=ledger.now)
    if decision.name == "let_in":
        touched |= _put_out(ledger, owner, decision)
    settling.settle(ledger, touched, afresh=touched)
    if decision.name == "let_in":
        rows, loose = ledger.waiting(len(decision.data["contacts"]) + 500)
        settling.consolidate(ledger, rows, loose=loose)
    return journey


def _put_out(ledger: Ledger, owner: Owner, decision: Decision) -> set[str]:
    """Take a let-in back: the mandate it made ends, and its contacts wait again."""
    contacts = Contact.objects.filter(pk__in=decision.data["contacts"])
    suspicion = decision.data.get("suspicion", "unknown_sender")
    was = decision.data.get("was", {"supplier": None, "mandate": None})
    if decision.data.get("is_new"):
        mandate = Mandate.objects.get(uuid=decision.data["mandate"])
        mandates.end(mandate=mandate, owner=owner, now=ledger.now)
    contacts.update(
        supplier=was["supplier"],
        mandate=was["mandate"],
        suspicion=suspicion,
        trust=Trust.UNKNOWN,
        decided_at=None,
    )
    links = Link.objects.filter(contact__in=contacts, revoked_at=None)
    found = Journey.objects.filter(pk__in=links.values("journey"))
    touched = {str(journey.uuid): journey for journey in found}
    ledger.journeys.update(touched)
    links.update(revoked_at=ledger.now)
    return set(touched)


# -- what was not meant for the owner ----------------------------------------------------


def _meant(ledger: Ledger, owner: Owner, contact: Contact) -> None:
    """Let a held contact join the feed as the rules say, whatever its purpose; reversible."""
    if contact.outcome != Outcome.HELD or contact.kind == ContactKind.SURVEY_REQUEST:
        raise ActionError("not_held", gettext_noop("This contact is not held back."))
    _decide(ledger, owner, "meant", {"refusal": contact.refusal}, contact=contact)
    _place_again(ledger, contact, refusal=MEANT)


def _not_meant(ledger: Ledger, contact: Contact) -> None:
    """Hold a contact back again that was said to be meant."""
    decision = Decision.objects.filter(contact=contact, name="meant", revoked_at=None).first()
    if decision is None:
        raise ActionError("unknown", gettext_noop("There is nothing to undo."))
    decision.revoked_at = ledger.now
    decision.save(update_fields=["revoked_at"])
    links = Link.objects.filter(contact=contact, revoked_at=None)
    touched = {str(one.uuid): one for one in Journey.objects.filter(pk__in=links.values("journey"))}
    ledger.journeys.update(touched)
    links.update(revoked_at=ledger.now)
    settling.settle(ledger, set(touched), afresh=set(touched))
    _place_again(ledger, contact, refusal=decision.data["refusal"])


def _place_again(ledger: Ledger, contact: Contact, *, refusal: str) -> None:
    Contact.objects.filter(pk=contact.pk).update(refusal=refusal, decided_at=None)
    rows, loose = ledger.waiting(500)
    if rows:
        settling.consolidate(ledger, rows, loose=loose)


# -- the Door --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sender:
    """How a waiting sender is named, and what would let it in."""

    name: str
    number: str
    domain: str


def _let_in(ledger: Ledger, owner: Owner, contact: Contact, data: dict[str, Any]) -> None:
    """Let the sender in, for the supplier and not for one address; reversible."""
    if contact.outcome != Outcome.DOOR:
        raise ActionError("not_at_door", gettext_noop("This contact does not wait at the Door."))
    said = Said.from_json(contact.said)
    known = None if _is_strange(contact, said) else contact.mandate
    mandate = known or _mandate_for(ledger, owner, contact, said, data)
    same = Contact.objects.filter(
        household=contact.household,
        outcome=Outcome.DOOR,
        said__sender=said.sender,
        mandate=contact.mandate_id,
        suspicion=contact.suspicion,
    )
    if known is not None:
        same = Contact.objects.filter(pk=contact.pk)  # only what the owner looked at
    pks = list(same.values_list("pk", flat=True))
    _decide(
        ledger,
        owner,
        "let_in",
        {
            "mandate": str(mandate.uuid),
            "contacts": pks,
            "suspicion": contact.suspicion,
            "was": {"supplier": contact.supplier_id, "mandate": contact.mandate_id},
            "is_new": known is None and mandate.granted_at == ledger.now,
        },
        contact=contact,
    )
    trust = Trust.KNOWN_NUMBER if said.sender.startswith("+") else Trust.UNAUTHENTICATED
    let_in = Contact.objects.filter(pk__in=pks)
    let_in.update(
        supplier=mandate.supplier, mandate=mandate, suspicion="", trust=trust, decided_at=None
    )
    # Each by its own proof: who is let in once may be imitated all the same.
    let_in.filter(said__authentication=Authentication.PASS).update(trust=Trust.AUTHENTICATED)
    rows, loose = ledger.waiting(len(pks) + 500)
    if rows:
        settling.consolidate(ledger, rows, loose=loose)


def _is_strange(contact: Contact, said: Said) -> bool:
    """Say whether the sender is not the supplier whose address it wrote to."""
    host = sender_domain(said.sender)
    if contact.supplier_id is None or not host:
        return False
    domains = SupplierDomain.objects.filter(
        Q(household=None) | Q(household=contact.household_id), supplier=contact.supplier_id
    ).values_list("domain", flat=True)
    return bool(domains) and not belongs(host, domains)


def _mandate_for(
    ledger: Ledger, owner: Owner, contact: Contact, said: Said, data: dict[str, Any]
) -> Mandate:
    """Return the mandate for whoever waits: the chosen supplier's, or a new one."""
    sender = _sender(said)
    chosen = str(data.get("supplier", ""))
    if chosen:
        supplier = (
            Supplier.objects.for_owner(owner).filter(uuid=chosen).first()
            if _is_uuid(chosen)
            else None
        )
        if supplier is None:
            raise ActionError("unknown", gettext_noop("There is no such object."), field="supplier")
        if sender.number:
            SupplierNumber.objects.get_or_create(
                supplier=supplier, household=contact.household, number=sender.number
            )
        live = Mandate.objects.live().filter(household=contact.household, supplier=supplier).first()
        return live or mandates.grant(
            household=contact.household, supplier=supplier, owner=owner, now=ledger.now
        )
    proved = _proved(sender, said)
    if proved is not None:
        live = Mandate.objects.live().filter(household=contact.household, supplier=proved).first()
        if live is not None:
            return live
    guessed = Asset.objects.filter(
        journeys__uuid__in=contact.evidence.get("possibly", []), household=contact.household
    ).distinct()[:2]
    if proved is not None:
        return mandates.grant(
            household=contact.household,
            supplier=proved,
            purposes=[Purpose.SERVICE, Purpose.BILLING],
            assets=list(guessed) if len(guessed) == 1 else [],
            owner=owner,
            now=ledger.now,
        )
    return mandates.note_supplier(
        household=contact.household,
        name=sender.name,
        domains=[sender.domain] if sender.domain else [],
        numbers=[sender.number] if sender.number else [],
        purposes=[Purpose.SERVICE, Purpose.BILLING],
        assets=list(guessed) if len(guessed) == 1 else [],
        owner=owner,
        now=ledger.now,
    )


def _proved(sender: _Sender, said: Said) -> Supplier | None:
    """Return the supplier whose proved domain or number the sender has, where it is one."""
    if sender.domain and said.authentication == Authentication.PASS:
        found = Supplier.objects.filter(
            domains__household=None, domains__domain=sender.domain, is_active=True
        )
    elif sender.number:
        found = Supplier.objects.filter(
            numbers__household=None, numbers__number=sender.number, is_active=True
        )
    else:
        return None
    known = list(found.distinct()[:2])
    return known[0] if len(known) == 1 else None


def _sender(said: Said) -> _Sender:
    name, address = parseaddr(said.sender)
    if "@" in address:
        domain = address.rpartition("@")[2].lower()
        return _Sender(name=(name or domain)[:120], number="", domain=domain)
    return _Sender(name=said.sender[:120] or "Unknown", number=said.sender[:20], domain="")


def _not_now(ledger: Ledger, owner: Owner, contact: Contact) -> None:
    """Leave the sender outside; the contact stays, and is not offered again."""
    if contact.outcome != Outcome.DOOR:
        raise ActionError("not_at_door", gettext_noop("This contact does not wait at the Door."))
    _decide(ledger, owner, "not_now", {}, contact=contact)
    contact.reason = "not_now"
    contact.save(update_fields=["reason"])
