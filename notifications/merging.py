"""What a matter comes to: its contacts and the owner's decisions, folded into one state.

Pure. The fold goes through the contacts in the order in which they were *said*, so any
order of arrival ends in the same state, and the same contact twice changes nothing. A
contact is absorbed only when it brings nothing that is not already known.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from notifications import dealings, offers, series
from notifications.choices import Turn
from notifications.invitations import put_aside, settle_proposal
from notifications.matter import (
    BOOKED,
    BOOKED_WAITS,
    CANCELLED,
    GRACE,
    LOG_AS_INCUMBENT,
    OWN_DAYS,
    SETTLED,
    WAITED,
    Decided,
    Entry,
    Matter,
    News,
    PromiseMade,
    Reached,
    Register,
    Slot,
    SurveyAsked,
    Value,
    Verdict,
    is_own_ask,
    money_key,
    read_window,
    value_of,
    window_key,
)
from notifications.visits import settle, take_arrival, take_visit
from owners.choices import Trust
from suppliers.choices import CallStatus, ContactKind, Direction, Outcome, Stage
from suppliers.contacts import FactClaim, Window

__all__ = [
    "BOOKED",
    "CANCELLED",
    "Decided",
    "Entry",
    "Matter",
    "Reached",
    "Register",
    "Slot",
    "SurveyAsked",
    "Value",
    "fold",
    "next_change",
    "read_window",
    "window_key",
]

# A journey whose question nobody answered closes by itself (rule 8).
SILENCE = timedelta(days=14)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
VISIT_ANSWERS = frozenset({"accept", "yes", "decline", "tentative", "pick", "cancel"})
# Names that identify or describe without being news to the owner.
QUIET_FACTS = frozenset(
    {
        *("reference", "item", "items", "order_status", "status", "quantity", "phone", "url"),
        *("carrier", "merchant", "seller", "guest", "issued_on"),
    }
)

# What a card may be put aside for, beside a time.
DAY_BEFORE_VISIT, ANSWER = "day_before_visit", "answer"
SNOOZE_EVENTS = (DAY_BEFORE_VISIT, ANSWER)
ONE_DAY = timedelta(days=1)
WAITS_FOR_ANSWER = timedelta(days=30)  # nothing is put aside for ever


def fold(
    entries: Iterable[Entry],
    decisions: Sequence[Decided] = (),
    *,
    currency: str,
    now: datetime,
) -> Matter:
    """Return what the matter comes to at `now`.

    `currency` is what an amount without one means here.
    """
    matter = Matter(currency=currency)
    entries = list(entries)
    steps: list[tuple[datetime, int, str, Entry | Decided]] = [
        (entry.said.said_at, 0, entry.id, entry) for entry in entries
    ]
    steps += [(decided.at, 1, decided.id, decided) for decided in decisions]
    steps.sort(key=lambda step: step[:3])
    for at, _, _, step in steps:
        series.roll(matter, at)
        if isinstance(step, Entry):
            _take(matter, step)
        else:
            _decide(matter, step)
    for decided in decisions:
        # About one contact, whatever its sender's clock said.
        if decided.name == "undo_absorb":
            _bring_back(matter, decided)
    if matter.revisions:
        _supersede(matter, entries)
    series.roll(matter, now)
    _finish(matter, now)
    if matter.snooze_event:
        _await(matter, entries)
    return matter


# -- one contact -----------------------------------------------------------------------


def _take(matter: Matter, entry: Entry) -> None:
    said = entry.said
    is_first = matter.opened_at is None
    _note(matter, entry)
    if said.survey is not None or said.kind == ContactKind.SURVEY_CLOSED:
        _survey(matter, entry)
        return
    news = News()
    if _is_stale(matter, entry):
        matter.verdicts[entry.id] = Verdict(
            Outcome.ABSORBED, "older_revision", "merge_by_order", {"revision": said.revision}
        )
        return
    if said.visit is not None:
        take_visit(matter, entry, said.visit, news)
        if any(slot.is_expected for slot in matter.slots):
            matter.asks.pop(offers.ASKED, None)  # a time is found
    elif said.eta is not None:
        take_arrival(matter, entry, said.eta, news)
    _facts(matter, entry, news)
    _reach(matter, entry, news)
    _asks(matter, entry, news)
    _promise(matter, entry, news)
    _step(matter, entry, news)
    _progress(matter, entry, news)
    if said.payment_domains and "payment_link" not in matter.confirmed:
        matter.confirmed.add("payment_link")
        news.new.append("payment_link")
    # That a mail has an id of its own, or answers another, does not make its words known.
    named = any(key.scheme not in ("message", "thread") for key in said.keys)
    recognised = news.known or named or said.visit or said.facts
    is_silent_call = said.call is not None and said.call.status in (
        CallStatus.DROPPED,
        CallStatus.MISSED,
    )
    if not news.new and not recognised and not is_silent_call and not entry.is_own:
        # Words that no rule understood are never taken for known.
        matter.words.append(entry.id)
        news.new.append("words")
    if is_first and not news.new:
        news.new.append("first")
    if (
        entry.is_own
        and said.is_from_text
        and any(item in news.new for item in ("visit", "visit_moved", "price", "price_changed"))
    ):
        matter.questions.add(entry.id)
    matter.verdicts[entry.id] = _judge(matter, entry, news)
    if said.remarks:
        matter.verdicts[entry.id].evidence["remarks"] = list(said.remarks)
    if _reopens(entry, news):
        matter.stirred_at = said.said_at
        if matter.closed_at:
            matter.closed_at, matter.closed_by = None, ""
            matter.reopened_at = said.said_at


def _note(matter: Matter, entry: Entry) -> None:
    """Take in what every contact carries, whether it brings news or not."""
    said = entry.said
    matter.opened_at = matter.opened_at or said.said_at
    matter.last_said_at = max(matter.last_said_at or said.said_at, said.said_at)
    if entry.supplier and entry.supplier not in matter.suppliers:
        matter.suppliers.append(entry.supplier)
    if entry.asset and not matter.asset:
        matter.asset = entry.asset
    if said.asset_hint and not matter.asset_hint:
        matter.asset_hint = said.asset_hint
    if entry.supplier and said.is_counted and not entry.asset and len(entry.covers) > 1:
        matter.is_asset_open = True
    if said.meant_for is not None:
        matter.meant_for = said.meant_for
    if said.title and not matter.title and not entry.is_own:
        matter.title = said.title
    if entry.is_own:
        matter.issue = matter.issue or said.summary or said.body
        matter.own[entry.id] = (entry.owner, said.is_from_text)
    if said.expires_at is not None:
        matter.expiries[entry.id] = said.expires_at
    if said.sender and said.call is not None:
        matter.callers[said.sender] = said.said_at


def _judge(matter: Matter, entry: Entry, news: News) -> Verdict:
    if entry.is_own:
        return Verdict(Outcome.OWN, "own", "owner_log", {"read": news.new})
    if news.new and matter.is_muted and not entry.said.is_safety:
        return Verdict(Outcome.HELD, "muted", "owner_decided", {"new": news.new})
    if news.new:
        return Verdict(Outcome.SHOWN, news.new[0], "only_the_known_absorbs", {"new": news.new})
    if entry.supplier in matter.always_show:
        return Verdict(Outcome.SHOWN, "always_show", "owner_decided", {"known": news.known})
    return Verdict(Outcome.ABSORBED, "nothing_new", "only_the_known_absorbs", {"known": news.known})


def _reopens(entry: Entry, news: News) -> bool:
    bill = {
        *("price", "price_changed", "price_conflict", "paid", "payment_link"),
        *("due_on", "due_on_changed", "due_on_conflict"),
    }
    return bool(set(news.new) - bill - {"first", "words"}) and not entry.said.is_resolution


def _is_stale(matter: Matter, entry: Entry) -> bool:
    said = entry.said
    if said.revision is None or not said.entity:
        return False
    family = _family(entry)
    newest = matter.revisions.get(family, -1)
    if said.revision < newest:
        return True
    matter.revisions[family] = said.revision
    return False


def _survey(matter: Matter, entry: Entry) -> None:
    said = entry.said
    known = next(
        (s for s in matter.surveys if said.survey and s.claim.survey_id == said.survey.survey_id),
        None,
    )
    if said.kind == ContactKind.SURVEY_CLOSED:
        if known:
            known.is_closed = True
        matter.verdicts[entry.id] = Verdict(Outcome.SHOWN, "survey_closed", "surveys_wait", {})
        return
    if known is None and said.survey is not None:
        matter.surveys.append(
            SurveyAsked(
                contact=entry.id,
                supplier=entry.supplier,
                claim=said.survey,
                requested_at=said.said_at,
            )
        )
    matter.verdicts[entry.id] = Verdict(
        Outcome.HELD,
        "survey",
        "surveys_never_interrupt",
        {"about": said.survey.about} if said.survey else {},
    )


# -- everything else a contact may bring -----------------------------------------------


def _facts(matter: Matter, entry: Entry, news: News) -> None:
    for claim in entry.said.facts:
        value = value_of(entry, claim.value)
        value.text, value.label = claim.value, claim.label
        if claim.source:
            value.is_from_text = claim.source == "text"
        if claim.money is not None:
            currency = claim.money.currency or matter.currency
            value.key = value.text = money_key(claim.money.amount, currency)
            _money(matter, entry, claim, value, news)
            continue
        register = matter.facts.setdefault(claim.name, Register())
        is_later = claim.name in OWN_DAYS
        what = register.state(value, challenger=entry.trust, is_later=is_later)
        if claim.name in QUIET_FACTS or what in ("same", "rejected"):
            news.known.append(claim.name)
        else:
            news.new.append(claim.name if what == "new" else f"{claim.name}_{what}")


def _money(matter: Matter, entry: Entry, claim: FactClaim, value: Value, news: News) -> None:
    """An amount that is already on the card is not new, under whatever name."""
    is_on_card = any(
        register.current is not None and register.current.key == value.key
        for name, register in matter.facts.items()
        if name in matter.money
    )
    register = matter.facts.setdefault(claim.name, Register())
    what = register.state(value, challenger=entry.trust)
    if register.current is not None:
        matter.money[claim.name] = register.current.key
        if value.label and not register.current.label:
            register.current.label = value.label
    if what in ("same", "rejected") or (is_on_card and what == "new"):
        news.known.append(claim.name)
    elif what == "new":
        news.new.append("price")
    else:
        news.new.append(f"price_{what}")


def _reach(matter: Matter, entry: Entry, news: News) -> None:
    said = entry.said
    if not said.is_reaching_out or said.direction == Direction.OUT:
        if said.is_arriving and said.quote and said.eta is None and said.visit is None:
            news.new.append("arriving")
            _note_reach(matter, entry)
        return
    day = timedelta(hours=24)
    before = [
        past
        for past in matter.reached
        if said.said_at - past.at <= day
        and (past.sender == said.sender or (entry.supplier and past.supplier == entry.supplier))
    ]
    if (said.quote and all(past.quote != said.quote for past in before)) or not before:
        news.new.append("reaching_out")
        _note_reach(matter, entry)
    else:
        news.known.append("caller")


def _note_reach(matter: Matter, entry: Entry) -> None:
    matter.reached.append(
        Reached(
            entry=entry.id,
            sender=entry.said.sender,
            supplier=entry.supplier,
            at=entry.said.said_at,
            quote=entry.said.quote,
            is_likely=entry.is_likely,
            is_call=entry.said.call is not None,
        )
    )


def _asks(matter: Matter, entry: Entry, news: News) -> None:
    if entry.is_own:
        return
    for ask in entry.said.asks:
        if ask.fact in matter.asks:
            news.known.append(f"ask_{ask.fact}")
            if entry.said.revision is not None:
                matter.asks[ask.fact] = (ask.prompt, entry.id)  # the newest revision asks
        else:
            matter.asks[ask.fact] = (ask.prompt, entry.id)
            news.new.append("ask")


def _promise(matter: Matter, entry: Entry, news: News) -> None:
    claim = entry.said.promise
    if claim is None:
        return
    known = matter.promises.get(claim.promise_id)
    if known is None:
        matter.promises[claim.promise_id] = PromiseMade(
            promise_id=claim.promise_id,
            supplier=entry.supplier,
            what=claim.what,
            due_at=claim.due_at,
            state=claim.state,
            source=entry.id,
        )
        news.new.append("promise")
        return
    changed = known.state not in (claim.state, "kept")
    if claim.due_at is not None and claim.due_at != known.due_at:
        known.due_at, changed = claim.due_at, True
    if claim.state != "open":
        known.state = claim.state if known.state != "kept" else known.state
    if claim.what and claim.what != known.what:
        known.what, changed = claim.what, True
    if changed:
        known.source = entry.id
        news.new.append("promise_changed")
    else:
        news.known.append("promise")


def _step(matter: Matter, entry: Entry, news: News) -> None:
    claim = entry.said.step
    if claim is None:
        return
    same = (claim.what, claim.result)
    if any((tried["what"], tried["result"]) == same for tried in matter.tried):
        news.known.append("step")
        return
    matter.tried.append(
        {"what": claim.what, "at": entry.said.said_at.isoformat(), "result": claim.result}
    )
    news.new.append("step")


def _is_matched(entry: Entry) -> bool:
    """Whether a recall names the very thing that is owned."""
    is_exact = any(
        fact.name == "match" and fact.value in ("serial", "vin", "batch")
        for fact in entry.said.facts
    )
    return entry.said.kind == ContactKind.RECALL and bool(entry.asset) and is_exact


def _progress(matter: Matter, entry: Entry, news: News) -> None:
    said = entry.said
    if said.type in _PAID:
        matter.paid_at = said.said_at
    elif "price" in news.new or "price_changed" in news.new or "due_on" in news.new:
        matter.paid_at = None
    if said.is_safety:
        matter.safety.append(entry.id)
        if _is_matched(entry):
            matter.matched.add(entry.id)
        elif said.kind != ContactKind.RECALL:
            matter.alarms[entry.id] = entry.supplier
        news.new.append("safety")
    if said.is_resolution:
        if matter.resolved_at is None or (
            matter.reopened_at and matter.resolved_at < matter.reopened_at
        ):
            matter.resolved_at, matter.done_source = said.said_at, entry.id
            news.new.append("resolved")
        else:
            news.known.append("resolved")
    elif said.kind == ContactKind.PROGRESS and not news.new:
        status = f"{said.type}:{said.status}"
        if status in matter.confirmed:
            news.known.append("status")
        else:
            matter.confirmed.add(status)
            news.new.append("paid" if said.type in _PAID else "progress")
    elif said.status:
        _status(matter, entry, news)


def _status(matter: Matter, entry: Entry, news: News) -> None:
    """A ticket, an order, an agreement that moves on has reached another stage."""
    said = entry.said
    family = said.type.partition(".")[0]
    number = next((key.value for key in said.keys if key.scheme in (family, "contract")), "")
    thing = f"{family}:{number}:{entry.supplier}"
    before = matter.statuses.get(thing)
    matter.statuses[thing] = said.status
    if said.status == before:
        news.known.append("status")
        return
    if before is not None and family in _STAGED:
        news.new.append("stage")
    if said.type in NOTICES:
        matter.notices[f"{said.type}:{number}"] = entry.id
        news.new.append("notice")


# Families whose own status word is a stage of the matter; a bill's is not.
_STAGED = frozenset({"ticket", "order", "claim", "quote", "contract", "warranty"})
# What ends, or wants the owner's decision, is told; it has no visit and no amount to show it.
NOTICES = frozenset(
    {
        *("order.cancelled", "quote.withdrawn", "contract.ended", "warranty.void"),
        *("contract.renewal_due", "contract.changed", "warranty.expiring"),
    }
)
_PAID = frozenset({"payment.received", "invoice.paid", "payment.refunded"})


# -- the owner's decisions -------------------------------------------------------------


def _decide(matter: Matter, decided: Decided) -> None:
    name, data, at = decided.name, decided.data, decided.at
    matter.own[decided.id] = (decided.owner, False)
    if name != "rate":
        matter.stirred_at = at
    if name == "answer":
        _answer(matter, decided, data.get("answer", ""))
    elif name == "always_show":
        matter.always_show.add(int(data.get("supplier", 0)))
    elif name in VISIT_ANSWERS:
        _answer_visit(matter, decided)
    elif name in dealings.ABOUT:
        dealings.settle(matter, name)
        matter.turn = Turn.SUPPLIER
    elif name in ("counter", "request", "reply", "ask_supplier"):
        _write_to(matter, decided)
    elif name == "snooze":
        matter.snoozed_at, matter.snooze_event = at, data.get("event", "")
        until = data.get("until")
        matter.snoozed_until = datetime.fromisoformat(until) if until else None
    elif name in ("book", SETTLED):
        _own(matter, decided)
    elif name == "mute":
        matter.is_muted = True
    elif name == "rate":
        matter.score, matter.scored_at = int(data["score"]), at
    elif name == "choose_asset":
        matter.asset, matter.asset_hint = data["asset"], ""
    elif name == "correct":
        _correct(matter, decided)


def _write_to(matter: Matter, decided: Decided) -> None:
    """The owner wrote to the supplier, who answers next; what a thing asks for stays."""
    matter.confirmed.add(f"{decided.name}:{decided.id}")
    matter.turn = Turn.SUPPLIER
    if decided.name == "reply":
        matter.asks = {ask: told for ask, told in matter.asks.items() if is_own_ask(ask)}
    elif decided.name in ("counter", "request"):
        matter.asks.pop(offers.ASKED, None)
        matter.asked_for = _windows(decided)


def _own(matter: Matter, decided: Decided) -> None:
    """What the thing itself asked for is in hand, or dealt with."""
    if decided.name == SETTLED:
        matter.asks = {ask: told for ask, told in matter.asks.items() if not is_own_ask(ask)}
    else:
        matter.booked_at, matter.turn = decided.at, Turn.SUPPLIER
        matter.asked_for = _windows(decided)


def _windows(decided: Decided) -> list[Window]:
    return [
        Window(start=datetime.fromisoformat(one["start"]), end=datetime.fromisoformat(one["end"]))
        for one in decided.data.get("windows") or ()
    ]


def _await(matter: Matter, entries: Iterable[Entry]) -> None:
    """Put the card aside until what its owner waits for: it moves with the visit."""
    since = matter.snoozed_at
    if since is None:
        return
    if matter.snooze_event == DAY_BEFORE_VISIT:
        starts = [slot.span.start for slot in matter.live_slots if slot.span is not None]
        matter.snoozed_until = min(starts) - ONE_DAY if starts else None
        return
    is_answered = any(
        entry.said.said_at > since
        and not entry.is_own
        and matter.verdicts[entry.id].outcome == Outcome.SHOWN
        for entry in entries
    )
    matter.snoozed_until = None if is_answered else since + WAITS_FOR_ANSWER


def _bring_back(matter: Matter, decided: Decided) -> None:
    """The owner says that a contact should have been shown."""
    verdict = matter.verdicts.get(decided.contact)
    if verdict is not None:
        matter.verdicts[decided.contact] = Verdict(
            Outcome.SHOWN,
            "owner_wants_it",
            "owner_decided",
            {"was": verdict.outcome, "rule": verdict.rule, **verdict.evidence},
        )


def _answer(matter: Matter, decided: Decided, answer: str) -> None:
    if answer == "works":
        is_one_of_many = False
        for slot in matter.slots:
            if slot.is_overdue(decided.at):  # then whoever was expected came; nobody says when
                slot.stage, slot.stage_source = Stage.DONE, decided.id
                is_one_of_many = is_one_of_many or series.goes_on(matter, slot, decided.at)
        if is_one_of_many:
            matter.turn = Turn.SUPPLIER
            return
        matter.closed_at, matter.closed_by = decided.at, "owner"
        matter.turn = Turn.OWNER
    elif answer == "not_yet":
        done = [slot for slot in matter.slots if slot.stage == Stage.DONE]
        for slot in done:
            matter.tried.append(
                {
                    "what": slot.kind,
                    "at": slot.done_at.isoformat() if slot.done_at else None,
                    "result": "not_yet",
                }
            )
        if not done:
            matter.tried.append(
                {"what": "answer", "at": decided.at.isoformat(), "result": "not_yet"}
            )
        matter.closed_at, matter.closed_by = None, ""
        matter.resolved_at = None
        matter.reopened_at = decided.at
        matter.turn = Turn.SUPPLIER
    elif answer == "yes":
        _confirm(matter, decided.at)
    elif answer == "no":
        matter.questions.clear()
        matter.turn = Turn.OWNER


def _answer_visit(matter: Matter, decided: Decided) -> None:
    """A yes or a no: to another time that is asked for, else to what is booked."""
    proposal = decided.data.get("proposal", "")
    if "quote" in decided.data:
        dealings.settle(matter, decided.name)
        matter.turn = Turn.SUPPLIER
    elif decided.name == "cancel":
        _cancel(matter, decided)
    elif decided.name == "pick":
        offers.pick(matter, decided)
    elif decided.name == "tentative":
        matter.confirmed.add(f"tentative:{decided.id}")  # a yes or a no is still to come
    elif proposal:
        is_taken = decided.name == "accept"
        settle_proposal(matter, proposal, decided=decided.id, is_taken=is_taken)
        matter.turn = Turn.SUPPLIER
    elif decided.name != "decline":
        _confirm(matter, decided.at)
    else:
        for slot in matter.live_slots:
            slot.is_declined = True
            slot.stage_source = decided.id
        matter.turn = Turn.SUPPLIER


def _cancel(matter: Matter, decided: Decided) -> None:
    """The owner calls off what was agreed; who was to come may book anew, and no less."""
    for slot in matter.live_slots[:1]:
        value = Value(
            key=CANCELLED, trust=LOG_AS_INCUMBENT, said_at=decided.at, sources=[decided.id]
        )
        slot.standing.state(value, challenger=Trust.OWNER, is_later=True)
        slot.stage, slot.stage_source = Stage.CANCELLED, decided.id
        put_aside(matter, slot)
    matter.turn = Turn.SUPPLIER


def _confirm(matter: Matter, at: datetime) -> None:
    matter.questions.clear()
    for slot in matter.live_slots:
        matter.confirmed.add(f"slot:{slot.name}")


def _correct(matter: Matter, decided: Decided) -> None:
    name, raw = decided.data["fact"], decided.data["value"]
    value = Value(key=raw, text=raw, trust=Trust.OWNER, said_at=decided.at, sources=[decided.id])
    if name == "window":
        slots = matter.live_slots or matter.slots[-1:]
        if not slots:
            slot = Slot(name=raw, supplier=matter.suppliers[0] if matter.suppliers else 0)
            slot.stage = Stage.BOOKED
            matter.slots.append(slot)
            slots = [slot]
        slots[0].window.correct(value)
        matter.questions.clear()
        return
    if name == "visit":
        settle(matter, value)
        return
    disputed = [register for slot in matter.slots for key, register in slot.disputes if key == name]
    register = disputed[0] if disputed else matter.facts.setdefault(name, Register())
    if register.current is not None:
        value.label = register.current.label
    register.correct(value)
    if name in matter.money:
        matter.money[name] = raw


# -- what follows ----------------------------------------------------------------------


def _supersede(matter: Matter, entries: Iterable[Entry]) -> None:
    """What an older revision warned of, tried or asked for is no longer the case."""
    old = {
        entry.id
        for entry in entries
        if entry.said.revision is not None
        and entry.said.revision < matter.revisions.get(_family(entry), -1)
    }
    if not old:
        return
    matter.safety = [entry for entry in matter.safety if entry not in old]
    matter.reached = [reached for reached in matter.reached if reached.entry not in old]
    matter.asks = {fact: ask for fact, ask in matter.asks.items() if ask[1] not in old}


def _family(entry: Entry) -> tuple[str, str]:
    return (entry.said.type.partition(".")[0], entry.said.entity)


def _finish(matter: Matter, now: datetime) -> None:
    since = matter.reopened_at or LONG_AGO
    done = [
        slot
        for slot in matter.slots
        if slot.stage == Stage.DONE and slot.done_at is not None and slot.done_at > since
    ]
    if done and not matter.live_slots:
        last = max(done, key=lambda slot: slot.done_at or since)
        matter.done_at, matter.done_source = last.done_at, last.stage_source
    elif matter.resolved_at is not None and matter.resolved_at > since and not matter.live_slots:
        matter.done_at = matter.resolved_at
    else:
        matter.done_at = None
    stages = [slot.stage for slot in matter.slots]
    matter.stage = max(stages, default=Stage.ASKED)
    if matter.closed_at is None and matter.done_at is not None:
        silent_at = _silent_at(matter, matter.done_at)
        if now >= silent_at:
            matter.closed_at, matter.closed_by = silent_at, "silence"
    if matter.closed_at is None:
        needs = matter.done_at is not None or matter.conflicts or matter.waits_for_owner(now)
        overdue = any(slot.is_overdue(now) for slot in matter.slots)
        matter.turn = Turn.OWNER if needs or overdue else matter.turn


def _silent_at(matter: Matter, asked_at: datetime) -> datetime:
    """When the silence after the question has lasted long enough."""
    return max(asked_at, matter.stirred_at or asked_at) + SILENCE


def next_change(matter: Matter, now: datetime) -> datetime | None:
    """Return the next instant after `now` at which time alone changes the matter."""
    times: list[datetime] = []
    for slot in matter.slots:
        span = slot.span
        if span is not None and slot.is_expected:
            times += [span.end + GRACE, span.end + WAITED]
    if matter.done_at is not None and matter.closed_at is None:
        times.append(_silent_at(matter, matter.done_at))
    if matter.surveys:
        ends = [end for end in (matter.done_at, matter.closed_at) if end is not None]
        times += [end + timedelta(hours=2) for end in ends]
        times += [s.claim.closes_at for s in matter.surveys if s.claim.closes_at is not None]
    times += [p.due_at for p in matter.promises.values() if p.state == "open" and p.due_at]
    if matter.snoozed_until is not None:
        times.append(matter.snoozed_until)
    if matter.booked_at is not None:
        times.append(matter.booked_at + BOOKED_WAITS)
    if matter.rolls_at is not None:
        times.append(matter.rolls_at)
    return min((at for at in times if at > now), default=None)
