"""The pass with two browsers at once: Ana's, and that of somebody at a supplier's."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications import passes
from notifications.models import Journey, Pass
from owners import clock
from owners.models import Owner
from tests.browser.axe import violations
from tests.browser.test_screens import SIZES, signed_in

pytestmark = pytest.mark.browser


@pytest.fixture
def held(owner: Owner) -> Pass:
    """A pass about the story's matter."""
    journey = Journey.objects.select_related("household", "asset").get()
    wishes = passes.Wishes(scope=("facts", "tried", "references", "visits", "serial"))
    return passes.make(
        owner=owner,
        household=journey.household,
        journey=journey,
        asset=journey.asset,
        wishes=wishes,
        now=clock.now(),
    )


def is_sound(page: Page) -> None:
    """Check that a page is accessible and as wide as its window."""
    for details in page.locator("main details:not(.menu)").all():
        details.evaluate("node => { node.open = true; }")
    assert violations(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= (page.viewport_size or {"width": 0})["width"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1360, "dark")])
def test_an_agent_reads_and_sees_nothing_once_it_is_ended(
    browser: Browser, live_server: LiveServer, session: str, held: Pass, width: int, scheme: str
) -> None:
    agent = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    ).new_page()
    agent.goto(f"{live_server.url}/pass/")
    is_sound(agent)
    agent.get_by_label("The code").fill(passes.code_of(held).lower())
    agent.keyboard.press("Enter")
    expect(agent.get_by_role("heading", name="Please do not ask again")).to_be_visible()
    is_sound(agent)
    ana = signed_in(browser, live_server, session, width=width, scheme=scheme).new_page()
    ana.goto(f"{live_server.url}/passes/mine/{held.uuid}/")
    expect(ana.get_by_text("Being read now")).to_be_visible()
    is_sound(ana)
    ana.get_by_role("button", name="End it now").click()
    expect(agent.get_by_role("heading", name="This pass is not open")).to_be_visible(timeout=3000)
    assert "do not ask" not in agent.content()
    is_sound(agent)
    expect(ana.get_by_role("link", name="Make a new one")).to_be_visible()
    ana.get_by_role("link", name="Make a new one").click()
    is_sound(ana)
