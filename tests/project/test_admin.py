"""The operator's window opens, stays quick, and shows nobody's words."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from notifications.choices import DeliveryState
from owners.models import Owner
from suppliers.choices import EventState, Way
from suppliers.models import InboundEvent
from tests import factories

WORDS = "Zz-Canary words"
OURS = ("owners", "assets", "suppliers", "notifications")


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    staff = Owner.objects.create_superuser("operator@steward.example")
    browser.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_every_list_and_form_opens_without_anybodys_words(
    operator: Client, cast: factories.Cast
) -> None:
    journey = factories.JourneyFactory.create(household=cast.household)
    factories.CardFactory.create(journey=journey, body={"title": WORDS})
    told = factories.NotificationFactory.create(journey=journey, owner=cast.ana, text=WORDS)
    factories.DeliveryFactory.create(notification=told)
    factories.ContactFactory.create(
        household=cast.household, said={"body": WORDS, "kind": "message"}
    )
    opened = 0
    for model in admin.site._registry:
        if model._meta.app_label not in OURS:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{name}_changelist")]
        first = model._default_manager.first()
        if first is not None:
            addresses.append(reverse(f"{name}_change", args=[first.pk]))
        for address in addresses:
            page = operator.get(address)
            assert page.status_code == 200, address
            assert WORDS not in page.content.decode(), address
            assert "+12125550100" not in page.content.decode(), address
            opened += 1
    assert opened > 20


def test_parked_events_are_processed_again(operator: Client) -> None:
    event = InboundEvent.objects.create(
        way=Way.MAIL, source="/mail", event_id="1", body_hash=b"", state=EventState.PARKED, claims=8
    )
    operator.post(
        reverse("admin:suppliers_inboundevent_changelist"),
        {"action": "process_again", "_selected_action": [event.pk]},
    )
    event.refresh_from_db()
    assert (event.state, event.claims) == (EventState.STORED, 0)


def test_stuck_messages_are_sent_again(operator: Client) -> None:
    delivery = factories.DeliveryFactory.create(state=DeliveryState.PARKED, claims=8)
    operator.post(
        reverse("admin:notifications_delivery_changelist"),
        {"action": "send_again", "_selected_action": [delivery.pk]},
    )
    delivery.refresh_from_db()
    assert (delivery.state, delivery.claims) == (DeliveryState.PENDING, 0)


def test_owners_have_no_way_in(cast: factories.Cast) -> None:
    browser = Client()
    assert browser.get("/admin/").status_code == 302
    assert "/accounts/login/" in browser.get("/admin/login/").headers["Location"]
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/admin/login/").status_code == 403
