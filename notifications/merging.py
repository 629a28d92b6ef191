"""What a matter comes to: its contacts and the owner's decisions, folded into one state.

Pure. The fold goes through the contacts in the order in which they were *said*, so any
order of arrival ends in the same state, and the same contact twice changes nothing. A
contact is absorbed only when it brings nothing that is not already known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from notifications.choices import JourneyState, Turn
from owners.choices import Trust
from suppliers.choices import CallStatus, ContactKind, Direction, Outcome, Stage
from suppliers.contacts import Contact, FactClaim, SurveyClaim, Visit, Window

# A visitor who has not come this long after the window's end is not here yet.
GRACE = timedelta(minutes=5)
# A journey whose question nobody answered closes by itself (rule 8).
SILENCE = timedelta(days=14)
# Names that identify or describe without being news to the owner.
QUIET_FACTS = frozenset(
    {"reference", "item", "items", "order_status", "status", "quantity", "phone", "url", "carrier"}
)
# The owner's log reports what a supplier said: it overrides, and may be overridden by
# anybody who is known; only the owner's own correction is final.
LOG_AS_INCUMBENT = Trust.KNOWN_NUMBER
LIVE_STAGES = frozenset(
    {Stage.ASKED, Stage.QUOTED, Stage.BOOKED, Stage.CONFIRMED, Stage.ON_THE_WAY, Stage.STARTED}
)
EXPECTED_STAGES = frozenset({Stage.BOOKED, Stage.CONFIRMED, Stage.ON_THE_WAY})
# What the standing of a visit may be.
BOOKED, CANCELLED = "booked", "cancelled"
# After this much lateness an arrival no longer counts as inside the window.
EARLY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A contact as the rules see it: what it says, and who is believed to say it.

    `supplier` is 0 for an unknown sender. `covers` are the assets (public UUIDs) of the
    sender's mandate.
    """

    id: str
    said: Contact
    supplier: int = 0
    trust: int = Trust.UNKNOWN
    asset: str = ""
    covers: frozenset[str] = frozenset()
    suspicion: str = ""
    refusal: str = ""
    is_likely: bool = False
    owner: int = 0  # the member who logged it

    @property
    def is_own(self) -> bool:
        """Whether the owner says it."""
        return self.trust == Trust.OWNER

    @property
    def order(self) -> tuple[datetime, str]:
        """The place of the entry in the fold."""
        return (self.said.said_at, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision of an owner on this journey (see `notifications.models.Decision`)."""

    id: str
    name: str
    at: datetime
    contact: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    owner: int = 0


@dataclass(slots=True)
class Value:
    """One value of a fact, with everybody who stated it; the first stated it first."""

    key: str
    trust: int
    said_at: datetime
    sources: list[str]
    text: str = ""
    label: str = ""
    is_from_text: bool = False


@dataclass(slots=True)
class Register:
    """A fact over time: the value that holds, those it replaced, and one that contests it."""

    current: Value | None = None
    replaced: list[Value] = field(default_factory=list)
    contested: Value | None = None
    rejected: set[str] = field(default_factory=set)  # values that the owner corrected
    ordered: str = ""  # the last value that came with a sequence number, for `state_in_order`

    @property
    def is_doubted(self) -> bool:
        """Whether only somebody less trusted contests the value."""
        contested = self.contested
        return contested is not None and all(old is not contested for old in self.replaced)

    def state(self, value: Value, *, challenger: int, is_later: bool = False) -> str:
        """Take a statement in and say what it was.

        Returns `new`, `same`, `changed`, `conflict`, `settled` or `rejected`. `challenger`
        is the trust with which the statement may override; `is_later` says that a sequence
        number places it after the current value, so that going back is no contradiction.
        Somebody trusted enough settles what a less trusted one contests, by repeating
        either value; nobody settles a contradiction between equals.
        """
        if value.key in self.rejected and challenger < Trust.OWNER:
            return "rejected"
        if self.current is None:
            self.current = value
            return "new"
        may_settle = self.is_doubted and challenger >= self.current.trust
        if value.key == self.current.key:
            self._join(self.current, value)
            if may_settle:
                self.contested = None
                return "settled"
            return "same"
        if self.contested is not None and value.key == self.contested.key and not may_settle:
            self._join(self.contested, value)
            return "same"
        known = next((old for old in self.replaced if old.key == value.key), None)
        if (known is not None and not is_later and challenger < Trust.OWNER) or (
            challenger < self.current.trust
        ):
            self.contested = known or value
            if known is not None:
                self._join(known, value)
            return "conflict"
        if known is None and self.contested is not None and self.contested.key == value.key:
            known = self.contested
        if known is not None:
            self.replaced = [old for old in self.replaced if old is not known]
            self._join(known, value)
            value = known
        self.replaced.append(self.current)
        self.current = value
        self.contested = None
        return "changed"

    def state_in_order(self, value: Value, *, challenger: int, is_numbered: bool) -> str:
        """Take in a statement that may have a sequence number; see `state`."""
        is_later = is_numbered and self.ordered not in ("", value.key)
        what = self.state(value, challenger=challenger, is_later=is_later)
        if is_numbered and what != "conflict":
            self.ordered = value.key
        return what

    def correct(self, value: Value) -> None:
        """Let the owner's word stand; what it corrects is never believed again."""
        for old in (self.current, self.contested, *self.replaced):
            if old is not None and old.key != value.key:
                self.rejected.add(old.key)
        self.rejected.discard(value.key)
        if self.current is not None and self.current.key != value.key:
            self.replaced.append(self.current)
        contested = self.contested
        if contested and contested.key != value.key and contested not in self.replaced:
            self.replaced.append(contested)
        self.replaced = [old for old in self.replaced if old.key != value.key]
        self.contested = None
        self.current = value

    @staticmethod
    def _join(known: Value, again: Value) -> None:
        known.trust = max(known.trust, again.trust)
        for source in again.sources:
            if source not in known.sources:
                known.sources.append(source)


@dataclass(slots=True)
class Slot:
    """One visit, delivery or call of the journey."""

    name: str
    supplier: int
    kind: str = "visit"
    uid: str = ""
    recurrence_id: str = ""
    window: Register = field(default_factory=Register)
    standing: Register = field(default_factory=Register)  # BOOKED, and CANCELLED against it
    where: Register = field(default_factory=Register)
    who: Register = field(default_factory=Register)
    stage: Stage = Stage.ASKED
    stage_source: str = ""
    zone: str = ""
    zone_source: str = ""
    series: str = ""  # the window that the series gave to this one of it
    is_excepted: bool = False  # of a series whose first one has a visit of its own
    dismissed: int = -1  # the trust up to which nobody may doubt again that it stands
    order: tuple[int, datetime] | None = None
    eta: Window | None = None
    eta_source: str = ""
    arrived_at: datetime | None = None
    done_at: datetime | None = None
    is_declined: bool = False
    rounds: int = 1  # how often it was booked anew after nobody came

    @property
    def span(self) -> Window | None:
        """The window that holds now."""
        return read_window(self.window.current.key) if self.window.current else None

    @property
    def place(self) -> str:
        """Where it is."""
        return self.where.current.key if self.where.current else ""

    @property
    def person(self) -> str:
        """Who comes."""
        return self.who.current.key if self.who.current else ""

    @property
    def is_live(self) -> bool:
        """Whether the visit is still to come or under way."""
        return self.stage in LIVE_STAGES and not self.is_declined and not self.is_excepted

    @property
    def disputes(self) -> list[tuple[str, Register]]:
        """What nobody decided between two statements, while it matters."""
        found = []
        is_over = self.is_declined or self.stage in (Stage.STARTED, Stage.DONE, Stage.MISSED)
        if self.standing.contested is not None and not is_over:
            found.append(("visit", self.standing))
        if self.is_live:
            named = (("window", self.window), ("place", self.where), ("person", self.who))
            found += [(name, register) for name, register in named if register.contested]
        return found

    @property
    def is_expected(self) -> bool:
        """Whether somebody is expected and has not arrived."""
        return self.stage in EXPECTED_STAGES and not self.is_declined and not self.is_excepted

    def is_overdue(self, now: datetime) -> bool:
        """Whether the window has passed and nobody came."""
        span = self.span
        return bool(span and self.is_expected and now >= span.end + GRACE)

    @property
    def was_on_time(self) -> bool | None:
        """Whether the visitor came inside the window; None while nobody can say."""
        came = self.arrived_at or self.done_at
        span = self.span
        if came is None or span is None:
            return None
        return span.start - EARLY <= came <= span.end


@dataclass(slots=True)
class Reached:
    """One attempt of somebody to reach the owner."""

    entry: str
    sender: str
    supplier: int
    at: datetime
    quote: str
    is_likely: bool
    is_call: bool
    owner: int = 0


@dataclass(slots=True)
class SurveyAsked:
    """A request for feedback as it was made."""

    contact: str
    supplier: int
    claim: SurveyClaim
    requested_at: datetime
    is_closed: bool = False


@dataclass(slots=True)
class PromiseMade:
    """A promise as it stands."""

    promise_id: str
    supplier: int
    what: str
    due_at: datetime | None
    state: str
    source: str


@dataclass(slots=True)
class Verdict:
    """What became of a contact, and why."""

    outcome: Outcome
    reason: str
    rule: str
    evidence: dict[str, Any]


@dataclass(slots=True)
class Matter:
    """The state of a journey: everything the card, the API and the report show."""

    currency: str = ""
    asset: str = ""
    asset_hint: str = ""
    is_asset_open: bool = False  # its sender serves several assets and named none
    suppliers: list[int] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    facts: dict[str, Register] = field(default_factory=dict)
    money: dict[str, str] = field(default_factory=dict)  # fact name -> amount currency
    asks: dict[str, tuple[str, str]] = field(default_factory=dict)  # fact -> prompt, entry
    surveys: list[SurveyAsked] = field(default_factory=list)
    promises: dict[str, PromiseMade] = field(default_factory=dict)
    reached: list[Reached] = field(default_factory=list)
    safety: list[str] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)  # recalls of exactly this thing
    statuses: dict[str, str] = field(default_factory=dict)  # a thing's own status word
    notices: dict[str, str] = field(default_factory=dict)  # type and number -> entry
    expiries: dict[str, datetime] = field(default_factory=dict)  # after which it is noise
    words: list[str] = field(default_factory=list)  # entries shown for their words alone
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    own: dict[str, tuple[int, bool]] = field(default_factory=dict)  # id -> who, read from text
    tried: list[dict[str, Any]] = field(default_factory=list)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    callers: dict[str, datetime] = field(default_factory=dict)
    title: str = ""
    issue: str = ""
    stage: Stage = Stage.ASKED
    opened_at: datetime | None = None
    last_said_at: datetime | None = None
    done_at: datetime | None = None
    done_source: str = ""
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    reopened_at: datetime | None = None
    stirred_at: datetime | None = None  # when something last happened that is no bill
    confirmed: set[str] = field(default_factory=set)  # what the owner said yes to
    questions: set[str] = field(default_factory=set)  # log entries whose text is a suggestion
    always_show: set[int] = field(default_factory=set)
    snoozed_until: datetime | None = None
    paid_at: datetime | None = None
    score: int | None = None
    scored_at: datetime | None = None
    turn: Turn = Turn.SUPPLIER
    is_muted: bool = False

    @property
    def state(self) -> JourneyState:
        """Open until the owner, or long silence after the question, closes it."""
        return JourneyState.CLOSED if self.closed_at else JourneyState.OPEN

    @property
    def is_paid(self) -> bool:
        """Whether the supplier has the money it last asked for."""
        return self.paid_at is not None

    @property
    def lacks_asset(self) -> bool:
        """Whether only the owner can say which asset it is about."""
        return not self.asset and (bool(self.asset_hint) or self.is_asset_open)

    @property
    def live_slots(self) -> list[Slot]:
        """The visits still to come or under way, the nearest first."""
        far = datetime.max.replace(tzinfo=UTC)
        live = [slot for slot in self.slots if slot.is_live]
        return sorted(live, key=lambda slot: slot.span.start if slot.span else far)

    @property
    def conflicts(self) -> list[tuple[str, Value, Value]]:
        """The facts with two values between which nobody decided."""
        found = [
            (name, register.current, register.contested)
            for slot in self.slots
            for name, register in slot.disputes
            if register.current is not None and register.contested is not None
        ]
        for name, register in self.facts.items():
            if register.contested and register.current:
                found.append((name, register.current, register.contested))
        return found

    def slot_of(self, value: Value) -> Slot | None:
        """Return the visit of which `value` is the current time, place, person or standing."""
        for slot in self.slots:
            registers = (slot.window, slot.standing, slot.where, slot.who)
            if any(register.current is value for register in registers):
                return slot
        return None


def window_key(window: Window) -> str:
    """Return a window in one canonical form."""
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    return f"{start.isoformat()}/{end.isoformat()}"


@lru_cache(maxsize=4096)
def read_window(key: str) -> Window:
    """Return the window that `window_key` wrote."""
    start, _, end = key.partition("/")
    return Window(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))


def money_key(amount: str, currency: str) -> str:
    """Return an amount in one canonical form."""
    return f"{amount} {currency}".strip()


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
    steps: list[tuple[datetime, int, str, Entry | Decided]] = [
        (entry.said.said_at, 0, entry.id, entry) for entry in entries
    ]
    steps += [(decided.at, 1, decided.id, decided) for decided in decisions]
    steps.sort(key=lambda step: step[:3])
    for _, _, _, step in steps:
        if isinstance(step, Entry):
            _take(matter, step)
        else:
            _decide(matter, step)
    for decided in decisions:
        # About one contact, whatever its sender's clock said.
        if decided.name == "undo_absorb":
            _bring_back(matter, decided)
    _finish(matter, now)
    return matter


# -- one contact -----------------------------------------------------------------------


@dataclass(slots=True)
class _News:
    """What an entry brings, and what in it was known."""

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)


def _take(matter: Matter, entry: Entry) -> None:
    said = entry.said
    is_first = matter.opened_at is None
    _note(matter, entry)
    if said.survey is not None or said.kind == ContactKind.SURVEY_CLOSED:
        _survey(matter, entry)
        return
    news = _News()
    if _is_stale(matter, entry):
        matter.verdicts[entry.id] = Verdict(
            Outcome.ABSORBED, "older_revision", "merge_by_order", {"revision": said.revision}
        )
        return
    if said.visit is not None:
        _visit(matter, entry, said.visit, news)
        if any(slot.is_expected for slot in matter.slots):
            matter.asks.pop("slot", None)  # a time is found
    elif said.eta is not None:
        _arrival(matter, entry, said.eta, news)
    _facts(matter, entry, news)
    _reach(matter, entry, news)
    _asks(matter, entry, news)
    _promise(matter, entry, news)
    _progress(matter, entry, news)
    if said.payment_domains and "payment_link" not in matter.confirmed:
        matter.confirmed.add("payment_link")
        news.new.append("payment_link")
    recognised = news.known or said.keys or said.visit or said.facts
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
    if said.title and not matter.title and not entry.is_own:
        matter.title = said.title
    if entry.is_own:
        matter.issue = matter.issue or said.summary or said.body
        matter.own[entry.id] = (entry.owner, said.is_from_text)
    if said.expires_at is not None:
        matter.expiries[entry.id] = said.expires_at
    if said.sender and said.call is not None:
        matter.callers[said.sender] = said.said_at


def _judge(matter: Matter, entry: Entry, news: _News) -> Verdict:
    if entry.is_own:
        return Verdict(Outcome.OWN, "own", "owner_log", {"read": news.new})
    if news.new and matter.is_muted and not entry.said.is_safety:
        return Verdict(Outcome.HELD, "muted", "owner_decided", {"new": news.new})
    if news.new:
        return Verdict(Outcome.SHOWN, news.new[0], "only_the_known_absorbs", {"new": news.new})
    if entry.supplier in matter.always_show:
        return Verdict(Outcome.SHOWN, "always_show", "owner_decided", {"known": news.known})
    return Verdict(Outcome.ABSORBED, "nothing_new", "only_the_known_absorbs", {"known": news.known})


def _reopens(entry: Entry, news: _News) -> bool:
    bill = {
        *("price", "price_changed", "price_conflict", "paid", "payment_link"),
        *("due_on", "due_on_changed", "due_on_conflict"),
    }
    return bool(set(news.new) - bill - {"first", "words"}) and not entry.said.is_resolution


def _is_stale(matter: Matter, entry: Entry) -> bool:
    said = entry.said
    if said.revision is None or not said.entity:
        return False
    family = (said.type.partition(".")[0], said.entity)
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


# -- visits ----------------------------------------------------------------------------


def _find_slot(matter: Matter, entry: Entry, visit: Visit) -> Slot | None:
    """Return the visit that is spoken of, or None for a new one."""
    if visit.uid:
        for slot in matter.slots:
            if slot.uid == visit.uid and slot.recurrence_id == visit.recurrence_id:
                return slot
    if visit.window is not None:
        key = window_key(visit.window)
        for slot in matter.slots:
            known = {old.key for old in slot.window.replaced}
            if slot.window.current:
                known.add(slot.window.current.key)
            fits = not visit.uid or not slot.uid or slot.uid == visit.uid
            if (
                key in known
                and slot.kind == visit.kind
                and (fits or (slot.window.current is not None and slot.window.current.key == key))
            ):
                return slot
    live = [slot for slot in matter.slots if slot.is_live and slot.kind == visit.kind]
    if visit.uid:
        live = [slot for slot in live if not slot.uid]
    if visit.window is None and not live:
        live = [slot for slot in matter.slots if slot.kind == visit.kind and not visit.uid][-1:]
    return live[0] if len(live) == 1 else None


def _visit(matter: Matter, entry: Entry, visit: Visit, news: _News) -> None:
    slot = _find_slot(matter, entry, visit)
    if slot is None:
        if visit.is_reminder and visit.window is None:
            return
        slot = _new_slot(matter, entry, visit)
    if visit.uid and not slot.uid:
        slot.uid, slot.recurrence_id = visit.uid, visit.recurrence_id
    if slot.supplier == 0:
        slot.supplier = entry.supplier
    order = None
    if visit.sequence is not None and visit.dtstamp is not None:
        order = (visit.sequence, visit.dtstamp)
        if slot.order is not None and order < slot.order:
            news.known.append("older_revision")
            return
    is_revived = (
        order is not None
        and slot.order is not None
        and order > slot.order
        and visit.stage in EXPECTED_STAGES
    )
    if slot.stage == Stage.CANCELLED and not is_revived and visit.stage != Stage.CANCELLED:
        _speak_of_cancelled(matter, entry, visit, slot, news)
        return
    is_later = order is not None and slot.order is not None and order > slot.order
    if _is_for_others(entry, visit, slot, news, is_later=is_later):
        return
    is_rebooked = _is_rebooked(slot, visit)
    if visit.window is not None:
        _window(entry, visit, slot, news, is_numbered=order is not None)
    if is_rebooked and slot.window.contested is None:
        slot.stage, slot.stage_source, slot.arrived_at = visit.stage, entry.id, None
        slot.rounds += 1
    if is_revived and slot.stage == Stage.CANCELLED:
        slot.stage, slot.stage_source = visit.stage, entry.id
        news.new.append("visit")
    _details(entry, visit, slot, news, is_numbered=order is not None)
    registers = (slot.window, slot.where, slot.who)
    if order is not None and not any(
        register.contested is not None
        and register.is_doubted
        and entry.id in register.contested.sources
        for register in registers
    ):
        # The number of somebody who is not believed makes nothing that follows look old.
        slot.order = order
    _advance(entry, visit, slot, news)


def _arrival(matter: Matter, entry: Entry, eta: Window, news: _News) -> None:
    """A time of arrival without a visit is that of the one visit expected around then."""
    day = timedelta(hours=24)
    expected = [
        slot
        for slot in matter.slots
        if slot.is_expected
        and slot.span is not None
        and slot.span.start - day < eta.start < slot.span.end + day
    ]
    if len(expected) != 1:
        return
    if expected[0].eta == eta:
        news.known.append("eta")
        return
    expected[0].eta, expected[0].eta_source = eta, entry.id
    news.new.append("eta")


def _new_slot(matter: Matter, entry: Entry, visit: Visit) -> Slot:
    name = visit.uid + visit.recurrence_id or (
        window_key(visit.window) if visit.window else entry.id
    )
    slot = Slot(name=name, supplier=entry.supplier, kind=visit.kind)
    slot.uid, slot.recurrence_id = visit.uid, visit.recurrence_id
    matter.slots.append(slot)
    if visit.recurrence_id:
        _from_series(matter, entry, visit, slot)
    return slot


def _from_series(matter: Matter, entry: Entry, visit: Visit, slot: Slot) -> None:
    """One of a series begins at the time that the series gave it (RFC 5545, RECURRENCE-ID)."""
    start = read_instant(visit.recurrence_id)
    whole = next((s for s in matter.slots if s.uid == visit.uid and not s.recurrence_id), None)
    length = whole.span if whole is not None and whole.span is not None else visit.window
    if start is None or length is None or (whole is None and visit.stage == Stage.CANCELLED):
        return
    slot.series = window_key(Window(start=start, end=start + (length.end - length.start)))
    known = _value(entry, slot.series)
    if whole is not None and whole.window.current is not None:
        known.trust, known.sources = whole.window.current.trust, [*whole.window.current.sources]
        booked = replace(known, key=BOOKED, sources=[*known.sources])
        slot.standing.state(booked, challenger=known.trust)
        whole.is_excepted = whole.is_excepted or _starts_with(whole, slot.series)
    slot.window.state(known, challenger=known.trust)
    slot.stage = Stage.BOOKED


def _starts_with(whole: Slot, key: str) -> bool:
    """Whether a series has its first visit at this time."""
    had = [whole.window.current, *whole.window.replaced]
    return any(value is not None and value.key == key for value in had)


def read_instant(text: str) -> datetime | None:
    """Return the instant a RECURRENCE-ID names; a day without a time names none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _value(entry: Entry, key: str) -> Value:
    return Value(
        key=key,
        trust=LOG_AS_INCUMBENT if entry.is_own else entry.trust,
        said_at=entry.said.said_at,
        sources=[entry.id],
        is_from_text=entry.said.is_from_text,
    )


def _is_for_others(entry: Entry, visit: Visit, slot: Slot, news: _News, *, is_later: bool) -> bool:
    """Note whether the visit stands; true when this sender cannot change that.

    A cancellation by somebody less trusted than who booked leaves the visit booked, and
    a booking by somebody less trusted than who cancelled leaves it cancelled.
    """
    if visit.is_reminder or visit.stage not in (*EXPECTED_STAGES, Stage.STARTED, Stage.CANCELLED):
        return False
    key = CANCELLED if visit.stage == Stage.CANCELLED else BOOKED
    if key == CANCELLED and entry.trust <= slot.dismissed:
        news.known.append("visit_doubted")
        return True
    what = slot.standing.state(_value(entry, key), challenger=entry.trust, is_later=is_later)
    if what == "settled":
        news.new.append("visit_settled")
    stands = slot.standing.current
    if stands is None or stands.key == key:
        return False
    (news.new if what == "conflict" else news.known).append("visit_doubted")
    return True


def _details(entry: Entry, visit: Visit, slot: Slot, news: _News, *, is_numbered: bool) -> None:
    """Take in where it is and who comes."""
    if visit.zone and not slot.zone:
        slot.zone, slot.zone_source = visit.zone, entry.id
    is_again = slot.window.current is not None and len(slot.window.current.sources) > 1
    said = (("place", visit.place, slot.where), ("person", visit.person, slot.who))
    for name, text, register in said:
        key = " ".join(text.split())
        if not key:
            continue
        what = register.state_in_order(
            _value(entry, key), challenger=entry.trust, is_numbered=is_numbered
        )
        if what == "new" and is_again:
            news.new.append(name)
        elif what in ("changed", "conflict", "settled"):
            news.new.append(f"{name}_{what}")


def _is_rebooked(slot: Slot, visit: Visit) -> bool:
    """Whether a visit that was missed gets a time that it did not have before."""
    if slot.stage != Stage.MISSED or visit.window is None or visit.is_reminder:
        return False
    had = [slot.window.current, *slot.window.replaced]
    key = window_key(visit.window)
    return visit.stage in EXPECTED_STAGES and all(
        value is None or value.key != key for value in had
    )


def _speak_of_cancelled(
    matter: Matter, entry: Entry, visit: Visit, slot: Slot, news: _News
) -> None:
    """A reminder never revives a cancelled visit; a real new booking is another visit."""
    is_same = visit.window is None or (
        slot.window.current is not None and window_key(visit.window) == slot.window.current.key
    )
    if visit.is_reminder or is_same:
        news.known.append("cancelled_visit")
        return
    fresh = Slot(name=window_key(visit.window), supplier=entry.supplier, kind=visit.kind)  # type: ignore[arg-type]
    matter.slots.append(fresh)
    _window(entry, visit, fresh, news, is_numbered=False)
    _advance(entry, visit, fresh, news)


def _window(entry: Entry, visit: Visit, slot: Slot, news: _News, *, is_numbered: bool) -> None:
    assert visit.window is not None  # noqa: S101 - the caller asked
    value = _value(entry, window_key(visit.window))
    what = slot.window.state_in_order(value, challenger=entry.trust, is_numbered=is_numbered)
    if what == "new":
        news.new.append("visit")
    elif what == "changed":
        news.new.append("visit_moved")
        slot.eta = None
    elif what in ("conflict", "settled"):
        news.new.append(f"visit_{what}")
    else:
        news.known.append("visit_window")


def _advance(entry: Entry, visit: Visit, slot: Slot, news: _News) -> None:
    """Stages only move forward; late news is history."""
    stage = visit.stage
    at = visit.at or entry.said.said_at
    if stage == Stage.STARTED and slot.arrived_at is None:
        slot.arrived_at = at
    if stage == Stage.DONE and slot.done_at is None:
        slot.done_at = at
    if stage == Stage.MISSED and slot.stage == Stage.DONE:
        news.known.append("stage")
        return
    if stage == Stage.DONE and entry.trust < Trust.KNOWN_NUMBER:
        news.known.append("unproved_stage")
        return
    if entry.said.eta is not None and entry.said.eta != slot.eta and slot.is_expected:
        slot.eta, slot.eta_source = entry.said.eta, entry.id
        news.new.append("eta")
    if visit.is_reminder or stage <= slot.stage:
        if slot.stage == stage or visit.is_reminder:
            news.known.append("stage")
        return
    was_unknown = slot.stage == Stage.ASKED and stage == Stage.BOOKED
    slot.stage, slot.stage_source = stage, entry.id
    if not was_unknown:
        names = {
            Stage.CANCELLED: "cancelled",
            Stage.DONE: "done",
            Stage.MISSED: "missed",
            Stage.ON_THE_WAY: "on_the_way",
        }
        news.new.append(names.get(stage, "stage"))
    elif slot.window.current is None:
        news.new.append("stage")


# -- everything else a contact may bring -----------------------------------------------


def _facts(matter: Matter, entry: Entry, news: _News) -> None:
    for claim in entry.said.facts:
        value = _value(entry, claim.value)
        value.text, value.label = claim.value, claim.label
        if claim.money is not None:
            currency = claim.money.currency or matter.currency
            value.key = value.text = money_key(claim.money.amount, currency)
            _money(matter, entry, claim, value, news)
            continue
        register = matter.facts.setdefault(claim.name, Register())
        what = register.state(value, challenger=entry.trust)
        if claim.name in QUIET_FACTS or what in ("same", "rejected"):
            news.known.append(claim.name)
        else:
            news.new.append(claim.name if what == "new" else f"{claim.name}_{what}")


def _money(matter: Matter, entry: Entry, claim: FactClaim, value: Value, news: _News) -> None:
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


def _reach(matter: Matter, entry: Entry, news: _News) -> None:
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


def _asks(matter: Matter, entry: Entry, news: _News) -> None:
    if entry.is_own:
        return
    for ask in entry.said.asks:
        if ask.fact in matter.asks:
            news.known.append(f"ask_{ask.fact}")
        else:
            matter.asks[ask.fact] = (ask.prompt, entry.id)
            news.new.append("ask")


def _promise(matter: Matter, entry: Entry, news: _News) -> None:
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
    known.what = known.what or claim.what
    if changed:
        known.source = entry.id
        news.new.append("promise_changed")
    else:
        news.known.append("promise")


def _is_matched(entry: Entry) -> bool:
    """Whether a recall names the very thing that is owned."""
    is_exact = any(
        fact.name == "match" and fact.value in ("serial", "vin", "batch")
        for fact in entry.said.facts
    )
    return entry.said.kind == ContactKind.RECALL and bool(entry.asset) and is_exact


def _progress(matter: Matter, entry: Entry, news: _News) -> None:
    said = entry.said
    if said.type in _PAID:
        matter.paid_at = said.said_at
    elif "price" in news.new or "price_changed" in news.new or "due_on" in news.new:
        matter.paid_at = None
    if said.is_safety:
        matter.safety.append(entry.id)
        if _is_matched(entry):
            matter.matched.add(entry.id)
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


def _status(matter: Matter, entry: Entry, news: _News) -> None:
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
    elif name in ("accept", "yes"):
        _confirm(matter, at)
    elif name == "decline":
        for slot in matter.live_slots:
            slot.is_declined = True
            slot.stage_source = decided.id
        matter.turn = Turn.SUPPLIER
    elif name in ("counter", "reply", "ask_supplier"):
        matter.confirmed.add(f"{name}:{decided.id}")
        matter.turn = Turn.SUPPLIER
        if name == "reply":
            matter.asks.clear()
        elif name == "counter":
            matter.asks.pop("slot", None)
    elif name == "snooze":
        matter.snoozed_until = datetime.fromisoformat(data["until"])
    elif name == "mute":
        matter.is_muted = True
    elif name == "rate":
        matter.score, matter.scored_at = int(data["score"]), at
    elif name == "choose_asset":
        matter.asset, matter.asset_hint = data["asset"], ""
    elif name == "correct":
        _correct(matter, decided)


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
        _settle_visit(matter, value)
        return
    disputed = [register for slot in matter.slots for key, register in slot.disputes if key == name]
    register = disputed[0] if disputed else matter.facts.setdefault(name, Register())
    if register.current is not None:
        value.label = register.current.label
    register.correct(value)
    if name in matter.money:
        matter.money[name] = raw


def _settle_visit(matter: Matter, value: Value) -> None:
    """The owner says whether the visit stands."""
    doubted = [slot for slot in matter.slots if slot.standing.contested is not None]
    for slot in (doubted or matter.live_slots or matter.slots[-1:])[:1]:
        doubt = slot.standing.contested
        if value.key == CANCELLED:
            slot.standing.correct(value)
            slot.stage, slot.stage_source = Stage.CANCELLED, value.sources[0]
            continue
        # Whoever is trusted more may still cancel; nobody else brings the doubt up again.
        slot.dismissed = max(slot.dismissed, doubt.trust if doubt else -1)
        slot.standing.contested = None
        if slot.stage == Stage.CANCELLED:
            slot.standing.correct(value)
            slot.stage, slot.stage_source = Stage.BOOKED, value.sources[0]


# -- what follows ----------------------------------------------------------------------


def _finish(matter: Matter, now: datetime) -> None:
    since = matter.reopened_at or datetime.min.replace(tzinfo=UTC)
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
        needs = matter.done_at is not None or matter.conflicts or matter.asks
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
            times.append(span.end + GRACE)
    if matter.done_at is not None and matter.closed_at is None:
        times.append(_silent_at(matter, matter.done_at))
    if matter.surveys:
        ends = [end for end in (matter.done_at, matter.closed_at) if end is not None]
        times += [end + timedelta(hours=2) for end in ends]
        times += [s.claim.closes_at for s in matter.surveys if s.claim.closes_at is not None]
    times += [p.due_at for p in matter.promises.values() if p.state == "open" and p.due_at]
    if matter.snoozed_until is not None:
        times.append(matter.snoozed_until)
    return min((at for at in times if at > now), default=None)
