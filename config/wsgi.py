"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from config import garbage  # noqa: E402 - after everything is made
from config.checks import refuse_unsafe  # noqa: E402 - needs the settings to be set up

refuse_unsafe()
resolve("/")  # every view is loaded before the first request waits for it
garbage.freeze()
