"""One recall told to ten thousand owners, while other owners' visitors are on their way.

Both go the whole way from the inbox to the provider, with the task worker of `make run`.
"""

import json
import time
from datetime import datetime, timedelta

from assets.models import Asset, AssetIdentifier
from notifications import pipeline
from notifications.choices import DeliveryState
from notifications.models import Delivery
from owners import clock, doorbell
from owners.choices import ChannelKind
from owners.models import Channel, Membership
from suppliers import inbox
from suppliers.choices import Way
from suppliers.inbox import Received
from tests.bench import world
from tests.bench.bench import Bench, Row, median
from tests.bench.rows.deliveries import provider

WORK = "one recall told to 10,000 owners by SMS, 2 worker processes"
TARGET = "other owners' interrupts at most 2 s later meanwhile"
OTHERS = 60
EVERY_S = 0.4
LATEST_S = 2.0
LONGEST_S = 240.0
BATCH = 1_000


def people(name: str, count: int) -> world.World:
    """Store households whose members are told by SMS at any hour, each with a thing of its own."""
    here = world.build(name, households=count)
    Membership.objects.filter(household__in=here.households).update(
        prefers=ChannelKind.SMS, quiet_from=None, quiet_until=None
    )
    now = clock.now()
    channels = []
    for number, owner in enumerate(here.owners):
        channel = Channel(owner_id=owner, kind=ChannelKind.SMS, verified_at=now, created_at=now)
        channel.set_address(f"+1212{number:07}")
        channels.append(channel)
    Channel.objects.bulk_create(channels)
    things = Asset.objects.filter(household__in=here.households).order_by("household")
    AssetIdentifier.objects.bulk_create(
        AssetIdentifier(
            household_id=thing.household_id,
            asset=thing,
            scheme="serial",
            value=f"SN{thing.household_id}",
            folded=AssetIdentifier.fold(f"SN{thing.household_id}"),
        )
        for thing in things
    )
    return here


def event(here: world.World, number: int, kind: str, data: dict[str, object]) -> Received:
    """Return one event to one household as the entrance hands it over."""
    one = {
        "specversion": "1.0",
        "id": f"{kind}-{number}",
        "source": world.SOURCE,
        "type": kind,
        "time": clock.now().isoformat(),
        "data": {"owner": here.refs[number], **data},
    }
    return Received(
        supplier_id=here.supplier.pk,
        household_id=None,
        way=Way.WEBHOOK,
        source=world.SOURCE,
        event_id=str(one["id"]),
        type=kind,
        payload=json.dumps(one).encode(),
    )


def recalls(here: world.World) -> list[Received]:
    """Return the recall, once for each household: of exactly its thing."""
    data = {
        "recallNumber": "R-1",
        "product": "Boiler",
        "hazard": "It may catch fire.",
        "consumerAction": "Switch it off.",
        "remedies": ["repair"],
        "confidence": "serial",
    }
    return [
        event(here, number, "recall.issued", {**data, "asset": {"serial": f"SN{home}"}})
        for number, home in enumerate(here.households)
    ]


def booked(here: world.World) -> None:
    """Have a visit booked for each household, in two hours, and told."""
    start = clock.now() + timedelta(hours=2)
    inbox.record(
        received=[
            event(
                here,
                number,
                "appointment.requested",
                {
                    "uid": f"job-{number}",
                    "sequence": 0,
                    "dtstamp": clock.now().isoformat(),
                    "start": start.isoformat(),
                    "end": (start + timedelta(hours=2)).isoformat(),
                    "zone": "Europe/Rome",
                    "kind": "visit",
                },
            )
            for number in range(len(here.refs))
        ],
        now=clock.now(),
    )
    with doorbell.hushed():
        pipeline.pump(now_fn=clock.now)


def sent(here: world.World) -> dict[int, datetime]:
    """Return when each owner's first message since was taken by the provider."""
    rows = Delivery.objects.filter(owner__in=here.owners, state=DeliveryState.SENT)
    found = rows.order_by("-sent_at").values_list("owner_id", "sent_at")
    return {owner: at for owner, at in found if at is not None}


def on_the_way(here: world.World, number: int) -> datetime:
    """Say that one visitor is on the way; return when."""
    now = clock.now()
    said = event(
        here,
        number,
        "appointment.en_route",
        {
            "uid": f"job-{number}",
            "at": now.isoformat(),
            "eta": {
                "start": (now + timedelta(hours=2)).isoformat(),
                "end": (now + timedelta(hours=2, minutes=20)).isoformat(),
            },
        },
    )
    inbox.record(received=[said], now=now)
    return now


def waits(here: world.World, posted: dict[int, datetime]) -> list[float]:
    """Return how long each of these waited for its message, in seconds, sorted."""
    until = time.monotonic() + 30
    while posted.keys() - (taken := sent(here)).keys():
        if time.monotonic() > until:
            raise RuntimeError("somebody was never told that a visitor is on the way")
        time.sleep(0.2)
    return sorted((taken[owner] - at).total_seconds() for owner, at in posted.items())


def told(bench: Bench, count: int) -> tuple[float, list[float], list[float]]:
    """Return the rate at which the recall was told, and what the others waited without and with."""
    crowd, others = people("recall", count), people("others", OTHERS)
    booked(others)
    quiet, busy = {}, {}
    with (
        provider() as address,
        bench.worker(
            TWILIO_API_URL=address,
            TWILIO_ACCOUNT_SID="AC1",
            TWILIO_AUTH_TOKENS="token",
            TWILIO_FROM="+12125550199",
            STEWARD_OUTBOX="",
        ),
    ):
        for number in range(OTHERS // 4):
            quiet[others.owners[number]] = on_the_way(others, number)
            time.sleep(EVERY_S)
        before = waits(others, quiet)
        began, lot = clock.now(), recalls(crowd)
        for at in range(0, count, BATCH):
            inbox.record(received=lot[at : at + BATCH], now=clock.now())
        number, until = OTHERS // 4, time.monotonic() + LONGEST_S
        while len(sent(crowd)) < count and time.monotonic() < until:
            if number < OTHERS:
                busy[others.owners[number]] = on_the_way(others, number)
                number += 1
            time.sleep(EVERY_S)
        taken = sent(crowd)
        beside = waits(others, busy)
    if len(taken) < count:
        raise RuntimeError(f"{len(taken)} of {count} were told in {LONGEST_S:.0f} s")
    return count / (max(taken.values()) - began).total_seconds(), before, beside


def measure(bench: Bench) -> Row:
    """Tell the recall once: what it stores would weigh on a second round."""
    count = 2_000 if bench.is_quick else 10_000
    rate, before, beside = told(bench, count)
    return Row(
        work=WORK,
        target=TARGET,
        ours=(
            f"{rate:,.0f} owners/s; others waited {median(beside):.2f} s,"
            f" {beside[-1]:.2f} s at most"
        ),
        floor=f"without it {median(before):.2f} s, {before[-1]:.2f} s at most",
        is_met=beside[-1] - median(before) <= LATEST_S,
    )
