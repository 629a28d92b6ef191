"""The demo household: the DVR's story, told around the present.

The past is replayed at once. The last steps then come through the running server's own
entrances, as Skyline's systems, mail and telephones would send them: signed, over HTTP.
"""

import json
import time as clock_time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from assets import caring, metering
from assets.models import Asset
from notifications import demo_home
from notifications.replay import entrances, world
from notifications.replay.player import Player, recorded
from notifications.replay.story import Story, build
from owners import clock
from suppliers.announcements import Addressee
from suppliers.models import OutboundEvent, OutboundState

EMAIL, PASSWORD = "ana@hart.example", "a quiet house"  # published: the data is nobody's
# Where it is day at one hour or another; the machine's own zone comes first.
ZONES = (
    "America/New_York",
    "Europe/London",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "America/Los_Angeles",
    "Australia/Sydney",
)
VISIT = timedelta(hours=4)
UID = "job-88213@skyline.example"
ORDER = "4471-88213"
ANSWERED_FOR = timedelta(hours=1)  # a start anew answers what is older no second time


@dataclass(frozen=True, slots=True)
class Setting:
    """When and where the story plays: fixed once, so that a second start tells the same."""

    zone: ZoneInfo
    visit: datetime  # the start of the visit's window, in the zone

    @classmethod
    def around(cls, now: datetime, own_zone: str) -> "Setting":
        """Return a setting whose visit is under way now, by day."""
        begun = now - timedelta(minutes=14)
        for name in (own_zone, *ZONES):
            if not name:
                continue
            local = begun.astimezone(ZoneInfo(name))
            visit = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
            if 8 <= visit.hour < 18:
                return cls(zone=ZoneInfo(name), visit=visit)
        raise AssertionError("it is day somewhere")

    def at(self, days: int, hour: int, minute: int) -> str:
        """Return the hour, so many days from the visit's."""
        day = (self.visit + timedelta(days=days)).date()
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
        return moment.isoformat()

    @property
    def until(self) -> datetime:
        """The end of the visit's window."""
        return self.visit + VISIT


def machine_zone() -> str:
    """Return the machine's own IANA zone, or nothing where it only counts in UTC."""
    try:
        target = Path("/etc/localtime").resolve(strict=True).parts
    except OSError:
        return ""
    name = "/".join(target[target.index("zoneinfo") + 1 :]) if "zoneinfo" in target else ""
    return name if "/" in name and not name.startswith("Etc/") else ""


def the_world(setting: Setting) -> dict[str, Any]:
    """Return Ana, her DVR, and Skyline who serves it."""
    return {
        "world": {
            "zone": setting.zone.key,
            "country": "US",
            "currency": "USD",
            "from": setting.at(-4, 8, 0),
            "household": {
                "name": "Hart household",
                "members": [
                    {
                        "key": "ana",
                        "name": "Ana Hart",
                        "email": EMAIL,
                        "prefers": "sms",
                        "quiet": ["22:00", "08:00"],
                        "digest_at": "18:00",
                        "channels": [
                            {"kind": "sms", "address": "+12125550100"},
                            {"kind": "email", "address": EMAIL},
                        ],
                    }
                ],
            },
            "assets": [
                {
                    "key": "dvr",
                    "name": "Living-room DVR",
                    "kind": "electronics",
                    "maker": "Skyline",
                    "model": "HR44",
                    "serial": "R15-204477",
                    "keeper": "ana",
                },
                {
                    "key": "boiler",
                    "name": "Boiler",
                    "kind": "heating",
                    "maker": "Nordvarme",
                    "model": "NV 24",
                    "serial": "NV24-1723-0010",
                    "keeper": "ana",
                },
            ],
            "suppliers": [
                {
                    "key": "skyline",
                    "name": "Skyline TV",
                    "domains": ["skyline.example"],
                    "numbers": ["+18005550199"],
                    "webhook": True,
                    "roles": [{"asset": "dvr", "role": "utility"}],
                    "mandate": {
                        "assets": ["dvr"],
                        "purposes": ["service", "billing", "feedback"],
                    },
                },
                {
                    "key": "nordvarme",
                    "name": "Nordvarme",
                    "domains": ["nordvarme.example"],
                    "webhook": True,
                    "roles": [{"asset": "boiler", "role": "repairer"}],
                    # Whatever a visitor adds, they may be asked to serve.
                    "mandate": {"assets": [], "purposes": ["service", "billing"]},
                },
            ],
        }
    }


def past(setting: Setting) -> list[dict[str, Any]]:
    """Return what happened before today: two calls that Ana made and wrote down."""
    visit, until = setting.visit, setting.until
    call = {"via": "owner", "by": "ana", "do": "log_call", "direction": "out"}
    about = {"supplier": "skyline", "asset": "dvr"}
    return [
        {
            **call,
            **about,
            "id": "c1",
            "at": setting.at(-4, 9, 22),
            "started_at": setting.at(-4, 9, 10),
            "duration_s": 720,
            "note": "The DVR does not record. Not solved.",
        },
        {
            **call,
            **about,
            "id": "c2",
            "at": setting.at(-3, 18, 43),
            "started_at": setting.at(-3, 18, 2),
            "duration_s": 2460,
            "asks": ["account", "account", "account"],
            "transfers": 1,
            "note": f"Upgrade for 49.00. Technician comes {visit:%a} {visit.day} {visit:%b}"
            f" between {visit:%H:%M} and {until:%H:%M}.",
            "window": {"start": visit.isoformat(), "end": until.isoformat()},
            "fee": {"amount": "49.00", "currency": "USD"},
        },
    ]


def last_steps(setting: Setting, now: datetime) -> list[dict[str, Any]]:
    """Return what arrives while one looks: a voicemail, cut-off calls, three mails."""
    visit, until = setting.visit, setting.until
    at = now.isoformat()
    call = {"via": "telephony", "to": "ana", "direction": "in", "from": "+12125550147", "at": at}
    mail = {"via": "email", "mandate": "skyline", "auth": "pass", "at": at}
    markup = {
        "@context": "http://schema.org",
        "@type": "Order",
        "merchant": {"@type": "Organization", "name": "Skyline TV"},
        "orderNumber": ORDER,
        "priceCurrency": "USD",
        "price": "49.00",
        "acceptedOffer": {
            "@type": "Offer",
            "itemOffered": {"@type": "Product", "name": "HR54 upgrade"},
        },
        "orderStatus": "http://schema.org/OrderProcessing",
    }
    return [
        {
            **call,
            "id": "c3",
            "status": "voicemail",
            "duration_s": 22,
            "transcript": "Hello, this is about your visit today, we will be there in a few hours.",
            "transcript_at": at,
        },
        {**call, "id": "c4", "status": "dropped", "duration_s": 3},
        {**call, "id": "c5", "status": "dropped", "duration_s": 2},
        {
            **mail,
            "id": "c6",
            "from": "Skyline Visits <visits@skyline.example>",
            "subject": "Your appointment",
            "text": "We confirm your technician visit.\n",
            "ics": invitation(visit, until, now),
        },
        {
            **mail,
            "id": "c7",
            "from": "Skyline Orders <orders@skyline.example>",
            "subject": f"Order {ORDER}",
            "text": f"Thank you for your order {ORDER}: HR54 upgrade, $49.00.\n",
            "html": '<html><head><script type="application/ld+json">'
            f"{json.dumps(markup)}</script></head><body><p>Thank you for your order"
            f" <b>{ORDER}</b>: HR54 upgrade, $49.00. Your visit is on {visit:%A}, {visit:%B}"
            f" {visit.day}, {twelve(visit)} - {twelve(until)}.</p></body></html>",
        },
        {
            **mail,
            "id": "c8",
            "from": "Skyline TV <no-reply@skyline.example>",
            "subject": "Reminder: we are coming today",
            "text": f"Dear customer,\nyour visit is today, {visit:%A} {visit.day} {visit:%B},"
            f" between {twelve(visit)} and {twelve(until)}.\n"
            "Upgrade fee: $49.00. There is nothing you need to do.\n",
        },
    ]


def started(now: datetime) -> list[dict[str, Any]]:
    """Return the technician's start, as Skyline's system reports it."""
    return [webhook("e1", "appointment.started", now)]


def completed(now: datetime) -> list[dict[str, Any]]:
    """Return the technician's end."""
    return [webhook("e2", "appointment.completed", now, outcome="done")]


def plan_care(boiler: Asset, *, visit: datetime, now: datetime) -> None:
    """Let the boiler be due for its yearly service soon, by who serves it."""
    if boiler.care_tasks.exists():
        return
    metering.add(asset=boiler, values={"name": "Burner hours", "unit": "h"}, now=now)
    spec = {
        "name": "Boiler service",
        "triggers": [{"kind": "calendar", "mode": "floating", "every": 1, "unit": "year"}],
        "last_done_on": (visit - timedelta(days=358)).date().isoformat(),
        "provider": "Nordvarme",
        "amount": "180",
        "currency": "USD",
    }
    caring.add(asset=boiler, spec=spec, now=now)


def confirmation(asked: OutboundEvent, now: datetime) -> dict[str, Any]:
    """Return what a supplier's system says to a request for a visit: yes, in the first window."""
    data = asked.data
    window = data["windows"][0]
    said = {
        "uid": f"visit-{asked.uuid.hex[:12]}@{asked.supplier.code}.example",
        "sequence": 0,
        "dtstamp": now.isoformat(),
        "start": window["start"],
        "end": window["end"],
        "refs": data["refs"],
        "asset": {"ref": data["asset"]["ref"]} if data.get("asset") else {},
    }
    return {
        "id": f"yes-{asked.uuid}",
        "via": "webhook",
        "supplier": asked.supplier.code,
        "at": now.isoformat(),
        "event": {"type": "appointment.confirmed", "data": said},
    }


def reply(told: OutboundEvent, now: datetime) -> dict[str, Any]:
    """Return what a supplier's system says to a piece of news: noted; a repairer has a form."""
    is_repairer = told.supplier.code.startswith("nordvarme")
    said: dict[str, Any] = {
        "ticketId": f"news-{told.uuid.hex[:12]}",
        "status": "open" if is_repairer else "done",
        "refs": told.data["refs"],
    }
    if is_repairer:
        said["asks"] = [{"fact": "form", "prompt": "Please sign our form for a new address."}]
    kind = "ticket.information_required" if is_repairer else "ticket.resolved"
    return {
        "id": f"noted-{told.uuid}",
        "via": "webhook",
        "supplier": told.supplier.code,
        "at": now.isoformat(),
        "event": {"type": kind, "data": said},
    }


def webhook(name: str, kind: str, now: datetime, **data: str) -> dict[str, Any]:
    """Return one of Skyline's events about the visit."""
    at = now.isoformat()
    event = {"type": kind, "data": {"uid": UID, "at": at, **data}}
    return {"id": name, "via": "webhook", "supplier": "skyline", "at": at, "event": event}


def twelve(moment: datetime) -> str:
    """Return a time of day as Skyline writes it: 8:15 AM."""
    return f"{moment:%I:%M %p}".lstrip("0")


def invitation(start: datetime, end: datetime, now: datetime) -> str:
    """Return the iCalendar part of Skyline's confirmation."""
    utc = "%Y%m%dT%H%M%SZ"
    zero = ZoneInfo("UTC")
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Skyline TV//Field Service//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{UID}",
        "SEQUENCE:0",
        f"DTSTAMP:{now.astimezone(zero).strftime(utc)}",
        f"DTSTART:{start.astimezone(zero).strftime(utc)}",
        f"DTEND:{end.astimezone(zero).strftime(utc)}",
        "SUMMARY:Skyline technician visit",
        "ORGANIZER:mailto:visits@skyline.example",
        "ATTENDEE;RSVP=FALSE:mailto:{alias}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines)


def story(setting: Setting, lines: list[dict[str, Any]]) -> Story:
    """Return the world and these lines as a story."""
    return build(enumerate([the_world(setting), *lines], start=1))


# --- what the commands call


def remembered(home: Path) -> Setting:
    """Return the setting that the past was told in."""
    kept = json.loads((home / "demo.json").read_text())
    zone = ZoneInfo(kept["zone"])
    return Setting(zone=zone, visit=datetime.fromisoformat(kept["visit"]).astimezone(zone))


def tell_past(home: Path, *, now: datetime) -> None:
    """Store the household and replay its past; write down how to sign in.

    Told again after a half-told past, it first forgets what was there.
    """
    setting = Setting.around(now, machine_zone())
    told = story(setting, past(setting))
    world.forget(told.world)
    with recorded():
        with clock.fixed(told.world.start):
            cast = world.store(told.world, now=told.world.start, is_demo=True)
        plan_care(cast.assets["boiler"], visit=setting.visit, now=told.world.start)
        player = Player(cast=cast, now=told.world.start)
        player.play(told)
        player.run_to(now)
        demo_home.bring_trouble(
            home=cast.household, owner=cast.members["ana"], now=now, is_quiet=False
        )
        player.run_to(now)
    world.sign_in(cast.members["ana"], password=PASSWORD, now=now)
    (home / "demo.json").write_text(
        json.dumps({"zone": setting.zone.key, "visit": setting.visit.isoformat()})
    )
    secret, owner = cast.secrets["skyline"], cast.mandates["skyline"].owner_ref
    (home / "tour.env").write_text(f"SECRET={secret}\nOWNER={owner}\n")
    (home / "welcome.txt").write_text(f"sign in as {EMAIL} with the password: {PASSWORD}\n")


def tell_live(home: Path, *, say: Callable[[str], None], pause: float, visit_after: float) -> None:
    """Send the last steps to the running server, then the visit itself."""
    setting = remembered(home)
    parts: tuple[tuple[str, Callable[[datetime], list[dict[str, Any]]], float], ...] = (
        ("a voicemail, two cut-off calls and three mails came in", last_steps_of(setting), 0.0),
        ("the technician has started", started, visit_after),
        ("the technician is done: Ana is asked whether it works", completed, visit_after),
    )
    for name, lines, wait in parts:
        clock_time.sleep(wait)
        for number in range(len(lines(clock.now()))):
            # Written at the second in which it is sent, like everything that is live.
            told = story(setting, lines(clock.now())[number : number + 1])
            cast = world.store(told.world, now=clock.now(), is_demo=True)
            for request in entrances.requests(told.lines[0], cast=cast):
                entrances.send(request, post=post, now=clock.now())
                clock_time.sleep(pause)
        say(f"Steward: {name}")


def answer_bookings(
    home: Path, *, say: Callable[[str], None], pause: float, goes: int | None = None
) -> None:
    """Answer for the demo's suppliers whoever asks them for a visit or tells them something.

    It goes on while the server runs.

    `goes` bounds how often it is looked; without it, until somebody ends it.
    """
    setting = remembered(home)
    cast = world.store(story(setting, []).world, now=clock.now(), is_demo=True)
    answered: set[UUID] = set()
    while goes is None or goes > 0:
        goes = None if goes is None else goes - 1
        news = Addressee.objects.filter(is_ours=True, answer=None).values("event")
        visits = Q(type="owner.appointment.requested")
        asked = OutboundEvent.objects.filter(
            visits | Q(uuid__in=news, state=OutboundState.SENT),
            supplier__in=[supplier.pk for supplier in cast.suppliers.values()],
            created_at__gt=clock.now() - ANSWERED_FOR,
        ).exclude(uuid__in=answered)
        for request in asked.select_related("supplier"):
            clock_time.sleep(pause)
            is_visit = request.type == "owner.appointment.requested"
            line = (confirmation if is_visit else reply)(request, clock.now())
            told = story(setting, [line])
            for message in entrances.requests(told.lines[0], cast=cast):
                entrances.send(message, post=post, now=clock.now())
            answered.add(request.uuid)
            done = "confirmed a visit" if is_visit else "answered what they were told"
            say(f"Steward: {request.supplier.name} has {done}")
        clock_time.sleep(pause)


def last_steps_of(setting: Setting) -> Callable[[datetime], list[dict[str, Any]]]:
    """Return the last steps as a function of the hour alone."""
    return lambda now: last_steps(setting, now)


def post(path: str, body: bytes, headers: Mapping[str, str]) -> entrances.Answer:
    """Post to the running server, as anybody outside would."""
    request = urllib.request.Request(  # noqa: S310 - SITE_URL is ours
        f"{settings.SITE_URL}{path}", data=body, headers=dict(headers), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return entrances.Answer(status=response.status, body=response.read())
    except urllib.error.HTTPError as error:
        return entrances.Answer(status=error.code, body=error.read())
