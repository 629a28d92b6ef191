"""The supplier's page: what they may, what they know, what is agreed, and the end of it."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from owners.models import Change
from suppliers import keys, mandates
from suppliers.choices import MandateState, Purpose
from suppliers.models import Mandate, Role, SupplierKey, SupplierNumber
from tests import factories
from tests.api.conftest import app_of


@pytest.fixture
def browser(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def own(cast: factories.Cast, now) -> Mandate:
    """A supplier that only Ana's household knows."""
    return mandates.note_supplier(
        household=cast.household, name="Müller", assets=[cast.dvr], now=now
    )


def test_one_purpose_is_taken_back_and_allowed_again(cast: factories.Cast, browser: Client) -> None:
    address = f"/mandates/{cast.mandate.uuid}/purpose/"
    browser.post(address, {"purpose": "feedback"})
    cast.mandate.refresh_from_db()
    assert cast.mandate.purposes == ["service", "billing"]
    browser.post(address, {"purpose": "marketing", "on": "1"})
    cast.mandate.refresh_from_db()
    assert cast.mandate.purposes == [Purpose.SERVICE, Purpose.BILLING, Purpose.MARKETING]


def test_an_ended_mandate_can_be_taken_back_with_its_address(
    cast: factories.Cast, browser: Client
) -> None:
    address = cast.mandate.alias
    page = browser.get(f"/mandates/{cast.mandate.uuid}/end/")
    assert b"You can take this back for 30 days" in page.content
    browser.post(f"/mandates/{cast.mandate.uuid}/end/")
    cast.mandate.refresh_from_db()
    assert cast.mandate.state == MandateState.ENDED
    browser.post(f"/undo/{Change.objects.get().uuid}/")
    cast.mandate.refresh_from_db()
    assert (cast.mandate.state, cast.mandate.ended_at) == (MandateState.ACTIVE, None)
    assert cast.mandate.alias == address


def test_a_household_notes_and_forgets_its_own_numbers_only(
    cast: factories.Cast, browser: Client
) -> None:
    address = f"/mandates/{cast.mandate.uuid}/known/"
    browser.post(address, {"kind": "number", "value": "+49 (30) 123-4567"})
    mine = SupplierNumber.objects.get(household=cast.household)
    assert mine.number == "+49301234567"
    browser.post(address, {"kind": "number", "value": "+18005550199", "forget": "1"})
    browser.post(address, {"kind": "number", "value": mine.number, "forget": "1"})
    kept = SupplierNumber.objects.get()
    assert (kept.number, kept.household) == ("+18005550199", None)


def test_a_role_is_given_taken_and_put_back(cast: factories.Cast, browser: Client) -> None:
    address = f"/mandates/{cast.mandate.uuid}/role/"
    browser.post(address, {"asset": str(cast.dvr.uuid), "kind": "maker"})
    role = Role.objects.get(kind="maker")
    browser.post(address, {"take": str(role.pk)})
    assert not Role.objects.filter(kind="maker").exists()
    browser.post(f"/undo/{Change.objects.get().uuid}/")
    assert Role.objects.filter(kind="maker", supplier=cast.skyline).exists()


def test_a_key_is_shown_once_and_revoked(own: Mandate, browser: Client) -> None:
    page = browser.post(f"/mandates/{own.uuid}/key/", {"name": "phone system"})
    key = SupplierKey.objects.get()
    token = page.context["made_key"].token
    assert token in page.content.decode()
    assert keys.holder(token, now=factories.START) == own.supplier
    assert token not in browser.get(f"/suppliers/{own.supplier.uuid}/").content.decode()
    browser.post(f"/mandates/{own.uuid}/key/", {"revoke": str(key.pk)})
    assert keys.holder(token, now=factories.START) is None


def test_the_endpoint_gets_a_new_secret_that_is_shown_once(own: Mandate, browser: Client) -> None:
    page = browser.post(f"/mandates/{own.uuid}/endpoint/", {"url": "https://own.example/hook"})
    own.supplier.refresh_from_db()
    assert own.supplier.webhook_url == "https://own.example/hook"
    assert own.supplier.endpoint_secret in page.content.decode()
    browser.post(f"/mandates/{own.uuid}/endpoint/", {"url": ""})
    own.supplier.refresh_from_db()
    assert (own.supplier.webhook_url, own.supplier.endpoint_secret) == ("", "")


def test_nobody_makes_keys_for_a_verified_supplier(cast: factories.Cast, browser: Client) -> None:
    assert browser.post(f"/mandates/{cast.mandate.uuid}/key/", {}).status_code == 403
    hook = {"url": "https://evil.example/"}
    assert browser.post(f"/mandates/{cast.mandate.uuid}/endpoint/", hook).status_code == 403
    app = app_of(cast.ana)
    for name in ("keys", "secret"):
        answer = app.post(f"/api/v1/mandates/{cast.mandate.uuid}/{name}/", {}, format="json")
        assert answer.status_code == 403


def test_the_app_does_what_the_page_does(cast: factories.Cast, own: Mandate) -> None:
    app = app_of(cast.ana)
    base = f"/api/v1/mandates/{own.uuid}"
    noted = app.post(
        f"{base}/known/", {"kind": "domain", "value": "www.Own.example"}, format="json"
    )
    assert noted.json()["domains"] == ["own.example"]
    assert app.delete(f"{base}/known/?kind=domain&value=own.example").json()["domains"] == []
    role = {"asset": str(cast.dvr.uuid), "kind": "repairer"}
    assert app.post(f"{base}/roles/", role, format="json").json()["roles"] == [role]
    assert app.delete(f"{base}/roles/?{urlencode(role)}").json()["roles"] == []
    made = app.post(f"{base}/keys/", {"name": "x"}, format="json").json()["value"]
    (listed,) = app.get(f"{base}/keys/").json()
    assert app.delete(f"{base}/keys/{listed['id']}/").status_code == 204
    assert keys.holder(made, now=factories.START) is None
    assert app.post(f"{base}/secret/").json()["value"].startswith("whsec_")
    hook = {"url": "https://own.example/hook"}
    assert app.put(f"{base}/endpoint/", hook, format="json").json()["value"]


def test_two_switches_at_once_are_both_heard(cast: factories.Cast) -> None:
    now = factories.START
    first, second = (Mandate.objects.get(pk=cast.mandate.pk) for _ in range(2))
    mandates.switch(mandate=first, purpose=Purpose.FEEDBACK, is_on=True, owner=cast.ana, now=now)
    mandates.switch(mandate=second, purpose=Purpose.MARKETING, is_on=True, owner=cast.ana, now=now)
    cast.mandate.refresh_from_db()
    assert {Purpose.FEEDBACK, Purpose.MARKETING} <= set(cast.mandate.purposes)


def test_who_looked_before_a_mandate_ended_does_not_bring_it_back(cast: factories.Cast) -> None:
    now = factories.START
    seen_before = Mandate.objects.get(pk=cast.mandate.pk)
    assert mandates.end(mandate=cast.mandate, owner=cast.ana, now=now)
    with pytest.raises(mandates.MandateError):
        mandates.change(mandate=seen_before, purposes=[], owner=cast.ana, now=now)
    assert mandates.end(mandate=seen_before, owner=cast.ana, now=now) is None
    cast.mandate.refresh_from_db()
    assert cast.mandate.state == MandateState.ENDED
    assert Change.objects.filter(kind=mandates.ENDED).count() == 1


def test_a_pause_outlives_a_change_that_was_begun_before_it(cast: factories.Cast) -> None:
    now = factories.START
    seen_before = Mandate.objects.get(pk=cast.mandate.pk)
    mandates.change(mandate=cast.mandate, state=MandateState.PAUSED, owner=cast.ana, now=now)
    mandates.change(mandate=seen_before, purposes=[Purpose.SERVICE], owner=cast.ana, now=now)
    cast.mandate.refresh_from_db()
    assert (cast.mandate.state, cast.mandate.purposes) == (MandateState.PAUSED, ["service"])


def test_many_suppliers_stand_on_pages_by_name(cast: factories.Cast, browser: Client) -> None:
    for number in range(40):
        firm = factories.SupplierFactory.create(name=f"Firm {number:02}")
        factories.MandateFactory.create(household=cast.household, supplier=firm)
    first, second = (browser.get(f"/suppliers/?page={page}").content.decode() for page in (1, 2))
    assert (first.count("data-card"), second.count("data-card")) == (30, 11)
    assert "Firm 00" in first
    assert "Skyline TV" in second
