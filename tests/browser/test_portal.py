"""A new supplier: from the sign-up to its first accepted event, by following the page."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import override_settings
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_new_user import work

pytestmark = pytest.mark.browser


@pytest.fixture
def server(live_server: LiveServer, transactional_db: None) -> Iterator[LiveServer]:
    """The server under the address that letters and programs name."""
    with override_settings(SITE_URL=live_server.url):
        yield live_server


def test_a_supplier_signs_up_pastes_a_program_and_sees_it_accepted(
    browser: Browser, server: LiveServer
) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{server.url}/portal/")
    page.get_by_label("Your organisation").fill("Skyline TV")
    page.get_by_label("Your work e-mail").first.fill("dana@skyline.example")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    work()
    link = re.search(r"http\S+/portal/enter/\S+", str(mail.outbox[-1].body))
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_text("We are waiting for your first event…")).to_be_visible()
    page.get_by_role("button", name="Make a secret").click()
    program = page.locator("#program-sh").text_content()
    assert program
    ran = subprocess.run(
        ["/bin/bash", "-c", program],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={"PATH": os.environ["PATH"], "no_proxy": "*"},
    )
    assert '"status":"accepted"' in ran.stdout.replace(" ", ""), ran
    work()
    expect(page.get_by_text("The owner would see it.")).to_be_visible()
