"""Who lives where, what they own, who serves them and how they wish to be reached."""

import random
from datetime import UTC, datetime, time
from typing import Any

from tests.year.truth import Home, Person

# Every edge there is: half and quarter hours, both sides of the date line, the southern
# hemisphere, clocks that change at midnight, by half an hour, or for Ramadan, or never.
ZONES = (
    "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "America/St_Johns",
    "Pacific/Chatham", "America/Santiago", "Asia/Kolkata", "Pacific/Kiritimati",
    "Africa/Casablanca", "America/Havana", "Asia/Kathmandu", "Pacific/Auckland",
    "Asia/Beirut", "America/Los_Angeles", "Australia/Adelaide", "Africa/Cairo",
    "Pacific/Pago_Pago", "Europe/London", "Atlantic/Azores", "Australia/Sydney",
    "America/Asuncion", "Europe/Lisbon", "Asia/Tehran", "Africa/Johannesburg",
    "America/Sao_Paulo", "Pacific/Apia", "UTC", "Asia/Tokyo",
)  # fmt: skip
KINDS = ("sms", "email", "push", "voice", "chat")
QUIET: tuple[tuple[str, str] | None, ...] = (
    ("22:00", "08:00"), ("23:30", "06:30"), ("00:00", "07:00"), None, ("21:00", "02:30"),
    ("01:30", "05:00"), ("20:00", "00:00"), ("13:00", "15:00"),
)  # fmt: skip
DIGEST_AT = ("18:00", "07:00", "00:00", "02:30", "21:30")
SURVEY_CAPS = (2, 1, 0, 5)
ASSETS = (
    ("house", "home"), ("car", "vehicle"), ("boiler", "heating"), ("dvr", "electronics"),
    ("phone", "electronics"),
)  # fmt: skip
TRADES = (
    ("power", "utility", "house"), ("water", "utility", "house"), ("net", "utility", "house"),
    ("tv", "utility", "dvr"), ("insurer", "insurer", "house"), ("garage", "repairer", "car"),
    ("dealer", "seller", "car"), ("heating", "repairer", "boiler"), ("maker", "maker", "dvr"),
    ("carrier", "utility", "phone"), ("courier", "seller", "house"),
    ("roofer", "repairer", "house"),
)  # fmt: skip
FIRMS = 4  # of each trade in the world
RULES: tuple[dict[str, tuple[str, str]], ...] = (
    {},
    {},
    {"question": ("never", "")},
    {"changed": ("today", "")},
    {"arriving": ("now", "voice")},
    {"money": ("now", "email")},
    {},
)


def firm_of(trade: str, number: int) -> str:
    """Return the key of one of the world's firms."""
    return f"{trade}{number}"


def domain_of(firm: str) -> str:
    """Return the domain a firm writes from."""
    return f"{firm}.example"


def number_of(firm: str) -> str:
    """Return the telephone number a firm calls from."""
    trade = next(i for i, (name, _, _) in enumerate(TRADES) if firm.startswith(name))
    return f"+1800555{trade:02}{firm[-1]}9"


def home(index: int, *, start: datetime, chance: random.Random) -> tuple[Home, dict[str, Any]]:
    """Return a household and its world, the first line of a story."""
    key = f"h{index:03}"
    zone = ZONES[index % len(ZONES)]
    cap = SURVEY_CAPS[index % len(SURVEY_CAPS)]
    people = [_person(key, "ana", index, zone)]
    if index % 3 == 1:
        # Somebody who lives, or travels, in another zone than the house stands in.
        people.append(_person(key, "ben", index + 5, ZONES[(index * 7 + 3) % len(ZONES)]))
    admins = tuple(person.key for person in people)
    keepers = {
        asset: admins if number == index % 5 else (chance.choice(admins),)
        for number, (asset, _kind) in enumerate(ASSETS)
    }
    firms = [firm_of(trade, chance.randrange(FIRMS)) for trade, _role, _asset in TRADES]
    world = {
        "zone": zone,
        "from": start.astimezone(UTC).isoformat(),
        "household": {
            "name": f"Home {index}",
            "members": [_member(person, index, cap) for person in people],
        },
        "assets": [
            {
                "key": asset,
                "name": f"{asset} {index}",
                "kind": kind,
                "serial": f"SN-{index:04}-{asset}",
                # A thing without a keeper is every admin's.
                **({"keeper": keepers[asset][0]} if len(keepers[asset]) == 1 else {}),
            }
            for asset, kind in ASSETS
        ],
        "suppliers": [
            {
                "key": firm,
                "name": f"{trade.title()} number {firm[-1]}",
                "domains": [domain_of(firm)],
                "numbers": [number_of(firm)],
                "webhook": True,
                "roles": [{"asset": asset, "role": role}],
                "mandate": {"assets": [asset], "purposes": ["service", "billing", "feedback"]},
            }
            for firm, (trade, role, asset) in zip(firms, TRADES, strict=True)
        ],
    }
    found = Home(key=key, zone=zone, people=tuple(people), survey_cap=cap, keepers=keepers)
    return found, world


def _person(home_key: str, key: str, index: int, zone: str) -> Person:
    prefers = KINDS[index % len(KINDS)]
    quiet = QUIET[index % len(QUIET)]
    return Person(
        home=home_key,
        key=key,
        zone=zone,
        prefers=prefers,
        channels=tuple(dict.fromkeys((prefers, "email", KINDS[(index + 2) % len(KINDS)]))),
        quiet=(time.fromisoformat(quiet[0]), time.fromisoformat(quiet[1])) if quiet else None,
        has_exceptions=index % 6 != 5,
        digest_at=time.fromisoformat(DIGEST_AT[index % len(DIGEST_AT)]),
        digest_weekday=index % 7,
        rules=RULES[index % len(RULES)],
    )


def _member(person: Person, index: int, cap: int) -> dict[str, Any]:
    place = f"{index:03}{'12'[person.key == 'ben']}"
    addresses = {
        "sms": f"+1212555{place}",
        "voice": f"+1213555{place}",
        "email": f"{person.key}@{person.home}.example",
        "push": f"push-{person.home}-{person.key}",
        "chat": f"ntfys://ntfy.example/{person.home}{person.key}",
    }
    return {
        "key": person.key,
        "name": f"{person.key.title()} of {person.home}",
        "email": addresses["email"],
        "rank": "admin",
        "zone": person.zone,
        "prefers": person.prefers,
        "quiet": [f"{wall:%H:%M}" for wall in person.quiet] if person.quiet else None,
        "quiet_exceptions": person.has_exceptions,
        "digest_at": f"{person.digest_at:%H:%M}",
        "digest_weekday": person.digest_weekday,
        "survey_cap": cap,
        "intake_number": f"+1555{place}000",
        "channels": [{"kind": kind, "address": addresses[kind]} for kind in person.channels],
    }
