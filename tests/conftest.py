"""What every test has: the cast, the hour, and settings that make tests quick and quiet.

With DATABASE_URL unset the settings start a PostgreSQL and a Redis of this run's own
(config/embedded.py); the processes of `pytest -n` share them.
"""

import os
from collections.abc import Iterator
from datetime import datetime

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.utils import translation
from pytest_django import DjangoDbBlocker

from notifications import transports
from notifications.replay import scratch
from tests import factories

QUICK = {
    # Hashing is slow on purpose; a test signs in far more often than a person.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    # Each process counts rate limits for itself.
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    "STEWARD_OUTBOX": "",
    # What tests keep is gone with them.
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
    # Otherwise every new test client looks through all static files.
    "WHITENOISE_AUTOREFRESH": True,
    "OCR_PROGRAM": "",  # a machine that has one reads nothing else than one that has none
    "SENDER_CACHE_S": 0.0,  # suppliers come and go with each test
}


# How quick it is is measured in `tests/bench`: a busy machine fails no test.
hypothesis.settings.register_profile(
    "steady", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")
# Ten times as many inputs: `pytest --hypothesis-profile=nightly`, or HYPOTHESIS_PROFILE=nightly.
hypothesis.settings.register_profile(
    "nightly", hypothesis.settings.get_profile("steady"), max_examples=1000
)
if profile := os.environ.get("HYPOTHESIS_PROFILE"):
    hypothesis.settings.load_profile(profile)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    request: pytest.FixtureRequest,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Let each process copy one migrated database, instead of migrating one for itself."""
    options = request.config.option
    if options.reuse_db and not options.create_db:
        return
    with django_db_blocker.unblock():
        home = str(connection.settings_dict["NAME"])
        connection.settings_dict["TEST"]["TEMPLATE"] = scratch.template(home)


@pytest.fixture(scope="session", autouse=True)
def _quick_settings() -> Iterator[None]:
    with override_settings(**QUICK):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _no_language() -> Iterator[None]:
    """Forget the language of whoever was answered last: no request of a test ends like one."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _closed_transports() -> Iterator[None]:
    """End what a test opened to send with: the next one has other settings."""
    yield
    transports.close()


@pytest.fixture
def now() -> datetime:
    """Return Monday morning in New York, where the base story starts."""
    return factories.START


@pytest.fixture
def cast(db: None) -> factories.Cast:
    """Return Ana and her household, Skyline and its mandate, and Mallory who owns nothing here."""
    return factories.cast()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the database, so that it can be run again on another server."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or names & {"db", "transactional_db"}:
            item.add_marker(pytest.mark.database)
