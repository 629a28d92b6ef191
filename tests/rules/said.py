"""Short ways to say things in tests of the pure rules. One family, one supplier, one visit."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from notifications.merging import Entry
from owners.choices import Trust
from suppliers.choices import CallStatus, ContactKind, Direction, Medium, Stage
from suppliers.contacts import Call, Contact, FactClaim, Key, Money, Visit, Window

NEW_YORK = ZoneInfo("America/New_York")
SKYLINE, NORDVARME = 7, 8
DVR, BOILER = "asset-dvr", "asset-boiler"


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    """`13 08:14` is that day of November 2026 in New York."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=zone)


def window(start: str, end: str) -> Window:
    """A window between two such times."""
    return Window(start=at(start), end=at(end))


MORNING = window("13 08:00", "13 12:00")
AFTERNOON = window("13 13:00", "13 17:00")


def entry(
    name: str,
    when: str,
    *,
    supplier: int = SKYLINE,
    trust: int = Trust.AUTHENTICATED,
    asset: str = DVR,
    covers: frozenset[str] = frozenset({DVR}),
    suspicion: str = "",
    refusal: str = "",
    is_likely: bool = False,
    owner: int = 0,
    **said: Any,
) -> Entry:
    """One contact, by default an authenticated mail of Skyline about the DVR."""
    values: dict[str, Any] = {
        "kind": ContactKind.MESSAGE,
        "medium": Medium.EMAIL,
        "said_at": at(when),
        "sender": "visits@skyline.example",
    }
    values.update(said)
    return Entry(
        id=name,
        said=Contact(**values),
        supplier=supplier,
        trust=trust,
        asset=asset,
        covers=covers,
        suspicion=suspicion,
        refusal=refusal,
        is_likely=is_likely,
        owner=owner,
    )


def fee(amount: str, currency: str = "", label: str = "Upgrade") -> FactClaim:
    """What the work costs."""
    return FactClaim(name="fee", label=label, money=Money(amount=amount, currency=currency))


def log(name: str, when: str, *, owner: int = 1, **said: Any) -> Entry:
    """A call the owner made and wrote down."""
    values: dict[str, Any] = {
        "kind": ContactKind.CALL,
        "medium": Medium.CALL,
        "direction": Direction.OUT,
        "call": Call(status=CallStatus.ANSWERED, duration_s=60),
    }
    return entry(
        name, when, trust=Trust.OWNER, owner=owner, covers=frozenset(), sender="", **(values | said)
    )


def mail(name: str, when: str, span: Window | None = None, **said: Any) -> Entry:
    """A mail about a visit, as text says it."""
    visit = Visit(window=span) if span else None
    return entry(name, when, visit=visit, is_from_text=True, **said)


def invite(
    name: str, when: str, span: Window, *, uid: str = "job-1", sequence: int = 0, **said: Any
) -> Entry:
    """An iCalendar request."""
    visit = Visit(window=span, uid=uid, sequence=sequence, dtstamp=at(when) - timedelta(minutes=1))
    return entry(name, when, visit=visit, keys=(Key(scheme="uid", value=uid),), **said)


def progress(name: str, when: str, stage: Stage, *, uid: str = "job-1", **said: Any) -> Entry:
    """A signed webhook about the visit's progress."""
    visit = Visit(stage=stage, uid=uid, at=at(when))
    return entry(
        name,
        when,
        trust=Trust.SIGNED,
        visit=visit,
        kind=ContactKind.VISIT_PROGRESS,
        medium=Medium.NONE,
        keys=(Key(scheme="uid", value=uid),),
        is_counted=False,
        **said,
    )


def voicemail(name: str, when: str, quote: str, *, number: str = "+12125550147") -> Entry:
    """A voicemail of an unknown number that says somebody comes."""
    return entry(
        name,
        when,
        supplier=0,
        trust=Trust.UNKNOWN,
        asset="",
        covers=frozenset(),
        suspicion="unknown_sender",
        is_likely=True,
        kind=ContactKind.VOICEMAIL,
        medium=Medium.VOICEMAIL,
        sender=number,
        quote=quote,
        is_reaching_out=True,
        is_arriving=True,
        call=Call(status=CallStatus.VOICEMAIL, duration_s=22),
    )


def cut_off(name: str, when: str, *, number: str = "+12125550147") -> Entry:
    """A call that broke off."""
    return entry(
        name,
        when,
        supplier=0,
        trust=Trust.UNKNOWN,
        asset="",
        covers=frozenset(),
        suspicion="unknown_sender",
        is_likely=True,
        kind=ContactKind.CALL,
        medium=Medium.CALL,
        sender=number,
        is_reaching_out=True,
        call=Call(status=CallStatus.DROPPED, duration_s=3),
    )


def the_story() -> list[Entry]:
    """The DVR story up to the visit."""
    return [
        log("c1", "09 09:22", body="The DVR does not record. Not solved."),
        log(
            "c2", "10 18:43", visit=Visit(window=MORNING), facts=(fee("49.00"),), is_from_text=True
        ),
        voicemail("c3", "13 08:14", "we will be there in a few hours"),
        cut_off("c4", "13 08:21"),
        cut_off("c5", "13 08:26"),
        invite("c6", "13 08:40", MORNING),
        mail(
            "c7",
            "13 08:41",
            MORNING,
            facts=(fee("49.00", "USD"),),
            keys=(Key(scheme="order", value="4471-88213"),),
        ),
        mail("c8", "13 08:55", MORNING, facts=(fee("49.00", "USD", "Upgrade fee"),)),
        progress("e1", "13 10:30", Stage.STARTED),
        progress("e1b", "13 11:45", Stage.DONE),
    ]
