"""A real browser against a live server."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from owners.models import Owner
from tests.web.conftest import played

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; nothing is downloaded."""
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium")
    # Playwright's loop runs in this thread, and Django would take it for an async context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def owner(transactional_db: None) -> Owner:
    """Ana, at the end of the story."""

    def play() -> Owner:
        try:
            return played()
        finally:
            connection.close()

    # Deliveries run an event loop, and Playwright's is already running in this thread.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(play).result()


@pytest.fixture
def session(owner: Owner) -> str:
    """The key of Ana's session."""
    client = Client()
    client.force_login(owner)
    return client.cookies["sessionid"].value
