"""Deliveries to a healthy provider, then with one receiver that answers after two seconds."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from django.conf import settings
from django.test import override_settings

from notifications import delivery, tasks, transports
from notifications.choices import DeliveryState
from notifications.models import Delivery
from owners import clock
from owners.choices import ChannelKind
from owners.models import Channel
from tests.bench import sink, world
from tests.bench.bench import ROOT, Bench, Row, median
from tests.factories import ChannelFactory

WORK = "deliveries to a healthy sink, a worker"
TARGET = ">= 2,000/s, one slow receiver slows nobody"
AT_ONCE = 50
SLOW_ONES = 5
HARM = 0.8  # the rate beside a slow receiver, as a share of that without


@contextmanager
def provider() -> Iterator[str]:
    """Run the sink in a process of its own; yield its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sink"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)


async def bare(address: str, count: int) -> float:
    """Return the posts a second of the bare client, fifty at once."""
    places = asyncio.Semaphore(AT_ONCE)
    url = f"{address}/2010-04-01/Accounts/AC1/Messages.json"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as client:

        async def one() -> None:
            async with places, client.post(url, data={"To": "+1", "Body": "x" * 120}) as answer:
                await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        return count / (time.perf_counter() - began)


def fill(channel: Channel, count: int, *, slow: Channel | None = None) -> None:
    """Plan that many SMS; some of them, in between, for the slow receiver."""
    now = clock.now()
    stamp = time.monotonic_ns()
    every = count // SLOW_ONES
    Delivery.objects.bulk_create(
        [
            Delivery(
                key=f"bench:{stamp}:{number}",
                owner_id=channel.owner_id,
                kind=ChannelKind.SMS,
                channel=slow if slow and number % every == 0 else channel,
                text="Visit booked: Fri 13 Nov, 08:00 to 12:00. " * 3,
                next_at=now,
                created_at=now,
            )
            for number in range(count)
        ],
        batch_size=2000,
    )


def drain(count: int, *, but: int = 0) -> float:
    """Send everything; return the rate at which the healthy ones were sent."""
    began = clock.now()
    delivery.deliver_due(now=began, limit=tasks.BATCH, now_fn=clock.now)
    sent = Delivery.objects.filter(created_at__gte=began - (clock.now() - began) * 100)
    found = sent.filter(state=DeliveryState.SENT).values_list("sent_at", flat=True)
    times = sorted(at for at in found if at is not None)
    assert len(times) >= count
    last = times[-1 - but]
    Delivery.objects.all().delete()
    return (count - but) / (last - began).total_seconds()


def measure(bench: Bench) -> Row:
    """Measure the bare client, ours, and ours beside the slow receiver, in each round."""
    here = world.build("deliveries", households=2)
    good = ChannelFactory.create(owner_id=here.owners[0], address="+12125550001")
    slow = ChannelFactory.create(owner_id=here.owners[1], address=sink.SLOW)
    count = 2_000 if bench.is_quick else 8_000
    under, mine, beside = [], [], []
    with (
        provider() as address,
        override_settings(
            TWILIO_API_URL=address,
            TWILIO_ACCOUNT_SID="AC1",
            TWILIO_AUTH_TOKENS=["token"],
            TWILIO_FROM="+12125550199",
            STEWARD_OUTBOX="",
        ),
    ):
        try:
            for _ in range(bench.rounds):
                under.append(asyncio.run(bare(address, count)))
                fill(good, count)
                mine.append(drain(count))
                fill(good, count, slow=slow)
                beside.append(drain(count, but=SLOW_ONES))
        finally:
            transports.close()
    assert address != settings.TWILIO_API_URL
    rate, with_slow = median(mine), median(beside)
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{rate:,.0f}/s; {with_slow:,.0f}/s beside a receiver that takes {sink.SLOW_S:.0f} s",
        floor=f"{median(under):,.0f}/s by the bare client, {AT_ONCE} at once",
        is_met=rate >= 2000 and with_slow >= HARM * rate,
    )
