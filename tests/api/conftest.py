"""Apps that talk to the API: each holds the session token of one owner."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from owners.models import Owner
from tests import factories


def app_of(owner: Owner | None) -> APIClient:
    """Return an app signed in as `owner`, or one of nobody."""
    app = APIClient()
    if owner is not None:
        browser = Client()
        browser.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
        app.credentials(HTTP_X_SESSION_TOKEN=browser.cookies["sessionid"].value)
    return app


@pytest.fixture
def ana(cast: factories.Cast) -> APIClient:
    """Ana's app."""
    return app_of(cast.ana)


@pytest.fixture
def mallory(cast: factories.Cast) -> APIClient:
    """Mallory's app."""
    return app_of(cast.mallory)


@pytest.fixture
def nobody() -> APIClient:
    """An app without a sign-in."""
    return app_of(None)
