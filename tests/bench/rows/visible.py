"""How long after an event was posted its card can be read, with all processes running.

A client hears of it as an open page does, and then reads the feed. The floor is a webhook
that stores the event and wakes a task that does nothing but say so.
"""

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable

import redis
from django.conf import settings

from owners import clock, doorbell
from suppliers.processing import contact_uuid
from tests.bench import floor, floor_worker, world
from tests.bench.bench import Bench, Row, median
from tests.factories import signed_headers

WORK = "event posted to card visible (feed API), 10/s"
TARGET = "p50 < 40 ms, p95 < 80 ms"
RATE = 10
HOUSEHOLDS = 20
LONGEST = 10.0  # seconds after which a card counts as never seen


class Heard(threading.Thread):
    """Listens to what is said of cards, and wakes whoever waits for one of a name."""

    def __init__(self, channel: str, names: Callable[[bytes], list[str]]) -> None:
        super().__init__(daemon=True)
        self.names = names
        self.times: dict[str, int] = defaultdict(int)
        self.said = threading.Condition()
        self.pubsub = redis.Redis.from_url(settings.REDIS_URL).pubsub()
        self.pubsub.subscribe(channel)
        self.start()

    def run(self) -> None:
        """Count what is said of each name."""
        for message in self.pubsub.listen():
            if message["type"] != "message":
                continue
            with self.said:
                for name in self.names(message["data"]):
                    self.times[name] += 1
                self.said.notify_all()

    def count(self, name: str) -> int:
        """Return how often something was said of a name."""
        with self.said:
            return self.times[name]

    def wait(self, name: str, known: int) -> int:
        """Wait until more than `known` was said of a name; return how much was."""
        with self.said:
            if not self.said.wait_for(lambda: self.times[name] > known, LONGEST):
                raise TimeoutError("nothing was said of it")
            return self.times[name]


def watch(heard: Heard, home: str, known: int, port: int, cookie: str, wanted: str) -> None:
    """Read the feed whenever something is said of the household, until the contact is there."""
    reader = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while True:
        known = heard.wait(home, known)
        reader.request("GET", "/api/v1/feed/?limit=20", headers={"Cookie": cookie})
        if wanted.encode() in reader.getresponse().read():
            reader.close()
            return


def post(port: int, path: str, raw: bytes, name: str = "") -> None:
    """Send one signed event and insist on 202."""
    headers = signed_headers(raw, at=clock.now(), **({"webhook_id": name} if name else {}))
    writer = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    writer.request("POST", path, raw, headers)
    answer = writer.getresponse()
    answer.read()
    writer.close()
    if answer.status != 202:
        raise RuntimeError(f"the event was answered {answer.status}")


def paced(one: Callable[[int], float], count: int) -> list[float]:
    """Run `one` so often at the rate, each in a thread of its own; return what they took, sorted.

    A fault of any is raised.
    """
    for number in range(RATE):  # whatever is imported or planned at the first time
        one(-number - 1)
    took: list[float] = []
    faults: list[Exception] = []

    def run(number: int) -> None:
        try:
            took.append(one(number))
        except (OSError, RuntimeError) as error:
            faults.append(error)

    began, threads = time.perf_counter(), []
    for number in range(count):
        time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        threads.append(threading.Thread(target=run, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sorted(took)


def said_by_floor(bench: Bench, count: int) -> list[float]:
    """Return how long the floor takes."""
    assert bench.cast is not None
    heard = Heard(floor_worker.CHANNEL, lambda data: [data.decode()])
    secret = bench.cast.secret.removeprefix("whsec_")
    body = b"x" * 1000

    def one(number: int) -> float:
        name, began = f"visible_{number}", time.perf_counter()
        post(port, "/floor/", body, name)
        heard.wait(name, 0)
        return time.perf_counter() - began

    with (
        bench.serve(
            "tests.bench.floor:application",
            FLOOR_SECRET=secret,
            FLOOR_RINGS="1",
            DJANGO_SETTINGS_MODULE="tests.bench.floor_settings",
        ) as port,
        bench.worker(floor_worker.app, module="tests.bench.floor_worker"),
    ):
        return paced(one, count)


def seen_in_feed(bench: Bench, count: int) -> list[float]:
    """Return how long ours takes, for one of twenty households each time."""
    here = world.build("visible", households=HOUSEHOLDS)
    cookies = [bench.signed_in(pk) for pk in here.owners]
    chance = random.Random(RATE)
    heard = Heard(doorbell.HINTS, lambda data: list(json.loads(data)))

    def one(number: int) -> float:
        event = world.event(here, number, chance=chance)
        event["type"] = "ticket.opened"
        event["data"] = {
            "owner": here.refs[number % HOUSEHOLDS],
            "ticketId": f"t-{number}",
            "status": "open",
            "title": "A question",
        }
        home = here.households[number % HOUSEHOLDS]
        wanted = contact_uuid(
            supplier_id=here.supplier.pk,
            household_id=home,
            source=world.SOURCE,
            event_id=str(event["id"]),
        )
        known, began = heard.count(str(home)), time.perf_counter()
        post(port, "/webhooks/visible/", json.dumps(event).encode())
        watch(heard, str(home), known, port, cookies[number % HOUSEHOLDS], str(wanted))
        return time.perf_counter() - began

    with bench.serve("config.wsgi:application") as port, bench.worker():
        return paced(one, count)


def shown(took: list[float]) -> tuple[float, float]:
    """Return the median and the 95th hundredth in milliseconds."""
    return 1000 * median(took), 1000 * took[int(len(took) * 0.95)]


def measure(bench: Bench) -> Row:
    """Post ten events a second to the floor, and then to ours."""
    with bench.connect() as connection:
        connection.execute(floor.TABLE)
    count = RATE * (5 if bench.is_quick else 20)
    under = shown(said_by_floor(bench, count))
    p50, p95 = shown(seen_in_feed(bench, count))
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"p50 {p50:.0f} ms, p95 {p95:.0f} ms",
        floor=f"p50 {under[0]:.0f} ms, p95 {under[1]:.0f} ms",
        is_met=p50 < 40 and p95 < 80,
    )
