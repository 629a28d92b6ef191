"""Every screen in a real browser: accessible, in bounds, silent, and good by keyboard alone."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from assets import (
    caring,
    claims,
    faults,
    holdings,
    importing,
    metering,
    recalls,
    stocking,
    templating,
    worth,
)
from assets.cover_words import Confidence
from assets.models import (
    Asset,
    CareTask,
    Claim,
    Contract,
    Coverage,
    Import,
    Issue,
    Meter,
    Part,
    RecallMatch,
    Template,
    WorkOrder,
)
from assets.recall_matching import Criterion, Published
from notifications.models import Journey
from owners import clock
from owners.models import Household, Owner, Restore
from suppliers import proposing
from suppliers.announcements import Addressee, Announcement
from suppliers.choices import AnswerState, NewsKind
from suppliers.contacts import GoodsClaim, Money
from suppliers.models import Contact, Mandate, Proposal
from suppliers.purchases import Purchase
from tests import factories
from tests.browser.axe import violations
from tests.browser.passing import GONE, passing_screens
from tests.imports import samples

pytestmark = pytest.mark.browser

SIZES = {390: 844, 1360: 1000}
# Pages without a parameter, by URL name: whoever adds one adds it here.
MORE_SCREENS = [
    "today",
    "journeys",
    "door",
    "held",
    "proposals",
    "log",
    "share",
    "outbox",
    "welcome",
    "calendar",
    "calendar-subscriptions",
    "assets",
    "asset-add",
    "asset-templates",
    "asset-template-add",
    "imports",
    "inventory",
    "deadlines",
    "recalls",
    "documents",
    "document-add",
    "suppliers",
    "supplier-add",
    "tell",
    "preferences",
    "household",
    "ways",
    "passes",
    "access",
    "data",
    "restore-new",
    "access-log",
    "bin",
    "search",
    "help",
    "offline",
    "invitation",
    "mfa_index",
    "mfa_list_webauthn",
    "account_change_password",
    "account_email",
    "usersessions_list",
    "account_logout",
]
# Pages of one asset about who pays, what it costs and what it is worth.
COVER_SCREENS = [
    "dossier",
    "fault",
    "faults",
    "repairs/add",
    "claims/add",
    "worth",
    "worth/plan",
    "values/add",
    "contracts/add",
]
CARE_SCREENS = [
    "care",
    "care/add",
    "care/work",
    "meters/add",
    "steps/lend",
    "steps/offer",
    "steps/end",
    "hand-over",
    "parting",
    "history",
]
# Pages of somebody who is not signed in.
STRANGERS_SCREENS = [
    "/accounts/login/",
    "/accounts/login/code/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/passes/",
    "/no/such/page/",
]
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
# Pages that are answers to what is not there, and what the browser says of each.
REFUSED = {"/no/such/page/": "404", "/invitation/": "410", **GONE}


def screens() -> list[str]:
    """Every kind of page of the owner's, by address."""
    mandate = Mandate.objects.get()
    asset = f"/assets/{Asset.objects.get().uuid}/"
    return [
        *(reverse(name) for name in MORE_SCREENS),
        *(f"/welcome/?step={step}" for step in ("things", "suppliers", "quiet")),
        f"/journeys/{Journey.objects.get().uuid}/",
        "/journeys/?show=closed",
        "/calendar/?view=month",
        "/search/?q=skyline",
        asset,
        *(f"{asset}?tab={tab}" for tab in ("timeline", "suppliers", "documents", "details")),
        *(f"{asset}{page}/" for page in ("edit", "remove", "label", *COVER_SCREENS, *CARE_SCREENS)),
        *care_screens(),
        f"/faults/{Issue.objects.get().uuid}/",
        *cover_screens(),
        *brought_screens(),
        f"/suppliers/{mandate.supplier.uuid}/",
        f"/mandates/{mandate.uuid}/end/",
        "/tell/new/moved/",
        f"/tell/{Announcement.objects.get().uuid}/",
        f"/data/restore/{Restore.objects.get().uuid}/",
        "/preferences/?preset=must_act",
    ]


def care_screens() -> list[str]:
    """The pages of one task, meter and part."""
    task = f"/care/{CareTask.objects.get().uuid}/"
    meter, part = Meter.objects.get().uuid, Part.objects.get().uuid
    return ["/care/", task, f"{task}edit/", f"{task}done/", f"/meters/{meter}/", f"/parts/{part}/"]


@pytest.fixture(autouse=True)
def _some_care(owner: Owner) -> None:
    """Ana's recorder counts its hours, wants to be cleaned, and there is a spare fan."""
    asset, now = Asset.objects.select_related("household").get(), clock.now()
    metering.add(asset=asset, values={"name": "Hours", "unit": "h"}, now=now)
    spec = {
        "name": "Clean the fan",
        "triggers": [
            {"kind": "calendar", "every": 1, "unit": "year"},
            {"kind": "event", "event": "trip"},
        ],
        "checklist": ["It turns"],
    }
    caring.add(asset=asset, spec=spec, owner=owner, now=now)
    values = {"name": "Fan", "quantity": Decimal(2), "fits": [asset.uuid]}
    stocking.add(household=asset.household, values=values, owner=owner, now=now)


@pytest.fixture(autouse=True)
def _some_news(owner: Owner) -> None:
    """Let there be something that suppliers were told, with answers."""
    mandate = Mandate.objects.get()
    told = Announcement.objects.create(
        household=mandate.household, told_by=owner, kind=NewsKind.MOVED, on=date(2026, 12, 1),
        note="Ring twice.", sends_at=clock.now() + timedelta(hours=1), remind_on=date(2026, 12, 15),
    )  # fmt: skip
    Addressee.objects.create(
        household=mandate.household, announcement=told, mandate=mandate, event=uuid4(),
        state=AnswerState.NEEDS, says="Please fill in our form.", changed_at=clock.now(),
    )  # fmt: skip
    Restore.objects.create(
        owner=owner, name="steward.zip", size=1, expires_at=clock.now() + timedelta(days=1),
        plan={
            "made_at": "2026-11-01T00:00:00Z", "made_by": "https://steward.example",
            "households": [{"id": "", "name": "Home"}], "papers": 2, "messages": 3, "size": 9,
            "parts": [
                {"name": "assets", "rows": 3, "is_restorable": True, "why_not": ""},
                {"name": "tokens", "rows": 1, "is_restorable": False, "why_not": "a secret"},
            ],
        },
    )  # fmt: skip


def brought_screens() -> list[str]:
    """Files on their way in, one that is asked about and one that is shown; what else begins."""
    return [
        *(f"/imports/{run.uuid}/" for run in Import.objects.order_by("pk")),
        f"/proposals/{Proposal.objects.get(identity='boiler').uuid}/",
        f"/assets/templates/{Template.objects.get().uuid}/",
    ]


@pytest.fixture(autouse=True)
def _something_on_its_way(owner: Owner) -> None:
    """Ana brings two files in, an order proposes a boiler, and she has a template."""
    home, now = Household.objects.get(memberships__owner=owner), clock.now()
    for name in ("asked.csv", "shown.csv"):
        content = samples.HOMEBOX_OLD.encode()
        run = importing.begin(household=home, owner=owner, name=name, content=content, now=now)
        while importing.work_due(clock.now):
            pass
    importing.answer(run=run, said={"currency": "EUR"}, now=now)
    while importing.work_due(clock.now):
        pass
    goods = GoodsClaim(name="Nordvarme boiler", maker="Nordvarme", price=Money(amount="1890.00"))
    Proposal.objects.create(
        household=home,
        contact=Contact.objects.filter(household=home).order_by("pk")[0],
        group="4471",
        identity="boiler",
        bought=proposing.written(Purchase(goods=goods)),
        seller="Nordvarme",
        order_no="4471",
    )
    templating.add(household=home, values={"label": "Heat pump"}, owner=owner, now=now)


def cover_screens() -> list[str]:
    """The pages of one repair, claim, contract, cover and recall."""
    claim, recall = Claim.objects.get(), RecallMatch.objects.get()
    return [
        f"/claims/{claim.uuid}/",
        f"/claims/{claim.uuid}/edit/",
        f"/repairs/{WorkOrder.objects.get().uuid}/",
        f"/contracts/{Contract.objects.get().uuid}/",
        f"/covers/{Coverage.objects.get().uuid}/",
        f"/recalls/{recall.uuid}/",
        f"/recalls/{recall.uuid}/done/",
    ]


@pytest.fixture(autouse=True)
def _a_fault(owner: Owner) -> None:
    """Ana's recorder has a fault, a claim that is contested, a repair, a lease and a recall."""
    asset = Asset.objects.select_related("household").get()
    issue, _made = faults.report(
        asset=asset, values={"title": "No picture"}, owner=owner, now=clock.now()
    )
    said = {"kind": "legal_guarantee", "obligor": "Skyline", "issue": issue}
    now = clock.now()
    claim, _claimed = claims.make(asset=asset, values=said, owner=owner, now=now)
    claim.told = {
        "at": now.isoformat(), "by": "Skyline TV", "status": "rejected", "next_step": "Write",
        "differs": {"state": "refused", "amount": "5", "currency": "USD"},
    }  # fmt: skip
    claim.save()
    faults.order(asset=asset, values={"title": "Mend", "issue": issue}, owner=owner, now=now)
    fee = {"since": now.date(), "amount": Decimal(9), "currency": "USD"}
    lease = {"kind": "lease", "party": "Skyline", "starts_on": now.date(), "fee": fee}
    worth.agree(asset=asset, values=lease, owner=owner, now=now)
    holdings.cover(asset=asset, values={"kind": "insurance", "obligor": "Ins"}, now=now)
    criteria = (Criterion(brand="Skyline", model="HR44", serial_from="R15-1", serial_to="R15-9"),)
    recalls.told(
        asset=asset,
        published=Published(
            source="told", number="26-114", title="Power supplies may overheat",
            criteria=criteria, hazard="Fire", remedy="A new one", do_not_use=True,
        ),
        by="Skyline TV", confidence=Confidence.EXACT, contact=uuid4(), now=now,
    )  # fmt: skip


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


@pytest.mark.parametrize("half", [0, 1])  # one for each worker
def test_screens_are_accessible_in_bounds_and_silent(
    browser: Browser, live_server: LiveServer, session: str, owner: Owner, half: int
) -> None:
    faults: list[tuple[str, str]] = []
    asked: set[str] = set()

    def listen(page: Page, address: str) -> None:
        def heard(message: ConsoleMessage) -> None:
            is_expected = REFUSED.get(address, "never") in message.text
            # The rest is Chromium's advice. A refused style or script is an error here.
            if message.type in ("error", "warning") and not is_expected:
                faults.append((address, message.text))

        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append((address, str(error))))

    def judge(page: Page, seen_as: str, **options: Any) -> None:
        faults.extend((seen_as, rule) for rule in violations(page, **options))

    def walk(context: BrowserContext, address: str) -> None:
        page = context.new_page()
        listen(page, address)
        page.goto(live_server.url + address)
        for details in page.locator("main details:not(.menu)").all():
            details.evaluate("node => { node.open = true; }")
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            seen_as = f"{address} at {width}"
            judge(page, seen_as)
            # The dark theme changes colours and nothing else.
            page.emulate_media(color_scheme="dark")
            judge(page, f"{seen_as} in the dark", **COLOURS)
            page.emulate_media(color_scheme="light")
            if page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append((seen_as, "wider than the window"))
        page.close()

    mine = [*screens(), *passing_screens(owner)]
    for addresses, is_known in ((mine, True), (STRANGERS_SCREENS, False)):
        context = signed_in(browser, live_server, session, width=min(SIZES))
        context.on("request", lambda request: asked.add(request.url))
        if not is_known:
            context.clear_cookies()
        for address in addresses[half::2]:
            walk(context, address)
        context.close()
    assert faults == []
    assert {url for url in asked if not url.startswith((live_server.url, "data:"))} == set()


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_every_component_is_accessible_and_in_bounds(
    browser: Browser,
    live_server: LiveServer,
    session: str,
    settings: Any,
    width: int,
    scheme: str,
) -> None:
    settings.DEBUG = True
    context = signed_in(browser, live_server, session, width=width, scheme=scheme)
    page = context.new_page()
    page.goto(f"{live_server.url}/design/")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_the_theme_changes_in_place_and_stays(page: Page, live_server: LiveServer) -> None:
    page.get_by_role("button", name="Dark").first.click()
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    page.goto(f"{live_server.url}/journeys/")
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    page.get_by_role("button", name="As the device").first.click()
    expect(page.locator("html")).not_to_have_attribute("data-scheme", "dark")


def wait_for_draft(page: Page, name: str) -> None:
    """Wait until what was typed lies on the device; a strict page evaluates no waiting words."""
    for _ in range(100):
        if name in page.evaluate("Object.keys(localStorage).join()"):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"no draft of {name}")


@pytest.mark.parametrize(
    ("address", "label"), [("/log/", "What was said"), ("/assets/add/", "What do you call it?")]
)
def test_what_is_typed_survives_a_killed_tab(
    browser: Browser, live_server: LiveServer, session: str, address: str, label: str
) -> None:
    context = signed_in(browser, live_server, session)
    page = context.new_page()
    page.goto(live_server.url + address)
    page.get_by_label(label).first.fill("They come on Friday")
    wait_for_draft(page, "draft:")
    page.close()
    again = context.new_page()
    again.goto(live_server.url + address)
    expect(again.get_by_label(label).first).to_have_value("They come on Friday")
    expect(again.locator("#said")).to_have_text("What you typed is here again.")
    context.close()


def test_a_wish_and_an_answer_survive_a_killed_tab(
    browser: Browser, live_server: LiveServer, session: str
) -> None:
    context = signed_in(browser, live_server, session)
    page = context.new_page()
    page.goto(f"{live_server.url}/preferences/")
    page.get_by_role("group", name="Progress").get_by_label("Today").check()
    wait_for_draft(page, "preferences")
    page.goto(f"{live_server.url}/journeys/{Journey.objects.get().uuid}/")
    page.get_by_text("Write", exact=True).click()
    page.get_by_label("Your words").fill("Thank you")
    wait_for_draft(page, "reply")
    page.close()
    again = context.new_page()
    again.goto(f"{live_server.url}/preferences/")
    expect(again.get_by_role("group", name="Progress").get_by_label("Today")).to_be_checked()
    again.goto(f"{live_server.url}/journeys/{Journey.objects.get().uuid}/")
    expect(again.get_by_label("Your words")).to_have_value("Thank you")
    context.close()


def test_news_never_moves_a_feed_that_is_in_use(page: Page, owner: Owner) -> None:
    household = owner.memberships.get().household
    page.locator("[data-card]").first.focus()
    journey = factories.JourneyFactory.create(household=household, title="New matter")
    body: dict[str, Any] = {
        "journey": str(journey.uuid),
        "section": "on_its_way",
        "title": "New matter",
    }
    body |= {"thread": [], "actions": []}
    factories.CardFactory.create(journey=journey, section="on_its_way", body=body)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#fresh")).to_be_visible()
    expect(page.get_by_text("New matter")).to_have_count(0)
    page.locator("#fresh").click()
    expect(page.get_by_role("heading", name="New matter")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390])
def test_large_text_in_a_narrow_window_stays_in_bounds(
    browser: Browser, live_server: LiveServer, session: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, bypass_csp=True)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    wide = []
    for address in screens():
        page.goto(live_server.url + address)
        if width == 390:
            page.add_style_tag(content="html { font-size: 200% }")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(address)
    context.close()
    assert wide == []


def test_right_to_left_mirrors_the_page_and_stays_in_bounds(
    browser: Browser, live_server: LiveServer, session: str
) -> None:
    wide = []
    for width in SIZES:
        context = signed_in(browser, live_server, session, width=width)
        context.add_init_script(
            "addEventListener('DOMContentLoaded', () => { document.documentElement.dir = 'rtl'; })"
        )
        page = context.new_page()
        for address in ("/", "/assets/", "/calendar/?view=month", "/preferences/"):
            page.goto(live_server.url + address)
            # What juts out on the left can be scrolled to in a page that starts on the right.
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append((width, address))
        if width > 1000:
            side = page.locator("header.side").bounding_box()
            assert side is not None
            assert side["x"] > width / 2
        context.close()
    assert wide == []


def test_dialogs_keep_and_give_back_the_focus(page: Page) -> None:
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search and commands")
    expect(palette).to_be_visible()
    expect(page.locator("#palette-words")).to_be_focused()
    page.keyboard.type("boil")
    page.keyboard.press("Escape")
    expect(palette).not_to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') === null")


def test_the_keyboard_alone_answers_and_undoes(page: Page) -> None:
    yes = page.get_by_role("button", name="Yes, it works")
    for _ in range(60):
        page.keyboard.press("Tab")
        if yes.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing needs you today")
    # The focus is not lost with the card that went.
    assert page.evaluate("document.activeElement !== document.body")
    page.keyboard.press("z")
    expect(page.get_by_role("heading", level=1)).to_have_text("One thing needs you today")
