"""The first two minutes: a real card at their end; and a demo that leaves nothing behind."""

import pytest
from django.test import Client

from assets.models import Asset
from notifications import demo_home, pipeline
from notifications.models import Card, Delivery, Journey
from owners import clock
from owners.choices import Rank
from owners.models import Household, Owner, ReachRule
from suppliers.models import Contact, InboundEvent, Mandate, Supplier
from tests import factories


@pytest.fixture
def newcomer(db: None) -> Owner:
    return factories.OwnerFactory.create(name="", zone="UTC")


@pytest.fixture
def browser(client: Client, newcomer: Owner) -> Client:
    client.force_login(newcomer, backend="django.contrib.auth.backends.ModelBackend")
    return client


def worked() -> None:
    """Let the workers do what waits."""
    pipeline.drain(now_fn=clock.now)


def test_four_steps_lead_to_a_real_card(browser: Client, newcomer: Owner) -> None:
    you = {"name": "Ana", "zone": "Europe/Vienna"}
    assert browser.post("/welcome/?step=you", you)["Location"] == "/welcome/?step=things"
    things = {"template": ["car"], "lines": "Vaillant boiler, serial 21-17, in the cellar\n"}
    browser.post("/welcome/?step=things", things)
    boiler = Asset.objects.get(kind="heating")
    assert (boiler.name, boiler.place) == ("Vaillant boiler", "cellar")
    assert Asset.objects.get(kind="vehicle").name == "Car"
    served = {
        "name": "Warm & Co",
        "address": "https://www.warm.example/contact",
        "asset": str(boiler.uuid),
        "note": "They come tomorrow between 8:00 and 12:00. It costs 89.00 EUR.",
    }
    assert browser.post("/welcome/?step=suppliers", served).status_code == 302
    assert browser.post("/welcome/?step=quiet", {"preset": "must_act"})["Location"] == "/"
    worked()
    newcomer.refresh_from_db()
    assert (newcomer.name, newcomer.zone) == ("Ana", "Europe/Vienna")
    card = Card.objects.for_owner(newcomer).get()
    assert card.journey.asset == boiler
    assert card.body["meta"] == "Warm & Co · Vaillant boiler · 89.00"  # "It costs" names nothing
    assert ReachRule.objects.filter(membership__owner=newcomer, moment="never").exists()
    assert card.title.encode() in browser.get("/").content


@pytest.mark.parametrize("step", ["you", "things", "suppliers", "quiet"])
def test_every_step_is_shown_and_can_be_skipped(browser: Client, step: str) -> None:
    page = browser.get(f"/welcome/?step={step}")
    assert page.status_code == 200
    assert page.context["skip"].encode() in page.content


def test_looking_at_the_welcome_makes_nothing(browser: Client) -> None:
    browser.get("/welcome/")
    assert not Household.objects.exists()


def test_the_demo_tells_a_story_and_tells_nobody(browser: Client, newcomer: Owner) -> None:
    browser.post("/demo/open/")
    worked()
    home = demo_home.of(newcomer)
    assert home is not None
    assert {row.name for row in Asset.objects.filter(household=home)} >= {"Boiler", "Family car"}
    assert Journey.objects.filter(household=home, is_emptied=False).count() >= 3
    assert not Contact.objects.filter(household=home, outcome="door").exists()
    assert not Delivery.objects.filter(owner=newcomer).exists()
    assert b"Living-room DVR" in browser.get("/assets/").content


def test_the_demo_is_gone_in_one_tap_and_leaves_nothing(
    cast: factories.Cast, browser: Client, newcomer: Owner
) -> None:
    before = (Supplier.objects.count(), InboundEvent.objects.count(), Household.objects.count())
    browser.post("/demo/open/")
    browser.post("/demo/open/")
    worked()
    browser.post("/demo/close/")
    after = (Supplier.objects.count(), InboundEvent.objects.count(), Household.objects.count())
    assert after == before
    assert demo_home.of(newcomer) is None
    assert Mandate.objects.filter(pk=cast.mandate.pk).exists()


def test_no_other_household_is_deleted_so(cast: factories.Cast) -> None:
    with pytest.raises(ValueError, match="demo"):
        demo_home.close(home=cast.household, now=factories.START)


def test_only_who_manages_suppliers_notes_one(cast: factories.Cast, client: Client) -> None:
    cast.membership.rank = Rank.MEMBER
    cast.membership.save()
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    before = Supplier.objects.count()
    answer = client.post("/welcome/?step=suppliers", {"name": "Warm & Co", "address": ""})
    assert answer.status_code == 403
    assert Supplier.objects.count() == before
