"""What one contact says, as a value.

Every adapter ends in these values, whatever the format was; the rules of the feed read
nothing else. They are pure, compare by content, and go to and from JSON unchanged.
Instants are aware datetimes; money keeps its amount as a decimal string.
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

from suppliers.choices import (
    Authentication,
    CallStatus,
    ContactKind,
    Direction,
    Medium,
    Purpose,
    Stage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An identifier of the matter: an order number, an appointment UID, a thread.

    `scheme` is one of `order`, `ticket`, `contract`, `tracking`, `payment`, `claim`,
    `invoice`, `quote`, `thread`, `uid`, `entity`, `message`. The issuer is the supplier
    whose number it is; the inbox fills it in.
    """

    scheme: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount with its currency (ISO 4217); empty currency means the household's."""

    amount: str
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time in which somebody comes or calls; the end is exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a contact says about a visit, delivery or call (RFC 5545, RFC 5546).

    `window` is None when only the stage is told. `sequence` and `dtstamp` order the
    statements about one `uid` and `recurrence_id`; text has neither. `later` are the next
    starts that a series gives after this one. `method` is the
    iTIP method of a calendar message (see `itip`); `proposed` is another time that it
    asks for, and is never the time of the visit.
    """

    window: Window | None = None
    stage: Stage = Stage.BOOKED
    uid: str = ""
    recurrence_id: str = ""
    is_range: bool = False  # of that one of the series and of all after it
    later: tuple[datetime, ...] = ()
    sequence: int | None = None
    dtstamp: datetime | None = None
    zone: str = ""
    kind: str = "visit"
    place: str = ""
    person: str = ""
    at: datetime | None = None  # when the stage was reached
    is_reminder: bool = False  # never revives a cancelled visit
    method: str = ""
    proposed: Window | None = None
    organizer: str = ""  # the address that may change it, as the calendar names it
    invited: str = ""  # the address that the calendar asks for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class FactClaim:
    """One named value as the contact states it.

    `value` is a string in one canonical form (RFC 3339, decimal, E.164, plain text);
    `money` carries amounts instead. `label` is what it was called there ("Upgrade").
    `source` is the form it was read from, where a contact has several: `markup`,
    `invoice`, `text`.
    """

    name: str
    value: str = ""
    money: Money | None = None
    label: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsClaim:
    """One line of an order or a bill: what was bought, as the seller calls it.

    `numbers` are what names it, by our schemes of identifiers (gtin, serial, mpn...). `price`
    is for one of them; `tax` comes on top of it where it is given. `sort` is what the seller
    says it is: `product`, `part`, `consumable`, `service`, `fee`, `discount`, or nothing.
    """

    name: str
    maker: str = ""
    model: str = ""
    numbers: tuple[Key, ...] = ()
    quantity: str = ""  # a decimal; empty where it is not said
    unit: str = ""  # UN/ECE or UCUM; empty for pieces
    price: Money | None = None
    tax: Money | None = None
    sort: str = ""
    warranty_months: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskClaim:
    """A question put to the owner: which fact is wanted, and the words."""

    fact: str
    prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyClaim:
    """A request for feedback; `about` names the experience and may be empty."""

    survey_id: str
    about: str = ""
    url: str = ""
    questions: tuple[dict[str, Any], ...] = ()
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseClaim:
    """What the supplier says it will do, and by when."""

    promise_id: str
    what: str = ""
    due_at: datetime | None = None
    state: str = "open"  # open, kept, withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class StepClaim:
    """Something that was tried, and what came of it."""

    what: str
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Where the sender of a mail takes an unsubscription (RFC 2369, RFC 8058).

    `url` is an https address; `is_one_click` says that a POST of
    `List-Unsubscribe=One-Click` to it is enough. `mailto` is a whole `mailto:` address.
    Nothing here was asked for or followed by us.
    """

    url: str = ""
    is_one_click: bool = False
    mailto: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a mail's sender was checked, and what came of it.

    `domain` is whom it says it is from, `signers` who signed it besides, `method` what
    decided (dmarc, dkim, spf, arc), `forwarder` who had checked it before sending it on,
    `detail` why nothing decided.
    """

    verdict: Authentication = Authentication.NONE
    method: str = ""
    domain: str = ""
    signers: tuple[str, ...] = ()
    forwarder: str = ""
    detail: str = ""

    def with_(self, **changes: Any) -> Self:
        """Return a copy with `changes`."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; fields at their default are left out."""
        return _dump(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the proof that `to_json` wrote."""
        return cls(**_values(cls, data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the telephone network says of a number (STIR/SHAKEN), and whether it is one.

    `level` is A, B, C or none. `is_recognised`: the network vouches in full for a number
    that is registered to the supplier. `is_name`: the sender is a name anybody may choose.
    """

    verdict: Authentication = Authentication.NONE
    level: str = "none"
    is_recognised: bool = False
    is_name: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; fields at their default are left out."""
        return _dump(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the value that `to_json` wrote."""
        return cls(**_values(cls, data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a mail server says of a letter: `letter` is the name of ours, if it is one.

    `action` is RFC 3464's: failed, delayed, delivered, relayed, expanded.
    """

    letter: str = ""
    action: str = ""
    status: str = ""
    reason: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A provider asks whether mail may be sent on to us; `link` is its own, never followed."""

    who: str
    code: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a call went. `duration_s` in seconds."""

    status: CallStatus
    duration_s: int = 0
    transcript: str = ""
    awaits_transcript: bool = False
    transfers: int = 0


# Without slots: a field at its default then lies on the class, and reading or copying one
# of thousands a second touches only what was said, not all of the forty fields.
@dataclass(frozen=True, kw_only=True)
class Contact:
    """One thing said or reported, by a supplier or by the owner.

    `said_at` is the sender's own time and orders statements; `sender` is the address
    or number it came from; `asset` is the asset's public UUID when the contact names
    one we know. `quote` is the sentence worth repeating word for word.
    """

    kind: ContactKind
    medium: Medium
    said_at: datetime
    direction: Direction = Direction.IN
    type: str = ""  # the event type where there is one
    sender: str = ""
    authentication: Authentication = Authentication.NONE
    proof: Proof | None = None  # how that was found, where a mail was checked
    caller: Caller | None = None  # what is known of the number of a call or text
    purpose: Purpose | None = Purpose.SERVICE  # None: needs none (a recall)
    title: str = ""
    summary: str = ""
    quote: str = ""
    language: str = ""
    asset: str = ""
    asset_hint: str = ""  # the reference as sent, when it is not (yet) an asset of ours
    keys: tuple[Key, ...] = ()
    quoted: tuple[str, ...] = ()  # reference-like tokens in the text; only known keys count
    visit: Visit | None = None
    eta: Window | None = None
    facts: tuple[FactClaim, ...] = ()
    asks: tuple[AskClaim, ...] = ()
    survey: SurveyClaim | None = None
    promise: PromiseClaim | None = None
    step: StepClaim | None = None
    matter: str = ""  # the journey (UUID) it was written on, where its writer had it in hand
    who: str = ""  # the name its writer gave; nothing proves it
    call: Call | None = None
    revision: int | None = None
    entity: str = ""
    status: str = ""  # a ticket's, order's, claim's own status word
    is_reaching_out: bool = False  # tries to reach the owner in person, now
    is_arriving: bool = False  # says somebody is coming
    is_resolution: bool = False  # the supplier calls the matter resolved or closed
    is_safety: bool = False
    is_from_text: bool = False  # some of it was read from text by a deterministic extractor
    is_counted: bool = True  # reached for the owner; progress and administration do not
    expires_at: datetime | None = None
    payment_domains: tuple[str, ...] = ()  # hosts at which the contact wants to be paid
    link_domains: tuple[str, ...] = ()
    body: str = ""  # plain text, cut to a sane length, for the owner to read
    phones: tuple[str, ...] = ()  # numbers in the text (E.164): identifiers, never news
    documents: tuple[str, ...] = ()  # papers of the household that came with it (UUIDs)
    goods: tuple[GoodsClaim, ...] = ()  # what was bought, line by line
    report: Report | None = None  # it is a bounce
    confirmation: Confirmation | None = None
    is_automatic: bool = False  # a machine answered, and said nothing
    identity: str = ""  # the call it belongs to: its callbacks are one contact
    remarks: tuple[str, ...] = ()  # what could not be read, or contradicts itself: a code each
    unsubscribe: Unsubscribe | None = None
    meant_for: str | None = None  # the member (UUID) it is for; "": for whoever answers
    advert_signs: tuple[str, ...] = ()  # why it is an advert: see `adapters.adverts`

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; fields at their default are left out."""
        found: dict[str, Any] = {}
        known = _written(Contact)
        for name, item in self.__dict__.items():  # the others are at their default
            default, write = known[name]
            if item is not default and item != default:
                found[name] = item if write is None or item is None else write(item)
        return found

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the contact that `to_json` wrote."""
        return cls._holding(_values(cls, data))

    @classmethod
    def saying(cls, **values: Any) -> Self:
        """Return a contact with these fields, at a fraction of what `Contact()` takes."""
        if unknown := values.keys() - _written(Contact).keys():
            raise TypeError(f"a contact has no {', '.join(sorted(unknown))}")
        return cls._holding(values)

    @classmethod
    def _holding(cls, values: dict[str, Any]) -> Self:
        if not values.keys() >= _NEEDED:
            raise TypeError(f"a contact needs {', '.join(sorted(_NEEDED - values.keys()))}")
        contact = object.__new__(cls)
        contact.__dict__.update(values)
        return contact

    def completed_by(self, other: Self) -> Self:
        """Return the one contact that two callbacks of the same call amount to.

        A voicemail says more than the bare call, a transcript more than its absence; the
        order of arrival does not matter. Both must have the same `identity`.
        """
        first, second = sorted((self, other), key=_richness)
        if first.call is None or second.call is None:
            return second
        call = replace(
            second.call,
            duration_s=second.call.duration_s or first.call.duration_s,
            transfers=max(first.call.transfers, second.call.transfers),
        )
        return replace(second, call=call, said_at=min(first.said_at, second.said_at))

    def with_(self, **changes: Any) -> Self:
        """Return a copy with `changes`."""
        if unknown := changes.keys() - _written(Contact).keys():
            raise TypeError(f"a contact has no {', '.join(sorted(unknown))}")
        # dataclasses.replace() takes many times as long.
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **changes)
        return copy


_NEEDED = frozenset({"kind", "medium", "said_at"})


def _richness(contact: Contact) -> tuple[bool, bool, bool]:
    call = contact.call
    if call is None:
        return (False, False, False)
    is_voicemail = call.status == CallStatus.VOICEMAIL
    return (is_voicemail, bool(call.transcript), not call.awaits_transcript)


@cache
def _shape(cls: type) -> tuple[tuple[str, Any, Any], ...]:
    hints = get_type_hints(cls)
    return tuple((item.name, item.default, hints[item.name]) for item in fields(cls))


def _dump(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cls: Any = type(value)
    for name, default, write in _dumpers(cls):
        item = getattr(value, name)
        if item is default or item == default:
            continue
        found[name] = item if write is None or item is None else write(item)
    return found


@cache
def _dumpers(cls: type) -> tuple[tuple[str, Any, Any], ...]:
    return tuple((name, default, _dumper(hint)) for name, default, hint in _shape(cls))


@cache
def _written(cls: type) -> dict[str, tuple[Any, Any]]:
    """Return each field's default, and the function that writes it."""
    return {name: (default, write) for name, default, write in _dumpers(cls)}


@cache
def _dumper(hint: Any) -> Any:
    """Return the function that writes a value of type `hint`, or None to write it as is."""
    if isinstance(hint, UnionType):
        return _dumper(next(arg for arg in get_args(hint) if arg is not NoneType))
    if get_origin(hint) is tuple:
        inner = _dumper(get_args(hint)[0])
        if inner is None:
            return list
        return lambda items: [inner(item) for item in items]
    if hint is datetime:
        return lambda at: at.astimezone(UTC).isoformat()
    if isinstance(hint, type) and is_dataclass(hint):
        return _dump
    if isinstance(hint, type) and hasattr(hint, "choices"):
        return lambda choice: getattr(choice, "value", choice)
    return None


@cache
def _loader(hint: Any) -> Any:
    """Return the function that reads a value of type `hint`, or None to take it as is."""
    if isinstance(hint, UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not NoneType)
        return _loader(inner)
    if get_origin(hint) is tuple:
        inner = _loader(get_args(hint)[0])
        if inner is None:
            return tuple
        return lambda items: tuple([inner(item) for item in items])
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda data: _load(hint, data)
    if isinstance(hint, type) and hasattr(hint, "choices"):
        return hint
    return None


@cache
def _loaders(cls: type) -> dict[str, Any]:
    return {name: _loader(hint) for name, _, hint in _shape(cls)}


def _load(cls: type, data: dict[str, Any]) -> Any:
    return cls(**_values(cls, data))


def _values(cls: type, data: dict[str, Any]) -> dict[str, Any]:
    loaders = _loaders(cls)
    values = {}
    for name, raw in data.items():
        if name not in loaders:
            continue  # written by a later version
        read = loaders[name]
        values[name] = read(raw) if read is not None and raw is not None else raw
    return values
