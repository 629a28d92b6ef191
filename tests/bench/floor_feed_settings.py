"""Our settings with one address and no middleware, for the floor of a feed page."""

from config import settings as ours
from config.settings import *  # noqa: F403 - all but those below

ROOT_URLCONF = "tests.bench.floor_feed"
MIDDLEWARE = []
INSTALLED_APPS = [app for app in ours.INSTALLED_APPS if not app.startswith("allauth")]
