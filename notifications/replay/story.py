"""A story as values, read strictly: a wrong line is named by its number. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.numbers import get_territory_currencies

from assets.choices import AssetKind, IdentifierScheme
from owners.choices import ChannelKind, Moment, Rank, Topic
from suppliers.choices import Authentication, CallStatus, Direction, Medium, Purpose, RoleKind

DEFAULT_PURPOSES = (Purpose.SERVICE, Purpose.BILLING, Purpose.FEEDBACK)
ANSWERS = ("works", "not_yet", "yes", "no")


class StoryError(Exception):
    """A line of a story cannot be played; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of the household as the world gives it."""

    key: str
    name: str
    email: str
    rank: Rank | None = None  # the first member is an admin unless the world says otherwise
    prefers: ChannelKind = ChannelKind.EMAIL
    quiet: tuple[time, time] | None = (time(22, 0), time(8, 0))
    has_quiet_exceptions: bool = True
    digest_at: time = time(18, 0)
    digest_weekday: int = 6
    language: str = "en"
    zone: str = ""
    channels: tuple[tuple[ChannelKind, str], ...] = ()
    survey_cap: int | None = None
    intake_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldAsset:
    """A thing of the household; `identifiers` are (scheme, value) as given."""

    key: str
    name: str
    kind: AssetKind = AssetKind.OTHER
    maker: str = ""
    model: str = ""
    keeper: str = ""
    identifiers: tuple[tuple[IdentifierScheme, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldMandate:
    """What the household allows a supplier."""

    assets: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = DEFAULT_PURPOSES


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSupplier:
    """An organisation; without a mandate it is a stranger to the household."""

    key: str
    name: str
    domains: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    webhook: bool = False
    webhook_url: str = ""
    roles: tuple[tuple[str, RoleKind], ...] = ()  # (asset key, role)
    mandate: WorldMandate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The first line: who and what there is when the clock starts."""

    zone: ZoneInfo
    start: datetime
    name: str
    members: tuple[Member, ...]
    assets: tuple[WorldAsset, ...] = ()
    suppliers: tuple[WorldSupplier, ...] = ()
    country: str = ""
    currency: str = "EUR"

    def supplier(self, key: str) -> WorldSupplier:
        """Return the supplier called `key`."""
        return next(supplier for supplier in self.suppliers if supplier.key == key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happens. `data` holds the fields of its `via`; times are datetimes."""

    number: int
    id: str
    at: datetime
    via: str  # webhook, email, sms, telephony, owner, until
    data: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1

    @property
    def makes_contact(self) -> bool:
        """Whether the line is a contact, inbound or the owner's own."""
        if self.via == "owner":
            return bool(self.data["do"] == "log_call")
        return self.via != "until"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A world and what happens in it, in the order in which it is played."""

    world: World
    lines: tuple[Line, ...]


class _WrongError(Exception):
    """A value is wrong; whoever knows the line turns it into a StoryError."""


Reader = Callable[[Any], Any]
# Anywhere else null means the same as leaving the field out.
MEANINGFUL_NULLS = {"quiet", "mandate"}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongError(f"{value!r} is not a text")
    return value


def _named(value: Any) -> str:
    if not _text(value).strip():
        raise _WrongError("is empty")
    return str(value)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _WrongError(f"{value!r} is not a whole number")
    return value


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongError(f"{value!r} is not true or false")
    return value


def _instant(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value))
    except ValueError as error:
        raise _WrongError(f"{value!r} is not an RFC 3339 time") from error
    if found.tzinfo is None:
        raise _WrongError(f"{value!r} has no offset")
    return found


def _wall_time(value: Any) -> time:
    try:
        return time.fromisoformat(_text(value))
    except ValueError as error:
        raise _WrongError(f"{value!r} is not a time of day") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError(f"{value!r} is not an object")
    return value


def _list(read: Reader) -> Reader:
    def reader(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _WrongError(f"{value!r} is not a list")
        return tuple(read(item) for item in value)

    return reader


def _choice(*allowed: str) -> Reader:
    def reader(value: Any) -> str:
        if _text(value) not in allowed:
            raise _WrongError(f"{value!r} is none of {', '.join(allowed)}")
        return str(value)

    return reader


def _one_of(choices: type[Enum]) -> Reader:
    names = tuple(choice.value for choice in choices)

    def reader(value: Any) -> Any:
        return choices(_choice(*names)(value))

    return reader


def _score(value: Any) -> int:
    if _number(value) not in range(1, 6):
        raise _WrongError("is not between 1 and 5")
    return int(value)


def _quiet(value: Any) -> tuple[time, time] | None:
    if value is None:
        return None
    both = _list(_wall_time)(value)
    if len(both) != 2:
        raise _WrongError("needs a beginning and an end")
    return both[0], both[1]


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(_named(value))
    except (KeyError, ValueError, OSError) as error:
        raise _WrongError(f"{value!r} is not a time zone") from error


def _window(value: Any) -> dict[str, datetime]:
    window = _read(_object(value), {"start": _instant, "end": _instant}, {})
    if window["end"] <= window["start"]:
        raise _WrongError("ends before it starts")
    return window


def _money(value: Any) -> dict[str, str]:
    return _read(_object(value), {"amount": _named}, {"currency": _text})


def _event(value: Any) -> dict[str, Any]:
    """Check only the envelope: what a supplier writes into `data` may be wrong on purpose."""
    event = _object(value)
    _named(event.get("type"))
    if "time" in event:
        _instant(event["time"])
    if "data" in event:
        _object(event["data"])
    return event


def _read(
    given: Mapping[str, Any], required: Mapping[str, Reader], optional: Mapping[str, Reader]
) -> dict[str, Any]:
    """Return the fields of `given`, each read; unknown and missing ones are wrong."""
    unknown = sorted(set(given) - set(required) - set(optional))
    if unknown:
        raise _WrongError(f"unknown field {unknown[0]!r}")
    missing = sorted(set(required) - set(given))
    if missing:
        raise _WrongError(f"{missing[0]!r} is missing")
    found = {}
    for name, value in given.items():
        if value is None and name in optional and name not in MEANINGFUL_NULLS:
            continue
        read = required.get(name) or optional[name]
        try:
            found[name] = read(value)
        except _WrongError as error:
            raise _WrongError(f"{name}: {error}") from error
    return found


# What each line may carry besides id, at, via and times: (required, optional).
FIELDS: dict[str, tuple[dict[str, Reader], dict[str, Reader]]] = {
    "webhook": ({"supplier": _named, "event": _event}, {}),
    "email": (
        {"from": _named},
        {
            "mandate": _named,
            "to": _named,
            "auth": _one_of(Authentication),
            "subject": _text,
            "text": _text,
            "html": _text,
            "ics": _text,
            "message_id": _named,
            "in_reply_to": _named,
        },
    ),
    "sms": ({"to": _named, "from": _named, "text": _text}, {}),
    "telephony": (
        {"to": _named, "from": _named, "status": _one_of(CallStatus)},
        {
            "direction": _one_of(Direction),
            "duration_s": _number,
            "transcript": _text,
            "transcript_at": _instant,
        },
    ),
}
MATTER: dict[str, Reader] = {"journey_of": _named, "contact": _named}
OWNER_FIELDS: dict[str, tuple[dict[str, Reader], dict[str, Reader]]] = {
    "answer": ({"answer": _choice(*ANSWERS)}, MATTER),
    "accept": ({}, MATTER),
    "decline": ({}, MATTER),
    "tentative": ({}, MATTER),
    "counter": ({"windows": _list(_window)}, MATTER),
    "pick": ({"slot": _named}, MATTER),
    "request": ({"windows": _list(_window)}, MATTER),
    "cancel": ({}, MATTER),
    "dispute": ({"text": _named}, MATTER),
    "acknowledge": ({}, MATTER),
    "choose_remedy": ({"text": _named}, MATTER),
    "not_mine": ({}, MATTER),
    "reply": ({"text": _named}, MATTER),
    "let_in": ({}, MATTER),
    "not_now": ({}, MATTER),
    "undo_absorb": ({}, MATTER),
    "always_show": ({}, MATTER),
    "split": ({}, MATTER),
    "merge": ({"with": _named}, MATTER),
    "snooze": ({"until": _instant}, MATTER),
    "rate": ({"score": _score}, {"text": _text, **MATTER}),
    "choose_asset": ({"asset": _named}, MATTER),
    "correct": ({"fact": _named, "value": lambda value: value}, MATTER),
    "log_call": (
        {"started_at": _instant},
        {
            "direction": _one_of(Direction),
            "supplier": _named,
            "asset": _named,
            "duration_s": _number,
            "asks": _list(_named),
            "transfers": _number,
            "note": _text,
            "medium": _one_of(Medium),
            "window": _window,
            "fee": _money,
            "reference": _text,
        },
    ),
    "set_reach": (
        {"topic": _one_of(Topic), "moment": _one_of(Moment)},
        {"channel": _one_of(ChannelKind)},
    ),
    "open_feed": ({}, {}),
}
NEEDS_NO_MATTER = {"log_call", "set_reach", "open_feed"}


def parse(text: str) -> Story:
    """Return the story written in `text`, one JSON object a line.

    Raises StoryError for the first line that cannot be played.
    """
    rows = []
    for number, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            rows.append((number, json.loads(row)))
        except ValueError as error:
            raise StoryError(number, f"not JSON: {error}") from error
    return build(rows)


def build(rows: Iterable[tuple[int, Any]]) -> Story:
    """Return the story of numbered JSON objects, the world first."""
    rows = list(rows)
    if not rows:
        raise StoryError(1, "the story is empty")
    world = _at_line(rows[0][0], lambda: _world(_object(rows[0][1])))
    lines = [_at_line(number, _line, number, row, world) for number, row in rows[1:]]
    _check_references(world, lines)
    return Story(world=world, lines=tuple(sorted(lines, key=lambda line: (line.at, line.number))))


def _at_line(number: int, read: Callable[..., Any], *args: Any) -> Any:
    try:
        return read(*args)
    except _WrongError as error:
        raise StoryError(number, str(error)) from error


def _world(row: dict[str, Any]) -> World:
    given = _read(row, {"world": _object}, {})["world"]
    found = _read(
        given,
        {"zone": _zone, "from": _instant, "household": _household},
        {
            "assets": _list(_asset),
            "suppliers": _list(_supplier),
            "country": _named,
            "currency": _named,
        },
    )
    territory = given.get("country") or get_global("zone_territories").get(given["zone"]) or ""
    currencies = get_territory_currencies(territory, found["from"].date()) if territory else []
    world = World(
        zone=found["zone"],
        start=found["from"],
        name=found["household"]["name"],
        members=found["household"]["members"],
        assets=found.get("assets", ()),
        suppliers=found.get("suppliers", ()),
        country=territory,
        currency=found.get("currency") or (currencies[0] if currencies else "EUR"),
    )
    _check_world(world)
    return world


def _household(value: Any) -> dict[str, Any]:
    return _read(_object(value), {"name": _named, "members": _list(_member)}, {})


def _channel(value: Any) -> tuple[ChannelKind, str]:
    found = _read(_object(value), {"kind": _one_of(ChannelKind), "address": _named}, {})
    return found["kind"], found["address"]


def _member(value: Any) -> Member:
    found = _read(
        _object(value),
        {"key": _named, "name": _named, "email": _named},
        {
            "rank": _one_of(Rank),
            "prefers": _one_of(ChannelKind),
            "quiet": _quiet,
            "quiet_exceptions": _yes_no,
            "digest_at": _wall_time,
            "digest_weekday": _number,
            "language": _named,
            "zone": lambda zone: _zone(zone).key,
            "channels": _list(_channel),
            "survey_cap": _number,
            "intake_number": _named,
        },
    )
    found["has_quiet_exceptions"] = found.pop("quiet_exceptions", True)
    return Member(**found)


def _asset(value: Any) -> WorldAsset:
    given = _object(value)
    schemes = set(IdentifierScheme.values)
    identifiers = tuple(
        (IdentifierScheme(name), _named(item)) for name, item in given.items() if name in schemes
    )
    # An asset may carry more than today's columns hold; the format leaves it open.
    known = {"key", "name", "kind", "maker", "model", "keeper"}
    found = _read(
        {name: item for name, item in given.items() if name in known},
        {"key": _named, "name": _named},
        {"kind": _one_of(AssetKind), "maker": _text, "model": _text, "keeper": _named},
    )
    return WorldAsset(**found, identifiers=identifiers)


def _role(value: Any) -> tuple[str, RoleKind]:
    found = _read(_object(value), {"asset": _named, "role": _one_of(RoleKind)}, {})
    return found["asset"], found["role"]


def _mandate(value: Any) -> WorldMandate | None:
    if value is None:
        return None
    found = _read(
        _object(value), {}, {"assets": _list(_named), "purposes": _list(_one_of(Purpose))}
    )
    return WorldMandate(**found)


def _webhook(value: Any) -> str | bool:
    return value if isinstance(value, str) else _yes_no(value)


def _supplier(value: Any) -> WorldSupplier:
    found = _read(
        _object(value),
        {"key": _named, "name": _named},
        {
            "domains": _list(_named),
            "numbers": _list(_named),
            "webhook": _webhook,
            "roles": _list(_role),
            "mandate": _mandate,
        },
    )
    webhook = found.pop("webhook", False)
    url = webhook if isinstance(webhook, str) else ""
    return WorldSupplier(**found, webhook=bool(webhook), webhook_url=url)


def _unique(keys: Iterable[str], what: str) -> set[str]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise _WrongError(f"two {what} are called {key!r}")
        seen.add(key)
    return seen


def _check_world(world: World) -> None:
    members = _unique((member.key for member in world.members), "members")
    assets = _unique((asset.key for asset in world.assets), "assets")
    _unique((supplier.key for supplier in world.suppliers), "suppliers")
    if not members:
        raise _WrongError("the household has no member")
    for asset in world.assets:
        if asset.keeper and asset.keeper not in members:
            raise _WrongError(f"the keeper of {asset.key!r} is no member: {asset.keeper!r}")
    for supplier in world.suppliers:
        covered = supplier.mandate.assets if supplier.mandate else ()
        for key in (*covered, *(asset for asset, _ in supplier.roles)):
            if key not in assets:
                raise _WrongError(f"{supplier.key!r} names an unknown asset: {key!r}")


def _line(number: int, given: Any, world: World) -> Line:
    row = dict(_object(given))
    if "until" in row and "via" not in row:  # the owner snoozes until a time, too
        until = _read(row, {"until": _instant}, {"id": _named})["until"]
        return Line(number=number, id=f"line-{number}", at=_not_before(until, world), via="until")
    head = _read(
        {name: row.pop(name) for name in ("id", "at", "via", "times") if name in row},
        {"at": _instant, "via": _choice("webhook", "email", "sms", "telephony", "owner")},
        {"id": _named, "times": _number},
    )
    read = _owner_line if head["via"] == "owner" else _inbound_line
    if head.get("times", 1) < 1:
        raise _WrongError("times: is not at least 1")
    return Line(
        number=number,
        id=head.get("id", f"line-{number}"),
        at=_not_before(head["at"], world),
        via=head["via"],
        data=read(head["via"], row),
        times=head.get("times", 1),
    )


def _not_before(at: datetime, world: World) -> datetime:
    if at < world.start:
        raise _WrongError("is before the clock starts")
    return at


def _inbound_line(via: str, row: dict[str, Any]) -> dict[str, Any]:
    required, optional = FIELDS[via]
    found = _read(row, required, optional)
    if via == "email" and ("mandate" in found) == ("to" in found):
        raise _WrongError("an e-mail goes to a mandate's alias or to a member")
    return found


def _owner_line(_: str, row: dict[str, Any]) -> dict[str, Any]:
    do = row.pop("do", None)
    if do not in OWNER_FIELDS:
        raise _WrongError(f"do: {do!r} is none of {', '.join(OWNER_FIELDS)}")
    required, optional = OWNER_FIELDS[do]
    found = _read(row, {"by": _named, **required}, optional)
    if do not in NEEDS_NO_MATTER and ("journey_of" in found) == ("contact" in found):
        raise _WrongError(f"{do} needs either journey_of or contact")
    return {"do": do, **found}


def _check_references(world: World, lines: list[Line]) -> None:
    """Every key and id that a line names exists."""
    members = {member.key for member in world.members}
    suppliers = {supplier.key for supplier in world.suppliers}
    mandates = {supplier.key for supplier in world.suppliers if supplier.mandate}
    assets = {asset.key for asset in world.assets}
    ids: set[str] = set()
    for line in lines:
        if line.id in ids:
            raise StoryError(line.number, f"the id {line.id!r} is taken")
        ids.add(line.id)
    contacts = {line.id for line in lines if line.makes_contact}
    known = {
        "to": members,
        "by": members,
        "supplier": suppliers,
        "mandate": mandates,
        "asset": assets,
        "journey_of": contacts,
        "contact": contacts,
        "with": contacts,
    }
    for line in lines:
        for name, allowed in known.items():
            value = line.data.get(name)
            if value is not None and value not in allowed:
                raise StoryError(line.number, f"{name}: there is no {value!r}")
