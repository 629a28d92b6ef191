"""What a matter comes to, as values: its facts over time, visits, promises and verdicts.

Pure. `merging` and `visits` fold contacts into them; everything else only reads them.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from notifications.choices import JourneyState, Turn
from owners.choices import Trust
from suppliers.choices import Outcome, Stage
from suppliers.contacts import Contact, SurveyClaim, Window

# A visitor who has not come this long after the window's end is not here yet.
GRACE = timedelta(minutes=5)
# This long after it nobody waits any more, and the question is whether somebody came.
WAITED = timedelta(hours=12)
# The owner's log reports what a supplier said: it overrides, and may be overridden by
# anybody who is known; only the owner's own correction is final.
LOG_AS_INCUMBENT = Trust.KNOWN_NUMBER
LIVE_STAGES = frozenset(
    {Stage.ASKED, Stage.QUOTED, Stage.BOOKED, Stage.CONFIRMED, Stage.ON_THE_WAY, Stage.STARTED}
)
EXPECTED_STAGES = frozenset({Stage.BOOKED, Stage.CONFIRMED, Stage.ON_THE_WAY})
FAR = datetime.max.replace(tzinfo=UTC)
# What the standing of a visit may be.
BOOKED, CANCELLED = "booked", "cancelled"
# What a thing itself asks for: its care, or what begins so. LATE: its day has passed.
CARE, OWN, LATE = "care", "own_", "own_late"
# The days that the record itself says: it says the newest, and going back is no contradiction.
OWN_DAYS = frozenset({"care_due", "own_due"})
RECALL = f"{OWN}recall"  # that it may be meant by a recall
# The decision that this is dealt with, while the matter goes on.
SETTLED = "settled"
# So long whoever was asked to come may take for an answer.
BOOKED_WAITS = timedelta(days=7)
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
    by: str = ""  # the contact that made it hold, where that is not who stated it first
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
        may_settle = may_settle or is_later
        if self.contested is not None and value.key == self.contested.key and not may_settle:
            self._join(self.contested, value)
            return "same"
        known = next((old for old in self.replaced if old.key == value.key), None)
        if (known is not None and not is_later and challenger < Trust.OWNER) or (
            challenger < self.current.trust
        ):
            doubt = known or value
            if self.contested is None or doubt.trust >= self.contested.trust:
                self.contested = doubt  # a weaker doubt hides no stronger one
            if known is not None:
                self._join(known, value)
            return "conflict"
        if known is None and self.contested is not None and self.contested.key == value.key:
            known = self.contested
        if known is not None:
            self.replaced = [old for old in self.replaced if old is not known]
            self._join(known, value)
            known.by = value.sources[0]
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

    def contest(self, value: Value) -> None:
        """Note a second value of the same standing: nobody decides between the two."""
        known = next((old for old in self.replaced if old.key == value.key), None)
        if known is None:
            known = value
            self.replaced.append(value)
        self._join(known, value)
        self.contested = self.contested or known

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change of one of a series and of all after it (RFC 5545, RANGE=THISANDFUTURE).

    `first` is the time that the series gave to the first of them; the others move by as
    much on the clock of `zone`.
    """

    first: datetime
    to: Window | None  # None: they are cancelled
    version: tuple[int, datetime]
    zone: str = ""

    def of(self, start: datetime) -> Window | None:
        """Return when the one takes place that the series has at `start`."""
        if self.to is None:
            return None
        zone = ZoneInfo(self.zone or "UTC")
        by = _clock(self.to.start, zone) - _clock(self.first, zone)
        moved = (_clock(start, zone) + by).replace(tzinfo=zone).astimezone(UTC)
        return Window(start=moved, end=moved + (self.to.end - self.to.start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What a visit says of those after it: when they are, how long, and on whose word."""

    later: tuple[datetime, ...]
    length: timedelta
    value: "Value"


def _clock(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


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
    ended: tuple[int, datetime] | None = None  # the version that last cancelled the series
    shift: Shift | None = None  # what was said of this one of a series and of all after it
    repeats: Series | None = None  # how the series goes on that it begins
    is_given: bool = False  # by the series alone: nobody spoke of this one yet
    behind: int = 0  # how many of its series came to be expected after it
    organizer: str = ""
    invited: str = ""  # whom the organizer's calendar asks for an answer
    proposal: Value | None = None  # another time that its supplier asks for
    proposed_at: datetime | None = None
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
        is_off = self.is_declined or self.is_excepted or self.is_past
        return self.stage in LIVE_STAGES and not is_off

    @property
    def is_past(self) -> bool:
        """Whether another one of its series came and went since: nobody asks about it now."""
        return self.behind > 1

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
        return self.stage in EXPECTED_STAGES and self.is_live

    def is_overdue(self, now: datetime) -> bool:
        """Whether the window has passed and nobody came."""
        span = self.span
        return bool(span and self.is_expected and now >= span.end + GRACE)

    def is_long_overdue(self, now: datetime) -> bool:
        """Whether nobody is waited for any more: most come, and many never say so."""
        span = self.span
        return bool(span and self.is_overdue(now) and now >= span.end + WAITED)

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


def is_own_ask(name: str) -> bool:
    """Whether it is a thing that asks, and no supplier."""
    return name == CARE or name.startswith(OWN)


@dataclass(slots=True)
class Matter:
    """The state of a journey: everything the card, the API and the report show."""

    meant_for: str = ""  # the member (UUID) it is for; empty: who answers for the thing
    asked_for: list[Window] = field(default_factory=list)  # when the owner asked to be visited
    booked_at: datetime | None = None  # since when somebody is asked to do its care

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
    alarms: dict[str, int] = field(default_factory=dict)  # what a supplier itself calls urgent
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
    snoozed_at: datetime | None = None
    snooze_event: str = ""  # what the owner waits for, where it is no time
    paid_at: datetime | None = None
    score: int | None = None
    scored_at: datetime | None = None
    turn: Turn = Turn.SUPPLIER
    is_muted: bool = False
    rolls_at: datetime | None = None  # when the next one of a series is expected

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
    def is_claim(self) -> bool:
        """Whether it is about money from an insurer, not about work."""
        return any(thing.startswith("claim:") for thing in self.statuses)

    @property
    def own_ask(self) -> str:
        """What the thing itself asks for: `care`, or one that begins with `own_`; or nothing."""
        return next((name for name in self.asks if is_own_ask(name) and name != LATE), "")

    @property
    def is_shared(self) -> bool:
        """Whether a supplier works on what the thing asked for."""
        return bool(self.own_ask) and len(self.suppliers) > 1

    def waits_for_owner(self, now: datetime) -> bool:
        """Whether an ask waits for the owner: what is booked is in hand."""
        is_in_hand = bool(self.live_slots) or (
            self.booked_at is not None and now < self.booked_at + BOOKED_WAITS
        )
        return any(not (is_in_hand and is_own_ask(name)) for name in self.asks)

    @property
    def live_slots(self) -> list[Slot]:
        """The visits still to come or under way, the nearest first."""
        live = [slot for slot in self.slots if slot.is_live]
        if len(live) > 1:
            live.sort(key=lambda slot: slot.span.start if slot.span else FAR)
        return live

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


@dataclass(slots=True)
class News:
    """What an entry brings, and what in it was known."""

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)


def value_of(entry: Entry, key: str) -> Value:
    return Value(
        key=key,
        trust=LOG_AS_INCUMBENT if entry.is_own else entry.trust,
        said_at=entry.said.said_at,
        sources=[entry.id],
        is_from_text=entry.said.is_from_text,
    )
