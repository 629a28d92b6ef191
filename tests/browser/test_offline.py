"""Without a net: what was read stays readable with its age, what is done is sent later, once."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from assets.models import Asset, Document
from notifications import push_devices
from notifications.models import Decision, Journey, PushDevice
from owners import clock
from owners.models import Owner

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
KEPT = """async () => {
    const cache = await caches.open("steward-pages");
    return (await cache.keys()).map((request) => new URL(request.url).pathname);
}"""


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, session: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    yield context
    context.close()


def until(page: Page, expression: str, is_right: Callable[[Any], bool]) -> None:
    """Ask the page until it answers right; its policy lets nobody wait inside it."""
    for _ in range(150):
        if is_right(page.evaluate(expression)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.evaluate(expression))


def png() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(kept, "PNG")
    return kept.getvalue()


def opened(phone: BrowserContext, server: LiveServer) -> Page:
    """Open Today, and wait until it and its journeys are kept."""
    page = phone.new_page()
    page.goto(server.url)
    wanted = {"/", f"/journeys/{Journey.objects.get().uuid}/"}
    until(page, f"({KEPT})()", lambda kept: wanted <= set(kept))
    return page


def test_what_was_read_stays_readable_and_says_how_old_it_is(
    phone: BrowserContext, live_server: LiveServer
) -> None:
    page = opened(phone, live_server)
    phone.set_offline(True)
    page.goto(live_server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing needs you today")
    expect(page.locator("#kept")).to_contain_text("This page is as of")
    page.goto(f"{live_server.url}/journeys/{Journey.objects.get().uuid}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("DVR")
    page.goto(f"{live_server.url}/household/")
    expect(page.get_by_role("heading", level=1)).to_have_text("No connection")


def test_what_is_done_without_a_net_is_sent_later_and_once(
    phone: BrowserContext, live_server: LiveServer
) -> None:
    page = opened(phone, live_server)
    phone.set_offline(True)
    page.goto(live_server.url)
    page.get_by_role("button", name="Yes, it works").click()
    expect(page.locator("#queued")).to_contain_text("1 change is waiting to be sent")
    assert Journey.objects.get().state == "open"
    phone.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Nothing needs you today", timeout=15_000
    )
    expect(page.locator("#queued")).to_be_hidden()
    assert Journey.objects.get().state == "closed"
    assert Decision.objects.filter(name="answer", data__answer="works").count() == 1


def test_a_photo_taken_without_a_net_is_sent_later(
    phone: BrowserContext, live_server: LiveServer
) -> None:
    page = opened(phone, live_server)
    until(page, f"({KEPT})()", lambda kept: {"/log/", "/documents/add/"} <= set(kept))
    phone.set_offline(True)
    page.goto(f"{live_server.url}/documents/add/?asset={Asset.objects.get().uuid}")
    photo = {"name": "label.png", "mimeType": "image/png", "buffer": png()}
    page.locator("input[type=file]").set_input_files(photo)  # type: ignore[arg-type]
    page.get_by_role("button", name="Keep them").click()
    expect(page.locator("#queued")).to_contain_text("1 change is waiting to be sent")
    phone.set_offline(False)
    # The page that follows is loaded anew, and hides its list until it has looked what waits.
    until(page, "1", lambda _: Document.objects.filter(name="label.png").exists())
    expect(page.locator("#queued")).to_be_hidden(timeout=15_000)
    assert Document.objects.get(name="label.png").media_type.startswith("image/")


def test_two_notes_written_on_the_same_kept_page_are_two(
    phone: BrowserContext, live_server: LiveServer
) -> None:
    page = opened(phone, live_server)
    until(page, f"({KEPT})()", lambda kept: "/log/" in kept)
    phone.set_offline(True)
    names = set()
    for _ in range(2):
        page.goto(f"{live_server.url}/log/?asset={Asset.objects.get().uuid}")
        names.add(page.locator("[name=event_id]").get_attribute("value"))
    assert len(names) == 2


def test_what_is_refused_stays_and_says_so(phone: BrowserContext, live_server: LiveServer) -> None:
    page = opened(phone, live_server)
    page.evaluate("""async () => {
        const form = new FormData();
        form.set("name", "nonsense");
        await queue.add(document.querySelector("#feed form").getAttribute("action"), form);
    }""")
    page.reload()
    expect(page.locator("#queued")).to_contain_text("could not be sent")
    page.locator("#queued summary").click()
    page.locator("#queued").get_by_role("button", name="Undo").click()
    expect(page.locator("#queued")).to_be_hidden()


def test_installing_is_offered_after_the_second_useful_day_and_not_again(
    phone: BrowserContext, live_server: LiveServer
) -> None:
    offer = "window.dispatchEvent(new Event('beforeinstallprompt', { cancelable: true }))"
    page = opened(phone, live_server)
    for days, is_offered in (("[]", False), ('["Mon"]', False), ('["Mon", "Tue"]', True)):
        page.evaluate("days => localStorage.setItem('steward-days', days)", days)
        page.reload()
        page.evaluate(offer)
        expect(page.locator("#install")).to_be_visible(visible=is_offered)
    page.get_by_role("button", name="Not now").click()
    page.reload()
    page.evaluate(offer)
    expect(page.locator("#install")).to_be_hidden()


def test_what_waits_can_be_taken_back(phone: BrowserContext, live_server: LiveServer) -> None:
    page = opened(phone, live_server)
    phone.set_offline(True)
    page.goto(live_server.url)
    page.get_by_role("button", name="Yes, it works").click()
    page.locator("#queued summary").click()
    page.locator("#queued").get_by_role("button", name="Undo").click()
    expect(page.locator("#queued")).to_be_hidden()
    phone.set_offline(False)
    page.goto(live_server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing needs you today")
    assert not Decision.objects.filter(name="answer").exists()


def test_signing_out_leaves_nothing_on_the_device(
    phone: BrowserContext, live_server: LiveServer
) -> None:
    page = opened(phone, live_server)
    page.evaluate("queue.add('/log/', new FormData())")
    page.evaluate("document.querySelector('form[action*=logout]').requestSubmit()")
    page.wait_for_url("**/accounts/**")
    until(page, f"({KEPT})()", lambda kept: not kept)
    assert page.evaluate("queue.all()") == []
    phone.set_offline(True)
    page.goto(live_server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("No connection")


def test_another_owner_on_the_same_device_finds_nothing(
    phone: BrowserContext, live_server: LiveServer, owner: Owner, client: Any
) -> None:
    page = opened(phone, live_server)
    other = Owner.objects.create_user("ben@hart.example", name="Ben")
    client.force_login(other)
    key = client.cookies["sessionid"].value
    phone.clear_cookies()
    phone.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
    page.goto(f"{live_server.url}/assets/")
    until(page, f"({KEPT})()", lambda kept: not any("journeys" in path for path in kept))
    phone.set_offline(True)
    page.goto(f"{live_server.url}/journeys/{Journey.objects.get().uuid}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("No connection")


def test_a_worker_says_the_new_address_that_its_push_service_gave_it(
    phone: BrowserContext, live_server: LiveServer, owner: Owner
) -> None:
    keys = {"p256dh": "BPK5", "auth": "c2l4dGVlbiBieXRlcyBvZg"}
    old, new = ("https://push.example/old", "https://push.example/new")
    push_devices.add(owner=owner, endpoint=old, keys=keys, now=clock.now())
    page = opened(phone, live_server)
    (worker,) = phone.service_workers
    # No push service answers here: its event is given by hand, with what it would carry.
    said = [{"endpoint": old, "keys": keys}, {"endpoint": new, "keys": keys}]
    worker.evaluate("([a, b]) => moved({ toJSON: () => a }, { toJSON: () => b })", said)
    # Of what is on the screen only so much stays, the newest.
    shown = "Array.from({ length: 23 }, (_, n) => ({ timestamp: 23 - n }))"
    left = worker.evaluate(f"surplus({shown}).map((one) => one.timestamp)")
    assert left == [1, 2, 3]
    page.close()
    assert new in PushDevice.objects.get().channel.address
