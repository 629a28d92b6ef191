"""How long after an event was posted its card can be read, with all processes running."""

import http.client
import json
import random
import threading
import time

from owners import clock
from suppliers.processing import contact_uuid
from tests.bench import world
from tests.bench.bench import Bench, Row, median
from tests.factories import signed_headers

WORK = "event posted to card visible (feed API), 10/s"
TARGET = "p50 < 40 ms, p95 < 80 ms"
RATE = 10
HOUSEHOLDS = 20
LONGEST = 10.0  # seconds after which a card counts as never seen
PAUSE = 0.01  # between two looks, which cost more than what they look for


def watch(port: int, cookie: str, wanted: str, began: float) -> float:
    """Look at the feed until the contact is there; return the seconds since `began`."""
    reader = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while time.perf_counter() - began < LONGEST:
        reader.request("GET", "/api/v1/feed/?limit=20", headers={"Cookie": cookie})
        if wanted.encode() in reader.getresponse().read():
            reader.close()
            return time.perf_counter() - began
        time.sleep(PAUSE)
    raise TimeoutError("the card did not come")


def post(port: int, path: str, raw: bytes) -> None:
    """Send one signed event and insist on 202."""
    headers = signed_headers(raw, at=clock.now())
    writer = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    writer.request("POST", path, raw, headers)
    answer = writer.getresponse()
    answer.read()
    writer.close()
    if answer.status != 202:
        raise RuntimeError(f"the event was answered {answer.status}")


def measure(bench: Bench) -> Row:
    """Post ten events a second, each for one of twenty households, and watch their feeds."""
    here = world.build("visible", households=HOUSEHOLDS)
    cookies = [bench.signed_in(pk) for pk in here.owners]
    chance = random.Random(RATE)
    count = RATE * (5 if bench.is_quick else 20)
    took: list[float] = []
    faults: list[str] = []

    def one(port: int, number: int) -> None:
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
        began = time.perf_counter()
        try:
            post(port, "/webhooks/visible/", json.dumps(event).encode())
            took.append(watch(port, cookies[number % HOUSEHOLDS], str(wanted), began))
        except (OSError, RuntimeError) as error:
            faults.append(str(error))

    with bench.serve("config.wsgi:application") as port, bench.worker():
        for number in range(RATE):  # whatever is imported or planned at the first time
            one(port, -number - 1)
        took.clear()
        began, threads = time.perf_counter(), []
        for number in range(count):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            threads.append(threading.Thread(target=one, args=(port, number)))
            threads[-1].start()
        for thread in threads:
            thread.join()
    took.sort()
    p50, p95 = 1000 * median(took), 1000 * took[int(len(took) * 0.95)]
    return Row(
        work=WORK,
        target=TARGET,
        ours=f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"
        + (f", {len(faults)} faults: {faults[0]}" if faults else ""),
        floor="",
        is_met=p50 < 40 and p95 < 80 and not faults,
    )
