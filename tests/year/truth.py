"""What is true of a year, as values: what people wish, what was said, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of a household and their wishes, as they set them."""

    home: str
    key: str
    zone: str
    prefers: str
    channels: tuple[str, ...]
    quiet: tuple[time, time] | None
    has_exceptions: bool
    digest_at: time
    digest_weekday: int
    rules: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # topic -> moment, channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household: its people, and how many surveys it takes in thirty days."""

    key: str
    zone: str
    people: tuple[Person, ...]
    survey_cap: int
    keepers: Mapping[str, tuple[str, ...]]  # asset -> whom to tell of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One contact, and what whoever made it knows of it.

    `tells` are the facts it states, `is_news` whether one of them is new on its matter.
    `windows` are the old and the new times it is about. `must` says that somebody has to be
    interrupted within `hold` seconds of its arrival, `until` after which it is past helping.
    """

    line: str
    home: str
    matter: str
    kind: str
    at: datetime
    supplier: str = ""
    asset: str = ""
    tells: Mapping[str, str] = field(default_factory=dict)
    is_news: bool = False
    must: bool = False
    topic: str = ""
    hold: int = 0
    windows: tuple[Window, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the product says became of a contact, and why."""

    line: str
    outcome: str
    reason: str
    rule: str
    evidence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notification that was told."""

    id: str
    home: str
    person: str
    journey: str
    level: str
    topic: str
    reason: str
    rule: str
    text: str
    because: tuple[str, ...]  # lines
    held_since: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a transport was given; `told` names the notification, if it is of one."""

    key: str
    home: str
    person: str
    purpose: str
    channel: str
    address: str
    step: int
    text: str
    at: datetime
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A digest that was made."""

    home: str
    person: str
    slot: datetime
    at: datetime
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A survey that was offered on a card."""

    home: str
    supplier: str
    journey: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Everything that happened in the simulated time."""

    homes: tuple[Home, ...]
    said: tuple[Said, ...]
    outcomes: tuple[Outcome, ...]
    told: tuple[Told, ...]
    messages: tuple[Message, ...]
    digests: tuple[Digest, ...]
    offers: tuple[Offer, ...]
    put_away: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # untold: its rules
    ends: datetime | None = None
    measured: Mapping[str, int] = field(default_factory=dict)  # what the product counts itself
