"""The pictures of the README: `.venv/bin/python -m pytest tests/browser/pictures.py`.

Not collected by itself; it plays a story, opens a demo household, and writes docs/images/.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from assets.models import Asset
from notifications import demo_home, pipeline
from notifications.models import Journey
from owners.models import Owner

pytestmark = pytest.mark.browser

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
# Half an hour after the visit of the story, when the card asks whether it works.
WHEN = datetime.fromisoformat("2026-11-13T18:31:00-05:00")
DESK, PHONE = (1280, 860), (390, 844)
COLOURS, LARGEST = 256, 120_000


@pytest.fixture
def hour() -> Iterator[None]:
    """The clock of the story; it goes on from there."""
    with time_machine.travel(WHEN, tick=True):
        yield


@pytest.fixture
def furnished(owner: Owner, hour: None) -> Owner:
    """Ana, with a boiler and a car beside the story's DVR."""

    def furnish() -> None:
        try:
            home = demo_home.open_for(owner=owner, now=WHEN)
            pipeline.drain(now_fn=lambda: WHEN)
            # The story has a DVR of its own.
            spare = Asset.objects.get(household=home, name="Living-room DVR")
            Journey.objects.filter(household=home, asset=spare).delete()
            Asset.objects.filter(pk=spare.pk).update(removed_at=WHEN)
        finally:
            connection.close()

    # Deliveries run an event loop, and Playwright's is already running in this thread.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(furnish).result()
    return owner


def save(picture: bytes, name: str) -> None:
    """Write a picture with a palette: the look has few colours."""
    drawn = Image.open(io.BytesIO(picture)).convert("RGB")
    few = drawn.quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(IMAGES / f"{name}.png", optimize=True)
    assert (IMAGES / f"{name}.png").stat().st_size < LARGEST


def test_the_pictures_of_the_readme_are_made(
    browser: Browser, live_server: LiveServer, furnished: Owner, session: str
) -> None:
    journey = Journey.objects.get(household__is_demo=False)
    home = journey.household
    assert journey.asset is not None
    screens = {
        "today": reverse("today"),
        "journey": reverse("journey", args=[journey.uuid]),
        "asset": reverse("asset", args=[journey.asset.uuid]),
        "calendar": f"{reverse('calendar')}?view=month",
        "preferences": f"{reverse('preferences')}?household={home.uuid}",
    }
    looks = [("", DESK, "light"), ("-dark", DESK, "dark"), ("-phone", PHONE, "light")]
    for suffix, (width, height), scheme in looks:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            service_workers="block",
        )
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        for name, address in screens.items():
            page.goto(live_server.url + address)
            page.evaluate("document.fonts.ready")
            save(page.screenshot(), name + suffix)
        context.close()
