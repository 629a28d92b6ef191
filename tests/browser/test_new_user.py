"""What somebody does who has never seen it: by mouse, on a phone, by keys, without scripts.

Each story begins at sign-up, or at sign-in, and ends where an owner is served. Nothing is
asked of the database that the screen does not say.
"""

import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.db import connection
from django.test import override_settings
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications import pipeline
from owners import clock, households
from owners.models import Owner
from tests.browser.conftest import PATIENCE_MS

pytestmark = pytest.mark.browser

DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
PASSWORD = "a lamp in the hall"
RECEIPT = "Winter tyres, four pieces. Total 612.00 EUR. Thank you."
# Not a word of these may be left on a German page.
ENGLISH = re.compile(
    r"\b(the|and|your|you|with|of|is|are|they|what|who|this|that|from|until|today|open)\b",
    re.IGNORECASE,
)


def work() -> None:
    """Do what the worker would do by now."""

    def drain() -> None:
        try:
            pipeline.drain(now_fn=clock.now)
        finally:
            connection.close()

    # Deliveries run an event loop, and Playwright's is already running in this thread.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(drain).result()


def photo() -> dict[str, Any]:
    """A photo of the car."""
    kept = io.BytesIO()
    Image.new("RGB", (640, 480), "firebrick").save(kept, "JPEG")
    return {"name": "car.jpg", "mimeType": "image/jpeg", "buffer": kept.getvalue()}


def receipt() -> dict[str, Any]:
    """A receipt, as a text a shop might send."""
    return {"name": "receipt.txt", "mimeType": "text/plain", "buffer": RECEIPT.encode()}


@pytest.fixture
def server(live_server: LiveServer, transactional_db: None) -> Iterator[LiveServer]:
    """The product at the address that its own pages name."""
    with override_settings(SITE_URL=live_server.url):
        yield live_server


@pytest.fixture
def window(browser: Browser, server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Opens a window of somebody nobody knows yet; no page of it may fail."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def open_window(size: dict[str, int], **more: Any) -> Page:
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            base_url=server.url,
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            **more,
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.set_default_navigation_timeout(2 * PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "response",
            lambda answer: faults.append(answer.url) if answer.status >= 500 else None,
        )
        return page

    yield open_window
    for context in opened:
        context.close()
    assert faults == []


def sign_up(page: Page, address: str) -> None:
    """Sign up, and prove the address by the code in the mail."""
    page.goto("/accounts/signup/")
    page.locator("[name=email]").fill(address)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password1]").press("Enter")
    page.wait_for_url("**/accounts/confirm-email/")
    letter = mail.outbox[-1]
    assert letter.to == [address]
    assert "Steward" in str(letter.body)
    found = re.search(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", str(letter.body), re.MULTILINE)
    assert found is not None
    page.locator("[name=code]").fill(found[1])
    page.locator("[name=code]").press("Enter")
    page.wait_for_url("**/welcome/")


def send_as_supplier(page: Page) -> None:
    """Run the event that the supplier's page offers to paste, just as it stands there."""
    program = page.locator("#snippet-py").text_content()
    assert program is not None
    sent = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True
    )
    assert sent.stdout.startswith("202 ")
    work()


def card(page: Page, words: str) -> Locator:
    """The card that speaks of something."""
    return page.locator("[data-card]").filter(has_text=words)


def test_a_new_owner_needs_no_manual(  # noqa: PLR0915 - one story, told in order
    window: Callable[..., Page],
) -> None:
    page = window(DESK, locale="en-GB")
    sign_up(page, "cleo@vale.example")

    # Two minutes: who, what, by whom, when.
    page.get_by_label("What shall we call you?").fill("Cleo Vale")
    expect(page.get_by_label("Your time zone")).to_have_value("Europe/Berlin")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Boiler or heating", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Their name").fill("Warm & Sons")
    page.get_by_label("Their web address").fill("https://www.warm.example/contact")
    page.get_by_label("What did they say last?").fill(
        "We come tomorrow between 8 and 10. It costs 89 euros."
    )
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Open my house").click()
    work()
    page.goto("/")
    expect(card(page, "Warm & Sons")).to_contain_text("08:00 to 10:00")
    card(page, "Warm & Sons").get_by_role("button", name="Yes").click()
    expect(page.get_by_role("status").get_by_text("Noted.")).to_be_visible()

    # A car, by photo, name and template.
    page.goto("/assets/")
    page.get_by_role("link", name="Add an asset").first.click()
    page.locator("input[type=file]").set_input_files(photo())  # type: ignore[arg-type]
    page.get_by_label("What do you call it?").fill("The red estate")
    page.get_by_text("Car", exact=True).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The red estate")
    expect(page.locator("img.photo, .page-head img, main img").first).to_be_visible()

    # Its supplier is let in, and sends a visit.
    page.get_by_role("link", name="Add a supplier").first.click()
    page.get_by_label("Name").fill("Nokian Tyres")
    page.get_by_label("Their phone number").fill("+49 171 555 0123")
    expect(page.get_by_label("The red estate")).to_be_checked()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("a[href='tel:+491715550123']").first).to_be_visible()
    page.get_by_text("Keys and signed events").click()
    page.get_by_role("button", name="Make a secret").click()
    send_as_supplier(page)
    page.goto("/")
    expect(card(page, "Nokian Tyres")).to_contain_text("The red estate")
    expect(page.locator(".tile").filter(has_text="The red estate")).to_contain_text("1 supplier")
    card(page, "Nokian Tyres").get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted. They are told.")).to_be_visible()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(card(page, "Nokian Tyres").get_by_role("button", name="Accept")).to_be_visible()

    # How it may reach them, tried on the past before it is kept.
    page.goto("/preferences/")
    page.get_by_role("group", name="Money is due").get_by_label("Now").check()
    page.get_by_role("button", name="Try it on last month").click()
    expect(page.get_by_role("heading", name="Still 0 interruptions")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("group", name="Money is due").get_by_label("Now")).to_be_checked()

    # A receipt, found again by a word in it.
    page.goto("/documents/")
    page.locator("input[type=file]").set_input_files(receipt())  # type: ignore[arg-type]
    page.get_by_label("About which thing?").select_option(label="The red estate")
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_role("link", name="receipt.txt").first).to_be_visible()
    work()
    page.keyboard.press("Control+k")
    page.locator("#palette-words").fill("winter tyres")
    expect(page.locator("#palette-found")).to_contain_text("receipt.txt")


def test_it_is_done_again_on_a_phone_and_in_german(  # noqa: PLR0915 - as above
    window: Callable[..., Page],
) -> None:
    page = window(PHONE, locale="de-DE", has_touch=True)

    def read(address: str = "") -> None:
        """Look at a page: all of it German, and none of it beside the screen."""
        if address:
            page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        said = page.locator("main").inner_text()
        # Zones have names of their own, and so has a program to paste.
        for apart in page.locator("main select, main pre").all():
            said = said.replace(apart.inner_text(), "")
        own = ("The", "Warm & Söhne")
        words = [word for word in ENGLISH.findall(said) if word not in own]
        assert (page.url, words) == (page.url, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    sign_up(page, "eva@tal.example")
    read()
    page.locator("[name=name]").fill("Eva Tal")
    expect(page.locator("[name=zone]")).to_have_value("Europe/Berlin")
    expect(page.locator("[name=language]")).to_have_value("de")
    page.get_by_role("button", name="Weiter").click()
    read()
    page.get_by_text("Auto", exact=True).click()
    page.get_by_role("button", name="Weiter").click()
    read()
    page.locator("[name=name]").fill("Warm & Söhne")
    page.locator("[name=address]").fill("warm.example")
    page.locator("[name=note]").fill("Wir kommen morgen zwischen 8 und 10 Uhr. Es kostet 89 Euro.")
    page.get_by_role("button", name="Weiter").click()
    read()
    page.locator("main form button.button--primary").click()
    work()
    read("/")
    expect(card(page, "Warm & Söhne")).to_contain_text("08:00 bis 10:00")
    card(page, "Warm & Söhne").get_by_role("button", name="Ja").click()
    expect(page.locator("[data-toast]").first).to_be_visible()
    read("/household/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Haushalt von Eva Tal")

    page.goto("/suppliers/")
    page.locator("main").get_by_role("link", name="Warm & Söhne").first.click()
    page.locator("details.fold > summary").click()
    page.locator("form[action$='/secret/'] button").click()
    read()
    send_as_supplier(page)
    page.goto("/documents/")
    page.locator("input[type=file]").set_input_files(receipt())  # type: ignore[arg-type]
    page.locator("main form[method=post] button.button--primary").click()
    expect(page.get_by_role("link", name="receipt.txt").first).to_be_visible()
    work()
    page.goto("/search/?q=612.00")
    expect(page.locator("main")).to_contain_text("receipt.txt")
    for address in (
        "/",
        "/assets/",
        "/assets/add/",
        "/log/",
        "/calendar/",
        "/preferences/",
        "/report/",
    ):
        read(address)
    for address in ("/access/", "/data/", "/help/", "/door/", "/journeys/", "/suppliers/add/"):
        read(address)
    page.goto("/journeys/")
    page.locator("[data-card] a").first.click()
    page.wait_for_url("**/journeys/*/")
    read()


def owner_with_a_car() -> Owner:
    """Somebody who signed up a while ago, and may sign in."""
    owner = Owner.objects.create_user("cleo@vale.example", PASSWORD, name="Cleo Vale")
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    households.ensure_first(owner=owner, now=clock.now())
    return owner


def sign_in(page: Page, address: str, password: str) -> None:
    """Sign in as people do."""
    page.goto("/")
    page.locator("[name=login]").fill(address)
    page.locator("[name=password]").fill(password)
    page.locator("[name=password]").press("Enter")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until a control has the focus; the focus is somewhere, and seen, all the way."""
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
                const node = document.activeElement, style = getComputedStyle(node);
                const box = node.getBoundingClientRect();
                const ring = style.outlineStyle !== "none" || style.boxShadow !== "none";
                return [node.tagName, ring, box.bottom > 0 && box.top < innerHeight];
            }"""
        )
        assert at[0] != "BODY" or at[2], "the focus is lost"
        if wanted.evaluate("node => node === document.activeElement"):
            assert at[1:] == [True, True], "the focus cannot be seen"
            return
    pytest.fail("Tab never reaches it")


def test_the_keyboard_alone_is_enough(window: Callable[..., Page]) -> None:
    owner_with_a_car()
    page = window(DESK, locale="en-GB")
    sign_in(page, "cleo@vale.example", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")

    page.wait_for_load_state()  # the keys are heard once the script has run
    page.keyboard.press("n")
    page.wait_for_url("**/assets/add/")
    expect(page.get_by_label("What do you call it?")).to_be_focused()
    page.keyboard.type("The red estate")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The red estate")

    page.keyboard.press("Control+k")
    page.keyboard.type("log a")
    expect(page.locator("#palette-found a").first).to_contain_text("Log a call")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log/")
    said = page.get_by_label("What was said")
    if not said.evaluate("node => node === document.activeElement"):
        tab_to(page, said)
    page.keyboard.type("They come tomorrow between 9 and 11.")
    tab_to(page, page.get_by_role("button", name="Save"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Written down.")).to_be_visible()
    work()

    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(card(page, "09:00 to 11:00")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("[data-card]").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/journeys/*/")
    page.go_back()
    tab_to(page, page.get_by_role("button", name="Yes, right"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").get_by_text("Noted.")).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body")
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Yes, right")).to_be_visible()


def test_without_scripts_the_core_is_there(window: Callable[..., Page]) -> None:
    owner_with_a_car()
    page = window(PHONE, locale="en-GB", java_script_enabled=False)
    sign_in(page, "cleo@vale.example", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    page.goto("/assets/add/")
    page.get_by_label("What do you call it?").fill("The red estate")
    page.locator("input[type=file]").set_input_files(photo())  # type: ignore[arg-type]
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The red estate")
    page.get_by_role("link", name="Log a call or a note").click()
    page.get_by_label("What was said").fill("They come tomorrow between 9 and 11.")
    page.get_by_role("button", name="Save").click()
    work()
    page.goto("/")
    card(page, "09:00 to 11:00").get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Noted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    page.goto("/preferences/")
    page.get_by_role("group", name="Progress").get_by_label("Today").check()
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("group", name="Progress").get_by_label("Today")).to_be_checked()


def test_the_demo_story_goes_from_sign_in_to_yes_it_works(
    window: Callable[..., Page], owner: Owner
) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    page = window(DESK, locale="en-GB")
    sign_in(page, owner.email, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing needs you today")
    page.get_by_role("link", name="Is the Living-room DVR working again?").click()
    page.get_by_text("5 more contacts said nothing new").click()
    page.get_by_text("Why?").nth(3).click()
    expect(page.get_by_role("button", name="You should have told me").first).to_be_visible()
    page.goto("/")
    page.get_by_role("button", name="Yes, it works").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    expect(page.get_by_text("Closed. Good to hear.")).to_be_visible()
    page.goto("/journeys/?show=closed")
    expect(card(page, "Living-room DVR: solved")).to_be_visible()


def code_of(secret: str) -> str:
    """Return what a code app shows for a secret now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def test_a_passkey_and_a_code_app_are_set_up_and_sign_in(window: Callable[..., Page]) -> None:
    owner_with_a_car()
    page = window(DESK, locale="en-GB")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    verified = {"hasUserVerification": True, "isUserVerified": True}
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, **verified, "automaticPresenceSimulation": True}},
    )
    sign_in(page, "cleo@vale.example", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    # The worker that keeps pages is there: it must not ask for a secret a second time.
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")

    page.goto("/accounts/2fa/webauthn/add/")
    page.locator("[name=password]").fill(PASSWORD)  # what opens the account is asked for twice
    page.locator("[name=password]").press("Enter")
    page.locator("main").get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/2fa/recovery-codes/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    codes = page.get_by_label("Unused codes").input_value().split()
    page.goto("/accounts/2fa/totp/activate/")
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/accounts/2fa/")  # a load begun before would cut the answer off
    expect(page.get_by_text("Authentication using an authenticator app is active.")).to_be_visible()

    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/accounts/login/**")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/accounts/login/**")
    sign_in(page, "cleo@vale.example", PASSWORD)
    page.locator("[name=code]").fill(codes[0])
    page.locator("[name=code]").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
