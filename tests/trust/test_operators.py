"""The operator's admin opens only with a second factor where that is asked; sign-ins are logged."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from owners import access, clock
from owners.adapters import note_sign_in_failed
from owners.models import AccessEntry, Owner
from suppliers import keys, secrets
from suppliers.models import SigningSecret, Supplier
from tests import factories


@pytest.fixture
def operator(db: None) -> Owner:
    return Owner.objects.create_superuser("olga@steward.example", factories.PASSWORD)


@override_settings(ADMIN_ASKS_SECOND_FACTOR=True)
def test_the_admin_opens_only_with_a_second_factor(operator: Owner) -> None:
    browser = Client()
    browser.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/admin/").status_code == 302
    Authenticator.objects.create(user=operator, type="totp", data={"secret": "x"})
    assert browser.get("/admin/").status_code == 200


def test_a_sign_in_is_logged_and_says_from_where(cast: factories.Cast) -> None:
    cast.ana.set_password(factories.PASSWORD)
    cast.ana.save()
    cast.ana.emailaddress_set.create(email=cast.ana.email, verified=True, primary=True)  # type: ignore[attr-defined]
    browser = Client()
    browser.post("/accounts/login/", {"login": cast.ana.email, "password": factories.PASSWORD})
    entry = AccessEntry.objects.get(kind="signed_in")
    assert (entry.actor_id, entry.what) == (cast.ana.pk, {"from": "127.0.0.1"})


def test_failed_sign_ins_are_counted_and_the_password_is_nowhere(cast: factories.Cast) -> None:
    browser = Client()
    for typed in ("tried-once-9", "tried-twice-9"):
        browser.post("/accounts/login/", {"login": cast.ana.email, "password": typed})
    browser.post("/accounts/login/", {"login": "nobody@hart.example", "password": "x"})
    lines = list(AccessEntry.objects.filter(kind="sign_in_failed").order_by("number"))
    assert [(line.actor_id, line.subject_id, line.what["times"]) for line in lines] == [
        (None, cast.ana.pk, 1),
        (None, cast.ana.pk, 2),
    ]
    assert not any("tried" in str(line.what) for line in lines)


def test_a_failed_sign_in_does_as_much_for_an_address_of_nobody(
    cast: factories.Cast,
) -> None:
    access.note(kind="signed_out", actor=cast.ana, now=clock.now())  # the log has begun
    done = []
    for address in (cast.ana.email, "nobody@hart.example"):
        with CaptureQueriesContext(connection) as queries:
            note_sign_in_failed(credentials={"email": address}, request=None)
        done.append([query["sql"].split()[0] for query in queries if "POINT" not in query["sql"]])
    assert done[0] == done[1]
    assert AccessEntry.objects.filter(kind="sign_in_failed").count() == 1


@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_behind_a_proxy_the_log_names_the_client(cast: factories.Cast) -> None:
    Client().post(
        "/accounts/login/",
        {"login": cast.ana.email, "password": "tried-once-9"},
        headers={"x-forwarded-for": "192.0.2.7"},
    )
    assert AccessEntry.objects.get(kind="sign_in_failed").what["from"] == "192.0.2.7"


def test_changed_addresses_are_logged_by_their_hints(cast: factories.Cast) -> None:
    browser = Client()
    browser.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    cast.ana.emailaddress_set.create(email=cast.ana.email, verified=True, primary=True)  # type: ignore[attr-defined]
    cast.ana.emailaddress_set.create(email="second@hart.example", verified=True)  # type: ignore[attr-defined]
    removal = {"action_remove": "", "email": "second@hart.example"}
    assert browser.post("/accounts/email/", removal).status_code == 302
    line = AccessEntry.objects.get(kind="email_changed")
    assert line.actor_id == cast.ana.pk
    assert line.what == {"change": "removed", "address": "s…@hart.example"}


@override_settings(ADMIN_ASKS_SECOND_FACTOR=False)
def test_owners_see_what_an_operator_opened_and_changed(
    cast: factories.Cast, operator: Owner
) -> None:
    browser = Client()
    browser.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    page = f"/admin/owners/owner/{cast.ana.pk}/change/"
    assert browser.get(page).status_code == 200
    values = {"name": "Ana Hart-Lane", "zone": cast.ana.zone, "language": "en", "is_active": "on"}
    assert browser.post(page, values).status_code == 302
    mandate = f"/admin/suppliers/mandate/{cast.mandate.pk}/change/"
    assert browser.get(mandate).status_code == 200
    lines = AccessEntry.objects.for_owner(cast.ana).filter(kind__startswith="operator")
    assert [(line.kind, line.actor_id, line.what) for line in lines.order_by("number")] == [
        ("operator_looked", operator.pk, {"record": "owner"}),
        ("operator_changed", operator.pk, {"record": "owner", "fields": ["Name"]}),
        ("operator_looked", operator.pk, {"record": "mandate"}),
    ]
    assert not AccessEntry.objects.for_owner(cast.mallory).exists()


def verify_in_admin(operator: Owner, supplier: Supplier, day: str) -> None:
    """Save the supplier's form with the day on which it was verified."""
    browser = Client()
    browser.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    page = f"/admin/suppliers/supplier/{supplier.pk}/change/"
    fields = browser.get(page).context["adminform"].form.initial
    values = {name: value for name, value in fields.items() if value is not None}
    values |= {"verified_at_0": day, "verified_at_1": "13:00:00"}
    for inline in ("domains", "numbers", "secrets"):
        values |= {f"{inline}-TOTAL_FORMS": "0", f"{inline}-INITIAL_FORMS": "0"}
    assert browser.post(page, values).status_code == 302


@pytest.mark.parametrize("way", ["admin", "command"])
def test_what_a_household_made_for_an_unproved_supplier_ends_when_it_is_proved(
    cast: factories.Cast, operator: Owner, way: str
) -> None:
    now = clock.now()
    supplier = factories.SupplierFactory.create(code="warm", name="Warm & Co", verified_at=None)
    secret = secrets.rotate(household=cast.household, supplier=supplier, now=now).secret
    key = keys.make(supplier=supplier, name="till", now=now, household=cast.household).key
    secrets.set_endpoint(
        household=cast.household, supplier=supplier, url="https://warm.example/in", now=now
    )
    if way == "command":
        told = StringIO()
        call_command("verify_supplier", "warm", stdout=told)
        new = SigningSecret.objects.live(clock.now()).get(supplier=supplier)
        assert new.value in told.getvalue()
    else:
        verify_in_admin(operator, supplier, "2026-11-09")
        assert not SigningSecret.objects.live(clock.now()).filter(supplier=supplier).exists()
    supplier.refresh_from_db()
    assert supplier.verified_at is not None
    assert (supplier.webhook_url, supplier.endpoint_secret) == ("", "")
    assert secret not in SigningSecret.objects.live(clock.now())
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_proved_supplier_keeps_its_secrets_when_its_entry_is_corrected(
    cast: factories.Cast, operator: Owner
) -> None:
    warm = factories.SupplierFactory.create(code="warm", name="Warm & Co", verified_at=None)
    secret = secrets.verify(supplier=warm, now=clock.now()).secret
    verify_in_admin(operator, warm, "2026-11-08")
    warm.refresh_from_db()
    assert warm.verified_at is not None
    assert warm.verified_at.day == 8
    assert secret in SigningSecret.objects.live(clock.now()).filter(supplier=warm)
