"""One signed event a request over 16 connections, every check of the contract on."""

import itertools
import json
from functools import cache

from owners import clock
from tests.bench import floor, load
from tests.bench.bench import Bench, Row
from tests.factories import Cast, signed_headers

WORK = "one signed event a request, 16 connections"
TARGET = ">= 0.85 of the floor, p99 < 40 ms"
CONNECTIONS = 16
BODY_SIZE = 1000
MOST_PER_SECOND = 4000  # signed beforehand; none is ever sent twice

_numbers = itertools.count()


@cache
def template(owner_ref: str) -> bytes:
    """Return an event of about a kilobyte, with NUMBER where its number goes."""
    event = {
        "specversion": "1.0",
        "id": "bench-NUMBER",
        "source": "/suppliers/skyline/visits",
        "type": "appointment.updated",
        "time": "2026-11-13T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "owner": owner_ref,
            "asset": {"serial": "R15-204477"},
            "entity": {"id": "job-NUMBER", "revision": 3},
            "refs": [{"scheme": "order", "value": "4471-NUMBER"}],
            "uid": "visit-NUMBER@skyline.example",
            "sequence": 1,
            "dtstamp": "2026-11-13T12:00:00Z",
            "start": "2026-11-14T13:00:00Z",
            "end": "2026-11-14T17:00:00Z",
            "zone": "America/New_York",
            "kind": "visit",
        },
    }
    missing = BODY_SIZE - len(json.dumps(event)) - len(', "summary": ""')
    return json.dumps(
        {**event, "data": {**event["data"], "summary": "x" * missing}}  # type: ignore[dict-item]
    ).encode()


def body(cast: Cast, number: int) -> bytes:
    """Return the event with this number."""
    return template(cast.mandate.owner_ref).replace(b"NUMBER", b"%d" % number)


def requests(bench: Bench, path: str) -> list[bytes]:
    """Return signed requests for one measurement."""
    assert bench.cast is not None
    now, found = clock.now(), []
    for number in itertools.islice(_numbers, MOST_PER_SECOND * bench.seconds):
        raw = body(bench.cast, number)
        headers = signed_headers(raw, at=now, webhook_id=f"msg_{number}")
        found.append(load.raw_request(path, headers, raw))
    return found


def measure(bench: Bench) -> Row:
    """Measure the floor and ours, one after the other, in each round."""
    assert bench.cast is not None
    with bench.connect() as connection:
        connection.execute(floor.TABLE)
    secret = bench.cast.secret.removeprefix("whsec_")

    def once(port: int, path: str, *, seconds: int = bench.seconds) -> load.Load:
        return load.wrk(
            port,
            requests(bench, path),
            connections=CONNECTIONS,
            seconds=seconds,
            folder=bench.folder,
        )

    with (
        bench.serve(
            "tests.bench.floor:application",
            FLOOR_SECRET=secret,
            DJANGO_SETTINGS_MODULE="tests.bench.floor_settings",
        ) as bare,
        bench.serve("config.wsgi:application") as ours,
    ):
        # Every thread opens its connection once; what that takes is no request's p99.
        for port, path in ((bare, "/floor/"), (ours, "/webhooks/skyline/")):
            once(port, path, seconds=1)
        pairs = [
            (once(bare, "/floor/"), once(ours, "/webhooks/skyline/")) for _ in range(bench.rounds)
        ]
    pairs.sort(key=lambda pair: pair[1].rate / pair[0].rate)
    under, mine = pairs[len(pairs) // 2]
    share = mine.rate / under.rate
    faults = under.refused + under.broken + mine.refused + mine.broken
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{mine.rate:,.0f}/s ({share:.2f}), p50 {mine.p50:.0f} ms, p99 {mine.p99:.0f} ms"
        + (f", {faults} faults" if faults else ""),
        floor=f"{under.rate:,.0f}/s, p99 {under.p99:.0f} ms",
        is_met=share >= 0.85 and mine.p99 < 40 and not faults,
    )
