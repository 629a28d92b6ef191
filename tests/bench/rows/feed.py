"""A page of fifty cards by the API, with few and with very many cards stored."""

import random
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Card
from owners.api.pages import write_cursor
from tests.bench import cards, load, world
from tests.bench.bench import Bench, Row

WORK = "feed page of 50 by API, one household with a million of the cards"
TARGET = "p95 at 10M <= 1.2 x p95 at 1k; >= 0.5 of the floor's rate; at most 8 queries"
CONNECTIONS = 4
MOST = 20_000  # requests made beforehand; they may be sent again


def positions(big: cards.Big) -> list[tuple[object, int]]:
    """Return cards at every depth of the big household."""
    chance = random.Random(big.cards)
    mine = Card.objects.filter(household=big.household)
    first, last = (mine.order_by(by).values_list("pk", flat=True)[0] for by in ("pk", "-pk"))
    wanted = [chance.randint(first, last) for _ in range(200)]
    return list(mine.filter(pk__in=wanted).values_list("changed_at", "pk"))


def requests(bench: Bench, big: cards.Big) -> tuple[list[bytes], list[bytes]]:
    """Return pages to read, half of them the first and half anywhere: of ours, of the floor."""
    cookie = {"cookie": bench.signed_in(big.owner.pk)}
    ours, bare = [], []
    for at, pk in positions(big):
        ours.append(load.raw_get("/api/v1/feed/?limit=50", cookie))
        ours.append(
            load.raw_get(f"/api/v1/feed/?limit=50&cursor={write_cursor(at, pk)}", cookie)  # type: ignore[arg-type]
        )
        bare.append(load.raw_get(f"/floor/{big.household.pk}/", {}))
        bare.append(load.raw_get(f"/floor/{big.household.pk}/?at={quote(str(at))}&pk={pk}", {}))
    return ours, bare


def queries(big: cards.Big) -> int:
    """Return the statements of one page, the session's among them."""
    reader = Client()
    reader.force_login(big.owner, backend="django.contrib.auth.backends.ModelBackend")
    reader.get("/api/v1/feed/?limit=50")
    with CaptureQueriesContext(connection) as seen:
        answer = reader.get("/api/v1/feed/?limit=50")
    assert len(answer.json()["results"]) == 50
    return len(seen)


def measure(bench: Bench) -> Row:
    """Read pages of a household with a thousand cards, then of one with a million."""
    here = world.build("feed", households=100)
    scales = sorted({min(scale, bench.scale) for scale in (1_000, 1_000_000, 10_000_000)})
    found: dict[int, tuple[load.Load, load.Load]] = {}
    asked = 0
    for scale in scales:
        missing = scale - Card.objects.count() if scale > 1_000 else scale
        big = cards.grow(
            rows=max(missing, 1_000),
            others=here.households,
            big=min(max(missing, 1_000), 1_000_000),
        )
        ours, bare = requests(bench, big)
        with (
            bench.serve(
                "tests.bench.floor_feed:application",
                DJANGO_SETTINGS_MODULE="tests.bench.floor_feed_settings",
            ) as floor_port,
            bench.serve("config.wsgi:application") as port,
        ):
            pairs = []
            for _ in range(bench.rounds):
                pair = [
                    load.wrk(
                        at,
                        sent,
                        connections=CONNECTIONS,
                        seconds=max(2, bench.seconds // 2),
                        folder=bench.folder,
                        may_repeat=True,
                    )
                    for at, sent in ((floor_port, bare), (port, ours))
                ]
                pairs.append((pair[0], pair[1]))
        pairs.sort(key=lambda pair: pair[1].rate / pair[0].rate)
        found[scale] = pairs[len(pairs) // 2]
        asked = max(asked, queries(big))
    least, most = found[scales[0]][1], found[scales[-1]][1]
    shares = [mine.rate / under.rate for under, mine in found.values()]
    faults = sum(mine.refused + mine.broken for _under, mine in found.values())
    shown = ", ".join(
        f"{mine.rate:,.0f}/s, p95 {mine.p95:.1f} ms at {scale:,}"
        for scale, (_under, mine) in found.items()
    )
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"{shown}; {min(shares):.2f} of the floor; {asked} queries"
        + (f", {faults} faults" if faults else ""),
        floor=", ".join(
            f"{under.rate:,.0f}/s at {scale:,}" for scale, (under, _mine) in found.items()
        ),
        is_met=most.p95 <= 1.2 * least.p95 and min(shares) >= 0.5 and asked <= 8 and not faults,
    )
