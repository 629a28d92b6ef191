"""What a reader on a slow device waits for: Today's largest contentful paint in Chromium."""

import statistics

from playwright.sync_api import Browser, sync_playwright

from tests.bench.bench import Bench, Row
from tests.bench.rows.today import household_of
from tests.browser.conftest import CHROMIUM, FLAGS

WORK = "Today's largest contentful paint, 20 cards, processor slowed 4 times, nothing kept"
TARGET = "<= 2.5 s, good by web.dev's bounds, on a phone and a desktop"
SIZES = {"390 x 844": (390, 844), "1360 x 900": (1360, 900)}
MOST_S = 2.5
SLOWED = 4
CARDS = 20
LOOKS = 5  # pages of one round
SETTLED_MS = 1_000  # after the load event: what is painted later is larger than nothing
LARGEST = """
    () => new Promise(resolve => {
        new PerformanceObserver(list => resolve(list.getEntries().at(-1).startTime))
            .observe({type: "largest-contentful-paint", buffered: true});
    })
"""


def seconds(browser: Browser, address: str, session: str, size: tuple[int, int]) -> float:
    """Return the largest contentful paint of a page that was never seen before."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    slow = context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.goto(address)
    page.wait_for_timeout(SETTLED_MS)
    found = float(page.evaluate(LARGEST)) / 1000
    context.close()
    return found


def measure(bench: Bench) -> Row:
    """Look at Today and at a page with nothing on it in turns; the medians count."""
    full = household_of(CARDS, "paint@bench.example")
    session = bench.signed_in(full.pk).removeprefix("sessionid=")
    looks = 1 if bench.is_quick else LOOKS
    ours: dict[str, list[float]] = {name: [] for name in SIZES}
    bare: list[float] = []
    with bench.serve("config.wsgi:application") as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        today, empty = f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/journeys/?show=closed"
        seconds(browser, today, session, SIZES["390 x 844"])  # workers begin by importing
        for _ in range(bench.rounds * looks):
            for name, size in SIZES.items():
                ours[name].append(seconds(browser, today, session, size))
            bare.append(seconds(browser, empty, session, SIZES["390 x 844"]))
        browser.close()
    medians = {name: statistics.median(took) for name, took in ours.items()}
    return Row(
        work=WORK,
        target=TARGET,
        ours=", ".join(f"{took:.2f} s at {name}" for name, took in medians.items()),
        floor=f"{statistics.median(bare):.2f} s a page with nothing on it",
        is_met=max(medians.values()) <= MOST_S,
    )
