"""The operator's admin opens only with a second factor where that is asked; sign-ins are logged."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings

from owners.models import AccessEntry, Owner
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
