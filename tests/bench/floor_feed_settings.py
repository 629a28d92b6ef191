"""Our settings with one address and the one middleware Django will not start without."""

from config.settings import *  # noqa: F403 - all but the two below

ROOT_URLCONF = "tests.bench.floor_feed"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
