"""Every screen in a real browser: accessible, in bounds, silent, and good by keyboard alone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from assets.models import Asset
from notifications.models import Journey
from owners.models import Owner
from suppliers.models import Mandate

pytestmark = pytest.mark.browser

SIZES = {390: 844, 1360: 1000}


def screens() -> list[str]:
    """Every kind of page of the owner's, by address."""
    mandate = Mandate.objects.get()
    return [
        "/",
        "/journeys/",
        f"/journeys/{Journey.objects.get().uuid}/",
        "/door/",
        "/log/",
        "/outbox/",
        "/assets/",
        "/assets/add/",
        f"/assets/{Asset.objects.get().uuid}/",
        "/suppliers/",
        "/suppliers/add/",
        f"/suppliers/{mandate.supplier.uuid}/",
        f"/mandates/{mandate.uuid}/end/",
        "/preferences/",
        "/household/",
        "/accounts/2fa/webauthn/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/sessions/",
    ]


def signed_in(
    browser: Browser,
    server: LiveServer,
    session: str,
    *,
    width: int = 1360,
    scheme: str = "light",
    scripts: bool = True,
) -> BrowserContext:
    """A window of Ana's."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    return context


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, session: str) -> Iterator[Page]:
    """A desktop window on Today."""
    context = signed_in(browser, live_server, session)
    page = context.new_page()
    page.goto(live_server.url)
    yield page
    context.close()


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens_are_accessible_in_bounds_and_silent(
    browser: Browser, live_server: LiveServer, session: str, width: int, scheme: str
) -> None:
    context = signed_in(browser, live_server, session, width=width, scheme=scheme)
    faults: list[tuple[str, str]] = []

    def listen(page: Page, address: str) -> None:
        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):  # the rest is Chromium's advice
                faults.append((address, message.text))

        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append((address, str(error))))

    for address in screens():
        page = context.new_page()
        listen(page, address)
        page.goto(live_server.url + address)
        for details in page.locator("main details:not(.menu)").all():
            details.evaluate("node => { node.open = true; }")
        faults += [(address, found["id"]) for found in Axe().run(page).response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append((address, "wider than the window"))
        page.close()
    context.clear_cookies()
    page = context.new_page()
    for address in ("/accounts/login/", "/accounts/login/code/", "/accounts/signup/"):
        page.goto(live_server.url + address)
        faults += [(address, found["id"]) for found in Axe().run(page).response["violations"]]
    context.close()
    assert faults == []


def test_yes_it_works_acts_in_place_and_can_be_undone(page: Page, owner: Owner) -> None:
    page.get_by_role("button", name="Yes, it works").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    assert Journey.objects.get().state == "closed"
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing needs you today")
    assert Journey.objects.get().state == "open"


def test_the_keyboard_alone_answers(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("[data-card]").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/journeys/*/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/door/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).not_to_be_visible()


def test_everything_needed_works_without_scripts(
    browser: Browser, live_server: LiveServer, session: str
) -> None:
    context = signed_in(browser, live_server, session, width=390, scripts=False)
    page = context.new_page()
    page.goto(live_server.url)
    page.get_by_role("button", name="Yes, it works").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing needs you today")
    page.get_by_role("link", name="Is the Living-room DVR working again?").click()
    page.get_by_text("5 more contacts said nothing new").click()
    page.get_by_text("Why?").nth(3).click()
    page.get_by_role("button", name="You should have told me").first.click()
    expect(page.get_by_text("Noted: you should have been told.")).to_be_visible()
    context.close()


def test_nothing_is_asked_of_anybody_else(
    browser: Browser, live_server: LiveServer, session: str
) -> None:
    context = signed_in(browser, live_server, session)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    for address in screens():
        page.goto(live_server.url + address)
    context.close()
    assert {url for url in asked if not url.startswith(live_server.url)} == set()
