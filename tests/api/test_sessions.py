"""A session and its owner are read together, and Django still says whether it is good."""

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from owners import sessions
from owners.models import Owner
from tests import factories
from tests.api.conftest import app_of

pytestmark = pytest.mark.django_db


def browser_of(owner: Owner) -> Client:
    client = Client()
    client.force_login(owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def stored(client: Client) -> Any:
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def status(client: Any) -> int:
    return int(client.get("/api/v1/me/").status_code)


def test_the_owner_comes_with_the_session_as_the_database_has_them(cast: factories.Cast) -> None:
    browser = browser_of(cast.ana)
    assert status(browser) == 200  # from now on it is known whose the session is
    session = stored(browser)
    with CaptureQueriesContext(connection) as seen:
        owner = sessions.owner_of(session)
    assert len(seen) == 1
    assert owner is not None
    kept = Owner.objects.get(pk=cast.ana.pk)
    for name in sessions.FIELDS:
        assert getattr(owner, name) == getattr(kept, name)


@pytest.mark.parametrize("make", [browser_of, app_of])
def test_who_may_not_sign_in_any_more_is_out_at_once(cast: factories.Cast, make: Any) -> None:
    caller = make(cast.ana)
    assert status(caller) == 200
    Owner.objects.filter(pk=cast.ana.pk).update(is_active=False)
    assert status(caller) in (401, 403)


@pytest.mark.parametrize("make", [browser_of, app_of])
def test_a_new_password_ends_the_sessions_of_the_old_one(cast: factories.Cast, make: Any) -> None:
    caller = make(cast.ana)
    assert status(caller) == 200
    cast.ana.set_password("another-long-password")
    cast.ana.save()
    assert status(caller) in (401, 403)


@pytest.mark.parametrize("make", [browser_of, app_of])
def test_a_session_that_was_deleted_is_out_at_once(cast: factories.Cast, make: Any) -> None:
    caller = make(cast.ana)
    assert status(caller) == 200
    import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects.all().delete()
    assert status(caller) in (401, 403)


def test_another_ones_name_in_a_session_is_not_believed(cast: factories.Cast) -> None:
    browser = browser_of(cast.ana)
    assert status(browser) == 200
    session = stored(browser)
    assert sessions.owner_of(session) == cast.ana
    session[SESSION_KEY] = str(cast.mallory.pk)
    session.save()
    again = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    assert sessions.owner_of(again) is None
