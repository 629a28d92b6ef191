"""A journey as people and programs see it: its card, its page, its report.

The names are those of the story report; the API, the pages and the replay read the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_noop

from assets.models import Asset
from notifications import (
    answers,
    badges,
    dealings,
    event_words,
    offers,
    reasons,
    senders,
    tongue,
    why,
    wording,
)
from notifications.choices import AppointmentState, FactState, Section, SurveyState
from notifications.consolidation import OUR_OWN
from notifications.ledger import Ledger, Row
from notifications.matter import RECALL, is_own_ask
from notifications.merging import (
    Entry,
    Matter,
    Register,
    Slot,
    Value,
    fold,
    read_window,
    window_key,
)
from notifications.models import Appointment, Fact, Journey, Link, Survey, Told
from notifications.tongue import gettext as _
from notifications.wording import Words
from owners.models import Household, Owner
from suppliers import particulars
from suppliers.choices import Outcome, Stage
from suppliers.contacts import Contact
from suppliers.models import Supplier

LOCALES = {"en": "en_GB"}  # dates and numbers of a language, where it has several
SLOT_STATES = {
    Stage.ASKED: AppointmentState.OFFERED,
    Stage.QUOTED: AppointmentState.OFFERED,
    Stage.BOOKED: AppointmentState.BOOKED,
    Stage.CONFIRMED: AppointmentState.CONFIRMED,
    Stage.ON_THE_WAY: AppointmentState.ON_THE_WAY,
    Stage.STARTED: AppointmentState.STARTED,
    Stage.DONE: AppointmentState.DONE,
    Stage.MISSED: AppointmentState.MISSED,
    Stage.CANCELLED: AppointmentState.CANCELLED,
}


def slot_state(slot: Slot) -> AppointmentState:
    """Return the state of a visit."""
    return AppointmentState.DECLINED if slot.is_declined else SLOT_STATES[slot.stage]


def words_for(
    ledger: Ledger,
    household: Household,
    matter: Matter,
    *,
    zone: ZoneInfo | None = None,
    language: str = "",
) -> Words:
    """Return the names, zone and language in which a matter is put into words.

    Without a language it is the one that is active; the words are made under it.
    """
    asset = ledger.assets.get(matter.asset)
    language = language or tongue.language() or settings.LANGUAGE_CODE
    return Words(
        zone=zone or ZoneInfo(household.zone),
        now=ledger.now,
        suppliers=ledger.names,
        asset=asset.name if asset else "",
        locale=LOCALES.get(language, language),
    )


def untold_of(journey: Journey, owner: Owner) -> list[reasons.Untold]:
    """Return the changes on a journey that this member was not told of, each with why."""
    known = Told.objects.filter(
        journey=journey, owner=owner, journey__household__memberships__owner=owner
    )
    return [one for told in known for one in reasons.untold(told.snapshot)]


def section(matter: Matter, now: datetime) -> Section:
    """Return where the card stands: only a question to the owner lights the lamp."""
    if matter.closed_at is not None:
        return Section.DONE
    is_snoozed = matter.snoozed_until is not None and now < matter.snoozed_until
    if not is_snoozed and needs_owner(matter, now):
        return Section.NEEDS_YOU
    if matter.live_slots or any(p.state == "open" for p in matter.promises.values()):
        return Section.ON_ITS_WAY
    return Section.QUIET


def needs_owner(matter: Matter, now: datetime) -> bool:
    """Whether something waits for the owner."""
    return bool(
        matter.done_at is not None
        or matter.conflicts
        or matter.waits_for_owner(now)
        or matter.safety
        or matter.lacks_asset
        or any(slot.is_overdue(now) for slot in matter.slots)
        or any(
            promise.state == "open" and promise.due_at is not None and promise.due_at <= now
            for promise in matter.promises.values()
        )
    )


def _action(
    name: str, label: str, *fields: dict[str, Any], primary: bool = False
) -> dict[str, Any]:
    return {"name": name, "label": label, "fields": list(fields), "is_primary": primary}


def _field(name: str, label: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": label, "type": kind, **more}


def actions(matter: Matter, words: Words, *, has_survey: bool = False) -> list[dict[str, Any]]:
    """Return what the owner can do now, the most useful first."""
    found: list[dict[str, Any]] = []
    if matter.own_ask and not matter.is_shared:
        return [] if matter.closed_at is not None else _own_actions(matter)
    if matter.closed_at is None and matter.done_at is not None:
        slot = wording.done_slot(matter)
        yes = _action("works", _yes(matter, slot), *_work_fields(matter), primary=True)
        found += [yes, _action("not_yet", _("Not yet"))]
    for name, current, other in matter.conflicts:
        for value in (current, other):
            found.append(
                _action(
                    "correct",
                    wording.settled_by(name, value.key, words),
                    _field("fact", _("Fact"), "hidden", value=name),
                    _field("value", _("Value"), "hidden", value=value.key),
                )
            )
        draft = wording.drafted_question(name, current, other, words)
        found.append(
            _action(
                "reply",
                _("Ask them"),
                _field("text", _("Message"), "text", value=draft),
                primary=not found[:-2],
            )
        )
    if matter.lacks_asset:
        found.append(_action("choose_asset", _("Choose"), _field("asset", _("Asset"), "asset")))
    if matter.closed_at is None:
        found += _visit_actions(matter, words)
        found += _dealing_actions(matter)
        asked = any(not is_own_ask(name) for name in matter.asks)
        if asked and not any(action["name"] == "reply" for action in found):
            found.append(
                _action(
                    "reply", _("Answer"), _field("text", _("Message"), "text"), primary=not found
                )
            )
    if has_survey and matter.score is None:
        found.append(
            _action(
                "rate",
                _("Rate"),
                _field("score", _("Score"), "integer", minimum=1, maximum=5),
                _field("text", _("In your words"), "text", required=False),
            )
        )
    if matter.closed_at is None:
        if matter.own_ask and matter.done_at is None:
            found.append(_action("done", _("Done"), *_work_fields(matter)))
        elif not any(action["name"] == "works" for action in found):
            found.append(_action("works", _("It is settled")))  # only the owner knows
        found.append(_action("snooze", _("Later"), _field("until", _("Until"), "datetime")))
        if not any(action["name"] == "reply" for action in found):
            found.append(_action("reply", _("Write"), _field("text", _("Message"), "text")))
    return found


# What the one tap is called, and the other that says no, where a thing asks for something.
_OWN = {
    "care": (gettext_noop("Done"), gettext_noop("Skip this time")),
    "own_stock": (gettext_noop("Bought"), gettext_noop("Leave it")),
    "own_loan": (gettext_noop("It is back"), gettext_noop("Never mind")),
    "own_delivery": (gettext_noop("It has arrived"), gettext_noop("Never mind")),
    "own_register": (gettext_noop("Registered"), gettext_noop("No need")),
    "own_hand_over": (gettext_noop("All is ready"), gettext_noop("No need")),
    "own_parting": (gettext_noop("All is settled"), gettext_noop("No need")),
    "own_return": (gettext_noop("We keep it"), gettext_noop("Never mind")),
    "own_guarantee": (gettext_noop("All is well with it"), gettext_noop("Never mind")),
    "own_cover": (gettext_noop("Seen to"), gettext_noop("Never mind")),
    "own_cancel": (gettext_noop("Seen to"), gettext_noop("Let it go on")),
    "own_answer": (gettext_noop("They answered"), gettext_noop("Never mind")),
    "own_told": (gettext_noop("All is settled"), gettext_noop("Never mind")),
    "own_schedule": (gettext_noop("Plan it"), gettext_noop("No, thank you")),
    "own_offered": (gettext_noop("I have seen it"), gettext_noop("Never mind")),
    "own_accepted": (gettext_noop("I have seen it"), gettext_noop("Never mind")),
    "own_declined": (gettext_noop("I have seen it"), gettext_noop("Never mind")),
    "own_received": (gettext_noop("All is settled"), gettext_noop("Never mind")),
    "own_ask_back": (gettext_noop("I have seen it"), gettext_noop("Never mind")),
    "own_defect": (gettext_noop("They know"), gettext_noop("Never mind")),
    "own_recall": (gettext_noop("It is put right"), gettext_noop("Not mine")),
}


_PASSING = {
    "offered": gettext_noop("See what goes along"),
    "accepted": gettext_noop("Hand it over"),
    "declined": gettext_noop("See the offer"),
    "received": gettext_noop("See what came along"),
    "ask_back": gettext_noop("See the hand-over"),
}


def _own_actions(matter: Matter) -> list[dict[str, Any]]:
    """Return what can be done where the thing itself speaks: nobody is there to be answered."""
    yes, no = _OWN[matter.own_ask]
    # Of a recall the first step is to look, on its page.
    is_first = matter.own_ask != RECALL
    found = [_action("done", _(yes), *_own_fields(matter), primary=is_first)]
    worker = matter.facts.get("care_worker")
    if worker is not None and worker.current is not None:
        name = wording.short(worker.current.text or worker.current.key)
        windows = _field("windows", _("Windows"), "windows", maximum=3)
        found.append(_action("book", _("Book %(who)s") % {"who": name}, windows))
    found.append(_action("snooze", _("Later"), _field("until", _("Until"), "datetime")))
    return [*found, _action("skip", _(no))]


def _own_fields(matter: Matter) -> list[dict[str, Any]]:
    if matter.own_ask == "own_stock":
        return [_field("quantity", _("How much there is now"), "decimal", required=False)]
    return _work_fields(matter)


def _work_fields(matter: Matter) -> list[dict[str, Any]]:
    """Return what may be said of the care that was done with the same tap."""
    if matter.own_ask != "care":
        return []
    return [
        _field("reading", _("What its meter shows"), "decimal", required=False),
        _field("amount", _("What it cost"), "decimal", required=False),
    ]


def own_links(rows: Iterable[Row], matter: Matter) -> list[dict[str, str]]:
    """Return the pages on which there is more to say to what a thing asks for."""
    if not matter.own_ask or matter.closed_at is not None:
        return []
    own = [row.entry.said for row in rows if row.entry.said.type.startswith(OUR_OWN)]
    names = [key.value for said in own for key in said.keys if key.scheme == "entity"]
    kind, _colon, rest = (names[0] if names else "").partition(":")
    if kind == "care":
        task = rest.partition(":")[0]
        return [_page_link(_("With photo, parts and who did it"), f"/care/{task}/done/")]
    if kind == "told":
        return [_page_link(_("See who has answered"), f"/tell/notices/{rest}/")]
    if kind in _PASSING:
        return [_page_link(_(_PASSING[kind]), f"/transfers/notices/{rest}/")]
    if kind == "stock":
        return [_page_link(_("See the stock"), "/parts/")]
    if kind == "recall":
        return [_page_link(_("Compare, book the remedy, keep the proof"), f"/recalls/{rest}/")]
    if not matter.asset:
        return []
    asset = f"/assets/{matter.asset}/"
    pages = {
        "loan": (_("See the loan"), asset),
        "delivery": (_("See the order"), f"{asset}?tab=costs"),
        "register": (_("See its numbers"), f"{asset}?tab=details"),
        "hand_over": (_("See what goes along"), f"{asset}hand-over/"),
        "parting": (_("See who"), f"{asset}parting/"),
        "schedule": (_("See its care"), f"{asset}care/"),
        "return": (_("See the order"), f"{asset}?tab=costs"),
        "guarantee": (_("Something is wrong"), f"{asset}fault/"),
        "cover": (_("See what covers it"), f"{asset}?tab=costs"),
        "cancel": (_("See the contract"), f"{asset}worth/"),
        "answer": (_("See the claim"), f"{asset}faults/"),
        "defect": (_("See who pays"), f"{asset}faults/"),
    }
    return [_page_link(*pages[kind])] if kind in pages else []


def _page_link(label: str, href: str) -> dict[str, str]:
    return {"label": label, "href": href}


def _yes(matter: Matter, slot: Slot | None) -> str:
    """What the owner says when a matter came to its end."""
    if matter.own_ask:
        return _("Yes, it is done")
    if slot is not None and slot.kind == "delivery":
        return _("Yes, it is all here")
    return _("Yes, it is settled") if matter.is_claim else _("Yes, it works")


def _visit_actions(matter: Matter, words: Words) -> list[dict[str, Any]]:
    windows = _field("windows", _("Windows"), "windows", maximum=3)
    picks = [
        _action(
            "pick",
            words.window(offer.window),
            _field("slot", _("Window"), "hidden", value=offer.slot_id),
        )
        for offer in offers.open_offers(matter, words.now)
    ]
    if picks:
        return [*picks, _action("counter", _("Another time"), windows)]
    live = matter.live_slots
    if not live:
        return [_action("request", _("Ask for a visit"), windows)] if matter.suppliers else []
    slot = live[0]
    if slot.is_overdue(words.now):
        is_late = slot.is_long_overdue(words.now)
        ask = _field("text", _("Message"), "text")
        found = [
            _action("reply", _("Message"), ask, primary=not is_late),
            _action("counter", _("Rebook"), windows),
        ]
        came = _action("works", _yes(matter, slot), primary=is_late)
        return [came, *found] if is_late else [*found, came]
    if slot.span is None or slot.stage not in (Stage.ASKED, Stage.BOOKED, Stage.CONFIRMED):
        return []
    found = []
    if slot.proposal is not None:
        proposal = _field("proposal", _("Window"), "hidden", value=slot.proposal.key)
        when = words.window(read_window(slot.proposal.key))
        found.append(_action("accept", _("Take %(when)s") % {"when": when}, proposal, primary=True))
        found.append(_action("decline", _("Keep the booked time"), proposal))
    elif matter.questions:
        found.append(_action("yes", _("Yes, right")))
        found.append(
            _action(
                "correct",
                _("Change"),
                _field("fact", _("Fact"), "hidden", value="window"),
                _field("value", _("Window"), "window", value=slot.window.current.key),  # type: ignore[union-attr]
            )
        )
    elif not is_agreed(matter, slot):
        found += [_action("accept", _("Accept")), _action("tentative", _("Perhaps"))]
    found.append(_action("counter", _("Another time"), windows))
    if is_agreed(matter, slot):
        found.append(_action("cancel", _("Call it off")))
    else:
        found.append(_action("decline", _("Decline")))
    return found


def _dealing_actions(matter: Matter) -> list[dict[str, Any]]:
    """Return what can be said to an offer, a bill or a recall."""
    text = _field("text", _("Message"), "text")
    found: list[dict[str, Any]] = []
    if dealings.open_things(matter, dealings.QUOTE) and not matter.live_slots:
        found += [_action("accept", _("Take the offer")), _action("decline", _("No, thank you"))]
    if dealings.open_things(matter, dealings.INVOICE):
        found.append(_action("dispute", _("Not right"), text))
    if dealings.open_things(matter, dealings.RECALL):
        if "recall_known" not in matter.confirmed:
            found.append(_action("acknowledge", _("I know of it")))
        found.append(_action("choose_remedy", _("Say what you want"), text))
        found.append(_action("not_mine", _("Not mine any more")))
    return found


def is_agreed(matter: Matter, slot: Slot) -> bool:
    """Whether the owner said yes to the time that holds now; to another one does not count.

    Nobody accepts what they asked for themselves.
    """
    span = slot.span
    is_as_asked = span is not None and any(
        asked.start <= span.start and span.end <= asked.end for asked in matter.asked_for
    )
    is_yes = f"slot:{slot.name}" in matter.confirmed
    return is_yes or is_as_asked or _is_owners_word(matter, slot)


def _is_owners_word(matter: Matter, slot: Slot) -> bool:
    """Whether the owner named the time that holds: nobody accepts what they said themselves."""
    window = slot.window.current
    return window is not None and any(source in matter.own for source in window.sources)


def card_body(
    ledger: Ledger,
    journey: Journey,
    matter: Matter,
    words: Words,
    *,
    title: str,
    survey: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the feed item of a journey, without id and version."""
    asset = ledger.assets.get(matter.asset)
    rows = sorted(ledger.rows.get(str(journey.uuid), []), key=lambda row: row.entry.order)
    thread = []
    for row in rows:
        verdict = matter.verdicts.get(row.entry.id)
        thread.append(
            {
                "contact": row.entry.id,
                "outcome": verdict.outcome.value if verdict else row.outcome,
                "kind": row.entry.said.kind.value,
                "at": row.entry.said.said_at.isoformat(),
            }
        )
    badge = None
    if matter.done_at is None and matter.closed_at is None:
        badge = _badge(ledger, rows, matter)
    question = None
    if matter.closed_at is None and matter.done_at is not None:
        question = wording.done_question(matter, words, wording.done_slot(matter))
    return {
        "journey": str(journey.uuid),
        "section": section(matter, ledger.now).value,
        "title": title,
        "meta": wording.meta(matter, words)[:300],
        "asset": asset_body(asset),
        "suppliers": [
            {"id": str(ledger.suppliers[pk].uuid), "name": ledger.suppliers[pk].name}
            for pk in matter.suppliers
            if pk in ledger.suppliers
        ],
        "thread": thread,
        "promise": _promise_bar(matter),
        "badge": badge,
        "question": question,
        "conflicts": conflicts(matter),
        "survey": survey,
        "actions": actions(matter, words, has_survey=survey is not None),
        "links": own_links(rows, matter),
    }


def _badge(ledger: Ledger, rows: Iterable[Row], matter: Matter) -> dict[str, Any] | None:
    """Return whether it is really them, of what is shown and where it matters."""
    shown = [row.entry for row in rows if _is_shown(matter, row)]
    entry = badges.weightiest(shown)
    if entry is None:
        return None
    supplier = ledger.suppliers.get(entry.supplier)
    found = badge_of(entry, supplier, ledger.proved.get(entry.supplier, particulars.Proved()))
    return {**found, "contact": entry.id}


def _is_shown(matter: Matter, row: Row) -> bool:
    verdict = matter.verdicts.get(row.entry.id)
    return verdict is not None and verdict.outcome == Outcome.SHOWN


def badge_of(entry: Entry, supplier: Supplier | None, proved: particulars.Proved) -> dict[str, Any]:
    """Return whether it is really them who said it, by what is proved of them."""
    said = entry.said
    return badges.of_contact(
        said={
            "sender": said.sender,
            "proof": said.proof.to_json() if said.proof else None,
            "caller": said.caller.to_json() if said.caller else None,
            "authentication": said.authentication.value,
            "payment_domains": said.payment_domains,
        },
        trust=entry.trust,
        suspicion=entry.suspicion,
        supplier=supplier.name if supplier else "",
        domains=proved.domains,
        numbers=proved.numbers,
    ).to_json()


def asset_body(asset: Asset | None) -> dict[str, Any] | None:
    """Return an asset in short."""
    if asset is None:
        return None
    return {"id": str(asset.uuid), "name": asset.name, "kind": asset.kind}


def _promise_bar(matter: Matter) -> dict[str, Any] | None:
    for slot in sorted(matter.live_slots, key=lambda slot: slot.behind):
        if slot.span is not None:
            return {
                "start": slot.span.start.isoformat(),
                "end": slot.span.end.isoformat(),
                "zone": slot.zone,
                "state": slot_state(slot).value,
                "kind": slot.kind,
            }
    return None


def conflicts(matter: Matter) -> list[dict[str, Any]]:
    """Return the facts between whose values nobody decided, with both sources."""
    return [
        {
            "fact": name,
            "values": [
                {"value": value.key, "contact": value.sources[-1]} for value in (current, other)
            ],
        }
        for name, current, other in matter.conflicts
    ]


def _fact(name: str, value: Value, state: FactState) -> dict[str, Any]:
    return {
        "name": name,
        "label": value.label,
        "value": value.key,
        "state": state.value,
        "sources": value.sources,
        "is_from_text": value.is_from_text,
    }


def register_values(name: str, register: Register) -> list[tuple[Value, FactState]]:
    """Return every value of a fact with its state, the current one first."""
    found = []
    if register.current is not None:
        state = FactState.CONFLICT if register.contested else FactState.CURRENT
        found.append((register.current, state))
    if register.contested is not None:
        found.append((register.contested, FactState.CONFLICT))
    found += [
        (value, FactState.REPLACED)
        for value in register.replaced
        if value is not register.contested
    ]
    return found


def slot_body(slot: Slot) -> dict[str, Any]:
    """Return a visit as in the report."""
    span = slot.span
    registers = (("start", slot.window), ("place", slot.where), ("person", slot.who))
    sources = {
        name: list(register.current.sources)
        for name, register in registers
        if register.current is not None
    }
    if slot.zone_source:
        sources["zone"] = [slot.zone_source]
    if slot.stage_source:
        sources["state"] = [slot.stage_source]
    return {
        "uid": slot.uid,
        "kind": slot.kind,
        "start": span.start.isoformat() if span else None,
        "end": span.end.isoformat() if span else None,
        "zone": slot.zone,
        "place": slot.place,
        "person": slot.person,
        "state": slot_state(slot).value,
        "sequence": slot.order[0] if slot.order else 0,
        "was_on_time": slot.was_on_time,
        "replaced": [value.key for value in slot.window.replaced],
        "sources": sources,
    }


def describe(journey: Journey, *, now: datetime) -> dict[str, Any]:
    """Return everything about a journey (see the story report)."""
    ledger = Ledger.open([journey.household], now=now)
    ledger.journeys[str(journey.uuid)] = journey
    ledger.load_journeys([str(journey.uuid)])
    uuid = str(journey.uuid)
    rows = sorted(ledger.rows.get(uuid, []), key=lambda row: row.entry.order)
    matter = fold(
        [row.entry for row in rows],
        ledger.decisions.get(uuid, []),
        currency=journey.household.currency,
        now=now,
    )
    ledger.load_people([], {*matter.suppliers})
    words = words_for(ledger, journey.household, matter)
    proved = particulars.proved(matter.suppliers)
    surveys = list(Survey.objects.filter(journey=journey).order_by("requested_at", "pk"))
    has_offer = any(survey.state == SurveyState.OFFERED for survey in surveys)
    appointments = {row.slot: row for row in Appointment.objects.filter(journey=journey)}
    fact_ids = {
        (row.name, row.value): str(row.uuid) for row in Fact.objects.filter(journey=journey)
    }
    links = {
        str(link.contact.uuid): link
        for link in Link.objects.filter(journey=journey, revoked_at=None).select_related("contact")
    }
    facts = [
        {**_fact(name, value, state), "id": fact_ids.get((name, value.key[:1000]))}
        for name, register in matter.facts.items()
        for value, state in register_values(name, register)
    ]
    answered = answers.of_journey(journey)
    return {
        "id": uuid,
        "asset": asset_body(ledger.assets.get(matter.asset)),
        "suppliers": [
            {"id": str(ledger.suppliers[pk].uuid), "name": ledger.suppliers[pk].name}
            for pk in matter.suppliers
            if pk in ledger.suppliers
        ],
        "title": wording.title(matter, words),
        "state": matter.state.value,
        "turn": matter.turn.value,
        "stage": matter.stage.name.lower(),
        "opened_at": matter.opened_at.isoformat() if matter.opened_at else None,
        "done_at": matter.done_at.isoformat() if matter.done_at else None,
        "closed_at": matter.closed_at.isoformat() if matter.closed_at else None,
        "contacts": [
            _contact(row, matter, links.get(row.entry.id), ledger, words, proved) for row in rows
        ],
        "facts": facts,
        "appointments": [
            {
                "id": str(appointments[slot.name[:340]].uuid)
                if slot.name[:340] in appointments
                else None,
                **slot_body(slot),
                "is_agreed": is_agreed(matter, slot),
            }
            for slot in matter.slots
        ],
        "surveys": [
            {
                "id": str(survey.uuid),
                "state": survey.state,
                "reason": survey.held_reason,
                "survey_id": survey.survey_id,
            }
            for survey in surveys
        ],
        "promises": [
            {
                "id": promise.promise_id,
                "what": promise.what,
                "due_at": promise.due_at.isoformat() if promise.due_at else None,
                "state": "missed"
                if promise.state == "open" and promise.due_at and promise.due_at <= now
                else promise.state,
            }
            for promise in matter.promises.values()
        ],
        "conflicts": conflicts(matter),
        "asks": [
            {"fact": fact, "prompt": prompt, "contact": source}
            for fact, (prompt, source) in matter.asks.items()
        ],
        "tried": matter.tried,
        "answers": answered,
        "undelivered": [
            {name: one[name] for name in ("id", "supplier", "at", "type", "text", "why")}
            for one in reversed(answered)
            if answers.is_missing(one)
        ],
        "possibly_related": _possibly(rows, links),
        "actions": actions(matter, words, has_survey=has_offer),
        "links": own_links(rows, matter),
    }


def _possibly(rows: list[Row], links: dict[str, Link]) -> list[str]:
    found: list[str] = []
    for row in rows:
        link = links.get(row.entry.id)
        found += link.evidence.get("possibly", []) if link else []
    return list(dict.fromkeys(found))


def _stated(said: Contact) -> Iterator[dict[str, str]]:
    """Yield what an event states in fields; words say it themselves."""
    if said.quote or said.body or said.summary:
        return
    if said.visit is not None and said.visit.window is not None:
        yield {"name": "window", "label": "", "value": window_key(said.visit.window)}
    if said.visit is not None:
        for name in ("person", "place"):
            if value := getattr(said.visit, name):
                yield {"name": name, "label": "", "value": value}
    if said.status and said.status != said.type.rpartition(".")[2]:
        yield {"name": "status", "label": "", "value": said.status}
    for fact in said.facts:
        money = f"{fact.money.amount} {fact.money.currency}".strip() if fact.money else ""
        yield {"name": fact.name, "label": fact.label, "value": money or fact.value}
    if said.promise is not None:
        yield {"name": "promise", "label": "", "value": said.promise.what}


def _contact(
    row: Row,
    matter: Matter,
    link: Link | None,
    ledger: Ledger,
    words: Words,
    proved: Mapping[int, particulars.Proved],
) -> dict[str, Any]:
    said = row.entry.said
    of_it = proved.get(row.entry.supplier, particulars.Proved())
    verdict = matter.verdicts.get(row.entry.id)
    supplier = ledger.suppliers.get(row.entry.supplier)
    return {
        "id": row.entry.id,
        "at": said.said_at.isoformat(),
        "received_at": row.received_at.isoformat(),
        "kind": said.kind.value,
        "medium": said.medium.value,
        "direction": said.direction.value,
        "type": said.type,
        "sender": said.sender,
        "who": said.who,
        "supplier": {"id": str(supplier.uuid), "name": supplier.name} if supplier else None,
        "authentication": said.authentication.value,
        "title": event_words.title(said.title),
        "text": said.quote or said.body or said.summary,
        "facts": [*_stated(said)],
        "documents": list(said.documents),
        "outcome": (verdict.outcome if verdict else Outcome(row.outcome)).value,
        "reason": verdict.reason if verdict else "",
        "rule": verdict.rule if verdict else "",
        "evidence": verdict.evidence if verdict else {},
        "why": why.of_contact(
            reason=verdict.reason, rule=verdict.rule, evidence=verdict.evidence, words=words
        )
        if verdict
        else "",
        "sender_check": senders.of_proof(said.proof.to_json() if said.proof else None)
        or senders.of_caller(said.caller.to_json() if said.caller else None),
        "caller": senders.caller_of({"caller": said.caller.to_json()}) if said.caller else None,
        "badge": badge_of(row.entry, supplier, of_it),
        "has_original": said.proof is not None,
        "link": _link(link, words) if link else None,
    }


def _link(link: Link, words: Words) -> dict[str, Any]:
    return {
        "rule": link.rule,
        "evidence": link.evidence,
        "is_likely": link.is_likely,
        "why": why.of_link(
            rule=link.rule, evidence=link.evidence, is_likely=link.is_likely, words=words
        ),
    }
