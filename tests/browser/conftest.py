"""A real browser against a live server."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, expect, sync_playwright

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
AT_WORK = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""
PATIENCE_MS = 20_000  # on a machine with other work; what is there at once is not waited for
LOOKS = 3  # in a row, at which nobody works: a request runs more than one statement


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; nothing is downloaded."""
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium")
    # Playwright's loop runs in this thread, and Django would take it for an async context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _all_answered(transactional_db: None, browser: Browser) -> Iterator[None]:
    """Close the pages and let the server finish, before the database is emptied under it."""
    yield
    for context in browser.contexts:
        context.close()
    until, quiet = time.monotonic() + 20, 0
    while quiet < LOOKS:
        assert time.monotonic() < until, "the server still works for a page that is closed"
        time.sleep(0.02)
        with connection.cursor() as cursor:
            cursor.execute(AT_WORK)
            quiet = 0 if cursor.fetchone()[0] else quiet + 1


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
