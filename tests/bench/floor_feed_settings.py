"""Our settings with one address and no middleware, for the floor of a feed page."""

from config.settings import *  # noqa: F403 - all but the two below

ROOT_URLCONF = "tests.bench.floor_feed"
MIDDLEWARE: list[str] = []
