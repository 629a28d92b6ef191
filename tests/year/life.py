"""What suppliers say to a household in a year, and what of it is news by construction."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.year.homes import domain_of, home
from tests.year.truth import Home, Said, Window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GRID = 30 * MINUTE  # most machines speak at the full or the half hour; what is close stays close
NEAR = 24 * HOUR
NOW, QUICK, SOON = 0, 30, 600  # how long each class of news may be held, in seconds
# How often a year brings what to a household; a visit is about nine contacts, a bill three.
OFTEN = {
    "visit": 36, "bill": 40, "parcel": 24, "question": 12, "advert": 28, "stranger": 20,
    "stray_survey": 6, "promise": 6, "recall": 1, "edge": 10,
}  # fmt: skip
STARTS = (0, 2, 7, 8, 8, 9, 10, 13, 13, 14, 17, 19, 22)


@dataclass(slots=True)
class Life:
    """One household's year while it is thought up."""

    home: Home
    world: dict[str, Any]
    start: datetime
    days: int
    chance: random.Random
    lines: list[dict[str, Any]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    known: dict[str, dict[str, str]] = field(default_factory=dict)  # matter -> fact -> value
    taken: set[tuple[str, datetime]] = field(default_factory=set)  # who comes when
    count: int = 0

    @property
    def zone(self) -> ZoneInfo:
        """The zone the house stands in."""
        return ZoneInfo(self.home.zone)

    def name(self) -> str:
        """Return a name nothing had before."""
        self.count += 1
        return f"{self.home.key}-{self.count}"

    def firm(self, *, asset: str = "") -> tuple[str, str]:
        """Return one of the household's suppliers and what it looks after."""
        served = [
            (supplier["key"], supplier["mandate"]["assets"][0])
            for supplier in self.world["suppliers"]
            if asset in ("", supplier["mandate"]["assets"][0])
        ]
        return self.chance.choice(served)

    def firm_at(self, start: datetime) -> tuple[str, str]:
        """Return a supplier that does nothing else then: one visit said twice is one visit."""
        while True:
            firm, asset = self.firm()
            if (firm, start) not in self.taken:
                self.taken.add((firm, start))
                return firm, asset

    def local(self, day: int, hour: int, minute: int = 0) -> datetime:
        """Return a wall time at the house, as an instant; in a gap, what follows it."""
        on = self.start.astimezone(self.zone).date() + day * DAY
        wall = datetime.combine(on, time(hour, minute), tzinfo=self.zone)
        return wall.astimezone(UTC)

    def any_day(self, *, margin: int = 12) -> int:
        """Return a day on which something begins, with room for its end."""
        first = min(margin, self.days // 2)
        return self.chance.randrange(first, max(first + 1, self.days - 8))

    def say(self, said: Said, line: Mapping[str, Any]) -> None:
        """Add a line and what is true of it; what its matter does not know yet is news."""
        known = self.known.setdefault(said.matter, {})
        is_news = any(known.get(fact) != value for fact, value in said.tells.items())
        known.update(said.tells)
        self.said.append(replace(said, is_news=is_news))
        self.lines.append({"id": said.line, "at": said.at.isoformat(), **line})

    def event(
        self,
        kind: str,
        data: Mapping[str, Any],
        *,
        at: datetime,
        firm: str,
        matter: str,
        asset: str,
        what: str,
        times: int = 1,
        **truth: Any,
    ) -> None:
        """Say something by signed webhook."""
        self.say(
            Said(
                line=self.name(),
                home=self.home.key,
                matter=matter,
                kind=what,
                at=at,
                supplier=firm,
                asset=asset,
                **truth,
            ),
            {
                "via": "webhook",
                "supplier": firm,
                "event": {"type": kind, "data": {"asset": {"ref": asset}, **data}},
                **({"times": times} if times > 1 else {}),
            },
        )


def year(index: int, *, seed: int, start: datetime, days: int, share: float = 1.0) -> Life:
    """Return a household's time from `start` on; the same for the same arguments."""
    chance = random.Random(f"{seed}:{index}")
    who, world = home(index, start=start, chance=chance)
    life = Life(home=who, world=world, start=start, days=days, chance=chance)
    for person in who.people:
        for topic, (moment, channel) in person.rules.items():
            life.lines.append(
                {
                    "id": life.name(),
                    "at": start.isoformat(),
                    "via": "owner",
                    "by": person.key,
                    "do": "set_reach",
                    "topic": topic,
                    "moment": moment,
                    **({"channel": channel} if channel else {}),
                }
            )
    for what, often in OFTEN.items():
        wanted = often * share * days / 365
        count = int(wanted) + (chance.random() < wanted % 1)
        for _ in range(max(count, 1)):
            MATTERS[what](life)
    if index % 4 == 0:
        _look_now_and_then(life)
    life.lines.append({"until": (start + days * DAY).isoformat()})
    return life


def on_grid(at: datetime) -> datetime:
    """Return the next full or half hour."""
    past = (at - datetime(2000, 1, 1, tzinfo=UTC)) % GRID
    return at if not past else at + GRID - past


def _look_now_and_then(life: Life) -> None:
    for day in range(3, life.days - 1, 9):
        life.lines.append(
            {
                "id": life.name(),
                "at": life.local(day, 12, 30).isoformat(),
                "via": "owner",
                "by": "ana",
                "do": "open_feed",
            }
        )


# Visits


def _window(window: Window) -> str:
    return "/".join(end.astimezone(UTC).isoformat(timespec="minutes") for end in window)


@dataclass(slots=True)
class _Visit:
    """One visit while it is told; `window` is the time last said."""

    life: Life
    firm: str
    asset: str
    window: Window
    matter: str
    sequence: int = 0
    past: tuple[Window, ...] = ()
    booked_at: datetime | None = None

    def tell(self, kind: str, at: datetime, what: str, /, **more: Any) -> None:
        """Say something of the visit by webhook."""
        truth = {key: more.pop(key) for key in ("must", "topic", "hold", "tells") if key in more}
        times = more.pop("times", 1)
        windows = (*self.past, self.window)
        self.life.event(
            f"appointment.{kind}",
            {"uid": f"job-{self.matter}@{domain_of(self.firm)}", **more},
            at=at,
            firm=self.firm,
            matter=self.matter,
            asset=self.asset,
            what=what,
            times=times,
            windows=windows,
            until=max(end for _, end in windows) + 4 * HOUR,
            **truth,
        )

    def _times(self, at: datetime) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "dtstamp": at.isoformat(),
            "start": self.window[0].isoformat(),
            "end": self.window[1].isoformat(),
            "zone": self.life.home.zone,
            "kind": "visit",
            "refs": [{"scheme": "order", "value": f"ORD-{self.matter}"}],
        }

    def book(self, at: datetime, **more: Any) -> None:
        """Say for the first time when it is."""
        self.booked_at = at
        soon = self.window[0] - at <= NEAR
        self.tell(
            "requested", at, "booking", **self._times(at), must=soon, topic="changed",
            hold=2 * 60, tells={"window": _window(self.window)}, **more,
        )  # fmt: skip

    def move(self, at: datetime, by: timedelta, *, must: bool = True) -> None:
        """Say another time."""
        self.past = (*self.past, self.window)
        while not self._is_free(self.window[0] + by):
            by += HOUR
        self.life.taken.add((self.firm, self.window[0] + by))
        self.window = (self.window[0] + by, self.window[1] + by)
        self.sequence += 1
        near = any(start - at <= NEAR for start, _ in (self.past[-1], self.window))
        self.tell(
            "updated", at, "move", **self._times(at), must=must, topic="changed",
            hold=QUICK if near else SOON, tells={"window": _window(self.window)},
        )  # fmt: skip

    def _is_free(self, start: datetime) -> bool:
        """Whether the supplier does nothing else then; where it was before, it may go back to."""
        return (self.firm, start) not in self.life.taken or start in [at for at, _ in self.past]

    def cancel(self, at: datetime) -> None:
        """Say that it is off."""
        near = self.window[0] - at <= NEAR
        self.tell(
            "cancelled", at, "cancel", sequence=self.sequence + 1, dtstamp=at.isoformat(),
            must=True, topic="changed", hold=QUICK if near else SOON,
            tells={"window": "cancelled"},
        )  # fmt: skip

    def mail(self, at: datetime) -> None:
        """Repeat by mail what the webhook said."""
        stamp = "%Y%m%dT%H%M%SZ"
        rows = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Year//EN", "METHOD:REQUEST",
            "BEGIN:VEVENT", f"UID:job-{self.matter}@{domain_of(self.firm)}",
            f"SEQUENCE:{self.sequence}", f"DTSTAMP:{at.astimezone(UTC):{stamp}}",
            f"DTSTART:{self.window[0].astimezone(UTC):{stamp}}",
            f"DTEND:{self.window[1].astimezone(UTC):{stamp}}", "SUMMARY:Visit",
            f"ORGANIZER:mailto:visits@{domain_of(self.firm)}", "ATTENDEE:mailto:{alias}",
            "END:VEVENT", "END:VCALENDAR", "",
        ]  # fmt: skip
        self.life.say(
            Said(
                line=self.life.name(), home=self.life.home.key, matter=self.matter, kind="repeat",
                at=at, supplier=self.firm, asset=self.asset, windows=(*self.past, self.window),
                tells={"window": _window(self.window)},
            ),
            {
                "via": "email", "mandate": self.firm, "auth": "pass",
                "from": f"Visits <visits@{domain_of(self.firm)}>",
                "subject": "Your appointment", "text": "We confirm your visit.\n",
                "ics": "\r\n".join(rows),
            },
        )  # fmt: skip

    def done(self) -> None:
        """They come within their time, work, and want to be praised."""
        start, end = self.window
        self.tell(
            "en_route", start - 30 * MINUTE, "arriving", at=(start - 30 * MINUTE).isoformat(),
            eta={"start": start.isoformat(), "end": (start + 20 * MINUTE).isoformat()},
            must=True, topic="arriving", hold=NOW, tells={"way": "1"},
        )  # fmt: skip
        self.tell("started", start + 30 * MINUTE, "progress", at=start.isoformat())
        self.tell("completed", end - 30 * MINUTE, "done", at=(end - 30 * MINUTE).isoformat())
        if self.life.chance.random() < 0.7:
            self.survey(end + 3 * HOUR)

    def survey(self, at: datetime) -> None:
        """Ask how it was, and ask again."""
        name = f"survey-{self.matter}"
        about = f"job-{self.matter}@{domain_of(self.firm)}"
        data = {"surveyId": name, "about": about, "url": f"https://{domain_of(self.firm)}/s"}
        for kind, later in (("requested", timedelta()), ("reminder", 2 * DAY)):
            self.life.event(
                f"survey.{kind}", data, at=on_grid(at + later), firm=self.firm, matter=self.matter,
                asset=self.asset, what="survey",
            )  # fmt: skip


def _begun(life: Life, day: int, hour: int, minute: int = 0) -> _Visit:
    firm, asset = life.firm_at(start := life.local(day, hour, minute))
    window = (start, start + life.chance.choice((2, 4)) * HOUR)
    return _Visit(life=life, firm=firm, asset=asset, window=window, matter=life.name())


def visit(life: Life) -> None:
    """A visit as they go: booked, said again, moved or not, done, cancelled or forgotten."""
    chance = life.chance
    one = _begun(life, life.any_day(), chance.choice(STARTS))
    lead = chance.choice((5 * HOUR, 20 * HOUR, 26 * HOUR, 3 * DAY, 6 * DAY, 9 * DAY))
    begun = on_grid(max(one.window[0] - lead, life.start + HOUR))
    lead = one.window[0] - begun
    one.book(begun, times=2 if chance.random() < 0.1 else 1)
    one.mail(begun + 30 * MINUTE)
    fate = chance.random()
    if lead > 2 * DAY:
        one.tell("confirmed", begun + HOUR, "confirmed", sequence=0, dtstamp=begun.isoformat())
    if fate < 0.15:
        one.move(on_grid(one.window[0] - min(lead / 2, 30 * HOUR)), chance.choice((4, 26)) * HOUR)
        one.mail(on_grid(one.window[0] - 2 * HOUR))
    elif fate < 0.25 and lead > 2 * DAY:
        # There and back inside the hold: nothing to tell.
        at = on_grid(one.window[0] - 2 * DAY)
        before = one.window
        one.move(at, 4 * HOUR, must=False)
        one.move(at + MINUTE, before[0] - one.window[0], must=False)
    if lead > 2 * DAY:
        one.tell(
            "reminder", on_grid(one.window[0] - 20 * HOUR), "repeat",
            at=(one.window[0] - 20 * HOUR).isoformat(), tells={"window": _window(one.window)},
        )  # fmt: skip
    if fate > 0.9:
        one.cancel(on_grid(one.window[0] - min(lead / 3, 25 * HOUR)) + HOUR)
    elif fate > 0.82:
        life.said.append(_nobody(one))  # nobody comes, and nobody says so
    else:
        if fate > 0.7:
            _voicemail(one)
        one.done()


def _nobody(one: _Visit) -> Said:
    """Return what the passing of the time itself says: five minutes after, still not here."""
    return Said(
        line=f"{one.matter}:nobody", home=one.life.home.key, matter=one.matter, kind="nobody",
        at=one.window[1] + 5 * MINUTE, supplier=one.firm, asset=one.asset, must=True,
        topic="failed", hold=60, windows=(one.window,), is_news=True, tells={"nobody": "1"},
        until=one.window[1] + 4 * HOUR,
    )  # fmt: skip


def _voicemail(one: _Visit) -> None:
    """Somebody nobody knows calls shortly before the visit."""
    life, at = one.life, on_grid(one.window[0] - HOUR)
    life.say(
        Said(
            line=life.name(), home=life.home.key, matter=one.matter, kind="call", at=at,
            asset=one.asset, windows=(one.window,), tells={"call": str(life.count)},
            until=one.window[1] + 4 * HOUR,
        ),
        {
            "via": "telephony", "to": "ana", "direction": "in", "from": _stranger(life),
            "status": "voicemail", "duration_s": 14, "transcript_at": (at + MINUTE).isoformat(),
            "transcript": "Hello, this is about your visit today, we will be there soon.",
        },
    )  # fmt: skip


def _stranger(life: Life) -> str:
    return f"+1646{life.chance.randrange(10**7):07}"


def edge(life: Life) -> None:
    """A visit around what clocks do: the nights of changes, midnight, the turn of the year."""
    days = _strange_days(life) or [life.any_day()]
    day, (hour, minute) = (
        life.chance.choice(days),
        life.chance.choice(((0, 0), (0, 30), (1, 30), (2, 30), (3, 0), (23, 30))),
    )
    one = _begun(life, day, hour, minute)
    one.book(on_grid(max(one.window[0] - 3 * DAY, life.start + HOUR)))
    one.mail(on_grid(one.window[0] - 2 * DAY))
    # The night before, and in it, a minute before and after the wall clock's round numbers.
    at = life.local(day, 0, 0) + life.chance.choice((-1, 0, 1, 29, 90, 119, 121)) * MINUTE
    at = min(at, one.window[0] - HOUR)
    if life.chance.random() < 0.5:
        one.move(at, 7 * HOUR)
        one.done()
    else:
        one.cancel(at)


def _strange_days(life: Life) -> list[int]:
    """Return the days on which the clocks at the house change, and the last of the year."""
    found = []
    for day in range(5, life.days - 3):
        offsets = {life.local(day + step, 12).astimezone(life.zone).utcoffset() for step in (0, 1)}
        on = life.local(day, 12).astimezone(life.zone).date()
        if len(offsets) > 1 or (on.month, on.day) in ((12, 31), (1, 1)):
            found += [day, day + 1]
    return found


# Bills, parcels, questions


def bill(life: Life) -> None:
    """A bill, its reminder, a copy by mail, and that it was paid."""
    firm, asset = life.firm()
    matter, at = life.name(), on_grid(life.local(life.any_day(margin=2), 9))
    amount = f"{life.chance.randrange(20, 400)}.{life.chance.randrange(10, 100)}"
    due = (at + 14 * DAY).astimezone(life.zone).date()
    data = {
        "invoiceNumber": f"INV-{matter}",
        "total": {"amount": amount, "currency": "EUR"},
        "dueDate": due.isoformat(),
    }
    shared: dict[str, Any] = {"firm": firm, "matter": matter, "asset": asset}
    facts = {"money": amount, "due": due.isoformat()}
    life.event("invoice.issued", {**data, "lines": []}, at=at, what="bill", tells=facts, **shared)
    life.event(
        "invoice.issued", {**data, "lines": [], "medium": "email"}, at=at + HOUR, what="repeat",
        tells=facts, **shared,
    )  # fmt: skip
    if life.chance.random() < 0.6:
        life.event("invoice.due", data, at=at + 9 * DAY, what="repeat", tells=facts, **shared)
    life.event("invoice.paid", data, at=at + 11 * DAY, what="progress", **shared)


def parcel(life: Life) -> None:
    """A parcel on its way, now and then later than said."""
    matter, day = life.name(), life.any_day()
    window = (life.local(day, 9), life.local(day, 13))
    firm, asset = life.firm_at(window[0])
    life.taken.add((firm, window[0] + DAY))

    def tell(kind: str, at: datetime, what: str, spans: tuple[Window, ...], **truth: Any) -> None:
        start, end = spans[-1]
        life.event(
            f"delivery.{kind}",
            {
                "trackingNumber": f"TN-{matter}", "expectedFrom": start.isoformat(),
                "expectedUntil": end.isoformat(),
            },
            at=at, firm=firm, matter=matter, asset=asset, what=what, windows=spans,
            until=end + 4 * HOUR, **truth,
        )  # fmt: skip

    at = on_grid(max(window[0] - 3 * DAY, life.start + HOUR))
    tell("scheduled", at, "booking", (window,), topic="changed", hold=120,
         tells={"window": _window(window)})  # fmt: skip
    tell("scheduled", at + HOUR, "repeat", (window,), tells={"window": _window(window)})
    later = window
    if life.chance.random() < 0.4:
        later = (window[0] + DAY, window[1] + DAY)
        tell("updated", on_grid(window[0] - 15 * HOUR), "move", (window, later), must=True,
             topic="changed", hold=QUICK, tells={"window": _window(later)})  # fmt: skip
    tell("delivered", later[0] + HOUR, "progress", (later,))


def question(life: Life) -> None:
    """Something the supplier wants to know, asked twice."""
    firm, asset = life.firm()
    matter, at = life.name(), on_grid(life.local(life.any_day(margin=3), life.chance.randrange(24)))
    data = {
        "body": "Please send us the number on the meter.",
        "asks": [{"fact": "meter_number", "prompt": "Number on the meter"}],
        "refs": [{"scheme": "ticket", "value": f"T-{matter}"}],
    }
    shared: dict[str, Any] = {"firm": firm, "matter": matter, "asset": asset}
    for days, what in ((0, "question"), (3, "repeat")):
        life.event("message.created", data, at=at + days * DAY, what=what,
                   tells={"ask": "meter_number"}, **shared)  # fmt: skip


def promise(life: Life) -> None:
    """What a supplier says it will do, and does or not."""
    firm, asset = life.firm()
    matter, at = life.name(), on_grid(life.local(life.any_day(margin=3), 10))
    data = {"promiseId": f"P-{matter}", "what": "Call back", "dueAt": (at + 4 * DAY).isoformat()}
    shared: dict[str, Any] = {"firm": firm, "matter": matter, "asset": asset}
    life.event("promise.made", data, at=at, what="promise", **shared)
    if life.chance.random() < 0.5:
        life.event("promise.kept", data, at=at + 2 * DAY, what="progress", **shared)


def recall(life: Life) -> None:
    """A thing of theirs is dangerous: said once by its maker, at whatever hour."""
    firm, asset = life.firm(asset="dvr")
    at = on_grid(life.local(life.any_day(margin=3), life.chance.randrange(24)))
    serial = next(one["serial"] for one in life.world["assets"] if one["key"] == asset)
    life.event(
        "recall.issued",
        {
            "recallNumber": f"R-{life.count}", "product": "Recorder",
            "hazard": "It may catch fire.",
            "consumerAction": "Pull the plug.", "remedies": ["repair"], "confidence": "serial",
            "asset": {"serial": serial},
        },
        at=at, firm=firm, matter=life.name(), asset=asset, what="recall", must=True,
        topic="failed", hold=NOW, tells={"recall": "1"},
    )  # fmt: skip


# What nobody asked for


def advert(life: Life) -> None:
    """Something nobody allowed them to say."""
    firm, asset = life.firm()
    at = on_grid(life.local(life.any_day(margin=1), life.chance.randrange(24)))
    life.event(
        "message.created", {"body": "Only today: twenty percent off!", "purpose": "marketing"},
        at=at, firm=firm, matter=life.name(), asset=asset, what="advert",
    )  # fmt: skip


def stranger(life: Life) -> None:
    """Somebody nobody knows hangs up again."""
    at = on_grid(life.local(life.any_day(margin=1), life.chance.randrange(24)))
    life.say(
        Said(line=life.name(), home=life.home.key, matter=life.name(), kind="stranger", at=at),
        {
            "via": "telephony", "to": "ana", "direction": "in", "from": _stranger(life),
            "status": "missed", "duration_s": 0,
        },
    )  # fmt: skip


def stray_survey(life: Life) -> None:
    """A request for feedback on nothing in particular."""
    firm, asset = life.firm()
    at = on_grid(life.local(life.any_day(margin=1), life.chance.randrange(24)))
    name = life.name()
    life.event(
        "survey.requested", {"surveyId": f"S-{name}", "url": f"https://{domain_of(firm)}/s"},
        at=at, firm=firm, matter=name, asset=asset, what="survey",
    )  # fmt: skip


MATTERS: dict[str, Callable[[Life], None]] = {
    "visit": visit, "bill": bill, "parcel": parcel, "question": question, "advert": advert,
    "stranger": stranger, "stray_survey": stray_survey, "promise": promise, "recall": recall,
    "edge": edge,
}  # fmt: skip
