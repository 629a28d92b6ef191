import gzip
import html
import re
import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as CacheAwayError

from assets.models import Asset
from notifications import drawing, pipeline
from notifications.models import Card, Journey, Notification
from owners import clock
from owners.choices import Topic
from owners.models import Membership, Owner
from suppliers.models import (
    Contact,
    InboundEvent,
    Mandate,
    SigningSecret,
    Supplier,
    SupplierNumber,
)
from tests import factories

pytestmark = pytest.mark.django_db


def addresses(owner: Owner) -> list[str]:
    """Every page of the owner's that can be read."""
    journey = Journey.objects.for_owner(owner).first()
    asset = Asset.objects.for_owner(owner).first()
    supplier = Supplier.objects.for_owner(owner).first()
    mandate = Mandate.objects.for_owner(owner).first()
    assert journey
    assert asset
    assert supplier
    assert mandate
    return [
        "/",
        "/journeys/",
        "/journeys/?show=closed",
        f"/journeys/{journey.uuid}/",
        "/door/",
        "/log/",
        "/outbox/",
        "/assets/",
        "/assets/add/",
        f"/assets/{asset.uuid}/",
        "/suppliers/",
        "/suppliers/add/",
        f"/suppliers/{supplier.uuid}/",
        f"/mandates/{mandate.uuid}/end/",
        "/preferences/",
        "/household/",
    ]


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_today_asks_one_thing_with_one_lamp(ana: Client) -> None:
    page = text_of(ana, "/")
    assert "One thing needs you today" in page
    assert page.count("card--lit") == 1
    assert page.count("button--primary") == 1
    assert "Yes, it works" in page
    assert "10 contacts, 3 shown" in page


def test_pages_have_one_filled_button_at_most(ana: Client, story: Owner) -> None:
    for address in addresses(story):
        assert text_of(ana, address).count("button--primary") <= 1, address


def test_pages_hold_no_inline_script_or_style(ana: Client, story: Owner) -> None:
    for address in addresses(story):
        page = text_of(ana, address)
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page), address
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page), address
        assert "<style" not in page, address


def test_reading_changes_nothing(ana: Client, story: Owner) -> None:
    def rows() -> list[object]:
        tables = (Card, Notification, Membership, Contact, InboundEvent, Mandate, SigningSecret)
        return [list(table.objects.order_by("pk").values()) for table in tables]

    before = rows()
    for address in addresses(story):
        ana.get(address)
    assert rows() == before


def test_looking_tells_what_waited(ana: Client, story: Owner) -> None:
    answer = ana.post("/looked/", headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content
    assert Membership.objects.get(owner=story).looked_at is not None


def test_yes_it_works_closes_and_undo_reopens(ana: Client, journey: Journey) -> None:
    answer = ana.post(f"/journeys/{journey.uuid}/act/", {"name": "works", "next": "/"}, follow=True)
    journey.refresh_from_db()
    assert journey.state == "closed"
    page = answer.content.decode()
    assert "Nothing needs you today" in page
    decision = re.search(r'name="decision" value="([^"]+)"', page)
    assert decision
    ana.post(f"/journeys/{journey.uuid}/act/", {"name": "undo", "decision": decision[1]})
    journey.refresh_from_db()
    assert journey.state == "open"


def test_an_answer_from_the_feed_returns_the_feed_alone(ana: Client, journey: Journey) -> None:
    answer = ana.post(
        f"/journeys/{journey.uuid}/act/",
        {"name": "not_yet", "next": "/"},
        headers={"hx-request": "true", "hx-target": "feed"},
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert 'hx-swap-oob="true"' in page


def test_journey_says_why_and_folds_what_said_nothing_new(ana: Client, journey: Journey) -> None:
    page = text_of(ana, f"/journeys/{journey.uuid}/")
    assert "5 more contacts said nothing new" in page
    assert "Only what brings nothing new stays quiet." in page
    assert page.count("You should have told me") == 5
    assert "49.00" in page


def test_you_should_have_told_me_shows_the_contact(ana: Client, journey: Journey) -> None:
    contact = Contact.objects.filter(outcome="absorbed").first()
    assert contact
    ana.post(f"/contacts/{contact.uuid}/act/", {"name": "undo_absorb"})
    contact.refresh_from_db()
    assert contact.outcome == "shown"


def test_correcting_a_fact_strikes_the_old_value(ana: Client, journey: Journey) -> None:
    fact = journey.facts.get(state="current", value__startswith="49.00")
    ana.post(
        f"/journeys/{journey.uuid}/act/",
        {"name": "correct", "fact": fact.name, "value": "39.00 USD"},
    )
    page = text_of(ana, f"/journeys/{journey.uuid}/")
    assert "<s>49.00 USD</s>" in page
    assert "39.00 USD" in page


def test_a_nonsense_action_changes_nothing(ana: Client, journey: Journey) -> None:
    address = f"/journeys/{journey.uuid}/act/"
    assert ana.post(address, {"name": "close_all"}).status_code == 400
    wrong = ana.post(address, {"name": "counter", "day": "2026-12-01"}, follow=True)
    assert "This field is required." in wrong.content.decode()
    journey.refresh_from_db()
    assert journey.state == "open"


def test_the_door_warns_and_keeps_links_dead(ana: Client) -> None:
    page = text_of(ana, "/door/")
    assert "The sender could not prove who it is." in page
    assert "skyline-pay.example" in page
    assert 'href="https://skyline-pay' not in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_not_now_puts_a_sender_aside_and_letting_in_still_works(ana: Client) -> None:
    contact = Contact.objects.at_the_door().get()
    address = f"/contacts/{contact.uuid}/act/"
    ana.post(address, {"name": "not_now", "next": "/door/"})
    assert "Nobody at the door." in text_of(ana, "/door/")
    assert "Nobody is waiting." in text_of(ana, "/")
    ana.post(address, {"name": "let_in", "next": "/door/"})
    assert not Contact.objects.at_the_door().exists()


def log_form(**more: str) -> dict[str, str]:
    return {
        "direction": "out",
        "medium": "call",
        "day": "2026-11-20",
        "at": "10:15",
        "note": "They come again on Friday.",
        "event_id": str(uuid.uuid4()),
        **more,
    }


def test_a_logged_call_is_stored_once(ana: Client) -> None:
    before = InboundEvent.objects.filter(way="owner").count()
    form = log_form(window_day="2026-11-27", window_opens="08:00", window_closes="12:00")
    assert ana.post("/log/", form).status_code == 302
    assert ana.post("/log/", form).status_code == 302
    assert InboundEvent.objects.filter(way="owner").count() == before + 1


def test_a_logged_call_is_taken_back_by_its_toast(ana: Client) -> None:
    form = log_form(window_day="2026-11-27", window_opens="08:00", window_closes="12:00")
    undo = f"/log/{form['event_id']}/undo/"
    assert undo in ana.post("/log/", form, follow=True).content.decode()
    assert "still being read" in ana.post(undo, follow=True).content.decode()
    pipeline.drain(now_fn=clock.now)
    assert "Taken back." in ana.post(undo, follow=True).content.decode()
    logged = Contact.objects.get(inbound__event_id=form["event_id"])
    assert not logged.links.filter(revoked_at=None).exists()
    assert ana.post(f"/log/{uuid.uuid4()}/undo/").status_code == 404


def test_words_are_read_only_as_a_suggestion(ana: Client) -> None:
    before = InboundEvent.objects.count()
    note = "Technician comes Fri 27 Nov 2026 between 8:00 and 12:00. Upgrade for 49.00 USD."
    page = ana.post("/log/", log_form(note=note, read="1")).content.decode()
    assert 'value="2026-11-27"' in page
    assert 'value="49.00"' in page
    assert InboundEvent.objects.count() == before


def test_half_a_window_is_refused_beside_its_field(ana: Client) -> None:
    answer = ana.post("/log/", log_form(window_day="2026-11-27"))
    assert answer.status_code == 422
    assert "A visit needs its day" in answer.content.decode()


def test_adding_a_thing_needs_only_a_name(ana: Client, story: Owner) -> None:
    household = story.memberships.get().household
    form = {"name": "Washing machine", "kind": "appliance", "household": str(household.uuid)}
    answer = ana.post("/assets/add/", form, follow=True)
    assert "Washing machine" in answer.content.decode()
    assert Asset.objects.for_owner(story).filter(name="Washing machine").exists()


def test_a_mandate_is_changed_paused_and_ended(ana: Client, story: Owner) -> None:
    mandate = Mandate.objects.for_owner(story).get()
    ana.post(f"/mandates/{mandate.uuid}/", {"purposes": ["billing"]})
    mandate.refresh_from_db()
    assert mandate.purposes == ["billing"]
    ana.post(f"/mandates/{mandate.uuid}/state/", {"state": "pause"})
    mandate.refresh_from_db()
    assert mandate.state == "paused"
    ana.post(f"/mandates/{mandate.uuid}/end/")
    mandate.refresh_from_db()
    assert mandate.state == "ended"


def test_a_secret_is_shown_once_and_the_old_one_overlaps(ana: Client, story: Owner) -> None:
    ana.post("/suppliers/add/", {"name": "Corner Shop"})
    mandate = Mandate.objects.for_owner(story).get(supplier__name="Corner Shop")
    first = ana.post(f"/mandates/{mandate.uuid}/secret/").content.decode()
    ana.post(f"/mandates/{mandate.uuid}/secret/")
    old, new = SigningSecret.objects.filter(supplier=mandate.supplier).order_by("pk")
    assert old.value in first
    assert old.expires_at is not None
    assert new.expires_at is None
    page = text_of(ana, f"/suppliers/{mandate.supplier.uuid}/")
    assert old.value not in page
    assert new.value not in page


def test_nobody_changes_the_secret_of_a_proved_supplier(ana: Client, story: Owner) -> None:
    mandate = Mandate.objects.for_owner(story).get()
    assert mandate.supplier.verified_at
    before = SigningSecret.objects.count()
    assert ana.post(f"/mandates/{mandate.uuid}/secret/").status_code == 403
    assert SigningSecret.objects.count() == before


def test_preferences_restate_themselves_in_a_sentence(ana: Client, story: Owner) -> None:
    page = text_of(ana, "/preferences/")
    assert "You are interrupted by SMS only for: someone is arriving" in page
    form = {
        "prefers": "email",
        "digest_at": "17:00",
        "digest_weekday": "0",
        "quiet_from": "23:00",
        "quiet_until": "07:00",
        "zone": "America/New_York",
        "language": "en",
    }
    topics = [topic.value for topic in Topic]
    ana.post("/preferences/", form | dict.fromkeys(topics, "never"))
    assert "Nothing interrupts you." in text_of(ana, "/preferences/")


def test_mallory_finds_nothing_with_any_verb(story: Owner, journey: Journey) -> None:
    contact = Contact.objects.first()
    mandate = Mandate.objects.get()
    asset = Asset.objects.get()
    assert contact
    mallory = factories.OwnerFactory.create(name="Mallory Grey")
    factories.MembershipFactory.create(owner=mallory)
    browser = Client()
    browser.force_login(mallory)
    hidden = [
        f"/journeys/{journey.uuid}/",
        f"/journeys/{journey.uuid}/act/",
        f"/contacts/{contact.uuid}/act/",
        f"/assets/{asset.uuid}/",
        f"/suppliers/{mandate.supplier.uuid}/",
        f"/mandates/{mandate.uuid}/",
        f"/mandates/{mandate.uuid}/state/",
        f"/mandates/{mandate.uuid}/end/",
        f"/mandates/{mandate.uuid}/secret/",
    ]
    for address in hidden:
        for verb in ("get", "post", "put", "patch", "delete"):
            status = getattr(browser, verb)(address).status_code
            assert status in (404, 405), (verb, address)
    for address in ("/", "/journeys/", "/door/", "/assets/", "/suppliers/", "/outbox/", "/log/"):
        page = text_of(browser, address)
        assert "DVR" not in page, address
        assert "Skyline" not in page, address


def test_strangers_are_asked_to_sign_in(story: Owner) -> None:
    for address in addresses(story):
        answer = Client().get(address)
        assert answer.status_code == 302, address
        assert answer["location"].startswith("/accounts/login/"), address


def test_sign_in_offers_password_code_and_passkey(client: Client, db: None) -> None:
    page = text_of(client, "/accounts/login/")
    assert 'type="password"' in page
    assert "Send me a sign-in code" in page
    assert "Sign in with a passkey" in page


# Seven of each are the session's: who it is, and when it was last seen.
QUERIES = {"/": 14, "/journeys/": 9, "/door/": 9, "/assets/": 8, "/suppliers/": 9, "/log/": 9}


@pytest.mark.parametrize(("address", "most"), QUERIES.items())
def test_pages_need_few_queries(ana: Client, address: str, most: int) -> None:
    text_of(ana, address)  # a browser's first request notes its session
    with CaptureQueriesContext(connection) as found:
        text_of(ana, address)
    assert len(found) <= most, [query["sql"][:90] for query in found.captured_queries]


def test_the_journey_page_needs_few_queries(ana: Client, journey: Journey) -> None:
    text_of(ana, f"/journeys/{journey.uuid}/")
    with CaptureQueriesContext(connection) as found:
        text_of(ana, f"/journeys/{journey.uuid}/")
    assert len(found) <= 24, [query["sql"][:90] for query in found.captured_queries]


def cards(owner: Owner, count: int) -> None:
    """Give Ana's household so many quiet cards and on-their-way cards, as long as real ones."""
    household = owner.memberships.get().household
    thread = [{"outcome": "absorbed", "kind": "message", "contact": str(uuid.uuid4())}] * 9
    for number in range(count):
        journey = factories.JourneyFactory.create(household=household, title=f"Matter {number}")
        section = "on_its_way" if number % 2 else "quiet"
        body = {
            "journey": str(journey.uuid),
            "section": section,
            "title": journey.title,
            "thread": thread,
            "actions": [{"name": "accept", "label": "Accept", "fields": [], "is_primary": False}],
            "promise": {
                "start": "2026-11-13T08:00:00-05:00",
                "end": "2026-11-13T12:00:00-05:00",
                "zone": "America/New_York",
            },
        }
        factories.CardFactory.create(
            journey=journey, section=section, body=body, meta="Skyline TV · Living-room DVR"
        )


def test_today_with_200_cards_is_light_and_takes_few_queries(ana: Client, story: Owner) -> None:
    cards(story, 200)
    page = ana.get("/").content  # notes the session, and reads the month's saving
    assert page.count(b"data-card ") == 20
    assert len(gzip.compress(page)) < 40_000
    with CaptureQueriesContext(connection) as warm:
        ana.get("/")
    assert len(warm) <= 12
    everything = ana.get("/?shown=200", headers={"hx-request": "true"}).content
    assert everything.count(b"data-card ") == 200
    assert len(gzip.compress(everything)) < 40_000


def test_every_card_comes_once_on_the_way_down(ana: Client, story: Owner) -> None:
    cards(story, 61)
    page = ana.get("/").content.decode()
    seen = re.findall(r'id="card-([^"]+)"', page)
    waiting = re.findall(r'<a class="button more" href="([^"]+)"', page)
    while waiting:
        part = ana.get(html.unescape(waiting.pop()), headers={"hx-request": "true"})
        text = part.content.decode()
        seen += re.findall(r'id="card-([^"]+)"', text)
        waiting += re.findall(r'<a class="button more" href="([^"]+)"', text)
    assert len(seen) == len(set(seen)) == Card.objects.count()


def test_more_cards_have_a_page_of_their_own_without_scripts(ana: Client, story: Owner) -> None:
    cards(story, 61)
    more = re.search(r'<a class="button more" href="([^"]+)"', text_of(ana, "/"))
    assert more
    assert "<h1>" in text_of(ana, html.unescape(more[1]))
    assert ana.get("/?more=nonsense").status_code == 400
    assert ana.get("/?more=quiet~2026-01-01T00:00~1").status_code == 400


def test_an_unchanged_feed_is_not_sent_again(ana: Client, journey: Journey) -> None:
    page = text_of(ana, "/")
    version = re.search(r'data-feed-version="([^"]+)"', page)
    assert version
    headers = {"hx-request": "true", "x-feed-version": version[1]}
    assert ana.get("/?shown=1", headers=headers).status_code == 204
    Card.objects.update(version=99)
    assert ana.get("/?shown=1", headers=headers).status_code == 200


def test_a_kept_card_carries_each_readers_own_token(ana: Client, story: Owner) -> None:
    first = text_of(ana, "/")
    second = text_of(ana, "/")
    assert drawing.placeholder() not in first + second
    checked = Client(enforce_csrf_checks=True)
    checked.force_login(story)
    form = re.search(
        r'<form method="post" action="(/journeys/[^"]+/act/)".*?name="csrfmiddlewaretoken" '
        r'value="([^"]+)"',
        checked.get("/").content.decode(),
        re.DOTALL,
    )
    assert form
    sent = {"name": "works", "next": "/", "csrfmiddlewaretoken": form[2]}
    assert checked.post(form[1], sent).status_code == 302


def test_a_changed_card_is_drawn_anew(ana: Client, story: Owner) -> None:
    assert "Is the Living-room DVR working again?" in text_of(ana, "/")
    card = Card.objects.get()
    card.body["title"], card.version = "Is it <b>well</b>?", 77
    card.save()
    page = text_of(ana, "/")
    assert "Is it &lt;b&gt;well&lt;/b&gt;?</a>" in page
    assert "Is the Living-room DVR working again?</a>" not in page


def test_today_is_there_without_the_cache(
    ana: Client, story: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise CacheAwayError

    for name in ("get_many", "set_many", "get_or_set"):
        monkeypatch.setattr(cache, name, away)
    assert "One thing needs you today" in text_of(ana, "/")


def test_the_months_saving_is_told(ana: Client, story: Owner) -> None:
    with time_machine.travel("2026-11-20T12:00:00+00:00", tick=False):
        ana.force_login(story)
        page = text_of(ana, "/")
    assert re.search(r'<p class="stat">\d+ min</p>', page)
    assert "contacts came in, 3 reached you." in page


def test_the_call_card_has_the_number_and_what_to_say(ana: Client, journey: Journey) -> None:
    page = text_of(ana, f"/journeys/{journey.uuid}/")
    assert 'href="tel:+18005550199"' in page
    assert "4471-88213" in page
    assert "I am calling about: Living-room DVR." in page


def test_a_number_that_merely_called_is_never_offered_to_call(
    ana: Client, journey: Journey
) -> None:
    SupplierNumber.objects.all().delete()
    assert "tel:" not in text_of(ana, f"/journeys/{journey.uuid}/")
